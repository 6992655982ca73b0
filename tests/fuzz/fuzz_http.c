/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* HTTP requests from strangers, byte by byte as they come over TCP: through libmicrohttpd, the server and the answers
 * of veille-web. Input: what is served (one byte, see enum), where the bytes are cut in two (one byte), then the bytes.
 * 0xff N C stands for 64 * N times C (N = 0: once), so that a short input can pass every limit of length.
 *
 * Whatever was sent: the server ends the connection when the client has said its last, each answer is HTTP with a body of
 * the length it says, only GET and HEAD get what they want, nobody does without the token, and no connection is lost. */

#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "fuzz_web.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
        FLAG_SERVER = 3,    /* which of servers[] */
        FLAG_ALIVE = 1 << 2, /* then a good request, on a connection of its own */
        FLAG_RESET = 1 << 3, /* the client is gone before it has read */
        FLAG_SILENT = 1 << 4, /* the brain has been silent for long */
        FLAG_END = 7 << 5,   /* the client says that it has said all; rare, for it costs a port for a minute */
};

#define SENT_MAX (256 * 1024)
#define ANSWER_MAX (4 * 1024 * 1024)
#define WAIT_MS 20000 /* a loaded machine may take long; libmicrohttpd itself would cut after 65 s */

static struct server {
        const char *token; /* in seeds; or one that nobody can know */
        bool known;
        struct web web;
        struct web_server *server;
        struct sockaddr_in address;
        int epoll_fd;
} servers[] = {
        { "", true },
        { "sesame-open-0123456789", true },
        { "", false },
};

static const char good_request[] = "GET /status.json HTTP/1.1\r\nHost: mx1\r\nConnection: close\r\n\r\n";

/* --- the servers ---------------------------------------------------------------------------------- */

static void write_files(void)
{
        static const char status[] =
                "{\"version\":1,\"host\":\"mx1\",\"health\":\"red\",\"health_why\":\"sda <is> failing\",\"time\":%f,\"time_boot\":%f,\"components\":["
                "{\"component\":\"sda\",\"kind\":\"disk\",\"id\":\"5000c500a0b1c2d3\",\"level\":\"critical\",\"why\":\"it is failing\",\"since\":1700000000,"
                "\"age_s\":7,\"rule\":\"disk_failed\",\"roles\":[\"mail\"],\"protected\":false,\"reasons\":[{\"rule\":\"disk_failed\",\"level\":"
                "\"critical\",\"text\":\"it is failing\",\"check\":\"smart\",\"instance\":\"sda\",\"since\":1700000000,\"age_s\":7,\"clears\":\"never\","
                "\"source\":\"the disk\",\"evidence\":\"hard\",\"hard\":true}]},"
                "{\"component\":\"/srv\",\"kind\":\"filesystem\",\"level\":\"ok\",\"why\":\"\",\"since\":1,\"age_s\":1,\"rule\":\"\"}],\"checks\":["
                "{\"check\":\"smart\",\"instance\":\"sda\",\"component\":\"sda\",\"result\":\"ok\",\"why\":\"\",\"age_s\":7,\"interval_s\":60,"
                "\"max_age_s\":180,\"next_s\":53,\"runs\":9,\"standby\":false}]}\n";
        static const char samples[] =
                "{\"version\":1,\"time_boot\":%f,\"samples\":[{\"m\":\"disk_temperature_celsius\",\"c\":\"smart\",\"i\":\"sda\",\"v\":41,\"t\":%f,\"l\":"
                "{\"device\":\"sda\"}},\n{\"m\":\"disk_info\",\"c\":\"smart\",\"i\":\"sda\",\"v\":1,\"t\":%f,\"l\":{\"device\":\"sda\",\"model\":\"A \\\"B\\\"\\\\C\"}}]}\n";
        static const char catalog[] =
                "{\"protocol\":1,\"checks\":[{\"name\":\"smart\",\"interval_s\":60,\"deadline_s\":30,\"privilege\":\"disk\",\"metrics\":["
                "{\"name\":\"disk_temperature_celsius\",\"kind\":\"gauge\",\"unit\":\"celsius\",\"help\":\"temperature\"},"
                "{\"name\":\"disk_info\",\"kind\":\"gauge\",\"unit\":\"\",\"help\":\"what it is\"}],\"rules\":[]}]}\n";
        static const char plots[] =
                "{\"version\":1,\"time\":1700000000,\"plots\":[{\"component\":\"sda\",\"metric\":\"disk_temperature_celsius\",\"unit\":\"celsius\","
                "\"labels\":{},\"points\":[[1699990000,40,39,41],[1699993600,41,40,42]]}],\"events\":[{\"time\":1699990000,\"component\":\"sda\","
                "\"from\":\"ok\",\"to\":\"critical\",\"why\":\"it is failing\"}]}\n";
        char text[4096];
        double boot = web_boot();
        int n = snprintf(text, sizeof(text), status, web_wall() - 10, boot - 10); /* old enough to be called silent */

        fuzz_web_file("status.json", text, (size_t)n);
        n = snprintf(text, sizeof(text), samples, boot, boot, boot);
        fuzz_web_file("samples.json", text, (size_t)n);
        fuzz_web_file("catalog.json", catalog, strlen(catalog));
        fuzz_web_file("plots.json", plots, strlen(plots));
}

