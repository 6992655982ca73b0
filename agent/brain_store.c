/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The link to veille-store: samples once a minute, events at once, state on change. The store may hang
 * with its disk: what does not fit into a bounded queue is dropped and counted, and a sync that is not acknowledged
 * within two minutes is shown. Also reads back the state of before the last reboot, for which the schedule
 * waits a few seconds at start. */

#include <math.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "brain.h"

#define QUEUE_MAX (512 * 1024)
#define LINE_MAX_LEN (256 * 1024)
#define RETRY_US (5 * USEC_PER_SEC)
#define LOAD_WAIT_US (4 * USEC_PER_SEC)
#define EVERY_US (60 * USEC_PER_SEC)
#define ACK_WAIT_US (150 * USEC_PER_SEC)

struct brain_store {
        struct brain *b;
        int fd;
        sd_event_source *io, *timer;
        char *queue;          /* bytes to send */
        size_t len, size;
        char *in;
        size_t in_len;
        int64_t started_us, samples_us, unacked_us; /* unacked: since when the oldest sync waits; 0: none */
        int64_t seq, acked;
        bool loaded, ever;
        int loading;          /* answers to "load" that are still to come */
        json_t *saved;        /* what the store has of our state, to send only changes: key and stand_in() */
};

static void link_down(struct brain_store *s)
{
        s->io = sd_event_source_disable_unref(s->io);
        if (s->fd >= 0)
                close(s->fd);
        s->fd = -1;
        s->len = s->in_len = 0;
        s->unacked_us = 0;
}

static void flush_queue(struct brain_store *s)
{
        while (s->fd >= 0 && s->len > 0) {
                ssize_t n = send(s->fd, s->queue, s->len, MSG_NOSIGNAL | MSG_DONTWAIT);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0) {
                        if (errno != EAGAIN)
                                link_down(s);
                        break;
                }
                memmove(s->queue, s->queue + n, s->len - (size_t)n);
                s->len -= (size_t)n;
        }
        if (s->io)
                sd_event_source_set_io_events(s->io, EPOLLIN | (s->len ? EPOLLOUT : 0));
}

/* Takes the document. What does not fit is lost (false) and counted: the brain does not wait and does not grow. */
static bool send_doc(struct brain_store *s, json_t *doc)
{
        char *text = json_dumps(doc, JSON_COMPACT | JSON_REAL_PRECISION(15));
        size_t n = text ? strlen(text) : 0;

        json_decref(doc);
        if (!text || s->fd < 0 || s->len + n + 1 > QUEUE_MAX) {
                s->b->counters.dropped_store_lines++;
                free(text);
                return false;
        }
        if (s->len + n + 1 > s->size) {
                s->size = MAX(s->len + n + 1, 4096);
                s->queue = realloc(s->queue, s->size);
                if (!s->queue)
                        abort();
        }
        memcpy(s->queue + s->len, text, n);
        s->queue[s->len + n] = '\n';
        s->len += n + 1;
        free(text);
        flush_queue(s);
        if (s->len == 0) { /* do not keep the size of the largest burst */
                free(take_ptr(s->queue));
                s->size = 0;
        }
        return true;
}

void brain_store_event(struct brain *b, int64_t wall_us, const char *component, const char *kind, enum level from, enum level to,
                       const char *rule, const char *why)
{
        b->counters.events++;
        if (b->store)
                send_doc(b->store, json_pack("{ss sf ss ss ss ss ss ss}", "t", "event", "time", (double)wall_us / USEC_PER_SEC,
                                             "component", component, "kind", kind, "from", level_name(from), "to", level_name(to),
                                             "rule", rule, "why", why));
}

static void series_key(const struct judge_instance *i, const struct judge_series *s, char *buf, size_t size)
{
        const char *labels = s->labels, *n, *v;
        size_t len = (size_t)snprintf(buf, size, "%s/%s/%s{", i->check->name, i->name, s->metric->name);
        const char *comma = "";

        while (len < size && (labels = judge_label_next(labels, &n, &v))) {
                len += (size_t)snprintf(buf + len, size - len, "%s%s=%s", comma, n, v);
                comma = ",";
        }
        if (len < size)
                snprintf(buf + len, size - len, "}");
}

static void send_rows(struct brain_store *s, json_t *rows)
{
        send_doc(s, json_pack("{ss sf so}", "t", "samples", "time", (double)brain_wall_us() / USEC_PER_SEC, "rows", rows));
}

/* In lines of 100 rows: a line must fit into what the store reads at once. */
static void send_samples(struct brain_store *s)
{
        json_t *rows = json_array();
        int64_t since = s->samples_us;

        s->samples_us = brain_now_us();
        for (const struct judge_instance *i = judge_instances(s->b->judge); i; i = i->next)
                for (size_t k = 0; k < i->n_series; k++) {
                        const struct judge_series *series = &i->series[k];
                        char key[2048];

                        if (series->time_us <= since || series->metric->kind == METRIC_INFO)
                                continue;
                        series_key(i, series, key, sizeof(key));
                        json_array_append_new(rows, json_pack("[ssf]", key, series->component->name, series->value));
                        if (json_array_size(rows) == 100) {
                                send_rows(s, rows);
                                rows = json_array();
                        }
                }
        if (json_array_size(rows))
                send_rows(s, rows);
        else
                json_decref(rows);
}

