/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* veille-store: keeps the history, the events and the brain's memory on disk, and nothing else writes there. It may
 * hang with the disk; nobody waits for it. Started by systemd (Type=notify) or by hand; see veille-store(8). Fatal: no socket in RUN. A
 * database that cannot be opened or written is shown and tried again; a damaged one is moved aside. */

#include <signal.h>
#include <sys/stat.h>

#include "common_clock.h"
#include "store.h"

static const struct program program = {
        .name = "veille-store",
        .summary = "keeps the history of this host",
        .notes = "Section [store] of the configuration is read; store.sock and plots.json are in --run, veille.db in --state;\n"
                 "--root is not used here. SIGTERM writes what waits and ends. What it kept: veillectl history, veillectl events\n",
};

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
        struct common_options options = COMMON_OPTIONS_DEFAULT;
        struct config *config;
        struct store s;
        sigset_t mask;
        int r = program_start(&program, &options, NULL, &argc, argv, stdout, stderr);

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
