/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* veillectl events: what happened, out of what veille-store keeps: levels that changed, what the kernel said, what went
 * wrong with veille itself. */

#include <math.h>
#include <time.h>

#include "ctl_snapshot.h"
#include "ctl_store.h"
#include "ctl_term.h"
#include "textbuf.h"

#define MAX_DEFAULT 100
#define MAX_MAX 10000
#define WHAT_WIDTH 22

static void on_event(void *data, json_t *line)
{
        json_t *list = data;

        if (!streq(ctl_text(line, "t"), "event"))
                return;
        json_object_del(line, "t");
        json_array_append(list, line);
}

int ctl_events_fetch(struct ctl_store *store, const char *component, double from, double to, int max, json_t **ret, struct errinfo *err)
{
        json_t *list = json_array();
        int r = ctl_store_ask(store, json_pack("{ss ss? sf sf si}", "t", "events", "component", component, "from", from, "to", to, "max", max),
                              on_event, list, err);

        if (r < 0)
                json_decref(list);
        else
                *ret = list;
        return r;
}

/* --- for eyes ---------------------------------------------------------------------------------------------------- */

/* The kernel repeats itself: one row for what is the same but for the time. */
static bool same(const json_t *a, const json_t *b)
{
        static const char *const keys[] = { "component", "kind", "from", "to", "rule", "why" };

        for (size_t i = 0; i < ARRAY_LEN(keys); i++)
                if (!streq(ctl_text(a, keys[i]), ctl_text(b, keys[i])))
                        return false;
        return streq(ctl_text(a, "from"), ctl_text(a, "to")); /* a change of level is never folded */
}

static void date_and_time(double t, char *buf, size_t size)
{
        time_t at = isfinite(t) && t > 0 && t < 1e11 ? (time_t)t : 0;
        struct tm tm;

        localtime_r(&at, &tm);
        strftime(buf, size, "%Y-%m-%d %H:%M:%S", &tm);
}

static void print_what(const json_t *e, int width)
{
        int from = level_from_name(ctl_text(e, "from")), to = level_from_name(ctl_text(e, "to"));
        bool colours = term_colour();
        char text[64];

        if (to >= 0 && from != to) {
                int n = snprintf(text, sizeof(text), "%s%s%s", term_level_sign((enum level)to), from >= 0 ? ", was " : "",
                                 from >= 0 ? level_name((enum level)from) : "");

                printf("%s%s%s%*s", colours ? term_level_colour((enum level)to) : "", text, colours ? "\033[0m" : "", MAX(width - n, 0), "");
                return;
        }
        snprintf(text, sizeof(text), "%s%s%s", ctl_text(e, "kind"), *ctl_text(e, "rule") ? ": " : "", ctl_text(e, "rule"));
        printf("%-*s", width, text);
}

static void print_row(const json_t *e, size_t times, const json_t *last, int name_width)
{
        const char *name = ctl_text(e, "component");
        int column = 21 + MAX(name_width, (int)text_columns(name)) + 2 + WHAT_WIDTH + 1;
        struct textbuf why = { 0 };
        char when[32], until[32];

        date_and_time(ctl_number(e, "time"), when, sizeof(when));
        printf("%s  %s%*s  ", when, name, MAX(name_width - (int)text_columns(name), 0), "");
        textbuf_str(&why, ctl_text(e, "why"));
        if (times > 1) {
                term_when(ctl_number(last, "time"), until, sizeof(until));
                textbuf_printf(&why, " (%zu times until %s)", times, until);
        }
        textbuf_char(&why, '\0');
        if (term_columns() - column < 30)
                column = 21;
        print_what(e, *why.data && column > 21 ? WHAT_WIDTH : 0);
        if (*why.data && column == 21)
                printf("\n%*s", column, "");
        else if (*why.data)
                putchar(' ');
        term_wrap(why.data, column);
        textbuf_done(&why);
}

