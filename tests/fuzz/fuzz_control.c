/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* RUN/control.sock: any bytes, in two pieces, as a client sends them; every line gets one answer in JSON. And as one line
 * of somebody who may not act: nothing but ping is granted. Input: where to cut (one byte), then the bytes. */

#include "fuzz_brain.h"

json_t *brain_control_answer(struct brain *b, const char *text, size_t len, bool may_act, int64_t *ret_wait);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_at_answer(json_t *answer)
{
        const json_t *ok = json_object_get(answer, "ok");

        assert(json_is_boolean(ok));
        assert(json_is_true(ok) || json_string_length(json_object_get(answer, "error")) > 0);
}

static void talk(struct brain *b, const uint8_t *data, size_t size, size_t cut)
{
        struct sockaddr_un sa = fuzz_address("control.sock");
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        char answer[8192];
        json_t *doc;
        ssize_t n;

        if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
                abort();
        fuzz_send(fd, data, MIN(cut, size));
        fuzz_brain_loop(b);
        fuzz_send(fd, data + MIN(cut, size), size - MIN(cut, size));
        shutdown(fd, SHUT_WR);
        fuzz_brain_loop(b);
        n = recv(fd, answer, sizeof(answer), MSG_DONTWAIT);
        /* A line that fits gets its answer. */
        assert(n > 0 || size > 4096 || !memchr(data, '\n', size));
        if (n > 0) {
                assert(memchr(answer, '\n', (size_t)n) == answer + n - 1);
                doc = json_loadb(answer, (size_t)n, 0, NULL);
                look_at_answer(doc);
                json_decref(doc);
        }
        close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct brain *b = fuzz_brain_begin();
        json_t *answer;
        int64_t wait;
        size_t cut = size ? *data : 0;

        if (!b->control && (brain_store_start(b) < 0 || brain_sched_start(b) < 0 || brain_control_start(b) < 0))
                abort();
        if (size) {
                data++;
                size--;
        }
        brain_self(b, "fuzz", VERDICT_FAILED, "%s", "so that there is something to accept");
        talk(b, data, size, cut);
        answer = brain_control_answer(b, (const char *)data, size, false, &wait);
        look_at_answer(answer);
        assert(json_is_false(json_object_get(answer, "ok")) || json_object_get(answer, "pid"));
        json_decref(answer);
        fuzz_brain_end(b);
        return 0;
}
