/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* What the lines on RUN/store.sock ask for (docs/protocols.md), one function a word. Writing is for our own user and root;
 * group veille may read. Nothing that comes in is trusted: every field has a type, a length and a range. */

#include <math.h>

#include "store.h"

#define ROWS_MAX 20000
#define EVENTS_MAX 10000
#define POINTS_DEFAULT 200
#define TIME_MAX_S 100000000000.0
#define OUT_ENOUGH (64 * 1024) /* with so much to send a long answer waits */

void peer_error(struct store *s, struct peer *p, const char *fmt, ...)
{
        char text[640];
        va_list ap;

        va_start(ap, fmt);
        vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        if (jsonl_put(&p->j, json_pack("{ss ss}", "t", "error", "why", text)) == -EINVAL) /* echoes of what is not UTF-8 */
                jsonl_put(&p->j, json_pack("{ss ss}", "t", "error", "why", "the line makes no sense"));
        (void)s;
}

/* A piece of memory that is not kept: who told it must know which. */
static void refuse(struct peer *p, const char *key, const char *why)
{
        jsonl_put(&p->j, json_pack("{ss ss ss}", "t", "error", "key", key, "why", why));
}

static const char *text_of(const json_t *line, const char *key)
{
        const char *text = json_string_value(json_object_get(line, key));

        return text ? text : "";
}

static bool time_of(const json_t *line, const char *key, double missing, double *ret)
{
        const json_t *v = json_object_get(line, key);
        double t = json_is_number(v) ? json_number_value(v) : missing;

        if (!(t >= 0 && t <= TIME_MAX_S) || (v && !json_is_number(v) && !json_is_null(v)))
                return false;
        *ret = t;
        return true;
}

/* --- what comes in ------------------------------------------------------------------------------------------------- */

static void waits(struct store *s, bool eager)
{
        if (s->oldest_us == 0)
                s->oldest_us = s->boot_us();
        s->eager = s->eager || eager;
}

static struct series *series_of(struct store *s, const char *key, const char *component)
{
        struct series *series = dict_find(&s->dict, key);
        struct series_key k;

        if (series && !streq(series->component->name, component)) {
                struct component *c = dict_component(&s->dict, component, true);

                if (c) {
                        series->component = c;
                        series->stored = false;
                }
        }
        if (series)
                return series;
        if (series_key_parse(key, &k) < 0) {
                s->counters.bad_rows++;
                return NULL;
        }
        if (s->dict.n >= s->max_series) {
                s->counters.refused_series++;
                return NULL;
        }
        return dict_add(&s->dict, key, component, 0);
}

/* A value that does not change is written once an hour: most of what hardware tells never changes. */
static void take_value(struct store *s, struct series *series, int64_t time_s, double value)
{
        bool changed = !series->known || value != series->value;

        s->counters.samples++;
        if (changed && series->known)
                series->changed_s = time_s;
        else if (!changed && time_s - series->written_s < CONSTANT_EVERY_S && time_s >= series->written_s)
                return;
        series->known = true;
        series->value = value;
        series->written_s = time_s;
        pending_sample(&s->pending, series, time_s, value);
        waits(s, false);
}

static void take_row(struct store *s, int64_t time_s, const json_t *row)
{
        const char *key = json_string_value(json_array_get(row, 0)), *component = json_string_value(json_array_get(row, 1));
        const json_t *v = json_array_get(row, 2);
        struct series *series;

        if (json_array_size(row) != 3 || !key || !component || !*component || strlen(component) > COMPONENT_MAX || !json_is_number(v) ||
            !(fabs(json_number_value(v)) <= VALUE_MAX)) {
                s->counters.bad_rows++;
                return;
        }
        series = series_of(s, key, component);
        if (series)
                take_value(s, series, time_s, json_number_value(v));
}

static void do_samples(struct store *s, struct peer *p, const json_t *line)
{
        const json_t *rows = json_object_get(line, "rows"), *row;
        double time;
        int64_t time_s;
        size_t i;

        if (!time_of(line, "time", -1, &time) || time < 1 || !json_is_array(rows) || json_array_size(rows) > ROWS_MAX) {
                peer_error(s, p, "samples: time and an array of at most %d rows are needed", ROWS_MAX);
                return;
        }
        time_s = (int64_t)time;
        if (s->last_sample_s && time_s - s->last_sample_s >= GAP_MIN_S) {
                pending_gap(&s->pending, s->last_sample_s + 60, time_s);
                dict_forget_values(&s->dict);
                waits(s, false);
        }
        s->last_sample_s = time_s;
        json_array_foreach(rows, i, row)
                take_row(s, time_s, row);
}

