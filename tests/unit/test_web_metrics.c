/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* What /metrics says, and what it must not say: nothing old, nothing of a run that failed. */

#include <math.h>

#include "fake_web.h"

#define CATALOG                                                                                                               \
        "{\"protocol\":1,\"checks\":[{\"name\":\"smart\",\"interval_s\":60,\"deadline_s\":10,\"metrics\":["                   \
        "{\"name\":\"disk_temperature_celsius\",\"kind\":\"gauge\",\"unit\":\"celsius\",\"help\":\"Temperature\"},"           \
        "{\"name\":\"disk_errors_total\",\"kind\":\"counter\",\"unit\":\"\",\"help\":\"Errors\"}],\"rules\":[]}]}"
#define COMPONENTS "\"components\":[{\"component\":\"sda\",\"kind\":\"disk\",\"level\":\"ok\",\"why\":\"\",\"since\":1699990000,\"age_s\":5,\"rule\":\"\"}],"
#define CHECK(result, age) "\"checks\":[{\"check\":\"smart\",\"instance\":\"sda\",\"component\":\"sda\",\"result\":\"" result "\",\"age_s\":" age ",\"max_age_s\":100}]}"
#define SAMPLES                                                                                                               \
        "{\"version\":1,\"time_boot\":1000,\"samples\":["                                                                     \
        "{\"m\":\"disk_temperature_celsius\",\"c\":\"smart\",\"i\":\"sda\",\"v\":41,\"t\":995,\"l\":{}},\n"                   \
        "{\"m\":\"disk_errors_total\",\"c\":\"smart\",\"i\":\"sda\",\"v\":2,\"t\":990,\"l\":{\"kind\":\"crc\",\"none\":\"\"}}]}"

static struct fake_web *fixture(void)
{
        struct fake_web *f = fake_web_new();

        fake_web_file(f, "catalog.json", "%s", CATALOG);
        fake_web_file(f, "status.json", "%s", STATUS_HEAD("1000") COMPONENTS CHECK("ok", "5"));
        fake_web_file(f, "samples.json", "%s", SAMPLES);
        return f;
}

static void expect(struct fake_web *f, double now, const char *line)
{
        _cleanup_free_ char *text = fake_web_metrics(f, EXPO_TEXT, now);

        if (!strstr(text, line))
                fail_msg("at %g there is no '%s' in:\n%s", now, line, text);
}

static void expect_not(struct fake_web *f, double now, const char *line)
{
        _cleanup_free_ char *text = fake_web_metrics(f, EXPO_TEXT, now);

        if (strstr(text, line))
                fail_msg("at %g there is '%s' in:\n%s", now, line, text);
}

static void samples_with_metadata_and_ages(void **state UNUSED)
{
        struct fake_web *f = fixture();

        expect(f, 1002, "# HELP veille_disk_temperature_celsius Temperature\n# TYPE veille_disk_temperature_celsius gauge\n"
                        "veille_disk_temperature_celsius{check=\"smart\",component=\"sda\"} 41\n");
        expect(f, 1002, "# TYPE veille_disk_errors_total counter\nveille_disk_errors_total{check=\"smart\",component=\"sda\",kind=\"crc\"} 2\n");
        expect(f, 1002, "veille_sample_age_seconds{check=\"smart\",check_instance=\"sda\",component=\"sda\"} 12\n");
        expect(f, 1002, "veille_family_age_seconds{family=\"veille_disk_temperature_celsius\"} 7\n");
        expect(f, 1002.25, "veille_brain_age_seconds 2.3\n");
        expect(f, 1002, "veille_brain_up 1\n");
        expect(f, 1002, "veille_component_level{component=\"sda\",kind=\"disk\",level=\"ok\"} 1\n");
        expect(f, 1002, "veille_component_level{component=\"sda\",kind=\"disk\",level=\"unknown\"} 0\n");
        expect(f, 1002, "veille_host_health{health=\"green\"} 1\n");
        expect(f, 1002, "veille_check_up{check=\"smart\",check_instance=\"sda\",component=\"sda\"} 1\n");
        fake_web_free(f);
}

