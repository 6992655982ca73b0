/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Messages in words: nothing missing in any language, everything that a reader needs, criticals all named. */

#include "test.h"

#include <math.h>

#include "alert_text.h"
#include "check.h"
#include "topology.h"

#define SEC USEC_PER_SEC
#define NOW (1000 * 86400 * SEC)
#define WALL (1795528800 * SEC) /* 2026-11-24 14:00:00 UTC */

static void no_text_is_missing_in_any_language(void **state UNUSED)
{
        size_t n = 0;

        for (int l = 0; l < ALERT_LANGUAGES; l++) {
                for (size_t i = 0; alert_text_at(i, (enum alert_language)l); i++, n++)
                        if (!*alert_text_at(i, (enum alert_language)l))
                                fail_msg("text %zu is missing in language %d", i, l);
                for (size_t i = 0; alert_advice_at(i); i++) {
                        const struct alert_advice *row = alert_advice_at(i);

                        if (!row->now[l] || !*row->now[l] || !row->soon[l] || !*row->soon[l])
                                fail_msg("'%s' does not say what to do in language %d", row->name, l);
                }
        }
        assert_true(n > 100);
}

/* The same places to fill in each language, or a translation would lose a fact. */
static void translations_have_the_same_places(void **state UNUSED)
{
        for (size_t i = 0; alert_text_at(i, ALERT_EN); i++)
                for (int l = 1; l < ALERT_LANGUAGES; l++) {
                        const char *texts[2] = { alert_text_at(i, ALERT_EN), alert_text_at(i, (enum alert_language)l) };
                        size_t places[2] = { 0 };

                        for (int k = 0; k < 2; k++)
                                for (const char *c = texts[k]; (c = strstr(c, "%s")); c += 2)
                                        places[k]++;
                        if (places[0] != places[1])
                                fail_msg("'%s' and '%s'", texts[0], texts[1]);
                }
}

static void every_check_has_its_advice(void **state UNUSED)
{
        for (size_t i = 0; i < checks_all_len; i++)
                if (!alert_advice_has(checks_all[i]->desc.name))
                        fail_msg("src/alert_advice.c has no row for the check %s", checks_all[i]->desc.name);
        assert_true(alert_advice_has("veille"));
        assert_non_null(alert_advice("a-plugin-of-yours", "load-status")->now[ALERT_FR]);
}

struct made {
        char *subject, *body;
        json_t *doc;
};

struct ask {
        enum alert_language language;
        struct alerts *alerts;
        struct made last;
        unsigned n;
};

static void made_done(struct made *m)
{
        free(m->subject);
        free(m->body);
        json_decref(m->doc);
        *m = (struct made){ 0 };
}

static void on_message(void *data, const struct alert_message *m)
{
        struct ask *ask = data;

        made_done(&ask->last);
        ask->last.doc = alert_message_json(ask->alerts, m, ask->language);
        assert_non_null(ask->last.doc);
        ask->last.subject = strdup(json_string_value(json_object_get(ask->last.doc, "subject")));
        ask->last.body = strdup(json_string_value(json_object_get(ask->last.doc, "body")));
        assert_null(strchr(ask->last.subject, '\n'));
        assert_true(json_array_size(json_object_get(ask->last.doc, "items")) == MIN(m->n, 200));
        assert_true((size_t)json_integer_value(json_object_get(ask->last.doc, "total")) == m->n);
        ask->n++;
}

static void begin(struct ask *ask, enum alert_language language)
{
        static const struct alert_policy policy = { .contacts = { { .name = "root", .level = LEVEL_WARNING } }, .n_contacts = 1 };

        *ask = (struct ask){ .language = language, .alerts = alerts_new() };
        alerts_policy(ask->alerts, &policy);
        alerts_clock(ask->alerts, NOW, WALL);
}

static void end(struct ask *ask)
{
        made_done(&ask->last);
        alerts_free(ask->alerts);
}

static void set(struct ask *ask, const char *component, const char *check, const char *rule, enum level level, unsigned roles,
                bool protected_, int64_t at_us)
{
        const struct alert_about about = { .host = "mx1", .component = component, .kind = "disk", .roles = roles, .protected_ = protected_ };
        const struct alert_input in = { .rule = rule, .level = level, .text = "it says it is failing", .clears = "a new disk", .check = check,
                                        .instance = component, .value = 3, .read_us = at_us - 20 * SEC };

        alerts_component(ask->alerts, &about, &in, level > LEVEL_OK, at_us);
}

