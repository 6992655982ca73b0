/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_MOUNTS_H
#define VEILLE_MOUNTS_H

/* What the checks of storage share: the file systems of this host by name, where mail lies on them, and which
 * disk a block device belongs to. Called in discovery, so a file system that hangs must not be touched here: paths are
 * compared with the mount table, and links are only read on local file systems. */

#include "check.h"
#include "mountinfo.h"

/* The name of a file system as instance and component: its mount point, each byte outside of
 * [A-Za-z0-9._:@+,/-] written as =XX like in quoted-printable mail ("/srv/my=20mail"); too long: cut, with a hash. */
void mount_name(const char *mountpoint, char ret[INSTANCE_NAME_MAX]);

/* The mount table of this process with the choice made; negative errno with env->why set. */
int mounts_read(struct env *env, struct mount_table *ret);

/* The chosen mount of the file system that path lies on, symbolic links followed. */
const struct mount *mounts_holding(struct env *env, const struct mount_table *table, const char *path);

#define MAIL_PATHS_MAX 16

/* Directories where mail is: the configured ones as they are, else the usual ones that exist. On a network file system a usual one
 * counts only if it is its mount point: looking inside could hang. */
struct mail_paths {
        char *spool[MAIL_PATHS_MAX], *store[MAIL_PATHS_MAX];
        size_t n_spool, n_store;
};
void mail_paths_read(struct env *env, const struct mount_table *table, struct mail_paths *ret);
void mail_paths_done(struct mail_paths *paths);

/* veille's own state */
#define STATE_DIR "/var/lib/veille"

/* "sda1" -> "sda": the kernel name of the whole disk; 0, or negative errno when there is no such block device. */
int block_disk_of(struct env *env, const char *name, char *ret, size_t size);

/* The block device of a mount ("sda1", "dm-0", "md0") by its number, else by its source; -ENOENT if it stands on none. */
int block_of_mount(struct env *env, const struct mount *mount, char *ret, size_t size);

#endif
