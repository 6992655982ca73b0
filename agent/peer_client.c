/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Requests to peers by libcurl. Each opens a connection of its own, so that each proves the keys anew. */

#include "common_clock.h"
#include "peer.h"

#define CALLS_MAX 64

static struct peer_call *calls;
static size_t n_calls;

static size_t on_data(char *data, size_t size, size_t n, void *to)
{
        struct peer_call *c = to;

        if (c->answer_len + size * n > PEER_ANSWER_MAX)
                return 0; /* ends the transfer */
        c->answer = realloc(c->answer, c->answer_len + size * n + 1);
        if (!c->answer)
                abort();
        memcpy(c->answer + c->answer_len, data, size * n);
        c->answer_len += size * n;
        c->answer[c->answer_len] = '\0';
        return size * n;
}

static void call_free(struct peerd *d, struct peer_call *c)
{
        for (struct peer_call **p = &calls; *p; p = &(*p)->next)
                if (*p == c) {
                        *p = c->next;
                        n_calls--;
                        break;
                }
        if (c->curl) {
                curl_multi_remove_handle(d->multi, c->curl);
                curl_easy_cleanup(c->curl);
        }
        curl_slist_free_all(c->headers);
        json_decref(c->body);
        free(c->answer);
        free(c->text);
        free(c->data);
        free(c);
}

static void set_tls(struct peerd *d, CURL *curl, const char *pin)
{
        struct curl_blob cert = { d->cert_pem, strlen(d->cert_pem), CURL_BLOB_COPY }, key = { d->key_pem, strlen(d->key_pem), CURL_BLOB_COPY };
        char pinned[PEER_PIN_LEN + 32];

        curl_easy_setopt(curl, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_3);
        curl_easy_setopt(curl, CURLOPT_SSLCERT_BLOB, &cert);
        curl_easy_setopt(curl, CURLOPT_SSLCERTTYPE, "PEM");
        curl_easy_setopt(curl, CURLOPT_SSLKEY_BLOB, &key);
        curl_easy_setopt(curl, CURLOPT_SSLKEYTYPE, "PEM");
        /* Nobody vouches for the other end but its key. */
        curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
        curl_easy_setopt(curl, CURLOPT_SSL_SESSIONID_CACHE, 0L);
        if (pin) {
                snprintf(pinned, sizeof(pinned), "sha256//%s=", pin);
                curl_easy_setopt(curl, CURLOPT_PINNEDPUBLICKEY, pinned);
        } else {
                curl_easy_setopt(curl, CURLOPT_CERTINFO, 1L);
        }
}

int peer_call_start(struct peerd *d, const struct peer_address *to, const char *path, const char *pin, int64_t timeout_us, const struct peer_call *call)
{
        struct peer_call *c = calloc(1, sizeof(*c));
        bool v6 = to->sa.ss_family == AF_INET6;
        char url[256];

        if (!c)
                abort();
        *c = *call;
        c->d = d;
        c->next = calls;
        calls = c;
        n_calls++;
        c->curl = n_calls > CALLS_MAX ? NULL : curl_easy_init();
        c->text = c->body ? json_dumps(c->body, JSON_COMPACT | JSON_REAL_PRECISION(15)) : NULL;
        if (!c->curl || (c->body && !c->text)) {
                call_free(d, c);
                return -EAGAIN;
        }
        snprintf(url, sizeof(url), "https://%s%s%s:%d%s", v6 ? "[" : "", to->text, v6 ? "]" : "", to->port, path);
        c->headers = curl_slist_append(curl_slist_append(NULL, "Content-Type: application/json"), "Expect:");
        curl_easy_setopt(c->curl, CURLOPT_URL, url);
        curl_easy_setopt(c->curl, CURLOPT_PROTOCOLS_STR, "https");
        curl_easy_setopt(c->curl, CURLOPT_PROXY, "");
        curl_easy_setopt(c->curl, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(c->curl, CURLOPT_FRESH_CONNECT, 1L);
        curl_easy_setopt(c->curl, CURLOPT_FORBID_REUSE, 1L);
        curl_easy_setopt(c->curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
        curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, c->headers);
        curl_easy_setopt(c->curl, CURLOPT_TIMEOUT_MS, (long)(timeout_us / USEC_PER_MSEC));
        curl_easy_setopt(c->curl, CURLOPT_ERRORBUFFER, c->error);
        curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, on_data);
        curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, c);
        curl_easy_setopt(c->curl, CURLOPT_PRIVATE, c);
        curl_easy_setopt(c->curl, CURLOPT_USERAGENT, "veille-peer");
        if (c->text) {
                curl_easy_setopt(c->curl, CURLOPT_POST, 1L);
                curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, c->text);
                curl_easy_setopt(c->curl, CURLOPT_POSTFIELDSIZE, (long)strlen(c->text));
        }
        set_tls(d, c->curl, pin);
        if (curl_multi_add_handle(d->multi, c->curl) != CURLM_OK) {
                call_free(d, c);
                return -EAGAIN;
        }
        return 0;
}

static void take_pin(struct peer_call *c)
{
        struct curl_certinfo *info = NULL;

        if (curl_easy_getinfo(c->curl, CURLINFO_CERTINFO, &info) != CURLE_OK || !info || info->num_of_certs < 1)
                return;
        for (struct curl_slist *s = info->certinfo[0]; s; s = s->next)
                if (str_starts(s->data, "Cert:"))
                        peer_key_pin_pem(s->data + strlen("Cert:"), c->pin);
}

void peer_calls_run(struct peerd *d)
{
        CURLMsg *m;
        int left, running;

        curl_multi_perform(d->multi, &running);
        while ((m = curl_multi_info_read(d->multi, &left))) {
                struct peer_call *c = NULL;

                if (m->msg != CURLMSG_DONE)
                        continue;
                curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &c);
                c->code = m->data.result;
                curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &c->status);
                take_pin(c);
                if (!c->answer)
                        c->answer = calloc(1, 1);
                c->done(c);
                call_free(d, c);
        }
}

void peer_calls_stop(struct peerd *d)
{
        while (calls)
                call_free(d, calls);
        curl_multi_cleanup(d->multi);
        d->multi = NULL;
}
