/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* One drive-day as a JSON object: what Backblaze's columns cannot hold (NVMe, the drive's own verdict).
 *     {"date":"2016-04-02","serial_number":"Z1","model":"M","capacity_bytes":1,
 *      "smart":{"5":[100,0]},"passed":true,"nvme":{"critical_warning":0,...}} */

#include "history.h"

#include <jansson.h>
#include <math.h>

static void cleanup_json(json_t **json)
{
        json_decref(*json);
}

/* A number that is not negative, or null and absent (*ret stays as it is). */
static int get_number(const json_t *object, const char *key, double *ret, struct errinfo *err)
{
        const json_t *value = json_object_get(object, key);

        if (!value || json_is_null(value))
                return 0;
        if (!json_is_number(value) || json_number_value(value) < 0)
                return err_set(err, -EINVAL, "'%s' is no number of 0 or more", key);
        *ret = json_number_value(value);
        return 0;
}

static int read_pair(struct history_day *day, unsigned id, const json_t *pair, struct errinfo *err)
{
        const json_t *normalized = json_array_get(pair, 0), *raw = json_array_get(pair, 1);
        struct disk_attribute *a;

        if (json_array_size(pair) != 2 || (!json_is_integer(normalized) && !json_is_null(normalized)) ||
            (!json_is_integer(raw) && !json_is_null(raw)) || (json_is_integer(raw) && json_integer_value(raw) < 0))
                return err_set(err, -EINVAL, "smart '%u' is not [normalized|null, raw|null] of whole numbers", id);
        if (json_is_null(normalized) && json_is_null(raw))
                return 0;
        a = disk_report_add_attribute(&day->report, id, NULL, 0, DISK_ATTRIBUTE_ABSENT, DISK_ATTRIBUTE_ABSENT,
                                      DISK_ATTRIBUTE_ABSENT);
        if (!a)
                return err_set(err, -EINVAL, "smart '%u' is there twice, or more than %d attributes are", id, DISK_ATTRIBUTES_MAX);
        if (json_is_integer(normalized) && json_integer_value(normalized) >= 0)
                a->value = (int16_t)MIN(json_integer_value(normalized), UINT8_MAX);
        if (json_is_integer(raw)) {
                a->raw = (uint64_t)json_integer_value(raw);
                a->has_raw = true;
        }
        return 0;
}

static int read_smart(struct history_day *day, json_t *smart, struct errinfo *err)
{
        const char *key;
        json_t *pair;

        if (!smart || json_is_null(smart))
                return 0;
        if (!json_is_object(smart))
                return err_set(err, -EINVAL, "'smart' is no object");
        json_object_foreach(smart, key, pair) {
                char *end;
                unsigned long id = strtoul(key, &end, 10);
                int r;

                if (*key < '0' || *key > '9' || *end || id == 0 || id > UINT8_MAX)
                        return err_set(err, -EINVAL, "smart '%.32s' is no attribute number from 1 to 255", key);
                r = read_pair(day, (unsigned)id, pair, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int read_nvme(struct history_day *day, const json_t *nvme, struct errinfo *err)
{
        struct disk_report *report = &day->report;
        double warning = NAN;
        const struct {
                const char *key;
                double *to;
        } fields[] = {
                { "critical_warning", &warning },
                { "available_spare", &report->nvme.available_spare },
                { "available_spare_threshold", &report->nvme.available_spare_threshold },
                { "percentage_used", &report->nvme.percentage_used },
                { "media_errors", &report->counters.media_errors },
        };

        if (!nvme || json_is_null(nvme))
                return 0;
        if (!json_is_object(nvme))
                return err_set(err, -EINVAL, "'nvme' is no object");
        for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
                int r = get_number(nvme, fields[i].key, fields[i].to, err);

                if (r < 0)
                        return r;
        }
        if (warning > UINT8_MAX)
                return err_set(err, -EINVAL, "'critical_warning' is %g, more than its 8 bits hold", warning);
        report->protocol = DISK_NVME;
        report->nvme.present = !isnan(warning);
        report->nvme.critical_warning = isnan(warning) ? 0 : (unsigned)warning;
        return 0;
}

static int read_names(struct history_day *day, const json_t *doc, struct errinfo *err)
{
        const json_t *date = json_object_get(doc, "date"), *serial = json_object_get(doc, "serial_number");
        const json_t *model = json_object_get(doc, "model");
        int r;

        if (!json_is_string(date) || !json_is_string(serial))
                return err_set(err, -EINVAL, "'date' or 'serial_number' is missing or no text");
        r = history_set_date(day, json_string_value(date), json_string_length(date), err);
        if (r >= 0)
                r = history_set_serial(day, json_string_value(serial), json_string_length(serial), err);
        if (r < 0)
                return r;
        if (json_is_string(model))
                history_set_model(day, json_string_value(model), json_string_length(model));
        else if (model && !json_is_null(model))
                return err_set(err, -EINVAL, "'model' is no text");
        return 0;
}

int history_json_line(const char *line, size_t len, struct history_day *ret, struct errinfo *err)
{
        json_error_t error;
        _cleanup_(cleanup_json) json_t *doc = json_loadb(line, len, JSON_REJECT_DUPLICATES, &error);
        const json_t *passed;
        int r;

        if (!doc)
                return err_set(err, -EINVAL, "not JSON at column %d: %s", error.column, error.text);
        history_begin(ret);
        r = read_names(ret, doc, err);
        if (r >= 0)
                r = get_number(doc, "capacity_bytes", &ret->report.capacity_bytes, err);
        if (r >= 0)
                r = read_smart(ret, json_object_get(doc, "smart"), err);
        if (r >= 0)
                r = read_nvme(ret, json_object_get(doc, "nvme"), err);
        if (r < 0)
                return r;
        passed = json_object_get(doc, "passed");
        if (json_is_boolean(passed))
                ret->report.health = json_is_true(passed) ? DISK_HEALTH_PASSED : DISK_HEALTH_FAILED;
        else if (passed && !json_is_null(passed))
                return err_set(err, -EINVAL, "'passed' is neither true nor false");
        history_finish(ret);
        return 1;
}
