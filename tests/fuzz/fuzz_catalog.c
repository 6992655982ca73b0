/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* What veille-probe says it can measure, as the brain reads it: any JSON. A catalogue that is accepted says the same when it is
 * written again, and every rule in it, however absurd, can be judged by. Input: the document; 0x1e; one byte a poll, which
 * picks the values of that poll and how long it took. */

#include <math.h>

#include "catalog.h"
#include "judge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const double values[] = { 0, 1, -1, 50, 1e6, 1e308, -1e308, 5e-324 };
static const int64_t passed_s[] = { 1, 60, 3600, 400 * 86400 };

static void on_changed(void *data UNUSED, const struct judge_component *c, enum level from UNUSED)
{
        assert(c->level == LEVEL_OK || *c->why);
}

static void on_event(void *data UNUSED, const char *component, const char *text)
{
        assert(*component && *text);
}

static void on_reason(void *data UNUSED, const struct judge_reason *r)
{
        assert(r->level > LEVEL_OK && *r->rule_name && strlen(r->text) < sizeof(r->text));
}

static void poll_check(struct judge *j, const struct check_desc *check, uint8_t how, int64_t now_us)
{
        struct judge_instance *i = judge_find(j, check, "one");

        judge_run_begin(j, i);
        for (size_t m = 0; m < check->n_metrics; m++) {
                const char *labels[] = { "device", "one", "judged", "yes", NULL, NULL, NULL };

                for (size_t r = 0; r < check->n_rules; r++)
                        if (check->rules[r].match_label && streq(check->rules[r].metric, check->metrics[m].name)) {
                                labels[4] = check->rules[r].match_label;
                                labels[5] = check->rules[r].match_value;
                                break;
                        }
                judge_sample(j, i, check->metrics[m].name, values[(how + m) % ARRAY_LEN(values)], labels, now_us);
        }
        judge_run_end(j, i, how & 0x80 ? VERDICT_FAILED : VERDICT_OK, "said", now_us);
}

static void judge_by(const struct catalog *c, const uint8_t *polls, size_t n)
{
        struct judge *j = judge_new(c, &(struct judge_callbacks){ .changed = on_changed, .event = on_event });
        int64_t now_us = 1000 * USEC_PER_SEC;

        for (size_t i = 0; i < c->n_checks; i++) {
                judge_discovery_begin(j, &c->checks[i]);
                judge_discovery_add(j, &c->checks[i], "one", "one", "id", "disk", now_us);
                judge_discovery_end(j, &c->checks[i], now_us);
        }
        for (size_t p = 0; p < n && p < 64; p++) {
                now_us += passed_s[polls[p] >> 4 & 3] * USEC_PER_SEC;
                for (size_t i = 0; i < c->n_checks && i < 8; i++)
                        poll_check(j, &c->checks[i], polls[p], now_us);
                judge_tick(j, now_us + USEC_PER_SEC);
        }
        for (const struct judge_component *component = judge_components(j); component; component = component->next)
                judge_reasons(j, component, now_us, on_reason, NULL);
        (void)judge_health(j);
        judge_free(j);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const uint8_t *end = memchr(data, 0x1e, size);
        size_t len = end ? (size_t)(end - data) : size;
        json_t *doc = json_loadb((const char *)data, len, 0, NULL), *written, *again;
        const struct check_desc **descs;
        struct errinfo err = { 0 };
        struct catalog c, copy;

        if (catalog_from_json(doc, &c, &err) < 0) {
                assert(*err.text);
                json_decref(doc);
                return 0;
        }
        json_decref(doc);
        descs = calloc(c.n_checks + 1, sizeof(*descs));
        assert(descs);
        for (size_t i = 0; i < c.n_checks; i++)
                descs[i] = &c.checks[i];
        written = catalog_to_json(descs, c.n_checks);
        if (catalog_from_json(written, &copy, &err) < 0) {
                fprintf(stderr, "what was accepted is refused: %s\n", err.text);
                abort();
        }
        for (size_t i = 0; i < copy.n_checks; i++)
                descs[i] = &copy.checks[i];
        again = catalog_to_json(descs, copy.n_checks);
        assert(json_equal(written, again));
        free(descs);
        json_decref(written);
        json_decref(again);
        catalog_done(&copy);
        judge_by(&c, end ? end + 1 : data, end ? size - len - 1 : 0);
        catalog_done(&c);
        return 0;
}
