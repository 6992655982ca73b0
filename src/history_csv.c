/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Backblaze's daily CSV: date,serial_number,model,...,smart_1_normalized,smart_1_raw,... The columns changed over
 * the years and do so again, so they are found by name; unknown ones are ignored, "failure" is one of those. */

#include "history.h"

#include <math.h>

enum column {
        COLUMN_IGNORED,
        COLUMN_DATE,
        COLUMN_SERIAL,
        COLUMN_MODEL,
        COLUMN_CAPACITY,
        COLUMN_NORMALIZED,
        COLUMN_RAW,
};

static const struct {
        const char *name;
        enum column what;
} named[] = {
        { "date", COLUMN_DATE },
        { "serial_number", COLUMN_SERIAL },
        { "model", COLUMN_MODEL },
        { "capacity_bytes", COLUMN_CAPACITY },
};

/* Cuts the next field off *p (end: past the line). A field may stand in quotes, with "" for a quote. Returns false
 * at the end of the line or when a quote is not closed (*ret_bad). Not NUL-terminated. */
struct fields {
        char *p, *end;
        bool more, bad;
};

static bool next_field(struct fields *f, char **ret, size_t *ret_len)
{
        char *start = f->p, *comma;

        if (!f->more)
                return false;
        if (f->p < f->end && *f->p == '"') {
                char *out = f->p;

                *ret = out;
                for (f->p++; f->p < f->end; f->p++) {
                        if (*f->p == '"' && f->p + 1 < f->end && f->p[1] == '"')
                                f->p++;
                        else if (*f->p == '"')
                                break;
                        *out++ = *f->p;
                }
                f->bad = f->p >= f->end || (f->p + 1 < f->end && f->p[1] != ',');
                if (f->bad)
                        return false;
                *ret_len = (size_t)(out - *ret);
                comma = f->p + 1;
        } else {
                /* Most fields of a real file are empty or short: a plain loop beats memchr() here. */
                for (comma = start; comma < f->end && *comma != ','; comma++)
                        ;
                *ret = start;
                *ret_len = (size_t)(comma - start);
        }
        f->more = comma < f->end;
        f->p = comma + 1;
        return true;
}

/* smart_187_raw, smart_187_normalized; anything else is ignored. */
static struct history_column column_of(const char *s, size_t len)
{
        unsigned id = 0;
        size_t i = 6;

        for (size_t k = 0; k < ARRAY_LEN(named); k++)
                if (len == strlen(named[k].name) && memcmp(s, named[k].name, len) == 0)
                        return (struct history_column){ named[k].what, 0 };
        if (len < 6 || memcmp(s, "smart_", 6) != 0)
                return (struct history_column){ COLUMN_IGNORED, 0 };
        while (i < len && s[i] >= '0' && s[i] <= '9' && id <= UINT8_MAX)
                id = id * 10 + (unsigned)(s[i++] - '0');
        if (id == 0 || id > UINT8_MAX)
                return (struct history_column){ COLUMN_IGNORED, 0 };
        if (len - i == 4 && memcmp(s + i, "_raw", 4) == 0)
                return (struct history_column){ COLUMN_RAW, (uint8_t)id };
        if (len - i == 11 && memcmp(s + i, "_normalized", 11) == 0)
                return (struct history_column){ COLUMN_NORMALIZED, (uint8_t)id };
        return (struct history_column){ COLUMN_IGNORED, 0 };
}

static bool is_header(char *line, size_t len)
{
        struct fields f = { line, line + len, true, false };
        char *s;
        size_t n;

        /* A data line begins with a digit in every file seen; where it does not, the fields are looked at. */
        if (len > 0 && *line >= '0' && *line <= '9')
                return false;
        while (next_field(&f, &s, &n))
                if (n == 13 && memcmp(s, "serial_number", n) == 0)
                        return true;
        return false;
}

static int read_header(struct history_reader *reader, char *line, size_t len, struct errinfo *err)
{
        struct fields f = { line, line + len, true, false };
        bool seen[COLUMN_RAW + 1] = {};
        char *s;
        size_t n;

        reader->n_columns = 0;
        reader->told = true; /* if it turns out unusable, by what is said here */
        if (!reader->columns)
                reader->columns = calloc(HISTORY_COLUMNS_MAX, sizeof(*reader->columns));
        if (!reader->columns)
                return err_set(err, -ENOMEM, "out of memory");
        for (size_t i = 0; next_field(&f, &s, &n); i++) {
                if (i == HISTORY_COLUMNS_MAX) {
                        reader->n_columns = 0;
                        return err_set(err, -EINVAL, "the header has more than %d columns; what follows it is skipped",
                                       HISTORY_COLUMNS_MAX);
                }
                reader->columns[i] = column_of(s, n);
                seen[reader->columns[i].what] = true;
                reader->n_columns = i + 1;
        }
        if (!seen[COLUMN_DATE] || f.bad) {
                reader->n_columns = 0;
                return err_set(err, -EINVAL, "%s; what follows it is skipped",
                               f.bad ? "a quote in the header is not closed" : "the header has no column 'date'");
        }
        return 0;
}

