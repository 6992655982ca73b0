/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Peers: what silence means, which heartbeats are new, what may be said between hosts, whom the configuration knows. */

#include "peer_config.h"
#include "peer_doc.h"
#include "peer_text.h"
#include "test.h"

#include <time.h>

#define SEC USEC_PER_SEC
#define AFTER (35 * SEC)
#define BOOT_A "0123456789abcdef0123456789abcdef"
#define BOOT_B "fedcba9876543210fedcba9876543210"

/* --- what the evidence says ------------------------------------------------------------------------------------------ */

static void test_classify(void **state UNUSED)
{
        static const struct {
                struct peer_evidence e;
                enum peer_state state;
                enum peer_why why;
        } rows[] = {
                { { .port = PEER_REACH_OPEN }, PEER_AGENT_DEAD, PEER_WHY_HANGS },
                { { .port = PEER_REACH_REFUSED, .witness = PEER_REACH_TIMEOUT }, PEER_AGENT_DEAD, PEER_WHY_REFUSED },
                { { .port = PEER_REACH_TIMEOUT, .other = PEER_REACH_OPEN }, PEER_AGENT_DEAD, PEER_WHY_OTHER_PORT },
                { { .port = PEER_REACH_TIMEOUT, .other = PEER_REACH_REFUSED, .no_carrier = true }, PEER_AGENT_DEAD, PEER_WHY_OTHER_PORT },
                { { .port = PEER_REACH_NO_HOST, .other = PEER_REACH_NO_HOST, .witness = PEER_REACH_OPEN }, PEER_HOST_DEAD, PEER_WHY_WITNESS_ANSWERS },
                { { .port = PEER_REACH_TIMEOUT, .other = PEER_REACH_TIMEOUT, .witness = PEER_REACH_REFUSED }, PEER_HOST_DEAD, PEER_WHY_WITNESS_ANSWERS },
                { { .port = PEER_REACH_TIMEOUT, .other = PEER_REACH_TIMEOUT, .peers_heard = true, .witness = PEER_REACH_TIMEOUT }, PEER_HOST_DEAD, PEER_WHY_PEERS_HEARD },
                { { .port = PEER_REACH_NO_HOST, .other = PEER_REACH_NO_HOST, .witness = PEER_REACH_NO_HOST }, PEER_NETWORK_CUT, PEER_WHY_WITNESS_DEAD },
                { { .port = PEER_REACH_TIMEOUT, .other = PEER_REACH_TIMEOUT, .witness = PEER_REACH_TIMEOUT }, PEER_NETWORK_CUT, PEER_WHY_WITNESS_DEAD },
                { { .port = PEER_REACH_NO_HOST, .no_carrier = true, .witness = PEER_REACH_NO_HOST }, PEER_NETWORK_CUT, PEER_WHY_NO_CARRIER },
                { { .port = PEER_REACH_NO_ROUTE, .other = PEER_REACH_NO_ROUTE }, PEER_NETWORK_CUT, PEER_WHY_NO_ROUTE },
                { { .port = PEER_REACH_NO_HOST, .other = PEER_REACH_NO_HOST, .witness = PEER_REACH_NONE }, PEER_SILENT, PEER_WHY_NO_WITNESS },
                { { .port = PEER_REACH_TIMEOUT, .other = PEER_REACH_TIMEOUT, .witness = PEER_REACH_NONE }, PEER_SILENT, PEER_WHY_NO_WITNESS },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                enum peer_why why;
                enum peer_state s = peer_classify(&rows[i].e, &why);

                if (s != rows[i].state || why != rows[i].why)
                        fail_msg("row %zu: %s %d", i, peer_state_name(s), why);
        }
}

