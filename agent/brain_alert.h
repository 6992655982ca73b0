/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_BRAIN_ALERT_H
#define VEILLE_BRAIN_ALERT_H

/* Between brain_alert.c (who is told what, RUN/alerts.json), brain_alert_control.c (what people say to it) and brain_notify.c
 * (letters, sinks, veille-notify). */

#include "alert_config.h"
#include "brain.h"

struct brain_alert {
        struct alerts *alerts;
        struct alert_config config;
        sd_event_source *timer;
        int64_t started_us, written_us;
        bool from_run; /* RUN/alerts.json was there: this is no first start after a boot */
        bool changed; /* RUN/alerts.json is older than what it shows */
        char warning[512]; /* "": there is a way out that does not need this host's own mail */
};

/* Looks at everything in a moment; something in RUN/alerts.json changed. */
void brain_alert_wake(struct brain *b);
/* Writes RUN/alerts.json now: what a restart must find, and what people see. */
void brain_alert_write(struct brain *b);

/* --- brain_alert_status.c ----------------------------------------------------------------------------------------- */
/* After the configuration changed: whether a message would leave this host when its own mail is dead. */
void brain_alert_look_at_ways(struct brain *b);

/* --- brain_alert_control.c: answers for the control socket; the caller owns them ------------------------------ */
json_t *brain_alert_ack(struct brain *b, const json_t *request);
json_t *brain_alert_silence(struct brain *b, const json_t *request);
json_t *brain_alert_silence_end(struct brain *b, const json_t *request);
json_t *brain_alert_maintenance(struct brain *b, const json_t *request);
json_t *brain_alert_test(struct brain *b, const json_t *request);

/* --- brain_notify.c ---------------------------------------------------------------------------------------------- */
int brain_notify_start(struct brain *b);
void brain_notify_stop(struct brain *b);
void brain_notify_reload(struct brain *b); /* reads the secrets of the sinks, too */
/* Puts a message (a reference of its own is taken) into the queue of a sink. test: tried once, and the answer is kept. */
void brain_notify_put(struct brain *b, const char *sink, const char *id, const json_t *message, bool test);
/* Starts what is due, after it was written to RUN/alerts.json. */
void brain_notify_step(struct brain *b, int64_t now_us);
/* The alerts changed: Alertmanagers are told at once. */
void brain_notify_managers_soon(struct brain *b);
/* For RUN/alerts.json: sinks, queue, answers to tests. */
void brain_notify_json(struct brain *b, json_t *doc);
void brain_notify_each(struct brain *b, void (*fn)(void *data, const char *key, json_t *value), void *data);
/* stored: from the disk, which may not know yet of the last attempt. */
void brain_notify_load(struct brain *b, const char *key, const json_t *value, bool stored);
/* Calls fn for each sink that is in use. */
void brain_notify_sinks(struct brain *b, void (*fn)(void *data, const char *name, enum sink_type type), void *data);

/* All alerts that Alertmanagers are to know, and how long those that are over are told; from brain_alert.c. */
json_t *brain_alert_facts(struct brain *b, int64_t over_since_us);

#endif
