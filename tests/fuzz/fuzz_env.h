/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_FUZZ_ENV_H
#define VEILLE_FUZZ_ENV_H

/* A check's env for fuzz targets: a tree in memory that stands for /, canned answers of programs, and what every check owes
 * to its callers: instances with names of their own, samples that its table knows, a reason for a bad end. */

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "check.h"

static char fuzz_root[48];

/* Everything below the directory; links are not followed. */
static inline void fuzz_clear(int dir_fd)
{
        DIR *dir = fdopendir(dir_fd);
        struct dirent *e;

        if (!dir)
                abort();
        while ((e = readdir(dir))) {
                if (streq(e->d_name, ".") || streq(e->d_name, ".."))
                        continue;
                if (e->d_type == DT_DIR)
                        fuzz_clear(openat(dir_fd, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
                if (unlinkat(dir_fd, e->d_name, e->d_type == DT_DIR ? AT_REMOVEDIR : 0) < 0)
                        abort();
        }
        closedir(dir);
}

static inline void fuzz_clear_root(void)
{
        fuzz_clear(open(fuzz_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static inline void fuzz_remove_root(void)
{
        fuzz_clear_root();
        rmdir(fuzz_root);
}

static inline void fuzz_emit(struct env *env, const char *metric, double value UNUSED, const char *const *labels)
{
        const struct check_desc *d = &env->check->desc;
        bool known = false;

        for (size_t i = 0; i < d->n_metrics && !known; i++)
                known = streq(d->metrics[i].name, metric);
        if (!known) {
                fprintf(stderr, "%s: no row for the metric %s\n", d->name, metric);
                abort();
        }
        for (size_t i = 0; labels && labels[i]; i += 2)
                assert(labels[i][0] && labels[i + 1] && strlen(labels[i + 1]) < 4096);
}

static inline void fuzz_env_init(struct env *env)
{
        if (!*fuzz_root) {
                strcpy(fuzz_root, access("/dev/shm", W_OK) == 0 ? "/dev/shm/veille-fuzz-XXXXXX" : "/tmp/veille-fuzz-XXXXXX");
                if (!mkdtemp(fuzz_root))
                        abort();
                atexit(fuzz_remove_root);
        }
        *env = (struct env){ .root = fuzz_root, .root_fd = open(fuzz_root, O_PATH | O_DIRECTORY | O_CLOEXEC), .emit = fuzz_emit };
        env->config = config_new_defaults();
        if (env->root_fd < 0)
                abort();
}

static inline void fuzz_env_done(struct env *env)
{
        close(env->root_fd);
        config_free((struct config *)env->config);
}

/* Only below the root, and only in what a kernel or an administrator fills; no way out of it. */
static inline bool fuzz_path_ok(const char *path)
{
        static const char *const tops[] = { "sys/", "proc/", "dev/", "etc/" };
        bool ok = strlen(path) < 512 && !strstr(path, "..") && !strstr(path, "//") && path[strlen(path) - 1] != '/';

        for (size_t i = 0; i < ARRAY_LEN(tops); i++)
                if (ok && str_starts(path, tops[i]))
                        return true;
        return false;
}

/* As many steps up as down, at most: a link cannot lead out of the root. */
static inline bool fuzz_target_ok(const char *path, const char *target)
{
        size_t down = 0, up = 0;

        for (const char *p = path; (p = strchr(p, '/')); p++)
                down++;
        for (const char *p = target; (p = strstr(p, "..")); p += 2)
                up++;
        return *target && *target != '/' && up <= down && strlen(target) < 512;
}

/* With the directories above it; what cannot be is left out. */
static inline void fuzz_tree_entry(const char *path, const char *target, const void *data, size_t size)
{
        char full[640];
        int fd;

        if (!*path || !fuzz_path_ok(path))
                return;
        snprintf(full, sizeof(full), "%s/%s", fuzz_root, path);
        for (char *p = full + strlen(fuzz_root) + 1; (p = strchr(p, '/')); p++) {
                *p = '\0';
                mkdir(full, 0755);
                *p = '/';
        }
        if (target) {
                if (fuzz_target_ok(path, target) && symlink(target, full) < 0)
                        return;
                return;
        }
        fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
        if (fd < 0)
                return;
        if (write(fd, data, size) < 0)
                abort();
        close(fd);
}

/* Discovers, and reads the first instances. */
static inline void fuzz_check(struct env *env, const struct check *check)
{
        struct instance_list list = { 0 };

        env->check = check;
        env->why.text[0] = env->said[0] = '\0';
        if (check->discover(env, &list) < 0 && !env->why.text[0]) {
                fprintf(stderr, "%s: discovery fails without a reason\n", check->desc.name);
                abort();
        }
        for (size_t i = 0; i < list.n; i++) {
                assert(list.items[i].name[0] && list.items[i].component[0]);
                for (size_t k = 0; k < i && list.n < 100; k++)
                        if (streq(list.items[i].name, list.items[k].name)) {
                                fprintf(stderr, "%s: twice the instance %s\n", check->desc.name, list.items[i].name);
                                abort();
                        }
        }
        for (size_t i = 0; i < list.n && i < 8; i++) {
                enum result result;

                env->why.text[0] = env->said[0] = '\0';
                result = check->run(env, &list.items[i]);
                assert(result < RESULT_MAX && strlen(env->why.text) < sizeof(env->why.text));
                if (result != RESULT_OK && !env->why.text[0]) {
                        fprintf(stderr, "%s %s: %s without a reason\n", check->desc.name, list.items[i].name, result_name(result));
                        abort();
                }
        }
        instance_list_done(&list);
}

#endif
