/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Reading drive histories: columns by name, JSON lines, and every way a line can be bad. */

#include "history.h"
#include "test.h"

static struct history_day day;

/* Reads one line; returns what history_line() does. text may hold NUL bytes when len is given. */
static int feed_bytes(struct history_reader *reader, const char *text, size_t len, struct errinfo *err)
{
        char *copy = malloc(len + 1); /* of the exact size, so that the sanitizer sees one byte too far */
        int r;

        memcpy(copy, text, len);
        *err = (struct errinfo){};
        r = history_line(reader, copy, len, &day, err);
        free(copy);
        return r;
}

static int feed(struct history_reader *reader, const char *text, struct errinfo *err)
{
        return feed_bytes(reader, text, strlen(text), err);
}

static void wants(struct history_reader *reader, const char *text, int wanted, const char *words)
{
        struct errinfo err;
        int r = feed(reader, text, &err);

        if (r != wanted)
                fail_msg("'%.100s': %d (%s), wanted %d", text, r, err.text, wanted);
        if (words && !strstr(err.text, words))
                fail_msg("'%.100s': says '%s', wanted '%s'", text, err.text, words);
}

#define HEADER "date,serial_number,model,capacity_bytes,failure,smart_5_normalized,smart_5_raw,smart_9_raw,smart_197_raw"

static void test_columns_by_name(void **state UNUSED)
{
        _cleanup_(history_reader_done) struct history_reader r = {};

        wants(&r, HEADER, 0, NULL);
        wants(&r, "2016-04-02,Z1,ST4000DM000,4000787030016,0,100,8,17360,", 1, NULL);
        assert_string_equal(day.date, "2016-04-02");
        assert_int_equal(day.day, 16893);
        assert_string_equal(day.report.serial, "Z1");
        assert_string_equal(day.report.model, "ST4000DM000");
        assert_true(day.report.counters.reallocated == 8);
        assert_true(day.report.power_on_s == 17360 * 3600.0);
        assert_true(isnan(day.report.counters.pending));
        assert_true(isnan(day.report.counters.reported_uncorrectable));
        assert_int_equal(disk_report_attribute(&day.report, 5)->value, 100);
        assert_int_equal(day.report.protocol, DISK_ATA);
        assert_int_equal(day.report.health, DISK_HEALTH_ABSENT);
        /* A repeated header with other columns in another order, unknown ones among them. */
        wants(&r, "smart_197_raw,pod_id,smart_x_raw,smart_999_raw,serial_number,date", 0, NULL);
        wants(&r, "3,,a,b,Z2,2024-02-29\r", 1, NULL);
        assert_string_equal(day.report.serial, "Z2");
        assert_true(day.report.counters.pending == 3);
        assert_true(isnan(day.report.counters.reallocated));
}

/* The label must not be looked at: any text stands there. */
static void test_failure_is_not_read(void **state UNUSED)
{
        static const char *const labels[] = { "0", "1", "", "no number at all", "\"x\"" };

        for (size_t i = 0; i < ARRAY_LEN(labels); i++) {
                _cleanup_(history_reader_done) struct history_reader r = {};
                char line[256];

                wants(&r, HEADER, 0, NULL);
                snprintf(line, sizeof(line), "2016-04-02,Z1,M,1,%s,100,8,17360,2", labels[i]);
                wants(&r, line, 1, NULL);
                assert_true(day.report.counters.pending == 2);
        }
}

static void test_quotes_and_oddities(void **state UNUSED)
{
        _cleanup_(history_reader_done) struct history_reader r = {};

        wants(&r, "", 0, NULL);
        wants(&r, "   \r", 0, NULL);
        wants(&r, "\xef\xbb\xbf" HEADER, 0, NULL);
        wants(&r, "2016-04-02,Z1,\"a \"\"good\"\" disk, really\",1,0,100,8.0,17360,", 1, NULL);
        assert_string_equal(day.report.model, "a \"good\" disk, really");
        assert_true(day.report.counters.reallocated == 8);
        wants(&r, "2016-04-02,Z1,M,-1,0,,,,", 1, NULL);
        assert_true(isnan(day.report.capacity_bytes));
}

