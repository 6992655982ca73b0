/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* What the brain keeps for the store: events (their order, their bound, their file) and which memory is confirmed. */

#include <fcntl.h>
#include <sys/stat.h>

#include "brain_events.h"
#include "brain_memory.h"
#include "event_rank.h"
#include "test.h"
#include "utf8.h"

static char dir[64];

static int begin(void **state UNUSED)
{
        strcpy(dir, access("/dev/shm", W_OK) == 0 ? "/dev/shm/veille-test-XXXXXX" : "/tmp/veille-test-XXXXXX");
        return mkdtemp(dir) ? 0 : -1;
}

static int end(void **state UNUSED)
{
        char cmd[128];

        snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
        return system(cmd);
}

static bool add(struct kept *k, const char *from, const char *to, const char *why, int64_t boot_us)
{
        return kept_add(k, &(struct kept_event_desc){ .wall_us = 1700000000LL * USEC_PER_SEC + boot_us, .boot_us = boot_us, .component = "sda",
                                                      .kind = "disk", .from = from, .to = to, .rule = "r", .why = why });
}

static json_t *next(struct kept *k)
{
        size_t len;
        const char *text = kept_unsent(k, &len);

        return text ? json_loadb(text, len, 0, NULL) : NULL;
}

static void assert_next(struct kept *k, const char *why, int64_t seq)
{
        json_t *o = next(k);

        if (!o || !streq(json_string_value(json_object_get(o, "why")), why))
                fail_msg("wanted '%s', there is %s", why, o ? json_string_value(json_object_get(o, "why")) : "nothing");
        json_decref(o);
        kept_sent(k, seq);
}

static size_t file_size(void)
{
        char path[96];
        struct stat st;

        snprintf(path, sizeof(path), "%s/events.jsonl", dir);
        return stat(path, &st) == 0 ? (size_t)st.st_size : 0;
}

