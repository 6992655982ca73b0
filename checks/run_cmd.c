/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Runs another program for a check, with a deadline, a clean environment and bounded output: one of ours by
 * env->run_cmd, one of the administrator's by foreign_run(). The check already runs in a child that will be killed at
 * its own deadline; the limit here lets it say which program did not answer. */

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "probe.h"
#include "run_cmd.h"

#define STDERR_MAX 4096

static int64_t now_ms(void)
{
        struct timespec ts;

        clock_gettime(CLOCK_BOOTTIME, &ts);
        return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

struct sink {
        int fd;
        char *buf;
        size_t len, max;
        bool truncated;
};

/* Reads what is there; at the cap it goes on reading and forgets. Closes at the end of file. */
static void sink_drain(struct sink *s)
{
        char tmp[16384];
        ssize_t n = read(s->fd, tmp, sizeof(tmp));

        if (n < 0 && (errno == EINTR || errno == EAGAIN))
                return;
        if (n <= 0) {
                close(s->fd);
                s->fd = -1;
                return;
        }
        size_t take = MIN((size_t)n, s->max - s->len);
        char *grown = realloc(s->buf, s->len + take + 1);

        if (!grown) {
                s->truncated = true;
                return;
        }
        s->buf = grown;
        memcpy(s->buf + s->len, tmp, take);
        s->len += take;
        s->buf[s->len] = '\0';
        if (take < (size_t)n)
                s->truncated = true;
}

static void child_exec(const char *path, const char *const argv[], const struct run_cmd_how *how, int out_fd, int err_fd)
{
        static const char *const clean_env[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", NULL };
        int null_fd = open("/dev/null", O_RDONLY);

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (null_fd >= 0)
                dup2(null_fd, 0);
        dup2(out_fd, 1);
        dup2(err_fd, 2);
        if (how->foreign && !foreign_become(how->foreign))
                _exit(126);
        execve(path, (char *const *)argv, (char *const *)clean_env);
        _exit(errno == ENOENT ? 127 : 126);
}

struct running {
        pid_t pid;
        int64_t end_ms;
        bool reaped;
        int status;
        struct sink out, err;
};

static bool try_reap(struct running *p)
{
        if (!p->reaped && waitpid(p->pid, &p->status, WNOHANG) == p->pid)
                p->reaped = true;
        return p->reaped;
}

/* Until both outputs are closed; of a foreign program until it has ended or printed too much: what it left in the background may
 * hold its output open for ever. False: it took too long. */
static bool pump(struct running *p, const struct run_cmd_how *how)
{
        while (p->out.fd >= 0 || p->err.fd >= 0) {
                struct pollfd fds[2] = { { .fd = p->out.fd, .events = POLLIN }, { .fd = p->err.fd, .events = POLLIN } };
                int64_t left = p->end_ms - now_ms();
                bool ended = how->foreign && try_reap(p);
                int n;

                if (left <= 0)
                        return false;
                n = poll(fds, 2, ended ? 0 : how->foreign ? (int)MIN(left, 20) : (int)left);
                if (n < 0 && errno != EINTR)
                        break;
                if (n > 0 && fds[0].revents)
                        sink_drain(&p->out);
                if (n > 0 && fds[1].revents)
                        sink_drain(&p->err);
                if (how->foreign && (p->out.truncated || (ended && n == 0)))
                        break;
        }
        return true;
}

/* It may have closed its output and live on: the rest of its time is still its own. */
static bool await_end(struct running *p)
{
        while (!try_reap(p)) {
                if (now_ms() >= p->end_ms)
                        return false;
                poll(NULL, 0, 10);
        }
        return true;
}

static int start(const char *path, const char *const argv[], const struct run_cmd_how *how, struct running *p)
{
        int out[2], err[2], r = 0;

        if (pipe2(out, O_CLOEXEC) < 0)
                return neg_errno();
        if (pipe2(err, O_CLOEXEC) < 0) {
                r = neg_errno();
                close(out[0]);
                close(out[1]);
                return r;
        }
        *p = (struct running){ .out = { .fd = out[0], .max = how->max_out }, .err = { .fd = err[0], .max = STDERR_MAX },
                               .end_ms = now_ms() + how->deadline_s * 1000LL };
        p->pid = fork();
        if (p->pid == 0)
                child_exec(path, argv, how, out[1], err[1]);
        if (p->pid < 0)
                r = neg_errno();
        else if (how->foreign)
                setpgid(p->pid, p->pid);
        close(out[1]);
        close(err[1]);
        return r;
}

static int take_result(struct running *p, struct cmd_result *ret)
{
        *ret = (struct cmd_result){
                .exit_status = WIFEXITED(p->status) ? WEXITSTATUS(p->status) : 128 + WTERMSIG(p->status),
                .signal = WIFSIGNALED(p->status) ? WTERMSIG(p->status) : 0,
                .truncated = p->out.truncated,
                .out = p->out.buf ? p->out.buf : calloc(1, 1),
                .out_len = p->out.len,
                .err_text = p->err.buf ? p->err.buf : calloc(1, 1),
        };
        return ret->out && ret->err_text ? 0 : -ENOMEM;
}

int run_cmd(const char *path, const char *const argv[], const struct run_cmd_how *how, struct cmd_result *ret)
{
        struct running p = { .out.fd = -1, .err.fd = -1 };
        bool in_time = false;
        int r = start(path, argv, how, &p);

        if (r == 0) {
                in_time = pump(&p, how);
                if (how->foreign && p.out.truncated)
                        kill(-p.pid, SIGKILL);
                in_time = in_time && await_end(&p);
                if (!in_time) {
                        kill(p.pid, SIGKILL);
                        /* Not waited for: it may hang in the kernel. Our own end reaps it. */
                        try_reap(&p);
                }
                if (how->foreign)
                        foreign_end(p.pid);
        }
        if (p.out.fd >= 0)
                close(p.out.fd);
        if (p.err.fd >= 0)
                close(p.err.fd);
        if (r == 0 && in_time)
                return take_result(&p, ret);
        free(p.out.buf);
        free(p.err.buf);
        return r < 0 ? r : -ETIME;
}

int probe_run_cmd(struct env *env, const char *const argv[], int deadline_s, size_t max_out, struct cmd_result *ret)
{
        char path[4096];

        assert(argv[0][0] == '/');
        snprintf(path, sizeof(path), "%s%s", streq(env->root, "/") ? "" : env->root, argv[0]);
        if (access(path, X_OK) < 0)
                return neg_errno();
        return run_cmd(path, argv, &(struct run_cmd_how){ .deadline_s = deadline_s, .max_out = max_out }, ret);
}
