/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* From text to durations, sizes, numbers, words, and what to say when the text is none. */

#include "config_value.h"

#include <math.h>

#include "suggest.h"

struct unit {
        const char *name;
        double factor;
};

static const struct unit durations[] = {
        { "", 1 },          { "s", 1 },      { "sec", 1 },     { "second", 1 },     { "seconds", 1 },     { "m", 60 },
        { "min", 60 },      { "minute", 60 }, { "minutes", 60 }, { "h", 3600 },      { "hr", 3600 },       { "hour", 3600 },
        { "hours", 3600 },  { "d", 86400 },  { "day", 86400 }, { "days", 86400 },   { "w", 604800 },      { "week", 604800 },
        { "weeks", 604800 },
};

static const struct unit sizes[] = {
        { "", 1 }, { "B", 1 }, { "K", 1024 }, { "M", 1048576 }, { "G", 1073741824 }, { "T", 1099511627776 },
};

static const char *skip_white(const char *p)
{
        while (*p == ' ' || *p == '\t')
                p++;
        return p;
}

/* "1h 30min": a sum of numbers with units. */
static bool parse_units(const char *text, const struct unit *units, size_t n_units, bool sum, double *ret)
{
        const char *p = skip_white(text);
        double total = 0;
        int parts = 0;

        while (*p) {
                char *end, unit[16];
                double v = strtod(p, &end);
                size_t n = 0, i;

                if (end == p || !isfinite(v) || *p == '+' || *p == '-' || ((*p | 32) >= 'a' && (*p | 32) <= 'z'))
                        return false;
                p = skip_white(end);
                while (((p[n] | 32) >= 'a' && (p[n] | 32) <= 'z') && n + 1 < sizeof(unit)) {
                        unit[n] = p[n];
                        n++;
                }
                unit[n] = '\0';
                for (i = 0; i < n_units && !streq(units[i].name, unit); i++)
                        ;
                if (i == n_units || (parts++ && !sum))
                        return false;
                total += v * units[i].factor;
                p = skip_white(p + n);
        }
        *ret = total;
        return parts > 0;
}

static int parse_bool(const char *text)
{
        static const char *const words[] = { "no", "yes", "false", "true", "off", "on", "0", "1" };

        for (size_t i = 0; i < ARRAY_LEN(words); i++)
                if (streq(text, words[i]))
                        return (int)(i % 2);
        return -1;
}

static bool parse_plain(const char *text, double *ret)
{
        char *end;

        if ((*text | 32) >= 'a' && (*text | 32) <= 'z')
                return false; /* nan, inf, 0x are no numbers for people */
        *ret = strtod(text, &end);
        return end != text && !*skip_white(end) && isfinite(*ret);
}

size_t config_value_word(const char **p, char *buf, size_t size)
{
        size_t n = 0;
        char quote = 0;

        while (**p == ' ' || **p == '\t' || **p == ',')
                (*p)++;
        if (**p == '"' || **p == '\'')
                quote = *(*p)++;
        for (; **p && (quote ? **p != quote : **p != ' ' && **p != '\t' && **p != ','); (*p)++)
                if (n + 1 < size)
                        buf[n++] = **p;
        if (quote && **p == quote)
                (*p)++;
        buf[n] = '\0';
        return n;
}

static bool choice_ok(const struct config_key *key, const char *text, struct errinfo *err)
{
        char words[16][64];
        const char *list[16], *p = key->choices, *near;
        size_t n = 0;

        while (n < ARRAY_LEN(words) && config_value_word(&p, words[n], sizeof(words[n]))) {
                list[n] = words[n];
                if (streq(words[n++], text))
                        return true;
        }
        near = suggest(text, list, n);
        if (near)
                err_set(err, 0, "'%s' is not possible here; did you mean '%s'?", text, near);
        else
                err_set(err, 0, "'%s' is not possible here; use one of: %s", text, key->choices);
        return false;
}

static bool range_ok(const struct config_key *key, double v, const char *text, struct errinfo *err)
{
        const char *unit = key->type == CONFIG_DURATION ? " seconds" : key->type == CONFIG_SIZE ? " bytes" : "";

        if ((key->min == 0 && key->max == 0) || (v >= key->min && v <= key->max))
                return true;
        err_set(err, 0, "'%s' is out of range: from %.15g to %.15g%s", text, key->min, key->max, unit);
        return false;
}

static bool parse(const struct config_key *key, const char *text, double *ret)
{
        switch (key->type) {
        case CONFIG_BOOL:
                *ret = parse_bool(text);
                return *ret >= 0;
        case CONFIG_INT:
                return parse_plain(text, ret) && *ret == floor(*ret) && fabs(*ret) < 9e15;
        case CONFIG_NUMBER:
                return parse_plain(text, ret);
        case CONFIG_DURATION:
                return parse_units(text, durations, ARRAY_LEN(durations), true, ret);
        case CONFIG_SIZE:
                return parse_units(text, sizes, ARRAY_LEN(sizes), false, ret);
        default:
                return false;
        }
}

bool config_value_ok(const struct config_key *key, const char *text, struct errinfo *err)
{
        static const char *const what[] = {
                [CONFIG_BOOL] = "neither yes nor no",
                [CONFIG_INT] = "no whole number",
                [CONFIG_NUMBER] = "no number",
                [CONFIG_DURATION] = "no duration; write for example 90s, 5min, 2h or 1d",
                [CONFIG_SIZE] = "no size; write for example 512K, 64M or 2G",
        };
        double v;

        switch (key->type) {
        case CONFIG_STRING:
        case CONFIG_LIST:
                return true;
        case CONFIG_PATH:
                if (*text == '/')
                        return true;
                err_set(err, 0, "'%s' is no absolute path", text);
                return false;
        case CONFIG_ENUM:
                return choice_ok(key, text, err);
        default:
                if (parse(key, text, &v))
                        return range_ok(key, v, text, err);
                err_set(err, 0, "'%s' is %s", text, what[key->type]);
                return false;
        }
}

double config_value_number(const struct config_key *key, const char *text)
{
        double v = NAN;

        return parse(key, text, &v) ? v : NAN;
}
