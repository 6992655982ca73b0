/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_DISK_METRICS_H
#define VEILLE_DISK_METRICS_H

/* From a disk report to samples: the same for both checks, veillectl judge and replay. */

#include "catalog.h"
#include "disk_report.h"

#define DISK_METRICS_LEN 67 /* as DISK_RULES_LEN */
extern const struct metric_desc disk_metrics[DISK_METRICS_LEN];
extern const size_t disk_metrics_len;

/* labels: name, value, ..., NULL; valid during the call only. */
typedef void disk_emit_fn(void *data, const char *metric, double value, const char *const *labels);

/* Hands out what the report says. judged_only: just what a rule reads, without the attribute table and the rest. */
void disk_report_emit(const struct disk_report *report, bool judged_only, disk_emit_fn *emit, void *data);

#endif
