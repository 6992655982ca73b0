/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The letters that wait for their sink. Bounded; when there is no room the oldest that are not critical go first, and it is
 * counted. */

#include "brain_notify.h"

#define LETTERS_MAX 500
#define LETTERS_BYTES_MAX (4 * 1024 * 1024)
#define LETTER_AGE_US (5 * 86400 * USEC_PER_SEC) /* as mail servers do it */
#define VALUE_MAX (190 * 1024)                   /* what the store takes for one key, less some */

int64_t letter_backoff_us(unsigned attempts)
{
        static const int seconds[] = { 5, 10, 30, 60, 120, 300 };

        return seconds[MIN(MAX(attempts, 1), ARRAY_LEN(seconds)) - 1] * USEC_PER_SEC;
}

static void letter_free(struct brain *b, struct letter *l)
{
        struct brain_notify *n = b->notify;

        for (struct letter **p = &n->letters; *p; p = &(*p)->next)
                if (*p == l) {
                        *p = l->next;
                        n->n_letters--;
                        n->bytes -= l->bytes;
                        break;
                }
        json_decref(l->message);
        free(l);
}

void letters_free(struct brain *b)
{
        while (b->notify->letters)
                letter_free(b, b->notify->letters);
}

static struct letter *letter_find(const struct brain *b, const char *id, const char *sink)
{
        for (struct letter *l = b->notify->letters; l; l = l->next)
                if (streq(l->id, id) && streq(l->sink, sink))
                        return l;
        return NULL;
}

static void drop(struct brain *b, struct letter *l, const char *why)
{
        brain_log(b, BRAIN_ERROR, "sink %s: a message is given up: %s: %s", l->sink, why,
                  json_string_value(json_object_get(l->message, "subject")) ? json_string_value(json_object_get(l->message, "subject")) : "");
        b->notify->dropped++;
        letter_free(b, l);
}

/* The oldest that is not critical, else the oldest; never one that is under way. */
static struct letter *least(const struct brain *b)
{
        struct letter *oldest = NULL;

        for (struct letter *l = b->notify->letters; l; l = l->next) {
                if (!l->critical && !l->under_way)
                        return l;
                if (!oldest && !l->under_way)
                        oldest = l;
        }
        return oldest;
}

static struct letter *append(struct brain *b, const char *id, const char *sink, const json_t *message)
{
        struct brain_notify *n = b->notify;
        struct letter *l = calloc(1, sizeof(*l)), **end = &n->letters;
        const char *level = json_string_value(json_object_get(message, "level"));
        char *text = json_dumps(message, JSON_COMPACT);

        if (!l || !text)
                abort();
        snprintf(l->id, sizeof(l->id), "%s", id);
        snprintf(l->sink, sizeof(l->sink), "%s", sink);
        l->message = json_incref((json_t *)message);
        l->critical = level && streq(level, "critical");
        l->bytes = strlen(text);
        free(text);
        while (*end)
                end = &(*end)->next;
        *end = l;
        n->n_letters++;
        n->bytes += l->bytes;
        while (n->n_letters > LETTERS_MAX || (n->bytes > LETTERS_BYTES_MAX && n->n_letters > 1)) {
                struct letter *out = least(b);

                if (!out || out == l)
                        break;
                drop(b, out, "there are too many that wait");
        }
        return l;
}

void brain_notify_put(struct brain *b, const char *sink, const char *id, const json_t *message, bool test)
{
        struct letter *l;

        if (letter_find(b, id, sink)) /* told again after a crash: the same message has the same id */
                return;
        l = append(b, id, sink, message);
        l->created_us = brain_now_us();
        l->test = test;
}

struct letter *letter_due(struct brain *b, const char *sink, int64_t now_us)
{
        for (struct letter *l = b->notify->letters, *next; l; l = next) {
                next = l->next;
                if (!streq(l->sink, sink) || l->under_way)
                        continue;
                if (now_us - l->created_us > LETTER_AGE_US) {
                        drop(b, l, "the sink has not taken it for five days");
                        continue;
                }
                if (l->next_us > now_us)
                        continue;
                l->under_way = true;
                return l;
        }
        return NULL;
}

