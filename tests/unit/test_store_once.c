/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The store's half of "nothing is lost, nothing is there twice": events with an id, confirmations that wait for the disk, a
 * memory that is never said to be complete when it was not read, and databases that come from before or go away. */

#include <sys/stat.h>

#include "store.h"
#include "test.h"

static int64_t clock_us;
static char dir[64], path[96];

static int64_t fake_clock(void)
{
        return clock_us;
}

static void no_log(int priority UNUSED, const char *text UNUSED)
{
}

static int begin(void **state UNUSED)
{
        clock_us = 1700006400LL * USEC_PER_SEC;
        strcpy(dir, access("/dev/shm", W_OK) == 0 ? "/dev/shm/veille-test-XXXXXX" : "/tmp/veille-test-XXXXXX");
        if (!mkdtemp(dir))
                return -1;
        snprintf(path, sizeof(path), "%s/veille.db", dir);
        return 0;
}

static int end(void **state UNUSED)
{
        char cmd[128];

        snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
        return system(cmd);
}

static void start(struct store *s)
{
        struct common_options o = { .root = "/", .config = "", .state = dir, .run = dir };
        struct config *config = config_new_defaults();

        store_init(s, &o, config);
        config_free(config);
        s->wall_us = s->boot_us = fake_clock;
        s->log = no_log;
        db_open(s);
}

/* One peer that stays, as veilled does. */
static void peer_begin(struct peer *p)
{
        *p = (struct peer){ .writer = true };
        jsonl_init(&p->j, -1, 0, 1024 * 1024);
}

static void peer_end(struct peer *p)
{
        job_done(&p->job);
        jsonl_done(&p->j);
}

/* Says it; the answers that are there now, one a line. */
static const char *say(struct store *s, struct peer *p, json_t *line)
{
        static char out[65536];

        if (line) {
                peer_line(s, p, line);
                peer_work(s, p);
        }
        json_decref(line);
        assert_true(p->j.out_len < sizeof(out));
        if (p->j.out_len)
                memcpy(out, p->j.out, p->j.out_len);
        out[p->j.out_len] = '\0';
        p->j.out_len = 0;
        return out;
}

static json_t *event(const char *id, const char *to, const char *why)
{
        return json_pack("{ss ss sf ss ss ss ss ss ss}", "t", "event", "id", id, "time", (double)clock_us / USEC_PER_SEC, "component", "sda", "kind",
                         "disk", "from", "ok", "to", to, "rule", "r", "why", why);
}

static json_t *lazy(int seq)
{
        return json_pack("{ss si sb}", "t", "sync", "seq", seq, "hurry", 0);
}

static int64_t count(struct store *s, const char *sql)
{
        int64_t n = -1;

        assert_int_equal(db_ask(s, sql, &n), SQLITE_OK);
        return n;
}

static void an_event_with_an_id_is_there_once(void **state UNUSED)
{
        struct store s;
        struct peer p;

        start(&s);
        peer_begin(&p);
        for (int life = 0; life < 3; life++) {
                assert_string_equal(say(&s, &p, event("a-1", "warning", "once")), "");
                assert_string_equal(say(&s, &p, event("a-1", "warning", "once")), ""); /* still in the backlog */
                assert_int_equal(s.pending.n_events, life == 0);
                assert_int_equal(store_commit(&s), SQLITE_OK);
                assert_string_equal(say(&s, &p, event("a-1", "warning", "once")), ""); /* on disk */
                assert_int_equal(store_commit(&s), SQLITE_OK);
                assert_int_equal(s.n_events, 1);
                store_done(&s);
                start(&s);
        }
        assert_int_equal(count(&s, "SELECT count(*) FROM events"), 1);
        /* Told while nobody could look into the database: the commit finds out. */
        pending_event(&s.pending, "a-1", 1700006401, "sda", "disk", "ok", "warning", "r", "once");
        pending_event(&s.pending, "", 1700006402, "sda", "disk", "ok", "ok", "r", "without an id");
        pending_event(&s.pending, "", 1700006402, "sda", "disk", "ok", "ok", "r", "without an id");
        assert_int_equal(store_commit(&s), SQLITE_OK);
        assert_int_equal(count(&s, "SELECT count(*) FROM events"), 3);
        assert_int_equal(s.n_events, 3);
        assert_non_null(strstr(say(&s, &p, event("12345678901234567890123456789012345678901234567890123456789012345", "ok", "")), "an id of at most"));
        peer_end(&p);
        store_done(&s);
}

