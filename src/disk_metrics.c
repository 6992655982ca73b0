/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The metrics of a disk and how a report becomes samples. Called by the checks smart-ata and smart, by
 * veillectl judge and by the replay, so that all four judge the same numbers. */

#include "disk_metrics.h"

#include <math.h>

/* What a drive that names no limit of its own should stay below. */
#define TYPICAL_WARNING_HDD_C 60  /* the upper operating limit in most data sheets of hard disks */
#define TYPICAL_WARNING_SSD_C 70  /* the same for SATA and SAS SSDs */
#define TYPICAL_WARNING_NVME_C 80 /* most NVMe drives warn between 75 and 85 */

const struct metric_desc disk_metrics[] = {
        { "disk_info", METRIC_INFO, "", "Identity of the disk" },
        { "disk_standby", METRIC_GAUGE, "", "1 when the disk sleeps and was not asked" },
        { "disk_read_by_fallback", METRIC_GAUGE, "", "1 when smartctl had to be asked because libatasmart cannot read the disk" },
        { "disk_smart_passed", METRIC_GAUGE, "", "The drive's own verdict: 1 passed, 0 failed" },
        { "disk_health_failed", METRIC_GAUGE, "", "1 when the drive says it is failing, for another reason than worn flash or heat" },
        { "disk_attribute", METRIC_GAUGE, "", "ATA attribute table as the drive gives it" },
        { "disk_attribute_failed_now", METRIC_GAUGE, "", "1 when the attribute is at or below the drive's threshold" },
        { "disk_attribute_failed_past", METRIC_GAUGE, "", "1 when the attribute once was at or below the drive's threshold" },
        { "disk_attribute_implausible", METRIC_GAUGE, "", "1 when the raw value of an error counter cannot be a count" },
        { "disk_reallocated_sectors", METRIC_GAUGE, "", "Sectors replaced by spare ones (attribute 5)" },
        { "disk_pending_sectors", METRIC_GAUGE, "", "Sectors that could not be read and wait for a write (attribute 197)" },
        { "disk_offline_uncorrectable_sectors", METRIC_GAUGE, "", "Sectors the drive itself could not read (attribute 198)" },
        { "disk_reported_uncorrectable_errors_total", METRIC_COUNTER, "", "Errors the drive could not correct and told the host (attribute 187)" },
        { "disk_crc_errors_total", METRIC_COUNTER, "", "Transfers broken on the way between drive and host (attribute 199)" },
        { "disk_command_timeouts_total", METRIC_COUNTER, "", "Commands that timed out (attribute 188, decoded)" },
        { "disk_end_to_end_errors_total", METRIC_COUNTER, "", "Data changed inside the drive (attribute 184)" },
        { "disk_spin_retries_total", METRIC_COUNTER, "", "Failed attempts to spin up (attribute 10)" },
        { "disk_media_errors_total", METRIC_COUNTER, "", "Unrecovered data integrity errors (NVMe)" },
        { "disk_grown_defects_total", METRIC_COUNTER, "", "Defects found after production (SCSI)" },
        { "disk_pending_defects", METRIC_GAUGE, "", "Defects that wait to be reassigned (SCSI)" },
        { "disk_corrected_errors_total", METRIC_COUNTER, "", "Errors the drive corrected, by operation and way (SCSI)" },
        { "disk_uncorrected_errors_total", METRIC_COUNTER, "", "Errors the drive could not correct, by operation (SCSI)" },
        { "disk_processed_bytes_total", METRIC_COUNTER, "bytes", "Data processed, by operation (SCSI)" },
        { "disk_nvme_critical_warning", METRIC_GAUGE, "", "1 when this bit of the NVMe critical warning is set" },
        { "disk_nvme_critical_warning_mask", METRIC_GAUGE, "", "The NVMe critical warning as one number" },
        { "disk_percentage_used_ratio", METRIC_GAUGE, "ratio", "Wear of the flash as a share of its rated life; may exceed 1" },
        { "disk_available_spare_ratio", METRIC_GAUGE, "ratio", "Spare flash that is left" },
        { "disk_available_spare_threshold_ratio", METRIC_GAUGE, "ratio", "Spare flash below which the drive warns" },
        { "disk_available_spare_margin_ratio", METRIC_GAUGE, "ratio", "Spare flash left above the drive's threshold" },
        { "disk_temperature_celsius", METRIC_GAUGE, "celsius", "Temperature of the drive" },
        { "disk_temperature_warning_celsius", METRIC_GAUGE, "celsius",
          "Temperature at which the drive warns, its own; where it names none: 60 for hard disks, 70 for SSDs, 80 for NVMe" },
        { "disk_temperature_limit_celsius", METRIC_GAUGE, "celsius", "The drive's own critical temperature" },
        { "disk_temperature_reference_celsius", METRIC_GAUGE, "celsius", "Other temperatures the drive names: limits, extremes of its life" },
        { "disk_temperature_sensor_celsius", METRIC_GAUGE, "celsius", "Further temperature sensors of an NVMe drive" },
        { "disk_power_on_seconds_total", METRIC_COUNTER, "seconds", "Time the drive was powered on" },
        { "disk_power_cycles_total", METRIC_COUNTER, "", "Times the drive was powered on" },
        { "disk_load_cycles_total", METRIC_COUNTER, "", "Times the heads were loaded" },
        { "disk_rotation_rpm", METRIC_GAUGE, "", "Rotation rate per minute; 0 is a drive without platters" },
        { "disk_capacity_bytes", METRIC_GAUGE, "bytes", "Capacity the user sees" },
        { "disk_capacity_blocks", METRIC_GAUGE, "", "Capacity in logical blocks" },
        { "disk_nvme_capacity_bytes", METRIC_GAUGE, "bytes", "Total capacity of the NVMe drive" },
        { "disk_block_size_bytes", METRIC_GAUGE, "bytes", "Logical and physical block size" },
        { "disk_interface_speed_bytes", METRIC_GAUGE, "bytes", "Speed of the link, possible and now, bytes per second as the wire counts" },
        { "disk_smartctl_info", METRIC_INFO, "", "The smartctl that read the disk" },
        { "disk_read_bytes_total", METRIC_COUNTER, "bytes", "Data read by the host over the drive's life (NVMe)" },
        { "disk_written_bytes_total", METRIC_COUNTER, "bytes", "Data written by the host over the drive's life (NVMe)" },
        { "disk_read_commands_total", METRIC_COUNTER, "", "Read commands over the drive's life (NVMe)" },
        { "disk_write_commands_total", METRIC_COUNTER, "", "Write commands over the drive's life (NVMe)" },
        { "disk_controller_busy_seconds_total", METRIC_COUNTER, "seconds", "Time the controller was busy (NVMe)" },
        { "disk_unsafe_shutdowns_total", METRIC_COUNTER, "", "Power losses without warning (NVMe)" },
        { "disk_warning_temperature_seconds_total", METRIC_COUNTER, "seconds", "Time above the warning temperature (NVMe)" },
        { "disk_critical_temperature_seconds_total", METRIC_COUNTER, "seconds", "Time above the critical temperature (NVMe)" },
        { "disk_error_log_entries_total", METRIC_COUNTER, "", "Entries ever made in the drive's error log" },
        { "disk_selftest_failed", METRIC_GAUGE, "", "1 when the newest self-test with a result failed" },
        { "disk_selftest_running", METRIC_GAUGE, "", "1 while the drive tests itself" },
        { "disk_selftest_last_result", METRIC_GAUGE, "", "1 for how the newest self-test that is over ended: passed, failed or early (aborted)" },
        { "disk_selftest_start", METRIC_GAUGE, "", "1 for what the drive said to the start of a self-test in this run: begun, refused or unsupported" },
        { "disk_selftest_remaining_ratio", METRIC_GAUGE, "ratio", "What is left of the running self-test" },
        { "disk_selftest_long_age_seconds", METRIC_GAUGE, "seconds", "Powered-on time since the last good long self-test" },
        { "disk_selftest_log_entries", METRIC_GAUGE, "", "Entries in the self-test log" },
        { "disk_selftest_log_errors", METRIC_GAUGE, "", "Failed tests in the self-test log" },
        { "disk_error_recovery_limit_seconds", METRIC_GAUGE, "seconds", "Time the drive may spend on one error (SCT ERC)" },
        { "disk_state", METRIC_GAUGE, "", "Device state of the ATA SCT status" },
        { "disk_statistic", METRIC_GAUGE, "", "ATA device statistics and SATA link counters" },
        { "disk_smartctl_exit_status", METRIC_GAUGE, "", "Exit status of smartctl, a bit mask" },
        { "disk_failure_score", METRIC_GAUGE, "", "Points of the hard disk failure scorecard, derived by veilled" },
        { "disk_failure_probability_30d_ratio", METRIC_GAUGE, "ratio", "Calibrated probability that the hard disk fails within 30 days, derived by veilled" },
};
const size_t disk_metrics_len = ARRAY_LEN(disk_metrics);

