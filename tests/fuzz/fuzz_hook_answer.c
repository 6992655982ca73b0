/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The brain's side of RUN/act.sock: whatever veille-act, or a hook through it, answers, and whatever RUN/hooks.json says of a run after a
 * restart. Each run ends on record, and once. Input: one byte, with bit 1: a state; then the bytes. */

#include "brain_hook.h"
#include "fuzz_brain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct config *with_hook(void)
{
        static const char text[] = "[hooks]\nmode = auto\n[hook x]\nclass = repair\non = health:red\n";
        struct config_errors errors;
        struct config *c;

        if (config_parse_string("fuzz", text, sizeof(text) - 1, &c, &errors) < 0)
                abort();
        return c;
}

static void answered(struct brain *b, int listener, const uint8_t *data, size_t size)
{
        json_t *request = json_pack("{ss}", "hook", "x"), *answer = brain_hook_run(b, request);
        struct hook *h = hook_find(b, "x");
        int fd = fuzz_accept(listener);

        assert(json_is_true(json_object_get(answer, "ok")) && h->running && h->run);
        json_decref(answer);
        json_decref(request);
        fuzz_send(fd, data, size);
        close(fd); /* the answer ends, or there was none */
        fuzz_brain_loop(b);
        assert(!h->running && !h->run && h->last && json_string_value(json_object_get(h->last, "outcome")));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static int listener = -1;
        struct brain *b = fuzz_brain_begin();
        bool state = size && *data & 2;
        json_t *value;

        if (listener < 0) {
                listener = fuzz_listen("act.sock");
                config_free(b->config);
                b->config = with_hook();
        }
        if (brain_hook_start(b) < 0)
                abort();
        if (state) {
                value = json_loadb((const char *)data + 1, size - 1, 0, NULL);
                brain_hook_load(b, "hook/x", value);
                brain_hook_load(b, "hook-health", value);
                assert(!hook_find(b, "x")->running);
                json_decref(value);
        } else {
                answered(b, listener, data + (size > 0), size - (size > 0));
        }
        brain_hook_stop(b);
        fuzz_brain_end(b);
        return 0;
}
