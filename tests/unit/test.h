/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_TEST_H
#define VEILLE_TEST_H

/* What every unit test includes, in the order cmocka wants. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>

#include "macros.h"

/* The corpus of real data lies beside the repository; NULL where it is absent (then the test skips, loudly). */
static inline const char *corpus_dir(void)
{
        static char path[4096];
        const char *shared = getenv("SHARED");

        snprintf(path, sizeof(path), "%s/corpus", shared ? shared : "../shared");
        return access(path, R_OK) == 0 ? path : NULL;
}

#define SKIP_WITHOUT_CORPUS()                                                      \
        do {                                                                       \
                if (!corpus_dir()) {                                               \
                        print_message("no corpus of real data at ../shared/corpus\n"); \
                        skip();                                                    \
                }                                                                  \
        } while (0)

#endif
