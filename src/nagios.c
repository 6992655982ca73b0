/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The output of Nagios plugins (Monitoring Plugins Development Guidelines, "Plugin Output for Nagios"): TEXT|PERFDATA, further
 * lines of text, and once more | and PERFDATA to the end. PERFDATA is 'label'=value[unit];[warn];[crit];[min];[max], separated by
 * spaces. Of the limits nothing is taken: it is the plugin that judges. */

#include "nagios.h"

#include <ctype.h>
#include <math.h>

#include "clean_text.h"

/* Decimal and binary as in Icinga 2: KB is 1000, KiB is 1024 bytes. */
static const struct {
        const char *unit, *metric;
        double factor;
} units[] = {
        { "", "plugin_value", 1 },          { "s", "plugin_seconds", 1 },     { "ms", "plugin_seconds", 1e-3 },
        { "us", "plugin_seconds", 1e-6 },   { "ns", "plugin_seconds", 1e-9 }, { "%", "plugin_ratio", 0.01 },
        { "c", "plugin_count_total", 1 },   { "B", "plugin_bytes", 1 },       { "KB", "plugin_bytes", 1e3 },
        { "kB", "plugin_bytes", 1e3 },      { "MB", "plugin_bytes", 1e6 },    { "GB", "plugin_bytes", 1e9 },
        { "TB", "plugin_bytes", 1e12 },     { "PB", "plugin_bytes", 1e15 },   { "KiB", "plugin_bytes", 1024 },
        { "MiB", "plugin_bytes", 1048576 }, { "GiB", "plugin_bytes", 1073741824.0 },
        { "TiB", "plugin_bytes", 1099511627776.0 },
};

/* A copy for people: whole characters only, tabs as spaces, what is not UTF-8 as '?'; no white space around it. */
static void copy_text(char *buf, size_t size, const char *s, size_t len)
{
        size_t n = 0;

        while (len > 0 && isspace((unsigned char)*s))
                s++, len--;
        while (len > 0) {
                size_t c = utf8_len((const unsigned char *)s, len);

                if (n + MAX(c, 1) >= size)
                        break;
                if (c > 1)
                        memcpy(buf + n, s, c);
                else
                        buf[n] = c == 0 ? '?' : (unsigned char)*s < ' ' || *s == 127 ? ' ' : *s;
                n += MAX(c, 1);
                s += MAX(c, 1);
                len -= MAX(c, 1);
        }
        while (n > 0 && buf[n - 1] == ' ')
                n--;
        buf[n] = '\0';
}

/* The label at *p, quoted or not, up to its '='; false: none. Moves *p behind the '='. */
static bool take_label(const char **p, const char *end, char *buf, size_t size)
{
        char raw[256];
        size_t n = 0;
        const char *s = *p;

        if (*s == '\'') {
                for (s++; s < end; s++) {
                        if (*s == '\'' && s + 1 < end && s[1] == '\'')
                                s++;
                        else if (*s == '\'')
                                break;
                        if (n < sizeof(raw))
                                raw[n++] = *s;
                }
                if (s++ >= end) {
                        *p = end; /* never closed: all that follows is in it */
                        return false;
                }
        } else {
                for (; s < end && *s != '=' && !isspace((unsigned char)*s); s++)
                        if (n < sizeof(raw))
                                raw[n++] = *s;
        }
        if (s >= end || *s != '=' || n == 0)
                return false;
        *p = s + 1;
        copy_text(buf, size, raw, n);
        return buf[0] != '\0';
}

/* Our own: strtod would take a comma in some locales, hexadecimal, nan and inf. */
static bool take_number(const char **p, const char *end, double *ret)
{
        char buf[64];
        size_t n = 0;
        char *stop;

        while (*p + n < end && n < sizeof(buf) - 1 && ((*p)[n] && strchr("+-.0123456789eE", (*p)[n]))) {
                /* "12EB" is no exponent. */
                if (((*p)[n] == 'e' || (*p)[n] == 'E') && !(*p + n + 1 < end && strchr("+-0123456789", (*p)[n + 1])))
                        break;
                buf[n] = (*p)[n];
                n++;
        }
        buf[n] = '\0';
        *ret = strtod(buf, &stop);
        *p += n;
        return n > 0 && stop == buf + n && isfinite(*ret);
}

