/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The calendar, the spreading and the holding back of self-tests; a year of it. */

#include <time.h>

#include "selftest_plan.h"
#include "test.h"

#define H 3600LL
#define D (24 * H)

/* 2026-01-01 00:00 UTC was a Thursday. */
#define NEW_YEAR 1767225600LL
#define BERLIN "CET-1CEST,M3.5.0,M10.5.0/3"

static void set_zone(const char *zone)
{
        setenv("TZ", zone, 1);
        tzset();
}

static int set_utc(void **state UNUSED)
{
        set_zone("UTC");
        return 0;
}

static struct selftest_calendar calendar(const char *text)
{
        struct selftest_calendar c;
        struct errinfo err = { 0 };
        size_t at;

        if (selftest_calendar_parse(text, &c, &at, &err) < 0)
                fail_msg("%s: %s", text, err.text);
        return c;
}

/* --- calendar ------------------------------------------------------------------------------------ */

static void dates(void **state UNUSED)
{
        static const struct {
                const char *text;
                int64_t now;
                unsigned n;
                int64_t want; /* -1: never */
        } rows[] = {
                { "02:30", NEW_YEAR + 3 * H, 0, NEW_YEAR + 2 * H + 1800 },
                { "daily 02:30", NEW_YEAR + 2 * H, 0, NEW_YEAR - D + 2 * H + 1800 },
                { "2:30", NEW_YEAR + 2 * H + 1800, 0, NEW_YEAR + 2 * H + 1800 },
                { "02:30", NEW_YEAR + 3 * H, 5, NEW_YEAR - 5 * D + 2 * H + 1800 },
                { "Sat 03:00", NEW_YEAR, 0, NEW_YEAR - 5 * D + 3 * H }, /* 2025-12-27 */
                { "Sat 03:00", NEW_YEAR, 1, NEW_YEAR - 12 * D + 3 * H },
                { "Mon..Fri 00:00", NEW_YEAR + 3 * D, 0, NEW_YEAR + D },
                { "Fri..Mon 00:00", NEW_YEAR, 0, NEW_YEAR - 3 * D },
                { "tue,thu 00:00", NEW_YEAR + D - 1, 0, NEW_YEAR },
                { "1 00:00", NEW_YEAR + 30 * D, 0, NEW_YEAR },
                { "1,15 00:00", NEW_YEAR + 30 * D, 0, NEW_YEAR + 14 * D },
                { "Sat 1..7 03:00", NEW_YEAR + 30 * D, 0, NEW_YEAR + 2 * D + 3 * H }, /* the first Saturday */
                { "31 00:00", NEW_YEAR + 60 * D, 0, NEW_YEAR + 30 * D },
                { "off", NEW_YEAR, 0, -1 },
                { "", NEW_YEAR, 0, -1 },
                { " \t", NEW_YEAR, 0, -1 },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct selftest_calendar c = calendar(rows[i].text);
                int64_t got = -1, next;
                int r = selftest_calendar_last(&c, rows[i].now, rows[i].n, &got);

                if ((r < 0) != (rows[i].want < 0) || got != rows[i].want)
                        fail_msg("row %zu, %s: %d, %lld", i, rows[i].text, r, (long long)got);
                /* The date after the one before a date is that date. */
                if (r == 0 && (selftest_calendar_next(&c, got - 1, &next) < 0 || next != got))
                        fail_msg("row %zu, %s: next is %lld", i, rows[i].text, (long long)next);
        }
}

static void bad_calendars_are_refused_with_the_word(void **state UNUSED)
{
        static const struct {
                const char *text;
                size_t at;
        } bad[] = {
                { "Sat", 3 },           { "Sat 3", 5 },       { "25:00", 0 },  { "3:60", 0 },    { "Sat 02:30 Sun", 10 },
                { "Foo 02:30", 0 },     { "Sat 0 02:30", 4 }, { "32 02:30", 0 }, { "Mon..5 02:30", 0 }, { "7..1 02:30", 0 },
                { "02:30:00", 0 },      { "-1:30", 0 },       { "Sat.. 02:30", 0 }, { ",", 0 },  { "Sat, 02:30", 0 },
                { "Sat..Sun..Mon 02:30", 0 }, { "12:", 0 },   { ":30", 0 },    { "1e1 02:30", 0 }, { "2:3", 0 },
                { "off 02:30", 0 },     { "4294967297 02:30", 0 }, { "1 02:+3", 2 },
        };

        for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
                struct selftest_calendar c = { .minute = 77 };
                struct errinfo err = { 0 };
                size_t at = 99;

                if (selftest_calendar_parse(bad[i].text, &c, &at, &err) >= 0 || !strchr(err.text, '\'') || at != bad[i].at)
                        fail_msg("'%s' was taken, or blamed at %zu: %s", bad[i].text, at, err.text);
                assert_int_equal(c.minute, 77);
        }
}

