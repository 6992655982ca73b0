/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* What status.json tells of telling people: how many alerts are open, whether messages get out, whether any could. No text of a message and
 * nothing of a sink but its name: everybody may read it. */

#include "brain_notify.h"

void brain_alert_look_at_ways(struct brain *b)
{
        char host[256] = "";
        const char *hosts[] = { host, b->host, NULL };

        gethostname(host, sizeof(host) - 1);
        alert_config_advice(b->config, hosts, b->alert->warning, sizeof(b->alert->warning));
        /* It is so at every start, and status, the page and config check warn of it. */
        if (*b->alert->warning)
                brain_log(b, BRAIN_NOTICE, "telling people: %s", b->alert->warning);
}

static json_t *wall_seconds(int64_t us)
{
        return us ? json_integer((brain_wall_us() - brain_now_us() + us) / USEC_PER_SEC) : json_null();
}

static json_t *levels_json(const size_t counts[LEVEL_MAX])
{
        json_t *o = json_object();

        for (int l = LEVEL_OK + 1; l < LEVEL_MAX; l++)
                json_object_set_new(o, level_name((enum level)l), json_integer((json_int_t)counts[l]));
        return o;
}

/* Silenced counts before acknowledged: of a silenced one nobody hears either way. */
static json_t *open_json(const struct alerts *a, int64_t now_us)
{
        size_t counts[3][LEVEL_MAX] = { { 0 } };

        for (size_t i = 0; i < alerts_n(a); i++) {
                const struct alert *x = alerts_at(a, i);

                counts[alerts_is_silenced(a, x, now_us) ? 2 : x->acked ? 1 : 0][x->level]++;
        }
        return json_pack("{so so so}", "open", levels_json(counts[0]), "acknowledged", levels_json(counts[1]), "silenced", levels_json(counts[2]));
}

static json_t *sinks_json(const struct brain_notify *n)
{
        json_t *list = json_array();

        for (size_t i = 0; i < n->n_sinks; i++) {
                const struct sink *s = &n->sinks[i];
                size_t waiting = 0;

                for (const struct letter *l = n->letters; l; l = l->next)
                        waiting += streq(l->sink, s->name);
                json_array_append_new(list, json_pack("{ss ss si si sI sI so}", "sink", s->name, "type", sink_type_name(s->type), "waiting", (int)waiting,
                                                      "failures", (int)s->failures, "delivered", (json_int_t)s->delivered, "failed",
                                                      (json_int_t)s->failed, "good", wall_seconds(s->good_us)));
        }
        return list;
}

json_t *brain_alert_status(const struct brain *b)
{
        const struct alert_counters *c;
        const struct alert_maintenance *m;
        int64_t now = brain_now_us();

        if (!b->alert || !b->notify)
                return json_null();
        c = alerts_counters(b->alert->alerts);
        m = alerts_maintenance(b->alert->alerts);
        return json_pack("{ss so so sI sI sI sI so}", "warning", b->alert->warning, "maintenance_until", wall_seconds(m->end_us > now ? m->end_us : 0),
                         "alerts", open_json(b->alert->alerts, now), "messages", (json_int_t)c->messages, "digests", (json_int_t)c->digests, "refused",
                         (json_int_t)c->refused, "dropped", (json_int_t)b->notify->dropped, "sinks", sinks_json(b->notify));
}
