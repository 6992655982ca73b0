/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

#include "fake_env.h"

static const char *output;
static int result_of_cmd, exit_status;
static char asked[64];

static int fake_cmd(struct env *env UNUSED, const char *const argv[], int deadline_s, size_t max_out, struct cmd_result *ret)
{
        assert_string_equal(argv[0], "/usr/bin/systemctl");
        assert_true(deadline_s < check_by_name("mail-unit")->desc.deadline_s && max_out > 0);
        snprintf(asked, sizeof(asked), "%s", argv[4]);
        assert_null(argv[5]);
        if (result_of_cmd < 0)
                return result_of_cmd;
        *ret = (struct cmd_result){ .exit_status = exit_status, .out = strdup(output), .out_len = strlen(output), .err_text = strdup("no bus") };
        return 0;
}

static struct fake_env *host(void)
{
        struct fake_env *f = fake_env_new();

        fake_file(f, "run/systemd/system/x", "");
        fake_file(f, "usr/lib/systemd/system/postfix.service", "");
        fake_file(f, "lib/systemd/system/postfix@.service", "");
        fake_file(f, "etc/systemd/system/rspamd.service", "");
        fake_file(f, "usr/lib/systemd/system/sshd.service", "");
        f->env.run_cmd = fake_cmd;
        result_of_cmd = exit_status = 0;
        return f;
}

static void only_known_services_with_a_unit_file(void **state UNUSED)
{
        struct fake_env *f = host();
        struct instance_list list = { 0 };

        assert_int_equal(check_by_name("mail-unit")->discover(&f->env, &list), 0);
        assert_int_equal(list.n, 3);
        assert_string_equal(list.items[0].name, "postfix");
        assert_string_equal(list.items[1].name, "postfix@-");
        assert_string_equal(list.items[2].name, "rspamd");
        assert_string_equal(list.items[0].kind, "service");
        instance_list_done(&list);
        fake_env_free(f);
}

static void another_init_has_none(void **state UNUSED)
{
        struct fake_env *f = fake_env_new();
        struct instance_list list = { 0 };

        fake_file(f, "usr/lib/systemd/system/postfix.service", "");
        assert_int_equal(check_by_name("mail-unit")->discover(&f->env, &list), 0);
        assert_int_equal(list.n, 0);
        fake_env_free(f);
}

static void states(void **state UNUSED)
{
        static const struct {
                const char *output;
                enum result result;
                double active, failed, restarts; /* -1: no such sample */
        } rows[] = {
                { "LoadState=loaded\nActiveState=active\nResult=success\nNRestarts=2\n", RESULT_OK, 1, 0, 2 },
                { "NRestarts=0\nResult=exit-code\nActiveState=failed\nLoadState=loaded\n", RESULT_OK, 0, 1, 0 },
                { "LoadState=loaded\nActiveState=inactive\nResult=success\nNRestarts=0\n", RESULT_OK, 0, 0, 0 },
                { "LoadState=loaded\nActiveState=activating\n", RESULT_OK, 0, 0, -1 },
                { "LoadState=loaded\nActiveState=active\nNRestarts=many\n", RESULT_OK, 1, 0, -1 },
                { "LoadState=not-found\nActiveState=inactive\n", RESULT_NODATA, -1, -1, -1 },
                { "LoadState=masked\nActiveState=inactive\n", RESULT_NODATA, -1, -1, -1 },
                { "", RESULT_FAILED, -1, -1, -1 },
                { "XActiveState=failed\n", RESULT_FAILED, -1, -1, -1 },
        };
        struct fake_env *f = host();

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                output = rows[i].output;
                if (fake_run(f, check_by_name("mail-unit"), "postfix@-") != rows[i].result)
                        fail_msg("row %zu: %s", i, f->env.why.text);
                assert_string_equal(asked, "postfix@-.service");
                assert_int_equal(f->n, rows[i].active < 0 ? 0 : rows[i].restarts < 0 ? 2 : 3);
                if (rows[i].active < 0)
                        continue;
                assert_true(fake_find(f, "mail_unit_active", "unit=postfix@-")->value == rows[i].active);
                assert_true(fake_find(f, "mail_unit_failed", "carries=yes")->value == rows[i].failed);
                if (rows[i].restarts >= 0)
                        assert_true(fake_find(f, "mail_unit_restarts_total", "")->value == rows[i].restarts);
        }
        output = rows[1].output;
        assert_int_equal(fake_run(f, check_by_name("mail-unit"), "rspamd"), RESULT_OK);
        assert_true(fake_find(f, "mail_unit_failed", "carries=no,result=exit-code")->value == 1);
        fake_env_free(f);
}

static void a_systemd_that_does_not_answer(void **state UNUSED)
{
        struct fake_env *f = host();

        output = "";
        result_of_cmd = -ETIME;
        assert_int_equal(fake_run(f, check_by_name("mail-unit"), "postfix"), RESULT_TIMEOUT);
        assert_non_null(strstr(f->env.why.text, "has not answered"));
        result_of_cmd = -ENOENT;
        assert_int_equal(fake_run(f, check_by_name("mail-unit"), "postfix"), RESULT_NODATA);
        result_of_cmd = 0;
        exit_status = 1;
        assert_int_equal(fake_run(f, check_by_name("mail-unit"), "postfix"), RESULT_FAILED);
        assert_non_null(strstr(f->env.why.text, "no bus"));
        fake_env_free(f);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(only_known_services_with_a_unit_file),
                cmocka_unit_test(another_init_has_none),
                cmocka_unit_test(states),
                cmocka_unit_test(a_systemd_that_does_not_answer),
        };

        return cmocka_run_group_tests_name("mail_unit", tests, NULL, NULL);
}
