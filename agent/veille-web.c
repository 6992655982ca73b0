/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* veille-web: /metrics for Prometheus, /healthz, /status.json and the status page, out of the files the brain and the store
 * leave in RUN. Started by systemd (Type=notify) or by hand. Fatal: a config that cannot be read or is unsafe, an address
 * that cannot be had. Everything else is shown as unknown, with the reason, and looked at anew with the next request. */

#include <errno.h>
#include <malloc.h>
#include <math.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common_run.h"
#include "options.h"
#include "web.h"

#define TEXTFILE_EVERY_S 30
#define WATCH_EVERY_S 30 /* RUN that was not there, or was made anew */

struct loop {
        int epoll_fd, signal_fd, inotify_fd, watch;
        double textfile_next, watch_next;
        struct web_server *server;
};

struct options {
        struct common_options common;
        const char *listen;
};

static const struct option_row own_options[] = {
        { "listen", "LIST", "addresses, instead of [web] listen", offsetof(struct options, listen) },
        { 0 },
};

static const struct program program = {
        .name = "veille-web",
        .summary = "serves what the brain found: status page, metrics, health",
        .options = own_options,
        .notes = "Section [web] of the configuration is read; --state and --root are not used here.\n\n"
                 "  /               status page       /metrics       Prometheus 0.0.4 or OpenMetrics 1.0, by Accept\n"
                 "  /status.json    for programs      /healthz       200, or 503 while the brain is silent\n\n"
                 "Anything but a loopback address needs TLS and a token. SIGHUP reads the configuration anew, SIGTERM ends.\n",
};

/* A drop-in on the command line: checked like what a file says. */
static int override_listen(struct web_settings *s, const char *list, struct errinfo *err)
{
        _cleanup_free_ char *copy = strdup(list);
        char *save = NULL;

        s->n_listen = 0;
        for (char *word = strtok_r(copy, " ,", &save); word; word = strtok_r(NULL, " ,", &save)) {
                int r;

                if (s->n_listen == WEB_LISTEN_MAX)
                        return err_set(err, -EINVAL, "--listen: more than %d addresses", WEB_LISTEN_MAX);
                r = web_listen_parse(word, &s->listen[s->n_listen++], err);
                if (r < 0)
                        return r;
        }
        return web_settings_check(s, err);
}

static int read_settings(const struct options *o, struct web_settings *ret)
{
        struct config_errors errors = { 0 };
        struct config *config = NULL;
        struct errinfo err = { 0 };
        int r = config_load(o->common.config, &config, &errors);

        for (size_t i = 0; i < errors.n; i++)
                fprintf(stderr, "%s\n", errors.text[i]);
        config_errors_done(&errors);
        if (r < 0)
                return r;
        r = web_settings_read(config, ret, &err);
        config_free(config);
        if (r >= 0 && o->listen) {
                r = override_listen(ret, o->listen, &err);
                if (r < 0)
                        web_settings_done(ret);
        }
        if (r < 0)
                fprintf(stderr, "veille-web: %s\n", err.text);
        return r;
}

/* To systemd, where it started us. */
static void notify(const char *text)
{
        const char *path = getenv("NOTIFY_SOCKET");
        struct sockaddr_un sa = { .sun_family = AF_UNIX };
        _cleanup_close_ int fd = -1;

        if (!path || (*path != '/' && *path != '@') || strlen(path) >= sizeof(sa.sun_path))
                return;
        strcpy(sa.sun_path, path);
        if (*path == '@')
                sa.sun_path[0] = '\0';
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd >= 0 && sendto(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *)&sa,
                              (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path))) < 0)
                web_log("cannot tell systemd: %s", strerror(errno));
}

static int add_fd(struct loop *l, int fd)
{
        struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

        return fd < 0 || epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? neg_errno() : 0;
}

static int loop_setup(struct loop *l)
{
        sigset_t mask;
        int r;

        sigemptyset(&mask);
        sigaddset(&mask, SIGTERM);
        sigaddset(&mask, SIGINT);
        sigaddset(&mask, SIGHUP);
        sigprocmask(SIG_BLOCK, &mask, NULL);
        signal(SIGPIPE, SIG_IGN);
        l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        l->signal_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
        l->inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        l->watch = -1;
        r = l->epoll_fd < 0 ? neg_errno() : add_fd(l, l->signal_fd);
        return r < 0 ? r : add_fd(l, l->inotify_fd);
}

/* Changed files are read shortly before somebody is to ask: a scrape then finds the answer ready. Should the watch miss a
 * change, the scrape sees it by itself. */
static void watch(struct loop *l, const struct web *w, double now)
{
        if (now < l->watch_next)
                return;
        l->watch_next = now + WATCH_EVERY_S;
        l->watch = inotify_add_watch(l->inotify_fd, w->run, IN_MOVED_TO | IN_ONLYDIR);
}

