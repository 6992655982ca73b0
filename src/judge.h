/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_JUDGE_H
#define VEILLE_JUDGE_H

/* Everything the brain knows and thinks: instances, series, rules, components, levels. Pure: it is
 * told what was measured and what time it is, and answers by callbacks and lookups. No clock, no I/O; so a
 * year of samples runs in a unit test. Times are microseconds of CLOCK_BOOTTIME; wall time comes in only
 * to carry state over a reboot. Out of memory aborts: state is on disk, systemd restarts the brain. */

#include <jansson.h>

#include "catalog.h"
#include "health.h"
#include "level.h"
#include "limit.h"
#include "powered_clock.h"
#include "scorecard.h"

/* How a run of a check ended; the words of the probe protocol. */
enum verdict {
        VERDICT_PENDING, /* not yet run */
        VERDICT_OK,
        VERDICT_NODATA,
        VERDICT_DENIED,
        VERDICT_FAILED,
        VERDICT_TIMEOUT,
        VERDICT_MAX,
};
const char *verdict_name(enum verdict verdict);
int verdict_from_name(const char *name); /* -EINVAL; "pending" is not a result */

struct judge_component {
        char *name, *kind, *id;
        enum level level;
        int64_t since_us;       /* of level */
        const struct rule *rule; /* of the worst reason; NULL at ok or for silence */
        char rule_name[96];
        char check_name[64];     /* whose word it is; "" at ok */
        char why[512];
        enum health_part part;  /* how it entered host health */
        struct judge_component *next;
        enum level told;        /* the level of the last change that was told */
        size_t n_reasons;       /* for its level, and since when the newest of them holds */
        int64_t newest_us;
        bool settled; /* has had a first judgement: changes before that are no events */
        bool held;    /* level from before a restart, until the check it is from has said something */
        int64_t held_us; /* when it was loaded */
        bool carried, was_protected; /* a role, redundancy: by the last topology that knew it */
        bool dirty;
};

struct judge_series {
        const struct metric_desc *metric;
        const char *labels; /* packed "name\0value\0...\0" (ends with an empty name) */
        unsigned labels_len;
        struct judge_component *component;
        double value;
        int64_t time_us;
        unsigned run;   /* the run of its instance that set it last */
        unsigned n_rules;
        struct judge_rule *rules;
};

struct judge_rule {
        const struct rule *rule;
        struct rule_state state;
};

struct judge_instance {
        const struct check_desc *check;
        char *name, *id, *kind;
        struct judge_component *component;
        enum verdict verdict;
        char why[512];
        char *said;     /* what the last run that was ok said in words; NULL: nothing */
        bool present;   /* in the last discovery */
        bool stuck;     /* a child of it hangs and cannot be killed */
        bool standby;   /* asleep: keeps its last verdict */
        bool was_ok;    /* has ever given data */
        bool missed;    /* was there before the last start and never since */
        bool pushed;    /* its counters come by judge_count(), no run ever ends: it does not age */
        unsigned run;   /* number of the current run */
        unsigned failures; /* in a row */
        int64_t seen_us;     /* first discovered */
        unsigned came, was;  /* numbers of discoveries: since which it is there without a break, in which it was last */
        int64_t end_us;      /* last end line */
        int64_t ok_us;       /* last end line that was ok */
        int64_t read_us;     /* last one that had asked the part itself: a sleeping disk keeps this until it is woken */
        int64_t bad_us;      /* since when the verdict has not been ok; 0 */
        int64_t gone_us;     /* since when it is not present */
        /* Kept here for the brain's scheduler, not used by the judge. */
        int64_t next_us;
        bool in_flight;
        int selftest_wanted; /* its next run is to start this self-test: 1 + enum selftest_kind; 0: none */
        const void *request; /* the one it is in flight with */
        struct judge_series *series;
        size_t n_series, size_series, hint;
        struct scorecard_state scorecard; /* of disks */
        struct powered_clock powered;     /* its time */
        struct judge_instance *next;
};

/* One reason for a component's level. */
struct judge_reason {
        const struct judge_instance *instance;
        const struct judge_series *series; /* NULL for silence */
        const struct rule *rule;           /* NULL for silence */
        const char *rule_name;
        enum level level;
        enum evidence evidence;
        bool hard;
        int64_t since_us;
        char text[512];
};

struct judge_callbacks {
        /* A component's level changed; also called for the first level that is not ok. */
        void (*changed)(void *data, const struct judge_component *c, enum level from);
        /* Its level stays, but what is said of it is more, or less: a sick disk got a second illness. also: the newest, NULL if
         * some only went away. */
        void (*reasons)(void *data, const struct judge_component *c, const struct judge_reason *also);
        /* Something to remember that is not a level: an instance appeared, vanished, a counter was reset. */
        void (*event)(void *data, const char *component, const char *text);
        void *data;
};

struct judge;

/* catalog must outlive it. */
struct judge *judge_new(const struct catalog *catalog, const struct judge_callbacks *callbacks);
struct judge *judge_free(struct judge *judge);

const struct check_desc *judge_check(const struct judge *judge, const char *name);

/* A discovery: begin, one add per instance, end (which marks those not named as gone). */
void judge_discovery_begin(struct judge *judge, const struct check_desc *check);
struct judge_instance *judge_discovery_add(struct judge *judge, const struct check_desc *check, const char *instance,
                                           const char *component, const char *id, const char *kind, int64_t now_us);
void judge_discovery_end(struct judge *judge, const struct check_desc *check, int64_t now_us);
/* In place of an add: it is there, but nobody wants to know. */
void judge_discovery_skip(struct judge *judge, const struct check_desc *check, const char *instance, const char *id);

