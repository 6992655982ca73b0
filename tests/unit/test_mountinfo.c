/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

#include "mountinfo.h"
#include "test.h"

static struct mount_table parse(const char *text)
{
        struct mount_table t;

        assert_int_equal(mountinfo_parse(text, &t, NULL), 0);
        mount_table_choose(&t);
        return t;
}

static const char host[] =
        "22 27 0:21 / /proc rw,relatime - proc proc rw\n"
        "27 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw,errors=remount-ro\n"
        "28 27 0:24 / /run rw,nosuid shared:5 - tmpfs tmpfs rw,size=800k\n"
        "30 27 8:17 / /srv/my\\040mail rw,relatime master:1 propagate_from:2 - xfs /dev/sdb1 rw,attr2\n"
        "31 27 8:2 /usr /usr ro,relatime - ext4 /dev/sda2 rw,errors=remount-ro\n"
        "32 27 0:40 /@ /data rw - btrfs /dev/sdc rw,subvol=/@\n"
        "33 32 0:40 /@home /data/home rw - btrfs /dev/sdc rw,subvol=/@home\n"
        "34 27 0:50 / /var/lib/docker/overlay2/x/merged rw - overlay overlay rw,lowerdir=x\n"
        "35 27 7:1 / /snap/core/1 ro - squashfs /dev/loop1 ro\n";

static void fields_and_escapes(void **state UNUSED)
{
        struct mount_table t = parse(host);

        assert_int_equal(t.n, 9);
        assert_string_equal(t.items[3].mountpoint, "/srv/my mail");
        assert_int_equal(t.items[3].major, 8);
        assert_int_equal(t.items[3].minor, 17);
        assert_string_equal(t.items[3].fstype, "xfs");
        assert_string_equal(t.items[3].source, "/dev/sdb1");
        assert_string_equal(t.items[3].super_options, "rw,attr2");
        assert_string_equal(t.items[4].options, "ro,relatime");
        assert_string_equal(t.items[4].root, "/usr");
        mount_table_done(&t);
}

static void one_mount_for_each_file_system(void **state UNUSED)
{
        static const bool want[] = { false, true, true, true, false, true, false, false, false };
        struct mount_table t = parse(host);

        for (size_t i = 0; i < t.n; i++)
                if (t.items[i].chosen != want[i])
                        fail_msg("%s is%s chosen", t.items[i].mountpoint, want[i] ? " not" : "");
        mount_table_done(&t);
}

static void a_path_belongs_to_the_chosen_mount_of_its_file_system(void **state UNUSED)
{
        static const struct {
                const char *path, *want;
        } rows[] = {
                { "/var/spool/postfix", "/" }, { "/usr/share", "/" },       { "/srv/my mail/joe", "/srv/my mail" },
                { "/srv/my mailbox", "/" },    { "/data/home/joe", "/data" }, { "/run/veille", "/run" },
                { "/proc/1", NULL },           { "/snap/core/1/x", NULL },
        };
        struct mount_table t = parse(host);

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                const struct mount *m = mount_table_holding(&t, rows[i].path);

                if ((m == NULL) != (rows[i].want == NULL) || (m && !streq(m->mountpoint, rows[i].want)))
                        fail_msg("%s is on %s", rows[i].path, m ? m->mountpoint : "none");
        }
        mount_table_done(&t);
}

static void what_is_covered_is_not_seen(void **state UNUSED)
{
        /* /srv/mail was mounted, then /srv over it, then /srv once more over that. */
        struct mount_table t = parse("30 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
                                     "31 30 8:2 / /srv/mail rw - ext4 /dev/sda2 rw\n"
                                     "32 30 8:3 / /srv rw - ext4 /dev/sda3 rw\n"
                                     "33 32 8:4 / /srv rw - ext4 /dev/sda4 rw\n");

        assert_true(t.items[0].chosen);
        assert_false(t.items[1].chosen);
        assert_false(t.items[2].chosen);
        assert_true(t.items[3].chosen);
        assert_string_equal(mount_table_holding(&t, "/srv/mail/joe")->source, "/dev/sda4");
        mount_table_done(&t);
}

static void a_containers_root_counts_although_it_is_an_overlay(void **state UNUSED)
{
        struct mount_table t = parse("1 0 0:5 / / rw - overlay overlay rw,lowerdir=a\n2 1 0:5 / /x rw - overlay overlay rw\n");

        assert_true(t.items[0].chosen);
        assert_false(t.items[1].chosen);
        mount_table_done(&t);
}

static void rubbish_is_counted_and_passed_over(void **state UNUSED)
{
        static const char text[] = "\nno\n1 2 x:1 / / rw - ext4 /dev/sda rw\n1 2 8:1 / relative rw - ext4 /dev/sda rw\n"
                                   "1 2 8:1 / / rw ext4 /dev/sda rw\n1 2 8:1 / / rw - ext4\n"
                                   "3 1 8:1 / / rw - ext4 /dev/sda\n4 4 8:2 / /\\000a rw - ext4 /dev/sdb rw\n";
        struct mount_table t;
        size_t skipped;

        assert_int_equal(mountinfo_parse(text, &t, &skipped), 0);
        assert_int_equal(t.n, 2);
        assert_int_equal(skipped, 5);
        assert_string_equal(t.items[0].super_options, "");
        assert_string_equal(t.items[1].mountpoint, "/\\000a");
        mount_table_done(&t);
}

static void rings_of_parents_end(void **state UNUSED)
{
        struct mount_table t = parse("1 2 8:1 / / rw - ext4 a rw\n2 1 8:2 / / rw - ext4 b rw\n3 3 8:3 / / rw - ext4 c rw\n");

        mount_table_holding(&t, "/x");
        mount_table_done(&t);
}

static void options_are_words(void **state UNUSED)
{
        assert_true(mount_has_option("rw,errors=remount-ro,emergency_ro", "emergency_ro"));
        assert_true(mount_has_option("rw,errors=remount-ro", "errors"));
        assert_false(mount_has_option("rw,errors=remount-ro", "ro"));
        assert_true(mount_has_option("ro", "ro"));
        assert_false(mount_has_option("", "ro"));
        assert_false(mount_has_option("relatime,root=1", "ro"));
}

static void fstab_says_what_is_wanted(void **state UNUSED)
{
        static const char fstab[] = "# /srv ro\n/dev/sda1 / ext4 errors=remount-ro 0 1\n"
                                    "UUID=a\t/mnt/iso/   xfs\tdefaults,ro 0 2\n/dev/sdc /srv/my\\040mail ext4\n";

        assert_int_equal(fstab_wants_readonly(fstab, "/"), 0);
        assert_int_equal(fstab_wants_readonly(fstab, "/mnt/iso"), 1);
        assert_int_equal(fstab_wants_readonly(fstab, "/srv/my mail"), 0);
        assert_int_equal(fstab_wants_readonly(fstab, "/srv"), -ENOENT);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(fields_and_escapes),
                cmocka_unit_test(one_mount_for_each_file_system),
                cmocka_unit_test(a_path_belongs_to_the_chosen_mount_of_its_file_system),
                cmocka_unit_test(what_is_covered_is_not_seen),
                cmocka_unit_test(a_containers_root_counts_although_it_is_an_overlay),
                cmocka_unit_test(rubbish_is_counted_and_passed_over),
                cmocka_unit_test(rings_of_parents_end),
                cmocka_unit_test(options_are_words),
                cmocka_unit_test(fstab_says_what_is_wanted),
        };

        return cmocka_run_group_tests_name("mountinfo", tests, NULL, NULL);
}
