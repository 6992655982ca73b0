/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

#include "test.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "config.h"

static struct config *good(const char *text)
{
        struct config_errors errors;
        struct config *c = NULL;
        int r = config_parse_string("t.conf", text, strlen(text), &c, &errors);

        if (r < 0)
                fail_msg("not accepted: %s", errors.text[0]);
        assert_int_equal(errors.n, 0);
        config_errors_done(&errors);
        return c;
}

static char *all_errors(const char *text, size_t len)
{
        struct config_errors errors;
        struct config *c = NULL;
        char *all = NULL;
        size_t size;
        FILE *f = open_memstream(&all, &size);

        assert_int_equal(config_parse_string("t.conf", text, len, &c, &errors), -EINVAL);
        assert_null(c);
        for (size_t i = 0; i < errors.n; i++)
                fprintf(f, "%s\n", errors.text[i]);
        fclose(f);
        config_errors_done(&errors);
        return all;
}

static void every_mistake_has_its_place_and_its_sentence(void **state UNUSED)
{
        static const struct {
                const char *text, *wanted;
        } rows[] = {
                { "[check smart]\n  intervall = 30\n",
                  "t.conf:2:3: unknown key 'intervall' in [check smart]; did you mean 'interval'?\n"
                  "      intervall = 30\n"
                  "      ^\n" },
                { "[chek smart]\nwhatever = 1\n",
                  "t.conf:1:2: unknown section [chek]; did you mean [check]?\n"
                  "    [chek smart]\n"
                  "     ^\n" },
                { "[zzzzzz]\n",
                  "t.conf:1:2: unknown section [zzzzzz]; veillectl config example shows all there are\n"
                  "    [zzzzzz]\n"
                  "     ^\n" },
                { "interval = 5\nenabled = no\n[check a]\n",
                  "t.conf:1:1: 'interval' stands before the first [section]\n"
                  "    interval = 5\n"
                  "    ^\n" },
                { "[check]\n",
                  "t.conf:1:2: [check] needs a name: [check NAME]\n"
                  "    [check]\n"
                  "     ^\n" },
                { "[host mx1]\n",
                  "t.conf:1:7: [host] takes no name\n"
                  "    [host mx1]\n"
                  "          ^\n" },
                { "[check a\n",
                  "t.conf:1:9: ']' is missing\n"
                  "    [check a\n"
                  "            ^\n" },
                { "[check a] # mine\n",
                  "t.conf:1:10: nothing may follow ']'; a comment stands on a line of its own\n"
                  "    [check a] # mine\n"
                  "             ^\n" },
                { "[]\n",
                  "t.conf:1:2: a section is written [kind] or [kind name], its kind with letters, digits and '-'\n"
                  "    []\n"
                  "     ^\n" },
                { "[check a[b]\n",
                  "t.conf:1:8: this is no name: at most 127 characters, no brackets\n"
                  "    [check a[b]\n"
                  "           ^\n" },
                { "[check a]\ninterval 5\n",
                  "t.conf:2:10: '=' is missing: a line is a [section], a key = value or a # comment\n"
                  "    interval 5\n"
                  "             ^\n" },
                { "[check a]\nmy interval = 5\n",
                  "t.conf:2:4: a key is one word of letters, digits and '-'\n"
                  "    my interval = 5\n"
                  "       ^\n" },
                { "[check a]\ninterval = 5\n[check b]\ninterval = 5\n[check a]\ninterval = 6\n",
                  "t.conf:6:1: 'interval' is set twice in this file, first in t.conf:2\n"
                  "    interval = 6\n"
                  "    ^\n" },
                { "[host]\ninterval = 5\n",
                  "t.conf:2:1: unknown key 'interval' in [host]; it belongs in [check NAME]\n"
                  "    interval = 5\n"
                  "    ^\n" },
                { "[check a]\ninterval = 5 parsecs\n",
                  "t.conf:2:14: interval: unknown unit 'parsecs'; write a number and a unit (ms, s, min, h, d, w), such as 90s or 1h 30min\n"
                  "    interval = 5 parsecs\n"
                  "                 ^\n" },
                { "[check a]\ninterval = 5s # often\n",
                  "t.conf:2:15: interval: '5s # often' is no duration; a comment stands on a line of its own\n"
                  "    interval = 5s # often\n"
                  "                  ^\n" },
                { "[check a]\ninterval = 2w\n",
                  "t.conf:2:12: interval: 2w is out of range: 'interval' is from 1s to 1w\n"
                  "    interval = 2w\n"
                  "               ^\n" },
                { "[check a]\ninterval = -5\n",
                  "t.conf:2:12: interval: -5s is out of range: 'interval' is from 1s to 1w\n"
                  "    interval = -5\n"
                  "               ^\n" },
                { "[check a]\nenabled = maybe\n",
                  "t.conf:2:11: enabled: 'maybe' is neither yes nor no\n"
                  "    enabled = maybe\n"
                  "              ^\n" },
                { "[rule a]\nwarning = hot\n",
                  "t.conf:2:11: warning: 'hot' is no number; write a number, such as 55 or 0.8 or 80%\n"
                  "    warning = hot\n"
                  "              ^\n" },
                { "[check a]\nignore = sda \"sd b\n",
                  "t.conf:2:14: ignore: the quote \" is not closed\n"
                  "    ignore = sda \"sd b\n"
                  "                 ^\n" },
                { "[check a]\nignore = sda \\\n\t'x'y\n",
                  "t.conf:3:5: ignore: after a closing quote comes a space or a comma\n"
                  "    \t'x'y\n"
                  "    \t   ^\n" },
                { "[host]\nname = caf\xc3\xa9 \xff\n",
                  "t.conf:2:13: byte 0xff is not UTF-8; is the file saved in another encoding?\n"
                  "    name = caf\xc3\xa9 ?\n"
                  "                ^\n" },
                { "[host]\nname = a\x1b[2J\n",
                  "t.conf:2:9: control character 0x1b\n"
                  "    name = a?[2J\n"
                  "            ^\n" },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                char *got = all_errors(rows[i].text, strlen(rows[i].text));

                if (!streq(got, rows[i].wanted))
                        fail_msg("input:\n%sgot:\n%swanted:\n%s", rows[i].text, got, rows[i].wanted);
                free(got);
        }
}