static void ranks(void **state UNUSED)
{
        static const struct {
                const char *kind, *from, *to;
                unsigned rank;
        } rows[] = {
                { "event", "ok", "ok", 0 },          { "kernel", "ok", "ok", 1 },      { "disk", "ok", "notice", 2 },  { "disk", "notice", "ok", 2 },
                { "disk", "ok", "warning", 3 },      { "disk", "unknown", "ok", 3 },   { "disk", "ok", "critical", 4 }, { "disk", "critical", "ok", 4 },
                { "disk", "critical", "critical", 0 }, { "fault", "", "", 4 },         { "", "", "", 0 },              { "kernel", "bogus", "", 1 },
                { "reason", "critical", "critical", 4 }, { "reason", "warning", "warning", 3 },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
                if (event_rank(rows[i].kind, rows[i].from, rows[i].to) != rows[i].rank)
                        fail_msg("%s %s %s: %u", rows[i].kind, rows[i].from, rows[i].to, event_rank(rows[i].kind, rows[i].from, rows[i].to));
}

static void what_is_not_confirmed_is_sent_again(void **state UNUSED)
{
        struct kept *k = kept_open(dir);

        add(k, "ok", "warning", "a", 1);
        add(k, "warning", "ok", "b", 2);
        assert_next(k, "a", 1);
        assert_next(k, "b", 2);
        assert_null(next(k));
        kept_confirmed(k, 1);
        assert_int_equal(kept_waiting(k), 1);
        kept_link_down(k);
        assert_next(k, "b", 3);
        kept_confirmed(k, 2); /* of the connection before: not this one */
        assert_int_equal(kept_waiting(k), 1);
        kept_confirmed(k, 3);
        assert_int_equal(kept_waiting(k), 0);
        kept_link_down(k);
        assert_null(next(k));
        assert_true(file_size() > 0); /* until their levels are in RUN/state.json */
        kept_state_saved(k);
        assert_int_equal(file_size(), 0);
        assert_int_equal(kept_lost(k), 0);
        kept_close(k);
}

static void a_killed_brain_finds_them_again(void **state UNUSED)
{
        struct kept *k = kept_open(dir);
        json_t *first, *again;
        FILE *f;
        char path[96];

        add(k, "ok", "warning", "a", 1);
        add(k, "ok", "ok", "b \xc3\xa4 \xff \xe2\x82", 2); /* not UTF-8, and cut within a character */
        first = next(k);
        kept_close(k);
        snprintf(path, sizeof(path), "%s/events.jsonl", dir);
        f = fopen(path, "a");
        assert_non_null(f);
        fputs("nonsense\n5 {\"t\":\"event\"}\n6 {\"t\":\"event\",\"id\":\"x\",\"time\":1e9,\"component\":\"sda\",\"from\":\"ok\",\"to\":\"splendid\"}\n"
              "7 {\"t\":\"event\",\"id\":\"x\",\"ti",
              f); /* killed in the middle of a line */
        fclose(f);
        k = kept_open(dir);
        again = next(k);
        assert_true(json_equal(first, again)); /* the id, too */
        json_decref(first);
        json_decref(again);
        add(k, "ok", "critical", "c", 3);
        kept_close(k);
        k = kept_open(dir);
        assert_int_equal(kept_waiting(k), 3);
        assert_next(k, "a", 1);
        assert_next(k, "b \xc3\xa4 ? ", 2);
        assert_next(k, "c", 3);
        kept_close(k);
}

static void an_id_happens_once(void **state UNUSED)
{
        struct kept_event_desc d = { .id = "kmsg-1", .wall_us = 1700000000LL * USEC_PER_SEC, .component = "sda", .kind = "kernel", .from = "ok",
                                     .to = "ok", .rule = "r", .why = "w" };
        struct kept *k = kept_open(dir);

        assert_true(kept_add(k, &d));
        assert_false(kept_add(k, &d));
        kept_close(k);
        k = kept_open(dir);
        assert_false(kept_add(k, &d));
        assert_int_equal(kept_waiting(k), 1);
        assert_int_equal(kept_lost(k), 0);
        kept_close(k);
}

static void the_least_important_goes_first(void **state UNUSED)
{
        struct kept *k = kept_open(dir);
        char why[32];

        add(k, "ok", "critical", "worst", 0);
        for (int i = 0; i < 2 * KEPT_MAX; i++) {
                snprintf(why, sizeof(why), "n%d", i);
                add(k, "ok", i % 4 ? "ok" : "warning", why, i);
        }
        assert_int_equal(kept_waiting(k), KEPT_MAX);
        assert_int_equal(kept_lost(k), KEPT_MAX + 1);
        assert_next(k, "worst", 1);
        assert_next(k, "n0", 1);
        assert_next(k, "n4", 1);
        for (int i = 0; i < KEPT_MAX; i++)
                add(k, "critical", "ok", "over", 3 * KEPT_MAX + i);
        assert_false(add(k, "ok", "warning", "too late", 5 * KEPT_MAX)); /* all that are kept matter more */
        /* Three that were sent are dropped; the store may still write them, until the link is down. */
        assert_int_equal(kept_lost(k), 2 * KEPT_MAX + 2 - 3);
        kept_link_down(k);
        assert_int_equal(kept_lost(k), 2 * KEPT_MAX + 2);
        assert_true(file_size() < 4 * KEPT_BYTES_MAX);
        kept_close(k);
        k = kept_open(dir);
        assert_int_equal(kept_waiting(k), KEPT_MAX);
        kept_close(k);
}

static void what_the_store_got_is_not_lost(void **state UNUSED)
{
        struct kept *k = kept_open(dir);

        for (int i = 0; i < KEPT_MAX; i++) {
                add(k, "ok", "ok", "remark", i);
                kept_sent(k, 5);
        }
        add(k, "ok", "critical", "new", KEPT_MAX);
        assert_int_equal(kept_lost(k), 0);
        kept_confirmed(k, 5); /* all of them, the dropped one too */
        kept_link_down(k);
        assert_int_equal(kept_lost(k), 0);
        kept_close(k);
}

static void long_texts_are_bounded(void **state UNUSED)
{
        struct kept *k = kept_open(dir);
        char why[8000];

        memset(why, 'x', sizeof(why) - 1);
        why[sizeof(why) - 1] = '\0';
        for (int i = 0; i < 500; i++)
                add(k, "ok", "warning", why, i);
        assert_true(kept_waiting(k) < KEPT_BYTES_MAX / 8000 && kept_waiting(k) > KEPT_BYTES_MAX / 9000);
        assert_true(file_size() <= 4 * KEPT_BYTES_MAX);
        kept_close(k);
}

static void count_levels(void *data, const json_t *event)
{
        char *seen = data;

        strcat(seen, json_string_value(json_object_get(event, "why")));
}

static void levels_since_the_last_state(void **state UNUSED)
{
        struct kept *k = kept_open(dir);
        char seen[16] = "";

        add(k, "ok", "warning", "a", 10);
        add(k, "ok", "ok", "remark", 20);
        add(k, "warning", "critical", "b", 20);
        add(k, "critical", "ok", "c", 30);
        kept_levels_since(k, 10, count_levels, seen);
        assert_string_equal(seen, "bc");
        assert_true(kept_has_level(k, "sda"));
        assert_false(kept_has_level(k, "sd"));
        kept_close(k);
}

/* RUN is full, or cannot be written: kept in memory, said, and written when that is possible again. */
static void a_file_that_cannot_be_written(void **state UNUSED)
{
        struct kept *k;
        char path[96], cmd[256];

        snprintf(path, sizeof(path), "%s/events.jsonl", dir);
        assert_int_equal(mkdir(path, 0700), 0);
        k = kept_open(dir);
        assert_true(kept_error(k) < 0);
        add(k, "ok", "warning", "a", 1);
        assert_true(kept_error(k) < 0);
        assert_int_equal(kept_waiting(k), 1);
        assert_int_equal(rmdir(path), 0);
        add(k, "warning", "ok", "b", 2);
        assert_int_equal(kept_error(k), 0);
        kept_close(k);
        k = kept_open(dir);
        assert_next(k, "a", 1);
        assert_next(k, "b", 2);
        kept_close(k);
        snprintf(cmd, sizeof(cmd), "head -c 3000000 /dev/zero > %s", path); /* none of ours */
        assert_int_equal(system(cmd), 0);
        k = kept_open(dir);
        assert_int_equal(kept_error(k), 0);
        assert_int_equal(kept_waiting(k), 0);
        assert_true(file_size() < 100);
        kept_close(k);
}

static json_t *number(int n)
{
        return json_pack("{si sI}", "n", n, "wall", (json_int_t)random());
}

static bool differs(const struct memory *m, const char *key, int n)
{
        json_t *v = number(n);
        bool r = memory_differs(m, key, v);

        json_decref(v);
        return r;
}

static void tell(struct memory *m, const char *key, int n, int64_t seq)
{
        json_t *v = number(n);

        memory_told(m, key, v, seq);
        json_decref(v);
}

static bool is_c(const char *key)
{
        return str_starts(key, "c/");
}

static void gone(void *data, const char *key)
{
        strcat(data, key);
}

static void memory_counts_when_it_is_confirmed(void **state UNUSED)
{
        json_t *now = json_pack("{sb}", "c/a", 1);
        char keys[64] = "";
        struct memory m;

        memory_init(&m);
        assert_true(differs(&m, "c/a", 1));
        assert_false(memory_differs(&m, "c/a", NULL));
        tell(&m, "c/a", 1, 5);
        assert_false(differs(&m, "c/a", 1)); /* on its way */
        assert_true(differs(&m, "c/a", 2));
        memory_confirmed(&m, 4);
        memory_link_down(&m); /* it never came */
        assert_true(differs(&m, "c/a", 1));
        tell(&m, "c/a", 1, 6);
        tell(&m, "c/b", 1, 6);
        memory_confirmed(&m, 6);
        memory_link_down(&m);
        assert_false(differs(&m, "c/a", 1));
        tell(&m, "c/a", 2, 7);
        tell(&m, "c/a", 3, 8);
        memory_confirmed(&m, 7);
        memory_link_down(&m);
        assert_true(differs(&m, "c/a", 3)); /* 7 confirmed what had been replaced on its way */
        memory_each_gone(&m, is_c, now, gone, keys);
        assert_string_equal(keys, "c/b");
        memory_told(&m, "c/b", NULL, 9);
        assert_false(memory_differs(&m, "c/b", NULL));
        memory_confirmed(&m, 9);
        assert_false(memory_differs(&m, "c/b", NULL));
        assert_true(differs(&m, "c/b", 1));
        tell(&m, "c/x", 1, 10);
        memory_refused(&m, "c/x");
        memory_confirmed(&m, 10);
        assert_false(differs(&m, "c/x", 1)); /* not offered again as it is */
        assert_true(differs(&m, "c/x", 2));
        memory_forget(&m);
        assert_true(differs(&m, "c/x", 1) && differs(&m, "c/a", 1));
        memory_done(&m);
        json_decref(now);
}

static void utf8_rows(void **state UNUSED)
{
        static const struct {
                const char *in, *out;
        } rows[] = {
                { "plain", "plain" },         { "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80" },
                { "a\xffz", "a?z" },          { "cut\xe2\x82", "cut" },       { "cut\xf0\x9f\x98", "cut" }, { "\xc0\xaf", "??" },
                { "\xed\xa0\x80x", "???x" },  { "\xf4\x90\x80\x80", "????" }, { "\xe2\x28\xa1", "?(?" },    { "", "" },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                json_t *v = utf8_json(rows[i].in);

                assert_string_equal(json_string_value(v), rows[i].out);
                json_decref(v);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(ranks),
                cmocka_unit_test_setup_teardown(what_is_not_confirmed_is_sent_again, begin, end),
                cmocka_unit_test_setup_teardown(a_killed_brain_finds_them_again, begin, end),
                cmocka_unit_test_setup_teardown(an_id_happens_once, begin, end),
                cmocka_unit_test_setup_teardown(the_least_important_goes_first, begin, end),
                cmocka_unit_test_setup_teardown(what_the_store_got_is_not_lost, begin, end),
                cmocka_unit_test_setup_teardown(long_texts_are_bounded, begin, end),
                cmocka_unit_test_setup_teardown(levels_since_the_last_state, begin, end),
                cmocka_unit_test_setup_teardown(a_file_that_cannot_be_written, begin, end),
                cmocka_unit_test(memory_counts_when_it_is_confirmed),
                cmocka_unit_test(utf8_rows),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