/* When the database cannot say, the commit will know. */
static bool has_event(struct store *s, const char *id)
{
        int64_t n = 0;

        return pending_has_event(&s->pending, id) || (s->db && db_number(s, STMT_EVENT_HAS, 0, &n, "t", id) == SQLITE_OK && n > 0);
}

static void do_event(struct store *s, struct peer *p, const json_t *line)
{
        const char *component = text_of(line, "component"), *kind = text_of(line, "kind"), *from = text_of(line, "from"),
                   *to = text_of(line, "to");
        const char *id = text_of(line, "id");
        double time;

        if (!time_of(line, "time", -1, &time) || time < 1 || !*component || strlen(id) > EVENT_ID_MAX || (*from && level_from_name(from) < 0) ||
            (*to && level_from_name(to) < 0)) {
                peer_error(s, p, "event: time, component, the names of levels and an id of at most %d bytes are needed", EVENT_ID_MAX);
                return;
        }
        if (*id && has_event(s, id)) {
                s->counters.repeated_events++;
                return;
        }
        s->counters.events++;
        pending_event(&s->pending, id, time, component, kind, from, to, text_of(line, "rule"), text_of(line, "why"));
        waits(s, true);
        if (*to && !streq(from, to)) {
                struct component *c = dict_component(&s->dict, component, s->dict.n_components < s->max_series);

                if (c && time >= c->since) {
                        c->level = (enum level)level_from_name(to);
                        c->since = time;
                }
        }
}

static void do_put(struct store *s, struct peer *p, const json_t *line)
{
        const char *key = text_of(line, "key");
        const json_t *v = json_object_get(line, "value");
        char *value = v ? json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(17)) : NULL;

        char why[KV_KEY_MAX + 128];

        if (!*key || strlen(key) > KV_KEY_MAX || !value || strlen(value) > KV_VALUE_MAX) {
                snprintf(why, sizeof(why), "put: a key of at most %d and a value of at most %d bytes are needed", KV_KEY_MAX, KV_VALUE_MAX);
                refuse(p, key, why);
                free(value);
                return;
        }
        if (s->n_kv + (int64_t)s->pending.n_kv >= KV_KEYS_MAX) {
                snprintf(why, sizeof(why), "put: there are %d keys already; '%s' is not kept", KV_KEYS_MAX, key);
                refuse(p, key, why);
                free(value);
                return;
        }
        s->counters.puts++;
        if (!pending_put(&s->pending, key, value)) {
                snprintf(why, sizeof(why), "put: the backlog is full; '%s' is not kept", key);
                refuse(p, key, why);
        }
        waits(s, true);
}

static void do_del(struct store *s, struct peer *p, const json_t *line)
{
        const char *key = text_of(line, "key");

        if (!*key || strlen(key) > KV_KEY_MAX) {
                peer_error(s, p, "del: a key is needed");
                return;
        }
        if (!pending_put(&s->pending, key, NULL))
                refuse(p, key, "del: the backlog is full; the key stays");
        waits(s, true);
}

static void do_sync(struct store *s, struct peer *p, const json_t *line)
{
        p->sync_seq = json_integer_value(json_object_get(line, "seq"));
        p->sync_waits = true;
        if (json_is_false(json_object_get(line, "hurry"))) /* the next commit will do; within a second */
                s->eager = s->eager || !pending_empty(&s->pending);
        else if (!pending_empty(&s->pending) || s->trouble[0] || !s->db)
                store_commit(s);
        peer_acks(s, p);
}

