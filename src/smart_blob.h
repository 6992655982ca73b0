/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_SMART_BLOB_H
#define VEILLE_SMART_BLOB_H

/* Disk reports from libatasmart: of an open disk, or of data saved with "skdump --save" (a blob). */

#include <stddef.h> /* atasmart.h of Debian 12 uses size_t without it */

#include <atasmart.h>

#include "disk_report.h"

#define SMART_BLOB_MAX 65536

/* True when the bytes begin like a blob. */
bool smart_blob_is(const void *data, size_t len);

/* From a blob. -EBADMSG when it is none or damaged, -ENODATA when the disk in it has no SMART. */
int smart_blob_report(const void *data, size_t len, struct disk_report *ret, struct errinfo *err);

/* From a disk whose SMART data has been read (or whose blob has been set). -ENODATA: SMART is not available. */
int smart_atasmart_report(SkDisk *disk, struct disk_report *ret, struct errinfo *err);

#endif
