/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* libmicrohttpd, driven by our own loop: one daemon per address, no threads. libmicrohttpd cuts connections on which
 * nothing moves; somebody who sends a byte now and then is cut here, for each step of a connection has its end. */

#include "web.h"

#include <math.h>
#include <microhttpd.h>
#include <netdb.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define REQUEST_MAX_S 10  /* from the connection, or the first line, to the whole request */
#define ANSWER_MAX_S 30   /* until the answer has been taken */
#define IDLE_MAX_S 65     /* until the next request: most scrape every 15 to 60 s */
#define QUIET_MAX_S 65    /* libmicrohttpd's own limit of no byte at all */
#define MEMORY_PER_CONNECTION (16 * 1024) /* also the most that the headers may have */
#define SEND_BUFFER (512 * 1024)          /* a body of metrics in one go */

struct connection {
        struct connection *next, **prev;
        struct sockaddr_storage address;
        int fd;
        double deadline; /* CLOCK_BOOTTIME; then it is cut */
};

struct web_server {
        struct web *w;
        int epoll_fd;
        struct MHD_Daemon *daemons[WEB_LISTEN_MAX];
        size_t n_daemons;
        struct connection *connections;
        size_t n_connections;
};

/* --- connections and their ends ------------------------------------------------------------------- */

static bool same_address(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
        const struct sockaddr_in *a4 = (const struct sockaddr_in *)a, *b4 = (const struct sockaddr_in *)b;
        const struct sockaddr_in6 *a6 = (const struct sockaddr_in6 *)a, *b6 = (const struct sockaddr_in6 *)b;

        if (a->ss_family != b->ss_family)
                return false;
        if (a->ss_family == AF_INET)
                return a4->sin_addr.s_addr == b4->sin_addr.s_addr;
        /* One customer of a provider has a /64. */
        return memcmp(&a6->sin6_addr, &b6->sin6_addr, 8) == 0;
}

static enum MHD_Result accept_policy(void *data, const struct sockaddr *address, socklen_t len)
{
        struct web_server *s = data;
        struct sockaddr_storage a = { 0 };
        size_t same = 0, most = s->w->settings.connections;

        memcpy(&a, address, MIN((size_t)len, sizeof(a)));
        for (const struct connection *c = s->connections; c; c = c->next)
                same += same_address(&c->address, &a);
        if (s->n_connections < most && same < MAX(most / 2, 2))
                return MHD_YES;
        s->w->counters.refused++;
        return MHD_NO;
}

