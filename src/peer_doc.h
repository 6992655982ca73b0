/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_PEER_DOC_H
#define VEILLE_PEER_DOC_H

/* What two hosts say to each other (docs/protocols.md): heartbeats and messages that are handed over, as JSON. Pure. What comes from
 * the other host is bounded, checked from end to end and cleaned of control characters, for its key proves who it is and not
 * that it is well. */

#include <jansson.h>

#include "alert_advice.h"
#include "errinfo.h"
#include "level.h"
#include "peer_watch.h"

#define PEER_HEARTBEAT_MAX (16 * 1024) /* bytes */
#define PEER_LETTER_MAX (256 * 1024)
#define PEER_ANSWER_MAX (32 * 1024)    /* of both */
#define PEER_WORST_MAX 8
#define PEER_ID_LEN 32

struct peer_worst {
        char component[128], why[256];
        enum level level;
};

struct peer_heartbeat {
        char host[128], boot[PEER_BOOT_LEN + 1], health[16], why[512], version[32];
        uint64_t seq;   /* grows within a boot */
        double age_s;   /* of the brain's last word when this was made */
        bool silent;    /* the brain there is silent: no level of it is known */
        struct peer_worst worst[PEER_WORST_MAX];
        size_t n_worst;
        int levels[LEVEL_MAX]; /* how many components are at it */
};

/* Of a status document as its readers take it (status_doc.h: checked, aged), owned by the caller. */
json_t *peer_heartbeat_make(const json_t *status, bool silent, double age_s, const char *boot, uint64_t seq);
/* -EINVAL with a sentence; *ret stays. */
int peer_heartbeat_parse(const char *text, size_t len, struct peer_heartbeat *ret, struct errinfo *err);

/* A message for people that is to be delivered for another host. */
struct peer_letter {
        char id[PEER_ID_LEN + 1]; /* idempotency key: the same message has the same */
        json_t *message;          /* as veille-notify gets it; owned */
};
json_t *peer_letter_make(const char *id, const json_t *message); /* owned by the caller; NULL: too large, or no message */
int peer_letter_parse(const char *text, size_t len, struct peer_letter *ret, struct errinfo *err);
void peer_letter_done(struct peer_letter *l);

/* Answers. ok to a letter: the other host has it and will not forget it; else it may be asked again, with a sentence. */
struct peer_answer {
        bool ok;
        bool waits;      /* it is being taken: ask again in a moment */
        char text[256];
        bool has_heartbeat;
        struct peer_heartbeat heartbeat; /* of the host that answers */
};
json_t *peer_answer_make(bool ok, bool waits, const char *text, json_t *heartbeat); /* heartbeat: taken; NULL: none */
int peer_answer_parse(const char *text, size_t len, struct peer_answer *ret, struct errinfo *err);

/* The message as it goes to a contact of this host: marked with whom it is from, in the contact's language; the id stays, so that a
 * receiver can tell a copy. Owned by the caller. */
json_t *peer_message_on_behalf(const json_t *message, const char *peer, const char *via, const char *contact,
                               enum alert_language language);

#endif