static void all_mistakes_come_in_one_pass_and_none_twice(void **state UNUSED)
{
        static const char text[] = "[check a]\nenabeld = no\n[nowhere]\nx = 1\ny = 2\n[check]\nz = 1\n[host]\nname = ok\nnmae = 2\n";
        char *got = all_errors(text, sizeof(text) - 1);

        assert_string_equal(got, "t.conf:2:1: unknown key 'enabeld' in [check a]; did you mean 'enabled'?\n    enabeld = no\n    ^\n"
                                 "t.conf:3:2: unknown section [nowhere]; veillectl config example shows all there are\n    [nowhere]\n     ^\n"
                                 "t.conf:6:2: [check] needs a name: [check NAME]\n    [check]\n     ^\n"
                                 "t.conf:10:1: unknown key 'nmae' in [host]; did you mean 'name'?\n    nmae = 2\n    ^\n");
        free(got);
}

static void a_nul_byte_and_a_long_line_are_refused(void **state UNUSED)
{
        static char big[5100];
        char *got = all_errors("[host]\nname = a\0b\n", 18);

        assert_string_equal(got, "t.conf:2:9: NUL byte (0x00); is this a text file?\n    name = a?b\n            ^\n");
        free(got);
        memset(big, 'x', 5000);
        strcpy(big + 5000, "\nname = x");
        got = all_errors(big, strlen(big));
        assert_non_null(strstr(got, "t.conf:1:4097: this line has 5000 bytes, at most 4096 are allowed"));
        assert_true(strlen(got) < 700);
        free(got);
}

