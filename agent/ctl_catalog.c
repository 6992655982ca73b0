/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Asks veille-probe for its catalogue, as the brain does; without a probe the running brain's copy serves. */

#include "ctl_catalog.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>

#define CATALOG_MAX (4 * 1024 * 1024)
#define WAIT_S 10

/* Beside our own file (a built tree), or in ../sbin of it (installed). */
static bool find_probe(char *path, size_t size)
{
        static const char *const places[] = { "veille-probe", "../sbin/veille-probe" };
        char self[2048], *slash;
        ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

        self[MAX(n, 0)] = '\0';
        slash = strrchr(self, '/');
        if (!slash)
                return false;
        *slash = '\0';
        for (size_t i = 0; i < ARRAY_LEN(places); i++) {
                snprintf(path, size, "%s/%s", self, places[i]);
                if (access(path, X_OK) == 0)
                        return true;
        }
        return false;
}

static int64_t now_ms(void)
{
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Everything up to the end, or to the deadline. */
static int read_all(int fd, char **ret, size_t *ret_len)
{
        _cleanup_free_ char *buf = malloc(CATALOG_MAX);
        int64_t end = now_ms() + WAIT_S * 1000;
        size_t len = 0;

        if (!buf)
                abort();
        for (;;) {
                struct pollfd p = { .fd = fd, .events = POLLIN };
                int64_t left = end - now_ms();
                ssize_t n;

                if (left <= 0 || poll(&p, 1, (int)left) != 1)
                        return -ETIME;
                n = read(fd, buf + len, CATALOG_MAX - len);
                if (n < 0)
                        return neg_errno();
                if (n == 0)
                        break;
                len += (size_t)n;
                if (len == CATALOG_MAX)
                        return -EFBIG;
        }
        *ret = take_ptr(buf);
        *ret_len = len;
        return 0;
}

static int ask_probe(const struct common_options *options, const char *probe, char **ret, size_t *ret_len)
{
        char *argv[] = { (char *)probe, (char *)"catalog", (char *)"--root",  (char *)options->root, (char *)"--config",
                         (char *)options->config, NULL };
        posix_spawn_file_actions_t actions;
        int p[2], r, status;
        pid_t pid;

        if (pipe2(p, O_CLOEXEC) < 0)
                return neg_errno();
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, p[1], 1);
        r = -posix_spawn(&pid, probe, &actions, NULL, argv, environ);
        posix_spawn_file_actions_destroy(&actions);
        close(p[1]);
        if (r == 0) {
                r = read_all(p[0], ret, ret_len);
                if (r < 0)
                        kill(pid, SIGKILL);
                waitpid(pid, &status, 0);
                if (r == 0 && (!WIFEXITED(status) || WEXITSTATUS(status) != 0)) {
                        free(*ret);
                        *ret = NULL; /* the caller frees it, too */
                        r = -EIO;
                }
        }
        close(p[0]);
        return r;
}

static int read_published(const struct common_options *options, char **ret, size_t *ret_len, struct errinfo *err)
{
        _cleanup_close_ int fd = -1;
        char path[4096];
        int r;

        snprintf(path, sizeof(path), "%s/catalog.json", options->run);
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (fd < 0)
                return err_set(err, neg_errno(), "there is no veille-probe beside this program, and %s: %s", path, strerror(errno));
        r = read_all(fd, ret, ret_len);
        return r < 0 ? err_set(err, r, "%s: %s", path, strerror(-r)) : 0;
}

int ctl_catalog_load(const struct common_options *options, struct catalog *ret, struct errinfo *err)
{
        _cleanup_free_ char *text = NULL;
        char probe[4096];
        json_error_t error;
        size_t len = 0;
        json_t *doc;
        int r;

        if (find_probe(probe, sizeof(probe))) {
                r = ask_probe(options, probe, &text, &len);
                if (r < 0)
                        return err_set(err, r, "%s catalog: %s", probe, strerror(-r));
        } else {
                r = read_published(options, &text, &len, err);
                if (r < 0)
                        return r;
        }
        doc = json_loadb(text, len, 0, &error);
        if (!doc)
                return err_set(err, -EINVAL, "the catalogue is damaged: %s", error.text);
        r = catalog_from_json(doc, ret, err);
        json_decref(doc);
        return r;
}