static void summer_time_neither_doubles_nor_skips(void **state UNUSED)
{
        struct selftest_calendar c = calendar("02:30");
        int64_t seen = 0;
        int dates_seen = 0;

        set_zone(BERLIN);
        for (int64_t t = NEW_YEAR + D; t < NEW_YEAR + 366 * D; t += 1800) {
                int64_t last, next;

                assert_int_equal(selftest_calendar_last(&c, t, 0, &last), 0);
                assert_int_equal(selftest_calendar_next(&c, t, &next), 0);
                assert_true(last <= t && t - last <= 25 * H && last >= seen);
                assert_true(next > t && next - last >= 22 * H && next - last <= 26 * H);
                dates_seen += last != seen;
                seen = last;
        }
        set_utc(NULL);
        assert_int_equal(dates_seen, 366); /* the one before the first, too */
}

/* --- plan ---------------------------------------------------------------------------------------- */

static struct selftest_settings weekly(void)
{
        return (struct selftest_settings){
                .calendar = { calendar("daily 02:00"), calendar("Sat 03:00") },
                .window_s = { 4 * H, 7 * D },
                .at_once = 8,
        };
}

static size_t plan(const struct selftest_settings *s, struct selftest_disk *disks, size_t n, int64_t now, struct selftest_start *starts)
{
        struct selftest_dates d;

        selftest_dates(s, now, &d);
        return selftest_plan(s, &d, disks, n, now, starts, 16);
}

static int64_t overdue(const struct selftest_settings *s, const struct selftest_disk *disk, enum selftest_kind kind, int64_t now)
{
        struct selftest_dates d;

        selftest_dates(s, now, &d);
        return selftest_overdue_s(s, &d, disk, kind, now);
}

/* Four disks: two arrays of two. */
static void make_disks(struct selftest_disk disks[static 4])
{
        static const char *const ids[] = { "a", "b", "c", "d" };

        for (size_t i = 0; i < 4; i++)
                disks[i] = (struct selftest_disk){ .id = ids[i], .groups = { i < 2 ? "md0" : "md1" }, .n_groups = 1, .known_s = 1 };
}

static void begin(struct selftest_disk *disks, const struct selftest_start *start, int64_t now)
{
        disks[start->disk].started_s[start->kind] = now;
        disks[start->disk].running = true;
}

static void members_of_an_array_take_turns(void **state UNUSED)
{
        struct selftest_settings s = weekly();
        struct selftest_disk disks[4];
        struct selftest_start starts[16];
        int64_t now = NEW_YEAR + D + 2 * H + 60; /* a Friday */

        make_disks(disks);
        s.calendar[SELFTEST_LONG] = calendar("off");
        assert_int_equal(plan(&s, disks, 4, now, starts), 2);
        assert_int_equal(starts[0].disk, 0);
        assert_int_equal(starts[1].disk, 2);
        assert_int_equal(starts[0].kind, SELFTEST_SHORT);
        assert_non_null(strstr(disks[1].waits, "array"));
        assert_null(disks[0].waits);
        begin(disks, &starts[0], now);
        begin(disks, &starts[1], now);
        assert_int_equal(plan(&s, disks, 4, now + 60, starts), 0);
        disks[0].running = false;
        assert_int_equal(plan(&s, disks, 4, now + 120, starts), 1);
        assert_int_equal(starts[0].disk, 1);
        /* One of the host at a time, if wanted. */
        s.at_once = 1;
        assert_int_equal(plan(&s, disks, 4, now + 120, starts), 0);
        assert_non_null(strstr(disks[1].waits, "enough"));
        disks[2].running = false;
        assert_int_equal(plan(&s, disks, 4, now + 120, starts), 1);
        /* Who knows which arrays it is in? */
        s.at_once = 8;
        make_disks(disks);
        disks[3].groups_unknown = true;
        assert_int_equal(plan(&s, disks, 4, now, starts), 2);
        begin(disks, &starts[0], now);
        begin(disks, &starts[1], now);
        make_disks(disks);
        disks[3].groups_unknown = disks[3].running = true;
        assert_int_equal(plan(&s, disks, 4, now, starts), 0);
}

