/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_HW_HOST_H
#define VEILLE_HW_HOST_H

/* The parts of the check "host": hw_host.c (load, memory, pressure, clock), hw_host_cpu.c (processors: how many, slowed
 * down by heat), hw_host_rules.c (what is judged). */

#include "check.h"

#define HOST_METRICS 26
#define HOST_RULES 20

extern const struct metric_desc host_metrics[HOST_METRICS];
extern const struct rule host_rules[HOST_RULES];

/* Processors in use; at least 1. */
unsigned host_cpu_count(struct env *env);
/* Emits host_cpu_throttles_total, where the processors tell. */
void host_cpu_throttles(struct env *env);

#endif
