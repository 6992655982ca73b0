/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_STORE_H
#define VEILLE_STORE_H

/* The parts of veille-store. One thread that may wait for the disk; whoever talks to it has a deadline of its own.
 *
 * What comes in goes to a bounded backlog in memory (store_pending.c); one place writes it to the database in one
 * transaction (store_commit.c). When that fails, everything stays in the backlog and is tried again, so a full, read-only or
 * broken disk costs nothing until the backlog is full, and then the oldest values first. Answers are made of both. */

#include <jansson.h>
#include <sqlite3.h>
#include <stdarg.h>

#include "common_jsonl.h"
#include "config.h"
#include "downsample.h"
#include "level.h"
#include "options.h"
#include "pack.h"
#include "retention.h"
#include "series_key.h"

#define COMPONENT_MAX 255
#define WHY_MAX 2000
#define EVENT_ID_MAX 64
#define KV_KEY_MAX 255
#define KV_VALUE_MAX (200 * 1024)      /* a line with it must fit into what the brain reads at once */
#define KV_KEYS_MAX 20000
#define BACKLOG_SAMPLES 65536          /* an hour of 1000 series, 1.5 MiB */
#define BACKLOG_EVENTS 2000
#define BACKLOG_KV_BYTES (2 * 1024 * 1024)
#define HISTORY_POINTS_MAX 2000
#define GAP_MIN_S 900                  /* nothing heard for longer: a gap in every series */
#define CONSTANT_EVERY_S 3600          /* a value that does not change is written this often */
#define VALUE_MAX 1e300
#define SERIES_ID_MAX (UINT32_MAX / 2)

enum { STORE_ERROR = 3, STORE_WARNING = 4, STORE_NOTICE = 5, STORE_INFO = 6 };

/* --- store_dict.c: which series there are, and what was last written of each ------------------------------ */
struct component {
        char *name;
        enum level level; /* as of the last event */
        double since;     /* its time; 0: no event yet */
};

struct series {
        uint32_t id;
        bool stored;      /* the dictionary row is on disk */
        bool known;       /* value and written_s hold */
        double value;     /* last written */
        int64_t written_s, changed_s;
        struct component *component;
        char key[];
};

struct dict {
        struct series **series;
        struct component **components;
        size_t n, size, n_components, components_size;
        uint32_t *slots; /* hash table of index + 1 */
        size_t n_slots;
        uint32_t next_id;
};

void dict_done(struct dict *d);
struct series *dict_find(const struct dict *d, const char *key);
struct component *dict_component(struct dict *d, const char *name, bool add); /* NULL: not there, or no memory */
/* id 0: a new one, not stored yet. NULL: no memory. */
struct series *dict_add(struct dict *d, const char *key, const char *component, uint32_t id);
void dict_forget_values(struct dict *d);   /* the next value of each series is written whatever it is */
void dict_forget_storage(struct dict *d);  /* the database is a new one */

/* --- store_pending.c: the backlog ------------------------------------------------------------------------- */
struct pending_sample {
        struct series *series;
        int64_t time_s;
        double value;
};

struct pending_event {
        struct pending_event *next;
        double time;
        unsigned rank; /* event_rank.h */
        char *id, *component, *kind, *from, *to, *rule, *why; /* into text; id "": whoever told it gave it none */
        char text[];
};

struct pending_kv {
        struct pending_kv *next;
        char *key;
        char *value; /* JSON; NULL: deleted */
};

struct pending {
        struct pending_sample *samples;
        size_t n_samples, samples_size;
        struct pending_event *events, **events_end;
        size_t n_events;
        struct pending_kv *kv;
        size_t n_kv, kv_bytes;
        struct gap gaps[16];
        size_t n_gaps;
        uint64_t lost_samples, lost_events, lost_kv;
};

