/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* History for programs: one JSON object, or rows of CSV (RFC 4180, but lines end in a newline only). */

#include <time.h>

#include "ctl_history.h"

static json_t *series_doc(const struct history_series *s)
{
        struct series_key k;
        json_t *points = json_object_get(s->line, "points");

        if (series_key_parse(s->key, &k) < 0)
                return NULL;
        return json_pack("{ss% ss% ss so ss sf sO}", "check", k.check, k.check_len, "instance", k.instance, k.instance_len, "metric", s->metric,
                         "labels", series_key_labels_json(&k), "unit", metric_unit(s->metric), "step", s->step_s, "points", points);
}

static int finish(void)
{
        return fflush(stdout) == 0 && !ferror(stdout) ? 0 : ctl_fail("standard output: %s", strerror(errno));
}

int history_print_json(const struct history_set *set, const struct history_ask *ask)
{
        json_t *list = json_array(), *doc;

        for (size_t i = 0; i < set->n; i++)
                json_array_append_new(list, series_doc(&set->items[i]));
        doc = json_pack("{ss sf sf so}", "component", ask->component, "from", ask->from, "to", ask->to, "series", list);
        json_dumpf(doc, stdout, JSON_COMPACT | JSON_REAL_PRECISION(15));
        putchar('\n');
        json_decref(doc);
        return finish();
}

static void print_field(const char *s, size_t n)
{
        if (n == 0 || (!memchr(s, ',', n) && !memchr(s, '"', n))) { /* a name has no newline */
                fwrite(s, 1, n, stdout);
                return;
        }
        putchar('"');
        for (size_t i = 0; i < n; i++) {
                if (s[i] == '"')
                        putchar('"');
                putchar(s[i]);
        }
        putchar('"');
}

static void print_rows(const struct history_series *s, const struct history_ask *ask)
{
        struct series_key k;

        if (series_key_parse(s->key, &k) < 0)
                return;
        for (size_t i = 0; i < s->n; i++) {
                const struct plot_point *p = &s->points[i];
                time_t t = (time_t)p->t;
                char when[32];
                struct tm tm;

                strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &tm));
                print_field(ask->component, strlen(ask->component));
                printf(",%s,", s->metric);
                print_field(k.labels, k.labels_len);
                printf(",%s,%.15g,%.15g,%.15g\n", when, p->mean, p->min, p->max);
        }
}

int history_print_csv(const struct history_set *set, const struct history_ask *ask)
{
        puts("component,metric,labels,time,mean,min,max");
        for (size_t i = 0; i < set->n; i++)
                print_rows(&set->items[i], ask);
        return finish();
}
