/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* RUN/peer.sock: JSON lines (docs/protocols.md). The brain holds one connection and is told what changes; veillectl asks one thing a
 * connection. Who may act is asked of the kernel each time. */

#include <grp.h>
#include <sys/socket.h>

#include "common_clock.h"
#include "common_socket.h"
#include "peer.h"
#include "utf8.h"

#define LINE_MAX_LEN (PEER_LETTER_MAX + 4096)
#define OUT_MAX (2 * 1024 * 1024)
#define CLIENT_US (30 * USEC_PER_SEC)
#define LOOK_US (10 * USEC_PER_SEC)
#define TELL_EVERY_US (5 * USEC_PER_SEC)
#define ADMIN_GROUP "veille-admin"

struct client {
        struct jsonl j;
        bool brain, may_act, is_us, used; /* used: its place is taken */
        bool waits;                       /* for the end of a look at another host */
        int64_t until_us;
        unsigned number;                  /* tells it from another that has its place later */
};

struct peer_link {
        int fd;
        struct client clients[PEER_CLIENTS_MAX];
        unsigned numbers;
        int64_t told_us;
        bool has_admin;
        gid_t admin;
};

static void client_end(struct client *c)
{
        if (c->used)
                jsonl_done(&c->j);
        *c = (struct client){ 0 };
}

static struct client *brain_of(const struct peer_link *l)
{
        for (size_t i = 0; l && i < PEER_CLIENTS_MAX; i++)
                if (l->clients[i].used && l->clients[i].brain)
                        return (struct client *)&l->clients[i];
        return NULL;
}

bool peer_link_brain(const struct peerd *d)
{
        return brain_of(d->link) != NULL;
}

int peer_link_tell(struct peerd *d, json_t *line)
{
        struct client *c = brain_of(d->link);
        int r = c ? jsonl_put(&c->j, line) : -ENOTCONN;

        if (!c)
                json_decref(line);
        if (r < 0)
                return r;
        r = jsonl_flush(&c->j);
        if (r < 0 && r != -EAGAIN) {
                client_end(c);
                return r;
        }
        return 0;
}

static void tell_brain(struct peerd *d, int64_t now)
{
        json_t *doc;

        d->link->told_us = now;
        d->changed = false;
        if (!peer_link_brain(d))
                return;
        doc = peer_table_json(d);
        json_object_set_new(doc, "t", json_string("peers"));
        peer_link_tell(d, doc);
}

/* --- veillectl -------------------------------------------------------------------------------------------------------------- */

static json_t *failure(const char *text)
{
        return json_pack("{sb so}", "ok", 0, "error", utf8_json(text));
}

static void answer(struct client *c, json_t *doc)
{
        jsonl_put(&c->j, doc);
        jsonl_flush(&c->j);
}

static json_t *do_list(struct peerd *d, const json_t *request UNUSED)
{
        json_t *doc = peer_table_json(d);

        json_object_set_new(doc, "ok", json_true());
        return doc;
}

static json_t *do_pair(struct peerd *d, const json_t *request)
{
        const char *name = json_string_value(json_object_get(request, "name")), *address = json_string_value(json_object_get(request, "address"));
        const char *fingerprint = json_string_value(json_object_get(request, "fingerprint"));
        json_int_t port = json_integer_value(json_object_get(request, "port"));
        struct errinfo err = { 0 };
        char pin[PEER_PIN_LEN + 1];

        if (!name || !address || !fingerprint || port < 1 || port > 65535)
                return failure("say name, address, port and fingerprint");
        if (peer_pin_parse(fingerprint, pin) < 0)
                return failure("this is no fingerprint: SHA256: and 43 characters, as veillectl peer fingerprint shows it");
        return peer_table_pair(d, name, address, (int)port, pin, &err) < 0 ? failure(err.text) : json_pack("{sb}", "ok", 1);
}

static json_t *do_remove(struct peerd *d, const json_t *request)
{
        const char *name = json_string_value(json_object_get(request, "name"));
        struct errinfo err = { 0 };

        if (!name)
                return failure("say which peer");
        return peer_table_remove(d, name, &err) < 0 ? failure(err.text) : json_pack("{sb}", "ok", 1);
}

struct look {
        unsigned client;
};

static void on_looked(struct peer_call *call)
{
        struct look *look = call->data;
        struct peer_link *l = call->d->link;
        struct peer_answer a = { 0 };
        struct errinfo err = { 0 };

        for (size_t i = 0; l && i < PEER_CLIENTS_MAX; i++) {
                struct client *c = &l->clients[i];

                if (!c->used || c->number != look->client)
                        continue;
                c->waits = false;
                if (call->code != CURLE_OK)
                        answer(c, failure(*call->error ? call->error : curl_easy_strerror(call->code)));
                else if (!*call->pin || peer_answer_parse(call->answer, call->answer_len, &a, &err) < 0)
                        answer(c, failure("who answers there is no veille-peer"));
                else
                        answer(c, json_pack("{sb so so}", "ok", 1, "fingerprint", json_sprintf("SHA256:%s", call->pin), "host", utf8_json(a.text)));
        }
}

/* The key and the name of whoever answers at an address: for a person to compare, nothing is believed. NULL: the answer comes later. */
static json_t *do_look(struct peerd *d, struct client *c, const json_t *request)
{
        const char *address = json_string_value(json_object_get(request, "address"));
        struct peer_call call = { .done = on_looked };
        struct errinfo err = { 0 };
        struct peer_address a;
        struct look *look;

        if (!address || peer_address_parse(address, (int)json_integer_value(json_object_get(request, "port")), &a, &err) < 0)
                return failure(*err.text ? err.text : "say which address");
        look = calloc(1, sizeof(*look));
        if (!look)
                abort();
        look->client = c->number;
        call.data = look;
        if (peer_call_start(d, &a, "/v1/hello", NULL, LOOK_US, &call) < 0) {
                free(look);
                return failure("too much is under way");
        }
        c->waits = true;
        return NULL;
}

