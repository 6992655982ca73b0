/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* veillectl config: whether the configuration is good, what holds and who said so, an example. Needs no daemon. */

#include <sys/stat.h>

#include "alert_config.h"
#include "config.h"
#include "ctl_catalog.h"
#include "ctl_config_alert.h"
#include "plugin_config.h"
#include "rule_config.h"

#define CTL_EXIT_BAD 1 /* the configuration has errors */

/* --- check ------------------------------------------------------------------------------------------ */

/* Whoever can write what root's and the brain's decisions come from could silence them. */
static void warn_of_rights(const char *path)
{
        struct stat st;

        if (stat(path, &st) < 0)
                return;
        if (st.st_mode & S_IWOTH)
                fprintf(stderr, "%s: warning: everybody may write it; chmod o-w %s\n", path, path);
        else if ((st.st_mode & S_IWGRP) && st.st_gid != 0)
                fprintf(stderr, "%s: warning: group %u may write it; chmod g-w %s\n", path, (unsigned)st.st_gid, path);
        else if (st.st_uid != 0)
                fprintf(stderr, "%s: warning: it belongs to user %u, not to root; chown root %s\n", path, (unsigned)st.st_uid, path);
}

static void warn_of_directory(const char *path)
{
        _cleanup_free_ char *copy = strdup(path);
        char *slash = copy ? strrchr(copy, '/') : NULL;

        if (!slash || slash == copy)
                return;
        *slash = '\0';
        warn_of_rights(copy);
}

static void check_rights(const struct config *c)
{
        const char *const *files = config_files(c);

        for (size_t i = 0; files[i] && geteuid() == 0; i++) {
                if (i < 2 || strrchr(files[i], '/') - files[i] != strrchr(files[i - 1], '/') - files[i - 1])
                        warn_of_directory(files[i]);
                warn_of_rights(files[i]);
        }
}

/* Whether what [plugin NAME] names will be run at all, and whether all is there that other sections name. */
static unsigned check_plugins(const struct config *c, const struct catalog *catalog)
{
        struct errinfo err = { 0 };

        if (!catalog->n_checks || (plugin_config_check(c, catalog, &err) == 0 && catalog_check_names(c, catalog, &err) == 0))
                return 0;
        fprintf(stderr, "%s\n", err.text);
        return 1;
}

static unsigned check_rules(const struct config *c, const struct catalog *catalog)
{
        unsigned errors = 0;

        for (size_t i = 0; i < catalog->n_checks; i++)
                for (size_t k = 0; k < catalog->checks[i].n_rules; k++) {
                        struct errinfo err = { 0 };

                        if (rule_configure((struct rule *)&catalog->checks[i].rules[k], c, &err) < 0) {
                                fprintf(stderr, "%s\n", err.text);
                                errors++;
                        }
                }
        return errors;
}

static void print_good(const struct config *c, const char *file)
{
        const char *const *files = config_files(c);
        size_t n = 0;

        while (files[n])
                n++;
        if (n == 0)
                printf("%s: there is no such file; everything has its default\n", file);
        else if (n == 1)
                printf("%s: no errors\n", files[0]);
        else
                printf("%s and %zu more: no errors\n", files[0], n - 1);
}

static unsigned print_errors(struct config_errors *errors)
{
        unsigned n = (unsigned)errors->n;

        for (size_t i = 0; i < errors->n; i++)
                fprintf(stderr, "%s\n", errors->text[i]);
        config_errors_done(errors);
        return n;
}

static int check(const struct common_options *options, const char *file)
{
        struct catalog_names names = { 0 };
        struct catalog catalog = { 0 };
        struct config_errors errors;
        struct errinfo err = { 0 };
        struct config *c = NULL;
        struct common_options of_file = *options;
        unsigned n = 0;

        of_file.config = file;
        if (ctl_catalog_load(&of_file, &catalog, &err) < 0)
                fprintf(stderr, "names of checks and rules are not checked: %s\n", err.text);
        catalog_names_get(&catalog, &names);

        const struct config_names known[] = {
                { "check", names.checks, names.n_checks }, { "rule", names.rules, names.n_rules }, { 0 },
        };

        if (config_load_known(file, catalog.n_checks ? known : NULL, &c, &errors) < 0)
                n = print_errors(&errors);
        else
                n = check_rules(c, &catalog) + check_plugins(c, &catalog) + ctl_config_alert_check(c);
        if (n > 0)
                fprintf(stderr, "%u error%s; nothing of it is used until %s gone\n", n, n == 1 ? "" : "s", n == 1 ? "it is" : "they are");
        else
                print_good(c, file);
        if (c) {
                ctl_config_alert_advise(c);
                check_rights(c);
        }
        config_free(c);
        catalog_names_done(&names);
        catalog_done(&catalog);
        return n ? CTL_EXIT_BAD : 0;
}

/* --- show ------------------------------------------------------------------------------------------- */

struct view {
        const struct config *config;
        bool origin, all;
        int width; /* of "key = value" */
};