static void remember_test(struct brain *b, const struct letter *l, bool good, const char *text)
{
        struct letter_answer *a = &b->notify->tests[b->notify->n_tests++ % LETTER_TESTS_MAX];

        *a = (struct letter_answer){ .good = good };
        snprintf(a->id, sizeof(a->id), "%s", l->id);
        snprintf(a->sink, sizeof(a->sink), "%s", l->sink);
        snprintf(a->text, sizeof(a->text), "%s", text);
}

/* The journal of a dying host is read by nobody. */
static bool reaches_people(const struct brain *b, const char *sink)
{
        for (size_t i = 0; i < b->notify->n_sinks; i++)
                if (streq(b->notify->sinks[i].name, sink))
                        return b->notify->sinks[i].type != SINK_JOURNAL;
        return false;
}

void letters_taken_by_peer(struct brain *b, const char *id)
{
        for (struct letter *l = b->notify->letters, *next; l; l = next) {
                next = l->next;
                if (!streq(l->id, id) || l->test || !reaches_people(b, l->sink))
                        continue;
                if (l->under_way)
                        l->at_peer = true;
                else
                        letter_free(b, l);
        }
}

void letter_end(struct brain *b, const char *id, const char *sink, bool good, const char *text, bool permanent)
{
        struct letter *l = letter_find(b, id, sink);

        if (good)
                b->notify->delivered++;
        else
                b->notify->failed++;
        if (!l)
                return;
        l->under_way = false;
        if (l->test) {
                remember_test(b, l, good, text);
                letter_free(b, l);
                return;
        }
        if (!good && l->at_peer) {
                letter_free(b, l);
                return;
        }
        if (!good) {
                /* A server that refuses for good may be mended by a person: not often, but on. */
                l->next_us = brain_now_us() + (permanent ? 900 * USEC_PER_SEC : letter_backoff_us(l->attempts));
                brain_log(b, BRAIN_WARNING, "sink %s: attempt %u: %s", sink, l->attempts, text);
                return;
        }
        brain_log(b, BRAIN_INFO, "sink %s has taken message %s: %s", sink, id, text);
        for (struct letter *o = b->notify->letters; o && reaches_people(b, sink); o = o->next)
                o->elsewhere |= streq(o->id, id);
        letter_free(b, l);
        brain_store_state(b);
}

void letters_drop_lost(struct brain *b)
{
        for (struct letter *l = b->notify->letters, *next; l; l = next) {
                bool there = false;

                next = l->next;
                for (size_t i = 0; i < b->notify->n_sinks; i++)
                        there |= streq(b->notify->sinks[i].name, l->sink);
                if (!there && !l->under_way)
                        drop(b, l, "its sink is no longer configured");
        }
}

bool sinks_failing(const struct brain *b)
{
        for (size_t i = 0; i < b->notify->n_sinks; i++)
                if (b->notify->sinks[i].failures >= 3)
                        return true;
        return false;
}

void brain_notify_sinks(struct brain *b, void (*fn)(void *data, const char *name, enum sink_type type), void *data)
{
        for (size_t i = 0; i < b->notify->n_sinks; i++)
                fn(data, b->notify->sinks[i].name, b->notify->sinks[i].type);
}

/* --- for people and for a restart --------------------------------------------------------------------------------- */

static json_t *seconds(int64_t us)
{
        int64_t ms = (brain_wall_us() - brain_now_us() + us) / USEC_PER_MSEC;

        return us ? json_real((double)ms / 1000) : json_null();
}

static json_t *text_json(const char *s)
{
        json_t *v = json_string(s);

        return v ? v : json_string("(text that is not UTF-8)");
}

