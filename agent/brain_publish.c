/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The files in RUN (a tmpfs): levels at once after a change, ten times a second at most, and every 10 s, samples every
 * 15 s. Written beside and renamed, so that a reader sees the old or the new one, never a half. */

#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#include "brain.h"
#include "brain_events.h"
#include "utf8.h"

#define SOON_US (10 * USEC_PER_MSEC) /* one event changes several levels: they go out together */
#define GAP_US (100 * USEC_PER_MSEC)
#define STATUS_EVERY_US (10 * USEC_PER_SEC)
#define SAMPLES_EVERY_US (15 * USEC_PER_SEC)
#define STATE_EVERY_US (60 * USEC_PER_SEC)

struct brain_publish {
        sd_event_source *timer;
        int64_t status_us, samples_us, state_us; /* last written */
        int64_t samples_news; /* sum_of_times() when samples were last written */
        bool soon;
        char told[256]; /* what systemctl status shows */
};

static FILE *file_open(const struct brain *b, const char *name, char *tmp, size_t size)
{
        int fd;

        snprintf(tmp, size, "%s/.%s.tmp", b->options.run, name);
        fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
        return fd < 0 ? NULL : fdopen(fd, "w");
}

static int file_close(struct brain *b, FILE *f, const char *name, const char *tmp)
{
        bool bad = ferror(f);
        char path[256];

        snprintf(path, sizeof(path), "%s/%s", b->options.run, name);
        bad |= fclose(f) != 0;
        if (bad || rename(tmp, path) < 0) {
                int r = errno > 0 ? neg_errno() : -EIO;

                unlink(tmp);
                return r;
        }
        b->counters.publishes++;
        return 0;
}

static int write_json(struct brain *b, const char *name, json_t *doc)
{
        char tmp[256];
        FILE *f = file_open(b, name, tmp, sizeof(tmp));

        if (!f)
                return neg_errno();
        json_dumpf(doc, f, JSON_COMPACT | JSON_REAL_PRECISION(15));
        fputc('\n', f);
        return file_close(b, f, name, tmp);
}

static double seconds(int64_t us)
{
        return (double)us / USEC_PER_SEC;
}

/* When it was, for people: the wall clock of now less what has passed since. */
static double wall_of(int64_t us)
{
        return seconds(brain_wall_us() - (brain_now_us() - us));
}

struct reasons {
        json_t *list;
        int64_t now_us;
};

static void add_reason(void *data, const struct judge_reason *r)
{
        struct reasons *to = data;
        const char *clears = r->rule ? r->rule->clears : judge_silence_clears(r->rule_name);
        json_t *o = json_pack("{ss ss so ss ss sf sI ss ss ss sb}", "rule", r->rule_name, "level", level_name(r->level),
                              "text", utf8_json(r->text), "check", r->instance->check->name, "instance", r->instance->name,
                              "since", wall_of(r->since_us), "age_s",
                              (json_int_t)((to->now_us - (r->series ? r->series->time_us : MAX(r->instance->end_us, r->instance->seen_us))) /
                                           USEC_PER_SEC),
                              "clears", clears ? clears : "", "source", r->rule && r->rule->source ? r->rule->source : "",
                              "evidence", evidence_name(r->evidence), "hard", r->hard);

        if (r->series)
                json_object_set_new(o, "value", json_real(r->series->value));
        json_array_append_new(to->list, o);
}

static void add_acceptance(void *data, const struct judge_acceptance *a)
{
        json_t *o = json_pack("{ss ss ss sf sf}", "rule", a->rule->name, "check", a->instance->check->name, "instance", a->instance->name, "value",
                              a->value, "since", wall_of(a->since_us));

        if (a->until_us)
                json_object_set_new(o, "until", json_real(wall_of(a->until_us)));
        json_array_append_new(data, o);
}

static json_t *component_json(struct brain *b, const struct judge_component *c, int64_t now)
{
        struct reasons reasons = { .list = json_array(), .now_us = now };
        json_t *roles = json_array(), *accepted = json_array(), *o;
        int64_t age = judge_age_s(b->judge, c, now);

        judge_reasons(b->judge, c, now, add_reason, &reasons);
        for (unsigned bit = 0; bit < 32; bit++)
                if (judge_roles(b->judge, c) & (1u << bit))
                        json_array_append_new(roles, json_string(judge_role_name(bit)));
        judge_accepted(b->judge, c, add_acceptance, accepted);
        o = json_pack("{ss ss so ss so sf so ss so sb so}", "component", c->name, "kind", c->kind, "id", utf8_json(c->id),
                         "level", level_name(c->level), "why", utf8_json(c->why), "since", wall_of(c->since_us),
                         "age_s", age < 0 ? json_null() : json_integer(age), "rule", c->rule_name, "roles", roles,
                      "protected", judge_protected(b->judge, c), "reasons", reasons.list);
        if (json_array_size(accepted))
                json_object_set(o, "accepted", accepted);
        json_decref(accepted);
        return o;
}

