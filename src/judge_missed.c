/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Disks that were there before a restart, a reload or a reboot and are not there after it. Without memory a disk that died over
 * a reboot would be no line on any page. Kept is one object for each disk with an id, under "present/CHECK/ID"; what is loaded
 * is looked for under whatever name, and missed like one that vanished while we looked. */

#include "judge_private.h"

#define EXPECTED_MAX 1024
#define PREFIX "present/"
#define PATIENCE_US (60 * USEC_PER_SEC) /* another check may find it, a slow controller may show it late */

struct expected {
        char *check, *id, *name, *component;
        int64_t loaded_us, gone_us; /* gone: since when it was missed already, 0: it was there */
        bool carried, was_protected;
        bool looked; /* its check has looked for disks since */
        bool found;  /* it is there (or accounted for); kept to know later which disks we knew */
        struct expected *next;
};

void judge_expected_free(struct judge *j)
{
        while (j->expected) {
                struct expected *e = j->expected;

                j->expected = e->next;
                free(e->check);
                free(e->id);
                free(e->name);
                free(e->component);
                free(e);
        }
}

static bool is_kept(const struct judge_instance *i)
{
        return i->was_ok && !i->pushed && *i->id && streq(i->kind, "disk");
}

/* --- saving -------------------------------------------------------------------------------------- */

static void save(const char *check, const char *id, json_t *value, void (*fn)(void *data, const char *key, json_t *value), void *data)
{
        char key[256];

        snprintf(key, sizeof(key), PREFIX "%s/%s", check, id);
        if (value)
                fn(data, key, value);
        json_decref(value);
}

static json_t *describe(const char *name, const char *component, bool carried, bool was_protected, int64_t gone_us, int64_t now_us, int64_t wall_us)
{
        json_t *o = json_pack("{ss ss sb sb}", "name", name, "component", component, "carried", carried, "protected", was_protected);

        if (o && gone_us)
                json_object_set_new(o, "gone", json_integer(judge_to_wall(gone_us, now_us, wall_us)));
        return o;
}

void judge_save_present(const struct judge *j, int64_t now_us, int64_t wall_us, void (*fn)(void *data, const char *key, json_t *value), void *data)
{
        for (const struct judge_instance *i = j->instances; i; i = i->next)
                if (is_kept(i))
                        save(i->check->name, i->id,
                             describe(i->name, i->component->name, i->component->carried, i->component->was_protected, i->gone_us, now_us, wall_us),
                             fn, data);
        for (const struct expected *e = j->expected; e; e = e->next)
                if (!e->found)
                        save(e->check, e->id, describe(e->name, e->component, e->carried, e->was_protected, e->gone_us, now_us, wall_us), fn, data);
}

/* --- loading ------------------------------------------------------------------------------------- */

static bool is_there(const struct judge *j, const char *id)
{
        for (const struct judge_instance *i = j->instances; i; i = i->next)
                if (streq(i->id, id))
                        return true;
        return false;
}

static const char *word(const json_t *o, const char *key)
{
        const char *s = json_string_value(json_object_get(o, key));

        return s && *s && strlen(s) < 96 ? s : NULL;
}

void judge_load_present(struct judge *j, const char *key, const json_t *value, int64_t now_us, int64_t wall_us)
{
        const char *name = word(value, "name"), *component = word(value, "component"), *id;
        struct expected **p = &j->expected, *e;
        json_int_t gone = json_integer_value(json_object_get(value, "gone"));
        size_t n = 0;

        if (!str_starts(key, PREFIX))
                return;
        key += strlen(PREFIX);
        id = strchr(key, '/');
        if (!id || id == key || !id[1] || strlen(key) > 200 || !name || !component || is_there(j, id + 1))
                return;
        for (; *p; p = &(*p)->next, n++)
                if (streq((*p)->id, id + 1) && strncmp((*p)->check, key, (size_t)(id - key)) == 0)
                        return;
        if (n >= EXPECTED_MAX)
                return;
        *p = e = judge_alloc(1, sizeof(*e));
        e->check = judge_strdup(key);
        e->check[id - key] = '\0';
        e->id = judge_strdup(id + 1);
        e->name = judge_strdup(name);
        e->component = judge_strdup(component);
        e->loaded_us = now_us;
        e->gone_us = gone > 0 ? judge_from_wall(gone, now_us, wall_us) : 0;
        e->carried = json_is_true(json_object_get(value, "carried"));
        e->was_protected = json_is_true(json_object_get(value, "protected"));
}

