/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The check "sensors" on fake trees. libsensors reads /sys only, so the trees are bind-mounted over it: that
 * needs root or user namespaces, and is skipped, loudly, where neither is allowed. */

#include <sanitizer/lsan_interface.h>

#include "fake_judge.h"
#include "hw_sensors.h"

static const struct check *sensors(void)
{
        return check_by_name("sensors");
}

static struct fake_env *new_env(void)
{
        struct fake_env *f = fake_env_new();
        struct instance_list list = { 0 };
        int r;

        fake_file(f, "sys/class/hwmon/.keep", "");
        fake_file(f, "sys/devices/.keep", "");
        r = sensors()->discover(&f->env, &list);
        instance_list_done(&list);
        if (r == -EPERM) {
                print_message("%s\n", f->env.why.text);
                fake_env_free(f);
                skip();
        }
        assert_int_equal(r, 0);
        return f;
}

static void fake_link(struct fake_env *f, const char *path, const char *target)
{
        char full[512];

        snprintf(full, sizeof(full), "%s/%s", f->dir, path);
        assert_int_equal(symlink(target, full), 0);
}

/* A chip of the platform bus: hwmonN below its device, linked from the class. */
static void fake_chip(struct fake_env *f, const char *hwmon, const char *device, const char *name)
{
        char path[256], target[256], text[64];

        snprintf(path, sizeof(path), "sys/devices/platform/%s/hwmon/%s/name", device, hwmon);
        snprintf(text, sizeof(text), "%s\n", name);
        fake_file(f, path, text);
        snprintf(path, sizeof(path), "sys/devices/platform/%s/hwmon/%s/device", device, hwmon);
        snprintf(target, sizeof(target), "../../../%s", device);
        fake_link(f, path, target);
        snprintf(path, sizeof(path), "sys/devices/platform/%s/subsystem", device);
        fake_link(f, path, "../../../bus/platform");
        snprintf(path, sizeof(path), "sys/class/hwmon/%s", hwmon);
        snprintf(target, sizeof(target), "../../devices/platform/%s/hwmon/%s", device, hwmon);
        fake_link(f, path, target);
}

static void fake_attr(struct fake_env *f, const char *device, const char *hwmon, const char *attr, int value)
{
        char path[256], text[32];

        snprintf(path, sizeof(path), "sys/devices/platform/%s/hwmon/%s/%s", device, hwmon, attr);
        snprintf(text, sizeof(text), "%d\n", value);
        fake_file(f, path, text);
}

/* --- a board with everything that usually gives false alarms --- */
#define BOARD "nct6775.656"
#define board(f, attr, value) fake_attr(f, BOARD, "hwmon2", attr, value)

static void make_board(struct fake_env *f)
{
        fake_chip(f, "hwmon2", BOARD, "nct6775");
        board(f, "temp1_input", 41000);    /* no limit was set: 0, and so the alarm bit is on */
        board(f, "temp1_max", 0);
        board(f, "temp1_alarm", 1);
        board(f, "temp2_input", 127500);   /* open input */
        board(f, "temp2_max", 80000);
        board(f, "temp2_alarm", 1);
        board(f, "temp3_input", 107000);   /* floating input above a real limit, always */
        board(f, "temp3_max", 80000);
        board(f, "temp4_input", -128000);
        board(f, "temp4_max", 80000);
        board(f, "temp5_input", 38000);    /* good */
        board(f, "temp5_max", 80000);
        board(f, "in0_input", 1040);       /* limits upside down */
        board(f, "in0_min", 1390);
        board(f, "in0_max", 600);
        board(f, "in0_alarm", 1);
        board(f, "in1_input", 1850);       /* no limits */
        board(f, "in1_min", 0);
        board(f, "in1_max", 0);
        board(f, "in1_alarm", 1);
        board(f, "in2_input", 3300);       /* good */
        board(f, "in2_min", 2980);
        board(f, "in2_max", 3630);
        board(f, "in3_input", 200);        /* never connected, limits set */
        board(f, "in3_min", 2980);
        board(f, "in3_max", 3630);
        board(f, "fan1_input", 0);         /* header without a fan */
        board(f, "fan1_min", 0);
        board(f, "fan2_input", 1200);      /* good */
        board(f, "fan2_min", 0);
        board(f, "fan3_input", 900);       /* limit left over from power-on */
        board(f, "fan3_min", 10714);
        board(f, "fan3_alarm", 1);
        board(f, "fan4_input", 800);       /* pwm-controlled */
        board(f, "pwm4", 120);
        board(f, "pwm4_enable", 1);
        board(f, "intrusion0_alarm", 1);
}

