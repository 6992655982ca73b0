/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The store without its socket and with a clock of our own: what goes in as lines must come out as answers, over
 * hours and years, restarts, broken files and clocks that jump. */

#include <fcntl.h>
#include <sys/stat.h>

#include "store.h"
#include "test.h"

#define START_S 1700006400LL /* a midnight */

static int64_t now_us, boot_us;
static char dir[64], logged[4096];

static int64_t fake_wall(void)
{
        return now_us;
}

static int64_t fake_boot(void)
{
        return boot_us;
}

static void fake_log(int priority, const char *text)
{
        if (priority <= STORE_ERROR)
                snprintf(logged, sizeof(logged), "%s", text);
}

/* Both clocks, as they should. */
static void pass(int64_t seconds)
{
        now_us += seconds * USEC_PER_SEC;
        boot_us += seconds * USEC_PER_SEC;
}

static int64_t now_s(void)
{
        return now_us / USEC_PER_SEC;
}

static void begin(void)
{
        now_us = START_S * USEC_PER_SEC;
        boot_us = 1000 * USEC_PER_SEC;
        logged[0] = '\0';
        /* In memory where possible: a year of commits is many. */
        strcpy(dir, access("/dev/shm", W_OK) == 0 ? "/dev/shm/veille-test-XXXXXX" : "/tmp/veille-test-XXXXXX");
        assert_non_null(mkdtemp(dir));
}

static void end(void)
{
        char cmd[128];

        snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
        assert_int_equal(system(cmd), 0);
}

static void start(struct store *s, const char *state)
{
        struct common_options o = { "/", "", state, dir };
        struct config *config = config_new_defaults();

        store_init(s, &o, config);
        config_free(config);
        s->wall_us = fake_wall;
        s->boot_us = fake_boot;
        s->log = fake_log;
        db_open(s);
}

/* Says one line and returns the array of answers, owned by the caller. */
static json_t *ask_as(struct store *s, json_t *line, bool writer)
{
        struct peer p = { .writer = writer };
        json_t *answers = json_array();

        assert_non_null(line);
        jsonl_init(&p.j, -1, 0, 4 * 1024 * 1024);
        peer_line(s, &p, line);
        json_decref(line);
        do {
                peer_work(s, &p);
                for (char *at = p.j.out, *stop = p.j.out + p.j.out_len; at < stop; at = strchr(at, '\n') + 1) {
                        json_t *answer = json_loadb(at, (size_t)(strchr(at, '\n') - at), 0, NULL);

                        assert_non_null(answer);
                        json_array_append_new(answers, answer);
                }
                p.j.out_len = 0;
        } while (p.job.kind != JOB_NONE);
        job_done(&p.job);
        jsonl_done(&p.j);
        return answers;
}

static json_t *ask(struct store *s, json_t *line)
{
        return ask_as(s, line, true);
}

static void say(struct store *s, json_t *line)
{
        json_t *answers = ask(s, line);

        if (json_array_size(answers) != 0)
                fail_msg("unwanted answer: %s", json_dumps(answers, 0));
        json_decref(answers);
}

static void sample(struct store *s, const char *key, double v)
{
        say(s, json_pack("{ss sI s[[ssf]]}", "t", "samples", "time", (json_int_t)now_s(), "rows", key, "sda", v));
}

static void event(struct store *s, const char *component, const char *from, const char *to, const char *why)
{
        say(s, json_pack("{ss sf ss ss ss ss ss ss}", "t", "event", "time", (double)now_us / USEC_PER_SEC, "component", component, "kind", "disk",
                         "from", from, "to", to, "rule", "r", "why", why));
}

/* The points of the only series of sda with that metric; NULL when there is none. Owned by the caller. */
static json_t *history(struct store *s, const char *metric, int64_t from_s, int64_t to_s, int n)
{
        json_t *answers = ask(s, json_pack("{ss ss ss sI sI si}", "t", "history", "component", "sda", "metric", metric, "from",
                                           (json_int_t)from_s, "to", (json_int_t)to_s, "points", n));
        json_t *points = json_incref(json_object_get(json_array_get(answers, 0), "points"));

        assert_string_equal(json_string_value(json_object_get(json_array_get(answers, json_array_size(answers) - 1), "t")), "end");
        json_decref(answers);
        return points;
}

