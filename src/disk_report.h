/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_DISK_REPORT_H
#define VEILLE_DISK_REPORT_H

/* What a disk says about itself, in one form whoever asked it: smartctl's JSON (smartctl_json.h),
 * libatasmart (smart_blob.h), a drive-history row (replay). disk_metrics.h turns a report into samples,
 * disk_rules.h judges those. Numbers that were not reported are NAN, texts are "". */

#include "errinfo.h"
#include "macros.h"

enum disk_protocol {
        DISK_PROTOCOL_UNKNOWN,
        DISK_ATA,
        DISK_NVME,
        DISK_SCSI,
        DISK_PROTOCOL_MAX,
};
const char *disk_protocol_name(enum disk_protocol protocol); /* "ATA", "NVMe", "SCSI", "" */

enum disk_health {
        DISK_HEALTH_ABSENT, /* the drive was not asked, or did not say */
        DISK_HEALTH_PASSED,
        DISK_HEALTH_FAILED,
};

enum disk_attribute_failed {
        DISK_ATTRIBUTE_GOOD,
        DISK_ATTRIBUTE_FAILED_PAST, /* worst <= threshold */
        DISK_ATTRIBUTE_FAILED_NOW,  /* value <= threshold */
};

/* Flag bits as in the ATA attribute table. */
#define DISK_FLAG_PREFAILURE 0x01
#define DISK_FLAG_ONLINE 0x02
#define DISK_FLAG_PERFORMANCE 0x04
#define DISK_FLAG_ERROR_RATE 0x08
#define DISK_FLAG_EVENT_COUNT 0x10
#define DISK_FLAG_AUTO_KEEP 0x20

#define DISK_ATTRIBUTE_ABSENT (-1) /* value, worst, thresh not reported */

struct disk_attribute {
        uint8_t id;
        uint16_t flags;
        int16_t value, worst, thresh; /* DISK_ATTRIBUTE_ABSENT if not reported */
        enum disk_attribute_failed failed;
        bool has_raw;
        uint64_t raw;   /* 48 bits as the drive packs them, or the number smartctl prints */
        double count;   /* raw decoded: events, sectors, hours, degrees; NAN: cannot be read as a number. By disk_report_finish() */
        char name[40];  /* as smartctl prints it; "" is filled in by disk_report_finish() */
};

/* NVMe critical_warning bits, in order: enum and names for the label "bit". */
enum disk_nvme_bit {
        DISK_NVME_SPARE,
        DISK_NVME_TEMPERATURE,
        DISK_NVME_RELIABILITY,
        DISK_NVME_READ_ONLY,
        DISK_NVME_BACKUP,
        DISK_NVME_PMR,
        DISK_NVME_BIT_MAX,
};
const char *disk_nvme_bit_name(enum disk_nvme_bit bit); /* "spare", "temperature", "reliability", "read-only", "backup", "pmr" */

/* The counters that typed metrics and rules are about. NAN: not reported. */
struct disk_counters {
        double reallocated;            /* 5 */
        double spin_retries;           /* 10 */
        double end_to_end;             /* 184 */
        double reported_uncorrectable; /* 187 */
        double command_timeouts;       /* 188, decoded */
        double pending;                /* 197; ATA pending defects log where that says more */
        double offline_uncorrectable;  /* 198 */
        double crc_errors;             /* 199 */
        double grown_defects;          /* SCSI */
        double pending_defects;        /* SCSI */
        double media_errors;           /* NVMe */
};

struct disk_nvme {
        bool present; /* the log with its critical warning */
        unsigned critical_warning; /* bits of enum disk_nvme_bit, and whatever comes later */
        double available_spare, available_spare_threshold, percentage_used; /* percent */
        double data_units_read, data_units_written, host_reads, host_writes;
        double controller_busy_minutes, unsafe_shutdowns, error_log_entries;
        double warning_temp_minutes, critical_temp_minutes;
        double sensor_c[8];
};

enum disk_scsi_operation { DISK_READ, DISK_WRITE, DISK_VERIFY, DISK_OPERATION_MAX };
const char *disk_operation_name(enum disk_scsi_operation operation); /* "read", "write", "verify" */

struct disk_scsi_errors {
        bool present;
        double corrected_fast, corrected_delayed, rereads_rewrites, total_corrected, invocations, gigabytes, uncorrected;
};

/* ATA device statistics and SATA PHY event counters, as smartctl_exporter names them. */
struct disk_statistic {
        char table[48], name[64], flags_short[12], flags_long[64];
        double value;
};

enum disk_selftest {
        DISK_SELFTEST_NONE,
        DISK_SELFTEST_PASSED,
        DISK_SELFTEST_FAILED,
        DISK_SELFTEST_EARLY, /* aborted or interrupted: says nothing about the disk */
};

#define DISK_ATTRIBUTES_MAX 64
#define DISK_STATISTICS_MAX 256

struct disk_report {
        enum disk_protocol protocol;
        enum disk_health health;