static bool set_unit(struct nagios_value *v, const char *unit, size_t len)
{
        if (len >= sizeof(v->unit))
                return false;
        for (size_t i = 0; i < ARRAY_LEN(units); i++)
                if (strlen(units[i].unit) == len && memcmp(units[i].unit, unit, len) == 0) {
                        v->metric = units[i].metric;
                        v->value *= units[i].factor;
                        return isfinite(v->value) && (v->value >= 0 || !streq(v->metric, "plugin_count_total"));
                }
        v->metric = "plugin_value";
        copy_text(v->unit, sizeof(v->unit), unit, len);
        return true;
}

static bool is_there(const struct nagios_output *o, const struct nagios_value *v)
{
        for (size_t i = 0; i < o->n_values; i++)
                if (streq(o->values[i].label, v->label))
                        return true;
        return false;
}

static void parse_perfdata(const char *p, const char *end, struct nagios_output *o)
{
        while (p < end) {
                struct nagios_value v = { .unit = "" };
                const char *unit;
                bool good;

                if (isspace((unsigned char)*p)) {
                        p++;
                        continue;
                }
                good = take_label(&p, end, v.label, sizeof(v.label));
                if (good && p < end && *p == 'U' && (p + 1 == end || p[1] == ';' || isspace((unsigned char)p[1]))) {
                        good = true; /* "could not be determined": nothing is wrong with the form */
                } else if (good) {
                        good = take_number(&p, end, &v.value);
                        for (unit = p; p < end && *p != ';' && !isspace((unsigned char)*p); p++)
                                ;
                        good = good && set_unit(&v, unit, (size_t)(p - unit)) && o->n_values < NAGIOS_VALUES_MAX && !is_there(o, &v);
                        if (good)
                                o->values[o->n_values++] = v;
                }
                if (!good)
                        o->ignored++;
                while (p < end && !isspace((unsigned char)*p))
                        p++;
        }
}

static const char *line_end(const char *p, const char *end)
{
        const char *nl = memchr(p, '\n', (size_t)(end - p));

        return nl ? nl : end;
}

static int check_bytes(const char *out, size_t len, struct errinfo *err)
{
        for (size_t i = 0; i < len; i++)
                if (((unsigned char)out[i] < ' ' && !strchr("\t\n\r\033\f\v\b\a", out[i])) || out[i] == '\0')
                        return err_set(err, -EINVAL, "it printed bytes that are no text");
        return 0;
}

int nagios_parse(const char *out, size_t len, struct nagios_output *ret, struct errinfo *err)
{
        const char *end = out + len, *p = out, *eol, *bar;

        memset(ret, 0, sizeof(*ret));
        while (p < end && isspace((unsigned char)*p))
                p++;
        if (p == end)
                return err_set(err, -EINVAL, "it printed nothing");
        if (check_bytes(out, len, err) < 0)
                return -EINVAL;
        eol = line_end(p, end);
        bar = memchr(p, '|', (size_t)(eol - p));
        copy_text(ret->text, sizeof(ret->text), p, (size_t)((bar ? bar : eol) - p));
        if (!ret->text[0])
                return err_set(err, -EINVAL, "it printed no text");
        if (bar)
                parse_perfdata(bar + 1, eol, ret);
        /* Long text, and behind its | performance data to the end. */
        bar = eol < end ? memchr(eol, '|', (size_t)(end - eol)) : NULL;
        if (bar)
                parse_perfdata(bar + 1, end, ret);
        return 0;
}

bool nagios_contradicts(enum nagios_status exit_status, const char *text)
{
        static const struct {
                const char *word;
                enum nagios_status status;
        } words[] = { { "OK", NAGIOS_OK }, { "WARNING", NAGIOS_WARNING }, { "CRITICAL", NAGIOS_CRITICAL }, { "UNKNOWN", NAGIOS_UNKNOWN } };
        const char *p = text;

        /* "SERVICE STATUS: text": the first of these words among the first three counts; "0 CRITICAL" is a number of them. */
        for (int i = 0; i < 3 && *p; i++) {
                size_t n;

                p += strspn(p, " \t:;,-[](){}");
                n = strcspn(p, " \t:;,-[](){}");
                if (n > 0 && isdigit((unsigned char)*p))
                        return false;
                for (size_t k = 0; k < ARRAY_LEN(words); k++)
                        if (strlen(words[k].word) == n && memcmp(p, words[k].word, n) == 0)
                                return exit_status == NAGIOS_OK && words[k].status != NAGIOS_OK;
                p += n;
        }
        return false;
}
