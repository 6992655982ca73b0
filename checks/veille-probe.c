/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* veille-probe: reads hardware, one process per run. Called by veilled (serve, directly or by socket
 * activation) and by people (catalog, list, run). See docs/man/veille-probe.8. */

#include <grp.h>
#include <jansson.h>
#include <signal.h>
#include <stdarg.h>

#include "options.h"
#include "plugin.h"
#include "probe.h"
#include "selftest_plan.h"
#include "suggest.h"

struct own {
        bool wake;
        const char *selftest;
};

static const struct option_row own_options[] = {
        { "wake", NULL, "run: a disk that sleeps may be woken and is read", offsetof(struct own, wake) },
        { "selftest", "short|long", "run: the disk is told to test itself afterwards", offsetof(struct own, selftest) },
        { 0 },
};

static const struct program program = {
        .name = "veille-probe",
        .summary = "measures the hardware of this host",
        .usage = "  veille-probe catalog              what can be measured, as JSON\n"
                 "  veille-probe list CHECK           what this host has of it, one JSON object a line\n"
                 "  veille-probe run CHECK INSTANCE   measure one: sample lines, then one end line\n"
                 "  veille-probe serve [PRIVILEGE]    answer one request on standard input (for veilled and systemd)\n"
                 "  veille-probe listen DIR [GROUP]   wait for requests on DIR/probe-*.sock (where there is no systemd)\n",
        .options = own_options,
        .notes = "Nothing is read or written in --run and --state.\n",
        .words = true,
};

static void list_checks(void)
{
        printf("\nChecks:");
        for (size_t i = 0; i < checks_all_len; i++)
                printf(" %s", checks_all[i]->desc.name);
        printf("\nand those that [plugin NAME] of veille.conf adds.\nExit status of run: 0 when an end line was printed, else 3. Try: veille-probe list edac\n");
}

static int catalog(struct env *env)
{
        const struct check_desc *descs[CATALOG_CHECKS_MAX];
        struct plugin *plugins = plugins_load(env, NULL);
        size_t n = 0;
        json_t *doc;

        for (size_t i = 0; i < checks_all_len; i++)
                descs[n++] = &checks_all[i]->desc;
        for (const struct plugin *p = plugins; p; p = p->next)
                for (size_t i = 0; i < p->n_checks; i++) {
                        if (n == ARRAY_LEN(descs)) {
                                fprintf(stderr, "veille-probe: more than %d checks\n", CATALOG_CHECKS_MAX);
                                return 3;
                        }
                        descs[n++] = &p->checks[i].check.desc;
                }
        doc = catalog_to_json(descs, n);
        plugins_free(plugins);
        json_object_set_new(doc, "several", json_integer(CATALOG_SEVERAL_MAX));
        if (!doc || json_dumpf(doc, stdout, JSON_COMPACT) < 0)
                return 3;
        putchar('\n');
        json_decref(doc);
        return fflush(stdout) == 0 ? 0 : 3;
}

static int usage(const char *fmt, ...) PRINTF_LIKE(1, 2);
static int usage(const char *fmt, ...)
{
        va_list ap;

        fputs("veille-probe: ", stderr);
        va_start(ap, fmt);
        vfprintf(stderr, fmt, ap);
        va_end(ap);
        fputs(" (veille-probe --help)\n", stderr);
        return 3;
}

static int unknown_check(const char *name)
{
        const char *names[CATALOG_CHECKS_MAX], *near;
        size_t n = 0;

        for (; n < MIN(checks_all_len, ARRAY_LEN(names)); n++)
                names[n] = checks_all[n]->desc.name;
        near = suggest(name, names, n);
        return near ? usage("there is no check '%s'; did you mean '%s'?", name, near) : usage("there is no check '%s'", name);
}

/* --- the words: argv[0] is the word itself, argc counts it ------------------------------------------------- */

static int word_catalog(struct env *env, const struct probe_wish *wish UNUSED, int argc UNUSED, char *argv[] UNUSED)
{
        return catalog(env);
}

static int word_serve(struct env *env, const struct probe_wish *wish UNUSED, int argc, char *argv[])
{
        int privilege = argc > 1 ? privilege_from_name(argv[1]) : PRIVILEGE_MAX;

        if (privilege < 0)
                return usage("serve takes none, disk, raid, write, net or plugin, not '%s'", argv[1]);
        return probe_serve(env, 0, 1, (enum privilege)privilege);
}

