/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_EVENT_RANK_H
#define VEILLE_EVENT_RANK_H

/* How much an event matters when there is no room for all. Brain and store drop by the same order, so that what the one
 * still holds is never what the other has dropped: the lowest rank first, of equal ones the oldest. */

#include "macros.h"

#define EVENT_RANK_MAX 4

/* 0 (a remark) to EVENT_RANK_MAX (something became critical, or is no longer). from, to: names of levels, "" or anything else: none. */
unsigned event_rank(const char *kind, const char *from, const char *to);

#endif
