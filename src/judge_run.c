/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Series and runs: what was measured, and what its rules make of it. Called by the brain's loop for every line of a probe. */

#include "judge_private.h"

#define SERIES_MAX 4096   /* of one instance */
#define LABELS_SIZE 1536  /* of one series, packed */

const char *judge_label_next(const char *labels, const char **ret_name, const char **ret_value)
{
        if (!*labels)
                return NULL;
        *ret_name = labels;
        labels += strlen(labels) + 1;
        *ret_value = labels;
        return labels + strlen(labels) + 1;
}

static const char *label_get(const char *labels, const char *name)
{
        const char *n, *v;

        while ((labels = judge_label_next(labels, &n, &v)))
                if (streq(n, name))
                        return v;
        return NULL;
}

/* Returns the packed length, 0 when it does not fit. */
static size_t labels_pack(const char *const *labels, char *buf, size_t size)
{
        size_t len = 0;

        for (size_t i = 0; labels && labels[i]; i++) {
                size_t n = strlen(labels[i]) + 1;

                if (i % 2 == 0 && n == 1)
                        return 0;
                if (len + n + 1 > size)
                        return 0;
                memcpy(buf + len, labels[i], n);
                len += n;
        }
        buf[len++] = '\0';
        return len;
}

static bool rule_applies(const struct rule *r, const struct metric_desc *m, const char *labels)
{
        const char *v;

        if (!streq(r->metric, m->name))
                return false;
        if (!r->match_label)
                return true;
        v = label_get(labels, r->match_label);
        return v && streq(v, r->match_value);
}

static void series_find_rules(struct judge_series *s, const struct check_desc *check)
{
        for (size_t i = 0; i < check->n_rules; i++)
                if (rule_applies(&check->rules[i], s->metric, s->labels))
                        s->n_rules++;
        if (!s->n_rules)
                return;
        s->rules = judge_alloc(s->n_rules, sizeof(*s->rules));
        for (size_t i = 0, n = 0; i < check->n_rules; i++)
                if (rule_applies(&check->rules[i], s->metric, s->labels))
                        s->rules[n++].rule = &check->rules[i];
}

static const struct metric_desc *find_metric(const struct check_desc *check, const char *name)
{
        for (size_t i = 0; i < check->n_metrics; i++)
                if (streq(check->metrics[i].name, name))
                        return &check->metrics[i];
        return NULL;
}

/* Samples come in the same order every time: the search begins after the last one found. */
static struct judge_series *series_find(struct judge_instance *i, const struct metric_desc *m, const char *labels, size_t len)
{
        for (size_t k = 0; k < i->n_series; k++) {
                struct judge_series *s = &i->series[(i->hint + k) % i->n_series];

                if (s->metric == m && s->labels_len == len && memcmp(s->labels, labels, len) == 0) {
                        i->hint = (size_t)(s - i->series) + 1;
                        return s;
                }
        }
        return NULL;
}

static struct judge_series *series_add(struct judge *j, struct judge_instance *i, const struct metric_desc *m,
                                       const char *labels, size_t len)
{
        const char *component = label_get(labels, "component"), *kind;
        struct judge_series *s;
        char *copy;

        if (i->n_series >= SERIES_MAX)
                return NULL;
        if (i->n_series == i->size_series) {
                size_t size = i->size_series ? i->size_series * 2 : 8;

                i->series = realloc(i->series, size * sizeof(*i->series));
                if (!i->series)
                        abort();
                i->size_series = size;
        }
        s = &i->series[i->n_series++];
        *s = (struct judge_series){ .metric = m, .labels_len = (unsigned)len, .run = i->run };
        copy = judge_alloc(len, 1);
        memcpy(copy, labels, len);
        s->labels = copy;
        /* Events name parts of every kind: what the part is decides whether the host stands on it. */
        kind = label_get(labels, "component_kind");
        s->component = component ? judge_component_get(j, component, kind ? kind : i->kind, "") : i->component;
        series_find_rules(s, i->check);
        i->hint = i->n_series;
        return s;
}

void judge_run_begin(struct judge *j UNUSED, struct judge_instance *i)
{
        i->run++;
        i->hint = 0;
}

struct judge_series *judge_series_get(struct judge *j, struct judge_instance *i, const char *metric, const char *const *labels)
{
        const struct metric_desc *m = find_metric(i->check, metric);
        struct judge_series *s;
        char packed[LABELS_SIZE];
        size_t len = labels_pack(labels, packed, sizeof(packed));

        if (!m || !len)
                return NULL;
        s = series_find(i, m, packed, len);
        if (!s) {
                s = series_add(j, i, m, packed, len);
                if (s)
                        judge_restore_series(j, i, s);
        }
        return s;
}

bool judge_sample(struct judge *j, struct judge_instance *i, const char *metric, double value, const char *const *labels,
                  int64_t now_us)
{
        struct judge_series *s = isfinite(value) ? judge_series_get(j, i, metric, labels) : NULL;

        if (!s)
                return false;
        s->value = value;
        s->time_us = now_us;
        s->run = i->run;
        return true;
}