static void connection_add(struct web_server *s, struct MHD_Connection *mhd, void **context)
{
        const union MHD_ConnectionInfo *fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
        const union MHD_ConnectionInfo *address = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
        struct connection *c = calloc(1, sizeof(*c));
        int size = SEND_BUFFER;

        if (!c)
                abort();
        c->fd = fd->connect_fd;
        c->deadline = web_boot() + REQUEST_MAX_S;
        if (address && address->client_addr)
                memcpy(&c->address, address->client_addr,
                       address->client_addr->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
        setsockopt(c->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
        c->next = s->connections;
        c->prev = &s->connections;
        if (c->next)
                c->next->prev = &c->next;
        s->connections = c;
        s->n_connections++;
        *context = c;
}

static void on_connection(void *data, struct MHD_Connection *mhd, void **context, enum MHD_ConnectionNotificationCode code)
{
        struct web_server *s = data;
        struct connection *c = *context;

        if (code == MHD_CONNECTION_NOTIFY_STARTED) {
                connection_add(s, mhd, context);
                return;
        }
        if (!c)
                return;
        *c->prev = c->next;
        if (c->next)
                c->next->prev = c->prev;
        s->n_connections--;
        free(c);
        *context = NULL;
}

static struct connection *connection_of(struct MHD_Connection *mhd)
{
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

        return info ? info->socket_context : NULL;
}

static void set_deadline(struct MHD_Connection *mhd, double seconds)
{
        struct connection *c = connection_of(mhd);

        if (c)
                c->deadline = web_boot() + seconds;
}

/* Stands for a request whose path was more than what libmicrohttpd hands on: it decodes %00 to the end of a string. */
static int cut_path;

/* The request line is complete. What is returned is the context of on_request(). */
static void *on_request_line(void *data UNUSED, const char *uri, struct MHD_Connection *mhd)
{
        set_deadline(mhd, REQUEST_MAX_S);
        return strstr(uri, "%00") ? &cut_path : NULL;
}

static void on_completed(void *data UNUSED, struct MHD_Connection *mhd, void **context UNUSED, enum MHD_RequestTerminationCode code UNUSED)
{
        set_deadline(mhd, IDLE_MAX_S);
}

static void cut_late(struct web_server *s)
{
        double now = web_boot();

        for (struct connection *c = s->connections; c; c = c->next)
                if (now > c->deadline) {
                        /* libmicrohttpd sees the end of the stream and cleans up. */
                        shutdown(c->fd, SHUT_RDWR);
                        c->deadline = INFINITY;
                        s->w->counters.cut++;
                }
}

/* --- one request ---------------------------------------------------------------------------------------- */

static void body_free(void *data)
{
        struct web_reply *r = data;

        web_reply_done(r);
        free(r);
}

/* Sends the shared body and the tail without copying either. */
static struct MHD_Response *make_response(struct web_reply *reply)
{
        static const char *const headers[][2] = {
                { "Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
                                             "form-action 'none'; frame-ancestors 'none'" },
                { "X-Content-Type-Options", "nosniff" },
                { "Referrer-Policy", "no-referrer" },
                { "Cross-Origin-Resource-Policy", "same-origin" },
                { "Cache-Control", "no-store" },
        };
        struct web_reply *r = malloc(sizeof(*r));
        struct MHD_IoVec parts[2];
        struct MHD_Response *response;
        unsigned n = 0;

        if (!r)
                abort();
        *r = *reply;
        *reply = (struct web_reply){ 0 };
        if (r->body && r->body->text.len)
                parts[n++] = (struct MHD_IoVec){ r->body->text.data, r->body->text.len };
        if (r->tail.len)
                parts[n++] = (struct MHD_IoVec){ r->tail.data, r->tail.len };
        response = MHD_create_response_from_iovec(parts, n, body_free, r);
        if (!response) {
                body_free(r);
                return NULL;
        }
        for (size_t i = 0; i < ARRAY_LEN(headers); i++)
                MHD_add_response_header(response, headers[i][0], headers[i][1]);
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, r->content_type);
        if (r->allow)
                MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, r->allow);
        if (r->authenticate)
                MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, r->authenticate);
        if (r->close)
                MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
        return response;
}

static const char *header(struct MHD_Connection *mhd, const char *name)
{
        return MHD_lookup_connection_value(mhd, MHD_HEADER_KIND, name);
}

static bool announces_body(struct MHD_Connection *mhd)
{
        const char *length = header(mhd, MHD_HTTP_HEADER_CONTENT_LENGTH);

        return header(mhd, MHD_HTTP_HEADER_TRANSFER_ENCODING) || (length && !streq(length, "0"));
}

static enum MHD_Result on_request(void *data, struct MHD_Connection *mhd, const char *url, const char *method, const char *version UNUSED,
                                  const char *upload UNUSED, size_t *upload_size UNUSED, void **context)
{
        struct web_server *s = data;
        struct web_request q = {
                .method = method, .path = url, .accept = header(mhd, MHD_HTTP_HEADER_ACCEPT),
                .authorization = header(mhd, MHD_HTTP_HEADER_AUTHORIZATION), .host = header(mhd, MHD_HTTP_HEADER_HOST),
                .refresh = MHD_lookup_connection_value(mhd, MHD_GET_ARGUMENT_KIND, "refresh"), .has_body = announces_body(mhd),
        };
        struct MHD_Response *response;
        struct web_reply reply;
        enum MHD_Result result;
        unsigned status;
        static int seen;

        if (*context == &cut_path)
                q.path = "";
        /* The first call comes after the headers. What has no body is answered at the second one, so that the
         * connection can be kept; a body is not waited for. */
        if (!*context && !q.has_body && (streq(method, "GET") || streq(method, "HEAD"))) {
                *context = &seen;
                return MHD_YES;
        }
        web_answer(s->w, &q, &reply);
        status = reply.status;
        response = make_response(&reply);
        if (!response)
                return MHD_NO;
        set_deadline(mhd, ANSWER_MAX_S);
        result = MHD_queue_response(mhd, status, response);
        MHD_destroy_response(response);
        return result;
}

/* --- the daemons ------------------------------------------------------------------------------------------ */

static void no_log(void *data UNUSED, const char *fmt UNUSED, va_list ap UNUSED)
{
        /* What strangers do wrong is counted, not logged: they must not be able to fill the journal. */
}