/* Whole numbers; "8.0" too, as data frames write them. */
static bool parse_number(const char *s, size_t len, uint64_t *ret)
{
        uint64_t v = 0;
        size_t i = 0;

        for (; i < len && s[i] >= '0' && s[i] <= '9'; i++) {
                if (v > (UINT64_MAX - 9) / 10)
                        return false;
                v = v * 10 + (uint64_t)(s[i] - '0');
        }
        if (i == 0)
                return false;
        if (i < len && s[i] == '.')
                for (i++; i < len && s[i] == '0'; i++)
                        ;
        if (i < len)
                return false;
        *ret = v;
        return true;
}

static int set_attribute(struct history_day *day, struct history_column column, const char *s, size_t len,
                         struct errinfo *err)
{
        struct disk_report *report = &day->report;
        const struct disk_attribute *there = NULL;
        struct disk_attribute *a;
        uint64_t number;

        if (!parse_number(s, len, &number))
                return err_set(err, -EINVAL, "smart_%d_%s: '%.*s' is no whole number", column.id,
                               column.what == COLUMN_RAW ? "raw" : "normalized", (int)MIN(len, 32), s);
        /* The two columns of an attribute stand side by side in every real file. */
        if (report->n_attributes > 0 && report->attributes[report->n_attributes - 1].id == column.id)
                there = &report->attributes[report->n_attributes - 1];
        else
                there = disk_report_attribute(report, column.id);
        a = there ? (struct disk_attribute *)there
                  : disk_report_add_attribute(report, column.id, NULL, 0, DISK_ATTRIBUTE_ABSENT, DISK_ATTRIBUTE_ABSENT,
                                              DISK_ATTRIBUTE_ABSENT);
        if (!a)
                return err_set(err, -EINVAL, "more than %d attributes are reported", DISK_ATTRIBUTES_MAX);
        if (column.what == COLUMN_RAW) {
                a->raw = number;
                a->has_raw = true;
        } else {
                a->value = (int16_t)MIN(number, UINT8_MAX);
        }
        return 0;
}

static int set_field(struct history_day *day, struct history_column column, const char *s, size_t len, struct errinfo *err)
{
        uint64_t number;

        switch (column.what) {
        case COLUMN_DATE:
                return history_set_date(day, s, len, err);
        case COLUMN_SERIAL:
                return history_set_serial(day, s, len, err);
        case COLUMN_MODEL:
                history_set_model(day, s, len);
                return 0;
        case COLUMN_CAPACITY:
                /* Backblaze writes -1 where it does not know; nothing is judged by it. */
                if (parse_number(s, len, &number))
                        day->report.capacity_bytes = (double)number;
                return 0;
        case COLUMN_NORMALIZED:
        case COLUMN_RAW:
                return set_attribute(day, column, s, len, err);
        default:
                return 0;
        }
}

int history_csv_line(struct history_reader *reader, char *line, size_t len, struct history_day *ret, struct errinfo *err)
{
        struct fields f = { line, line + len, true, false };
        size_t i = 0, n;
        char *s;
        int r;

        if (is_header(line, len))
                return read_header(reader, line, len, err);
        if (reader->n_columns == 0) {
                if (reader->told)
                        return 0;
                reader->told = true;
                return err_set(err, -EINVAL, "no header line with 'date' and 'serial_number' before this line; "
                                             "all lines up to one are skipped");
        }
        history_begin(ret);
        for (; next_field(&f, &s, &n); i++) {
                if (i == reader->n_columns)
                        return err_set(err, -EINVAL, "more fields than the %zu columns of the header", reader->n_columns);
                if (reader->columns[i].what == COLUMN_IGNORED ||
                    (n == 0 && reader->columns[i].what != COLUMN_DATE && reader->columns[i].what != COLUMN_SERIAL))
                        continue;
                r = set_field(ret, reader->columns[i], s, n, err);
                if (r < 0)
                        return r;
        }
        if (f.bad)
                return err_set(err, -EINVAL, "a quote in field %zu is not closed", i + 1);
        if (i < reader->n_columns)
                return err_set(err, -EINVAL, "%zu fields, but the header has %zu columns: cut off?", i, reader->n_columns);
        history_finish(ret);
        return 1;
}
