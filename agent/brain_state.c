/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* What the brain knows beyond the last reading: to RUN/state.json once a minute and at the end (a restart
 * finds it there), and to the store by brain_store.c (a reboot finds it there). */

#include <fcntl.h>
#include <sys/stat.h>

#include "brain.h"
#include "brain_events.h"

#define STATE_FILE_MAX (4 * 1024 * 1024)

void brain_state_each(struct brain *b, void (*fn)(void *data, const char *key, json_t *value), void *data)
{
        int64_t now = brain_now_us(), wall = brain_wall_us();
        char key[256];

        for (const struct judge_instance *i = judge_instances(b->judge); i; i = i->next) {
                json_t *value = judge_superseded(b->judge, i) ? NULL : judge_save(i, now, wall);

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
                else
                        kept_state_saved(b->events);
        }
        json_decref(doc);
}

/* A change of level that came after the file was written: it has been told, and must not be told again. */
static void add_level(void *data, const json_t *event)
{
        const char *component = json_string_value(json_object_get(event, "component")), *to = json_string_value(json_object_get(event, "to"));
        char key[256];

        snprintf(key, sizeof(key), "component/%s", component);
        if (level_from_name(to) == LEVEL_OK)
                json_object_del(data, key);
        else
                json_object_set_new(data, key,
                                    json_pack("{sO sO sO sO sI}", "level", json_object_get(event, "to"), "kind", json_object_get(event, "kind"),
                                              "rule", json_object_get(event, "rule"), "why", json_object_get(event, "why"), "since",
                                              (json_int_t)(json_number_value(json_object_get(event, "time")) * USEC_PER_SEC)));
}

void brain_state_load(struct brain *b)
{
        char path[256];
        struct stat st;
        json_t *doc, *value, *state;
        const char *key;
        _cleanup_fclose_ FILE *f = NULL;

        snprintf(path, sizeof(path), "%s/state.json", b->options.run);
        f = fopen(path, "re");
        if (f && (fstat(fileno(f), &st) < 0 || !S_ISREG(st.st_mode)))
                return;
        if (f && st.st_size > STATE_FILE_MAX) {
                brain_limit(b, LIMIT_STATE_FILE, "veilled");
                return;
        }
        doc = f ? json_loadf(f, 0, NULL) : json_object();
        state = json_object_get(doc, "state");
        b->state_loaded = json_is_object(state);
        state = b->state_loaded ? json_incref(state) : json_object();
        kept_levels_since(b->events, json_integer_value(json_object_get(doc, "boot")), add_level, state);
        json_object_foreach(state, key, value) {
                judge_load(b->judge, key, value, brain_now_us(), brain_wall_us());
                brain_selftest_load(b, key, value);
        }
        json_decref(state);
        json_decref(doc);
}
