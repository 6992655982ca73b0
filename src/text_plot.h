/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_TEXT_PLOT_H
#define VEILLE_TEXT_PLOT_H

/* A time series for a terminal: from min to max as a bar in every column, gaps left open, in braille dots (2 x 4 a
 * character) or in plain ASCII. Pure: the caller knows the terminal. */

#include "svg_plot.h"

/* Something that happened: a sign below the axis. */
struct text_mark {
        double t;
        char sign;
        const char *colour; /* "" or an escape sequence */
};

struct text_plot {
        struct plot plot;     /* label is not shown */
        double step_s;        /* a point tells of so much time from its own on */
        int width;            /* columns in all, axis included; at least TEXT_PLOT_WIDTH_MIN */
        int height;           /* rows of the drawing, without axis; 3 to 50 */
        bool utf8, colours;
        const struct text_mark *marks; /* by time */
        size_t n_marks;
};

#define TEXT_PLOT_WIDTH_MIN 30

void text_plot(struct textbuf *out, const struct text_plot *p);

/* The same in one row of so many columns, for lists. */
void text_spark(struct textbuf *out, const struct plot *plot, double step_s, int width, bool utf8);

/* How many columns of the drawing text_plot() has for the same p, so that the caller can ask for as many slices. */
int text_plot_slices(const struct text_plot *p);

/* plot_value_text() for a terminal: no no-break spaces, no degree sign without UTF-8. */
void text_value(double v, const char *unit, bool utf8, char *buf, size_t size);

#endif
