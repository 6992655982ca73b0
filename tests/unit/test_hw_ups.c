/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The check "ups" against an upsd of our own: a child on a loopback port that sends prepared bytes.
 * (tests/integration/nut.py asks a real upsd.) */

#include <arpa/inet.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "fake_judge.h"

static const struct check *ups(void)
{
        return check_by_name("ups");
}

struct upsd {
        pid_t pid;
        int port;
};

/* Answers each connection with these bytes and hangs up. */
static struct upsd upsd_start(const char *reply)
{
        struct sockaddr_in sa = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t len = sizeof(sa);
        struct upsd u;
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_true(fd >= 0);
        assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
        assert_int_equal(listen(fd, 8), 0);
        assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
        u.port = ntohs(sa.sin_port);
        u.pid = fork();
        if (u.pid == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                for (;;) {
                        int c = accept(fd, NULL, NULL);
                        char line[256];

                        if (c < 0 || read(c, line, sizeof(line)) <= 0)
                                continue;
                        if (write(c, reply, strlen(reply)) < 0)
                                _exit(1);
                        shutdown(c, SHUT_WR);
                        while (read(c, line, sizeof(line)) > 0)
                                ;
                        close(c);
                }
        }
        close(fd);
        return u;
}

static void upsd_stop(struct upsd *u)
{
        kill(u->pid, SIGKILL);
        waitpid(u->pid, NULL, 0);
}

static struct fake_env *env_for(const char *connect)
{
        struct fake_env *f = fake_env_new();
        struct config_errors errors = { 0 };
        struct config *config;
        char text[256];

        snprintf(text, sizeof(text), "[ups]\nconnect = %s\n", connect);
        assert_int_equal(config_parse_string("test", text, strlen(text), &config, &errors), 0);
        config_free((struct config *)f->env.config);
        f->env.config = config;
        return f;
}

static enum result ask(struct fake_env **ret, struct upsd *u, struct fake_judge *j, int64_t now_s)
{
        char name[64];
        enum result r;

        snprintf(name, sizeof(name), "rack@127.0.0.1:%d", u->port);
        *ret = env_for(name);
        r = fake_run(*ret, ups(), name);
        if (j)
                fake_judge_step(j, ups(), *ret, now_s);
        return r;
}

#define BEGIN "BEGIN LIST VAR rack\n"
#define VAR(name, value) "VAR rack " name " \"" value "\"\n"
#define END "END LIST VAR rack\n"

static void nothing_configured_is_no_instance(void **state UNUSED)
{
        struct fake_env *f = fake_env_new();
        struct instance_list list = { 0 };

        assert_int_equal(ups()->discover(&f->env, &list), 0);
        assert_int_equal(list.n, 0);
        fake_env_free(f);

        f = env_for("good@localhost noat");
        assert_int_equal(ups()->discover(&f->env, &list), -EINVAL);
        assert_int_equal(list.n, 1); /* the good one is watched all the same */
        assert_non_null(strstr(f->env.why.text, "'noat' is not of the form name@host"));
        instance_list_done(&list);
        fake_env_free(f);
}

static void values_have_units_and_bounds(void **state UNUSED)
{
        struct upsd u = upsd_start(BEGIN VAR("ups.status", "OL CHRG") VAR("battery.charge", "87") VAR("battery.runtime", "1864")
                                   VAR("ups.load", "23") VAR("input.voltage", "nonsense") VAR("output.voltage", "99999")
                                   VAR("ups.model", "Smart \\\"X\\\" 1500") VAR("device.serial", "S1") END);
        struct fake_env *f;

        assert_int_equal(ask(&f, &u, NULL, 0), RESULT_OK);
        assert_true(fabs(fake_find(f, "ups_battery_charge_ratio", "")->value - 0.87) < 1e-9);
        assert_true(fake_find(f, "ups_battery_runtime_seconds", "judged=no")->value == 1864);
        assert_true(fabs(fake_find(f, "ups_load_ratio", "")->value - 0.23) < 1e-9);
        assert_true(fake_find(f, "ups_status", "flag=OL,")->value == 1);
        assert_true(fake_find(f, "ups_status", "flag=OB,")->value == 0);
        assert_non_null(strstr(fake_find(f, "ups_info", "")->labels, "model=Smart \"X\" 1500"));
        for (size_t i = 0; i < f->n; i++) {
                assert_string_not_equal(f->samples[i].metric, "ups_input_voltage_volts");
                assert_string_not_equal(f->samples[i].metric, "ups_output_voltage_volts");
        }
        fake_env_free(f);
        upsd_stop(&u);
}

