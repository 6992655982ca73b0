/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The link to veille-peer (RUN/peer.sock), and what it says of other hosts as components "peer/NAME" that are judged like any
 * other. Nothing here waits; where veille-peer is not there although peers are known, that is said. */

#include "brain_peer.h"

#include <math.h>

#include "brain_program.h"
#include "utf8.h"

#define RETRY_US (3 * USEC_PER_SEC)
#define EVERY_US USEC_PER_SEC
#define AWAY_US (15 * USEC_PER_SEC) /* a restart of it is no news */
#define LINE_MAX_LEN (512 * 1024)
#define OUT_MAX (2 * 1024 * 1024)

static const struct metric_desc metrics[] = {
        { "peer_up", METRIC_GAUGE, "", "1 while the peer is heard in time and its brain lives" },
        { "peer_silence", METRIC_GAUGE, "", "1 for what the silence of the peer means by the evidence" },
        { "peer_heartbeat_age_seconds", METRIC_GAUGE, "seconds", "Time since the peer was heard" },
        { "peer_health", METRIC_GAUGE, "", "Health of the peer by its own word: 0 green, 1 yellow, 2 red; absent while it is not known" },
        { "peer_components", METRIC_GAUGE, "", "Components of the peer by level; absent while they are not known" },
        { "peer_heartbeats_received_total", METRIC_COUNTER, "", "Heartbeats of the peer that counted" },
        { "peer_heartbeats_failed_total", METRIC_COUNTER, "", "Heartbeats to the peer that had no answer" },
        { "peer_heartbeats_old_total", METRIC_COUNTER, "", "Heartbeats of the peer that had come before" },
};

#define SILENCE(state, warning_at, critical_at, clears_by)                                                                        \
        {                                                                                                                         \
                .name = "peer-" state, .metric = "peer_silence", .match_label = "kind", .match_value = state, .kind = RULE_LIMIT, \
                .direction = RULE_ABOVE, .notice = RULE_NONE, .warning = warning_at, .critical = critical_at, .clear = RULE_NONE, \
                .evidence = EVIDENCE_SERVICE, .text = "{label:output}", .clears = clears_by,                                      \
                .source = "its heartbeats, and what the network still reaches: veille-peer(8)",                                   \
        }

static const struct rule rules[] = {
        SILENCE("host-dead", RULE_NONE, 1, "a heartbeat of that host"),
        SILENCE("agent-dead", 1, RULE_NONE, "a heartbeat of that host's veille with a living brain"),
        SILENCE("network-cut", RULE_NONE, 1, "a heartbeat of that host"),
        SILENCE("silent", RULE_NONE, 1, "a heartbeat of that host"),
        SILENCE("key-changed", RULE_NONE, 1, "an answer with the key that is known, or pairing it again"),
        SILENCE("removed", 1, RULE_NONE, "pairing it again there, or veillectl peer remove here"),
        SILENCE("old-state", 1, RULE_NONE, "a new heartbeat"),
};

const struct check_desc brain_peer_check = {
        .name = "peer", .summary = "other hosts with veille", .interval_s = 10, .deadline_s = 5, .max_age_s = 60, .evidence = EVIDENCE_SERVICE,
        .metrics = metrics, .n_metrics = ARRAY_LEN(metrics), .rules = rules, .n_rules = ARRAY_LEN(rules),
};

static const char *text_of(const json_t *o, const char *key)
{
        const char *s = json_string_value(json_object_get(o, key));

        return s ? s : "";
}

/* --- to the judge --------------------------------------------------------------------------------------------------------- */

static void sample(struct brain *b, struct judge_instance *i, const char *metric, const char *label, const char *value, double v, int64_t now)
{
        const char *const labels[] = { label, value, NULL };

        judge_sample(b->judge, i, metric, v, label ? labels : NULL, now);
}

static void samples_of_health(struct brain *b, struct judge_instance *i, const json_t *p, int64_t now)
{
        const json_t *v;
        const char *level;

        for (int h = 0; h < HEALTH_MAX; h++)
                if (streq(text_of(p, "health"), health_name((enum health)h)))
                        sample(b, i, "peer_health", NULL, NULL, h, now);
        if (streq(text_of(p, "health"), "unknown"))
                return;
        json_object_foreach((json_t *)json_object_get(p, "levels"), level, v)
                if (level_from_name(level) >= 0 && json_is_integer(v))
                        sample(b, i, "peer_components", "level", level, (double)json_integer_value(v), now);
}