/* The port that the kernel chose: of the one socket that listens and is not among those before. */
static struct sockaddr_in listening_at(const struct server *me)
{
        for (int fd = 3; fd < 1024; fd++) {
                struct sockaddr_in address;
                socklen_t len = sizeof(address), int_len = sizeof(int);
                int listens = 0;
                bool old = false;

                if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &int_len) < 0 || !listens ||
                    getsockname(fd, (struct sockaddr *)&address, &len) < 0 || address.sin_family != AF_INET)
                        continue;
                for (const struct server *s = servers; s < me; s++)
                        old |= s->address.sin_port == address.sin_port;
                if (!old)
                        return address;
        }
        abort();
}

static void start(struct server *s)
{
        static char secret[33];
        struct web *w = &s->web;
        struct sockaddr_in *address = (struct sockaddr_in *)&w->settings.listen[0].address;
        struct errinfo err = { 0 };

        fuzz_web_init(w);
        w->settings.silent_after_s = 100000000;
        for (size_t i = 0; !s->known && i < sizeof(secret) - 1; i++)
                secret[i] = (char)('!' + random() % 90);
        snprintf(w->settings.token, sizeof(w->settings.token), "%s", s->known ? s->token : secret);
        w->settings.hosts[w->settings.n_hosts++] = strdup("mail.example.org");
        w->settings.compat = s->known && *s->token ? WEB_COMPAT_NODE | WEB_COMPAT_SMARTCTL : 0;
        address->sin_family = AF_INET;
        address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        strcpy(w->settings.listen[0].text, "127.0.0.1:0");
        w->settings.n_listen = 1;
        s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        if (s->epoll_fd < 0 || web_server_start(w, s->epoll_fd, &s->server, &err) < 0)
                abort();
        s->address = listening_at(s);
}

static void stop_all(void)
{
        for (size_t i = 0; i < ARRAY_LEN(servers); i++) {
                web_server_stop(servers[i].server);
                fuzz_web_done(&servers[i].web);
                close(servers[i].epoll_fd);
                free(servers[i].web.settings.hosts[0]);
        }
}

/* --- the client ----------------------------------------------------------------------------------- */

struct client {
        int fd;
        const uint8_t *data;
        size_t size, sent, hold; /* not beyond hold before the server has seen the first part */
        char *answer;            /* of ANSWER_MAX + 1 */
        size_t len;
        bool ended, says_end, shut;
};

