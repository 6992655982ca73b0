/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Asking ZFS. zpool is only run for pools that are imported, by its absolute path. */

#include "zfs.h"

#define ZPOOL "/usr/sbin/zpool"
#define ZPOOL_DEADLINE_S 10
#define ZPOOL_OUT_MAX (1024 * 1024)

int zfs_pools(struct env *env, char ***ret)
{
        char **names;
        size_t kept = 0;
        int r = env_list_dir(env, &names, "proc/spl/kstat/zfs");

        if (r == -ENOENT) {
                *ret = calloc(1, sizeof(**ret));
                return *ret ? 0 : -ENOMEM;
        }
        if (r < 0) {
                env_end_errno(env, r, "proc/spl/kstat/zfs");
                return r;
        }
        for (size_t i = 0; names[i]; i++)
                if (env_exists(env, "proc/spl/kstat/zfs/%s/state", names[i]) || env_exists(env, "proc/spl/kstat/zfs/%s/txgs", names[i]))
                        names[kept++] = names[i];
                else
                        free(names[i]);
        names[kept] = NULL;
        *ret = names;
        return 0;
}

int zfs_status(struct env *env, const char *pool, struct zpool *ret)
{
        const char *const argv[] = { ZPOOL, "status", "-LPp", pool, NULL };
        struct cmd_result c;
        int r = env->run_cmd(env, argv, ZPOOL_DEADLINE_S, ZPOOL_OUT_MAX, &c);

        if (r < 0) {
                env_end_errno(env, r, "%s", &ZPOOL[1]);
                return r;
        }
        r = c.exit_status == 0 ? zpool_status_parse(c.out, ret) : -EIO;
        if (r >= 0 && ret->cut)
                env->limits |= LIMIT_BIT(LIMIT_ZPOOL);
        if (r < 0)
                env_end(env, RESULT_FAILED, "zpool status %s: exit status %d: %.*s", pool, c.exit_status,
                        (int)strcspn(c.err_text, "\n"), c.err_text);
        cmd_result_done(&c);
        return r;
}

const char *zfs_device(const struct zpool_vdev *v)
{
        return v->leaf && str_starts(v->name, "/dev/") ? strrchr(v->name, '/') + 1 : NULL;
}

/* The top-level vdev above. */
static size_t top_of(const struct zpool *p, size_t i)
{
        while (p->vdevs[i].depth > 1 && p->vdevs[i].parent >= 0)
                i = (size_t)p->vdevs[i].parent;
        return i;
}

static void emit_pool(struct env *env, const struct zpool *p, void (*emit)(struct env *, const char *, const char *, bool, int))
{
        char pool[ZPOOL_NAME_MAX + 8], top_name[2 * ZPOOL_NAME_MAX + 16];

        snprintf(pool, sizeof(pool), "zfs:%s", p->name);
        for (size_t i = 0; i < p->n_vdevs; i++) {
                const struct zpool_vdev *v = &p->vdevs[i];
                const char *device = zfs_device(v);
                size_t top = top_of(p, i);

                if (v->class != ZPOOL_DATA || v->depth < 1)
                        continue;
                snprintf(top_name, sizeof(top_name), "%s/%s", pool, p->vdevs[top].name);
                if (i == top && !v->leaf)
                        emit(env, pool, top_name, true, 0);
                if (device)
                        emit(env, i == top ? pool : top_name, device, zpool_vdev_works(v), MAX(zpool_left(p, top), 0));
        }
}

int zfs_emit_topology(struct env *env, void (*emit)(struct env *env, const char *parent, const char *child, bool needed, int left))
{
        char **pools;
        int r = zfs_pools(env, &pools);

        if (r < 0)
                return r;
        for (size_t i = 0; pools[i] && r >= 0; i++) {
                struct zpool p;

                r = zfs_status(env, pools[i], &p);
                if (r >= 0) {
                        emit_pool(env, &p, emit);
                        zpool_done(&p);
                } else if (r == -ENOENT) {
                        r = 0; /* no zpool here: the check zfs says so, the rest of the topology stays true */
                }
        }
        env_list_free(pools);
        return r;
}
