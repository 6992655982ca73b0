/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Self-tests of disks on a calendar ([selftest]; off until configured). Once a minute, and whenever disks were read, the plan
 * (selftest_plan.h) is asked with what the samples say. A start is a wish on the disk's next run, so that one run at a time
 * stays true; that run says whether the test began, and later ones how it ended. Overdue and failed are levels by the rules of
 * the check selftest. */

#include "brain_selftest.h"

#include <math.h>

#define TICK_US (60 * USEC_PER_SEC)
#define STARTS_MAX 16
#define HOUR_S 3600
#define RETRY_S (6 * HOUR_S)           /* a disk that refused or broke off is not asked again sooner */
#define CONFIRM_S HOUR_S               /* a wish that no run answered for so long is dropped */
#define RUNNING_MAX_S (5 * 24 * HOUR_S) /* a disk that says for longer that it tests itself is not believed */
#define WANTED_S (24 * HOUR_S)         /* how long an administrator's wish waits */

/* How soon a disk is read again while a test runs on it: short ones hold up the next member of the array. */
static const int poll_s[SELFTEST_KINDS] = { [SELFTEST_SHORT] = 60, [SELFTEST_LONG] = 600 };

static void tell(struct brain_selftest *s, const struct judge_instance *i, int kind, const char *what, const char *why)
{
        char text[256];

        snprintf(text, sizeof(text), "its %s self-test %s%s%s", selftest_kind_name((enum selftest_kind)kind), what, *why ? ": " : "", why);
        brain_log(s->b, BRAIN_NOTICE, "%s: %s", i->component->name, text);
        brain_store_event(s->b, NULL, brain_wall_us(), i->component->name, "event", LEVEL_OK, "", text);
}

/* --- what became of a test ------------------------------------------------------------------------ */

/* It never began: it is due still. */
static void forget(struct selftest_memory *m)
{
        m->started_s[m->under_way] = m->before_s;
        m->under_way = -1;
        m->confirmed = false;
}

static void see_answer(struct brain_selftest *s, struct selftest_memory *m, const struct judge_instance *i)
{
        const struct judge_series *said = selftest_answer(i, m->run);
        const char *answer = said ? selftest_series_label(said, "answer") : NULL, *why = said ? selftest_series_label(said, "why") : NULL;
        int kind = m->under_way;

        if (answer && streq(answer, "begun")) {
                m->confirmed = true;
                m->run = said->run;
                tell(s, i, kind, "has begun", "");
                return;
        }
        /* No answer at all: the disk was found asleep, or gone. */
        forget(m);
        if (!answer)
                return;
        tell(s, i, kind, "could not be started", why ? why : "");
        m->retry_s = selftest_wall_s() + RETRY_S;
        m->cannot[kind] = streq(answer, "unsupported");
}

static void see_end(struct brain_selftest *s, struct selftest_memory *m, const struct judge_instance *i)
{
        const char *result = selftest_label(i, "disk_selftest_last_result", "result");
        int64_t now = selftest_wall_s();
        int kind = m->under_way;

        m->under_way = -1;
        m->confirmed = false;
        if (!result) {
                tell(s, i, kind, "is over, but the disk does not say how it ended", "");
        } else if (streq(result, "passed")) {
                m->passed_s[kind] = now;
                tell(s, i, kind, "passed", "");
        } else if (streq(result, "failed")) {
                m->failed_s[kind] = now;
                tell(s, i, kind, "failed", "");
        } else {
                m->early_s[kind] = now;
                m->started_s[kind] = m->before_s; /* due still */
                m->retry_s = now + RETRY_S;
                tell(s, i, kind, "was broken off", "");
        }
}