static double point(const json_t *points, size_t i, size_t column)
{
        return json_number_value(json_array_get(json_array_get(points, i), column));
}

static int64_t stat_of(struct store *s, const char *name)
{
        json_t *answers = ask(s, json_pack("{ss}", "t", "stats"));
        int64_t v = json_integer_value(json_object_get(json_array_get(answers, 0), name));

        json_decref(answers);
        return v;
}

static void tidy(struct store *s)
{
        for (int i = 0; store_tidy(s); i++)
                assert_true(i < 10000);
}

#define TEMP "smart/sda/disk_temperature_celsius{}"
#define FIXED "smart/sda/disk_capacity_bytes{}"

/* Backlog, log, raw and hourly must all tell the same story. */
static void history_is_the_same_wherever_it_lies(void **state UNUSED)
{
        struct store s;
        json_t *first = NULL, *points;

        begin();
        start(&s, dir);
        for (int m = 0; m < 1440; m++) {
                sample(&s, TEMP, 30 + m / 60 + m % 2);
                pass(60);
        }
        for (int stage = 0; stage < 4; stage++) {
                if (stage == 1)
                        assert_int_equal(store_commit(&s), SQLITE_OK);
                if (stage == 2) {
                        pass(200); /* the last hour is over now */
                        tidy(&s);
                        assert_true(stat_of(&s, "compactions") == 24);
                }
                if (stage == 3) {
                        pass(3 * HOUR_S); /* and the day */
                        tidy(&s);
                        store_done(&s);
                        start(&s, dir);
                }
                points = history(&s, "disk_temperature_celsius", START_S, START_S + DAY_S, 24);
                assert_int_equal(json_array_size(points), 24);
                for (size_t h = 0; h < 24; h++) {
                        if (point(points, h, 0) != (double)(START_S + (int64_t)h * HOUR_S) || fabs(point(points, h, 1) - (30.5 + (double)h)) > 1e-9 ||
                            point(points, h, 2) != 30 + (double)h || point(points, h, 3) != 31 + (double)h)
                                fail_msg("stage %d, hour %zu: %s", stage, h, json_dumps(json_array_get(points, h), 0));
                }
                if (!first)
                        first = json_incref(points);
                json_decref(points);
        }
        points = history(&s, "disk_temperature_celsius", START_S, START_S + 600, 10);
        assert_int_equal(json_array_size(points), 10);
        assert_true(point(points, 1, 1) == 31);
        json_decref(points);
        assert_null(history(&s, "no_such_metric", START_S, START_S + 600, 10));
        json_decref(first);
        store_done(&s);
        end();
}

static void constants_are_written_once_an_hour(void **state UNUSED)
{
        struct store s;
        json_t *points;

        begin();
        start(&s, dir);
        for (int m = 0; m < 24 * 60; m++) {
                sample(&s, FIXED, 4e12);
                pass(60);
        }
        store_commit(&s);
        assert_int_equal(stat_of(&s, "samples"), 1440);
        assert_int_equal(stat_of(&s, "samples_written"), 24);
        points = history(&s, "disk_capacity_bytes", START_S, START_S + DAY_S, 48);
        assert_int_equal(json_array_size(points), 48); /* no holes all the same */
        json_decref(points);
        store_done(&s);
        end();
}

static void a_gap_stays_a_gap(void **state UNUSED)
{
        struct store s;
        json_t *points;

        begin();
        start(&s, dir);
        for (int m = 0; m < 360; m++) {
                if (m == 120) { /* an hour without power */
                        store_done(&s);
                        start(&s, dir);
                        pass(HOUR_S);
                }
                sample(&s, FIXED, 7);
                pass(60);
        }
        for (int stage = 0; stage < 2; stage++) {
                points = history(&s, "disk_capacity_bytes", START_S, START_S + 7 * HOUR_S, 7 * 4);
                assert_int_equal(json_array_size(points), 7 * 4 - 4);
                for (size_t i = 0; i < json_array_size(points); i++)
                        assert_false(point(points, i, 0) > START_S + 2 * HOUR_S && point(points, i, 0) < START_S + 3 * HOUR_S);
                json_decref(points);
                store_commit(&s);
                pass(DAY_S);
                tidy(&s);
        }
        store_done(&s);
        end();
}

