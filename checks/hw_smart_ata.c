/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The health of ATA disks through libatasmart, in this process: no program to start, no drive database to parse, two
 * seconds at most for a command. The power state comes first: a disk that sleeps is left alone (libatasmart's own IDENTIFY
 * and CHECK POWER MODE move no platter) and the brain keeps its last verdict. Where the library says "not supported",
 * smartctl is asked here and now, and that is said: never healthy for want of an answer. */

#include <fcntl.h>
#include <sys/stat.h>

#include "disk_metrics.h"
#include "disk_rules.h"
#include "disk_selftest.h"
#include "disk_smartctl.h"
#include "smart_blob.h"

static int discover(struct env *env, struct instance_list *list)
{
        struct disk_places places;
        int r = disk_find(env, &places);

        if (r < 0)
                return r;
        disk_places_to_instances(&places, DISK_ASK_ATASMART, DISK_ASK_ATASMART, list);
        disk_places_done(&places);
        return 0;
}

/* Under --root: what skdump saved stands for the disk. */
static enum result run_blob(struct env *env, const struct disk_place *place, int fd)
{
        static unsigned char data[SMART_BLOB_MAX + 1];
        struct disk_report report;
        ssize_t n = read(fd, data, sizeof(data));

        if (n < 0)
                return env_end_errno(env, neg_errno(), "dev/%s", place->name);
        if (smart_blob_report(data, (size_t)n, &report, &env->why) < 0)
                return RESULT_FAILED;
        if (report.health != DISK_HEALTH_FAILED && disk_report_lacks(&report))
                return env_end(env, RESULT_FAILED, "%s: the saved data lacks %s", place->name, disk_report_lacks(&report));
        disk_emit(env, &report);
        disk_report_done(&report);
        return RESULT_OK;
}

/* libatasmart knows no family of errors: what it gives up on, smartctl may read. */
static enum result ask_smartctl(struct env *env, const struct disk_place *place, const char *what)
{
        struct disk_report report;
        enum result result = smartctl_ask(env, place, &report);
        char why[sizeof(env->why.text)];

        if (result == RESULT_OK) {
                disk_emit(env, &report);
                if (!report.standby) {
                        env_sample(env, "disk_read_by_fallback", 1, NULL);
                        selftest_by_smartctl(env, place, &report);
                }
                disk_report_done(&report);
                return RESULT_OK;
        }
        snprintf(why, sizeof(why), "%s", env->why.text);
        return env_end(env, result, "libatasmart: %s; then %.300s", what, why);
}

static enum result ask_smartctl_errno(struct env *env, const struct disk_place *place, const char *what, int error)
{
        char text[128];

        snprintf(text, sizeof(text), "%s: %s", what, strerror(error));
        return ask_smartctl(env, place, text);
}

static enum result run_open_disk(struct env *env, const struct disk_place *place, SkDisk *disk)
{
        struct disk_report report;
        struct errinfo err = { 0 };
        SkBool awake = TRUE, available = FALSE;

        /* Not every disk answers this; then it is taken to be awake, as smartctl does. */
        if (sk_disk_check_sleep_mode(disk, &awake) == 0 && !awake && !env->wake) {
                env_sample(env, "disk_standby", 1, NULL);
                return RESULT_OK;
        }
        if (sk_disk_smart_is_available(disk, &available) < 0 || !available)
                return ask_smartctl(env, place, "SMART is not available");
        if (sk_disk_smart_read_data(disk) < 0)
                return ask_smartctl_errno(env, place, "the SMART data cannot be read", errno);
        if (smart_atasmart_report(disk, &report, &err) < 0)
                return ask_smartctl(env, place, err.text);
        if (report.health != DISK_HEALTH_FAILED && disk_report_lacks(&report)) {
                disk_report_done(&report);
                return ask_smartctl(env, place, "it answered without an attribute table");
        }
        snprintf(report.device, sizeof(report.device), "%s", place->name);
        disk_emit(env, &report);
        selftest_by_atasmart(env, disk, &report);
        disk_report_done(&report);
        return RESULT_OK;
}

static enum result run_device(struct env *env, const struct disk_place *place)
{
        char path[4200];
        SkDisk *disk;
        enum result result;

        if (!env->wake && disk_is_suspended(env, place)) {
                env_sample(env, "disk_standby", 1, NULL);
                return RESULT_OK;
        }
        snprintf(path, sizeof(path), "%s/dev/%s", streq(env->root, "/") ? "" : env->root, place->name);
        if (sk_disk_open(path, &disk) < 0) {
                int error = errno;

                if (error == EACCES || error == EPERM)
                        return env_end(env, RESULT_DENIED, "%s: %s: veille-probe needs CAP_SYS_RAWIO and the device", path, strerror(error));
                if (error == ENOENT || error == ENODEV || error == ENXIO)
                        return env_end(env, RESULT_FAILED, "%s: the disk is gone: %s", path, strerror(error));
                return ask_smartctl_errno(env, place, "the disk cannot be opened", error);
        }
        result = run_open_disk(env, place, disk);
        sk_disk_free(disk);
        return result;
}

static enum result run(struct env *env, const struct instance *instance)
{
        struct disk_places places;
        const struct disk_place *found;
        struct disk_place place;
        _cleanup_close_ int fd = -1;
        char path[64];
        struct stat st;
        int r = disk_find(env, &places);

        if (r < 0)
                return env_end_errno(env, r, "sys/block");
        found = disk_places_by_name(&places, instance->name);
        if (!found) {
                disk_places_done(&places);
                return env_end(env, RESULT_FAILED, "%s is gone", instance->name);
        }
        place = *found;
        disk_places_done(&places);

        snprintf(path, sizeof(path), "dev/%.48s", place.name);
        if (fstatat(env->root_fd, path, &st, 0) == 0 && S_ISREG(st.st_mode)) {
                fd = openat(env->root_fd, path, O_RDONLY | O_CLOEXEC);
                return fd < 0 ? env_end_errno(env, neg_errno(), "%s", path) : run_blob(env, &place, fd);
        }
        return run_device(env, &place);
}

const struct check check_smart_ata = {
        .desc = {
                .name = "smart-ata",
                .summary = "health of ATA disks, by libatasmart",
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
