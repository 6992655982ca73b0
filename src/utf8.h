/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_UTF8_H
#define VEILLE_UTF8_H

/* Devices write what they like, and a sentence that was cut to size may end within a character. JSON takes UTF-8 only, and a
 * sentence must not be lost for one bad byte. */

#include <jansson.h>

#include "macros.h"

/* Each byte that is no part of a UTF-8 character becomes '?'; a character cut short by the end of the text goes. */
void utf8_clean(char *s);

/* A JSON string of it, cleaned where it must be. NULL: no memory. */
json_t *utf8_json(const char *s);

#endif
