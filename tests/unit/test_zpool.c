/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

#include "fake_env.h"
#include "zpool.h"

static const char status[] =
        "  pool: tank\n"
        " state: DEGRADED\n"
        "status: One or more devices could not be used because the label is missing or\n"
        "\tinvalid.  Sufficient replicas exist for the pool to continue\n"
        "\tfunctioning in a degraded state.\n"
        "action: Replace the device using 'zpool replace'.\n"
        "  scan: resilver in progress since Mon Nov 23 10:00:00 2026\n"
        "\t1073741824 scanned at 104857600/s, 536870912 issued at 52428800/s, 2147483648 total\n"
        "\t268435456 resilvered, 25.00% done, 2 days 01:00:30 to go\n"
        "config:\n"
        "\n"
        "\tNAME             STATE     READ WRITE CKSUM\n"
        "\ttank             DEGRADED     0     0     0\n"
        "\t  mirror-0       DEGRADED     0     0     0\n"
        "\t    /dev/sda1    ONLINE       0     0     0\n"
        "\t    replacing-1  DEGRADED     0     0     0\n"
        "\t      1234567    UNAVAIL      0     0     0  was /dev/sdb1\n"
        "\t      /dev/sdc1  ONLINE       0     0     3  (resilvering)\n"
        "\t  raidz2-1       ONLINE       0     0     0\n"
        "\t    /dev/sdd     ONLINE       0     0     0\n"
        "\t    /dev/sde     ONLINE       0     0     0\n"
        "\t    /dev/sdf     FAULTED      9     4     0  too many errors\n"
        "\t    /dev/sdg     ONLINE       0     0     0\n"
        "\tspecial\n"
        "\t  /dev/nvme0n1   ONLINE       0     0     0\n"
        "\tlogs\n"
        "\t  /dev/sdh       ONLINE       0     0     0\n"
        "\tspares\n"
        "\t  /dev/sdi       AVAIL\n"
        "\n"
        "errors: 3 data errors, use '-v' for a list\n"
        "\n"
        "  pool: other\n"
        " state: ONLINE\n";

static const struct zpool_vdev *vdev(const struct zpool *p, const char *name, size_t *ret)
{
        for (size_t i = 0; i < p->n_vdevs; i++)
                if (streq(p->vdevs[i].name, name)) {
                        if (ret)
                                *ret = i;
                        return &p->vdevs[i];
                }
        fail_msg("no vdev %s", name);
        return NULL;
}

static void the_tree_and_what_is_left_of_it(void **state UNUSED)
{
        struct zpool p;
        size_t mirror, raidz, special;

        assert_int_equal(zpool_status_parse(status, &p), 0);
        assert_string_equal(p.name, "tank");
        assert_string_equal(p.state, "DEGRADED");
        assert_string_equal(p.scan, "resilver");
        assert_true(fabs(p.ratio - 0.25) < 1e-9);
        assert_true(p.remaining_s == 2 * 86400 + 3600 + 30);
        assert_int_equal(p.data_errors, 3);
        assert_int_equal(p.n_vdevs, 14);
        assert_int_equal(vdev(&p, "/dev/sdf", NULL)->read, 9);
        assert_int_equal(vdev(&p, "/dev/sdf", NULL)->write, 4);
        assert_int_equal(vdev(&p, "/dev/sdc1", NULL)->checksum, 3);
        assert_int_equal(vdev(&p, "/dev/sdc1", NULL)->depth, 3);
        assert_false(vdev(&p, "replacing-1", NULL)->leaf);
        assert_int_equal(vdev(&p, "/dev/sdh", NULL)->class, ZPOOL_LOG);
        assert_int_equal(vdev(&p, "/dev/sdi", NULL)->class, ZPOOL_SPARE);
        assert_int_equal(vdev(&p, "/dev/sdi", NULL)->read, -1);
        assert_int_equal(vdev(&p, "/dev/nvme0n1", &special)->class, ZPOOL_DATA);
        vdev(&p, "mirror-0", &mirror);
        vdev(&p, "raidz2-1", &raidz);
        assert_int_equal(zpool_redundancy(&p, mirror), 1);
        assert_int_equal(zpool_left(&p, mirror), 1); /* replacing-1 still works */
        assert_int_equal(zpool_redundancy(&p, raidz), 2);
        assert_int_equal(zpool_left(&p, raidz), 1);
        assert_int_equal(zpool_left(&p, special), 0);
        zpool_done(&p);
}

static void other_texts_are_no_pool(void **state UNUSED)
{
        static const char *const texts[] = { "", "no pools available\n", "pool\n state: ONLINE\n", "config:\n\tNAME STATE\n\ttank ONLINE\n" };
        struct zpool p;

        for (size_t i = 0; i < ARRAY_LEN(texts); i++)
                assert_int_equal(zpool_status_parse(texts[i], &p), -ENOENT);
}

