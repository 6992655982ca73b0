/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_CTL_SNAPSHOT_H
#define VEILLE_CTL_SNAPSHOT_H

/* The brain's last word, RUN/status.json, as veillectl shows it: read, checked and aged here, so that an
 * old file is never taken for the present. */

#include <jansson.h>

#include "ctl.h"
#include "errinfo.h"
#include "level.h"
#include "status_doc.h"

struct ctl_snapshot {
        json_t *doc;      /* owned */
        double silent_s;  /* since it was written */
        bool silent;      /* too old: every level is unknown */
};

/* The document that veille-web would answer now, also when there is none to read; status_doc_done() it. */
void ctl_status_load(const struct common_options *options, struct status_doc *ret);

/* 0; negative errno with a sentence that says what to do. A silent brain is no error: levels are turned to unknown. */
int ctl_snapshot_load(const struct common_options *options, struct ctl_snapshot *ret, struct errinfo *err);
void ctl_snapshot_done(struct ctl_snapshot *snapshot);

/* Of a component or reason object; LEVEL_UNKNOWN for what is none. */
enum level ctl_level(const json_t *o);
const char *ctl_text(const json_t *o, const char *key); /* "" when it is no string */
double ctl_number(const json_t *o, const char *key);    /* NAN when it is no number */
const json_t *ctl_component(const struct ctl_snapshot *snapshot, const char *name); /* NULL */

/* The component of that name that was meant, if one is near; NULL. Lives as long as the snapshot. */
const char *ctl_component_meant(const struct ctl_snapshot *snapshot, const char *name);

/* All components, the worst first, of those what carries mail or the system; the caller frees *ret, but not what is in it. */
size_t ctl_worst_first(const struct ctl_snapshot *snapshot, json_t ***ret);
/* How many from the first on have one cause (level, kind, rule) and can share a line, for twelve alike hide the thirteenth; 1 when
 * they are too few for that, or nothing is known of the cause. list: as ctl_worst_first() orders it. */
size_t ctl_alike(json_t *const *list, size_t n);
/* Of all components of a document; at least unknown when the brain is silent. */
enum level ctl_worst(const json_t *doc, bool silent);

/* Sends one line to RUN/control.sock and waits at most 10 s. On success *ret is the answer (ok = true). */
int ctl_control(const struct common_options *options, json_t *request, json_t **ret, struct errinfo *err);

/* A table of the self-tests of this disk, NULL: of all; false when there are none (ctl_selftest.c). */
bool ctl_selftest_print(const struct ctl_snapshot *s, const char *component, const char *indent);

/* "3 min", "2 days". */
void ctl_duration(double seconds, char *buf, size_t size);

#endif
