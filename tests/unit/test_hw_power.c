/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

#include "fake_judge.h"

static const struct check *power(void)
{
        return check_by_name("power");
}

static void supply(struct fake_env *f, const char *name, const char *attribute, const char *value)
{
        char path[128], text[64];

        snprintf(path, sizeof(path), "sys/class/power_supply/%s/%s", name, attribute);
        snprintf(text, sizeof(text), "%s\n", value);
        fake_file(f, path, text);
}

static void poll_all(struct fake_env *f, struct fake_judge *j, int64_t from_s, int64_t to_s)
{
        struct instance_list list = { 0 };

        assert_int_equal(power()->discover(&f->env, &list), 0);
        for (int64_t t = from_s; t < to_s; t += 30)
                for (size_t i = 0; i < list.n; i++) {
                        assert_int_equal(fake_run(f, power(), list.items[i].name), RESULT_OK);
                        fake_judge_step(j, power(), f, t);
                }
        instance_list_done(&list);
}

static void a_mouse_is_not_our_battery(void **state UNUSED)
{
        struct fake_env *f = fake_env_new();
        struct instance_list list = { 0 };

        assert_int_equal(power()->discover(&f->env, &list), 0); /* no such class at all */
        supply(f, "hidpp_battery_0", "type", "Battery");
        supply(f, "hidpp_battery_0", "scope", "Device");
        supply(f, "hidpp_battery_0", "status", "Discharging");
        supply(f, "hidpp_battery_0", "capacity", "2");
        supply(f, "ucsi-source-psy-USBC000:001", "type", "USB");
        supply(f, "ucsi-source-psy-USBC000:001", "online", "0");
        assert_int_equal(power()->discover(&f->env, &list), 0);
        assert_int_equal(list.n, 0);
        fake_env_free(f);
}

static void one_of_two_supplies_fails(void **state UNUSED)
{
        struct fake_env *f = fake_env_new();
        struct fake_judge j = { 0 };

        supply(f, "PSU1", "type", "Mains");
        supply(f, "PSU1", "online", "1");
        supply(f, "PSU2", "type", "Mains");
        supply(f, "PSU2", "online", "1");
        supply(f, "PSU3", "type", "Mains"); /* never was plugged in */
        supply(f, "PSU3", "online", "0");
        poll_all(f, &j, 0, 600);
        assert_int_equal(fake_judge_level(&j, NULL, ""), LEVEL_OK);
        supply(f, "PSU2", "online", "0");
        poll_all(f, &j, 600, 720);
        assert_int_equal(fake_judge_level(&j, "power-redundancy-lost", "supply=PSU2"), LEVEL_WARNING);
        assert_int_equal(fake_judge_level(&j, NULL, "supply=PSU1"), LEVEL_OK);
        assert_int_equal(fake_judge_level(&j, NULL, "supply=PSU3"), LEVEL_OK);
        assert_int_equal(fake_judge_level(&j, "power-on-battery", ""), LEVEL_OK);
        supply(f, "PSU2", "online", "1");
        poll_all(f, &j, 720, 1080);
        assert_int_equal(fake_judge_level(&j, NULL, ""), LEVEL_OK);
        fake_judge_done(&j);
        fake_env_free(f);
}

static void mains_lost_and_battery_runs_out(void **state UNUSED)
{
        struct fake_env *f = fake_env_new();
        struct fake_judge j = { 0 };

        supply(f, "ADP1", "type", "Mains");
        supply(f, "ADP1", "online", "1");
        supply(f, "BAT0", "type", "Battery");
        supply(f, "BAT0", "present", "1");
        supply(f, "BAT0", "status", "Charging");
        supply(f, "BAT0", "capacity", "5"); /* low, but filling */
        supply(f, "BAT0", "energy_full", "45000000");
        supply(f, "BAT0", "energy_full_design", "50000000");
        poll_all(f, &j, 0, 300);
        assert_int_equal(fake_judge_level(&j, NULL, ""), LEVEL_OK);
        assert_true(fabs(fake_find(f, "battery_capacity_ratio", "supply=BAT0")->value - 0.9) < 1e-9);
        supply(f, "ADP1", "online", "0");
        supply(f, "BAT0", "status", "Discharging");
        supply(f, "BAT0", "capacity", "24");
        poll_all(f, &j, 300, 330);
        assert_int_equal(fake_judge_level(&j, "power-on-battery", "supply=ADP1"), LEVEL_WARNING);
        assert_int_equal(fake_judge_level(&j, "battery-low", "supply=BAT0"), LEVEL_WARNING);
        supply(f, "BAT0", "capacity", "10");
        poll_all(f, &j, 330, 360);
        assert_int_equal(fake_judge_level(&j, "battery-low", "supply=BAT0"), LEVEL_CRITICAL);
        fake_judge_done(&j);
        fake_env_free(f);
}