/* Only a test that the disk confirmed and that then no longer runs has ended. */
static void follow(struct brain_selftest *s, struct selftest_memory *m, struct judge_instance *i)
{
        int64_t age_s = selftest_wall_s() - m->started_s[m->under_way];
        bool confirmed = m->confirmed;

        if (!i->in_flight && i->run > m->run && i->verdict == VERDICT_OK && !i->standby) {
                if (!m->confirmed)
                        see_answer(s, m, i);
                else if (selftest_value(i, "disk_selftest_running") != 1)
                        see_end(s, m, i);
                if (m->under_way < 0 || m->confirmed != confirmed)
                        brain_state_save(s->b);
        }
        if (m->under_way >= 0 && (age_s < -CONFIRM_S || age_s > (m->confirmed ? RUNNING_MAX_S : CONFIRM_S))) {
                i->selftest_wanted = 0;
                forget(m);
        }
        if (m->under_way >= 0 && m->confirmed)
                i->next_us = MIN(i->next_us, brain_now_us() + poll_s[m->under_way] * USEC_PER_SEC);
}

/* --- one look ------------------------------------------------------------------------------------- */

static bool is_ignored(const struct brain *b, const struct judge_instance *i)
{
        char *words[SELFTEST_DISKS_MAX];
        size_t n = config_list(b->config, "selftest", NULL, "ignore", words, ARRAY_LEN(words));
        bool found = false;

        for (size_t k = 0; k < n; k++) {
                found |= streq(words[k], i->component->name) || streq(words[k], i->name);
                free(words[k]);
        }
        return found;
}

/* Tests that others began count as well. */
static void see_log(struct selftest_memory *m, const struct judge_instance *i, int64_t now)
{
        double long_age_s = selftest_value(i, "disk_selftest_long_age_seconds");
        bool running = selftest_value(i, "disk_selftest_running") == 1;

        if (long_age_s >= 0 && long_age_s < 1e10)
                m->passed_s[SELFTEST_LONG] = MAX(selftest_past_s(m->passed_s[SELFTEST_LONG], now), now - (int64_t)long_age_s);
        if (!running)
                m->running_since_s = 0;
        else if (!m->running_since_s || m->running_since_s > now)
                m->running_since_s = now;
}

/* After an hour a clock that was wrong at boot has been set: what was remembered for a time to come was wrong then. */
static void mend_times(struct brain_selftest *s, struct selftest_memory *m, int64_t now)
{
        if (brain_now_us() < HOUR_S * USEC_PER_SEC)
                return;
        m->known_s = selftest_past_s(m->known_s, now) ? m->known_s : now;
        for (int k = 0; k < SELFTEST_KINDS; k++)
                s->since_s[k] = selftest_past_s(s->since_s[k], now) ? s->since_s[k] : now;
}

static struct selftest_disk describe(struct brain_selftest *s, const struct selftest_links *links, struct selftest_memory *m,
                                     struct judge_instance *i)
{
        struct selftest_disk d = { .id = m->key };
        int64_t now = selftest_wall_s();

        snprintf(m->component, sizeof(m->component), "%s", i->component->name);
        m->planned = true;
        m->seen_s = now;
        mend_times(s, m, now);
        if (m->under_way >= 0)
                follow(s, m, i);
        see_log(m, i, now);
        if (now - m->wanted_s > WANTED_S || m->wanted_s > now)
                m->wanted = 0;
        d.known_s = m->known_s;
        memcpy(d.started_s, m->started_s, sizeof(d.started_s));
        memcpy(d.good_s, m->passed_s, sizeof(d.good_s));
        memcpy(d.cannot, m->cannot, sizeof(d.cannot));
        d.wanted = m->wanted;
        d.running = m->under_way >= 0 || (m->running_since_s && now - m->running_since_s < RUNNING_MAX_S);
        selftest_look_at(s->b, links, i, &d);
        if (!d.held && !m->wanted && m->retry_s > now && m->retry_s <= now + RETRY_S)
                d.held = "the disk refused a test or broke it off a short while ago";
        return d;
}

static void start(struct brain_selftest *s, struct judge_instance *i, struct selftest_memory *m, enum selftest_kind kind)
{
        m->before_s = m->started_s[kind];
        m->started_s[kind] = selftest_wall_s();
        m->under_way = kind;
        m->confirmed = false;
        m->run = i->run;
        m->wanted = 0;
        i->selftest_wanted = 1 + kind;
        i->next_us = brain_now_us();
        brain_sched_soon(s->b);
}