static void only_the_ages_change_between_two_scrapes(void **state UNUSED)
{
        struct fake_web *f = fixture();

        for (int i = 0; i < 50; i++)
                expect(f, 1002 + i / 10.0, "veille_disk_temperature_celsius{");
        assert_int_equal(f->web.counters.renders, 1);
        fake_web_file(f, "samples.json", "%s", SAMPLES);
        expect(f, 1008, "veille_disk_temperature_celsius{");
        assert_int_equal(f->web.counters.renders, 2);
        fake_web_free(f);
}

static void change(struct fake_web *f, double from, double to)
{
        for (double now = from; now < to; now++) {
                fake_web_file(f, "samples.json", "%s", SAMPLES);
                web_metrics_refresh(&f->web, now);
        }
}

/* A scrape every 10 s, files that change every second: what nobody will read is not rendered, and nobody waits. */
static void rendered_shortly_before_the_scrape(void **state UNUSED)
{
        struct fake_web *f = fixture();
        double next;

        free(fake_web_metrics(f, EXPO_TEXT, 1002));
        assert_true(isinf(web_metrics_next(&f->web, 1002))); /* one scrape has no beat */
        change(f, 1003, 1012);
        free(fake_web_metrics(f, EXPO_TEXT, 1012));
        assert_int_equal(f->web.counters.renders, 2);
        next = web_metrics_next(&f->web, 1012);
        assert_true(next > 1020 && next < 1021);
        change(f, 1013, 1020);
        assert_int_equal(f->web.counters.renders, 2);
        web_metrics_refresh(&f->web, next);
        assert_int_equal(f->web.counters.renders, 3);
        change(f, 1021, 1022);
        assert_int_equal(f->web.counters.renders, 4);
        assert_true(isinf(web_metrics_next(&f->web, 1021)));
        free(fake_web_metrics(f, EXPO_TEXT, 1022));
        assert_int_equal(f->web.counters.renders, 4);
        fake_web_free(f);
}

static void two_scrapers_and_one_that_goes_away(void **state UNUSED)
{
        struct web_expect e = { 0 };

        for (int i = 0; i < 4; i++) {
                web_expect_note(&e, 1000 + 60 * i);
                web_expect_note(&e, 1020 + 60 * i);
        }
        assert_false(web_expect_now(&e, 1210));
        assert_true(web_expect_now(&e, 1219)); /* either may be the next */
        assert_true(web_expect_now(&e, 1239));
        assert_false(web_expect_now(&e, 1300));
        assert_true(web_expect_from(&e) > 1210 && web_expect_from(&e) < 1220);
}

static void old_samples_disappear_although_no_file_changes(void **state UNUSED)
{
        struct fake_web *f = fixture();

        expect(f, 1029, "veille_disk_errors_total{");
        expect_not(f, 1091, "veille_disk_errors_total{"); /* 101 s old, 100 are allowed */
        expect(f, 1091, "veille_disk_temperature_celsius{");
        expect(f, 1091, "veille_samples_left_out{reason=\"stale\"} 1\n");
        expect_not(f, 1096, "veille_disk_temperature_celsius{");
        expect_not(f, 1096, "veille_sample_age_seconds{");
        fake_web_free(f);
}

static void silence_of_the_brain_makes_levels_unknown(void **state UNUSED)
{
        struct fake_web *f = fixture();

        expect(f, 1030, "veille_component_level{component=\"sda\",kind=\"disk\",level=\"ok\"} 1\n");
        expect(f, 1031, "veille_component_level{component=\"sda\",kind=\"disk\",level=\"ok\"} 0\n");
        expect(f, 1031, "veille_component_level{component=\"sda\",kind=\"disk\",level=\"unknown\"} 1\n");
        expect(f, 1031, "veille_brain_up 0\n");
        expect(f, 1031, "veille_host_health{health=\"green\"} 0\n");
        expect(f, 1031, "veille_check_up{check=\"smart\",check_instance=\"sda\",component=\"sda\"} 0\n");
        fake_web_file(f, "status.json", "%s", STATUS_HEAD("1031") COMPONENTS CHECK("ok", "5"));
        expect(f, 1032, "veille_component_level{component=\"sda\",kind=\"disk\",level=\"ok\"} 1\n");
        fake_web_free(f);
}

