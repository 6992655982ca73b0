/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* What is read out of smartctl's JSON where the meaning is not plain. */

#include "smartctl_json.h"
#include "test.h"

static struct disk_report parse(const char *text)
{
        struct disk_report r;
        struct errinfo err = { 0 };
        int code = smartctl_json_parse(text, strlen(text), &r, &err);

        if (code < 0)
                fail_msg("%s: %s", text, err.text);
        return r;
}

static void the_newest_test_that_ended_counts(void **state UNUSED)
{
#define ENTRY(type, words, passed) "{\"type\":{\"string\":\"" type "\"},\"status\":{\"string\":\"" words "\"" passed "},\"lifetime_hours\":90}"
#define YES ",\"passed\":true"
#define NO ",\"passed\":false"
        static const char good_short[] = ENTRY("Short offline", "Completed without error", YES);
        static const char bad_short[] = ENTRY("Short offline", "Completed: read failure", NO);
        static const char good_long[] = ENTRY("Extended offline", "Completed without error", YES);
        static const char bad_long[] = ENTRY("Extended offline", "Completed: read failure", NO);
        static const char aborted[] = ENTRY("Extended offline", "Aborted by host", "");
        static const char aborted_no[] = ENTRY("Extended offline", "Aborted by host", NO);
        static const char interrupted_no[] = ENTRY("Short offline", "Interrupted (host reset)", NO);
        static const char running_no[] = ENTRY("Short offline", "Self-test routine in progress", NO);
        static const struct {
                const char *entries[4]; /* newest first */
                enum disk_selftest want;
        } rows[] = {
                { { NULL }, DISK_SELFTEST_NONE },
                { { good_short }, DISK_SELFTEST_PASSED },
                { { bad_short, good_long }, DISK_SELFTEST_FAILED },
                { { good_short, bad_short }, DISK_SELFTEST_PASSED },
                { { good_short, bad_long }, DISK_SELFTEST_FAILED }, /* a short test proves nothing about what a long one found */
                { { good_long, bad_long }, DISK_SELFTEST_PASSED },
                { { aborted, bad_long }, DISK_SELFTEST_FAILED },
                { { aborted }, DISK_SELFTEST_NONE },
                { { aborted_no, good_long }, DISK_SELFTEST_PASSED },
                { { interrupted_no, running_no }, DISK_SELFTEST_NONE },
                { { running_no, good_short }, DISK_SELFTEST_PASSED },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct disk_report r;
                char text[2048] = "{\"device\":{\"protocol\":\"ATA\"},\"smart_status\":{\"passed\":true},\"power_on_time\":{\"hours\":100},"
                                  "\"ata_smart_self_test_log\":{\"standard\":{\"table\":[";

                for (size_t k = 0; k < 4 && rows[i].entries[k]; k++)
                        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", k ? "," : "", rows[i].entries[k]);
                strcat(text, "]}}}");
                r = parse(text);
                if (r.selftest != rows[i].want)
                        fail_msg("row %zu: %d", i, (int)r.selftest);
                if (rows[i].entries[0] == good_long)
                        assert_true(r.selftest_age_h == 10);
                disk_report_done(&r);
        }
}

static void sleep_is_proved_by_words(void **state UNUSED)
{
        struct errinfo err = { 0 };
        struct disk_report r = parse("{\"smartctl\":{\"exit_status\":3,\"messages\":[{\"string\":\"Device is in STANDBY mode, exit(3)\"}]},"
                                     "\"device\":{\"name\":\"/dev/sda\",\"protocol\":\"ATA\"}}");
        static const char mute[] = "{\"smartctl\":{\"exit_status\":3},\"device\":{\"name\":\"/dev/sda\",\"protocol\":\"ATA\"}}";

        assert_true(r.standby);
        r = parse("{\"smartctl\":{\"exit_status\":3},\"power_mode\":{\"ata_string\":\"STANDBY\"},\"device\":{\"protocol\":\"ATA\"}}");
        assert_true(r.standby);
        assert_int_equal(smartctl_json_parse(mute, strlen(mute), &r, &err), -ENODATA);
}

static void large_numbers_come_as_text(void **state UNUSED)
{
        struct disk_report r = parse("{\"device\":{\"protocol\":\"NVMe\"},\"smart_status\":{\"passed\":true},"
                                     "\"nvme_smart_health_information_log\":{\"critical_warning\":0,\"data_units_read\":1,"
                                     "\"data_units_read_s\":\"36893488147419103232\",\"host_reads\":\"18446744073709551616\",\"media_errors\":0}}");

        assert_true(r.nvme.data_units_read == 36893488147419103232.0);
        assert_true(r.nvme.host_reads == 18446744073709551616.0);
}

