/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* What all sinks ask of the request. */

#include "common_clock.h"
#include "notify.h"

const char *notify_text(const json_t *o, const char *key)
{
        const char *s = json_string_value(json_object_get(o, key));

        return s ? s : "";
}

int64_t notify_left_ms(const struct notify *n)
{
        return MAX((n->until_us - clock_boot_us()) / USEC_PER_MSEC, 1);
}
