/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_CONFIG_READ_H
#define VEILLE_CONFIG_READ_H

/* Inside of config: from the bytes of one file to logical lines, and from a place in such a line back to
 * the line and column that a person sees. */

#include <stdarg.h>

#include "config.h"

#define CONFIG_FILE_MAX (1024 * 1024)
#define CONFIG_FILES_MAX 256
#define CONFIG_LINE_MAX 4096         /* bytes of one line of a file */
#define CONFIG_JOINED_MAX (64 * 1024) /* bytes of one line continued by backslashes */
#define CONFIG_ERRORS_MAX 100        /* more are only counted */

/* One line of the file, as far as it went into the logical line. */
struct config_piece {
        size_t start;     /* where in the logical line it begins */
        const char *text; /* the whole line of the file */
        size_t len;
        size_t skipped;   /* white space cut off its front */
        unsigned number;  /* from 1 */
};

struct config_reader {
        const char *file; /* for messages */
        const char *text;
        size_t len, at;
        unsigned number; /* of the line read last */
        struct config_errors *errors;
        char *line;      /* the logical line: no white space around it, no NUL inside, NUL-terminated */
        size_t line_len, line_size;
        struct config_piece *pieces;
        size_t n_pieces, pieces_size;
};

void config_reader_init(struct config_reader *r, const char *file, const char *text, size_t len, struct config_errors *errors);
void config_reader_done(struct config_reader *r);

/* The next line that is not empty and no comment: true, r->line is valid until the next call. What cannot be a
 * line (NUL, not UTF-8, too long) is reported and skipped. */
bool config_reader_next(struct config_reader *r);

/* The number of the file's line in which the logical line has this offset. */
unsigned config_reader_line_number(const struct config_reader *r, size_t offset);

/* Adds "FILE:LINE:COL: sentence", the line and a caret to the errors. */
void config_reader_error(struct config_reader *r, size_t offset, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Adds one error without a place: "FILE: sentence". */
void config_errors_add(struct config_errors *errors, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Out of memory: the brain's rule is to abort and be restarted; nothing here can go on without its memory. */
void *config_alloc(void *old, size_t n, size_t size);
char *config_copy(const char *text, size_t len);

#endif
