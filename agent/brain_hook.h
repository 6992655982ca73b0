/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_BRAIN_HOOK_H
#define VEILLE_BRAIN_HOOK_H

/* Inside of the hooks: causes (brain_hook.c), what is on record (brain_hook_record.c), a run under way (brain_hook_run.c), what people ask (brain_hook_control.c). */

#include "brain.h"
#include "hook_plan.h"

struct hook_run;

struct hook {
        struct hook_config config;
        bool gone; /* from the configuration, by a reload */
        struct hook_memory memory;
        json_t *asked;   /* what it would be run for when somebody confirms; NULL */
        char asked_key[256];
        json_t *running; /* on record before it begins: about, with "started"; NULL */
        json_t *last;    /* the last one that ended, or was advised */
        char waits[256]; /* why not now; "" */
        char told[256];  /* the last such sentence's cause that was told as an event */
        struct hook_run *run; /* NULL while running: it was begun by a brain that died */
};

struct brain_hook {
        enum hook_mode mode;
        struct hook *hooks;
        size_t n;
        enum health health; /* that was answered */
        bool health_known;
        sd_event_source *timer;
        bool changed;
};

/* Begins it: on record first. */
void hook_begin(struct brain *b, struct hook *h, json_t *about);
/* It ended, or could not begin. result: of veille-act, borrowed; NULL: why says what happened. */
void hook_end(struct brain *b, struct hook *h, const json_t *result, const char *outcome, const char *why);
struct hook *hook_find(struct brain *b, const char *name);
/* What a hook is told, without the members of a cause. Owned by the caller. */
json_t *hook_about(struct brain *b, const struct hook *h, const char *on);

/* --- brain_hook_record.c ------------------------------------------------------------------------------------------ */
/* Writes RUN/hooks.json and tells the store. */
void hook_write(struct brain *b);
/* Reads RUN/hooks.json back, of hooks that are configured. */
void hook_read(struct brain *b);

/* --- brain_hook_run.c --------------------------------------------------------------------------------------------- */
/* Asks veille-act (RUN/act.sock, else one of our own); hook_end() follows, never from within. Negative errno: it did not begin. */
int hook_run_start(struct brain *b, struct hook *h);
/* The answer is not waited for any more; the run goes on. */
void hook_run_free(struct hook_run *run);

#endif
