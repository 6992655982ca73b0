/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The replay's lean judge against the daemon's: the same random lives of disks, the same levels every day. */

#include "disk_judge.h"
#include "disk_metrics.h"
#include "disk_rules.h"
#include "judge.h"
#include "test.h"

#define DAY_US (86400 * USEC_PER_SEC)

static uint64_t seed;

static unsigned dice(unsigned n)
{
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        return (unsigned)(seed >> 32) % n;
}

static const struct check_desc check = {
        .name = "smart", .summary = "", .interval_s = 86400, .deadline_s = 60, .max_age_s = 0x7fffffff,
        .evidence = EVIDENCE_SMART,
};

struct daemon {
        struct check_desc check;
        struct catalog catalog;
        struct judge *judge;
        struct judge_instance *instance;
};

static void daemon_sample(void *data, const char *metric, double value, const char *const *labels)
{
        struct daemon *d = data;

        judge_sample(d->judge, d->instance, metric, value, labels, 0);
}

static void daemon_start(struct daemon *d)
{
        static const struct judge_callbacks silent = {};

        d->check = check;
        d->check.metrics = disk_metrics;
        d->check.n_metrics = disk_metrics_len;
        d->check.rules = disk_rules;
        d->check.n_rules = disk_rules_len;
        d->catalog = (struct catalog){ .checks = &d->check, .n_checks = 1 };
        d->judge = judge_new(&d->catalog, &silent);
        d->instance = judge_discovery_add(d->judge, &d->check, "sda", "sda", "", "disk", 0);
}

static enum level daemon_step(struct daemon *d, const struct disk_report *report, int64_t now_us)
{
        judge_run_begin(d->judge, d->instance);
        disk_report_emit(report, false, daemon_sample, d);
        judge_run_end(d->judge, d->instance, VERDICT_OK, "", now_us);
        return judge_components(d->judge)->level;
}

static void put(struct disk_report *report, unsigned id, uint64_t raw)
{
        struct disk_attribute *a = disk_report_add_attribute(report, id, NULL, DISK_FLAG_PREFAILURE, 100, 100, 10);

        a->raw = raw;
        a->has_raw = true;
}

/* What changes in a life; a healthy one stays at 0. */
struct life {
        uint64_t c[256];
        bool nvme, ssd;
        int media_errors, used;
};

static void live_a_day(struct life *l, struct disk_report *report, int day)
{
        static const uint8_t ids[] = { 5, 10, 184, 187, 197, 198, 199 };

        disk_report_init(report);
        report->rotation_rpm = l->nvme || l->ssd ? 0 : 7200;
        report->health = dice(200) ? DISK_HEALTH_PASSED : DISK_HEALTH_FAILED;
        report->power_on_s = 86400.0 * day;
        report->temperature_c = 30 + dice(dice(20) ? 5 : 40);
        if (l->nvme) {
                report->protocol = DISK_NVME;
                report->nvme.present = true;
                report->nvme.available_spare = 100 - dice(3) * 45;
                report->nvme.available_spare_threshold = 10;
                report->nvme.percentage_used = l->used += dice(2);
                report->nvme.critical_warning = dice(30) ? 0 : 1u << dice(6);
                report->counters.media_errors = l->media_errors += dice(20) ? 0 : dice(90);
        } else {
                report->protocol = DISK_ATA;
                for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
                        uint64_t *c = &l->c[ids[i]];

                        if (!dice(15))
                                *c += dice(dice(4) ? 9 : 300);
                        if (!dice(25) && ids[i] >= 197 && ids[i] <= 198)
                                *c = 0;
                        put(report, ids[i], *c);
                }
        }
        disk_report_finish(report);
}

