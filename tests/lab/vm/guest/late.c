/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* late SECONDS: sleeps 10 ms again and again, that long, and prints by how much it was woken too late at worst: what this machine
 * did to a process that does nothing. A stall of another one is held against it. */

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void)
{
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

int main(int argc, char *argv[])
{
        struct timespec nap = { .tv_nsec = 10 * 1000 * 1000 };
        double end = now() + (argc > 1 ? atof(argv[1]) : 1), worst = 0;

        while (now() < end) {
                double before = now(), late;

                nanosleep(&nap, NULL);
                late = now() - before - 0.01;
                if (late > worst)
                        worst = late;
        }
        printf("%.3f\n", worst);
        return 0;
}
