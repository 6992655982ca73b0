/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_TEXTBUF_H
#define VEILLE_TEXTBUF_H

/* Text that grows: for pages and metrics that are put together piece by piece. Zero-initialise.
 * Out of memory aborts; what goes in is bounded by the callers. */

#include "macros.h"

struct textbuf {
        char *data; /* not NUL-terminated; NULL while empty */
        size_t len, size;
};

void textbuf_add(struct textbuf *b, const char *s, size_t n);
void textbuf_str(struct textbuf *b, const char *s);
void textbuf_char(struct textbuf *b, char c);
void textbuf_printf(struct textbuf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The shortest of 15 or 17 digits that reads back as the same number; NaN, +Inf, -Inf as Prometheus writes them. */
void textbuf_number(struct textbuf *b, double v);

/* For element content and quoted attributes of HTML; control characters become spaces. */
void textbuf_html(struct textbuf *b, const char *s);

void textbuf_done(struct textbuf *b);

#endif
