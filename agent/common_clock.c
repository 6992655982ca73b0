/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The two clocks of veille, in microseconds. */

#include <time.h>

#include "common_clock.h"
#include "macros.h"

static int64_t clock_us(clockid_t id)
{
        struct timespec ts;

        clock_gettime(id, &ts);
        return (int64_t)ts.tv_sec * USEC_PER_SEC + ts.tv_nsec / 1000;
}

int64_t clock_boot_us(void)
{
        return clock_us(CLOCK_BOOTTIME);
}

int64_t clock_wall_us(void)
{
        return clock_us(CLOCK_REALTIME);
}
