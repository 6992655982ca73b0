/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* What the kernel tells unasked: uevents (disk gone or new, NVMe asynchronous events, power supply, link),
 * rtnetlink (carrier) and the event counter of the mount table; md is in brain_md.c. Nothing is read from a device here: an event
 * only makes the checks that know run at once. Polling stays as the safety net, so lost events cost time, not truth. */

#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "brain.h"

struct brain_uevent {
        struct brain *b;
        int uevent_fd, route_fd, mounts_fd;
        sd_event_source *uevent, *route, *mounts;
};

/* What to look at again. */
static const struct {
        const char *subsystem;
        const char *action;   /* NULL: any */
        const char *variable; /* must be there; NULL: none needed */
        const char *check;
        enum brain_look look;
} triggers[] = {
        { "block", "add", NULL, "smart-ata", LOOK_ALL },
        { "block", "remove", NULL, "smart-ata", LOOK_ALL },
        { "block", "add", NULL, "smart", LOOK_ALL },
        { "block", "remove", NULL, "smart", LOOK_ALL },
        { "block", "add", NULL, "kernel", LOOK_ALL },
        { "block", "remove", NULL, "kernel", LOOK_ALL },
        { "block", "add", NULL, "raid", LOOK_ALL },
        { "block", "remove", NULL, "raid", LOOK_ALL },
        { "block", "change", NULL, "raid", LOOK_ALL },
        { "block", NULL, NULL, "topology", LOOK_AGAIN },
        { "nvme", NULL, "NVME_AEN", "smart", LOOK_AGAIN },
        { "nvme", NULL, NULL, "sensors", LOOK_AGAIN },
        { "power_supply", NULL, NULL, "power", LOOK_ALL },
        { "net", NULL, NULL, "net", LOOK_ALL },
        { "hwmon", NULL, NULL, "sensors", LOOK_ALL },
        { "thermal", NULL, NULL, "sensors", LOOK_AGAIN },
        { "edac", NULL, NULL, "edac", LOOK_ALL },
        { "scsi", "change", NULL, "kernel", LOOK_AGAIN },
};

/* The value of KEY= in a uevent's NUL-separated text, or NULL. */
static const char *variable(const char *buf, size_t len, const char *key)
{
        size_t n = strlen(key);

        for (const char *p = buf; p < buf + len; p += strlen(p) + 1)
                if (strncmp(p, key, n) == 0 && p[n] == '=')
                        return p + n + 1;
        return NULL;
}

/* buf ends in a NUL. Separate for the fuzzer. */
void brain_uevent_parse(struct brain *b, const char *buf, size_t len);
void brain_uevent_parse(struct brain *b, const char *buf, size_t len)
{
        const char *action = variable(buf, len, "ACTION"), *subsystem = variable(buf, len, "SUBSYSTEM"), *device;

        if (!action || !subsystem)
                return;
        for (size_t i = 0; i < ARRAY_LEN(triggers); i++)
                if (streq(subsystem, triggers[i].subsystem) && (!triggers[i].action || streq(action, triggers[i].action)) &&
                    (!triggers[i].variable || variable(buf, len, triggers[i].variable)))
                        brain_sched_hurry(b, triggers[i].check, triggers[i].look);
        if (streq(subsystem, "block") && (device = variable(buf, len, "DEVPATH")) && strstr(device, "/block/md"))
                brain_md_find(b);
}

static int on_uevent(sd_event_source *source UNUSED, int fd, uint32_t revents UNUSED, void *data)
{
        struct brain_uevent *u = data;
        struct sockaddr_nl from = { 0 };
        char buf[8192];

        /* Bounded: a storm of uevents must not keep the loop from everything else. */
        for (int i = 0; i < 64; i++) {
                socklen_t from_len = sizeof(from);
                ssize_t n = recvfrom(fd, buf, sizeof(buf) - 1, MSG_DONTWAIT, (struct sockaddr *)&from, &from_len);

                if (n < 0 && errno == ENOBUFS) { /* some were lost: look at everything */
                        brain_sched_hurry(u->b, NULL, LOOK_ALL);
                        continue;
                }
                if (n <= 0)
                        return 0;
                if (from.nl_pid != 0) /* not from the kernel */
                        continue;
                buf[n] = '\0';
                brain_uevent_parse(u->b, buf, (size_t)n);
        }
        return 0;
}

