/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* What the brain knows beyond the last reading: to RUN/state.json once a minute and at the end (a restart
 * finds it there), and to the store by brain_store.c (a reboot finds it there). */

#include <fcntl.h>
#include <sys/stat.h>

#include "brain.h"

#define STATE_FILE_MAX (4 * 1024 * 1024)

void brain_state_each(struct brain *b, void (*fn)(void *data, const char *key, json_t *value), void *data)
{
        int64_t now = brain_now_us(), wall = brain_wall_us();
        char key[256];

        for (const struct judge_instance *i = judge_instances(b->judge); i; i = i->next) {
                json_t *value = judge_save(i, now, wall);

                if (!value)
                        continue;
                judge_save_key(i, key, sizeof(key));
                fn(data, key, value);
                json_decref(value);
        }
        for (const struct judge_component *c = judge_components(b->judge); c; c = c->next) {
                json_t *value = judge_save_component(c, now, wall);

                if (!value)
                        continue;
                snprintf(key, sizeof(key), "component/%s", c->name);
                fn(data, key, value);
                json_decref(value);
        }
        judge_save_present(b->judge, now, wall, fn, data);
        brain_selftest_each(b, fn, data);
}

static void collect(void *data, const char *key, json_t *value)
{
        json_object_set(data, key, value);
}

void brain_state_save(struct brain *b)
{
        json_t *doc = json_object(), *state = json_object();
        char path[256], tmp[256];
        FILE *f;
        int fd;

        brain_state_each(b, collect, state);
        json_object_set_new(doc, "wall", json_integer(brain_wall_us()));
        json_object_set_new(doc, "boot", json_integer(brain_now_us()));
        json_object_set_new(doc, "state", state);
        snprintf(path, sizeof(path), "%s/state.json", b->options.run);
        snprintf(tmp, sizeof(tmp), "%s/.state.json.tmp", b->options.run);
        fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
        f = fd < 0 ? NULL : fdopen(fd, "w");
        if (f) {
                bool bad = json_dumpf(doc, f, JSON_COMPACT | JSON_REAL_PRECISION(17)) < 0;

                bad |= fclose(f) != 0;
                if (bad || rename(tmp, path) < 0)
                        unlink(tmp);
        }
        json_decref(doc);
}

void brain_state_load(struct brain *b)
{
        char path[256];
        struct stat st;
        json_t *doc, *value;
        const char *key;
        _cleanup_fclose_ FILE *f = NULL;

        snprintf(path, sizeof(path), "%s/state.json", b->options.run);
        f = fopen(path, "re");
        if (!f || fstat(fileno(f), &st) < 0 || !S_ISREG(st.st_mode))
                return;
        if (st.st_size > STATE_FILE_MAX) {
                brain_limit(b, LIMIT_STATE_FILE, "veilled");
                return;
        }
        doc = json_loadf(f, 0, NULL);
        json_object_foreach(json_object_get(doc, "state"), key, value) {
                judge_load(b->judge, key, value, brain_now_us(), brain_wall_us());
                brain_selftest_load(b, key, value);
        }
        json_decref(doc);
}
