/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_SERIES_KEY_H
#define VEILLE_SERIES_KEY_H

/* The name of a series in the store: "check/instance/metric{label=value,...}". An instance may contain slashes (a mount
 * point), a label's value nearly anything. Pure. */

#include <jansson.h>

#include "macros.h"

struct series_key {
        const char *check, *instance, *metric, *labels; /* not terminated: into the key */
        size_t check_len, instance_len, metric_len, labels_len;
};

#define SERIES_KEY_MAX 1024

/* -EINVAL when it is no such name or has control characters. */
int series_key_parse(const char *key, struct series_key *ret);

bool series_key_metric_is(const struct series_key *k, const char *metric);

/* The next label at *p (start with k->labels, end is k->labels + k->labels_len); false at the end. A comma that no
 * "name=" follows belongs to the value before it. */
bool series_key_label(const char **p, const char *end, const char **ret_name, size_t *ret_name_len, const char **ret_value,
                      size_t *ret_value_len);

/* All labels as an object of strings; the caller owns it. NULL: out of memory. */
json_t *series_key_labels_json(const struct series_key *k);

/* What its name says that a metric is measured in: "celsius", "bytes", "seconds", "ratio", "rpm", ...; "" for a plain number. */
const char *metric_unit(const char *metric);

#endif
