/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* What was accepted stays accepted, wherever the part goes and whatever restarts, and no longer than it was meant to; and only what
 * was accepted. */

#include "judge.h"
#include "test.h"

#define S USEC_PER_SEC
#define DAY (86400 * S)
#define WALL0 (1700000000 * S)

static const struct metric_desc metrics[] = {
        { "crc_errors_total", METRIC_COUNTER, "", "h" },
        { "cable_errors_total", METRIC_COUNTER, "", "h" },
        { "spindle_stopped", METRIC_GAUGE, "", "h" },
};
static const struct rule rules[] = {
        { .name = "crc", .metric = "crc_errors_total", .kind = RULE_CHANGE, .notice = 1, .warning = 100, .critical = RULE_NONE, .clear = RULE_NONE,
          .evidence = EVIDENCE_SMART, .text = "{growth} CRC errors since {baseline}", .clears = "c", .source = "s" },
        { .name = "cable", .metric = "cable_errors_total", .kind = RULE_CHANGE, .notice = 1, .warning = RULE_NONE, .critical = RULE_NONE,
          .clear = RULE_NONE, .calm_s = 7 * 86400, .evidence = EVIDENCE_SMART, .text = "{growth} errors of the cable", .clears = "c", .source = "s" },
        { .name = "stopped", .metric = "spindle_stopped", .kind = RULE_LIMIT, .notice = RULE_NONE, .warning = 1, .critical = RULE_NONE,
          .clear = RULE_NONE, .after_good = true, .evidence = EVIDENCE_SMART, .text = "stopped", .clears = "c", .source = "s" },
};
static struct check_desc check = { .name = "smart", .summary = "s", .interval_s = 3600, .deadline_s = 10, .max_age_s = 90 * 86400, .evidence = EVIDENCE_SMART,
                                   .metrics = metrics, .n_metrics = ARRAY_LEN(metrics), .rules = rules, .n_rules = ARRAY_LEN(rules) };
static const struct catalog catalog = { .checks = &check, .n_checks = 1 };

struct world {
        struct judge *j;
        char events[4096];
};

static void on_event(void *data, const char *component, const char *text)
{
        struct world *w = data;
        size_t len = strlen(w->events);

        snprintf(w->events + len, sizeof(w->events) - len, "%s: %s\n", component, text);
}

static void world_init(struct world *w)
{
        *w = (struct world){ 0 };
        w->j = judge_new(&catalog, &(struct judge_callbacks){ .event = on_event, .data = w });
}

/* "sda=ID sdb=ID": the discovery finds these. */
static void discover(struct world *w, const char *what, int64_t now)
{
        char copy[256], *save = NULL;

        snprintf(copy, sizeof(copy), "%s", what);
        judge_discovery_begin(w->j, &check);
        for (char *name = strtok_r(copy, " ", &save); name; name = strtok_r(NULL, " ", &save)) {
                char *id = strchr(name, '=');

                *id++ = '\0';
                judge_discovery_add(w->j, &check, name, name, id, "disk", now);
        }
        judge_discovery_end(w->j, &check, now);
}

static void reading(struct world *w, const char *name, double crc, double cable, bool stopped, int64_t now)
{
        struct judge_instance *i = judge_find(w->j, &check, name);

        assert_non_null(i);
        judge_run_begin(w->j, i);
        assert_true(judge_sample(w->j, i, "crc_errors_total", crc, NULL, now));
        assert_true(judge_sample(w->j, i, "cable_errors_total", cable, NULL, now));
        assert_true(judge_sample(w->j, i, "spindle_stopped", stopped, NULL, now));
        judge_run_end(w->j, i, VERDICT_OK, "", now);
}

static enum level level_of(const struct world *w, const char *name)
{
        for (const struct judge_component *c = judge_components(w->j); c; c = c->next)
                if (streq(c->name, name))
                        return c->level;
        fail_msg("no component %s", name);
        return LEVEL_MAX;
}

struct found {
        size_t n;
        struct judge_acceptance last;
};

static void count(void *data, const struct judge_acceptance *a)
{
        struct found *f = data;

        f->n++;
        f->last = *a;
}

static struct found accepted(const struct world *w, const char *name)
{
        struct found f = { 0 };

        for (const struct judge_component *c = judge_components(w->j); c; c = c->next)
                if (streq(c->name, name))
                        judge_accepted(w->j, c, count, &f);
        return f;
}

