/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_JSON_EACH_H
#define VEILLE_JSON_EACH_H

/* Reads a JSON object with one long list in it, one element of the list at a time: a file of two thousand
 * samples would be several megabytes of objects otherwise. Pure. */

#include <jansson.h>

#include "errinfo.h"

/* Calls fn for each element of the member named list; element is borrowed and gone after the call. fn returns 0 to go
 * on, a negative errno to stop with. The other members end up in *ret_rest (may be NULL), owned by the caller; they may
 * stand before or after the list. -EINVAL with a sentence for what is no such object. */
int json_each(const char *text, size_t len, const char *list, int (*fn)(void *data, const json_t *element), void *data,
              json_t **ret_rest, struct errinfo *err);

#endif
