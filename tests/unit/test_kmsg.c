/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

#include "kmsg_private.h"
#include "test.h"

static bool classify(const char *text, struct kmsg_event *ret)
{
        struct kmsg_record r = { .time_us = -1 };

        snprintf(r.text, sizeof(r.text), "%s", text);
        return kmsg_classify(&r, ret);
}

static void lines_become_events_that_name_their_device(void **state UNUSED)
{
        static const struct {
                const char *text;
                enum kmsg_kind kind;
                const char *device, *member;
                bool detail;
                int64_t sector;
        } rows[] = {
                { "blk_update_request: critical medium error, dev sdb, sector 4136641792", KMSG_MEDIUM_ERROR, "sdb", "", false, 4136641792 },
                { "I/O error, dev nvme0n1, sector 8 op 0x1:(WRITE) flags 0x800 phys_seg 1 prio class 2", KMSG_IO_ERROR, "nvme0n1", "", false, 8 },
                { "end_request: I/O error, dev sda, sector 0", KMSG_IO_ERROR, "sda", "", false, 0 },
                { "critical target error, dev sdc, sector 16 op 0x3:(DISCARD) flags 0x800", KMSG_SCSI_ERROR, "sdc", "", true, 16 },
                { "Buffer I/O error on dev dm-0, logical block 7, lost async page write", KMSG_LOST_WRITE, "dm-0", "", false, 7 },
                { "Buffer I/O error on dev sda1, logical block 7, async page read", KMSG_IO_ERROR, "sda1", "", true, 7 },
                { "ata3.00: exception Emask 0x0 SAct 0xf SErr 0x0 action 0x0", KMSG_ATA_ERROR, "ata3", "", false, -1 },
                { "ata3: exception Emask 0x10 SAct 0x0 SErr 0x4050000 action 0xe frozen", KMSG_ATA_LINK, "ata3", "", false, -1 },
                { "ata12.15: error: { UNC }", KMSG_MEDIUM_ERROR, "ata12", "", false, -1 },
                { "ata1.00: error: { ICRC ABRT }", KMSG_ATA_LINK, "ata1", "", false, -1 },
                { "ata1.00: error: { ABRT }", KMSG_ATA_ERROR, "ata1", "", true, -1 },
                { "ata1.00: disabled", KMSG_DISK_OFFLINED, "ata1", "", false, -1 },
                { "ata1: SATA link down (SStatus 0 SControl 300)", KMSG_ATA_LINK, "ata1", "", true, -1 },
                { "sd 2:0:0:1: [sdb] tag#3 Sense Key : Hardware Error [current]", KMSG_SCSI_ERROR, "sdb", "", false, -1 },
                { "sd 2:0:0:1: rejecting I/O to offline device", KMSG_DISK_OFFLINED, "2:0:0:1", "", false, -1 },
                { "sd 2:0:0:1: [sdb] Device offlined - not ready after error recovery", KMSG_DISK_OFFLINED, "sdb", "", false, -1 },
                { "sd 2:0:0:1: attempting task abort!scmd(0x00000000f4ac0d32), outstanding for 30276 ms", KMSG_DISK_RESET, "2:0:0:1", "", false, -1 },
                { "nvme nvme0: I/O 12 QID 4 timeout, aborting", KMSG_NVME_TIMEOUT, "nvme0", "", false, -1 },
                { "nvme nvme10: I/O tag 5 (1005) opcode 0x2 (I/O Cmd) QID 3 timeout, reset controller", KMSG_NVME_RESET, "nvme10", "", false, -1 },
                { "nvme nvme0: controller is down; will reset: CSTS=0x3, PCI_STATUS=0x10", KMSG_NVME_DOWN, "nvme0", "", false, -1 },
                { "nvme nvme0: Removing after probe failure status: -19", KMSG_DISK_OFFLINED, "nvme0", "", false, -1 },
                { "nvme nvme0: Disabling device after reset failure: -19", KMSG_DISK_OFFLINED, "nvme0", "", false, -1 },
                { "nvme0n1: Read(0x2) @ LBA 99, 8 blocks, Unrecovered Read Error (sct 0x2 / sc 0x81) DNR ", KMSG_MEDIUM_ERROR, "nvme0n1", "", true, 99 },
                { "md/raid1:md0: Disk failure on sda1, disabling device.", KMSG_MD_DEGRADED, "md0", "sda1", false, -1 },
                { "md/raid:md127: Disk failure on nvme0n1p2, disabling device.", KMSG_MD_DEGRADED, "md127", "nvme0n1p2", false, -1 },
                { "md/raid:md1: not enough operational devices (3/5 failed)", KMSG_MD_FAILED, "md1", "", false, -1 },
                { "md/raid1:md0: read error corrected (8 sectors at 2056 on sda2)", KMSG_MD_READ_ERROR, "md0", "sda2", false, 2056 },
                { "EXT4-fs error (device dm-3): ext4_lookup:1785: inode #2: comm imap: deleted inode referenced: 12", KMSG_FS_ERROR, "dm-3", "", false, -1 },
                { "EXT4-fs (sda1): Remounting filesystem read-only", KMSG_REMOUNT_RO, "sda1", "", false, -1 },
                { "Aborting journal on device sdk-8.", KMSG_FS_ERROR, "sdk", "", false, -1 },
                { "Aborting journal on device dm-0-8.", KMSG_FS_ERROR, "dm-0", "", false, -1 },
                { "XFS (dm-0): Log I/O Error Detected.  Shutting down filesystem", KMSG_FS_SHUTDOWN, "dm-0", "", false, -1 },
                { "XFS (sda3): Corruption of in-memory data (0x8) detected at x (fs/xfs/y.c:1).  Shutting down filesystem.", KMSG_FS_SHUTDOWN, "sda3", "", false, -1 },
                { "XFS (sda3): Metadata CRC error detected at xfs_agi_read_verify", KMSG_FS_ERROR, "sda3", "", false, -1 },
                { "BTRFS info (device sdb: state EA): forced readonly", KMSG_REMOUNT_RO, "sdb", "", false, -1 },
                { "BTRFS error (device sdb): bdev /dev/sdc errs: wr 3, rd 0, flush 0, corrupt 0, gen 0", KMSG_FS_ERROR, "sdb", "", false, -1 },
                { "WARNING: Pool 'mail tank' has encountered an uncorrectable I/O failure and has been suspended.", KMSG_FS_SHUTDOWN, "mail tank", "", false, -1 },
                { "EDAC MC0: 4 CE error on CPU#0Channel#2_DIMM#0 (channel:2 slot:0 page:0x0)", KMSG_EDAC_CE, "mc0", "CPU#0Channel#2_DIMM#0", false, -1 },
                { "EDAC MC1: 1 UE memory read error on DIMM A1 (channel:1 slot:0)", KMSG_EDAC_UE, "mc1", "DIMM A1", false, -1 },
                { "EDAC MC0: CE page 0x26f, offset 0x0, grain 8, syndrome 0x2c, row 1, channel 0, label \"DIMM_B1\": i7core", KMSG_EDAC_CE, "mc0", "DIMM_B1", false, -1 },
                { "mce: [Hardware Error]: CPU 0: Machine Check: 0 Bank 4: 9c00000000010092", KMSG_MCE, "", "", true, -1 },
                { "mce: [Hardware Error]: CPU 0: Machine Check: 0 Bank 1: bd000000000000cf", KMSG_MCE_UNCORRECTED, "", "", false, -1 },
                { "mce: [Hardware Error]: CPU 2: Machine Check Exception: 5 Bank 1: bd00", KMSG_MCE_UNCORRECTED, "", "", false, -1 },
                { "Memory failure: 0x1234: recovery action for clean LRU page: Recovered", KMSG_PAGE_OFFLINE, "", "", false, -1 },
                { "{3}[Hardware Error]: event severity: corrected", KMSG_HARDWARE_CORRECTED, "", "", false, -1 },
                { "[Hardware Error]: event severity: fatal", KMSG_HARDWARE_ERROR, "", "", false, -1 },
                { "nvme 0000:01:00.0: PCIe Bus Error: severity=Corrected, type=Physical Layer, (Receiver ID)", KMSG_AER_CORRECTED, "0000:01:00.0", "", false, -1 },
                { "pcieport 0000:00:1c.5: AER: PCIe Bus Error: severity=Uncorrected (Fatal), type=Transaction Layer", KMSG_AER_FATAL, "0000:00:1c.5", "", false, -1 },
                { "pcieport 0000:00:1c.5:   device [8086:9d15] error status/mask=00000001/00002000", KMSG_AER_CORRECTED, "0000:00:1c.5", "", true, -1 },
                { "pcieport 0000:00:1c.5:    [ 0] RxErr                  (First)", KMSG_AER_CORRECTED, "0000:00:1c.5", "", true, -1 },
                { "e1000e 0000:00:1f.6 eno1: NIC Link is Down", KMSG_LINK_DOWN, "eno1", "", false, -1 },
                { "igb 0000:05:00.0 enp5s0: igb: enp5s0 NIC Link is Up 1000 Mbps Full Duplex", KMSG_LINK_UP, "enp5s0", "", false, -1 },
                { "e1000e: eth0 NIC Link is Down", KMSG_LINK_DOWN, "eth0", "", false, -1 },
                { "tg3 0000:02:00.0 eth0: Link is down", KMSG_LINK_DOWN, "eth0", "", false, -1 },
                { "bond0: (slave eth1): link status definitely down, disabling slave", KMSG_LINK_DOWN, "eth1", "", false, -1 },
                { "NETDEV WATCHDOG: eth0 (e1000e): transmit queue 0 timed out", KMSG_NIC_HANG, "eth0", "", false, -1 },
                { "mce: CPU3: Core temperature above threshold, cpu clock throttled (total events = 1)", KMSG_THERMAL, "", "", false, -1 },
                { "thermal thermal_zone0: acpitz: critical temperature reached, shutting down", KMSG_THERMAL_CRITICAL, "", "", false, -1 },
                { "Out of memory: Killed process 4711 (clamd) total-vm:1kB, anon-rss:1kB", KMSG_OOM, "clamd", "", false, -1 },
                { "Memory cgroup out of memory: Killed process 4711 (php fpm) total-vm:1kB", KMSG_OOM_CGROUP, "php fpm", "", false, -1 },
                { "INFO: task kworker/0:1:123 blocked for more than 120 seconds.", KMSG_HUNG_TASK, "kworker/0:1", "", false, -1 },
                { "usb 1-1.4: reset high-speed USB device number 2 using xhci_hcd", KMSG_USB_RESET, "1-1.4", "", false, -1 },
                { "megaraid_sas 0000:03:00.0: 3125 (558012345s/0x0001/FATAL) - VD 00/0 is now OFFLINE", KMSG_HBA_FAULT, "0000:03:00.0", "", false, -1 },
                { "mpt2sas_cm0: fault_state(0x5854)!", KMSG_HBA_FAULT, "", "", false, -1 },
                { "device-mapper: multipath: 254:3: Failing path 8:16.", KMSG_PATH_FAILED, "", "8:16", false, -1 },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct kmsg_event e;

                if (!classify(rows[i].text, &e))
                        fail_msg("no event: %s", rows[i].text);
                if (e.kind != rows[i].kind || e.detail != rows[i].detail || !streq(e.device, rows[i].device) ||
                    !streq(e.member, rows[i].member) || e.sector != rows[i].sector)
                        fail_msg("%s: %s%s device '%s' member '%s' sector %lld", rows[i].text, kmsg_kind_info(e.kind)->name,
                                 e.detail ? " (detail)" : "", e.device, e.member, (long long)e.sector);
        }
}