static void test_same_as_daemon(void **state UNUSED)
{
        const char *given = getenv("SEED");
        uint64_t start = given ? strtoull(given, NULL, 10) : 20261124;
        struct disk_judge *judge = disk_judge_new(disk_rules, disk_rules_len);
        unsigned levels[LEVEL_MAX] = {};

        print_message("SEED=%llu\n", (unsigned long long)start);
        for (unsigned n = 0; n < 60; n++) {
                static struct disk_report report;
                struct life life = { .nvme = n % 5 == 1, .ssd = n % 5 == 2 };
                struct disk_state disk = {};
                struct daemon daemon;

                seed = start * 1000003 + n + 1;
                daemon_start(&daemon);
                for (int day = 1; day < 300; day++) {
                        char why[512];
                        enum level theirs, before = disk.level;
                        bool changed;

                        live_a_day(&life, &report, day);
                        theirs = daemon_step(&daemon, &report, day * DAY_US);
                        changed = disk_judge_step(judge, &disk, &report, day * DAY_US);
                        if (disk.level != theirs)
                                fail_msg("life %u, day %d: %s (%s), the daemon says %s: %s", n, day, level_name(disk.level),
                                         disk.rule ? disk.rule->name : "", level_name(theirs),
                                         judge_components(daemon.judge)->why);
                        assert_int_equal(changed, before != disk.level);
                        disk_judge_why(judge, &disk, &report, "sda", why, sizeof(why));
                        assert_int_equal(*why != '\0', disk.level > LEVEL_OK);
                        if (strchr(why, '{') || strstr(why, "?"))
                                fail_msg("life %u, day %d: '%s'", n, day, why);
                        levels[disk.level]++;
                }
                assert_int_equal(isnan(disk.probability), life.nvme || life.ssd);
                assert_true(disk.judged);
                disk_state_done(&disk);
                judge_free(daemon.judge);
                disk_report_done(&report);
        }
        disk_judge_free(judge);
        /* The comparison means something only if all levels were reached. */
        for (enum level l = LEVEL_OK; l < LEVEL_MAX; l++)
                assert_int_equal(levels[l] > 20, l != LEVEL_UNKNOWN);
}

static void test_healthy_disk_keeps_little(void **state UNUSED)
{
        static struct disk_report report;
        struct disk_judge *judge = disk_judge_new(disk_rules, disk_rules_len);
        struct disk_state disk = {};
        char why[64];

        for (int day = 0; day < 1000; day++) {
                disk_report_init(&report);
                report.protocol = DISK_ATA;
                put(&report, 5, 0);
                put(&report, 197, day == 500 ? 1 : 0);
                disk_report_finish(&report);
                disk_judge_step(judge, &disk, &report, day * DAY_US);
                assert_int_equal(disk.level, day == 500 ? LEVEL_NOTICE : LEVEL_OK);
        }
        assert_int_equal(disk.n_series, 0);
        disk_judge_why(judge, &disk, &report, "sda", why, sizeof(why));
        assert_string_equal(why, "");
        disk_state_done(&disk);
        disk_judge_free(judge);
}

/* After seven and a half years the counter of hours of some drives begins anew: what is a week old then must still become so. */
static void test_hours_that_wrap_stop_no_window(void **state UNUSED)
{
        static struct disk_report report;
        struct daemon daemon;
        enum level level = LEVEL_OK;

        daemon_start(&daemon);
        for (int day = 0; day < 60; day++) {
                bool bad = day >= 20;

                disk_report_init(&report);
                report.protocol = DISK_ATA;
                report.rotation_rpm = 7200;
                report.power_on_s = 3600.0 * ((65024 + 24 * day) % 65536);
                put(&report, 187, bad ? 2 : 0);
                put(&report, 197, bad ? (uint64_t)MIN(day - 19, 2) * 120 : 0);
                disk_report_finish(&report);
                level = daemon_step(&daemon, &report, (day + 1) * DAY_US);
                if (day == 21)
                        assert_int_equal(level, LEVEL_CRITICAL);
                disk_report_done(&report);
        }
        assert_int_equal(level, LEVEL_WARNING);
        judge_free(daemon.judge);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_same_as_daemon),
                cmocka_unit_test(test_healthy_disk_keeps_little),
                cmocka_unit_test(test_hours_that_wrap_stop_no_window),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
