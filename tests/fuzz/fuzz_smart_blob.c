/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Saved SMART data, however damaged: the report turned into samples. */

#include <dlfcn.h>
#include <regex.h>

#include "disk_metrics.h"
#include "smart_blob.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* libatasmart compiles the 40 patterns of its list of quirks for every blob, which was nine tenths of the time of a run. Its
 * calls come here: each pattern is compiled once. */
int regcomp(regex_t *ret, const char *pattern, int flags)
{
        static struct {
                const char *pattern;
                int flags;
                regex_t compiled;
        } seen[128];
        static int (*real)(regex_t *, const char *, int);
        size_t i = 0;
        int r;

        while (i < ARRAY_LEN(seen) && seen[i].pattern && (!streq(seen[i].pattern, pattern) || seen[i].flags != flags))
                i++;
        assert(i < ARRAY_LEN(seen));
        if (!seen[i].pattern) {
                if (!real)
                        real = (__typeof__(real))dlsym(RTLD_NEXT, "regcomp");
                r = real(&seen[i].compiled, pattern, flags);
                if (r != 0)
                        return r;
                seen[i].pattern = strdup(pattern);
                seen[i].flags = flags;
        }
        *ret = seen[i].compiled;
        return 0;
}

void regfree(regex_t *compiled UNUSED)
{
        /* Still in the table above. */
}

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