static void ordinary_lines_are_no_events(void **state UNUSED)
{
        static const char *const rows[] = {
                "", " ", "sd 0:0:0:0: [sda] Attached SCSI disk", "sd 0:0:0:0: [sda] Write Protect is off",
                "ata1.00: configured for UDMA/133", "ata1: EH complete", "ata1: SATA link up 6.0 Gbps (SStatus 133 SControl 300)",
                "ata1.00: ATA-8: disabled today", "nvme nvme0: 4/0/0 default/read/poll queues",
                "EXT4-fs (sda1): mounted filesystem with ordered data mode", "XFS (sda1): Ending clean mount",
                "md/raid1:md0: active with 2 out of 2 mirrors", "EDAC MC0: Giving out device to module lab_edac",
                "audit: type=1400 audit(1:2): apparmor=\"DENIED\" name=\"I/O error, dev sda, sector 1\"",
                "traps: I/O error, dev [1] general protection fault", "I/O error, dev[77]: segfault at 0 ip 0 sp 0 error 4",
                "I/O error, dev fd0, sector 0", "blk_update_request: I/O error, dev sr0, sector 0 op 0x0:(READ)",
                "Buffer I/O error on dev fd0, logical block 0, async page read",
                "sr 1:0:0:0: [sr0] tag#1 Sense Key : Medium Error [current]", "mce: CPU0: Thermal monitoring enabled (TM1)",
                "e1000e 0000:00:1f.6 eno1: renamed from eth0", "IN=eth0 OUT= MAC=00 SRC=192.0.2.1 Link is Down",
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct kmsg_event e;

                if (classify(rows[i], &e))
                        fail_msg("%s: became %s of '%s'", rows[i], kmsg_kind_info(e.kind)->name, e.device);
        }
}

