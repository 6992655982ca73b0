/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Several requests of one connection, each answered by a process of its own, as if it had come alone: its own deadlines, its own
 * children, and a check that hangs holds up none of the others. Their lines are relayed whole, with "check" put first; after the
 * last line of one comes {"check":NAME,"type":"over"}. */

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "probe.h"

#define LINE_MAX_LEN 16384

struct server {
        const char *check; /* the caller's */
        pid_t pid;
        int fd; /* its lines; -1: over */
        size_t len;
        char line[LINE_MAX_LEN];
};

static int relay_line(int out_fd, const char *check, const char *line, size_t len)
{
        char *text = NULL;
        int n, r;

        if (len == 0 || line[0] != '{')
                return 0; /* none of our protocol */
        n = asprintf(&text, "{\"check\":\"%s\",%.*s\n", check, (int)(len - 1), line + 1);
        if (n < 0)
                return -ENOMEM;
        r = probe_write_all(out_fd, text, (size_t)n);
        free(text);
        return r;
}

static int server_start(struct server *servers, size_t i, const struct probe_job *job)
{
        int ends[2];

        if (pipe2(ends, O_CLOEXEC) < 0)
                return neg_errno();
        servers[i].pid = fork();
        if (servers[i].pid == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                for (size_t k = 0; k < i; k++)
                        if (servers[k].fd >= 0)
                                close(servers[k].fd);
                close(ends[0]);
                _exit(job->run(job->data, i, ends[1]));
        }
        close(ends[1]);
        if (servers[i].pid < 0) {
                int r = neg_errno();

                close(ends[0]);
                return r;
        }
        servers[i].fd = ends[0];
        return 0;
}

static int server_over(struct server *s, int out_fd)
{
        static const char over[] = "{\"type\":\"over\"}";

        close(s->fd);
        s->fd = -1;
        (void)waitpid(s->pid, NULL, 0); /* it closed its end by leaving */
        return relay_line(out_fd, s->check, over, sizeof(over) - 1);
}

static int server_read(struct server *s, int out_fd)
{
        ssize_t n = read(s->fd, s->line + s->len, sizeof(s->line) - s->len);
        char *nl;

        if (n < 0 && (errno == EINTR || errno == EAGAIN))
                return 0;
        if (n <= 0)
                return server_over(s, out_fd);
        s->len += (size_t)n;
        while ((nl = memchr(s->line, '\n', s->len))) {
                size_t len = (size_t)(nl - s->line);
                int r = relay_line(out_fd, s->check, s->line, len);

                if (r < 0)
                        return r;
                s->len -= len + 1;
                memmove(s->line, nl + 1, s->len);
        }
        if (s->len == sizeof(s->line)) {
                kill(s->pid, SIGKILL);
                return server_over(s, out_fd);
        }
        return 0;
}

/* Until all are over. 0, or negative errno when whoever asked has gone. */
static int relay(struct server *servers, size_t n, int out_fd)
{
        for (;;) {
                struct pollfd p[CATALOG_SEVERAL_MAX + 1];
                bool any = false;

                for (size_t i = 0; i < n; i++) {
                        p[i] = (struct pollfd){ .fd = servers[i].fd, .events = POLLIN };
                        any |= servers[i].fd >= 0;
                }
                if (!any)
                        return 0;
                p[n] = (struct pollfd){ .fd = out_fd };
                if (poll(p, n + 1, -1) < 0 && errno != EINTR)
                        return neg_errno();
                for (size_t i = 0; i < n; i++) {
                        int r = servers[i].fd >= 0 && p[i].revents ? server_read(&servers[i], out_fd) : 0;

                        if (r < 0)
                                return r;
                }
                if (p[n].revents & (POLLERR | POLLHUP | POLLNVAL))
                        return -EPIPE;
        }
}

int probe_several(const struct probe_job *job, const char *const *checks, size_t n, int out_fd)
{
        struct server *servers = calloc(n, sizeof(*servers));
        int r = 0;

        if (!servers)
                return 3;
        for (size_t i = 0; i < n && r >= 0; i++) {
                servers[i] = (struct server){ .check = checks[i], .fd = -1 };
                if (server_start(servers, i, job) < 0) {
                        static const char end[] = "{\"type\":\"end\",\"result\":\"failed\",\"why\":\"no process could be started\"}";
                        static const char over[] = "{\"type\":\"over\"}";

                        r = relay_line(out_fd, checks[i], end, sizeof(end) - 1);
                        if (r >= 0)
                                r = relay_line(out_fd, checks[i], over, sizeof(over) - 1);
                }
        }
        if (r >= 0)
                r = relay(servers, n, out_fd);
        /* PR_SET_PDEATHSIG ends the servers if we leave early. */
        free(servers);
        return r < 0 ? 3 : 0;
}
