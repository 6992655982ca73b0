/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Reading what the brain published, and asking it to act. Nothing here waits longer than 10 s. */

#include "ctl_snapshot.h"

#include <math.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "clean_text.h"
#include "common_clock.h"
#include "common_run.h"
#include "suggest.h"

#define ANSWER_WAIT_S 15 /* a reload asks plugins, for 10 s at most */
#define ANSWER_MAX 65536
#define ALIKE_FROM 4

enum level ctl_level(const json_t *o)
{
        return status_level(o);
}

const char *ctl_text(const json_t *o, const char *key)
{
        return status_text(o, key);
}

double ctl_number(const json_t *o, const char *key)
{
        return status_number(o, key);
}

const json_t *ctl_component(const struct ctl_snapshot *snapshot, const char *name)
{
        const json_t *c;
        size_t i;

        json_array_foreach(json_object_get(snapshot->doc, "components"), i, c)
                if (streq(ctl_text(c, "component"), name))
                        return c;
        return NULL;
}

const char *ctl_component_meant(const struct ctl_snapshot *snapshot, const char *name)
{
        const json_t *list = json_object_get(snapshot->doc, "components"), *c;
        const char **names = calloc(json_array_size(list) + 1, sizeof(*names)), *near;
        size_t i;

        if (!names)
                abort();
        json_array_foreach(list, i, c)
                names[i] = ctl_text(c, "component");
        near = suggest(name, names, json_array_size(list));
        free(names);
        return near;
}

static int worst_first(const void *a, const void *b)
{
        static const char *const then[] = { "kind", "rule", "component" };
        const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
        /* Of a silent brain all are unknown: then what was worst. */
        const int keys[][2] = {
                { (int)ctl_level(x), (int)ctl_level(y) },
                { level_from_name(ctl_text(x, "level_before")), level_from_name(ctl_text(y, "level_before")) },
                { json_array_size(json_object_get(x, "roles")) > 0, json_array_size(json_object_get(y, "roles")) > 0 },
        };

        for (size_t i = 0; i < ARRAY_LEN(keys); i++)
                if (keys[i][0] != keys[i][1])
                        return keys[i][1] - keys[i][0];
        for (size_t i = 0; i < ARRAY_LEN(then); i++) {
                int r = strcmp(ctl_text(x, then[i]), ctl_text(y, then[i]));

                if (r)
                        return r;
        }
        return 0;
}

size_t ctl_worst_first(const struct ctl_snapshot *s, json_t ***ret)
{
        const json_t *list = json_object_get(s->doc, "components");
        size_t n = json_array_size(list);

        *ret = calloc(n + 1, sizeof(**ret));
        if (!*ret)
                abort();
        for (size_t i = 0; i < n; i++)
                (*ret)[i] = json_array_get(list, i);
        qsort(*ret, n, sizeof(**ret), worst_first);
        return n;
}

static bool alike(const json_t *a, const json_t *b)
{
        return ctl_level(a) == ctl_level(b) && *ctl_text(a, "rule") && streq(ctl_text(a, "rule"), ctl_text(b, "rule")) &&
               streq(ctl_text(a, "kind"), ctl_text(b, "kind")) && streq(ctl_text(a, "level_before"), ctl_text(b, "level_before"));
}

size_t ctl_alike(json_t *const *list, size_t n)
{
        size_t run = 1;

        while (run < n && alike(list[0], list[run]))
                run++;
        return run < ALIKE_FROM || *ctl_text(list[0], "level_before") ? 1 : run;
}

enum level ctl_worst(const json_t *doc, bool silent)
{
        enum level level = silent ? LEVEL_UNKNOWN : LEVEL_OK;
        const json_t *c;
        size_t i;

        json_array_foreach(json_object_get(doc, "components"), i, c)
                level = level_worse(level, ctl_level(c));
        return level;
}

void ctl_duration(double s, char *buf, size_t size)
{
        status_duration(s, buf, size);
}

void ctl_status_load(const struct common_options *options, struct status_doc *ret)
{
        int fd = run_open(options->run);

        /* The configuration is not asked when the brain is silent: it may lie on a disk that hangs. */
        run_status_load(fd, options->run, (double)clock_boot_us() / USEC_PER_SEC, NAN, ret);
        if (fd >= 0)
                close(fd);
}

int ctl_snapshot_load(const struct common_options *options, struct ctl_snapshot *ret, struct errinfo *err)
{
        struct status_doc s;

        ctl_status_load(options, &s);
        if (isnan(s.time_boot)) {
                err_set(err, -ENODATA, "%s", s.why);
                status_doc_done(&s);
                return -ENODATA;
        }
        *ret = (struct ctl_snapshot){ .doc = s.doc, .silent_s = s.silent_s, .silent = s.silent };
        return 0;
}

void ctl_snapshot_done(struct ctl_snapshot *snapshot)
{
        json_decref(snapshot->doc);
        snapshot->doc = NULL;
}

static int read_answer(int fd, char *buf, size_t size, struct errinfo *err)
{
        size_t len = 0;

        for (;;) {
                struct pollfd p = { .fd = fd, .events = POLLIN };
                ssize_t n;

                if (poll(&p, 1, ANSWER_WAIT_S * 1000) <= 0)
                        return err_set(err, -ETIME, "veilled did not answer within %d s", ANSWER_WAIT_S);
                n = read(fd, buf + len, size - 1 - len);
                if (n < 0)
                        return err_set(err, neg_errno(), "veilled: %s", strerror(errno));
                len += (size_t)n;
                buf[len] = '\0';
                if (n == 0 || memchr(buf, '\n', len) || len == size - 1)
                        return 0;
        }
}

int ctl_control(const struct common_options *options, json_t *request, json_t **ret, struct errinfo *err)
{
        struct sockaddr_un sa = { .sun_family = AF_UNIX };
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        _cleanup_free_ char *text = json_dumps(request, JSON_COMPACT);
        char answer[ANSWER_MAX];
        json_t *doc;
        int r;

        json_decref(request);
        if (fd < 0 || !text)
                return -ENOMEM;
        snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/control.sock", options->run);
        if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0) {
                r = neg_errno();
                return r == -EACCES ? err_set(err, r, "%s: you may not act; acting needs root or group veille-admin", sa.sun_path)
                                    : err_set(err, r, "%s: %s; is veilled running?", sa.sun_path, strerror(-r));
        }
        if (dprintf(fd, "%s\n", text) < 0)
                return err_set(err, -EIO, "%s: cannot send", sa.sun_path);
        r = read_answer(fd, answer, sizeof(answer), err);
        if (r < 0)
                return r;
        doc = json_loads(answer, 0, NULL);
        if (!doc)
                return err_set(err, -EBADMSG, "veilled gave no answer that makes sense");
        clean_json(doc);
        if (!json_is_true(json_object_get(doc, "ok"))) {
                err_set(err, -EPERM, "%s", ctl_text(doc, "error"));
                json_decref(doc);
                return -EPERM;
        }
        *ret = doc;
        return 0;
}
