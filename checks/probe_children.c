/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Instances are measured in children, each with its own deadline. Of checks that have privileges, and of plugins, each
 * instance has a child of its own. Of the others a child takes one instance after the other: as long as it answers at once there
 * is only that one, for a process costs more than reading a chip. When an instance takes its time the others get a child
 * more, up to CHILDREN_MAX, so that nobody waits for a slow or hung one. A child that does not die when killed (a device that
 * hangs in the kernel) is reported as stuck and waited for, so that whoever asked starts no second run on the same device;
 * the others are not held up. */

#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "probe.h"

#define CHILDREN_MAX 8              /* at once; instances wait for a place */
#define STANDSTILL_MS 1000 /* a loop that comes so much later than it meant to did not run */
#define SLOW_MS 20                  /* busy for longer with one instance: the next one gets a child of its own */
#define OUTPUT_MAX (1024 * 1024)    /* of one instance */
#define LINE_MAX_LEN 16384
#define NOBODY SIZE_MAX

enum child_state { CHILD_UNUSED, CHILD_RUNNING, CHILD_KILLED, CHILD_STUCK, CHILD_DONE };

struct child {
        enum child_state state;
        pid_t pid;
        int fd, work_fd; /* its lines; where it is told which instance is next, closed: none */
        size_t current;  /* instance it measures or has measured last */
        bool busy;       /* the end line of current has not come */
        int64_t begun_ms, deadline_ms, killed_ms;
        size_t total, len;
        char line[LINE_MAX_LEN];
};

static int64_t now_ms(void)
{
        struct timespec ts;

        clock_gettime(CLOCK_BOOTTIME, &ts);
        return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

int probe_write_all(int fd, const char *buf, size_t len)
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

static int say(int fd, const char *instance, const char *type, const char *result, const char *why)
{
        json_t *line = json_pack("{ss}", "type", type);
        char *text;
        int r;

        if (instance)
                json_object_set_new(line, "instance", json_string(instance));
        if (result) {
                json_object_set_new(line, "result", json_string(result));
                json_object_set_new(line, "why", json_string(why));
        }
        text = json_dumps(line, JSON_COMPACT);
        json_decref(line);
        if (!text)
                return -ENOMEM;
        r = probe_write_all(fd, text, strlen(text));
        if (r == 0)
                r = probe_write_all(fd, "\n", 1);
        free(text);
        return r;
}

struct batch {
        const struct check *check;
        void (*job)(struct env *env, const struct batch *b, size_t i, FILE *out); /* in a child: prints lines and an end line */
        const char *const *instances;
        size_t n, next; /* next: the first that no child has got */
        const struct probe_wish *wishes; /* one per instance, or NULL */
        struct child *children;          /* n places: each child takes one instance at least */
        size_t n_children;
        int64_t started_ms; /* the last child */
        int out_fd;
        bool with_instance;
        int gone; /* negative errno once the other end is closed */
};

static void batch_say(struct batch *b, size_t i, const char *type, enum result result, const char *fmt, ...) PRINTF_LIKE(5, 6);
static void batch_say(struct batch *b, size_t i, const char *type, enum result result, const char *fmt, ...)
{
        char why[512];
        va_list ap;
        int r;

        va_start(ap, fmt);
        vsnprintf(why, sizeof(why), fmt, ap);
        va_end(ap);
        if (b->gone)
                return;
        r = say(b->out_fd, b->with_instance ? b->instances[i] : NULL, type, streq(type, "end") ? result_name(result) : NULL, why);
        if (r < 0)
                b->gone = r;
}

/* --- in a child ------------------------------------------------------------------------------------------ */

static void child_main(struct env *env, const struct batch *b, int work_fd, int out_fd)
{
        FILE *out = fdopen(out_fd, "w");
        size_t i;

        setpgid(0, 0);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (!out)
                _exit(3);
        /* The ends of our brothers' pipes: as long as we had one they would not see it closed. */
        for (size_t k = 0; k < b->n_children; k++) {
                if (b->children[k].work_fd >= 0)
                        close(b->children[k].work_fd);
                if (b->children[k].fd >= 0)
                        close(b->children[k].fd);
        }
        while (read(work_fd, &i, sizeof(i)) == sizeof(i)) {
                if (b->wishes) {
                        env->wake = b->wishes[i].wake;
                        env->selftest = b->wishes[i].selftest;
                }
                b->job(env, b, i, out);
                if (fflush(out) != 0)
                        _exit(3);
        }
        _exit(0);
}

/* --- children ---------------------------------------------------------------------------------------------- */

static int child_start(struct env *env, struct batch *b, struct child **ret)
{
        struct child *c = &b->children[b->n_children];
        int out[2], work[2], r;

        if (pipe2(out, O_CLOEXEC) < 0)
                return neg_errno();
        if (pipe2(work, O_CLOEXEC) < 0) {
                r = neg_errno();
                close(out[0]);
                close(out[1]);
                return r;
        }
        *c = (struct child){ .fd = out[0], .work_fd = work[1], .current = NOBODY, .state = CHILD_RUNNING };
        c->pid = fork();
        if (c->pid == 0) {
                close(out[0]);
                close(work[1]);
                child_main(env, b, work[0], out[1]);
        }
        r = c->pid < 0 ? neg_errno() : 0;
        close(out[1]);
        close(work[0]);
        if (r < 0) {
                close(out[0]);
                close(work[1]);
                return r;
        }
        setpgid(c->pid, c->pid);
        b->n_children++;
        b->started_ms = now_ms();
        *ret = c;
        return 0;
}

static bool shares(const struct batch *b)
{
        return b->check->desc.privilege == PRIVILEGE_NONE;
}

/* It ends after what it has been given. */
static void child_dismiss(struct child *c)
{
        if (c->work_fd >= 0)
                close(c->work_fd);
        c->work_fd = -1;
}

static void child_give(struct batch *b, struct child *c)
{
        c->current = b->next++;
        c->busy = true;
        c->total = 0;
        c->begun_ms = now_ms();
        c->deadline_ms = c->begun_ms + b->check->desc.deadline_s * 1000LL;
        /* A few bytes into an empty pipe. If it has died the end of its output says so. */
        (void)!write(c->work_fd, &c->current, sizeof(c->current));
        if (!shares(b))
                child_dismiss(c);
}

static void child_kill(struct child *c)
{
        kill(-c->pid, SIGKILL);
        kill(c->pid, SIGKILL);
        child_dismiss(c);
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
                int r = probe_write_all(out_fd, c->line, len);

                if (r < 0)
                        return r;
                if (memmem(c->line, len, "\"type\":\"end\"", 12))
                        c->busy = false;
                memmove(c->line, c->line + len, c->len - len);
                c->len -= len;
        }
        return c->len == sizeof(c->line) ? -EMSGSIZE : 0;
}

