/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_HEALTH_H
#define VEILLE_HEALTH_H

/* From the levels of components to the health of the host: one table. Pure. */

#include "level.h"
#include "rule.h"

/* What a component's trouble means for the host, before it is added up. */
enum health_part {
        PART_NONE,           /* nothing that counts */
        PART_SOFT,           /* a sign: a notice */
        PART_WARNING,        /* a prediction, or trouble that redundancy carries */
        PART_BLIND,          /* unknown, and mail or the system stands on it */
        PART_HARD_PROTECTED, /* has failed, redundancy carries it */
        PART_HARD,           /* has failed, nothing carries it */
};

struct health_input {
        enum level level;
        bool hard;            /* some reason at critical is a hard fault */
        unsigned evidence;    /* bit set of enum evidence of all reasons at warning or worse */
        bool carries;         /* a role stands on it, or it is of the host as a whole (memory, power) */
        bool protected_;      /* its loss alone loses no role */
};

enum health_part health_part(const struct health_input *in);

/* Adding up. Zero-initialise. */
struct health_result {
        enum health health;
        char why[256];
        enum level level; /* of the component that why is about */
        unsigned soft, warnings, blind;
};
void health_add(struct health_result *result, enum health_part part, enum level level, const char *component, const char *why);
/* Call once after the last add. */
void health_finish(struct health_result *result);

#endif
