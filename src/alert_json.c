/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Messages and alerts as programs get them: veille-notify and what is behind it, Alertmanager, veillectl alerts. */

#include "alert_text.h"

#include <math.h>

#include "french.h"
#include "topology.h"

#define ITEMS_MAX 200

/* FNV-1a, 64 bits, twice: what opened is another alert, its values are not. */
static uint64_t hash(uint64_t h, const char *s)
{
        do
                h = (h ^ (unsigned char)*s) * 0x100000001b3;
        while (*s++);
        return h;
}

void alert_thread_id(const struct alert *x, char ret[33])
{
        static const uint64_t start[2] = { 0xcbf29ce484222325, 0x84222325cbf29ce4 };
        char opened[24];

        snprintf(opened, sizeof(opened), "%lld", (long long)x->opened_wall_us);
        for (int half = 0; half < 2; half++)
                snprintf(ret + 16 * half, 17, "%016llx", (unsigned long long)hash(hash(hash(hash(start[half], x->host), x->component), x->rule), opened));
}

static json_t *seconds(int64_t us)
{
        int64_t ms = us / 1000;

        return json_real((double)ms / 1000);
}

json_t *alert_fact_json(const struct alerts *a, const struct alert *x)
{
        json_t *roles = json_array(), *o;

        for (int role = 0; role < TOPOLOGY_ROLE_MAX; role++)
                if (x->roles & TOPOLOGY_ROLE_BIT(role))
                        json_array_append_new(roles, json_string(topology_role_name((enum topology_role)role)));
        o = json_pack("{ss ss ss ss ss ss ss ss ss ss so so so so sb so sb}", "host", x->host, "component", x->component, "kind", x->kind,
                      "rule", x->rule, "level", level_name(x->level), "worst", level_name(x->worst), "text", *x->text ? x->text : x->rule, "clears", x->clears,
                      "check", x->check, "instance", x->instance, "opened", seconds(alerts_wall_us(a, x->opened_us)), "since",
                      seconds(alerts_wall_us(a, x->level_us)), "read", seconds(alerts_wall_us(a, x->read_us)), "roles", roles, "protected",
                      x->protected_, "cause", x->cause ? json_string(x->cause) : json_null(), "acknowledged", x->acked);
        if (isfinite(x->value))
                json_object_set_new(o, "value", json_real(x->value));
        if (x->acked) {
                json_object_set_new(o, "acknowledged_by", json_string(x->acked_by));
                json_object_set_new(o, "acknowledged_why", json_string(x->acked_why));
        }
        return o;
}

static json_t *text_json(struct textbuf *b)
{
        json_t *s = json_stringn(b->data ? b->data : "", b->len);

        textbuf_done(b);
        return s ? s : json_string("(text that is not UTF-8)");
}

static void translate(json_t *o, const char *key)
{
        const char *english = json_string_value(json_object_get(o, key));
        struct textbuf french = { 0 };

        if (!english || !*english)
                return;
        french_add(&french, english);
        json_object_set_new(o, key, text_json(&french));
}

json_t *alert_message_json(const struct alerts *a, const struct alert_message *m, enum alert_language l)
{
        struct textbuf subject = { 0 }, body = { 0 };
        const struct alert_item *head = alert_text_headline(m);
        json_t *items = json_array();

        alert_text_subject(a, m, l, &subject);
        alert_text_body(a, m, l, &body);
        for (size_t i = 0; i < MIN(m->n, ITEMS_MAX); i++) {
                json_t *o = alert_fact_json(a, m->items[i].alert);
                char thread[33];

                /* Facts for programs are in English; what a person is to read is not. */
                if (l == ALERT_FR) {
                        translate(o, "text");
                        translate(o, "clears");
                }
                alert_thread_id(m->items[i].alert, thread);
                json_object_set_new(o, "thread", json_string(thread));
                json_object_set_new(o, "what", json_string(alert_what_name(m->items[i].what)));
                json_object_set_new(o, "was", json_string(level_name(m->items[i].was)));
                json_object_set_new(o, "peak", json_string(level_name(m->items[i].peak)));
                json_object_set_new(o, "to_do", json_string(alert_text_to_do(m->items[i].alert, l)));
                json_array_append_new(items, o);
        }
        return json_pack("{si ss ss so ss ss ss ss sb so so so sI}", "version", 1, "id", m->id, "contact", m->contact, "time", seconds(m->wall_us),
                         "host", head->alert->host, "component", head->alert->component, "level", level_name(m->level), "what",
                         alert_what_name(head->what), "digest", m->digest, "subject", text_json(&subject), "body", text_json(&body), "items",
                         items, "total", (json_int_t)m->n);
}
