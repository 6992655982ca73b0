/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

#include "test.h"

#include "options.h"
#include "version.h"

struct own {
        const char *probe;
        bool wake;
};

static const struct option_row own_rows[] = {
        { "probe", "FILE", "the first words of a help that is longer than a line and must be cut", offsetof(struct own, probe) },
        { "wake", NULL, "no value", offsetof(struct own, wake) },
        { 0 },
};

static const struct program plain = { .name = "it", .summary = "does something", .options = own_rows, .notes = "The end.\n" };
static const struct program wordy = { .name = "it", .summary = "does something", .options = own_rows, .usage = "  it WORD\n", .notes = "", .words = true };

struct result {
        struct common_options common;
        struct own own;
        int r, argc;
        char *argv[16], *out, *errors;
};

static void start(struct result *x, const struct program *p, const char *const words[])
{
        size_t n_out, n_errors;
        FILE *out, *errors;

        *x = (struct result){ .common = COMMON_OPTIONS_DEFAULT, .argc = 1 };
        x->argv[0] = (char *)"it";
        for (; words[x->argc - 1]; x->argc++)
                x->argv[x->argc] = (char *)words[x->argc - 1];
        out = open_memstream(&x->out, &n_out);
        errors = open_memstream(&x->errors, &n_errors);
        assert_non_null(out);
        assert_non_null(errors);
        x->r = program_start(p, &x->common, &x->own, &x->argc, x->argv, out, errors);
        fclose(out);
        fclose(errors);
}

static void done(struct result *x)
{
        free(x->out);
        free(x->errors);
}

static void values_are_taken_wherever_they_stand(void **state UNUSED)
{
        static const struct {
                const char *words[8];
                const char *run, *probe;
                bool wake;
                const char *left; /* the words that stay, joined */
        } rows[] = {
                { { NULL }, "/run/veille", NULL, false, "" },
                { { "--run", "/a" }, "/a", NULL, false, "" },
                { { "--run=/a" }, "/a", NULL, false, "" },
                { { "list", "--run", "/a", "edac" }, "/a", NULL, false, "list edac" },
                { { "--run", "/a", "--run=/b" }, "/b", NULL, false, "" },
                { { "x", "--wake", "--probe", "-" }, "/run/veille", "-", true, "x" },
                { { "--probe=--wake" }, "/run/veille", "--wake", false, "" },
                { { "-", "--wake" }, "/run/veille", NULL, true, "-" },
                { { "--wake", "--", "--run", "/a" }, "/run/veille", NULL, true, "--run /a" },
                { { "--probe", "a=b" }, "/run/veille", "a=b", false, "" },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                char left[128] = "";
                struct result x;

                start(&x, &wordy, rows[i].words);
                for (int k = 1; k < x.argc; k++)
                        snprintf(left + strlen(left), sizeof(left) - strlen(left), "%s%s", k > 1 ? " " : "", x.argv[k]);
                if (x.r != 1 || !streq(x.common.run, rows[i].run) || !streq(x.own.probe ? x.own.probe : "(null)", rows[i].probe ? rows[i].probe : "(null)") ||
                    x.own.wake != rows[i].wake || !streq(left, rows[i].left) || x.argv[x.argc] != NULL)
                        fail_msg("row %zu: %d, run %s, probe %s, wake %d, left '%s', %s", i, x.r, x.common.run, x.own.probe ? x.own.probe : "-",
                                 x.own.wake, left, x.errors);
                assert_string_equal(x.common.config, "/etc/veille/veille.conf");
                assert_string_equal(x.common.state, "/var/lib/veille");
                assert_string_equal(x.common.root, "/");
                done(&x);
        }
}

