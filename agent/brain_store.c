/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The link to veille-store: samples once a minute, events at once, memory on change. The store may hang or be away: samples that
 * do not fit into a bounded queue are dropped and counted; events (brain_events.c) and memory (brain_memory.c) are kept and told
 * again until the store has confirmed that they are on disk. A confirmation that is missing for minutes is shown. Also reads back
 * the memory of before the last reboot, for which the schedule waits a few seconds at start; until all of it has come none is
 * told, so that what is on disk is never written over by what was learned without it. */

#include <math.h>
#include <sys/socket.h>

#include "brain.h"
#include "brain_events.h"
#include "brain_memory.h"
#include "brain_program.h"

#define QUEUE_MAX (512 * 1024)
#define QUEUE_EVENTS (QUEUE_MAX / 2)    /* events are pushed up to here; they wait in their own list */
#define QUEUE_LINES (QUEUE_MAX - 4096)  /* room for the small words that ask for a confirmation */
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
        bool alerts_loaded; /* what the first store that answered knew of alerts was taken */
        int loading;          /* answers to "load" that are still to come */
        bool load_failed;     /* one of them was not complete */
        int64_t db_id;        /* of the store's database; 0: not known yet */
        uint64_t told_lost;   /* events; of these an event told */
        char trouble[256];    /* why nothing can be stored, as far as we know; "": it can */
        struct memory memory;
};

/* Lines of samples that were not sent are lost; all else is told again. */
static void count_dropped(struct brain_store *s)
{
        static const char samples[] = "{\"t\":\"samples\"";
        const char *at = s->queue, *nl;

        for (size_t left = s->len; left > sizeof(samples) && (nl = memchr(at, '\n', left)); left -= (size_t)(nl + 1 - at), at = nl + 1)
                s->b->counters.dropped_store_lines += memcmp(at, samples, sizeof(samples) - 1) == 0;
}

static void link_down(struct brain_store *s)
{
        s->io = sd_event_source_disable_unref(s->io);
        if (s->fd >= 0)
                close(s->fd);
        s->fd = -1;
        count_dropped(s);
        s->len = s->in_len = 0;
        s->unacked_us = 0;
        s->loading = 0;
        snprintf(s->trouble, sizeof(s->trouble), "veille-store does not answer on %.150s/store.sock", s->b->options.run);
        memory_link_down(&s->memory);
        kept_link_down(s->b->events);
        brain_control_stored(s->b);
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
        if (s->len == 0) { /* do not keep the size of the largest burst */
                free(take_ptr(s->queue));
                s->size = 0;
        }
}

/* False: there is no room, or no link. */
static bool queue_line(struct brain_store *s, const char *text, size_t n, size_t max)
{
        if (s->fd < 0 || s->len + n + 1 > max)
                return false;
        if (s->len + n + 1 > s->size) {
                s->size = MAX(s->len + n + 1, 4096);
                s->queue = realloc(s->queue, s->size);
                if (!s->queue)
                        abort();
        }
        memcpy(s->queue + s->len, text, n);
        s->queue[s->len + n] = '\n';
        s->len += n + 1;
        return true;
}

/* Takes the document. False: it was not queued; the brain does not wait and does not grow. */
static bool send_doc(struct brain_store *s, json_t *doc)
{
        _cleanup_free_ char *text = json_dumps(doc, JSON_COMPACT | JSON_REAL_PRECISION(17));
        bool queued = text && queue_line(s, text, strlen(text), QUEUE_LINES);

        json_decref(doc);
        flush_queue(s);
        return queued;
}

/* Asks to be told when all before it is on disk; hurry: which it shall be at once. */
static void send_sync(struct brain_store *s, bool hurry)
{
        char text[96];
        int n = snprintf(text, sizeof(text), "{\"t\":\"sync\",\"seq\":%lld,\"hurry\":%s}", (long long)++s->seq, hurry ? "true" : "false");

        if (!s->unacked_us)
                s->unacked_us = brain_now_us();
        queue_line(s, text, (size_t)n, QUEUE_MAX);
        flush_queue(s);
}

/* Events that the store has not been told of, as many as there is room for. */
static void push_events(struct brain_store *s)
{
        const char *text;
        bool any = false;
        size_t len;

        while ((text = kept_unsent(s->b->events, &len)) && queue_line(s, text, len, QUEUE_EVENTS)) {
                kept_sent(s->b->events, s->seq + 1);
                any = true;
        }
        if (any)
                send_sync(s, false);
}

static void keep_event(struct brain *b, const char *id, int64_t wall_us, const char *component, const char *kind, enum level from,
                       enum level to, const char *rule, const char *why)
{
        b->counters.events++;
        kept_add(b->events, &(struct kept_event_desc){ .id = id, .wall_us = wall_us, .boot_us = brain_now_us(), .component = component,
                                                       .kind = kind, .from = level_name(from), .to = level_name(to), .rule = rule,
                                                       .why = why });
}

