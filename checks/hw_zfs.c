/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* ZFS pools. The state comes from the module's own kstat first: of a suspended pool zpool would hang. */

#include <ctype.h>
#include <math.h>

#include "mounts.h"
#include "zfs.h"

static const char *const states[] = { "ONLINE", "DEGRADED", "FAULTED", "OFFLINE", "REMOVED", "UNAVAIL", "SUSPENDED" };

static const struct metric_desc metrics[] = {
        { "zfs_pool_state", METRIC_GAUGE, "", "1 for the state that the pool is in" },
        { "zfs_pool_degraded_devices", METRIC_GAUGE, "", "Devices of the pool that do not work" },
        { "zfs_pool_unprotected", METRIC_GAUGE, "", "1 if redundancy was lost and the next loss loses the pool" },
        { "zfs_pool_data_errors", METRIC_GAUGE, "", "Files or blocks that could not be repaired" },
        { "zfs_pool_scan_ratio", METRIC_GAUGE, "ratio", "Progress of the resilver or scrub that runs" },
        { "zfs_pool_scan_remaining_seconds", METRIC_GAUGE, "seconds", "Time until that is finished" },
        { "zfs_pool_size_bytes", METRIC_GAUGE, "bytes", "Size of the pool" },
        { "zfs_pool_alloc_bytes", METRIC_GAUGE, "bytes", "Allocated space of the pool" },
        { "zfs_pool_free_bytes", METRIC_GAUGE, "bytes", "Free space of the pool" },
        { "zfs_pool_free_ratio", METRIC_GAUGE, "ratio", "Share of the pool that is free" },
        { "zfs_device_failed", METRIC_GAUGE, "", "1 if the pool cannot use this device" },
        { "zfs_device_errors_total", METRIC_COUNTER, "", "Errors of this device since zpool clear, by kind" },
};

#define STATE(rule_name, value, is_hard, sentence)                                                                     \
        {                                                                                                             \
                .name = rule_name, .metric = "zfs_pool_state", .match_label = "state", .match_value = value,            \
                .kind = RULE_LIMIT, .notice = RULE_NONE, .warning = RULE_NONE, .critical = 1, .clear = RULE_NONE,       \
                .evidence = EVIDENCE_RAID, .hard = is_hard, .text = sentence,                                           \
                .clears = "bring the devices back, zpool clear", .source = "zpoolconcepts(7)"                           \
        }

#define ERRORS(rule_name, kind_name, w, sentence)                                                                      \
        {                                                                                                             \
                .name = rule_name, .metric = "zfs_device_errors_total", .match_label = "kind", .match_value = kind_name, \
                .kind = RULE_CHANGE, .notice = 1, .warning = w, .critical = RULE_NONE, .clear = RULE_NONE,              \
                .calm_s = 7 * 86400, .evidence = EVIDENCE_RAID, .text = sentence,                                       \
                .clears = "a week without a new one, or zpool clear and veillectl accept",                              \
                .source = "zed calls a device sick after 10 in 10 minutes (openzfs #10614: 38k errors and not faulted)" \
        }

