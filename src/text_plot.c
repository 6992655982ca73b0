/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Plots of text. The drawing is a grid of dots: braille has 2 x 4 of them in a character, ASCII one. */

#include "text_plot.h"

#include <math.h>
#include <time.h>

#include "text_wrap.h"

#define LABEL_WIDTH 9 /* of the axis on the left: "-123.4 GB" */
#define DAY_S 86400.0
#define COLUMNS_MAX 1000
#define ROWS_MAX 50

/* One column of dots. */
struct column {
        double low, high, mean;
        bool seen;
};

struct canvas {
        const struct text_plot *p;
        double low, high, step; /* of the axis */
        int columns, rows;      /* in dots */
        int wide, tall;         /* dots of a character */
        int chars;              /* columns / wide */
};

/* No-break spaces are for HTML. */
static void plain_spaces(char *s, bool utf8)
{
        char *to = s;

        for (; *s; s++) {
                if (str_starts(s, "\u00a0")) {
                        *to++ = ' ';
                        s++;
                } else if (!utf8 && (unsigned char)*s >= 0x80) {
                        continue; /* the degree sign is all there is */
                } else {
                        *to++ = *s;
                }
        }
        *to = '\0';
}

void text_value(double v, const char *unit, bool utf8, char *buf, size_t size)
{
        plot_value_text(v, unit, buf, size);
        plain_spaces(buf, utf8);
}

static bool usable(const struct plot_point *p, const struct plot *plot)
{
        return isfinite(p->t) && isfinite(p->mean) && isfinite(p->min) && isfinite(p->max) && p->min <= p->max && p->t >= plot->from &&
               p->t <= plot->to;
}

static void widen(struct column *c, double low, double high)
{
        c->low = MIN(c->low, low);
        c->high = MAX(c->high, high);
}

static void put_point(struct column *c, const struct plot_point *p)
{
        if (c->seen)
                widen(c, p->min, p->max);
        else
                *c = (struct column){ p->min, p->max, p->mean, true };
        c->mean = p->mean;
}

/* Every point into the columns of its time. False: there is nothing to show. */
static bool collect(const struct plot *plot, double step_s, struct column *columns, int n, double *ret_low, double *ret_high)
{
        double per_s = n / (plot->to - plot->from);
        bool any = false;

        for (size_t i = 0; i < plot->n; i++) {
                const struct plot_point *p = &plot->points[i];
                int from, to;

                if (!usable(p, plot))
                        continue;
                /* A thousandth of a column forgives rounding of the slices' times to seconds. */
                from = (int)floor((p->t - plot->from) * per_s + 1e-3);
                to = (int)ceil((MIN(p->t + MAX(step_s, 0), plot->to) - plot->from) * per_s - 1e-3);
                from = MIN(from, n - 1);
                for (int k = from; k < MAX(MIN(to, n), from + 1); k++)
                        put_point(&columns[k], p);
                *ret_low = any ? MIN(*ret_low, p->min) : p->min;
                *ret_high = any ? MAX(*ret_high, p->max) : p->max;
                any = true;
        }
        return any;
}

static int row_of(const struct canvas *c, double v)
{
        double row = (c->high - v) / (c->high - c->low) * (c->rows - 1);

        return (int)lround(MIN(MAX(row, 0), c->rows - 1));
}

/* Neighbours are joined, so that a slope is a line and not a row of dots. */
static void draw(const struct canvas *c, const struct column *columns, unsigned char *dots)
{
        for (int x = 0; x < c->columns; x++) {
                struct column col = columns[x];

                if (!col.seen)
                        continue;
                if (x > 0 && columns[x - 1].seen)
                        widen(&col, columns[x - 1].mean, columns[x - 1].mean);
                for (int y = row_of(c, col.high); y <= row_of(c, col.low); y++)
                        dots[y * c->columns + x] = y == row_of(c, columns[x].mean) ? 2 : 1;
        }
}

static void put_braille(struct textbuf *out, const struct canvas *c, const unsigned char *dots, int x, int y)
{
        static const unsigned char bits[4][2] = { { 0x01, 0x08 }, { 0x02, 0x10 }, { 0x04, 0x20 }, { 0x40, 0x80 } };
        unsigned cell = 0;

        for (int dy = 0; dy < 4; dy++)
                for (int dx = 0; dx < 2; dx++)
                        if (dots[(y * 4 + dy) * c->columns + x * 2 + dx])
                                cell |= bits[dy][dx];
        if (cell == 0)
                textbuf_char(out, ' ');
        else
                textbuf_printf(out, "\xe2%c%c", 0xa0 + (int)(cell >> 6), 0x80 + (int)(cell & 0x3f)); /* U+2800 + cell */
}

