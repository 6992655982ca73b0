/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_SMARTCTL_JSON_H
#define VEILLE_SMARTCTL_JSON_H

/* Reads what "smartctl --json" printed (smartmontools 7.0 and later; the keys are in facts of its own source:
 * json_format_version 1.x). Pure. */

#include <jansson.h>

#include "disk_report.h"

#define SMARTCTL_JSON_MAX (4 * 1024 * 1024)

/* Fills *ret (free with disk_report_done). Negative errno with a sentence when this is no report about a disk:
 * -EBADMSG not smartctl's JSON, -ENODATA smartctl ran but could not read the disk (its own words in err). A disk in standby
 * is a report (standby = true). On failure *ret is not touched. */
int smartctl_json_report(const json_t *doc, struct disk_report *ret, struct errinfo *err);

/* The same from text as printed: text before the JSON ("Pending defect count: ..." of 7.1) is tolerated, NUL bytes,
 * a half document and rubbish behind it are not. */
int smartctl_json_parse(const char *text, size_t len, struct disk_report *ret, struct errinfo *err);

/* The document alone, owned by the caller; NULL with a sentence. */
json_t *smartctl_json_load(const char *text, size_t len, struct errinfo *err);

/* json_loadb(), and where a number is greater than 63 bits once more with all numbers as reals. */
json_t *smartctl_json_decode(const char *bytes, size_t len, size_t flags, json_error_t *error);

/* smartctl's own words about what went wrong (its first message), or NULL. Lives as long as doc. */
const char *smartctl_json_message(const json_t *doc);

#endif
