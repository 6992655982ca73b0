/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Retention: by age first; when the database is still larger than it may be, the oldest raw day, then the oldest month of
 * hours, then events, one small step at a time so that no deletion holds the disk for long. */

#include "retention.h"

#include "pack.h"

#define HOURLY_STEP_DAYS 30
#define EVENT_STEP 1000

int64_t retention_clock(int64_t last_s, int64_t elapsed_s, int64_t wall_s)
{
        if (last_s <= 0 || wall_s <= last_s)
                return wall_s;
        return MIN(wall_s, last_s + 2 * MAX(elapsed_s, 0));
}

static void plan_by_age(const struct retention_limits *l, const struct retention_facts *f, struct retention_plan *p)
{
        int64_t raw_day = (f->clock_s - l->raw_s) / DAY_S, hourly_day = (f->clock_s - l->hourly_s) / DAY_S;

        if (f->oldest_raw_hour >= 0 && f->oldest_raw_hour / 24 < raw_day)
                p->raw_before_day = raw_day;
        if (f->oldest_hourly_day >= 0 && f->oldest_hourly_day < hourly_day)
                p->hourly_before_day = hourly_day;
        if (f->n_events > l->max_events)
                p->oldest_events = f->n_events - l->max_events;
}

/* The day of now is kept to the last: without it a full disk would show nothing at all. */
static void plan_by_size(const struct retention_facts *f, struct retention_plan *p)
{
        p->pressed = true;
        if (f->oldest_raw_hour >= 0 && f->oldest_raw_hour / 24 < f->newest_raw_hour / 24)
                p->raw_before_day = f->oldest_raw_hour / 24 + 1;
        else if (f->oldest_hourly_day >= 0)
                p->hourly_before_day = MIN(f->oldest_hourly_day + HOURLY_STEP_DAYS, f->newest_hourly_day + 1);
        else if (f->n_events > 0)
                p->oldest_events = MIN(f->n_events, EVENT_STEP);
        else if (f->oldest_raw_hour >= 0)
                p->raw_before_day = f->newest_raw_hour / 24 + 1;
        else
                p->pressed = false;
}

void retention_plan(const struct retention_limits *limits, const struct retention_facts *facts, struct retention_plan *ret)
{
        *ret = (struct retention_plan){ 0 };
        plan_by_age(limits, facts, ret);
        if (facts->used_bytes > limits->max_bytes && !ret->raw_before_day && !ret->hourly_before_day && !ret->oldest_events)
                plan_by_size(facts, ret);
}
