/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Reading one series: hours of days gone by, points of the days that have them, what came in lately, and what is not on disk
 * yet, in order of time. Works without a database, too: then there is the backlog only. */

#include "store.h"

#define LATE_MAX 16384 /* points of log and backlog of one series at a time */

size_t store_gaps(struct store *s, int64_t from_s, int64_t to_s, struct gap *ret, size_t max)
{
        sqlite3_stmt *st;
        size_t n = 0;

        if (db_stmt(s, STMT_GAPS, &st, "iii", from_s, to_s, (int64_t)max) == SQLITE_OK) {
                while (n < max && sqlite3_step(st) == SQLITE_ROW)
                        ret[n++] = (struct gap){ sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1) };
                sqlite3_reset(st);
        }
        for (size_t i = 0; i < s->pending.n_gaps && n < max; i++)
                if (s->pending.gaps[i].to_s > from_s && s->pending.gaps[i].from_s < to_s)
                        ret[n++] = s->pending.gaps[i];
        return n;
}

/* --- what has not been put in order yet: log and backlog -------------------------------------------------------- */

struct late_point {
        int64_t at_s;
        double value;
};

struct late {
        struct late_point *items;
        size_t n, size, next;
};

static void late_add(struct late *l, int64_t at_s, double value)
{
        size_t i;

        if (l->n == l->size && l->size < LATE_MAX) {
                size_t size = MIN(MAX(l->size * 2, 128), LATE_MAX);
                struct late_point *items = realloc(l->items, size * sizeof(*items));

                if (items) {
                        l->items = items;
                        l->size = size;
                }
        }
        if (l->n == l->size)
                return;
        /* Nearly always it belongs to the end. Of two of one second the later one counts. */
        for (i = l->n; i > 0 && l->items[i - 1].at_s > at_s; i--)
                l->items[i] = l->items[i - 1];
        l->items[i] = (struct late_point){ at_s, value };
        l->n++;
}

static int late_from_log(struct store *s, uint32_t id, int64_t hour, struct late *l)
{
        sqlite3_stmt *st;
        int r = db_stmt(s, STMT_LOG_OF_HOUR, &st, "i", hour);

        if (r != SQLITE_OK)
                return r;
        while ((r = sqlite3_step(st)) == SQLITE_ROW) {
                struct unpack u;
                uint32_t series;
                int64_t at;
                double value;

                unpack_init(&u, sqlite3_column_blob(st, 0), (size_t)sqlite3_column_bytes(st, 0));
                while (unpack_log(&u, &series, &at, &value) > 0)
                        if (series == id)
                                late_add(l, hour * HOUR_S + at, value);
        }
        sqlite3_reset(st);
        return r == SQLITE_DONE ? SQLITE_OK : r;
}

static int late_collect(struct store *s, const struct series *series, const struct downsample *d, struct late *l)
{
        int64_t hour = (d->from_s - HOLD_MAX_S) / HOUR_S;
        int r = SQLITE_OK;

        while (r == SQLITE_OK && s->db && series->stored) {
                r = db_number(s, STMT_LOG_NEXT, -1, &hour, "i", hour);
                if (r != SQLITE_OK || hour < 0 || hour * HOUR_S >= d->to_s)
                        break;
                r = late_from_log(s, series->id, hour++, l);
        }
        for (size_t i = 0; i < s->pending.n_samples; i++) {
                const struct pending_sample *p = &s->pending.samples[i];

                if (p->series == series && p->time_s >= d->from_s - HOLD_MAX_S && p->time_s < d->to_s)
                        late_add(l, p->time_s, p->value);
        }
        return r;
}

static void late_feed(struct late *l, struct downsample *d, int64_t before_s)
{
        for (; l->next < l->n && l->items[l->next].at_s < before_s; l->next++)
                downsample_point(d, l->items[l->next].at_s, l->items[l->next].value);
}

/* --- what is in order ---------------------------------------------------------------------------------------------- */

static int feed_raw_hour(struct store *s, uint32_t id, int64_t hour, struct downsample *d, struct late *l, bool *ret_any)
{
        sqlite3_stmt *st;
        struct unpack u;
        int64_t at;
        double value;
        int have, r = db_stmt(s, STMT_RAW_GET, &st, "ii", hour, (int64_t)id);

        if (r != SQLITE_OK)
                return r;
        r = sqlite3_step(st);
        if (r == SQLITE_ROW) {
                unpack_init(&u, sqlite3_column_blob(st, 0), (size_t)sqlite3_column_bytes(st, 0));
                while ((have = unpack_point(&u, &at, &value)) > 0) {
                        late_feed(l, d, hour * HOUR_S + at);
                        downsample_point(d, hour * HOUR_S + at, value);
                }
                if (have < 0)
                        s->counters.bad_blocks++;
                *ret_any = true;
        }
        sqlite3_reset(st);
        return r == SQLITE_ROW || r == SQLITE_DONE ? SQLITE_OK : r;
}

