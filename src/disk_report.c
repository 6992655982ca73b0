/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The normalised disk report: building it, reading vendor-packed raw values, and what follows from the
 * ATA attribute table. Called by the parsers in src and by the replay; pure, never fails. */

#include "disk_report.h"

#include <math.h>

#define HOURS_MAX (100 * 365.25 * 24) /* no disk is older than 100 years: more is packed */
#define TEMPERATURE_MIN_C (-40)
#define TEMPERATURE_MAX_C 124 /* drives without a sensor say 127, 128 or 255 */
#define LIMIT_MIN_C 30        /* no drive is made to stay cooler: below that the field was never filled in */

static const char *const protocol_names[DISK_PROTOCOL_MAX] = {
        [DISK_PROTOCOL_UNKNOWN] = "",
        [DISK_ATA] = "ATA",
        [DISK_NVME] = "NVMe",
        [DISK_SCSI] = "SCSI",
};

static const char *const nvme_bit_names[DISK_NVME_BIT_MAX] = {
        [DISK_NVME_SPARE] = "spare",
        [DISK_NVME_TEMPERATURE] = "temperature",
        [DISK_NVME_RELIABILITY] = "reliability",
        [DISK_NVME_READ_ONLY] = "read-only",
        [DISK_NVME_BACKUP] = "backup",
        [DISK_NVME_PMR] = "pmr",
};

static const char *const operation_names[DISK_OPERATION_MAX] = {
        [DISK_READ] = "read",
        [DISK_WRITE] = "write",
        [DISK_VERIFY] = "verify",
};

/* smartctl's names where its drive database says nothing else; "" entries are its "Unknown_Attribute". */
static const char *const attribute_names[256] = {
        [1] = "Raw_Read_Error_Rate",       [2] = "Throughput_Performance",   [3] = "Spin_Up_Time",
        [4] = "Start_Stop_Count",          [5] = "Reallocated_Sector_Ct",    [6] = "Read_Channel_Margin",
        [7] = "Seek_Error_Rate",           [8] = "Seek_Time_Performance",    [9] = "Power_On_Hours",
        [10] = "Spin_Retry_Count",         [11] = "Calibration_Retry_Count", [12] = "Power_Cycle_Count",
        [13] = "Read_Soft_Error_Rate",     [22] = "Helium_Level",            [23] = "Helium_Condition_Lower",
        [24] = "Helium_Condition_Upper",   [175] = "Program_Fail_Count_Chip", [176] = "Erase_Fail_Count_Chip",
        [177] = "Wear_Leveling_Count",     [178] = "Used_Rsvd_Blk_Cnt_Chip", [179] = "Used_Rsvd_Blk_Cnt_Tot",
        [180] = "Unused_Rsvd_Blk_Cnt_Tot", [181] = "Program_Fail_Cnt_Total", [182] = "Erase_Fail_Count_Total",
        [183] = "Runtime_Bad_Block",       [184] = "End-to-End_Error",       [187] = "Reported_Uncorrect",
        [188] = "Command_Timeout",         [189] = "High_Fly_Writes",        [190] = "Airflow_Temperature_Cel",
        [191] = "G-Sense_Error_Rate",      [192] = "Power-Off_Retract_Count", [193] = "Load_Cycle_Count",
        [194] = "Temperature_Celsius",     [195] = "Hardware_ECC_Recovered", [196] = "Reallocated_Event_Count",
        [197] = "Current_Pending_Sector",  [198] = "Offline_Uncorrectable",  [199] = "UDMA_CRC_Error_Count",
        [200] = "Multi_Zone_Error_Rate",   [201] = "Soft_Read_Error_Rate",   [202] = "Data_Address_Mark_Errs",
        [203] = "Run_Out_Cancel",          [204] = "Soft_ECC_Correction",    [205] = "Thermal_Asperity_Rate",
        [206] = "Flying_Height",           [207] = "Spin_High_Current",      [208] = "Spin_Buzz",
        [209] = "Offline_Seek_Performnce", [220] = "Disk_Shift",             [221] = "G-Sense_Error_Rate",
        [222] = "Loaded_Hours",            [223] = "Load_Retry_Count",       [224] = "Load_Friction",
        [225] = "Load_Cycle_Count",        [226] = "Load-in_Time",           [227] = "Torq-amp_Count",
        [228] = "Power-off_Retract_Count", [230] = "Head_Amplitude",         [231] = "Temperature_Celsius",
        [232] = "Available_Reservd_Space", [233] = "Media_Wearout_Indicator", [240] = "Head_Flying_Hours",
        [241] = "Total_LBAs_Written",      [242] = "Total_LBAs_Read",        [250] = "Read_Error_Retry_Rate",
        [254] = "Free_Fall_Sensor",
};

