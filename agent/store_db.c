/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The database: opening, the table of statements, and what happens when the disk or the file is broken.
 *
 * Schema (version 2; what version 1 had not: uid in events). sqlite3 can read it while the store runs; the blocks are those of pack.h.
 *  series  name and component of each series
 *  log     what came in lately, as it came in: one block a commit and hour
 *  raw     one block for each hour and series; made from log when the hour is over
 *  hourly  one block for each day and series: mean, min, max of its hours; made from raw when the day is over
 *  rolled  days of raw that hourly has
 *  gap     times in which nobody measured
 *  events  changes of level and other things to remember; uid: the id that whoever told it gave it, each once
 *  kv      the brain's state over a reboot
 *  meta    the retention clock; when the brain was heard last before an orderly end; id: by which the brain sees that it is another one
 * In raw and hourly the time comes first in the key: what is written together lies together, so that an hour of 1200
 * series is a few hundred pages and not 1200. */

#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>
#include <time.h>

#include "store.h"

#define VERSION 2
#define CACHE_KIB 512
#define CHECK_S 3         /* the whole check at start; the small tables come first */
#define RETRY_S 10
#define SALVAGE_EVENTS 20000
#define SALVAGE_KV_BYTES (16 * 1024 * 1024)

static const char schema[] =
        "CREATE TABLE series(id INTEGER PRIMARY KEY, key TEXT NOT NULL, component TEXT NOT NULL, last_day INTEGER NOT NULL);"
        "CREATE TABLE log(id INTEGER PRIMARY KEY, hour INTEGER NOT NULL, last_s INTEGER NOT NULL, data BLOB NOT NULL);"
        "CREATE TABLE raw(hour INTEGER, series INTEGER, data BLOB NOT NULL, PRIMARY KEY(hour, series)) WITHOUT ROWID;"
        "CREATE TABLE hourly(day INTEGER, series INTEGER, data BLOB NOT NULL, PRIMARY KEY(day, series)) WITHOUT ROWID;"
        "CREATE TABLE rolled(day INTEGER PRIMARY KEY);"
        "CREATE TABLE gap(from_s INTEGER PRIMARY KEY, to_s INTEGER NOT NULL);"
        "CREATE TABLE events(id INTEGER PRIMARY KEY, time REAL NOT NULL, component TEXT NOT NULL, kind TEXT NOT NULL,"
        " from_level TEXT NOT NULL, to_level TEXT NOT NULL, rule TEXT NOT NULL, why TEXT NOT NULL, uid TEXT);"
        "CREATE UNIQUE INDEX events_uid ON events(uid) WHERE uid IS NOT NULL;"
        "CREATE INDEX events_time ON events(time);"
        "CREATE INDEX events_component ON events(component, time);"
        "CREATE TABLE kv(key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL);"
        "CREATE TABLE meta(key TEXT PRIMARY KEY NOT NULL, value INTEGER NOT NULL) WITHOUT ROWID;"
        "INSERT INTO meta VALUES('id', random());"
        "PRAGMA user_version = 2;";

static const char from_version_1[] =
        "ALTER TABLE events ADD COLUMN uid TEXT;"
        "CREATE UNIQUE INDEX events_uid ON events(uid) WHERE uid IS NOT NULL;"
        "INSERT OR REPLACE INTO meta VALUES('id', random());"
        "PRAGMA user_version = 2;";

#define EVENT_COLUMNS "id, time, component, kind, from_level, to_level, rule, why"

