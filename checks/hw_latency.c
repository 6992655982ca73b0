/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* How long one small write takes until it is safe on disk, where mail is: what Postfix does before each "250 Ok".
 * A disk that dies often becomes slow first; one that hangs makes this run hang, which is news as well. */

#include <time.h>

#include "mounts.h"
#include "write_try.h"

static const struct metric_desc metrics[] = {
        { "latency_fsync_seconds", METRIC_GAUGE, "seconds", "Time that one block took from write to safe on disk" },
        { "latency_write_failed", METRIC_GAUGE, "", "1 if the block could not be written or brought to disk" },
};

static const struct rule rules[] = {
        {
                .name = "write-latency", .metric = "latency_fsync_seconds",
                .kind = RULE_LIMIT, .notice = RULE_NONE, .warning = 1, .critical = 5, .clear = 0.8,
                .hold_s = 300, .calm_s = 600, .evidence = EVIDENCE_LATENCY,
                .text = "storing one block on {label:mountpoint} takes {value} s",
                .clears = "ten minutes below 0.8 s",
                .source = "measured: 0.17 s at most beside 4 GB of dd; seconds for minutes are a sick disk or a queue that cannot drain",
        },
        {
                .name = "write-failed", .metric = "latency_write_failed",
                .kind = RULE_LIMIT, .notice = RULE_NONE, .warning = RULE_NONE, .critical = 1, .clear = RULE_NONE,
                .evidence = EVIDENCE_LATENCY, .hard = true,
                .text = "one block could not be brought to disk on {label:mountpoint}: mail cannot be stored there",
                .clears = "a write that succeeds",
                .source = "Postfix answers 4xx when fsync fails",
        },
};

/* One entry for each file system: the first of its mail directories. */
struct place {
        char name[INSTANCE_NAME_MAX];
        char *mountpoint, *dir;
};

struct places {
        struct place items[2 * MAIL_PATHS_MAX + 1];
        size_t n;
};

static void place_add(struct env *env, const struct mount_table *table, const char *dir, struct places *p)
{
        const struct mount *m = mounts_holding(env, table, dir);
        struct place *place = &p->items[p->n];

        if (!m || p->n == ARRAY_LEN(p->items))
                return;
        mount_name(m->mountpoint, place->name);
        for (size_t i = 0; i < p->n; i++)
                if (streq(p->items[i].name, place->name))
                        return;
        place->mountpoint = strdup(m->mountpoint);
        place->dir = strdup(dir);
        if (place->mountpoint && place->dir)
                p->n++;
}

static int places_read(struct env *env, struct places *ret)
{
        struct mount_table table;
        struct mail_paths mail;
        int r = mounts_read(env, &table);

        if (r < 0)
                return r;
        mail_paths_read(env, &table, &mail);
        for (size_t i = 0; i < mail.n_spool; i++)
                place_add(env, &table, mail.spool[i], ret);
        for (size_t i = 0; i < mail.n_store; i++)
                place_add(env, &table, mail.store[i], ret);
        if (mail.n_spool + mail.n_store == 0)
                place_add(env, &table, "/", ret);
        mail_paths_done(&mail);
        mount_table_done(&table);
        return 0;
}

static void places_done(struct places *p)
{
        for (size_t i = 0; i < p->n; i++) {
                free(p->items[i].mountpoint);
                free(p->items[i].dir);
        }
}

static int discover(struct env *env, struct instance_list *list)
{
        struct places p = { 0 };
        int r = places_read(env, &p);

        for (size_t i = 0; i < p.n; i++) {
                struct instance *inst = instance_add(list, p.items[i].name);

                if (inst)
                        strcpy(inst->kind, "filesystem");
        }
        places_done(&p);
        return r;
}

static double now_s(void)
{
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static enum result run_place(struct env *env, const struct place *place)
{
        double start = now_s();
        _cleanup_close_ int fd = write_try(env, place->dir);
        int r = fd < 0 ? fd : fdatasync(fd) < 0 ? neg_errno() : 0;

        if (r == -EACCES || r == -EPERM || r == -ENOENT || r == -ENOTDIR)
                return env_end(env, RESULT_DENIED, "%s: a write was tried: %s; see [mail] in veille.conf", place->dir, strerror(-r));
        env_sample(env, "latency_write_failed", r < 0, "mountpoint", place->mountpoint, "directory", place->dir, NULL);
        if (r < 0)
                return env_end(env, RESULT_FAILED, "%s: one block could not be brought to disk: %s", place->dir, strerror(-r));
        env_sample(env, "latency_fsync_seconds", now_s() - start, "mountpoint", place->mountpoint, "directory", place->dir, NULL);
        return RESULT_OK;
}

static enum result run(struct env *env, const struct instance *instance)
{
        enum result result = RESULT_FAILED;
        struct places p = { 0 };

        if (places_read(env, &p) < 0)
                return RESULT_FAILED;
        env_end(env, RESULT_FAILED, "%s is no longer mounted", instance->name);
        for (size_t i = 0; i < p.n; i++)
                if (streq(p.items[i].name, instance->name))
                        result = run_place(env, &p.items[i]);
        places_done(&p);
        return result;
}

const struct check check_latency = {
        .desc = {
                .name = "latency",
                .summary = "time of one small write and fsync where mail is",
                .interval_s = 60,
                .deadline_s = 20,
                .privilege = PRIVILEGE_WRITE,
                .evidence = EVIDENCE_LATENCY,
                .metrics = metrics, .n_metrics = ARRAY_LEN(metrics),
                .rules = rules, .n_rules = ARRAY_LEN(rules),
        },
        .discover = discover,
        .run = run,
};
