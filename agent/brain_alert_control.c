/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* What people say to the alerts by RUN/control.sock: acknowledge, silence, maintenance, test. */

#include <stdarg.h>
#include <sys/random.h>

#include "alert_text.h"
#include "brain_alert.h"
#include "french.h"

#define END_MAX_S (366 * 86400)

static const char *text(const json_t *request, const char *key)
{
        return json_string_value(json_object_get(request, key));
}

static const char *by(const json_t *request)
{
        const char *s = text(request, "by");

        return s && *s ? s : "an administrator";
}

static json_t *not_running(void)
{
        return control_failure("alerts are not running");
}

/* What was said holds from now on, also after a crash. */
static void keep(struct brain *b)
{
        brain_alert_write(b);
        brain_store_state(b);
        brain_alert_soon(b);
}

/* Seconds from now of "for_s"; 0: it is none. */
static int64_t for_s(const json_t *request)
{
        json_int_t s = json_integer_value(json_object_get(request, "for_s"));

        return s > 0 && s <= END_MAX_S ? s : 0;
}

json_t *brain_alert_ack(struct brain *b, const json_t *request)
{
        const char *component = text(request, "component"), *rule = text(request, "rule"), *why = text(request, "why");
        int n;

        if (!b->alert)
                return not_running();
        if (!component)
                return control_failure("say which component; veillectl alerts shows what is open");
        n = alerts_ack(b->alert->alerts, component, rule, by(request), why, brain_now_us());
        if (n == -ENOENT)
                return control_failure("%s has no open alert%s; veillectl alerts shows what is open", component, rule ? " of this rule" : "");
        brain_log(b, BRAIN_NOTICE, "%s: %d alert%s acknowledged by %s%s%s", component, n, n == 1 ? "" : "s", by(request), why && *why ? ": " : "",
                  why ? why : "");
        keep(b);
        return json_pack("{sb si}", "ok", 1, "acknowledged", n);
}

json_t *brain_alert_silence(struct brain *b, const json_t *request)
{
        const char *component = text(request, "component"), *rule = text(request, "rule"), *why = text(request, "why");
        int64_t seconds = for_s(request), now = brain_now_us();
        int id;

        if (!b->alert)
                return not_running();
        if (!component || !seconds)
                return control_failure("say which component, and for how long (at most a year)");
        alerts_clock(b->alert->alerts, now, brain_wall_us());
        id = alerts_silence(b->alert->alerts, NULL, component, rule, now + seconds * USEC_PER_SEC, by(request), why, now);
        if (id < 0)
                return control_failure("there are %d silences already; veillectl silence list shows them", ALERT_SILENCES_MAX);
        brain_log(b, BRAIN_NOTICE, "%s: silenced for %lld s by %s%s%s", component, (long long)seconds, by(request), why && *why ? ": " : "",
                  why ? why : "");
        keep(b);
        return json_pack("{sb si}", "ok", 1, "id", id);
}

json_t *brain_alert_silence_end(struct brain *b, const json_t *request)
{
        json_int_t id = json_integer_value(json_object_get(request, "id"));

        if (!b->alert)
                return not_running();
        if (id <= 0 || id > 1000000 || alerts_silence_end(b->alert->alerts, (unsigned)id, brain_now_us()) < 0)
                return control_failure("there is no such silence; veillectl silence list shows them");
        brain_log(b, BRAIN_NOTICE, "silence %lld ended by %s", (long long)id, by(request));
        keep(b);
        return json_pack("{sb}", "ok", 1);
}

json_t *brain_alert_maintenance(struct brain *b, const json_t *request)
{
        const char *why = text(request, "why");
        bool end = json_is_true(json_object_get(request, "end"));
        int64_t seconds = for_s(request), now = brain_now_us();

        if (!b->alert)
                return not_running();
        if (!end && !seconds)
                return control_failure("say for how long (at most a year)");
        alerts_clock(b->alert->alerts, now, brain_wall_us());
        alerts_maintain(b->alert->alerts, end ? 0 : now + seconds * USEC_PER_SEC, by(request), why, now);
        brain_log(b, BRAIN_NOTICE, end ? "maintenance ended by %s" : "maintenance begun by %s: nobody is told of anything until its end", by(request));
        keep(b);
        return json_pack("{sb}", "ok", 1);
}

/* --- a test message ------------------------------------------------------------------------------------------------ */

static json_t *test_message(struct brain *b, const char *id, const char *contact, enum alert_language language)
{
        struct textbuf subject = { 0 }, body = { 0 }, text = { 0 };
        double now = (double)brain_wall_us() / USEC_PER_SEC;
        json_t *doc;

        alert_text_test(b->host, contact, id, brain_wall_us(), language, &subject, &body);
        if (language == ALERT_FR)
                french_add(&text, "this is a test");
        else
                textbuf_str(&text, "this is a test");
        doc = json_pack("{si ss ss sf ss ss ss ss sb ss% ss% s[{ss ss ss ss ss ss% ss ss sf sf}]}", "version", 1, "id", id, "contact", contact, "time",
                        now, "host", b->host, "component", "veille", "level", "notice", "what", "test", "digest", 0, "subject", subject.data, subject.len,
                        "body", body.data, body.len, "items", "host", b->host, "component", "veille", "kind", "agent", "rule", "test-alert", "level",
                        "notice", "text", text.data, text.len, "clears", "nothing, it is a test", "check", "veille", "opened", now, "since", now);
        textbuf_done(&subject);
        textbuf_done(&body);
        textbuf_done(&text);
        return doc;
}

struct test {
        struct brain *b;
        const char *id, *contact;
        json_t *sinks, *message;
};

static void test_sink(struct test *t, const char *name)
{
        json_t *v;
        size_t i;

        json_array_foreach(t->sinks, i, v)
                if (streq(json_string_value(v), name))
                        return;
        json_array_append_new(t->sinks, json_string(name));
        brain_notify_put(t->b, name, t->id, t->message, true);
}

json_t *brain_alert_test(struct brain *b, const json_t *request)
{
        const char *contact = text(request, "contact");
        unsigned char random[16];
        char id[33];
        struct test t = { .b = b, .id = id, .contact = contact ? contact : "", .sinks = json_array() };
        bool found = false;

        if (!b->alert || getrandom(random, sizeof(random), GRND_NONBLOCK) != sizeof(random)) {
                json_decref(t.sinks);
                return not_running();
        }
        for (size_t i = 0; i < sizeof(random); i++)
                snprintf(id + 2 * i, 3, "%02x", random[i]);
        for (size_t i = 0; i < b->alert->config.n_contacts; i++) {
                const struct contact_config *c = &b->alert->config.contacts[i];

                if (contact && !streq(c->contact.name, contact))
                        continue;
                found = true;
                t.message = test_message(b, id, t.contact, c->language);
                for (size_t k = 0; t.message && k < c->n_sinks; k++)
                        test_sink(&t, c->sinks[k]);
                json_decref(t.message);
        }
        if (!found) {
                json_decref(t.sinks);
                return contact ? control_failure("there is no [contact %s] with sinks", contact) : control_failure("there is no [contact NAME] with sinks: nobody is told");
        }
        brain_log(b, BRAIN_NOTICE, "test message %s asked for by %s", id, by(request));
        brain_notify_step(b, brain_now_us());
        return json_pack("{sb ss so}", "ok", 1, "id", id, "sinks", t.sinks);
}