/* What an SSD's drive database entry calls the life that is left, as normalised percent. The id counts too: WD's
 * Media_Wearout_Indicator is 230 and runs the other way. */
static const struct {
        uint8_t id;
        const char *name;
} life_left[] = {
        { 169, "Remaining_Lifetime_Perc" }, { 177, "Wear_Leveling_Count" },     { 202, "Percent_Lifetime_Remain" },
        { 231, "SSD_Life_Left" },           { 231, "SSD_Life_Left_Perc" },      { 231, "Lifetime_Left" },
        { 231, "Remaining_Lifetime_Perc" }, { 233, "Media_Wearout_Indicator" }, { 233, "Remaining_Lifetime_Perc" },
};

static const struct disk_report nothing_reported = {
        .capacity_bytes = NAN, .capacity_blocks = NAN, .nvme_capacity_bytes = NAN,
        .logical_block_bytes = NAN, .physical_block_bytes = NAN, .rotation_rpm = NAN,
        .speed_max_bps = NAN, .speed_current_bps = NAN, .exit_status = NAN, .local_time = NAN,
        .power_on_s = NAN, .power_cycles = NAN, .load_cycles = NAN, .percentage_used = NAN, .state = NAN,
        .temperature_c = NAN, .temperature_warning_c = NAN, .temperature_critical_c = NAN,
        .drive_trip_c = NAN, .op_limit_max_c = NAN, .op_limit_min_c = NAN, .critical_limit_max_c = NAN,
        .critical_limit_min_c = NAN, .lifetime_max_c = NAN, .lifetime_min_c = NAN, .cycle_max_c = NAN, .cycle_min_c = NAN,
        .counters = { NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN },
        .nvme = {
                .available_spare = NAN, .available_spare_threshold = NAN, .percentage_used = NAN,
                .data_units_read = NAN, .data_units_written = NAN, .host_reads = NAN, .host_writes = NAN,
                .controller_busy_minutes = NAN, .unsafe_shutdowns = NAN, .error_log_entries = NAN,
                .warning_temp_minutes = NAN, .critical_temp_minutes = NAN,
                .sensor_c = { NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN },
        },
        .scsi = {
                { false, NAN, NAN, NAN, NAN, NAN, NAN, NAN },
                { false, NAN, NAN, NAN, NAN, NAN, NAN, NAN },
                { false, NAN, NAN, NAN, NAN, NAN, NAN, NAN },
        },
        .error_log_summary = NAN, .error_log_extended = NAN,
        .selftest_count_standard = NAN, .selftest_count_extended = NAN,
        .selftest_errors_standard = NAN, .selftest_errors_extended = NAN,
        .selftest_remaining = NAN, .selftest_age_h = NAN, .erc_read_s = NAN, .erc_write_s = NAN,
};

const char *disk_protocol_name(enum disk_protocol protocol)
{
        assert(protocol < DISK_PROTOCOL_MAX);
        return protocol_names[protocol];
}

const char *disk_nvme_bit_name(enum disk_nvme_bit bit)
{
        assert(bit < DISK_NVME_BIT_MAX);
        return nvme_bit_names[bit];
}

const char *disk_operation_name(enum disk_scsi_operation operation)
{
        assert(operation < DISK_OPERATION_MAX);
        return operation_names[operation];
}

void disk_report_init(struct disk_report *report)
{
        memcpy(report, &nothing_reported, offsetof(struct disk_report, attributes));
}

void disk_report_done(struct disk_report *report)
{
        free(report->statistics);
        report->statistics = NULL;
        report->n_statistics = 0;
}

const struct disk_attribute *disk_report_attribute(const struct disk_report *report, unsigned id)
{
        for (size_t i = 0; i < report->n_attributes; i++)
                if (report->attributes[i].id == id)
                        return &report->attributes[i];
        return NULL;
}