/* NOLINTBEGIN(bugprone-suspicious-missing-comma): long statements are in pieces */
static const char *const sql[STMT_MAX] = {
        [STMT_SERIES_ADD] = "INSERT OR REPLACE INTO series VALUES(?, ?, ?, ?)",
        [STMT_SERIES_SEEN] = "UPDATE series SET last_day = ? WHERE id = ? AND last_day < ?",
        [STMT_SERIES_DROP] = "DELETE FROM series WHERE last_day < ? RETURNING id",
        [STMT_LOG_ADD] = "INSERT INTO log(hour, last_s, data) VALUES(?, ?, ?)",
        [STMT_EVENT_ADD] = "INSERT INTO events(time, component, kind, from_level, to_level, rule, why, uid) VALUES(?, ?, ?, ?, ?, ?, ?, ?)"
                           " ON CONFLICT(uid) WHERE uid IS NOT NULL DO NOTHING",
        [STMT_EVENT_HAS] = "SELECT count(*) FROM events WHERE uid = ?",
        [STMT_KV_PUT] = "INSERT OR REPLACE INTO kv VALUES(?, ?)",
        [STMT_KV_DEL] = "DELETE FROM kv WHERE key = ?",
        [STMT_KV_LENGTH] = "SELECT count(*) FROM kv WHERE key = ?",
        [STMT_GAP_ADD] = "INSERT INTO gap VALUES(?1, ?2) ON CONFLICT(from_s) DO UPDATE SET to_s = max(to_s, ?2)",
        [STMT_META_PUT] = "INSERT OR REPLACE INTO meta VALUES(?, ?)",
        [STMT_LOG_OF_HOUR] = "SELECT data FROM log WHERE hour = ? ORDER BY id",
        [STMT_LOG_DELETE] = "DELETE FROM log WHERE hour = ?",
        [STMT_LOG_OLDEST] = "SELECT min(hour) FROM log",
        [STMT_LOG_NEXT] = "SELECT min(hour) FROM log WHERE hour >= ?",
        [STMT_LOG_SIZE] = "SELECT sum(length(data)) FROM log",
        [STMT_RAW_GET] = "SELECT data FROM raw WHERE hour = ? AND series = ?",
        [STMT_RAW_PUT] = "INSERT OR REPLACE INTO raw VALUES(?, ?, ?)",
        [STMT_RAW_RANGE] = "SELECT series, data FROM raw WHERE hour = ? AND series >= ? AND series < ? ORDER BY series",
        [STMT_RAW_MIN] = "SELECT min(hour) FROM raw WHERE hour >= ?",
        [STMT_RAW_MAX] = "SELECT max(hour) FROM raw",
        [STMT_RAW_DELETE] = "DELETE FROM raw WHERE hour < ?",
        [STMT_HOURLY_GET] = "SELECT data FROM hourly WHERE day = ? AND series = ?",
        [STMT_HOURLY_PUT] = "INSERT OR REPLACE INTO hourly VALUES(?, ?, ?)",
        [STMT_HOURLY_MIN] = "SELECT min(day) FROM hourly",
        [STMT_HOURLY_MAX] = "SELECT max(day) FROM hourly",
        [STMT_HOURLY_DELETE] = "DELETE FROM hourly WHERE day < ?",
        [STMT_ROLLED_HAS] = "SELECT count(*) FROM rolled WHERE day = ?",
        [STMT_ROLLED_ADD] = "INSERT OR REPLACE INTO rolled VALUES(?)",
        [STMT_ROLLED_DELETE] = "DELETE FROM rolled WHERE day = ?",
        [STMT_ROLLED_BEFORE] = "DELETE FROM rolled WHERE day < ?",
        [STMT_GAPS] = "SELECT from_s, to_s FROM gap WHERE to_s > ? AND from_s < ? ORDER BY from_s LIMIT ?",
        [STMT_GAPS_DELETE] = "DELETE FROM gap WHERE to_s < ?",
        [STMT_KV_NEXT] = "SELECT key, value FROM kv WHERE key >= ?1 AND key > ?2 ORDER BY key LIMIT 1",
        [STMT_EVENTS_START] = "SELECT id, time FROM events WHERE time >= ? AND time <= ? ORDER BY time DESC, id DESC LIMIT 1 OFFSET ?",
        [STMT_EVENTS_START_OF] =
                "SELECT id, time FROM events WHERE component = ?4 AND time >= ?1 AND time <= ?2 ORDER BY time DESC, id DESC LIMIT 1 OFFSET ?3",
        [STMT_EVENTS_PAGE] =
                ("SELECT " EVENT_COLUMNS " FROM events WHERE time >= ?1 AND (time, id) >= (?1, ?2) AND time <= ?3 ORDER BY time, id LIMIT 50"),
        [STMT_EVENTS_PAGE_OF] =
                ("SELECT " EVENT_COLUMNS
                 " FROM events WHERE component = ?4 AND time >= ?1 AND (time, id) >= (?1, ?2) AND time <= ?3 ORDER BY time, id LIMIT 50"),
        [STMT_EVENTS_DELETE] = "DELETE FROM events WHERE id IN (SELECT id FROM events ORDER BY id LIMIT ?)",
};
/* NOLINTEND(bugprone-suspicious-missing-comma) */

int db_exec(struct store *s, const char *text)
{
        return s->db ? sqlite3_exec(s->db, text, NULL, NULL, NULL) : SQLITE_CANTOPEN;
}

