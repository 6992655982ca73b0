/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Reading what the brain published, and asking it to act. Nothing here waits longer than 10 s. */

#include "ctl_snapshot.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

#include "status_doc.h"

#define ANSWER_MAX 65536

static double boottime(void)
{
        struct timespec ts;

        clock_gettime(CLOCK_BOOTTIME, &ts);
        return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

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

int ctl_snapshot_load(const struct ctl_options *options, struct ctl_snapshot *ret, struct errinfo *err)
{
        _cleanup_fclose_ FILE *f = NULL;
        _cleanup_free_ char *text = NULL;
        struct errinfo why = { 0 };
        struct status_doc s;
        char path[4096];
        struct stat st;
        int fd, r;

        snprintf(path, sizeof(path), "%s/status.json", options->run);
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        if (fd < 0 && errno == ENOENT)
                return err_set(err, -ENOENT, "%s is not there: veilled is not running, or runs with another --run; try: systemctl status veilled", path);
        if (fd < 0 && errno == EACCES)
                return err_set(err, -EACCES, "%s: you may not read it; reading needs root or group veille", path);
        if (fd < 0)
                return err_set(err, neg_errno(), "%s: %s", path, strerror(errno));
        f = fdopen(fd, "r");
        if (!f || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > STATUS_DOC_MAX_BYTES)
                return err_set(err, -EINVAL, "%s is no status file", path);
        text = malloc((size_t)st.st_size + 1);
        if (!text)
                return err_set(err, -ENOMEM, "%s: %s", path, strerror(ENOMEM));
        /* Renamed into place, never changed: what is shorter now than a moment ago is damaged. */
        if (fread(text, 1, (size_t)st.st_size, f) != (size_t)st.st_size)
                return err_set(err, -EIO, "%s: %s", path, strerror(EIO));
        r = status_doc_parse(text, (size_t)st.st_size, boottime(), STATUS_SILENT_AFTER_S, &s, &why);
        if (r < 0)
                return err_set(err, r, "%s is damaged (%s); veilled writes it anew within 10 s when it runs", path, why.text);
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

                if (poll(&p, 1, 10000) <= 0)
                        return err_set(err, -ETIME, "veilled did not answer within 10 s");
                n = read(fd, buf + len, size - 1 - len);
                if (n < 0)
                        return err_set(err, neg_errno(), "veilled: %s", strerror(errno));
                len += (size_t)n;
                buf[len] = '\0';
                if (n == 0 || memchr(buf, '\n', len) || len == size - 1)
                        return 0;
        }
}

int ctl_control(const struct ctl_options *options, json_t *request, json_t **ret, struct errinfo *err)
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
        if (!json_is_true(json_object_get(doc, "ok"))) {
                err_set(err, -EPERM, "%s", ctl_text(doc, "error"));
                json_decref(doc);
                return -EPERM;
        }
        *ret = doc;
        return 0;
}
