/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* From a name to a check: ours first, then the plugin that owns the name. */

#include "plugin.h"
#include "probe.h"

const struct check *probe_find_check(struct env *env, const char *name)
{
        static struct plugin *plugins; /* lives as long as the process: one request, or one command */
        const struct check *check = check_by_name(name);

        if (check)
                return check;
        plugins_free(plugins);
        plugins = plugins_load(env, name);
        return plugins_find(plugins, name);
}
