/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* veillectl history: what was measured of a component, as a list, as plots, as JSON or CSV. */

#include <math.h>
#include <time.h>

#include "ctl_history.h"
#include "ctl_snapshot.h"
#include "ctl_term.h"
#include "suggest.h"
#include "text_wrap.h"
#include "text_plot.h"

#define WEEK_S (7 * 86400.0)
#define POINTS_MAX 2000
#define LIST_WIDTH 24
#define MARKS_MAX 1000
#define ZOOMS_MAX 5

/* --- fetching ------------------------------------------------------------------------------------------------- */

static void on_series(void *data, json_t *line)
{
        struct history_set *set = data;
        struct history_series s = { 0 };
        struct series_key k;

        if (!streq(ctl_text(line, "t"), "series") || series_key_parse(ctl_text(line, "series"), &k) < 0)
                return;
        s.line = json_incref(line);
        s.key = ctl_text(line, "series");
        s.step_s = ctl_number(line, "step");
        snprintf(s.metric, sizeof(s.metric), "%.*s", (int)k.metric_len, k.metric);
        s.points = history_points(line, &s.n);
        set->items = realloc(set->items, (set->n + 1) * sizeof(*set->items));
        if (!set->items)
                abort();
        set->items[set->n++] = s;
}

/* Numbers as they are drawn; a point that is none is left out. */
struct plot_point *history_points(const json_t *line, size_t *ret_n)
{
        const json_t *points = json_object_get(line, "points"), *p;
        struct plot_point *ret = calloc(json_array_size(points) + 1, sizeof(*ret));
        size_t i, n = 0;

        if (!ret)
                abort();
        json_array_foreach(points, i, p) {
                double v[4];
                bool good = json_array_size(p) == 4;

                for (size_t k = 0; k < 4 && good; k++) {
                        good = json_is_number(json_array_get(p, k));
                        v[k] = good ? json_number_value(json_array_get(p, k)) : NAN;
                }
                /* A time beyond the calendar is no time. */
                if (good && v[0] >= 0 && v[0] < 1e11)
                        ret[n++] = (struct plot_point){ v[0], v[1], v[2], v[3] };
        }
        *ret_n = n;
        return ret;
}

static void series_done(struct history_series *s)
{
        json_decref(s->line);
        free(s->points);
}

void history_set_done(struct history_set *set)
{
        for (size_t i = 0; i < set->n; i++)
                series_done(&set->items[i]);
        free(set->items);
        *set = (struct history_set){ 0 };
}

static int by_name(const void *a, const void *b)
{
        const struct history_series *x = a, *y = b;
        int r = strcmp(x->metric, y->metric);

        return r ? r : strcmp(x->key, y->key);
}

/* Slices of whole seconds: from moves back a little. */
static void align(struct history_ask *ask)
{
        double span = MAX(floor(ask->to) - floor(ask->from), 1), slices = MIN((double)ask->points, span);

        ask->to = floor(ask->to);
        ask->from = ask->to - ceil(span / slices) * slices;
}

static int fetch(struct ctl_store *store, struct history_ask *ask, const char *metric, struct history_set *set, struct errinfo *err)
{
        align(ask);
        return ctl_store_ask(store, json_pack("{ss ss ss sf sf si}", "t", "history", "component", ask->component, "metric", metric, "from", ask->from,
                                              "to", ask->to, "points", ask->points),
                             on_series, set, err);
}

/* "metric{label=value}", as it is shown and typed. */
static const char *name_in_key(const struct history_series *s)
{
        char braced[SERIES_KEY_MAX + 3];
        const char *p;

        snprintf(braced, sizeof(braced), "/%s{", s->metric);
        p = strstr(s->key, braced);
        return p ? p + 1 : s->key;
}

/* No metric of that very name: those whose name or labels contain it. */
static int fetch_alike(struct ctl_store *store, struct history_ask *ask, struct history_set *set, struct errinfo *err)
{
        size_t n = 0;
        int r = fetch(store, ask, "", set, err);

        if (r < 0)
                return r;
        for (size_t i = 0; i < set->n; i++) {
                if (strstr(name_in_key(&set->items[i]), ask->metric))
                        set->items[n++] = set->items[i];
                else
                        series_done(&set->items[i]);
        }
        set->n = n;
        return 0;
}

