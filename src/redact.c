/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Two passes: first the shapes of secrets, line by line; then the known words, longest first. */

#include "redact.h"

#include <ctype.h>
#include <strings.h>

#define MASK "<secret>"
#define WORD_LONG 6 /* from this length on it is replaced inside of other words, too */

void redact_add(struct redact *r, const char *from, size_t len, const char *to)
{
        size_t at;

        if (len < REDACT_WORD_MIN)
                return;
        for (size_t i = 0; i < r->n; i++)
                if (strlen(r->words[i].from) == len && memcmp(r->words[i].from, from, len) == 0)
                        return;
        r->words = realloc(r->words, (r->n + 1) * sizeof(*r->words));
        if (!r->words)
                abort();
        /* The longest first: one may contain another. */
        for (at = r->n; at > 0 && strlen(r->words[at - 1].from) < len; at--)
                r->words[at] = r->words[at - 1];
        r->words[at] = (struct redact_word){ strndup(from, len), strdup(to) };
        if (!r->words[at].from || !r->words[at].to)
                abort();
        r->n++;
}

void redact_done(struct redact *r)
{
        for (size_t i = 0; i < r->n; i++) {
                free(r->words[i].from);
                free(r->words[i].to);
        }
        free(r->words);
        *r = (struct redact){ 0 };
}

/* --- shapes ------------------------------------------------------------------------------------------------------ */

static bool in_name(char c)
{
        return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '.';
}

static const char *find(const char *s, size_t n, const char *what)
{
        return memmem(s, n, what, strlen(what));
}

static bool contains(const char *s, size_t n, const char *what)
{
        size_t len = strlen(what);

        for (size_t i = 0; i + len <= n; i++)
                if (strncasecmp(s + i, what, len) == 0)
                        return true;
        return false;
}

/* A key whose value nobody should see. What names a file is no secret: the file is. */
static bool secret_name(const char *s, size_t n)
{
        static const char *const names[] = { "password", "passwd", "passphrase", "secret", "token", "apikey", "api_key", "api-key", "credential",
                                             "authorization", "private_key", "community", "cookie" };
        static const char *const files[] = { "_file", "-file", "_path", "_command" };

        for (size_t i = 0; i < ARRAY_LEN(files); i++)
                if (n > strlen(files[i]) && strncasecmp(s + n - strlen(files[i]), files[i], strlen(files[i])) == 0)
                        return false;
        for (size_t i = 0; i < ARRAY_LEN(names); i++)
                if (contains(s, n, names[i]))
                        return true;
        return n == 4 && strncasecmp(s, "pass", 4) == 0;
}

/* The value that begins at s: in quotes to the quote, else all of the line but for what is behind two spaces (a column). */
static size_t value_len(const char *s, size_t n)
{
        size_t i = 0;

        if (n && (*s == '"' || *s == '\'')) {
                for (i = 1; i < n && s[i] != *s; i++)
                        if (s[i] == '\\' && i + 1 < n)
                                i++;
                return MIN(i, n);
        }
        while (i < n && !(s[i] == ' ' && i + 1 < n && s[i + 1] == ' '))
                i++;
        return i;
}

/* "name = value", "name: value", "\"name\": \"value\"" at s: copies up to the value, masks it. How much was taken; 0: it is none. */
static size_t take_pair(const char *s, size_t n, struct textbuf *out)
{
        size_t name = 0, i, len;

        while (name < n && in_name(s[name]))
                name++;
        if (name == 0 || !secret_name(s, name))
                return 0;
        i = name;
        if (i < n && s[i] == '"')
                i++;
        while (i < n && s[i] == ' ')
                i++;
        if (i >= n || (s[i] != '=' && s[i] != ':'))
                return 0;
        i++;
        while (i < n && (s[i] == ' ' || s[i] == '\t'))
                i++;
        len = value_len(s + i, n - i);
        if (len == 0)
                return 0;
        if (s[i] == '"' || s[i] == '\'') {
                i++;
                len--;
        }
        textbuf_add(out, s, i);
        textbuf_str(out, MASK);
        return i + len;
}

