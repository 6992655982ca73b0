/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The HTTPS server, by libmicrohttpd. Everybody may connect, and is asked for a certificate; the key in it decides. TLS proves that
 * the other end has the private half, nothing else of the certificate is looked at. */

#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <math.h>
#include <microhttpd.h>

#include "common_clock.h"
#include "peer.h"
#include "textbuf.h"

#define CONNECTIONS 64
#define CONNECTIONS_OF_ONE 12
#define QUIET_MAX_S 15
#define CONNECTION_MAX_US (40 * USEC_PER_SEC)
#define MEMORY_PER_CONNECTION (32 * 1024)

struct connection {
        struct sockaddr_storage sa;
        int fd;
        int64_t until_us;
        struct connection *next;
};

struct peer_server {
        struct peerd *d;
        struct MHD_Daemon *daemons[PEER_LISTEN_MAX];
        int epoll_fds[PEER_LISTEN_MAX];
        size_t n;
        struct connection *connections;
};

struct request {
        struct textbuf body;
        bool too_large;
};

static void address_text(const struct sockaddr_storage *sa, char *buf, size_t size)
{
        const struct sockaddr_in *in = (const struct sockaddr_in *)sa;
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)sa;

        *buf = '\0';
        if (sa->ss_family == AF_INET)
                inet_ntop(AF_INET, &in->sin_addr, buf, (socklen_t)size);
        else if (sa->ss_family == AF_INET6)
                inet_ntop(AF_INET6, &in6->sin6_addr, buf, (socklen_t)size);
}

/* --- connections --------------------------------------------------------------------------------------------------------- */

static void copy_address(const struct sockaddr *from, socklen_t len, struct sockaddr_storage *to)
{
        *to = (struct sockaddr_storage){ 0 };
        memcpy(to, from, MIN((size_t)len, sizeof(*to)));
}

/* One address must not take all places. */
static enum MHD_Result on_accept(void *data, const struct sockaddr *sa, socklen_t len)
{
        struct peer_server *s = data;
        struct sockaddr_storage from;
        char mine[64], theirs[64];
        size_t n = 0;

        copy_address(sa, len, &from);
        address_text(&from, mine, sizeof(mine));
        for (const struct connection *c = s->connections; c; c = c->next) {
                address_text(&c->sa, theirs, sizeof(theirs));
                n += streq(mine, theirs);
        }
        return n < CONNECTIONS_OF_ONE ? MHD_YES : MHD_NO;
}

static void on_connection(void *data, struct MHD_Connection *mhd, void **context, enum MHD_ConnectionNotificationCode code)
{
        struct peer_server *s = data;
        struct connection *c = *context;

        if (code == MHD_CONNECTION_NOTIFY_STARTED) {
                const union MHD_ConnectionInfo *sa = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
                const union MHD_ConnectionInfo *fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);

                c = calloc(1, sizeof(*c));
                if (!c)
                        abort();
                if (sa && sa->client_addr)
                        copy_address(sa->client_addr, sa->client_addr->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6), &c->sa);
                c->fd = fd ? fd->connect_fd : -1;
                c->until_us = clock_boot_us() + CONNECTION_MAX_US;
                c->next = s->connections;
                s->connections = c;
                *context = c;
                return;
        }
        for (struct connection **p = &s->connections; c && *p; p = &(*p)->next)
                if (*p == c) {
                        *p = c->next;
                        free(c);
                        break;
                }
        *context = NULL;
}

/* libmicrohttpd cuts who says nothing; who says a byte now and then is cut here. */
static void cut_late(struct peer_server *s)
{
        int64_t now = clock_boot_us();

        for (struct connection *c = s->connections; c; c = c->next)
                if (now > c->until_us && c->fd >= 0) {
                        shutdown(c->fd, SHUT_RDWR);
                        c->fd = -1;
                }
}

/* --- one request ------------------------------------------------------------------------------------------------------------ */

/* The pin of whoever is at the other end; false: it showed no key. */
static bool who(struct MHD_Connection *mhd, char pin[PEER_PIN_LEN + 1])
{
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
        const gnutls_datum_t *chain;
        unsigned n = 0;

        if (!info || gnutls_certificate_type_get2(info->tls_session, GNUTLS_CTYPE_PEERS) != GNUTLS_CRT_X509)
                return false;
        chain = gnutls_certificate_get_peers(info->tls_session, &n);
        return chain && n > 0 && peer_key_pin_der(chain[0].data, chain[0].size, pin) == 0;
}

