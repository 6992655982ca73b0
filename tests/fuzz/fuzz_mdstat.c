/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* /proc/mdstat: any text. */

#include "mdstat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_free_ char *text = strndup((const char *)data, size);
        struct mdstat t;

        if (!text || mdstat_parse(text, &t) < 0)
                return 0;
        for (size_t i = 0; i < t.n; i++) {
                assert(mdstat_find(&t, t.arrays[i].name));
                assert(!(t.arrays[i].ratio < 0) && !(t.arrays[i].ratio > 1));
        }
        mdstat_done(&t);
        return 0;
}
