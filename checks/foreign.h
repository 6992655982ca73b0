/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_FOREIGN_H
#define VEILLE_FOREIGN_H

/* Programs that are not ours: run without any right, and ended with everything they started. */

#include <sys/types.h>

#include "check.h"

/* Whom to run it as. */
struct foreign {
        bool change; /* we are root: become the user below */
        char name[64];
        uid_t uid;
        gid_t gid;
};

/* Before fork(): whom to become, and that the orphans of what we start come to us. 0 or negative errno with a sentence. */
int foreign_prepare(struct foreign *ret, struct errinfo *err);
/* In the child: gives up every right. false: it must not go on. */
bool foreign_become(const struct foreign *f);
/* Kills the process group and every process that has become our child since; reaps what can be reaped. */
void foreign_end(pid_t group);

/* Whether a program may be run: it and every directory on the way belong to root, and nobody else may write them (a sticky
 * directory protects what root has in it). path: below root, "/" for this host. 0, or negative errno with a sentence. */
int foreign_check_file(const char *root, const char *path, struct errinfo *err);

/* Runs argv[0], a program that passed foreign_check_file, without any right; it is ended at the deadline and when it prints more
 * than max_out bytes (ret->truncated). 0; -ETIME; other negative errno with env->why. */
int foreign_run(struct env *env, const char *const argv[], int deadline_s, size_t max_out, struct cmd_result *ret);

#endif
