/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Housekeeping, one bounded step a call: an hour that is over goes from log to raw, a day that is over is summed up in
 * hourly, what is too old or too much is deleted, free pages are given back. A clock that jumped may bring values for an hour
 * or a day that was done already: then it is done again, and nothing that is known already gets lost. */

#include "store.h"

#define POINTS_MAX 16384       /* of one pass, 256 KiB */
#define LOG_MAX (8 * 1024 * 1024) /* more than this is compacted although its hours are not over */
#define HOUR_GRACE_S 120
#define DAY_GRACE_S 7500       /* a value may hold two hours into the next day, and the last hour must be compacted */
#define BATCH 64               /* series of a day at a time */
#define GAPS_MAX 256
#define VACUUM_PAGES 256      /* a step */
#define FREE_PAGES_MAX 64

static void advance_clock(struct store *s)
{
        int64_t now = s->boot_us();

        s->clock_s = retention_clock(s->clock_s, (now - s->clock_boot_us) / USEC_PER_SEC, store_wall_s(s));
        s->clock_boot_us = now;
}

/* --- from log to raw --------------------------------------------------------------------------------------------- */

struct point {
        uint32_t series;
        uint32_t at; /* second of the hour << 20 | number: of two values of one second the later counts */
        double value;
};

struct points {
        struct point *items;
        size_t n;
        uint32_t from, to; /* series of this pass */
};

static int point_cmp(const void *a, const void *b)
{
        const struct point *x = a, *y = b;

        if (x->series != y->series)
                return x->series < y->series ? -1 : 1;
        return x->at < y->at ? -1 : x->at > y->at;
}

/* Sorts and keeps one point a second; when it is still full, leaves the upper half of the series for a later pass. */
static void make_room(struct points *p)
{
        size_t n = 0;

        qsort(p->items, p->n, sizeof(*p->items), point_cmp);
        for (size_t i = 0; i < p->n; i++)
                if (i + 1 == p->n || p->items[i].series != p->items[i + 1].series || p->items[i].at >> 20 != p->items[i + 1].at >> 20)
                        p->items[n++] = p->items[i];
        p->n = n;
        if (n < POINTS_MAX * 3 / 4)
                return;
        p->to = MAX(p->items[n / 2].series, p->from + 1); /* one series alone has 3600 points at most */
        while (p->n > 0 && p->items[p->n - 1].series >= p->to)
                p->n--;
}

static void take_block(struct store *s, struct points *p, const void *data, size_t len, uint32_t *number)
{
        struct point point;
        struct unpack u;
        int64_t at;
        int r;

        unpack_init(&u, data, len);
        while ((r = unpack_log(&u, &point.series, &at, &point.value)) > 0) {
                point.at = (uint32_t)at << 20 | MIN(*number, 0xfffffu);
                ++*number;
                if (point.series < p->from || point.series >= p->to)
                        continue;
                if (p->n == POINTS_MAX)
                        make_room(p);
                if (point.series < p->to)
                        p->items[p->n++] = point;
        }
        if (r < 0)
                s->counters.bad_blocks++;
}

/* What raw has of this hour already, before what is new. */
static int merge_known(struct store *s, int64_t hour, uint32_t series, const struct point *points, size_t n, struct pack *out)
{
        sqlite3_stmt *st;
        struct unpack u;
        int64_t at = 0;
        double value;
        size_t i = 0;
        int r = db_stmt(s, STMT_RAW_GET, &st, "ii", hour, (int64_t)series), have = 0;

        if (r != SQLITE_OK)
                return r;
        r = sqlite3_step(st);
        if (r != SQLITE_ROW && r != SQLITE_DONE) {
                sqlite3_reset(st);
                return r;
        }
        unpack_init(&u, r == SQLITE_ROW ? sqlite3_column_blob(st, 0) : NULL, r == SQLITE_ROW ? (size_t)sqlite3_column_bytes(st, 0) : 0);
        r = SQLITE_OK;
        pack_reset(out);
        while (r == SQLITE_OK && ((have = unpack_point(&u, &at, &value)) > 0 || i < n)) {
                for (; i < n && (have <= 0 || points[i].at >> 20 < at); i++)
                        if (pack_point(out, points[i].at >> 20, points[i].value) < 0)
                                r = SQLITE_NOMEM;
                if (have <= 0)
                        break;
                if (!(i < n && points[i].at >> 20 == at) && pack_point(out, at, value) < 0)
                        r = SQLITE_NOMEM;
        }
        if (have < 0)
                s->counters.bad_blocks++;
        sqlite3_reset(st);
        return r;
}

