/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* What both forms of drive history share: which form a line has, dates, names, platters or flash. */

#include "history.h"

int history_line(struct history_reader *reader, char *line, size_t len, struct history_day *ret, struct errinfo *err)
{
        size_t i = 0;

        if (len > 0 && line[len - 1] == '\r')
                len--;
        if (len >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0)
                i = 3; /* a byte order mark, from a spreadsheet */
        while (i < len && (line[i] == ' ' || line[i] == '\t'))
                i++;
        if (i == len)
                return 0;
        if (len > HISTORY_LINE_MAX)
                return err_set(err, -EINVAL, "the line is longer than %d bytes", HISTORY_LINE_MAX);
        if (memchr(line, '\0', len))
                return err_set(err, -EINVAL, "the line holds a NUL byte");
        if (line[i] == '{')
                return history_json_line(line + i, len - i, ret, err);
        return history_csv_line(reader, line + i, len - i, ret, err);
}

void history_reader_done(struct history_reader *reader)
{
        free(reader->columns);
        *reader = (struct history_reader){};
}

static int two_digits(const char *s)
{
        if (s[0] < '0' || s[0] > '9' || s[1] < '0' || s[1] > '9')
                return -1;
        return (s[0] - '0') * 10 + (s[1] - '0');
}

/* Days since 1970-01-01 of a date of the Gregorian calendar (Howard Hinnant's algorithm: years begin in March,
 * so that the leap day is the last one). */
static int32_t day_number(int year, int month, int day)
{
        int y = year - (month <= 2), era = (y < 0 ? y - 399 : y) / 400, of_era = y - era * 400;
        int of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

        return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int days_in_month(int year, int month)
{
        static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
        bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

        return days[month - 1] + (month == 2 && leap);
}

int history_set_date(struct history_day *day, const char *s, size_t len, struct errinfo *err)
{
        int century, year, month, d;

        if (len != 10 || s[4] != '-' || s[7] != '-')
                return err_set(err, -EINVAL, "'%.*s' is no date like 2016-04-02", (int)MIN(len, 32), s);
        century = two_digits(s);
        year = two_digits(s + 2);
        month = two_digits(s + 5);
        d = two_digits(s + 8);
        if (century < 0 || year < 0 || month < 1 || month > 12 || d < 1 || d > days_in_month(century * 100 + year, month))
                return err_set(err, -EINVAL, "'%.*s' is no date of the calendar", (int)len, s);
        memcpy(day->date, s, len);
        day->date[len] = '\0';
        day->day = day_number(century * 100 + year, month, d);
        return 0;
}

/* Printable ASCII: what ATA and NVMe allow in a serial number. So it may go to a terminal and into JSON. */
int history_set_serial(struct history_day *day, const char *s, size_t len, struct errinfo *err)
{
        if (len == 0)
                return err_set(err, -EINVAL, "the serial number is empty");
        if (len >= sizeof(day->report.serial))
                return err_set(err, -EINVAL, "the serial number has %zu characters, more than %zu", len,
                               sizeof(day->report.serial) - 1);
        for (size_t i = 0; i < len; i++)
                if (s[i] < ' ' || s[i] > '~')
                        return err_set(err, -EINVAL, "the serial number holds a byte 0x%02x", (unsigned char)s[i]);
        memcpy(day->report.serial, s, len);
        day->report.serial[len] = '\0';
        return 0;
}

void history_set_model(struct history_day *day, const char *s, size_t len)
{
        len = MIN(len, sizeof(day->report.model) - 1);
        memcpy(day->report.model, s, len);
        day->report.model[len] = '\0';
}

void history_begin(struct history_day *day)
{
        disk_report_init(&day->report);
        day->date[0] = '\0';
        strcpy(day->report.source, "history");
}

/* A history does not say how fast the platters turn. Attributes that only moving parts have (spin-up time, seek
 * errors, spin retries, load cycles) against those that only flash has (program and erase counts, wear). */
static void guess_medium(struct disk_report *report)
{
        bool moving = false, flash = false;

        for (size_t i = 0; i < report->n_attributes; i++) {
                unsigned id = report->attributes[i].id;

                moving |= id == 3 || id == 7 || id == 8 || id == 10 || id == 11 || id == 193;
                flash |= (id >= 170 && id <= 182) || id == 202 || (id >= 230 && id <= 233) || id == 244 || id == 245;
        }
        if (flash && !moving)
                report->rotation_rpm = 0;
}

void history_finish(struct history_day *day)
{
        struct disk_report *report = &day->report;

        if (report->protocol == DISK_PROTOCOL_UNKNOWN)
                report->protocol = DISK_ATA;
        if (report->protocol == DISK_ATA)
                guess_medium(report);
        disk_report_finish(report);
}
