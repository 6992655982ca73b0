/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_DOCS_ROFF_H
#define VEILLE_DOCS_ROFF_H

/* For the generators of man pages: text that roff takes for nothing but text. */

#include <stdio.h>

static inline void roff(FILE *f, const char *text)
{
        if (*text == '.' || *text == '\'')
                fputs("\\&", f);
        for (; *text; text++)
                switch (*text) {
                case '\\':
                        fputs("\\e", f);
                        break;
                case '-':
                        fputs("\\-", f);
                        break;
                case '\n':
                        fputc(' ', f);
                        break;
                case '"':
                        fputs("\\(dq", f);
                        break;
                default:
                        fputc(*text, f);
                }
}

/* A sentence a line, as roff wants it. */
static inline void roff_sentences(FILE *f, const char *text)
{
        char sentence[4096];
        size_t n = 0;

        for (;; text++) {
                if (*text)
                        sentence[n++] = *text;
                if (!*text || n + 1 == sizeof(sentence) || ((*text == '.' || *text == ':') && text[1] == ' ' && n > 4)) {
                        sentence[n] = '\0';
                        roff(f, sentence);
                        fputc('\n', f);
                        n = 0;
                        while (*text && text[1] == ' ')
                                text++;
                        if (!*text || !text[1])
                                return;
                }
        }
}

#endif
