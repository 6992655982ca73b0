/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The dictionary of series, all of it in memory: a key is looked up for every value that comes in. */

#include "store.h"

static uint64_t hash(const char *key)
{
        uint64_t h = 14695981039346656037ULL; /* FNV-1a; the keys come from our own brain */

        for (; *key; key++)
                h = (h ^ (uint8_t)*key) * 1099511628211ULL;
        return h ^ h >> 32;
}

void dict_done(struct dict *d)
{
        for (size_t i = 0; i < d->n; i++)
                free(d->series[i]);
        for (size_t i = 0; i < d->n_components; i++) {
                free(d->components[i]->name);
                free(d->components[i]);
        }
        free(d->series);
        free(d->components);
        free(d->slots);
        *d = (struct dict){ 0 };
}

struct series *dict_find(const struct dict *d, const char *key)
{
        if (d->n_slots == 0)
                return NULL;
        for (size_t i = hash(key) & (d->n_slots - 1); d->slots[i]; i = (i + 1) & (d->n_slots - 1)) {
                struct series *s = d->series[d->slots[i] - 1];

                if (streq(s->key, key))
                        return s;
        }
        return NULL;
}

static void slot_add(struct dict *d, uint32_t index)
{
        size_t i = hash(d->series[index]->key) & (d->n_slots - 1);

        while (d->slots[i])
                i = (i + 1) & (d->n_slots - 1);
        d->slots[i] = index + 1;
}

/* Room for one more; the hash table is kept at most half full. */
static bool reserve(struct dict *d)
{
        if (d->n == d->size) {
                size_t size = MAX(d->size * 2, 64);
                struct series **p = realloc(d->series, size * sizeof(struct series *));

                if (!p)
                        return false;
                d->series = p;
                d->size = size;
        }
        if ((d->n + 1) * 2 > d->n_slots) {
                size_t n = MAX(d->n_slots * 2, 128);
                uint32_t *slots = calloc(n, sizeof(*slots));

                if (!slots)
                        return false;
                free(d->slots);
                d->slots = slots;
                d->n_slots = n;
                for (size_t i = 0; i < d->n; i++)
                        slot_add(d, (uint32_t)i);
        }
        return true;
}

struct component *dict_component(struct dict *d, const char *name, bool add)
{
        struct component *c;

        for (size_t i = 0; i < d->n_components; i++)
                if (streq(d->components[i]->name, name))
                        return d->components[i];
        if (!add)
                return NULL;
        if (d->n_components == d->components_size) {
                size_t size = MAX(d->components_size * 2, 16);
                struct component **p = realloc(d->components, size * sizeof(struct component *));

                if (!p)
                        return NULL;
                d->components = p;
                d->components_size = size;
        }
        c = calloc(1, sizeof(*c));
        if (!c)
                return NULL;
        c->name = strdup(name);
        if (!c->name) {
                free(c);
                return NULL;
        }
        d->components[d->n_components++] = c;
        return c;
}

struct series *dict_add(struct dict *d, const char *key, const char *component, uint32_t id)
{
        size_t len = strlen(key) + 1;
        struct component *c = dict_component(d, component, true);
        struct series *s;

        if (!c || !reserve(d) || d->next_id >= SERIES_ID_MAX)
                return NULL;
        s = malloc(sizeof(*s) + len);
        if (!s)
                return NULL;
        *s = (struct series){ .id = id ? id : MAX(d->next_id, 1u), .stored = id != 0, .component = c };
        memcpy(s->key, key, len);
        d->next_id = MAX(d->next_id, s->id + 1);
        d->series[d->n++] = s;
        slot_add(d, (uint32_t)d->n - 1);
        return s;
}

void dict_forget_values(struct dict *d)
{
        for (size_t i = 0; i < d->n; i++)
                d->series[i]->known = false;
}

void dict_forget_storage(struct dict *d)
{
        for (size_t i = 0; i < d->n; i++)
                d->series[i]->stored = d->series[i]->known = false;
}
