/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_CONFIG_VALUE_H
#define VEILLE_CONFIG_VALUE_H

/* Inside of config: what the text of a value means. Pure. */

#include "config.h"

/* Whether text is a good value for the key; if not, a sentence fragment in err ("'x' is no duration; ..."). */
bool config_value_ok(const struct config_key *key, const char *text, struct errinfo *err);

/* The value; text must be good. Durations in seconds, sizes in bytes, booleans 0 and 1. */
double config_value_number(const struct config_key *key, const char *text);

/* The next word of a list, without its quotes: length, copied into buf (cut); *p moves behind it. 0 at the end. */
size_t config_value_word(const char **p, char *buf, size_t size);

#endif
