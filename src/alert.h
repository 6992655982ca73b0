/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_ALERT_H
#define VEILLE_ALERT_H

/* The life of alerts: who is to be told what, and when. Pure: levels, commands of people and the time come in, messages
 * come out; so an hour of storm runs in a unit test. Times are microseconds of CLOCK_BOOTTIME; wall time comes in only to
 * carry them over a reboot and to name them. Out of memory aborts, as in the judge.
 *
 * What decides is not a queue of events but the difference between what is and what each contact was last told. So nothing
 * can be lost by being overtaken, and what came and went too fast to be told stays noted (peak) until it was told.
 *
 * An alert is known by host, component and rule; a value is never part of that. Alerts with one cause (a disk and the array
 * that stands on it; two rules of one disk) share a message. */

#include <jansson.h>

#include "level.h"
#include "macros.h"

#define ALERTS_MAX 4096           /* beyond: those that are over go first, then the mildest; criticals last */
#define ALERT_CONTACTS_MAX 16
#define ALERT_SILENCES_MAX 100
#define ALERT_MESSAGES_AN_HOUR 10 /* to one contact, in any 60 minutes; what there is more to say is said together */
#define ALERT_MILD_AN_HOUR 6      /* of them without a new critical: the rest is kept for one that comes later */
#define ALERT_SINGLES_AN_HOUR 4   /* so many messages about one cause each; then digests */
#define ALERT_NAME_MAX 118        /* bytes of host, component, rule, contact: longer ones are cut */
#define ALERT_TEXT_MAX 511

/* How long what is new waits for company, and what is over for a relapse. A critical waits for nothing. */
#define ALERT_WAIT_US (10 * USEC_PER_SEC)          /* new or worse, but not critical */
#define ALERT_MORE_US (300 * USEC_PER_SEC)         /* more of a cause that was told at this level or worse */
#define ALERT_MORE_CRITICAL_US (60 * USEC_PER_SEC) /* the same when it is critical itself */
#define ALERT_BETTER_US (300 * USEC_PER_SEC)
#define ALERT_RESOLVED_US (30 * USEC_PER_SEC)
#define ALERT_KEEP_US (24 * 3600 * USEC_PER_SEC)   /* what is over is shown for so long */

struct alert_contact {
        char name[ALERT_NAME_MAX + 1];
        enum level level;     /* the least that is told */
        int step;             /* 0: told at once; n: when nobody acknowledged in n times escalate_us */
        char components[512]; /* glob patterns separated by spaces; "": all */
};

struct alert_policy {
        struct alert_contact contacts[ALERT_CONTACTS_MAX];
        size_t n_contacts;
        int64_t escalate_us; /* 0: never */
        /* The names of the components that this one stands on, nearest first; at most max; returns how many. May be NULL. */
        size_t (*stands_on)(void *data, const char *component, const char **ret, size_t max);
        void *data;
};

/* One reason for a level, as the judge has it. Strings may be NULL; they are copied, cut and cleaned. */
struct alert_input {
        const char *rule; /* never NULL */
        enum level level; /* never LEVEL_OK: a rule that is not named is over */
        const char *text, *clears, *check, *instance;
        double value;     /* NAN: none */
        int64_t since_us, read_us;
};

/* What the component is. */
struct alert_about {
        const char *host, *component, *kind;
        unsigned roles;  /* bits of enum topology_role that stand on it */
        bool protected_; /* redundancy carries its loss */
};

struct alert_told {
        bool ever;        /* was told since it opened */
        enum level level; /* what was said last */
        enum level peak;  /* the worst since then */
        int64_t at_us;
        unsigned repeats;
};

struct alert {
        char *host, *component, *rule, *kind, *text, *clears, *check, *instance;
        enum level level, worst;       /* now (ok: over), and since it opened */
        int64_t opened_us, level_us, read_us, first_told_us; /* level_us: since when it is at level; first_told_us 0: not yet */
        int64_t opened_wall_us;        /* part of the identity of messages */
        double value;
        unsigned roles, changes;       /* changes: of level since it opened */
        bool protected_, seen;
        bool acked;
        int64_t acked_us;
        char *acked_by, *acked_why;
        char *cause;                   /* the component whose alerts explain this one; NULL: its own */
        struct alert_told *told;       /* one a contact of the policy */
};

struct alert_silence {
        unsigned id;
        char *host, *component, *rule; /* glob patterns; never NULL, "*" matches all */
        int64_t from_us, end_us;
        char *by, *why;
};

struct alert_maintenance {
        int64_t from_us, end_us; /* holds until end_us; past: none */
        char *by, *why;
};

