/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Typed values of the configuration: durations, sizes, lists and so on, each with a sentence that
 * says what would have been right. Pure; called by config_load.c and for the defaults of the table. */

#include "config_value.h"

#include <math.h>

#include "config_read.h"
#include "selftest_calendar.h"
#include "suggest.h"

#define CHOICES_MAX 32
#define NUMBER_MAX 9007199254740992.0 /* 2^53: beyond it a double does not hold every integer */

struct unit {
        const char *name;
        double factor;
};

static const struct unit duration_units[] = {
        { "s", 1 },         { "sec", 1 },          { "second", 1 },      { "seconds", 1 },    { "ms", 0.001 },
        { "m", 60 },        { "min", 60 },         { "minute", 60 },     { "minutes", 60 },   { "h", 3600 },
        { "hr", 3600 },     { "hour", 3600 },      { "hours", 3600 },    { "d", 86400 },      { "day", 86400 },
        { "days", 86400 },  { "w", 604800 },       { "week", 604800 },   { "weeks", 604800 }, { "y", 31557600 },
        { "year", 31557600 }, { "years", 31557600 },
};

static const struct unit size_units[] = {
        { "B", 1 },           { "K", 1024.0 },         { "KB", 1024.0 },       { "KiB", 1024.0 },       { "k", 1024.0 },
        { "M", 1048576.0 },   { "MB", 1048576.0 },     { "MiB", 1048576.0 },   { "G", 1073741824.0 },   { "GB", 1073741824.0 },
        { "GiB", 1073741824.0 }, { "T", 1099511627776.0 }, { "TB", 1099511627776.0 }, { "TiB", 1099511627776.0 },
};

/* Limits are written in the unit of their metric: percent of a ratio, and only names that cannot be mistaken. */
static const struct unit number_units[] = {
        { "%", 0.01 },           { "s", 1 },          { "ms", 0.001 },          { "min", 60 },          { "h", 3600 },
        { "d", 86400 },          { "w", 604800 },     { "KiB", 1024.0 },        { "MiB", 1048576.0 },   { "GiB", 1073741824.0 },
        { "TiB", 1099511627776.0 },
};

static bool is_white(char c)
{
        return c == ' ' || c == '\t';
}

static bool is_digit(char c)
{
        return c >= '0' && c <= '9';
}

static int fail(struct errinfo *err, size_t *ret_at, size_t at, const char *fmt, ...) PRINTF_LIKE(4, 5);
static int fail(struct errinfo *err, size_t *ret_at, size_t at, const char *fmt, ...)
{
        va_list ap;

        if (err) {
                va_start(ap, fmt);
                vsnprintf(err->text, sizeof(err->text), fmt, ap);
                va_end(ap);
        }
        *ret_at = at;
        return -EINVAL;
}

/* A decimal number, whatever the locale says about decimal points. Returns the bytes read, 0: none. */
static size_t scan_number(const char *s, double *ret)
{
        double value = 0, scale = 1;
        size_t i = 0, digits = 0;

        for (; is_digit(s[i]); i++, digits++)
                value = value * 10 + (s[i] - '0');
        if (s[i] == '.') {
                i++;
                for (; is_digit(s[i]); i++, digits++) {
                        value = value * 10 + (s[i] - '0');
                        scale *= 10;
                }
        }
        if (digits == 0 || digits > 18)
                return 0;
        *ret = value / scale;
        return i;
}

static const struct unit *unit_find(const struct unit *units, size_t n, const char *name, size_t len)
{
        for (size_t i = 0; i < n; i++)
                if (strlen(units[i].name) == len && memcmp(units[i].name, name, len) == 0)
                        return &units[i];
        return NULL;
}

static size_t unit_len(const char *s)
{
        size_t n = 0;

        while (s[n] && !is_white(s[n]) && !is_digit(s[n]))
                n++;
        return n;
}

/* The words a person needs when a number was not understood. */
static const char *number_hint(enum config_type type)
{
        switch (type) {
        case CONFIG_DURATION:
                return "write a number and a unit (ms, s, min, h, d, w), such as 90s or 1h 30min";
        case CONFIG_SIZE:
                return "write a number and a unit (K, M, G, T), such as 512M";
        case CONFIG_INT:
                return "write a whole number";
        default:
                return "write a number, such as 55 or 0.8 or 80%";
        }
}

static int no_quantity(const struct config_key *key, const char *text, size_t at, size_t *ret_at, struct errinfo *err)
{
        bool comment = text[at] == '#' || text[at] == ';';

        return fail(err, ret_at, at, "'%s' is no %s; %s", text,
                    key->type == CONFIG_DURATION ? "duration" : key->type == CONFIG_SIZE ? "size" : "number",
                    comment ? "a comment stands on a line of its own" : number_hint(key->type));
}