int db_ask(struct store *s, const char *text, int64_t *ret)
{
        sqlite3_stmt *st;
        int r = sqlite3_prepare_v2(s->db, text, -1, &st, NULL);

        if (r != SQLITE_OK)
                return r;
        r = sqlite3_step(st);
        *ret = r == SQLITE_ROW ? sqlite3_column_int64(st, 0) : 0;
        sqlite3_finalize(st);
        return r == SQLITE_ROW || r == SQLITE_DONE ? SQLITE_OK : r;
}

static int bind(sqlite3_stmt *st, const char *types, va_list ap)
{
        int r = SQLITE_OK;

        for (int i = 1; *types && r == SQLITE_OK; types++, i++)
                switch (*types) {
                case 'i':
                        r = sqlite3_bind_int64(st, i, va_arg(ap, int64_t));
                        break;
                case 'd':
                        r = sqlite3_bind_double(st, i, va_arg(ap, double));
                        break;
                case 't':
                        r = sqlite3_bind_text(st, i, va_arg(ap, const char *), -1, SQLITE_STATIC);
                        break;
                default: {
                        const void *data = va_arg(ap, const void *);

                        r = sqlite3_bind_blob64(st, i, data, va_arg(ap, size_t), SQLITE_STATIC);
                        break;
                }
                }
        return r;
}

static int prepare(struct store *s, enum stmt which, const char *types, va_list ap, sqlite3_stmt **ret)
{
        int r;

        if (!s->db)
                return SQLITE_CANTOPEN;
        if (!s->stmts[which]) {
                r = sqlite3_prepare_v3(s->db, sql[which], -1, SQLITE_PREPARE_PERSISTENT, &s->stmts[which], NULL);
                if (r != SQLITE_OK)
                        return r;
        }
        sqlite3_reset(s->stmts[which]);
        *ret = s->stmts[which];
        return bind(*ret, types, ap);
}

int db_stmt(struct store *s, enum stmt which, sqlite3_stmt **ret, const char *types, ...)
{
        va_list ap;
        int r;

        *ret = NULL;
        va_start(ap, types);
        r = prepare(s, which, types, ap, ret);
        va_end(ap);
        return r;
}

int db_run(struct store *s, enum stmt which, const char *types, ...)
{
        sqlite3_stmt *st = NULL;
        va_list ap;
        int r;

        va_start(ap, types);
        r = prepare(s, which, types, ap, &st);
        va_end(ap);
        if (r != SQLITE_OK)
                return r;
        while ((r = sqlite3_step(st)) == SQLITE_ROW)
                ;
        sqlite3_reset(st);
        return r == SQLITE_DONE ? SQLITE_OK : r;
}

int db_number(struct store *s, enum stmt which, int64_t missing, int64_t *ret, const char *types, ...)
{
        sqlite3_stmt *st = NULL;
        va_list ap;
        int r;

        *ret = missing;
        va_start(ap, types);
        r = prepare(s, which, types, ap, &st);
        va_end(ap);
        if (r != SQLITE_OK)
                return r;
        r = sqlite3_step(st);
        if (r == SQLITE_ROW && sqlite3_column_type(st, 0) != SQLITE_NULL)
                *ret = sqlite3_column_int64(st, 0);
        sqlite3_reset(st);
        return r == SQLITE_ROW || r == SQLITE_DONE ? SQLITE_OK : r;
}

void db_close(struct store *s)
{
        for (size_t i = 0; i < STMT_MAX; i++) {
                sqlite3_finalize(s->stmts[i]);
                s->stmts[i] = NULL;
        }
        sqlite3_close(s->db);
        s->db = NULL;
}

/* --- opening ------------------------------------------------------------------------------------------------- */

struct limit {
        struct store *s;
        int64_t until_us;
};

static int time_is_up(void *data)
{
        struct limit *l = data;

        return l->s->boot_us() > l->until_us;
}

