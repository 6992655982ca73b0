/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_ALERT_PRIVATE_H
#define VEILLE_ALERT_PRIVATE_H

/* Inside of the life of alerts: the table (alert.c), what is told (alert_step.c), its state as JSON (alert_save.c). */

#include "alert.h"

struct alert_sent { /* the last messages to one contact, oldest first */
        int64_t at_us[ALERT_MESSAGES_AN_HOUR];
        bool urgent[ALERT_MESSAGES_AN_HOUR]; /* told of a new critical */
        size_t n;
};

struct alerts {
        struct alert **list; /* sorted by component, rule, host */
        size_t n, size;
        struct alert_policy policy;
        struct alert_sent sent[ALERT_CONTACTS_MAX];
        struct alert_silence silences[ALERT_SILENCES_MAX];
        size_t n_silences;
        unsigned last_silence;
        struct alert_maintenance maintenance;
        struct alert_counters counters;
        int64_t wall_less_boot_us;
        bool causes_dirty; /* an alert opened or ended since the causes were found */
};

/* Replaces *p by a copy of at most max bytes of s (NULL: ""); control characters become spaces, what is not UTF-8 '?'. */
void alert_set(char **p, const char *s, size_t max);

/* The alert, or NULL and where it would stand. */
struct alert *alert_find(const struct alerts *a, const char *host, const char *component, const char *rule, size_t *ret_at);
/* A new one at the place that alert_find() gave; NULL: there is no room for this level. */
struct alert *alert_insert(struct alerts *a, const char *host, const char *component, const char *rule, enum level level);
void alert_level(struct alerts *a, struct alert *alert, enum level level, int64_t now_us);

/* The first alert of the component in the list, or n. */
size_t alert_first_of(const struct alerts *a, const char *component);

/* --- alert_places.c -------------------------------------------------------------------------------------- */
void alert_sent_add(struct alert_sent *s, bool urgent, int64_t now_us);
/* How many went to the contact within the last hour. */
size_t alert_sent_lately(struct alert_sent *s, int64_t now_us);
/* When the next message of this kind (urgent: it has a new critical) may go: the more of them there were within the hour, the longer
 * between two. Others count for it only as far as the places of the hour go, and leave four of them to what is urgent. */
int64_t alert_sent_allowed_us(const struct alert_sent *s, bool urgent, int64_t now_us);

void alert_silences_expire(struct alerts *a, int64_t now_us);

bool alert_contact_wants(const struct alert_contact *c, const char *component);

#endif
