/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Log lines that nobody is waited for. Under systemd a line about a component goes to the journal with fields
 * (veilled(8) lists them); everywhere else, and when the journal takes no more just now, it goes to standard error with the
 * priority prefix that the journal understands. What does not fit there either is dropped and counted. */

#include <poll.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "brain.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
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

/* Is standard error the journal's stream? Then systemd told us which file that is. */
static bool stderr_is_journal(void)
{
        const char *stream = getenv("JOURNAL_STREAM");
        unsigned long long dev, ino;
        struct stat st;

        return stream && sscanf(stream, "%llu:%llu", &dev, &ino) == 2 && fstat(STDERR_FILENO, &st) == 0 &&
               st.st_dev == (dev_t)dev && st.st_ino == (ino_t)ino;
}

/* The journal's own protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL): NAME=value lines in one datagram. sd_journal_send() does
 * the same but waits for a journal that hangs. */
static bool to_journal(const char *text, size_t len)
{
        static int fd = -2;
        struct sockaddr_un sa = { .sun_family = AF_UNIX, .sun_path = JOURNAL_SOCKET };

        if (fd == -2)
                fd = stderr_is_journal() ? socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0) : -1;
        return fd >= 0 && sendto(fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *)&sa, sizeof(sa)) == (ssize_t)len;
}

/* A value may hold what a device wrote: a line break in it must not begin a field of its own. */
static void put_field(FILE *f, const char *name, const char *value)
{
        fprintf(f, "%s=", name);
        for (; *value; value++)
                fputc(*value == '\n' || *value == '\r' ? ' ' : *value, f);
        fputc('\n', f);
}

static bool send_fields(int priority, const char *text, const char *const *fields)
{
        char datagram[4096];
        _cleanup_fclose_ FILE *f = fmemopen(datagram, sizeof(datagram), "w");
        long len;

        if (!f)
                return false;
        fprintf(f, "PRIORITY=%d\nSYSLOG_IDENTIFIER=veilled\n", priority);
        put_field(f, "MESSAGE", text);
        for (int i = 0; fields[i] && i < FIELDS_MAX * 2; i += 2)
                put_field(f, fields[i], fields[i + 1]);
        len = fflush(f) == 0 && !ferror(f) ? ftell(f) : -1;
        return len > 0 && (size_t)len < sizeof(datagram) && to_journal(datagram, (size_t)len);
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
        if (!send_fields(priority, text, fields))
                to_stderr(b, priority, text);
}
