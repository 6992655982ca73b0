/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* One request to a probe: what comes back over its channel (brain_channel.h) is handed to the judge. Whatever comes is a
 * stranger's: bounded, validated, counted when refused.
 * An instance stays in flight until its child is reaped, so that no second run meets a hung device. */

#include "brain_channel.h"
#include "config_value.h"
#include "selftest_plan.h"

#define LABELS_MAX 24
#define INSTANCES_MAX 1024
#define SERIES_MAX 4096 /* of one instance: the judge's */
#define STANDSTILL_US (1 * USEC_PER_SEC)
#define GRACE_S 5 /* on top of the children's own deadlines */
#define PROBE_CHILDREN 8

struct probe_request {
        struct brain *b;
        const struct check_desc *check;
        bool discovery; /* and not ended yet */
        struct channel *channel;
        sd_event_source *timer;
        char **names;   /* instances asked for */
        bool *ended;    /* which of them have ended; a timed-out one stays in flight until its child is reaped */
        size_t n, outstanding;
        int64_t begun_us;
        json_t *found;  /* lines of a discovery */
        limit_set limits; /* told */
        void (*done)(void *data, const struct check_desc *check, bool discovery);
        void *data;
        struct probe_request *next;
};

static struct probe_request *requests;

static void request_free(struct probe_request *r)
{
        struct probe_request **p = &requests;

        while (*p && *p != r)
                p = &(*p)->next;
        if (*p)
                *p = r->next;
        sd_event_source_disable_unref(r->timer);
        for (size_t i = 0; i < r->n; i++)
                free(r->names[i]);
        free(r->names);
        free(r->ended);
        if (r->done)
                r->done(r->data, r->check, r->found != NULL);
        json_decref(r->found);
        free(r);
}

size_t probe_requests_active(bool plugins, int64_t younger_us)
{
        int64_t now = brain_now_us();
        size_t n = 0;

        for (const struct probe_request *r = requests; r; r = r->next)
                if ((r->discovery || r->outstanding > 0) && now - r->begun_us < younger_us && (r->check->privilege == PRIVILEGE_PLUGIN) == plugins)
                        n++;
        return n;
}

static struct judge_instance *find(struct probe_request *r, const char *name)
{
        return name ? judge_find(r->b->judge, r->check, name) : NULL;
}

/* Index among the instances that have not ended yet, or -1. */
static ssize_t waiting_for(const struct probe_request *r, const char *name)
{
        for (size_t i = 0; name && i < r->n; i++)
                if (!r->ended[i] && streq(r->names[i], name))
                        return (ssize_t)i;
        return -1;
}

static void instance_end(struct probe_request *r, size_t i, enum verdict verdict, const char *why)
{
        struct judge_instance *inst = find(r, r->names[i]);

        if (inst) {
                inst->in_flight = verdict == VERDICT_TIMEOUT;
                judge_run_end(r->b->judge, inst, verdict, why, brain_now_us());
        }
        r->b->counters.runs++;
        if (verdict == VERDICT_TIMEOUT)
                r->b->counters.timeouts++;
        r->ended[i] = true;
        r->outstanding--;
}

static void bad_line(struct probe_request *r, const char *what)
{
        if (r->b->counters.bad_lines++ < 20)
                brain_log(r->b, BRAIN_WARNING, "%s: the probe printed a line that is ignored: %s", r->check->name, what);
}

/* Once in a request: what lies beyond comes line by line, or from every child. */
static void limit_hit(struct probe_request *r, enum limit limit)
{
        char who[96];

        if (r->limits & LIMIT_BIT(limit))
                return;
        r->limits |= LIMIT_BIT(limit);
        snprintf(who, sizeof(who), "check %s", r->check->name);
        brain_limit(r->b, limit, who);
}

static void line_sample(struct probe_request *r, const json_t *line)
{
        const char *name = json_string_value(json_object_get(line, "instance"));
        const char *metric = json_string_value(json_object_get(line, "metric"));
        const json_t *value = json_object_get(line, "value");
        json_t *labels = json_object_get(line, "labels"), *v;
        const char *pairs[LABELS_MAX * 2 + 1], *key;
        struct judge_instance *inst;
        size_t n = 0;

        if (waiting_for(r, name) < 0 || !metric || !json_is_number(value)) {
                bad_line(r, "a sample without known instance, metric or value");
                return;
        }
        json_object_foreach(labels, key, v) {
                if (n == LABELS_MAX * 2 || !json_is_string(v) || json_string_length(v) != strlen(json_string_value(v))) {
                        bad_line(r, "labels are too many or no strings");
                        if (n == LABELS_MAX * 2)
                                limit_hit(r, LIMIT_LABELS);
                        return;
                }
                pairs[n++] = key;
                pairs[n++] = json_string_value(v);
        }
        pairs[n] = NULL;
        inst = find(r, name);
        if (!inst || judge_sample(r->b->judge, inst, metric, json_number_value(value), pairs, brain_now_us()))
                return;
        r->b->counters.refused_samples++;
        if (inst->n_series >= SERIES_MAX)
                limit_hit(r, LIMIT_SERIES);
}

