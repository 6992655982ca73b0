/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* See brain_memory.h. */

#include "brain_memory.h"

static uint64_t hash_bytes(uint64_t h, const void *data, size_t len)
{
        const unsigned char *p = data;

        while (len--)
                h = (h ^ *p++) * 1099511628211u; /* FNV-1a */
        return h;
}

/* Without the member skip of the outermost object; NULL: with all. */
static uint64_t hash_json(uint64_t h, const json_t *v, const char *skip)
{
        char type = (char)('0' + json_typeof(v));
        json_int_t integer = json_integer_value(v);
        double real = json_real_value(v);
        const json_t *item;
        const char *key;
        size_t i;

        h = hash_bytes(h, &type, 1);
        if (json_is_string(v))
                return hash_bytes(h, json_string_value(v), json_string_length(v) + 1);
        if (json_is_integer(v))
                return hash_bytes(h, &integer, sizeof(integer));
        if (json_is_real(v))
                return hash_bytes(h, &real, sizeof(real));
        json_array_foreach(v, i, item)
                h = hash_json(h, item, NULL);
        json_object_foreach((json_t *)v, key, item)
                if (!skip || !streq(key, skip))
                        h = hash_json(hash_bytes(h, key, strlen(key) + 1), item, NULL);
        return hash_bytes(h, "]", 1);
}

/* What stands for a value among those that the store has: the values themselves would be half a megabyte. The time of saving is
 * no change. */
static json_t *stand_in(const json_t *value)
{
        return json_integer((json_int_t)hash_json(14695981039346656037u, value, "wall"));
}

void memory_init(struct memory *m)
{
        *m = (struct memory){ json_object(), json_object(), json_object() };
        if (!m->saved || !m->told || !m->refused)
                abort();
}

void memory_done(struct memory *m)
{
        json_decref(m->saved);
        json_decref(m->told);
        json_decref(m->refused);
}

void memory_loaded(struct memory *m, const char *key, const json_t *value)
{
        json_object_set_new(m->saved, key, stand_in(value));
}

static const json_t *told_value(const struct memory *m, const char *key)
{
        return json_array_get(json_object_get(m->told, key), 1);
}

bool memory_differs(const struct memory *m, const char *key, const json_t *value)
{
        const json_t *last = told_value(m, key);
        json_t *now;
        bool differs;

        if (!last)
                last = json_object_get(m->saved, key);
        if (!value)
                return last && !json_is_null(last);
        now = stand_in(value);
        differs = !json_equal(last, now) && !json_equal(json_object_get(m->refused, key), now);
        json_decref(now);
        return differs;
}

void memory_told(struct memory *m, const char *key, const json_t *value, int64_t seq)
{
        json_object_set_new(m->told, key, json_pack("[Io]", (json_int_t)seq, value ? stand_in(value) : json_null()));
        json_object_del(m->refused, key);
}

void memory_confirmed(struct memory *m, int64_t seq)
{
        const char *key;
        json_t *row;
        void *next;

        json_object_foreach_safe(m->told, next, key, row) {
                json_t *value = json_array_get(row, 1);

                if (json_integer_value(json_array_get(row, 0)) > seq)
                        continue;
                if (json_is_null(value))
                        json_object_del(m->saved, key);
                else
                        json_object_set(m->saved, key, value);
                json_object_del(m->told, key);
        }
}

void memory_refused(struct memory *m, const char *key)
{
        const json_t *value = told_value(m, key);

        if (json_is_integer(value))
                json_object_set(m->refused, key, (json_t *)value);
        json_object_del(m->told, key);
}

void memory_forget(struct memory *m)
{
        json_object_clear(m->saved);
        json_object_clear(m->told);
        json_object_clear(m->refused);
}

void memory_link_down(struct memory *m)
{
        json_object_clear(m->told);
        json_object_clear(m->refused); /* the next store may have room */
}

void memory_each_gone(const struct memory *m, bool (*kind)(const char *key), const json_t *now, void (*fn)(void *data, const char *key), void *data)
{
        json_t *keys = json_object();
        const char *key;
        json_t *v;
        void *next;

        json_object_update(keys, m->saved);
        json_object_update(keys, m->told);
        json_object_foreach_safe(keys, next, key, v)
                if (kind(key) && !json_object_get(now, key) && memory_differs(m, key, NULL))
                        fn(data, key);
        json_decref(keys);
}
