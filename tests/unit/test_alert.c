/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The life of alerts. What a contact knows is put together from the messages alone, as a reader would. */

#include "test.h"

#include <time.h>

#include "alert.h"

#define SEC USEC_PER_SEC
#define HOUR (3600 * SEC)
#define DAY (24 * HOUR)
#define SAID_MAX 20000

struct said {
        int64_t at_us;
        char contact[32], component[32], rule[32], id[33];
        enum alert_what what;
        enum level level, peak;
        unsigned message; /* number of the message it was in */
};

struct sim {
        struct alerts *a;
        int64_t now_us;
        unsigned messages, digests;
        int64_t message_us[SAID_MAX];
        char message_contact[SAID_MAX][16];
        struct said said[SAID_MAX];
        size_t n;
};

static void on_message(void *data, const struct alert_message *m)
{
        struct sim *s = data;

        assert_true(m->n > 0);
        assert_true(s->messages < SAID_MAX);
        s->message_us[s->messages] = m->now_us;
        snprintf(s->message_contact[s->messages], sizeof(s->message_contact[0]), "%s", m->contact);
        s->digests += m->digest;
        assert_int_equal(strlen(m->id), 32);
        for (size_t i = 0; i < m->n; i++) {
                struct said *x = &s->said[s->n++];

                assert_true(s->n < SAID_MAX);
                *x = (struct said){ .at_us = m->now_us, .what = m->items[i].what, .level = m->items[i].alert->level,
                                    .peak = m->items[i].peak, .message = s->messages };
                snprintf(x->contact, sizeof(x->contact), "%s", m->contact);
                snprintf(x->component, sizeof(x->component), "%s", m->items[i].alert->component);
                snprintf(x->rule, sizeof(x->rule), "%s", m->items[i].alert->rule);
                snprintf(x->id, sizeof(x->id), "%s", m->id);
        }
        s->messages++;
}

static const struct alert_policy one_contact = { .contacts = { { .name = "root", .level = LEVEL_WARNING } }, .n_contacts = 1 };

static struct sim *sim_new(const struct alert_policy *policy)
{
        struct sim *s = calloc(1, sizeof(*s));

        s->a = alerts_new();
        s->now_us = 100 * DAY;
        alerts_policy(s->a, policy);
        alerts_clock(s->a, s->now_us, s->now_us + 20000 * DAY);
        return s;
}

static void sim_free(struct sim *s)
{
        alerts_free(s->a);
        free(s);
}

/* Time passes; the module is asked when it said, as the brain does it. */
static void sim_run(struct sim *s, int64_t us)
{
        int64_t end = s->now_us + us;

        for (;;) {
                int64_t next = alerts_step(s->a, s->now_us, on_message, s);

                if (next > end)
                        break;
                s->now_us = MAX(next, s->now_us + 1);
        }
        s->now_us = end;
        alerts_step(s->a, s->now_us, on_message, s);
}

/* One rule of a component; level ok ends it. */
static void set(struct sim *s, const char *component, const char *rule, enum level level)
{
        const struct alert_about about = { .host = "mx1", .component = component, .kind = "disk" };
        const struct alert_input in = { .rule = rule, .level = level, .text = "something is wrong", .clears = "a new one",
                                        .check = "smart", .instance = component, .value = 3, .read_us = s->now_us };

        alerts_component(s->a, &about, &in, level > LEVEL_OK, s->now_us);
}

static const struct said *last(const struct sim *s)
{
        assert_true(s->n > 0);
        return &s->said[s->n - 1];
}

static void expect_last(const struct sim *s, const char *component, enum alert_what what, int64_t ago_us)
{
        assert_string_equal(last(s)->component, component);
        assert_string_equal(alert_what_name(last(s)->what), alert_what_name(what));
        if (s->now_us - last(s)->at_us != ago_us)
                fail_msg("%s %s was told %.1f s ago, not %.1f s", component, alert_what_name(what), (double)(s->now_us - last(s)->at_us) / SEC,
                         (double)ago_us / SEC);
}

static void a_critical_is_told_at_once_repeated_with_back_off_and_resolved(void **state UNUSED)
{
        static const int hours[] = { 0, 1, 3, 7, 15, 31, 55, 79, 103 };
        struct sim *s = sim_new(&one_contact);
        int64_t start = s->now_us;

        set(s, "sda", "health", LEVEL_CRITICAL);
        sim_run(s, 104 * HOUR);
        assert_int_equal(s->messages, ARRAY_LEN(hours));
        for (size_t i = 0; i < ARRAY_LEN(hours); i++) {
                assert_int_equal((s->said[i].at_us - start) / SEC, hours[i] * 3600);
                assert_int_equal(s->said[i].what, i ? ALERT_REPEAT : ALERT_NEW);
                for (size_t k = 0; k < i; k++)
                        assert_string_not_equal(s->said[i].id, s->said[k].id);
        }
        set(s, "sda", "health", LEVEL_OK);
        sim_run(s, 30 * SEC);
        expect_last(s, "sda", ALERT_RESOLVED, 0);
        sim_run(s, 100 * DAY);
        assert_int_equal(s->messages, ARRAY_LEN(hours) + 1);
        alerts_sweep_begin(s->a, "mx1");
        alerts_sweep_end(s->a, "mx1", s->now_us);
        assert_int_equal(alerts_n(s->a), 0);
        sim_free(s);
}