int history_fetch(struct ctl_store *store, struct history_ask *ask, struct history_set *set, struct errinfo *err)
{
        int r = fetch(store, ask, ask->metric, set, err);

        if (r == 0 && set->n == 0 && *ask->metric)
                r = fetch_alike(store, ask, set, err);
        if (r < 0)
                history_set_done(set);
        else if (set->n)
                qsort(set->items, set->n, sizeof(*set->items), by_name);
        return r;
}

/* --- nothing found: why? --------------------------------------------------------------------------------------- */

static int no_such_component(const struct common_options *options, const struct history_ask *ask)
{
        struct errinfo err = { 0 };
        struct ctl_snapshot s;
        const char *near = NULL;
        bool known = false, loaded = ctl_snapshot_load(options, &s, &err) == 0;

        if (loaded) {
                known = ctl_component(&s, ask->component);
                near = known ? NULL : ctl_component_meant(&s, ask->component);
        }
        if (known)
                ctl_fail("nothing has been kept of '%s' yet; values are kept once a minute, names and levels are in veillectl status and events",
                         ask->component);
        else if (near)
                ctl_fail("nothing is known of '%s'; did you mean '%s'?", ask->component, near);
        else
                ctl_fail("nothing is known of '%s'; veillectl status --all shows the components", ask->component);
        if (loaded)
                ctl_snapshot_done(&s);
        return CTL_EXIT_FAILED;
}

static int nothing_found(const struct common_options *options, struct ctl_store *store, const struct history_ask *ask)
{
        struct history_ask all = { .component = ask->component, .metric = "", .from = ask->from, .to = ask->to, .points = 1 };
        struct errinfo err = { 0 };
        struct history_set set = { 0 };
        const char **names, *near;
        size_t n = 0;

        if (history_fetch(store, &all, &set, &err) < 0)
                return ctl_fail("%s", err.text);
        if (set.n == 0)
                return no_such_component(options, ask);
        names = calloc(set.n, sizeof(*names));
        if (!names)
                abort();
        for (size_t i = 0; i < set.n; i++)
                if (n == 0 || !streq(names[n - 1], set.items[i].metric))
                        names[n++] = set.items[i].metric;
        near = suggest(ask->metric, names, n);
        if (near)
                ctl_fail("%s has no metric '%s'; did you mean '%s'?", ask->component, ask->metric, near);
        else
                ctl_fail("%s has no metric '%s'; veillectl history %s lists what it has", ask->component, ask->metric, ask->component);
        free(names);
        history_set_done(&set);
        return CTL_EXIT_FAILED;
}

/* --- showing ----------------------------------------------------------------------------------------------------- */

static int utc_offset(double t)
{
        time_t at = (time_t)t;
        struct tm tm;

        localtime_r(&at, &tm);
        return (int)tm.tm_gmtoff;
}

static struct plot plot_of(const struct history_series *s, const struct history_ask *ask)
{
        return (struct plot){ .unit = metric_unit(s->metric), .from = ask->from, .to = ask->to, .utc_offset_s = utc_offset(ask->to),
                              .points = s->points, .n = s->n };
}

static void least_and_most(const struct history_series *s, double *ret_min, double *ret_max)
{
        *ret_min = *ret_max = NAN;
        for (size_t i = 0; i < s->n; i++) {
                *ret_min = i ? MIN(*ret_min, s->points[i].min) : s->points[i].min;
                *ret_max = i ? MAX(*ret_max, s->points[i].max) : s->points[i].max;
        }
}

static bool is(const char *s, size_t n, const char *word)
{
        return strlen(word) == n && memcmp(s, word, n) == 0;
}

