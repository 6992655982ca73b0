/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The eye inside a lab machine: tells the host on standard output, each line with the guest's CLOCK_BOOTTIME, what happens
 * as it happens. K: a line of the kernel's log. S: veilled published its status. A file of /run/peers grew by a line: P NAME.
 * A line that comes in on standard input is answered by T, so that the host can ask what time it is in here; if it names a check,
 * then veille and smartd are told at that moment to look. */

#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define PEERS "/run/peers"
#define RUN "/run/veille"
#define PEERS_MAX 16

struct peer {
        char name[64];
        FILE *f;
};

static struct peer peers[PEERS_MAX];
static size_t n_peers;

static double now(void)
{
        struct timespec ts;

        clock_gettime(CLOCK_BOOTTIME, &ts);
        return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void say(double when, const char *kind, const char *text)
{
        printf("%.3f %s %s\n", when, kind, text);
}

static void tell_status(void)
{
        char buf[1 << 17];
        double when = now();
        FILE *f = fopen(RUN "/status.json", "r");

        if (!f)
                return;
        if (fgets(buf, sizeof(buf), f)) {
                buf[strcspn(buf, "\n")] = '\0';
                say(when, "S", buf);
        }
        fclose(f);
}

static void tell_kernel(int fd)
{
        char buf[8192];
        ssize_t n;

        while ((n = read(fd, buf, sizeof(buf) - 1)) > 0 || (n < 0 && errno == EPIPE)) {
                char *text;

                if (n < 0)
                        continue;
                buf[n] = '\0';
                text = strchr(buf, ';');
                if (!text)
                        continue;
                text[1 + strcspn(text + 1, "\n")] = '\0';
                say(now(), "K", text + 1); /* its own stamps are of another clock, which drifts from this */
        }
}

static struct peer *peer_of(const char *name)
{
        char path[300];

        for (size_t i = 0; i < n_peers; i++)
                if (strcmp(peers[i].name, name) == 0)
                        return &peers[i];
        if (n_peers == PEERS_MAX || strlen(name) >= sizeof(peers[0].name) || *name == '.')
                return NULL;
        snprintf(path, sizeof(path), PEERS "/%s", name);
        peers[n_peers].f = fopen(path, "r");
        if (!peers[n_peers].f)
                return NULL;
        strcpy(peers[n_peers].name, name);
        return &peers[n_peers++];
}

static void tell_peer(const char *name)
{
        struct peer *p = peer_of(name);
        char line[4096], kind[80];
        double when = now();
        long at;

        if (!p)
                return;
        snprintf(kind, sizeof(kind), "P %s", p->name);
        clearerr(p->f);
        while (at = ftell(p->f), fgets(line, sizeof(line), p->f)) {
                size_t len = strcspn(line, "\n");

                if (line[len] != '\n' && len + 1 < sizeof(line)) { /* the rest of it is not written yet */
                        fseek(p->f, at, SEEK_SET);
                        break;
                }
                line[len] = '\0';
                say(when, kind, line);
        }
}

static void on_inotify(int fd, int run_wd)
{
        char buf[8192] __attribute__((aligned(__alignof__(struct inotify_event))));
        ssize_t n = read(fd, buf, sizeof(buf));

        for (char *p = buf; n > 0 && p < buf + n;) {
                const struct inotify_event *e = (const void *)p;

                if (e->wd != run_wd && e->len)
                        tell_peer(e->name);
                else if (e->len && strcmp(e->name, "status.json") == 0)
                        tell_status();
                p += sizeof(*e) + e->len;
        }
}

static int veille_connect(void)
{
        struct sockaddr_un sa = { .sun_family = AF_UNIX, .sun_path = RUN "/control.sock" };
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (fd >= 0 && connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0)
                return fd;
        close(fd);
        return -1;
}

/* Both are told by one process, in the same moment: their times can be compared. */
static void look(const char *check)
{
        char request[128];
        FILE *f = fopen("/run/peer-smartd.pid", "r");
        int pid = 0, fd, n;

        if (f) {
                if (fscanf(f, "%d", &pid) != 1)
                        pid = 0;
                fclose(f);
        }
        fd = veille_connect();
        say(now(), "T", check);
        if (pid > 1)
                kill(pid, SIGUSR1);
        if (fd < 0)
                return;
        n = snprintf(request, sizeof(request), "{\"cmd\":\"poll\",\"check\":\"%.60s\"}\n", check);
        if (write(fd, request, (size_t)n) == n && poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, 5000) == 1)
                n = (int)read(fd, request, sizeof(request));
        close(fd);
}

static void answer(char *line)
{
        line[strcspn(line, "\r")] = '\0';
        if (*line)
                look(line);
        else
                say(now(), "T", "");
}

static int on_question(void)
{
        static char buf[256];
        static size_t len;
        ssize_t n = read(STDIN_FILENO, buf + len, sizeof(buf) - 1 - len);
        char *nl;

        if (n <= 0)
                return -1;
        len += (size_t)n;
        while ((nl = memchr(buf, '\n', len))) {
                *nl = '\0';
                answer(buf);
                len -= (size_t)(nl + 1 - buf);
                memmove(buf, nl + 1, len);
        }
        if (len == sizeof(buf) - 1)
                len = 0;
        return 0;
}

int main(void)
{
        int in = inotify_init1(IN_CLOEXEC), run_wd;
        struct pollfd p[3] = { { .fd = in, .events = POLLIN }, { .events = POLLIN }, { .fd = STDIN_FILENO, .events = POLLIN } };

        mkdir(RUN, 0751);
        mkdir(PEERS, 0755);
        run_wd = inotify_add_watch(in, RUN, IN_MOVED_TO);
        inotify_add_watch(in, PEERS, IN_MODIFY);
        p[1].fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        if (in < 0 || run_wd < 0 || p[1].fd < 0)
                return 1;
        setvbuf(stdout, NULL, _IOFBF, 1 << 18);
        for (;;) {
                if (poll(p, 3, -1) < 0)
                        continue;
                if (p[1].revents)
                        tell_kernel(p[1].fd);
                if (p[0].revents)
                        on_inotify(in, run_wd);
                if (p[2].revents && on_question() < 0)
                        p[2].fd = -1;
                fflush(stdout);
        }
}
