/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The scorecard: points per row, and the traps of the data (missing values, first values, falls,
 * powered-on time). Each row of a drive's life: {day, readings, wanted score}. */

#include "disk_rules.h"
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
        LIVE({ 0, { 0, 0, 1, 0 }, 7 });
        LIVE({ 0, { 0, 0, 0, 2 }, 7 });
        LIVE({ 0, { 0, 0, 3, 2 }, 14 });
        LIVE({ 0, { 0, 0, 6, 0 }, 14 });
        LIVE({ 0, { 0, 0, 7, 0 }, 21 });
        LIVE({ 0, { 1, 0, 0, 0 }, 5 });
        LIVE({ 0, { 3, 0, 0, 0 }, 10 });
        LIVE({ 0, { 255, 0, 127, 0 }, 89 });
        /* Levels alone never reach SCORECARD_DECAYS. */
        LIVE({ 0, { 99999, 0, 99999, 0 }, 99 });
}

static void test_what_is_missing(void **state UNUSED)
{
        LIVE({ 0, { ABSENT, ABSENT, ABSENT, ABSENT }, 0 });
        LIVE({ 0, { 3, ABSENT, ABSENT, 7 }, 31 });
        /* What was seen is not forgotten because one reading lacks it. */
        LIVE({ 0, { 0, 0, 7, 0 }, 21 }, { 1, { ABSENT, ABSENT, ABSENT, ABSENT }, 21 }, { 2, { 0, 0, 0, 0 }, 0 });
        LIVE({ 0, { -1, INFINITY, -INFINITY, ABSENT }, 0 });
}

static void test_growth(void **state UNUSED)
{
        /* The first value is the baseline, even when it comes late. */
        LIVE({ 0, { 0, 500, 0, 0 }, 0 });
        LIVE({ 0, { 0, ABSENT, 0, 0 }, 0 }, { 400, { 0, 500, 0, 0 }, 0 }, { 401, { 0, 501, 0, 0 }, 16 });
        /* Days count, not how much; each leaves the window by itself. */
        LIVE({ 0, { 0, 0, 0, 0 }, 0 }, { 1, { 0, 1, 0, 0 }, 16 }, { 1, { 0, 2, 0, 0 }, 16 }, { 2, { 0, 999, 0, 0 }, 32 },
             { 90, { 0, 999, 0, 0 }, 32 }, { 91, { 0, 999, 0, 0 }, 16 }, { 92, { 0, 999, 0, 0 }, 0 });
        /* At most 4 days. */
        LIVE({ 0, { 0, 0, 0, 0 }, 0 }, { 1, { 0, 1, 0, 0 }, 16 }, { 2, { 0, 2, 0, 0 }, 32 }, { 3, { 0, 3, 0, 0 }, 48 },
             { 4, { 0, 4, 0, 0 }, 64 }, { 5, { 0, 5, 0, 0 }, 64 });
        /* A reset is no growth, what grows afterwards is. */
        LIVE({ 0, { 0, 50, 0, 0 }, 0 }, { 1, { 0, 0, 0, 0 }, 0 }, { 2, { 0, 1, 0, 0 }, 16 });
        /* Sectors: level and day of the rise. The rise remains when the sector is repaired. */
        LIVE({ 0, { 0, 0, 0, 0 }, 0 }, { 1, { 0, 0, 1, 0 }, 12 }, { 2, { 0, 0, 0, 0 }, 5 }, { 91, { 0, 0, 0, 0 }, 0 });
}

