/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Walks the outer object and the list itself; everything inside is Jansson's. */

#include "json_each.h"

struct walk {
        const char *text;
        size_t len, pos;
        struct errinfo *err;
};

static char peek(struct walk *w)
{
        while (w->pos < w->len && strchr(" \t\r\n", w->text[w->pos]) && w->text[w->pos])
                w->pos++;
        return w->pos < w->len ? w->text[w->pos] : '\0';
}

static int expect(struct walk *w, char c)
{
        if (peek(w) != c)
                return err_set(w->err, -EINVAL, "byte %zu: expected '%c'", w->pos, c);
        w->pos++;
        return 0;
}

static int value(struct walk *w, json_t **ret)
{
        json_error_t error;
        json_t *v;

        peek(w);
        v = json_loadb(w->text + w->pos, w->len - w->pos, JSON_DECODE_ANY | JSON_DISABLE_EOF_CHECK | JSON_REJECT_DUPLICATES, &error);
        if (!v)
                return err_set(w->err, -EINVAL, "byte %zu: %s", w->pos + (size_t)MAX(error.position, 0), error.text);
        w->pos += (size_t)error.position;
        *ret = v;
        return 0;
}

static int elements(struct walk *w, int (*fn)(void *data, const json_t *element), void *data)
{
        int r = expect(w, '[');

        if (r < 0 || peek(w) == ']')
                return r < 0 ? r : expect(w, ']');
        for (;;) {
                json_t *v = NULL;

                r = value(w, &v);
                if (r < 0)
                        return r;
                r = fn(data, v);
                json_decref(v);
                if (r < 0)
                        return r;
                if (peek(w) != ',')
                        return expect(w, ']');
                w->pos++;
        }
}

static int member(struct walk *w, const char *list, int (*fn)(void *data, const json_t *element), void *data, json_t *rest,
                  bool *seen)
{
        json_t *key = NULL, *v = NULL;
        int r;

        if (peek(w) != '"')
                return err_set(w->err, -EINVAL, "byte %zu: expected a name", w->pos);
        r = value(w, &key);
        if (r < 0)
                return r;
        r = expect(w, ':');
        if (r >= 0 && streq(json_string_value(key), list)) {
                r = *seen ? err_set(w->err, -EINVAL, "\"%s\" is there twice", list) : elements(w, fn, data);
                *seen = true;
        } else if (r >= 0) {
                r = value(w, &v);
                if (r >= 0)
                        json_object_set_new(rest, json_string_value(key), v);
        }
        json_decref(key);
        return r;
}

int json_each(const char *text, size_t len, const char *list, int (*fn)(void *data, const json_t *element), void *data,
              json_t **ret_rest, struct errinfo *err)
{
        struct walk w = { .text = text, .len = len, .err = err };
        json_t *rest = json_object();
        bool seen = false;
        int r = expect(&w, '{');

        while (r >= 0) {
                r = member(&w, list, fn, data, rest, &seen);
                if (r < 0 || peek(&w) != ',')
                        break;
                w.pos++;
        }
        if (r >= 0)
                r = expect(&w, '}');
        if (r >= 0 && (peek(&w) || w.pos < w.len))
                r = err_set(err, -EINVAL, "byte %zu: text after the end", w.pos);
        if (r >= 0 && !seen)
                r = err_set(err, -EINVAL, "\"%s\" is missing", list);
        if (r < 0 || !ret_rest)
                json_decref(rest);
        else
                *ret_rest = rest;
        return r < 0 ? r : 0;
}
