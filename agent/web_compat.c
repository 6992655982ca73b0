/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Other exporters' names for our series, out of tables. Some need memory of what came before: the protocol of a disk, the
 * kind of an array and the hwmon name of a chip stand in the info sample that leads the series of their instance. */

#include "web_compat.h"

struct web_compat {
        struct expo *e;
        unsigned compat;
        char info_check[100], info_instance[256]; /* whose info sample came last */
        char kind[32], hwmon_chip[128]; /* kind: protocol of a disk, md or btrfs of an array */
        char last_disk[256];
        size_t disks;
        bool version_given; /* each disk tells it, they have it once */
};

static const struct {
        const char *name;
        unsigned bit;
        const struct compat_row *rows;
        const size_t *n_rows;
} exporters[] = {
        { "smartctl_exporter", WEB_COMPAT_SMARTCTL, compat_smartctl, &compat_smartctl_len },
        { "node_exporter", WEB_COMPAT_NODE, compat_node, &compat_node_len },
};

unsigned web_compat_from_name(const char *name)
{
        for (size_t i = 0; i < ARRAY_LEN(exporters); i++)
                if (streq(exporters[i].name, name))
                        return exporters[i].bit;
        return 0;
}

struct web_compat *web_compat_new(unsigned compat, struct expo *e)
{
        struct web_compat *c = calloc(1, sizeof(*c));

        if (!c)
                abort();
        c->e = e;
        c->compat = compat;
        for (size_t i = 0; i < ARRAY_LEN(exporters); i++)
                for (size_t k = 0; compat & exporters[i].bit && k < *exporters[i].n_rows; k++)
                        expo_family(e, exporters[i].rows[k].name, exporters[i].rows[k].type, "", exporters[i].rows[k].help);
        return c;
}

static const char *label(const struct web_sample *s, const char *name)
{
        return status_text(s->labels, name);
}

/* Does the value of one label fit? A name that ends in '*' wants the value without its final digits. */
static bool label_is(const struct web_sample *s, const char *name, size_t name_len, const char *want, size_t want_len)
{
        bool kind = name_len && name[name_len - 1] == '*';
        char key[64];
        const char *value;
        size_t len;

        snprintf(key, sizeof(key), "%.*s", (int)(name_len - kind), name);
        value = label(s, key);
        len = strlen(value);
        while (kind && len && value[len - 1] >= '0' && value[len - 1] <= '9')
                len--;
        return len == want_len && memcmp(value, want, len) == 0;
}

/* when_label "a+b" with when "x+y": both must fit. */
static bool row_fits(const struct web_compat *c, const struct compat_row *row, const struct web_sample *s)
{
        const char *names = row->when_label, *values = row->when;

        if (row->of && !streq(c->kind, row->of))
                return false;
        if (row->positive && !(s->value > 0))
                return false;
        while (names) {
                size_t n = strcspn(names, "+"), v = strcspn(values, "+");

                if (!label_is(s, names, n, values, v))
                        return false;
                names = names[n] ? names + n + 1 : NULL;
                values += values[v] ? v + 1 : v;
        }
        return true;
}

/* Theirs of a disk behind a controller: "bus/0:megaraid,5" is bus_0_megaraid_5. */
static const char *device_label(const char *instance, char *buf, size_t size)
{
        snprintf(buf, size, "%s", instance);
        for (char *p = buf; *p; p++)
                if (strchr("/:,", *p))
                        *p = '_';
        return buf;
}

/* "CPU_SrcID#0_Ha#0_Chan#0_DIMM#0" without its marks, "csrow0channel1" in words apart. */
static const char *dimm_label(const char *text, char *buf, size_t size)
{
        size_t n = 0;

        for (; *text && n + 2 < size; text++) {
                if (*text == '#')
                        continue;
                if (str_starts(text, "csrow") || str_starts(text, "channel"))
                        buf[n++] = '_';
                buf[n++] = *text;
        }
        buf[n] = '\0';
        return n ? buf : "unknown";
}

/* The value of one of their labels; buf is for those that must be cut out. NULL: cannot be known. */
static const char *label_value(const struct web_compat *c, const struct web_sample *s, const char *ours, char *buf, size_t size)
{
        const char *bar, *value;

        if (*ours == '=')
                return ours + 1;
        if (streq(ours, "$device"))
                return device_label(s->instance, buf, size);
        if (streq(ours, "$dimm_label"))
                return dimm_label(label(s, "dimm_label"), buf, size);
        if (streq(ours, "$chip"))
                return *c->hwmon_chip ? c->hwmon_chip : NULL;
        if (streq(ours, "$number") || streq(ours, "$zone")) {
                value = label(s, ours[1] == 'n' ? "controller" : "chip");
                return value + strcspn(value, "0123456789");
        }
        bar = strchr(ours, '|');
        if (!bar)
                return label(s, ours);
        snprintf(buf, size, "%.*s", (int)(bar - ours), ours);
        value = label(s, buf);
        return *value ? value : bar + 1;
}

