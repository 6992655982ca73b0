/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_HW_RAID_RULES_H
#define VEILLE_HW_RAID_RULES_H

/* The metrics and rules of the check raid. */

#include "check.h"

#define RAID_METRICS 18
#define RAID_RULES 17
extern const struct metric_desc raid_metrics[RAID_METRICS];
extern const struct rule raid_rules[RAID_RULES];

#endif
