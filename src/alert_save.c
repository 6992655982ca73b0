/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The state of alerts as JSON, and back. Times are written as wall clock, so that a reboot does not matter. What is read
 * was written by us, but lay on a disk: every part is checked, and what is bad is left out. */

#include <math.h>

#include "alert_private.h"

/* Whole seconds: the two clocks are never read at the same moment, and what did not change must not look as if it had. */
static json_t *when(const struct alerts *a, int64_t us)
{
        int64_t wall = alerts_wall_us(a, us) + USEC_PER_SEC / 2;

        return json_integer(us ? wall - wall % USEC_PER_SEC : 0);
}

static json_t *told_json(const struct alerts *a, const struct alert *x)
{
        json_t *o = json_object();

        for (size_t k = 0; k < a->policy.n_contacts; k++) {
                const struct alert_told *t = &x->told[k];

                if (t->ever || t->peak > LEVEL_OK)
                        json_object_set_new(o, a->policy.contacts[k].name,
                                            json_pack("{sb ss ss so si}", "ever", t->ever, "level", level_name(t->level), "peak",
                                                      level_name(t->peak), "at", when(a, t->at_us), "repeats", (int)t->repeats));
        }
        return o;
}

static json_t *alert_json(const struct alerts *a, const struct alert *x)
{
        json_t *o = json_pack("{ss ss ss ss ss ss ss ss ss ss so so so sI si si sb so}", "host", x->host, "component", x->component,
                              "rule", x->rule, "kind", x->kind, "text", x->text, "clears", x->clears, "check", x->check, "instance",
                              x->instance, "level", level_name(x->level), "worst", level_name(x->worst), "opened", when(a, x->opened_us),
                              "since", when(a, x->level_us), "first_told", when(a, x->first_told_us),
                              "id", (json_int_t)x->opened_wall_us, "roles", (int)x->roles, "changes", (int)x->changes, "protected",
                              x->protected_, "told", told_json(a, x));

        if (isfinite(x->value))
                json_object_set_new(o, "value", json_real(x->value));
        if (x->cause)
                json_object_set_new(o, "cause", json_string(x->cause));
        if (x->acked)
                json_object_set_new(o, "ack", json_pack("{ss ss so}", "by", x->acked_by, "why", x->acked_why, "at", when(a, x->acked_us)));
        return o;
}

static json_t *silences_json(const struct alerts *a)
{
        json_t *list = json_array();

        for (size_t i = 0; i < a->n_silences; i++) {
                const struct alert_silence *s = &a->silences[i];

                json_array_append_new(list, json_pack("{si ss ss ss so so ss ss}", "id", (int)s->id, "host", s->host, "component", s->component,
                                                      "rule", s->rule, "from", when(a, s->from_us), "end", when(a, s->end_us), "by", s->by,
                                                      "why", s->why));
        }
        return list;
}

static json_t *sent_json(const struct alerts *a)
{
        json_t *o = json_object();

        for (size_t k = 0; k < a->policy.n_contacts; k++) {
                json_t *list = json_array();

                for (size_t i = 0; i < a->sent[k].n; i++)
                        json_array_append_new(list, a->sent[k].urgent[i] ? json_pack("[o]", when(a, a->sent[k].at_us[i])) : when(a, a->sent[k].at_us[i]));
                json_object_set_new(o, a->policy.contacts[k].name, list);
        }
        return o;
}

/* A name for the object, at most 255 bytes: that is what the store takes. */
static void alert_key(const struct alert *x, char *buf, size_t size)
{
        uint32_t h = 2166136261u;

        for (const char *c = x->host; *c; c++)
                h = (h ^ (unsigned char)*c) * 16777619u;
        snprintf(buf, size, "alert/%08x/%s/%s", h, x->component, x->rule);
}