static void clocks_that_jump_lose_nothing(void **state UNUSED)
{
        struct store s;
        json_t *points;

        begin();
        start(&s, dir);
        for (int d = 0; d < 3 * 24; d++) {
                sample(&s, TEMP, 40);
                pass(HOUR_S);
                store_commit(&s);
                tidy(&s);
        }
        now_us += 400LL * DAY_S * USEC_PER_SEC; /* a typing error */
        for (int h = 0; h < 5; h++) {
                sample(&s, TEMP, 50);
                pass(HOUR_S);
                store_commit(&s);
                tidy(&s);
        }
        now_us -= 400LL * DAY_S * USEC_PER_SEC; /* corrected */
        for (int h = 0; h < 24; h++) {
                sample(&s, TEMP, 41);
                pass(HOUR_S);
                store_commit(&s);
                tidy(&s);
        }
        now_us -= 2LL * DAY_S * USEC_PER_SEC; /* two days back: values for days that are summed up */
        sample(&s, TEMP, 99);
        pass(600);
        sample(&s, TEMP, 40);
        store_commit(&s);
        now_us += 2LL * DAY_S * USEC_PER_SEC;
        pass(HOUR_S);
        tidy(&s);
        points = history(&s, "disk_temperature_celsius", START_S, START_S + 4 * DAY_S, 4);
        assert_int_equal(json_array_size(points), 4);
        assert_true(point(points, 0, 1) == 40);
        assert_true(point(points, 2, 3) == 99 && point(points, 2, 1) > 40 && point(points, 2, 1) < 45);
        json_decref(points);
        store_done(&s);
        end();
}

/* Ten minutes' values for 400 days, with the limits that a small host might set. */
static void a_year_stays_within_its_size(void **state UNUSED)
{
        static const char *const keys[] = { TEMP, FIXED, "a/b/c_ratio{}", "a/b/d{}", "a/b/e{}" };
        int64_t largest = 0, size;
        struct store s;
        json_t *points;

        begin();
        start(&s, dir);
        s.limits.max_bytes = 1 << 20;
        s.limits.max_events = 300;
        for (int i = 0; i < 400 * 144; i++) {
                json_t *rows = json_array();

                for (size_t k = 0; k < ARRAY_LEN(keys); k++)
                        json_array_append_new(rows, json_pack("[ssf]", keys[k], "sda", k == 1 ? 5.0 : k == 2 ? i / 7e4 : 30.0 + (double)(i % (7 * (int)k + 9))));
                say(&s, json_pack("{ss sI so}", "t", "samples", "time", (json_int_t)now_s(), "rows", rows));
                if (i % 144 == 0)
                        event(&s, "sda", "ok", "warning", "once a day");
                pass(600);
                if (i % 6 == 5) {
                        assert_int_equal(store_commit(&s), SQLITE_OK);
                        tidy(&s);
                        size = stat_of(&s, "bytes");
                        largest = MAX(largest, size);
                }
        }
        if (largest > (1 << 20) * 11 / 10 || s.n_events > 300)
                fail_msg("%lld bytes, %lld events", (long long)largest, (long long)s.n_events);
        print_message("# a year of 5 series: %lld bytes at most\n", (long long)largest);
        points = history(&s, "disk_temperature_celsius", now_s() - 300 * DAY_S, now_s(), 300);
        assert_int_equal(json_array_size(points), 300);
        json_decref(points);
        points = history(&s, "disk_capacity_bytes", now_s() - 6 * DAY_S, now_s(), 100);
        assert_int_equal(json_array_size(points), 100);
        json_decref(points);
        assert_int_equal(stat_of(&s, "bad_blocks"), 0);
        /* A quarter of that: the oldest gives way, what is new stays. */
        s.limits.max_bytes = 128 * 1024;
        tidy(&s);
        assert_true(stat_of(&s, "bytes") <= 400 * 1024);
        points = history(&s, "disk_temperature_celsius", now_s() - HOUR_S, now_s(), 6);
        assert_int_equal(json_array_size(points), 6);
        json_decref(points);
        store_done(&s);
        end();
}