static void on_line(struct peerd *d, struct client *c, const json_t *line)
{
        static const struct {
                const char *cmd;
                bool acts;
                json_t *(*fn)(struct peerd *d, const json_t *request);
        } commands[] = { { "list", false, do_list }, { "pair", true, do_pair }, { "remove", true, do_remove } };
        const char *cmd = json_string_value(json_object_get(line, "cmd")), *t = json_string_value(json_object_get(line, "t"));

        if (t && c->brain && streq(t, "hand")) {
                peer_mail_hand(d, line);
        } else if (t && c->brain && streq(t, "taken")) {
                peer_mail_taken(d, line);
        } else if (cmd && streq(cmd, "brain") && c->is_us) {
                if (brain_of(d->link))
                        client_end(brain_of(d->link)); /* a new one was started */
                c->brain = true;
                d->changed = true;
        } else if (cmd && streq(cmd, "look")) {
                json_t *doc = c->may_act ? do_look(d, c, line) : failure("pairing is for root and members of group " ADMIN_GROUP);

                if (doc)
                        answer(c, doc);
        } else if (cmd) {
                json_t *doc = failure("the request is none that veille-peer knows");

                for (size_t i = 0; i < ARRAY_LEN(commands); i++)
                        if (streq(cmd, commands[i].cmd)) {
                                json_decref(doc);
                                doc = commands[i].acts && !c->may_act ? failure("this is for root and members of group " ADMIN_GROUP)
                                                                      : commands[i].fn(d, line);
                                break;
                        }
                answer(c, doc);
        }
}

/* --- the socket ------------------------------------------------------------------------------------------------------------- */

static void accept_one(struct peerd *d, int64_t now)
{
        struct peer_link *l = d->link;
        int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        struct socket_peer who;

        if (fd < 0)
                return;
        for (size_t i = 0; i < PEER_CLIENTS_MAX; i++) {
                struct client *c = &l->clients[i];

                if (c->used)
                        continue;
                if (socket_peer(fd, &who) < 0)
                        break;
                *c = (struct client){ .used = true, .is_us = who.uid == geteuid(), .until_us = now + CLIENT_US, .number = ++l->numbers };
                c->may_act = c->is_us || who.uid == 0 || (l->has_admin && socket_peer_in_group(fd, l->admin));
                jsonl_init(&c->j, fd, LINE_MAX_LEN, OUT_MAX);
                return;
        }
        close(fd);
}

static void client_run(struct peerd *d, struct client *c, int64_t now)
{
        unsigned number = c->number;
        ssize_t r = jsonl_fill(&c->j);
        json_t *line;
        int n;

        while (c->used && c->number == number && (n = jsonl_next(&c->j, &line)) != 0)
                if (n > 0) {
                        on_line(d, c, line);
                        json_decref(line);
                }
        if (!c->used || c->number != number)
                return;
        if ((r == 0 && !c->waits) || (r < 0 && r != -EAGAIN && r != -ENOBUFS) || (!c->brain && now > c->until_us)) {
                client_end(c);
                return;
        }
        n = jsonl_flush(&c->j);
        if (n < 0 && n != -EAGAIN)
                client_end(c);
}

int peer_link_start(struct peerd *d, struct errinfo *err)
{
        struct peer_link *l = d->link = calloc(1, sizeof(*l));
        struct group *g = getgrnam(ADMIN_GROUP); /* at start only: a name look-up may hang later */
        char path[4096];

        if (!l)
                abort();
        l->has_admin = g != NULL;
        l->admin = g ? g->gr_gid : 0;
        snprintf(path, sizeof(path), "%s/peer.sock", d->options.run);
        /* Whoever may reach the directory may look; acting is for those that the kernel says may. */
        l->fd = socket_listen_unix(path, 0666, 8);
        return l->fd < 0 ? err_set(err, l->fd, "%s: %s", path, strerror(-l->fd)) : 0;
}

size_t peer_link_fds(struct peerd *d, struct curl_waitfd *fds, size_t max)
{
        size_t n = 0;

        if (max > 0)
                fds[n++] = (struct curl_waitfd){ .fd = d->link->fd, .events = CURL_WAIT_POLLIN };
        for (size_t i = 0; i < PEER_CLIENTS_MAX && n < max; i++) {
                struct client *c = &d->link->clients[i];

                if (c->used)
                        fds[n++] = (struct curl_waitfd){ .fd = c->j.fd, .events = (short)(CURL_WAIT_POLLIN | (jsonl_unsent(&c->j) ? CURL_WAIT_POLLOUT : 0)) };
        }
        return n;
}

void peer_link_run(struct peerd *d, int64_t now_us)
{
        accept_one(d, now_us);
        for (size_t i = 0; i < PEER_CLIENTS_MAX; i++)
                if (d->link->clients[i].used)
                        client_run(d, &d->link->clients[i], now_us);
        if (d->changed || now_us - d->link->told_us >= MIN(TELL_EVERY_US, d->config.interval_us))
                tell_brain(d, now_us);
}

void peer_link_stop(struct peerd *d)
{
        char path[4096];

        if (!d->link)
                return;
        for (size_t i = 0; i < PEER_CLIENTS_MAX; i++)
                client_end(&d->link->clients[i]);
        if (d->link->fd >= 0) {
                snprintf(path, sizeof(path), "%s/peer.sock", d->options.run);
                unlink(path);
                close(d->link->fd);
        }
        free(d->link);
        d->link = NULL;
}
