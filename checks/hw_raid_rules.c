/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* When an array is bad, and why that matters. A degraded array judges by level, not by change: one that was degraded
 * before the boot is as dangerous (NethServer/dev #7913). */

#include "hw_raid_rules.h"

const struct metric_desc raid_metrics[RAID_METRICS] = {
        { "raid_array_info", METRIC_INFO, "", "An array with its level and UUID" },
        { "raid_disks_required", METRIC_GAUGE, "", "Members that the whole array has" },
        { "raid_disks", METRIC_GAUGE, "", "Members by state: active, failed, spare, removed, rebuilding" },
        { "raid_degraded_disks", METRIC_GAUGE, "", "Members that are missing or not yet in sync" },
        { "raid_redundancy_left_disks", METRIC_GAUGE, "", "Further members that the array can lose for certain" },
        { "raid_unprotected", METRIC_GAUGE, "", "1 if the next loss loses data and nothing is being rebuilt" },
        { "raid_failed", METRIC_GAUGE, "", "1 if the array does not serve its data" },
        { "raid_readonly", METRIC_GAUGE, "", "1 if the array was set read-only" },
        { "raid_state", METRIC_GAUGE, "", "1 for the state that the array is in" },
        { "raid_sync_ratio", METRIC_GAUGE, "ratio", "Progress of what the array is doing, by action" },
        { "raid_sync_remaining_seconds", METRIC_GAUGE, "seconds", "Time until that is finished, at the present speed" },
        { "raid_sync_speed_bytes", METRIC_GAUGE, "bytes", "Bytes a second of what the array is doing" },
        { "raid_size_bytes", METRIC_GAUGE, "bytes", "Size of the array" },
        { "raid_synced_bytes", METRIC_GAUGE, "bytes", "As far as it is in sync, or was checked by the run under way" },
        { "raid_mismatch_sectors", METRIC_GAUGE, "", "Sectors whose copies differed in the last check" },
        { "raid_member_failed", METRIC_GAUGE, "", "1 if the array has thrown this member out or it is gone" },
        { "raid_member_read_errors_total", METRIC_COUNTER, "", "Read errors of this member that the array corrected" },
        { "raid_device_errors_total", METRIC_COUNTER, "", "Errors that btrfs counted on this device, by kind" },
};

#define DOING(rule_name, action, sentence)                                                                             \
        {                                                                                                             \
                .name = rule_name, .metric = "raid_sync_ratio", .match_label = "action", .match_value = action,         \
                .kind = RULE_LIMIT, .notice = 0, .warning = RULE_NONE, .critical = RULE_NONE, .clear = RULE_NONE,       \
                .evidence = EVIDENCE_RAID, .text = sentence, .clears = "its end",                                       \
                .source = "slower I/O, and a second failure now is worse: know it, wake nobody"                         \
        }

#define BTRFS(rule_name, kind_name, n, w, sentence, cure, why)                                                         \
        {                                                                                                             \
                .name = rule_name, .metric = "raid_device_errors_total", .match_label = "kind", .match_value = kind_name, \
                .kind = RULE_CHANGE, .notice = n, .warning = w, .critical = RULE_NONE, .clear = RULE_NONE,              \
                .calm_s = 7 * 86400, .evidence = EVIDENCE_RAID, .text = sentence, .clears = cure, .source = why         \
        }

const struct rule raid_rules[RAID_RULES] = {
        {
                .name = "raid-failed", .metric = "raid_failed",
                .kind = RULE_LIMIT, .notice = RULE_NONE, .warning = RULE_NONE, .critical = 1, .clear = RULE_NONE,
                .evidence = EVIDENCE_RAID, .hard = true,
                .text = "{component} does not serve its data: too many members are missing, or it was never started",
                .clears = "bring the members back, mdadm --assemble or btrfs device scan",
                .source = "md: array_state inactive or broken, or more members lost than the level has redundancy",
        },
        {
                .name = "raid-unprotected", .metric = "raid_unprotected",
                .kind = RULE_LIMIT, .notice = RULE_NONE, .warning = RULE_NONE, .critical = 1, .clear = RULE_NONE,
                .evidence = EVIDENCE_RAID,
                .text = "{component} runs without redundancy: the next disk that fails loses data, and nothing is being rebuilt",
                .clears = "replace the failed disk and add it to the array",
                .source = "what a degraded array stands for; disks of one batch often fail together",
        },
        {
                .name = "raid-degraded", .metric = "raid_degraded_disks",
                .kind = RULE_LIMIT, .notice = RULE_NONE, .warning = 1, .critical = RULE_NONE, .clear = RULE_NONE,
                .evidence = EVIDENCE_RAID,
                .text = "{component} is degraded: {value} of its {label:required} members missing or not yet in sync",
                .clears = "all members in sync again",
                .source = "mdadm --monitor reports it once; here it is a level for as long as it is true",
        },
        DOING("raid-rebuilding", "recover", "{component} is rebuilding a member: {percent} done"),
        DOING("raid-resyncing", "resync", "{component} is resyncing: {percent} done"),
        DOING("raid-reshaping", "reshape", "{component} is being reshaped: {percent} done"),
        {
                .name = "raid-rebuild-slow", .metric = "raid_sync_remaining_seconds", .match_label = "action", .match_value = "recover",
                .kind = RULE_LIMIT, .notice = RULE_NONE, .warning = 3 * 86400, .critical = RULE_NONE, .clear = 2.5 * 86400,
                .hold_s = 3600, .evidence = EVIDENCE_RAID,
                .text = "at its present speed {component} is rebuilt only in {duration}",
                .clears = "a rebuild that takes less than two and a half days; see dev.raid.speed_limit_min and the disks' latency",
                .source = "20 TB at 100 MB/s are 56 hours: longer means a slow disk or a throttled rebuild",
        },
        {
                .name = "raid-read-only", .metric = "raid_readonly",
                .kind = RULE_LIMIT, .notice = 1, .warning = RULE_NONE, .critical = RULE_NONE, .clear = RULE_NONE,
                .evidence = EVIDENCE_RAID,
                .text = "{component} is set read-only",
                .clears = "mdadm --readwrite",
                .source = "md never does that by itself",
        },
        {
                .name = "raid-mismatch-mirror", .metric = "raid_mismatch_sectors", .match_label = "copies", .match_value = "mirror",
                .kind = RULE_LIMIT, .notice = 1025, .warning = RULE_NONE, .critical = RULE_NONE, .clear = RULE_NONE,
                .evidence = EVIDENCE_RAID,
                .text = "the copies of {component} differ in {value} {n:sector|sectors}",
                .clears = "echo repair > sync_action, then a check that finds less",
                .source = "netdata: 1024. Swap and deleted files on a mirror give harmless differences (md(4))",
        },
        {
                .name = "raid-mismatch-parity", .metric = "raid_mismatch_sectors", .match_label = "copies", .match_value = "parity",
                .kind = RULE_LIMIT, .notice = RULE_NONE, .warning = 1, .critical = RULE_NONE, .clear = RULE_NONE,
                .evidence = EVIDENCE_RAID,
                .text = "data and parity of {component} do not fit in {value} {n:sector|sectors}",
                .clears = "find the disk that lies (SMART, cabling, memory), then echo repair > sync_action and check again",
                .source = "md(4): on raid4, 5 and 6 a mismatch is never harmless",
        },
        {
                .name = "raid-member-failed", .metric = "raid_member_failed",
                .kind = RULE_LIMIT, .notice = RULE_NONE, .warning = RULE_NONE, .critical = 1, .clear = RULE_NONE,
                .evidence = EVIDENCE_RAID, .hard = true,
                .text = "{label:array} has thrown out {label:member} or it is gone",
                .clears = "replace the disk, or mdadm --remove it from the array",
                .source = "md fails a member only when a write to it has failed",
        },
        {
                .name = "raid-member-read-errors", .metric = "raid_member_read_errors_total",
                .kind = RULE_CHANGE, .notice = 1, .warning = 20, .critical = RULE_NONE, .clear = RULE_NONE,
                .calm_s = 7 * 86400, .evidence = EVIDENCE_RAID,
                .text = "{label:array} had to correct {growth} new read {n:error|errors} of {label:member}",
                .clears = "a week without a new one, or veillectl accept",
                .source = "md gives up on a member after 20 read errors an hour (max_read_errors)",
        },
        BTRFS("btrfs-write-errors", "write", RULE_NONE, 1, "btrfs could not write {growth} times to device {label:device_id} of {component}",
              "replace the device, then btrfs device stats -z; or a week without a new one",
              "btrfs goes on after a failed write: the copy there is old now"),
        BTRFS("btrfs-corruption", "corruption", RULE_NONE, 1,
              "btrfs found {growth} new {n:block|blocks} with a wrong checksum on device {label:device_id} of {component}",
              "btrfs scrub, then btrfs device stats -z; or a week without a new one",
              "the disk returned data that was never written: disk, cable, controller or memory"),
        BTRFS("btrfs-read-errors", "read", 1, 10, "btrfs could not read {growth} times from device {label:device_id} of {component}",
              "a week without a new one, or btrfs device stats -z and veillectl accept",
              "with a second copy it is repaired at once, without one it is data lost"),
        BTRFS("btrfs-flush-errors", "flush", RULE_NONE, 1,
              "device {label:device_id} of {component} refused {growth} {n:time|times} to bring its cache to disk",
              "replace the device, then btrfs device stats -z; or a week without a new one",
              "what was said to be safe may not be"),
        BTRFS("btrfs-generation-errors", "generation", RULE_NONE, 1,
              "btrfs found {growth} old blocks on device {label:device_id} of {component}: writes to it were lost",
              "btrfs scrub, then btrfs device stats -z; or a week without a new one",
              "a device that loses writes it has acknowledged"),
};
