/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The files of RUN as this program follows them: which version is there, whether it changed. Reading them: common_run.c. */

#include "web.h"

#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>

#include "common_clock.h"
#include "common_run.h"

static const struct run_file files[WEB_FILE_MAX] = {
        [WEB_STATUS] = { "status.json", STATUS_DOC_MAX_BYTES, "veilled" },
        [WEB_SAMPLES] = { "samples.json", 64 << 20, "veilled" },
        [WEB_CATALOG] = { "catalog.json", 8 << 20, "veilled" },
        [WEB_PLOTS] = { "plots.json", 32 << 20, "veille-store" },
};

double web_boot(void)
{
        return (double)clock_boot_us() / USEC_PER_SEC;
}

double web_wall(void)
{
        return (double)clock_wall_us() / USEC_PER_SEC;
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
static void open_again(struct web *w)
{
        int fd = run_open(w->run);

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
                open_again(w);
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
        if (w->run_fd < 0)
                open_again(w);
        return run_file_read(w->run_fd, w->run, &files[file], ret, ret_len, err);
}

void web_status_load(struct web *w, double now_boot, struct status_doc *ret)
{
        if (w->run_fd < 0)
                open_again(w);
        run_status_load(w->run_fd, w->run, now_boot, w->settings.silent_after_s, ret);
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
