/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* What a server answers goes into logs, RUN/alerts.json and onto screens; some say back what they were told. So our own secrets are taken
 * out of it: passwords, keys, tokens, what a URL has behind its host, and their form in base64 in a log-in. */

#include "alert_config.h"
#include "notify.h"
#include "textbuf.h"

#define PART_MIN 8  /* of the path of a URL: shorter parts are words, longer ones may be tokens */
#define SECRET_MIN 4
#define CUT_MIN 4   /* so much of a secret at the end of a text that was cut there is recognized */

/* Where the secret begins in the text, whole or cut off by its end; NULL. */
static char *find(char *text, const char *secret, size_t len, size_t *ret_found)
{
        char *at = memmem(text, strlen(text), secret, len);

        *ret_found = len;
        if (at)
                return at;
        for (size_t n = MIN(len - 1, strlen(text)); n >= MIN(CUT_MIN, len); n--)
                if (memcmp(text + strlen(text) - n, secret, n) == 0) {
                        *ret_found = n;
                        return text + strlen(text) - n;
                }
        return NULL;
}

static void remove_one(char *text, const char *secret, size_t len)
{
        size_t found;
        char *at;

        while (len >= SECRET_MIN && (at = find(text, secret, len, &found))) {
                memset(at, '*', 3);
                memmove(at + 3, at + found, strlen(at + found) + 1);
        }
}

/* Also as log-ins carry it: base64, whose last characters depend on what follows. */
static void remove_encoded(char *text, const char *plain, size_t len)
{
        struct textbuf b = { 0 };

        notify_base64(&b, plain, len / 3 * 3);
        if (b.len)
                remove_one(text, b.data, b.len);
        textbuf_done(&b);
}

static void remove_secret(char *text, const char *secret)
{
        remove_one(text, secret, strlen(secret));
        remove_encoded(text, secret, strlen(secret));
}

/* NAME:PASSWORD@ before the host. */
static void remove_user(char *text, const char *user, size_t len)
{
        const char *colon = memchr(user, ':', len);

        remove_encoded(text, user, len);
        if (colon)
                remove_one(text, colon + 1, len - (size_t)(colon + 1 - user));
}

/* Parts of the path that could be tokens, and every value of the query. */
static void remove_rest(char *text, const char *rest)
{
        bool query = false;

        while (*rest) {
                size_t n = strcspn(rest, "/?&=#;");

                if (n >= (query ? SECRET_MIN : PART_MIN))
                        remove_one(text, rest, n);
                rest += n;
                query |= *rest == '?';
                rest += *rest != '\0';
        }
}

static void remove_url(char *text, const char *url)
{
        const char *host = strstr(url, "://"), *at;
        size_t n;

        host = host ? host + 3 : url;
        n = strcspn(host, "/?#");
        at = memrchr(host, '@', n);
        if (at)
                remove_user(text, host, (size_t)(at - host));
        remove_rest(text, host + n);
}

void notify_scrub(const struct notify *n, char *text)
{
        static const char *const secrets[] = { "password", "secret", "token" }, *const urls[] = { "url", "relay" };
        char plain[600];
        const json_t *v;
        size_t k;
        int len;

        for (size_t i = 0; i < ARRAY_LEN(secrets); i++)
                if (*notify_text(n->sink, secrets[i]))
                        remove_secret(text, notify_text(n->sink, secrets[i]));
        /* AUTH PLAIN (RFC 4616). */
        len = snprintf(plain, sizeof(plain), "%c%s%c%s", 0, notify_text(n->sink, "user"), 0, notify_text(n->sink, "password"));
        if (len > 2 && (size_t)len < sizeof(plain))
                remove_encoded(text, plain, (size_t)len);
        for (size_t i = 0; i < ARRAY_LEN(urls); i++)
                json_array_foreach(json_object_get(n->sink, urls[i]), k, v)
                        if (json_string_value(v))
                                remove_url(text, json_string_value(v));
}