/* The value of the device's own limit: the metric of that name in the same instance with the same labels. */
static double limit_value(const struct judge_instance *i, const struct judge_series *s, const char *metric)
{
        for (size_t k = 0; k < i->n_series; k++) {
                const struct judge_series *l = &i->series[k];

                if (l->labels_len == s->labels_len && memcmp(l->labels, s->labels, s->labels_len) == 0 &&
                    streq(l->metric->name, metric))
                        return l->value;
        }
        return NAN;
}

static void series_step(struct judge *j, struct judge_instance *i, struct judge_series *s, int64_t now_us)
{
        for (unsigned k = 0; k < s->n_rules; k++) {
                struct judge_rule *r = &s->rules[k];
                double limit = r->rule->limit_metric ? limit_value(i, s, r->rule->limit_metric) : NAN;

                int64_t until = r->state.until_us;

                rule_step(r->rule, &r->state, s->value, limit, now_us);
                if (until && until <= now_us)
                        judge_tell(j, s->component->name, "what was accepted for a while of rule %s is judged again", r->rule->name);
                s->component->dirty = true;
        }
}

/* What a disk's raw counters say together (facts: src/scorecard.c). Only spinning disks: the card was fitted on them. */
static void derive_scores(struct judge *j, struct judge_instance *i, int64_t now_us)
{
        struct scorecard_input in = { NAN, NAN, NAN, NAN };
        const struct {
                const char *metric;
                double *value;
        } from[] = {
                { "disk_reallocated_sectors", &in.raw_5 },
                { "disk_reported_uncorrectable_errors_total", &in.raw_187 },
                { "disk_pending_sectors", &in.raw_197 },
                { "disk_offline_uncorrectable_sectors", &in.raw_198 },
        };
        double powered_on_s = NAN, elapsed_h, score;
        const char *medium;
        bool platters = false;

        if (!find_metric(i->check, "disk_failure_score"))
                return;
        for (size_t k = 0; k < i->n_series; k++) {
                const struct judge_series *s = &i->series[k];

                if (s->run != i->run)
                        continue;
                medium = label_get(s->labels, "medium");
                platters |= medium && streq(medium, "platters");
                for (size_t m = 0; m < ARRAY_LEN(from); m++)
                        if (streq(s->metric->name, from[m].metric))
                                *from[m].value = s->value;
                if (streq(s->metric->name, "disk_power_on_seconds_total"))
                        powered_on_s = s->value;
        }
        if (!platters || (isnan(in.raw_5) && isnan(in.raw_187) && isnan(in.raw_197) && isnan(in.raw_198)))
                return;
        elapsed_h = i->powered.at_us ? (double)(now_us - i->powered.at_us) / (3600.0 * USEC_PER_SEC) : 0;
        i->powered.at_us = now_us;
        score = scorecard_step(&i->scorecard, &in, powered_clock_step(&i->powered, powered_on_s / 3600, elapsed_h, elapsed_h));
        judge_sample(j, i, "disk_failure_score", score, NULL, now_us);
        judge_sample(j, i, "disk_failure_probability_30d_ratio", scorecard_probability(score), NULL, now_us);
}

static void series_drop(struct judge_instance *i, size_t k)
{
        i->series[k].component->dirty = true;
        judge_series_done(&i->series[k]);
        memmove(&i->series[k], &i->series[k + 1], (i->n_series - k - 1) * sizeof(*i->series));
        i->n_series--;
        i->hint = 0;
}

static bool is_standby(const struct judge_instance *i)
{
        for (size_t k = 0; k < i->n_series; k++)
                if (i->series[k].run == i->run && streq(i->series[k].metric->name, "disk_standby"))
                        return i->series[k].value != 0;
        return false;
}

/* What two good runs in a row did not mention is no longer there. A sleeping disk says nothing and keeps all. */
static void drop_missing(struct judge *j, struct judge_instance *i, int64_t now_us)
{
        bool remembered = false;

        for (size_t k = i->n_series; k-- > 0;) {
                struct judge_series *s = &i->series[k];

                if (i->run - s->run < 2)
                        continue;
                if (s->n_rules && !remembered) { /* it may come back, and what was accepted of it still is */
                        judge_remember(j, i, now_us);
                        remembered = true;
                }
                for (unsigned r = 0; r < s->n_rules; r++)
                        if (s->rules[r].state.level > LEVEL_OK)
                                judge_tell(j, s->component->name, "%s %s no longer reports %s; its level %s ends", i->check->name, i->name,
                                     s->metric->name, level_name(s->rules[r].state.level));
                series_drop(i, k);
        }
}

static void topology_read(struct judge *j, const struct judge_instance *i)
{
        struct topology *t = topology_new();

        if (!t)
                abort();
        for (size_t k = 0; k < i->n_series; k++) {
                const char *pairs[33], *labels = i->series[k].labels;
                size_t n = 0;

                while (n + 2 < ARRAY_LEN(pairs) && (labels = judge_label_next(labels, &pairs[n], &pairs[n + 1])))
                        n += 2;
                pairs[n] = NULL;
                /* A kind or role that this version does not know is passed over. */
                if (i->series[k].run == i->run)
                        topology_add_sample(t, i->series[k].metric->name, pairs);
        }
        topology_free(j->topology);
        j->topology = t;
        for (struct judge_component *c = j->components; c; c = c->next)
                c->dirty = true;
}

