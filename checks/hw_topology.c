/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* What stands on what: mount points, swap, device mapper, md, btrfs, ZFS, loop devices, partitions, disks, controllers; and
 * what lives there. The brain builds its graph from these samples (docs/protocols.md, src/topology.h). Redundancy is told as it
 * is now: of a degraded mirror the last member is needed, the failed one is not. */

#include <ctype.h>

#include "btrfs.h"
#include "md.h"
#include "mounts.h"
#include "topology.h"
#include "zfs.h"

#define SWAPS_MAX (256 * 1024)

static const struct metric_desc metrics[] = {
        { "topology_link_info", METRIC_INFO, "", "parent stands on child" },
        { "topology_role_info", METRIC_INFO, "", "What lives on a file system" },
};

static void emit_link(struct env *env, const char *parent, const char *child, enum topology_kind kind)
{
        if (!streq(parent, child))
                env_sample(env, "topology_link_info", 1, "parent", parent, "child", child, "kind", topology_kind_name(kind), NULL);
}

/* A member of something that can lose left more of them now. */
static void emit_member(struct env *env, const char *parent, const char *child, bool needed, int left)
{
        char text[16];

        if (!needed || left < 1) {
                emit_link(env, parent, child, needed ? TOPOLOGY_RAID_SINGLE : TOPOLOGY_RAID_SPARE);
                return;
        }
        snprintf(text, sizeof(text), "%d", left);
        env_sample(env, "topology_link_info", 1, "parent", parent, "child", child, "kind", topology_kind_name(TOPOLOGY_RAID_REDUNDANT),
                   "tolerates", text, NULL);
}

/* Once for each file system, however many of the paths lie on it. */
static void emit_role(struct env *env, const struct mount_table *table, char *const *paths, size_t n, enum topology_role role)
{
        const struct mount *seen[MAIL_PATHS_MAX];

        assert(n <= ARRAY_LEN(seen));
        for (size_t i = 0; i < n; i++) {
                char name[INSTANCE_NAME_MAX];
                size_t j = 0;

                seen[i] = mounts_holding(env, table, paths[i]);
                while (j < i && seen[j] != seen[i])
                        j++;
                if (j < i || !seen[i])
                        continue;
                mount_name(seen[i]->mountpoint, name);
                env_sample(env, "topology_role_info", 1, "component", name, "role", topology_role_name(role), NULL);
        }
}

static void emit_roles(struct env *env, const struct mount_table *table)
{
        char root[] = "/", state[] = STATE_DIR;
        struct mail_paths mail;

        mail_paths_read(env, table, &mail);
        emit_role(env, table, (char *[]){ root }, 1, TOPOLOGY_ROLE_ROOT);
        emit_role(env, table, (char *[]){ state }, 1, TOPOLOGY_ROLE_STATE);
        emit_role(env, table, mail.spool, mail.n_spool, TOPOLOGY_ROLE_MAIL_SPOOL);
        emit_role(env, table, mail.store, mail.n_store, TOPOLOGY_ROLE_MAIL_STORE);
        mail_paths_done(&mail);
}

/* The name of the btrfs that has this device, "" if none. */
static void btrfs_of_device(struct env *env, const char *device, char *ret, size_t size)
{
        char **uuids;

        ret[0] = '\0';
        if (btrfs_list(env, &uuids) < 0)
                return;
        for (size_t i = 0; uuids[i]; i++)
                if (env_exists(env, "sys/fs/btrfs/%s/devices/%s", uuids[i], device))
                        snprintf(ret, size, "btrfs:%.8s", uuids[i]);
        env_list_free(uuids);
}

static void emit_mount(struct env *env, const struct mount *m)
{
        char name[INSTANCE_NAME_MAX], device[INSTANCE_NAME_MAX], below[INSTANCE_NAME_MAX];

        mount_name(m->mountpoint, name);
        if (streq(m->fstype, "zfs")) {
                snprintf(below, sizeof(below), "zfs:%.*s", (int)strcspn(m->source, "/"), m->source);
                emit_link(env, name, below, TOPOLOGY_FILESYSTEM);
                return;
        }
        if (m->class != MOUNT_LOCAL || block_of_mount(env, m, device, sizeof(device)) < 0)
                return;
        if (streq(m->fstype, "btrfs")) {
                btrfs_of_device(env, device, below, sizeof(below));
                if (below[0]) {
                        emit_link(env, name, below, TOPOLOGY_FILESYSTEM);
                        return;
                }
        }
        emit_link(env, name, device, TOPOLOGY_FILESYSTEM);
}

