/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

#include "test.h"

#include "text_wrap.h"

static void lines_are_cut_at_spaces(void **state UNUSED)
{
        static const struct {
                const char *text;
                size_t start, indent, width;
                const char *wanted;
        } rows[] = {
                { "one two three", 0, 0, 80, "one two three" },
                { "one two three", 0, 0, 7, "one two\nthree" },
                { "one two three", 4, 4, 12, "one two\n    three" },
                { "one two three", 4, 4, 11, "one two\n    three" },
                { "one two three", 4, 4, 10, "one\n    two\n    three" },
                { "one two three", 0, 0, 0, "one two three" },
                { "a-word-that-is-too-long b", 2, 2, 10, "a-word-that-is-too-long\n  b" },
                { "  spaces   between  ", 0, 0, 80, "spaces between" },
                { "", 5, 5, 10, "" },
                { "\xc3\xa9\xc3\xa9\xc3\xa9 \xc3\xa9\xc3\xa9\xc3\xa9", 0, 0, 7, "\xc3\xa9\xc3\xa9\xc3\xa9 \xc3\xa9\xc3\xa9\xc3\xa9" },
                { "one two three", 4, 0, 11, "one two\nthree" },
                { "one two", 50, 50, 40, "one\n                                                  two" },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct textbuf b = { 0 };

                text_wrap(&b, rows[i].text, rows[i].start, rows[i].indent, rows[i].width);
                textbuf_char(&b, '\0');
                if (!streq(b.data, rows[i].wanted))
                        fail_msg("row %zu: '%s'", i, b.data);
                textbuf_done(&b);
        }
}

static void columns_are_characters(void **state UNUSED)
{
        assert_int_equal(text_columns(""), 0);
        assert_int_equal(text_columns("sda"), 3);
        assert_int_equal(text_columns("41 \xc2\xb0" "C"), 5);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(lines_are_cut_at_spaces),
                cmocka_unit_test(columns_are_characters),
        };

        return cmocka_run_group_tests_name("text_wrap", tests, NULL, NULL);
}
