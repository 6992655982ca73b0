/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* What the kernel counts when hardware fails under it: commands of disks, PCI Express errors, errors of file systems.
 * Everything is in sysfs and in the kernel's memory: no device is touched, so nothing here hangs with it. */

#include "hw_kernel.h"

#include "disk_id.h"

static const struct {
        const char *prefix; /* of the instance name */
        int (*discover)(struct env *env, struct instance_list *list);
        enum result (*run)(struct env *env, const char *name);
} families[] = {
        { "ext4:", kernel_ext4_discover, kernel_ext4_run },
        { "pci:", kernel_pci_discover, kernel_pci_run },
};

/* What the words in device/state mean; those of NVMe controllers too. Others are what a disk in service says. */
static const struct {
        const char *state;
        bool offline, recovering;
} states[] = {
        { "offline", true, false }, { "transport-offline", true, false }, { "dead", true, false },
        { "blocked", false, true }, { "quiesce", false, true },           { "created-blocked", false, true },
        { "resetting", false, true }, { "connecting", false, true },      { "deleting", true, false },
        { "deleting (no IO)", true, false },
};

/* "md0", "md_home": not "mdadm", which is no block device. */
static bool is_array(struct env *env, const char *name)
{
        return str_starts(name, "md") && env_exists(env, "sys/block/%s/md", name);
}

/* Disks, virtual ones too, and md arrays: whatever finishes requests. */
static int discover_block(struct env *env, struct instance_list *list)
{
        char **names;
        int r = env_list_dir(env, &names, "sys/block");

        if (r < 0)
                return r == -ENOENT ? 0 : r;
        for (size_t i = 0; names[i]; i++) {
                bool disk = disk_is_real(env, names[i]);
                struct instance *inst = disk || is_array(env, names[i]) ? instance_add(list, names[i]) : NULL;

                if (!inst)
                        continue;
                disk_id(env, names[i], inst->id, sizeof(inst->id));
                strcpy(inst->kind, disk ? "disk" : "array");
        }
        env_list_free(names);
        return 0;
}

static int discover(struct env *env, struct instance_list *list)
{
        int r = discover_block(env, list);

        for (size_t i = 0; r >= 0 && i < ARRAY_LEN(families); i++)
                r = families[i].discover(env, list);
        return r < 0 ? r : 0;
}

static enum result run_state(struct env *env, const char *disk)
{
        bool offline = false, recovering = false;
        char state[64];
        int r = env_read(env, state, sizeof(state), "sys/block/%s/device/state", disk);

        if (r == -ENOENT)
                return RESULT_OK;
        if (r < 0)
                return env_end_errno(env, r, "sys/block/%s/device/state", disk);
        for (size_t i = 0; i < ARRAY_LEN(states); i++)
                if (streq(states[i].state, state)) {
                        offline = states[i].offline;
                        recovering = states[i].recovering;
                }
        env_sample(env, "disk_offline", offline, "disk", disk, NULL);
        env_sample(env, "disk_recovering", recovering, "disk", disk, NULL);
        env_sample(env, "disk_state_info", 1, "disk", disk, "state", state, NULL);
        return RESULT_OK;
}

static enum result run_counter(struct env *env, const char *disk, const char *file, const char *metric)
{
        int64_t n;
        int r = env_read_i64(env, &n, "sys/block/%s/device/%s", disk, file); /* "0x1f" */

        if (r == -ENOENT)
                return RESULT_OK; /* NVMe, virtio, older kernels */
        if (r < 0)
                return env_end_errno(env, r, "sys/block/%s/device/%s", disk, file);
        env_sample(env, metric, (double)n, "disk", disk, NULL);
        return RESULT_OK;
}

/* "6.0 Gbps" -> 6.0; 0: "<unknown>", no limit. */
static double link_speed(struct env *env, const char *link, const char *file)
{
        char text[64];

        if (env_read(env, text, sizeof(text), "sys/class/ata_link/%s/%s", link, file) < 0)
                return 0;
        return strtod(text, NULL);
}

/* The link of an ATA disk is named after its port: ".../ata3/host2/..." has link3. */
static void run_ata_link(struct env *env, const char *disk)
{
        char path[1024], link[32];
        const char *ata;
        unsigned port;
        ssize_t n;

        snprintf(path, sizeof(path), "sys/block/%s", disk);
        char target[1024];
        n = readlinkat(env->root_fd, path, target, sizeof(target) - 1);
        if (n <= 0)
                return;
        target[n] = '\0';
        ata = strstr(target, "/ata");
        if (!ata || sscanf(ata, "/ata%u/", &port) != 1)
                return;
        snprintf(link, sizeof(link), "link%u", port);
        /* What the kernel allows itself, against what it found at first. */
        double now = link_speed(env, link, "sata_spd_limit"), hardware = link_speed(env, link, "hw_sata_spd_limit");

        if (env_exists(env, "sys/class/ata_link/%s/sata_spd_limit", link))
                env_sample(env, "disk_link_slowed", now > 0 && (hardware <= 0 || now < hardware), "disk", disk, "port", ata + 1, NULL);
}

static enum result run_block(struct env *env, const char *disk)
{
        enum result result = kernel_queue_run(env, disk);

        if (result == RESULT_OK)
                result = run_state(env, disk);
        if (result == RESULT_OK)
                result = run_counter(env, disk, "ioerr_cnt", "disk_io_errors_total");
        if (result == RESULT_OK)
                result = run_counter(env, disk, "iotmo_cnt", "disk_io_timeouts_total");
        if (result == RESULT_OK)
                run_ata_link(env, disk);
        return result;
}

static enum result run(struct env *env, const struct instance *instance)
{
        for (size_t i = 0; i < ARRAY_LEN(families); i++)
                if (str_starts(instance->name, families[i].prefix))
                        return families[i].run(env, instance->name + strlen(families[i].prefix));
        return run_block(env, instance->name);
}

const struct check check_kernel = {
        .desc = {
                .name = "kernel",
                .summary = "disk, PCI Express and file system errors that the kernel counts or reports",
                .interval_s = 60,
                .deadline_s = 10,
                .privilege = PRIVILEGE_NONE,
                .evidence = EVIDENCE_KERNEL,
                .metrics = kernel_metrics, .n_metrics = KERNEL_METRICS,
                .rules = kernel_rules, .n_rules = KERNEL_RULES,
        },
        .discover = discover,
        .run = run,
};
