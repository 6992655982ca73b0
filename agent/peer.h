/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_PEER_H
#define VEILLE_PEER_H

/* The parts of veille-peer: one thread, one loop around curl_multi_poll(). Who is at the other end of a connection is known by
 * its key only, both ways; there is no authority that could expire or be asked. */

#include <curl/curl.h>
#include <poll.h>

#include "common_jsonl.h"
#include "options.h"
#include "peer_config.h"
#include "peer_doc.h"
#include "peer_watch.h"

#define PEER_PENDING_MAX 8
#define PEER_CLIENTS_MAX 16
#define PEER_INBOX_MAX 128
#define PEER_FDS_MAX 256

struct peer {
        struct peer_entry entry;
        struct peer_watch watch;
        struct peer_seen by_request, by_answer;
        struct peer_heartbeat last; /* the newest good one */
        int64_t last_us;            /* when it came; 0: none since the start */
        int64_t heard_wall_us;
        int64_t next_us;            /* of our heartbeat */
        bool calling;               /* one is under way */
        char error[256];            /* why the last attempt failed; "" */
        uint64_t sent, failed, received, old;
        bool listed;                /* while the list is read anew */
};

/* Somebody with a key that is not known here, as a help for pairing. */
struct peer_pending {
        char pin[PEER_PIN_LEN + 1], address[64];
        int64_t at_us;
};

enum inbox_state { INBOX_ASKED, INBOX_TAKEN, INBOX_REFUSED };
struct inbox { /* messages that peers handed over */
        char id[PEER_ID_LEN + 1];
        enum inbox_state state;
        char text[256];
        int64_t at_us;
};

struct peerd {
        struct common_options options;
        struct peer_config config;
        struct peer *peers[PEERS_MAX];
        size_t n_peers;
        struct peer_pending pending[PEER_PENDING_MAX];
        struct inbox inbox[PEER_INBOX_MAX];
        char host[128], boot[PEER_BOOT_LEN + 1], pin[PEER_PIN_LEN + 1];
        char *key_pem, *cert_pem;
        uint64_t seq;
        bool changed; /* the brain is to be told at once */
        CURLM *multi;
        struct peer_server *server;
        struct peer_link *link;
        struct peer_looks *looks;
};

