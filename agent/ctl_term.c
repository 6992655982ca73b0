/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Terminals and times, for all commands that print for eyes. */

#include "ctl_term.h"

#include <langinfo.h>
#include <locale.h>
#include <math.h>
#include <sys/ioctl.h>
#include <time.h>

#include "config_value.h"

static const struct {
        const char *colour;
        const char *sign; /* so that colour is not needed */
} looks[LEVEL_MAX] = {
        [LEVEL_OK] = { "\033[32m", "ok" },
        [LEVEL_NOTICE] = { "\033[36m", "notice" },
        [LEVEL_WARNING] = { "\033[33m", "WARNING" },
        [LEVEL_UNKNOWN] = { "\033[35m", "UNKNOWN" },
        [LEVEL_CRITICAL] = { "\033[1;31m", "CRITICAL" },
};

bool term_colour(void)
{
        const char *term = getenv("TERM"), *no = getenv("NO_COLOR");

        return isatty(STDOUT_FILENO) && !(no && *no) && term && !streq(term, "dumb");
}

bool term_utf8(void)
{
        locale_t l = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
        bool utf8 = l && streq(nl_langinfo_l(CODESET, l), "UTF-8");

        if (l)
                freelocale(l);
        return utf8;
}

int term_columns(void)
{
        struct winsize w;
        const char *c = getenv("COLUMNS");

        if (c && atoi(c) >= 40)
                return MIN(atoi(c), 400);
        if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col >= 40)
                return w.ws_col;
        return 120;
}

const char *term_level_colour(enum level level)
{
        return looks[level].colour;
}

const char *term_level_sign(enum level level)
{
        return looks[level].sign;
}

void term_print_level(enum level level)
{
        bool colours = term_colour();

        printf("%s%-8s%s", colours ? looks[level].colour : "", looks[level].sign, colours ? "\033[0m" : "");
}

void term_print_level_word(enum level level)
{
        bool colours = term_colour();

        printf("%s%s%s", colours ? looks[level].colour : "", looks[level].sign, colours ? "\033[0m" : "");
}

void term_wrap_from(const char *text, int start, int column)
{
        struct textbuf b = { 0 };
        bool wraps = isatty(STDOUT_FILENO) || getenv("COLUMNS");

        text_wrap(&b, text, (size_t)start, (size_t)column, wraps ? (size_t)term_columns() : 0);
        textbuf_char(&b, '\n');
        fwrite(b.data, 1, b.len, stdout);
        textbuf_done(&b);
}

void term_wrap(const char *text, int column)
{
        term_wrap_from(text, column, column);
}

void term_when(double t, char *buf, size_t size)
{
        time_t now = time(NULL), at = isfinite(t) && t > 0 && t < 1e11 ? (time_t)t : 0;
        struct tm tm;

        if (!at) {
                snprintf(buf, size, "-");
                return;
        }
        localtime_r(&at, &tm);
        strftime(buf, size, now - at < 20 * 3600 ? "%H:%M" : now - at < 6 * 86400 ? "%a %H:%M" : "%Y-%m-%d", &tm);
}

void term_when_ahead(double t, char *buf, size_t size)
{
        time_t at = isfinite(t) && t > 0 && t < 1e11 ? (time_t)t : 0;
        struct tm tm;

        if (!at || !localtime_r(&at, &tm) || !strftime(buf, size, "%Y-%m-%d %H:%M", &tm))
                snprintf(buf, size, "-");
}

/* --- times that people type -------------------------------------------------------------------------------- */

bool term_parse_duration(const char *text, double *ret_s)
{
        static const struct config_key key = { .section = "", .key = "", .type = CONFIG_DURATION, .min = 0, .max = 3155760000 };
        struct config_value v = { .number = NAN };
        struct errinfo err = { 0 };
        size_t at;
        bool good = config_value_parse(&key, text, &v, &at, &err) == 0 && v.number >= 0;

        if (good)
                *ret_s = v.number;
        config_value_done(&v);
        return good;
}

static bool parse_ago(const char *text, double now, double *ret)
{
        double s;

        if (!term_parse_duration(text, &s))
                return false;
        *ret = now - s;
        return true;
}

static bool parse_word(const char *text, double now, double *ret)
{
        time_t t = (time_t)now;
        struct tm tm;

        if (!streq(text, "today") && !streq(text, "yesterday") && !streq(text, "now"))
                return false;
        if (streq(text, "now")) {
                *ret = now;
                return true;
        }
        localtime_r(&t, &tm);
        tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
        tm.tm_mday -= streq(text, "yesterday");
        tm.tm_isdst = -1;
        *ret = (double)mktime(&tm);
        return true;
}

/* Local time. What mktime() would silently make of the 31st of February is refused. */
static bool parse_date(const char *text, double now, double *ret)
{
        static const char *const forms[] = { "%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%H:%M" };
        time_t t = (time_t)now;

        for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
                struct tm tm = { 0 }, asked;
                const char *end;
                bool clock = forms[i][1] == 'H';

                if (clock)
                        localtime_r(&t, &tm);
                tm.tm_sec = 0;
                end = strptime(text, forms[i], &tm);
                if (!end || *end)
                        continue;
                tm.tm_isdst = -1;
                asked = tm;
                *ret = (double)mktime(&tm);
                if (tm.tm_mday != asked.tm_mday || tm.tm_mon != asked.tm_mon)
                        return false;
                if (clock && *ret > now) { /* 23:00, asked in the morning: that of yesterday */
                        tm = asked;
                        tm.tm_mday--;
                        *ret = (double)mktime(&tm);
                }
                return true;
        }
        return false;
}

static bool parse_epoch(const char *text, double *ret)
{
        char *end;

        if (text[0] != '@' || text[1] < '0' || text[1] > '9')
                return false;
        *ret = strtod(text + 1, &end);
        return *end == '\0';
}

int term_parse_time(const char *text, double now, double *ret, struct errinfo *err)
{
        double t = NAN;

        if ((parse_epoch(text, &t) || parse_word(text, now, &t) || parse_date(text, now, &t) || parse_ago(text, now, &t)) && t >= 0 && t < 1e11) {
                *ret = t;
                return 0;
        }
        return err_set(err, -EINVAL, "'%s' is no time; say 2h or 3d (so long ago), 14:00, 2026-11-20, \"2026-11-20 14:00\", yesterday or @SECONDS",
                       text);
}
