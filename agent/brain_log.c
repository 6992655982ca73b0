/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Log lines that nobody is waited for. Under systemd a line about a component goes to the journal with fields
 * (veilled(8) lists them); everywhere else, and when too much waits for the journal, it goes to standard error with the priority
 * prefix that the journal understands. What does not fit there either is dropped and counted. */

#include <poll.h>
#include <stdarg.h>

#include "brain.h"

#define FIELDS_MAX 12

/* Of a text of several lines (a line of the configuration with its caret) each has its own prefix. */
static void to_stderr(struct brain *b, int priority, const char *text)
{
        while (*text) {
                struct pollfd p = { .fd = STDERR_FILENO, .events = POLLOUT };
                size_t len = strcspn(text, "\n");
                char line[1100];
                int n = snprintf(line, sizeof(line), "<%d>%.*s\n", priority, (int)len, text);

                /* A write of less than PIPE_BUF to a pipe with room does not block. */
                if (poll(&p, 1, 0) != 1 || !(p.revents & POLLOUT) || write(STDERR_FILENO, line, (size_t)n) < 0)
                        b->counters.dropped_log_lines++;
                text += text[len] ? len + 1 : len;
        }
}

/* A value may hold what a device wrote: a line break in it must not begin a field of its own. */
static void put_field(FILE *f, const char *name, const char *value)
{
        fprintf(f, "%s=", name);
        for (; *value; value++)
                fputc(*value == '\n' || *value == '\r' ? ' ' : *value, f);
        fputc('\n', f);
}

static bool send_fields(struct brain *b, int priority, const char *text, const char *const *fields)
{
        char datagram[4096];
        _cleanup_fclose_ FILE *f = fmemopen(datagram, sizeof(datagram), "w");
        long len;

        if (!f)
                return false;
        fprintf(f, "PRIORITY=%d\nSYSLOG_IDENTIFIER=veilled\n", priority);
        put_field(f, "MESSAGE", text);
        for (int i = 0; i < FIELDS_MAX * 2 && fields[i]; i += 2)
                put_field(f, fields[i], fields[i + 1]);
        len = fflush(f) == 0 && !ferror(f) ? ftell(f) : -1;
        return len > 0 && (size_t)len < sizeof(datagram) && brain_journal_send(b, datagram, (size_t)len);
}

static void format(char *text, size_t size, const char *fmt, va_list ap) PRINTF_LIKE(3, 0);
static void format(char *text, size_t size, const char *fmt, va_list ap)
{
        if (vsnprintf(text, size, fmt, ap) < 0)
                text[0] = '\0';
}

void brain_log(struct brain *b, int priority, const char *fmt, ...)
{
        char text[1024];
        va_list ap;

        va_start(ap, fmt);
        format(text, sizeof(text), fmt, ap);
        va_end(ap);
        to_stderr(b, priority, text);
}

void brain_log_fields(struct brain *b, int priority, const char *const fields[], const char *fmt, ...)
{
        char text[1024];
        va_list ap;

        va_start(ap, fmt);
        format(text, sizeof(text), fmt, ap);
        va_end(ap);
        if (!send_fields(b, priority, text, fields))
                to_stderr(b, priority, text);
}