/* Through text, as the store and RUN/state.json do. wall: of there, in the same moment. */
static void carry(struct world *from, struct world *to, int64_t now, int64_t wall, int64_t now_there, int64_t wall_there)
{
        for (const struct judge_instance *i = judge_instances(from->j); i; i = i->next) {
                json_t *v = judge_superseded(from->j, i) ? NULL : judge_save(i, now, wall), *back;
                char key[256], *text;

                if (!v)
                        continue;
                judge_save_key(i, key, sizeof(key));
                text = json_dumps(v, JSON_REAL_PRECISION(17));
                back = json_loads(text, 0, NULL);
                judge_load(to->j, key, back, now_there, wall_there);
                json_decref(back);
                json_decref(v);
                free(text);
        }
}

/* A year of readings every hour would not change it; then it does end. */
static void accepted_for_a_while(void **state UNUSED)
{
        struct world w;

        world_init(&w);
        discover(&w, "sda=W", S);
        reading(&w, "sda", 80, 0, false, 60 * S);
        reading(&w, "sda", 87, 0, false, 120 * S);
        assert_int_equal(level_of(&w, "sda"), LEVEL_NOTICE);
        assert_int_equal(judge_accept(w.j, "sda", NULL, 130 * S + 30 * DAY, 130 * S), 1);
        assert_int_equal(level_of(&w, "sda"), LEVEL_OK);
        assert_int_equal(accepted(&w, "sda").n, 1);
        assert_true(accepted(&w, "sda").last.value == 87 && accepted(&w, "sda").last.until_us == 130 * S + 30 * DAY);
        for (int h = 1; h < 30 * 24; h++) {
                reading(&w, "sda", 87, 0, false, 130 * S + h * 3600 * S);
                assert_int_equal(level_of(&w, "sda"), LEVEL_OK);
        }
        assert_null(strstr(w.events, "judged again"));
        reading(&w, "sda", 87, 0, false, 130 * S + 30 * DAY);
        assert_int_equal(level_of(&w, "sda"), LEVEL_NOTICE);
        assert_non_null(strstr(w.events, "rule crc is judged again"));
        assert_int_equal(accepted(&w, "sda").n, 0);
        /* For good now. */
        assert_int_equal(judge_accept(w.j, "sda", NULL, 0, 31 * DAY), 1);
        reading(&w, "sda", 87, 0, false, 4000 * DAY);
        assert_int_equal(level_of(&w, "sda"), LEVEL_OK);
        assert_int_equal(accepted(&w, "sda").n, 1);
        assert_true(accepted(&w, "sda").last.until_us == 0);
        judge_free(w.j);
}

/* {day, crc, cable, wanted}: accepted on day 10 for ten days. */
static void what_comes_back(void **state UNUSED)
{
        static const struct {
                const char *what;
                struct {
                        int day;
                        double crc, cable;
                } before, after;
                enum level wanted;
        } rows[] = {
                { "until accepted: it comes back", { 9, 5, 0 }, { 20, 5, 0 }, LEVEL_NOTICE },
                { "and all of it", { 9, 60, 0 }, { 20, 100, 0 }, LEVEL_WARNING },
                { "a counter that was reset does not", { 9, 5, 0 }, { 20, 1, 0 }, LEVEL_OK },
                { "a rule that forgets within a week has forgotten", { 9, 0, 5 }, { 20, 0, 5 }, LEVEL_OK },
                { "but not when it grew meanwhile", { 9, 0, 5 }, { 19, 0, 6 }, LEVEL_NOTICE },
        };

        for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
                struct world w;

                world_init(&w);
                discover(&w, "sda=W", S);
                reading(&w, "sda", 0, 0, false, 60 * S);
                reading(&w, "sda", rows[k].before.crc, rows[k].before.cable, false, rows[k].before.day * DAY);
                assert_int_equal(judge_accept(w.j, "sda", NULL, 20 * DAY, 10 * DAY), 1);
                reading(&w, "sda", rows[k].before.crc, rows[k].before.cable, false, 11 * DAY);
                reading(&w, "sda", rows[k].after.crc, rows[k].after.cable, false, rows[k].after.day * DAY);
                reading(&w, "sda", rows[k].after.crc, rows[k].after.cable, false, 21 * DAY);
                if (level_of(&w, "sda") != rows[k].wanted)
                        fail_msg("%s: %s", rows[k].what, level_name(level_of(&w, "sda")));
                judge_free(w.j);
        }
}