/* What is behind the host of a URL may be a secret: it is not shown. */
static void urls_text(const char *key, const char *value, char *buf, size_t size)
{
        _cleanup_free_ char *copy = strdup(value);
        size_t len = (size_t)snprintf(buf, size, "%s =", key);
        char *rest;

        if (!copy)
                abort();
        for (char *word = strtok_r(copy, " \t", &rest); word && len < size; word = strtok_r(NULL, " \t", &rest)) {
                char shown[300];

                sink_url_shown(word, shown, sizeof(shown));
                len += (size_t)snprintf(buf + len, size - len, " %s", shown);
        }
}

/* As it would be written in a file: quotes keep white space at the ends of a string. */
static void value_text(const struct view *v, const struct config_key *key, const char *name, char *buf, size_t size)
{
        const char *value = config_string(v->config, key->section, name, key->key);
        size_t len = value ? strlen(value) : 0;
        bool quote = key->type == CONFIG_STRING && len > 0 &&
                     (strchr(" \t\"", value[0]) || strchr(" \t\"\\", value[len - 1]));

        if (!value)
                snprintf(buf, size, "#%s =", key->key); /* unset: nothing that could be written says so better */
        else if (streq(key->section, "sink") && (streq(key->key, "url") || streq(key->key, "relay")))
                urls_text(key->key, value, buf, size);
        else
                snprintf(buf, size, quote ? "%s = \"%s\"" : "%s = %s", key->key, value);
}

static bool is_used(const struct view *v, const char *section, const char *name)
{
        for (size_t i = 0; i < config_keys_len; i++)
                if (streq(config_keys[i].section, section) &&
                    !streq(config_origin(v->config, section, name, config_keys[i].key), "default"))
                        return true;
        return false;
}

static void show_section(struct view *v, const char *section, const char *name, bool print)
{
        char text[8192];

        if (print)
                printf("[%s%s%s]\n", section, name ? " " : "", name ? name : "");
        for (size_t i = 0; i < config_keys_len; i++) {
                const struct config_key *key = &config_keys[i];

                if (!streq(key->section, section))
                        continue;
                value_text(v, key, name, text, sizeof(text));
                if (!print)
                        v->width = MAX(v->width, MIN((int)strlen(text), 60));
                else if (v->origin)
                        printf("%-*s  %s\n", v->width, text, config_origin(v->config, section, name, key->key));
                else
                        printf("%s\n", text);
        }
        if (print)
                printf("\n");
}

/* Twice the same walk: first for the width of the column, then to print. */
static size_t show_sections(struct view *v, bool print)
{
        size_t shown = 0;

        for (size_t i = 0; i < config_sections_len; i++) {
                const char *section = config_sections[i].name, *const *names;

                if (!config_sections[i].example) {
                        if (v->all || is_used(v, section, NULL)) {
                                show_section(v, section, NULL, print);
                                shown++;
                        }
                        continue;
                }
                names = config_section_names(v->config, section);
                for (size_t k = 0; names[k]; k++, shown++)
                        show_section(v, section, names[k], print);
                if (v->all && print)
                        printf("# every other [%s NAME]:\n", section);
                if (v->all)
                        show_section(v, section, "NAME", print);
        }
        return shown;
}

static int show(const struct common_options *options, bool origin, bool all)
{
        struct view v = { .origin = origin, .all = all };
        struct config_errors errors;
        struct config *c = NULL;

        if (config_load(options->config, &c, &errors) < 0) {
                print_errors(&errors);
                ctl_fail("what is in force is what held before these errors, or the defaults");
                return CTL_EXIT_BAD;
        }
        v.config = c;
        show_sections(&v, false);
        if (show_sections(&v, true) == 0 && !all)
                printf("# nothing is set in %s: everything has its default, see veillectl config show --all\n", options->config);
        config_free(c);
        return 0;
}

/* ----------------------------------------------------------------------------------------------------- */

struct words {
        bool origin, all;
};

static const struct option_row rows[] = {
        { "origin", NULL, "show: which file and line set it", offsetof(struct words, origin) },
        { "all", NULL, "show: also the sections that are not used", offsetof(struct words, all) },
        { 0 },
};

static int run(const struct common_options *options, int argc, char *argv[])
{
        struct words w = { 0 };

        if (ctl_take("config", rows, &w, &argc, argv) < 0)
                return CTL_EXIT_FAILED;
        argc--;
        argv++;
        if (argc >= 1 && argc <= 2 && streq(argv[0], "check"))
                return check(options, argc == 2 ? argv[1] : options->config);
        if (argc == 1 && streq(argv[0], "show"))
                return show(options, w.origin, w.all);
        if (argc == 1 && streq(argv[0], "example")) {
                config_write_example(stdout);
                return fflush(stdout) == 0 ? 0 : CTL_EXIT_FAILED;
        }
        return ctl_usage("config", argc == 0 ? "say check, show or example" : "'%s' is not check [FILE], show or example", argc ? argv[0] : "");
}

const struct ctl_command ctl_command_config = {
        .name = "config",
        .run = run,
        .synopsis = "check [FILE] | show [--origin] [--all] | example",
        .options = rows,
        .summary = "is the configuration good, what holds, where was it set",
        .help = "  check    tells all errors at once, each with its place; exit status 1 if there are any.\n"
                "           The file is veille.conf, or FILE; the drop-ins in FILE.d belong to it.\n"
                "  show     what holds in the sections that are used; of URLs of sinks only the host\n"
                "  example  everything that can be set, with its default, commented out\n"
                "After a change: veillectl config check && veillectl reload\n",
};