static json_t *checks_json(struct brain *b, int64_t now)
{
        json_t *list = json_array();

        for (const struct judge_instance *i = judge_instances(b->judge); i; i = i->next) {
                if (i->pushed || i->gone_us)
                        continue;
                json_array_append_new(list, json_pack("{ss ss ss ss so so si si sI si sb}", "check", i->check->name, "instance", i->name,
                                                      "component", i->component->name, "result", verdict_name(i->verdict),
                                                      "why", utf8_json(i->why),
                                                      "age_s", i->end_us ? json_integer((now - i->end_us) / USEC_PER_SEC) : json_null(),
                                                      "interval_s", i->check->interval_s, "max_age_s", judge_max_age_s(i),
                                                      "next_s", (json_int_t)MAX((i->next_us - now) / USEC_PER_SEC, 0),
                                                      "runs", (int)i->run, "standby", i->standby));
        }
        return list;
}

static json_t *counters_json(const struct brain *b)
{
        const struct brain_counters *c = &b->counters;

        return json_pack("{sI sI sI sI sI sI sI sI sI sI sI sI sI sf}", "runs", (json_int_t)c->runs, "timeouts", (json_int_t)c->timeouts,
                         "bad_lines", (json_int_t)c->bad_lines, "refused_samples", (json_int_t)c->refused_samples,
                         "spawns", (json_int_t)c->spawns, "connects", (json_int_t)c->connects, "events", (json_int_t)c->events,
                         "dropped_store_lines", (json_int_t)c->dropped_store_lines,
                         "lost_events", (json_int_t)kept_lost(b->events), "waiting_events", (json_int_t)kept_waiting(b->events),
                         "dropped_log_lines", (json_int_t)c->dropped_log_lines, "publishes", (json_int_t)c->publishes,
                         "stalls", (json_int_t)c->stalls, "longest_stall_s", seconds(c->longest_stall_us));
}

/* The one line of systemctl status. Sent when it changes only: PID 1 may be slow to read. */
static void tell_systemd(struct brain *b, const struct health_result *health)
{
        char line[sizeof(b->publish->told)];

        snprintf(line, sizeof(line), "STATUS=%s is %s%s%s", b->host, health_name(health->health), *health->why ? ": " : "", health->why);
        for (char *c = line; *c; c++)
                if ((unsigned char)*c < ' ') /* a line break would begin another assignment */
                        *c = ' ';
        if (streq(line, b->publish->told))
                return;
        snprintf(b->publish->told, sizeof(b->publish->told), "%s", line);
        sd_notify(0, line);
}

static int publish_status(struct brain *b)
{
        struct health_result health = judge_health(b->judge);
        int64_t now = brain_now_us();
        json_t *components = json_array(), *doc;
        int r;

        for (const struct judge_component *c = judge_components(b->judge); c; c = c->next)
                if (judge_shown(b->judge, c))
                        json_array_append_new(components, component_json(b, c, now));
        doc = json_pack("{si ss ss so sf sf sf si so so so so so so}", "version", 1, "host", b->host, "health", health_name(health.health),
                        "health_why", utf8_json(health.why), "time", seconds(brain_wall_us()), "time_boot", seconds(now),
                        "started", seconds(b->started_wall_us), "silent_after_s", (int)config_int(b->config, "web", NULL, "silent_after"), "counters", counters_json(b),
                        "components", components, "checks", checks_json(b, now), "selftests", brain_selftest_json(b),
                        "peers", brain_peer_json(b), "alerting", brain_alert_status(b));
        r = write_json(b, "status.json", doc);
        json_decref(doc);
        tell_systemd(b, &health);
        return r;
}

static void put_string(FILE *f, const char *s)
{
        fputc('"', f);
        for (; *s; s++) {
                if (*s == '"' || *s == '\\')
                        fputc('\\', f);
                if ((unsigned char)*s < ' ')
                        fprintf(f, "\\u%04x", *s);
                else
                        fputc(*s, f);
        }
        fputc('"', f);
}

/* Changes with every sample that comes and every series that comes or goes: what readers make of the file costs them more
 * than the file costs us, so it is written when there is news. */
static int64_t sum_of_times(const struct brain *b)
{
        uint64_t sum = 0;

        for (const struct judge_instance *i = judge_instances(b->judge); i; i = i->next)
                for (size_t k = 0; !i->gone_us && k < i->n_series; k++)
                        sum += (uint64_t)i->series[k].time_us + 1;
        return (int64_t)sum;
}

