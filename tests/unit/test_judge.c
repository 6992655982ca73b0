/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The judge as the brain uses it, with a made-up clock: a year of minutes, restarts, disks that swap places. */

#include <time.h>

#include "judge.h"
#include "test.h"

#define S USEC_PER_SEC
#define WALL0 (1700000000 * S)

static const struct metric_desc disk_metrics[] = {
        { "disk_pending_sectors", METRIC_GAUGE, "", "h" },
        { "disk_crc_errors_total", METRIC_COUNTER, "", "h" },
        { "disk_standby", METRIC_GAUGE, "", "h" },
        { "disk_spindle_stopped", METRIC_GAUGE, "", "h" },
};
static const struct rule disk_rules[] = {
        { .name = "pending", .metric = "disk_pending_sectors", .kind = RULE_LIMIT, .notice = 1, .warning = 10, .critical = 100,
          .clear = RULE_NONE, .evidence = EVIDENCE_SMART, .text = "{value} pending sectors on {component}", .clears = "c", .source = "s" },
        { .name = "crc", .metric = "disk_crc_errors_total", .kind = RULE_CHANGE, .notice = 1, .warning = RULE_NONE, .critical = RULE_NONE,
          .clear = RULE_NONE, .evidence = EVIDENCE_SMART, .text = "{growth} CRC errors", .clears = "c", .source = "s" },
        { .name = "stopped", .metric = "disk_spindle_stopped", .kind = RULE_LIMIT, .notice = RULE_NONE, .warning = 1, .critical = RULE_NONE,
          .clear = RULE_NONE, .after_good = true, .evidence = EVIDENCE_SMART, .text = "stopped", .clears = "c", .source = "s" },
};
static const struct rule event_rules[] = {
        { .name = "fs-readonly", .metric = "events_total", .kind = RULE_CHANGE, .notice = RULE_NONE, .warning = RULE_NONE, .critical = 1,
          .clear = RULE_NONE, .calm_s = 7 * 86400, .evidence = EVIDENCE_KERNEL, .hard = true, .text = "{component} went read-only", .clears = "c", .source = "s" },
};
static const struct metric_desc event_metrics[] = { { "events_total", METRIC_COUNTER, "", "h" } };
static const struct metric_desc topology_metrics[] = {
        { "topology_link_info", METRIC_INFO, "", "h" },
        { "topology_role_info", METRIC_INFO, "", "h" },
};
static struct check_desc checks[] = {
        { .name = "smart", .summary = "s", .interval_s = 60, .deadline_s = 10, .evidence = EVIDENCE_SMART, .metrics = disk_metrics,
          .n_metrics = ARRAY_LEN(disk_metrics), .rules = disk_rules, .n_rules = ARRAY_LEN(disk_rules) },
        { .name = "topology", .summary = "s", .interval_s = 60, .deadline_s = 10, .evidence = EVIDENCE_HOST, .metrics = topology_metrics,
          .n_metrics = ARRAY_LEN(topology_metrics) },
        { .name = "kernel", .summary = "s", .interval_s = 60, .deadline_s = 10, .evidence = EVIDENCE_KERNEL, .metrics = event_metrics,
          .n_metrics = ARRAY_LEN(event_metrics), .rules = event_rules, .n_rules = ARRAY_LEN(event_rules) },
};
static const struct catalog catalog = { .checks = checks, .n_checks = ARRAY_LEN(checks) };

struct world {
        struct judge *j;
        unsigned changes, events, more, fewer;
        char also[64];
        enum level last;
        char last_why[512];
};

static void on_changed(void *data, const struct judge_component *c, enum level from UNUSED)
{
        struct world *w = data;

        w->changes++;
        w->last = c->level;
        snprintf(w->last_why, sizeof(w->last_why), "%s", c->why);
}

static void on_reasons(void *data, const struct judge_component *c UNUSED, const struct judge_reason *also)
{
        struct world *w = data;

        if (also)
                w->more++;
        else
                w->fewer++;
        snprintf(w->also, sizeof(w->also), "%s", also ? also->rule_name : "");
}

static void on_event(void *data, const char *component UNUSED, const char *text UNUSED)
{
        ((struct world *)data)->events++;
}

static void world_init(struct world *w)
{
        *w = (struct world){ 0 };
        w->j = judge_new(&catalog, &(struct judge_callbacks){ .changed = on_changed, .reasons = on_reasons, .event = on_event, .data = w });
}

static struct judge_instance *discover(struct world *w, const char *name, const char *id, int64_t now)
{
        struct judge_instance *i = NULL;

        judge_discovery_begin(w->j, &checks[0]);
        if (name)
                i = judge_discovery_add(w->j, &checks[0], name, name, id, "disk", now);
        judge_discovery_end(w->j, &checks[0], now);
        return i;
}

static void reading(struct world *w, struct judge_instance *i, double pending, double crc, int64_t now)
{
        judge_run_begin(w->j, i);
        assert_true(judge_sample(w->j, i, "disk_pending_sectors", pending, NULL, now));
        assert_true(judge_sample(w->j, i, "disk_crc_errors_total", crc, NULL, now));
        judge_run_end(w->j, i, VERDICT_OK, "", now);
}