/* One number of the report that becomes one sample without further ado. */
struct plain {
        const char *metric;
        size_t offset;
        double scale;
        const char *label, *label_value;
        bool judged;
};

#define FIELD(f) offsetof(struct disk_report, f)
static const struct plain plain[] = {
        { "disk_temperature_celsius", FIELD(temperature_c), 1, NULL, NULL, true },
        { "disk_temperature_limit_celsius", FIELD(temperature_critical_c), 1, NULL, NULL, true },
        { "disk_percentage_used_ratio", FIELD(percentage_used), 0.01, NULL, NULL, true },
        { "disk_grown_defects_total", FIELD(counters.grown_defects), 1, NULL, NULL, true },
        { "disk_pending_defects", FIELD(counters.pending_defects), 1, NULL, NULL, true },
        { "disk_media_errors_total", FIELD(counters.media_errors), 1, NULL, NULL, true },
        { "disk_temperature_reference_celsius", FIELD(drive_trip_c), 1, "temperature_type", "drive_trip", false },
        { "disk_temperature_reference_celsius", FIELD(op_limit_max_c), 1, "temperature_type", "op_limit_max", false },
        { "disk_temperature_reference_celsius", FIELD(op_limit_min_c), 1, "temperature_type", "op_limit_min", false },
        { "disk_temperature_reference_celsius", FIELD(critical_limit_max_c), 1, "temperature_type", "critical_limit_max", false },
        { "disk_temperature_reference_celsius", FIELD(critical_limit_min_c), 1, "temperature_type", "critical_limit_min", false },
        { "disk_temperature_reference_celsius", FIELD(lifetime_max_c), 1, "temperature_type", "lifetime_max", false },
        { "disk_temperature_reference_celsius", FIELD(lifetime_min_c), 1, "temperature_type", "lifetime_min", false },
        { "disk_temperature_reference_celsius", FIELD(cycle_max_c), 1, "temperature_type", "power_cycle_max", false },
        { "disk_temperature_reference_celsius", FIELD(cycle_min_c), 1, "temperature_type", "power_cycle_min", false },
        { "disk_power_on_seconds_total", FIELD(power_on_s), 1, NULL, NULL, false },
        { "disk_power_cycles_total", FIELD(power_cycles), 1, NULL, NULL, false },
        { "disk_load_cycles_total", FIELD(load_cycles), 1, NULL, NULL, false },
        { "disk_rotation_rpm", FIELD(rotation_rpm), 1, NULL, NULL, false },
        { "disk_capacity_bytes", FIELD(capacity_bytes), 1, NULL, NULL, false },
        { "disk_capacity_blocks", FIELD(capacity_blocks), 1, NULL, NULL, false },
        { "disk_nvme_capacity_bytes", FIELD(nvme_capacity_bytes), 1, NULL, NULL, false },
        { "disk_block_size_bytes", FIELD(logical_block_bytes), 1, "blocks_type", "logical", false },
        { "disk_block_size_bytes", FIELD(physical_block_bytes), 1, "blocks_type", "physical", false },
        { "disk_interface_speed_bytes", FIELD(speed_max_bps), 0.125, "speed_type", "max", false },
        { "disk_interface_speed_bytes", FIELD(speed_current_bps), 0.125, "speed_type", "current", false },
        { "disk_read_bytes_total", FIELD(nvme.data_units_read), 512000, NULL, NULL, false },
        { "disk_written_bytes_total", FIELD(nvme.data_units_written), 512000, NULL, NULL, false },
        { "disk_read_commands_total", FIELD(nvme.host_reads), 1, NULL, NULL, false },
        { "disk_write_commands_total", FIELD(nvme.host_writes), 1, NULL, NULL, false },
        { "disk_controller_busy_seconds_total", FIELD(nvme.controller_busy_minutes), 60, NULL, NULL, false },
        { "disk_unsafe_shutdowns_total", FIELD(nvme.unsafe_shutdowns), 1, NULL, NULL, false },
        { "disk_warning_temperature_seconds_total", FIELD(nvme.warning_temp_minutes), 60, NULL, NULL, false },
        { "disk_critical_temperature_seconds_total", FIELD(nvme.critical_temp_minutes), 60, NULL, NULL, false },
        { "disk_available_spare_ratio", FIELD(nvme.available_spare), 0.01, NULL, NULL, false },
        { "disk_available_spare_threshold_ratio", FIELD(nvme.available_spare_threshold), 0.01, NULL, NULL, false },
        { "disk_selftest_remaining_ratio", FIELD(selftest_remaining), 0.01, NULL, NULL, false },
        { "disk_selftest_long_age_seconds", FIELD(selftest_age_h), 3600, NULL, NULL, false },
        { "disk_selftest_log_entries", FIELD(selftest_count_standard), 1, "self_test_log_type", "standard", false },
        { "disk_selftest_log_entries", FIELD(selftest_count_extended), 1, "self_test_log_type", "extended", false },
        { "disk_selftest_log_errors", FIELD(selftest_errors_standard), 1, "self_test_log_type", "standard", false },
        { "disk_selftest_log_errors", FIELD(selftest_errors_extended), 1, "self_test_log_type", "extended", false },
        { "disk_error_recovery_limit_seconds", FIELD(erc_read_s), 1, "op_type", "read", false },
        { "disk_error_recovery_limit_seconds", FIELD(erc_write_s), 1, "op_type", "write", false },
        { "disk_state", FIELD(state), 1, NULL, NULL, false },
        { "disk_smartctl_exit_status", FIELD(exit_status), 1, NULL, NULL, false },
};

