/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_HW_FS_RULES_H
#define VEILLE_HW_FS_RULES_H

/* The metrics and rules of the check fs. */

#include "check.h"

#define FS_METRICS 12
#define FS_RULES 14
extern const struct metric_desc fs_metrics[FS_METRICS];
extern const struct rule fs_rules[FS_RULES];

#endif
