/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_NAGIOS_H
#define VEILLE_NAGIOS_H

/* What a Nagios plugin printed: a line for people and, behind |, performance data. Pure; whatever comes is a stranger's. */

#include "errinfo.h"

#define NAGIOS_VALUES_MAX 256
#define NAGIOS_OUTPUT_MAX 65536 /* a plugin that prints more is ended */

enum nagios_status { NAGIOS_OK, NAGIOS_WARNING, NAGIOS_CRITICAL, NAGIOS_UNKNOWN };

struct nagios_value {
        char label[96];
        double value;       /* in base units */
        const char *metric; /* plugin_seconds, plugin_bytes, ... */
        char unit[16];      /* as printed, where it is none of those with a metric of its own; "" */
};

struct nagios_output {
        char text[400]; /* first line, without control characters; UTF-8 */
        struct nagios_value values[NAGIOS_VALUES_MAX];
        size_t n_values;
        unsigned ignored; /* performance data that is not of the form, or beyond the limit */
};

/* -EINVAL and a sentence when that is no answer: nothing, no text, bytes that are none. */
int nagios_parse(const char *out, size_t len, struct nagios_output *ret, struct errinfo *err);

/* The text says worse than the exit status: a wrapper has lost it ("CRITICAL - ..." and 0). */
bool nagios_contradicts(enum nagios_status exit_status, const char *text);

#endif
