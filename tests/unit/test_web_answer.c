/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Who gets which answer, and which settings are refused. */

#include "fake_web.h"

static unsigned ask(struct fake_web *f, struct web_request q, char **ret_text)
{
        struct textbuf all = { 0 };
        struct web_reply r;
        unsigned status;

        if (!q.method)
                q.method = "GET";
        if (!q.path)
                q.path = "/healthz";
        web_answer(&f->web, &q, &r);
        if (r.body)
                textbuf_add(&all, r.body->text.data, r.body->text.len);
        textbuf_add(&all, r.tail.data, r.tail.len);
        textbuf_char(&all, '\0');
        status = r.status;
        assert_non_null(r.content_type);
        assert_int_equal(status == 405, r.allow != NULL);
        assert_int_equal(status == 401, r.authenticate != NULL);
        web_reply_done(&r);
        if (ret_text)
                *ret_text = all.data;
        else
                free(all.data);
        return status;
}

static void write_status(struct fake_web *f, double age)
{
        fake_web_file(f, "status.json", "{\"version\":1,\"host\":\"mx1\",\"health\":\"red\",\"health_why\":\"sda is failing\",\"time\":%f,\"time_boot\":%f,"
                      "\"components\":[{\"component\":\"sda\",\"kind\":\"disk\",\"level\":\"critical\",\"why\":\"it is failing\",\"since\":1,\"age_s\":1,\"rule\":\"r\"},"
                      "{\"component\":\"sdb\",\"kind\":\"disk\",\"level\":\"ok\",\"why\":\"\",\"since\":1,\"age_s\":1,\"rule\":\"\"}],\"checks\":[]}",
                      web_wall() - age, web_boot() - age);
}

static void paths_and_methods(void **state UNUSED)
{
        static const struct {
                const char *method, *path;
                unsigned status;
        } rows[] = {
                { "GET", "/", 200 },        { "HEAD", "/", 200 },        { "GET", "/metrics", 200 },  { "GET", "/healthz", 200 }, { "GET", "/status.json", 200 },
                { "POST", "/metrics", 405 }, { "DELETE", "/", 405 },     { "get", "/", 405 },         { "OPTIONS", "/", 405 },    { "GET", "", 404 },
                { "GET", "/metrics/", 404 }, { "GET", "/../etc/passwd", 404 }, { "GET", "//", 404 }, { "GET", "/status.json.tmp", 404 },
        };
        struct fake_web *f = fake_web_new();

        write_status(f, 1);
        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
                if (ask(f, (struct web_request){ .method = rows[i].method, .path = rows[i].path }, NULL) != rows[i].status)
                        fail_msg("%s %s", rows[i].method, rows[i].path);
        assert_int_equal(ask(f, (struct web_request){ .has_body = true }, NULL), 413);
        fake_web_free(f);
}

static void healthz_says_why_not(void **state UNUSED)
{
        struct fake_web *f = fake_web_new();
        char *text;

        assert_int_equal(ask(f, (struct web_request){ 0 }, &text), 503);
        assert_non_null(strstr(text, "status.json is not there"));
        free(text);
        write_status(f, 5);
        assert_int_equal(ask(f, (struct web_request){ 0 }, &text), 200); /* the host is red, but what is shown is true */
        assert_string_equal(text, "ok\n");
        free(text);
        write_status(f, 95);
        assert_int_equal(ask(f, (struct web_request){ 0 }, &text), 503);
        assert_non_null(strstr(text, "the brain (veilled) has been silent for 9"));
        free(text);
        fake_web_free(f);
}

