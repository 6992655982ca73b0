/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_CTL_DISK_RULES_H
#define VEILLE_CTL_DISK_RULES_H

/* The rules for disks with the limits that hold on this host: what veilled would judge by. */

#include "ctl.h"
#include "rule.h"

/* A copy of disk_rules (disk_rules_len of them) after [rule NAME] of the config; the caller frees it. NULL: the config has
 * errors, they are on standard error. */
struct rule *ctl_disk_rules(const struct common_options *options);

#endif
