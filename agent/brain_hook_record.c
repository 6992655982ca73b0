/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* What is on record of hooks: RUN/hooks.json, which a restart reads, and what the store keeps for a reboot. A run that is on record
 * without an end has an unknown outcome. */

#include <fcntl.h>
#include <sys/stat.h>

#include "brain_hook.h"
#include "common_file.h"

#define FILE_NAME "hooks.json"
#define FILE_MAX (8 * 1024 * 1024)
#define STORED_OUTPUT_MAX 4096 /* in the store; RUN has all */

static json_t *state_json(const struct hook *h)
{
        json_t *o = hook_memory_save(&h->memory);

        if (h->asked) {
                json_object_set(o, "asked", h->asked);
                json_object_set_new(o, "asked_key", json_string(h->asked_key));
        }
        if (h->running)
                json_object_set(o, "running", h->running);
        if (h->last)
                json_object_set(o, "last", h->last);
        return o;
}

static json_t *hook_json(const struct hook *h)
{
        json_t *on = json_array();

        for (size_t i = 0; i < h->config.n_on; i++)
                json_array_append_new(on, json_string(h->config.on[i]));
        return json_pack("{ss ss so sI sI si ss so}", "name", h->config.name, "class", hook_class_name(h->config.class), "on", on, "cool_down",
                         (json_int_t)h->config.cool_down_s, "deadline", (json_int_t)h->config.deadline_s, "per_day", h->config.per_day, "waits",
                         h->waits, "state", state_json(h));
}

/* The store keeps less of the output, and lines of it are bounded. */
static json_t *stored_json(const struct hook *h)
{
        json_t *o = state_json(h), *last = json_object_get(o, "last");
        const char *output = json_string_value(json_object_get(last, "output"));

        if (output && strlen(output) > STORED_OUTPUT_MAX) {
                last = json_copy(last);
                size_t cut = STORED_OUTPUT_MAX;

                while (cut > 0 && ((unsigned char)output[cut] & 0xc0) == 0x80)
                        cut--;
                json_object_set_new(last, "output", json_stringn(output, cut));
                json_object_set_new(o, "last", last);
        }
        return o;
}

void hook_write(struct brain *b)
{
        struct brain_hook *all = b->hook;
        json_t *list = json_array(), *doc;
        char *text;
        int r;

        for (size_t i = 0; i < all->n; i++)
                if (!all->hooks[i].gone || all->hooks[i].running)
                        json_array_append_new(list, hook_json(&all->hooks[i]));
        doc = json_pack("{si ss sf ss ss so}", "version", 1, "host", b->host, "time", (double)brain_wall_us() / USEC_PER_SEC, "mode",
                        hook_mode_name(all->mode), "health", all->health_known ? health_name(all->health) : "", "hooks", list);
        text = json_dumps(doc, JSON_COMPACT | JSON_REAL_PRECISION(17));
        json_decref(doc);
        if (!text)
                abort();
        r = file_write_atomic(b->options.run, FILE_NAME, text, strlen(text), 0640, false);
        free(text);
        if (r < 0)
                brain_log(b, BRAIN_ERROR, "%s/" FILE_NAME ": %s; a restart may repeat a hook", b->options.run, strerror(-r));
        all->changed = false;
        brain_store_state(b);
}

void brain_hook_each(struct brain *b, void (*fn)(void *data, const char *key, json_t *value), void *data)
{
        char key[HOOK_NAME_LEN + 16];
        json_t *value;

        if (!b->hook)
                return;
        for (size_t i = 0; i < b->hook->n; i++) {
                snprintf(key, sizeof(key), "hook/%s", b->hook->hooks[i].config.name);
                value = stored_json(&b->hook->hooks[i]);
                fn(data, key, value);
                json_decref(value);
        }
        if (b->hook->n && b->hook->health_known) {
                value = json_pack("{ss}", "health", health_name(b->hook->health));
                fn(data, "hook-health", value);
                json_decref(value);
        }
}

static void load_health(struct brain *b, const char *name)
{
        for (int i = 0; name && i < HEALTH_MAX; i++)
                if (streq(name, health_name((enum health)i))) {
                        b->hook->health = (enum health)i;
                        b->hook->health_known = true;
                }
}

static json_t *take_object(const json_t *value, const char *key)
{
        json_t *o = json_object_get(value, key);

        return json_is_object(o) && json_string_value(json_object_get(o, "id")) ? json_incref(o) : NULL;
}

static void load_hook(struct brain *b, struct hook *h, const json_t *value)
{
        const char *key = json_string_value(json_object_get(value, "asked_key"));

        hook_memory_done(&h->memory);
        hook_memory_load(&h->memory, value, brain_wall_us() / USEC_PER_SEC);
        json_decref(h->asked);
        json_decref(h->last);
        json_decref(h->running);
        h->asked = key ? take_object(value, "asked") : NULL;
        snprintf(h->asked_key, sizeof(h->asked_key), "%s", key ? key : "");
        h->last = take_object(value, "last");
        h->running = take_object(value, "running");
        if (h->running)
                hook_end(b, h, NULL, "unknown", "veilled or the host ended while it ran: unknown outcome, not repeated");
        h->memory.busy = h->asked != NULL;
}

void brain_hook_load(struct brain *b, const char *key, const json_t *value)
{
        struct hook *h;

        if (!b->hook)
                return;
        if (streq(key, "hook-health") && !b->hook->health_known)
                load_health(b, json_string_value(json_object_get(value, "health")));
        h = str_starts(key, "hook/") ? hook_find(b, key + strlen("hook/")) : NULL;
        /* RUN knew it better. */
        if (h && !h->last && !h->running && !h->asked && !h->memory.seen && !h->memory.n_runs)
                load_hook(b, h, value);
        if (h) /* of the boot before */
                json_object_del(h->memory.seen, "event:started");
}

void hook_read(struct brain *b)
{
        char path[4096];
        _cleanup_fclose_ FILE *f = NULL;
        json_t *doc, *o;
        struct stat st;
        struct hook *h;
        size_t i;

        snprintf(path, sizeof(path), "%s/" FILE_NAME, b->options.run);
        f = fopen(path, "re");
        if (!f || fstat(fileno(f), &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > FILE_MAX)
                return;
        doc = json_loadf(f, 0, NULL);
        load_health(b, json_string_value(json_object_get(doc, "health")));
        json_array_foreach(json_object_get(doc, "hooks"), i, o) {
                const char *name = json_string_value(json_object_get(o, "name"));

                h = name ? hook_find(b, name) : NULL;
                if (h)
                        load_hook(b, h, json_object_get(o, "state"));
        }
        json_decref(doc);
}