static void test_reach(void **state UNUSED)
{
        assert_int_equal(peer_reach_from_errno(0), PEER_REACH_OPEN);
        assert_int_equal(peer_reach_from_errno(ECONNREFUSED), PEER_REACH_REFUSED);
        assert_int_equal(peer_reach_from_errno(EHOSTUNREACH), PEER_REACH_NO_HOST);
        assert_int_equal(peer_reach_from_errno(ENETUNREACH), PEER_REACH_NO_ROUTE);
        assert_int_equal(peer_reach_from_errno(ETIMEDOUT), PEER_REACH_TIMEOUT);
}

/* --- in time --------------------------------------------------------------------------------------------------------------- */

static enum peer_state at(struct peer_watch *w, int64_t s)
{
        peer_watch_step(w, AFTER, s * SEC);
        return w->state;
}

static void test_watch(void **state UNUSED)
{
        struct peer_evidence dead = { .port = PEER_REACH_NO_HOST, .other = PEER_REACH_NO_HOST, .witness = PEER_REACH_OPEN };
        struct peer_watch w;

        peer_watch_init(&w, 100 * SEC);
        assert_int_equal(at(&w, 101), PEER_NEW);
        assert_int_equal(at(&w, 136), PEER_LATE); /* never heard, and nothing known */
        peer_watch_heard(&w, false, 140 * SEC);
        assert_int_equal(at(&w, 140), PEER_UP);
        assert_int_equal(at(&w, 175), PEER_UP);
        assert_false(peer_watch_wants_evidence(&w, 10 * SEC, 154 * SEC));
        assert_true(peer_watch_wants_evidence(&w, 10 * SEC, 155 * SEC));
        peer_watch_evidence(&w, &dead, 160 * SEC); /* does not count before the silence does */
        assert_int_equal(at(&w, 170), PEER_UP);
        assert_false(peer_watch_wants_evidence(&w, 10 * SEC, 169 * SEC));
        assert_true(peer_watch_wants_evidence(&w, 10 * SEC, 170 * SEC));
        assert_int_equal(at(&w, 176), PEER_HOST_DEAD);
        assert_int_equal(w.since_us, 176 * SEC);
        assert_int_equal(at(&w, 201), PEER_LATE); /* old evidence is none */
        dead.port = PEER_REACH_REFUSED;           /* it boots */
        peer_watch_evidence(&w, &dead, 202 * SEC);
        assert_int_equal(at(&w, 202), PEER_AGENT_DEAD);
        peer_watch_heard(&w, true, 210 * SEC); /* veille-peer first */
        assert_int_equal(at(&w, 210), PEER_AGENT_DEAD);
        assert_int_equal(w.why, PEER_WHY_BRAIN);
        peer_watch_heard(&w, false, 211 * SEC);
        assert_int_equal(at(&w, 211), PEER_UP);
        assert_int_equal(at(&w, 247), PEER_LATE); /* what was found out before it was heard is forgotten */
}

static void test_keys(void **state UNUSED)
{
        struct peer_watch w;

        peer_watch_init(&w, 0);
        peer_watch_heard(&w, false, 1 * SEC);
        peer_watch_tried(&w, PEER_TRY_KEY);
        assert_int_equal(at(&w, 2), PEER_KEY_CHANGED); /* at once, though the right one was heard */
        peer_watch_heard(&w, false, 3 * SEC);
        assert_int_equal(at(&w, 4), PEER_KEY_CHANGED);
        peer_watch_tried(&w, PEER_TRY_UNKNOWN_HERE);
        assert_int_equal(at(&w, 5), PEER_REMOVED);
        peer_watch_tried(&w, PEER_TRY_GOOD);
        assert_int_equal(at(&w, 6), PEER_UP);
        peer_watch_old(&w, 30 * SEC);
        assert_int_equal(at(&w, 31), PEER_UP);
        peer_watch_old(&w, 40 * SEC);
        assert_int_equal(at(&w, 41), PEER_OLD_STATE);
        assert_int_equal(at(&w, 76), PEER_LATE);
}