/* A failure stands until the same kind, or a long one, has passed since. */
static bool has_failed(const struct selftest_memory *m, int kind)
{
        return m->failed_s[kind] > m->passed_s[kind] && m->failed_s[kind] > m->passed_s[SELFTEST_LONG];
}

static void push(struct brain_selftest *s, struct judge_instance *i, const char *metric, int kind, double value)
{
        const char *const labels[] = { "test", selftest_kind_name((enum selftest_kind)kind), NULL };

        judge_sample(s->b->judge, i, metric, value, labels, brain_now_us());
}

static void publish_kind(struct brain_selftest *s, struct judge_instance *to, const struct judge_instance *of, const struct selftest_memory *m,
                         const struct selftest_disk *disk, int kind)
{
        int64_t now = selftest_wall_s(), passed = selftest_past_s(m->passed_s[kind], now);

        if (s->settings.calendar[kind].set && !m->cannot[kind])
                push(s, to, "selftest_overdue_seconds", kind,
                     (double)selftest_overdue_s(&s->settings, &s->dates, disk, (enum selftest_kind)kind, now));
        if (passed)
                push(s, to, "selftest_passed_age_seconds", kind, (double)(now - MIN(passed, now)));
        /* Where the disk's own log still says so, once is enough. */
        if (m->failed_s[kind] || passed)
                push(s, to, "selftest_failed", kind, has_failed(m, kind) && selftest_value(of, "disk_selftest_failed") != 1);
}

static void publish(struct brain_selftest *s, const struct judge_instance *of, const struct selftest_memory *m, const struct selftest_disk *disk)
{
        const struct check_desc *check = judge_check(s->b->judge, "selftest");
        struct judge_instance *i;

        if (!check)
                return;
        i = judge_pushed(s->b->judge, check, of->component->name, of->component->name, "disk", brain_now_us());
        judge_run_begin(s->b->judge, i);
        for (int k = 0; k < SELFTEST_KINDS; k++)
                publish_kind(s, i, of, m, disk, k);
        judge_run_end(s->b->judge, i, VERDICT_OK, "", brain_now_us());
}

struct look {
        struct judge_instance *instances[SELFTEST_DISKS_MAX];
        struct selftest_memory *memories[SELFTEST_DISKS_MAX];
        struct selftest_disk disks[SELFTEST_DISKS_MAX];
        size_t n;
};

static void look_add(struct brain_selftest *s, struct look *look, const struct selftest_links *links, struct judge_instance *i)
{
        struct selftest_memory *m;
        char key[256];

        /* What never was read is no disk that we know: a volume without SMART, a controller. */
        if (!probe_can_sleep(i->check) || !i->present || !i->was_ok || is_ignored(s->b, i))
                return;
        selftest_memory_key(i, key, sizeof(key));
        m = look->n < SELFTEST_DISKS_MAX ? selftest_memory_get(s, key) : NULL;
        if (!m) {
                brain_self(s->b, "selftest", VERDICT_FAILED, "more than %d disks: %s and others are never told to test themselves",
                           SELFTEST_DISKS_MAX, i->component->name);
                return;
        }
        if (m->planned)
                return; /* the other path to it */
        look->memories[look->n] = m;
        look->disks[look->n] = describe(s, links, m, i);
        look->instances[look->n++] = i;
}

/* Disks that went away, or that are to be ignored now: nothing is said about their tests any more. */
static void end_absent(struct brain_selftest *s, const struct look *look)
{
        const struct check_desc *check = judge_check(s->b->judge, "selftest");

        for (struct selftest_memory *m = s->memories; m; m = m->next)
                if (!m->planned)
                        *m->component = '\0';
        for (const struct judge_instance *i = judge_instances(s->b->judge); i; i = i->next) {
                bool there = false;

                for (size_t k = 0; i->check == check && i->n_series && !there && k < look->n; k++)
                        there = streq(look->instances[k]->component->name, i->name);
                if (i->check != check || !i->n_series || there)
                        continue;
                judge_run_begin(s->b->judge, (struct judge_instance *)i);
                judge_run_end(s->b->judge, (struct judge_instance *)i, VERDICT_OK, "", brain_now_us());
        }
}

