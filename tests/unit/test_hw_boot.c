/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

#include <utmp.h>

#include "fake_env.h"

#define UPTIME 600
#define BTIME 1795000000

static const struct check *boot(void)
{
        return check_by_name("boot");
}

static bool has(const struct fake_env *f, const char *metric)
{
        for (size_t i = 0; i < f->n; i++)
                if (streq(f->samples[i].metric, metric))
                        return true;
        return false;
}

/* One letter a record: b a start, s a shutdown, l a login, r a change of runlevel, d a dead process, x rubbish; the last start
 * is at BTIME + 3, each record before it an hour earlier. */
static void put_records(struct fake_env *f, const char *path, const char *letters)
{
        struct utmp u;
        size_t len = strlen(letters), newest = len;
        char full[4200];
        FILE *file;

        for (size_t i = 0; i < len; i++)
                if (letters[i] == 'b')
                        newest = i;
        fake_file(f, path, "");
        snprintf(full, sizeof(full), "%s/%s", f->dir, path);
        file = fopen(full, "w");
        assert_non_null(file);
        for (size_t i = 0; i < len; i++) {
                memset(&u, letters[i] == 'x' ? 0xEE : 0, sizeof(u));
                if (letters[i] != 'x') {
                        u.ut_type = letters[i] == 'b' ? BOOT_TIME : letters[i] == 'l' ? USER_PROCESS : letters[i] == 'd' ? DEAD_PROCESS : RUN_LVL;
                        memcpy(u.ut_user, letters[i] == 'b' ? "reboot" : letters[i] == 's' ? "shutdown" : letters[i] == 'r' ? "runlevel" : "anna",
                               letters[i] == 'b' ? 6 : letters[i] == 'l' || letters[i] == 'd' ? 4 : 8);
                        u.ut_tv.tv_sec = (int32_t)(BTIME + 3 - 3600 * ((long)newest - (long)i));
                }
                assert_int_equal(fwrite(&u, sizeof(u), 1, file), 1);
        }
        fclose(file);
}

static struct fake_env *make_host(const char *older, const char *records)
{
        struct fake_env *f = fake_env_new();
        char text[128];

        snprintf(text, sizeof(text), "cpu  1 2 3\nintr 1\nbtime %d\nprocesses 3\n", BTIME);
        fake_file(f, "proc/uptime", "600.00 1.00\n");
        fake_file(f, "proc/stat", text);
        if (older)
                put_records(f, "var/log/wtmp.1", older);
        if (records)
                put_records(f, "var/log/wtmp", records);
        return f;
}

static void a_start_that_follows_a_start_is_a_crash(void **state UNUSED)
{
        static const struct {
                const char *older, *records;
                double clean;   /* -1: not known */
                double crashes;
                double age;     /* -1: none */
        } rows[] = {
                { NULL, "b", -1, 0, -1 },           /* the first on record: nobody knows what was before */
                { NULL, "bsb", 1, 0, -1 },
                { NULL, "bb", 0, 1, UPTIME - 3 },
                { NULL, "blrdlb", 0, 1, UPTIME - 3 }, /* logins and runlevels between them change nothing */
                { NULL, "blsrldbl", 1, 0, -1 },
                { NULL, "bbsb", 1, 1, UPTIME - 3 + 7200 }, /* it crashed before, and was shut down since */
                { NULL, "bbbb", 0, 3, UPTIME - 3 },
                { NULL, "sb", 1, 0, -1 },
                { "b", "llb", 0, 1, UPTIME - 3 },   /* the file was rotated in between */
                { "bs", "b", 1, 0, -1 },
                { "", "bb", 0, 1, UPTIME - 3 },
                { NULL, "bxxsxb", 1, 0, -1 },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct fake_env *f = make_host(rows[i].older, rows[i].records);

                assert_int_equal(fake_run(f, boot(), "host"), RESULT_OK);
                if (fake_find(f, "boot_crashes", "")->value != rows[i].crashes)
                        fail_msg("%s: %g crashes", rows[i].records, fake_find(f, "boot_crashes", "")->value);
                if (has(f, "boot_clean") != (rows[i].clean >= 0) || (rows[i].clean >= 0 && fake_find(f, "boot_clean", "")->value != rows[i].clean))
                        fail_msg("%s: not %g", rows[i].records, rows[i].clean);
                if (has(f, "boot_crash_age_seconds") != (rows[i].age >= 0) ||
                    (rows[i].age >= 0 && fabs(fake_find(f, "boot_crash_age_seconds", "")->value - rows[i].age) > 1e-9))
                        fail_msg("%s: its age is not %g", rows[i].records, rows[i].age);
                fake_env_free(f);
        }
}

/* Records of a host whose starts nobody notes any more, or of before its clock was set. */
static void only_records_of_this_run_speak_of_it(void **state UNUSED)
{
        static const struct {
                const char *utmp, *btime;
                bool speaks;
        } rows[] = {
                { NULL, "\nbtime 1795000000\n", true },
                { NULL, "\nbtime 1795200000\n", false }, /* two days later: the newest start on record is another one */
                { "same", "\nbtime 1895000000\n", true }, /* the clock was set by years: /run/utmp knows better */
                { "other", "\nbtime 1795000000\n", false },
                { "empty", "\nbtime 1795000000\n", true },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct fake_env *f = make_host(NULL, "bb");

                fake_file(f, "proc/stat", rows[i].btime);
                if (rows[i].utmp)
                        put_records(f, "run/utmp", streq(rows[i].utmp, "same") ? "blll" : streq(rows[i].utmp, "other") ? "sbl" : "");
                if (rows[i].utmp && streq(rows[i].utmp, "other"))
                        put_records(f, "var/log/wtmp", "bbs"); /* and it is said to be down */
                assert_int_equal(fake_run(f, boot(), "host"), RESULT_OK);
                if (has(f, "boot_crash_age_seconds") != rows[i].speaks || has(f, "boot_clean") != rows[i].speaks)
                        fail_msg("row %zu", i);
                fake_env_free(f);
        }
}

