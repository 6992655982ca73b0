/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_HISTORY_H
#define VEILLE_HISTORY_H

/* Drive histories, a drive and a day per line: Backblaze's daily CSV (columns found by name in the
 * header line) or one JSON object a line. The two may be mixed. Pure: the caller reads the lines.
 * What the future knows ("failure") is never read, not even to see whether it is well-formed. */

#include "disk_report.h"

#define HISTORY_LINE_MAX 65536   /* longer lines are refused */
#define HISTORY_COLUMNS_MAX 2048 /* in a CSV header */

struct history_day {
        char date[11]; /* "2016-04-02" */
        int32_t day;   /* the same as days since 1970-01-01 */
        struct disk_report report; /* serial, model and what was reported that day; disk_report_finish() was called */
};

struct history_column {
        uint8_t what; /* enum column in history_csv.c */
        uint8_t id;   /* SMART attribute */
};

/* Zero-initialise; one per input file, for a file's header says nothing about the next file. */
struct history_reader {
        size_t n_columns; /* 0: no usable CSV header seen yet */
        bool told;        /* that there is none: once is enough */
        struct history_column *columns;
};

/* Reads one line (len bytes without the newline, changed in place). Returns 1 with *ret filled in, 0 when
 * the line holds no drive-day (header, empty line), -EINVAL with a sentence when it cannot be read. Lines of
 * CSV without a usable header before them are skipped, which the first of them tells.
 * *ret is reused from line to line. */
int history_line(struct history_reader *reader, char *line, size_t len, struct history_day *ret, struct errinfo *err);

void history_reader_done(struct history_reader *reader);

/* The two forms, for history_line() only. */
int history_csv_line(struct history_reader *reader, char *line, size_t len, struct history_day *ret, struct errinfo *err);
int history_json_line(const char *line, size_t len, struct history_day *ret, struct errinfo *err);

/* Shared by the two: 0 or -EINVAL with a sentence. */
int history_set_date(struct history_day *day, const char *s, size_t len, struct errinfo *err);
int history_set_serial(struct history_day *day, const char *s, size_t len, struct errinfo *err);
void history_set_model(struct history_day *day, const char *s, size_t len);
/* Starts and ends a day: everything "not reported", then platters or flash decided and raw values decoded. */
void history_begin(struct history_day *day);
void history_finish(struct history_day *day);

#endif
