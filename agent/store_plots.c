/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* RUN/plots.json: the last week of what matters, for the status page; of a young history all there is. What is not ok comes
 * first, all that moved of it; then a table of what tells most about a healthy host. The store knows levels from the
 * events it keeps. */

#include <math.h>

#include "common_file.h"
#include "store.h"

#define PLOTS_MAX 24
#define PLOTS_OF_ONE 6
#define EVENTS_SHOWN 50
#define EVENTS_READ 1000
#define POINTS 168 /* a week of hours, on the hour: then whole days come out of the hours that are summed up already */
#define YOUNG_S (3 * DAY_S) /* a history that is shorter is shown alone: most of a week would be empty */
#define SPAN_MIN_S 1200

/* What is worth a plot although it is well. */
static const struct {
        const char *metric;
        int score;
} worth[] = {
        { "disk_failure_score", 90 },       { "fs_avail_ratio", 85 },          { "latency_fsync_seconds", 80 },
        { "disk_temperature_celsius", 75 }, { "disk_pending_sectors", 70 },    { "disk_percentage_used_ratio", 65 },
        { "sensor_temperature_celsius", 60 }, { "fs_files_free_ratio", 55 },   { "disk_reallocated_sectors", 50 },
        { "host_memory_left_ratio", 48 },   { "host_load_per_cpu", 46 },
        { "battery_charge_ratio", 45 },     { "sensor_fan_rpm", 40 },          { "raid_degraded_disks", 35 },
        { "sensor_power_watts", 30 },       { "edac_correctable_errors_total", 25 },
};

struct choice {
        const struct series *series;
        int score;
};

static bool ends_with(const struct series_key *k, const char *end)
{
        size_t n = strlen(end);

        return k->metric_len >= n && memcmp(k->metric + k->metric_len - n, end, n) == 0;
}

/* A file system in memory fills and empties with what runs; nothing wears out there. */
static bool in_memory(const struct series_key *k)
{
        const char *p = k->labels, *end = k->labels + k->labels_len, *name, *value;
        size_t n, m;

        while (series_key_label(&p, end, &name, &n, &value, &m))
                if (n == 6 && memcmp(name, "fstype", 6) == 0)
                        return (m == 5 && memcmp(value, "tmpfs", 5) == 0) || (m == 5 && memcmp(value, "ramfs", 5) == 0);
        return false;
}

/* After a start the history knows whether a value moved this week; asked once for each series. */
static bool moved_lately(struct store *s, struct series *series)
{
        int64_t to_s = (store_wall_s(s) / HOUR_S + 1) * HOUR_S;
        struct bucket buckets[POINTS];
        struct downsample d;

        if (series->changed_s == 0) {
                const struct bucket *before = NULL;

                downsample_init(&d, to_s - POINTS * HOUR_S, to_s, buckets, POINTS, NULL, 0);
                if (store_history(s, series, &d) != SQLITE_OK)
                        return false;
                series->changed_s = -1;
                for (size_t i = 0; i < POINTS; i++) {
                        if (buckets[i].seen && (buckets[i].min < buckets[i].max || (before && before->mean != buckets[i].mean)))
                                series->changed_s = downsample_time(&d, i);
                        if (buckets[i].seen)
                                before = &buckets[i];
                }
        }
        return series->changed_s > 0 && store_wall_s(s) - series->changed_s < 7 * DAY_S;
}

static int score_of(struct store *s, struct series *series)
{
        int level = (int)series->component->level, score = 0;
        struct series_key k;

        if (series_key_parse(series->key, &k) < 0 || ends_with(&k, "_info"))
                return 0;
        for (size_t i = 0; i < ARRAY_LEN(worth); i++)
                if (series_key_metric_is(&k, worth[i].metric))
                        score = worth[i].score;
        if (level == LEVEL_OK)
                return in_memory(&k) ? 0 : score;
        /* Of what is not well also what nobody thought of, when it moved. */
        if (moved_lately(s, series))
                score += 100;
        return score > 0 ? score + 1000 * level : 0;
}

static bool better(const struct choice *a, const struct choice *b)
{
        if (a->score != b->score)
                return a->score > b->score;
        return strcmp(a->series->key, b->series->key) < 0; /* the same plots in the same order every time */
}

static size_t of_component(const struct choice *choices, size_t n, const struct component *c, size_t *ret_worst)
{
        size_t count = 0;

        for (size_t i = 0; i < n; i++)
                if (choices[i].series->component == c) {
                        if (count++ == 0 || better(&choices[*ret_worst], &choices[i]))
                                *ret_worst = i;
                }
        return count;
}