static void real_lists_are_read(void **state UNUSED)
{
        static const char *const files[] = { "netdata__zfspool__zpool-list.txt", "netdata__zfspool__zpool-list-vdev.txt" };
        struct zpool_usage u[2][4];

        SKIP_WITHOUT_CORPUS();
        for (size_t i = 0; i < 2; i++) {
                char path[4600], text[4096] = "";
                FILE *f;

                snprintf(path, sizeof(path), "%s/raid/%s", corpus_dir(), files[i]);
                f = fopen(path, "r");
                assert_non_null(f);
                text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
                fclose(f);
                assert_int_equal(zpool_list_parse(text, u[i], 4), i == 0 ? 2 : 1);
        }
        assert_string_equal(u[0][0].name, "rpool");
        assert_int_equal(u[0][0].size, 21367462298);
        assert_int_equal(u[0][0].fragmentation, 33);
        assert_string_equal(u[0][1].health, "FAULTED");
        assert_int_equal(u[0][1].size, -1);
        assert_int_equal(u[1][0].free, 2338599194624);
}

static int run_cmd(struct env *env UNUSED, const char *const argv[], int deadline_s UNUSED, size_t max_out UNUSED, struct cmd_result *ret)
{
        bool is_list = streq(argv[1], "list");

        assert_string_equal(argv[0], "/usr/sbin/zpool");
        assert_string_equal(argv[3], "tank");
        *ret = (struct cmd_result){ .out = strdup(is_list ? "NAME SIZE ALLOC FREE FRAG HEALTH\ntank 1000 900 100 5 DEGRADED\n" : status),
                                    .err_text = strdup("") };
        return 0;
}

static int no_cmd(struct env *env UNUSED, const char *const argv[] UNUSED, int deadline_s UNUSED, size_t max_out UNUSED, struct cmd_result *ret UNUSED)
{
        return -ETIME;
}

static void the_check_tells_pool_and_devices(void **state UNUSED)
{
        const struct check *zfs = check_by_name("zfs");
        struct fake_env *f = fake_env_new();

        f->env.run_cmd = run_cmd;
        fake_file(f, "proc/spl/kstat/zfs/tank/state", "DEGRADED\n");
        fake_file(f, "proc/spl/kstat/zfs/arcstats", "");
        fake_file(f, "sys/block/sdf/size", "1\n");
        assert_int_equal(fake_run(f, zfs, "zfs:tank"), RESULT_OK);
        assert_true(fake_find(f, "zfs_pool_state", "state=degraded")->value == 1);
        assert_true(fake_find(f, "zfs_pool_state", "state=online")->value == 0);
        assert_true(fake_find(f, "zfs_pool_degraded_devices", "pool=tank")->value == 2);
        assert_true(fake_find(f, "zfs_pool_unprotected", "")->value == 0);
        assert_true(fake_find(f, "zfs_pool_data_errors", "")->value == 3);
        assert_true(fake_find(f, "zfs_device_failed", "device=/dev/sdf,component=sdf")->value == 1);
        assert_true(fake_find(f, "zfs_device_failed", "device=1234567,component=zfs:tank")->value == 1);
        assert_true(fake_find(f, "zfs_device_errors_total", "device=/dev/sdf,kind=read")->value == 9);
        assert_true(fabs(fake_find(f, "zfs_pool_free_ratio", "")->value - 0.1) < 1e-9);
        fake_env_free(f);
}

static void a_suspended_pool_is_told_without_asking_zpool(void **state UNUSED)
{
        const struct check *zfs = check_by_name("zfs");
        struct fake_env *f = fake_env_new();

        f->env.run_cmd = no_cmd;
        fake_file(f, "proc/spl/kstat/zfs/tank/state", "SUSPENDED\n");
        assert_int_equal(fake_run(f, zfs, "zfs:tank"), RESULT_OK);
        assert_true(fake_find(f, "zfs_pool_state", "state=suspended")->value == 1);
        fake_file(f, "proc/spl/kstat/zfs/tank/state", "ONLINE\n");
        assert_int_equal(fake_run(f, zfs, "zfs:tank"), RESULT_TIMEOUT);
        fake_env_free(f);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_tree_and_what_is_left_of_it),
                cmocka_unit_test(other_texts_are_no_pool),
                cmocka_unit_test(real_lists_are_read),
                cmocka_unit_test(the_check_tells_pool_and_devices),
                cmocka_unit_test(a_suspended_pool_is_told_without_asking_zpool),
        };

        return cmocka_run_group_tests_name("zpool", tests, NULL, NULL);
}
