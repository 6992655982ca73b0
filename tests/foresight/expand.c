/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Expands change points (a row holds from tstart to tstop powered-on hours) into what Backblaze publishes:
 * a row for each drive and day, in date order. Standard input to standard output. Dates and hours are mapped
 * linearly between a drive's first and last day, as the corpus did for its own daily files; on the last day of
 * a failed drive "failure" is 1.
 *     expand [--half 0|1] [--blank-failure] [--until DATE] < changepoints.csv > daily.csv
 * --half keeps one of two halves of the drives, by a hash of the serial number. */

#include <getopt.h>
#include <time.h>

#include "macros.h"

#define FIXED 9 /* columns before the SMART values */

struct change {
        long start, stop;
        char *values; /* ",0,0,..." as in the file, in its column order */
};

struct drive {
        char *serial, *model, *capacity;
        int first, last; /* days since 1970 */
        bool failed;
        struct change *changes;
        size_t n, at;
        long hours_first, hours_last;
};

static struct drive *drives;
static size_t n_drives;

static void *grow(void *p, size_t n, size_t size)
{
        if (n & (n - 1))
                return p;
        p = realloc(p, (n ? 2 * n : 1) * size);
        if (!p)
                abort();
        return p;
}

static int parse_day(const char *s)
{
        struct tm tm = {};

        if (!strptime(s, "%Y-%m-%d", &tm)) {
                fprintf(stderr, "expand: bad date '%s'\n", s);
                exit(1);
        }
        return (int)(timegm(&tm) / 86400);
}

static unsigned half_of(const char *serial)
{
        uint32_t h = 2166136261u; /* FNV-1a */

        for (; *serial; serial++)
                h = (h ^ (uint8_t)*serial) * 16777619u;
        return (h ^ h >> 16) & 1;
}

static void add_row(char *line, int half)
{
        char *field[FIXED], *p = line;
        struct drive *d = n_drives ? &drives[n_drives - 1] : NULL;
        struct change *c;

        line[strcspn(line, "\r\n")] = '\0';
        for (int i = 0; i < FIXED; i++) {
                field[i] = p;
                p = strchr(p, ',');
                if (!p) {
                        fprintf(stderr, "expand: short line '%s'\n", line);
                        exit(1);
                }
                *p++ = '\0';
        }
        if (half >= 0 && half_of(field[0]) != (unsigned)half)
                return;
        if (!d || !streq(d->serial, field[0])) {
                drives = grow(drives, n_drives, sizeof(*drives));
                d = &drives[n_drives++];
                *d = (struct drive){
                        .serial = strdup(field[0]), .model = strdup(field[1]), .capacity = strdup(field[2]),
                        .first = parse_day(field[3]), .last = parse_day(field[4]), .failed = streq(field[6], "1"),
                        .hours_first = atol(field[7]),
                };
        }
        d->changes = grow(d->changes, d->n, sizeof(*d->changes));
        c = &d->changes[d->n++];
        *c = (struct change){ .start = atol(field[7]), .stop = atol(field[8]), .values = strdup(p) };
        d->hours_last = c->stop;
}

static int by_first(const void *a, const void *b)
{
        const struct drive *x = a, *y = b;

        return x->first != y->first ? x->first - y->first : strcmp(x->serial, y->serial);
}

static void put_row(struct drive *d, int day, const char *date, bool blank)
{
        long span = d->hours_last - d->hours_first, days = d->last - d->first;
        /* Rounded to the nearest hour. */
        long hours = d->hours_first + (days ? (2 * span * (day - d->first) + days) / (2 * days) : 0);
        char head[256];
        int n;

        while (d->at + 1 < d->n && d->changes[d->at + 1].start <= hours)
                d->at++;
        n = snprintf(head, sizeof(head), "%s,%s,%s,%s,%s,%ld,", date, d->serial, d->model, d->capacity,
                     blank ? "" : d->failed && day == d->last ? "1" : "0", hours);
        fwrite(head, 1, (size_t)n, stdout);
        fputs(d->changes[d->at].values, stdout);
        putchar('\n');
}

int main(int argc, char *argv[])
{
        static const struct option options[] = {
                { "half", required_argument, NULL, 'h' },
                { "blank-failure", no_argument, NULL, 'b' },
                { "until", required_argument, NULL, 'u' },
                {},
        };
        _cleanup_free_ char *line = NULL;
        _cleanup_free_ struct drive **active = NULL;
        size_t size = 0, n_active = 0, next = 0;
        int half = -1, until = INT32_MAX, c;
        bool blank = false;
        char *p;

        while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0)
                switch (c) {
                case 'h':
                        half = atoi(optarg);
                        break;
                case 'b':
                        blank = true;
                        break;
                case 'u':
                        until = parse_day(optarg);
                        break;
                default:
                        return 1;
                }
        if (getline(&line, &size, stdin) < 0)
                return 1;
        /* The header's SMART columns are passed on by name. */
        p = strstr(line, "tstop_hours,");
        if (!p)
                return 1;
        printf("date,serial_number,model,capacity_bytes,failure,smart_9_raw,%s", p + strlen("tstop_hours,"));
        while (getline(&line, &size, stdin) > 0)
                add_row(line, half);
        qsort(drives, n_drives, sizeof(*drives), by_first);
        active = calloc(n_drives + 1, sizeof(*active));
        if (!active)
                abort();
        for (int day = n_drives ? drives[0].first : 0; (next < n_drives || n_active) && day <= until; day++) {
                time_t t = (time_t)day * 86400;
                size_t kept = 0;
                char date[16];

                strftime(date, sizeof(date), "%Y-%m-%d", gmtime(&t));
                while (next < n_drives && drives[next].first <= day)
                        active[n_active++] = &drives[next++];
                for (size_t i = 0; i < n_active; i++) {
                        put_row(active[i], day, date, blank);
                        if (active[i]->last > day)
                                active[kept++] = active[i];
                }
                n_active = kept;
        }
        if (fflush(stdout) || ferror(stdout))
                return 1;
        for (size_t i = 0; i < n_drives; i++) {
                for (size_t k = 0; k < drives[i].n; k++)
                        free(drives[i].changes[k].values);
                free(drives[i].changes);
                free(drives[i].serial);
                free(drives[i].model);
                free(drives[i].capacity);
        }
        free(drives);
        return 0;
}
