/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_COMMON_JSONL_H
#define VEILLE_COMMON_JSONL_H

/* JSON objects, one a line, over a socket that strangers may hold: what is read and what waits to be sent is bounded,
 * nothing blocks. Buffers grow with what is in them and are given back when they are empty. */

#include <jansson.h>

#include "macros.h"

struct jsonl {
        int fd;
        char *in, *out;
        size_t in_len, in_size, in_max;
        size_t scanned;             /* so many bytes of in hold no newline */
        size_t out_len, out_sent, out_size, out_max;
        bool skipping;              /* inside of a line that is too long */
        uint64_t lines, bad_lines;  /* read; of these malformed or too long */
};

/* Takes the descriptor, which must be non-blocking. in_max: the longest line; out_max: the most that may wait to be sent. */
void jsonl_init(struct jsonl *j, int fd, size_t in_max, size_t out_max);
void jsonl_done(struct jsonl *j);

/* Reads what is there, at most one buffer full: bytes read; 0 at the end of file; -EAGAIN; -ENOBUFS when the buffer is full
 * (take lines out first); other negative errno. */
ssize_t jsonl_fill(struct jsonl *j);

/* Takes the next complete line out of what was read. 1: *ret is an object, owned by the caller; 0: no complete line; -EBADMSG:
 * a line that is no JSON object was dropped; -EMSGSIZE: a line longer than in_max is being dropped (told once).
 * After a negative result go on as usual: the connection is in order. */
int jsonl_next(struct jsonl *j, json_t **ret);

/* Queues a line (and takes the reference). -ENOBUFS: it does not fit, nothing was queued. -EINVAL: doc is NULL or cannot be written. */
int jsonl_put(struct jsonl *j, json_t *doc);

/* Sends what can be sent now. 0: all is sent; -EAGAIN: some is left; other negative errno: the connection is broken. */
int jsonl_flush(struct jsonl *j);
size_t jsonl_unsent(const struct jsonl *j);

/* For commands: send all, or wait for the next line (as jsonl_next, but never 0), until that time of clock_boot_us().
 * -ETIMEDOUT; -ECONNRESET when the other end closed. */
int jsonl_send_until(struct jsonl *j, int64_t until_us);
int jsonl_next_until(struct jsonl *j, int64_t until_us, json_t **ret);

#endif