static void counts_units_and_devices_of_the_dictionary(void **state UNUSED)
{
        struct kmsg_event e;
        struct kmsg_record r = { .text = "Under-voltage detected! (0x00050005)", .device = "+hwmon:hwmon1", .seq = 7, .time_us = 9 };

        assert_true(classify("EDAC MC0: 12 CE error on A1 (x)", &e));
        assert_int_equal(e.count, 12);
        assert_true(classify("EDAC MC0: 99999999999999999999999 CE error on A1 (x)", &e));
        assert_int_equal(e.count, 1000000);
        assert_true(classify("ata3.01: failed command: READ DMA", &e));
        assert_int_equal(e.unit, 1);
        assert_true(kmsg_classify(&r, &e));
        assert_string_equal(e.device, "hwmon1");
        assert_int_equal(e.seq, 7);
        assert_int_equal(e.time_us, 9);
        r.facility = 1; /* a program wrote it */
        assert_false(kmsg_classify(&r, &e));
}

/* A line made from each pattern must be taken by that very row: none stands behind one that shadows it. */
static void fill_pattern(const char *pattern, char *buf, size_t size)
{
        static const char *const samples[128] = {
                ['a'] = "ata3.00", ['v'] = "nvme1", ['d'] = "sdx", ['p'] = "0000:01:00.0", ['i'] = "eth7", ['c'] = "a task",
                ['m'] = "2", ['e'] = "sdy1", ['l'] = "DIMM_A1", ['w'] = "word", ['n'] = "3", ['h'] = "3f", ['N'] = "5",
                ['S'] = "4096", ['u'] = "8c00",
        };
        size_t n = 0;

        for (const char *p = pattern; *p; p++) {
                if (*p == '$' || *p == '*')
                        continue;
                if (*p == '%') {
                        const char *sample = samples[(unsigned char)*++p];

                        assert_non_null(sample);
                        n += (size_t)snprintf(buf + n, size - n, "%s", sample);
                } else {
                        buf[n++] = *p;
                }
                assert_true(n + 16 < size);
        }
        buf[n] = '\0';
}

