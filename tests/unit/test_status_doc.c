/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

#include "status_doc.h"
#include "test.h"

#define HEAD "{\"version\":1,\"host\":\"mx1\",\"health\":\"green\",\"health_why\":\"\",\"time\":1700000000.5,\"time_boot\":1000,"
#define GOOD                                                                                                                  \
        HEAD "\"components\":[{\"component\":\"sda\",\"kind\":\"disk\",\"level\":\"ok\",\"why\":\"fine\",\"since\":1699990000," \
             "\"age_s\":40,\"rule\":\"\",\"reasons\":[]},"                                                                    \
             "{\"component\":\"sdb\",\"kind\":\"disk\",\"level\":\"warning\",\"why\":\"2 pending sectors\",\"since\":1,"      \
             "\"age_s\":null,\"rule\":\"pending-sectors\",\"reasons\":[{\"rule\":\"pending-sectors\",\"level\":\"warning\","  \
             "\"text\":\"2 pending sectors\",\"age_s\":7,\"clears\":\"a rewrite\"}]}],"                                       \
             "\"checks\":[{\"check\":\"smart\",\"instance\":\"sda\",\"result\":\"ok\",\"age_s\":3,\"next_s\":5}]}"

static struct status_doc parse(const char *text, double now)
{
        struct status_doc s;
        struct errinfo err = { 0 };

        if (status_doc_parse(text, strlen(text), now, STATUS_SILENT_AFTER_S, &s, &err) < 0)
                fail_msg("%s", err.text);
        return s;
}

static json_t *component(const struct status_doc *s, size_t i)
{
        return json_array_get(json_object_get(s->doc, "components"), i);
}

static void fresh_keeps_levels_and_ages_them(void **state UNUSED)
{
        struct status_doc s = parse(GOOD, 1009);
        json_t *reason = json_array_get(json_object_get(component(&s, 1), "reasons"), 0);
        json_t *check = json_array_get(json_object_get(s.doc, "checks"), 0);

        assert_false(s.silent);
        assert_string_equal(s.why, "");
        assert_true(s.silent_s == 9);
        assert_int_equal(status_level(component(&s, 0)), LEVEL_OK);
        assert_true(status_number(component(&s, 0), "age_s") == 49);
        assert_true(json_is_null(json_object_get(component(&s, 1), "age_s"))); /* never read stays never */
        assert_true(status_number(reason, "age_s") == 16);
        assert_true(status_number(check, "age_s") == 12);
        assert_true(status_number(check, "next_s") == 0);
        status_doc_done(&s);
}

static void silence_makes_every_level_unknown(void **state UNUSED)
{
        static const struct {
                double now;
                bool silent;
                const char *why;
        } rows[] = {
                { 1000, false, "" },
                { 1030, false, "" },
                { 1030.5, true, "the brain (veilled) has been silent for 30 s" },
                { 1000 + 600, true, "the brain (veilled) has been silent for 10 min" },
                { 999.5, false, "" }, /* read while it was written */
                { 998, true, "the last status was written before this boot: veilled has not run since" },
                { 0, true, "the last status was written before this boot: veilled has not run since" },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct status_doc s = parse(GOOD, rows[i].now);

                if (s.silent != rows[i].silent || !streq(s.why, rows[i].why))
                        fail_msg("row %zu: silent %d '%s'", i, s.silent, s.why);
                for (size_t k = 0; k < 2; k++)
                        assert_int_equal(status_level(component(&s, k)) == LEVEL_UNKNOWN, rows[i].silent);
                assert_string_equal(status_text(s.doc, "health"), rows[i].silent ? "yellow" : "green");
                status_doc_done(&s);
        }
}

static void silence_keeps_what_was_said_before(void **state UNUSED)
{
        struct status_doc s = parse(GOOD, 1045);
        json_t *reason = json_array_get(json_object_get(component(&s, 1), "reasons"), 0);

        assert_string_equal(status_text(component(&s, 1), "why"),
                            "the brain (veilled) has been silent for 45 s; before that: warning: 2 pending sectors");
        assert_string_equal(status_text(component(&s, 1), "level_before"), "warning");
        assert_string_equal(status_text(component(&s, 1), "rule"), "brain-silent");
        assert_true(status_number(component(&s, 1), "since") == 1700000000.5);
        assert_string_equal(status_text(reason, "rule"), "brain-silent");
        assert_int_equal(json_array_size(json_object_get(component(&s, 1), "reasons")), 2);
        assert_string_equal(status_text(s.doc, "health_why"), "the brain (veilled) has been silent for 45 s");
        status_doc_done(&s);
}

