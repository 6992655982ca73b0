/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* What the check "kernel" measures and judges. The first half of the rules is about counters in sysfs, the second about
 * kernel_events_total: messages of the kernel, counted by the brain as they come (src/kmsg_table.c says which line is
 * which kind). Kinds that another check counts better (edac-ce, link-down, thermal, aer-..., md-degraded) have no rule
 * here: they only make that check run at once. */

#include "hw_kernel.h"

#define HOUR 3600
#define DAY 86400
#define WEEK (7 * DAY)
#define NONE RULE_NONE

const struct metric_desc kernel_metrics[KERNEL_METRICS] = {
        { "disk_io_errors_total", METRIC_COUNTER, "", "Commands that the disk did not complete well since it was found, harmless refusals included" },
        { "disk_io_timeouts_total", METRIC_COUNTER, "", "Commands that the disk did not answer in time since it was found" },
        { "disk_offline", METRIC_GAUGE, "", "1 if the kernel gave the disk up" },
        { "disk_recovering", METRIC_GAUGE, "", "1 while the disk is blocked, reset or connected anew" },
        { "block_stalled", METRIC_GAUGE, "", "1 if requests were in flight for 5 s and none completed" },
        { "block_requests_in_flight", METRIC_GAUGE, "", "Requests that the device has been given and has not finished" },
        { "block_requests_completed_total", METRIC_COUNTER, "", "Requests that the device has finished since it was found" },
        { "disk_link_slowed", METRIC_GAUGE, "", "1 if the kernel slowed the link of an ATA disk down because of errors" },
        { "pcie_errors_total", METRIC_COUNTER, "", "PCI Express errors counted at this device (AER) since boot" },
        { "pcie_error_types_total", METRIC_COUNTER, "", "The same by type, where there were any" },
        { "pcie_link_width_ratio", METRIC_GAUGE, "ratio", "Lanes in use, of those that the device has" },
        { "ext4_errors_total", METRIC_COUNTER, "", "Errors that ext4 recorded in its superblock since the last fsck" },
        { "ext4_warnings_total", METRIC_COUNTER, "", "Warnings of ext4 since it was mounted" },
        { "ext4_last_error_info", METRIC_INFO, "", "The last error that ext4 recorded: when, in which function, with which error number" },
        { "kernel_events_total", METRIC_COUNTER, "", "Kernel messages of this kind about this device since the brain began to read them" },
        { "disk_state_info", METRIC_INFO, "", "The state of the disk as the kernel names it" },
};

/* Events within a window. */
#define EVENTS(rule_name, event_kind, seconds, n, w, c, class, is_hard, sentence, cure, why)                               \
        {                                                                                                                \
                .name = rule_name, .metric = "kernel_events_total", .match_label = "kind", .match_value = event_kind,      \
                .kind = RULE_RATE, .notice = n, .warning = w, .critical = c, .clear = NONE, .window_s = seconds,           \
                .evidence = class, .hard = is_hard, .text = sentence, .clears = cure, .source = why                        \
        }

/* What stays to be known for a week, however short it was. */
#define REMEMBERED(rule_name, event_kind, n, w, c, class, is_hard, sentence, why)                                          \
        {                                                                                                                \
                .name = rule_name, .metric = "kernel_events_total", .match_label = "kind", .match_value = event_kind,      \
                .kind = RULE_CHANGE, .notice = n, .warning = w, .critical = c, .clear = NONE, .calm_s = WEEK,              \
                .evidence = class, .hard = is_hard, .text = sentence, .clears = "a week without a new one, or veillectl accept", \
                .source = why                                                                                            \
        }

#define A_DAY "a day without a new one"

