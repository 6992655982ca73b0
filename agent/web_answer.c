/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* What is answered to whom. Knows HTTP's words but no socket, so that tests and the fuzzer call it directly. */

#include "web.h"

#include <arpa/inet.h>
#include <math.h>
#include <strings.h>

#define HEADER_MAX 512
#define TEXT_PLAIN "text/plain; charset=utf-8"

static void say(struct web_reply *r, unsigned status, const char *fmt, ...) PRINTF_LIKE(3, 4);
static void say(struct web_reply *r, unsigned status, const char *fmt, ...)
{
        char text[1024];
        va_list ap;

        va_start(ap, fmt);
        vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        r->status = status;
        r->content_type = TEXT_PLAIN;
        textbuf_str(&r->tail, text);
        textbuf_char(&r->tail, '\n');
}

/* --- who asks --------------------------------------------------------------------------------------- */

/* Takes as long for a wrong first letter as for a wrong last one. */
static bool secret_equal(const char *given, size_t len, const char *secret)
{
        size_t want = strlen(secret);
        unsigned char differ = len != want;

        for (size_t i = 0; i < want; i++)
                differ |= (unsigned char)(secret[i] ^ (i < len ? given[i] : '\0'));
        return differ == 0;
}

/* Decodes into buf; -EINVAL: not base64, or longer than size. */
static int decode_base64(const char *s, char *buf, size_t size)
{
        static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        unsigned bits = 0;
        int have = 0;
        size_t n = 0;

        for (; *s && *s != '='; s++) {
                const char *d = strchr(digits, *s);

                if (!d || n + 1 > size)
                        return -EINVAL;
                bits = (bits << 6 | (unsigned)(d - digits)) & 0xffff;
                have += 6;
                if (have >= 8) {
                        have -= 8;
                        buf[n++] = (char)(bits >> have & 0xff);
                }
        }
        return s[strspn(s, "=")] ? -EINVAL : (int)n;
}

static bool is_authorized(const struct web *w, const char *header)
{
        char decoded[HEADER_MAX];
        const char *colon;
        int n;

        if (!*w->settings.token)
                return true;
        if (!header || strlen(header) >= HEADER_MAX)
                return false;
        if (strncasecmp(header, "Bearer ", 7) == 0)
                return secret_equal(header + 7, strlen(header + 7), w->settings.token);
        if (strncasecmp(header, "Basic ", 6) != 0)
                return false;
        /* What a browser sends after its password box: "anybody:TOKEN". */
        n = decode_base64(header + 6, decoded, sizeof(decoded));
        colon = n > 0 ? memchr(decoded, ':', (size_t)n) : NULL;
        return colon && secret_equal(colon + 1, (size_t)(decoded + n - colon - 1), w->settings.token);
}

static bool is_numeric(const char *host)
{
        struct in6_addr address;

        return inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1;
}

/* A web site can let its own name point to 127.0.0.1 and read what answers there with its visitor's browser. It cannot
 * choose the Host header, which is then its own name. Where a token is wanted it is protection enough. */
static bool is_our_host(const struct web *w, const char *header)
{
        char host[HEADER_MAX];
        char *end;

        if (*w->settings.token || !header)
                return true;
        if (strlen(header) >= sizeof(host))
                return false;
        strcpy(host, header);
        if (*host == '[' && (end = strchr(host, ']'))) {
                *end = '\0';
                return is_numeric(host + 1);
        }
        end = strrchr(host, ':');
        if (end && end[1 + strspn(end + 1, "0123456789")] == '\0')
                *end = '\0';
        if (is_numeric(host) || strcasecmp(host, "localhost") == 0 || strcasecmp(host, w->host) == 0)
                return true;
        for (size_t i = 0; i < w->settings.n_hosts; i++)
                if (strcasecmp(host, w->settings.hosts[i]) == 0)
                        return true;
        return false;
}

/* --- what is asked ------------------------------------------------------------------------------------ */

static void answer_metrics(struct web *w, const struct web_request *q, struct web_reply *r)
{
        enum expo_format format = expo_negotiate(q->accept);

        r->content_type = expo_content_type(format);
        r->body = web_metrics_get(w, format, web_boot(), &r->tail);
}

/* For load balancers and their like: can what is shown here be relied on? Not: is the host well. */
static void answer_healthz(struct web *w, const struct web_request *q UNUSED, struct web_reply *r)
{
        struct status_doc status;

        web_status_load(w, web_boot(), &status);
        if (status.silent)
                say(r, 503, "%s", status.why);
        else
                say(r, 200, "ok");
        status_doc_done(&status);
}

static void answer_status(struct web *w, const struct web_request *q UNUSED, struct web_reply *r)
{
        struct status_doc status;
        char *text;

        web_status_load(w, web_boot(), &status);
        text = status_doc_text(&status);
        textbuf_str(&r->tail, text);
        free(text);
        status_doc_done(&status);
        r->content_type = "application/json";
}

static void answer_page(struct web *w, const struct web_request *q, struct web_reply *r)
{
        char *end;
        long refresh = q->refresh ? strtol(q->refresh, &end, 10) : 0;

        if (q->refresh && (*q->refresh < '0' || *q->refresh > '9' || *end || refresh < 5 || refresh > 3600)) {
                say(r, 400, "refresh wants a number of seconds between 5 and 3600");
                return;
        }
        r->content_type = "text/html; charset=utf-8";
        r->body = web_page_get(w, web_boot(), (int)refresh);
}

static const struct {
        const char *path;
        void (*answer)(struct web *w, const struct web_request *q, struct web_reply *r);
} routes[] = {
        { "/", answer_page },
        { "/metrics", answer_metrics },
        { "/healthz", answer_healthz },
        { "/status.json", answer_status },
};

static void route(struct web *w, const struct web_request *q, struct web_reply *r)
{
        for (size_t i = 0; i < ARRAY_LEN(routes); i++)
                if (streq(routes[i].path, q->path)) {
                        routes[i].answer(w, q, r);
                        return;
                }
        say(r, 404, "there is no such page; there are: / /metrics /healthz /status.json");
}

void web_answer(struct web *w, const struct web_request *q, struct web_reply *ret)
{
        struct web_reply r = { .status = 200 };

        if (!streq(q->method, "GET") && !streq(q->method, "HEAD")) {
                r.allow = "GET, HEAD";
                r.close = true;
                say(&r, 405, "only GET and HEAD: nothing can be changed here");
        } else if (q->has_body) {
                r.close = true;
                say(&r, 413, "a request with a body is not read");
        } else if (!is_our_host(w, q->host)) {
                say(&r, 421, "this host is not called so; add the name to [web] hosts in veille.conf if it is");
        } else if (!is_authorized(w, q->authorization)) {
                r.authenticate = "Basic realm=\"veille\", charset=\"UTF-8\"";
                say(&r, 401, "wanted: the token as Authorization: Bearer TOKEN, or as password of any user");
        } else {
                route(w, q, &r);
        }
        w->counters.requests[MIN(r.status / 100, ARRAY_LEN(w->counters.requests) - 1)]++;
        *ret = r;
}

void web_reply_done(struct web_reply *r)
{
        web_blob_unref(r->body);
        textbuf_done(&r->tail);
        *r = (struct web_reply){ 0 };
}
