/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Names of relays and servers, looked up ahead by a veille-notify of its own and remembered, over restarts and reboots too: when the
 * name server is dead, or asking it hangs, messages still find their way. */

#include "brain_notify.h"

#define AGAIN_US (600 * USEC_PER_SEC)
#define AGAIN_FAILED_US (60 * USEC_PER_SEC)
#define LOOK_UP_S 30
#define STATE_KEY "alert-addresses"

static struct name *name_find(const struct brain *b, const char *host)
{
        struct brain_notify *n = b->notify;

        for (size_t i = 0; i < n->n_names; i++)
                if (streq(n->names[i].host, host))
                        return &n->names[i];
        return NULL;
}

static struct name *name_make(struct brain *b, const char *host)
{
        struct brain_notify *n = b->notify;
        struct name *name = name_find(b, host);

        if (name || n->n_names == NAMES_MAX)
                return name;
        name = &n->names[n->n_names++];
        *name = (struct name){ .used = false };
        snprintf(name->host, sizeof(name->host), "%s", host);
        return name;
}

/* The URLs of a sink. */
static const json_t *urls(const struct sink *s)
{
        const json_t *list = json_object_get(s->doc, "relay");

        return list ? list : json_object_get(s->doc, "url");
}

/* Each name that a sink leads to: hosts of its URLs; with relay = mx "mx:DOMAIN" of its recipients. */
static void each_name(const struct sink *s, void (*fn)(void *data, const char *host), void *data)
{
        const json_t *v, *to;
        char host[NAME_HOST_MAX];
        size_t i, k;
        int port;

        json_array_foreach((json_t *)urls(s), i, v) {
                if (!streq(json_string_value(v), "mx")) {
                        if (sink_url_host(json_string_value(v), host, sizeof(host), &port))
                                fn(data, host);
                        continue;
                }
                json_array_foreach(json_object_get(s->doc, "to"), k, to) {
                        const char *at = strrchr(json_string_value(to), '@');

                        if (at && snprintf(host, sizeof(host), "mx:%s", at + 1) < (int)sizeof(host))
                                fn(data, host);
                }
        }
}

static void use_name(void *data, const char *host)
{
        struct name *name = name_make(data, host);

        if (name)
                name->used = true;
}

void names_take(struct brain *b)
{
        struct brain_notify *n = b->notify;
        size_t kept = 0;

        for (size_t i = 0; i < n->n_names; i++)
                n->names[i].used = false;
        for (size_t i = 0; i < n->n_sinks; i++)
                each_name(&n->sinks[i], use_name, b);
        for (size_t i = 0; i < n->n_names; i++)
                if (n->names[i].used || n->names[i].fixed)
                        n->names[kept++] = n->names[i];
                else
                        json_decref(n->names[i].addresses);
        n->n_names = kept;
}

void names_step(struct brain *b, int64_t now_us)
{
        struct brain_notify *n = b->notify;

        for (size_t i = 0; i < n->n_names && !n->looking; i++) {
                char *request;

                if (n->names[i].next_us > now_us)
                        continue;
                if (asprintf(&request, "{\"resolve\":\"%s\"}\n", n->names[i].host) < 0)
                        abort();
                n->looking = true;
                n->names[i].next_us = now_us + AGAIN_FAILED_US;
                delivery_run(b, NULL, "", n->names[i].host, request, LOOK_UP_S);
        }
}

void names_end(struct brain *b, const char *host, const json_t *answer, const char *why)
{
        struct name *name = name_find(b, host);
        json_t *found = json_object_get(answer, "addresses");

        b->notify->looking = false;
        if (!name)
                return;
        if (json_is_array(found) && json_array_size(found) > 0) {
                json_decref(name->addresses);
                name->addresses = json_incref(found);
                name->next_us = brain_now_us() + AGAIN_US;
                return;
        }
        /* What was found before stays: a name server that is dead is what this is for. */
        if (!name->addresses)
                brain_log(b, BRAIN_WARNING, "looking up %s, where messages go: %s", host, why);
}

struct known {
        const struct brain *b;
        json_t *doc;
};

static void add_known(void *data, const char *host)
{
        struct known *k = data;
        const struct name *name = name_find(k->b, host);

        if (name && name->addresses)
                json_object_set(k->doc, host, name->addresses);
}

json_t *names_of(const struct brain *b, const struct sink *s)
{
        struct known k = { .b = b, .doc = json_object() };

        each_name(s, add_known, &k);
        return k.doc;
}

void names_save(struct brain *b, void (*fn)(void *data, const char *key, json_t *value), void *data)
{
        json_t *doc = json_object();

        for (size_t i = 0; i < b->notify->n_names; i++)
                if (b->notify->names[i].addresses)
                        json_object_set(doc, b->notify->names[i].host, b->notify->names[i].addresses);
        if (json_object_size(doc) > 0)
                fn(data, STATE_KEY, doc);
        json_decref(doc);
}

/* An address, or of a domain NAME/ADDRESS. */
static bool address_ok(const char *s, bool of_domain)
{
        const char *address = of_domain ? strchr(s, '/') : s;

        if (of_domain && (!address || address == s || (size_t)(address++ - s) != strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_")))
                return false;
        return strlen(s) < 300 && strlen(address) < 46 && *address && strspn(address, "0123456789abcdefABCDEF.:") == strlen(address);
}

/* Only of names that are in use, only what looks like addresses. */
static json_t *addresses_ok(const json_t *list, bool of_domain)
{
        json_t *good = json_array(), *v;
        size_t i;

        json_array_foreach((json_t *)list, i, v) {
                const char *s = json_string_value(v);

                if (s && i < 8 && address_ok(s, of_domain))
                        json_array_append(good, v);
        }
        if (json_array_size(good) > 0)
                return good;
        json_decref(good);
        return NULL;
}

void names_load(struct brain *b, const json_t *value)
{
        for (size_t i = 0; i < b->notify->n_names; i++)
                if (!b->notify->names[i].addresses)
                        b->notify->names[i].addresses = addresses_ok(json_object_get(value, b->notify->names[i].host),
                                                                     str_starts(b->notify->names[i].host, "mx:"));
}

void names_free(struct brain *b)
{
        for (size_t i = 0; i < b->notify->n_names; i++)
                json_decref(b->notify->names[i].addresses);
        b->notify->n_names = 0;
}

void names_fix(struct brain *b, const char *url)
{
        char host[256];
        int port;
        struct name *name;

        for (size_t i = 0; i < b->notify->n_names; i++)
                b->notify->names[i].fixed = false;
        name = url && sink_url_host(url, host, sizeof(host), &port) ? name_make(b, host) : NULL;
        if (name)
                name->fixed = true;
}

json_t *names_of_url(const struct brain *b, const char *url)
{
        json_t *doc = json_object();
        const struct name *name;
        char host[256];
        int port;

        name = sink_url_host(url, host, sizeof(host), &port) ? name_find(b, host) : NULL;
        if (name && name->addresses)
                json_object_set(doc, host, name->addresses);
        return doc;
}
