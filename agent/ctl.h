/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_CTL_H
#define VEILLE_CTL_H

/* veillectl is a table of commands. A new command foo is agent/ctl_foo.c with
 * "const struct ctl_command ctl_command_foo = { ... }" and one row in ctl_table.inc. */

#include "macros.h"

/* Options that every command takes, before or after its name. Never NULL. */
struct ctl_options {
        const char *root, *config, *state, *run;
};

struct ctl_command {
        const char *name;
        /* argv[0] is the command's name and argv[argc] is NULL; the options above are already taken out.
         * Uses getopt_long freely (optind is 0). Returns the exit status. */
        int (*run)(const struct ctl_options *options, int argc, char *argv[]);
        const char *synopsis; /* what follows the name: "[--json] [COMPONENT]" */
        const char *summary;  /* one line, for veillectl --help */
        const char *help;     /* the rest of veillectl help NAME: options, exit status, an example; ends in a newline */
};

/* In the order of --help; NULL-terminated. */
extern const struct ctl_command *const ctl_commands[];
const struct ctl_command *ctl_command_by_name(const char *name);

/* Exit status of "I could not do or understand it": the unknown of Nagios, so that a mistyped check is not taken for ok. */
#define CTL_EXIT_FAILED 3

/* "veillectl NAME: sentence; see veillectl help NAME" to standard error. Returns CTL_EXIT_FAILED. */
int ctl_usage(const char *name, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* "veillectl: sentence" to standard error. Returns CTL_EXIT_FAILED. */
int ctl_fail(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* All of main(): takes the common options out of argv, finds the command and runs it. */
int ctl_main(int argc, char *argv[]);

#endif