static void a_disk_that_refuses_costs_nothing(void **state UNUSED)
{
        struct store s;
        json_t *answers, *points;
        char path[128];

        begin();
        snprintf(path, sizeof(path), "%s/later", dir);
        start(&s, path); /* there is no such directory */
        assert_non_null(strstr(s.trouble, "cannot open"));
        sample(&s, TEMP, 40);
        event(&s, "sda", "ok", "critical", "it burns");
        say(&s, json_pack("{ss ss s[i]}", "t", "put", "key", "state/x", "value", 5));
        answers = ask(&s, json_pack("{ss sI}", "t", "sync", "seq", (json_int_t)9));
        assert_int_equal(json_array_size(answers), 1);
        assert_non_null(strstr(json_string_value(json_object_get(json_array_get(answers, 0), "why")), "1 values and 1 events wait"));
        json_decref(answers);
        /* Everything can be asked for all the same. */
        points = history(&s, "disk_temperature_celsius", now_s(), now_s() + 60, 1);
        assert_true(point(points, 0, 1) == 40);
        json_decref(points);
        answers = ask(&s, json_pack("{ss}", "t", "events"));
        assert_int_equal(json_array_size(answers), 2);
        json_decref(answers);
        answers = ask(&s, json_pack("{ss ss}", "t", "load", "prefix", "state/"));
        assert_int_equal(json_array_size(answers), 2);
        json_decref(answers);
        assert_int_equal(store_plots(&s), 0);
        assert_int_equal(mkdir(path, 0700), 0);
        answers = ask(&s, json_pack("{ss sI}", "t", "sync", "seq", (json_int_t)10));
        assert_int_equal(json_array_size(answers), 1); /* told again, not tried again so soon */
        json_decref(answers);
        pass(11);
        answers = ask(&s, json_pack("{ss sI}", "t", "sync", "seq", (json_int_t)11));
        assert_string_equal(json_string_value(json_object_get(json_array_get(answers, 0), "t")), "ack");
        assert_int_equal(json_integer_value(json_object_get(json_array_get(answers, 0), "seq")), 11);
        json_decref(answers);
        assert_string_equal(s.trouble, "");
        store_done(&s);
        start(&s, path);
        answers = ask(&s, json_pack("{ss ss}", "t", "load", "prefix", "state/"));
        assert_int_equal(json_array_size(answers), 2);
        json_decref(answers);
        store_done(&s);
        end();
}

static void the_backlog_is_bounded_and_counts(void **state UNUSED)
{
        struct store s;
        char path[128];

        begin();
        snprintf(path, sizeof(path), "%s/never", dir);
        start(&s, path);
        for (int i = 0; i < BACKLOG_SAMPLES + 1000; i++)
                pending_sample(&s.pending, NULL, i, i);
        assert_true(s.pending.n_samples <= BACKLOG_SAMPLES && s.pending.lost_samples + s.pending.n_samples == BACKLOG_SAMPLES + 1000);
        assert_true(s.pending.samples[s.pending.n_samples - 1].time_s == BACKLOG_SAMPLES + 999);
        s.pending.n_samples = 0;
        for (int i = 0; i < BACKLOG_EVENTS + 10; i++)
                event(&s, "sda", "ok", "ok", "x");
        assert_true(s.pending.n_events == BACKLOG_EVENTS && s.pending.lost_events == 10);
        for (int i = 0; i < 30; i++) {
                char key[16], *value = malloc(100001);

                snprintf(key, sizeof(key), "%d", i);
                memset(value, '1', 100000);
                value[100000] = '\0';
                assert_int_equal(pending_put(&s.pending, key, value), i < 20);
        }
        assert_int_equal(s.pending.lost_kv, 10);
        store_done(&s);
        end();
}

/* Overwrites the middle of the file: some pages are rubbish, the first one is in order. */
static void spoil(const char *path, off_t from, size_t len)
{
        _cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
        char buf[4096];

        assert_true(fd >= 0);
        memset(buf, 0xa5, sizeof(buf));
        for (size_t i = 0; i < len; i += sizeof(buf))
                assert_int_equal(pwrite(fd, buf, sizeof(buf), from + (off_t)i), sizeof(buf));
}