void pending_init(struct pending *p);
void pending_done(struct pending *p);
/* When it is full the oldest is lost, and counted. */
void pending_sample(struct pending *p, struct series *series, int64_t time_s, double value);
/* When it is full the least important is lost (event_rank.h; of equal ones the oldest), and counted. id: "" or what tells it from all
 * others. */
void pending_event(struct pending *p, const char *id, double time, const char *component, const char *kind, const char *from, const char *to,
                   const char *rule, const char *why);
bool pending_has_event(const struct pending *p, const char *id);
/* Takes over value (malloc; NULL: delete). The last one of a key counts. False: no room, lost. */
bool pending_put(struct pending *p, const char *key, char *value);
const struct pending_kv *pending_find(const struct pending *p, const char *key);
void pending_gap(struct pending *p, int64_t from_s, int64_t to_s);
void pending_clear(struct pending *p); /* all of it is on disk */
bool pending_empty(const struct pending *p);

/* --- the store ------------------------------------------------------------------------------------------- */
enum stmt {
        STMT_SERIES_ADD, STMT_SERIES_SEEN, STMT_SERIES_DROP, STMT_LOG_ADD, STMT_EVENT_ADD, STMT_EVENT_HAS, STMT_KV_PUT, STMT_KV_DEL, STMT_KV_LENGTH, STMT_GAP_ADD,
        STMT_META_PUT,
        STMT_LOG_OF_HOUR, STMT_LOG_DELETE, STMT_LOG_OLDEST, STMT_LOG_NEXT, STMT_LOG_SIZE,
        STMT_RAW_GET, STMT_RAW_PUT, STMT_RAW_RANGE, STMT_RAW_MIN, STMT_RAW_MAX, STMT_RAW_DELETE,
        STMT_HOURLY_GET, STMT_HOURLY_PUT, STMT_HOURLY_MIN, STMT_HOURLY_MAX, STMT_HOURLY_DELETE,
        STMT_ROLLED_HAS, STMT_ROLLED_ADD, STMT_ROLLED_DELETE, STMT_ROLLED_BEFORE,
        STMT_GAPS, STMT_GAPS_DELETE,
        STMT_KV_NEXT, STMT_EVENTS_START, STMT_EVENTS_START_OF, STMT_EVENTS_PAGE, STMT_EVENTS_PAGE_OF, STMT_EVENTS_DELETE,
        STMT_MAX,
};

struct store_counters {
        uint64_t commits, failed_commits, samples, written_samples, events, repeated_events, puts, bad_rows, bad_lines, refused_series, bad_blocks,
                compactions, deleted_raw_days, deleted_hourly_weeks, deleted_events, corruptions, slow_readers,
                refused_connections;
};

struct store {
        struct common_options options;
        struct retention_limits limits;
        int64_t commit_s;
        size_t max_series;
        int64_t (*wall_us)(void), (*boot_us)(void); /* a test sets its own */
        void (*log)(int priority, const char *text);
        bool memory_only; /* tests: no file */

        sqlite3 *db;
        sqlite3_stmt *stmts[STMT_MAX];
        char path[4096];
        struct dict dict;
        struct pending pending;
        struct store_counters counters;

        char trouble[512];     /* why nothing can be written; "": it can */
        int trouble_code;      /* of SQLite */
        int64_t retry_us;      /* boot clock: not before */
        int64_t oldest_us;     /* boot clock: since when the oldest of the backlog waits; 0: it is empty */
        bool eager;            /* an event or a put waits: a second, not minutes */
        int64_t eager_us, eager_count; /* the last quarter of an hour of eager commits */
        int64_t last_sample_s; /* time of the newest samples line */
        int64_t n_events, n_kv;
        uint64_t told_lost_events;     /* of pending.lost_events: an event says so */
        int64_t clock_s, clock_boot_us; /* the retention clock and when it was set */
        int64_t db_id;          /* of the database that is open or was last; 0: none was yet */
        uint64_t committed_seq; /* counts successful commits; who waits for one compares */
};

