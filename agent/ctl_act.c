/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* veillectl accept, reload, poll: asking the brain to act. The brain decides who may. */

#include "ctl_snapshot.h"

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

static int run_accept(const struct common_options *options, int argc, char *argv[])
{
        struct errinfo err = { 0 };
        json_t *answer;

        if (argc < 2 || argc > 3)
                return ctl_usage("accept", "say which component, and a rule where only one finding is meant");
        if (ctl_control(options, json_pack("{ss ss so}", "cmd", "accept", "component", argv[1], "rule", argc > 2 ? json_string(argv[2]) : json_null()),
                        &answer, &err) < 0)
                return ctl_fail("%s", err.text);
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
        .synopsis = "COMPONENT [RULE]",
        .summary = "take what has grown or gone as the new normal; it stays with the part over reboots and ports",
        .help = "For old errors that are known (a cable long replaced) and parts taken away on purpose. A level that\n"
                "still holds, like a full file system, cannot be accepted away. Root or group veille-admin.\n"
                "\n  veillectl accept sda interface-crc-errors\n",
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