/* Counters out of the ATA table: their label says whether platters or flash count so, for the rules differ. */
static const struct plain medium_counters[] = {
        { "disk_reallocated_sectors", FIELD(counters.reallocated), 1, NULL, NULL, true },
        { "disk_pending_sectors", FIELD(counters.pending), 1, NULL, NULL, true },
        { "disk_offline_uncorrectable_sectors", FIELD(counters.offline_uncorrectable), 1, NULL, NULL, true },
        { "disk_reported_uncorrectable_errors_total", FIELD(counters.reported_uncorrectable), 1, NULL, NULL, true },
        { "disk_crc_errors_total", FIELD(counters.crc_errors), 1, NULL, NULL, true },
        { "disk_end_to_end_errors_total", FIELD(counters.end_to_end), 1, NULL, NULL, true },
        { "disk_spin_retries_total", FIELD(counters.spin_retries), 1, NULL, NULL, true },
        { "disk_command_timeouts_total", FIELD(counters.command_timeouts), 1, NULL, NULL, false },
};

struct out {
        disk_emit_fn *emit;
        void *data;
};

static void put(const struct out *out, const char *metric, double value, const char *const *labels)
{
        static const char *const none[] = { NULL };

        if (isfinite(value))
                out->emit(out->data, metric, value, labels ? labels : none);
}