/* Accepted twice for a while: what comes back is what there was before the first time. */
static void twice_for_a_while(void **state UNUSED)
{
        struct world w;

        world_init(&w);
        discover(&w, "sda=W", S);
        reading(&w, "sda", 0, 0, false, 60 * S);
        reading(&w, "sda", 60, 0, false, 1 * DAY);
        assert_int_equal(judge_accept(w.j, "sda", "crc", 10 * DAY, 1 * DAY), 1);
        reading(&w, "sda", 120, 0, false, 2 * DAY);
        assert_int_equal(level_of(&w, "sda"), LEVEL_NOTICE);
        assert_int_equal(judge_accept(w.j, "sda", "crc", 20 * DAY, 2 * DAY), 1);
        reading(&w, "sda", 120, 0, false, 15 * DAY);
        assert_int_equal(level_of(&w, "sda"), LEVEL_OK);
        reading(&w, "sda", 120, 0, false, 20 * DAY);
        assert_int_equal(level_of(&w, "sda"), LEVEL_WARNING); /* 120 since 0 */
        judge_free(w.j);
}

static void good_once_and_stopped(void **state UNUSED)
{
        struct world w;

        world_init(&w);
        discover(&w, "sda=W", S);
        reading(&w, "sda", 0, 0, false, 60 * S);
        reading(&w, "sda", 0, 0, true, 120 * S);
        assert_int_equal(level_of(&w, "sda"), LEVEL_WARNING);
        assert_int_equal(judge_accept(w.j, "sda", NULL, DAY, 130 * S), 1);
        reading(&w, "sda", 0, 0, true, DAY - S);
        assert_int_equal(level_of(&w, "sda"), LEVEL_OK);
        reading(&w, "sda", 0, 0, true, DAY);
        assert_int_equal(level_of(&w, "sda"), LEVEL_WARNING);
        judge_free(w.j);
}

/* Over a reboot: the boot clock begins anew, the wall clock goes on; loaded before the first reading or after it. */
static void it_survives_a_reboot_and_still_ends(void **state UNUSED)
{
        for (int late = 0; late < 2; late++) {
                struct world before, after;

                world_init(&before);
                discover(&before, "sda=W", S);
                reading(&before, "sda", 80, 0, false, 60 * S);
                reading(&before, "sda", 87, 0, false, 120 * S);
                reading(&before, "sda", 87, 0, true, 130 * S);
                assert_int_equal(judge_accept(before.j, "sda", NULL, 130 * S + 30 * DAY, 130 * S), 2);
                world_init(&after);
                if (!late)
                        carry(&before, &after, 10 * DAY, WALL0, 5 * S, WALL0 + DAY);
                discover(&after, "sdc=W", 6 * S);
                reading(&after, "sdc", 87, 0, true, 10 * S);
                if (late)
                        carry(&before, &after, 10 * DAY, WALL0, 12 * S, WALL0 + DAY);
                reading(&after, "sdc", 87, 0, true, 60 * S);
                assert_int_equal(level_of(&after, "sdc"), LEVEL_OK);
                if (!late)
                        assert_int_equal(accepted(&after, "sdc").n, 2);
                assert_true(llabs(accepted(&after, "sdc").last.since_us - (130 * S - 10 * DAY - DAY + 5 * S)) < 60 * S);
                reading(&after, "sdc", 87, 0, true, 18 * DAY);
                assert_int_equal(level_of(&after, "sdc"), LEVEL_OK);
                reading(&after, "sdc", 87, 0, true, 19 * DAY + 200 * S);
                assert_int_equal(level_of(&after, "sdc"), late ? LEVEL_NOTICE : LEVEL_WARNING);
                judge_free(before.j);
                judge_free(after.j);
        }
}

/* An acceptance of this very boot is not undone by what the store remembers of before. */
static void a_late_store_does_not_undo_it(void **state UNUSED)
{
        struct world before, after;

        world_init(&before);
        discover(&before, "sda=W", S);
        reading(&before, "sda", 80, 0, false, 60 * S);
        world_init(&after);
        discover(&after, "sda=W", S);
        reading(&after, "sda", 84, 0, false, 2 * S);
        reading(&after, "sda", 87, 0, false, 60 * S);
        assert_int_equal(judge_accept(after.j, "sda", NULL, 0, 61 * S), 1);
        carry(&before, &after, 60 * S, WALL0, 62 * S, WALL0 + DAY);
        reading(&after, "sda", 87, 0, false, 63 * S);
        assert_int_equal(level_of(&after, "sda"), LEVEL_OK);
        judge_free(before.j);
        judge_free(after.j);
}

