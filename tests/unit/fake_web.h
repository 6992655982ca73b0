/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_FAKE_WEB_H
#define VEILLE_FAKE_WEB_H

/* A web server without sockets over a RUN directory of its own. */

#include <fcntl.h>

#include "web.h"
#include "test.h"

struct fake_web {
        struct web web;
        char dir[64];
};

static inline struct fake_web *fake_web_new(void)
{
        struct fake_web *f = calloc(1, sizeof(*f));

        strcpy(f->dir, "/tmp/veille-test-XXXXXX");
        assert_non_null(mkdtemp(f->dir));
        f->web.run = f->dir;
        f->web.run_fd = -1;
        f->web.settings.silent_after_s = 30;
        strcpy(f->web.host, "mx1");
        return f;
}

static inline void fake_web_free(struct fake_web *f)
{
        char cmd[128];

        web_metrics_free(&f->web);
        web_blob_unref(f->web.page);
        close(f->web.run_fd);
        snprintf(cmd, sizeof(cmd), "rm -rf %s", f->dir);
        assert_int_equal(system(cmd), 0);
        free(f);
}

/* Renamed into place, as the writers do it; so every version has an inode and a time of its own. */
static inline void fake_web_file(struct fake_web *f, const char *name, const char *fmt, ...) PRINTF_LIKE(3, 4);
static inline void fake_web_file(struct fake_web *f, const char *name, const char *fmt, ...)
{
        char path[256], tmp[300];
        va_list ap;
        FILE *file;

        snprintf(path, sizeof(path), "%s/%s", f->dir, name);
        snprintf(tmp, sizeof(tmp), "%s.tmp", path);
        file = fopen(tmp, "w");
        assert_non_null(file);
        va_start(ap, fmt);
        vfprintf(file, fmt, ap);
        va_end(ap);
        fclose(file);
        assert_int_equal(rename(tmp, path), 0);
}

/* Writes text with the directory in place of each @. */
static inline void fake_web_expand(const struct fake_web *f, const char *text, char *buf, size_t size)
{
        size_t len = 0;

        for (; *text && len + sizeof(f->dir) < size; text++)
                if (*text == '@')
                        len += (size_t)sprintf(buf + len, "%s", f->dir);
                else
                        buf[len++] = *text;
        buf[len] = '\0';
}

/* A body as one string; caller frees. */
static inline char *fake_web_metrics(struct fake_web *f, enum expo_format format, double now)
{
        struct textbuf tail = { 0 }, all = { 0 };
        struct web_blob *body = web_metrics_get(&f->web, format, now, &tail);

        textbuf_add(&all, body->text.data, body->text.len);
        textbuf_add(&all, tail.data, tail.len);
        textbuf_char(&all, '\0');
        textbuf_done(&tail);
        web_blob_unref(body);
        return all.data;
}

#define STATUS_HEAD(boot) "{\"version\":1,\"host\":\"mx1\",\"health\":\"green\",\"health_why\":\"\",\"time\":1700000000,\"time_boot\":" boot ","

#endif
