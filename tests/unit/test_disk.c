/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The disk report, its metrics and rules: packed raw values, what follows from the attribute table, and that the tables
 * belong together. */

#include "disk_metrics.h"
#include "disk_rules.h"
#include "test.h"

static void raw_values_are_decoded(void **state UNUSED)
{
        static const struct {
                unsigned id;
                uint64_t raw;
                double want; /* NAN: no number */
        } rows[] = {
                /* Scrutiny 748: 22 timeouts in each of three words. */
                { 188, 94490722326, 22 },
                { 188, 0, 0 },
                { 188, 3, 3 },
                { 188, 0x000100020003, 3 },
                /* Seagate: errors in the upper 16 bits, operations below (smartmontools 220). */
                { 1, 0, 0 },
                { 1, 153285984, NAN },
                { 1, 0x000500000000 | 1234567, 5 },
                { 7, 4383061563, 1 },
                { 7, 88087139, NAN },
                { 195, 153285984, NAN },
                { 5, 0, 0 },
                { 5, 1975, 1975 },
                { 5, 65535, 65535 },
                { 5, 0x000200010007, 7 },
                { 5, 0x10000, 0x10000 },
                { 196, 0x000200010007, 7 },
                /* Hours below, minutes or milliseconds above. */
                { 9, 26783, 26783 },
                { 9, 26783 | 17ULL << 32, 26783 },
                { 9, 0x1a2b00000000 | 43210, 43210 },
                { 9, 43210 | 59ULL << 24, 43210 },
                { 9, 0xffffffffffff, 65535 },
                /* Temperature now, minimum and maximum above. */
                { 194, 38, 38 },
                { 194, 0x002d00120026, 38 },
                { 194, 0x2d120026, 38 },
                { 194, 0x2d1226, 38 },
                { 194, 0x2d26, 38 },
                { 194, 0xfffb, -5 },
                { 190, 0x1c14001b, 27 },
                { 197, 8, 8 },
                { 197, 4294967290, NAN },
                { 197, 4294967295, NAN },
                { 198, 13456132538368, 0 },
                { 198, 13456132538368 + 3, 3 },
                { 187, 24016, 24016 },
                { 199, 87, 87 },
                { 241, 281474976710655, 281474976710655 },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                double got = disk_decode_raw(rows[i].id, rows[i].raw);

                if (isnan(rows[i].want) ? !isnan(got) : got != rows[i].want)
                        fail_msg("attribute %u, raw %llu: %g, not %g", rows[i].id, (unsigned long long)rows[i].raw, got, rows[i].want);
        }
}

static struct disk_attribute *add(struct disk_report *r, unsigned id, unsigned flags, int value, int worst, int thresh, uint64_t raw)
{
        struct disk_attribute *a = disk_report_add_attribute(r, id, NULL, flags, value, worst, thresh);

        assert_non_null(a);
        a->raw = raw;
        a->has_raw = true;
        return a;
}

/* A healthy Seagate hard disk with every raw value packed. */
static void make_seagate(struct disk_report *r)
{
        disk_report_init(r);
        r->protocol = DISK_ATA;
        r->health = DISK_HEALTH_PASSED;
        r->rotation_rpm = 7200;
        add(r, 1, 0x0f, 118, 99, 6, 182016720);
        add(r, 5, 0x33, 100, 100, 10, 0);
        add(r, 7, 0x0f, 87, 60, 30, 4383061563);
        add(r, 9, 0x32, 70, 70, 0, 26783 | 17ULL << 32);
        add(r, 187, 0x32, 100, 100, 0, 0);
        add(r, 188, 0x32, 100, 99, 0, 94490722326);
        add(r, 190, 0x22, 62, 48, 45, 0x2d120026);
        add(r, 194, 0x22, 38, 52, 0, 0x000c00000026);
        add(r, 195, 0x1a, 118, 99, 0, 182016720);
        add(r, 197, 0x12, 100, 100, 0, 0);
        add(r, 198, 0x10, 100, 100, 0, 0);
        add(r, 199, 0x3e, 200, 200, 0, 87);
        disk_report_finish(r);
}