void brain_store_event(struct brain *b, const char *id, int64_t wall_us, const char *component, const char *kind, enum level level,
                       const char *rule, const char *why)
{
        keep_event(b, id, wall_us, component, kind, level, level, rule, why);
        if (b->store)
                push_events(b->store);
}

static void tell_memory(struct brain_store *s, const char *key, json_t *value)
{
        if (!s->loaded || !memory_differs(&s->memory, key, value))
                return;
        if (send_doc(s, value ? json_pack("{ss ss sO}", "t", "put", "key", key, "value", value)
                              : json_pack("{ss ss}", "t", "del", "key", key)))
                memory_told(&s->memory, key, value, s->seq + 1);
}

/* With the event goes the level that the next boot begins with, or it would be an event once more. */
void brain_store_level(struct brain *b, const struct judge_component *c, enum level from)
{
        json_t *value;
        char key[256];

        keep_event(b, NULL, brain_wall_us(), c->name, c->kind, from, c->level, c->rule_name, c->why);
        if (!b->store)
                return;
        value = judge_save_component(c, brain_now_us(), brain_wall_us());
        snprintf(key, sizeof(key), "component/%s", c->name);
        tell_memory(b->store, key, value);
        json_decref(value);
        push_events(b->store);
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
        if (!send_doc(s, json_pack("{ss sf so}", "t", "samples", "time", (double)brain_wall_us() / USEC_PER_SEC, "rows", rows)))
                s->b->counters.dropped_store_lines++;
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

struct put {
        struct brain_store *s;
        json_t *now;
};

/* What was not sent is not saved: it is tried again the next minute. */
static void put_changed(void *data, const char *key, json_t *value)
{
        struct put *p = data;

        tell_memory(p->s, key, value);
        json_object_set_new(p->now, key, json_true());
}

static void delete_gone(void *data, const char *key)
{
        tell_memory(data, key, NULL);
}

/* Of other things the last state is kept when they are gone for a while. */
static bool comes_and_goes(const char *key)
{
        return str_starts(key, "component/") || str_starts(key, "present/") || str_starts(key, "alert/") || str_starts(key, "letter/");
}

static void send_state(struct brain_store *s)
{
        struct put p = { .s = s, .now = json_object() };

        brain_state_each(s->b, put_changed, &p);
        brain_alert_each(s->b, put_changed, &p);
        brain_hook_each(s->b, put_changed, &p);
        memory_each_gone(&s->memory, comes_and_goes, p.now, delete_gone, s);
        json_decref(p.now);
}

/* --- what comes back ------------------------------------------------------------------------------------------- */

static void on_kv(struct brain_store *s, const json_t *doc)
{
        const char *key = json_string_value(json_object_get(doc, "key"));
        json_t *value = json_object_get(doc, "value");

        if (!key || !value)
                return;
        memory_loaded(&s->memory, key, value);
        /* RUN knows the levels of a moment ago, the store those of a minute ago. */
        if (str_starts(key, "component/") && (s->b->state_loaded || kept_has_level(s->b->events, key + strlen("component/"))))
                return;
        judge_load(s->b->judge, key, value, brain_now_us(), brain_wall_us());
        brain_selftest_load(s->b, key, value);
        /* Once: what has ended since then may not be deleted there yet when a store is started anew. */
        if (!s->alerts_loaded)
                brain_alert_load(s->b, key, value);
        brain_hook_load(s->b, key, value);
}

static void on_loaded(struct brain_store *s, const json_t *doc)
{
        s->load_failed = s->load_failed || json_is_false(json_object_get(doc, "complete"));
        if (s->loading > 0 && --s->loading == 0)
                s->loaded = !s->load_failed;
        s->alerts_loaded = s->alerts_loaded || s->loaded;
}

/* Another database knows nothing of what the one before was told. */
static void look_at_database(struct brain_store *s, int64_t id)
{
        bool another = s->db_id && id != s->db_id;

        s->db_id = id;
        if (!another)
                return;
        memory_forget(&s->memory);
        send_state(s);
        send_sync(s, false);
}

static void on_ack(struct brain_store *s, const json_t *doc)
{
        int64_t seq = MIN(json_integer_value(json_object_get(doc, "seq")), s->seq);

        look_at_database(s, json_integer_value(json_object_get(doc, "db")));
        s->acked = MAX(s->acked, seq);
        s->unacked_us = s->acked >= s->seq ? 0 : brain_now_us();
        s->trouble[0] = '\0';
        memory_confirmed(&s->memory, s->acked);
        kept_confirmed(s->b->events, s->acked);
        brain_self(s->b, "store", VERDICT_OK, "%s", "");
        brain_control_stored(s->b);
}

static void on_error(struct brain_store *s, const json_t *doc)
{
        const char *why = json_string_value(json_object_get(doc, "why")), *key = json_string_value(json_object_get(doc, "key"));

        snprintf(s->trouble, sizeof(s->trouble), "veille-store: %s", why ? why : "an error without a reason");
        if (key)
                memory_refused(&s->memory, key);
        brain_self(s->b, key ? "memory" : "store", VERDICT_FAILED, "%s; history and memory over reboots are at risk", s->trouble);
        brain_control_stored(s->b);
}

static void handle_line(struct brain_store *s, const char *text, size_t len)
{
        static const struct {
                const char *t;
                void (*fn)(struct brain_store *s, const json_t *doc);
        } words[] = { { "kv", on_kv }, { "loaded", on_loaded }, { "ack", on_ack }, { "error", on_error } };
        json_t *doc = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
        const char *t = json_string_value(json_object_get(doc, "t"));

        for (size_t i = 0; t && i < ARRAY_LEN(words); i++)
                if (streq(t, words[i].t))
                        words[i].fn(s, doc);
        json_decref(doc);
}

static int on_io(sd_event_source *source UNUSED, int fd, uint32_t revents, void *data)
{
        struct brain_store *s = data;
        char *nl, *start = s->in;
        ssize_t n;

        if (revents & EPOLLOUT) {
                flush_queue(s);
                push_events(s);
        }
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

static void ask_memory(struct brain_store *s)
{
        static const char *const prefixes[] = { "state/", "component/", "present/", "selftest", "alert", "letter/", "hook" };

        s->load_failed = false;
        s->loading = (int)ARRAY_LEN(prefixes);
        for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
                send_doc(s, json_pack("{ss ss}", "t", "load", "prefix", prefixes[i]));
}

static void link_up(struct brain_store *s)
{
        s->fd = program_connect(s->b->options.run, "store");
        if (s->fd < 0 || sd_event_add_io(s->b->event, &s->io, s->fd, EPOLLIN, on_io, s) < 0) {
                link_down(s);
                return;
        }
        s->ever = true;
        snprintf(s->trouble, sizeof(s->trouble), "veille-store has not confirmed anything yet");
        if (!s->loaded)
                ask_memory(s);
        push_events(s);
}

/* What was lost is said: as a level while it goes on, as an event with its number when the store listens again. */
static void look_at_losses(struct brain_store *s)
{
        uint64_t lost = kept_lost(s->b->events);
        int error = kept_error(s->b->events);
        char why[200];

        if (error < 0)
                brain_self(s->b, "event file", VERDICT_FAILED, "%.150s/events.jsonl cannot be written: %s; until veille-store has them, events are in %s",
                           s->b->options.run, strerror(-error), "memory only");
        else
                brain_self(s->b, "event file", VERDICT_OK, "%s", "");
        if (lost == s->told_lost)
                return;
        if (s->fd < 0 || kept_waiting(s->b->events) > KEPT_MAX / 2) {
                brain_self(s->b, "events", VERDICT_FAILED, "events are being lost, the least important first: veille-store has not taken any for too long");
                return;
        }
        snprintf(why, sizeof(why), "%llu %s lost, the least important first: veille-store did not take events for too long",
                 (unsigned long long)(lost - s->told_lost), lost - s->told_lost == 1 ? "event was" : "events were");
        s->told_lost = lost;
        brain_store_event(s->b, NULL, brain_wall_us(), "veille", "fault", LEVEL_OK, "events", why);
        brain_self(s->b, "events", VERDICT_OK, "%s", "");
}

static int on_timer(sd_event_source *source, uint64_t usec UNUSED, void *data)
{
        struct brain_store *s = data;
        int64_t now = brain_now_us();
        bool early = now - s->started_us < LOAD_WAIT_US;

        if (s->fd < 0)
                link_up(s);
        else if (!s->loaded && s->loading == 0)
                ask_memory(s);
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
                send_sync(s, true);
        }
        look_at_losses(s);
        sd_event_source_set_time_relative(source, early ? 200 * USEC_PER_MSEC : RETRY_US);
        return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

int64_t brain_store_sync(struct brain *b)
{
        struct brain_store *s = b->store;

        if (!s || s->fd < 0 || !s->loaded)
                return 0;
        send_state(s);
        send_sync(s, true);
        return s->fd < 0 ? 0 : s->seq;
}

void brain_store_state(struct brain *b)
{
        brain_store_sync(b);
}

bool brain_store_confirmed(const struct brain *b, int64_t seq)
{
        return b->store && seq > 0 && b->store->acked >= seq;
}

const char *brain_store_trouble(const struct brain *b)
{
        const struct brain_store *s = b->store;

        if (!s)
                return "the link to veille-store is off";
        return !s->trouble[0] && !s->loaded ? "veille-store could not yet tell what it remembers" : s->trouble;
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
        memory_init(&s->memory);
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
        if (s->fd >= 0)
                send_state(s); /* what fits without waiting; the rest is in RUN/state.json */
        link_down(s);
        sd_event_source_disable_unref(s->timer);
        memory_done(&s->memory);
        free(s->queue);
        free(s->in);
        free(s);
        b->store = NULL;
}
