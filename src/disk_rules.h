/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_DISK_RULES_H
#define VEILLE_DISK_RULES_H

/* When a disk is bad: shared by the checks smart-ata and smart, veillectl judge and replay.
 * The score rules judge disk_failure_score, which is derived (scorecard.h) and no check emits. */

#include "rule.h"

#define DISK_RULES_LEN 37 /* the checks' const tables need the number; a row too many does not compile, one too few fails a test */
extern const struct rule disk_rules[DISK_RULES_LEN];
extern const size_t disk_rules_len;

#endif
