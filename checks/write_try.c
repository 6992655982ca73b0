/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* One block into a file without a name. */

#include <fcntl.h>
#include <sys/random.h>

#include "write_try.h"

#define BLOCK 4096

/* For file systems without O_TMPFILE (NFS, FUSE, vfat): the name is gone before the first write. */
static int open_and_unlink(int dir_fd)
{
        uint64_t random = 0;
        char name[64];
        int fd;

        if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
                random = (uint64_t)getpid();
        snprintf(name, sizeof(name), ".veille-write-%d-%016llx", (int)getpid(), (unsigned long long)random);
        fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                return neg_errno();
        if (unlinkat(dir_fd, name, 0) < 0) {
                int r = neg_errno();

                close(fd);
                return r;
        }
        return fd;
}

int write_try(struct env *env, const char *dir)
{
        static const char block[BLOCK] = "veille tries to write here\n";
        _cleanup_close_ int dir_fd = -1, fd = -1;
        ssize_t n;

        assert(dir[0] == '/');
        dir_fd = openat(env->root_fd, dir[1] ? dir + 1 : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (dir_fd < 0)
                return neg_errno();
        fd = openat(dir_fd, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
        if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL || errno == ENOSYS))
                fd = open_and_unlink(dir_fd);
        else if (fd < 0)
                return neg_errno();
        if (fd < 0)
                return take_fd(&fd);
        n = write(fd, block, sizeof(block));
        if (n < 0 && errno != ENOSPC && errno != EDQUOT)
                return neg_errno();
        return take_fd(&fd);
}
