/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Software RAID of the kernel: md arrays and btrfs file systems, read from sysfs without any right. (ZFS tells only through its own
 * tool: see hw_zfs.c.) LVM's raid volumes keep their state in device mapper, where only root can ask; they are not read. */

#include <math.h>

#include "btrfs.h"
#include "hw_raid_rules.h"
#include "md.h"

static int discover_md(struct env *env, struct instance_list *list)
{
        struct mdstat mdstat;
        char **names;
        int r = md_read_mdstat(env, &mdstat);

        if (r < 0) {
                env_end_errno(env, r, "proc/mdstat");
                return r;
        }
        r = md_list(env, &mdstat, &names);
        for (size_t i = 0; r >= 0 && names[i]; i++) {
                struct instance *inst;
                struct md_array a;

                /* One that cannot be read is an instance too: its run says why. */
                int bad = md_read(env, &mdstat, names[i], &a);

                if (bad == -ENOENT)
                        continue;
                inst = bad == 0 && a.container ? NULL : instance_add(list, names[i]);
                if (inst) {
                        strcpy(inst->kind, "array");
                        if (bad == 0)
                                snprintf(inst->id, sizeof(inst->id), "%s", a.uuid);
                }
                if (bad == 0)
                        md_done(&a);
        }
        if (r >= 0)
                env_list_free(names);
        mdstat_done(&mdstat);
        return r;
}

static int discover_btrfs(struct env *env, struct instance_list *list)
{
        char **uuids;
        int r = btrfs_list(env, &uuids);

        if (r < 0)
                return r;
        for (size_t i = 0; uuids[i]; i++) {
                char whole[INSTANCE_NAME_MAX];
                struct instance *inst;
                struct btrfs_fs fs;

                if (btrfs_read(env, uuids[i], &fs) < 0)
                        continue;
                inst = instance_add(list, fs.name);
                /* Two that begin alike: the second by its whole name. */
                if (!inst && (size_t)snprintf(whole, sizeof(whole), "btrfs:%s", fs.uuid) < sizeof(whole))
                        inst = instance_add(list, whole);
                if (inst) {
                        snprintf(inst->id, sizeof(inst->id), "%s", fs.uuid);
                        strcpy(inst->kind, fs.n_devices + fs.missing > 1 ? "array" : "filesystem");
                }
                btrfs_done(&fs);
        }
        env_list_free(uuids);
        return 0;
}

static int discover(struct env *env, struct instance_list *list)
{
        int r = discover_md(env, list), r2 = discover_btrfs(env, list);

        return r < 0 ? r : r2;
}

static void emit_redundancy(struct env *env, const char *array, int required, int lost, int left, bool redundant, bool failed, bool rebuilding)
{
        char text[16];

        snprintf(text, sizeof(text), "%d", required);
        env_sample(env, "raid_disks_required", required, "array", array, NULL);
        env_sample(env, "raid_degraded_disks", lost, "array", array, "required", text, NULL);
        env_sample(env, "raid_redundancy_left_disks", left, "array", array, NULL);
        env_sample(env, "raid_unprotected", redundant && lost > 0 && left == 0 && !failed && !rebuilding, "array", array, NULL);
        env_sample(env, "raid_failed", failed, "array", array, NULL);
}

static void emit_disks(struct env *env, const char *array, int active, int failed, int spare, int rebuilding, int removed)
{
        const struct {
                const char *state;
                int n;
        } states[] = { { "active", active }, { "failed", failed }, { "spare", spare }, { "rebuilding", rebuilding }, { "removed", removed } };

        for (size_t i = 0; i < ARRAY_LEN(states); i++)
                env_sample(env, "raid_disks", states[i].n, "array", array, "state", states[i].state, NULL);
}

/* The words of node_exporter for the first five. */
static void emit_state(struct env *env, const struct md_array *a)
{
        static const struct {
                const char *state, *action;
        } states[] = {
                { "active", NULL },    { "inactive", NULL },  { "recovering", "recover" }, { "resync", "resync" },
                { "check", "check" }, { "repair", "repair" }, { "reshape", "reshape" },
        };
        bool off = streq(a->state, "inactive") || streq(a->state, "broken");
        const char *now = off ? "inactive" : "active";

        for (size_t i = 2; i < ARRAY_LEN(states) && !off && !a->waiting; i++)
                if (streq(a->action, states[i].action))
                        now = states[i].state;
        for (size_t i = 0; i < ARRAY_LEN(states); i++)
                env_sample(env, "raid_state", streq(states[i].state, now), "array", a->name, "state", states[i].state, NULL);
}

static void emit_members(struct env *env, const struct md_array *a)
{
        int active = 0, failed = 0, spare = 0, rebuilding = 0;

        for (size_t i = 0; i < a->n_members; i++) {
                const struct md_member *m = &a->members[i];

                env_sample(env, "raid_member_failed", m->faulty || m->gone, "array", a->name, "member", m->name, "component", m->disk, NULL);
                if (m->read_errors >= 0)
                        env_sample(env, "raid_member_read_errors_total", (double)m->read_errors, "array", a->name, "member", m->name,
                                   "component", m->disk, NULL);
                if (m->journal)
                        continue;
                if (m->faulty || m->gone)
                        failed++;
                else if (m->in_sync)
                        active++;
                else if (m->slot >= 0)
                        rebuilding++;
                else
                        spare++;
        }
        emit_disks(env, a->name, active, failed, spare, rebuilding, MAX(a->raid_disks - active - failed - rebuilding, 0));
}