static enum level level_of(struct world *w, const char *name)
{
        for (const struct judge_component *c = judge_components(w->j); c; c = c->next)
                if (streq(c->name, name))
                        return c->level;
        fail_msg("no component %s", name);
        return LEVEL_MAX;
}

/* 525,600 readings; a pseudo-random disk that has a bad week in the middle. */
static void a_year_of_minutes(void **state UNUSED)
{
        struct world w;
        uint32_t seed = getenv("SEED") ? (uint32_t)atoi(getenv("SEED")) : 42;
        struct judge_instance *i;
        double crc = 87;

        print_message("# seed %u\n", seed);
        world_init(&w);
        i = discover(&w, "sda", "5000c500a", S);
        for (int64_t t = 60; t < 365 * 86400; t += 60) {
                bool bad_week = t >= 180 * 86400 && t < 187 * 86400;

                seed = seed * 1664525 + 1013904223;
                reading(&w, i, bad_week ? 20 + seed % 5 : 0, crc, t * S);
                assert_int_equal(level_of(&w, "sda"), bad_week ? LEVEL_WARNING : LEVEL_OK);
                judge_tick(w.j, (t + 30) * S);
        }
        assert_int_equal(w.changes, 2);
        judge_free(w.j);
}

static void silence_is_never_ok(void **state UNUSED)
{
        static const struct {
                enum verdict verdict;
                const char *why;
        } rows[] = { { VERDICT_TIMEOUT, "sda has not answered the check smart: broken" }, { VERDICT_FAILED, "smart: broken" },
                     { VERDICT_DENIED, "smart: broken" }, { VERDICT_NODATA, "gave data before" } };

        for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
                struct world w;
                struct judge_instance *i;

                world_init(&w);
                assert_int_equal(judge_health(w.j).health, HEALTH_YELLOW);
                i = discover(&w, "sda", "x", S);
                assert_int_equal(judge_health(w.j).health, HEALTH_YELLOW);
                assert_int_equal(level_of(&w, "sda"), LEVEL_UNKNOWN); /* not read yet */
                assert_int_equal(w.changes, 0);                       /* which is no news */
                reading(&w, i, 0, 0, 60 * S);
                assert_int_equal(level_of(&w, "sda"), LEVEL_OK);
                judge_run_begin(w.j, i);
                judge_run_end(w.j, i, rows[k].verdict, "broken", 120 * S);
                assert_int_equal(level_of(&w, "sda"), LEVEL_UNKNOWN);
                assert_non_null(strstr(w.last_why, rows[k].why));
                reading(&w, i, 0, 0, 180 * S);
                assert_int_equal(level_of(&w, "sda"), LEVEL_OK);
                /* No run ends at all any more: old data is not shown as ok. */
                judge_tick(w.j, (180 + 131) * S);
                assert_int_equal(level_of(&w, "sda"), LEVEL_UNKNOWN);
                assert_non_null(strstr(w.last_why, "no fresh data"));
                judge_free(w.j);
        }
}

static void a_hung_disk_becomes_critical(void **state UNUSED)
{
        struct world w;
        struct judge_instance *i;

        world_init(&w);
        i = discover(&w, "sda", "x", S);
        reading(&w, i, 0, 0, 60 * S);
        judge_run_begin(w.j, i);
        judge_run_end(w.j, i, VERDICT_TIMEOUT, "", 120 * S);
        judge_stuck(w.j, i, true, 121 * S);
        assert_int_equal(level_of(&w, "sda"), LEVEL_UNKNOWN);
        judge_tick(w.j, 300 * S);
        assert_int_equal(level_of(&w, "sda"), LEVEL_CRITICAL);
        assert_int_equal(judge_health(w.j).health, HEALTH_RED); /* what stands on it is not known: the worst is assumed */
        judge_free(w.j);
}

static void a_disk_that_leaves_is_missed_until_accepted(void **state UNUSED)
{
        struct world w;

        world_init(&w);
        reading(&w, discover(&w, "sda", "x", S), 0, 0, 60 * S);
        discover(&w, NULL, NULL, 120 * S);
        assert_int_equal(level_of(&w, "sda"), LEVEL_CRITICAL);
        assert_non_null(strstr(w.last_why, "is gone"));
        assert_int_equal(judge_accept(w.j, "nosuch", NULL, 0, 130 * S), -ENOENT);
        assert_int_equal(judge_accept(w.j, "sda", NULL, 0, 130 * S), 1);
        assert_int_equal(level_of(&w, "sda"), LEVEL_OK);
        judge_free(w.j);
}

struct hand_over {
        struct world *to;
        int64_t now_us;
};

static void hand_over(void *data, const char *key, json_t *value)
{
        struct hand_over *h = data;

        judge_load(h->to->j, key, value, h->now_us, WALL0 + 3600 * S);
}

static void save_all(struct world *from, struct world *to, int64_t now, int64_t now_there)
{
        struct hand_over h = { to, now_there };

        judge_save_present(from->j, now, WALL0, hand_over, &h);
        for (const struct judge_instance *i = judge_instances(from->j); i; i = i->next) {
                json_t *v = judge_save(i, now, WALL0);
                char key[256];

                judge_save_key(i, key, sizeof(key));
                judge_load(to->j, key, v, now_there, WALL0 + 3600 * S);
                json_decref(v);
        }
        for (const struct judge_component *c = judge_components(from->j); c; c = c->next) {
                json_t *v = judge_save_component(c, now, WALL0);
                char key[256];

                snprintf(key, sizeof(key), "component/%s", c->name);
                if (v)
                        judge_load(to->j, key, v, now_there, WALL0 + 3600 * S);
                json_decref(v);
        }
}

