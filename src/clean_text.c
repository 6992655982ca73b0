/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

#include "clean_text.h"

#include "macros.h"

size_t utf8_len(const unsigned char *s, size_t len)
{
        size_t n = *s < 0x80 ? 1 : *s >= 0xc2 && *s < 0xe0 ? 2 : *s >= 0xe0 && *s < 0xf0 ? 3 : *s >= 0xf0 && *s < 0xf5 ? 4 : 0;

        if (n > len)
                return 0;
        for (size_t i = 1; i < n; i++)
                if ((s[i] & 0xc0) != 0x80)
                        return 0;
        /* Overlong forms, surrogates, beyond U+10FFFF. */
        if ((*s == 0xe0 && s[1] < 0xa0) || (*s == 0xed && s[1] >= 0xa0) || (*s == 0xf0 && s[1] < 0x90) || (*s == 0xf4 && s[1] >= 0x90))
                return 0;
        return n;
}

static bool is_control(const unsigned char *s)
{
        return *s < ' ' || *s == 0x7f || (s[0] == 0xc2 && s[1] < 0xa0); /* C1: U+009B is ESC [ in one */
}

void clean_text(char *s)
{
        for (size_t left = strlen(s), n; left > 0; s += n, left -= n) {
                n = utf8_len((const unsigned char *)s, left);
                if (n == 0)
                        memset(s, '?', n = 1);
                else if (is_control((const unsigned char *)s))
                        memset(s, ' ', n);
        }
}

/* Strings of JSON are UTF-8. */
static bool is_clean(const char *s)
{
        for (; *s; s++)
                if (is_control((const unsigned char *)s))
                        return false;
        return true;
}

static void clean_string(json_t *v)
{
        char *copy;

        if (is_clean(json_string_value(v)))
                return;
        copy = strdup(json_string_value(v));
        if (!copy)
                abort();
        clean_text(copy);
        if (json_string_set(v, copy) < 0)
                abort();
        free(copy);
}

void clean_json(json_t *doc)
{
        const char *key;
        json_t *v;
        void *next;
        size_t i;

        if (json_is_string(doc))
                clean_string(doc);
        json_array_foreach(doc, i, v)
                clean_json(v);
        json_object_foreach_safe(doc, next, key, v)
                if (is_clean(key))
                        clean_json(v);
                else
                        json_object_del(doc, key);
}
