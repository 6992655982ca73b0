/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* NVM Express Base Specification, "Device Self-test (Log Identifier 06h)". */

#include "nvme_selftest.h"

#define RESULTS 20
#define RESULT_SIZE 28
#define RESULTS_OFFSET 4
#define CODE_EXTENDED 2

static const char *const failed_words[NVME_SELFTEST_RESULTS] = {
        [5] = "fatal error or unknown test error",
        [6] = "completed with a failed segment, which one is not known",
        [7] = "completed with one or more failed segments",
};

enum disk_selftest nvme_selftest_result(unsigned code)
{
        if (code == 0)
                return DISK_SELFTEST_PASSED;
        return code >= 5 && code <= 7 ? DISK_SELFTEST_FAILED : DISK_SELFTEST_EARLY;
}

static uint64_t le64(const uint8_t *p)
{
        uint64_t v = 0;

        for (int i = 7; i >= 0; i--)
                v = v << 8 | p[i];
        return v;
}

void nvme_selftest_log_read(const uint8_t log[static NVME_SELFTEST_LOG_SIZE], struct disk_report *report)
{
        struct disk_selftest_log state = { 0 };

        report->selftest_log_read = true;
        if (log[0] & 0x0f) {
                report->selftest_running = true;
                report->selftest_remaining = 100 - MIN(log[1] & 0x7f, 100);
        }
        for (int i = 0; i < RESULTS; i++) {
                const uint8_t *entry = log + RESULTS_OFFSET + i * RESULT_SIZE;
                unsigned result = entry[0] & 0x0f, code = entry[0] >> 4;

                /* This and the following were never used. */
                if (result >= NVME_SELFTEST_RESULTS)
                        break;
                disk_selftest_add(report, &state, nvme_selftest_result(result), code == CODE_EXTENDED, (double)le64(entry + 4),
                                  failed_words[result]);
        }
}
