/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* See utf8.h. RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. */

#include "utf8.h"

/* How many bytes the character at s has; 0: none begins there; -1: the text ends within it. */
static int length_at(const uint8_t *s)
{
        static const struct {
                uint8_t first, last, second_min, second_max;
                int length;
        } rows[] = {
                { 0x01, 0x7f, 0x80, 0xbf, 1 }, { 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 },
                { 0xe1, 0xec, 0x80, 0xbf, 3 }, { 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
                { 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                if (*s < rows[i].first || *s > rows[i].last)
                        continue;
                for (int k = 1; k < rows[i].length; k++) {
                        if (!s[k])
                                return -1;
                        if (s[k] < (k == 1 ? rows[i].second_min : 0x80) || s[k] > (k == 1 ? rows[i].second_max : 0xbf))
                                return 0;
                }
                return rows[i].length;
        }
        return 0;
}

void utf8_clean(char *s)
{
        while (*s) {
                int n = length_at((const uint8_t *)s);

                if (n < 0)
                        *s = '\0';
                else if (n == 0)
                        *s++ = '?';
                else
                        s += n;
        }
}

json_t *utf8_json(const char *s)
{
        json_t *v = json_string(s);
        _cleanup_free_ char *copy = v ? NULL : strdup(s);

        if (v || !copy)
                return v;
        utf8_clean(copy);
        return json_string(copy);
}