static uint64_t hash_bytes(uint64_t h, const void *data, size_t len)
{
        const unsigned char *p = data;

        while (len--)
                h = (h ^ *p++) * 1099511628211u; /* FNV-1a */
        return h;
}

/* Without the member skip of the outermost object; NULL: with all. */
static uint64_t hash_json(uint64_t h, const json_t *v, const char *skip)
{
        char type = (char)('0' + json_typeof(v));
        json_int_t integer = json_integer_value(v);
        double real = json_real_value(v);
        const json_t *item;
        const char *key;
        size_t i;

        h = hash_bytes(h, &type, 1);
        if (json_is_string(v))
                return hash_bytes(h, json_string_value(v), json_string_length(v) + 1);
        if (json_is_integer(v))
                return hash_bytes(h, &integer, sizeof(integer));
        if (json_is_real(v))
                return hash_bytes(h, &real, sizeof(real));
        json_array_foreach(v, i, item)
                h = hash_json(h, item, NULL);
        json_object_foreach((json_t *)v, key, item)
                if (!skip || !streq(key, skip))
                        h = hash_json(hash_bytes(h, key, strlen(key) + 1), item, NULL);
        return hash_bytes(h, "]", 1);
}

/* What stands for a value among those that the store has: the values themselves would be half a megabyte. The time of saving is
 * no change. */
static json_t *stand_in(const json_t *value)
{
        return json_integer((json_int_t)hash_json(14695981039346656037u, value, "wall"));
}

struct put {
        struct brain_store *s;
        json_t *now;
};

/* What was not sent is not saved: it is tried again the next minute. */
static void put_changed(void *data, const char *key, json_t *value)
{
        struct put *p = data;
        json_t *before = json_object_get(p->s->saved, key), *now = stand_in(value);

        json_object_set_new(p->now, key, now);
        if (json_equal(before, now))
                return;
        if (send_doc(p->s, json_pack("{ss ss sO}", "t", "put", "key", key, "value", value)))
                return;
        if (before)
                json_object_set(p->now, key, before);
        else
                json_object_del(p->now, key);
}

/* Of other things the last state is kept when they are gone for a while. */
static bool comes_and_goes(const char *key)
{
        return str_starts(key, "component/") || str_starts(key, "present/") || str_starts(key, "alert/") || str_starts(key, "letter/");
}

static void send_state(struct brain_store *s)
{
        struct put p = { .s = s, .now = json_object() };
        const char *key;
        json_t *v;

        brain_state_each(s->b, put_changed, &p);
        brain_alert_each(s->b, put_changed, &p);
        json_object_foreach(s->saved, key, v)
                if (comes_and_goes(key) && !json_object_get(p.now, key) && !send_doc(s, json_pack("{ss ss}", "t", "del", "key", key)))
                        json_object_set(p.now, key, v);
        json_decref(s->saved);
        s->saved = p.now;
}

/* A store that died took with it what it had not written yet: all is sent again, once. */
static void forget_saved(struct brain_store *s)
{
        const char *key;
        json_t *v;

        json_object_foreach(s->saved, key, v)
                json_object_set_new(s->saved, key, json_null());
}

static void handle_line(struct brain_store *s, const char *text, size_t len)
{
        json_t *doc = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
        const char *t = json_string_value(json_object_get(doc, "t"));

        if (t && streq(t, "kv")) {
                const char *key = json_string_value(json_object_get(doc, "key"));
                json_t *value = json_object_get(doc, "value");

                if (key && value) {
                        judge_load(s->b->judge, key, value, brain_now_us(), brain_wall_us());
                        brain_selftest_load(s->b, key, value);
                        brain_alert_load(s->b, key, value);
                        json_object_set_new(s->saved, key, stand_in(value));
                }
        } else if (t && streq(t, "loaded")) {
                s->loaded = --s->loading <= 0;
        } else if (t && streq(t, "ack")) {
                int64_t seq = json_integer_value(json_object_get(doc, "seq"));

                s->acked = MAX(s->acked, seq);
                if (s->acked >= s->seq)
                        s->unacked_us = 0;
                brain_self(s->b, "store", VERDICT_OK, "%s", "");
        } else if (t && streq(t, "error")) {
                const char *why = json_string_value(json_object_get(doc, "why"));

                brain_self(s->b, "store", VERDICT_FAILED, "veille-store: %s; history and memory over reboots are at risk",
                           why ? why : "an error without a reason");
        }
        json_decref(doc);
}

