/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The families about veille's own verdicts and doings: one table of what they are, and the samples that
 * come out of the status document. */

#include "web.h"

#include <math.h>

#include "version.h"

static const struct {
        const char *name;
        enum expo_type type;
        const char *unit, *help;
} own[] = {
        { "veille_build_info", EXPO_INFO, "", "Version of veille-web" },
        { "veille_host_info", EXPO_INFO, "", "Name the brain gives this host" },
        { "veille_host_health", EXPO_GAUGE, "", "1 for the health the host has now: green, yellow or red; yellow while the brain is silent" },
        { "veille_host_health_code", EXPO_GAUGE, "", "Health of the host: 0 green, 1 yellow, 2 red" },
        { "veille_component_level", EXPO_GAUGE, "", "1 for the level the component has now; unknown while the brain is silent" },
        { "veille_component_level_code", EXPO_GAUGE, "", "Level of the component by severity: 0 ok, 1 notice, 2 warning, 3 unknown, 4 critical" },
        { "veille_component_since_timestamp_seconds", EXPO_GAUGE, "seconds", "When the component took its present level" },
        { "veille_reason_level_code", EXPO_GAUGE, "", "Level of each reason that is not ok, by severity: 1 notice, 2 warning, 3 unknown, 4 critical" },
        { "veille_check_up", EXPO_GAUGE, "", "1 when the last run of the check ended with ok or nodata" },
        { "veille_check_result", EXPO_GAUGE, "", "1 with the result of the last run: ok, nodata, denied, failed, timeout, pending" },
        { "veille_sample_age_seconds", EXPO_GAUGE, "seconds", "Age of the oldest sample shown of this instance of a check" },
        { "veille_sample_max_age_seconds", EXPO_GAUGE, "seconds", "Samples older than this are no longer shown" },
        { "veille_family_age_seconds", EXPO_GAUGE, "seconds", "Age of the oldest sample shown of a metric family" },
        { "veille_samples_left_out", EXPO_GAUGE, "", "Samples that are not shown, by reason: stale, failed, invalid, duplicate" },
        { "veille_brain_up", EXPO_GAUGE, "", "1 when the brain (veilled) has written its status lately" },
        { "veille_brain_age_seconds", EXPO_GAUGE, "seconds", "Time since the brain last wrote its status" },
        { "veille_alerts", EXPO_GAUGE, "", "Alerts by level and state: open, acknowledged, silenced" },
        { "veille_alerts_maintenance", EXPO_GAUGE, "", "1 during maintenance: nobody is told of anything" },
        { "veille_alerts_refused_total", EXPO_COUNTER, "", "Alerts that found no room" },
        { "veille_alert_messages_total", EXPO_COUNTER, "", "Messages to contacts" },
        { "veille_alert_digests_total", EXPO_COUNTER, "", "Messages to contacts that are about more than one cause" },
        { "veille_notify_way_out", EXPO_GAUGE, "", "1 when a message would leave this host although its own mail is down" },
        { "veille_notify_queue", EXPO_GAUGE, "", "Messages that the sink has not taken yet" },
        { "veille_notify_failures", EXPO_GAUGE, "", "Deliveries by this sink that failed since the last good one" },
        { "veille_notify_delivered_total", EXPO_COUNTER, "", "Deliveries that the sink has taken" },
        { "veille_notify_failed_total", EXPO_COUNTER, "", "Deliveries that failed; each is tried again" },
        { "veille_notify_dropped_total", EXPO_COUNTER, "", "Messages given up: of a sink that is no longer there, or taken by nobody for days" },
        { "veille_notify_last_success_timestamp_seconds", EXPO_GAUGE, "seconds", "When the sink last took something" },
        { "veille_exposition_timestamp_seconds", EXPO_GAUGE, "seconds", "When these metrics were written; tells the age of a text file" },
        { "veille_web_requests_total", EXPO_COUNTER, "", "Answers of veille-web by class of HTTP status" },
        { "veille_web_connections_refused_total", EXPO_COUNTER, "", "Connections over a limit that veille-web closed at once" },
        { "veille_web_connections_cut_total", EXPO_COUNTER, "", "Connections that veille-web cut because a request or an answer took too long" },
        { "veille_web_renders_total", EXPO_COUNTER, "", "Times that veille-web put the metrics together anew" },
        { "veille_web_textfile_errors_total", EXPO_COUNTER, "", "Failures to write the file for the textfile collector" },
};

