/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_SELFTEST_CALENDAR_H
#define VEILLE_SELFTEST_CALENDAR_H

/* Dates that come again, as an administrator writes them: "Sat 03:00", "daily 02:30", "Sat 1..7 03:00". Local time.
 * Pure, but for the time zone, which is the process's. */

#include "errinfo.h"
#include "macros.h"

/* Zero-initialised is "never". */
struct selftest_calendar {
        bool set;
        uint8_t weekdays;   /* bit 0 Sunday */
        uint32_t monthdays; /* bit 1 the first */
        int minute;         /* of the day */
};

/* "[DAYS] HH:MM": DAYS are "daily", days of the week "Sat", "Mon..Fri", "Tue,Thu", days of the month "1", "1,15", "1..7", or
 * both ("Sat 1..7": the first Saturday). "off" or "": never. -EINVAL with a sentence and where in text the bad word
 * begins; *ret is untouched then. */
int selftest_calendar_parse(const char *text, struct selftest_calendar *ret, size_t *ret_at, struct errinfo *err);

/* The latest date at or before now (n = 0), or the n-th before that; -ENOENT when there is none within two years.
 * Seconds since the epoch. */
int selftest_calendar_last(const struct selftest_calendar *calendar, int64_t now_s, unsigned n, int64_t *ret);

/* The first date after now; -ENOENT when there is none within two years. */
int selftest_calendar_next(const struct selftest_calendar *calendar, int64_t now_s, int64_t *ret);

#endif
