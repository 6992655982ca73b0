/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* veille-store: keeps the history, the events and the brain's memory on disk, and nothing else writes there. It may
 * hang with the disk; nobody waits for it. Started by systemd (Type=notify) or by hand; see veille-store(8). Fatal: no socket in RUN. A
 * database that cannot be opened or written is shown and tried again; a damaged one is moved aside. */

#include <getopt.h>
#include <signal.h>
#include <sys/stat.h>

#include "common_clock.h"
#include "store.h"
#include "version.h"

static void help(void)
{
        printf("veille-store: keeps the history of this host\n\n"
               "  --config FILE   default /etc/veille/veille.conf, section [store]; drop-ins in FILE.d\n"
               "  --run DIR       where store.sock and plots.json are, default /run/veille\n"
               "  --state DIR     where veille.db is, default /var/lib/veille\n"
               "  --root DIR      accepted like by every veille program; not used here\n"
               "  --version, --help\n\n"
               "SIGTERM writes what waits and ends. What it kept: veillectl history, veillectl events\n");
}

static int parse_options(struct store_options *o, int argc, char *argv[])
{
        static const struct option options[] = {
                { "root", required_argument, NULL, 'r' },  { "config", required_argument, NULL, 'c' },
                { "state", required_argument, NULL, 's' }, { "run", required_argument, NULL, 'u' },
                { "version", no_argument, NULL, 'V' },     { "help", no_argument, NULL, 'h' },
                { 0 },
        };
        int c;

        *o = (struct store_options){ "/", "/etc/veille/veille.conf", "/var/lib/veille", "/run/veille" };
        while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0)
                switch (c) {
                case 'r':
                        o->root = optarg;
                        break;
                case 'c':
                        o->config = optarg;
                        break;
                case 's':
                        o->state = optarg;
                        break;
                case 'u':
                        o->run = optarg;
                        break;
                case 'V':
                        printf("veille-store %s\n", VEILLE_VERSION);
                        return 0;
                case 'h':
                        help();
                        return 0;
                default:
                        return -EINVAL;
                }
        if (optind < argc) {
                fprintf(stderr, "veille-store: '%s' is no option; see veille-store --help\n", argv[optind]);
                return -EINVAL;
        }
        return 1;
}

/* A bad config must not cost history: the brain reports it, here the defaults serve. */
static struct config *read_config(const char *file)
{
        struct config_errors errors = { 0 };
        struct config *config = NULL;

        if (config_load(file, &config, &errors) < 0) {
                for (size_t i = 0; i < errors.n; i++)
                        fprintf(stderr, "%s\n", errors.text[i]);
                fprintf(stderr, "veille-store: the configuration is not usable; going on with the defaults\n");
                config = config_new_defaults();
        }
        config_errors_done(&errors);
        return config;
}

static void make_dir(const char *path)
{
        if (mkdir(path, 0750) < 0 && errno != EEXIST)
                fprintf(stderr, "veille-store: %s: %s\n", path, strerror(errno));
}

int main(int argc, char *argv[])
{
        struct store_options options;
        struct config *config;
        struct store s;
        sigset_t mask;
        int r = parse_options(&options, argc, argv);

        if (r <= 0)
                return r == 0 ? 0 : 3;
        umask(0027);
        signal(SIGPIPE, SIG_IGN);
        sigemptyset(&mask);
        sigaddset(&mask, SIGTERM);
        sigaddset(&mask, SIGINT);
        sigprocmask(SIG_BLOCK, &mask, NULL);
        make_dir(options.run);
        make_dir(options.state);
        config = read_config(options.config);
        store_init(&s, &options, config);
        config_free(config);
        r = store_serve(&s);
        store_done(&s);
        return r < 0 ? 1 : 0;
}
