/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Rules that stay silent until a value has once been seen good: fan headers without a fan. */

#include "catalog.h"
#include "test.h"

static const struct rule fan = {
        .name = "fan", .metric = "rpm", .kind = RULE_LIMIT, .direction = RULE_BELOW,
        .notice = RULE_NONE, .warning = 0, .critical = RULE_NONE, .clear = RULE_NONE,
        .hold_s = 60, .after_good = true, .text = "stopped",
};

static const struct rule against_limit = {
        .name = "in", .metric = "volts", .kind = RULE_LIMIT, .direction = RULE_ABOVE, .limit_metric = "max",
        .notice = RULE_NONE, .warning = RULE_NONE, .critical = RULE_NONE, .clear = RULE_NONE,
        .limit_level = LEVEL_WARNING, .after_good = true, .text = "high",
};

static void step_minutes(struct rule_state *s, double value, int from_min, int to_min, enum level wanted)
{
        for (int t = from_min; t < to_min; t++)
                rule_step(&fan, s, value, NAN, t * 60 * USEC_PER_SEC);
        assert_string_equal(level_name(s->level), level_name(wanted));
}

static void never_turned_is_no_news(void **state UNUSED)
{
        struct rule_state s = { 0 };

        step_minutes(&s, 0, 0, 100000, LEVEL_OK);
}

static void turned_then_stopped(void **state UNUSED)
{
        struct rule_state s = { 0 };

        step_minutes(&s, 0, 0, 10, LEVEL_OK);
        step_minutes(&s, 1200, 10, 20, LEVEL_OK);
        step_minutes(&s, 0, 20, 21, LEVEL_OK); /* hold */
        step_minutes(&s, 0, 21, 30, LEVEL_WARNING);
        step_minutes(&s, 900, 30, 31, LEVEL_OK);
}

static void accepted_until_it_turns_again(void **state UNUSED)
{
        struct rule_state s = { 0 };

        step_minutes(&s, 1200, 0, 10, LEVEL_OK);
        step_minutes(&s, 0, 10, 20, LEVEL_WARNING);
        assert_true(rule_accept(&fan, &s, 0, 20 * 60 * USEC_PER_SEC));
        step_minutes(&s, 0, 20, 1000, LEVEL_OK);
        step_minutes(&s, 1200, 1000, 1010, LEVEL_OK);
        step_minutes(&s, 0, 1010, 1020, LEVEL_WARNING);
}

static void without_its_limit_nothing_was_good(void **state UNUSED)
{
        struct rule_state s = { 0 };

        rule_step(&against_limit, &s, 13, NAN, 0);
        rule_step(&against_limit, &s, 13, 12.6, 60 * USEC_PER_SEC);
        assert_int_equal(s.level, LEVEL_OK);
        rule_step(&against_limit, &s, 12, 12.6, 120 * USEC_PER_SEC);
        rule_step(&against_limit, &s, 13, 12.6, 180 * USEC_PER_SEC);
        assert_int_equal(s.level, LEVEL_WARNING);
}

static void survives_the_catalogue(void **state UNUSED)
{
        const struct check_desc desc = { .name = "x", .summary = "", .interval_s = 1, .deadline_s = 1, .rules = &fan, .n_rules = 1 };
        const struct check_desc *const list[] = { &desc };
        struct errinfo err = { 0 };
        struct catalog c;
        json_t *doc = catalog_to_json(list, 1);

        assert_int_equal(catalog_from_json(doc, &c, &err), 0);
        assert_true(c.checks[0].rules[0].after_good);
        catalog_done(&c);
        json_decref(doc);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(never_turned_is_no_news),
                cmocka_unit_test(turned_then_stopped),
                cmocka_unit_test(accepted_until_it_turns_again),
                cmocka_unit_test(without_its_limit_nothing_was_good),
                cmocka_unit_test(survives_the_catalogue),
        };

        return cmocka_run_group_tests_name("rule_after_good", tests, NULL, NULL);
}
