/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_FUZZ_BRAIN_H
#define VEILLE_FUZZ_BRAIN_H

/* A brain for fuzz targets: the real catalogue, loop and judge, a RUN directory of its own, no probe to start. What
 * speaks to it does so through the sockets of real life, which the target listens on or connects to. */

#include <sys/socket.h>
#include <sys/un.h>

#include "brain.h"
#include "brain_events.h"
#include "check.h"

static struct brain fuzz_brain;
static char fuzz_run[48], fuzz_config[64];

static inline void fuzz_remove_run(void)
{
        char cmd[96];

        snprintf(cmd, sizeof(cmd), "rm -rf %s", fuzz_run);
        if (system(cmd) != 0)
                abort();
}

static inline void fuzz_changed(void *data, const struct judge_component *c, enum level from)
{
        brain_store_level(data, c, from);
}

static inline void fuzz_event(void *data, const char *component, const char *text)
{
        brain_store_event(data, NULL, brain_wall_us(), component, "event", LEVEL_OK, "", text);
}

static inline void fuzz_catalog(struct brain *b)
{
        const struct check_desc *descs[64];
        struct errinfo err = { 0 };
        json_t *doc;

        for (size_t i = 0; i < checks_all_len; i++)
                descs[i] = &checks_all[i]->desc;
        doc = catalog_to_json(descs, checks_all_len);
        if (catalog_from_json(doc, &b->catalog, &err) < 0)
                abort();
        json_decref(doc);
        b->catalog.several = CATALOG_SEVERAL_MAX;
        for (size_t i = 0; i < b->catalog.n_checks; i++)
                b->catalog.checks[i].privilege = PRIVILEGE_DISK; /* all through the socket that the target listens on */
}

/* Once for all inputs. */
static inline struct brain *fuzz_brain_get(void)
{
        struct brain *b = &fuzz_brain;

        if (b->event)
                return b;
        strcpy(fuzz_run, access("/dev/shm", W_OK) == 0 ? "/dev/shm/veille-fuzz-XXXXXX" : "/tmp/veille-fuzz-XXXXXX");
        if (!mkdtemp(fuzz_run))
                abort();
        atexit(fuzz_remove_run);
        snprintf(fuzz_config, sizeof(fuzz_config), "%s/none.conf", fuzz_run);
        b->options = (struct common_options){ .root = fuzz_run, .config = fuzz_config, .state = fuzz_run, .run = fuzz_run };
        b->probe = "/nonexistent";
        strcpy(b->host, "fuzz");
        b->events = kept_open(fuzz_run);
        b->config = config_new_defaults();
        fuzz_catalog(b);
        if (sd_event_new(&b->event) < 0)
                abort();
        return b;
}

/* For each input. */
static inline struct brain *fuzz_brain_begin(void)
{
        struct brain *b = fuzz_brain_get();

        b->judge = judge_new(&b->catalog, &(struct judge_callbacks){ .changed = fuzz_changed, .event = fuzz_event, .data = b });
        return b;
}

static inline void fuzz_brain_end(struct brain *b)
{
        b->judge = judge_free(b->judge);
}

/* Until nothing is left to do now. */
static inline void fuzz_brain_loop(struct brain *b)
{
        for (int i = 0; i < 10000; i++)
                if (sd_event_run(b->event, 0) <= 0)
                        return;
        abort(); /* a loop that never comes to rest */
}

static inline struct sockaddr_un fuzz_address(const char *name)
{
        struct sockaddr_un sa = { .sun_family = AF_UNIX };

        snprintf(sa.sun_path, sizeof(sa.sun_path), "%.47s/%.40s", fuzz_run, name);
        return sa;
}

static inline int fuzz_listen(const char *name)
{
        struct sockaddr_un sa = fuzz_address(name);
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 || listen(fd, 4) < 0)
                abort();
        return fd;
}

/* What the other end has sent is read away: unread bytes would turn our close into an error over there. */
static inline int fuzz_accept(int fd)
{
        char away[65536];
        int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

        if (client < 0)
                abort();
        while (recv(client, away, sizeof(away), MSG_DONTWAIT) > 0)
                ;
        return client;
}

static inline void fuzz_send(int fd, const uint8_t *data, size_t size)
{
        while (size > 0) {
                ssize_t n = send(fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);

                if (n <= 0)
                        return;
                data += n;
                size -= (size_t)n;
        }
}

/* The bytes up to the separator, which is then skipped. */
static inline size_t fuzz_part(const uint8_t **data, size_t *size, uint8_t separator, const uint8_t **ret)
{
        const uint8_t *end = memchr(*data, separator, *size);
        size_t n = end ? (size_t)(end - *data) : *size;

        *ret = *data;
        *data += end ? n + 1 : n;
        *size -= end ? n + 1 : n;
        return n;
}

#endif
