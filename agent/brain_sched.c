/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* When to run what: every check has its discovery and its instances their next time. What is due
 * together goes out in one request. A tick a second; few requests at once, so that a start on a large host is
 * no storm; a request that only waits for a hung child does not count. */

#include "brain.h"

#define TICK_US (1 * USEC_PER_SEC)
#define REQUESTS_MAX 4
#define PLUGIN_REQUESTS_MAX 4 /* places of their own: plugins that hang must not keep the hardware waiting */
#define DISCOVERY_S 600      /* uevents make it immediate; this is the safety net */
#define BATCH_MAX 256
#define RETRY_S 60           /* a sick instance of a slow check is asked again this soon */

struct check_state {
        const struct check_desc *check;
        int64_t next_discovery_us, hurried_us;
        bool discovering, hurry, hurry_discovery;
        bool discovered; /* once at least */
};

struct brain_sched {
        struct brain *b;
        sd_event_source *timer, *soon;
        struct check_state *checks;
        size_t n;
        size_t turn[2]; /* whose turn is next: of the hardware, of plugins */
};

static struct check_state *state_of(struct brain_sched *s, const struct check_desc *check)
{
        for (size_t i = 0; i < s->n; i++)
                if (s->checks[i].check == check)
                        return &s->checks[i];
        return NULL;
}

static int64_t next_run_us(const struct judge_instance *i, int64_t now)
{
        int interval = i->check->interval_s;

        if (i->verdict != VERDICT_OK && i->verdict != VERDICT_NODATA && i->verdict != VERDICT_PENDING)
                interval = MIN(interval, RETRY_S);
        return now + interval * USEC_PER_SEC;
}

static void on_done(void *data, const struct check_desc *check, bool discovery)
{
        struct brain_sched *s = data;
        struct check_state *c = state_of(s, check);

        if (!c)
                return;
        if (discovery) {
                c->discovering = false;
                c->discovered = true;
        }
        /* The first answers of all, or of something new: do not wait for the next turn to show them. */
        for (const struct judge_instance *i = judge_instances(s->b->judge); i; i = i->next)
                if (i->check == check && (discovery || i->run <= 1)) {
                        brain_publish_soon(s->b);
                        break;
                }
        /* Due from when it was begun, but a failure is looked at again sooner than a long interval. */
        for (const struct judge_instance *i = judge_instances(s->b->judge); i; i = i->next)
                if (i->check == check && i->next_us)
                        ((struct judge_instance *)i)->next_us = MIN(i->next_us, next_run_us(i, brain_now_us()));
        if (!discovery && probe_can_sleep(check))
                brain_selftest_look(s->b);
        sd_event_source_set_enabled(s->soon, SD_EVENT_ONESHOT);
}

static bool enabled(const struct brain *b, const struct check_desc *check)
{
        return config_bool(b->config, "check", check->name, "enabled");
}

static void start_discovery(struct brain_sched *s, struct check_state *c, int64_t now)
{
        int r;

        c->next_discovery_us = now + DISCOVERY_S * USEC_PER_SEC;
        c->hurry_discovery = false;
        r = probe_request_start(s->b, c->check, NULL, 0, on_done, s);
        if (r < 0) {
                c->next_discovery_us = now + 10 * USEC_PER_SEC;
                brain_self(s->b, c->check->name, VERDICT_FAILED, "no probe could be started for discovery: %s", strerror(-r));
        } else {
                c->discovering = true;
                brain_self(s->b, c->check->name, VERDICT_OK, "%s", "");
        }
}

static void start_runs(struct brain_sched *s, struct check_state *c, int64_t now)
{
        struct judge_instance *due[BATCH_MAX];
        int64_t slack_us = c->check->interval_s * USEC_PER_SEC / 10;
        bool any = c->hurry;
        size_t n = 0;
        int r;

        for (const struct judge_instance *i = judge_instances(s->b->judge); i; i = i->next)
                any |= i->check == c->check && i->present && !i->pushed && !i->in_flight && !i->stuck && i->next_us <= now;
        if (!any)
                return;
        for (const struct judge_instance *i = judge_instances(s->b->judge); i && n < BATCH_MAX; i = i->next)
                if (i->check == c->check && i->present && !i->pushed && !i->in_flight && !i->stuck &&
                    (c->hurry || i->next_us <= now + slack_us))
                        due[n++] = (struct judge_instance *)i;
        c->hurry = false;
        if (n == 0)
                return;
        r = probe_request_start(s->b, c->check, due, n, on_done, s);
        for (size_t i = 0; i < n; i++) {
                due[i]->next_us = now + c->check->interval_s * USEC_PER_SEC;
                if (r < 0) {
                        due[i]->next_us = now + MIN(c->check->interval_s, RETRY_S) * USEC_PER_SEC;
                        judge_run_begin(s->b->judge, due[i]);
                        judge_run_end(s->b->judge, due[i], VERDICT_FAILED, "no probe could be started", now);
                }
        }
}