static int write_raw(struct store *s, int64_t hour, const struct points *p, struct pack *out)
{
        int r = SQLITE_OK;

        for (size_t i = 0, end; i < p->n && r == SQLITE_OK; i = end) {
                uint32_t series = p->items[i].series;

                for (end = i; end < p->n && p->items[end].series == series; end++)
                        ;
                r = merge_known(s, hour, series, p->items + i, end - i, out);
                if (r == SQLITE_OK)
                        r = db_run(s, STMT_RAW_PUT, "iib", hour, (int64_t)series, out->data, out->len);
        }
        return r;
}

static int compact_pass(struct store *s, int64_t hour, struct points *p, struct pack *out)
{
        uint32_t number = 0;
        sqlite3_stmt *st;
        int r = db_stmt(s, STMT_LOG_OF_HOUR, &st, "i", hour);

        p->n = 0;
        if (r != SQLITE_OK)
                return r;
        while ((r = sqlite3_step(st)) == SQLITE_ROW)
                take_block(s, p, sqlite3_column_blob(st, 0), (size_t)sqlite3_column_bytes(st, 0), &number);
        sqlite3_reset(st);
        if (r != SQLITE_DONE)
                return r;
        make_room(p); /* sorts, too */
        return write_raw(s, hour, p, out);
}

static int compact_hour(struct store *s, int64_t hour)
{
        struct points p = { .items = malloc(POINTS_MAX * sizeof(struct point)), .to = UINT32_MAX };
        struct pack out = { 0 };
        int r = p.items ? db_exec(s, "BEGIN IMMEDIATE") : SQLITE_NOMEM;

        while (r == SQLITE_OK) {
                r = compact_pass(s, hour, &p, &out);
                if (p.to == UINT32_MAX)
                        break;
                p.from = p.to;
                p.to = UINT32_MAX;
        }
        if (r == SQLITE_OK)
                r = db_run(s, STMT_LOG_DELETE, "i", hour);
        if (r == SQLITE_OK)
                r = db_run(s, STMT_ROLLED_DELETE, "i", hour / 24);
        advance_clock(s);
        if (r == SQLITE_OK)
                r = db_run(s, STMT_META_PUT, "ti", "clock", s->clock_s);
        if (r == SQLITE_OK)
                r = db_exec(s, "COMMIT");
        s->counters.compactions++;
        free(p.items);
        pack_done(&out);
        return r;
}

static int compact_oldest(struct store *s, bool *ret_done)
{
        int64_t hour, size = 0;
        int r = db_number(s, STMT_LOG_OLDEST, -1, &hour, "");

        if (r == SQLITE_OK && hour >= 0 && (hour + 1) * HOUR_S + HOUR_GRACE_S > store_wall_s(s))
                r = db_number(s, STMT_LOG_SIZE, 0, &size, "");
        if (r != SQLITE_OK || hour < 0 || ((hour + 1) * HOUR_S + HOUR_GRACE_S > store_wall_s(s) && size <= LOG_MAX))
                return r;
        *ret_done = true;
        return compact_hour(s, hour);
}

/* --- from raw to hourly ------------------------------------------------------------------------------------------- */

struct day {
        int64_t day;
        uint32_t from;
        struct downsample d[BATCH];
        struct bucket buckets[BATCH][24];
        struct gap gaps[GAPS_MAX];
        size_t n_gaps;
        bool any[BATCH];
};

