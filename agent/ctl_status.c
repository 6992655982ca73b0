/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* veillectl status: what the brain thinks of this host, for eyes in five seconds, and as the document for programs. */

#include "alert_text.h"
#include "ctl_snapshot.h"
#include "ctl_term.h"
#include "textbuf.h"

static const char *health_colour(const char *health)
{
        return streq(health, "green") ? "\033[32m" : streq(health, "red") ? "\033[1;31m" : "\033[33m";
}

/* --- one row a component, or one for many that have one cause ----------------------------------------------- */

#define NAMES_MAX 12
#define ROWS_MAX 40  /* of a longer list of good news the numbers are enough */

struct look {
        int name_width, why_column;
        char silence[600]; /* what each reason begins with while the brain is silent; it is said once, above; "" */
};

/* What is now; of a silent brain, what was. */
static enum level shown_level(const json_t *c)
{
        int before = level_from_name(ctl_text(c, "level_before"));

        return before < 0 ? ctl_level(c) : (enum level)before;
}

static const char *why_of(const json_t *c, const struct look *look)
{
        const char *why = ctl_text(c, "why");
        size_t n = strlen(look->silence);

        if (ctl_level(c) == LEVEL_OK)
                return ctl_text(c, "kind");
        return n && strncmp(why, look->silence, n) == 0 ? why + n : why;
}

static void print_component(const json_t *c, const struct look *look)
{
        const char *name = ctl_text(c, "component");
        char since[32], age[32];

        term_when(ctl_number(c, "since"), since, sizeof(since));
        ctl_duration(ctl_number(c, "age_s"), age, sizeof(age));
        term_print_level(ctl_level(c));
        printf(" %s", name);
        if ((int)text_columns(name) > look->name_width)
                printf("\n%*s", 9 + look->name_width, "");
        else
                printf("%*s", look->name_width - (int)text_columns(name), "");
        printf(" %-10s %-7s ", since, age);
        if (look->why_column < 9 + look->name_width)
                printf("\n%*s", look->why_column, "");
        term_wrap(why_of(c, look), look->why_column);
}

static void print_alike(json_t *const *list, size_t n, const struct look *look)
{
        struct textbuf names = { 0 };

        textbuf_printf(&names, n > NAMES_MAX ? "and %zu more like it, among them" : "and %zu more like it:", n);
        for (size_t i = 0; i < MIN(n, NAMES_MAX); i++)
                textbuf_printf(&names, " %s%s", ctl_text(list[i], "component"), i + 1 < MIN(n, NAMES_MAX) ? "," : "");
        textbuf_char(&names, '\0');
        printf("%*s", look->why_column, "");
        term_wrap(names.data, look->why_column);
        textbuf_done(&names);
}

/* "ok       12 disk, 20 chip; veillectl status --all shows them" */
static void print_good(json_t *const *list, size_t n, bool silent)
{
        struct textbuf text = { 0 };
        size_t run;

        for (size_t i = 0; i < n; i += run) {
                const char *kind = ctl_text(list[i], "kind");

                for (run = 1; i + run < n && streq(kind, ctl_text(list[i + run], "kind"));)
                        run++;
                textbuf_printf(&text, "%s%zu %s", i ? ", " : "", run, *kind ? kind : "other");
        }
        textbuf_printf(&text, "%s; veillectl status --all shows them", silent ? ", which were ok" : "");
        textbuf_char(&text, '\0');
        term_print_level(ctl_level(list[0]));
        putchar(' ');
        term_wrap(text.data, 9);
        textbuf_done(&text);
}

static int by_kind(const void *a, const void *b)
{
        return strcmp(ctl_text(*(json_t *const *)a, "kind"), ctl_text(*(json_t *const *)b, "kind"));
}

static struct look look_for(const struct ctl_snapshot *s, json_t *const *list, size_t n)
{
        int columns = term_columns(), most = columns < 100 ? 20 : 36;
        struct look look = { .name_width = 9 };

        for (size_t i = 0; i < n; i++) {
                int width = (int)text_columns(ctl_text(list[i], "component"));

                look.name_width = MAX(look.name_width, width <= most ? width : 0);
        }
        if (s->silent)
                snprintf(look.silence, sizeof(look.silence), "%s; before that: ", ctl_text(s->doc, "health_why"));
        look.why_column = 9 + look.name_width + 20;
        if (columns - look.why_column < 30)
                look.why_column = 9;
        return look;
}

/* "peer mx2 is up, heard 3 s ago, and red: sda: ..." */
static void print_peers(const struct ctl_snapshot *s)
{
        const json_t *p, *w;
        size_t i, k;

        json_array_foreach(json_object_get(s->doc, "peers"), i, p) {
                const char *state = ctl_text(p, "state"), *why = ctl_text(p, "why");
                bool up = streq(state, "up");
                struct textbuf text = { 0 };
                char age[32];

                ctl_duration(ctl_number(p, "age_s"), age, sizeof(age));
                textbuf_printf(&text, "%s, ", state);
                if (ctl_number(p, "age_s") >= 0)
                        textbuf_printf(&text, "heard %s ago", age);
                else
                        textbuf_str(&text, "never heard");
                textbuf_printf(&text, "; health %s%s%s", ctl_text(p, "health"), up ? ": " : *why ? "; " : "", up ? ctl_text(p, "health_why") : why);
                textbuf_char(&text, '\0');
                printf("%speer %s: ", i ? "" : "\n", ctl_text(p, "name"));
                term_wrap_from(text.data, 7 + (int)text_columns(ctl_text(p, "name")), 9);
                textbuf_done(&text);
                json_array_foreach(json_object_get(p, "worst"), k, w)
                        if (up) {
                                printf("         %s %s: ", ctl_text(w, "level"), ctl_text(w, "component"));
                                term_wrap_from(ctl_text(w, "why"), 12 + (int)strlen(ctl_text(w, "level")) + (int)text_columns(ctl_text(w, "component")), 11);
                        }
        }
}