static void a_silent_brain_is_unknown_everywhere(void **state UNUSED)
{
        static const struct {
                const char *path, *must, *must_not;
        } rows[] = {
                { "/status.json", "\"level\": \"unknown\"", "\"level\": \"ok\"" },
                { "/status.json", "has been silent for 95 s; before that: critical: it is failing", "\"level\": \"critical\"" },
                { "/metrics", "veille_component_level{component=\"sdb\",kind=\"disk\",level=\"unknown\"} 1", "level=\"ok\"} 1" },
                { "/", "has been silent for 95 s", "l-ok\"><svg" },
                { "/", "Nobody knows how this host is.", "This host is well" },
                { "/", "What was wrong before", "What is wrong<" },
                { "/", "<span class=\"was\">was <span class=\"level l-critical\">", "before that: critical" },
        };
        struct fake_web *f = fake_web_new();

        write_status(f, 95);
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                char *text;

                assert_int_equal(ask(f, (struct web_request){ .path = rows[i].path }, &text), 200);
                if (!strstr(text, rows[i].must))
                        fail_msg("%s: no '%s' in %s", rows[i].path, rows[i].must, text);
                if (strstr(text, rows[i].must_not))
                        fail_msg("%s: '%s' in %s", rows[i].path, rows[i].must_not, text);
                free(text);
        }
        fake_web_free(f);
}

static void what_is_wrong_comes_first(void **state UNUSED)
{
        struct fake_web *f = fake_web_new();
        char *text;

        write_status(f, 1);
        assert_int_equal(ask(f, (struct web_request){ .path = "/" }, &text), 200);
        assert_true(str_starts(text, "<!DOCTYPE html>\n<html lang=\"en\">"));
        assert_true(strstr(text, "What is wrong") < strstr(text, "All components"));
        assert_true(strstr(text, "it is failing") < strstr(text, "All components"));
        assert_non_null(strstr(text, "This host is in trouble."));
        assert_null(strstr(text, "<script"));
        assert_null(strstr(text, "http-equiv=\"refresh\""));
        free(text);
        fake_web_free(f);
}

/* One cause that hits many takes one card, so that it does not hide the others; three of them still get one each. */
static void many_of_one_cause_share_a_card(void **state UNUSED)
{
        for (size_t n = 3; n <= 12; n += 9) {
                struct fake_web *f = fake_web_new();
                struct textbuf list = { 0 };
                size_t cards = 0;
                char *text;

                for (size_t i = 0; i < n; i++)
                        textbuf_printf(&list, "{\"component\":\"d%zu\",\"kind\":\"disk\",\"level\":\"unknown\",\"why\":\"d%zu: denied\",\"since\":%zu,\"reasons\":["
                                              "{\"rule\":\"no-reading\",\"level\":\"unknown\",\"text\":\"d%zu: denied\",\"clears\":\"set it up\"}]},", i, i, 100 + i, i);
                textbuf_char(&list, '\0');
                fake_web_file(f, "status.json", "{\"version\":1,\"host\":\"mx1\",\"health\":\"red\",\"time\":%f,\"time_boot\":%f,\"components\":[%s"
                              "{\"component\":\"e\",\"kind\":\"disk\",\"level\":\"critical\",\"why\":\"dead\"}],\"checks\":[]}", web_wall(), web_boot(), list.data);
                assert_int_equal(ask(f, (struct web_request){ .path = "/" }, &text), 200);
                for (const char *at = text; (at = strstr(at, "<article")); at++)
                        cards++;
                assert_int_equal(cards, n == 3 ? 4 : 2);
                assert_true(strstr(text, "dead") < strstr(text, "d0: denied"));
                assert_int_equal(strstr(text, "d0, d1, d2 and 9 more") != NULL, n == 12);
                assert_int_equal(strstr(text, "All 12 of them") != NULL, n == 12);
                for (size_t i = 0; i < n; i++) {
                        char why[32];

                        snprintf(why, sizeof(why), "d%zu: denied</li>", i);
                        assert_int_equal(strstr(text, why) != NULL, n == 12);
                }
                free(text);
                textbuf_done(&list);
                fake_web_free(f);
        }
}

