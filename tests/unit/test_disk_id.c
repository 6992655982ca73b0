/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

#include "disk_id.h"
#include "fake_env.h"

static void the_best_identity_is_taken(void **state UNUSED)
{
        static const struct {
                const char *path, *content, *id;
        } rows[] = {
                { "sys/block/sda/device/wwid", "naa.5000C500A1B2C3D4\n", "5000c500a1b2c3d4" },
                { "sys/block/sdb/device/wwid", "t10.ATA     ST4000DM000-1F2168                      Z305B2QN            \n", "Z305B2QN" },
                { "sys/block/nvme0n1/wwid", "eui.0025385b71b0a5d1\n", "0025385b71b0a5d1" },
                { "sys/block/nvme1n1/wwid", "nvme.144d-5331-534d-00000001\n", "nvme.144d-5331-534d-00000001" },
                { "sys/block/vda/serial", "disk one\n", "disk_one" },
                { "sys/block/vdb/serial", "\n", NULL },
                { "sys/block/sdc/device/wwid", "naa.0000000000000000\n", NULL },
                { "sys/block/sdd/size", "1\n", NULL },
        };
        struct fake_env *f = fake_env_new();

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                char name[32], buf[INSTANCE_NAME_MAX];
                int r;

                fake_file(f, rows[i].path, rows[i].content);
                assert_int_equal(sscanf(rows[i].path, "sys/block/%31[^/]", name), 1);
                r = disk_id(&f->env, name, buf, sizeof(buf));
                if (rows[i].id ? r != (int)strlen(rows[i].id) || !streq(buf, rows[i].id) : r != -ENOENT || *buf)
                        fail_msg("%s: %d '%s'", rows[i].path, r, buf);
        }
        fake_file(f, "sys/block/sdc/device/serial", "S3R1AL\n"); /* behind a wwid of zeros */
        char buf[INSTANCE_NAME_MAX];
        assert_int_equal(disk_id(&f->env, "sdc", buf, sizeof(buf)), 6);
        assert_string_equal(buf, "S3R1AL");
        fake_env_free(f);
}

static void only_hardware_is_a_disk(void **state UNUSED)
{
        static const char *const disks[] = { "nvme0n1", "sda", "sdaa", "vda" };
        struct fake_env *f = fake_env_new();
        char **names;

        for (size_t i = 0; i < ARRAY_LEN(disks); i++) {
                char path[64];

                snprintf(path, sizeof(path), "sys/block/%s/device/model", disks[i]);
                fake_file(f, path, "x\n");
                snprintf(path, sizeof(path), "sys/block/%s/size", disks[i]);
                fake_file(f, path, "2048\n");
        }
        fake_file(f, "sys/block/loop0/size", "8\n");
        fake_file(f, "sys/block/dm-0/size", "8\n");
        fake_file(f, "sys/block/md0/size", "8\n");
        fake_file(f, "sys/block/sr0/device/model", "dvd\n");
        fake_file(f, "sys/block/fd0/device/model", "floppy\n");
        fake_file(f, "sys/block/sdz/device/model", "empty card reader\n");
        fake_file(f, "sys/block/sdz/size", "0\n");
        fake_file(f, "sys/block/nvme0c0n1/device/model", "leg\n");
        fake_file(f, "sys/block/nvme0c0n1/hidden", "1\n");
        assert_int_equal(disk_list(&f->env, &names), 0);
        for (size_t i = 0; i < ARRAY_LEN(disks); i++) {
                assert_non_null(names[i]);
                assert_string_equal(names[i], disks[i]);
        }
        assert_null(names[ARRAY_LEN(disks)]);
        env_list_free(names);
        fake_env_free(f);
}

static void no_sysfs_is_said(void **state UNUSED)
{
        struct fake_env *f = fake_env_new();
        char **names;

        assert_int_equal(disk_list(&f->env, &names), -ENOENT);
        fake_env_free(f);
}

/* A SCSI disk that only its vendor knows by a number: the page of it begins with a NUL. */
static void a_serial_number_in_vital_product_data_is_one(void **state UNUSED)
{
        static const struct {
                const char *page;
                size_t len;
                const char *id; /* NULL: none */
        } rows[] = {
                { "\0\x80\0\x06 SC 01", 10, "SC01" }, { "\0\x80\0\x03S\xFF\n", 7, "S" }, { "\0\x80\0\x04    ", 8, NULL },
                { "\0\x80\0\0", 4, NULL }, { "", 0, NULL }, { "\0\x80", 2, NULL }, { "\0\x80\0\x04" "A\0BC", 8, "A" },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct fake_env *f = fake_env_new();
                char path[256], id[32] = "?";
                FILE *file;

                fake_file(f, "sys/block/sda/device/vpd_pg80", "");
                snprintf(path, sizeof(path), "%s/sys/block/sda/device/vpd_pg80", f->dir);
                file = fopen(path, "w");
                assert_int_equal(fwrite(rows[i].page, 1, rows[i].len, file), rows[i].len);
                fclose(file);
                assert_int_equal(disk_id(&f->env, "sda", id, sizeof(id)), rows[i].id ? (int)strlen(rows[i].id) : -ENOENT);
                assert_string_equal(id, rows[i].id ? rows[i].id : "");
                fake_file(f, "sys/block/sda/device/wwid", "naa.5000c500a1b2c3d4\n"); /* a better one */
                assert_true(disk_id(&f->env, "sda", id, sizeof(id)) > 0);
                assert_string_equal(id, "5000c500a1b2c3d4");
                fake_env_free(f);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_best_identity_is_taken),
                cmocka_unit_test(only_hardware_is_a_disk),
                cmocka_unit_test(no_sysfs_is_said),
                cmocka_unit_test(a_serial_number_in_vital_product_data_is_one),
        };

        return cmocka_run_group_tests_name("disk_id", tests, NULL, NULL);
}
