/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_CTL_H
#define VEILLE_CTL_H

/* veillectl is a table of commands. A new command foo is agent/ctl_foo.c with
 * "const struct ctl_command ctl_command_foo = { ... }" and one row in ctl_table.inc. */

#include "options.h"

struct ctl_command {
        const char *name;
        /* argv[0] is the command's name and argv[argc] is NULL; the common options are already taken out. A command with
         * options of its own begins with ctl_take(). Returns the exit status. */
        int (*run)(const struct common_options *options, int argc, char *argv[]);
        const char *synopsis; /* what follows the name: "[--json] [COMPONENT]" */
        const char *summary;  /* one line, for veillectl --help */
        const struct option_row *options; /* of its own; veillectl help NAME shows them. NULL: none */
        const char *help;     /* the rest of veillectl help NAME: exit status, an example; ends in a newline */
};

/* In the order of --help; NULL-terminated. */
extern const struct ctl_command *const ctl_commands[];
const struct ctl_command *ctl_command_by_name(const char *name);

/* Exit status of "I could not do or understand it": the unknown of Nagios, so that a mistyped check is not taken for ok. */
#define CTL_EXIT_FAILED 3

/* "veillectl NAME: sentence (veillectl help NAME)" to standard error. Returns CTL_EXIT_FAILED. */
int ctl_usage(const char *name, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* "veillectl: sentence" to standard error. Returns CTL_EXIT_FAILED. */
int ctl_fail(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* Takes the options in rows out of argv and into words; what is left are words. -EINVAL: a mistake, and it was told. */
int ctl_take(const char *name, const struct option_row *rows, void *words, int *argc, char *argv[]);

/* The value of option --name, NULL: not given, and *ret stays. -EINVAL with a sentence: no whole number between least and most. */
int ctl_take_number(const char *name, const char *value, int least, int most, int *ret, struct errinfo *err);

/* All of main(): takes the common options out of argv, finds the command and runs it. */
int ctl_main(int argc, char *argv[]);

#endif