static int on_io(sd_event_source *source UNUSED, int fd, uint32_t revents, void *data)
{
        struct brain_store *s = data;
        char *nl, *start = s->in;
        ssize_t n;

        if (revents & EPOLLOUT)
                flush_queue(s);
        if (s->fd < 0 || !(revents & (EPOLLIN | EPOLLHUP | EPOLLERR)))
                return 0;
        n = recv(fd, s->in + s->in_len, LINE_MAX_LEN - s->in_len, MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return 0;
        if (n <= 0) {
                link_down(s);
                return 0;
        }
        s->in_len += (size_t)n;
        while ((nl = memchr(start, '\n', s->in_len - (size_t)(start - s->in)))) {
                handle_line(s, start, (size_t)(nl - start));
                /* A line may change a level, which is an event to send: if the store died meanwhile, the link went down and
                 * took what was read with it. */
                if (s->fd < 0)
                        return 0;
                start = nl + 1;
        }
        s->in_len -= (size_t)(start - s->in);
        memmove(s->in, start, s->in_len);
        if (s->in_len == LINE_MAX_LEN)
                link_down(s);
        return 0;
}

static void link_up(struct brain_store *s)
{
        static const char *const prefixes[] = { "state/", "component/", "present/", "selftest", "alert", "letter/" };
        struct sockaddr_un sa = { .sun_family = AF_UNIX };
        int n = snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/store.sock", s->b->options.run);

        if (n < 0 || (size_t)n >= sizeof(sa.sun_path))
                return;
        s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (s->fd < 0)
                return;
        if (connect(s->fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 ||
            sd_event_add_io(s->b->event, &s->io, s->fd, EPOLLIN, on_io, s) < 0) {
                link_down(s);
                return;
        }
        s->ever = true;
        forget_saved(s);
        s->loading = s->loaded ? 0 : (int)ARRAY_LEN(prefixes);
        for (int i = 0; i < s->loading; i++)
                send_doc(s, json_pack("{ss ss}", "t", "load", "prefix", prefixes[i]));
}

static int on_timer(sd_event_source *source, uint64_t usec UNUSED, void *data)
{
        struct brain_store *s = data;
        int64_t now = brain_now_us();
        bool early = now - s->started_us < LOAD_WAIT_US;

        if (s->fd < 0)
                link_up(s);
        if (s->fd < 0 && now - s->started_us > 30 * USEC_PER_SEC)
                brain_self(s->b, "store", VERDICT_FAILED, "veille-store does not answer on %s/store.sock; history and memory over reboots are off",
                           s->b->options.run);
        if (s->unacked_us && now - s->unacked_us > ACK_WAIT_US)
                /* In minutes: a sentence that changes is logged. */
                brain_self(s->b, "store", VERDICT_TIMEOUT, "veille-store has not confirmed a write for %d min: its disk may hang; %s",
                           (int)((now - s->unacked_us) / (60 * USEC_PER_SEC)), "levels and alerts go on, history has a gap");
        if (s->fd >= 0 && !early && now - s->samples_us >= EVERY_US) {
                send_samples(s);
                send_state(s);
                send_doc(s, json_pack("{ss sI}", "t", "sync", "seq", (json_int_t)++s->seq));
                if (!s->unacked_us)
                        s->unacked_us = now;
        }
        sd_event_source_set_time_relative(source, early ? 200 * USEC_PER_MSEC : RETRY_US);
        return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

void brain_store_state(struct brain *b)
{
        struct brain_store *s = b->store;

        /* Before everything has come from the store, what it has and we have not is not gone. */
        if (!s || s->fd < 0 || !s->loaded)
                return;
        send_state(s);
        send_doc(s, json_pack("{ss sI}", "t", "sync", "seq", (json_int_t)++s->seq));
        if (!s->unacked_us)
                s->unacked_us = brain_now_us();
}

bool brain_store_loaded(const struct brain *b)
{
        return b->store->loaded || brain_now_us() - b->store->started_us > (b->store->ever ? LOAD_WAIT_US : USEC_PER_SEC);
}

int brain_store_start(struct brain *b)
{
        struct brain_store *s = b->store = calloc(1, sizeof(*s));

        if (!s)
                abort();
        s->b = b;
        s->fd = -1;
        s->in = malloc(LINE_MAX_LEN);
        s->saved = json_object();
        s->started_us = brain_now_us();
        s->samples_us = s->started_us - EVERY_US / 2;
        if (!s->in)
                abort();
        link_up(s);
        return sd_event_add_time_relative(b->event, &s->timer, CLOCK_BOOTTIME, 200 * USEC_PER_MSEC, 100 * USEC_PER_MSEC, on_timer, s);
}

void brain_store_stop(struct brain *b)
{
        struct brain_store *s = b->store;

        if (!s)
                return;
        if (s->fd >= 0) {
                send_state(s); /* what fits without waiting; the rest is in RUN/state.json */
                flush_queue(s);
        }
        link_down(s);
        sd_event_source_disable_unref(s->timer);
        json_decref(s->saved);
        free(s->queue);
        free(s->in);
        free(s);
        b->store = NULL;
}
