/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_POWERED_CLOCK_H
#define VEILLE_POWERED_CLOCK_H

/* A disk's own time: the hours it has been on (attribute 9), for windows of days in which it worked. The counter itself is no
 * clock: it wraps after seven years on some drives, firmware resets it, one reading in thousands is wild. Pure; used by the
 * daemon for every reading and by the replay for every drive-day. */

#include <jansson.h>

#include "macros.h"

/* Zero-initialised: nothing read yet. */
struct powered_clock {
        bool begun;
        double hours;   /* of the last reading; NAN: not reported */
        int64_t now_us; /* begins at the first hours read, never goes back */
        int64_t at_us;  /* when the last reading was; the caller's clock, for it alone */
};

/* One reading: hours as reported (NAN: not). A counter that falls goes on from where the clock was. More than twice the time that
 * passed since the last reading (elapsed_h) and a day does not count, so that a wild reading empties no window; without hours
 * unmetered_h pass. Returns now_us. */
int64_t powered_clock_step(struct powered_clock *clock, double hours, double elapsed_h, double unmetered_h);

/* To survive a reboot: at_us is left to the caller. NULL: nothing read yet. Bad input leaves the clock as it was. */
json_t *powered_clock_save(const struct powered_clock *clock);
void powered_clock_load(struct powered_clock *clock, const json_t *doc);

#endif