void alerts_save(const struct alerts *a, void (*fn)(void *data, const char *key, json_t *value), void *data)
{
        json_t *rest = json_pack("{si so so}", "last_silence", (int)a->last_silence, "silences", silences_json(a), "sent", sent_json(a));

        if (a->maintenance.by)
                json_object_set_new(rest, "maintenance",
                                    json_pack("{so so ss ss}", "from", when(a, a->maintenance.from_us), "end", when(a, a->maintenance.end_us),
                                              "by", a->maintenance.by, "why", a->maintenance.why));
        fn(data, "alerts", rest);
        json_decref(rest);
        for (size_t i = 0; i < a->n; i++) {
                char key[2 * ALERT_NAME_MAX + 24];
                json_t *o = alert_json(a, a->list[i]);

                alert_key(a->list[i], key, sizeof(key));
                fn(data, key, o);
                json_decref(o);
        }
}

/* --- back ----------------------------------------------------------------------------------------------------- */

static const char *text(const json_t *o, const char *key)
{
        const char *s = json_string_value(json_object_get(o, key));

        return s ? s : "";
}

static enum level level_of(const json_t *o, const char *key)
{
        int l = level_from_name(text(o, key));

        return l < 0 ? LEVEL_OK : (enum level)l;
}

static unsigned small(const json_t *o, const char *key)
{
        json_int_t v = json_integer_value(json_object_get(o, key));

        return v > 0 ? (unsigned)MIN(v, 1000000000) : 0;
}

/* A time of CLOCK_BOOTTIME, of this boot or (negative) before; 0 stays "never". Absurd ones are now. */
static int64_t boot_time(const struct alerts *a, const json_t *o, const char *key)
{
        json_int_t v = json_integer_value(json_object_get(o, key));

        if (v == 0)
                return 0;
        if (v < 0 || v > INT64_MAX / 2)
                v = a->wall_less_boot_us;
        v -= a->wall_less_boot_us;
        return v ? v : 1;
}

static void load_told(const struct alerts *a, struct alert *x, const json_t *all)
{
        for (size_t k = 0; k < a->policy.n_contacts; k++) {
                const json_t *o = json_object_get(all, a->policy.contacts[k].name);

                if (json_is_object(o))
                        x->told[k] = (struct alert_told){ .ever = json_is_true(json_object_get(o, "ever")), .level = level_of(o, "level"),
                                                          .peak = level_of(o, "peak"), .at_us = boot_time(a, o, "at"),
                                                          .repeats = small(o, "repeats") };
        }
}

static void load_alert(struct alerts *a, const json_t *o)
{
        const char *host = text(o, "host"), *component = text(o, "component"), *rule = text(o, "rule");
        const json_t *value = json_object_get(o, "value"), *ack = json_object_get(o, "ack");
        int level = level_from_name(text(o, "level"));
        struct alert *x;
        size_t at;

        if (!*host || !*component || !*rule || level < 0 || strlen(host) > ALERT_NAME_MAX || strlen(component) > ALERT_NAME_MAX ||
            strlen(rule) > ALERT_NAME_MAX || alert_find(a, host, component, rule, &at))
                return;
        x = alert_insert(a, host, component, rule, (enum level)level);
        if (!x)
                return;
        alert_set(&x->kind, text(o, "kind"), ALERT_NAME_MAX);
        alert_set(&x->text, text(o, "text"), ALERT_TEXT_MAX);
        alert_set(&x->clears, text(o, "clears"), ALERT_TEXT_MAX);
        alert_set(&x->check, text(o, "check"), ALERT_NAME_MAX);
        alert_set(&x->instance, text(o, "instance"), ALERT_NAME_MAX);
        x->level = (enum level)level;
        x->worst = level_worse(level_of(o, "worst"), x->level);
        x->opened_us = boot_time(a, o, "opened");
        x->level_us = boot_time(a, o, "since");
        x->read_us = x->level_us; /* when it was read last changes all the time: the next reading says it */
        x->first_told_us = boot_time(a, o, "first_told");
        x->opened_wall_us = json_integer_value(json_object_get(o, "id"));
        x->value = json_is_number(value) ? json_number_value(value) : NAN;
        x->roles = small(o, "roles");
        x->changes = small(o, "changes");
        x->protected_ = json_is_true(json_object_get(o, "protected"));
        x->seen = true;
        if (*text(o, "cause"))
                alert_set(&x->cause, text(o, "cause"), ALERT_NAME_MAX);
        if (json_is_object(ack) && x->level > LEVEL_OK) {
                x->acked = true;
                x->acked_us = boot_time(a, ack, "at");
                alert_set(&x->acked_by, text(ack, "by"), ALERT_NAME_MAX);
                alert_set(&x->acked_why, text(ack, "why"), ALERT_TEXT_MAX);
        }
        load_told(a, x, json_object_get(o, "told"));
}

