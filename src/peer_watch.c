/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The state of a peer. Called by veille-peer for all that it hears and tries, and once a second. */

#include "peer_watch.h"

#define EVIDENCE_EVERY_US (10 * USEC_PER_SEC)
#define EVIDENCE_MAX_US (40 * USEC_PER_SEC) /* older evidence says nothing of now */

const char *peer_state_name(enum peer_state state)
{
        static const char *const names[PEER_STATE_MAX] = {
                [PEER_NEW] = "new", [PEER_UP] = "up", [PEER_LATE] = "late", [PEER_HOST_DEAD] = "host-dead", [PEER_AGENT_DEAD] = "agent-dead",
                [PEER_NETWORK_CUT] = "network-cut", [PEER_SILENT] = "silent", [PEER_KEY_CHANGED] = "key-changed", [PEER_REMOVED] = "removed",
                [PEER_OLD_STATE] = "old-state",
        };

        assert(state < PEER_STATE_MAX);
        return names[state];
}

enum peer_reach peer_reach_from_errno(int error)
{
        switch (error) {
        case 0:
                return PEER_REACH_OPEN;
        case ECONNREFUSED:
        case ECONNRESET:
                return PEER_REACH_REFUSED;
        case EHOSTUNREACH:
        case EHOSTDOWN:
                return PEER_REACH_NO_HOST;
        case ENETUNREACH:
        case ENETDOWN:
        case EADDRNOTAVAIL:
                return PEER_REACH_NO_ROUTE;
        default:
                return PEER_REACH_TIMEOUT;
        }
}

static bool answers(enum peer_reach r)
{
        return r >= PEER_REACH_REFUSED;
}

/* First what proves life, then what proves that we hear nobody, then what others prove. */
enum peer_state peer_classify(const struct peer_evidence *e, enum peer_why *ret_why)
{
        const struct {
                bool holds;
                enum peer_state state;
                enum peer_why why;
        } rows[] = {
                { e->port == PEER_REACH_OPEN, PEER_AGENT_DEAD, PEER_WHY_HANGS },
                { e->port == PEER_REACH_REFUSED, PEER_AGENT_DEAD, PEER_WHY_REFUSED },
                { answers(e->other), PEER_AGENT_DEAD, PEER_WHY_OTHER_PORT },
                { e->no_carrier, PEER_NETWORK_CUT, PEER_WHY_NO_CARRIER },
                { e->port == PEER_REACH_NO_ROUTE, PEER_NETWORK_CUT, PEER_WHY_NO_ROUTE },
                { answers(e->witness), PEER_HOST_DEAD, PEER_WHY_WITNESS_ANSWERS },
                { e->peers_heard, PEER_HOST_DEAD, PEER_WHY_PEERS_HEARD },
                { e->witness != PEER_REACH_NONE, PEER_NETWORK_CUT, PEER_WHY_WITNESS_DEAD },
                { true, PEER_SILENT, PEER_WHY_NO_WITNESS },
        };
        size_t i = 0;

        while (!rows[i].holds)
                i++;
        *ret_why = rows[i].why;
        return rows[i].state;
}

void peer_watch_init(struct peer_watch *w, int64_t now_us)
{
        *w = (struct peer_watch){ .started_us = now_us, .since_us = now_us, .state = PEER_NEW, .why = PEER_WHY_WAITS };
}

void peer_watch_heard(struct peer_watch *w, bool brain_silent, int64_t now_us)
{
        w->heard_us = now_us;
        w->evidence_us = 0;
        w->brain_silent = brain_silent;
}

void peer_watch_old(struct peer_watch *w, int64_t now_us)
{
        w->old_us = now_us;
}

void peer_watch_tried(struct peer_watch *w, enum peer_try how)
{
        w->tried = how;
}

void peer_watch_evidence(struct peer_watch *w, const struct peer_evidence *e, int64_t now_us)
{
        w->evidence = *e;
        w->evidence_us = now_us;
}

static enum peer_state judge(const struct peer_watch *w, int64_t silent_after_us, int64_t now_us, enum peer_why *ret_why)
{
        bool silent = now_us - (w->heard_us ? w->heard_us : w->started_us) > silent_after_us;

        *ret_why = PEER_WHY_NONE;
        /* These are known without waiting, and somebody who holds its address may well be heard. */
        if (w->tried == PEER_TRY_KEY) {
                *ret_why = PEER_WHY_KEY;
                return PEER_KEY_CHANGED;
        }
        if (w->tried == PEER_TRY_UNKNOWN_HERE) {
                *ret_why = PEER_WHY_REMOVED;
                return PEER_REMOVED;
        }
        if (!silent && !w->heard_us) {
                *ret_why = PEER_WHY_WAITS;
                return PEER_NEW;
        }
        if (!silent && w->brain_silent) {
                *ret_why = PEER_WHY_BRAIN;
                return PEER_AGENT_DEAD;
        }
        if (!silent)
                return PEER_UP;
        if (w->old_us > w->heard_us && now_us - w->old_us <= silent_after_us) {
                *ret_why = PEER_WHY_OLD;
                return PEER_OLD_STATE;
        }
        if (!w->evidence_us || now_us - w->evidence_us > MAX(EVIDENCE_MAX_US, silent_after_us)) {
                *ret_why = PEER_WHY_LATE;
                return PEER_LATE;
        }
        return peer_classify(&w->evidence, ret_why);
}

bool peer_watch_step(struct peer_watch *w, int64_t silent_after_us, int64_t now_us)
{
        enum peer_why why;
        enum peer_state state = judge(w, silent_after_us, now_us, &why);
        bool changed = state != w->state || why != w->why;

        if (state != w->state)
                w->since_us = now_us;
        w->state = state;
        w->why = why;
        return changed;
}

bool peer_watch_wants_evidence(const struct peer_watch *w, int64_t interval_us, int64_t now_us)
{
        int64_t quiet_us = now_us - (w->heard_us ? w->heard_us : w->started_us);

        if (quiet_us < interval_us + interval_us / 2)
                return false;
        return !w->evidence_us || now_us - w->evidence_us >= MIN(EVIDENCE_EVERY_US, interval_us);
}

int peer_seen_take(struct peer_seen *s, const char *boot, uint64_t seq)
{
        if (streq(s->boot, boot)) {
                if (seq <= s->seq)
                        return -ESTALE;
                s->seq = seq;
                return 0;
        }
        for (unsigned i = 0; i < MIN(s->n_past, PEER_PAST_BOOTS); i++)
                if (streq(s->past[i], boot))
                        return -ESTALE;
        if (*s->boot)
                memcpy(s->past[s->n_past++ % PEER_PAST_BOOTS], s->boot, sizeof(s->boot));
        snprintf(s->boot, sizeof(s->boot), "%s", boot);
        s->seq = seq;
        return 0;
}
