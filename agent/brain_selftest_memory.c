/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* See brain_selftest.h. What of self-tests must survive a restart (RUN/state.json) and a reboot (the store): per disk when a
 * test of each kind began, passed, failed or broke off, and which one is under way; for the host since when the calendar is as
 * it is. What is read back is a stranger's: bounded, and only added to what is known. */

#include "brain_selftest.h"

#define FORGET_S (400LL * 86400) /* a disk not seen for so long is not missed */
#define STATE_PREFIX "selftest/"
#define CALENDAR_KEY "selftest-calendar"

struct brain_selftest *brain_selftest_of(struct brain *b)
{
        if (!b->selftest) {
                b->selftest = calloc(1, sizeof(*b->selftest));
                if (!b->selftest)
                        abort();
                b->selftest->b = b;
        }
        return b->selftest;
}

void selftest_memory_key(const struct judge_instance *i, char *buf, size_t size)
{
        if (*i->id)
                snprintf(buf, size, "%s", i->id);
        else
                snprintf(buf, size, "%s/%s", i->check->name, i->name);
}

static void memory_free(struct selftest_memory *m)
{
        free(m->key);
        free(m);
}

/* Makes room: the disk that is away and was seen last the longest ago. */
static bool drop_oldest(struct brain_selftest *s)
{
        struct selftest_memory **oldest = NULL, *m;

        for (struct selftest_memory **p = &s->memories; *p; p = &(*p)->next)
                if (!*(*p)->component && (!oldest || (*p)->seen_s < (*oldest)->seen_s))
                        oldest = p;
        if (!oldest)
                return false;
        m = *oldest;
        *oldest = m->next;
        memory_free(m);
        s->n_memories--;
        return true;
}

struct selftest_memory *selftest_memory_get(struct brain_selftest *s, const char *key)
{
        struct selftest_memory *m;

        for (m = s->memories; m; m = m->next)
                if (streq(m->key, key))
                        return m;
        if (s->n_memories >= SELFTEST_DISKS_MAX && !drop_oldest(s))
                return NULL;
        m = calloc(1, sizeof(*m));
        if (!m || !(m->key = strdup(key)))
                abort();
        m->under_way = -1;
        m->known_s = m->seen_s = selftest_wall_s();
        m->next = s->memories;
        s->memories = m;
        s->n_memories++;
        return m;
}

void selftest_memory_free_all(struct brain_selftest *s)
{
        while (s->memories) {
                struct selftest_memory *m = s->memories;

                s->memories = m->next;
                memory_free(m);
        }
        s->n_memories = 0;
        for (int k = 0; k < SELFTEST_KINDS; k++) {
                free(s->calendar[k]);
                s->calendar[k] = NULL;
        }
}

void selftest_calendar_set(struct brain_selftest *s, enum selftest_kind kind, const char *text)
{
        if (s->calendar[kind] && streq(s->calendar[kind], text))
                return;
        free(s->calendar[kind]);
        s->calendar[kind] = strdup(text);
        if (!s->calendar[kind])
                abort();
        s->since_s[kind] = selftest_wall_s();
}

/* --- saving -------------------------------------------------------------------------------------- */

static json_t *save_kind(const struct selftest_memory *m, int k)
{
        bool begun = m->under_way != k || m->confirmed; /* a wish that no run has answered yet is made anew */

        return json_pack("{sI sI sI sI}", "started", (json_int_t)(begun ? m->started_s[k] : m->before_s), "passed", (json_int_t)m->passed_s[k], "failed",
                         (json_int_t)m->failed_s[k], "early", (json_int_t)m->early_s[k]);
}

static json_t *save_memory(const struct selftest_memory *m)
{
        json_t *o = json_pack("{sI sI sI sI}", "known", (json_int_t)m->known_s, "seen", (json_int_t)m->seen_s / 86400 * 86400, "retry",
                              (json_int_t)m->retry_s, "running_since", (json_int_t)m->running_since_s);

        for (int k = 0; o && k < SELFTEST_KINDS; k++)
                json_object_set_new(o, selftest_kind_name((enum selftest_kind)k), save_kind(m, k));
        if (m->under_way >= 0 && m->confirmed)
                json_object_set_new(o, "under_way", json_string(selftest_kind_name((enum selftest_kind)m->under_way)));
        return o;
}

