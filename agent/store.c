/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* What all parts of the store share: its beginning, its end, its voice. */

#include "store.h"

#include "common_clock.h"

static void log_to_stderr(int priority, const char *text)
{
        fprintf(stderr, "<%d>%s\n", priority, text);
}

/* SQLite's own words about what went wrong, which say more than its codes. Warnings are its daily business. */
static void on_sqlite_log(void *data, int code, const char *text)
{
        struct store *s = data;

        if ((code & 0xff) != SQLITE_WARNING && (code & 0xff) != SQLITE_NOTICE && (code & 0xff) != SQLITE_SCHEMA && !s->trouble[0])
                store_log(s, STORE_INFO, "sqlite: %s", text);
}

void store_init(struct store *s, const struct common_options *options, const struct config *config)
{
        *s = (struct store){
                .options = *options,
                .limits = { .raw_s = config_int(config, "store", NULL, "raw-retention"),
                            .hourly_s = config_int(config, "store", NULL, "hourly-retention"),
                            .max_bytes = config_int(config, "store", NULL, "max-size"),
                            .max_events = config_int(config, "store", NULL, "max-events") },
                .commit_s = config_int(config, "store", NULL, "commit-interval"),
                .max_series = (size_t)config_int(config, "store", NULL, "max-series"),
                .wall_us = clock_wall_us,
                .boot_us = clock_boot_us,
                .log = log_to_stderr,
        };
        snprintf(s->path, sizeof(s->path), "%s/veille.db", options->state);
        pending_init(&s->pending);
        /* One thread, no need for locks; and say what goes wrong. */
        sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
        sqlite3_config(SQLITE_CONFIG_LOG, on_sqlite_log, s);
}

void store_done(struct store *s)
{
        if (store_commit(s) == SQLITE_OK && s->last_sample_s)
                db_run(s, STMT_META_PUT, "ti", "heard", s->last_sample_s);
        if (!pending_empty(&s->pending))
                store_log(s, STORE_ERROR, "%zu values are lost and %zu events not written; those that veilled told it still has", s->pending.n_samples,
                          s->pending.n_events);
        db_close(s);
        pending_done(&s->pending);
        dict_done(&s->dict);
        sqlite3_shutdown();
}

void store_log(struct store *s, int priority, const char *fmt, ...)
{
        char text[1024];
        va_list ap;

        va_start(ap, fmt);
        vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        s->log(priority, text);
}

int64_t store_wall_s(const struct store *s)
{
        return s->wall_us() / USEC_PER_SEC;
}