static void emit_progress(struct env *env, const struct md_array *a)
{
        if (streq(a->action, "idle") || streq(a->action, "frozen") || a->waiting)
                return;
        if (isfinite(a->ratio))
                env_sample(env, "raid_sync_ratio", a->ratio, "array", a->name, "action", a->action, NULL);
        if (isfinite(a->remaining_s))
                env_sample(env, "raid_sync_remaining_seconds", a->remaining_s, "array", a->name, "action", a->action, NULL);
        if (a->speed_bytes >= 0)
                env_sample(env, "raid_sync_speed_bytes", (double)a->speed_bytes, "array", a->name, "action", a->action, NULL);
}

/* As /proc/mdstat shows them; what is not being rebuilt counts as synced. */
static void emit_size(struct env *env, const struct mdstat_array *m)
{
        int64_t synced;

        if (!m)
                return;
        synced = m->sync == MDSTAT_IDLE ? m->blocks : m->waiting ? 0 : m->done_blocks;
        env_sample(env, "raid_size_bytes", (double)m->blocks * 1024, "array", m->name, NULL);
        if (synced >= 0)
                env_sample(env, "raid_synced_bytes", (double)synced * 1024, "array", m->name, NULL);
}

static void emit_md(struct env *env, const struct md_array *a)
{
        bool mirror = streq(a->level, "raid1") || streq(a->level, "raid10");

        env_sample(env, "raid_array_info", 1, "array", a->name, "level", a->level, "uuid", a->uuid, NULL);
        emit_redundancy(env, a->name, MAX(a->raid_disks, 0), a->lost, md_left(a), a->redundancy > 0, md_failed(a),
                        streq(a->action, "recover") && !a->waiting);
        emit_state(env, a);
        env_sample(env, "raid_readonly", streq(a->state, "readonly"), "array", a->name, NULL);
        emit_members(env, a);
        emit_progress(env, a);
        if (a->mismatches >= 0)
                env_sample(env, "raid_mismatch_sectors", (double)a->mismatches, "array", a->name, "copies", mirror ? "mirror" : "parity", NULL);
}

static enum result run_md(struct env *env, const char *name)
{
        struct mdstat mdstat;
        struct md_array a;
        int r = md_read_mdstat(env, &mdstat);

        if (r < 0)
                return env_end_errno(env, r, "proc/mdstat");
        r = md_read(env, &mdstat, name, &a);
        if (r == 0) {
                emit_md(env, &a);
                emit_size(env, mdstat_find(&mdstat, name));
        }
        mdstat_done(&mdstat);
        if (r == -ENOENT)
                return env_end(env, RESULT_FAILED, "%s is not there (any more)", name);
        if (r < 0)
                return r == -EACCES || r == -EPERM ? RESULT_DENIED : RESULT_FAILED;
        md_done(&a);
        return RESULT_OK;
}

static enum result emit_btrfs_errors(struct env *env, const struct btrfs_fs *fs)
{
        enum result result = RESULT_OK;
        char **ids;

        if (env_list_dir(env, &ids, "sys/fs/btrfs/%s/devinfo", fs->uuid) < 0)
                return RESULT_OK; /* kernels before 5.9 do not tell */
        for (size_t i = 0; ids[i]; i++) {
                int64_t errors[BTRFS_ERRORS];
                int r = btrfs_errors(env, fs->uuid, ids[i], errors);

                if (r == -EBADMSG)
                        result = env_end_errno(env, r, "sys/fs/btrfs/%s/devinfo/%s/error_stats", fs->uuid, ids[i]);
                for (int k = 0; r == 0 && k < BTRFS_ERRORS; k++)
                        env_sample(env, "raid_device_errors_total", (double)errors[k], "array", fs->name, "device_id", ids[i],
                                   "kind", btrfs_error_names[k], NULL);
        }
        env_list_free(ids);
        return result;
}

static enum result run_btrfs(struct env *env, const struct instance *instance)
{
        enum result result;
        struct btrfs_fs fs;
        int left;

        if (btrfs_read(env, instance->id, &fs) < 0)
                return env_end(env, RESULT_FAILED, "%s is not mounted (any more)", instance->name);
        left = MAX(fs.tolerates - fs.missing, 0);
        env_sample(env, "raid_array_info", 1, "array", fs.name, "level", "btrfs", "uuid", fs.uuid, "label", fs.label, NULL);
        emit_redundancy(env, fs.name, fs.n_devices + fs.missing, fs.missing, left, fs.tolerates > 0, fs.missing > fs.tolerates, false);
        emit_disks(env, fs.name, fs.n_devices, 0, 0, 0, fs.missing);
        result = emit_btrfs_errors(env, &fs);
        btrfs_done(&fs);
        return result;
}

static enum result run(struct env *env, const struct instance *instance)
{
        return str_starts(instance->name, "btrfs:") ? run_btrfs(env, instance) : run_md(env, instance->name);
}

const struct check check_raid = {
        .desc = {
                .name = "raid",
                .summary = "software RAID: md arrays and btrfs",
                .interval_s = 60,
                .deadline_s = 10,
                .privilege = PRIVILEGE_NONE,
                .evidence = EVIDENCE_RAID,
                .metrics = raid_metrics, .n_metrics = RAID_METRICS,
                .rules = raid_rules, .n_rules = RAID_RULES,
        },
        .discover = discover,
        .run = run,
};
