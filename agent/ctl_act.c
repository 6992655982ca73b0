/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* veillectl accept, reload, poll: asking the brain to act. The brain decides who may. */

#include "ctl_snapshot.h"
#include "ctl_term.h"

static int ask(const struct common_options *options, json_t *request, const char *done)
{
        struct errinfo err = { 0 };
        json_t *answer;

        if (ctl_control(options, request, &answer, &err) < 0)
                return ctl_fail("%s", err.text);
        printf("%s\n", done);
        json_decref(answer);
        return 0;
}

struct accept_words {
        const char *duration;
};

static const struct option_row accept_rows[] = {
        { "for", "TIME", "only for so long (30d, 12h): then it is judged again as if it had not been accepted", offsetof(struct accept_words, duration) },
        { 0 },
};

static int run_accept(const struct common_options *options, int argc, char *argv[])
{
        struct accept_words w = { 0 };
        struct errinfo err = { 0 };
        json_t *request, *answer;
        double for_s = 0;

        if (ctl_take("accept", accept_rows, &w, &argc, argv) < 0)
                return CTL_EXIT_FAILED;
        if (argc < 2 || argc > 3)
                return ctl_usage("accept", "say which component, and a rule where only one finding is meant");
        if (w.duration && (!term_parse_duration(w.duration, &for_s) || for_s < 1))
                return ctl_usage("accept", "--for: '%s' is no duration; say 30d or 12h", w.duration);
        request = json_pack("{ss ss so}", "cmd", "accept", "component", argv[1], "rule", argc > 2 ? json_string(argv[2]) : json_null());
        if (w.duration)
                json_object_set_new(request, "for_s", json_integer((json_int_t)for_s));
        if (ctl_control(options, request, &answer, &err) < 0)
                return ctl_fail("%s", err.text);
        if (w.duration)
                printf("%s: accepted as it is now for %s; until then only further growth is news\n", argv[1], w.duration);
        else
                printf("%s: accepted as it is now; only further growth is news\n", argv[1]);
        if (json_is_true(json_object_get(answer, "stored")))
                printf("stored: it survives a reboot\n");
        else
                printf("NOT STORED YET: %s\n"
                       "It lies in %s only, which a reboot empties. veilled stores it as soon as veille-store answers;\n"
                       "veillectl status shows veille itself as unknown until then.\n",
                       ctl_text(answer, "why"), options->run);
        json_decref(answer);
        return 0;
}

const struct ctl_command ctl_command_accept = {
        .name = "accept",
        .run = run_accept,
        .synopsis = "[--for TIME] COMPONENT [RULE]",
        .summary = "take what has grown or gone as the new normal; it stays with the part over reboots and ports",
        .options = accept_rows,
        .help = "For old errors that are known (a cable long replaced) and parts taken away on purpose. A level that\n"
                "still holds, like a full file system, cannot be accepted away, and what is gone not for a while.\n"
                "It answers when it is stored on disk, or says that it is not yet, and why. veillectl why COMPONENT shows what\n"
                "is accepted and until when. Root or group veille-admin.\n"
                "\n  veillectl accept --for 30d sda crc-errors-grew\n",
};

static int run_reload(const struct common_options *options, int argc UNUSED, char *argv[] UNUSED)
{
        return ask(options, json_pack("{ss}", "cmd", "reload"), "configuration read anew");
}

const struct ctl_command ctl_command_reload = {
        .name = "reload",
        .run = run_reload,
        .synopsis = "",
        .summary = "read the configuration anew; a bad one changes nothing",
        .help = "Root or group veille-admin. Try veillectl config check first.\n",
};

static int run_poll(const struct common_options *options, int argc, char *argv[])
{
        return ask(options, json_pack("{ss so}", "cmd", "poll", "check", argc > 1 ? json_string(argv[1]) : json_null()),
                   "asked; veillectl status shows the result in a few seconds");
}

const struct ctl_command ctl_command_poll = {
        .name = "poll",
        .run = run_poll,
        .synopsis = "[CHECK]",
        .summary = "measure now instead of at the next turn",
        .help = "Root or group veille-admin. Sleeping disks stay asleep.\n",
};
