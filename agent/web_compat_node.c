/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The names of prometheus/node_exporter for what we know too: hwmon, edac, md, filesystem. */

#include "web_compat.h"

#define CHIP { "chip", "$chip" }, { "sensor", "sensor" }
#define HWMON(ours, theirs, text) { .metric = ours, .name = "node_hwmon_" theirs, .type = EXPO_GAUGE, .help = text, .labels = { CHIP } }
/* They give the alarm of a limit, but not the plain alarm, the unit and factor of its kind. */
#define ALARM(prefix, word, theirs, factor, text)                                                                             \
        { .metric = "sensor_alarm", .when_label = "sensor*+alarm", .when = prefix "+" word, .name = "node_hwmon_" theirs,      \
          .type = EXPO_GAUGE, .scale = factor, .help = text, .labels = { CHIP } }
#define OF_KIND(ours, prefix, theirs, text)                                                                                   \
        { .metric = ours, .when_label = "sensor*", .when = prefix, .name = "node_hwmon_" theirs, .type = EXPO_GAUGE,          \
          .help = text, .labels = { CHIP } }
#define EDAC(ours, theirs, text, ...) { .metric = ours, .name = "node_edac_" theirs, .type = EXPO_COUNTER, .help = text, .labels = { { "controller", "$number" }, __VA_ARGS__ } }
#define MD_STATE "Indicates the state of md-device."
#define MD_DISKS "Number of active/failed/spare disks of device."
#define MD(ours, label, value, theirs, factor, text)                                                                          \
        { .metric = ours, .when_label = label, .when = value, .of = "md", .name = "node_md_" theirs, .type = EXPO_GAUGE,      \
          .scale = factor, .help = text, .labels = { { "device", "array" }, { label ? "state" : NULL, "state" } } }
#define FS(ours, theirs, text)                                                                                                \
        { .metric = ours, .name = "node_filesystem_" theirs, .type = EXPO_GAUGE, .help = text,                                \
          .labels = { { "device", "device" }, { "mountpoint", "mountpoint" }, { "fstype", "fstype" }, { "device_error", "device_error" } } }