static void many_errors_are_bounded(void **state UNUSED)
{
        _cleanup_free_ char *text = NULL;
        struct config_errors errors;
        struct config *c = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        for (int i = 0; i < 5000; i++)
                fprintf(f, "[nothing%d]\n", i);
        fclose(f);
        assert_int_equal(config_parse_string("t.conf", text, size, &c, &errors), -EINVAL);
        assert_int_equal(errors.n, 101);
        assert_string_equal(errors.text[100], "(more errors are not shown)");
        config_errors_done(&errors);
}

static void what_may_be_written(void **state UNUSED)
{
        struct config *c = good("\xef\xbb\xbf# a comment\r\n"
                                "; another\r\n"
                                "\r\n"
                                "[host]\r\n"
                                "   name = \"  mx 1 \"\r\n"
                                "[check smart]\n"
                                "\tinterval=1h 30min\n"
                                "ignore = sda, \"sd b\" \\\n"
                                "# a comment between\n"
                                "   'c\"d' \"e\\\"f\"\n"
                                "[rule hot]\n"
                                "warning = 90%\n"
                                "critical = none\n"
                                "notice = 3d\n"
                                "clear = -1.5\n"
                                "[check empty]\n");
        const char *const *names = config_section_names(c, "check");
        char *words[8];

        assert_string_equal(config_string(c, "host", NULL, "name"), "  mx 1 ");
        assert_string_equal(config_origin(c, "host", NULL, "name"), "t.conf:5");
        assert_int_equal(config_int(c, "check", "smart", "interval"), 5400);
        assert_int_equal(config_list(c, "check", "smart", "ignore", words, 8), 4);
        assert_string_equal(words[0], "sda");
        assert_string_equal(words[1], "sd b");
        assert_string_equal(words[2], "c\"d");
        assert_string_equal(words[3], "e\"f");
        for (size_t i = 0; i < 4; i++)
                free(words[i]);
        assert_true(config_number(c, "rule", "hot", "warning") == 0.9);
        assert_true(config_number(c, "rule", "hot", "notice") == 3 * 86400);
        assert_true(config_number(c, "rule", "hot", "clear") == -1.5);
        assert_true(isnan(config_number(c, "rule", "hot", "critical")));
        assert_true(config_is_set(c, "rule", "hot", "critical"));
        assert_false(config_is_set(c, "rule", "cold", "critical"));
        assert_string_equal(names[0], "smart");
        assert_string_equal(names[1], "empty");
        assert_null(names[2]);
        assert_null(config_section_names(c, "host")[0]);
        config_free(c);
}

static void durations_and_numbers(void **state UNUSED)
{
        static const struct {
                const char *text;
                int64_t seconds;
        } rows[] = {
                { "90", 90 },   { "90s", 90 },  { "5min", 300 }, { "5 minutes", 300 }, { "2h", 7200 },    { "1d", 86400 },
                { "1w", 604800 }, { "1h30m", 5400 }, { "1.5h", 5400 }, { "1500ms", 2 },  { "1d 2h 3min 4s", 93784 },
        };
        static const char *const wrong[] = { "h", "5 5", "1h 5", "0x10", "1e3", "nan", "inf", "5mins", "--5", "1..5h", ".", "9999999999999999999" };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                char text[128];
                struct config *c;

                snprintf(text, sizeof(text), "[check a]\ninterval = %s\n", rows[i].text);
                c = good(text);
                if (config_int(c, "check", "a", "interval") != rows[i].seconds)
                        fail_msg("%s is %lld", rows[i].text, (long long)config_int(c, "check", "a", "interval"));
                config_free(c);
        }
        for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
                char text[128], *got;

                snprintf(text, sizeof(text), "[check a]\ninterval = %s\n", wrong[i]);
                got = all_errors(text, strlen(text));
                assert_non_null(strstr(got, "t.conf:2:"));
                free(got);
        }
}

static void an_empty_value_takes_back(void **state UNUSED)
{
        struct config *c = good("[check a]\nenabled =\nignore =\n");

        assert_true(config_bool(c, "check", "a", "enabled"));
        assert_false(config_is_set(c, "check", "a", "enabled"));
        assert_null(config_string(c, "check", "a", "ignore"));
        assert_string_equal(config_origin(c, "check", "a", "enabled"), "t.conf:2");
        config_free(c);
}

