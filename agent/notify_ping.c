/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Asks for a URL, that is all: the dead man's switch. The rest of such a URL is its secret and is in no message. */

#include <curl/curl.h>

#include "notify.h"

static size_t drop(char *data UNUSED, size_t size, size_t n, void *to UNUSED)
{
        return size * n;
}

static int get(struct notify *n, const char *url, struct curl_slist *known, int64_t wait_ms, struct errinfo *err)
{
        char error[CURL_ERROR_SIZE] = "";
        CURL *curl = curl_easy_init();
        long status = 0;
        CURLcode code;

        if (!curl)
                abort();
        curl_easy_setopt(curl, CURLOPT_URL, url);
        curl_easy_setopt(curl, CURLOPT_RESOLVE, known);
        curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
        curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, drop);
        curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(curl, CURLOPT_MAXFILESIZE, 1024L * 1024);
        curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)wait_ms);
        curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
        curl_easy_setopt(curl, CURLOPT_USERAGENT, "veille");
        code = curl_easy_perform(curl);
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
        curl_easy_cleanup(curl);
        if (code != CURLE_OK)
                return err_set(err, code == CURLE_COULDNT_CONNECT || code == CURLE_OPERATION_TIMEDOUT ? -EHOSTUNREACH : -EIO, "%s",
                               *error ? error : curl_easy_strerror(code));
        if (status < 200 || status > 299)
                return err_set(err, -EPROTO, "HTTP %ld", status);
        snprintf(n->text, sizeof(n->text), "HTTP %ld", status);
        return 0;
}

int notify_ping(struct notify *n, const char *url, struct errinfo *err)
{
        char known[1024];
        struct curl_slist *list;
        int r;

        curl_global_init(CURL_GLOBAL_DEFAULT);
        if (!notify_remembered(n, url, known, sizeof(known)))
                return get(n, url, NULL, notify_left_ms(n), err);
        list = curl_slist_append(NULL, known);
        r = get(n, url, list, notify_left_ms(n) / 2, err);
        curl_slist_free_all(list);
        return r == -EHOSTUNREACH ? get(n, url, NULL, notify_left_ms(n), err) : r;
}