static int64_t poll_minutes(struct fake_env *f, struct fake_judge *j, const char *instance, int64_t from, int minutes)
{
        for (int64_t t = from; t < from + minutes; t++) {
                assert_int_equal(fake_run(f, sensors(), instance), RESULT_OK);
                fake_judge_step(j, sensors(), f, t * 60);
        }
        return from + minutes;
}

#define assert_level(j, rule, part, wanted)                                                    \
        do {                                                                                   \
                enum level got_ = fake_judge_level(j, rule, part);                             \
                if (got_ != (wanted)) {                                                        \
                        fake_judge_print(j);                                                   \
                        fail_msg("%s: level %s, wanted %s", rule ? rule : "all", level_name(got_), level_name(wanted)); \
                }                                                                              \
        } while (0)

static void bogus_inputs_never_alarm(void **state UNUSED)
{
        struct fake_env *f = new_env();
        struct fake_judge j = { 0 };

        make_board(f);
        poll_minutes(f, &j, "nct6775-isa-0290", 0, 60);
        assert_level(&j, (const char *)NULL, "", LEVEL_OK);
        assert_true(fake_find(f, "sensor_temperature_celsius", "sensor=temp2")->value == 127.5);
        assert_non_null(strstr(fake_find(f, "sensor_temperature_celsius", "sensor=temp2")->labels, "judged=no"));
        fake_judge_done(&j);
        fake_env_free(f);
}

static void what_was_good_and_fails_alarms(void **state UNUSED)
{
        struct fake_env *f = new_env();
        struct fake_judge j = { 0 };
        int64_t t;

        make_board(f);
        t = poll_minutes(f, &j, "nct6775-isa-0290", 0, 5);
        board(f, "temp5_input", 85000);
        board(f, "in2_input", 2800);
        board(f, "fan2_input", 0);
        board(f, "fan4_input", 0);
        t = poll_minutes(f, &j, "nct6775-isa-0290", t, 2);
        assert_level(&j, (const char *)NULL, "", LEVEL_OK); /* two minutes are not enough */
        t = poll_minutes(f, &j, "nct6775-isa-0290", t, 20);
        assert_level(&j, "sensor-board-temperature-high", "sensor=temp5", LEVEL_WARNING);
        assert_level(&j, "sensor-voltage-low", "sensor=in2", LEVEL_WARNING);
        assert_level(&j, "sensor-fan-stopped", "component=fan2 nct6775-isa-0290", LEVEL_WARNING);
        assert_level(&j, "sensor-fan-stopped", "sensor=fan4", LEVEL_WARNING);
        assert_level(&j, "sensor-fan-stopped", "sensor=fan1,", LEVEL_OK);
        board(f, "temp5_input", 40000);
        board(f, "in2_input", 3300);
        board(f, "fan2_input", 1100);
        board(f, "fan4_input", 700);
        poll_minutes(f, &j, "nct6775-isa-0290", t, 12);
        assert_level(&j, (const char *)NULL, "", LEVEL_OK);
        fake_judge_done(&j);
        fake_env_free(f);
}

static void a_fan_told_to_stop_is_no_fault(void **state UNUSED)
{
        struct fake_env *f = new_env();
        struct fake_judge j = { 0 };
        int64_t t;

        make_board(f);
        t = poll_minutes(f, &j, "nct6775-isa-0290", 0, 5);
        board(f, "fan4_input", 0);
        board(f, "pwm4", 0);
        t = poll_minutes(f, &j, "nct6775-isa-0290", t, 30);
        assert_level(&j, (const char *)NULL, "", LEVEL_OK);
        board(f, "pwm4", 200); /* now it should turn */
        poll_minutes(f, &j, "nct6775-isa-0290", t, 5);
        assert_level(&j, "sensor-fan-stopped", "sensor=fan4", LEVEL_WARNING);
        fake_judge_done(&j);
        fake_env_free(f);
}

