/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* What the store says about itself: how large, how much was written, what was lost. */

#include <sys/stat.h>

#include "store.h"

static int64_t file_bytes(const struct store *s, const char *suffix)
{
        char path[4200];
        struct stat st;

        snprintf(path, sizeof(path), "%s%s", s->path, suffix);
        return stat(path, &st) == 0 ? (int64_t)st.st_size : 0;
}

/* What this process made the kernel write, of /proc/self/io: write_bytes counts pages that go to a block device (0 on a tmpfs). */
static int64_t written_bytes(void)
{
        _cleanup_fclose_ FILE *f = fopen("/proc/self/io", "re");
        char line[128];
        long long v = -1;

        while (f && fgets(line, sizeof(line), f))
                if (sscanf(line, "write_bytes: %lld", &v) == 1)
                        break;
        return v;
}

json_t *store_stats(struct store *s)
{
        const struct store_counters *c = &s->counters;
        const struct {
                const char *name;
                uint64_t value;
        } numbers[] = {
                { "bytes", (uint64_t)file_bytes(s, "") },
                { "wal_bytes", (uint64_t)file_bytes(s, "-wal") },
                { "max_bytes", (uint64_t)s->limits.max_bytes },
                { "series", s->dict.n },
                { "events_kept", (uint64_t)s->n_events },
                { "keys", (uint64_t)s->n_kv },
                { "samples", c->samples },
                { "samples_written", c->written_samples },
                { "events", c->events },
                { "events_repeated", c->repeated_events },
                { "puts", c->puts },
                { "commits", c->commits },
                { "commits_failed", c->failed_commits },
                { "compactions", c->compactions },
                { "deleted_raw_days", c->deleted_raw_days },
                { "deleted_hourly_weeks", c->deleted_hourly_weeks },
                { "deleted_events", c->deleted_events },
                { "corruptions", c->corruptions },
                { "bad_blocks", c->bad_blocks },
                { "bad_lines", c->bad_lines },
                { "bad_rows", c->bad_rows },
                { "refused_series", c->refused_series },
                { "refused_connections", c->refused_connections },
                { "slow_readers", c->slow_readers },
                { "backlog_samples", s->pending.n_samples },
                { "backlog_events", s->pending.n_events },
                { "backlog_keys", s->pending.n_kv },
                { "lost_samples", s->pending.lost_samples },
                { "lost_events", s->pending.lost_events },
                { "lost_keys", s->pending.lost_kv },
        };
        json_t *doc = json_pack("{ss ss? sI}", "t", "stats", "trouble", s->trouble[0] ? s->trouble : NULL, "bytes_written",
                                (json_int_t)written_bytes());

        for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
                json_object_set_new(doc, numbers[i].name, json_integer((json_int_t)numbers[i].value));
        return doc;
}
