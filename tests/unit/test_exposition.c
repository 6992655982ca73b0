/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Whole outputs are compared with tests/golden/exposition/NAME.{txt,om}; GOLDEN=write makes them anew, to be read
 * before they are committed. */

#include "exposition.h"
#include "test.h"

#define L(...) ((const char *[]){ __VA_ARGS__ __VA_OPT__(,) NULL })

static void golden(struct expo *e, const char *name)
{
        for (enum expo_format f = 0; f < EXPO_FORMAT_MAX; f++) {
                char path[256], want[65536];
                struct textbuf out = { 0 };
                FILE *file;
                size_t n;

                expo_render(e, f, &out);
                snprintf(path, sizeof(path), "tests/golden/exposition/%s.%s", name, f == EXPO_TEXT ? "txt" : "om");
                if (getenv("GOLDEN")) {
                        file = fopen(path, "w");
                        assert_non_null(file);
                        fwrite(out.data ? out.data : "", 1, out.len, file);
                        fclose(file);
                }
                file = fopen(path, "r");
                if (!file)
                        fail_msg("%s is missing", path);
                n = fread(want, 1, sizeof(want), file);
                fclose(file);
                if (n != out.len || (n && memcmp(want, out.data, n)))
                        fail_msg("%s differs; got:\n%.*s", path, (int)out.len, out.data ? out.data : "");
                textbuf_done(&out);
        }
        expo_free(e);
}

static void families_come_together_and_sorted(void **state UNUSED)
{
        struct expo *e = expo_new();

        expo_family(e, "b_celsius", EXPO_GAUGE, "celsius", "Second");
        expo_family(e, "a_errors_total", EXPO_COUNTER, "", "First");
        expo_family(e, "never_seen", EXPO_GAUGE, "", "Has no sample");
        assert_int_equal(expo_sample(e, "b_celsius", 41.5, L("disk", "sdb")), 0);
        assert_int_equal(expo_sample(e, "a_errors_total", 3, L("disk", "sda")), 0);
        assert_int_equal(expo_sample(e, "b_celsius", 40, L("disk", "sda")), 0);
        assert_int_equal(expo_sample(e, "a_errors_total", 0, L()), 0);
        golden(e, "families");
}

static void everything_is_escaped(void **state UNUSED)
{
        struct expo *e = expo_new();

        expo_family(e, "odd", EXPO_GAUGE, "", "Back\\slash, \"quote\" and\nnewline");
        expo_sample(e, "odd", 1, L("a", "back\\slash", "b", "\"quote\"", "c", "new\nline", "d", "", "e", "\xc3\xa9 {x=\"y\"} 1"));
        golden(e, "escapes");
}

static void numbers_read_back(void **state UNUSED)
{
        static const double values[] = { 0, -0.0, 1, -1, 0.1, 1.0 / 3, 1e15, 123456789012345678.0, 1e-300, -1.7976931348623157e308, 0.30000000000000004 };
        struct expo *e = expo_new();
        char n[8];

        for (size_t i = 0; i < ARRAY_LEN(values); i++) {
                snprintf(n, sizeof(n), "%02zu", i);
                expo_sample(e, "v", values[i], L("n", n));
        }
        expo_sample(e, "v", NAN, L("n", "nan"));
        expo_sample(e, "v", INFINITY, L("n", "inf"));
        expo_sample(e, "v", -INFINITY, L("n", "minf"));
        golden(e, "numbers");
}

static void openmetrics_names_follow_the_type(void **state UNUSED)
{
        struct expo *e = expo_new();

        expo_family(e, "disk_info", EXPO_INFO, "", "Info");
        expo_family(e, "not_by_name", EXPO_INFO, "", "An info that is not called so");
        expo_family(e, "cycles", EXPO_COUNTER, "", "A counter that is not called so");
        expo_family(e, "read_bytes_total", EXPO_COUNTER, "bytes", "Counter with a unit");
        expo_family(e, "speed_rpm", EXPO_GAUGE, "rpm", "Gauge with a unit");
        expo_family(e, "wrong_unit", EXPO_GAUGE, "celsius", "The unit is no suffix");
        expo_family(e, "celsius", EXPO_GAUGE, "celsius", "The unit is the whole name");
        expo_family(e, "clash", EXPO_GAUGE, "", "Gauge beside a counter of the same name");
        expo_family(e, "clash_total", EXPO_COUNTER, "", "Counter beside a gauge of the same name");
        for (size_t i = 0; i < 9; i++)
                expo_sample(e, (const char *[]){ "disk_info", "not_by_name", "cycles", "read_bytes_total", "speed_rpm", "wrong_unit", "celsius",
                                                 "clash", "clash_total" }[i], 1, L("a", "b"));
        expo_sample(e, "undeclared", 7, L());
        golden(e, "types");
}

