/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_STATUS_DOC_H
#define VEILLE_STATUS_DOC_H

/* A status document (RUN/status.json, docs/protocols.md) as its readers must take it: checked from end to end
 * and aged to now. When its writer has been silent for too long, nothing in it is known to be true any
 * more: every level is unknown. Shared by veille-web and veillectl. Pure: text and times come in. */

#include <jansson.h>

#include "errinfo.h"
#include "level.h"

#define STATUS_SILENT_AFTER_S 30 /* where the document does not say */
#define STATUS_DOC_MAX_BYTES (16 * 1024 * 1024)

struct status_doc {
        json_t *doc;      /* owned; levels and ages are those of now */
        bool silent;      /* every level was turned to unknown */
        double silent_s;  /* since it was written; NAN when there is none */
        double time_boot; /* when it was written, CLOCK_BOOTTIME; NAN when there is none */
        char why[512];    /* silent: one sentence that says why; else "" */
};

/* Reads text, ages it to now_boot (seconds of CLOCK_BOOTTIME). silent_after_s: NAN: what the document itself says, or
 * STATUS_SILENT_AFTER_S. -EINVAL with a sentence for what is no status
 * document: cut, of another version, wrong types, absurd numbers. A silent brain is no error. No
 * string in it has control characters, whatever the devices said. */
int status_doc_parse(const char *text, size_t len, double now_boot, double silent_after_s, struct status_doc *ret,
                     struct errinfo *err);

/* The document to show when there is none to read: component "veille" is unknown, why says the reason. */
void status_doc_absent(const char *host, const char *why, double now_wall, struct status_doc *ret);

/* The document as veille-web and veillectl print it, one line a member, with a newline at the end; the caller frees. */
char *status_doc_text(const struct status_doc *s);

void status_doc_done(struct status_doc *s);

/* Of a component or reason object; LEVEL_UNKNOWN for what is none. */
enum level status_level(const json_t *o);
const char *status_text(const json_t *o, const char *key); /* "" when it is no string */
double status_number(const json_t *o, const char *key);    /* NAN when it is no number */

/* How the newest test that is over ended, of an element of "selftests": "passed", "failed", "early" (broken off), and when; ""
 * and NAN: none is known. */
const char *status_selftest_last(const json_t *o, double *ret_when);

/* "3 min", "2 days"; "-" for what is no age. */
void status_duration(double seconds, char *buf, size_t size);

#endif
