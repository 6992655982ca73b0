/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Finds the command that was typed: common options anywhere, then a row of the table. */

#include <stdarg.h>

#include "clean_text.h"
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

const struct ctl_command *ctl_command_by_name(const char *name)
{
        for (size_t i = 0; ctl_commands[i]; i++)
                if (streq(ctl_commands[i]->name, name))
                        return ctl_commands[i];
        return NULL;
}

/* A message may quote what a file or a peer said. */
static void say(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));
static void say(const char *fmt, va_list ap)
{
        char text[4096];

        vsnprintf(text, sizeof(text), fmt, ap);
        clean_text(text);
        fputs(text, stderr);
}

int ctl_usage(const char *name, const char *fmt, ...)
{
        va_list ap;

        fprintf(stderr, "veillectl %s: ", name);
        va_start(ap, fmt);
        say(fmt, ap);
        va_end(ap);
        fprintf(stderr, " (veillectl help %s)\n", name);
        return CTL_EXIT_FAILED;
}

int ctl_fail(const char *fmt, ...)
{
        va_list ap;

        fputs("veillectl: ", stderr);
        va_start(ap, fmt);
        say(fmt, ap);
        va_end(ap);
        fputc('\n', stderr);
        return CTL_EXIT_FAILED;
}

int ctl_take(const char *name, const struct option_row *rows, void *words, int *argc, char *argv[])
{
        struct common_options taken;
        const struct option_set sets[] = { { rows, words }, { common_option_rows, &taken } };
        struct errinfo err = { 0 };

        /* The common ones are long gone; they are here to be meant by a mistyped one. */
        if (options_take(sets, ARRAY_LEN(sets), true, argc, argv, &err) < 0) {
                ctl_usage(name, "%s", err.text);
                return -EINVAL;
        }
        return 0;
}

int ctl_take_number(const char *name, const char *value, int least, int most, int *ret, struct errinfo *err)
{
        char *end;
        long n = value ? strtol(value, &end, 10) : 0;

        if (!value)
                return 0;
        if (*end || end == value || n < least || n > most)
                return err_set(err, -EINVAL, "--%s is a number from %d to %d, not '%s'", name, least, most, value);
        *ret = (int)n;
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

/* A word that begins with a dash before any command: common options are gone, so it is one of a command, or of nobody. */
static int unknown_option(const char *word, char *argv[])
{
        struct common_options taken;
        const struct option_set set = { common_option_rows, &taken };
        struct errinfo err = { 0 };
        int argc = 2;

        for (size_t i = 0; ctl_commands[i]; i++)
                for (const struct option_row *row = ctl_commands[i]->options; row && row->name; row++)
                        if (str_starts(word, "--") && streq(word + 2, row->name))
                                return ctl_fail("%s belongs to a command and stands behind it: veillectl %s %s", word, ctl_commands[i]->name, word);
        options_take(&set, 1, true, &argc, argv, &err);
        return ctl_fail("%s (veillectl --help)", err.text);
}

int ctl_main(int argc, char *argv[])
{
        struct common_options options = COMMON_OPTIONS_DEFAULT;
        const struct option_set common = { common_option_rows, &options };
        const struct ctl_command *command, *help = ctl_command_by_name("help");
        char *of_command[] = { (char *)"help", NULL, NULL };
        struct errinfo err = { 0 };

        assert(help);
        if (options_take(&common, 1, false, &argc, argv, &err) < 0)
                return ctl_fail("%s (veillectl --help)", err.text);
        if (options.version && !options.help) {
                printf("veillectl %s\n", VEILLE_VERSION);
                return 0;
        }
        if (argc < 2) {
                help->run(&options, 1, of_command);
                return options.help ? 0 : CTL_EXIT_FAILED;
        }
        if (argv[1][0] == '-')
                return unknown_option(argv[1], argv);
        command = ctl_command_by_name(argv[1]);
        if (!command)
                return unknown_command(argv[1]);
        if (options.help) {
                of_command[1] = argv[1];
                return help->run(&options, 2, of_command);
        }
        argc--;
        argv++;
        if (!command->options && ctl_take(command->name, NULL, NULL, &argc, argv) < 0)
                return CTL_EXIT_FAILED;
        return command->run(&options, argc, argv);
}
