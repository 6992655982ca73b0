/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

#include "svg_plot.h"
#include "test.h"

static char *draw(const struct plot *plot)
{
        struct textbuf out = { 0 };

        svg_plot(&out, plot);
        textbuf_char(&out, '\0');
        return out.data;
}

static size_t count(const char *text, const char *what)
{
        size_t n = 0;

        for (; (text = strstr(text, what)); text += strlen(what))
                n++;
        return n;
}

static void a_day_of_temperatures(void **state UNUSED)
{
        struct plot_point points[25];
        struct plot plot = { .label = "temperature of <sda>", .unit = "celsius", .from = 1700006400, .to = 1700006400 + 86400, .points = points, .n = 25 };
        _cleanup_free_ char *svg = NULL;

        for (size_t i = 0; i < 25; i++)
                points[i] = (struct plot_point){ plot.from + (double)i * 3600, 40 + (double)(i % 3), 39, 43 };
        svg = draw(&plot);
        assert_non_null(strstr(svg, "aria-label=\"temperature of &lt;sda&gt;\""));
        assert_int_equal(count(svg, "<polyline"), 1);
        assert_int_equal(count(svg, "plot-band"), 1);
        assert_non_null(strstr(svg, ">39\u00a0\u00b0C<"));
        assert_non_null(strstr(svg, ">15 Nov<"));
        assert_null(strstr(svg, "nan"));
}

/* A plot of half an hour has minutes, one of a day hours and the date at midnight, one of a week days; in local time. */
static void time_has_labels_at_every_scale(void **state UNUSED)
{
        static const struct {
                double span;
                int offset;
                const char *has, *has_not;
        } rows[] = {
                { 1800, 0, ">00:10<", ">00:01<" },  { 86400, 0, ">08:00<", ">01:00<" },       { 86400, 3600, ">04:00<", ">00:00<" },
                { 86400, 0, ">15 Nov<", ">00:00<" }, { 7 * 86400, 0, ">18 Nov<", ">12:00<" }, { 120, 0, ">00:01<", ">15 Dec<" },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct plot_point points[] = { { 1700006400, 1, 1, 1 }, { 1700006460, 2, 2, 2 } };
                struct plot plot = { .label = "", .unit = "", .from = 1700006400, .to = 1700006400 + rows[i].span, .utc_offset_s = rows[i].offset, .points = points, .n = 2 };
                _cleanup_free_ char *svg = draw(&plot);

                if (!strstr(svg, rows[i].has) || strstr(svg, rows[i].has_not))
                        fail_msg("row %zu: %s", i, svg);
        }
}

/* A week that begins shortly before midnight: the first label would lie on the second. */
static void labels_do_not_lie_on_each_other(void **state UNUSED)
{
        static const char mark[] = "y=\"114\" text-anchor=\"";

        for (int minutes = 0; minutes < 7 * 1440; minutes += 37) {
                struct plot_point points[] = { { 1700006400, 1, 1, 1 }, { 1700006460, 2, 2, 2 } };
                struct plot plot = { .label = "", .unit = "", .from = 1700006400 - 60 * minutes, .points = points, .n = 2 };
                _cleanup_free_ char *svg = NULL;
                double end = 0;
                int labels = 0;

                plot.to = plot.from + 7 * 86400;
                svg = draw(&plot);
                for (const char *p = svg; (p = strstr(p, mark)); p++) {
                        const char *x = p, *anchor = p + strlen(mark);
                        double at, width = (double)strcspn(strchr(p, '>') + 1, "<") * 6.2;

                        while (strncmp(x, "x=\"", 3) != 0)
                                x--;
                        at = strtod(x + 3, NULL);
                        at -= str_starts(anchor, "middle") ? width / 2 : str_starts(anchor, "end") ? width : 0;
                        if (at < end)
                                fail_msg("%d minutes: %s", minutes, svg);
                        end = at + width;
                        labels++;
                }
                assert_in_range(labels, 5, 8);
        }
}

static void a_gap_is_not_joined(void **state UNUSED)
{
        struct plot_point points[] = { { 0, 1, 1, 1 }, { 10, 1, 1, 1 }, { 20, 1, 1, 1 }, { 60, 2, 2, 2 }, { 70, 2, 2, 2 }, { 200, 3, 3, 3 } };
        struct plot plot = { .label = "", .unit = "", .from = 0, .to = 300, .points = points, .n = ARRAY_LEN(points) };
        _cleanup_free_ char *svg = draw(&plot);

        assert_int_equal(count(svg, "<polyline"), 2);
        assert_int_equal(count(svg, "<circle"), 1);
}

