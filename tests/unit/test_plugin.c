/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Plugins: how Nagios output is read, and real scripts that behave in every way, run as veille-probe runs them. */

#include <signal.h>
#include <time.h>

#include "foreign.h"
#include "nagios.h"
#include "plugin.h"
#include "probe.h"
#include "test.h"

#include "fake_env.h"

static void test_perfdata(void **state UNUSED)
{
        static const char text[] = "DISK OK - free|/=1024MiB;;;0;2048 'a ''b'=5%;;; n=7c t=250ms\nlong text\nmore|d=3us e=U f=nan g=1,5 =1 "
                                   "temp=41.5C;50 n=8c h=-1c i=1e400 j=0x10 'k l=3";
        static const struct {
                const char *label, *metric, *unit;
                double value;
        } want[] = {
                { "/", "plugin_bytes", "", 1073741824.0 }, { "a 'b", "plugin_ratio", "", 0.05 }, { "n", "plugin_count_total", "", 7 },
                { "t", "plugin_seconds", "", 0.25 },       { "d", "plugin_seconds", "", 3e-6 },  { "temp", "plugin_value", "C", 41.5 },
                { "j", "plugin_value", "x10", 0 },
        };
        struct nagios_output o;
        struct errinfo err = { 0 };
        size_t n = 0;

        assert_int_equal(nagios_parse(text, sizeof(text) - 1, &o, &err), 0);
        assert_string_equal(o.text, "DISK OK - free");
        for (size_t i = 0; i < o.n_values; i++) {
                if (streq(o.values[i].label, "g"))
                        continue;
                if (n >= ARRAY_LEN(want))
                        fail_msg("%s=%g %s", o.values[i].label, o.values[i].value, o.values[i].unit);
                assert_string_equal(o.values[i].label, want[n].label);
                assert_string_equal(o.values[i].metric, want[n].metric);
                assert_string_equal(o.values[i].unit, want[n].unit);
                assert_true(fabs(o.values[i].value - want[n].value) < 1e-9 * (1 + fabs(want[n].value)));
                n++;
        }
        assert_int_equal(n, ARRAY_LEN(want));
        assert_true(o.ignored >= 5);
}

static void test_no_answer(void **state UNUSED)
{
        static const struct {
                const char *text;
                size_t len;
        } rows[] = { { "", 0 }, { " \n\n", 3 }, { "|a=1", 4 }, { "OK\0OK", 5 }, { "OK \001\002", 5 } };
        struct nagios_output o;

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct errinfo err = { 0 };

                assert_int_equal(nagios_parse(rows[i].text, rows[i].len, &o, &err), -EINVAL);
                assert_true(err.text[0]);
        }
}

