/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Stepping rules: pure functions of (rule, state, value, now). Called by the brain for every sample
 * and by the offline replay; nothing here reads a clock or fails. */

#include "rule.h"

#include <inttypes.h>

/* The window of RATE and FORECAST in this many buckets: a compromise between memory
 * (12 bytes each) and how sharply old values leave the window (1/24 of it). */
#define WINDOW_BUCKETS 24

struct rule_window {
        int64_t bucket_us[WINDOW_BUCKETS]; /* start of the bucket; 0 = empty */
        double sum[WINDOW_BUCKETS];        /* RATE: growth in it; FORECAST: sum of values */
        unsigned n[WINDOW_BUCKETS];
};

static const char *const kind_names[RULE_KIND_MAX] = {
        [RULE_LIMIT] = "limit",
        [RULE_CHANGE] = "change",
        [RULE_RATE] = "rate",
        [RULE_FORECAST] = "forecast",
};

static const char *const evidence_names[EVIDENCE_MAX] = {
        [EVIDENCE_SMART] = "smart",
        [EVIDENCE_KERNEL] = "kernel",
        [EVIDENCE_RAID] = "raid",
        [EVIDENCE_MEMORY] = "memory",
        [EVIDENCE_SENSOR] = "sensor",
        [EVIDENCE_POWER] = "power",
        [EVIDENCE_LATENCY] = "latency",
        [EVIDENCE_FILESYSTEM] = "filesystem",
        [EVIDENCE_NETWORK] = "network",
        [EVIDENCE_HOST] = "host",
        [EVIDENCE_SERVICE] = "service",
        [EVIDENCE_SILENCE] = "silence",
};

static int name_index(const char *const names[], int n, const char *name)
{
        for (int i = 0; i < n; i++)
                if (streq(names[i], name))
                        return i;
        return -EINVAL;
}

const char *rule_kind_name(enum rule_kind kind)
{
        assert(kind < RULE_KIND_MAX);
        return kind_names[kind];
}

int rule_kind_from_name(const char *name)
{
        return name_index(kind_names, RULE_KIND_MAX, name);
}

const char *evidence_name(enum evidence evidence)
{
        assert(evidence < EVIDENCE_MAX);
        return evidence_names[evidence];
}

int evidence_from_name(const char *name)
{
        return name_index(evidence_names, EVIDENCE_MAX, name);
}

static int64_t bucket_width_us(const struct rule *rule)
{
        return MAX(rule->window_s * USEC_PER_SEC / WINDOW_BUCKETS, 1);
}

static void window_add(const struct rule *rule, struct rule_state *state, double amount, int64_t now_us)
{
        int64_t width = bucket_width_us(rule);
        /* Times before this boot are negative: keep the division exact and the slot positive. */
        int64_t number = now_us / width - (now_us % width < 0);
        int64_t start = number * width + 1; /* +1: never 0, which means empty */
        size_t slot = (size_t)((number % WINDOW_BUCKETS + WINDOW_BUCKETS) % WINDOW_BUCKETS);
        struct rule_window *w = state->window;

        if (!w) {
                w = state->window = calloc(1, sizeof(*w));
                if (!w)
                        abort(); /* out of memory in the brain: state is on disk, systemd restarts us */
        }
        if (w->bucket_us[slot] != start) {
                w->bucket_us[slot] = start;
                w->sum[slot] = 0;
                w->n[slot] = 0;
        }
        w->sum[slot] += amount;
        w->n[slot]++;
}

static bool bucket_live(const struct rule *rule, const struct rule_window *w, size_t i, int64_t now_us)
{
        return w->bucket_us[i] && w->bucket_us[i] > now_us - rule->window_s * USEC_PER_SEC && w->bucket_us[i] <= now_us + 1;
}

static double window_sum(const struct rule *rule, const struct rule_window *w, int64_t now_us)
{
        double sum = 0;

        if (!w)
                return 0;
        for (size_t i = 0; i < WINDOW_BUCKETS; i++)
                if (bucket_live(rule, w, i, now_us))
                        sum += w->sum[i];
        return sum;
}

/* Least squares line through the bucket means; seconds until it reaches rule->limit, INFINITY if it
 * moves away or there is too little to say (fewer than a quarter of the buckets). */
