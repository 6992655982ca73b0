/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_DOWNSAMPLE_H
#define VEILLE_DOWNSAMPLE_H

/* Many points of one series into few: mean, min and max of equal slices of time. Values are steps: one holds until the
 * next comes, for HOLD_MAX_S at most, and not into a time of which it is known that nobody measured. The mean is over
 * time, so a spike of a minute in a calm hour counts for a minute. Pure. */

#include "macros.h"
#include "pack.h"

/* A constant value is stored once an hour, and may be measured as seldom as that: both together. */
#define HOLD_MAX_S 7200

struct bucket {
        double cover_s; /* so many seconds of the slice are known */
        double mean, min, max;
        bool seen;
};

struct gap {
        int64_t from_s, to_s; /* nobody measured in between */
};

struct downsample {
        int64_t from_s, to_s;
        struct bucket *buckets; /* the caller's, n of them */
        size_t n;
        const struct gap *gaps; /* the caller's, in order of from_s */
        size_t n_gaps, next_gap;
        bool open;              /* a value holds */
        int64_t open_s;
        double value;
};

/* from < to, n >= 1. Feed what lies before from_s too (HOLD_MAX_S of it): it may hold into the first slice. */
void downsample_init(struct downsample *d, int64_t from_s, int64_t to_s, struct bucket *buckets, size_t n,
                     const struct gap *gaps, size_t n_gaps);

/* In order of time; a point older than the one before is left out. */
void downsample_point(struct downsample *d, int64_t at_s, double value);

/* An hour that was summed up before. */
void downsample_hour(struct downsample *d, int64_t hour_start_s, const struct hour_stat *stat);

/* Nothing more comes: the last value holds until at_s at most (now, or the end of the time asked for). */
void downsample_end(struct downsample *d, int64_t at_s);

/* Start of slice i. */
int64_t downsample_time(const struct downsample *d, size_t i);

#endif