/* Whatever comes in whatever order: well is only what was heard in time and from the right key. */
static void test_never_well(void **state UNUSED)
{
        const char *given = getenv("SEED");
        unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
        struct peer_watch w;
        int64_t now = SEC, heard = 0;
        bool silent = false;
        enum peer_try tried = PEER_TRY_NONE;

        print_message("SEED=%u\n", seed);
        peer_watch_init(&w, now);
        for (int i = 0; i < 200000; i++) {
                struct peer_evidence e = { .port = (enum peer_reach)(rand_r(&seed) % 6), .other = (enum peer_reach)(rand_r(&seed) % 6),
                                           .witness = (enum peer_reach)(rand_r(&seed) % 6), .no_carrier = rand_r(&seed) % 2 };

                now += rand_r(&seed) % (20 * SEC);
                switch (rand_r(&seed) % 6) {
                case 0:
                        silent = rand_r(&seed) % 2;
                        heard = now;
                        peer_watch_heard(&w, silent, now);
                        break;
                case 1:
                        tried = (enum peer_try)(rand_r(&seed) % 5);
                        peer_watch_tried(&w, tried);
                        break;
                case 2:
                        peer_watch_evidence(&w, &e, now);
                        break;
                case 3:
                        peer_watch_old(&w, now);
                        break;
                default:
                        break;
                }
                peer_watch_step(&w, AFTER, now);
                if (w.state == PEER_UP && (!heard || now - heard > AFTER || silent || tried == PEER_TRY_KEY || tried == PEER_TRY_UNKNOWN_HERE))
                        fail_msg("well at step %d", i);
                if (w.state == PEER_NEW && now > AFTER + SEC)
                        fail_msg("new at step %d", i);
        }
}

static void test_seen(void **state UNUSED)
{
        struct peer_seen s = { 0 };
        char boot[PEER_BOOT_LEN + 1];

        assert_int_equal(peer_seen_take(&s, BOOT_A, 5), 0);
        assert_int_equal(peer_seen_take(&s, BOOT_A, 5), -ESTALE);
        assert_int_equal(peer_seen_take(&s, BOOT_A, 4), -ESTALE);
        assert_int_equal(peer_seen_take(&s, BOOT_A, 6), 0);
        assert_int_equal(peer_seen_take(&s, BOOT_B, 1), 0);
        assert_int_equal(peer_seen_take(&s, BOOT_A, 100), -ESTALE); /* that boot is over */
        assert_int_equal(peer_seen_take(&s, BOOT_B, 2), 0);
        for (int i = 0; i < PEER_PAST_BOOTS - 1; i++) {
                snprintf(boot, sizeof(boot), "%032x", i);
                assert_int_equal(peer_seen_take(&s, boot, 1), 0);
        }
        assert_int_equal(peer_seen_take(&s, BOOT_B, 100), -ESTALE);
        assert_int_equal(peer_seen_take(&s, BOOT_A, 100), -ESTALE);
}

/* --- documents ------------------------------------------------------------------------------------------------------------------ */

static json_t *status_with(size_t n, const char *why)
{
        json_t *components = json_array();

        for (size_t i = 0; i < n; i++)
                json_array_append_new(components, json_pack("{ss ss ss}", "component", i ? "sda" : "sdb", "level", i == 1 ? "critical" : i == 2 ? "ok" : "warning",
                                                            "why", why));
        return json_pack("{ss ss ss so}", "host", "ignored", "health", "red", "health_why", "sda: dying", "components", components);
}

static void test_heartbeat(void **state UNUSED)
{
        char why[1000];
        struct peer_heartbeat h = { 0 };
        struct errinfo err = { 0 };
        json_t *status, *doc;
        char *text;

        memset(why, 'x', sizeof(why) - 1);
        why[sizeof(why) - 1] = '\0';
        memcpy(why + 253, "\303\251", 2); /* is cut within */
        status = status_with(20, why);
        doc = peer_heartbeat_make(status, false, 1.5, BOOT_A, 77);
        text = json_dumps(doc, 0);
        assert_true(strlen(text) < PEER_HEARTBEAT_MAX);
        assert_int_equal(peer_heartbeat_parse(text, strlen(text), &h, &err), 0);
        assert_string_equal(h.health, "red");
        assert_int_equal(h.seq, 77);
        assert_int_equal(h.n_worst, PEER_WORST_MAX);
        assert_int_equal(h.worst[0].level, LEVEL_CRITICAL);
        assert_int_equal(h.levels[LEVEL_OK], 1);
        assert_int_equal(h.levels[LEVEL_WARNING], 18);
        free(text);
        json_decref(doc);
        json_decref(status);
}