static void a_warning_waits_and_a_short_one_is_not_told(void **state UNUSED)
{
        struct sim *s = sim_new(&one_contact);

        set(s, "sda", "temperature", LEVEL_WARNING);
        sim_run(s, 5 * SEC);
        set(s, "sda", "temperature", LEVEL_OK);
        sim_run(s, HOUR);
        assert_int_equal(s->messages, 0);
        set(s, "sda", "temperature", LEVEL_NOTICE); /* less than the contact wants */
        sim_run(s, HOUR);
        assert_int_equal(s->messages, 0);
        set(s, "sda", "temperature", LEVEL_WARNING);
        sim_run(s, 11 * SEC);
        expect_last(s, "sda", ALERT_NEW, SEC);
        /* Below what the contact wants is over for it. */
        set(s, "sda", "temperature", LEVEL_NOTICE);
        sim_run(s, 31 * SEC);
        expect_last(s, "sda", ALERT_RESOLVED, SEC);
        sim_free(s);
}

static void a_critical_that_was_too_short_to_be_seen_is_named_all_the_same(void **state UNUSED)
{
        struct sim *s = sim_new(&one_contact);

        set(s, "sda", "health", LEVEL_CRITICAL);
        set(s, "sda", "health", LEVEL_OK);
        sim_run(s, SEC);
        assert_int_equal(s->messages, 1);
        expect_last(s, "sda", ALERT_PASSED, SEC);
        assert_int_equal(last(s)->peak, LEVEL_CRITICAL);
        sim_run(s, 10 * DAY);
        assert_int_equal(s->messages, 1);
        /* Nor when it comes back as something mild before there was a message for it. */
        alerts_maintain(s->a, s->now_us + HOUR, "ann", "", s->now_us);
        set(s, "sdc", "health", LEVEL_CRITICAL);
        set(s, "sdc", "health", LEVEL_OK);
        set(s, "sdc", "health", LEVEL_NOTICE);
        sim_run(s, HOUR);
        expect_last(s, "sdc", ALERT_PASSED, 0);
        assert_int_equal(s->messages, 2);
        /* On top of a warning that is known. */
        set(s, "sdb", "health", LEVEL_WARNING);
        sim_run(s, 20 * SEC);
        set(s, "sdb", "health", LEVEL_CRITICAL);
        set(s, "sdb", "health", LEVEL_WARNING);
        sim_run(s, SEC);
        expect_last(s, "sdb", ALERT_PASSED, SEC);
        assert_int_equal(last(s)->level, LEVEL_WARNING);
        sim_free(s);
}

static void worse_is_told_soon_and_better_when_it_lasts(void **state UNUSED)
{
        struct sim *s = sim_new(&one_contact);

        set(s, "sda", "health", LEVEL_WARNING);
        sim_run(s, 20 * SEC);
        set(s, "sda", "health", LEVEL_CRITICAL);
        sim_run(s, SEC);
        expect_last(s, "sda", ALERT_WORSE, SEC);
        for (int i = 0; i < 5; i++) { /* to and fro: it is known */
                set(s, "sda", "health", LEVEL_WARNING);
                sim_run(s, 60 * SEC);
                set(s, "sda", "health", LEVEL_CRITICAL);
                sim_run(s, 60 * SEC);
        }
        assert_int_equal(s->messages, 2);
        set(s, "sda", "health", LEVEL_WARNING);
        sim_run(s, 301 * SEC);
        expect_last(s, "sda", ALERT_BETTER, SEC);
        /* A relapse before the end was told is no new alert. */
        set(s, "sda", "health", LEVEL_OK);
        sim_run(s, 10 * SEC);
        set(s, "sda", "health", LEVEL_WARNING);
        sim_run(s, 600 * SEC);
        assert_int_equal(s->messages, 3);
        sim_free(s);
}

