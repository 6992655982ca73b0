/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

#include "test.h"
#include "topology.h"

static void link_up(struct topology *t, const char *parent, const char *child, enum topology_kind kind)
{
        assert_int_equal(topology_add_link(t, parent, child, kind, 1), 0);
}

/* Two disks, a mirror with the root file system, mail on the second partition of sdb alone. */
static struct topology *mirror_and_single(enum topology_kind a, enum topology_kind b)
{
        struct topology *t = topology_new();

        link_up(t, "/", "dm-0", TOPOLOGY_FILESYSTEM);
        link_up(t, "dm-0", "md0", TOPOLOGY_DM);
        link_up(t, "md0", "sda1", a);
        link_up(t, "md0", "sdb1", b);
        link_up(t, "sda1", "sda", TOPOLOGY_PARTITION);
        link_up(t, "sdb1", "sdb", TOPOLOGY_PARTITION);
        link_up(t, "/srv/mail", "sdb2", TOPOLOGY_FILESYSTEM);
        link_up(t, "sdb2", "sdb", TOPOLOGY_PARTITION);
        assert_int_equal(topology_add_role(t, "/", TOPOLOGY_ROLE_ROOT), 0);
        assert_int_equal(topology_add_role(t, "/", TOPOLOGY_ROLE_MAIL_SPOOL), 0);
        assert_int_equal(topology_add_role(t, "/srv/mail", TOPOLOGY_ROLE_MAIL_STORE), 0);
        return t;
}

#define ROOT_AND_SPOOL (TOPOLOGY_ROLE_BIT(TOPOLOGY_ROLE_ROOT) | TOPOLOGY_ROLE_BIT(TOPOLOGY_ROLE_MAIL_SPOOL))
#define STORE TOPOLOGY_ROLE_BIT(TOPOLOGY_ROLE_MAIL_STORE)

static void a_mirror_protects_what_is_on_it_and_nothing_else(void **state UNUSED)
{
        struct topology *t = mirror_and_single(TOPOLOGY_RAID_REDUNDANT, TOPOLOGY_RAID_REDUNDANT);
        char text[64];

        assert_int_equal(topology_roles(t, "sda"), ROOT_AND_SPOOL);
        assert_int_equal(topology_roles(t, "sdb"), ROOT_AND_SPOOL | STORE);
        assert_int_equal(topology_roles_lost(t, "sda"), 0);
        assert_int_equal(topology_roles_lost(t, "sdb"), STORE);
        assert_int_equal(topology_roles_lost(t, "md0"), ROOT_AND_SPOOL);
        assert_true(topology_is_protected(t, "sda"));
        assert_false(topology_is_protected(t, "sdb"));
        assert_false(topology_is_protected(t, "md0"));
        topology_mounts_text(t, "sdb", text, sizeof(text));
        assert_string_equal(text, "/srv/mail, /");
        topology_mounts_text(t, "sdb", text, 10);
        assert_string_equal(text, "/srv/mail");
        topology_free(t);
}

static void a_degraded_mirror_protects_nothing(void **state UNUSED)
{
        struct topology *t = mirror_and_single(TOPOLOGY_RAID_SINGLE, TOPOLOGY_RAID_SPARE);

        assert_int_equal(topology_roles_lost(t, "sda"), ROOT_AND_SPOOL);
        assert_int_equal(topology_roles_lost(t, "sdb"), STORE); /* its half of the mirror is not in use */
        assert_int_equal(topology_roles(t, "sdb"), ROOT_AND_SPOOL | STORE);
        topology_free(t);
}

static void two_members_on_one_disk_are_lost_together(void **state UNUSED)
{
        struct topology *t = topology_new();

        link_up(t, "/", "md0", TOPOLOGY_FILESYSTEM);
        link_up(t, "md0", "sda1", TOPOLOGY_RAID_REDUNDANT);
        link_up(t, "md0", "sda2", TOPOLOGY_RAID_REDUNDANT);
        link_up(t, "sda1", "sda", TOPOLOGY_PARTITION);
        link_up(t, "sda2", "sda", TOPOLOGY_PARTITION);
        topology_add_role(t, "/", TOPOLOGY_ROLE_ROOT);
        assert_int_equal(topology_roles_lost(t, "sda"), TOPOLOGY_ROLE_BIT(TOPOLOGY_ROLE_ROOT));
        assert_int_equal(topology_roles_lost(t, "sda1"), 0);
        assert_false(topology_is_protected(t, "sda"));
        topology_free(t);
}

static void raid6_survives_two_members_of_one_controller_but_not_three(void **state UNUSED)
{
        static const struct {
                const char *disk, *hba;
        } members[] = { { "sda", "hba0" }, { "sdb", "hba0" }, { "sdc", "hba1" }, { "sdd", "hba1" }, { "sde", "hba1" } };
        struct topology *t = topology_new();

        link_up(t, "/srv", "md1", TOPOLOGY_FILESYSTEM);
        for (size_t i = 0; i < ARRAY_LEN(members); i++) {
                assert_int_equal(topology_add_link(t, "md1", members[i].disk, TOPOLOGY_RAID_REDUNDANT, 2), 0);
                link_up(t, members[i].disk, members[i].hba, TOPOLOGY_CONTROLLER);
        }
        topology_add_role(t, "/srv", TOPOLOGY_ROLE_MAIL_STORE);
        assert_true(topology_is_protected(t, "sda"));
        assert_true(topology_is_protected(t, "hba0"));
        assert_false(topology_is_protected(t, "hba1"));
        assert_int_equal(topology_roles_lost(t, "hba1"), STORE);
        topology_free(t);
}

