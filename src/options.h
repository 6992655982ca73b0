/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_OPTIONS_H
#define VEILLE_OPTIONS_H

/* The options of the command line as tables: one row is what is parsed, what --help says and what a mistake is compared with.
 * All programs take the same ones the same way: anywhere among the words, "--name VALUE" or "--name=VALUE", the last one
 * counts, "--" ends them. Pure: streams come in, nothing is opened. */

#include "errinfo.h"

struct option_row {
        const char *name; /* without the dashes; NULL ends a table */
        const char *arg;  /* what --help calls its value: "DIR"; NULL: it has none */
        const char *help; /* a line, cut where the terminal ends; "": not explained */
        size_t offset;    /* in the struct of the program: of a const char *, of a bool where there is no value */
};

/* What every program takes. The strings point into argv or are constant. */
struct common_options {
        const char *root, *config, *state, *run;
        bool help, version;
};

#define COMMON_OPTIONS_DEFAULT                                                                                            \
        {                                                                                                                 \
                .root = "/", .config = "/etc/veille/veille.conf", .state = "/var/lib/veille", .run = "/run/veille"        \
        }

extern const struct option_row common_option_rows[];

/* One table and where its values go. */
struct option_set {
        const struct option_row *rows; /* NULL: none */
        void *values;
};

/* Takes out of argv what the n sets know; argv[0] and the other words stay, *argc is their number, argv[*argc] is NULL.
 * strict: an option that no set knows is an error, and "--" is taken out too; else both stay. -EINVAL with a
 * sentence that names the option, what is wrong with it and what was meant perhaps. */
int options_take(const struct option_set *sets, size_t n, bool strict, int *argc, char *argv[], struct errinfo *err);

/* The lines of --help, aligned over all sets. */
void options_print(const struct option_set *sets, size_t n, FILE *f);

struct program {
        const char *name, *summary;       /* "veilled", "watches this host and judges what it sees" */
        const char *usage;                /* lines before the options; NULL */
        const struct option_row *options; /* of its own; NULL */
        const char *notes;                /* lines after the options */
        bool words;                       /* it takes words that are no options */
};

/* The beginning of main(): parses; 1: go on; 0: --help or --version was answered on out; -EINVAL: a mistake, told on errors. */
int program_start(const struct program *p, struct common_options *common, void *values, int *argc, char *argv[], FILE *out, FILE *errors);

#endif
