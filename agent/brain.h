/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_BRAIN_H
#define VEILLE_BRAIN_H

/* The parts of veilled. One thread on sd-event; nothing here may wait for a disk, a name server or
 * another process. Each part has a start and a stop; main calls them in order and in reverse. */

#include <systemd/sd-event.h>

#include "catalog.h"
#include "config.h"
#include "judge.h"
#include "options.h"

struct brain_counters {
        uint64_t runs, timeouts, bad_lines, refused_samples, spawns, connects, events, dropped_store_lines, dropped_log_lines,
                publishes, stalls;
        int64_t longest_stall_us;
};

struct brain {
        struct common_options options;
        const char *probe; /* the program to run */
        const char *life;  /* of the copy in memory of veille-notify (common_life.h) */
        sd_event *event;
        struct config *config;
        struct catalog catalog;
        struct judge *judge;
        struct kept *events; /* brain_events.h */
        bool state_loaded;   /* RUN/state.json was there: this is no first start after a boot */
        struct brain_counters counters;
        int64_t started_wall_us;
        char host[128];
        struct brain_sched *sched;
        struct brain_publish *publish;
        struct brain_store *store;
        struct brain_kmsg *kmsg;
        struct brain_uevent *uevent;
        struct brain_md *md;
        struct brain_selftest *selftest;
        struct brain_control *control;
        struct brain_reload *reload; /* under way, or NULL */
        struct brain_alert *alert;
        struct brain_notify *notify;
        struct brain_hook *hook;
        struct brain_peer *peer;
        struct brain_deadman *deadman;
};

int64_t brain_now_us(void);  /* CLOCK_BOOTTIME */
int64_t brain_wall_us(void); /* CLOCK_REALTIME */

struct judge *brain_new_judge(struct brain *b); /* of b->catalog; tells of changes through the log, the store and the files in RUN */

/* --- brain_reload.c: configuration and catalogue --------------------------------------------- */
/* At start: turns the loop until both are there. -EINVAL: the configuration is wrong; -ECANCELED: told to end. */
int brain_reload_first(struct brain *b, struct errinfo *err);
/* While running, however it was asked for: waits for nothing. On failure, now or later, everything stays as it was; systemd, the
 * journal, the readers of the levels and clients of the control socket are told. Negative errno: failed already, err says why. */
int brain_reload(struct brain *b, struct errinfo *err);
void brain_reload_stop(struct brain *b); /* one that is under way is given up */

/* --- brain_self.c: what veille has to say of itself ------------------------------------------- */
/* Something about veille itself: shown as component "veille", one row per what. Verdict OK takes it back. */
void brain_self(struct brain *b, const char *what, enum verdict verdict, const char *fmt, ...) PRINTF_LIKE(4, 5);

extern const struct check_desc brain_self_check;

/* A limit was hit: counted, and told as a warning about veille. who: "check fs", "veilled". */
void brain_limit(struct brain *b, enum limit limit, const char *who);
/* The same for those that the judge has hit since the last call. */
void brain_limits_of_judge(struct brain *b);

