/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* RUN/store.sock: anything at all as lines, through the reader of lines to a store in memory, then every question. */

#include <sys/socket.h>

#include "store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int64_t clock_us;

static int64_t fake_clock(void)
{
        return clock_us;
}

static void no_log(int priority UNUSED, const char *text UNUSED)
{
}

static void drain(struct store *s, struct peer *p)
{
        do {
                peer_work(s, p);
                p->j.out_len = p->j.out_sent = 0;
        } while (p->job.kind != JOB_NONE);
}

static void take_lines(struct store *s, struct peer *p)
{
        json_t *line;
        int r;

        while ((r = jsonl_next(&p->j, &line)) != 0) {
                if (r < 0)
                        continue;
                peer_line(s, p, line);
                json_decref(line);
                drain(s, p);
                clock_us += 10 * USEC_PER_SEC;
        }
}

static void ask(struct store *s, struct peer *p, const char *text)
{
        json_t *line = json_loads(text, 0, NULL);

        assert(line);
        peer_line(s, p, line);
        json_decref(line);
        drain(s, p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const struct common_options options = { "/", "", "/nowhere", "/nowhere" };
        struct config *config = config_new_defaults();
        struct peer p = { .writer = true };
        struct store s;
        int fds[2];

        clock_us = 1700000000 * USEC_PER_SEC;
        store_init(&s, &options, config);
        config_free(config);
        s.memory_only = true;
        s.wall_us = s.boot_us = fake_clock;
        s.log = no_log;
        s.max_series = 50;
        db_open(&s);
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) < 0)
                abort();
        jsonl_init(&p.j, fds[0], 4096, 1024 * 1024);
        while (size > 0) {
                ssize_t n = write(fds[1], data, MIN(size, 3000));

                if (n <= 0)
                        break;
                data += n;
                size -= (size_t)n;
                while (jsonl_fill(&p.j) > 0)
                        take_lines(&s, &p);
        }
        store_commit(&s);
        for (int i = 0; i < 60 && store_tidy(&s); i++)
                clock_us += DAY_S / 12 * USEC_PER_SEC;
        for (size_t i = 0; i < s.dict.n_components; i++) {
                json_t *line = json_pack("{ss ss sI sI}", "t", "history", "component", s.dict.components[i]->name, "from", (json_int_t)1600000000, "to",
                                         (json_int_t)1800000000);

                if (!line)
                        continue;
                peer_line(&s, &p, line);
                json_decref(line);
                drain(&s, &p);
        }
        ask(&s, &p, "{\"t\":\"events\"}");
        ask(&s, &p, "{\"t\":\"load\"}");
        ask(&s, &p, "{\"t\":\"stats\"}");
        job_done(&p.job);
        jsonl_done(&p.j);
        close(fds[1]);
        store_done(&s);
        return 0;
}
