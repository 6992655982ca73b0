/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* See event_rank.h. The end of a trouble counts as much as its beginning: without it the trouble would never end in history. */

#include "event_rank.h"

#include "level.h"

enum { RANK_REMARK, RANK_KERNEL, RANK_NOTICE, RANK_WARNING, RANK_CRITICAL = EVENT_RANK_MAX };

static unsigned level_rank(const char *name)
{
        static const unsigned ranks[LEVEL_MAX] = {
                [LEVEL_OK] = RANK_REMARK,           [LEVEL_NOTICE] = RANK_NOTICE,     [LEVEL_WARNING] = RANK_WARNING,
                [LEVEL_UNKNOWN] = RANK_WARNING,     [LEVEL_CRITICAL] = RANK_CRITICAL,
        };
        int level = level_from_name(name);

        return level < 0 ? RANK_REMARK : ranks[level];
}

static unsigned kind_rank(const char *kind)
{
        static const struct {
                const char *kind;
                unsigned rank;
        } rows[] = {
                { "fault", RANK_CRITICAL }, /* of veille itself: what it says about its own memory */
                { "kernel", RANK_KERNEL },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
                if (streq(rows[i].kind, kind))
                        return rows[i].rank;
        return RANK_REMARK;
}

unsigned event_rank(const char *kind, const char *from, const char *to)
{
        unsigned rank = kind_rank(kind);

        if (!streq(from, to) || streq(kind, "reason")) { /* one more reason for a level that stays */
                rank = MAX(rank, level_rank(from));
                rank = MAX(rank, level_rank(to));
        }
        return rank;
}
