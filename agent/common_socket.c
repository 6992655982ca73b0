/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Unix sockets: see the header. */

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "common_clock.h"
#include "common_socket.h"

#define CONNECT_RETRY_MS 20

static int make_address(const char *path, struct sockaddr_un *ret)
{
        if (strlen(path) >= sizeof(ret->sun_path))
                return -ENAMETOOLONG;
        *ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
        strcpy(ret->sun_path, path);
        return 0;
}

static int connect_once(const struct sockaddr_un *sa)
{
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        if (fd < 0)
                return neg_errno();
        while (connect(fd, (const struct sockaddr *)sa, sizeof(*sa)) < 0)
                if (errno != EINTR)
                        return neg_errno();
        return take_fd(&fd);
}

int socket_connect_unix(const char *path, int timeout_ms)
{
        int64_t until = clock_boot_us() + timeout_ms * USEC_PER_MSEC;
        struct sockaddr_un sa;
        int r = make_address(path, &sa);

        if (r < 0)
                return r;
        for (;;) {
                r = connect_once(&sa);
                if (r != -EAGAIN) /* the other's queue is full: no event tells when it is not */
                        return r;
                if (clock_boot_us() >= until)
                        return -ETIMEDOUT;
                poll(NULL, 0, CONNECT_RETRY_MS);
        }
}

/* Only a socket is removed, and only when nobody listens on it: -EAGAIN is one who is slow, not one who is gone. */
static int remove_stale(const char *path, const struct sockaddr_un *sa)
{
        struct stat st;
        int fd;

        if (lstat(path, &st) < 0)
                return errno == ENOENT ? 0 : neg_errno();
        if (!S_ISSOCK(st.st_mode))
                return -EEXIST;
        fd = connect_once(sa);
        if (fd >= 0)
                close(fd);
        if (fd >= 0 || fd == -EAGAIN)
                return -EADDRINUSE;
        return unlink(path) < 0 && errno != ENOENT ? neg_errno() : 0;
}

int socket_listen_unix(const char *path, mode_t mode, int backlog)
{
        _cleanup_close_ int fd = -1;
        struct sockaddr_un sa;
        mode_t old;
        int r = make_address(path, &sa);

        if (r == 0)
                r = remove_stale(path, &sa);
        if (r < 0)
                return r;
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return neg_errno();
        old = umask(~mode & 0777); /* the mode is right from the first moment */
        r = bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 ? neg_errno() : 0;
        umask(old);
        if (r < 0)
                return r;
        if (listen(fd, backlog) < 0) {
                r = neg_errno();
                unlink(path);
                return r;
        }
        return take_fd(&fd);
}

int socket_peer(int fd, struct socket_peer *ret)
{
        struct ucred cred;
        socklen_t len = sizeof(cred);

        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
                return neg_errno();
        *ret = (struct socket_peer){ cred.pid, cred.uid, cred.gid };
        return 0;
}

bool socket_peer_in_group(int fd, gid_t gid)
{
        _cleanup_free_ gid_t *groups = NULL;
        struct socket_peer peer = { 0 };
        socklen_t len = 0;

        if (socket_peer(fd, &peer) < 0)
                return false;
        if (peer.gid == gid)
                return true;
        /* The first call tells how many there are. */
        if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &len) == 0 || errno != ERANGE)
                return false;
        groups = malloc(len);
        if (!groups || getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) < 0)
                return false;
        for (size_t i = 0; i < len / sizeof(gid_t); i++)
                if (groups[i] == gid)
                        return true;
        return false;
}