static void test_contradiction(void **state UNUSED)
{
        static const struct {
                const char *text;
                bool contradicts;
        } rows[] = {
                { "OK - all is well", false },          { "DISK CRITICAL - full", true },   { "CRITICAL: x", true },
                { "LOAD WARNING - x", true },           { "NTP UNKNOWN", true },            { "APT OK: 0 CRITICAL", false },
                { "0 CRITICAL, 0 WARNING", false },     { "no errors, nothing CRITICAL", false }, { "[CRITICAL] x", true },
                { "critical updates: none", false },    { "", false },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
                if (nagios_contradicts(NAGIOS_OK, rows[i].text) != rows[i].contradicts)
                        fail_msg("%s", rows[i].text);
        assert_false(nagios_contradicts(NAGIOS_CRITICAL, "DISK CRITICAL"));
}

/* --- scripts -------------------------------------------------------------------------------------------- */

static void script(struct fake_env *f, const char *body)
{
        char path[128], text[8192];

        snprintf(text, sizeof(text), "#!/bin/sh\n%s\n", body);
        fake_file(f, "plugin", text);
        snprintf(path, sizeof(path), "%s/plugin", f->dir);
        assert_int_equal(chmod(path, 0755), 0);
        assert_int_equal(chmod(f->dir, 0755), 0);
}

static void configure(struct fake_env *f, const char *text)
{
        struct config_errors errors;
        struct config *c = NULL;

        config_free((struct config *)f->env.config);
        if (config_parse_string("test", text, strlen(text), &c, &errors) < 0)
                fail_msg("%s", errors.text[0]);
        f->env.config = c;
}

static enum result run_plugin(struct fake_env *f, const char *check, const char *instance)
{
        struct instance i = { 0 };
        struct plugin *plugins = plugins_load(&f->env, check);
        const struct check *c = plugins_find(plugins, check);
        enum result result;

        assert_non_null(c);
        snprintf(i.name, sizeof(i.name), "%s", instance);
        f->env.check = c;
        f->env.why.text[0] = f->env.said[0] = '\0';
        f->n = 0;
        result = c->run(&f->env, &i);
        plugins_free(plugins);
        return result;
}

static int as_root(void **state)
{
        *state = fake_env_new();
        return 0;
}

static int tidy(void **state)
{
        fake_env_free(*state);
        return 0;
}

#define NEEDS_ROOT()                                                              \
        do {                                                                      \
                if (geteuid() != 0) {                                             \
                        print_message("needs root: plugins must belong to it\n"); \
                        skip();                                                   \
                }                                                                 \
        } while (0)

static void test_nagios_scripts(void **state)
{
        static const struct {
                const char *body;
                enum result result;
                double status;
                const char *says;
        } rows[] = {
                { "echo 'X OK - fine|a=1s'", RESULT_OK, 0, "X OK - fine" },
                { "echo 'X WARNING - soon'; exit 1", RESULT_OK, 1, "X WARNING - soon" },
                { "echo 'X CRITICAL - now'; exit 2", RESULT_OK, 2, "X CRITICAL - now" },
                { "echo 'X UNKNOWN - no idea'; exit 3", RESULT_FAILED, NAN, "X UNKNOWN - no idea" },
                { "echo 'X OK'; exit 4", RESULT_FAILED, NAN, "exit status 4" },
                { "echo trouble >&2; exit 255", RESULT_FAILED, NAN, "trouble" },
                { "exit 0", RESULT_FAILED, NAN, "printed nothing" },
                { "exit 2", RESULT_FAILED, NAN, "printed nothing" },
                { "printf '\\000\\001\\002'", RESULT_FAILED, NAN, "no text" },
                { "echo 'DISK CRITICAL - full' | cat; exit 0", RESULT_FAILED, NAN, "it says: DISK CRITICAL" },
                { "kill -9 $$", RESULT_FAILED, NAN, "signal 9" },
                { "sleep 30", RESULT_TIMEOUT, NAN, "has not ended within 1 s" },
                { "echo 'X OK'; sleep 30", RESULT_TIMEOUT, NAN, "has not ended within 1 s" },
                { "exec yes OK", RESULT_FAILED, NAN, "more than 64 KiB" },
                { "head -c 1073741824 /dev/zero", RESULT_FAILED, NAN, "more than 64 KiB" },
                { "yes error >&2 & echo 'X OK'", RESULT_OK, 0, "X OK" },
                { "(trap '' TERM HUP; sleep 30) & echo 'X OK'", RESULT_OK, 0, "X OK" },
                { "[ \"$(id -u)\" != 0 ] && echo \"OK - $(id -un)\"", RESULT_OK, 0, "OK - " },
                { "read line || echo \"OK nothing to read\"", RESULT_OK, 0, "OK nothing to read" },
                { "[ -z \"$SECRET\" ] && echo OK clean", RESULT_OK, 0, "OK clean" },
        };
        struct fake_env *f = *state;

        NEEDS_ROOT();
        setenv("SECRET", "x", 1);
        configure(f, "[plugin x]\nnagios = /plugin -w 5,4 'a b'\ntimeout = 1s\n");
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                enum result r;

                script(f, rows[i].body);
                r = run_plugin(f, "x", "x");
                if (r != rows[i].result || !strstr(r == RESULT_OK ? f->env.said : f->env.why.text, rows[i].says))
                        fail_msg("%s: %s, '%s' '%s'", rows[i].body, result_name(r), f->env.said, f->env.why.text);
                if (r == RESULT_OK)
                        assert_true(fake_find(f, "plugin_status", "")->value == rows[i].status);
                else
                        assert_int_equal(f->n, 0);
        }
        /* Arguments arrive as they were written. */
        script(f, "[ \"$1$2$3$4\" = '-w5,4a b' ] && echo OK");
        assert_int_equal(run_plugin(f, "x", "x"), RESULT_OK);
}

