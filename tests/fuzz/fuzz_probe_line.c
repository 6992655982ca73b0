/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The brain's side of the probe protocol: anything at all in answer to a discovery and to a run of what was discovered.
 * Then what the brain publishes must be what its readers accept, and its memory must be what it can load again.
 * Input: one byte says which check, its highest bit whether the next one asks over the same channel; the answer to list; byte 0x1e;
 * the answer to run. */

#include "brain_channel.h"
#include "fuzz_brain.h"
#include "status_doc.h"

/* For its writers, which are nobody else's. */
#include "../../agent/brain_publish.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INSTANCES 16

static void on_done(void *data, const struct check_desc *check UNUSED, bool discovery UNUSED)
{
        *(bool *)data = true;
}

/* A run of the instances that are known of each check, or, as long as none is known, its discovery. */
static void ask(struct brain *b, int listener, const struct check_desc *const *checks, size_t n_checks, const uint8_t *answer, size_t size)
{
        bool done[2] = { false, false };
        int fd;

        for (size_t k = 0; k < n_checks; k++) {
                struct judge_instance *due[INSTANCES];
                size_t n = 0;

                for (const struct judge_instance *i = judge_instances(b->judge); i && n < INSTANCES; i = i->next)
                        if (i->check == checks[k] && i->present)
                                due[n++] = (struct judge_instance *)i;
                if (probe_request_start(b, checks[k], due, n, on_done, &done[k]) < 0)
                        abort();
        }
        channels_send();
        fd = fuzz_accept(listener);
        fuzz_send(fd, answer, size);
        close(fd);
        fuzz_brain_loop(b);
        for (size_t k = 0; k < n_checks; k++)
                assert(done[k]);
}

static char *slurp(const char *name, size_t *ret_len)
{
        char path[96], *text;
        _cleanup_fclose_ FILE *f = NULL;
        long len;

        snprintf(path, sizeof(path), "%s/%s", fuzz_run, name);
        f = fopen(path, "re");
        assert(f);
        fseek(f, 0, SEEK_END);
        len = ftell(f);
        rewind(f);
        text = malloc((size_t)len + 1);
        assert(text && fread(text, 1, (size_t)len, f) == (size_t)len);
        *ret_len = (size_t)len;
        return text;
}

static void look_at_files(struct brain *b)
{
        _cleanup_free_ char *status = NULL, *samples = NULL;
        struct brain_publish publish = { 0 };
        struct status_doc s;
        struct errinfo err = { 0 };
        size_t len;
        json_t *doc;

        b->publish = &publish;
        if (publish_status(b) < 0 || publish_samples(b) < 0)
                abort();
        b->publish = NULL;
        status = slurp("status.json", &len);
        if (status_doc_parse(status, len, (double)brain_now_us() / USEC_PER_SEC, 30, &s, &err) < 0) {
                fprintf(stderr, "our own status is damaged: %s\n%s\n", err.text, status);
                abort();
        }
        assert(!s.silent);
        status_doc_done(&s);
        samples = slurp("samples.json", &len);
        doc = json_loadb(samples, len, JSON_REJECT_DUPLICATES, NULL);
        if (!doc) {
                fprintf(stderr, "our own samples are damaged: %s\n", samples);
                abort();
        }
        json_decref(doc);
}

static void load(void *data, const char *key, json_t *value)
{
        judge_load(data, key, value, brain_now_us(), brain_wall_us());
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static int listener = -1;
        struct brain *b = fuzz_brain_begin();
        size_t first = size ? (*data & 0x7f) % b->catalog.n_checks : 0, len;
        const struct check_desc *checks[] = { &b->catalog.checks[first], &b->catalog.checks[(first + 1) % b->catalog.n_checks] };
        size_t n = size && *data & 0x80 ? 2 : 1;
        struct judge *again;
        const uint8_t *part;

        if (listener < 0)
                listener = fuzz_listen("probe-disk.sock");
        if (size) {
                data++;
                size--;
        }
        len = fuzz_part(&data, &size, 0x1e, &part);
        ask(b, listener, checks, n, part, len);
        ask(b, listener, checks, n, data, size);
        judge_tick(b->judge, brain_now_us() + 100 * USEC_PER_SEC);
        look_at_files(b);
        again = judge_new(&b->catalog, &(struct judge_callbacks){ .changed = fuzz_changed, .event = fuzz_event, .data = b });
        brain_state_each(b, load, again);
        judge_free(again);
        fuzz_brain_end(b);
        return 0;
}