/* One or more numbers with units, added up: "1h 30min". A bare number is in base units. */
static int parse_quantity(const struct config_key *key, const char *text, const struct unit *units, size_t n_units,
                          double *ret, size_t *ret_at, struct errinfo *err)
{
        bool negative = *text == '-', bare = false;
        size_t i = negative || *text == '+', parts = 0;
        double sum = 0;

        while (text[i]) {
                size_t start = i, n;
                double v;

                n = scan_number(text + i, &v);
                if (n == 0 || bare)
                        return no_quantity(key, text, start, ret_at, err);
                i += n;
                while (is_white(text[i]))
                        i++;
                n = unit_len(text + i);
                if (n > 0) {
                        const struct unit *unit = unit_find(units, n_units, text + i, n);

                        if (!unit)
                                return fail(err, ret_at, i, "unknown unit '%.*s'; %s", (int)MIN(n, (size_t)40), text + i,
                                            number_hint(key->type));
                        v *= unit->factor;
                } else if (parts > 0) {
                        return no_quantity(key, text, start, ret_at, err); /* "1h 30": thirty of what? */
                } else {
                        bare = true;
                }
                sum += v;
                parts++;
                i += n;
                while (is_white(text[i]))
                        i++;
        }
        if (parts == 0)
                return fail(err, ret_at, 0, "'%s' is no number; %s", text, number_hint(key->type));
        *ret = negative ? -sum : sum;
        return 0;
}

static int check_range(const struct config_key *key, double value, size_t *ret_at, struct errinfo *err)
{
        char min[64], max[64], is[64];
        double low = key->min, high = key->max;

        if (low == 0 && high == 0) {
                low = -NUMBER_MAX;
                high = NUMBER_MAX;
        }
        if (value >= low && value <= high)
                return 0;
        config_value_format(key->type, low, min, sizeof(min));
        config_value_format(key->type, high, max, sizeof(max));
        config_value_format(key->type, value, is, sizeof(is));
        return fail(err, ret_at, 0, "%s is out of range: '%s' is from %s to %s", is, key->key, min, max);
}

static int parse_number(const struct config_key *key, const char *text, double *ret, size_t *ret_at, struct errinfo *err)
{
        double v = 0;
        int r;

        switch (key->type) {
        case CONFIG_DURATION:
                r = parse_quantity(key, text, duration_units, ARRAY_LEN(duration_units), &v, ret_at, err);
                break;
        case CONFIG_SIZE:
                r = parse_quantity(key, text, size_units, ARRAY_LEN(size_units), &v, ret_at, err);
                break;
        case CONFIG_INT:
                r = parse_quantity(key, text, NULL, 0, &v, ret_at, err);
                if (r == 0 && v != floor(v))
                        r = fail(err, ret_at, 0, "'%s' is no whole number", text);
                break;
        default:
                if (key->choices && streq(text, key->choices)) {
                        *ret = NAN;
                        return 0;
                }
                r = parse_quantity(key, text, number_units, ARRAY_LEN(number_units), &v, ret_at, err);
                break;
        }
        if (r < 0)
                return r;
        r = check_range(key, v, ret_at, err);
        if (r == 0)
                *ret = v;
        return r;
}

static int parse_bool(const char *text, double *ret, size_t *ret_at, struct errinfo *err)
{
        static const char *const words[] = { "no", "yes", "false", "true", "off", "on", "0", "1", "n", "y" };

        for (size_t i = 0; i < ARRAY_LEN(words); i++)
                if (strcasecmp(text, words[i]) == 0) {
                        *ret = (double)(i % 2);
                        return 0;
                }
        return fail(err, ret_at, 0, "'%s' is neither yes nor no", text);
}

size_t config_choices(const struct config_key *key, char **ret_copy, const char **ret, size_t max)
{
        char *save = NULL, *copy = config_copy(key->choices, strlen(key->choices));
        size_t n = 0;

        for (char *w = strtok_r(copy, " ", &save); w && n < max; w = strtok_r(NULL, " ", &save))
                ret[n++] = w;
        *ret_copy = copy;
        return n;
}

static int check_choice(const struct config_key *key, const char *word, size_t at, size_t *ret_at, struct errinfo *err)
{
        _cleanup_free_ char *copy = NULL;
        const char *choices[CHOICES_MAX], *near;
        size_t n = config_choices(key, &copy, choices, CHOICES_MAX), len = 0;
        char all[256] = "";

        for (size_t i = 0; i < n; i++) {
                if (streq(choices[i], word))
                        return 0;
                len += (size_t)snprintf(all + len, sizeof(all) - len, "%s%s", i ? ", " : "", choices[i]);
                len = MIN(len, sizeof(all) - 1);
        }
        near = suggest(word, choices, n);
        if (near)
                return fail(err, ret_at, at, "'%s' is none of %s; did you mean '%s'?", word, all, near);
        return fail(err, ret_at, at, "'%s' is none of %s", word, all);
}

