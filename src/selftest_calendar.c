/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* See selftest_calendar.h. */

#include "selftest_calendar.h"

#include <ctype.h>
#include <time.h>

#define DAY_S 86400
#define DAYS_MAX 732 /* "Sat 31" comes every few months, February 29 is not worth more */
#define TEXT_MAX 128

#define ALL_WEEKDAYS 0x7f
#define ALL_MONTHDAYS 0xfffffffe

static const char weekday_names[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };

/* "Sat" -> 6, "15" -> 15 (is_month); -EINVAL. */
static int parse_day(const char *word, bool *ret_is_month)
{
        int n = 0;

        for (int i = 0; i < 7; i++)
                if (strcasecmp(word, weekday_names[i]) == 0) {
                        *ret_is_month = false;
                        return i;
                }
        for (const char *p = word; *p; p++) {
                if (!isdigit((unsigned char)*p) || n > 31)
                        return -EINVAL;
                n = n * 10 + (*p - '0');
        }
        *ret_is_month = true;
        return n >= 1 && n <= 31 ? n : -EINVAL;
}

static void set_range(struct selftest_calendar *c, bool is_month, int from, int to)
{
        int days = is_month ? 32 : 7;

        /* "Fri..Mon" runs over the end of the week. */
        for (int d = from;; d = (d + 1) % days) {
                if (is_month)
                        c->monthdays |= 1u << d;
                else
                        c->weekdays |= (uint8_t)(1u << d);
                if (d == to)
                        return;
        }
}

/* "Sat", "Mon..Fri" */
static int parse_range(char *part, struct selftest_calendar *c)
{
        char *dots = strstr(part, "..");
        bool from_month, to_month;
        int from, to;

        if (dots)
                *dots = '\0';
        from = parse_day(part, &from_month);
        if (from < 0)
                return from;
        to = from;
        if (dots) {
                to = parse_day(dots + 2, &to_month);
                if (to < 0 || from_month != to_month || (from_month && to < from))
                        return -EINVAL;
        }
        set_range(c, from_month, from, to);
        return 0;
}

/* "Sat", "Mon..Fri", "1,15", "daily"; word is used up. */
static int parse_days(char *word, struct selftest_calendar *c)
{
        char *comma;

        if (strcasecmp(word, "daily") == 0)
                return 0;
        for (; word; word = comma ? comma + 1 : NULL) {
                comma = strchr(word, ',');
                if (comma)
                        *comma = '\0';
                if (parse_range(word, c) < 0)
                        return -EINVAL;
        }
        return 0;
}

static bool digits(const char *s, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (!isdigit((unsigned char)s[i]))
                        return false;
        return n == 1 || n == 2;
}

/* "3:05", "03:05" */
static int parse_time(const char *word, int *ret)
{
        size_t hour_len = strcspn(word, ":");
        const char *minutes = word + hour_len + 1;

        if (!digits(word, hour_len) || strlen(minutes) != 2 || !digits(minutes, 2) || atoi(word) > 23 || atoi(minutes) > 59)
                return -EINVAL;
        *ret = atoi(word) * 60 + atoi(minutes);
        return 0;
}

static int parse_word(char *word, struct selftest_calendar *c, struct errinfo *err)
{
        char copy[TEXT_MAX];

        strcpy(copy, word);
        if (c->minute >= 0)
                return err_set(err, -EINVAL, "'%s': nothing may follow the time", copy);
        if (strchr(word, ':') ? parse_time(word, &c->minute) < 0 : parse_days(word, c) < 0)
                return err_set(err, -EINVAL, "'%s' is neither days (Sat, Mon..Fri, 1,15, daily) nor a time (02:30)", copy);
        return 0;
}

int selftest_calendar_parse(const char *text, struct selftest_calendar *ret, size_t *ret_at, struct errinfo *err)
{
        struct selftest_calendar c = { .set = true, .minute = -1 };
        char copy[TEXT_MAX], *save;

        *ret_at = 0;
        if (strlen(text) >= sizeof(copy))
                return err_set(err, -EINVAL, "the calendar is longer than %d bytes", TEXT_MAX - 1);
        if (strspn(text, " \t") == strlen(text) || strcasecmp(text, "off") == 0) {
                *ret = (struct selftest_calendar){ 0 };
                return 0;
        }
        strcpy(copy, text);
        for (char *word = strtok_r(copy, " \t", &save); word; word = strtok_r(NULL, " \t", &save)) {
                *ret_at = (size_t)(word - copy);
                if (parse_word(word, &c, err) < 0)
                        return -EINVAL;
        }
        if (c.minute < 0) {
                *ret_at = strlen(text);
                return err_set(err, -EINVAL, "'%s' has no time; write for example: Sat 02:30", text);
        }
        c.weekdays = c.weekdays ? c.weekdays : ALL_WEEKDAYS;
        c.monthdays = c.monthdays ? c.monthdays : ALL_MONTHDAYS;
        *ret_at = 0;
        *ret = c;
        return 0;
}

/* The date on the day that is so many days away from today; -ENOENT when the calendar does not name that day. */
static int date_on(const struct selftest_calendar *c, const struct tm *today, int days, int64_t *ret)
{
        /* From noon: 02:30 may come twice or not at all when summer time ends or begins, but the half day before noon is
         * there once. On those two days a date before the change is an hour off. */
        struct tm day = { .tm_year = today->tm_year, .tm_mon = today->tm_mon, .tm_mday = today->tm_mday + days, .tm_hour = 12, .tm_isdst = -1 };
        time_t noon = mktime(&day);

        if (noon == (time_t)-1 || !(c->weekdays >> day.tm_wday & 1) || !(c->monthdays >> day.tm_mday & 1))
                return -ENOENT;
        *ret = noon - DAY_S / 2 + c->minute * 60;
        return 0;
}

int selftest_calendar_last(const struct selftest_calendar *calendar, int64_t now_s, unsigned n, int64_t *ret)
{
        time_t now = now_s;
        struct tm today;
        int64_t date;

        if (!calendar->set || !localtime_r(&now, &today))
                return -ENOENT;
        for (int back = 0; back < DAYS_MAX; back++)
                if (date_on(calendar, &today, -back, &date) == 0 && date <= now_s && n-- == 0) {
                        *ret = date;
                        return 0;
                }
        return -ENOENT;
}

int selftest_calendar_next(const struct selftest_calendar *calendar, int64_t now_s, int64_t *ret)
{
        time_t now = now_s;
        struct tm today;
        int64_t date;

        if (!calendar->set || !localtime_r(&now, &today))
                return -ENOENT;
        for (int ahead = 0; ahead < DAYS_MAX; ahead++)
                if (date_on(calendar, &today, ahead, &date) == 0 && date > now_s) {
                        *ret = date;
                        return 0;
                }
        return -ENOENT;
}