static int on_route(sd_event_source *source UNUSED, int fd, uint32_t revents UNUSED, void *data)
{
        struct brain_uevent *u = data;
        char buf[8192];

        for (int i = 0; i < 64 && recv(fd, buf, sizeof(buf), MSG_DONTWAIT) > 0; i++)
                ;
        brain_sched_hurry(u->b, "net", LOOK_ALL);
        return 0;
}

/* A mount came, went or was remounted. The kernel counts them for every open file: nothing is read, a call of poll() arms it
 * anew. Ours are those of the host: our unit's mount namespace gets what the host's gets. */
static int on_mounts(sd_event_source *source UNUSED, int fd UNUSED, uint32_t revents UNUSED, void *data)
{
        static const struct {
                const char *check;
                enum brain_look look;
        } wake[] = { { "fs", LOOK_ALL }, { "topology", LOOK_AGAIN }, { "raid", LOOK_ALL }, { "latency", LOOK_NEW }, { "zfs", LOOK_NEW } };
        struct brain_uevent *u = data;

        for (size_t i = 0; i < ARRAY_LEN(wake); i++)
                brain_sched_hurry(u->b, wake[i].check, wake[i].look);
        return 0;
}

static void mounts_open(struct brain_uevent *u)
{
        char path[512];

        snprintf(path, sizeof(path), "%s/proc/self/mountinfo", streq(u->b->options.root, "/") ? "" : u->b->options.root);
        u->mounts_fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (u->mounts_fd >= 0) /* a plain file (a fixture) cannot be polled */
                sd_event_add_io(u->b->event, &u->mounts, u->mounts_fd, EPOLLPRI, on_mounts, u);
}

static int netlink_open(int protocol, unsigned groups)
{
        struct sockaddr_nl sa = { .nl_family = AF_NETLINK, .nl_groups = groups };
        _cleanup_close_ int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);

        if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
                return neg_errno();
        return take_fd(&fd);
}

int brain_uevent_start(struct brain *b)
{
        struct brain_uevent *u = b->uevent = calloc(1, sizeof(*u));

        if (!u)
                abort();
        u->b = b;
        u->uevent_fd = netlink_open(NETLINK_KOBJECT_UEVENT, 1);
        u->route_fd = netlink_open(NETLINK_ROUTE, RTMGRP_LINK);
        /* Without netlink (a container) polling is all there is: said once, nothing is wrong with the host. */
        if (u->uevent_fd < 0 || sd_event_add_io(b->event, &u->uevent, u->uevent_fd, EPOLLIN, on_uevent, u) < 0)
                brain_log(b, BRAIN_NOTICE, "no uevents here: what comes and goes is seen at the next poll");
        if (u->route_fd < 0 || sd_event_add_io(b->event, &u->route, u->route_fd, EPOLLIN, on_route, u) < 0)
                brain_log(b, BRAIN_NOTICE, "no link events here: a lost carrier is seen at the next poll");
        mounts_open(u);
        return 0;
}

void brain_uevent_stop(struct brain *b)
{
        struct brain_uevent *u = b->uevent;

        if (!u)
                return;
        sd_event_source_disable_unref(u->uevent);
        sd_event_source_disable_unref(u->route);
        sd_event_source_disable_unref(u->mounts);
        if (u->uevent_fd >= 0)
                close(u->uevent_fd);
        if (u->route_fd >= 0)
                close(u->route_fd);
        if (u->mounts_fd >= 0)
                close(u->mounts_fd);
        free(u);
        b->uevent = NULL;
}