static bool drain_inotify(int fd)
{
        char buf[4096] __attribute__((aligned(8)));
        bool any = false;

        while (read(fd, buf, sizeof(buf)) > 0)
                any = true;
        return any;
}

/* The signal that ends the loop, or 0. */
static int take_signal(int fd)
{
        struct signalfd_siginfo si;

        return read(fd, &si, sizeof(si)) == sizeof(si) ? (int)si.ssi_signo : 0;
}

static int loop_timeout(struct loop *l, const struct web *w, double now, double prepare)
{
        int server = web_server_timeout(l->server);
        double until = fmin(prepare, l->watch < 0 || w->settings.textfile ? l->watch_next : INFINITY);

        if (w->settings.textfile)
                until = fmin(until, l->textfile_next);
        if (isinf(until))
                return server;
        until = fmin(fmax(0, ceil((until - now) * 1000)), 3600 * 1000);
        return server < 0 ? (int)until : (int)fmin(server, until);
}

static int loop_run(struct loop *l, struct web *w)
{
        for (;;) {
                struct epoll_event events[8];
                double now = web_boot(), prepare = web_metrics_next(w, now);
                int n;

                watch(l, w, now);
                if (w->settings.textfile && now >= l->textfile_next) {
                        web_textfile_write(w, now);
                        l->textfile_next = now + TEXTFILE_EVERY_S;
                }
                n = epoll_wait(l->epoll_fd, events, ARRAY_LEN(events), loop_timeout(l, w, now, prepare));
                if (n < 0 && errno != EINTR)
                        return neg_errno();
                web_server_run(l->server);
                for (int i = 0; i < n; i++)
                        if (events[i].data.fd == l->signal_fd) {
                                int signal_number = take_signal(l->signal_fd);

                                if (signal_number)
                                        return signal_number;
                        }
                if (drain_inotify(l->inotify_fd) || web_boot() >= prepare)
                        web_metrics_refresh(w, web_boot());
        }
}

/* A new configuration, certificate or key: the program starts itself anew in the same process, if the new settings are
 * good. Sockets close for a moment; who asks tries again. */
static int reload(const struct options *o, char *argv[])
{
        struct web_settings settings;
        char text[96];
        sigset_t none;

        if (read_settings(o, &settings) < 0) {
                web_log("SIGHUP: the old settings stay in force");
                return 0;
        }
        web_settings_done(&settings);
        snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%.0f", web_boot() * 1e6);
        notify(text);
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        execv("/proc/self/exe", argv);
        return neg_errno();
}

static int run(struct loop *l, struct web *w, const struct options *o, char *argv[])
{
        struct errinfo err = { 0 };
        int r = loop_setup(l);

        if (r >= 0)
                r = web_server_start(w, l->epoll_fd, &l->server, &err);
        if (r < 0) {
                fprintf(stderr, "veille-web: %s\n", *err.text ? err.text : strerror(-r));
                return r;
        }
        /* The page must come when the root disk does not; only what was touched stays in memory. */
        if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) < 0)
                web_log("memory is not locked (%s): a dying root disk may stop the page", strerror(errno));
        notify("READY=1");
        do
                r = loop_run(l, w);
        while (r == SIGHUP && reload(o, argv) == 0);
        notify("STOPPING=1");
        if (r > 0)
                web_textfile_remove(w);
        return r;
}

int main(int argc, char *argv[])
{
        struct loop loop = { .epoll_fd = -1, .signal_fd = -1, .inotify_fd = -1 };
        struct web w = { .run_fd = -1 };
        struct options options = { .common = COMMON_OPTIONS_DEFAULT };
        _cleanup_free_ char **again = calloc((size_t)argc + 1, sizeof(*again)); /* options are taken out of argv */
        int r;

        if (!again)
                abort();
        memcpy(again, argv, (size_t)(argc + 1) * sizeof(*argv));
        r = program_start(&program, &options.common, &options, &argc, argv, stdout, stderr);
        if (r <= 0)
                return r == 0 ? 0 : 3;
        /* Large texts come and go with every change of a file: in pages of their own they leave no holes. */
        mallopt(M_MMAP_THRESHOLD, 64 * 1024);
        mallopt(M_ARENA_MAX, 1);
        /* Unset, glibc looks at the file on the root disk again at every conversion. */
        setenv("TZ", ":/etc/localtime", 0);
        umask(0027);
        w.config = options.common.config;
        w.run = options.common.run;
        w.started_wall = web_wall();
        run_host_name(w.host, sizeof(w.host));
        if (read_settings(&options, &w.settings) < 0)
                return 1;
        r = run(&loop, &w, &options, again);
        web_server_stop(loop.server);
        web_metrics_free(&w);
        web_blob_unref(w.page);
        web_settings_done(&w.settings);
        if (w.run_fd >= 0)
                close(w.run_fd);
        return r < 0 ? 1 : 0;
}
