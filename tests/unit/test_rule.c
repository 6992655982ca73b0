/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

#include "rule.h"
#include "test.h"

#define S USEC_PER_SEC
#define DAY (86400 * S)

struct row {
        int64_t t_s;
        double value;
        enum level want;
};

static void a_text_is_never_empty(void **state UNUSED)
{
        const struct rule r = { .name = "hot", .text = "{nonsense}{label:none}" };
        const char *const labels[] = { "none", "", NULL };
        struct rule_state st = { .value = 1e308 };
        char text[64];

        rule_text(&r, &st, "sda", labels, text, sizeof(text));
        assert_string_equal(text, "hot");
        rule_text(&(struct rule){ .name = "hot", .text = "{value}" }, &st, "sda", labels, text, sizeof(text));
        assert_string_equal(text, "1e+308");
}

static void play(const struct rule *rule, const struct row *rows, size_t n)
{
        struct rule_state st = { 0 };

        for (size_t i = 0; i < n; i++) {
                rule_step(rule, &st, rows[i].value, NAN, (1000 + rows[i].t_s) * S);
                if (st.level != rows[i].want)
                        fail_msg("row %zu: t=%lld value=%g: level %s, wanted %s", i, (long long)rows[i].t_s, rows[i].value,
                                 level_name(st.level), level_name(rows[i].want));
        }
        rule_state_done(&st);
}

static const struct rule temperature = {
        .name = "t", .metric = "m", .kind = RULE_LIMIT, .notice = RULE_NONE, .warning = 55, .critical = 65, .clear = 50, .hold_s = 60,
        .calm_s = 120, .text = "x",
};

static void limit_holds_and_calms(void **state UNUSED)
{
        static const struct row rows[] = {
                { 0, 40, LEVEL_OK },       { 10, 56, LEVEL_OK },       { 60, 56, LEVEL_OK },      { 70, 56, LEVEL_WARNING },
                { 80, 54, LEVEL_WARNING }, /* between clear and limit: stays */
                { 400, 54, LEVEL_WARNING }, { 410, 66, LEVEL_WARNING }, { 470, 66, LEVEL_CRITICAL },
                { 480, 49, LEVEL_CRITICAL }, { 490, 56, LEVEL_CRITICAL }, { 599, 49, LEVEL_CRITICAL },
                { 601, 49, LEVEL_WARNING }, /* falls only to the worst seen while calming */
                { 700, 49, LEVEL_WARNING }, { 819, 49, LEVEL_WARNING }, { 820, 49, LEVEL_OK },
        };

        play(&temperature, rows, ARRAY_LEN(rows));
}

static void change_is_news_old_counts_are_history(void **state UNUSED)
{
        static const struct rule crc = { .name = "c", .metric = "m", .kind = RULE_CHANGE, .notice = 1, .warning = 10,
                                         .critical = RULE_NONE, .clear = RULE_NONE, .calm_s = 86400, .text = "x" };
        static const struct row rows[] = {
                { 0, 87, LEVEL_OK },           { 60, 87, LEVEL_OK },         { 120, 88, LEVEL_NOTICE }, { 180, 97, LEVEL_WARNING },
                { 86400, 97, LEVEL_WARNING },  { 86579, 97, LEVEL_WARNING }, { 86581, 97, LEVEL_OK },   { 90000, 98, LEVEL_NOTICE },
                { 90060, 0, LEVEL_OK }, /* a new part or a reboot */
                { 90120, 1, LEVEL_NOTICE },
        };

        play(&crc, rows, ARRAY_LEN(rows));
}

static void rate_counts_growth_within_the_window(void **state UNUSED)
{
        static const struct rule storm = { .name = "r", .metric = "m_total", .kind = RULE_RATE, .notice = RULE_NONE, .warning = 10,
                                           .critical = RULE_NONE, .clear = RULE_NONE, .window_s = 240, .text = "x" };
        static const struct row rows[] = {
                { 0, 1000, LEVEL_OK }, /* what was counted before we looked is no rate */
                { 60, 1005, LEVEL_OK }, { 120, 1010, LEVEL_WARNING }, { 290, 1010, LEVEL_WARNING }, { 320, 1010, LEVEL_OK },
                { 330, 3, LEVEL_OK },   /* reset: 3 new ones */
                { 340, 13, LEVEL_WARNING },
        };

        play(&storm, rows, ARRAY_LEN(rows));
}

/* An SSD that takes a block back has not just replaced all the others. */
static void a_gauge_that_falls_is_no_reset(void **state UNUSED)
{
        static const struct rule blocks = { .name = "r", .metric = "disk_reallocated_sectors", .kind = RULE_RATE, .notice = RULE_NONE,
                                            .warning = 10, .critical = RULE_NONE, .clear = RULE_NONE, .window_s = 240, .text = "x" };
        static const struct row rows[] = { { 0, 120, LEVEL_OK }, { 60, 119, LEVEL_OK }, { 90, 128, LEVEL_OK }, { 120, 129, LEVEL_WARNING } };

        play(&blocks, rows, ARRAY_LEN(rows));
}

