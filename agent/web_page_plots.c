/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The middle of the status page: the last days of what matters and what happened, out of RUN/plots.json. The file
 * may hold a thousand plots; they are read one at a time, and those of the worst components come first. */

#include "web_page.h"

#include <math.h>
#include <time.h>

#include "json_each.h"
#include "svg_plot.h"

#define PLOTS_MAX 24 /* of what is well, and as many of what is not */
#define POINTS_READ_MAX 20000
#define POINTS_MAX 160 /* more than the drawing can show apart */
#define EVENTS_OPEN 8 /* further ones are folded */
#define EVENTS_MAX 50

struct collect {
        const json_t *components;
        struct textbuf plots[LEVEL_MAX];
        size_t n_wrong, n_well, total;
        int utc_offset_s;
};

static struct web_view view_of(const json_t *components, const char *name)
{
        const json_t *c;
        size_t i;

        json_array_foreach(components, i, c)
                if (streq(status_text(c, "component"), name))
                        return web_page_view(c);
        return (struct web_view){ .level = LEVEL_OK, .now = LEVEL_OK };
}

/* "disk_temperature_celsius" to "disk temperature". */
static void put_metric(struct textbuf *out, const char *metric, const char *unit)
{
        size_t len = strlen(metric), u = strlen(unit);
        char text[128];

        if (len > 6 && streq(metric + len - 6, "_total"))
                len -= 6;
        if (u && len > u + 1 && memcmp(metric + len - u, unit, u) == 0 && metric[len - u - 1] == '_')
                len -= u + 1;
        snprintf(text, sizeof(text), "%.*s", (int)MIN(len, sizeof(text) - 1), metric);
        for (char *c = text; *c; c++)
                if (*c == '_')
                        *c = ' ';
        textbuf_html(out, text);
}

static double at(const json_t *point, size_t i)
{
        const json_t *v = json_array_get(point, i);

        return json_is_number(v) ? json_number_value(v) : NAN;
}

/* Joins neighbours where there are more points than can be told apart. */
static size_t read_points(const json_t *list, struct plot_point *points)
{
        size_t n = MIN(json_array_size(list), (size_t)POINTS_READ_MAX), step = (n + POINTS_MAX - 1) / POINTS_MAX, count = 0;

        for (size_t i = 0; i < n; i += step) {
                struct plot_point p = { NAN, 0, INFINITY, -INFINITY };
                size_t k = 0;

                for (size_t j = i; j < n && j < i + step; j++) {
                        const json_t *point = json_array_get(list, j);

                        if (!isfinite(at(point, 0)) || !isfinite(at(point, 1)))
                                continue;
                        p.t = at(point, 0);
                        p.mean += at(point, 1);
                        p.min = fmin(p.min, isfinite(at(point, 2)) ? at(point, 2) : at(point, 1));
                        p.max = fmax(p.max, isfinite(at(point, 3)) ? at(point, 3) : at(point, 1));
                        k++;
                }
                p.mean /= (double)k;
                if (k)
                        points[count++] = p;
        }
        return count;
}

static bool is_word(const char *s, const char *const *words, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (streq(words[i], s))
                        return true;
        return false;
}

static void put_labels(struct textbuf *out, const json_t *labels, const char *component)
{
        /* What only rules ask for, or what the name of the component says already. */
        static const char *const quiet[] = { "judged", "component_kind", "device", "fstype", "holds", "size", "medium" };
        const char *key;
        json_t *v;

        json_object_foreach((json_t *)labels, key, v)
                if (json_is_string(v) && !is_word(key, quiet, ARRAY_LEN(quiet)) && !streq(json_string_value(v), component)) {
                        textbuf_char(out, ' ');
                        textbuf_html(out, json_string_value(v));
                }
}

/* A count is a whole number, whatever the mean of an hour says; the worst of the hour is what it came to. */
static double newest(const struct plot *plot)
{
        const struct plot_point *last = &plot->points[plot->n - 1];

        return *plot->unit ? last->mean : last->max;
}

static void put_figure(struct textbuf *out, const json_t *o, enum level level, const struct plot *plot)
{
        char value[48];

        textbuf_printf(out, "<figure class=\"card l-%s\"><figcaption><span class=\"of\">", level_name(level));
        if (level > LEVEL_OK)
                web_page_icon(out, level);
        textbuf_str(out, "<strong>");
        textbuf_html(out, status_text(o, "component"));
        textbuf_str(out, "</strong></span>");
        if (plot->n) {
                plot_value_text(newest(plot), plot->unit, value, sizeof(value));
                textbuf_printf(out, "<span class=\"now\">%s</span>", value);
        }
        textbuf_str(out, "<span class=\"what muted\">");
        put_metric(out, status_text(o, "metric"), plot->unit);
        put_labels(out, json_object_get(o, "labels"), status_text(o, "component"));
        textbuf_str(out, "</span></figcaption>");
        svg_plot(out, plot);
        textbuf_str(out, "</figure>\n");
}

