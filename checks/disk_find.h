/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_DISK_FIND_H
#define VEILLE_DISK_FIND_H

/* Which disks this host has and who is to ask them: shared by the checks smart-ata, smart and smart-raid, so
 * that every disk is asked by exactly one of them and has the same id in all. Reads sysfs and the configuration, opens no
 * device: discovery cannot hang. */

#include "check.h"

enum disk_asker {
        DISK_ASK_ATASMART, /* libatasmart, in process */
        DISK_ASK_SMARTCTL,
        DISK_ASK_RAID,     /* smartctl through a RAID controller */
        DISK_ASK_NOBODY,   /* a controller whose disks we do not know: an instance that says so */
};

struct disk_place {
        char name[INSTANCE_NAME_MAX];      /* instance: "sda", "nvme0", the name of a [device] section, "bus/0:megaraid,5" */
        char component[INSTANCE_NAME_MAX]; /* "sda", "nvme0n1" */
        char id[INSTANCE_NAME_MAX];        /* WWN in lower case hex, else the serial number, else "" */
        char path[128];                    /* what smartctl is given: "/dev/sda" */
        char type[64];                     /* for -d; "": smartctl finds out */
        char driver[32];                   /* of the controller, for DISK_ASK_NOBODY */
        enum disk_asker asker;
};

struct disk_places {
        struct disk_place *items;
        size_t n;
};

/* All disks; the caller ends with disk_places_done. 0 or negative errno with env->why. */
int disk_find(struct env *env, struct disk_places *ret);
void disk_places_done(struct disk_places *places);

/* The members of RAID controllers that "smartctl --scan" sees. Asks the controller, so it has a deadline. */
int disk_find_raid(struct env *env, struct disk_places *places);

/* Fills list with the places of one or two askers (pass the same twice for one). */
void disk_places_to_instances(const struct disk_places *places, enum disk_asker a, enum disk_asker b, struct instance_list *list);
const struct disk_place *disk_places_by_name(const struct disk_places *places, const char *name);

#endif