static void no_row_is_shadowed(void **state UNUSED)
{
        char text[512], line[640];
        struct kmsg_event e;

        for (size_t i = 0; i < kmsg_rows_len; i++) {
                fill_pattern(kmsg_rows[i].pattern, text, sizeof(text));
                if (!classify(text, &e))
                        fail_msg("%s: not matched by its own sample '%s'", kmsg_rows[i].pattern, text);
                if (e.kind != kmsg_rows[i].kind || e.detail != kmsg_rows[i].detail)
                        fail_msg("%s: '%s' became %s", kmsg_rows[i].pattern, text, kmsg_kind_info(e.kind)->name);
        }
        for (size_t i = 0; i < kmsg_scsi_rows_len; i++) {
                fill_pattern(kmsg_scsi_rows[i].pattern, text, sizeof(text));
                snprintf(line, sizeof(line), "sd 1:2:3:4: [sdz] tag#77 %s", text);
                assert_true(classify(line, &e));
                if (e.kind != kmsg_scsi_rows[i].kind || e.detail != kmsg_scsi_rows[i].detail || !streq(e.device, "sdz"))
                        fail_msg("%s: '%s' became %s of '%s'", kmsg_scsi_rows[i].pattern, line, kmsg_kind_info(e.kind)->name, e.device);
        }
}