/* Members of "counters" of the status document. */
static const struct {
        const char *member, *name;
        enum expo_type type;
        const char *unit, *help;
} counters[] = {
        { "runs", "veille_brain_runs_total", EXPO_COUNTER, "", "Runs of checks that ended" },
        { "timeouts", "veille_brain_timeouts_total", EXPO_COUNTER, "", "Runs that were killed at their deadline" },
        { "bad_lines", "veille_brain_bad_lines_total", EXPO_COUNTER, "", "Lines of probes that made no sense" },
        { "refused_samples", "veille_brain_refused_samples_total", EXPO_COUNTER, "", "Samples over a limit or of unknown metrics" },
        { "spawns", "veille_brain_spawns_total", EXPO_COUNTER, "", "Probes started by the brain itself" },
        { "connects", "veille_brain_connects_total", EXPO_COUNTER, "", "Requests to socket-activated probes" },
        { "events", "veille_brain_events_total", EXPO_COUNTER, "", "Changes of level and other events" },
        { "dropped_store_lines", "veille_brain_dropped_store_lines_total", EXPO_COUNTER, "", "Lines of samples that the store did not take in time" },
        { "lost_events", "veille_brain_lost_events_total", EXPO_COUNTER, "", "Events that were dropped because the store did not take them for too long" },
        { "waiting_events", "veille_brain_waiting_events", EXPO_GAUGE, "", "Events that the store has not confirmed to be on disk" },
        { "dropped_log_lines", "veille_brain_dropped_log_lines_total", EXPO_COUNTER, "", "Log lines that nobody took" },
        { "publishes", "veille_brain_publishes_total", EXPO_COUNTER, "", "Files written to the run directory" },
        { "stalls", "veille_brain_stalls_total", EXPO_COUNTER, "", "Times the loop of the brain stood still for more than 100 ms" },
        { "longest_stall_s", "veille_brain_longest_stall_seconds", EXPO_GAUGE, "seconds", "Longest time the loop of the brain stood still" },
};

void web_families_head(struct textbuf *out, enum expo_format format, const char *name)
{
        for (size_t i = 0; i < ARRAY_LEN(own); i++)
                if (streq(own[i].name, name)) {
                        expo_render_head(out, format, name, own[i].type, own[i].unit, own[i].help);
                        return;
                }
        assert(!"family is not in the table");
}

bool web_families_reserved(const char *name)
{
        for (size_t i = 0; i < ARRAY_LEN(own); i++)
                if (streq(own[i].name, name))
                        return true;
        for (size_t i = 0; i < ARRAY_LEN(counters); i++)
                if (streq(counters[i].name, name))
                        return true;
        return false;
}

static void components(struct expo *e, const struct status_doc *status)
{
        const json_t *c, *r;
        size_t i, j;

        json_array_foreach(json_object_get(status->doc, "components"), i, c) {
                const char *labels[] = { "component", status_text(c, "component"), "kind", status_text(c, "kind"), NULL, NULL, NULL };
                enum level level = status_level(c);

                expo_sample(e, "veille_component_level_code", level, labels);
                if (isfinite(status_number(c, "since")))
                        expo_sample(e, "veille_component_since_timestamp_seconds", status_number(c, "since"), labels);
                labels[4] = "level";
                for (int l = 0; l < LEVEL_MAX; l++) {
                        labels[5] = level_name((enum level)l);
                        expo_sample(e, "veille_component_level", l == (int)level, labels);
                }
                json_array_foreach(json_object_get(c, "reasons"), j, r) {
                        const char *reason[] = { "component", labels[1], "rule", status_text(r, "rule"), "check", status_text(r, "check"),
                                                 "check_instance", status_text(r, "instance"), NULL };

                        if (status_level(r) > LEVEL_OK)
                                expo_sample(e, "veille_reason_level_code", status_level(r), reason);
                }
        }
}