static void mistakes_are_named_with_what_was_meant(void **state UNUSED)
{
        static const struct {
                const char *words[4], *wanted;
        } rows[] = {
                { { "--rnu", "/a" }, "it: unknown option --rnu; did you mean --run? (it --help)\n" },
                { { "--conf=/a" }, "it: unknown option --conf; did you mean --config? (it --help)\n" },
                { { "--awke" }, "it: unknown option --awke; did you mean --wake? (it --help)\n" },
                { { "--xyzzy" }, "it: unknown option --xyzzy (it --help)\n" },
                { { "-x" }, "it: unknown option -x (it --help)\n" },
                { { "-run" }, "it: unknown option -run; did you mean --run? (it --help)\n" },
                { { "--run" }, "it: --run needs a value: --run DIR (it --help)\n" },
                { { "--run=" }, "it: --run needs a value: --run DIR (it --help)\n" },
                { { "--run", "" }, "it: --run needs a value: --run DIR (it --help)\n" },
                { { "--run", "--wake" }, "it: --run needs a value, but --wake follows; if that is the value, write --run=--wake (it --help)\n" },
                { { "--wake=yes" }, "it: --wake has no value; write it without =yes (it --help)\n" },
                { { "nonsense" }, "it: 'nonsense' is no option, and there is nothing else to say (it --help)\n" },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct result x;

                start(&x, &plain, rows[i].words);
                if (x.r != -EINVAL || !streq(x.errors, rows[i].wanted) || *x.out)
                        fail_msg("row %zu: %d, '%s'", i, x.r, x.errors);
                done(&x);
        }
}

static void a_long_word_is_no_trouble(void **state UNUSED)
{
        static char word[5000] = "--";
        struct result x;

        memset(word + 2, 'a', sizeof(word) - 3);
        start(&x, &plain, (const char *const[]){ word, NULL });
        assert_int_equal(x.r, -EINVAL);
        assert_non_null(strstr(x.errors, "unknown option --aaaa"));
        done(&x);
}

static void help_shows_every_option_aligned(void **state UNUSED)
{
        struct result x;

        start(&x, &wordy, (const char *const[]){ "--help", NULL });
        assert_int_equal(x.r, 0);
        assert_string_equal(x.out, "it: does something\n\n"
                                   "  it WORD\n\n"
                                   "  --probe FILE   the first words of a help that is longer than a line and must\n"
                                   "                 be cut\n"
                                   "  --wake         no value\n"
                                   "  --config FILE  default /etc/veille/veille.conf; drop-ins in FILE.d\n"
                                   "  --run DIR      where the programs of veille meet, default /run/veille\n"
                                   "  --state DIR    what survives a reboot, default /var/lib/veille\n"
                                   "  --root DIR     DIR/sys, DIR/proc, DIR/dev instead of /sys, /proc, /dev\n"
                                   "  --version, --help\n\n");
        done(&x);
        start(&x, &plain, (const char *const[]){ "-h", "nonsense", NULL });
        assert_int_equal(x.r, 0);
        done(&x);
        start(&x, &plain, (const char *const[]){ "--version", NULL });
        assert_int_equal(x.r, 0);
        assert_string_equal(x.out, "it " VEILLE_VERSION "\n");
        done(&x);
}

static void what_is_not_known_may_stay_for_another_table(void **state UNUSED)
{
        struct common_options common = COMMON_OPTIONS_DEFAULT;
        const struct option_set set = { common_option_rows, &common };
        char *argv[] = { (char *)"it", (char *)"--json", (char *)"--run", (char *)"/a", (char *)"--", (char *)"--run", NULL };
        int argc = 6;

        assert_int_equal(options_take(&set, 1, false, &argc, argv, NULL), 0);
        assert_int_equal(argc, 4);
        assert_string_equal(argv[1], "--json");
        assert_string_equal(argv[2], "--");
        assert_string_equal(argv[3], "--run");
        assert_null(argv[4]);
        assert_string_equal(common.run, "/a");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(values_are_taken_wherever_they_stand),
                cmocka_unit_test(mistakes_are_named_with_what_was_meant),
                cmocka_unit_test(a_long_word_is_no_trouble),
                cmocka_unit_test(help_shows_every_option_aligned),
                cmocka_unit_test(what_is_not_known_may_stay_for_another_table),
        };

        return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
