/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

#include "level.h"
#include "macros.h"

static const struct {
        const char *name;
        int nagios;
} levels[LEVEL_MAX] = {
        [LEVEL_OK] = { "ok", 0 },
        [LEVEL_NOTICE] = { "notice", 0 },
        [LEVEL_WARNING] = { "warning", 1 },
        [LEVEL_UNKNOWN] = { "unknown", 3 },
        [LEVEL_CRITICAL] = { "critical", 2 },
};

const char *level_name(enum level level)
{
        assert(level < LEVEL_MAX);
        return levels[level].name;
}

int level_from_name(const char *name)
{
        for (int i = 0; i < LEVEL_MAX; i++)
                if (streq(levels[i].name, name))
                        return i;
        return -EINVAL;
}

int level_nagios_exit(enum level level)
{
        assert(level < LEVEL_MAX);
        return levels[level].nagios;
}

const char *health_name(enum health health)
{
        static const char *const names[HEALTH_MAX] = {
                [HEALTH_GREEN] = "green",
                [HEALTH_YELLOW] = "yellow",
                [HEALTH_RED] = "red",
        };

        assert(health < HEALTH_MAX);
        return names[health];
}