static void a_second_illness_is_told(void **state UNUSED)
{
        struct world w, again;
        struct judge_instance *i;

        world_init(&w);
        i = discover(&w, "sda", "5000c500a", S);
        reading(&w, i, 0, 87, 60 * S);
        reading(&w, i, 120, 87, 120 * S);
        assert_int_equal(w.changes, 1);
        assert_int_equal(w.more + w.fewer, 0);
        /* Critical it was already: the cable, too, is news all the same, and only once. */
        reading(&w, i, 120, 88, 180 * S);
        assert_int_equal(w.changes, 1);
        assert_int_equal(w.more, 1);
        assert_string_equal(w.also, "crc");
        reading(&w, i, 121, 88, 181 * S);
        judge_tick(w.j, 182 * S);
        assert_int_equal(w.changes, 1);
        assert_int_equal(w.more, 1);

        /* Not after a restart. */
        world_init(&again);
        save_all(&w, &again, 240 * S, 10 * S);
        i = discover(&again, "sda", "5000c500a", 20 * S);
        reading(&again, i, 121, 88, 30 * S);
        assert_int_equal(again.changes + again.more, 0);
        judge_free(again.j);
        judge_free(w.j);
}

/* CRC 87 is history; 88 after a reboot and in another slot is news; accepted it is history again. */
static void baselines_move_with_the_disk(void **state UNUSED)
{
        struct world before, after;
        struct judge_instance *i;

        world_init(&before);
        i = discover(&before, "sda", "5000c500a", S);
        reading(&before, i, 0, 87, 60 * S);
        world_init(&after);
        save_all(&before, &after, 70 * S, 5 * S);
        i = discover(&after, "sdc", "5000c500a", 6 * S);
        reading(&after, i, 0, 88, 10 * S);
        assert_int_equal(level_of(&after, "sdc"), LEVEL_NOTICE);
        assert_string_equal(after.last_why, "1 CRC errors");
        assert_int_equal(judge_accept(after.j, "sdc", "crc", 0, 20 * S), 1);
        reading(&after, i, 0, 88, 70 * S);
        assert_int_equal(level_of(&after, "sdc"), LEVEL_OK);
        judge_free(before.j);
        judge_free(after.j);

        /* The store answers only after the first reading: still news. */
        world_init(&before);
        i = discover(&before, "sda", "5000c500a", S);
        reading(&before, i, 0, 87, 60 * S);
        world_init(&after);
        i = discover(&after, "sda", "5000c500a", 6 * S);
        reading(&after, i, 0, 88, 10 * S);
        save_all(&before, &after, 70 * S, 12 * S);
        reading(&after, i, 0, 88, 70 * S);
        assert_int_equal(level_of(&after, "sda"), LEVEL_NOTICE);
        judge_free(before.j);
        judge_free(after.j);
}

static void spindle(struct world *w, struct judge_instance *i, bool stopped, int64_t now)
{
        judge_run_begin(w->j, i);
        assert_true(judge_sample(w->j, i, "disk_spindle_stopped", stopped, NULL, now));
        judge_run_end(w->j, i, VERDICT_OK, "", now);
}

/* It turned before the reboot and stands still after it: news, also when the store answers late. Saving it writes
 * the same bytes at every poll. */
static void what_was_good_is_remembered_over_a_reboot(void **state UNUSED)
{
        for (int late = 0; late < 2; late++) {
                struct world before, after;
                struct judge_instance *i;
                json_t *first, *second;

                world_init(&before);
                i = discover(&before, "sda", "x", S);
                spindle(&before, i, false, 60 * S);
                first = judge_save(i, 61 * S, WALL0);
                spindle(&before, i, false, 120 * S);
                second = judge_save(i, 121 * S, WALL0);
                assert_true(json_equal(first, second));
                json_decref(first);
                json_decref(second);
                world_init(&after);
                if (!late)
                        save_all(&before, &after, 130 * S, 5 * S);
                i = discover(&after, "sda", "x", 6 * S);
                spindle(&after, i, true, 10 * S);
                if (late) {
                        assert_int_equal(level_of(&after, "sda"), LEVEL_OK);
                        save_all(&before, &after, 130 * S, 12 * S);
                        spindle(&after, i, true, 70 * S);
                }
                assert_int_equal(level_of(&after, "sda"), LEVEL_WARNING);
                assert_int_equal(judge_accept(after.j, "sda", NULL, 0, 80 * S), 1);
                spindle(&after, i, true, 130 * S);
                assert_int_equal(level_of(&after, "sda"), LEVEL_OK);
                judge_free(before.j);
                judge_free(after.j);
        }
}

