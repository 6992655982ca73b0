/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The catalogue: what veille-probe can measure and how it is judged by default, with the changes of the
 * config applied. Asked for at start and at reload. The probe asks the plugins for theirs, which may take them seconds: the loop
 * goes on meanwhile. */

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include "alert_config.h"
#include "brain.h"
#include "hook_plan.h"
#include "peer_config.h"
#include "plugin_config.h"
#include "rule_config.h"

#define CATALOG_MAX (4 * 1024 * 1024)
#define CATALOG_WAIT_S 10
#define READ_SIZE 65536

struct catalog_request {
        struct brain *b;
        const struct config *config; /* borrowed until done is called */
        brain_catalog_fn done;       /* NULL: has been called, or nobody wants to know any more */
        pid_t pid;                   /* 0: reaped */
        int fd;
        bool failed;
        sd_event_source *io, *timer, *child;
        char *buf;
        size_t len, size;
        struct catalog_request *next; /* of the forgotten */
};

static struct catalog_request *forgotten; /* killed; their children are still to be reaped */

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

/* What came, with the changes of the config applied. */
static int take_catalog(const struct brain *b, const struct config *config, const char *text, size_t len, struct catalog *ret, struct errinfo *err)
{
        struct catalog catalog;
        json_error_t error;
        json_t *doc = json_loadb(text, len, 0, &error);
        int r;

        if (!doc)
                return err_set(err, -EPROTO, "%s catalog: %s", b->probe, error.text);
        r = catalog_from_json(doc, &catalog, err);
        json_decref(doc);
        if (r < 0)
                return r == -EINVAL ? -EPROTO : r;
        r = plugin_config_check(config, &catalog, err);
        if (r >= 0)
                r = alert_config_read(config, NULL, err);
        if (r >= 0)
                r = hooks_config_read(config, hooks_role_configured(config), NULL, err);
        if (r >= 0)
                r = peer_config_read(config, NULL, err);
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

static void request_free(struct catalog_request *q)
{
        struct catalog_request **p = &forgotten;

        while (*p && *p != q)
                p = &(*p)->next;
        if (*p)
                *p = q->next;
        sd_event_source_disable_unref(q->io);
        sd_event_source_disable_unref(q->timer);
        sd_event_source_disable_unref(q->child);
        if (q->fd >= 0)
                close(q->fd);
        free(q->buf);
        free(q);
}

/* Tells, once. What is left then is a child to be reaped. */
static void request_over(struct catalog_request *q, int r, struct errinfo *err)
{
        struct catalog catalog = { 0 };

        q->io = sd_event_source_disable_unref(q->io);
        q->timer = sd_event_source_disable_unref(q->timer);
        if (q->pid > 0)
                kill(q->pid, SIGKILL);
        if (!q->done)
                return;
        if (r >= 0)
                r = take_catalog(q->b, q->config, q->buf, q->len, &catalog, err);
        free(take_ptr(q->buf));
        take_ptr(q->done)(q->b, r, &catalog, err);
}

/* Both its output and its exit status are there. */
static void request_look(struct catalog_request *q)
{
        struct errinfo err = { 0 };

        if (q->pid > 0 || (q->io && q->done))
                return;
        if (q->failed)
                request_over(q, err_set(&err, -EIO, "%s catalog: it failed", q->b->probe), &err);
        else
                request_over(q, 0, &err);
        request_free(q);
}

static int on_io(sd_event_source *s UNUSED, int fd, uint32_t revents UNUSED, void *data)
{
        struct catalog_request *q = data;
        struct errinfo err = { 0 };
        ssize_t n;

        if (q->len + READ_SIZE > q->size) {
                char *grown = realloc(q->buf, q->size + READ_SIZE * 4);

                if (!grown)
                        abort();
                q->buf = grown;
                q->size += READ_SIZE * 4;
        }
        n = read(fd, q->buf + q->len, READ_SIZE);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return 0;
        if (n > 0 && q->len + (size_t)n <= CATALOG_MAX) {
                q->len += (size_t)n;
                return 0;
        }
        if (n != 0)
                request_over(q, err_set(&err, -EMSGSIZE, "%s catalog: no end within %d MiB", q->b->probe, CATALOG_MAX >> 20), &err);
        q->io = sd_event_source_disable_unref(q->io);
        request_look(q);
        return 0;
}

static int on_timer(sd_event_source *s UNUSED, uint64_t usec UNUSED, void *data)
{
        struct catalog_request *q = data;
        struct errinfo err = { 0 };

        request_over(q, err_set(&err, -ETIME, "%s catalog: no end within %d s", q->b->probe, CATALOG_WAIT_S), &err);
        return 0;
}

static int on_child(sd_event_source *s UNUSED, const siginfo_t *si, void *data)
{
        struct catalog_request *q = data;

        q->pid = 0;
        q->failed = si->si_code != CLD_EXITED || si->si_status != 0;
        request_look(q);
        return 0;
}

int brain_catalog_ask(struct brain *b, const struct config *config, brain_catalog_fn done, struct catalog_request **ret, struct errinfo *err)
{
        struct catalog_request *q = calloc(1, sizeof(*q));
        int r;

        if (!q)
                abort();
        *q = (struct catalog_request){ .b = b, .config = config, .done = done };
        q->fd = r = spawn_catalog(b, &q->pid);
        if (r >= 0)
                r = sd_event_add_io(b->event, &q->io, q->fd, EPOLLIN, on_io, q);
        if (r >= 0)
                r = sd_event_add_child(b->event, &q->child, q->pid, WEXITED, on_child, q);
        if (r >= 0)
                r = sd_event_add_time_relative(b->event, &q->timer, CLOCK_BOOTTIME, CATALOG_WAIT_S * USEC_PER_SEC, 0, on_timer, q);
        if (r < 0) {
                if (q->pid > 0) {
                        kill(q->pid, SIGKILL);
                        waitpid(q->pid, NULL, WNOHANG);
                }
                request_free(q);
                return err_set(err, r, "%s catalog: %s", b->probe, strerror(-r));
        }
        *ret = q;
        return 0;
}

void brain_catalog_forget(struct catalog_request *q)
{
        struct errinfo none = { 0 };

        q->done = NULL;
        request_over(q, -ECANCELED, &none);
        if (q->pid == 0) {
                request_free(q);
        } else {
                q->next = forgotten;
                forgotten = q;
        }
}

void brain_catalog_stop(void)
{
        while (forgotten)
                request_free(forgotten);
}
