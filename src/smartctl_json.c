/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* smartctl's JSON to a disk report. Every member may be missing, null, of another type or absurd: then it is
 * "not reported". Exit bits 2 to 7 do not make the document invalid (smartctl(8), EXIT STATUS). */

#include "smartctl_json.h"

#include <inttypes.h>
#include <math.h>

#include "smartctl_private.h"

#define EXIT_DISK_FAILING 0x08

const json_t *smartctl_get(const json_t *o, const char *path)
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
double smartctl_number_of(const json_t *v)
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

double smartctl_number(const json_t *o, const char *path)
{
        char exact[96];
        double d;

        /* "data_units_read_s" is exact where "data_units_read" lost bits. */
        snprintf(exact, sizeof(exact), "%s_s", path);
        d = smartctl_number_of(smartctl_get(o, exact));
        return isnan(d) ? smartctl_number_of(smartctl_get(o, path)) : d;
}

static void text(const json_t *o, const char *path, char *buf, size_t size)
{
        const char *s = json_string_value(smartctl_get(o, path));
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
        const json_t *format = json_object_get(doc, "json_format_version"), *version = smartctl_get(doc, "smartctl/version");

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
        const char *device = json_string_value(smartctl_get(doc, "device/name"));
        double naa = smartctl_number(doc, "wwn/naa"), oui = smartctl_number(doc, "wwn/oui"), id = smartctl_number(doc, "wwn/id");
        const char *lu = json_string_value(smartctl_get(doc, "logical_unit_id"));

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
        r->capacity_bytes = smartctl_number(doc, "user_capacity/bytes");
        r->capacity_blocks = smartctl_number(doc, "user_capacity/blocks");
        r->nvme_capacity_bytes = smartctl_number(doc, "nvme_total_capacity");
        r->logical_block_bytes = smartctl_number(doc, "logical_block_size");
        r->physical_block_bytes = smartctl_number(doc, "physical_block_size");
        r->rotation_rpm = smartctl_number(doc, "rotation_rate");
        r->speed_max_bps = smartctl_number(doc, "interface_speed/max/units_per_second") * smartctl_number(doc, "interface_speed/max/bits_per_unit");
        r->speed_current_bps = smartctl_number(doc, "interface_speed/current/units_per_second") *
                               smartctl_number(doc, "interface_speed/current/bits_per_unit");
}

static enum disk_protocol read_protocol(const json_t *doc)
{
        const char *s = json_string_value(smartctl_get(doc, "device/protocol"));

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
                *rows[i].field = smartctl_number(doc, rows[i].path);
}

static int small(const json_t *o, const char *key)
{
        double d = smartctl_number(o, key);

        return d >= 0 && d <= 255 ? (int)d : DISK_ATTRIBUTE_ABSENT;
}

