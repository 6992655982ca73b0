/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Finds the template that a sentence was made of and makes it anew in French. Called for each message of a contact that reads French. A sentence
 * may hold what a device says: the search has an end (STEPS_MAX), and what fits no template stays as it is, in quotes. */

#include "french.h"

#include "french_private.h"

#define PLACES_MAX 12
#define STEPS_MAX 20000 /* of one template */
#define DEPTH_MAX 3     /* sentences within sentences */
#define GENERIC 2       /* so few characters of its own make a row fit everything */
#define ROWS_MAX 1024
#define ANCHOR_MAX 64

enum kind {
        KIND_NUMBER,   /* also "never", "?" */
        KIND_DURATION, /* "3 days", "a day", "never", "5 min" */
        KIND_BYTES,
        KIND_PERCENT,
        KIND_COUNTED, /* {n:one|more} */
        KIND_NAME,    /* of a component: stays */
        KIND_WORDS,   /* a label, %s: looked up themselves */
};

struct place {
        const char *name; /* in the template, without braces; of a format "1", "2" ... is meant by number */
        size_t name_len;
        enum kind kind;
        const char *value;
        size_t len;
};

struct match {
        struct place places[PLACES_MAX];
        size_t n, literal;
        unsigned steps;
};

static const struct {
        const char *name;
        enum kind kind;
} kinds[] = {
        { "value", KIND_NUMBER },   { "limit", KIND_NUMBER },      { "growth", KIND_NUMBER },    { "baseline", KIND_NUMBER },
        { "percent", KIND_PERCENT }, { "bytes", KIND_BYTES },      { "forecast", KIND_DURATION }, { "window", KIND_DURATION },
        { "duration", KIND_DURATION }, { "component", KIND_NAME },
};

static bool name_is(const char *name, size_t len, const char *s)
{
        return strlen(s) == len && memcmp(name, s, len) == 0;
}

static enum kind kind_of(const char *name, size_t len)
{
        for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
                if (name_is(name, len, kinds[i].name))
                        return kinds[i].kind;
        return len > 2 && memcmp(name, "n:", 2) == 0 ? KIND_COUNTED : KIND_WORDS;
}

/* The place at p, which is behind it afterwards; false: p is at a character of its own. */
static bool next_place(const char **p, struct place *ret)
{
        const char *s = *p;

        *ret = (struct place){ 0 };
        if (*s == '{' && strchr(s, '}')) {
                ret->name = s + 1;
                ret->name_len = (size_t)(strchr(s, '}') - s) - 1;
                ret->kind = kind_of(ret->name, ret->name_len);
                *p = s + ret->name_len + 2;
                return true;
        }
        if (*s != '%' || !s[1] || s[1] == ' ')
                return false;
        s += 1 + strspn(s + 1, ".0123456789lzh");
        if (!*s || !strchr("sdugf", *s))
                return false;
        ret->kind = *s == 's' ? KIND_WORDS : KIND_NUMBER;
        *p = s + 1;
        return true;
}

static bool is_number(const char *s, size_t n)
{
        if ((n == 5 && memcmp(s, "never", 5) == 0) || (n == 1 && *s == '?'))
                return true;
        for (size_t i = 0; i < n; i++)
                if (!strchr("0123456789.+-e", s[i]))
                        return false;
        return n > 0;
}

/* Whether these bytes can stand at the place. */
static bool fits(const struct place *p, const char *s, size_t n)
{
        size_t number = strspn(s, "0123456789.+-e");

        switch (p->kind) {
        case KIND_NUMBER:
                return is_number(s, n);
        case KIND_PERCENT:
                return (n == 1 && *s == '?') || (n > 2 && number == n - 2 && memcmp(s + number, " %", 2) == 0);
        case KIND_BYTES:
                return (n == 1 && *s == '?') || (n > 2 && number > 0 && number + 4 >= n - 1 && s[number] == ' ' && s[n - 1] == 'B');
        case KIND_DURATION:
                return n > 0 && n < 20 && !memchr(s, ':', n) && !memchr(s, ')', n);
        default:
                return p->kind != KIND_NAME || n > 0;
        }
}

static bool match(struct match *m, const char *template, const char *s);

static bool match_counted(struct match *m, struct place *p, const char *rest, const char *s)
{
        const char *word = p->name + 2, *end = p->name + p->name_len, *bar = memchr(word, '|', (size_t)(end - word));

        for (int i = 0; bar && i < 2; i++) {
                const char *from = i ? bar + 1 : word;
                size_t len = (size_t)((i ? end : bar) - from);

                if (strncmp(s, from, len) == 0 && match(m, rest, s + len))
                        return true;
        }
        return false;
}