static void test_nothing_stays(void **state)
{
        struct fake_env *f = *state;
        char pid[32] = "", path[128];
        FILE *file;

        NEEDS_ROOT();
        configure(f, "[plugin x]\nnagios = /plugin\ntimeout = 1s\n");
        snprintf(path, sizeof(path), "%s/pid", f->dir);
        fake_file(f, "pid", "");
        assert_int_equal(chmod(path, 0666), 0);
        /* Out of the process group and out of the session. */
        script(f, "setsid sh -c 'echo $$ > \"${0%/*}/pid\"; exec sleep 77' \"$0\" & sleep 0.3; echo 'X OK'");
        assert_int_equal(run_plugin(f, "x", "x"), RESULT_OK);
        file = fopen(path, "r");
        assert_non_null(file);
        assert_non_null(fgets(pid, sizeof(pid), file));
        fclose(file);
        assert_int_equal(kill((pid_t)atoi(pid), 0), -1);
}

static void test_refused(void **state)
{
        static const struct {
                mode_t mode;
                uid_t uid;
                const char *says;
        } rows[] = {
                { 0777, 0, "everybody may write it" }, { 0775, 0, "group 12 may write it" }, { 0755, 65534, "not to root" },
                { 0644, 0, "it is no program" },
        };
        struct fake_env *f = *state;
        char path[128], link[128];

        NEEDS_ROOT();
        configure(f, "[plugin x]\nnagios = /plugin\n[plugin y]\nnagios = /link\n[plugin z]\nnagios = /none\n");
        script(f, "echo OK");
        snprintf(path, sizeof(path), "%s/plugin", f->dir);
        snprintf(link, sizeof(link), "%s/link", f->dir);
        assert_int_equal(symlink("plugin", link), 0);
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                assert_int_equal(chown(path, rows[i].uid, 12), 0);
                assert_int_equal(chmod(path, rows[i].mode), 0);
                assert_int_equal(run_plugin(f, "x", "x"), RESULT_DENIED);
                assert_non_null(strstr(f->env.why.text, rows[i].says));
                assert_int_equal(run_plugin(f, "y", "y"), RESULT_DENIED); /* what a link leads to counts */
        }
        assert_int_equal(chmod(path, 0755), 0);
        assert_int_equal(run_plugin(f, "y", "y"), RESULT_OK);
        assert_int_equal(chmod(f->dir, 0777), 0);
        assert_int_equal(run_plugin(f, "x", "x"), RESULT_DENIED);
        assert_int_equal(run_plugin(f, "z", "z"), RESULT_FAILED);
        assert_non_null(strstr(f->env.why.text, "No such file"));
}

#define CATALOG "catalog) echo '{\"protocol\":1,\"checks\":[{\"name\":\"x-pump\",\"summary\":\"\",\"interval_s\":30,\"deadline_s\":1," \
                "\"metrics\":[{\"name\":\"pump_volts\",\"kind\":\"gauge\",\"unit\":\"volts\",\"help\":\"h\"}],\"rules\":[]}]}' ;; "
