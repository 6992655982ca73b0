/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_BTRFS_H
#define VEILLE_BTRFS_H

/* Mounted btrfs file systems as sysfs shows them. Shared by the checks raid and topology. */

#include "check.h"

#define BTRFS_DEVICES_MAX 256
#define BTRFS_NAME_MAX 64

struct btrfs_fs {
        char uuid[40], name[BTRFS_NAME_MAX]; /* name: "btrfs:" and the first 8 digits */
        char label[256];
        char (*devices)[BTRFS_NAME_MAX];     /* kernel names of those that are there */
        int n_devices;
        int missing;
        int tolerates; /* devices that every block group survives losing, when none is missing */
};

/* The UUIDs; env_list_free. An empty list where there is no btrfs. */
int btrfs_list(struct env *env, char ***ret);
int btrfs_read(struct env *env, const char *uuid, struct btrfs_fs *ret);
void btrfs_done(struct btrfs_fs *fs);

/* Error counters of one device: write, read, flush, corruption, generation. */
#define BTRFS_ERRORS 5
extern const char *const btrfs_error_names[BTRFS_ERRORS];
/* -ENOENT where the kernel does not tell; -EBADMSG. */
int btrfs_errors(struct env *env, const char *uuid, const char *devid, int64_t ret[BTRFS_ERRORS]);

#endif
