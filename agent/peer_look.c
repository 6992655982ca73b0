/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Whom the network still reaches: connections that are opened and closed again, to a silent peer's ports, and to witnesses that tell
 * a dead host from a dead network. Needs no capability, as ICMP and ARP would; the kernel does the ARP, and its errors say so.
 * Witnesses are tried once a minute in good times, for only one that has answered can be missed. */

#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <sys/socket.h>

#include "common_clock.h"
#include "peer.h"

#define ROUND_US (4 * USEC_PER_SEC) /* the kernel gives up ARP after 3 s */
#define CALM_US (60 * USEC_PER_SEC)
#define TARGETS_MAX 128

struct target {
        char peer[PEER_NAME_MAX + 1]; /* "": a witness */
        struct peer_address address;
        int fd;                       /* negative: done */
        enum peer_reach reach;
};

struct witness {
        char text[64];
        int port;
        bool answered; /* once at least */
};

struct peer_looks {
        struct target targets[TARGETS_MAX];
        size_t n;
        bool under_way;
        int64_t until_us, last_us;
        struct witness witnesses[PEER_WITNESSES_MAX + 1];
        size_t n_witnesses;
};

void peer_looks_start(struct peerd *d)
{
        d->looks = calloc(1, sizeof(*d->looks));
        if (!d->looks)
                abort();
}

/* --- a round -------------------------------------------------------------------------------------------------------------- */

static void target_add(struct peer_looks *l, const char *peer, const struct peer_address *address, int port)
{
        struct target *t = &l->targets[l->n];
        struct sockaddr_in *in = (struct sockaddr_in *)&t->address.sa;
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&t->address.sa;
        bool v4 = address->sa.ss_family == AF_INET;

        if (l->n == TARGETS_MAX)
                return;
        l->n++;
        *t = (struct target){ .address = *address, .fd = -1, .reach = PEER_REACH_TIMEOUT };
        snprintf(t->peer, sizeof(t->peer), "%s", peer);
        t->address.port = port;
        if (v4)
                in->sin_port = htons((uint16_t)port);
        else
                in6->sin6_port = htons((uint16_t)port);
        t->fd = socket(address->sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (t->fd < 0)
                return;
        if (connect(t->fd, (struct sockaddr *)&t->address.sa, v4 ? sizeof(*in) : sizeof(*in6)) == 0)
                t->reach = PEER_REACH_OPEN;
        else if (errno == EINPROGRESS)
                return;
        else
                t->reach = peer_reach_from_errno(errno);
        close(take_fd(&t->fd));
}

static void add_gateway(struct peer_looks *l)
{
        _cleanup_fclose_ FILE *f = fopen("/proc/self/net/route", "re");
        struct peer_address a = { .sa.ss_family = AF_INET, .port = 53 };
        struct sockaddr_in *in = (struct sockaddr_in *)&a.sa;
        char text[16384];

        text[f ? fread(text, 1, sizeof(text) - 1, f) : 0] = '\0';
        if (peer_gateway(text, &in->sin_addr) && inet_ntop(AF_INET, &in->sin_addr, a.text, sizeof(a.text)))
                target_add(l, "", &a, a.port);
}

static void begin(struct peerd *d, int64_t now)
{
        struct peer_looks *l = d->looks;

        l->n = 0;
        for (size_t i = 0; i < d->config.n_witnesses; i++)
                target_add(l, "", &d->config.witnesses[i], d->config.witnesses[i].port);
        add_gateway(l);
        for (size_t i = 0; i < d->n_peers; i++) {
                const struct peer *p = d->peers[i];

                if (!*p->entry.pin || !peer_watch_wants_evidence(&p->watch, d->config.interval_us, now))
                        continue;
                target_add(l, p->entry.name, &p->entry.address, p->entry.address.port);
                for (size_t k = 0; k < p->entry.n_ports; k++)
                        target_add(l, p->entry.name, &p->entry.address, p->entry.ports[k]);
        }
        l->under_way = true;
        l->last_us = now;
        l->until_us = now + ROUND_US;
}

static void look_at(struct target *t)
{
        struct pollfd p = { .fd = t->fd, .events = POLLOUT };
        int error = 0;
        socklen_t len = sizeof(error);

        if (t->fd < 0 || poll(&p, 1, 0) < 1)
                return;
        getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &error, &len);
        t->reach = peer_reach_from_errno(error);
        close(take_fd(&t->fd));
}

/* --- what it means ---------------------------------------------------------------------------------------------------------- */

static struct witness *witness_of(struct peer_looks *l, const struct peer_address *a)
{
        struct witness *w;

        for (size_t i = 0; i < l->n_witnesses; i++)
                if (streq(l->witnesses[i].text, a->text) && l->witnesses[i].port == a->port)
                        return &l->witnesses[i];
        if (l->n_witnesses == ARRAY_LEN(l->witnesses)) /* the gateway moved: the oldest makes room */
                memmove(&l->witnesses[0], &l->witnesses[1], --l->n_witnesses * sizeof(l->witnesses[0]));
        w = &l->witnesses[l->n_witnesses++];
        *w = (struct witness){ .port = a->port };
        snprintf(w->text, sizeof(w->text), "%s", a->text);
        return w;
}

