/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_DISK_JUDGE_H
#define VEILLE_DISK_JUDGE_H

/* Judges many disks over years, a reading at a time, with little memory per disk: for the replay of drive
 * histories. The samples (disk_metrics.h), the rules (disk_rules.h), how they are stepped (rule.h) and the
 * scorecard are those of the daemon; what is left out is what one component needs on a host (age of data,
 * silence, acceptance, topology). tests/unit/test_disk_judge.c holds it against the daemon's judge.h.
 * Pure. Out of memory aborts. */

#include "disk_report.h"
#include "rule.h"
#include "scorecard.h"

struct disk_series;

/* One disk. Zero-initialised is "nothing seen yet". A rule that never left ok keeps no state here, unless it
 * needs a baseline: a healthy disk costs some 300 bytes of heap. */
struct disk_state {
        struct scorecard_state scorecard;
        struct disk_series *series;
        uint16_t n_series;
        enum level level;
        const struct rule *rule; /* of the level; NULL at ok */
        double probability;      /* of failure within 30 days; NAN where no model exists (not an ATA hard disk) */
        bool judged;             /* ever had a value that a rule reads */
};

/* The rules by metric, and what one reading needs; shared by all disks of one thread. */
struct disk_judge;
/* rules: disk_rules or a copy of it with other limits (rule_config.h), in the same order; must outlive the judge. */
struct disk_judge *disk_judge_new(const struct rule *rules, size_t n);
/* Values that were not judged because a reading or a disk had more than there is room for. */
uint64_t disk_judge_limit_hits(const struct disk_judge *judge);
struct disk_judge *disk_judge_free(struct disk_judge *judge);

/* Takes one reading in at powered-on time now_us; true when disk->level changed. */
bool disk_judge_step(struct disk_judge *judge, struct disk_state *disk, const struct disk_report *report, int64_t now_us);

/* The sentence for the level the last step (of this very disk and report) came to; empty at ok. */
void disk_judge_why(struct disk_judge *judge, const struct disk_state *disk, const struct disk_report *report,
                    const char *component, char *buf, size_t size);

void disk_state_done(struct disk_state *disk);

#endif