static void test_decay(void **state UNUSED)
{
        /* One sign is not enough: 100 sectors in one day; two days of a week. */
        LIVE({ 0, { 0, 0, 0, 0 }, 0 }, { 1, { 0, 0, 100, 0 }, 47 });
        LIVE({ 0, { 0, 0, 0, 0 }, 0 }, { 1, { 0, 0, 1, 0 }, 12 }, { 2, { 0, 0, 2, 0 }, 17 });
        /* 100 sectors over two days: two signs, until the first day leaves the week. */
        LIVE({ 0, { 0, 0, 0, 0 }, 0 }, { 1, { 0, 0, 50, 0 }, 40 }, { 3, { 0, 0, 100, 0 }, 152 }, { 7, { 0, 0, 100, 0 }, 152 },
             { 8, { 0, 0, 100, 0 }, 52 });
        /* 99 are not. */
        LIVE({ 0, { 0, 0, 0, 0 }, 0 }, { 1, { 0, 0, 50, 0 }, 40 }, { 3, { 0, 0, 99, 0 }, 52 });
        /* 100 sectors and a new error the host heard of, within a week of each other; or not. */
        LIVE({ 0, { 0, 0, 0, 0 }, 0 }, { 1, { 0, 1, 0, 0 }, 16 }, { 7, { 0, 1, 100, 0 }, 163 });
        LIVE({ 0, { 0, 0, 0, 0 }, 0 }, { 1, { 0, 1, 0, 0 }, 16 }, { 8, { 0, 1, 100, 0 }, 63 });
        /* What a drive brings along is not decay, however much. */
        LIVE({ 0, { 900, 900, 900, 900 }, 99 }, { 1, { 900, 900, 900, 900 }, 99 });
        /* With all signs and points: the top of the scale. */
        LIVE({ 0, { 0, 0, 0, 0 }, 0 }, { 1, { 5000, 500, 5000, 0 }, 199 });
}

static void test_clock(void **state UNUSED)
{
        LIVE({ 100, { 0, 0, 0, 0 }, 0 }, { 50, { 0, 1, 0, 0 }, 16 }, { 189, { 0, 1, 0, 0 }, 16 }, { 190, { 0, 1, 0, 0 }, 0 });
        LIVE({ -5, { 0, 0, 0, 0 }, 0 }, { -4, { 0, 1, 0, 0 }, 16 });
        LIVE({ 0, { 0, 0, 0, 0 }, 0 }, { 1, { 0, 1, 0, 0 }, 16 }, { 1000000, { 0, 1, 0, 0 }, 0 });
}

static void test_packed(void **state UNUSED)
{
        /* 0x0001_0001_0000: three words, none of them an error count of 65536. */
        LIVE({ 0, { 0, 0, 0, 0 }, 0 }, { 1, { 0, 0x100010000, 0, 0 }, 0 }, { 2, { 0, 0x100010001, 0, 0 }, 16 });
}

static void test_probability(void **state UNUSED)
{
        for (int s = 0; s < 2 * SCORECARD_DECAYS; s++) {
                double p = scorecard_probability(s);

                assert_true(p > 0 && p < 1);
                if (s > 0 && p < scorecard_probability(s - 1))
                        fail_msg("score %d: %g is less than at %d", s, p, s - 1);
        }
        assert_true(scorecard_probability(SCORECARD_DECAYS) > 0.25);
        assert_true(scorecard_probability(0) < 0.002);
        assert_true(scorecard_probability(NAN) < 0.002);
        assert_true(scorecard_probability(-3) < 0.002);
        assert_true(scorecard_probability(INFINITY) < 1);
}

static void test_explain(void **state UNUSED)
{
        _cleanup_(scorecard_state_done) struct scorecard_state s = {};
        char buf[512], tiny[8];

        scorecard_step(&s, &(struct scorecard_input){ 0, 0, 0, 0 }, 0);
        scorecard_explain(&s, buf, sizeof(buf));
        assert_string_equal(buf, "");
        scorecard_step(&s, &(struct scorecard_input){ 1, 1, 8, 0 }, DAY);
        scorecard_explain(&s, buf, sizeof(buf));
        assert_string_equal(buf, "8 pending or uncorrectable sectors (21 points), 1 reallocated sectors (5 points), "
                                 "1 of the last 90 days with new uncorrectable errors (16 points), "
                                 "1 of the last 90 days with more pending or uncorrectable sectors (5 points)");
        scorecard_step(&s, &(struct scorecard_input){ 1, 1, 200, 0 }, DAY);
        scorecard_explain(&s, buf, sizeof(buf));
        assert_true(str_starts(buf, "200 sectors lost within a week, 1 new uncorrectable errors within a week, 200 pending"));
        scorecard_explain(&s, tiny, sizeof(tiny));
        assert_int_equal(strlen(tiny), sizeof(tiny) - 1);
}

