/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

#include "suggest.h"

#include <ctype.h>

#define WORD_MAX 63

static bool same(char a, char b)
{
        return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Optimal string alignment: three rows of the usual table are enough. */
size_t edit_distance(const char *a, const char *b)
{
        size_t rows[3][WORD_MAX + 1], n = strlen(a), m = strlen(b);

        if (n > WORD_MAX || m > WORD_MAX)
                return SIZE_MAX;
        for (size_t j = 0; j <= m; j++)
                rows[0][j] = j;
        for (size_t i = 1; i <= n; i++) {
                size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];

                row[0] = i;
                for (size_t j = 1; j <= m; j++) {
                        size_t change = above[j - 1] + !same(a[i - 1], b[j - 1]);

                        row[j] = MIN(MIN(above[j], row[j - 1]) + 1, change);
                        if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]))
                                row[j] = MIN(row[j], two_above[j - 2] + 1);
                }
        }
        return rows[n % 3][m];
}

static bool is_beginning(const char *a, const char *b)
{
        size_t len = MIN(strlen(a), strlen(b));

        if (len < 3)
                return false;
        for (size_t i = 0; i < len; i++)
                if (!same(a[i], b[i]))
                        return false;
        return true;
}

const char *suggest(const char *typed, const char *const *words, size_t n)
{
        const char *best = NULL;
        size_t best_distance = SIZE_MAX;

        for (size_t i = 0; i < n; i++) {
                size_t d = edit_distance(typed, words[i]);
                size_t allowed = MAX(1, strlen(words[i]) / 3);

                if ((d <= allowed && d < strlen(words[i])) || is_beginning(typed, words[i])) {
                        if (d < best_distance) {
                                best = words[i];
                                best_distance = d;
                        }
                }
        }
        return best;
}
