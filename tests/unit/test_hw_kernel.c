/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

#include "fake_env.h"
#include "hw_kernel.h"
#include "kmsg.h"

#include <poll.h>
#include <pthread.h>

static const struct check *kernel(void)
{
        return check_by_name("kernel");
}

static void link_to(struct fake_env *f, const char *path, const char *target)
{
        char full[4096], dir[4096];

        snprintf(dir, sizeof(dir), "%s.d", path); /* makes the directories */
        fake_file(f, dir, "");
        snprintf(full, sizeof(full), "%s/%s", f->dir, path);
        assert_int_equal(symlink(target, full), 0);
}

static const struct instance *find_instance(const struct instance_list *list, const char *name)
{
        for (size_t i = 0; i < list->n; i++)
                if (streq(list->items[i].name, name))
                        return &list->items[i];
        fail_msg("no instance %s", name);
        return NULL;
}

static void a_host_without_anything_has_no_instance(void **state UNUSED)
{
        struct fake_env *f = fake_env_new();
        struct instance_list list = { 0 };

        assert_int_equal(kernel()->discover(&f->env, &list), 0);
        assert_int_equal(list.n, 0);
        fake_env_free(f);
}

#define SDA "sys/devices/pci0000:00/0000:00:1f.2/ata3/host2/target2:0:0/2:0:0:0"

static void make_disk(struct fake_env *f)
{
        fake_file(f, SDA "/ioerr_cnt", "0x1f\n");
        fake_file(f, SDA "/iotmo_cnt", "0x2\n");
        fake_file(f, SDA "/state", "running\n");
        fake_file(f, SDA "/wwid", "naa.5000c500a1b2c3d4\n");
        fake_file(f, SDA "/block/sda/size", "100\n");
        link_to(f, SDA "/block/sda/device", "../../../2:0:0:0");
        link_to(f, "sys/block/sda", "../devices/pci0000:00/0000:00:1f.2/ata3/host2/target2:0:0/2:0:0:0/block/sda");
        fake_file(f, "sys/class/ata_link/link3/sata_spd_limit", "6.0 Gbps\n");
        fake_file(f, "sys/class/ata_link/link3/hw_sata_spd_limit", "6.0 Gbps\n");
}

static void counters_of_a_disk_are_hexadecimal(void **state UNUSED)
{
        struct fake_env *f = fake_env_new();
        struct instance_list list = { 0 };

        make_disk(f);
        assert_int_equal(kernel()->discover(&f->env, &list), 0);
        assert_int_equal(list.n, 1);
        assert_string_equal(list.items[0].component, "sda");
        assert_string_equal(list.items[0].id, "5000c500a1b2c3d4");
        assert_string_equal(list.items[0].kind, "disk");
        instance_list_done(&list);

        assert_int_equal(fake_run(f, kernel(), "sda"), RESULT_OK);
        assert_true(fake_find(f, "disk_io_errors_total", "disk=sda")->value == 31);
        assert_true(fake_find(f, "disk_io_timeouts_total", "disk=sda")->value == 2);
        assert_true(fake_find(f, "disk_offline", "")->value == 0);
        assert_true(fake_find(f, "disk_recovering", "")->value == 0);
        assert_true(fake_find(f, "disk_link_slowed", "port=ata3")->value == 0);
        fake_env_free(f);
}

static void states_of_disks(void **state UNUSED)
{
        static const struct {
                const char *state;
                int offline, recovering;
        } rows[] = {
                { "running", 0, 0 }, { "live", 0, 0 }, { "offline", 1, 0 }, { "transport-offline", 1, 0 }, { "dead", 1, 0 },
                { "blocked", 0, 1 }, { "resetting", 0, 1 }, { "quiesce", 0, 1 }, { "some new word", 0, 0 },
        };
        struct fake_env *f = fake_env_new();

        make_disk(f);
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                fake_file(f, SDA "/state", rows[i].state);
                assert_int_equal(fake_run(f, kernel(), "sda"), RESULT_OK);
                if (fake_find(f, "disk_offline", "")->value != rows[i].offline || fake_find(f, "disk_recovering", "")->value != rows[i].recovering)
                        fail_msg("%s", rows[i].state);
        }
        fake_env_free(f);
}