/* --- chips whose limits are real --- */
static void critical_temperature_counts_from_the_first_sight(void **state UNUSED)
{
        struct fake_env *f = new_env();
        struct fake_judge j = { 0 };

        fake_chip(f, "hwmon0", "coretemp.0", "coretemp");
        fake_attr(f, "coretemp.0", "hwmon0", "temp1_input", 97000);
        fake_attr(f, "coretemp.0", "hwmon0", "temp1_max", 75000);
        fake_attr(f, "coretemp.0", "hwmon0", "temp1_crit", 95000);
        fake_attr(f, "coretemp.0", "hwmon0", "temp2_input", 80000);
        fake_attr(f, "coretemp.0", "hwmon0", "temp2_max", 75000);
        fake_attr(f, "coretemp.0", "hwmon0", "temp2_crit", 95000);
        poll_minutes(f, &j, "coretemp-isa-0000", 0, 3);
        assert_level(&j, "sensor-temperature-critical", "sensor=temp1", LEVEL_CRITICAL);
        assert_level(&j, "sensor-temperature-critical", "sensor=temp2", LEVEL_OK);
        assert_level(&j, "sensor-temperature-high", "sensor=temp2", LEVEL_OK); /* a load, so far */
        poll_minutes(f, &j, "coretemp-isa-0000", 3, 15);
        assert_level(&j, "sensor-temperature-high", "sensor=temp2", LEVEL_WARNING);
        assert_non_null(strstr(fake_find(f, "sensor_temperature_celsius", "sensor=temp1")->labels, "hwmon_chip=platform_coretemp_0"));
        fake_judge_done(&j);
        fake_env_free(f);
}

static void unset_limits_of_good_chips_do_not_alarm(void **state UNUSED)
{
        struct fake_env *f = new_env();
        struct fake_judge j = { 0 };

        fake_chip(f, "hwmon0", "a.0", "acpitz");
        fake_attr(f, "a.0", "hwmon0", "temp1_input", 27800);
        fake_attr(f, "a.0", "hwmon0", "temp1_crit", 20800);
        fake_attr(f, "a.0", "hwmon0", "temp2_input", 45000); /* NVMe sensor without a limit */
        fake_attr(f, "a.0", "hwmon0", "temp2_max", 65261850);
        fake_attr(f, "a.0", "hwmon0", "power1_input", 120000000);
        fake_attr(f, "a.0", "hwmon0", "power1_max", 0);
        fake_chip(f, "hwmon1", "spd.0", "spd5118"); /* DDR5: its max is a default of 55 C */
        fake_attr(f, "spd.0", "hwmon1", "temp1_input", 61000);
        fake_attr(f, "spd.0", "hwmon1", "temp1_max", 55000);
        fake_attr(f, "spd.0", "hwmon1", "temp1_max_alarm", 1);
        fake_attr(f, "spd.0", "hwmon1", "temp1_crit", 85000);
        poll_minutes(f, &j, "acpitz-isa-0000", 0, 60);
        poll_minutes(f, &j, "spd5118-isa-0000", 60, 60);
        assert_level(&j, (const char *)NULL, "", LEVEL_OK);
        fake_attr(f, "spd.0", "hwmon1", "temp1_input", 86000);
        poll_minutes(f, &j, "spd5118-isa-0000", 120, 3);
        assert_level(&j, "sensor-temperature-critical", "chip=spd5118", LEVEL_CRITICAL);
        fake_judge_done(&j);
        fake_env_free(f);
}

