/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Any bytes as a configuration file. What was accepted must answer every question, and every message must
 * name its place. */

#include "config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask_everything(const struct config *c)
{
        for (size_t i = 0; i < config_keys_len; i++) {
                const struct config_key *k = &config_keys[i];
                const char *const unnamed[] = { NULL, NULL };
                const char *const *names = k->named ? config_section_names(c, k->section) : unnamed;
                char *words[64];

                do {
                        size_t n = config_list(c, k->section, *names ? *names : "x", k->key, words, ARRAY_LEN(words));

                        while (n > 0)
                                free(words[--n]);
                        (void)config_string(c, k->section, *names ? *names : "x", k->key);
                        (void)config_int(c, k->section, *names ? *names : "x", k->key);
                        if (!config_origin(c, k->section, *names ? *names : "x", k->key))
                                abort();
                } while (*names++ && k->named);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct config_errors errors;
        struct config *c = NULL;

        if (config_parse_string("f", (const char *)data, size, &c, &errors) == 0)
                ask_everything(c);
        else if (errors.n == 0 || c)
                abort();
        for (size_t i = 0; i < errors.n; i++) {
                unsigned line, column;

                if (errors.text[i][0] != '(' && sscanf(errors.text[i], "f:%u:%u: ", &line, &column) != 2)
                        abort();
        }
        config_errors_done(&errors);
        config_free(c);
        return 0;
}
