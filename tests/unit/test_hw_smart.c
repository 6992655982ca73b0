/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Which disk is asked by which check, under which name and id, with which words; and what a saved blob gives. How the
 * checks take a smartctl that misbehaves is shown by tests/integration/smart_faults.py. */

#include <time.h>

#include "fake_env.h"

static char asked[1024];       /* the last command line */
static const char *answer;     /* what the fake smartctl prints; NULL: it hangs */
static int answer_status;

static int fake_cmd(struct env *env UNUSED, const char *const argv[], int deadline_s, size_t max_out UNUSED, struct cmd_result *ret)
{
        asked[0] = '\0';
        for (size_t i = 0; argv[i]; i++)
                snprintf(asked + strlen(asked), sizeof(asked) - strlen(asked), "%s%s", i ? " " : "", argv[i]);
        assert_true(deadline_s > 0 && deadline_s < 60);
        if (!answer)
                return -ETIME;
        *ret = (struct cmd_result){ .exit_status = answer_status, .out = strdup(answer), .out_len = strlen(answer), .err_text = strdup("") };
        return 0;
}

static struct fake_env *new_host(void)
{
        struct fake_env *f = fake_env_new();

        f->env.run_cmd = fake_cmd;
        answer = NULL;
        answer_status = 0;
        asked[0] = '\0';
        return f;
}

static void add_disk(struct fake_env *f, const char *name, const char *vendor, const char *wwid, const char *removable)
{
        char path[256];

        snprintf(path, sizeof(path), "sys/block/%s/device/vendor", name);
        fake_file(f, path, vendor);
        snprintf(path, sizeof(path), "sys/block/%s/device/wwid", name);
        fake_file(f, path, wwid);
        snprintf(path, sizeof(path), "sys/block/%s/removable", name);
        fake_file(f, path, removable);
}

static void add_node(struct fake_env *f, const char *name)
{
        char path[256];

        snprintf(path, sizeof(path), "dev/%s", name);
        fake_file(f, path, "what skdump saved");
}

/* "sda=5000c500a1b2c3d4/sda nvme0=SN1/nvme0n1 ": name=id/component of every instance. */
static const char *list(struct fake_env *f, const char *check)
{
        static char text[4096];
        struct instance_list list = { 0 };

        text[0] = '\0';
        assert_int_equal(check_by_name(check)->discover(&f->env, &list), 0);
        for (size_t i = 0; i < list.n; i++) {
                snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s=%s/%s ", list.items[i].name, list.items[i].id,
                         list.items[i].component);
                assert_string_equal(list.items[i].kind, "disk");
        }
        instance_list_done(&list);
        return text;
}

static void with_config(struct fake_env *f, const char *text)
{
        struct config_errors errors = { 0 };

        config_free((struct config *)f->env.config);
        assert_int_equal(config_parse_string("test", text, strlen(text), (struct config **)&f->env.config, &errors), 0);
        config_errors_done(&errors);
}

static void every_disk_is_asked_by_one_check(void **state UNUSED)
{
        struct fake_env *f = new_host();

        add_disk(f, "sda", "ATA     \n", "naa.5000C500A1B2C3D4\n", "0\n");
        add_node(f, "sda");
        add_disk(f, "sdb", "ATA     \n", "t10.ATA     MADE UP 2000                       WD-WX41A1234567\n", "0\n");
        add_disk(f, "sdc", "SEAGATE \n", "naa.5000c50012345678\n", "0\n");
        add_disk(f, "sdd", "Kingston\n", "", "1\n");
        fake_file(f, "sys/block/loop0/size", "0\n");
        fake_file(f, "sys/block/vda/size", "1\n");
        fake_file(f, "sys/block/md0/size", "1\n");
        fake_file(f, "sys/block/nvme0n1/device/serial", "S4XX NR0\n");
        fake_file(f, "sys/block/nvme0n2/size", "1\n");
        fake_file(f, "sys/block/nvme0c0n1/size", "1\n");
        fake_file(f, "sys/block/nvme1n1/size", "1\n");
        fake_file(f, "sys/class/nvme/nvme1/transport", "tcp\n");
        assert_string_equal(list(f, "smart-ata"), "sda=5000c500a1b2c3d4/sda ");
        assert_string_equal(list(f, "smart"), "nvme0=S4XXNR0/nvme0n1 sdb=WD-WX41A1234567/sdb sdc=5000c50012345678/sdc ");
        assert_string_equal(list(f, "smart-raid"), "");
        assert_string_equal(asked, ""); /* no device and no program was touched */
        fake_env_free(f);
}

