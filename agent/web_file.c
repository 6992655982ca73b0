/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The files of RUN. Writers rename them into place, so what is open never changes; but the file may also be
 * absent, cut, huge, a directory or a pipe, and is then a reason to show, not to die of. */

#include "web.h"

#include <fcntl.h>
#include <stdarg.h>
#include <poll.h>
#include <time.h>

static const struct {
        const char *name;
        size_t max;
        const char *writer;
} files[WEB_FILE_MAX] = {
        [WEB_STATUS] = { "status.json", STATUS_DOC_MAX_BYTES, "veilled" },
        [WEB_SAMPLES] = { "samples.json", 64 << 20, "veilled" },
        [WEB_CATALOG] = { "catalog.json", 8 << 20, "veilled" },
        [WEB_PLOTS] = { "plots.json", 32 << 20, "veille-store" },
};

static double clock_s(clockid_t id)
{
        struct timespec ts;

        clock_gettime(id, &ts);
        return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

double web_boot(void)
{
        return clock_s(CLOCK_BOOTTIME);
}

double web_wall(void)
{
        return clock_s(CLOCK_REALTIME);
}

void web_log(const char *fmt, ...)
{
        struct pollfd p = { .fd = STDERR_FILENO, .events = POLLOUT };
        char line[1024] = "veille-web: ";
        size_t len = strlen(line);
        va_list ap;

        va_start(ap, fmt);
        vsnprintf(line + len, sizeof(line) - len - 1, fmt, ap);
        va_end(ap);
        strcat(line, "\n");
        /* A write of less than PIPE_BUF to a pipe with room does not block. */
        if (poll(&p, 1, 0) == 1 && p.revents & POLLOUT && write(STDERR_FILENO, line, strlen(line)) < 0)
                return;
}

/* RUN may not be there yet, or be made anew by a restart of the brain: then the old descriptor shows an empty directory. */
static void open_run(struct web *w)
{
        int fd = open(w->run, O_PATH | O_DIRECTORY | O_CLOEXEC);

        if (w->run_fd >= 0)
                close(w->run_fd);
        w->run_fd = fd;
}

void web_file_stamp(struct web *w, enum web_file file, struct web_stamp *ret)
{
        struct stat st;
        int r = -1;

        if (w->run_fd >= 0)
                r = fstatat(w->run_fd, files[file].name, &st, AT_SYMLINK_NOFOLLOW);
        if (r < 0 && file == WEB_STATUS) {
                open_run(w);
                if (w->run_fd >= 0)
                        r = fstatat(w->run_fd, files[file].name, &st, AT_SYMLINK_NOFOLLOW);
        }
        *ret = (struct web_stamp){ .error = r < 0 ? errno : 0 };
        if (r < 0)
                return;
        ret->dev = st.st_dev;
        ret->ino = st.st_ino;
        ret->size = st.st_size;
        ret->mtime = st.st_mtim;
        ret->ctime = st.st_ctim;
}

static bool time_equal(const struct timespec *a, const struct timespec *b)
{
        return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool web_stamp_equal(const struct web_stamp *a, const struct web_stamp *b)
{
        return a->dev == b->dev && a->ino == b->ino && a->size == b->size && time_equal(&a->mtime, &b->mtime) &&
               time_equal(&a->ctime, &b->ctime) && a->error == b->error;
}

int web_file_read(struct web *w, enum web_file file, char **ret, size_t *ret_len, struct errinfo *err)
{
        const char *name = files[file].name, *writer = files[file].writer;
        _cleanup_close_ int fd = -1;
        _cleanup_free_ char *text = NULL;
        size_t len = 0, size;
        struct stat st;

        if (w->run_fd < 0)
                open_run(w);
        if (w->run_fd < 0)
                return err_set(err, neg_errno(), "%s: %s: is %s running?", w->run, strerror(errno), writer);
        /* Nonblocking: a pipe in its place must not stop us. */
        fd = openat(w->run_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        if (fd < 0 && errno == ENOENT)
                return err_set(err, -ENOENT, "%s/%s is not there: %s is not running or has only just started", w->run, name, writer);
        if (fd < 0 || fstat(fd, &st) < 0)
                return err_set(err, neg_errno(), "%s/%s: %s", w->run, name, strerror(errno));
        if (!S_ISREG(st.st_mode))
                return err_set(err, -EINVAL, "%s/%s is no regular file", w->run, name);
        if (st.st_size > (off_t)files[file].max)
                return err_set(err, -EFBIG, "%s/%s is larger than %zu MB", w->run, name, files[file].max >> 20);
        size = (size_t)st.st_size;
        text = malloc(size + 1);
        if (!text)
                return err_set(err, -ENOMEM, "%s/%s: %s", w->run, name, strerror(ENOMEM));
        while (len < size) {
                ssize_t n = read(fd, text + len, size - len);

                if (n < 0)
                        return err_set(err, neg_errno(), "%s/%s: %s", w->run, name, strerror(errno));
                if (n == 0)
                        break;
                len += (size_t)n;
        }
        text[len] = '\0';
        *ret = take_ptr(text);
        *ret_len = len;
        return 0;
}

void web_status_load(struct web *w, double now_boot, struct status_doc *ret)
{
        struct errinfo err = { 0 }, what = { 0 };
        _cleanup_free_ char *text = NULL;
        char why[512];
        size_t len = 0;
        int r = web_file_read(w, WEB_STATUS, &text, &len, &err);

        if (r >= 0) {
                r = status_doc_parse(text, len, now_boot, w->settings.silent_after_s, ret, &what);
                if (r < 0)
                        err_set(&err, r, "%s/%s is damaged (%s); veilled writes it anew within 10 s when it runs", w->run, files[WEB_STATUS].name, what.text);
        }
        if (r >= 0)
                return;
        /* A message may quote the file: keep it printable and UTF-8. */
        snprintf(why, sizeof(why), "%s", err.text);
        for (char *c = why; *c; c++)
                if (*c < ' ' || *c > '~')
                        *c = '?';
        status_doc_absent(w->host, why, web_wall(), ret);
}

struct web_blob *web_blob_new(void)
{
        struct web_blob *b = calloc(1, sizeof(*b));

        if (!b)
                abort();
        b->refs = 1;
        return b;
}

struct web_blob *web_blob_ref(struct web_blob *b)
{
        if (b)
                b->refs++;
        return b;
}

struct web_blob *web_blob_unref(struct web_blob *b)
{
        if (b && --b->refs == 0) {
                textbuf_done(&b->text);
                free(b);
        }
        return NULL;
}
