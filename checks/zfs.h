/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_ZFS_H
#define VEILLE_ZFS_H

/* ZFS pools: which there are, and what zpool says of one. Shared by the checks zfs and topology. */

#include "check.h"
#include "zpool.h"

/* Names of the imported pools, from the module's kstats (asking zpool could hang); env_list_free. */
int zfs_pools(struct env *env, char ***ret);

/* Runs zpool status; 0, or negative errno with env->why set. */
int zfs_status(struct env *env, const char *pool, struct zpool *ret);

/* The kernel name of a leaf ("/dev/sda1" -> "sda1"), NULL for files and for numbers of what is gone. */
const char *zfs_device(const struct zpool_vdev *vdev);

/* Hands every pool's tree to emit(env, parent, child, needed, left). */
int zfs_emit_topology(struct env *env, void (*emit)(struct env *env, const char *parent, const char *child, bool needed, int left));

#endif
