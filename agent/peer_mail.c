/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Messages handed over. Ours: the brain keeps a message until the peer's brain has it on record; the answer travels back the whole
 * way. A peer's: it goes to our brain, and the peer asks again with the same id until that has answered; whatever is lost on the
 * way, the message is told at least once, and a copy has the same id. */

#include "common_clock.h"
#include "peer.h"
#include "utf8.h"

#define OFFER_US (20 * USEC_PER_SEC)       /* so long one peer is asked */
#define OFFER_CALL_US (10 * USEC_PER_SEC)
#define ASKED_US (15 * USEC_PER_SEC)       /* the brain has not answered: it may be asked again */
#define TAKEN_US (6 * 3600 * USEC_PER_SEC) /* so long it is known that it was taken */

/* --- ours --------------------------------------------------------------------------------------------------------------------- */

static void tell_handed(struct peerd *d, const char *peer, const char *id, bool ok, const char *text)
{
        peer_link_tell(d, json_pack("{ss ss ss sb so}", "t", "handed", "peer", peer, "id", id, "ok", ok, "text", utf8_json(text)));
}

static int offer(struct peerd *d, const struct peer_call *call);

/* Its brain is being asked: again in a moment. */
#define AGAIN_US (200 * USEC_PER_MSEC)
#define AGAIN_MAX 16
static struct again {
        struct peer_call call; /* body: owned; NULL: free place */
        int64_t at_us;
} agains[AGAIN_MAX];

static int offer_again(const struct peer_call *call)
{
        for (size_t i = 0; i < AGAIN_MAX; i++)
                if (!agains[i].call.body) {
                        agains[i] = (struct again){ .call = *call, .at_us = clock_boot_us() + AGAIN_US };
                        agains[i].call.body = json_incref(call->body);
                        return 0;
                }
        return -EAGAIN;
}

static void on_offered(struct peer_call *call)
{
        struct peer_answer answer = { 0 };
        struct errinfo err = { 0 };
        char text[300];

        if (call->code != CURLE_OK) {
                tell_handed(call->d, call->peer, call->id, false, *call->error ? call->error : curl_easy_strerror(call->code));
        } else if (peer_answer_parse(call->answer, call->answer_len, &answer, &err) < 0) {
                tell_handed(call->d, call->peer, call->id, false, err.text);
        } else if (answer.waits && clock_boot_us() < call->until_us) {
                if (offer_again(call) < 0)
                        tell_handed(call->d, call->peer, call->id, false, "it did not come to an end");
        } else if (call->status == 200 && answer.ok) {
                tell_handed(call->d, call->peer, call->id, true, answer.text);
        } else {
                snprintf(text, sizeof(text), "HTTP %ld: %s", call->status, *answer.text ? answer.text : "no answer of its brain in time");
                tell_handed(call->d, call->peer, call->id, false, text);
        }
}

/* Takes the body. */
static int offer(struct peerd *d, const struct peer_call *from)
{
        const struct peer *p = peer_by_name(d, from->peer);
        struct peer_call call = { .body = from->body, .until_us = from->until_us, .done = on_offered };

        memcpy(call.peer, from->peer, sizeof(call.peer));
        memcpy(call.id, from->id, sizeof(call.id));
        if (!p || !*p->entry.pin) {
                json_decref(call.body);
                return -ENOENT;
        }
        return peer_call_start(d, &p->entry.address, "/v1/letter", p->entry.pin, OFFER_CALL_US, &call);
}

void peer_mail_hand(struct peerd *d, const json_t *line)
{
        const char *peer = json_string_value(json_object_get(line, "peer")), *id = json_string_value(json_object_get(line, "id"));
        struct peer_call call = { .until_us = clock_boot_us() + OFFER_US };

        if (!peer || !id || strlen(peer) > PEER_NAME_MAX || strlen(id) > PEER_ID_LEN)
                return;
        snprintf(call.peer, sizeof(call.peer), "%s", peer);
        snprintf(call.id, sizeof(call.id), "%s", id);
        call.body = peer_letter_make(id, json_object_get(line, "message"));
        if (!call.body)
                tell_handed(d, peer, id, false, "the message is too large to be handed over");
        else if (offer(d, &call) < 0)
                tell_handed(d, peer, id, false, "there is no such peer, or too much is under way");
}

