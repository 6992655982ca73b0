/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* veillectl why, checks: everything behind one level, and everything that is measured. */

#include <math.h>

#include "ctl_snapshot.h"
#include "ctl_term.h"
#include "textbuf.h"

static void print_field(const char *name, const char *value)
{
        if (!*value)
                return;
        printf("         %s", name);
        term_wrap(value, 9 + (int)strlen(name));
}

static void print_reason(const json_t *r)
{
        struct textbuf line = { 0 };
        char since[32], age[32];

        term_when(ctl_number(r, "since"), since, sizeof(since));
        ctl_duration(ctl_number(r, "age_s"), age, sizeof(age));
        term_print_level(ctl_level(r));
        putchar(' ');
        term_wrap(ctl_text(r, "text"), 9);
        textbuf_printf(&line, "%s, since %s", ctl_text(r, "rule"), since);
        if (*ctl_text(r, "check"))
                textbuf_printf(&line, ", read %s ago by check %s (%s)", age, ctl_text(r, "check"), ctl_text(r, "instance"));
        textbuf_char(&line, '\0');
        print_field("rule ", line.data);
        textbuf_done(&line);
        print_field("clears: ", ctl_text(r, "clears"));
        print_field("why this limit: ", ctl_text(r, "source"));
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

static void print_accepted(const json_t *c)
{
        const json_t *list = json_object_get(c, "accepted"), *a;
        size_t i;

        if (json_array_size(list))
                printf("\naccepted:\n");
        json_array_foreach(list, i, a) {
                struct textbuf line = { 0 };
                char since[32], until[32];

                term_when(ctl_number(a, "since"), since, sizeof(since));
                term_when_ahead(ctl_number(a, "until"), until, sizeof(until));
                textbuf_printf(&line, "rule %s at %.15g, since %s, %s%s", ctl_text(a, "rule"), ctl_number(a, "value"), since,
                               json_object_get(a, "until") ? "until " : "for good", json_object_get(a, "until") ? until : "");
                textbuf_char(&line, '\0');
                printf("  ");
                term_wrap(line.data, 4);
                textbuf_done(&line);
        }
}

static void print_checks_of(const struct ctl_snapshot *s, const char *component)
{
        const json_t *r;
        bool any = false;
        size_t i;

        json_array_foreach(json_object_get(s->doc, "checks"), i, r) {
                char age[32], line[512];
                int n;

                if (!streq(ctl_text(r, "component"), component))
                        continue;
                printf("%s", any ? "" : "\nread by:\n");
                any = true;
                ctl_duration(ctl_number(r, "age_s"), age, sizeof(age));
                n = snprintf(line, sizeof(line), "  %-12s %-10s %s%s", ctl_text(r, "check"), ctl_text(r, "result"), age,
                             isnan(ctl_number(r, "age_s")) ? "" : " ago");
                printf("%s%s", line, *ctl_text(r, "why") ? ": " : "\n");
                if (*ctl_text(r, "why"))
                        term_wrap(ctl_text(r, "why"), n + 2 > 40 ? 4 : n + 2);
        }
        if (!any)
                printf("\nno check reads it: what is known of it others have told\n");
}

static int run_why(const struct common_options *options, int argc, char *argv[])
{
        struct errinfo err = { 0 };
        struct ctl_snapshot s;
        const json_t *c, *r;
        size_t i;
        int status;

        if (argc != 2)
                return ctl_usage("why", "say which component; veillectl status shows them");
        if (ctl_snapshot_load(options, &s, &err) < 0)
                return ctl_fail("%s", err.text);
        c = ctl_component(&s, argv[1]);
        if (!c) {
                const char *near = ctl_component_meant(&s, argv[1]);

                status = near ? ctl_fail("there is no component '%s'; did you mean '%s'?", argv[1], near)
                              : ctl_fail("there is no component '%s'; veillectl status --all shows them", argv[1]);
                ctl_snapshot_done(&s);
                return status;
        }
        printf("%s (%s%s%s) is ", ctl_text(c, "component"), ctl_text(c, "kind"), *ctl_text(c, "id") ? ", " : "", ctl_text(c, "id"));
        term_print_level_word(ctl_level(c));
        printf("\n");
        if (s.silent)
                term_wrap(ctl_text(c, "why"), 0);
        print_roles(c);
        json_array_foreach(json_object_get(c, "reasons"), i, r) {
                printf("\n");
                print_reason(r);
        }
        print_accepted(c);
        print_checks_of(&s, ctl_text(c, "component"));
        print_selftests(&s, ctl_text(c, "component"));
        status = level_nagios_exit(ctl_level(c));
        ctl_snapshot_done(&s);
        return status;
}

const struct ctl_command ctl_command_why = {
        .name = "why",
        .run = run_why,
        .synopsis = "COMPONENT",
        .summary = "every reason for a component's level: evidence, rule, source, age, what would clear it",
        .help = "Exit status like that of status, for this component.\n\n  veillectl why sda\n",
};

static int run_checks(const struct common_options *options, int argc UNUSED, char *argv[] UNUSED)
{
        int check_width = 5, instance_width = 8, column;
        struct errinfo err = { 0 };
        struct ctl_snapshot s;
        const json_t *c;
        size_t i;

        if (ctl_snapshot_load(options, &s, &err) < 0)
                return ctl_fail("%s", err.text);
        json_array_foreach(json_object_get(s.doc, "checks"), i, c) {
                check_width = MAX(check_width, MIN((int)text_columns(ctl_text(c, "check")), 20));
                instance_width = MAX(instance_width, MIN((int)text_columns(ctl_text(c, "instance")), 28));
        }
        column = check_width + instance_width + 30;
        if (term_columns() - column < 25)
                column = 8;
        printf("%-*s %-*s %-8s %-8s %-8s why\n", check_width, "check", instance_width, "instance", "result", "age", "every");
        json_array_foreach(json_object_get(s.doc, "checks"), i, c) {
                const char *why = ctl_text(c, "why");
                char age[32], every[32];

                ctl_duration(ctl_number(c, "age_s"), age, sizeof(age));
                ctl_duration(ctl_number(c, "interval_s"), every, sizeof(every));
                printf("%-*s %-*s %-8s %-8s %s", check_width, ctl_text(c, "check"), instance_width, ctl_text(c, "instance"), ctl_text(c, "result"), age,
                       every);
                if (!*why || column == 8)
                        putchar('\n');
                if (*why) {
                        printf("%*s", column == 8 ? 8 : MAX(9 - (int)text_columns(every), 1), "");
                        term_wrap(why, column);
                }
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
