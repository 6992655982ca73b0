/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_ERRINFO_H
#define VEILLE_ERRINFO_H

#include "macros.h"

/* One sentence for a person about what went wrong: what, where, and what to do.
 * Zero-initialise. Functions that take one leave it untouched on success. */
struct errinfo {
        char text[512];
};

/* Writes the sentence (cut if too long) and returns code, so that callers can write
 * return err_set(err, -EINVAL, "..."). err may be NULL. */
int err_set(struct errinfo *err, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);

#endif
