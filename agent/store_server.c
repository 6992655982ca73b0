/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* RUN/store.sock and the timers. One thread: while the disk hangs, nobody is answered; callers have deadlines. Slow readers
 * are bounded in bytes and in time, so that one that stopped cannot hold up memory. */

#include <malloc.h>
#include <signal.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "common_clock.h"
#include "common_socket.h"
#include "store.h"

#define CLIENTS_MAX 32
#define LINE_LIMIT (1024 * 1024)
#define OUT_LIMIT (768 * 1024)
#define SLOW_US (30 * USEC_PER_SEC)
#define TIDY_US (60 * USEC_PER_SEC)
#define TIDY_SOON_US (50 * USEC_PER_MSEC)
#define PLOTS_US (300 * USEC_PER_SEC)
#define PLOTS_FIRST_US (20 * USEC_PER_SEC)
#define PLOTS_EAGER_US (60 * USEC_PER_SEC) /* somebody has just started veille and looks at the page */
#define EAGER_US (900 * USEC_PER_SEC)
#define TRIM_BYTES (256 * 1024)

struct client {
        struct server *server;
        struct peer peer;
        sd_event_source *io;
        int64_t stuck_us; /* since when it does not read; 0: it does */
        bool closing;
        struct client *next;
};

struct server {
        struct store *s;
        sd_event *event;
        int fd;
        bool own_path;
        sd_event_source *io, *commit, *tidy, *plots;
        struct client *clients;
        size_t n;
        int64_t started_us;
        uint64_t told_seq; /* committed_seq as of the last time that clients were told */
};

static void client_free(struct client *c)
{
        for (struct client **p = &c->server->clients; *p; p = &(*p)->next)
                if (*p == c) {
                        *p = c->next;
                        c->server->n--;
                        break;
                }
        sd_event_source_disable_unref(c->io);
        job_done(&c->peer.job);
        jsonl_done(&c->peer.j);
        free(c);
}

static void arm_commit(struct server *v)
{
        int64_t due = store_commit_due(v->s);

        if (due == INT64_MAX) {
                sd_event_source_set_enabled(v->commit, SD_EVENT_OFF);
                return;
        }
        sd_event_source_set_time(v->commit, (uint64_t)due);
        sd_event_source_set_enabled(v->commit, SD_EVENT_ONESHOT);
}

/* Sends what can be sent; false: the client is gone. */
static bool client_flush(struct client *c)
{
        int64_t now = clock_boot_us();
        size_t before;
        int r;

        do {
                peer_work(c->server->s, &c->peer);
                before = jsonl_unsent(&c->peer.j);
                r = jsonl_flush(&c->peer.j);
        } while (r == 0 && c->peer.job.kind != JOB_NONE);
        if (r == 0 || jsonl_unsent(&c->peer.j) < before)
                c->stuck_us = 0;
        else if (c->stuck_us == 0)
                c->stuck_us = now;
        if (r == 0)
                return !c->closing;
        if (r == -EAGAIN && now - c->stuck_us < SLOW_US)
                return true;
        if (r == -EAGAIN)
                c->server->s->counters.slow_readers++;
        return false;
}

/* Lines that are there, but none before a long answer is complete. */
static void client_lines(struct client *c)
{
        json_t *line;
        int r;

        while (c->peer.job.kind == JOB_NONE && jsonl_unsent(&c->peer.j) < OUT_LIMIT / 2 && (r = jsonl_next(&c->peer.j, &line)) != 0) {
                if (r < 0) {
                        c->server->s->counters.bad_lines++;
                        peer_error(c->server->s, &c->peer, r == -EMSGSIZE ? "a line is longer than 1 MiB; it was dropped"
                                                                         : "a line is no JSON object; it was dropped");
                        continue;
                }
                peer_line(c->server->s, &c->peer, line);
                json_decref(line);
                peer_work(c->server->s, &c->peer);
        }
}

static int client_events(const struct client *c)
{
        bool busy = c->peer.job.kind != JOB_NONE || jsonl_unsent(&c->peer.j) >= OUT_LIMIT / 2;

        return (busy || c->closing ? 0 : EPOLLIN) | (jsonl_unsent(&c->peer.j) ? EPOLLOUT : 0);
}

/* Acknowledgements, or the trouble, to whoever waits. */
static void tell_clients(struct server *v)
{
        v->told_seq = v->s->committed_seq;
        for (struct client *c = v->clients, *next; c; c = next) {
                next = c->next;
                peer_acks(v->s, &c->peer);
                if (!client_flush(c))
                        client_free(c);
                else
                        sd_event_source_set_io_events(c->io, (uint32_t)client_events(c));
        }
}

static int on_client(sd_event_source *source UNUSED, int fd UNUSED, uint32_t revents, void *data)
{
        struct client *c = data;
        struct server *v = c->server;
        size_t large = 0;

        if (revents & (EPOLLIN | EPOLLHUP | EPOLLERR) && c->peer.job.kind == JOB_NONE && !c->closing) {
                ssize_t n = jsonl_fill(&c->peer.j);

                large = c->peer.j.in_size;
                if (n == 0)
                        c->closing = true; /* half-closed: it may still wait for the answer */
                else if (n < 0 && n != -EAGAIN && n != -ENOBUFS) {
                        client_free(c);
                        return 0;
                }
        }
        do
                client_lines(c);
        while (client_flush(c) && c->peer.job.kind == JOB_NONE && c->peer.j.in_len > c->peer.j.scanned);
        if (!client_flush(c)) {
                client_free(c);
        } else {
                sd_event_source_set_io_events(c->io, (uint32_t)client_events(c));
        }
        /* What one was in a hurry for is written for all. */
        if (v->told_seq != v->s->committed_seq)
                tell_clients(v);
        arm_commit(v);
        if (large > TRIM_BYTES)
                malloc_trim(0);
        return 0;
}