static void test_bad_lines(void **state UNUSED)
{
        static const struct {
                const char *line, *words;
        } bad[] = {
                { "2016-04-02,Z1,M,1,0,100,8,17360", "8 fields, but the header has 9" },
                { "2016-04-02,Z1,M,1,0,100,8,17360,0,0", "more fields than the 9" },
                { "2016-04-02,Z1", "cut off?" },
                { "2016-04-31,Z1,M,1,0,100,8,17360,0", "no date of the calendar" },
                { "2015-02-29,Z1,M,1,0,100,8,17360,0", "no date of the calendar" },
                { "2016-4-2,Z1,M,1,0,100,8,17360,0", "no date like" },
                { ",Z1,M,1,0,100,8,17360,0", "no date like" },
                { "2016-04-02,,M,1,0,100,8,17360,0", "serial number is empty" },
                { "2016-04-02,Z\x01,M,1,0,100,8,17360,0", "byte 0x01" },
                { "2016-04-02,Z\xff,M,1,0,100,8,17360,0", "byte 0xff" },
                { "2016-04-02,Z1,M,1,0,100,-8,17360,0", "smart_5_raw: '-8' is no whole number" },
                { "2016-04-02,Z1,M,1,0,100,8.5,17360,0", "no whole number" },
                { "2016-04-02,Z1,M,1,0,x,8,17360,0", "smart_5_normalized: 'x'" },
                { "2016-04-02,Z1,M,1,0,100,99999999999999999999999,17360,0", "no whole number" },
                { "2016-04-02,Z1,\"M,1,0,100,8,17360,0", "quote in field 3 is not closed" },
                { "2016-04-02,Z1,\"M\"x,1,0,100,8,17360,0", "quote in field 3 is not closed" },
                { "{\"date\":1}", "'date' or 'serial_number' is missing" },
        };
        _cleanup_(history_reader_done) struct history_reader r = {};
        struct errinfo err;
        char longest[HISTORY_LINE_MAX + 2];

        wants(&r, HEADER, 0, NULL);
        for (size_t i = 0; i < ARRAY_LEN(bad); i++)
                wants(&r, bad[i].line, -EINVAL, bad[i].words);
        memset(longest, '7', sizeof(longest));
        assert_int_equal(feed_bytes(&r, longest, sizeof(longest), &err), -EINVAL);
        assert_int_equal(feed_bytes(&r, "2016-04-02,Z1,M\0,1,0,100,8,17360,0", 35, &err), -EINVAL);
        /* After all that a good line is read as before. */
        wants(&r, "2016-04-02,Z1,M,1,0,100,8,17360,4", 1, NULL);
        assert_true(day.report.counters.pending == 4);
}

static void test_without_header(void **state UNUSED)
{
        _cleanup_(history_reader_done) struct history_reader r = {};

        wants(&r, "2016-04-02,Z1,M,1,0,100,8,17360,4", -EINVAL, "no header line");
        wants(&r, "2016-04-02,Z1,M,1,0,100,8,17360,4", 0, NULL); /* told once */
        wants(&r, "serial_number,model", -EINVAL, "no column 'date'");
        wants(&r, "Z1,M", 0, NULL);
        wants(&r, HEADER, 0, NULL);
        wants(&r, "2016-04-02,Z1,M,1,0,100,8,17360,4", 1, NULL);
}

static void test_too_many_columns(void **state UNUSED)
{
        _cleanup_(history_reader_done) struct history_reader r = {};
        static char header[HISTORY_COLUMNS_MAX * 2 + 64];
        size_t n = (size_t)sprintf(header, "date,serial_number");

        for (int i = 0; i < HISTORY_COLUMNS_MAX - 2; i++)
                header[n++] = ',';
        header[n] = '\0';
        wants(&r, header, 0, NULL);
        header[n++] = ',';
        header[n] = '\0';
        wants(&r, header, -EINVAL, "more than 2048 columns");
        wants(&r, "2016-04-02,Z1", 0, NULL);
}

