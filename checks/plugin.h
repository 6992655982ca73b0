/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_PLUGIN_H
#define VEILLE_PLUGIN_H

/* Checks that the administrator brings: [plugin NAME] of the configuration. plugin.c finds them, plugin_nagios.c runs Nagios
 * plugins, plugin_program.c programs that speak protocol 1. All run in veille-probe, as any check, without any right. */

#include <sys/types.h>

#include "check.h"
#include "plugin_config.h"

/* One [plugin NAME] and the checks it stands for. */
struct plugin {
        struct plugin_config config;
        struct plugin_check *checks;
        size_t n_checks;
        struct catalog catalog;   /* of a program */
        struct check_desc broken; /* stands in for a program without a catalogue: it must not be silently absent */
        char problem[512];        /* why it is broken */
        pid_t pid;                /* of the child that asks for the catalogue; 0: none */
        int fd, asked_errno;      /* what that child says; why there is none */
        struct plugin *next;
};

struct plugin_check {
        struct check check; /* first: env->check is this */
        const struct plugin *plugin;
};

/* All plugins of the configuration, linked by next; of a program this asks its catalogue. Sections that make no sense are left
 * out: the brain tells of them. only: not NULL: those that may own a check of that name. */
struct plugin *plugins_load(struct env *env, const char *only);
struct plugin *plugins_free(struct plugin *plugins);
const struct check *plugins_find(const struct plugin *plugins, const char *check);

/* Fill plugin->checks. A program is asked for its catalogue first, which waits for nothing; several are asked at the same time. */
void plugin_nagios_open(struct plugin *plugin);
void plugin_program_ask(struct env *env, struct plugin *plugin);
void plugin_program_open(struct env *env, struct plugin *plugin); /* waits for its answer, a few seconds at most */

#endif
