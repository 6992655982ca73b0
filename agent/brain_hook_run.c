/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* A hook under way: a request to veille-act and its answer, which may not come. Nothing here waits; a hook that hangs holds up its
 * own hook only. The deadline is veille-act's; ours is a little later, for a veille-act that hangs itself. */

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "brain_hook.h"
#include "brain_program.h"
#include "clean_text.h"

#define ANSWER_MAX (512 * 1024) /* 64 KiB of output, written as JSON */
#define GRACE_S 20

struct hook_run {
        struct brain *b;
        struct hook *hook; /* NULL: nobody wants to know any more */
        int fd;
        pid_t pid;
        sd_event_source *io, *timer, *child;
        char *request, *answer;
        size_t len, sent, answer_len;
};

static void run_free(struct hook_run *run)
{
        sd_event_source_disable_unref(run->io);
        sd_event_source_disable_unref(run->timer);
        sd_event_source_disable_unref(run->child);
        if (run->fd >= 0)
                close(run->fd);
        free(run->request);
        free(run->answer);
        free(run);
}

/* What is left then is a child to be reaped. */
static void run_close(struct hook_run *run)
{
        run->io = sd_event_source_disable_unref(run->io);
        run->timer = sd_event_source_disable_unref(run->timer);
        if (run->fd >= 0)
                close(take_fd(&run->fd));
        free(take_ptr(run->answer));
        if (run->pid <= 0)
                run_free(run);
}

/* Checks what came: veille-act is ours, but what it tells comes from a hook. */
static void take_answer(struct hook_run *run)
{
        json_t *doc = json_loadb(run->answer ? run->answer : "", run->answer_len, JSON_REJECT_DUPLICATES, NULL);
        const char *outcome = json_string_value(json_object_get(doc, "outcome")), *error = json_string_value(json_object_get(doc, "error"));
        struct hook *h = take_ptr(run->hook);
        char why[400];

        h->run = NULL;
        if (json_is_true(json_object_get(doc, "ok")) && outcome && strlen(outcome) < 32 && json_string_value(json_object_get(doc, "output"))) {
                hook_end(run->b, h, doc, outcome, "");
        } else if (error) {
                snprintf(why, sizeof(why), "%s", error);
                clean_text(why);
                hook_end(run->b, h, NULL, "refused", why);
        } else {
                hook_end(run->b, h, NULL, "unknown", "veille-act ended without an answer; whether the hook did its work is not known, and it is not repeated");
        }
        json_decref(doc);
}

static void flush_request(struct hook_run *run)
{
        while (run->sent < run->len) {
                ssize_t w = send(run->fd, run->request + run->sent, run->len - run->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

                if (w < 0 && errno == EINTR)
                        continue;
                if (w < 0)
                        break;
                run->sent += (size_t)w;
        }
        if (run->io)
                sd_event_source_set_io_events(run->io, EPOLLIN | (run->sent < run->len ? EPOLLOUT : 0));
}

static int on_io(sd_event_source *source UNUSED, int fd, uint32_t revents, void *data)
{
        struct hook_run *run = data;
        ssize_t r;

        if (revents & EPOLLOUT)
                flush_request(run);
        if (!(revents & (EPOLLIN | EPOLLHUP | EPOLLERR)))
                return 0;
        if (!run->answer)
                run->answer = malloc(ANSWER_MAX);
        if (!run->answer)
                abort();
        r = recv(fd, run->answer + run->answer_len, ANSWER_MAX - run->answer_len, MSG_DONTWAIT);
        if (r < 0 && (errno == EAGAIN || errno == EINTR))
                return 0;
        if (r > 0)
                run->answer_len += (size_t)r;
        if (r > 0 && run->answer[run->answer_len - 1] != '\n' && run->answer_len < ANSWER_MAX)
                return 0;
        take_answer(run);
        run_close(run);
        return 0;
}

static int on_timeout(sd_event_source *source UNUSED, uint64_t usec UNUSED, void *data)
{
        struct hook_run *run = data;
        struct hook *h = take_ptr(run->hook);

        h->run = NULL;
        hook_end(run->b, h, NULL, "unknown", "veille-act has not answered in time; whether the hook did its work is not known, and it is not repeated");
        run_close(run);
        return 0;
}

static int on_child(sd_event_source *source UNUSED, const siginfo_t *si UNUSED, void *data)
{
        struct hook_run *run = data;

        run->pid = 0;
        if (run->fd < 0)
                run_free(run);
        return 0;
}

/* Without systemd: beside our own file, as veille-probe. */
static int spawn_act(struct brain *b, pid_t *ret_pid)
{
        char path[4096], *slash;
        char *argv[] = { path, (char *)"--root", (char *)b->options.root, NULL };
        ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 32);

        path[MAX(n, 0)] = '\0';
        slash = strrchr(path, '/');
        strcpy(slash ? slash + 1 : path, "veille-act");
        return program_spawn(path, argv, ret_pid);
}

static char *make_request(const struct hook *h)
{
        json_t *doc = json_pack("{ss ss sI sO}", "verb", "run", "hook", h->config.name, "deadline", (json_int_t)h->config.deadline_s, "about", h->running);
        char *text = json_dumps(doc, JSON_COMPACT | JSON_REAL_PRECISION(15)), *line = NULL;

        json_decref(doc);
        if (!text || asprintf(&line, "%s\n", text) < 0)
                abort();
        free(text);
        return line;
}

static int run_begin(struct brain *b, struct hook_run *run)
{
        int64_t wait = run->hook->config.deadline_s + GRACE_S;
        int r;

        run->fd = program_connect(b->options.run, "act");
        if (run->fd == -ENOENT || run->fd == -ECONNREFUSED)
                run->fd = spawn_act(b, &run->pid);
        if (run->fd < 0)
                return run->fd;
        r = sd_event_add_io(b->event, &run->io, run->fd, EPOLLIN, on_io, run);
        if (r >= 0 && run->pid > 0)
                r = sd_event_add_child(b->event, &run->child, run->pid, WEXITED, on_child, run);
        if (r >= 0)
                r = sd_event_add_time_relative(b->event, &run->timer, CLOCK_BOOTTIME, (uint64_t)wait * USEC_PER_SEC, 0, on_timeout, run);
        if (r >= 0)
                flush_request(run);
        return r;
}

int hook_run_start(struct brain *b, struct hook *h)
{
        struct hook_run *run = calloc(1, sizeof(*run));
        int r;

        if (!run)
                abort();
        *run = (struct hook_run){ .b = b, .hook = h, .fd = -1, .request = make_request(h) };
        run->len = strlen(run->request);
        r = run_begin(b, run);
        if (r < 0) {
                run->fd = MAX(run->fd, -1);
                run_free(run);
                return r;
        }
        h->run = run;
        return 0;
}

void hook_run_free(struct hook_run *run)
{
        if (!run)
                return;
        run->hook = NULL;
        run->pid = 0; /* PID 1 reaps it when we have ended */
        run_free(run);
}
