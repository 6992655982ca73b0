/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The check topology on trees of hosts, judged by the graph that the brain builds from it. */

#include "fake_env.h"
#include "topology.h"

static struct topology *run_and_build(struct fake_env *f)
{
        struct topology *t = topology_new();

        assert_int_equal(fake_run(f, check_by_name("topology"), "host"), RESULT_OK);
        for (size_t i = 0; i < f->n; i++) {
                const char *labels[32];
                size_t n = 0;
                char *save = NULL;

                for (char *w = strtok_r(f->samples[i].labels, ",", &save); w; w = strtok_r(NULL, ",", &save)) {
                        char *eq = strchr(w, '=');

                        *eq = '\0';
                        labels[n++] = w;
                        labels[n++] = eq + 1;
                }
                labels[n] = NULL;
                assert_int_equal(topology_add_sample(t, f->samples[i].metric, labels), 0);
        }
        return t;
}

static void symlink_in(struct fake_env *f, const char *target, const char *path)
{
        char full[256];

        snprintf(full, sizeof(full), "%s/%s", f->dir, path);
        assert_int_equal(symlink(target, full), 0);
}

/* A disk behind a PCI function, as sysfs lays it out. */
static void make_disk(struct fake_env *f, const char *disk, const char *device)
{
        char path[256], target[256];

        fake_file(f, "sys/block/x", "");
        fake_file(f, "sys/class/block/x", "");
        snprintf(path, sizeof(path), "sys/devices/%s/%s/size", device, disk);
        fake_file(f, path, "1\n");
        snprintf(target, sizeof(target), "../devices/%s/%s", device, disk);
        snprintf(path, sizeof(path), "sys/block/%s", disk);
        symlink_in(f, target, path);
        snprintf(target, sizeof(target), "../../devices/%s/%s", device, disk);
        snprintf(path, sizeof(path), "sys/class/block/%s", disk);
        symlink_in(f, target, path);
}

static void make_partition(struct fake_env *f, const char *disk, const char *device, const char *part)
{
        char path[256], target[256];

        snprintf(path, sizeof(path), "sys/devices/%s/%s/%s/partition", device, disk, part);
        fake_file(f, path, "1\n");
        snprintf(target, sizeof(target), "../../devices/%s/%s/%s", device, disk, part);
        snprintf(path, sizeof(path), "sys/class/block/%s", part);
        symlink_in(f, target, path);
}

#define SATA_A "pci0000:00/0000:00:1f.2/ata1/host0/target0:0:0/0:0:0:0/block"
#define SATA_B "pci0000:00/0000:00:1f.2/ata2/host1/target1:0:0/1:0:0:0/block"
#define NVME "pci0000:00/0000:00:1d.0/0000:03:00.0/nvme/nvme0"
#define VIRTUAL "virtual/block"

/* Two disks with a mirror below LVM for / and swap, mail on a single NVMe, an image on it mounted by loop. */
static struct fake_env *host(const char *state_b, const char *degraded)
{
        struct fake_env *f = fake_env_new();