static void what_is_not_there_or_carries_nothing_is_not_protected(void **state UNUSED)
{
        struct topology *t = mirror_and_single(TOPOLOGY_RAID_REDUNDANT, TOPOLOGY_RAID_REDUNDANT);

        link_up(t, "sdz1", "sdz", TOPOLOGY_PARTITION);
        assert_true(topology_knows(t, "sdz"));
        assert_false(topology_is_protected(t, "sdz"));
        assert_false(topology_knows(t, "DIMM_A1"));
        assert_false(topology_is_protected(t, "DIMM_A1"));
        assert_int_equal(topology_roles(t, "DIMM_A1"), 0);
        topology_free(t);
}

static void related_names_come_nearest_first_and_are_counted_beyond_the_room(void **state UNUSED)
{
        struct topology *t = mirror_and_single(TOPOLOGY_RAID_REDUNDANT, TOPOLOGY_RAID_REDUNDANT);
        const char *names[8];

        assert_int_equal(topology_related(t, "sda", TOPOLOGY_UP, names, ARRAY_LEN(names)), 4);
        assert_string_equal(names[0], "sda1");
        assert_string_equal(names[1], "md0");
        assert_string_equal(names[3], "/");
        assert_int_equal(topology_related(t, "sda", TOPOLOGY_LOST, names, ARRAY_LEN(names)), 1);
        assert_int_equal(topology_related(t, "/", TOPOLOGY_DOWN, names, 1), 6);
        assert_string_equal(names[0], "dm-0");
        assert_int_equal(topology_related(t, "nobody", TOPOLOGY_DOWN, names, 1), 0);
        topology_free(t);
}

static void rings_and_rubbish_do_no_harm(void **state UNUSED)
{
        struct topology *t = topology_new();
        char name[300];

        link_up(t, "a", "b", TOPOLOGY_DM);
        link_up(t, "b", "a", TOPOLOGY_DM);
        link_up(t, "b", "a", TOPOLOGY_DM);
        assert_int_equal(topology_related(t, "a", TOPOLOGY_UP, NULL, 0), 1);
        assert_int_equal(topology_add_link(t, "a", "a", TOPOLOGY_DM, 0), -EINVAL);
        assert_int_equal(topology_add_link(t, "a", "", TOPOLOGY_DM, 0), -EINVAL);
        memset(name, 'x', sizeof(name) - 1);
        name[sizeof(name) - 1] = '\0';
        assert_int_equal(topology_add_role(t, name, TOPOLOGY_ROLE_ROOT), -EINVAL);
        topology_free(t);
}

static void the_number_of_components_is_bounded(void **state UNUSED)
{
        struct topology *t = topology_new();
        int r = 0, i;

        for (i = 0; i < 5000 && r == 0; i++) {
                char name[16];

                snprintf(name, sizeof(name), "c%d", i);
                r = topology_add_role(t, name, TOPOLOGY_ROLE_STATE);
        }
        assert_int_equal(r, -E2BIG);
        assert_int_equal(i, 2049);
        assert_true(topology_knows(t, "c2047"));
        assert_false(topology_knows(t, "c2048"));
        topology_free(t);
}

static void samples_are_read_by_their_labels(void **state UNUSED)
{
        static const char *const member[] = { "kind", "raid-redundant", "parent", "md0", "child", "sda", "tolerates", "2", NULL };
        static const char *const other[] = { "kind", "raid-redundant", "parent", "md0", "child", "sdb", "tolerates", "2", NULL };
        static const char *const mount[] = { "parent", "/", "child", "md0", "kind", "filesystem", NULL };
        static const char *const role[] = { "component", "/", "role", "root", NULL };
        static const char *const odd[] = { "parent", "/", "child", "md0", "kind", "magic", NULL };
        struct topology *t = topology_new();

        assert_int_equal(topology_add_sample(t, "topology_link_info", member), 0);
        assert_int_equal(topology_add_sample(t, "topology_link_info", other), 0);
        assert_int_equal(topology_add_sample(t, "topology_link_info", mount), 0);
        assert_int_equal(topology_add_sample(t, "topology_role_info", role), 0);
        assert_int_equal(topology_add_sample(t, "topology_link_info", odd), -EINVAL);
        assert_int_equal(topology_add_sample(t, "fs_size_bytes", mount), -EINVAL);
        assert_true(topology_is_protected(t, "sda"));
        topology_free(t);
}

static void names_go_both_ways(void **state UNUSED)
{
        for (int i = 0; i < TOPOLOGY_KIND_MAX; i++)
                assert_int_equal(topology_kind_from_name(topology_kind_name((enum topology_kind)i)), i);
        for (int i = 0; i < TOPOLOGY_ROLE_MAX; i++)
                assert_int_equal(topology_role_from_name(topology_role_name((enum topology_role)i)), i);
        assert_int_equal(topology_role_from_name("mail"), -EINVAL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_mirror_protects_what_is_on_it_and_nothing_else),
                cmocka_unit_test(a_degraded_mirror_protects_nothing),
                cmocka_unit_test(two_members_on_one_disk_are_lost_together),
                cmocka_unit_test(raid6_survives_two_members_of_one_controller_but_not_three),
                cmocka_unit_test(what_is_not_there_or_carries_nothing_is_not_protected),
                cmocka_unit_test(related_names_come_nearest_first_and_are_counted_beyond_the_room),
                cmocka_unit_test(rings_and_rubbish_do_no_harm),
                cmocka_unit_test(the_number_of_components_is_bounded),
                cmocka_unit_test(samples_are_read_by_their_labels),
                cmocka_unit_test(names_go_both_ways),
        };

        return cmocka_run_group_tests_name("topology", tests, NULL, NULL);
}
