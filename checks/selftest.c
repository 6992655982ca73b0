/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* What the brain derives about self-tests of disks ([selftest]): it has the calendar and remembers what passed when, a check
 * has no memory. So this check finds nothing by itself; its metric and rules stand in the catalogue like all others. */

#include "check.h"

static const struct metric_desc metrics[] = {
        { "selftest_failed", METRIC_GAUGE, "", "1 when this self-test failed, none has passed since, and the disk's own log no longer says so" },
        { "selftest_passed_age_seconds", METRIC_GAUGE, "seconds", "Time since this self-test last passed" },
        { "selftest_overdue_seconds", METRIC_GAUGE, "seconds", "How long ago this self-test should have passed; 0 when it is in time" },
};

static const struct rule rules[] = {
        {
                .name = "self-test-failed-before", .metric = "selftest_failed", .kind = RULE_LIMIT,
                .notice = RULE_NONE, .warning = 1, .critical = RULE_NONE, .clear = RULE_NONE,
                .evidence = EVIDENCE_SMART,
                .text = "the last {label:test} self-test of {component} found a fault",
                .clears = "a self-test of this kind, or a long one, that passes",
                .source = "a short test that passes does not read the sector that the long one could not; some disks only tell of the newest",
        },
        {
                .name = "self-test-overdue", .metric = "selftest_overdue_seconds", .kind = RULE_LIMIT,
                .notice = 1, .warning = 30 * 86400, .critical = RULE_NONE, .clear = RULE_NONE,
                .evidence = EVIDENCE_SMART,
                .text = "the {label:test} self-test of {component} has not passed on two dates of its calendar; the first was {forecast} ago (veillectl selftest says what holds it back)",
                .clears = "a self-test of this kind that passes",
                .source = "section [selftest] of the configuration; one missed date is no drama, since arrays must rebuild",
        },
};

static int discover(struct env *env UNUSED, struct instance_list *list UNUSED)
{
        return 0;
}

static enum result run(struct env *env, const struct instance *instance)
{
        return env_end(env, RESULT_NODATA, "%s: self-tests are planned by veilled", instance->name);
}

const struct check check_selftest = {
        .desc = {
                .name = "selftest",
                .summary = "self-tests of disks on a calendar; planned by veilled",
                .interval_s = 86400,
                .deadline_s = 5,
                .privilege = PRIVILEGE_NONE,
                .evidence = EVIDENCE_SMART,
                .metrics = metrics, .n_metrics = ARRAY_LEN(metrics),
                .rules = rules, .n_rules = ARRAY_LEN(rules),
        },
        .discover = discover,
        .run = run,
};