static struct MHD_Daemon *start_daemon(struct web_server *s, int fd)
{
        const struct web_settings *settings = &s->w->settings;
        static char priorities[] = "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:%SERVER_PRECEDENCE";
        struct MHD_OptionItem tls[] = {
                { MHD_OPTION_HTTPS_MEM_CERT, 0, settings->certificate },
                { MHD_OPTION_HTTPS_MEM_KEY, 0, settings->key },
                { MHD_OPTION_HTTPS_PRIORITIES, 0, priorities },
                { MHD_OPTION_END, 0, NULL },
        };
        unsigned flags = MHD_USE_EPOLL | MHD_USE_ERROR_LOG | (settings->certificate ? MHD_USE_TLS : 0);

        return MHD_start_daemon(flags, 0, accept_policy, s, on_request, s, MHD_OPTION_EXTERNAL_LOGGER, no_log, NULL,
                                MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, settings->connections + 8,
                                MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)QUIET_MAX_S,
                                MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY_PER_CONNECTION,
                                MHD_OPTION_NOTIFY_CONNECTION, on_connection, s, MHD_OPTION_NOTIFY_COMPLETED, on_completed, s,
                                MHD_OPTION_URI_LOG_CALLBACK, on_request_line, s, MHD_OPTION_STRICT_FOR_CLIENT, 1,
                                settings->certificate ? MHD_OPTION_ARRAY : MHD_OPTION_END, tls, MHD_OPTION_END);
}

static int open_socket(const struct web_listen *l, struct errinfo *err)
{
        _cleanup_close_ int fd = socket(l->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        socklen_t len = l->address.ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
        int on = 1;

        if (fd < 0)
                return err_set(err, neg_errno(), "%s: %s", l->text, strerror(errno));
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
        if (l->address.ss_family == AF_INET6)
                setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
        if (bind(fd, (const struct sockaddr *)&l->address, len) < 0 || listen(fd, 64) < 0)
                return err_set(err, neg_errno(), "cannot listen on %s: %s", l->text, strerror(errno));
        return take_fd(&fd);
}

static int start_one(struct web_server *s, const struct web_listen *l, struct errinfo *err)
{
        struct epoll_event event = { .events = EPOLLIN };
        const union MHD_DaemonInfo *info;
        struct MHD_Daemon *daemon;
        int fd = open_socket(l, err);

        if (fd < 0)
                return fd;
        daemon = start_daemon(s, fd);
        if (!daemon) {
                close(fd);
                return err_set(err, -EIO, "%s: the server does not start%s", l->text,
                               s->w->settings.certificate ? "; do tls_certificate and tls_key hold PEM texts that belong together?" : "");
        }
        s->daemons[s->n_daemons++] = daemon;
        info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD);
        event.data.fd = info->epoll_fd;
        if (epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, info->epoll_fd, &event) < 0)
                return err_set(err, neg_errno(), "%s: %s", l->text, strerror(errno));
        return 0;
}

int web_server_start(struct web *w, int epoll_fd, struct web_server **ret, struct errinfo *err)
{
        struct web_server *s = calloc(1, sizeof(*s));
        int r = 0;

        if (!s)
                abort();
        s->w = w;
        s->epoll_fd = epoll_fd;
        for (size_t i = 0; i < w->settings.n_listen && r >= 0; i++)
                r = start_one(s, &w->settings.listen[i], err);
        if (r < 0)
                web_server_stop(s);
        else
                *ret = s;
        return r;
}

void web_server_run(struct web_server *s)
{
        cut_late(s);
        for (size_t i = 0; i < s->n_daemons; i++)
                MHD_run(s->daemons[i]);
}

int web_server_timeout(struct web_server *s)
{
        double until = INFINITY, now = web_boot();
        unsigned long long ms;

        for (const struct connection *c = s->connections; c; c = c->next)
                until = fmin(until, c->deadline);
        for (size_t i = 0; i < s->n_daemons; i++)
                if (MHD_get_timeout(s->daemons[i], &ms) == MHD_YES)
                        until = fmin(until, now + (double)ms / 1000);
        if (isinf(until))
                return -1;
        return until <= now ? 0 : (int)fmin(ceil((until - now) * 1000), 60000);
}

void web_server_stop(struct web_server *s)
{
        if (!s)
                return;
        for (size_t i = 0; i < s->n_daemons; i++)
                MHD_stop_daemon(s->daemons[i]);
        free(s);
}
