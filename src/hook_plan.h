/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_HOOK_PLAN_H
#define VEILLE_HOOK_PLAN_H

/* [hooks] and [hook NAME]: which programs are run when, and whether now. Pure: no clock, no I/O. Times are seconds of
 * CLOCK_REALTIME, for they are kept over a reboot; one that lies ahead of now counts as now, so that a clock which jumped
 * back holds nothing up for ever. */

#include <jansson.h>

#include "config.h"

#define HOOKS_MAX 32
#define HOOK_NAME_LEN 64
#define HOOK_ON_MAX 16
#define HOOK_DAY_MAX 32
#define HOOK_SEEN_MAX 256 /* causes of one hook that stand at the same time */

enum hook_mode { HOOK_ADVISE, HOOK_CONFIRM, HOOK_AUTO, HOOK_MODE_MAX };
enum hook_class { HOOK_NOTIFY, HOOK_REPAIR, HOOK_MOVE, HOOK_CLASS_MAX };
const char *hook_mode_name(enum hook_mode mode);
const char *hook_class_name(enum hook_class class);

/* Small letters, digits and dashes, a letter or digit first, at most 64: the name of a file, never a path. */
bool hook_name_ok(const char *name);

struct hook_config {
        char name[HOOK_NAME_LEN + 1];
        enum hook_class class;
        char on[HOOK_ON_MAX][HOOK_NAME_LEN + 16]; /* "health:red", "rule:NAME", "event:NAME" */
        size_t n_on;
        int64_t cool_down_s, deadline_s;
        int per_day;
};

struct hooks_config {
        enum hook_mode mode;
        struct hook_config hooks[HOOKS_MAX];
        size_t n;
};

/* Whether a [role] is configured: its moves are decided elsewhere then. */
bool hooks_role_configured(const struct config *c);
/* -EINVAL and a sentence for the first mistake. A section with neither class nor on is off. role: hooks of class move on a red host are refused. ret may be NULL. */
int hooks_config_read(const struct config *c, bool role, struct hooks_config *ret, struct errinfo *err);

/* Whether this ("rule:mail-unit-failed") is one of its causes. */
bool hook_wants(const struct hook_config *h, const char *cause);

/* What is remembered of a hook. Zero-initialise; hook_memory_done() frees. */
struct hook_memory {
        json_t *seen;  /* causes that stand and were answered: key -> time */
        json_t *acted; /* component -> when it was run for it last */
        int64_t runs_s[HOOK_DAY_MAX];
        size_t n_runs; /* within a day, oldest first */
        bool busy;     /* it runs, or somebody is asked */
};
void hook_memory_done(struct hook_memory *m);

enum hook_verdict {
        HOOK_NOTHING, /* this cause was answered already */
        HOOK_WAIT,    /* not now; it is asked again while the cause stands. why says for what */
        HOOK_SAY,     /* say what would be run */
        HOOK_ASK,     /* run it when somebody confirms */
        HOOK_RUN,
};

/* What is to be done about a cause (key: it and its component, the same while it stands). why: a sentence for HOOK_WAIT. */
enum hook_verdict hook_plan(const struct hook_config *h, enum hook_mode mode, const struct hook_memory *m, const char *key,
                            const char *component, int64_t now_s, char *why, size_t size);
/* This cause was answered, once and for all until it is over. */
void hook_answered(struct hook_memory *m, const char *key, int64_t now_s);
/* It is run now. */
void hook_ran(const struct hook_config *h, struct hook_memory *m, const char *component, int64_t now_s);
/* Forgets the causes for which stands() is false. True: some were forgotten. */
bool hook_forget(struct hook_memory *m, bool (*stands)(void *data, const char *key), void *data);

/* For a restart; what is read back is bounded and checked. Owned by the caller. */
json_t *hook_memory_save(const struct hook_memory *m);
void hook_memory_load(struct hook_memory *m, const json_t *value, int64_t now_s);

#endif
