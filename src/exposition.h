/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_EXPOSITION_H
#define VEILLE_EXPOSITION_H

/* Metrics in the two text formats Prometheus reads: its own 0.0.4 and OpenMetrics 1.0. Samples come in any
 * order; families come out together, sorted, each once, without a duplicate. Pure. */

#include "macros.h"
#include "textbuf.h"

enum expo_format {
        EXPO_TEXT,        /* text/plain; version=0.0.4 */
        EXPO_OPENMETRICS, /* application/openmetrics-text; version=1.0.0 */
        EXPO_FORMAT_MAX,
};

enum expo_type {
        EXPO_UNKNOWN,
        EXPO_GAUGE,
        EXPO_COUNTER, /* OpenMetrics knows it only by a name that ends in _total */
        EXPO_INFO,    /* ... in _info; 0.0.4 calls it a gauge */
};

struct expo;

struct expo *expo_new(void);
struct expo *expo_free(struct expo *e);

/* Says what a family is; the first word counts. Without it a family is of unknown type. All strings are copied.
 * unit may be "". -EINVAL: not a metric name. */
int expo_family(struct expo *e, const char *name, enum expo_type type, const char *unit, const char *help);

/* One sample; labels: name, value, ..., NULL. Values may hold any UTF-8. -EINVAL: a name that Prometheus would
 * refuse, or twice the same; -E2BIG: too many labels. */
int expo_sample(struct expo *e, const char *family, double value, const char *const *labels);

/* Appends all families that have samples. Returns how many samples were left out because another with the
 * same labels came first. Without the final "# EOF". */
size_t expo_render(struct expo *e, enum expo_format format, struct textbuf *out);

/* Appends HELP, TYPE and UNIT of a family by themselves, for samples that the caller prints. */
void expo_render_head(struct textbuf *out, enum expo_format format, const char *name, enum expo_type type, const char *unit,
                      const char *help);

/* Appends {a="b",...}, with escapes; nothing when there is no label. Names must be valid. */
void expo_render_labels(struct textbuf *out, const char *const *labels);

const char *expo_content_type(enum expo_format format);

/* What an Accept header asks for (RFC 9110: media ranges with q); NULL: no header. 0.0.4 unless OpenMetrics is liked better. */
enum expo_format expo_negotiate(const char *accept);

#endif
