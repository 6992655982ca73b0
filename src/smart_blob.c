/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* libatasmart to a disk report. The library decodes strings and "pretty" values for people; what is judged here is
 * the raw six bytes, decoded like those of smartctl, so that both sources give the same samples. */

#include "smart_blob.h"

#include <math.h>

/* Offsets in IDENTIFY DEVICE words (ATA8-ACS, table 22), which the blob carries under tag "IDFY". */
#define IDENTIFY_WORDS 256
#define WORD_ROTATION 217
#define WORD_WWN 108

static const unsigned char *find_identify(const unsigned char *p, size_t len)
{
        while (len >= 8) {
                size_t size = (size_t)p[4] << 24 | (size_t)p[5] << 16 | (size_t)p[6] << 8 | p[7];

                if (size > len - 8)
                        return NULL;
                if (memcmp(p, "IDFY", 4) == 0)
                        return size >= IDENTIFY_WORDS * 2 ? p + 8 : NULL;
                p += 8 + size;
                len -= 8 + size;
        }
        return NULL;
}

static unsigned word(const unsigned char *identify, unsigned n)
{
        return identify[2 * n] | (unsigned)identify[2 * n + 1] << 8;
}

static void read_identify(const unsigned char *identify, struct disk_report *r)
{
        unsigned rpm = word(identify, WORD_ROTATION);

        if (rpm == 1)
                r->rotation_rpm = 0;
        else if (rpm >= 0x401 && rpm <= 0xfffe)
                r->rotation_rpm = rpm;
        /* Word 87 bit 8: the WWN words hold something. */
        if ((word(identify, 87) & 0xc100) == 0x4100)
                snprintf(r->wwn, sizeof(r->wwn), "%04x%04x%04x%04x", word(identify, WORD_WWN), word(identify, WORD_WWN + 1),
                         word(identify, WORD_WWN + 2), word(identify, WORD_WWN + 3));
}

bool smart_blob_is(const void *data, size_t len)
{
        static const char tags[][5] = { "IDFY", "SMST", "SMDT", "SMTH" };

        for (size_t i = 0; len >= 8 && i < ARRAY_LEN(tags); i++)
                if (memcmp(data, tags[i], 4) == 0)
                        return true;
        return false;
}

static void add_attribute(SkDisk *disk UNUSED, const SkSmartAttributeParsedData *a, void *data)
{
        struct disk_report *r = data;
        struct disk_attribute *mine =
                disk_report_add_attribute(r, a->id, NULL, a->flags, a->current_value_valid ? a->current_value : DISK_ATTRIBUTE_ABSENT,
                                          a->worst_value_valid ? a->worst_value : DISK_ATTRIBUTE_ABSENT,
                                          a->threshold_valid ? a->threshold : DISK_ATTRIBUTE_ABSENT);

        if (!mine)
                return;
        mine->has_raw = true;
        for (int i = 5; i >= 0; i--)
                mine->raw = mine->raw << 8 | a->raw[i];
}

/* ATA8-ACS, self-test execution status: the library reads no log, so the newest test is all we see. */
static void read_selftest_status(const SkSmartParsedData *smart, struct disk_report *r)
{
        SkSmartSelfTestExecutionStatus status = smart->self_test_execution_status;

        switch (status) {
        case SK_SMART_SELF_TEST_EXECUTION_STATUS_INPROGRESS:
                r->selftest_running = true;
                r->selftest_remaining = smart->self_test_execution_percent_remaining;
                break;
        case SK_SMART_SELF_TEST_EXECUTION_STATUS_SUCCESS_OR_NEVER: /* no failure either way */
                r->selftest = r->selftest_last = DISK_SELFTEST_PASSED;
                break;
        case SK_SMART_SELF_TEST_EXECUTION_STATUS_ABORTED:
        case SK_SMART_SELF_TEST_EXECUTION_STATUS_INTERRUPTED:
                r->selftest_last = DISK_SELFTEST_EARLY;
                break;
        default:
                if (status > SK_SMART_SELF_TEST_EXECUTION_STATUS_ERROR_HANDLING)
                        break;
                r->selftest = r->selftest_last = DISK_SELFTEST_FAILED;
                snprintf(r->selftest_text, sizeof(r->selftest_text), "%s", sk_smart_self_test_execution_status_to_string(status));
        }
}

int smart_atasmart_report(SkDisk *disk, struct disk_report *ret, struct errinfo *err)
{
        const SkIdentifyParsedData *identify;
        const SkSmartParsedData *smart;
        const void *blob;
        struct disk_report r;
        SkBool available = FALSE, good;
        size_t size;
        uint64_t bytes;

        disk_report_init(&r);
        r.protocol = DISK_ATA;
        snprintf(r.source, sizeof(r.source), "libatasmart");
        snprintf(r.interface, sizeof(r.interface), "sat");
        if (sk_disk_identify_parse(disk, &identify) == 0) {
                snprintf(r.model, sizeof(r.model), "%s", identify->model);
                snprintf(r.serial, sizeof(r.serial), "%s", identify->serial);
                snprintf(r.firmware, sizeof(r.firmware), "%s", identify->firmware);
        }
        if (sk_disk_get_size(disk, &bytes) == 0)
                r.capacity_bytes = (double)bytes;
        if (sk_disk_get_blob(disk, &blob, &size) == 0) {
                const unsigned char *words = find_identify(blob, size);

                if (words)
                        read_identify(words, &r);
        }
        if (sk_disk_smart_is_available(disk, &available) < 0 || !available)
                return err_set(err, -ENODATA, "SMART is not available on this disk");
        if (sk_disk_smart_status(disk, &good) == 0)
                r.health = good ? DISK_HEALTH_PASSED : DISK_HEALTH_FAILED;
        if (sk_disk_smart_parse_attributes(disk, add_attribute, &r) < 0 && r.health == DISK_HEALTH_ABSENT)
                return err_set(err, -EBADMSG, "the SMART data cannot be read: %s", strerror(errno));
        if (sk_disk_smart_parse(disk, &smart) == 0)
                read_selftest_status(smart, &r);
        disk_report_finish(&r);
        *ret = r;
        return 0;
}

int smart_blob_report(const void *data, size_t len, struct disk_report *ret, struct errinfo *err)
{
        SkDisk *disk;
        int r;

        if (len > SMART_BLOB_MAX || !smart_blob_is(data, len))
                return err_set(err, -EBADMSG, "this is no data saved by skdump");
        if (sk_disk_open(NULL, &disk) < 0)
                return err_set(err, -ENOMEM, "%s", strerror(errno));
        if (sk_disk_set_blob(disk, data, len) < 0)
                r = err_set(err, -EBADMSG, "the saved data is damaged: %s", strerror(errno));
        else
                r = smart_atasmart_report(disk, ret, err);
        sk_disk_free(disk);
        return r;
}
