/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* File systems: space, inodes, and whether they still take writes. Every call here may hang with the disk below, so the
 * check has its own unit. A file system that the kernel stopped after an error may still read "rw" in the mount table
 * (Linux 6.1 does that), so its error counter is read and, where mail or the system lives, a write is tried. */

#include <fcntl.h>
#include <sys/statvfs.h>

#include "hw_fs_rules.h"
#include "mounts.h"
#include "write_try.h"

#define FSTAB_MAX (1024 * 1024)
#define LARGE_BYTES (1024.0 * 1024 * 1024 * 1024)

enum holds { HOLDS_MAIL, HOLDS_SYSTEM, HOLDS_DATA, HOLDS_MAX };

static const char *const holds_names[HOLDS_MAX] = { "mail", "system", "data" };

/* What the check knows of one file system while it runs. */
struct fs {
        const struct mount *mount;
        enum holds holds;
        const char *write_dir; /* where a write is tried; NULL: nowhere */
        char device[64];       /* kernel name of the block device, "" if none */
        const char *size;      /* label: "normal", "large" */
};

/* The mounts that hold paths, found once: with thousands of mounts that is no small matter. */
struct holders {
        const struct mount *spool[MAIL_PATHS_MAX], *store[MAIL_PATHS_MAX], *state;
};

struct context {
        struct mount_table table;
        struct mail_paths mail;
        struct holders on;
        char *write[MAIL_PATHS_MAX + 1]; /* configured */
        size_t n_write;
};

static int context_read(struct env *env, struct context *c)
{
        int r = mounts_read(env, &c->table);

        if (r < 0)
                return r;
        mail_paths_read(env, &c->table, &c->mail);
        for (size_t i = 0; i < c->mail.n_spool; i++)
                c->on.spool[i] = mounts_holding(env, &c->table, c->mail.spool[i]);
        for (size_t i = 0; i < c->mail.n_store; i++)
                c->on.store[i] = mounts_holding(env, &c->table, c->mail.store[i]);
        c->on.state = mounts_holding(env, &c->table, STATE_DIR);
        c->n_write = config_list(env->config, "fs", NULL, "write", c->write, ARRAY_LEN(c->write));
        if (c->n_write > MAIL_PATHS_MAX) {
                env->limits |= LIMIT_BIT(LIMIT_MAIL_PATHS);
                free(c->write[--c->n_write]);
        }
        return 0;
}

static void context_done(struct context *c)
{
        mount_table_done(&c->table);
        mail_paths_done(&c->mail);
        for (size_t i = 0; i < c->n_write; i++)
                free(c->write[i]);
}

/* The first of the paths that lies on the mount. */
static const char *path_on(const struct mount *m, const struct mount *const *holders, char *const *paths, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (holders[i] == m)
                        return paths[i];
        return NULL;
}

static void fs_classify(struct env *env, const struct context *c, const struct mount *m, struct fs *ret)
{
        const char *mail;

        *ret = (struct fs){ .mount = m, .holds = HOLDS_DATA, .size = "normal" };
        mail = path_on(m, c->on.spool, c->mail.spool, c->mail.n_spool);
        if (!mail)
                mail = path_on(m, c->on.store, c->mail.store, c->mail.n_store);
        if (mail) {
                ret->holds = HOLDS_MAIL;
                ret->write_dir = mail;
        } else if (streq(m->mountpoint, "/") || c->on.state == m) {
                ret->holds = HOLDS_SYSTEM;
                ret->write_dir = m->mountpoint;
        }
        for (size_t i = 0; i < c->n_write; i++)
                if (streq(c->write[i], m->mountpoint))
                        ret->write_dir = m->mountpoint;
        if (block_of_mount(env, m, ret->device, sizeof(ret->device)) < 0)
                ret->device[0] = '\0';
}

