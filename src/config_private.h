/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_CONFIG_PRIVATE_H
#define VEILLE_CONFIG_PRIVATE_H

/* Inside of config: what config_load.c fills and config.c looks up. */

#include "config_read.h"
#include "config_value.h"

struct setting {
        const struct config_key *key;
        const char *name; /* of the section, owned by its struct named_section; "" where it has none */
        struct config_value value;
        bool is_default;  /* "key =" took an earlier value back, and the table has one */
        char *origin;     /* FILE:LINE */
        unsigned file;
};

/* The names used with one named section of the table. */
struct named_section {
        const char *section;
        char **names; /* NULL-terminated */
        size_t n;
};

struct config {
        struct config_value *defaults; /* one a row of config_keys */
        struct setting *settings;      /* at most one a key and name */
        size_t n_settings, settings_size;
        struct named_section *named;
        size_t n_named;
        char **files; /* NULL-terminated */
        size_t n_files;
};

/* The row of the table, or NULL. */
const struct config_key *config_key_find(const char *section, const char *key);
/* The first row of this section, or NULL. */
const struct config_key *config_section_find(const char *section);

struct setting *config_setting_find(const struct config *c, const struct config_key *key, const char *name);
/* The one that is there, with its value done, or a new one. */
struct setting *config_setting_make(struct config *c, const struct config_key *key, const char *name);

/* Notes that [section name] was there; the stored name. NULL when there are too many. */
const char *config_name_add(struct config *c, const char *section, const char *name);

void config_file_add(struct config *c, const char *file);

#endif
