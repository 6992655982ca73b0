/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

#include "fake_env.h"
#include "rule.h"

static const struct check *raid(void)
{
        return check_by_name("raid");
}

struct member {
        const char *name, *state, *slot;
};

static void make_md(struct fake_env *f, const char *name, const char *level, const char *disks, const char *degraded, const char *action,
                    const struct member *members, size_t n)
{
        char path[256];
        const struct {
                const char *file, *value;
        } files[] = { { "level", level }, { "raid_disks", disks }, { "degraded", degraded }, { "sync_action", action }, { "array_state", "clean" },
                      { "mismatch_cnt", "128" }, { "uuid", "0a-0b" }, { "sync_completed", "none" } };

        for (size_t i = 0; i < ARRAY_LEN(files); i++) {
                snprintf(path, sizeof(path), "sys/block/%s/md/%s", name, files[i].file);
                fake_file(f, path, files[i].value);
        }
        for (size_t i = 0; i < n; i++) {
                snprintf(path, sizeof(path), "sys/block/%s/md/dev-%s/state", name, members[i].name);
                fake_file(f, path, members[i].state);
                snprintf(path, sizeof(path), "sys/block/%s/md/dev-%s/slot", name, members[i].name);
                fake_file(f, path, members[i].slot);
                snprintf(path, sizeof(path), "sys/block/%s/md/dev-%s/errors", name, members[i].name);
                fake_file(f, path, "3");
                snprintf(path, sizeof(path), "sys/class/block/%s/size", members[i].name);
                fake_file(f, path, "1");
        }
}

static void want(struct fake_env *f, const char *metric, const char *labels, double value)
{
        const struct fake_sample *s = fake_find(f, metric, labels);

        if (s->value != value)
                fail_msg("%s{%s} is %g, wanted %g", metric, labels, s->value, value);
}

static const struct member whole[] = { { "sda1", "in_sync", "0" }, { "sdb1", "in_sync,write_error", "1" } };
static const struct member failed[] = { { "sda1", "in_sync", "0" }, { "sdb1", "faulty", "none" } };
static const struct member rebuilding[] = { { "sda1", "in_sync", "0" }, { "sdc1", "spare", "1" }, { "sdb1", "faulty", "none" } };

static void a_whole_mirror(void **state UNUSED)
{
        struct fake_env *f = fake_env_new();

        make_md(f, "md0", "raid1", "2", "0", "idle", whole, 2);
        assert_int_equal(fake_run(f, raid(), "md0"), RESULT_OK);
        want(f, "raid_degraded_disks", "array=md0,required=2", 0);
        want(f, "raid_redundancy_left_disks", "array=md0", 1);
        want(f, "raid_unprotected", "", 0);
        want(f, "raid_failed", "", 0);
        want(f, "raid_disks", "state=active", 2);
        want(f, "raid_disks", "state=removed", 0);
        want(f, "raid_state", "state=active", 1);
        want(f, "raid_state", "state=recovering", 0);
        want(f, "raid_mismatch_sectors", "copies=mirror", 128);
        want(f, "raid_member_failed", "member=sdb1", 0);
        want(f, "raid_member_read_errors_total", "member=sda1", 3);
        fake_env_free(f);
}

static void degraded_without_a_rebuild_is_unprotected_with_one_it_is_not(void **state UNUSED)
{
        struct fake_env *f = fake_env_new();

        make_md(f, "md0", "raid1", "2", "1", "idle", failed, 2);
        assert_int_equal(fake_run(f, raid(), "md0"), RESULT_OK);
        want(f, "raid_degraded_disks", "", 1);
        want(f, "raid_unprotected", "", 1);
        want(f, "raid_failed", "", 0);
        want(f, "raid_disks", "state=failed", 1);
        want(f, "raid_disks", "state=removed", 0);
        want(f, "raid_member_failed", "member=sdb1,component=sdb1", 1);

        make_md(f, "md0", "raid1", "2", "1", "recover", rebuilding, 3);
        fake_file(f, "sys/block/md0/md/sync_completed", "1000 / 4000\n");
        fake_file(f, "sys/block/md0/md/sync_speed", "10\n");
        assert_int_equal(fake_run(f, raid(), "md0"), RESULT_OK);
        want(f, "raid_degraded_disks", "", 1);
        want(f, "raid_unprotected", "", 0);
        want(f, "raid_disks", "state=rebuilding", 1);
        want(f, "raid_disks", "state=spare", 0);
        want(f, "raid_state", "state=recovering", 1);
        want(f, "raid_sync_ratio", "action=recover", 0.25);
        want(f, "raid_sync_remaining_seconds", "action=recover", 150);
        want(f, "raid_sync_speed_bytes", "action=recover", 10240);
        fake_env_free(f);
}