static const struct config_section *section_of(const char *name)
{
        for (size_t i = 0; i < config_sections_len; i++)
                if (streq(config_sections[i].name, name))
                        return &config_sections[i];
        fail_msg("[%s] has no row in config_sections (src/config_keys.c)", name);
        return NULL;
}

static void every_row_of_the_table_is_complete(void **state UNUSED)
{
        for (size_t i = 0; i < config_keys_len; i++) {
                const struct config_key *k = &config_keys[i];

                if (!k->help || strlen(k->help) < 10 || k->help[strlen(k->help) - 1] != '.')
                        fail_msg("[%s] %s: the help is no sentence", k->section, k->key);
                if (k->named != (section_of(k->section)->example != NULL))
                        fail_msg("[%s]: its row in config_sections needs an example of a name, or must have none", k->section);
                if (k->type == CONFIG_ENUM && !k->choices)
                        fail_msg("[%s] %s: an enum without choices", k->section, k->key);
                for (size_t j = 0; j < i; j++)
                        if (streq(config_keys[j].section, k->section) && (streq(config_keys[j].key, k->key) || config_keys[j].named != k->named))
                                fail_msg("[%s] %s: twice, or named and not named", k->section, k->key);
                if (i > 0 && !streq(config_keys[i - 1].section, k->section))
                        for (size_t j = 0; j + 1 < i; j++)
                                if (streq(config_keys[j].section, k->section))
                                        fail_msg("[%s] %s: its section does not keep together", k->section, k->key);
        }
        config_free(config_new_defaults()); /* asserts that every default is good */
}

/* --- files ---------------------------------------------------------------------------------------- */

static char dir[64];

static void put(const char *name, const char *text)
{
        char path[256];
        FILE *f;

        snprintf(path, sizeof(path), "%s/%s", dir, name);
        f = fopen(path, "w");
        assert_non_null(f);
        fputs(text, f);
        fclose(f);
}

static int setup(void **state UNUSED)
{
        char path[256];

        strcpy(dir, "/tmp/veille-test-config.XXXXXX");
        if (!mkdtemp(dir))
                return -1;
        snprintf(path, sizeof(path), "%s/veille.conf.d", dir);
        return mkdir(path, 0700);
}

static int teardown(void **state UNUSED)
{
        char command[128];

        snprintf(command, sizeof(command), "rm -r %s", dir);
        return system(command);
}

static int load(struct config **ret, struct config_errors *errors)
{
        char path[256];

        snprintf(path, sizeof(path), "%s/veille.conf", dir);
        return config_load(path, ret, errors);
}

static void no_file_at_all_is_a_complete_config(void **state UNUSED)
{
        struct config_errors errors;
        struct config *c = NULL;

        assert_int_equal(config_load("/nonexistent/veille.conf", &c, &errors), 0);
        assert_true(config_bool(c, "check", "smart", "enabled"));
        assert_string_equal(config_origin(c, "check", "smart", "enabled"), "default");
        config_free(c);
}

static void drop_ins_override_in_order_of_their_names(void **state UNUSED)
{
        struct config_errors errors;
        struct config *c = NULL;
        char origin[256];

        put("veille.conf", "[check a]\ninterval = 1\n[host]\nname = main\n");
        put("veille.conf.d/20.conf", "[check a]\ninterval = 20\n");
        put("veille.conf.d/10.conf", "[check a]\ninterval = 10\nenabled = no\n");
        put("veille.conf.d/30.conf.bak", "rubbish\n");
        put("veille.conf.d/.hidden.conf", "rubbish\n");
        assert_int_equal(load(&c, &errors), 0);
        assert_int_equal(config_int(c, "check", "a", "interval"), 20);
        assert_false(config_bool(c, "check", "a", "enabled"));
        assert_string_equal(config_string(c, "host", NULL, "name"), "main");
        snprintf(origin, sizeof(origin), "%s/veille.conf.d/20.conf:2", dir);
        assert_string_equal(config_origin(c, "check", "a", "interval"), origin);
        config_free(c);
}