/* Labels that name the component say nothing new here. */
static void title_of(const struct history_series *s, const char *component, char *buf, size_t size)
{
        const char *name, *value, *p, *end;
        struct series_key k;
        size_t n, m, len = (size_t)snprintf(buf, size, "%s", s->metric);
        char before = '{';

        if (series_key_parse(s->key, &k) < 0)
                return;
        p = k.labels;
        end = k.labels + k.labels_len;
        while (len < size && series_key_label(&p, end, &name, &n, &value, &m)) {
                if (is(name, n, "component") || is(name, n, "component_kind") || is(value, m, component))
                        continue;
                len += (size_t)snprintf(buf + len, size - len, "%c%.*s=%.*s", before, (int)n, name, (int)m, value);
                before = ',';
        }
        if (before == ',' && len < size)
                snprintf(buf + len, size - len, "}");
}

/* A number of seconds that large is a date. */
static void value_of(double v, const char *unit, bool utf8, char *buf, size_t size)
{
        if (streq(unit, "seconds") && v >= 1e9)
                term_when(v, buf, size);
        else
                text_value(v, unit, utf8, buf, size);
}

static void print_text(struct textbuf *b)
{
        if (b->len)
                fwrite(b->data, 1, b->len, stdout);
        b->len = 0;
}

static void show_row(const struct history_series *s, const struct history_ask *ask, int name_width, int spark, bool utf8)
{
        struct plot plot = plot_of(s, ask);
        char title[SERIES_KEY_MAX + 1], last[64], low[64], high[64];
        struct textbuf b = { 0 };
        double min, max;

        title_of(s, ask->component, title, sizeof(title));
        least_and_most(s, &min, &max);
        value_of(s->points[s->n - 1].mean, plot.unit, false, last, sizeof(last));
        value_of(min, plot.unit, false, low, sizeof(low));
        value_of(max, plot.unit, false, high, sizeof(high));
        printf("%s", title);
        if ((int)text_columns(title) > name_width)
                printf("\n%*s", name_width, "");
        else
                printf("%*s", name_width - (int)text_columns(title), "");
        printf(" %10s %10s %10s", last, low, high);
        if (spark) {
                printf("  ");
                text_spark(&b, &plot, s->step_s, spark, utf8);
                print_text(&b);
        }
        printf("\n");
        textbuf_done(&b);
}

static void show_list(const struct history_set *set, const struct history_ask *ask)
{
        int width = term_columns(), name_width = 6, spark;
        char from[32], title[SERIES_KEY_MAX + 1];
        size_t silent = 0;

        for (size_t i = 0; i < set->n; i++) {
                title_of(&set->items[i], ask->component, title, sizeof(title));
                if (set->items[i].n)
                        name_width = MAX(name_width, MIN((int)text_columns(title), MAX(width - 33, 20)));
                else
                        silent++;
        }
        spark = MIN(width - name_width - 36, LIST_WIDTH * 2);
        spark = spark < 8 ? 0 : spark;
        term_when(ask->from, from, sizeof(from));
        printf("%s since %s\n\n%-*s %10s %10s %10s\n", ask->component, from, name_width, "metric", "last", "least", "most");
        for (size_t i = 0; i < set->n; i++)
                if (set->items[i].n)
                        show_row(&set->items[i], ask, name_width, spark, term_utf8());
        if (silent)
                printf("\n%zu more had no value in this time\n", silent);
        printf("\nOne as a plot: veillectl history %s METRIC\n", ask->component);
}

struct marks {
        struct text_mark items[MARKS_MAX];
        size_t n;
};

static void on_event(void *data, json_t *line)
{
        static const char signs[LEVEL_MAX] = { [LEVEL_OK] = 'o', [LEVEL_NOTICE] = 'n', [LEVEL_WARNING] = 'W', [LEVEL_UNKNOWN] = 'U', [LEVEL_CRITICAL] = 'C' };
        struct marks *marks = data;
        int level = level_from_name(ctl_text(line, "to"));

        if (!streq(ctl_text(line, "t"), "event") || level < 0 || streq(ctl_text(line, "from"), ctl_text(line, "to")) || marks->n == MARKS_MAX)
                return;
        marks->items[marks->n++] = (struct text_mark){ ctl_number(line, "time"), signs[level], term_level_colour((enum level)level) };
}

