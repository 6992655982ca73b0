/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Messages that a peer delivers for us, and those that we deliver for a peer. Ours is kept until the peer has it on record. One that was
 * handed over to us is never handed on: two hosts without a way out would send it round for ever. */

#include "brain_peer.h"
#include "peer_doc.h"
#include "utf8.h"

#define TRIES 3                             /* of our own, while another sink still works */
#define TRIES_NONE_WORKS 2                  /* and when none does; of a critical one is enough */
#define HAND_US (40 * USEC_PER_SEC)         /* no answer is none */
#define HAND_AGAIN_US (10 * USEC_PER_SEC)

static bool is_way_out(const struct brain *b, const char *sink)
{
        for (size_t i = 0; i < b->notify->n_sinks; i++)
                if (streq(b->notify->sinks[i].name, sink))
                        return b->notify->sinks[i].type != SINK_JOURNAL;
        return false;
}

static bool no_sink_works(const struct brain *b)
{
        for (size_t i = 0; i < b->notify->n_sinks; i++) {
                const struct sink *s = &b->notify->sinks[i];

                if (s->type != SINK_JOURNAL && !*s->broken && s->failures == 0)
                        return false;
        }
        return true;
}

static struct hand *hand_find(struct brain *b, const char *id)
{
        for (size_t i = 0; i < HANDS_MAX; i++)
                if (streq(b->peer->hands[i].id, id))
                        return &b->peer->hands[i];
        return NULL;
}

/* --- ours ------------------------------------------------------------------------------------------------------------------- */

static bool wants_hand(struct brain *b, const struct letter *l, bool none_works)
{
        unsigned failed = l->attempts - (l->under_way && l->attempts > 0), enough = !none_works ? TRIES : l->critical ? 1 : TRIES_NONE_WORKS;

        if (l->test || l->elsewhere || json_object_get(l->message, "on_behalf") || !is_way_out(b, l->sink))
                return false;
        return failed >= enough && !hand_find(b, l->id);
}

/* The name of the next peer that is up; NULL. */
static const char *next_peer(struct brain *b)
{
        const json_t *peers = json_object_get(b->peer->doc, "peers");
        size_t n = json_array_size(peers);

        for (size_t i = 0; i < n; i++) {
                const json_t *p = json_array_get(peers, (b->peer->turn + i) % n);
                const char *state = json_string_value(json_object_get(p, "state")), *name = json_string_value(json_object_get(p, "name"));

                if (state && name && streq(state, "up")) {
                        b->peer->turn = (unsigned)((b->peer->turn + i) % n);
                        return name;
                }
        }
        return NULL;
}

static void hand_over(struct brain *b, struct hand *h, const struct letter *l, int64_t now_us)
{
        const char *peer = next_peer(b);

        if (!peer || peer_link_put(b, json_pack("{ss ss ss sO}", "t", "hand", "peer", peer, "id", l->id, "message", l->message)) < 0)
                return;
        *h = (struct hand){ .until_us = now_us + HAND_US };
        snprintf(h->id, sizeof(h->id), "%s", l->id);
        snprintf(h->peer, sizeof(h->peer), "%s", peer);
        brain_log(b, BRAIN_NOTICE, "message %s: no way of this host's own works; peer %s is asked to deliver it", l->id, peer);
}

static void hand_failed(struct brain *b, struct hand *h, const char *why)
{
        brain_log(b, BRAIN_WARNING, "message %s: peer %s has not taken it: %s", h->id, h->peer, why);
        *h = (struct hand){ 0 };
        b->peer->turn++;
        b->peer->hand_next_us = brain_now_us() + HAND_AGAIN_US;
}

void peer_hand_step(struct brain *b, int64_t now_us)
{
        bool none_works = no_sink_works(b);

        for (size_t i = 0; i < HANDS_MAX; i++)
                if (*b->peer->hands[i].id && now_us > b->peer->hands[i].until_us)
                        hand_failed(b, &b->peer->hands[i], "no answer in time");
        if (!b->peer->linked || now_us < b->peer->hand_next_us)
                return;
        for (struct letter *l = b->notify->letters; l; l = l->next) {
                struct hand *h = hand_find(b, "");

                if (!h)
                        return;
                if (wants_hand(b, l, none_works))
                        hand_over(b, h, l, now_us);
        }
}

