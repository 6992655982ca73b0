/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The pure parts of history: packing, downsampling, retention, names of series. */

#include "downsample.h"
#include "pack.h"
#include "retention.h"
#include "series_key.h"
#include "test.h"

static const double odd_values[] = { 0, -0.0, 1, -1, 0.5, 35, 1e15, 9007199254740992.0, -9007199254740992.0, 9007199254740994.0,
                                     0.1, 1e300, -1e300, 5e-324, 3e38, 3.5e38, 1.0 / 3, 123456.789 };

static bool identical(double a, double b)
{
        return memcmp(&a, &b, sizeof(a)) == 0;
}

static void packed_values_come_back_bit_for_bit(void **state UNUSED)
{
        struct pack points = { 0 }, log = { 0 };
        struct unpack u;
        int64_t at;
        uint32_t series;
        double v;

        for (size_t i = 0; i < ARRAY_LEN(odd_values); i++) {
                assert_int_equal(pack_point(&points, (int64_t)i * 200, odd_values[i]), 0);
                assert_int_equal(pack_log(&log, i % 2 ? UINT32_MAX : (uint32_t)i, 3599 - (int64_t)i, odd_values[i]), 0);
        }
        unpack_init(&u, points.data, points.len);
        for (size_t i = 0; i < ARRAY_LEN(odd_values); i++) {
                assert_int_equal(unpack_point(&u, &at, &v), 1);
                assert_int_equal(at, i * 200);
                if (!identical(v, odd_values[i]))
                        fail_msg("%.17g came back as %.17g", odd_values[i], v);
        }
        assert_int_equal(unpack_point(&u, &at, &v), 0);
        unpack_init(&u, log.data, log.len);
        for (size_t i = 0; i < ARRAY_LEN(odd_values); i++) {
                assert_int_equal(unpack_log(&u, &series, &at, &v), 1);
                assert_true(series == (i % 2 ? UINT32_MAX : (uint32_t)i) && at == 3599 - (int64_t)i);
                assert_true(identical(v, odd_values[i]));
        }
        assert_int_equal(unpack_log(&u, &series, &at, &v), 0);
        pack_done(&points);
        pack_done(&log);
}

static void an_hour_of_temperatures_is_small(void **state UNUSED)
{
        struct pack p = { 0 };

        for (int i = 0; i < 60; i++)
                pack_point(&p, i * 60, 35 + i % 3);
        assert_true(p.len <= 60 * 3);
        pack_done(&p);
}

static void packed_hours_come_back_and_constants_cost_nothing(void **state UNUSED)
{
        struct hour_stat hours[24], got[24];
        struct pack p = { 0 };
        int n = 0;

        for (int h = 0; h < 24; h++)
                if (h != 7)
                        hours[n++] = (struct hour_stat){ h, 3600, 40, 40, 40 };
        assert_int_equal(pack_hours(&p, hours, (size_t)n), 0);
        assert_true(p.len <= 16);
        assert_int_equal(unpack_hours(p.data, p.len, got), n);
        assert_int_equal(got[7].hour, 8);
        assert_int_equal(got[22].hour, 23);
        assert_true(got[22].mean == 40 && got[22].cover_s == 3600);
        pack_reset(&p);
        for (int h = 0; h < 24; h++)
                hours[h] = (struct hour_stat){ h, h + 1, h / 3.0, -h, h + 0.1 };
        assert_int_equal(pack_hours(&p, hours, 24), 0);
        assert_int_equal(unpack_hours(p.data, p.len, got), 24);
        assert_memory_equal(hours, got, sizeof(hours));
        pack_done(&p);
}

