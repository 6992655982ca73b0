/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* From rule states and silence (judge_silence.c) to the level of a component, and from all components to host health.
 * Called by judge.c after everything that may have changed a level. */

#include "judge_private.h"

#define HOLD_US (120 * USEC_PER_SEC) /* the first round of all checks is over by then */
#define REASONS_MAX 256 /* of one component; the worst are found before the cut */

unsigned judge_roles(const struct judge *j, const struct judge_component *c)
{
        return j->topology ? topology_roles(j->topology, c->name) : 0;
}

const char *judge_role_name(unsigned bit)
{
        return topology_role_name((enum topology_role)bit);
}

size_t judge_stands_on(const struct judge *j, const char *component, const char **ret, size_t max)
{
        return j->topology ? MIN(topology_related(j->topology, component, TOPOLOGY_DOWN, ret, max), max) : 0;
}

bool judge_protected(const struct judge *j, const struct judge_component *c)
{
        if (j->topology && topology_knows(j->topology, c->name))
                return topology_is_protected(j->topology, c->name);
        return j->topology && c->was_protected;
}

/* Parts that hang in the kernel or left the bus are hard evidence for these kinds. */
bool judge_is_storage(const char *kind)
{
        return streq(kind, "disk") || streq(kind, "array") || streq(kind, "filesystem");
}

bool judge_carries(const struct judge *j, const struct judge_component *c)
{
        if (j->topology && topology_knows(j->topology, c->name))
                return topology_roles(j->topology, c->name) != 0;
        if (c->carried)
                return true;
        /* What is not in the topology is of the host as a whole: memory, power, the host itself. A disk
         * that nothing stands on is known to carry nothing, unless we do not know what stands on what. */
        return !j->topology || !judge_is_storage(c->kind);
}

static void series_reason(const struct judge_instance *i, const struct judge_series *s, const struct judge_rule *r,
                          const struct judge_component *c, struct judge_reason *ret)
{
        const char *pairs[64], *labels = s->labels;
        size_t n = 0;

        char signs[512], percent[16];

        /* The score's text names what led to it; that changes with every value, so it is no label. */
        if (streq(s->metric->name, SCORECARD_METRIC)) {
                scorecard_explain(&i->scorecard, signs, sizeof(signs));
                snprintf(percent, sizeof(percent), "%.2g", 100 * scorecard_probability(s->value));
                pairs[0] = "signs", pairs[1] = signs, pairs[2] = "percent", pairs[3] = percent;
                n = 4;
        }
        if (i->said) {
                pairs[n++] = "output";
                pairs[n++] = i->said;
        }
        while (n + 2 < ARRAY_LEN(pairs) && (labels = judge_label_next(labels, &pairs[n], &pairs[n + 1])))
                n += 2;
        pairs[n] = NULL;
        *ret = (struct judge_reason){
                .instance = i, .series = s, .rule = r->rule, .rule_name = r->rule->name, .level = r->state.level,
                .evidence = r->rule->evidence, .hard = r->rule->hard, .since_us = r->state.changed_us,
        };
        rule_text(r->rule, &r->state, c->name, pairs, ret->text, sizeof(ret->text));
}

typedef void reason_fn(void *data, const struct judge_reason *reason);

static void each_reason(const struct judge *j, const struct judge_component *c, int64_t now_us, reason_fn *fn, void *data)
{
        for (const struct judge_instance *i = j->instances; i; i = i->next) {
                struct judge_reason reason;

                if (i->component == c && judge_silence(j, i, now_us, &reason))
                        fn(data, &reason);
                for (size_t k = 0; k < i->n_series; k++) {
                        const struct judge_series *s = &i->series[k];

                        if (s->component != c)
                                continue;
                        for (unsigned r = 0; r < s->n_rules; r++)
                                if (s->rules[r].state.level > LEVEL_OK) {
                                        series_reason(i, s, &s->rules[r], c, &reason);
                                        fn(data, &reason);
                                }
                }
        }
}