static void every_kind_has_its_words(void **state UNUSED)
{
        for (int i = KMSG_NONE + 1; i < KMSG_MAX; i++) {
                const struct kmsg_kind_info *info = kmsg_kind_info((enum kmsg_kind)i);
                bool used = false;

                assert_true(info->name && *info->name && info->help && *info->help);
                assert_int_equal(kmsg_kind_from_name(info->name), i);
                for (size_t k = 0; k < kmsg_rows_len; k++)
                        used |= (int)kmsg_rows[k].kind == i && !kmsg_rows[k].detail;
                assert_true(used); /* something counts as it */
        }
        assert_int_equal(kmsg_kind_from_name("no-such-kind"), -EINVAL);
        assert_int_equal(kmsg_kind_from_name("none"), -EINVAL);
}

static void records_of_dev_kmsg(void **state UNUSED)
{
        static const char full[] = "3,1234,99000001,-,caller=T1;sd 0:0:0:0: [sda] tag#0 caf\\xc3\\xa9 \\x1b[31m\n"
                                   " SUBSYSTEM=scsi\n DEVICE=+scsi:0:0:0:0\n OTHER=x\n";
        struct kmsg_record r;

        assert_int_equal(kmsg_parse_record(full, strlen(full), &r), 0);
        assert_int_equal(r.priority, 3);
        assert_int_equal(r.facility, 0);
        assert_int_equal(r.seq, 1234);
        assert_int_equal(r.time_us, 99000001);
        assert_string_equal(r.text, "sd 0:0:0:0: [sda] tag#0 caf\xc3\xa9  [31m");
        assert_string_equal(r.subsystem, "scsi");
        assert_string_equal(r.device, "+scsi:0:0:0:0");
        assert_false(r.continued);

        assert_int_equal(kmsg_parse_record("30,5,6,c;systemd[1]: hi\n", 24, &r), 0);
        assert_int_equal(r.facility, 3);
        assert_int_equal(r.priority, 6);
        assert_true(r.continued);
        assert_int_equal(kmsg_parse_record("6,5,6;x", 7, &r), 0); /* no flags: 3.5 to 3.x */
        assert_string_equal(r.text, "x");
        assert_string_equal(r.device, "");
}

static void what_is_no_record_is_refused(void **state UNUSED)
{
        static const char *const rows[] = {
                "", "6", "6,", "6,1,2", "6,1,2,-", "6,1,2,-\n;x", "x,1,2,-;a", "6,x,2,-;a", "6,1,x,-;a", "-6,1,2,-;a", " 6,1,2,-;a",
                "99999,1,2,-;a", "6,99999999999999999999999,2,-;a", "6,1,18446744073709551615,-;a",
        };
        struct kmsg_record r = { .seq = 77 };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
                if (kmsg_parse_record(rows[i], strlen(rows[i]), &r) != -EBADMSG)
                        fail_msg("taken as a record: %s", rows[i]);
        assert_int_equal(r.seq, 77); /* untouched */
}

static void long_texts_are_cut(void **state UNUSED)
{
        static char big[3 * KMSG_RECORD_MAX];
        static struct kmsg_record r;

        memset(big, 'a', sizeof(big));
        memcpy(big, "6,1,2,-;", 8);
        assert_int_equal(kmsg_parse_record(big, sizeof(big), &r), 0);
        assert_int_equal(strlen(r.text), KMSG_TEXT_MAX - 1);
}