static int one_plot(void *data, const json_t *o)
{
        struct plot_point points[POINTS_MAX + 1];
        struct collect *c = data;
        struct web_view view = view_of(c->components, status_text(o, "component"));
        size_t *n_shown = view.level > LEVEL_OK ? &c->n_wrong : &c->n_well;
        struct plot plot = { .unit = status_text(o, "unit"), .from = status_number(o, "from"), .to = status_number(o, "to"),
                             .utc_offset_s = c->utc_offset_s, .points = points };
        char label[512], low[48], high[48];
        double min = INFINITY, max = -INFINITY;

        c->total++;
        if (*n_shown >= PLOTS_MAX || !json_array_size(json_object_get(o, "points")) ||
            strlen(status_text(o, "component")) + strlen(status_text(o, "metric")) > 300)
                return 0;
        plot.n = read_points(json_object_get(o, "points"), points);
        for (size_t i = 0; i < plot.n; i++) {
                min = fmin(min, points[i].min);
                max = fmax(max, points[i].max);
        }
        plot_value_text(min, plot.unit, low, sizeof(low));
        plot_value_text(max, plot.unit, high, sizeof(high));
        snprintf(label, sizeof(label), "%s of %s: between %s and %s", status_text(o, "metric"), status_text(o, "component"), low, high);
        plot.label = label;
        put_figure(&c->plots[view.level], o, view.now, &plot);
        (*n_shown)++;
        return 0;
}

static void put_event(struct textbuf *out, const json_t *e)
{
        int from = level_from_name(status_text(e, "from")), to = level_from_name(status_text(e, "to"));

        textbuf_str(out, "<li><span class=\"when muted\">");
        web_page_time(out, status_number(e, "time"));
        textbuf_str(out, "</span><span class=\"what\"><strong>");
        textbuf_html(out, status_text(e, "component"));
        textbuf_str(out, "</strong> ");
        if (from >= 0 && to >= 0 && from != to) {
                textbuf_printf(out, "<span class=\"muted\">from %s to</span> ", level_name((enum level)from));
                web_page_level(out, (enum level)to);
                textbuf_char(out, ' ');
        }
        textbuf_html(out, status_text(e, "why"));
        if (status_number(e, "count") > 1)
                textbuf_printf(out, " <span class=\"muted\">(%.0f times)</span>", status_number(e, "count"));
        textbuf_str(out, "</span></li>\n");
}

/* Newest first, whatever the order of the file. */
static int compare_events(const void *a, const void *b)
{
        double ta = status_number(*(const json_t *const *)a, "time"), tb = status_number(*(const json_t *const *)b, "time");

        return (ta < tb) - (ta > tb);
}

static void put_older(struct textbuf *out, const json_t **list, size_t n)
{
        size_t shown = MIN(n, (size_t)(EVENTS_MAX - EVENTS_OPEN));

        textbuf_printf(out, "<details class=\"older\"><summary>%zu before that</summary>\n<ol class=\"events\">\n", shown);
        for (size_t i = 0; i < shown; i++)
                put_event(out, list[i]);
        textbuf_str(out, "</ol>\n<p class=\"muted small\">Older ones: <code>veillectl events</code></p></details>\n");
}

static void put_events(struct textbuf *out, const json_t *events)
{
        size_t n = json_array_size(events), i, count = 0;
        _cleanup_free_ const json_t **list = calloc(n ? n : 1, sizeof(*list));
        const json_t *e;

        if (!list)
                abort();
        json_array_foreach(events, i, e)
                if (isfinite(status_number(e, "time")))
                        list[count++] = e;
        if (count == 0)
                return;
        qsort(list, count, sizeof(*list), compare_events);
        textbuf_str(out, "<section aria-labelledby=\"events\">\n<h2 id=\"events\">What happened</h2>\n<ol class=\"events\">\n");
        for (i = 0; i < count && i < EVENTS_OPEN; i++)
                put_event(out, list[i]);
        textbuf_str(out, "</ol>\n");
        if (count > EVENTS_OPEN)
                put_older(out, list + EVENTS_OPEN, count - EVENTS_OPEN);
        textbuf_str(out, "</section>\n");
}

static void put_plots(struct textbuf *out, const struct collect *c)
{
        textbuf_str(out, "<section aria-labelledby=\"plots\">\n<h2 id=\"plots\">The last days</h2>\n<div class=\"plots\">\n");
        for (int l = LEVEL_MAX; l-- > 0;)
                textbuf_add(out, c->plots[l].data, c->plots[l].len);
        textbuf_str(out, "</div>\n");
        if (c->total > c->n_wrong + c->n_well)
                textbuf_printf(out, "<p class=\"muted small\">%zu more are kept: <code>veillectl history COMPONENT METRIC</code></p>\n",
                               c->total - c->n_wrong - c->n_well);
        textbuf_str(out, "</section>\n");
}

void web_page_plots(struct web *w, struct textbuf *out, const json_t *components)
{
        struct collect c = { .components = components };
        _cleanup_free_ char *text = NULL;
        time_t now = (time_t)web_wall();
        struct errinfo err = { 0 };
        json_t *rest = NULL;
        struct tm tm;
        size_t len;

        localtime_r(&now, &tm);
        c.utc_offset_s = (int)tm.tm_gmtoff;
        if (web_file_read(w, WEB_PLOTS, &text, &len, &err) < 0 || json_each(text, len, "plots", one_plot, &c, &rest, &err) < 0) {
                textbuf_str(out, "<section aria-labelledby=\"plots\">\n<h2 id=\"plots\">The last days</h2>\n<p class=\"muted\">No history to show: ");
                textbuf_html(out, err.text);
                textbuf_str(out, "</p>\n</section>\n");
        } else {
                if (c.n_wrong + c.n_well)
                        put_plots(out, &c);
                put_events(out, json_object_get(rest, "events"));
        }
        json_decref(rest);
        for (int l = 0; l < LEVEL_MAX; l++)
                textbuf_done(&c.plots[l]);
}