static unsigned heartbeat(struct peerd *d, struct peer *p, const char *body, size_t len, json_t **ret)
{
        struct errinfo err = { 0 };
        struct peer_heartbeat h;

        if (peer_heartbeat_parse(body, len, &h, &err) < 0) {
                *ret = peer_answer_make(false, false, err.text, NULL);
                return 400;
        }
        peer_heart(d, p, &h, true);
        *ret = peer_answer_make(true, false, "", peer_heartbeat_now(d));
        return 200;
}

unsigned peer_answer(struct peerd *d, struct peer *p, const char *method, const char *path, const char *body, size_t len, json_t **ret)
{
        if (streq(path, "/v1/hello") && streq(method, "GET")) { /* for pairing; tells nothing but a name */
                *ret = peer_answer_make(true, false, d->host, NULL);
                return 200;
        }
        if (!p) {
                *ret = peer_answer_make(false, false, "your key is not known here", NULL);
                return 403;
        }
        if (streq(path, "/v1/heartbeat") && streq(method, "POST"))
                return heartbeat(d, p, body, len, ret);
        if (streq(path, "/v1/letter") && streq(method, "POST"))
                return peer_mail_take(d, p, body, len, ret);
        *ret = peer_answer_make(false, false, "there is no such thing", NULL);
        return 404;
}

static enum MHD_Result send_answer(struct MHD_Connection *mhd, unsigned status, json_t *doc)
{
        char *text = json_dumps(doc, JSON_COMPACT | JSON_REAL_PRECISION(15));
        struct MHD_Response *response;
        enum MHD_Result result;

        json_decref(doc);
        if (!text)
                return MHD_NO;
        response = MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE);
        if (!response) {
                free(text);
                return MHD_NO;
        }
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
        result = MHD_queue_response(mhd, status, response);
        MHD_destroy_response(response);
        return result;
}

static enum MHD_Result on_request(void *data, struct MHD_Connection *mhd, const char *url, const char *method, const char *version UNUSED,
                                  const char *upload, size_t *upload_size, void **context)
{
        struct peer_server *s = data;
        struct request *q = *context;
        char pin[PEER_PIN_LEN + 1] = "";
        struct peer *p = NULL;
        json_t *doc = NULL;
        unsigned status;

        if (!q) {
                q = *context = calloc(1, sizeof(*q));
                if (!q)
                        abort();
                return MHD_YES;
        }
        if (*upload_size) { /* read to its end, so that the answer is read, but no more than that is kept */
                q->too_large |= q->body.len + *upload_size > PEER_LETTER_MAX;
                if (!q->too_large)
                        textbuf_add(&q->body, upload, *upload_size);
                *upload_size = 0;
                return MHD_YES;
        }
        if (who(mhd, pin))
                p = peer_by_pin(s->d, pin);
        if (!p && *pin) {
                const union MHD_ConnectionInfo *socket_context = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
                const struct connection *c = socket_context ? socket_context->socket_context : NULL;
                char address[64] = "";

                if (c)
                        address_text(&c->sa, address, sizeof(address));
                peer_note_pending(s->d, pin, address);
        }
        if (q->too_large && p) {
                doc = peer_answer_make(false, false, "the request is too large", NULL);
                status = 413;
        } else {
                status = peer_answer(s->d, p, method, url, q->body.data ? q->body.data : "", q->body.len, &doc);
        }
        return send_answer(mhd, status, doc);
}

static void on_completed(void *data UNUSED, struct MHD_Connection *mhd UNUSED, void **context, enum MHD_RequestTerminationCode code UNUSED)
{
        struct request *q = *context;

        if (q) {
                textbuf_done(&q->body);
                free(q);
        }
        *context = NULL;
}

/* --- listening ---------------------------------------------------------------------------------------------------------------- */

static void no_log(void *data UNUSED, const char *fmt UNUSED, va_list ap UNUSED)
{
        /* Strangers must not be able to fill the journal. */
}