static void torn_blocks_are_refused_not_believed(void **state UNUSED)
{
        static const struct {
                const char *bytes;
                size_t len;
        } hours[] = {
                { "\x18\x01\x00\x02", 4 }, /* hour 24 */
                { "\x40", 1 },             /* repeats nothing */
                { "\x25\x01\x00\x02\x45", 5 }, /* repeats into the past */
                { "\x20\x00\x00\x02", 4 }, /* covers nothing */
                { "\x20\x91\x1c\x00\x02", 5 }, /* covers 3601 s */
                { "\x20\x01\x02\x00\x00\x00\x00\x00\x00\xf8\x7f", 11 }, /* not a number */
                { "\x20\x01\x03\x02", 4 }, /* no such tag */
                { "\x20\x01", 2 },         /* cut */
                { "\x00\x01\x00\x04\x00\x06\x00\x08", 8 }, /* min above mean */
                { "\x80\x01\x00\x02", 4 },
        };
        struct hour_stat got[24];
        struct unpack u;
        uint32_t series;
        int64_t at;
        double v;

        for (size_t i = 0; i < ARRAY_LEN(hours); i++)
                if (unpack_hours(hours[i].bytes, hours[i].len, got) != -EBADMSG)
                        fail_msg("row %zu was believed", i);
        unpack_init(&u, "\x80\xe1\x01\x02", 4); /* a point at 7200 s */
        assert_int_equal(unpack_point(&u, &at, &v), -EBADMSG);
        unpack_init(&u, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 10); /* longer than 64 bits */
        assert_int_equal(unpack_log(&u, &series, &at, &v), -EBADMSG);
        unpack_init(&u, "\x01\x00\x02", 3); /* series -1 */
        assert_int_equal(unpack_log(&u, &series, &at, &v), -EBADMSG);
}

static void a_value_holds_until_the_next_and_not_into_a_gap(void **state UNUSED)
{
        static const struct gap gaps[] = { { 5000, 6000 } };
        struct bucket b[10];
        struct downsample d;

        downsample_init(&d, 0, 10000, b, 10, gaps, 1);
        downsample_point(&d, -500, 7);  /* holds into the range */
        downsample_point(&d, 500, 1);
        downsample_point(&d, 2250, 9);
        downsample_point(&d, 2240, 99); /* from the past */
        downsample_point(&d, 2300, 1);
        downsample_point(&d, 6500, 3);
        downsample_end(&d, 8100);
        assert_true(b[0].mean == 4 && b[0].min == 1 && b[0].max == 7 && b[0].cover_s == 1000);
        assert_true(b[1].mean == 1 && b[1].min == 1 && b[1].max == 1);
        assert_true(fabs(b[2].mean - 1.4) < 1e-9 && b[2].max == 9 && b[2].cover_s == 1000);
        assert_true(b[4].seen && !b[5].seen); /* the gap */
        assert_true(b[6].mean == 3 && b[6].cover_s == 500);
        assert_true(b[8].cover_s == 100 && !b[9].seen);
        /* Two hours at most. */
        downsample_init(&d, 0, 10000, b, 10, NULL, 0);
        downsample_point(&d, 0, 5);
        downsample_end(&d, 10000);
        assert_true(b[7].cover_s == 200 && !b[8].seen);
        /* The same moment twice: both are in min and max, the mean is a number. */
        downsample_init(&d, 0, 10, b, 1, NULL, 0);
        downsample_point(&d, 9, -1e300);
        downsample_point(&d, 9, 1e300);
        downsample_end(&d, 0);
        assert_true(b[0].seen && b[0].min == -1e300 && b[0].max == 1e300 && isfinite(b[0].mean));
}

static void hours_spread_over_slices(void **state UNUSED)
{
        struct hour_stat h = { 0, 1800, 10, 5, 20 };
        struct bucket b[4];
        struct downsample d;

        downsample_init(&d, 1800, 1800 + 7200, b, 4, NULL, 0);
        downsample_point(&d, 1700, 4);
        downsample_hour(&d, 3600, &h);
        downsample_hour(&d, 100000, &h);
        downsample_end(&d, 200000);
        assert_true(b[0].mean == 4 && b[0].cover_s == 1800);
        assert_true(b[1].mean == 10 && b[1].cover_s == 900 && b[2].max == 20 && !b[3].seen);
}

/* More slices than seconds, borders that do not divide: every second lands in exactly one slice. */
static void slices_cover_everything_once(void **state UNUSED)
{
        for (int n = 1; n < 60; n++) {
                struct bucket b[60];
                struct downsample d;
                double cover = 0;

                downsample_init(&d, 1000003, 1000003 + 41, b, (size_t)n, NULL, 0);
                for (int i = 0; i < 41; i++)
                        downsample_point(&d, 1000003 + i, i);
                downsample_end(&d, 1000003 + 1000);
                for (int i = 0; i < n; i++)
                        cover += b[i].cover_s;
                assert_true(fabs(cover - 41) < 1e-9);
        }
}

