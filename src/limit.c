/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The names and sentences of limits; the numbers are beside the code that keeps them. */

#include "limit.h"

static const struct {
        const char *name, *lost;
} limits[] = {
        [LIMIT_COMPONENTS] = { "components", "more than 4096 components: those beyond are judged as parts of the first one" },
        [LIMIT_SERIES] = { "series", "more than 4096 values of one instance: those beyond are not judged" },
        [LIMIT_REASONS] = { "reasons", "more than 256 reasons for the level of one component: the mildest are not listed" },
        [LIMIT_MEMORY] = { "memory", "more than 4096 remembered parts that are not there now: what was accepted of those beyond is forgotten" },
        [LIMIT_TOPOLOGY] = { "topology", "more than 2048 parts or 8192 links between them: what stands on those beyond is not known, so "
                                         "their faults may be called too mild or too urgent" },
        [LIMIT_STATE_FILE] = { "state-file", "state.json has more than 4 MiB: after a restart, what was accepted comes from the store alone" },
        [LIMIT_LABELS] = { "labels", "a line of a probe had more than 24 labels, which is not judged" },
        [LIMIT_INSTANCES] = { "instances", "more than 1024 instances: those beyond are not watched" },
        [LIMIT_DIRECTORY] = { "directory", "more than 4096 entries in a directory of the kernel: those beyond are not watched" },
        [LIMIT_MOUNTS] = { "mounts", "more than 4096 mounts: file systems beyond are not watched" },
        [LIMIT_MAIL_PATHS] = { "mail-paths", "more than 16 paths in one setting: in those beyond no mail is expected and no write is tried" },
        [LIMIT_DISKS] = { "disks", "more than 512 disks: those beyond are not watched" },
        [LIMIT_MD] = { "md", "more than 1024 arrays, or 512 members of one: those beyond are not watched" },
        [LIMIT_ZPOOL] = { "zpool", "more than 1024 devices in a pool: the state of those beyond is not read" },
        [LIMIT_BTRFS] = { "btrfs", "more than 256 devices in a btrfs: the state of those beyond is not read" },
        [LIMIT_SENSORS] = { "sensors", "more than 512 chips with sensors: those beyond are not watched" },
        [LIMIT_IPMI] = { "ipmi", "more than 1024 sensors or 16384 log entries of the BMC: those beyond are not read" },
        [LIMIT_UPS] = { "ups", "more than 32 UPSs in the configuration: those beyond are not watched" },
};

_Static_assert(ARRAY_LEN(limits) == LIMIT_MAX, "every limit has a name");
_Static_assert(LIMIT_MAX <= 64, "limits fit into a limit_set");

const char *limit_name(enum limit limit)
{
        assert(limit < LIMIT_MAX);
        return limits[limit].name;
}

const char *limit_lost(enum limit limit)
{
        assert(limit < LIMIT_MAX);
        return limits[limit].lost;
}

int limit_from_name(const char *name)
{
        for (size_t i = 0; i < ARRAY_LEN(limits); i++)
                if (streq(limits[i].name, name))
                        return (int)i;
        return -EINVAL;
}
