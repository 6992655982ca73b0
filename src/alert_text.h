/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_ALERT_TEXT_H
#define VEILLE_ALERT_TEXT_H

/* What a message says, for people: a subject with host, component and what to do; a body with what happened, since when, the
 * evidence with its age, what it means for mail, what to do, what would end it and where to look further. Pure; all texts
 * are compiled in. Times are UTC: the files of the time zone lie on a disk. */

#include "alert.h"
#include "alert_advice.h"
#include "textbuf.h"

/* a: whose message it is, for its clocks. Both are UTF-8 without control characters (the body: but line feeds). */
void alert_text_subject(const struct alerts *a, const struct alert_message *m, enum alert_language language, struct textbuf *out);
void alert_text_body(const struct alerts *a, const struct alert_message *m, enum alert_language language, struct textbuf *out);

/* A message that only asks whether it arrives; contact "": of nobody in particular. */
void alert_text_test(const char *host, const char *contact, const char *id, int64_t wall_us, enum alert_language language, struct textbuf *subject,
                     struct textbuf *body);

/* The message as veille-notify and programs behind it get it (docs/protocols.md): subject, body, and the facts of at most 200 alerts.
 * Owned by the caller. */
json_t *alert_message_json(const struct alerts *a, const struct alert_message *m, enum alert_language language);
/* One alert as it is, without what a message adds: for Alertmanager and veillectl alerts. */
json_t *alert_fact_json(const struct alerts *a, const struct alert *x);

/* Of all messages about this alert, from its first word to its end, over restarts and reboots: 32 hexadecimal digits. */
void alert_thread_id(const struct alert *x, char ret[33]);

/* What to do about it, as in a subject. */
const char *alert_text_to_do(const struct alert *x, enum alert_language language);
/* The item that the subject is about: of what is not over the worst, the cause before its consequences. */
const struct alert_item *alert_text_headline(const struct alert_message *m);

/* Every text of the frame, to look for missing ones: NULL after the last; "" is a hole. */
const char *alert_text_at(size_t i, enum alert_language language);

/* "2026-11-24 13:02:11 UTC" */
void alert_time_text(int64_t wall_us, char *buf, size_t size);
/* "3 min", "2 days" */
void alert_duration_text(int64_t us, enum alert_language language, char *buf, size_t size);

#endif
