/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* When the next scrape is to be expected. Files in RUN change several times between two scrapes; rendering each change would
 * cost ten times what rendering the last one before the scrape costs, and nobody would have read the others. Pure: no clock. */

#include "web.h"

#include <math.h>

#define LEAD_S 1.5 /* time to render on a busy host, and what a scraper's own timer is late */

void web_expect_note(struct web_expect *e, double now)
{
        if (e->scrapes > 0)
                e->gaps[(e->scrapes - 1) % ARRAY_LEN(e->gaps)] = fmax(0, now - e->last);
        e->scrapes++;
        e->last = now;
}

/* Several scrapers, each with its own beat: the next one comes no sooner than the shortest of the last gaps. */
static void range(const struct web_expect *e, double *ret_shortest, double *ret_longest)
{
        size_t n = e->scrapes > 0 ? MIN(e->scrapes - 1, ARRAY_LEN(e->gaps)) : 0;

        *ret_shortest = INFINITY;
        *ret_longest = 0;
        for (size_t i = 0; i < n; i++) {
                *ret_shortest = fmin(*ret_shortest, e->gaps[i]);
                *ret_longest = fmax(*ret_longest, e->gaps[i]);
        }
}

double web_expect_from(const struct web_expect *e)
{
        double shortest, longest;

        range(e, &shortest, &longest);
        return e->last + shortest - LEAD_S;
}

bool web_expect_now(const struct web_expect *e, double now)
{
        double shortest, longest;

        range(e, &shortest, &longest);
        /* One that is later than twice its longest gap has gone away. */
        return now >= e->last + shortest - LEAD_S && now <= e->last + 2 * longest + LEAD_S;
}
