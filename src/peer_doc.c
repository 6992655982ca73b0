/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Making and checking what goes between two hosts. */

#include "peer_doc.h"

#include <math.h>

#include "clean_text.h"
#include "health.h"
#include "peer_text.h"
#include "status_doc.h"
#include "utf8.h"
#include "version.h"

#define SECONDS_MAX 1e10
#define ITEMS_MAX 200 /* facts of one message */

/* --- what is common --------------------------------------------------------------------------------------------- */

static bool hex_ok(const char *s, size_t len)
{
        return strlen(s) == len && strspn(s, "0123456789abcdef") == len;
}

static json_t *load(const char *text, size_t len, size_t max, struct errinfo *err)
{
        json_error_t error;
        json_t *doc;

        if (len > max) {
                err_set(err, -EINVAL, "it is larger than %zu bytes", max);
                return NULL;
        }
        doc = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
        if (!json_is_object(doc) || json_integer_value(json_object_get(doc, "v")) != 1) {
                err_set(err, -EINVAL, doc ? "it is not of version 1" : "it is no JSON: %.100s", error.text);
                json_decref(doc);
                return NULL;
        }
        return doc;
}

/* A string of at most size - 1 bytes, cleaned. */
static int take_text(const json_t *o, const char *key, bool needed, char *buf, size_t size, struct errinfo *err)
{
        const json_t *v = json_object_get(o, key);

        if (!v && !needed)
                return 0;
        if (!json_is_string(v) || json_string_length(v) >= size || strlen(json_string_value(v)) != json_string_length(v))
                return err_set(err, -EINVAL, "\"%s\" is %s", key, v ? "no string, or too long" : "missing");
        memcpy(buf, json_string_value(v), json_string_length(v) + 1);
        clean_text(buf);
        return 0;
}

static int take_seconds(const json_t *o, const char *key, double *ret, struct errinfo *err)
{
        double v = json_is_number(json_object_get(o, key)) ? json_number_value(json_object_get(o, key)) : NAN;

        if (!(v >= 0 && v < SECONDS_MAX))
                return err_set(err, -EINVAL, "\"%s\" is no time", key);
        *ret = v;
        return 0;
}

/* --- heartbeats ------------------------------------------------------------------------------------------------------ */

/* UTF-8 that fits into a field of that size. */
static json_t *cut_json(const char *s, size_t size)
{
        char buf[512];

        snprintf(buf, MIN(size, sizeof(buf)), "%s", s);
        return utf8_json(buf);
}

static void add_worst(json_t *list, const json_t *components, enum level level)
{
        const json_t *c;
        size_t i;

        json_array_foreach(components, i, c)
                if (json_array_size(list) < PEER_WORST_MAX && status_level(c) == level)
                        json_array_append_new(list, json_pack("{so ss so}", "component", cut_json(status_text(c, "component"), 128), "level",
                                                              level_name(level), "why", cut_json(status_text(c, "why"), 256)));
}

json_t *peer_heartbeat_make(const json_t *status, bool silent, double age_s, const char *boot, uint64_t seq)
{
        const json_t *components = json_object_get(status, "components"), *c;
        json_t *worst = json_array(), *levels = json_object();
        int counts[LEVEL_MAX] = { 0 };
        size_t i;

        json_array_foreach(components, i, c)
                counts[status_level(c)]++;
        for (int l = LEVEL_MAX; l-- > 0;) {
                json_object_set_new(levels, level_name((enum level)l), json_integer(counts[l]));
                if (l > LEVEL_OK)
                        add_worst(worst, components, (enum level)l);
        }
        return json_pack("{si so ss sI ss so so sf sb so so}", "v", 1, "host", cut_json(status_text(status, "host"), 128), "boot", boot, "seq",
                         (json_int_t)seq, "version", VEILLE_VERSION, "health", cut_json(status_text(status, "health"), 16), "why",
                         cut_json(status_text(status, "health_why"), 512), "age_s", isfinite(age_s) ? MIN(age_s, 1e9) : 1e9, "silent", silent,
                         "worst", worst, "levels", levels);
}

