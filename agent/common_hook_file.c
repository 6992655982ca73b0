/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Finding a hook: see the header. Every part of the path is opened without following a link and looked at, from root down, so that
 * who may write none of them can change nothing of what is run. */

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "common_hook_file.h"
#include "hook_plan.h"

/* /usr/sbin/veille-act -> usr/lib/veille/hooks. */
static const char *own_place(void)
{
        static char place[PATH_MAX];
        char exe[PATH_MAX - 32];
        ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

        exe[MAX(n, 0)] = '\0';
        for (int i = 0; i < 2; i++) {
                char *slash = strrchr(exe, '/');

                if (slash)
                        *slash = '\0';
        }
        snprintf(place, sizeof(place), "%s%slib/veille/hooks", *exe ? exe + 1 : "", *exe ? "/" : "");
        return place;
}

const char *hook_place(size_t i)
{
        return i == 0 ? "etc/veille/hooks.d" : i == 1 ? own_place() : NULL;
}

/* shown: the path so far, for the sentence. */
static int look_at(int fd, bool last, const char *shown, struct errinfo *err)
{
        struct stat st;

        if (fstat(fd, &st) < 0)
                return err_set(err, -EPERM, "%s: %s", shown, strerror(errno));
        if (S_ISLNK(st.st_mode))
                return err_set(err, -EPERM, "%s is a symbolic link: a hook is a file in its place", shown);
        if (last ? !S_ISREG(st.st_mode) : !S_ISDIR(st.st_mode))
                return err_set(err, -EPERM, "%s is no %s", shown, last ? "regular file" : "directory");
        if (st.st_uid != 0)
                return err_set(err, -EPERM, "%s does not belong to root: chown root it", shown);
        if (st.st_mode & (S_IWGRP | S_IWOTH))
                return err_set(err, -EPERM, "%s may be written by others than root: chmod go-w it", shown);
        if (!last)
                return 0;
        if (!(st.st_mode & S_IXUSR))
                return err_set(err, -EPERM, "%s is not executable: chmod +x it", shown);
        if (st.st_mode & (S_ISUID | S_ISGID))
                return err_set(err, -EPERM, "%s is set-user-ID or set-group-ID: chmod ug-s it", shown);
        if (st.st_size > HOOK_FILE_MAX)
                return err_set(err, -EPERM, "%s is larger than %d bytes: a hook is small", shown, HOOK_FILE_MAX);
        return 0;
}

/* -ENOENT: it is not in this place. */
static int look_in(int root_fd, const char *root, const char *place, const char *name, char *ret, size_t size, struct errinfo *err)
{
        char path[PATH_MAX], *save = NULL;
        size_t len = (size_t)snprintf(ret, size, "%s", streq(root, "/") ? "" : root);
        int fd = fcntl(root_fd, F_DUPFD_CLOEXEC, 3), r;

        if (fd < 0)
                return neg_errno();
        snprintf(path, sizeof(path), "%s/%s", place, name);
        r = look_at(fd, false, root, err);
        for (char *part = strtok_r(path, "/", &save), *next; part && r == 0; part = next) {
                int below = openat(fd, part, O_PATH | O_NOFOLLOW | O_CLOEXEC);

                next = strtok_r(NULL, "/", &save);
                len += (size_t)snprintf(ret + len, len < size ? size - len : 0, "/%s", part);
                if (below < 0) {
                        r = errno == ENOENT ? -ENOENT : err_set(err, -EPERM, "%s: %s", ret, strerror(errno));
                        break;
                }
                close(fd);
                fd = below;
                r = len >= size ? -ENAMETOOLONG : look_at(fd, !next, ret, err);
        }
        close(fd);
        return r;
}

int hook_file_find(const char *root, const char *name, char *ret, size_t size, struct errinfo *err)
{
        _cleanup_close_ int fd = -1;
        const char *place;
        int r = -ENOENT;

        if (!hook_name_ok(name))
                return err_set(err, -EINVAL, "this is no name of a hook: small letters, digits and '-', at most %d", HOOK_NAME_LEN);
        fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return err_set(err, neg_errno(), "%s: %s", root, strerror(errno));
        for (size_t i = 0; r == -ENOENT && (place = hook_place(i)); i++)
                r = look_in(fd, root, place, name, ret, size, err);
        if (r == -ENOENT)
                return err_set(err, r, "there is no hook %s in /%s or /%s", name, hook_place(0), hook_place(1));
        return r;
}