/* Filename Type Size Used Priority. Swap in memory (zram) stands on nothing that breaks. */
static void emit_swaps(struct env *env, const struct mount_table *table)
{
        _cleanup_free_ char *text = NULL;
        bool any = false;
        char *save = NULL;

        if (env_read_text(env, &text, SWAPS_MAX, "proc/swaps") < 0)
                return;
        for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                char path[512], type[32], device[INSTANCE_NAME_MAX];
                struct mount m = { .source = path };
                const struct mount *holder;

                if (sscanf(line, "%511s %31s", path, type) != 2 || path[0] != '/' || str_starts(path, "/dev/zram"))
                        continue;
                if (streq(type, "partition")) {
                        if (block_of_mount(env, &m, device, sizeof(device)) < 0)
                                continue;
                } else {
                        holder = mounts_holding(env, table, path);
                        if (!holder)
                                continue;
                        mount_name(holder->mountpoint, device);
                }
                emit_link(env, "swap", device, TOPOLOGY_SWAP);
                any = true;
        }
        if (any)
                env_sample(env, "topology_role_info", 1, "component", "swap", "role", topology_role_name(TOPOLOGY_ROLE_SWAP), NULL);
}

/* 0000:03:00.0 */
static bool is_pci_address(const char *s)
{
        static const char form[] = "xxxx:xx:xx.x";
        size_t i;

        for (i = 0; form[i]; i++)
                if (form[i] == 'x' ? !isxdigit((unsigned char)s[i]) : s[i] != form[i])
                        return false;
        return s[i] == '\0';
}

static bool is_nvme_controller(const char *s)
{
        return str_starts(s, "nvme") && s[4] && strspn(s + 4, "0123456789") == strlen(s + 4);
}

/* The way to the disk through the device tree: ../devices/pci0000:00/0000:00:1d.0/0000:03:00.0/nvme/nvme0/nvme0n1. Each
 * PCI function and NVMe controller on it can take the disk along. */
static void emit_controllers(struct env *env, const char *disk)
{
        char path[512], target[1024], *save = NULL, above[64] = "";
        ssize_t n;

        snprintf(path, sizeof(path), "sys/block/%s", disk);
        n = readlinkat(env->root_fd, path, target, sizeof(target) - 1);
        if (n < 0)
                return;
        target[n] = '\0';
        for (char *part = strtok_r(target, "/", &save); part; part = strtok_r(NULL, "/", &save)) {
                if (!is_pci_address(part) && !is_nvme_controller(part))
                        continue;
                if (above[0])
                        emit_link(env, part, above, TOPOLOGY_CONTROLLER);
                snprintf(above, sizeof(above), "%s", part);
        }
        if (above[0])
                emit_link(env, disk, above, TOPOLOGY_CONTROLLER);
}

/* With native NVMe multipath the disk hangs on its subsystem, which lists its controllers. */
static void emit_subsystem(struct env *env, const char *disk)
{
        char subsystem[64], **names;

        if (!str_starts(disk, "nvme") || env_readlink(env, subsystem, sizeof(subsystem), "sys/block/%s/device", disk) < 0 ||
            !str_starts(subsystem, "nvme-subsys"))
                return;
        if (env_list_dir(env, &names, "sys/class/nvme-subsystem/%s", subsystem) < 0)
                return;
        for (size_t i = 0; names[i]; i++)
                if (is_nvme_controller(names[i]))
                        emit_link(env, disk, names[i], TOPOLOGY_CONTROLLER);
        env_list_free(names);
}

static void emit_partitions(struct env *env, const char *disk)
{
        char **names;

        if (env_list_dir(env, &names, "sys/block/%s", disk) < 0)
                return;
        for (size_t i = 0; names[i]; i++)
                if (env_exists(env, "sys/block/%s/%s/partition", disk, names[i]))
                        emit_link(env, names[i], disk, TOPOLOGY_PARTITION);
        env_list_free(names);
}

