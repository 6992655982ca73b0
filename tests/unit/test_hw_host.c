/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

#include "fake_env.h"
#include "hw_host.h"

static const struct check *host(void)
{
        return check_by_name("host");
}

static struct env_clock fake_clock;
static int fake_clock_error;

static int read_fake_clock(struct env *env UNUSED, struct env_clock *ret)
{
        *ret = fake_clock;
        return fake_clock_error;
}

static struct fake_env *make_host(void)
{
        static const char *const files[][2] = {
                { "proc/loadavg", "4.44 4.00 3.34 7/159 7917\n" },
                { "proc/uptime", "11852.97 17895.70\n" },
                { "proc/stat", "cpu  1 2 3\nintr 1 2 3\nctxt 9\nbtime 1795493080\nprocesses 3\n" },
                { "proc/meminfo", "MemTotal:        1000 kB\nMemFree:          100 kB\nMemAvailable:     300 kB\nSwapTotal:       1000 kB\n"
                                  "SwapFree:         100 kB\nHardwareCorrupted:     4 kB\n" },
                { "proc/pressure/memory", "some avg10=29.86 avg60=32.50 avg300=25.68 total=265929976\n"
                                          "full avg10=0.00 avg60=12.00 avg300=0.00 total=1500000\n" },
                { "proc/vmstat", "nr_free_pages 1\noom_kill_x 9\noom_kill 3\n" },
                { "proc/sys/kernel/tainted", "4240\n" }, /* 4096 (out of tree) + 128 (died) + 16 (machine check) */
                { "proc/sys/net/netfilter/nf_conntrack_count", "75\n" },
                { "proc/sys/net/netfilter/nf_conntrack_max", "100\n" },
                { "proc/sys/fs/file-nr", "1000\t0\t4000\n" },
                { "sys/devices/system/cpu/online", "0-3,5\n" },
        };
        struct fake_env *f = fake_env_new();

        for (size_t i = 0; i < ARRAY_LEN(files); i++)
                fake_file(f, files[i][0], files[i][1]);
        return f;
}

static bool has(struct fake_env *f, const char *metric)
{
        for (size_t i = 0; i < f->n; i++)
                if (streq(f->samples[i].metric, metric))
                        return true;
        return false;
}

static void without_proc_there_is_no_host(void **state UNUSED)
{
        struct fake_env *f = fake_env_new();
        struct instance_list list = { 0 };

        assert_int_equal(host()->discover(&f->env, &list), 0);
        assert_int_equal(list.n, 0);
        fake_env_free(f);
}

static void everything_a_host_tells(void **state UNUSED)
{
        static const struct {
                const char *metric, *labels;
                double value;
        } rows[] = {
                { "host_cpus", "", 5 },
                { "host_load1", "", 4.44 },
                { "host_load_per_cpu", "", 0.8 },
                { "host_uptime_seconds", "", 11852.97 },
                { "host_boot_time_seconds", "", 1795493080 },
                { "host_memory_total_bytes", "", 1024000 },
                { "host_memory_left_ratio", "", 0.2 },
                { "host_memory_corrupted_bytes", "", 4096 },
                { "host_pressure_ratio", "of=memory some", 0.325 },
                { "host_pressure_ratio", "of=memory full", 0.12 },
                { "host_pressure_seconds_total", "share=full", 1.5 },
                { "host_oom_kills_total", "", 3 },
                { "host_taint", "machine-check", 1 },
                { "host_taint", "died", 1 },
                { "host_taint", "lockup", 0 },
                { "host_conntrack_ratio", "", 0.75 },
                { "host_file_handles_ratio", "", 0.25 },
        };
        struct fake_env *f = make_host();

        assert_int_equal(fake_run(f, host(), "host"), RESULT_OK);
        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
                if (fabs(fake_find(f, rows[i].metric, rows[i].labels)->value - rows[i].value) > 1e-9)
                        fail_msg("%s %s: %g", rows[i].metric, rows[i].labels, fake_find(f, rows[i].metric, rows[i].labels)->value);
        assert_false(has(f, "host_clock_synchronized")); /* a tree has no clock */
        assert_false(has(f, "host_cpu_throttles_total"));
        fake_env_free(f);
}

static void a_clock_that_nobody_keeps_has_no_numbers(void **state UNUSED)
{
        struct fake_env *f = make_host();

        f->env.read_clock = read_fake_clock;
        fake_clock = (struct env_clock){ .offset_s = -0.25, .max_error_s = 2, .estimated_error_s = 0.5, .synchronized = true };
        fake_clock_error = 0;
        assert_int_equal(fake_run(f, host(), "host"), RESULT_OK);
        assert_true(fake_find(f, "host_clock_synchronized", "")->value == 1);
        assert_true(fake_find(f, "host_clock_offset_seconds", "")->value == 0.25);
        assert_true(fake_find(f, "host_clock_max_error_seconds", "")->value == 2);
        fake_clock.synchronized = false;
        assert_int_equal(fake_run(f, host(), "host"), RESULT_OK);
        assert_true(fake_find(f, "host_clock_synchronized", "")->value == 0);
        assert_false(has(f, "host_clock_offset_seconds"));
        fake_clock_error = -EPERM;
        assert_int_equal(fake_run(f, host(), "host"), RESULT_OK);
        assert_false(has(f, "host_clock_synchronized"));
        fake_env_free(f);
}