static void a_restart_is_no_change_of_level(void **state UNUSED)
{
        struct world before, after;
        struct judge_instance *i;

        world_init(&before);
        i = discover(&before, "sda", "x", S);
        reading(&before, i, 12, 0, 60 * S);
        assert_int_equal(before.changes, 1);
        world_init(&after);
        save_all(&before, &after, 70 * S, 75 * S);
        assert_int_equal(level_of(&after, "sda"), LEVEL_WARNING); /* shown from the first moment */
        i = discover(&after, "sda", "x", 76 * S);
        assert_int_equal(level_of(&after, "sda"), LEVEL_WARNING);
        reading(&after, i, 12, 0, 80 * S);
        assert_int_equal(level_of(&after, "sda"), LEVEL_WARNING);
        assert_int_equal(after.changes, 0);
        for (const struct judge_component *c = judge_components(after.j); c; c = c->next)
                assert_true(c->since_us < 0); /* before this boot's clock began: an hour passed */
        judge_free(before.j);
        judge_free(after.j);
}

/* The check that found nothing wrong is asked first: that is no end of what the other one found. */
static void another_check_does_not_take_a_level_back(void **state UNUSED)
{
        static const char *const none[] = { NULL };

        for (int good = 0; good < 2; good++) {
                struct world before, after;
                struct judge_instance *i;

                world_init(&before);
                reading(&before, discover(&before, "sda", "x", S), 200, 0, 60 * S);
                assert_int_equal(level_of(&before, "sda"), LEVEL_CRITICAL);
                world_init(&after);
                save_all(&before, &after, 70 * S, 75 * S);
                judge_discovery_begin(after.j, &checks[2]);
                i = judge_discovery_add(after.j, &checks[2], "sda", "sda", "x", "disk", 76 * S);
                judge_discovery_end(after.j, &checks[2], 76 * S);
                judge_run_begin(after.j, i);
                judge_sample(after.j, i, "events_total", 0, none, 77 * S);
                judge_run_end(after.j, i, VERDICT_OK, "", 77 * S);
                judge_tick(after.j, 78 * S);
                assert_int_equal(level_of(&after, "sda"), LEVEL_CRITICAL);
                assert_int_equal(after.changes, 0);
                i = discover(&after, "sda", "x", 79 * S);
                judge_tick(after.j, 80 * S);
                assert_int_equal(level_of(&after, "sda"), LEVEL_CRITICAL);
                reading(&after, i, good ? 0 : 200, 0, 81 * S);
                assert_int_equal(level_of(&after, "sda"), good ? LEVEL_OK : LEVEL_CRITICAL);
                assert_int_equal(after.changes, good);
                judge_free(before.j);
                judge_free(after.j);
        }
}

/* A disk that died over a reboot is no line of any page unless somebody remembers it. The first time nothing stands on it that is
 * known, the second time the root did; a page is told a minute later, and again and again until somebody accepts it. */
static void a_disk_that_died_over_a_reboot_is_missed(void **state UNUSED)
{
        struct world before, after, later;

        world_init(&before);
        reading(&before, discover(&before, "sda", "5000c500a", S), 0, 0, 60 * S);
        world_init(&after);
        save_all(&before, &after, 70 * S, 5 * S);
        judge_tick(after.j, 100 * S);
        assert_null(judge_components(after.j)); /* nobody has looked yet */
        discover(&after, NULL, NULL, 101 * S);
        judge_tick(after.j, 102 * S);
        assert_int_equal(level_of(&after, "sda"), LEVEL_CRITICAL);
        assert_string_equal(after.last_why, "sda is gone: it was there before the last start and the kernel does not show it");
        assert_int_equal(after.changes, 1);
        assert_int_equal(judge_health(after.j).health, HEALTH_RED);

        /* A reload, or another restart: as it was, and nothing new. */
        world_init(&later);
        save_all(&after, &later, 110 * S, 111 * S);
        discover(&later, NULL, NULL, 112 * S);
        assert_int_equal(level_of(&later, "sda"), LEVEL_CRITICAL);
        judge_tick(later.j, 113 * S);
        judge_tick(later.j, 180 * S);
        assert_int_equal(level_of(&later, "sda"), LEVEL_CRITICAL);
        assert_int_equal(later.changes, 0);
        judge_free(after.j);

        /* Accepted it is forgotten for good. */
        assert_int_equal(judge_accept(later.j, "sda", NULL, 0, 190 * S), 1);
        world_init(&after);
        save_all(&later, &after, 200 * S, 201 * S);
        discover(&after, NULL, NULL, 202 * S);
        judge_tick(after.j, 300 * S);
        assert_null(judge_components(after.j));
        judge_free(before.j);
        judge_free(after.j);
        judge_free(later.j);
}