static void text_from_outside_stays_text(void **state UNUSED)
{
        static const char evil[] = "<script>alert(1)</script>'\\\"&";
        struct fake_web *f = fake_web_new();
        char *text;

        fake_web_file(f, "status.json", "{\"version\":1,\"host\":\"%s\",\"health\":\"red\",\"health_why\":\"%s\",\"time\":%f,\"time_boot\":%f,\"components\":["
                      "{\"component\":\"%s\",\"kind\":\"%s\",\"id\":\"%s\",\"level\":\"critical\",\"why\":\"%s\",\"since\":1,\"age_s\":1,\"rule\":\"%s\",\"roles\":[\"%s\"],"
                      "\"reasons\":[{\"rule\":\"%s\",\"level\":\"critical\",\"text\":\"%s\",\"check\":\"%s\",\"clears\":\"%s\",\"source\":\"%s\"},"
                      "{\"rule\":\"%s\",\"level\":\"notice\",\"text\":\"%s\",\"check\":\"%s\",\"clears\":\"%s\",\"source\":\"%s\"}]}],"
                      "\"checks\":[{\"check\":\"%s\",\"instance\":\"%s\",\"result\":\"%s\",\"why\":\"%s\",\"age_s\":1}]}",
                      evil, evil, web_wall(), web_boot(), evil, evil, evil, evil, evil, evil, evil, evil, evil, evil, evil, evil, evil, evil, evil, evil,
                      evil, evil, evil, evil);
        fake_web_file(f, "plots.json", "{\"plots\":[{\"component\":\"%s\",\"metric\":\"%s\",\"unit\":\"%s\",\"labels\":{\"a\":\"%s\"},\"from\":0,\"to\":9,"
                      "\"points\":[[1,2,2,2],[2,2,2,2]]}],\"events\":[{\"time\":5,\"component\":\"%s\",\"from\":\"ok\",\"to\":\"critical\",\"why\":\"%s\"}]}",
                      evil, evil, evil, evil, evil, evil);
        assert_int_equal(ask(f, (struct web_request){ .path = "/" }, &text), 200);
        assert_null(strstr(text, "<script"));
        assert_null(strstr(text, "<Script"));
        assert_null(strstr(text, "</script"));
        assert_null(strstr(text, "'\""));
        assert_non_null(strstr(text, "&lt;script&gt;alert(1)&lt;/script&gt;&#39;&quot;&amp;"));
        free(text);
        fake_web_free(f);
}

static void refresh_is_a_small_number(void **state UNUSED)
{
        static const struct {
                const char *refresh;
                unsigned status;
        } rows[] = { { "30", 200 }, { "5", 200 }, { "3600", 200 }, { "4", 400 }, { "3601", 400 }, { "", 400 }, { "-5", 400 }, { "30;url=x", 400 },
                     { "0x20", 400 }, { "99999999999999999999999", 400 }, { " 30", 400 } };
        struct fake_web *f = fake_web_new();
        char *text;

        write_status(f, 1);
        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
                if (ask(f, (struct web_request){ .path = "/", .refresh = rows[i].refresh }, NULL) != rows[i].status)
                        fail_msg("refresh '%s'", rows[i].refresh);
        assert_int_equal(ask(f, (struct web_request){ .path = "/", .refresh = "30" }, &text), 200);
        assert_non_null(strstr(text, "http-equiv=\"refresh\" content=\"30\""));
        free(text);
        fake_web_free(f);
}

