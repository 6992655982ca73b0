/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Whom this host knows. Called by veille-peer, and by veilled and veillectl config check to find mistakes. */

#include "peer_config.h"

#include <arpa/inet.h>

bool peer_name_ok(const char *s)
{
        size_t n = strlen(s);

        if (n == 0 || n > PEER_NAME_MAX || *s == '-' || *s == '.')
                return false;
        return strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789.-") == n;
}

int peer_pin_parse(const char *text, char ret[PEER_PIN_LEN + 1])
{
        static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        size_t n;

        if (!str_starts(text, "SHA256:"))
                return -EINVAL;
        text += strlen("SHA256:");
        n = strspn(text, digits);
        if (n != PEER_PIN_LEN || (text[n] && !streq(text + n, "=")))
                return -EINVAL;
        memcpy(ret, text, PEER_PIN_LEN);
        ret[PEER_PIN_LEN] = '\0';
        return 0;
}

static bool port_parse(const char *text, int *ret)
{
        char *end;
        long port = strtol(text, &end, 10);

        if (*text < '0' || *text > '9' || *end || port < 1 || port > 65535)
                return false;
        *ret = (int)port;
        return true;
}

int peer_address_parse(const char *text, int port, struct peer_address *ret, struct errinfo *err)
{
        struct peer_address a = { .port = port };
        struct sockaddr_in *in = (struct sockaddr_in *)&a.sa;
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&a.sa;
        const char *after;
        char host[64] = "";
        size_t n;

        if (*text == '[') {
                n = strcspn(text, "]");
                after = text[n] ? text + n + 1 : text + n;
                snprintf(host, sizeof(host), "%.*s", n > 0 && n < sizeof(host) ? (int)n - 1 : 0, text + 1);
        } else {
                bool v6 = strchr(text, ':') != strrchr(text, ':'); /* without brackets: no port */

                n = v6 ? strlen(text) : strcspn(text, ":");
                after = text + n;
                if (n < sizeof(host))
                        snprintf(host, sizeof(host), "%.*s", (int)n, text);
        }
        if (*after && (*after != ':' || !port_parse(after + 1, &a.port)))
                return err_set(err, -EINVAL, "'%.80s': the port is none", text);
        if (!a.port)
                return err_set(err, -EINVAL, "'%.80s' has no port", text);
        if (inet_pton(AF_INET, host, &in->sin_addr) == 1) {
                in->sin_family = AF_INET;
                in->sin_port = htons((uint16_t)a.port);
        } else if (inet_pton(AF_INET6, host, &in6->sin6_addr) == 1) {
                in6->sin6_family = AF_INET6;
                in6->sin6_port = htons((uint16_t)a.port);
        } else {
                return err_set(err, -EINVAL, "'%.80s' is no numeric address: names are not looked up, for that could hang when it matters", text);
        }
        snprintf(a.text, sizeof(a.text), "%s", host);
        *ret = a;
        return 0;
}

static int take_addresses(const struct config *c, const char *key, int port, struct peer_address *ret, size_t max, size_t *ret_n, struct errinfo *err)
{
        char *words[PEER_LISTEN_MAX + PEER_WITNESSES_MAX + 1];
        size_t n = config_list(c, "peers", NULL, key, words, ARRAY_LEN(words));
        struct errinfo why = { 0 };
        int r = 0;

        if (n > max)
                r = err_set(err, -EINVAL, "[peers]: %s has more than %zu addresses (%s)", key, max, config_origin(c, "peers", NULL, key));
        for (size_t i = 0; i < n; i++) {
                if (r == 0 && peer_address_parse(words[i], port, &ret[i], &why) < 0)
                        r = err_set(err, -EINVAL, "[peers]: %s (%s): %s", key, config_origin(c, "peers", NULL, key), why.text);
                free(words[i]);
        }
        *ret_n = r == 0 ? n : 0;
        return r;
}

static int take_ports(const struct config *c, const char *name, struct peer_entry *p, struct errinfo *err)
{
        char *words[PEER_PORTS_MAX + 1];
        size_t n = config_list(c, "peer", name, "ports", words, ARRAY_LEN(words));
        int r = 0;

        if (n > PEER_PORTS_MAX)
                r = err_set(err, -EINVAL, "[peer %s]: more than %d ports (%s)", name, PEER_PORTS_MAX, config_origin(c, "peer", name, "ports"));
        for (size_t i = 0; i < n; i++) {
                if (r == 0 && !port_parse(words[i], &p->ports[p->n_ports++]))
                        r = err_set(err, -EINVAL, "[peer %s]: ports (%s): '%s' is no port", name, config_origin(c, "peer", name, "ports"), words[i]);
                free(words[i]);
        }
        return r;
}

