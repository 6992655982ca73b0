/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The dead man's switch: a URL elsewhere that is asked for as long as this brain lives and judges. Its owner tells people when that
 * ends. So it is asked for only when a run of a check has ended and was judged since the last time: a brain that only turns its
 * timers is as good as dead. veille-notify does the asking. */

#include "brain_notify.h"

#define EVERY_US USEC_PER_SEC
#define FAILURES 3 /* in a row: somebody is to know */

struct brain_deadman {
        sd_event_source *timer;
        int64_t last_us;
        uint64_t runs; /* at the last time */
        bool under_way;
        unsigned failures;
};

void deadman_end(struct brain *b, const json_t *answer, const char *why)
{
        struct brain_deadman *d = b->deadman;
        const char *error = json_string_value(json_object_get(answer, "error"));

        if (!d)
                return;
        d->under_way = false;
        if (json_is_true(json_object_get(answer, "ok"))) {
                d->failures = 0;
                brain_self(b, "deadman", VERDICT_OK, "%s", "");
        } else if (++d->failures >= FAILURES) {
                brain_self(b, "deadman", VERDICT_FAILED, "[deadman] url does not answer: %s; its owner will take this host for dead", error ? error : why);
        }
}

static void ask(struct brain *b, const char *url)
{
        int64_t timeout = config_int(b->config, "deadman", NULL, "timeout");
        json_t *doc = json_pack("{ss sI so}", "ping", url, "timeout", (json_int_t)timeout, "addresses", names_of_url(b, url));
        char *text = doc ? json_dumps(doc, JSON_COMPACT) : NULL, *line = NULL;

        json_decref(doc);
        if (text && asprintf(&line, "%s\n", text) < 0)
                abort();
        free(text);
        b->deadman->under_way = true;
        delivery_ping(b, line, timeout);
}

static int on_timer(sd_event_source *source, uint64_t usec UNUSED, void *data)
{
        struct brain *b = data;
        struct brain_deadman *d = b->deadman;
        const char *url = config_string(b->config, "deadman", NULL, "url");
        int64_t now = brain_now_us();

        if (url && *url && !d->under_way && b->counters.runs > d->runs &&
            (!d->last_us || now - d->last_us >= config_int(b->config, "deadman", NULL, "interval") * USEC_PER_SEC)) {
                d->last_us = now;
                d->runs = b->counters.runs;
                ask(b, url);
        }
        if (!(url && *url) && d->failures) {
                d->failures = 0;
                brain_self(b, "deadman", VERDICT_OK, "%s", "");
        }
        sd_event_source_set_time_relative(source, EVERY_US);
        return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

int brain_deadman_start(struct brain *b)
{
        b->deadman = calloc(1, sizeof(*b->deadman));
        if (!b->deadman)
                abort();
        return sd_event_add_time_relative(b->event, &b->deadman->timer, CLOCK_BOOTTIME, EVERY_US, 500 * USEC_PER_MSEC, on_timer, b);
}

void brain_deadman_stop(struct brain *b)
{
        if (!b->deadman)
                return;
        sd_event_source_disable_unref(b->deadman->timer);
        free(b->deadman);
        b->deadman = NULL;
}
