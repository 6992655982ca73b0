/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_ALERT_ADVICE_H
#define VEILLE_ALERT_ADVICE_H

/* What to do about an alert and where to look further, in the languages of messages. Compiled in: no file is needed when
 * the disk is dead. One row a check, and one for each rule whose answer is another one than that of its check. */

#include "level.h"
#include "macros.h"

enum alert_language {
        ALERT_EN,
        ALERT_FR,
        ALERT_LANGUAGES,
};
/* "en", "fr"; -EINVAL. */
int alert_language_from_name(const char *name);

struct alert_advice {
        const char *name;                  /* of the check, or of the rule */
        bool host;                         /* what it looks at carries the whole host, though no file system stands on it */
        const char *now[ALERT_LANGUAGES];  /* in the imperative, no full stop, for a subject: critical */
        const char *soon[ALERT_LANGUAGES]; /* the same when it can wait for working hours */
        const char *look[3];               /* commands; %c is the component, %i the instance; NULL: none */
};

/* Never NULL: what has no row gets the general one. rule and check may be "". */
const struct alert_advice *alert_advice(const char *check, const char *rule);
/* Whether the check has a row of its own, for the test that looks for missing ones. */
bool alert_advice_has(const char *check);
/* All rows, to look for holes. */
const struct alert_advice *alert_advice_at(size_t i); /* NULL: no more */

#endif
