/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* For veillectl judge and replay: a verdict by other limits than the daemon's would be no use to whoever set them. */

#include "ctl_disk_rules.h"

#include "config.h"
#include "disk_rules.h"
#include "rule_config.h"

static int configure(struct rule *rules, const struct config *config)
{
        int result = 0;

        for (size_t i = 0; i < disk_rules_len; i++) {
                struct errinfo err = { 0 };
                int r = rule_configure(&rules[i], config, &err);

                if (r < 0) {
                        ctl_fail("%s", err.text);
                        result = r;
                }
        }
        return result;
}

struct rule *ctl_disk_rules(const struct common_options *options)
{
        _cleanup_free_ struct rule *rules = calloc(disk_rules_len, sizeof(*rules));
        struct config_errors errors = { 0 };
        struct config *config = NULL;
        int r;

        if (!rules)
                abort();
        memcpy(rules, disk_rules, disk_rules_len * sizeof(*rules));
        r = config_load(options->config, &config, &errors);
        for (size_t i = 0; i < errors.n; i++)
                fprintf(stderr, "%s\n", errors.text[i]);
        config_errors_done(&errors);
        if (r >= 0)
                r = configure(rules, config);
        config_free(config);
        if (r < 0) {
                ctl_fail("nothing is judged by limits that are in doubt; --config names another file, and one that does not exist gives the own limits of the rules");
                return NULL;
        }
        return take_ptr(rules);
}