struct alert_counters {
        uint64_t messages, digests, refused; /* refused: alerts that found no room */
};

enum alert_what {
        ALERT_NEW,
        ALERT_WORSE,
        ALERT_BETTER,
        ALERT_REPEAT,
        ALERT_ESCALATED, /* nobody acknowledged in time */
        ALERT_PASSED,    /* was critical and is not any more: came and went before it could be told */
        ALERT_RESOLVED,
        ALERT_WHAT_MAX,
};
const char *alert_what_name(enum alert_what what);

struct alert_item {
        const struct alert *alert;
        enum alert_what what;
        enum level was;  /* what the contact was told before */
        enum level peak; /* the worst since then */
};

/* Borrowed: valid during the call that hands it out. */
struct alert_message {
        const char *contact;
        bool digest;      /* more than one cause */
        const char *cause; /* the component that it is about; of a digest, that of the worst */
        enum level level; /* the worst that is in it; ok: everything in it is over */
        char id[33];      /* the same content has the same id, so that a receiver can tell a copy; nothing else has */
        int64_t now_us, wall_us;
        size_t n;
        const struct alert_item *items; /* by cause, the worst cause first */
        uint64_t refused; /* alerts that there was no room for, since the start */
};

struct alerts;

struct alerts *alerts_new(void);
struct alerts *alerts_free(struct alerts *a);

/* What was told is kept for contacts that keep their name. The policy is copied. */
void alerts_policy(struct alerts *a, const struct alert_policy *policy);
const struct alert_policy *alerts_policy_get(const struct alerts *a);
/* The two clocks as they are now; call it before what follows whenever the wall clock may have changed. */
void alerts_clock(struct alerts *a, int64_t now_us, int64_t wall_us);

/* All reasons that a component has now; rules of it that are not among them are over. */
void alerts_component(struct alerts *a, const struct alert_about *about, const struct alert_input *reasons, size_t n, int64_t now_us);
/* Between the two every component of the host is reported; what was not is over: it is not there any more. */
void alerts_sweep_begin(struct alerts *a, const char *host);
void alerts_sweep_keep(struct alerts *a, const char *host, const char *component); /* nothing is known of it now: it stays as it is */
void alerts_sweep_end(struct alerts *a, const char *host, int64_t now_us);

/* Hands out what is to be said now, and remembers it as said. Returns when to call again if nothing changes; INT64_MAX: never. */
int64_t alerts_step(struct alerts *a, int64_t now_us, void (*emit)(void *data, const struct alert_message *message), void *data);

/* Acknowledges what is open of a component (rule NULL: all of it): no repeats, no escalation, until it gets worse.
 * Returns how many; -ENOENT: the component has no open alert (of this rule). */
int alerts_ack(struct alerts *a, const char *component, const char *rule, const char *by, const char *why, int64_t now_us);
/* The id of a new silence; -E2BIG: too many; -EINVAL: end_us is not in the future. NULL patterns match all. */
int alerts_silence(struct alerts *a, const char *host, const char *component, const char *rule, int64_t end_us, const char *by,
                   const char *why, int64_t now_us);
int alerts_silence_end(struct alerts *a, unsigned id, int64_t now_us); /* -ENOENT */
/* Nothing is told until end_us (0 or past: ends it now); then what is wrong and what was critical meanwhile. */
void alerts_maintain(struct alerts *a, int64_t end_us, const char *by, const char *why, int64_t now_us);

/* To look at; open ones and those that are over for less than ALERT_KEEP_US, by component and rule. */
size_t alerts_n(const struct alerts *a);
const struct alert *alerts_at(const struct alerts *a, size_t i);
size_t alerts_silences_n(const struct alerts *a);
const struct alert_silence *alerts_silence_at(const struct alerts *a, size_t i);
const struct alert_maintenance *alerts_maintenance(const struct alerts *a);
bool alerts_is_silenced(const struct alerts *a, const struct alert *alert, int64_t now_us);
const struct alert_counters *alerts_counters(const struct alerts *a);
/* CLOCK_REALTIME of a time of CLOCK_BOOTTIME, by the last alerts_clock(). */
int64_t alerts_wall_us(const struct alerts *a, int64_t us);

/* State as JSON: one object an alert under "alert/HASH OF HOST/COMPONENT/RULE" and one under "alerts" for all else. load: what is
 * bad is ignored; what is there already is kept; call it after alerts_policy(). */
void alerts_save(const struct alerts *a, void (*fn)(void *data, const char *key, json_t *value), void *data);
void alerts_load(struct alerts *a, const char *key, const json_t *value);

#endif
