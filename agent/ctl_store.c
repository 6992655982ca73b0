/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The client's end of the store's socket. */

#include "ctl_store.h"

#include "clean_text.h"
#include "common_clock.h"
#include "common_socket.h"
#include "ctl_snapshot.h"

#define WAIT_S 10
#define LINE_LIMIT (1024 * 1024)
#define LINES_MAX 200000 /* of one answer: 20000 series and what comes after them */

static int explain(const struct ctl_store *s, int r, struct errinfo *err)
{
        switch (-r) {
        case ENOENT:
        case ECONNREFUSED:
                return err_set(err, r, "%s: nobody answers there: veille-store is not running, or runs with another --run; try: systemctl status veille-store",
                               s->path);
        case EACCES:
        case EPERM:
                return err_set(err, r, "%s: you may not ask it; reading needs root or group veille", s->path);
        case ETIMEDOUT:
                return err_set(err, r, "veille-store does not answer within %d s: the disk with its database may hang; levels are in veillectl status, "
                               "which does not need it", WAIT_S);
        case ECONNRESET:
        case EPIPE:
                return err_set(err, r, "veille-store ended while it answered; try again");
        default:
                return err_set(err, r, "%s: %s", s->path, strerror(-r));
        }
}

int ctl_store_open(const struct common_options *options, struct ctl_store *s, struct errinfo *err)
{
        int fd, n = snprintf(s->path, sizeof(s->path), "%s/store.sock", options->run);

        if (n < 0 || (size_t)n >= sizeof(s->path))
                return err_set(err, -ENAMETOOLONG, "%s/store.sock: the path of a socket may have %zu bytes", options->run, sizeof(s->path) - 1);
        fd = socket_connect_unix(s->path, WAIT_S * 1000);
        if (fd < 0)
                return explain(s, fd, err);
        jsonl_init(&s->j, fd, LINE_LIMIT, LINE_LIMIT);
        return 0;
}

void ctl_store_close(struct ctl_store *s)
{
        jsonl_done(&s->j);
}

/* 1: more may come; 0: that was the end; negative with a sentence. */
static int take_line(json_t *line, const char *until, void (*fn)(void *, json_t *), void *data, struct errinfo *err)
{
        const char *t;
        int r;

        clean_json(line);
        t = ctl_text(line, "t");
        if (streq(t, "end"))
                return 0;
        if (streq(t, "error"))
                return err_set(err, -EIO, "veille-store: %s", ctl_text(line, "why"));
        r = !streq(t, until); /* fn may take the line apart */
        fn(data, line);
        return r;
}

static int ask(struct ctl_store *s, json_t *request, const char *until, void (*fn)(void *, json_t *), void *data, struct errinfo *err)
{
        int r = jsonl_put(&s->j, request);

        if (r == 0)
                r = jsonl_send_until(&s->j, clock_boot_us() + WAIT_S * USEC_PER_SEC);
        for (size_t i = 0; r == 0 && i < LINES_MAX; i++) {
                json_t *line = NULL;

                r = jsonl_next_until(&s->j, clock_boot_us() + WAIT_S * USEC_PER_SEC, &line);
                if (r == -EBADMSG || r == -EMSGSIZE)
                        return err_set(err, r, "veille-store gave an answer that makes no sense");
                if (r <= 0)
                        break;
                r = take_line(line, until, fn, data, err);
                json_decref(line);
                if (r <= 0)
                        return r;
                r = 0;
        }
        return r == 0 ? err_set(err, -EMSGSIZE, "veille-store gave an answer without an end") : explain(s, r, err);
}

int ctl_store_ask(struct ctl_store *s, json_t *request, void (*fn)(void *, json_t *), void *data, struct errinfo *err)
{
        return ask(s, request, "", fn, data, err);
}

struct trouble {
        char *buf;
        size_t size;
};

static void on_stats(void *data, json_t *line)
{
        struct trouble *t = data;

        snprintf(t->buf, t->size, "%s", ctl_text(line, "trouble"));
}

int ctl_store_trouble(struct ctl_store *s, char *buf, size_t size, struct errinfo *err)
{
        struct trouble t = { buf, size };

        buf[0] = '\0';
        return ask(s, json_pack("{ss}", "t", "stats"), "stats", on_stats, &t, err);
}

int ctl_store_begin(const struct common_options *options, struct ctl_store *s, struct errinfo *err)
{
        char why[1024];
        int r = ctl_store_open(options, s, err);

        if (r < 0)
                return r;
        r = ctl_store_trouble(s, why, sizeof(why), err);
        if (r < 0) {
                ctl_store_close(s);
                return r;
        }
        if (*why)
                fprintf(stderr, "veillectl: %s; what follows is only what veille-store has in memory\n", why);
        return 0;
}
