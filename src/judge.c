/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Instances, series and runs: what was measured. Levels are in judge_level.c. Called by the brain's
 * loop for every line of a probe. */

#include "judge_private.h"

#include <stdarg.h>
#define SERIES_MAX 4096   /* of one instance */
#define LABELS_SIZE 1536  /* of one series, packed */
#define COMPONENTS_MAX 4096

static const char *const verdict_names[VERDICT_MAX] = {
        [VERDICT_PENDING] = "pending",
        [VERDICT_OK] = "ok",
        [VERDICT_NODATA] = "nodata",
        [VERDICT_DENIED] = "denied",
        [VERDICT_FAILED] = "failed",
        [VERDICT_TIMEOUT] = "timeout",
};

const char *verdict_name(enum verdict verdict)
{
        assert(verdict < VERDICT_MAX);
        return verdict_names[verdict];
}

int verdict_from_name(const char *name)
{
        for (int i = VERDICT_OK; i < VERDICT_MAX; i++)
                if (streq(verdict_names[i], name))
                        return i;
        return -EINVAL;
}

void *judge_alloc(size_t n, size_t size)
{
        void *p = calloc(n ? n : 1, size);

        if (!p)
                abort();
        return p;
}

char *judge_strdup(const char *s)
{
        char *p = strdup(s);

        if (!p)
                abort();
        return p;
}

struct judge *judge_new(const struct catalog *catalog, const struct judge_callbacks *callbacks)
{
        struct judge *j = judge_alloc(1, sizeof(*j));

        j->catalog = catalog;
        j->callbacks = *callbacks;
        judge_health_unread(&j->health);
        return j;
}

void judge_series_done(struct judge_series *s)
{
        for (unsigned i = 0; i < s->n_rules; i++)
                rule_state_done(&s->rules[i].state);
        free(s->rules);
        free((char *)s->labels);
}

void judge_instance_free(struct judge_instance *i)
{
        for (size_t k = 0; k < i->n_series; k++)
                judge_series_done(&i->series[k]);
        free(i->series);
        scorecard_state_done(&i->scorecard);
        free(i->name);
        free(i->id);
        free(i->kind);
        free(i->said);
        free(i);
}

struct judge *judge_free(struct judge *j)
{
        if (!j)
                return NULL;
        while (j->instances) {
                struct judge_instance *next = j->instances->next;

                judge_instance_free(j->instances);
                j->instances = next;
        }
        while (j->components) {
                struct judge_component *c = j->components;

                j->components = c->next;
                free(c->name);
                free(c->kind);
                free(c->id);
                free(c);
        }
        while (j->pending) {
                struct pending_state *p = j->pending;

                j->pending = p->next;
                json_decref(p->value);
                free(p->key);
                free(p);
        }
        judge_expected_free(j);
        topology_free(j->topology);
        free(j);
        return NULL;
}

const struct check_desc *judge_check(const struct judge *j, const char *name)
{
        for (size_t i = 0; i < j->catalog->n_checks; i++)
                if (streq(j->catalog->checks[i].name, name))
                        return &j->catalog->checks[i];
        return NULL;
}

static void set_string(char **p, const char *s)
{
        if (streq(*p, s))
                return;
        free(*p);
        *p = judge_strdup(s);
}

struct judge_component *judge_component_get(struct judge *j, const char *name, const char *kind, const char *id)
{
        struct judge_component **p, *c;
        size_t n = 0;

        for (p = &j->components; *p; p = &(*p)->next, n++)
                if (streq((*p)->name, name)) {
                        if (*id && !*(*p)->id)
                                set_string(&(*p)->id, id);
                        if (*kind && !*(*p)->kind)
                                set_string(&(*p)->kind, kind);
                        return *p;
                }
        /* Past the limit everything falls into one, which is then judged by its worst part: no level is lost. */
        if (n >= COMPONENTS_MAX)
                return j->components;
        *p = c = judge_alloc(1, sizeof(*c));
        c->name = judge_strdup(name);
        c->kind = judge_strdup(kind);
        c->id = judge_strdup(id);
        return c;
}

struct judge_instance *judge_find(struct judge *j, const struct check_desc *check, const char *name)
{
        for (struct judge_instance *i = j->instances; i; i = i->next)
                if (i->check == check && streq(i->name, name))
                        return i;
        return NULL;
}

void judge_tell(struct judge *j, const char *component, const char *fmt, ...)
{
        char text[512];
        va_list ap;

        va_start(ap, fmt);
        vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        if (j->callbacks.event)
                j->callbacks.event(j->callbacks.data, component, text);
}

void judge_discovery_begin(struct judge *j, const struct check_desc *check)
{
        for (struct judge_instance *i = j->instances; i; i = i->next)
                if (i->check == check)
                        i->present = i->pushed;
}

/* Another part in the same place (a disk swapped): nothing that was known of the old one holds. */
static void instance_reset(struct judge *j, struct judge_instance *i)
{
        judge_tell(j, i->component->name, "%s: another part is in its place now (%s)", i->name, i->id);
        for (size_t k = 0; k < i->n_series; k++)
                judge_series_done(&i->series[k]);
        i->n_series = i->hint = 0;
        scorecard_state_done(&i->scorecard);
        i->scorecard = (struct scorecard_state){ 0 };
        i->powered = (struct powered_clock){ 0 };
        i->verdict = VERDICT_PENDING;
        i->was_ok = i->standby = false;
        i->failures = 0;
        i->bad_us = i->ok_us = i->read_us = i->end_us = 0;
}

