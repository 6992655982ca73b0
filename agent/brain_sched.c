/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* When to run what: every check has its discovery and its instances their next time. What is due
 * together goes out in one request, and the requests of one privilege over one channel: for that the times of all
 * checks lie on a common grid, and a probe that is started anyway takes along what would be due a little later. A tick a
 * second; few requests at once, so that a start on a large host is no storm; a request that only waits for a hung child does
 * not count.
 *
 * An event makes a check due at once. What comes while it is being answered is answered after it, never dropped: the run under
 * way may have looked before it happened. Events of one check are answered a tenth of a second apart at least, and after a
 * burst once a second, so that a storm of them costs no more than that. They have places of their own, where only requests
 * count that are young: slow or hung checks do not hold them up, nor does a discovery of the same check that hangs. */

#include "brain.h"
#include "brain_channel.h"

#define TICK_US (1 * USEC_PER_SEC)
#define REQUESTS_MAX 4
#define PLUGIN_REQUESTS_MAX 4 /* places of their own: plugins that hang must not keep the hardware waiting */
#define DISCOVERY_S 600      /* uevents make it immediate; this is the safety net */
#define BATCH_MAX 256
#define RETRY_S 60           /* a sick instance of a slow check is asked again this soon */
#define EVENT_PLACES 8
#define EVENT_YOUNG_US (500 * USEC_PER_MSEC)
#define EVENT_PLACES_SLOW 12 /* with those that are not young any more: on a loaded machine all are slow */
#define EVENT_SLOW_US (10 * USEC_PER_SEC)
#define NEVER_OLD INT64_MAX
#define EVENT_GAP_US (100 * USEC_PER_MSEC)
#define EVENT_EVERY_US (1 * USEC_PER_SEC) /* on average, after EVENT_BURST in a row */
#define EVENT_BURST 4
#define SLOW_DISCOVERY_US (500 * USEC_PER_MSEC) /* one that takes longer does not hold up the runs of what is known */

struct check_state {
        const struct check_desc *check;
        int64_t next_discovery_us, discovery_us;
        int64_t event_us;  /* when the event that waits is answered; 0: none waits */
        int64_t looked_us; /* event_us of the last one */
        int64_t paid_us;   /* until then its share of looks is used up: a leaky bucket */
        bool event_runs, event_discovery; /* what it asks for */
        bool run_now;      /* all its instances, as soon as no discovery is under way */
        bool discovering;
        bool discovered; /* once at least */
};

