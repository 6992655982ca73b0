/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_CTL_ALERTS_H
#define VEILLE_CTL_ALERTS_H

/* RUN/alerts.json for the commands about alerts. */

#include "ctl_snapshot.h"

/* The document, owned by the caller; NULL with a sentence. */
json_t *ctl_alerts_load(const struct common_options *options, struct errinfo *err);

/* Seconds of "2h", "30min", "1d"; negative with a sentence: it is no time between 1 s and a year. */
int64_t ctl_take_duration(const char *text, struct errinfo *err);

/* Who types: the login name behind sudo, else that of the user. */
const char *ctl_who(void);

/* A time to come or gone: "14:03", "Mon 14:03", else the date. */
void ctl_when(double t, char *buf, size_t size);

#endif