struct collected {
        struct judge_reason *reasons;
        size_t n;
        bool full;
};

static void collect(void *data, const struct judge_reason *reason)
{
        struct collected *c = data;

        if (c->n < REASONS_MAX) {
                c->reasons[c->n++] = *reason;
                return;
        }
        /* At the start many have not been read yet, for a moment. */
        c->full |= !streq(reason->rule_name, "not-read-yet");
        /* The mildest makes room for a worse one. */
        size_t mildest = 0;

        for (size_t i = 1; i < c->n; i++)
                if (c->reasons[i].level < c->reasons[mildest].level)
                        mildest = i;
        if (reason->level > c->reasons[mildest].level)
                c->reasons[mildest] = *reason;
}

static int worst_first(const void *a, const void *b)
{
        const struct judge_reason *x = a, *y = b;

        if (x->level != y->level)
                return x->level > y->level ? -1 : 1;
        return x->since_us < y->since_us ? -1 : x->since_us > y->since_us;
}

void judge_reasons(const struct judge *j, const struct judge_component *c, int64_t now_us, reason_fn *fn, void *data)
{
        struct collected all = { .reasons = judge_alloc(REASONS_MAX, sizeof(struct judge_reason)) };

        each_reason(j, c, now_us, collect, &all);
        if (all.full)
                ((struct judge *)j)->limits |= LIMIT_BIT(LIMIT_REASONS);
        qsort(all.reasons, all.n, sizeof(*all.reasons), worst_first);
        for (size_t i = 0; i < all.n; i++)
                fn(data, &all.reasons[i]);
        free(all.reasons);
}

struct summary {
        struct judge_reason worst, newest;
        size_t n;
        bool any, hard;
        unsigned evidence;
};

static void summarise(void *data, const struct judge_reason *r)
{
        struct summary *s = data;

        if (!s->any || worst_first(r, &s->worst) < 0)
                s->worst = *r;
        if (!s->any || r->since_us > s->newest.since_us)
                s->newest = *r;
        s->n++;
        s->any = true;
        if (r->level == LEVEL_CRITICAL && r->hard)
                s->hard = true;
        if (r->level >= LEVEL_WARNING)
                s->evidence |= 1u << r->evidence;
}

/* A disk that is gone is in no topology any more; what stood on it stands there still. */
static void remember_roles(const struct judge *j, struct judge_component *c)
{
        if (!j->topology || !topology_knows(j->topology, c->name))
                return;
        c->carried = topology_roles(j->topology, c->name) != 0;
        c->was_protected = topology_is_protected(j->topology, c->name);
}

/* Whether the level of before a restart may be taken back: a component has many checks, and that another of them finds nothing wrong
 * means nothing. */
static bool is_held(const struct judge *j, const struct judge_component *c, int64_t now_us)
{
        bool asked = false;

        if (judge_is_expected(j, c))
                return true;
        for (const struct judge_instance *i = j->instances; i; i = i->next) {
                bool mine = i->component == c;

                for (size_t k = 0; !mine && k < i->n_series; k++)
                        mine = i->series[k].component == c;
                if (!mine || !streq(i->check->name, c->check_name))
                        continue;
                if (i->verdict == VERDICT_PENDING && !i->gone_us)
                        return now_us - c->held_us < HOLD_US;
                asked = true;
        }
        return !asked && now_us - c->held_us < HOLD_US;
}

/* True if the newest reason is news. A level that changes is told with its worst reason; this is for what changes under it. */
static bool reasons_changed(const struct judge *j, struct judge_component *c, const struct summary *s, bool *changed)
{
        bool newer = s->any && s->newest.since_us > MAX(c->newest_us, j->born_us);

        *changed = newer || s->n != c->n_reasons;
        c->n_reasons = s->n;
        if (s->any)
                c->newest_us = MAX(c->newest_us, s->newest.since_us);
        return newer;
}

