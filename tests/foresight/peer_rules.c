/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* What other programs and people warn by, over daily rows on standard input: prints "serial date rule" for the
 * first day on which a rule fires. A rule is a set of intervals of raw values, any of which is enough. */

#include <search.h>

#include "history.h"

static const struct {
        const char *name;
        struct {
                uint8_t id;
                uint64_t from, to;
        } any[12];
} rules[] = {
        { "smartd -a: 197 or 198 > 0", { { 197, 1, UINT64_MAX }, { 198, 1, UINT64_MAX } } },
        /* The critical attributes' buckets with an annual failure rate of 10 % or more; without 188, which this data
         * set holds damaged. Values above the last bucket are in none, as there. */
        { "Scrutiny's buckets (without 188)",
          { { 5, 17, 70000 }, { 10, 1, 80 }, { 187, 1, 120 }, { 196, 12, 17 }, { 196, 28, 45 }, { 197, 2, 1600 }, { 198, 1, 16 } } },
        { "5, 187, 197, 198 > 0",
          { { 5, 1, UINT64_MAX }, { 187, 1, UINT64_MAX }, { 197, 1, UINT64_MAX }, { 198, 1, UINT64_MAX } } },
        { "Backblaze five: and 188 > 0",
          { { 5, 1, UINT64_MAX }, { 187, 1, UINT64_MAX }, { 188, 1, UINT64_MAX }, { 197, 1, UINT64_MAX }, { 198, 1, UINT64_MAX } } },
};

struct fired {
        char serial[64];
        unsigned rules;
};

static int by_serial(const void *a, const void *b)
{
        return strcmp(((const struct fired *)a)->serial, ((const struct fired *)b)->serial);
}

static unsigned fires(const struct disk_report *report)
{
        unsigned mask = 0;

        for (size_t r = 0; r < ARRAY_LEN(rules); r++)
                for (size_t i = 0; i < ARRAY_LEN(rules[r].any) && rules[r].any[i].id; i++) {
                        const struct disk_attribute *a = disk_report_attribute(report, rules[r].any[i].id);

                        if (a && a->has_raw && a->raw >= rules[r].any[i].from && a->raw <= rules[r].any[i].to)
                                mask |= 1u << r;
                }
        return mask;
}

int main(void)
{
        _cleanup_(history_reader_done) struct history_reader reader = {};
        _cleanup_free_ char *line = NULL;
        static struct history_day day;
        struct errinfo err;
        void *root = NULL;
        size_t size = 0;
        ssize_t len;

        while ((len = getline(&line, &size, stdin)) > 0) {
                struct fired key = {}, *f;
                struct fired **found;
                unsigned mask;

                if (line[len - 1] == '\n')
                        len--;
                if (history_line(&reader, line, (size_t)len, &day, &err) <= 0)
                        continue;
                mask = fires(&day.report);
                if (!mask)
                        continue;
                memcpy(key.serial, day.report.serial, sizeof(key.serial));
                found = tfind(&key, &root, by_serial);
                if (!found) {
                        f = calloc(1, sizeof(*f));
                        if (!f)
                                abort();
                        *f = key;
                        found = tsearch(f, &root, by_serial);
                }
                f = *found;
                for (size_t r = 0; r < ARRAY_LEN(rules); r++)
                        if (mask & ~f->rules & 1u << r)
                                printf("%s %s %s\n", f->serial, day.date, rules[r].name);
                f->rules |= mask;
        }
        return 0; /* the process ends here: the tree is not freed */
}
