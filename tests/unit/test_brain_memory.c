/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* What the brain takes for a change of its memory: everything but the time of saving. */

#include "test.h"

/* For its own functions. */
#include "../../agent/brain_memory.c"

static json_int_t of(const char *text)
{
        json_t *v = json_loads(text, JSON_DECODE_ANY, NULL), *hash;
        json_int_t h;

        if (!v)
                fail_msg("%s", text);
        hash = stand_in(v);
        h = json_integer_value(hash);
        json_decref(hash);
        json_decref(v);
        return h;
}

static void only_the_time_of_saving_is_no_change(void **state UNUSED)
{
        static const char *const all[] = {
                "{}", "[]", "{\"wall\":1,\"a\":1}", "{\"wall\":1,\"a\":1.0}", "{\"wall\":1,\"a\":\"1\"}", "{\"wall\":1,\"a\":2}", "{\"wall\":1,\"b\":1}",
                "{\"wall\":1,\"a\":[1]}", "{\"wall\":1,\"a\":[1,2]}", "{\"wall\":1,\"a\":[[1],2]}", "{\"wall\":1,\"a\":[[1,2]]}",
                "{\"wall\":1,\"a\":{\"wall\":1}}", "{\"wall\":1,\"a\":{\"wall\":2}}", "{\"wall\":1,\"a\":true}", "{\"wall\":1,\"a\":false}",
                "{\"wall\":1,\"a\":null}", "{\"wall\":1,\"a\":\"\"}", "{\"wall\":1,\"a\":1,\"b\":\"\"}", "{\"wall\":1,\"a\":-1}", "{\"wall\":1,\"a\":0}",
        };

        for (size_t i = 0; i < ARRAY_LEN(all); i++)
                for (size_t k = 0; k < i; k++)
                        if (of(all[i]) == of(all[k]))
                                fail_msg("%s and %s", all[i], all[k]);
        assert_true(of("{\"wall\":1,\"a\":1}") == of("{\"a\":1,\"wall\":99}"));
        assert_true(of("{\"wall\":1,\"a\":1}") == of("{\"a\":1}"));
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(only_the_time_of_saving_is_no_change) };

        return cmocka_run_group_tests_name("brain_memory", tests, NULL, NULL);
}
