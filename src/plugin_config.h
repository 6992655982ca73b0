/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_PLUGIN_CONFIG_H
#define VEILLE_PLUGIN_CONFIG_H

/* [plugin NAME] of the configuration, as both sides read it: the probe, which runs the program, and the brain, which
 * refuses a section that cannot work. */

#include "catalog.h"
#include "config.h"

#define PLUGIN_WORDS_MAX 128
#define PLUGIN_NAME_MAX 64

struct plugin_config {
        const char *name;
        bool nagios; /* else a program that speaks our protocol */
        char *argv[PLUGIN_WORDS_MAX + 1]; /* NULL-terminated */
        int interval_s, timeout_s; /* 0: not set */
        const char *component;     /* NULL: not set */
        enum evidence evidence;
        bool hard;
};

/* Neither nagios nor program: a drop-in took it back ("nagios ="), there is nothing to run. */
bool plugin_config_is_off(const struct config *config, const char *name);

/* -EINVAL and a sentence when the section makes no sense. On success the caller gives it back with plugin_config_done(). */
int plugin_config_read(const struct config *config, const char *name, struct plugin_config *ret, struct errinfo *err);
void plugin_config_done(struct plugin_config *p);

/* Whether this may be the name of a check or rule of the plugin: its own name, or one that begins with it and a dash. */
bool plugin_owns(const char *plugin, const char *name);

/* All [plugin NAME] of a config against the catalogue that came of it: names that are free, and nothing lost. */
int plugin_config_check(const struct config *config, const struct catalog *catalog, struct errinfo *err);

#endif