static void load_silence(struct alerts *a, const json_t *o)
{
        unsigned id = small(o, "id");
        struct alert_silence *s;

        for (size_t i = 0; i < a->n_silences; i++)
                if (a->silences[i].id == id)
                        return;
        if (a->n_silences == ALERT_SILENCES_MAX || id == 0 || id > 999999 || !*text(o, "host") || !*text(o, "component") || !*text(o, "rule"))
                return;
        s = &a->silences[a->n_silences++];
        *s = (struct alert_silence){ .id = id, .from_us = boot_time(a, o, "from"), .end_us = boot_time(a, o, "end") };
        alert_set(&s->host, text(o, "host"), ALERT_NAME_MAX);
        alert_set(&s->component, text(o, "component"), ALERT_NAME_MAX);
        alert_set(&s->rule, text(o, "rule"), ALERT_NAME_MAX);
        alert_set(&s->by, text(o, "by"), ALERT_NAME_MAX);
        alert_set(&s->why, text(o, "why"), ALERT_TEXT_MAX);
}

static void load_sent(struct alerts *a, const json_t *all)
{
        for (size_t k = 0; k < a->policy.n_contacts; k++) {
                const json_t *list = json_object_get(all, a->policy.contacts[k].name), *v;
                struct alert_sent *s = &a->sent[k];
                size_t i;

                if (s->n > 0)
                        continue;
                json_array_foreach(list, i, v) {
                        const json_t *number = json_is_array(v) ? json_array_get(v, 0) : v; /* in a list of its own: told of a new critical */
                        int64_t at = json_integer_value(number) - a->wall_less_boot_us;

                        if (s->n == ARRAY_LEN(s->at_us) || !json_is_integer(number) || json_integer_value(number) <= 0 ||
                            (s->n > 0 && at < s->at_us[s->n - 1]))
                                continue;
                        s->urgent[s->n] = json_is_array(v);
                        s->at_us[s->n++] = at;
                }
        }
}

static void load_rest(struct alerts *a, const json_t *o)
{
        const json_t *silences = json_object_get(o, "silences"), *m = json_object_get(o, "maintenance"), *v;
        size_t i;

        json_array_foreach(silences, i, v)
                load_silence(a, v);
        a->last_silence = MAX(a->last_silence, MIN(small(o, "last_silence"), 999999));
        load_sent(a, json_object_get(o, "sent"));
        if (!json_is_object(m) || a->maintenance.by)
                return;
        a->maintenance.from_us = boot_time(a, m, "from");
        a->maintenance.end_us = boot_time(a, m, "end");
        alert_set(&a->maintenance.by, text(m, "by"), ALERT_NAME_MAX);
        alert_set(&a->maintenance.why, text(m, "why"), ALERT_TEXT_MAX);
}

void alerts_load(struct alerts *a, const char *key, const json_t *value)
{
        if (!json_is_object(value))
                return;
        if (str_starts(key, "alert/"))
                load_alert(a, value);
        else if (streq(key, "alerts"))
                load_rest(a, value);
}
