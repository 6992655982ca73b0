/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* veillectl config check, the part about telling people: sections that make no sense, ways out that are none. */

#include "ctl_config_alert.h"

#include <sys/stat.h>

#include "alert_config.h"
#include "hook_plan.h"
#include "peer_config.h"

unsigned ctl_config_alert_check(const struct config *c)
{
        struct errinfo err = { 0 };

        if (alert_config_read(c, NULL, &err) == 0 && hooks_config_read(c, hooks_role_configured(c), NULL, &err) == 0 &&
            peer_config_read(c, NULL, &err) == 0)
                return 0;
        fprintf(stderr, "%s\n", err.text);
        return 1;
}

static void look_at_secret(const char *sink, const char *key, const char *path)
{
        struct stat st;

        if (stat(path, &st) < 0)
                fprintf(stderr, "warning: [sink %s]: %s: %s: %s\n", sink, key, path, strerror(errno));
        else if (st.st_mode & 0007)
                fprintf(stderr, "warning: [sink %s]: %s: %s may be read by everybody: chmod o= it\n", sink, key, path);
}

void ctl_config_alert_advise(const struct config *c)
{
        static const char *const keys[] = { "password_file", "secret_file", "token_file" };
        const char *const *names = config_section_names(c, "sink");
        const char *own = config_string(c, "host", NULL, "name"), *hosts[3] = { NULL };
        char host[256] = "", advice[512];

        gethostname(host, sizeof(host) - 1);
        hosts[0] = host;
        hosts[1] = own; /* NULL ends the list */
        alert_config_advice(c, hosts, advice, sizeof(advice));
        if (*advice)
                printf("warning: %s\n", advice);
        for (size_t i = 0; names[i]; i++)
                for (size_t k = 0; k < ARRAY_LEN(keys) && !sink_config_is_off(c, names[i]); k++) {
                        const char *path = config_string(c, "sink", names[i], keys[k]);

                        if (path && *path)
                                look_at_secret(names[i], keys[k], path);
                }
}
