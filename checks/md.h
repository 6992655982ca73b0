/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_MD_H
#define VEILLE_MD_H

/* md arrays as sysfs shows them, with /proc/mdstat for what sysfs lacks. Shared by the checks raid and topology. */

#include "check.h"
#include "mdstat.h"

struct md_member {
        char name[MD_NAME_MAX]; /* kernel name: "sda1" */
        char disk[MD_NAME_MAX]; /* the whole disk: "sda"; the name itself where it is not known */
        bool faulty, in_sync, journal, gone;
        int slot;               /* -1: none */
        int64_t read_errors;    /* corrected by the array; -1 unknown */
};

struct md_array {
        char name[MD_NAME_MAX], level[16], uuid[64];
        char state[24];  /* array_state: "clean", "inactive", "readonly", ... */
        char action[16]; /* "idle", "recover", "resync", "check", "repair", "reshape", "frozen" */
        bool waiting;    /* the action is queued behind another */
        bool container;  /* of firmware RAID: holds the members, carries no data itself */
        int raid_disks;  /* -1 unknown */
        int redundancy;  /* members that the whole array can lose for certain */
        int lost;        /* members that are not there or not yet in sync */
        double ratio, remaining_s; /* of the action; NAN without one */
        int64_t speed_bytes;       /* of the action, per second; -1 */
        int64_t mismatches;        /* sectors; -1 */
        struct md_member *members;
        size_t n_members;
};

/* Reads /proc/mdstat; an empty one where there is none. */
int md_read_mdstat(struct env *env, struct mdstat *ret);

/* Names of all arrays, of sysfs and of mdstat; env_list_free. 0 or negative errno. */
int md_list(struct env *env, const struct mdstat *mdstat, char ***ret);

/* 0; -ENOENT when there is no such array (or a name without one: array_state clear); other errno with env->why set. */
int md_read(struct env *env, const struct mdstat *mdstat, const char *name, struct md_array *ret);
void md_done(struct md_array *array);

/* The array does not serve its data: inactive, broken, or more members lost than it has. */
bool md_failed(const struct md_array *array);
/* How many more members it can lose now. */
int md_left(const struct md_array *array);

#endif
