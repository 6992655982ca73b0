/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Events of md arrays: the event counter of /proc/mdstat, and the attributes of each array that the kernel notifies. mdstat tells of
 * failed members, rebuilds, arrays that come and go, but not of one that was made read-only. Neither asks a disk. An attribute must
 * be read to be armed anew; its value is also what tells a change from the flicker between clean and active at every write. */

#include <dirent.h>
#include <fcntl.h>

#include "brain.h"

#define ARRAYS_MAX 64 /* of more, mdstat alone tells, and the polls */
#define VALUE_SIZE 32

static const char *const attributes[] = { "array_state", "degraded", "sync_action" };

struct attribute {
        struct array *array;
        int fd;
        sd_event_source *io;
        char value[VALUE_SIZE];
};

struct array {
        struct brain_md *md;
        char name[64];
        bool seen; /* in the last look at /sys/block */
        struct attribute attributes[ARRAY_LEN(attributes)];
        struct array *next;
};

struct brain_md {
        struct brain *b;
        int mdstat_fd;
        sd_event_source *mdstat;
        struct array *arrays;
};

static const char *root_of(const struct brain *b)
{
        return streq(b->options.root, "/") ? "" : b->options.root;
}

static void look(struct brain *b)
{
        brain_sched_hurry(b, "raid", LOOK_ALL);
        brain_sched_hurry(b, "topology", LOOK_AGAIN);
}

/* --- attributes ------------------------------------------------------------------------------------- */

/* False when the array has gone. */
static bool read_value(int fd, char value[VALUE_SIZE])
{
        static const char *const running[] = { "clean", "active", "active-idle", "write-pending" };
        ssize_t n = pread(fd, value, VALUE_SIZE - 1, 0);

        if (n < 0)
                return false;
        value[n] = '\0';
        value[strcspn(value, "\n")] = '\0';
        for (size_t i = 0; i < ARRAY_LEN(running); i++)
                if (streq(value, running[i]))
                        strcpy(value, "running");
        return true;
}

static void attribute_close(struct attribute *a)
{
        a->io = sd_event_source_disable_unref(a->io);
        if (a->fd >= 0)
                close(a->fd);
        a->fd = -1;
}

static int on_attribute(sd_event_source *source UNUSED, int fd, uint32_t revents UNUSED, void *data)
{
        struct attribute *a = data;
        struct brain *b = a->array->md->b;
        char value[VALUE_SIZE];

        if (!read_value(fd, value)) {
                attribute_close(a);
        } else if (streq(value, a->value)) {
                return 0;
        } else {
                strcpy(a->value, value);
        }
        look(b);
        return 0;
}

static void attribute_open(struct attribute *a, struct array *array, const char *name)
{
        const struct brain *b = array->md->b;
        char path[512];

        a->array = array;
        snprintf(path, sizeof(path), "%s/sys/block/%s/md/%s", root_of(b), array->name, name);
        a->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        /* Absent (sync_action of raid0), or a plain file (a fixture), which cannot be polled. */
        if (a->fd >= 0 && (!read_value(a->fd, a->value) || sd_event_add_io(b->event, &a->io, a->fd, EPOLLPRI, on_attribute, a) < 0))
                attribute_close(a);
}

/* --- arrays ------------------------------------------------------------------------------------------- */

static void array_free(struct array *array)
{
        for (size_t i = 0; i < ARRAY_LEN(attributes); i++)
                attribute_close(&array->attributes[i]);
        free(array);
}

static void drop_unseen(struct brain_md *md)
{
        struct array **p = &md->arrays;

        while (*p) {
                struct array *array = *p;

                if (array->seen) {
                        p = &array->next;
                        continue;
                }
                *p = array->next;
                array_free(array);
        }
}

static void array_found(struct brain_md *md, const char *name)
{
        struct array **p = &md->arrays, *array;
        size_t n = 0;

        for (; *p; p = &(*p)->next, n++)
                if (streq((*p)->name, name)) {
                        (*p)->seen = true;
                        return;
                }
        if (n == ARRAYS_MAX || strlen(name) >= sizeof(array->name))
                return;
        array = *p = calloc(1, sizeof(*array));
        if (!array)
                abort();
        array->md = md;
        array->seen = true;
        strcpy(array->name, name);
        for (size_t i = 0; i < ARRAY_LEN(attributes); i++)
                attribute_open(&array->attributes[i], array, attributes[i]);
}

void brain_md_find(struct brain *b)
{
        struct brain_md *md = b->md;
        _cleanup_closedir_ DIR *dir = NULL;
        const struct dirent *entry;
        char path[512];

        if (!md)
                return;
        for (struct array *array = md->arrays; array; array = array->next)
                array->seen = false;
        snprintf(path, sizeof(path), "%s/sys/block", root_of(b));
        dir = opendir(path);
        while (dir && (entry = readdir(dir))) {
                snprintf(path, sizeof(path), "%s/md/array_state", entry->d_name);
                if (faccessat(dirfd(dir), path, F_OK, 0) == 0)
                        array_found(md, entry->d_name);
        }
        drop_unseen(md);
}

/* --- /proc/mdstat ------------------------------------------------------------------------------------- */

static int mdstat_open(struct brain_md *md);

/* The kernel counts md events per open file since it was opened: no read is needed, so nothing can hang here;
 * opening anew arms it anew. */
static int on_mdstat(sd_event_source *source UNUSED, int fd UNUSED, uint32_t revents UNUSED, void *data)
{
        struct brain_md *md = data;

        md->mdstat = sd_event_source_disable_unref(md->mdstat);
        close(md->mdstat_fd);
        md->mdstat_fd = -1;
        look(md->b);
        brain_md_find(md->b);
        mdstat_open(md);
        return 0;
}

static int mdstat_open(struct brain_md *md)
{
        char path[512];

        snprintf(path, sizeof(path), "%s/proc/mdstat", root_of(md->b));
        md->mdstat_fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (md->mdstat_fd < 0)
                return neg_errno(); /* no md on this kernel (yet) */
        /* A plain file (a fixture) cannot be polled. */
        return sd_event_add_io(md->b->event, &md->mdstat, md->mdstat_fd, EPOLLPRI, on_mdstat, md);
}

int brain_md_start(struct brain *b)
{
        struct brain_md *md = b->md = calloc(1, sizeof(*md));

        if (!md)
                abort();
        md->b = b;
        mdstat_open(md);
        brain_md_find(b);
        return 0;
}

void brain_md_stop(struct brain *b)
{
        struct brain_md *md = b->md;

        if (!md)
                return;
        for (struct array *array = md->arrays; array; array = array->next)
                array->seen = false;
        drop_unseen(md);
        sd_event_source_disable_unref(md->mdstat);
        if (md->mdstat_fd >= 0)
                close(md->mdstat_fd);
        free(md);
        b->md = NULL;
}
