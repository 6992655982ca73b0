/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Every check that reads files, over a made-up tree of them: /sys and /proc of drivers that write what they like. Input:
 * entries with 0x1e between them; "PATH\nCONTENT" is a file, "PATH -> TARGET" a link. Checks that touch other things (the
 * sensors of this very host, a network, a disk to write to, programs) are left out. */

#include <poll.h>
#include <time.h>

#include "fuzz_env.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const checks[] = { "edac", "power", "smart-ata", "smart", "fs", "raid", "topology", "kernel", "net", "host", "boot" };

/* A queue that stands still is looked at for a second: not here. */
int poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
        struct timespec timeout = { timeout_ms / 1000, timeout_ms % 1000 * 1000000 };

        return n == 0 ? 0 : ppoll(fds, n, timeout_ms < 0 ? NULL : &timeout, NULL);
}

static int no_command(struct env *env UNUSED, const char *const argv[] UNUSED, int deadline_s UNUSED, size_t max_out UNUSED,
                      struct cmd_result *ret UNUSED)
{
        return -ENOENT;
}

static void entry(const char *text, size_t len)
{
        const char *nl = memchr(text, '\n', len), *arrow = memmem(text, len, " -> ", 4);
        _cleanup_free_ char *path = NULL, *target = NULL;

        if (arrow && (!nl || arrow < nl)) {
                path = strndup(text, (size_t)(arrow - text));
                target = strndup(arrow + 4, len - (size_t)(arrow - text) - 4);
                fuzz_tree_entry(path, target, NULL, 0);
        } else if (nl) {
                path = strndup(text, (size_t)(nl - text));
                fuzz_tree_entry(path, NULL, nl + 1, len - (size_t)(nl - text) - 1);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct env env;

        fuzz_env_init(&env);
        env.run_cmd = no_command;
        for (int n = 0; size > 0 && n < 100; n++) {
                const uint8_t *end = memchr(data, 0x1e, size);
                size_t len = end ? (size_t)(end - data) : size;

                entry((const char *)data, len);
                data += MIN(len + 1, size);
                size -= MIN(len + 1, size);
        }
        for (size_t i = 0; i < ARRAY_LEN(checks); i++)
                fuzz_check(&env, check_by_name(checks[i]));
        fuzz_env_done(&env);
        fuzz_clear_root();
        return 0;
}
