/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* veille-notify --serve: waits on RUN/notify.sock and starts a veille-notify for each connection, from the copy in memory. It is
 * there before it is needed, and runs from the copy itself: on a host whose root disk is gone PID 1 may hang in a write, or may not
 * be able to start anything. So the way of every day is the way of the last day. */

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>

#include "common_life.h"
#include "common_socket.h"
#include "notify.h"

#define CHILDREN_MAX 32

static pid_t children[CHILDREN_MAX];
static size_t n_children;

static void on_child(int number UNUSED)
{
}

/* Whatever a script has left behind ends with it. */
static void reap(void)
{
        for (size_t i = 0; i < n_children;) {
                pid_t r = waitpid(children[i], NULL, WNOHANG);

                if (r == 0) {
                        i++;
                        continue;
                }
                kill(-children[i], SIGKILL);
                children[i] = children[--n_children];
        }
}

static int spawn(char *const argv[], int fd, pid_t *ret)
{
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attr;
        sigset_t none, defaults;
        int r;

        sigemptyset(&none);
        sigemptyset(&defaults);
        sigaddset(&defaults, SIGPIPE);
        sigaddset(&defaults, SIGCHLD);
        posix_spawnattr_init(&attr);
        posix_spawnattr_setsigmask(&attr, &none);
        posix_spawnattr_setsigdefault(&attr, &defaults);
        posix_spawnattr_setpgroup(&attr, 0);
        posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, fd, 0);
        posix_spawn_file_actions_adddup2(&actions, fd, 1);
        r = posix_spawn(ret, argv[0], &actions, &attr, argv, environ);
        posix_spawn_file_actions_destroy(&actions);
        posix_spawnattr_destroy(&attr);
        return -r;
}

static void serve_one(const char *life, int fd)
{
        char *own[] = { (char *)"/proc/self/exe", (char *)"--life", (char *)life, NULL };
        struct life_command command;
        pid_t pid = 0;
        int r = -ENOENT;

        if (life_command(life, "veille-notify", NULL, &command))
                r = spawn(command.argv, fd, &pid);
        if (r < 0 && !getenv("VEILLE_FROM_COPY")) /* else /proc/self/exe is the loader */
                r = spawn(own, fd, &pid);
        if (r < 0) {
                dprintf(fd, "{\"ok\":false,\"permanent\":false,\"error\":\"veille-notify cannot be started: %s\"}\n", strerror(-r));
                return;
        }
        children[n_children++] = pid;
}

/* From the disk into the copy: then no page of this program is ever read from the disk again. */
static void move_to_copy(const char *run, const char *life)
{
        char *words[] = { (char *)"--serve", (char *)"--run", (char *)run, NULL };
        struct life_command command;

        if (getenv("VEILLE_FROM_COPY") || !life_command(life, "veille-notify", words, &command))
                return;
        setenv("VEILLE_FROM_COPY", "1", 1);
        execv(command.argv[0], command.argv);
        fprintf(stderr, "<4>veille-notify: %s: %s; runs from the disk\n", command.argv[0], strerror(errno));
        unsetenv("VEILLE_FROM_COPY");
}

static int listen_socket(const char *run)
{
        char path[4096];
        int n = sd_listen_fds(1);

        if (n == 1)
                return SD_LISTEN_FDS_START;
        snprintf(path, sizeof(path), "%s/notify.sock", run);
        return n < 0 ? n : socket_listen_unix(path, 0660, CHILDREN_MAX);
}

int notify_serve(const char *run, const char *life)
{
        const struct sigaction action = { .sa_handler = on_child, .sa_flags = SA_NOCLDSTOP };
        int fd;

        move_to_copy(run, life);
        fd = listen_socket(run);
        if (fd < 0) {
                fprintf(stderr, "<3>veille-notify: %s/notify.sock: %s\n", run, strerror(-fd));
                return 1;
        }
        sigaction(SIGCHLD, &action, NULL);
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
        for (;;) {
                /* The second is for a SIGCHLD that came just before poll(). */
                struct pollfd p = { .fd = n_children < CHILDREN_MAX ? fd : -1, .events = POLLIN };
                int ready = poll(&p, 1, n_children ? 1000 : -1), client;

                reap();
                if (ready < 1)
                        continue;
                client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
                if (client >= 0) {
                        serve_one(life, client);
                        close(client);
                } else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
                        poll(NULL, 0, 1000); /* no descriptor, no memory: not in a circle */
                }
        }
}
