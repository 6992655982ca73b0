/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* veillectl ack, silence, maintenance, test-alert: what people say to the alerts. The brain decides who may. */

#include <time.h>

#include "ctl_alerts.h"

#define TEST_WAIT_S 100

/* Sends it with the name of who types; 0 or the exit status. ret: the answer, owned by the caller; may be NULL. */
static int ask(const struct common_options *options, json_t *request, json_t **ret)
{
        struct errinfo err = { 0 };
        json_t *answer = NULL;

        json_object_set_new(request, "by", json_string(ctl_who()));
        if (ctl_control(options, request, &answer, &err) < 0)
                return ctl_fail("%s", err.text);
        if (ret)
                *ret = answer;
        else
                json_decref(answer);
        return 0;
}

/* The words from argv[i] on with spaces between: why somebody did it. */
static json_t *why(int argc, char *argv[], int i)
{
        char text[400] = "";
        size_t len = 0;

        for (; i < argc && len < sizeof(text); i++)
                len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", len ? " " : "", argv[i]);
        json_t *v = json_string(text); /* NULL: cut inside of a character, or no UTF-8 */

        return v ? v : json_string("");
}

/* --- ack ------------------------------------------------------------------------------------------------------ */

struct ack_words {
        const char *rule;
};

static const struct option_row ack_rows[] = {
        { "rule", "RULE", "only this finding", offsetof(struct ack_words, rule) },
        { 0 },
};

static int run_ack(const struct common_options *options, int argc, char *argv[])
{
        struct ack_words words = { 0 };
        json_t *answer = NULL;
        int r;

        if (ctl_take("ack", ack_rows, &words, &argc, argv) < 0)
                return CTL_EXIT_FAILED;
        if (argc < 2)
                return ctl_usage("ack", "say which component; veillectl alerts shows what is open");
        r = ask(options, json_pack("{ss ss so so}", "cmd", "ack", "component", argv[1], "rule", words.rule ? json_string(words.rule) : json_null(),
                                   "why", why(argc, argv, 2)), &answer);
        if (r)
                return r;
        printf("%s: %d acknowledged: no reminders and no escalation until it gets worse\n", argv[1],
               (int)json_integer_value(json_object_get(answer, "acknowledged")));
        json_decref(answer);
        return 0;
}

const struct ctl_command ctl_command_ack = {
        .name = "ack",
        .run = run_ack,
        .synopsis = "COMPONENT [--rule RULE] [WHY...]",
        .summary = "somebody looks after it: ends reminders and escalation until it gets worse",
        .options = ack_rows,
        .help = "Its end is told all the same. Root or group veille-admin.\nExample: veillectl ack sda new disk ordered\n",
};

/* --- silence --------------------------------------------------------------------------------------------------- */

static int silence_list(const struct common_options *options)
{
        struct errinfo err = { 0 };
        json_t *doc = ctl_alerts_load(options, &err);
        const json_t *s;
        size_t i;

        if (!doc)
                return ctl_fail("%s", err.text);
        json_array_foreach(json_object_get(doc, "silences"), i, s) {
                char end[32];

                ctl_when(ctl_number(s, "end"), end, sizeof(end));
                if (i == 0)
                        printf("%6s %-10s %-24s %-24s %s\n", "id", "until", "component", "rule", "by");
                printf("%6.0f %-10s %-24s %-24s %s%s%s\n", ctl_number(s, "id"), end, ctl_text(s, "component"), ctl_text(s, "rule"), ctl_text(s, "by"),
                       *ctl_text(s, "why") ? ": " : "", ctl_text(s, "why"));
        }
        if (json_array_size(json_object_get(doc, "silences")) == 0)
                printf("nothing is silenced\n");
        json_decref(doc);
        return 0;
}

struct silence_words {
        const char *rule;
};

static const struct option_row silence_rows[] = {
        { "rule", "PATTERN", "only findings by these rules", offsetof(struct silence_words, rule) },
        { 0 },
};

static int silence_add(const struct common_options *options, const char *rule, int argc, char *argv[])
{
        struct errinfo err = { 0 };
        json_t *answer = NULL;
        int64_t s;
        int r;

        if (argc < 2)
                return ctl_usage("silence", "say which component (a pattern like sd* may be one), and for how long");
        s = ctl_take_duration(argv[1], &err);
        if (s < 0)
                return ctl_usage("silence", "%s", err.text);
        r = ask(options, json_pack("{ss ss so sI so}", "cmd", "silence", "component", argv[0], "rule", rule ? json_string(rule) : json_null(), "for_s",
                                   (json_int_t)s, "why", why(argc, argv, 2)), &answer);
        if (r)
                return r;
        printf("silence %d: nobody is told of %s for %s; what is still wrong then is told\n", (int)json_integer_value(json_object_get(answer, "id")),
               argv[0], argv[1]);
        json_decref(answer);
        return 0;
}

static int silence_end(const struct common_options *options, const char *id)
{
        struct errinfo err = { 0 };
        int n = 0, r;

        if (ctl_take_number("ID", id, 1, 999999, &n, &err) < 0)
                return ctl_usage("silence", "%s", err.text);
        r = ask(options, json_pack("{ss si}", "cmd", "silence-end", "id", n), NULL);
        if (r == 0)
                printf("silence %d is over\n", n);
        return r;
}

