/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_DISK_SMARTCTL_H
#define VEILLE_DISK_SMARTCTL_H

/* One run of smartctl on one disk, believed only if everything about it fits. */

#include "check.h"
#include "disk_find.h"
#include "disk_report.h"

#define SMARTCTL_PATH "/usr/sbin/smartctl"
#define SMARTCTL_DEADLINE_S 45
#define SELFTEST_DEADLINE_S 10 /* to begin a test; both together stay below the deadline of a run */

/* A sleeping disk is read once a day ([check NAME] wake_after); its verdict must not turn unknown before. */
#define DISK_MAX_AGE_S (26 * 3600)

/* RESULT_OK with *ret filled (end it with disk_report_done; ret->standby: it sleeps and was not asked), else env->why
 * is set and *ret is untouched. */
enum result smartctl_ask(struct env *env, const struct disk_place *place, struct disk_report *ret);

/* All samples of a report. */
void disk_emit(struct env *env, const struct disk_report *report);

/* Until smartctl or libatasmart has been asked the kernel may know that the disk sleeps (runtime power management). */
bool disk_is_suspended(struct env *env, const struct disk_place *place);

#endif