static void other_names_are_not_answered(void **state UNUSED)
{
        static const struct {
                const char *host;
                unsigned status;
        } rows[] = {
                { NULL, 200 },              { "127.0.0.1:9785", 200 }, { "127.0.0.1", 200 },      { "[::1]:9785", 200 },      { "localhost:9785", 200 }, { "LOCALHOST", 200 },
                { "mx1", 200 },             { "status.example.org", 200 }, { "evil.example", 421 }, { "evil.example:9785", 421 }, { "", 421 },
                { "127.0.0.1.evil.example", 421 }, { "localhost.evil.example", 421 }, { "[evil]", 421 }, { "127.0.0.1:9785:x", 421 },
        };
        struct fake_web *f = fake_web_new();

        write_status(f, 1);
        f->web.settings.hosts[0] = (char *)"status.example.org";
        f->web.settings.n_hosts = 1;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
                if (ask(f, (struct web_request){ .host = rows[i].host }, NULL) != rows[i].status)
                        fail_msg("Host: %s", rows[i].host);
        strcpy(f->web.settings.token, "0123456789abcdef"); /* then the token decides */
        assert_int_equal(ask(f, (struct web_request){ .host = "evil.example", .authorization = "Bearer 0123456789abcdef" }, NULL), 200);
        fake_web_free(f);
}

static void a_token_is_wanted(void **state UNUSED)
{
        static const struct {
                const char *authorization;
                unsigned status;
        } rows[] = {
                { NULL, 401 },
                { "", 401 },
                { "Bearer", 401 },
                { "Bearer ", 401 },
                { "Bearer 0123456789abcdef", 200 },
                { "bearer 0123456789abcdef", 200 },
                { "Bearer 0123456789abcdeg", 401 },
                { "Bearer 0123456789abcde", 401 },
                { "Bearer 0123456789abcdef0", 401 },
                { "Basic YW55Ym9keTowMTIzNDU2Nzg5YWJjZGVm", 200 }, /* anybody:0123456789abcdef */
                { "Basic OjAxMjM0NTY3ODlhYmNkZWY=", 200 },         /* :0123456789abcdef */
                { "Basic MDEyMzQ1Njc4OWFiY2RlZg==", 401 },         /* without a colon */
                { "Basic !!!!", 401 },
                { "Basic ", 401 },
                { "Digest 0123456789abcdef", 401 },
        };
        struct fake_web *f = fake_web_new();
        char longest[2000];

        write_status(f, 1);
        strcpy(f->web.settings.token, "0123456789abcdef");
        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
                if (ask(f, (struct web_request){ .authorization = rows[i].authorization }, NULL) != rows[i].status)
                        fail_msg("Authorization: %s", rows[i].authorization);
        memset(longest, 'A', sizeof(longest) - 1);
        longest[sizeof(longest) - 1] = '\0';
        memcpy(longest, "Basic ", 6);
        assert_int_equal(ask(f, (struct web_request){ .authorization = longest }, NULL), 401);
        assert_int_equal(ask(f, (struct web_request){ .path = "/nowhere" }, NULL), 401); /* not even what there is */
        fake_web_free(f);
}

static void listen_addresses(void **state UNUSED)
{
        static const struct {
                const char *text;
                bool ok, loopback;
        } rows[] = {
                { "127.0.0.1:9785", true, true }, { "127.9.9.9:1", true, true },    { "[::1]:9785", true, true }, { "[::ffff:127.0.0.1]:80", true, true },
                { "0.0.0.0:9785", true, false },  { "192.0.2.1:9785", true, false }, { "[::]:9785", true, false }, { "[2001:db8::1]:65535", true, false },
                { "9785", false, false },         { ":9785", false, false },        { "127.0.0.1", false, false }, { "127.0.0.1:", false, false },
                { "127.0.0.1:0", false, false },  { "127.0.0.1:65536", false, false }, { "127.0.0.1:+80", false, false }, { "localhost:80", false, false },
                { "::1:9785", false, false },     { "[::1]", false, false },        { "[]:80", false, false },     { "[:80", false, false },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct errinfo err = { 0 };
                struct web_listen l;
                int r = web_listen_parse(rows[i].text, &l, &err);

                if ((r >= 0) != rows[i].ok || (r < 0 && !*err.text))
                        fail_msg("%s", rows[i].text);
                if (r >= 0 && web_address_is_loopback(&l.address) != rows[i].loopback)
                        fail_msg("%s: loopback?", rows[i].text);
        }
}

