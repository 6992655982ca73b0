/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_PEER_CONFIG_H
#define VEILLE_PEER_CONFIG_H

/* [peers] and [peer NAME] of the configuration, and what was paired by hand (STATE/peer/paired.json): whom this host knows, and by
 * which key. Pure: no file is opened. Addresses are numeric: looking up a name could hang when it matters. */

#include <jansson.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "config.h"

#define PEERS_MAX 16
#define PEER_NAME_MAX 64
#define PEER_PORTS_MAX 4
#define PEER_LISTEN_MAX 8
#define PEER_WITNESSES_MAX 8
#define PEER_PIN_LEN 43 /* SHA-256 in base64 without its = */
#define PEER_PORT 9786

struct peer_address {
        struct sockaddr_storage sa;
        char text[64]; /* without the port */
        int port;
};

struct peer_entry {
        char name[PEER_NAME_MAX + 1];
        struct peer_address address;
        char pin[PEER_PIN_LEN + 1]; /* of its key; "": not paired yet */
        bool from_config;           /* the pin too is from there: veillectl peer remove cannot take it back */
        int ports[PEER_PORTS_MAX];  /* others that answer while the host lives */
        size_t n_ports;
};

struct peer_config {
        struct peer_address listen[PEER_LISTEN_MAX], witnesses[PEER_WITNESSES_MAX];
        size_t n_listen, n_witnesses;
        bool listen_default; /* one address family may be missing */
        int64_t interval_us, silent_after_us;
        struct peer_entry peers[PEERS_MAX];
        size_t n_peers;
};

/* -EINVAL with a sentence for the first mistake, of [deadman] too. ret may be NULL. */
int peer_config_read(const struct config *c, struct peer_config *ret, struct errinfo *err);
/* Adds what was paired by hand: a pin for a [peer NAME] without one, or a peer of its own. Bad entries are passed over. */
void peer_config_add_paired(struct peer_config *c, const json_t *paired);

/* "192.0.2.1", "[2001:db8::1]:9786"; port: where the text has none, 0: it must have one. */
int peer_address_parse(const char *text, int port, struct peer_address *ret, struct errinfo *err);
/* Small letters, digits, dots and dashes. */
bool peer_name_ok(const char *name);
/* "SHA256:..." as veillectl peer fingerprint shows it; = at its end may be there. The bare 43 characters; -EINVAL. */
int peer_pin_parse(const char *text, char ret[PEER_PIN_LEN + 1]);

/* The IPv4 gateway of the default route in the text of /proc/self/net/route. False: there is none. */
bool peer_gateway(const char *text, struct in_addr *ret);

#endif