static void acknowledging_ends_repeats_until_it_gets_worse(void **state UNUSED)
{
        struct sim *s = sim_new(&one_contact);

        set(s, "sda", "health", LEVEL_WARNING);
        sim_run(s, 20 * SEC);
        assert_int_equal(alerts_ack(s->a, "sdb", NULL, "ann", "", s->now_us), -ENOENT);
        assert_int_equal(alerts_ack(s->a, "sda", "other", "ann", "", s->now_us), -ENOENT);
        assert_int_equal(alerts_ack(s->a, "sda", NULL, "ann", "ordered a disk", s->now_us), 1);
        assert_string_equal(alerts_at(s->a, 0)->acked_by, "ann");
        sim_run(s, 10 * DAY);
        assert_int_equal(s->messages, 1);
        set(s, "sda", "health", LEVEL_CRITICAL);
        assert_false(alerts_at(s->a, 0)->acked);
        sim_run(s, HOUR + SEC);
        assert_int_equal(s->messages, 3);
        expect_last(s, "sda", ALERT_REPEAT, SEC);
        alerts_ack(s->a, "sda", "health", "ann", "", s->now_us);
        set(s, "sda", "health", LEVEL_OK);
        sim_run(s, HOUR);
        assert_int_equal(s->messages, 4);
        assert_int_equal(last(s)->what, ALERT_RESOLVED);
        sim_free(s);
}

static void what_is_silenced_is_told_when_the_silence_ends_and_resolved_always(void **state UNUSED)
{
        struct sim *s = sim_new(&one_contact);
        int id;

        set(s, "sda", "health", LEVEL_CRITICAL);
        sim_run(s, SEC);
        assert_int_equal(alerts_silence(s->a, NULL, "sd*", NULL, s->now_us, "ann", "", s->now_us), -EINVAL);
        id = alerts_silence(s->a, "mx*", "sd*", "heal?h", s->now_us + 10 * HOUR, "ann", "new cable", s->now_us);
        assert_true(id > 0);
        set(s, "sdb", "health", LEVEL_CRITICAL);
        set(s, "sdc", "temperature", LEVEL_CRITICAL); /* another rule */
        sim_run(s, 5 * HOUR);
        for (size_t i = 1; i < s->n; i++)
                assert_string_equal(s->said[i].component, "sdc");
        set(s, "sda", "health", LEVEL_OK);
        sim_run(s, HOUR);
        expect_last(s, "sda", ALERT_RESOLVED, HOUR - 30 * SEC);
        sim_run(s, 4 * HOUR);
        expect_last(s, "sdb", ALERT_NEW, 0);
        assert_int_equal(alerts_silence_end(s->a, (unsigned)id, s->now_us), -ENOENT);
        id = alerts_silence(s->a, NULL, "sdb", NULL, s->now_us + 10 * HOUR, "ann", "", s->now_us);
        assert_int_equal(alerts_silence_end(s->a, (unsigned)id, s->now_us), 0);
        assert_int_equal(alerts_silences_n(s->a), 0);
        for (int i = 0; i < ALERT_SILENCES_MAX; i++)
                assert_true(alerts_silence(s->a, NULL, NULL, NULL, s->now_us + HOUR, "ann", "", s->now_us) > 0);
        assert_int_equal(alerts_silence(s->a, NULL, NULL, NULL, s->now_us + HOUR, "ann", "", s->now_us), -E2BIG);
        sim_free(s);
}

static void maintenance_ends_by_itself_and_tells_what_was(void **state UNUSED)
{
        struct sim *s = sim_new(&one_contact);

        alerts_maintain(s->a, s->now_us + 2 * HOUR, "ann", "new power supply", s->now_us);
        set(s, "psu1", "lost", LEVEL_CRITICAL);
        set(s, "sda", "health", LEVEL_CRITICAL);
        sim_run(s, HOUR);
        set(s, "psu1", "lost", LEVEL_OK);
        sim_run(s, HOUR - SEC);
        assert_int_equal(s->messages, 0);
        sim_run(s, SEC);
        assert_int_equal(s->n, 2);
        expect_last(s, "psu1", ALERT_PASSED, 0);
        assert_string_equal(s->said[0].component, "sda");
        alerts_maintain(s->a, s->now_us + 2 * HOUR, "ann", "", s->now_us);
        set(s, "sdb", "health", LEVEL_CRITICAL);
        sim_run(s, SEC);
        assert_int_equal(s->messages, 2);
        alerts_maintain(s->a, 0, "ann", "", s->now_us);
        sim_run(s, SEC);
        expect_last(s, "sdb", ALERT_NEW, SEC);
        sim_free(s);
}

