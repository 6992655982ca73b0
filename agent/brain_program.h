/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_BRAIN_PROGRAM_H
#define VEILLE_BRAIN_PROGRAM_H

/* The brain's way to the other programs of veille: a socket of RUN where systemd (or the program itself) listens, or a child
 * of its own that has the other end of a socket pair as standard input and output. Nothing here waits. */

#include <sys/types.h>

/* A connection to RUN/NAME.sock, non-blocking, close-on-exec; the caller closes it. Negative errno: nobody listens there;
 * -ETIMEDOUT: its queue is full. */
int program_connect(const char *run, const char *name);

/* Starts the program at that path with no signal blocked and SIGPIPE as it is by default. Returns the brain's end of the socket
 * pair (non-blocking, close-on-exec; the caller closes it) and the child's pid, which the caller reaps. Negative errno. */
int program_spawn(const char *path, char *const argv[], pid_t *ret_pid);

#endif
