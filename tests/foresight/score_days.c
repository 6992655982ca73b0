/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Steps the scorecard over daily rows (standard input) and prints, a line per drive and run of equal scores,
 * "serial first-date days score": what the calibration is fitted on and checked with. */

#include <search.h>

#include "history.h"
#include "scorecard.h"

struct run {
        char serial[64], date[11];
        struct scorecard_state state;
        int score;
        long days;
};

static void finish(const void *node, VISIT visit, int depth UNUSED)
{
        const struct run *r = *(struct run *const *)node;

        if (visit == postorder || visit == leaf)
                printf("%s %s %ld %d\n", r->serial, r->date, r->days, r->score);
}

static int by_serial(const void *a, const void *b)
{
        return strcmp(((const struct run *)a)->serial, ((const struct run *)b)->serial);
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
                const struct disk_counters *c = &day.report.counters;
                struct run key, *r;
                struct run **found;
                int score;

                if (line[len - 1] == '\n')
                        len--;
                if (history_line(&reader, line, (size_t)len, &day, &err) <= 0)
                        continue;
                memcpy(key.serial, day.report.serial, sizeof(key.serial));
                found = tfind(&key, &root, by_serial);
                if (!found) {
                        r = calloc(1, sizeof(*r));
                        if (!r)
                                abort();
                        memcpy(r->serial, key.serial, sizeof(r->serial));
                        found = tsearch(r, &root, by_serial);
                }
                r = *found;
                score = (int)scorecard_step(&r->state, &(struct scorecard_input){
                        c->reallocated, c->reported_uncorrectable, c->pending, c->offline_uncorrectable,
                }, (int64_t)(day.report.power_on_s * USEC_PER_SEC));
                if (r->days && score != r->score) {
                        printf("%s %s %ld %d\n", r->serial, r->date, r->days, r->score);
                        r->days = 0;
                }
                if (!r->days)
                        memcpy(r->date, day.date, sizeof(r->date));
                r->score = score;
                r->days++;
        }
        twalk(root, finish);
        return 0; /* the process ends here: the runs are not freed one by one */
}