static void client_send(struct client *c)
{
        while (c->sent < MIN(c->hold, c->size)) {
                ssize_t n = send(c->fd, c->data + c->sent, MIN(c->hold, c->size) - c->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

                if (n < 0 && errno == EAGAIN)
                        return;
                if (n < 0) { /* cut by the server, which need not read all of it */
                        c->sent = c->size;
                        return;
                }
                c->sent += (size_t)n;
        }
}

static void client_receive(struct client *c)
{
        while (!c->ended) {
                ssize_t n = recv(c->fd, c->answer + c->len, ANSWER_MAX - c->len, MSG_DONTWAIT);

                if (n < 0 && errno == EAGAIN)
                        return;
                c->ended = n <= 0;
                if (n > 0)
                        c->len += (size_t)n;
        }
}

static int64_t now_ms(void)
{
        return (int64_t)(web_boot() * 1000);
}

static void client_connect(struct client *c, const struct server *s)
{
        static uint32_t count;
        struct sockaddr_in from = { .sin_family = AF_INET };
        struct linger reset = { 1, 0 }; /* no TIME_WAIT: there are more of us than ports */
        int on = 1;

        from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + count++ % 200);
        c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (c->fd < 0 || bind(c->fd, (const struct sockaddr *)&from, sizeof(from)) < 0 || connect(c->fd, (const struct sockaddr *)&s->address, sizeof(s->address)) < 0)
                abort();
        setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

/* As libmicrohttpd reads: empty lines before a request are skipped, and a text ends at a NUL. */
static bool has_method(const struct client *c, const char *method)
{
        size_t i = 0, len = strlen(method);

        while (i < c->size && strchr("\r\n", c->data[i])) {
                const uint8_t *end = memchr(c->data + i, '\n', c->size - i);

                if (!end || (c->data[i] == '\r' && end != c->data + i + 1))
                        break;
                i = (size_t)(end - c->data) + 1;
        }
        return c->size - i > len && memcmp(c->data + i, method, len) == 0 && (c->data[i + len] == ' ' || c->data[i + len] == '\0');
}

static const char *header_value(const char *head, size_t len, const char *name)
{
        char line[64];
        const char *found;

        snprintf(line, sizeof(line), "\r\n%s: ", name);
        found = memmem(head, len, line, strlen(line));
        return found ? found + strlen(line) : NULL;
}

/* Of the first answer, if all of it is there. */
static bool split_answer(const struct client *c, size_t *ret_head, size_t *ret_body)
{
        const char *end = memmem(c->answer, c->len, "\r\n\r\n", 4), *length;

        if (!end)
                return false;
        *ret_head = (size_t)(end - c->answer) + 2;
        length = header_value(c->answer, *ret_head, "Content-Length");
        assert(length);
        *ret_body = has_method(c, "HEAD") ? 0 : strtoul(length, NULL, 10);
        return c->len - *ret_head - 2 >= *ret_body;
}

/* Is there something to do now, for one side or the other? */
static bool is_quiet(const struct server *s, const struct client *c, int wait_ms)
{
        struct pollfd p[2] = { { .fd = s->epoll_fd, .events = POLLIN }, { .fd = c->fd, .events = POLLIN } };

        return web_server_timeout(s->server) != 0 && poll(p, ARRAY_LEN(p), wait_ms) == 0;
}

/* Something that looks like a whole request, so that the server must not wait for more. */
static bool is_whole_get(const struct client *c)
{
        const uint8_t *end = memmem(c->data, c->size, "\r\n\r\n", 4);

        return end && has_method(c, "GET") && memcmp(c->data, "GET", 3) == 0 && !memchr(c->data, '\0', (size_t)(end - c->data));
}

/* Both sides in turn until the server ends the connection or, with all said, keeps it for the next request; then
 * the client goes. */
static void talk(struct server *s, struct client *c)
{
        bool wants_answer = is_whole_get(c);
        int64_t end = now_ms() + WAIT_MS;
        size_t head, body;

        for (int quiet = 0; !c->ended;) {
                client_send(c);
                web_server_run(s->server);
                c->hold = c->size;
                client_receive(c);
                quiet = c->sent == c->size && is_quiet(s, c, quiet > 3) ? quiet + 1 : 0;
                /* Only when the server has read all: libmicrohttpd does not see an end that comes together with bytes. */
                if (quiet == 2 && c->says_end && !c->shut) {
                        shutdown(c->fd, SHUT_WR);
                        c->shut = true;
                        quiet = 0;
                }
                if (quiet >= 3 && (split_answer(c, &head, &body) || !wants_answer))
                        break;
                if (now_ms() > end) {
                        fprintf(stderr, "no answer and no end\n");
                        abort();
                }
        }
        close(c->fd);
        web_server_run(s->server);
        c->answer[c->len] = '\0';
}

/* --- what came back ------------------------------------------------------------------------------- */

static void look_at_body(const char *type, const char *body, size_t len)
{
        if (str_starts(type, "application/json")) {
                json_t *doc = json_loadb(body, len, 0, NULL);

                assert(json_is_object(doc));
                json_decref(doc);
        } else if (str_starts(type, "text/html")) {
                assert(len > 20 && str_starts(body, "<!DOCTYPE html>") && memcmp(body + len - 8, "</html>\n", 8) == 0);
        } else if (str_starts(type, "application/openmetrics-text")) {
                assert(len > 6 && memcmp(body + len - 6, "# EOF\n", 6) == 0);
        }
        assert(len > 0 && body[len - 1] == '\n');
}

/* The first answer; those to pipelined requests would want to know their methods. 0: there is none. */
static unsigned look_at_answer(const struct client *c)
{
        unsigned status, minor;
        size_t head, body;
        const char *type;

        if (c->len == 0)
                return 0;
        assert(split_answer(c, &head, &body) && !memchr(c->answer, '\0', head));
        assert(sscanf(c->answer, "HTTP/1.%1u %3u ", &minor, &status) == 2);
        assert(status == 200 || status == 503 || (status >= 400 && status < 506));
        /* Those that libmicrohttpd says of its own (too long, no HTTP) have no type. */
        type = header_value(c->answer, head, "Content-Type");
        assert(type || status >= 400);
        assert(!type || header_value(c->answer, head, "Content-Security-Policy"));
        if (type && body)
                look_at_body(type, c->answer + head + 2, body);
        return status;
}

static uint8_t *expand(const uint8_t *data, size_t size, size_t *ret)
{
        uint8_t *out = malloc(SENT_MAX);
        size_t n = 0;

        for (size_t i = 0; i < size; i++)
                if (data[i] == 0xff && i + 2 < size) {
                        size_t times = data[i + 1] ? MIN((size_t)data[i + 1] * 64, SENT_MAX - n) : MIN(1u, SENT_MAX - n);

                        memset(out + n, data[i + 2], times);
                        n += times;
                        i += 2;
                } else if (n < SENT_MAX) {
                        out[n++] = data[i];
                }
        *ret = n;
        return out;
}

static void look_alive(struct server *s, char *answer)
{
        struct client c = { .data = (const uint8_t *)good_request, .size = strlen(good_request), .hold = SENT_MAX, .answer = answer };

        client_connect(&c, s);
        talk(s, &c);
        assert(look_at_answer(&c) == (*s->web.settings.token ? 401 : 200));
}

static void make_silent(struct server *s, bool silent)
{
        int after = silent ? 1 : 100000000;

        if (s->web.settings.silent_after_s == after)
                return;
        s->web.settings.silent_after_s = after;
        /* As if it had passed since the last answer. */
        web_metrics_free(&s->web);
        s->web.metrics = NULL;
        s->web.page = web_blob_unref(s->web.page);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static char *answer;
        uint8_t flags = size > 0 ? data[0] : 0;
        struct server *s = &servers[(flags & FLAG_SERVER) % ARRAY_LEN(servers)];
        struct client c = { .hold = size > 1 ? data[1] : 0, .says_end = (flags & FLAG_END) == FLAG_END };
        uint64_t refused;
        unsigned status;
        uint8_t *bytes;

        if (!answer) {
                fuzz_web_init(&servers[0].web); /* RUN */
                write_files();
                for (size_t i = 0; i < ARRAY_LEN(servers); i++)
                        start(&servers[i]);
                answer = malloc(ANSWER_MAX + 1);
                atexit(stop_all);
        }
        make_silent(s, flags & FLAG_SILENT);
        bytes = expand(data + MIN(size, 2u), size - MIN(size, 2u), &c.size);
        c.data = bytes;
        c.answer = answer;
        refused = s->web.counters.refused;
        client_connect(&c, s);
        if (flags & FLAG_RESET) {
                c.hold = c.size;
                client_send(&c);
                web_server_run(s->server);
                close(c.fd);
                for (int i = 0; i < 3; i++)
                        web_server_run(s->server);
        } else {
                talk(s, &c);
                status = look_at_answer(&c);
                assert(status != 200 || has_method(&c, "GET") || has_method(&c, "HEAD"));
                assert(s->known || status != 200);
        }
        if (flags & FLAG_ALIVE)
                look_alive(s, answer);
        assert(s->web.counters.refused == refused);
        free(bytes);
        return 0;
}
