/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The files of RUN. Writers rename them into place, so what is open never changes; but the file may also be
 * absent, cut, huge, a directory or a pipe, and is then a reason to show, not to die of. */

#include "common_run.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "common_clock.h"

const struct run_file run_file_status = { "status.json", STATUS_DOC_MAX_BYTES, "veilled" };

int run_open(const char *run)
{
        int fd = open(run, O_PATH | O_DIRECTORY | O_CLOEXEC);

        return fd < 0 ? neg_errno() : fd;
}

static int open_error(int r, const char *run, const struct run_file *file, struct errinfo *err)
{
        if (r == -ENOENT)
                return err_set(err, r, "%s/%s is not there: %s is not running, has only just started or has another --run; see: systemctl status %s", run,
                               file->name, file->writer, file->writer);
        if (r == -EACCES)
                return err_set(err, r, "%s/%s: you may not read it; reading needs root or group veille", run, file->name);
        return err_set(err, r, "%s/%s: %s", run, file->name, strerror(-r));
}

int run_file_read(int run_fd, const char *run, const struct run_file *file, char **ret, size_t *ret_len, struct errinfo *err)
{
        _cleanup_close_ int fd = -1;
        _cleanup_free_ char *text = NULL;
        size_t len = 0, size;
        struct stat st;

        if (run_fd < 0)
                return open_error(run_fd, run, file, err);
        /* Nonblocking: a pipe in its place must not stop us. */
        fd = openat(run_fd, file->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        if (fd < 0 || fstat(fd, &st) < 0)
                return open_error(neg_errno(), run, file, err);
        if (!S_ISREG(st.st_mode))
                return err_set(err, -EINVAL, "%s/%s is no regular file", run, file->name);
        if (st.st_size > (off_t)file->max)
                return err_set(err, -EFBIG, "%s/%s is larger than %zu MB", run, file->name, file->max >> 20);
        size = (size_t)st.st_size;
        text = malloc(size + 1);
        if (!text)
                return err_set(err, -ENOMEM, "%s/%s: %s", run, file->name, strerror(ENOMEM));
        while (len < size) {
                ssize_t n = read(fd, text + len, size - len);

                if (n < 0)
                        return open_error(neg_errno(), run, file, err);
                if (n == 0)
                        break;
                len += (size_t)n;
        }
        text[len] = '\0';
        *ret = take_ptr(text);
        *ret_len = len;
        return 0;
}

/* What a message quotes or a host is called may hold anything: keep it printable and UTF-8. */
static void clean(char *s)
{
        for (; *s; s++)
                if (*s < ' ' || *s > '~')
                        *s = '?';
}

void run_host_name(char *buf, size_t size)
{
        if (gethostname(buf, size) < 0)
                *buf = '\0';
        buf[size - 1] = '\0';
        if (!*buf)
                snprintf(buf, size, "localhost");
        clean(buf);
}

void run_status_load(int run_fd, const char *run, double now_boot, double silent_after_s, struct status_doc *ret)
{
        struct errinfo err = { 0 }, what = { 0 };
        _cleanup_free_ char *text = NULL;
        size_t len = 0;
        char host[128];
        int64_t wall_s;
        int r = run_file_read(run_fd, run, &run_file_status, &text, &len, &err);

        if (r >= 0) {
                r = status_doc_parse(text, len, now_boot, silent_after_s, ret, &what);
                if (r < 0)
                        err_set(&err, r, "%s/%s is damaged (%s); veilled writes it anew within 10 s when it runs", run, run_file_status.name, what.text);
        }
        if (r >= 0)
                return;
        clean(err.text);
        run_host_name(host, sizeof(host));
        /* Whole seconds: whoever asks in the same one gets the same document. */
        wall_s = clock_wall_us() / USEC_PER_SEC;
        status_doc_absent(host, err.text, (double)wall_s, ret);
}
