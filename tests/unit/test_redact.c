/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* What may not leave the house, in every dress. */

#include "redact.h"
#include "test.h"

static const char *clean(const struct redact *r, const char *text)
{
        static char result[4096];
        struct textbuf out = { 0 };

        redact_text(r, text, strlen(text), &out);
        snprintf(result, sizeof(result), "%.*s", (int)out.len, out.data ? out.data : "");
        textbuf_done(&out);
        return result;
}

static void shapes(void **state UNUSED)
{
        static const struct {
                const char *text, *want;
        } rows[] = {
                { "password = hunter2", "password = <secret>" },
                { "smtp_password=\"a b\"  default", "smtp_password=\"<secret>\"  default" },
                { "Api-Token: abc def   veille.conf:3", "Api-Token: <secret>   veille.conf:3" },
                { "{\"token\":\"x\\\"y\",\"a\":1}", "{\"token\":\"<secret>\",\"a\":1}" },
                { "token_file = /etc/veille/token", "token_file = /etc/veille/token" },
                { "password_file = /etc/p", "password_file = /etc/p" },
                { "connect = ups@localhost", "connect = ups@localhost" },
                { "url = https://u:pw@host.example/hook/SECRET?x=1", "url = https://<secret>@host.example/<secret>" },
                { "http://127.0.0.1:9785/", "http://127.0.0.1:9785/" },
                { "see https://host?key=v end", "see https://host?<secret> end" },
                { "GET / Authorization: Bearer abcdefgh", "GET / Authorization: <secret>" },
                { "sent Bearer abcdefghijkl to it", "sent Bearer <secret> to it" },
                { "the bearer of news", "the bearer of news" },
                { "a token is needed", "a token is needed" },
                { "password =", "password =" },
                { "a\n-----BEGIN PRIVATE KEY-----\nMIIE\nxyz\n-----END PRIVATE KEY-----\nb", "a\n<private key>\nb" },
                { "a\n-----BEGIN EC PRIVATE KEY-----\nMIIE", "a\n<private key>" },
                { "", "" },
                { "://", "://" },
                { "x://@", "x://<secret>@" },
                { "password: '", "password: '<secret>" },
        };
        const struct redact none = { 0 };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
                if (!streq(clean(&none, rows[i].text), rows[i].want))
                        fail_msg("'%s' became '%s'", rows[i].text, clean(&none, rows[i].text));
}

static void words(void **state UNUSED)
{
        struct redact r = { 0 };

        redact_add(&r, "WD-1234", 7, "<id-1>");
        redact_add(&r, "WD-12345", 8, "<id-2>");
        redact_add(&r, "WD-1234", 7, "<id-3>");
        redact_add(&r, "vm", 2, "<host>");
        redact_add(&r, "x", 1, "<never>");
        assert_int_equal(r.n, 3);
        assert_string_equal(clean(&r, "WD-12345 aWD-1234b vm vmstat vm:x"), "<id-2> a<id-1>b <host> vmstat <host>:x");
        redact_done(&r);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(shapes), cmocka_unit_test(words) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