/* RUN has been read; then comes what the store has, which is older, before the disk is found. */
static void the_newer_memory_counts(void **state UNUSED)
{
        for (int order = 0; order < 2; order++) {
                struct world before, after;

                world_init(&before);
                world_init(&after);
                discover(&before, "sda=W", S);
                reading(&before, "sda", 80, 0, false, 60 * S);
                reading(&before, "sda", 87, 0, false, 120 * S);
                if (order == 0)
                        carry(&before, &after, 125 * S, WALL0, 5 * S, WALL0 + 20 * S);
                judge_accept(before.j, "sda", NULL, 0, 130 * S);
                carry(&before, &after, 130 * S, WALL0 + 5 * S, 5 * S, WALL0 + 20 * S);
                if (order == 1) {
                        struct world old;

                        world_init(&old);
                        discover(&old, "sda=W", S);
                        reading(&old, "sda", 80, 0, false, 60 * S);
                        carry(&old, &after, 61 * S, WALL0 - 60 * S, 6 * S, WALL0 + 21 * S);
                        judge_free(old.j);
                }
                discover(&after, "sda=W", 10 * S);
                reading(&after, "sda", 87, 0, false, 11 * S);
                assert_int_equal(level_of(&after, "sda"), LEVEL_OK);
                judge_free(before.j);
                judge_free(after.j);
        }
}

/* Pulled out and put into another slot while we watch: the baseline goes along, the old place is not missed. */
static void a_disk_that_moves(void **state UNUSED)
{
        for (int gap = 0; gap < 2; gap++) {
                struct world w;

                world_init(&w);
                discover(&w, "sda=W sdb=V", S);
                reading(&w, "sda", 80, 0, false, 60 * S);
                reading(&w, "sdb", 5, 0, false, 60 * S);
                reading(&w, "sda", 87, 0, false, 120 * S);
                assert_int_equal(judge_accept(w.j, "sda", NULL, 0, 130 * S), 1);
                if (gap) {
                        discover(&w, "sdb=V", 140 * S);
                        assert_int_equal(level_of(&w, "sda"), LEVEL_CRITICAL);
                }
                discover(&w, "sdb=V sdc=W", 200 * S);
                assert_non_null(strstr(w.events, "sda is sdc now"));
                assert_null(judge_find(w.j, &check, "sda"));
                assert_int_equal(level_of(&w, "sda"), LEVEL_OK);
                reading(&w, "sdc", 87, 0, false, 210 * S);
                assert_int_equal(level_of(&w, "sdc"), LEVEL_OK);
                assert_int_equal(accepted(&w, "sdc").n, 1);
                reading(&w, "sdc", 88, 0, false, 270 * S);
                assert_int_equal(level_of(&w, "sdc"), LEVEL_NOTICE);
                judge_free(w.j);
        }
}

/* Two that swap places, and a stranger in between. */
static void disks_that_swap_places(void **state UNUSED)
{
        struct world w;

        world_init(&w);
        discover(&w, "sda=W sdb=V", S);
        reading(&w, "sda", 80, 0, false, 60 * S);
        reading(&w, "sdb", 5, 0, false, 60 * S);
        discover(&w, "sda=V sdb=W", 100 * S);
        reading(&w, "sda", 5, 0, false, 110 * S);
        reading(&w, "sdb", 81, 0, false, 110 * S);
        assert_int_equal(level_of(&w, "sda"), LEVEL_OK);
        assert_int_equal(level_of(&w, "sdb"), LEVEL_NOTICE); /* 81 since 80, not since 5 */
        discover(&w, "sda=X sdb=W", 200 * S);
        reading(&w, "sda", 1000, 0, false, 210 * S);
        assert_int_equal(level_of(&w, "sda"), LEVEL_OK);
        discover(&w, "sda=V sdb=W", 300 * S);
        reading(&w, "sda", 6, 0, false, 310 * S);
        assert_int_equal(level_of(&w, "sda"), LEVEL_NOTICE); /* 6 since 5 */
        judge_free(w.j);
}

/* Two parts with one number (a cheap bridge): when one goes it is missed. */
static void two_with_one_number(void **state UNUSED)
{
        struct world w;

        world_init(&w);
        discover(&w, "sda=0000 sdb=0000", S);
        reading(&w, "sda", 0, 0, false, 60 * S);
        reading(&w, "sdb", 0, 0, false, 60 * S);
        discover(&w, "sdb=0000", 100 * S);
        assert_int_equal(level_of(&w, "sda"), LEVEL_CRITICAL);
        assert_null(strstr(w.events, "now"));
        judge_free(w.j);
}

