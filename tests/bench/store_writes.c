/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* store_writes DIR [DAYS]: how much veille-store makes the kernel write to the file system of DIR, on a host of 12 disks
 * and 200 sensors. The store's own code with clocks of our own, so that a day takes seconds: every minute what the brain
 * sends in a minute (values, changed memory, a sync, which is one commit with fsync), housekeeping as it comes due. Bytes are
 * those of /proc/self/io, so DIR must not be a tmpfs. Fails when a day costs more than the bound that docs/man promises. */

#include <math.h>
#include <sys/stat.h>
#include <time.h>

#include "store.h"

#define DISKS 12
#define DISK_SERIES 22 /* of an ATA disk, twice an hour */
#define SENSORS 200    /* once a minute; most of them flicker */
#define OTHERS 120     /* file systems, host, net: once a minute, a third of them moves */
#define MAX_MB_A_DAY 100.0

static int64_t now_us = 1700006400 * USEC_PER_SEC;

static int64_t fake_clock(void)
{
        return now_us;
}

static void quiet(int priority, const char *text)
{
        if (priority <= STORE_WARNING)
                fprintf(stderr, "store: %s\n", text);
}

/* The same every time. */
static double noise(void)
{
        static uint64_t x = 88172645463325252ULL;

        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        return (double)(x >> 11) / 9007199254740992.0;
}

static void say(struct store *s, json_t *line)
{
        struct peer p = { .writer = true };

        jsonl_init(&p.j, -1, 0, 1024 * 1024);
        peer_line(s, &p, line);
        json_decref(line);
        jsonl_done(&p.j);
}

static void row(json_t *rows, const char *check, const char *component, const char *metric, int n, double v)
{
        char key[256];

        snprintf(key, sizeof(key), "%s/%s/%s{n=%d}", check, component, metric, n);
        json_array_append_new(rows, json_pack("[ssf]", key, component, v));
}

static void disk_rows(json_t *rows, int64_t minute)
{
        char name[16];

        for (int d = 0; d < DISKS; d++) {
                if (minute % 30 != d % 30)
                        continue;
                snprintf(name, sizeof(name), "sd%c", 'a' + d);
                row(rows, "smart-ata", name, "disk_temperature_celsius", 0, 35 + d + floor(noise() * 3));
                row(rows, "smart-ata", name, "disk_power_on_seconds", 1, (double)(minute / 60 * 3600));
                row(rows, "smart-ata", name, "disk_written_bytes_total", 2, (double)minute * 5e6);
                for (int k = 3; k < DISK_SERIES; k++)
                        row(rows, "smart-ata", name, "disk_attribute", k, k);
        }
}

static void minute_rows(json_t *rows)
{
        char name[16];

        for (int i = 0; i < SENSORS; i++) {
                snprintf(name, sizeof(name), "chip%d", i / 20);
                /* A third fans, a third temperatures in steps of a degree, a third voltages that stand still mostly. */
                row(rows, "sensors", name, "sensor_value", i, i % 3 == 0 ? 1200 + floor(noise() * 20) : i % 3 == 1 ? 40 + floor(noise() * 2) : noise() < 0.05 ? 12.1 : 12);
        }
        for (int i = 0; i < OTHERS; i++)
                row(rows, "host", "host", "host_value", i, i % 3 == 0 ? noise() : i);
}

static void minute(struct store *s, int64_t n)
{
        json_t *rows = json_array(), *some;
        char text[1500];

        disk_rows(rows, n);
        minute_rows(rows);
        while (json_array_size(rows)) { /* in lines of 100, as the brain does */
                some = json_array();
                for (int i = 0; i < 100 && json_array_size(rows); i++) {
                        json_array_append(some, json_array_get(rows, 0));
                        json_array_remove(rows, 0);
                }
                say(s, json_pack("{ss sI so}", "t", "samples", "time", (json_int_t)(now_us / USEC_PER_SEC), "rows", some));
        }
        json_decref(rows);
        memset(text, 'x', sizeof(text) - 1);
        text[sizeof(text) - 1] = '\0';
        text[n % 1000] = (char)('a' + n % 26);
        say(s, json_pack("{ss ss s{ss}}", "t", "put", "key", n % 2 ? "component/sda" : "component/host", "value", "state", text));
        if (n % 60 == 0)
                say(s, json_pack("{ss sI ss ss ss ss ss ss}", "t", "event", "time", (json_int_t)(now_us / USEC_PER_SEC), "component", "sda", "kind", "disk", "from",
                                 "ok", "to", n % 120 ? "ok" : "warning", "rule", "r", "why", "something of a usual length happened to this disk"));
        say(s, json_pack("{ss sI}", "t", "sync", "seq", (json_int_t)n));
}

int main(int argc, char *argv[])
{
        int64_t days = argc > 2 ? atoll(argv[2]) : 2, before, bytes, first_day = 0;
        struct common_options o = { .root = "/", .config = "", .state = argv[1], .run = argv[1] };
        struct config *config = config_new_defaults();
        struct store s;
        json_t *stats;

        if (argc < 2 || days < 1 || days > 400) {
                fprintf(stderr, "usage: store_writes DIR [DAYS]\n");
                return 3;
        }
        store_init(&s, &o, config);
        config_free(config);
        s.wall_us = s.boot_us = fake_clock;
        s.log = quiet;
        if (db_open(&s) != SQLITE_OK)
                return 3;
        stats = store_stats(&s);
        before = json_integer_value(json_object_get(stats, "bytes_written"));
        json_decref(stats);
        for (int64_t n = 0; n < days * 1440; n++, now_us += 60 * USEC_PER_SEC) {
                minute(&s, n);
                if (store_commit_due(&s) <= now_us)
                        store_commit(&s);
                while (store_tidy(&s))
                        ;
                if ((n + 1) % 1440 == 0) {
                        stats = store_stats(&s);
                        bytes = json_integer_value(json_object_get(stats, "bytes_written")) - before;
                        printf("day %lld: %.1f MB written in %lld commits; database %.1f MB, %lld series, %lld of %lld values kept\n", (long long)(n / 1440 + 1),
                               (double)(bytes - first_day) / 1e6, (long long)json_integer_value(json_object_get(stats, "commits")),
                               (double)json_integer_value(json_object_get(stats, "bytes")) / 1e6, (long long)json_integer_value(json_object_get(stats, "series")),
                               (long long)json_integer_value(json_object_get(stats, "samples_written")),
                               (long long)json_integer_value(json_object_get(stats, "samples")));
                        if (bytes - first_day == 0)
                                printf("nothing was written to a block device: is %s a tmpfs?\n", argv[1]);
                        else if ((double)(bytes - first_day) / 1e6 > MAX_MB_A_DAY)
                                days = -1;
                        first_day = bytes;
                        json_decref(stats);
                }
        }
        store_done(&s);
        if (days < 0 || first_day == 0)
                printf("more than %.0f MB a day, or not measurable\n", MAX_MB_A_DAY);
        return days < 0 || first_day == 0;
}
