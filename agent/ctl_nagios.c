/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* veillectl check --nagios: one line for a machine that wakes people. What is worst comes first, with its reason. */

#include "ctl_snapshot.h"
#include "textbuf.h"

#define SHOWN_MAX 5
#define WHY_MAX 200 /* bytes of each: old NRPE cuts a line at 1024, and the perfdata stand at its end */

struct nagios_words {
        bool nagios; /* the only form there is */
};

static const struct option_row rows[] = {
        { "nagios", NULL, "the plugin convention; the only form there is", offsetof(struct nagios_words, nagios) },
        { 0 },
};

/* A pipe begins the perfdata. Cut between characters. */
static void add_clean(struct textbuf *out, const char *s)
{
        size_t n = strlen(s), max = n > WHY_MAX ? WHY_MAX - 3 : n;

        while (max < n && max > 0 && ((unsigned char)s[max] & 0xc0) == 0x80)
                max--;
        for (size_t i = 0; i < max; i++)
                textbuf_char(out, s[i] == '|' ? '/' : s[i]);
        textbuf_str(out, max < n ? "..." : "");
}

static void add_components(struct textbuf *out, json_t *const *list, size_t n, enum level worst)
{
        enum level level = ctl_level(list[0]);

        textbuf_str(out, out->len ? "; " : "");
        add_clean(out, ctl_text(list[0], "component"));
        if (n > 1)
                textbuf_printf(out, " and %zu more", n - 1);
        /* Of the worst the state at the beginning of the line speaks; notice has none of its own. */
        if (level != worst || level <= LEVEL_NOTICE)
                textbuf_printf(out, " %s", level_name(level));
        textbuf_str(out, ": ");
        add_clean(out, ctl_text(list[0], "why"));
}

/* A silent brain is one thing to know, however many components it has; what was wrong before is not forgotten. */
static void describe_silence(struct textbuf *out, const struct ctl_snapshot *s, json_t *const *list, size_t n)
{
        size_t shown = 0;

        add_clean(out, ctl_text(s->doc, "health_why"));
        for (size_t i = 0; i < n && shown < SHOWN_MAX; i++) {
                const char *before = ctl_text(list[i], "level_before");

                if (!*before || streq(before, level_name(LEVEL_OK)))
                        continue;
                textbuf_str(out, shown++ ? ", " : "; before that: ");
                add_clean(out, ctl_text(list[i], "component"));
                textbuf_printf(out, " %s", before);
        }
}

static void describe(struct textbuf *out, const struct ctl_snapshot *s, json_t *const *list, size_t n, enum level worst)
{
        size_t bad = 0, shown = 0, i = 0;

        while (bad < n && ctl_level(list[bad]) > LEVEL_OK)
                bad++;
        for (; i < bad && shown < SHOWN_MAX; shown++) {
                size_t run = ctl_alike(list + i, bad - i);

                add_components(out, list + i, run, worst);
                i += run;
        }
        if (i < bad)
                textbuf_printf(out, "; and %zu more", bad - i);
        if (n == 0)
                textbuf_str(out, "nothing has been read yet");
        else if (bad == 0)
                textbuf_printf(out, "%s: all %zu components are ok", ctl_text(s->doc, "host"), n);
        else
                textbuf_printf(out, " (%s is %s, %zu of %zu components are ok)", ctl_text(s->doc, "host"), ctl_text(s->doc, "health"), n - bad, n);
}

static int run(const struct common_options *options, int argc, char *argv[])
{
        static const char *const names[] = { "OK", "WARNING", "CRITICAL", "UNKNOWN" };
        struct nagios_words w = { 0 };
        struct textbuf text = { 0 };
        unsigned count[LEVEL_MAX] = { 0 };
        struct errinfo err = { 0 };
        struct ctl_snapshot s;
        enum level worst;
        json_t **list;
        size_t n;

        if (ctl_take("check", rows, &w, &argc, argv) < 0)
                return CTL_EXIT_FAILED;
        if (argc > 1)
                return ctl_usage("check", "'%s' is no option", argv[1]);
        if (ctl_snapshot_load(options, &s, &err) < 0) {
                printf("VEILLE UNKNOWN: %s\n", err.text);
                return CTL_EXIT_FAILED;
        }
        n = ctl_worst_first(&s, &list);
        worst = n ? ctl_worst(s.doc, s.silent) : LEVEL_UNKNOWN;
        for (size_t i = 0; i < n; i++)
                count[ctl_level(list[i])]++;
        if (s.silent)
                describe_silence(&text, &s, list, n);
        else
                describe(&text, &s, list, n, worst);
        textbuf_char(&text, '\0');
        printf("VEILLE %s: %s |", names[level_nagios_exit(worst)], text.data);
        for (int l = LEVEL_OK; l < LEVEL_MAX; l++)
                printf(" %s=%u;;;0;%zu", level_name((enum level)l), count[l], n);
        printf("\n");
        textbuf_done(&text);
        free(list);
        ctl_snapshot_done(&s);
        return fflush(stdout) == 0 ? level_nagios_exit(worst) : CTL_EXIT_FAILED;
}

const struct ctl_command ctl_command_check = {
        .name = "check",
        .run = run,
        .synopsis = "--nagios",
        .summary = "one line for Nagios, Icinga, Zabbix or monit, with perfdata",
        .options = rows,
        .help = "The worst component and its reason, then at most four more; how many components have which level as perfdata.\n"
                "Notice is OK with text. Exit status 0, 1, 2, 3 as plugins do.\n",
};
