/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_SMARTCTL_PRIVATE_H
#define VEILLE_SMARTCTL_PRIVATE_H

/* Shared by smartctl_json.c and smartctl_selftests.c only. */

#include "smartctl_json.h"

/* The member at a path like "temperature/current"; NULL. */
const json_t *smartctl_get(const json_t *o, const char *path);

/* A number, be it printed as text; NAN for anything else. The second takes the exact text form ("..._s") where there is one. */
double smartctl_number_of(const json_t *v);
double smartctl_number(const json_t *o, const char *path);

/* Fill in the self-test fields of a report whose power-on time is known already. */
void smartctl_selftests_ata(const json_t *doc, struct disk_report *r);
void smartctl_selftests_nvme(const json_t *doc, struct disk_report *r);
void smartctl_selftests_scsi(const json_t *doc, struct disk_report *r);

#endif
