/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The health of disks through smartctl: NVMe, SAS and USB disks, whatever libatasmart cannot open (check smart), and
 * the disks behind RAID controllers (check smart-raid: its device nodes need a wider sandbox). */

#include "disk_metrics.h"
#include "disk_rules.h"
#include "disk_selftest.h"
#include "disk_smartctl.h"

static int discover(struct env *env, struct instance_list *list)
{
        struct disk_places places;
        int r = disk_find(env, &places);

        if (r < 0)
                return r;
        disk_places_to_instances(&places, DISK_ASK_SMARTCTL, DISK_ASK_SMARTCTL, list);
        disk_places_done(&places);
        return 0;
}

static int discover_raid(struct env *env, struct instance_list *list)
{
        struct disk_places places;
        int r = disk_find(env, &places);

        if (r < 0)
                return r;
        r = disk_find_raid(env, &places);
        /* What is configured is listed even when the scan fails: its own runs will say what is wrong. */
        disk_places_to_instances(&places, DISK_ASK_RAID, DISK_ASK_NOBODY, list);
        disk_places_done(&places);
        return r;
}

static enum result run_place(struct env *env, const struct disk_place *place)
{
        struct disk_report report;
        enum result result;

        if (place->asker == DISK_ASK_NOBODY)
                return env_end(env, RESULT_DENIED,
                               "the disks behind %s (driver %s) are not looked at: smartctl finds none by itself; name each in a section "
                               "[device NAME] with path and type = %s,N",
                               place->name, place->driver, place->type);
        if (!env->wake && place->asker == DISK_ASK_SMARTCTL && disk_is_suspended(env, place)) {
                env_sample(env, "disk_standby", 1, NULL);
                return RESULT_OK;
        }
        result = smartctl_ask(env, place, &report);
        if (result != RESULT_OK)
                return result;
        selftest_read_nvme(env, place, &report);
        disk_emit(env, &report);
        if (!report.standby)
                selftest_by_smartctl(env, place, &report);
        disk_report_done(&report);
        return RESULT_OK;
}

static enum result run_found(struct env *env, const struct instance *instance, bool raid)
{
        struct disk_places places;
        const struct disk_place *place;
        enum result result;
        int r = disk_find(env, &places);

        if (r >= 0 && raid)
                r = disk_find_raid(env, &places);
        if (r < 0)
                return env_end(env, r == -ETIME ? RESULT_TIMEOUT : RESULT_FAILED, "%s",
                               env->why.text[0] ? env->why.text : strerror(-r));
        place = disk_places_by_name(&places, instance->name);
        result = place ? run_place(env, place) : env_end(env, RESULT_FAILED, "%s is gone", instance->name);
        disk_places_done(&places);
        return result;
}

static enum result run(struct env *env, const struct instance *instance)
{
        return run_found(env, instance, false);
}

static enum result run_raid(struct env *env, const struct instance *instance)
{
        return run_found(env, instance, true);
}

const struct check check_smart = {
        .desc = {
                .name = "smart",
                .summary = "health of NVMe, SAS and USB disks, by smartctl",
                .interval_s = 1800,
                .deadline_s = 60,
                .max_age_s = DISK_MAX_AGE_S,
                .privilege = PRIVILEGE_DISK,
                .evidence = EVIDENCE_SMART,
                .metrics = disk_metrics, .n_metrics = DISK_METRICS_LEN,
                .rules = disk_rules, .n_rules = DISK_RULES_LEN,
        },
        .discover = discover,
        .run = run,
};

const struct check check_smart_raid = {
        .desc = {
                .name = "smart-raid",
                .summary = "health of the disks behind RAID controllers, by smartctl",
                .interval_s = 1800,
                .deadline_s = 75, /* asks for the disks first, each time */
                .max_age_s = DISK_MAX_AGE_S,
                .privilege = PRIVILEGE_RAID,
                .evidence = EVIDENCE_SMART,
                .metrics = disk_metrics, .n_metrics = DISK_METRICS_LEN,
                .rules = disk_rules, .n_rules = DISK_RULES_LEN,
        },
        .discover = discover_raid,
        .run = run_raid,
};
