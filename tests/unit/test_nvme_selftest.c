/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The self-test log of NVMe as the drive gives it, and the same log as later versions of smartctl print it. */

#include <math.h>

#include "nvme_selftest.h"
#include "smartctl_json.h"
#include "test.h"

#define LONG 0x20
#define SHORT 0x10

static struct disk_report read_log(unsigned running, unsigned percent, const uint8_t *results, size_t n)
{
        uint8_t log[NVME_SELFTEST_LOG_SIZE] = { (uint8_t)running, (uint8_t)percent };
        struct disk_report r;

        disk_report_init(&r);
        r.protocol = DISK_NVME;
        r.power_on_s = 100 * 3600;
        for (size_t i = 0; i < 20; i++) {
                log[4 + i * 28] = i < n ? results[i] : 0x0f;
                log[4 + i * 28 + 4] = (uint8_t)(90 - i); /* hours */
        }
        nvme_selftest_log_read(log, &r);
        return r;
}

static void results(void **state UNUSED)
{
        static const struct {
                uint8_t results[3]; /* newest first */
                size_t n;
                enum disk_selftest want, last;
                double age_h; /* NAN: none */
        } rows[] = {
                { { 0 }, 0, DISK_SELFTEST_NONE, DISK_SELFTEST_NONE, NAN },
                { { SHORT | 0 }, 1, DISK_SELFTEST_PASSED, DISK_SELFTEST_PASSED, NAN },
                { { LONG | 0 }, 1, DISK_SELFTEST_PASSED, DISK_SELFTEST_PASSED, 10 },
                { { LONG | 7 }, 1, DISK_SELFTEST_FAILED, DISK_SELFTEST_FAILED, NAN },
                { { SHORT | 0, LONG | 7, LONG | 0 }, 3, DISK_SELFTEST_FAILED, DISK_SELFTEST_PASSED, 12 },
                { { SHORT | 2, LONG | 0 }, 2, DISK_SELFTEST_PASSED, DISK_SELFTEST_EARLY, 11 },
                { { LONG | 9 }, 1, DISK_SELFTEST_NONE, DISK_SELFTEST_EARLY, NAN },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct disk_report r = read_log(0, 0, rows[i].results, rows[i].n);
                bool same_age = isnan(rows[i].age_h) ? isnan(r.selftest_age_h) : r.selftest_age_h == rows[i].age_h;

                if (r.selftest != rows[i].want || r.selftest_last != rows[i].last || !same_age || r.selftest_running || !r.selftest_log_read)
                        fail_msg("row %zu: %d, last %d, %g h", i, (int)r.selftest, (int)r.selftest_last, r.selftest_age_h);
                disk_report_done(&r);
        }
}

static void one_that_runs(void **state UNUSED)
{
        struct disk_report r = read_log(2, 30, NULL, 0);

        assert_true(r.selftest_running && r.selftest_remaining == 70);
        disk_report_done(&r);
        r = read_log(1, 0x7f, NULL, 0); /* more than all of it */
        assert_true(r.selftest_running && r.selftest_remaining == 0);
        disk_report_done(&r);
}

static void as_smartctl_prints_them(void **state UNUSED)
{
        static const struct {
                const char *text;
                enum disk_selftest last;
                bool running;
        } rows[] = {
                { "{\"device\":{\"protocol\":\"NVMe\"},\"smart_status\":{\"passed\":true},\"nvme_self_test_log\":{\"current_self_test_operation\":"
                  "{\"value\":1},\"current_self_test_completion_percent\":40,\"table\":[{\"self_test_code\":{\"value\":1},\"self_test_result\":"
                  "{\"value\":6},\"power_on_hours\":5}]}}", DISK_SELFTEST_FAILED, true },
                { "{\"device\":{\"protocol\":\"SCSI\"},\"smart_status\":{\"passed\":true},\"scsi_self_test\":{\"table\":[{\"code\":{\"string\":"
                  "\"Background long\"},\"result\":{\"value\":15}},{\"code\":{\"string\":\"Background short\"},\"result\":{\"value\":1}}]}}",
                  DISK_SELFTEST_EARLY, true },
                { "{\"device\":{\"protocol\":\"SCSI\"},\"smart_status\":{\"passed\":true},\"scsi_self_test_0\":{\"code\":{\"string\":"
                  "\"Background short\"},\"result\":{\"value\":0}}}", DISK_SELFTEST_PASSED, false },
                { "{\"device\":{\"protocol\":\"ATA\"},\"smart_status\":{\"passed\":true},\"ata_smart_data\":{\"self_test\":{\"status\":"
                  "{\"value\":249,\"remaining_percent\":90}}}}", DISK_SELFTEST_NONE, true },
                { "{\"device\":{\"protocol\":\"ATA\"},\"smart_status\":{\"passed\":true},\"ata_smart_data\":{\"self_test\":{\"status\":"
                  "{\"value\":25,\"remaining_percent\":90}}}}", DISK_SELFTEST_EARLY, false }, /* aborted, with a percentage */
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct disk_report r;
                struct errinfo err = { 0 };

                if (smartctl_json_parse(rows[i].text, strlen(rows[i].text), &r, &err) < 0)
                        fail_msg("row %zu: %s", i, err.text);
                if (r.selftest_last != rows[i].last || r.selftest_running != rows[i].running)
                        fail_msg("row %zu: last %d, running %d", i, (int)r.selftest_last, r.selftest_running);
                disk_report_done(&r);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(results),
                cmocka_unit_test(one_that_runs),
                cmocka_unit_test(as_smartctl_prints_them),
        };

        return cmocka_run_group_tests_name("nvme_selftest", tests, NULL, NULL);
}