static void mistakes_of_all_files_are_told_together(void **state UNUSED)
{
        struct config_errors errors;
        struct config *c = NULL;

        put("veille.conf", "[check a]\ninterva = 1\n");
        put("veille.conf.d/20.conf", "[hots]\n");
        assert_int_equal(load(&c, &errors), -EINVAL);
        assert_null(c);
        assert_int_equal(errors.n, 2);
        assert_non_null(strstr(errors.text[0], "/veille.conf:2:1: "));
        assert_non_null(strstr(errors.text[1], "/veille.conf.d/20.conf:1:2: "));
        config_errors_done(&errors);
}

static void what_is_no_config_file_is_refused(void **state UNUSED)
{
        struct config_errors errors;
        struct config *c = NULL;
        char path[256];

        snprintf(path, sizeof(path), "%s/veille.conf", dir);
        unlink(path);
        assert_int_equal(mkfifo(path, 0600), 0);
        assert_int_equal(load(&c, &errors), -EINVAL);
        assert_non_null(strstr(errors.text[0], "veille.conf: is no regular file"));
        config_errors_done(&errors);
        unlink(path);

        put("veille.conf", "");
        assert_int_equal(truncate(path, 1024 * 1024 + 1), 0);
        assert_int_equal(load(&c, &errors), -EFBIG);
        assert_non_null(strstr(errors.text[0], "is larger than 1048576 bytes"));
        config_errors_done(&errors);
        assert_null(c);
}

static void too_many_drop_ins_are_refused(void **state UNUSED)
{
        struct config_errors errors;
        struct config *c = NULL;

        for (int i = 0; i < 257; i++) {
                char name[64];

                snprintf(name, sizeof(name), "veille.conf.d/%d.conf", i);
                put(name, "");
        }
        assert_int_equal(load(&c, &errors), -E2BIG);
        assert_int_equal(errors.n, 1);
        assert_non_null(strstr(errors.text[0], "veille.conf.d: has 257 files, at most 256 are allowed"));
        config_errors_done(&errors);
}

static void a_name_that_is_not_known_is_an_error(void **state UNUSED)
{
        static const char *const checks[] = { "smart", "sensors" };
        static const struct config_names known[] = { { "check", checks, 2 }, { 0 } };
        struct config_errors errors;
        struct config *c = NULL;
        char path[256];

        put("veille.conf", "[check smrat]\nenabled = no\n[rule whatever]\nenabled = no\n[check xyz]\n");
        snprintf(path, sizeof(path), "%s/veille.conf", dir);
        assert_int_equal(config_load_known(path, known, &c, &errors), -EINVAL);
        assert_int_equal(errors.n, 2);
        assert_non_null(strstr(errors.text[0], "veille.conf:1:8: there is no check 'smrat'; did you mean 'smart'?\n    [check smrat]\n           ^"));
        assert_non_null(strstr(errors.text[1], "veille.conf:5:8: there is no check 'xyz'; veillectl checks shows them"));
        config_errors_done(&errors);
}

int main(void)
{
#define WITH_DIR(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_mistake_has_its_place_and_its_sentence),
                cmocka_unit_test(all_mistakes_come_in_one_pass_and_none_twice),
                cmocka_unit_test(a_nul_byte_and_a_long_line_are_refused),
                cmocka_unit_test(many_errors_are_bounded),
                cmocka_unit_test(what_may_be_written),
                cmocka_unit_test(durations_and_numbers),
                cmocka_unit_test(an_empty_value_takes_back),
                cmocka_unit_test(every_row_of_the_table_is_complete),
                cmocka_unit_test(no_file_at_all_is_a_complete_config),
                WITH_DIR(drop_ins_override_in_order_of_their_names),
                WITH_DIR(mistakes_of_all_files_are_told_together),
                WITH_DIR(what_is_no_config_file_is_refused),
                WITH_DIR(too_many_drop_ins_are_refused),
                WITH_DIR(a_name_that_is_not_known_is_an_error),
        };

        return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
