/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* [alert], [contact NAME], [sink NAME]: what is taken, what is refused with a sentence, what is warned of. */

#include "test.h"

#include "alert_config.h"

static struct config *parse(const char *text)
{
        struct config_errors errors = { 0 };
        struct config *c = NULL;

        if (config_parse_string("test.conf", text, strlen(text), &c, &errors) < 0)
                fail_msg("%s", errors.n ? errors.text[0] : "no reason");
        config_errors_done(&errors);
        return c;
}

#define MAIL "[sink mail]\ntype = mail\nto = ann@example.org\nrelay = smtp://relay.example.org:587\n"
#define HOOK "[sink hook]\ntype = webhook\nurl = https://chat.example.org/x\n"

static void what_is_said_is_taken(void **state UNUSED)
{
        struct config *c = parse(MAIL "tls = required\nuser = veille\npassword_file = /etc/veille/password\n" HOOK
                                 "[contact oncall]\nsinks = mail, hook\nlanguage = fr\n"
                                 "[contact boss]\nsinks = mail\nlevel = critical\nstep = 1\ncomponents = sd* md0\n"
                                 "[contact nobody]\nlevel = notice\n[alert]\nescalate_after = 30min\n");
        struct alert_config a;
        struct errinfo err = { 0 };
        enum sink_type type;
        json_t *doc;

        if (alert_config_read(c, &a, &err) < 0)
                fail_msg("%s", err.text);
        assert_int_equal(a.n_contacts, 2); /* without sinks nobody is told */
        assert_string_equal(a.contacts[0].contact.name, "oncall");
        assert_int_equal(a.contacts[0].contact.level, LEVEL_WARNING);
        assert_int_equal(a.contacts[0].language, ALERT_FR);
        assert_int_equal(a.contacts[0].n_sinks, 2);
        assert_string_equal(a.contacts[0].sinks[1], "hook");
        assert_int_equal(a.contacts[1].contact.step, 1);
        assert_string_equal(a.contacts[1].contact.components, "sd* md0");
        assert_int_equal(a.escalate_us, 1800 * USEC_PER_SEC);
        doc = sink_config_json(c, "mail", &type, &err);
        assert_non_null(doc);
        assert_int_equal(type, SINK_MAIL);
        assert_string_equal(json_string_value(json_array_get(json_object_get(doc, "relay"), 0)), "smtp://relay.example.org:587");
        assert_string_equal(json_string_value(json_object_get(doc, "password_file")), "/etc/veille/password");
        assert_int_equal(json_integer_value(json_object_get(doc, "timeout")), 30);
        json_decref(doc);
        config_free(c);
}

static void what_makes_no_sense_is_refused_with_its_place(void **state UNUSED)
{
        static const struct {
                const char *text, *sentence;
        } rows[] = {
                { "[sink x]\ntype = mail\nto = ann@example.org\n", "needs relay" },
                { "[sink x]\ntype = webhook\n", "needs url" },
                { "[sink x]\ntype = exec\n", "needs command" },
                { "[sink x]\ntype = mail\nto = ann\nrelay = smtp://r\n", "'ann' is no address" },
                { "[sink x]\ntype = mail\nto = a@b \"a>@b\"\nrelay = smtp://r\n", "is no address" },
                { "[sink x]\ntype = mail\nto = a@b\nrelay = mail.example.org\n", "is no relay like" },
                { "[sink x]\ntype = mail\nto = a@b\nrelay = smtp://r\nuser = u\n", "without password_file" },
                { "[sink x]\ntype = mail\nto = a@b\nrelay = smtp://r\nuser = u\npassword_file = /p\ntls = try\n", "only sent with tls = required" },
                { "[sink x]\ntype = webhook\nurl = ftp://x/\n", "is no URL" },
                { "[sink x]\ntype = journal\nurl = https://x/\n", "means nothing for type = journal" },
                { "[sink x]\nurl = https://x/\n[contact a]\nsinks = x\n", "no [sink x] with a type" },
                { HOOK "[contact a]\nsinks = hook hok\n", "no [sink hok]" },
                { "[sink am]\ntype = alertmanager\nurl = http://am:9093\n[contact a]\nsinks = am\n", "gets every alert by itself" },
                { "[sink Big Name]\ntype = journal\n", "small letters" },
                { HOOK "[contact a/b]\nsinks = hook\n", "small letters" },
                { HOOK "[contact a]\nsinks = hook hook hook hook hook hook hook hook hook\n", "more than 8 sinks" },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct config *c = parse(rows[i].text);
                struct errinfo err = { 0 };

                if (alert_config_read(c, NULL, &err) != -EINVAL || !strstr(err.text, rows[i].sentence))
                        fail_msg("row %zu: '%s', wanted '%s'", i, err.text, rows[i].sentence);
                config_free(c);
        }
}