/* Steps every rule over a first reading, as veillectl judge does; the worst level, and the names of the rules above ok. */
struct verdict {
        enum level level;
        char names[1024];
        double limits[DISK_RULES_LEN];
        bool finding_limits;
};

static bool matches(const struct rule *rule, const char *const *labels)
{
        for (size_t i = 0; rule->match_label && labels[i]; i += 2)
                if (streq(labels[i], rule->match_label))
                        return streq(labels[i + 1], rule->match_value);
        return !rule->match_label;
}

static void judge_one(void *data, const char *metric, double value, const char *const *labels)
{
        struct verdict *v = data;

        for (size_t i = 0; i < disk_rules_len; i++) {
                const struct rule *rule = &disk_rules[i];
                struct rule_state st = { 0 };

                if (v->finding_limits && rule->limit_metric && streq(rule->limit_metric, metric))
                        v->limits[i] = value;
                if (v->finding_limits || !streq(rule->metric, metric) || !matches(rule, labels))
                        continue;
                rule_step(rule, &st, value, v->limits[i], 1);
                if (st.level > LEVEL_OK)
                        snprintf(v->names + strlen(v->names), sizeof(v->names) - strlen(v->names), "%s ", rule->name);
                v->level = level_worse(v->level, st.level);
                rule_state_done(&st);
        }
}

static struct verdict judge(const struct disk_report *r)
{
        struct verdict v = { .finding_limits = true };

        for (size_t i = 0; i < disk_rules_len; i++)
                v.limits[i] = NAN;
        disk_report_emit(r, true, judge_one, &v);
        v.finding_limits = false;
        disk_report_emit(r, true, judge_one, &v);
        return v;
}

#define ASSERT_JUDGED(r, want_level, want_names)                                              \
        do {                                                                                  \
                struct verdict v_ = judge(r);                                                 \
                if (v_.level != (want_level) || !streq(v_.names, want_names))                 \
                        fail_msg("%s by: %s", level_name(v_.level), v_.names);                \
        } while (0)

static void packed_values_of_a_good_disk_alarm_nobody(void **state UNUSED)
{
        struct disk_report r;

        make_seagate(&r);
        assert_true(r.power_on_s == 26783 * 3600.0);
        assert_true(r.temperature_c == 38);
        assert_true(r.counters.command_timeouts == 22);
        ASSERT_JUDGED(&r, LEVEL_OK, "");
        disk_report_done(&r);
}

static void thresholds_depend_on_the_kind_of_attribute(void **state UNUSED)
{
        struct disk_report r;

        make_seagate(&r);
        r.attributes[1].value = 10; /* 5, pre-failure, at its threshold */
        disk_report_finish(&r);
        ASSERT_JUDGED(&r, LEVEL_CRITICAL, "attribute-prefail ");

        make_seagate(&r);
        r.attributes[6].value = 45; /* 190, old age */
        disk_report_finish(&r);
        ASSERT_JUDGED(&r, LEVEL_WARNING, "attribute-old-age ");

        make_seagate(&r);
        r.attributes[6].worst = 40; /* 190, it was hot once */
        disk_report_finish(&r);
        ASSERT_JUDGED(&r, LEVEL_NOTICE, "attribute-failed-past ");

        make_seagate(&r);
        r.attributes[9].value = 0; /* threshold 0 never fails */
        disk_report_finish(&r);
        ASSERT_JUDGED(&r, LEVEL_OK, "");
}

static void lost_sectors_are_never_ok(void **state UNUSED)
{
        static const struct {
                unsigned index;
                uint64_t raw;
                const char *names;
        } rows[] = {
                { 9, 1, "pending-sectors " },
                { 10, 1, "offline-uncorrectable " },
                { 9, 4294967290, "attribute-implausible " },
                { 10, 13456132538368, "attribute-implausible " },
                { 10, 13456132538368 + 3, "offline-uncorrectable " },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct disk_report r;
                struct verdict v;

                make_seagate(&r);
                r.counters = (struct disk_counters){ NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN };
                r.attributes[rows[i].index].raw = rows[i].raw;
                disk_report_finish(&r);
                v = judge(&r);
                if (v.level != LEVEL_NOTICE || !streq(v.names, rows[i].names))
                        fail_msg("row %zu: %s by %s", i, level_name(v.level), v.names);
        }
}