/* --- looking ------------------------------------------------------------------------------------- */

static void forget(struct judge *j, const struct judge_instance *i)
{
        for (struct judge_instance **p = &j->instances; *p; p = &(*p)->next)
                if (*p == i) {
                        *p = i->next;
                        i->component->dirty = true;
                        judge_instance_free((struct judge_instance *)i);
                        return;
                }
}

void judge_expected_found(struct judge *j, const struct judge_instance *found)
{
        if (!*found->id)
                return;
        for (struct expected *e = j->expected; e; e = e->next)
                e->found |= streq(e->id, found->id);
        /* It was missed after the restart and comes late, under another name. */
        for (struct judge_instance *i = j->instances, *next; i; i = next) {
                next = i->next;
                if (i != found && i->missed && streq(i->id, found->id))
                        forget(j, i);
        }
}

void judge_discovery_skip(struct judge *j, const struct check_desc *check, const char *name, const char *id)
{
        for (struct expected *e = j->expected; e; e = e->next)
                e->found |= streq(e->check, check->name) && (*id ? streq(e->id, id) : streq(e->name, name));
}

void judge_expected_looked(struct judge *j, const struct check_desc *check)
{
        for (struct expected *e = j->expected; e; e = e->next)
                e->looked |= streq(e->check, check->name);
}

bool judge_is_expected(const struct judge *j, const struct judge_component *c)
{
        for (const struct expected *e = j->expected; e; e = e->next)
                if (!e->found && streq(e->component, c->name))
                        return true;
        return false;
}

static bool was_known(const struct judge *j, const char *id)
{
        for (const struct expected *e = j->expected; e; e = e->next)
                if (streq(e->id, id))
                        return true;
        return false;
}

/* Another disk has its name now. What is missed itself is the same one, by the word of another check: the serial number of an NVMe
 * controller and the id of its namespace are two. */
static bool has_disk(const struct judge *j, const char *component)
{
        for (const struct judge_instance *i = j->instances; i; i = i->next)
                if (!i->missed && streq(i->component->name, component) && streq(i->kind, "disk"))
                        return true;
        return false;
}

/* Disks may have changed names over the reboot: then the missed one goes by its id. */
static void miss(struct judge *j, struct expected *e, const struct check_desc *check, int64_t now_us)
{
        const struct judge_instance *in_place = judge_find(j, check, e->name);
        bool renamed = in_place || has_disk(j, e->component);
        struct judge_instance *i;

        e->found = true;
        if (in_place && *in_place->id && !was_known(j, in_place->id)) {
                judge_tell(j, in_place->component->name, "%s: another part is in its place now (%s)", e->name, in_place->id);
                return;
        }
        i = judge_discovery_add(j, check, renamed ? e->id : e->name, renamed ? e->id : e->component, e->id, "disk", now_us);
        i->present = false;
        i->was_ok = i->missed = true;
        i->gone_us = e->gone_us ? e->gone_us : now_us;
        i->component->carried |= e->carried;
        i->component->was_protected |= e->was_protected;
        judge_tell(j, i->component->name, "%s: %s was there before the last start and is not there any more", check->name, e->name);
}

void judge_expected_tick(struct judge *j, int64_t now_us)
{
        for (struct expected *e = j->expected; e; e = e->next) {
                const struct check_desc *check = e->found || !e->looked || now_us - e->loaded_us < PATIENCE_US ? NULL : judge_check(j, e->check);

                if (check)
                        miss(j, e, check, now_us);
        }
}
