/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_CONFIG_VALUE_H
#define VEILLE_CONFIG_VALUE_H

/* Inside of config: what the text of a value means for a key of the table. */

#include "config.h"

struct config_value {
        char *text;     /* as written, without white space around it; a string or path also without its quotes; NULL: none */
        double number;  /* of everything that counts (a bool: 0 or 1); NAN: none */
        char **words;   /* CONFIG_LIST, CONFIG_COMMAND */
        size_t n_words;
};

#define CONFIG_WORDS_MAX 1024

/* 0, or -EINVAL with a sentence and where in text it went wrong; *ret is untouched then. */
int config_value_parse(const struct config_key *key, const char *text, struct config_value *ret, size_t *ret_at, struct errinfo *err);
void config_value_done(struct config_value *value);

/* A number of this type as a person would write it ("5min", "1.5G", "0.8"). */
void config_value_format(enum config_type type, double value, char *buf, size_t size);

/* The words of key->choices: fills ret (pointers into copy, which the caller frees). */
size_t config_choices(const struct config_key *key, char **ret_copy, const char **ret, size_t max);

#endif