static void child_reap(struct batch *b, struct child *c)
{
        const char *check = b->check->desc.name;
        int status;

        if (c->state != CHILD_KILLED && c->state != CHILD_STUCK && c->fd >= 0)
                return;
        if (waitpid(c->pid, &status, WNOHANG) != c->pid) {
                /* Half a second is long for a SIGKILL: it hangs in the kernel. */
                if (c->state == CHILD_KILLED && now_ms() - c->killed_ms > 500) {
                        c->state = CHILD_STUCK;
                        if (b->with_instance)
                                batch_say(b, c->current, "stuck", RESULT_TIMEOUT, "%s", "");
                }
                return;
        }
        if (c->busy && WIFSIGNALED(status))
                batch_say(b, c->current, "end", RESULT_FAILED, "%s %s: the probe was ended by signal %d", check, b->instances[c->current],
                          WTERMSIG(status));
        else if (c->busy)
                batch_say(b, c->current, "end", RESULT_FAILED, "%s %s: the probe ended without a result (exit status %d)", check,
                          b->instances[c->current], WEXITSTATUS(status));
        if (c->state == CHILD_STUCK && b->with_instance)
                batch_say(b, c->current, "reaped", RESULT_OK, "%s", "");
        child_dismiss(c);
        c->busy = false;
        c->state = CHILD_DONE;
}

static void child_expire(struct batch *b, struct child *c)
{
        /* Dismissed, it must end within the time of its last instance. */
        if (c->state != CHILD_RUNNING || (!c->busy && c->work_fd >= 0) || now_ms() < c->deadline_ms)
                return;
        child_kill(c);
        if (!c->busy)
                return;
        batch_say(b, c->current, "end", RESULT_TIMEOUT, "%s has not answered for %d s", b->instances[c->current], b->check->desc.deadline_s);
        c->busy = false;
}

static void child_read(struct batch *b, struct child *c)
{
        int r = child_relay(c, b->out_fd);

        if (r == 0)
                return;
        if (r == -EFBIG || r == -EMSGSIZE) {
                child_kill(c);
                batch_say(b, c->current, "end", RESULT_FAILED, "%s %s: the probe printed more than it may", b->check->desc.name,
                          b->instances[c->current]);
                c->busy = false;
        } else if (r < 0) {
                b->gone = r;
        } else {
                close(c->fd);
                c->fd = -1;
        }
}

/* --- who measures what -------------------------------------------------------------------------------------- */

static bool batch_over(const struct batch *b)
{
        for (size_t i = 0; i < b->n_children; i++)
                if (b->children[i].state != CHILD_DONE)
                        return false;
        return b->next == b->n;
}

static struct child *idle_child(struct batch *b)
{
        for (size_t i = 0; i < b->n_children; i++) {
                struct child *c = &b->children[i];

                if (c->state == CHILD_RUNNING && c->fd >= 0 && c->work_fd >= 0 && !c->busy)
                        return c;
        }
        return NULL;
}

static size_t living(const struct batch *b)
{
        size_t n = 0;

        for (size_t i = 0; i < b->n_children; i++)
                n += b->children[i].state == CHILD_RUNNING || b->children[i].state == CHILD_KILLED;
        return n;
}