/* "://user:password@host/path?query" at s, which is behind the scheme. */
static size_t take_url(const char *s, size_t n, struct textbuf *out)
{
        size_t end = 0, host, at = 0;
        const char *query;

        if (n < 3 || memcmp(s, "://", 3) != 0)
                return 0;
        while (end < n && !isspace((unsigned char)s[end]) && s[end] != '"' && s[end] != '\'' && s[end] != '<' && s[end] != '>' && s[end] != '|')
                end++;
        for (host = 3; host < end && s[host] != '/' && s[host] != '?' && s[host] != '#'; host++)
                if (s[host] == '@')
                        at = host;
        textbuf_str(out, "://");
        if (at)
                textbuf_str(out, MASK);
        /* The path of a web hook is its password, too: of what lies on another host only its name is told. */
        query = memchr(s, '?', end);
        if (query)
                host = MIN(host, (size_t)(query - s));
        textbuf_add(out, s + (at ? at : 3), host - (at ? at : 3));
        if (host + 1 < end)
                textbuf_str(out, s[host] == '?' ? "?" MASK : "/" MASK);
        else
                textbuf_add(out, s + host, end - host);
        return end;
}

static size_t take_bearer(const char *s, size_t n, struct textbuf *out)
{
        static const char *const schemes[] = { "Bearer ", "Basic " };

        for (size_t k = 0; k < ARRAY_LEN(schemes); k++) {
                size_t len = strlen(schemes[k]), i = len;

                if (n <= len || strncasecmp(s, schemes[k], len) != 0)
                        continue;
                while (i < n && !isspace((unsigned char)s[i]) && s[i] != '"' && s[i] != ',')
                        i++;
                if (i - len < 8) /* a word of prose */
                        continue;
                textbuf_add(out, s, len);
                textbuf_str(out, MASK);
                return i;
        }
        return 0;
}

static void mask_line(const char *s, size_t n, struct textbuf *out)
{
        for (size_t i = 0; i < n;) {
                bool begins = i == 0 || !in_name(s[i - 1]);
                size_t taken = s[i] == ':' ? take_url(s + i, n - i, out) : 0;

                if (!taken && begins)
                        taken = take_pair(s + i, n - i, out);
                if (!taken && begins)
                        taken = take_bearer(s + i, n - i, out);
                if (!taken) {
                        textbuf_char(out, s[i]);
                        taken = 1;
                }
                i += taken;
        }
}

/* Line by line; of a private key nothing but its borders. */
static void mask_shapes(const char *s, size_t n, struct textbuf *out)
{
        bool in_key = false;

        while (n > 0) {
                const char *nl = memchr(s, '\n', n);
                size_t len = nl ? (size_t)(nl - s) : n;
                bool border = find(s, len, "PRIVATE KEY-----") != NULL;

                if (border && find(s, len, "-----BEGIN")) {
                        in_key = true;
                        textbuf_str(out, "<private key>");
                } else if (!in_key) {
                        mask_line(s, len, out);
                }
                if (border && find(s, len, "-----END"))
                        in_key = false;
                if (nl && !in_key)
                        textbuf_char(out, '\n');
                s += len + (nl ? 1 : 0);
                n -= len + (nl ? 1 : 0);
        }
}

/* --- words --------------------------------------------------------------------------------------------------------- */

/* Short words are part of many others. */
static bool matches(const struct textbuf *b, size_t at, const char *word)
{
        size_t n = strlen(word);

        if (b->len - at < n || memcmp(b->data + at, word, n) != 0)
                return false;
        return n >= WORD_LONG || ((at == 0 || !isalnum((unsigned char)b->data[at - 1])) && (at + n == b->len || !isalnum((unsigned char)b->data[at + n])));
}

void redact_text(const struct redact *r, const char *text, size_t len, struct textbuf *out)
{
        struct textbuf plain = { 0 };

        mask_shapes(text, len, &plain);
        for (size_t i = 0; i < plain.len;) {
                const struct redact_word *word = NULL;

                for (size_t k = 0; k < r->n && !word; k++)
                        if (matches(&plain, i, r->words[k].from))
                                word = &r->words[k];
                if (word)
                        textbuf_str(out, word->to);
                else
                        textbuf_char(out, plain.data[i]);
                i += word ? strlen(word->from) : 1;
        }
        textbuf_done(&plain);
}
