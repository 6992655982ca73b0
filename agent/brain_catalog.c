/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The catalogue: what veille-probe can measure and how it is judged by default, with the changes of the
 * config applied. Read at start and at reload; the only time the brain waits for a child, with a deadline. */

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include "brain.h"
#include "plugin_config.h"
#include "rule_config.h"

#define CATALOG_MAX (4 * 1024 * 1024)
#define CATALOG_WAIT_MS 10000

static int spawn_catalog(const struct brain *b, pid_t *ret_pid)
{
        char *argv[] = { (char *)b->probe, (char *)"catalog", (char *)"--root",  (char *)b->options.root, (char *)"--config",
                         (char *)b->options.config, NULL };
        posix_spawn_file_actions_t actions;
        int p[2], r;

        if (pipe2(p, O_CLOEXEC) < 0)
                return neg_errno();
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, p[1], 1);
        r = posix_spawn(ret_pid, b->probe, &actions, NULL, argv, environ);
        posix_spawn_file_actions_destroy(&actions);
        close(p[1]);
        if (r != 0) {
                close(p[0]);
                return -r;
        }
        return p[0];
}

static int read_catalog(struct brain *b, char **ret, size_t *ret_len, struct errinfo *err)
{
        _cleanup_free_ char *buf = malloc(CATALOG_MAX);
        int64_t end = brain_now_us() + CATALOG_WAIT_MS * USEC_PER_MSEC;
        _cleanup_close_ int fd = -1;
        size_t len = 0;
        pid_t pid = 0;
        int status;

        if (!buf)
                return -ENOMEM;
        fd = spawn_catalog(b, &pid);
        if (fd < 0)
                return err_set(err, fd, "%s catalog: %s", b->probe, strerror(-fd));
        for (;;) {
                struct pollfd p = { .fd = fd, .events = POLLIN };
                int64_t left = (end - brain_now_us()) / USEC_PER_MSEC;
                ssize_t n = -1;

                if (left > 0 && poll(&p, 1, (int)left) == 1)
                        n = read(fd, buf + len, CATALOG_MAX - len);
                if (n == 0)
                        break;
                if (n < 0 || len + (size_t)n == CATALOG_MAX) {
                        kill(pid, SIGKILL);
                        waitpid(pid, NULL, WNOHANG);
                        return err_set(err, -ETIME, "%s catalog: no end within %d s", b->probe, CATALOG_WAIT_MS / 1000);
                }
                len += (size_t)n;
        }
        if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
                return err_set(err, -EIO, "%s catalog: it failed", b->probe);
        *ret = take_ptr(buf);
        *ret_len = len;
        return 0;
}

int brain_catalog_read(struct brain *b, const struct config *config, struct catalog *ret, struct errinfo *err)
{
        _cleanup_free_ char *text = NULL;
        struct catalog catalog;
        json_error_t error;
        json_t *doc;
        size_t len = 0;
        int r;

        r = read_catalog(b, &text, &len, err);
        if (r < 0)
                return r;
        doc = json_loadb(text, len, 0, &error);
        if (!doc)
                return err_set(err, -EPROTO, "%s catalog: %s", b->probe, error.text);
        r = catalog_from_json(doc, &catalog, err);
        json_decref(doc);
        if (r < 0)
                return r == -EINVAL ? -EPROTO : r;
        r = plugin_config_check(config, &catalog, err);
        if (r >= 0)
                r = catalog_check_names(config, &catalog, err);
        for (size_t i = 0; r >= 0 && i < catalog.n_checks; i++) {
                struct check_desc *c = &catalog.checks[i];

                if (config_is_set(config, "check", c->name, "interval"))
                        c->interval_s = (int)config_int(config, "check", c->name, "interval");
                /* What is allowed to sleep for that long must not count as silent. */
                if (probe_can_sleep(c) && config_is_set(config, "check", c->name, "wake_after"))
                        c->max_age_s = (int)config_int(config, "check", c->name, "wake_after") + 2 * c->interval_s + c->deadline_s;
                for (size_t k = 0; r >= 0 && k < c->n_rules; k++)
                        r = rule_configure((struct rule *)&c->rules[k], config, err);
        }
        if (r < 0) {
                catalog_done(&catalog);
                return r;
        }
        *ret = catalog;
        return 0;
}
