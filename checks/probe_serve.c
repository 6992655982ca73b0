/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Answering the brain: one request line in, lines of JSON out. This side has privileges and the
 * other may have been broken into: it names a check and instances, nothing else, and instances are
 * looked up in our own discovery. */

#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "probe.h"
#include "selftest_plan.h"

#define REQUEST_MAX 65536
#define REQUEST_INSTANCES_MAX 1024
#define REQUEST_WAIT_MS 5000

/* Reads until the newline; -EMSGSIZE, -ETIME, -ECONNRESET. */
static int read_request(int fd, char *buf, size_t size)
{
        size_t len = 0;

        for (;;) {
                struct pollfd p = { .fd = fd, .events = POLLIN };
                int r = poll(&p, 1, REQUEST_WAIT_MS);

                if (r < 0 && errno == EINTR)
                        continue;
                if (r <= 0)
                        return -ETIME;
                ssize_t n = read(fd, buf + len, size - len);

                if (n <= 0)
                        return -ECONNRESET;
                len += (size_t)n;
                char *nl = memchr(buf, '\n', len);

                if (nl) {
                        *nl = '\0';
                        return (int)(nl - buf);
                }
                if (len == size)
                        return -EMSGSIZE;
        }
}

static void refuse(int fd, const char *why)
{
        _cleanup_fclose_ FILE *out = fdopen(dup(fd), "w");

        if (out)
                probe_print_end(out, NULL, RESULT_DENIED, why);
}

static bool is_in(const json_t *list, const char *name)
{
        const json_t *v;
        size_t i;

        json_array_foreach(list, i, v)
                if (json_is_string(v) && streq(json_string_value(v), name))
                        return true;
        return false;
}

/* Twice the same would be two of our children at one device. */
static bool is_named(const char *const *names, size_t n, const char *name)
{
        for (size_t i = 0; i < n; i++)
                if (streq(names[i], name))
                        return true;
        return false;
}

static struct probe_wish wish_for(const json_t *request, const char *name)
{
        const char *kind = json_string_value(json_object_get(json_object_get(request, "selftest"), name));
        int k = kind ? selftest_kind_from_name(kind) : -EINVAL;

        return (struct probe_wish){ .wake = is_in(json_object_get(request, "wake"), name), .selftest = k < 0 ? 0 : 1 + (unsigned)k };
}

/* The check that a request names and that is served here, or NULL. */
static const struct check *check_of(struct env *env, const json_t *request, enum privilege only)
{
        const char *name = json_string_value(json_object_get(request, "check"));
        const struct check *check = name ? probe_find_check(env, name) : NULL;

        return check && (only == PRIVILEGE_MAX || check->desc.privilege == only) ? check : NULL;
}

static int serve_run(struct env *env, const struct check *check, const json_t *request, int out_fd)
{
        const char *instances[REQUEST_INSTANCES_MAX];
        struct probe_wish wishes[REQUEST_INSTANCES_MAX];
        size_t i, n = 0;
        json_t *v;

        json_array_foreach(json_object_get(request, "instances"), i, v)
                if (json_is_string(v) && json_string_length(v) < INSTANCE_NAME_MAX && n < REQUEST_INSTANCES_MAX &&
                    !is_named(instances, n, json_string_value(v))) {
                        wishes[n] = wish_for(request, json_string_value(v));
                        instances[n++] = json_string_value(v);
                }
        return probe_run_children(env, check, instances, n, wishes, out_fd, true);
}

static int serve_one(struct env *env, const json_t *request, enum privilege only, int out_fd)
{
        const char *op = json_string_value(json_object_get(request, "op"));
        const struct check *check = check_of(env, request, only);

        if (!op || !check) {
                refuse(out_fd, "the request names no check that is served here");
                return 3;
        }
        if (streq(op, "list"))
                return probe_list_child(env, check, out_fd);
        if (streq(op, "run"))
                return serve_run(env, check, request, out_fd);
        refuse(out_fd, "the request is neither list nor run");
        return 3;
}

struct several {
        struct env *env;
        enum privilege only;
        const json_t *requests[CATALOG_SEVERAL_MAX];
};

static int serve_ith(const void *data, size_t i, int out_fd)
{
        const struct several *s = data;

        return serve_one(s->env, s->requests[i], s->only, out_fd);
}

