/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* When the host as a whole is in trouble. Pressure (PSI) is judged before load: it says how much time was lost, where
 * load only says how many wanted to run. Nothing here is a hard fault: it is work, not hardware. */

#include "hw_host.h"

#define HOUR 3600
#define DAY 86400
#define NONE RULE_NONE

const struct metric_desc host_metrics[HOST_METRICS] = {
        { "host_uptime_seconds", METRIC_GAUGE, "seconds", "Time since the host was started" },
        { "host_boot_time_seconds", METRIC_GAUGE, "seconds", "When the host was started, seconds since the epoch" },
        { "host_cpus", METRIC_GAUGE, "", "Processors in use" },
        { "host_load1", METRIC_GAUGE, "", "Load, mean of a minute" },
        { "host_load5", METRIC_GAUGE, "", "Load, mean of 5 minutes" },
        { "host_load15", METRIC_GAUGE, "", "Load, mean of 15 minutes" },
        { "host_load_per_cpu", METRIC_GAUGE, "", "Load of 5 minutes for each processor" },
        { "host_memory_total_bytes", METRIC_GAUGE, "bytes", "Memory of the host" },
        { "host_memory_available_bytes", METRIC_GAUGE, "bytes", "Memory that programs can still get without swapping" },
        { "host_swap_total_bytes", METRIC_GAUGE, "bytes", "Swap space" },
        { "host_swap_free_bytes", METRIC_GAUGE, "bytes", "Swap space that is free" },
        { "host_memory_left_ratio", METRIC_GAUGE, "ratio", "Share of memory and swap together that programs can still get" },
        { "host_memory_corrupted_bytes", METRIC_GAUGE, "bytes", "Memory that the kernel took out of use because it is bad" },
        { "host_pressure_ratio", METRIC_GAUGE, "ratio", "Share of the last minute in which work waited for this resource" },
        { "host_pressure_seconds_total", METRIC_COUNTER, "seconds", "Time in which work waited for this resource" },
        { "host_oom_kills_total", METRIC_COUNTER, "", "Processes killed because memory ran out, of the host or of a service" },
        { "host_clock_synchronized", METRIC_GAUGE, "", "1 if a time service keeps the clock" },
        { "host_clock_offset_seconds", METRIC_GAUGE, "seconds", "What the kernel still has to correct of the clock" },
        { "host_clock_max_error_seconds", METRIC_GAUGE, "seconds", "What the clock may be wrong by at most, as its service says" },
        { "host_clock_estimated_error_seconds", METRIC_GAUGE, "seconds", "What the clock is probably wrong by, as its service says" },
        { "host_cpu_throttles_total", METRIC_COUNTER, "", "Times that processors were slowed down by heat" },
        { "host_taint", METRIC_GAUGE, "", "1 if this has happened to the kernel since it was started" },
        { "host_conntrack_entries", METRIC_GAUGE, "", "Connections that the packet filter tracks" },
        { "host_conntrack_ratio", METRIC_GAUGE, "ratio", "Share of the packet filter's table that is in use" },
        { "host_file_handles", METRIC_GAUGE, "", "Open file handles of the whole host" },
        { "host_file_handles_ratio", METRIC_GAUGE, "ratio", "Share of the allowed file handles that is open" },
};

#define PRESSURE(rule_name, which, n, w, c, hold, sentence, why)                                                            \
        {                                                                                                                 \
                .name = rule_name, .metric = "host_pressure_ratio", .match_label = "of", .match_value = which,              \
                .kind = RULE_LIMIT, .notice = n, .warning = w, .critical = c, .clear = NONE, .hold_s = hold, .calm_s = 300, \
                .evidence = EVIDENCE_HOST, .text = sentence, .clears = "five minutes with less waiting", .source = why      \
        }

#define TAINT(rule_name, what, n, w, class, sentence, why)                                                                  \
        {                                                                                                                 \
                .name = rule_name, .metric = "host_taint", .match_label = "reason", .match_value = what,                    \
                .kind = RULE_LIMIT, .notice = n, .warning = w, .critical = NONE, .clear = NONE,                             \
                .evidence = class, .text = sentence, .clears = "a reboot", .source = why                                    \
        }

