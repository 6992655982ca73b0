/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The scorecard: points per row, and the traps of the data (missing values, first values, falls,
 * powered-on time). Each row of a drive's life: {day, readings, wanted score}. */

#include "scorecard.h"
#include "test.h"

#define DAY (86400 * USEC_PER_SEC)
#define ABSENT NAN

struct life {
        int day;
        struct scorecard_input in; /* 5, 187, 197, 198 */
        double score;
};

static void live(const struct life *rows, size_t n)
{
        _cleanup_(scorecard_state_done) struct scorecard_state state = {};

        for (size_t i = 0; i < n; i++) {
                double score = scorecard_step(&state, &rows[i].in, rows[i].day * DAY);

                if (score != rows[i].score)
                        fail_msg("row %zu, day %d: score %g, wanted %g", i, rows[i].day, score, rows[i].score);
        }
}

#define LIVE(...)                                    \
        do {                                         \
                const struct life life[] = { __VA_ARGS__ }; \
                live(life, ARRAY_LEN(life));         \
        } while (0)

static void test_levels(void **state UNUSED)
{
        LIVE({ 0, { 0, 0, 0, 0 }, 0 });
        LIVE({ 0, { 0, 0, 1, 0 }, 5 });
        LIVE({ 0, { 0, 0, 0, 2 }, 5 });
        LIVE({ 0, { 0, 0, 3, 2 }, 10 });
        LIVE({ 0, { 0, 0, 6, 0 }, 10 }, { 1, { 0, 0, 7, 0 }, 15 });
        LIVE({ 0, { 1, 0, 0, 0 }, 2 });
        LIVE({ 0, { 1023, 0, 1023, 0 }, 70 }, { 1, { 99999, 0, 99999, 0 }, 70 });
}

static void test_what_is_missing(void **state UNUSED)
{
        LIVE({ 0, { ABSENT, ABSENT, ABSENT, ABSENT }, 0 });
        LIVE({ 0, { 3, ABSENT, ABSENT, 7 }, 19 });
        /* What was seen is not forgotten because one reading lacks it. */
        LIVE({ 0, { 0, 0, 7, 0 }, 15 }, { 1, { ABSENT, ABSENT, ABSENT, ABSENT }, 15 }, { 2, { 0, 0, 0, 0 }, 0 });
        LIVE({ 0, { -1, INFINITY, -INFINITY, ABSENT }, 0 });
}

static void test_growth(void **state UNUSED)
{
        /* The first value is the baseline, even when it comes late. */
        LIVE({ 0, { 0, 500, 0, 0 }, 0 });
        LIVE({ 0, { 0, ABSENT, 0, 0 }, 0 }, { 400, { 0, 500, 0, 0 }, 0 }, { 401, { 0, 501, 0, 0 }, 4 });
        LIVE({ 0, { 0, 0, 0, 0 }, 0 }, { 1, { 0, 1, 0, 0 }, 4 }, { 2, { 0, 3, 0, 0 }, 8 }, { 31, { 0, 3, 0, 0 }, 4 },
             { 32, { 0, 3, 0, 0 }, 0 });
        /* A reset is no growth, what grows afterwards is. */
        LIVE({ 0, { 0, 50, 0, 0 }, 0 }, { 1, { 0, 0, 0, 0 }, 0 }, { 2, { 0, 1, 0, 0 }, 4 });
        /* At most 8 * 4. */
        LIVE({ 0, { 0, 0, 0, 0 }, 0 }, { 1, { 0, 65535, 0, 0 }, 32 });
}

static void test_clock(void **state UNUSED)
{
        LIVE({ 100, { 0, 0, 0, 0 }, 0 }, { 50, { 0, 1, 0, 0 }, 4 }, { 129, { 0, 1, 0, 0 }, 4 }, { 130, { 0, 1, 0, 0 }, 0 });
        LIVE({ -5, { 0, 0, 0, 0 }, 0 }, { -4, { 0, 1, 0, 0 }, 4 });
        LIVE({ 0, { 0, 0, 0, 0 }, 0 }, { 1, { 0, 1, 0, 0 }, 4 }, { 1000000, { 0, 1, 0, 0 }, 0 });
}

