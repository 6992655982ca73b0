/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_SCORECARD_H
#define VEILLE_SCORECARD_H

/* The chance that an ATA hard disk fails soon, from its SMART error counters: an integer scorecard
 * (a table: counter, transformation, weight, source), three signs of fast decay, and the probability of
 * failure within 30 powered-on days that each score stood for in a fleet of 43,000 drives (docs/foresight.md).
 * Pure: used by the brain for every SMART sample and by the replay for every drive-day.
 * Fitted for ATA hard disks only: say nothing about an SSD, NVMe or SAS drive with it. */

#include <jansson.h>
#include <math.h>

#include "macros.h"

/* What the card counts. */
enum scorecard_counter {
        SCORECARD_SECTORS,     /* max(raw 197, raw 198): sectors that cannot be read now */
        SCORECARD_REALLOCATED, /* raw 5 */
        SCORECARD_REPORTED,    /* raw 187: uncorrectable errors reported to the host */
        SCORECARD_COUNTERS,
};

/* What is looked at of a counter. */
enum scorecard_kind {
        SCORECARD_LEVEL,  /* its value */
        SCORECARD_GROWTH, /* the sum of its rises within window_days powered-on days */
        SCORECARD_DAYS,   /* the number of powered-on days, of the last window_days, on which it rose */
};

/* A row gives weight * min(cap, x) points; x is floor(log2(1 + value)) for LEVEL and GROWTH, the number for DAYS. */
struct scorecard_row {
        const char *name; /* for people, after a number: "pending or uncorrectable sectors" */
        enum scorecard_counter counter;
        enum scorecard_kind kind;
        int window_days; /* GROWTH and DAYS: at most SCORECARD_WINDOW_DAYS; else 0 */
        int cap;
        int weight;
        const char *source;
};

/* A sign of fast decay: there when value, growth or days reach the limit. */
struct scorecard_sign {
        const char *name;
        enum scorecard_counter counter;
        enum scorecard_kind kind;
        int window_days;
        double limit;
        const char *source;
};

#define SCORECARD_WINDOW_DAYS 90

/* The score is the sum of the rows' points, at most SCORECARD_DECAYS - 1; with SCORECARD_SIGNS_NEEDED signs of
 * fast decay SCORECARD_DECAYS is added to it. So one number orders all disks by how near their end is. */
#define SCORECARD_DECAYS 100
#define SCORECARD_SIGNS_NEEDED 2

/* The raw values of one reading, decoded where the vendor packs them; NAN = not reported. */
struct scorecard_input {
        double raw_5, raw_187, raw_197, raw_198;
};

struct scorecard_growth;

/* What the card remembers of one drive. Zero-initialised is "nothing seen yet". Holds heap memory
 * (bounded: one window per growing counter) only after a counter rose. */
struct scorecard_state {
        bool seen[SCORECARD_COUNTERS];
        double value[SCORECARD_COUNTERS]; /* last value; 0 until one is seen */
        int64_t now_us;                   /* latest powered-on time */
        struct scorecard_growth *growth[SCORECARD_COUNTERS];
};

/* The metric that holds the score; disk_rules.c judges it. The text of that rule wants two labels: "signs"
 * (scorecard_explain) and "percent" (of scorecard_probability). */
#define SCORECARD_METRIC "disk_failure_score"

const struct scorecard_row *scorecard_rows(size_t *ret_n);
const struct scorecard_sign *scorecard_signs(size_t *ret_n);

/* Takes one reading in and returns the score (0 = no sign). powered_on_us is any clock that runs while
 * the drive does (attribute 9; while it is absent: time since first seen). The first value of a counter
 * is its baseline, whenever it appears: only later rises are growth. A counter that falls was repaired
 * or reset and is no growth. A counter that is not reported in this reading keeps its last value.
 * Time that goes backwards counts as no time passed. */
double scorecard_step(struct scorecard_state *state, const struct scorecard_input *input, int64_t powered_on_us);

/* Probability (0..1) that a hard disk with this score fails within 30 powered-on days. */
double scorecard_probability(double score);

/* Which counters gave the points and which signs of fast decay are there, e.g. "8 pending or uncorrectable
 * sectors (21 points)". Empty when the score is 0. */
void scorecard_explain(const struct scorecard_state *state, char *buf, size_t size);

/* The state as JSON, to survive a reboot; and back into a zero-initialised state. Bad input leaves it as it was. */
json_t *scorecard_save(const struct scorecard_state *state);
void scorecard_load(struct scorecard_state *state, const json_t *doc);

void scorecard_state_done(struct scorecard_state *state);

#endif