static void make_nvme(struct disk_report *r)
{
        disk_report_init(r);
        r->protocol = DISK_NVME;
        r->health = DISK_HEALTH_PASSED;
        r->nvme.present = true;
        r->nvme.available_spare = 100;
        r->nvme.available_spare_threshold = 10;
        r->nvme.percentage_used = r->percentage_used = 3;
        r->counters.media_errors = 0;
        r->temperature_c = 45;
}

static void nvme_verdicts(void **state UNUSED)
{
        static const struct {
                const char *what;
                unsigned bits;
                bool failed;
                double spare, threshold, used, media, temp, warn, crit;
                enum level level;
                const char *names;
        } rows[] = {
                { "good", 0, false, 100, 10, 3, 0, 45, NAN, NAN, LEVEL_OK, "" },
                { "worn", 0, false, 100, 10, 95, 0, 45, NAN, NAN, LEVEL_NOTICE, "worn " },
                { "worn out", 0, false, 100, 10, 100, 0, 45, NAN, NAN, LEVEL_WARNING, "worn " },
                { "worn out and it says failed", 4, true, 100, 10, 255, 0, 45, NAN, NAN, LEVEL_WARNING, "worn " },
                { "worn out with lost data", 4, true, 100, 10, 255, 1, 45, NAN, NAN, LEVEL_CRITICAL, "smart-failed worn media-errors " },
                { "unreliable though new", 4, true, 100, 10, 3, 0, 45, NAN, NAN, LEVEL_CRITICAL, "smart-failed " },
                { "read-only", 8, true, 100, 10, 3, 0, 45, NAN, NAN, LEVEL_CRITICAL, "smart-failed nvme-read-only " },
                { "two bits, one of them wear", 12, true, 100, 10, 200, 0, 45, NAN, NAN, LEVEL_CRITICAL,
                  "smart-failed worn nvme-read-only " },
                { "unreliable, though nobody asked for the verdict", 4, false, 100, 10, 3, 0, 45, NAN, NAN, LEVEL_CRITICAL, "smart-failed " },
                { "worn out, though nobody asked for the verdict", 4, false, 100, 10, 130, 0, 45, NAN, NAN, LEVEL_WARNING, "worn " },
                { "a bit of the future", 64, true, 100, 10, 3, 0, 45, NAN, NAN, LEVEL_CRITICAL, "smart-failed " },
                { "too hot by its own word", 2, true, 100, 10, 3, 0, 85, NAN, NAN, LEVEL_CRITICAL, "disk-hot nvme-temperature " },
                { "hot by its own limit", 0, false, 100, 10, 3, 0, 72, 70, 80, LEVEL_WARNING, "disk-hot " },
                { "overheated by its own limit", 0, false, 100, 10, 3, 0, 81, 70, 80, LEVEL_CRITICAL, "disk-hot disk-overheated " },
                { "cool by its own limit", 0, false, 100, 10, 3, 0, 82, 90, 95, LEVEL_OK, "" },
                { "spare at the threshold", 0, false, 10, 10, 3, 0, 45, NAN, NAN, LEVEL_NOTICE, "spare-low " },
                { "spare below it", 1, true, 9, 10, 3, 0, 45, NAN, NAN, LEVEL_CRITICAL, "smart-failed nvme-spare spare-low " },
                { "virtual: spare 0, threshold 0", 0, false, 0, 0, 0, 0, 45, NAN, NAN, LEVEL_OK, "" },
                { "lost data", 0, false, 100, 10, 3, 7, 45, NAN, NAN, LEVEL_NOTICE, "media-errors " },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct disk_report r;
                struct verdict v;
                char want[256], got[1024], *save1, *save2;

                make_nvme(&r);
                r.nvme.critical_warning = rows[i].bits;
                r.health = rows[i].failed ? DISK_HEALTH_FAILED : DISK_HEALTH_PASSED;
                r.nvme.available_spare = rows[i].spare;
                r.nvme.available_spare_threshold = rows[i].threshold;
                r.nvme.percentage_used = r.percentage_used = rows[i].used;
                r.counters.media_errors = rows[i].media;
                r.temperature_c = rows[i].temp;
                r.temperature_warning_c = rows[i].warn;
                r.temperature_critical_c = rows[i].crit;
                disk_report_finish(&r);
                v = judge(&r);
                if (v.level != rows[i].level)
                        fail_msg("%s: %s by %s", rows[i].what, level_name(v.level), v.names);
                /* The same rules, in whatever order. */
                snprintf(want, sizeof(want), "%s", rows[i].names);
                snprintf(got, sizeof(got), "%s", v.names);
                assert_int_equal(strlen(want), strlen(got));
                for (char *w = strtok_r(want, " ", &save1); w; w = strtok_r(NULL, " ", &save1)) {
                        bool found = false;
                        char copy[1024];

                        snprintf(copy, sizeof(copy), "%s", v.names);
                        for (char *g = strtok_r(copy, " ", &save2); g; g = strtok_r(NULL, " ", &save2))
                                found |= streq(w, g);
                        if (!found)
                                fail_msg("%s: %s, not by %s", rows[i].what, v.names, w);
                }
        }
}

