/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Processors in sysfs. */

#include <ctype.h>

#include "hw_host.h"

#define CPU "sys/devices/system/cpu"
#define CPUS_MAX 8192
#define PACKAGES_MAX 64

unsigned host_cpu_count(struct env *env)
{
        char text[1024], *p = text;
        unsigned n = 0;

        if (env_read(env, text, sizeof(text), CPU "/online") < 0)
                return 1;
        /* "0-3,5" */
        while (isdigit((unsigned char)*p)) {
                unsigned long from = strtoul(p, &p, 10), to = from;

                if (*p == '-')
                        to = strtoul(p + 1, &p, 10);
                if (to < from || to - from >= CPUS_MAX)
                        break;
                n += (unsigned)(to - from + 1);
                if (*p == ',')
                        p++;
        }
        return MAX(n, 1u);
}

/* Each processor counts the throttling of its whole package: the largest count of a package is the package's. */
struct packages {
        int64_t id[PACKAGES_MAX], count[PACKAGES_MAX];
        size_t n;
};

static void add_package(struct packages *p, int64_t id, int64_t count)
{
        size_t i = 0;

        while (i < p->n && p->id[i] != id)
                i++;
        if (i == PACKAGES_MAX)
                return;
        if (i == p->n) {
                p->id[i] = id;
                p->count[i] = 0;
                p->n++;
        }
        p->count[i] = MAX(p->count[i], count);
}

void host_cpu_throttles(struct env *env)
{
        struct packages packages = { 0 };
        int64_t core = 0, package = 0;
        bool found = false;
        char **names;

        if (env_list_dir(env, &names, CPU) < 0)
                return;
        for (size_t i = 0; names[i]; i++) {
                int64_t n, id = 0;

                if (!str_starts(names[i], "cpu") || !isdigit((unsigned char)names[i][3]))
                        continue;
                if (env_read_i64(env, &n, CPU "/%s/thermal_throttle/core_throttle_count", names[i]) == 0) {
                        found = true;
                        core += n;
                }
                if (env_read_i64(env, &n, CPU "/%s/thermal_throttle/package_throttle_count", names[i]) == 0) {
                        found = true;
                        env_read_i64(env, &id, CPU "/%s/topology/physical_package_id", names[i]);
                        add_package(&packages, id, n);
                }
        }
        env_list_free(names);
        if (!found)
                return; /* AMD, virtual machines */
        for (size_t i = 0; i < packages.n; i++)
                package += packages.count[i];
        env_sample(env, "host_cpu_throttles_total", (double)core, "scope", "core", NULL);
        env_sample(env, "host_cpu_throttles_total", (double)package, "scope", "package", NULL);
}