static double window_forecast(const struct rule *rule, const struct rule_window *w, double value, int64_t now_us)
{
        double n = 0, st = 0, sv = 0, stt = 0, stv = 0;

        for (size_t i = 0; i < WINDOW_BUCKETS; i++) {
                double t, v;

                if (!bucket_live(rule, w, i, now_us))
                        continue;
                t = (double)(w->bucket_us[i] - now_us) / USEC_PER_SEC;
                v = w->sum[i] / w->n[i];
                n++;
                st += t;
                sv += v;
                stt += t * t;
                stv += t * v;
        }
        double den = n * stt - st * st;
        double slope = den > 0 ? (n * stv - st * sv) / den : 0;
        double distance = rule->limit - value;

        if (distance == 0)
                return 0;
        if (n * 4 < WINDOW_BUCKETS || slope == 0 || (slope > 0) != (distance > 0))
                return INFINITY;
        return distance / slope;
}

json_t *rule_window_save(const struct rule_state *state, int64_t offset_us)
{
        const struct rule_window *w = state->window;
        json_t *doc = json_array();

        for (size_t i = 0; w && i < WINDOW_BUCKETS; i++)
                if (w->bucket_us[i] && w->n[i])
                        json_array_append_new(doc, json_pack("[If]", (json_int_t)w->bucket_us[i] + offset_us, w->sum[i]));
        return doc;
}

void rule_window_load(const struct rule *rule, struct rule_state *state, const json_t *doc, int64_t offset_us, int64_t now_us)
{
        const json_t *row;
        size_t i;

        json_array_foreach(doc, i, row) {
                int64_t when = json_integer_value(json_array_get(row, 0)) - offset_us;
                double amount = json_number_value(json_array_get(row, 1));

                if (i < WINDOW_BUCKETS && when <= now_us && when > now_us - rule->window_s * USEC_PER_SEC && isfinite(amount) &&
                    amount > 0)
                        window_add(rule, state, amount, when);
        }
}

static bool hits(const struct rule *rule, double measure, double limit)
{
        if (isnan(limit))
                return false;
        return rule->direction == RULE_ABOVE ? measure >= limit : measure <= limit;
}

/* The level the measure stands for, before hold, calm and hysteresis; *ret_limit is the limit it hit. */
static enum level judge(const struct rule *rule, double measure, double limit_value, double *ret_limit)
{
        *ret_limit = NAN;
        if (rule->limit_metric && isfinite(limit_value) && limit_value != 0 && hits(rule, measure, limit_value)) {
                *ret_limit = limit_value;
                return rule->limit_level ? rule->limit_level : LEVEL_CRITICAL;
        }
        const struct {
                double limit;
                enum level level;
        } steps[] = { { rule->critical, LEVEL_CRITICAL }, { rule->warning, LEVEL_WARNING }, { rule->notice, LEVEL_NOTICE } };
        for (size_t i = 0; i < ARRAY_LEN(steps); i++)
                if (hits(rule, measure, steps[i].limit)) {
                        *ret_limit = steps[i].limit;
                        return steps[i].level;
                }
        return LEVEL_OK;
}

/* Stay where we are between clear and the limit, so that 54.9 -> 55.1 C does not flap. */
static bool is_clear(const struct rule *rule, double measure)
{
        if (isnan(rule->clear))
                return true;
        return rule->direction == RULE_ABOVE ? measure < rule->clear : measure > rule->clear;
}

static bool is_counter(const struct rule *rule)
{
        size_t len = strlen(rule->metric);

        return len > 6 && streq(rule->metric + len - 6, "_total");
}

static void forget_acceptance(struct rule_state *state)
{
        state->accepted_us = state->until_us = 0;
        state->before = 0;
}

static bool is_calm(const struct rule *rule, const struct rule_state *state, int64_t now_us)
{
        return rule->calm_s > 0 && now_us - state->grown_us >= rule->calm_s * USEC_PER_SEC;
}

/* What was accepted for a while is news again; but not what would be history by now without anybody having accepted it. */
static void end_acceptance(const struct rule *rule, struct rule_state *state, int64_t now_us)
{
        if (!state->until_us || now_us < state->until_us)
                return;
        if (rule->kind == RULE_CHANGE && !is_calm(rule, state, now_us))
                state->baseline = MIN(state->baseline, state->before);
        else if (rule->after_good)
                state->baseline = MAX(state->baseline, state->before);
        forget_acceptance(state);
}

static double measure_value(const struct rule *rule, struct rule_state *state, double value, int64_t now_us)
{
        bool first = !state->seen;
        double step = first ? 0 : value - state->value;

        switch (rule->kind) {
        case RULE_CHANGE:
                if (first || step < 0) {
                        state->baseline = value;
                        forget_acceptance(state); /* it was of a counter that is no more */
                } else if (step > 0) {
                        state->grown_us = now_us;
                } else if (is_calm(rule, state, now_us)) {
                        state->baseline = value; /* quiet for long enough: history now */
                }
                return value - state->baseline;
        case RULE_RATE:
                if (step < 0) /* a counter that was reset: what it has is new; a gauge was repaired */
                        step = is_counter(rule) ? value : 0;
                if (step > 0)
                        window_add(rule, state, step, now_us);
                return window_sum(rule, state->window, now_us);
        case RULE_FORECAST:
                window_add(rule, state, value, now_us);
                return window_forecast(rule, state->window, value, now_us);
        default:
                return value;
        }
}

