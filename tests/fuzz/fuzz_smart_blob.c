/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Saved SMART data, however damaged: the report turned into samples. */

#include "disk_metrics.h"
#include "smart_blob.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ignore(void *data UNUSED, const char *metric UNUSED, double value UNUSED, const char *const *labels)
{
        for (size_t i = 0; labels && labels[i]; i++)
                assert(strlen(labels[i]) < 1024);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct disk_report report;
        struct errinfo err = { 0 };

        if (smart_blob_report(data, size, &report, &err) < 0) {
                assert(err.text[0]); /* never without a reason */
                return 0;
        }
        disk_report_emit(&report, false, ignore, NULL);
        disk_report_done(&report);
        return 0;
}
