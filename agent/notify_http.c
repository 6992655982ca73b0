/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The sinks webhook and alertmanager: JSON by POST. */

#include <curl/curl.h>
#include <gnutls/crypto.h>
#include <time.h>

#include "alert_config.h"
#include "level.h"
#include "notify.h"

/* Scheme and host of a URL: chat services put their secret into the rest. Good until the next call. */
static const char *site(const char *url)
{
        static char shown[300];

        sink_url_shown(url, shown, sizeof(shown));
        return shown;
}

static size_t on_answer(char *data, size_t size, size_t n, void *to)
{
        struct notify_http *h = to;
        size_t len = strlen(h->answer), room = sizeof(h->answer) - 1 - len;

        for (size_t i = 0; i < MIN(size * n, room); i++)
                h->answer[len + i] = (unsigned char)data[i] < ' ' || (unsigned char)data[i] >= 0x7f ? ' ' : data[i];
        h->answer[len + MIN(size * n, room)] = '\0';
        return size * n;
}

static struct curl_slist *signature(struct curl_slist *headers, const char *secret, const char *body, size_t len)
{
        unsigned char mac[32];
        char line[128] = "X-Veille-Signature: sha256=";
        size_t at = strlen(line);

        if (gnutls_hmac_fast(GNUTLS_MAC_SHA256, secret, strlen(secret), body, len, mac) < 0)
                abort();
        for (size_t i = 0; i < sizeof(mac); i++)
                snprintf(line + at + 2 * i, 3, "%02x", mac[i]);
        return curl_slist_append(headers, line);
}

static struct curl_slist *make_headers(const struct notify *n, const struct notify_http *h)
{
        struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
        const char *token = notify_text(n->sink, "token"), *secret = notify_text(n->sink, "secret"), *id = notify_text(n->message, "id");
        char line[5000];

        headers = curl_slist_append(headers, "Expect:");
        if (*id) {
                snprintf(line, sizeof(line), "Idempotency-Key: %.64s", id);
                headers = curl_slist_append(headers, line);
                snprintf(line, sizeof(line), "X-Veille-Attempt: %d", n->attempt);
                headers = curl_slist_append(headers, line);
        }
        if (*token) {
                snprintf(line, sizeof(line), "Authorization: Bearer %s", token);
                headers = curl_slist_append(headers, line);
        }
        return *secret ? signature(headers, secret, h->body, h->len) : headers;
}

static int post_to(struct notify *n, struct notify_http *h, struct curl_slist *known, int64_t wait_ms, struct errinfo *err)
{
        char error[CURL_ERROR_SIZE] = "", ca[4096];
        CURL *curl = curl_easy_init();
        struct curl_slist *headers = make_headers(n, h);
        CURLcode code;

        if (!curl || !headers)
                abort();
        h->status = 0;
        *h->answer = '\0';
        curl_easy_setopt(curl, CURLOPT_URL, h->url);
        curl_easy_setopt(curl, CURLOPT_RESOLVE, known);
        curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, h->body);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)h->len);
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
        curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_answer);
        curl_easy_setopt(curl, CURLOPT_WRITEDATA, h);
        curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)wait_ms);
        curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)MIN(wait_ms, 10000));
        curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
        curl_easy_setopt(curl, CURLOPT_USERAGENT, "veille-notify");
        if (*notify_ca(n, ca, sizeof(ca)))
                curl_easy_setopt(curl, CURLOPT_CAINFO, notify_ca(n, ca, sizeof(ca)));
        code = curl_easy_perform(curl);
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &h->status);
        curl_easy_cleanup(curl);
        curl_slist_free_all(headers);
        notify_scrub(n, h->answer); /* it may be cut in the middle of a secret */
        if (code != CURLE_OK)
                return err_set(err, code == CURLE_COULDNT_CONNECT || code == CURLE_OPERATION_TIMEDOUT ? -EHOSTUNREACH : -EIO, "%s: %s",
                               site(h->url), *error ? error : curl_easy_strerror(code));
        return 0;
}