static void look(struct brain_selftest *s)
{
        struct selftest_links *links = selftest_links_read(s->b);
        struct selftest_start starts[STARTS_MAX];
        struct look *l = calloc(1, sizeof(*l));
        int64_t now = selftest_wall_s();
        size_t n_starts;

        if (!l)
                abort();
        for (struct selftest_memory *m = s->memories; m; m = m->next)
                m->planned = false;
        for (const struct judge_instance *i = judge_instances(s->b->judge); i; i = i->next)
                look_add(s, l, links, (struct judge_instance *)i);
        memcpy(s->settings.since_s, s->since_s, sizeof(s->since_s));
        s->settings.slow = selftest_writes_are_slow(s->b);
        selftest_dates(&s->settings, now, &s->dates);
        n_starts = selftest_plan(&s->settings, &s->dates, l->disks, l->n, now, starts, ARRAY_LEN(starts));
        for (size_t k = 0; k < n_starts; k++)
                start(s, l->instances[starts[k].disk], l->memories[starts[k].disk], starts[k].kind);
        for (size_t k = 0; k < l->n; k++) {
                snprintf(l->memories[k]->waits, sizeof(l->memories[k]->waits), "%s", l->disks[k].waits ? l->disks[k].waits : "");
                publish(s, l->instances[k], l->memories[k], &l->disks[k]);
        }
        end_absent(s, l);
        free(l);
        selftest_links_free(links);
}

/* A calendar, or disks that have been tested before. */
static bool is_wanted(const struct brain_selftest *s)
{
        for (int k = 0; k < SELFTEST_KINDS; k++)
                if (s->settings.calendar[k].set)
                        return true;
        return s->memories != NULL;
}

static void read_settings(struct brain_selftest *s)
{
        static const char *const keys[SELFTEST_KINDS][2] = { { "short", "short_window" }, { "long", "long_window" } };
        const struct config *c = s->b->config;
        struct selftest_settings settings = { .at_once = (size_t)config_int(c, "selftest", NULL, "at_once") };
        size_t at;

        for (int k = 0; k < SELFTEST_KINDS; k++) {
                const char *text = config_string(c, "selftest", NULL, keys[k][0]);

                /* config_load refuses what cannot be parsed. */
                selftest_calendar_parse(text ? text : "", &settings.calendar[k], &at, NULL);
                settings.window_s[k] = config_int(c, "selftest", NULL, keys[k][1]);
                selftest_calendar_set(s, (enum selftest_kind)k, text ? text : "");
        }
        s->settings = settings;
}

void brain_selftest_look(struct brain *b)
{
        struct brain_selftest *s = brain_selftest_of(b);

        if (!brain_store_loaded(b))
                return;
        read_settings(s);
        if (is_wanted(s))
                look(s);
}

void brain_selftest_reset(struct brain *b)
{
        for (struct selftest_memory *m = b->selftest ? b->selftest->memories : NULL; m; m = m->next) {
                m->run = 0;
                if (m->under_way >= 0 && !m->confirmed)
                        forget(m);
        }
}

/* --- asked by people ------------------------------------------------------------------------------ */

static struct judge_instance *find_disk(const struct brain *b, const char *component)
{
        for (const struct judge_instance *i = judge_instances(b->judge); i; i = i->next)
                if (probe_can_sleep(i->check) && i->present && i->was_ok && streq(i->component->name, component))
                        return (struct judge_instance *)i;
        return NULL;
}