/* The tables are what the documentation and the replay rely on. */
static void test_table(void **state UNUSED)
{
        size_t n;
        const struct scorecard_row *rows = scorecard_rows(&n);
        const struct scorecard_sign *signs;

        assert_true(n > 0);
        for (size_t i = 0; i < n; i++) {
                assert_true(rows[i].weight > 0 && rows[i].cap > 0 && rows[i].counter < SCORECARD_COUNTERS);
                assert_true(rows[i].window_days <= SCORECARD_WINDOW_DAYS);
                assert_int_equal(rows[i].kind != SCORECARD_LEVEL, rows[i].window_days > 0);
                assert_true(strlen(rows[i].name) > 5 && strlen(rows[i].source) > 20);
        }
        signs = scorecard_signs(&n);
        assert_true(n > SCORECARD_SIGNS_NEEDED);
        for (size_t i = 0; i < n; i++) {
                assert_true(signs[i].limit > 0 && signs[i].window_days <= SCORECARD_WINDOW_DAYS);
                assert_true(strlen(signs[i].name) > 5 && strlen(signs[i].source) > 20);
        }
}

static const struct rule *score_rule(void)
{
        for (size_t i = 0; i < disk_rules_len; i++)
                if (streq(disk_rules[i].metric, SCORECARD_METRIC))
                        return &disk_rules[i];
        fail_msg("no rule judges %s", SCORECARD_METRIC);
        return NULL;
}

/* The rule's limits fit the card: critical is exactly "two signs of fast decay". */
static void test_rule(void **state UNUSED)
{
        _cleanup_(rule_state_done) struct rule_state rule = {};
        const struct rule *r = score_rule();
        const char *const labels[] = { "signs", "8 bad", "percent", "4", NULL };
        const struct {
                double score;
                enum level level;
        } steps[] = {
                { 5, LEVEL_OK },       { 7, LEVEL_NOTICE },   { 27, LEVEL_NOTICE },    { 28, LEVEL_WARNING },
                { 99, LEVEL_WARNING }, { 100, LEVEL_CRITICAL }, { 199, LEVEL_CRITICAL }, { 0, LEVEL_OK },
        };
        char buf[256];

        assert_true(r->critical == SCORECARD_DECAYS);
        for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
                rule_step(r, &rule, steps[i].score, NAN, (int64_t)i);
                if (rule.level != steps[i].level)
                        fail_msg("score %g: %s", steps[i].score, level_name(rule.level));
        }
        rule_step(r, &rule, 28, NAN, 99);
        rule_text(r, &rule, "sda", labels, buf, sizeof(buf));
        assert_string_equal(buf, "28 points on the failure scorecard: 8 bad; of such disks 4 % fail within 30 days");
}

/* State goes through JSON unharmed; so it survives a reboot. */
static void test_save(void **state UNUSED)
{
        _cleanup_(scorecard_state_done) struct scorecard_state a = {}, b = {};
        json_t *doc;

        scorecard_step(&a, &(struct scorecard_input){ 0, 0, 0, 0 }, 5 * DAY);
        scorecard_step(&a, &(struct scorecard_input){ 3, 1, 120, 0 }, 6 * DAY);
        doc = scorecard_save(&a);
        scorecard_load(&b, doc);
        json_decref(doc);
        for (int d = 6; d < 120; d++)
                assert_true(scorecard_step(&a, &(struct scorecard_input){ 3, 1, 120, 0 }, d * DAY) ==
                            scorecard_step(&b, &(struct scorecard_input){ 3, 1, 120, 0 }, d * DAY));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_levels),   cmocka_unit_test(test_what_is_missing), cmocka_unit_test(test_growth),
                cmocka_unit_test(test_clock),    cmocka_unit_test(test_packed),          cmocka_unit_test(test_probability),
                cmocka_unit_test(test_explain),  cmocka_unit_test(test_table),             cmocka_unit_test(test_rule),
                cmocka_unit_test(test_decay),    cmocka_unit_test(test_save),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
