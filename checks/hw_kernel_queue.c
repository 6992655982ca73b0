/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Whether a disk or an array still finishes what it is asked: requests are in flight and none completes. Told by the
 * counters of the block layer (Documentation/block/stat.rst), so it is seen without asking the device anything. It
 * is the one sign of a disk that hangs without an error, and of a mirror that stalls on a member instead of failing it. */

#include "hw_kernel.h"

#include <poll.h>

#define LOOK_EVERY_MS 100
#define LOOKS 50 /* 5 s: a disk that retries a sector for long still completes its other requests meanwhile */

enum { READS = 0, WRITES = 4, IN_FLIGHT = 8, DISCARDS = 11, FLUSHES = 15, FIELDS = 17 };

struct queue {
        uint64_t completed, in_flight;
};

static int read_queue(struct env *env, const char *device, struct queue *ret)
{
        uint64_t v[FIELDS] = { 0 };
        char text[512], *p = text, *end;
        size_t n = 0;
        int r = env_read(env, text, sizeof(text), "sys/block/%s/stat", device);

        if (r < 0)
                return r;
        for (; n < FIELDS; n++, p = end) {
                v[n] = strtoull(p, &end, 10);
                if (end == p)
                        break;
        }
        if (n <= IN_FLIGHT)
                return -EBADMSG;
        *ret = (struct queue){ .completed = v[READS] + v[WRITES] + v[DISCARDS] + v[FLUSHES], .in_flight = v[IN_FLIGHT] };
        return 0;
}

enum result kernel_queue_run(struct env *env, const char *device)
{
        struct queue first, now;
        bool stalled = false;
        int r = read_queue(env, device, &first);

        if (r == -ENOENT)
                return RESULT_OK;
        now = first;
        for (int i = 0; r >= 0 && i < LOOKS; i++) {
                stalled = now.in_flight > 0 && now.completed == first.completed;
                if (!stalled)
                        break;
                poll(NULL, 0, LOOK_EVERY_MS);
                r = read_queue(env, device, &now);
        }
        if (r < 0)
                return env_end_errno(env, r, "sys/block/%s/stat", device);
        env_sample(env, "block_stalled", stalled, "device", device, NULL);
        env_sample(env, "block_requests_in_flight", (double)now.in_flight, "device", device, NULL);
        env_sample(env, "block_requests_completed_total", (double)now.completed, "device", device, NULL);
        return RESULT_OK;
}
