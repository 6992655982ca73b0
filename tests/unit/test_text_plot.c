/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Plots of text, character for character; times that people type. */

#include <locale.h>
#include <math.h>
#include <time.h>

#include "ctl_term.h"
#include "test.h"
#include "text_plot.h"

static const char *drawn(const struct text_plot *p)
{
        static char text[65536];
        struct textbuf b = { 0 };

        text_plot(&b, p);
        snprintf(text, sizeof(text), "%.*s", (int)b.len, b.data);
        textbuf_done(&b);
        return text;
}

static const struct plot_point ramp[] = {
        { 0, 10, 10, 10 }, { 60, 10, 10, 12 }, { 120, 14, 12, 14 }, { 300, 20, 18, 20 }, { 360, 20, 20, 20 }, { 420, 12, 12, 20 },
};

static void ascii_is_drawn_to_the_letter(void **state UNUSED)
{
        struct text_plot p = { .plot = { .unit = "celsius", .from = 0, .to = 480, .points = ramp, .n = ARRAY_LEN(ramp) },
                               .step_s = 60, .width = 43, .height = 5 };

        /* Four columns a minute. Nothing is drawn between 180 and 300 s: nobody measured. */
        assert_string_equal(drawn(&p), "     20 C +                    ********::::\n"
                                       "   17.5 C +                    ::::    ::::\n"
                                       "     15 C +        ****                ::::\n"
                                       "   12.5 C +    ::::::::                ****\n"
                                       "     10 C +********:\n"
                                       "          ++-------------------+-----------\n"
                                       "           1 Jan             00:05\n");
}

static void braille_has_eight_dots(void **state UNUSED)
{
        const struct plot_point points[] = { { 0, 0, 0, 0 }, { 30, 0, 0, 4 }, { 60, 4, 4, 4 } };
        struct text_plot p = { .plot = { .unit = "", .from = 0, .to = 1140, .points = points, .n = 3 }, .step_s = 30, .width = 30, .height = 3,
                               .utf8 = true };
        const char *text = drawn(&p);

        /* 19 characters, 38 columns of dots, one for each slice: at the bottom, all of the column, up to the top. */
        assert_string_equal(text, "        4 ┤⢸⡇\n"
                                  "        2 ┤⢸⡇\n"
                                  "        0 ┤⣸⡇\n"
                                  "          └┬─────────┬────────\n"
                                  "           1 Jan   00:10\n");
        assert_int_equal(text_plot_slices(&p), 38);
}

static void marks_stand_at_their_time(void **state UNUSED)
{
        const struct text_mark marks[] = { { -5, 'X', "" }, { 0, 'o', "\033[32m" }, { 240, 'W', "\033[33m" }, { 480, 'C', "\033[31m" }, { 900, 'X', "" } };
        struct text_plot p = { .plot = { .unit = "", .from = 0, .to = 480, .points = ramp, .n = ARRAY_LEN(ramp) },
                               .step_s = 60, .width = 43, .height = 3, .marks = marks, .n_marks = ARRAY_LEN(marks) };

        assert_non_null(strstr(drawn(&p), "\n    level  o               W              C\n"));
        p.colours = true;
        assert_non_null(strstr(drawn(&p), "\033[33mW\033[0m"));
}

/* Nothing that comes from a file may break the drawing. */
static void nonsense_is_survived(void **state UNUSED)
{
        const struct plot_point bad[] = { { NAN, 1, 1, 1 }, { 10, INFINITY, 1, 2 }, { 20, 1, 5, 2 }, { -1e300, 1, 1, 1 }, { 1e300, 1, 1, 1 } };
        const struct plot_point huge[] = { { 0, -1e300, -1e300, 1e300 }, { 60, 1e300, 1e300, 1e300 } };
        const struct plot_point flat[] = { { 0, 5, 5, 5 } };
        struct text_plot p = { .plot = { .unit = "bytes", .from = 0, .to = 480, .points = bad, .n = ARRAY_LEN(bad) }, .step_s = 60, .width = 0, .height = 50,
                               .utf8 = true };

        assert_non_null(strstr(drawn(&p), "nothing is known"));
        p.plot.points = huge;
        p.plot.n = 2;
        assert_non_null(strstr(drawn(&p), "00:05"));
        p.plot.points = flat;
        p.plot.n = 1;
        p.width = 100000;
        p.utf8 = false;
        assert_non_null(strstr(drawn(&p), "*"));
        p.plot.to = -1;
        assert_non_null(strstr(drawn(&p), "nothing is known"));
        p.plot.to = NAN;
        assert_non_null(strstr(drawn(&p), "nothing is known"));
        for (double span = 1; span < 36000.0 * 86400; span *= 3) {
                p.plot.to = span;
                for (p.width = 30; p.width < 200; p.width += 37)
                        assert_non_null(strchr(drawn(&p), '*'));
        }
}