static void run_of(struct brain *b, struct judge_instance *i, const json_t *p, int64_t now)
{
        static const struct {
                const char *metric, *key;
        } numbers[] = { { "peer_heartbeat_age_seconds", "age_s" }, { "peer_heartbeats_received_total", "received" },
                        { "peer_heartbeats_failed_total", "failed" }, { "peer_heartbeats_old_total", "old" } };
        const char *state = text_of(p, "state");

        if (streq(state, "new")) /* nothing is known, and nothing is said to be well */
                return;
        judge_run_begin(b->judge, i);
        if (streq(state, "unpaired")) {
                judge_run_end(b->judge, i, VERDICT_DENIED, text_of(p, "why"), now);
                return;
        }
        sample(b, i, "peer_up", NULL, NULL, streq(state, "up"), now);
        for (size_t k = 0; k < ARRAY_LEN(numbers); k++)
                if (json_is_number(json_object_get(p, numbers[k].key)))
                        sample(b, i, numbers[k].metric, NULL, NULL, json_number_value(json_object_get(p, numbers[k].key)), now);
        samples_of_health(b, i, p, now);
        if (streq(state, "late")) { /* what it was stands until it is known what it is */
                judge_run_end(b->judge, i, VERDICT_TIMEOUT, text_of(p, "why"), now);
                return;
        }
        for (size_t k = 0; k < ARRAY_LEN(rules); k++)
                sample(b, i, "peer_silence", "kind", rules[k].match_value, streq(state, rules[k].match_value), now);
        judge_run_end(b->judge, i, VERDICT_OK, text_of(p, "why"), now);
}

/* One that was removed was removed by a person, and is not missed. True: there was one. */
static bool forget_removed(struct brain *b, int64_t now)
{
        for (const struct judge_instance *x = judge_instances(b->judge); x; x = x->next)
                if (x->check == &brain_peer_check && x->gone_us) {
                        char component[128];

                        snprintf(component, sizeof(component), "%s", x->component->name);
                        return judge_accept(b->judge, component, NULL, 0, now) > 0;
                }
        return false;
}

static void feed(struct brain *b, const json_t *doc)
{
        const json_t *p;
        int64_t now = brain_now_us();
        size_t i;

        judge_discovery_begin(b->judge, &brain_peer_check);
        json_array_foreach(json_object_get(doc, "peers"), i, p) {
                char component[128];

                snprintf(component, sizeof(component), "peer/%.64s", text_of(p, "name"));
                judge_discovery_add(b->judge, &brain_peer_check, text_of(p, "name"), component, text_of(p, "fingerprint"), "peer", now);
        }
        judge_discovery_end(b->judge, &brain_peer_check, now);
        while (forget_removed(b, now))
                ;
        json_array_foreach(json_object_get(doc, "peers"), i, p) {
                struct judge_instance *x = judge_find(b->judge, &brain_peer_check, text_of(p, "name"));

                if (x)
                        run_of(b, x, p, now);
        }
}

/* The judge knows as many as the document has. */
static bool is_fed(const struct brain *b)
{
        size_t n = 0;

        for (const struct judge_instance *x = judge_instances(b->judge); x; x = x->next)
                n += x->check == &brain_peer_check && x->present;
        return n == json_array_size(json_object_get(b->peer->doc, "peers"));
}

/* --- for people --------------------------------------------------------------------------------------------------------------- */

json_t *brain_peer_json(struct brain *b)
{
        static const char *const keys[] = { "name", "address", "port", "fingerprint", "state", "why", "since", "host", "health", "health_before",
                                            "health_why", "worst", "levels" };
        struct brain_peer *p = b->peer;
        json_t *list = json_array(), *o;
        double passed = p ? (double)(brain_now_us() - p->doc_us) / USEC_PER_SEC : 0;
        size_t i;

        json_array_foreach(p ? json_object_get(p->doc, "peers") : NULL, i, o) {
                json_t *x = json_object(), *age = json_object_get(o, "age_s");

                for (size_t k = 0; k < ARRAY_LEN(keys); k++)
                        if (json_object_get(o, keys[k]))
                                json_object_set(x, keys[k], json_object_get(o, keys[k]));
                json_object_set_new(x, "age_s", json_is_number(age) ? json_integer((json_int_t)(json_number_value(age) + passed)) : json_null());
                if (p->lost_us) {
                        json_object_set_new(x, "state", json_string("unknown"));
                        json_object_set_new(x, "health", json_string("unknown"));
                        json_object_set_new(x, "why", json_string("veille-peer does not run here, so nothing is heard"));
                }
                json_array_append_new(list, x);
        }
        return list;
}

/* --- the link ----------------------------------------------------------------------------------------------------------------- */

static void link_down(struct brain *b)
{
        struct brain_peer *p = b->peer;

        p->io = sd_event_source_disable_unref(p->io);
        if (p->linked)
                jsonl_done(&p->link);
        p->linked = false;
        p->next_us = brain_now_us() + RETRY_US;
        if (!p->lost_us)
                p->lost_us = brain_now_us();
        peer_hand_lost(b);
        brain_publish_soon(b);
}

static void flush(struct brain *b)
{
        struct brain_peer *p = b->peer;
        int r = jsonl_flush(&p->link);

        if (r < 0 && r != -EAGAIN)
                link_down(b);
        else
                sd_event_source_set_io_events(p->io, EPOLLIN | (jsonl_unsent(&p->link) ? EPOLLOUT : 0));
}

