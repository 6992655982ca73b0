/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* zpool status and zpool list: any text. */

#include "zpool.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_free_ char *text = strndup((const char *)data, size);
        struct zpool_usage usage[4];
        struct zpool p;

        if (!text)
                return 0;
        zpool_list_parse(text, usage, ARRAY_LEN(usage));
        if (zpool_status_parse(text, &p) < 0)
                return 0;
        for (size_t i = 0; i < p.n_vdevs && i < 64; i++) {
                assert(p.vdevs[i].parent < (int)i);
                assert(zpool_left(&p, i) <= zpool_redundancy(&p, i));
        }
        zpool_done(&p);
        return 0;
}
