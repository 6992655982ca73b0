/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* When a file system is bad, and why that matters. */

#include "hw_fs_rules.h"

#define GIB (1024.0 * 1024 * 1024)
#define HOUR 3600
#define DAY 86400

const struct metric_desc fs_metrics[FS_METRICS] = {
        { "fs_size_bytes", METRIC_GAUGE, "bytes", "Size of the file system" },
        { "fs_free_bytes", METRIC_GAUGE, "bytes", "Free space, what is kept for root included" },
        { "fs_avail_bytes", METRIC_GAUGE, "bytes", "Space that everybody may still fill" },
        { "fs_avail_ratio", METRIC_GAUGE, "ratio", "Share of the usable space that is left, as df counts" },
        { "fs_files", METRIC_GAUGE, "", "Inodes of the file system" },
        { "fs_files_free", METRIC_GAUGE, "", "Free inodes" },
        { "fs_files_free_ratio", METRIC_GAUGE, "ratio", "Share of the inodes that is free" },
        { "fs_readonly", METRIC_GAUGE, "", "1 if the file system takes no writes, by wish or by error" },
        { "fs_stopped", METRIC_GAUGE, "", "1 if the file system was stopped against its configuration, by cause" },
        { "fs_device_error", METRIC_GAUGE, "", "1 if the file system could not be asked for its size" },
        { "fs_errors_total", METRIC_COUNTER, "", "Errors that ext4 has recorded in its superblock since the last check of the file system" },
        { "fs_last_error_timestamp_seconds", METRIC_GAUGE, "seconds", "When ext4 recorded the last error" },
};

#define STOPPED(rule_name, cause, sentence, cure)                                                                       \
        {                                                                                                             \
                .name = rule_name, .metric = "fs_stopped", .match_label = "cause", .match_value = cause,                \
                .kind = RULE_LIMIT, .notice = RULE_NONE, .warning = RULE_NONE, .critical = 1, .clear = RULE_NONE,       \
                .evidence = EVIDENCE_FILESYSTEM, .hard = true, .text = sentence, .clears = cure,                        \
                .source = "measured: no program can store anything there, Postfix answers 4xx to every message"         \
        }

#define SPACE(rule_name, metric_name, label, value, n, w, c, back, sentence, why)                                       \
        {                                                                                                             \
                .name = rule_name, .metric = metric_name, .match_label = label, .match_value = value,                   \
                .kind = RULE_LIMIT, .direction = RULE_BELOW, .notice = n, .warning = w, .critical = c, .clear = back,   \
                .hold_s = 120, .evidence = EVIDENCE_FILESYSTEM, .text = sentence,                                       \
                .clears = "free space until it is above the limit again", .source = why                                 \
        }

