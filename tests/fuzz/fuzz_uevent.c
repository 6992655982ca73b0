/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* What the kernel tells unasked, as bytes: KEY=VALUE texts that end in NUL. */

#include "fuzz_brain.h"

void brain_uevent_parse(struct brain *b, const char *buf, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct brain *b = fuzz_brain_begin();
        char *copy = malloc(size + 1);

        if (!copy || (!b->sched && brain_sched_start(b) < 0))
                abort();
        memcpy(copy, data, size);
        copy[size] = '\0';
        brain_uevent_parse(b, copy, size);
        free(copy);
        fuzz_brain_end(b);
        return 0;
}