/* "ok" without a single value is no news that all is well: where there were values before, or from a check that can have none (a
 * plugin without a catalogue that works by now). */
static bool says_nothing(const struct judge_instance *i)
{
        for (size_t k = 0; k < i->n_series; k++)
                if (i->series[k].run == i->run)
                        return false;
        return i->n_series > 0 || i->check->n_metrics == 0;
}

/* What the rules show as {label:output}. Rewritten only when it changes: most say nothing, ever. */
static void keep_said(struct judge_instance *i, const char *text)
{
        if (i->said ? streq(i->said, text) : !*text)
                return;
        free(i->said);
        i->said = *text ? judge_strdup(text) : NULL;
}

int64_t judge_due_us(const struct judge_instance *i)
{
        int64_t due = INT64_MAX;

        for (size_t k = 0; k < i->n_series; k++)
                for (size_t r = 0; r < i->series[k].n_rules; r++)
                        due = MIN(due, rule_due_us(i->series[k].rules[r].rule, &i->series[k].rules[r].state));
        return due;
}

void judge_run_end(struct judge *j, struct judge_instance *i, enum verdict verdict, const char *why, int64_t now_us)
{
        bool topology = streq(i->check->name, "topology");

        if (verdict == VERDICT_OK && !i->pushed && says_nothing(i)) {
                verdict = VERDICT_FAILED;
                why = "the run ended well but gave no value at all";
        }

        i->verdict = verdict;
        i->end_us = now_us;
        snprintf(i->why, sizeof(i->why), "%s", why);
        i->component->dirty = true;
        if (verdict == VERDICT_OK) {
                keep_said(i, why);
                i->was_ok = true;
                i->failures = 0;
                i->bad_us = 0;
                i->standby = is_standby(i);
                /* Asleep is an answer, but no news: what we know keeps its age. */
                if (!i->standby || !i->ok_us)
                        i->ok_us = now_us;
                if (!i->standby)
                        i->read_us = now_us;
        } else {
                i->failures++;
                if (!i->bad_us)
                        i->bad_us = now_us;
        }
        derive_scores(j, i, now_us);
        for (size_t k = 0; k < i->n_series; k++)
                if (i->series[k].run == i->run)
                        series_step(j, i, &i->series[k], now_us);
        if (verdict == VERDICT_OK && !i->standby)
                drop_missing(j, i, now_us);
        if (verdict == VERDICT_OK && topology)
                topology_read(j, i);
        judge_settle(j, now_us);
}

void judge_stuck(struct judge *j, struct judge_instance *i, bool stuck, int64_t now_us)
{
        i->stuck = stuck;
        i->component->dirty = true;
        judge_settle(j, now_us);
}

void judge_count(struct judge *j, struct judge_instance *i, const char *metric, const char *const *labels, int64_t when_us)
{
        struct judge_series *s = judge_series_get(j, i, metric, labels);

        if (!s)
                return;
        /* The time between two events passes for the rules even when both are told at once, from a log: what was over in
         * between is over. For the first, 0 is the baseline, so that it is growth. */
        if (s->time_us && when_us - s->time_us > USEC_PER_MINUTE)
                series_step(j, i, s, s->time_us + USEC_PER_MINUTE);
        series_step(j, i, s, when_us);
        s->value++;
        s->time_us = when_us;
        s->run = i->run;
        series_step(j, i, s, when_us);
}

void judge_counted(struct judge *j, struct judge_instance *i, int64_t now_us)
{
        /* What happened long ago may have left its window since. */
        for (size_t k = 0; k < i->n_series; k++)
                series_step(j, i, &i->series[k], now_us);
        judge_settle(j, now_us);
}

int judge_max_age_s(const struct judge_instance *i)
{
        return i->check->max_age_s ? i->check->max_age_s : 2 * i->check->interval_s + i->check->deadline_s;
}

void judge_tick(struct judge *j, int64_t now_us)
{
        /* Windows and calm move in minutes; ages are looked at in judge_settle(). */
        bool windows = now_us - j->tick_us >= USEC_PER_MINUTE;

        for (struct judge_instance *i = j->instances; i; i = i->next) {
                if (!i->pushed && now_us - MAX(i->ok_us, i->seen_us) > judge_max_age_s(i) * USEC_PER_SEC)
                        i->component->dirty = true;
                for (size_t k = 0; windows && i->pushed && k < i->n_series; k++)
                        series_step(j, i, &i->series[k], now_us);
        }
        if (windows)
                j->tick_us = now_us;
        judge_expected_tick(j, now_us);
        for (struct judge_component *c = j->components; c; c = c->next)
                c->dirty |= c->held;
        judge_settle(j, now_us);
}
