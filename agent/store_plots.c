/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* RUN/plots.json: the last week of what matters, for the status page. What is not ok comes first, all that moved of it; then
 * a table of what tells most about a healthy host. The store knows levels from the events it keeps. */

#include <math.h>

#include "common_file.h"
#include "store.h"

#define PLOTS_MAX 24
#define PLOTS_OF_ONE 6
#define EVENTS_SHOWN 50
#define POINTS 168 /* a week of hours, on the hour: then whole days come out of the hours that are summed up already */

/* What is worth a plot although it is well. */
static const struct {
        const char *metric;
        int score;
} worth[] = {
        { "disk_failure_score", 90 },       { "fs_avail_ratio", 85 },          { "latency_fsync_seconds", 80 },
        { "disk_temperature_celsius", 75 }, { "disk_pending_sectors", 70 },    { "disk_percentage_used_ratio", 65 },
        { "sensor_temperature_celsius", 60 }, { "fs_files_free_ratio", 55 },   { "disk_reallocated_sectors", 50 },
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

static int score_of(const struct store *s, const struct series *series)
{
        int level = (int)series->component->level, score = 0;
        struct series_key k;

        if (series_key_parse(series->key, &k) < 0 || ends_with(&k, "_info"))
                return 0;
        for (size_t i = 0; i < ARRAY_LEN(worth); i++)
                if (series_key_metric_is(&k, worth[i].metric))
                        score = worth[i].score;
        if (level == LEVEL_OK)
                return score;
        /* Of what is not well also what nobody thought of, when it moved. */
        if (series->changed_s > 0 && store_wall_s(s) - series->changed_s < 7 * DAY_S)
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
static size_t choose(const struct store *s, struct choice ret[PLOTS_MAX])
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

static json_t *labels_of(const struct series_key *k)
{
        const char *p = k->labels, *end = k->labels + k->labels_len, *name, *value;
        json_t *labels = json_object();
        size_t n, m;

        while (series_key_label(&p, end, &name, &n, &value, &m)) {
                char copy[SERIES_KEY_MAX + 1];

                snprintf(copy, sizeof(copy), "%.*s", (int)n, name);
                json_object_set_new(labels, copy, json_stringn(value, m));
        }
        return labels;
}

/* SQLITE_OK, or a code; then nothing was written of it. */
static int write_plot(struct store *s, FILE *f, const struct series *series, int64_t to_s, bool first)
{
        char metric[SERIES_KEY_MAX + 1];
        struct bucket buckets[POINTS];
        struct gap gaps[64];
        struct downsample d;
        struct series_key k;
        size_t n_gaps = store_gaps(s, to_s - POINTS * HOUR_S - HOLD_MAX_S, to_s, gaps, ARRAY_LEN(gaps));
        int r;

        downsample_init(&d, to_s - POINTS * HOUR_S, to_s, buckets, POINTS, gaps, n_gaps);
        r = store_history(s, series, &d);
        if (r != SQLITE_OK || series_key_parse(series->key, &k) < 0)
                return r;
        snprintf(metric, sizeof(metric), "%.*s", (int)k.metric_len, k.metric);
        if (!first)
                fputc(',', f);
        dump(f, json_pack("{ss ss ss so sI sI so}", "component", series->component->name, "metric", metric, "unit", metric_unit(metric),
                          "labels", labels_of(&k), "from", (json_int_t)d.from_s, "to", (json_int_t)MIN(d.to_s, store_wall_s(s)), "points", series_points(&d)));
        return SQLITE_OK;
}

/* The events come out of the same function that answers clients; the plot file has no "t". */
static void write_events(struct store *s, FILE *f)
{
        struct peer p = { .writer = false };
        json_t *ask = json_pack("{ss sf si}", "t", "events", "to", (double)store_wall_s(s) + 1, "max", EVENTS_SHOWN), *line;
        bool first = true;

        jsonl_init(&p.j, -1, 0, 1024 * 1024);
        peer_line(s, &p, ask);
        json_decref(ask);
        while (p.job.kind != JOB_NONE) {
                peer_work(s, &p);
                for (char *at = p.j.out, *end = p.j.out + p.j.out_len; at < end; at = strchr(at, '\n') + 1) {
                        line = json_loadb(at, (size_t)(strchr(at, '\n') - at), 0, NULL);
                        if (json_object_get(line, "time")) {
                                json_object_del(line, "t");
                                json_object_del(line, "kind");
                                if (!first)
                                        fputc(',', f);
                                first = false;
                                dump(f, json_incref(line));
                        }
                        json_decref(line);
                }
                p.j.out_len = 0;
        }
        job_done(&p.job);
        jsonl_done(&p.j);
}

int store_plots(struct store *s)
{
        struct choice choices[PLOTS_MAX];
        size_t n = choose(s, choices), written = 0;
        int64_t to_s = (store_wall_s(s) / HOUR_S + 1) * HOUR_S;
        struct atomic_file a;
        int r = atomic_file_open(&a, s->options.run, "plots.json", 0640), code = SQLITE_OK;

        if (r < 0)
                return r;
        fprintf(a.f, "{\"version\":1,\"time\":%lld,\"plots\":[", (long long)store_wall_s(s));
        for (size_t i = 0; i < n && code == SQLITE_OK; i++) {
                code = write_plot(s, a.f, choices[i].series, to_s, written == 0);
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