static void a_damaged_database_is_replaced_and_memory_saved(void **state UNUSED)
{
        struct store s;
        json_t *answers;
        char path[128], text[200];
        size_t kept;

        begin();
        snprintf(path, sizeof(path), "%s/veille.db", dir);
        start(&s, dir);
        say(&s, json_pack("{ss ss s{si}}", "t", "put", "key", "state/baseline", "value", "crc", 87));
        event(&s, "sda", "ok", "warning", "before");
        store_commit(&s);
        for (int i = 0; i < 3000; i++) {
                sample(&s, TEMP, i);
                pass(60);
        }
        store_commit(&s);
        tidy(&s);
        store_done(&s);
        spoil(path, 4096 * 18, 4096 * 8); /* behind what was written first */
        start(&s, dir);
        if (s.counters.corruptions == 0) { /* not in a table that is read at start: found when it is */
                json_decref(history(&s, "disk_temperature_celsius", START_S, now_s(), 2000));
                tidy(&s);
        }
        assert_int_equal(s.counters.corruptions, 1);
        assert_non_null(strstr(logged, "was damaged"));
        assert_string_equal(s.trouble, "");
        answers = ask(&s, json_pack("{ss ss}", "t", "load", "prefix", "state/"));
        assert_int_equal(json_array_size(answers), 2);
        json_decref(answers);
        answers = ask(&s, json_pack("{ss}", "t", "events"));
        kept = json_array_size(answers);
        snprintf(text, sizeof(text), "%s", json_string_value(json_object_get(json_array_get(answers, kept - 2), "why")));
        assert_non_null(strstr(text, "damaged"));
        assert_int_equal(kept, 3); /* before, the damage, end */
        json_decref(answers);
        sample(&s, TEMP, 1);
        assert_int_equal(store_commit(&s), SQLITE_OK);
        store_done(&s);
        /* No database at all, and again: one damaged file is kept, not two. */
        pass(60);
        spoil(path, 0, 8192);
        start(&s, dir);
        assert_string_equal(s.trouble, "");
        snprintf(text, sizeof(text), "test $(ls %s/veille.db.corrupt-*Z | wc -l) = 1", dir);
        assert_int_equal(system(text), 0);
        store_done(&s);
        end();
}

static void load_is_in_order_and_the_backlog_knows_better(void **state UNUSED)
{
        struct store s;
        json_t *answers;
        char all[512] = "";

        begin();
        start(&s, dir);
        for (int i = 0; i < 5; i++) {
                char key[16];

                snprintf(key, sizeof(key), "state/%d", i);
                say(&s, json_pack("{ss ss si}", "t", "put", "key", key, "value", i));
        }
        store_commit(&s);
        say(&s, json_pack("{ss ss}", "t", "del", "key", "state/1"));
        say(&s, json_pack("{ss ss ss}", "t", "put", "key", "state/3", "value", "new"));
        say(&s, json_pack("{ss ss ss}", "t", "put", "key", "state/25", "value", "more"));
        say(&s, json_pack("{ss ss ss}", "t", "put", "key", "other", "value", "not asked for"));
        for (int stage = 0; stage < 2; stage++) {
                answers = ask(&s, json_pack("{ss ss}", "t", "load", "prefix", "state/"));
                all[0] = '\0';
                for (size_t i = 0; i + 1 < json_array_size(answers); i++)
                        strcat(strcat(all, json_string_value(json_object_get(json_array_get(answers, i), "key"))), " ");
                assert_string_equal(all, "state/0 state/2 state/25 state/3 state/4 ");
                assert_string_equal(json_string_value(json_object_get(json_array_get(answers, 3), "value")), "new");
                json_decref(answers);
                store_commit(&s);
        }
        assert_int_equal(stat_of(&s, "keys"), 6);
        store_done(&s);
        end();
}

