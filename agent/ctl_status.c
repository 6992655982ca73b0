/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* veillectl status, why, checks, check: what the brain thinks, for eyes and for Nagios. */

#include <math.h>

#include "ctl_snapshot.h"
#include "ctl_term.h"

static int worst_first(const void *a, const void *b)
{
        const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
        enum level lx = ctl_level(x), ly = ctl_level(y);
        size_t rx = json_array_size(json_object_get(x, "roles")), ry = json_array_size(json_object_get(y, "roles"));

        if (lx != ly)
                return lx > ly ? -1 : 1;
        if ((rx > 0) != (ry > 0))
                return rx > ry ? -1 : 1; /* what carries mail or the system comes first */
        int kind = strcmp(ctl_text(x, "kind"), ctl_text(y, "kind"));

        return kind ? kind : strcmp(ctl_text(x, "component"), ctl_text(y, "component"));
}

static size_t sorted(const struct ctl_snapshot *s, json_t ***ret)
{
        const json_t *list = json_object_get(s->doc, "components");
        size_t n = json_array_size(list);

        *ret = calloc(n + 1, sizeof(**ret));
        if (!*ret)
                abort();
        for (size_t i = 0; i < n; i++)
                (*ret)[i] = json_array_get(list, i);
        qsort(*ret, n, sizeof(**ret), worst_first);
        return n;
}

static const char *health_colour(const char *health)
{
        return streq(health, "green") ? "\033[32m" : streq(health, "red") ? "\033[1;31m" : "\033[33m";
}

static void print_component(const json_t *c, int width, int name_width)
{
        char since[32], age[32];
        int room = width - name_width - 33;

        term_when(ctl_number(c, "since"), since, sizeof(since));
        ctl_duration(ctl_number(c, "age_s"), age, sizeof(age));
        term_print_level(ctl_level(c));
        printf(" %-*s %-10s %-9s ", name_width, ctl_text(c, "component"), since, age);
        printf(room < 20 ? "\n         %s\n" : "%s\n", ctl_level(c) == LEVEL_OK ? ctl_text(c, "kind") : ctl_text(c, "why"));
}

static void print_status(const struct ctl_snapshot *s, bool all)
{
        int name_width = 9, width = term_columns();
        bool colours = term_colour();
        json_t **list;
        size_t n = sorted(s, &list), hidden = 0;

        for (size_t i = 0; i < n; i++)
                name_width = MAX(name_width, MIN((int)strlen(ctl_text(list[i], "component")), 32));
        printf("%s is %s%s%s: %s\n", ctl_text(s->doc, "host"), colours ? health_colour(ctl_text(s->doc, "health")) : "",
               ctl_text(s->doc, "health"), colours ? "\033[0m" : "", ctl_text(s->doc, "health_why"));
        printf("\n%-8s %-*s %-10s %-9s %s\n", "level", name_width, "component", "since", "read", "why");
        for (size_t i = 0; i < n; i++) {
                /* Of a long list of good news the names are enough. */
                if (!all && n > 40 && ctl_level(list[i]) == LEVEL_OK)
                        hidden++;
                else
                        print_component(list[i], width, name_width);
        }
        if (hidden)
                printf("ok       %zu more; veillectl status --all shows them\n", hidden);
        if (n == 0)
                printf("nothing has been read yet\n");
        free(list);
}

static enum level worst(const json_t *doc, bool silent)
{
        enum level level = silent ? LEVEL_UNKNOWN : LEVEL_OK;
        const json_t *c;
        size_t i;

        json_array_foreach(json_object_get(doc, "components"), i, c)
                level = level_worse(level, ctl_level(c));
        return level;
}

