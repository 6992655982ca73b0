/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* What veille-notify makes of a message: JSON from a template, a letter. */

#include <arpa/nameser.h>
#undef MIN /* of sys/param.h */
#undef MAX

#include "test.h"

#include "notify.h"
#include "notify_mx.h"

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

static void letters_about_one_alert_share_a_thread(void **state UNUSED)
{
        json_t *m = message("s", "b"), *sink = json_pack("{s[s]}", "to", "ann@example.org");
        struct notify n = { .sink = sink, .message = m, .attempt = 1 };
        char *text;

        json_object_set_new(m, "items", json_pack("[{ss}{ss}{ss}]", "thread", "00112233445566778899aabbccddeeff", "thread", "x>\r\nBcc: eve@example.org",
                                                  "thread", "ffeeddccbbaa99887766554433221100"));
        text = notify_letter(&n);
        assert_has(text, "References: <00112233445566778899aabbccddeeff.alert@mx1>\r\n <ffeeddccbbaa99887766554433221100.alert@mx1>\r\n");
        assert_has(text, "In-Reply-To: <ffeeddccbbaa99887766554433221100.alert@mx1>\r\n");
        assert_null(strstr(text, "Bcc"));
        free(text);
        json_decref(m);
        json_decref(sink);
}

/* A DNS answer of MX records (RFC 1035): text is "preference name" and so on; names are written without compression. */
static size_t mx_answer(unsigned char *buf, const unsigned *preferences, const char *const *names, unsigned n)
{
        static const unsigned char question[] = { 1, 'a', 0, 0, ns_t_mx, 0, ns_c_in };
        size_t len = 12;

        memset(buf, 0, 12);
        buf[2] = 0x81, buf[3] = 0x80, buf[5] = 1, buf[7] = (unsigned char)n;
        memcpy(buf + len, question, sizeof(question));
        len += sizeof(question);
        for (unsigned i = 0; i < n; i++) {
                static const unsigned char head[] = { 0xc0, 12, 0, ns_t_mx, 0, ns_c_in, 0, 0, 0, 60 };
                size_t at;

                memcpy(buf + len, head, sizeof(head));
                at = len += sizeof(head);
                len += 2;
                buf[len++] = (unsigned char)(preferences[i] >> 8);
                buf[len++] = (unsigned char)preferences[i];
                for (const char *p = names[i]; *p;) {
                        size_t label = strcspn(p, ".");

                        buf[len++] = (unsigned char)label;
                        memcpy(buf + len, p, label);
                        len += label;
                        p += label + (p[label] == '.');
                }
                buf[len++] = 0;
                buf[at] = (unsigned char)((len - at - 2) >> 8);
                buf[at + 1] = (unsigned char)(len - at - 2);
        }
        return len;
}

static void servers_of_a_domain_come_best_first(void **state UNUSED)
{
        static const unsigned preferences[] = { 20, 10, 30, 10, 5, 40 };
        static const char *const names[] = { "b.example.org", "a1.example.org", "c.example.org", "a2.example.org", "evil quote.example.org", "d.example.org" };
        static const unsigned none = 0;
        static const char *const dot = "";
        unsigned char buf[1024];
        struct mx_host hosts[MX_HOSTS_MAX];
        size_t len = mx_answer(buf, preferences, names, 6);

        assert_int_equal(mx_parse(buf, len, hosts, MX_HOSTS_MAX), 4);
        assert_string_equal(hosts[0].name, "a1.example.org");
        assert_string_equal(hosts[1].name, "a2.example.org");
        assert_string_equal(hosts[2].name, "b.example.org");
        assert_string_equal(hosts[3].name, "c.example.org");
        for (size_t cut = 0; cut < len; cut++) {
                unsigned char *part = memcpy(malloc(cut + 1), buf, cut);

                assert_true(mx_parse(part, cut, hosts, MX_HOSTS_MAX) < 0);
                free(part);
        }
        assert_int_equal(mx_parse(buf, mx_answer(buf, &none, &dot, 1), hosts, MX_HOSTS_MAX), -EADDRNOTAVAIL);
        assert_int_equal(mx_parse(buf, mx_answer(buf, preferences, names, 0), hosts, MX_HOSTS_MAX), 0);
        assert_true(mx_name_ok("mx1.example.org") && !mx_name_ok("mx1/x") && !mx_name_ok("") && !mx_name_ok(".a") && !mx_name_ok("a b"));
}

static const char *scrubbed(const char *text)
{
        static char buf[512];
        json_t *sink = json_pack("{ss ss ss ss s[ss]}", "user", "veille", "password", "pass-word-1", "secret", "hmac-key-2", "token", "bearer-3333", "url",
                                 "https://someone:url-user-4@chat.example.org/hooks/T0123456/secretpath5?key=query-6&x=1", "http://am:9093");
        struct notify n = { .sink = sink };

        snprintf(buf, sizeof(buf), "%s", text);
        notify_scrub(&n, buf);
        assert_true(strlen(buf) <= strlen(text));
        json_decref(sink);
        return buf;
}

static void secrets_are_taken_out_of_what_others_say(void **state UNUSED)
{
        assert_string_equal(scrubbed("HTTP 403: no"), "HTTP 403: no");
        assert_string_equal(scrubbed("hmac-key-2 and pass-word-1, pass-word-1 again"), "*** and ***, *** again");
        assert_string_equal(scrubbed("no: Bearer bearer-3333"), "no: Bearer ***");
        assert_string_equal(scrubbed("GET /hooks/T0123456/secretpath5?key=query-6&x=1"), "GET /hooks/***/***?key=***&x=1");
        assert_string_equal(scrubbed("url-user-4"), "***");
        assert_null(strstr(scrubbed("Basic c29tZW9uZTp1cmwtdXNlci00"), "c29tZW9uZTp1cmwt")); /* someone:url-user-4 */
        assert_null(strstr(scrubbed("AUTH PLAIN AHZlaWxsZQBwYXNzLXdvcmQtMQ=="), "AHZlaWxsZQBwYXNz")); /* NUL veille NUL pass-word-1 */
        assert_string_equal(scrubbed("cut short: bearer-33"), "cut short: ***");
        assert_string_equal(scrubbed("a bear"), "a ***"); /* rather too much */
        assert_string_equal(scrubbed(""), "");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_template_is_filled_as_values),
                cmocka_unit_test(a_letter_has_what_mail_wants),
                cmocka_unit_test(nothing_breaks_out_of_a_header),
                cmocka_unit_test(other_languages_survive),
                cmocka_unit_test(letters_about_one_alert_share_a_thread),
                cmocka_unit_test(servers_of_a_domain_come_best_first),
                cmocka_unit_test(secrets_are_taken_out_of_what_others_say),
        };

        return cmocka_run_group_tests_name("notify", tests, NULL, NULL);
}
