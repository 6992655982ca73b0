/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* What strangers may ask of veille-act: any bytes. What is taken has a name that is no path, and an environment of our names only. */

#include "act.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct act_request q;
        struct errinfo err = { 0 };
        char *env[ACT_ENV_MAX + 1];
        size_t n;

        if (size > ACT_REQUEST_MAX)
                return 0;
        if (act_request_read((const char *)data, size, &q, &err) == 0) {
                assert(hook_name_ok(q.hook) && !strchr(q.hook, '/') && !strchr(q.hook, '.'));
                n = act_environment(&q, env);
                assert(!env[n]);
                for (size_t i = 0; i < n; i++) {
                        assert(strchr(env[i], '=') && !strchr(env[i], '\n') && strlen(env[i]) < 1200);
                        assert(str_starts(env[i], "VEILLE_") || str_starts(env[i], "PATH=/usr/local/sbin:") || str_starts(env[i], "LANG=C"));
                        free(env[i]);
                }
        } else {
                assert(*err.text);
        }
        act_request_done(&q);
        return 0;
}
