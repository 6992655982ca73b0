/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

#include "test.h"

#include "suggest.h"

static const char *const words[] = { "interval", "ignore", "enabled", "warning", "status", "on" };

static void near_words_are_suggested_and_far_ones_are_not(void **state UNUSED)
{
        static const struct {
                const char *typed, *wanted;
        } rows[] = {
                { "intervall", "interval" }, { "intreval", "interval" }, { "INTERVAL", "interval" },
                { "inter", "interval" },     { "ingore", "ignore" },     { "enable", "enabled" },
                { "stauts", "status" },      { "of", "on" },             { "xy", NULL },
                { "", NULL },                { "temperature", NULL },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                const char *got = suggest(rows[i].typed, words, ARRAY_LEN(words));

                if (!rows[i].wanted ? got != NULL : !got || !streq(got, rows[i].wanted))
                        fail_msg("'%s': got %s, wanted %s", rows[i].typed, got ? got : "nothing",
                                 rows[i].wanted ? rows[i].wanted : "nothing");
        }
}

static void distance_counts_a_swap_once(void **state UNUSED)
{
        char big[65];

        assert_int_equal(edit_distance("", ""), 0);
        assert_int_equal(edit_distance("abc", ""), 3);
        assert_int_equal(edit_distance("smrat", "smart"), 1);
        assert_int_equal(edit_distance("kitten", "sitting"), 3);
        memset(big, 'a', 64);
        big[64] = '\0';
        assert_true(edit_distance(big, "a") == SIZE_MAX);
        assert_true(edit_distance("a", big) == SIZE_MAX);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(near_words_are_suggested_and_far_ones_are_not),
                cmocka_unit_test(distance_counts_a_swap_once),
        };

        return cmocka_run_group_tests_name("suggest", tests, NULL, NULL);
}
