/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* See powered_clock.h. */

#include "powered_clock.h"

#include <math.h>

#define HOUR_US (3600 * USEC_PER_SEC)
#define HOURS_MAX 1e6 /* more than a hundred years */

int64_t powered_clock_step(struct powered_clock *clock, double hours, double elapsed_h, double unmetered_h)
{
        double step;

        if (!(hours >= 0 && hours <= HOURS_MAX))
                hours = NAN;
        if (!clock->begun)
                step = isnan(hours) ? 0 : hours;
        else if (isnan(hours) || isnan(clock->hours))
                step = fmin(fmax(unmetered_h, 0), HOURS_MAX);
        else
                step = fmin(fmax(hours - clock->hours, 0), 24 + 2 * fmin(fmax(elapsed_h, 0), HOURS_MAX));
        clock->now_us += (int64_t)(step * HOUR_US);
        clock->hours = hours;
        clock->begun = true;
        return clock->now_us;
}

json_t *powered_clock_save(const struct powered_clock *clock)
{
        json_t *o = clock->begun ? json_pack("{sI}", "now", (json_int_t)clock->now_us) : NULL;

        if (o && !isnan(clock->hours))
                json_object_set_new(o, "hours", json_real(clock->hours));
        return o;
}

void powered_clock_load(struct powered_clock *clock, const json_t *doc)
{
        json_int_t now = json_integer_value(json_object_get(doc, "now"));
        const json_t *hours = json_object_get(doc, "hours");

        if (!json_is_integer(json_object_get(doc, "now")) || now < 0 || now > INT64_MAX / 4)
                return;
        clock->begun = true;
        clock->now_us = now;
        clock->hours = json_is_number(hours) ? json_number_value(hours) : NAN;
}