/* White space ends a word; in a list a comma does, too. */
static bool is_separator(const struct config_key *key, char c)
{
        return is_white(c) || (c == ',' && key->type == CONFIG_LIST);
}

/* The end of a word that began at text[i], and the word without its quotes in buf. In quotes, \" and \\ stand
 * for themselves. Returns the offset behind it, or -EINVAL. */
static int scan_word(const struct config_key *key, const char *text, size_t i, char *buf, size_t *ret_at, struct errinfo *err)
{
        size_t start = i, n = 0;
        char quote = text[i] == '"' || text[i] == '\'' ? text[i] : '\0';

        if (!quote) {
                while (text[i] && !is_separator(key, text[i]))
                        buf[n++] = text[i++];
                buf[n] = '\0';
                return (int)i;
        }
        for (i++; text[i] && text[i] != quote; i++) {
                if (text[i] == '\\' && (text[i + 1] == quote || text[i + 1] == '\\'))
                        i++;
                buf[n++] = text[i];
        }
        if (!text[i])
                return fail(err, ret_at, start, "the quote %c is not closed", quote);
        i++;
        if (text[i] && !is_separator(key, text[i]))
                return fail(err, ret_at, i, "after a closing quote comes a space%s", key->type == CONFIG_LIST ? " or a comma" : "");
        buf[n] = '\0';
        return (int)i;
}

static void words_done(struct config_value *v)
{
        for (size_t i = 0; i < v->n_words; i++)
                free(v->words[i]);
        free(v->words);
        v->words = NULL;
        v->n_words = 0;
}

/* What a shell would do with these is not done here, but whoever wrote them wanted it done. */
static int check_shell(const char *word, size_t at, size_t *ret_at, struct errinfo *err)
{
        static const char *const signs[] = { "|", "||", "&", "&&", ";", "<", ">", ">>", "2>&1", "2>/dev/null", ">/dev/null" };

        for (size_t i = 0; i < ARRAY_LEN(signs); i++)
                if (streq(word, signs[i]))
                        return fail(err, ret_at, at, "there is no shell here that would understand %s; put it in quotes where it is an "
                                                     "argument, or write a script", word);
        return 0;
}

static int parse_list(const struct config_key *key, const char *text, struct config_value *v, size_t *ret_at, struct errinfo *err)
{
        _cleanup_free_ char *buf = config_alloc(NULL, strlen(text) + 1, 1);
        size_t i = 0;
        int r;

        for (;;) {
                size_t start;

                while (is_separator(key, text[i]))
                        i++;
                if (!text[i])
                        return 0;
                start = i;
                r = scan_word(key, text, i, buf, ret_at, err);
                if (r >= 0) {
                        i = (size_t)r;
                        if (key->choices)
                                r = check_choice(key, buf, start, ret_at, err);
                        else if (key->type == CONFIG_COMMAND && text[start] != '"' && text[start] != '\'')
                                r = check_shell(buf, start, ret_at, err);
                        else
                                r = 0;
                }
                if (r >= 0 && v->n_words >= CONFIG_WORDS_MAX)
                        r = fail(err, ret_at, start, "more than %d words", CONFIG_WORDS_MAX);
                if (r < 0) {
                        words_done(v);
                        return r;
                }
                v->words = config_alloc(v->words, v->n_words + 1, sizeof(*v->words));
                v->words[v->n_words++] = config_copy(buf, strlen(buf));
        }
}

/* Quotes around the whole of a string are not part of it: they hold white space at its ends. */
static char *unquoted(const char *text)
{
        size_t len = strlen(text);

        if (len >= 2 && text[0] == '"' && text[len - 1] == '"')
                return config_copy(text + 1, len - 2);
        return config_copy(text, len);
}

static int parse_path(const char *text, size_t *ret_at, struct errinfo *err)
{
        if (text[0] != '/')
                return fail(err, ret_at, 0, "'%s' is no absolute path: it must begin with /", text);
        if (strlen(text) >= 4096)
                return fail(err, ret_at, 0, "the path is too long");
        return 0;
}

static int parse_calendar(const char *text, size_t *ret_at, struct errinfo *err)
{
        struct selftest_calendar calendar;
        size_t at;
        int r = selftest_calendar_parse(text, &calendar, &at, err);

        if (r < 0)
                *ret_at = at;
        return r;
}