static void scsi_verdicts(void **state UNUSED)
{
        struct disk_report r;

        disk_report_init(&r);
        r.protocol = DISK_SCSI;
        r.health = DISK_HEALTH_PASSED;
        r.counters.grown_defects = 0;
        r.scsi[DISK_READ].present = r.scsi[DISK_WRITE].present = true;
        r.scsi[DISK_READ].uncorrected = r.scsi[DISK_WRITE].uncorrected = 0;
        r.temperature_c = 30;
        r.drive_trip_c = 65;
        disk_report_finish(&r);
        ASSERT_JUDGED(&r, LEVEL_OK, "");
        r.scsi[DISK_WRITE].uncorrected = 2;
        ASSERT_JUDGED(&r, LEVEL_NOTICE, "uncorrected-errors ");
        r.scsi[DISK_WRITE].uncorrected = 0;
        r.counters.pending_defects = 1;
        ASSERT_JUDGED(&r, LEVEL_NOTICE, "pending-defects ");
        r.counters.pending_defects = 8;
        ASSERT_JUDGED(&r, LEVEL_WARNING, "pending-defects ");
        r.counters.pending_defects = 0;
        r.scsi[DISK_WRITE].uncorrected = 2;
        r.counters.grown_defects = 3;
        ASSERT_JUDGED(&r, LEVEL_NOTICE, "grown-defects uncorrected-errors ");
        r.counters.grown_defects = 200;
        ASSERT_JUDGED(&r, LEVEL_WARNING, "grown-defects uncorrected-errors ");
        r.health = DISK_HEALTH_FAILED;
        ASSERT_JUDGED(&r, LEVEL_CRITICAL, "smart-failed grown-defects uncorrected-errors ");
}

