/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Feeds the life of alerts (src/alert.h) with what the judge finds, and hands what is to be said to the sinks. What was told
 * is in RUN/alerts.json before it leaves, so that a brain that dies neither forgets nor repeats; and in the store, for a reboot. */

#include <fcntl.h>
#include <sys/stat.h>

#include "alert_text.h"
#include "brain_alert.h"
#include "common_file.h"

#define FILE_NAME "alerts.json"
#define FILE_MAX (32 * 1024 * 1024)
#define SOON_US (20 * USEC_PER_MSEC) /* changes that come together are looked at together */
#define EVERY_US USEC_PER_SEC
#define WRITE_EVERY_US (10 * USEC_PER_SEC)
#define DISCOVERY_US (600 * USEC_PER_SEC)
#define REASONS_MAX 64 /* of one component */

static size_t stands_on(void *data, const char *component, const char **ret, size_t max)
{
        struct brain *b = data;

        return judge_stands_on(b->judge, component, ret, max);
}

static void clock_now(struct brain *b)
{
        alerts_clock(b->alert->alerts, brain_now_us(), brain_wall_us());
}

/* --- from the judge ------------------------------------------------------------------------------------------- */

struct feed {
        struct alert_input in[REASONS_MAX];
        char text[REASONS_MAX][512];
        size_t n;
};

static void add_reason(void *data, const struct judge_reason *r)
{
        struct feed *f = data;
        const char *clears = r->rule ? r->rule->clears : judge_silence_clears(r->rule_name);

        /* One alert a rule: the worst reason stands for all (of several sensors, say); they come worst first. */
        for (size_t i = 0; i < f->n; i++)
                if (streq(f->in[i].rule, r->rule_name))
                        return;
        if (f->n == REASONS_MAX || r->level == LEVEL_OK)
                return;
        snprintf(f->text[f->n], sizeof(f->text[0]), "%s", r->text);
        f->in[f->n] = (struct alert_input){
                .rule = r->rule_name, .level = r->level, .text = f->text[f->n], .clears = clears, .check = r->instance->check->name,
                .instance = r->instance->name, .value = r->series ? r->series->value : __builtin_nan(""), .since_us = r->since_us,
                .read_us = r->series ? r->series->time_us : MAX(r->instance->end_us, r->instance->seen_us),
        };
        f->n++;
}

static void feed_component(struct brain *b, struct feed *f, const struct judge_component *c, int64_t now_us)
{
        const struct alert_about about = { .host = b->host, .component = c->name, .kind = c->kind, .roles = judge_roles(b->judge, c),
                                           .protected_ = judge_protected(b->judge, c) };

        f->n = 0;
        if (c->level > LEVEL_OK)
                judge_reasons(b->judge, c, now_us, add_reason, f);
        alerts_component(b->alert->alerts, &about, f->in, f->n, now_us);
}

/* Levels from before a restart, and parts that were not read yet, say nothing new: their alerts stay as they are. */
static bool is_known(const struct judge_component *c)
{
        return c->settled && !c->held && !streq(c->rule_name, "not-read-yet");
}

/* Whether all parts were looked for since the start; a check that hangs in looking is not waited for for ever. */
static bool all_discovered(struct brain *b, int64_t now_us)
{
        if (!b->sched || now_us - b->alert->started_us > DISCOVERY_US)
                return b->sched != NULL;
        for (size_t i = 0; i < b->catalog.n_checks; i++)
                if (!brain_sched_discovered(b, b->catalog.checks[i].name))
                        return false;
        return true;
}

bool brain_alert_all_known(struct brain *b)
{
        int64_t now_us = brain_now_us();

        if (!b->alert || !all_discovered(b, now_us))
                return false;
        for (const struct judge_component *c = judge_components(b->judge); c; c = c->next)
                if (!is_known(c) && now_us - b->alert->started_us <= DISCOVERY_US)
                        return false;
        return true;
}

static void feed(struct brain *b, int64_t now_us)
{
        struct feed *f = calloc(1, sizeof(*f));

        if (!f)
                abort();
        alerts_sweep_begin(b->alert->alerts, b->host);
        for (const struct judge_component *c = judge_components(b->judge); c; c = c->next)
                if (is_known(c))
                        feed_component(b, f, c, now_us);
                else
                        alerts_sweep_keep(b->alert->alerts, b->host, c->name);
        if (all_discovered(b, now_us))
                alerts_sweep_end(b->alert->alerts, b->host, now_us);
        free(f);
}

/* --- to the sinks ------------------------------------------------------------------------------------------------ */

static const struct contact_config *contact(const struct brain *b, const char *name)
{
        for (size_t i = 0; i < b->alert->config.n_contacts; i++)
                if (streq(b->alert->config.contacts[i].contact.name, name))
                        return &b->alert->config.contacts[i];
        return NULL;
}