static void show_plot(const struct history_series *s, const struct history_ask *ask, const struct text_plot *shape)
{
        struct text_plot p = *shape;
        char title[SERIES_KEY_MAX + 1], last[64], low[64], high[64], when[32];
        struct textbuf b = { 0 };
        double min, max;

        title_of(s, ask->component, title, sizeof(title));
        p.plot = plot_of(s, ask);
        p.step_s = s->step_s;
        printf("%s of %s", title, ask->component);
        if (s->n) {
                least_and_most(s, &min, &max);
                value_of(s->points[s->n - 1].mean, p.plot.unit, p.utf8, last, sizeof(last));
                value_of(min, p.plot.unit, p.utf8, low, sizeof(low));
                value_of(max, p.plot.unit, p.utf8, high, sizeof(high));
                term_when(MIN(s->points[s->n - 1].t + s->step_s, ask->to), when, sizeof(when));
                printf(": %s at %s, between %s and %s", last, when, low, high);
        }
        printf("\n");
        text_plot(&b, &p);
        print_text(&b);
        textbuf_done(&b);
}

static int show_plots(struct ctl_store *store, const struct history_set *set, const struct history_ask *ask, struct text_plot *shape)
{
        struct errinfo err = { 0 };
        struct marks *marks = calloc(1, sizeof(*marks));

        if (!marks)
                abort();
        if (ctl_store_ask(store, json_pack("{ss ss sf sf si}", "t", "events", "component", ask->component, "from", ask->from, "to", ask->to, "max", MARKS_MAX),
                          on_event, marks, &err) < 0) {
                free(marks);
                return ctl_fail("%s", err.text);
        }
        shape->marks = marks->items;
        shape->n_marks = marks->n;
        for (size_t i = 0; i < set->n; i++) {
                if (i)
                        printf("\n");
                show_plot(&set->items[i], ask, shape);
        }
        if (marks->n)
                printf("\nlevel of %s: o ok, n notice, W warning, U unknown, C critical; veillectl events %s tells why\n", ask->component,
                       ask->component);
        free(marks);
        return 0;
}

/* --- the command ---------------------------------------------------------------------------------------------------- */

enum form { FORM_TEXT, FORM_JSON, FORM_CSV };

struct words {
        const char *since, *until, *points, *height;
        bool json, csv;
        /* of these: */
        enum form form;
        int n_points, n_rows;
};

static const struct option_row rows[] = {
        { "since", "TIME", "2h, 3d (so long ago), 14:00, 2026-11-20, \"2026-11-20 14:00\", yesterday, @SECONDS; default: 1w", offsetof(struct words, since) },
        { "until", "TIME", "the same; default: now", offsetof(struct words, until) },
        { "points", "N", "slices of time, at most 2000; default: as many as there is room for, 200 with --json and --csv", offsetof(struct words, points) },
        { "height", "ROWS", "of a plot, default 10", offsetof(struct words, height) },
        { "json", NULL, "one object: every series with its points [time, mean, least, greatest]", offsetof(struct words, json) },
        { "csv", NULL, "the same as rows, times in UTC", offsetof(struct words, csv) },
        { 0 },
};

static int parse(struct words *w, int *argc, char *argv[])
{
        struct errinfo err = { 0 };

        if (ctl_take("history", rows, w, argc, argv) < 0)
                return CTL_EXIT_FAILED;
        if (ctl_take_number("points", w->points, 1, POINTS_MAX, &w->n_points, &err) < 0 || ctl_take_number("height", w->height, 3, 50, &w->n_rows, &err) < 0)
                return ctl_usage("history", "%s", err.text);
        if (w->json && w->csv)
                return ctl_usage("history", "--json or --csv, not both");
        w->form = w->json ? FORM_JSON : w->csv ? FORM_CSV : FORM_TEXT;
        return 0;
}

