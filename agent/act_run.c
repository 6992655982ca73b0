/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* One hook, from its start until nothing of it is left: its own pipes and process group, SIGTERM at the deadline, then SIGKILL.
 * We are the subreaper: what forks and leaves its group becomes our child when its parent dies, and is found in /proc. */

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "act.h"
#include "common_clock.h"

#define TERM_US (3 * USEC_PER_SEC)  /* between SIGTERM and SIGKILL */
#define SWEEP_US (3 * USEC_PER_SEC) /* for what SIGKILL does not end at once */

struct run {
        pid_t pid;
        bool ended, reaped; /* it is not reaped before its group is ended: its number must not be another's */
        int status;
        int in, out;
        const char *text;
        size_t len, sent;
        struct act_result *result;
};

static void close_fd(int *fd)
{
        if (*fd >= 0)
                close(take_fd(fd));
}

/* No signal is blocked or ignored in it, whatever it is with us. */
static void fresh_signals(posix_spawnattr_t *attr)
{
        sigset_t none, all;

        sigemptyset(&none);
        sigfillset(&all);
        posix_spawnattr_init(attr);
        posix_spawnattr_setsigmask(attr, &none);
        posix_spawnattr_setsigdefault(attr, &all);
        posix_spawnattr_setflags(attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

static int start(struct run *run, const char *path, char *const env[])
{
        char *argv[] = { (char *)path, NULL };
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attr;
        int in[2] = { -1, -1 }, out[2] = { -1, -1 }, r;

        if (pipe2(in, O_CLOEXEC) < 0)
                return neg_errno();
        if (pipe2(out, O_CLOEXEC) < 0) {
                r = neg_errno();
                close(in[0]);
                close(in[1]);
                return r;
        }
        run->in = in[1];
        run->out = out[0];
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, in[0], 0);
        posix_spawn_file_actions_adddup2(&actions, out[1], 1);
        posix_spawn_file_actions_adddup2(&actions, out[1], 2);
        fresh_signals(&attr);
        r = posix_spawn(&run->pid, path, &actions, &attr, argv, env);
        posix_spawnattr_destroy(&attr);
        posix_spawn_file_actions_destroy(&actions);
        close(in[0]);
        close(out[1]);
        if (r != 0)
                run->pid = 0;
        fcntl(run->in, F_SETFL, O_NONBLOCK);
        fcntl(run->out, F_SETFL, O_NONBLOCK);
        return -r;
}

static void feed(struct run *run)
{
        ssize_t w = write(run->in, run->text + run->sent, run->len - run->sent);

        if (w > 0)
                run->sent += (size_t)w;
        if ((w < 0 && errno != EAGAIN && errno != EINTR) || run->sent == run->len)
                close_fd(&run->in);
}

/* False: nothing is there now. The first 64 KiB are kept, the rest is read away. */
static bool drain(struct run *run)
{
        static char buf[64 * 1024];
        ssize_t r = read(run->out, buf, sizeof(buf));

        if (r > 0) {
                size_t keep = MIN((size_t)r, ACT_OUTPUT_MAX - run->result->kept);

                memcpy(run->result->output + run->result->kept, buf, keep);
                run->result->kept += keep;
                run->result->bytes += (uint64_t)r;
                return true;
        }
        if (r == 0 || (errno != EAGAIN && errno != EINTR))
                close_fd(&run->out);
        return false;
}

/* Gives it its input and takes what it says, until it has ended or that time. A child of it that holds the pipe open is not waited for. */
static void look_after(struct run *run, int64_t until_us)
{
        while (!run->ended && clock_boot_us() < until_us) {
                siginfo_t si = { .si_pid = 0 };
                struct pollfd p[2] = { { .fd = run->in, .events = POLLOUT }, { .fd = run->out, .events = POLLIN } };

                if (waitid(P_PID, (id_t)run->pid, &si, WEXITED | WNOHANG | WNOWAIT) == 0 && si.si_pid == run->pid) {
                        run->ended = true;
                        break;
                }
                poll(p, 2, 20);
                if (p[0].revents)
                        feed(run);
                if (p[1].revents)
                        drain(run);
        }
}

/* SIGKILL for each child of ours; how many there are. */
static unsigned kill_children(void)
{
        char path[64];
        unsigned n = 0;
        int pid;

        snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
        _cleanup_fclose_ FILE *f = fopen(path, "re");

        while (f && fscanf(f, "%d", &pid) == 1 && pid > 1) {
                kill(pid, SIGKILL);
                n++;
        }
        return n;
}

/* All that is left of it: its group, and what had left it. */
static void sweep(struct run *run, pid_t group)
{
        int64_t until = clock_boot_us() + SWEEP_US;
        pid_t pid;
        int status;

        kill(-group, SIGKILL);
        do {
                run->result->left = kill_children();
                usleep(2000);
                while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
                        if (pid == run->pid) {
                                run->reaped = true;
                                run->status = status;
                        } else {
                                run->result->swept++;
                        }
                }
        } while (run->result->left > 0 && clock_boot_us() < until);
        /* What it said last; nobody is left to say more, or hangs and does not. */
        for (int i = 0; i < 32 && run->out >= 0 && drain(run); i++)
                ;
}

static void conclude(struct run *run, bool late)
{
        struct act_result *t = run->result;

        t->status = run->reaped && WIFEXITED(run->status) ? WEXITSTATUS(run->status) : -1;
        t->signal = run->reaped && WIFSIGNALED(run->status) ? WTERMSIG(run->status) : 0;
        t->outcome = late ? "deadline" : t->signal ? "killed" : "exited";
}

void act_run(const char *path, char *const env[], const char *input, int deadline_s, struct act_result *ret)
{
        struct run run = { .in = -1, .out = -1, .text = input, .len = strlen(input), .result = ret };
        int64_t begin = clock_boot_us(), until = begin + deadline_s * USEC_PER_SEC;
        pid_t group;
        bool late;
        int r;

        memset(ret, 0, offsetof(struct act_result, output));
        ret->kept = 0;
        prctl(PR_SET_CHILD_SUBREAPER, 1);
        r = start(&run, path, env);
        if (r < 0) {
                ret->outcome = "failed";
                ret->status = -1;
                ret->kept = (size_t)snprintf(ret->output, sizeof(ret->output), "%s: %s", path, strerror(-r));
        } else {
                group = run.pid;
                look_after(&run, until);
                late = !run.ended;
                if (late) {
                        kill(-group, SIGTERM);
                        look_after(&run, clock_boot_us() + TERM_US);
                }
                sweep(&run, group);
                conclude(&run, late);
        }
        close_fd(&run.in);
        close_fd(&run.out);
        ret->output[ret->kept] = '\0';
        ret->seconds = (double)(clock_boot_us() - begin) / USEC_PER_SEC;
}