void peer_hand_end(struct brain *b, const json_t *line)
{
        const char *id = json_string_value(json_object_get(line, "id")), *text = json_string_value(json_object_get(line, "text"));
        struct hand *h = id && *id ? hand_find(b, id) : NULL;
        struct hand done;

        if (!h)
                return;
        if (!json_is_true(json_object_get(line, "ok"))) {
                hand_failed(b, h, text ? text : "");
                return;
        }
        done = *h;
        *h = (struct hand){ 0 };
        b->peer->handed++;
        brain_log(b, BRAIN_NOTICE, "message %s: peer %s delivers it: %s", done.id, done.peer, text ? text : "");
        letters_taken_by_peer(b, done.id);
        brain_alert_wake(b);
        brain_store_state(b);
}

void peer_hand_lost(struct brain *b)
{
        for (size_t i = 0; i < HANDS_MAX; i++)
                b->peer->hands[i] = (struct hand){ 0 };
}

/* --- a peer's ------------------------------------------------------------------------------------------------------------------ */

static bool was_taken(const struct brain *b, const char *id)
{
        for (size_t i = 0; i < MIN(b->peer->n_taken, TAKEN_IDS); i++)
                if (streq(b->peer->taken[i], id))
                        return true;
        return false;
}

/* To those who are told at once; any_level: nobody of them wants so little, but its owner's own people were not reached. */
static size_t put_all(struct brain *b, const char *peer, const char *id, const json_t *message, bool any_level)
{
        int level = level_from_name(json_string_value(json_object_get(message, "level")));
        size_t n = 0;

        for (size_t i = 0; i < b->alert->config.n_contacts; i++) {
                const struct contact_config *c = &b->alert->config.contacts[i];
                json_t *doc;

                if (c->contact.step > 0 || (!any_level && level > LEVEL_OK && level < (int)c->contact.level))
                        continue;
                doc = peer_message_on_behalf(message, peer, b->host, c->contact.name, c->language);
                for (size_t k = 0; k < c->n_sinks; k++) {
                        brain_notify_put(b, c->sinks[k], id, doc, false);
                        n++;
                }
                json_decref(doc);
        }
        return n;
}

void peer_letter(struct brain *b, const json_t *line)
{
        const char *peer = json_string_value(json_object_get(line, "peer")), *id = json_string_value(json_object_get(line, "id"));
        const json_t *message = json_object_get(line, "message");
        const char *level = json_string_value(json_object_get(message, "level"));
        char text[200] = "was taken before";
        size_t n = 1;

        if (!peer || !id || strlen(id) != PEER_ID_LEN || !level || level_from_name(level) < 0 || !json_is_string(json_object_get(message, "subject")))
                return;
        if (!was_taken(b, id)) {
                n = put_all(b, peer, id, message, false);
                if (n == 0)
                        n = put_all(b, peer, id, message, true);
                snprintf(text, sizeof(text), n ? "%zu deliveries by the contacts of %s" : "%zu contacts of %s are told at once: it tells nobody", n, b->host);
        }
        if (n > 0 && !was_taken(b, id)) {
                snprintf(b->peer->taken[b->peer->n_taken++ % TAKEN_IDS], sizeof(b->peer->taken[0]), "%s", id);
                b->peer->for_peers++;
                brain_log(b, BRAIN_NOTICE, "a message of peer %s is delivered here: %s", peer, json_string_value(json_object_get(message, "subject")));
                brain_alert_write(b); /* on record, before it is acknowledged */
                brain_alert_wake(b);
        }
        peer_link_put(b, json_pack("{ss ss sb so}", "t", "taken", "id", id, "ok", n > 0, "text", utf8_json(text)));
}
