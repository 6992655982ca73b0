/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_JUDGE_PRIVATE_H
#define VEILLE_JUDGE_PRIVATE_H

/* Shared by the files judge*.c only. */

#include "judge.h"
#include "topology.h"

struct judge {
        const struct catalog *catalog;
        struct judge_callbacks callbacks;
        struct judge_instance *instances;  /* in order of discovery */
        struct judge_component *components;
        struct topology *topology;         /* NULL until the check topology has answered */
        struct pending_state *pending;     /* loaded state of instances that are not discovered yet */
        struct expected *expected;         /* disks of before the restart: judge_missed.c */
        struct health_result health;
        unsigned discoveries;
        int64_t tick_us;
        int64_t born_us; /* first judgement: what is older was told before a restart */
        limit_set limits; /* hit since they were last asked for */
};

struct pending_state {
        char *key;
        json_t *value;
        bool own;                /* of an instance that was known here: newer than what anybody else remembers */
        int64_t now_us, wall_us; /* when it was loaded */
        struct pending_state *next;
};

void *judge_alloc(size_t n, size_t size);
char *judge_strdup(const char *s);

struct judge_component *judge_component_get(struct judge *judge, const char *name, const char *kind, const char *id);

/* Recomputes the levels of all dirty components and the health of the host; calls back. */
void judge_settle(struct judge *judge, int64_t now_us);

void judge_health_unread(struct health_result *health);

/* Applies state that was loaded before its instance was known. */
void judge_restore(struct judge *judge, struct judge_instance *instance, int64_t now_us);

/* Keeps the state of an instance that goes, or whose part has gone elsewhere, for when the part is found again. */
void judge_remember(struct judge *judge, const struct judge_instance *instance, int64_t now_us);

/* Loaded state of one series that has just been added. */
void judge_restore_series(struct judge *judge, struct judge_instance *instance, struct judge_series *series);

/* The series of these labels (name, value, ..., NULL), added with its loaded state where it is new. NULL: no such metric, too many. */
struct judge_series *judge_series_get(struct judge *judge, struct judge_instance *instance, const char *metric, const char *const *labels);

void judge_series_done(struct judge_series *series);
void judge_instance_free(struct judge_instance *instance);

void judge_tell(struct judge *judge, const char *component, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Boot clock to wall clock and back; 0 stays 0, nothing comes back as a time to come. */
int64_t judge_to_wall(int64_t us, int64_t now_us, int64_t wall_us);
int64_t judge_from_wall(int64_t us, int64_t now_us, int64_t wall_us);

/* judge_level.c: whether something stands on it that is served here; parts whose hang or absence is hard evidence. */
bool judge_carries(const struct judge *judge, const struct judge_component *component);
bool judge_is_storage(const char *kind);

/* judge_silence.c: whether it says nothing; then what that means. */
bool judge_silence(const struct judge *judge, const struct judge_instance *instance, int64_t now_us, struct judge_reason *ret);

/* judge_missed.c */
void judge_load_present(struct judge *judge, const char *key, const json_t *value, int64_t now_us, int64_t wall_us);
void judge_expected_found(struct judge *judge, const struct judge_instance *found);
void judge_expected_looked(struct judge *judge, const struct check_desc *check); /* a discovery of it has ended */
void judge_expected_tick(struct judge *judge, int64_t now_us);
bool judge_is_expected(const struct judge *judge, const struct judge_component *component); /* still looked for */
void judge_expected_free(struct judge *judge);

#endif
