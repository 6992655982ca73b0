/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* What a program needs to start: its loader is asked (--list, what ldd does), which knows the cache, hwcaps and RUNPATH as they
 * will be used. */

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common_clock.h"
#include "life.h"

#define HEADERS_MAX 64

int life_interpreter(const char *program, char *buf, size_t size, struct errinfo *err)
{
        _cleanup_close_ int fd = open(program, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        ElfW(Ehdr) e;

        if (fd < 0)
                return err_set(err, neg_errno(), "%s: %s", program, strerror(errno));
        if (pread(fd, &e, sizeof(e), 0) != sizeof(e) || memcmp(e.e_ident, ELFMAG, SELFMAG) != 0 || e.e_phentsize != sizeof(ElfW(Phdr)))
                return err_set(err, -ENOEXEC, "%s: is no ELF program of this machine", program);
        for (unsigned i = 0; i < MIN(e.e_phnum, HEADERS_MAX); i++) {
                ElfW(Phdr) p;

                if (pread(fd, &p, sizeof(p), (off_t)(e.e_phoff + i * sizeof(p))) != sizeof(p))
                        break;
                if (p.p_type != PT_INTERP)
                        continue;
                if (p.p_filesz < 2 || p.p_filesz > size || pread(fd, buf, p.p_filesz, (off_t)p.p_offset) != (ssize_t)p.p_filesz ||
                    buf[p.p_filesz - 1] != '\0' || buf[0] != '/')
                        break;
                return 0;
        }
        return err_set(err, -ENOEXEC, "%s: names no loader", program);
}

/* --- running ------------------------------------------------------------------------------------------------------ */

static int start(char *const argv[], pid_t *ret_pid)
{
        posix_spawn_file_actions_t actions;
        int p[2], r;

        if (pipe2(p, O_CLOEXEC) < 0)
                return neg_errno();
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
        posix_spawn_file_actions_adddup2(&actions, p[1], 1);
        r = posix_spawn(ret_pid, argv[0], &actions, NULL, argv, environ);
        posix_spawn_file_actions_destroy(&actions);
        close(p[1]);
        if (r == 0)
                return p[0];
        close(p[0]);
        return -r;
}

/* Lines until the other end is closed, fn fails, or the time is over. */
static int each_line(int fd, int64_t until_us, int (*fn)(void *data, char *line, struct errinfo *err), void *data, struct errinfo *err)
{
        char buf[8192];
        size_t len = 0;
        int r = 0;

        while (r >= 0) {
                struct pollfd p = { .fd = fd, .events = POLLIN };
                int64_t left = (until_us - clock_boot_us()) / USEC_PER_MSEC;
                ssize_t n;
                char *line = buf, *end;

                if (left <= 0 || len == sizeof(buf) || poll(&p, 1, (int)left) < 1)
                        return -ETIMEDOUT;
                n = read(fd, buf + len, sizeof(buf) - len);
                if (n <= 0)
                        return n < 0 ? neg_errno() : 0;
                len += (size_t)n;
                while (r >= 0 && (end = memchr(line, '\n', len - (size_t)(line - buf)))) {
                        *end = '\0';
                        r = fn ? fn(data, line, err) : 0;
                        line = end + 1;
                }
                len -= (size_t)(line - buf);
                memmove(buf, line, len);
        }
        return r;
}

int life_run(char *const argv[], unsigned seconds, int (*fn)(void *data, char *line, struct errinfo *err), void *data, struct errinfo *err)
{
        _cleanup_close_ int fd = -1;
        int status = 0, r;
        pid_t pid;

        fd = start(argv, &pid);
        if (fd < 0)
                return err_set(err, fd, "%s: %s", argv[0], strerror(-fd));
        r = each_line(fd, clock_boot_us() + seconds * USEC_PER_SEC, fn, data, err);
        if (r < 0)
                kill(pid, SIGKILL);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                ;
        if (r == -ETIMEDOUT)
                return err_set(err, r, "%s: no end after %u s", argv[0], seconds);
        if (r < 0)
                return *err->text ? r : err_set(err, r, "%s: %s", argv[0], strerror(-r));
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
                return err_set(err, -ENOEXEC, "%s: ended with status %d", argv[0], WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
        return 0;
}

/* --- what the loader says --------------------------------------------------------------------------------------------- */

/* "\tlibx.so.1 => /lib/libx.so.1 (0x...)", or "\t/lib64/ld.so (0x...)" and "\tlinux-vdso.so.1 (0x...)", which are no files to copy. */
static int on_library(void *data, char *line, struct errinfo *err)
{
        struct life_copy *c = data;
        char *arrow = strstr(line, " => "), *name = line + strspn(line, " \t"), *path, *end, to[512];

        if (!arrow)
                return 0;
        *arrow = '\0';
        path = arrow + 4;
        if (*path != '/')
                return err_set(err, -ENOENT, "%s is not found", name);
        end = strstr(path, " (");
        if (end)
                *end = '\0';
        name = strrchr(name, '/') ? strrchr(name, '/') + 1 : name;
        if (str_starts(name, "ld-linux")) /* the loader itself, as a library needs it */
                return 0;
        if (str_starts(name, "libc.so.") && !*c->libc_dir)
                snprintf(c->libc_dir, sizeof(c->libc_dir), "%.*s", (int)(strrchr(path, '/') - path), path);
        if (snprintf(to, sizeof(to), "lib/%s", name) >= (int)sizeof(to))
                return err_set(err, -ENAMETOOLONG, "%s: the name is too long", path);
        return life_copy_file(c, path, to, false, err);
}

int life_copy_program(struct life_copy *c, const char *program, const char *name, struct errinfo *err)
{
        char loader[256], to[512];
        char *argv[] = { loader, (char *)"--list", (char *)program, NULL };
        int r = life_interpreter(program, loader, sizeof(loader), err);

        if (r >= 0)
                r = life_copy_file(c, loader, "loader", true, err);
        snprintf(to, sizeof(to), "bin/%s", name);
        if (r >= 0)
                r = life_copy_file(c, program, to, true, err);
        if (r >= 0)
                r = life_run(argv, 20, on_library, c, err);
        return r;
}
