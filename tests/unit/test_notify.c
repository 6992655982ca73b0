/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* What veille-notify makes of a message: JSON from a template, a letter. */

#include "test.h"

#include "notify.h"

static json_t *message(const char *subject, const char *body)
{
        return json_pack("{ss ss ss ss ss sf ss ss}", "id", "0123456789abcdef0123456789abcdef", "host", "mx1", "component", "sda", "level", "critical",
                         "what", "new", "time", 1795528800.5, "subject", subject, "body", body);
}

static void a_template_is_filled_as_values(void **state UNUSED)
{
        json_t *m = message("a \"quoted\" {body} subject", "line 1\nline 2");
        json_t *t = json_loads("{\"topic\":\"x\",\"title\":\"{host}: {subject}\",\"list\":[\"{level}\",{\"p\":\"{priority}\"}],\"n\":7,"
                               "\"all\":\"{message}\",\"odd\":\"{nothing} {} {subject\",\"when\":\"{time}\",\"in\":\"p={priority}\"}", 0, NULL);
        json_t *doc = notify_template(t, m), *list;

        assert_string_equal(notify_text(doc, "topic"), "x");
        assert_string_equal(notify_text(doc, "title"), "mx1: a \"quoted\" {body} subject"); /* filled once: a device cannot ask for more */
        list = json_object_get(doc, "list");
        assert_string_equal(json_string_value(json_array_get(list, 0)), "critical");
        assert_int_equal(json_integer_value(json_object_get(json_array_get(list, 1), "p")), 5);
        assert_int_equal(json_integer_value(json_object_get(doc, "n")), 7);
        assert_true(json_equal(json_object_get(doc, "all"), m));
        assert_string_equal(notify_text(doc, "odd"), "{nothing} {} {subject");
        assert_string_equal(notify_text(doc, "when"), "2026-11-24T14:00:00Z");
        assert_string_equal(notify_text(doc, "in"), "p=5");
        json_decref(doc);
        json_decref(t);
        json_decref(m);
}

/* The letter of a message, with its structure looked at: CRLF, no long line, 7 bits, one empty line after the header. */
static char *letter(const char *subject, const char *body, const char *from)
{
        json_t *m = message(subject, body);
        json_t *sink = json_pack("{s[ss]ss}", "to", "ann@example.org", "bob@example.org", "from", from);
        struct notify n = { .sink = sink, .message = m, .attempt = 2 };
        char *text = notify_letter(&n);
        size_t column = 0;

        assert_non_null(strstr(text, "\r\n\r\n"));
        for (const char *c = text; *c; c++) {
                assert_true((unsigned char)*c < 0x7f);
                if (*c == '\n')
                        assert_true(c > text && c[-1] == '\r');
                column = *c == '\n' ? 0 : column + 1;
                assert_in_range(column, 0, 999);
        }
        json_decref(m);
        json_decref(sink);
        return text;
}

static void assert_has(const char *text, const char *part)
{
        if (!strstr(text, part))
                fail_msg("'%s' is not in:\n%s", part, text);
}

static void a_letter_has_what_mail_wants(void **state UNUSED)
{
        char *text = letter("[mx1] CRITICAL: sda: replace it", "first = line \nlast", "");

        assert_has(text, "From: veille <veille@mx1>\r\n");
        assert_has(text, "To: ann@example.org,\r\n bob@example.org\r\n");
        assert_has(text, "Subject: [mx1] CRITICAL: sda: replace it\r\n");
        assert_has(text, "Date: Tue, 24 Nov 2026 14:00:00 +0000\r\n");
        assert_has(text, "Message-ID: <0123456789abcdef0123456789abcdef@mx1>\r\n");
        assert_has(text, "X-Veille-Attempt: 2\r\n");
        assert_has(text, "Auto-Submitted: auto-generated\r\n");
        assert_has(text, "\r\n\r\nfirst =3D line=20\r\nlast\r\n");
        free(text);
}

static void nothing_breaks_out_of_a_header(void **state UNUSED)
{
        char *text = letter("x\r\nBcc: eve@example.org", "b", "ops@example.org");
        const char *body = strstr(text, "\r\n\r\n");

        for (const char *c = text; (c = strstr(c, "Bcc:")); c += 4)
                assert_true(c > body);
        assert_has(text, "From: veille <ops@example.org>\r\n");
        free(text);
}

static void other_languages_survive(void **state UNUSED)
{
        char long_subject[1024] = "", *text;

        for (int i = 0; i < 60; i++)
                strcat(long_subject, "réparez ");
        text = letter(long_subject, "Été: à l'hôte", "");
        assert_has(text, "Subject: =?utf-8?B?");
        assert_has(text, "=C3=89t=C3=A9: =C3=A0 l'h=C3=B4te\r\n");
        free(text);
        text = letter("é", "", "");
        assert_has(text, "Subject: =?utf-8?B?w6k=?=\r\n");
        free(text);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_template_is_filled_as_values),
                cmocka_unit_test(a_letter_has_what_mail_wants),
                cmocka_unit_test(nothing_breaks_out_of_a_header),
                cmocka_unit_test(other_languages_survive),
        };

        return cmocka_run_group_tests_name("notify", tests, NULL, NULL);
}
