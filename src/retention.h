/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_RETENTION_H
#define VEILLE_RETENTION_H

/* What history may be deleted now. Pure: the store tells what there is, the plan tells what goes. */

#include "macros.h"

struct retention_limits {
        int64_t raw_s, hourly_s; /* age at which raw points and hours go */
        int64_t max_bytes;       /* of the database; above it the oldest goes whatever its age */
        int64_t max_events;
};

struct retention_facts {
        int64_t clock_s;     /* the retention clock, below */
        int64_t used_bytes;
        int64_t oldest_raw_hour, newest_raw_hour; /* hours since the epoch; -1: there is none */
        int64_t oldest_hourly_day, newest_hourly_day; /* days since the epoch; -1: there is none */
        int64_t n_events;
};

/* Zero is: nothing of this. */
struct retention_plan {
        int64_t raw_before_day;    /* raw points of days before this one */
        int64_t hourly_before_day; /* hours of days before this one */
        int64_t oldest_events;     /* so many of the oldest events */
        bool pressed;              /* because of max_bytes: run again, until false */
};

/* The time by which history grows old: the wall clock, but never more than twice as fast as the host runs. So a clock
 * that is set a year ahead for an hour (a board without a battery, a typing error) does not wipe a year; a host that was off for a
 * month catches up in the month after. last_s: the retention clock before (0: never); elapsed_s: CLOCK_BOOTTIME since then, as far as known. */
int64_t retention_clock(int64_t last_s, int64_t elapsed_s, int64_t wall_s);

void retention_plan(const struct retention_limits *limits, const struct retention_facts *facts, struct retention_plan *ret);

#endif