/* Printed, not built: a thousand series would be half a megabyte of JSON objects every 15 s. Strings come
 * from parsed JSON, so they are UTF-8. */
static int publish_samples(struct brain *b)
{
        char tmp[256];
        FILE *f = file_open(b, "samples.json", tmp, sizeof(tmp));
        bool first = true;

        if (!f)
                return neg_errno();
        fprintf(f, "{\"version\":1,\"time_boot\":%.3f,\"samples\":[", seconds(brain_now_us()));
        for (const struct judge_instance *i = judge_instances(b->judge); i; i = i->next)
                for (size_t k = 0; !i->gone_us && k < i->n_series; k++) {
                        const struct judge_series *s = &i->series[k];
                        const char *labels = s->labels, *n, *v;
                        bool first_label = true;

                        fprintf(f, "%s{\"m\":\"%s\",\"c\":\"%s\",\"i\":", first ? "" : ",\n", s->metric->name, i->check->name);
                        put_string(f, i->name);
                        fprintf(f, ",\"v\":%.15g,\"t\":%.3f,\"l\":{", s->value, seconds(s->time_us));
                        while ((labels = judge_label_next(labels, &n, &v))) {
                                if (!first_label)
                                        fputc(',', f);
                                put_string(f, n);
                                fputc(':', f);
                                put_string(f, v);
                                first_label = false;
                        }
                        fputs("}}", f);
                        first = false;
                }
        fputs("]}\n", f);
        return file_close(b, f, "samples.json", tmp);
}

int brain_publish_catalog(struct brain *b)
{
        const struct check_desc **descs = calloc(b->catalog.n_checks + 2, sizeof(*descs));
        json_t *doc;
        int r;

        if (!descs)
                abort();
        for (size_t i = 0; i < b->catalog.n_checks; i++)
                descs[i] = &b->catalog.checks[i];
        descs[b->catalog.n_checks] = &brain_self_check;
        descs[b->catalog.n_checks + 1] = &brain_peer_check;
        doc = catalog_to_json(descs, b->catalog.n_checks + 2);
        free(descs);
        r = write_json(b, "catalog.json", doc);
        json_decref(doc);
        return r;
}

static int on_timer(sd_event_source *source, uint64_t usec UNUSED, void *data)
{
        struct brain *b = data;
        struct brain_publish *p = b->publish;
        int64_t now = brain_now_us();
        int r = 0;

        if (p->soon || now - p->status_us >= STATUS_EVERY_US) {
                p->soon = false;
                p->status_us = now;
                r = publish_status(b);
        }
        if (r >= 0 && now - p->samples_us >= SAMPLES_EVERY_US) {
                int64_t news = sum_of_times(b);

                p->samples_us = now;
                if (news != p->samples_news)
                        r = publish_samples(b);
                if (r >= 0)
                        p->samples_news = news;
        }
        if (now - p->state_us >= STATE_EVERY_US) {
                p->state_us = now;
                brain_state_save(b);
        }
        /* Nobody can read this where it is shown; the journal can. Readers see the age of the last good file. */
        if (r < 0)
                brain_log(b, BRAIN_ERROR, "%s: %s; readers will call every level unknown, next try in 10 s", b->options.run, strerror(-r));
        sd_event_source_set_time(source, (uint64_t)MIN(p->status_us + STATUS_EVERY_US, p->samples_us + SAMPLES_EVERY_US));
        return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

void brain_publish_soon(struct brain *b)
{
        struct brain_publish *p = b->publish;

        if (!p || p->soon)
                return;
        p->soon = true;
        sd_event_source_set_time(p->timer, (uint64_t)MAX(brain_now_us() + SOON_US, p->status_us + GAP_US));
        sd_event_source_set_enabled(p->timer, SD_EVENT_ONESHOT);
}

int brain_publish_start(struct brain *b)
{
        struct brain_publish *p = b->publish = calloc(1, sizeof(*p));
        int r;

        if (!p)
                abort();
        r = brain_publish_catalog(b);
        if (r < 0)
                return r;
        p->state_us = brain_now_us();
        p->samples_news = -1; /* what an earlier brain left must not stay */
        /* Samples a few seconds after the start, when the first round has been read. */
        p->samples_us = brain_now_us() - SAMPLES_EVERY_US + 3 * USEC_PER_SEC;
        return sd_event_add_time_relative(b->event, &p->timer, CLOCK_BOOTTIME, SOON_US, 5 * USEC_PER_MSEC, on_timer, b);
}

void brain_publish_stop(struct brain *b)
{
        if (!b->publish)
                return;
        sd_event_source_disable_unref(b->publish->timer);
        free(b->publish);
        b->publish = NULL;
}
