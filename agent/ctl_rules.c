/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* veillectl rules: how values are judged, with the limits that hold here, and where those come from. */

#include "config.h"
#include "ctl_catalog.h"
#include "rule_config.h"
#include "suggest.h"

static void limit_text(char *buf, size_t size, double v)
{
        if (isnan(v))
                snprintf(buf, size, "-");
        else
                snprintf(buf, size, "%.6g", v);
}

static void print_line(const struct rule *r, int width)
{
        char notice[32], warning[32], critical[32];

        limit_text(notice, sizeof(notice), r->notice);
        limit_text(warning, sizeof(warning), r->warning);
        limit_text(critical, sizeof(critical), r->critical);
        if (r->limit_metric)
                snprintf(r->limit_level == LEVEL_WARNING ? warning : critical, sizeof(warning), "device");
        printf("%-*s %-8s %-5s %9s %9s %9s  %s\n", width, r->name, rule_kind_name(r->kind), r->direction == RULE_BELOW ? "below" : "above",
               notice, warning, critical, r->metric);
}

static void print_seconds(const char *what, int seconds)
{
        if (seconds > 0)
                printf("  %-9s %d s\n", what, seconds);
}

static void print_limit(const struct config *c, const struct rule *r, const char *key, double v)
{
        if (!isnan(v))
                printf("  %-9s %s %.15g  (%s)\n", key, streq(key, "clear") ? "" : r->direction == RULE_BELOW ? "<=" : ">=", v,
                       config_is_set(c, "rule", r->name, key) ? config_origin(c, "rule", r->name, key) : "the rule's own");
}

static void print_rule(const struct config *c, const struct check_desc *check, const struct rule *r)
{
        printf("[rule %s]  of check %s, evidence of class %s%s\n\n  %s\n\n", r->name, check->name, evidence_name(r->evidence),
               r->hard ? ", a hard fault" : "", r->text);
        printf("  %-9s %s of %s", "judges", rule_kind_name(r->kind), r->metric);
        if (r->match_label)
                printf("{%s=\"%s\"}", r->match_label, r->match_value);
        printf("\n");
        print_limit(c, r, "notice", r->notice);
        print_limit(c, r, "warning", r->warning);
        print_limit(c, r, "critical", r->critical);
        print_limit(c, r, "clear", r->clear);
        if (r->limit_metric)
                printf("  %-9s at %s of the device itself\n", level_name(r->limit_level == LEVEL_OK ? LEVEL_CRITICAL : r->limit_level),
                       r->limit_metric);
        print_seconds("hold", r->hold_s);
        print_seconds("calm", r->calm_s);
        print_seconds("window", r->window_s);
        printf("  %-9s %s\n  %-9s %s\n", "clears", r->clears ? r->clears : "", "source", r->source ? r->source : "");
}

static int load(const struct common_options *options, struct config **config, struct catalog *catalog)
{
        struct config_errors errors;
        struct errinfo err = { 0 };
        int r = ctl_catalog_load(options, catalog, &err);

        if (r < 0)
                return ctl_fail("%s", err.text);
        if (config_load(options->config, config, &errors) < 0) {
                ctl_fail("the configuration has errors, see veillectl config check; what follows are the rules' own limits");
                *config = config_new_defaults();
        }
        config_errors_done(&errors);
        for (size_t i = 0; i < catalog->n_checks; i++)
                for (size_t k = 0; k < catalog->checks[i].n_rules; k++)
                        if (rule_configure((struct rule *)&catalog->checks[i].rules[k], *config, &err) < 0)
                                ctl_fail("%s", err.text);
        return 0;
}

static int show_one(const struct config *config, const struct catalog *catalog, const char *name)
{
        struct catalog_names names;
        const char *near;

        for (size_t i = 0; i < catalog->n_checks; i++)
                for (size_t k = 0; k < catalog->checks[i].n_rules; k++)
                        if (streq(catalog->checks[i].rules[k].name, name)) {
                                print_rule(config, &catalog->checks[i], &catalog->checks[i].rules[k]);
                                return 0;
                        }
        catalog_names_get(catalog, &names);
        near = suggest(name, names.rules, names.n_rules);
        ctl_fail(near ? "there is no rule '%s'; did you mean '%s'?" : "there is no rule '%s'; veillectl rules lists them%s", name, near ? near : "");
        catalog_names_done(&names);
        return CTL_EXIT_FAILED;
}

static void show_all(const struct catalog *catalog)
{
        int width = 4;

        for (size_t i = 0; i < catalog->n_checks; i++)
                for (size_t k = 0; k < catalog->checks[i].n_rules; k++)
                        width = MAX(width, (int)strlen(catalog->checks[i].rules[k].name));
        printf("%-*s %-8s %-5s %9s %9s %9s  %s\n", width, "rule", "kind", "", "notice", "warning", "critical", "metric");
        for (size_t i = 0; i < catalog->n_checks; i++)
                for (size_t k = 0; k < catalog->checks[i].n_rules; k++)
                        print_line(&catalog->checks[i].rules[k], width);
}

static int run(const struct common_options *options, int argc, char *argv[])
{
        struct catalog catalog = { 0 };
        struct config *config = NULL;
        int status;

        if (argc > 2)
                return ctl_usage("rules", "name one rule, or none for all");
        status = load(options, &config, &catalog);
        if (status == 0 && argc == 2)
                status = show_one(config, &catalog, argv[1]);
        else if (status == 0)
                show_all(&catalog);
        config_free(config);
        catalog_done(&catalog);
        return status;
}

const struct ctl_command ctl_command_rules = {
        .name = "rules",
        .run = run,
        .synopsis = "[RULE]",
        .summary = "how values are judged: limits, what clears them, where they come from",
        .help = "With a name: all of it. Limits in the unit of the metric; [rule NAME] in veille.conf changes them.\n"
                "Needs no daemon.\n\n  veillectl rules memory-error-storm\n",
};