static void flags_become_levels(void **state UNUSED)
{
        static const struct {
                const char *reply, *rule;
                enum level level;
        } rows[] = {
                { BEGIN VAR("ups.status", "OL") END, NULL, LEVEL_OK },
                { BEGIN VAR("ups.status", "OL BOOST") END, NULL, LEVEL_OK },
                { BEGIN VAR("ups.status", "OB DISCHRG") VAR("battery.runtime", "3000") END, "ups-on-battery", LEVEL_WARNING },
                { BEGIN VAR("ups.status", "OB LB") END, "ups-battery-low", LEVEL_CRITICAL },
                { BEGIN VAR("ups.status", "OB") VAR("battery.runtime", "299") END, "ups-runtime-short", LEVEL_CRITICAL },
                { BEGIN VAR("ups.status", "OL") VAR("battery.runtime", "299") END, NULL, LEVEL_OK },
                { BEGIN VAR("ups.status", "OL LB CHRG") END, "ups-battery-not-ready", LEVEL_WARNING },
                { BEGIN VAR("ups.status", "OL RB") END, "ups-replace-battery", LEVEL_WARNING },
                { BEGIN VAR("ups.status", "CAL OB LB DISCHRG") END, NULL, LEVEL_OK }, /* a self-test */
                { BEGIN VAR("ups.status", "FSD OB LB") END, "ups-forced-shutdown", LEVEL_CRITICAL },
                { BEGIN VAR("ups.status", "OFF") END, NULL, LEVEL_OK }, /* it never was on: a spare */
                { BEGIN VAR("ups.status", "OL OVER") END, "ups-overload", LEVEL_WARNING },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct upsd u = upsd_start(rows[i].reply);
                struct fake_judge j = { 0 };

                for (int t = 0; t <= 600; t += 300) {
                        struct fake_env *f;

                        assert_int_equal(ask(&f, &u, &j, t), RESULT_OK);
                        fake_env_free(f);
                }
                if (fake_judge_level(&j, rows[i].rule, "") != rows[i].level) {
                        fake_judge_print(&j);
                        fail_msg("row %zu: level %s, wanted %s", i, level_name(fake_judge_level(&j, rows[i].rule, "")), level_name(rows[i].level));
                }
                fake_judge_done(&j);
                upsd_stop(&u);
        }
}

static void bad_answers_are_never_ok(void **state UNUSED)
{
        static const struct {
                const char *reply;
                enum result result;
                const char *why;
        } rows[] = {
                { "ERR DATA-STALE\n", RESULT_FAILED, "Data stale" },
                { "ERR DRIVER-NOT-CONNECTED\n", RESULT_FAILED, "Driver not connected" },
                { "ERR UNKNOWN-UPS\n", RESULT_DENIED, "Unknown UPS" },
                { "ERR ACCESS-DENIED\n", RESULT_DENIED, "Access denied" },
                { "", RESULT_FAILED, "upsd" },
                { "HTTP/1.1 400 Bad Request\r\n\r\n", RESULT_FAILED, "upsd" },
                { BEGIN VAR("ups.status", "OL"), RESULT_FAILED, "in the middle" }, /* cut off: not believed */
                { BEGIN END, RESULT_FAILED, "no ups.status" },
                { BEGIN VAR("ups.status", "WAIT") END, RESULT_FAILED, "'WAIT'" },
                { BEGIN "VAR rack ups.status\n" END, RESULT_FAILED, "upsd" },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct upsd u = upsd_start(rows[i].reply);
                struct fake_env *f;
                enum result r = ask(&f, &u, NULL, 0);

                if (r != rows[i].result || !strstr(f->env.why.text, rows[i].why))
                        fail_msg("row %zu: %s, %s", i, result_name(r), f->env.why.text);
                assert_int_equal(f->n, 0);
                fake_env_free(f);
                upsd_stop(&u);
        }
}

static void nobody_there_is_failed(void **state UNUSED)
{
        struct upsd u = upsd_start("");
        struct fake_env *f;

        upsd_stop(&u); /* the port is free again */
        assert_int_equal(ask(&f, &u, NULL, 0), RESULT_FAILED);
        assert_non_null(strstr(f->env.why.text, "cannot be reached"));
        fake_env_free(f);
}

static void tables_are_complete(void **state UNUSED)
{
        fake_check_tables(ups());
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(tables_are_complete),
                cmocka_unit_test(nothing_configured_is_no_instance),
                cmocka_unit_test(values_have_units_and_bounds),
                cmocka_unit_test(flags_become_levels),
                cmocka_unit_test(bad_answers_are_never_ok),
                cmocka_unit_test(nobody_there_is_failed),
        };

        signal(SIGPIPE, SIG_IGN);
        return cmocka_run_group_tests_name("hw_ups", tests, NULL, NULL);
}