/* Memory file systems only where their being full breaks the host. */
static bool is_watched(struct env *env, const struct fs *fs)
{
        static const char *const memory[] = { "/run", "/tmp", "/dev/shm", "/var/tmp" };

        if (fs->holds != HOLDS_DATA || fs->mount->class == MOUNT_LOCAL)
                return true;
        if (fs->mount->class == MOUNT_NETWORK)
                return config_bool(env->config, "fs", NULL, "network");
        for (size_t i = 0; i < ARRAY_LEN(memory); i++)
                if (streq(fs->mount->mountpoint, memory[i]))
                        return true;
        return false;
}

/* The UUID, by which it is known on other hosts too: the name of the link to its device. */
static void find_uuid(struct env *env, const char *device, char *ret, size_t size)
{
        char **names, target[64];

        if (!*device || env_list_dir(env, &names, "dev/disk/by-uuid") < 0)
                return;
        for (size_t i = 0; names[i]; i++)
                if (env_readlink(env, target, sizeof(target), "dev/disk/by-uuid/%s", names[i]) == 0 && streq(target, device)) {
                        snprintf(ret, size, "%s", names[i]);
                        break;
                }
        env_list_free(names);
}

static int discover(struct env *env, struct instance_list *list)
{
        struct context c = { 0 };
        int r = context_read(env, &c);

        if (r < 0)
                return r;
        /* Those that hold mail first: where there is a limit, they are within it. */
        for (int holds = 0; holds < HOLDS_MAX; holds++)
                for (size_t i = 0; i < c.table.n; i++) {
                        char name[INSTANCE_NAME_MAX];
                        struct instance *inst;
                        struct fs fs;

                        if (!c.table.items[i].chosen)
                                continue;
                        fs_classify(env, &c, &c.table.items[i], &fs);
                        if ((int)fs.holds != holds || !is_watched(env, &fs))
                                continue;
                        mount_name(fs.mount->mountpoint, name);
                        inst = instance_add(list, name);
                        if (!inst)
                                continue;
                        strcpy(inst->kind, "filesystem");
                        find_uuid(env, fs.device, inst->id, sizeof(inst->id));
                }
        context_done(&c);
        return 0;
}

