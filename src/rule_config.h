/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_RULE_CONFIG_H
#define VEILLE_RULE_CONFIG_H

/* What [rule NAME] changes of a rule's own limits. */

#include "catalog.h"
#include "config.h"
#include "rule.h"

/* Changes the limits in place. -EINVAL and a sentence with the places when the result makes no sense: limits in the
 * wrong order, a clear beyond a limit, a window where none is measured. */
int rule_configure(struct rule *rule, const struct config *config, struct errinfo *err);

/* Takes all limits away: the rule judges nothing any more. */
void rule_disable(struct rule *rule);

/* -EINVAL and a sentence when there is a [check NAME] or [rule NAME] that the catalogue does not have. */
int catalog_check_names(const struct config *config, const struct catalog *catalog, struct errinfo *err);

/* Names of all checks and of all rules of a catalogue; the caller frees the arrays, the strings are the catalogue's. */
struct catalog_names {
        const char **checks, **rules;
        size_t n_checks, n_rules;
};
void catalog_names_get(const struct catalog *catalog, struct catalog_names *ret);
void catalog_names_done(struct catalog_names *names);

#endif