int64_t peer_mail_step(struct peerd *d, int64_t now_us)
{
        int64_t next = INT64_MAX;

        for (size_t i = 0; i < AGAIN_MAX; i++) {
                struct peer_call call = agains[i].call;

                if (!call.body)
                        continue;
                next = MIN(next, agains[i].at_us);
                if (agains[i].at_us > now_us)
                        continue;
                agains[i].call.body = NULL;
                if (offer(d, &call) < 0)
                        tell_handed(d, call.peer, call.id, false, "it did not come to an end");
        }
        return next;
}

void peer_mail_stop(void)
{
        for (size_t i = 0; i < AGAIN_MAX; i++)
                json_decref(take_ptr(agains[i].call.body));
}

/* --- those of peers --------------------------------------------------------------------------------------------------------- */

static struct inbox *inbox_find(struct peerd *d, const char *id)
{
        for (size_t i = 0; i < PEER_INBOX_MAX; i++)
                if (streq(d->inbox[i].id, id))
                        return &d->inbox[i];
        return NULL;
}

/* A free place, or that of the oldest which was taken; NULL: all are being asked about. */
static struct inbox *inbox_place(struct peerd *d, int64_t now)
{
        struct inbox *oldest = NULL;

        for (size_t i = 0; i < PEER_INBOX_MAX; i++) {
                struct inbox *b = &d->inbox[i];

                if (!*b->id || now - b->at_us > TAKEN_US || (b->state != INBOX_TAKEN && now - b->at_us > ASKED_US))
                        return b;
                if (b->state != INBOX_ASKED && (!oldest || b->at_us < oldest->at_us))
                        oldest = b;
        }
        return oldest;
}

static unsigned ask_brain(struct peerd *d, const struct peer *p, const struct peer_letter *l, struct inbox *b, json_t **ret)
{
        int64_t now = clock_boot_us();

        if (!b)
                b = inbox_place(d, now);
        if (!b || peer_link_tell(d, json_pack("{ss ss ss sO}", "t", "letter", "peer", p->entry.name, "id", l->id, "message", l->message)) < 0) {
                *ret = peer_answer_make(false, false, b ? "the brain (veilled) does not answer here" : "too much is under way here", NULL);
                return 503;
        }
        *b = (struct inbox){ .state = INBOX_ASKED, .at_us = now };
        memcpy(b->id, l->id, sizeof(b->id));
        *ret = peer_answer_make(false, true, "", NULL);
        return 202;
}

unsigned peer_mail_take(struct peerd *d, const struct peer *p, const char *body, size_t len, json_t **ret)
{
        struct errinfo err = { 0 };
        struct peer_letter l;
        struct inbox *b;
        unsigned status;

        if (peer_letter_parse(body, len, &l, &err) < 0) {
                *ret = peer_answer_make(false, false, err.text, NULL);
                return 400;
        }
        b = inbox_find(d, l.id);
        if (b && b->state == INBOX_TAKEN) {
                *ret = peer_answer_make(true, false, b->text, NULL);
                status = 200;
        } else if (b && b->state == INBOX_REFUSED) {
                *ret = peer_answer_make(false, false, b->text, NULL);
                *b = (struct inbox){ 0 }; /* who asks again may find it otherwise */
                status = 409;
        } else if (b && clock_boot_us() - b->at_us < ASKED_US) {
                *ret = peer_answer_make(false, true, "", NULL);
                status = 202;
        } else {
                status = ask_brain(d, p, &l, b, ret);
        }
        peer_letter_done(&l);
        return status;
}

void peer_mail_taken(struct peerd *d, const json_t *line)
{
        const char *id = json_string_value(json_object_get(line, "id")), *text = json_string_value(json_object_get(line, "text"));
        struct inbox *b = id ? inbox_find(d, id) : NULL;

        if (!b || !*b->id)
                return;
        b->state = json_is_true(json_object_get(line, "ok")) ? INBOX_TAKEN : INBOX_REFUSED;
        b->at_us = clock_boot_us();
        snprintf(b->text, sizeof(b->text), "%s", text ? text : "");
}
