/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_TEXT_WRAP_H
#define VEILLE_TEXT_WRAP_H

/* Text for a terminal: how wide it is, where it is cut. Texts are UTF-8. */

#include "textbuf.h"

/* Columns it takes: its characters; that of some scripts two columns belong to each is not known here. */
size_t text_columns(const char *s);

/* Appends text that begins at column start of a line of width columns; cut at spaces, continued below at indent. A word that
 * is too long is not cut, for it is to be copied. width 0: one line. Leaves out spaces at the end. */
void text_wrap(struct textbuf *out, const char *text, size_t start, size_t indent, size_t width);

#endif
