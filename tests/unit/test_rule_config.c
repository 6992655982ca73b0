/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

#include "test.h"

#include "rule_config.h"

static const struct rule above = {
        .name = "hot", .metric = "m", .kind = RULE_LIMIT, .direction = RULE_ABOVE, .notice = RULE_NONE, .warning = 50, .critical = 60,
        .clear = 45, .hold_s = 10, .calm_s = 20,
};
static const struct rule below = {
        .name = "low", .metric = "m", .kind = RULE_RATE, .direction = RULE_BELOW, .notice = RULE_NONE, .warning = 50, .critical = 40,
        .clear = RULE_NONE, .window_s = 60,
};

static int configure(struct rule *r, const char *text, struct errinfo *err)
{
        struct config_errors errors;
        struct config *c;
        int status;

        assert_int_equal(config_parse_string("f", text, strlen(text), &c, &errors), 0);
        status = rule_configure(r, c, err);
        config_free(c);
        return status;
}

static void limits_are_changed_one_by_one(void **state UNUSED)
{
        struct errinfo err = { 0 };
        struct rule r = above;

        assert_int_equal(configure(&r, "[rule hot]\nwarning = 55\nhold = 1min\n[rule other]\ncritical = 1\n", &err), 0);
        assert_true(r.warning == 55 && r.critical == 60 && r.hold_s == 60 && r.calm_s == 20 && isnan(r.notice));
        assert_int_equal(configure(&r, "[rule hot]\ncritical = none\nclear = none\n", &err), 0);
        assert_true(isnan(r.critical) && isnan(r.clear));
        r = below;
        assert_int_equal(configure(&r, "[rule low]\nwarning = 45\nwindow = 1h\n", &err), 0);
        assert_true(r.warning == 45 && r.window_s == 3600);
}

static void disabled_reaches_no_level(void **state UNUSED)
{
        struct rule r = above;

        r.limit_metric = "other";
        assert_int_equal(configure(&r, "[rule hot]\nenabled = no\n", NULL), 0);
        assert_true(isnan(r.notice) && isnan(r.warning) && isnan(r.critical) && !r.limit_metric);
}

static void what_makes_no_sense_is_refused_and_changes_nothing(void **state UNUSED)
{
        static const struct {
                const struct rule *rule;
                const char *text, *wanted;
        } rows[] = {
                { &above, "[rule hot]\nwarning = 70\n", "[rule hot]: warning 70 (f:2) would be reached after critical 60 (default)" },
                { &above, "[rule hot]\nnotice = 52\n", "[rule hot]: notice 52 (f:2) would be reached after warning 50 (default)" },
                { &above, "[rule hot]\nclear = 58\n", "[rule hot]: clear 58 (f:2) is still bad: warning is 50 (default)" },
                { &below, "[rule low]\nwarning = 30\n", "[rule low]: warning 30 (f:2) would be reached after critical 40 (default)" },
                { &below, "[rule low]\nclear = 45\n", "[rule low]: clear 45 (f:2) is still bad: warning is 50 (default)" },
                { &above, "[rule hot]\nwindow = 5\n", "[rule hot]: window (f:2) means nothing here: this rule measures no rate and no trend" },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct errinfo err = { 0 };
                struct rule r = *rows[i].rule;

                assert_int_equal(configure(&r, rows[i].text, &err), -EINVAL);
                assert_string_equal(err.text, rows[i].wanted);
                assert_memory_equal(&r, rows[i].rule, sizeof(r));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(limits_are_changed_one_by_one),
                cmocka_unit_test(disabled_reaches_no_level),
                cmocka_unit_test(what_makes_no_sense_is_refused_and_changes_nothing),
        };

        return cmocka_run_group_tests_name("rule_config", tests, NULL, NULL);
}