static void a_confirmation_waits_for_the_disk(void **state UNUSED)
{
        struct store s;
        struct peer p;
        sqlite3 *other;

        start(&s);
        peer_begin(&p);
        say(&s, &p, event("a-1", "warning", "w"));
        assert_string_equal(say(&s, &p, lazy(1)), "");
        assert_true(store_commit_due(&s) <= clock_us + USEC_PER_SEC);
        /* Another holds the database: nothing is confirmed, and it says why. */
        assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
        assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
        sqlite3_busy_timeout(s.db, 0);
        assert_int_not_equal(store_commit(&s), SQLITE_OK);
        peer_acks(&s, &p);
        assert_non_null(strstr(say(&s, &p, NULL), "another program holds it locked"));
        sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL);
        sqlite3_close(other);
        say(&s, &p, event("a-2", "ok", "w"));
        assert_null(strstr(say(&s, &p, lazy(2)), "\"ack\""));
        clock_us += 20 * USEC_PER_SEC;
        assert_int_equal(store_commit(&s), SQLITE_OK);
        peer_acks(&s, &p);
        assert_non_null(strstr(say(&s, &p, NULL), "{\"t\":\"ack\",\"seq\":2,\"db\":"));
        assert_non_null(strstr(say(&s, &p, lazy(3)), "\"seq\":3")); /* nothing waits: at once */
        peer_end(&p);
        store_done(&s);
}

static void the_least_important_is_lost_first(void **state UNUSED)
{
        struct store s;
        char why[160];

        start(&s);
        pending_event(&s.pending, "", 1, "sda", "disk", "ok", "critical", "r", "worst");
        for (int i = 0; i < BACKLOG_EVENTS + 10; i++)
                pending_event(&s.pending, "", 2, "sda", "event", "ok", "ok", "r", "remark");
        assert_int_equal(s.pending.n_events, BACKLOG_EVENTS);
        assert_string_equal(s.pending.events->why, "worst");
        for (int i = 0; i < BACKLOG_EVENTS; i++)
                pending_event(&s.pending, "", 3, "sda", "disk", "critical", "ok", "r", "over");
        pending_event(&s.pending, "", 4, "sda", "event", "ok", "ok", "r", "remark"); /* all matter more */
        assert_int_equal(s.pending.n_events, BACKLOG_EVENTS);
        assert_int_equal(s.pending.lost_events, BACKLOG_EVENTS + 12);
        assert_int_equal(store_commit(&s), SQLITE_OK);
        snprintf(why, sizeof(why), "SELECT count(*) FROM events WHERE why LIKE '%d events were lost%%'", BACKLOG_EVENTS + 12);
        assert_int_equal(count(&s, why), 1);
        assert_int_equal(store_commit(&s), SQLITE_OK);
        assert_int_equal(count(&s, "SELECT count(*) FROM events WHERE why LIKE '%lost%'"), 1);
        store_done(&s);
}

static void put(struct store *s, struct peer *p, const char *key)
{
        assert_string_equal(say(s, p, json_pack("{ss ss s{si}}", "t", "put", "key", key, "value", "n", 1)), "");
}

static json_t *load(void)
{
        return json_pack("{ss ss}", "t", "load", "prefix", "state/");
}

static void memory_that_was_not_read_is_not_complete(void **state UNUSED)
{
        struct store s;
        struct peer p;
        char cmd[256];

        start(&s);
        peer_begin(&p);
        put(&s, &p, "state/a");
        assert_int_equal(store_commit(&s), SQLITE_OK);
        assert_non_null(strstr(say(&s, &p, load()), "{\"t\":\"loaded\"}"));
        store_done(&s);
        snprintf(cmd, sizeof(cmd), "mv %s %s.away && mkdir %s", path, path, path); /* it cannot be opened */
        assert_int_equal(system(cmd), 0);
        start(&s);
        assert_null(s.db);
        assert_non_null(strstr(say(&s, &p, load()), "{\"t\":\"loaded\",\"complete\":false}"));
        snprintf(cmd, sizeof(cmd), "rmdir %s && mv %s.away %s", path, path, path);
        assert_int_equal(system(cmd), 0);
        clock_us += 60 * USEC_PER_SEC;
        assert_int_equal(store_commit(&s), SQLITE_OK);
        assert_non_null(strstr(say(&s, &p, load()), "state/a"));
        peer_end(&p);
        store_done(&s);
}

static void what_is_refused_names_its_key(void **state UNUSED)
{
        char *large = malloc(KV_VALUE_MAX + 1);
        struct store s;
        struct peer p;

        memset(large, 'x', KV_VALUE_MAX);
        large[KV_VALUE_MAX] = '\0';
        start(&s);
        peer_begin(&p);
        assert_non_null(strstr(say(&s, &p, json_pack("{ss ss s{ss}}", "t", "put", "key", "state/a", "value", "x", large)), "\"key\":\"state/a\""));
        peer_end(&p);
        store_done(&s);
        free(large);
}