static void who_does_not_acknowledge_in_time_gets_company(void **state UNUSED)
{
        static const struct alert_policy policy = {
                .contacts = { { .name = "oncall", .level = LEVEL_WARNING },
                              { .name = "boss", .level = LEVEL_CRITICAL, .step = 1 },
                              { .name = "owner", .level = LEVEL_CRITICAL, .step = 2, .components = "psu* sd*" },
                              { .name = "net", .level = LEVEL_WARNING, .components = "eth*" } },
                .n_contacts = 4,
                .escalate_us = 30 * 60 * SEC,
        };
        struct sim *s = sim_new(&policy);

        set(s, "sda", "health", LEVEL_CRITICAL);
        set(s, "sdb", "health", LEVEL_WARNING);
        sim_run(s, 30 * 60 * SEC - 1);
        for (size_t i = 0; i < s->n; i++)
                assert_string_equal(s->said[i].contact, "oncall");
        sim_run(s, SEC);
        assert_string_equal(last(s)->contact, "boss");
        expect_last(s, "sda", ALERT_ESCALATED, SEC - 1);
        alerts_ack(s->a, "sda", NULL, "oncall", "", s->now_us);
        sim_run(s, HOUR);
        for (size_t i = 0; i < s->n; i++)
                assert_string_not_equal(s->said[i].contact, "owner");
        set(s, "sda", "health", LEVEL_OK);
        sim_run(s, 60 * SEC);
        bool boss = false, oncall = false; /* whoever was told hears that it is over */

        for (size_t i = 0; i < s->n; i++) {
                boss |= s->said[i].what == ALERT_RESOLVED && streq(s->said[i].contact, "boss");
                oncall |= s->said[i].what == ALERT_RESOLVED && streq(s->said[i].contact, "oncall");
        }
        assert_true(boss && oncall);
        set(s, "psu1", "lost", LEVEL_CRITICAL);
        set(s, "eth0", "link", LEVEL_WARNING);
        sim_run(s, HOUR + SEC);
        boss = oncall = false;
        for (size_t i = 0; i < s->n; i++) {
                boss |= streq(s->said[i].contact, "owner") && streq(s->said[i].component, "psu1") && s->said[i].what == ALERT_ESCALATED;
                oncall |= streq(s->said[i].contact, "net") && streq(s->said[i].component, "eth0") && s->said[i].what == ALERT_NEW;
                assert_false(streq(s->said[i].contact, "net") && !streq(s->said[i].component, "eth0"));
        }
        assert_true(boss && oncall);
        sim_free(s);
}

/* "/" on md0 on sda and sdb. */
static size_t below(void *data UNUSED, const char *component, const char **ret, size_t max)
{
        static const char *const of_root[] = { "md0", "sda", "sdb" };
        const char *const *from = streq(component, "/") ? of_root : of_root + 1;
        size_t n = streq(component, "/") ? 3 : streq(component, "md0") ? 2 : 0;

        for (size_t i = 0; i < MIN(n, max); i++)
                ret[i] = from[i];
        return n;
}

static const struct alert_policy stacked = { .contacts = { { .name = "root", .level = LEVEL_WARNING } }, .n_contacts = 1, .stands_on = below };

static void a_dead_disk_and_its_array_are_one_message(void **state UNUSED)
{
        struct sim *s = sim_new(&stacked);

        set(s, "md0", "degraded", LEVEL_WARNING); /* seen first, but waits */
        sim_run(s, SEC);
        set(s, "sda", "gone", LEVEL_CRITICAL);
        sim_run(s, SEC);
        assert_int_equal(s->messages, 1);
        assert_int_equal(s->n, 2);
        assert_string_equal(s->said[0].component, "sda");
        assert_string_equal(s->said[1].component, "md0");
        set(s, "/", "slow", LEVEL_WARNING); /* explained as well: goes along with the next */
        sim_run(s, HOUR - 2 * SEC);
        assert_int_equal(s->messages, 1);
        sim_run(s, 10 * SEC);
        assert_int_equal(s->messages, 2);
        assert_int_equal(s->n, 4);
        /* The disk is exchanged, the array not whole yet: that is no longer explained by anything. */
        set(s, "sda", "gone", LEVEL_OK);
        set(s, "/", "slow", LEVEL_OK);
        sim_run(s, 60 * SEC);
        set(s, "md0", "degraded", LEVEL_OK);
        sim_run(s, 60 * SEC);
        for (size_t i = 0; i < s->n; i++)
                assert_true(s->said[i].what != ALERT_NEW || s->said[i].message < 2);
        assert_int_equal(last(s)->what, ALERT_RESOLVED);
        assert_string_equal(last(s)->component, "md0");
        sim_free(s);
}

static void a_consequence_that_is_worse_than_its_cause_is_told_and_a_critical_always(void **state UNUSED)
{
        struct sim *s = sim_new(&stacked);

        set(s, "sda", "pending", LEVEL_WARNING);
        sim_run(s, 20 * SEC);
        set(s, "md0", "failed", LEVEL_CRITICAL);
        sim_run(s, SEC);
        expect_last(s, "md0", ALERT_NEW, SEC);
        sim_run(s, 60 * SEC);
        set(s, "sda", "gone", LEVEL_CRITICAL); /* another rule of it: what was there is over */
        sim_run(s, SEC);
        set(s, "/", "read-only", LEVEL_CRITICAL); /* explained, but nobody may miss it */
        sim_run(s, 62 * SEC);
        assert_string_equal(last(s)->component, "/");
        sim_free(s);
}

