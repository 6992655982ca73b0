/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The configuration as others see it: look-ups by section, name and key that never fail. Values were
 * checked when they were read (config_load.c); the defaults of the table are parsed once, here. */

#include "config.h"

#include <math.h>

#include "config_private.h"

#define NAMES_MAX 1024 /* of one section */

const struct config_key *config_section_find(const char *section)
{
        for (size_t i = 0; i < config_keys_len; i++)
                if (streq(config_keys[i].section, section))
                        return &config_keys[i];
        return NULL;
}

const struct config_key *config_key_find(const char *section, const char *key)
{
        for (size_t i = 0; i < config_keys_len; i++)
                if (streq(config_keys[i].section, section) && streq(config_keys[i].key, key))
                        return &config_keys[i];
        return NULL;
}

struct config *config_new_defaults(void)
{
        struct config *c = config_alloc(NULL, 1, sizeof(*c));

        *c = (struct config){ .defaults = config_alloc(NULL, config_keys_len, sizeof(*c->defaults)) };
        for (size_t i = 0; i < config_keys_len; i++) {
                size_t at;
                int r = 0;

                c->defaults[i] = (struct config_value){ .number = NAN };
                if (config_keys[i].value)
                        r = config_value_parse(&config_keys[i], config_keys[i].value, &c->defaults[i], &at, NULL);
                assert(r == 0); /* a default that its own type refuses is our bug; a test looks at every row */
        }
        return c;
}

struct config *config_free(struct config *c)
{
        if (!c)
                return NULL;
        for (size_t i = 0; i < config_keys_len; i++)
                config_value_done(&c->defaults[i]);
        for (size_t i = 0; i < c->n_settings; i++) {
                config_value_done(&c->settings[i].value);
                free(c->settings[i].origin);
        }
        for (size_t i = 0; i < c->n_named; i++) {
                for (size_t k = 0; k < c->named[i].n; k++)
                        free(c->named[i].names[k]);
                free(c->named[i].names);
        }
        for (size_t i = 0; i < c->n_files; i++)
                free(c->files[i]);
        free(c->files);
        free(c->defaults);
        free(c->settings);
        free(c->named);
        free(c);
        return NULL;
}

struct setting *config_setting_find(const struct config *c, const struct config_key *key, const char *name)
{
        for (size_t i = 0; i < c->n_settings; i++)
                if (c->settings[i].key == key && streq(c->settings[i].name, key->named ? name : ""))
                        return &c->settings[i];
        return NULL;
}

struct setting *config_setting_make(struct config *c, const struct config_key *key, const char *name)
{
        struct setting *s = config_setting_find(c, key, name);

        if (s) {
                config_value_done(&s->value);
                free(s->origin);
        } else {
                if (c->n_settings == c->settings_size) {
                        c->settings_size = c->settings_size ? c->settings_size * 2 : 16;
                        c->settings = config_alloc(c->settings, c->settings_size, sizeof(*c->settings));
                }
                s = &c->settings[c->n_settings++];
        }
        *s = (struct setting){ .key = key, .name = name, .value.number = NAN };
        return s;
}

static struct named_section *named_find(const struct config *c, const char *section)
{
        for (size_t i = 0; i < c->n_named; i++)
                if (streq(c->named[i].section, section))
                        return &c->named[i];
        return NULL;
}

const char *config_name_add(struct config *c, const char *section, const char *name)
{
        const struct config_key *row = config_section_find(section);
        struct named_section *s = named_find(c, section);

        assert(row);
        if (!s) {
                c->named = config_alloc(c->named, c->n_named + 1, sizeof(*c->named));
                s = &c->named[c->n_named++];
                *s = (struct named_section){ .section = row->section };
        }
        for (size_t i = 0; i < s->n; i++)
                if (streq(s->names[i], name))
                        return s->names[i];
        if (s->n == NAMES_MAX)
                return NULL;
        s->names = config_alloc(s->names, s->n + 2, sizeof(*s->names));
        s->names[s->n] = config_copy(name, strlen(name));
        s->names[s->n + 1] = NULL;
        return s->names[s->n++];
}

void config_file_add(struct config *c, const char *file)
{
        c->files = config_alloc(c->files, c->n_files + 2, sizeof(*c->files));
        c->files[c->n_files++] = config_copy(file, strlen(file));
        c->files[c->n_files] = NULL;
}

/* --- look-ups ------------------------------------------------------------------------------------ */

static const struct config_key *known_key(const char *section, const char *key)
{
        const struct config_key *row = config_key_find(section, key);

        assert(row); /* a key without a row in the table is our bug */
        return row;
}

static const struct config_value *look_up(const struct config *c, const char *section, const char *name, const char *key)
{
        const struct config_key *row = known_key(section, key);
        const struct setting *s = config_setting_find(c, row, name ? name : "");

        return s && !s->is_default ? &s->value : &c->defaults[row - config_keys];
}

const char *config_string(const struct config *c, const char *section, const char *name, const char *key)
{
        return look_up(c, section, name, key)->text;
}

double config_number(const struct config *c, const char *section, const char *name, const char *key)
{
        return look_up(c, section, name, key)->number;
}

int64_t config_int(const struct config *c, const char *section, const char *name, const char *key)
{
        double v = config_number(c, section, name, key);

        return isnan(v) ? 0 : (int64_t)ceil(v);
}

bool config_bool(const struct config *c, const char *section, const char *name, const char *key)
{
        return config_number(c, section, name, key) == 1;
}

bool config_is_set(const struct config *c, const char *section, const char *name, const char *key)
{
        const struct setting *s = config_setting_find(c, known_key(section, key), name ? name : "");

        return s && !s->is_default;
}

const char *config_origin(const struct config *c, const char *section, const char *name, const char *key)
{
        const struct setting *s = config_setting_find(c, known_key(section, key), name ? name : "");

        return s ? s->origin : "default";
}

size_t config_list(const struct config *c, const char *section, const char *name, const char *key, char **ret, size_t max)
{
        const struct config_value *v = look_up(c, section, name, key);
        size_t n = MIN(v->n_words, max);

        for (size_t i = 0; i < n; i++)
                ret[i] = config_copy(v->words[i], strlen(v->words[i]));
        return n;
}

const char *const *config_files(const struct config *c)
{
        static const char *const none[] = { NULL };

        return c->files ? (const char *const *)c->files : none;
}

const char *const *config_section_names(const struct config *c, const char *section)
{
        static const char *const none[] = { NULL };
        const struct named_section *s = named_find(c, section);

        return s ? (const char *const *)s->names : none;
}
