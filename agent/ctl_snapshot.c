/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Reading what the brain published, and asking it to act. Nothing here waits longer than 10 s. */

#include "ctl_snapshot.h"

#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

#define SILENT_AFTER_S 30
#define STATUS_MAX (16 * 1024 * 1024)
#define ANSWER_MAX 65536

static double boottime(void)
{
        struct timespec ts;

        clock_gettime(CLOCK_BOOTTIME, &ts);
        return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

enum level ctl_level(const json_t *o)
{
        int l = level_from_name(ctl_text(o, "level"));

        return l < 0 ? LEVEL_UNKNOWN : (enum level)l;
}

const char *ctl_text(const json_t *o, const char *key)
{
        const char *s = json_string_value(json_object_get(o, key));

        return s ? s : "";
}

double ctl_number(const json_t *o, const char *key)
{
        const json_t *v = json_object_get(o, key);

        return json_is_number(v) ? json_number_value(v) : NAN;
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
        if (!(s >= 0))
                snprintf(buf, size, "-");
        else if (s < 120)
                snprintf(buf, size, "%.0f s", s);
        else if (s < 7200)
                snprintf(buf, size, "%.0f min", floor(s / 60));
        else if (s < 172800)
                snprintf(buf, size, "%.0f h", floor(s / 3600));
        else
                snprintf(buf, size, "%.0f days", floor(s / 86400));
}

/* The brain is silent: what it said last is no longer known to be true, whatever it was. */
static void make_unknown(struct ctl_snapshot *s)
{
        char why[512], age[32];
        json_t *c;
        size_t i;

        ctl_duration(s->silent_s, age, sizeof(age));
        json_array_foreach(json_object_get(s->doc, "components"), i, c) {
                snprintf(why, sizeof(why), "veilled has been silent for %s; before that: %s%s%s", age, ctl_text(c, "level"),
                         *ctl_text(c, "why") ? ": " : "", ctl_text(c, "why"));
                json_object_set_new(c, "level", json_string("unknown"));
                json_object_set_new(c, "why", json_string(why));
                json_object_set_new(c, "rule", json_string("brain-silent"));
        }
        snprintf(why, sizeof(why), "veilled has been silent for %s", age);
        json_object_set_new(s->doc, "health", json_string("yellow"));
        json_object_set_new(s->doc, "health_why", json_string(why));
}

static void add_ages(struct ctl_snapshot *s)
{
        json_t *c;
        size_t i;

        json_array_foreach(json_object_get(s->doc, "components"), i, c)
                if (json_is_number(json_object_get(c, "age_s")))
                        json_object_set_new(c, "age_s", json_integer((json_int_t)(ctl_number(c, "age_s") + s->silent_s)));
}

int ctl_snapshot_load(const struct ctl_options *options, struct ctl_snapshot *ret, struct errinfo *err)
{
        _cleanup_fclose_ FILE *f = NULL;
        struct ctl_snapshot s = { 0 };
        char path[4096];
        json_error_t error;
        struct stat st;
        int fd;

        snprintf(path, sizeof(path), "%s/status.json", options->run);
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        if (fd < 0 && errno == ENOENT)
                return err_set(err, -ENOENT, "%s is not there: veilled is not running, or runs with another --run; try: systemctl status veilled", path);
        if (fd < 0 && errno == EACCES)
                return err_set(err, -EACCES, "%s: you may not read it; reading needs root or group veille", path);
        if (fd < 0)
                return err_set(err, neg_errno(), "%s: %s", path, strerror(errno));
        f = fdopen(fd, "r");
        if (!f || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > STATUS_MAX)
                return err_set(err, -EINVAL, "%s is no status file", path);
        s.doc = json_loadf(f, JSON_REJECT_DUPLICATES, &error);
        if (!s.doc || !json_is_array(json_object_get(s.doc, "components")) || isnan(ctl_number(s.doc, "time_boot"))) {
                json_decref(s.doc);
                return err_set(err, -EINVAL, "%s is damaged (%s); veilled writes it anew within 10 s when it runs", path,
                               s.doc ? "parts are missing" : error.text);
        }
        s.silent_s = boottime() - ctl_number(s.doc, "time_boot");
        /* In the future: of another boot. */
        s.silent = s.silent_s > SILENT_AFTER_S || s.silent_s < -1;
        if (s.silent)
                make_unknown(&s);
        else
                add_ages(&s);
        *ret = s;
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
        if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
                return err_set(err, neg_errno(), "%s: %s; is veilled running?", sa.sun_path, strerror(errno));
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
