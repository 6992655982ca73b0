/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* veillectl hooks: what would be run, what ran and how it ended; running and confirming one. The brain decides who may. */

#include <time.h>
#include <unistd.h>

#include "common_clock.h"
#include "common_hook_file.h"
#include "common_run.h"
#include "ctl_alerts.h"
#include "ctl_snapshot.h"
#include "ctl_term.h"

static const struct run_file run_file_hooks = { "hooks.json", 16 * 1024 * 1024, "veilled" };

static json_t *load(const struct common_options *options, struct errinfo *err)
{
        _cleanup_close_ int fd = run_open(options->run);
        _cleanup_free_ char *text = NULL;
        json_t *doc;
        size_t len;

        if (run_file_read(fd, options->run, &run_file_hooks, &text, &len, err) < 0)
                return NULL;
        doc = json_loadb(text, len, 0, NULL);
        if (!json_is_object(doc) || json_integer_value(json_object_get(doc, "version")) != 1) {
                err_set(err, -EINVAL, "%s/hooks.json is damaged", options->run);
                json_decref(doc);
                return NULL;
        }
        return doc;
}

static const json_t *find(const json_t *doc, const char *name)
{
        const json_t *o;
        size_t i;

        json_array_foreach((json_t *)json_object_get(doc, "hooks"), i, o)
                if (streq(ctl_text(o, "name"), name))
                        return o;
        return NULL;
}

static void print_one(const struct common_options *options, const json_t *o)
{
        const json_t *state = json_object_get(o, "state"), *last = json_object_get(state, "last"), *asked = json_object_get(state, "asked");
        const json_t *running = json_object_get(state, "running"), *on;
        struct errinfo err = { 0 };
        char path[4096], at[32];
        size_t i;

        printf("%-24s %-7s on", ctl_text(o, "name"), ctl_text(o, "class"));
        json_array_foreach((json_t *)json_object_get(o, "on"), i, on)
                printf(" %s", json_string_value(on) ? json_string_value(on) : "");
        printf("%s\n", i ? "" : " demand only");
        if (hook_file_find(options->root, ctl_text(o, "name"), path, sizeof(path), &err) < 0)
                printf("  cannot be run: %s\n", err.text);
        else
                printf("  %s; %.0f of %.0f runs within a day\n", path, (double)json_array_size(json_object_get(state, "runs")), ctl_number(o, "per_day"));
        if (running)
                printf("  runs, on %s\n", ctl_text(running, "on"));
        if (asked)
                printf("  waits for: veillectl hooks confirm %s; on %s %s %s\n", ctl_text(o, "name"), ctl_text(asked, "on"), ctl_text(asked, "component"),
                       ctl_text(asked, "text"));
        if (*ctl_text(o, "waits"))
                printf("  is not run now: %s\n", ctl_text(o, "waits"));
        if (last) {
                ctl_when(ctl_number(last, "ended"), at, sizeof(at));
                printf("  last %s: %s\n", at, ctl_text(last, "summary"));
        }
}

static int list(const struct common_options *options, bool json)
{
        struct errinfo err = { 0 };
        json_t *doc = load(options, &err);
        const json_t *o;
        size_t i;

        if (!doc)
                return ctl_fail("%s", err.text);
        if (!json)
                printf("mode %s%s\n", ctl_text(doc, "mode"),
                       streq(ctl_text(doc, "mode"), "advise") ? ": veille says what it would run, and runs nothing ([hooks] mode)" : "");
        json_array_foreach(json_object_get(doc, "hooks"), i, o) {
                if (json) {
                        json_dumpf(o, stdout, JSON_COMPACT | JSON_REAL_PRECISION(15));
                        putchar('\n');
                } else {
                        print_one(options, o);
                }
        }
        if (i == 0 && !json)
                printf("there is no [hook NAME] in the configuration\n");
        json_decref(doc);
        return 0;
}

