/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* To the journal by standard error. What other hosts said may be quoted. */

#include <stdarg.h>

#include "clean_text.h"
#include "peer.h"

void peer_log(int priority, const char *fmt, ...)
{
        struct pollfd p = { .fd = STDERR_FILENO, .events = POLLOUT };
        char text[900], line[1000];
        va_list ap;
        int n;

        va_start(ap, fmt);
        vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        clean_text(text);
        n = snprintf(line, sizeof(line), "<%d>veille-peer: %s\n", priority, text);
        /* A write of less than PIPE_BUF where there is room does not block; a journal that hangs must not stop the heart. */
        if (poll(&p, 1, 0) == 1 && p.revents & POLLOUT && write(STDERR_FILENO, line, (size_t)n) < 0)
                return;
}