static void rubbish_is_told_by_name(void **state UNUSED)
{
        static const struct {
                const char *path, *content, *why;
        } rows[] = {
                { "proc/loadavg", "a b c\n", "/proc/loadavg: 'a b c' is not a load" },
                { "proc/meminfo", "MemTotal: 5 kB\n", "does not say MemTotal and MemAvailable" },
                { "proc/meminfo", "MemTotal: x kB\nMemAvailable: 1 kB\n", "does not say MemTotal and MemAvailable" },
                { "proc/meminfo", "MemTotal: 0 kB\nMemAvailable: 0 kB\n", "does not say MemTotal and MemAvailable" },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct fake_env *f = make_host();

                fake_file(f, rows[i].path, rows[i].content);
                assert_int_equal(fake_run(f, host(), "host"), RESULT_FAILED);
                if (!strstr(f->env.why.text, rows[i].why))
                        fail_msg("%s: %s", rows[i].content, f->env.why.text);
                fake_env_free(f);
        }
}

static void optional_files_may_hold_anything(void **state UNUSED)
{
        static const char *const paths[] = { "proc/uptime", "proc/stat", "proc/pressure/memory", "proc/vmstat", "proc/sys/kernel/tainted",
                                             "proc/sys/net/netfilter/nf_conntrack_max", "proc/sys/fs/file-nr", "sys/devices/system/cpu/online" };
        static const char *const contents[] = { "", "\n", "btime\n", "some avg10=\nfull\n", "99999999999999999999999", "0-", "9-1", "0-99999999", "-1",
                                                "oom_kill", "0\t0\t0" };

        for (size_t i = 0; i < ARRAY_LEN(paths); i++)
                for (size_t k = 0; k < ARRAY_LEN(contents); k++) {
                        struct fake_env *f = make_host();

                        fake_file(f, paths[i], contents[k]);
                        assert_int_equal(fake_run(f, host(), "host"), RESULT_OK);
                        assert_true(fake_find(f, "host_cpus", "")->value >= 1);
                        fake_env_free(f);
                }
}

static void each_package_is_counted_once(void **state UNUSED)
{
        static const struct {
                int package, core_count, package_count;
        } cpus[] = { { 0, 1, 10 }, { 0, 2, 11 }, { 1, 0, 100 }, { 1, 4, 100 } };
        struct fake_env *f = make_host();
        char path[128], text[16];

        for (size_t i = 0; i < ARRAY_LEN(cpus); i++) {
                snprintf(path, sizeof(path), "sys/devices/system/cpu/cpu%zu/topology/physical_package_id", i);
                snprintf(text, sizeof(text), "%d\n", cpus[i].package);
                fake_file(f, path, text);
                snprintf(path, sizeof(path), "sys/devices/system/cpu/cpu%zu/thermal_throttle/core_throttle_count", i);
                snprintf(text, sizeof(text), "%d\n", cpus[i].core_count);
                fake_file(f, path, text);
                snprintf(path, sizeof(path), "sys/devices/system/cpu/cpu%zu/thermal_throttle/package_throttle_count", i);
                snprintf(text, sizeof(text), "%d\n", cpus[i].package_count);
                fake_file(f, path, text);
        }
        fake_file(f, "sys/devices/system/cpu/cpufreq/x", "1\n");
        assert_int_equal(fake_run(f, host(), "host"), RESULT_OK);
        assert_true(fake_find(f, "host_cpu_throttles_total", "scope=core")->value == 7);
        assert_true(fake_find(f, "host_cpu_throttles_total", "scope=package")->value == 111);
        fake_env_free(f);
}