static void read_attributes(const json_t *doc, struct disk_report *r)
{
        const json_t *table = smartctl_get(doc, "ata_smart_attributes/table"), *row;
        size_t i;

        json_array_foreach(table, i, row) {
                double id = smartctl_number(row, "id"), flags = smartctl_number(row, "flags/value"), raw = smartctl_number(row, "raw/value");
                const char *name = json_string_value(json_object_get(row, "name"));
                const char *failed = json_string_value(json_object_get(row, "when_failed"));
                const json_t *exact = smartctl_get(row, "raw/value");
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

        json_array_foreach(smartctl_get(doc, "ata_device_statistics/pages"), i, page)
                json_array_foreach(json_object_get(page, "table"), k, row) {
                        const char *shorts = json_string_value(smartctl_get(row, "flags/string"));
                        char longs[64] = "";

                        for (size_t f = 0; f < ARRAY_LEN(flags); f++)
                                if (json_is_true(json_object_get(json_object_get(row, "flags"), flags[f])))
                                        snprintf(longs + strlen(longs), sizeof(longs) - strlen(longs), "%s%s", *longs ? "," : "", flags[f]);
                        add_statistic(r, json_string_value(json_object_get(page, "name")), json_string_value(json_object_get(row, "name")),
                                      shorts ? shorts : "", longs, smartctl_number(row, "value"));
                }
        json_array_foreach(smartctl_get(doc, "sata_phy_event_counters/table"), i, row)
                add_statistic(r, "SATA PHY Event Counters", json_string_value(json_object_get(row, "name")), "V---", "valid", smartctl_number(row, "value"));
}

static void read_ata(const json_t *doc, struct disk_report *r)
{
        double pending = smartctl_number(doc, "ata_pending_defects_log/count");
        double erc_read = smartctl_number(doc, "ata_sct_erc/read/deciseconds"), erc_write = smartctl_number(doc, "ata_sct_erc/write/deciseconds");

        read_attributes(doc, r);
        smartctl_selftests_ata(doc, r);
        read_statistics(doc, r);
        r->error_log_summary = smartctl_number(doc, "ata_smart_error_log/summary/count");
        r->error_log_extended = smartctl_number(doc, "ata_smart_error_log/extended/count");
        r->state = smartctl_number(doc, "ata_sct_status/device_state/value");
        r->erc_read_s = erc_read / 10;
        r->erc_write_s = erc_write / 10;
        if (pending > 0)
                r->counters.pending = fmax(pending, disk_report_attribute(r, 197) && disk_report_attribute(r, 197)->has_raw
                                                            ? disk_decode_raw(197, disk_report_attribute(r, 197)->raw)
                                                            : 0);
        r->percentage_used = smartctl_number(doc, "endurance_used/current_percent");
        for (size_t i = 0; i < r->n_statistics && isnan(r->percentage_used); i++)
                if (streq(r->statistics[i].name, "Percentage Used Endurance Indicator") && strstr(r->statistics[i].flags_long, "valid"))
                        r->percentage_used = r->statistics[i].value;
}

static void read_nvme(const json_t *doc, struct disk_report *r)
{
        const json_t *log = json_object_get(doc, "nvme_smart_health_information_log");
        struct disk_nvme *n = &r->nvme;
        double bits = smartctl_number(log, "critical_warning");
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
                r->power_on_s = smartctl_number(log, "power_on_hours") * 3600;
        smartctl_selftests_nvme(doc, r);
        if (!(bits >= 0 && bits <= 255))
                return;
        n->present = true;
        n->critical_warning = (unsigned)bits;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
                *rows[i].field = smartctl_number(log, rows[i].key);
        for (size_t i = 0; i < ARRAY_LEN(n->sensor_c); i++)
                n->sensor_c[i] = smartctl_number_of(json_array_get(sensors, i));
        r->counters.media_errors = smartctl_number(log, "media_errors");
        r->percentage_used = n->percentage_used;
        if (isnan(r->temperature_c))
                r->temperature_c = smartctl_number(log, "temperature");
        if (isnan(r->power_cycles))
                r->power_cycles = smartctl_number(log, "power_cycles");
}

static void read_scsi(const json_t *doc, struct disk_report *r)
{
        r->counters.grown_defects = smartctl_number(doc, "scsi_grown_defect_list");
        r->counters.pending_defects = smartctl_number(doc, "scsi_pending_defects/count");
        for (int op = 0; op < DISK_OPERATION_MAX; op++) {
                const json_t *log = json_object_get(json_object_get(doc, "scsi_error_counter_log"), disk_operation_name((enum disk_scsi_operation)op));
                struct disk_scsi_errors *e = &r->scsi[op];

                if (!json_is_object(log))
                        continue;
                e->present = true;
                e->corrected_fast = smartctl_number(log, "errors_corrected_by_eccfast");
                e->corrected_delayed = smartctl_number(log, "errors_corrected_by_eccdelayed");
                e->rereads_rewrites = smartctl_number(log, "errors_corrected_by_rereads_rewrites");
                e->total_corrected = smartctl_number(log, "total_errors_corrected");
                e->invocations = smartctl_number(log, "correction_algorithm_invocations");
                e->gigabytes = smartctl_number(log, "gigabytes_processed");
                e->uncorrected = smartctl_number(log, "total_uncorrected_errors");
        }
        r->percentage_used = smartctl_number(doc, "scsi_percentage_used_endurance_indicator");
        smartctl_selftests_scsi(doc, r);
}

/* The exit status 3 of -n standby,3 is also "command line" plus "open failed": only words prove sleep. */
static bool says_standby(const json_t *doc)
{
        const char *mode = json_string_value(smartctl_get(doc, "power_mode/ata_string")), *s;
        const json_t *m;
        size_t i;

        if (mode && (str_starts(mode, "STANDBY") || str_starts(mode, "SLEEP")) && !json_object_get(doc, "smart_status"))
                return true;
        json_array_foreach(smartctl_get(doc, "smartctl/messages"), i, m) {
                s = json_string_value(json_object_get(m, "string"));
                if (s && (strstr(s, "evice is in STANDBY") || strstr(s, "evice is in SLEEP")))
                        return true;
        }
        return false;
}

static enum disk_health read_health(const json_t *doc, double exit_status)
{
        const json_t *passed = smartctl_get(doc, "smart_status/passed");

        if (json_is_false(passed) || (exit_status >= 0 && exit_status <= 255 && (unsigned)exit_status & EXIT_DISK_FAILING))
                return DISK_HEALTH_FAILED;
        return json_is_true(passed) ? DISK_HEALTH_PASSED : DISK_HEALTH_ABSENT;
}

/* smartctl's own words for why there is nothing to read. */
static int no_data(const json_t *doc, struct errinfo *err)
{
        const char *message = smartctl_json_message(doc);
        double exit_status = smartctl_number(doc, "smartctl/exit_status");

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
        r.exit_status = smartctl_number(doc, "smartctl/exit_status");
        r.local_time = smartctl_number(doc, "local_time/time_t");
        r.standby = says_standby(doc);
        r.health = read_health(doc, r.exit_status);
        r.power_on_s = smartctl_number(doc, "power_on_time/hours") * 3600 + fmax(smartctl_number(doc, "power_on_time/minutes"), 0) * 60;
        r.power_cycles = smartctl_number(doc, "power_cycle_count");
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

        json_array_foreach(smartctl_get(doc, "smartctl/messages"), i, m) {
                const char *s = json_string_value(json_object_get(m, "string"));

                if (s && *s)
                        return s;
        }
        return NULL;
}
