/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_REDACT_H
#define VEILLE_REDACT_H

/* Text that is to leave the house: known words are replaced wherever they stand, and what looks like a secret is taken
 * out: values of keys that are named password, token, secret ..., passwords in URLs and their query, authorization
 * headers, private keys. Rather too much than too little. Pure. */

#include "textbuf.h"

struct redact_word {
        char *from; /* at least REDACT_WORD_MIN bytes, or it is not used; short ones only where they stand alone */
        char *to;
};

#define REDACT_WORD_MIN 2

struct redact {
        struct redact_word *words;
        size_t n;
};

/* Copies; what is there already or too short is left out. */
void redact_add(struct redact *r, const char *from, size_t len, const char *to);
void redact_done(struct redact *r);

void redact_text(const struct redact *r, const char *text, size_t len, struct textbuf *out);

#endif
