/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_MDSTAT_H
#define VEILLE_MDSTAT_H

/* Reads /proc/mdstat, as old and new kernels write it. Pure; any text is an input. */

#include "macros.h"

#define MD_NAME_MAX 64

enum mdstat_sync { MDSTAT_IDLE, MDSTAT_RESYNC, MDSTAT_RECOVERY, MDSTAT_CHECK, MDSTAT_RESHAPE, MDSTAT_SYNC_MAX };

struct mdstat_member {
        char name[MD_NAME_MAX]; /* "sda1", "cciss/c0d0p1" */
        int number;             /* in brackets: the descriptor, not the slot */
        bool faulty, spare, journal, replacement, write_mostly;
};

struct mdstat_array {
        char name[MD_NAME_MAX];
        char level[16];    /* "raid1"; "" when the kernel shows none (inactive) */
        char metadata[64]; /* "1.2", "external:imsm", "" */
        bool active, broken, readonly, auto_readonly;
        int64_t blocks;    /* of 1 KiB */
        int raid_disks;    /* of [4/3]; -1 where not shown (raid0, linear, inactive) */
        int active_disks;
        char map[520];     /* "UU_U" */
        int copies;        /* raid10: near * far copies; 0 unknown */
        struct mdstat_member *members;
        size_t n_members;
        bool cut; /* it has more */
        enum mdstat_sync sync;
        bool waiting;      /* the sync is delayed or pending */
        double ratio;      /* 0..1, NAN without one */
        int64_t done_blocks, total_blocks; /* -1 without one */
        double finish_min; /* NAN */
        int64_t speed_kib; /* per second, -1 */
};

struct mdstat {
        struct mdstat_array *arrays;
        size_t n;
        bool cut; /* there are more arrays, or members of one */
};

/* 0; -ENOMEM. Lines that are not understood are passed over; at most 1024 arrays of at most 512 members are kept. */
int mdstat_parse(const char *text, struct mdstat *ret);
void mdstat_done(struct mdstat *mdstat);
const struct mdstat_array *mdstat_find(const struct mdstat *mdstat, const char *name);

const char *mdstat_sync_name(enum mdstat_sync sync);

#endif
