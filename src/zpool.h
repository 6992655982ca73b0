/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_ZPOOL_H
#define VEILLE_ZPOOL_H

/* Reads what zpool prints: "zpool status -LPp" of one pool and "zpool list -p". Pure; any text is an input. */

#include "macros.h"

#define ZPOOL_NAME_MAX 256

enum zpool_class { ZPOOL_DATA, ZPOOL_LOG, ZPOOL_CACHE, ZPOOL_SPARE };

struct zpool_vdev {
        char name[ZPOOL_NAME_MAX]; /* "mirror-0", "/dev/sda1" */
        char state[16];            /* "ONLINE", ... */
        int64_t read, write, checksum; /* errors; -1 not shown */
        enum zpool_class class;    /* special and dedup devices are data: the pool needs them */
        int depth;                 /* 0: the pool itself */
        int parent;                /* index, -1 */
        bool leaf;
};

struct zpool {
        char name[ZPOOL_NAME_MAX], state[16];
        char scan[16];      /* "resilver", "scrub", "" when nothing runs */
        double ratio, remaining_s; /* NAN */
        int64_t data_errors; /* files or blocks lost for good; -1 not known */
        struct zpool_vdev *vdevs;
        size_t n_vdevs;
        bool cut; /* it has more, or they are nested deeper than eight */
};

/* The first pool of the text; -ENOENT when there is none, -ENOMEM. At most 1024 vdevs are kept. */
int zpool_status_parse(const char *text, struct zpool *ret);
void zpool_done(struct zpool *pool);

bool zpool_vdev_works(const struct zpool_vdev *vdev); /* ONLINE or DEGRADED */

/* Of a top-level vdev (depth 1): how many children it can lose when whole, and from now on (-1: it has failed). */
int zpool_redundancy(const struct zpool *pool, size_t vdev);
int zpool_left(const struct zpool *pool, size_t vdev);

struct zpool_usage {
        char name[ZPOOL_NAME_MAX], health[16];
        int64_t size, alloc, free; /* bytes; -1 */
        int64_t fragmentation;     /* percent; -1 */
};

/* A table with a header line; the lines of vdevs (indented) are passed over. Returns how many pools there are, writes at most max. */
size_t zpool_list_parse(const char *text, struct zpool_usage *ret, size_t max);

#endif