/* What is there is not missed: under another name, by the word of another check, late, ignored, or replaced by a new one. */
static void what_is_there_is_not_missed(void **state UNUSED)
{
        enum { RENAMED, LATE, LATE_AND_RENAMED, IGNORED, REPLACED, WAYS };

        for (int way = 0; way < WAYS; way++) {
                struct world before, after;

                world_init(&before);
                reading(&before, discover(&before, "sda", "5000c500a", S), 0, 0, 60 * S);
                world_init(&after);
                save_all(&before, &after, 70 * S, 5 * S);
                if (way == RENAMED)
                        discover(&after, "sdc", "5000c500a", 6 * S);
                else if (way == REPLACED)
                        discover(&after, "sda", "5000c500b", 6 * S);
                else if (way == IGNORED) {
                        judge_discovery_begin(after.j, &checks[0]);
                        judge_discovery_skip(after.j, &checks[0], "sda", "5000c500a");
                        judge_discovery_end(after.j, &checks[0], 6 * S);
                } else {
                        discover(&after, NULL, NULL, 6 * S);
                        judge_tick(after.j, 80 * S);
                        assert_int_equal(level_of(&after, "sda"), LEVEL_CRITICAL);
                        discover(&after, way == LATE ? "sda" : "sdc", "5000c500a", 90 * S);
                }
                judge_tick(after.j, 200 * S);
                for (const struct judge_instance *i = judge_instances(after.j); i; i = i->next)
                        if (i->gone_us)
                                fail_msg("way %d: %s is missed", way, i->name);
                if (way == LATE || way == LATE_AND_RENAMED)
                        reading(&after, (struct judge_instance *)judge_instances(after.j), 0, 0, 201 * S);
                for (const struct judge_component *c = judge_components(after.j); c; c = c->next)
                        assert_int_not_equal(c->level, LEVEL_CRITICAL);
                judge_free(before.j);
                judge_free(after.j);
        }
}

/* sda died, and sdb is sda now. */
static void a_missed_disk_whose_name_is_taken_goes_by_its_id(void **state UNUSED)
{
        struct world before, after;
        struct judge_instance *b;

        world_init(&before);
        judge_discovery_begin(before.j, &checks[0]);
        reading(&before, judge_discovery_add(before.j, &checks[0], "sda", "sda", "5000c500a", "disk", S), 0, 0, 60 * S);
        reading(&before, judge_discovery_add(before.j, &checks[0], "sdb", "sdb", "5000c500b", "disk", S), 0, 0, 60 * S);
        judge_discovery_end(before.j, &checks[0], S);
        world_init(&after);
        save_all(&before, &after, 70 * S, 5 * S);
        b = discover(&after, "sda", "5000c500b", 6 * S);
        reading(&after, b, 0, 0, 10 * S);
        judge_tick(after.j, 100 * S);
        assert_int_equal(level_of(&after, "sda"), LEVEL_OK);
        assert_int_equal(level_of(&after, "5000c500a"), LEVEL_CRITICAL);
        judge_free(before.j);
        judge_free(after.j);
}

/* An NVMe drive is known to one check by the serial number of its controller, to another by the id of its namespace: it is one part,
 * and where it is missed it is one line. */
static void a_missed_disk_of_two_checks_is_one_component(void **state UNUSED)
{
        struct world before, after;
        struct judge_instance *i;
        unsigned n = 0;

        world_init(&before);
        judge_discovery_begin(before.j, &checks[0]);
        reading(&before, judge_discovery_add(before.j, &checks[0], "nvme0", "nvme0n1", "S3X9", "disk", S), 0, 0, 60 * S);
        judge_discovery_end(before.j, &checks[0], S);
        judge_discovery_begin(before.j, &checks[2]);
        i = judge_discovery_add(before.j, &checks[2], "nvme0n1", "nvme0n1", "eui.0025385", "disk", S);
        judge_discovery_end(before.j, &checks[2], S);
        judge_run_begin(before.j, i);
        judge_sample(before.j, i, "events_total", 0, (const char *const[]){ NULL }, 60 * S);
        judge_run_end(before.j, i, VERDICT_OK, "", 60 * S);
        world_init(&after);
        save_all(&before, &after, 70 * S, 5 * S);
        for (size_t k = 0; k <= 2; k += 2) {
                judge_discovery_begin(after.j, &checks[k]);
                judge_discovery_end(after.j, &checks[k], 6 * S);
        }
        judge_tick(after.j, 100 * S);
        for (const struct judge_component *c = judge_components(after.j); c; c = c->next, n++)
                assert_string_equal(c->name, "nvme0n1");
        assert_int_equal(n, 1);
        n = 0;
        for (const struct judge_instance *g = judge_instances(after.j); g; g = g->next)
                n += g->gone_us != 0;
        assert_int_equal(n, 2);
        judge_free(before.j);
        judge_free(after.j);
}

/* The two clocks are read one after the other; what does not change must not be written every minute. */
static void the_same_state_is_the_same_bytes(void **state UNUSED)
{
        struct judge_instance *i;
        json_t *first, *second;
        struct world w;

        world_init(&w);
        i = discover(&w, "sda", "x", S);
        reading(&w, i, 12, 0, 60 * S + 123456);
        first = judge_save(i, 70 * S, WALL0 + 777);
        second = judge_save(i, 130 * S, WALL0 + 60 * S + 781);
        json_object_del(first, "wall");
        json_object_del(second, "wall");
        assert_true(json_equal(first, second));
        json_decref(first);
        json_decref(second);
        judge_free(w.j);
}