/* The label of the round value that lies in this row of characters, or "". Where two do, the ends of the axis come first. */
static void row_label(const struct canvas *c, int y, char *buf, size_t size)
{
        int n = MIN((int)lround((c->high - c->low) / c->step), 8);

        buf[0] = '\0';
        for (int i = 0; i <= n && !*buf; i++) {
                double v = c->low + (i == 0 ? 0 : i == 1 ? n : i - 1) * c->step;

                if (row_of(c, v) / c->tall == y)
                        plot_axis_text(fabs(v) < c->step / 1e6 ? 0 : v, c->p->plot.unit, buf, size);
        }
        plain_spaces(buf, c->p->utf8);
}

static void put_rows(struct textbuf *out, const struct canvas *c, const unsigned char *dots)
{
        const char *dim = c->p->colours ? "\033[2m" : "", *line = c->p->colours ? "\033[36m" : "", *off = c->p->colours ? "\033[0m" : "";

        for (int y = 0; y < c->p->height; y++) {
                char label[64];

                row_label(c, y, label, sizeof(label));
                textbuf_printf(out, "%s%*s%s %s%s", dim, MAX(LABEL_WIDTH - (int)text_columns(label), 0), "", label,
                               c->p->utf8 ? *label ? "┤" : "│" : *label ? "+" : "|", off);
                textbuf_str(out, line);
                for (int x = 0; x < c->chars; x++)
                        if (c->p->utf8)
                                put_braille(out, c, dots, x, y);
                        else
                                textbuf_char(out, " :*"[dots[y * c->columns + x]]);
                /* White space at the end of a line is nothing to copy into a report. */
                while (out->len > 0 && out->data[out->len - 1] == ' ')
                        out->len--;
                textbuf_printf(out, "%s\n", off);
        }
}

/* --- time ------------------------------------------------------------------------------------------------- */

static int char_of(const struct canvas *c, double t)
{
        return (int)((t - c->p->plot.from) / (c->p->plot.to - c->p->plot.from) * c->chars);
}

/* The least round step of which the labels have room. */
static double time_step(const struct canvas *c)
{
        static const double steps[] = { 10,        30,         60,        300,        600,        900,         1800,        3600,
                                        7200,      10800,      21600,     43200,      DAY_S,      2 * DAY_S,   7 * DAY_S,   14 * DAY_S,
                                        30 * DAY_S, 60 * DAY_S, 91 * DAY_S, 182 * DAY_S, 365 * DAY_S, 730 * DAY_S, 3650 * DAY_S };
        double per_char = (c->p->plot.to - c->p->plot.from) / c->chars;
        size_t i = 0;

        while (i + 1 < ARRAY_LEN(steps) && steps[i] < 10 * per_char)
                i++;
        return steps[i];
}

/* "14:00", at midnight "24 Nov"; with seconds where minutes would say the same twice. */
static void time_text(double local, double step, char *buf, size_t size)
{
        time_t t = (time_t)local;
        struct tm tm;

        gmtime_r(&t, &tm); /* already local */
        if (fmod(local, DAY_S) == 0)
                strftime(buf, size, step >= 182 * DAY_S ? "%b %Y" : "%-d %b", &tm);
        else
                strftime(buf, size, step < 60 ? "%H:%M:%S" : "%H:%M", &tm);
}

static void put_axis(struct textbuf *out, const struct canvas *c)
{
        const char *dim = c->p->colours ? "\033[2m" : "", *off = c->p->colours ? "\033[0m" : "";
        double step = time_step(c), offset = c->p->plot.utc_offset_s, first = ceil((c->p->plot.from + offset) / step) * step;
        char labels[COLUMNS_MAX + 32], ticks[COLUMNS_MAX + 1];
        int free_from = 0;

        memset(labels, ' ', sizeof(labels));
        memset(ticks, '-', sizeof(ticks));
        for (int i = 0; first + i * step - offset <= c->p->plot.to; i++) {
                double local = first + i * step;
                int x = MIN(char_of(c, local - offset), c->chars - 1), len, at;
                char text[24];

                time_text(local, step, text, sizeof(text));
                len = (int)strlen(text);
                at = MAX(MIN(x - len / 2, c->chars - len), 0);
                ticks[x] = '+';
                if (at < free_from)
                        continue;
                memcpy(labels + at, text, (size_t)len);
                free_from = at + len + 1;
        }
        textbuf_printf(out, "%s%*s%s", dim, LABEL_WIDTH + 1, "", c->p->utf8 ? "└" : "+");
        for (int x = 0; x < c->chars; x++)
                textbuf_str(out, c->p->utf8 ? ticks[x] == '+' ? "┬" : "─" : ticks[x] == '+' ? "+" : "-");
        textbuf_printf(out, "\n%*s%.*s%s\n", LABEL_WIDTH + 2, "", MAX(free_from - 1, 0), labels, off);
}