#define SAMPLE "echo '{\"type\":\"sample\",\"metric\":\"pump_volts\",\"value\":12,\"labels\":{\"a\":\"b\"}}'; "
#define END "echo '{\"type\":\"end\",\"result\":\"ok\",\"why\":\"\"}'; "

static void test_program_scripts(void **state)
{
        static const struct {
                const char *run;
                enum result result;
                const char *says;
        } rows[] = {
                { SAMPLE END, RESULT_OK, "" },
                { SAMPLE, RESULT_FAILED, "without an end line" },
                { END, RESULT_FAILED, "measured nothing" },
                { "echo all is well", RESULT_FAILED, "no JSON object" },
                { "echo '[1]'", RESULT_FAILED, "no JSON object" },
                { SAMPLE "printf '{\"type\":\"sam'", RESULT_FAILED, "no JSON object" },
                { SAMPLE END SAMPLE, RESULT_FAILED, "after its end line" },
                { SAMPLE END "exit 1", RESULT_FAILED, "exit status 1" },
                { "echo '{\"type\":\"sample\",\"metric\":\"other\",\"value\":1}'", RESULT_FAILED, "not in its catalogue" },
                { "echo '{\"type\":\"sample\",\"metric\":\"pump_volts\",\"value\":\"1\"}'", RESULT_FAILED, "no number" },
                { "echo '{\"type\":\"sample\",\"metric\":\"pump_volts\",\"value\":1e999}'", RESULT_FAILED, "no JSON object" },
                { "echo '{\"type\":\"end\",\"result\":\"splendid\"}'", RESULT_FAILED, "no result that is known" },
                { "echo '{\"type\":\"end\",\"result\":\"denied\",\"why\":\"no key\"}'", RESULT_DENIED, "no key" },
                { "echo '{\"type\":\"end\",\"result\":\"failed\"}'", RESULT_FAILED, "no reason given" },
                { "sleep 30", RESULT_TIMEOUT, "has not ended within 1 s" },
                { "exec yes '{}'", RESULT_FAILED, "more than 1024 KiB" },
        };
        struct fake_env *f = *state;

        NEEDS_ROOT();
        configure(f, "[plugin x]\nprogram = /plugin\n");
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                char body[4096];
                enum result r;

                snprintf(body, sizeof(body), "case $1 in " CATALOG "run) [ \"$2 $3\" = 'x-pump p1' ] && { %s\n} ;; esac", rows[i].run);
                script(f, body);
                r = run_plugin(f, "x-pump", "p1");
                if (r != rows[i].result || !strstr(f->env.why.text, rows[i].says))
                        fail_msg("%s: %s, '%s'", rows[i].run, result_name(r), f->env.why.text);
        }
}

/* Not silently absent: it stands there as a check that fails. */
static void test_program_without_catalog(void **state)
{
        static const struct {
                const char *body, *says;
        } rows[] = {
                { "echo rubbish", "no JSON" },
                { "exit 1", "exit status 1" },
                { "sleep 30", "has not ended within 2 s" },
                { "echo '{\"protocol\":1,\"checks\":[]}'", "empty" },
                { "echo '{\"protocol\":2,\"checks\":[]}'", "protocol 1" },
                { "echo '{\"protocol\":1,\"checks\":[{\"name\":\"smart\"}]}'", "must be [plugin smart]" },
                { "echo '{\"protocol\":1,\"checks\":[{\"name\":\"x\",\"metrics\":[{\"name\":\"disk_temperature_celsius\",\"kind\":\"counter\"}]}]}'",
                  "disk_temperature_celsius" },
                { "echo '{\"protocol\":1,\"checks\":[{\"name\":\"x\",\"rules\":[{\"name\":\"pending-sectors\",\"metric\":\"a\",\"text\":\"t\"}]}]}'",
                  "must be named x-" },
        };
        struct fake_env *f = *state;

        NEEDS_ROOT();
        configure(f, "[plugin x]\nprogram = /plugin\n");
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                script(f, rows[i].body);
                assert_int_equal(run_plugin(f, "x", "x"), RESULT_FAILED);
                if (!strstr(f->env.why.text, rows[i].says))
                        fail_msg("%s: %s", rows[i].body, f->env.why.text);
        }
}