struct words {
        char *items[CONFIG_WORDS_MAX];
        size_t n;
};

static bool is_among(const struct words *w, const char *instance)
{
        for (size_t i = 0; i < w->n; i++)
                if (streq(w->items[i], instance))
                        return true;
        return false;
}

static const char *text_of(const json_t *o, const char *key)
{
        const char *s = json_string_value(json_object_get(o, key));

        return s && strlen(s) < 96 ? s : "";
}

static void discovery_end(struct probe_request *r, enum verdict verdict, const char *why)
{
        struct words ignored;
        char what[128];
        json_t *o;
        size_t i;

        snprintf(what, sizeof(what), "discovery of %s", r->check->name);
        r->discovery = false;
        if (verdict != VERDICT_OK && verdict != VERDICT_NODATA) {
                brain_self(r->b, what, verdict, "%s", why);
                return;
        }
        ignored.n = config_list(r->b->config, "check", r->check->name, "ignore", ignored.items, ARRAY_LEN(ignored.items));
        judge_discovery_begin(r->b->judge, r->check);
        json_array_foreach(r->found, i, o) {
                const char *name = text_of(o, "instance"), *component = text_of(o, "component");

                if (!*name || !*component)
                        continue;
                if (is_among(&ignored, name))
                        judge_discovery_skip(r->b->judge, r->check, name, text_of(o, "id"));
                else
                        judge_discovery_add(r->b->judge, r->check, name, component, text_of(o, "id"), text_of(o, "kind"), brain_now_us());
        }
        judge_discovery_end(r->b->judge, r->check, brain_now_us());
        for (i = 0; i < ignored.n; i++)
                free(ignored.items[i]);
        brain_self(r->b, what, VERDICT_OK, "%s", "");
}

static void line_end(struct probe_request *r, const json_t *line)
{
        const char *name = json_string_value(json_object_get(line, "instance"));
        const char *result = json_string_value(json_object_get(line, "result"));
        const char *why = json_string_value(json_object_get(line, "why"));
        int verdict = result ? verdict_from_name(result) : -EINVAL;
        ssize_t i = waiting_for(r, name);

        if (!why || !*why)
                why = verdict == VERDICT_OK ? "" : "no reason given";
        if (verdict < 0) {
                bad_line(r, "an end line without a known result");
        } else if (r->discovery) {
                discovery_end(r, (enum verdict)verdict, why);
        } else if (i >= 0) {
                instance_end(r, (size_t)i, (enum verdict)verdict, why);
        } else if (!name) { /* refused as a whole */
                for (size_t k = 0; k < r->n; k++)
                        if (!r->ended[k])
                                instance_end(r, k, verdict == VERDICT_OK ? VERDICT_FAILED : (enum verdict)verdict, why);
        } else {
                bad_line(r, "the end of an instance that was not asked for");
        }
}

static void line_stuck(struct probe_request *r, const json_t *line, bool stuck)
{
        struct judge_instance *inst = find(r, json_string_value(json_object_get(line, "instance")));

        if (inst && !stuck && inst->request == r)
                inst->in_flight = false;
        if (inst && inst->stuck != stuck)
                judge_stuck(r->b->judge, inst, stuck, brain_now_us());
}

static void line_limit(struct probe_request *r, const json_t *line)
{
        const char *name = json_string_value(json_object_get(line, "limit"));
        int limit = name ? limit_from_name(name) : -EINVAL;

        if (limit < 0)
                bad_line(r, "a limit without a known name");
        else
                limit_hit(r, (enum limit)limit);
}

static void on_line(void *asked, const json_t *line)
{
        struct probe_request *r = asked;
        const char *type = json_string_value(json_object_get(line, "type"));

        if (!line)
                bad_line(r, "no JSON object");
        else if (r->discovery && !type) {
                if (json_array_size(r->found) < INSTANCES_MAX)
                        json_array_append(r->found, (json_t *)line);
                else
                        limit_hit(r, LIMIT_INSTANCES);
        } else if (type && streq(type, "sample"))
                line_sample(r, line);
        else if (type && streq(type, "end"))
                line_end(r, line);
        else if (type && (streq(type, "stuck") || streq(type, "reaped")))
                line_stuck(r, line, *type == 's');
        else if (type && streq(type, "limit"))
                line_limit(r, line);
        else
                bad_line(r, "unknown type");
}

