/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_NOTIFY_H
#define VEILLE_NOTIFY_H

/* veille-notify delivers one message by one sink and ends (docs/protocols.md). One file a kind of sink. */

#include <jansson.h>

#include "errinfo.h"
#include "textbuf.h"

struct notify {
        const json_t *sink;    /* what [sink NAME] says, with its secrets */
        const json_t *message; /* NULL for alertmanager */
        const json_t *alerts;  /* of alertmanager, else NULL */
        int attempt;           /* 1: the first */
        const char *life;      /* of the copy in memory (common_life.h) */
        const json_t *addresses; /* host -> addresses that were found before; NULL: none */
        int64_t until_us;      /* CLOCK_BOOTTIME: the answer must be there by then */
        char text[512];        /* what the other end said when it took the message */
        bool permanent;        /* the other end will not take this message later either */
};

/* 0: the sink has taken it. Negative errno with a sentence (no secret in it). */
int notify_mail(struct notify *n, struct errinfo *err);
int notify_webhook(struct notify *n, struct errinfo *err);
int notify_alertmanager(struct notify *n, struct errinfo *err);
int notify_journal(struct notify *n, struct errinfo *err);
int notify_exec(struct notify *n, struct errinfo *err);

/* Serves RUN/notify.sock until it is ended (notify_serve.c). Returns only when it cannot: an exit status. */
int notify_serve(const char *run, const char *life);

/* Looks a name up: the addresses; of "mx:DOMAIN" the mail servers of the domain as "NAME/ADDRESS". Owned by the caller; NULL with a sentence. */
json_t *notify_resolve(const char *host, struct errinfo *err);
/* For CURLOPT_RESOLVE: the remembered addresses of the URL's host as "HOST:PORT:ADDRESS,..."; false: there are none. */
bool notify_remembered(const struct notify *n, const char *url, char *buf, size_t size);

/* GET of a URL: the dead man's switch. */
int notify_ping(struct notify *n, const char *url, struct errinfo *err);

/* "" when there is none. */
const char *notify_text(const json_t *o, const char *key);
/* The file of certificates to believe, from the copy in memory where it is there; "": the library's own. */
const char *notify_ca(const struct notify *n, char *buf, size_t size);
int64_t notify_left_ms(const struct notify *n); /* at least 1 */

/* --- notify_template.c: pure ---------------------------------------------------------------------------- */
/* The template with its places filled from the message; owned by the caller. */
json_t *notify_template(const json_t *template, const json_t *message);

/* --- notify_scrub.c: pure ----------------------------------------------------------------------------------- */
/* Takes the secrets of the sink out of a text that somebody else has made; it does not grow. */
void notify_scrub(const struct notify *n, char *text);

/* --- notify_letter.c: pure -------------------------------------------------------------------------------- */
/* The whole letter with CRLF, ready for DATA; the caller frees it. */
char *notify_letter(const struct notify *n);
void notify_base64(struct textbuf *out, const void *data, size_t len);
const char *notify_letter_from(const struct notify *n, char *buf, size_t size);

/* --- notify_http.c ----------------------------------------------------------------------------------------- */
struct notify_http {
        const char *url, *body;
        size_t len;
        long status;      /* 0: no answer */
        char answer[256]; /* its beginning, one line */
};
/* POST as JSON with the sink's token, CA and signature. 0: an answer came, whatever its status. */
int notify_post(struct notify *n, struct notify_http *h, struct errinfo *err);

#endif