/* A place is free, and all children have been busy for a while: no end is to be expected just now. */
static bool wants_child(const struct batch *b)
{
        int64_t now = now_ms();
        size_t begun = 0;

        for (size_t i = 0; i < b->n_children; i++) {
                const struct child *c = &b->children[i];

                begun += c->state == CHILD_RUNNING && c->fd >= 0 && now - MAX(c->begun_ms, b->started_ms) < SLOW_MS;
        }
        return living(b) < CHILDREN_MAX && (begun == 0 || !shares(b));
}

static void batch_fill(struct env *env, struct batch *b)
{
        struct child *c;

        while (b->next < b->n) {
                int r = 0;

                c = idle_child(b);
                if (!c && !wants_child(b))
                        return;
                if (!c)
                        r = child_start(env, b, &c);
                if (c) {
                        child_give(b, c);
                } else {
                        batch_say(b, b->next, "end", RESULT_FAILED, "%s: no process could be started: %s", b->instances[b->next], strerror(-r));
                        b->next++;
                }
        }
        while ((c = idle_child(b)))
                child_dismiss(c);
}

/* The host was paused with its clocks running on, or suspended: nobody could answer meanwhile, so that wait does not count. */
static void forgive_standstill(struct batch *b, int64_t begun_ms, int64_t until_ms)
{
        int64_t now = now_ms();

        for (size_t i = 0; now - until_ms > STANDSTILL_MS && i < b->n_children; i++)
                b->children[i].deadline_ms += now - begun_ms;
}

static void batch_wait(struct batch *b)
{
        struct pollfd p[CHILDREN_MAX + 1];
        struct child *who[CHILDREN_MAX + 1];
        size_t n = 0;
        int64_t until = now_ms() + (b->next < b->n && living(b) < CHILDREN_MAX ? SLOW_MS : 1000);
        bool reaping = false;

        for (size_t i = 0; i < b->n_children; i++) {
                struct child *c = &b->children[i];

                if (c->state == CHILD_RUNNING && c->fd >= 0 && n < CHILDREN_MAX) {
                        p[n] = (struct pollfd){ .fd = c->fd, .events = POLLIN };
                        who[n++] = c;
                        if (c->busy || c->work_fd < 0)
                                until = MIN(until, c->deadline_ms);
                } else if (c->state == CHILD_RUNNING || c->state == CHILD_KILLED) {
                        reaping = true;
                }
        }
        /* Notice when whoever asked has gone. */
        p[n] = (struct pollfd){ .fd = b->out_fd, .events = 0 };
        int64_t begun = now_ms(), left = until - begun;
        int r = poll(p, n + 1, reaping ? 2 : (int)MAX(left, 0));

        forgive_standstill(b, begun, until);
        if (r < 0)
                return;
        for (size_t i = 0; i < n; i++)
                if (p[i].revents)
                        child_read(b, who[i]);
        if (p[n].revents & (POLLERR | POLLHUP | POLLNVAL))
                b->gone = -EPIPE;
}

static int batch_run(struct env *env, struct batch *b)
{
        if (b->n == 0)
                return 0;
        b->children = calloc(b->n, sizeof(*b->children));
        if (!b->children)
                return 3;
        while (!b->gone && !batch_over(b)) {
                batch_fill(env, b);
                batch_wait(b);
                for (size_t i = 0; i < b->n_children; i++) {
                        if (b->children[i].state == CHILD_DONE)
                                continue;
                        child_expire(b, &b->children[i]);
                        child_reap(b, &b->children[i]);
                }
        }
        /* PR_SET_PDEATHSIG ends the children if we leave early. */
        free(b->children);
        return b->gone ? 3 : 0;
}

static void job_run(struct env *env, const struct batch *b, size_t i, FILE *out)
{
        static struct instance_list known; /* of this child, for all its instances */

        probe_run_here(env, b->check, b->instances[i], &known, out, b->with_instance);
}

static void job_list(struct env *env, const struct batch *b, size_t i UNUSED, FILE *out)
{
        int r = probe_list_here(env, b->check, out);
        enum result result = r == 0 ? RESULT_OK : r == -EACCES || r == -EPERM ? RESULT_DENIED : RESULT_FAILED;

        probe_print_end(out, NULL, result, r == 0 ? "" : env->why.text[0] ? env->why.text : strerror(-r));
}

int probe_run_children(struct env *env, const struct check *check, const char *const *instances, size_t n, const struct probe_wish *wishes,
                       int out_fd, bool with_instance)
{
        struct batch b = { .check = check, .job = job_run, .instances = instances, .n = n, .wishes = wishes, .out_fd = out_fd,
                           .with_instance = with_instance };

        if (check->prepare && n > 1)
                check->prepare(env);
        return batch_run(env, &b);
}

int probe_list_child(struct env *env, const struct check *check, int out_fd)
{
        static const char *const nobody[] = { "discovery" };
        struct batch b = { .check = check, .job = job_list, .instances = nobody, .n = 1, .out_fd = out_fd };

        return batch_run(env, &b);
}