static int take_worst(const json_t *list, struct peer_heartbeat *h, struct errinfo *err)
{
        const json_t *o;
        size_t i;
        int r;

        if (!json_is_array(list) || json_array_size(list) > PEER_WORST_MAX)
                return err_set(err, -EINVAL, "\"worst\" is no list of at most %d", PEER_WORST_MAX);
        json_array_foreach(list, i, o) {
                struct peer_worst *w = &h->worst[h->n_worst++];
                int level = level_from_name(status_text(o, "level"));

                if (level < 0)
                        return err_set(err, -EINVAL, "\"worst\" has no level");
                w->level = (enum level)level;
                r = take_text(o, "component", true, w->component, sizeof(w->component), err);
                if (r >= 0)
                        r = take_text(o, "why", true, w->why, sizeof(w->why), err);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int take_levels(const json_t *o, struct peer_heartbeat *h, struct errinfo *err)
{
        for (int l = 0; l < LEVEL_MAX; l++) {
                const json_t *v = json_object_get(o, level_name((enum level)l));

                if (v && (!json_is_integer(v) || json_integer_value(v) < 0 || json_integer_value(v) > 1000000))
                        return err_set(err, -EINVAL, "\"levels\" is damaged");
                h->levels[l] = (int)json_integer_value(v);
        }
        return 0;
}

static int heartbeat_take(const json_t *doc, struct peer_heartbeat *ret, struct errinfo *err)
{
        struct peer_heartbeat h = { 0 };
        const json_t *seq = json_object_get(doc, "seq");
        bool health = false;
        int r = take_text(doc, "host", true, h.host, sizeof(h.host), err);

        if (r >= 0)
                r = take_text(doc, "boot", true, h.boot, sizeof(h.boot), err);
        if (r >= 0)
                r = take_text(doc, "health", true, h.health, sizeof(h.health), err);
        if (r >= 0)
                r = take_text(doc, "why", false, h.why, sizeof(h.why), err);
        if (r >= 0)
                r = take_text(doc, "version", false, h.version, sizeof(h.version), err);
        if (r >= 0)
                r = take_seconds(doc, "age_s", &h.age_s, err);
        if (r >= 0)
                r = take_worst(json_object_get(doc, "worst"), &h, err);
        if (r >= 0)
                r = take_levels(json_object_get(doc, "levels"), &h, err);
        if (r < 0)
                return r;
        for (int i = 0; i < HEALTH_MAX; i++)
                health |= streq(h.health, health_name((enum health)i));
        if (!*h.host || !hex_ok(h.boot, PEER_BOOT_LEN) || !health)
                return err_set(err, -EINVAL, "\"host\", \"boot\" or \"health\" is not what it should be");
        if (!json_is_integer(seq) || json_integer_value(seq) < 1)
                return err_set(err, -EINVAL, "\"seq\" is no number of 1 or more");
        if (!json_is_boolean(json_object_get(doc, "silent")))
                return err_set(err, -EINVAL, "\"silent\" is neither true nor false");
        h.seq = (uint64_t)json_integer_value(seq);
        h.silent = json_is_true(json_object_get(doc, "silent"));
        *ret = h;
        return 0;
}

int peer_heartbeat_parse(const char *text, size_t len, struct peer_heartbeat *ret, struct errinfo *err)
{
        json_t *doc = load(text, len, PEER_HEARTBEAT_MAX, err);
        int r = doc ? heartbeat_take(doc, ret, err) : -EINVAL;

        json_decref(doc);
        return r;
}

/* --- messages ---------------------------------------------------------------------------------------------------------- */

json_t *peer_letter_make(const char *id, const json_t *message)
{
        json_t *doc = hex_ok(id, PEER_ID_LEN) && json_is_object(message) ? json_pack("{si ss sO}", "v", 1, "id", id, "message", message) : NULL;
        char *text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;

        if (!text || strlen(text) > PEER_LETTER_MAX) {
                json_decref(doc);
                doc = NULL;
        }
        free(text);
        return doc;
}

/* Line feeds stay: it is the text of a letter. */
static json_t *clean_body(const char *s)
{
        char *copy = strdup(s), *line = copy;
        json_t *v;

        if (!copy)
                abort();
        while (line) {
                char *nl = strchr(line, '\n');

                if (nl)
                        *nl = '\0';
                clean_text(line);
                if (nl)
                        *nl++ = '\n';
                line = nl;
        }
        v = utf8_json(copy);
        free(copy);
        return v;
}

static bool short_text(const json_t *o, const char *key, size_t max)
{
        const json_t *v = json_object_get(o, key);

        return json_is_string(v) && json_string_length(v) <= max && strlen(json_string_value(v)) == json_string_length(v);
}

/* Only what a message of ours has, so that nothing else reaches templates, programs and headers. */
static json_t *clean_message(const json_t *m, struct errinfo *err)
{
        static const char *const keys[] = { "contact", "host", "component", "what", "subject" };
        const json_t *items = json_object_get(m, "items"), *time = json_object_get(m, "time");
        json_t *out = json_object(), *v;

        for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
                if (!short_text(m, keys[i], 1000)) {
                        err_set(err, -EINVAL, "\"%s\" of the message is missing, or too long", keys[i]);
                        json_decref(out);
                        return NULL;
                }
                json_object_set(out, keys[i], json_object_get(m, keys[i]));
        }
        if (!short_text(m, "body", PEER_LETTER_MAX) || level_from_name(status_text(m, "level")) < 0 || !json_is_number(time) ||
            !(fabs(json_number_value(time)) < SECONDS_MAX) || !json_is_array(items) || json_array_size(items) > ITEMS_MAX) {
                err_set(err, -EINVAL, "body, level, time or items of the message are not what they should be");
                json_decref(out);
                return NULL;
        }
        json_object_set(out, "items", (json_t *)items);
        v = json_deep_copy(out);
        json_decref(out);
        clean_json(v);
        json_object_set_new(v, "version", json_integer(1));
        json_object_set(v, "level", json_object_get(m, "level"));
        json_object_set(v, "time", (json_t *)time);
        json_object_set_new(v, "digest", json_boolean(json_is_true(json_object_get(m, "digest"))));
        json_object_set_new(v, "total", json_integer(MAX(json_integer_value(json_object_get(m, "total")), 0)));
        json_object_set_new(v, "body", clean_body(status_text(m, "body")));
        return v;
}

int peer_letter_parse(const char *text, size_t len, struct peer_letter *ret, struct errinfo *err)
{
        json_t *doc = load(text, len, PEER_LETTER_MAX, err);
        struct peer_letter l = { 0 };
        int r = doc ? take_text(doc, "id", true, l.id, sizeof(l.id), err) : -EINVAL;

        if (r >= 0 && !hex_ok(l.id, PEER_ID_LEN))
                r = err_set(err, -EINVAL, "\"id\" is no id");
        if (r >= 0) {
                l.message = clean_message(json_object_get(doc, "message"), err);
                r = l.message ? 0 : -EINVAL;
        }
        if (r >= 0) {
                json_object_set_new(l.message, "id", json_string(l.id));
                *ret = l;
        }
        json_decref(doc);
        return r;
}

void peer_letter_done(struct peer_letter *l)
{
        json_decref(l->message);
        l->message = NULL;
}

json_t *peer_message_on_behalf(const json_t *message, const char *peer, const char *via, const char *contact,
                               enum alert_language language)
{
        char before_subject[256], before_body[512];
        json_t *m = json_copy((json_t *)message);

        peer_text_on_behalf(peer, via, language, before_subject, sizeof(before_subject), before_body, sizeof(before_body));
        json_object_set_new(m, "subject", json_sprintf("%s%s", before_subject, status_text(message, "subject")));
        json_object_set_new(m, "body", json_sprintf("%s%s", before_body, status_text(message, "body")));
        json_object_set_new(m, "on_behalf", utf8_json(peer));
        json_object_set_new(m, "contact_there", json_string(status_text(message, "contact")));
        json_object_set_new(m, "contact", json_string(contact));
        return m;
}

/* --- answers ------------------------------------------------------------------------------------------------------------- */

json_t *peer_answer_make(bool ok, bool waits, const char *text, json_t *heartbeat)
{
        json_t *doc = json_pack("{si sb sb so}", "v", 1, "ok", ok, "waits", waits, "text", cut_json(text, 256));

        if (heartbeat)
                json_object_set_new(doc, "heartbeat", heartbeat);
        return doc;
}

int peer_answer_parse(const char *text, size_t len, struct peer_answer *ret, struct errinfo *err)
{
        json_t *doc = load(text, len, PEER_ANSWER_MAX, err), *heartbeat = json_object_get(doc, "heartbeat");
        struct peer_answer a = { .ok = json_is_true(json_object_get(doc, "ok")), .waits = json_is_true(json_object_get(doc, "waits")) };
        int r = doc ? take_text(doc, "text", false, a.text, sizeof(a.text), err) : -EINVAL;

        if (r >= 0 && heartbeat) {
                r = json_integer_value(json_object_get(heartbeat, "v")) == 1 ? heartbeat_take(heartbeat, &a.heartbeat, err)
                                                                             : err_set(err, -EINVAL, "its heartbeat is not of version 1");
                a.has_heartbeat = r >= 0;
        }
        if (r >= 0)
                *ret = a;
        json_decref(doc);
        return r;
}