struct disk_attribute *disk_report_add_attribute(struct disk_report *report, unsigned id, const char *name, unsigned flags,
                                                 int value, int worst, int thresh)
{
        struct disk_attribute *a;

        if (id == 0 || id > UINT8_MAX || report->n_attributes == DISK_ATTRIBUTES_MAX || disk_report_attribute(report, id))
                return NULL;
        a = &report->attributes[report->n_attributes++];
        *a = (struct disk_attribute){
                .id = (uint8_t)id, .flags = (uint16_t)flags,
                .value = (int16_t)value, .worst = (int16_t)worst, .thresh = (int16_t)thresh, .count = NAN,
        };
        snprintf(a->name, sizeof(a->name), "%s", name ? name : "");
        return a;
}

static double decode_hours(uint64_t raw)
{
        /* Hours in the low bits, minutes or milliseconds above them: 32, 24 or 16 bits of hours. */
        static const uint64_t masks[] = { UINT32_MAX, 0xffffff, 0xffff };

        for (size_t i = 0; i < ARRAY_LEN(masks); i++)
                if ((double)(raw & masks[i]) <= HOURS_MAX)
                        return (double)(raw & masks[i]);
        return NAN;
}

/* The lowest byte is the temperature now; minimum and maximum lie above it in many arrangements. */
static double decode_temperature(uint64_t raw)
{
        int16_t word = (int16_t)(raw & 0xffff);
        int8_t byte = (int8_t)(raw & 0xff);

        if (word >= TEMPERATURE_MIN_C && word <= TEMPERATURE_MAX_C)
                return word;
        return byte >= TEMPERATURE_MIN_C && byte <= TEMPERATURE_MAX_C && byte ? byte : NAN;
}

/* Seagate: how many commands timed out, took over 5 s, over 7.5 s, 16 bits each: 0x1600160016 is 22, not 94 billion. */
static double decode_timeouts(uint64_t raw)
{
        uint64_t most = 0;

        for (int shift = 0; shift < 48; shift += 16)
                most = MAX(most, raw >> shift & 0xffff);
        return (double)most;
}

/* 16 bits of sectors, other counts above them (smartctl's raw16(raw16)). */
static double decode_reallocated(uint64_t raw)
{
        if (raw > UINT16_MAX && (raw & 0xffff))
                return (double)(raw & 0xffff);
        return raw <= UINT32_MAX ? (double)raw : 0;
}

/* A count of events: above 32 bits something else is packed on top; the top half of 32 bits is a
 * counter that ran below 0 (seen: 4294967290 pending sectors), which says nothing. */
static double decode_count(uint64_t raw)
{
        uint64_t low = raw & UINT32_MAX;

        return low > INT32_MAX ? NAN : (double)low;
}

double disk_decode_raw(unsigned id, uint64_t raw)
{
        switch (id) {
        case 1:
        case 7:
        case 195:
                /* Seagate: 16 bits of errors above 32 bits of operations. Below 2^32 that is no error, or another
                 * vendor's rate: no number to judge. */
                return raw > UINT32_MAX ? (double)(raw >> 32 & 0xffff) : raw ? NAN : 0;
        case 5:
        case 196:
                return decode_reallocated(raw);
        case 9:
                return decode_hours(raw);
        case 188:
                return decode_timeouts(raw);
        case 190:
        case 194:
                return decode_temperature(raw);
        case 10:
        case 184:
        case 187:
        case 197:
        case 198:
        case 199:
                return decode_count(raw);
        default:
                return (double)raw;
        }
}

static enum disk_attribute_failed attribute_failed(const struct disk_attribute *a)
{
        /* ATA-3: threshold 0 never fails; 254 and 255 are not valid. */
        if (a->thresh <= 0 || a->thresh > 253)
                return DISK_ATTRIBUTE_GOOD;
        if (a->value > 0 && a->value <= a->thresh)
                return DISK_ATTRIBUTE_FAILED_NOW;
        if (a->worst > 0 && a->worst <= a->thresh)
                return DISK_ATTRIBUTE_FAILED_PAST;
        return DISK_ATTRIBUTE_GOOD;
}

