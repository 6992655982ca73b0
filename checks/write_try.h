/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_WRITE_TRY_H
#define VEILLE_WRITE_TRY_H

/* Trying to write: the only way to know that a file system is really writable. Leaves nothing behind, not even when
 * the process is killed while it hangs: the file never has a name (or, where the file system cannot do that, loses it before
 * the first byte is written). */

#include "check.h"

/* Opens a nameless file for writing in the directory (an absolute path below env->root) and writes one block.
 * The descriptor, or negative errno: -EROFS and -EIO are what it is for. ENOSPC and EDQUOT are no failure to write:
 * the descriptor is returned. */
int write_try(struct env *env, const char *dir);

#endif