static void a_missing_member_is_removed_and_a_pulled_one_failed(void **state UNUSED)
{
        struct fake_env *f = fake_env_new();
        char cmd[128];

        make_md(f, "md0", "raid1", "2", "1", "idle", failed, 1);
        assert_int_equal(fake_run(f, raid(), "md0"), RESULT_OK);
        want(f, "raid_disks", "state=removed", 1);
        want(f, "raid_disks", "state=failed", 0);
        want(f, "raid_unprotected", "", 1);

        /* md itself has not noticed yet */
        make_md(f, "md0", "raid1", "2", "0", "idle", whole, 2);
        snprintf(cmd, sizeof(cmd), "rm -r %s/sys/class/block/sdb1", f->dir);
        assert_int_equal(system(cmd), 0);
        assert_int_equal(fake_run(f, raid(), "md0"), RESULT_OK);
        want(f, "raid_degraded_disks", "", 1);
        want(f, "raid_member_failed", "member=sdb1", 1);
        want(f, "raid_unprotected", "", 1);
        fake_env_free(f);
}

static void how_much_is_left_depends_on_the_level(void **state UNUSED)
{
        static const struct {
                const char *level, *disks, *degraded, *layout, *state;
                double left, unprotected, failed;
        } rows[] = {
                { "raid6", "6", "0", "2", "clean", 2, 0, 0 },      { "raid6", "6", "1", "2", "clean", 1, 0, 0 },
                { "raid6", "6", "2", "2", "clean", 0, 1, 0 },      { "raid6", "6", "3", "2", "clean", 0, 0, 1 },
                { "raid5", "3", "1", "2", "active", 0, 1, 0 },     { "raid5", "3", "2", "2", "active", 0, 0, 1 },
                { "raid1", "3", "1", "0", "clean", 1, 0, 0 },      { "raid10", "4", "1", "258", "clean", 0, 1, 0 },
                { "raid10", "4", "2", "258", "clean", 0, 1, 0 },   { "raid10", "4", "3", "258", "clean", 0, 0, 1 },
                { "raid10", "6", "1", "259", "clean", 1, 0, 0 },   { "raid1", "2", "0", "0", "inactive", 1, 0, 1 },
                { "raid0", "2", "0", "0", "broken", 0, 0, 1 },     { "raid5", "4 (3)", "1", "2", "clean", 0, 1, 0 },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct fake_env *f = fake_env_new();

                make_md(f, "md0", rows[i].level, rows[i].disks, rows[i].degraded, "idle", NULL, 0);
                fake_file(f, "sys/block/md0/md/layout", rows[i].layout);
                fake_file(f, "sys/block/md0/md/array_state", rows[i].state);
                assert_int_equal(fake_run(f, raid(), "md0"), RESULT_OK);
                print_message("row %zu: %s of %s, %s lost\n", i, rows[i].level, rows[i].disks, rows[i].degraded);
                want(f, "raid_redundancy_left_disks", "", rows[i].left);
                want(f, "raid_unprotected", "", rows[i].unprotected);
                want(f, "raid_failed", "", rows[i].failed);
                fake_env_free(f);
        }
}

