/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* What another host says: bodies of requests and answers, any bytes. What is taken is within its limits, has no control characters and
 * can be made and read again. The first byte says what it is: a heartbeat, a message, an answer; or a whole request to a
 * veille-peer that knows one peer. */

#include "peer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_at_text(const char *s, size_t size)
{
        assert(strlen(s) < size);
        for (; *s; s++)
                assert((unsigned char)*s >= ' ' && *s != 0x7f);
}

static void look_at_heartbeat(const struct peer_heartbeat *h)
{
        look_at_text(h->host, sizeof(h->host));
        look_at_text(h->why, sizeof(h->why));
        look_at_text(h->health, sizeof(h->health));
        assert(h->seq > 0 && strlen(h->boot) == PEER_BOOT_LEN && h->age_s >= 0 && h->n_worst <= PEER_WORST_MAX);
        for (size_t i = 0; i < h->n_worst; i++) {
                look_at_text(h->worst[i].component, sizeof(h->worst[i].component));
                look_at_text(h->worst[i].why, sizeof(h->worst[i].why));
                assert(h->worst[i].level < LEVEL_MAX);
        }
}

static void look_at_letter(const struct peer_letter *l)
{
        json_t *doc = peer_letter_make(l->id, l->message), *marked;
        char *text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;
        struct peer_letter again;

        look_at_text(json_string_value(json_object_get(l->message, "subject")), 1001);
        if (text) { /* not what grew over the limit by being written with escapes */
                assert(peer_letter_parse(text, strlen(text), &again, NULL) == 0);
                assert(json_equal(again.message, l->message));
                peer_letter_done(&again);
        }
        free(text);
        json_decref(doc);
        marked = peer_message_on_behalf(l->message, "alpha", "beta", "ops", ALERT_FR);
        assert(json_is_string(json_object_get(marked, "subject")) && json_is_string(json_object_get(marked, "body")));
        json_decref(marked);
}

static void ask(const uint8_t *data, size_t size, const char *path)
{
        static struct peerd d = { .options = COMMON_OPTIONS_DEFAULT, .host = "fuzz", .boot = "00000000000000000000000000000000" };
        static struct peer peer;
        json_t *answer = NULL;
        unsigned status;
        char *text;

        d.options.run = "/nonexistent";
        d.peers[0] = &peer;
        d.n_peers = 1;
        status = peer_answer(&d, size % 2 ? &peer : NULL, "POST", path, (const char *)data, size, &answer);
        assert(status >= 200 && status < 600 && json_is_object(answer));
        assert(size % 2 || status == 403);
        text = json_dumps(answer, 0);
        assert(text && strlen(text) <= PEER_ANSWER_MAX);
        free(text);
        json_decref(answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const char *text = (const char *)data + 1;
        struct errinfo err = { 0 };
        struct peer_heartbeat h;
        struct peer_letter l;
        struct peer_answer a;
        int r = 0;

        if (size == 0)
                return 0;
        size--;
        switch (*data) {
        case 'l':
                r = peer_letter_parse(text, size, &l, &err);
                if (r >= 0) {
                        look_at_letter(&l);
                        peer_letter_done(&l);
                }
                break;
        case 'a':
                r = peer_answer_parse(text, size, &a, &err);
                if (r >= 0) {
                        look_at_text(a.text, sizeof(a.text));
                        if (a.has_heartbeat)
                                look_at_heartbeat(&a.heartbeat);
                }
                break;
        case 'H':
                ask(data + 1, size, "/v1/heartbeat");
                break;
        case 'L':
                ask(data + 1, size, "/v1/letter");
                break;
        default:
                r = peer_heartbeat_parse(text, size, &h, &err);
                if (r >= 0)
                        look_at_heartbeat(&h);
        }
        assert(r >= 0 || err.text[0]);
        return 0;
}
