/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Instances and components: what there is. What was measured of it is in judge_run.c, levels are in judge_level.c. */

#include "judge_private.h"

#include <stdarg.h>

#define COMPONENTS_MAX 4096

static const char *const verdict_names[VERDICT_MAX] = {
        [VERDICT_PENDING] = "pending",
        [VERDICT_OK] = "ok",
        [VERDICT_NODATA] = "nodata",
        [VERDICT_DENIED] = "denied",
        [VERDICT_FAILED] = "failed",
        [VERDICT_TIMEOUT] = "timeout",
};

const char *verdict_name(enum verdict verdict)
{
        assert(verdict < VERDICT_MAX);
        return verdict_names[verdict];
}

int verdict_from_name(const char *name)
{
        for (int i = VERDICT_OK; i < VERDICT_MAX; i++)
                if (streq(verdict_names[i], name))
                        return i;
        return -EINVAL;
}

void *judge_alloc(size_t n, size_t size)
{
        void *p = calloc(n ? n : 1, size);

        if (!p)
                abort();
        return p;
}

char *judge_strdup(const char *s)
{
        char *p = strdup(s);

        if (!p)
                abort();
        return p;
}

struct judge *judge_new(const struct catalog *catalog, const struct judge_callbacks *callbacks)
{
        struct judge *j = judge_alloc(1, sizeof(*j));

        j->catalog = catalog;
        j->callbacks = *callbacks;
        judge_health_unread(&j->health);
        return j;
}

void judge_series_done(struct judge_series *s)
{
        for (unsigned i = 0; i < s->n_rules; i++)
                rule_state_done(&s->rules[i].state);
        free(s->rules);
        free((char *)s->labels);
}

void judge_instance_free(struct judge_instance *i)
{
        for (size_t k = 0; k < i->n_series; k++)
                judge_series_done(&i->series[k]);
        free(i->series);
        scorecard_state_done(&i->scorecard);
        free(i->name);
        free(i->id);
        free(i->kind);
        free(i->said);
        free(i);
}

struct judge *judge_free(struct judge *j)
{
        if (!j)
                return NULL;
        while (j->instances) {
                struct judge_instance *next = j->instances->next;

                judge_instance_free(j->instances);
                j->instances = next;
        }
        while (j->components) {
                struct judge_component *c = j->components;

                j->components = c->next;
                free(c->name);
                free(c->kind);
                free(c->id);
                free(c);
        }
        while (j->pending) {
                struct pending_state *p = j->pending;

                j->pending = p->next;
                json_decref(p->value);
                free(p->key);
                free(p);
        }
        judge_expected_free(j);
        topology_free(j->topology);
        free(j);
        return NULL;
}

const struct check_desc *judge_check(const struct judge *j, const char *name)
{
        for (size_t i = 0; i < j->catalog->n_checks; i++)
                if (streq(j->catalog->checks[i].name, name))
                        return &j->catalog->checks[i];
        return NULL;
}

static void set_string(char **p, const char *s)
{
        if (streq(*p, s))
                return;
        free(*p);
        *p = judge_strdup(s);
}

struct judge_component *judge_component_get(struct judge *j, const char *name, const char *kind, const char *id)
{
        struct judge_component **p, *c;
        size_t n = 0;

        for (p = &j->components; *p; p = &(*p)->next, n++)
                if (streq((*p)->name, name)) {
                        if (*id && !*(*p)->id)
                                set_string(&(*p)->id, id);
                        if (*kind && !*(*p)->kind)
                                set_string(&(*p)->kind, kind);
                        return *p;
                }
        /* Past the limit everything falls into one, which is then judged by its worst part: no level is lost. */
        if (n >= COMPONENTS_MAX) {
                j->limits |= LIMIT_BIT(LIMIT_COMPONENTS);
                return j->components;
        }
        *p = c = judge_alloc(1, sizeof(*c));
        c->name = judge_strdup(name);
        c->kind = judge_strdup(kind);
        c->id = judge_strdup(id);
        return c;
}

struct judge_instance *judge_find(struct judge *j, const struct check_desc *check, const char *name)
{
        for (struct judge_instance *i = j->instances; i; i = i->next)
                if (i->check == check && streq(i->name, name))
                        return i;
        return NULL;
}

void judge_tell(struct judge *j, const char *component, const char *fmt, ...)
{
        char text[512];
        va_list ap;

        va_start(ap, fmt);
        vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        if (j->callbacks.event)
                j->callbacks.event(j->callbacks.data, component, text);
}

void judge_discovery_begin(struct judge *j, const struct check_desc *check)
{
        j->discoveries++;
        for (struct judge_instance *i = j->instances; i; i = i->next)
                if (i->check == check)
                        i->present = i->pushed;
}

/* The same part under another name. */
static struct judge_instance *elsewhere(const struct judge *j, const struct judge_instance *i)
{
        for (struct judge_instance *o = j->instances; *i->id && o; o = o->next)
                if (o != i && o->check == i->check && streq(o->id, i->id))
                        return o;
        return NULL;
}

