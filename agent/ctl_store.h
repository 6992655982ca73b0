/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_CTL_STORE_H
#define VEILLE_CTL_STORE_H

/* Asking veille-store over RUN/store.sock (docs/protocols.md). It may hang with its disk: every wait here has an end,
 * and what went wrong is said in a sentence. The database itself is never opened by anybody else. */

#include "common_jsonl.h"
#include "ctl.h"
#include "errinfo.h"

struct ctl_store {
        struct jsonl j;
        char path[108];
};

/* Negative errno with a sentence that says what to do. Afterwards ctl_store_close(). */
int ctl_store_open(const struct common_options *options, struct ctl_store *s, struct errinfo *err);
void ctl_store_close(struct ctl_store *s);

/* Sends one line (and takes the reference) and hands every line of the answer to fn, until its end. */
int ctl_store_ask(struct ctl_store *s, json_t *request, void (*fn)(void *data, json_t *line), void *data, struct errinfo *err);

/* Why the store cannot read or write its database now, in a sentence into buf; "" when all is well. */
int ctl_store_trouble(struct ctl_store *s, char *buf, size_t size, struct errinfo *err);

/* Opens and tells on standard error when what follows is not all there is. */
int ctl_store_begin(const struct common_options *options, struct ctl_store *s, struct errinfo *err);

/* ctl_events.c: the newest max events in order of time; component NULL: of all. */
int ctl_events_fetch(struct ctl_store *store, const char *component, double from, double to, int max, json_t **ret, struct errinfo *err);

#endif