static void no_disk_is_no_instance(void **state UNUSED)
{
        struct fake_env *f = new_host();

        assert_string_equal(list(f, "smart-ata"), "");
        assert_string_equal(list(f, "smart"), "");
        assert_string_equal(list(f, "smart-raid"), "");
        fake_env_free(f);
}

static void a_configured_type_moves_a_disk(void **state UNUSED)
{
        struct fake_env *f = new_host();

        add_disk(f, "sda", "ATA     \n", "naa.5000c500a1b2c3d4\n", "0\n");
        add_node(f, "sda");
        with_config(f, "[device bay1]\npath = /dev/sda\ntype = sat\n[device shelf]\npath = /dev/sg2\ntype = areca,3/2\n"
                       "[device evil]\npath = /dev/../etc/shadow\n[device odd]\npath = /dev/sdz\ntype = sat -s off\n");
        assert_string_equal(list(f, "smart-ata"), "");
        assert_string_equal(list(f, "smart"), "bay1=5000c500a1b2c3d4/sda ");
        assert_string_equal(list(f, "smart-raid"), "shelf=/shelf ");
        assert_int_equal(fake_run(f, check_by_name("smart"), "bay1"), RESULT_TIMEOUT);
        assert_string_equal(asked, "/usr/sbin/smartctl --json -x -n standby,3 -d sat /dev/sda");
        f->env.wake = true;
        assert_int_equal(fake_run(f, check_by_name("smart"), "bay1"), RESULT_TIMEOUT);
        assert_string_equal(asked, "/usr/sbin/smartctl --json -x -d sat /dev/sda");
        assert_int_equal(fake_run(f, check_by_name("smart-raid"), "shelf"), RESULT_TIMEOUT);
        assert_string_equal(asked, "/usr/sbin/smartctl --json -x -d areca,3/2 /dev/sg2");
        fake_env_free(f);
}

static void nvme_is_asked_without_extras(void **state UNUSED)
{
        struct fake_env *f = new_host();

        fake_file(f, "sys/block/nvme0n1/device/serial", "S4XXNR0\n");
        assert_int_equal(fake_run(f, check_by_name("smart"), "nvme0"), RESULT_TIMEOUT);
        assert_string_equal(asked, "/usr/sbin/smartctl --json -a -n standby,3 -d nvme /dev/nvme0");
        fake_env_free(f);
}

static void the_kernel_may_know_that_it_sleeps(void **state UNUSED)
{
        struct fake_env *f = new_host();

        add_disk(f, "sdc", "SEAGATE \n", "naa.5000c50012345678\n", "0\n");
        fake_file(f, "sys/block/sdc/device/power/runtime_status", "suspended\n");
        assert_int_equal(fake_run(f, check_by_name("smart"), "sdc"), RESULT_OK);
        assert_int_equal(f->n, 1);
        assert_true(fake_find(f, "disk_standby", "")->value == 1);
        assert_string_equal(asked, "");
        f->env.wake = true;
        assert_int_equal(fake_run(f, check_by_name("smart"), "sdc"), RESULT_TIMEOUT);
        assert_string_equal(asked, "/usr/sbin/smartctl --json -x /dev/sdc");
        fake_env_free(f);
}

static void link_to(struct fake_env *f, const char *path, const char *target)
{
        char full[512];

        snprintf(full, sizeof(full), "%s/%s", f->dir, path);
        assert_int_equal(symlink(target, full), 0);
}

static void raid_members_are_found_by_scan(void **state UNUSED)
{
        struct fake_env *f = new_host();

        fake_file(f, "sys/class/scsi_host/host0/proc_name", "megaraid_sas\n");
        fake_file(f, "sys/class/scsi_host/host1/proc_name", "ahci\n");
        fake_file(f, "sys/block/sda/size", "1\n");
        fake_file(f, "sys/devices/0:2:0:0/vendor", "AVAGO   \n");
        link_to(f, "sys/block/sda/device", "../../devices/0:2:0:0");
        answer = "{\"smartctl\":{\"exit_status\":0},\"devices\":[{\"name\":\"/dev/sda\",\"type\":\"scsi\"},"
                 "{\"name\":\"/dev/bus/0\",\"type\":\"megaraid,8\"},{\"name\":\"/dev/bus/0\",\"type\":\"megaraid,9\"},"
                 "{\"name\":\"/etc/shadow\",\"type\":\"megaraid,9\"},{\"name\":7},null]}";
        assert_string_equal(list(f, "smart-raid"), "bus/0:megaraid,8=/bus/0:megaraid,8 bus/0:megaraid,9=/bus/0:megaraid,9 ");
        assert_string_equal(asked, "/usr/sbin/smartctl --json --scan");
        /* The volume they make up has no health of its own. */
        assert_string_equal(list(f, "smart"), "");
        assert_string_equal(list(f, "smart-ata"), "");
        with_config(f, "[device bay8]\npath = /dev/bus/0\ntype = megaraid,8\n");
        assert_string_equal(list(f, "smart-raid"), "bay8=/bay8 bus/0:megaraid,9=/bus/0:megaraid,9 ");
        fake_env_free(f);
}