static int run_silence(const struct common_options *options, int argc, char *argv[])
{
        struct silence_words words = { 0 };

        if (ctl_take("silence", silence_rows, &words, &argc, argv) < 0)
                return CTL_EXIT_FAILED;
        if (argc == 2 && streq(argv[1], "list"))
                return silence_list(options);
        if (argc == 3 && streq(argv[1], "end"))
                return silence_end(options, argv[2]);
        if (argc >= 2 && streq(argv[1], "add"))
                return silence_add(options, words.rule, argc - 2, argv + 2);
        return ctl_usage("silence", "say add COMPONENT TIME, list or end ID");
}

const struct ctl_command ctl_command_silence = {
        .name = "silence",
        .run = run_silence,
        .synopsis = "add COMPONENT TIME [--rule RULE] [WHY...] | list | end ID",
        .summary = "nobody is told of something for some time",
        .options = silence_rows,
        .help = "COMPONENT and RULE may be patterns with * and ?. What ends meanwhile and was told before is told as ended; what\n"
                "is still wrong at the end is told then. Levels, page and metrics go on. Root or group veille-admin; list is for all.\n"
                "Example: veillectl silence add sdb 2h new cable\n",
};

/* --- maintenance ------------------------------------------------------------------------------------------------- */

static int run_maintenance(const struct common_options *options, int argc, char *argv[])
{
        struct errinfo err = { 0 };
        int64_t s;
        int r;

        if (argc < 2)
                return ctl_usage("maintenance", "say for how long, or end");
        if (argc == 2 && streq(argv[1], "end")) {
                r = ask(options, json_pack("{ss sb}", "cmd", "maintenance", "end", 1), NULL);
                if (r == 0)
                        printf("maintenance is over\n");
                return r;
        }
        s = ctl_take_duration(argv[1], &err);
        if (s < 0)
                return ctl_usage("maintenance", "%s", err.text);
        r = ask(options, json_pack("{ss sI so}", "cmd", "maintenance", "for_s", (json_int_t)s, "why", why(argc, argv, 2)), NULL);
        if (r == 0)
                printf("maintenance for %s: nobody is told of anything; at its end what is wrong then, and what was critical meanwhile\n", argv[1]);
        return r;
}

const struct ctl_command ctl_command_maintenance = {
        .name = "maintenance",
        .run = run_maintenance,
        .synopsis = "TIME [WHY...] | end",
        .summary = "nobody is told of anything for some time; ends by itself",
        .help = "Root or group veille-admin. Example: veillectl maintenance 30min new power supply\n",
};

/* --- test-alert ------------------------------------------------------------------------------------------------------ */

/* The answer of this sink to this test; NULL: none yet. Borrowed from doc. */
static const json_t *answer_of(const json_t *doc, const char *id, const char *sink)
{
        const json_t *x;
        size_t i;

        json_array_foreach(json_object_get(doc, "tests"), i, x)
                if (streq(ctl_text(x, "id"), id) && streq(ctl_text(x, "sink"), sink))
                        return x;
        return NULL;
}

/* Prints answers as they come; how many sinks have not taken it. */
static int wait_for_answers(const struct common_options *options, const char *id, const json_t *sinks)
{
        bool done[64] = { false };
        size_t n = MIN(json_array_size(sinks), ARRAY_LEN(done)), left = n;
        int failed = 0;

        for (int i = 0; i < TEST_WAIT_S * 10 && left; i++) {
                const struct timespec pause = { .tv_nsec = 100000000 };
                struct errinfo err = { 0 };
                json_t *doc;

                nanosleep(&pause, NULL);
                doc = ctl_alerts_load(options, &err);
                for (size_t k = 0; doc && k < n; k++) {
                        const char *sink = json_string_value(json_array_get(sinks, k));
                        const json_t *a = done[k] ? NULL : answer_of(doc, id, sink);

                        if (!a)
                                continue;
                        done[k] = true;
                        left--;
                        failed += !json_is_true(json_object_get(a, "ok"));
                        printf("%-16s %s%s\n", sink, json_is_true(json_object_get(a, "ok")) ? "taken: " : "FAILED: ", ctl_text(a, "text"));
                        fflush(stdout);
                }
                json_decref(doc);
        }
        for (size_t k = 0; k < n; k++)
                if (!done[k])
                        printf("%-16s no answer yet; veillectl notify queue shows what becomes of it\n", json_string_value(json_array_get(sinks, k)));
        return failed + (int)left;
}

static int run_test_alert(const struct common_options *options, int argc, char *argv[])
{
        json_t *answer = NULL;
        int r;

        if (argc > 2)
                return ctl_usage("test-alert", "say one contact, or none for all");
        r = ask(options, json_pack("{ss so}", "cmd", "test-alert", "contact", argc > 1 ? json_string(argv[1]) : json_null()), &answer);
        if (r)
                return r;
        r = wait_for_answers(options, ctl_text(answer, "id"), json_object_get(answer, "sinks")) ? 2 : 0;
        json_decref(answer);
        return r;
}

const struct ctl_command ctl_command_test_alert = {
        .name = "test-alert",
        .run = run_test_alert,
        .synopsis = "[CONTACT]",
        .summary = "sends a test message by every sink of a contact, or of all, and shows what each answers",
        .help = "Exit status 2 when a sink did not take it. Root or group veille-admin.\n",
};
