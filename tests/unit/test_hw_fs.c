/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

#include "fake_env.h"
#include "mounts.h"

static const struct check *fs(void)
{
        return check_by_name("fs");
}

static const char table[] =
        "22 27 0:21 / /proc rw - proc proc rw\n"
        "27 1 8:2 / / rw,relatime - ext4 /dev/sda2 rw,errors=remount-ro\n"
        "28 27 0:24 / /run rw,nosuid - tmpfs tmpfs rw,size=800k\n"
        "29 27 0:25 / /run/user/1000 rw,nosuid - tmpfs tmpfs rw,size=800k\n"
        "30 27 8:17 / /srv/my\\040mail rw,relatime - ext4 /dev/sdb1 rw,emergency_ro\n"
        "31 27 8:33 / /backup rw,relatime - xfs /dev/sdc1 ro\n"
        "32 27 0:40 / /net rw - nfs4 server:/x rw\n"
        "33 27 8:2 /usr /usr ro - ext4 /dev/sda2 rw,errors=remount-ro\n"
        "34 27 8:49 / /old rw - ext4 /dev/sdd1 ro\n";

static struct fake_env *host(void)
{
        static const char *const dirs[] = { "run/x", "srv/my mail/x", "backup/x", "net/x", "old/x", "var/spool/postfix/x", "var/vmail/x" };
        struct fake_env *f = fake_env_new();

        for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
                fake_file(f, dirs[i], "");
        fake_file(f, "proc/self/mountinfo", table);
        fake_file(f, "etc/fstab", "/dev/sda2 / ext4 errors=remount-ro 0 1\n/dev/sdc1 /backup xfs ro 0 2\n/dev/sdd1 /old ext4 defaults 0 2\n");
        fake_file(f, "sys/class/block/sda2/size", "1\n");
        fake_file(f, "sys/class/block/sdb1/size", "1\n");
        fake_file(f, "sys/fs/ext4/sda2/errors_count", "0\n");
        fake_file(f, "sys/fs/ext4/sdb1/errors_count", "3\n");
        fake_file(f, "sys/fs/ext4/sdb1/last_error_time", "1700000000\n");
        fake_file(f, "dev/sda2", "");
        fake_file(f, "dev/disk/by-uuid/x", "");
        return f;
}

static void those_with_mail_come_first_and_images_binds_and_networks_not_at_all(void **state UNUSED)
{
        static const char *const want[] = { "/", "/run", "/srv/my=20mail", "/backup", "/old" };
        struct fake_env *f = host();
        struct instance_list list = { 0 };
        char target[80];

        snprintf(target, sizeof(target), "%s/dev/disk/by-uuid/0a-1b", f->dir);
        assert_int_equal(symlink("../../sda2", target), 0);
        assert_int_equal(fs()->discover(&f->env, &list), 0);
        assert_int_equal(list.n, ARRAY_LEN(want));
        for (size_t i = 0; i < list.n; i++) {
                assert_string_equal(list.items[i].name, want[i]);
                assert_string_equal(list.items[i].component, want[i]);
                assert_string_equal(list.items[i].kind, "filesystem");
        }
        assert_string_equal(list.items[0].id, "0a-1b");
        assert_string_equal(list.items[1].id, "");
        instance_list_done(&list);
        fake_env_free(f);
}

static void space_is_told_and_a_write_is_tried_where_mail_is(void **state UNUSED)
{
        struct fake_env *f = host();
        double size, avail;

        assert_int_equal(fake_run(f, fs(), "/"), RESULT_OK);
        size = fake_find(f, "fs_size_bytes", "mountpoint=/,device=/dev/sda2,fstype=ext4,holds=mail")->value;
        avail = fake_find(f, "fs_avail_bytes", "mountpoint=/")->value;
        assert_true(size > 0 && avail >= 0 && avail <= size);
        assert_true(fake_find(f, "fs_avail_ratio", "mountpoint=/")->value <= 1);
        assert_true(fake_find(f, "fs_stopped", "cause=write")->value == 0);
        assert_true(fake_find(f, "fs_readonly", "")->value == 0);
        assert_true(fake_find(f, "fs_errors_total", "")->value == 0);
        fake_env_free(f);
}

static void stopped_by_the_kernel_although_it_reads_rw(void **state UNUSED)
{
        struct fake_env *f = host();

        assert_int_equal(fake_run(f, fs(), "/srv/my=20mail"), RESULT_OK);
        assert_true(fake_find(f, "fs_stopped", "mountpoint=/srv/my mail,device=/dev/sdb1,fstype=ext4,holds=data,cause=error")->value == 1);
        assert_true(fake_find(f, "fs_stopped", "cause=shutdown")->value == 0);
        assert_true(fake_find(f, "fs_readonly", "")->value == 1);
        assert_true(fake_find(f, "fs_errors_total", "")->value == 3);
        assert_true(fake_find(f, "fs_last_error_timestamp_seconds", "")->value == 1700000000);
        fake_env_free(f);
}

static void read_only_by_wish_is_no_fault_and_against_fstab_is_one(void **state UNUSED)
{
        struct fake_env *f = host();

        assert_int_equal(fake_run(f, fs(), "/backup"), RESULT_OK);
        assert_true(fake_find(f, "fs_readonly", "")->value == 1);
        assert_true(fake_find(f, "fs_stopped", "cause=remount")->value == 0);
        assert_int_equal(fake_run(f, fs(), "/old"), RESULT_OK);
        assert_true(fake_find(f, "fs_stopped", "cause=remount")->value == 1);
        fake_env_free(f);
}

