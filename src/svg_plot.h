/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_SVG_PLOT_H
#define VEILLE_SVG_PLOT_H

/* One small time series as inline SVG: mean as a line, min to max as a band, gaps left open. Colours come
 * from the page by class (plot-line, plot-band, plot-grid, plot-text), so it follows light and dark. Pure. */

#include "textbuf.h"

struct plot_point {
        double t, mean, min, max;
};

struct plot {
        const char *label; /* for people who do not see it */
        const char *unit;  /* of the catalogue: "celsius", "bytes", "ratio", "" */
        double from, to;   /* seconds since the epoch */
        int utc_offset_s;  /* day lines are at local midnight */
        const struct plot_point *points; /* by time; those out of order or not finite are passed over */
        size_t n;
};

void svg_plot(struct textbuf *out, const struct plot *plot);

/* A value with its unit as people read it, in three digits: "41.3 °C", "93 %", "1.2 TB", "1180 rpm". */
void plot_value_text(double v, const char *unit, char *buf, size_t size);

/* The same for the steps of an axis: exact, and without the unit where that would need too much room. */
void plot_axis_text(double v, const char *unit, char *buf, size_t size);

/* Lower and upper end and step of an axis that shows low to high in at most 4 round steps. What has no unit and is whole is a
 * count: no half ones are shown of it. Of a ratio nothing finer than a hundredth of a percent. */
void plot_axis(double low, double high, const char *unit, double *ret_from, double *ret_to, double *ret_step);

#endif