static void a_controller_without_known_disks_is_said(void **state UNUSED)
{
        struct fake_env *f = new_host();

        fake_file(f, "sys/class/scsi_host/host0/proc_name", "megaraid_sas\n");
        fake_file(f, "sys/class/scsi_host/host2/proc_name", "hpsa\n");
        answer = "{\"devices\":[{\"name\":\"/dev/bus/0\",\"type\":\"megaraid,8\"}]}";
        assert_string_equal(list(f, "smart-raid"), "bus/0:megaraid,8=/bus/0:megaraid,8 host2=/host2 ");
        assert_int_equal(fake_run(f, check_by_name("smart-raid"), "host2"), RESULT_DENIED);
        assert_non_null(strstr(f->env.why.text, "cciss,N"));
        with_config(f, "[device bay1]\npath = /dev/sg0\ntype = sat+cciss,0\n");
        assert_string_equal(list(f, "smart-raid"), "bay1=/bay1 bus/0:megaraid,8=/bus/0:megaraid,8 ");
        fake_env_free(f);
}

static void a_scan_that_hangs_is_no_empty_list(void **state UNUSED)
{
        struct fake_env *f = new_host();
        struct instance_list found = { 0 };

        fake_file(f, "sys/class/scsi_host/host0/proc_name", "megaraid_sas\n");
        assert_int_equal(check_by_name("smart-raid")->discover(&f->env, &found), -ETIME);
        assert_non_null(strstr(f->env.why.text, "RAID controllers"));
        answer = "{\"devices\":[{";
        assert_true(check_by_name("smart-raid")->discover(&f->env, &found) < 0);
        instance_list_done(&found);
        fake_env_free(f);
}

static void copy_node(struct fake_env *f, const char *from, const char *name)
{
        char cmd[512];

        add_node(f, name);
        snprintf(cmd, sizeof(cmd), "cp %s %s/dev/%s", from, f->dir, name);
        assert_int_equal(system(cmd), 0);
}

static void a_saved_blob_stands_for_a_disk(void **state UNUSED)
{
        struct fake_env *f = new_host();

        add_disk(f, "sda", "ATA     \n", "naa.5000c500a1b2c3d4\n", "0\n");
        copy_node(f, "tests/fuzz/corpus/smart_blob/made.blob", "sda");
        assert_int_equal(fake_run(f, check_by_name("smart-ata"), "sda"), RESULT_OK);
        assert_true(fake_find(f, "disk_pending_sectors", "medium=platters")->value == 8);
        assert_true(fake_find(f, "disk_smart_passed", "")->value == 1);
        assert_true(fake_find(f, "disk_standby", "")->value == 0);
        assert_true(fake_find(f, "disk_attribute", "attribute_name=Current_Pending_Sector,attribute_value_type=raw")->value == 8);
        assert_non_null(fake_find(f, "disk_info", "source=libatasmart"));
        copy_node(f, "tests/fuzz/corpus/smart_blob/cut.blob", "sda");
        assert_int_equal(fake_run(f, check_by_name("smart-ata"), "sda"), RESULT_FAILED);
        assert_int_equal(f->n, 0);
        add_node(f, "sda"); /* text */
        assert_int_equal(fake_run(f, check_by_name("smart-ata"), "sda"), RESULT_FAILED);
        assert_non_null(strstr(f->env.why.text, "skdump"));
        fake_env_free(f);
}

