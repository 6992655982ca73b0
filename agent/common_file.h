/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_COMMON_FILE_H
#define VEILLE_COMMON_FILE_H

/* Files that readers see whole or not at all: written beside (DIR/.NAME.tmp) and renamed. */

#include <sys/types.h>

#include "macros.h"

struct atomic_file {
        FILE *f; /* write here */
        char path[4096], tmp[4096];
};

/* Negative errno; then nothing is left behind. */
int atomic_file_open(struct atomic_file *a, const char *dir, const char *name, mode_t mode);

/* Makes it visible. sync: only after the content is on disk (and its name, before this returns); a reboot then finds
 * the old or the new content, never an empty file. Not needed in RUN, which is a tmpfs. On failure the file that was there stays. */
int atomic_file_commit(struct atomic_file *a, bool sync);

/* Drops what was written; nothing happens after a commit. */
void atomic_file_abort(struct atomic_file *a);

/* All in one. */
int file_write_atomic(const char *dir, const char *name, const void *data, size_t len, mode_t mode, bool sync);

#endif