/* More than are asked at once, all hanging but the last: as long as two rounds take, not twenty. */
static void test_hanging_catalogs_wait_together(void **state)
{
        struct fake_env *f = *state;
        char text[2048] = "";
        struct timespec begin, end;
        struct plugin *plugins;
        size_t n = 0;

        NEEDS_ROOT();
        for (int i = 0; i < 20; i++)
                snprintf(text + strlen(text), sizeof(text) - strlen(text), "[plugin p%d]\nprogram = /plugin %d\n", i, i);
        configure(f, text);
        script(f, "[ $1 = 19 ] || exec sleep 60\n"
                  "echo '{\"protocol\":1,\"checks\":[{\"name\":\"p19\",\"summary\":\"\",\"interval_s\":30,\"deadline_s\":1,\"metrics\":[],\"rules\":[]}]}'");
        clock_gettime(CLOCK_MONOTONIC, &begin);
        plugins = plugins_load(&f->env, NULL);
        clock_gettime(CLOCK_MONOTONIC, &end);
        for (const struct plugin *p = plugins; p; p = p->next, n++) {
                assert_int_equal(p->n_checks, 1);
                if (streq(p->config.name, "p19") != !p->problem[0])
                        fail_msg("%s: '%s'", p->config.name, p->problem);
        }
        assert_int_equal(n, 20);
        assert_true(end.tv_sec - begin.tv_sec < 10);
        plugins_free(plugins);
}

static void test_config(void **state UNUSED)
{
        static const struct {
                const char *text, *says;
        } rows[] = {
                { "[plugin x]\ninterval = 5min\n", "either nagios = or program =" },
                { "[plugin x]\nnagios = /a\nprogram = /b\n", "not both" },
                { "[plugin X]\nnagios = /a\n", "small letters" },
                { "[plugin x]\nprogram = /a\nhard = yes\n", "belongs to nagios" },
                { "[plugin x]\nnagios = /a\ncomponent = a b\n", "no name of a component" },
        };
        static const char *const bad[] = { "[plugin x]\nnagios = check_load\n", "[plugin x]\nnagios = /a | grep b\n",
                                           "[plugin x]\nnagios = /a 'b\n" };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct config_errors errors;
                struct errinfo err = { 0 };
                struct plugin_config p;
                struct config *c;

                assert_int_equal(config_parse_string("t", rows[i].text, strlen(rows[i].text), &c, &errors), 0);
                assert_int_equal(plugin_config_read(c, config_section_names(c, "plugin")[0], &p, &err), -EINVAL);
                if (!strstr(err.text, rows[i].says))
                        fail_msg("%s: %s", rows[i].text, err.text);
                config_free(c);
        }
        for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
                struct config_errors errors;
                struct config *c;

                assert_int_equal(config_parse_string("t", bad[i], strlen(bad[i]), &c, &errors), -EINVAL);
                config_errors_done(&errors);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_perfdata),
                cmocka_unit_test(test_no_answer),
                cmocka_unit_test(test_contradiction),
                cmocka_unit_test(test_config),
                cmocka_unit_test_setup_teardown(test_nagios_scripts, as_root, tidy),
                cmocka_unit_test_setup_teardown(test_nothing_stays, as_root, tidy),
                cmocka_unit_test_setup_teardown(test_refused, as_root, tidy),
                cmocka_unit_test_setup_teardown(test_program_scripts, as_root, tidy),
                cmocka_unit_test_setup_teardown(test_program_without_catalog, as_root, tidy),
                cmocka_unit_test_setup_teardown(test_hanging_catalogs_wait_together, as_root, tidy),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