static void events_newest_in_order(void **state UNUSED)
{
        struct store s;
        json_t *answers;

        begin();
        start(&s, dir);
        for (int i = 0; i < 300; i++) {
                char why[16];

                snprintf(why, sizeof(why), "%d", i);
                event(&s, i % 3 ? "sda" : "sdb", "ok", "warning", why);
                pass(1);
                if (i == 200)
                        store_commit(&s);
        }
        answers = ask(&s, json_pack("{ss ss si}", "t", "events", "component", "sdb", "max", 50));
        assert_int_equal(json_array_size(answers), 51);
        for (int i = 0; i < 50; i++)
                assert_int_equal(atoi(json_string_value(json_object_get(json_array_get(answers, (size_t)i), "why"))), 150 + i * 3);
        json_decref(answers);
        answers = ask(&s, json_pack("{ss si}", "t", "events", "max", 60));
        assert_int_equal(json_array_size(answers), 61);
        assert_int_equal(atoi(json_string_value(json_object_get(json_array_get(answers, 0), "why"))), 240);
        json_decref(answers);
        answers = ask(&s, json_pack("{ss sI sI}", "t", "events", "from", (json_int_t)START_S + 100, "to", (json_int_t)START_S + 219));
        assert_int_equal(json_array_size(answers), 121);
        json_decref(answers);
        assert_int_equal(dict_component(&s.dict, "sda", false)->level, LEVEL_WARNING);
        store_done(&s);
        end();
}

static void only_the_brain_writes_and_rubbish_is_named(void **state UNUSED)
{
        static const struct {
                const char *line;
                bool writer;
                const char *answer; /* part of the first answer; NULL: none */
        } rows[] = {
                { "{\"t\":\"put\",\"key\":\"a\",\"value\":1}", false, "put is for veilled and root" },
                { "{\"t\":\"samples\",\"time\":1,\"rows\":[]}", false, "is for veilled" },
                { "{\"t\":\"event\",\"time\":1,\"component\":\"a\"}", false, "is for veilled" },
                { "{\"t\":\"sync\",\"seq\":1}", false, "is for veilled" },
                { "{\"t\":\"events\"}", false, "\"end\"" },
                { "{\"t\":\"stats\"}", false, "\"stats\"" },
                { "{\"t\":1}", true, "no word" },
                { "{}", true, "no word" },
                { "{\"t\":\"samples\",\"time\":\"x\",\"rows\":[]}", true, "samples:" },
                { "{\"t\":\"samples\",\"time\":-5,\"rows\":[]}", true, "samples:" },
                { "{\"t\":\"samples\",\"time\":1e300,\"rows\":[]}", true, "samples:" },
                { "{\"t\":\"samples\",\"time\":1700006400,\"rows\":[1,[],[1,2,3],[\"a/b/c{}\",\"\",1],[\"a/b/c\",\"x\",1],[\"a/b/c{}\",\"x\",\"1\"],"
                  "[\"a/b/c{}\",\"x\",1e301],[\"a/b/c{}\",\"x\",null],[\"a/b/c{}\",\"x\",1,2]]}", true, NULL },
                { "{\"t\":\"event\",\"time\":1,\"component\":\"a\",\"to\":\"dreadful\"}", true, "event:" },
                { "{\"t\":\"event\",\"time\":1}", true, "event:" },
                { "{\"t\":\"put\",\"key\":\"a\"}", true, "put:" },
                { "{\"t\":\"put\",\"value\":1}", true, "put:" },
                { "{\"t\":\"del\"}", true, "del:" },
                { "{\"t\":\"history\",\"component\":\"a\"}", true, "\"end\"" },
                { "{\"t\":\"history\",\"component\":\"a\",\"from\":9,\"to\":9}", true, "history:" },
                { "{\"t\":\"history\",\"component\":\"a\",\"from\":-9}", true, "history:" },
                { "{\"t\":\"history\"}", true, "history:" },
                { "{\"t\":\"history\",\"component\":\"a\",\"points\":1000000000000}", true, "\"end\"" },
                { "{\"t\":\"events\",\"from\":\"yesterday\"}", true, "events:" },
        };
        struct store s;

        begin();
        start(&s, dir);
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                json_t *answers = ask_as(&s, json_loads(rows[i].line, 0, NULL), rows[i].writer);
                char *text = json_dumps(json_array_get(answers, 0), JSON_COMPACT | JSON_ENCODE_ANY);

                if (rows[i].answer ? !text || !strstr(text, rows[i].answer) : text != NULL)
                        fail_msg("row %zu: %s", i, text);
                free(text);
                json_decref(answers);
        }
        assert_int_equal(s.counters.bad_rows, 9);
        assert_int_equal(s.dict.n, 0);
        s.max_series = 2;
        for (int i = 0; i < 5; i++) {
                char key[32];

                snprintf(key, sizeof(key), "a/b/c{n=%d}", i);
                sample(&s, key, 1);
        }
        assert_int_equal(s.dict.n, 2);
        assert_int_equal(s.counters.refused_series, 3);
        store_done(&s);
        end();
}