static void test_too_many_attributes(void **state UNUSED)
{
        _cleanup_(history_reader_done) struct history_reader r = {};
        char header[8192] = "date,serial_number", line[8192] = "2016-04-02,Z1";

        for (int i = 1; i <= DISK_ATTRIBUTES_MAX + 1; i++) {
                sprintf(header + strlen(header), ",smart_%d_raw", i);
                strcat(line, ",1");
        }
        wants(&r, header, 0, NULL);
        wants(&r, line, -EINVAL, "more than 64 attributes");
}

static void test_json(void **state UNUSED)
{
        _cleanup_(history_reader_done) struct history_reader r = {};

        wants(&r,
              "{\"date\":\"2016-04-02\",\"serial_number\":\"Z305B2QN\",\"model\":\"ST4000DM000\",\"capacity_bytes\":4000787030016,"
              "\"failure\":0,\"smart\":{\"5\":[100,0],\"187\":[null,2],\"197\":[100,8],\"9\":[90,5],\"3\":[null,null]},\"passed\":true}",
              1, NULL);
        assert_string_equal(day.report.serial, "Z305B2QN");
        assert_true(day.report.counters.pending == 8 && day.report.counters.reported_uncorrectable == 2);
        assert_true(day.report.power_on_s == 18000);
        assert_int_equal(day.report.health, DISK_HEALTH_PASSED);
        assert_int_equal(day.report.protocol, DISK_ATA);

        wants(&r,
              " {\"date\":\"2016-04-02\",\"serial_number\":\"N\",\"failure\":{},\"passed\":false,\"nvme\":{\"critical_warning\":4,"
              "\"available_spare\":100,\"available_spare_threshold\":10,\"percentage_used\":103,\"media_errors\":7}}",
              1, NULL);
        assert_int_equal(day.report.protocol, DISK_NVME);
        assert_int_equal(day.report.health, DISK_HEALTH_FAILED);
        assert_int_equal(day.report.nvme.critical_warning, 4);
        assert_true(day.report.nvme.percentage_used == 103 && day.report.counters.media_errors == 7);
        /* Nothing of it stays for the next drive. */
        wants(&r, "{\"date\":\"2016-04-02\",\"serial_number\":\"N\",\"nvme\":{\"media_errors\":7}}", 1, NULL);
        assert_false(day.report.nvme.present); /* without its warnings nobody knows that there are none */
        assert_true(day.report.counters.media_errors == 7);
        wants(&r, "{\"date\":\"2016-04-02\",\"serial_number\":\"Z\",\"smart\":null,\"nvme\":null,\"passed\":null}", 1, NULL);
        assert_int_equal(day.report.protocol, DISK_ATA);
        assert_int_equal(day.report.health, DISK_HEALTH_ABSENT);
        assert_true(isnan(day.report.counters.media_errors) && day.report.n_attributes == 0);
}