static void saved_logs_in_their_forms(void **state UNUSED)
{
        static const struct {
                const char *line;
                int result;
                const char *text;
                int64_t time_us;
                unsigned priority;
        } rows[] = {
                { "[   58.308035] a b", 0, "a b", 58308035, 8 },
                { "[58.308035][  T123] a b\n", 0, "a b", 58308035, 8 },
                { "[58.308035] [sda] Attached", 0, "[sda] Attached", 58308035, 8 },
                { "[Mon Jan 27 19:27:15 2020] a b", 0, "a b", -1, 8 },
                { "<3>[    1.000001] a b", 0, "a b", 1000001, 3 },
                { "<30>[    1.000001] a b", -ENOMSG, NULL, 0, 0 },
                { "kern  :err   : [    2.500000] a b", 0, "a b", 2500000, 3 },
                { "user  :warn  : [    2.500000] a b", -ENOMSG, NULL, 0, 0 },
                { "Feb 20 13:47:04.895483 host kernel: a b", 0, "a b", -1, 8 },
                { "May  7 06:45:12 host kernel: [21584690.529862] a b", 0, "a b", 21584690529862, 8 },
                { "2024-01-29T16:41:37.123456+01:00 host kernel: a b", 0, "a b", -1, 8 },
                { "- 1131566461 2005.11.09 dn228 Nov 9 12:01:01 dn228/dn228 kernel: a b", 0, "a b", -1, 8 },
                { "May  7 06:45:12 host smartd[12]: a b", -ENOMSG, NULL, 0, 0 },
                { "May  7 06:45:12 host kernel:", 0, "", -1, 8 },
                { "[sda] Attached SCSI disk", -EBADMSG, NULL, 0, 0 },
                { "a b", -EBADMSG, NULL, 0, 0 },
                { "", -EBADMSG, NULL, 0, 0 },
                { "[999999999999999999999.1] a", -EBADMSG, NULL, 0, 0 },
                { "May 99x 06:45:12 host kernel: a b", -EBADMSG, NULL, 0, 0 },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct kmsg_record r;
                int result = kmsg_parse_log_line(rows[i].line, strlen(rows[i].line), &r);

                if (result != rows[i].result)
                        fail_msg("%s: %d", rows[i].line, result);
                if (result == 0 && (!streq(r.text, rows[i].text) || r.time_us != rows[i].time_us || r.priority != rows[i].priority))
                        fail_msg("%s: '%s' %lld %u", rows[i].line, r.text, (long long)r.time_us, r.priority);
        }
}

static void a_device_is_found_by_the_path_of_its_disk(void **state UNUSED)
{
        static const char ata3[] = "../devices/pci0000:00/0000:00:1f.2/ata3/host2/target2:0:0/2:0:0:0/block/sda";
        static const char ata30[] = "../devices/pci0000:00/0000:00:1f.2/ata30/host2/target2:0:0/2:0:0:0/block/sda";
        static const char slave[] = "../devices/pci0000:00/0000:00:1f.1/ata3/host2/target2:0:1/2:0:1:0/block/sdb";
        static const char nvme[] = "../devices/pci0000:00/0000:00:1d.0/0000:01:00.0/nvme/nvme0/nvme0n1";
        static const char multipath[] = "../devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1";
        static const struct {
                const char *device;
                int unit;
                const char *name, *path;
                bool on;
        } rows[] = {
                { "ata3", -1, "sda", ata3, true }, { "ata3", 0, "sda", ata3, true }, { "ata3", -1, "sda", ata30, false },
                { "ata3", 1, "sdb", slave, true }, { "ata3", 1, "sda", ata3, false }, { "sda", -1, "sda", ata3, true },
                { "sda1", -1, "sda", ata3, true }, { "sda1", -1, "sd", ata3, false }, { "sdaa", -1, "sda", ata3, false },
                { "2:0:0:0", -1, "sda", ata3, true }, { "0000:00:1f.2", -1, "sda", ata3, true }, { "nvme0", -1, "nvme0n1", nvme, true },
                { "nvme0", -1, "nvme0n1", multipath, true }, { "nvme0n1p2", -1, "nvme0n1", multipath, true },
                { "nvme0n1", -1, "nvme0n1", nvme, true }, { "nvme0n11", -1, "nvme0n1", nvme, false }, { "nvme", -1, "nvme0n1", multipath, false },
                { "0000:01:00.0", -1, "nvme0n1", nvme, true }, { "", -1, "sda", ata3, false }, { "sdb", -1, "sda", ata3, false },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct kmsg_event e = { .unit = rows[i].unit };

                strcpy(e.device, rows[i].device);
                if (kmsg_is_on_path(&e, rows[i].name, rows[i].path) != rows[i].on)
                        fail_msg("%s.%d on %s", rows[i].device, rows[i].unit, rows[i].path);
        }
}

/* --- real logs -------------------------------------------------------------------------------- */

struct tally {
        int lines, kernel, events, details, kinds[KMSG_MAX];
};

static struct tally tally_file(const char *name)
{
        char path[4200], line[16384];
        struct tally t = { 0 };
        FILE *f;

        snprintf(path, sizeof(path), "%s/kernel-log/%s", corpus_dir(), name);
        f = fopen(path, "r");
        if (!f)
                return t;
        while (fgets(line, sizeof(line), f)) {
                static struct kmsg_record r;
                struct kmsg_event e;

                t.lines++;
                if (kmsg_parse_log_line(line, strlen(line), &r) < 0)
                        continue;
                t.kernel++;
                if (!kmsg_classify(&r, &e))
                        continue;
                t.events += !e.detail;
                t.details += e.detail;
                if (!e.detail)
                        t.kinds[e.kind]++;
        }
        fclose(f);
        return t;
}