/* The best ones, a few of each component, in order. */
static size_t choose(struct store *s, struct choice ret[PLOTS_MAX])
{
        size_t n = 0;

        for (size_t i = 0; i < s->dict.n; i++) {
                struct choice c = { s->dict.series[i], score_of(s, s->dict.series[i]) };
                size_t worst = 0, at;

                if (c.score == 0)
                        continue;
                if (of_component(ret, n, c.series->component, &worst) >= PLOTS_OF_ONE) {
                        if (better(&ret[worst], &c))
                                continue;
                        memmove(&ret[worst], &ret[worst + 1], (n - worst - 1) * sizeof(*ret));
                        n--;
                }
                for (at = n; at > 0 && better(&c, &ret[at - 1]); at--)
                        if (at < PLOTS_MAX)
                                ret[at] = ret[at - 1];
                if (at < PLOTS_MAX) {
                        ret[at] = c;
                        n = MIN(n + 1, (size_t)PLOTS_MAX);
                }
        }
        return n;
}

/* --- writing ------------------------------------------------------------------------------------------------------- */

static void dump(FILE *f, json_t *doc)
{
        if (doc)
                json_dumpf(doc, f, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(13));
        json_decref(doc);
}

/* What all plots show, so that they can be compared. */
struct span {
        int64_t from_s, to_s;
        size_t n;
};

/* The first thing that is known at all; INT64_MAX: nothing yet. */
static int first_value(struct store *s, int64_t *ret)
{
        int64_t raw = 0, day = 0, log = 0;
        int r = db_number(s, STMT_RAW_MIN, INT64_MAX / HOUR_S, &raw, "i", (int64_t)0);

        if (r == SQLITE_OK)
                r = db_number(s, STMT_HOURLY_MIN, INT64_MAX / DAY_S, &day, "");
        if (r == SQLITE_OK)
                r = db_number(s, STMT_LOG_NEXT, INT64_MAX / HOUR_S, &log, "i", (int64_t)0);
        *ret = r == SQLITE_OK ? MIN(MIN(raw, log) * HOUR_S, day * DAY_S) : INT64_MAX;
        for (size_t i = 0; i < s->pending.n_samples; i++)
                *ret = MIN(*ret, s->pending.samples[i].time_s);
        return s->db ? r : SQLITE_OK;
}

/* The same to a slice: the hour is known, the minute matters to a history of minutes. */
static int64_t refine(struct store *s, const struct choice *choices, size_t n, int64_t from_s, int64_t to_s)
{
        struct bucket buckets[POINTS];
        struct downsample d;
        size_t first = POINTS;

        for (size_t i = 0; i < n; i++) {
                downsample_init(&d, from_s, to_s, buckets, POINTS, NULL, 0);
                if (store_history(s, choices[i].series, &d) != SQLITE_OK)
                        return from_s;
                for (size_t k = 0; k < first; k++)
                        if (buckets[k].seen)
                                first = k;
        }
        return first < POINTS ? downsample_time(&d, first) : from_s;
}

static int choose_span(struct store *s, const struct choice *choices, size_t n, struct span *ret)
{
        int64_t now = store_wall_s(s), first, step;
        int r = first_value(s, &first);

        if (first > now || now - first >= YOUNG_S) {
                *ret = (struct span){ .to_s = (now / HOUR_S + 1) * HOUR_S, .n = POINTS };
                ret->from_s = ret->to_s - POINTS * HOUR_S;
                return r;
        }
        if (n && first < now)
                first = refine(s, choices, n, first, now);
        first = MIN(first, now - SPAN_MIN_S);
        step = (now - first + POINTS - 1) / POINTS;
        step = (step + 59) / 60 * 60; /* values come once a minute */
        ret->to_s = (now / 60 + 1) * 60;
        ret->n = (size_t)((ret->to_s - first + step - 1) / step);
        ret->from_s = ret->to_s - (int64_t)ret->n * step;
        return r;
}