static void forecast_says_when(void **state UNUSED)
{
        static const struct rule full = { .name = "f", .metric = "m", .kind = RULE_FORECAST, .direction = RULE_BELOW, .limit = 0,
                                          .notice = RULE_NONE, .warning = 3 * 86400, .critical = RULE_NONE, .clear = RULE_NONE,
                                          .window_s = 86400, .text = "full in {forecast}" };
        struct rule_state st = { 0 };
        char text[64];

        /* 10 GB free, 2 GB a day: full in 5 days less what has passed. */
        for (int64_t t = 0; t <= 86400 * 21 / 10; t += 600)
                rule_step(&full, &st, 10e9 - (double)t * 2e9 / 86400, NAN, (7 + t) * S);
        assert_int_equal(st.level, LEVEL_WARNING);
        rule_text(&full, &st, "/var", NULL, text, sizeof(text));
        assert_string_equal(text, "full in 3 days");
        rule_state_done(&st);

        st = (struct rule_state){ 0 };
        for (int64_t t = 0; t <= 86400 * 2; t += 600)
                rule_step(&full, &st, 10e9 + (double)(t % 7200) * 1e5, NAN, (7 + t) * S);
        assert_int_equal(st.level, LEVEL_OK);
        rule_state_done(&st);
}

static void own_limit_of_the_device_counts(void **state UNUSED)
{
        static const struct rule crit = { .name = "l", .metric = "m", .kind = RULE_LIMIT, .notice = RULE_NONE, .warning = RULE_NONE,
                                          .critical = RULE_NONE, .clear = RULE_NONE, .limit_metric = "limit", .text = "{value} over {limit}" };
        struct rule_state st = { 0 };
        char text[64];

        assert_false(rule_step(&crit, &st, 90, NAN, S));
        assert_false(rule_step(&crit, &st, 90, 0, S)); /* an unset limit reads 0 */
        assert_false(rule_step(&crit, &st, 90, 95, S));
        assert_true(rule_step(&crit, &st, 95, 95, S));
        assert_int_equal(st.level, LEVEL_CRITICAL);
        rule_text(&crit, &st, "cpu", NULL, text, sizeof(text));
        assert_string_equal(text, "95 over 95");
        assert_false(rule_step(&crit, &st, NAN, 95, 2 * S));
        assert_int_equal(st.level, LEVEL_CRITICAL);
}

static void window_survives_a_restart(void **state UNUSED)
{
        static const struct rule rate = { .name = "r", .metric = "m", .kind = RULE_RATE, .notice = RULE_NONE, .warning = 10,
                                          .critical = RULE_NONE, .clear = RULE_NONE, .window_s = 86400, .text = "x" };
        struct rule_state a = { 0 }, b = { 0 };
        json_t *saved;

        rule_step(&rate, &a, 0, NAN, 5 * DAY);
        rule_step(&rate, &a, 9, NAN, 5 * DAY + 3600 * S);
        saved = rule_window_save(&a, 100 * DAY);
        /* Rebooted: the clock begins at 0 again, an hour later in real time. */
        b.seen = true;
        rule_window_load(&rate, &b, saved, 105 * DAY + 2 * 3600 * S, 60 * S);
        rule_step(&rate, &b, 0, NAN, 60 * S);
        assert_int_equal(b.level, LEVEL_OK);
        assert_true(b.measure == 9);
        rule_step(&rate, &b, 1, NAN, 120 * S);
        assert_int_equal(b.level, LEVEL_WARNING);
        json_decref(saved);
        rule_state_done(&a);
        rule_state_done(&b);
}

static void words_in_braces_are_told_in_the_unit_of_people(void **state UNUSED)
{
        static const struct {
                const char *text;
                double value;
                const char *want;
        } rows[] = {
                { "{percent} done", 0.0849, "8.5 % done" },      { "{bytes} free", 13958643712.0, "13 GiB free" },
                { "{bytes}", 999, "999 B" },                     { "{bytes}", 1000, "0.977 KiB" },
                { "{duration} to go", 5400, "2 hours to go" },   { "{value} of {component}", 3, "3 of md0" },
                { "{nothing}{label:disk}", 3, "?" },             { "open {brace", 3, "open {brace" },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct rule r = { .text = rows[i].text };
                struct rule_state st = { .value = rows[i].value };
                char text[64];

                rule_text(&r, &st, "md0", NULL, text, sizeof(text));
                assert_string_equal(text, rows[i].want);
        }
}

static void one_is_not_many(void **state UNUSED)
{
        static const struct {
                double value;
                int window_s;
                const char *want;
        } rows[] = {
                { 1, 86400, "1 block of sda is bad within a day" }, { 2, 3600, "2 blocks of sda are bad within an hour" },
                { 0, 7200, "0 blocks of sda are bad within 2 hours" }, { 11, 60, "11 blocks of sda are bad within a minute" },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                const struct rule r = { .window_s = rows[i].window_s,
                                        .text = "{value} {n:block|blocks} of {component} {n:is|are} bad within {window}" };
                const struct rule_state st = { .value = rows[i].value };
                char text[128];

                rule_text(&r, &st, "sda", NULL, text, sizeof(text));
                assert_string_equal(text, rows[i].want);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_text_is_never_empty),
                cmocka_unit_test(one_is_not_many),
                cmocka_unit_test(words_in_braces_are_told_in_the_unit_of_people),
                cmocka_unit_test(limit_holds_and_calms),
                cmocka_unit_test(change_is_news_old_counts_are_history),
                cmocka_unit_test(rate_counts_growth_within_the_window),
                cmocka_unit_test(a_gauge_that_falls_is_no_reset),
                cmocka_unit_test(forecast_says_when),
                cmocka_unit_test(own_limit_of_the_device_counts),
                cmocka_unit_test(window_survives_a_restart),
        };

        return cmocka_run_group_tests_name("rule", tests, NULL, NULL);
}