/* CHANGE waits for calm in its baseline, see measure_value(). */
static int wait_s(const struct rule *rule, bool rising)
{
        return rising ? rule->hold_s : rule->kind == RULE_CHANGE ? 0 : rule->calm_s;
}

int64_t rule_due_us(const struct rule *rule, const struct rule_state *state)
{
        if (!state->seen || state->pending == state->level)
                return INT64_MAX;
        return state->pending_us + wait_s(rule, state->pending > state->level) * USEC_PER_SEC;
}

bool rule_step(const struct rule *rule, struct rule_state *state, double value, double limit_value, int64_t now_us)
{
        double measure, limit;
        enum level want;

        if (!isfinite(value))
                return false;
        end_acceptance(rule, state, now_us);
        measure = measure_value(rule, state, value, now_us);
        state->value = value;
        state->seen = true;

        want = judge(rule, measure, limit_value, &limit);
        if (rule->kind == RULE_LIMIT && rule->after_good) {
                /* Without the limit nobody can say that it is good. */
                if (want == LEVEL_OK && (!rule->limit_metric || isfinite(limit_value))) {
                        state->baseline = 1;
                        forget_acceptance(state);
                } else if (state->baseline != 1) {
                        want = LEVEL_OK;
                }
        }
        if (want < state->level && want == LEVEL_OK && !is_clear(rule, measure))
                want = state->level;
        state->measure = measure;
        if (want >= state->level && !isnan(limit))
                state->limit = limit;

        if (want == state->level) {
                state->pending = want;
                return false;
        }
        bool rising = want > state->level;
        bool waiting = state->pending != state->level && (state->pending > state->level) == rising;

        if (!waiting)
                state->pending_us = now_us;
        /* Fall only to the worst level seen while waiting. */
        state->pending = !rising && waiting ? level_worse(want, state->pending) : want;

        if (now_us - state->pending_us < wait_s(rule, rising) * USEC_PER_SEC)
                return false;
        state->level = state->pending;
        state->changed_us = now_us;
        state->limit = limit;
        return true;
}

bool rule_accept(const struct rule *rule, struct rule_state *state, int64_t until_us, int64_t now_us)
{
        if ((rule->kind != RULE_CHANGE && !rule->after_good) || !state->seen)
                return false;
        if (!state->until_us)
                state->before = state->baseline;
        state->accepted_us = now_us;
        state->until_us = until_us;
        if (rule->kind == RULE_CHANGE) {
                state->baseline = state->value;
                state->measure = 0;
        } else if (state->level != LEVEL_OK) {
                state->baseline = 0;
        }
        state->level = state->pending = LEVEL_OK;
        state->changed_us = state->pending_us = now_us;
        return true;
}

void rule_state_done(struct rule_state *state)
{
        free(state->window);
        state->window = NULL;
}

static void append(char *buf, size_t size, size_t *len, const char *s)
{
        while (*s && *len + 1 < size)
                buf[(*len)++] = *s++;
        buf[*len] = '\0';
}

static const char *label_value(const char *const *labels, const char *name, size_t name_len)
{
        for (size_t i = 0; labels && labels[i]; i += 2)
                if (strlen(labels[i]) == name_len && memcmp(labels[i], name, name_len) == 0)
                        return labels[i + 1];
        return "?";
}

static void format_number(char *buf, size_t size, double v)
{
        if (isnan(v))
                snprintf(buf, size, "?");
        else if (isinf(v))
                snprintf(buf, size, "never");
        else if (fabs(v) < 1e15 && v == (double)(int64_t)v)
                snprintf(buf, size, "%" PRId64, (int64_t)v);
        else
                snprintf(buf, size, "%.4g", v);
}

/* "3 days", "5 hours": rounded to what a person would say. */
static void format_duration(char *buf, size_t size, double s)
{
        static const struct {
                double s;
                const char *name;
        } units[] = { { 86400, "day" }, { 3600, "hour" }, { 60, "minute" }, { 1, "second" } };

        if (!isfinite(s)) {
                snprintf(buf, size, "never");
                return;
        }
        for (size_t i = 0; i < ARRAY_LEN(units); i++)
                if (s >= units[i].s * 1.5 || i == ARRAY_LEN(units) - 1 || s == units[i].s) {
                        double n = round(s / units[i].s);

                        snprintf(buf, size, "%.0f %s%s", n, units[i].name, n == 1 ? "" : "s");
                        return;
                }
}

