/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Mount tables and fstab: any text. */

#include "mountinfo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_free_ char *text = strndup((const char *)data, size);
        struct mount_table t;
        size_t skipped;

        if (!text || size > 65536 || mountinfo_parse(text, &t, &skipped) < 0)
                return 0;
        mount_table_choose(&t);
        for (size_t i = 0; i < t.n && i < 64; i++) {
                const struct mount *m = mount_table_holding(&t, t.items[i].mountpoint);

                assert(!m || m->chosen);
                mount_has_option(t.items[i].super_options, "ro");
        }
        fstab_wants_readonly(text, "/");
        mount_table_done(&t);
        return 0;
}
