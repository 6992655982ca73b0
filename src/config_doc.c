/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The example file, out of the table of keys: docs/veille.conf.example and veillectl config example. */

#include "config.h"

#define WIDTH 98

/* Comment lines of at most WIDTH columns. */
static void write_comment(FILE *f, const char *text)
{
        size_t column = 0;

        while (*text) {
                size_t n = strcspn(text, " ");

                if (column > 0 && column + 1 + n > WIDTH) {
                        fputc('\n', f);
                        column = 0;
                }
                column += (size_t)fprintf(f, "%s%.*s", column ? " " : "# ", (int)n, text);
                text += n;
                text += strspn(text, " ");
        }
        fputc('\n', f);
}

static void write_key(FILE *f, const struct config_key *key)
{
        char allows[512];

        config_key_allows(key, allows, sizeof(allows));
        write_comment(f, key->help);
        fprintf(f, "# (%s)\n#%s =%s%s\n\n", allows, key->key, key->value ? " " : "", key->value ? key->value : "");
}

void config_write_example(FILE *f)
{
        /* REUSE-IgnoreStart: these lines are for the file that is written */
        fputs("# SPDX-FileCopyrightText: 2026 The veille authors\n"
              "# SPDX-License-Identifier: GPL-3.0-or-later\n"
              "\n"
              "# Example of /etc/veille/veille.conf: everything that can be set, with its default. veille works without any\n"
              "# file: write only what you want to change, here or in /etc/veille/veille.conf.d/NAME.conf (read in the order of\n"
              "# their names, later ones override). veillectl config check checks, veillectl config show --origin shows what\n"
              "# holds and where it was set, veillectl reload makes it hold. See veille.conf(5).\n\n", f);
        /* REUSE-IgnoreEnd */
        for (size_t i = 0; i < config_sections_len; i++) {
                const struct config_section *s = &config_sections[i];

                write_comment(f, s->help);
                fprintf(f, "#[%s%s%s]\n\n", s->name, s->example ? " " : "", s->example ? s->example : "");
                for (size_t k = 0; k < config_keys_len; k++)
                        if (streq(config_keys[k].section, s->name))
                                write_key(f, &config_keys[k]);
        }
}
