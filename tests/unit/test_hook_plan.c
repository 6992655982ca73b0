/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Hooks: the configuration and its mistakes; when one is run, once, cooled down, so many a day, over a restart and jumps of the clock. */

#include "hook_plan.h"
#include "test.h"

#define T0 1700000000LL
#define KEY "rule:mail-unit-failed postfix"

static const struct hook_config repair = { .name = "x", .class = HOOK_REPAIR, .cool_down_s = 600, .per_day = 3, .deadline_s = 60 };

static enum hook_verdict plan(enum hook_mode mode, const struct hook_memory *m, const char *key, const char *component, int64_t now)
{
        char why[256] = "";
        enum hook_verdict v = hook_plan(&repair, mode, m, key, component, now, why, sizeof(why));

        assert_true((v == HOOK_WAIT) == (*why != '\0'));
        return v;
}

static bool never(void *data UNUSED, const char *key UNUSED)
{
        return false;
}

static bool always(void *data UNUSED, const char *key UNUSED)
{
        return true;
}

static void modes(void **state UNUSED)
{
        struct hook_memory m = { 0 };

        assert_int_equal(plan(HOOK_ADVISE, &m, KEY, "postfix", T0), HOOK_SAY);
        assert_int_equal(plan(HOOK_CONFIRM, &m, KEY, "postfix", T0), HOOK_ASK);
        assert_int_equal(plan(HOOK_AUTO, &m, KEY, "postfix", T0), HOOK_RUN);
        m.busy = true;
        assert_int_equal(plan(HOOK_ADVISE, &m, KEY, "postfix", T0), HOOK_SAY);
        assert_int_equal(plan(HOOK_CONFIRM, &m, KEY, "postfix", T0), HOOK_WAIT);
        assert_int_equal(plan(HOOK_AUTO, &m, KEY, "postfix", T0), HOOK_WAIT);
        hook_memory_done(&m);
}

static void once_a_transition_then_cool_then_so_many_a_day(void **state UNUSED)
{
        struct hook_memory m = { 0 };
        int64_t t = T0;

        for (int i = 0; i < repair.per_day; i++) {
                assert_int_equal(plan(HOOK_AUTO, &m, KEY, "postfix", t), HOOK_RUN);
                hook_answered(&m, KEY, t);
                hook_ran(&repair, &m, "postfix", t);
                assert_int_equal(plan(HOOK_AUTO, &m, KEY, "postfix", t + 86400 * 9), HOOK_NOTHING); /* however long it stands */
                assert_false(hook_forget(&m, always, NULL));
                assert_true(hook_forget(&m, never, NULL));
                assert_int_equal(plan(HOOK_AUTO, &m, KEY, "postfix", t + 599), HOOK_WAIT);
                /* another component does not wait for this one, but counts */
                if (i == 0)
                        assert_int_equal(plan(HOOK_AUTO, &m, "rule:mail-unit-failed dovecot", "dovecot", t + 1), HOOK_RUN);
                t += 600;
        }
        assert_int_equal(plan(HOOK_AUTO, &m, KEY, "postfix", t), HOOK_WAIT);
        assert_int_equal(plan(HOOK_AUTO, &m, "rule:mail-unit-failed dovecot", "dovecot", t), HOOK_WAIT);
        assert_int_equal(plan(HOOK_AUTO, &m, KEY, "postfix", T0 + 86399), HOOK_WAIT);
        assert_int_equal(plan(HOOK_AUTO, &m, KEY, "postfix", T0 + 86400), HOOK_RUN);
        hook_memory_done(&m);
}

static void the_clock_jumps_back(void **state UNUSED)
{
        struct hook_memory m = { 0 };

        hook_ran(&repair, &m, "postfix", T0 + 5000000);
        assert_int_equal(plan(HOOK_AUTO, &m, KEY, "postfix", T0), HOOK_WAIT); /* counts as now */
        hook_ran(&repair, &m, "dovecot", T0);
        assert_int_equal(m.n_runs, 2);
        assert_true(m.runs_s[0] == T0 && m.runs_s[1] == T0);
        hook_memory_done(&m);
}

static void a_restart_knows_it_all(void **state UNUSED)
{
        struct hook_memory m = { 0 }, back = { 0 };
        json_t *doc;

        hook_answered(&m, KEY, T0);
        for (int i = 0; i < 100; i++)
                hook_ran(&repair, &m, "postfix", T0 + i); /* by hand */
        assert_int_equal(m.n_runs, HOOK_DAY_MAX);
        doc = hook_memory_save(&m);
        hook_memory_load(&back, doc, T0 + 200);
        assert_int_equal(plan(HOOK_AUTO, &back, KEY, "postfix", T0 + 86400 * 2), HOOK_NOTHING);
        assert_int_equal(back.n_runs, HOOK_DAY_MAX);
        assert_int_equal(plan(HOOK_AUTO, &back, "other", "other", T0 + 200), HOOK_WAIT);
        json_decref(doc);
        hook_memory_done(&m);
        hook_memory_done(&back);
}

