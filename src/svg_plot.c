/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Small plots. The drawing has a fixed width of units and scales with the page; text keeps readable at phone
 * width because the drawing is no wider than a phone's 360 pixels. */

#include "svg_plot.h"

#include <math.h>

#define WIDTH 360.0
#define HEIGHT 120.0
#define LEFT 52.0
#define RIGHT 6.0
#define TOP 8.0
#define BOTTOM 20.0
#define CHAR_WIDTH 6.2 /* of .plot-text, about; of a wide font */
#define DAY_S 86400.0
#define RATIO_LEAST 1e-4

static const struct {
        const char *unit, *suffix;
        double scale;
        bool narrow; /* has room at the axis */
} units[] = {
        { "celsius", "\u00a0\u00b0C", 1, true }, { "ratio", "\u00a0%", 100, true },   { "volts", "\u00a0V", 1, true },
        { "amperes", "\u00a0A", 1, true },       { "watts", "\u00a0W", 1, true },     { "joules", "\u00a0J", 1, true },
        { "rpm", "\u00a0rpm", 1, false },        { "", "", 1, true },
};

/* digits: how exact; an axis needs more than a reader does. */
static void bytes_text(double v, int digits, char *buf, size_t size)
{
        static const char *const names[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };
        size_t i = 0;

        for (; fabs(v) >= 1000 && i + 1 < ARRAY_LEN(names); i++)
                v /= 1000;
        snprintf(buf, size, "%.*g\u00a0%s", digits, v, names[i]);
}

static void seconds_text(double v, int digits, char *buf, size_t size)
{
        static const struct {
                double from, scale;
                const char *name;
        } steps[] = { { 2 * DAY_S, 1 / DAY_S, "d" }, { 7200, 1 / 3600.0, "h" }, { 120, 1 / 60.0, "min" }, { 1, 1, "s" }, { 0, 1000, "ms" } };
        size_t i = 0;

        while (i + 1 < ARRAY_LEN(steps) && fabs(v) < steps[i].from)
                i++;
        if (v == 0)
                i = 3;
        snprintf(buf, size, "%.*g\u00a0%s", digits, v * steps[i].scale, steps[i].name);
}

static void value_text(double v, const char *unit, bool axis, char *buf, size_t size)
{
        const char *suffix = "";

        if (streq(unit, "bytes")) {
                bytes_text(v, axis ? 4 : 3, buf, size);
                return;
        }
        if (streq(unit, "seconds")) {
                seconds_text(v, axis ? 4 : 3, buf, size);
                return;
        }
        for (size_t i = 0; i < ARRAY_LEN(units); i++)
                if (streq(units[i].unit, unit)) {
                        v = streq(unit, "ratio") && fabs(v) < RATIO_LEAST / 100 ? 0 : v * units[i].scale;
                        suffix = axis && !units[i].narrow ? "" : units[i].suffix;
                }
        if (fabs(v) < 1e7 && (axis || fabs(v) >= 100))
                snprintf(buf, size, axis ? "%.6g%s" : "%.0f%s", v, suffix);
        else
                snprintf(buf, size, "%.3g%s", v, suffix);
}

void plot_value_text(double v, const char *unit, char *buf, size_t size)
{
        value_text(v, unit, false, buf, size);
}

void plot_axis_text(double v, const char *unit, char *buf, size_t size)
{
        value_text(v, unit, true, buf, size);
}

static double least_step(double low, double high, const char *unit)
{
        if (streq(unit, "ratio"))
                return RATIO_LEAST;
        return !*unit && low == floor(low) && high == floor(high) ? 1 : 0;
}

void plot_axis(double low, double high, const char *unit, double *ret_from, double *ret_to, double *ret_step)
{
        static const double nice[] = { 1, 2, 2.5, 5, 10 };
        double step, power, least = least_step(low, high, unit);
        size_t i = 0;

        if (!(high > low)) {
                double room = MAX(low == 0 ? 1 : fabs(low) * 0.05, least);

                low -= low == 0 ? 0 : room;
                high += room;
        }
        power = pow(10, floor(log10((high - low) / 4)));
        step = (high - low) / 4;
        while (i + 1 < ARRAY_LEN(nice) && nice[i] * power < step * (1 - 1e-9))
                i++;
        step = MAX(nice[i] * power, least);
        if (least == 1)
                step = ceil(step); /* 2.5 */
        *ret_from = floor(low / step + 1e-9) * step;
        *ret_to = MAX(ceil(high / step - 1e-9) * step, *ret_from + step);
        *ret_step = step;
}