static int serve_several(struct env *env, const json_t *list, enum privilege only, int out_fd)
{
        struct several s = { .env = env, .only = only };
        const struct probe_job job = { .run = serve_ith, .data = &s };
        const char *checks[CATALOG_SEVERAL_MAX];
        const json_t *v;
        size_t i, n = 0;

        /* Twice the same check could be two of our children at one device. */
        json_array_foreach(list, i, v) {
                const struct check *check = check_of(env, v, only);

                if (!check || n == CATALOG_SEVERAL_MAX || is_named(checks, n, check->desc.name)) {
                        refuse(out_fd, "a request of several names no check that is served here, or one twice, or there are too many");
                        return 3;
                }
                s.requests[n] = v;
                checks[n++] = check->desc.name;
        }
        if (n == 0) {
                refuse(out_fd, "several requests are none");
                return 3;
        }
        return probe_several(&job, checks, n, out_fd);
}

int probe_serve(struct env *env, int in_fd, int out_fd, enum privilege only)
{
        _cleanup_free_ char *buf = malloc(REQUEST_MAX);
        const char *op;
        json_t *request;
        int r;

        if (!buf)
                return 3;
        r = read_request(in_fd, buf, REQUEST_MAX);
        if (r < 0)
                return 3;
        request = json_loadb(buf, (size_t)r, JSON_REJECT_DUPLICATES, NULL);
        op = json_string_value(json_object_get(request, "op"));
        if (op && streq(op, "several"))
                r = serve_several(env, json_object_get(request, "requests"), only, out_fd);
        else
                r = serve_one(env, request, only, out_fd);
        json_decref(request);
        return r;
}

static int listen_on(const char *dir, enum privilege p, int group)
{
        struct sockaddr_un sa = { .sun_family = AF_UNIX };
        int fd, n = snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/probe-%s.sock", dir, privilege_name(p));

        if (n < 0 || (size_t)n >= sizeof(sa.sun_path))
                return -ENAMETOOLONG;
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return neg_errno();
        unlink(sa.sun_path);
        mode_t old = umask(0177);
        int r = bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 || listen(fd, 64) < 0 ? neg_errno() : 0;

        umask(old);
        if (r == 0 && group >= 0 && (chown(sa.sun_path, (uid_t)-1, (gid_t)group) < 0 || chmod(sa.sun_path, 0660) < 0))
                r = neg_errno();
        if (r < 0) {
                close(fd);
                return r;
        }
        return fd;
}

static volatile sig_atomic_t stop;

static void on_signal(int sig UNUSED)
{
        stop = 1;
}

int probe_listen(struct env *env, const char *dir, int group)
{
        struct pollfd p[PRIVILEGE_MAX];
        enum privilege which[PRIVILEGE_MAX];
        struct sigaction sa = { .sa_handler = on_signal };
        size_t n = 0;

        for (int i = PRIVILEGE_NONE + 1; i < PRIVILEGE_MAX; i++) {
                int fd = listen_on(dir, (enum privilege)i, group);

                if (fd < 0) {
                        fprintf(stderr, "veille-probe: %s/probe-%s.sock: %s\n", dir, privilege_name((enum privilege)i), strerror(-fd));
                        return 3;
                }
                which[n] = (enum privilege)i;
                p[n++] = (struct pollfd){ .fd = fd, .events = POLLIN };
        }
        sigaction(SIGTERM, &sa, NULL);
        sigaction(SIGINT, &sa, NULL);
        while (!stop) {
                while (waitpid(-1, NULL, WNOHANG) > 0)
                        ;
                if (poll(p, n, 1000) <= 0)
                        continue;
                for (size_t i = 0; i < n; i++) {
                        int fd = p[i].revents ? accept4(p[i].fd, NULL, NULL, SOCK_CLOEXEC) : -1;

                        if (fd < 0)
                                continue;
                        if (fork() == 0) {
                                signal(SIGTERM, SIG_DFL);
                                signal(SIGINT, SIG_DFL);
                                _exit(probe_serve(env, fd, fd, which[i]));
                        }
                        close(fd);
                }
        }
        for (size_t i = 0; i < n; i++) {
                char path[256];

                snprintf(path, sizeof(path), "%s/probe-%s.sock", dir, privilege_name(which[i]));
                unlink(path);
        }
        return 0;
}
