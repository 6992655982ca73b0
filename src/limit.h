/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_LIMIT_H
#define VEILLE_LIMIT_H

/* Everything that can grow has a limit; what lies beyond one is not watched, and that is told. Whoever hits a limit sets its
 * bit; the brain counts it (veille_limit_hits_total) and shows the sentence as a warning about veille itself. A probe tells
 * the brain by a line {"type":"limit","limit":NAME}. */

#include "macros.h"

enum limit {
        /* of the brain */
        LIMIT_COMPONENTS,
        LIMIT_SERIES,
        LIMIT_REASONS,
        LIMIT_MEMORY,
        LIMIT_TOPOLOGY,
        LIMIT_STATE_FILE,
        LIMIT_LABELS,
        /* of probes */
        LIMIT_INSTANCES,
        LIMIT_DIRECTORY,
        LIMIT_MOUNTS,
        LIMIT_MAIL_PATHS,
        LIMIT_DISKS,
        LIMIT_MD,
        LIMIT_ZPOOL,
        LIMIT_BTRFS,
        LIMIT_SENSORS,
        LIMIT_IPMI,
        LIMIT_UPS,
        LIMIT_MAX,
};

typedef uint64_t limit_set; /* of bits 1 << enum limit */
#define LIMIT_BIT(limit) ((limit_set)1 << (limit))

const char *limit_name(enum limit limit);
int limit_from_name(const char *name); /* -EINVAL */
/* What is more than is watched, as a sentence without a full stop. */
const char *limit_lost(enum limit limit);

#endif
