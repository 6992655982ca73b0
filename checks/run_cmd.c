/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Runs another program for a check, with a deadline, a clean environment and bounded output.
 * The check already runs in a child that will be killed at its own deadline; the limit here lets it
 * say which program did not answer. */

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "probe.h"

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

static void child_exec(const char *path, const char *const argv[], int out_fd, int err_fd)
{
        static const char *const clean_env[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", NULL };
        int null_fd = open("/dev/null", O_RDONLY);

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (null_fd >= 0)
                dup2(null_fd, 0);
        dup2(out_fd, 1);
        dup2(err_fd, 2);
        execve(path, (char *const *)argv, (char *const *)clean_env);
        _exit(errno == ENOENT ? 127 : 126);
}

int probe_run_cmd(struct env *env, const char *const argv[], int deadline_s, size_t max_out, struct cmd_result *ret)
{
        int out[2], err[2], status = 0;
        char path[4096];
        pid_t pid;

        assert(argv[0][0] == '/');
        snprintf(path, sizeof(path), "%s%s", streq(env->root, "/") ? "" : env->root, argv[0]);
        if (access(path, X_OK) < 0)
                return neg_errno();
        if (pipe2(out, O_CLOEXEC) < 0)
                return neg_errno();
        if (pipe2(err, O_CLOEXEC) < 0) {
                int r = neg_errno();

                close(out[0]);
                close(out[1]);
                return r;
        }
        pid = fork();
        if (pid == 0)
                child_exec(path, argv, out[1], err[1]);
        int fork_error = pid < 0 ? errno : 0;

        close(out[1]);
        close(err[1]);
        struct sink so = { .fd = out[0], .max = max_out }, se = { .fd = err[0], .max = STDERR_MAX };
        int64_t end = now_ms() + deadline_s * 1000LL;
        bool late = false;

        while (!fork_error && (so.fd >= 0 || se.fd >= 0)) {
                struct pollfd p[2] = { { .fd = so.fd, .events = POLLIN }, { .fd = se.fd, .events = POLLIN } };
                int64_t left = end - now_ms();

                if (left <= 0) {
                        late = true;
                        break;
                }
                if (poll(p, 2, (int)left) < 0 && errno != EINTR)
                        break;
                if (p[0].revents)
                        sink_drain(&so);
                if (p[1].revents)
                        sink_drain(&se);
        }
        if (so.fd >= 0)
                close(so.fd);
        if (se.fd >= 0)
                close(se.fd);
        if (!fork_error) {
                /* It may have closed its output and live on: give it the rest of its time. */
                while (!late && waitpid(pid, &status, WNOHANG) == 0) {
                        if (now_ms() >= end)
                                late = true;
                        else
                                poll(NULL, 0, 10);
                }
                if (late) {
                        kill(pid, SIGKILL);
                        /* Not waited for: it may hang in the kernel. Our own end reaps it. */
                        waitpid(pid, &status, WNOHANG);
                }
        }
        if (fork_error || late) {
                free(so.buf);
                free(se.buf);
                return fork_error ? -fork_error : -ETIME;
        }
        *ret = (struct cmd_result){
                .exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
                .truncated = so.truncated,
                .out = so.buf ? so.buf : calloc(1, 1),
                .out_len = so.len,
                .err_text = se.buf ? se.buf : calloc(1, 1),
        };
        return ret->out && ret->err_text ? 0 : -ENOMEM;
}
