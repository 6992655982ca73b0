/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_DISK_SELFTEST_H
#define VEILLE_DISK_SELFTEST_H

/* Telling a disk to test itself, after it was read in the same run (env->selftest). Each emits disk_selftest_start with the
 * disk's answer, begun, refused or unsupported; nothing when no test is wished. The run itself stays ok: the reading was. */

#include <stddef.h> /* atasmart.h of Debian 12 uses size_t without it */

#include <atasmart.h>

#include "disk_find.h"
#include "disk_report.h"

void selftest_by_atasmart(struct env *env, SkDisk *disk, const struct disk_report *report);

/* SCSI, ATA and bridges through smartctl -t; NVMe by itself, since smartctl before 7.4 cannot. */
void selftest_by_smartctl(struct env *env, const struct disk_place *place, const struct disk_report *report);

/* Fills in the self-test log of an NVMe drive where smartctl did not read it. */
void selftest_read_nvme(struct env *env, const struct disk_place *place, struct disk_report *report);

#endif