/* The trees of other exporters' tests. */
static void throttle_counts_of_the_corpus(void **state UNUSED)
{
        static const struct {
                const char *tree, *root;
                unsigned processors;
        } rows[] = { { "node_exporter__thermal_throttle", "", 4 }, { "procfs__thermal_throttle", "/fixtures", 2 } };

        SKIP_WITHOUT_CORPUS();
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct fake_env *f = make_host();
                char command[1024];
                int64_t core, expected = 0;

                snprintf(command, sizeof(command), "tar -C %s -xzf %s/sysfs/%s.tar.gz", f->dir, corpus_dir(), rows[i].tree);
                assert_int_equal(system(command), 0);
                if (*rows[i].root) {
                        snprintf(command, sizeof(command), "cp -r %s%s/. %s", f->dir, rows[i].root, f->dir);
                        assert_int_equal(system(command), 0);
                }
                for (unsigned c = 0; c < rows[i].processors; c++) {
                        assert_int_equal(env_read_i64(&f->env, &core, "sys/devices/system/cpu/cpu%u/thermal_throttle/core_throttle_count", c), 0);
                        expected += core;
                }
                assert_int_equal(fake_run(f, host(), "host"), RESULT_OK);
                assert_true(expected > 0);
                assert_true(fake_find(f, "host_cpu_throttles_total", "scope=core")->value == (double)expected);
                assert_true(fake_find(f, "host_cpu_throttles_total", "scope=package")->value > 0);
                fake_env_free(f);
        }
}

static void tables_are_complete(void **state UNUSED)
{
        for (size_t i = 0; i < HOST_RULES; i++) {
                const struct rule *r = &host_rules[i];
                bool known = false;

                if (!r->name || !r->metric || !r->text || !r->clears || !r->source)
                        fail_msg("rule %zu of %d is incomplete", i, HOST_RULES);
                for (size_t k = 0; k < HOST_METRICS; k++)
                        known |= streq(host_metrics[k].name, r->metric);
                assert_true(known);
        }
        for (size_t k = 0; k < HOST_METRICS; k++)
                assert_true(host_metrics[k].name && host_metrics[k].help);
}

/* The level of a rule after n minutes of one value, after ten minutes of another that is good. */
static enum level level_after(const char *name, double good, double value, int minutes)
{
        for (size_t i = 0; i < HOST_RULES; i++) {
                struct rule_state s = { 0 };
                int64_t t = USEC_PER_SEC;

                if (!streq(host_rules[i].name, name))
                        continue;
                for (int k = 0; k < 10; k++)
                        rule_step(&host_rules[i], &s, good, NAN, t += 60 * USEC_PER_SEC);
                for (int k = 0; k <= minutes; k++)
                        rule_step(&host_rules[i], &s, value, NAN, t += 60 * USEC_PER_SEC);
                rule_state_done(&s);
                return s.level;
        }
        fail_msg("no rule %s", name);
        return LEVEL_OK;
}

static void levels_take_their_time(void **state UNUSED)
{
        static const struct {
                const char *rule;
                double good, value;
                int minutes;
                enum level level;
        } rows[] = {
                { "host-clock-unsynchronized", 1, 0, 59, LEVEL_OK }, { "host-clock-unsynchronized", 1, 0, 60, LEVEL_NOTICE },
                { "host-clock-unsynchronized", 0, 0, 60, LEVEL_NOTICE }, /* never was: known, not woken */
                { "host-clock-lost", 1, 0, 1441, LEVEL_WARNING },       { "host-clock-lost", 0, 0, 2000, LEVEL_OK },
                { "host-memory-pressure", 0, 0.2, 4, LEVEL_OK },        { "host-memory-pressure", 0, 0.2, 5, LEVEL_WARNING },
                { "host-memory-left", 0.5, 0.04, 2, LEVEL_WARNING },    { "host-memory-left", 0.5, 0.01, 2, LEVEL_CRITICAL },
                { "host-io-pressure", 0, 0.5, 15, LEVEL_NOTICE },       { "host-load", 1, 5, 14, LEVEL_OK },
                { "host-load", 1, 5, 15, LEVEL_NOTICE },                { "host-rebooted", 5000, 100, 1, LEVEL_NOTICE },
                { "host-oom-kills", 3, 4, 1, LEVEL_NOTICE },            { "host-oom-kills", 3, 3, 1, LEVEL_OK },
                { "host-taint-machine-check", 0, 1, 1, LEVEL_WARNING }, { "host-clock-error", 0, 1.5, 10, LEVEL_WARNING },
                { "host-conntrack-full", 0.1, 0.96, 1, LEVEL_CRITICAL },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                enum level level = level_after(rows[i].rule, rows[i].good, rows[i].value, rows[i].minutes);

                if (level != rows[i].level)
                        fail_msg("%s: %g for %d minutes is %s", rows[i].rule, rows[i].value, rows[i].minutes, level_name(level));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(without_proc_there_is_no_host),
                cmocka_unit_test(everything_a_host_tells),
                cmocka_unit_test(a_clock_that_nobody_keeps_has_no_numbers),
                cmocka_unit_test(rubbish_is_told_by_name),
                cmocka_unit_test(optional_files_may_hold_anything),
                cmocka_unit_test(each_package_is_counted_once),
                cmocka_unit_test(throttle_counts_of_the_corpus),
                cmocka_unit_test(tables_are_complete),
                cmocka_unit_test(levels_take_their_time),
        };

        return cmocka_run_group_tests_name("hw_host", tests, NULL, NULL);
}