static void a_slowed_link_and_a_sick_file_are_told(void **state UNUSED)
{
        struct fake_env *f = fake_env_new();

        make_disk(f);
        fake_file(f, "sys/class/ata_link/link3/sata_spd_limit", "3.0 Gbps\n");
        assert_int_equal(fake_run(f, kernel(), "sda"), RESULT_OK);
        assert_true(fake_find(f, "disk_link_slowed", "")->value == 1);
        /* No limit was ever set: the kernel prints it so. */
        fake_file(f, "sys/class/ata_link/link3/sata_spd_limit", "<unknown>\n");
        fake_file(f, "sys/class/ata_link/link3/hw_sata_spd_limit", "<unknown>\n");
        assert_int_equal(fake_run(f, kernel(), "sda"), RESULT_OK);
        assert_true(fake_find(f, "disk_link_slowed", "")->value == 0);
        fake_file(f, SDA "/ioerr_cnt", "many\n");
        assert_int_equal(fake_run(f, kernel(), "sda"), RESULT_FAILED);
        assert_non_null(strstr(f->env.why.text, "sys/block/sda/device/ioerr_cnt: Bad message"));
        fake_env_free(f);
}

struct progress {
        struct fake_env *f;
        const char *then;
};

static void *finish_later(void *data)
{
        struct progress *p = data;

        char from[4096], to[4096];

        poll(NULL, 0, 250);
        /* At once, as the kernel does: a reader sees the old or the new. */
        fake_file(p->f, "new-stat", p->then);
        snprintf(from, sizeof(from), "%s/new-stat", p->f->dir);
        snprintf(to, sizeof(to), "%s/" SDA "/block/sda/stat", p->f->dir);
        rename(from, to);
        return NULL;
}

/* Of a disk with requests in flight and none finished for 5 s, and of nothing else, it is said that it hangs. */
static void a_disk_that_finishes_nothing_stalls(void **state UNUSED)
{
        static const struct {
                const char *at_first, *then; /* NULL: nothing happens */
                int stalled;
        } rows[] = {
                { "10 0 80 1 20 0 160 2 0 3 3 0 0 0 0 5 1", NULL, 0 },                                       /* idle */
                { "10 0 80 1 20 0 160 2 4 3 3 0 0 0 0 5 1", "10 0 80 1 21 0 160 2 3 3 3 0 0 0 0 5 1", 0 },     /* a write done */
                { "10 0 80 1 20 0 160 2 4 3 3", "10 0 80 1 20 0 160 2 0 3 3", 0 },                            /* older kernel; gone idle */
                { "10 0 80 1 20 0 160 2 4 3 3 0 0 0 0 5 1", "10 0 80 1 20 0 160 2 4 3 3 0 0 0 0 6 1", 0 },     /* a flush done */
                { "10 0 80 1 20 0 160 2 4 3 3 0 0 0 0 5 1", "10 0 80 1 20 0 160 2 5 3 3 0 0 0 0 5 1", 1 },     /* one more waits */
        };
        struct fake_env *f = fake_env_new();

        make_disk(f);
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct progress p = { f, rows[i].then };
                pthread_t thread;

                fake_file(f, SDA "/block/sda/stat", rows[i].at_first);
                if (p.then)
                        assert_int_equal(pthread_create(&thread, NULL, finish_later, &p), 0);
                assert_int_equal(fake_run(f, kernel(), "sda"), RESULT_OK);
                if (p.then)
                        pthread_join(thread, NULL);
                if (fake_find(f, "block_stalled", "device=sda")->value != rows[i].stalled)
                        fail_msg("row %zu", i);
        }
        fake_file(f, SDA "/block/sda/stat", "10 0 80\n");
        assert_int_equal(fake_run(f, kernel(), "sda"), RESULT_FAILED);
        assert_non_null(strstr(f->env.why.text, "sys/block/sda/stat"));
        fake_env_free(f);
}

static void make_pci(struct fake_env *f, const char *dir, const char *address, const char *class)
{
        static const struct {
                const char *file, *text;
        } files[] = {
                { "aer_dev_correctable", "RxErr 3\nBadTLP 0\nBadDLLP 0\nRollover 0\nTimeout 1\nNonFatalErr 0\nTOTAL_ERR_COR 4\n" },
                { "aer_dev_nonfatal", "Undefined 0\nDLP 0\nUnsupReq 2\nTOTAL_ERR_NONFATAL 2\n" },
                { "aer_dev_fatal", "Undefined 0\nTOTAL_ERR_FATAL 0\n" },
                { "current_link_width", "2\n" },
                { "max_link_width", "4\n" },
        };
        char path[512], target[512];

        for (size_t i = 0; i < ARRAY_LEN(files); i++) {
                snprintf(path, sizeof(path), "sys/devices/%s/%s", dir, files[i].file);
                fake_file(f, path, files[i].text);
        }
        snprintf(path, sizeof(path), "sys/devices/%s/class", dir);
        fake_file(f, path, class);
        snprintf(path, sizeof(path), "sys/bus/pci/devices/%s", address);
        snprintf(target, sizeof(target), "../../../devices/%s", dir);
        link_to(f, path, target);
}

