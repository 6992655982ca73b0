/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* veille-notify from the copy in memory (veille-life), and what is known of that copy. It lies on a tmpfs: reading it waits for
 * no disk. */

#include <fcntl.h>
#include <sys/stat.h>

#include "brain_notify.h"
#include "brain_program.h"
#include "common_life.h"

#define LOOK_US (60 * USEC_PER_SEC)
#define LIST_MAX (256 * 1024)

int life_spawn_notify(const struct brain *b, pid_t *ret_pid)
{
        struct life_command command;
        char path[4096];
        char *argv[] = { path, (char *)"--life", (char *)b->life, NULL }, *slash;
        ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 32);

        if (life_command(b->life, "veille-notify", NULL, &command)) {
                int fd = program_spawn(command.argv[0], command.argv, ret_pid);

                if (fd >= 0)
                        return fd;
        }
        path[MAX(n, 0)] = '\0';
        slash = strrchr(path, '/');
        strcpy(slash ? slash + 1 : path, "veille-notify");
        return program_spawn(path, argv, ret_pid);
}

/* {"time":T,"bytes":N,"programs":DIR}, owned by the caller; NULL: there is no copy. */
static json_t *read_list(const struct brain *b)
{
        char path[4200];
        struct stat st;
        json_t *doc, *ret = NULL;

        snprintf(path, sizeof(path), "%s/now/life.json", b->life);
        if (stat(path, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > LIST_MAX)
                return NULL;
        doc = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
        if (json_is_integer(json_object_get(doc, "time")))
                ret = json_pack("{sO sO* sO*}", "time", json_object_get(doc, "time"), "bytes", json_object_get(doc, "bytes"), "programs",
                                json_object_get(doc, "programs"));
        json_decref(doc);
        return ret;
}

void life_look(struct brain *b, int64_t now_us)
{
        struct brain_notify *n = b->notify;

        if (n->life_us && now_us - n->life_us < LOOK_US)
                return;
        n->life_us = now_us;
        json_decref(n->life);
        n->life = read_list(b);
        /* Where the directory is not there nobody has set it up: a brain started by hand. */
        if (n->life || access(b->life, F_OK) < 0)
                brain_self(b, "life", VERDICT_OK, "%s", "");
        else if (n->n_sinks > 0)
                brain_self(b, "life", VERDICT_FAILED, "there is no copy of veille-notify in %s: a host whose root disk dies cannot tell; "
                           "systemctl start veille-life", b->life);
}
