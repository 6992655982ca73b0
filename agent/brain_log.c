/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Log lines to standard error with the priority prefix that the journal understands. Standard error
 * may be a pipe that nobody reads any more: a line that does not fit is dropped and counted. */

#include <poll.h>
#include <stdarg.h>

#include "brain.h"

void brain_log(struct brain *b, int priority, const char *fmt, ...)
{
        struct pollfd p = { .fd = STDERR_FILENO, .events = POLLOUT };
        char line[1024];
        int prefix = snprintf(line, sizeof(line), "<%d>", priority), n;
        va_list ap;

        va_start(ap, fmt);
        n = vsnprintf(line + prefix, sizeof(line) - (size_t)prefix - 1, fmt, ap);
        va_end(ap);
        if (n < 0)
                return;
        n = (int)MIN((size_t)(prefix + n), sizeof(line) - 2);
        line[n] = '\n';
        /* A write of less than PIPE_BUF to a pipe with room does not block. */
        if (poll(&p, 1, 0) != 1 || !(p.revents & POLLOUT) || write(STDERR_FILENO, line, (size_t)n + 1) < 0)
                b->counters.dropped_log_lines++;
}
