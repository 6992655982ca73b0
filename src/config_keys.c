/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Every configuration key there is, once: veillectl config, the example file, docs/veille.conf.5 and
 * the defaults come from this table. Sections keep together, named ones ([check NAME]) have named = true. */

#include "config.h"

const struct config_key config_keys[] = {
        { "check", true, "enabled", CONFIG_BOOL, "yes", 0, 0, NULL,
          "Whether this check runs at all." },
        { "check", true, "interval", CONFIG_DURATION, NULL, 1, 604800, NULL,
          "Time between two runs. Unset: the check's own default, see veillectl checks." },
        { "check", true, "ignore", CONFIG_LIST, NULL, 0, 0, NULL,
          "Instances that are not to be looked at, as veille-probe list shows them." },
};

const size_t config_keys_len = ARRAY_LEN(config_keys);
