/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* What the kernel knows of the quality of its clock: adjtimex() without a change, which needs no right. */

#include <sys/timex.h>

#include "probe.h"

int probe_read_clock(struct env *env UNUSED, struct env_clock *ret)
{
        struct timex t = { .modes = 0 };
        int state = adjtimex(&t);

        if (state < 0)
                return neg_errno();
        *ret = (struct env_clock){
                .offset_s = (double)t.offset / (t.status & STA_NANO ? 1e9 : 1e6),
                .max_error_s = (double)t.maxerror / 1e6,
                .estimated_error_s = (double)t.esterror / 1e6,
                .synchronized = state != TIME_ERROR && !(t.status & STA_UNSYNC),
        };
        return 0;
}
