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

#define ANSWER_WAIT_S 15 /* a reload asks plugins, for 10 s at most */
#define ANSWER_MAX 65536

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
