/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The one place that writes what came in: all of the backlog in one transaction, or nothing of it. */

#include "store.h"

#define BLOCK_MAX 60000        /* a block of log is not longer: memory is small */
#define EAGER_US USEC_PER_SEC
#define EAGER_STORM_US (15 * USEC_PER_SEC)
#define EAGER_WINDOW_US (900 * USEC_PER_SEC)
#define EAGER_MAX 60           /* more of them in a quarter of an hour is a storm: write it in larger pieces */

static int write_series(struct store *s)
{
        int64_t day = store_wall_s(s) / DAY_S;
        int r = SQLITE_OK;

        for (size_t i = 0; i < s->dict.n && r == SQLITE_OK; i++) {
                struct series *series = s->dict.series[i];

                if (!series->stored)
                        r = db_run(s, STMT_SERIES_ADD, "itti", (int64_t)series->id, series->key, series->component->name, day);
        }
        return r;
}

/* Seconds before 1970 do not come this far, so that division rounds down. */
static int64_t hour_of(const struct pending_sample *sample)
{
        return sample->time_s / HOUR_S;
}

/* One block (or several) of the samples of one hour, in order of arrival. */
static int write_hour(struct store *s, int64_t hour, struct pack *p)
{
        int64_t last_s = s->last_sample_s; /* constant values are heard, too */
        int r = SQLITE_OK;

        pack_reset(p);
        for (size_t i = 0; i < s->pending.n_samples && r == SQLITE_OK; i++) {
                const struct pending_sample *sample = &s->pending.samples[i];

                if (hour_of(sample) != hour)
                        continue;
                if (pack_log(p, sample->series->id, sample->time_s % HOUR_S, sample->value) < 0)
                        return SQLITE_NOMEM;
                if (p->len >= BLOCK_MAX) {
                        r = db_run(s, STMT_LOG_ADD, "iib", hour, last_s, p->data, p->len);
                        pack_reset(p);
                }
        }
        if (p->len > 0 && r == SQLITE_OK)
                r = db_run(s, STMT_LOG_ADD, "iib", hour, last_s, p->data, p->len);
        return r;
}

/* Hour by hour, ascending; a clock that jumped makes it more than the one or two that are usual. */
static int write_samples(struct store *s)
{
        int64_t hour = INT64_MIN;
        struct pack p = { 0 };
        int r = SQLITE_OK;

        while (r == SQLITE_OK) {
                int64_t next = INT64_MAX;

                for (size_t i = 0; i < s->pending.n_samples; i++)
                        if (hour_of(&s->pending.samples[i]) > hour)
                                next = MIN(next, hour_of(&s->pending.samples[i]));
                if (next == INT64_MAX)
                        break;
                hour = next;
                r = write_hour(s, hour, &p);
        }
        pack_done(&p);
        return r;
}

/* What the database has already under that id is no second event. */
static int add_event(struct store *s, const struct pending_event *e, int64_t *more)
{
        int r = db_run(s, STMT_EVENT_ADD, "dttttttt", e->time, e->component, e->kind, e->from, e->to, e->rule, e->why, *e->id ? e->id : NULL);

        if (r == SQLITE_OK)
                *more += sqlite3_changes(s->db);
        return r;
}

static int write_events(struct store *s, int64_t *ret_more)
{
        int r = SQLITE_OK;

        *ret_more = 0;
        for (const struct pending_event *e = s->pending.events; e && r == SQLITE_OK; e = e->next)
                r = add_event(s, e, ret_more);
        return r;
}

static int write_kv(struct store *s, int64_t *ret_more)
{
        int r = SQLITE_OK;

        *ret_more = 0;
        for (const struct pending_kv *kv = s->pending.kv; kv && r == SQLITE_OK; kv = kv->next) {
                int64_t had;

                r = db_number(s, STMT_KV_LENGTH, 0, &had, "t", kv->key);
                if (r == SQLITE_OK)
                        r = kv->value ? db_run(s, STMT_KV_PUT, "tt", kv->key, kv->value) : db_run(s, STMT_KV_DEL, "t", kv->key);
                *ret_more += (kv->value != NULL) - (had > 0);
        }
        return r;
}