void brain_selftest_each(struct brain *b, void (*fn)(void *data, const char *key, json_t *value), void *data)
{
        struct brain_selftest *s = b->selftest;
        json_t *calendar = json_object();
        char key[280];

        for (const struct selftest_memory *m = s ? s->memories : NULL; m; m = m->next) {
                json_t *value = save_memory(m);

                snprintf(key, sizeof(key), STATE_PREFIX "%s", m->key);
                if (value)
                        fn(data, key, value);
                json_decref(value);
        }
        for (int k = 0; s && k < SELFTEST_KINDS; k++)
                if (s->calendar[k] && *s->calendar[k])
                        json_object_set_new(calendar, selftest_kind_name((enum selftest_kind)k),
                                            json_pack("{ss sI}", "text", s->calendar[k], "since", (json_int_t)s->since_s[k]));
        if (json_object_size(calendar))
                fn(data, CALENDAR_KEY, calendar);
        json_decref(calendar);
}

/* --- loading ------------------------------------------------------------------------------------- */

/* A time, 0 for whatever else it is. Times to come are kept: the clock may be wrong now (selftest_past_s). */
static int64_t time_of(const json_t *o, const char *name)
{
        int64_t t = json_integer_value(json_object_get(o, name));

        return t > 0 && t < 1LL << 40 ? t : 0;
}

static void load_kind(struct selftest_memory *m, int k, const json_t *o)
{
        m->started_s[k] = MAX(m->started_s[k], time_of(o, "started"));
        m->passed_s[k] = MAX(m->passed_s[k], time_of(o, "passed"));
        m->failed_s[k] = MAX(m->failed_s[k], time_of(o, "failed"));
        m->early_s[k] = MAX(m->early_s[k], time_of(o, "early"));
}

static void load_memory(struct brain_selftest *s, const char *name, const json_t *o)
{
        const char *under_way = json_string_value(json_object_get(o, "under_way"));
        int64_t known = time_of(o, "known"), seen = time_of(o, "seen");
        struct selftest_memory *m;

        if (!*name || strlen(name) > 250 || selftest_wall_s() - seen > FORGET_S)
                return;
        m = selftest_memory_get(s, name);
        if (!m)
                return;
        m->known_s = known ? MIN(known, m->known_s) : m->known_s;
        m->seen_s = seen;
        m->retry_s = MAX(m->retry_s, time_of(o, "retry"));
        m->running_since_s = time_of(o, "running_since");
        for (int k = 0; k < SELFTEST_KINDS; k++)
                load_kind(m, k, json_object_get(o, selftest_kind_name((enum selftest_kind)k)));
        if (m->under_way < 0 && under_way && selftest_kind_from_name(under_way) >= 0) {
                m->under_way = selftest_kind_from_name(under_way);
                m->confirmed = true;
                m->run = 0;
        }
}

/* The calendar of before: where it is the one of now, it has held since then. */
static void load_calendar(struct brain_selftest *s, const json_t *o)
{
        for (int k = 0; k < SELFTEST_KINDS; k++) {
                const json_t *row = json_object_get(o, selftest_kind_name((enum selftest_kind)k));
                const char *text = json_string_value(json_object_get(row, "text"));
                int64_t since = time_of(row, "since");

                if (!text || strlen(text) > 255 || !since)
                        continue;
                if (!s->calendar[k])
                        selftest_calendar_set(s, (enum selftest_kind)k, text);
                if (streq(s->calendar[k], text))
                        s->since_s[k] = MIN(s->since_s[k], since);
        }
}

void brain_selftest_load(struct brain *b, const char *key, const json_t *value)
{
        if (!json_is_object(value))
                return;
        if (str_starts(key, STATE_PREFIX))
                load_memory(brain_selftest_of(b), key + strlen(STATE_PREFIX), value);
        else if (streq(key, CALENDAR_KEY))
                load_calendar(brain_selftest_of(b), value);
}