static void what_holds_a_test_back(void **state UNUSED)
{
        struct selftest_settings s = weekly();
        struct selftest_disk disks[4];
        struct selftest_start starts[16];
        int64_t now = NEW_YEAR + 2 * H;

        make_disks(disks);
        s.calendar[SELFTEST_LONG] = calendar("off");
        s.slow = true;
        assert_int_equal(plan(&s, disks, 4, now, starts), 0);
        assert_string_equal(disks[0].waits, "writes are slow");
        s.slow = false;
        disks[0].held = disks[1].held = "md0 rebuilds";
        assert_int_equal(plan(&s, disks, 4, now, starts), 1);
        assert_int_equal(starts[0].disk, 2);
        assert_string_equal(disks[1].waits, "md0 rebuilds");
        disks[0].held = disks[1].held = NULL;
        /* The window is over: the next night, not the middle of the day. */
        assert_int_equal(plan(&s, disks, 4, now + 4 * H, starts), 0);
        assert_null(disks[0].waits);
        assert_int_equal(plan(&s, disks, 4, now + 4 * H - 1, starts), 2);
        /* A disk that came after the date is not made to catch up, nor are disks with a new calendar. */
        for (size_t i = 0; i < 4; i++)
                disks[i].known_s = now + 60;
        assert_int_equal(plan(&s, disks, 4, now + 120, starts), 0);
        make_disks(disks);
        s.since_s[SELFTEST_SHORT] = now + 60;
        assert_int_equal(plan(&s, disks, 4, now + 120, starts), 0);
        s.since_s[SELFTEST_SHORT] = 0;
        /* A disk that has no such test. */
        disks[0].cannot[SELFTEST_SHORT] = true;
        assert_int_equal(plan(&s, disks, 4, now + 120, starts), 2);
        assert_int_equal(starts[0].disk, 1);
        /* Nothing configured, nothing done; but what an administrator asks for is, at any time, and first. */
        make_disks(disks);
        s.calendar[SELFTEST_SHORT] = calendar("off");
        assert_int_equal(plan(&s, disks, 4, now + 120, starts), 0);
        disks[1].wanted = 1 + SELFTEST_LONG;
        assert_int_equal(plan(&s, disks, 4, now + 10 * H, starts), 1);
        assert_true(starts[0].disk == 1 && starts[0].kind == SELFTEST_LONG);
        disks[1].held = "the disk sleeps";
        assert_int_equal(plan(&s, disks, 4, now + 10 * H, starts), 0);
        assert_string_equal(disks[1].waits, "the disk sleeps");
}

static void a_long_test_stands_for_the_short_one(void **state UNUSED)
{
        struct selftest_settings s = weekly();
        struct selftest_disk disks[4];
        struct selftest_start starts[16];
        int64_t now = NEW_YEAR + 2 * D + 3 * H; /* Saturday 03:00, an hour after the short one was due */

        make_disks(disks);
        assert_int_equal(plan(&s, disks, 4, now, starts), 2);
        assert_int_equal(starts[0].kind, SELFTEST_LONG);
        assert_int_equal(starts[1].kind, SELFTEST_LONG);
        disks[0].started_s[SELFTEST_LONG] = now;
        disks[1].held = disks[2].held = disks[3].held = "not now";
        assert_int_equal(plan(&s, disks, 4, now + 60, starts), 0);
}

/* 8 TB take 14 hours: the second of a mirror begins when the first is through, not a week later. */
static void the_second_of_a_mirror_follows_the_first(void **state UNUSED)
{
        struct selftest_settings s = weekly();
        struct selftest_disk disks[4];
        struct selftest_start starts[16];
        int64_t now = NEW_YEAR + 2 * D + 3 * H;

        make_disks(disks);
        s.calendar[SELFTEST_SHORT] = calendar("off");
        assert_int_equal(plan(&s, disks, 2, now, starts), 1);
        begin(disks, &starts[0], now);
        disks[0].running = false;
        assert_int_equal(plan(&s, disks, 2, now + 14 * H, starts), 1);
        assert_int_equal(starts[0].disk, 1);
}

static void a_clock_that_jumps(void **state UNUSED)
{
        struct selftest_settings s = weekly();
        struct selftest_disk disks[4];
        struct selftest_start starts[16];
        int64_t now = NEW_YEAR + D + 2 * H;

        s.calendar[SELFTEST_LONG] = calendar("off");
        /* Set back by ten minutes after a test has begun: not once more. */
        make_disks(disks);
        disks[0].started_s[SELFTEST_SHORT] = now + 600;
        disks[1].started_s[SELFTEST_SHORT] = now + 600;
        assert_int_equal(plan(&s, disks, 2, now, starts), 0);
        /* The clock was ten years ahead when it was tested: that is no reason not to test it for ten years. */
        disks[0].started_s[SELFTEST_SHORT] = disks[0].good_s[SELFTEST_SHORT] = now + 3650 * D;
        assert_int_equal(plan(&s, disks, 2, now, starts), 1);
        assert_int_equal(starts[0].disk, 0);
        assert_true(overdue(&s, &disks[0], SELFTEST_SHORT, now + 10 * D) > 0);
        /* A dead clock: 1970. */
        make_disks(disks);
        disks[0].known_s = NEW_YEAR;
        assert_int_equal(plan(&s, disks, 1, 2 * H, starts), 0);
        assert_int_equal(overdue(&s, &disks[0], SELFTEST_SHORT, 10 * D), 0);
}