/* RUN/state.json is read first, then the store answers with what it got to write last: that may be older. */
static void older_state_does_not_replace_newer(void **state UNUSED)
{
        struct world before, after;
        struct judge_instance *i;
        json_t *old, *new;

        world_init(&before);
        i = discover(&before, "sda", "x", S);
        reading(&before, i, 0, 80, 60 * S);
        old = judge_save(i, 61 * S, WALL0);
        reading(&before, i, 0, 90, 120 * S);
        judge_accept(before.j, "sda", NULL, 0, 121 * S);
        new = judge_save(i, 122 * S, WALL0 + 61 * S);
        world_init(&after);
        judge_load(after.j, "state/smart/x", new, 5 * S, WALL0 + 100 * S);
        judge_load(after.j, "state/smart/x", old, 5 * S, WALL0 + 100 * S);
        i = discover(&after, "sda", "x", 6 * S);
        reading(&after, i, 0, 90, 10 * S);
        assert_int_equal(level_of(&after, "sda"), LEVEL_OK);
        json_decref(old);
        json_decref(new);
        judge_free(before.j);
        judge_free(after.j);
}

/* The topology is read anew without the disk: what stood on it stands there still. */
static void a_gone_disk_keeps_its_weight(void **state UNUSED)
{
        static const char *const role[] = { "component", "/", "role", "root", NULL };
        struct judge_instance *t;
        struct world w;

        world_init(&w);
        judge_discovery_begin(w.j, &checks[1]);
        t = judge_discovery_add(w.j, &checks[1], "host", "host", "", "host", S);
        judge_discovery_end(w.j, &checks[1], S);
        for (int pass = 0; pass < 2; pass++) {
                const char *const link[] = { "parent", "/", "child", pass ? "sdb" : "sda", "kind", "filesystem", NULL };

                judge_run_begin(w.j, t);
                judge_sample(w.j, t, "topology_link_info", 1, link, 60 * S);
                judge_sample(w.j, t, "topology_role_info", 1, role, 60 * S);
                judge_run_end(w.j, t, VERDICT_OK, "", 60 * S);
                if (pass)
                        break;
                reading(&w, discover(&w, "sda", "x", 61 * S), 0, 0, 62 * S);
                discover(&w, NULL, NULL, 70 * S);
                assert_int_equal(level_of(&w, "sda"), LEVEL_CRITICAL);
        }
        assert_int_equal(level_of(&w, "sda"), LEVEL_CRITICAL);
        assert_int_equal(judge_health(w.j).health, HEALTH_RED);
        judge_free(w.j);
}

static void another_disk_in_the_slot_begins_anew(void **state UNUSED)
{
        struct world w;
        struct judge_instance *i;

        world_init(&w);
        i = discover(&w, "sda", "old", S);
        reading(&w, i, 50, 3, 60 * S);
        assert_int_equal(level_of(&w, "sda"), LEVEL_WARNING);
        i = discover(&w, "sda", "new", 120 * S);
        reading(&w, i, 0, 900, 130 * S);
        assert_int_equal(level_of(&w, "sda"), LEVEL_OK);
        judge_free(w.j);
}

static void sleeping_disk_keeps_its_verdict(void **state UNUSED)
{
        struct world w;
        struct judge_instance *i;

        checks[0].max_age_s = 86400;
        world_init(&w);
        i = discover(&w, "sda", "x", S);
        reading(&w, i, 12, 0, 60 * S);
        for (int64_t t = 120; t < 86400; t += 600) {
                judge_run_begin(w.j, i);
                judge_sample(w.j, i, "disk_standby", 1, NULL, t * S);
                judge_run_end(w.j, i, VERDICT_OK, "", t * S);
                assert_int_equal(level_of(&w, "sda"), LEVEL_WARNING);
        }
        assert_true(judge_age_s(w.j, judge_components(w.j), 86400 * S) >= 86340);
        judge_tick(w.j, 86500 * S);
        assert_int_equal(level_of(&w, "sda"), LEVEL_UNKNOWN);
        checks[0].max_age_s = 0;
        judge_free(w.j);
}

static void link_sample(struct world *w, struct judge_instance *t, const char *parent, const char *child, const char *kind)
{
        const char *const labels[] = { "parent", parent, "child", child, "kind", kind, NULL };

        judge_sample(w->j, t, "topology_link_info", 1, labels, 60 * S);
}

static void redundancy_decides_urgency(void **state UNUSED)
{
        static const char *const role[] = { "component", "/", "role", "root", NULL };

        for (int redundant = 0; redundant < 2; redundant++) {
                struct world w;
                struct judge_instance *t, *i;

                world_init(&w);
                judge_discovery_begin(w.j, &checks[1]);
                t = judge_discovery_add(w.j, &checks[1], "host", "host", "", "host", S);
                judge_discovery_end(w.j, &checks[1], S);
                judge_run_begin(w.j, t);
                link_sample(&w, t, "/", "md0", "filesystem");
                link_sample(&w, t, "md0", "sda", redundant ? "raid-redundant" : "raid-single");
                link_sample(&w, t, "md0", "sdb", redundant ? "raid-redundant" : "raid-single");
                judge_sample(w.j, t, "topology_role_info", 1, role, 60 * S);
                judge_run_end(w.j, t, VERDICT_OK, "", 60 * S);
                i = discover(&w, "sda", "x", 60 * S);
                reading(&w, i, 0, 0, 61 * S);
                assert_int_equal(judge_health(w.j).health, HEALTH_GREEN);
                discover(&w, NULL, NULL, 70 * S);
                assert_int_equal(level_of(&w, "sda"), LEVEL_CRITICAL);
                assert_int_equal(judge_health(w.j).health, redundant ? HEALTH_YELLOW : HEALTH_RED);
                judge_free(w.j);
        }
}