static void mdstat_serves_where_sysfs_has_nothing(void **state UNUSED)
{
        struct fake_env *f = fake_env_new();
        struct instance_list list = { 0 };

        fake_file(f, "proc/mdstat",
                  "Personalities : [raid1]\nmd0 : active raid1 sdc1[2] sdb1[0](F) sda1[1]\n      2096064 blocks super 1.2 [2/1] [_U]\n"
                  "      [==>....]  recovery = 12.5% (260608/2096064) finish=0.5min speed=65152K/sec\n\n"
                  "md127 : inactive sdq[1](S) sdr[0](S)\n      6306 blocks super external:imsm\n"
                  "md9 : inactive sdx1[0](S)\n      6306 blocks super 1.2\nunused devices: <none>\n");
        assert_int_equal(raid()->discover(&f->env, &list), 0);
        assert_int_equal(list.n, 2); /* the container holds no data */
        instance_list_done(&list);
        assert_int_equal(fake_run(f, raid(), "md0"), RESULT_OK);
        want(f, "raid_degraded_disks", "", 1);
        want(f, "raid_disks", "state=active", 1);
        want(f, "raid_sync_ratio", "action=recover", 0.125);
        want(f, "raid_sync_remaining_seconds", "action=recover", 30);
        want(f, "raid_member_failed", "member=sdb1", 1);
        assert_int_equal(fake_run(f, raid(), "md9"), RESULT_OK);
        want(f, "raid_failed", "", 1);
        want(f, "raid_state", "state=inactive", 1);
        fake_env_free(f);
}

static void nothing_here_is_no_instance(void **state UNUSED)
{
        struct fake_env *f = fake_env_new();
        struct instance_list list = { 0 };

        fake_file(f, "sys/block/md5/md/array_state", "clear\n");
        fake_file(f, "sys/block/sda/size", "1\n");
        fake_file(f, "sys/fs/btrfs/features/x", "1\n");
        assert_int_equal(raid()->discover(&f->env, &list), 0);
        assert_int_equal(list.n, 0);
        fake_env_free(f);
}

#define UUID "0abb23a9-579b-43e6-ad30-227ef47fcb9d"
#define BTRFS "sys/fs/btrfs/" UUID

static struct fake_env *btrfs(const char *missing)
{
        struct fake_env *f = fake_env_new();

        fake_file(f, BTRFS "/label", "mail\n");
        fake_file(f, BTRFS "/devices/sda1/size", "1\n");
        fake_file(f, BTRFS "/devices/sdb1/size", "1\n");
        fake_file(f, BTRFS "/devinfo/1/missing", "0\n");
        fake_file(f, BTRFS "/devinfo/1/error_stats", "write_errs 1\nread_errs 2\nflush_errs 0\ncorruption_errs 7\ngeneration_errs 0\n");
        fake_file(f, BTRFS "/devinfo/2/missing", missing);
        fake_file(f, BTRFS "/devinfo/2/error_stats", "write_errs 0\nread_errs 0\nflush_errs 0\ncorruption_errs 0\ngeneration_errs 0\n");
        fake_file(f, BTRFS "/allocation/data/raid1/total_bytes", "100\n");
        fake_file(f, BTRFS "/allocation/data/single/total_bytes", "0\n");
        fake_file(f, BTRFS "/allocation/metadata/raid1c3/total_bytes", "100\n");
        return f;
}

static void btrfs_devices_profiles_and_errors(void **state UNUSED)
{
        struct fake_env *f = btrfs("0\n");

        assert_int_equal(fake_run(f, raid(), "btrfs:0abb23a9"), RESULT_OK);
        want(f, "raid_redundancy_left_disks", "", 1); /* the empty single chunk does not count */
        want(f, "raid_unprotected", "", 0);
        want(f, "raid_device_errors_total", "device_id=1,kind=corruption", 7);
        want(f, "raid_device_errors_total", "device_id=2,kind=write", 0);
        fake_file(f, BTRFS "/devinfo/2/error_stats", "write_errs 0\nread_errs many\n");
        assert_int_equal(fake_run(f, raid(), "btrfs:0abb23a9"), RESULT_FAILED);
        assert_non_null(strstr(f->env.why.text, "devinfo/2/error_stats: Bad message"));
        fake_env_free(f);

        f = btrfs("1\n");
        assert_int_equal(fake_run(f, raid(), "btrfs:0abb23a9"), RESULT_OK);
        want(f, "raid_degraded_disks", "", 1);
        want(f, "raid_unprotected", "", 1);
        want(f, "raid_failed", "", 0);
        fake_env_free(f);
}

