/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_SUGGEST_H
#define VEILLE_SUGGEST_H

/* "Did you mean": the nearest of some known words to one that was mistyped. */

#include "macros.h"

/* Edit distance with swaps of neighbours counted once; words over 63 bytes are infinitely far (SIZE_MAX). */
size_t edit_distance(const char *a, const char *b);

/* The word nearest to what was typed, if it is near enough to be meant (a third of its length, at
 * least one edit, or one is the beginning of the other); NULL if none is. Upper and lower case are alike. */
const char *suggest(const char *typed, const char *const *words, size_t n);

#endif