static void assert_has(const char *text, const char *part)
{
        if (!strstr(text, part))
                fail_msg("'%s' is not in:\n%s", part, text);
}

static void a_message_says_what_a_reader_needs(void **state UNUSED)
{
        const unsigned store = TOPOLOGY_ROLE_BIT(TOPOLOGY_ROLE_MAIL_STORE);
        struct ask ask;

        begin(&ask, ALERT_EN);
        set(&ask, "sda", "smart-ata", "smart-failed", LEVEL_CRITICAL, store, false, NOW);
        alerts_step(ask.alerts, NOW, on_message, &ask);
        assert_string_equal(ask.last.subject, "[mx1] CRITICAL: sda: replace this disk now");
        assert_has(ask.last.body, "it says it is failing");
        assert_has(ask.last.body, "Since         2026-11-24 14:00:00 UTC, 0 s ago");
        assert_has(ask.last.body, "value 3, read 20 s ago by check smart-ata, rule smart-failed");
        assert_has(ask.last.body, "It carries the mailboxes; nothing carries its loss: without it mail stops");
        assert_has(ask.last.body, "a new disk");
        assert_has(ask.last.body, "veillectl why sda");
        assert_has(ask.last.body, "smartctl -x /dev/sda");
        assert_has(ask.last.body, "veillectl ack sda");
        assert_has(ask.last.body, json_string_value(json_object_get(ask.last.doc, "id")));
        alerts_step(ask.alerts, NOW + 3600 * SEC, on_message, &ask);
        assert_string_equal(ask.last.subject, "[mx1] CRITICAL: sda: replace this disk now (still)");
        assert_has(ask.last.body, "Nobody has acknowledged");
        set(&ask, "sda", "smart-ata", "smart-failed", LEVEL_OK, store, false, NOW + 7200 * SEC);
        alerts_step(ask.alerts, NOW + 7300 * SEC, on_message, &ask);
        assert_string_equal(ask.last.subject, "[mx1] over: sda");
        assert_has(ask.last.body, "sda: over (was CRITICAL)");
        assert_has(ask.last.body, "from 2026-11-24 14:00:00 UTC to 2026-11-24 16:00:00 UTC (2 h)");
        assert_null(strstr(ask.last.body, "What to do"));
        assert_int_equal(ask.n, 3);
        end(&ask);
}

static void thread(struct ask *ask, char *buf)
{
        const json_t *item = json_array_get(json_object_get(ask->last.doc, "items"), 0);

        snprintf(buf, 33, "%s", json_string_value(json_object_get(item, "thread")));
        assert_int_equal(strlen(buf), 32);
}

static void all_messages_of_an_alert_are_one_thread(void **state UNUSED)
{
        char first[33], next[33];
        struct ask ask;

        begin(&ask, ALERT_EN);
        set(&ask, "sda", "smart-ata", "smart-failed", LEVEL_WARNING, 0, false, NOW);
        alerts_step(ask.alerts, NOW + 20 * SEC, on_message, &ask);
        thread(&ask, first);
        set(&ask, "sda", "smart-ata", "smart-failed", LEVEL_CRITICAL, 0, false, NOW + 60 * SEC);
        alerts_step(ask.alerts, NOW + 60 * SEC, on_message, &ask);
        thread(&ask, next);
        assert_string_equal(first, next);
        set(&ask, "sda", "smart-ata", "smart-failed", LEVEL_OK, 0, false, NOW + 3600 * SEC);
        alerts_step(ask.alerts, NOW + 3700 * SEC, on_message, &ask);
        thread(&ask, next);
        assert_string_equal(first, next);
        assert_int_equal(ask.n, 3);
        /* The next illness is another story. */
        alerts_clock(ask.alerts, NOW + 90000 * SEC, WALL + 90000 * SEC);
        set(&ask, "sda", "smart-ata", "smart-failed", LEVEL_CRITICAL, 0, false, NOW + 90000 * SEC);
        alerts_step(ask.alerts, NOW + 90000 * SEC, on_message, &ask);
        thread(&ask, next);
        assert_string_not_equal(first, next);
        end(&ask);
}

