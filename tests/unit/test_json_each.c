/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

#include "json_each.h"
#include "test.h"

struct seen {
        double sum;
        size_t n, stop_at;
};

static int add(void *data, const json_t *element)
{
        struct seen *s = data;

        s->sum += json_number_value(json_is_object(element) ? json_object_get(element, "v") : element);
        return ++s->n == s->stop_at ? -ECANCELED : 0;
}

static void reads_what_json_allows(void **state UNUSED)
{
        static const struct {
                const char *text;
                double sum;
                size_t n;
        } rows[] = {
                { "{\"list\":[]}", 0, 0 },
                { "{\"list\":[1,2,3]}", 6, 3 },
                { " \n{ \"a\" : 7 , \"list\" : [ 1 , {\"v\":2} ] , \"b\":[[1],{\"list\":[9]}] }\n ", 3, 2 },
                { "{\"\\u006cist\":[1.5e1,-5]}", 10, 2 },
                { "{\"x\":\"]}\\\"\",\"list\":[4]}", 4, 1 },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct errinfo err = { 0 };
                struct seen s = { 0 };

                if (json_each(rows[i].text, strlen(rows[i].text), "list", add, &s, NULL, &err) < 0)
                        fail_msg("%s: %s", rows[i].text, err.text);
                assert_true(s.sum == rows[i].sum);
                assert_int_equal(s.n, rows[i].n);
        }
}

static void the_rest_comes_back(void **state UNUSED)
{
        static const char text[] = "{\"version\":1,\"list\":[1],\"events\":[{\"time\":5}]}";
        struct seen s = { 0 };
        json_t *rest;

        assert_int_equal(json_each(text, strlen(text), "list", add, &s, &rest, NULL), 0);
        assert_int_equal(json_object_size(rest), 2);
        assert_int_equal(json_integer_value(json_object_get(rest, "version")), 1);
        assert_int_equal(json_array_size(json_object_get(rest, "events")), 1);
        json_decref(rest);
}

static void a_callback_may_stop(void **state UNUSED)
{
        static const char text[] = "{\"list\":[1,2,3,4]}";
        struct seen s = { .stop_at = 2 };

        assert_int_equal(json_each(text, strlen(text), "list", add, &s, NULL, NULL), -ECANCELED);
        assert_int_equal(s.n, 2);
}

static void refuses_everything_else(void **state UNUSED)
{
        static const char *const rows[] = {
                "", "null", "[]", "{}", "{\"list\":1}", "{\"list\":[1", "{\"list\":[1,]}", "{\"list\":[1 2]}", "{\"list\":[]", "{\"list\":[]}x",
                "{\"list\":[],\"list\":[]}", "{\"list\":[],}", "{list:[]}", "{\"list\"[]}", "{\"list\":[]}{}", "{\"a\":}", "{\"a\":nul}", "{,}",
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct errinfo err = { 0 };
                struct seen s = { 0 };

                if (json_each(rows[i], strlen(rows[i]), "list", add, &s, NULL, &err) != -EINVAL || !*err.text)
                        fail_msg("taken: %s", rows[i]);
        }
}

static void every_cut_is_refused(void **state UNUSED)
{
        static const char text[] = "{\"v\":1.25,\"list\":[{\"v\":1,\"l\":{\"a\":\"\\u00e9\"}},{\"v\":22}],\"z\":null}";

        for (size_t len = 0; len < strlen(text); len++) {
                char *copy = malloc(len ? len : 1);
                struct seen s = { 0 };

                memcpy(copy, text, len);
                assert_int_equal(json_each(copy, len, "list", add, &s, NULL, NULL), -EINVAL);
                free(copy);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(reads_what_json_allows), cmocka_unit_test(the_rest_comes_back), cmocka_unit_test(a_callback_may_stop),
                cmocka_unit_test(refuses_everything_else), cmocka_unit_test(every_cut_is_refused),
        };

        return cmocka_run_group_tests_name("json_each", tests, NULL, NULL);
}
