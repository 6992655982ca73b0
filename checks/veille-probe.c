/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* veille-probe: reads hardware, one process per run. Called by veilled (serve, directly or by socket
 * activation) and by people (catalog, list, run). See docs/man/veille-probe.8. */

#include <getopt.h>
#include <grp.h>
#include <jansson.h>
#include <signal.h>

#include "plugin.h"
#include "probe.h"
#include "selftest_plan.h"
#include "version.h"

static void help(void)
{
        printf("veille-probe: measures the hardware of this host\n\n"
               "  veille-probe catalog              what can be measured, as JSON\n"
               "  veille-probe list CHECK           what this host has of it, one JSON object a line\n"
               "  veille-probe run CHECK INSTANCE   measure one: sample lines, then one end line\n"
               "  veille-probe serve [PRIVILEGE]    answer one request on standard input (for veilled and systemd)\n"
               "  veille-probe listen DIR [GROUP]   wait for requests on DIR/probe-*.sock (where there is no systemd)\n\n"
               "  --root DIR      read DIR/sys, DIR/proc, DIR/dev instead of /sys, /proc, /dev\n"
               "  --config FILE   default /etc/veille/veille.conf\n"
               "  --state DIR, --run DIR   accepted like by every veille program; not used here\n"
               "  --wake          run: a disk that sleeps may be woken and is read\n"
               "  --selftest short|long   run: the disk is told to test itself afterwards\n"
               "  --version, --help\n\n"
               "Checks:");
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
        if (!doc || json_dumpf(doc, stdout, JSON_COMPACT) < 0)
                return 3;
        putchar('\n');
        json_decref(doc);
        return fflush(stdout) == 0 ? 0 : 3;
}

static int unknown_check(const char *name)
{
        fprintf(stderr, "veille-probe: there is no check '%s'; the checks are:", name);
        for (size_t i = 0; i < checks_all_len; i++)
                fprintf(stderr, " %s", checks_all[i]->desc.name);
        fputc('\n', stderr);
        return 3;
}

static int usage(const char *what)
{
        fprintf(stderr, "veille-probe: %s; see veille-probe --help\n", what);
        return 3;
}

int main(int argc, char *argv[])
{
        static const struct option options[] = {
                { "root", required_argument, NULL, 'r' },   { "config", required_argument, NULL, 'c' },
                { "state", required_argument, NULL, 's' },  { "run", required_argument, NULL, 'u' },
                { "wake", no_argument, NULL, 'w' },
                { "selftest", required_argument, NULL, 't' },
                { "version", no_argument, NULL, 'V' },      { "help", no_argument, NULL, 'h' },
                { 0 },
        };
        const char *root = "/", *config_file = "/etc/veille/veille.conf";
        struct config_errors errors = { 0 };
        static struct config *config; /* lives as long as the process and all its children */
        struct env env = { 0 };
        struct probe_wish wish = { 0 };
        int c, r;

        while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0)
                switch (c) {
                case 'r':
                        root = optarg;
                        break;
                case 'c':
                        config_file = optarg;
                        break;
                case 's':
                case 'u':
                        break;
                case 'w':
                        wish.wake = true;
                        break;
                case 't':
                        if (selftest_kind_from_name(optarg) < 0)
                                return usage("--selftest takes short or long");
                        wish.selftest = 1 + (unsigned)selftest_kind_from_name(optarg);
                        break;
                case 'V':
                        printf("veille-probe %s\n", VEILLE_VERSION);
                        return 0;
                case 'h':
                        help();
                        return 0;
                default:
                        return usage("unknown option");
                }
        argv += optind;
        argc -= optind;
        if (argc < 1)
                return usage("say what to do");
        /* A bad config must not blind us: the brain reports it, here the defaults serve. */
        if (config_load(config_file, &config, &errors) < 0)
                config = config_new_defaults();
        config_errors_done(&errors);
        r = probe_env_init(&env, root, config);
        if (r < 0) {
                fprintf(stderr, "veille-probe: --root %s: %s\n", root, strerror(-r));
                return 3;
        }
        signal(SIGPIPE, SIG_IGN);

        if (streq(argv[0], "catalog"))
                return catalog(&env);
        if (streq(argv[0], "serve")) {
                r = argc > 1 ? privilege_from_name(argv[1]) : PRIVILEGE_MAX;
                if (r < 0)
                        return usage("serve takes none, disk, raid, write, net or plugin");
                return probe_serve(&env, 0, 1, (enum privilege)r);
        }
        if (streq(argv[0], "listen") && argc >= 2) {
                struct group *g = argc > 2 ? getgrnam(argv[2]) : NULL;

                if (argc > 2 && !g)
                        return usage("listen: there is no such group");
                return probe_listen(&env, argv[1], g ? (int)g->gr_gid : -1);
        }
        if (argc < 2)
                return usage("say which check");

        const struct check *check = probe_find_check(&env, argv[1]);

        if (!check)
                return unknown_check(argv[1]);
        if (streq(argv[0], "list")) {
                r = probe_list_here(&env, check, stdout);
                if (r < 0)
                        fprintf(stderr, "veille-probe: %s: %s\n", argv[1], env.why.text[0] ? env.why.text : strerror(-r));
                return r < 0 ? 3 : 0;
        }
        if (streq(argv[0], "run")) {
                if (argc < 3)
                        return usage("say which instance; 'list CHECK' shows them");
                return probe_run_children(&env, check, (const char *const *)&argv[2], 1, &wish, 1, false);
        }
        return usage("the words are catalog, list, run, serve, listen");
}