static void a_failed_run_takes_the_values_with_it(void **state UNUSED)
{
        static const char *const results[] = { "failed", "timeout", "denied" };

        for (size_t i = 0; i < ARRAY_LEN(results); i++) {
                struct fake_web *f = fixture();

                /* The run ended at 1000 with a deadline of 10 s: the sample of 980 is of an earlier one. */
                fake_web_file(f, "status.json", STATUS_HEAD("1000") COMPONENTS "\"checks\":[{\"check\":\"smart\",\"instance\":\"sda\",\"component\":\"sda\","
                              "\"result\":\"%s\",\"age_s\":0,\"max_age_s\":100}]}", results[i]);
                fake_web_file(f, "samples.json", "{\"version\":1,\"time_boot\":1000,\"samples\":["
                              "{\"m\":\"disk_temperature_celsius\",\"c\":\"smart\",\"i\":\"sda\",\"v\":41,\"t\":980,\"l\":{}},"
                              "{\"m\":\"disk_errors_total\",\"c\":\"smart\",\"i\":\"sda\",\"v\":2,\"t\":995,\"l\":{}}]}");
                expect_not(f, 1001, "veille_disk_temperature_celsius{");
                expect(f, 1001, "veille_disk_errors_total{"); /* this run still gave it */
                expect(f, 1001, "veille_samples_left_out{reason=\"failed\"} 1\n");
                expect(f, 1001, "veille_check_up{check=\"smart\",check_instance=\"sda\",component=\"sda\"} 0\n");
                fake_web_free(f);
        }
}

static void samples_nobody_can_use_are_counted(void **state UNUSED)
{
        static const char *const bad[] = {
                "1", "{}", "{\"m\":\"x\",\"c\":\"smart\",\"i\":\"sda\",\"t\":995,\"l\":{}}", "{\"m\":\"x\",\"c\":\"smart\",\"i\":\"sda\",\"v\":\"1\",\"t\":995,\"l\":{}}",
                "{\"m\":\"x y\",\"c\":\"smart\",\"i\":\"sda\",\"v\":1,\"t\":995,\"l\":{}}", "{\"m\":\"x\",\"c\":\"smart\",\"i\":\"sda\",\"v\":1,\"t\":995,\"l\":{\"a\":1}}",
                "{\"m\":\"x\",\"c\":\"smart\",\"i\":\"sda\",\"v\":1,\"t\":995,\"l\":{\"a-b\":\"c\"}}", "{\"m\":\"x\",\"c\":\"smart\",\"i\":\"sda\",\"v\":1,\"t\":995}",
                "{\"m\":\"brain_up\",\"c\":\"smart\",\"i\":\"sda\",\"v\":1,\"t\":995,\"l\":{}}", "{\"m\":\"x\",\"c\":\"smart\",\"i\":\"sda\",\"v\":1,\"t\":995,\"l\":{\"check\":\"y\"}}",
        };

        for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
                struct fake_web *f = fixture();

                fake_web_file(f, "samples.json", "{\"samples\":[%s,{\"m\":\"good\",\"c\":\"smart\",\"i\":\"sda\",\"v\":1,\"t\":995,\"l\":{}}]}", bad[i]);
                expect(f, 1001, "veille_samples_left_out{reason=\"invalid\"} 1\n");
                expect(f, 1001, "veille_good{check=\"smart\",component=\"sda\"} 1\n");
                fake_web_free(f);
        }
}

