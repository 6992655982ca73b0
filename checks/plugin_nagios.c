/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* A Nagios plugin as a check: its exit status is a level with its text as the reason, its performance data are samples. Whatever is
 * not a clear answer (no text, bytes, an exit status of its own, a text that says CRITICAL with exit status 0) is a failed run:
 * the level is unknown, never ok. */

#include "foreign.h"
#include "nagios.h"
#include "plugin.h"

#define INTERVAL_S 60
#define TIMEOUT_S 10
#define GRACE_S 2 /* between the end of the plugin's time and that of the process that waits for it */

static const struct metric_desc metrics[] = {
        { "plugin_status", METRIC_GAUGE, "", "What the plugin said by its exit status: 0 ok, 1 warning, 2 critical" },
        { "plugin_value", METRIC_GAUGE, "", "Performance data without a unit, or with one that has no metric of its own" },
        { "plugin_seconds", METRIC_GAUGE, "seconds", "Performance data that is a time" },
        { "plugin_bytes", METRIC_GAUGE, "bytes", "Performance data that is a size" },
        { "plugin_ratio", METRIC_GAUGE, "ratio", "Performance data in percent, as a ratio" },
        { "plugin_count_total", METRIC_COUNTER, "", "Performance data that only grows" },
        { "plugin_ignored_values", METRIC_GAUGE, "", "Performance data that is not of the form label=value, or beyond 256" },
};

struct nagios_check {
        struct plugin_check plugin_check; /* first */
        struct rule rule;
        char rule_name[PLUGIN_NAME_MAX + 16], summary[256];
};

static int discover(struct env *env, struct instance_list *list)
{
        const struct plugin_config *c = &((const struct plugin_check *)env->check)->plugin->config;
        struct instance *i = instance_add(list, c->name);

        if (!i)
                return -ENOMEM;
        /* What another check has found keeps its kind. */
        if (c->component)
                snprintf(i->component, sizeof(i->component), "%s", c->component);
        else
                strcpy(i->kind, "service");
        return 0;
}

static void emit_values(struct env *env, const struct nagios_output *o)
{
        for (size_t i = 0; i < o->n_values; i++) {
                const struct nagios_value *v = &o->values[i];

                if (v->unit[0])
                        env_sample(env, v->metric, v->value, "label", v->label, "unit", v->unit, NULL);
                else
                        env_sample(env, v->metric, v->value, "label", v->label, NULL);
        }
        env_sample(env, "plugin_ignored_values", o->ignored, NULL);
}

/* The first line of standard error, for the sentence. */
static const char *error_line(struct cmd_result *c)
{
        for (char *p = c->err_text; *p; p++)
                if ((unsigned char)*p < ' ' || *p == 127) {
                        *p = '\0';
                        break;
                }
        return c->err_text;
}

static enum result judge_result(struct env *env, const char *name, struct cmd_result *c, struct nagios_output *o)
{
        struct errinfo err = { 0 };

        if (c->truncated)
                return env_end(env, RESULT_FAILED, "%s printed more than %d KiB and was ended", name, NAGIOS_OUTPUT_MAX / 1024);
        if (c->signal)
                return env_end(env, RESULT_FAILED, "%s was ended by signal %d", name, c->signal);
        if (c->exit_status > NAGIOS_UNKNOWN)
                return env_end(env, c->exit_status == 126 ? RESULT_DENIED : RESULT_FAILED, "%s ended with exit status %d%s%.200s", name,
                               c->exit_status, *error_line(c) ? ": " : "", error_line(c));
        if (nagios_parse(c->out, c->out_len, o, &err) < 0)
                return env_end(env, RESULT_FAILED, "%s ended with exit status %d, but %s%s%.200s", name, c->exit_status, err.text,
                               *error_line(c) ? ": " : "", error_line(c));
        if (c->exit_status == NAGIOS_UNKNOWN)
                return env_end(env, RESULT_FAILED, "%s", o->text);
        if (nagios_contradicts((enum nagios_status)c->exit_status, o->text))
                return env_end(env, RESULT_FAILED, "%s ended with exit status 0, but it says: %s", name, o->text);
        env_sample(env, "plugin_status", c->exit_status, NULL);
        emit_values(env, o);
        snprintf(env->said, sizeof(env->said), "%s", o->text);
        return RESULT_OK;
}

static int timeout_of(const struct plugin_config *c)
{
        return c->timeout_s ? c->timeout_s : TIMEOUT_S;
}

static enum result run(struct env *env, const struct instance *instance UNUSED)
{
        const struct plugin_config *c = &((const struct plugin_check *)env->check)->plugin->config;
        struct cmd_result cmd;
        struct nagios_output output;
        enum result result;
        int r = foreign_run(env, (const char *const *)c->argv, timeout_of(c), NAGIOS_OUTPUT_MAX, &cmd);

        if (r == -ETIME)
                return env_end(env, RESULT_TIMEOUT, "%s has not ended within %d s", c->argv[0], timeout_of(c));
        if (r < 0)
                return r == -EACCES || r == -EPERM ? RESULT_DENIED : RESULT_FAILED;
        result = judge_result(env, c->argv[0], &cmd, &output);
        cmd_result_done(&cmd);
        return result;
}

static const struct rule status_rule = {
        .metric = "plugin_status", .kind = RULE_LIMIT, .direction = RULE_ABOVE, .notice = RULE_NONE, .warning = 1, .critical = 2,
        .clear = RULE_NONE, .text = "{label:output}", .clears = "the plugin's ok (exit status 0)",
        .source = "the plugin's own judgement: exit status 1 is warning, 2 is critical",
};

void plugin_nagios_open(struct plugin *p)
{
        struct nagios_check *n = calloc(1, sizeof(*n));
        const struct plugin_config *c = &p->config;

        if (!n)
                abort();
        snprintf(n->rule_name, sizeof(n->rule_name), "%s-status", c->name);
        snprintf(n->summary, sizeof(n->summary), "Nagios plugin %s", c->argv[0]);
        n->rule = status_rule;
        n->rule.name = n->rule_name;
        n->rule.evidence = c->evidence;
        n->rule.hard = c->hard;
        n->plugin_check.plugin = p;
        n->plugin_check.check = (struct check){
                .desc = {
                        .name = c->name, .summary = n->summary, .interval_s = c->interval_s ? c->interval_s : INTERVAL_S,
                        .deadline_s = timeout_of(c) + GRACE_S, .privilege = PRIVILEGE_PLUGIN, .evidence = EVIDENCE_SILENCE,
                        .metrics = metrics, .n_metrics = ARRAY_LEN(metrics), .rules = &n->rule, .n_rules = 1,
                },
                .discover = discover, .run = run,
        };
        p->checks = &n->plugin_check;
        p->n_checks = 1;
}
