/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The brain as a whole: what it does when the judge finds a change, and how it begins anew with a new
 * config. The loop and the options are in veilled.c. */

#include "brain.h"
#include "common_clock.h"

#include <stdarg.h>
#include <systemd/sd-daemon.h>

static const struct check_desc self_check = {
        .name = "veille",
        .summary = "veille itself",
        .interval_s = 60,
        .deadline_s = 10,
        .evidence = EVIDENCE_SILENCE,
};

int64_t brain_now_us(void)
{
        return clock_boot_us();
}

int64_t brain_wall_us(void)
{
        return clock_wall_us();
}

void brain_self(struct brain *b, const char *what, enum verdict verdict, const char *fmt, ...)
{
        struct judge_instance *i = judge_find(b->judge, &self_check, what);
        char why[512];
        va_list ap;

        if (verdict == VERDICT_OK && (!i || i->verdict == VERDICT_OK))
                return;
        va_start(ap, fmt);
        vsnprintf(why, sizeof(why), fmt, ap);
        va_end(ap);
        i = judge_pushed(b->judge, &self_check, what, "veille", "agent", brain_now_us());
        if (i->verdict == verdict && streq(i->why, why))
                return;
        if (verdict != VERDICT_OK)
                brain_log(b, BRAIN_WARNING, "%s: %s", what, why);
        judge_run_end(b->judge, i, verdict, why, brain_now_us());
}

static void on_changed(void *data, const struct judge_component *c, enum level from)
{
        static const int priority[LEVEL_MAX] = {
                [LEVEL_OK] = BRAIN_NOTICE, [LEVEL_NOTICE] = BRAIN_NOTICE, [LEVEL_WARNING] = BRAIN_WARNING,
                [LEVEL_UNKNOWN] = BRAIN_WARNING, [LEVEL_CRITICAL] = BRAIN_ERROR,
        };
        struct brain *b = data;
        const char *const fields[] = { "MESSAGE_ID", LOG_ID_LEVEL, "VEILLE_COMPONENT", c->name, "VEILLE_LEVEL", level_name(c->level),
                                       "VEILLE_LEVEL_BEFORE", level_name(from), "VEILLE_RULE", c->rule_name, NULL };

        brain_log_fields(b, priority[c->level], fields, "%s: %s (was %s)%s%s", c->name, level_name(c->level), level_name(from),
                         *c->why ? ": " : "", c->why);
        brain_store_event(b, brain_wall_us(), c->name, c->kind, from, c->level, c->rule_name, c->why);
        brain_publish_soon(b);
}

static void on_event(void *data, const char *component, const char *text)
{
        struct brain *b = data;

        brain_log(b, BRAIN_NOTICE, "%s: %s", component, text);
        brain_store_event(b, brain_wall_us(), component, "event", LEVEL_OK, LEVEL_OK, "", text);
        brain_publish_soon(b);
}

static struct judge *new_judge(struct brain *b)
{
        return judge_new(&b->catalog, &(struct judge_callbacks){ .changed = on_changed, .event = on_event, .data = b });
}

struct carry {
        struct judge *to;
};

static void carry_over(void *data, const char *key, json_t *value)
{
        struct carry *c = data;

        judge_load(c->to, key, value, brain_now_us(), brain_wall_us());
}

static int load_config(struct brain *b, struct config **ret, struct errinfo *err)
{
        struct config_errors errors = { 0 };
        int r = config_load(b->options.config, ret, &errors);

        if (r < 0)
                err_set(err, r, "the configuration has %zu error%s, the first: %.*s", errors.n, errors.n == 1 ? "" : "s",
                        (int)strcspn(errors.n ? errors.text[0] : strerror(-r), "\n"), errors.n ? errors.text[0] : strerror(-r));
        for (size_t i = 0; r < 0 && i < errors.n && i < 20; i++)
                brain_log(b, BRAIN_ERROR, "%s", errors.text[i]);
        config_errors_done(&errors);
        return r < 0 ? -EINVAL : 0;
}

int brain_reload(struct brain *b, struct errinfo *err)
{
        struct catalog catalog, old_catalog = b->catalog;
        struct config *config, *old_config = b->config;
        struct judge *old = b->judge;
        struct carry carry;
        int r = load_config(b, &config, err);

        if (r < 0)
                return r;
        r = brain_catalog_read(b, config, &catalog, err);
        if (r < 0) {
                config_free(config);
                return r;
        }
        /* Runs under way belong to the old catalogue; what they would have said is asked again at once. */
        if (b->sched)
                probe_requests_abort(b);
        b->config = config;
        b->catalog = catalog;
        carry.to = new_judge(b);
        if (old)
                brain_state_each(b, carry_over, &carry);
        b->judge = carry.to;
        brain_kmsg_reload(b);
        judge_free(old);
        brain_selftest_reset(b);
        config_free(old_config);
        catalog_done(&old_catalog);
        if (b->sched) {
                brain_sched_reset(b);
                brain_publish_catalog(b);
                brain_publish_soon(b);
                brain_log(b, BRAIN_NOTICE, "configuration read anew from %s", b->options.config);
        }
        return 0;
}

int brain_reload_told(struct brain *b, struct errinfo *err)
{
        int r;

        sd_notify(0, "RELOADING=1");
        r = brain_reload(b, err);
        if (r < 0)
                brain_self(b, "reload", VERDICT_FAILED, "%s; the old configuration stays in force", err->text);
        else
                brain_self(b, "reload", VERDICT_OK, "%s", "");
        sd_notify(0, "READY=1");
        return r;
}
