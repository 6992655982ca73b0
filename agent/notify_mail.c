/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The sink mail: SMTP to relays, tried in turn, each with its share of the time; the relay "mx" stands for the servers of the
 * recipients themselves. Never through a local sendmail: this host's own mail may be what is broken. */

#include <curl/curl.h>

#include "common_clock.h"
#include "notify.h"
#include "notify_mx.h"

#define DOMAINS_MAX 8 /* with relay = mx */

/* One server and what is to be said to it. */
struct attempt {
        const char *url, *letter;
        const char *domain;       /* only recipients of this domain, and no log-in; NULL: all */
        struct curl_slist *known; /* for CURLOPT_RESOLVE; NULL: the name server is asked */
        int64_t wait_ms;
};

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

static const char *domain_of(const json_t *recipient)
{
        const char *s = json_string_value(recipient), *at = s ? strrchr(s, '@') : NULL;

        return at ? at + 1 : "";
}

static struct curl_slist *recipients(const struct notify *n, const char *domain)
{
        const json_t *list = json_object_get(n->sink, "to"), *v;
        struct curl_slist *to = NULL;
        size_t i;

        json_array_foreach(list, i, v)
                if (json_is_string(v) && (!domain || strcasecmp(domain_of(v), domain) == 0))
                        to = curl_slist_append(to, json_string_value(v));
        return to;
}

static void set_security(CURL *curl, const struct notify *n, bool log_in)
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
        if (*user && log_in) {
                curl_easy_setopt(curl, CURLOPT_USERNAME, user);
                curl_easy_setopt(curl, CURLOPT_PASSWORD, notify_text(n->sink, "password"));
        }
}

/* The server refused this message for good: trying again changes nothing. Of connections and log-ins that fail nobody knows. */
static bool is_permanent(CURLcode code, long reply)
{
        return reply >= 500 && reply < 600 && (code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR || code == CURLE_WEIRD_SERVER_REPLY);
}

static int send_to(struct notify *n, const struct attempt *a, struct errinfo *err)
{
        struct upload u = { .text = a->letter, .len = strlen(a->letter) };
        char url[1200], from[320], error[CURL_ERROR_SIZE] = "", host[256];
        struct curl_slist *to = recipients(n, a->domain);
        CURL *curl = curl_easy_init();
        CURLcode code;
        long reply = 0;

        if (!curl || !to)
                abort();
        /* The path of an SMTP URL is the name we greet with. */
        snprintf(host, sizeof(host), "%s", strchr(notify_letter_from(n, from, sizeof(from)), '@') + 1);
        snprintf(url, sizeof(url), "%s/%s", a->url, host);
        curl_easy_setopt(curl, CURLOPT_URL, url);
        curl_easy_setopt(curl, CURLOPT_RESOLVE, a->known);
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
        curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)a->wait_ms);
        curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)MIN(a->wait_ms, 10000));
        curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
        set_security(curl, n, !a->domain);
        code = curl_easy_perform(curl);
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &reply);
        curl_easy_cleanup(curl);
        curl_slist_free_all(to);
        notify_scrub(n, u.last);
        if (code == CURLE_OK) {
                snprintf(n->text, sizeof(n->text), "%s: %s", a->url, u.last);
                return 0;
        }
        n->permanent = is_permanent(code, reply);
        return err_set(err, code == CURLE_COULDNT_CONNECT || (code == CURLE_OPERATION_TIMEDOUT && !*u.last) ? -EHOSTUNREACH : -EIO, "%s: %s%s%s%s",
                       a->url, *error ? error : curl_easy_strerror(code), *u.last ? " (" : "", u.last, *u.last ? ")" : "");
}

/* At the addresses that were found before; when nobody is there, the name may have moved: then the name server is asked. */
static int try_relay(struct notify *n, const char *relay, const char *letter, int64_t wait_ms, struct errinfo *err)
{
        struct attempt a = { .url = relay, .letter = letter, .wait_ms = wait_ms };
        char known[1024];
        int r;

        if (!notify_remembered(n, relay, known, sizeof(known)))
                return send_to(n, &a, err);
        a.known = curl_slist_append(NULL, known);
        a.wait_ms = wait_ms / 2;
        r = send_to(n, &a, err);
        curl_slist_free_all(a.known);
        a.known = NULL;
        return r == -EHOSTUNREACH ? send_to(n, &a, err) : r;
}

/* --- relay = mx ------------------------------------------------------------------------------------------------- */