int notify_post(struct notify *n, struct notify_http *h, struct errinfo *err)
{
        char known[1024];
        struct curl_slist *list;
        int r;

        if (!notify_remembered(n, h->url, known, sizeof(known)))
                return post_to(n, h, NULL, notify_left_ms(n), err);
        /* At the addresses that were found before; when nobody is there, the name may have moved: then the name server is asked. */
        list = curl_slist_append(NULL, known);
        r = post_to(n, h, list, notify_left_ms(n) / 2, err);
        curl_slist_free_all(list);
        return r == -EHOSTUNREACH ? post_to(n, h, NULL, notify_left_ms(n), err) : r;
}

static bool is_permanent(long status)
{
        return status >= 400 && status < 500 && status != 408 && status != 425 && status != 429;
}

int notify_webhook(struct notify *n, struct errinfo *err)
{
        const json_t *urls = json_object_get(n->sink, "url"), *template = json_object_get(n->sink, "template"), *v;
        json_t *doc = template ? notify_template(template, n->message) : json_deep_copy(n->message);
        _cleanup_free_ char *body = json_dumps(doc, JSON_COMPACT | JSON_REAL_PRECISION(15) | JSON_ENCODE_ANY);
        bool permanent = true;
        int r = -EINVAL;
        size_t i;

        json_decref(doc);
        if (!body || json_array_size(urls) == 0)
                return err_set(err, r, "the sink has no URL, or the message cannot be written");
        curl_global_init(CURL_GLOBAL_DEFAULT);
        json_array_foreach(urls, i, v) {
                struct notify_http h = { .url = json_string_value(v) ? json_string_value(v) : "", .body = body, .len = strlen(body) };

                r = notify_post(n, &h, err);
                if (r >= 0 && h.status >= 200 && h.status < 300) {
                        snprintf(n->text, sizeof(n->text), "%s: HTTP %ld", site(h.url), h.status);
                        return 0;
                }
                permanent &= r >= 0 && is_permanent(h.status);
                if (r >= 0)
                        r = err_set(err, -EPROTO, "%s: HTTP %ld: %s", site(h.url), h.status, h.answer);
        }
        n->permanent = permanent;
        return r;
}

/* --- Alertmanager, API v2 -------------------------------------------------------------------------------------- */

static void time_json(json_t *o, const char *key, double seconds)
{
        time_t t = (time_t)seconds;
        char text[40];
        struct tm tm;

        if (gmtime_r(&t, &tm) && strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) > 0)
                json_object_set_new(o, key, json_string(text));
}

/* An empty label is none. */
static void label(json_t *labels, const char *name, const char *value)
{
        if (*value)
                json_object_set_new(labels, name, json_string(value));
}

/* What the brain knows of an alert, as Alertmanager takes it. Values are in annotations only: labels are its identity. */
static json_t *alert_json(const json_t *fact, const char *severity, double ends)
{
        json_t *labels = json_object(), *notes = json_object(), *o = json_pack("{so so}", "labels", labels, "annotations", notes);
        double opened = json_number_value(json_object_get(fact, "opened"));

        label(labels, "alertname", notify_text(fact, "rule"));
        label(labels, "host", notify_text(fact, "host"));
        label(labels, "component", notify_text(fact, "component"));
        label(labels, "kind", notify_text(fact, "kind"));
        label(labels, "check", notify_text(fact, "check"));
        label(labels, "severity", severity);
        label(labels, "job", "veille");
        json_object_set_new(notes, "summary", json_string(notify_text(fact, "text")));
        json_object_set_new(notes, "to_do", json_string(notify_text(fact, "to_do")));
        json_object_set_new(notes, "clears", json_string(notify_text(fact, "clears")));
        time_json(o, "startsAt", MIN(opened, ends));
        time_json(o, "endsAt", ends);
        return o;
}