static void overdue_after_two_misses(void **state UNUSED)
{
        struct selftest_settings s = weekly();
        struct selftest_disk d = { .id = "a", .known_s = NEW_YEAR };
        int64_t sat = NEW_YEAR + 2 * D + 3 * H, over = sat + 7 * D + 7 * D + 2 * D; /* the second date, its window, the test itself */

        /* Never tested; known since Thursday. */
        assert_int_equal(overdue(&s, &d, SELFTEST_LONG, sat + 3 * D), 0);
        assert_int_equal(overdue(&s, &d, SELFTEST_LONG, over - 1), 0);
        assert_int_equal(overdue(&s, &d, SELFTEST_LONG, over), over - sat);
        d.cannot[SELFTEST_LONG] = true;
        assert_int_equal(overdue(&s, &d, SELFTEST_LONG, over), 0);
        d.cannot[SELFTEST_LONG] = false;
        s.since_s[SELFTEST_LONG] = sat + 60;
        assert_int_equal(overdue(&s, &d, SELFTEST_LONG, over), 0);
        s.since_s[SELFTEST_LONG] = 0;
        d.good_s[SELFTEST_LONG] = sat + 5 * H;
        assert_int_equal(overdue(&s, &d, SELFTEST_LONG, over), 0);
        /* A short one every night: missed twice. */
        d = (struct selftest_disk){ .id = "a", .known_s = NEW_YEAR };
        assert_int_equal(overdue(&s, &d, SELFTEST_SHORT, NEW_YEAR + D + 2 * H + 5 * H - 1), 0);
        assert_int_equal(overdue(&s, &d, SELFTEST_SHORT, NEW_YEAR + D + 2 * H + 5 * H), D + 5 * H);
        d.good_s[SELFTEST_LONG] = NEW_YEAR + 3 * H;
        assert_int_equal(overdue(&s, &d, SELFTEST_SHORT, NEW_YEAR + D + 2 * H + 5 * H), 0);
}

/* --- a year -------------------------------------------------------------------------------------- */

#define DISKS 9

struct year {
        struct selftest_settings settings;
        struct selftest_disk disks[DISKS];
        int64_t until[DISKS], before[DISKS];
        enum selftest_kind kind[DISKS];
        int started[DISKS][SELFTEST_KINDS], passed[DISKS][SELFTEST_KINDS];
        unsigned seed;
        int64_t quiet_s; /* until then a date may have been missed for a good reason */
};

/* What the world does: tests end, arrays rebuild, disks sleep, writes are slow, the host reboots (power is cut: tests end early). */
static void world(struct year *y, int64_t real, int64_t now)
{
        bool reboot = rand_r(&y->seed) % 3000 == 0;

        for (size_t i = 0; i < DISKS; i++) {
                struct selftest_disk *d = &y->disks[i];

                if (d->running && reboot) {
                        y->quiet_s = real + 5 * D;
                        d->running = false;
                        d->started_s[y->kind[i]] = y->before[i];
                } else if (d->running && real >= y->until[i]) {
                        d->running = false;
                        d->good_s[y->kind[i]] = now;
                        y->passed[i][y->kind[i]]++;
                }
                d->held = real / D % 50 == 7 && i < 6 ? "its array rebuilds" : i == 8 && rand_r(&y->seed) % 2 ? "the disk sleeps" : NULL;
        }
        y->settings.slow = rand_r(&y->seed) % 10 == 0;
}

static void begin_tests(struct year *y, int64_t real, int64_t now)
{
        struct selftest_start starts[16];
        size_t n = plan(&y->settings, y->disks, DISKS, now, starts), running = 0;

        for (size_t k = 0; k < n; k++) {
                size_t i = starts[k].disk;
                struct selftest_disk *d = &y->disks[i];

                if (d->running || d->held || y->settings.slow)
                        fail_msg("SEED=%u: disk %zu was started though it could not", y->seed, i);
                d->running = true;
                y->before[i] = d->started_s[starts[k].kind];
                d->started_s[starts[k].kind] = now;
                y->kind[i] = starts[k].kind;
                y->until[i] = real + (starts[k].kind == SELFTEST_LONG ? 10 * H : 3 * 60);
                y->started[i][starts[k].kind]++;
        }
        for (size_t i = 0; i < DISKS; i++)
                running += y->disks[i].running;
        if (running > y->settings.at_once)
                fail_msg("%zu tests at once", running);
}

