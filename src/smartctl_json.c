/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* smartctl's JSON to a disk report. Every member may be missing, null, of another type or absurd: then it is
 * "not reported". Exit bits 2 to 7 do not make the document invalid (smartctl(8), EXIT STATUS). */

#include "smartctl_json.h"

#include <inttypes.h>
#include <math.h>

#include "nvme_selftest.h"

#define SCSI_SELFTESTS 20 /* that a drive logs */
#define EXIT_DISK_FAILING 0x08

static const json_t *get(const json_t *o, const char *path)
{
        char key[64];

        while (o && *path) {
                size_t n = strcspn(path, "/");

                snprintf(key, sizeof(key), "%.*s", (int)n, path);
                o = json_object_get(o, key);
                path += n + (path[n] == '/');
        }
        return o;
}

/* A number, or one printed as a string ("1234", as smartctl does for 64 bits and more, and for gigabytes). */
static double number_of(const json_t *v)
{
        const char *s = json_string_value(v);
        char *end;
        double d;

        if (json_is_number(v))
                return json_number_value(v);
        if (!s || !((*s >= '0' && *s <= '9') || *s == '-'))
                return NAN;
        d = strtod(s, &end);
        return *end == '\0' && isfinite(d) ? d : NAN;
}

static double number(const json_t *o, const char *path)
{
        char exact[96];
        double d;

        /* "data_units_read_s" is exact where "data_units_read" lost bits. */
        snprintf(exact, sizeof(exact), "%s_s", path);
        d = number_of(get(o, exact));
        return isnan(d) ? number_of(get(o, path)) : d;
}

static void text(const json_t *o, const char *path, char *buf, size_t size)
{
        const char *s = json_string_value(get(o, path));
        size_t n = 0;

        for (; s && *s && n + 1 < size; s++)
                buf[n++] = (unsigned char)*s < ' ' ? ' ' : *s;
        while (n && buf[n - 1] == ' ')
                n--;
        buf[n] = '\0';
}

#define TEXT(doc, path, field) text(doc, path, field, sizeof(field))

static void read_tool(const json_t *doc, struct disk_report *r)
{
        const json_t *format = json_object_get(doc, "json_format_version"), *version = get(doc, "smartctl/version");

#define PAIR(list, field)                                                                                                          \
        if (json_is_number(json_array_get(list, 0)) && json_is_number(json_array_get(list, 1)))                                    \
                snprintf(field, sizeof(field), "%.0f.%.0f", json_number_value(json_array_get(list, 0)),                            \
                         json_number_value(json_array_get(list, 1)))
        PAIR(format, r->smartctl.format);
        PAIR(version, r->smartctl.version);
#undef PAIR
        TEXT(doc, "smartctl/svn_revision", r->smartctl.revision);
        TEXT(doc, "smartctl/build_info", r->smartctl.build);
}

static void read_identity(const json_t *doc, struct disk_report *r)
{
        const char *device = json_string_value(get(doc, "device/name"));
        double naa = number(doc, "wwn/naa"), oui = number(doc, "wwn/oui"), id = number(doc, "wwn/id");
        const char *lu = json_string_value(get(doc, "logical_unit_id"));

        if (device)
                snprintf(r->device, sizeof(r->device), "%s", str_starts(device, "/dev/") ? device + 5 : device);
        TEXT(doc, "device/type", r->interface);
        TEXT(doc, "model_name", r->model);
        if (!r->model[0])
                TEXT(doc, "scsi_model_name", r->model);
        TEXT(doc, "model_family", r->family);
        TEXT(doc, "serial_number", r->serial);
        TEXT(doc, "firmware_version", r->firmware);
        TEXT(doc, "ata_additional_product_id", r->additional_product_id);
        TEXT(doc, "ata_version/string", r->ata_version);
        TEXT(doc, "sata_version/string", r->sata_version);
        TEXT(doc, "form_factor/name", r->form_factor);
        TEXT(doc, json_object_get(doc, "scsi_vendor") ? "scsi_vendor" : "vendor", r->scsi_vendor);
        TEXT(doc, json_object_get(doc, "scsi_product") ? "scsi_product" : "product", r->scsi_product);
        TEXT(doc, json_object_get(doc, "scsi_revision") ? "scsi_revision" : "revision", r->scsi_revision);
        TEXT(doc, "scsi_version", r->scsi_version);
        if (naa >= 0 && naa < 16 && oui >= 0 && oui < 0x1000000 && id >= 0 && id < 0x1000000000LL)
                snprintf(r->wwn, sizeof(r->wwn), "%x%06x%09" PRIx64, (unsigned)naa, (unsigned)oui, (uint64_t)id);
        else if (lu && str_starts(lu, "0x"))
                snprintf(r->wwn, sizeof(r->wwn), "%s", lu + 2);
        r->capacity_bytes = number(doc, "user_capacity/bytes");
        r->capacity_blocks = number(doc, "user_capacity/blocks");
        r->nvme_capacity_bytes = number(doc, "nvme_total_capacity");
        r->logical_block_bytes = number(doc, "logical_block_size");
        r->physical_block_bytes = number(doc, "physical_block_size");
        r->rotation_rpm = number(doc, "rotation_rate");
        r->speed_max_bps = number(doc, "interface_speed/max/units_per_second") * number(doc, "interface_speed/max/bits_per_unit");
        r->speed_current_bps = number(doc, "interface_speed/current/units_per_second") *
                               number(doc, "interface_speed/current/bits_per_unit");
}