#define FS_SAMPLE(env, fs, metric, value, ...)                                                                     \
        env_sample(env, metric, value, "mountpoint", (fs)->mount->mountpoint, "device", (fs)->mount->source, "fstype", \
                   (fs)->mount->fstype, "holds", holds_names[(fs)->holds], ##__VA_ARGS__, NULL)

static void run_space(struct env *env, struct fs *fs, const struct statvfs *st)
{
        double unit = (double)st->f_frsize, size = (double)st->f_blocks * unit;
        double used = (double)(st->f_blocks - MIN(st->f_bfree, st->f_blocks)) * unit, avail = (double)st->f_bavail * unit;

        if (st->f_blocks == 0)
                return; /* says nothing about space (some network and fuse file systems) */
        if (size >= LARGE_BYTES)
                fs->size = "large";
        FS_SAMPLE(env, fs, "fs_size_bytes", size);
        FS_SAMPLE(env, fs, "fs_free_bytes", (double)st->f_bfree * unit);
        FS_SAMPLE(env, fs, "fs_avail_bytes", avail);
        /* As df counts: what is kept for root is neither used nor there for others. */
        if (used + avail > 0)
                FS_SAMPLE(env, fs, "fs_avail_ratio", avail / (used + avail), "size", fs->size);
        if (st->f_files > 0) {
                FS_SAMPLE(env, fs, "fs_files", (double)st->f_files);
                FS_SAMPLE(env, fs, "fs_files_free", (double)st->f_ffree);
                FS_SAMPLE(env, fs, "fs_files_free_ratio", (double)st->f_ffree / (double)st->f_files);
        }
}

static void run_ext4_errors(struct env *env, const struct fs *fs)
{
        int64_t n;

        if (!fs->device[0] || env_read_i64(env, &n, "sys/fs/ext4/%s/errors_count", fs->device) < 0)
                return;
        FS_SAMPLE(env, fs, "fs_errors_total", (double)n);
        if (n > 0 && env_read_i64(env, &n, "sys/fs/ext4/%s/last_error_time", fs->device) == 0)
                FS_SAMPLE(env, fs, "fs_last_error_timestamp_seconds", (double)n);
}

/* 1 when fstab wants it writable although it is not. */
static bool is_against_fstab(struct env *env, const struct fs *fs)
{
        _cleanup_free_ char *fstab = NULL;

        if (env_read_text(env, &fstab, FSTAB_MAX, "etc/fstab") < 0)
                return false;
        return fstab_wants_readonly(fstab, fs->mount->mountpoint) == 0;
}

/* Is it writable, and if not, who stopped it? Every cause has its own series, so that each can be told in words.
 * Only the file system's own options count: a read-only bind is somebody's wish. */
static enum result run_writable(struct env *env, const struct fs *fs)
{
        const char *options = fs->mount->super_options;
        bool emergency = mount_has_option(options, "emergency_ro"), down = mount_has_option(options, "shutdown");
        bool readonly = mount_has_option(options, "ro");
        int fd = 0;

        FS_SAMPLE(env, fs, "fs_stopped", emergency, "cause", "error");
        FS_SAMPLE(env, fs, "fs_stopped", down, "cause", "shutdown");
        FS_SAMPLE(env, fs, "fs_stopped", readonly && is_against_fstab(env, fs), "cause", "remount");
        if (fs->write_dir && !readonly) {
                fd = write_try(env, fs->write_dir);
                FS_SAMPLE(env, fs, "fs_stopped", fd == -EROFS || fd == -EIO, "cause", "write");
                if (fd >= 0)
                        close(fd);
        }
        FS_SAMPLE(env, fs, "fs_readonly", readonly || emergency || fd == -EROFS);
        if (fd < 0 && fd != -EROFS && fd != -EIO)
                return env_end(env, fd == -EACCES || fd == -EPERM ? RESULT_DENIED : RESULT_FAILED, "%s: writing was tried: %s",
                               fs->write_dir, strerror(-fd));
        return RESULT_OK;
}

static enum result run_mount(struct env *env, struct fs *fs)
{
        _cleanup_close_ int fd = -1;
        struct statvfs st;
        enum result result;

        /* First what the kernel has in memory: it is told even when the rest hangs. */
        run_ext4_errors(env, fs);
        fd = openat(env->root_fd, fs->mount->mountpoint[1] ? fs->mount->mountpoint + 1 : ".", O_PATH | O_CLOEXEC);
        if (fd < 0 || fstatvfs(fd, &st) < 0) {
                int r = neg_errno();

                result = env_end_errno(env, r, "%s", fs->mount->mountpoint + 1);
                if (result == RESULT_DENIED)
                        return result;
                FS_SAMPLE(env, fs, "fs_device_error", 1);
                return RESULT_FAILED;
        }
        FS_SAMPLE(env, fs, "fs_device_error", 0);
        run_space(env, fs, &st);
        return run_writable(env, fs);
}

static enum result run(struct env *env, const struct instance *instance)
{
        enum result result = RESULT_FAILED;
        struct context c = { 0 };
        int r = context_read(env, &c);

        if (r < 0)
                return r == -EACCES ? RESULT_DENIED : RESULT_FAILED;
        env_end(env, RESULT_FAILED, "%s is no longer mounted", instance->name);
        for (size_t i = 0; i < c.table.n; i++) {
                char name[INSTANCE_NAME_MAX];
                struct fs fs;

                if (!c.table.items[i].chosen)
                        continue;
                mount_name(c.table.items[i].mountpoint, name);
                if (!streq(name, instance->name))
                        continue;
                fs_classify(env, &c, &c.table.items[i], &fs);
                result = run_mount(env, &fs);
                break;
        }
        context_done(&c);
        return result;
}

const struct check check_fs = {
        .desc = {
                .name = "fs",
                .summary = "file systems: writable, space, inodes, errors",
                .interval_s = 60,
                .deadline_s = 20,
                .privilege = PRIVILEGE_WRITE,
                .evidence = EVIDENCE_FILESYSTEM,
                .metrics = fs_metrics, .n_metrics = FS_METRICS,
                .rules = fs_rules, .n_rules = FS_RULES,
        },
        .discover = discover,
        .run = run,
};