static void too_many_contacts_are_refused(void **state UNUSED)
{
        char text[4096] = HOOK;
        size_t len = strlen(text);
        struct errinfo err = { 0 };
        struct config *c;

        for (int i = 0; i <= ALERT_CONTACTS_MAX; i++)
                len += (size_t)snprintf(text + len, sizeof(text) - len, "[contact c%d]\nsinks = hook\n", i);
        c = parse(text);
        assert_int_equal(alert_config_read(c, NULL, &err), -EINVAL);
        config_free(c);
}

static void ways_out_that_are_none_are_warned_of(void **state UNUSED)
{
        static const char *const hosts[] = { "mx1.example.org", "mx1", NULL };
        static const struct {
                const char *text, *advice; /* "": nothing */
        } rows[] = {
                { "", "nobody is told" },
                { MAIL "[contact a]\nsinks = mail\n", "" },
                { "[sink am]\ntype = alertmanager\nurl = http://am:9093\n", "" },
                { "[sink am]\ntype = alertmanager\nurl = http://localhost:9093\n", "no message leaves this host" },
                { "[sink m]\ntype = mail\nto = a@b\nrelay = smtp://localhost smtp://127.0.0.1:25 smtp://[::1]:25 smtp://MX1.example.org\n"
                  "[contact a]\nsinks = m\n", "the only way out is this host's own mail" },
                { "[sink m]\ntype = mail\nto = a@mx1.example.org\nrelay = mx\n[contact a]\nsinks = m\n", "the only way out is this host's own mail" },
                { "[sink m]\ntype = mail\nto = a@mx1.example.org b@example.net\nrelay = mx\n[contact a]\nsinks = m\n", "" },
                { "[sink m]\ntype = mail\nto = a@b\nrelay = smtp://localhost smtp://other.example.org\n[contact a]\nsinks = m\n", "" },
                { "[sink j]\ntype = journal\n[contact a]\nsinks = j\n", "no message leaves this host" },
                { "[sink j]\ntype = journal\n" HOOK "[contact a]\nsinks = j\n[contact b]\nsinks = hook\n", "[contact a]: its only way out" },
                { "[sink e]\ntype = exec\ncommand = /usr/local/bin/tell\n[contact a]\nsinks = e\n", "" },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct config *c = parse(rows[i].text);
                char advice[512];

                alert_config_advice(c, hosts, advice, sizeof(advice));
                if (*rows[i].advice ? !strstr(advice, rows[i].advice) : *advice != '\0')
                        fail_msg("row %zu: '%s', wanted '%s'", i, advice, rows[i].advice);
                config_free(c);
        }
}

static void names_to_look_up_are_found_in_urls(void **state UNUSED)
{
        static const struct {
                const char *url, *host; /* NULL: nothing to look up */
                int port;
        } rows[] = {
                { "smtp://relay.example.org", "relay.example.org", 25 }, { "smtp://relay.example.org:587", "relay.example.org", 587 },
                { "smtps://relay.example.org", "relay.example.org", 465 }, { "https://chat.example.org/a:b?c", "chat.example.org", 443 },
                { "http://am:9093", "am", 9093 }, { "http://127.0.0.1:9093", NULL, 0 }, { "http://[::1]:9093", NULL, 0 },
                { "http://localhost:9093", NULL, 0 }, { "http://am:0", NULL, 0 }, { "http://am:99999", NULL, 0 }, { "https://user@host/", NULL, 0 },
                { "ftp://host/", NULL, 0 }, { "", NULL, 0 },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                char host[64] = "";
                int port = 0;
                bool found = sink_url_host(rows[i].url, host, sizeof(host), &port);

                if (found != (rows[i].host != NULL) || (found && (!streq(host, rows[i].host) || port != rows[i].port)))
                        fail_msg("%s: %s:%d", rows[i].url, host, port);
        }
}

static void of_a_url_only_the_host_is_shown(void **state UNUSED)
{
        static const char *const rows[][2] = {
                { "https://chat.example.org/services/T0/B0/x?token=y", "https://chat.example.org/..." },
                { "http://am:9093", "http://am:9093" },
                { "http://am:9093/", "http://am:9093" },
                { "http://ann:secret@host:1/x", "http://...@host:1/..." },
                { "http://a@b@host?x", "http://...@host/..." },
                { "smtps://mail.example.org", "smtps://mail.example.org" },
                { "mx", "mx" },
                { "", "" },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                char shown[100];

                sink_url_shown(rows[i][0], shown, sizeof(shown));
                assert_string_equal(shown, rows[i][1]);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_said_is_taken),
                cmocka_unit_test(what_makes_no_sense_is_refused_with_its_place),
                cmocka_unit_test(too_many_contacts_are_refused),
                cmocka_unit_test(of_a_url_only_the_host_is_shown),
                cmocka_unit_test(names_to_look_up_are_found_in_urls),
                cmocka_unit_test(ways_out_that_are_none_are_warned_of),
        };

        return cmocka_run_group_tests_name("alert_config", tests, NULL, NULL);
}