static double field(const struct disk_report *r, const struct plain *p)
{
        double v;

        memcpy(&v, (const char *)r + p->offset, sizeof(v));
        return v * p->scale;
}

static void put_plain(const struct out *out, const struct disk_report *r, bool judged_only)
{
        const char *medium[] = { "medium", disk_report_is_hdd(r) ? "platters" : "flash", NULL };

        for (size_t i = 0; i < ARRAY_LEN(plain); i++) {
                const char *label[] = { plain[i].label, plain[i].label_value, NULL };

                if (plain[i].judged || !judged_only)
                        put(out, plain[i].metric, field(r, &plain[i]), label);
        }
        for (size_t i = 0; i < ARRAY_LEN(medium_counters); i++)
                if (medium_counters[i].judged || !judged_only)
                        put(out, medium_counters[i].metric, field(r, &medium_counters[i]), medium);
}

static void put_info(const struct out *out, const struct disk_report *r)
{
        const char *labels[] = {
                "interface", r->interface, "protocol", disk_protocol_name(r->protocol), "model_family", r->family,
                "model_name", r->model, "serial_number", r->serial, "ata_additional_product_id", r->additional_product_id,
                "firmware_version", r->firmware, "ata_version", r->ata_version, "sata_version", r->sata_version,
                "form_factor", r->form_factor, "scsi_vendor", r->scsi_vendor, "scsi_product", r->scsi_product,
                "scsi_revision", r->scsi_revision, "scsi_version", r->scsi_version, "wwn", r->wwn, "source", r->source,
                "medium", disk_report_is_hdd(r) ? "platters" : "flash", NULL,
        };

        put(out, "disk_info", 1, labels);
}

