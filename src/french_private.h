/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_FRENCH_PRIVATE_H
#define VEILLE_FRENCH_PRIVATE_H

#include "french.h"

extern const struct french_row french_rules[], french_rules_host[], french_clears[], french_brain[];
extern const size_t french_rules_n, french_rules_host_n, french_clears_n, french_brain_n;

#endif
