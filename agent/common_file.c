/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Atomic files: temporary, optional fsync, rename. The temporary name is fixed, so that a writer that was killed
 * leaves one file at most, which the next writer takes over. */

#include <fcntl.h>
#include <sys/stat.h>

#include "common_file.h"

int atomic_file_open(struct atomic_file *a, const char *dir, const char *name, mode_t mode)
{
        _cleanup_close_ int fd = -1;
        int n = snprintf(a->path, sizeof(a->path), "%s/%s", dir, name);
        int m = snprintf(a->tmp, sizeof(a->tmp), "%s/.%s.tmp", dir, name);

        a->f = NULL;
        if (n < 0 || m < 0 || (size_t)n >= sizeof(a->path) || (size_t)m >= sizeof(a->tmp))
                return -ENAMETOOLONG;
        fd = open(a->tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
        if (fd < 0)
                return neg_errno();
        a->f = fdopen(fd, "w");
        if (!a->f) {
                int r = neg_errno();

                unlink(a->tmp);
                return r;
        }
        take_fd(&fd);
        return 0;
}

void atomic_file_abort(struct atomic_file *a)
{
        if (!a->f)
                return;
        fclose(take_ptr(a->f));
        unlink(a->tmp);
}

static int sync_dir_of(const char *path)
{
        _cleanup_close_ int fd = -1;
        char dir[4096];

        snprintf(dir, sizeof(dir), "%s", path);
        *strrchr(dir, '/') = '\0';
        fd = open(dir[0] ? dir : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 || fsync(fd) < 0)
                return neg_errno();
        return 0;
}

int atomic_file_commit(struct atomic_file *a, bool sync)
{
        int r = 0;

        errno = EIO; /* of a write before, whose errno is gone */
        if (fflush(a->f) != 0 || ferror(a->f) || (sync && fsync(fileno(a->f)) < 0))
                r = neg_errno();
        if (fclose(take_ptr(a->f)) != 0 && r == 0)
                r = neg_errno();
        if (r == 0 && rename(a->tmp, a->path) < 0)
                r = neg_errno();
        if (r < 0) {
                unlink(a->tmp);
                return r;
        }
        return sync ? sync_dir_of(a->path) : 0;
}

int file_write_atomic(const char *dir, const char *name, const void *data, size_t len, mode_t mode, bool sync)
{
        struct atomic_file a;
        int r = atomic_file_open(&a, dir, name, mode);

        if (r < 0)
                return r;
        fwrite(data, 1, len, a.f); /* an error is kept in the stream for commit */
        return atomic_file_commit(&a, sync);
}
