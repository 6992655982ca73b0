/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_BRAIN_EVENTS_H
#define VEILLE_BRAIN_EVENTS_H

/* What happened and is not yet known to be on disk. An event is kept here and in DIR/events.jsonl (DIR is RUN, a tmpfs: no
 * disk is waited for) from the moment it happens until the store has confirmed it and RUN/state.json knows its level; so
 * neither the death of the brain nor of the store loses it. Each has an id by which the store knows what it has already.
 * Bounded: when it is full the least important goes first (event_rank.h), and what may be lost by that is counted. */

#include <jansson.h>

#include "macros.h"

#define KEPT_MAX 1000               /* less than the store's backlog takes */
#define KEPT_BYTES_MAX (384 * 1024)
#define KEPT_ID_MAX 64

struct kept;

struct kept_event_desc {
        const char *id;       /* NULL: a new one; otherwise it happens once only, whoever tells it again */
        int64_t wall_us, boot_us; /* when it happened, CLOCK_REALTIME; when we knew, CLOCK_BOOTTIME */
        const char *component, *kind, *from, *to, *rule, *why; /* from, to: names of levels */
};

/* Reads what a former brain kept. Never NULL; where the file cannot be used events are kept in memory alone, see kept_error(). */
struct kept *kept_open(const char *dir);
/* Forgets; the file stays for the next brain. NULL is taken. Returns NULL. */
struct kept *kept_close(struct kept *k);

/* False: it is there already, or there is no room for it (then it is counted as lost). */
bool kept_add(struct kept *k, const struct kept_event_desc *event);

/* The line (without its end) of the oldest that was not sent over this connection; NULL: none. Then kept_sent() takes it as sent;
 * an acknowledgement of seq, or of more, will confirm it. */
const char *kept_unsent(const struct kept *k, size_t *ret_len);
void kept_sent(struct kept *k, int64_t seq);
void kept_confirmed(struct kept *k, int64_t seq);
/* All that is not confirmed is to be sent again. */
void kept_link_down(struct kept *k);

/* RUN/state.json has been written and knows the levels of now: what is confirmed can be forgotten. */
void kept_state_saved(struct kept *k);
/* Changes of level since that time of the boot clock, in order. */
void kept_levels_since(const struct kept *k, int64_t boot_us, void (*fn)(void *data, const json_t *event), void *data);

/* Whether one of them is a change of level of this component: then what is known here is newer than what the store knows. */
bool kept_has_level(const struct kept *k, const char *component);

size_t kept_waiting(const struct kept *k); /* not confirmed */
uint64_t kept_lost(const struct kept *k);  /* since start; what was dropped here but may still come to be written by the store is not counted */
int kept_error(const struct kept *k);      /* 0, or a negative errno: the file cannot be written */

#endif