static void what_nobody_was_told_of_explains_nothing(void **state UNUSED)
{
        struct sim *s = sim_new(&stacked);

        alerts_silence(s->a, NULL, "sda", NULL, s->now_us + DAY, "ann", "is being exchanged", s->now_us);
        set(s, "sda", "gone", LEVEL_CRITICAL);
        set(s, "md0", "degraded", LEVEL_WARNING);
        sim_run(s, 11 * SEC);
        expect_last(s, "md0", ALERT_NEW, SEC);
        sim_free(s);
}

/* --- storms ------------------------------------------------------------------------------------------ */

static int64_t most_in_an_hour(const struct sim *s, const char *contact)
{
        int64_t most = 0;

        for (unsigned i = 0; i < s->messages; i++) {
                int64_t n = 0;

                for (unsigned k = i; k < s->messages && s->message_us[k] - s->message_us[i] < HOUR; k++)
                        n += streq(s->message_contact[k], contact) && streq(s->message_contact[i], contact);
                most = MAX(most, n);
        }
        return most;
}

/* What the contact knows of it from its messages. */
static enum level known(const struct sim *s, const char *contact, const char *component, const char *rule)
{
        for (size_t i = s->n; i-- > 0;)
                if (streq(s->said[i].contact, contact) && streq(s->said[i].component, component) && streq(s->said[i].rule, rule))
                        return s->said[i].what == ALERT_RESOLVED ? LEVEL_OK : s->said[i].level;
        return LEVEL_OK;
}

static bool named_since(const struct sim *s, const char *contact, const char *component, const char *rule, int64_t since_us)
{
        for (size_t i = s->n; i-- > 0 && s->said[i].at_us >= since_us;)
                if (streq(s->said[i].contact, contact) && streq(s->said[i].component, component) && streq(s->said[i].rule, rule))
                        return true;
        return false;
}

static unsigned long seed_of_day(void)
{
        const char *given = getenv("SEED");
        unsigned long seed = given ? strtoul(given, NULL, 10) : (unsigned long)time(NULL);

        print_message("SEED=%lu\n", seed);
        return seed;
}

/* Whatever mild things were told of within the hour: criticals of four other causes go out in the same second. */
static void a_new_critical_has_its_place_whatever_was_told_before(void **state UNUSED)
{
        struct sim *s = sim_new(&one_contact);
        int64_t start = s->now_us;
        char name[32];

        for (int i = 0; i < 30; i++) {
                snprintf(name, sizeof(name), "mild%d", i);
                set(s, name, "rule", LEVEL_WARNING);
                sim_run(s, 90 * SEC);
        }
        assert_int_equal(s->messages, 6);
        for (int i = 0; i < 4; i++) {
                snprintf(name, sizeof(name), "disk%d", i);
                set(s, name, "rule", LEVEL_CRITICAL);
                sim_run(s, SEC / 10);
                assert_int_equal(s->messages, 7 + i);
                assert_true(named_since(s, "root", name, "rule", s->now_us - SEC / 10));
        }
        set(s, "disk9", "rule", LEVEL_CRITICAL);
        sim_run(s, 2 * HOUR);
        assert_true(named_since(s, "root", "disk9", "rule", start));
        assert_true(named_since(s, "root", "mild29", "rule", start));
        assert_in_range(most_in_an_hour(s, "root"), 7, 10);
        sim_free(s);
}

static void ten_thousand_changes_in_an_hour_are_ten_messages(void **state UNUSED)
{
        enum { N = 200, CHANGES = 10000 };
        struct sim *s = sim_new(&one_contact);
        enum level now[N] = { 0 };
        bool was_critical[N] = { 0 };
        int64_t start = s->now_us;
        char name[32];

        srandom((unsigned)seed_of_day());
        for (int i = 0; i < CHANGES; i++) {
                int c = (int)(random() % N);
                enum level l = (enum level)(random() % LEVEL_MAX);

                if (c % 3)
                        l = MIN(l, LEVEL_WARNING); /* a third of them get critical */
                if (now[c] == l)
                        l = l == LEVEL_OK ? LEVEL_WARNING : LEVEL_OK;
                now[c] = l;
                was_critical[c] |= l == LEVEL_CRITICAL;
                snprintf(name, sizeof(name), "part%d", c);
                set(s, name, "rule", l);
                sim_run(s, HOUR / CHANGES);
        }
        assert_true(s->now_us - start <= HOUR);
        print_message("%u messages, %u digests, %zu items\n", s->messages, s->digests, s->n);
        assert_in_range(s->messages, 2, 10);
        sim_run(s, 20 * 60 * SEC); /* the last of the storm */
        assert_in_range(most_in_an_hour(s, "root"), 2, 10);
        for (int c = 0; c < N; c++) {
                snprintf(name, sizeof(name), "part%d", c);
                if (was_critical[c])
                        assert_true(named_since(s, "root", name, "rule", start));
                enum level seen = known(s, "root", name, "rule");

                if ((seen >= LEVEL_WARNING ? seen : LEVEL_OK) != (now[c] >= LEVEL_WARNING ? now[c] : LEVEL_OK))
                        fail_msg("%s is %s, known as %s", name, level_name(now[c]), level_name(seen));
        }
        assert_int_equal(alerts_counters(s->a)->refused, 0);
        sim_free(s);
}

