/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_PACK_H
#define VEILLE_PACK_H

/* How history is kept small: measured values packed into blocks of bytes. Most values are small integers that change by
 * little, so a point takes 3 to 4 bytes instead of the 20 and more of a database row. Three kinds of blocks:
 *  log     what came in, of all series, in the order of arrival; offsets are seconds in an hour
 *  points  one series, one hour, in order of time
 *  hours   one series, one day: cover, mean, min, max of each hour
 * Blocks come from a disk: the readers check every byte and never trust a length. Pure. */

#include "macros.h"

struct pack {
        uint8_t *data; /* owned */
        size_t len, size;
        uint32_t series; /* log: the series before */
        int64_t at_s, integer; /* the time before; points: the integer before */
};

struct unpack {
        const uint8_t *p, *end;
        uint32_t series;
        int64_t at_s, integer;
};

#define PACK_MAX (1024 * 1024) /* no block is longer */
#define HOUR_S 3600
#define DAY_S 86400

void pack_done(struct pack *p);
void pack_reset(struct pack *p); /* empty, memory kept */
void unpack_init(struct unpack *u, const void *data, size_t len);

/* All writers: 0, -ENOMEM, or -ENOBUFS when the block is full; then the block is as before.
 * All readers: 1 with the outputs set, 0 at the end, -EBADMSG when this is no such block. */

/* at_s: 0 to 3599. Any double, but readers refuse what is not finite. */
int pack_log(struct pack *p, uint32_t series, int64_t at_s, double value);
int unpack_log(struct unpack *u, uint32_t *ret_series, int64_t *ret_at_s, double *ret_value);

/* at_s: 0 to 3599 and never less than that of the point before. */
int pack_point(struct pack *p, int64_t at_s, double value);
int unpack_point(struct unpack *u, int64_t *ret_at_s, double *ret_value);

/* One hour of one series. The mean is over time: a value counts for as long as it held. */
struct hour_stat {
        int hour;    /* 0 to 23, UTC */
        int cover_s; /* so many seconds of the hour something was known; 1 to 3600 */
        double mean, min, max;
};

/* Hours in order. Equal hours in a row (a constant value) are kept as one entry and a count. */
int pack_hours(struct pack *p, const struct hour_stat *hours, size_t n);
int unpack_hours(const void *data, size_t len, struct hour_stat ret[24]); /* how many, or -EBADMSG */

#endif