        make_disk(f, "sda", SATA_A);
        make_partition(f, "sda", SATA_A, "sda1");
        make_disk(f, "sdb", SATA_B);
        make_partition(f, "sdb", SATA_B, "sdb1");
        make_disk(f, "nvme0n1", NVME);
        make_disk(f, "md0", VIRTUAL);
        make_disk(f, "dm-0", VIRTUAL);
        make_disk(f, "loop0", VIRTUAL);
        fake_file(f, "sys/block/md0/md/level", "raid1\n");
        fake_file(f, "sys/block/md0/md/array_state", "clean\n");
        fake_file(f, "sys/block/md0/md/raid_disks", "2\n");
        fake_file(f, "sys/block/md0/md/degraded", degraded);
        fake_file(f, "sys/block/md0/md/dev-sda1/state", "in_sync\n");
        fake_file(f, "sys/block/md0/md/dev-sdb1/state", state_b);
        fake_file(f, "sys/block/dm-0/dm/name", "vg-root\n");
        fake_file(f, "sys/block/dm-0/slaves/md0/x", "");
        fake_file(f, "sys/block/loop0/loop/backing_file", "/srv/mail/image\n");
        fake_file(f, "sys/dev/block/x", "");
        symlink_in(f, "../../devices/" VIRTUAL "/dm-0", "sys/dev/block/253:0");
        symlink_in(f, "../../devices/" NVME "/nvme0n1", "sys/dev/block/259:0");
        symlink_in(f, "../../devices/" VIRTUAL "/loop0", "sys/dev/block/7:0");
        fake_file(f, "dev/mapper/x", "");
        symlink_in(f, "../dm-0", "dev/mapper/vg-swap");
        fake_file(f, "proc/swaps", "Filename Type Size Used Priority\n/dev/mapper/vg-swap partition 1 0 -2\n/dev/zram0 partition 1 0 5\n");
        fake_file(f, "proc/self/mountinfo",
                  "27 1 253:0 / / rw - ext4 /dev/mapper/vg-root rw\n"
                  "30 27 259:0 / /srv/mail rw - xfs /dev/nvme0n1 rw\n"
                  "31 27 7:0 / /mnt/image rw - ext4 /dev/loop0 rw\n"
                  "32 27 0:20 / /proc rw - proc proc rw\n");
        fake_file(f, "var/spool/postfix/x", "");
        fake_file(f, "srv/mail/x", "");
        return f;
}

#define BIT(role) TOPOLOGY_ROLE_BIT(TOPOLOGY_ROLE_##role)
#define ON_ROOT (BIT(ROOT) | BIT(STATE) | BIT(MAIL_SPOOL) | BIT(SWAP))

static void a_mirror_below_lvm_protects_and_the_lone_nvme_does_not(void **state UNUSED)
{
        struct fake_env *f = host("in_sync\n", "0\n");
        struct topology *t = run_and_build(f);
        const char *names[8];

        assert_int_equal(topology_roles(t, "sda"), ON_ROOT);
        assert_int_equal(topology_roles_lost(t, "sda"), 0);
        assert_true(topology_is_protected(t, "sda"));
        assert_true(topology_is_protected(t, "sdb"));
        assert_false(topology_is_protected(t, "md0"));
        assert_int_equal(topology_roles_lost(t, "dm-0"), ON_ROOT);
        assert_int_equal(topology_roles_lost(t, "0000:00:1f.2"), ON_ROOT); /* both disks hang on it */
        assert_int_equal(topology_roles_lost(t, "nvme0n1"), BIT(MAIL_STORE));
        assert_int_equal(topology_roles_lost(t, "nvme0"), BIT(MAIL_STORE));
        assert_int_equal(topology_roles_lost(t, "0000:00:1d.0"), BIT(MAIL_STORE));
        assert_int_equal(topology_related(t, "/mnt/image", TOPOLOGY_DOWN, names, 2), 6);
        assert_string_equal(names[0], "loop0");
        assert_string_equal(names[1], "/srv/mail");
        assert_false(topology_knows(t, "zram0"));
        assert_false(topology_knows(t, "/proc"));
        topology_free(t);
        fake_env_free(f);
}

static void a_degraded_mirror_leaves_its_last_disk_bare(void **state UNUSED)
{
        struct fake_env *f = host("faulty\n", "1\n");
        struct topology *t = run_and_build(f);

        assert_int_equal(topology_roles_lost(t, "sda"), ON_ROOT);
        assert_int_equal(topology_roles_lost(t, "sdb"), 0);
        assert_true(topology_is_protected(t, "sdb"));
        topology_free(t);
        fake_env_free(f);
}

static void a_mirror_that_rebuilds_does_not_need_the_newcomer(void **state UNUSED)
{
        struct fake_env *f = host("spare\n", "1\n");
        struct topology *t = run_and_build(f);

        assert_int_equal(topology_roles_lost(t, "sda"), ON_ROOT);
        assert_int_equal(topology_roles_lost(t, "sdb"), 0);
        topology_free(t);
        fake_env_free(f);
}

#define BTRFS "sys/fs/btrfs/0abb23a9-579b-43e6-ad30-227ef47fcb9d"

