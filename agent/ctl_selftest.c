/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* veillectl selftest: when disks tested themselves, how that ended, when they do so next and what holds it back; or: one of
 * them is to begin. */

#include <math.h>
#include <time.h>

#include "ctl_snapshot.h"

/* "14:03" today or yesterday, "Mon 14:03" within a week either way, else the date; "-" for never. */
static void when(double t, char *buf, size_t size)
{
        double away = fabs(t - (double)time(NULL));
        time_t at = (time_t)t;
        struct tm tm;

        if (!(t > 0 && t < 1e11) || !localtime_r(&at, &tm))
                snprintf(buf, size, "-");
        else
                strftime(buf, size, away < 6 * 86400 ? "%a %H:%M" : "%Y-%m-%d", &tm);
}

/* How the newest test of this kind that is over ended. */
static void last_result(const json_t *o, char *buf, size_t size)
{
        static const struct {
                const char *last, *word;
        } words[] = { { "", "never" }, { "passed", "passed" }, { "failed", "FAILED" }, { "early", "broken off" } };
        double at;
        const char *last = status_selftest_last(o, &at);
        char text[32];

        when(at, text, sizeof(text));
        for (size_t i = 0; i < ARRAY_LEN(words); i++)
                if (streq(words[i].last, last))
                        snprintf(buf, size, "%s%s%s", words[i].word, *last ? " " : "", *last ? text : "");
}

static void print_one(const json_t *o, const char *indent)
{
        const char *state = ctl_text(o, "state");
        char last[64], next[32], since[32];

        last_result(o, last, sizeof(last));
        when(ctl_number(o, "next"), next, sizeof(next));
        when(ctl_number(o, "started"), since, sizeof(since));
        printf("%s%-14s %-6s %-22s %-11s ", indent, ctl_text(o, "component"), ctl_text(o, "test"), last, next);
        if (streq(state, "running"))
                printf("running since %s\n", since);
        else if (streq(state, "impossible"))
                printf("the disk has no such test\n");
        else if (streq(state, "waiting"))
                printf("due, waits: %s\n", *ctl_text(o, "why") ? ctl_text(o, "why") : "begins in a minute");
        else
                printf("\n");
}

bool ctl_selftest_print(const struct ctl_snapshot *s, const char *component, const char *indent)
{
        bool any = false;
        const json_t *o;
        size_t i;

        json_array_foreach(json_object_get(s->doc, "selftests"), i, o) {
                if (component && !streq(ctl_text(o, "component"), component))
                        continue;
                if (!any)
                        printf("%s%-14s %-6s %-22s %-11s %s\n", indent, "disk", "test", "last result", "next", "now");
                any = true;
                print_one(o, indent);
        }
        return any;
}

static int list(const struct common_options *options)
{
        struct errinfo err = { 0 };
        struct ctl_snapshot s;

        if (ctl_snapshot_load(options, &s, &err) < 0)
                return ctl_fail("%s", err.text);
        if (s.silent)
                printf("this is from before veilled fell silent\n");
        if (!ctl_selftest_print(&s, NULL, ""))
                printf("no self-tests are planned: section [selftest] of veille.conf(5) says when disks test themselves\n");
        ctl_snapshot_done(&s);
        return 0;
}

static int run_selftest(const struct common_options *options, int argc, char *argv[])
{
        struct errinfo err = { 0 };
        json_t *answer;

        if (argc == 1)
                return list(options);
        if (argc != 3)
                return ctl_usage("selftest", "say which disk, and short or long; or nothing to see them all");
        if (ctl_control(options, json_pack("{ss ss ss}", "cmd", "selftest", "component", argv[1], "test", argv[2]), &answer, &err) < 0)
                return ctl_fail("%s", err.text);
        printf("%s\n", ctl_text(answer, "text"));
        json_decref(answer);
        return 0;
}

const struct ctl_command ctl_command_selftest = {
        .name = "selftest",
        .run = run_selftest,
        .synopsis = "[DISK short|long]",
        .summary = "when disks tested themselves, how it ended, when they do so next; or: begin one",
        .help = "Without words: all disks. With a disk and a test: it begins as soon as its array, slow writes and other tests\n"
                "allow, within a day; root or group veille-admin. Dates come from section [selftest] of veille.conf(5).\n"
                "\n  veillectl selftest sda long\n",
};