static json_t *plots_file(struct store *s)
{
        char path[128];
        json_t *doc;

        assert_int_equal(store_plots(s), 0);
        snprintf(path, sizeof(path), "%s/plots.json", dir);
        doc = json_load_file(path, 0, NULL);
        assert_non_null(doc);
        return doc;
}

static void plots_show_what_is_not_ok_first(void **state UNUSED)
{
        struct store s;
        char path[128];
        json_t *doc, *plots;

        begin();
        start(&s, dir);
        for (int d = 0; d < 80; d++) {
                char key[64], component[8];

                snprintf(component, sizeof(component), "sd%d", d / 2);
                for (int m = 0; m < 3; m++) {
                        snprintf(key, sizeof(key), "smart/%s/%s{n=%d}", component, m == 1 ? "disk_load_cycles_total" : m == 2 ? "disk_spin_retries" : "disk_temperature_celsius", m);
                        say(&s, json_pack("{ss sI s[[ssf]]}", "t", "samples", "time", (json_int_t)now_s(), "rows", key, component, m == 2 ? 1.0 : 29.0 + d / 2 + d % 2));
                        pass(1);
                }
        }
        event(&s, "sd7", "ok", "warning", "hm");
        event(&s, "sd9", "ok", "critical", "oh");
        event(&s, "sd11", "ok", "critical", "oh");
        event(&s, "sd11", "critical", "ok", "well again");
        assert_int_equal(store_plots(&s), 0);
        snprintf(path, sizeof(path), "%s/plots.json", dir);
        doc = json_load_file(path, 0, NULL);
        plots = json_object_get(doc, "plots");
        assert_int_equal(json_array_size(plots), 24);
        assert_string_equal(json_string_value(json_object_get(json_array_get(plots, 0), "component")), "sd9");
        /* What moved, thought of or not; not what never did. */
        assert_string_equal(json_string_value(json_object_get(json_array_get(plots, 1), "metric")), "disk_load_cycles_total");
        assert_string_equal(json_string_value(json_object_get(json_array_get(plots, 2), "component")), "sd7");
        assert_string_equal(json_string_value(json_object_get(json_array_get(plots, 0), "unit")), "celsius");
        assert_string_equal(json_string_value(json_object_get(json_object_get(json_array_get(plots, 0), "labels"), "n")), "0");
        assert_true(point(json_object_get(json_array_get(plots, 0), "points"), 0, 3) == 39);
        for (size_t i = 4; i < 24; i++)
                assert_string_equal(json_string_value(json_object_get(json_array_get(plots, i), "metric")), "disk_temperature_celsius");
        assert_int_equal(json_array_size(json_object_get(doc, "events")), 4);
        assert_string_equal(json_string_value(json_object_get(json_array_get(json_object_get(doc, "events"), 3), "to")), "ok");
        json_decref(doc);
        store_commit(&s);
        store_done(&s);
        /* The same after a restart: the history knows what moved. */
        start(&s, dir);
        doc = plots_file(&s);
        plots = json_object_get(doc, "plots");
        assert_string_equal(json_string_value(json_object_get(json_array_get(plots, 1), "metric")), "disk_load_cycles_total");
        assert_string_equal(json_string_value(json_object_get(json_array_get(plots, 2), "component")), "sd7");
        json_decref(doc);
        store_done(&s);
        end();
}

static double plot_number(const json_t *doc, size_t i, const char *key)
{
        return json_number_value(json_object_get(json_array_get(json_object_get(doc, "plots"), i), key));
}