const struct compat_row compat_node[] = {
        { .metric = "sensor_chip_info", .name = "node_hwmon_chip_names", .type = EXPO_GAUGE,
          .help = "Annotation metric for human-readable chip names", .labels = { { "chip", "$chip" }, { "chip_name", "chip_name" } } },
        HWMON("sensor_temperature_celsius", "temp_celsius", "Hardware monitor for temperature (input)"),
        HWMON("sensor_temperature_max_celsius", "temp_max_celsius", "Hardware monitor for temperature (max)"),
        HWMON("sensor_temperature_max_hysteresis_celsius", "temp_max_hyst_celsius", "Hardware monitor for temperature (max_hyst)"),
        HWMON("sensor_temperature_min_celsius", "temp_min_celsius", "Hardware monitor for temperature (min)"),
        HWMON("sensor_temperature_critical_celsius", "temp_crit_celsius", "Hardware monitor for temperature (crit)"),
        HWMON("sensor_temperature_critical_hysteresis_celsius", "temp_crit_hyst_celsius", "Hardware monitor for temperature (crit_hyst)"),
        HWMON("sensor_temperature_low_critical_celsius", "temp_lcrit_celsius", "Hardware monitor for temperature (lcrit)"),
        HWMON("sensor_temperature_emergency_celsius", "temp_emergency_celsius", "Hardware monitor for temperature (emergency)"),
        HWMON("sensor_fan_rpm", "fan_rpm", "Hardware monitor for fan revolutions per minute (input)"),
        HWMON("sensor_fan_min_rpm", "fan_min_rpm", "Hardware monitor for fan revolutions per minute (min)"),
        HWMON("sensor_fan_max_rpm", "fan_max_rpm", "Hardware monitor for fan revolutions per minute (max)"),
        HWMON("sensor_fan_target_rpm", "fan_target_rpm", "Hardware monitor for fan revolutions per minute (target)"),
        HWMON("sensor_pwm", "pwm", "Hardware monitor pwm element "),
        HWMON("sensor_pwm_enable", "pwm_enable", "Hardware monitor pwm element enable"),
        HWMON("sensor_pwm_mode", "pwm_mode", "Hardware monitor pwm element mode"),
        HWMON("sensor_voltage_volts", "in_volts", "Hardware monitor for voltage (input)"),
        HWMON("sensor_voltage_min_volts", "in_min_volts", "Hardware monitor for voltage (min)"),
        HWMON("sensor_voltage_max_volts", "in_max_volts", "Hardware monitor for voltage (max)"),
        HWMON("sensor_voltage_low_critical_volts", "in_lcrit_volts", "Hardware monitor for voltage (lcrit)"),
        HWMON("sensor_voltage_critical_volts", "in_crit_volts", "Hardware monitor for voltage (crit)"),
        HWMON("sensor_power_watts", "power_watt", "Hardware monitor for power usage in watts (input)"),
        HWMON("sensor_power_average_watts", "power_average_watt", "Hardware monitor for power usage in watts (average)"),
        HWMON("sensor_power_cap_watts", "power_cap_watt", "Hardware monitor for power usage in watts (cap)"),
        HWMON("sensor_power_max_watts", "power_max_watt", "Hardware monitor for power usage in watts (max)"),
        HWMON("sensor_power_critical_watts", "power_crit_watt", "Hardware monitor for power usage in watts (crit)"),
        HWMON("sensor_current_amperes", "curr_amps", "Hardware monitor for current (input)"),
        HWMON("sensor_current_min_amperes", "curr_min_amps", "Hardware monitor for current (min)"),
        HWMON("sensor_current_max_amperes", "curr_max_amps", "Hardware monitor for current (max)"),
        HWMON("sensor_current_critical_amperes", "curr_crit_amps", "Hardware monitor for current (crit)"),
        { .metric = "sensor_energy_joules_total", .name = "node_hwmon_energy_joule_total", .type = EXPO_COUNTER,
          .help = "Hardware monitor for joules used so far (input)", .labels = { CHIP } },
        HWMON("sensor_humidity_ratio", "humidity", "Hardware monitor for humidity, as a ratio (multiply with 100.0 to get the humidity as a percentage) (input)"),
        ALARM("temp", "", "temp_alarm", 1, "Hardware sensor alarm status (temp)"),
        ALARM("temp", "max", "temp_max_alarm_celsius", 0.001, "Hardware monitor for temperature (max_alarm)"),
        ALARM("temp", "min", "temp_min_alarm_celsius", 0.001, "Hardware monitor for temperature (min_alarm)"),
        ALARM("temp", "crit", "temp_crit_alarm_celsius", 0.001, "Hardware monitor for temperature (crit_alarm)"),
        ALARM("temp", "lcrit", "temp_lcrit_alarm_celsius", 0.001, "Hardware monitor for temperature (lcrit_alarm)"),
        ALARM("temp", "emergency", "temp_emergency_alarm_celsius", 0.001, "Hardware monitor for temperature (emergency_alarm)"),
        ALARM("fan", "", "fan_alarm", 1, "Hardware sensor alarm status (fan)"),
        ALARM("fan", "min", "fan_min_alarm", 1, "Hardware monitor fan element min_alarm"),
        ALARM("fan", "max", "fan_max_alarm", 1, "Hardware monitor fan element max_alarm"),
        ALARM("in", "", "in_alarm", 1, "Hardware sensor alarm status (in)"),
        ALARM("in", "min", "in_min_alarm_volts", 0.001, "Hardware monitor for voltage (min_alarm)"),
        ALARM("in", "max", "in_max_alarm_volts", 0.001, "Hardware monitor for voltage (max_alarm)"),
        ALARM("in", "lcrit", "in_lcrit_alarm_volts", 0.001, "Hardware monitor for voltage (lcrit_alarm)"),
        ALARM("in", "crit", "in_crit_alarm_volts", 0.001, "Hardware monitor for voltage (crit_alarm)"),
        ALARM("power", "", "power_alarm", 1, "Hardware sensor alarm status (power)"),
        ALARM("power", "cap", "power_cap_alarm_watt", 0.000001, "Hardware monitor for power usage in watts (cap_alarm)"),
        ALARM("power", "max", "power_max_alarm_watt", 0.000001, "Hardware monitor for power usage in watts (max_alarm)"),
        ALARM("power", "crit", "power_crit_alarm_watt", 0.000001, "Hardware monitor for power usage in watts (crit_alarm)"),
        ALARM("curr", "", "curr_alarm", 1, "Hardware sensor alarm status (curr)"),
        ALARM("curr", "min", "curr_min_alarm_amps", 0.001, "Hardware monitor for current (min_alarm)"),
        ALARM("curr", "max", "curr_max_alarm_amps", 0.001, "Hardware monitor for current (max_alarm)"),
        ALARM("curr", "crit", "curr_crit_alarm_amps", 0.001, "Hardware monitor for current (crit_alarm)"),
        ALARM("intrusion", "intrusion", "intrusion_alarm", 1, "Hardware sensor alarm status (intrusion)"),
        OF_KIND("sensor_fault", "temp", "temp_fault", "Hardware sensor fault status (temp)"),
        OF_KIND("sensor_fault", "fan", "fan_fault", "Hardware sensor fault status (fan)"),
        OF_KIND("sensor_beep_enabled", "temp", "temp_beep_enabled", "Hardware monitor sensor has beeping enabled"),
        OF_KIND("sensor_beep_enabled", "fan", "fan_beep_enabled", "Hardware monitor sensor has beeping enabled"),
        OF_KIND("sensor_beep_enabled", "in", "in_beep_enabled", "Hardware monitor sensor has beeping enabled"),
        OF_KIND("sensor_beep_enabled", "curr", "curr_beep_enabled", "Hardware monitor sensor has beeping enabled"),

        { .metric = "edac_correctable_errors_total", .when_label = "dimm", .when = "all", .name = "node_edac_correctable_errors_total",
          .type = EXPO_COUNTER, .help = "Total correctable memory errors.", .labels = { { "controller", "$number" } } },
        { .metric = "edac_uncorrectable_errors_total", .when_label = "dimm", .when = "all", .name = "node_edac_uncorrectable_errors_total",
          .type = EXPO_COUNTER, .help = "Total uncorrectable memory errors.", .labels = { { "controller", "$number" } } },
        EDAC("edac_csrow_correctable_errors_total", "csrow_correctable_errors_total", "Total correctable memory errors for this csrow.",
             { "csrow", "csrow" }),
        EDAC("edac_csrow_uncorrectable_errors_total", "csrow_uncorrectable_errors_total", "Total uncorrectable memory errors for this csrow.",
             { "csrow", "csrow" }),
        EDAC("edac_channel_correctable_errors_total", "channel_correctable_errors_total", "Total correctable memory errors for this channel.",
             { "csrow", "csrow" }, { "channel", "channel" }, { "dimm_label", "$dimm_label" }),
        EDAC("edac_channel_uncorrectable_errors_total", "channel_uncorrectable_errors_total", "Total uncorrectable memory errors for this channel.",
             { "csrow", "csrow" }, { "channel", "channel" }, { "dimm_label", "$dimm_label" }),

        MD("raid_disks_required", NULL, NULL, "disks_required", 1, "Total number of disks of device."),
        MD("raid_disks_required", NULL, NULL, "raid_disks", 1, "Number of raid disks on device."),
        MD("raid_degraded_disks", NULL, NULL, "degraded", 1, "Number of degraded disks on device."),
        MD("raid_size_bytes", NULL, NULL, "blocks", 1.0 / 1024, "Total number of blocks on device."),
        MD("raid_synced_bytes", NULL, NULL, "blocks_synced", 1.0 / 1024, "Number of blocks synced on device."),
        MD("raid_state", "state", "active", "state", 1, MD_STATE),
        MD("raid_state", "state", "inactive", "state", 1, MD_STATE),
        MD("raid_state", "state", "recovering", "state", 1, MD_STATE),
        MD("raid_state", "state", "resync", "state", 1, MD_STATE),
        MD("raid_state", "state", "check", "state", 1, MD_STATE),
        MD("raid_disks", "state", "active", "disks", 1, MD_DISKS),
        MD("raid_disks", "state", "failed", "disks", 1, MD_DISKS),
        MD("raid_disks", "state", "spare", "disks", 1, MD_DISKS),
        MD("raid_disks", "state", "removed", "disks", 1, MD_DISKS), /* theirs has no such count, though it was asked for */
        { .metric = "zfs_pool_state", .name = "node_zfs_zpool_state", .type = EXPO_GAUGE, .help = "kstat.zfs.misc.state",
          .labels = { { "zpool", "pool" }, { "state", "state" } } },
        { .metric = "sensor_temperature_celsius", .when_label = "chip*", .when = "thermal_zone", .name = "node_thermal_zone_temp",
          .type = EXPO_GAUGE, .help = "Zone temperature in Celsius", .labels = { { "zone", "$zone" }, { "type", "label" } } },

        FS("fs_size_bytes", "size_bytes", "Filesystem size in bytes."),
        FS("fs_free_bytes", "free_bytes", "Filesystem free space in bytes."),
        FS("fs_avail_bytes", "avail_bytes", "Filesystem space available to non-root users in bytes."),
        FS("fs_files", "files", "Filesystem total file nodes."),
        FS("fs_files_free", "files_free", "Filesystem total free file nodes."),
        FS("fs_readonly", "readonly", "Filesystem read-only status."),
        FS("fs_device_error", "device_error", "Whether an error occurred while getting statistics for the given device."),
};
const size_t compat_node_len = ARRAY_LEN(compat_node);