/* The kernel spoke of a file system: red when the root stands on it, no more than yellow when nothing does, and red
 * too as long as it is not known what stands on what. */
static void an_event_weighs_as_much_as_what_stands_on_it(void **state UNUSED)
{
        static const char *const role[] = { "component", "/", "role", "root", NULL };
        static const struct {
                const char *device;
                bool topology;
                enum health want;
        } rows[] = { { "vda", true, HEALTH_RED }, { "loop1", true, HEALTH_YELLOW }, { "loop1", false, HEALTH_RED } };

        for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
                const char *const labels[] = { "component", rows[k].device, "component_kind", "filesystem", NULL };
                struct world w;
                struct judge_instance *t, *e;

                world_init(&w);
                if (rows[k].topology) {
                        judge_discovery_begin(w.j, &checks[1]);
                        t = judge_discovery_add(w.j, &checks[1], "host", "host", "", "host", S);
                        judge_discovery_end(w.j, &checks[1], S);
                        judge_run_begin(w.j, t);
                        link_sample(&w, t, "/", "vda", "filesystem");
                        judge_sample(w.j, t, "topology_role_info", 1, role, 60 * S);
                        judge_run_end(w.j, t, VERDICT_OK, "", 60 * S);
                }
                e = judge_pushed(w.j, &checks[2], "kmsg", "host", "host", 61 * S);
                judge_count(w.j, e, "events_total", labels, 62 * S);
                judge_counted(w.j, e, 62 * S);
                assert_int_equal(level_of(&w, rows[k].device), LEVEL_CRITICAL);
                assert_int_equal(judge_health(w.j).health, rows[k].want);
                judge_free(w.j);
        }
}

/* The kernel's log reaches back to the boot: what it says counts from when it happened. */
static void old_events_count_from_when_they_happened(void **state UNUSED)
{
        static const struct {
                int64_t when;
                enum level want;
        } rows[] = { { 10 * S, LEVEL_OK }, { 9 * 86400 * S, LEVEL_CRITICAL } };
        static const char *const labels[] = { "component", "sda", "component_kind", "disk", NULL };
        const int64_t now = 9 * 86400 * S + 100 * S;

        for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
                struct world w;
                struct judge_instance *e;

                world_init(&w);
                e = judge_pushed(w.j, &checks[2], "kmsg", "host", "host", now);
                judge_count(w.j, e, "events_total", labels, rows[k].when);
                judge_counted(w.j, e, now);
                assert_int_equal(level_of(&w, "sda"), rows[k].want);
                for (const struct judge_component *c = judge_components(w.j); c; c = c->next)
                        if (streq(c->name, "sda") && rows[k].want > LEVEL_OK)
                                assert_true(c->since_us == rows[k].when);
                judge_free(w.j);
        }
}

/* Two events told at once, from a log: what the first one meant was over before the second. */
static void what_was_over_between_two_old_events_is_over(void **state UNUSED)
{
        static const int64_t first = 10 * S, second = 9 * 86400 * S, now = second + 100 * S;
        static const char *const labels[] = { "component", "sda", "component_kind", "disk", NULL };
        struct world w;
        struct judge_instance *e;

        world_init(&w);
        e = judge_pushed(w.j, &checks[2], "kmsg", "host", "host", now);
        judge_count(w.j, e, "events_total", labels, first);
        judge_count(w.j, e, "events_total", labels, second);
        judge_counted(w.j, e, now);
        assert_int_equal(level_of(&w, "sda"), LEVEL_CRITICAL);
        for (const struct judge_component *c = judge_components(w.j); c; c = c->next)
                if (streq(c->name, "sda"))
                        assert_true(c->since_us == second);
        judge_free(w.j);
}

/* The kernel spoke of the disk first (it is known and ok), then the check finds it: until the first reading it is unknown, but
 * that is no change anybody is told of. That it stays unread is. */
static void what_is_not_read_yet_is_no_news(void **state UNUSED)
{
        struct judge_instance *i;
        struct world w;

        for (int read = 0; read < 2; read++) {
                world_init(&w);
                judge_pushed(w.j, &checks[2], "kmsg", "sda", "disk", S);
                judge_tick(w.j, S);
                assert_int_equal(level_of(&w, "sda"), LEVEL_OK);
                i = discover(&w, "sda", "5000c500a", 2 * S);
                judge_tick(w.j, 3 * S);
                assert_int_equal(level_of(&w, "sda"), LEVEL_UNKNOWN);
                assert_int_equal(w.changes, 0);
                if (read)
                        reading(&w, i, 0, 0, 4 * S);
                judge_tick(w.j, 5 * S);
                assert_int_equal(w.changes, 0);
                judge_tick(w.j, 3600 * S);
                assert_int_equal(w.changes, 1);
                assert_int_equal(w.last, LEVEL_UNKNOWN);
                judge_free(w.j);
        }
}

static void keep(void *data, const char *key, const json_t *value)
{
        json_object_set(data, key, (json_t *)value);
}