static void put_marks(struct textbuf *out, const struct canvas *c)
{
        const struct text_mark *at[COLUMNS_MAX] = { NULL };
        bool any = false;

        for (size_t i = 0; i < c->p->n_marks; i++) {
                const struct text_mark *m = &c->p->marks[i];

                if (m->t < c->p->plot.from || m->t > c->p->plot.to)
                        continue;
                at[MIN(char_of(c, m->t), c->chars - 1)] = m; /* the last of a column counts */
                any = true;
        }
        if (!any)
                return;
        textbuf_printf(out, "%*s  ", LABEL_WIDTH, "level");
        for (int x = 0, blanks = 0; x < c->chars; x++) {
                if (!at[x]) {
                        blanks++;
                        continue;
                }
                textbuf_printf(out, "%*s%s%c%s", blanks, "", c->p->colours ? at[x]->colour : "", at[x]->sign, c->p->colours ? "\033[0m" : "");
                blanks = 0;
        }
        textbuf_char(out, '\n');
}

/* --- all of it ---------------------------------------------------------------------------------------------- */

static int drawing_width(const struct text_plot *p)
{
        return MIN(MAX(p->width, TEXT_PLOT_WIDTH_MIN) - LABEL_WIDTH - 2, COLUMNS_MAX / 2);
}

int text_plot_slices(const struct text_plot *p)
{
        return drawing_width(p) * (p->utf8 ? 2 : 1);
}

static bool sane_span(const struct plot *p)
{
        return isfinite(p->from) && isfinite(p->to) && p->to > p->from && p->to - p->from < 36525 * DAY_S && fabs(p->from) < 1e11;
}

void text_plot(struct textbuf *out, const struct text_plot *p)
{
        struct canvas c = { .p = p, .wide = p->utf8 ? 2 : 1, .tall = p->utf8 ? 4 : 1, .chars = drawing_width(p) };
        struct column columns[COLUMNS_MAX] = { 0 };
        _cleanup_free_ unsigned char *dots = NULL;
        double low = 0, high = 0;

        assert(p->height >= 3 && p->height <= ROWS_MAX);
        c.columns = c.chars * c.wide;
        c.rows = p->height * c.tall;
        dots = calloc((size_t)c.columns * (size_t)c.rows, 1);
        if (!dots)
                abort();
        if (!sane_span(&p->plot) || !collect(&p->plot, p->step_s, columns, c.columns, &low, &high)) {
                textbuf_printf(out, "%*s  nothing is known of this time\n", LABEL_WIDTH, "");
                return;
        }
        plot_axis(low, high, p->plot.unit, &c.low, &c.high, &c.step);
        draw(&c, columns, dots);
        put_rows(out, &c, dots);
        put_axis(out, &c);
        put_marks(out, &c);
}

void text_spark(struct textbuf *out, const struct plot *plot, double step_s, int width, bool utf8)
{
        static const char *const fine[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" }, *const coarse[] = { "_", ".", ",", "-", "~", "=", "*", "#" };
        struct column columns[COLUMNS_MAX] = { 0 };
        double low = 0, high = 0;

        width = MIN(MAX(width, 1), COLUMNS_MAX);
        if (!sane_span(plot) || !collect(plot, step_s, columns, width, &low, &high))
                return;
        for (int x = 0; x < width; x++) {
                /* What never changed is a line at the bottom. */
                double at = high > low ? (columns[x].mean - low) / (high - low) * 7 : 0;
                int level = at > 0 ? (int)lround(MIN(at, 7)) : 0; /* a mean beyond least and greatest is somebody's mistake, not ours */

                textbuf_str(out, !columns[x].seen ? " " : utf8 ? fine[level] : coarse[level]);
        }
}