/* Whatever lies in RUN: an answer, no crash, and never a level that nobody vouches for. */
static void damaged_files_are_never_ok(void **state UNUSED)
{
        static const char *const names[] = { "status.json", "samples.json", "catalog.json" };
        static const char *const rubbish[] = { "", "{", "null", "[]", "{}", "{\"components\":[{\"level\":\"ok\"}]}", "\x01\x02\xff\xfe", "{\"samples\":[{\"m\":" };

        for (size_t n = 0; n < ARRAY_LEN(names); n++)
                for (size_t i = 0; i < ARRAY_LEN(rubbish); i++) {
                        struct fake_web *f = fixture();

                        fake_web_file(f, names[n], "%s", rubbish[i]);
                        if (n == 0) {
                                expect(f, 1001, "veille_brain_up 0\n");
                                expect_not(f, 1001, "level=\"ok\"} 1\n");
                                expect(f, 1001, "veille_component_level{component=\"veille\",kind=\"agent\",level=\"unknown\"} 1\n");
                        } else {
                                expect(f, 1001, "veille_brain_up 1\n");
                        }
                        fake_web_free(f);
                }
}

static void a_file_that_is_no_file_is_never_ok(void **state UNUSED)
{
        static const char *const commands[] = {
                "rm @/status.json", "rm @/status.json && mkdir @/status.json", "rm @/status.json && mkfifo @/status.json",
                "ln -sf /etc/passwd @/status.json", "truncate -s 17M @/status.json", "chmod 0 @/status.json && truncate -s 0 @/status.json",
        };

        for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
                struct fake_web *f = fixture();
                char command[256];

                fake_web_expand(f, commands[i], command, sizeof(command));
                assert_int_equal(system(command), 0);
                expect(f, 1001, "veille_brain_up 0\n");
                expect_not(f, 1001, "level=\"ok\"} 1\n");
                fake_web_free(f);
        }
}

static void a_run_directory_made_anew_is_found(void **state UNUSED)
{
        struct fake_web *f = fixture();
        char command[256];

        expect(f, 1001, "veille_brain_up 1\n");
        snprintf(command, sizeof(command), "mv %s %s.old && mkdir %s && rm -r %s.old", f->dir, f->dir, f->dir, f->dir);
        assert_int_equal(system(command), 0);
        expect(f, 1002, "veille_brain_up 0\n");
        fake_web_file(f, "status.json", "%s", STATUS_HEAD("1003") COMPONENTS CHECK("ok", "5"));
        expect(f, 1004, "veille_brain_up 1\n");
        fake_web_free(f);
}

static void openmetrics_ends_with_eof_and_has_no_blank_line(void **state UNUSED)
{
        struct fake_web *f = fixture();
        _cleanup_free_ char *text = fake_web_metrics(f, EXPO_OPENMETRICS, 1001);

        assert_string_equal(text + strlen(text) - 6, "# EOF\n");
        assert_null(strstr(text, "\n\n"));
        assert_non_null(strstr(text, "# TYPE veille_disk_errors counter\nveille_disk_errors_total{"));
        assert_non_null(strstr(text, "# UNIT veille_disk_temperature_celsius celsius\n"));
        assert_non_null(strstr(text, "# TYPE veille_build info\nveille_build_info{"));
        assert_non_null(strstr(text, "# TYPE veille_web_renders counter\nveille_web_renders_total 1\n"));
        fake_web_free(f);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(samples_with_metadata_and_ages),
                cmocka_unit_test(only_the_ages_change_between_two_scrapes),
                cmocka_unit_test(rendered_shortly_before_the_scrape),
                cmocka_unit_test(two_scrapers_and_one_that_goes_away),
                cmocka_unit_test(old_samples_disappear_although_no_file_changes),
                cmocka_unit_test(silence_of_the_brain_makes_levels_unknown),
                cmocka_unit_test(a_failed_run_takes_the_values_with_it),
                cmocka_unit_test(samples_nobody_can_use_are_counted),
                cmocka_unit_test(damaged_files_are_never_ok),
                cmocka_unit_test(a_file_that_is_no_file_is_never_ok),
                cmocka_unit_test(a_run_directory_made_anew_is_found),
                cmocka_unit_test(openmetrics_ends_with_eof_and_has_no_blank_line),
        };

        return cmocka_run_group_tests_name("web_metrics", tests, NULL, NULL);
}
