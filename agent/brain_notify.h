/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_BRAIN_NOTIFY_H
#define VEILLE_BRAIN_NOTIFY_H

/* Inside of the delivery: sinks and deliveries (brain_notify.c), letters that wait (brain_notify_queue.c). */

#include "brain_alert.h"

#define LETTER_TESTS_MAX 64
#define NAMES_MAX 64
#define NAME_HOST_MAX 300

struct sink {
        char name[ALERT_NAME_MAX + 1];
        enum sink_type type;
        json_t *doc;       /* as veille-notify gets it, with secrets: never written anywhere */
        char broken[512];  /* why it cannot be used */
        bool busy;         /* one delivery at a time */
        unsigned failures; /* in a row */
        uint64_t delivered, failed; /* since the start */
        int64_t next_us;   /* of an Alertmanager */
        int64_t last_us, good_us;
        char last[512];    /* answer */
};

struct letter {
        char id[33];
        char sink[ALERT_NAME_MAX + 1];
        json_t *message;
        unsigned attempts;
        int64_t next_us, created_us;
        bool critical, test, under_way;
        bool elsewhere; /* the same message has reached people by another sink */
        bool at_peer;   /* a peer has it: it ends with the attempt that is under way */
        size_t bytes;
        struct letter *next;
};

struct letter_answer { /* to a test */
        char id[33], sink[ALERT_NAME_MAX + 1], text[512];
        bool good;
};

struct name { /* of a host that a sink leads to */
        char host[NAME_HOST_MAX]; /* or "mx:DOMAIN": the mail servers of a domain */
        json_t *addresses; /* NULL: never found */
        int64_t next_us;   /* when it is looked up again */
        bool used;
        bool fixed; /* that of the dead man's switch */
};

struct delivery {
        struct brain *b;
        char sink[ALERT_NAME_MAX + 1], letter[33];
        char host[NAME_HOST_MAX]; /* it only looks this name up */
        int fd;
        pid_t pid;
        sd_event_source *io, *timer, *unread, *child;
        char *request;
        size_t len, sent;
        char answer[4096];
        size_t answer_len;
        bool ended, ping; /* ping: of the dead man's switch */
        struct delivery *next;
};

struct brain_notify {
        struct sink *sinks;
        size_t n_sinks;
        struct letter *letters; /* oldest first */
        size_t n_letters, bytes;
        uint64_t delivered, failed, dropped;
        struct delivery *deliveries;
        struct letter_answer tests[LETTER_TESTS_MAX]; /* a ring */
        size_t n_tests;
        struct name names[NAMES_MAX];
        size_t n_names;
        bool looking; /* one look-up at a time */
        json_t *life; /* what the copy in memory is; NULL: there is none */
        int64_t life_us;
};

void delivery_start(struct brain *b, struct sink *s, struct letter *l, json_t *facts);
/* A veille-notify for this request (taken, freed later): s is NULL where it looks a name up. */
void delivery_run(struct brain *b, struct sink *s, const char *letter, const char *host, char *request, int64_t timeout_s);
/* A veille-notify that asks for the URL of the dead man's switch; request as above. deadman_end() is called once. */
void delivery_ping(struct brain *b, char *request, int64_t timeout_s);
void deadman_end(struct brain *b, const json_t *answer, const char *why); /* brain_deadman.c */
bool sinks_failing(const struct brain *b);

/* --- brain_notify_names.c: names are looked up ahead --------------------------------------------------------- */
void names_take(struct brain *b);                 /* the sinks are other ones: which names they lead to */
void names_step(struct brain *b, int64_t now_us); /* looks up what is due */
void names_end(struct brain *b, const char *host, const json_t *answer, const char *why);
json_t *names_of(const struct brain *b, const struct sink *s); /* host -> addresses, for a request; owned by the caller */
/* The host of this URL (NULL: none) is looked up and remembered too; call it before names_take(). */
void names_fix(struct brain *b, const char *url);
json_t *names_of_url(const struct brain *b, const char *url); /* as names_of() */
void names_save(struct brain *b, void (*fn)(void *data, const char *key, json_t *value), void *data);
void names_load(struct brain *b, const json_t *value);
void names_free(struct brain *b);

/* --- brain_notify_life.c: the copy in memory ------------------------------------------------------------------ */
/* Starts veille-notify from the copy in memory, else beside our own file; as program_spawn(). */
int life_spawn_notify(const struct brain *b, pid_t *ret_pid);
void life_look(struct brain *b, int64_t now_us); /* once a minute: is it there */

/* The oldest letter of the sink that may be tried now; NULL. */
struct letter *letter_due(struct brain *b, const char *sink, int64_t now_us);
void letter_end(struct brain *b, const char *id, const char *sink, bool good, const char *text, bool permanent);
int64_t letter_backoff_us(unsigned attempts);
/* A peer delivers this message: ours is done, but for the journal's. */
void letters_taken_by_peer(struct brain *b, const char *id);
void letters_drop_lost(struct brain *b); /* those of sinks that are not there any more */
void letters_free(struct brain *b);

#endif