void peer_acks(struct store *s, struct peer *p)
{
        if (s->trouble[0] && p->writer && p->told_trouble != s->counters.failed_commits + 1) {
                p->told_trouble = s->counters.failed_commits + 1;
                peer_error(s, p, "%s; %zu values and %zu events wait in memory, %llu are lost", s->trouble, s->pending.n_samples,
                           s->pending.n_events, (unsigned long long)s->pending.lost_samples + s->pending.lost_events);
        }
        if (!p->sync_waits || !pending_empty(&s->pending) || s->trouble[0])
                return;
        p->sync_waits = false;
        p->told_trouble = 0;
        jsonl_put(&p->j, json_pack("{ss sI sI}", "t", "ack", "seq", (json_int_t)p->sync_seq, "db", (json_int_t)s->db_id));
}

/* --- what goes out: long answers go on where they stopped ---------------------------------------------------------------- */

void job_done(struct job *job)
{
        free(job->text);
        free(job->cursor);
        free(job->metric);
        *job = (struct job){ 0 };
}

static char *copy_or_null(const char *text)
{
        return *text ? strdup(text) : NULL;
}

static void do_load(struct store *s UNUSED, struct peer *p, const json_t *line)
{
        p->job = (struct job){ .kind = JOB_LOAD, .text = strdup(text_of(line, "prefix")), .cursor = strdup("") };
        if (!p->job.text || !p->job.cursor)
                job_done(&p->job);
}

static const struct pending_kv *pending_after(const struct pending *p, const char *prefix, const char *cursor)
{
        const struct pending_kv *least = NULL;

        for (const struct pending_kv *kv = p->kv; kv; kv = kv->next)
                if (str_starts(kv->key, prefix) && strcmp(kv->key, cursor) > 0 && (!least || strcmp(kv->key, least->key) < 0))
                        least = kv;
        return least;
}

static void send_kv(struct peer *p, const char *key, const char *value)
{
        json_t *v = json_loads(value, JSON_DECODE_ANY, NULL);

        if (v)
                jsonl_put(&p->j, json_pack("{ss ss so}", "t", "kv", "key", key, "value", v));
}

/* The next key of disk or backlog in order; the backlog knows better. 1: one was passed; 0: no more; negative: SQLite code negated. */
static int load_step(struct store *s, struct peer *p)
{
        const struct pending_kv *pending = pending_after(&s->pending, p->job.text, p->job.cursor);
        const char *key = NULL, *value = NULL;
        sqlite3_stmt *st = NULL;
        char *cursor;
        int r = s->db ? db_stmt(s, STMT_KV_NEXT, &st, "tt", p->job.text, p->job.cursor) : SQLITE_DONE;

        p->job.incomplete = p->job.incomplete || !s->db;
        if (r == SQLITE_OK)
                r = sqlite3_step(st);
        if (r == SQLITE_ROW) {
                key = (const char *)sqlite3_column_text(st, 0);
                value = (const char *)sqlite3_column_text(st, 1);
                if (key && (!str_starts(key, p->job.text) || strcmp(key, p->job.cursor) <= 0))
                        key = NULL;
        }
        if (pending && (!key || strcmp(pending->key, key) <= 0)) {
                key = pending->key;
                value = pending->value;
        }
        cursor = key ? strdup(key) : NULL;
        if (cursor && value)
                send_kv(p, key, value);
        if (st)
                sqlite3_reset(st);
        free(p->job.cursor);
        p->job.cursor = cursor;
        if (r != SQLITE_ROW && r != SQLITE_DONE)
                return -r;
        return cursor != NULL;
}

static bool event_wanted(const struct job *job, const struct pending_event *e)
{
        return e->time >= job->from && e->time <= job->to && (!job->text || streq(job->text, e->component));
}

static void do_events(struct store *s, struct peer *p, const json_t *line)
{
        json_int_t max = json_integer_value(json_object_get(line, "max"));
        struct job job = { .kind = JOB_EVENTS, .text = copy_or_null(text_of(line, "component")) };
        sqlite3_stmt *st;
        int64_t n = 0;
        int r;

        if (!time_of(line, "from", 0, &job.from) || !time_of(line, "to", TIME_MAX_S, &job.to)) {
                peer_error(s, p, "events: from and to are seconds since the epoch");
                job_done(&job);
                return;
        }
        max = max > 0 && max < EVENTS_MAX ? max : EVENTS_MAX;
        for (const struct pending_event *e = s->pending.events; e; e = e->next)
                n += event_wanted(&job, e);
        job.left = max;
        job.at = job.from;
        job.seq = s->committed_seq;
        /* The newest are wanted, in order: start where so many are left. */
        r = s->db && n < max ? db_stmt(s, job.text ? STMT_EVENTS_START_OF : STMT_EVENTS_START, &st, job.text ? "ddit" : "ddi", job.from,
                                       job.to, (int64_t)(max - n - 1), job.text)
                             : SQLITE_CANTOPEN;
        if (r == SQLITE_OK) {
                if (sqlite3_step(st) == SQLITE_ROW) {
                        job.id = sqlite3_column_int64(st, 0);
                        job.at = sqlite3_column_double(st, 1);
                }
                sqlite3_reset(st);
        }
        if (n >= max) { /* the backlog alone is enough */
                job.at = TIME_MAX_S;
                job.skip = n - max;
        }
        p->job = job;
}

