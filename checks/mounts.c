/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* File systems by name, where mail lies on them, and the block devices below. */

#include <ctype.h>

#include "mounts.h"

#define MOUNTINFO_MAX (4 * 1024 * 1024)

static const char *const usual_spool[] = { "/var/spool/postfix", "/var/spool/exim4" };
static const char *const usual_store[] = { "/var/mail", "/var/vmail", "/srv/mail", "/home/vmail" };

static uint32_t fnv1a(const char *s)
{
        uint32_t h = 2166136261U;

        for (; *s; s++)
                h = (h ^ (unsigned char)*s) * 16777619U;
        return h;
}

void mount_name(const char *mountpoint, char ret[INSTANCE_NAME_MAX])
{
        char buf[3 * 4096 + 1];
        size_t n = 0;

        for (const char *p = mountpoint; *p && n + 4 < sizeof(buf); p++)
                if (isascii(*p) && (isalnum((unsigned char)*p) || strchr("._:@+,/-", *p)))
                        buf[n++] = *p;
                else
                        n += (size_t)sprintf(buf + n, "=%02X", (unsigned char)*p);
        buf[n] = '\0';
        if (n < INSTANCE_NAME_MAX)
                strcpy(ret, buf);
        else
                snprintf(ret, INSTANCE_NAME_MAX, "%.*s+%08x", INSTANCE_NAME_MAX - 10, buf, (unsigned)fnv1a(mountpoint));
}

int mounts_read(struct env *env, struct mount_table *ret)
{
        _cleanup_free_ char *text = NULL;
        int r = env_read_text(env, &text, MOUNTINFO_MAX, "proc/self/mountinfo");

        if (r >= 0)
                r = mountinfo_parse(text, ret, NULL);
        if (r >= 0 && ret->cut)
                env->limits |= LIMIT_BIT(LIMIT_MOUNTS);
        if (r < 0) {
                env_end_errno(env, r, "proc/self/mountinfo");
                return r;
        }
        mount_table_choose(ret);
        return 0;
}

#define PATH_SIZE 4096
#define LINKS_FOLLOWED 40

/* Takes the first part of todo away; false when nothing is left. */
static bool next_part(char *todo, char *part, size_t size)
{
        size_t start = strspn(todo, "/"), n = strcspn(todo + start, "/");

        if (n == 0 || n >= size)
                return false;
        memcpy(part, todo + start, n);
        part[n] = '\0';
        memmove(todo, todo + start + n, strlen(todo + start + n) + 1);
        return true;
}

static void go_up(char *path)
{
        char *slash = strrchr(path, '/');

        if (slash)
                *slash = '\0';
}

/* The path without links, as far as it can be told without touching a network file system. */
static void resolve(struct env *env, const struct mount_table *table, const char *path, char ret[PATH_SIZE])
{
        char todo[PATH_SIZE], part[256], target[PATH_SIZE], rest[PATH_SIZE];
        int links = 0;

        snprintf(todo, sizeof(todo), "%s", path);
        ret[0] = '\0';
        while (next_part(todo, part, sizeof(part))) {
                size_t len = strlen(ret);
                const struct mount *m;
                ssize_t n;

                if (streq(part, "."))
                        continue;
                if (streq(part, "..")) {
                        go_up(ret);
                        continue;
                }
                if (len + strlen(part) + 2 > PATH_SIZE)
                        break;
                sprintf(ret + len, "/%s", part);
                m = mount_table_visible(table, ret);
                if (m && m->class == MOUNT_NETWORK) {
                        len = strlen(ret); /* the rest as it is written: it is of this mount */
                        snprintf(ret + len, PATH_SIZE - len, "%s", todo);
                        break;
                }
                if (m && streq(m->mountpoint, ret))
                        continue; /* a mount point is no link */
                n = readlinkat(env->root_fd, ret + 1, target, sizeof(target) - 1);
                if (n <= 0 || ++links > LINKS_FOLLOWED)
                        continue;
                target[n] = '\0';
                if (snprintf(rest, sizeof(rest), "%s/%s", target, todo) >= (int)sizeof(rest))
                        continue;
                strcpy(todo, rest);
                if (target[0] == '/')
                        ret[0] = '\0';
                else
                        go_up(ret);
        }
        if (!ret[0])
                strcpy(ret, "/");
}

