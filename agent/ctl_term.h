/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_CTL_TERM_H
#define VEILLE_CTL_TERM_H

/* What standard output can show, and how levels and times look on it. */

#include "errinfo.h"
#include "level.h"
#include "macros.h"
#include "text_wrap.h"

bool term_colour(void); /* a terminal, and NO_COLOR does not forbid it */
bool term_utf8(void);   /* the locale says so */
int term_columns(void); /* of $COLUMNS or the terminal; 120 when it is neither */

const char *term_level_colour(enum level level);
const char *term_level_sign(enum level level); /* "ok", "WARNING": loud without colour */
void term_print_level(enum level level);       /* 8 columns */

void term_print_level_word(enum level level);  /* as wide as it is */

/* The rest of a line that stands at column start, cut at spaces where the terminal ends and continued at column; ends in a
 * newline. term_wrap(): it stands where it is continued. What is neither a terminal nor given a width by $COLUMNS gets one line, for those who grep. */
void term_wrap_from(const char *text, int start, int column);
void term_wrap(const char *text, int column);

/* "14:03" today, "Mon 14:03" this week, else the date; "-" when it is no time. */
void term_when(double t, char *buf, size_t size);

/* The same of a time to come: always with its date. */
void term_when_ahead(double t, char *buf, size_t size);

/* "30d", "2h": true, and *ret_s are its seconds. */
bool term_parse_duration(const char *text, double *ret_s);

/* A time as people type it: "2h" or "3d" (so long ago), "14:00", "2026-11-20", "2026-11-20 14:00[:30]" (or T in between),
 * "yesterday", "today", "@EPOCH". -EINVAL with a sentence. */
int term_parse_time(const char *text, double now, double *ret, struct errinfo *err);

#endif
