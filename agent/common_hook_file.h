/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_COMMON_HOOK_FILE_H
#define VEILLE_COMMON_HOOK_FILE_H

/* Where hooks lie, and whether one may be run as root. Used by veille-act, which runs it, and by veillectl, which shows it. */

#include "errinfo.h"

#define HOOK_FILE_MAX (1024 * 1024)

/* The places, the first first, below root, without a slash at either end; NULL: no more. This is the one place that knows them. The last
 * is PREFIX/lib/veille/hooks, told from where this very program lies. */
const char *hook_place(size_t i);

/* The path of the hook of that name, below root (--root). Negative errno and a sentence: -EINVAL: this is no name; -ENOENT: no place has
 * it; -EPERM: it is there and others than root could change it (it, or a directory above), or it is no plain program: it is then not
 * looked for in the places that follow. */
int hook_file_find(const char *root, const char *name, char *ret, size_t size, struct errinfo *err);

#endif