static void put_tool(const struct out *out, const struct disk_report *r)
{
        const char *labels[] = { "json_format_version", r->smartctl.format, "smartctl_version", r->smartctl.version,
                                 "svn_revision", r->smartctl.revision, "build_info", r->smartctl.build, NULL };

        if (*r->smartctl.version)
                put(out, "disk_smartctl_info", 1, labels);
}

static void put_attribute_table(const struct out *out, const struct disk_report *r)
{
        for (size_t i = 0; i < r->n_attributes; i++) {
                const struct disk_attribute *a = &r->attributes[i];
                char id[8], flags_short[8], flags_long[80];
                const char *labels[] = { "attribute_id", id, "attribute_name", a->name, "attribute_value_type", NULL,
                                         "attribute_flags_short", flags_short, "attribute_flags_long", flags_long, NULL };
                const struct {
                        const char *type;
                        double value;
                        bool known;
                } values[] = {
                        { "value", a->value, a->value >= 0 },
                        { "worst", a->worst, a->worst >= 0 },
                        { "thresh", a->thresh, a->thresh >= 0 },
                        { "raw", (double)a->raw, a->has_raw },
                };

                snprintf(id, sizeof(id), "%u", a->id);
                disk_flags_short(a->flags, flags_short);
                disk_flags_long(a->flags, flags_long);
                for (size_t j = 0; j < ARRAY_LEN(values); j++) {
                        labels[5] = values[j].type;
                        if (values[j].known)
                                put(out, "disk_attribute", values[j].value, labels);
                }
        }
}

/* The error counters a rule reads; when their raw value is no count, somebody should know. */
static bool is_implausible(const struct disk_attribute *a)
{
        static const uint8_t ids[] = { 5, 187, 197, 198 };

        for (size_t i = 0; i < ARRAY_LEN(ids); i++)
                if (a->id == ids[i])
                        return a->has_raw && a->raw && !(a->count > 0);
        return false;
}

static void put_attribute_verdicts(const struct out *out, const struct disk_report *r)
{
        for (size_t i = 0; i < r->n_attributes; i++) {
                const struct disk_attribute *a = &r->attributes[i];
                char id[8];
                const char *labels[] = { "attribute_id", id, "attribute_name", a->name,
                                         "prefailure", a->flags & DISK_FLAG_PREFAILURE ? "yes" : "no", NULL };

                snprintf(id, sizeof(id), "%u", a->id);
                if (a->thresh > 0 || a->failed != DISK_ATTRIBUTE_GOOD) {
                        put(out, "disk_attribute_failed_now", a->failed == DISK_ATTRIBUTE_FAILED_NOW, labels);
                        put(out, "disk_attribute_failed_past", a->failed == DISK_ATTRIBUTE_FAILED_PAST, labels);
                }
                if (is_implausible(a))
                        put(out, "disk_attribute_implausible", 1, labels);
        }
}

static void put_health(const struct out *out, const struct disk_report *r)
{
        bool only_hot = r->nvme.present && r->nvme.critical_warning == 1u << DISK_NVME_TEMPERATURE;

        if (r->health == DISK_HEALTH_ABSENT)
                return;
        put(out, "disk_smart_passed", r->health == DISK_HEALTH_PASSED, NULL);
        put(out, "disk_health_failed", r->health == DISK_HEALTH_FAILED && !disk_report_only_worn(r) && !only_hot, NULL);
}

static void put_temperature_warning(const struct out *out, const struct disk_report *r)
{
        double typical = r->protocol == DISK_NVME ? TYPICAL_WARNING_NVME_C :
                         disk_report_is_hdd(r)    ? TYPICAL_WARNING_HDD_C :
                                                    TYPICAL_WARNING_SSD_C;

        if (isnan(r->temperature_c))
                return;
        put(out, "disk_temperature_warning_celsius", r->temperature_warning_c > 0 ? r->temperature_warning_c : typical, NULL);
}

static void put_nvme(const struct out *out, const struct disk_report *r, bool judged_only)
{
        const struct disk_nvme *n = &r->nvme;

        if (!n->present)
                return;
        for (int i = 0; i < DISK_NVME_BIT_MAX; i++) {
                const char *labels[] = { "bit", disk_nvme_bit_name(i), NULL };

                put(out, "disk_nvme_critical_warning", n->critical_warning >> i & 1, labels);
        }
        /* A threshold of 0 is "not set" (virtual drives): nothing to compare with. */
        if (n->available_spare_threshold > 0)
                put(out, "disk_available_spare_margin_ratio", (n->available_spare - n->available_spare_threshold) / 100, NULL);
        if (judged_only)
                return;
        put(out, "disk_nvme_critical_warning_mask", n->critical_warning, NULL);
        for (size_t i = 0; i < ARRAY_LEN(n->sensor_c); i++) {
                char sensor[24];
                const char *labels[] = { "sensor", sensor, NULL };

                snprintf(sensor, sizeof(sensor), "%zu", i + 1);
                put(out, "disk_temperature_sensor_celsius", n->sensor_c[i], labels);
        }
}