static void save_one(void *data, const char *key, json_t *value)
{
        assert_true(strlen(key) <= 255);
        json_object_set(data, key, value);
}

/* As over a reboot: written as text, read by another process whose clock began anew. */
static void sim_reboot(struct sim *s)
{
        json_t *doc = json_object(), *back, *v;
        struct alert_policy policy = *alerts_policy_get(s->a);
        const char *key;
        char *text;

        alerts_save(s->a, save_one, doc);
        text = json_dumps(doc, JSON_COMPACT);
        json_decref(doc);
        alerts_free(s->a);
        s->a = alerts_new();
        alerts_policy(s->a, &policy);
        alerts_clock(s->a, s->now_us, s->now_us + 20000 * DAY);
        back = json_loads(text, 0, NULL);
        assert_non_null(back);
        json_object_foreach(back, key, v)
                alerts_load(s->a, key, v);
        json_decref(back);
        free(text);
}

enum { P = 12, R = 3 };

struct truth {
        enum level level;
        int64_t critical_us; /* since when it became critical and this was neither silenced nor told yet */
        bool owed;
};

static void report(struct sim *s, struct truth truth[P][R], int p)
{
        static const char *const rules[R] = { "one", "two", "three" };
        struct alert_input in[R];
        size_t n = 0;
        char name[32];
        struct alert_about about = { .host = "mx1", .component = name };

        snprintf(name, sizeof(name), "part%d", p);
        for (int r = 0; r < R; r++)
                if (truth[p][r].level > LEVEL_OK)
                        in[n++] = (struct alert_input){ .rule = rules[r], .level = truth[p][r].level, .text = "x", .value = NAN };
        alerts_component(s->a, &about, in, n, s->now_us);
}

/* Parts 0 to 5 stand on part 6. */
static size_t part_below(void *data UNUSED, const char *component, const char **ret, size_t max UNUSED)
{
        if (component[4] > '5' || component[5])
                return 0;
        ret[0] = "part6";
        return 1;
}

/* The times of what was sent are kept in whole seconds: what was rounded down is no place for an eleventh message. */
static void a_restart_makes_no_place(void **state UNUSED)
{
        for (int part = 0; part < 10; part++) {
                struct sim *s = sim_new(&one_contact);
                char name[32];

                sim_run(s, part * SEC / 10);
                for (int i = 0; i < 10; i++) {
                        snprintf(name, sizeof(name), "disk%d", i);
                        set(s, name, "rule", LEVEL_CRITICAL);
                        sim_run(s, i < 5 ? SEC : 600 * SEC);
                }
                assert_in_range(s->messages, 9, 10);
                sim_reboot(s);
                for (int i = 0; i < 20; i++) {
                        snprintf(name, sizeof(name), "part%d", i);
                        set(s, name, "rule", LEVEL_CRITICAL);
                        sim_run(s, 60 * SEC);
                }
                assert_in_range(s->messages, 11, 20);
                assert_in_range(most_in_an_hour(s, "root"), 9, 10);
                sim_free(s);
        }
}

/* Whatever happens, in whatever order, with restarts in between: never more than ten messages an hour; every critical that
 * was not silenced is named; in the end each contact knows what is. */