/* SQLITE_OK when all is well, or not all could be looked at in the time; SQLITE_CORRUPT; other codes. */
static int check_table(struct store *s, const char *table)
{
        char text[64];
        sqlite3_stmt *st;
        int r;

        snprintf(text, sizeof(text), "PRAGMA quick_check('%s')", table);
        r = sqlite3_prepare_v2(s->db, text, -1, &st, NULL);
        if (r != SQLITE_OK)
                return r;
        r = sqlite3_step(st);
        if (r == SQLITE_ROW) {
                const char *found = (const char *)sqlite3_column_text(st, 0);

                r = found && streq(found, "ok") ? SQLITE_OK : SQLITE_CORRUPT;
                if (r != SQLITE_OK)
                        store_log(s, STORE_ERROR, "%s: table %s: %s", s->path, table, found ? found : "damaged");
        }
        sqlite3_finalize(st);
        return r == SQLITE_INTERRUPT || r == SQLITE_DONE ? SQLITE_OK : r;
}

/* What matters most first: a large file may take longer than anybody wants to wait for a start. */
static int check(struct store *s)
{
        static const char *const tables[] = { "meta", "kv", "series", "gap", "rolled", "events", "log", "raw", "hourly" };
        struct limit limit = { s, s->boot_us() + CHECK_S * USEC_PER_SEC };
        int r = SQLITE_OK;

        sqlite3_progress_handler(s->db, 1000, time_is_up, &limit);
        for (size_t i = 0; i < ARRAY_LEN(tables) && r == SQLITE_OK && !time_is_up(&limit); i++)
                r = check_table(s, tables[i]);
        sqlite3_progress_handler(s->db, 0, NULL, NULL);
        return r;
}

static int set_up(struct store *s, bool *ret_fresh)
{
        char text[512];
        int64_t version = 0, pages = s->limits.max_bytes / 4096;
        int r;

        sqlite3_extended_result_codes(s->db, 1);
        sqlite3_busy_timeout(s->db, 2000);
        sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
        sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
        /* synchronous=FULL: an acknowledged line is on the platter, not only in the kernel. */
        snprintf(text, sizeof(text),
                 "PRAGMA page_size=4096; PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                 "PRAGMA cache_size=-%d; PRAGMA cell_size_check=ON; PRAGMA temp_store=MEMORY; PRAGMA secure_delete=OFF;"
                 "PRAGMA journal_size_limit=4194304;",
                 CACHE_KIB);
        r = db_exec(s, text);
        if (r == SQLITE_OK)
                r = db_ask(s, "PRAGMA user_version", &version);
        if (r != SQLITE_OK)
                return r;
        /* A tenth more than the limit: housekeeping holds the limit, and needs room to do so. */
        snprintf(text, sizeof(text), "PRAGMA max_page_count=%lld", (long long)pages + pages / 10);
        r = db_ask(s, text, &pages);
        if (r != SQLITE_OK)
                return r;
        *ret_fresh = version == 0;
        if (version > VERSION)
                return SQLITE_MISMATCH;
        if (version > 0)
                r = check(s);
        if (r != SQLITE_OK || version == VERSION)
                return r;
        r = db_exec(s, "BEGIN IMMEDIATE");
        if (r == SQLITE_OK)
                r = db_exec(s, version == 0 ? schema : from_version_1);
        if (r == SQLITE_OK)
                r = db_exec(s, "COMMIT");
        else
                db_exec(s, "ROLLBACK");
        return r;
}

/* What the dictionary has and the file has not gets a new number: the file may be another one than before. */
static void renumber(struct dict *d)
{
        for (size_t i = 0; i < d->n; i++)
                if (!d->series[i]->stored)
                        d->series[i]->id = d->next_id++;
}

static int load_series(struct store *s)
{
        sqlite3_stmt *st;
        int r = sqlite3_prepare_v2(s->db, "SELECT id, key, component FROM series ORDER BY id", -1, &st, NULL);

        if (r != SQLITE_OK)
                return r;
        for (size_t i = 0; i < s->dict.n; i++)
                s->dict.series[i]->stored = false;
        while ((r = sqlite3_step(st)) == SQLITE_ROW) {
                int64_t id = sqlite3_column_int64(st, 0);
                const char *key = (const char *)sqlite3_column_text(st, 1), *component = (const char *)sqlite3_column_text(st, 2);
                struct series_key k;
                struct series *series;

                if (id <= 0 || id >= SERIES_ID_MAX || !key || !component || series_key_parse(key, &k) < 0) {
                        r = SQLITE_CORRUPT;
                        break;
                }
                series = dict_find(&s->dict, key);
                if (!series && !(series = dict_add(&s->dict, key, component, (uint32_t)id))) {
                        r = SQLITE_NOMEM;
                        break;
                }
                series->id = (uint32_t)id;
                series->stored = true;
                s->dict.next_id = MAX(s->dict.next_id, (uint32_t)id + 1);
        }
        sqlite3_finalize(st);
        renumber(&s->dict);
        return r == SQLITE_DONE ? SQLITE_OK : r;
}