static void clock_that_jumps_ahead_does_not_wipe(void **state UNUSED)
{
        int64_t t = 1000000000, year = 365 * DAY_S, c = t;

        assert_int_equal(retention_clock(0, 0, t), t);
        for (int minute = 0; minute < 60; minute++) /* an hour in the year to come */
                c = retention_clock(c, 60, t + year + minute * 60);
        assert_int_equal(c, t + 7200);
        c = retention_clock(c, 60, t + 3660); /* and back: at once */
        assert_int_equal(c, t + 3660);
        assert_int_equal(retention_clock(t, -5, t + 100), t);
        /* Off for ten days: ten days later it is where the wall clock is. */
        for (int hour = 1; hour <= 241; hour++)
                c = retention_clock(c, 3600, t + 3660 + 10 * DAY_S + hour * 3600);
        assert_int_equal(c, t + 3660 + 10 * DAY_S + 241 * 3600);
}

/* A store that fills minute by minute for a year and does what the plans say. */
struct model {
        int64_t raw_from, raw_to, day_from, day_to, events; /* hours and days, half open */
};

#define RAW_HOUR 480000   /* bytes of 1200 series that all change */
#define HOURLY_DAY 780000
#define EVENT 300

static int64_t model_bytes(const struct model *m)
{
        return (m->raw_to - m->raw_from) * RAW_HOUR + (m->day_to - m->day_from) * HOURLY_DAY + m->events * EVENT;
}

static void model_apply(struct model *m, const struct retention_plan *p)
{
        m->raw_from = MIN(MAX(m->raw_from, p->raw_before_day * 24), m->raw_to);
        m->day_from = MIN(MAX(m->day_from, p->hourly_before_day), m->day_to);
        m->events -= p->oldest_events;
}

static int model_clean(struct model *m, const struct retention_limits *l, int64_t clock_s)
{
        struct retention_plan p;
        int steps = 0;

        do {
                struct retention_facts f = {
                        .clock_s = clock_s, .used_bytes = model_bytes(m), .n_events = m->events,
                        .oldest_raw_hour = m->raw_from < m->raw_to ? m->raw_from : -1, .newest_raw_hour = m->raw_to - 1,
                        .oldest_hourly_day = m->day_from < m->day_to ? m->day_from : -1, .newest_hourly_day = m->day_to - 1,
                };

                retention_plan(l, &f, &p);
                model_apply(m, &p);
                assert_true(++steps < 100);
        } while (p.raw_before_day || p.hourly_before_day || p.oldest_events);
        return steps;
}

static void a_year_of_minutes_stays_small(void **state UNUSED)
{
        static const struct {
                int64_t max_bytes;
                int64_t raw_days, hourly_days; /* what must be left at the end, at least */
                int64_t events;
        } rows[] = {
                { 1 << 30, 7, 365, 20000 },     /* room for all */
                { 200 << 20, 1, 200, 20000 },   /* raw goes first */
                { 20 << 20, 0, 0, 10000 },      /* then hours; the day of now is always there */
        };
        int64_t start = 20000 * DAY_S;

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct retention_limits l = { 7 * DAY_S, 365 * DAY_S, rows[i].max_bytes, 20000 };
                struct model m = { start / 3600, start / 3600, 20000, 20000, 0 };
                int64_t largest = 0;

                for (int64_t minute = 1; minute <= 400 * 1440; minute++) {
                        int64_t now = start + minute * 60;

                        if (minute % 20 == 0)
                                m.events++;
                        if (now % HOUR_S == 0)
                                m.raw_to++;
                        if (now % DAY_S == 0)
                                m.day_to++;
                        if (now % HOUR_S == 0) {
                                model_clean(&m, &l, now);
                                largest = MAX(largest, model_bytes(&m));
                        }
                }
                if (largest > rows[i].max_bytes || m.raw_to - m.raw_from < rows[i].raw_days * 24 ||
                    m.day_to - m.day_from < rows[i].hourly_days || m.events < rows[i].events)
                        fail_msg("row %zu: %lld bytes at most, %lld raw hours, %lld days, %lld events", i, (long long)largest,
                                 (long long)(m.raw_to - m.raw_from), (long long)(m.day_to - m.day_from), (long long)m.events);
                assert_true(m.raw_to - m.raw_from <= 8 * 24 && m.day_to - m.day_from <= 366);
        }
}

