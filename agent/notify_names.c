/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Names of sinks are looked up ahead, while the name server answers; a message then goes to the addresses that were found. */

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "alert_config.h"
#include "notify.h"
#include "notify_mx.h"

#define ADDRESSES_MAX 8

static json_t *addresses_of(const char *host, struct errinfo *err)
{
        const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
        struct addrinfo *list = NULL;
        json_t *found = json_array();
        int r = getaddrinfo(host, NULL, &hints, &list);

        if (r != 0) {
                err_set(err, -ENOENT, "%s: %s", host, gai_strerror(r));
                json_decref(found);
                return NULL;
        }
        for (const struct addrinfo *a = list; a && json_array_size(found) < ADDRESSES_MAX; a = a->ai_next) {
                const void *address = a->ai_family == AF_INET ? (const void *)&((const struct sockaddr_in *)(const void *)a->ai_addr)->sin_addr
                                                              : (const void *)&((const struct sockaddr_in6 *)(const void *)a->ai_addr)->sin6_addr;
                char text[INET6_ADDRSTRLEN];

                if ((a->ai_family == AF_INET || a->ai_family == AF_INET6) && inet_ntop(a->ai_family, address, text, sizeof(text)))
                        json_array_append_new(found, json_string(text));
        }
        freeaddrinfo(list);
        return found;
}

/* "mx1.example.org/192.0.2.1", best server first, two addresses of each. */
static json_t *servers_of(const char *domain, struct errinfo *err)
{
        struct mx_host hosts[MX_HOSTS_MAX];
        int n = mx_look_up(domain, hosts, MX_HOSTS_MAX, err);
        json_t *found = json_array();

        for (int i = 0; i < n; i++) {
                json_t *addresses = addresses_of(hosts[i].name, err), *v;
                size_t k;

                json_array_foreach(addresses, k, v)
                        if (k < 2)
                                json_array_append_new(found, json_sprintf("%s/%s", hosts[i].name, json_string_value(v)));
                json_decref(addresses);
        }
        if (json_array_size(found) > 0)
                return found;
        json_decref(found);
        return NULL;
}

json_t *notify_resolve(const char *host, struct errinfo *err)
{
        return str_starts(host, "mx:") ? servers_of(host + 3, err) : addresses_of(host, err);
}

bool notify_remembered(const struct notify *n, const char *url, char *buf, size_t size)
{
        const json_t *list, *v;
        char host[256];
        size_t len, i;
        int port;

        if (!n->addresses || !sink_url_host(url, host, sizeof(host), &port))
                return false;
        list = json_object_get(n->addresses, host);
        len = (size_t)snprintf(buf, size, "%s:%d:", host, port);
        json_array_foreach((json_t *)list, i, v) {
                const char *address = json_string_value(v) ? json_string_value(v) : "";
                bool six = strchr(address, ':') != NULL;

                if (len < size)
                        len += (size_t)snprintf(buf + len, size - len, "%s%s%s%s", i ? "," : "", six ? "[" : "", address, six ? "]" : "");
        }
        return json_array_size(list) > 0 && len < size;
}