/* No more lines will come: whoever has not ended by now never will. */
static void on_over(void *asked, enum verdict verdict, const char *why)
{
        struct probe_request *r = asked;

        if (r->discovery)
                discovery_end(r, verdict, why);
        for (size_t i = 0; i < r->n; i++) {
                struct judge_instance *inst;

                if (!r->ended[i])
                        instance_end(r, i, verdict, why);
                inst = find(r, r->names[i]);
                /* Its place is free only now, and only if no later request has taken it. */
                if (inst && inst->request == r)
                        inst->in_flight = false;
        }
        for (const struct judge_instance *i = judge_instances(r->b->judge); i; i = i->next)
                if (r->n && i->check == r->check && i->stuck)
                        judge_stuck(r->b->judge, (struct judge_instance *)i, false, brain_now_us());
        request_free(r);
}

static uint64_t patience_us(const struct probe_request *r)
{
        uint64_t rounds = (r->n + PROBE_CHILDREN - 1) / PROBE_CHILDREN + r->discovery;

        return ((uint64_t)r->check->deadline_s * rounds + GRACE_S) * USEC_PER_SEC;
}

static int on_timer(sd_event_source *s, uint64_t usec, void *data)
{
        struct probe_request *r = data;

        /* We come late because the host stood still (paused, suspended): the probe did, too, and has its time once more. */
        if (brain_now_us() - (int64_t)usec > STANDSTILL_US) {
                sd_event_source_set_time_relative(s, patience_us(r));
                return sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
        }
        /* When all have ended, what is left waits for a hung child to be reaped. */
        if (r->outstanding > 0 || r->discovery)
                channel_over(r->channel, VERDICT_TIMEOUT, "the probe itself does not answer");
        return 0;
}

bool probe_can_sleep(const struct check_desc *check)
{
        for (size_t i = 0; i < check->n_metrics; i++)
                if (streq(check->metrics[i].name, "disk_standby"))
                        return true;
        return false;
}

/* Which disks may be woken: those we know nothing of since we started, and those that have slept for too long. */
static json_t *wake_list(const struct probe_request *r)
{
        int64_t after_us = config_int(r->b->config, "check", r->check->name, "wake_after") * USEC_PER_SEC, now_us = brain_now_us();
        json_t *list = json_array();

        for (size_t k = 0; k < r->n && probe_can_sleep(r->check); k++) {
                const struct judge_instance *i = judge_find(r->b->judge, r->check, r->names[k]);

                if (i && (!i->read_us || now_us - i->read_us >= after_us))
                        json_array_append_new(list, json_string(r->names[k]));
        }
        return list;
}

/* Disks whose run is to start a self-test: {"sda":"short"}. */
static json_t *selftest_list(const struct probe_request *r)
{
        json_t *list = json_object();

        for (size_t k = 0; k < r->n; k++) {
                const struct judge_instance *i = judge_find(r->b->judge, r->check, r->names[k]);

                if (i && i->selftest_wanted)
                        json_object_set_new(list, i->name, json_string(selftest_kind_name((enum selftest_kind)(i->selftest_wanted - 1))));
        }
        return list;
}

static json_t *request_to_json(const struct probe_request *r)
{
        json_t *list = json_array();

        for (size_t i = 0; i < r->n; i++)
                json_array_append_new(list, json_string(r->names[i]));
        return json_pack("{ss ss so so so}", "op", r->discovery ? "list" : "run", "check", r->check->name, "instances", list, "wake",
                         wake_list(r), "selftest", selftest_list(r));
}

int probe_request_start(struct brain *b, const struct check_desc *check, struct judge_instance **instances, size_t n,
                        void (*done)(void *data, const struct check_desc *check, bool discovery), void *data)
{
        struct probe_request *r = calloc(1, sizeof(*r));
        int code;

        if (!r)
                abort();
        *r = (struct probe_request){ .b = b, .check = check, .discovery = n == 0, .n = n, .outstanding = n,
                                     .begun_us = brain_now_us() };
        r->names = calloc(n + 1, sizeof(*r->names));
        r->ended = calloc(n + 1, sizeof(*r->ended));
        if (!r->names || !r->ended)
                abort();
        if (n == 0)
                r->found = json_array();
        for (size_t i = 0; i < n; i++) {
                r->names[i] = strdup(instances[i]->name);
                if (!r->names[i])
                        abort();
        }
        code = sd_event_add_time_relative(b->event, &r->timer, CLOCK_BOOTTIME, patience_us(r), 0, on_timer, r);
        if (code >= 0)
                code = channel_add(b, check, request_to_json(r), on_line, on_over, r, &r->channel);
        if (code < 0) {
                request_free(r);
                return code;
        }
        r->done = done;
        r->data = data;
        r->next = requests;
        requests = r;
        for (size_t i = 0; i < n; i++) {
                instances[i]->in_flight = true;
                instances[i]->request = r;
                instances[i]->selftest_wanted = 0; /* asked for */
                judge_run_begin(b->judge, instances[i]);
        }
        return 0;
}

void probe_requests_abort(void)
{
        channels_drop();
        while (requests) {
                requests->done = NULL;
                request_free(requests);
        }
}