static void test_heartbeat_bad(void **state UNUSED)
{
        static const char good[] = "{\"v\":1,\"host\":\"b\",\"boot\":\"" BOOT_A "\",\"seq\":3,\"health\":\"green\",\"age_s\":0,\"silent\":false,\"worst\":[],\"levels\":{}}";
        static const struct {
                const char *from, *to;
        } changes[] = {
                { "\"v\":1", "\"v\":2" }, { "\"b\"", "\"\"" }, { "\"b\"", "7" }, { "0123", "012" }, { "0123", "0x23" }, { "\"seq\":3", "\"seq\":0" },
                { "\"seq\":3", "\"seq\":-1" }, { "\"seq\":3", "\"seq\":3.5" }, { "green", "blue" }, { "\"age_s\":0", "\"age_s\":-1" },
                { "\"age_s\":0", "\"age_s\":1e99" }, { "false", "0" }, { "[]", "[{}]" }, { "[]", "[{\"component\":\"x\",\"level\":\"ill\",\"why\":\"\"}]" },
                { "{}", "{\"ok\":-3}" }, { "{}", "{\"ok\":\"3\"}" }, { "\"silent\":false,", "" }, { "\"worst\":[],", "" }, { "\"v\":1", "\"v\":1,\"v\":1" },
        };
        struct peer_heartbeat h = { .seq = 9 };
        struct errinfo err;

        assert_int_equal(peer_heartbeat_parse(good, strlen(good), &h, NULL), 0);
        h.seq = 9;
        for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
                const char *place = strstr(good, changes[i].from);
                char text[1024];

                assert_non_null(place);
                snprintf(text, sizeof(text), "%.*s%s%s", (int)(place - good), good, changes[i].to, place + strlen(changes[i].from));
                err = (struct errinfo){ 0 };
                if (peer_heartbeat_parse(text, strlen(text), &h, &err) != -EINVAL || !*err.text || h.seq != 9)
                        fail_msg("%s was taken", text);
        }
        for (size_t len = 0; len < strlen(good); len++)
                assert_int_equal(peer_heartbeat_parse(good, len, &h, NULL), -EINVAL);
}

static void test_letter(void **state UNUSED)
{
        json_t *message = json_pack("{ss ss ss ss ss ss ss sf s[] ss}", "contact", "oncall", "host", "alpha", "component", "sda", "what", "new", "level", "critical",
                                    "subject", "[alpha] CRITICAL\r\nBcc: all@example.org", "body", "one\ntwo\033[2J\n", "time", 1.5, "items", "secret", "x");
        json_t *doc = peer_letter_make(BOOT_A, message), *marked;
        char *text = json_dumps(doc, 0);
        struct peer_letter l;
        struct errinfo err = { 0 };

        assert_int_equal(peer_letter_parse(text, strlen(text), &l, &err), 0);
        assert_string_equal(json_string_value(json_object_get(l.message, "id")), BOOT_A);
        assert_null(strpbrk(json_string_value(json_object_get(l.message, "subject")), "\r\n\033"));
        assert_string_equal(json_string_value(json_object_get(l.message, "body")), "one\ntwo [2J\n");
        assert_null(json_object_get(l.message, "secret")); /* only what a message has */
        marked = peer_message_on_behalf(l.message, "alpha", "beta", "ops", ALERT_EN);
        assert_true(str_starts(json_string_value(json_object_get(marked, "subject")), "on behalf of alpha: [alpha]"));
        assert_string_equal(json_string_value(json_object_get(marked, "contact")), "ops");
        assert_string_equal(json_string_value(json_object_get(marked, "id")), BOOT_A);
        json_decref(marked);
        peer_letter_done(&l);
        assert_int_equal(peer_letter_parse(text, strlen(text) - 1, &l, &err), -EINVAL);
        free(text);
        json_decref(doc);
        json_object_del(message, "subject");
        doc = peer_letter_make(BOOT_A, message);
        text = json_dumps(doc, 0);
        assert_int_equal(peer_letter_parse(text, strlen(text), &l, &err), -EINVAL);
        free(text);
        json_decref(doc);
        assert_null(peer_letter_make("short", message));
        json_decref(message);
}