int brain_selftest_ask(struct brain *b, const char *component, const char *kind_name, char *ret, size_t size, struct errinfo *err)
{
        struct brain_selftest *s = brain_selftest_of(b);
        struct judge_instance *i = find_disk(b, component);
        int kind = selftest_kind_from_name(kind_name);
        struct selftest_memory *m;
        char key[256];

        if (kind < 0)
                return err_set(err, kind, "there is no self-test '%s'; there are short and long", kind_name);
        if (!i)
                return err_set(err, -ENOENT, "there is no disk '%s' that can be read; veillectl status shows them", component);
        if (is_ignored(b, i))
                return err_set(err, -EPERM, "ignore in [selftest] names %s", component);
        selftest_memory_key(i, key, sizeof(key));
        m = selftest_memory_get(s, key);
        if (!m)
                return err_set(err, -E2BIG, "there are more than %d disks", SELFTEST_DISKS_MAX);
        if (m->under_way >= 0)
                return err_set(err, -EBUSY, "%s is testing itself already (%s)", component, selftest_kind_name((enum selftest_kind)m->under_way));
        m->wanted = 1 + kind;
        m->wanted_s = selftest_wall_s();
        m->cannot[kind] = false;
        brain_selftest_look(b);
        brain_log(b, BRAIN_NOTICE, "%s: an administrator asks for a %s self-test", component, kind_name);
        if (m->under_way == kind)
                snprintf(ret, size, "%s is told to begin; veillectl selftest shows how it goes", component);
        else
                snprintf(ret, size, "%s waits, for a day at most: %s", component, *m->waits ? m->waits : "veilled has just started");
        return 0;
}

static const char *state_of(const struct brain_selftest *s, const struct selftest_memory *m, int kind)
{
        if (m->under_way == kind)
                return "running";
        if (m->cannot[kind])
                return "impossible";
        if (m->wanted == 1 + kind)
                return "waiting";
        return s->settings.calendar[kind].set ? "planned" : "none";
}

static void add_time(json_t *o, const char *name, int64_t t)
{
        if (t)
                json_object_set_new(o, name, json_integer(t));
}

static json_t *kind_json(const struct brain_selftest *s, const struct selftest_memory *m, int kind)
{
        struct selftest_disk d = { .known_s = m->known_s, .wanted = m->wanted };
        const char *state = state_of(s, m, kind);
        int64_t due;
        json_t *o;

        memcpy(d.started_s, m->started_s, sizeof(d.started_s));
        memcpy(d.cannot, m->cannot, sizeof(d.cannot));
        due = selftest_due_s(&s->settings, &s->dates, &d, (enum selftest_kind)kind, selftest_wall_s());
        if (due && streq(state, "planned"))
                state = "waiting";
        o = json_pack("{ss ss ss ss}", "component", m->component, "test", selftest_kind_name((enum selftest_kind)kind), "state", state,
                      "why", streq(state, "waiting") ? m->waits : "");
        if (!o)
                return NULL;
        add_time(o, "started", m->started_s[kind]);
        add_time(o, "passed", m->passed_s[kind]);
        add_time(o, "failed", m->failed_s[kind]);
        add_time(o, "early", m->early_s[kind]);
        add_time(o, "due", due);
        add_time(o, "next", m->cannot[kind] ? 0 : s->dates.next_s[kind]);
        return o;
}

json_t *brain_selftest_json(struct brain *b)
{
        const struct brain_selftest *s = b->selftest;
        json_t *list = json_array();

        for (const struct selftest_memory *m = s ? s->memories : NULL; m; m = m->next)
                for (int k = 0; *m->component && k < SELFTEST_KINDS; k++)
                        if (!streq(state_of(s, m, k), "none") || m->started_s[k] || m->passed_s[k])
                                json_array_append_new(list, kind_json(s, m, k));
        return list;
}

/* --- start and stop ------------------------------------------------------------------------------- */

static int on_tick(sd_event_source *source, uint64_t usec UNUSED, void *data)
{
        brain_selftest_look(data);
        sd_event_source_set_time_relative(source, TICK_US);
        return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

int brain_selftest_start(struct brain *b)
{
        return sd_event_add_time_relative(b->event, &brain_selftest_of(b)->timer, CLOCK_BOOTTIME, TICK_US / 6, 0, on_tick, b);
}

void brain_selftest_stop(struct brain *b)
{
        if (!b->selftest)
                return;
        sd_event_source_disable_unref(b->selftest->timer);
        selftest_memory_free_all(b->selftest);
        free(b->selftest);
        b->selftest = NULL;
}