static void worn_sick_and_missing_batteries(void **state UNUSED)
{
        struct fake_env *f = fake_env_new();
        struct fake_judge j = { 0 };

        supply(f, "BAT0", "type", "Battery");
        supply(f, "BAT0", "present", "1");
        supply(f, "BAT0", "status", "Full");
        supply(f, "BAT0", "health", "Good");
        supply(f, "BAT0", "charge_full", "2000000");
        supply(f, "BAT0", "charge_full_design", "4000000");
        supply(f, "BAT1", "type", "Battery"); /* an empty bay from the start */
        supply(f, "BAT1", "present", "0");
        poll_all(f, &j, 0, 7200);
        assert_int_equal(fake_judge_level(&j, "battery-worn", "supply=BAT0"), LEVEL_NOTICE);
        assert_int_equal(fake_judge_level(&j, "battery-unhealthy", ""), LEVEL_OK);
        assert_int_equal(fake_judge_level(&j, "battery-missing", ""), LEVEL_OK);
        supply(f, "BAT0", "health", "Over voltage");
        poll_all(f, &j, 7200, 7400);
        assert_int_equal(fake_judge_level(&j, "battery-unhealthy", "health=Over voltage"), LEVEL_WARNING);
        supply(f, "BAT0", "present", "0");
        poll_all(f, &j, 7400, 7600);
        assert_int_equal(fake_judge_level(&j, "battery-missing", "supply=BAT0"), LEVEL_WARNING);
        fake_judge_done(&j);
        fake_env_free(f);
}

static void rubbish_is_failed_not_ok(void **state UNUSED)
{
        struct fake_env *f = fake_env_new();

        supply(f, "AC", "type", "Mains");
        supply(f, "AC", "online", "perhaps");
        assert_int_equal(fake_run(f, power(), "AC"), RESULT_FAILED);
        assert_non_null(strstr(f->env.why.text, "AC/online"));
        supply(f, "BAT0", "type", "Battery");
        supply(f, "BAT0", "capacity", "10");
        assert_int_equal(fake_run(f, power(), "BAT0"), RESULT_NODATA); /* no status at all */
        fake_env_free(f);
}

static void real_trees_are_read_and_quiet(void **state UNUSED)
{
        struct fake_env *f = fake_env_new();
        struct fake_judge j = { 0 };
        char cmd[512];

        if (!corpus_dir()) {
                fake_env_free(f);
                SKIP_WITHOUT_CORPUS();
        }
        snprintf(cmd, sizeof(cmd), "tar xzf %s/sysfs/node_exporter__sensors-root.tar.gz -C %s", corpus_dir(), f->dir);
        assert_int_equal(system(cmd), 0);
        poll_all(f, &j, 0, 7200);
        fake_judge_print(&j);
        assert_true(fake_judge_level(&j, NULL, "") <= LEVEL_NOTICE);
        assert_true(j.n > 0);
        fake_judge_done(&j);
        fake_env_free(f);
}

static void tables_are_complete(void **state UNUSED)
{
        fake_check_tables(power());
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(tables_are_complete),
                cmocka_unit_test(a_mouse_is_not_our_battery),
                cmocka_unit_test(one_of_two_supplies_fails),
                cmocka_unit_test(mains_lost_and_battery_runs_out),
                cmocka_unit_test(worn_sick_and_missing_batteries),
                cmocka_unit_test(rubbish_is_failed_not_ok),
                cmocka_unit_test(real_trees_are_read_and_quiet),
        };

        return cmocka_run_group_tests_name("hw_power", tests, NULL, NULL);
}