static void pci_devices_are_called_what_they_are(void **state UNUSED)
{
        static const struct {
                const char *instance, *component, *kind;
        } rows[] = {
                { "pci:0000:00:1d.0", "nvme0n1", "disk" },          /* a port with one disk behind it */
                { "pci:0000:01:00.0", "nvme0n1", "disk" },
                { "pci:0000:00:1c.0", "PCI 0000:00:1c.0", "pci" },  /* a port with two interfaces behind it */
                { "pci:0000:02:00.0", "eth0", "net" },
                { "pci:0000:02:00.1", "eth1", "net" },
                { "pci:0000:00:1f.2", "PCI 0000:00:1f.2", "pci" },
        };
        struct fake_env *f = fake_env_new();
        struct instance_list list = { 0 };

        make_pci(f, "pci0000:00/0000:00:1d.0", "0000:00:1d.0", "0x060400\n");
        make_pci(f, "pci0000:00/0000:00:1d.0/0000:01:00.0", "0000:01:00.0", "0x010802\n");
        fake_file(f, "sys/devices/pci0000:00/0000:00:1d.0/0000:01:00.0/nvme/nvme0/state", "live\n");
        make_pci(f, "pci0000:00/0000:00:1c.0", "0000:00:1c.0", "0x060400\n");
        make_pci(f, "pci0000:00/0000:00:1c.0/0000:02:00.0", "0000:02:00.0", "0x020000\n");
        make_pci(f, "pci0000:00/0000:00:1c.0/0000:02:00.1", "0000:02:00.1", "0x020000\n");
        fake_file(f, "sys/devices/pci0000:00/0000:00:1c.0/0000:02:00.0/net/eth0/mtu", "1500\n");
        fake_file(f, "sys/devices/pci0000:00/0000:00:1c.0/0000:02:00.1/net/eth1/mtu", "1500\n");
        make_pci(f, "pci0000:00/0000:00:1f.2", "0000:00:1f.2", "0x010601\n");
        fake_file(f, "sys/bus/pci/devices/not-an-address/aer_dev_correctable", "TOTAL_ERR_COR 0\n");
        assert_int_equal(kernel()->discover(&f->env, &list), 0);
        assert_int_equal(list.n, ARRAY_LEN(rows));
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                const struct instance *inst = find_instance(&list, rows[i].instance);

                assert_string_equal(inst->component, rows[i].component);
                assert_string_equal(inst->kind, rows[i].kind);
        }
        instance_list_done(&list);
        fake_env_free(f);
}

static void pci_errors_are_counted_by_severity(void **state UNUSED)
{
        struct fake_env *f = fake_env_new();
        size_t types = 0;

        make_pci(f, "pci0000:00/0000:00:1f.2", "0000:00:1f.2", "0x010601\n");
        assert_int_equal(fake_run(f, kernel(), "pci:0000:00:1f.2"), RESULT_OK);
        assert_true(fake_find(f, "pcie_errors_total", "severity=correctable")->value == 4);
        assert_true(fake_find(f, "pcie_errors_total", "severity=nonfatal")->value == 2);
        assert_true(fake_find(f, "pcie_errors_total", "severity=fatal")->value == 0);
        assert_true(fake_find(f, "pcie_error_types_total", "severity=correctable,type=RxErr")->value == 3);
        assert_true(fake_find(f, "pcie_link_width_ratio", "device=0000:00:1f.2")->value == 0.5);
        for (size_t i = 0; i < f->n; i++)
                types += streq(f->samples[i].metric, "pcie_error_types_total");
        assert_int_equal(types, 3); /* RxErr, Timeout, UnsupReq */

        fake_file(f, "sys/devices/pci0000:00/0000:00:1f.2/max_link_width", "255\n");
        assert_int_equal(fake_run(f, kernel(), "pci:0000:00:1f.2"), RESULT_OK);
        for (size_t i = 0; i < f->n; i++)
                assert_string_not_equal(f->samples[i].metric, "pcie_link_width_ratio");
        fake_file(f, "sys/devices/pci0000:00/0000:00:1f.2/aer_dev_fatal", "Undefined x\n");
        assert_int_equal(fake_run(f, kernel(), "pci:0000:00:1f.2"), RESULT_FAILED);
        assert_non_null(strstr(f->env.why.text, "'x' is not a count"));
        fake_file(f, "sys/devices/pci0000:00/0000:00:1f.2/aer_dev_fatal", "\n");
        assert_int_equal(fake_run(f, kernel(), "pci:0000:00:1f.2"), RESULT_FAILED);
        assert_non_null(strstr(f->env.why.text, "no line TOTAL_ERR_FATAL"));
        fake_env_free(f);
}

