/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* [rule NAME] of the configuration over the limits that come with the rule. */

#include "rule_config.h"

static const char *const limit_keys[] = { "notice", "warning", "critical" };

static double *limit_of(struct rule *rule, size_t i)
{
        double *const limits[] = { &rule->notice, &rule->warning, &rule->critical };

        return limits[i];
}

static void take_number(const struct config *c, const struct rule *rule, const char *key, double *p)
{
        if (config_is_set(c, "rule", rule->name, key))
                *p = config_number(c, "rule", rule->name, key);
}

static void take_seconds(const struct config *c, const struct rule *rule, const char *key, int *p)
{
        if (config_is_set(c, "rule", rule->name, key))
                *p = (int)config_int(c, "rule", rule->name, key);
}

/* a is reached later than b: the wrong way round when a belongs to the milder level. */
static bool beyond(const struct rule *rule, double a, double b)
{
        return rule->direction == RULE_BELOW ? a < b : a > b;
}

static int check_order(struct rule *rule, const struct config *c, struct errinfo *err)
{
        for (size_t i = 0; i < ARRAY_LEN(limit_keys); i++)
                for (size_t k = i + 1; k < ARRAY_LEN(limit_keys); k++) {
                        double milder = *limit_of(rule, i), worse = *limit_of(rule, k);

                        if (!isnan(milder) && !isnan(worse) && beyond(rule, milder, worse))
                                return err_set(err, -EINVAL, "[rule %s]: %s %.15g (%s) would be reached after %s %.15g (%s)", rule->name,
                                               limit_keys[i], milder, config_origin(c, "rule", rule->name, limit_keys[i]),
                                               limit_keys[k], worse, config_origin(c, "rule", rule->name, limit_keys[k]));
                }
        for (size_t i = 0; i < ARRAY_LEN(limit_keys); i++) {
                double limit = *limit_of(rule, i);

                if (!isnan(rule->clear) && !isnan(limit) && beyond(rule, rule->clear, limit))
                        return err_set(err, -EINVAL, "[rule %s]: clear %.15g (%s) is still bad: %s is %.15g (%s)", rule->name, rule->clear,
                                       config_origin(c, "rule", rule->name, "clear"), limit_keys[i], limit,
                                       config_origin(c, "rule", rule->name, limit_keys[i]));
        }
        return 0;
}

static bool is_changed(const struct rule *rule, const struct config *c)
{
        static const char *const keys[] = { "notice", "warning", "critical", "clear" };

        for (size_t i = 0; i < ARRAY_LEN(keys); i++)
                if (config_is_set(c, "rule", rule->name, keys[i]))
                        return true;
        return false;
}

void rule_disable(struct rule *rule)
{
        rule->notice = rule->warning = rule->critical = RULE_NONE;
        rule->limit_metric = NULL;
}

int rule_configure(struct rule *rule, const struct config *c, struct errinfo *err)
{
        struct rule changed = *rule;
        int r;

        for (size_t i = 0; i < ARRAY_LEN(limit_keys); i++)
                take_number(c, rule, limit_keys[i], limit_of(&changed, i));
        take_number(c, rule, "clear", &changed.clear);
        take_seconds(c, rule, "hold", &changed.hold_s);
        take_seconds(c, rule, "calm", &changed.calm_s);
        if (config_is_set(c, "rule", rule->name, "window") && rule->kind != RULE_RATE && rule->kind != RULE_FORECAST)
                return err_set(err, -EINVAL, "[rule %s]: window (%s) means nothing here: this rule measures no rate and no trend", rule->name,
                               config_origin(c, "rule", rule->name, "window"));
        take_seconds(c, rule, "window", &changed.window_s);
        if (is_changed(rule, c)) {
                r = check_order(&changed, c, err);
                if (r < 0)
                        return r;
        }
        if (!config_bool(c, "rule", rule->name, "enabled"))
                rule_disable(&changed);
        *rule = changed;
        return 0;
}

static bool has_rule(const struct catalog *catalog, const char *name)
{
        for (size_t i = 0; i < catalog->n_checks; i++)
                for (size_t k = 0; k < catalog->checks[i].n_rules; k++)
                        if (streq(catalog->checks[i].rules[k].name, name))
                                return true;
        return false;
}

static bool has_check(const struct catalog *catalog, const char *name)
{
        for (size_t i = 0; i < catalog->n_checks; i++)
                if (streq(catalog->checks[i].name, name))
                        return true;
        return false;
}

/* A section for a check or rule that does not exist is a typing error that would silently do nothing. */
int catalog_check_names(const struct config *config, const struct catalog *catalog, struct errinfo *err)
{
        const char *const *names = config_section_names(config, "rule");

        for (size_t i = 0; names && names[i]; i++)
                if (!has_rule(catalog, names[i]))
                        return err_set(err, -EINVAL, "[rule %s]: there is no such rule; veillectl rules lists them", names[i]);
        names = config_section_names(config, "check");
        for (size_t i = 0; names && names[i]; i++)
                if (!has_check(catalog, names[i]))
                        return err_set(err, -EINVAL, "[check %s]: there is no such check; veillectl checks lists them", names[i]);
        return 0;
}

void catalog_names_get(const struct catalog *catalog, struct catalog_names *ret)
{
        size_t n_rules = 0;

        for (size_t i = 0; i < catalog->n_checks; i++)
                n_rules += catalog->checks[i].n_rules;
        *ret = (struct catalog_names){
                .checks = calloc(catalog->n_checks + 1, sizeof(*ret->checks)),
                .rules = calloc(n_rules + 1, sizeof(*ret->rules)),
        };
        if (!ret->checks || !ret->rules)
                abort();
        for (size_t i = 0; i < catalog->n_checks; i++) {
                ret->checks[ret->n_checks++] = catalog->checks[i].name;
                for (size_t k = 0; k < catalog->checks[i].n_rules; k++)
                        ret->rules[ret->n_rules++] = catalog->checks[i].rules[k].name;
        }
}

void catalog_names_done(struct catalog_names *names)
{
        free(names->checks);
        free(names->rules);
        *names = (struct catalog_names){ 0 };
}
