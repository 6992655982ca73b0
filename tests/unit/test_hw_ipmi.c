/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* What the checks "ipmi" and "bmc" make of readings and log entries, without a controller.
 * (tests/integration/ipmi_sim.py asks a simulated one.) */

#include "fake_judge.h"
#include "hw_ipmi.h"

static const struct check *ipmi(void)
{
        return check_by_name("ipmi");
}

static const struct ipmi_reading good[] = {
        { .id = 1, .type = 0x01, .name = "CPU Temp", .unit = IPMI_UNIT_CELSIUS, .value = 45, .event = "OK" },
        { .id = 2, .type = 0x04, .name = "FAN1", .unit = IPMI_UNIT_RPM, .value = 5400, .event = "OK" },
        { .id = 3, .type = 0x08, .name = "PS1 Status", .value = NAN, .event = "Presence detected" },
        { .id = 4, .type = 0x09, .name = "Pwr Unit Redund", .value = NAN, .event = "Fully Redundant" },
        { .id = 5, .type = 0x05, .name = "Intrusion", .value = NAN, .event = "" },
        { .id = 6, .type = 0x0c, .name = "DIMM A1", .value = NAN, .event = "Presence detected" },
        { .id = 7, .type = 0x04, .name = "FAN7", .state = IPMI_UNKNOWN, .value = NAN, .event = "" }, /* an empty header */
};

struct log_entry {
        int type;
        enum ipmi_state state;
};

/* One run with the good readings, those at bad[] in their places, and this log. */
static void poll(struct fake_judge *j, const struct ipmi_reading *bad, size_t n_bad, const struct log_entry *log, size_t n_log, int64_t now_s)
{
        struct fake_env *f = fake_env_new();
        struct ipmi_values v = { .env = &f->env, .instance = "ipmi0" };

        for (size_t i = 0; i < ARRAY_LEN(good); i++) {
                const struct ipmi_reading *r = &good[i];

                for (size_t k = 0; k < n_bad; k++)
                        if (bad[k].id == r->id)
                                r = &bad[k];
                ipmi_values_reading(&v, r);
        }
        for (size_t i = 0; i < n_log; i++)
                ipmi_values_log_entry(&v, log[i].type, log[i].state, "sensor", "event", 1000 + (unsigned)i);
        assert_int_equal(ipmi_values_end(&v), RESULT_OK);
        fake_judge_step(j, ipmi(), f, now_s);
        fake_env_free(f);
}

static void good_machine_is_quiet(void **state UNUSED)
{
        static const struct log_entry old[] = { { 0x01, IPMI_CRITICAL }, { 0x0c, IPMI_CRITICAL }, { 0x08, IPMI_WARNING }, { 0x05, IPMI_CRITICAL } };
        struct fake_judge j = { 0 };

        for (int64_t t = 0; t < 7200; t += 120)
                poll(&j, NULL, 0, old, ARRAY_LEN(old), t);
        fake_judge_print(&j);
        assert_int_equal(fake_judge_level(&j, NULL, ""), LEVEL_OK);
        fake_judge_done(&j);
}