/* Each of these was a status file with one thing wrong; none may be shown. */
static void damaged_documents_are_refused(void **state UNUSED)
{
        static const struct {
                const char *text, *why;
        } rows[] = {
                { "", "empty" },
                { "{", "line 1" },
                { "[]", "no object" },
                { "null", "line 1" },
                { "{}", "\"host\" is missing" },
                { HEAD "\"components\":null}", "list of components is missing" },
                { HEAD "\"components\":{}}", "list of components is missing" },
                { HEAD "\"components\":[1]}", "component is no object" },
                { HEAD "\"components\":[{}]}", "\"component\" is missing" },
                { HEAD "\"components\":[{\"component\":\"\",\"kind\":\"\",\"level\":\"ok\",\"why\":\"\"}]}", "\"component\" is not" },
                { HEAD "\"components\":[{\"component\":\"a\",\"kind\":\"\",\"level\":\"fine\",\"why\":\"\"}]}", "\"level\" is not" },
                { HEAD "\"components\":[{\"component\":\"a\",\"kind\":\"\",\"level\":0,\"why\":\"\"}]}", "\"level\" is not" },
                { HEAD "\"components\":[{\"component\":\"a\",\"kind\":\"\",\"level\":\"ok\",\"why\":7}]}", "\"why\" is not" },
                { HEAD "\"components\":[{\"component\":\"a\",\"kind\":\"\",\"level\":\"ok\",\"why\":\"\",\"age_s\":-7}]}", "\"age_s\" is not" },
                { HEAD "\"components\":[{\"component\":\"a\",\"kind\":\"\",\"level\":\"ok\",\"why\":\"\",\"since\":1e300}]}", "\"since\" is not" },
                { HEAD "\"components\":[{\"component\":\"a\",\"kind\":\"\",\"level\":\"ok\",\"why\":\"\",\"reasons\":[0]}]}", "reason is no object" },
                { HEAD "\"components\":[],\"checks\":[{\"check\":\"a\"}]}", "\"instance\" is missing" },
                { HEAD "\"components\":[]} trailing", "end of file" },
                { HEAD "\"components\":[],\"components\":[]}", "duplicate" },
                { "{\"version\":2,\"host\":\"a\",\"health\":\"green\",\"time\":1,\"time_boot\":1,\"components\":[]}", "version 1" },
                { "{\"version\":1,\"host\":\"a\",\"health\":\"blue\",\"time\":1,\"time_boot\":1,\"components\":[]}", "\"health\"" },
                { "{\"version\":1,\"host\":\"a\",\"health\":\"green\",\"time\":1,\"time_boot\":\"1\",\"components\":[]}", "\"time_boot\" is not" },
                { "{\"version\":1,\"host\":\"a\\u0000b\",\"health\":\"green\",\"time\":1,\"time_boot\":1,\"components\":[]}", "\\u0000" },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct status_doc s;
                struct errinfo err = { 0 };

                if (status_doc_parse(rows[i].text, strlen(rows[i].text), 1000, 30, &s, &err) != -EINVAL)
                        fail_msg("taken for good: %s", rows[i].text);
                if (!strstr(err.text, rows[i].why))
                        fail_msg("%s: '%s' does not say '%s'", rows[i].text, err.text, rows[i].why);
        }
}

static void every_cut_is_refused(void **state UNUSED)
{
        for (size_t len = 0; len < strlen(GOOD); len++) {
                char *copy = malloc(len ? len : 1); /* exact size: the sanitizer sees one byte too far */
                struct status_doc s;

                memcpy(copy, GOOD, len);
                assert_int_equal(status_doc_parse(copy, len, 1000, 30, &s, NULL), -EINVAL);
                free(copy);
        }
}

static void absent_is_a_document_too(void **state UNUSED)
{
        struct status_doc s;

        status_doc_absent("mx1", "there is no status", 1700000000, &s);
        assert_true(s.silent);
        assert_string_equal(status_text(component(&s, 0), "component"), "veille");
        assert_int_equal(status_level(component(&s, 0)), LEVEL_UNKNOWN);
        assert_string_equal(status_text(component(&s, 0), "why"), "there is no status");
        assert_string_equal(status_text(s.doc, "health"), "yellow");
        status_doc_done(&s);
}

static void durations(void **state UNUSED)
{
        static const struct {
                double s;
                const char *text;
        } rows[] = { { NAN, "-" }, { -1, "-" }, { 0, "0 s" }, { 119, "119 s" }, { 120, "2 min" }, { 7200, "2 h" }, { 172800, "2 days" } };
        char buf[32];

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                status_duration(rows[i].s, buf, sizeof(buf));
                assert_string_equal(buf, rows[i].text);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(fresh_keeps_levels_and_ages_them),
                cmocka_unit_test(silence_makes_every_level_unknown),
                cmocka_unit_test(silence_keeps_what_was_said_before),
                cmocka_unit_test(damaged_documents_are_refused),
                cmocka_unit_test(every_cut_is_refused),
                cmocka_unit_test(absent_is_a_document_too),
                cmocka_unit_test(durations),
        };

        return cmocka_run_group_tests_name("status_doc", tests, NULL, NULL);
}