static int status_json(const struct common_options *options)
{
        _cleanup_free_ char *text = NULL;
        struct status_doc s;
        int status;

        ctl_status_load(options, &s);
        text = status_doc_text(&s);
        fputs(text, stdout);
        status = level_nagios_exit(worst(s.doc, s.silent));
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
        status = level_nagios_exit(worst(s.doc, s.silent));
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

static void print_reason(const json_t *r)
{
        char since[32], age[32];

        term_when(ctl_number(r, "since"), since, sizeof(since));
        ctl_duration(ctl_number(r, "age_s"), age, sizeof(age));
        term_print_level(ctl_level(r));
        printf(" %s\n", ctl_text(r, "text"));
        printf("         rule %s, since %s, read %s ago by check %s (%s)\n", ctl_text(r, "rule"), since, age, ctl_text(r, "check"),
               ctl_text(r, "instance"));
        if (*ctl_text(r, "clears"))
                printf("         clears: %s\n", ctl_text(r, "clears"));
        if (*ctl_text(r, "source"))
                printf("         why this limit: %s\n", ctl_text(r, "source"));
}

static void print_roles(const json_t *c)
{
        const json_t *roles = json_object_get(c, "roles"), *role;
        size_t i;

        if (!json_array_size(roles))
                return;
        printf("carries");
        json_array_foreach(roles, i, role)
                printf("%s %s", i ? "," : "", json_string_value(role) ? json_string_value(role) : "?");
        printf("; %s\n", json_is_true(json_object_get(c, "protected")) ? "redundancy carries its loss" : "nothing carries its loss");
}

static void print_selftests(const struct ctl_snapshot *s, const char *component)
{
        const json_t *o;
        size_t i;

        json_array_foreach(json_object_get(s->doc, "selftests"), i, o)
                if (streq(ctl_text(o, "component"), component)) {
                        printf("\nself-tests:\n");
                        ctl_selftest_print(s, component, "  ");
                        return;
                }
}

static int run_why(const struct common_options *options, int argc, char *argv[])
{
        struct errinfo err = { 0 };
        struct ctl_snapshot s;
        const json_t *c, *r;
        size_t i;

        if (argc != 2)
                return ctl_usage("why", "say which component; veillectl status shows them");
        if (ctl_snapshot_load(options, &s, &err) < 0)
                return ctl_fail("%s", err.text);
        c = ctl_component(&s, argv[1]);
        if (!c) {
                ctl_snapshot_done(&s);
                return ctl_fail("there is no component '%s'; veillectl status --all shows them", argv[1]);
        }
        printf("%s (%s%s%s) is ", argv[1], ctl_text(c, "kind"), *ctl_text(c, "id") ? ", " : "", ctl_text(c, "id"));
        term_print_level(ctl_level(c));
        printf("\n");
        if (s.silent)
                printf("%s\n", ctl_text(c, "why"));
        print_roles(c);
        json_array_foreach(json_object_get(c, "reasons"), i, r) {
                printf("\n");
                print_reason(r);
        }
        bool any = false;

        json_array_foreach(json_object_get(s.doc, "checks"), i, r) {
                char age[32];

                if (!streq(ctl_text(r, "component"), argv[1]))
                        continue;
                if (!any)
                        printf("\nread by:\n");
                any = true;
                ctl_duration(ctl_number(r, "age_s"), age, sizeof(age));
                printf("  %-12s %-10s %s ago%s%s\n", ctl_text(r, "check"), ctl_text(r, "result"), age, *ctl_text(r, "why") ? ": " : "",
                       ctl_text(r, "why"));
        }
        if (!any)
                printf("\nno check reads it: what is known of it others have told\n");
        print_selftests(&s, argv[1]);
        i = (size_t)level_nagios_exit(ctl_level(c));
        ctl_snapshot_done(&s);
        return (int)i;
}

const struct ctl_command ctl_command_why = {
        .name = "why",
        .run = run_why,
        .synopsis = "COMPONENT",
        .summary = "every reason for a component's level: evidence, rule, source, age, what would clear it",
        .help = "Exit status like that of status, for this component. Example: veillectl why sda\n",
};

static int run_checks(const struct common_options *options, int argc UNUSED, char *argv[] UNUSED)
{
        struct errinfo err = { 0 };
        struct ctl_snapshot s;
        const json_t *c;
        size_t i;

        if (ctl_snapshot_load(options, &s, &err) < 0)
                return ctl_fail("%s", err.text);
        printf("%-12s %-28s %-9s %-8s %-8s %s\n", "check", "instance", "result", "read", "every", "why");
        json_array_foreach(json_object_get(s.doc, "checks"), i, c) {
                char age[32], every[32];

                ctl_duration(ctl_number(c, "age_s"), age, sizeof(age));
                ctl_duration(ctl_number(c, "interval_s"), every, sizeof(every));
                printf("%-12s %-28s %-9s %-8s %-8s %s\n", ctl_text(c, "check"), ctl_text(c, "instance"), ctl_text(c, "result"), age, every,
                       ctl_text(c, "why"));
        }
        ctl_snapshot_done(&s);
        return 0;
}

const struct ctl_command ctl_command_checks = {
        .name = "checks",
        .run = run_checks,
        .synopsis = "",
        .summary = "what is measured, how it ended last, when next",
        .help = "nodata: this host has none of it. denied: the set-up is wrong. failed, timeout: evidence.\n",
};

/* Nagios wants one line; pipe and newline have a meaning there. */
static void print_clean(const char *s)
{
        for (; *s; s++)
                putchar(*s == '|' || *s == '\n' ? ' ' : *s);
}

struct nagios_words {
        bool nagios; /* the only form there is */
};

static const struct option_row check_rows[] = {
        { "nagios", NULL, "the plugin convention; the only form there is", offsetof(struct nagios_words, nagios) },
        { 0 },
};

static int run_check(const struct common_options *options, int argc, char *argv[])
{
        struct nagios_words w = { 0 };
        static const char *const names[] = { "OK", "WARNING", "CRITICAL", "UNKNOWN" };
        struct errinfo err = { 0 };
        struct ctl_snapshot s;
        unsigned count[LEVEL_MAX] = { 0 };
        json_t **list;
        size_t n, shown = 0;
        int exit_status;

        if (ctl_take("check", check_rows, &w, &argc, argv) < 0)
                return CTL_EXIT_FAILED;
        if (argc > 1)
                return ctl_usage("check", "'%s' is no option", argv[1]);
        if (ctl_snapshot_load(options, &s, &err) < 0) {
                printf("VEILLE UNKNOWN: %s\n", err.text);
                return 3;
        }
        n = sorted(&s, &list);
        exit_status = level_nagios_exit(worst(s.doc, s.silent));
        printf("VEILLE %s: %s is %s", names[exit_status], ctl_text(s.doc, "host"), ctl_text(s.doc, "health"));
        for (size_t i = 0; i < n; i++) {
                enum level level = ctl_level(list[i]);

                count[level]++;
                if (level == LEVEL_OK || shown++ >= 5)
                        continue;
                printf("; %s %s: ", ctl_text(list[i], "component"), level_name(level));
                print_clean(ctl_text(list[i], "why"));
        }
        printf(" |");
        for (int l = LEVEL_OK; l < LEVEL_MAX; l++)
                printf(" %s=%u;;;0;%zu", level_name((enum level)l), count[l], n);
        printf("\n");
        free(list);
        ctl_snapshot_done(&s);
        return exit_status;
}

const struct ctl_command ctl_command_check = {
        .name = "check",
        .run = run_check,
        .synopsis = "--nagios",
        .options = check_rows,
        .summary = "one line for Nagios, Icinga, Zabbix or monit, with perfdata",
        .help = "Notice is OK with text. Exit status 0, 1, 2, 3 as plugins do.\n",
};
