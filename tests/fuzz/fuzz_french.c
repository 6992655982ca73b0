/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Sentences that hold what devices and plugins say, in French: there is always something, and the search ends. */

#include "french.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        char text[512]; /* as long as a reason may be */
        struct textbuf out = { 0 };

        size = MIN(size, sizeof(text) - 1);
        memcpy(text, data, size);
        text[size] = '\0';
        french_add(&out, text);
        assert(out.len > 0 && out.len < 16384);
        textbuf_done(&out);
        return 0;
}
