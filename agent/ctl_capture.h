/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_CTL_CAPTURE_H
#define VEILLE_CTL_CAPTURE_H

/* What a program or a file has to say, into memory: bounded in time and size. */

#include "macros.h"
#include "textbuf.h"

/* Runs argv[0] (an absolute path) and adds what it writes to standard output and error, at most max bytes of it; kills it
 * after that many seconds. Its exit status; negative errno when it could not be run or was killed. */
int capture_command(char *const argv[], int timeout_s, size_t max, struct textbuf *out);

/* Negative errno; only regular files, at most max bytes. */
int capture_file(const char *path, size_t max, struct textbuf *out);

#endif