static void test_answer(void **state UNUSED)
{
        struct peer_answer a = { 0 };
        json_t *doc = peer_answer_make(true, false, "well", NULL);
        char *text = json_dumps(doc, 0);

        assert_int_equal(peer_answer_parse(text, strlen(text), &a, NULL), 0);
        assert_true(a.ok && !a.waits && !a.has_heartbeat);
        assert_string_equal(a.text, "well");
        free(text);
        json_decref(doc);
        assert_int_equal(peer_answer_parse("{\"v\":1,\"ok\":true,\"heartbeat\":{\"v\":1}}", 39, &a, NULL), -EINVAL);
        assert_int_equal(peer_answer_parse("{}", 2, &a, NULL), -EINVAL);
}

/* --- texts, configuration ----------------------------------------------------------------------------------------------------- */

static void test_texts(void **state UNUSED)
{
        const struct peer_place place = { .name = "beta", .address = "192.0.2.2", .host = "alpha", .port = 9786, .heard_wall_us = 1700000000 * SEC };
        struct peer_watch w = { .why = PEER_WHY_WITNESS_ANSWERS, .evidence = { .witness_name = "192.0.2.1" } };
        char text[512];

        for (size_t i = 0; peer_text_at(i, ALERT_EN); i++)
                for (int l = 0; l < ALERT_LANGUAGES; l++)
                        if (!*peer_text_at(i, (enum alert_language)l))
                                fail_msg("text %zu is missing in language %d", i, l);
        peer_text(&w, &place, ALERT_EN, text, sizeof(text));
        assert_string_equal(text, "beta (192.0.2.2) answers on no port, while 192.0.2.1 does: that host is down, or cut off at its own end; it was last heard at "
                                  "2023-11-14 22:13:20 UTC");
        for (int why = PEER_WHY_NONE + 1; why < PEER_WHY_MAX; why++)
                for (int l = 0; l < ALERT_LANGUAGES; l++) {
                        w.why = (enum peer_why)why;
                        peer_text(&w, &place, (enum alert_language)l, text, sizeof(text));
                        if (!*text || strchr(text, '{') || strchr(text, '}'))
                                fail_msg("%s", text);
                }
        /* Every state that is an alert says what to do. */
        for (int s = PEER_HOST_DEAD; s < PEER_STATE_MAX; s++) {
                snprintf(text, sizeof(text), "peer-%s", peer_state_name((enum peer_state)s));
                if (!streq(alert_advice("peer", text)->name, text))
                        fail_msg("no advice for %s", text);
        }
}

static int read_config(const char *text, struct peer_config *ret, struct errinfo *err)
{
        struct config_errors errors = { 0 };
        struct config *c = NULL;
        int r;

        assert_int_equal(config_parse_string("test", text, strlen(text), &c, &errors), 0);
        config_errors_done(&errors);
        r = peer_config_read(c, ret, err);
        config_free(c);
        return r;
}

#define PIN "qziSeRLHc5xTfoF7GD9Wdtc2aWmKFZGw7QJ/75ltULE"