/* It went from here to there: two paths to one disk, or two disks with one number, have been there together. */
static const struct judge_instance *moved_to(const struct judge *j, const struct judge_instance *i)
{
        for (const struct judge_instance *o = j->instances; *i->id && !i->present && o; o = o->next)
                if (o->check == i->check && streq(o->id, i->id) && o->present && o->came > i->was)
                        return o;
        return NULL;
}

bool judge_superseded(const struct judge *j, const struct judge_instance *i)
{
        return moved_to(j, i);
}

/* Another part in the same place (a disk swapped): nothing that was known of the old one holds. */
static void instance_reset(struct judge *j, struct judge_instance *i)
{
        judge_tell(j, i->component->name, "%s: another part is in its place now (%s)", i->name, i->id);
        for (size_t k = 0; k < i->n_series; k++)
                judge_series_done(&i->series[k]);
        i->n_series = i->hint = 0;
        scorecard_state_done(&i->scorecard);
        i->scorecard = (struct scorecard_state){ 0 };
        i->powered = (struct powered_clock){ 0 };
        i->verdict = VERDICT_PENDING;
        i->was_ok = i->standby = false;
        i->failures = 0;
        i->bad_us = i->ok_us = i->read_us = i->end_us = 0;
}

/* What is known of the part: of the place where it was until now, or of before. */
static void restore_part(struct judge *j, struct judge_instance *i, int64_t now_us)
{
        const struct judge_instance *was = elsewhere(j, i);

        if (was)
                judge_remember(j, was, now_us);
        judge_restore(j, i, now_us);
}

struct judge_instance *judge_discovery_add(struct judge *j, const struct check_desc *check, const char *name,
                                           const char *component, const char *id, const char *kind, int64_t now_us)
{
        struct judge_instance **p = &j->instances, *i = judge_find(j, check, name);

        if (!i) {
                while (*p)
                        p = &(*p)->next;
                *p = i = judge_alloc(1, sizeof(*i));
                i->check = check;
                i->name = judge_strdup(name);
                i->id = judge_strdup(id);
                i->kind = judge_strdup(kind);
                i->seen_us = now_us;
                i->came = j->discoveries;
                i->component = judge_component_get(j, component, kind, id);
                restore_part(j, i, now_us);
        } else {
                struct judge_component *c = judge_component_get(j, component, kind, id);

                if (c != i->component)
                        i->component->dirty = true;
                i->component = c;
                if (*id && *i->id && !streq(i->id, id)) {
                        judge_remember(j, i, now_us);
                        set_string(&i->id, id);
                        set_string(&i->component->id, id);
                        instance_reset(j, i);
                        i->came = j->discoveries;
                        restore_part(j, i, now_us);
                } else if (*id) {
                        set_string(&i->id, id);
                }
        }
        if (i->gone_us) {
                judge_tell(j, i->component->name, "%s: %s is back", check->name, name);
                i->gone_us = 0;
                i->missed = false;
                i->came = j->discoveries;
        }
        i->present = true;
        i->was = j->discoveries;
        i->component->dirty = true;
        judge_expected_found(j, i);
        return i;
}

void judge_discovery_end(struct judge *j, const struct check_desc *check, int64_t now_us)
{
        judge_expected_looked(j, check);
        for (struct judge_instance **p = &j->instances, *i; (i = *p);) {
                const struct judge_instance *to = i->check == check && !i->stuck ? moved_to(j, i) : NULL;

                if (to) {
                        judge_tell(j, i->component->name, "%s: %s is %s now", check->name, i->name, to->name);
                        *p = i->next;
                        i->component->dirty = true;
                        judge_instance_free(i);
                        continue;
                }
                p = &i->next;
                if (i->check != check || i->present || i->gone_us)
                        continue;
                i->gone_us = now_us;
                i->component->dirty = true;
                if (i->was_ok)
                        judge_tell(j, i->component->name, "%s: %s is no longer there", check->name, i->name);
        }
        judge_settle(j, now_us);
}

struct judge_instance *judge_pushed(struct judge *j, const struct check_desc *check, const char *name, const char *component,
                                    const char *kind, int64_t now_us)
{
        struct judge_instance *i = judge_find(j, check, name);

        if (i)
                return i;
        i = judge_discovery_add(j, check, name, component, "", kind, now_us);
        i->pushed = i->was_ok = true;
        i->verdict = VERDICT_OK;
        i->ok_us = i->end_us = now_us;
        judge_restore(j, i, now_us);
        return i;
}

const struct judge_component *judge_components(const struct judge *j)
{
        return j->components;
}

const struct judge_instance *judge_instances(const struct judge *j)
{
        return j->instances;
}

struct health_result judge_health(const struct judge *j)
{
        return j->health;
}
