/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* See brain_selftest.h. What the samples of other checks say about a disk that is to test itself: which arrays it is a member
 * of, through partitions and other layers, what those are busy with, whether storing takes long. What is not known holds a
 * test back: it can wait, an array that loses its second member cannot. */

#include <math.h>

#include "brain_selftest.h"

#define REACH_MAX 64 /* components that stand on one disk */

struct link {
        const char *child, *parent;
        bool raid;
};

struct selftest_links {
        struct link *items;
        size_t n, size;
        bool known; /* the topology was read, and well */
};

const char *selftest_series_label(const struct judge_series *s, const char *name)
{
        const char *labels = s->labels, *n, *v;

        while ((labels = judge_label_next(labels, &n, &v)))
                if (streq(n, name))
                        return v;
        return NULL;
}

/* While a run is under way what the one before it said still holds: an array does not stop rebuilding because it is being asked. */
static bool is_current(const struct judge_instance *i, const struct judge_series *s)
{
        return s->run == i->run || (i->in_flight && s->run + 1 == i->run);
}

static const struct judge_series *series_of(const struct judge_instance *i, const char *metric)
{
        for (size_t k = 0; k < i->n_series; k++)
                if (is_current(i, &i->series[k]) && streq(i->series[k].metric->name, metric))
                        return &i->series[k];
        return NULL;
}

double selftest_value(const struct judge_instance *i, const char *metric)
{
        const struct judge_series *s = series_of(i, metric);

        return s ? s->value : NAN;
}

const char *selftest_label(const struct judge_instance *i, const char *metric, const char *label)
{
        const struct judge_series *s = series_of(i, metric);

        return s ? selftest_series_label(s, label) : NULL;
}

const struct judge_series *selftest_answer(const struct judge_instance *i, unsigned after)
{
        const struct judge_series *newest = NULL;

        for (size_t k = 0; k < i->n_series; k++) {
                const struct judge_series *s = &i->series[k];

                if (s->run > after && streq(s->metric->name, "disk_selftest_start") && (!newest || s->run > newest->run))
                        newest = s;
        }
        return newest;
}

/* --- what stands on what ------------------------------------------------------------------------- */

static void link_add(struct selftest_links *l, const char *child, const char *parent, bool raid)
{
        if (l->n == l->size) {
                l->size = l->size ? 2 * l->size : 64;
                l->items = reallocarray(l->items, l->size, sizeof(*l->items));
                if (!l->items)
                        abort();
        }
        l->items[l->n++] = (struct link){ .child = child, .parent = parent, .raid = raid };
}

static void link_read(struct selftest_links *l, const struct judge_series *s)
{
        const char *child = selftest_series_label(s, "child"), *parent = selftest_series_label(s, "parent"), *kind = selftest_series_label(s, "kind");

        if (!child || !parent || !kind || streq(kind, "filesystem") || streq(kind, "swap"))
                return;
        if (!streq(kind, "controller")) {
                link_add(l, child, parent, str_starts(kind, "raid-"));
        } else if (str_starts(child, "nvme")) {
                /* The namespaces of one drive are tested together. */
                link_add(l, child, parent, false);
                link_add(l, parent, child, false);
        }
}

static int by_child(const void *a, const void *b)
{
        return strcmp(((const struct link *)a)->child, ((const struct link *)b)->child);
}

struct selftest_links *selftest_links_read(const struct brain *b)
{
        struct selftest_links *l = calloc(1, sizeof(*l));

        if (!l)
                abort();
        for (const struct judge_instance *i = judge_instances(b->judge); i; i = i->next) {
                if (!streq(i->check->name, "topology"))
                        continue;
                l->known = i->verdict == VERDICT_OK;
                for (size_t k = 0; k < i->n_series; k++)
                        if (is_current(i, &i->series[k]) && streq(i->series[k].metric->name, "topology_link_info"))
                                link_read(l, &i->series[k]);
        }
        if (l->n)
                qsort(l->items, l->n, sizeof(*l->items), by_child);
        return l;
}

struct selftest_links *selftest_links_free(struct selftest_links *links)
{
        if (links)
                free(links->items);
        free(links);
        return NULL;
}