static enum disk_protocol read_protocol(const json_t *doc)
{
        const char *s = json_string_value(get(doc, "device/protocol"));

        for (int p = DISK_ATA; s && p < DISK_PROTOCOL_MAX; p++)
                if (streq(s, disk_protocol_name((enum disk_protocol)p)))
                        return (enum disk_protocol)p;
        if (json_object_get(doc, "ata_smart_attributes"))
                return DISK_ATA;
        if (json_object_get(doc, "nvme_smart_health_information_log"))
                return DISK_NVME;
        return json_object_get(doc, "scsi_error_counter_log") ? DISK_SCSI : DISK_PROTOCOL_UNKNOWN;
}

static void read_temperatures(const json_t *doc, struct disk_report *r)
{
        const struct {
                const char *path;
                double *field;
        } rows[] = {
                { "temperature/current", &r->temperature_c },
                { "nvme_composite_temperature_threshold/warning", &r->temperature_warning_c },
                { "nvme_composite_temperature_threshold/critical", &r->temperature_critical_c },
                { "temperature/drive_trip", &r->drive_trip_c },
                { "temperature/op_limit_max", &r->op_limit_max_c },
                { "temperature/op_limit_min", &r->op_limit_min_c },
                { "temperature/critical_limit_max", &r->critical_limit_max_c },
                { "temperature/critical_limit_min", &r->critical_limit_min_c },
                { "temperature/lifetime_max", &r->lifetime_max_c },
                { "temperature/lifetime_min", &r->lifetime_min_c },
                { "temperature/power_cycle_max", &r->cycle_max_c },
                { "temperature/power_cycle_min", &r->cycle_min_c },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
                *rows[i].field = number(doc, rows[i].path);
}

static int small(const json_t *o, const char *key)
{
        double d = number(o, key);

        return d >= 0 && d <= 255 ? (int)d : DISK_ATTRIBUTE_ABSENT;
}

static void read_attributes(const json_t *doc, struct disk_report *r)
{
        const json_t *table = get(doc, "ata_smart_attributes/table"), *row;
        size_t i;

        json_array_foreach(table, i, row) {
                double id = number(row, "id"), flags = number(row, "flags/value"), raw = number(row, "raw/value");
                const char *name = json_string_value(json_object_get(row, "name"));
                const char *failed = json_string_value(json_object_get(row, "when_failed"));
                const json_t *exact = get(row, "raw/value");
                struct disk_attribute *a;

                if (!(id >= 1 && id <= 255))
                        continue;
                a = disk_report_add_attribute(r, (unsigned)id, name, flags >= 0 && flags <= 65535 ? (unsigned)flags : 0,
                                              small(row, "value"), small(row, "worst"), small(row, "thresh"));
                if (!a)
                        continue;
                if (json_is_integer(exact) && json_integer_value(exact) >= 0) {
                        a->raw = (uint64_t)json_integer_value(exact);
                        a->has_raw = true;
                } else if (raw >= 0 && raw < 1.8e19) {
                        a->raw = (uint64_t)raw;
                        a->has_raw = true;
                }
                if (failed && streq(failed, "now"))
                        a->failed = DISK_ATTRIBUTE_FAILED_NOW;
                else if (failed && streq(failed, "past"))
                        a->failed = DISK_ATTRIBUTE_FAILED_PAST;
        }
}

/* A test that was aborted or interrupted says nothing, whatever else the entry claims. */
static enum disk_selftest ata_result(bool passed, const char *words)
{
        if (words && (str_starts(words, "Aborted") || str_starts(words, "Interrupted")))
                return DISK_SELFTEST_EARLY;
        return passed ? DISK_SELFTEST_PASSED : DISK_SELFTEST_FAILED;
}

/* ATA8-ACS, self-test execution status, in the upper four bits: 0 passed or never tested, 1 and 2 ended early, 3 to 8
 * failed, 15 a test runs. */
static void read_selftest_status_ata(const json_t *doc, struct disk_report *r)
{
        double value = number(doc, "ata_smart_data/self_test/status/value");
        int status = value >= 0 && value <= 255 ? (int)value >> 4 : -1;

        /* The percentage also stands beside tests that were ended early. */
        r->selftest_running = status == 15;
        if (r->selftest_running)
                r->selftest_remaining = number(doc, "ata_smart_data/self_test/status/remaining_percent");
        if (r->selftest_last == DISK_SELFTEST_NONE && status >= 0 && status <= 8)
                r->selftest_last = status == 0 ? DISK_SELFTEST_PASSED : status <= 2 ? DISK_SELFTEST_EARLY : DISK_SELFTEST_FAILED;
}

static void read_selftests_ata(const json_t *doc, struct disk_report *r)
{
        const json_t *log = get(doc, "ata_smart_self_test_log/extended"), *row;
        struct disk_selftest_log state = { 0 };
        size_t i;

        r->selftest_count_standard = number(doc, "ata_smart_self_test_log/standard/count");
        r->selftest_count_extended = number(doc, "ata_smart_self_test_log/extended/count");
        r->selftest_errors_standard = number(doc, "ata_smart_self_test_log/standard/error_count_total");
        r->selftest_errors_extended = number(doc, "ata_smart_self_test_log/extended/error_count_total");
        if (!log)
                log = get(doc, "ata_smart_self_test_log/standard");
        json_array_foreach(json_object_get(log, "table"), i, row) {
                const json_t *passed = get(row, "status/passed");
                const char *type = json_string_value(get(row, "type/string")), *words = json_string_value(get(row, "status/string"));
                bool is_long = type && (strstr(type, "xtended") || strstr(type, "Long") || strstr(type, "long"));

                if (json_is_boolean(passed) && (!words || !strstr(words, "in progress")))
                        disk_selftest_add(r, &state, ata_result(json_is_true(passed), words), is_long, number(row, "lifetime_hours"), words);
        }
        r->selftest_log_read = log != NULL;
        r->selftest_unsupported = json_is_false(get(doc, "ata_smart_data/capabilities/self_tests_supported"));
        read_selftest_status_ata(doc, r);
}

static void read_selftests_nvme(const json_t *doc, struct disk_report *r)
{
        const json_t *log = json_object_get(doc, "nvme_self_test_log"), *row;
        struct disk_selftest_log state = { 0 };
        size_t i;

        json_array_foreach(json_object_get(log, "table"), i, row) {
                double result = number(row, "self_test_result/value");

                if (result >= 0 && result < NVME_SELFTEST_RESULTS)
                        disk_selftest_add(r, &state, nvme_selftest_result((unsigned)result), number(row, "self_test_code/value") == 2,
                                          number(row, "power_on_hours"), json_string_value(get(row, "self_test_result/string")));
        }
        if (number(log, "current_self_test_operation/value") > 0) {
                r->selftest_running = true;
                r->selftest_remaining = 100 - fmin(fmax(number(log, "current_self_test_completion_percent"), 0), 100);
        }
        r->selftest_log_read = log != NULL;
}

/* smartctl 7.3 and 7.4 number the entries in their names, later ones have a table. */
static const json_t *scsi_selftest(const json_t *doc, int i)
{
        char key[32];
        const json_t *table = get(doc, "scsi_self_test/table");

        if (table)
                return json_array_get(table, (size_t)i);
        snprintf(key, sizeof(key), "scsi_self_test_%d", i);
        return json_object_get(doc, key);
}

static void read_selftests_scsi(const json_t *doc, struct disk_report *r)
{
        struct disk_selftest_log state = { 0 };

        for (int i = 0; i < SCSI_SELFTESTS; i++) {
                const json_t *row = scsi_selftest(doc, i);
                const char *code = json_string_value(get(row, "code/string")), *words = json_string_value(get(row, "result/string"));
                double result = number(row, "result/value");
                bool is_long = code && (strstr(code, "long") || strstr(code, "extended"));

                /* SPC-4, self-test results: 0 passed, 1 and 2 aborted, 3 to 7 failed, 15 in progress. */
                r->selftest_log_read |= row != NULL;
                if (result >= 0 && result <= 7)
                        disk_selftest_add(r, &state, result == 0 ? DISK_SELFTEST_PASSED : result <= 2 ? DISK_SELFTEST_EARLY : DISK_SELFTEST_FAILED,
                                          is_long, number(row, "power_on_time/hours"), words);
                if (i == 0 && result == 15)
                        r->selftest_running = true;
        }
}

static void add_statistic(struct disk_report *r, const char *table, const char *name, const char *flags_short, const char *flags_long,
                          double value)
{
        struct disk_statistic *s;

        if (!table || !name || isnan(value) || r->n_statistics >= DISK_STATISTICS_MAX)
                return;
        s = reallocarray(r->statistics, r->n_statistics + 1, sizeof(*s));
        if (!s)
                return;
        r->statistics = s;
        s = &s[r->n_statistics++];
        snprintf(s->table, sizeof(s->table), "%s", table);
        snprintf(s->name, sizeof(s->name), "%s", name);
        snprintf(s->flags_short, sizeof(s->flags_short), "%.*s", (int)strcspn(flags_short, " "), flags_short);
        snprintf(s->flags_long, sizeof(s->flags_long), "%s", flags_long);
        s->value = value;
}

static void read_statistics(const json_t *doc, struct disk_report *r)
{
        static const char *const flags[] = { "valid", "normalized", "supports_dsn", "monitored_condition_met" };
        const json_t *page, *row;
        size_t i, k;

        json_array_foreach(get(doc, "ata_device_statistics/pages"), i, page)
                json_array_foreach(json_object_get(page, "table"), k, row) {
                        const char *shorts = json_string_value(get(row, "flags/string"));
                        char longs[64] = "";

                        for (size_t f = 0; f < ARRAY_LEN(flags); f++)
                                if (json_is_true(json_object_get(json_object_get(row, "flags"), flags[f])))
                                        snprintf(longs + strlen(longs), sizeof(longs) - strlen(longs), "%s%s", *longs ? "," : "", flags[f]);
                        add_statistic(r, json_string_value(json_object_get(page, "name")), json_string_value(json_object_get(row, "name")),
                                      shorts ? shorts : "", longs, number(row, "value"));
                }
        json_array_foreach(get(doc, "sata_phy_event_counters/table"), i, row)
                add_statistic(r, "SATA PHY Event Counters", json_string_value(json_object_get(row, "name")), "V---", "valid", number(row, "value"));
}

static void read_ata(const json_t *doc, struct disk_report *r)
{
        double pending = number(doc, "ata_pending_defects_log/count");
        double erc_read = number(doc, "ata_sct_erc/read/deciseconds"), erc_write = number(doc, "ata_sct_erc/write/deciseconds");

        read_attributes(doc, r);
        read_selftests_ata(doc, r);
        read_statistics(doc, r);
        r->error_log_summary = number(doc, "ata_smart_error_log/summary/count");
        r->error_log_extended = number(doc, "ata_smart_error_log/extended/count");
        r->state = number(doc, "ata_sct_status/device_state/value");
        r->erc_read_s = erc_read / 10;
        r->erc_write_s = erc_write / 10;
        if (pending > 0)
                r->counters.pending = fmax(pending, disk_report_attribute(r, 197) && disk_report_attribute(r, 197)->has_raw
                                                            ? disk_decode_raw(197, disk_report_attribute(r, 197)->raw)
                                                            : 0);
        r->percentage_used = number(doc, "endurance_used/current_percent");
        for (size_t i = 0; i < r->n_statistics && isnan(r->percentage_used); i++)
                if (streq(r->statistics[i].name, "Percentage Used Endurance Indicator") && strstr(r->statistics[i].flags_long, "valid"))
                        r->percentage_used = r->statistics[i].value;
}

static void read_nvme(const json_t *doc, struct disk_report *r)
{
        const json_t *log = json_object_get(doc, "nvme_smart_health_information_log");
        struct disk_nvme *n = &r->nvme;
        double bits = number(log, "critical_warning");
        const struct {
                const char *key;
                double *field;
        } rows[] = {
                { "available_spare", &n->available_spare },
                { "available_spare_threshold", &n->available_spare_threshold },
                { "percentage_used", &n->percentage_used },
                { "data_units_read", &n->data_units_read },
                { "data_units_written", &n->data_units_written },
                { "host_reads", &n->host_reads },
                { "host_writes", &n->host_writes },
                { "controller_busy_time", &n->controller_busy_minutes },
                { "unsafe_shutdowns", &n->unsafe_shutdowns },
                { "num_err_log_entries", &n->error_log_entries },
                { "warning_temp_time", &n->warning_temp_minutes },
                { "critical_comp_time", &n->critical_temp_minutes },
        };
        const json_t *sensors = json_object_get(log, "temperature_sensors");

        if (isnan(r->power_on_s))
                r->power_on_s = number(log, "power_on_hours") * 3600;
        read_selftests_nvme(doc, r);
        if (!(bits >= 0 && bits <= 255))
                return;
        n->present = true;
        n->critical_warning = (unsigned)bits;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
                *rows[i].field = number(log, rows[i].key);
        for (size_t i = 0; i < ARRAY_LEN(n->sensor_c); i++)
                n->sensor_c[i] = number_of(json_array_get(sensors, i));
        r->counters.media_errors = number(log, "media_errors");
        r->percentage_used = n->percentage_used;
        if (isnan(r->temperature_c))
                r->temperature_c = number(log, "temperature");
        if (isnan(r->power_cycles))
                r->power_cycles = number(log, "power_cycles");
}

static void read_scsi(const json_t *doc, struct disk_report *r)
{
        r->counters.grown_defects = number(doc, "scsi_grown_defect_list");
        r->counters.pending_defects = number(doc, "scsi_pending_defects/count");
        for (int op = 0; op < DISK_OPERATION_MAX; op++) {
                const json_t *log = json_object_get(json_object_get(doc, "scsi_error_counter_log"), disk_operation_name((enum disk_scsi_operation)op));
                struct disk_scsi_errors *e = &r->scsi[op];

                if (!json_is_object(log))
                        continue;
                e->present = true;
                e->corrected_fast = number(log, "errors_corrected_by_eccfast");
                e->corrected_delayed = number(log, "errors_corrected_by_eccdelayed");
                e->rereads_rewrites = number(log, "errors_corrected_by_rereads_rewrites");
                e->total_corrected = number(log, "total_errors_corrected");
                e->invocations = number(log, "correction_algorithm_invocations");
                e->gigabytes = number(log, "gigabytes_processed");
                e->uncorrected = number(log, "total_uncorrected_errors");
        }
        r->percentage_used = number(doc, "scsi_percentage_used_endurance_indicator");
        read_selftests_scsi(doc, r);
}

/* The exit status 3 of -n standby,3 is also "command line" plus "open failed": only words prove sleep. */
static bool says_standby(const json_t *doc)
{
        const char *mode = json_string_value(get(doc, "power_mode/ata_string")), *s;
        const json_t *m;
        size_t i;

        if (mode && (str_starts(mode, "STANDBY") || str_starts(mode, "SLEEP")) && !json_object_get(doc, "smart_status"))
                return true;
        json_array_foreach(get(doc, "smartctl/messages"), i, m) {
                s = json_string_value(json_object_get(m, "string"));
                if (s && (strstr(s, "evice is in STANDBY") || strstr(s, "evice is in SLEEP")))
                        return true;
        }
        return false;
}

static enum disk_health read_health(const json_t *doc, double exit_status)
{
        const json_t *passed = get(doc, "smart_status/passed");

        if (json_is_false(passed) || (exit_status >= 0 && exit_status <= 255 && (unsigned)exit_status & EXIT_DISK_FAILING))
                return DISK_HEALTH_FAILED;
        return json_is_true(passed) ? DISK_HEALTH_PASSED : DISK_HEALTH_ABSENT;
}

/* smartctl's own words for why there is nothing to read. */
static int no_data(const json_t *doc, struct errinfo *err)
{
        const char *message = smartctl_json_message(doc);
        double exit_status = number(doc, "smartctl/exit_status");

        if (message)
                return err_set(err, -ENODATA, "smartctl: %.200s", message);
        return err_set(err, -ENODATA, "smartctl read nothing from the disk (exit status %.0f)", isnan(exit_status) ? -1 : exit_status);
}

static bool says_anything(const json_t *doc, const struct disk_report *r)
{
        if (json_is_object(json_object_get(doc, "nvme_smart_health_information_log")))
                return true;
        return r->health != DISK_HEALTH_ABSENT || r->n_attributes || r->nvme.present || !isnan(r->counters.grown_defects) ||
               r->scsi[DISK_READ].present || r->scsi[DISK_WRITE].present || !isnan(r->temperature_c) || !isnan(r->power_on_s);
}

int smartctl_json_report(const json_t *doc, struct disk_report *ret, struct errinfo *err)
{
        static void (*const read_protocols[DISK_PROTOCOL_MAX])(const json_t *, struct disk_report *) = {
                [DISK_ATA] = read_ata,
                [DISK_NVME] = read_nvme,
                [DISK_SCSI] = read_scsi,
        };
        struct disk_report r;

        if (!json_is_object(doc) || (!json_object_get(doc, "smartctl") && !json_object_get(doc, "device")))
                return err_set(err, -EBADMSG, "this is no report of smartctl");
        disk_report_init(&r);
        snprintf(r.source, sizeof(r.source), "smartctl");
        r.protocol = read_protocol(doc);
        r.exit_status = number(doc, "smartctl/exit_status");
        r.local_time = number(doc, "local_time/time_t");
        r.standby = says_standby(doc);
        r.health = read_health(doc, r.exit_status);
        r.power_on_s = number(doc, "power_on_time/hours") * 3600 + fmax(number(doc, "power_on_time/minutes"), 0) * 60;
        r.power_cycles = number(doc, "power_cycle_count");
        read_tool(doc, &r);
        read_identity(doc, &r);
        read_temperatures(doc, &r);
        if (read_protocols[r.protocol])
                read_protocols[r.protocol](doc, &r);
        disk_report_finish(&r);
        if (!r.standby && !says_anything(doc, &r)) {
                disk_report_done(&r);
                return no_data(doc, err);
        }
        *ret = r;
        return 0;
}

json_t *smartctl_json_decode(const char *bytes, size_t len, size_t flags, json_error_t *error)
{
        json_t *doc = json_loadb(bytes, len, flags, error);

        /* A drive's log may hold 128 bits of ones. */
        if (!doc && json_error_code(error) == json_error_numeric_overflow)
                doc = json_loadb(bytes, len, flags | JSON_DECODE_INT_AS_REAL, error);
        return doc;
}

json_t *smartctl_json_load(const char *bytes, size_t len, struct errinfo *err)
{
        const char *start = bytes ? memchr(bytes, '{', len) : NULL;
        json_error_t error;
        json_t *doc;

        if (len > SMARTCTL_JSON_MAX)
                err_set(err, -EFBIG, "smartctl printed more than %d bytes", SMARTCTL_JSON_MAX);
        else if (!len)
                err_set(err, -EBADMSG, "smartctl printed nothing");
        else if (!bytes || memchr(bytes, '\0', len))
                err_set(err, -EBADMSG, "smartctl printed NUL bytes");
        else if (!start)
                err_set(err, -EBADMSG, "smartctl printed no JSON; is it older than 7.0?");
        else {
                doc = smartctl_json_decode(start, len - (size_t)(start - bytes), 0, &error);
                if (doc)
                        return doc;
                err_set(err, -EBADMSG, "smartctl's JSON is damaged: line %d: %s", error.line, error.text);
        }
        return NULL;
}

int smartctl_json_parse(const char *bytes, size_t len, struct disk_report *ret, struct errinfo *err)
{
        json_t *doc = smartctl_json_load(bytes, len, err);
        int r = doc ? smartctl_json_report(doc, ret, err) : -EBADMSG;

        json_decref(doc);
        return r;
}

const char *smartctl_json_message(const json_t *doc)
{
        const json_t *m;
        size_t i;

        json_array_foreach(get(doc, "smartctl/messages"), i, m) {
                const char *s = json_string_value(json_object_get(m, "string"));

                if (s && *s)
                        return s;
        }
        return NULL;
}