static void btrfs_mirrors_by_its_profiles(void **state UNUSED)
{
        struct fake_env *f = fake_env_new();
        struct topology *t;

        make_disk(f, "sda", SATA_A);
        make_disk(f, "sdb", SATA_B);
        fake_file(f, BTRFS "/devices/sda/size", "1\n");
        fake_file(f, BTRFS "/devices/sdb/size", "1\n");
        fake_file(f, BTRFS "/allocation/data/raid1/total_bytes", "9\n");
        fake_file(f, BTRFS "/allocation/metadata/raid1/total_bytes", "9\n");
        fake_file(f, "proc/self/mountinfo", "27 1 0:40 /@ / rw - btrfs /dev/sda rw\n28 27 0:40 /@home /home rw - btrfs /dev/sda rw\n");
        t = run_and_build(f);
        assert_int_equal(topology_roles(t, "sdb"), BIT(ROOT) | BIT(STATE));
        assert_true(topology_is_protected(t, "sdb"));
        topology_free(t);

        fake_file(f, BTRFS "/allocation/metadata/single/total_bytes", "9\n");
        t = run_and_build(f);
        assert_false(topology_is_protected(t, "sdb"));
        topology_free(t);
        fake_env_free(f);
}

static int run_zpool(struct env *env UNUSED, const char *const argv[], int deadline_s UNUSED, size_t max_out UNUSED, struct cmd_result *ret)
{
        assert_string_equal(argv[3], "tank");
        *ret = (struct cmd_result){
                .out = strdup("  pool: tank\n state: DEGRADED\nconfig:\n\n\tNAME STATE READ WRITE CKSUM\n\ttank DEGRADED 0 0 0\n"
                              "\t  mirror-0 ONLINE 0 0 0\n\t    /dev/sda ONLINE 0 0 0\n\t    /dev/sdb ONLINE 0 0 0\n"
                              "\t  mirror-1 DEGRADED 0 0 0\n\t    /dev/sdc ONLINE 0 0 0\n\t    /dev/sdd FAULTED 0 0 0\n"
                              "\tlogs\n\t  /dev/sde ONLINE 0 0 0\n\nerrors: No known data errors\n"),
                .err_text = strdup(""),
        };
        return 0;
}

static int no_zpool(struct env *env UNUSED, const char *const argv[] UNUSED, int deadline_s UNUSED, size_t max_out UNUSED, struct cmd_result *ret UNUSED)
{
        return -ENOENT;
}

static void a_pool_needs_each_of_its_mirrors(void **state UNUSED)
{
        struct fake_env *f = fake_env_new();
        struct topology *t;

        f->env.run_cmd = run_zpool;
        fake_file(f, "proc/spl/kstat/zfs/tank/state", "DEGRADED\n");
        fake_file(f, "proc/self/mountinfo", "27 1 0:40 / / rw - zfs tank/root rw\n");
        t = run_and_build(f);
        assert_true(topology_is_protected(t, "sda"));
        assert_false(topology_is_protected(t, "sdc"));
        assert_true(topology_is_protected(t, "sdd"));
        assert_false(topology_knows(t, "sde"));
        topology_free(t);

        f->env.run_cmd = no_zpool;
        t = run_and_build(f);
        assert_int_equal(topology_roles(t, "zfs:tank"), BIT(ROOT) | BIT(STATE));
        topology_free(t);
        fake_env_free(f);
}

static void a_host_without_disks_still_has_roles(void **state UNUSED)
{
        struct fake_env *f = fake_env_new();
        struct topology *t;

        fake_file(f, "proc/self/mountinfo", "1 0 0:5 / / rw - overlay overlay rw,lowerdir=a\n");
        t = run_and_build(f);
        assert_int_equal(topology_roles(t, "/"), BIT(ROOT) | BIT(STATE));
        topology_free(t);
        fake_env_free(f);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_mirror_below_lvm_protects_and_the_lone_nvme_does_not),
                cmocka_unit_test(a_degraded_mirror_leaves_its_last_disk_bare),
                cmocka_unit_test(a_mirror_that_rebuilds_does_not_need_the_newcomer),
                cmocka_unit_test(btrfs_mirrors_by_its_profiles),
                cmocka_unit_test(a_pool_needs_each_of_its_mirrors),
                cmocka_unit_test(a_host_without_disks_still_has_roles),
        };

        return cmocka_run_group_tests_name("hw_topology", tests, NULL, NULL);
}