/* What is not UTF-8 is left out. */
static void send_event(struct peer *p, double time, const char *component, const char *kind, const char *from, const char *to,
                       const char *rule, const char *why)
{
        jsonl_put(&p->j, json_pack("{ss sf ss ss ss ss ss ss}", "t", "event", "time", time, "component", component, "kind", kind, "from",
                                   from, "to", to, "rule", rule, "why", why));
}

static const char *column(sqlite3_stmt *st, int i)
{
        const char *text = (const char *)sqlite3_column_text(st, i);

        return text ? text : "";
}

/* The next page of the backlog. When it was written meanwhile, the database has what is still to come, behind the last one sent. */
static int events_backlog(struct store *s, struct peer *p)
{
        struct job *job = &p->job;
        size_t i = 0, first = job->seq == s->committed_seq ? job->n : 0;

        job->seq = s->committed_seq;
        for (const struct pending_event *e = s->pending.events; e && job->left > 0; e = e->next, i++) {
                if (i < first || !event_wanted(job, e))
                        continue;
                if (job->skip > 0) {
                        job->skip--;
                        continue;
                }
                if (jsonl_unsent(&p->j) >= OUT_ENOUGH) {
                        job->n = i;
                        return 1;
                }
                job->left--;
                job->at = e->time;
                job->id = INT64_MAX;
                send_event(p, e->time, e->component, e->kind, e->from, e->to, e->rule, e->why);
        }
        return 0;
}

/* A page of the database, then the backlog. */
static int events_step(struct store *s, struct peer *p)
{
        struct job *job = &p->job;
        sqlite3_stmt *st = NULL;
        int n = 0, r = s->db ? db_stmt(s, job->text ? STMT_EVENTS_PAGE_OF : STMT_EVENTS_PAGE, &st, job->text ? "didt" : "did", job->at,
                                       job->id, job->to, job->text)
                             : SQLITE_DONE;

        while (r == SQLITE_OK || r == SQLITE_ROW) {
                r = sqlite3_step(st);
                if (r != SQLITE_ROW || job->left == 0)
                        break;
                n++;
                job->left--;
                job->at = sqlite3_column_double(st, 1);
                job->id = sqlite3_column_int64(st, 0) + 1;
                send_event(p, job->at, column(st, 2), column(st, 3), column(st, 4), column(st, 5), column(st, 6), column(st, 7));
        }
        if (st)
                sqlite3_reset(st);
        if (r != SQLITE_ROW && r != SQLITE_DONE)
                return -r;
        return n > 0 && job->left > 0 ? 1 : events_backlog(s, p);
}

static void do_history(struct store *s, struct peer *p, const json_t *line)
{
        const json_t *points = json_object_get(line, "points");
        struct job job = { .kind = JOB_HISTORY, .text = strdup(text_of(line, "component")), .metric = strdup(text_of(line, "metric")) };
        double now = (double)store_wall_s(s);
        json_int_t n = json_is_integer(points) ? json_integer_value(points) : POINTS_DEFAULT;

        if (!job.text || !*job.text || !job.metric || !time_of(line, "from", now - 7 * DAY_S, &job.from) || !time_of(line, "to", now, &job.to) ||
            (int64_t)job.from >= (int64_t)job.to) {
                peer_error(s, p, "history: component, metric and from < to are needed");
                job_done(&job);
                return;
        }
        job.n = (size_t)MIN(MAX(n, 1), HISTORY_POINTS_MAX);
        job.n = MIN(job.n, (size_t)((int64_t)job.to - (int64_t)job.from));
        p->job = job;
}

