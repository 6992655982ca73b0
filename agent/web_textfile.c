/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The metrics as a file for node_exporter's textfile collector: written beside and renamed, so that it never reads half
 * of one. Should veille-web die, the file stays and its ages stand still: alert on node_textfile_mtime_seconds
 * or on veille_exposition_timestamp_seconds. An orderly end removes it. */

#include "web.h"

#include <fcntl.h>

static int write_all(int fd, const struct textbuf *b)
{
        size_t done = 0;

        while (done < b->len) {
                ssize_t n = write(fd, b->data + done, b->len - done);

                if (n < 0)
                        return neg_errno();
                done += (size_t)n;
        }
        return 0;
}

static int write_file(const char *path, const struct textbuf *body, const struct textbuf *tail)
{
        char tmp[4096 + 8];
        int fd, r;

        /* Not *.prom, which the collector would read. */
        if (snprintf(tmp, sizeof(tmp), "%s.tmp", path) >= (int)sizeof(tmp))
                return -ENAMETOOLONG;
        unlink(tmp);
        fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
        if (fd < 0)
                return neg_errno();
        r = write_all(fd, body);
        if (r >= 0)
                r = write_all(fd, tail);
        /* The collector runs as another user. */
        if (r >= 0 && fchmod(fd, 0644) < 0)
                r = neg_errno();
        if (close(fd) < 0 && r >= 0)
                r = neg_errno();
        if (r >= 0 && rename(tmp, path) < 0)
                r = neg_errno();
        if (r < 0)
                unlink(tmp);
        return r;
}

void web_textfile_write(struct web *w, double now_boot)
{
        static bool failing;
        struct textbuf tail = { 0 };
        struct web_blob *body;
        int r;

        if (!w->settings.textfile)
                return;
        body = web_metrics_get(w, EXPO_TEXT, now_boot, &tail);
        r = write_file(w->settings.textfile, &body->text, &tail);
        web_blob_unref(body);
        textbuf_done(&tail);
        if (r < 0)
                w->counters.textfile_errors++;
        if (r < 0 && !failing)
                web_log("%s: %s; trying again every 30 s", w->settings.textfile, strerror(-r));
        failing = r < 0;
}

void web_textfile_remove(struct web *w)
{
        if (w->settings.textfile)
                unlink(w->settings.textfile);
}