static void unsafe_settings_are_refused(void **state UNUSED)
{
        struct fake_web *f = fake_web_new();
        const struct {
                const char *config, *why; /* @ is the directory of the fixture; why NULL: good */
        } rows[] = {
                { "", NULL },
                { "listen = 0.0.0.0:9785", "tls_certificate and tls_key, and token_file" },
                { "listen = [::]:9785\ntoken_file = @/token", "that needs tls_certificate and tls_key. Set" },
                { "listen = 192.0.2.1:9785\ntls_certificate = @/pem\ntls_key = @/key", "that needs token_file" },
                { "listen = 192.0.2.1:9785\ntls_certificate = @/pem\ntls_key = @/key\ntoken_file = @/token", NULL },
                { "listen = 127.0.0.1:1 192.0.2.1:9785", "192.0.2.1:9785 can be reached from outside" },
                { "tls_certificate = @/pem", "tls_key is not" },
                { "tls_key = @/key", "tls_certificate is not" },
                { "token_file = @/short", "has 5 characters" },
                { "token_file = @/open", "every user of this host may read" },
                { "token_file = @/two", "more than one line" },
                { "token_file = @/absent", "No such file" },
                { "tls_certificate = @/pem\ntls_key = @/open", "every user of this host may read" },
                { "compat = node_exporter, smartctl_exporter", NULL },
                { "compat = nodeexporter", "'nodeexporter' is neither" },
                { "textfile = @/veille.txt", "does not end in NAME.prom" },
                { "textfile = @/.prom", "does not end in NAME.prom" },
                { "textfile = @/veille.prom", NULL },
                { "listen = localhost:80", "no numeric ADDRESS:PORT" },
        };

        fake_web_file(f, "pem", "x\n");
        fake_web_file(f, "key", "x\n");
        fake_web_file(f, "token", "0123456789abcdef\n");
        fake_web_file(f, "short", "12345\n");
        fake_web_file(f, "two", "0123456789abcdef\n0123456789abcdef\n");
        fake_web_file(f, "open", "0123456789abcdef\n");
        for (size_t i = 0; i < 5; i++) {
                char path[128];

                snprintf(path, sizeof(path), "%s/%s", f->dir, (const char *[]){ "key", "token", "short", "two", "open" }[i]);
                assert_int_equal(chmod(path, i == 4 ? 0644 : 0640), 0);
        }
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct config_errors errors = { 0 };
                struct web_settings s = { 0 };
                struct errinfo err = { 0 };
                struct config *config;
                char body[1024], text[1100];
                int r;

                fake_web_expand(f, rows[i].config, body, sizeof(body));
                snprintf(text, sizeof(text), "[web]\n%s\n", body);
                r = config_parse_string("test", text, strlen(text), &config, &errors);
                if (r < 0)
                        fail_msg("%s", errors.text[0]);
                r = web_settings_read(config, &s, &err);
                if ((r < 0) != (rows[i].why != NULL))
                        fail_msg("%s: %d %s", text, r, err.text);
                if (rows[i].why && !strstr(err.text, rows[i].why))
                        fail_msg("%s: '%s' does not say '%s'", text, err.text, rows[i].why);
                if (r >= 0)
                        web_settings_done(&s);
                config_free(config);
                config_errors_done(&errors);
        }
        fake_web_free(f);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(paths_and_methods),           cmocka_unit_test(healthz_says_why_not),
                cmocka_unit_test(a_silent_brain_is_unknown_everywhere), cmocka_unit_test(what_is_wrong_comes_first),
                cmocka_unit_test(many_of_one_cause_share_a_card),
                cmocka_unit_test(text_from_outside_stays_text), cmocka_unit_test(refresh_is_a_small_number),
                cmocka_unit_test(other_names_are_not_answered), cmocka_unit_test(a_token_is_wanted),
                cmocka_unit_test(listen_addresses),            cmocka_unit_test(unsafe_settings_are_refused),
        };

        return cmocka_run_group_tests_name("web_answer", tests, NULL, NULL);
}