const struct rule fs_rules[FS_RULES] = {
        STOPPED("fs-stopped-by-error", "error", "the kernel stopped writing to {label:mountpoint} after an error, although it is mounted rw",
                "unmount, run fsck, mount again; look for the cause in the disk below"),
        STOPPED("fs-shut-down", "shutdown", "the file system on {label:mountpoint} was shut down: every access fails",
                "unmount, run fsck, mount again; look for the cause in the disk below"),
        STOPPED("fs-remounted-read-only", "remount", "{label:mountpoint} is mounted read-only, /etc/fstab wants it writable",
                "find out why (dmesg), run fsck, mount -o remount,rw"),
        STOPPED("fs-refuses-writes", "write", "{label:mountpoint} is mounted rw but refused a write",
                "unmount, run fsck, mount again; look for the cause in the disk below"),
        {
                .name = "fs-turned-read-only", .metric = "fs_readonly",
                .kind = RULE_LIMIT, .notice = RULE_NONE, .warning = RULE_NONE, .critical = 1, .clear = RULE_NONE,
                .after_good = true, .evidence = EVIDENCE_FILESYSTEM,
                .text = "{label:mountpoint} no longer takes writes: it was writable before",
                .clears = "mount -o remount,rw, once it is known why it is read-only",
                .source = "measured on Linux 6.1 and 6.18: an error makes ext4 read-only, the mount table may hide it",
        },
        {
                .name = "fs-unreachable", .metric = "fs_device_error",
                .kind = RULE_LIMIT, .notice = RULE_NONE, .warning = RULE_NONE, .critical = 1, .clear = RULE_NONE,
                .evidence = EVIDENCE_FILESYSTEM, .hard = true,
                .text = "{label:mountpoint} does not even tell its size: the file system or its device is gone",
                .clears = "bring the device back, mount again",
                .source = "statvfs fails only when the device or the server below has failed",
        },
        {
                .name = "fs-new-error", .metric = "fs_errors_total",
                .kind = RULE_CHANGE, .notice = RULE_NONE, .warning = RULE_NONE, .critical = 1, .clear = RULE_NONE,
                .calm_s = 7 * DAY, .evidence = EVIDENCE_FILESYSTEM,
                .text = "ext4 found {growth} new {n:error|errors} on {label:mountpoint}",
                .clears = "run fsck, then veillectl accept; or a week without a new one",
                .source = "ext4 counts only what contradicts its own structures or could not be read",
        },
        {
                .name = "fs-needs-check", .metric = "fs_errors_total",
                .kind = RULE_LIMIT, .notice = RULE_NONE, .warning = 1, .critical = RULE_NONE, .clear = RULE_NONE,
                .evidence = EVIDENCE_FILESYSTEM,
                .text = "ext4 has recorded {value} {n:error|errors} on {label:mountpoint} since its last check",
                .clears = "run fsck on the unmounted file system: it sets the count to 0",
                .source = "e2fsck clears the count; a file system with errors is mounted until it fails for good",
        },
        SPACE("fs-space", "fs_avail_ratio", "size", "normal", 0.15, 0.08, 0.03, 0.17, "{label:mountpoint} has {percent} of its space left",
              "file systems fragment and logs stop below a tenth; monit and the Prometheus mixin warn at 3 to 20 %"),
        SPACE("fs-space-large", "fs_avail_ratio", "size", "large", RULE_NONE, 0.04, 0.015, 0.05,
              "{label:mountpoint} has {percent} of its space left",
              "more than 1 TiB: a percent is still much, so the limits are lower"),
        SPACE("fs-space-mail", "fs_avail_bytes", "holds", "mail", RULE_NONE, GIB, GIB / 4, 1.25 * GIB,
              "{label:mountpoint} holds mail and has {bytes} left",
              "Postfix refuses mail below 1.5 message_size_limit (15 MB by default); large messages come many at a time"),
        SPACE("fs-inodes", "fs_files_free_ratio", NULL, NULL, 0.15, 0.08, 0.02, 0.17, "{label:mountpoint} has {percent} of its inodes left",
              "a maildir takes an inode a message: inodes can end long before the space does"),
        {
                .name = "fs-space-forecast", .metric = "fs_avail_bytes",
                .kind = RULE_FORECAST, .direction = RULE_BELOW, .limit = 0,
                .notice = 7 * DAY, .warning = 3 * DAY, .critical = RULE_NONE, .clear = RULE_NONE,
                .hold_s = 6 * HOUR, .calm_s = 2 * HOUR, .window_s = 3 * DAY, .evidence = EVIDENCE_FILESYSTEM,
                .text = "{label:mountpoint} will be full in about {forecast}",
                .clears = "the trend of three days no longer reaches the end within a week",
                .source = "three days level out the nights and backups; a week is what an order of disks takes",
        },
        {
                .name = "fs-space-rush", .metric = "fs_avail_bytes",
                .kind = RULE_FORECAST, .direction = RULE_BELOW, .limit = 0,
                .notice = RULE_NONE, .warning = 6 * HOUR, .critical = RULE_NONE, .clear = RULE_NONE,
                .hold_s = 900, .calm_s = 900, .window_s = 4 * HOUR, .evidence = EVIDENCE_FILESYSTEM,
                .text = "{label:mountpoint} fills fast: full in about {forecast} if it goes on",
                .clears = "a quarter of an hour in which it would last longer than 6 hours",
                .source = "a runaway log or mail loop fills a disk within a night; six hours are enough to be woken for",
        },
};
