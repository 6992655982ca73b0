/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_DISK_RULES_H
#define VEILLE_DISK_RULES_H

/* When a disk is bad: shared by the checks smart-ata and smart, veillectl judge and replay.
 * The score rules judge disk_failure_score, which is derived (scorecard.h) and no check emits. */

#include "rule.h"

extern const struct rule disk_rules[];
extern const size_t disk_rules_len;

#endif
