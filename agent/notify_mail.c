/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The sink mail: SMTP to relays, tried in turn, each with its share of the time. Never through a local sendmail: this host's
 * own mail may be what is broken. */

#include <curl/curl.h>

#include "notify.h"

struct upload {
        const char *text;
        size_t len, sent;
        char last[256]; /* line of the server */
};

static size_t on_read(char *buf, size_t size, size_t n, void *data)
{
        struct upload *u = data;
        size_t len = MIN(size * n, u->len - u->sent);

        memcpy(buf, u->text + u->sent, len);
        u->sent += len;
        return len;
}

/* Lines of the server; the last one of them that is a reply is the answer. */
static size_t on_line(char *line, size_t size, size_t n, void *data)
{
        struct upload *u = data;
        size_t len = size * n, shown = len;

        while (shown > 0 && (unsigned char)line[shown - 1] <= ' ')
                shown--;
        /* 221 is the good-bye after the answer that counts. */
        if (shown >= 3 && line[0] >= '2' && line[0] <= '5' && strncmp(line, "221", 3) != 0)
                snprintf(u->last, sizeof(u->last), "%.*s", (int)MIN(shown, sizeof(u->last) - 1), line);
        for (char *c = u->last; *c; c++)
                if ((unsigned char)*c < ' ' || (unsigned char)*c >= 0x7f)
                        *c = '?';
        return len;
}

static struct curl_slist *recipients(const struct notify *n)
{
        const json_t *list = json_object_get(n->sink, "to"), *v;
        struct curl_slist *to = NULL;
        size_t i;

        json_array_foreach(list, i, v)
                if (json_is_string(v))
                        to = curl_slist_append(to, json_string_value(v));
        return to;
}

static void set_security(CURL *curl, const struct notify *n)
{
        const char *tls = notify_text(n->sink, "tls"), *user = notify_text(n->sink, "user");
        char buf[4096];
        const char *ca = notify_ca(n, buf, sizeof(buf));
        bool try = streq(tls, "try"), none = streq(tls, "none");

        curl_easy_setopt(curl, CURLOPT_USE_SSL, (long)(none ? CURLUSESSL_NONE : try ? CURLUSESSL_TRY : CURLUSESSL_ALL));
        if (try) { /* encrypting for anybody is better than not encrypting */
                curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
                curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
        }
        if (*ca)
                curl_easy_setopt(curl, CURLOPT_CAINFO, ca);
        if (*user) {
                curl_easy_setopt(curl, CURLOPT_USERNAME, user);
                curl_easy_setopt(curl, CURLOPT_PASSWORD, notify_text(n->sink, "password"));
        }
}

/* The server refused this message for good: trying again changes nothing. Of connections and log-ins that fail nobody knows. */
static bool is_permanent(CURLcode code, long reply)
{
        return reply >= 500 && reply < 600 && (code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR || code == CURLE_WEIRD_SERVER_REPLY);
}

/* known: addresses for CURLOPT_RESOLVE; NULL: the name server is asked. */
static int send_to(struct notify *n, const char *relay, const char *letter, struct curl_slist *known, int64_t wait_ms, struct errinfo *err)
{
        struct upload u = { .text = letter, .len = strlen(letter) };
        char url[1200], from[320], error[CURL_ERROR_SIZE] = "", host[256];
        struct curl_slist *to = recipients(n);
        CURL *curl = curl_easy_init();
        CURLcode code;
        long reply = 0;

        if (!curl || !to)
                abort();
        /* The path of an SMTP URL is the name we greet with. */
        snprintf(host, sizeof(host), "%s", strchr(notify_letter_from(n, from, sizeof(from)), '@') + 1);
        snprintf(url, sizeof(url), "%s/%s", relay, host);
        curl_easy_setopt(curl, CURLOPT_URL, url);
        curl_easy_setopt(curl, CURLOPT_RESOLVE, known);
        curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
        curl_easy_setopt(curl, CURLOPT_MAIL_FROM, from);
        curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, to);
        curl_easy_setopt(curl, CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L); /* one of the recipients is better than none */
        curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_read);
        curl_easy_setopt(curl, CURLOPT_READDATA, &u);
        curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_line);
        curl_easy_setopt(curl, CURLOPT_HEADERDATA, &u);
        curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)wait_ms);
        curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)MIN(wait_ms, 10000));
        curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
        set_security(curl, n);
        code = curl_easy_perform(curl);
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &reply);
        curl_easy_cleanup(curl);
        curl_slist_free_all(to);
        if (code == CURLE_OK) {
                snprintf(n->text, sizeof(n->text), "%s: %s", relay, u.last);
                return 0;
        }
        n->permanent = is_permanent(code, reply);
        return err_set(err, code == CURLE_COULDNT_CONNECT || (code == CURLE_OPERATION_TIMEDOUT && !*u.last) ? -EHOSTUNREACH : -EIO, "%s: %s%s%s%s", relay, *error ? error : curl_easy_strerror(code), *u.last ? " (" : "", u.last, *u.last ? ")" : "");
}

/* At the addresses that were found before; when nobody is there, the name may have moved: then the name server is asked. */
static int try_relay(struct notify *n, const char *relay, const char *letter, int64_t wait_ms, struct errinfo *err)
{
        char known[1024];
        struct curl_slist *list;
        int r;

        if (!notify_remembered(n, relay, known, sizeof(known)))
                return send_to(n, relay, letter, NULL, wait_ms, err);
        list = curl_slist_append(NULL, known);
        r = send_to(n, relay, letter, list, wait_ms / 2, err);
        curl_slist_free_all(list);
        return r == -EHOSTUNREACH ? send_to(n, relay, letter, NULL, wait_ms / 2, err) : r;
}

int notify_mail(struct notify *n, struct errinfo *err)
{
        const json_t *relays = json_object_get(n->sink, "relay"), *relay;
        size_t i, count = json_array_size(relays);
        bool permanent = count > 0;
        char *letter;
        int r = -EINVAL;

        if (count == 0 || json_array_size(json_object_get(n->sink, "to")) == 0)
                return err_set(err, r, "the sink has no relay or no recipient");
        letter = notify_letter(n);
        curl_global_init(CURL_GLOBAL_DEFAULT);
        json_array_foreach(relays, i, relay) {
                struct errinfo one = { 0 };
                char before[sizeof(err->text)];

                r = try_relay(n, json_string_value(relay) ? json_string_value(relay) : "", letter, notify_left_ms(n) / (int64_t)(count - i), &one);
                if (r >= 0)
                        break;
                permanent &= n->permanent;
                snprintf(before, sizeof(before), "%s", err->text);
                err_set(err, r, "%s%s%s", before, *before ? "; " : "", one.text);
        }
        n->permanent = permanent; /* only when every relay says so */
        free(letter);
        return r;
}
