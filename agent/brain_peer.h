/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_BRAIN_PEER_H
#define VEILLE_BRAIN_PEER_H

/* Between brain_peer.c (the link to veille-peer, what its word means to the judge) and brain_peer_hand.c (messages to and from
 * peers). */

#include "brain_notify.h"
#include "common_jsonl.h"

#define HANDS_MAX 4
#define TAKEN_IDS 256

struct hand { /* a message that a peer was asked to deliver */
        char id[33]; /* "": free */
        char peer[80];
        int64_t until_us;
};

struct brain_peer {
        struct jsonl link;
        bool linked;
        sd_event_source *io, *timer;
        int64_t linked_us, next_us, lost_us; /* since when; when it is tried again; since when it says nothing, 0: it speaks */
        json_t *doc;            /* its last word; NULL */
        int64_t doc_us;
        struct hand hands[HANDS_MAX];
        unsigned turn;          /* which peer is asked first */
        int64_t hand_next_us;   /* after a failure */
        char taken[TAKEN_IDS][33]; /* ids of messages taken from peers: a ring */
        size_t n_taken;
        uint64_t handed, for_peers;
};

/* Takes the line. -ENOTCONN, -ENOBUFS. */
int peer_link_put(struct brain *b, json_t *line);

/* --- brain_peer_hand.c ------------------------------------------------------------------------------------------------- */
void peer_hand_step(struct brain *b, int64_t now_us);
void peer_hand_end(struct brain *b, const json_t *line); /* the peer's answer */
void peer_hand_lost(struct brain *b);                    /* the link went: nothing is under way any more */
void peer_letter(struct brain *b, const json_t *line);   /* one for us to deliver */

#endif
