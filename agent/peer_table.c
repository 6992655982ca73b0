/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Whom we know: the configuration and STATE/peer/paired.json; and what RUN keeps of it over a restart. */

#include <fcntl.h>
#include <gnutls/crypto.h>
#include <sys/stat.h>

#include "common_clock.h"
#include "common_file.h"
#include "peer.h"
#include "peer_text.h"
#include "utf8.h"

#define PAIRED_FILE "paired.json"
#define SEEN_FILE "peer-seen.json"
#define BOOT_FILE "peer-boot"
#define FILE_MAX (256 * 1024)

static json_t *read_json(const char *path)
{
        _cleanup_fclose_ FILE *f = fopen(path, "re");
        struct stat st;

        if (!f || fstat(fileno(f), &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > FILE_MAX)
                return NULL;
        return json_loadf(f, JSON_REJECT_DUPLICATES, NULL);
}

static void paired_dir(const struct peerd *d, char *buf, size_t size)
{
        snprintf(buf, size, "%s/peer", d->options.state);
}

/* The document, an empty one where there is none. */
static int read_paired(const struct peerd *d, json_t **ret, struct errinfo *err)
{
        char path[4096];

        snprintf(path, sizeof(path), "%s/peer/" PAIRED_FILE, d->options.state);
        *ret = read_json(path);
        if (json_is_array(json_object_get(*ret, "peers")))
                return 0;
        json_decref(*ret);
        *ret = json_pack("{si s[]}", "version", 1, "peers");
        return access(path, F_OK) == 0 ? err_set(err, -EIO, "%s is damaged or cannot be read: pair anew, or bring it back", path) : 0;
}

static int write_paired(const struct peerd *d, const json_t *doc, struct errinfo *err)
{
        _cleanup_free_ char *text = json_dumps(doc, JSON_INDENT(1));
        char dir[4096];
        int r;

        paired_dir(d, dir, sizeof(dir));
        r = text ? file_write_atomic(dir, PAIRED_FILE, text, strlen(text), 0600, true) : -ENOMEM;
        return r < 0 ? err_set(err, r, "%s/" PAIRED_FILE ": %s", dir, strerror(-r)) : 0;
}

struct peer *peer_by_name(struct peerd *d, const char *name)
{
        for (size_t i = 0; i < d->n_peers; i++)
                if (streq(d->peers[i]->entry.name, name))
                        return d->peers[i];
        return NULL;
}

struct peer *peer_by_pin(struct peerd *d, const char *pin)
{
        for (size_t i = 0; i < d->n_peers; i++)
                if (*pin && streq(d->peers[i]->entry.pin, pin))
                        return d->peers[i];
        return NULL;
}

/* A peer with a new key is a new one: what the old one said does not count for it. */
static void take_entry(struct peerd *d, const struct peer_entry *e)
{
        struct peer *p = peer_by_name(d, e->name);

        if (!p) {
                p = calloc(1, sizeof(*p));
                if (!p)
                        abort();
                d->peers[d->n_peers++] = p;
        } else if (!streq(p->entry.pin, e->pin) || !streq(p->entry.address.text, e->address.text) || p->entry.address.port != e->address.port) {
                *p = (struct peer){ .calling = p->calling };
        }
        if (!p->watch.started_us)
                peer_watch_init(&p->watch, clock_boot_us());
        p->entry = *e;
        p->listed = true;
}

static void drop_unlisted(struct peerd *d)
{
        size_t kept = 0;

        for (size_t i = 0; i < d->n_peers; i++)
                if (d->peers[i]->listed)
                        d->peers[kept++] = d->peers[i];
                else
                        free(d->peers[i]);
        d->n_peers = kept;
}

static int read_config(struct peerd *d, struct peer_config *ret, struct errinfo *err)
{
        struct config_errors errors = { 0 };
        struct config *config = NULL;
        const char *name;
        int r = config_load(d->options.config, &config, &errors);

        if (r < 0)
                err_set(err, r, "%s", errors.n ? errors.text[0] : strerror(-r));
        config_errors_done(&errors);
        if (r < 0)
                return r;
        r = peer_config_read(config, ret, err);
        name = config_string(config, "host", NULL, "name");
        if (r >= 0 && name && *name)
                snprintf(d->host, sizeof(d->host), "%s", name);
        config_free(config);
        return r;
}

int peer_table_read(struct peerd *d, struct errinfo *err)
{
        static struct peer_config config; /* large */
        struct errinfo why = { 0 };
        json_t *paired;
        int r = read_config(d, &config, err);

        if (r < 0)
                return r;
        if (read_paired(d, &paired, &why) < 0)
                peer_log(PEER_ERROR, "%s", why.text);
        peer_config_add_paired(&config, paired);
        json_decref(paired);
        d->config = config;
        for (size_t i = 0; i < d->n_peers; i++)
                d->peers[i]->listed = false;
        /* Those that are gone first, or there might be no room. */
        for (size_t i = 0; i < config.n_peers; i++) {
                struct peer *p = peer_by_name(d, config.peers[i].name);

                if (p)
                        p->listed = true;
        }
        drop_unlisted(d);
        for (size_t i = 0; i < config.n_peers; i++)
                take_entry(d, &config.peers[i]);
        for (size_t i = 0; i < PEER_PENDING_MAX; i++)
                if (peer_by_pin(d, d->pending[i].pin))
                        d->pending[i] = (struct peer_pending){ 0 };
        d->changed = true;
        return 0;
}

void peer_table_free(struct peerd *d)
{
        while (d->n_peers)
                free(d->peers[--d->n_peers]);
}

/* Without the peer of that name. True: it was there. */
static bool paired_drop(json_t *doc, const char *name)
{
        json_t *list = json_object_get(doc, "peers");
        bool any = false;

        for (size_t i = json_array_size(list); i-- > 0;) {
                const char *n = json_string_value(json_object_get(json_array_get(list, i), "name"));

                if (!n || streq(n, name)) {
                        any |= n != NULL;
                        json_array_remove(list, i);
                }
        }
        return any;
}

int peer_table_pair(struct peerd *d, const char *name, const char *address, int port, const char *pin, struct errinfo *err)
{
        const struct peer *p = peer_by_name(d, name), *same = peer_by_pin(d, pin);
        struct peer_address a;
        json_t *doc;
        char text[64];
        int r;

        if (!peer_name_ok(name))
                return err_set(err, -EINVAL, "'%.80s' is no name: small letters, digits, dots and dashes", name);
        if (peer_address_parse(address, port, &a, err) < 0)
                return -EINVAL;
        if (streq(pin, d->pin))
                return err_set(err, -EINVAL, "this is the key of this host itself");
        if (p && p->entry.from_config && !streq(p->entry.pin, pin))
                return err_set(err, -EEXIST, "[peer %s] of the configuration has another fingerprint: change it there", name);
        if (same && !streq(same->entry.name, name))
                return err_set(err, -EEXIST, "this key is paired already, under the name %s", same->entry.name);
        if (!p && d->n_peers >= PEERS_MAX)
                return err_set(err, -E2BIG, "there are %d peers already, no more are possible", PEERS_MAX);
        r = read_paired(d, &doc, err);
        if (r >= 0) {
                paired_drop(doc, name);
                snprintf(text, sizeof(text), "SHA256:%s", pin);
                json_array_append_new(json_object_get(doc, "peers"), json_pack("{ss ss si ss}", "name", name, "address", a.text, "port", a.port,
                                                                                "fingerprint", text));
                r = write_paired(d, doc, err);
        }
        json_decref(doc);
        if (r >= 0)
                r = peer_table_read(d, err);
        if (r >= 0)
                peer_log(PEER_NOTICE, "paired with %s at %s port %d, key SHA256:%s", name, a.text, a.port, pin);
        return r;
}

int peer_table_remove(struct peerd *d, const char *name, struct errinfo *err)
{
        const struct peer *p = peer_by_name(d, name);
        bool any = false;
        json_t *doc;
        int r;

        if (p && p->entry.from_config)
                return err_set(err, -EPERM, "[peer %s] is in the configuration: take it out there, then systemctl reload veille-peer", name);
        r = read_paired(d, &doc, err);
        if (r >= 0) {
                any = paired_drop(doc, name);
                r = any ? write_paired(d, doc, err) : err_set(err, -ENOENT, "there is no paired peer '%.80s'; veillectl peer list shows them", name);
        }
        json_decref(doc);
        if (r >= 0)
                r = peer_table_read(d, err);
        if (r >= 0)
                peer_log(PEER_NOTICE, "peer %s was removed: its key is not known here any more", name);
        return r;
}

void peer_note_pending(struct peerd *d, const char *pin, const char *address)
{
        struct peer_pending *oldest = &d->pending[0];

        for (size_t i = 0; i < PEER_PENDING_MAX; i++) {
                if (streq(d->pending[i].pin, pin)) {
                        oldest = &d->pending[i];
                        break;
                }
                if (d->pending[i].at_us < oldest->at_us)
                        oldest = &d->pending[i];
        }
        snprintf(oldest->pin, sizeof(oldest->pin), "%s", pin);
        snprintf(oldest->address, sizeof(oldest->address), "%s", address);
        oldest->at_us = clock_boot_us();
}

/* --- over a restart ------------------------------------------------------------------------------------------------------- */

static void take_seen_one(struct peer_seen *s, const json_t *o)
{
        const char *boot = json_string_value(json_object_get(o, "boot"));
        json_int_t seq = json_integer_value(json_object_get(o, "seq"));
        const json_t *v;
        size_t i;

        json_array_foreach(json_object_get(o, "past"), i, v)
                if (json_is_string(v) && json_string_length(v) == PEER_BOOT_LEN && s->n_past < PEER_PAST_BOOTS)
                        snprintf(s->past[s->n_past++], PEER_BOOT_LEN + 1, "%s", json_string_value(v));
        if (boot && strlen(boot) == PEER_BOOT_LEN && seq > 0) {
                snprintf(s->boot, sizeof(s->boot), "%s", boot);
                s->seq = (uint64_t)seq;
        }
}

static json_t *seen_json(const struct peer_seen *s)
{
        json_t *past = json_array();

        for (unsigned i = 0; i < MIN(s->n_past, PEER_PAST_BOOTS); i++)
                json_array_append_new(past, json_string(s->past[i]));
        return json_pack("{ss sI so}", "boot", s->boot, "seq", (json_int_t)s->seq, "past", past);
}

static void take_seen(struct peerd *d, const json_t *doc)
{
        int64_t now = clock_boot_us();
        const json_t *o;
        const char *name;

        json_object_foreach((json_t *)json_object_get(doc, "peers"), name, o) {
                struct peer *p = peer_by_name(d, name);
                const char *pin = json_string_value(json_object_get(o, "fingerprint"));
                json_int_t heard = json_integer_value(json_object_get(o, "heard_us"));

                if (!p || !pin || !streq(pin, p->entry.pin))
                        continue;
                take_seen_one(&p->by_request, json_object_get(o, "requests"));
                take_seen_one(&p->by_answer, json_object_get(o, "answers"));
                if (heard > 0 && heard <= now)
                        p->watch.heard_us = heard;
                p->heard_wall_us = MAX(json_integer_value(json_object_get(o, "heard_wall_us")), 0);
        }
}

void peer_seen_save(struct peerd *d)
{
        json_t *peers = json_object(), *doc = json_pack("{sI so}", "seq", (json_int_t)d->seq, "peers", peers);
        char *text;

        for (size_t i = 0; i < d->n_peers; i++) {
                const struct peer *p = d->peers[i];

                json_object_set_new(peers, p->entry.name, json_pack("{ss so so sI sI}", "fingerprint", p->entry.pin, "requests", seen_json(&p->by_request),
                                                                    "answers", seen_json(&p->by_answer), "heard_us", (json_int_t)p->watch.heard_us,
                                                                    "heard_wall_us", (json_int_t)p->heard_wall_us));
        }
        text = json_dumps(doc, JSON_COMPACT);
        json_decref(doc);
        if (text)
                file_write_atomic(d->options.run, SEEN_FILE, text, strlen(text), 0600, false);
        free(text);
}

/* RUN is emptied by a reboot: a name that lies there is that of the boot. */
static int boot_name(struct peerd *d, struct errinfo *err)
{
        char path[4096];
        unsigned char random[PEER_BOOT_LEN / 2];
        FILE *f;
        int r;

        snprintf(path, sizeof(path), "%s/" BOOT_FILE, d->options.run);
        f = fopen(path, "re");
        if (f) {
                bool good = fscanf(f, "%32[0-9a-f]", d->boot) == 1 && strlen(d->boot) == PEER_BOOT_LEN;

                fclose(f);
                if (good)
                        return 0;
        }
        if (gnutls_rnd(GNUTLS_RND_NONCE, random, sizeof(random)) < 0)
                abort();
        for (size_t i = 0; i < sizeof(random); i++)
                snprintf(d->boot + 2 * i, 3, "%02x", random[i]);
        r = file_write_atomic(d->options.run, BOOT_FILE, d->boot, PEER_BOOT_LEN, 0640, false);
        return r < 0 ? err_set(err, r, "%s: %s", path, strerror(-r)) : 0;
}

int peer_seen_open(struct peerd *d, struct errinfo *err)
{
        char path[4096];
        json_t *doc;
        int r = boot_name(d, err);

        snprintf(path, sizeof(path), "%s/" SEEN_FILE, d->options.run);
        doc = read_json(path);
        d->seq = (uint64_t)MAX(json_integer_value(json_object_get(doc, "seq")), 0);
        take_seen(d, doc);
        json_decref(doc);
        return r;
}

/* --- for the brain and for people ------------------------------------------------------------------------------------------- */

static json_t *fingerprint_json(const char *pin)
{
        return *pin ? json_sprintf("SHA256:%s", pin) : json_null();
}

/* What it said of itself, as long as that is no older than silence: old news is no news. */
static void add_health(const struct peerd *d, json_t *o, const struct peer *p, int64_t now)
{
        const struct peer_heartbeat *h = &p->last;
        double age = (double)(now - p->last_us) / USEC_PER_SEC;
        bool known = p->last_us && now - p->last_us <= d->config.silent_after_us && !h->silent && p->watch.state == PEER_UP;
        json_t *worst = json_array(), *levels = json_object();

        for (size_t i = 0; p->last_us && i < h->n_worst; i++)
                json_array_append_new(worst, json_pack("{ss so ss so}", "component", h->worst[i].component, "level",
                                                       json_string(known ? level_name(h->worst[i].level) : "unknown"), "level_before",
                                                       level_name(h->worst[i].level), "why", utf8_json(h->worst[i].why)));
        for (int l = 0; p->last_us && l < LEVEL_MAX; l++)
                json_object_set_new(levels, level_name((enum level)l), json_integer(h->levels[l]));
        json_object_set_new(o, "health", json_string(known ? h->health : "unknown"));
        json_object_set_new(o, "health_before", json_string(p->last_us ? h->health : ""));
        json_object_set_new(o, "health_why", p->last_us ? utf8_json(h->why) : json_string(""));
        json_object_set_new(o, "host", p->last_us ? utf8_json(h->host) : json_string(""));
        json_object_set_new(o, "version", p->last_us ? utf8_json(h->version) : json_string(""));
        json_object_set_new(o, "age_s", p->watch.heard_us ? json_real(MAX((double)(now - p->watch.heard_us) / USEC_PER_SEC, 0)) : json_null());
        json_object_set_new(o, "health_age_s", p->last_us ? json_real(age + h->age_s) : json_null());
        json_object_set_new(o, "worst", worst);
        json_object_set_new(o, "levels", levels);
}

static json_t *peer_json(const struct peerd *d, const struct peer *p, int64_t now)
{
        const struct peer_place place = { .name = p->entry.name, .address = p->entry.address.text, .host = d->host, .port = p->entry.address.port,
                                          .heard_wall_us = p->heard_wall_us };
        int64_t wall_less_boot = clock_wall_us() - now;
        char why[512];
        json_t *o;

        if (*p->entry.pin)
                peer_text(&p->watch, &place, ALERT_EN, why, sizeof(why));
        else
                snprintf(why, sizeof(why), "the key of %s is not known: veillectl peer pair %s, or fingerprint = in [peer %s]", p->entry.name, p->entry.name, p->entry.name);
        o = json_pack("{ss ss si so sb ss so sf so sI sI sI sI}", "name", p->entry.name, "address", p->entry.address.text, "port", p->entry.address.port,
                      "fingerprint", fingerprint_json(p->entry.pin), "config", p->entry.from_config, "state",
                      *p->entry.pin ? peer_state_name(p->watch.state) : "unpaired", "why", utf8_json(why),
                      "since", (double)(p->watch.since_us + wall_less_boot) / USEC_PER_SEC, "error", utf8_json(p->error), "sent", (json_int_t)p->sent, "failed",
                      (json_int_t)p->failed, "received", (json_int_t)p->received, "old", (json_int_t)p->old);
        add_health(d, o, p, now);
        return o;
}

json_t *peer_table_json(struct peerd *d)
{
        json_t *peers = json_array(), *pending = json_array();
        int64_t now = clock_boot_us();

        for (size_t i = 0; i < d->n_peers; i++)
                json_array_append_new(peers, peer_json(d, d->peers[i], now));
        for (size_t i = 0; i < PEER_PENDING_MAX; i++)
                if (*d->pending[i].pin)
                        json_array_append_new(pending, json_pack("{so ss sf}", "fingerprint", fingerprint_json(d->pending[i].pin), "address",
                                                                 d->pending[i].address, "age_s", (double)(now - d->pending[i].at_us) / USEC_PER_SEC));
        return json_pack("{ss so so sf so so}", "host", d->host, "fingerprint", fingerprint_json(d->pin), "interval_s",
                         json_real((double)d->config.interval_us / USEC_PER_SEC), "silent_after_s", (double)d->config.silent_after_us / USEC_PER_SEC, "peers", peers,
                         "pending", pending);
}