static int load_levels(struct store *s)
{
        sqlite3_stmt *st;
        int r = sqlite3_prepare_v2(s->db,
                                   /* The last of each; of two at the same time the one that came later. */
                                   "SELECT component, to_level, time, max(printf('%020.6f %020d', time, id)) FROM events"
                                   " WHERE from_level <> to_level GROUP BY component",
                                   -1, &st, NULL);

        if (r != SQLITE_OK)
                return r;
        while ((r = sqlite3_step(st)) == SQLITE_ROW) {
                const char *name = (const char *)sqlite3_column_text(st, 0), *to = (const char *)sqlite3_column_text(st, 1);
                struct component *c = name ? dict_component(&s->dict, name, true) : NULL;
                int level = to ? level_from_name(to) : -EINVAL;

                if (c && level >= 0 && c->since == 0) {
                        c->level = (enum level)level;
                        c->since = sqlite3_column_double(st, 2);
                }
        }
        sqlite3_finalize(st);
        return r == SQLITE_DONE ? SQLITE_OK : r;
}

/* Since when nothing was heard: the newest value there is. */
static int load_numbers(struct store *s)
{
        int64_t last_s = 0, heard_s = 0, hour = 0;
        int r = db_ask(s, "SELECT count(*) FROM events", &s->n_events);

        if (r == SQLITE_OK)
                r = db_ask(s, "SELECT count(*) FROM kv", &s->n_kv);
        if (r == SQLITE_OK)
                r = db_ask(s, "SELECT value FROM meta WHERE key = 'clock'", &s->clock_s);
        if (r == SQLITE_OK)
                r = db_ask(s, "SELECT value FROM meta WHERE key = 'id'", &s->db_id);
        if (r == SQLITE_OK)
                r = db_ask(s, "SELECT max(last_s) FROM log", &last_s);
        if (r == SQLITE_OK)
                r = db_ask(s, "SELECT max(hour) FROM raw", &hour);
        if (r == SQLITE_OK)
                r = db_ask(s, "SELECT value FROM meta WHERE key = 'heard'", &heard_s);
        if (s->last_sample_s == 0) /* not what a clock that was wrong left in the future */
                s->last_sample_s = MIN(store_wall_s(s), MAX(MAX(last_s, heard_s), hour * HOUR_S));
        s->clock_boot_us = s->boot_us();
        return r;
}

/* Byte 18 of the file says which format a writer must know. SQLite opens what is newer than 2 for reading only, and says no
 * more than that; there is none newer, so it is damage, and a store that cannot write is none. */
static bool write_version_is_torn(const struct store *s)
{
        _cleanup_fclose_ FILE *f = s->memory_only ? NULL : fopen(s->path, "re");
        unsigned char head[19];

        return f && fread(head, 1, sizeof(head), f) == sizeof(head) && head[18] > 2;
}

static int open_file(struct store *s, bool *ret_fresh)
{
        int r = sqlite3_open_v2(s->memory_only ? ":memory:" : s->path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                                NULL);

        if (r == SQLITE_OK)
                r = write_version_is_torn(s) ? SQLITE_NOTADB : set_up(s, ret_fresh);
        if (r == SQLITE_OK)
                r = load_series(s);
        if (r == SQLITE_OK)
                r = load_levels(s);
        if (r == SQLITE_OK)
                r = load_numbers(s);
        return r;
}

/* --- a damaged file --------------------------------------------------------------------------------------------- */