static void names_of_series(void **state UNUSED)
{
        static const struct {
                const char *key, *check, *instance, *metric, *labels; /* check NULL: refused */
        } rows[] = {
                { "smart/sda/disk_temperature_celsius{}", "smart", "sda", "disk_temperature_celsius", "" },
                { "fs//var/mail/filesystem_free_bytes{role=a,b=c}", "fs", "/var/mail", "filesystem_free_bytes", "role=a,b=c" },
                { "fs//mnt/{x}/y_bytes{a={b}}", "fs", "/mnt/{x}", "y_bytes", "a={b}" },
                { "a/b/c{d=e/f{g}", "a", "b", "c", "d=e/f{g" },
                { "a/b/c", NULL, NULL, NULL, NULL },
                { "a/b{}", NULL, NULL, NULL, NULL },
                { "/b/c{}", NULL, NULL, NULL, NULL },
                { "a/b/{}", NULL, NULL, NULL, NULL },
                { "", NULL, NULL, NULL, NULL },
                { "a/b\n/c{}", NULL, NULL, NULL, NULL },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct series_key k;
                char all[200], want[200];
                int r = series_key_parse(rows[i].key, &k);

                if (r != (rows[i].check ? 0 : -EINVAL))
                        fail_msg("row %zu: %d", i, r);
                if (r < 0)
                        continue;
                snprintf(all, sizeof(all), "%.*s|%.*s|%.*s|%.*s", (int)k.check_len, k.check, (int)k.instance_len, k.instance,
                         (int)k.metric_len, k.metric, (int)k.labels_len, k.labels);
                snprintf(want, sizeof(want), "%s|%s|%s|%s", rows[i].check, rows[i].instance, rows[i].metric, rows[i].labels);
                assert_string_equal(all, want);
        }
}

static void labels_with_commas(void **state UNUSED)
{
        const char *p = "a=1,2, 3,b_c=,d=x=y", *end = p + strlen(p), *n, *v;
        size_t nl, vl;
        char all[100] = "";

        while (series_key_label(&p, end, &n, &nl, &v, &vl))
                sprintf(all + strlen(all), "%.*s:%.*s;", (int)nl, n, (int)vl, v);
        assert_string_equal(all, "a:1,2, 3;b_c:;d:x=y;");
}

static void units_of_metrics(void **state UNUSED)
{
        assert_string_equal(metric_unit("disk_temperature_celsius"), "celsius");
        assert_string_equal(metric_unit("disk_power_on_seconds_total"), "seconds");
        assert_string_equal(metric_unit("disk_interface_speed_bytes"), "bytes");
        assert_string_equal(metric_unit("x_bytes_per_seconds"), "");
        assert_string_equal(metric_unit("seconds"), "");
        assert_string_equal(metric_unit("disk_pending_sectors"), "");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(packed_values_come_back_bit_for_bit),
                cmocka_unit_test(an_hour_of_temperatures_is_small),
                cmocka_unit_test(packed_hours_come_back_and_constants_cost_nothing),
                cmocka_unit_test(torn_blocks_are_refused_not_believed),
                cmocka_unit_test(a_value_holds_until_the_next_and_not_into_a_gap),
                cmocka_unit_test(hours_spread_over_slices),
                cmocka_unit_test(slices_cover_everything_once),
                cmocka_unit_test(clock_that_jumps_ahead_does_not_wipe),
                cmocka_unit_test(a_year_of_minutes_stays_small),
                cmocka_unit_test(names_of_series),
                cmocka_unit_test(labels_with_commas),
                cmocka_unit_test(units_of_metrics),
        };

        return cmocka_run_group_tests_name("store_pure", tests, NULL, NULL);
}