static int feed_hour(struct store *s, struct day *day, int64_t hour)
{
        sqlite3_stmt *st;
        int r = db_stmt(s, STMT_RAW_RANGE, &st, "iii", hour, (int64_t)day->from, (int64_t)day->from + BATCH);

        if (r != SQLITE_OK)
                return r;
        while ((r = sqlite3_step(st)) == SQLITE_ROW) {
                size_t i = (size_t)(sqlite3_column_int64(st, 0) - day->from);
                struct unpack u;
                int64_t at;
                double value;
                int have;

                if (i >= BATCH) { /* a torn table gives rows that were not asked for */
                        s->counters.bad_blocks++;
                        continue;
                }
                unpack_init(&u, sqlite3_column_blob(st, 1), (size_t)sqlite3_column_bytes(st, 1));
                while ((have = unpack_point(&u, &at, &value)) > 0)
                        downsample_point(&day->d[i], hour * HOUR_S + at, value);
                if (have < 0)
                        s->counters.bad_blocks++;
                day->any[i] = day->any[i] || hour >= day->day * 24;
        }
        sqlite3_reset(st);
        return r == SQLITE_DONE ? SQLITE_OK : r;
}

static size_t stats_of(const struct bucket buckets[24], struct hour_stat ret[24])
{
        size_t n = 0;

        for (int i = 0; i < 24; i++)
                if (buckets[i].seen)
                        ret[n++] = (struct hour_stat){ i, (int)MAX(1, MIN(buckets[i].cover_s, HOUR_S)), buckets[i].mean, buckets[i].min,
                                                       buckets[i].max };
        return n;
}

/* Of each hour the better known one: what was summed up once may have been made from points that are deleted by now. */
static size_t merge_stats(const struct hour_stat *old, size_t n_old, const struct hour_stat *new, size_t n_new, struct hour_stat ret[24])
{
        size_t i = 0, k = 0, n = 0;

        while (i < n_old || k < n_new) {
                if (k == n_new || (i < n_old && old[i].hour < new[k].hour)) {
                        ret[n++] = old[i++];
                } else if (i == n_old || new[k].hour < old[i].hour) {
                        ret[n++] = new[k++];
                } else {
                        ret[n++] = old[i].cover_s > new[k].cover_s ? old[i] : new[k];
                        i++, k++;
                }
        }
        return n;
}

static int write_day(struct store *s, int64_t day, uint32_t series, const struct bucket buckets[24], struct pack *out)
{
        struct hour_stat old[24], new[24], merged[24];
        size_t n_new = stats_of(buckets, new), n;
        sqlite3_stmt *st;
        int n_old = 0, r = db_stmt(s, STMT_HOURLY_GET, &st, "ii", day, (int64_t)series);

        if (r != SQLITE_OK)
                return r;
        r = sqlite3_step(st);
        if (r == SQLITE_ROW)
                n_old = unpack_hours(sqlite3_column_blob(st, 0), (size_t)sqlite3_column_bytes(st, 0), old);
        sqlite3_reset(st);
        if (r != SQLITE_ROW && r != SQLITE_DONE)
                return r;
        if (n_old < 0)
                s->counters.bad_blocks++;
        n = merge_stats(old, (size_t)MAX(n_old, 0), new, n_new, merged);
        pack_reset(out);
        if (n == 0)
                return SQLITE_OK;
        if (pack_hours(out, merged, n) < 0)
                return SQLITE_NOMEM;
        r = db_run(s, STMT_HOURLY_PUT, "iib", day, (int64_t)series, out->data, out->len);
        return r == SQLITE_OK ? db_run(s, STMT_SERIES_SEEN, "iii", day, (int64_t)series, day) : r;
}