void brain_notify_json(struct brain *b, json_t *doc)
{
        struct brain_notify *n = b->notify;
        json_t *sinks = json_array(), *queue = json_array(), *tests = json_array();

        for (size_t i = 0; i < n->n_sinks; i++) {
                const struct sink *s = &n->sinks[i];
                size_t waiting = 0;

                for (const struct letter *l = n->letters; l; l = l->next)
                        waiting += streq(l->sink, s->name);
                json_array_append_new(sinks, json_pack("{ss ss si si so so so so}", "name", s->name, "type", sink_type_name(s->type), "waiting",
                                                       (int)waiting, "failures", (int)s->failures, "last", seconds(s->last_us), "good",
                                                       seconds(s->good_us), "answer", text_json(s->last), "broken", text_json(s->broken)));
        }
        for (const struct letter *l = n->letters; l; l = l->next)
                json_array_append_new(queue, json_pack("{ss ss sO so si sb so}", "id", l->id, "sink", l->sink, "subject",
                                                       json_object_get(l->message, "subject"), "since", seconds(l->created_us), "attempts",
                                                       (int)l->attempts, "under_way", l->under_way, "next", seconds(l->next_us)));
        for (size_t i = 0; i < MIN(n->n_tests, LETTER_TESTS_MAX); i++)
                json_array_append_new(tests, json_pack("{ss ss sb so}", "id", n->tests[i].id, "sink", n->tests[i].sink, "ok", n->tests[i].good,
                                                       "text", text_json(n->tests[i].text)));
        json_object_set(doc, "life", n->life ? n->life : json_null());
        json_object_set_new(doc, "sinks", sinks);
        json_object_set_new(doc, "queue", queue);
        json_object_set_new(doc, "tests", tests);
        json_object_set_new(doc, "counters", json_pack("{sI sI sI}", "delivered", (json_int_t)n->delivered, "failed", (json_int_t)n->failed,
                                                       "dropped", (json_int_t)n->dropped));
}

void brain_notify_each(struct brain *b, void (*fn)(void *data, const char *key, json_t *value), void *data)
{
        names_save(b, fn, data);
        for (const struct letter *l = b->notify->letters; l; l = l->next) {
                char key[ALERT_NAME_MAX + 64];
                json_t *o;

                if (l->test || l->bytes > VALUE_MAX)
                        continue;
                snprintf(key, sizeof(key), "letter/%s/%s", l->id, l->sink);
                o = json_pack("{ss ss sO si sb sI}", "id", l->id, "sink", l->sink, "message", l->message, "attempts", (int)l->attempts,
                              "elsewhere", l->elsewhere, "created", (json_int_t)brain_wall_us() - brain_now_us() + l->created_us);
                fn(data, key, o);
                json_decref(o);
        }
}

static bool id_ok(const char *s)
{
        return s && strlen(s) == 32 && strspn(s, "0123456789abcdef") == 32;
}

void brain_notify_load(struct brain *b, const char *key, const json_t *value, bool stored)
{
        const char *id = json_string_value(json_object_get(value, "id")), *sink = json_string_value(json_object_get(value, "sink"));
        const json_t *message = json_object_get(value, "message");
        int64_t created = json_integer_value(json_object_get(value, "created")) - (brain_wall_us() - brain_now_us());
        bool there = false;
        struct letter *l;

        if (streq(key, "alert-addresses"))
                names_load(b, value);
        if (!str_starts(key, "letter/") || !id_ok(id) || !sink || !json_is_string(json_object_get(message, "subject")))
                return;
        for (size_t i = 0; i < b->notify->n_sinks; i++)
                there |= streq(b->notify->sinks[i].name, sink);
        if (!there || letter_find(b, id, sink))
                return;
        l = append(b, id, sink, message);
        l->created_us = MIN(created, brain_now_us());
        l->attempts = (unsigned)MIN(MAX(json_integer_value(json_object_get(value, "attempts")), 0), 1000000) + stored;
        l->elsewhere = json_is_true(json_object_get(value, "elsewhere"));
}
