/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The error counters of ext4, read from sysfs without touching the file system: they are told even when it hangs, and
 * for file systems that are mounted only in a container. Those that are mounted here are judged by the check fs, which
 * reads the same count. (XFS counts nothing in sysfs; the devices of btrfs are in the check raid.) */

#include "hw_kernel.h"
#include "mounts.h"

#define EXT4 "sys/fs/ext4"

/* The mount point of the device as component; false: it is mounted only elsewhere. */
static bool find_mount(struct env *env, const char *device, char ret[INSTANCE_NAME_MAX])
{
        struct mount_table table;
        bool found = false;

        if (mounts_read(env, &table) < 0)
                return false;
        for (size_t i = 0; i < table.n && !found; i++) {
                char name[INSTANCE_NAME_MAX];

                if (!table.items[i].chosen || block_of_mount(env, &table.items[i], name, sizeof(name)) < 0 || !streq(name, device))
                        continue;
                mount_name(table.items[i].mountpoint, ret);
                found = true;
        }
        mount_table_done(&table);
        return found;
}

int kernel_ext4_discover(struct env *env, struct instance_list *list)
{
        char **names;
        int r = env_list_dir(env, &names, EXT4);

        if (r < 0)
                return r == -ENOENT ? 0 : r;
        for (size_t i = 0; names[i]; i++) {
                struct instance *inst;
                char name[INSTANCE_NAME_MAX];

                if (!env_exists(env, EXT4 "/%s/errors_count", names[i]))
                        continue; /* "features" */
                snprintf(name, sizeof(name), "ext4:%s", names[i]);
                inst = instance_add(list, name);
                if (!inst)
                        continue;
                strcpy(inst->kind, "filesystem");
                if (!find_mount(env, names[i], inst->component))
                        snprintf(inst->component, sizeof(inst->component), "%.80s", names[i]);
        }
        env_list_free(names);
        return 0;
}

/* When and where the last error was; the parts that a kernel does not tell stay empty. */
static void run_last_error(struct env *env, const char *device)
{
        static const char *const parts[] = { "last_error_time", "last_error_func", "last_error_line", "last_error_errcode" };
        char values[ARRAY_LEN(parts)][64];

        for (size_t i = 0; i < ARRAY_LEN(parts); i++)
                if (env_read(env, values[i], sizeof(values[i]), EXT4 "/%s/%s", device, parts[i]) < 0)
                        values[i][0] = '\0';
        env_sample(env, "ext4_last_error_info", 1, "device", device, "time", values[0], "function", values[1], "line", values[2],
                   "errcode", values[3], NULL);
}

enum result kernel_ext4_run(struct env *env, const char *device)
{
        char mount[INSTANCE_NAME_MAX];
        int64_t n;
        int r = env_read_i64(env, &n, EXT4 "/%s/errors_count", device);

        if (r < 0)
                return env_end_errno(env, r, EXT4 "/%s/errors_count", device);
        env_sample(env, "ext4_errors_total", (double)n, "device", device, "mounted", find_mount(env, device, mount) ? "here" : "elsewhere",
                   NULL);
        if (n > 0)
                run_last_error(env, device);
        if (env_read_i64(env, &n, EXT4 "/%s/warning_count", device) == 0)
                env_sample(env, "ext4_warnings_total", (double)n, "device", device, NULL);
        return RESULT_OK;
}