/* Bridges that do not know the command hand out zeros, and libatasmart takes them. */
static void a_table_of_zeros_is_no_good_disk(void **state UNUSED)
{
        struct fake_env *f = new_host();
        unsigned char data[4096];
        char path[512];
        FILE *file;
        size_t n;

        add_disk(f, "sda", "ATA     \n", "naa.5000c500a1b2c3d4\n", "0\n");
        copy_node(f, "tests/fuzz/corpus/smart_blob/made.blob", "sda");
        snprintf(path, sizeof(path), "%s/dev/sda", f->dir);
        file = fopen(path, "r+");
        assert_non_null(file);
        n = fread(data, 1, sizeof(data), file);
        for (size_t i = 0; i + 8 + 512 <= n; i++)
                if (memcmp(data + i, "SMDT", 4) == 0)
                        memset(data + i + 8, 0, 512);
        rewind(file);
        assert_int_equal(fwrite(data, 1, n, file), n);
        fclose(file);
        assert_int_equal(fake_run(f, check_by_name("smart-ata"), "sda"), RESULT_FAILED);
        assert_non_null(strstr(f->env.why.text, "the attribute table"));
        assert_int_equal(f->n, 0);
        fake_env_free(f);
}

/* A sentence is told once, whole, whoever wrote it first. */
static void the_sentence_of_the_report_is_kept(void **state UNUSED)
{
        struct fake_env *f = new_host();
        char text[512];

        add_disk(f, "sdc", "SEAGATE \n", "naa.5000c50012345678\n", "0\n");
        snprintf(text, sizeof(text), "{\"smartctl\":{\"exit_status\":0,\"messages\":[{\"string\":\"Nothing to be read here\"}]},"
                 "\"device\":{\"name\":\"/dev/sdc\",\"protocol\":\"SCSI\"},\"local_time\":{\"time_t\":%lld}}", (long long)time(NULL));
        answer = text;
        assert_int_equal(fake_run(f, check_by_name("smart"), "sdc"), RESULT_FAILED);
        assert_string_equal(f->env.why.text, "sdc: smartctl: Nothing to be read here");
        fake_env_free(f);
}

static void identity_is_compared(void **state UNUSED)
{
        static const struct {
                const char *wwn, *serial;
                enum result want;
        } rows[] = {
                { "{\"naa\":5,\"oui\":3152,\"id\":305419896}", "ZA1", RESULT_OK },
                { "{\"naa\":5,\"oui\":3152,\"id\":305419897}", "ZA1", RESULT_FAILED },
                { "null", "ZA1", RESULT_OK },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct fake_env *f = new_host();
                char text[1024];

                add_disk(f, "sdc", "ATA     \n", "naa.5000c50012345678\n", "0\n");
                snprintf(text, sizeof(text),
                         "{\"smartctl\":{\"exit_status\":0},\"device\":{\"name\":\"/dev/sdc\",\"protocol\":\"ATA\",\"type\":\"sat\"},\"wwn\":%s,"
                         "\"serial_number\":\"%s\",\"local_time\":{\"time_t\":%lld},\"smart_status\":{\"passed\":true},"
                         "\"ata_smart_attributes\":{\"table\":[{\"id\":197,\"name\":\"Current_Pending_Sector\",\"value\":100,\"worst\":100,"
                         "\"thresh\":0,\"flags\":{\"value\":18},\"raw\":{\"value\":0}}]}}",
                         rows[i].wwn, rows[i].serial, (long long)time(NULL));
                answer = text;
                assert_int_equal(fake_run(f, check_by_name("smart"), "sdc"), rows[i].want);
                if (rows[i].want == RESULT_OK)
                        assert_true(fake_find(f, "disk_pending_sectors", "")->value == 0);
                else
                        assert_non_null(strstr(f->env.why.text, "another disk"));
                fake_env_free(f);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_disk_is_asked_by_one_check),
                cmocka_unit_test(no_disk_is_no_instance),
                cmocka_unit_test(a_configured_type_moves_a_disk),
                cmocka_unit_test(nvme_is_asked_without_extras),
                cmocka_unit_test(the_kernel_may_know_that_it_sleeps),
                cmocka_unit_test(raid_members_are_found_by_scan),
                cmocka_unit_test(a_controller_without_known_disks_is_said),
                cmocka_unit_test(a_scan_that_hangs_is_no_empty_list),
                cmocka_unit_test(a_saved_blob_stands_for_a_disk),
                cmocka_unit_test(a_table_of_zeros_is_no_good_disk),
                cmocka_unit_test(the_sentence_of_the_report_is_kept),
                cmocka_unit_test(identity_is_compared),
        };

        return cmocka_run_group_tests_name("hw_smart", tests, NULL, NULL);
}