static void alarm_bits_judge_where_there_is_no_number(void **state UNUSED)
{
        struct fake_env *f = new_env();
        struct fake_judge j = { 0 };
        int64_t t;

        fake_chip(f, "hwmon0", "psu.0", "dps920ab");
        fake_attr(f, "psu.0", "hwmon0", "in1_input", 230000);
        fake_attr(f, "psu.0", "hwmon0", "in1_alarm", 0);
        fake_attr(f, "psu.0", "hwmon0", "fan1_input", 8000);
        fake_attr(f, "psu.0", "hwmon0", "fan1_fault", 0);
        t = poll_minutes(f, &j, "dps920ab-isa-0000", 0, 3);
        assert_level(&j, (const char *)NULL, "", LEVEL_OK);
        fake_attr(f, "psu.0", "hwmon0", "in1_alarm", 1);
        fake_attr(f, "psu.0", "hwmon0", "fan1_fault", 1);
        poll_minutes(f, &j, "dps920ab-isa-0000", t, 4);
        assert_level(&j, "sensor-alarm", "sensor=in1", LEVEL_WARNING);
        assert_level(&j, "sensor-fan-fault", "sensor=fan1", LEVEL_WARNING);
        fake_judge_done(&j);
        fake_env_free(f);
}

static void an_input_that_stops_to_answer_is_told(void **state UNUSED)
{
        struct fake_env *f = new_env();
        struct fake_judge j = { 0 };
        int64_t t;

        fake_chip(f, "hwmon0", "lm75.0", "lm75");
        fake_attr(f, "lm75.0", "hwmon0", "temp1_input", 40000);
        fake_file(f, "sys/devices/platform/lm75.0/hwmon/hwmon0/temp2_input", ""); /* never could be read */
        t = poll_minutes(f, &j, "lm75-isa-0000", 0, 10);
        assert_true(fake_find(f, "sensor_read_failures", "")->value == 1);
        assert_level(&j, (const char *)NULL, "", LEVEL_OK);
        fake_file(f, "sys/devices/platform/lm75.0/hwmon/hwmon0/temp1_input", "");
        t = poll_minutes(f, &j, "lm75-isa-0000", t, 4);
        assert_level(&j, "sensor-unreadable", "chip=lm75", LEVEL_WARNING);
        fake_attr(f, "lm75.0", "hwmon0", "temp1_input", 40000);
        t = poll_minutes(f, &j, "lm75-isa-0000", t, 4);
        assert_level(&j, (const char *)NULL, "", LEVEL_OK);
        fake_attr(f, "lm75.0", "hwmon0", "temp1_input", 127000); /* the diode came off */
        poll_minutes(f, &j, "lm75-isa-0000", t, 4);
        assert_level(&j, "sensor-unreadable", "chip=lm75", LEVEL_WARNING);
        fake_judge_done(&j);
        fake_env_free(f);
}

static void sensors_conf_is_honoured(void **state UNUSED)
{
        struct fake_env *f = new_env();

        make_board(f);
        fake_file(f, "etc/sensors3.conf", "chip \"nct6775-*\"\n  label fan2 \"CPU fan\"\n  label in2 \"+3.3V\"\n"
                                          "  compute in2 @*2, @/2\n  ignore fan3\n  ignore temp2\n");
        assert_int_equal(fake_run(f, sensors(), "nct6775-isa-0290"), RESULT_OK);
        assert_true(fake_find(f, "sensor_fan_rpm", "label=CPU fan")->value == 1200);
        assert_true(fabs(fake_find(f, "sensor_voltage_volts", "label=+3.3V")->value - 6.6) < 1e-6);
        assert_true(fabs(fake_find(f, "sensor_voltage_max_volts", "label=+3.3V")->value - 7.26) < 1e-6);
        for (size_t i = 0; i < f->n; i++)
                assert_null(strstr(f->samples[i].labels, "sensor=fan3"));
        fake_env_free(f);
}

static void a_broken_sensors_conf_does_not_blind(void **state UNUSED)
{
        struct fake_env *f = new_env();
        struct fake_judge j = { 0 };

        make_board(f);
        fake_file(f, "etc/sensors3.conf", "chip \"nct6775-*\"\n  compute in2 @*(2, \n  lable fan2 \"x\"\n");
        __lsan_disable(); /* libsensors' parser forgets a few bytes when it gives up */
        poll_minutes(f, &j, "nct6775-isa-0290", 0, 2);
        __lsan_enable();
        assert_true(fake_find(f, "sensor_fan_rpm", "sensor=fan2")->value == 1200);
        assert_level(&j, "sensor-config", "component=sensors.conf", LEVEL_NOTICE);
        fake_judge_done(&j);
        fake_env_free(f);
}

