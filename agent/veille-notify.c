/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* veille-notify: delivers one message by one sink. Reads one JSON object from standard input, answers with one line
 * on standard output, ends. Started by veille-notify --serve (notify_serve.c) for each connection to RUN/notify.sock, or by veilled itself. It opens no file of
 * ours: what it needs, secrets too, comes by standard input. Past its deadline it is killed by its own alarm. */

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include "alert_config.h"
#include "common_clock.h"
#include "common_life.h"
#include "notify.h"
#include "options.h"

#define REQUEST_MAX (8 * 1024 * 1024)
#define RESOLVE_S 25
#define REQUEST_WAIT_US (10 * USEC_PER_SEC)

#define CA_BUNDLE "/etc/ssl/certs/ca-certificates.crt"

struct own_options {
        bool serve;
        const char *life;
};

static const struct option_row own_rows[] = {
        { "serve", NULL, "waits on RUN/notify.sock and starts one for each message", offsetof(struct own_options, serve) },
        { "life", "DIR", "the copy in memory, default: " LIFE_DIR, offsetof(struct own_options, life) },
        { 0 },
};

static const struct program program = {
        .name = "veille-notify",
        .summary = "delivers one message by one sink",
        .options = own_rows,
        .notes = "Reads one request from standard input and answers with one line: see veille-notify(8).\n"
                 "To try a sink: veillectl test-alert\n",
};

static int (*const sinks[SINK_TYPE_MAX])(struct notify *n, struct errinfo *err) = {
        [SINK_MAIL] = notify_mail,       [SINK_WEBHOOK] = notify_webhook, [SINK_ALERTMANAGER] = notify_alertmanager,
        [SINK_JOURNAL] = notify_journal, [SINK_EXEC] = notify_exec,
};

/* Until the other end is done, one line is there, or the time is over. */
static char *read_request(size_t *ret_len)
{
        int64_t until = clock_boot_us() + REQUEST_WAIT_US;
        char *buf = NULL;
        size_t len = 0, size = 0;

        for (;;) {
                struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
                int64_t left = (until - clock_boot_us()) / USEC_PER_MSEC;
                ssize_t n;

                if (len == size) {
                        size = size ? size * 2 : 16384;
                        buf = size > REQUEST_MAX ? NULL : realloc(buf, size);
                        if (!buf)
                                return NULL;
                }
                if (left <= 0 || poll(&p, 1, (int)left) < 1)
                        break;
                n = read(STDIN_FILENO, buf + len, size - len);
                if (n < 0 && (errno == EINTR || errno == EAGAIN))
                        continue;
                if (n <= 0 || memchr(buf + len, '\n', (size_t)n)) {
                        len += (size_t)MAX(n, 0);
                        break;
                }
                len += (size_t)n;
        }
        *ret_len = len;
        return buf;
}

/* Whoever asked has gone: it has given this attempt up, and the next one has another number. Sending it now would be a copy that is
 * not marked as one. */
static bool is_given_up(void)
{
        struct pollfd p = { .fd = STDIN_FILENO };
        int type;
        socklen_t len = sizeof(type);

        return getsockopt(STDIN_FILENO, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && poll(&p, 1, 0) == 1 && p.revents & (POLLHUP | POLLERR);
}

const char *notify_ca(const struct notify *n, char *buf, size_t size)
{
        const char *own = notify_text(n->sink, "ca_file"), *path = life_file(n->life, *own ? own : CA_BUNDLE, buf, size);

        return *own || path == buf ? path : ""; /* cppcheck-suppress autoVariables ; the caller's */
}

static int answer(const struct notify *n, const json_t *found, int r, const struct errinfo *err)
{
        json_t *doc = found ? json_pack("{sb sO}", "ok", 1, "addresses", found) : r >= 0 ? json_pack("{sb ss}", "ok", 1, "text", n->text)
                             : json_pack("{sb ss sb}", "ok", 0, "error", err->text, "permanent", n->permanent);
        char *text;

        if (!doc) /* what the other end said was no UTF-8 */
                doc = json_pack("{sb ss ss sb}", "ok", r >= 0, "text", "", "error", strerror(r < 0 ? -r : EPROTO), "permanent", n->permanent);
        text = json_dumps(doc, JSON_COMPACT);
        json_decref(doc);
        if (!text)
                return 1;
        printf("%s\n", text);
        free(text);
        return fflush(stdout) == 0 && r >= 0 ? 0 : 1;
}

/* How long it may take, from now; past it the alarm ends whatever hangs: a library, a name server, a disk. */
static void set_deadline(struct notify *n, int64_t timeout_s)
{
        timeout_s = timeout_s < 1 || timeout_s > 300 ? 30 : timeout_s;
        n->until_us = clock_boot_us() + timeout_s * USEC_PER_SEC;
        alarm((unsigned)timeout_s + 3);
}

static int ping(const json_t *request, struct notify *n, struct errinfo *err)
{
        n->addresses = json_object_get(request, "addresses");
        set_deadline(n, json_integer_value(json_object_get(request, "timeout")));
        return notify_ping(n, notify_text(request, "ping"), err);
}

static int deliver(const json_t *request, struct notify *n, struct errinfo *err)
{
        const char *type;

        n->sink = json_object_get(request, "sink");
        n->message = json_object_get(request, "message");
        n->alerts = json_object_get(request, "alerts");
        n->addresses = json_object_get(request, "addresses");
        n->attempt = (int)MAX(json_integer_value(json_object_get(request, "attempt")), 1);
        type = notify_text(n->sink, "type");
        set_deadline(n, json_integer_value(json_object_get(n->sink, "timeout")));
        for (int i = 0; i < SINK_TYPE_MAX; i++) {
                if (!streq(type, sink_type_name((enum sink_type)i)))
                        continue;
                if (i == SINK_ALERTMANAGER ? !json_is_array(n->alerts) : !json_is_object(n->message))
                        break;
                return sinks[i](n, err);
        }
        n->permanent = true;
        return err_set(err, -EINVAL, "the request is none that veille-notify knows");
}

int main(int argc, char *argv[])
{
        struct common_options common = COMMON_OPTIONS_DEFAULT;
        struct own_options own = { .life = LIFE_DIR };
        struct errinfo err = { 0 };
        struct notify n = { 0 };
        json_t *request, *found = NULL;
        char *text, openssl[4096];
        size_t len = 0;
        int r = program_start(&program, &common, &own, &argc, argv, stdout, stderr);

        if (r <= 0)
                return r == 0 ? 0 : 3;
        signal(SIGPIPE, SIG_IGN);
        if (own.serve)
                return notify_serve(common.run, own.life);
        n.life = own.life;
        if (life_file(own.life, "/etc/ssl/openssl.cnf", openssl, sizeof(openssl)) == openssl)
                setenv("OPENSSL_CONF", openssl, 0);
        text = read_request(&len);
        request = text ? json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL) : NULL;
        free(text);
        if (is_given_up()) {
                json_decref(request);
                return 3;
        }
        if (*notify_text(request, "resolve")) {
                alarm(RESOLVE_S);
                found = notify_resolve(notify_text(request, "resolve"), &err);
                r = found ? 0 : -ENOENT;
        } else if (*notify_text(request, "ping")) {
                r = ping(request, &n, &err);
        } else {
                r = deliver(request, &n, &err);
        }
        notify_scrub(&n, n.text);
        notify_scrub(&n, err.text);
        r = answer(&n, found, r, &err);
        json_decref(found);
        json_decref(request);
        return r;
}