/* Whether anybody would be told; nothing where all is well. */
static void print_alerting(const struct ctl_snapshot *s)
{
        const json_t *alerting = json_object_get(s->doc, "alerting");
        double until = json_number_value(json_object_get(alerting, "maintenance_until"));

        if (s->silent)
                return;
        if (*ctl_text(alerting, "warning")) {
                printf("\nalerts: ");
                term_wrap(ctl_text(alerting, "warning"), 8);
        }
        if (until > 0) {
                char text[40];

                alert_time_text((int64_t)until * USEC_PER_SEC, text, sizeof(text));
                printf("\nmaintenance until %s: nobody is told of anything\n", text);
        }
}

static void print_status(const struct ctl_snapshot *s, bool all)
{
        bool colours = term_colour();
        json_t **list;
        size_t n = ctl_worst_first(s, &list), shown = n, run;
        struct look look;

        if (!all && (n > ROWS_MAX || s->silent))
                for (shown = 0; shown < n && shown_level(list[shown]) > LEVEL_OK;)
                        shown++;
        look = look_for(s, list, shown);
        printf("%s is %s%s%s: ", ctl_text(s->doc, "host"), colours ? health_colour(ctl_text(s->doc, "health")) : "", ctl_text(s->doc, "health"),
               colours ? "\033[0m" : "");
        term_wrap_from(ctl_text(s->doc, "health_why"), (int)text_columns(ctl_text(s->doc, "host")) + 6 + (int)strlen(ctl_text(s->doc, "health")), 0);
        if (shown)
                printf("\n%-8s %-*s %-10s %-7s %s\n", "level", look.name_width, "component", "since", "age", s->silent ? "before that" : "why");
        else
                printf(n ? "\n" : "\nnothing has been read yet\n");
        for (size_t i = 0; i < shown; i += run) {
                run = all || ctl_level(list[i]) == LEVEL_OK ? 1 : ctl_alike(list + i, shown - i);
                print_component(list[i], &look);
                if (run > 1)
                        print_alike(list + i + 1, run - 1, &look);
        }
        if (shown < n) {
                qsort(list + shown, n - shown, sizeof(*list), by_kind);
                print_good(list + shown, n - shown, s->silent);
        }
        print_peers(s);
        print_alerting(s);
        free(list);
}

static int status_json(const struct common_options *options)
{
        _cleanup_free_ char *text = NULL;
        struct status_doc s;
        int status;

        ctl_status_load(options, &s);
        text = status_doc_text(&s);
        fputs(text, stdout);
        status = level_nagios_exit(ctl_worst(s.doc, s.silent));
        status_doc_done(&s);
        return fflush(stdout) == 0 ? status : CTL_EXIT_FAILED;
}

static int status_once(const struct common_options *options, bool json, bool all)
{
        struct errinfo err = { 0 };
        struct ctl_snapshot s;
        int status;

        if (json)
                return status_json(options);
        if (ctl_snapshot_load(options, &s, &err) < 0)
                return ctl_fail("%s", err.text);
        print_status(&s, all);
        status = level_nagios_exit(ctl_worst(s.doc, s.silent));
        ctl_snapshot_done(&s);
        return status;
}

struct words {
        bool json, all, watch;
};

static const struct option_row status_rows[] = {
        { "json", NULL, "one JSON object, byte for byte what veille-web answers for /status.json", offsetof(struct words, json) },
        { "all", NULL, "also the components that are ok when there are many", offsetof(struct words, all) },
        { "watch", NULL, "again every 2 s until interrupted", offsetof(struct words, watch) },
        { 0 },
};

static int run_status(const struct common_options *options, int argc, char *argv[])
{
        struct words w = { 0 };

        if (ctl_take("status", status_rows, &w, &argc, argv) < 0)
                return CTL_EXIT_FAILED;
        if (argc > 1)
                return ctl_usage("status", "'%s' is no option; veillectl why %s tells of one component", argv[1], argv[1]);
        if (!w.watch)
                return status_once(options, w.json, w.all);
        for (;;) {
                if (isatty(STDOUT_FILENO))
                        printf("\033[H\033[2J");
                status_once(options, w.json, w.all);
                if (fflush(stdout) != 0)
                        return CTL_EXIT_FAILED;
                sleep(2);
        }
}

const struct ctl_command ctl_command_status = {
        .name = "status",
        .run = run_status,
        .synopsis = "[--json] [--all] [--watch]",
        .summary = "how this host is, worst first",
        .options = status_rows,
        .help = "Exit status like Nagios: ok and notice 0, warning 1, critical 2, unknown 3.\n",
};
