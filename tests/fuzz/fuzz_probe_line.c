/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The brain's side of the probe protocol: anything at all in answer to a discovery and to a run of what was discovered.
 * Then what the brain publishes must be what its readers accept, and its memory must be what it can load again.
 * Input: one byte says which check; the answer to list; byte 0x1e; the answer to run. */

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

static void ask(struct brain *b, int listener, const struct check_desc *check, struct judge_instance **instances, size_t n,
                const uint8_t *answer, size_t size)
{
        bool done = false;
        int fd;

        if (probe_request_start(b, check, instances, n, on_done, &done) < 0)
                abort();
        fd = fuzz_accept(listener);
        fuzz_send(fd, answer, size);
        close(fd);
        fuzz_brain_loop(b);
        assert(done);
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
        const struct check_desc *check = &b->catalog.checks[size ? *data % b->catalog.n_checks : 0];
        struct judge_instance *due[INSTANCES];
        struct judge *again;
        const uint8_t *part;
        size_t n = 0, len;

        if (listener < 0)
                listener = fuzz_listen("probe-disk.sock");
        if (size) {
                data++;
                size--;
        }
        len = fuzz_part(&data, &size, 0x1e, &part);
        ask(b, listener, check, NULL, 0, part, len);
        for (const struct judge_instance *i = judge_instances(b->judge); i && n < INSTANCES; i = i->next)
                if (i->check == check && i->present)
                        due[n++] = (struct judge_instance *)i;
        if (n)
                ask(b, listener, check, due, n, data, size);
        judge_tick(b->judge, brain_now_us() + 100 * USEC_PER_SEC);
        look_at_files(b);
        again = judge_new(&b->catalog, &(struct judge_callbacks){ .changed = fuzz_changed, .event = fuzz_event, .data = b });
        brain_state_each(b, load, again);
        judge_free(again);
        fuzz_brain_end(b);
        return 0;
}