static void strangers_memory_is_bounded(void **state UNUSED)
{
        struct hook_memory m = { 0 };
        json_t *doc = json_pack("{s[isfn] s[] s{sisssisi}}", "runs", 5, "x", 1.5, "seen", "acted", "a", 7, "b", "no", "c", -3, "d", 0);
        json_t *many = json_object();
        char key[32];

        hook_memory_load(&m, doc, T0);
        assert_int_equal(m.n_runs, 1);
        assert_int_equal(json_object_size(m.acted), 1);
        assert_null(m.seen);
        for (int i = 0; i < 1000; i++) {
                snprintf(key, sizeof(key), "rule:x %d", i);
                json_object_set_new(many, key, json_integer(T0 * 2));
        }
        json_object_set_new(doc, "seen", many);
        hook_memory_load(&m, doc, T0);
        assert_int_equal(json_object_size(m.seen), HOOK_SEEN_MAX);
        assert_true(json_integer_value(json_object_get(m.seen, "rule:x 0")) == T0);
        assert_int_equal(plan(HOOK_AUTO, &m, "rule:x y", "y", T0), HOOK_WAIT);
        json_decref(doc);
        hook_memory_done(&m);
}

/* --- configuration ------------------------------------------------------------------------------------------------- */

static struct config *parse(const char *text)
{
        struct config_errors errors;
        struct config *c = NULL;

        if (config_parse_string("test", text, strlen(text), &c, &errors) < 0)
                fail_msg("%s", errors.text[0]);
        return c;
}

static void names(void **state UNUSED)
{
        static const char *const good[] = { "a", "restart-mail-service", "0", "x1" };
        static const char *const bad[] = { "", "-a", "A", "a b", "../x", "a/b", "a.b", "é", "a\n",
                                           "0123456789012345678901234567890123456789012345678901234567890123456" };

        for (size_t i = 0; i < ARRAY_LEN(good); i++)
                assert_true(hook_name_ok(good[i]));
        for (size_t i = 0; i < ARRAY_LEN(bad); i++)
                assert_false(hook_name_ok(bad[i]));
}

static void good_config(void **state UNUSED)
{
        struct config *c = parse("[hooks]\nmode = confirm\n[hook restart-mail-service]\non = rule:mail-unit-failed health:red\nclass = repair\n"
                                 "[hook off]\non =\nclass =\n[hook page]\nclass = notify\nper_day = 30\ncool_down = 0\ndeadline = 2min\n");
        struct hooks_config h;
        struct errinfo err = { 0 };

        assert_int_equal(hooks_config_read(c, false, &h, &err), 0);
        assert_int_equal(h.mode, HOOK_CONFIRM);
        assert_int_equal(h.n, 2);
        assert_true(h.hooks[0].class == HOOK_REPAIR && h.hooks[0].n_on == 2 && h.hooks[0].per_day == 3 && h.hooks[0].cool_down_s == 600 &&
                    h.hooks[0].deadline_s == 60);
        assert_true(hook_wants(&h.hooks[0], "health:red"));
        assert_false(hook_wants(&h.hooks[0], "health:yellow"));
        assert_true(h.hooks[1].class == HOOK_NOTIFY && h.hooks[1].n_on == 0 && h.hooks[1].deadline_s == 120);
        config_free(c);
        c = config_new_defaults();
        assert_int_equal(hooks_config_read(c, false, &h, &err), 0);
        assert_true(h.mode == HOOK_ADVISE && h.n == 0);
        assert_false(hooks_role_configured(c));
        config_free(c);
}

static void mistakes(void **state UNUSED)
{
        static const struct {
                const char *text, *sentence;
                bool role;
        } rows[] = {
                { "[hook x]\non = health:red\n", "class is missing", false },
                { "[hook ../x]\nclass = repair\n", "a hook is named with", false },
                { "[hook x]\nclass = repair\non = health:purple\n", "'health:purple' is no cause", false },
                { "[hook x]\nclass = repair\non = rule:\n", "is no cause", false },
                { "[hook x]\nclass = repair\non = rule:a/b\n", "is no cause", false },
                { "[hook x]\nclass = move\non = health:red\n", "may not run on health:red where a [role] is configured", true },
                { "[hook x]\nclass = repair\non = rule:a rule:b rule:c rule:d rule:e rule:f rule:g rule:h rule:i rule:j rule:k rule:l rule:m rule:n "
                  "rule:o rule:p rule:q\n", "more than 16 causes", false },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct config *c = parse(rows[i].text);
                struct errinfo err = { 0 };

                if (hooks_config_read(c, rows[i].role, NULL, &err) != -EINVAL || !strstr(err.text, rows[i].sentence))
                        fail_msg("row %zu: %s", i, err.text);
                config_free(c);
        }
}

static void a_move_is_for_the_role_where_there_is_one(void **state UNUSED)
{
        struct config *c = parse("[hook x]\nclass = move\non = health:red\n[hook y]\nclass = move\non = health:yellow\n");
        struct errinfo err = { 0 };

        assert_int_equal(hooks_config_read(c, false, NULL, &err), 0);
        config_free(c);
        c = parse("[hook y]\nclass = move\non = health:yellow\n[hook z]\nclass = repair\non = health:red\n");
        assert_int_equal(hooks_config_read(c, true, NULL, &err), 0);
        config_free(c);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(modes),
                cmocka_unit_test(once_a_transition_then_cool_then_so_many_a_day),
                cmocka_unit_test(the_clock_jumps_back),
                cmocka_unit_test(a_restart_knows_it_all),
                cmocka_unit_test(strangers_memory_is_bounded),
                cmocka_unit_test(names),
                cmocka_unit_test(good_config),
                cmocka_unit_test(mistakes),
                cmocka_unit_test(a_move_is_for_the_role_where_there_is_one),
        };

        return cmocka_run_group_tests_name("hook_plan", tests, NULL, NULL);
}
