/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Whether a hook is run now: see the header. Called by the brain each time something changed. */

#include "hook_plan.h"

#define DAY_S 86400

enum hook_verdict hook_plan(const struct hook_config *h, enum hook_mode mode, const struct hook_memory *m, const char *key,
                            const char *component, int64_t now_s, char *why, size_t size)
{
        int64_t last = json_integer_value(json_object_get(m->acted, component));
        size_t runs = 0;

        if (json_object_get(m->seen, key))
                return HOOK_NOTHING;
        if (json_object_size(m->seen) >= HOOK_SEEN_MAX) {
                snprintf(why, size, "%d of its causes stand already", HOOK_SEEN_MAX);
                return HOOK_WAIT;
        }
        if (mode == HOOK_ADVISE)
                return HOOK_SAY;
        if (m->busy) {
                snprintf(why, size, "it runs, or somebody is asked, for another cause");
                return HOOK_WAIT;
        }
        if (last && MIN(last, now_s) + h->cool_down_s > now_s) {
                snprintf(why, size, "it cools down for %lld s more", (long long)(MIN(last, now_s) + h->cool_down_s - now_s));
                return HOOK_WAIT;
        }
        for (size_t i = 0; i < m->n_runs; i++)
                runs += MIN(m->runs_s[i], now_s) + DAY_S > now_s;
        if (runs >= (size_t)h->per_day) {
                snprintf(why, size, "it ran %zu times within a day, and per_day = %d", runs, h->per_day);
                return HOOK_WAIT;
        }
        return mode == HOOK_CONFIRM ? HOOK_ASK : HOOK_RUN;
}

static void put_time(json_t **object, const char *key, int64_t now_s)
{
        if (!*object)
                *object = json_object();
        if (!*object || json_object_set_new(*object, key, json_integer(now_s)) < 0)
                abort();
}

void hook_answered(struct hook_memory *m, const char *key, int64_t now_s)
{
        put_time(&m->seen, key, now_s);
}

void hook_ran(const struct hook_config *h, struct hook_memory *m, const char *component, int64_t now_s)
{
        const char *key;
        json_t *value;
        void *next;
        size_t n = 0;

        for (size_t i = 0; i < m->n_runs; i++) {
                m->runs_s[i] = MIN(m->runs_s[i], now_s);
                if (m->runs_s[i] + DAY_S > now_s)
                        m->runs_s[n++] = m->runs_s[i];
        }
        if (n == HOOK_DAY_MAX) /* by hand, which nothing bounds */
                memmove(m->runs_s, m->runs_s + 1, --n * sizeof(m->runs_s[0]));
        m->runs_s[n++] = now_s;
        m->n_runs = n;
        json_object_foreach_safe(m->acted, next, key, value)
                if (json_integer_value(value) + h->cool_down_s <= now_s)
                        json_object_del(m->acted, key);
        if (json_object_size(m->acted) < HOOK_SEEN_MAX)
                put_time(&m->acted, component, now_s);
}

bool hook_forget(struct hook_memory *m, bool (*stands)(void *data, const char *key), void *data)
{
        const char *key;
        json_t *value;
        void *next;
        bool any = false;

        json_object_foreach_safe(m->seen, next, key, value)
                if (!stands(data, key)) {
                        json_object_del(m->seen, key);
                        any = true;
                }
        return any;
}

void hook_memory_done(struct hook_memory *m)
{
        json_decref(m->seen);
        json_decref(m->acted);
        *m = (struct hook_memory){ 0 };
}

json_t *hook_memory_save(const struct hook_memory *m)
{
        json_t *runs = json_array(), *o = json_object();

        for (size_t i = 0; i < m->n_runs; i++)
                json_array_append_new(runs, json_integer(m->runs_s[i]));
        json_object_set_new(o, "runs", runs);
        json_object_set_new(o, "seen", m->seen ? json_deep_copy(m->seen) : json_object());
        json_object_set_new(o, "acted", m->acted ? json_deep_copy(m->acted) : json_object());
        return o;
}

static void load_times(json_t **ret, const json_t *value, int64_t now_s)
{
        const char *key;
        json_t *v;

        json_object_foreach((json_t *)value, key, v) {
                int64_t t = json_integer_value(v);

                if (t > 0 && json_object_size(*ret) < HOOK_SEEN_MAX)
                        put_time(ret, key, MIN(t, now_s));
        }
}

void hook_memory_load(struct hook_memory *m, const json_t *value, int64_t now_s)
{
        const json_t *v;
        size_t i;

        load_times(&m->seen, json_object_get(value, "seen"), now_s);
        load_times(&m->acted, json_object_get(value, "acted"), now_s);
        m->n_runs = 0;
        json_array_foreach(json_object_get(value, "runs"), i, v) {
                int64_t t = json_integer_value(v);

                if (t > 0 && m->n_runs < HOOK_DAY_MAX)
                        m->runs_s[m->n_runs++] = MIN(t, now_s);
        }
}