void store_init(struct store *s, const struct common_options *options, const struct config *config);
void store_done(struct store *s); /* commits what can be committed */
void store_log(struct store *s, int priority, const char *fmt, ...) PRINTF_LIKE(3, 4);
int64_t store_wall_s(const struct store *s);

/* --- store_db.c: opening, checking, replacing ------------------------------------------------------------ */
int db_open(struct store *s);  /* 0, or an SQLite code; then s->trouble says why */
void db_close(struct store *s);
/* Something failed: remember why, close what cannot be trusted, plan the next attempt. A damaged database is moved aside and replaced. */
void db_failed(struct store *s, int code, const char *doing);
void db_good(struct store *s);
void db_look_for_file(struct store *s); /* closes a database whose file is no longer there */
/* Binds values (i: int64_t, d: double, t: const char * or NULL, b: const void *, size_t) to a prepared statement. Like the next two it only
 * returns an SQLite code: whoever began the work tells db_failed, when no statement is in use any more. Reset what was stepped. */
int db_stmt(struct store *s, enum stmt which, sqlite3_stmt **ret, const char *types, ...);
/* The same and runs it to its end: SQLITE_OK or a code. */
int db_run(struct store *s, enum stmt which, const char *types, ...);
int db_exec(struct store *s, const char *sql);
/* One number out of SQL of our own; 0 if there is no row. */
int db_ask(struct store *s, const char *sql, int64_t *ret);
/* One number out of a statement; missing if there is no row or it is NULL. */
int db_number(struct store *s, enum stmt which, int64_t missing, int64_t *ret, const char *types, ...);

/* --- store_commit.c --------------------------------------------------------------------------------------- */
/* Writes the backlog. 0, or an SQLite code with s->trouble set. */
int store_commit(struct store *s);
/* When the next commit is due on the boot clock; INT64_MAX: nothing to do. */
int64_t store_commit_due(const struct store *s);

/* --- store_compact.c: from log to hours to days; what is too old goes --------------------------------------- */
/* One step of housekeeping; true: there is more to do now. */
bool store_tidy(struct store *s);

/* --- store_read.c ------------------------------------------------------------------------------------------ */
/* Slices of one series; buckets are the caller's. */
int store_history(struct store *s, const struct series *series, struct downsample *d);
size_t store_gaps(struct store *s, int64_t from_s, int64_t to_s, struct gap *ret, size_t max);

/* --- store_request.c: lines and answers -------------------------------------------------------------------- */
enum job_kind { JOB_NONE, JOB_LOAD, JOB_EVENTS, JOB_HISTORY };

struct job {
        enum job_kind kind;
        char *text;      /* load: prefix; events: component or NULL; history: component */
        char *cursor;    /* load: the key before */
        char *metric;
        double from, to, at;
        int64_t id, left, skip;
        size_t series, n;
        uint64_t seq;
        bool incomplete; /* load: the database could not be read */
};

struct peer {
        struct jsonl j;
        bool writer; /* may change something: our own user and root */
        struct job job;
        bool sync_waits;
        int64_t sync_seq;
        uint64_t told_trouble;
};

/* What one line asks for. */
void peer_line(struct store *s, struct peer *p, const json_t *line);
void peer_error(struct store *s, struct peer *p, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Goes on with a long answer until enough waits to be sent. */
void peer_work(struct store *s, struct peer *p);
void peer_acks(struct store *s, struct peer *p); /* after a commit was tried */
void job_done(struct job *job);
json_t *series_points(const struct downsample *d); /* [[T,mean,min,max],...] of the slices of which something is known */

/* --- store_stats.c ------------------------------------------------------------------------------------------- */
json_t *store_stats(struct store *s);

/* --- store_plots.c ------------------------------------------------------------------------------------------- */
int store_plots(struct store *s);

/* --- store_server.c ------------------------------------------------------------------------------------------- */
int store_serve(struct store *s);

#endif
