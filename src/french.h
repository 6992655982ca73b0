/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_FRENCH_H
#define VEILLE_FRENCH_H

/* What veille says in English, in French. Rules and the code speak English; a finished sentence is found again by its template: {value} and the
 * other places of rule_text() (rule.h), %s and %d of a format. So it also works for a sentence that was kept over a reboot. Pure; all is
 * compiled in. */

#include "macros.h"
#include "textbuf.h"

struct french_row {
        const char *english; /* a template as it stands in a rule, or a format */
        const char *french;  /* with the same places: {value}, {label:x}; {1}, {2} for those of a format; {n:one|more} after a number */
};

/* Adds the sentence in French; one without a template (of a plugin, of a device, of the kernel) goes in quotes, as it is. Never adds nothing. */
void french_add(struct textbuf *out, const char *english);
/* The row of the template that fits best; NULL: none. For tests. */
const struct french_row *french_find(const char *english);
const struct french_row *french_row_at(size_t i); /* NULL: no more */

#endif