/* Names are short; two file systems whose numbers begin alike are still two. */
static void btrfs_that_begin_alike(void **state UNUSED)
{
        struct fake_env *f = btrfs("0\n");
        struct instance_list list = { 0 };

        fake_file(f, "sys/fs/btrfs/0abb23a9-0000-43e6-ad30-227ef47fcb9d/label", "other\n");
        assert_int_equal(raid()->discover(&f->env, &list), 0);
        assert_int_equal(list.n, 2);
        assert_string_equal(list.items[0].name, "btrfs:0abb23a9");
        assert_string_equal(list.items[1].name, "btrfs:" UUID);
        assert_string_equal(list.items[1].id, UUID);
        instance_list_done(&list);
        assert_int_equal(fake_run(f, raid(), "btrfs:" UUID), RESULT_OK);
        want(f, "raid_array_info", "label=mail", 1);
        fake_env_free(f);
}

static void an_array_told_twice_is_one(void **state UNUSED)
{
        struct fake_env *f = fake_env_new();
        struct instance_list list = { 0 };

        fake_file(f, "proc/mdstat", "md0 : active raid1 sdb1[1] sda1[0]\n      8 blocks [2/2] [UU]\nmd0 : active raid1 sdb1[1] sda1[0]\n      8 blocks [2/2] [UU]\n");
        assert_int_equal(raid()->discover(&f->env, &list), 0);
        assert_int_equal(list.n, 1);
        instance_list_done(&list);
        fake_env_free(f);
}

static void untar(struct fake_env *f, const char *name)
{
        char cmd[4600];

        snprintf(cmd, sizeof(cmd), "tar xzf %s/sysfs/%s -C %s", corpus_dir(), name, f->dir);
        assert_int_equal(system(cmd), 0);
}

static void real_trees_are_read(void **state UNUSED)
{
        struct fake_env *f;

        SKIP_WITHOUT_CORPUS();
        f = fake_env_new();
        untar(f, "node_exporter__md.tar.gz");
        assert_int_equal(fake_run(f, raid(), "md0"), RESULT_OK);
        want(f, "raid_failed", "", 0);
        assert_int_equal(fake_run(f, raid(), "md5"), RESULT_OK);
        want(f, "raid_unprotected", "", 1);
        want(f, "raid_disks", "state=failed", 1);
        want(f, "raid_disks", "state=spare", 1);
        assert_int_equal(fake_run(f, raid(), "md6"), RESULT_OK);
        want(f, "raid_redundancy_left_disks", "", 1);
        want(f, "raid_state", "state=recovering", 1);
        untar(f, "node_exporter__btrfs.tar.gz");
        assert_int_equal(fake_run(f, raid(), "btrfs:7f07c59f"), RESULT_OK);
        want(f, "raid_redundancy_left_disks", "", 1); /* data raid5, metadata raid6 */
        fake_env_free(f);
}

/* Degraded before we were started is as bad: the level comes with the first value. */
static void degraded_at_boot_is_told_at_once(void **state UNUSED)
{
        const struct check *c = raid();
        size_t judged = 0;

        for (size_t i = 0; i < c->desc.n_rules; i++) {
                const struct rule *r = &c->desc.rules[i];
                struct rule_state st = { 0 };

                if (!streq(r->metric, "raid_unprotected") && !streq(r->metric, "raid_degraded_disks") && !streq(r->metric, "raid_failed"))
                        continue;
                rule_step(r, &st, 1, NAN, USEC_PER_SEC);
                assert_true(st.level >= LEVEL_WARNING);
                judged++;
        }
        assert_int_equal(judged, 3);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_whole_mirror),
                cmocka_unit_test(degraded_without_a_rebuild_is_unprotected_with_one_it_is_not),
                cmocka_unit_test(a_missing_member_is_removed_and_a_pulled_one_failed),
                cmocka_unit_test(how_much_is_left_depends_on_the_level),
                cmocka_unit_test(mdstat_serves_where_sysfs_has_nothing),
                cmocka_unit_test(nothing_here_is_no_instance),
                cmocka_unit_test(btrfs_devices_profiles_and_errors),
                cmocka_unit_test(btrfs_that_begin_alike),
                cmocka_unit_test(an_array_told_twice_is_one),
                cmocka_unit_test(real_trees_are_read),
                cmocka_unit_test(degraded_at_boot_is_told_at_once),
        };

        return cmocka_run_group_tests_name("hw_raid", tests, NULL, NULL);
}
