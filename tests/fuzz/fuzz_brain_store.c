/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The brain's side of RUN/store.sock: whatever the store says (memory of before the last reboot, confirmations, complaints),
 * and it may die at once after it. Input: one byte, odd: the store dies; then lines. */

#include "fuzz_brain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A disk that lines may speak of, read once. */
static void read_disk(struct brain *b)
{
        const struct check_desc *check = judge_check(b->judge, "smart");
        const char *const labels[] = { "device", "sda", NULL };
        struct judge_instance *i;

        judge_discovery_begin(b->judge, check);
        i = judge_discovery_add(b->judge, check, "sda", "sda", "5000c500a0b1c2d3", "disk", brain_now_us());
        judge_discovery_end(b->judge, check, brain_now_us());
        judge_run_begin(b->judge, i);
        for (size_t m = 0; m < check->n_metrics; m++)
                judge_sample(b->judge, i, check->metrics[m].name, (double)m, labels, brain_now_us());
        judge_run_end(b->judge, i, VERDICT_OK, "", brain_now_us());
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static int listener = -1;
        struct brain *b = fuzz_brain_begin();
        bool dies = size && *data & 1;
        int fd;

        if (listener < 0)
                listener = fuzz_listen("store.sock");
        if (brain_store_start(b) < 0)
                abort();
        fd = fuzz_accept(listener);
        if (size)
                fuzz_send(fd, data + 1, size - 1);
        if (dies)
                close(fd);
        fuzz_brain_loop(b);
        read_disk(b);
        fuzz_brain_loop(b);
        (void)brain_store_loaded(b);
        judge_tick(b->judge, brain_now_us() + 100 * USEC_PER_SEC);
        if (!dies)
                close(fd);
        brain_store_stop(b);
        fuzz_brain_end(b);
        return 0;
}