static int take_times(const struct words *w, struct history_ask *ask, struct errinfo *err)
{
        double now = (double)time(NULL);

        ask->to = now;
        if (w->until && term_parse_time(w->until, now, &ask->to, err) < 0)
                return -EINVAL;
        ask->from = ask->to - WEEK_S;
        if (w->since && term_parse_time(w->since, now, &ask->from, err) < 0)
                return -EINVAL;
        if (ask->from >= ask->to)
                return err_set(err, -EINVAL, "--since lies after %s", w->until ? "--until" : "now");
        return 0;
}

/* A week of which six days are empty is no picture: without --since it begins where there is something. */
static bool zoom(struct history_ask *ask, const struct history_set *set)
{
        double first = INFINITY;

        for (size_t i = 0; i < set->n; i++)
                if (set->items[i].n)
                        first = MIN(first, set->items[i].points[0].t);
        if (!(first > ask->from + (ask->to - ask->from) / 4) || !(first < ask->to - 1))
                return false;
        ask->from = first;
        return true;
}

static int show(struct ctl_store *store, const struct history_set *set, const struct history_ask *ask, const struct words *w, struct text_plot *shape)
{
        if (w->form == FORM_JSON)
                return history_print_json(set, ask);
        if (w->form == FORM_CSV)
                return history_print_csv(set, ask);
        if (*ask->metric)
                return show_plots(store, set, ask, shape);
        show_list(set, ask);
        return 0;
}

static int history(const struct common_options *options, struct ctl_store *store, struct history_ask *ask, const struct words *w, struct text_plot *shape)
{
        struct errinfo err = { 0 };
        struct history_set set = { 0 };
        int r = history_fetch(store, ask, &set, &err);

        /* The first answer knows the beginning to a slice of a week only. */
        for (int i = 0; i < ZOOMS_MAX && r == 0 && !w->since && zoom(ask, &set); i++) {
                history_set_done(&set);
                r = history_fetch(store, ask, &set, &err);
        }
        if (r < 0)
                return ctl_fail("%s", err.text);
        r = set.n ? show(store, &set, ask, w, shape) : nothing_found(options, store, ask);
        history_set_done(&set);
        return r;
}

static int run(const struct common_options *options, int argc, char *argv[])
{
        struct words w = { .n_rows = 10 };
        struct history_ask ask = { .metric = "" };
        struct text_plot shape = { .width = term_columns(), .utf8 = term_utf8(), .colours = term_colour() };
        struct errinfo err = { 0 };
        struct ctl_store store;
        int r;

        r = parse(&w, &argc, argv);
        if (r != 0)
                return r;
        if (argc < 2 || argc > 3)
                return ctl_usage("history", "say which component and, for a plot, which metric; veillectl status shows the components");
        ask.component = argv[1];
        if (argc == 3)
                ask.metric = str_starts(argv[2], "veille_") ? argv[2] + strlen("veille_") : argv[2];
        if (take_times(&w, &ask, &err) < 0)
                return ctl_usage("history", "%s", err.text);
        shape.height = w.n_rows;
        if (w.n_points)
                ask.points = w.n_points;
        else
                ask.points = w.form != FORM_TEXT ? 200 : *ask.metric ? text_plot_slices(&shape) : LIST_WIDTH * 2;
        if (ctl_store_begin(options, &store, &err) < 0)
                return ctl_fail("%s", err.text);
        r = history(options, &store, &ask, &w, &shape);
        ctl_store_close(&store);
        return r;
}

const struct ctl_command ctl_command_history = {
        .name = "history",
        .run = run,
        .synopsis = "[--since TIME] [--until TIME] [--points N] [--height ROWS] [--json | --csv] COMPONENT [METRIC]",
        .options = rows,
        .summary = "what was measured of a component: a list, a plot in the terminal, JSON or CSV",
        .help = "Without METRIC: what there is, with last, least and greatest value. With it a plot, one for each of its labels; a part\n"
                "of the name, or of name{label=value}, is enough. Below the axis stands when the level of the component changed.\n"
                "A slice of which nothing is known is left out, and open in the plot: nothing is drawn where nobody measured.\n"
                "Each value is kept a week, mean, least and greatest of the hours a year; see veille.conf(5), section [store].\n"
                "\n  veillectl history --since 2d sda temperature\n",
};