struct judge_instance *judge_find(struct judge *judge, const struct check_desc *check, const char *instance);

/* One run: begin, samples, end (which judges). why: one sentence; with VERDICT_OK what the part itself said, often "". Unknown metrics and more than 4096 series an instance are
 * refused: false. labels: name, value, ..., NULL. */
void judge_run_begin(struct judge *judge, struct judge_instance *instance);
bool judge_sample(struct judge *judge, struct judge_instance *instance, const char *metric, double value,
                  const char *const *labels, int64_t now_us);
void judge_run_end(struct judge *judge, struct judge_instance *instance, enum verdict verdict, const char *why, int64_t now_us);
/* When the first of its rules changes its level if the values stay as they are (rule_due_us()); INT64_MAX: none. */
int64_t judge_due_us(const struct judge_instance *instance);
void judge_stuck(struct judge *judge, struct judge_instance *instance, bool stuck, int64_t now_us);

/* An instance whose counters are pushed by events instead of being polled; made when it is not there yet. */
struct judge_instance *judge_pushed(struct judge *judge, const struct check_desc *check, const char *name,
                                    const char *component, const char *kind, int64_t now_us);
/* Something happened once, at when_us: a counter of a pushed instance grows by 1. In order of time; judge_counted() after
 * the last one that is known judges what they mean now. */
void judge_count(struct judge *judge, struct judge_instance *instance, const char *metric, const char *const *labels, int64_t when_us);
void judge_counted(struct judge *judge, struct judge_instance *instance, int64_t now_us);

/* Time passes: ages, windows, calm. Call about once a second; cheap. */
void judge_tick(struct judge *judge, int64_t now_us);

/* Accepts what is there now as baseline (rule NULL: all rules of the component; also forgets instances that
 * are gone). until_us: the acceptance ends then (what is gone cannot be accepted for a while); 0: it does not. Returns how many
 * rules or instances were accepted; -ENOENT: no such component. */
int judge_accept(struct judge *judge, const char *component, const char *rule, int64_t until_us, int64_t now_us);

/* What of a component has been accepted and still is. */
#define ACCEPT_MAX_S (10LL * 365 * 86400) /* nobody needs to accept for longer than that "for a while" */
struct judge_acceptance {
        const struct judge_instance *instance;
        const struct judge_series *series;
        const struct rule *rule;
        double value;       /* that was accepted: the baseline; where the rule has none, the value of now */
        int64_t since_us;
        int64_t until_us;   /* 0: for good */
};
void judge_accepted(const struct judge *judge, const struct judge_component *c,
                    void (*fn)(void *data, const struct judge_acceptance *a), void *data);

/* The part that was this instance is read under another name now: what is saved of that one is newer. */
bool judge_superseded(const struct judge *judge, const struct judge_instance *instance);

/* Iteration. */
const struct judge_component *judge_components(const struct judge *judge); /* linked by next */
const struct judge_instance *judge_instances(const struct judge *judge);   /* linked by next */
/* Calls fn for every reason of the component that is not ok, worst first. */
void judge_reasons(const struct judge *judge, const struct judge_component *c, int64_t now_us,
                   void (*fn)(void *data, const struct judge_reason *reason), void *data);
/* Whether a component is shown (has data, or is missed). */
bool judge_shown(const struct judge *judge, const struct judge_component *c);
/* Seconds a component's oldest verdict is old; -1: never read. */
int64_t judge_age_s(const struct judge *judge, const struct judge_component *c, int64_t now_us);
/* Limit of age of an instance's data. */
int judge_max_age_s(const struct judge_instance *instance);

/* The limits of the judge that were hit since the last call. */
limit_set judge_take_limits(struct judge *judge);

/* What would clear a silence rule ("no-answer", "stale", ...). */
const char *judge_silence_clears(const char *rule_name);

/* What stands on it: bits of enum topology_role, and their names; whether redundancy carries its loss. */
unsigned judge_roles(const struct judge *judge, const struct judge_component *c);
const char *judge_role_name(unsigned bit);
/* The names of the components that it stands on, nearest first; at most max; returns how many. Valid until the next sample. */
size_t judge_stands_on(const struct judge *judge, const char *component, const char **ret, size_t max);
bool judge_protected(const struct judge *judge, const struct judge_component *c);

struct health_result judge_health(const struct judge *judge);

/* State that survives a restart or reboot, one JSON object per instance under a key that moves with the part
 * ("state/CHECK/ID or NAME"). save: NULL when nothing is worth keeping. load: bad input is ignored. */
json_t *judge_save(const struct judge_instance *instance, int64_t now_us, int64_t wall_us);
void judge_save_key(const struct judge_instance *instance, char *buf, size_t size);
void judge_load(struct judge *judge, const char *key, const json_t *value, int64_t now_us, int64_t wall_us);

/* Disks that are there, or missed: each object under a key "present/CHECK/ID", to be deleted where it is no longer saved. What is
 * loaded of them is missed when a minute and a discovery later it was not found. */
void judge_save_present(const struct judge *judge, int64_t now_us, int64_t wall_us, void (*fn)(void *data, const char *key, json_t *value),
                        void *data);

/* After a reload: what the old one remembers of parts that are not there now, and the new one was not told of. */
void judge_inherit(struct judge *to, const struct judge *from);

/* The level of a component, kept so that a restart is no change of level; NULL: ok, nothing to keep. Key component/NAME. */
json_t *judge_save_component(const struct judge_component *c, int64_t now_us, int64_t wall_us);

/* Labels, packed: the next pair, or NULL at the end. */
const char *judge_label_next(const char *labels, const char **ret_name, const char **ret_value);

#endif
