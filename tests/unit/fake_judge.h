/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_FAKE_JUDGE_H
#define VEILLE_FAKE_JUDGE_H

/* Steps the rules of a check over the samples of a fake env, as the brain does: one state per rule and series,
 * the limit metric taken from the series with the same labels. For tests of what alarms and, above all, what does not. */

#include "fake_env.h"

struct fake_verdict {
        const struct rule *rule;
        char labels[1024];
        struct rule_state state;
};

struct fake_judge {
        struct fake_verdict *verdicts;
        size_t n;
};

/* "component=a b,judged=fan" has the label judged with value fan. */
static inline bool fake_has_label(const char *labels, const char *name, const char *value)
{
        char wanted[256];
        size_t len = (size_t)snprintf(wanted, sizeof(wanted), "%s=%s", name, value);

        for (const char *p = labels; (p = strstr(p, wanted)); p++)
                if ((p == labels || p[-1] == ',') && (p[len] == ',' || !p[len]))
                        return true;
        return false;
}

static inline struct fake_verdict *fake_verdict(struct fake_judge *j, const struct rule *rule, const char *labels)
{
        for (size_t i = 0; i < j->n; i++)
                if (j->verdicts[i].rule == rule && streq(j->verdicts[i].labels, labels))
                        return &j->verdicts[i];
        j->verdicts = realloc(j->verdicts, (j->n + 1) * sizeof(*j->verdicts));
        assert_non_null(j->verdicts);
        j->verdicts[j->n] = (struct fake_verdict){ .rule = rule };
        snprintf(j->verdicts[j->n].labels, sizeof(j->verdicts[j->n].labels), "%s", labels);
        return &j->verdicts[j->n++];
}

static inline double fake_limit(const struct fake_env *f, const char *metric, const char *labels)
{
        for (size_t i = 0; metric && i < f->n; i++)
                if (streq(f->samples[i].metric, metric) && streq(f->samples[i].labels, labels))
                        return f->samples[i].value;
        return NAN;
}

/* One poll's samples at this second. */
static inline void fake_judge_step(struct fake_judge *j, const struct check *check, const struct fake_env *f, int64_t now_s)
{
        for (size_t r = 0; r < check->desc.n_rules; r++) {
                const struct rule *rule = &check->desc.rules[r];

                for (size_t i = 0; i < f->n; i++) {
                        const struct fake_sample *s = &f->samples[i];

                        if (streq(s->metric, rule->metric) &&
                            (!rule->match_label || fake_has_label(s->labels, rule->match_label, rule->match_value)))
                                rule_step(rule, &fake_verdict(j, rule, s->labels)->state, s->value,
                                          fake_limit(f, rule->limit_metric, s->labels), now_s * USEC_PER_SEC);
                }
        }
}

/* The worst level of this rule (NULL: of all) among series whose labels contain the text. */
static inline enum level fake_judge_level(const struct fake_judge *j, const char *rule, const char *label_part)
{
        enum level worst = LEVEL_OK;

        for (size_t i = 0; i < j->n; i++)
                if ((!rule || streq(j->verdicts[i].rule->name, rule)) && strstr(j->verdicts[i].labels, label_part))
                        worst = level_worse(worst, j->verdicts[i].state.level);
        return worst;
}

/* Every level above ok, for the message of a test that fails. */
static inline void fake_judge_print(const struct fake_judge *j)
{
        for (size_t i = 0; i < j->n; i++)
                if (j->verdicts[i].state.level != LEVEL_OK)
                        print_message("  %s: %s at %g (limit %g): %s\n", level_name(j->verdicts[i].state.level),
                                      j->verdicts[i].rule->name, j->verdicts[i].state.value, j->verdicts[i].state.limit,
                                      j->verdicts[i].labels);
}

static inline void fake_judge_done(struct fake_judge *j)
{
        for (size_t i = 0; i < j->n; i++)
                rule_state_done(&j->verdicts[i].state);
        free(j->verdicts);
        *j = (struct fake_judge){ 0 };
}

/* Every rule names metrics its check has, and says why. */
static inline void fake_check_tables(const struct check *check)
{
        for (size_t i = 0; i < check->desc.n_rules; i++) {
                const struct rule *r = &check->desc.rules[i];
                bool metric = false, limit = !r->limit_metric;

                for (size_t m = 0; m < check->desc.n_metrics; m++) {
                        metric |= streq(check->desc.metrics[m].name, r->metric);
                        limit |= r->limit_metric && streq(check->desc.metrics[m].name, r->limit_metric);
                }
                if (!metric || !limit || !r->text || !r->clears || !r->source)
                        fail_msg("rule %s: metric, limit metric, text, clears or source is missing", r->name);
        }
}

#endif