/* One server of a domain; address "": the name server is asked for it. */
static int try_mx(struct notify *n, const char *domain, const char *name, const char *address, const char *letter, int64_t wait_ms, struct errinfo *err)
{
        bool six = strchr(address, ':') != NULL;
        char url[300], known[400];
        struct attempt a = { .url = url, .letter = letter, .domain = domain, .wait_ms = wait_ms };
        int r;

        snprintf(url, sizeof(url), "smtp://%s:25", name);
        if (*address) {
                snprintf(known, sizeof(known), "%s:25:%s%s%s", name, six ? "[" : "", address, six ? "]" : "");
                a.known = curl_slist_append(NULL, known);
        }
        r = send_to(n, &a, err);
        curl_slist_free_all(a.known);
        return r;
}

/* By the servers that were found before ("mx1.example.org/192.0.2.1"). */
static int try_remembered_mx(struct notify *n, const char *domain, const char *letter, int64_t until_us, struct errinfo *err)
{
        char key[300], name[256];
        const json_t *list, *v;
        size_t i, count;
        int r = -ENOENT;

        snprintf(key, sizeof(key), "mx:%s", domain);
        list = json_object_get(n->addresses, key);
        count = json_array_size(list);
        json_array_foreach(list, i, v) {
                const char *s = json_string_value(v) ? json_string_value(v) : "", *slash = strchr(s, '/');
                int64_t left_ms = (until_us - clock_boot_us()) / USEC_PER_MSEC;

                if (!slash || (size_t)(slash - s) >= sizeof(name) || left_ms < 1)
                        continue;
                snprintf(name, sizeof(name), "%.*s", (int)(slash - s), s);
                r = try_mx(n, domain, name, slash + 1, letter, MAX(left_ms / (int64_t)(count - i), 1), err);
                if (r >= 0 || n->permanent)
                        break;
        }
        return r;
}

static int try_domain(struct notify *n, const char *domain, const char *letter, int64_t wait_ms, struct errinfo *err)
{
        int64_t now = clock_boot_us();
        struct mx_host hosts[MX_HOSTS_MAX];
        struct errinfo one = { 0 };
        int r, count;

        r = try_remembered_mx(n, domain, letter, now + wait_ms * USEC_PER_MSEC / 2, err);
        if (r >= 0 || n->permanent)
                return r;
        count = mx_look_up(domain, hosts, MX_HOSTS_MAX, &one);
        if (count < 0 && r == -ENOENT)
                err_set(err, count, "%s", one.text);
        for (int i = 0; i < count; i++) {
                int64_t left_ms = wait_ms - (clock_boot_us() - now) / USEC_PER_MSEC;

                if (left_ms < 1)
                        break;
                n->permanent = false;
                r = try_mx(n, domain, hosts[i].name, "", letter, MAX(left_ms / (count - i), 1), err);
                if (r >= 0 || n->permanent)
                        break;
        }
        return count < 0 && r == -ENOENT ? count : r;
}

/* Each domain of the recipients has its own servers. One that takes the message is enough: they are all the same contact, and to send it again
 * for the sake of one would bother the others. */
static int send_by_mx(struct notify *n, const char *letter, int64_t wait_ms, struct errinfo *err)
{
        const json_t *list = json_object_get(n->sink, "to"), *v;
        const char *domains[DOMAINS_MAX];
        size_t count = 0, i, k;
        char said[sizeof(n->text)] = "";
        bool permanent = true;
        int taken = 0, r = -EINVAL;

        json_array_foreach(list, i, v) {
                for (k = 0; k < count && strcasecmp(domains[k], domain_of(v)) != 0; k++)
                        ;
                if (k == count && count < DOMAINS_MAX)
                        domains[count++] = domain_of(v);
        }
        for (k = 0; k < count; k++) {
                struct errinfo one = { 0 };
                size_t len = strlen(said);
                int domain_r;

                n->permanent = false;
                domain_r = try_domain(n, domains[k], letter, MAX(MIN(wait_ms, notify_left_ms(n)) / (int64_t)(count - k), 1), &one);
                permanent &= n->permanent;
                taken += domain_r >= 0;
                r = domain_r < 0 ? domain_r : r;
                snprintf(said + len, sizeof(said) - len, "%s%s", len ? "; " : "", domain_r >= 0 ? n->text : one.text);
        }
        n->permanent = permanent;
        if (!taken)
                return err_set(err, r, "%s", said);
        snprintf(n->text, sizeof(n->text), "%s", said);
        return 0;
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
                const char *to = json_string_value(relay) ? json_string_value(relay) : "";
                int64_t share_ms = notify_left_ms(n) / (int64_t)(count - i);

                n->permanent = false;
                r = streq(to, "mx") ? send_by_mx(n, letter, share_ms, &one) : try_relay(n, to, letter, share_ms, &one);
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