static const struct rule rules[] = {
        STATE("zfs-suspended", "suspended", true, "the pool {label:pool} is suspended: every access hangs"),
        STATE("zfs-faulted", "faulted", true, "the pool {label:pool} has failed"),
        STATE("zfs-unavailable", "unavail", true, "the pool {label:pool} cannot be opened"),
        {
                .name = "zfs-unprotected", .metric = "zfs_pool_unprotected",
                .kind = RULE_LIMIT, .notice = RULE_NONE, .warning = RULE_NONE, .critical = 1, .clear = RULE_NONE,
                .evidence = EVIDENCE_RAID,
                .text = "the pool {label:pool} runs without redundancy: the next disk that fails loses it, and nothing is being rebuilt",
                .clears = "zpool replace the failed device",
                .source = "a pool is lost with any of its top-level vdevs",
        },
        {
                .name = "zfs-degraded", .metric = "zfs_pool_degraded_devices",
                .kind = RULE_LIMIT, .notice = RULE_NONE, .warning = 1, .critical = RULE_NONE, .clear = RULE_NONE,
                .evidence = EVIDENCE_RAID,
                .text = "the pool {label:pool} is degraded: {value} of its devices {n:does|do} not work",
                .clears = "zpool replace or zpool online the failed device",
                .source = "zpoolconcepts(7)",
        },
        {
                .name = "zfs-data-lost", .metric = "zfs_pool_data_errors",
                .kind = RULE_LIMIT, .notice = RULE_NONE, .warning = RULE_NONE, .critical = 1, .clear = RULE_NONE,
                .evidence = EVIDENCE_RAID,
                .text = "{value} {n:place|places} of the pool {label:pool} could not be repaired: data is lost",
                .clears = "restore what zpool status -v names, then zpool scrub twice",
                .source = "errors that no copy could repair",
        },
        {
                .name = "zfs-resilvering", .metric = "zfs_pool_scan_ratio", .match_label = "action", .match_value = "resilver",
                .kind = RULE_LIMIT, .notice = 0, .warning = RULE_NONE, .critical = RULE_NONE, .clear = RULE_NONE,
                .evidence = EVIDENCE_RAID,
                .text = "the pool {label:pool} is resilvering: {percent} done",
                .clears = "its end",
                .source = "a second failure now is worse: know it, wake nobody",
        },
        {
                .name = "zfs-space", .metric = "zfs_pool_free_ratio",
                .kind = RULE_LIMIT, .direction = RULE_BELOW, .notice = 0.15, .warning = 0.08, .critical = 0.03, .clear = 0.17,
                .hold_s = 300, .evidence = EVIDENCE_FILESYSTEM,
                .text = "the pool {label:pool} has {percent} free",
                .clears = "free space, or add a vdev",
                .source = "copy on write slows down steeply above 90 %",
        },
        {
                .name = "zfs-device-failed", .metric = "zfs_device_failed",
                .kind = RULE_LIMIT, .notice = RULE_NONE, .warning = RULE_NONE, .critical = 1, .clear = RULE_NONE,
                .evidence = EVIDENCE_RAID, .hard = true,
                .text = "the pool {label:pool} cannot use {label:device}",
                .clears = "zpool replace, or zpool online after repair",
                .source = "state of the device: FAULTED, UNAVAIL or REMOVED",
        },
        ERRORS("zfs-read-errors", "read", 10, "{growth} new read errors of {label:device} in the pool {label:pool}"),
        ERRORS("zfs-write-errors", "write", 1, "{growth} new write errors of {label:device} in the pool {label:pool}"),
        ERRORS("zfs-checksum-errors", "checksum", 10, "{growth} new wrong checksums of {label:device} in the pool {label:pool}"),
};

static int discover(struct env *env, struct instance_list *list)
{
        char **pools;
        int r = zfs_pools(env, &pools);

        if (r < 0)
                return r;
        for (size_t i = 0; pools[i]; i++) {
                char name[INSTANCE_NAME_MAX];
                struct instance *inst;

                /* A pool name has no more than letters, digits, - _ . : and blanks. */
                snprintf(name, sizeof(name), "zfs:%s", pools[i]);
                for (char *p = name; (p = strchr(p, ' ')); p++)
                        *p = '+';
                inst = instance_add(list, name);
                if (inst) {
                        strcpy(inst->kind, "array");
                        snprintf(inst->component, sizeof(inst->component), "zfs:%s", pools[i]);
                        snprintf(inst->id, sizeof(inst->id), "%s", pools[i]);
                }
        }
        env_list_free(pools);
        return 0;
}

static void emit_state(struct env *env, const char *pool, const char *now)
{
        for (size_t i = 0; i < ARRAY_LEN(states); i++) {
                char lower[16];
                size_t n = 0;

                for (; states[i][n]; n++)
                        lower[n] = (char)tolower((unsigned char)states[i][n]);
                lower[n] = '\0';
                env_sample(env, "zfs_pool_state", streq(states[i], now), "pool", pool, "state", lower, NULL);
        }
}

