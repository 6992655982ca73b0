/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_CTL_HISTORY_H
#define VEILLE_CTL_HISTORY_H

/* Series of one component as the store answers them, and their forms for programs. */

#include "ctl_store.h"
#include "series_key.h"
#include "svg_plot.h"

struct history_ask {
        const char *component, *metric; /* metric "": all */
        double from, to;                /* from is moved back a little so that slices are whole seconds */
        int points;
};

struct history_series {
        json_t *line;
        const char *key; /* in line */
        char metric[SERIES_KEY_MAX + 1];
        double step_s;
        struct plot_point *points;
        size_t n;
};

struct history_set {
        struct history_series *items;
        size_t n;
};

/* In order of name. No series is no error. */
int history_fetch(struct ctl_store *store, struct history_ask *ask, struct history_set *set, struct errinfo *err);
void history_set_done(struct history_set *set);

/* The points of a "series" line, owned by the caller; what is no point is left out. */
struct plot_point *history_points(const json_t *line, size_t *ret_n);

/* --- ctl_history_forms.c: exit status ------------------------------------------------------------------------- */
int history_print_json(const struct history_set *set, const struct history_ask *ask);
int history_print_csv(const struct history_set *set, const struct history_ask *ask);

#endif
