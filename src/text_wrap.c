/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Cutting what is printed for eyes. */

#include "text_wrap.h"

static bool continues(char c)
{
        return ((unsigned char)c & 0xc0) == 0x80;
}

size_t text_columns(const char *s)
{
        size_t n = 0;

        for (; *s; s++)
                n += !continues(*s);
        return n;
}

void text_wrap(struct textbuf *out, const char *text, size_t start, size_t indent, size_t width)
{
        size_t column = start;
        bool first = true;

        for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
                size_t len = strcspn(text, " "), columns = 0;

                for (size_t i = 0; i < len; i++)
                        columns += !continues(text[i]);
                if (!first && width && column + 1 + columns > width) {
                        textbuf_printf(out, "\n%*s", (int)indent, "");
                        column = indent;
                } else if (!first) {
                        textbuf_char(out, ' ');
                        column++;
                }
                textbuf_add(out, text, len);
                column += columns;
                text += len;
                first = false;
        }
}