const struct rule kernel_rules[KERNEL_RULES] = {
        /* --- counters of disks */
        {
                .name = "disk-offline", .metric = "disk_offline", .kind = RULE_LIMIT,
                .notice = NONE, .warning = NONE, .critical = 1, .clear = NONE, .evidence = EVIDENCE_KERNEL, .hard = true,
                .text = "the kernel gave {component} up: every access fails",
                .clears = "find out why it did not answer; reseat or replace it, then rescan the bus or reboot",
                .source = "Linux sets a device offline when error recovery failed (measured: after 4 resets in 68 s)",
        },
        {
                .name = "disk-recovering", .metric = "disk_recovering", .kind = RULE_LIMIT,
                .notice = NONE, .warning = 1, .critical = NONE, .clear = NONE, .hold_s = 120, .evidence = EVIDENCE_KERNEL,
                .text = "{component} has been blocked or in recovery for minutes",
                .clears = "the kernel takes it back into service",
                .source = "error recovery takes 30 to 70 s a step; who is longer in it is not coming back by itself",
        },
        {
                .name = "disk-stalled", .metric = "block_stalled", .kind = RULE_LIMIT,
                .notice = NONE, .warning = 1, .critical = NONE, .clear = NONE, .hold_s = 50, .evidence = EVIDENCE_LATENCY,
                .text = "{component} does not finish what it is asked: requests wait and none has completed lately",
                .clears = "it completes a request",
                .source = "seen twice a minute apart, for 5 s each; the slowest healthy disk completes dozens in that time",
        },
        {
                .name = "disk-stalled-long", .metric = "block_stalled", .kind = RULE_LIMIT,
                .notice = NONE, .warning = NONE, .critical = 1, .clear = NONE, .hold_s = 170, .evidence = EVIDENCE_LATENCY,
                .hard = true,
                .text = "{component} has not finished anything it was asked for minutes: whoever waits for it hangs",
                .clears = "it completes a request; else reset or replace it",
                .source = "Linux resets a disk after 30 s and gives it up after some resets (measured: 68 s); who is still "
                          "silent after 3 minutes is not being given up, it hangs",
        },
        {
                .name = "disk-timeouts", .metric = "disk_io_timeouts_total", .kind = RULE_RATE,
                .notice = 1, .warning = 5, .critical = NONE, .clear = NONE, .window_s = DAY, .evidence = EVIDENCE_KERNEL,
                .text = "{component} let {growth} {n:command|commands} run into their timeout within {window}",
                .clears = "a day without a timeout; look at cable, power and the disk",
                .source = "a command has 30 s; healthy disks answer within 1 s, so every timeout is an event",
        },
        {
                .name = "disk-command-errors", .metric = "disk_io_errors_total", .kind = RULE_RATE,
                .notice = 60, .warning = 600, .critical = NONE, .clear = NONE, .window_s = HOUR, .evidence = EVIDENCE_KERNEL,
                .text = "{component} refused or failed {growth} {n:command|commands} within {window}",
                .clears = "fewer than 60 within an hour",
                .source = "the kernel also counts commands that a disk does not know and each SMART status read, a few per poll: "
                          "only a flood means something; real errors are told by kernel-io-error",
        },
        {
                .name = "disk-link-slowed", .metric = "disk_link_slowed", .kind = RULE_LIMIT,
                .notice = NONE, .warning = 1, .critical = NONE, .clear = NONE, .evidence = EVIDENCE_KERNEL,
                .text = "the kernel slowed the link of {component} down after errors on it",
                .clears = "replace the cable or move the disk to another port, then reboot",
                .source = "libata lowers the speed after repeated interface errors and never raises it again by itself",
        },

        /* --- PCI Express */
        {
                .name = "pcie-corrected-errors", .metric = "pcie_errors_total", .match_label = "severity", .match_value = "correctable",
                .kind = RULE_RATE, .notice = 100, .warning = 10000, .critical = NONE, .clear = NONE, .window_s = HOUR,
                .evidence = EVIDENCE_KERNEL,
                .text = "{growth} corrected PCI Express {n:error|errors} on the link of {component} within {window} (counted at {label:device})",
                .clears = "fewer than 100 within an hour; reseat the card, try pcie_aspm=off",
                .source = "corrected errors cost time only; a link at its limit makes many a minute, a healthy one a few a day",
        },
        {
                .name = "pcie-uncorrected-errors", .metric = "pcie_errors_total", .match_label = "severity", .match_value = "nonfatal",
                .kind = RULE_RATE, .notice = 1, .warning = 5, .critical = NONE, .clear = NONE, .window_s = DAY,
                .evidence = EVIDENCE_KERNEL,
                .text = "{growth} uncorrected PCI Express {n:error|errors} on the link of {component} within {window} (counted at {label:device})",
                .clears = "a day without one; reseat or replace the card",
                .source = "PCI Express Base Specification 6.2: the transaction is lost, the link goes on",
        },
        {
                .name = "pcie-fatal-error", .metric = "pcie_errors_total", .match_label = "severity", .match_value = "fatal",
                .kind = RULE_CHANGE, .notice = NONE, .warning = NONE, .critical = 1, .clear = NONE, .calm_s = WEEK,
                .evidence = EVIDENCE_KERNEL,
                .text = "{growth} fatal PCI Express {n:error|errors} on the link of {component} (counted at {label:device})",
                .clears = "a week without a new one, or veillectl accept once the card was reseated or replaced",
                .source = "PCI Express Base Specification 6.2: the link is no longer reliable and must be reset",
        },
        {
                .name = "pcie-link-narrowed", .metric = "pcie_link_width_ratio", .kind = RULE_LIMIT, .direction = RULE_BELOW,
                .notice = NONE, .warning = 0.99, .critical = NONE, .clear = NONE, .hold_s = 60, .after_good = true,
                .evidence = EVIDENCE_KERNEL,
                .text = "the PCI Express link of {component} lost lanes: {percent} of its width is left",
                .clears = "reseat the card; all lanes are in use again",
                .source = "lanes are lost by dirt and bad contacts; a card in a narrow slot never had them and is not judged",
        },

        /* --- file systems */
        {
                .name = "ext4-errors-grow", .metric = "ext4_errors_total", .match_label = "mounted", .match_value = "elsewhere",
                .kind = RULE_CHANGE, .notice = NONE, .warning = 1, .critical = NONE, .clear = NONE, .calm_s = WEEK,
                .evidence = EVIDENCE_FILESYSTEM,
                .text = "ext4 on {label:device} recorded {growth} new {n:error|errors}",
                .clears = "run fsck on the unmounted file system; a week without a new one, or veillectl accept",
                .source = "ext4 counts only what contradicts its own structures or could not be read; what is mounted here is judged by fs",
        },

        /* --- messages about disks */
        EVENTS("kernel-medium-error", "medium-error", DAY, NONE, 1, 100, EVIDENCE_KERNEL, false,
               "{component} could not read or write sectors: {growth} {n:error|errors} within {window}", A_DAY "; see also its SMART values",
               "Backblaze: unreadable sectors raise the yearly failure rate of a disk tenfold; a hundred a day are more than one bad spot"),
        REMEMBERED("kernel-medium-error-week", "medium-error", 1, NONE, NONE, EVIDENCE_KERNEL, false,
                   "{component} had {growth} unreadable {n:sector|sectors} lately", "a damaged spot seldom stays alone"),
        EVENTS("kernel-io-error", "io-error", HOUR, NONE, 1, 100, EVIDENCE_KERNEL, false,
               "{growth} reads or writes of {component} failed for good within {window}", "an hour without a new one",
               "the kernel has already tried again; it prints at most a few a second, so a hundred an hour is a disk out of service"),
        REMEMBERED("kernel-io-error-week", "io-error", 1, NONE, NONE, EVIDENCE_KERNEL, false,
                   "{component} failed {growth} reads or writes lately", "a disk that fails one request will fail another"),
        EVENTS("kernel-lost-write", "lost-write", DAY, NONE, NONE, 1, EVIDENCE_KERNEL, false,
               "data written to {component} was lost: {growth} {n:time|times} within {window}", A_DAY "; find out which files (fsck, the ledger)",
               "the program that wrote was told it went well: mail may be missing"),
        REMEMBERED("kernel-lost-write-week", "lost-write", NONE, 1, NONE, EVIDENCE_KERNEL, false,
                   "data written to {component} was lost lately: {growth} {n:time|times}", "what is lost stays lost until somebody looks"),
        EVENTS("kernel-ata-error", "ata-error", DAY, 1, 10, NONE, EVIDENCE_KERNEL, false,
               "{growth} ATA {n:command|commands} of {component} failed or timed out within {window}", A_DAY,
               "libata retries; single ones happen, ten a day do not on a healthy disk"),
        EVENTS("kernel-ata-link", "ata-link", DAY, 1, 10, NONE, EVIDENCE_KERNEL, false,
               "{growth} {n:error|errors} on the link of {component} within {window}: cable, backplane or power", A_DAY "; reseat or replace the cable",
               "checksum and link errors are not the platters: attribute 199 counts them too"),
        EVENTS("kernel-scsi-error", "scsi-error", DAY, 1, 5, NONE, EVIDENCE_KERNEL, false,
               "{component} reported {growth} hardware {n:error|errors} within {window}", A_DAY,
               "SPC-5: sense key HARDWARE ERROR is a failure the device could not recover from"),
        EVENTS("kernel-disk-reset", "disk-reset", DAY, 1, 5, NONE, EVIDENCE_KERNEL, false,
               "{component} or its bus was reset {growth} {n:time|times} within {window}", A_DAY,
               "a reset means that a command was not answered for 30 s; during it all mail stands still"),
        EVENTS("kernel-nvme-timeout", "nvme-timeout", DAY, NONE, 1, 20, EVIDENCE_KERNEL, false,
               "{component} let {growth} NVMe {n:command|commands} time out within {window}", A_DAY "; update its firmware",
               "the NVMe driver waits 30 s where a healthy drive needs a thousandth of one"),
        EVENTS("kernel-nvme-reset", "nvme-reset", DAY, 1, 3, NONE, EVIDENCE_KERNEL, false,
               "the NVMe controller of {component} was reset {growth} {n:time|times} within {window}", A_DAY,
               "one may have been asked for (nvme reset); several were not"),
        EVENTS("kernel-nvme-down", "nvme-down", DAY, NONE, NONE, 1, EVIDENCE_KERNEL, false,
               "the NVMe controller of {component} stopped answering {growth} {n:time|times} within {window}",
               A_DAY "; reseat it, update its firmware, or try nvme_core.default_ps_max_latency_us=0 pcie_aspm=off",
               "the registers read all ones or fatal status: the drive has left the bus, and often does not come back next time"),
        EVENTS("kernel-disk-offlined", "disk-offlined", DAY, NONE, NONE, 1, EVIDENCE_KERNEL, true,
               "the kernel took {component} out of service", A_DAY ", and the disk back in service or replaced",
               "after this every access fails until somebody acts"),
        EVENTS("kernel-hba-fault", "hba-fault", DAY, NONE, 1, 5, EVIDENCE_KERNEL, false,
               "the disk controller {component} reported {growth} {n:fault|faults} within {window}", A_DAY "; see the controller's own tool",
               "a controller takes all its disks with it"),
        EVENTS("kernel-path-failed", "path-failed", DAY, NONE, 1, NONE, EVIDENCE_KERNEL, false,
               "{growth} {n:path|paths} to a multipath disk failed within {window}", A_DAY "; multipath -ll",
               "the last path carries everything now"),
        EVENTS("kernel-usb-reset", "usb-reset", DAY, 20, NONE, NONE, EVIDENCE_KERNEL, false,
               "USB devices were reset {growth} {n:time|times} within {window}", A_DAY,
               "a few when something is plugged in; many are a bad cable, hub or disk bridge"),

        /* --- messages about arrays and file systems */
        EVENTS("kernel-md-failed", "md-failed", DAY, NONE, NONE, 1, EVIDENCE_RAID, true,
               "the array {component} lost more members than it can do without", "the array is assembled again",
               "md stops the array: all that stands on it fails"),
        EVENTS("kernel-md-read-error", "md-read-error", DAY, 1, 10, NONE, EVIDENCE_RAID, false,
               "{growth} {n:sector|sectors} of a member of {component} could not be read within {window}", A_DAY "; see the disks' SMART values",
               "md rewrites them from the other members: while the array is whole nothing is lost"),
        EVENTS("kernel-fs-error", "fs-error", DAY, NONE, 1, NONE, EVIDENCE_FILESYSTEM, false,
               "the file system on {label:device} found itself damaged: {growth} {n:error|errors} within {window}",
               A_DAY "; run its check (fsck, xfs_repair, btrfs scrub)", "file systems report only what contradicts their own structures"),
        REMEMBERED("kernel-fs-error-week", "fs-error", 1, NONE, NONE, EVIDENCE_FILESYSTEM, false,
                   "the file system on {label:device} found {growth} {n:error|errors} lately", "damage does not go away by itself"),
        EVENTS("kernel-remount-ro", "remount-ro", DAY, NONE, NONE, 1, EVIDENCE_FILESYSTEM, true,
               "the file system on {label:device} went read-only because of an error", "run fsck, mount it again",
               "measured: the mount table may still say rw, but no mail can be stored"),
        EVENTS("kernel-fs-shutdown", "fs-shutdown", DAY, NONE, NONE, 1, EVIDENCE_FILESYSTEM, true,
               "the file system on {label:device} shut itself down", "unmount, repair, mount it again",
               "every access fails until then"),

        /* --- messages about memory, processor, firmware */
        EVENTS("kernel-mce", "mce", DAY, 1, 18, NONE, EVIDENCE_MEMORY, false,
               "{growth} corrected machine {n:check|checks} within {window}", A_DAY "; see edac, rasdaemon",
               "rasdaemon's own limit for a processor: 18 in 24 h"),
        REMEMBERED("kernel-mce-uncorrected", "mce-uncorrected", NONE, NONE, 1, EVIDENCE_MEMORY, true,
                   "the processor reported {growth} hardware {n:error|errors} that it could not correct",
                   "Intel SDM vol. 3B ch. 16: data is lost; the host lives only because it was not used or its process was killed"),
        EVENTS("kernel-page-offline", "page-offline", DAY, NONE, 1, NONE, EVIDENCE_MEMORY, false,
               "{growth} bad {n:page|pages} of memory {n:was|were} taken out of use within {window}", A_DAY "; replace the module that edac names",
               "the kernel does so after an uncorrected error or many corrected ones"),
        EVENTS("kernel-hardware-corrected", "hardware-corrected", DAY, 1, 18, NONE, EVIDENCE_MEMORY, false,
               "the firmware reported {growth} corrected hardware {n:error|errors} within {window}", A_DAY "; see dmesg for which part",
               "as for machine checks: rasdaemon's 18 in 24 h"),
        REMEMBERED("kernel-hardware-error", "hardware-error", NONE, NONE, 1, EVIDENCE_MEMORY, false,
                   "the firmware reported {growth} hardware {n:error|errors}, now or as the cause of the last crash: see dmesg for which part",
                   "ACPI APEI: recoverable and fatal are uncorrected; BERT records what killed the previous boot"),

        /* --- messages about network, heat, power */
        EVENTS("kernel-nic-hang", "nic-hang", DAY, 1, 3, NONE, EVIDENCE_NETWORK, false,
               "the network card {component} hung and was reset {growth} {n:time|times} within {window}", A_DAY,
               "each costs seconds of network; some cards do it once under a flood, repeated it is the card or its driver"),
        EVENTS("kernel-thermal-critical", "thermal-critical", DAY, NONE, NONE, 1, EVIDENCE_SENSOR, true,
               "a critical temperature was reached", A_DAY "; look at fans and air",
               "the next step of the kernel or the firmware is to switch off"),
        EVENTS("kernel-power", "power", DAY, NONE, 1, NONE, EVIDENCE_POWER, false,
               "under-voltage or over-current, {growth} {n:time|times} within {window}", A_DAY "; look at the power supply",
               "voltage below its limit corrupts what is written"),

        /* --- messages about the host */
        EVENTS("kernel-oom", "oom", DAY, 1, 5, NONE, EVIDENCE_HOST, false,
               "memory ran out: {label:device} was killed {growth} {n:time|times} within {window}", A_DAY,
               "the kernel chooses whom it kills, mail programs included"),
        EVENTS("kernel-oom-cgroup", "oom-cgroup", DAY, 1, 20, NONE, EVIDENCE_HOST, false,
               "a service reached its memory limit: {label:device} was killed {growth} {n:time|times} within {window}", A_DAY "; raise MemoryMax=",
               "a limit that somebody set; often once is often too low"),
        EVENTS("kernel-hung-task", "hung-task", HOUR, NONE, 1, NONE, EVIDENCE_HOST, false,
               "{label:device} has hung in the kernel for minutes ({growth} {n:report|reports} within {window})", "an hour without a report",
               "120 s without progress: nearly always a disk or a network file system that does not answer"),
        EVENTS("kernel-cpu-stall", "cpu-stall", DAY, 1, 3, NONE, EVIDENCE_HOST, false,
               "a processor did not come back for seconds, {growth} {n:time|times} within {window}", A_DAY,
               "in a virtual machine the host is overloaded; on hardware it is the kernel or the board"),
        EVENTS("kernel-bug", "kernel-bug", WEEK, NONE, 1, NONE, EVIDENCE_HOST, false,
               "the kernel tripped over itself {growth} {n:time|times} within {window}: its state is no longer to be trusted", "a reboot",
               "after an oops locks may be held for ever and memory may be damaged"),

        /* --- the same parts without a better counter */
        EVENTS("kernel-aer-fatal", "aer-fatal", DAY, NONE, NONE, 1, EVIDENCE_KERNEL, false,
               "a fatal PCI Express error at {label:device}", A_DAY "; reseat or replace the card",
               "PCI Express Base Specification 6.2; told here too because the counter in sysfs goes with the device"),
        EVENTS("kernel-thermal", "thermal", DAY, 1, NONE, NONE, EVIDENCE_SENSOR, false,
               "the processor was slowed down by heat ({growth} {n:message|messages} within {window})", A_DAY "; look at fans and air",
               "Intel SDM vol. 3B ch. 15: it protects itself at its limit; cooling no longer has a reserve"),
};
