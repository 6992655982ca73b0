/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Prints checks, metrics and rules for veille-rules(7) from the catalogue on standard input ("veille-probe catalog");
 * the Makefile puts them in the place of @RULES@ in docs/man/veille-rules.7.in. */

#include "catalog.h"
#include "roff.h"

static void print_word(const char *word)
{
        printf(".B ");
        roff(stdout, word);
        printf("\n");
}

static void print_limit(const struct rule *r, const char *level, double v)
{
        if (!isnan(v))
                printf("%s %s %.15g;\n", level, r->direction == RULE_BELOW ? "at or below" : "at or above", v);
}

static void print_seconds(const char *before, int seconds)
{
        if (seconds > 0 && seconds % 86400 == 0)
                printf("%s %d d;\n", before, seconds / 86400);
        else if (seconds > 0 && seconds % 60 == 0)
                printf("%s %d min;\n", before, seconds / 60);
        else if (seconds > 0)
                printf("%s %d s;\n", before, seconds);
}

static void print_rule(const struct rule *r)
{
        printf(".TP\n");
        print_word(r->name);
        roff(stdout, r->text);
        printf(".\n.br\nJudges the %s of\n", rule_kind_name(r->kind));
        print_word(r->metric);
        if (r->match_label) {
                printf("with %s = ", r->match_label);
                roff(stdout, r->match_value);
                printf("\n");
        }
        printf("(%s%s):\n", evidence_name(r->evidence), r->hard ? ", a hard fault" : "");
        print_limit(r, "notice", r->notice);
        print_limit(r, "warning", r->warning);
        print_limit(r, "critical", r->critical);
        if (r->limit_metric) {
                printf("%s at\n", level_name(r->limit_level == LEVEL_OK ? LEVEL_CRITICAL : r->limit_level));
                print_word(r->limit_metric);
                printf("of the device itself;\n");
        }
        if (r->kind == RULE_FORECAST)
                printf("seconds until %.15g is reached;\n", r->limit);
        if (!isnan(r->clear))
                printf("good again past %.15g;\n", r->clear);
        print_seconds("after holding for", r->hold_s);
        print_seconds("taken back when calm for", r->calm_s);
        print_seconds("measured over", r->window_s);
        if (r->after_good)
                printf("only after the value was once seen good;\n");
        printf(".br\n.I Clears:\n");
        roff(stdout, r->clears ? r->clears : "");
        printf(".\n.br\n.I Source:\n");
        roff(stdout, r->source ? r->source : "");
        printf(".\n");
}

static void print_check(const struct check_desc *c)
{
        printf(".SS ");
        roff(stdout, c->name);
        printf("\n");
        roff(stdout, c->summary);
        printf(".\nEvery %d s, killed after %d s.\nMetrics:\n", c->interval_s, c->deadline_s);
        for (size_t i = 0; i < c->n_metrics; i++) {
                printf(".TP\n.RB \"\" ");
                roff(stdout, c->metrics[i].name);
                printf(" \" (%s%s%s)\"\n", metric_kind_name(c->metrics[i].kind), *c->metrics[i].unit ? ", " : "", c->metrics[i].unit);
                roff(stdout, c->metrics[i].help);
                printf(".\n");
        }
        if (c->n_rules > 0)
                printf(".PP\nRules:\n");
        for (size_t i = 0; i < c->n_rules; i++)
                print_rule(&c->rules[i]);
}

int main(void)
{
        struct errinfo err = { 0 };
        struct catalog catalog;
        json_error_t error;
        json_t *doc = json_loadf(stdin, 0, &error);

        if (!doc || catalog_from_json(doc, &catalog, &err) < 0) {
                fprintf(stderr, "rules_man: %s\n", doc ? err.text : error.text);
                return 1;
        }
        json_decref(doc);
        for (size_t i = 0; i < catalog.n_checks; i++)
                print_check(&catalog.checks[i]);
        catalog_done(&catalog);
        return fflush(stdout) == 0 ? 0 : 1;
}