static void statistics_know_the_wear(void **state UNUSED)
{
        struct disk_report r = parse(
                "{\"device\":{\"protocol\":\"ATA\"},\"smart_status\":{\"passed\":true},\"rotation_rate\":0,\"ata_device_statistics\":{\"pages\":["
                "{\"name\":\"Solid State Device Statistics\",\"table\":[{\"name\":\"Percentage Used Endurance Indicator\",\"value\":97,"
                "\"flags\":{\"string\":\"N--- \",\"valid\":true,\"normalized\":true}}]}]},"
                "\"sata_phy_event_counters\":{\"table\":[{\"name\":\"Command failed\",\"value\":4}]}}");

        assert_true(r.percentage_used == 97);
        assert_int_equal(r.n_statistics, 2);
        assert_string_equal(r.statistics[0].flags_short, "N---");
        assert_string_equal(r.statistics[0].flags_long, "valid,normalized");
        assert_string_equal(r.statistics[1].table, "SATA PHY Event Counters");
        disk_report_done(&r);
}

static void pending_defects_log_counts_too(void **state UNUSED)
{
        struct disk_report r = parse("{\"device\":{\"protocol\":\"ATA\"},\"smart_status\":{\"passed\":true},"
                                     "\"ata_pending_defects_log\":{\"count\":12},\"ata_smart_attributes\":{\"table\":["
                                     "{\"id\":197,\"value\":100,\"worst\":100,\"thresh\":0,\"raw\":{\"value\":3}}]}}");

        assert_true(r.counters.pending == 12);
}

/* A drive whose log is garbage is a sick drive, not a damaged document: 128 bits of ones are valid JSON. */
static void numbers_of_any_size_are_read(void **state UNUSED)
{
        struct disk_report r = parse("{\"device\":{\"protocol\":\"NVMe\"},\"smartctl\":{\"exit_status\":8},\"smart_status\":{\"passed\":false},"
                                     "\"nvme_smart_health_information_log\":{\"critical_warning\":1,\"media_errors\":18446744073709551615,"
                                     "\"host_reads\":340282366920938463463374607431768211455,\"available_spare\":3}}");

        assert_true(r.health == DISK_HEALTH_FAILED);
        assert_true(r.nvme.present && r.nvme.critical_warning == 1 && r.nvme.available_spare == 3);
        assert_true(r.counters.media_errors == 18446744073709551616.0);
        assert_true(r.exit_status == 8);
}

/* smartctl(8): bit 3 is DISK FAILING, whatever else is in the document or was lost of it. */
static void the_exit_status_also_says_failing(void **state UNUSED)
{
        struct disk_report r = parse("{\"device\":{\"protocol\":\"ATA\"},\"smartctl\":{\"exit_status\":72},\"ata_smart_attributes\":{\"table\":["
                                     "{\"id\":197,\"value\":100,\"worst\":100,\"thresh\":0,\"raw\":{\"value\":0}}]}}");

        assert_true(r.health == DISK_HEALTH_FAILED);
        r = parse("{\"device\":{\"protocol\":\"ATA\"},\"smartctl\":{\"exit_status\":192},\"smart_status\":{\"passed\":true}}");
        assert_true(r.health == DISK_HEALTH_PASSED);
}

/* Without the critical warning nothing of an NVMe log says that the drive is well. */
static void a_health_log_without_its_warnings_is_none(void **state UNUSED)
{
        static const char *const warnings[] = { "", "\"critical_warning\":null,", "\"critical_warning\":256,", "\"critical_warning\":-1," };

        for (size_t i = 0; i < ARRAY_LEN(warnings); i++) {
                struct disk_report r;
                char text[512];

                snprintf(text, sizeof(text), "{\"device\":{\"protocol\":\"NVMe\"},\"smart_status\":{\"passed\":true},"
                         "\"nvme_smart_health_information_log\":{%s\"temperature\":30}}", warnings[i]);
                r = parse(text);
                assert_string_equal(disk_report_lacks(&r), "the health log");
        }
}

static void sas_disks_have_pending_defects_too(void **state UNUSED)
{
        struct disk_report r = parse("{\"device\":{\"protocol\":\"SCSI\"},\"smart_status\":{\"passed\":true},\"scsi_pending_defects\":{\"count\":3}}");

        assert_true(r.counters.pending_defects == 3);
        assert_true(isnan(r.counters.pending)); /* the scorecard of ATA disks must not see it */
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_newest_test_that_ended_counts),
                cmocka_unit_test(sleep_is_proved_by_words),
                cmocka_unit_test(large_numbers_come_as_text),
                cmocka_unit_test(statistics_know_the_wear),
                cmocka_unit_test(pending_defects_log_counts_too),
                cmocka_unit_test(numbers_of_any_size_are_read),
                cmocka_unit_test(the_exit_status_also_says_failing),
                cmocka_unit_test(a_health_log_without_its_warnings_is_none),
                cmocka_unit_test(sas_disks_have_pending_defects_too),
        };

        return cmocka_run_group_tests_name("smartctl_json", tests, NULL, NULL);
}
