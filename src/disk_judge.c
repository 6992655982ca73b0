/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Steps the disk rules for many disks. Called by veillectl replay for every drive-day, millions of times: what is
 * the same for all disks is looked up once, and states are kept only where there is something to remember. */

#include "disk_judge.h"

#include "disk_metrics.h"

#define SAMPLES_MAX 256 /* judged values in one reading; more are not looked at */
#define SERIES_MAX 1024 /* rules with a state, of one disk */
#define RULES_MAX 64    /* of one metric */
#define NAMES 256       /* slots of the table from metric name to rules; a power of two */

struct disk_series {
        uint16_t rule;
        uint32_t labels; /* hash of the label values: attribute 5 is another series than 197 */
        struct rule_state state;
};

/* Metric names in a reading are string constants, so that a pointer finds them again. */
struct name_slot {
        const char *name;
        int16_t metric; /* index into metrics; -1: no rule reads it */
};

struct metric_rules {
        const char *name;
        bool is_limit; /* some rule reads its limit here */
        uint8_t n;
        uint16_t rules[RULES_MAX];
};

struct sample {
        int16_t metric;
        uint32_t labels;
        uint64_t matches; /* bit k: rule k of the metric applies to these labels */
        double value;
};

struct disk_judge {
        const struct rule *rules;
        struct name_slot names[NAMES];
        struct metric_rules *metrics;
        size_t n_metrics;
        struct sample samples[SAMPLES_MAX];
        size_t n_samples;
        uint64_t limit_hits;
};

static struct metric_rules *metric_get(struct disk_judge *j, const char *name)
{
        for (size_t i = 0; i < j->n_metrics; i++)
                if (streq(j->metrics[i].name, name))
                        return &j->metrics[i];
        j->metrics[j->n_metrics].name = name;
        return &j->metrics[j->n_metrics++];
}

struct disk_judge *disk_judge_new(const struct rule *rules, size_t n)
{
        struct disk_judge *j = calloc(1, sizeof(*j));

        if (!j)
                abort();
        j->rules = rules;
        j->metrics = calloc(2 * n, sizeof(*j->metrics));
        if (!j->metrics)
                abort();
        for (size_t i = 0; i < n; i++) {
                struct metric_rules *m = metric_get(j, rules[i].metric);

                assert(m->n < RULES_MAX);
                m->rules[m->n++] = (uint16_t)i;
                if (rules[i].limit_metric)
                        metric_get(j, rules[i].limit_metric)->is_limit = true;
        }
        return j;
}

struct disk_judge *disk_judge_free(struct disk_judge *j)
{
        if (j)
                free(j->metrics);
        free(j);
        return NULL;
}

uint64_t disk_judge_limit_hits(const struct disk_judge *j)
{
        return j->limit_hits;
}

static int metric_index(struct disk_judge *j, const char *name)
{
        size_t i = ((uintptr_t)name * 0x9e3779b97f4a7c15u) >> 56;

        for (size_t probes = 0; probes < NAMES; probes++, i = (i + 1) & (NAMES - 1)) {
                if (j->names[i].name == name)
                        return j->names[i].metric;
                if (!j->names[i].name) {
                        j->names[i] = (struct name_slot){ name, -1 };
                        for (size_t m = 0; m < j->n_metrics; m++)
                                if (streq(j->metrics[m].name, name))
                                        j->names[i].metric = (int16_t)m;
                        return j->names[i].metric;
                }
        }
        return -1;
}

static uint32_t hash_labels(const char *const *labels)
{
        uint32_t h = 2166136261u; /* FNV-1a */

        for (; *labels; labels++)
                for (const char *p = *labels;; p++) {
                        h = (h ^ (uint8_t)*p) * 16777619u;
                        if (!*p)
                                break;
                }
        return h;
}

static bool labels_match(const struct rule *rule, const char *const *labels)
{
        if (!rule->match_label)
                return true;
        for (; *labels; labels += 2)
                if (streq(labels[0], rule->match_label))
                        return streq(labels[1], rule->match_value);
        return false;
}

static void collect(void *data, const char *metric, double value, const char *const *labels)
{
        struct disk_judge *j = data;
        int m = metric_index(j, metric);
        struct sample *s;

        if (m < 0)
                return;
        if (j->n_samples == SAMPLES_MAX) {
                j->limit_hits++;
                return;
        }
        s = &j->samples[j->n_samples++];
        *s = (struct sample){ .metric = (int16_t)m, .value = value, .labels = hash_labels(labels) };
        for (unsigned k = 0; k < j->metrics[m].n; k++)
                if (labels_match(&j->rules[j->metrics[m].rules[k]], labels))
                        s->matches |= UINT64_C(1) << k;
}

/* The value of the limit metric for these labels; a limit of the whole disk has none. */
static double find_limit(const struct disk_judge *j, const struct rule *rule, uint32_t labels)
{
        static const char *const none[] = { NULL };
        uint32_t whole = hash_labels(none);

        if (!rule->limit_metric)
                return NAN;
        for (size_t i = 0; i < j->n_samples; i++) {
                const struct sample *s = &j->samples[i];

                if (j->metrics[s->metric].is_limit && (s->labels == labels || s->labels == whole) &&
                    streq(j->metrics[s->metric].name, rule->limit_metric))
                        return s->value;
        }
        return NAN;
}

static struct disk_series *find_series(struct disk_state *disk, uint16_t rule, uint32_t labels)
{
        for (size_t i = 0; i < disk->n_series; i++)
                if (disk->series[i].rule == rule && disk->series[i].labels == labels)
                        return &disk->series[i];
        return NULL;
}