static void settle_component(struct judge *j, struct judge_component *c, int64_t now_us)
{
        struct summary s = { 0 };
        enum level from = c->level, to;
        bool waiting, changed, newer;

        remember_roles(j, c);
        each_reason(j, c, now_us, summarise, &s);
        to = s.any ? s.worst.level : LEVEL_OK;
        waiting = s.any && streq(s.worst.rule_name, "not-read-yet");
        if (c->held && (waiting || (to < c->level && is_held(j, c, now_us))))
                return;
        c->held = false;
        c->rule = s.worst.rule;
        snprintf(c->rule_name, sizeof(c->rule_name), "%s", s.any ? s.worst.rule_name : "");
        snprintf(c->check_name, sizeof(c->check_name), "%s", s.any ? s.worst.instance->check->name : "");
        snprintf(c->why, sizeof(c->why), "%s", s.any ? s.worst.text : "");
        c->part = health_part(&(struct health_input){
                .level = to, .hard = s.hard, .evidence = s.evidence, .carries = judge_carries(j, c),
                .protected_ = judge_protected(j, c),
        });
        /* Still unread at start is no news; it becomes news when it stays so past its age. */
        if (waiting)
                c->part = PART_NONE;
        c->level = to;
        if (to != from || !c->since_us)
                c->since_us = s.any && s.worst.since_us ? s.worst.since_us : now_us;
        if (waiting)
                return;
        newer = reasons_changed(j, c, &s, &changed);
        c->settled = true;
        from = c->told;
        c->told = to;
        if (to != from && j->callbacks.changed)
                j->callbacks.changed(j->callbacks.data, c, from);
        else if (to == from && changed && j->callbacks.reasons)
                j->callbacks.reasons(j->callbacks.data, c, newer ? &s.newest : NULL);
}

/* Of a host of which nothing is known nothing good may be said; why nothing could be read is said when it is known. */
void judge_health_unread(struct health_result *health)
{
        if (health->health > HEALTH_GREEN)
                return;
        health->health = HEALTH_YELLOW;
        snprintf(health->why, sizeof(health->why), "nothing has been read yet");
}

void judge_settle(struct judge *j, int64_t now_us)
{
        bool any = false;

        if (!j->born_us)
                j->born_us = now_us;
        for (struct judge_component *c = j->components; c; c = c->next) {
                if (!c->dirty)
                        continue;
                c->dirty = false;
                any = true;
                settle_component(j, c, now_us);
        }
        if (!any)
                return;
        j->health = (struct health_result){ 0 };
        any = false;
        for (struct judge_component *c = j->components; c; c = c->next) {
                health_add(&j->health, c->part, c->level, c->name, c->why);
                any |= c->settled && !streq(c->kind, "agent");
        }
        health_finish(&j->health);
        if (!any)
                judge_health_unread(&j->health);
}

bool judge_shown(const struct judge *j, const struct judge_component *c)
{
        if (c->level > LEVEL_OK)
                return true;
        for (const struct judge_instance *i = j->instances; i; i = i->next) {
                if (i->component == c && !i->pushed && !i->gone_us && i->was_ok)
                        return true;
                for (size_t k = 0; k < i->n_series; k++)
                        if (i->series[k].component == c && i->series[k].n_rules)
                                return true;
        }
        return false;
}

int64_t judge_age_s(const struct judge *j, const struct judge_component *c, int64_t now_us)
{
        int64_t oldest = INT64_MAX;

        for (const struct judge_instance *i = j->instances; i; i = i->next) {
                bool mine = i->component == c;

                for (size_t k = 0; !mine && k < i->n_series; k++)
                        mine = i->series[k].component == c && i->series[k].n_rules;
                if (mine && !i->pushed && i->ok_us)
                        oldest = MIN(oldest, i->ok_us);
        }
        return oldest == INT64_MAX ? -1 : (now_us - oldest) / USEC_PER_SEC;
}
