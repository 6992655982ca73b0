/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_RUN_CMD_H
#define VEILLE_RUN_CMD_H

/* Inside of env->run_cmd and foreign_run: one program, its time and its output. */

#include "foreign.h"

struct run_cmd_how {
        int deadline_s;
        size_t max_out;                /* bytes of standard output that are kept */
        const struct foreign *foreign; /* NULL: a program that we chose; more than max_out is read and forgotten */
};

/* 0, -ETIME at the deadline, other negative errno. */
int run_cmd(const char *path, const char *const argv[], const struct run_cmd_how *how, struct cmd_result *ret);

#endif