static void nothing_is_lost_whatever_happens(void **state UNUSED)
{
        static const struct alert_policy policy = {
                .contacts = { { .name = "a", .level = LEVEL_WARNING }, { .name = "b", .level = LEVEL_CRITICAL },
                              { .name = "c", .level = LEVEL_NOTICE }, { .name = "d", .level = LEVEL_WARNING, .step = 1 } },
                .n_contacts = 4, .escalate_us = HOUR, .stands_on = part_below,
        };
        static const char *const rules[R] = { "one", "two", "three" };
        unsigned long seed = seed_of_day();

        for (unsigned long round = 0; round < 10; round++) {
                struct sim *s = sim_new(&policy);
                struct truth truth[P][R] = { 0 };
                char name[32];

                srandom((unsigned)(seed + round));
                for (int i = 0; i < 400; i++) {
                        int p = (int)(random() % P), r = (int)(random() % R);
                        long dice = random() % 100;

                        snprintf(name, sizeof(name), "part%d", p);
                        if (dice < 80) {
                                bool before = truth[p][r].level == LEVEL_CRITICAL, silenced = false;

                                truth[p][r].level = (enum level)(random() % LEVEL_MAX);
                                for (size_t k = 0; k < alerts_silences_n(s->a); k++) {
                                        const struct alert_silence *q = alerts_silence_at(s->a, k);

                                        silenced |= streq(q->component, name) && q->end_us > s->now_us;
                                }
                                if (truth[p][r].level == LEVEL_CRITICAL && !before && !silenced) {
                                        truth[p][r].owed = true;
                                        truth[p][r].critical_us = s->now_us;
                                }
                                report(s, truth, p);
                        } else if (dice < 84) {
                                alerts_ack(s->a, name, NULL, "ann", "seen", s->now_us);
                        } else if (dice < 88) {
                                alerts_silence(s->a, NULL, name, NULL, s->now_us + random() % HOUR + 1, "ann", "", s->now_us);
                                for (int k = 0; k < R; k++)
                                        truth[p][k].owed = false;
                        } else if (dice < 89) {
                                alerts_maintain(s->a, s->now_us + random() % HOUR, "ann", "", s->now_us);
                        } else if (dice < 94) {
                                sim_reboot(s);
                        }
                        sim_run(s, random() % 3 == 0 ? random() % HOUR : random() % (20 * SEC));
                        /* What was told of in time is no debt; "in time" is a quarter of an hour, or the end of a maintenance. */
                        for (int x = 0; x < P; x++)
                                for (int y = 0; y < R; y++) {
                                        snprintf(name, sizeof(name), "part%d", x);
                                        if (truth[x][y].owed && (known(s, "a", name, rules[y]) == LEVEL_CRITICAL ||
                                                                 named_since(s, "a", name, rules[y], truth[x][y].critical_us)))
                                                truth[x][y].owed = false;
                                }
                }
                sim_run(s, 3 * HOUR);
                for (int p = 0; p < P; p++)
                        for (int r = 0; r < R; r++) {
                                enum level l = truth[p][r].level;

                                snprintf(name, sizeof(name), "part%d", p);
                                if (truth[p][r].owed && !named_since(s, "a", name, rules[r], truth[p][r].critical_us))
                                        fail_msg("SEED=%lu: %s/%s was critical and is not named", seed + round, name, rules[r]);
                                for (size_t k = 0; k < 3; k++) {
                                        const struct alert_contact *c = &policy.contacts[k];
                                        enum level seen = known(s, c->name, name, rules[r]), want = l >= c->level ? l : LEVEL_OK;

                                        seen = seen >= c->level ? seen : LEVEL_OK;
                                        /* What its cause explains may wait for the next message. */
                                        if (seen != want && !(p < 6 && want < LEVEL_CRITICAL && seen < want))
                                                fail_msg("SEED=%lu: %s/%s is %s; %s knows it as %s", seed + round, name, rules[r],
                                                         level_name(want), c->name, level_name(seen));
                                }
                        }
                for (size_t k = 0; k < policy.n_contacts; k++)
                        assert_in_range(most_in_an_hour(s, policy.contacts[k].name), 0, ALERT_MESSAGES_AN_HOUR);
                /* And always resolved. */
                for (int p = 0; p < P; p++) {
                        for (int r = 0; r < R; r++)
                                truth[p][r].level = LEVEL_OK;
                        report(s, truth, p);
                }
                sim_run(s, 3 * HOUR);
                for (int p = 0; p < P; p++)
                        for (int r = 0; r < R; r++)
                                for (size_t k = 0; k < policy.n_contacts; k++) {
                                        snprintf(name, sizeof(name), "part%d", p);
                                        if (known(s, policy.contacts[k].name, name, rules[r]) >= policy.contacts[k].level)
                                                fail_msg("SEED=%lu: %s still believes that %s/%s is %s", seed + round, policy.contacts[k].name,
                                                         name, rules[r], level_name(known(s, policy.contacts[k].name, name, rules[r])));
                                }
                sim_free(s);
        }
}

/* --- bounds ---------------------------------------------------------------------------------------------- */

static void when_the_table_is_full_the_mildest_give_way(void **state UNUSED)
{
        struct sim *s = sim_new(&one_contact);
        char name[32];
        size_t criticals = 0;

        for (int i = 0; i < ALERTS_MAX; i++) {
                snprintf(name, sizeof(name), "part%d", i);
                set(s, name, "rule", i % 2 ? LEVEL_NOTICE : LEVEL_WARNING);
        }
        for (int i = 0; i < 2000; i++) {
                snprintf(name, sizeof(name), "bad%d", i);
                set(s, name, "rule", LEVEL_CRITICAL);
        }
        assert_int_equal(alerts_n(s->a), ALERTS_MAX);
        assert_int_equal(alerts_counters(s->a)->refused, 2000);
        for (size_t i = 0; i < alerts_n(s->a); i++)
                criticals += alerts_at(s->a, i)->level == LEVEL_CRITICAL;
        assert_int_equal(criticals, 2000);
        sim_run(s, HOUR);
        assert_in_range(s->messages, 1, 10);
        criticals = 0;
        for (size_t i = 0; i < s->n; i++)
                criticals += s->said[i].level == LEVEL_CRITICAL && s->said[i].what == ALERT_NEW;
        assert_int_equal(criticals, 2000);
        sim_free(s);
}