/* --- brain_log.c: to the journal by standard error, never waiting --------------------------- */
enum { BRAIN_ERROR = 3, BRAIN_WARNING = 4, BRAIN_NOTICE = 5, BRAIN_INFO = 6 };
void brain_log(struct brain *b, int priority, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* With fields for the journal: name, value, ..., NULL. MESSAGE_ID says what kind of news it is: see veilled(8). */
#define LOG_ID_LEVEL "eb093eb84e8f474491aa2a40268246ad"
#define LOG_ID_KERNEL "aa6b503b6c2b43ea918d2b2e3cf8a9ab"
void brain_log_fields(struct brain *b, int priority, const char *const fields[], const char *fmt, ...) PRINTF_LIKE(4, 5);

/* --- brain_journal.c: lines with fields, never waiting -------------------------------------- */
/* text: a datagram of the journal's native protocol. True: the journal has it, or gets it when it takes it. False: standard error
 * is not the journal's, or too much waits. */
bool brain_journal_send(struct brain *b, const char *text, size_t len);
void brain_journal_stop(struct brain *b);

/* --- brain_catalog.c ---------------------------------------------------------------------- */
struct catalog_request;
typedef void (*brain_catalog_fn)(struct brain *b, int r, struct catalog *catalog, struct errinfo *err);
/* Runs "veille-probe catalog" (at most 10 s) and applies [check NAME] and [rule NAME] of the config, which must live until done
 * is called, once, from the loop: with a catalogue that is then done's, or with r: negative errno, -EINVAL: these are wrong. */
int brain_catalog_ask(struct brain *b, const struct config *config, brain_catalog_fn done, struct catalog_request **ret, struct errinfo *err);
/* done is not called any more. */
void brain_catalog_forget(struct catalog_request *request);
void brain_catalog_stop(void); /* at the end: children that were forgotten are left to PID 1 */

/* --- brain_probe.c: one request to a probe ---------------------------------------------------- */
/* Prepares a run of the named instances (marks them in flight) or, with n = 0, a discovery; channels_send() sends it. done is
 * called once, when no more can come. Negative errno when nothing could be started. */
int probe_request_start(struct brain *b, const struct check_desc *check, struct judge_instance **instances, size_t n,
                        void (*done)(void *data, const struct check_desc *check, bool discovery), void *data);
/* Ends all without calling done. */
void probe_requests_abort(void);
/* The parts of this check may sleep, and are then left alone for [check NAME] wake_after. */
bool probe_can_sleep(const struct check_desc *check);
/* Requests under way that were begun less than so long ago, not counting those that only wait for a child that hangs: of plugins,
 * or of all others. */
size_t probe_requests_active(bool plugins, int64_t younger_us);

/* --- brain_sched.c: when to run what ---------------------------------------------------------- */
int brain_sched_start(struct brain *b);
void brain_sched_stop(struct brain *b);
/* What an event asks for: reading what is known again; finding what came and went, and reading all; finding, and reading
 * only what is new (for checks that cost the host something). */
enum brain_look { LOOK_AGAIN, LOOK_ALL, LOOK_NEW };
/* Something happened: the check (NULL: all) looks at once, or a little later when it has just looked. Never dropped. */
void brain_sched_hurry(struct brain *b, const char *check, enum brain_look look);
void brain_sched_soon(struct brain *b); /* something is due now */
/* The check's instances are known, or it is switched off. */
bool brain_sched_discovered(const struct brain *b, const char *check);
void brain_sched_reset(struct brain *b); /* after a new judge (reload): everything is due */

/* --- brain_publish.c: the files in RUN ---------------------------------------------------------- */
int brain_publish_start(struct brain *b);
void brain_publish_stop(struct brain *b);
void brain_publish_soon(struct brain *b); /* a level changed */
int brain_publish_catalog(struct brain *b);

/* --- brain_state.c: what a restart (RUN/state.json) and a reboot (the store) must not lose -------- */
void brain_state_save(struct brain *b);
void brain_state_load(struct brain *b);
/* Calls fn for every key worth keeping; value is borrowed. */
void brain_state_each(struct brain *b, void (*fn)(void *data, const char *key, json_t *value), void *data);

/* --- brain_store.c: the link to veille-store ------------------------------------------------------ */
int brain_store_start(struct brain *b);
void brain_store_stop(struct brain *b);
void brain_store_state(struct brain *b); /* sends what changed of the state now, not at the next turn */
bool brain_store_loaded(const struct brain *b); /* state has come, or will not come soon */
/* Something happened that is no change of level: it is kept until it is on disk. id: NULL, or a name that whoever tells it again gives it
 * again; wall_us: when it happened, CLOCK_REALTIME; level: that it speaks of, or ok. */
void brain_store_event(struct brain *b, const char *id, int64_t wall_us, const char *component, const char *kind, enum level level,
                       const char *rule, const char *why);
/* The same of a change of level. */
void brain_store_level(struct brain *b, const struct judge_component *c, enum level from);
/* Tells the store what of the memory has changed. Returns a number for brain_store_confirmed(); 0: the store cannot be told now. Each
 * time something comes back brain_control_stored() is called. */
int64_t brain_store_sync(struct brain *b);
bool brain_store_confirmed(const struct brain *b, int64_t seq);
const char *brain_store_trouble(const struct brain *b); /* why nothing is stored, as far as it is known; "" */

/* --- brain_kmsg.c: what the kernel tells unasked ---------------------------------------------  */
int brain_kmsg_start(struct brain *b);
void brain_kmsg_stop(struct brain *b);
/* Tells a new judge that there is a kernel log, so that what was counted before stands. */
void brain_kmsg_reload(struct brain *b);
int brain_uevent_start(struct brain *b);
void brain_uevent_stop(struct brain *b);
int brain_md_start(struct brain *b);
void brain_md_stop(struct brain *b);
void brain_md_find(struct brain *b); /* arrays may have come or gone */

/* --- brain_selftest.c: disks test themselves on a calendar -------------------------------------------- */
int brain_selftest_start(struct brain *b);
void brain_selftest_stop(struct brain *b);
void brain_selftest_look(struct brain *b);  /* disks were read: see what ended, start what is due */
void brain_selftest_reset(struct brain *b); /* after a new judge (reload): runs are counted anew */
json_t *brain_selftest_json(struct brain *b); /* for status.json */
json_t *brain_alert_status(const struct brain *b); /* of telling people, for status.json */
/* An administrator wants this test; ret says what becomes of it. Negative errno with a sentence. */
int brain_selftest_ask(struct brain *b, const char *component, const char *kind, char *ret, size_t size, struct errinfo *err);
void brain_selftest_each(struct brain *b, void (*fn)(void *data, const char *key, json_t *value), void *data);
void brain_selftest_load(struct brain *b, const char *key, const json_t *value);

/* --- brain_alert.c: who is told what; brain_notify.c: by which ways (brain_alert.h) ---------------------- */
int brain_alert_start(struct brain *b);
void brain_alert_stop(struct brain *b);
void brain_alert_soon(struct brain *b);   /* a level changed */
void brain_alert_reload(struct brain *b); /* the configuration changed */
/* What a reboot must not lose, for the store; and back. */
void brain_alert_each(struct brain *b, void (*fn)(void *data, const char *key, json_t *value), void *data);
void brain_alert_load(struct brain *b, const char *key, const json_t *value);

/* All parts were looked for and read since the start, or it has taken too long to wait for the rest. */
bool brain_alert_all_known(struct brain *b);

/* --- brain_hook.c: programs that are run, or named, when something happens (brain_hook.h) ------------------- */
int brain_hook_start(struct brain *b);
void brain_hook_stop(struct brain *b);
void brain_hook_soon(struct brain *b);   /* a level changed */
void brain_hook_reload(struct brain *b); /* the configuration changed */
/* What a reboot must not lose, for the store; and back. */
void brain_hook_each(struct brain *b, void (*fn)(void *data, const char *key, json_t *value), void *data);
void brain_hook_load(struct brain *b, const char *key, const json_t *value);
/* Answers for the control socket (brain_hook_control.c); the caller owns them. */
json_t *brain_hook_run(struct brain *b, const json_t *request);
json_t *brain_hook_confirm(struct brain *b, const json_t *request);
/* --- brain_peer.c: other hosts with veille; brain_deadman.c: a URL elsewhere that hears that we live ------------------ */
int brain_peer_start(struct brain *b);
void brain_peer_stop(struct brain *b);
json_t *brain_peer_json(struct brain *b); /* for status.json */
extern const struct check_desc brain_peer_check;
int brain_deadman_start(struct brain *b);
void brain_deadman_stop(struct brain *b);

/* --- brain_control.c: RUN/control.sock ---------------------------------------------------------------- */
int brain_control_start(struct brain *b);
void brain_control_stop(struct brain *b);
/* The reload that clients wait for has ended. */
void brain_control_reloaded(struct brain *b, int r, const struct errinfo *err);
/* The store confirmed something, complained, or is gone: who waits for it may be answered. */
void brain_control_stored(struct brain *b);
/* The answer of what was not done: {"ok":false,"error":TEXT}; the caller owns it. */
json_t *control_failure(const char *fmt, ...) PRINTF_LIKE(1, 2);

#endif