static double count_of(const struct disk_report *report, unsigned id)
{
        const struct disk_attribute *a = disk_report_attribute(report, id);

        return a ? a->count : NAN;
}

static void fill_in(double *field, double value)
{
        if (isnan(*field))
                *field = value;
}

static double temperature_of(const struct disk_report *report)
{
        static const uint8_t ids[] = { 194, 190, 231 };

        for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
                const struct disk_attribute *a = disk_report_attribute(report, ids[i]);

                /* 190 and 231 are other things on some SSDs: the name knows. */
                if (a && a->has_raw && strstr(a->name, "Temperature")) {
                        double c = decode_temperature(a->raw);

                        if (c > 0)
                                return c;
                }
        }
        return NAN;
}

static bool says_life_left(const struct disk_attribute *a)
{
        for (size_t i = 0; i < ARRAY_LEN(life_left); i++)
                if (a->id == life_left[i].id && streq(a->name, life_left[i].name))
                        return true;
        return false;
}

/* Where several attributes speak of it the best counts: some drives have one that was never filled in, and Kingston puts
 * what is left into the raw value and what is used into the other. A drive that is really worn says so in all. */
static double wear_of(const struct disk_report *report)
{
        double left = NAN;

        if (report->nvme.present)
                return report->nvme.percentage_used;
        if (disk_report_is_hdd(report))
                return NAN;
        for (size_t i = 0; i < report->n_attributes; i++) {
                const struct disk_attribute *a = &report->attributes[i];

                if (!says_life_left(a) || a->value < 1 || a->value > 100)
                        continue;
                left = fmax(left, a->value);
                if (a->id == 231 && a->has_raw && a->raw <= 100)
                        left = fmax(left, (double)a->raw);
        }
        return 100 - left;
}

/* ATA logs 16 bits of the hours that it has been on: after seven years they begin anew. */
static double selftest_age_h(const struct disk_report *report, double hours)
{
        double age_h = report->power_on_s / 3600 - hours;

        if (report->protocol == DISK_ATA && age_h >= 65536)
                age_h = fmod(age_h, 65536);
        return fmax(age_h, 0);
}

void disk_selftest_add(struct disk_report *report, struct disk_selftest_log *log, enum disk_selftest result, bool is_long, double hours,
                       const char *words)
{
        bool passed = result == DISK_SELFTEST_PASSED;

        if (!log->any)
                report->selftest_last = result;
        log->any = true;
        if (result == DISK_SELFTEST_EARLY)
                return;
        if (passed && is_long && isnan(report->selftest_age_h) && hours >= 0 && report->power_on_s >= 0)
                report->selftest_age_h = selftest_age_h(report, hours);
        if (log->decided)
                return;
        if (passed) {
                /* Until something older speaks against it. */
                report->selftest = DISK_SELFTEST_PASSED;
                log->short_passed = true;
                log->decided = is_long;
        } else if (is_long || !log->short_passed) {
                report->selftest = DISK_SELFTEST_FAILED;
                snprintf(report->selftest_text, sizeof(report->selftest_text), "%s", words ? words : "failed");
                log->decided = true;
        }
}

static double plausible_limit(double c)
{
        return c >= LIMIT_MIN_C && c <= TEMPERATURE_MAX_C ? c : NAN;
}

/* The drive's own limits, the most special one first. */
static void finish_temperatures(struct disk_report *report)
{
        if (!(report->temperature_c >= TEMPERATURE_MIN_C && report->temperature_c <= TEMPERATURE_MAX_C))
                report->temperature_c = NAN;
        fill_in(&report->temperature_c, temperature_of(report));
        report->temperature_warning_c = plausible_limit(report->temperature_warning_c);
        report->temperature_critical_c = plausible_limit(report->temperature_critical_c);
        fill_in(&report->temperature_warning_c, plausible_limit(report->op_limit_max_c));
        fill_in(&report->temperature_critical_c, plausible_limit(report->critical_limit_max_c));
        fill_in(&report->temperature_critical_c, plausible_limit(report->drive_trip_c));
}