/* A rule or a brain that gives no sentence: the name of the rule stands for it, in every form. */
static void no_message_is_without_a_why(void **state UNUSED)
{
        for (int l = 0; l < ALERT_LANGUAGES; l++)
                for (int given = 0; given < 2; given++) {
                        const struct alert_about about = { .host = "mx1", .component = "sda", .kind = "disk" };
                        const struct alert_input in = { .rule = "odd-rule", .level = LEVEL_CRITICAL, .text = given ? "" : NULL, .value = NAN };
                        const char *why;
                        struct ask ask;

                        begin(&ask, (enum alert_language)l);
                        alerts_component(ask.alerts, &about, &in, 1, NOW);
                        alerts_step(ask.alerts, NOW, on_message, &ask);
                        why = strstr(ask.last.body, l == ALERT_FR ? "Ce qui se passe" : "What happened");
                        assert_non_null(why);
                        assert_non_null(strstr(why, "odd-rule"));
                        assert_true(strstr(why, "odd-rule") < strchr(why, '\n'));
                        assert_non_null(strstr(json_string_value(json_object_get(json_array_get(json_object_get(ask.last.doc, "items"), 0), "text")), "odd-rule"));
                        end(&ask);
                }
}

static void redundancy_makes_it_less_urgent(void **state UNUSED)
{
        struct ask ask;

        begin(&ask, ALERT_FR);
        set(&ask, "sda", "smart-ata", "smart-failed", LEVEL_CRITICAL, TOPOLOGY_ROLE_BIT(TOPOLOGY_ROLE_MAIL_SPOOL), true, NOW);
        alerts_step(ask.alerts, NOW, on_message, &ask);
        assert_string_equal(ask.last.subject, "[mx1] CRITIQUE: sda: prévoyez de remplacer ce disque");
        assert_has(ask.last.body, "Il porte la file du courrier; la redondance couvre sa perte");
        assert_has(ask.last.body, "Que faire");
        end(&ask);
}

static void what_was_critical_and_is_over_says_so(void **state UNUSED)
{
        struct ask ask;

        begin(&ask, ALERT_EN);
        set(&ask, "psu1", "power", "power-redundancy-lost", LEVEL_CRITICAL, 0, false, NOW);
        set(&ask, "psu1", "power", "power-redundancy-lost", LEVEL_OK, 0, false, NOW + SEC);
        alerts_step(ask.alerts, NOW + 2 * SEC, on_message, &ask);
        assert_string_equal(ask.last.subject, "[mx1] CRITICAL: psu1: was critical for a moment");
        assert_has(ask.last.body, "psu1: over (was critical for a moment)");
        assert_has(ask.last.body, "The whole host depends on it");
        end(&ask);
}

static void a_digest_names_every_critical(void **state UNUSED)
{
        struct ask ask;
        char name[64];

        begin(&ask, ALERT_EN);
        for (int i = 0; i < 1500; i++) {
                snprintf(name, sizeof(name), "part%d", i);
                set(&ask, name, "kernel", "disk-offline", i % 3 ? LEVEL_WARNING : LEVEL_CRITICAL, 0, false, NOW);
        }
        alerts_step(ask.alerts, NOW + 60 * SEC, on_message, &ask);
        assert_int_equal(ask.n, 1);
        assert_has(ask.last.subject, "(and 1499 more)");
        for (int i = 0; i < 1500; i += 3) {
                snprintf(name, sizeof(name), "part%d: CRITICAL", i);
                assert_has(ask.last.body, name);
        }
        assert_has(ask.last.body, "more that are not critical: veillectl alerts");
        assert_true(strlen(ask.last.body) < 128 * 1024);
        end(&ask);
}

static void names_of_devices_cannot_become_commands(void **state UNUSED)
{
        struct ask ask;

        begin(&ask, ALERT_EN);
        set(&ask, "/srv/a b'; rm -rf $HOME", "fs", "fs-space", LEVEL_CRITICAL, 0, false, NOW);
        alerts_step(ask.alerts, NOW, on_message, &ask);
        assert_has(ask.last.body, "df -h '/srv/a b'\\''; rm -rf $HOME'\n");
        end(&ask);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(no_text_is_missing_in_any_language),
                cmocka_unit_test(translations_have_the_same_places),
                cmocka_unit_test(every_check_has_its_advice),
                cmocka_unit_test(a_message_says_what_a_reader_needs),
                cmocka_unit_test(all_messages_of_an_alert_are_one_thread),
                cmocka_unit_test(no_message_is_without_a_why),
                cmocka_unit_test(redundancy_makes_it_less_urgent),
                cmocka_unit_test(what_was_critical_and_is_over_says_so),
                cmocka_unit_test(a_digest_names_every_critical),
                cmocka_unit_test(names_of_devices_cannot_become_commands),
        };

        return cmocka_run_group_tests_name("alert_text", tests, NULL, NULL);
}
