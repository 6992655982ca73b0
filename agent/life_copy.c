/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Files into the copy, and copies away: see the header. */

#include <dirent.h>
#include <fcntl.h>
#include <jansson.h>
#include <sys/stat.h>

#include "life.h"

#define DEPTH_MAX 16

/* Makes the directories that the name lies in. */
static int make_parents(int dir_fd, const char *name)
{
        char part[4096];

        for (const char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
                if (snprintf(part, sizeof(part), "%.*s", (int)(slash - name), name) >= (int)sizeof(part))
                        return -ENAMETOOLONG;
                if (mkdirat(dir_fd, part, 0755) < 0 && errno != EEXIST)
                        return neg_errno();
        }
        return 0;
}

static int copy_bytes(struct life_copy *c, int in, int out)
{
        char buf[64 * 1024];

        for (;;) {
                ssize_t n = read(in, buf, sizeof(buf)), done = 0;

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return n < 0 ? neg_errno() : 0;
                c->bytes += n;
                if (c->bytes > LIFE_BYTES_MAX)
                        return -EFBIG;
                while (done < n) {
                        ssize_t w = write(out, buf + done, (size_t)(n - done));

                        if (w < 0 && errno != EINTR)
                                return neg_errno();
                        done += MAX(w, 0);
                }
        }
}

int life_copy_file(struct life_copy *c, const char *from, const char *to, bool executable, struct errinfo *err)
{
        _cleanup_close_ int in = -1, out = -1;
        struct stat st;
        int r;

        if (faccessat(c->dir_fd, to, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
                return 0;
        in = open(from, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (in < 0 || fstat(in, &st) < 0)
                return err_set(err, neg_errno(), "%s: %s", from, strerror(errno));
        if (!S_ISREG(st.st_mode))
                return err_set(err, -EINVAL, "%s: is no regular file", from);
        if (++c->n > LIFE_FILES_MAX)
                return err_set(err, -E2BIG, "%s: there would be more than %d files", from, LIFE_FILES_MAX);
        r = make_parents(c->dir_fd, to);
        if (r >= 0)
                out = openat(c->dir_fd, to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (r < 0 || out < 0)
                return err_set(err, r < 0 ? r : neg_errno(), "%s/%s: %s", c->dir, to, strerror(r < 0 ? -r : errno));
        r = copy_bytes(c, in, out);
        if (r == -EFBIG)
                return err_set(err, r, "%s: the copy would be larger than %lld MiB", from, LIFE_BYTES_MAX >> 20);
        if (r < 0)
                return err_set(err, r, "%s to %s/%s: %s", from, c->dir, to, strerror(-r));
        if (fchmod(out, executable ? 0755 : st.st_mode & 0444) < 0)
                return err_set(err, neg_errno(), "%s/%s: %s", c->dir, to, strerror(errno));
        if (st.st_gid != 0 && !(st.st_mode & 0004) && fchown(out, (uid_t)-1, st.st_gid) < 0 && fchmod(out, 0400) < 0)
                return err_set(err, neg_errno(), "%s/%s: %s", c->dir, to, strerror(errno));
        json_array_append_new(c->files, json_pack("{ss ss sI}", "name", to, "from", from, "bytes", (json_int_t)st.st_size));
        return 0;
}

static int remove_below(int dir_fd, const char *name, int depth)
{
        _cleanup_closedir_ DIR *dir = NULL;
        const struct dirent *entry;
        int fd, r = 0;

        fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return errno == ENOENT ? 0 : unlinkat(dir_fd, name, 0) < 0 ? neg_errno() : 0;
        dir = fdopendir(fd);
        if (!dir) {
                close(fd);
                return -ENOMEM;
        }
        if (depth > DEPTH_MAX)
                return -ELOOP;
        while (r >= 0 && (entry = readdir(dir))) {
                if (streq(entry->d_name, ".") || streq(entry->d_name, ".."))
                        continue;
                if (entry->d_type == DT_DIR)
                        r = remove_below(fd, entry->d_name, depth + 1);
                else if (unlinkat(fd, entry->d_name, 0) < 0)
                        r = neg_errno();
        }
        return r < 0 ? r : unlinkat(dir_fd, name, AT_REMOVEDIR) < 0 ? neg_errno() : 0;
}

int life_remove(int dir_fd, const char *name)
{
        return remove_below(dir_fd, name, 0);
}
