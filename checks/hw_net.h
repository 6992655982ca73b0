/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_HW_NET_H
#define VEILLE_HW_NET_H

/* The parts of the check "net": hw_net.c (interfaces and bonds), hw_net_route.c (is there a way out?). */

#include "check.h"

/* Has this interface link? 1, 0; negative errno: it is switched off, or does not say. */
int net_carrier(struct env *env, const char *interface);

/* The instance "routes": whether a default route leads through an interface that has link. */
#define NET_ROUTES "routes"
int net_route_discover(struct env *env, struct instance_list *list);
enum result net_route_run(struct env *env);

#endif