static void gone_is_for_good_and_is_remembered(void **state UNUSED)
{
        struct world w, after;

        world_init(&w);
        discover(&w, "sda=W", S);
        reading(&w, "sda", 80, 0, false, 60 * S);
        reading(&w, "sda", 87, 0, false, 70 * S);
        assert_int_equal(judge_accept(w.j, "sda", "crc", 0, 80 * S), 1);
        discover(&w, "", 100 * S);
        assert_int_equal(judge_accept(w.j, "sda", NULL, 200 * S, 110 * S), 0); /* not for a while */
        assert_int_equal(level_of(&w, "sda"), LEVEL_CRITICAL);
        assert_int_equal(judge_accept(w.j, "sda", NULL, 0, 120 * S), 1);
        assert_int_equal(level_of(&w, "sda"), LEVEL_OK);
        world_init(&after); /* a reload */
        judge_inherit(after.j, w.j);
        discover(&after, "sdz=W", 200 * S);
        reading(&after, "sdz", 87, 0, false, 210 * S);
        assert_int_equal(level_of(&after, "sdz"), LEVEL_OK);
        assert_int_equal(accepted(&after, "sdz").n, 1);
        reading(&after, "sdz", 88, 0, false, 220 * S);
        assert_int_equal(level_of(&after, "sdz"), LEVEL_NOTICE);
        judge_free(w.j);
        judge_free(after.j);
}

/* What a stranger, or a clock that was wrong, wrote into the memory. */
static void absurd_memories(void **state UNUSED)
{
        static const struct {
                const char *rule;
                enum level wanted; /* at 87 */
        } rows[] = {
                { "{\"value\":87,\"baseline\":87,\"level\":\"ok\",\"accepted\":1,\"until\":9e30,\"before\":80}", LEVEL_NOTICE },
                { "{\"value\":87,\"baseline\":87,\"level\":\"ok\",\"accepted\":1700000000000000,\"until\":9223372036854775807,\"before\":80}", LEVEL_NOTICE },
                { "{\"value\":87,\"baseline\":87,\"level\":\"ok\",\"accepted\":1700000000000000,\"until\":-5,\"before\":80}", LEVEL_NOTICE },
                { "{\"value\":87,\"baseline\":87,\"level\":\"ok\",\"accepted\":1700000000000000,\"until\":-9223372036854775808,\"before\":\"x\"}", LEVEL_OK },
                { "{\"value\":87,\"baseline\":87,\"level\":\"ok\",\"accepted\":\"yes\",\"until\":[]}", LEVEL_OK },
                { "{\"value\":87,\"baseline\":87,\"level\":\"ok\",\"accepted\":9223372036854775807}", LEVEL_OK },
                { "{\"value\":87,\"baseline\":87,\"level\":\"ok\",\"accepted\":-9223372036854775808,\"changed\":-9223372036854775808}", LEVEL_OK },
        };

        for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
                struct world w;
                json_t *v = json_pack("{s{so}sI}", "rules", "crc_errors_total{}|crc", json_loads(rows[k].rule, 0, NULL), "wall", (json_int_t)WALL0);

                world_init(&w);
                judge_load(w.j, "state/smart/W", v, 5 * S, WALL0);
                json_decref(v);
                discover(&w, "sda=W", 6 * S);
                reading(&w, "sda", 87, 0, false, 7 * S);
                if (level_of(&w, "sda") != rows[k].wanted)
                        fail_msg("%s: %s", rows[k].rule, level_name(level_of(&w, "sda")));
                judge_free(w.j);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(accepted_for_a_while),
                cmocka_unit_test(what_comes_back),
                cmocka_unit_test(twice_for_a_while),
                cmocka_unit_test(good_once_and_stopped),
                cmocka_unit_test(it_survives_a_reboot_and_still_ends),
                cmocka_unit_test(a_late_store_does_not_undo_it),
                cmocka_unit_test(the_newer_memory_counts),
                cmocka_unit_test(a_disk_that_moves),
                cmocka_unit_test(disks_that_swap_places),
                cmocka_unit_test(two_with_one_number),
                cmocka_unit_test(gone_is_for_good_and_is_remembered),
                cmocka_unit_test(absurd_memories),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