/* --- chips that belong to a disk --- */
static void disk_chips_name_the_disk(void **state UNUSED)
{
        static const struct {
                const char *hwmon, *device, *file, *name, *disk;
        } rows[] = {
                { "hwmon4", "pci0/ata1/0:0:0:0", "block/sda/size", "drivetemp", "sda" },
                { "hwmon5", "pci0/nvme/nvme0", "nvme0n1/size", "nvme", "nvme0n1" },
                { "hwmon6", "pci1/nvme/nvme1", "nvme1c3n1/size", "nvme", "nvme1n1" }, /* multipath */
        };
        struct fake_env *f = new_env();
        struct instance_list list = { 0 };
        char path[256], target[256];

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                snprintf(path, sizeof(path), "sys/devices/%s/%s", rows[i].device, rows[i].file);
                fake_file(f, path, "1\n");
                snprintf(path, sizeof(path), "sys/devices/%s/hwmon/%s/name", rows[i].device, rows[i].hwmon);
                snprintf(target, sizeof(target), "%s\n", rows[i].name);
                fake_file(f, path, target);
                snprintf(path, sizeof(path), "sys/devices/%s/hwmon/%s/temp1_input", rows[i].device, rows[i].hwmon);
                fake_file(f, path, "38850\n");
                snprintf(path, sizeof(path), "sys/devices/%s/hwmon/%s/device", rows[i].device, rows[i].hwmon);
                fake_link(f, path, "../..");
                snprintf(path, sizeof(path), "sys/class/hwmon/%s", rows[i].hwmon);
                snprintf(target, sizeof(target), "../../devices/%s/hwmon/%s", rows[i].device, rows[i].hwmon);
                fake_link(f, path, target);
        }
        assert_int_equal(sensors()->discover(&f->env, &list), 0);
        assert_int_equal(list.n, ARRAY_LEN(rows));
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                assert_string_equal(list.items[i].component, rows[i].disk);
                assert_string_equal(list.items[i].kind, ""); /* the disk's own checks say what it is */
        }
        assert_string_not_equal(list.items[1].name, list.items[2].name); /* same chip name: made unique */
        assert_int_equal(fake_run(f, sensors(), list.items[1].name), RESULT_OK);
        assert_true(fabs(fake_find(f, "sensor_temperature_celsius", "hwmon_chip=nvme_nvme0")->value - 38.85) < 1e-6);

        /* A suspended disk is not asked. */
        fake_file(f, "sys/devices/pci0/ata1/0:0:0:0/power/runtime_status", "suspended\n");
        fake_link(f, "sys/devices/pci0/ata1/0:0:0:0/block/sda/device", "../..");
        fake_file(f, "sys/class/block/.keep", "");
        fake_link(f, "sys/class/block/sda", "../../devices/pci0/ata1/0:0:0:0/block/sda");
        assert_int_equal(fake_run(f, sensors(), list.items[0].name), RESULT_OK);
        for (size_t i = 0; i < f->n; i++)
                assert_false(streq(f->samples[i].metric, "sensor_temperature_celsius"));
        assert_true(fake_find(f, "sensor_chip_info", "disk=sda")->value == 1);
        instance_list_done(&list);
        fake_env_free(f);
}

/* --- thermal zones --- */
static void zone(struct fake_env *f, const char *file, const char *text)
{
        char path[128];

        snprintf(path, sizeof(path), "sys/class/thermal/thermal_zone%s", file);
        fake_file(f, path, text);
}