static void on_message(void *data, const struct alert_message *m)
{
        struct brain *b = data;
        const struct contact_config *c = contact(b, m->contact);
        json_t *doc = c ? alert_message_json(b->alert->alerts, m, c->language) : NULL;

        if (!doc)
                return;
        for (size_t i = 0; i < c->n_sinks; i++)
                brain_notify_put(b, c->sinks[i], m->id, doc, false);
        brain_log(b, BRAIN_INFO, "contact %s is told: %s", m->contact, json_string_value(json_object_get(doc, "subject")));
        json_decref(doc);
        b->alert->changed = true;
}

json_t *brain_alert_facts(struct brain *b, int64_t over_since_us)
{
        struct alerts *a = b->alert->alerts;
        int64_t now = brain_now_us();
        json_t *list = json_array();

        clock_now(b);
        if (alerts_maintenance(a)->end_us > now)
                return list;
        for (size_t i = 0; i < alerts_n(a); i++) {
                const struct alert *x = alerts_at(a, i);
                json_t *o;

                if (x->level == LEVEL_OK ? x->level_us < over_since_us : alerts_is_silenced(a, x, now))
                        continue;
                o = alert_fact_json(a, x);
                json_object_set_new(o, "changes", json_integer(x->changes));
                json_object_set_new(o, "to_do", json_string(alert_text_to_do(x, ALERT_EN)));
                json_array_append_new(list, o);
        }
        return list;
}

/* --- RUN/alerts.json ------------------------------------------------------------------------------------------------ */

static json_t *wall_json(const struct alerts *a, int64_t us)
{
        int64_t ms = alerts_wall_us(a, us) / USEC_PER_MSEC;

        return json_real((double)ms / 1000);
}

static json_t *alerts_json(struct brain *b, int64_t now)
{
        struct alerts *a = b->alert->alerts;
        json_t *list = json_array();

        for (size_t i = 0; i < alerts_n(a); i++) {
                const struct alert *x = alerts_at(a, i);
                json_t *o = alert_fact_json(a, x), *told = json_object();

                for (size_t k = 0; k < alerts_policy_get(a)->n_contacts; k++)
                        if (x->told[k].ever)
                                json_object_set_new(told, alerts_policy_get(a)->contacts[k].name,
                                                    json_pack("{so ss si}", "at", wall_json(a, x->told[k].at_us), "level", level_name(x->told[k].level),
                                                              "repeats", (int)x->told[k].repeats));
                json_object_set_new(o, "told", told);
                json_object_set_new(o, "silenced", json_boolean(x->level > LEVEL_OK && alerts_is_silenced(a, x, now)));
                json_array_append_new(list, o);
        }
        return list;
}

static json_t *silences_json(const struct alerts *a)
{
        json_t *list = json_array();

        for (size_t i = 0; i < alerts_silences_n(a); i++) {
                const struct alert_silence *s = alerts_silence_at(a, i);

                json_array_append_new(list, json_pack("{si ss ss ss so so ss ss}", "id", (int)s->id, "host", s->host, "component", s->component, "rule",
                                                      s->rule, "from", wall_json(a, s->from_us), "end", wall_json(a, s->end_us), "by", s->by, "why",
                                                      s->why));
        }
        return list;
}

static json_t *maintenance_json(const struct alerts *a, int64_t now)
{
        const struct alert_maintenance *m = alerts_maintenance(a);

        if (m->end_us <= now)
                return json_null();
        return json_pack("{so so ss ss}", "from", wall_json(a, m->from_us), "end", wall_json(a, m->end_us), "by", m->by, "why", m->why);
}

static json_t *contacts_json(const struct brain *b)
{
        json_t *list = json_array();

        for (size_t i = 0; i < b->alert->config.n_contacts; i++) {
                const struct contact_config *c = &b->alert->config.contacts[i];
                json_t *sinks = json_array();

                for (size_t k = 0; k < c->n_sinks; k++)
                        json_array_append_new(sinks, json_string(c->sinks[k]));
                json_array_append_new(list, json_pack("{ss ss si so}", "name", c->contact.name, "level", level_name(c->contact.level), "step",
                                                      c->contact.step, "sinks", sinks));
        }
        return list;
}

static void collect(void *data, const char *key, json_t *value)
{
        json_object_set(data, key, value);
}

void brain_alert_write(struct brain *b)
{
        struct alerts *a = b->alert->alerts;
        json_t *doc, *state = json_object();
        int64_t now = brain_now_us();
        char *text;
        int r;

        clock_now(b);
        brain_alert_each(b, collect, state);
        doc = json_pack("{si ss sf so so so so so}", "version", 1, "host", b->host, "time", (double)brain_wall_us() / USEC_PER_SEC, "alerts",
                        alerts_json(b, now), "silences", silences_json(a), "maintenance", maintenance_json(a, now), "contacts", contacts_json(b),
                        "state", state);
        brain_notify_json(b, doc);
        text = json_dumps(doc, JSON_COMPACT | JSON_REAL_PRECISION(17));
        json_decref(doc);
        if (!text)
                abort();
        r = file_write_atomic(b->options.run, FILE_NAME, text, strlen(text), 0640, false);
        free(text);
        if (r < 0)
                brain_log(b, BRAIN_ERROR, "%s/" FILE_NAME ": %s; a restart may tell again what was told", b->options.run, strerror(-r));
        b->alert->written_us = now;
        b->alert->changed = false;
}

