/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_PEER_TEXT_H
#define VEILLE_PEER_TEXT_H

/* The sentences about peers, in one table. What to do is in alert_advice.c under the names of the rules. Pure. */

#include "alert_advice.h"
#include "peer_watch.h"

struct peer_place {
        const char *name, *address, *host; /* host: this one, for the sentence that is read elsewhere */
        int port;
        int64_t heard_wall_us; /* the last heartbeat, CLOCK_REALTIME; 0: never */
};

/* Why the peer is in its state: who, what, since when; "" when it is well. Times are UTC. */
void peer_text(const struct peer_watch *w, const struct peer_place *place, enum alert_language language, char *buf, size_t size);

/* Before the subject and the body of a message that is delivered for a peer. via: this host. */
void peer_text_on_behalf(const char *peer, const char *via, enum alert_language language, char *subject, size_t subject_size, char *body, size_t body_size);

/* To look for missing ones: NULL after the last; "" is a hole. */
const char *peer_text_at(size_t i, enum alert_language language);

#endif