static void wear_of_flash_is_read_from_what_means_it(void **state UNUSED)
{
        static const struct {
                const char *what;
                struct {
                        unsigned id;
                        const char *name;
                        int value;
                        uint64_t raw;
                } a[3];
                double rpm, used; /* NAN: not known */
        } rows[] = {
                { "Intel", { { 233, "Media_Wearout_Indicator", 5, 0 } }, 0, 95 },
                { "Samsung", { { 177, "Wear_Leveling_Count", 1, 3090 } }, 0, 99 },
                { "Kingston: raw is what is left", { { 231, "SSD_Life_Left", 4, 96 } }, 0, 4 },
                { "SandForce", { { 231, "SSD_Life_Left", 95, 1 } }, 0, 5 },
                { "one that was never filled in", { { 177, "Wear_Leveling_Count", 2, 65595 }, { 231, "SSD_Life_Left", 2, 100 } }, 0, 0 },
                { "WD: 230 runs the other way", { { 230, "Media_Wearout_Indicator", 1, 1 } }, 0, NAN },
                { "SanDisk: 233 is something else", { { 233, "NAND_GB_Written_TLC", 100, 10736 } }, 0, NAN },
                { "a hard disk", { { 233, "Media_Wearout_Indicator", 5, 0 } }, 7200, NAN },
                { "not valid", { { 233, "Media_Wearout_Indicator", 253, 0 } }, 0, NAN },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct disk_report r;

                disk_report_init(&r);
                r.protocol = DISK_ATA;
                r.rotation_rpm = rows[i].rpm;
                for (size_t k = 0; k < ARRAY_LEN(rows[i].a) && rows[i].a[k].id; k++) {
                        struct disk_attribute *a = disk_report_add_attribute(&r, rows[i].a[k].id, rows[i].a[k].name, 0, rows[i].a[k].value, 1, 0);

                        a->raw = rows[i].a[k].raw;
                        a->has_raw = true;
                }
                disk_report_finish(&r);
                if (isnan(rows[i].used) ? !isnan(r.percentage_used) : r.percentage_used != rows[i].used)
                        fail_msg("%s: %g", rows[i].what, r.percentage_used);
        }
}

static void temperatures_no_disk_has_are_none(void **state UNUSED)
{
        static const double said[] = { 127, 128, 255, -128, 1000, NAN };

        for (size_t i = 0; i < ARRAY_LEN(said); i++) {
                struct disk_report r;

                disk_report_init(&r);
                r.protocol = DISK_NVME;
                r.temperature_c = said[i];
                disk_report_finish(&r);
                assert_true(isnan(r.temperature_c));
        }
}

/* The attribute of a drive without a sensor, and limits that no drive was made with. */
static void temperatures_of_the_table_are_bounded_too(void **state UNUSED)
{
        static const uint64_t raws[] = { 127, 0x007e0020007f, 0x7d, 128, 0x80, 255 };
        static const double limits[] = { -60, 0, 5, 255 };

        for (size_t i = 0; i < ARRAY_LEN(raws); i++) {
                struct disk_report r;

                disk_report_init(&r);
                r.protocol = DISK_ATA;
                add(&r, 194, 0x22, 100, 100, 0, raws[i]);
                disk_report_finish(&r);
                if (!isnan(r.temperature_c))
                        fail_msg("raw %llu: %g degrees", (unsigned long long)raws[i], r.temperature_c);
        }
        for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
                struct disk_report r;

                make_seagate(&r);
                r.op_limit_max_c = r.critical_limit_max_c = limits[i];
                r.temperature_warning_c = r.temperature_critical_c = NAN;
                disk_report_finish(&r);
                ASSERT_JUDGED(&r, LEVEL_OK, "");
        }
}

static void what_a_verdict_needs(void **state UNUSED)
{
        struct disk_report r;

        make_seagate(&r);
        assert_null(disk_report_lacks(&r));
        r.health = DISK_HEALTH_ABSENT; /* bridges often refuse the status; the table says more */
        assert_null(disk_report_lacks(&r));
        r.health = DISK_HEALTH_PASSED;
        r.n_attributes = 0;
        assert_string_equal(disk_report_lacks(&r), "the attribute table");
        r.standby = true;
        assert_null(disk_report_lacks(&r));
        make_nvme(&r);
        assert_null(disk_report_lacks(&r));
        r.nvme.present = false;
        assert_string_equal(disk_report_lacks(&r), "the health log");
        disk_report_init(&r);
        r.protocol = DISK_SCSI;
        r.counters.grown_defects = 0;
        assert_string_equal(disk_report_lacks(&r), "the health status");
        r.health = DISK_HEALTH_PASSED;
        assert_null(disk_report_lacks(&r));
}

static void asleep_says_nothing_else(void **state UNUSED)
{
        struct disk_report r;

        make_seagate(&r);
        r.health = DISK_HEALTH_FAILED;
        r.standby = true;
        ASSERT_JUDGED(&r, LEVEL_OK, "");
}