static int word_listen(struct env *env, const struct probe_wish *wish UNUSED, int argc, char *argv[])
{
        struct group *g = argc > 2 ? getgrnam(argv[2]) : NULL;

        if (argc > 2 && !g)
                return usage("listen: there is no group '%s'", argv[2]);
        return probe_listen(env, argv[1], g ? (int)g->gr_gid : -1);
}

static int word_list(struct env *env, const struct probe_wish *wish UNUSED, int argc UNUSED, char *argv[])
{
        const struct check *check = probe_find_check(env, argv[1]);
        int r;

        if (!check)
                return unknown_check(argv[1]);
        r = probe_list_here(env, check, stdout);
        if (r < 0)
                fprintf(stderr, "veille-probe: %s: %s\n", argv[1], env->why.text[0] ? env->why.text : strerror(-r));
        return r < 0 ? 3 : 0;
}

static int word_run(struct env *env, const struct probe_wish *wish, int argc UNUSED, char *argv[])
{
        const struct check *check = probe_find_check(env, argv[1]);

        if (!check)
                return unknown_check(argv[1]);
        return probe_run_children(env, check, (const char *const *)&argv[2], 1, wish, 1, false);
}

static const struct word {
        const char *name;
        int (*run)(struct env *env, const struct probe_wish *wish, int argc, char *argv[]);
        int least, most; /* words, with itself */
        const char *wanted;
} word_table[] = {
        { "catalog", word_catalog, 1, 1, "takes no further word" },
        { "list", word_list, 2, 2, "wants one CHECK" },
        { "run", word_run, 3, 3, "wants CHECK and INSTANCE; list CHECK shows the instances" },
        { "serve", word_serve, 1, 2, "takes one PRIVILEGE at most" },
        { "listen", word_listen, 2, 3, "wants DIR and, at most, GROUP" },
};

static const struct word *find_word(int argc, char *argv[])
{
        const char *names[ARRAY_LEN(word_table)], *near;

        if (argc < 1) {
                usage("say what to do: catalog, list, run, serve or listen");
                return NULL;
        }
        for (size_t i = 0; i < ARRAY_LEN(word_table); i++) {
                const struct word *w = &word_table[i];

                names[i] = w->name;
                if (!streq(w->name, argv[0]))
                        continue;
                if (argc >= w->least && argc <= w->most)
                        return w;
                usage("%s %s", w->name, w->wanted);
                return NULL;
        }
        near = suggest(argv[0], names, ARRAY_LEN(names));
        if (near)
                usage("'%s' is none of my words; did you mean '%s'?", argv[0], near);
        else
                usage("'%s' is none of my words: catalog, list, run, serve, listen", argv[0]);
        return NULL;
}

int main(int argc, char *argv[])
{
        struct common_options common = COMMON_OPTIONS_DEFAULT;
        struct config_errors errors = { 0 };
        static struct config *config; /* lives as long as the process and all its children */
        struct env env = { 0 };
        struct probe_wish wish = { 0 };
        struct own own = { 0 };
        const struct word *word;
        int r = program_start(&program, &common, &own, &argc, argv, stdout, stderr);

        if (r == 0 && common.help)
                list_checks();
        if (r <= 0)
                return r == 0 ? 0 : 3;
        if (own.selftest && selftest_kind_from_name(own.selftest) < 0)
                return usage("--selftest takes short or long, not '%s'", own.selftest);
        wish.wake = own.wake;
        wish.selftest = own.selftest ? 1 + (unsigned)selftest_kind_from_name(own.selftest) : 0;
        word = find_word(argc - 1, argv + 1);
        if (!word)
                return 3;
        /* A bad config must not blind us: the brain reports it, here the defaults serve. */
        if (config_load(common.config, &config, &errors) < 0)
                config = config_new_defaults();
        config_errors_done(&errors);
        r = probe_env_init(&env, common.root, config);
        if (r < 0) {
                fprintf(stderr, "veille-probe: --root %s: %s\n", common.root, strerror(-r));
                return 3;
        }
        signal(SIGPIPE, SIG_IGN);
        return word->run(&env, &wish, argc - 1, argv + 1);
}
