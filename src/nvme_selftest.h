/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_NVME_SELFTEST_H
#define VEILLE_NVME_SELFTEST_H

/* The device self-test log of an NVMe drive (log page 6), which smartctl before 7.4 does not read. Pure. */

#include "disk_report.h"

#define NVME_SELFTEST_LOG_SIZE 564 /* 4 bytes of state, 20 results of 28 bytes */

#define NVME_SELFTEST_RESULTS 15   /* codes of results; 15 is an entry that was never used */

/* NVM Express Base Specification, "Self-test Result": 0 passed, 5 to 7 failed, the others ended early. */
enum disk_selftest nvme_selftest_result(unsigned code);

/* Fills the self-test fields of the report; its power-on time must be known by then. */
void nvme_selftest_log_read(const uint8_t log[static NVME_SELFTEST_LOG_SIZE], struct disk_report *report);

#endif
