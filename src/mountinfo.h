/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_MOUNTINFO_H
#define VEILLE_MOUNTINFO_H

/* The mount table of the kernel (/proc/self/mountinfo) and the list of wishes (/etc/fstab). Pure parsers of text that
 * strangers may have a hand in: a mount point can be named by any user of fuse. */

#include "macros.h"

enum mount_class {
        MOUNT_PSEUDO,  /* proc, sysfs, overlay of a container, image that is always full: not watched */
        MOUNT_MEMORY,  /* tmpfs */
        MOUNT_NETWORK, /* nfs, cifs, fuse of unknown kind */
        MOUNT_LOCAL,   /* stands on a block device, or manages its own (btrfs, zfs) */
};

struct mount {
        int id, parent;
        unsigned major, minor;
        char *root;          /* what part of the file system is mounted there: "/" or a bind's directory */
        char *mountpoint;
        char *options;       /* of this mount: "rw,relatime" */
        char *fstype;
        char *source;        /* "/dev/sda1", "server:/path", "tank/mail" */
        char *super_options; /* of the file system: "rw,errors=remount-ro" */
        enum mount_class class;
        bool top;            /* its parent is not in the table */
        bool chosen;         /* by mount_table_choose() */
};

struct mount_table {
        struct mount *items;
        size_t n;
        bool cut; /* there are more */
};

/* Lines that are not of the form are passed over (*ret_skipped counts them; may be NULL). At most 4096 mounts are kept,
 * the rest is counted as skipped. 0 or -ENOMEM. */
int mountinfo_parse(const char *text, struct mount_table *ret, size_t *ret_skipped);
void mount_table_done(struct mount_table *table);

/* Marks one mount for each file system: no pseudo, nothing covered by a later mount, of binds and subvolumes of the same
 * device the one with the widest view and the shortest path. */
void mount_table_choose(struct mount_table *table);

/* The mount that one sees at path (absolute, without links), chosen or not; NULL in an empty table. */
const struct mount *mount_table_visible(const struct mount_table *table, const char *path);

/* The chosen mount of the file system that holds path (absolute); NULL if it is of no chosen one. */
const struct mount *mount_table_holding(const struct mount_table *table, const char *path);

/* Is the word among the options: exactly, or NAME=...? */
bool mount_has_option(const char *options, const char *name);

enum mount_class mount_class_of(const char *fstype);

/* What fstab says of a mount point: 1 read-only wanted, 0 writable wanted, -ENOENT not listed. */
int fstab_wants_readonly(const char *fstab, const char *mountpoint);

#endif