static void print_all(const json_t *list)
{
        size_t n = json_array_size(list), next;
        int name_width = 9;

        for (size_t i = 0; i < n; i++)
                name_width = MAX(name_width, MIN((int)text_columns(ctl_text(json_array_get(list, i), "component")), 32));
        printf("%-19s  %-*s  %-*s why\n", "time", name_width, "component", WHAT_WIDTH, "what");
        for (size_t i = 0; i < n; i = next) {
                const json_t *e = json_array_get(list, i);

                for (next = i + 1; next < n && same(e, json_array_get(list, next));)
                        next++;
                print_row(e, next - i, json_array_get(list, next - 1), name_width);
        }
}

static int print_json(json_t *list)
{
        json_t *doc = json_pack("{sO}", "events", list);

        json_dumpf(doc, stdout, JSON_COMPACT | JSON_REAL_PRECISION(15));
        putchar('\n');
        json_decref(doc);
        return fflush(stdout) == 0 ? 0 : ctl_fail("standard output: %s", strerror(errno));
}

/* --- the command --------------------------------------------------------------------------------------------------- */

struct words {
        const char *since, *until, *max;
        bool json;
        /* of these: */
        double from, to;
        int n_max;
};

static const struct option_row rows[] = {
        { "since", "TIME", "2h, 3d (so long ago), 14:00, 2026-11-20, \"2026-11-20 14:00\", yesterday, @SECONDS; default: the beginning", offsetof(struct words, since) },
        { "until", "TIME", "the same; default: now", offsetof(struct words, until) },
        { "max", "N", "the newest N of them, default 100, at most 10000", offsetof(struct words, max) },
        { "json", NULL, "one object; its events have time, component, kind, from, to, rule and why", offsetof(struct words, json) },
        { 0 },
};

static int parse(struct words *w, int *argc, char *argv[])
{
        double now = (double)time(NULL);
        struct errinfo err = { 0 };

        if (ctl_take("events", rows, w, argc, argv) < 0)
                return CTL_EXIT_FAILED;
        if ((w->since && term_parse_time(w->since, now, &w->from, &err) < 0) || (w->until && term_parse_time(w->until, now, &w->to, &err) < 0) ||
            ctl_take_number("max", w->max, 1, MAX_MAX, &w->n_max, &err) < 0)
                return ctl_usage("events", "%s", err.text);
        if (*argc > 2)
                return ctl_usage("events", "one component or none");
        return 0;
}

static int run(const struct common_options *options, int argc, char *argv[])
{
        struct words w = { .from = 0, .to = (double)time(NULL) + 86400, .n_max = MAX_DEFAULT };
        struct errinfo err = { 0 };
        struct ctl_store store;
        json_t *list = NULL;
        int r = parse(&w, &argc, argv);

        if (r != 0)
                return r;
        if (ctl_store_begin(options, &store, &err) < 0)
                return ctl_fail("%s", err.text);
        r = ctl_events_fetch(&store, argv[1], w.from, w.to, w.n_max, &list, &err);
        ctl_store_close(&store);
        if (r < 0)
                return ctl_fail("%s", err.text);
        if (w.json) {
                r = print_json(list);
        } else if (json_array_size(list) == 0) {
                printf("nothing happened%s%s in this time\n", argv[1] ? " to " : "", argv[1] ? argv[1] : "");
        } else {
                print_all(list);
        }
        json_decref(list);
        return r;
}

const struct ctl_command ctl_command_events = {
        .name = "events",
        .run = run,
        .synopsis = "[--since TIME] [--until TIME] [--max N] [--json] [COMPONENT]",
        .summary = "what happened: levels that changed, what the kernel said, with times; oldest first",
        .options = rows,
        .help = "Events are kept for ever, up to max-events of section [store] in veille.conf(5). Rows that differ in nothing\n"
                "but their time are shown as one, but not in JSON.\n\n  veillectl events --since yesterday sda\n",
};