static void ext4_counts_even_where_it_is_not_mounted(void **state UNUSED)
{
        struct fake_env *f = fake_env_new();
        struct instance_list list = { 0 };

        fake_file(f, "sys/fs/ext4/features/lazy_itable_init", "supported\n");
        fake_file(f, "sys/fs/ext4/sda1/errors_count", "3\n");
        fake_file(f, "sys/fs/ext4/sda1/warning_count", "1\n");
        fake_file(f, "sys/fs/ext4/sda1/last_error_func", "ext4_lookup\n");
        fake_file(f, "sys/fs/ext4/sda1/last_error_errcode", "117\n");
        fake_file(f, "sys/fs/ext4/loop0/errors_count", "0\n");
        fake_file(f, "sys/dev/block/8:1/uevent", "DEVNAME=sda1\n");
        fake_file(f, "proc/self/mountinfo", "20 1 8:1 / /srv/mail rw,relatime - ext4 /dev/sda1 rw\n");
        fake_file(f, "sys/class/block/sda1/dev", "8:1\n");
        assert_int_equal(kernel()->discover(&f->env, &list), 0);
        assert_int_equal(list.n, 2);
        assert_string_equal(find_instance(&list, "ext4:sda1")->component, "/srv/mail");
        assert_string_equal(find_instance(&list, "ext4:loop0")->component, "loop0");
        instance_list_done(&list);
        assert_int_equal(fake_run(f, kernel(), "ext4:sda1"), RESULT_OK);
        assert_true(fake_find(f, "ext4_errors_total", "device=sda1,mounted=here")->value == 3);
        assert_true(fake_find(f, "ext4_warnings_total", "device=sda1")->value == 1);
        assert_true(fake_find(f, "ext4_last_error_info", "function=ext4_lookup,line=,errcode=117")->value == 1);
        assert_int_equal(fake_run(f, kernel(), "ext4:loop0"), RESULT_OK);
        assert_true(fake_find(f, "ext4_errors_total", "device=loop0,mounted=elsewhere")->value == 0);
        fake_env_free(f);
}

/* --- rules of kernel messages ------------------------------------------------------------------ */

static void tables_are_complete(void **state UNUSED)
{
        for (size_t i = 0; i < KERNEL_RULES; i++) {
                const struct rule *r = &kernel_rules[i];
                bool known = false;

                if (!r->name || !r->metric || !r->text || !r->clears || !r->source)
                        fail_msg("rule %zu of %d is incomplete", i, KERNEL_RULES);
                for (size_t k = 0; k < KERNEL_METRICS; k++)
                        known |= streq(kernel_metrics[k].name, r->metric);
                if (!known)
                        fail_msg("%s judges %s, which is not measured", r->name, r->metric);
                if (streq(r->metric, "kernel_events_total"))
                        assert_true(kmsg_kind_from_name(r->match_value) > 0);
        }
        for (size_t k = 0; k < KERNEL_METRICS; k++)
                assert_true(kernel_metrics[k].name && kernel_metrics[k].help);
}