static void what_comes_back_from_a_bad_disk_is_checked(void **state UNUSED)
{
        static const char *const bad[] = {
                "[]", "{}", "{\"host\":1}", "{\"host\":\"mx1\",\"component\":\"sda\",\"rule\":\"r\",\"level\":\"purple\"}",
                ("{\"host\":\"mx1\",\"component\":\"sda\",\"rule\":\"r\",\"level\":\"critical\",\"told\":[1],\"opened\":-5,\"since\":1e300,"
                 "\"repeats\":-1,\"ack\":7,\"value\":\"x\",\"cause\":{}}"),
                "{\"silences\":[1,{\"id\":-1},{\"id\":3,\"host\":\"*\"}],\"sent\":{\"root\":[5,\"x\",-1,9223372036854775807]},\"maintenance\":[]}",
                "{\"silences\":{},\"sent\":[],\"last_silence\":99999999999}",
        };
        struct sim *s = sim_new(&one_contact);

        for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
                json_t *doc = json_loads(bad[i], 0, NULL);

                assert_non_null(doc);
                alerts_load(s->a, "alert/x/sda/r", doc);
                alerts_load(s->a, "alerts", doc);
                alerts_load(s->a, "component/sda", doc);
                json_decref(doc);
        }
        assert_int_equal(alerts_n(s->a), 1); /* the one that at least names itself */
        assert_int_equal(alerts_silences_n(s->a), 0);
        sim_run(s, 2 * HOUR);
        assert_true(s->messages <= 10);
        sim_free(s);
}

static void text_of_devices_is_made_safe(void **state UNUSED)
{
        struct sim *s = sim_new(&one_contact);
        char name[400];

        memset(name, 'x', sizeof(name) - 1);
        name[sizeof(name) - 1] = '\0';
        set(s, "sd\na\xff", "rule", LEVEL_CRITICAL);
        set(s, name, name, LEVEL_CRITICAL);
        set(s, name, name, LEVEL_CRITICAL);
        assert_int_equal(alerts_n(s->a), 2);
        assert_string_equal(alerts_at(s->a, 0)->component, "sd a?");
        assert_int_equal(strlen(alerts_at(s->a, 1)->component), ALERT_NAME_MAX);
        sim_reboot(s);
        assert_int_equal(alerts_n(s->a), 2);
        sim_free(s);
}

static void a_new_policy_keeps_what_was_told(void **state UNUSED)
{
        static const struct alert_policy two = {
                .contacts = { { .name = "new", .level = LEVEL_WARNING }, { .name = "root", .level = LEVEL_WARNING } }, .n_contacts = 2,
        };
        struct sim *s = sim_new(&one_contact);

        set(s, "sda", "health", LEVEL_CRITICAL);
        sim_run(s, 60 * SEC);
        alerts_policy(s->a, &two);
        sim_run(s, 60 * SEC);
        assert_int_equal(s->messages, 2); /* who is new hears of it, who knows does not hear it again */
        assert_string_equal(last(s)->contact, "new");
        sim_free(s);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_critical_is_told_at_once_repeated_with_back_off_and_resolved),
                cmocka_unit_test(a_warning_waits_and_a_short_one_is_not_told),
                cmocka_unit_test(a_critical_that_was_too_short_to_be_seen_is_named_all_the_same),
                cmocka_unit_test(worse_is_told_soon_and_better_when_it_lasts),
                cmocka_unit_test(acknowledging_ends_repeats_until_it_gets_worse),
                cmocka_unit_test(what_is_silenced_is_told_when_the_silence_ends_and_resolved_always),
                cmocka_unit_test(maintenance_ends_by_itself_and_tells_what_was),
                cmocka_unit_test(who_does_not_acknowledge_in_time_gets_company),
                cmocka_unit_test(a_dead_disk_and_its_array_are_one_message),
                cmocka_unit_test(a_consequence_that_is_worse_than_its_cause_is_told_and_a_critical_always),
                cmocka_unit_test(what_nobody_was_told_of_explains_nothing),
                cmocka_unit_test(a_new_critical_has_its_place_whatever_was_told_before),
                cmocka_unit_test(a_restart_makes_no_place),
                cmocka_unit_test(ten_thousand_changes_in_an_hour_are_ten_messages),
                cmocka_unit_test(nothing_is_lost_whatever_happens),
                cmocka_unit_test(when_the_table_is_full_the_mildest_give_way),
                cmocka_unit_test(what_comes_back_from_a_bad_disk_is_checked),
                cmocka_unit_test(text_of_devices_is_made_safe),
                cmocka_unit_test(a_new_policy_keeps_what_was_told),
        };

        return cmocka_run_group_tests_name("alert", tests, NULL, NULL);
}