static void thermal_zones_have_trip_points(void **state UNUSED)
{
        struct fake_env *f = new_env();
        struct fake_judge j = { 0 };
        struct instance_list list = { 0 };

        fake_chip(f, "hwmon0", "thermal.0", "soc_thermal");
        fake_attr(f, "thermal.0", "hwmon0", "temp1_input", 40000);
        zone(f, "0/type", "soc-thermal\n"); /* hwmon shows it */
        zone(f, "0/temp", "40000\n");
        zone(f, "1/type", "cpu-thermal\n");
        zone(f, "1/temp", "91000\n");
        zone(f, "1/trip_point_0_type", "passive\n");
        zone(f, "1/trip_point_0_temp", "60000\n");
        zone(f, "1/trip_point_1_type", "critical\n");
        zone(f, "1/trip_point_1_temp", "90000\n");
        zone(f, "2/type", "gpu-thermal\n");
        zone(f, "2/temp", "44000\n");
        zone(f, "2/trip_point_0_type", "critical\n");
        zone(f, "2/trip_point_0_temp", "0\n");
        assert_int_equal(sensors()->discover(&f->env, &list), 0);
        assert_int_equal(list.n, 3);
        assert_string_equal(list.items[1].name, "thermal_zone1");
        instance_list_done(&list);
        poll_minutes(f, &j, "thermal_zone1", 0, 3);
        assert_level(&j, "sensor-temperature-critical", "label=cpu-thermal", LEVEL_CRITICAL);
        poll_minutes(f, &j, "thermal_zone2", 3, 3);
        assert_level(&j, (const char *)NULL, "label=gpu-thermal", LEVEL_OK);
        zone(f, "2/mode", "disabled\n");
        assert_int_equal(fake_run(f, sensors(), "thermal_zone2"), RESULT_NODATA);
        fake_judge_done(&j);
        fake_env_free(f);
}

/* --- real trees --- */
static void real_trees_are_read_and_quiet(void **state UNUSED)
{
        static const char *const sets[] = { "node_exporter__*.tar.gz", "procfs__*.tar.gz" };

        SKIP_WITHOUT_CORPUS();
        for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
                struct fake_env *f = new_env();
                struct fake_judge j = { 0 };
                struct instance_list list = { 0 };
                char cmd[512];

                snprintf(cmd, sizeof(cmd), "for t in %s/sysfs/%s; do tar xzf $t -C %s --transform=s,^fixtures/,, || exit 1; done",
                         corpus_dir(), sets[i], f->dir);
                assert_int_equal(system(cmd), 0);
                assert_int_equal(sensors()->discover(&f->env, &list), 0);
                print_message("%s: %zu chips and zones\n", sets[i], list.n);
                assert_true(list.n >= 1);
                for (int64_t t = 0; t < 20; t++)
                        for (size_t k = 0; k < list.n; k++) {
                                enum result r = fake_run(f, sensors(), list.items[k].name);

                                assert_true(r == RESULT_OK || r == RESULT_NODATA);
                                fake_judge_step(&j, sensors(), f, t * 60);
                        }
                instance_list_done(&list);
                assert_level(&j, (const char *)NULL, "", LEVEL_OK);
                fake_judge_done(&j);
                fake_env_free(f);
        }
}

static void tables_are_complete(void **state UNUSED)
{
        fake_check_tables(sensors());
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(tables_are_complete),
                cmocka_unit_test(bogus_inputs_never_alarm),
                cmocka_unit_test(what_was_good_and_fails_alarms),
                cmocka_unit_test(a_fan_told_to_stop_is_no_fault),
                cmocka_unit_test(critical_temperature_counts_from_the_first_sight),
                cmocka_unit_test(unset_limits_of_good_chips_do_not_alarm),
                cmocka_unit_test(alarm_bits_judge_where_there_is_no_number),
                cmocka_unit_test(an_input_that_stops_to_answer_is_told),
                cmocka_unit_test(sensors_conf_is_honoured),
                cmocka_unit_test(a_broken_sensors_conf_does_not_blind),
                cmocka_unit_test(disk_chips_name_the_disk),
                cmocka_unit_test(thermal_zones_have_trip_points),
                cmocka_unit_test(real_trees_are_read_and_quiet),
        };

        return cmocka_run_group_tests_name("hw_sensors", tests, NULL, NULL);
}
