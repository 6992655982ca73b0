/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Programs of the administrator (Nagios plugins and others) are trusted as far as root's own files are, and no further: they get
 * no right, no terminal, little time, and nothing of them stays behind. */

#include "foreign.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "run_cmd.h"

#define USER "veille"
#define NOBODY "nobody" /* where veille is not installed */
#define END_ROUNDS 50   /* of 10 ms, for processes that fork as fast as they are killed */

int foreign_prepare(struct foreign *ret, struct errinfo *err)
{
        const struct passwd *pw;

        *ret = (struct foreign){ .change = geteuid() == 0 };
        prctl(PR_SET_CHILD_SUBREAPER, 1);
        if (!ret->change)
                return 0;
        pw = getpwnam(USER);
        if (!pw)
                pw = getpwnam(NOBODY);
        if (!pw || pw->pw_uid == 0)
                return err_set(err, -EACCES, "plugins do not run as root, and there is no user %s", USER);
        snprintf(ret->name, sizeof(ret->name), "%s", pw->pw_name);
        ret->uid = pw->pw_uid;
        ret->gid = pw->pw_gid;
        return 0;
}

/* When memory is short, these go first: the brain may share a cgroup with them. */
static void volunteer_for_oom(void)
{
        int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

        if (fd < 0)
                return;
        if (write(fd, "500", 3) < 0) {
                /* it was higher already */
        }
        close(fd);
}

bool foreign_become(const struct foreign *f)
{
        const struct rlimit no_core = { 0, 0 };

        setpgid(0, 0);
        setrlimit(RLIMIT_CORE, &no_core);
        volunteer_for_oom();
        if (chdir("/") < 0)
                return false;
        if (f->change && (initgroups(f->name, f->gid) < 0 || setresgid(f->gid, f->gid, f->gid) < 0 || setresuid(f->uid, f->uid, f->uid) < 0))
                return false;
        /* After the change of user, which takes it back. */
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

/* What it left running is our child now; -1 when there is none. */
static pid_t next_child(void)
{
        char buf[4096];
        int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
        ssize_t n;

        if (fd < 0)
                return -1;
        n = read(fd, buf, sizeof(buf) - 1);
        close(fd);
        if (n <= 0)
                return -1;
        buf[n] = '\0';
        for (char *save = NULL, *w = strtok_r(buf, " ", &save); w; w = strtok_r(NULL, " ", &save))
                kill((pid_t)atoi(w), SIGKILL);
        return atoi(buf);
}

void foreign_end(pid_t group)
{
        kill(-group, SIGKILL);
        for (int i = 0; i < END_ROUNDS; i++) {
                while (waitpid(-1, NULL, WNOHANG) > 0)
                        ;
                if (next_child() <= 0)
                        return;
                usleep(10000);
        }
}

static int check_one(const char *path, bool last, struct errinfo *err)
{
        struct stat st;

        if (lstat(path, &st) < 0)
                return err_set(err, neg_errno(), "%s: %s", path, strerror(errno));
        if (last && !S_ISREG(st.st_mode))
                return err_set(err, -EACCES, "%s is refused: it is no regular file", path);
        if (st.st_uid != 0)
                return err_set(err, -EACCES, "%s is refused: it belongs to user %u, not to root", path, (unsigned)st.st_uid);
        if ((st.st_mode & S_IWOTH) && (last || !(st.st_mode & S_ISVTX)))
                return err_set(err, -EACCES, "%s is refused: everybody may write it; chmod o-w %s", path, path);
        if ((st.st_mode & S_IWGRP) && st.st_gid != 0 && (last || !(st.st_mode & S_ISVTX)))
                return err_set(err, -EACCES, "%s is refused: group %u may write it; chmod g-w %s", path, (unsigned)st.st_gid, path);
        if (last && !(st.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)))
                return err_set(err, -EACCES, "%s is refused: it is no program; chmod +x %s", path, path);
        return 0;
}

int foreign_check_file(const char *root, const char *path, struct errinfo *err)
{
        _cleanup_free_ char *real = NULL;
        char full[4096];
        int r;

        snprintf(full, sizeof(full), "%s%s", streq(root, "/") ? "" : root, path);
        real = realpath(full, NULL);
        if (!real)
                return err_set(err, neg_errno(), "%s: %s", full, strerror(errno));
        for (char *slash = real; (slash = strchr(slash + 1, '/'));) {
                *slash = '\0';
                r = check_one(real, false, err);
                *slash = '/';
                if (r < 0)
                        return r;
        }
        return check_one(real, true, err);
}

int foreign_run(struct env *env, const char *const argv[], int deadline_s, size_t max_out, struct cmd_result *ret)
{
        struct foreign foreign;
        char path[4096];
        int r = foreign_check_file(env->root, argv[0], &env->why);

        if (r >= 0)
                r = foreign_prepare(&foreign, &env->why);
        if (r < 0)
                return r;
        snprintf(path, sizeof(path), "%s%s", streq(env->root, "/") ? "" : env->root, argv[0]);
        r = run_cmd(path, argv, &(struct run_cmd_how){ .deadline_s = deadline_s, .max_out = max_out, .foreign = &foreign }, ret);
        if (r < 0 && r != -ETIME)
                return err_set(&env->why, r, "%s: %s", argv[0], strerror(-r));
        return r;
}