static int write_gaps(struct store *s)
{
        int r = SQLITE_OK;

        for (size_t i = 0; i < s->pending.n_gaps && r == SQLITE_OK; i++)
                r = db_run(s, STMT_GAP_ADD, "ii", s->pending.gaps[i].from_s, s->pending.gaps[i].to_s);
        return r;
}

static int write_all(struct store *s, int64_t *ret_more_events, int64_t *ret_more_kv)
{
        int r = db_exec(s, "BEGIN IMMEDIATE");

        if (r == SQLITE_OK)
                r = write_series(s);
        if (r == SQLITE_OK)
                r = write_samples(s);
        if (r == SQLITE_OK)
                r = write_events(s, ret_more_events);
        if (r == SQLITE_OK)
                r = write_kv(s, ret_more_kv);
        if (r == SQLITE_OK)
                r = write_gaps(s);
        if (r == SQLITE_OK && s->trouble[0]) /* something must be written to know that it can be */
                r = db_run(s, STMT_META_PUT, "ti", "tried", store_wall_s(s));
        if (r == SQLITE_OK)
                r = db_exec(s, "COMMIT");
        return r;
}

static void written(struct store *s, int64_t more_events, int64_t more_kv)
{
        int64_t now = s->boot_us();

        for (size_t i = 0; i < s->dict.n; i++)
                s->dict.series[i]->stored = true;
        s->counters.commits++;
        s->committed_seq++;
        s->counters.written_samples += s->pending.n_samples;
        s->n_events += more_events;
        s->n_kv += more_kv;
        if (s->eager) {
                if (now - s->eager_us > EAGER_WINDOW_US) {
                        s->eager_us = now;
                        s->eager_count = 0;
                }
                s->eager_count++;
        }
        s->eager = false;
        s->oldest_us = 0;
        pending_clear(&s->pending);
        db_good(s);
}

/* History must not look as if nothing had happened. Once, with what can be written again. */
static void tell_losses(struct store *s)
{
        uint64_t n = s->pending.lost_events - s->told_lost_events;
        char why[160];

        if (n == 0 || s->trouble[0])
                return;
        snprintf(why, sizeof(why), "%llu %s lost, the least important first: they could not be written for too long", (unsigned long long)n,
                 n == 1 ? "event was" : "events were");
        s->told_lost_events = s->pending.lost_events;
        pending_event(&s->pending, "", (double)s->wall_us() / USEC_PER_SEC, "veille", "fault", "", "", "events", why);
        if (s->oldest_us == 0)
                s->oldest_us = s->boot_us();
}

int store_commit(struct store *s)
{
        int64_t more_events = 0, more_kv = 0;
        int r;

        db_look_for_file(s);
        if (!s->db && s->boot_us() < s->retry_us)
                return s->trouble_code;
        r = s->db ? SQLITE_OK : db_open(s);
        if (r != SQLITE_OK)
                return r;
        if (pending_empty(&s->pending) && !s->trouble[0])
                return SQLITE_OK;
        tell_losses(s);
        r = write_all(s, &more_events, &more_kv);
        if (r == SQLITE_OK) {
                written(s, more_events, more_kv);
                return r;
        }
        s->counters.failed_commits++;
        db_failed(s, r, "write");
        return r;
}

int64_t store_commit_due(const struct store *s)
{
        int64_t now = s->boot_us(), due = INT64_MAX;

        if (!pending_empty(&s->pending)) {
                due = s->oldest_us + s->commit_s * USEC_PER_SEC;
                if (s->eager)
                        due = MIN(due, s->oldest_us + (s->eager_count >= EAGER_MAX && now - s->eager_us <= EAGER_WINDOW_US
                                                               ? EAGER_STORM_US : EAGER_US));
        }
        if (s->trouble[0] || !s->db)
                due = MAX(due == INT64_MAX ? s->retry_us : due, s->retry_us);
        return due;
}