        /* Identity */
        char device[64];    /* as given to smartctl, without /dev/ */
        char interface[32]; /* smartctl's device type: "sat", "nvme", "megaraid,5" */
        char model[64], family[96], serial[64], firmware[32];
        char wwn[40];       /* lower case hex without prefix */
        char additional_product_id[32], ata_version[64], sata_version[64], form_factor[32];
        char scsi_vendor[32], scsi_product[32], scsi_revision[16], scsi_version[32];
        char source[16];    /* "smartctl", "libatasmart", "history" */
        struct {
                char version[16], revision[16], build[64], format[16]; /* "7.3", "5338", "(local build)", "1.0"; "" without smartctl */
        } smartctl;
        double capacity_bytes, capacity_blocks, nvme_capacity_bytes, logical_block_bytes, physical_block_bytes;
        double rotation_rpm; /* 0: no platters (SSD); NAN: not said */
        double speed_max_bps, speed_current_bps;

        /* State */
        bool standby;       /* asleep: nothing else was asked */
        double exit_status; /* smartctl's; NAN without smartctl */
        double local_time;  /* when smartctl ran, seconds since the epoch */
        double power_on_s, power_cycles, load_cycles;
        double percentage_used; /* wear in percent, from NVMe or SSD statistics */
        double state;       /* ATA SCT device state */

        /* Temperatures; the drive's own limits */
        double temperature_c, temperature_warning_c, temperature_critical_c;
        double drive_trip_c, op_limit_max_c, op_limit_min_c, critical_limit_max_c, critical_limit_min_c;
        double lifetime_max_c, lifetime_min_c, cycle_max_c, cycle_min_c;

        struct disk_counters counters;
        struct disk_nvme nvme;
        struct disk_scsi_errors scsi[DISK_OPERATION_MAX];

        /* Logs */
        double error_log_summary, error_log_extended; /* ATA error log: errors ever counted */
        double selftest_count_standard, selftest_count_extended, selftest_errors_standard, selftest_errors_extended;
        enum disk_selftest selftest;  /* the newest that says something: a failure stands until a later test passed */
        enum disk_selftest selftest_last; /* how the newest that is over ended */
        bool selftest_running;
        bool selftest_unsupported;    /* the drive says that it has no such thing */
        bool selftest_log_read;       /* the report has the log, be it empty */
        double selftest_remaining;    /* percent, while one runs */
        double selftest_age_h;        /* powered-on hours since the newest good long test */
        char selftest_text[96];       /* the drive's words for a failed one */
        double erc_read_s, erc_write_s;

        struct disk_statistic *statistics; /* heap, owned */
        size_t n_statistics;

        size_t n_attributes;
        struct disk_attribute attributes[DISK_ATTRIBUTES_MAX]; /* last: disk_report_init() leaves the unused ones alone */
};

/* Everything "not reported". Cheap: the replay calls it for every drive and day. */
void disk_report_init(struct disk_report *report);
void disk_report_done(struct disk_report *report);

/* Adds one ATA attribute (value, worst, thresh: DISK_ATTRIBUTE_ABSENT where not reported; name may be NULL).
 * NULL when the table is full, the id is 0 or already there. Set ->raw and ->has_raw where there is one. */
struct disk_attribute *disk_report_add_attribute(struct disk_report *report, unsigned id, const char *name, unsigned flags,
                                                 int value, int worst, int thresh);
const struct disk_attribute *disk_report_attribute(const struct disk_report *report, unsigned id);

/* One entry of a self-test log, newest first, but not one that still runs; log is zero-initialised. A good short test takes
 * back a failed short one, not a failed long one (smartctl(8): bit 7 is ignored if a newer extended test passed). hours:
 * powered-on time at which it ended, NAN if not said; the report must know its own power-on time by then. */
struct disk_selftest_log {
        bool any, decided, short_passed;
};
void disk_selftest_add(struct disk_report *report, struct disk_selftest_log *log, enum disk_selftest result, bool is_long, double hours,
                       const char *words);

/* After the last field was filled in: decodes the raw values, names attributes, fills counters and what else follows from
 * them (power-on time, temperature, wear) where no better source gave it. */
void disk_report_finish(struct disk_report *report);

/* What is missing without which nobody can say that the drive is well ("the attribute table"); NULL: nothing. The overall verdict of
 * an ATA drive may be missing (bridges refuse the command) and is not enough alone: it stays "passed" with thousands of lost sectors. */
const char *disk_report_lacks(const struct disk_report *report);

/* True for drives with platters: rotation is known and > 0, or not said and nothing speaks for flash. */
bool disk_report_is_hdd(const struct disk_report *report);

/* True when the drive says "failed" only because its flash is used up: NVMe bit 0x04 alone with percentage_used >= 100
 * and no media errors. */
bool disk_report_only_worn(const struct disk_report *report);

/* Vendor-packed raw value of attribute id as a number of events (sectors, hours, degrees); NAN where it cannot be read
 * so (an error rate, an impossible value). */
double disk_decode_raw(unsigned id, uint64_t raw);

/* "PO--CK", "prefailure,updated_online,..." as smartctl and smartctl_exporter write them. */
void disk_flags_short(unsigned flags, char buf[static 8]);
void disk_flags_long(unsigned flags, char buf[static 80]);

#endif