static void a_watchdog_says_that_it_was_it(void **state UNUSED)
{
        static const struct {
                const char *status;
                double by; /* -1: nothing is said */
        } rows[] = { { "0\n", 0 }, { "32\n", 1 }, { "33\n", 1 }, { "16\n", 0 }, { "x\n", -1 }, { "", -1 }, { "-1\n", 0 } };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct fake_env *f = make_host(NULL, NULL);
                bool ages = rows[i].by > 0;

                fake_file(f, "sys/class/watchdog/watchdog0/bootstatus", rows[i].status);
                fake_file(f, "sys/class/watchdog/watchdog0/identity", "i6300ESB timer\n");
                assert_int_equal(fake_run(f, boot(), "host"), rows[i].by < 0 ? RESULT_NODATA : RESULT_OK);
                if (has(f, "boot_by_watchdog") != (rows[i].by >= 0) ||
                    (rows[i].by >= 0 && fake_find(f, "boot_by_watchdog", "watchdog=i6300ESB timer")->value != rows[i].by))
                        fail_msg("%s", rows[i].status);
                assert_int_equal(has(f, "boot_by_watchdog_age_seconds"), ages);
                if (ages)
                        assert_true(fake_find(f, "boot_by_watchdog_age_seconds", "i6300ESB timer")->value == UPTIME);
                assert_false(has(f, "boot_crashes"));
                fake_env_free(f);
        }
}

static void a_host_that_notes_nothing_gives_no_data(void **state UNUSED)
{
        struct fake_env *f = make_host(NULL, NULL);
        struct instance_list list = { 0 };

        assert_int_equal(boot()->discover(&f->env, &list), 0);
        assert_int_equal(list.n, 0);
        put_records(f, "var/log/wtmp", "lldd");
        assert_int_equal(fake_run(f, boot(), "host"), RESULT_NODATA);
        assert_non_null(strstr(f->env.why.text, "/var/log/wtmp"));
        fake_env_free(f);
}

static void odd_files_are_no_fault_of_the_host(void **state UNUSED)
{
        static const char *const contents[] = { "", "x", "not made of records at all\n" };
        struct fake_env *f;
        char path[4200];

        for (size_t i = 0; i < ARRAY_LEN(contents); i++) {
                f = make_host(NULL, NULL);
                fake_file(f, "var/log/wtmp", contents[i]);
                assert_int_equal(fake_run(f, boot(), "host"), RESULT_NODATA);
                fake_env_free(f);
        }
        /* Neither a directory nor a pipe is waited for. */
        f = make_host("bb", NULL);
        snprintf(path, sizeof(path), "%s/var/log/wtmp", f->dir);
        assert_int_equal(mkfifo(path, 0600), 0);
        assert_int_equal(fake_run(f, boot(), "host"), RESULT_OK);
        assert_true(fake_find(f, "boot_crashes", "")->value == 1);
        fake_env_free(f);
        /* A last record that is not written to its end is not there yet. */
        f = make_host(NULL, "bsb");
        snprintf(path, sizeof(path), "%s/var/log/wtmp", f->dir);
        assert_int_equal(truncate(path, 3 * (off_t)sizeof(struct utmp) - 1), 0);
        assert_int_equal(fake_run(f, boot(), "host"), RESULT_OK);
        assert_false(has(f, "boot_clean"));
        fake_env_free(f);
        /* A kernel that does not say since when it runs. */
        f = make_host(NULL, "bb");
        fake_file(f, "proc/stat", "cpu 1 2 3\n");
        assert_int_equal(fake_run(f, boot(), "host"), RESULT_FAILED);
        fake_env_free(f);
}

/* More than is read: the end counts. */
static void a_long_file_is_read_from_its_end(void **state UNUSED)
{
        size_t n = 11000; /* 4.03 MiB */
        char *letters = malloc(n + 4);
        struct fake_env *f;

        memset(letters, 'l', n);
        letters[0] = letters[1] = 'b'; /* a crash of long ago, beyond */
        strcpy(letters + n, "bsb");
        f = make_host(NULL, letters);
        assert_int_equal(fake_run(f, boot(), "host"), RESULT_OK);
        assert_true(fake_find(f, "boot_crashes", "")->value == 0);
        assert_true(fake_find(f, "boot_clean", "")->value == 1);
        fake_env_free(f);
        free(letters);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_start_that_follows_a_start_is_a_crash),
                cmocka_unit_test(only_records_of_this_run_speak_of_it),
                cmocka_unit_test(a_watchdog_says_that_it_was_it),
                cmocka_unit_test(a_host_that_notes_nothing_gives_no_data),
                cmocka_unit_test(odd_files_are_no_fault_of_the_host),
                cmocka_unit_test(a_long_file_is_read_from_its_end),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