json_t *series_points(const struct downsample *d)
{
        json_t *points = json_array();

        for (size_t i = 0; i < d->n; i++) {
                const struct bucket *b = &d->buckets[i];

                if (b->seen)
                        json_array_append_new(points, json_pack("[Ifff]", (json_int_t)downsample_time(d, i), b->mean, b->min, b->max));
        }
        return points;
}

/* Metric "" is all of the component. */
static bool wanted(const struct series *series, const struct job *job)
{
        struct series_key k;

        return streq(series->component->name, job->text) &&
               (!*job->metric || (series_key_parse(series->key, &k) == 0 && series_key_metric_is(&k, job->metric)));
}

static int history_step(struct store *s, struct peer *p)
{
        struct job *job = &p->job;
        _cleanup_free_ struct bucket *buckets = NULL;
        struct gap gaps[256];
        struct downsample d;
        size_t n_gaps;
        int r;

        while (job->series < s->dict.n && !wanted(s->dict.series[job->series], job))
                job->series++;
        if (job->series >= s->dict.n)
                return 0;
        buckets = calloc(job->n, sizeof(*buckets));
        if (!buckets)
                return -SQLITE_NOMEM;
        n_gaps = store_gaps(s, (int64_t)job->from - HOLD_MAX_S, (int64_t)job->to, gaps, ARRAY_LEN(gaps));
        downsample_init(&d, (int64_t)job->from, (int64_t)job->to, buckets, job->n, gaps, n_gaps);
        r = store_history(s, s->dict.series[job->series], &d);
        if (r != SQLITE_OK)
                return -r;
        jsonl_put(&p->j, json_pack("{ss ss sI so}", "t", "series", "series", s->dict.series[job->series]->key, "step",
                                   (json_int_t)(((int64_t)job->to - (int64_t)job->from) / (int64_t)job->n), "points", series_points(&d)));
        job->series++;
        return 1;
}

static void do_stats(struct store *s, struct peer *p, const json_t *line UNUSED)
{
        jsonl_put(&p->j, store_stats(s));
}

static const struct {
        enum job_kind kind;
        const char *end;
        int (*step)(struct store *s, struct peer *p);
} jobs[] = {
        [JOB_LOAD] = { JOB_LOAD, "loaded", load_step },
        [JOB_EVENTS] = { JOB_EVENTS, "end", events_step },
        [JOB_HISTORY] = { JOB_HISTORY, "end", history_step },
};

void peer_work(struct store *s, struct peer *p)
{
        while (p->job.kind != JOB_NONE && jsonl_unsent(&p->j) < OUT_ENOUGH) {
                const char *end = jobs[p->job.kind].end;
                int r = jobs[p->job.kind].step(s, p);

                if (r > 0)
                        continue;
                if (r < 0) {
                        db_failed(s, -r, "read");
                        peer_error(s, p, "%s", s->trouble[0] ? s->trouble : "the database was damaged and is replaced by a new one");
                }
                jsonl_put(&p->j, r < 0 || p->job.incomplete ? json_pack("{ss sb}", "t", end, "complete", 0) : json_pack("{ss}", "t", end));
                job_done(&p->job);
        }
}

static const struct {
        const char *t;
        bool writes;
        void (*fn)(struct store *s, struct peer *p, const json_t *line);
} words[] = {
        { "samples", true, do_samples }, { "event", true, do_event }, { "put", true, do_put },         { "del", true, do_del },
        { "sync", true, do_sync },       { "load", false, do_load },   { "history", false, do_history }, { "events", false, do_events },
        { "stats", false, do_stats },
};

void peer_line(struct store *s, struct peer *p, const json_t *line)
{
        const char *t = text_of(line, "t");

        for (size_t i = 0; i < ARRAY_LEN(words); i++) {
                if (!streq(words[i].t, t))
                        continue;
                if (words[i].writes && !p->writer)
                        peer_error(s, p, "%s is for veilled and root", t);
                else
                        words[i].fn(s, p, line);
                return;
        }
        s->counters.bad_lines++;
        peer_error(s, p, "'%.32s' is no word of the store", t);
}
