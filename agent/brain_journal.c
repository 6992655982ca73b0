/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The journal's own protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL): NAME=value lines in one datagram. sd_journal_send() does the
 * same but waits for a journal that is slow, or hangs with a dying disk. Here a datagram that the journal does not take just now
 * waits in memory: the queue of its socket is short (10 on many kernels, 512 where systemd could raise it), and at a start
 * there is more to say at once. Bounded: what is beyond goes to standard error by the caller, without its fields. */

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "brain.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define QUEUE_MAX_BYTES (256 * 1024)
#define RETRY_US (1 * USEC_PER_SEC) /* where nobody listens (yet) */

struct message {
        struct message *next;
        size_t len;
        char text[];
};

/* One for the process, as standard error is. */
static struct {
        bool asked, ours; /* standard error is the journal's stream */
        int fd;           /* connected, or -1 */
        struct message *first, **last;
        size_t bytes;
        sd_event_source *io, *retry;
} journal = { .fd = -1, .last = &journal.first };

/* Is standard error the journal's stream? Then systemd told us which file that is. */
static bool stderr_is_journal(void)
{
        const char *stream = getenv("JOURNAL_STREAM");
        unsigned long long dev, ino;
        struct stat st;

        return stream && sscanf(stream, "%llu:%llu", &dev, &ino) == 2 && fstat(STDERR_FILENO, &st) == 0 &&
               st.st_dev == (dev_t)dev && st.st_ino == (ino_t)ino;
}

static void hang_up(void)
{
        journal.io = sd_event_source_disable_unref(journal.io);
        if (journal.fd >= 0)
                close(journal.fd);
        journal.fd = -1;
}

/* 0; negative errno: -EAGAIN when it takes no more just now. */
static int send_one(const char *text, size_t len)
{
        static const struct sockaddr_un sa = { .sun_family = AF_UNIX, .sun_path = JOURNAL_SOCKET };

        if (journal.fd < 0) {
                _cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

                /* Connected, so that poll() tells when there is room. */
                if (fd < 0 || connect(fd, (const struct sockaddr *)&sa, sizeof(sa)) < 0)
                        return neg_errno();
                journal.fd = take_fd(&fd);
        }
        if (send(journal.fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)len)
                return 0;
        return neg_errno();
}

static void drop_first(void)
{
        struct message *m = journal.first;

        journal.first = m->next;
        if (!journal.first)
                journal.last = &journal.first;
        journal.bytes -= m->len;
        free(m);
}

static void drain(struct brain *b);

static int on_room(sd_event_source *source UNUSED, int fd UNUSED, uint32_t revents UNUSED, void *data)
{
        drain(data);
        return 0;
}

static int on_retry(sd_event_source *source UNUSED, uint64_t usec UNUSED, void *data)
{
        drain(data);
        return 0;
}

/* Called again when there is room, or after a while when there is nobody. */
static void wait_for_room(struct brain *b, bool room)
{
        if (room && (journal.io || sd_event_add_io(b->event, &journal.io, journal.fd, EPOLLOUT, on_room, b) >= 0))
                return;
        hang_up();
        if (!journal.retry && sd_event_add_time_relative(b->event, &journal.retry, CLOCK_BOOTTIME, RETRY_US, 0, on_retry, b) < 0)
                return;
        sd_event_source_set_time_relative(journal.retry, RETRY_US);
        sd_event_source_set_enabled(journal.retry, SD_EVENT_ONESHOT);
}

static void drain(struct brain *b)
{
        while (journal.first) {
                int r = send_one(journal.first->text, journal.first->len);

                if (r == -EAGAIN || r == -ENOBUFS || r == -ECONNREFUSED || r == -ENOENT || r == -ECONNRESET || r == -ENOTCONN) {
                        wait_for_room(b, r == -EAGAIN);
                        return;
                }
                if (r < 0)
                        b->counters.dropped_log_lines++; /* not for this journal, ever */
                drop_first();
        }
        journal.io = sd_event_source_disable_unref(journal.io);
}

bool brain_journal_send(struct brain *b, const char *text, size_t len)
{
        struct message *m;

        if (!journal.asked) {
                journal.asked = true;
                journal.ours = stderr_is_journal();
        }
        if (!journal.ours || journal.bytes + len > QUEUE_MAX_BYTES)
                return false;
        m = malloc(sizeof(*m) + len);
        if (!m)
                return false;
        m->next = NULL;
        m->len = len;
        memcpy(m->text, text, len);
        *journal.last = m;
        journal.last = &m->next;
        journal.bytes += len;
        /* In order: behind what waits already. */
        if (journal.first == m)
                drain(b);
        return true;
}

/* The journal did not take it in time: the sentence at least, the other way. */
static void say_without_fields(struct brain *b, const struct message *m)
{
        static const char priority[] = "PRIORITY=", before[] = "\nMESSAGE=";
        const char *text = memmem(m->text, m->len, before, sizeof(before) - 1), *end;

        if (!text || m->len < sizeof(priority) || memcmp(m->text, priority, sizeof(priority) - 1) != 0)
                return;
        text += sizeof(before) - 1;
        end = memchr(text, '\n', (size_t)(m->text + m->len - text));
        brain_log(b, m->text[sizeof(priority) - 1] - '0', "%.*s", (int)((end ? end : m->text + m->len) - text), text);
}

void brain_journal_stop(struct brain *b)
{
        drain(b); /* what it takes without waiting */
        while (journal.first) {
                say_without_fields(b, journal.first);
                drop_first();
        }
        hang_up();
        journal.retry = sd_event_source_disable_unref(journal.retry);
}
