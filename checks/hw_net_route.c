/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The default routes of the host, from /proc/net/route and /proc/net/ipv6_route: a card without link may be a spare, but a
 * host none of whose ways out has link is cut off. */

#include "hw_net.h"

#define TABLE_MAX (4 * 1024 * 1024)
#define INTERFACE_MAX 32
#define RTF_UP 0x1u
#define RTF_REJECT 0x200u

struct routes {
        unsigned n, with_link;
        char last[INTERFACE_MAX];
};

static void add_route(struct env *env, struct routes *routes, const char *interface)
{
        if (streq(interface, "lo"))
                return;
        routes->n++;
        if (net_carrier(env, interface) == 1)
                routes->with_link++;
        snprintf(routes->last, sizeof(routes->last), "%.31s", interface);
}

/* "eth0 00000000 0100A8C0 0003 0 0 0 00000000 ..." */
static void read_ipv4(struct env *env, struct routes *routes, char *text)
{
        char *save = NULL;

        for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                char interface[INTERFACE_MAX];
                unsigned destination, flags, mask;

                if (sscanf(line, "%31s %8x %*8x %x %*u %*u %*u %8x", interface, &destination, &flags, &mask) == 4 &&
                    destination == 0 && mask == 0 && (flags & RTF_UP) && !(flags & RTF_REJECT))
                        add_route(env, routes, interface);
        }
}

/* "00000000000000000000000000000000 00 0000... 00 fe80... 00000400 00000001 00000000 00000003 eth0" */
static void read_ipv6(struct env *env, struct routes *routes, char *text)
{
        char *save = NULL;

        for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                char destination[33], interface[INTERFACE_MAX];
                unsigned prefix, flags;

                if (sscanf(line, "%32s %2x %*32s %*2x %*32s %*8x %*8x %*8x %8x %31s", destination, &prefix, &flags, interface) == 4 &&
                    prefix == 0 && strspn(destination, "0") == 32 && (flags & RTF_UP) && !(flags & RTF_REJECT))
                        add_route(env, routes, interface);
        }
}

static int read_routes(struct env *env, struct routes *ret)
{
        static const struct {
                const char *path;
                void (*read)(struct env *env, struct routes *routes, char *text);
        } tables[] = { { "proc/net/route", read_ipv4 }, { "proc/net/ipv6_route", read_ipv6 } };

        *ret = (struct routes){ 0 };
        for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
                _cleanup_free_ char *text = NULL;
                int r = env_read_text(env, &text, TABLE_MAX, "%s", tables[i].path);

                if (r == -ENOENT)
                        continue; /* a kernel without it */
                if (r < 0)
                        return r;
                tables[i].read(env, ret, text);
        }
        return 0;
}

int net_route_discover(struct env *env, struct instance_list *list)
{
        struct instance *inst = env_exists(env, "proc/net/route") ? instance_add(list, NET_ROUTES) : NULL;

        if (inst) {
                strcpy(inst->component, "network");
                strcpy(inst->kind, "net");
        }
        return 0;
}

enum result net_route_run(struct env *env)
{
        struct routes routes;
        int r = read_routes(env, &routes);

        if (r == -EFBIG)
                return env_end(env, RESULT_NODATA, "more routes than %d MiB: this is a router", TABLE_MAX >> 20);
        if (r < 0)
                return env_end_errno(env, r, "proc/net/route");
        env_sample(env, "net_default_routes", routes.n, NULL);
        env_sample(env, "net_default_routes_with_link", routes.with_link, NULL);
        return RESULT_OK;
}