static void faults_have_levels_and_names(void **state UNUSED)
{
        static const struct {
                struct ipmi_reading reading;
                const char *rule, *labels;
                enum level level;
        } rows[] = {
                { { .id = 1, .type = 0x01, .name = "CPU Temp", .state = IPMI_CRITICAL, .unit = IPMI_UNIT_CELSIUS, .value = 99, .event = "Upper Critical" },
                  "ipmi-temperature", "name=CPU Temp,event=Upper Critical", LEVEL_CRITICAL },
                { { .id = 2, .type = 0x04, .name = "FAN1", .state = IPMI_CRITICAL, .unit = IPMI_UNIT_RPM, .value = 0, .event = "Lower Critical" },
                  "ipmi-fan", "component=FAN1 ipmi0", LEVEL_WARNING },
                { { .id = 3, .type = 0x08, .name = "PS1 Status", .state = IPMI_CRITICAL, .value = NAN, .event = "Power Supply input lost (AC/DC)" },
                  "ipmi-power", "component=PS1 Status ipmi0", LEVEL_WARNING },
                { { .id = 4, .type = 0x09, .name = "Pwr Unit Redund", .state = IPMI_CRITICAL, .value = NAN, .event = "Redundancy Lost" },
                  "ipmi-power", "event=Redundancy Lost", LEVEL_WARNING },
                { { .id = 6, .type = 0x0c, .name = "DIMM A1", .state = IPMI_CRITICAL, .value = NAN, .event = "Uncorrectable memory error" },
                  "ipmi-memory", "name=DIMM A1", LEVEL_CRITICAL },
                { { .id = 5, .type = 0x05, .name = "Intrusion", .state = IPMI_CRITICAL, .value = NAN, .event = "General Chassis Intrusion" },
                  "ipmi-other", "name=Intrusion", LEVEL_NOTICE },
                { { .id = 2, .type = 0x04, .name = "FAN1", .state = IPMI_UNKNOWN, .value = NAN, .event = "" },
                  "ipmi-unreadable", "bmc=ipmi0", LEVEL_NOTICE },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct fake_judge j = { 0 };
                int64_t t;

                for (t = 0; t < 1200; t += 120)
                        poll(&j, NULL, 0, NULL, 0, t);
                for (; t < 2400; t += 120)
                        poll(&j, &rows[i].reading, 1, NULL, 0, t);
                if (fake_judge_level(&j, rows[i].rule, rows[i].labels) != rows[i].level || fake_judge_level(&j, NULL, "") != rows[i].level) {
                        fake_judge_print(&j);
                        fail_msg("row %zu: wanted %s of %s", i, level_name(rows[i].level), rows[i].rule);
                }
                fake_judge_done(&j);
        }
}

/* A case that has always been open is how this machine is. */
static void open_from_the_start_is_no_news(void **state UNUSED)
{
        static const struct ipmi_reading open = { .id = 5, .type = 0x05, .name = "Intrusion", .state = IPMI_CRITICAL, .value = NAN, .event = "x" };
        struct fake_judge j = { 0 };

        for (int64_t t = 0; t < 3600; t += 120)
                poll(&j, &open, 1, NULL, 0, t);
        assert_int_equal(fake_judge_level(&j, NULL, ""), LEVEL_OK);
        fake_judge_done(&j);
}

static void new_log_entries_are_news(void **state UNUSED)
{
        static const struct log_entry log[] = { { 0x0c, IPMI_NOMINAL }, { 0x0c, IPMI_CRITICAL }, { 0x04, IPMI_WARNING }, { 0x14, IPMI_CRITICAL } };
        struct fake_judge j = { 0 };
        int64_t t = 0;

        poll(&j, NULL, 0, NULL, 0, t);
        poll(&j, NULL, 0, log, 1, t += 120);
        assert_int_equal(fake_judge_level(&j, NULL, ""), LEVEL_OK); /* deasserted, informational */
        poll(&j, NULL, 0, log, ARRAY_LEN(log), t += 120);
        assert_int_equal(fake_judge_level(&j, "ipmi-log-critical", "class=memory"), LEVEL_WARNING);
        assert_int_equal(fake_judge_level(&j, "ipmi-log-warning", "class=fan"), LEVEL_NOTICE);
        assert_int_equal(fake_judge_level(&j, NULL, "class=other"), LEVEL_OK); /* somebody pressed a button */
        poll(&j, NULL, 0, NULL, 0, t += 120); /* the log was cleared */
        assert_int_equal(fake_judge_level(&j, NULL, ""), LEVEL_OK);
        fake_judge_done(&j);
}

static void nothing_readable_is_failed(void **state UNUSED)
{
        struct fake_env *f = fake_env_new();
        struct ipmi_values v = { .env = &f->env, .instance = "ipmi0" };

        ipmi_values_reading(&v, &(struct ipmi_reading){ .name = "a", .state = IPMI_UNKNOWN, .value = NAN, .event = "" });
        ipmi_values_reading(&v, &(struct ipmi_reading){ .name = "b", .state = IPMI_UNKNOWN, .value = NAN, .event = "" });
        assert_int_equal(ipmi_values_end(&v), RESULT_FAILED);
        assert_non_null(strstr(f->env.why.text, "none of them gives a reading"));
        fake_env_free(f);
}

