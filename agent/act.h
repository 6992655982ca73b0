/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_ACT_H
#define VEILLE_ACT_H

/* Inside of veille-act: a request read (act_request.c), a program run (act_run.c). */

#include <jansson.h>

#include "errinfo.h"
#include "hook_plan.h"

#define ACT_REQUEST_MAX (64 * 1024)
#define ACT_OUTPUT_MAX (64 * 1024)
#define ACT_DEADLINE_MAX 3600
#define ACT_ENV_MAX 24

enum act_verb {
        ACT_LOOK, /* may it be run? */
        ACT_RUN,
};

struct act_request {
        enum act_verb verb;
        char hook[HOOK_NAME_LEN + 1];
        int deadline_s;
        json_t *about; /* what goes to its standard input */
};

/* -EINVAL and a sentence. act_request_done() frees what is in *ret, also after a failure. */
int act_request_read(const char *text, size_t len, struct act_request *ret, struct errinfo *err);
void act_request_done(struct act_request *q);

/* The environment of the hook: of the table in veille-hooks(7), nothing else. Each string is to be freed; NULL-terminated. */
size_t act_environment(const struct act_request *q, char *ret[ACT_ENV_MAX + 1]);

struct act_result {
        const char *outcome;  /* "exited", "killed" by a signal, "deadline", "failed": it could not be started */
        int status, signal;   /* exit status, or the signal that ended it */
        double seconds;
        uint64_t bytes;       /* it wrote in all */
        unsigned swept;       /* processes that it had left behind and that were ended */
        unsigned left;        /* of these, so many could not be ended: they hang in the kernel */
        char output[ACT_OUTPUT_MAX + 1];
        size_t kept;
};

/* Runs the program to its end, at most deadline_s and some seconds. Nothing of it is left running. The calling process must have no other
 * children. */
void act_run(const char *path, char *const env[], const char *input, int deadline_s, struct act_result *ret);

#endif
