/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* From [plugin NAME] to checks that look like those that come with veille. */

#include "plugin.h"

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

struct plugin *plugins_load(struct env *env, const char *only)
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
                if (plugin_config_read(env->config, names[i], &p->config, &err) < 0) {
                        fprintf(stderr, "veille-probe: %s\n", err.text);
                        plugin_free(p);
                        continue;
                }
                if (p->config.nagios)
                        plugin_nagios_open(p);
                else
                        plugin_program_open(env, p);
                *last = p;
                last = &p->next;
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