static void load(struct brain *b, const char *key, const json_t *value, bool stored)
{
        clock_now(b);
        alerts_load(b->alert->alerts, key, value);
        brain_notify_load(b, key, value, stored);
}

static void read_file(struct brain *b)
{
        char path[4096];
        _cleanup_fclose_ FILE *f = NULL;
        json_t *doc, *value;
        const char *key;
        struct stat st;

        snprintf(path, sizeof(path), "%s/" FILE_NAME, b->options.run);
        f = fopen(path, "re");
        if (!f || fstat(fileno(f), &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > FILE_MAX)
                return;
        doc = json_loadf(f, 0, NULL);
        b->alert->from_run = json_is_object(json_object_get(doc, "state"));
        json_object_foreach(json_object_get(doc, "state"), key, value)
                load(b, key, value, false);
        json_decref(doc);
}

void brain_alert_each(struct brain *b, void (*fn)(void *data, const char *key, json_t *value), void *data)
{
        if (!b->alert)
                return;
        clock_now(b);
        alerts_save(b->alert->alerts, fn, data);
        brain_notify_each(b, fn, data);
}

void brain_alert_load(struct brain *b, const char *key, const json_t *value)
{
        /* RUN was written before anything left, and last. What the store has beside it is over by now: a message that was taken, a
         * silence that somebody ended. */
        if (b->alert && !b->alert->from_run)
                load(b, key, value, true);
}

/* --- in time ---------------------------------------------------------------------------------------------------------- */

static int on_timer(sd_event_source *source, uint64_t usec UNUSED, void *data)
{
        struct brain *b = data;
        struct brain_alert *a = b->alert;
        int64_t now = brain_now_us();
        uint64_t before = alerts_counters(a->alerts)->messages;

        /* What the store remembers comes first: else everything would be new again. */
        if (brain_store_loaded(b)) {
                clock_now(b);
                feed(b, now);
                alerts_step(a->alerts, now, on_message, b);
        }
        brain_hook_soon(b);
        brain_notify_step(b, now); /* writes before anything leaves */
        if (a->changed || now - a->written_us >= WRITE_EVERY_US)
                brain_alert_write(b);
        if (alerts_counters(a->alerts)->messages != before)
                brain_store_state(b);
        sd_event_source_set_time_relative(source, EVERY_US);
        return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

void brain_alert_soon(struct brain *b)
{
        if (!b->alert)
                return;
        brain_notify_managers_soon(b);
        brain_alert_wake(b);
}

void brain_alert_wake(struct brain *b)
{
        b->alert->changed = true;
        if (!b->alert->timer)
                return;
        sd_event_source_set_time_relative(b->alert->timer, SOON_US);
        sd_event_source_set_enabled(b->alert->timer, SD_EVENT_ONESHOT);
}

static void take_config(struct brain *b)
{
        static struct alert_policy policy; /* large; copied */
        struct errinfo err = { 0 };

        /* Was checked before it came into force (brain_catalog.c). */
        if (alert_config_read(b->config, &b->alert->config, &err) < 0)
                return;
        policy = (struct alert_policy){ .n_contacts = b->alert->config.n_contacts, .escalate_us = b->alert->config.escalate_us,
                                        .stands_on = stands_on, .data = b };
        for (size_t i = 0; i < policy.n_contacts; i++)
                policy.contacts[i] = b->alert->config.contacts[i].contact;
        alerts_policy(b->alert->alerts, &policy);
        brain_alert_look_at_ways(b);
}

void brain_alert_reload(struct brain *b)
{
        if (!b->alert)
                return;
        take_config(b);
        brain_notify_reload(b);
        brain_alert_soon(b);
}

int brain_alert_start(struct brain *b)
{
        struct brain_alert *a = b->alert = calloc(1, sizeof(*a));
        int r;

        if (!a)
                abort();
        a->alerts = alerts_new();
        a->started_us = brain_now_us();
        clock_now(b);
        take_config(b);
        r = brain_notify_start(b);
        if (r < 0)
                return r;
        read_file(b);
        return sd_event_add_time_relative(b->event, &a->timer, CLOCK_BOOTTIME, EVERY_US, 10 * USEC_PER_MSEC, on_timer, b);
}

void brain_alert_stop(struct brain *b)
{
        if (!b->alert)
                return;
        brain_alert_write(b);
        brain_notify_stop(b);
        sd_event_source_disable_unref(b->alert->timer);
        alerts_free(b->alert->alerts);
        free(b->alert);
        b->alert = NULL;
}
