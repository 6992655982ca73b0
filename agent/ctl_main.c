/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Finds the command that was typed: common options anywhere, then a row of the table. */

#include <getopt.h>
#include <stdarg.h>

#include "ctl.h"
#include "suggest.h"
#include "version.h"

#define COMMAND(name) extern const struct ctl_command ctl_command_##name;
#include "ctl_table.inc"
#undef COMMAND

const struct ctl_command *const ctl_commands[] = {
#define COMMAND(name) &ctl_command_##name,
#include "ctl_table.inc"
#undef COMMAND
        NULL,
};

static const struct {
        const char *name;
        size_t offset;
} common[] = {
        { "--root", offsetof(struct ctl_options, root) },
        { "--config", offsetof(struct ctl_options, config) },
        { "--state", offsetof(struct ctl_options, state) },
        { "--run", offsetof(struct ctl_options, run) },
};

const struct ctl_command *ctl_command_by_name(const char *name)
{
        for (size_t i = 0; ctl_commands[i]; i++)
                if (streq(ctl_commands[i]->name, name))
                        return ctl_commands[i];
        return NULL;
}

int ctl_usage(const char *name, const char *fmt, ...)
{
        va_list ap;

        fprintf(stderr, "veillectl %s: ", name);
        va_start(ap, fmt);
        vfprintf(stderr, fmt, ap);
        va_end(ap);
        fprintf(stderr, "; see veillectl help %s\n", name);
        return CTL_EXIT_FAILED;
}

int ctl_fail(const char *fmt, ...)
{
        va_list ap;

        fputs("veillectl: ", stderr);
        va_start(ap, fmt);
        vfprintf(stderr, fmt, ap);
        va_end(ap);
        fputc('\n', stderr);
        return CTL_EXIT_FAILED;
}

/* Takes one common option at argv[i] and returns how many words it was (0: not one of them), or -EINVAL. */
static int take_common(struct ctl_options *options, char *argv[], int i)
{
        for (size_t k = 0; k < ARRAY_LEN(common); k++) {
                size_t len = strlen(common[k].name);
                const char **value = (const char **)((char *)options + common[k].offset);

                if (strncmp(argv[i], common[k].name, len) != 0 || (argv[i][len] != '\0' && argv[i][len] != '='))
                        continue;
                *value = argv[i][len] == '=' ? argv[i] + len + 1 : argv[i + 1];
                if (!*value || !**value) {
                        ctl_fail("%s needs a value", common[k].name);
                        return -EINVAL;
                }
                return argv[i][len] == '=' ? 1 : 2;
        }
        return 0;
}

/* Removes the common options from argv, before and after the command's name, up to "--". */
static int take_options(struct ctl_options *options, int *argc, char *argv[])
{
        int n = 1, i = 1;

        while (i < *argc && !streq(argv[i], "--")) {
                int r = take_common(options, argv, i);

                if (r < 0)
                        return r;
                if (r == 0)
                        argv[n++] = argv[i++];
                i += r;
        }
        while (i < *argc)
                argv[n++] = argv[i++];
        argv[n] = NULL;
        *argc = n;
        return 0;
}

static int unknown_command(const char *name)
{
        const char *names[64], *near;
        size_t n = 0;

        for (size_t i = 0; ctl_commands[i]; i++)
                if (n < ARRAY_LEN(names))
                        names[n++] = ctl_commands[i]->name;
        near = suggest(name, names, n);
        if (near)
                return ctl_fail("there is no command '%s'; did you mean '%s'?", name, near);
        return ctl_fail("there is no command '%s'; veillectl --help shows them all", name);
}

static bool wants_help(int argc, char *argv[])
{
        for (int i = 1; i < argc && !streq(argv[i], "--"); i++)
                if (streq(argv[i], "--help") || streq(argv[i], "-h"))
                        return true;
        return false;
}

int ctl_main(int argc, char *argv[])
{
        struct ctl_options options = {
                .root = "/",
                .config = "/etc/veille/veille.conf",
                .state = "/var/lib/veille",
                .run = "/run/veille",
        };
        const struct ctl_command *command, *help = ctl_command_by_name("help");
        char *of_command[] = { (char *)"help", NULL, NULL };

        assert(help);
        if (take_options(&options, &argc, argv) < 0)
                return CTL_EXIT_FAILED;
        optind = 0;
        if (argc < 2) {
                help->run(&options, 1, of_command);
                return CTL_EXIT_FAILED;
        }
        if (streq(argv[1], "--help") || streq(argv[1], "-h"))
                return help->run(&options, 1, of_command);
        if (streq(argv[1], "--version")) {
                printf("veillectl %s\n", VEILLE_VERSION);
                return 0;
        }
        if (argv[1][0] == '-')
                return ctl_fail("unknown option %s; veillectl --help shows what there is", argv[1]);
        command = ctl_command_by_name(argv[1]);
        if (!command)
                return unknown_command(argv[1]);
        if (wants_help(argc - 1, argv + 1)) {
                of_command[1] = argv[1];
                return help->run(&options, 2, of_command);
        }
        return command->run(&options, argc - 1, argv + 1);
}