static void duplicates_are_left_out_and_counted(void **state UNUSED)
{
        struct expo *e = expo_new();
        struct textbuf out = { 0 };

        expo_sample(e, "m", 1, L("a", "x", "b", "y"));
        expo_sample(e, "m", 2, L("b", "y", "a", "x")); /* order is no difference */
        expo_sample(e, "m", 3, L("a", "x"));
        expo_sample(e, "m", 4, L());
        expo_sample(e, "m", 5, L());
        assert_int_equal(expo_render(e, EXPO_TEXT, &out), 2);
        textbuf_done(&out);
        golden(e, "duplicates");
}

static void names_that_prometheus_refuses_are_refused(void **state UNUSED)
{
        struct expo *e = expo_new();
        static const char *const bad[] = { "", "1a", "a-b", "a b", "a.b", "\xc3\xa9", "a\n" };
        char longest[300];

        memset(longest, 'a', sizeof(longest) - 1);
        longest[sizeof(longest) - 1] = '\0';
        for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
                assert_int_equal(expo_sample(e, bad[i], 1, L()), -EINVAL);
                assert_int_equal(expo_family(e, bad[i], EXPO_GAUGE, "", ""), -EINVAL);
                assert_int_equal(expo_sample(e, "m", 1, L(bad[i], "v")), -EINVAL);
        }
        assert_int_equal(expo_sample(e, longest, 1, L()), -EINVAL);
        assert_int_equal(expo_sample(e, "m", 1, L("__name__", "v")), -EINVAL);
        assert_int_equal(expo_sample(e, "m", 1, L("a:b", "v")), -EINVAL);
        assert_int_equal(expo_sample(e, "a:b", 1, L()), 0);
        assert_int_equal(expo_sample(e, "m", 1, L("a", "1", "a", "2")), -EINVAL);
        expo_free(e);
}

static void too_many_labels_are_refused(void **state UNUSED)
{
        struct expo *e = expo_new();
        const char *labels[2 * 40 + 1];
        char names[40][8];

        for (size_t i = 0; i < 40; i++) {
                snprintf(names[i], sizeof(names[i]), "l%zu", i);
                labels[2 * i] = names[i];
                labels[2 * i + 1] = "v";
        }
        labels[80] = NULL;
        assert_int_equal(expo_sample(e, "m", 1, labels), -E2BIG);
        labels[64] = NULL;
        assert_int_equal(expo_sample(e, "m", 1, labels), 0);
        expo_free(e);
}

static void many_families_are_found_again(void **state UNUSED)
{
        struct expo *e = expo_new();
        struct textbuf out = { 0 };
        char name[16];
        size_t heads = 0;

        for (size_t round = 0; round < 2; round++)
                for (size_t i = 0; i < 3000; i++) {
                        snprintf(name, sizeof(name), "m%zu", i);
                        assert_int_equal(expo_sample(e, name, (double)i, L("round", round ? "1" : "0")), 0);
                }
        assert_int_equal(expo_render(e, EXPO_TEXT, &out), 0);
        textbuf_char(&out, '\0');
        for (const char *s = out.data; (s = strstr(s, "# TYPE ")); s++)
                heads++;
        assert_int_equal(heads, 3000);
        textbuf_done(&out);
        expo_free(e);
}

static void accept_headers(void **state UNUSED)
{
        static const struct {
                const char *accept;
                enum expo_format want;
        } rows[] = {
                { NULL, EXPO_TEXT },
                { "", EXPO_TEXT },
                { "*/*", EXPO_TEXT },
                { "text/html,application/xhtml+xml,*/*;q=0.8", EXPO_TEXT },
                { "application/openmetrics-text", EXPO_OPENMETRICS },
                { "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", EXPO_OPENMETRICS },
                /* Prometheus 2.42 and 3 */
                { "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", EXPO_OPENMETRICS },
                { "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2", EXPO_OPENMETRICS },
                { "text/plain;version=0.0.4;q=1,application/openmetrics-text;q=0.5", EXPO_TEXT },
                { "application/openmetrics-text;q=0", EXPO_TEXT },
                { "application/openmetrics-text;version=2.0.0", EXPO_TEXT },
                { "APPLICATION/OpenMetrics-Text ; Q=0.9 , text/plain ; q=0.8", EXPO_OPENMETRICS },
                { "application/openmetrics-text;q=nonsense", EXPO_OPENMETRICS },
                { "application/openmetrics-text;q=0.5;version=1.0.0,*/*", EXPO_TEXT },
                { ";;;,,,;q=,q", EXPO_TEXT },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
                if (expo_negotiate(rows[i].accept) != rows[i].want)
                        fail_msg("%s", rows[i].accept);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(families_come_together_and_sorted),
                cmocka_unit_test(everything_is_escaped),
                cmocka_unit_test(numbers_read_back),
                cmocka_unit_test(openmetrics_names_follow_the_type),
                cmocka_unit_test(duplicates_are_left_out_and_counted),
                cmocka_unit_test(names_that_prometheus_refuses_are_refused),
                cmocka_unit_test(too_many_labels_are_refused),
                cmocka_unit_test(many_families_are_found_again),
                cmocka_unit_test(accept_headers),
        };

        return cmocka_run_group_tests_name("exposition", tests, NULL, NULL);
}
