/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* A disk's own time, out of a counter that cannot be trusted. */

#include <math.h>

#include "powered_clock.h"
#include "test.h"

#define HOUR (3600 * USEC_PER_SEC)

static void counters_of_hours_are_no_clocks(void **state UNUSED)
{
        static const struct {
                double hours, elapsed_h;
                int64_t want_h; /* of the clock */
        } rows[] = {
                { 65000, 0, 65000 },      /* begins where the drive is */
                { 65024, 24, 65024 },
                { 65024, 24, 65024 },     /* it was off */
                { 65030, 24, 65030 },
                { 12, 24, 65030 },        /* wrapped, or firmware reset it: goes on from here */
                { 36, 24, 65054 },
                { 876000, 24, 65126 },    /* a wild reading: twice the time that passed and a day at most */
                { 60, 24, 65126 },
                { 84, 24, 65150 },
                { NAN, 24, 65174 },       /* not reported: time passes as it does */
                { 132, 24, 65198 },
                { -5, 24, 65222 },
                { 1e300, 1e300, 1065222 }, /* no overflow */
        };
        struct powered_clock clock = { 0 };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                int64_t now = powered_clock_step(&clock, rows[i].hours, rows[i].elapsed_h, rows[i].elapsed_h);

                if (now != rows[i].want_h * HOUR)
                        fail_msg("row %zu: %lld h, not %lld", i, (long long)(now / HOUR), (long long)rows[i].want_h);
        }
}

static void it_survives_a_reboot(void **state UNUSED)
{
        static const char *const bad[] = { "{}", "{\"now\":-1}", "{\"now\":9223372036854775807,\"hours\":1}", "{\"now\":\"1\"}", "[]" };
        struct powered_clock clock = { 0 }, loaded = { 0 };
        json_t *o;

        assert_null(powered_clock_save(&clock));
        powered_clock_step(&clock, 100, 0, 0);
        o = powered_clock_save(&clock);
        powered_clock_load(&loaded, o);
        json_decref(o);
        assert_true(powered_clock_step(&loaded, 130, 30, 30) == 130 * HOUR);
        powered_clock_step(&clock, NAN, 1, 1);
        o = powered_clock_save(&clock);
        loaded = (struct powered_clock){ 0 };
        powered_clock_load(&loaded, o);
        json_decref(o);
        assert_true(powered_clock_step(&loaded, 500, 2, 2) == 103 * HOUR);
        for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
                o = json_loads(bad[i], 0, NULL);
                loaded = (struct powered_clock){ 0 };
                powered_clock_load(&loaded, o);
                assert_false(loaded.begun);
                json_decref(o);
        }
        powered_clock_load(&loaded, NULL);
        assert_false(loaded.begun);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(counters_of_hours_are_no_clocks),
                cmocka_unit_test(it_survives_a_reboot),
        };

        return cmocka_run_group_tests_name("powered_clock", tests, NULL, NULL);
}