/* Our SQL is right for our schema: an error in it, or a broken constraint, means that the file has another one. */
static bool is_damage(int code)
{
        return (code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB || (code & 0xff) == SQLITE_ERROR ||
               (code & 0xff) == SQLITE_CONSTRAINT;
}

/* The brain's memory: baselines that people accepted are worth more than any curve. Takes what can still be read and is JSON. */
static size_t salvage_kv(struct store *s, sqlite3 *old)
{
        sqlite3_stmt *st;
        size_t n = 0, bytes = 0;

        if (sqlite3_prepare_v2(old, "SELECT key, value FROM kv", -1, &st, NULL) != SQLITE_OK)
                return 0;
        while (sqlite3_step(st) == SQLITE_ROW && bytes < SALVAGE_KV_BYTES) {
                const char *key = (const char *)sqlite3_column_text(st, 0), *value = (const char *)sqlite3_column_text(st, 1);
                json_t *doc = key && value && strlen(key) <= KV_KEY_MAX ? json_loads(value, JSON_DECODE_ANY, NULL) : NULL;

                if (doc && strlen(value) <= KV_VALUE_MAX && db_run(s, STMT_KV_PUT, "tt", key, value) == SQLITE_OK) {
                        bytes += strlen(value);
                        n++;
                }
                json_decref(doc);
        }
        sqlite3_finalize(st);
        return n;
}

static const char *level_text(sqlite3_stmt *st, int column)
{
        const char *text = (const char *)sqlite3_column_text(st, column);

        return text && level_from_name(text) >= 0 ? text : "";
}

static bool plain_text(const char *text)
{
        json_t *v = text ? json_string(text) : NULL; /* NULL when it is not UTF-8 */

        json_decref(v);
        return v != NULL;
}

static size_t salvage_events(struct store *s, sqlite3 *old)
{
        sqlite3_stmt *st;
        size_t n = 0;

        if (sqlite3_prepare_v2(old, "SELECT " EVENT_COLUMNS ", uid FROM events ORDER BY id", -1, &st, NULL) != SQLITE_OK &&
            sqlite3_prepare_v2(old, "SELECT " EVENT_COLUMNS ", NULL FROM events ORDER BY id", -1, &st, NULL) != SQLITE_OK)
                return 0;
        while (sqlite3_step(st) == SQLITE_ROW && n < SALVAGE_EVENTS) {
                double time = sqlite3_column_double(st, 1);
                const char *component = (const char *)sqlite3_column_text(st, 2), *kind = (const char *)sqlite3_column_text(st, 3),
                           *rule = (const char *)sqlite3_column_text(st, 6), *why = (const char *)sqlite3_column_text(st, 7),
                           *uid = (const char *)sqlite3_column_text(st, 8);

                if (time > 0 && plain_text(component) && plain_text(kind) && plain_text(rule) && plain_text(why) &&
                    db_run(s, STMT_EVENT_ADD, "dttttttt", time, component, kind, level_text(st, 4), level_text(st, 5), rule, why,
                           plain_text(uid) && strlen(uid) <= EVENT_ID_MAX ? uid : NULL) == SQLITE_OK)
                        n++;
        }
        sqlite3_finalize(st);
        return n;
}

static void salvage(struct store *s, const char *from)
{
        sqlite3 *old = NULL;
        size_t kv = 0, events = 0;

        if (sqlite3_open_v2(from, &old, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK && db_exec(s, "BEGIN") == SQLITE_OK) {
                sqlite3_exec(old, "PRAGMA cache_size=-512", NULL, NULL, NULL);
                kv = salvage_kv(s, old);
                events = salvage_events(s, old);
                if (db_exec(s, "COMMIT") != SQLITE_OK)
                        db_exec(s, "ROLLBACK");
        }
        sqlite3_close(old);
        store_log(s, STORE_NOTICE, "out of the damaged database came %zu pieces of memory and %zu events", kv, events);
}

/* One is kept for whoever wants to look; the older ones go. */
static void move_aside(struct store *s, char *aside, size_t size)
{
        static const char *const suffixes[] = { "", "-wal" };
        char pattern[4200], from[4200], to[4300], date[32];
        time_t now = (time_t)store_wall_s(s);
        struct tm tm;
        glob_t found;

        snprintf(pattern, sizeof(pattern), "%s.corrupt-*", s->path);
        if (glob(pattern, GLOB_NOSORT, NULL, &found) == 0) {
                for (size_t i = 0; i < found.gl_pathc; i++)
                        unlink(found.gl_pathv[i]);
                globfree(&found);
        }
        strftime(date, sizeof(date), "%Y%m%dT%H%M%SZ", gmtime_r(&now, &tm));
        snprintf(aside, size, "%s.corrupt-%s", s->path, date);
        for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
                snprintf(from, sizeof(from), "%s%s", s->path, suffixes[i]);
                snprintf(to, sizeof(to), "%s%s", aside, suffixes[i]);
                if (rename(from, to) < 0 && errno != ENOENT)
                        store_log(s, STORE_ERROR, "%s: cannot be moved to %s: %s", from, to, strerror(errno));
        }
        snprintf(from, sizeof(from), "%s-shm", s->path);
        unlink(from);
}

/* A new database in place of a damaged one; its memory and events are carried over as far as they can be read. */
static int replace_damaged(struct store *s, int code)
{
        char aside[4300];
        bool fresh = false;
        int r;

        s->counters.corruptions++;
        db_close(s);
        if (s->memory_only)
                return code;
        move_aside(s, aside, sizeof(aside));
        dict_forget_storage(&s->dict);
        r = open_file(s, &fresh);
        if (r != SQLITE_OK || !fresh) {
                db_close(s);
                return r != SQLITE_OK ? r : code; /* it could not be moved away */
        }
        salvage(s, aside);
        r = load_levels(s);
        if (r == SQLITE_OK)
                r = load_numbers(s);
        store_log(s, STORE_ERROR, "%s was damaged (%s); it lies in %s now and history begins anew", s->path, sqlite3_errstr(code), aside);
        pending_event(&s->pending, "", (double)s->wall_us() / USEC_PER_SEC, "veille", "fault", "", "", "store",
                      "the database was damaged and is replaced by a new one; history begins anew, the damaged file is kept beside it");
        s->oldest_us = s->oldest_us ? s->oldest_us : s->boot_us();
        s->eager = true;
        return r;
}

/* --- failing -------------------------------------------------------------------------------------------------------- */

static const char *reason(int code)
{
        switch (code & 0xff) {
        case SQLITE_FULL:
                return "no space left (on the disk, or max-size is reached)";
        case SQLITE_READONLY:
                return "it is read-only";
        case SQLITE_CANTOPEN:
                return "it cannot be opened (directory missing, not ours, or read-only)";
        case SQLITE_IOERR:
                return "the disk reports errors";
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
                return "another program holds it locked";
        case SQLITE_MISMATCH:
                return "it was made by a newer veille; move it away to begin anew";
        default:
                return sqlite3_errstr(code);
        }
}

static void set_trouble(struct store *s, int code, const char *doing)
{
        if ((s->trouble_code & 0xff) != (code & 0xff)) {
                snprintf(s->trouble, sizeof(s->trouble), "cannot %s %s: %s", doing, s->path, reason(code));
                store_log(s, STORE_ERROR, "%s; what comes in waits in memory, tried again every %d s", s->trouble, RETRY_S);
        }
        s->trouble_code = code;
        s->retry_us = s->boot_us() + RETRY_S * USEC_PER_SEC;
}

void db_good(struct store *s)
{
        if (s->trouble[0])
                store_log(s, STORE_NOTICE, "%s can be written again", s->path);
        s->trouble[0] = '\0';
        s->trouble_code = SQLITE_OK;
        s->retry_us = 0;
}

void db_failed(struct store *s, int code, const char *doing)
{
        if (s->db && !sqlite3_get_autocommit(s->db))
                db_exec(s, "ROLLBACK");
        if (is_damage(code)) {
                code = replace_damaged(s, code);
                if (code == SQLITE_OK)
                        return;
        }
        set_trouble(s, code, doing);
        /* After an I/O error nobody knows what the kernel still has of what we wrote: start from what is on the disk. The same
         * when the file system came back after having been read-only. A full disk leaves the connection in order. */
        if ((code & 0xff) != SQLITE_FULL && (code & 0xff) != SQLITE_BUSY)
                db_close(s);
}

/* Somebody deleted it, or moved it away: what is written there now nobody would ever find. */
void db_look_for_file(struct store *s)
{
        int moved = 0;

        if (!s->db || s->memory_only || sqlite3_file_control(s->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved) != SQLITE_OK || !moved)
                return;
        store_log(s, STORE_ERROR, "%s was deleted or moved away while in use; a new one is made", s->path);
        db_close(s);
        dict_forget_storage(&s->dict);
        dict_forget_values(&s->dict);
        pending_event(&s->pending, "", (double)s->wall_us() / USEC_PER_SEC, "veille", "fault", "", "", "store",
                      "the database was deleted or moved away while in use; history begins anew");
        s->oldest_us = s->oldest_us ? s->oldest_us : s->boot_us();
        s->eager = true;
}

int db_open(struct store *s)
{
        bool fresh = false;
        int r = open_file(s, &fresh);

        if (r == SQLITE_OK)
                return r;
        if (is_damage(r))
                r = replace_damaged(s, r);
        if (r != SQLITE_OK) {
                db_close(s);
                set_trouble(s, r, "open");
        }
        return r;
}
