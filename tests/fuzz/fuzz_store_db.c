/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* A torn database: a good one is made once; the input says where to cut it and which bytes to change; then it is
 * opened, read, tidied and written as in daily life. The store must come out of it with a database it can write.
 * Input: 3 bytes length to keep (0: all), then 4 bytes each: offset (3, big-endian, modulo the size) and a value. */

#include <fcntl.h>
#include <sys/stat.h>

#include "store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define START_S 1700006400LL

static int64_t clock_us;
static char dir[64], path[96];
static uint8_t *good;
static size_t good_len;

static int64_t fake_clock(void)
{
        return clock_us;
}

static void no_log(int priority UNUSED, const char *text UNUSED)
{
}

static void begin(struct store *s)
{
        struct common_options options = { "/", "", dir, dir };
        struct config *config = config_new_defaults();

        store_init(s, &options, config);
        config_free(config);
        s->wall_us = s->boot_us = fake_clock;
        s->log = no_log;
}

static void line(struct store *s, json_t *doc)
{
        struct peer p = { .writer = true };

        assert(doc);
        jsonl_init(&p.j, -1, 0, 1024 * 1024);
        peer_line(s, &p, doc);
        json_decref(doc);
        do {
                peer_work(s, &p);
                p.j.out_len = 0;
        } while (p.job.kind != JOB_NONE);
        jsonl_done(&p.j);
}

/* Three days of some series with everything that a store has. */
static void make_good(void)
{
        struct store s;
        FILE *f;

        clock_us = START_S * USEC_PER_SEC;
        begin(&s);
        db_open(&s);
        for (int m = 0; m < 3 * 144; m++) {
                json_t *rows = json_array();
                char key[64];

                for (int i = 0; i < 12; i++) {
                        snprintf(key, sizeof(key), "smart/sd%c/disk_temperature_celsius{n=%d}", 'a' + i, i);
                        json_array_append_new(rows, json_pack("[ssf]", key, i % 2 ? "sda" : "sdb", i == 3 ? 0.1 * m : 30.0 + m % (i + 2)));
                }
                line(&s, json_pack("{ss sI so}", "t", "samples", "time", (json_int_t)(clock_us / USEC_PER_SEC), "rows", rows));
                if (m % 20 == 0)
                        line(&s, json_pack("{ss sI ss ss ss ss}", "t", "event", "time", (json_int_t)(clock_us / USEC_PER_SEC), "component", "sda", "from",
                                           "ok", "to", m % 40 ? "ok" : "critical", "why", "because"));
                snprintf(key, sizeof(key), "state/%d", m % 30);
                line(&s, json_pack("{ss ss s{si}}", "t", "put", "key", key, "value", "n", m));
                clock_us += (m == 300 ? 7200 : 600) * USEC_PER_SEC;
                store_commit(&s);
                store_tidy(&s);
        }
        store_done(&s);
        f = fopen(path, "rb");
        assert(f);
        good = malloc(1 << 24);
        good_len = fread(good, 1, 1 << 24, f);
        assert(good_len > 65536);
        fclose(f);
}

static void remove_all(void)
{
        char cmd[128];

        snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
        if (system(cmd) != 0)
                abort();
}

static void set_up(void)
{
        strcpy(dir, access("/dev/shm", W_OK) == 0 ? "/dev/shm/veille-fuzz-XXXXXX" : "/tmp/veille-fuzz-XXXXXX");
        if (!mkdtemp(dir))
                abort();
        atexit(remove_all);
        snprintf(path, sizeof(path), "%s/veille.db", dir);
        make_good();
}

static void write_torn(const uint8_t *data, size_t size)
{
        uint8_t *torn = malloc(good_len);
        size_t keep = size >= 3 ? (size_t)(data[0] << 16 | data[1] << 8 | data[2]) % (good_len + 1) : 0;
        FILE *f = fopen(path, "wb");

        assert(f && torn);
        memcpy(torn, good, good_len);
        for (size_t i = 3; i + 4 <= size; i += 4)
                torn[(size_t)(data[i] << 16 | data[i + 1] << 8 | data[i + 2]) % good_len] = data[i + 3];
        fwrite(torn, 1, keep ? keep : good_len, f);
        fclose(f);
        free(torn);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct store s;

        if (!good)
                set_up();
        write_torn(data, size);
        clock_us = (START_S + 5 * DAY_S) * USEC_PER_SEC;
        begin(&s);
        db_open(&s);
        line(&s, json_pack("{ss ss ss sI sI si}", "t", "history", "component", "sda", "metric", "", "from", (json_int_t)START_S - 1000, "to",
                           (json_int_t)START_S + 4 * DAY_S, "points", 100));
        line(&s, json_pack("{ss ss sI sI si}", "t", "history", "component", "sdb", "from", (json_int_t)START_S, "to", (json_int_t)START_S + HOUR_S,
                           "points", 60));
        line(&s, json_pack("{ss}", "t", "events"));
        line(&s, json_pack("{ss ss si}", "t", "events", "component", "sda", "max", 7));
        line(&s, json_pack("{ss}", "t", "load"));
        line(&s, json_pack("{ss}", "t", "stats"));
        store_plots(&s);
        line(&s, json_pack("{ss ss si}", "t", "put", "key", "state/7", "value", 1));
        line(&s, json_pack("{ss sI s[[ssi]]}", "t", "samples", "time", (json_int_t)START_S + DAY_S, "rows", "smart/sda/disk_temperature_celsius{n=0}", "sdb", 5));
        for (int i = 0; i < 5 && store_commit(&s) != SQLITE_OK; i++)
                clock_us += 100 * USEC_PER_SEC;
        for (int i = 0; i < 40; i++) {
                store_tidy(&s);
                clock_us += HOUR_S * USEC_PER_SEC;
        }
        /* Whatever it was: after some tries it can be written. */
        line(&s, json_pack("{ss ss si}", "t", "put", "key", "state/8", "value", 1));
        for (int i = 0; i < 5 && store_commit(&s) != SQLITE_OK; i++)
                clock_us += 100 * USEC_PER_SEC;
        if (s.trouble[0] && (s.trouble_code & 0xff) != SQLITE_MISMATCH) {
                fprintf(stderr, "%s\n", s.trouble);
                abort();
        }
        store_done(&s);
        /* Leave nothing for the next one. */
        char cmd[160];

        snprintf(cmd, sizeof(cmd), "rm -f %s/veille.db*", dir);
        if (system(cmd) != 0)
                abort();
        return 0;
}