struct brain_sched {
        struct brain *b;
        sd_event_source *timer, *soon, *events;
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

/* The next point of the grid of that interval that is at least a tenth of it away: checks of one interval stay together whatever
 * an event has asked for in between. */
static int64_t on_grid(int64_t now, int interval_s)
{
        int64_t step = interval_s * USEC_PER_SEC, next = (now / step + 1) * step;

        return next - now < step / 10 ? next + step : next;
}

static int64_t next_run_us(const struct judge_instance *i, int64_t now)
{
        int interval = i->check->interval_s;

        if (i->verdict != VERDICT_OK && i->verdict != VERDICT_NODATA && i->verdict != VERDICT_PENDING)
                interval = MIN(interval, RETRY_S);
        return on_grid(now, interval);
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
        /* What hold or calm waits for is looked at when that ends, not at the next turn after it. */
        for (const struct judge_instance *i = judge_instances(s->b->judge); i; i = i->next)
                if (i->check == check && i->next_us)
                        ((struct judge_instance *)i)->next_us = MIN(i->next_us, MAX(judge_due_us(i), brain_now_us() + USEC_PER_SEC));
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
        c->discovery_us = now;
        c->event_discovery = false;
        r = probe_request_start(s->b, c->check, NULL, 0, on_done, s);
        if (r < 0) {
                c->next_discovery_us = now + 10 * USEC_PER_SEC;
                brain_self(s->b, c->check->name, VERDICT_FAILED, "no probe could be started for discovery: %s", strerror(-r));
        } else {
                c->discovering = true;
                brain_self(s->b, c->check->name, VERDICT_OK, "%s", "");
        }
}

static bool event_due(const struct check_state *c, int64_t now)
{
        return c->event_us && c->event_us <= now;
}

/* What was under way when the event came may have looked too early and is due again. */
static void run_again(struct brain_sched *s, const struct check_state *c, int64_t now)
{
        for (const struct judge_instance *i = judge_instances(s->b->judge); i; i = i->next)
                if (i->check == c->check && i->in_flight)
                        ((struct judge_instance *)i)->next_us = now;
}

static void start_runs(struct brain_sched *s, struct check_state *c, int64_t now)
{
        struct judge_instance *due[BATCH_MAX];
        int64_t slack_us = c->check->interval_s * USEC_PER_SEC / 10;
        bool hurry = c->run_now, any = hurry;
        size_t n = 0;
        int r;

        for (const struct judge_instance *i = judge_instances(s->b->judge); i; i = i->next)
                any |= i->check == c->check && i->present && !i->pushed && !i->in_flight && !i->stuck && i->next_us <= now;
        for (const struct judge_instance *i = judge_instances(s->b->judge); i && any; i = i->next) {
                if (i->check != c->check || !i->present || i->pushed || i->in_flight || i->stuck || (!hurry && i->next_us > now + slack_us))
                        continue;
                /* More than fit into one request stay due. */
                if (n < BATCH_MAX)
                        due[n++] = (struct judge_instance *)i;
                else
                        ((struct judge_instance *)i)->next_us = MIN(i->next_us, now);
        }
        if (hurry)
                run_again(s, c, now);
        c->run_now = false;
        if (n == 0)
                return;
        r = probe_request_start(s->b, c->check, due, n, on_done, s);
        for (size_t i = 0; i < n; i++) {
                due[i]->next_us = on_grid(now, c->check->interval_s);
                if (r < 0) {
                        due[i]->next_us = now + MIN(c->check->interval_s, RETRY_S) * USEC_PER_SEC;
                        judge_run_begin(s->b->judge, due[i]);
                        judge_run_end(s->b->judge, due[i], VERDICT_FAILED, "no probe could be started", now);
                }
        }
}

static void run_check(struct brain_sched *s, struct check_state *c, int64_t now)
{
        bool event = event_due(c, now), find = c->next_discovery_us <= now || (event && c->event_discovery);

        if (event) {
                c->run_now |= c->event_runs;
                c->event_runs = false;
        }
        if (find && !c->discovering)
                start_discovery(s, c, now);
        else if (!c->discovering || now - c->discovery_us >= SLOW_DISCOVERY_US)
                start_runs(s, c, now);
        if (event && !c->event_discovery) /* else it waits for the discovery that is under way */
                c->event_us = 0;
}

static bool event_place(bool plugins)
{
        return probe_requests_active(plugins, EVENT_YOUNG_US) < EVENT_PLACES &&
               probe_requests_active(plugins, EVENT_SLOW_US) < EVENT_PLACES_SLOW;
}

static bool is_hurried(const struct check_state *c, int64_t now)
{
        return event_due(c, now) || c->run_now;
}

/* Checks take turns: with few places and slow probes, those late in the table would otherwise never be asked. A channel that is
 * about to be sent has room for whoever is due. */
static void run_due_of(struct brain_sched *s, bool plugins)
{
        size_t places = plugins ? PLUGIN_REQUESTS_MAX : REQUESTS_MAX, *turn = &s->turn[plugins], first = *turn, next = s->n;
        int64_t now = brain_now_us();

        for (size_t i = 0; i < s->n && event_place(plugins); i++) {
                struct check_state *c = &s->checks[i];

                if (is_hurried(c, now) && (c->check->privilege == PRIVILEGE_PLUGIN) == plugins && enabled(s->b, c->check))
                        run_check(s, c, now);
        }
        for (size_t i = 0; i < s->n; i++) {
                size_t k = (first + i) % s->n;
                struct check_state *c = &s->checks[k];

                if ((c->check->privilege == PRIVILEGE_PLUGIN) != plugins || !enabled(s->b, c->check))
                        continue;
                if (probe_requests_active(plugins, NEVER_OLD) < places || channel_waits(s->b, c->check->privilege))
                        run_check(s, c, now);
                else if (next == s->n)
                        next = k;
        }
        *turn = next < s->n ? next : first;
}

/* The timer stands at the first event whose time has not come, where a discovery becomes a slow one, or soon when there was no
 * place. The tick would see it too, but late. */
static void arm(struct brain_sched *s)
{
        int64_t now = brain_now_us(), first = INT64_MAX;

        for (size_t i = 0; i < s->n; i++) {
                const struct check_state *c = &s->checks[i];

                if (c->event_us > now)
                        first = MIN(first, c->event_us);
                else if ((c->event_us || c->run_now) && !c->discovering)
                        first = MIN(first, now + EVENT_YOUNG_US / 5);
                if (c->run_now && c->discovering && c->discovery_us + SLOW_DISCOVERY_US > now)
                        first = MIN(first, c->discovery_us + SLOW_DISCOVERY_US);
        }
        if (first < INT64_MAX)
                sd_event_source_set_time(s->events, (uint64_t)first);
        sd_event_source_set_enabled(s->events, first < INT64_MAX ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

static void run_due(struct brain_sched *s)
{
        if (!brain_store_loaded(s->b))
                return;
        run_due_of(s, false);
        run_due_of(s, true);
        channels_send();
        arm(s);
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
        brain_limits_of_judge(b);
        sd_event_source_set_time(source, (uint64_t)(now + TICK_US));
        return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static int on_events(sd_event_source *source UNUSED, uint64_t usec UNUSED, void *data)
{
        run_due(data);
        return 0;
}

/* When an event that comes now may be answered. */
static int64_t event_time(struct check_state *c, int64_t now)
{
        int64_t at = MAX(now, MAX(c->looked_us + EVENT_GAP_US, c->paid_us - EVENT_BURST * EVENT_EVERY_US));

        c->paid_us = MAX(c->paid_us, at) + EVENT_EVERY_US;
        c->looked_us = at;
        return at;
}

void brain_sched_hurry(struct brain *b, const char *check, enum brain_look look)
{
        struct brain_sched *s = b->sched;
        int64_t now = brain_now_us();

        for (size_t i = 0; s && i < s->n; i++) {
                struct check_state *c = &s->checks[i];

                if ((check && !streq(c->check->name, check)) || !enabled(b, c->check))
                        continue;
                c->event_runs |= look != LOOK_NEW;
                c->event_discovery |= look != LOOK_AGAIN;
                if (!c->event_us)
                        c->event_us = event_time(c, now);
                if (c->event_us <= now)
                        sd_event_source_set_enabled(s->soon, SD_EVENT_ONESHOT);
                else
                        arm(s);
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
                        return !enabled(b, s->checks[i].check) || (s->checks[i].discovered && !s->checks[i].event_discovery);
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
                r = sd_event_add_time(b->event, &s->events, CLOCK_BOOTTIME, UINT64_MAX, 5 * USEC_PER_MSEC, on_events, s);
        if (r >= 0)
                r = sd_event_source_set_enabled(s->events, SD_EVENT_OFF);
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
        probe_requests_abort();
        sd_event_source_disable_unref(s->timer);
        sd_event_source_disable_unref(s->soon);
        sd_event_source_disable_unref(s->events);
        free(s->checks);
        free(s);
        b->sched = NULL;
}