/* The shortest that lets all the rest fit. */
static bool match_place(struct match *m, struct place p, const char *rest, const char *s)
{
        size_t at = m->n, literal = m->literal, len = strlen(s);

        if (m->n == PLACES_MAX)
                return false;
        m->places[m->n++] = p;
        if (p.kind == KIND_COUNTED && match_counted(m, &p, rest, s))
                return true;
        for (size_t n = 0; p.kind != KIND_COUNTED && n <= len && m->steps++ < STEPS_MAX; n++) {
                if (!fits(&p, s, n))
                        continue;
                p.value = s;
                p.len = n;
                m->places[at] = p;
                if (match(m, rest, s + n))
                        return true;
                m->n = at + 1;
                m->literal = literal;
        }
        m->n = at;
        m->literal = literal;
        return false;
}

static bool match(struct match *m, const char *template, const char *s)
{
        struct place p;

        while (*template) {
                if (next_place(&template, &p))
                        return match_place(m, p, template, s);
                if (template[0] == '%' && template[1] == '%')
                        template++;
                if (*template++ != *s++)
                        return false;
                m->literal++;
        }
        return *s == '\0';
}

static const struct {
        const struct french_row *rows;
        const size_t *n;
} tables[] = {
        { french_brain, &french_brain_n }, { french_rules, &french_rules_n }, { french_rules_host, &french_rules_host_n },
        { french_clears, &french_clears_n },
};

const struct french_row *french_row_at(size_t i)
{
        for (size_t t = 0; t < ARRAY_LEN(tables); t++) {
                if (i < *tables[t].n)
                        return &tables[t].rows[i];
                i -= *tables[t].n;
        }
        return NULL;
}

/* The longest run of its own characters, which a sentence must have: most rows need no further look. */
static void find_anchor(const char *template, char *ret, size_t size)
{
        size_t best = 0, len = 0;
        struct place p;

        *ret = '\0';
        for (const char *s = template, *from = s;;) {
                const char *here = s;

                if (*s && *s != '%' && !(*s == '{' && next_place(&s, &p))) {
                        len++;
                        s++;
                        continue;
                }
                if (len > best && len < size) {
                        best = len;
                        snprintf(ret, size, "%.*s", (int)len, from);
                }
                if (!*here)
                        return;
                if (s == here && !next_place(&s, &p))
                        s++;
                from = s;
                len = 0;
        }
}

static const char *anchor(size_t i, const struct french_row *row)
{
        static char anchors[ROWS_MAX][ANCHOR_MAX];

        if (i >= ROWS_MAX)
                return "";
        if (!*anchors[i])
                find_anchor(row->english, anchors[i], ANCHOR_MAX);
        return anchors[i];
}

/* Of those that fit the one with the most words of its own; of equals the first. */
static const struct french_row *find(const char *english, struct match *ret)
{
        const struct french_row *best = NULL, *row;

        for (size_t i = 0; (row = french_row_at(i)); i++) {
                struct match m = { 0 };

                if (strstr(english, anchor(i, row)) && match(&m, row->english, english) && m.literal && (!best || m.literal > ret->literal)) {
                        best = row;
                        *ret = m;
                }
        }
        return best;
}

const struct french_row *french_find(const char *english)
{
        struct match m;

        return find(english, &m);
}

/* --- in French ---------------------------------------------------------------------------------------------------- */

static void add_number(struct textbuf *out, const char *s, size_t n)
{
        if (n == 5 && memcmp(s, "never", 5) == 0) {
                textbuf_str(out, "jamais");
                return;
        }
        for (size_t i = 0; i < n; i++)
                textbuf_char(out, s[i] == '.' ? ',' : s[i]);
}

static void add_bytes(struct textbuf *out, const char *s, size_t n)
{
        add_number(out, s, n ? n - 1 : 0);
        textbuf_str(out, n && s[n - 1] == 'B' ? "o" : "?"); /* GiB: Gio */
}

static bool add_duration(struct textbuf *out, const char *s, size_t n)
{
        static const struct {
                const char *english, *one, *more, *un;
        } units[] = {
                { "day", "jour", "jours", "un" },         { "hour", "heure", "heures", "une" }, { "minute", "minute", "minutes", "une" },
                { "second", "seconde", "secondes", "une" }, { "min", "min", "min", "une" },     { "s", "s", "s", "une" }, { "h", "h", "h", "une" },
        };
        const char *space = memchr(s, ' ', n), *unit = space ? space + 1 : s;
        size_t len = space ? (size_t)(s + n - unit) : 0;
        bool a = name_is(s, (size_t)(unit - s), "a ") || name_is(s, (size_t)(unit - s), "an ");

        if (name_is(s, n, "never")) {
                textbuf_str(out, "jamais");
                return true;
        }
        if (!space || (!a && !is_number(s, (size_t)(space - s))))
                return false;
        for (size_t i = 0; i < ARRAY_LEN(units); i++) {
                size_t word = strlen(units[i].english);

                if (!(len == word || (len == word + 1 && unit[word] == 's')) || memcmp(unit, units[i].english, word) != 0)
                        continue;
                if (a)
                        textbuf_printf(out, "%s %s", units[i].un, units[i].one);
                else
                        textbuf_printf(out, "%.*s %s", (int)(space - s), s, len == word ? units[i].one : units[i].more);
                return true;
        }
        return false;
}