const struct rule host_rules[HOST_RULES] = {
        {
                .name = "host-rebooted", .metric = "host_uptime_seconds", .kind = RULE_LIMIT, .direction = RULE_BELOW,
                .notice = 900, .warning = NONE, .critical = NONE, .clear = NONE, .evidence = EVIDENCE_HOST,
                .text = "the host was started {duration} ago",
                .clears = "a quarter of an hour",
                .source = "a reboot that nobody asked for is the first sign of much: let it be seen",
        },
        {
                .name = "host-load", .metric = "host_load_per_cpu", .kind = RULE_LIMIT,
                .notice = 4, .warning = 20, .critical = NONE, .clear = 3, .hold_s = 900, .evidence = EVIDENCE_HOST,
                .text = "the load is {value} for each processor",
                .clears = "a load below 3 for each processor",
                .source = "a mail host works well at several; 20 for a quarter of an hour is a jam, often behind a disk",
        },
        {
                .name = "host-memory-left", .metric = "host_memory_left_ratio", .kind = RULE_LIMIT, .direction = RULE_BELOW,
                .notice = 0.10, .warning = 0.05, .critical = 0.02, .clear = 0.12, .hold_s = 120, .evidence = EVIDENCE_HOST,
                .text = "{percent} of memory and swap are left",
                .clears = "more than 12 % left: stop what takes it, add memory or swap",
                .source = "full swap alone is no trouble, nor is little free memory beside empty swap: the sum is what ends",
        },
        PRESSURE("host-memory-pressure", "memory full", 0.05, 0.15, 0.50, 300,
                 "{percent} of the time all work waits for memory", "systemd-oomd kills at 60 % for 30 s; at half of that nobody works well"),
        PRESSURE("host-io-pressure", "io full", 0.40, 0.80, NONE, 900,
                 "{percent} of the time all work waits for disks", "backups reach a third for hours; four fifths are a sick disk or far too little of it"),
        PRESSURE("host-cpu-pressure", "cpu some", 0.80, NONE, NONE, 1800,
                 "{percent} of the time some work waits for a processor", "half an hour of it: too few processors, or one runs wild"),
        {
                .name = "host-oom-kills", .metric = "host_oom_kills_total", .kind = RULE_RATE,
                .notice = 1, .warning = 10, .critical = NONE, .clear = NONE, .window_s = DAY, .evidence = EVIDENCE_HOST,
                .text = "{growth} {n:process was|processes were} killed for want of memory within {window}",
                .clears = "a day without one; the kernel log names them",
                .source = "whoever is killed was in the middle of something",
        },
        {
                .name = "host-memory-corrupted", .metric = "host_memory_corrupted_bytes", .kind = RULE_LIMIT,
                .notice = NONE, .warning = 1, .critical = NONE, .clear = NONE, .evidence = EVIDENCE_MEMORY,
                .text = "the kernel took {bytes} of bad memory out of use",
                .clears = "replace the module that edac names, then reboot",
                .source = "HardwareCorrupted of /proc/meminfo: pages with an uncorrected error, or with too many corrected ones",
        },
        {
                .name = "host-clock-unsynchronized", .metric = "host_clock_synchronized", .kind = RULE_LIMIT, .direction = RULE_BELOW,
                .notice = 0, .warning = NONE, .critical = NONE, .clear = NONE, .hold_s = HOUR, .evidence = EVIDENCE_HOST,
                .text = "no time service has kept the clock for an hour",
                .clears = "chrony, systemd-timesyncd or ntpd has a source again",
                .source = "mail carries its time, TLS and one-time passwords need it; the kernel calls it lost after 16 s of possible error",
        },
        {
                .name = "host-clock-lost", .metric = "host_clock_synchronized", .kind = RULE_LIMIT, .direction = RULE_BELOW,
                .notice = NONE, .warning = 0, .critical = NONE, .clear = NONE, .hold_s = DAY, .after_good = true, .evidence = EVIDENCE_HOST,
                .text = "the time service has lost its sources for a day",
                .clears = "chrony, systemd-timesyncd or ntpd has a source again",
                .source = "quartz drifts by seconds a day",
        },
        {
                .name = "host-clock-offset", .metric = "host_clock_offset_seconds", .kind = RULE_LIMIT,
                .notice = 0.1, .warning = 0.4, .critical = NONE, .clear = NONE, .hold_s = 600, .evidence = EVIDENCE_HOST,
                .text = "the clock is {value} seconds off and is being corrected",
                .clears = "less than 0.1 seconds",
                .source = "the kernel corrects at most half a second by itself: near that, the clock was further off",
        },
        {
                .name = "host-clock-error", .metric = "host_clock_estimated_error_seconds", .kind = RULE_LIMIT,
                .notice = NONE, .warning = 1, .critical = NONE, .clear = NONE, .hold_s = 600, .evidence = EVIDENCE_HOST,
                .text = "the time service believes that the clock is {value} seconds wrong",
                .clears = "less than a second",
                .source = "over a second, order of mail and logs of two hosts cannot be compared any more",
        },
        {
                .name = "host-clock-stale", .metric = "host_clock_max_error_seconds", .kind = RULE_LIMIT,
                .notice = 8, .warning = NONE, .critical = NONE, .clear = NONE, .hold_s = 600, .evidence = EVIDENCE_HOST,
                .text = "the time service has not looked at the clock for hours: it may be {value} seconds off",
                .clears = "a fresh look at a source",
                .source = "the kernel adds half a millisecond each second; time services look every 34 minutes at least",
        },
        {
                .name = "host-cpu-throttled", .metric = "host_cpu_throttles_total", .match_label = "scope", .match_value = "package",
                .kind = RULE_RATE, .notice = 1, .warning = 1000, .critical = NONE, .clear = NONE, .window_s = DAY,
                .evidence = EVIDENCE_SENSOR,
                .text = "the processor was slowed down by heat {growth} {n:time|times} within {window}",
                .clears = "a day without; look at fans, dust and the air of the room",
                .source = "Intel SDM vol. 3B ch. 15: at its limit it protects itself; a server whose cooling works never gets there",
        },
        TAINT("host-taint-machine-check", "machine-check", NONE, 1, EVIDENCE_MEMORY,
              "the processor has reported a hardware error since the host was started", "kernel taint flag M"),
        TAINT("host-taint-bad-page", "bad-page", NONE, 1, EVIDENCE_MEMORY,
              "the kernel has found a damaged page of its memory since the host was started", "kernel taint flag B: bad memory or a bug"),
        TAINT("host-taint-died", "died", NONE, 1, EVIDENCE_HOST,
              "a part of the kernel has died (oops) since the host was started", "kernel taint flag D: locks may be held for ever"),
        TAINT("host-taint-lockup", "lockup", 1, NONE, EVIDENCE_HOST,
              "a processor has been stuck since the host was started", "kernel taint flag L"),
        {
                .name = "host-conntrack-full", .metric = "host_conntrack_ratio", .kind = RULE_LIMIT,
                .notice = NONE, .warning = 0.8, .critical = 0.95, .clear = 0.75, .evidence = EVIDENCE_HOST,
                .text = "the packet filter's table of connections is {percent} full",
                .clears = "less than 75 %; raise net.netfilter.nf_conntrack_max or find who fills it",
                .source = "when it is full new connections are dropped in silence",
        },
        {
                .name = "host-file-handles", .metric = "host_file_handles_ratio", .kind = RULE_LIMIT,
                .notice = NONE, .warning = 0.8, .critical = 0.95, .clear = 0.75, .evidence = EVIDENCE_HOST,
                .text = "{percent} of the allowed file handles are open",
                .clears = "less than 75 %; raise fs.file-max or find who leaks",
                .source = "at the limit nobody but root can open a file or accept a connection",
        },
};
