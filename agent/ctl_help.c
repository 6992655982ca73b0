/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* veillectl help: what can be typed, and what to type first. */

#include "ctl.h"
#include "ctl_term.h"
#include "textbuf.h"

#define WRITTEN_COLUMNS 112

static void help_all(void)
{
        const struct option_set common = { common_option_rows, NULL };
        size_t width = 0;

        puts("veillectl: asks veille how this host is, and tells it what you have decided\n\n"
             "  veillectl status            how is this host?\n"
             "  veillectl why sda           why does it say that of sda, and what would clear it?\n"
             "  veillectl accept sda        I know of these old errors: tell me only of new ones\n\n"
             "Commands:");
        for (size_t i = 0; ctl_commands[i]; i++)
                width = MAX(width, strlen(ctl_commands[i]->name));
        for (size_t i = 0; ctl_commands[i]; i++)
                printf("  %-*s  %s\n", (int)width, ctl_commands[i]->name, ctl_commands[i]->summary);
        puts("\nOptions of every command:");
        options_print(&common, 1, stdout);
        puts("  --help, --version\n\n"
             "veillectl help COMMAND tells more of one command. Reading needs group veille; accept, reload and poll need\n"
             "root or group veille-admin. Exit status: 0 done, 3 not done or not understood, others as the command says.");
}

/* Paragraphs are filled where the terminal is narrower than they were written; lines that begin with a space stay. */
static void print_text(const char *text)
{
        struct textbuf paragraph = { 0 };

        if (term_columns() >= WRITTEN_COLUMNS) {
                fputs(text, stdout);
                return;
        }
        while (*text) {
                size_t len = strcspn(text, "\n");
                const char *next = text + len + (text[len] == '\n');

                if (len && *text != ' ') {
                        textbuf_add(&paragraph, text, len);
                        textbuf_char(&paragraph, ' ');
                }
                if (paragraph.len && (len == 0 || *text == ' ' || *next == ' ' || *next == '\n' || !*next)) {
                        textbuf_char(&paragraph, '\0');
                        term_wrap(paragraph.data, 0);
                        paragraph.len = 0;
                }
                if (len == 0)
                        putchar('\n');
                else if (*text == ' ')
                        printf("%.*s\n", (int)len, text);
                text = next;
        }
        textbuf_done(&paragraph);
}

static int run(const struct common_options *options UNUSED, int argc, char *argv[])
{
        const struct ctl_command *command;

        if (argc < 2) {
                help_all();
                return 0;
        }
        command = ctl_command_by_name(argv[1]);
        if (!command)
                return ctl_usage("help", "there is no command '%s'", argv[1]);
        printf("veillectl %s%s%s\n\n%s\n", command->name, *command->synopsis ? " " : "", command->synopsis, command->summary);
        if (command->options) {
                putchar('\n');
                options_print(&(struct option_set){ command->options, NULL }, 1, stdout);
        }
        if (*command->help) {
                putchar('\n');
                print_text(command->help);
        }
        return 0;
}

const struct ctl_command ctl_command_help = {
        .name = "help", .run = run, .synopsis = "[COMMAND]",
        .summary = "Says what can be typed.", .help = "",
};