static void test_bad_json(void **state UNUSED)
{
#define NAMES "\"date\":\"2016-04-02\",\"serial_number\":\"Z\""
        static const char *const bad[] = {
                "{", "{}", "{" NAMES, "{" NAMES "} x", "{" NAMES ",\"date\":\"2016-04-03\"}",
                "{\"date\":\"2016-04-02\",\"serial_number\":5}", "{\"date\":\"2016-13-02\",\"serial_number\":\"Z\"}",
                "{\"date\":\"2016-04-02\",\"serial_number\":\"\"}", "{\"date\":\"2016-04-02\",\"serial_number\":\"\\u00e9\"}",
                "{" NAMES ",\"smart\":[]}", "{" NAMES ",\"smart\":{\"5\":5}}", "{" NAMES ",\"smart\":{\"5\":[1]}}",
                "{" NAMES ",\"smart\":{\"5\":[1,-1]}}", "{" NAMES ",\"smart\":{\"5\":[1,1.5]}}", "{" NAMES ",\"smart\":{\"5\":[1,\"1\"]}}",
                "{" NAMES ",\"smart\":{\"0\":[1,1]}}", "{" NAMES ",\"smart\":{\"256\":[1,1]}}", "{" NAMES ",\"smart\":{\"5x\":[1,1]}}",
                "{" NAMES ",\"smart\":{\"-5\":[1,1]}}", "{" NAMES ",\"smart\":{\"5\":[1,1],\"05\":[1,1]}}",
                "{" NAMES ",\"passed\":1}", "{" NAMES ",\"model\":1}", "{" NAMES ",\"nvme\":[]}",
                "{" NAMES ",\"nvme\":{\"critical_warning\":256}}", "{" NAMES ",\"nvme\":{\"media_errors\":\"1\"}}",
                "{" NAMES ",\"nvme\":{\"media_errors\":-1}}", "{" NAMES ",\"capacity_bytes\":[]}",
        };
        _cleanup_(history_reader_done) struct history_reader r = {};

        for (size_t i = 0; i < ARRAY_LEN(bad); i++)
                wants(&r, bad[i], -EINVAL, NULL);
}

/* Only ATA drives with platters are what the scorecard was fitted on. */
static void test_medium(void **state UNUSED)
{
        static const struct {
                const char *columns, *model, *values;
                bool hdd;
        } rows[] = {
                { "smart_5_raw,smart_9_raw,smart_197_raw", "ST3000DM001", "0,1,0", true },
                { "smart_3_raw,smart_10_raw,smart_194_raw", "WDC WD30EFRX", "0,0,30", true },
                { "smart_5_raw,smart_173_raw,smart_202_raw", "CT250MX500", "0,3,5", false },
                { "smart_5_raw,smart_230_raw,smart_233_raw", "WDC WDS250G2B0A", "0,3,5", false },
                { "smart_5_raw,smart_9_raw,smart_12_raw", "Seagate BarraCuda SSD ZA500CM10002", "0,1,1", false },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                _cleanup_(history_reader_done) struct history_reader r = {};
                char line[256];

                snprintf(line, sizeof(line), "date,serial_number,model,%s", rows[i].columns);
                wants(&r, line, 0, NULL);
                snprintf(line, sizeof(line), "2016-04-02,Z,%s,%s", rows[i].model, rows[i].values);
                wants(&r, line, 1, NULL);
                if (disk_report_is_hdd(&day.report) != rows[i].hdd)
                        fail_msg("%s: hdd %d", rows[i].model, !rows[i].hdd);
        }
}

static void test_dates(void **state UNUSED)
{
        static const struct {
                const char *text;
                int day;
        } dates[] = {
                { "1970-01-01", 0 }, { "1969-12-31", -1 }, { "2000-02-29", 11016 }, { "2000-03-01", 11017 },
                { "2026-11-24", 20781 }, { "0000-01-01", -719528 }, { "9999-12-31", 2932896 },
        };

        for (size_t i = 0; i < ARRAY_LEN(dates); i++) {
                struct errinfo err = {};

                assert_int_equal(history_set_date(&day, dates[i].text, 10, &err), 0);
                assert_int_equal(day.day, dates[i].day);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_columns_by_name),    cmocka_unit_test(test_failure_is_not_read),
                cmocka_unit_test(test_quotes_and_oddities), cmocka_unit_test(test_bad_lines),
                cmocka_unit_test(test_without_header),     cmocka_unit_test(test_too_many_columns),
                cmocka_unit_test(test_too_many_attributes), cmocka_unit_test(test_json),
                cmocka_unit_test(test_bad_json),           cmocka_unit_test(test_medium),
                cmocka_unit_test(test_dates),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