static void keep_series(struct disk_state *disk, uint16_t rule, uint32_t labels, const struct rule_state *state)
{
        if ((disk->n_series & (disk->n_series - 1)) == 0) {
                size_t size = disk->n_series ? 2 * disk->n_series : 1;
                struct disk_series *grown = realloc(disk->series, size * sizeof(*grown));

                if (!grown)
                        abort();
                disk->series = grown;
        }
        disk->series[disk->n_series++] = (struct disk_series){ rule, labels, *state };
}

/* Nothing in it that a fresh state would not also know: stepping on from zero gives the same. */
static bool is_forgettable(const struct rule *rule, const struct rule_state *state)
{
        return rule->kind == RULE_LIMIT && !rule->after_good && state->level == LEVEL_OK && state->pending == LEVEL_OK;
}

static void step_rule(struct disk_judge *j, struct disk_state *disk, uint16_t rule_index, const struct sample *s, int64_t now_us)
{
        const struct rule *rule = &j->rules[rule_index];
        struct disk_series *series = find_series(disk, rule_index, s->labels);
        double limit = find_limit(j, rule, s->labels);
        struct rule_state fresh = {};

        if (series) {
                rule_step(rule, &series->state, s->value, limit, now_us);
                if (is_forgettable(rule, &series->state)) {
                        rule_state_done(&series->state);
                        *series = disk->series[--disk->n_series];
                }
                return;
        }
        rule_step(rule, &fresh, s->value, limit, now_us);
        if (is_forgettable(rule, &fresh))
                return;
        if (disk->n_series < SERIES_MAX) {
                keep_series(disk, rule_index, s->labels, &fresh);
                return;
        }
        rule_state_done(&fresh);
        j->limit_hits++;
}

/* The score is derived, as in the daemon: no report holds it. */
static void add_score(struct disk_judge *j, struct disk_state *disk, const struct disk_report *report, int64_t now_us)
{
        static const char metric[] = SCORECARD_METRIC;
        static const char *const none[] = { NULL };
        const struct disk_counters *c = &report->counters;
        const struct scorecard_input in = { c->reallocated, c->reported_uncorrectable, c->pending, c->offline_uncorrectable };
        double score;

        disk->probability = NAN;
        if (report->protocol != DISK_ATA || !disk_report_is_hdd(report))
                return;
        if (isnan(in.raw_5) && isnan(in.raw_187) && isnan(in.raw_197) && isnan(in.raw_198))
                return;
        score = scorecard_step(&disk->scorecard, &in, now_us);
        disk->probability = scorecard_probability(score);
        collect(j, metric, score, none);
}

bool disk_judge_step(struct disk_judge *j, struct disk_state *disk, const struct disk_report *report, int64_t now_us)
{
        const struct disk_series *worst = NULL;
        enum level before = disk->level;

        j->n_samples = 0;
        disk_report_emit(report, true, collect, j);
        add_score(j, disk, report, now_us);
        for (size_t i = 0; i < j->n_samples; i++) {
                const struct sample *s = &j->samples[i];
                const struct metric_rules *m = &j->metrics[s->metric];

                disk->judged |= m->n > 0;
                for (unsigned k = 0; k < m->n; k++)
                        if (s->matches >> k & 1)
                                step_rule(j, disk, m->rules[k], s, now_us);
        }
        /* Of equals the first in the table: it is ordered by what says most. */
        for (size_t i = 0; i < disk->n_series; i++) {
                const struct disk_series *s = &disk->series[i];

                if (s->state.level > (worst ? worst->state.level : LEVEL_OK) ||
                    (worst && s->state.level == worst->state.level && s->rule < worst->rule))
                        worst = s;
        }
        disk->level = worst ? worst->state.level : LEVEL_OK;
        disk->rule = worst ? &j->rules[worst->rule] : NULL;
        return disk->level != before;
}

/* The second pass of a reading, for the labels that the text names. */
struct wanted {
        const struct rule *rule;
        const struct rule_state *state;
        uint32_t labels;
        const char *component;
        char *buf;
        size_t size;
        bool found;
};

static void write_text(void *data, const char *metric, double value UNUSED, const char *const *labels)
{
        struct wanted *w = data;

        if (w->found || !streq(metric, w->rule->metric) || hash_labels(labels) != w->labels)
                return;
        rule_text(w->rule, w->state, w->component, labels, w->buf, w->size);
        w->found = true;
}

void disk_judge_why(struct disk_judge *j, const struct disk_state *disk, const struct disk_report *report,
                    const char *component, char *buf, size_t size)
{
        char signs[512], percent[16];
        const char *const labels[] = { "signs", signs, "percent", percent, NULL };
        struct wanted w = { .rule = disk->rule, .component = component, .buf = buf, .size = size };

        assert(size > 0);
        buf[0] = '\0';
        for (size_t i = 0; disk->rule && i < disk->n_series && !w.state; i++)
                if (&j->rules[disk->series[i].rule] == disk->rule && disk->series[i].state.level == disk->level) {
                        w.state = &disk->series[i].state;
                        w.labels = disk->series[i].labels;
                }
        if (!w.state)
                return;
        if (streq(disk->rule->metric, SCORECARD_METRIC)) {
                scorecard_explain(&disk->scorecard, signs, sizeof(signs));
                snprintf(percent, sizeof(percent), "%.2g", 100 * disk->probability);
                rule_text(disk->rule, w.state, component, labels, buf, size);
                return;
        }
        disk_report_emit(report, true, write_text, &w);
        if (!w.found) /* seen earlier, not reported today */
                rule_text(disk->rule, w.state, component, NULL, buf, size);
}

void disk_state_done(struct disk_state *disk)
{
        for (size_t i = 0; i < disk->n_series; i++)
                rule_state_done(&disk->series[i].state);
        free(disk->series);
        scorecard_state_done(&disk->scorecard);
        *disk = (struct disk_state){};
}
