/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_COMMON_SOCKET_H
#define VEILLE_COMMON_SOCKET_H

/* Unix sockets of RUN: listening, connecting with a deadline, and who is at the other end, asked of the kernel. */

#include <sys/types.h>

#include "macros.h"

/* A listening socket (non-blocking, close-on-exec) at that path. A socket file that nobody listens on any more is
 * replaced; one that is in use: -EADDRINUSE. */
int socket_listen_unix(const char *path, mode_t mode, int backlog);

/* A connected socket (non-blocking, close-on-exec). Waits for a place in the other's queue until the timeout: -ETIMEDOUT.
 * A connection that was taken into the queue is no sign yet that the other end lives. */
int socket_connect_unix(const char *path, int timeout_ms);

struct socket_peer {
        pid_t pid;
        uid_t uid;
        gid_t gid;
};

int socket_peer(int fd, struct socket_peer *ret);

/* Whether the peer was in that group when it connected, as primary or supplementary group. */
bool socket_peer_in_group(int fd, gid_t gid);

#endif
