/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* veillectl alerts, notify: what people were told, and what is still on its way. */

#include "ctl_alerts.h"

#include <math.h>
#include <pwd.h>
#include <time.h>

#include "common_run.h"
#include "config_value.h"
#include "ctl_term.h"

static const struct run_file run_file_alerts = { "alerts.json", 64 * 1024 * 1024, "veilled" };

json_t *ctl_alerts_load(const struct common_options *options, struct errinfo *err)
{
        _cleanup_close_ int fd = run_open(options->run);
        _cleanup_free_ char *text = NULL;
        json_error_t error;
        json_t *doc;
        size_t len;

        if (run_file_read(fd, options->run, &run_file_alerts, &text, &len, err) < 0)
                return NULL;
        doc = json_loadb(text, len, 0, &error);
        if (!json_is_object(doc) || json_integer_value(json_object_get(doc, "version")) != 1) {
                err_set(err, -EINVAL, "%s/alerts.json is damaged: %s", options->run, error.text);
                json_decref(doc);
                return NULL;
        }
        return doc;
}

int64_t ctl_take_duration(const char *text, struct errinfo *err)
{
        static const struct config_key key = { .section = "", .key = "", .type = CONFIG_DURATION, .min = 1, .max = 366 * 86400.0 };
        struct config_value value = { 0 };
        struct errinfo why = { 0 };
        int64_t s;
        size_t at;

        if (!*text || config_value_parse(&key, text, &value, &at, &why) < 0)
                return err_set(err, -EINVAL, "'%s' is no time like 30min, 2h or 1d: %s", text, why.text);
        s = (int64_t)value.number;
        config_value_done(&value);
        return s;
}

const char *ctl_who(void)
{
        const char *sudo = getenv("SUDO_USER");
        const struct passwd *pw = getuid() == 0 && sudo && *sudo ? NULL : getpwuid(getuid());

        return pw ? pw->pw_name : getuid() == 0 && sudo && *sudo ? sudo : "";
}

void ctl_when(double t, char *buf, size_t size)
{
        double away = fabs(t - (double)time(NULL));
        time_t at = (time_t)t;
        struct tm tm;

        if (!(t > 0 && t < 1e11) || !localtime_r(&at, &tm))
                snprintf(buf, size, "-");
        else
                strftime(buf, size, away < 20 * 3600 ? "%H:%M" : away < 6 * 86400 ? "%a %H:%M" : "%Y-%m-%d", &tm);
}

/* --- alerts ------------------------------------------------------------------------------------------------- */

static int worst_first(const void *a, const void *b)
{
        const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
        double sx = ctl_number(x, "since"), sy = ctl_number(y, "since");

        if (ctl_level(x) != ctl_level(y))
                return ctl_level(x) > ctl_level(y) ? -1 : 1;
        return sx < sy ? 1 : sx > sy ? -1 : 0;
}

/* "oncall 14:03, boss 15:03; acknowledged by ann: ordered a disk" */
static void print_told(const json_t *x)
{
        const json_t *told = json_object_get(x, "told"), *v;
        const char *name, *comma = "";

        printf("         rule %s; told: ", ctl_text(x, "rule"));
        json_object_foreach((json_t *)told, name, v) {
                char at[32];

                ctl_when(ctl_number(v, "at"), at, sizeof(at));
                printf("%s%s %s", comma, name, at);
                comma = ", ";
        }
        printf("%s", *comma ? "" : "nobody");
        if (json_is_true(json_object_get(x, "acknowledged")))
                printf("; acknowledged by %s%s%s", ctl_text(x, "acknowledged_by"), *ctl_text(x, "acknowledged_why") ? ": " : "",
                       ctl_text(x, "acknowledged_why"));
        if (json_is_true(json_object_get(x, "silenced")))
                printf("; silenced");
        if (*ctl_text(x, "cause"))
                printf("; because of %s", ctl_text(x, "cause"));
        printf("\n");
}

static void print_alert(const json_t *x, int width)
{
        char since[32];

        ctl_when(ctl_number(x, "since"), since, sizeof(since));
        term_print_level(ctl_level(x));
        printf(" %-*s %-10s %s\n", width, ctl_text(x, "component"), since, ctl_text(x, "text"));
        print_told(x);
}

static size_t sorted(const json_t *doc, bool all, json_t ***ret)
{
        const json_t *list = json_object_get(doc, "alerts");
        json_t *x;
        size_t i, n = 0;

        *ret = calloc(json_array_size(list) + 1, sizeof(**ret));
        if (!*ret)
                abort();
        json_array_foreach((json_t *)list, i, x)
                if (all || ctl_level(x) > LEVEL_NOTICE)
                        (*ret)[n++] = x;
        qsort(*ret, n, sizeof(**ret), worst_first);
        return n;
}

static void print_maintenance(const json_t *doc)
{
        const json_t *m = json_object_get(doc, "maintenance");
        char end[32];

        if (!json_is_object(m))
                return;
        ctl_when(ctl_number(m, "end"), end, sizeof(end));
        printf("maintenance until %s, by %s%s%s: nobody is told of anything\n\n", end, ctl_text(m, "by"), *ctl_text(m, "why") ? ": " : "",
               ctl_text(m, "why"));
}

