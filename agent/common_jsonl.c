/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Lines of JSON over a non-blocking socket: see the header. */

#include <poll.h>
#include <sys/socket.h>

#include "common_clock.h"
#include "common_jsonl.h"

#define READ_STEP 16384

void jsonl_init(struct jsonl *j, int fd, size_t in_max, size_t out_max)
{
        *j = (struct jsonl){ .fd = fd, .in_max = in_max, .out_max = out_max };
}

void jsonl_done(struct jsonl *j)
{
        if (j->fd >= 0)
                close(j->fd);
        free(j->in);
        free(j->out);
        *j = (struct jsonl){ .fd = -1 };
}

/* Room for n bytes more; at most max. */
static int reserve(char **buf, size_t *size, size_t len, size_t n, size_t max)
{
        size_t want = len + n;
        char *p;

        if (want > max)
                return -ENOBUFS;
        if (want <= *size)
                return 0;
        want = MIN(MAX(want, *size * 2), max);
        p = realloc(*buf, want);
        if (!p)
                return -ENOMEM;
        *buf = p;
        *size = want;
        return 0;
}

ssize_t jsonl_fill(struct jsonl *j)
{
        size_t room = MIN((size_t)READ_STEP, j->in_max + 1 - j->in_len); /* + 1: the newline is not counted */
        ssize_t n;
        int r;

        if (room == 0)
                return -ENOBUFS;
        r = reserve(&j->in, &j->in_size, j->in_len, room, j->in_max + 1);
        if (r < 0)
                return r;
        n = recv(j->fd, j->in + j->in_len, room, MSG_DONTWAIT);
        if (n < 0)
                return errno == EINTR ? -EAGAIN : neg_errno();
        j->in_len += (size_t)n;
        return n;
}

/* Drops the first n bytes; an empty buffer is given back, so that an idle connection costs nothing. */
static void consume(struct jsonl *j, size_t n)
{
        memmove(j->in, j->in + n, j->in_len - n);
        j->in_len -= n;
        j->scanned = 0;
        if (j->in_len == 0) {
                free(take_ptr(j->in));
                j->in_size = 0;
        }
}

static bool blank(const char *s, size_t len)
{
        for (size_t i = 0; i < len; i++)
                if (s[i] != ' ' && s[i] != '\t' && s[i] != '\r')
                        return false;
        return true;
}

static int parse_line(struct jsonl *j, const char *line, size_t len, json_t **ret)
{
        json_t *doc = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);

        j->lines++;
        if (json_is_object(doc)) {
                *ret = doc;
                return 1;
        }
        json_decref(doc);
        j->bad_lines++;
        return -EBADMSG;
}

int jsonl_next(struct jsonl *j, json_t **ret)
{
        while (j->in_len > 0) {
                char *nl = memchr(j->in + j->scanned, '\n', j->in_len - j->scanned);
                size_t len = nl ? (size_t)(nl - j->in) : j->in_len;
                int r = 0;

                if (!nl && !j->skipping && len <= j->in_max) {
                        j->scanned = len;
                        return 0;
                }
                if (!nl) { /* too long: forget what there is, and the rest as it comes */
                        bool first = !j->skipping;

                        j->skipping = true;
                        consume(j, j->in_len);
                        if (!first)
                                return 0;
                        j->lines++;
                        j->bad_lines++;
                        return -EMSGSIZE;
                }
                if (j->skipping)
                        j->skipping = false;
                else if (!blank(j->in, len))
                        r = parse_line(j, j->in, len, ret);
                consume(j, len + 1);
                if (r != 0)
                        return r;
        }
        return 0;
}

size_t jsonl_unsent(const struct jsonl *j)
{
        return j->out_len - j->out_sent;
}

static int append_out(const char *text, size_t n, void *data)
{
        struct jsonl *j = data;

        if (reserve(&j->out, &j->out_size, j->out_len, n, j->out_max) < 0)
                return -1;
        memcpy(j->out + j->out_len, text, n);
        j->out_len += n;
        return 0;
}

int jsonl_put(struct jsonl *j, json_t *doc)
{
        size_t before;
        int r = 0;

        if (!doc)
                return -EINVAL;
        if (j->out_sent > 0) {
                memmove(j->out, j->out + j->out_sent, jsonl_unsent(j));
                j->out_len -= j->out_sent;
                j->out_sent = 0;
        }
        before = j->out_len;
        if (json_dump_callback(doc, append_out, j, JSON_COMPACT | JSON_REAL_PRECISION(15)) < 0 || append_out("\n", 1, j) < 0) {
                j->out_len = before;
                r = json_is_object(doc) ? -ENOBUFS : -EINVAL;
        }
        json_decref(doc);
        return r;
}

int jsonl_flush(struct jsonl *j)
{
        while (jsonl_unsent(j) > 0) {
                ssize_t n = send(j->fd, j->out + j->out_sent, jsonl_unsent(j), MSG_NOSIGNAL | MSG_DONTWAIT);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return neg_errno();
                j->out_sent += (size_t)n;
        }
        free(take_ptr(j->out));
        j->out_len = j->out_sent = j->out_size = 0;
        return 0;
}

/* Until the descriptor is ready or the time is over. */
static int wait_for(int fd, short events, int64_t until_us)
{
        for (;;) {
                int64_t left = until_us - clock_boot_us();
                struct pollfd p = { .fd = fd, .events = events };
                int r;

                if (left <= 0)
                        return -ETIMEDOUT;
                r = poll(&p, 1, (int)MIN(left / USEC_PER_MSEC + 1, 3600000));
                if (r > 0)
                        return 0;
                if (r < 0 && errno != EINTR)
                        return neg_errno();
        }
}

int jsonl_send_until(struct jsonl *j, int64_t until_us)
{
        for (;;) {
                int r = jsonl_flush(j);

                if (r != -EAGAIN)
                        return r;
                r = wait_for(j->fd, POLLOUT, until_us);
                if (r < 0)
                        return r;
        }
}

int jsonl_next_until(struct jsonl *j, int64_t until_us, json_t **ret)
{
        for (;;) {
                ssize_t n;
                int r = jsonl_next(j, ret);

                if (r != 0)
                        return r;
                n = jsonl_fill(j);
                if (n == 0)
                        return -ECONNRESET;
                if (n < 0 && n != -EAGAIN)
                        return (int)n;
                if (n > 0)
                        continue;
                r = wait_for(j->fd, POLLIN, until_us);
                if (r < 0)
                        return r;
        }
}