static void sick_hosts_of_the_corpus_are_recognised(void **state UNUSED)
{
        static const struct {
                const char *file;
                int recognised; /* of its kernel lines, counted by hand: the rest is not about the error */
                enum kmsg_kind kind;
                int n;
        } rows[] = {
                { "issue__ata-unc-media.txt", 12, KMSG_MEDIUM_ERROR, 2 },
                { "issue__ssd-failed-auto-reallocate.txt", 14, KMSG_IO_ERROR, 1 },
                { "issue__ssd-failed-auto-reallocate.txt", 14, KMSG_ATA_LINK, 1 },
                { "issue__scsi-medium-raid.txt", 9, KMSG_MEDIUM_ERROR, 2 },
                { "issue__sas-hba-medium.txt", 8, KMSG_IO_ERROR, 1 },
                { "issue__nvme-controller-down.txt", 6, KMSG_NVME_DOWN, 2 },
                { "issue__ext4-ro-journal.txt", 6, KMSG_REMOUNT_RO, 1 },
                { "issue__ext4-ro-journal.txt", 6, KMSG_LOST_WRITE, 1 },
                { "issue__edac-ce-flood.txt", 7, KMSG_EDAC_CE, 6 },
                { "issue__edac-ce-sbridge.txt", 8, KMSG_EDAC_CE, 1 },
                { "issue__edac-ce-scrub-then-replaced.txt", 8, KMSG_EDAC_CE, 1 },
                { "issue__aer-uncorrected-ahci.txt", 7, KMSG_AER_UNCORRECTED, 1 },
                { "issue__nic-unit-hang.txt", 1, KMSG_NIC_HANG, 1 },
                { "issue__power-limit-xeon.txt", 6, KMSG_POWER, 0 },
                { "insights__vmcore_dmesg__VMCORE_DMESG_CRASH.txt", 2, KMSG_KERNEL_BUG, 1 },
        };

        SKIP_WITHOUT_CORPUS();
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct tally t = tally_file(rows[i].file);

                print_message("%s: %d kernel lines, %d events, %d details\n", rows[i].file, t.kernel, t.events, t.details);
                assert_true(t.kernel > 0);
                assert_int_equal(t.events + t.details, rows[i].recognised);
                assert_int_equal(t.kinds[rows[i].kind], rows[i].n);
        }
}

static void healthy_logs_of_the_corpus_are_silent(void **state UNUSED)
{
        static const char *const files[] = {
                "loghub__Linux_2k.log", "loghub__Thunderbird_2k.log", "loghub__HPC_2k.log", "loghub__BGL_2k.log",
                "insights__dmesg__MSGINFO.txt", "insights__messages__MSGINFO.txt", "issue__smartd-impending-failure-sas.txt",
        };
        int lines = 0;

        SKIP_WITHOUT_CORPUS();
        for (size_t i = 0; i < ARRAY_LEN(files); i++) {
                struct tally t = tally_file(files[i]);

                lines += t.lines;
                if (t.events + t.details)
                        fail_msg("%s: %d events", files[i], t.events + t.details);
        }
        print_message("%d lines without an event\n", lines);
        assert_true(lines > 4000);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(lines_become_events_that_name_their_device),
                cmocka_unit_test(ordinary_lines_are_no_events),
                cmocka_unit_test(counts_units_and_devices_of_the_dictionary),
                cmocka_unit_test(no_row_is_shadowed),
                cmocka_unit_test(every_kind_has_its_words),
                cmocka_unit_test(records_of_dev_kmsg),
                cmocka_unit_test(what_is_no_record_is_refused),
                cmocka_unit_test(long_texts_are_cut),
                cmocka_unit_test(saved_logs_in_their_forms),
                cmocka_unit_test(a_device_is_found_by_the_path_of_its_disk),
                cmocka_unit_test(sick_hosts_of_the_corpus_are_recognised),
                cmocka_unit_test(healthy_logs_of_the_corpus_are_silent),
        };

        return cmocka_run_group_tests_name("kmsg", tests, NULL, NULL);
}