static int print_alerts(const json_t *doc, bool all)
{
        enum level worst = LEVEL_OK;
        json_t **list;
        size_t n = sorted(doc, all, &list);
        int width = 9;

        for (size_t i = 0; i < n; i++)
                width = MAX(width, MIN((int)strlen(ctl_text(list[i], "component")), 32));
        print_maintenance(doc);
        for (size_t i = 0; i < n; i++) {
                print_alert(list[i], width);
                worst = level_worse(worst, ctl_level(list[i]));
        }
        if (n == 0)
                printf("nothing is open%s\n", all ? ", and nothing ended within a day" : "");
        if (json_array_size(json_object_get(doc, "contacts")) == 0)
                printf("\nNobody is told: there is no [contact NAME] with sinks in the configuration (veille.conf(5)).\n");
        free(list);
        return level_nagios_exit(worst);
}

static int run_alerts(const struct common_options *options, int argc, char *argv[]);

struct words {
        bool all, json;
};

static const struct option_row rows[] = {
        { "all", NULL, "also notices, and what ended within a day", offsetof(struct words, all) },
        { "json", NULL, "one JSON object a line", offsetof(struct words, json) },
        { 0 },
};

static int run_alerts(const struct common_options *options, int argc, char *argv[])
{
        struct errinfo err = { 0 };
        struct words words = { 0 };
        int status = 0;
        json_t *doc;

        if (ctl_take("alerts", rows, &words, &argc, argv) < 0)
                return CTL_EXIT_FAILED;
        if (argc > 1)
                return ctl_usage("alerts", "'%s' is too much", argv[1]);
        doc = ctl_alerts_load(options, &err);
        if (!doc)
                return ctl_fail("%s", err.text);
        if (words.json) {
                json_t **list;
                size_t n = sorted(doc, words.all, &list);

                for (size_t i = 0; i < n; i++) {
                        json_dumpf(list[i], stdout, JSON_COMPACT | JSON_REAL_PRECISION(15));
                        putchar('\n');
                }
                free(list);
        } else {
                status = print_alerts(doc, words.all);
        }
        json_decref(doc);
        return status;
}

const struct ctl_command ctl_command_alerts = {
        .name = "alerts",
        .run = run_alerts,
        .synopsis = "[--all] [--json]",
        .summary = "what is open, who was told of it and when, who acknowledged",
        .options = rows,
        .help = "Exit status like that of status, of what is shown.\n",
};

/* --- notify ------------------------------------------------------------------------------------------------------ */

static void print_sink(const json_t *s)
{
        char last[32], good[32];

        ctl_when(ctl_number(s, "last"), last, sizeof(last));
        ctl_when(ctl_number(s, "good"), good, sizeof(good));
        printf("%-16s %-13s %7.0f  %-10s %-10s %s\n", ctl_text(s, "name"), ctl_text(s, "type"), ctl_number(s, "waiting"), last, good,
               *ctl_text(s, "broken") ? ctl_text(s, "broken") : ctl_text(s, "answer"));
}

static int run_notify(const struct common_options *options, int argc, char *argv[])
{
        struct errinfo err = { 0 };
        const json_t *x;
        json_t *doc;
        size_t i, waiting;

        if (argc != 2 || !streq(argv[1], "queue"))
                return ctl_usage("notify", "say queue");
        doc = ctl_alerts_load(options, &err);
        if (!doc)
                return ctl_fail("%s", err.text);
        if (json_array_size(json_object_get(doc, "sinks")) == 0)
                printf("there is no [sink NAME] in the configuration\n");
        else
                printf("%-16s %-13s %7s  %-10s %-10s %s\n", "sink", "type", "waiting", "last try", "last good", "answer");
        json_array_foreach(json_object_get(doc, "sinks"), i, x)
                print_sink(x);
        waiting = json_array_size(json_object_get(doc, "queue"));
        if (waiting)
                printf("\n%-16s %-10s %8s  %-10s %s\n", "sink", "since", "attempts", "next", "subject");
        json_array_foreach(json_object_get(doc, "queue"), i, x) {
                char since[32], next[32];

                ctl_when(ctl_number(x, "since"), since, sizeof(since));
                ctl_when(ctl_number(x, "next"), next, sizeof(next));
                printf("%-16s %-10s %8.0f  %-10s %s\n", ctl_text(x, "sink"), since, ctl_number(x, "attempts"),
                       json_is_true(json_object_get(x, "under_way")) ? "under way" : next, ctl_text(x, "subject"));
        }
        x = json_object_get(doc, "life");
        if (json_is_object(x)) {
                char made[32];

                ctl_when(ctl_number(x, "time"), made, sizeof(made));
                printf("\nsent from a copy in memory of %s, made %s\n", ctl_text(x, "programs"), made);
        }
        json_decref(doc);
        return waiting ? 1 : 0;
}

const struct ctl_command ctl_command_notify = {
        .name = "notify",
        .run = run_notify,
        .synopsis = "queue",
        .summary = "each way out with its last answer, and the messages that still wait",
        .help = "Exit status 1 when something waits. A message waits until its sink has taken it, five days at most.\n",
};