static void test_packed(void **state UNUSED)
{
        /* 0x0001_0001_0000: three words, none of them an error count of 65536. */
        LIVE({ 0, { 0, 0, 0, 0 }, 0 }, { 1, { 0, 0x100010000, 0, 0 }, 0 }, { 2, { 0, 0x100010001, 0, 0 }, 4 });
}

static void test_probability(void **state UNUSED)
{
        double last = 0;

        for (int s = 0; s <= 102; s++) {
                double p = scorecard_probability(s);

                assert_true(p > 0 && p < 1);
                if (s > 2 && p <= last)
                        fail_msg("score %d: %g is not more than %g", s, p, last);
                last = p;
        }
        assert_true(scorecard_probability(51) > 0.25 && scorecard_probability(51) < 0.6);
        assert_true(scorecard_probability(NAN) < 0.01);
        assert_true(scorecard_probability(-3) < 0.01);
}

static void test_explain(void **state UNUSED)
{
        _cleanup_(scorecard_state_done) struct scorecard_state s = {};
        char buf[256], tiny[8];

        scorecard_step(&s, &(struct scorecard_input){ 0, 0, 0, 0 }, 0);
        scorecard_explain(&s, buf, sizeof(buf));
        assert_string_equal(buf, "");
        scorecard_step(&s, &(struct scorecard_input){ 1, 1, 8, 0 }, DAY);
        scorecard_explain(&s, buf, sizeof(buf));
        assert_non_null(strstr(buf, "8 pending or uncorrectable sectors (15 points)"));
        assert_non_null(strstr(buf, "1 reallocated sectors (2 points)"));
        scorecard_explain(&s, tiny, sizeof(tiny));
        assert_int_equal(strlen(tiny), sizeof(tiny) - 1);
}

/* The table is what the documentation and the replay rely on. */
static void test_table(void **state UNUSED)
{
        size_t n;
        const struct scorecard_row *rows = scorecard_rows(&n);

        assert_true(n > 0);
        for (size_t i = 0; i < n; i++) {
                assert_true(rows[i].weight > 0 && rows[i].cap > 0 && rows[i].counter < SCORECARD_COUNTERS);
                assert_true(rows[i].window_days <= SCORECARD_WINDOW_DAYS);
                assert_int_equal(rows[i].kind == SCORECARD_GROWTH, rows[i].window_days > 0);
                assert_true(strlen(rows[i].name) > 5 && strlen(rows[i].source) > 20);
        }
}

/* The limits as the facts found them to meet their goals; a reading goes through the rule as in the daemon. */
static void test_rule(void **state UNUSED)
{
        _cleanup_(rule_state_done) struct rule_state rule = {};
        const char *const labels[] = { "signs", "8 bad", "percent", "4", NULL };
        char buf[256];

        rule_step(&scorecard_rule, &rule, 2, NAN, 0);
        assert_int_equal(rule.level, LEVEL_OK);
        rule_step(&scorecard_rule, &rule, 5, NAN, 1);
        assert_int_equal(rule.level, LEVEL_NOTICE);
        rule_step(&scorecard_rule, &rule, 15, NAN, 2);
        assert_int_equal(rule.level, LEVEL_WARNING);
        rule_text(&scorecard_rule, &rule, "sda", labels, buf, sizeof(buf));
        assert_string_equal(buf, "15 points on the failure scorecard: 8 bad; 4 % of such disks fail within 30 days");
        rule_step(&scorecard_rule, &rule, 60, NAN, 3);
        assert_int_equal(rule.level, LEVEL_CRITICAL);
        rule_step(&scorecard_rule, &rule, 0, NAN, 4);
        assert_int_equal(rule.level, LEVEL_OK);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_levels),   cmocka_unit_test(test_what_is_missing), cmocka_unit_test(test_growth),
                cmocka_unit_test(test_clock),    cmocka_unit_test(test_packed),          cmocka_unit_test(test_probability),
                cmocka_unit_test(test_explain),  cmocka_unit_test(test_table),             cmocka_unit_test(test_rule),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
