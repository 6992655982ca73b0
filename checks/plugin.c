/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* From [plugin NAME] to checks that look like those that come with veille. */

#include "plugin.h"

#define ASKED_AT_ONCE 16

static void plugin_free(struct plugin *p)
{
        plugin_config_done(&p->config);
        catalog_done(&p->catalog);
        free(p->checks);
        free(p);
}

struct plugin *plugins_free(struct plugin *plugins)
{
        while (plugins) {
                struct plugin *next = plugins->next;

                plugin_free(plugins);
                plugins = next;
        }
        return NULL;
}

/* A name that one of our own checks has would be asked of the wrong side. */
static bool is_ours(const char *name)
{
        return check_by_name(name) != NULL;
}

static struct plugin *read_sections(struct env *env, const char *only)
{
        const char *const *names = config_section_names(env->config, "plugin");
        struct plugin *first = NULL, **last = &first;

        for (size_t i = 0; names[i]; i++) {
                struct errinfo err = { 0 };
                struct plugin *p;

                if (is_ours(names[i]) || plugin_config_is_off(env->config, names[i]) || (only && !plugin_owns(names[i], only)))
                        continue;
                p = calloc(1, sizeof(*p));
                if (!p)
                        abort();
                p->fd = -1;
                if (plugin_config_read(env->config, names[i], &p->config, &err) < 0) {
                        fprintf(stderr, "veille-probe: %s\n", err.text);
                        plugin_free(p);
                        continue;
                }
                *last = p;
                last = &p->next;
        }
        return first;
}

/* The next one that has to be asked, or NULL. */
static struct plugin *next_program(struct plugin *p)
{
        while (p && p->config.nagios)
                p = p->next;
        return p;
}

struct plugin *plugins_load(struct env *env, const char *only)
{
        struct plugin *first = read_sections(env, only), *to_ask = next_program(first);

        /* Programs that hang cost the time of one, not the sum of all. */
        for (int i = 0; to_ask && i < ASKED_AT_ONCE; i++, to_ask = next_program(to_ask->next))
                plugin_program_ask(env, to_ask);
        for (struct plugin *p = first; p; p = p->next) {
                if (p->config.nagios) {
                        plugin_nagios_open(p);
                        continue;
                }
                plugin_program_open(env, p);
                if (to_ask) {
                        plugin_program_ask(env, to_ask);
                        to_ask = next_program(to_ask->next);
                }
        }
        return first;
}

const struct check *plugins_find(const struct plugin *plugins, const char *check)
{
        for (const struct plugin *p = plugins; p; p = p->next)
                for (size_t i = 0; i < p->n_checks; i++)
                        if (streq(p->checks[i].check.desc.name, check))
                                return &p->checks[i].check;
        return NULL;
}