static int on_accept(sd_event_source *source UNUSED, int fd, uint32_t revents UNUSED, void *data)
{
        struct server *v = data;
        struct socket_peer who;
        struct client *c;
        int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (client < 0)
                return 0;
        c = v->n < CLIENTS_MAX && socket_peer(client, &who) == 0 ? calloc(1, sizeof(*c)) : NULL;
        if (!c) {
                v->s->counters.refused_connections++;
                close(client);
                return 0;
        }
        c->server = v;
        c->peer.writer = who.uid == geteuid() || who.uid == 0;
        jsonl_init(&c->peer.j, client, LINE_LIMIT, OUT_LIMIT);
        if (sd_event_add_io(v->event, &c->io, client, EPOLLIN, on_client, c) < 0) {
                jsonl_done(&c->peer.j);
                free(c);
                return 0;
        }
        c->next = v->clients;
        v->clients = c;
        v->n++;
        return 0;
}

static int on_commit(sd_event_source *source UNUSED, uint64_t usec UNUSED, void *data)
{
        struct server *v = data;

        store_commit(v->s);
        tell_clients(v);
        arm_commit(v);
        return 0;
}

/* Also looks after clients that stopped reading: nothing else would wake us for them. */
static int on_tidy(sd_event_source *source, uint64_t usec UNUSED, void *data)
{
        struct server *v = data;
        bool more = store_tidy(v->s);

        tell_clients(v);
        arm_commit(v);
        if (!more)
                malloc_trim(0);
        sd_event_source_set_time_relative(source, more ? TIDY_SOON_US : TIDY_US);
        return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static int on_plots(sd_event_source *source, uint64_t usec UNUSED, void *data)
{
        struct server *v = data;
        int r = store_plots(v->s);

        if (r < 0)
                store_log(v->s, STORE_WARNING, "%s/plots.json: %s", v->s->options.run, strerror(-r));
        malloc_trim(0);
        arm_commit(v);
        sd_event_source_set_time_relative(source, clock_boot_us() - v->started_us < EAGER_US ? PLOTS_EAGER_US : PLOTS_US);
        return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static int get_socket(struct server *v)
{
        char path[4096];
        int fd, n = sd_listen_fds(1);

        for (int i = 0; i < n; i++)
                if (sd_is_socket_unix(SD_LISTEN_FDS_START + i, SOCK_STREAM, 1, NULL, 0) > 0)
                        return SD_LISTEN_FDS_START + i;
        snprintf(path, sizeof(path), "%s/store.sock", v->s->options.run);
        fd = socket_listen_unix(path, 0660, 64);
        if (fd < 0)
                fprintf(stderr, "veille-store: %s: %s\n", path, fd == -EADDRINUSE ? "another veille-store listens there" : strerror(-fd));
        v->own_path = fd >= 0;
        return fd;
}

static int start(struct server *v)
{
        int r = sd_event_default(&v->event);

        if (r >= 0)
                r = sd_event_add_signal(v->event, NULL, SIGTERM, NULL, NULL);
        if (r >= 0)
                r = sd_event_add_signal(v->event, NULL, SIGINT, NULL, NULL);
        if (r >= 0)
                r = sd_event_set_watchdog(v->event, true);
        if (r >= 0)
                r = sd_event_add_io(v->event, &v->io, v->fd, EPOLLIN, on_accept, v);
        if (r >= 0)
                r = sd_event_add_time_relative(v->event, &v->commit, CLOCK_BOOTTIME, 0, 100 * USEC_PER_MSEC, on_commit, v);
        if (r >= 0)
                r = sd_event_add_time_relative(v->event, &v->tidy, CLOCK_BOOTTIME, TIDY_US / 4, USEC_PER_SEC, on_tidy, v);
        if (r >= 0)
                r = sd_event_add_time_relative(v->event, &v->plots, CLOCK_BOOTTIME, PLOTS_FIRST_US, USEC_PER_SEC, on_plots, v);
        return r;
}

static void stop(struct server *v)
{
        char path[4096];

        while (v->clients)
                client_free(v->clients);
        sd_event_source_disable_unref(v->plots);
        sd_event_source_disable_unref(v->tidy);
        sd_event_source_disable_unref(v->commit);
        sd_event_source_disable_unref(v->io);
        snprintf(path, sizeof(path), "%s/store.sock", v->s->options.run);
        if (v->own_path)
                unlink(path);
        if (v->fd >= 0)
                close(v->fd);
        sd_event_unref(v->event);
}

int store_serve(struct store *s)
{
        struct server v = { .s = s, .started_us = clock_boot_us() };
        int r;

        v.fd = get_socket(&v);
        if (v.fd < 0)
                return v.fd;
        r = start(&v);
        if (r >= 0) {
                db_open(s); /* a failure is trouble that is shown and tried again, no end */
                sd_notify(0, "READY=1");
                r = sd_event_loop(v.event);
                sd_notify(0, "STOPPING=1");
                store_commit(s);
                tell_clients(&v);
        } else {
                fprintf(stderr, "veille-store: event loop: %s\n", strerror(-r));
        }
        stop(&v);
        return r;
}