static size_t first_link(const struct selftest_links *l, const char *child)
{
        size_t low = 0, high = l->n;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (strcmp(l->items[middle].child, child) < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

static bool contains(const char *const list[], size_t n, const char *name)
{
        for (size_t i = 0; i < n; i++)
                if (streq(list[i], name))
                        return true;
        return false;
}

static void group_add(struct selftest_disk *disk, const char *group)
{
        if (contains(disk->groups, disk->n_groups, group))
                return;
        if (disk->n_groups < SELFTEST_GROUPS_MAX)
                disk->groups[disk->n_groups++] = group;
        else
                disk->groups_unknown = true;
}

static void find_groups(const struct selftest_links *l, const char *component, struct selftest_disk *disk)
{
        const char *reached[REACH_MAX] = { component };
        size_t n = 1;

        disk->groups_unknown = !l->known;
        for (size_t i = 0; i < n; i++)
                for (size_t k = first_link(l, reached[i]); k < l->n && streq(l->items[k].child, reached[i]); k++) {
                        const char *parent = l->items[k].parent;

                        if (l->items[k].raid)
                                group_add(disk, parent);
                        if (contains(reached, n, parent))
                                continue;
                        if (n < REACH_MAX)
                                reached[n++] = parent;
                        else
                                disk->groups_unknown = true;
                }
}

/* --- what arrays are busy with ------------------------------------------------------------------- */

static bool is_about_arrays(const struct judge_instance *i)
{
        return streq(i->check->name, "raid") || streq(i->check->name, "zfs");
}

static bool is_set(double value)
{
        return value > 0; /* not NAN */
}

/* It rebuilds, checks, reshapes, scrubs or lacks a member: no time to read every sector of the others. */
static const char *array_holds(const struct brain *b, const char *array)
{
        size_t len = str_starts(array, "zfs:") ? strcspn(array, "/") : strlen(array); /* "zfs:tank/mirror-0": ask the pool */

        for (const struct judge_instance *i = judge_instances(b->judge); i; i = i->next) {
                if (!is_about_arrays(i) || !i->present || strncmp(i->component->name, array, len) != 0 || i->component->name[len])
                        continue;
                if (i->verdict != VERDICT_OK)
                        return "the state of its array is not known";
                if (!isnan(selftest_value(i, "raid_sync_ratio")) || !isnan(selftest_value(i, "zfs_pool_scan_ratio")))
                        return "its array is rebuilding or being checked";
                if (is_set(selftest_value(i, "raid_degraded_disks")) || is_set(selftest_value(i, "zfs_pool_degraded_devices")))
                        return "its array lacks a member";
        }
        return NULL;
}

static const char *arrays_hold(const struct brain *b, const struct selftest_links *l, const struct selftest_disk *disk)
{
        const char *why = NULL;

        if (!l->known || !brain_sched_discovered(b, "raid") || !brain_sched_discovered(b, "zfs"))
                return "it is not known yet which arrays it is a member of";
        for (size_t k = 0; k < disk->n_groups && !why; k++)
                why = array_holds(b, disk->groups[k]);
        return why;
}

static const char *disk_holds(const struct judge_instance *i)
{
        if (i->stuck || (i->verdict != VERDICT_OK && i->verdict != VERDICT_PENDING))
                return "the disk cannot be read";
        if (i->standby)
                return "the disk sleeps";
        return i->verdict == VERDICT_PENDING || !i->read_us ? "the disk has not been read yet" : NULL;
}

void selftest_look_at(const struct brain *b, const struct selftest_links *links, const struct judge_instance *i, struct selftest_disk *disk)
{
        find_groups(links, i->component->name, disk);
        /* Which disks make a volume only the controller knows: those behind controllers take turns. */
        if (streq(i->check->name, "smart-raid"))
                group_add(disk, "RAID controller");
        disk->held = disk_holds(i);
        if (!disk->held)
                disk->held = arrays_hold(b, links, disk);
}

bool selftest_writes_are_slow(const struct brain *b)
{
        double limit_s = config_number(b->config, "selftest", NULL, "slow_fsync");

        for (const struct judge_instance *i = judge_instances(b->judge); i; i = i->next)
                if (streq(i->check->name, "latency") && i->present &&
                    (i->stuck || i->verdict == VERDICT_TIMEOUT || i->verdict == VERDICT_FAILED || is_set(selftest_value(i, "latency_write_failed")) ||
                     selftest_value(i, "latency_fsync_seconds") >= limit_s))
                        return true;
        return false;
}
