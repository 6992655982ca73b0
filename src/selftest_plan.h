/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_SELFTEST_PLAN_H
#define VEILLE_SELFTEST_PLAN_H

/* Which disk is to test itself now: a calendar, spread so that two members of one array never test at once, held back
 * while an array rebuilds or writes are slow. Pure: told what time it is and what the disks do, it answers with starts. All
 * times are seconds since the epoch, for a calendar is about wall time; so clocks that jump are dealt with here. */

#include "selftest_calendar.h"

enum selftest_kind {
        SELFTEST_SHORT, /* some minutes: electronics and a sample of the surface */
        SELFTEST_LONG,  /* hours: every sector */
        SELFTEST_KINDS,
};
const char *selftest_kind_name(enum selftest_kind kind); /* "short", "long" */
int selftest_kind_from_name(const char *name);           /* -EINVAL */

struct selftest_settings {
        struct selftest_calendar calendar[SELFTEST_KINDS];
        int64_t since_s[SELFTEST_KINDS]; /* since when this calendar holds: dates before are not ours to make up for */
        int64_t window_s[SELFTEST_KINDS]; /* a test that could not begin within this waits for the next date */
        size_t at_once;                  /* tests of this host at the same time */
        bool slow;                       /* writes are slow now: nothing begins */
};

/* What the calendar means now, the same for all disks. 0: none. */
struct selftest_dates {
        int64_t due_s[SELFTEST_KINDS];    /* the latest date; only while its window is open */
        int64_t missed_s[SELFTEST_KINDS]; /* the earlier of the last two dates whose tests must be over by now */
        int64_t next_s[SELFTEST_KINDS];
};
void selftest_dates(const struct selftest_settings *settings, int64_t now_s, struct selftest_dates *ret);

#define SELFTEST_GROUPS_MAX 16

struct selftest_disk {
        const char *id;                          /* stays with the disk; order of starts where nothing else decides */
        const char *groups[SELFTEST_GROUPS_MAX]; /* arrays it is a member of */
        size_t n_groups;
        bool groups_unknown; /* more than that, or nobody knows: then it is taken to be in one array with all others */
        const char *held;    /* why no test can begin on it now; NULL: one can */
        bool running;        /* a test runs, whoever began it */
        bool cannot[SELFTEST_KINDS]; /* it has no such test */
        int wanted;          /* 1 + kind: somebody asked for this test outside of the calendar; 0 */
        int64_t started_s[SELFTEST_KINDS]; /* when we last started one; 0: never */
        int64_t good_s[SELFTEST_KINDS];    /* when one last passed; 0: never */
        int64_t known_s;                   /* since when we plan for it */
        const char *waits;   /* out: why what is due does not begin now; NULL */
};

struct selftest_start {
        size_t disk; /* index */
        enum selftest_kind kind;
};

/* What to start now, at most max; fills waits of every disk. A long test stands for the short one of the same time. */
size_t selftest_plan(const struct selftest_settings *settings, const struct selftest_dates *dates, struct selftest_disk *disks, size_t n,
                     int64_t now_s, struct selftest_start *ret, size_t max);

/* The date for which this test of this disk is due, not begun, and its window open; 0: it is not due. */
int64_t selftest_due_s(const struct selftest_settings *settings, const struct selftest_dates *dates, const struct selftest_disk *disk,
                       enum selftest_kind kind, int64_t now_s);

/* Seconds since a date from which no test of this kind has passed, the next one missed as well; 0: in time, or no
 * calendar. One miss is no drama: an array was rebuilding. */
int64_t selftest_overdue_s(const struct selftest_settings *settings, const struct selftest_dates *dates, const struct selftest_disk *disk,
                           enum selftest_kind kind, int64_t now_s);

/* A time that we remember; 0 (never) when it lies in the future: then the clock was wrong, then or now. */
int64_t selftest_past_s(int64_t t, int64_t now_s);

#endif