static void finish_attributes(struct disk_report *report)
{
        for (size_t i = 0; i < report->n_attributes; i++) {
                struct disk_attribute *a = &report->attributes[i];

                if (!a->name[0])
                        snprintf(a->name, sizeof(a->name), "%s",
                                 attribute_names[a->id] ? attribute_names[a->id] : "Unknown_Attribute");
                if (a->has_raw)
                        a->count = disk_decode_raw(a->id, a->raw);
                if (a->failed == DISK_ATTRIBUTE_GOOD)
                        a->failed = attribute_failed(a);
        }
}

void disk_report_finish(struct disk_report *report)
{
        struct disk_counters *c = &report->counters;
        const struct disk_attribute *hours;

        finish_attributes(report);
        fill_in(&c->reallocated, count_of(report, 5));
        fill_in(&c->spin_retries, count_of(report, 10));
        fill_in(&c->end_to_end, count_of(report, 184));
        fill_in(&c->reported_uncorrectable, count_of(report, 187));
        fill_in(&c->command_timeouts, count_of(report, 188));
        fill_in(&c->pending, count_of(report, 197));
        fill_in(&c->offline_uncorrectable, count_of(report, 198));
        fill_in(&c->crc_errors, count_of(report, 199));

        hours = disk_report_attribute(report, 9);
        if (hours)
                fill_in(&report->power_on_s, hours->count * (strstr(hours->name, "Minutes") ? 60 : 3600));
        fill_in(&report->power_cycles, count_of(report, 12));
        fill_in(&report->load_cycles, count_of(report, 193));
        fill_in(&report->load_cycles, count_of(report, 225));
        finish_temperatures(report);
        fill_in(&report->percentage_used, wear_of(report));
        /* The bits are the drive's verdict, be it that nobody put them into one word. */
        if (report->nvme.present && report->nvme.critical_warning)
                report->health = DISK_HEALTH_FAILED;
}

const char *disk_report_lacks(const struct disk_report *report)
{
        if (report->standby)
                return NULL;
        if (report->protocol == DISK_ATA)
                return report->n_attributes ? NULL : "the attribute table";
        if (report->protocol == DISK_NVME)
                return report->nvme.present ? NULL : "the health log";
        return report->health == DISK_HEALTH_ABSENT ? "the health status" : NULL;
}

bool disk_report_is_hdd(const struct disk_report *report)
{
        if (report->protocol == DISK_NVME || report->rotation_rpm == 0)
                return false;
        if (report->rotation_rpm > 0)
                return true;
        /* Not said (old drives do not): attributes that only flash or only platters have. */
        for (size_t i = 0; i < report->n_attributes; i++)
                if (report->attributes[i].id != 233 && says_life_left(&report->attributes[i]))
                        return false;
        return !strstr(report->model, "SSD") && !strstr(report->family, "SSD");
}

bool disk_report_only_worn(const struct disk_report *report)
{
        return report->nvme.present && report->nvme.critical_warning == 1u << DISK_NVME_RELIABILITY &&
               report->nvme.percentage_used >= 100 && !(report->counters.media_errors > 0);
}

static const struct {
        unsigned bit;
        char letter;
        const char *name;
} flag_names[] = {
        { DISK_FLAG_PREFAILURE, 'P', "prefailure" },   { DISK_FLAG_ONLINE, 'O', "updated_online" },
        { DISK_FLAG_PERFORMANCE, 'S', "performance" }, { DISK_FLAG_ERROR_RATE, 'R', "error_rate" },
        { DISK_FLAG_EVENT_COUNT, 'C', "event_count" }, { DISK_FLAG_AUTO_KEEP, 'K', "auto_keep" },
};

void disk_flags_short(unsigned flags, char buf[static 8])
{
        size_t n = 0;

        for (size_t i = 0; i < ARRAY_LEN(flag_names); i++)
                buf[n++] = flags & flag_names[i].bit ? flag_names[i].letter : '-';
        if (flags & ~0x3fu)
                buf[n++] = '+'; /* bits without a name, as smartctl shows them */
        buf[n] = '\0';
}

void disk_flags_long(unsigned flags, char buf[static 80])
{
        size_t n = 0;

        buf[0] = '\0';
        for (size_t i = 0; i < ARRAY_LEN(flag_names); i++)
                if (flags & flag_names[i].bit)
                        n += (size_t)snprintf(buf + n, 80 - n, "%s%s", n ? "," : "", flag_names[i].name);
}
