/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Downsampling of step-wise values: see the header. */

#include "downsample.h"

void downsample_init(struct downsample *d, int64_t from_s, int64_t to_s, struct bucket *buckets, size_t n,
                     const struct gap *gaps, size_t n_gaps)
{
        memset(buckets, 0, n * sizeof(*buckets));
        *d = (struct downsample){ from_s, to_s, buckets, n, gaps, n_gaps, 0, false, 0, 0 };
}

int64_t downsample_time(const struct downsample *d, size_t i)
{
        return d->from_s + (int64_t)((__int128)(d->to_s - d->from_s) * (int64_t)i / (int64_t)d->n);
}

/* The slice that at_s lies in: the division may be one off, for the starts of slices are rounded down. */
static size_t slice_of(const struct downsample *d, int64_t at_s)
{
        size_t i = (size_t)((__int128)(at_s - d->from_s) * (int64_t)d->n / (d->to_s - d->from_s));

        while (i + 1 < d->n && downsample_time(d, i + 1) <= at_s)
                i++;
        return MIN(i, d->n - 1);
}

static void add(struct bucket *b, double cover_s, double mean, double min, double max)
{
        b->min = b->seen ? MIN(b->min, min) : min;
        b->max = b->seen ? MAX(b->max, max) : max;
        if (cover_s > 0) {
                b->cover_s += cover_s;
                b->mean += (mean - b->mean) * (cover_s / b->cover_s);
        } else if (b->cover_s == 0) {
                b->mean = mean; /* an instant is better than nothing */
        }
        b->mean = MAX(b->min, MIN(b->max, b->mean)); /* rounding */
        b->seen = true;
}

/* The time from a to b had this mean, min and max. */
static void add_span(struct downsample *d, int64_t a, int64_t b, double mean, double min, double max)
{
        a = MAX(a, d->from_s);
        b = MIN(b, d->to_s);
        while (a < b) {
                size_t i = slice_of(d, a);
                int64_t end = MIN(b, i + 1 < d->n ? downsample_time(d, i + 1) : d->to_s);

                add(&d->buckets[i], (double)(end - a), mean, min, max);
                a = end;
        }
}

static void close_hold(struct downsample *d, int64_t at_s)
{
        if (!d->open)
                return;
        d->open = false;
        at_s = MIN(at_s, d->open_s + HOLD_MAX_S);
        while (d->next_gap < d->n_gaps && d->gaps[d->next_gap].to_s <= d->open_s)
                d->next_gap++;
        if (d->next_gap < d->n_gaps)
                at_s = MIN(at_s, MAX(d->gaps[d->next_gap].from_s, d->open_s));
        add_span(d, d->open_s, at_s, d->value, d->value, d->value);
}

void downsample_point(struct downsample *d, int64_t at_s, double value)
{
        if (d->open && at_s < d->open_s)
                return;
        close_hold(d, at_s);
        if (at_s >= d->to_s)
                return;
        if (at_s >= d->from_s)
                add(&d->buckets[slice_of(d, at_s)], 0, value, value, value);
        d->open = true;
        d->open_s = at_s;
        d->value = value;
}

void downsample_hour(struct downsample *d, int64_t hour_start_s, const struct hour_stat *stat)
{
        int64_t end = hour_start_s + HOUR_S, overlap = MIN(end, d->to_s) - MAX(hour_start_s, d->from_s);

        close_hold(d, hour_start_s);
        if (overlap <= 0)
                return;
        /* Which part of the hour was covered is not known any more: spread it. */
        for (int64_t a = MAX(hour_start_s, d->from_s); a < MIN(end, d->to_s);) {
                size_t i = slice_of(d, a);
                int64_t b = MIN(MIN(end, d->to_s), i + 1 < d->n ? downsample_time(d, i + 1) : d->to_s);

                add(&d->buckets[i], (double)(b - a) * stat->cover_s / HOUR_S, stat->mean, stat->min, stat->max);
                a = b;
        }
}

void downsample_end(struct downsample *d, int64_t at_s)
{
        close_hold(d, MAX(at_s, d->open_s));
}
