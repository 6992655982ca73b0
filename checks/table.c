/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Every check that veille-probe knows, in the order in which veillectl checks shows them. */

#include "check.h"

#define CHECK(name) extern const struct check check_##name;
#include "table.inc"
#undef CHECK

const struct check *const checks_all[] = {
#define CHECK(name) &check_##name,
#include "table.inc"
#undef CHECK
};

const size_t checks_all_len = ARRAY_LEN(checks_all);

const struct check *check_by_name(const char *name)
{
        for (size_t i = 0; i < checks_all_len; i++)
                if (streq(checks_all[i]->desc.name, name))
                        return checks_all[i];
        return NULL;
}
