/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The table that maps levels to host health. Called by the judge after every change. */

#include "health.h"

enum tri { NO, YES, ANY };

/* First row that fits counts. The reason column is for readers of this table and of the man page. */
static const struct {
        enum level at_least;
        enum tri hard, two_classes, carries, protected_;
        enum health_part part;
        const char *reason;
} parts[] = {
        { LEVEL_CRITICAL, YES, ANY, YES, NO, PART_HARD, "a hard fault of hardware that nothing protects" },
        { LEVEL_CRITICAL, NO, YES, YES, NO, PART_HARD, "two independent classes of evidence against unprotected hardware" },
        { LEVEL_CRITICAL, YES, ANY, YES, YES, PART_HARD_PROTECTED, "a hard fault behind working redundancy" },
        { LEVEL_CRITICAL, ANY, ANY, ANY, ANY, PART_WARNING, "nothing stands on it, redundancy carries it, or it is a prediction" },
        { LEVEL_UNKNOWN, ANY, ANY, YES, ANY, PART_BLIND, "we cannot see something that carries mail or the system" },
        { LEVEL_UNKNOWN, ANY, ANY, NO, ANY, PART_SOFT, "we cannot see something that carries nothing" },
        { LEVEL_WARNING, ANY, ANY, ANY, ANY, PART_WARNING, "a warning" },
        { LEVEL_NOTICE, ANY, ANY, ANY, ANY, PART_SOFT, "one soft sign" },
        { LEVEL_OK, ANY, ANY, ANY, ANY, PART_NONE, "nothing" },
};

static bool fits(enum tri want, bool is)
{
        return want == ANY || (want == YES) == is;
}

enum health_part health_part(const struct health_input *in)
{
        bool two = in->evidence & (in->evidence - 1);

        for (size_t i = 0; i < ARRAY_LEN(parts); i++)
                if (in->level >= parts[i].at_least && fits(parts[i].hard, in->hard) && fits(parts[i].two_classes, two) &&
                    fits(parts[i].carries, in->carries) && fits(parts[i].protected_, in->protected_))
                        return parts[i].part;
        return PART_NONE;
}

/* The sentence is about the worst component of those that make the host this bad. */
static void raise_to(struct health_result *r, enum health health, enum level level, const char *component, const char *why)
{
        if (health < r->health || (health == r->health && level <= r->level))
                return;
        r->health = health;
        r->level = level;
        snprintf(r->why, sizeof(r->why), "%s: %s", component, why);
}

void health_add(struct health_result *r, enum health_part part, enum level level, const char *component, const char *why)
{
        switch (part) {
        case PART_HARD:
                raise_to(r, HEALTH_RED, level, component, why);
                break;
        case PART_HARD_PROTECTED:
        case PART_WARNING:
                r->warnings++;
                raise_to(r, HEALTH_YELLOW, level, component, why);
                break;
        case PART_BLIND:
                r->blind++;
                raise_to(r, HEALTH_YELLOW, level, component, why);
                break;
        case PART_SOFT:
                /* One soft sign is to be known, two are a reason to look. */
                if (++r->soft == 2)
                        raise_to(r, HEALTH_YELLOW, level, component, why);
                break;
        case PART_NONE:
                break;
        }
}

void health_finish(struct health_result *r)
{
        if (r->health == HEALTH_GREEN)
                snprintf(r->why, sizeof(r->why), r->soft ? "one soft sign, nothing else" : "nothing is wrong that we can see");
}