/* SQLITE_OK, or a code; then nothing was written of it. */
static int write_plot(struct store *s, FILE *f, const struct series *series, const struct span *span, bool first)
{
        char metric[SERIES_KEY_MAX + 1];
        struct bucket buckets[POINTS + 1];
        struct gap gaps[64];
        struct downsample d;
        struct series_key k;
        size_t n_gaps = store_gaps(s, span->from_s - HOLD_MAX_S, span->to_s, gaps, ARRAY_LEN(gaps));
        int r;

        downsample_init(&d, span->from_s, span->to_s, buckets, span->n, gaps, n_gaps);
        r = store_history(s, series, &d);
        if (r != SQLITE_OK || series_key_parse(series->key, &k) < 0)
                return r;
        snprintf(metric, sizeof(metric), "%.*s", (int)k.metric_len, k.metric);
        if (!first)
                fputc(',', f);
        dump(f, json_pack("{ss ss ss so sI sI so}", "component", series->component->name, "metric", metric, "unit", metric_unit(metric),
                          "labels", series_key_labels_json(&k), "from", (json_int_t)d.from_s, "to", (json_int_t)MIN(d.to_s, store_wall_s(s)), "points", series_points(&d)));
        return SQLITE_OK;
}

/* --- events -------------------------------------------------------------------------------------------------------- */

/* The newest, oldest first, out of the same function that answers clients. */
static json_t *read_events(struct store *s)
{
        struct peer p = { .writer = false };
        json_t *ask = json_pack("{ss sf si}", "t", "events", "to", (double)store_wall_s(s) + 1, "max", EVENTS_READ), *list = json_array();

        jsonl_init(&p.j, -1, 0, 1024 * 1024);
        peer_line(s, &p, ask);
        json_decref(ask);
        while (p.job.kind != JOB_NONE) {
                peer_work(s, &p);
                for (char *at = p.j.out, *end = p.j.out + p.j.out_len; at < end; at = strchr(at, '\n') + 1) {
                        json_t *line = json_loadb(at, (size_t)(strchr(at, '\n') - at), 0, NULL);

                        if (json_object_get(line, "time"))
                                json_array_append(list, line);
                        json_decref(line);
                }
                p.j.out_len = 0;
        }
        job_done(&p.job);
        jsonl_done(&p.j);
        return list;
}

static bool same_text(const json_t *a, const json_t *b, const char *key)
{
        const char *x = json_string_value(json_object_get(a, key)), *y = json_string_value(json_object_get(b, key));

        return x && y && streq(x, y);
}

/* What the kernel said again and again is one thing that happened; a change of level never is. */
static bool repeats(const json_t *a, const json_t *b)
{
        return same_text(a, b, "component") && same_text(a, b, "kind") && same_text(a, b, "rule") && same_text(a, b, "why") &&
               json_equal(json_object_get(a, "from"), json_object_get(a, "to")) && json_equal(json_object_get(b, "from"), json_object_get(b, "to"));
}

static bool counted(json_t *shown, const json_t *e)
{
        json_t *known;
        size_t i;

        json_array_foreach(shown, i, known)
                if (repeats(known, e)) {
                        json_int_t n = json_integer_value(json_object_get(known, "count"));

                        json_object_set_new(known, "count", json_integer(n ? n + 1 : 2));
                        return true;
                }
        return false;
}

/* Each with the time of its last occurrence, oldest first. */
static void write_events(struct store *s, FILE *f)
{
        json_t *all = read_events(s), *shown = json_array();

        for (size_t i = json_array_size(all); i-- > 0;) {
                json_t *e = json_array_get(all, i);

                if (!counted(shown, e) && json_array_size(shown) < EVENTS_SHOWN)
                        json_array_append(shown, e);
        }
        for (size_t i = json_array_size(shown); i-- > 0;) {
                json_t *e = json_array_get(shown, i);

                json_object_del(e, "t");
                json_object_del(e, "kind");
                dump(f, json_incref(e));
                if (i)
                        fputc(',', f);
        }
        json_decref(all);
        json_decref(shown);
}

int store_plots(struct store *s)
{
        struct choice choices[PLOTS_MAX];
        size_t n = choose(s, choices), written = 0;
        struct atomic_file a;
        struct span span;
        int r = atomic_file_open(&a, s->options.run, "plots.json", 0640), code;

        if (r < 0)
                return r;
        code = choose_span(s, choices, n, &span);
        fprintf(a.f, "{\"version\":1,\"time\":%lld,\"plots\":[", (long long)store_wall_s(s));
        for (size_t i = 0; i < n && code == SQLITE_OK; i++) {
                code = write_plot(s, a.f, choices[i].series, &span, written == 0);
                written += code == SQLITE_OK;
        }
        fputs("],\"events\":[", a.f);
        if (code == SQLITE_OK)
                write_events(s, a.f);
        fputs("]}\n", a.f);
        if (code != SQLITE_OK)
                db_failed(s, code, "read");
        return atomic_file_commit(&a, false);
}