int peer_link_put(struct brain *b, json_t *line)
{
        struct brain_peer *p = b->peer;
        int r;

        if (!p || !p->linked) {
                json_decref(line);
                return -ENOTCONN;
        }
        r = jsonl_put(&p->link, line);
        if (r >= 0)
                flush(b);
        return r;
}

/* What people see at once; ages can wait for the next turn. */
static bool is_news(const json_t *before, const json_t *after)
{
        static const char *const keys[] = { "name", "state", "why", "health" };
        const json_t *a = json_object_get(after, "peers"), *b = json_object_get(before, "peers");

        if (json_array_size(a) != json_array_size(b))
                return true;
        for (size_t i = 0; i < json_array_size(a); i++)
                for (size_t k = 0; k < ARRAY_LEN(keys); k++)
                        if (!streq(text_of(json_array_get(a, i), keys[k]), text_of(json_array_get(b, i), keys[k])))
                                return true;
        return false;
}

static void on_line(struct brain *b, json_t *line)
{
        const char *t = text_of(line, "t");
        struct brain_peer *p = b->peer;

        if (streq(t, "peers") && json_is_array(json_object_get(line, "peers"))) {
                bool news = is_news(p->doc, line);

                json_decref(p->doc);
                p->doc = json_incref(line);
                p->doc_us = brain_now_us();
                p->lost_us = 0;
                if (brain_store_loaded(b))
                        feed(b, line);
                if (news)
                        brain_publish_soon(b);
        } else if (streq(t, "handed")) {
                peer_hand_end(b, line);
        } else if (streq(t, "letter")) {
                peer_letter(b, line);
        }
}

static int on_io(sd_event_source *source UNUSED, int fd UNUSED, uint32_t revents UNUSED, void *data)
{
        struct brain *b = data;
        struct brain_peer *p = b->peer;
        ssize_t r = jsonl_fill(&p->link);
        json_t *line;
        int n;

        while (p->linked && (n = jsonl_next(&p->link, &line)) != 0)
                if (n > 0) {
                        on_line(b, line);
                        json_decref(line);
                }
        if (!p->linked)
                return 0;
        if (r == 0 || (r < 0 && r != -EAGAIN && r != -ENOBUFS))
                link_down(b);
        else
                flush(b);
        return 0;
}

static void link_up(struct brain *b)
{
        struct brain_peer *p = b->peer;
        int fd = program_connect(b->options.run, "peer");

        p->next_us = brain_now_us() + RETRY_US;
        if (fd < 0)
                return;
        jsonl_init(&p->link, fd, LINE_MAX_LEN, OUT_MAX);
        p->linked = true; /* or only in its queue, while it hangs: its first word tells */
        p->linked_us = brain_now_us();
        if (sd_event_add_io(b->event, &p->io, fd, EPOLLIN, on_io, b) < 0) {
                link_down(b);
                return;
        }
        peer_link_put(b, json_pack("{ss}", "cmd", "brain"));
}

/* Peers are known, but nobody listens for them. */
static void tell_away(struct brain *b, int64_t now)
{
        struct brain_peer *p = b->peer;

        if (!p->lost_us)
                brain_self(b, "peers", VERDICT_OK, "%s", "");
        else if (now - p->lost_us > AWAY_US && (json_array_size(json_object_get(p->doc, "peers")) > 0 || *config_section_names(b->config, "peer")))
                brain_self(b, "peers", VERDICT_FAILED, "veille-peer does not run here, or hangs: other hosts are not heard, and do not hear this one");
}

static int on_timer(sd_event_source *source, uint64_t usec UNUSED, void *data)
{
        struct brain *b = data;
        struct brain_peer *p = b->peer;
        int64_t now = brain_now_us();

        if (!p->linked && now >= p->next_us)
                link_up(b);
        if (p->linked && now - MAX(p->doc_us, p->linked_us) > AWAY_US) { /* it hangs */
                link_down(b);
        } else if (p->linked && p->doc && brain_store_loaded(b) && !is_fed(b)) {
                feed(b, p->doc); /* a new judge, or the memory came */
        }
        if (brain_store_loaded(b))
                tell_away(b, now);
        peer_hand_step(b, now);
        sd_event_source_set_time_relative(source, EVERY_US);
        return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

int brain_peer_start(struct brain *b)
{
        struct brain_peer *p = b->peer = calloc(1, sizeof(*p));

        if (!p)
                abort();
        p->lost_us = brain_now_us();
        return sd_event_add_time_relative(b->event, &p->timer, CLOCK_BOOTTIME, 0, 200 * USEC_PER_MSEC, on_timer, b);
}

void brain_peer_stop(struct brain *b)
{
        struct brain_peer *p = b->peer;

        if (!p)
                return;
        sd_event_source_disable_unref(p->io);
        sd_event_source_disable_unref(p->timer);
        if (p->linked)
                jsonl_done(&p->link);
        json_decref(p->doc);
        free(p);
        b->peer = NULL;
}