struct frame {
        const struct plot *plot;
        double from, to, low, high, step;
        double gap_s; /* points farther apart than this are not joined */
        double label_end; /* where the last label of the time axis ends */
};

static double x_of(const struct frame *f, double t)
{
        return LEFT + (t - f->from) / (f->to - f->from) * (WIDTH - LEFT - RIGHT);
}

static double y_of(const struct frame *f, double v)
{
        return TOP + (f->high - v) / (f->high - f->low) * (HEIGHT - TOP - BOTTOM);
}

static bool usable(const struct frame *f, size_t i, double after)
{
        const struct plot_point *p = &f->plot->points[i];

        return isfinite(p->mean) && isfinite(p->min) && isfinite(p->max) && p->min <= p->mean && p->mean <= p->max &&
               fabs(p->min) < 1e18 && fabs(p->max) < 1e18 && p->t >= f->from && p->t <= f->to && p->t > after;
}

/* The next usable point at or after i; n when there is none. */
static size_t next_usable(const struct frame *f, size_t i, double after)
{
        while (i < f->plot->n && !usable(f, i, after))
                i++;
        return i;
}

static bool measure(struct frame *f)
{
        double low = INFINITY, high = -INFINITY, before = -INFINITY, least = INFINITY;

        for (size_t i = next_usable(f, 0, before); i < f->plot->n; i = next_usable(f, i + 1, before)) {
                const struct plot_point *p = &f->plot->points[i];

                low = MIN(low, p->min);
                high = MAX(high, p->max);
                least = MIN(least, p->t - before);
                before = p->t;
        }
        if (!(low <= high))
                return false;
        /* Three times the usual distance; the least one is the usual one, for the store writes at fixed steps. */
        f->gap_s = isfinite(least) ? 3 * least : 0;
        plot_axis(low, high, f->plot->unit, &f->low, &f->high, &f->step);
        return true;
}

/* The end of the unbroken run of points that starts at i. */
static size_t run_end(const struct frame *f, size_t i)
{
        double before = f->plot->points[i].t;

        for (;;) {
                size_t next = next_usable(f, i + 1, before);

                if (next == f->plot->n || f->plot->points[next].t - before > f->gap_s)
                        return i;
                before = f->plot->points[next].t;
                i = next;
        }
}

static void draw_run(struct textbuf *out, const struct frame *f, size_t first, size_t last)
{
        const struct plot_point *p = f->plot->points;
        double before;

        if (first == last) {
                textbuf_printf(out, "<circle class=\"plot-dot\" cx=\"%.1f\" cy=\"%.1f\" r=\"1.6\"/>", x_of(f, p[first].t), y_of(f, p[first].mean));
                return;
        }
        textbuf_str(out, "<path class=\"plot-band\" d=\"M");
        before = -INFINITY;
        for (size_t i = next_usable(f, first, before); i <= last; i = next_usable(f, i + 1, before)) {
                textbuf_printf(out, "%.1f %.1f ", x_of(f, p[i].t), y_of(f, p[i].max));
                before = p[i].t;
        }
        /* Back along the lower edge: the usable points again, from right to left. */
        for (size_t i = last + 1; i-- > first;)
                if (isfinite(p[i].t) && p[i].t <= before && usable(f, i, -INFINITY)) {
                        textbuf_printf(out, "%.1f %.1f ", x_of(f, p[i].t), y_of(f, p[i].min));
                        before = p[i].t;
                }
        textbuf_str(out, "Z\"/><polyline class=\"plot-line\" points=\"");
        before = -INFINITY;
        for (size_t i = next_usable(f, first, before); i <= last; i = next_usable(f, i + 1, before)) {
                textbuf_printf(out, "%.1f,%.1f ", x_of(f, p[i].t), y_of(f, p[i].mean));
                before = p[i].t;
        }
        textbuf_str(out, "\"/>");
}

static void draw_levels(struct textbuf *out, const struct frame *f)
{
        int n = (int)lround((f->high - f->low) / f->step);

        for (int i = 0; i <= n && i <= 8; i++) {
                double v = f->low + i * f->step, y = y_of(f, v);
                char text[48];

                /* 0.30000000000000004 is 0.3 */
                if (fabs(v) < f->step / 1e6)
                        v = 0;
                value_text(v, f->plot->unit, true, text, sizeof(text));
                textbuf_printf(out, "<path class=\"plot-grid\" d=\"M%.0f %.1fH%.0f\"/>", LEFT, y, WIDTH - RIGHT);
                textbuf_printf(out, "<text class=\"plot-text\" x=\"%.0f\" y=\"%.1f\" text-anchor=\"end\">%s</text>", LEFT - 5, y + 3.5, text);
        }
}