static void check_arrays(const struct year *y, unsigned seed)
{
        for (size_t i = 0; i < DISKS; i++)
                for (size_t k = 0; k < i; k++)
                        for (size_t a = 0; y->disks[i].running && y->disks[k].running && a < y->disks[i].n_groups; a++)
                                for (size_t b = 0; b < y->disks[k].n_groups; b++)
                                        if (streq(y->disks[i].groups[a], y->disks[k].groups[b]))
                                                fail_msg("SEED=%u: %zu and %zu of %s test at once", seed, k, i, y->disks[i].groups[a]);
}

/* Five-minute looks through a year in Berlin: an array of four and one of three that share a disk, one disk alone, one that
 * sleeps half of the time. The clock is a day off for an hour now and then, either way. */
static void a_year_of_nights(void **state UNUSED)
{
        const char *seed_text = getenv("SEED");
        unsigned seed = seed_text ? (unsigned)strtoul(seed_text, NULL, 10) : (unsigned)time(NULL);
        static const char *const ids[DISKS] = { "0", "1", "2", "3", "4", "5", "6", "alone", "sleepy" };
        struct year y = { .settings = weekly(), .seed = seed };

        set_zone(BERLIN);
        y.settings.at_once = 3;
        y.settings.calendar[SELFTEST_LONG] = calendar("Sat 1..7 03:00");
        y.settings.window_s[SELFTEST_LONG] = 14 * D;
        for (size_t i = 0; i < DISKS; i++)
                y.disks[i] = (struct selftest_disk){ .id = ids[i], .known_s = NEW_YEAR };
        for (size_t i = 0; i < 4; i++)
                y.disks[i].groups[y.disks[i].n_groups++] = "md0";
        for (size_t i = 3; i < 6; i++)
                y.disks[i].groups[y.disks[i].n_groups++] = "md1";
        for (int64_t real = NEW_YEAR; real < NEW_YEAR + 365 * D; real += 300) {
                int64_t hour = real / H, jump = hour % 997 == 0 ? D : hour % 1013 == 0 ? -D : 0, now = real + jump;

                world(&y, real, now);
                begin_tests(&y, real, now);
                check_arrays(&y, seed);
                if (jump || (real / D % 50 >= 7 && real / D % 50 <= 10))
                        y.quiet_s = MAX(y.quiet_s, real + 3 * D);
                for (size_t i = 0; i < 8 && real > y.quiet_s; i++)
                        for (int k = 0; k < SELFTEST_KINDS; k++)
                                if (overdue(&y.settings, &y.disks[i], (enum selftest_kind)k, now))
                                        fail_msg("SEED=%u: disk %zu's %s test is overdue on day %lld", seed, i,
                                                 selftest_kind_name((enum selftest_kind)k), (long long)((real - NEW_YEAR) / D));
        }
        set_utc(NULL);
        for (size_t i = 0; i < DISKS; i++)
                if (y.passed[i][SELFTEST_LONG] < 12 || y.started[i][SELFTEST_LONG] > 12 + 6 || y.passed[i][SELFTEST_SHORT] < 320 ||
                    y.started[i][SELFTEST_SHORT] > 365 + 20)
                        fail_msg("SEED=%u: disk %zu: %d long, %d short passed; %d, %d begun", seed, i, y.passed[i][SELFTEST_LONG],
                                 y.passed[i][SELFTEST_SHORT], y.started[i][SELFTEST_LONG], y.started[i][SELFTEST_SHORT]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(dates),
                cmocka_unit_test(bad_calendars_are_refused_with_the_word),
                cmocka_unit_test(summer_time_neither_doubles_nor_skips),
                cmocka_unit_test(members_of_an_array_take_turns),
                cmocka_unit_test(what_holds_a_test_back),
                cmocka_unit_test(a_long_test_stands_for_the_short_one),
                cmocka_unit_test(the_second_of_a_mirror_follows_the_first),
                cmocka_unit_test(a_clock_that_jumps),
                cmocka_unit_test(overdue_after_two_misses),
                cmocka_unit_test(a_year_of_nights),
        };

        return cmocka_run_group_tests_name("selftest_plan", tests, set_utc, NULL);
}