static void emit_device(struct env *env, const char *pool, const struct zpool_vdev *v)
{
        const struct {
                const char *kind;
                int64_t n;
        } errors[] = { { "read", v->read }, { "write", v->write }, { "checksum", v->checksum } };
        const char *device = zfs_device(v);
        char disk[64], component[ZPOOL_NAME_MAX + 8];

        if (device && block_disk_of(env, device, disk, sizeof(disk)) == 0)
                snprintf(component, sizeof(component), "%s", disk);
        else
                snprintf(component, sizeof(component), "zfs:%s", pool);
        if (v->class != ZPOOL_SPARE)
                env_sample(env, "zfs_device_failed", !zpool_vdev_works(v) && !streq(v->state, "OFFLINE"), "pool", pool, "device", v->name,
                           "component", component, NULL);
        for (size_t i = 0; i < ARRAY_LEN(errors); i++)
                if (errors[i].n >= 0)
                        env_sample(env, "zfs_device_errors_total", (double)errors[i].n, "pool", pool, "device", v->name, "kind",
                                   errors[i].kind, "component", component, NULL);
}

static void emit_pool(struct env *env, const char *pool, const struct zpool *p)
{
        bool unprotected = false, resilver = streq(p->scan, "resilver");
        int degraded = 0;

        for (size_t i = 0; i < p->n_vdevs; i++) {
                const struct zpool_vdev *v = &p->vdevs[i];

                if (v->class == ZPOOL_DATA && v->depth == 1 && zpool_redundancy(p, i) > 0 && zpool_left(p, i) == 0)
                        unprotected = true;
                if (v->leaf && v->depth > 0) {
                        degraded += v->class != ZPOOL_SPARE && !zpool_vdev_works(v);
                        emit_device(env, pool, v);
                }
        }
        env_sample(env, "zfs_pool_degraded_devices", degraded, "pool", pool, NULL);
        env_sample(env, "zfs_pool_unprotected", unprotected && !resilver, "pool", pool, NULL);
        if (p->data_errors >= 0)
                env_sample(env, "zfs_pool_data_errors", (double)p->data_errors, "pool", pool, NULL);
        if (p->scan[0] && isfinite(p->ratio))
                env_sample(env, "zfs_pool_scan_ratio", p->ratio, "pool", pool, "action", p->scan, NULL);
        if (p->scan[0] && isfinite(p->remaining_s))
                env_sample(env, "zfs_pool_scan_remaining_seconds", p->remaining_s, "pool", pool, "action", p->scan, NULL);
}

static void emit_usage(struct env *env, const char *pool)
{
        const char *const argv[] = { "/usr/sbin/zpool", "list", "-p", pool, NULL };
        struct zpool_usage u;
        struct cmd_result c;

        if (env->run_cmd(env, argv, 5, 65536, &c) < 0)
                return; /* status has answered: space is the lesser news */
        if (c.exit_status == 0 && zpool_list_parse(c.out, &u, 1) >= 1 && u.size > 0 && u.free >= 0) {
                env_sample(env, "zfs_pool_size_bytes", (double)u.size, "pool", pool, NULL);
                env_sample(env, "zfs_pool_free_bytes", (double)u.free, "pool", pool, NULL);
                env_sample(env, "zfs_pool_free_ratio", (double)u.free / (double)u.size, "pool", pool, NULL);
                if (u.alloc >= 0)
                        env_sample(env, "zfs_pool_alloc_bytes", (double)u.alloc, "pool", pool, NULL);
        }
        cmd_result_done(&c);
}

static enum result run(struct env *env, const struct instance *instance)
{
        const char *pool = instance->id;
        char state[32] = "";
        struct zpool p;
        int r;

        if (env_read(env, state, sizeof(state), "proc/spl/kstat/zfs/%s/state", pool) > 0)
                emit_state(env, pool, state);
        if (streq(state, "SUSPENDED"))
                return RESULT_OK; /* said; zpool would hang */
        r = zfs_status(env, pool, &p);
        if (r < 0)
                return r == -EACCES || r == -EPERM || r == -ENOENT ? RESULT_DENIED : r == -ETIME ? RESULT_TIMEOUT : RESULT_FAILED;
        if (!state[0])
                emit_state(env, pool, p.state);
        emit_pool(env, pool, &p);
        zpool_done(&p);
        emit_usage(env, pool);
        return RESULT_OK;
}

const struct check check_zfs = {
        .desc = {
                .name = "zfs",
                .summary = "ZFS pools: state, devices, errors, space",
                .interval_s = 120,
                .deadline_s = 20,
                .privilege = PRIVILEGE_WRITE,
                .evidence = EVIDENCE_RAID,
                .metrics = metrics, .n_metrics = ARRAY_LEN(metrics),
                .rules = rules, .n_rules = ARRAY_LEN(rules),
        },
        .discover = discover,
        .run = run,
};
