/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Children of veillectl report. */

#include "ctl_capture.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common_clock.h"

static void become(char *const argv[], int out)
{
        int null = open("/dev/null", O_RDONLY);

        if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 || dup2(out, STDERR_FILENO) < 0)
                _exit(127);
        execv(argv[0], argv);
        _exit(127);
}

/* 0 at its end, -EAGAIN for more, other negative errno. */
static int read_some(int fd, size_t max, struct textbuf *out)
{
        char buf[16384];
        ssize_t n = read(fd, buf, sizeof(buf));

        if (n <= 0)
                return n < 0 && errno != EINTR ? neg_errno() : n == 0 ? 0 : -EAGAIN;
        textbuf_add(out, buf, MIN((size_t)n, max - MIN(max, out->len))); /* reads on, so that it can end */
        return -EAGAIN;
}

static int collect(int fd, int64_t until_us, size_t max, struct textbuf *out)
{
        for (;;) {
                struct pollfd p = { .fd = fd, .events = POLLIN };
                int64_t left = until_us - clock_boot_us();
                int r = left > 0 ? poll(&p, 1, (int)(left / USEC_PER_MSEC + 1)) : 0;

                if (r == 0)
                        return -ETIMEDOUT;
                if (r > 0)
                        r = read_some(fd, max, out);
                else
                        r = errno == EINTR ? -EAGAIN : neg_errno();
                if (r != -EAGAIN)
                        return r;
        }
}

int capture_command(char *const argv[], int timeout_s, size_t max, struct textbuf *out)
{
        int fds[2], status = 0, r;
        pid_t pid;

        if (pipe2(fds, O_CLOEXEC) < 0)
                return neg_errno();
        pid = fork();
        if (pid == 0)
                become(argv, fds[1]);
        close(fds[1]);
        if (pid < 0) {
                close(fds[0]);
                return -EAGAIN;
        }
        r = collect(fds[0], clock_boot_us() + timeout_s * USEC_PER_SEC, max + out->len, out);
        close(fds[0]);
        if (r < 0)
                kill(pid, SIGKILL);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                ;
        return r < 0 ? r : WIFEXITED(status) ? WEXITSTATUS(status) : -EINTR;
}

int capture_file(const char *path, size_t max, struct textbuf *out)
{
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        size_t end = out->len + max;
        struct stat st;
        int r;

        if (fd < 0 || fstat(fd, &st) < 0)
                return neg_errno();
        if (!S_ISREG(st.st_mode))
                return -EINVAL;
        do
                r = read_some(fd, end, out);
        while (r == -EAGAIN && out->len < end);
        return r == -EAGAIN ? 0 : r;
}
