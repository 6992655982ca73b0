/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Tells the kernel what a time service tells it: the clock is kept. Who sets the clock by hand makes the kernel forget that. */

#include <stdio.h>
#include <sys/timex.h>

int main(void)
{
        struct timex t = { .modes = ADJ_STATUS | ADJ_MAXERROR | ADJ_ESTERROR, .status = STA_PLL, .maxerror = 1000, .esterror = 1000 };

        if (adjtimex(&t) < 0) {
                perror("adjtimex");
                return 1;
        }
        printf("%s\n", t.status & STA_UNSYNC ? "unsynchronized" : "kept");
        return 0;
}
