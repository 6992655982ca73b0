/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_LEVEL_H
#define VEILLE_LEVEL_H

/* How bad: the one scale used from rules to pages.
 * Numeric order is severity order: unknown is worse than warning (we may be blind to something
 * critical) and better than critical, as in the Nagios exit order of issue "One host". */

enum level {
        LEVEL_OK,
        LEVEL_NOTICE,  /* know it, nobody is woken */
        LEVEL_WARNING, /* act this week */
        LEVEL_UNKNOWN, /* we cannot see: act, for we may be blind */
        LEVEL_CRITICAL, /* act now */
        LEVEL_MAX,
};

/* "ok", "notice", "warning", "unknown", "critical". */
const char *level_name(enum level level);

/* The level of that name, or -EINVAL. */
int level_from_name(const char *name);

/* Nagios plugin exit code: ok and notice 0, warning 1, critical 2, unknown 3. */
int level_nagios_exit(enum level level);

static inline enum level level_worse(enum level a, enum level b)
{
        return a > b ? a : b;
}

/* Host health: what the whole machine is to be trusted with. */
enum health {
        HEALTH_GREEN,
        HEALTH_YELLOW,
        HEALTH_RED,
        HEALTH_MAX,
};

const char *health_name(enum health health);

#endif