static void sparks(void **state UNUSED)
{
        struct plot plot = { .unit = "", .from = 0, .to = 480, .points = ramp, .n = ARRAY_LEN(ramp) };
        struct textbuf b = { 0 };

        text_spark(&b, &plot, 60, 8, false);
        textbuf_char(&b, '|');
        text_spark(&b, &plot, 60, 8, true);
        textbuf_char(&b, '\0');
        assert_string_equal(b.data, "__-  ##.|▁▁▄  ██▂");
        textbuf_done(&b);
}

/* What a damaged store may answer: a mean that is not between least and greatest, a slice of no length. */
static void sparks_of_nonsense(void **state UNUSED)
{
        struct plot_point points[] = { { 0, 1000, 1, 2 }, { 60, -1000, 1, 2 }, { 120, 1e308, -1e308, 1e308 }, { 180, 1, 1, 2 } };
        struct plot plot = { .unit = "", .from = 0, .to = 240, .points = points, .n = ARRAY_LEN(points) };
        struct textbuf b = { 0 };

        text_spark(&b, &plot, 60, 4, false);
        text_spark(&b, &plot, -1e300, 4, false);
        text_spark(&b, &plot, NAN, 4, true);
        plot.n = 2;
        text_spark(&b, &plot, 60, 4, false);
        textbuf_char(&b, '\0');
        assert_non_null(strstr(b.data, "#_  "));
        textbuf_done(&b);
}

static void values_for_terminals(void **state UNUSED)
{
        char text[64];

        text_value(41.26, "celsius", true, text, sizeof(text));
        assert_string_equal(text, "41.3 °C");
        text_value(41.26, "celsius", false, text, sizeof(text));
        assert_string_equal(text, "41.3 C");
        text_value(0.5, "ratio", false, text, sizeof(text));
        assert_string_equal(text, "50 %");
}

static void times_that_people_type(void **state UNUSED)
{
        static const struct {
                const char *text;
                double want; /* NAN: refused */
        } rows[] = {
                { "2h", 1795510800 - 7200 },
                { "3d", 1795510800 - 3 * 86400 },
                { "1w", 1795510800 - 7 * 86400 },
                { "90s", 1795510800 - 90 },
                { "now", 1795510800 },
                { "@1700000000", 1700000000 },
                { "@1700000000.5", 1700000000.5 },
                { "today", 1795478400 },
                { "yesterday", 1795478400 - 86400 },
                { "2026-11-20", 1795132800 },
                { "2026-11-20 14:00", 1795132800 + 14 * 3600 },
                { "2026-11-20T14:00:30", 1795132800 + 14 * 3600 + 30 },
                { "08:30", 1795478400 + 8 * 3600 + 1800 },
                { "23:59", 1795478400 - 60 }, /* not yet today */
                { "2026-02-31", NAN },
                { "2026-11-20 25:00", NAN },
                { "", NAN },
                { "@", NAN },
                { "@1x", NAN },
                { "-2h", NAN },
                { "soon", NAN },
                { "2026-11-20 14:00 please", NAN },
                { "9999999999999w", NAN },
        };

        setenv("TZ", "UTC", 1);
        tzset();
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct errinfo err = { 0 };
                double t = NAN;
                int r = term_parse_time(rows[i].text, 1795510800 /* 2026-11-24 09:00 */, &t, &err);

                if (isnan(rows[i].want) ? r != -EINVAL || !strstr(err.text, "is no time") : r != 0 || t != rows[i].want)
                        fail_msg("'%s': %d, %.1f instead of %.1f", rows[i].text, r, t, rows[i].want);
        }
        setenv("TZ", "Europe/Berlin", 1);
        tzset();
        for (int i = 0; i < 2; i++) { /* 25 hours: the clock was set back that day */
                double a = 0, b = 0;
                struct errinfo err = { 0 };

                assert_int_equal(term_parse_time("2026-10-25", 1795510800, &a, &err), 0);
                assert_int_equal(term_parse_time("2026-10-26", 1795510800, &b, &err), 0);
                assert_true(b - a == 25 * 3600);
        }
        unsetenv("TZ");
        tzset();
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(ascii_is_drawn_to_the_letter), cmocka_unit_test(braille_has_eight_dots), cmocka_unit_test(marks_stand_at_their_time),
                cmocka_unit_test(nonsense_is_survived),         cmocka_unit_test(sparks),
                cmocka_unit_test(sparks_of_nonsense),                 cmocka_unit_test(values_for_terminals),
                cmocka_unit_test(times_that_people_type),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