/* The brain must see that this database knows nothing. */
static void a_database_that_went_away_is_another_one(void **state UNUSED)
{
        struct store s;
        struct peer p;
        int64_t id;

        start(&s);
        peer_begin(&p);
        put(&s, &p, "state/a");
        assert_int_equal(store_commit(&s), SQLITE_OK);
        id = s.db_id;
        assert_int_not_equal(id, 0);
        store_done(&s);
        start(&s);
        assert_true(s.db_id == id);
        assert_int_equal(unlink(path), 0); /* by hand, while in use */
        say(&s, &p, event("a-1", "warning", "w"));
        assert_int_equal(store_commit(&s), SQLITE_OK);
        assert_int_equal(access(path, F_OK), 0);
        assert_true(s.db_id != id);
        assert_int_equal(count(&s, "SELECT count(*) FROM events"), 2); /* ours, and one that tells of it */
        peer_end(&p);
        store_done(&s);
}

static void a_database_of_before_is_brought_up(void **state UNUSED)
{
        static const char old[] =
                "CREATE TABLE series(id INTEGER PRIMARY KEY, key TEXT NOT NULL, component TEXT NOT NULL, last_day INTEGER NOT NULL);"
                "CREATE TABLE log(id INTEGER PRIMARY KEY, hour INTEGER NOT NULL, last_s INTEGER NOT NULL, data BLOB NOT NULL);"
                "CREATE TABLE raw(hour INTEGER, series INTEGER, data BLOB NOT NULL, PRIMARY KEY(hour, series)) WITHOUT ROWID;"
                "CREATE TABLE hourly(day INTEGER, series INTEGER, data BLOB NOT NULL, PRIMARY KEY(day, series)) WITHOUT ROWID;"
                "CREATE TABLE rolled(day INTEGER PRIMARY KEY);"
                "CREATE TABLE gap(from_s INTEGER PRIMARY KEY, to_s INTEGER NOT NULL);"
                "CREATE TABLE events(id INTEGER PRIMARY KEY, time REAL NOT NULL, component TEXT NOT NULL, kind TEXT NOT NULL,"
                " from_level TEXT NOT NULL, to_level TEXT NOT NULL, rule TEXT NOT NULL, why TEXT NOT NULL);"
                "CREATE INDEX events_time ON events(time);"
                "CREATE INDEX events_component ON events(component, time);"
                "CREATE TABLE kv(key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL);"
                "CREATE TABLE meta(key TEXT PRIMARY KEY NOT NULL, value INTEGER NOT NULL) WITHOUT ROWID;"
                "INSERT INTO events VALUES(1, 1700000000, 'sda', 'disk', 'ok', 'warning', 'r', 'of before');"
                "INSERT INTO events VALUES(2, 1700000001, 'sda', 'disk', 'ok', 'warning', 'r', 'of before');"
                "INSERT INTO kv VALUES('state/a', '{\"n\":1}');"
                "PRAGMA user_version = 1;";
        struct store s;
        struct peer p;
        sqlite3 *db;

        assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
        assert_int_equal(sqlite3_exec(db, old, NULL, NULL, NULL), SQLITE_OK);
        sqlite3_close(db);
        start(&s);
        assert_string_equal(s.trouble, "");
        assert_int_equal(s.n_events, 2);
        assert_int_not_equal(s.db_id, 0);
        peer_begin(&p);
        say(&s, &p, event("a-1", "ok", "new"));
        assert_int_equal(store_commit(&s), SQLITE_OK);
        assert_int_equal(count(&s, "SELECT count(*) FROM events"), 3);
        assert_int_equal(count(&s, "PRAGMA user_version"), 2);
        assert_non_null(strstr(say(&s, &p, load()), "state/a"));
        peer_end(&p);
        store_done(&s);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(an_event_with_an_id_is_there_once, begin, end),
                cmocka_unit_test_setup_teardown(a_confirmation_waits_for_the_disk, begin, end),
                cmocka_unit_test_setup_teardown(the_least_important_is_lost_first, begin, end),
                cmocka_unit_test_setup_teardown(memory_that_was_not_read_is_not_complete, begin, end),
                cmocka_unit_test_setup_teardown(what_is_refused_names_its_key, begin, end),
                cmocka_unit_test_setup_teardown(a_database_that_went_away_is_another_one, begin, end),
                cmocka_unit_test_setup_teardown(a_database_of_before_is_brought_up, begin, end),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
