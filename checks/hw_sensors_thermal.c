/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Thermal zones (sys/class/thermal) that no hwmon chip shows, with their trip points as limits.
 * Only "critical" and "hot" are limits: "passive" and "active" are where the kernel starts to cool, its daily work. */

#include "hw_sensors.h"

#define TRIPS_MAX 16

/* The kernel registers most zones as a hwmon chip named after their type. x86_pkg_temp is coretemp's "Package id". */
static bool shown_by_hwmon(const struct sensor_chips *chips, const char *type)
{
        char name[64];

        snprintf(name, sizeof(name), "%s", type);
        for (char *p = name; *p; p++)
                if (*p == '-')
                        *p = '_';
        for (size_t i = 0; i < chips->n; i++)
                if (streq(chips->items[i].chip_name, name) ||
                    (streq(name, "x86_pkg_temp") && streq(chips->items[i].chip_name, "coretemp")))
                        return true;
        return false;
}

int thermal_discover(struct env *env, const struct sensor_chips *chips, struct instance_list *list)
{
        char **names, type[64];
        int r = env_list_dir(env, &names, "sys/class/thermal");

        if (r < 0)
                return r == -ENOENT ? 0 : r;
        for (size_t i = 0; names[i]; i++) {
                struct instance *inst;

                if (!str_starts(names[i], "thermal_zone") ||
                    env_read(env, type, sizeof(type), "sys/class/thermal/%s/type", names[i]) < 0 || shown_by_hwmon(chips, type))
                        continue;
                inst = instance_add(list, names[i]);
                if (inst)
                        strcpy(inst->kind, "sensor");
        }
        env_list_free(names);
        return 0;
}

static void measure_trip(struct env *env, const char *zone, const char *type, unsigned nr)
{
        char trip[32];
        int64_t milli;
        const char *metric;

        if (env_read(env, trip, sizeof(trip), "sys/class/thermal/%s/trip_point_%u_type", zone, nr) < 0 ||
            env_read_i64(env, &milli, "sys/class/thermal/%s/trip_point_%u_temp", zone, nr) < 0)
                return;
        if (streq(trip, "critical"))
                metric = "sensor_temperature_critical_celsius";
        else if (streq(trip, "hot"))
                metric = "sensor_temperature_max_celsius";
        else
                return;
        env_sample(env, metric, (double)milli / 1000, "chip", zone, "sensor", "temp", "label", type,
                   "judged", sensor_temperature_limit_plausible((double)milli / 1000) ? "temperature" : "no", NULL);
}

enum result thermal_measure(struct env *env, const char *zone)
{
        char type[64], mode[32];
        int64_t milli;
        int r;

        r = env_read(env, type, sizeof(type), "sys/class/thermal/%s/type", zone);
        if (r < 0)
                return env_end_errno(env, r, "sys/class/thermal/%s/type", zone);
        if (env_read(env, mode, sizeof(mode), "sys/class/thermal/%s/mode", zone) > 0 && streq(mode, "disabled"))
                return env_end(env, RESULT_NODATA, "%s (%s) is switched off", zone, type);
        r = env_read_i64(env, &milli, "sys/class/thermal/%s/temp", zone);
        /* Zones of devices that sleep or have no firmware loaded answer so, and always have. */
        if (r == -ENODATA || r == -EAGAIN || r == -ENETDOWN || r == -EINVAL)
                return env_end(env, RESULT_NODATA, "%s (%s) has no reading: %s", zone, type, strerror(-r));
        if (r < 0)
                return env_end_errno(env, r, "sys/class/thermal/%s/temp", zone);
        for (unsigned i = 0; i < TRIPS_MAX; i++)
                measure_trip(env, zone, type, i);
        env_sample(env, "sensor_temperature_celsius", (double)milli / 1000, "chip", zone, "sensor", "temp", "label", type,
                   "judged", sensor_temperature_plausible((double)milli / 1000) ? "temperature" : "no", NULL);
        return RESULT_OK;
}