static int open_socket(const struct peer_address *a, struct errinfo *err)
{
        _cleanup_close_ int fd = socket(a->sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        socklen_t len = a->sa.ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
        int on = 1;

        if (fd < 0)
                return err_set(err, neg_errno(), "%s: %s", a->text, strerror(errno));
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
        /* An address that comes later (a bond, a lease) is no reason to fail now. */
        setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof(on));
        if (a->sa.ss_family == AF_INET6)
                setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
        if (bind(fd, (const struct sockaddr *)&a->sa, len) < 0 || listen(fd, 64) < 0)
                return err_set(err, neg_errno(), "cannot listen on %s port %d: %s", a->text, a->port, strerror(errno));
        return take_fd(&fd);
}

static int start_one(struct peer_server *s, const struct peer_address *a, struct errinfo *err)
{
        static char priorities[] = "SECURE128:-VERS-ALL:+VERS-TLS1.3:%SERVER_PRECEDENCE";
        struct MHD_OptionItem tls[] = {
                { MHD_OPTION_HTTPS_MEM_CERT, 0, s->d->cert_pem },
                { MHD_OPTION_HTTPS_MEM_KEY, 0, s->d->key_pem },
                { MHD_OPTION_HTTPS_MEM_TRUST, 0, s->d->cert_pem }, /* makes it ask for a certificate; whose is looked at by who() */
                { MHD_OPTION_HTTPS_PRIORITIES, 0, priorities },
                { MHD_OPTION_END, 0, NULL },
        };
        const union MHD_DaemonInfo *info;
        struct MHD_Daemon *daemon;
        int fd = open_socket(a, err);

        if (fd < 0)
                return fd;
        daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_ERROR_LOG | MHD_USE_TLS, 0, on_accept, s, on_request, s, MHD_OPTION_EXTERNAL_LOGGER, no_log, NULL,
                                  MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
                                  (unsigned)QUIET_MAX_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY_PER_CONNECTION, MHD_OPTION_NOTIFY_CONNECTION,
                                  on_connection, s, MHD_OPTION_NOTIFY_COMPLETED, on_completed, s, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_ARRAY, tls,
                                  MHD_OPTION_END);
        if (!daemon) {
                close(fd);
                return err_set(err, -EIO, "%s port %d: the server does not start", a->text, a->port);
        }
        info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD);
        s->epoll_fds[s->n] = info->epoll_fd;
        s->daemons[s->n++] = daemon;
        return 0;
}

int peer_server_start(struct peerd *d, struct errinfo *err)
{
        struct peer_server *s = d->server = calloc(1, sizeof(*s));
        int r = 0;

        if (!s)
                abort();
        s->d = d;
        for (size_t i = 0; i < d->config.n_listen && r >= 0; i++) {
                r = start_one(s, &d->config.listen[i], err);
                if (r == -EAFNOSUPPORT && d->config.listen_default)
                        r = 0;
        }
        return r >= 0 && s->n == 0 ? err_set(err, -EAFNOSUPPORT, "there is no address to listen on") : r;
}

size_t peer_server_fds(struct peerd *d, struct curl_waitfd *fds, size_t max)
{
        size_t n = 0;

        for (; n < MIN(d->server->n, max); n++)
                fds[n] = (struct curl_waitfd){ .fd = d->server->epoll_fds[n], .events = CURL_WAIT_POLLIN };
        return n;
}

int peer_server_timeout_ms(struct peerd *d)
{
        int least = -1;

        for (size_t i = 0; i < d->server->n; i++) {
                MHD_UNSIGNED_LONG_LONG ms;

                if (MHD_get_timeout(d->server->daemons[i], &ms) == MHD_YES)
                        least = least < 0 ? (int)MIN(ms, 10000) : MIN(least, (int)MIN(ms, 10000));
        }
        return least;
}

void peer_server_run(struct peerd *d)
{
        cut_late(d->server);
        for (size_t i = 0; i < d->server->n; i++)
                MHD_run(d->server->daemons[i]);
}

void peer_server_stop(struct peerd *d)
{
        if (!d->server)
                return;
        for (size_t i = 0; i < d->server->n; i++)
                MHD_stop_daemon(d->server->daemons[i]);
        free(d->server);
        d->server = NULL;
}