const struct mount *mounts_holding(struct env *env, const struct mount_table *table, const char *path)
{
        char real[PATH_SIZE];

        resolve(env, table, path, real);
        return mount_table_holding(table, real);
}

static bool usual_exists(struct env *env, const struct mount_table *table, const char *path)
{
        char real[PATH_SIZE];
        const struct mount *m;

        resolve(env, table, path, real);
        m = mount_table_visible(table, real);
        if (m && streq(m->mountpoint, real) && !streq(real, "/"))
                return true;
        return !(m && m->class == MOUNT_NETWORK) && env_exists(env, "%s", path + 1);
}

static size_t paths_of(struct env *env, const struct mount_table *table, const char *key, const char *const *usual, size_t n_usual,
                       char *ret[MAIL_PATHS_MAX])
{
        char *words[MAIL_PATHS_MAX + 1];
        size_t n = config_list(env->config, "mail", NULL, key, words, ARRAY_LEN(words)), kept = 0;

        if (n > MAIL_PATHS_MAX) {
                env->limits |= LIMIT_BIT(LIMIT_MAIL_PATHS);
                free(words[--n]);
        }
        for (size_t i = 0; i < n; i++)
                if (words[i][0] == '/')
                        ret[kept++] = words[i];
                else
                        free(words[i]);
        if (n > 0)
                return kept;
        for (size_t i = 0; i < n_usual; i++)
                if (usual_exists(env, table, usual[i]) && (ret[kept] = strdup(usual[i])))
                        kept++;
        return kept;
}

void mail_paths_read(struct env *env, const struct mount_table *table, struct mail_paths *ret)
{
        ret->n_spool = paths_of(env, table, "spool", usual_spool, ARRAY_LEN(usual_spool), ret->spool);
        ret->n_store = paths_of(env, table, "store", usual_store, ARRAY_LEN(usual_store), ret->store);
}

void mail_paths_done(struct mail_paths *paths)
{
        for (size_t i = 0; i < paths->n_spool; i++)
                free(paths->spool[i]);
        for (size_t i = 0; i < paths->n_store; i++)
                free(paths->store[i]);
        *paths = (struct mail_paths){ 0 };
}

int block_disk_of(struct env *env, const char *name, char *ret, size_t size)
{
        char path[512], target[1024], *slash;
        ssize_t n;

        if (!*name || strchr(name, '/') || streq(name, ".") || streq(name, ".."))
                return -EINVAL;
        if (env_exists(env, "sys/block/%s", name)) {
                if (strlen(name) >= size)
                        return -EMSGSIZE;
                strcpy(ret, name);
                return 0;
        }
        /* A partition's link leads through its disk: ../../devices/.../block/sda/sda1 */
        snprintf(path, sizeof(path), "sys/class/block/%s", name);
        n = readlinkat(env->root_fd, path, target, sizeof(target) - 1);
        if (n < 0)
                return neg_errno();
        target[n] = '\0';
        slash = strrchr(target, '/');
        if (!slash)
                return -ENOENT;
        *slash = '\0';
        slash = strrchr(target, '/');
        if (!slash || !env_exists(env, "sys/block/%s", slash + 1))
                return -ENOENT;
        if (strlen(slash + 1) >= size)
                return -EMSGSIZE;
        strcpy(ret, slash + 1);
        return 0;
}

int block_of_mount(struct env *env, const struct mount *mount, char *ret, size_t size)
{
        const char *base;
        int r;

        if (mount->major != 0) {
                r = env_readlink(env, ret, size, "sys/dev/block/%u:%u", mount->major, mount->minor);
                if (r == 0)
                        return 0;
        }
        if (!str_starts(mount->source, "/dev/"))
                return -ENOENT;
        /* /dev/mapper/NAME and by-id names are links to the kernel's name. */
        r = env_readlink(env, ret, size, "%s", mount->source + 1);
        if (r == 0 && env_exists(env, "sys/class/block/%s", ret))
                return 0;
        base = strrchr(mount->source, '/') + 1;
        if (!env_exists(env, "sys/class/block/%s", base) && !env_exists(env, "sys/block/%s", base))
                return -ENOENT;
        if (strlen(base) >= size)
                return -EMSGSIZE;
        strcpy(ret, base);
        return 0;
}
