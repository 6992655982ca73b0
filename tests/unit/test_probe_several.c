/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Several requests over one connection: one that hangs holds up none of the others, one that dies in the middle of a line is over,
 * and all end when whoever asked goes away. With real processes; no time is measured, only waited for. */

#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "probe.h"
#include "test.h"

#define WAIT_S 60

static const char *const checks[] = { "hangs", "answers", "dies", "floods" };

static int run(const void *data, size_t i, int out_fd)
{
        char pid[64], flood[16384];
        int n;

        switch (i) {
        case 0:
                n = snprintf(pid, sizeof(pid), "{\"type\":\"pid\",\"pid\":%d}\n", (int)getpid());
                probe_write_all(out_fd, pid, (size_t)n);
                for (;;)
                        pause();
        case 1:
                probe_write_all(out_fd, "{\"instance\":\"x\"}\nnot of our protocol\n\n", 38);
                return *(const int *)data;
        case 2:
                probe_write_all(out_fd, "{\"half\":", 8);
                raise(SIGKILL);
                return 0;
        default:
                memset(flood, '{', sizeof(flood));
                for (;;)
                        if (probe_write_all(out_fd, flood, sizeof(flood)) < 0)
                                return 0;
        }
}

static size_t count(const char *text, const char *part)
{
        size_t n = 0;

        while ((text = strstr(text, part))) {
                n++;
                text++;
        }
        return n;
}

/* Reads until the text has so many lines that say "over", or WAIT_S have passed. */
static void read_overs(int fd, char *text, size_t size, size_t overs)
{
        size_t len = strlen(text);
        ssize_t n;

        while (count(text, "\"type\":\"over\"") < overs && len + 1 < size && (n = recv(fd, text + len, size - len - 1, 0)) > 0) {
                len += (size_t)n;
                text[len] = '\0';
        }
}

static void test_one_hangs(void **state UNUSED)
{
        const struct timeval patience = { .tv_sec = WAIT_S };
        char text[4096] = "";
        const char *p;
        int fd[2], status, hung, seven = 7;
        pid_t pid;

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
        assert_int_equal(setsockopt(fd[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
        /* Orphans come to us: the hanging one is waited for below. */
        assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                const struct probe_job job = { .run = run, .data = &seven };

                close(fd[0]);
                signal(SIGPIPE, SIG_IGN);
                _exit(probe_several(&job, checks, ARRAY_LEN(checks), fd[1]));
        }
        close(fd[1]);
        read_overs(fd[0], text, sizeof(text), 3);
        assert_non_null(strstr(text, "{\"check\":\"answers\",\"instance\":\"x\"}\n"));
        assert_non_null(strstr(text, "{\"check\":\"answers\",\"type\":\"over\"}\n"));
        assert_non_null(strstr(text, "{\"check\":\"dies\",\"type\":\"over\"}\n"));
        assert_non_null(strstr(text, "{\"check\":\"floods\",\"type\":\"over\"}\n"));
        assert_null(strstr(text, "half"));
        assert_null(strstr(text, "protocol"));
        assert_null(strstr(text, "{{"));
        assert_null(strstr(text, "{\"check\":\"hangs\",\"type\":\"over\"}"));
        p = strstr(text, "{\"check\":\"hangs\",\"type\":\"pid\",\"pid\":");
        assert_non_null(p);
        assert_int_equal(sscanf(strstr(p, "\"pid\":"), "\"pid\":%d", &hung), 1);
        assert_true(hung > 1 && kill(hung, 0) == 0);
        close(fd[0]);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 3);
        assert_int_equal(waitpid(hung, &status, 0), hung);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_one_hangs),
        };

        return cmocka_run_group_tests_name("probe_several", tests, NULL, NULL);
}