static void flags_and_names_are_smartctls(void **state UNUSED)
{
        struct disk_report r;
        char s[8], l[80];

        make_seagate(&r);
        disk_flags_short(0x33, s);
        assert_string_equal(s, "PO--CK");
        disk_flags_short(0x1032, s);
        assert_string_equal(s, "-O--CK+");
        disk_flags_long(0x33, l);
        assert_string_equal(l, "prefailure,updated_online,event_count,auto_keep");
        disk_flags_long(0x3f, l);
        assert_string_equal(l, "prefailure,updated_online,performance,error_rate,event_count,auto_keep");
        assert_string_equal(disk_report_attribute(&r, 187)->name, "Reported_Uncorrect");
        assert_null(disk_report_add_attribute(&r, 187, NULL, 0, 1, 1, 1));
        assert_null(disk_report_add_attribute(&r, 0, NULL, 0, 1, 1, 1));
        assert_null(disk_report_add_attribute(&r, 256, NULL, 0, 1, 1, 1));
        for (unsigned id = 200; r.n_attributes < DISK_ATTRIBUTES_MAX; id = id == 255 ? 20 : id + 1)
                disk_report_add_attribute(&r, id, NULL, 0, 1, 1, 1);
        assert_null(disk_report_add_attribute(&r, 177, NULL, 0, 1, 1, 1));
}

static void metric_must_be_in_the_table(void *data, const char *metric, double value, const char *const *labels)
{
        size_t *n = data, n_labels = 0;

        (*n)++;
        assert_true(isfinite(value));
        for (; labels[n_labels]; n_labels++)
                ;
        assert_int_equal(n_labels % 2, 0);
        for (size_t i = 0; i < disk_metrics_len; i++)
                if (streq(disk_metrics[i].name, metric))
                        return;
        fail_msg("%s has no row in disk_metrics", metric);
}

static void tables_belong_together(void **state UNUSED)
{
        struct disk_report r;
        size_t n = 0;

        for (size_t i = 0; i < disk_metrics_len; i++) {
                bool counter = disk_metrics[i].kind == METRIC_COUNTER;
                size_t len;

                if (!disk_metrics[i].name)
                        fail_msg("DISK_METRICS_LEN is too great");
                len = strlen(disk_metrics[i].name);
                assert_true(counter == (len > 6 && streq(disk_metrics[i].name + len - 6, "_total")));
                assert_true(disk_metrics[i].help[0]);
        }
        for (size_t i = 0; i < disk_rules_len; i++) {
                const struct rule *rule = &disk_rules[i];
                bool found = false;

                if (!rule->name)
                        fail_msg("DISK_RULES_LEN is too great");
                for (size_t k = 0; k < disk_metrics_len; k++)
                        found |= streq(disk_metrics[k].name, rule->metric);
                if (!found || !rule->text[0] || !rule->clears[0] || !rule->source[0])
                        fail_msg("rule %s: no metric, text, clears or source", rule->name);
                for (size_t k = 0; k < i; k++)
                        assert_string_not_equal(rule->name, disk_rules[k].name);
        }
        make_seagate(&r);
        disk_report_emit(&r, false, metric_must_be_in_the_table, &n);
        make_nvme(&r);
        disk_report_emit(&r, false, metric_must_be_in_the_table, &n);
        assert_true(n > 80);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(raw_values_are_decoded),
                cmocka_unit_test(packed_values_of_a_good_disk_alarm_nobody),
                cmocka_unit_test(thresholds_depend_on_the_kind_of_attribute),
                cmocka_unit_test(lost_sectors_are_never_ok),
                cmocka_unit_test(nvme_verdicts),
                cmocka_unit_test(scsi_verdicts),
                cmocka_unit_test(wear_of_flash_is_read_from_what_means_it),
                cmocka_unit_test(temperatures_no_disk_has_are_none),
                cmocka_unit_test(temperatures_of_the_table_are_bounded_too),
                cmocka_unit_test(what_a_verdict_needs),
                cmocka_unit_test(asleep_says_nothing_else),
                cmocka_unit_test(flags_and_names_are_smartctls),
                cmocka_unit_test(tables_belong_together),
        };

        return cmocka_run_group_tests_name("disk", tests, NULL, NULL);
}