/* Checks take turns: with few places and slow probes, those late in the table would otherwise never be asked. */
static void run_due_of(struct brain_sched *s, bool plugins)
{
        size_t places = plugins ? PLUGIN_REQUESTS_MAX : REQUESTS_MAX, *turn = &s->turn[plugins];
        int64_t now = brain_now_us();

        for (size_t tried = 0; tried < s->n && probe_requests_active(plugins) < places; tried++) {
                struct check_state *c = &s->checks[*turn % s->n];

                *turn = (*turn + 1) % s->n;
                if ((c->check->privilege == PRIVILEGE_PLUGIN) != plugins || !enabled(s->b, c->check))
                        continue;
                if (!c->discovering && (c->next_discovery_us <= now || c->hurry_discovery))
                        start_discovery(s, c, now);
                else if (!c->discovering)
                        start_runs(s, c, now);
        }
}

static void run_due(struct brain_sched *s)
{
        if (!brain_store_loaded(s->b))
                return;
        run_due_of(s, false);
        run_due_of(s, true);
}

static int on_soon(sd_event_source *source UNUSED, void *data)
{
        run_due(data);
        return 0;
}

/* The tick also measures how late it is: what stalls the loop stalls everything. */
static int on_tick(sd_event_source *source, uint64_t usec, void *data)
{
        struct brain_sched *s = data;
        struct brain *b = s->b;
        int64_t now = brain_now_us(), late = now - (int64_t)usec;

        if (late > b->counters.longest_stall_us)
                b->counters.longest_stall_us = late;
        if (late > 100 * USEC_PER_MSEC)
                b->counters.stalls++;
        run_due(s);
        judge_tick(b->judge, now);
        sd_event_source_set_time(source, (uint64_t)(now + TICK_US));
        return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

void brain_sched_hurry(struct brain *b, const char *check, bool discovery)
{
        struct brain_sched *s = b->sched;
        int64_t now = brain_now_us();

        for (size_t i = 0; s && i < s->n; i++) {
                struct check_state *c = &s->checks[i];

                if (check && !streq(c->check->name, check))
                        continue;
                c->hurry = true;
                c->hurry_discovery |= discovery;
                /* At most once a second: the tick takes what comes too fast. */
                if (now - c->hurried_us > USEC_PER_SEC) {
                        c->hurried_us = now;
                        sd_event_source_set_enabled(s->soon, SD_EVENT_ONESHOT);
                }
        }
}

void brain_sched_soon(struct brain *b)
{
        if (b->sched)
                sd_event_source_set_enabled(b->sched->soon, SD_EVENT_ONESHOT);
}

bool brain_sched_discovered(const struct brain *b, const char *check)
{
        const struct brain_sched *s = b->sched;

        for (size_t i = 0; s && i < s->n; i++)
                if (streq(s->checks[i].check->name, check))
                        return !enabled(b, s->checks[i].check) || (s->checks[i].discovered && !s->checks[i].hurry_discovery);
        return s != NULL;
}

void brain_sched_reset(struct brain *b)
{
        struct brain_sched *s = b->sched;

        free(s->checks);
        s->turn[0] = s->turn[1] = 0;
        s->n = b->catalog.n_checks;
        s->checks = calloc(s->n ? s->n : 1, sizeof(*s->checks));
        if (!s->checks)
                abort();
        for (size_t i = 0; i < s->n; i++)
                s->checks[i].check = &b->catalog.checks[i];
        sd_event_source_set_enabled(s->soon, SD_EVENT_ONESHOT);
}

int brain_sched_start(struct brain *b)
{
        struct brain_sched *s = b->sched = calloc(1, sizeof(*s));
        int r;

        if (!s)
                abort();
        s->b = b;
        r = sd_event_add_defer(b->event, &s->soon, on_soon, s);
        if (r >= 0)
                r = sd_event_add_time(b->event, &s->timer, CLOCK_BOOTTIME, (uint64_t)(brain_now_us() + TICK_US), 20 * USEC_PER_MSEC, on_tick, s);
        if (r < 0)
                return r;
        brain_sched_reset(b);
        return 0;
}

void brain_sched_stop(struct brain *b)
{
        struct brain_sched *s = b->sched;

        if (!s)
                return;
        probe_requests_abort(b);
        sd_event_source_disable_unref(s->timer);
        sd_event_source_disable_unref(s->soon);
        free(s->checks);
        free(s);
        b->sched = NULL;
}
