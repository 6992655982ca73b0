/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_RULE_H
#define VEILLE_RULE_H

/* A rule says when a metric is bad, how long before it counts, and why that matters.
 * Rules are const tables beside the check (or in src where an offline command needs them too);
 * config may change their limits ([rule NAME]). Stepping a rule is pure: (rule, state, value, now). */

#include <jansson.h>
#include <math.h>

#include "level.h"
#include "macros.h"

enum rule_kind {
        RULE_LIMIT,    /* the value against fixed limits, or against limit_metric (the device's own limit) */
        RULE_CHANGE,   /* growth of a counter above its accepted baseline; the first value seen is the baseline */
        RULE_RATE,     /* growth of a counter within the last window_s */
        RULE_FORECAST, /* seconds until the trend of the last window_s reaches limit; limits are in seconds, BELOW */
        RULE_KIND_MAX,
};

enum rule_direction {
        RULE_ABOVE, /* bad when value >= limit */
        RULE_BELOW, /* bad when value <= limit */
};

/* Independent classes of evidence: two soft signs of different classes weigh more than two of one. */
enum evidence {
        EVIDENCE_SMART,
        EVIDENCE_KERNEL,
        EVIDENCE_RAID,
        EVIDENCE_MEMORY,
        EVIDENCE_SENSOR,
        EVIDENCE_POWER,
        EVIDENCE_LATENCY,
        EVIDENCE_FILESYSTEM,
        EVIDENCE_NETWORK,
        EVIDENCE_HOST,
        EVIDENCE_SERVICE,
        EVIDENCE_SILENCE, /* no answer, hung, old data */
        EVIDENCE_MAX,
};

#define RULE_NONE NAN /* this rule has no such limit */

struct rule {
        const char *name;   /* unique over all checks, lower case with dashes: "pending-sectors" */
        const char *metric; /* the metric it judges */
        const char *match_label, *match_value; /* only series with this label value; NULL: all */
        enum rule_kind kind;
        enum rule_direction direction;
        double notice, warning, critical; /* RULE_NONE where a level is not reached */
        double clear;             /* hysteresis: the level falls only once the value is past this; RULE_NONE: at once */
        const char *limit_metric; /* RULE_LIMIT: critical limit (or warning, see below) read from this metric of the same
                                     instance and labels; NULL: none. Absent or 0 there: the rule does not apply */
        enum level limit_level;   /* the level reached at limit_metric; LEVEL_OK stands for LEVEL_CRITICAL */
        double limit;             /* RULE_FORECAST: the value that must not be reached */
        int hold_s;   /* bad for this long before it counts */
        int calm_s;   /* good for this long before it is taken back; CHANGE: without growth for this long, 0: until accepted */
        int window_s; /* RATE and FORECAST */
        enum evidence evidence;
        bool after_good; /* RULE_LIMIT: silent until the value has once been seen good: a fan header without a fan, an input that
                            is not connected or a limit that nobody set has always been "bad" and is no news */
        bool hard; /* a hard fault: at critical the part has failed or is failing its service now, not a prediction */
        const char *text;   /* one sentence; {value} {limit} {growth} (also of RATE) {baseline} {forecast} {window}
                            {percent} {bytes} {duration} (the value as such) {component} {label:NAME} are filled in;
                            {n:error|errors} is the first after the number 1 and the second after any other */
        const char *clears; /* what would clear it, for people */
        const char *source; /* where the limit comes from: standard, paper, peer's default, our own measurement */
};

const char *rule_kind_name(enum rule_kind kind);
int rule_kind_from_name(const char *name);
const char *evidence_name(enum evidence evidence);
int evidence_from_name(const char *name);

/* What a rule remembers of one series. Zero-initialised is "nothing seen yet". Times are in
 * microseconds of any monotonic clock (the daemon: CLOCK_BOOTTIME carried over reboots; the
 * replay: powered-on time). Holds heap memory only after a RATE or FORECAST value was stepped. */
struct rule_state {
        bool seen;
        enum level level;     /* what is reported now */
        enum level pending;   /* what hold or calm is waiting for */
        int64_t pending_us;   /* since when */
        int64_t changed_us;   /* when level last changed */
        int64_t grown_us;     /* CHANGE: when it last grew */
        double value;         /* last value */
        double baseline;      /* CHANGE: growth counts from here; LIMIT with after_good: 1 once it was seen good */
        int64_t accepted_us;  /* when a person took the value as the new normal; 0: never, or it is no longer so */
        int64_t until_us;     /* then the acceptance ends; 0: it does not */
        double before;        /* with until_us: the baseline that comes back then */
        double measure;       /* what was compared with the limits: value, growth, seconds to limit */
        double limit;         /* the limit that was hit, for the text; NAN: none */
        struct rule_window *window;
};

/* Steps one value. limit_value is the value of limit_metric for this series, NAN if absent.
 * Returns true when state->level changed. Values that are not finite are ignored (returns false).
 * A counter that falls was reset (reboot, new part): CHANGE takes the new value as baseline,
 * RATE takes what it has for new (of a metric that is no counter, without _total in its name: nothing). Time that goes backwards is taken as "no time passed". */
bool rule_step(const struct rule *rule, struct rule_state *state, double value, double limit_value, int64_t now_us);

/* When a value that stays as it is changes the level: hold or calm end then. INT64_MAX: neither is under way. */
int64_t rule_due_us(const struct rule *rule, const struct rule_state *state);

/* The present value becomes the accepted baseline (CHANGE; with after_good: bad is what this value is
 * until it is seen good again) and the level is taken back; for other rules nothing changes (a level that
 * still holds cannot be accepted away): returns false. until_us: from then on the next step judges as if it had never
 * been accepted, unless the rule has forgotten by itself what it was (calm, reset, seen good); 0: it is for good. Accepted
 * for a while and then again for another, what comes back is all of it. */
bool rule_accept(const struct rule *rule, struct rule_state *state, int64_t until_us, int64_t now_us);

/* The window of a RATE as JSON ([[time, amount], ...], times + offset_us), and back. What lies in the
 * future or outside of the window is ignored, so is bad input. */
json_t *rule_window_save(const struct rule_state *state, int64_t offset_us);
void rule_window_load(const struct rule *rule, struct rule_state *state, const json_t *doc, int64_t offset_us, int64_t now_us);

void rule_state_done(struct rule_state *state);

/* Fills the template of rule->text into buf. labels: name, value, name, value, ..., NULL; may be NULL. */
void rule_text(const struct rule *rule, const struct rule_state *state, const char *component,
               const char *const *labels, char *buf, size_t size);

#endif
