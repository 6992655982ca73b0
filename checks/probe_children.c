/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* One child per instance, each with its own deadline. A child that does not die when killed
 * (a device that hangs in the kernel) is reported as stuck and waited for, so that whoever asked
 * starts no second run on the same device; the others are not held up. */

#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "probe.h"

#define CHILDREN_MAX 8              /* at once; the others wait for a place */
#define OUTPUT_MAX (1024 * 1024)    /* of one child */
#define LINE_MAX_LEN 16384

enum child_state { CHILD_WAITING, CHILD_RUNNING, CHILD_KILLED, CHILD_STUCK, CHILD_DONE };

struct child {
        const char *instance;
        enum child_state state;
        pid_t pid;
        int fd;
        int64_t deadline_ms, killed_ms;
        size_t total, len;
        bool ended; /* printed its end line */
        char line[LINE_MAX_LEN];
};

static int64_t now_ms(void)
{
        struct timespec ts;

        clock_gettime(CLOCK_BOOTTIME, &ts);
        return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

static int write_all(int fd, const char *buf, size_t len)
{
        while (len > 0) {
                ssize_t n = write(fd, buf, len);

                if (n < 0) {
                        if (errno == EINTR)
                                continue;
                        return neg_errno();
                }
                buf += n;
                len -= (size_t)n;
        }
        return 0;
}

static int say(int fd, const struct child *c, bool with_instance, const char *type, const char *result, const char *why)
{
        json_t *line = json_pack("{ss}", "type", type);
        char *text;
        int r;

        if (with_instance)
                json_object_set_new(line, "instance", json_string(c->instance));
        if (result) {
                json_object_set_new(line, "result", json_string(result));
                json_object_set_new(line, "why", json_string(why));
        }
        text = json_dumps(line, JSON_COMPACT);
        json_decref(line);
        if (!text)
                return -ENOMEM;
        r = write_all(fd, text, strlen(text));
        if (r == 0)
                r = write_all(fd, "\n", 1);
        free(text);
        return r;
}

struct batch {
        const struct check *check;
        int (*job)(struct env *env, const struct batch *b, const char *instance, FILE *out); /* in the child; its exit status */
        struct child *children;
        size_t n;
        const struct probe_wish *wishes; /* one per child, or NULL */
        int out_fd;
        bool with_instance;
        int gone; /* negative errno once the other end is closed */
};

static void child_start(struct env *env, const struct batch *b, struct child *c)
{
        int p[2];

        c->fd = -1;
        if (pipe2(p, O_CLOEXEC) < 0) {
                c->state = CHILD_DONE;
                return;
        }
        c->pid = fork();
        if (c->pid == 0) {
                FILE *out = fdopen(p[1], "w");

                setpgid(0, 0);
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                if (!out)
                        _exit(3);
                if (b->wishes) {
                        env->wake = b->wishes[c - b->children].wake;
                        env->selftest = b->wishes[c - b->children].selftest;
                }
                _exit(b->job(env, b, c->instance, out));
        }
        close(p[1]);
        if (c->pid < 0) {
                close(p[0]);
                c->state = CHILD_DONE;
                return;
        }
        setpgid(c->pid, c->pid);
        c->fd = p[0];
        c->state = CHILD_RUNNING;
        c->deadline_ms = now_ms() + b->check->desc.deadline_s * 1000LL;
}

static void child_kill(struct child *c)
{
        kill(-c->pid, SIGKILL);
        kill(c->pid, SIGKILL);
        if (c->fd >= 0)
                close(c->fd);
        c->fd = -1;
        c->state = CHILD_KILLED;
        c->killed_ms = now_ms();
}

/* Relays complete lines. 0, 1 at the end of file, negative errno when the other end is gone; -EFBIG, -EMSGSIZE. */
static int child_relay(struct child *c, int out_fd)
{
        ssize_t n = read(c->fd, c->line + c->len, sizeof(c->line) - c->len);
        char *nl;

        if (n < 0)
                return errno == EINTR || errno == EAGAIN ? 0 : 1;
        if (n == 0)
                return 1;
        c->len += (size_t)n;
        c->total += (size_t)n;
        if (c->total > OUTPUT_MAX)
                return -EFBIG;
        while ((nl = memchr(c->line, '\n', c->len))) {
                size_t len = (size_t)(nl - c->line) + 1;
                int r = write_all(out_fd, c->line, len);

                if (r < 0)
                        return r;
                if (memmem(c->line, len, "\"type\":\"end\"", 12))
                        c->ended = true;
                memmove(c->line, c->line + len, c->len - len);
                c->len -= len;
        }
        return c->len == sizeof(c->line) ? -EMSGSIZE : 0;
}

static void batch_say(struct batch *b, const struct child *c, const char *type, enum result result, const char *fmt, ...)
        PRINTF_LIKE(5, 6);
static void batch_say(struct batch *b, const struct child *c, const char *type, enum result result, const char *fmt, ...)
{
        char why[512];
        va_list ap;
        int r;

        va_start(ap, fmt);
        vsnprintf(why, sizeof(why), fmt, ap);
        va_end(ap);
        if (b->gone)
                return;
        r = say(b->out_fd, c, b->with_instance, type, streq(type, "end") ? result_name(result) : NULL, why);
        if (r < 0)
                b->gone = r;
}

static void child_reap(struct batch *b, struct child *c)
{
        int status;

        if (c->state != CHILD_KILLED && c->state != CHILD_STUCK && c->fd >= 0)
                return;
        if (waitpid(c->pid, &status, WNOHANG) != c->pid) {
                /* Half a second is long for a SIGKILL: it hangs in the kernel. */
                if (c->state == CHILD_KILLED && now_ms() - c->killed_ms > 500) {
                        c->state = CHILD_STUCK;
                        if (b->with_instance)
                                batch_say(b, c, "stuck", RESULT_TIMEOUT, "%s", "");
                }
                return;
        }
        if (!c->ended) {
                if (WIFSIGNALED(status))
                        batch_say(b, c, "end", RESULT_FAILED, "%s %s: the probe was ended by signal %d", b->check->desc.name,
                                  c->instance, WTERMSIG(status));
                else
                        batch_say(b, c, "end", RESULT_FAILED, "%s %s: the probe ended without a result (exit status %d)",
                                  b->check->desc.name, c->instance, WEXITSTATUS(status));
        }
        if (c->state == CHILD_STUCK && b->with_instance)
                batch_say(b, c, "reaped", RESULT_OK, "%s", "");
        c->state = CHILD_DONE;
}

static void child_expire(struct batch *b, struct child *c)
{
        if (c->state != CHILD_RUNNING || now_ms() < c->deadline_ms)
                return;
        child_kill(c);
        if (!c->ended)
                batch_say(b, c, "end", RESULT_TIMEOUT, "%s has not answered for %d s", c->instance, b->check->desc.deadline_s);
        c->ended = true;
}

static void child_read(struct batch *b, struct child *c)
{
        int r = child_relay(c, b->out_fd);

        if (r == 0)
                return;
        if (r == -EFBIG || r == -EMSGSIZE) {
                child_kill(c);
                batch_say(b, c, "end", RESULT_FAILED, "%s %s: the probe printed more than it may", b->check->desc.name, c->instance);
                c->ended = true;
        } else if (r < 0) {
                b->gone = r;
        } else {
                close(c->fd);
                c->fd = -1;
        }
}

static size_t batch_count(const struct batch *b, bool done)
{
        size_t n = 0;

        for (size_t i = 0; i < b->n; i++)
                if (done ? b->children[i].state != CHILD_DONE
                         : b->children[i].state == CHILD_RUNNING || b->children[i].state == CHILD_KILLED)
                        n++;
        return n;
}

static void batch_fill(struct env *env, struct batch *b)
{
        size_t running = batch_count(b, false);

        for (size_t i = 0; i < b->n && running < CHILDREN_MAX; i++) {
                struct child *c = &b->children[i];

                if (c->state != CHILD_WAITING)
                        continue;
                child_start(env, b, c);
                if (c->state == CHILD_DONE)
                        batch_say(b, c, "end", RESULT_FAILED, "%s: no process could be started: %s", c->instance, strerror(errno));
                else
                        running++;
        }
}

static void batch_wait(struct batch *b)
{
        struct pollfd p[CHILDREN_MAX + 1];
        struct child *who[CHILDREN_MAX + 1];
        size_t n = 0;
        int64_t until = now_ms() + 1000;
        bool reaping = false;

        for (size_t i = 0; i < b->n; i++) {
                struct child *c = &b->children[i];

                if (c->state == CHILD_RUNNING && c->fd >= 0 && n < CHILDREN_MAX) {
                        p[n] = (struct pollfd){ .fd = c->fd, .events = POLLIN };
                        who[n++] = c;
                        until = MIN(until, c->deadline_ms);
                } else if (c->state == CHILD_RUNNING || c->state == CHILD_KILLED) {
                        reaping = true;
                }
        }
        /* Notice when whoever asked has gone. */
        p[n] = (struct pollfd){ .fd = b->out_fd, .events = 0 };
        int64_t left = until - now_ms();

        if (poll(p, n + 1, reaping ? 2 : (int)MAX(left, 0)) < 0)
                return;
        for (size_t i = 0; i < n; i++)
                if (p[i].revents)
                        child_read(b, who[i]);
        if (p[n].revents & (POLLERR | POLLHUP | POLLNVAL))
                b->gone = -EPIPE;
}

static int batch_run(struct env *env, struct batch *b, const char *const *instances)
{
        if (b->n == 0)
                return 0;
        b->children = calloc(b->n, sizeof(*b->children));
        if (!b->children)
                return 3;
        for (size_t i = 0; i < b->n; i++)
                b->children[i].instance = instances[i];
        while (!b->gone && batch_count(b, true) > 0) {
                batch_fill(env, b);
                batch_wait(b);
                for (size_t i = 0; i < b->n; i++) {
                        if (b->children[i].state == CHILD_WAITING || b->children[i].state == CHILD_DONE)
                                continue;
                        child_expire(b, &b->children[i]);
                        child_reap(b, &b->children[i]);
                }
        }
        /* PR_SET_PDEATHSIG ends the children if we leave early. */
        free(b->children);
        return b->gone ? 3 : 0;
}

static int job_run(struct env *env, const struct batch *b, const char *instance, FILE *out)
{
        probe_run_here(env, b->check, instance, out, b->with_instance);
        return fclose(out) == 0 ? 0 : 3;
}

static int job_list(struct env *env, const struct batch *b, const char *instance UNUSED, FILE *out)
{
        int r = probe_list_here(env, b->check, out);
        enum result result = r == 0 ? RESULT_OK : r == -EACCES || r == -EPERM ? RESULT_DENIED : RESULT_FAILED;

        probe_print_end(out, NULL, result, r == 0 ? "" : env->why.text[0] ? env->why.text : strerror(-r));
        return fclose(out) == 0 ? 0 : 3;
}

int probe_run_children(struct env *env, const struct check *check, const char *const *instances, size_t n, const struct probe_wish *wishes,
                       int out_fd, bool with_instance)
{
        struct batch b = { .check = check, .job = job_run, .n = n, .wishes = wishes, .out_fd = out_fd, .with_instance = with_instance };

        if (check->prepare && n > 1)
                check->prepare(env);
        return batch_run(env, &b, instances);
}

int probe_list_child(struct env *env, const struct check *check, int out_fd)
{
        static const char *const nobody[] = { "discovery" };
        struct batch b = { .check = check, .job = job_list, .n = 1, .out_fd = out_fd };

        return batch_run(env, &b, nobody);
}
