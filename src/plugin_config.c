/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* What [plugin NAME] says, checked. Called by veille-probe for each section, by veilled and veillectl at a reload. */

#include "plugin_config.h"

bool plugin_owns(const char *plugin, const char *name)
{
        size_t n = strlen(plugin);

        return strncmp(plugin, name, n) == 0 && (name[n] == '\0' || name[n] == '-');
}

static int take_words(const struct config *c, const char *key, struct plugin_config *p, struct errinfo *err)
{
        size_t n = config_list(c, "plugin", p->name, key, p->argv, PLUGIN_WORDS_MAX);

        if (n == PLUGIN_WORDS_MAX)
                return err_set(err, -EINVAL, "[plugin %s]: %s has more than %d words (%s)", p->name, key, PLUGIN_WORDS_MAX - 1,
                               config_origin(c, "plugin", p->name, key));
        return 0;
}

/* Keys that would silently mean nothing. */
static int only_nagios(const struct config *c, const char *name, struct errinfo *err)
{
        static const char *const keys[] = { "component", "evidence", "hard" };

        for (size_t i = 0; i < ARRAY_LEN(keys); i++)
                if (config_is_set(c, "plugin", name, keys[i]))
                        return err_set(err, -EINVAL, "[plugin %s]: %s (%s) belongs to nagios =; a program says this in its catalogue", name,
                                       keys[i], config_origin(c, "plugin", name, keys[i]));
        return 0;
}

static bool component_ok(const char *s)
{
        if (!*s || *s == '-' || strlen(s) > 95)
                return false;
        for (; *s; s++)
                if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9') || strchr("._:@+,=/-", *s)))
                        return false;
        return true;
}

bool plugin_config_is_off(const struct config *c, const char *name)
{
        return !config_string(c, "plugin", name, "nagios") && !config_string(c, "plugin", name, "program");
}

int plugin_config_read(const struct config *c, const char *name, struct plugin_config *ret, struct errinfo *err)
{
        bool nagios = config_string(c, "plugin", name, "nagios") != NULL, program = config_string(c, "plugin", name, "program") != NULL;
        struct plugin_config p = {
                .name = name, .nagios = nagios, .component = config_string(c, "plugin", name, "component"),
                .interval_s = (int)config_int(c, "plugin", name, "interval"), .timeout_s = (int)config_int(c, "plugin", name, "timeout"),
                .evidence = (enum evidence)evidence_from_name(config_string(c, "plugin", name, "evidence")),
                .hard = config_bool(c, "plugin", name, "hard"),
        };
        int r;

        if (!catalog_name_ok(name, false) || strlen(name) > PLUGIN_NAME_MAX)
                return err_set(err, -EINVAL, "[plugin %s]: the name may have small letters, digits and dashes, %d at most, and begins with a letter",
                               name, PLUGIN_NAME_MAX);
        if (nagios == program)
                return err_set(err, -EINVAL, "[plugin %s]: say either nagios = or program =%s", name, nagios ? ", not both" : "");
        if (p.component && !component_ok(p.component))
                return err_set(err, -EINVAL, "[plugin %s]: component (%s) is no name of a component", name,
                               config_origin(c, "plugin", name, "component"));
        r = program ? only_nagios(c, name, err) : 0;
        if (r == 0)
                r = take_words(c, nagios ? "nagios" : "program", &p, err);
        if (r < 0) {
                plugin_config_done(&p);
                return r;
        }
        *ret = p;
        return 0;
}

void plugin_config_done(struct plugin_config *p)
{
        for (size_t i = 0; i < ARRAY_LEN(p->argv) && p->argv[i]; i++)
                free(p->argv[i]);
        *p = (struct plugin_config){ 0 };
}

int plugin_config_check(const struct config *c, const struct catalog *catalog, struct errinfo *err)
{
        const char *const *names = config_section_names(c, "plugin");

        for (size_t i = 0; names[i]; i++) {
                struct plugin_config p = { 0 };
                bool found = false;
                int r;

                if (plugin_config_is_off(c, names[i]))
                        continue;
                r = plugin_config_read(c, names[i], &p, err);
                if (r < 0)
                        return r;
                plugin_config_done(&p);
                for (size_t k = 0; k < catalog->n_checks; k++) {
                        const struct check_desc *d = &catalog->checks[k];

                        if (d->privilege == PRIVILEGE_PLUGIN && plugin_owns(names[i], d->name))
                                found = true;
                        else if (streq(d->name, names[i]))
                                return err_set(err, -EINVAL, "[plugin %s]: %s is the name of a check that comes with veille; choose another",
                                               names[i], names[i]);
                }
                if (!found)
                        return err_set(err, -EINVAL, "[plugin %s]: veille-probe does not offer it; do both read the same configuration?", names[i]);
        }
        return 0;
}
