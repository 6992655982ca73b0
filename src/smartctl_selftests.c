/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The self-test logs of ATA, NVMe and SCSI drives out of smartctl's JSON, newest entry first. Called by smartctl_json.c. */

#include <math.h>

#include "nvme_selftest.h"
#include "smartctl_private.h"

#define SCSI_SELFTESTS 20 /* that a drive logs */

/* A test that was aborted or interrupted says nothing, whatever else the entry claims. */
static enum disk_selftest ata_result(bool passed, const char *words)
{
        if (words && (str_starts(words, "Aborted") || str_starts(words, "Interrupted")))
                return DISK_SELFTEST_EARLY;
        return passed ? DISK_SELFTEST_PASSED : DISK_SELFTEST_FAILED;
}

/* ATA8-ACS, self-test execution status, in the upper four bits: 0 passed or never tested, 1 and 2 ended early, 3 to 8
 * failed, 15 a test runs. */
static void read_selftest_status_ata(const json_t *doc, struct disk_report *r)
{
        double value = smartctl_number(doc, "ata_smart_data/self_test/status/value");
        int status = value >= 0 && value <= 255 ? (int)value >> 4 : -1;

        /* The percentage also stands beside tests that were ended early. */
        r->selftest_running = status == 15;
        if (r->selftest_running)
                r->selftest_remaining = smartctl_number(doc, "ata_smart_data/self_test/status/remaining_percent");
        if (r->selftest_last == DISK_SELFTEST_NONE && status >= 0 && status <= 8)
                r->selftest_last = status == 0 ? DISK_SELFTEST_PASSED : status <= 2 ? DISK_SELFTEST_EARLY : DISK_SELFTEST_FAILED;
}

void smartctl_selftests_ata(const json_t *doc, struct disk_report *r)
{
        const json_t *log = smartctl_get(doc, "ata_smart_self_test_log/extended"), *row;
        struct disk_selftest_log state = { 0 };
        size_t i;

        r->selftest_count_standard = smartctl_number(doc, "ata_smart_self_test_log/standard/count");
        r->selftest_count_extended = smartctl_number(doc, "ata_smart_self_test_log/extended/count");
        r->selftest_errors_standard = smartctl_number(doc, "ata_smart_self_test_log/standard/error_count_total");
        r->selftest_errors_extended = smartctl_number(doc, "ata_smart_self_test_log/extended/error_count_total");
        if (!log)
                log = smartctl_get(doc, "ata_smart_self_test_log/standard");
        json_array_foreach(json_object_get(log, "table"), i, row) {
                const json_t *passed = smartctl_get(row, "status/passed");
                const char *type = json_string_value(smartctl_get(row, "type/string")), *words = json_string_value(smartctl_get(row, "status/string"));
                bool is_long = type && (strstr(type, "xtended") || strstr(type, "Long") || strstr(type, "long"));

                if (json_is_boolean(passed) && (!words || !strstr(words, "in progress")))
                        disk_selftest_add(r, &state, ata_result(json_is_true(passed), words), is_long, smartctl_number(row, "lifetime_hours"), words);
        }
        r->selftest_log_read = log != NULL;
        r->selftest_unsupported = json_is_false(smartctl_get(doc, "ata_smart_data/capabilities/self_tests_supported"));
        read_selftest_status_ata(doc, r);
}

void smartctl_selftests_nvme(const json_t *doc, struct disk_report *r)
{
        const json_t *log = json_object_get(doc, "nvme_self_test_log"), *row;
        struct disk_selftest_log state = { 0 };
        size_t i;

        json_array_foreach(json_object_get(log, "table"), i, row) {
                double result = smartctl_number(row, "self_test_result/value");

                if (result >= 0 && result < NVME_SELFTEST_RESULTS)
                        disk_selftest_add(r, &state, nvme_selftest_result((unsigned)result), smartctl_number(row, "self_test_code/value") == 2,
                                          smartctl_number(row, "power_on_hours"), json_string_value(smartctl_get(row, "self_test_result/string")));
        }
        if (smartctl_number(log, "current_self_test_operation/value") > 0) {
                r->selftest_running = true;
                r->selftest_remaining = 100 - fmin(fmax(smartctl_number(log, "current_self_test_completion_percent"), 0), 100);
        }
        r->selftest_log_read = log != NULL;
}

/* smartctl 7.3 and 7.4 number the entries in their names, later ones have a table. */
static const json_t *scsi_selftest(const json_t *doc, int i)
{
        char key[32];
        const json_t *table = smartctl_get(doc, "scsi_self_test/table");

        if (table)
                return json_array_get(table, (size_t)i);
        snprintf(key, sizeof(key), "scsi_self_test_%d", i);
        return json_object_get(doc, key);
}

void smartctl_selftests_scsi(const json_t *doc, struct disk_report *r)
{
        struct disk_selftest_log state = { 0 };

        for (int i = 0; i < SCSI_SELFTESTS; i++) {
                const json_t *row = scsi_selftest(doc, i);
                const char *code = json_string_value(smartctl_get(row, "code/string")), *words = json_string_value(smartctl_get(row, "result/string"));
                double result = smartctl_number(row, "result/value");
                bool is_long = code && (strstr(code, "long") || strstr(code, "extended"));

                /* SPC-4, self-test results: 0 passed, 1 and 2 aborted, 3 to 7 failed, 15 in progress. */
                r->selftest_log_read |= row != NULL;
                if (result >= 0 && result <= 7)
                        disk_selftest_add(r, &state, result == 0 ? DISK_SELFTEST_PASSED : result <= 2 ? DISK_SELFTEST_EARLY : DISK_SELFTEST_FAILED,
                                          is_long, smartctl_number(row, "power_on_time/hours"), words);
                if (i == 0 && result == 15)
                        r->selftest_running = true;
        }
}
