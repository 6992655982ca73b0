/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* sys/fs/btrfs/UUID: devices, profiles, what is missing. */

#include "btrfs.h"

const char *const btrfs_error_names[BTRFS_ERRORS] = { "write", "read", "flush", "corruption", "generation" };

/* Devices a profile survives losing. single and dup lie on one device; raid0 on all of them, once. */
static const struct {
        const char *profile;
        int tolerates;
} profiles[] = {
        { "single", 0 }, { "dup", 0 },     { "raid0", 0 },   { "raid1", 1 }, { "raid1c3", 2 },
        { "raid1c4", 3 }, { "raid10", 1 }, { "raid5", 1 },   { "raid6", 2 },
};

static bool is_uuid(const char *s)
{
        return strlen(s) == 36 && strspn(s, "0123456789abcdef-") == 36;
}

int btrfs_list(struct env *env, char ***ret)
{
        char **names;
        size_t kept = 0;
        int r = env_list_dir(env, &names, "sys/fs/btrfs");

        if (r == -ENOENT) {
                *ret = calloc(1, sizeof(**ret));
                return *ret ? 0 : -ENOMEM;
        }
        if (r < 0)
                return r;
        for (size_t i = 0; names[i]; i++)
                if (is_uuid(names[i]))
                        names[kept++] = names[i];
                else
                        free(names[i]);
        names[kept] = NULL;
        *ret = names;
        return 0;
}

static void read_devices(struct env *env, struct btrfs_fs *fs)
{
        char **names;

        if (env_list_dir(env, &names, "sys/fs/btrfs/%s/devices", fs->uuid) < 0)
                return;
        fs->devices = calloc(BTRFS_DEVICES_MAX, sizeof(*fs->devices));
        for (size_t i = 0; fs->devices && names[i] && fs->n_devices < BTRFS_DEVICES_MAX; i++)
                snprintf(fs->devices[fs->n_devices++], BTRFS_NAME_MAX, "%s", names[i]);
        if (fs->devices && names[fs->n_devices])
                env->limits |= LIMIT_BIT(LIMIT_BTRFS);
        env_list_free(names);
}

static void count_missing(struct env *env, struct btrfs_fs *fs)
{
        char **names;
        int64_t v;

        if (env_list_dir(env, &names, "sys/fs/btrfs/%s/devinfo", fs->uuid) < 0)
                return;
        for (size_t i = 0; names[i]; i++)
                if (env_read_i64(env, &v, "sys/fs/btrfs/%s/devinfo/%s/missing", fs->uuid, names[i]) == 0 && v == 1)
                        fs->missing++;
        env_list_free(names);
}

/* The weakest profile that holds anything decides. */
static int read_tolerance(struct env *env, const char *uuid)
{
        static const char *const kinds[] = { "data", "metadata", "system" };
        int tolerates = INT32_MAX;

        for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
                for (size_t i = 0; i < ARRAY_LEN(profiles); i++) {
                        const char *p = profiles[i].profile;
                        int64_t total = 1;

                        if (!env_exists(env, "sys/fs/btrfs/%s/allocation/%s/%s", uuid, kinds[k], p))
                                continue;
                        env_read_i64(env, &total, "sys/fs/btrfs/%s/allocation/%s/%s/total_bytes", uuid, kinds[k], p);
                        if (total > 0)
                                tolerates = MIN(tolerates, profiles[i].tolerates);
                }
        return tolerates == INT32_MAX ? 0 : tolerates;
}

int btrfs_read(struct env *env, const char *uuid, struct btrfs_fs *ret)
{
        if (!is_uuid(uuid) || !env_exists(env, "sys/fs/btrfs/%s", uuid))
                return -ENOENT;
        *ret = (struct btrfs_fs){ 0 };
        strcpy(ret->uuid, uuid);
        snprintf(ret->name, sizeof(ret->name), "btrfs:%.8s", uuid);
        env_read(env, ret->label, sizeof(ret->label), "sys/fs/btrfs/%s/label", uuid);
        read_devices(env, ret);
        count_missing(env, ret);
        ret->tolerates = read_tolerance(env, uuid);
        return 0;
}

void btrfs_done(struct btrfs_fs *fs)
{
        free(fs->devices);
        fs->devices = NULL;
}

int btrfs_errors(struct env *env, const char *uuid, const char *devid, int64_t ret[BTRFS_ERRORS])
{
        char text[512], *save = NULL;
        unsigned found = 0;
        int r = env_read(env, text, sizeof(text), "sys/fs/btrfs/%s/devinfo/%s/error_stats", uuid, devid);

        if (r < 0)
                return r;
        for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
                for (int i = 0; i < BTRFS_ERRORS; i++) {
                        size_t n = strlen(btrfs_error_names[i]);
                        char *end;

                        if (strncmp(line, btrfs_error_names[i], n) != 0 || !str_starts(line + n, "_errs "))
                                continue;
                        ret[i] = strtoll(line + n + 6, &end, 10);
                        if (*end == '\0' && ret[i] >= 0)
                                found |= 1U << i;
                }
        return found == (1U << BTRFS_ERRORS) - 1 ? 0 : -EBADMSG;
}