static void strange_names_and_numbers_are_harmless(void **state UNUSED)
{
        static char longer[5000];
        struct fake_env *f = fake_env_new();
        struct ipmi_values v = { .env = &f->env, .instance = "ipmi0" };

        memset(longer, 'x', sizeof(longer) - 1);
        ipmi_values_reading(&v, &(struct ipmi_reading){ .type = 0x1ff, .name = "\x01\xff\"evil\n", .value = INFINITY, .event = "" });
        ipmi_values_reading(&v, &(struct ipmi_reading){ .type = -1, .name = longer, .state = IPMI_CRITICAL, .value = 1, .event = longer });
        ipmi_values_reading(&v, &(struct ipmi_reading){ .type = 0x04, .name = longer, .state = IPMI_CRITICAL, .value = 1, .event = longer });
        ipmi_values_log_entry(&v, 0x01, IPMI_CRITICAL, longer, longer, UINT32_MAX);
        assert_int_equal(ipmi_values_end(&v), RESULT_OK);
        assert_non_null(fake_find(f, "ipmi_sensor_state", "name=??\"evil?"));
        for (size_t i = 0; i < f->n; i++)
                assert_true(strlen(f->samples[i].labels) < 600);
        fake_env_free(f);
}

/* Real controllers that said "ok": lines of ipmitool such as "Fan 1A Tach | 2610 RPM | ok". */
static unsigned read_text(struct fake_env *f, struct ipmi_values *v, const char *path)
{
        static const struct {
                const char *text;
                enum ipmi_unit unit;
                int type;
        } units[] = { { "degrees C", IPMI_UNIT_CELSIUS, 0x01 }, { "RPM", IPMI_UNIT_RPM, 0x04 }, { "Volts", IPMI_UNIT_VOLTS, 0x02 },
                      { "Watts", IPMI_UNIT_WATTS, 0x0b }, { "Amps", IPMI_UNIT_AMPERES, 0x03 } };
        _cleanup_fclose_ FILE *file = fopen(path, "re");
        char line[512];
        unsigned n = 0;

        assert_non_null(file);
        while (fgets(line, sizeof(line), file)) {
                char *columns[8], *save = NULL, *reading;
                size_t k = 0;
                struct ipmi_reading r = { .id = n, .value = NAN, .event = "", .type = 0x25 };

                for (char *c = strtok_r(line, "|\n", &save); c && k < ARRAY_LEN(columns); c = strtok_r(NULL, "|\n", &save))
                        columns[k++] = c;
                if (k < 3)
                        continue;
                /* two layouts: name, reading, status; name, id, status, entity, reading */
                reading = k >= 5 ? columns[4] : columns[1];
                r.name = columns[0];
                r.state = strstr(columns[2], "ok") ? IPMI_NOMINAL : IPMI_UNKNOWN;
                for (size_t u = 0; u < ARRAY_LEN(units); u++)
                        if (strstr(reading, units[u].text)) {
                                r.value = atof(reading);
                                r.unit = units[u].unit;
                                r.type = units[u].type;
                        }
                ipmi_values_reading(v, &r);
                n++;
        }
        assert_true(f->n > 0);
        return n;
}

static void real_readings_are_quiet(void **state UNUSED)
{
        static const char *const files[] = { "telegraf__ipmi_mockData_0691a3bb.txt", "telegraf__ipmi_mockData_de8a32d2.txt",
                                             "telegraf__ipmi_v2Data_7511e555.txt" };

        SKIP_WITHOUT_CORPUS();
        for (size_t i = 0; i < ARRAY_LEN(files); i++) {
                struct fake_judge j = { 0 };
                unsigned n = 0;

                for (int64_t t = 0; t < 1200; t += 120) {
                        struct fake_env *f = fake_env_new();
                        struct ipmi_values v = { .env = &f->env, .instance = "ipmi0" };
                        char path[4500];

                        snprintf(path, sizeof(path), "%s/ipmi/%s", corpus_dir(), files[i]);
                        n = read_text(f, &v, path);
                        assert_int_equal(ipmi_values_end(&v), RESULT_OK);
                        fake_judge_step(&j, ipmi(), f, t);
                        fake_env_free(f);
                }
                print_message("%s: %u readings\n", files[i], n);
                assert_true(n >= 7);
                assert_int_equal(fake_judge_level(&j, NULL, ""), LEVEL_OK);
                fake_judge_done(&j);
        }
}