/* Ten minutes after the first start the page shows ten minutes, not a week with a dot; after days a week. */
static void a_young_history_is_shown_alone(void **state UNUSED)
{
        static const char key[] = "host/host/host_memory_left_ratio{}", tmpfs[] = "fs/x/fs_avail_ratio{fstype=tmpfs}";
        struct store s;
        json_t *doc, *points;

        begin();
        start(&s, dir);
        pass(1234);
        for (int i = 0; i < 40; i++, pass(60))
                say(&s, json_pack("{ss sI s[[ssf][ssf]]}", "t", "samples", "time", (json_int_t)now_s(), "rows", key, "host", 0.5 + i / 100.0, tmpfs, "/x", 0.5 + i / 100.0));
        doc = plots_file(&s);
        assert_int_equal(json_array_size(json_object_get(doc, "plots")), 1); /* a tmpfs tells nothing */
        points = json_object_get(json_array_get(json_object_get(doc, "plots"), 0), "points");
        if (json_array_size(points) < 38 || json_array_size(points) > 42 || now_s() - plot_number(doc, 0, "from") > 2700)
                fail_msg("%zu points from %.0f s ago", json_array_size(points), now_s() - plot_number(doc, 0, "from"));
        json_decref(doc);
        for (int i = 0; i < 4 * 288; i++, pass(300))
                say(&s, json_pack("{ss sI s[[ssf]]}", "t", "samples", "time", (json_int_t)now_s(), "rows", key, "host", 0.5 + i % 100 / 1000.0));
        store_commit(&s);
        while (store_tidy(&s))
                ;
        doc = plots_file(&s);
        points = json_object_get(json_array_get(json_object_get(doc, "plots"), 0), "points");
        assert_true(now_s() - plot_number(doc, 0, "from") > 6.9 * DAY_S);
        if (json_array_size(points) < 90 || json_array_size(points) > 100)
                fail_msg("%zu points of four days of hours", json_array_size(points));
        json_decref(doc);
        store_done(&s);
        end();
}

static void what_repeats_happened_once(void **state UNUSED)
{
        struct store s;
        json_t *doc, *events;

        begin();
        start(&s, dir);
        event(&s, "sda", "ok", "warning", "first");
        for (int i = 0; i < 300; i++, pass(10))
                say(&s, json_pack("{ss sI ss ss ss ss ss ss}", "t", "event", "time", (json_int_t)now_s(), "component", "sdb", "kind", "kernel", "from", "ok",
                                  "to", "ok", "rule", "io-error", "why", i % 2 ? "read" : "write"));
        event(&s, "sda", "warning", "ok", "");
        event(&s, "sda", "ok", "warning", "first");
        doc = plots_file(&s);
        events = json_object_get(doc, "events");
        assert_int_equal(json_array_size(events), 5);
        assert_int_equal(json_integer_value(json_object_get(json_array_get(events, 1), "count")), 150);
        assert_true(json_number_value(json_object_get(json_array_get(events, 2), "time")) == (double)now_s() - 10);
        assert_null(json_object_get(json_array_get(events, 0), "count"));
        assert_null(json_object_get(json_array_get(events, 4), "count"));
        json_decref(doc);
        store_done(&s);
        end();
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(history_is_the_same_wherever_it_lies),
                cmocka_unit_test(constants_are_written_once_an_hour),
                cmocka_unit_test(a_gap_stays_a_gap),
                cmocka_unit_test(clocks_that_jump_lose_nothing),
                cmocka_unit_test(a_year_stays_within_its_size),
                cmocka_unit_test(a_disk_that_refuses_costs_nothing),
                cmocka_unit_test(the_backlog_is_bounded_and_counts),
                cmocka_unit_test(a_damaged_database_is_replaced_and_memory_saved),
                cmocka_unit_test(load_is_in_order_and_the_backlog_knows_better),
                cmocka_unit_test(events_newest_in_order),
                cmocka_unit_test(only_the_brain_writes_and_rubbish_is_named),
                cmocka_unit_test(plots_show_what_is_not_ok_first),
                cmocka_unit_test(a_young_history_is_shown_alone),
                cmocka_unit_test(what_repeats_happened_once),
        };

        return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
