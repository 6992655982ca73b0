/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* What veille has to say of itself, as the check and the component "veille": a store that does not answer, a kernel log that
 * ended, a limit that was hit. */

#include "brain.h"

#include <stdarg.h>

static const struct metric_desc self_metrics[] = {
        { "limit_hits_total", METRIC_COUNTER, "", "Times that a limit of veille was hit: what lies beyond is not watched" },
};

static const struct rule self_rules[] = {
        {
                .name = "limit-hit", .metric = "limit_hits_total", .kind = RULE_RATE, .notice = RULE_NONE, .warning = 1,
                .critical = RULE_NONE, .clear = RULE_NONE, .window_s = 3600, .evidence = EVIDENCE_SILENCE,
                .text = "{label:who}: {label:lost}", .clears = "an hour in which the limit is not hit",
                .source = "what is not watched must not look well",
        },
};

const struct check_desc brain_self_check = {
        .name = "veille",
        .summary = "veille itself",
        .interval_s = 60,
        .deadline_s = 10,
        .max_age_s = 86400, /* counters that stand still are true all the same */
        .evidence = EVIDENCE_SILENCE,
        .metrics = self_metrics, .n_metrics = ARRAY_LEN(self_metrics),
        .rules = self_rules, .n_rules = ARRAY_LEN(self_rules),
};

/* A level from before a restart or reload stands until somebody who knows says better. */
static bool is_held(const struct brain *b)
{
        for (const struct judge_component *c = judge_components(b->judge); c; c = c->next)
                if (c->held && streq(c->name, "veille"))
                        return true;
        return false;
}

void brain_self(struct brain *b, const char *what, enum verdict verdict, const char *fmt, ...)
{
        struct judge_instance *i = judge_find(b->judge, &brain_self_check, what);
        char why[512];
        va_list ap;

        if (verdict == VERDICT_OK && (i ? i->verdict == VERDICT_OK : !is_held(b)))
                return;
        va_start(ap, fmt);
        vsnprintf(why, sizeof(why), fmt, ap);
        va_end(ap);
        i = judge_pushed(b->judge, &brain_self_check, what, "veille", "agent", brain_now_us());
        if (i->verdict == verdict && streq(i->why, why))
                return;
        if (verdict != VERDICT_OK)
                brain_log(b, BRAIN_WARNING, "%s: %s", what, why);
        judge_run_end(b->judge, i, verdict, why, brain_now_us());
}

void brain_limit(struct brain *b, enum limit limit, const char *who)
{
        const char *const labels[] = { "limit", limit_name(limit), "who", who, "lost", limit_lost(limit), NULL };
        int64_t now = brain_now_us();
        struct judge_instance *i = judge_pushed(b->judge, &brain_self_check, "veille", "veille", "agent", now);

        judge_count(b->judge, i, "limit_hits_total", labels, now);
        i->component->dirty = true;
        judge_counted(b->judge, i, now);
}

void brain_limits_of_judge(struct brain *b)
{
        limit_set limits = judge_take_limits(b->judge);

        for (int i = 0; i < LIMIT_MAX; i++)
                if (limits & LIMIT_BIT(i))
                        brain_limit(b, (enum limit)i, "veilled");
}
