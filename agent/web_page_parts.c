/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* What all parts of the status page are made of: levels, times, ages, and components in the order in which to read them. */

#include "web_page.h"

#include <math.h>
#include <time.h>

/* A shape of its own for each level, so that it is told apart without colour; and a word for those who hear the page. */
void web_page_icon(struct textbuf *out, enum level level)
{
        static const char *const shapes[LEVEL_MAX] = {
                [LEVEL_OK] = "<circle cx=\"8\" cy=\"8\" r=\"7.5\"/><path class=\"glyph\" d=\"M4.5 8.3 7 10.8 11.6 5.6\"/>",
                [LEVEL_NOTICE] = "<circle cx=\"8\" cy=\"8\" r=\"7.5\"/><path class=\"glyph\" d=\"M8 7.3v4.4M8 4.3v.4\"/>",
                [LEVEL_WARNING] = "<path d=\"M8 .6 15.8 15H.2z\"/><path class=\"glyph\" d=\"M8 5.8v4.2M8 12.4v.3\"/>",
                [LEVEL_UNKNOWN] = "<path d=\"M8 0 16 8 8 16 0 8z\"/><path class=\"glyph\" d=\"M6.1 6.2c.2-2.4 4-2.2 3.8.1C9.8 7.6 8 7.7 8 9.2M8 11.6v.3\"/>",
                [LEVEL_CRITICAL] = "<path d=\"M4.7.3h6.6l4.4 4.4v6.6l-4.4 4.4H4.7L.3 11.3V4.7z\"/><path class=\"glyph\" d=\"m5.3 5.3 5.4 5.4m0-5.4-5.4 5.4\"/>",
        };

        textbuf_printf(out, "<svg class=\"icon\" viewBox=\"0 0 16 16\" aria-hidden=\"true\">%s</svg>", shapes[level]);
}

void web_page_level(struct textbuf *out, enum level level)
{
        textbuf_printf(out, "<span class=\"level l-%s\">", level_name(level));
        web_page_icon(out, level);
        textbuf_printf(out, "<span class=\"word\">%s</span></span>", level_name(level));
}

void web_page_time(struct textbuf *out, double wall)
{
        char machine[40], human[40];
        time_t t;
        struct tm tm;

        if (!isfinite(wall) || fabs(wall) > 1e11) {
                textbuf_str(out, "-");
                return;
        }
        t = (time_t)wall;
        localtime_r(&t, &tm);
        strftime(machine, sizeof(machine), "%Y-%m-%dT%H:%M:%S%z", &tm);
        /* The year only where it could be taken for another one. */
        if (fabs(web_wall() - wall) < 300 * 86400.0)
                strftime(human, sizeof(human), "%-d %b %H:%M", &tm);
        else
                strftime(human, sizeof(human), "%-d %b %Y", &tm);
        textbuf_printf(out, "<time datetime=\"%s\">%s</time>", machine, human);
}

void web_page_age(struct textbuf *out, double age_s)
{
        char text[32];

        status_duration(age_s, text, sizeof(text));
        textbuf_str(out, isfinite(age_s) ? text : "never");
        if (isfinite(age_s))
                textbuf_str(out, "<span class=\"ago\"> ago</span>");
}

/* --- components ----------------------------------------------------------------------------------- */

struct web_view web_page_view(const json_t *c)
{
        const json_t *reasons = json_object_get(c, "reasons");
        int before = level_from_name(status_text(c, "level_before"));
        struct web_view v = { .c = c, .now = status_level(c), .silent = before >= 0, .kind_worst = LEVEL_OK };

        /* While the brain is silent the first reason says so, for each component the same; what was said before comes after it. */
        v.level = v.silent ? (enum level)before : v.now;
        v.reason = json_array_get(reasons, v.silent);
        v.more = MAX(json_array_size(reasons), (size_t)v.silent + 1) - v.silent - 1;
        v.why = v.silent ? status_text(v.reason, "text") : status_text(c, "why");
        v.since = status_number(v.silent ? v.reason : c, "since");
        return v;
}

/* "sda2" before "sda10". */
int web_page_by_name(const void *a, const void *b)
{
        return strverscmp(status_text(((const struct web_view *)a)->c, "component"), status_text(((const struct web_view *)b)->c, "component"));
}

struct web_view *web_page_views(const json_t *components, size_t *ret_n)
{
        size_t n = json_array_size(components), i;
        struct web_view *list = calloc(n ? n : 1, sizeof(*list));
        const json_t *c;

        if (!list)
                abort();
        json_array_foreach(components, i, c)
                list[i] = web_page_view(c);
        *ret_n = n;
        return list;
}

size_t web_page_run(const struct web_view *list, size_t n, bool (*same)(const struct web_view *a, const struct web_view *b))
{
        size_t end = 1;

        while (end < n && same(&list[0], &list[end]))
                end++;
        return end;
}
