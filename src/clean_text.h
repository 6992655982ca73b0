/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_CLEAN_TEXT_H
#define VEILLE_CLEAN_TEXT_H

/* Texts that devices, programs and kernels made, on their way to a terminal or a page: a control character in the model
 * of a USB stick must not be a command to root's terminal. Pure. */

#include <jansson.h>

/* Bytes of the UTF-8 character at s, of which at most len are there; 0: none begins there. */
size_t utf8_len(const unsigned char *s, size_t len);

/* In place, without a change of length: control characters (below the blank, DEL, U+0080 to U+009F) become blanks, what is
 * not UTF-8 question marks. */
void clean_text(char *s);

/* The same for each string value in a document, however deep. A member whose name has such a character is nobody's and
 * is taken out. */
void clean_json(json_t *doc);

#endif
