/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Whether the mail services of this host run, as systemd sees it: one call of systemctl show per service, with its deadline, so that a
 * PID 1 or a bus that does not answer costs a run and nothing else. Only services with a unit file are looked at, and only one that has
 * failed, or is started again and again, is news: one that is switched off is none. */

#include "check.h"

#define SYSTEMCTL "/usr/bin/systemctl"
#define OUTPUT_MAX 4096
#define CMD_DEADLINE_S 8 /* within that of the run */

static const struct service {
        const char *unit, *file; /* the unit, and the file that it comes from */
        bool carries;            /* without it no mail comes, goes or is read */
} services[] = {
        { "postfix", "postfix.service", true },
        { "postfix@-", "postfix@.service", true },
        { "exim4", "exim4.service", true },
        { "dovecot", "dovecot.service", true },
        { "rspamd", "rspamd.service", false },
        { "opendkim", "opendkim.service", false },
        { "opendmarc", "opendmarc.service", false },
        { "amavis", "amavis.service", false },
        { "clamav-daemon", "clamav-daemon.service", false },
        { "spamassassin", "spamassassin.service", false },
        { "spamd", "spamd.service", false },
};

static const struct metric_desc metrics[] = {
        { "mail_unit_active", METRIC_GAUGE, "", "Whether systemd has this mail service running, 1 or 0" },
        { "mail_unit_failed", METRIC_GAUGE, "", "Whether this mail service has failed, 1 or 0" },
        { "mail_unit_restarts_total", METRIC_COUNTER, "", "How often systemd started this mail service again by itself" },
};

static const struct rule rules[] = {
        {
                .name = "mail-unit-failed", .metric = "mail_unit_failed",
                .match_label = "carries", .match_value = "yes",
                .kind = RULE_LIMIT, .notice = RULE_NONE, .warning = RULE_NONE, .critical = 1, .clear = RULE_NONE,
                .evidence = EVIDENCE_SERVICE,
                .text = "{label:unit}.service has failed ({label:result}): no mail comes, goes or is read through it",
                .clears = "systemctl start {component}, once the cause is mended",
                .source = "systemd(1): failed is a service that ended with an error and is not started again",
        },
        {
                .name = "mail-filter-failed", .metric = "mail_unit_failed",
                .match_label = "carries", .match_value = "no",
                .kind = RULE_LIMIT, .notice = RULE_NONE, .warning = 1, .critical = RULE_NONE, .clear = RULE_NONE,
                .evidence = EVIDENCE_SERVICE,
                .text = "{label:unit}.service has failed ({label:result}): mail is not looked at by it, or waits for it",
                .clears = "systemctl start {component}, once the cause is mended",
                .source = "systemd(1): failed is a service that ended with an error and is not started again",
        },
        {
                .name = "mail-unit-restarts", .metric = "mail_unit_restarts_total",
                .kind = RULE_RATE, .notice = 1, .warning = 3, .critical = RULE_NONE, .clear = RULE_NONE,
                .window_s = 3600, .evidence = EVIDENCE_SERVICE,
                .text = "systemd started {label:unit}.service again {growth} {n:time|times} within {window}",
                .clears = "an hour without a restart",
                .source = "systemd.service(5): Restart= hides a service that dies; StartLimitBurst= is 5 within 10 s",
        },
};

static const struct service *service_find(const char *unit)
{
        for (size_t i = 0; i < ARRAY_LEN(services); i++)
                if (streq(services[i].unit, unit))
                        return &services[i];
        return NULL;
}

static bool has_unit(struct env *env, const struct service *s)
{
        static const char *const places[] = { "etc/systemd/system", "run/systemd/generator.late", "usr/lib/systemd/system", "lib/systemd/system" };

        for (size_t i = 0; i < ARRAY_LEN(places); i++)
                if (env_exists(env, "%s/%s", places[i], s->file))
                        return true;
        return false;
}

static int discover(struct env *env, struct instance_list *list)
{
        if (!env_exists(env, "run/systemd/system")) /* another init */
                return 0;
        for (size_t i = 0; i < ARRAY_LEN(services); i++) {
                struct instance *inst = has_unit(env, &services[i]) ? instance_add(list, services[i].unit) : NULL;

                if (inst)
                        strcpy(inst->kind, "service");
        }
        return 0;
}

/* The value of KEY=VALUE in lines of text; "" when there is none. */
static void value_of(const char *text, const char *key, char *buf, size_t size)
{
        size_t n = strlen(key);

        buf[0] = '\0';
        for (const char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
                if (strncmp(line, key, n) == 0 && line[n] == '=') {
                        snprintf(buf, size, "%.*s", (int)strcspn(line + n + 1, "\n"), line + n + 1);
                        return;
                }
}

static enum result take(struct env *env, const struct service *s, const char *text)
{
        char load[32], active[32], result[64], restarts[32];
        const char *carries = s->carries ? "yes" : "no";
        char *end;
        unsigned long long n;

        value_of(text, "LoadState", load, sizeof(load));
        value_of(text, "ActiveState", active, sizeof(active));
        value_of(text, "Result", result, sizeof(result));
        value_of(text, "NRestarts", restarts, sizeof(restarts));
        if (streq(load, "not-found") || streq(load, "masked"))
                return env_end(env, RESULT_NODATA, "%s.service is %s", s->unit, load);
        if (!*active)
                return env_end(env, RESULT_FAILED, "systemctl show %s.service names no ActiveState", s->unit);
        env_sample(env, "mail_unit_active", streq(active, "active") || streq(active, "reloading"), "unit", s->unit, NULL);
        env_sample(env, "mail_unit_failed", streq(active, "failed"), "unit", s->unit, "carries", carries, "result", *result ? result : "unknown", NULL);
        n = strtoull(restarts, &end, 10);
        if (*restarts && !*end)
                env_sample(env, "mail_unit_restarts_total", (double)n, "unit", s->unit, NULL);
        return RESULT_OK;
}

static enum result run(struct env *env, const struct instance *instance)
{
        const struct service *s = service_find(instance->name);
        char unit[INSTANCE_NAME_MAX + 16];
        const char *const argv[] = { SYSTEMCTL, "show", "--property=LoadState,ActiveState,Result,NRestarts", "--", unit, NULL };
        struct cmd_result out = { 0 };
        enum result result;
        int r;

        if (!s)
                return env_end(env, RESULT_NODATA, "%s is no mail service that is known", instance->name);
        snprintf(unit, sizeof(unit), "%s.service", s->unit);
        r = env->run_cmd(env, argv, CMD_DEADLINE_S, OUTPUT_MAX, &out);
        if (r == -ETIME)
                return env_end(env, RESULT_TIMEOUT, "systemctl show %s: systemd has not answered within %d s", unit, CMD_DEADLINE_S);
        if (r < 0)
                return env_end_errno(env, r, SYSTEMCTL);
        if (out.exit_status != 0)
                result = env_end(env, RESULT_FAILED, "systemctl show %s: %.200s", unit, out.err_text && *out.err_text ? out.err_text : "it failed");
        else
                result = take(env, s, out.out ? out.out : "");
        cmd_result_done(&out);
        return result;
}

const struct check check_mail_unit = {
        .desc = {
                .name = "mail-unit",
                .summary = "mail services as systemd sees them",
                .interval_s = 30,
                .deadline_s = 10,
                .privilege = PRIVILEGE_NONE,
                .evidence = EVIDENCE_SERVICE,
                .metrics = metrics, .n_metrics = ARRAY_LEN(metrics),
                .rules = rules, .n_rules = ARRAY_LEN(rules),
        },
        .discover = discover,
        .run = run,
};