static void rubbish_draws_no_rubbish(void **state UNUSED)
{
        struct plot_point points[] = { { NAN, 1, 1, 1 }, { 5, NAN, 1, 1 }, { 6, 1, 2, 3 }, { 7, 1e300, 1e300, 1e300 }, { 8, 1, 1, 1 }, { 8, 1, 1, 1 }, { 2, 1, 1, 1 }, { 1e30, 1, 1, 1 } };
        static const struct {
                double from, to;
        } spans[] = { { 0, 10 }, { 10, 0 }, { NAN, 10 }, { 0, INFINITY }, { 0, 1e18 }, { -1e300, 1e300 }, { 5, 5 } };

        for (size_t i = 0; i < ARRAY_LEN(spans); i++) {
                struct plot plot = { .label = "", .unit = "bytes", .from = spans[i].from, .to = spans[i].to, .points = points, .n = ARRAY_LEN(points) };
                _cleanup_free_ char *svg = draw(&plot);

                assert_null(strstr(svg, "nan"));
                assert_null(strstr(svg, "inf"));
                assert_true(strlen(svg) < 4000);
                assert_int_equal(count(svg, "no data"), i == 0 ? 0 : 1);
                assert_int_equal(count(svg, "</svg>"), 1);
        }
}

static void axes_are_round(void **state UNUSED)
{
        static const struct {
                double low, high;
                const char *unit;
                double from, to, step;
        } rows[] = {
                { 0, 4, "volts", 0, 4, 1 }, { 31.5, 44.2, "celsius", 30, 45, 5 }, { 0, 0, "volts", 0, 1, 0.25 }, { 100, 100, "rpm", 95, 105, 2.5 },
                { -3, 3, "volts", -4, 4, 2 }, { 3.1e11, 4.4e11, "bytes", 3e11, 4.5e11, 5e10 }, { 0.168, 0.17, "ratio", 0.168, 0.17, 0.0005 },
                { 26, 27, "", 26, 27, 1 }, { 0, 0, "", 0, 1, 1 }, { 5, 5, "", 4, 6, 1 }, { 0, 9, "", 0, 9, 3 }, { 0.5, 1.5, "", 0.5, 1.5, 0.25 },
                { 1.7e-16, 2.3e-16, "ratio", 0, 1e-4, 1e-4 }, { 0.5, 0.5, "ratio", 0.46, 0.54, 0.02 },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                double from, to, step;

                plot_axis(rows[i].low, rows[i].high, rows[i].unit, &from, &to, &step);
                if (fabs(from - rows[i].from) > step / 1e6 || fabs(to - rows[i].to) > step / 1e6 || fabs(step - rows[i].step) > step / 1e6)
                        fail_msg("row %zu: %g to %g by %g", i, from, to, step);
        }
}

static void values_as_people_read_them(void **state UNUSED)
{
        static const struct {
                double v;
                const char *unit, *text;
        } rows[] = {
                { 41.337, "celsius", "41.3\u00a0\u00b0C" }, { 0.933, "ratio", "93.3\u00a0%" }, { 3.1e11, "bytes", "310\u00a0GB" }, { 0, "bytes", "0\u00a0B" },
                { 0.0123, "seconds", "12.3\u00a0ms" },       { 0, "seconds", "0\u00a0s" },       { 90000, "seconds", "25\u00a0h" },    { 1180.4, "rpm", "1180\u00a0rpm" },
                { 8, "", "8" },                              { 12.096, "volts", "12.1\u00a0V" }, { 5, "parsecs", "5" },                { 123456, "", "123456" },        { 2.29e-16, "ratio", "0\u00a0%" },   { 0.00021, "ratio", "0.021\u00a0%" },
        };
        char buf[48];

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                plot_value_text(rows[i].v, rows[i].unit, buf, sizeof(buf));
                assert_string_equal(buf, rows[i].text);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_day_of_temperatures), cmocka_unit_test(time_has_labels_at_every_scale), cmocka_unit_test(labels_do_not_lie_on_each_other), cmocka_unit_test(a_gap_is_not_joined), cmocka_unit_test(rubbish_draws_no_rubbish),
                cmocka_unit_test(axes_are_round),        cmocka_unit_test(values_as_people_read_them),
        };

        return cmocka_run_group_tests_name("svg_plot", tests, NULL, NULL);
}