static void controllers_are_found(void **state UNUSED)
{
        struct fake_env *f = fake_env_new();
        struct instance_list list = { 0 };

        assert_int_equal(ipmi()->discover(&f->env, &list), 0); /* no /dev at all */
        fake_file(f, "dev/ipmi0", "");
        fake_file(f, "dev/ipmi12", "");
        fake_file(f, "dev/ipmidev/0", "");
        fake_file(f, "dev/ipmi0x", "");
        assert_int_equal(ipmi()->discover(&f->env, &list), 0);
        assert_int_equal(list.n, 2);
        assert_string_equal(list.items[0].name, "ipmi0");
        assert_string_equal(list.items[0].kind, "bmc");
        instance_list_done(&list);
        fake_env_free(f);
}

static void set_up_errors_are_denied_and_named(void **state UNUSED)
{
        static const struct {
                const char *config, *file, *why;
                int mode;
        } rows[] = {
                { "[bmc a]\nuser = x\n", NULL, "host is missing", 0 },
                { "[bmc a]\nhost = h\npassword_file = /none\n", NULL, "/none: No such file", 0 },
                { "[bmc a]\nhost = h\npassword_file = /pw\n", "pw", "everybody can read it", 0644 },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct fake_env *f = fake_env_new();
                struct config_errors errors = { 0 };
                struct config *config;

                assert_int_equal(config_parse_string("test", rows[i].config, strlen(rows[i].config), &config, &errors), 0);
                config_free((struct config *)f->env.config);
                f->env.config = config;
                if (rows[i].file) {
                        fake_file(f, rows[i].file, "secret\n");
                        assert_int_equal(fchmodat(f->env.root_fd, rows[i].file, (mode_t)rows[i].mode, 0), 0);
                }
                assert_int_equal(fake_run(f, check_by_name("bmc"), "a"), RESULT_DENIED);
                if (!strstr(f->env.why.text, rows[i].why))
                        fail_msg("row %zu: %s", i, f->env.why.text);
                fake_env_free(f);
        }
}

static void a_cache_others_can_write_is_refused(void **state UNUSED)
{
        char dir[] = "/tmp/veille-test-XXXXXX", cache[300], sub[300];

        assert_non_null(mkdtemp(dir));
        snprintf(sub, sizeof(sub), "%s/cache", dir);
        setenv("RUNTIME_DIRECTORY", sub, 1);
        assert_int_equal(ipmi_cache_directory(cache, sizeof(cache)), 0);
        assert_string_equal(cache, sub);
        assert_int_equal(chmod(sub, 0777), 0);
        assert_int_equal(ipmi_cache_directory(cache, sizeof(cache)), -EPERM);
        assert_int_equal(rmdir(sub), 0);
        assert_int_equal(symlink("/tmp", sub), 0);
        assert_int_equal(ipmi_cache_directory(cache, sizeof(cache)), -EPERM);
        assert_int_equal(unlink(sub), 0);
        assert_int_equal(rmdir(dir), 0);
        unsetenv("RUNTIME_DIRECTORY");
}

static void tables_are_complete(void **state UNUSED)
{
        fake_check_tables(ipmi());
        fake_check_tables(check_by_name("bmc"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(tables_are_complete),
                cmocka_unit_test(good_machine_is_quiet),
                cmocka_unit_test(faults_have_levels_and_names),
                cmocka_unit_test(open_from_the_start_is_no_news),
                cmocka_unit_test(new_log_entries_are_news),
                cmocka_unit_test(nothing_readable_is_failed),
                cmocka_unit_test(strange_names_and_numbers_are_harmless),
                cmocka_unit_test(real_readings_are_quiet),
                cmocka_unit_test(controllers_are_found),
                cmocka_unit_test(set_up_errors_are_denied_and_named),
                cmocka_unit_test(a_cache_others_can_write_is_refused),
        };

        return cmocka_run_group_tests_name("hw_ipmi", tests, NULL, NULL);
}
