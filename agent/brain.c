/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The brain as a whole: what it does when the judge finds a change. The loop and the options are in veilled.c. */

#include "brain.h"
#include "common_clock.h"

int64_t brain_now_us(void)
{
        return clock_boot_us();
}

int64_t brain_wall_us(void)
{
        return clock_wall_us();
}

static const int priority[LEVEL_MAX] = {
        [LEVEL_OK] = BRAIN_NOTICE, [LEVEL_NOTICE] = BRAIN_NOTICE, [LEVEL_WARNING] = BRAIN_WARNING,
        [LEVEL_UNKNOWN] = BRAIN_WARNING, [LEVEL_CRITICAL] = BRAIN_ERROR,
};

static void on_changed(void *data, const struct judge_component *c, enum level from)
{
        struct brain *b = data;
        const char *const fields[] = { "MESSAGE_ID", LOG_ID_LEVEL, "VEILLE_COMPONENT", c->name, "VEILLE_LEVEL", level_name(c->level),
                                       "VEILLE_LEVEL_BEFORE", level_name(from), "VEILLE_RULE", c->rule_name, NULL };

        /* Kept first: what the log has, history has. */
        brain_store_level(b, c, from);
        brain_log_fields(b, priority[c->level], fields, "%s: %s (was %s)%s%s", c->name, level_name(c->level), level_name(from),
                         *c->why ? ": " : "", c->why);
        brain_publish_soon(b);
        brain_alert_soon(b);
}

static void on_reasons(void *data, const struct judge_component *c, const struct judge_reason *also)
{
        struct brain *b = data;

        if (also) {
                const char *const fields[] = { "MESSAGE_ID", LOG_ID_LEVEL, "VEILLE_COMPONENT", c->name, "VEILLE_LEVEL", level_name(c->level),
                                               "VEILLE_LEVEL_BEFORE", level_name(c->level), "VEILLE_RULE", also->rule_name, NULL };

                brain_store_event(b, NULL, brain_wall_us(), c->name, "reason", also->level, also->rule_name, also->text);
                brain_log_fields(b, priority[also->level], fields, "%s: still %s, and %s: %s", c->name, level_name(c->level),
                                 level_name(also->level), also->text);
        }
        brain_publish_soon(b);
}

static void on_event(void *data, const char *component, const char *text)
{
        struct brain *b = data;

        brain_store_event(b, NULL, brain_wall_us(), component, "event", LEVEL_OK, "", text);
        brain_log(b, BRAIN_NOTICE, "%s: %s", component, text);
        brain_publish_soon(b);
}

struct judge *brain_new_judge(struct brain *b)
{
        return judge_new(&b->catalog, &(struct judge_callbacks){ .changed = on_changed, .reasons = on_reasons, .event = on_event, .data = b });
}