static int roll_batch(struct store *s, struct day *day, struct pack *out)
{
        int64_t start = day->day * DAY_S;
        int r = SQLITE_OK;

        for (size_t i = 0; i < BATCH; i++) {
                downsample_init(&day->d[i], start, start + DAY_S, day->buckets[i], 24, day->gaps, day->n_gaps);
                day->any[i] = false;
        }
        for (int64_t hour = day->day * 24 - HOLD_MAX_S / HOUR_S; hour < (day->day + 1) * 24 && r == SQLITE_OK; hour++)
                r = feed_hour(s, day, hour);
        for (size_t i = 0; i < BATCH && r == SQLITE_OK; i++) {
                downsample_end(&day->d[i], start + DAY_S);
                if (day->any[i])
                        r = write_day(s, day->day, day->from + (uint32_t)i, day->buckets[i], out);
        }
        return r;
}

/* The least id that is not below from; ids may have holes. UINT32_MAX: none. */
static uint32_t next_series(const struct store *s, uint32_t from)
{
        uint32_t next = UINT32_MAX;

        for (size_t i = 0; i < s->dict.n; i++)
                if (s->dict.series[i]->id >= from)
                        next = MIN(next, s->dict.series[i]->id);
        return next;
}

static int roll_day(struct store *s, int64_t number)
{
        struct day *day = malloc(sizeof(*day));
        struct pack out = { 0 };
        int r = day ? db_exec(s, "BEGIN IMMEDIATE") : SQLITE_NOMEM;

        if (r == SQLITE_OK) {
                day->day = number;
                day->n_gaps = store_gaps(s, number * DAY_S - HOLD_MAX_S, (number + 1) * DAY_S, day->gaps, GAPS_MAX);
        }
        for (uint32_t from = 0; r == SQLITE_OK && (from = next_series(s, from)) != UINT32_MAX; from += BATCH) {
                day->from = from;
                r = roll_batch(s, day, &out);
        }
        if (r == SQLITE_OK)
                r = db_run(s, STMT_ROLLED_ADD, "i", number);
        if (r == SQLITE_OK)
                r = db_exec(s, "COMMIT");
        pack_done(&out);
        free(day);
        return r;
}

/* The oldest day of raw that is over and not summed up; -1: none. */
static int day_to_roll(struct store *s, int64_t *ret)
{
        int64_t hour = 0;

        *ret = -1;
        for (;;) {
                int64_t rolled;
                int r = db_number(s, STMT_RAW_MIN, -1, &hour, "i", hour);

                if (r != SQLITE_OK || hour < 0 || (hour / 24 + 1) * DAY_S + DAY_GRACE_S > store_wall_s(s))
                        return r;
                r = db_number(s, STMT_ROLLED_HAS, 0, &rolled, "i", hour / 24);
                if (r != SQLITE_OK)
                        return r;
                if (!rolled) {
                        *ret = hour / 24;
                        return r;
                }
                hour = (hour / 24 + 1) * 24;
        }
}

/* --- what goes ---------------------------------------------------------------------------------------------------------- */

static int facts(struct store *s, struct retention_facts *f, int64_t *ret_free)
{
        int64_t pages = 0;
        int r = db_ask(s, "PRAGMA page_count", &pages);

        if (r == SQLITE_OK)
                r = db_ask(s, "PRAGMA freelist_count", ret_free);
        if (r == SQLITE_OK)
                r = db_number(s, STMT_RAW_MIN, -1, &f->oldest_raw_hour, "i", (int64_t)0);
        if (r == SQLITE_OK)
                r = db_number(s, STMT_RAW_MAX, -1, &f->newest_raw_hour, "");
        if (r == SQLITE_OK)
                r = db_number(s, STMT_HOURLY_MIN, -1, &f->oldest_hourly_day, "");
        if (r == SQLITE_OK)
                r = db_number(s, STMT_HOURLY_MAX, -1, &f->newest_hourly_day, "");
        f->clock_s = s->clock_s;
        f->n_events = s->n_events;
        f->used_bytes = (pages - *ret_free) * 4096;
        return r;
}

