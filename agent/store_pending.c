/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The backlog: what is not on disk yet. Bounded: the oldest goes when it is full, because what happens now matters more
 * than what happened before (of events the least important first), and every loss is counted. */

#include "event_rank.h"
#include "store.h"

void pending_init(struct pending *p)
{
        *p = (struct pending){ 0 };
        p->events_end = &p->events;
}

static void kv_free(struct pending_kv *kv)
{
        free(kv->key);
        free(kv->value);
        free(kv);
}

void pending_clear(struct pending *p)
{
        while (p->events) {
                struct pending_event *e = p->events;

                p->events = e->next;
                free(e);
        }
        p->events_end = &p->events;
        p->n_events = 0;
        while (p->kv) {
                struct pending_kv *kv = p->kv;

                p->kv = kv->next;
                kv_free(kv);
        }
        p->n_kv = p->kv_bytes = 0;
        p->n_samples = p->n_gaps = 0;
        /* After a long trouble it may be large; the next minute does not need that. */
        free(take_ptr(p->samples));
        p->samples_size = 0;
}

void pending_done(struct pending *p)
{
        pending_clear(p);
}

bool pending_empty(const struct pending *p)
{
        return p->n_samples == 0 && p->n_events == 0 && p->n_kv == 0 && p->n_gaps == 0;
}

void pending_sample(struct pending *p, struct series *series, int64_t time_s, double value)
{
        if (p->n_samples == p->samples_size && p->samples_size < BACKLOG_SAMPLES) {
                size_t size = MIN(MAX(p->samples_size * 2, 256), BACKLOG_SAMPLES);
                struct pending_sample *samples = realloc(p->samples, size * sizeof(*samples));

                if (samples) {
                        p->samples = samples;
                        p->samples_size = size;
                }
        }
        if (p->n_samples == p->samples_size) {
                size_t drop = MAX(p->n_samples / 16, p->n_samples ? 1 : 0);

                if (drop == 0) {
                        p->lost_samples++;
                        return;
                }
                memmove(p->samples, p->samples + drop, (p->n_samples - drop) * sizeof(*p->samples));
                p->n_samples -= drop;
                p->lost_samples += drop;
        }
        p->samples[p->n_samples++] = (struct pending_sample){ series, time_s, value };
}

/* At most max bytes, not through the middle of a UTF-8 character. */
static size_t cut(const char *s, size_t max)
{
        size_t len = strlen(s);

        if (len <= max)
                return len;
        len = max;
        while (len > 0 && ((uint8_t)s[len] & 0xc0) == 0x80)
                len--;
        return len;
}

bool pending_has_event(const struct pending *p, const char *id)
{
        for (const struct pending_event *e = p->events; e; e = e->next)
                if (streq(e->id, id))
                        return true;
        return false;
}

/* Makes room for one of this rank; false: all that wait matter more. */
static bool drop_event(struct pending *p, unsigned rank)
{
        struct pending_event **least = &p->events, *e;

        if (!p->events) {
                p->lost_events++;
                return false;
        }
        for (struct pending_event **at = &p->events; *at; at = &(*at)->next)
                if ((*at)->rank < (*least)->rank)
                        least = at;
        e = *least;
        p->lost_events++;
        if (e->rank > rank)
                return false;
        *least = e->next;
        if (!e->next)
                p->events_end = least;
        free(e);
        p->n_events--;
        return true;
}

void pending_event(struct pending *p, const char *id, double time, const char *component, const char *kind, const char *from, const char *to,
                   const char *rule, const char *why)
{
        const char *in[] = { component, kind, from, to, rule, why, id };
        size_t len[ARRAY_LEN(in)], sum = ARRAY_LEN(in); /* their NUL bytes */
        struct pending_event *e;
        char *out, **to_field[ARRAY_LEN(in)];

        for (size_t i = 0; i < ARRAY_LEN(in); i++)
                sum += len[i] = cut(in[i], i == 5 ? WHY_MAX : COMPONENT_MAX);
        e = malloc(sizeof(*e) + sum);
        if (!e) {
                p->lost_events++;
                return;
        }
        *e = (struct pending_event){ .time = time, .rank = event_rank(kind, from, to) };
        to_field[0] = &e->component, to_field[1] = &e->kind, to_field[2] = &e->from, to_field[3] = &e->to, to_field[4] = &e->rule,
        to_field[5] = &e->why, to_field[6] = &e->id;
        out = e->text;
        for (size_t i = 0; i < ARRAY_LEN(in); i++) {
                *to_field[i] = out;
                memcpy(out, in[i], len[i]);
                out[len[i]] = '\0';
                out += len[i] + 1;
        }
        if (p->n_events == BACKLOG_EVENTS && !drop_event(p, e->rank)) {
                free(e);
                return;
        }
        *p->events_end = e;
        p->events_end = &e->next;
        p->n_events++;
}

const struct pending_kv *pending_find(const struct pending *p, const char *key)
{
        for (const struct pending_kv *kv = p->kv; kv; kv = kv->next)
                if (streq(kv->key, key))
                        return kv;
        return NULL;
}

static size_t kv_cost(const struct pending_kv *kv)
{
        return sizeof(*kv) + strlen(kv->key) + (kv->value ? strlen(kv->value) : 0);
}

bool pending_put(struct pending *p, const char *key, char *value)
{
        struct pending_kv *kv = (struct pending_kv *)pending_find(p, key);
        size_t before = kv ? kv_cost(kv) : 0, after = sizeof(*kv) + strlen(key) + (value ? strlen(value) : 0);

        if (p->kv_bytes - before + after > BACKLOG_KV_BYTES || (!kv && !(kv = calloc(1, sizeof(*kv))))) {
                p->lost_kv++;
                free(value);
                return false;
        }
        if (!kv->key) {
                kv->key = strdup(key);
                if (!kv->key) {
                        p->lost_kv++;
                        kv_free(kv);
                        free(value);
                        return false;
                }
                kv->next = p->kv;
                p->kv = kv;
                p->n_kv++;
        }
        free(kv->value);
        kv->value = value;
        p->kv_bytes += after - before;
        return true;
}

/* Two gaps that touch are one; when there is no room the last grows: too much is shown as not known, never too little. */
void pending_gap(struct pending *p, int64_t from_s, int64_t to_s)
{
        if (p->n_gaps == ARRAY_LEN(p->gaps)) {
                struct gap *last = &p->gaps[p->n_gaps - 1];

                last->from_s = MIN(last->from_s, from_s);
                last->to_s = MAX(last->to_s, to_s);
                return;
        }
        p->gaps[p->n_gaps++] = (struct gap){ from_s, to_s };
}
