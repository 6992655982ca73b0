/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* What counts as news for samples.json: it is not written without, and never left as it was with. */

#include "test.h"

/* For its own functions. */
#include "../../agent/brain_publish.c"

static const struct metric_desc metrics[] = { { "t_celsius", METRIC_GAUGE, "celsius", "T" } };
static struct check_desc checks[] = { { .name = "sensors", .interval_s = 60, .deadline_s = 10, .metrics = metrics, .n_metrics = 1 } };

static void changed(void *data UNUSED, const struct judge_component *c UNUSED, enum level from UNUSED)
{
}

static void event(void *data UNUSED, const char *component UNUSED, const char *text UNUSED)
{
}

static int64_t run(struct brain *b, const char *instance, double value, const char *label, int64_t now)
{
        struct judge_instance *i = judge_find(b->judge, &checks[0], instance);

        assert_non_null(i);
        judge_run_begin(b->judge, i);
        assert_true(judge_sample(b->judge, i, "t_celsius", value, (const char *[]){ "label", label, NULL }, now));
        judge_run_end(b->judge, i, VERDICT_OK, "", now);
        return sum_of_times(b);
}

static int64_t discover(struct brain *b, const char *const *names, int64_t now)
{
        judge_discovery_begin(b->judge, &checks[0]);
        for (; *names; names++)
                judge_discovery_add(b->judge, &checks[0], *names, *names, "", "sensor", now);
        judge_discovery_end(b->judge, &checks[0], now);
        return sum_of_times(b);
}

static void news_of_samples(void **state UNUSED)
{
        struct brain b = { .catalog = { .checks = checks, .n_checks = 1 } };
        int64_t news[8];
        size_t n = 0;

        b.judge = judge_new(&b.catalog, &(struct judge_callbacks){ .changed = changed, .event = event, .data = &b });
        news[n++] = discover(&b, (const char *[]){ "a", "b", NULL }, 1000);
        news[n++] = run(&b, "a", 40, "x", 2000);
        news[n++] = run(&b, "a", 40, "x", 3000); /* the same value, but read again: its age is news */
        news[n++] = run(&b, "a", 40, "y", 3000);
        news[n++] = run(&b, "b", 40, "x", 3000);
        judge_tick(b.judge, 4000);
        assert_true(sum_of_times(&b) == news[n - 1]); /* time that passes is none */
        news[n++] = discover(&b, (const char *[]){ "a", NULL }, 5000);
        news[n++] = discover(&b, (const char *[]){ "a", "b", NULL }, 6000);
        for (size_t i = 1; i < n; i++)
                if (news[i] == news[i - 1])
                        fail_msg("step %zu is no news", i);
        judge_free(b.judge);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(news_of_samples) };

        return cmocka_run_group_tests_name("brain_publish", tests, NULL, NULL);
}