struct judge_instance *judge_discovery_add(struct judge *j, const struct check_desc *check, const char *name,
                                           const char *component, const char *id, const char *kind, int64_t now_us)
{
        struct judge_instance **p = &j->instances, *i = judge_find(j, check, name);

        if (!i) {
                while (*p)
                        p = &(*p)->next;
                *p = i = judge_alloc(1, sizeof(*i));
                i->check = check;
                i->name = judge_strdup(name);
                i->id = judge_strdup(id);
                i->kind = judge_strdup(kind);
                i->seen_us = now_us;
                i->component = judge_component_get(j, component, kind, id);
                judge_restore(j, i, now_us);
        } else {
                struct judge_component *c = judge_component_get(j, component, kind, id);

                if (c != i->component)
                        i->component->dirty = true;
                i->component = c;
                if (*id && *i->id && !streq(i->id, id)) {
                        set_string(&i->id, id);
                        set_string(&i->component->id, id);
                        instance_reset(j, i);
                        judge_restore(j, i, now_us);
                } else if (*id) {
                        set_string(&i->id, id);
                }
        }
        if (i->gone_us) {
                judge_tell(j, i->component->name, "%s: %s is back", check->name, name);
                i->gone_us = 0;
                i->missed = false;
        }
        i->present = true;
        i->component->dirty = true;
        judge_expected_found(j, i);
        return i;
}

void judge_discovery_end(struct judge *j, const struct check_desc *check, int64_t now_us)
{
        judge_expected_looked(j, check);
        for (struct judge_instance *i = j->instances; i; i = i->next) {
                if (i->check != check || i->present || i->gone_us)
                        continue;
                i->gone_us = now_us;
                i->component->dirty = true;
                if (i->was_ok)
                        judge_tell(j, i->component->name, "%s: %s is no longer there", check->name, i->name);
        }
        judge_settle(j, now_us);
}

struct judge_instance *judge_pushed(struct judge *j, const struct check_desc *check, const char *name, const char *component,
                                    const char *kind, int64_t now_us)
{
        struct judge_instance *i = judge_find(j, check, name);

        if (i)
                return i;
        i = judge_discovery_add(j, check, name, component, "", kind, now_us);
        i->pushed = i->was_ok = true;
        i->verdict = VERDICT_OK;
        i->ok_us = i->end_us = now_us;
        judge_restore(j, i, now_us);
        return i;
}

/* --- series ------------------------------------------------------------------------------ */

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

static void series_step(struct judge_instance *i, struct judge_series *s, int64_t now_us)
{
        for (unsigned k = 0; k < s->n_rules; k++) {
                struct judge_rule *r = &s->rules[k];
                double limit = r->rule->limit_metric ? limit_value(i, s, r->rule->limit_metric) : NAN;

                rule_step(r->rule, &r->state, s->value, limit, now_us);
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
static void drop_missing(struct judge *j, struct judge_instance *i)
{
        for (size_t k = i->n_series; k-- > 0;) {
                struct judge_series *s = &i->series[k];

                if (i->run - s->run < 2)
                        continue;
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
                        series_step(i, &i->series[k], now_us);
        if (verdict == VERDICT_OK && !i->standby)
                drop_missing(j, i);
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
                series_step(i, s, s->time_us + USEC_PER_MINUTE);
        series_step(i, s, when_us);
        s->value++;
        s->time_us = when_us;
        s->run = i->run;
        series_step(i, s, when_us);
}

void judge_counted(struct judge *j, struct judge_instance *i, int64_t now_us)
{
        /* What happened long ago may have left its window since. */
        for (size_t k = 0; k < i->n_series; k++)
                series_step(i, &i->series[k], now_us);
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
                        series_step(i, &i->series[k], now_us);
        }
        if (windows)
                j->tick_us = now_us;
        judge_expected_tick(j, now_us);
        for (struct judge_component *c = j->components; c; c = c->next)
                c->dirty |= c->held;
        judge_settle(j, now_us);
}

int judge_accept(struct judge *j, const char *component, const char *rule, int64_t now_us)
{
        bool known = false;
        int n = 0;

        for (struct judge_instance **p = &j->instances, *i; (i = *p);) {
                bool mine = streq(i->component->name, component);

                known |= mine;
                if (mine && i->gone_us && (!rule || streq(rule, "gone"))) {
                        *p = i->next;
                        i->component->dirty = true;
                        judge_instance_free(i);
                        n++;
                        continue;
                }
                for (size_t k = 0; k < i->n_series; k++) {
                        struct judge_series *s = &i->series[k];

                        if (!streq(s->component->name, component))
                                continue;
                        known = true;
                        for (unsigned r = 0; r < s->n_rules; r++)
                                if ((!rule || streq(rule, s->rules[r].rule->name)) && s->rules[r].state.level > LEVEL_OK &&
                                    rule_accept(s->rules[r].rule, &s->rules[r].state, now_us))
                                        n++;
                        s->component->dirty = true;
                }
                p = &i->next;
        }
        if (n)
                judge_tell(j, component, "%d %s accepted as it is", n, n == 1 ? "finding" : "findings");
        judge_settle(j, now_us);
        return known ? n : -ENOENT;
}

const struct judge_component *judge_components(const struct judge *j)
{
        return j->components;
}

const struct judge_instance *judge_instances(const struct judge *j)
{
        return j->instances;
}

struct health_result judge_health(const struct judge *j)
{
        return j->health;
}
