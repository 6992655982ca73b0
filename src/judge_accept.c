/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* What a person takes as the new normal: growth that is known, parts that were taken away on purpose; for good or for a while. */

#include "judge_private.h"

static bool wanted(const char *rule, const char *name)
{
        return !rule || streq(rule, name);
}

static int accept_series(struct judge_instance *i, const char *component, const char *rule, int64_t until_us, int64_t now_us, bool *known)
{
        int n = 0;

        for (size_t k = 0; k < i->n_series; k++) {
                struct judge_series *s = &i->series[k];

                if (!streq(s->component->name, component))
                        continue;
                *known = true;
                for (unsigned r = 0; r < s->n_rules; r++)
                        n += wanted(rule, s->rules[r].rule->name) && s->rules[r].state.level > LEVEL_OK &&
                             rule_accept(s->rules[r].rule, &s->rules[r].state, until_us, now_us);
                s->component->dirty = true;
        }
        return n;
}

int judge_accept(struct judge *j, const char *component, const char *rule, int64_t until_us, int64_t now_us)
{
        bool known = false;
        int n = 0;

        for (struct judge_instance **p = &j->instances, *i; (i = *p);) {
                bool mine = streq(i->component->name, component);

                known |= mine;
                if (mine && i->gone_us && wanted(rule, "gone") && !until_us) {
                        judge_remember(j, i, now_us);
                        *p = i->next;
                        i->component->dirty = true;
                        judge_instance_free(i);
                        n++;
                        continue;
                }
                n += accept_series(i, component, rule, until_us, now_us, &known);
                p = &i->next;
        }
        if (n)
                judge_tell(j, component, "%d %s accepted as it is%s", n, n == 1 ? "finding" : "findings", until_us ? " for a while" : "");
        judge_settle(j, now_us);
        return known ? n : -ENOENT;
}

void judge_accepted(const struct judge *j, const struct judge_component *c, void (*fn)(void *data, const struct judge_acceptance *a),
                    void *data)
{
        for (const struct judge_instance *i = j->instances; i; i = i->next)
                for (size_t k = 0; k < i->n_series; k++)
                        for (unsigned r = 0; r < i->series[k].n_rules; r++) {
                                const struct judge_series *s = &i->series[k];
                                const struct rule_state *st = &s->rules[r].state;

                                if (s->component == c && st->accepted_us)
                                        fn(data, &(struct judge_acceptance){ i, s, s->rules[r].rule,
                                                                             s->rules[r].rule->kind == RULE_CHANGE ? st->baseline : st->value,
                                                                             st->accepted_us, st->until_us });
                        }
}