static int take_peer(const struct config *c, const char *name, struct peer_entry *p, struct errinfo *err)
{
        const char *address = config_string(c, "peer", name, "address"), *pin = config_string(c, "peer", name, "fingerprint");
        struct errinfo why = { 0 };

        if (!peer_name_ok(name))
                return err_set(err, -EINVAL, "[peer %s]: the name may have small letters, digits, dots and dashes, %d at most", name, PEER_NAME_MAX);
        snprintf(p->name, sizeof(p->name), "%s", name);
        if (peer_address_parse(address, (int)config_int(c, "peer", name, "port"), &p->address, &why) < 0)
                return err_set(err, -EINVAL, "[peer %s]: address (%s): %s", name, config_origin(c, "peer", name, "address"), why.text);
        if (pin && *pin && peer_pin_parse(pin, p->pin) < 0)
                return err_set(err, -EINVAL, "[peer %s]: fingerprint (%s): '%.80s' is none as veillectl peer fingerprint shows it: SHA256: and 43 characters", name,
                               config_origin(c, "peer", name, "fingerprint"), pin);
        p->from_config = *p->pin != '\0';
        return take_ports(c, name, p, err);
}

static int check_deadman(const struct config *c, struct errinfo *err)
{
        const char *url = config_string(c, "deadman", NULL, "url");
        bool good = !url || !*url || ((str_starts(url, "https://") || str_starts(url, "http://")) && strlen(url) <= 1000);

        for (; good && url && *url; url++)
                good = (unsigned char)*url > ' ' && (unsigned char)*url < 0x7f;
        return good ? 0 : err_set(err, -EINVAL, "[deadman]: url (%s) is no URL like https://host/path", config_origin(c, "deadman", NULL, "url"));
}

int peer_config_read(const struct config *c, struct peer_config *ret, struct errinfo *err)
{
        const char *const *names = config_section_names(c, "peer");
        _cleanup_free_ struct peer_config *p = calloc(1, sizeof(*p));
        int r;

        if (!p)
                abort();
        p->listen_default = !config_is_set(c, "peers", NULL, "listen");
        p->interval_us = config_int(c, "peers", NULL, "interval") * USEC_PER_SEC;
        p->silent_after_us = config_int(c, "peers", NULL, "silent_after") * USEC_PER_SEC;
        if (p->silent_after_us < 2 * p->interval_us)
                return err_set(err, -EINVAL, "[peers]: silent_after is less than twice the interval: one lost heartbeat would be an alert");
        r = check_deadman(c, err);
        if (r >= 0)
                r = take_addresses(c, "listen", PEER_PORT, p->listen, PEER_LISTEN_MAX, &p->n_listen, err);
        if (r >= 0)
                r = take_addresses(c, "witness", 0, p->witnesses, PEER_WITNESSES_MAX, &p->n_witnesses, err);
        for (size_t i = 0; r >= 0 && names[i]; i++) {
                const char *address = config_string(c, "peer", names[i], "address");

                if (!address || !*address)
                        continue; /* a drop-in took it back */
                if (p->n_peers == PEERS_MAX)
                        return err_set(err, -EINVAL, "there are more than %d [peer NAME]", PEERS_MAX);
                r = take_peer(c, names[i], &p->peers[p->n_peers++], err);
        }
        if (r >= 0 && ret)
                *ret = *p;
        return r;
}

static struct peer_entry *find(struct peer_config *c, const char *name)
{
        for (size_t i = 0; i < c->n_peers; i++)
                if (streq(c->peers[i].name, name))
                        return &c->peers[i];
        return NULL;
}

static void add_one(struct peer_config *c, const json_t *o)
{
        const char *name = json_string_value(json_object_get(o, "name")), *address = json_string_value(json_object_get(o, "address"));
        const char *pin = json_string_value(json_object_get(o, "fingerprint"));
        json_int_t port = json_integer_value(json_object_get(o, "port"));
        struct peer_entry p = { .ports = { 25, 22 }, .n_ports = 2 }, *there;

        if (!name || !address || !pin || !peer_name_ok(name) || port < 1 || port > 65535 || peer_pin_parse(pin, p.pin) < 0 ||
            peer_address_parse(address, (int)port, &p.address, NULL) < 0)
                return;
        there = find(c, name);
        if (there && !*there->pin) {
                memcpy(there->pin, p.pin, sizeof(p.pin));
        } else if (!there && c->n_peers < PEERS_MAX) {
                snprintf(p.name, sizeof(p.name), "%s", name);
                c->peers[c->n_peers++] = p;
        }
}

void peer_config_add_paired(struct peer_config *c, const json_t *paired)
{
        const json_t *o;
        size_t i;

        json_array_foreach(json_object_get(paired, "peers"), i, o)
                add_one(c, o);
}

bool peer_gateway(const char *text, struct in_addr *ret)
{
        for (const char *line = strchr(text, '\n'); line && *++line; line = strchr(line, '\n')) {
                unsigned destination, gateway, flags;

                if (sscanf(line, "%*31s %8x %8x %4x", &destination, &gateway, &flags) == 3 && destination == 0 && gateway != 0 && (flags & 3) == 3) {
                        ret->s_addr = gateway; /* printed as the number in memory is */
                        return true;
                }
        }
        return false;
}