/* A restart of the brain or a new configuration: nobody will tell again what the kernel told once. */
static void what_was_told_stands_over_a_restart(void **state UNUSED)
{
        static const char *const labels[] = { "component", "sda", "component_kind", "disk", NULL };
        json_t *saved = json_object(), *value;
        struct judge_instance *e;
        const char *key;
        struct world w;
        char name[256];

        world_init(&w);
        e = judge_pushed(w.j, &checks[2], "kmsg", "host", "host", S);
        judge_count(w.j, e, "events_total", labels, 2 * S);
        judge_counted(w.j, e, 2 * S);
        assert_int_equal(level_of(&w, "sda"), LEVEL_CRITICAL);
        judge_save_key(e, name, sizeof(name));
        value = judge_save(e, 3 * S, WALL0);
        keep(saved, name, value);
        json_decref(value);
        for (const struct judge_component *c = judge_components(w.j); c; c = c->next)
                if ((value = judge_save_component(c, 3 * S, WALL0))) {
                        snprintf(name, sizeof(name), "component/%s", c->name);
                        keep(saved, name, value);
                        json_decref(value);
                }
        judge_free(w.j);

        for (int late = 0; late < 2; late++) { /* the state came before the log was opened, or after */
                world_init(&w);
                if (late)
                        judge_pushed(w.j, &checks[2], "kmsg", "host", "host", 4 * S);
                json_object_foreach(saved, key, value)
                        judge_load(w.j, key, value, 4 * S, WALL0 + S);
                e = judge_pushed(w.j, &checks[2], "kmsg", "host", "host", 4 * S);
                judge_tick(w.j, 5 * S);
                judge_tick(w.j, 3600 * S);
                assert_int_equal(level_of(&w, "sda"), LEVEL_CRITICAL);
                assert_int_equal(w.changes, 0);
                assert_int_equal(judge_accept(w.j, "sda", NULL, 0, 3601 * S), 1);
                judge_tick(w.j, 3602 * S);
                assert_int_equal(level_of(&w, "sda"), LEVEL_OK);
                judge_count(w.j, e, "events_total", labels, 3603 * S);
                judge_counted(w.j, e, 3603 * S);
                assert_int_equal(level_of(&w, "sda"), LEVEL_CRITICAL);
                judge_free(w.j);
        }
        json_decref(saved);
}

/* What veille has to say of itself is no probe's word, and is shown all the same. */
static void what_is_told_of_failures_is_shown(void **state UNUSED)
{
        static const enum verdict bad[] = { VERDICT_FAILED, VERDICT_DENIED, VERDICT_TIMEOUT };

        for (size_t k = 0; k < ARRAY_LEN(bad); k++) {
                struct world w;
                struct judge_instance *i;

                world_init(&w);
                i = judge_pushed(w.j, &checks[2], "reload", "veille", "agent", S);
                judge_run_end(w.j, i, bad[k], "line 2 is wrong", 2 * S);
                assert_int_equal(level_of(&w, "veille"), LEVEL_UNKNOWN);
                assert_string_equal(w.last_why, "reload: line 2 is wrong");
                assert_string_equal(judge_health(w.j).why, "veille: reload: line 2 is wrong"); /* not "nothing has been read yet" */
                judge_run_end(w.j, i, VERDICT_OK, "", 3 * S);
                assert_int_equal(level_of(&w, "veille"), LEVEL_OK);
                judge_free(w.j);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(old_events_count_from_when_they_happened),
                cmocka_unit_test(what_was_over_between_two_old_events_is_over),
                cmocka_unit_test(a_year_of_minutes),
                cmocka_unit_test(a_second_illness_is_told),
                cmocka_unit_test(silence_is_never_ok),
                cmocka_unit_test(a_hung_disk_becomes_critical),
                cmocka_unit_test(a_disk_that_leaves_is_missed_until_accepted),
                cmocka_unit_test(baselines_move_with_the_disk),
                cmocka_unit_test(a_restart_is_no_change_of_level),
                cmocka_unit_test(what_was_good_is_remembered_over_a_reboot),
                cmocka_unit_test(another_check_does_not_take_a_level_back),
                cmocka_unit_test(a_disk_that_died_over_a_reboot_is_missed),
                cmocka_unit_test(what_is_there_is_not_missed),
                cmocka_unit_test(a_missed_disk_whose_name_is_taken_goes_by_its_id),
                cmocka_unit_test(a_missed_disk_of_two_checks_is_one_component),
                cmocka_unit_test(the_same_state_is_the_same_bytes),
                cmocka_unit_test(older_state_does_not_replace_newer),
                cmocka_unit_test(a_gone_disk_keeps_its_weight),
                cmocka_unit_test(another_disk_in_the_slot_begins_anew),
                cmocka_unit_test(sleeping_disk_keeps_its_verdict),
                cmocka_unit_test(redundancy_decides_urgency),
                cmocka_unit_test(an_event_weighs_as_much_as_what_stands_on_it),
                cmocka_unit_test(what_is_not_read_yet_is_no_news),
                cmocka_unit_test(what_was_told_stands_over_a_restart),
                cmocka_unit_test(what_is_told_of_failures_is_shown),
        };

        return cmocka_run_group_tests_name("judge", tests, NULL, NULL);
}
