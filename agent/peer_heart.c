/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Heartbeats: ours goes to each peer and comes back with its own; one of two ways that works is enough. Each proves by the keys who
 * it is from, and by its number that it is new. */

#include "common_clock.h"
#include "common_run.h"
#include "peer.h"
#include "utf8.h"

#define CALL_MIN_US (5 * USEC_PER_SEC)

json_t *peer_heartbeat_now(struct peerd *d)
{
        _cleanup_close_ int run = run_open(d->options.run); /* it may have been made anew */
        struct status_doc status;
        int64_t now = clock_boot_us();
        json_t *doc;

        run_status_load(run, d->options.run, (double)now / USEC_PER_SEC, __builtin_nan(""), &status);
        /* The time since boot, so that it grows over a restart of ours, too. */
        d->seq = MAX(d->seq + 1, (uint64_t)(now / USEC_PER_MSEC));
        doc = peer_heartbeat_make(status.doc, status.silent, status.silent_s, d->boot, d->seq);
        json_object_set_new(doc, "host", utf8_json(d->host));
        status_doc_done(&status);
        return doc;
}

void peer_heart(struct peerd *d, struct peer *p, const struct peer_heartbeat *h, bool request)
{
        int64_t now = clock_boot_us();

        if (peer_seen_take(request ? &p->by_request : &p->by_answer, h->boot, h->seq) < 0) {
                if (p->old++ == 0)
                        peer_log(PEER_WARNING, "%s sends a heartbeat that it has sent before, or one of an earlier boot: it does not count", p->entry.name);
                peer_watch_old(&p->watch, now);
                return;
        }
        if (!p->last_us || !streq(p->last.health, h->health) || p->last.silent != h->silent)
                d->changed = true;
        p->received++;
        p->last = *h;
        p->last_us = now;
        p->heard_wall_us = clock_wall_us();
        peer_watch_heard(&p->watch, h->silent, now);
}

static void on_done(struct peer_call *call)
{
        struct peer *p = peer_by_name(call->d, call->peer);
        struct peer_answer answer = { 0 };
        struct errinfo err = { 0 };
        enum peer_try how = PEER_TRY_FAILED;

        if (!p)
                return;
        p->calling = false;
        *p->error = '\0';
        if (call->code == CURLE_SSL_PINNEDPUBKEYNOTMATCH) {
                how = PEER_TRY_KEY;
                snprintf(p->error, sizeof(p->error), "another key answers");
        } else if (call->code != CURLE_OK) {
                snprintf(p->error, sizeof(p->error), "%s", *call->error ? call->error : curl_easy_strerror(call->code));
        } else if (peer_answer_parse(call->answer, call->answer_len, &answer, &err) < 0) {
                snprintf(p->error, sizeof(p->error), "HTTP %ld, and its answer: %.200s", call->status, err.text);
        } else if (call->status == 403) {
                how = PEER_TRY_UNKNOWN_HERE;
                snprintf(p->error, sizeof(p->error), "%.200s", answer.text);
        } else if (call->status != 200 || !answer.ok) {
                snprintf(p->error, sizeof(p->error), "HTTP %ld: %.200s", call->status, answer.text);
        } else {
                how = PEER_TRY_GOOD;
        }
        if (answer.has_heartbeat && how == PEER_TRY_GOOD)
                peer_heart(call->d, p, &answer.heartbeat, false);
        p->failed += how != PEER_TRY_GOOD;
        peer_watch_tried(&p->watch, how);
}

static void send_one(struct peerd *d, struct peer *p)
{
        struct peer_call call = { .body = peer_heartbeat_now(d), .done = on_done };

        snprintf(call.peer, sizeof(call.peer), "%s", p->entry.name);
        if (peer_call_start(d, &p->entry.address, "/v1/heartbeat", p->entry.pin, MAX(CALL_MIN_US, d->config.interval_us * 4 / 5), &call) < 0)
                return;
        p->calling = true;
        p->sent++;
}

void peer_heart_step(struct peerd *d, int64_t now_us)
{
        for (size_t i = 0; i < d->n_peers; i++) {
                struct peer *p = d->peers[i];

                if (!*p->entry.pin)
                        continue;
                if (!p->calling && now_us >= p->next_us) {
                        p->next_us = now_us + d->config.interval_us;
                        send_one(d, p);
                }
                if (!peer_watch_step(&p->watch, d->config.silent_after_us, now_us))
                        continue;
                d->changed = true;
                peer_log(p->watch.state == PEER_UP ? PEER_NOTICE : PEER_WARNING, "peer %s is %s%s%s", p->entry.name, peer_state_name(p->watch.state),
                         *p->error ? ": " : "", p->error);
        }
}
