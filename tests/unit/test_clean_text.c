/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

#include "clean_text.h"
#include "status_doc.h"
#include "test.h"

static void controls_become_blanks(void **state UNUSED)
{
        static const struct {
                const char *dirty, *clean;
        } rows[] = {
                { "", "" },
                { "plain text ~", "plain text ~" },
                { "\033[2Jgone", " [2Jgone" },
                { "a\nb\tc\rd\be\177", "a b c d e " },
                { "\302\23331m", "  31m" },          /* U+009B, ESC [ in one */
                { "\302\200\302\237\302\240", "    \302\240" }, /* U+00A0 is a blank, not a control */
                { "\303\233 \342\202\254 \360\237\230\200", "\303\233 \342\202\254 \360\237\230\200" },
                { "cut \302", "cut ?" },
                { "\233m\377\355\240\200\300\200", "?m??????" }, /* a bare C1 of ISO 8859, a surrogate, NUL in two bytes */
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                char *copy = strdup(rows[i].dirty);

                clean_text(copy);
                assert_string_equal(copy, rows[i].clean);
                free(copy);
        }
}

static void every_string_of_a_document(void **state UNUSED)
{
        json_t *doc = json_loads("{\"a\":\"x\\u001b[1m\",\"b\":[1,null,[\"\\u009b\",{\"c\":\"\\r\"}]],\"d\":\"fine\",\"e\\u007f\":{}}", 0, NULL);
        char *text;

        assert_non_null(doc);
        clean_json(doc);
        text = json_dumps(doc, JSON_COMPACT | JSON_SORT_KEYS);
        assert_string_equal(text, "{\"a\":\"x [1m\",\"b\":[1,null,[\"  \",{\"c\":\" \"}]],\"d\":\"fine\"}");
        free(text);
        json_decref(doc);
        clean_json(NULL);
}

static void a_status_has_no_controls(void **state UNUSED)
{
        static const char text[] =
                "{\"version\":1,\"host\":\"mx\\u001b1\",\"health\":\"green\",\"health_why\":\"\",\"time\":1,\"time_boot\":1,\"components\":["
                "{\"component\":\"sda\",\"kind\":\"disk\",\"level\":\"ok\",\"why\":\"\",\"id\":\"model\\u0007\",\"roles\":[\"\\u009bJ\"]}],\"checks\":[]}";
        struct status_doc s;
        struct errinfo err = { 0 };
        char *out;

        assert_int_equal(status_doc_parse(text, strlen(text), 1, 30, &s, &err), 0);
        out = json_dumps(s.doc, JSON_COMPACT);
        assert_null(strstr(out, "\\u00"));
        assert_null(strstr(out, "\302\233"));
        assert_string_equal(status_text(s.doc, "host"), "mx 1");
        free(out);
        status_doc_done(&s);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(controls_become_blanks),
                cmocka_unit_test(every_string_of_a_document),
                cmocka_unit_test(a_status_has_no_controls),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