static void put_scsi(const struct out *out, const struct disk_report *r, bool judged_only)
{
        for (int op = 0; op < DISK_OPERATION_MAX; op++) {
                const struct disk_scsi_errors *e = &r->scsi[op];
                const char *labels[] = { "operation", disk_operation_name(op), "way", NULL, NULL };
                const struct {
                        const char *way;
                        double value;
                } corrected[] = {
                        { "eccfast", e->corrected_fast },
                        { "eccdelayed", e->corrected_delayed },
                        { "rereads_rewrites", e->rereads_rewrites },
                };

                if (!e->present)
                        continue;
                labels[2] = NULL;
                put(out, "disk_uncorrected_errors_total", e->uncorrected, labels);
                if (judged_only)
                        continue;
                put(out, "disk_processed_bytes_total", e->gigabytes * 1e9, labels);
                labels[2] = "way";
                for (size_t i = 0; i < ARRAY_LEN(corrected); i++) {
                        labels[3] = corrected[i].way;
                        put(out, "disk_corrected_errors_total", corrected[i].value, labels);
                }
        }
}

/* NVMe's log also counts commands that were refused, at each boot and by some monitors: never judged. */
static void put_error_logs(const struct out *out, const struct disk_report *r, bool judged_only)
{
        const struct {
                const char *type;
                double value;
                bool judged;
        } logs[] = {
                { "extended", r->error_log_extended, true },
                { "summary", r->error_log_summary, isnan(r->error_log_extended) },
                { "nvme", r->nvme.error_log_entries, false },
        };

        for (size_t i = 0; i < ARRAY_LEN(logs); i++) {
                const char *labels[] = { "error_log_type", logs[i].type, "judged", logs[i].judged ? "yes" : "no", NULL };

                if (logs[i].judged || !judged_only)
                        put(out, "disk_error_log_entries_total", logs[i].value, labels);
        }
}

static void put_selftest(const struct out *out, const struct disk_report *r, bool judged_only)
{
        static const char *const results[] = {
                [DISK_SELFTEST_PASSED] = "passed", [DISK_SELFTEST_FAILED] = "failed", [DISK_SELFTEST_EARLY] = "early",
        };

        if (r->selftest != DISK_SELFTEST_NONE)
                put(out, "disk_selftest_failed", r->selftest == DISK_SELFTEST_FAILED, NULL);
        if (!judged_only)
                put(out, "disk_selftest_running", r->selftest_running, NULL);
        if (!judged_only && r->selftest_last != DISK_SELFTEST_NONE)
                put(out, "disk_selftest_last_result", 1, (const char *const[]){ "result", results[r->selftest_last], NULL });
}

static void put_statistics(const struct out *out, const struct disk_report *r)
{
        for (size_t i = 0; i < r->n_statistics; i++) {
                const struct disk_statistic *s = &r->statistics[i];
                const char *labels[] = { "statistic_table", s->table, "statistic_name", s->name,
                                         "statistic_flags_short", s->flags_short, "statistic_flags_long", s->flags_long, NULL };

                put(out, "disk_statistic", s->value, labels);
        }
}

void disk_report_emit(const struct disk_report *report, bool judged_only, disk_emit_fn *emit, void *data)
{
        const struct out out = { emit, data };

        if (report->standby) {
                if (!judged_only)
                        put(&out, "disk_standby", 1, NULL);
                return;
        }
        if (!judged_only) {
                put_info(&out, report);
                put_tool(&out, report);
                put(&out, "disk_standby", 0, NULL);
                put_attribute_table(&out, report);
                put_statistics(&out, report);
        }
        put_health(&out, report);
        put_plain(&out, report, judged_only);
        put_attribute_verdicts(&out, report);
        put_temperature_warning(&out, report);
        put_nvme(&out, report, judged_only);
        put_scsi(&out, report, judged_only);
        put_error_logs(&out, report, judged_only);
        put_selftest(&out, report, judged_only);
}