/* ret_any: there was a row for that day. */
static int feed_hours(struct store *s, uint32_t id, int64_t day, struct downsample *d, struct late *l, bool *ret_any)
{
        struct hour_stat hours[24];
        sqlite3_stmt *st;
        int n = 0, r = db_stmt(s, STMT_HOURLY_GET, &st, "ii", day, (int64_t)id);

        if (r != SQLITE_OK)
                return r;
        r = sqlite3_step(st);
        if (r == SQLITE_ROW) {
                n = unpack_hours(sqlite3_column_blob(st, 0), (size_t)sqlite3_column_bytes(st, 0), hours);
                *ret_any = n > 0;
                if (n < 0)
                        s->counters.bad_blocks++;
        }
        sqlite3_reset(st);
        for (int i = 0; i < n; i++) {
                int64_t start = day * DAY_S + hours[i].hour * HOUR_S;

                late_feed(l, d, start);
                downsample_hour(d, start, &hours[i]);
        }
        return r == SQLITE_ROW || r == SQLITE_DONE ? SQLITE_OK : r;
}

static int feed_raw_day(struct store *s, uint32_t id, int64_t day, struct downsample *d, struct late *l, bool *ret_any)
{
        int64_t from = MAX(day * 24, (d->from_s - HOLD_MAX_S) / HOUR_S), to = MIN((day + 1) * 24, d->to_s / HOUR_S + 1);
        int r = SQLITE_OK;

        for (int64_t hour = from; hour < to && r == SQLITE_OK; hour++)
                r = feed_raw_hour(s, id, hour, d, l, ret_any);
        return r;
}

/* Points where slices are finer than an hour, else the hours that were summed up; either where the other is missing. */
static int feed_day(struct store *s, uint32_t id, int64_t day, struct downsample *d, struct late *l)
{
        bool fine = (d->to_s - d->from_s) / (int64_t)d->n < HOUR_S, any = false;
        int r = fine ? feed_raw_day(s, id, day, d, l, &any) : feed_hours(s, id, day, d, l, &any);

        if (r == SQLITE_OK && !any)
                r = fine ? feed_hours(s, id, day, d, l, &any) : feed_raw_day(s, id, day, d, l, &any);
        return r;
}

/* Days that have something at all: a query from 1970 on is not 20000 lookups. */
static int clip_days(struct store *s, int64_t *from, int64_t *to)
{
        int64_t raw_min, raw_max, day_min, day_max;
        int r = db_number(s, STMT_RAW_MIN, INT64_MAX, &raw_min, "i", (int64_t)0);

        if (r == SQLITE_OK)
                r = db_number(s, STMT_RAW_MAX, -1, &raw_max, "");
        if (r == SQLITE_OK)
                r = db_number(s, STMT_HOURLY_MIN, INT64_MAX, &day_min, "");
        if (r == SQLITE_OK)
                r = db_number(s, STMT_HOURLY_MAX, -1, &day_max, "");
        if (r != SQLITE_OK)
                return r;
        *from = MAX(*from, MIN(raw_min / 24, day_min));
        *to = MIN(*to, MAX(raw_max < 0 ? -1 : raw_max / 24, day_max));
        return r;
}

/* Until when the last value may be taken to hold: nobody knows what is since the brain was heard last. */
static int64_t known_until(const struct store *s)
{
        int64_t heard = s->last_sample_s + GAP_MIN_S, now = store_wall_s(s);

        return now > s->last_sample_s ? MIN(heard, now) : heard;
}

int store_history(struct store *s, const struct series *series, struct downsample *d)
{
        int64_t from = (d->from_s - HOLD_MAX_S) / DAY_S, to = d->to_s / DAY_S;
        struct late l = { 0 };
        int r = late_collect(s, series, d, &l);

        if (r == SQLITE_OK && s->db && series->stored) {
                r = clip_days(s, &from, &to);
                for (int64_t day = from; day <= to && r == SQLITE_OK; day++)
                        r = feed_day(s, series->id, day, d, &l);
        }
        late_feed(&l, d, INT64_MAX);
        downsample_end(d, MIN(d->to_s, known_until(s)));
        free(l.items);
        return s->db || r != SQLITE_CANTOPEN ? r : SQLITE_OK;
}
