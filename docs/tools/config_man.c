/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Prints the sections and keys of veille.conf(5) from the table in src/config_keys.c; "make docs" puts
 * them in the place of @KEYS@ in docs/man/veille.conf.5.in. */

#include "config.h"
#include "roff.h"

static void print_key(const struct config_key *key)
{
        char allows[512];

        config_key_allows(key, allows, sizeof(allows));
        printf(".TP\n.BR ");
        roff(stdout, key->key);
        printf(" \" = \\fI");
        roff(stdout, allows);
        printf("\\fR\"\n");
        roff_sentences(stdout, key->help);
        if (key->value) {
                printf("Default:\n.BR \"");
                roff(stdout, key->value);
                printf("\" .\n");
        }
}

int main(void)
{
        for (size_t i = 0; i < config_sections_len; i++) {
                const struct config_section *s = &config_sections[i];

                printf(".SS \"[%s%s]\"\n", s->name, s->example ? " \\fINAME\\fP" : "");
                roff_sentences(stdout, s->help);
                for (size_t k = 0; k < config_keys_len; k++)
                        if (streq(config_keys[k].section, s->name))
                                print_key(&config_keys[k]);
        }
        return fflush(stdout) == 0 ? 0 : 1;
}
