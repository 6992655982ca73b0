/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* See selftest_plan.h. */

#include "selftest_plan.h"

#define HOUR_S 3600
#define DAY_S (24 * HOUR_S)

/* Clocks are set back a little without having been wrong. */
#define FUTURE_SLACK_S HOUR_S

static const char *const kind_names[SELFTEST_KINDS] = { [SELFTEST_SHORT] = "short", [SELFTEST_LONG] = "long" };

/* How long a test may take once it has begun: a large hard disk reads its whole surface in more than a day. */
static const int duration_max_s[SELFTEST_KINDS] = { [SELFTEST_SHORT] = HOUR_S, [SELFTEST_LONG] = 2 * DAY_S };

const char *selftest_kind_name(enum selftest_kind kind)
{
        assert(kind < SELFTEST_KINDS);
        return kind_names[kind];
}

int selftest_kind_from_name(const char *name)
{
        for (int i = 0; i < SELFTEST_KINDS; i++)
                if (streq(name, kind_names[i]))
                        return i;
        return -EINVAL;
}

int64_t selftest_past_s(int64_t t, int64_t now_s)
{
        return t > now_s + FUTURE_SLACK_S ? 0 : t;
}

/* --- dates --------------------------------------------------------------------------------------- */

static int64_t missed_date(const struct selftest_settings *s, int kind, int64_t now_s)
{
        int64_t limit = s->window_s[kind] + duration_max_s[kind], date;

        /* The latest date whose test must be over is the latest one before the limit. */
        return selftest_calendar_last(&s->calendar[kind], now_s - limit, 1, &date) < 0 ? 0 : date;
}

void selftest_dates(const struct selftest_settings *settings, int64_t now_s, struct selftest_dates *ret)
{
        *ret = (struct selftest_dates){ 0 };
        for (int k = 0; k < SELFTEST_KINDS; k++) {
                int64_t date;

                if (selftest_calendar_last(&settings->calendar[k], now_s, 0, &date) == 0 && now_s - date < settings->window_s[k])
                        ret->due_s[k] = date;
                if (selftest_calendar_next(&settings->calendar[k], now_s, &date) == 0)
                        ret->next_s[k] = date;
                ret->missed_s[k] = missed_date(settings, k, now_s);
        }
}

/* --- plan ---------------------------------------------------------------------------------------- */

int64_t selftest_due_s(const struct selftest_settings *settings, const struct selftest_dates *dates, const struct selftest_disk *disk,
                       enum selftest_kind kind, int64_t now_s)
{
        int64_t date = dates->due_s[kind];

        if (disk->wanted == 1 + (int)kind)
                return now_s;
        if (!date || disk->cannot[kind] || date < MAX(disk->known_s, settings->since_s[kind]) || selftest_past_s(disk->started_s[kind], now_s) >= date)
                return 0;
        /* A long test that was started for this date does what the short one would have done. */
        if (kind == SELFTEST_SHORT && selftest_past_s(disk->started_s[SELFTEST_LONG], now_s) >= date)
                return 0;
        return date;
}

static bool share_group(const struct selftest_disk *a, const struct selftest_disk *b)
{
        if (a->groups_unknown || b->groups_unknown)
                return true;
        for (size_t i = 0; i < a->n_groups; i++)
                for (size_t k = 0; k < b->n_groups; k++)
                        if (streq(a->groups[i], b->groups[k]))
                                return true;
        return false;
}

struct plan {
        const struct selftest_settings *settings;
        const struct selftest_dates *dates;
        struct selftest_disk *disks;
        size_t n, running;
        int64_t now_s;
        struct selftest_start *starts;
        size_t n_starts, max;
};

static bool is_started(const struct plan *p, size_t disk)
{
        for (size_t i = 0; i < p->n_starts; i++)
                if (p->starts[i].disk == disk)
                        return true;
        return false;
}

/* Two members at once would slow the array twice, and both answer late. */
static bool array_is_taken(const struct plan *p, size_t i)
{
        for (size_t k = 0; k < p->n; k++)
                if (k != i && (p->disks[k].running || is_started(p, k)) && share_group(&p->disks[i], &p->disks[k]))
                        return true;
        return false;
}

/* Why a test that is due cannot begin; NULL: it can. */
static const char *obstacle(const struct plan *p, size_t i)
{
        if (p->disks[i].running)
                return "another test runs on it";
        if (p->disks[i].held)
                return p->disks[i].held;
        if (p->settings->slow)
                return "writes are slow";
        if (array_is_taken(p, i))
                return "another member of its array is testing itself";
        if (p->running + p->n_starts >= MAX(p->settings->at_once, 1) || p->n_starts >= p->max)
                return "enough disks are testing themselves";
        return NULL;
}

/* Of two disks that may begin: the one somebody asked for, else the one whose last test is longer ago. */
static bool goes_first(const struct plan *p, const struct selftest_disk *a, const struct selftest_disk *b, enum selftest_kind kind)
{
        bool a_wanted = a->wanted == 1 + (int)kind, b_wanted = b->wanted == 1 + (int)kind;
        int64_t a_s = selftest_past_s(a->started_s[kind], p->now_s), b_s = selftest_past_s(b->started_s[kind], p->now_s);

        if (a_wanted != b_wanted)
                return a_wanted;
        return a_s != b_s ? a_s < b_s : strcmp(a->id, b->id) < 0;
}

/* Starts one more test of this kind; false when none can be. */
static bool start_next(struct plan *p, enum selftest_kind kind)
{
        size_t best = p->n;

        for (size_t i = 0; i < p->n; i++)
                if (!is_started(p, i) && selftest_due_s(p->settings, p->dates, &p->disks[i], kind, p->now_s) && !obstacle(p, i) &&
                    (best == p->n || goes_first(p, &p->disks[i], &p->disks[best], kind)))
                        best = i;
        if (best == p->n)
                return false;
        p->starts[p->n_starts++] = (struct selftest_start){ .disk = best, .kind = kind };
        return true;
}

size_t selftest_plan(const struct selftest_settings *settings, const struct selftest_dates *dates, struct selftest_disk *disks, size_t n,
                     int64_t now_s, struct selftest_start *ret, size_t max)
{
        struct plan p = { .settings = settings, .dates = dates, .disks = disks, .n = n, .now_s = now_s, .starts = ret, .max = max };

        for (size_t i = 0; i < n; i++)
                p.running += disks[i].running;
        for (int kind = SELFTEST_KINDS - 1; kind >= 0; kind--)
                while (start_next(&p, (enum selftest_kind)kind))
                        ;
        for (size_t i = 0; i < n; i++) {
                bool due = selftest_due_s(settings, dates, &disks[i], SELFTEST_SHORT, now_s) ||
                           selftest_due_s(settings, dates, &disks[i], SELFTEST_LONG, now_s);

                disks[i].waits = due && !is_started(&p, i) ? obstacle(&p, i) : NULL;
        }
        return p.n_starts;
}

int64_t selftest_overdue_s(const struct selftest_settings *settings, const struct selftest_dates *dates, const struct selftest_disk *disk,
                           enum selftest_kind kind, int64_t now_s)
{
        int64_t missed = dates->missed_s[kind], good = selftest_past_s(disk->good_s[kind], now_s);

        if (kind == SELFTEST_SHORT)
                good = MAX(good, selftest_past_s(disk->good_s[SELFTEST_LONG], now_s));
        if (!missed || disk->cannot[kind] || MAX(good, MAX(disk->known_s, settings->since_s[kind])) >= missed)
                return 0;
        return now_s - missed;
}