static int dry_run(const struct common_options *options, const char *name)
{
        struct errinfo err = { 0 };
        char path[4096];
        json_t *doc;
        const json_t *o;

        if (hook_file_find(options->root, name, path, sizeof(path), &err) < 0)
                return ctl_fail("%s", err.text);
        doc = load(options, &err);
        if (!doc)
                return ctl_fail("%s", err.text);
        o = find(doc, name);
        printf("would run %s as root\n", path);
        if (o)
                printf("with a deadline of %.0f s; mode %s, %.0f of %.0f runs within a day\n", ctl_number(o, "deadline"), ctl_text(doc, "mode"),
                       (double)json_array_size(json_object_get(json_object_get(o, "state"), "runs")), ctl_number(o, "per_day"));
        else
                printf("but there is no [hook %s] in the configuration: veilled does not run it\n", name);
        json_decref(doc);
        return o ? 0 : 1;
}

/* Until the run of that id has ended: its exit status as 0, 1 or 3. */
static int wait_for(const struct common_options *options, const char *name, const char *id, double deadline)
{
        int64_t until = clock_boot_us() + (int64_t)(deadline + 30) * USEC_PER_SEC;
        struct errinfo err = { 0 };

        while (clock_boot_us() < until) {
                json_t *doc = load(options, &err);
                const json_t *last = json_object_get(json_object_get(find(doc, name), "state"), "last");

                if (last && streq(ctl_text(last, "id"), id)) {
                        bool good = streq(ctl_text(last, "outcome"), "exited") && json_integer_value(json_object_get(last, "status")) == 0;

                        printf("%s%s%s\n", ctl_text(last, "output"), *ctl_text(last, "output") ? "\n" : "", ctl_text(last, "summary"));
                        json_decref(doc);
                        return good ? 0 : 1;
                }
                json_decref(doc);
                usleep(200000);
        }
        return ctl_fail("no end of it was seen; veillectl hooks list shows it when there is one");
}

static int begin(const struct common_options *options, const char *cmd, const char *name, const char *component)
{
        struct errinfo err = { 0 };
        json_t *answer;
        int status;

        if (ctl_control(options, json_pack("{ss ss ss ss}", "cmd", cmd, "hook", name, "component", component ? component : "", "by", ctl_who()), &answer,
                        &err) < 0)
                return ctl_fail("%s", err.text);
        status = wait_for(options, name, ctl_text(answer, "id"), ctl_number(answer, "deadline"));
        json_decref(answer);
        return status;
}

struct words {
        bool dry_run, json;
};

static const struct option_row rows[] = {
        { "dry-run", NULL, "run: only say what would be run, and whether it may be", offsetof(struct words, dry_run) },
        { "json", NULL, "list: one JSON object a line, with the output of the last run", offsetof(struct words, json) },
        { 0 },
};

static int run_hooks(const struct common_options *options, int argc, char *argv[])
{
        struct words w = { 0 };

        if (ctl_take("hooks", rows, &w, &argc, argv) < 0)
                return CTL_EXIT_FAILED;
        if (argc == 2 && streq(argv[1], "list"))
                return list(options, w.json);
        if (argc == 3 && streq(argv[1], "run") && w.dry_run)
                return dry_run(options, argv[2]);
        if ((argc == 3 || argc == 4) && streq(argv[1], "run") && !w.dry_run)
                return begin(options, "hook-run", argv[2], argv[3]);
        if (argc == 3 && streq(argv[1], "confirm"))
                return begin(options, "hook-confirm", argv[2], NULL);
        return ctl_usage("hooks", "say list, run NAME or confirm NAME");
}

const struct ctl_command ctl_command_hooks = {
        .name = "hooks",
        .run = run_hooks,
        .synopsis = "list | run [--dry-run] NAME [COMPONENT] | confirm NAME",
        .summary = "programs that veille runs when something happens, and how that ended",
        .options = rows,
        .help = "run begins one whatever the mode, its cool-down and its number a day, and waits for its end; confirm does it for the cause\n"
                "that list shows. Both: root or group veille-admin. Exit status 0: it ended well; 1: it did not; 3: it was not begun.\n"
                "What a hook is told is in veille-hooks(7).\n"
                "\n  veillectl hooks run --dry-run restart-mail-service\n",
};