static void emit(struct web_compat *c, const struct compat_row *row, const struct web_sample *s)
{
        const char *labels[2 * COMPAT_LABELS_MAX + 1];
        char buf[256]; /* of the one label of a row that must be made */
        size_t n = 0;

        for (size_t i = 0; i < COMPAT_LABELS_MAX && row->labels[i].theirs; i++) {
                const char *value = label_value(c, s, row->labels[i].ours, buf, sizeof(buf));

                if (!value)
                        return;
                labels[n++] = row->labels[i].theirs;
                labels[n++] = value;
        }
        labels[n] = NULL;
        expo_sample(c->e, row->name, row->scale != 0 ? s->value * row->scale : s->value, labels);
}

static void remember(struct web_compat *c, const struct web_sample *s)
{
        if (!streq(c->info_instance, s->instance) || !streq(c->info_check, s->check)) {
                snprintf(c->info_check, sizeof(c->info_check), "%s", s->check);
                snprintf(c->info_instance, sizeof(c->info_instance), "%s", s->instance);
                c->kind[0] = c->hwmon_chip[0] = '\0';
        }
        if (streq(s->metric, "disk_info"))
                snprintf(c->kind, sizeof(c->kind), "%s", label(s, "protocol"));
        if (streq(s->metric, "raid_array_info"))
                strcpy(c->kind, streq(label(s, "level"), "btrfs") ? "btrfs" : "md");
        if (streq(s->metric, "sensor_chip_info"))
                snprintf(c->hwmon_chip, sizeof(c->hwmon_chip), "%s", label(s, "hwmon_chip"));
        if (streq(s->metric, "disk_standby") || streq(s->metric, "disk_info")) {
                /* An instance's samples stand together. */
                c->disks += !streq(c->last_disk, s->instance);
                snprintf(c->last_disk, sizeof(c->last_disk), "%s", s->instance);
        }
}

/* node_exporter has it only where the driver names the input; libsensors calls it like the input otherwise. */
static void sensor_label(struct web_compat *c, const struct web_sample *s)
{
        const char *text = label(s, "label"), *sensor = label(s, "sensor");

        if (!*c->hwmon_chip || !*text || streq(text, sensor))
                return;
        expo_family(c->e, "node_hwmon_sensor_label", EXPO_GAUGE, "", "Label for given chip and sensor");
        expo_sample(c->e, "node_hwmon_sensor_label", 1, (const char *[]){ "chip", c->hwmon_chip, "sensor", sensor, "label", text, NULL });
}

/* Series that carry an input itself, as against its limits and alarms. */
static bool is_sensor_input(const char *metric)
{
        static const char *const inputs[] = { "sensor_temperature_celsius", "sensor_fan_rpm", "sensor_voltage_volts", "sensor_power_watts",
                                              "sensor_power_average_watts", "sensor_current_amperes", "sensor_energy_joules_total", "sensor_humidity_ratio" };

        for (size_t i = 0; i < ARRAY_LEN(inputs); i++)
                if (streq(inputs[i], metric))
                        return true;
        return false;
}

void web_compat_sample(struct web_compat *c, const struct web_sample *s)
{
        if (!c->compat || (streq(s->metric, "disk_smartctl_info") && c->version_given))
                return;
        c->version_given |= streq(s->metric, "disk_smartctl_info");
        remember(c, s);
        for (size_t i = 0; i < ARRAY_LEN(exporters); i++)
                for (size_t k = 0; c->compat & exporters[i].bit && k < *exporters[i].n_rows; k++)
                        if (streq(exporters[i].rows[k].metric, s->metric) && row_fits(c, &exporters[i].rows[k], s))
                                emit(c, &exporters[i].rows[k], s);
        if (c->compat & WEB_COMPAT_NODE && is_sensor_input(s->metric))
                sensor_label(c, s);
}

struct web_compat *web_compat_end(struct web_compat *c)
{
        if (c && c->compat & WEB_COMPAT_SMARTCTL) {
                expo_family(c->e, "smartctl_devices", EXPO_GAUGE, "", "Number of devices configured or dynamically discovered");
                expo_sample(c->e, "smartctl_devices", (double)c->disks, (const char *[]){ NULL });
        }
        free(c);
        return NULL;
}