static void test_config(void **state UNUSED)
{
        static const struct {
                const char *text, *say;
        } bad[] = {
                { "[peer beta]\naddress = mx2.example.org\n", "no numeric address" },
                { "[peer Beta]\naddress = 192.0.2.2\n", "the name" },
                { "[peer beta]\naddress = 192.0.2.2\nfingerprint = MD5:x\n", "SHA256:" },
                { "[peer beta]\naddress = 192.0.2.2\nfingerprint = SHA256:abc\n", "43" },
                { "[peer beta]\naddress = 192.0.2.2\nports = 25 0\n", "no port" },
                { "[peer beta]\naddress = 192.0.2.2\nports = 1 2 3 4 5\n", "more than" },
                { "[peers]\ninterval = 20s\n", "twice the interval" },
                { "[peers]\nwitness = 192.0.2.1\n", "no port" },
                { "[peers]\nlisten = 192.0.2.1:99999\n", "port" },
                { "[deadman]\nurl = ftp://example.org/\n", "no URL" },
        };
        static struct peer_config c;
        struct errinfo err = { 0 };
        json_t *paired;

        assert_int_equal(read_config("", &c, &err), 0);
        assert_true(c.listen_default && c.n_listen == 2 && c.n_peers == 0);
        assert_int_equal(c.listen[1].port, PEER_PORT);
        assert_int_equal(read_config("[peers]\nlisten = 192.0.2.1:9 [2001:db8::1]\nwitness = 192.0.2.254:53\n[peer beta]\naddress = 2001:db8::2\n"
                                     "[peer gamma]\naddress = 192.0.2.3\nport = 7\nfingerprint = SHA256:" PIN "=\n[peer off]\naddress =\n", &c, &err), 0);
        assert_true(c.n_peers == 2 && c.n_listen == 2 && c.n_witnesses == 1 && !c.listen_default);
        assert_string_equal(c.peers[1].pin, PIN);
        assert_true(c.peers[1].from_config && !*c.peers[0].pin && c.peers[1].address.port == 7);
        paired = json_pack("{s[{ss ss si ss}{ss ss si ss}{ss ss si ss}{ss}]}", "peers", "name", "beta", "address", "192.0.2.9", "port", 1, "fingerprint",
                           "SHA256:" PIN, "name", "delta", "address", "192.0.2.4", "port", 2, "fingerprint", "SHA256:" PIN, "name", "bad", "address", "x",
                           "port", 3, "fingerprint", "SHA256:" PIN, "name", "worse");
        peer_config_add_paired(&c, paired);
        json_decref(paired);
        assert_int_equal(c.n_peers, 3);
        assert_string_equal(c.peers[0].pin, PIN);              /* its address stays that of the configuration */
        assert_string_equal(c.peers[0].address.text, "2001:db8::2");
        assert_string_equal(c.peers[2].name, "delta");
        for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
                err = (struct errinfo){ 0 };
                if (read_config(bad[i].text, &c, &err) != -EINVAL || !strstr(err.text, bad[i].say))
                        fail_msg("%s: %s", bad[i].text, err.text);
        }
}

static void test_gateway(void **state UNUSED)
{
        static const char routes[] = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
                                     "eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
                                     "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n";
        struct in_addr a = { 0 };

        assert_true(peer_gateway(routes, &a));
        assert_int_equal(a.s_addr, 0x010200C0);
        assert_false(peer_gateway("Iface\nrubbish\n", &a));
        assert_false(peer_gateway("", &a));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_classify),  cmocka_unit_test(test_reach),         cmocka_unit_test(test_watch),  cmocka_unit_test(test_keys),
                cmocka_unit_test(test_never_well), cmocka_unit_test(test_seen),         cmocka_unit_test(test_heartbeat), cmocka_unit_test(test_heartbeat_bad),
                cmocka_unit_test(test_letter),    cmocka_unit_test(test_answer),        cmocka_unit_test(test_texts),  cmocka_unit_test(test_config),
                cmocka_unit_test(test_gateway),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