/* A day at a time: deleting a week at once would hold the disk for long. */
static int delete_raw(struct store *s, const struct retention_facts *f, int64_t before_day)
{
        int64_t day = MIN(before_day, f->oldest_raw_hour / 24 + 1);
        int r = db_run(s, STMT_RAW_DELETE, "i", day * 24);

        s->counters.deleted_raw_days++;
        return r == SQLITE_OK ? db_run(s, STMT_ROLLED_BEFORE, "i", day) : r;
}

/* Names of which nothing is kept any more. Should one come again, it gets a new row. */
static int drop_series(struct store *s, int64_t before_day)
{
        sqlite3_stmt *st;
        int r = db_stmt(s, STMT_SERIES_DROP, &st, "i", before_day);

        if (r != SQLITE_OK)
                return r;
        while ((r = sqlite3_step(st)) == SQLITE_ROW)
                for (size_t i = 0; i < s->dict.n; i++)
                        if (s->dict.series[i]->id == sqlite3_column_int64(st, 0))
                                s->dict.series[i]->stored = false;
        sqlite3_reset(st);
        return r == SQLITE_DONE ? SQLITE_OK : r;
}

static int delete_hourly(struct store *s, const struct retention_facts *f, int64_t before_day)
{
        int64_t day = MIN(before_day, f->oldest_hourly_day + 7);
        int r = db_run(s, STMT_HOURLY_DELETE, "i", day);

        s->counters.deleted_hourly_weeks++;
        if (r == SQLITE_OK)
                r = db_run(s, STMT_GAPS_DELETE, "i", day * DAY_S);
        return r == SQLITE_OK ? drop_series(s, day) : r;
}

static int apply(struct store *s, const struct retention_facts *f, const struct retention_plan *p)
{
        int64_t events = MIN(p->oldest_events, 1000);
        int r = db_exec(s, "BEGIN IMMEDIATE");

        if (r == SQLITE_OK)
                r = db_run(s, STMT_META_PUT, "ti", "clock", s->clock_s);
        if (r == SQLITE_OK && p->raw_before_day)
                r = delete_raw(s, f, p->raw_before_day);
        if (r == SQLITE_OK && p->hourly_before_day)
                r = delete_hourly(s, f, p->hourly_before_day);
        if (r == SQLITE_OK && events)
                r = db_run(s, STMT_EVENTS_DELETE, "i", events);
        if (r == SQLITE_OK)
                r = db_exec(s, "COMMIT");
        if (r != SQLITE_OK)
                return r;
        s->n_events -= events;
        s->counters.deleted_events += (uint64_t)events;
        return r;
}

static int delete_old(struct store *s, bool *ret_done)
{
        struct retention_facts f = { 0 };
        struct retention_plan p;
        int64_t free_pages = 0;
        int r;

        advance_clock(s);
        r = facts(s, &f, &free_pages);
        if (r != SQLITE_OK)
                return r;
        retention_plan(&s->limits, &f, &p);
        if (p.raw_before_day || p.hourly_before_day || p.oldest_events) {
                *ret_done = true;
                return apply(s, &f, &p);
        }
        /* Free pages are used again; give back only what is more than a tenth. */
        if (free_pages > FREE_PAGES_MAX && free_pages * 4096 > f.used_bytes / 10) {
                char text[96];

                *ret_done = true; /* the file shrinks only when the log is worked in */
                snprintf(text, sizeof(text), "PRAGMA incremental_vacuum(%d); PRAGMA wal_checkpoint(TRUNCATE)", VACUUM_PAGES);
                return db_exec(s, text);
        }
        return r;
}

bool store_tidy(struct store *s)
{
        bool done = false;
        int64_t day = -1;
        int r;

        if (!s->db || s->trouble[0])
                return false;
        r = compact_oldest(s, &done);
        if (r == SQLITE_OK && !done)
                r = day_to_roll(s, &day);
        if (r == SQLITE_OK && day >= 0) {
                done = true;
                r = roll_day(s, day);
        }
        if (r == SQLITE_OK && !done)
                r = delete_old(s, &done);
        if (r != SQLITE_OK) {
                db_failed(s, r, "tidy up");
                return false;
        }
        return done;
}