static void a_mount_that_cannot_be_asked_is_failed_with_a_sample(void **state UNUSED)
{
        struct fake_env *f = host();

        fake_file(f, "proc/self/mountinfo", "27 1 8:2 / / rw - ext4 /dev/sda2 rw\n31 27 8:33 / /vanished rw - xfs /dev/sdc1 rw\n");
        assert_int_equal(fake_run(f, fs(), "/vanished"), RESULT_FAILED);
        assert_true(fake_find(f, "fs_device_error", "mountpoint=/vanished")->value == 1);
        assert_non_null(strstr(f->env.why.text, "/vanished"));
        fake_env_free(f);
}

static void names_of_mount_points_are_reversible_and_short(void **state UNUSED)
{
        char name[INSTANCE_NAME_MAX], other[INSTANCE_NAME_MAX], path[300];

        mount_name("/srv/a=b \xc3\xa4\\", name);
        assert_string_equal(name, "/srv/a=3Db=20=C3=A4=5C");
        memset(path, 'x', sizeof(path) - 1);
        path[0] = '/';
        path[sizeof(path) - 1] = '\0';
        mount_name(path, name);
        assert_int_equal(strlen(name), INSTANCE_NAME_MAX - 1);
        path[290] = 'y';
        mount_name(path, other);
        assert_string_not_equal(name, other);
}

static void holding(struct fake_env *f, const char *path, const char *want)
{
        struct mount_table t;
        const struct mount *m;

        assert_int_equal(mounts_read(&f->env, &t), 0);
        m = mounts_holding(&f->env, &t, path);
        if (!m || !streq(m->mountpoint, want))
                fail_msg("%s is on %s, not %s", path, m ? m->mountpoint : "nothing", want);
        mount_table_done(&t);
}

static void links_are_followed_but_not_on_network_file_systems(void **state UNUSED)
{
        static const struct {
                const char *link, *target;
        } links[] = {
                { "var/mail", "../srv/./my mail/" }, { "var/abs", "/backup/x" }, { "var/up", "../../../../old" },
                { "var/ring", "ring" },              { "net/vmail", "/backup" }, { "var/two", "abs" },
        };
        struct fake_env *f = host();

        for (size_t i = 0; i < ARRAY_LEN(links); i++) {
                char path[128];

                snprintf(path, sizeof(path), "%s/%s", f->dir, links[i].link);
                assert_int_equal(symlink(links[i].target, path), 0);
        }
        holding(f, "/var/mail/joe", "/srv/my mail");
        holding(f, "/var/abs", "/backup");
        holding(f, "/var/two", "/backup");
        holding(f, "/var/up/x", "/old");
        holding(f, "/var/ring/x", "/");
        holding(f, "/net/vmail/x", "/net");
        holding(f, "/nowhere/at/all", "/");
        fake_env_free(f);
}

static void usual_places_on_a_network_file_system_are_not_looked_for(void **state UNUSED)
{
        struct fake_env *f = host();
        struct mail_paths mail = { 0 };
        struct mount_table t;

        fake_file(f, "home/vmail/x", "");
        fake_file(f, "proc/self/mountinfo",
                  "27 1 8:2 / / rw - ext4 /dev/sda2 rw\n32 27 0:40 / /home rw - nfs4 server:/x rw\n"
                  "33 27 0:41 / /srv/mail rw - nfs4 server:/y rw\n");
        assert_int_equal(mounts_read(&f->env, &t), 0);
        mail_paths_read(&f->env, &t, &mail);
        assert_int_equal(mail.n_store, 2);
        assert_string_equal(mail.store[0], "/var/vmail");
        assert_string_equal(mail.store[1], "/srv/mail"); /* is not in the tree: was not looked for */
        mail_paths_done(&mail);
        mount_table_done(&t);
        fake_env_free(f);
}

static void latency_is_measured_once_for_each_file_system_with_mail(void **state UNUSED)
{
        const struct check *latency = check_by_name("latency");
        struct fake_env *f = host();
        struct instance_list list = { 0 };
        double value;

        assert_int_equal(latency->discover(&f->env, &list), 0);
        assert_int_equal(list.n, 1);
        assert_string_equal(list.items[0].name, "/");
        instance_list_done(&list);
        assert_int_equal(fake_run(f, latency, "/"), RESULT_OK);
        value = fake_find(f, "latency_fsync_seconds", "mountpoint=/,directory=/var/spool/postfix")->value;
        assert_true(value > 0 && value < 60);
        assert_true(fake_find(f, "latency_write_failed", "")->value == 0);
        fake_env_free(f);
}

static void a_write_leaves_nothing_behind(void **state UNUSED)
{
        struct fake_env *f = host();
        char **names;

        assert_int_equal(fake_run(f, check_by_name("latency"), "/"), RESULT_OK);
        assert_int_equal(env_list_dir(&f->env, &names, "var/spool/postfix"), 0);
        assert_string_equal(names[0], "x");
        assert_null(names[1]);
        env_list_free(names);
        fake_env_free(f);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(those_with_mail_come_first_and_images_binds_and_networks_not_at_all),
                cmocka_unit_test(space_is_told_and_a_write_is_tried_where_mail_is),
                cmocka_unit_test(stopped_by_the_kernel_although_it_reads_rw),
                cmocka_unit_test(read_only_by_wish_is_no_fault_and_against_fstab_is_one),
                cmocka_unit_test(a_mount_that_cannot_be_asked_is_failed_with_a_sample),
                cmocka_unit_test(names_of_mount_points_are_reversible_and_short),
                cmocka_unit_test(links_are_followed_but_not_on_network_file_systems),
                cmocka_unit_test(usual_places_on_a_network_file_system_are_not_looked_for),
                cmocka_unit_test(latency_is_measured_once_for_each_file_system_with_mail),
                cmocka_unit_test(a_write_leaves_nothing_behind),
        };

        return cmocka_run_group_tests_name("hw_fs", tests, NULL, NULL);
}
