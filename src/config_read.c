/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The line reader of the configuration: comments (# and ;), continuation by a backslash at the end as in
 * systemd.syntax(7) (it becomes a space; comment lines in between are skipped), UTF-8 with or without a byte
 * order mark, LF or CRLF. Indentation means nothing. Called by config_load.c for every file. */

#include "config_read.h"

#include "clean_text.h"

#define PIECES_MAX 1024
#define SHOWN_MAX 160  /* columns of a line that an error shows */
#define SHOWN_BEFORE 60

void *config_alloc(void *old, size_t n, size_t size)
{
        void *p = reallocarray(old, n, size);

        if (!p)
                abort();
        return p;
}

char *config_copy(const char *text, size_t len)
{
        char *copy = config_alloc(NULL, len + 1, 1);

        memcpy(copy, text, len);
        copy[len] = '\0';
        return copy;
}

static void add_text(struct config_errors *errors, char *text)
{
        if (errors->n > CONFIG_ERRORS_MAX) {
                free(text);
                return;
        }
        errors->text = config_alloc(errors->text, errors->n + 1, sizeof(*errors->text));
        if (errors->n == CONFIG_ERRORS_MAX) {
                static const char more[] = "(more errors are not shown)";

                free(text);
                text = config_copy(more, sizeof(more) - 1);
        }
        errors->text[errors->n++] = text;
}

void config_errors_add(struct config_errors *errors, const char *fmt, ...)
{
        va_list ap;
        char *text;

        va_start(ap, fmt);
        if (vasprintf(&text, fmt, ap) < 0)
                abort();
        va_end(ap);
        add_text(errors, text);
}

void config_errors_done(struct config_errors *errors)
{
        for (size_t i = 0; i < errors->n; i++)
                free(errors->text[i]);
        free(errors->text);
        *errors = (struct config_errors){ 0 };
}

/* --- UTF-8 --------------------------------------------------------------------------------------- */

static bool is_first_byte(char c)
{
        return ((unsigned char)c & 0xc0) != 0x80;
}

/* --- errors with a place ----------------------------------------------------------------------------- */

/* The line as a terminal may show it, cut to what is around the place, and the caret below it. */
static void show_line(FILE *f, const char *text, size_t len, size_t at)
{
        size_t from = 0, to = len, n = 0;

        at = MIN(at, len);
        if (len > SHOWN_MAX) {
                from = at > SHOWN_BEFORE ? at - SHOWN_BEFORE : 0;
                to = MIN(len, from + SHOWN_MAX);
                while (from > 0 && !is_first_byte(text[from]))
                        from--;
                while (to < len && !is_first_byte(text[to]))
                        to++;
        }
        fputs("\n    ", f);
        if (from > 0)
                fputs("...", f);
        for (size_t i = from; i < to; i += n) {
                n = utf8_len((const unsigned char *)text + i, len - i);
                if (n == 0 || (n == 1 && ((unsigned char)text[i] < ' ' || text[i] == 0x7f) && text[i] != '\t')) {
                        fputc('?', f);
                        n = 1;
                } else {
                        fwrite(text + i, 1, n, f);
                }
        }
        if (to < len)
                fputs("...", f);
        fputs("\n    ", f);
        if (from > 0)
                fputs("   ", f);
        for (size_t i = from; i < at; i += n) {
                n = MAX((size_t)1, utf8_len((const unsigned char *)text + i, len - i));
                fputc(text[i] == '\t' ? '\t' : ' ', f);
        }
        fputc('^', f);
}

static void add_placed(struct config_reader *r, unsigned number, const char *text, size_t len, size_t at,
                       const char *fmt, va_list ap) PRINTF_LIKE(6, 0);
static void add_placed(struct config_reader *r, unsigned number, const char *text, size_t len, size_t at,
                       const char *fmt, va_list ap)
{
        size_t column = 1, size, n;
        char *message = NULL;
        FILE *f;

        if (r->errors->n > CONFIG_ERRORS_MAX)
                return;
        for (size_t i = 0; i < at && i < len; i += n) {
                n = MAX((size_t)1, utf8_len((const unsigned char *)text + i, len - i));
                column++;
        }
        f = open_memstream(&message, &size);
        if (!f)
                abort();
        fprintf(f, "%s:%u:%zu: ", r->file, number, column);
        vfprintf(f, fmt, ap);
        show_line(f, text, len, at);
        if (fclose(f) != 0)
                abort();
        add_text(r->errors, message);
}

static void raw_error(struct config_reader *r, const char *text, size_t len, size_t at, const char *fmt, ...)
        PRINTF_LIKE(5, 6);
static void raw_error(struct config_reader *r, const char *text, size_t len, size_t at, const char *fmt, ...)
{
        va_list ap;

        va_start(ap, fmt);
        add_placed(r, r->number, text, len, at, fmt, ap);
        va_end(ap);
}

static const struct config_piece *piece_of(const struct config_reader *r, size_t offset)
{
        size_t i = r->n_pieces - 1;

        while (i > 0 && r->pieces[i].start > offset)
                i--;
        return &r->pieces[i];
}

unsigned config_reader_line_number(const struct config_reader *r, size_t offset)
{
        return piece_of(r, offset)->number;
}

void config_reader_error(struct config_reader *r, size_t offset, const char *fmt, ...)
{
        const struct config_piece *piece = piece_of(r, offset);
        va_list ap;

        va_start(ap, fmt);
        add_placed(r, piece->number, piece->text, piece->len, offset - piece->start + piece->skipped, fmt, ap);
        va_end(ap);
}

/* --- lines ----------------------------------------------------------------------------------------- */

void config_reader_init(struct config_reader *r, const char *file, const char *text, size_t len, struct config_errors *errors)
{
        *r = (struct config_reader){ .file = file, .text = text, .len = len, .errors = errors };
        if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
                r->at = 3;
}

void config_reader_done(struct config_reader *r)
{
        free(r->line);
        free(r->pieces);
        *r = (struct config_reader){ 0 };
}

/* The next line of the file, without its end. */
static bool next_raw(struct config_reader *r, const char **ret_text, size_t *ret_len)
{
        const char *start = r->text + r->at, *end;

        if (r->at >= r->len)
                return false;
        end = memchr(start, '\n', r->len - r->at);
        r->at = end ? (size_t)(end - r->text) + 1 : r->len;
        if (!end)
                end = r->text + r->len;
        if (end > start && end[-1] == '\r')
                end--;
        r->number++;
        *ret_text = start;
        *ret_len = (size_t)(end - start);
        return true;
}

static bool raw_is_good(struct config_reader *r, const char *text, size_t len)
{
        size_t n;

        if (len > CONFIG_LINE_MAX) {
                raw_error(r, text, len, CONFIG_LINE_MAX, "this line has %zu bytes, at most %d are allowed; a backslash at its end continues it in the next",
                          len, CONFIG_LINE_MAX);
                return false;
        }
        for (size_t i = 0; i < len; i += n) {
                n = utf8_len((const unsigned char *)text + i, len - i);
                if (n == 0) {
                        raw_error(r, text, len, i, "byte 0x%02x is not UTF-8; is the file saved in another encoding?",
                                  (unsigned char)text[i]);
                        return false;
                }
                if (n == 1 && (((unsigned char)text[i] < ' ' && text[i] != '\t') || text[i] == 0x7f)) {
                        raw_error(r, text, len, i, text[i] ? "control character 0x%02x" : "NUL byte (0x%02x); is this a text file?",
                                  (unsigned char)text[i]);
                        return false;
                }
        }
        return true;
}

static bool is_white(char c)
{
        return c == ' ' || c == '\t';
}

static void append(struct config_reader *r, const char *text, size_t len, size_t skipped, size_t take)
{
        if (r->line_len + take + 2 > r->line_size) {
                r->line_size = MAX(r->line_size * 2, r->line_len + take + 2);
                r->line = config_alloc(r->line, r->line_size, 1);
        }
        if (r->n_pieces == r->pieces_size) {
                r->pieces_size = r->pieces_size ? r->pieces_size * 2 : 4;
                r->pieces = config_alloc(r->pieces, r->pieces_size, sizeof(*r->pieces));
        }
        r->pieces[r->n_pieces++] = (struct config_piece){
                .start = r->line_len, .text = text, .len = len, .skipped = skipped, .number = r->number,
        };
        memcpy(r->line + r->line_len, text + skipped, take);
        r->line_len += take;
        r->line[r->line_len] = '\0';
}

static void trim_end(struct config_reader *r)
{
        while (r->line_len > 0 && is_white(r->line[r->line_len - 1]))
                r->line[--r->line_len] = '\0';
}

/* An odd number of backslashes at the end: the last one continues the line. */
static bool continues(const char *text, size_t len)
{
        size_t n = 0;

        while (n < len && text[len - 1 - n] == '\\')
                n++;
        return n % 2 == 1;
}

bool config_reader_next(struct config_reader *r)
{
        bool open = false, bad = false;
        const char *text;
        size_t len;

        r->line_len = 0;
        r->n_pieces = 0;
        while (next_raw(r, &text, &len)) {
                size_t skip = 0, end = len;

                while (skip < len && is_white(text[skip]))
                        skip++;
                if (!raw_is_good(r, text, len)) {
                        bad = open = continues(text, len); /* what it belongs to is not what was meant */
                        r->line_len = r->n_pieces = 0;
                        continue;
                }
                if (skip < len && (text[skip] == '#' || text[skip] == ';'))
                        continue;
                if (skip == len && !open)
                        continue;
                open = continues(text, len);
                if (open)
                        end--;
                if (bad) {
                        bad = open;
                        r->line_len = r->n_pieces = 0;
                        continue;
                }
                if (r->n_pieces >= PIECES_MAX || r->line_len + len > CONFIG_JOINED_MAX) {
                        raw_error(r, text, len, skip, "the continued line is longer than %d bytes or %d lines here; is a backslash too many at a line's end?",
                                  CONFIG_JOINED_MAX, PIECES_MAX);
                        bad = open;
                        r->line_len = r->n_pieces = 0;
                        continue;
                }
                append(r, text, len, MIN(skip, end), end - MIN(skip, end));
                if (open) {
                        r->line[r->line_len++] = ' ';
                        r->line[r->line_len] = '\0';
                        continue;
                }
                trim_end(r);
                if (r->line_len > 0)
                        return true;
                r->n_pieces = 0;
        }
        if (bad || r->n_pieces == 0)
                return false;
        trim_end(r);
        return r->line_len > 0;
}