/* "13 GiB": powers of 1024, three digits. */
static void format_bytes(char *buf, size_t size, double v)
{
        static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" };
        size_t i = 0;

        if (!isfinite(v)) {
                snprintf(buf, size, "?");
                return;
        }
        while (fabs(v) >= 1000 && i + 1 < ARRAY_LEN(units)) {
                v /= 1024;
                i++;
        }
        snprintf(buf, size, "%.3g %s", v, units[i]);
}

static void format_percent(char *buf, size_t size, double v)
{
        if (isfinite(v))
                snprintf(buf, size, "%.1f %%", v * 100);
        else
                snprintf(buf, size, "?");
}

/* "a day" reads better than "1 day" after "within". */
static void format_window(char *buf, size_t size, double s)
{
        format_duration(buf, size, s);
        if (str_starts(buf, "1 ")) {
                char unit[32];

                snprintf(unit, sizeof(unit), "%s", buf + 2);
                snprintf(buf, size, "%s %s", str_starts(unit, "hour") ? "an" : "a", unit);
        }
}

enum source { OF_VALUE, OF_LIMIT, OF_MEASURE, OF_BASELINE, OF_WINDOW };

/* Words in braces that stand for a number. */
static const struct {
        const char *word;
        enum source source;
        void (*format)(char *buf, size_t size, double v);
} words[] = {
        { "value", OF_VALUE, format_number },       { "limit", OF_LIMIT, format_number },
        { "growth", OF_MEASURE, format_number },    { "baseline", OF_BASELINE, format_number },
        { "forecast", OF_MEASURE, format_duration }, { "window", OF_WINDOW, format_window },
        { "percent", OF_VALUE, format_percent },    { "bytes", OF_VALUE, format_bytes },
        { "duration", OF_VALUE, format_duration },
};

/* {n:error|errors}: the first after the number 1, the second after any other. */
static void append_counted(char *buf, size_t size, size_t *len, const char *p, size_t n, const char *number)
{
        const char *bar = memchr(p, '|', n), *from = p;
        size_t chosen = n;
        char word[64];

        if (bar) {
                bool one = streq(number, "1");

                from = one ? p : bar + 1;
                chosen = one ? (size_t)(bar - p) : n - (size_t)(bar + 1 - p);
        }
        snprintf(word, sizeof(word), "%.*s", (int)chosen, from);
        append(buf, size, len, word);
}

static bool format_word(const struct rule *rule, const struct rule_state *state, const char *p, size_t n, char *buf, size_t size)
{
        const double sources[] = {
                [OF_VALUE] = state->value, [OF_LIMIT] = state->limit, [OF_MEASURE] = state->measure,
                [OF_BASELINE] = state->baseline, [OF_WINDOW] = rule->window_s,
        };

        for (size_t i = 0; i < ARRAY_LEN(words); i++)
                if (strlen(words[i].word) == n && memcmp(words[i].word, p, n) == 0) {
                        words[i].format(buf, size, sources[words[i].source]);
                        return true;
                }
        return false;
}

void rule_text(const struct rule *rule, const struct rule_state *state, const char *component,
               const char *const *labels, char *buf, size_t size)
{
        size_t len = 0;
        const char *p = rule->text;
        char number[64] = "";

        assert(size > 0);
        buf[0] = '\0';
        while (*p) {
                const char *end = *p == '{' ? strchr(p, '}') : NULL;
                size_t n = end ? (size_t)(end - p - 1) : 0;

                if (!end) {
                        char one[2] = { *p++, 0 };

                        append(buf, size, &len, one);
                        continue;
                }
                p++;
                if (format_word(rule, state, p, n, number, sizeof(number)))
                        append(buf, size, &len, number);
                else if (n > 2 && memcmp(p, "n:", 2) == 0)
                        append_counted(buf, size, &len, p + 2, n - 2, number);
                else if (n == 9 && memcmp(p, "component", n) == 0)
                        append(buf, size, &len, component);
                else if (n > 6 && memcmp(p, "label:", 6) == 0)
                        append(buf, size, &len, label_value(labels, p + 6, n - 6));
                p = end + 1;
        }
        /* All of it words that nobody knows, or labels that are empty: a level has a reason, if only its rule's name. */
        if (len == 0)
                append(buf, size, &len, rule->name);
}