/* A witness at the peer's own address proves nothing. */
static void add_witnesses(struct peer_looks *l, const struct peer *p, struct peer_evidence *e)
{
        for (size_t i = 0; i < l->n; i++) {
                const struct target *t = &l->targets[i];
                struct witness *w;

                if (*t->peer || streq(t->address.text, p->entry.address.text))
                        continue;
                w = witness_of(l, &t->address);
                if (w->answered && t->reach > e->witness) {
                        e->witness = t->reach;
                        snprintf(e->witness_name, sizeof(e->witness_name), "%s", t->address.text);
                }
        }
}

/* The interface that leads there is up, but nothing is at its other end. */
static bool no_carrier(const struct peer_address *a)
{
        socklen_t len = a->sa.ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
        _cleanup_close_ int fd = socket(a->sa.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        struct sockaddr_storage local = { 0 };
        struct ifaddrs *list = NULL;
        bool dead = false;

        if (fd < 0 || connect(fd, (const struct sockaddr *)&a->sa, len) < 0 || getsockname(fd, (struct sockaddr *)&local, &len) < 0 || getifaddrs(&list) < 0)
                return false;
        for (const struct ifaddrs *i = list; i; i = i->ifa_next) {
                const struct sockaddr_in *in = (const struct sockaddr_in *)i->ifa_addr, *mine = (const struct sockaddr_in *)&local;
                const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)i->ifa_addr, *mine6 = (const struct sockaddr_in6 *)&local;

                if (!i->ifa_addr || i->ifa_addr->sa_family != local.ss_family)
                        continue;
                if (local.ss_family == AF_INET ? in->sin_addr.s_addr == mine->sin_addr.s_addr : memcmp(&in6->sin6_addr, &mine6->sin6_addr, 16) == 0)
                        dead = !(i->ifa_flags & IFF_RUNNING);
        }
        freeifaddrs(list);
        return dead;
}

static void judge_peer(struct peerd *d, struct peer *p, int64_t now)
{
        struct peer_evidence e = { .port = PEER_REACH_NONE };

        for (size_t i = 0; i < d->looks->n; i++) {
                const struct target *t = &d->looks->targets[i];

                if (!streq(t->peer, p->entry.name))
                        continue;
                if (t->address.port == p->entry.address.port) {
                        e.port = t->reach;
                } else if (t->reach > e.other) {
                        e.other = t->reach;
                        e.other_port = t->address.port;
                }
        }
        if (e.port == PEER_REACH_NONE) /* was not asked in this round */
                return;
        add_witnesses(d->looks, p, &e);
        for (size_t i = 0; i < d->n_peers; i++)
                e.peers_heard |= d->peers[i] != p && d->peers[i]->watch.state == PEER_UP && now - d->peers[i]->watch.heard_us < 2 * d->config.interval_us;
        e.no_carrier = no_carrier(&p->entry.address);
        peer_watch_evidence(&p->watch, &e, now);
}

static void end(struct peerd *d, int64_t now)
{
        struct peer_looks *l = d->looks;

        l->under_way = false;
        for (size_t i = 0; i < l->n; i++) {
                struct target *t = &l->targets[i];

                if (t->fd >= 0)
                        close(take_fd(&t->fd));
                if (!*t->peer && t->reach >= PEER_REACH_REFUSED)
                        witness_of(l, &t->address)->answered = true;
        }
        for (size_t i = 0; i < d->n_peers; i++)
                judge_peer(d, d->peers[i], now);
}

static bool wanted(const struct peerd *d, int64_t now)
{
        if (d->n_peers == 0)
                return false;
        if (!d->looks->last_us || now - d->looks->last_us >= CALM_US)
                return true;
        for (size_t i = 0; i < d->n_peers; i++)
                if (*d->peers[i]->entry.pin && peer_watch_wants_evidence(&d->peers[i]->watch, d->config.interval_us, now))
                        return true;
        return false;
}

size_t peer_looks_fds(struct peerd *d, struct curl_waitfd *fds, size_t max)
{
        size_t n = 0;

        for (size_t i = 0; d->looks->under_way && i < d->looks->n && n < max; i++)
                if (d->looks->targets[i].fd >= 0)
                        fds[n++] = (struct curl_waitfd){ .fd = d->looks->targets[i].fd, .events = CURL_WAIT_POLLOUT };
        return n;
}

void peer_looks_run(struct peerd *d, int64_t now_us)
{
        struct peer_looks *l = d->looks;
        bool open = false;

        if (!l->under_way && wanted(d, now_us))
                begin(d, now_us);
        if (!l->under_way)
                return;
        for (size_t i = 0; i < l->n; i++) {
                look_at(&l->targets[i]);
                open |= l->targets[i].fd >= 0;
        }
        if (!open || now_us >= l->until_us)
                end(d, now_us);
}

void peer_looks_stop(struct peerd *d)
{
        if (!d->looks)
                return;
        for (size_t i = 0; i < d->looks->n; i++)
                if (d->looks->targets[i].fd >= 0)
                        close(d->looks->targets[i].fd);
        free(d->looks);
        d->looks = NULL;
}
