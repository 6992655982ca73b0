/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_PEER_WATCH_H
#define VEILLE_PEER_WATCH_H

/* What the silence of a peer means. Pure: what was heard, what was tried and the time come in, a state and the reason for it come
 * out. Times are microseconds of CLOCK_BOOTTIME. Nothing is guessed: where the evidence fits several causes, the state says so. */

#include "macros.h"

enum peer_state {
        PEER_NEW,         /* nothing heard yet, and not for long */
        PEER_UP,          /* heard in time, and its brain lives */
        PEER_LATE,        /* silent for too long; nothing was tried yet that could say why */
        PEER_HOST_DEAD,   /* no port answers, while others do: it is down, or cut off at its own end */
        PEER_AGENT_DEAD,  /* the host lives, its veille does not */
        PEER_NETWORK_CUT, /* here: nobody else answers either */
        PEER_SILENT,      /* one of these; there is nothing to tell them apart by */
        PEER_KEY_CHANGED, /* at its address another key answers */
        PEER_REMOVED,     /* it answers that it does not know this host */
        PEER_OLD_STATE,   /* only heartbeats come that were sent before: a copy, a snapshot, a replay */
        PEER_STATE_MAX,
};
/* "host-dead"; also the name of the rule after "peer-". */
const char *peer_state_name(enum peer_state state);

/* What a connect() without a word told of a host. The order is that of worth: what proves more is greater. */
enum peer_reach {
        PEER_REACH_NONE,    /* not tried */
        PEER_REACH_NO_ROUTE,
        PEER_REACH_TIMEOUT, /* nobody answers, or somebody drops it */
        PEER_REACH_NO_HOST, /* no answer to ARP or neighbour discovery, or a router says so */
        PEER_REACH_REFUSED, /* a living host on which nobody listens there */
        PEER_REACH_OPEN,
};
/* Of the errno of connect(); 0: it is open. */
enum peer_reach peer_reach_from_errno(int error);

struct peer_evidence {
        enum peer_reach port;    /* where its veille-peer listens */
        enum peer_reach other;   /* the best of its other ports */
        int other_port;
        enum peer_reach witness; /* the best of those that have answered before; NONE: there is none */
        char witness_name[64];
        bool peers_heard;        /* another peer was heard in time */
        bool no_carrier;         /* of the interface that leads there */
};

enum peer_why {
        PEER_WHY_NONE,
        PEER_WHY_WAITS,      /* for the first heartbeat */
        PEER_WHY_LATE,
        PEER_WHY_BRAIN,      /* veille-peer there speaks, the brain does not */
        PEER_WHY_REFUSED,
        PEER_WHY_OTHER_PORT, /* its own port is dead, another answers */
        PEER_WHY_HANGS,      /* takes connections and says nothing */
        PEER_WHY_WITNESS_ANSWERS,
        PEER_WHY_PEERS_HEARD,
        PEER_WHY_NO_CARRIER,
        PEER_WHY_NO_ROUTE,
        PEER_WHY_WITNESS_DEAD,
        PEER_WHY_NO_WITNESS,
        PEER_WHY_KEY,
        PEER_WHY_REMOVED,
        PEER_WHY_OLD,
        PEER_WHY_MAX,
};

/* How the last attempt to speak with it ended. */
enum peer_try { PEER_TRY_NONE, PEER_TRY_GOOD, PEER_TRY_FAILED, PEER_TRY_KEY, PEER_TRY_UNKNOWN_HERE };

struct peer_watch {
        int64_t started_us;
        int64_t heard_us;    /* the last heartbeat; 0: never */
        int64_t old_us;      /* the last one that was an old one; 0: never */
        int64_t evidence_us; /* 0: none since it was heard */
        struct peer_evidence evidence;
        enum peer_try tried;
        bool brain_silent;   /* by its last heartbeat */
        enum peer_state state;
        enum peer_why why;
        int64_t since_us;    /* of the state */
};

void peer_watch_init(struct peer_watch *w, int64_t now_us);
void peer_watch_heard(struct peer_watch *w, bool brain_silent, int64_t now_us);
void peer_watch_old(struct peer_watch *w, int64_t now_us);
void peer_watch_tried(struct peer_watch *w, enum peer_try how);
void peer_watch_evidence(struct peer_watch *w, const struct peer_evidence *e, int64_t now_us);
/* Time passes. True: state or reason changed. */
bool peer_watch_step(struct peer_watch *w, int64_t silent_after_us, int64_t now_us);
/* It is time to ask the network why nothing is heard: a little before the silence counts, then again and again. */
bool peer_watch_wants_evidence(const struct peer_watch *w, int64_t interval_us, int64_t now_us);

/* What the evidence says, by a table. */
enum peer_state peer_classify(const struct peer_evidence *e, enum peer_why *ret_why);

/* Which heartbeats were seen, of one way by which they come in order. A boot that was followed by another does not come back. */
#define PEER_BOOT_LEN 32
#define PEER_PAST_BOOTS 8
struct peer_seen {
        char boot[PEER_BOOT_LEN + 1]; /* "": none yet */
        uint64_t seq;
        char past[PEER_PAST_BOOTS][PEER_BOOT_LEN + 1];
        unsigned n_past; /* ever */
};
/* 0: it is newer than all before; -ESTALE: it, or its whole boot, was there before. */
int peer_seen_take(struct peer_seen *s, const char *boot, uint64_t seq);

#endif