static void every_kind_is_judged_here_or_better_elsewhere(void **state UNUSED)
{
        static const enum kmsg_kind elsewhere[] = { KMSG_EDAC_CE, KMSG_EDAC_UE, KMSG_AER_CORRECTED, KMSG_AER_UNCORRECTED,
                                                    KMSG_LINK_DOWN, KMSG_LINK_UP, KMSG_MD_DEGRADED };

        for (int kind = KMSG_NONE + 1; kind < KMSG_MAX; kind++) {
                const struct kmsg_kind_info *info = kmsg_kind_info((enum kmsg_kind)kind);
                bool here = false, there = false;

                for (size_t i = 0; i < KERNEL_RULES; i++)
                        here |= kernel_rules[i].match_value && streq(kernel_rules[i].match_value, info->name);
                for (size_t i = 0; i < ARRAY_LEN(elsewhere); i++)
                        there |= (int)elsewhere[i] == kind;
                if (here == there)
                        fail_msg("%s: judged here %d, elsewhere %d", info->name, here, there);
                if (there)
                        assert_non_null(info->check);
        }
}

/* The level after n events within a minute, one for each rule of the kind: the worst. */
static enum level level_of(const char *kind, int n, int64_t later_s)
{
        enum level worst = LEVEL_OK;

        for (size_t i = 0; i < KERNEL_RULES; i++) {
                const struct rule *r = &kernel_rules[i];
                struct rule_state s = { 0 };
                int64_t t = 1000 * USEC_PER_SEC;

                if (!r->match_value || !streq(r->match_value, kind))
                        continue;
                for (int k = 0; k <= n; k++)
                        rule_step(r, &s, k, NAN, t += USEC_PER_SEC / 2);
                for (int64_t step = 0; step <= later_s; step += 600)
                        rule_step(r, &s, n, NAN, t + step * USEC_PER_SEC);
                worst = level_worse(worst, s.level);
                rule_state_done(&s);
        }
        return worst;
}

static void events_reach_the_level_a_sysadmin_expects(void **state UNUSED)
{
        static const struct {
                const char *kind;
                int n;
                int64_t later_s;
                enum level level;
        } rows[] = {
                { "medium-error", 1, 0, LEVEL_WARNING },       { "medium-error", 100, 0, LEVEL_CRITICAL },
                { "medium-error", 1, 2 * 86400, LEVEL_NOTICE }, { "medium-error", 1, 9 * 86400, LEVEL_OK },
                { "io-error", 1, 0, LEVEL_WARNING },           { "io-error", 150, 0, LEVEL_CRITICAL },
                { "io-error", 150, 2 * 3600, LEVEL_NOTICE },   { "lost-write", 1, 0, LEVEL_CRITICAL },
                { "lost-write", 1, 2 * 86400, LEVEL_WARNING },  { "disk-offlined", 1, 0, LEVEL_CRITICAL },
                { "nvme-down", 1, 0, LEVEL_CRITICAL },         { "nvme-timeout", 1, 0, LEVEL_WARNING },
                { "ata-error", 1, 0, LEVEL_NOTICE },           { "ata-error", 10, 0, LEVEL_WARNING },
                { "oom", 1, 0, LEVEL_NOTICE },                 { "oom", 5, 0, LEVEL_WARNING },
                { "remount-ro", 1, 0, LEVEL_CRITICAL },        { "mce", 1, 0, LEVEL_NOTICE },
                { "mce-uncorrected", 1, 6 * 86400, LEVEL_CRITICAL }, { "usb-reset", 1, 0, LEVEL_OK },
                { "thermal", 50, 0, LEVEL_NOTICE },            { "thermal", 50, 2 * 86400, LEVEL_OK },
                { "link-up", 100, 0, LEVEL_OK },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                enum level level = level_of(rows[i].kind, rows[i].n, rows[i].later_s);

                if (level != rows[i].level)
                        fail_msg("%d %s, %lld s later: %s", rows[i].n, rows[i].kind, (long long)rows[i].later_s, level_name(level));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_disk_that_finishes_nothing_stalls),
                cmocka_unit_test(a_host_without_anything_has_no_instance),
                cmocka_unit_test(counters_of_a_disk_are_hexadecimal),
                cmocka_unit_test(states_of_disks),
                cmocka_unit_test(a_slowed_link_and_a_sick_file_are_told),
                cmocka_unit_test(pci_devices_are_called_what_they_are),
                cmocka_unit_test(pci_errors_are_counted_by_severity),
                cmocka_unit_test(ext4_counts_even_where_it_is_not_mounted),
                cmocka_unit_test(tables_are_complete),
                cmocka_unit_test(every_kind_is_judged_here_or_better_elsewhere),
                cmocka_unit_test(events_reach_the_level_a_sysadmin_expects),
        };

        return cmocka_run_group_tests_name("hw_kernel", tests, NULL, NULL);
}