static void add_sentence(struct textbuf *out, const char *english, int depth);

/* Whether a sentence of ours is in it: "%s: %s" alone says nothing about that. */
static bool is_ours(const char *s)
{
        struct match m = { 0 };
        const char *colon = strstr(s, ": ");

        if (!find(s, &m))
                return false;
        return m.literal > GENERIC || (colon && is_ours(colon + 2));
}

/* A sentence of ours within a sentence, a list of them, an age; else what somebody else says, in quotes where it is more than a name. */
static void add_words(struct textbuf *out, const char *s, size_t n, int depth)
{
        const char *comma;
        char *text = strndup(s, n);

        if (!text)
                abort();
        comma = strstr(text, ", ");
        if (add_duration(out, text, n)) {
        } else if (is_ours(text)) {
                add_sentence(out, text, depth + 1);
        } else if (comma && depth < DEPTH_MAX) {
                char *first = strndup(text, (size_t)(comma - text));
                bool both = first && is_ours(first) && (is_ours(comma + 2) || strchr(comma + 2, ','));

                free(first);
                if (both) {
                        add_words(out, text, (size_t)(comma - text), depth + 1);
                        textbuf_str(out, ", ");
                        add_words(out, comma + 2, strlen(comma + 2), depth + 1);
                } else {
                        textbuf_printf(out, "« %s »", text);
                }
        } else {
                textbuf_printf(out, strchr(text, ' ') ? "« %s »" : "%s", text);
        }
        free(text);
}

static void add_place(struct textbuf *out, const struct place *p, bool quoted, int depth)
{
        switch (p->kind) {
        case KIND_NUMBER:
                add_number(out, p->value, p->len);
                break;
        case KIND_PERCENT:
                add_number(out, p->value, p->len);
                break;
        case KIND_BYTES:
                add_bytes(out, p->value, p->len);
                break;
        case KIND_DURATION:
                if (!add_duration(out, p->value, p->len))
                        textbuf_add(out, p->value, p->len);
                break;
        case KIND_WORDS:
                if (!quoted && depth < DEPTH_MAX) {
                        add_words(out, p->value, p->len, depth);
                        break;
                }
                textbuf_add(out, p->value, p->len);
                break;
        default:
                textbuf_add(out, p->value, p->len);
        }
}

/* In French nothing and one are singular. */
static bool is_one(const struct place *number)
{
        return number && ((number->len == 1 && (number->value[0] == '1' || number->value[0] == '0')) ||
                          (number->len > 1 && number->value[0] <= '1' && number->value[1] == '.'));
}

static const struct place *place_of(const struct match *m, const struct place *wanted)
{
        size_t number = wanted->name_len == 1 ? (size_t)(wanted->name[0] - '0') : 0;

        for (size_t i = 0; i < m->n; i++)
                if (number ? i + 1 == number : m->places[i].name_len == wanted->name_len && memcmp(m->places[i].name, wanted->name, wanted->name_len) == 0)
                        return &m->places[i];
        return NULL;
}

static void add_french(struct textbuf *out, const char *french, const struct match *m, int depth)
{
        const struct place *number = NULL;
        struct place p;

        for (const char *s = french; *s;) {
                const struct place *found;
                const char *bar;

                if (*s != '{' || !next_place(&s, &p)) {
                        textbuf_char(out, *s++);
                        continue;
                }
                if (p.kind == KIND_COUNTED) {
                        bar = memchr(p.name, '|', p.name_len);
                        if (is_one(number))
                                textbuf_add(out, p.name + 2, (size_t)(bar - p.name) - 2);
                        else
                                textbuf_add(out, bar + 1, (size_t)(p.name + p.name_len - bar) - 1);
                        continue;
                }
                found = place_of(m, &p);
                if (!found)
                        continue;
                if (found->kind == KIND_NUMBER)
                        number = found;
                add_place(out, found, p.name >= french + 3 && strncmp(p.name - 3, "\xab ", 2) == 0, depth);
        }
}

static void add_sentence(struct textbuf *out, const char *english, int depth)
{
        struct match m = { 0 };
        const struct french_row *row = find(english, &m);

        if (row)
                add_french(out, row->french, &m, depth);
        else
                textbuf_printf(out, "« %s »", english);
}

void french_add(struct textbuf *out, const char *english)
{
        add_sentence(out, english, 0);
}