/* The severity is a label, so each one is an alert of its own there: those that an alert has left are over. */
static json_t *all_alerts(const json_t *facts)
{
        json_t *list = json_array(), *fact;
        double now = (double)time(NULL);
        size_t i;

        json_array_foreach((json_t *)facts, i, fact) {
                int level = level_from_name(notify_text(fact, "level")), worst = level_from_name(notify_text(fact, "worst"));
                double since = json_number_value(json_object_get(fact, "since"));

                for (int l = LEVEL_NOTICE; l <= worst; l++) {
                        if (l == level)
                                /* Comes again every minute; when we fall silent it ends by itself. */
                                json_array_append_new(list, alert_json(fact, level_name((enum level)l), now + 300));
                        else if (json_integer_value(json_object_get(fact, "changes")) > 1)
                                json_array_append_new(list, alert_json(fact, level_name((enum level)l), MIN(since, now)));
                }
        }
        return list;
}

/* Of a batch of which Alertmanager calls a part bad it has stored the rest. Which part, it does not say: each is sent alone. */
static int one_by_one(struct notify *n, const char *url, const json_t *list, char *ret, size_t size)
{
        size_t i, bad = 0;
        json_t *v;

        json_array_foreach((json_t *)list, i, v) {
                json_t *alone = json_pack("[O]", v);
                _cleanup_free_ char *body = json_dumps(alone, JSON_COMPACT);
                struct notify_http h = { .url = url, .body = body, .len = body ? strlen(body) : 0 };
                struct errinfo err = { 0 };

                json_decref(alone);
                if (body && notify_post(n, &h, &err) >= 0 && h.status >= 200 && h.status < 300)
                        continue;
                if (h.status != 400)
                        return -EIO;
                if (bad++ == 0)
                        snprintf(ret, size, "%s", h.answer);
        }
        return (int)bad;
}

static int to_manager(struct notify *n, const char *base, const json_t *list, const char *body, struct errinfo *err)
{
        char url[1200], why[256] = "";
        struct notify_http h = { .url = url, .body = body, .len = strlen(body) };
        size_t len = strlen(base);
        int r, bad;

        while (len > 0 && base[len - 1] == '/')
                len--;
        snprintf(url, sizeof(url), "%.*s/api/v2/alerts", (int)MIN(len, 1000), base);
        r = notify_post(n, &h, err);
        if (r < 0)
                return r;
        if (h.status >= 200 && h.status < 300)
                return 0;
        if (h.status != 400)
                return err_set(err, -EPROTO, "%s: HTTP %ld: %s", site(base), h.status, h.answer);
        bad = one_by_one(n, url, list, why, sizeof(why));
        if (bad < 0)
                return err_set(err, bad, "%s: lost while a refused batch was sent one by one", site(base));
        snprintf(n->text, sizeof(n->text), "%s: %d of %zu alerts were refused: %s", site(base), bad, json_array_size(list), why);
        return 0;
}

int notify_alertmanager(struct notify *n, struct errinfo *err)
{
        const json_t *urls = json_object_get(n->sink, "url"), *v;
        json_t *list = all_alerts(n->alerts);
        _cleanup_free_ char *body = json_dumps(list, JSON_COMPACT);
        size_t i, good = 0;

        curl_global_init(CURL_GLOBAL_DEFAULT);
        /* All of them: the members of a cluster do not share what comes in. */
        json_array_foreach(urls, i, v)
                if (body && to_manager(n, json_string_value(v) ? json_string_value(v) : "", list, body, err) >= 0)
                        good++;
        if (good > 0 && !*n->text)
                snprintf(n->text, sizeof(n->text), "%zu alerts to %zu of %zu", json_array_size(list), good, json_array_size(urls));
        json_decref(list);
        return good > 0 ? 0 : *err->text ? -EIO : err_set(err, -EINVAL, "the sink has no URL");
}