static void emit_slaves(struct env *env, const char *device)
{
        char **names;

        if (env_list_dir(env, &names, "sys/block/%s/slaves", device) < 0)
                return;
        for (size_t i = 0; names[i]; i++)
                emit_link(env, device, names[i], TOPOLOGY_DM);
        env_list_free(names);
}

static void emit_loop(struct env *env, const struct mount_table *table, const char *device)
{
        char file[2048], name[INSTANCE_NAME_MAX];
        const struct mount *m;

        if (env_read(env, file, sizeof(file), "sys/block/%s/loop/backing_file", device) <= 0 || file[0] != '/')
                return;
        m = mounts_holding(env, table, file);
        if (!m)
                return;
        mount_name(m->mountpoint, name);
        emit_link(env, device, name, TOPOLOGY_LOOP);
}

static int emit_blocks(struct env *env, const struct mount_table *table)
{
        char **names;
        int r = env_list_dir(env, &names, "sys/block");

        if (r == -ENOENT)
                return 0;
        if (r < 0) {
                env_end_errno(env, r, "sys/block");
                return r;
        }
        for (size_t i = 0; names[i]; i++) {
                emit_partitions(env, names[i]);
                if (env_exists(env, "sys/block/%s/dm", names[i]))
                        emit_slaves(env, names[i]);
                if (env_exists(env, "sys/block/%s/loop", names[i]))
                        emit_loop(env, table, names[i]);
                emit_controllers(env, names[i]);
                emit_subsystem(env, names[i]);
        }
        env_list_free(names);
        return 0;
}

static int emit_md(struct env *env)
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
                struct md_array a;

                if (md_read(env, &mdstat, names[i], &a) < 0)
                        continue; /* the check raid says why */
                for (size_t j = 0; j < a.n_members; j++)
                        emit_member(env, a.name, a.members[j].name, a.members[j].in_sync || a.redundancy == 0, md_left(&a));
                md_done(&a);
        }
        if (r >= 0)
                env_list_free(names);
        mdstat_done(&mdstat);
        return r;
}

static int emit_btrfs(struct env *env)
{
        char **uuids;
        int r = btrfs_list(env, &uuids);

        if (r < 0) {
                env_end_errno(env, r, "sys/fs/btrfs");
                return r;
        }
        for (size_t i = 0; uuids[i]; i++) {
                struct btrfs_fs fs;

                if (btrfs_read(env, uuids[i], &fs) < 0)
                        continue;
                for (int j = 0; j < fs.n_devices; j++)
                        emit_member(env, fs.name, fs.devices[j], true, fs.tolerates - fs.missing);
                btrfs_done(&fs);
        }
        env_list_free(uuids);
        return 0;
}

static int discover(struct env *env UNUSED, struct instance_list *list)
{
        struct instance *inst = instance_add(list, "host");

        if (!inst)
                return -ENOMEM;
        strcpy(inst->kind, "host");
        return 0;
}

static enum result run(struct env *env, const struct instance *instance UNUSED)
{
        struct mount_table table;
        int r = mounts_read(env, &table);

        if (r < 0)
                return RESULT_FAILED;
        for (size_t i = 0; i < table.n; i++)
                if (table.items[i].chosen)
                        emit_mount(env, &table.items[i]);
        emit_swaps(env, &table);
        emit_roles(env, &table);
        r = emit_blocks(env, &table);
        mount_table_done(&table);
        if (r >= 0)
                r = emit_md(env);
        if (r >= 0)
                r = emit_btrfs(env);
        if (r >= 0)
                r = zfs_emit_topology(env, emit_member);
        if (r >= 0)
                return RESULT_OK;
        return r == -EACCES || r == -EPERM ? RESULT_DENIED : RESULT_FAILED;
}

const struct check check_topology = {
        .desc = {
                .name = "topology",
                .summary = "what stands on what: file systems, arrays, disks, controllers",
                .interval_s = 300,
                .deadline_s = 15,
                .privilege = PRIVILEGE_WRITE,
                .evidence = EVIDENCE_HOST,
                .metrics = metrics, .n_metrics = ARRAY_LEN(metrics),
        },
        .discover = discover,
        .run = run,
};
