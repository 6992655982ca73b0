/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_BRAIN_MEMORY_H
#define VEILLE_BRAIN_MEMORY_H

/* Which part of the brain's memory (brain_state.c) the store has on disk, and which it was told but has not confirmed. Only
 * what is confirmed counts as saved; what was told and not confirmed is told again over the next connection. */

#include <jansson.h>

#include "macros.h"

struct memory {
        json_t *saved;   /* key: what stands for its value, a number: the values themselves would be half a megabyte */
        json_t *told;    /* key: [seq, number or null (deleted)] */
        json_t *refused; /* key: number of the value that the store does not take, not offered again until it changes */
};

void memory_init(struct memory *m);
void memory_done(struct memory *m);
/* The store has this. */
void memory_loaded(struct memory *m, const char *key, const json_t *value);
/* Whether it must be told; value NULL: that the key is gone. */
bool memory_differs(const struct memory *m, const char *key, const json_t *value);
void memory_told(struct memory *m, const char *key, const json_t *value, int64_t seq);
void memory_confirmed(struct memory *m, int64_t seq);
/* The store said that it does not keep what it was told last of this key. */
void memory_refused(struct memory *m, const char *key);
/* The store has begun anew: all is to be told again. */
void memory_forget(struct memory *m);
void memory_link_down(struct memory *m);
/* Keys of this kind that the store has, or will have, and now has not. Made by the caller's fn into deletions. */
void memory_each_gone(const struct memory *m, bool (*kind)(const char *key), const json_t *now, void (*fn)(void *data, const char *key), void *data);

#endif