/* Days since the epoch to day and month (Howard Hinnant's civil_from_days). */
static void day_month(int64_t days, int *ret_day, int *ret_month)
{
        int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097, doe = z - era * 146097;
        int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365, doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        int64_t mp = (5 * doy + 2) / 153;

        *ret_day = (int)(doy - (153 * mp + 2) / 5 + 1);
        *ret_month = (int)(mp < 10 ? mp + 3 : mp - 9);
}

/* A line and, where there is room for it, a label; those at the ends keep inside of the drawing. */
static void draw_tick(struct textbuf *out, struct frame *f, double t, const char *label)
{
        double x = x_of(f, t), width = (double)strlen(label) * CHAR_WIDTH, left = x - width / 2;
        const char *anchor = "middle";

        if (x < LEFT + 16) {
                anchor = "start";
                left = x;
        } else if (x > WIDTH - 20) {
                anchor = "end";
                left = x - width;
        }
        textbuf_printf(out, "<path class=\"plot-grid\" d=\"M%.1f %.0fV%.0f\"/>", x, TOP, HEIGHT - BOTTOM);
        if (left < f->label_end + 3)
                return;
        f->label_end = left + width;
        textbuf_printf(out, "<text class=\"plot-text\" x=\"%.1f\" y=\"%.0f\" text-anchor=\"%s\">%s</text>", x, HEIGHT - 6, anchor, label);
}

static void day_text(int64_t day, char *buf, size_t size)
{
        static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
        int d, m;

        day_month(day, &d, &m);
        snprintf(buf, size, "%d %s", d, months[m - 1]);
}

static void draw_days(struct textbuf *out, struct frame *f)
{
        double offset = f->plot->utc_offset_s, days = (f->to - f->from) / DAY_S;
        int64_t every = (int64_t)ceil(days / 7), day = (int64_t)ceil((f->from + offset) / DAY_S);
        char text[32];

        for (; (double)day * DAY_S - offset <= f->to; day++) {
                if (day % MAX(every, 1))
                        continue;
                day_text(day, text, sizeof(text));
                draw_tick(out, f, (double)day * DAY_S - offset, text);
        }
}

/* Of less than two days the hours or minutes, and the date at midnight. */
static void draw_hours(struct textbuf *out, struct frame *f)
{
        static const int steps[] = { 60, 300, 600, 1200, 3600, 7200, 14400, 21600, 43200 };
        double offset = f->plot->utc_offset_s;
        size_t i = 0;
        int64_t at;
        char text[32];

        while (i + 1 < ARRAY_LEN(steps) && (f->to - f->from) / steps[i] > 6)
                i++;
        for (at = (int64_t)ceil((f->from + offset) / steps[i]) * steps[i]; (double)at - offset <= f->to; at += steps[i]) {
                int64_t minute = (at % 86400 + 86400) % 86400 / 60;

                if (minute == 0)
                        day_text((at >= 0 ? at : at - 86399) / 86400, text, sizeof(text));
                else
                        snprintf(text, sizeof(text), "%02d:%02d", (int)(minute / 60), (int)(minute % 60));
                draw_tick(out, f, (double)at - offset, text);
        }
}

void svg_plot(struct textbuf *out, const struct plot *plot)
{
        struct frame f = { .plot = plot, .from = plot->from, .to = plot->to };

        textbuf_printf(out, "<svg class=\"plot\" viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"", WIDTH, HEIGHT);
        textbuf_html(out, plot->label);
        textbuf_str(out, "\">");
        /* A century is more than anybody keeps; a negative span is a mistake. */
        if (isfinite(f.from) && isfinite(f.to) && f.to > f.from && f.to - f.from < 36525 * DAY_S && fabs(f.from) < 1e11 && measure(&f)) {
                draw_levels(out, &f);
                if (f.to - f.from < 2 * DAY_S)
                        draw_hours(out, &f);
                else
                        draw_days(out, &f);
                for (size_t i = next_usable(&f, 0, -INFINITY); i < plot->n;) {
                        size_t last = run_end(&f, i);

                        draw_run(out, &f, i, last);
                        i = next_usable(&f, last + 1, plot->points[last].t);
                }
        } else {
                textbuf_printf(out, "<text class=\"plot-text\" x=\"%.0f\" y=\"%.0f\" text-anchor=\"middle\">no data</text>", WIDTH / 2, HEIGHT / 2);
        }
        textbuf_str(out, "</svg>");
}
