/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_BRAIN_SELFTEST_H
#define VEILLE_BRAIN_SELFTEST_H

/* Inside of the brain's self-tests: brain_selftest.c plans, starts and tells, brain_selftest_look.c reads out of the
 * samples what may be tested now, brain_selftest_memory.c keeps what restarts must not lose. */

#include "brain.h"
#include "selftest_plan.h"

#define SELFTEST_DISKS_MAX 1024

/* What the brain knows of one disk; it moves with the disk. */
struct selftest_memory {
        char *key;               /* id of the disk, else check/instance */
        char component[96];      /* as it was called last; "": not there now */
        int64_t known_s, seen_s; /* since when, and last */
        int64_t retry_s;         /* it refused or broke off: not before this */
        int64_t running_since_s; /* a test runs, whoever began it; 0: none */
        int64_t started_s[SELFTEST_KINDS], passed_s[SELFTEST_KINDS], failed_s[SELFTEST_KINDS], early_s[SELFTEST_KINDS];
        bool cannot[SELFTEST_KINDS]; /* it said that it has no such test; forgotten at a restart, firmware changes */
        int64_t before_s;        /* started_s before the one under way */
        int under_way;           /* enum selftest_kind we asked for and have not seen end; -1: none */
        bool confirmed;          /* the disk said that it began */
        unsigned run;            /* of the instance, when it was asked for or confirmed: later ones know more */
        int wanted;              /* 1 + kind: an administrator asked for it; 0 */
        int64_t wanted_s;
        char waits[128];         /* why what is due does not begin; "" */
        bool planned;            /* in the look that is going on */
        struct selftest_memory *next;
};

struct brain_selftest {
        struct brain *b;
        sd_event_source *timer;
        struct selftest_memory *memories;
        size_t n_memories;
        char *calendar[SELFTEST_KINDS];  /* as it is in force; NULL: not read yet */
        int64_t since_s[SELFTEST_KINDS]; /* and since when */
        struct selftest_settings settings;
        struct selftest_dates dates;
};

/* --- brain_selftest_memory.c --- */
struct brain_selftest *brain_selftest_of(struct brain *b); /* made at its first use: state is loaded before parts are started */
void selftest_memory_key(const struct judge_instance *i, char *buf, size_t size);
/* Finds or makes; NULL when there are too many. */
struct selftest_memory *selftest_memory_get(struct brain_selftest *s, const char *key);
void selftest_memory_free_all(struct brain_selftest *s);
/* The calendar that holds now; a new one begins now. */
void selftest_calendar_set(struct brain_selftest *s, enum selftest_kind kind, const char *text);

/* --- brain_selftest_look.c --- */
struct selftest_links; /* what stands on what, as far as disks may meet in an array */
struct selftest_links *selftest_links_read(const struct brain *b);
struct selftest_links *selftest_links_free(struct selftest_links *links);
/* Fills groups and held (NULL, or why not) of a disk that is there. */
void selftest_look_at(const struct brain *b, const struct selftest_links *links, const struct judge_instance *i, struct selftest_disk *disk);
bool selftest_writes_are_slow(const struct brain *b);

/* The value of this metric in the instance's last run; NAN when it was not said. */
double selftest_value(const struct judge_instance *i, const char *metric);
/* What the disk said to the start of a test in a run after this one; NULL: nothing. It need not be the last run: a request ends when
 * its slowest disk has answered, and the others may have been read again by then. */
const struct judge_series *selftest_answer(const struct judge_instance *i, unsigned after);
/* The value of a label; NULL. */
const char *selftest_series_label(const struct judge_series *s, const char *name);
/* The label of this metric's sample in the last run; NULL. */
const char *selftest_label(const struct judge_instance *i, const char *metric, const char *label);

static inline int64_t selftest_wall_s(void)
{
        return brain_wall_us() / USEC_PER_SEC;
}

#endif
