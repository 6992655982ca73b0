/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Drive histories from strangers: any bytes, cut into lines, read and judged. */

#include "disk_judge.h"
#include "disk_rules.h"
#include "history.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(history_reader_done) struct history_reader reader = {};
        static struct history_day day;
        struct disk_judge *judge = disk_judge_new(disk_rules, disk_rules_len);
        struct disk_state disk = {};
        int64_t now_us = 0;

        while (size > 0) {
                const uint8_t *end = memchr(data, '\n', size);
                size_t len = end ? (size_t)(end - data) : size;
                char *line = malloc(len ? len : 1), why[256];
                struct errinfo err = {};
                int r;

                memcpy(line, data, len);
                r = history_line(&reader, line, len, &day, &err);
                /* A refusal has a reason; a day has a name and a date. */
                if (r < 0 ? !err.text[0] : r > 0 && (!day.report.serial[0] || !day.date[0]))
                        abort();
                if (r > 0) {
                        now_us += 86400 * USEC_PER_SEC;
                        disk_judge_step(judge, &disk, &day.report, now_us);
                        disk_judge_why(judge, &disk, &day.report, day.report.serial, why, sizeof(why));
                        if ((disk.level > LEVEL_OK) != (*why != '\0'))
                                abort();
                }
                free(line);
                data += MIN(len + 1, size);
                size -= MIN(len + 1, size);
        }
        disk_state_done(&disk);
        disk_judge_free(judge);
        disk_report_done(&day.report);
        return 0;
}