static int parse_command(const struct config_key *key, const char *text, struct config_value *v, size_t *ret_at, struct errinfo *err)
{
        int r = parse_list(key, text, v, ret_at, err);

        if (r == 0)
                r = parse_path(v->n_words ? v->words[0] : "", ret_at, err);
        if (r < 0)
                words_done(v);
        return r;
}

int config_value_parse(const struct config_key *key, const char *text, struct config_value *ret, size_t *ret_at, struct errinfo *err)
{
        struct config_value v = { .number = NAN };
        bool quoted = key->type == CONFIG_STRING || key->type == CONFIG_PATH;
        int r = 0;

        v.text = quoted ? unquoted(text) : config_copy(text, strlen(text));
        switch (key->type) {
        case CONFIG_BOOL:
                r = parse_bool(text, &v.number, ret_at, err);
                break;
        case CONFIG_INT:
        case CONFIG_NUMBER:
        case CONFIG_DURATION:
        case CONFIG_SIZE:
                r = parse_number(key, text, &v.number, ret_at, err);
                break;
        case CONFIG_LIST:
                r = parse_list(key, text, &v, ret_at, err);
                break;
        case CONFIG_PATH:
                r = parse_path(v.text, ret_at, err);
                break;
        case CONFIG_CALENDAR:
                r = parse_calendar(text, ret_at, err);
                break;
        case CONFIG_COMMAND:
                r = parse_command(key, text, &v, ret_at, err);
                break;
        case CONFIG_ENUM:
                r = check_choice(key, text, 0, ret_at, err);
                break;
        case CONFIG_STRING:
                break;
        }
        if (r < 0) {
                free(v.text);
                return r;
        }
        *ret = v;
        return 0;
}

void config_value_done(struct config_value *value)
{
        free(value->text);
        words_done(value);
        *value = (struct config_value){ .number = NAN };
}

/* --- for people --------------------------------------------------------------------------------------- */

static void format_with(const struct unit *units, size_t n, double value, char *buf, size_t size)
{
        for (size_t i = 0; i < n; i++)
                if (fabs(value) >= units[i].factor && fmod(value, units[i].factor) == 0) {
                        snprintf(buf, size, "%.15g%s", value / units[i].factor, units[i].name);
                        return;
                }
        snprintf(buf, size, "%.15g", value);
}

void config_value_format(enum config_type type, double value, char *buf, size_t size)
{
        static const struct unit durations[] = {
                { "w", 604800 }, { "d", 86400 }, { "h", 3600 }, { "min", 60 }, { "s", 1 },
        };
        static const struct unit sizes[] = {
                { "T", 1099511627776.0 }, { "G", 1073741824.0 }, { "M", 1048576.0 }, { "K", 1024.0 }, { "B", 1 },
        };

        if (type == CONFIG_DURATION && value != 0)
                format_with(durations, ARRAY_LEN(durations), value, buf, size);
        else if (type == CONFIG_DURATION)
                snprintf(buf, size, "0s");
        else if (type == CONFIG_SIZE)
                format_with(sizes, ARRAY_LEN(sizes), value, buf, size);
        else
                snprintf(buf, size, "%.15g", value);
}

void config_key_allows(const struct config_key *key, char *buf, size_t size)
{
        static const char *const names[] = {
                [CONFIG_BOOL] = "yes or no",       [CONFIG_INT] = "whole number",  [CONFIG_NUMBER] = "number",
                [CONFIG_DURATION] = "duration",    [CONFIG_SIZE] = "size in bytes", [CONFIG_STRING] = "text",
                [CONFIG_LIST] = "list of words",   [CONFIG_PATH] = "absolute path", [CONFIG_ENUM] = "one of",
                [CONFIG_CALENDAR] = "days and time",
                [CONFIG_COMMAND] = "absolute path and arguments",
        };
        _cleanup_free_ char *copy = NULL;
        const char *choices[CHOICES_MAX];
        char min[64], max[64];
        size_t len = (size_t)snprintf(buf, size, "%s", names[key->type]), n;

        if (key->type == CONFIG_LIST && key->choices)
                len = (size_t)snprintf(buf, size, "list of");
        if (key->choices) {
                n = config_choices(key, &copy, choices, CHOICES_MAX);
                for (size_t i = 0; i < n && len < size; i++)
                        len += (size_t)snprintf(buf + len, size - len, "%s%s", i > 0 ? ", " : key->type == CONFIG_NUMBER ? " or " : " ",
                                                choices[i]);
        }
        if ((key->min != 0 || key->max != 0) && len < size) {
                config_value_format(key->type, key->min, min, sizeof(min));
                config_value_format(key->type, key->max, max, sizeof(max));
                snprintf(buf + len, size - len, ", %s to %s", min, max);
        }
}