static void checks(struct expo *e, const struct status_doc *status)
{
        const json_t *c;
        size_t i;

        json_array_foreach(json_object_get(status->doc, "checks"), i, c) {
                const char *result = status_text(c, "result");
                const char *labels[] = { "check", status_text(c, "check"), "check_instance", status_text(c, "instance"),
                                         "component", status_text(c, "component"), NULL, NULL, NULL };
                double max_age = status_number(c, "max_age_s");

                expo_sample(e, "veille_check_up", !status->silent && (streq(result, "ok") || streq(result, "nodata")), labels);
                if (isfinite(max_age))
                        expo_sample(e, "veille_sample_max_age_seconds", max_age, labels);
                labels[6] = "result";
                labels[7] = result;
                expo_sample(e, "veille_check_result", 1, labels);
        }
}

static void alerts(struct expo *e, const json_t *alerting)
{
        static const char *const states[] = { "open", "acknowledged", "silenced" };
        const json_t *alerts = json_object_get(alerting, "alerts");

        for (size_t i = 0; i < ARRAY_LEN(states); i++)
                for (int l = LEVEL_OK + 1; l < LEVEL_MAX; l++) {
                        const char *labels[] = { "level", level_name((enum level)l), "state", states[i], NULL };
                        double n = status_number(json_object_get(alerts, states[i]), labels[1]);

                        if (isfinite(n))
                                expo_sample(e, "veille_alerts", n, labels);
                }
}

static void put_number(struct expo *e, const char *name, const json_t *o, const char *member, const char *const *labels)
{
        double v = status_number(o, member);

        if (isfinite(v))
                expo_sample(e, name, v, labels);
}

static void alerting(struct expo *e, const json_t *o)
{
        static const char *const none[] = { NULL };
        const json_t *s;
        size_t i;

        if (!json_is_object(o))
                return;
        alerts(e, o);
        expo_sample(e, "veille_alerts_maintenance", isfinite(status_number(o, "maintenance_until")), none);
        expo_sample(e, "veille_notify_way_out", *status_text(o, "warning") == '\0', none);
        put_number(e, "veille_alerts_refused_total", o, "refused", none);
        put_number(e, "veille_alert_messages_total", o, "messages", none);
        put_number(e, "veille_alert_digests_total", o, "digests", none);
        put_number(e, "veille_notify_dropped_total", o, "dropped", none);
        json_array_foreach(json_object_get(o, "sinks"), i, s) {
                const char *labels[] = { "sink", status_text(s, "sink"), "type", status_text(s, "type"), NULL };

                put_number(e, "veille_notify_queue", s, "waiting", labels);
                put_number(e, "veille_notify_failures", s, "failures", labels);
                put_number(e, "veille_notify_delivered_total", s, "delivered", labels);
                put_number(e, "veille_notify_failed_total", s, "failed", labels);
                put_number(e, "veille_notify_last_success_timestamp_seconds", s, "good", labels);
        }
}

static void health(struct expo *e, const struct status_doc *status)
{
        for (int h = 0; h < HEALTH_MAX; h++) {
                const char *name = health_name((enum health)h);
                const char *labels[] = { "health", name, NULL };
                bool is = streq(status_text(status->doc, "health"), name);

                expo_sample(e, "veille_host_health", is, labels);
                if (is)
                        expo_sample(e, "veille_host_health_code", h, (const char *[]){ NULL });
        }
}

void web_families_status(struct expo *e, const struct status_doc *status)
{
        const json_t *brain = json_object_get(status->doc, "counters");

        for (size_t i = 0; i < ARRAY_LEN(own); i++)
                expo_family(e, own[i].name, own[i].type, own[i].unit, own[i].help);
        expo_sample(e, "veille_build_info", 1, (const char *[]){ "version", VEILLE_VERSION, NULL });
        expo_sample(e, "veille_host_info", 1, (const char *[]){ "host", status_text(status->doc, "host"), NULL });
        health(e, status);
        components(e, status);
        checks(e, status);
        alerting(e, json_object_get(status->doc, "alerting"));
        for (size_t i = 0; i < ARRAY_LEN(counters); i++) {
                double v = status_number(brain, counters[i].member);

                if (!isfinite(v))
                        continue;
                expo_family(e, counters[i].name, counters[i].type, counters[i].unit, counters[i].help);
                expo_sample(e, counters[i].name, v, (const char *[]){ NULL });
        }
}