/* One line to standard error; a priority for the journal before it. */
enum { PEER_ERROR = 3, PEER_WARNING = 4, PEER_NOTICE = 5, PEER_INFO = 6 };
void peer_log(int priority, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* --- peer_key.c: our key and those of others ------------------------------------------------------------------------ */
/* Reads STATE/peer/key.pem, or makes it; a certificate of it for this run. Fills key_pem, cert_pem, pin. */
int peer_key_open(struct peerd *d, struct errinfo *err);
/* SHA-256 over the public key (SubjectPublicKeyInfo) of a certificate, in base64. */
int peer_key_pin_der(const void *der, size_t len, char ret[PEER_PIN_LEN + 1]);
int peer_key_pin_pem(const char *pem, char ret[PEER_PIN_LEN + 1]);

/* --- peer_table.c: whom we know ---------------------------------------------------------------------------------------- */
/* Reads configuration and STATE/peer/paired.json; those that stay keep what is known of them. */
int peer_table_read(struct peerd *d, struct errinfo *err);
void peer_table_free(struct peerd *d);
struct peer *peer_by_name(struct peerd *d, const char *name); /* NULL */
struct peer *peer_by_pin(struct peerd *d, const char *pin);   /* NULL */
/* Writes it to disk, then holds. */
int peer_table_pair(struct peerd *d, const char *name, const char *address, int port, const char *pin, struct errinfo *err);
int peer_table_remove(struct peerd *d, const char *name, struct errinfo *err);
void peer_note_pending(struct peerd *d, const char *pin, const char *address);
/* What was heard when is kept in RUN over a restart, and our boot has a name there. */
int peer_seen_open(struct peerd *d, struct errinfo *err);
void peer_seen_save(struct peerd *d);
/* All that is known, for the brain and for veillectl; owned by the caller. */
json_t *peer_table_json(struct peerd *d);

/* --- peer_heart.c ------------------------------------------------------------------------------------------------------------ */
json_t *peer_heartbeat_now(struct peerd *d); /* of this host */
/* A heartbeat came, as a request or as an answer. */
void peer_heart(struct peerd *d, struct peer *p, const struct peer_heartbeat *h, bool request);
/* Time passes: sends what is due, judges the silence. */
void peer_heart_step(struct peerd *d, int64_t now_us);

/* --- peer_client.c ----------------------------------------------------------------------------------------------------------- */
struct peer_call {
        struct peerd *d;
        char peer[PEER_NAME_MAX + 1]; /* "": none yet, it is only looked at */
        char id[PEER_ID_LEN + 1];     /* of a message */
        json_t *body;
        int64_t until_us;             /* a message is offered again until then */
        void *data;                   /* freed with the call */
        void (*done)(struct peer_call *call);
        /* Filled when done is called, which may start another call but must not free this one. */
        CURLcode code;
        long status;
        char error[CURL_ERROR_SIZE], pin[PEER_PIN_LEN + 1]; /* pin: of the other end, where it was only looked at */
        char *answer;
        size_t answer_len;
        char *text; /* body as text */
        CURL *curl;
        struct curl_slist *headers;
        struct peer_call *next;
};
/* POST of body (taken) to the path, or GET without one. pin: what the other end's key must be; NULL: anything, its pin is
 * taken. The call is freed after done. */
int peer_call_start(struct peerd *d, const struct peer_address *to, const char *path, const char *pin, int64_t timeout_us, const struct peer_call *call);
void peer_calls_run(struct peerd *d);
void peer_calls_stop(struct peerd *d);

/* --- peer_server.c ------------------------------------------------------------------------------------------------------------- */
int peer_server_start(struct peerd *d, struct errinfo *err);
size_t peer_server_fds(struct peerd *d, struct curl_waitfd *fds, size_t max);
int peer_server_timeout_ms(struct peerd *d); /* -1: none */
void peer_server_run(struct peerd *d);
void peer_server_stop(struct peerd *d);
/* What a request is answered with, without a socket, for the fuzzer too: the status. p: who asks. Body and answer: see
 * docs/protocols.md; *ret is owned by the caller. */
unsigned peer_answer(struct peerd *d, struct peer *p, const char *method, const char *path, const char *body, size_t len, json_t **ret);

/* --- peer_mail.c: messages handed over -------------------------------------------------------------------------------------- */
/* The brain wants it to be delivered by this peer. */
void peer_mail_hand(struct peerd *d, const json_t *line);
/* Asks again where a peer asked for a moment; returns when to call again, INT64_MAX: not before something happens. */
int64_t peer_mail_step(struct peerd *d, int64_t now_us);
void peer_mail_stop(void);
/* A peer wants it to be delivered here. */
unsigned peer_mail_take(struct peerd *d, const struct peer *p, const char *body, size_t len, json_t **ret);
/* The brain's word to that. */
void peer_mail_taken(struct peerd *d, const json_t *line);

/* --- peer_link.c: RUN/peer.sock, for the brain and veillectl ------------------------------------------------------------------- */
int peer_link_start(struct peerd *d, struct errinfo *err);
size_t peer_link_fds(struct peerd *d, struct curl_waitfd *fds, size_t max);
void peer_link_run(struct peerd *d, int64_t now_us);
void peer_link_stop(struct peerd *d);
bool peer_link_brain(const struct peerd *d); /* it is there */
int peer_link_tell(struct peerd *d, json_t *line); /* takes the line; -ENOTCONN, -ENOBUFS */

/* --- peer_look.c: whom the network still reaches -------------------------------------------------------------------------------- */
void peer_looks_start(struct peerd *d);
size_t peer_looks_fds(struct peerd *d, struct curl_waitfd *fds, size_t max);
void peer_looks_run(struct peerd *d, int64_t now_us);
void peer_looks_stop(struct peerd *d);

#endif
