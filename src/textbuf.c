/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Growing text. Doubles its space, so that building a page of n bytes copies O(n). */

#include "textbuf.h"

#include <math.h>
#include <stdarg.h>

static void reserve(struct textbuf *b, size_t n)
{
        size_t size = b->size ? b->size : 4096;

        if (b->len + n <= b->size)
                return;
        while (size < b->len + n)
                size *= 2;
        b->data = realloc(b->data, size);
        if (!b->data)
                abort();
        b->size = size;
}

void textbuf_add(struct textbuf *b, const char *s, size_t n)
{
        if (n == 0)
                return;
        reserve(b, n);
        memcpy(b->data + b->len, s, n);
        b->len += n;
}

void textbuf_str(struct textbuf *b, const char *s)
{
        textbuf_add(b, s, strlen(s));
}

void textbuf_char(struct textbuf *b, char c)
{
        textbuf_add(b, &c, 1);
}

void textbuf_printf(struct textbuf *b, const char *fmt, ...)
{
        va_list ap, again;
        int n;

        va_start(ap, fmt);
        va_copy(again, ap);
        n = vsnprintf(NULL, 0, fmt, ap);
        va_end(ap);
        if (n > 0) {
                reserve(b, (size_t)n + 1);
                vsnprintf(b->data + b->len, (size_t)n + 1, fmt, again);
                b->len += (size_t)n;
        }
        va_end(again);
}

/* Most values are whole numbers: printed by hand, for a page of metrics has thousands. */
static void add_integer(struct textbuf *b, int64_t v)
{
        char digits[24];
        size_t i = sizeof(digits);
        bool negative = v < 0;

        if (negative)
                v = -v;
        do {
                digits[--i] = (char)('0' + v % 10);
                v /= 10;
        } while (v);
        if (negative)
                digits[--i] = '-';
        textbuf_add(b, digits + i, sizeof(digits) - i);
}

void textbuf_number(struct textbuf *b, double v)
{
        char text[40];

        if (isnan(v)) {
                textbuf_str(b, "NaN");
        } else if (isinf(v)) {
                textbuf_str(b, v > 0 ? "+Inf" : "-Inf");
        } else if (fabs(v) < 1e15 && v == floor(v)) {
                add_integer(b, (int64_t)v);
        } else {
                snprintf(text, sizeof(text), "%.15g", v);
                if (strtod(text, NULL) != v)
                        snprintf(text, sizeof(text), "%.17g", v);
                textbuf_str(b, text);
        }
}

void textbuf_html(struct textbuf *b, const char *s)
{
        static const struct {
                char c;
                const char *entity;
        } entities[] = { { '&', "&amp;" }, { '<', "&lt;" }, { '>', "&gt;" }, { '"', "&quot;" }, { '\'', "&#39;" } };

        for (; *s; s++) {
                const char *entity = NULL;

                for (size_t i = 0; i < ARRAY_LEN(entities); i++)
                        if (*s == entities[i].c)
                                entity = entities[i].entity;
                if (entity)
                        textbuf_str(b, entity);
                else
                        textbuf_char(b, (unsigned char)*s < ' ' || *s == 0x7f ? ' ' : *s);
        }
}

void textbuf_done(struct textbuf *b)
{
        free(b->data);
        *b = (struct textbuf){ 0 };
}
