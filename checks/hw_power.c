/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Supplies and batteries that the kernel shows (sys/class/power_supply): mains inputs, system batteries, UPS.
 * Batteries of mice and keyboards (scope Device) and USB ports are none of ours. A UPS behind NUT is the check "ups",
 * power supplies with a PMBus chip are in "sensors". */

#include "check.h"

#define SUPPLIES "sys/class/power_supply"

static const struct metric_desc metrics[] = {
        { "power_supply_online", METRIC_GAUGE, "", "1 when this supply has input power" },
        { "power_supply_present", METRIC_GAUGE, "", "1 when the battery is in its bay" },
        { "power_supply_info", METRIC_INFO, "", "Type, maker, model and technology of a supply or battery" },
        { "battery_charge_ratio", METRIC_GAUGE, "ratio", "Charge of the battery, 1 is full" },
        { "battery_discharging", METRIC_GAUGE, "", "1 when the host runs on this battery" },
        { "battery_capacity_ratio", METRIC_GAUGE, "ratio", "What the full battery holds now against what it held when new" },
        { "battery_cycles_total", METRIC_COUNTER, "", "Charging cycles" },
        { "battery_unhealthy", METRIC_GAUGE, "", "1 when the battery's controller reports a fault; label health says which" },
        { "battery_temperature_celsius", METRIC_GAUGE, "celsius", "Temperature of the battery" },
        { "battery_voltage_volts", METRIC_GAUGE, "volts", "Voltage of the battery" },
        { "battery_power_watts", METRIC_GAUGE, "watts", "Power into or out of the battery" },
};

static const struct rule rules[] = {
        {
                .name = "power-redundancy-lost", .metric = "power_supply_online", .match_label = "judged", .match_value = "one-of-several",
                .kind = RULE_LIMIT, .direction = RULE_BELOW, .notice = RULE_NONE, .warning = 0, .critical = RULE_NONE, .clear = RULE_NONE,
                .hold_s = 30, .calm_s = 300, .after_good = true, .evidence = EVIDENCE_POWER,
                .text = "{component} has no input power: the power supplies are no longer redundant",
                .clears = "5 minutes with power, or veillectl accept when it was unplugged for good",
                .source = "one of several mains supplies of this host went offline",
        },
        {
                .name = "power-on-battery", .metric = "power_supply_online", .match_label = "judged", .match_value = "only",
                .kind = RULE_LIMIT, .direction = RULE_BELOW, .notice = RULE_NONE, .warning = 0, .critical = RULE_NONE, .clear = RULE_NONE,
                .calm_s = 300, .after_good = true, .evidence = EVIDENCE_POWER,
                .text = "{component} has no input power: the host runs on its battery",
                .clears = "5 minutes with power",
                .source = "the only mains supply of this host went offline and the host still runs",
        },
        {
                .name = "battery-low", .metric = "battery_charge_ratio", .match_label = "judged", .match_value = "discharging",
                .kind = RULE_LIMIT, .direction = RULE_BELOW, .notice = RULE_NONE, .warning = 0.3, .critical = 0.1, .clear = RULE_NONE,
                .evidence = EVIDENCE_POWER, .hard = true,
                .text = "{component} is at {value} of its charge and is being used up: the host will lose power",
                .clears = "mains power",
                .source = "UPower calls 10 % low and 3 % critical for a person beside the machine; a mail host needs time to move",
        },
        {
                .name = "battery-worn", .metric = "battery_capacity_ratio",
                .kind = RULE_LIMIT, .direction = RULE_BELOW, .notice = 0.6, .warning = 0.4, .critical = RULE_NONE, .clear = RULE_NONE,
                .hold_s = 3600, .calm_s = 3600, .evidence = EVIDENCE_POWER,
                .text = "{component} holds only {value} of what it held when new",
                .clears = "a new battery",
                .source = "makers call a battery worn at 80 % (Apple, Dell) of its design capacity; runtime halves near 50 %",
        },
        {
                .name = "battery-unhealthy", .metric = "battery_unhealthy",
                .kind = RULE_LIMIT, .notice = RULE_NONE, .warning = 1, .critical = RULE_NONE, .clear = RULE_NONE,
                .hold_s = 60, .calm_s = 600, .evidence = EVIDENCE_POWER,
                .text = "{component} reports: {label:health}",
                .clears = "10 minutes of good health",
                .source = "the battery's own controller (power_supply health)",
        },
        {
                .name = "battery-missing", .metric = "power_supply_present",
                .kind = RULE_LIMIT, .direction = RULE_BELOW, .notice = RULE_NONE, .warning = 0, .critical = RULE_NONE, .clear = RULE_NONE,
                .hold_s = 60, .calm_s = 60, .after_good = true, .evidence = EVIDENCE_POWER,
                .text = "{component} is no longer in its bay",
                .clears = "it is back, or veillectl accept",
                .source = "power_supply present went from 1 to 0",
        },
};

enum supply_type { SUPPLY_OTHER, SUPPLY_MAINS, SUPPLY_BATTERY, SUPPLY_UPS };

/* The type of a supply that powers this host, SUPPLY_OTHER for all else. */
static enum supply_type supply_type(struct env *env, const char *name)
{
        static const struct {
                const char *text;
                enum supply_type type;
        } types[] = { { "Mains", SUPPLY_MAINS }, { "Battery", SUPPLY_BATTERY }, { "UPS", SUPPLY_UPS } };
        char text[32], scope[32];

        if (env_read(env, scope, sizeof(scope), SUPPLIES "/%s/scope", name) > 0 && streq(scope, "Device"))
                return SUPPLY_OTHER;
        if (env_read(env, text, sizeof(text), SUPPLIES "/%s/type", name) < 0)
                return SUPPLY_OTHER;
        for (size_t i = 0; i < ARRAY_LEN(types); i++)
                if (streq(text, types[i].text))
                        return types[i].type;
        return SUPPLY_OTHER;
}

static int discover(struct env *env, struct instance_list *list)
{
        static const char *const kinds[] = { "", "psu", "battery", "ups" };
        char **names;
        int r = env_list_dir(env, &names, SUPPLIES);

        if (r < 0)
                return r == -ENOENT ? 0 : r;
        for (size_t i = 0; names[i]; i++) {
                enum supply_type type = supply_type(env, names[i]);
                struct instance *inst = type != SUPPLY_OTHER ? instance_add(list, names[i]) : NULL;

                if (!inst)
                        continue;
                strcpy(inst->kind, kinds[type]);
                env_read(env, inst->id, sizeof(inst->id), SUPPLIES "/%s/serial_number", names[i]);
        }
        env_list_free(names);
        return 0;
}

static unsigned count_mains(struct env *env)
{
        unsigned n = 0;
        char **names;

        if (env_list_dir(env, &names, SUPPLIES) < 0)
                return 0;
        for (size_t i = 0; names[i]; i++)
                n += supply_type(env, names[i]) == SUPPLY_MAINS;
        env_list_free(names);
        return n;
}

static void read_text(struct env *env, char *buf, size_t size, const char *name, const char *attribute)
{
        if (env_read(env, buf, size, SUPPLIES "/%s/%s", name, attribute) < 0)
                buf[0] = '\0';
}

static void measure_info(struct env *env, const char *name)
{
        char type[32], maker[64], model[64], technology[32];

        read_text(env, type, sizeof(type), name, "type");
        read_text(env, maker, sizeof(maker), name, "manufacturer");
        read_text(env, model, sizeof(model), name, "model_name");
        read_text(env, technology, sizeof(technology), name, "technology");
        env_sample(env, "power_supply_info", 1, "supply", name, "type", type, "manufacturer", maker, "model", model,
                   "technology", technology, NULL);
}

static enum result measure_mains(struct env *env, const char *name)
{
        int64_t online;
        int r = env_read_i64(env, &online, SUPPLIES "/%s/online", name);

        if (r < 0)
                return env_end_errno(env, r, SUPPLIES "/%s/online", name);
        env_sample(env, "power_supply_online", online != 0, "supply", name,
                   "judged", count_mains(env) > 1 ? "one-of-several" : "only", NULL);
        return RESULT_OK;
}

/* Faults of the health attribute; Good, Unknown, Warm, Cool ... are none. */
static bool health_is_fault(const char *health)
{
        static const char *const faults[] = { "Dead", "Overheat", "Over voltage", "Over current", "Unspecified failure",
                                              "Watchdog timer expire", "Safety timer expire", "Hot" };

        for (size_t i = 0; i < ARRAY_LEN(faults); i++)
                if (streq(health, faults[i]))
                        return true;
        return false;
}

static void measure_wear(struct env *env, const char *name)
{
        static const char *const kinds[] = { "energy", "charge" };
        int64_t full, design;

        for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
                if (env_read_i64(env, &full, SUPPLIES "/%s/%s_full", name, kinds[i]) == 0 &&
                    env_read_i64(env, &design, SUPPLIES "/%s/%s_full_design", name, kinds[i]) == 0 && full > 0 && design > 0) {
                        env_sample(env, "battery_capacity_ratio", (double)full / (double)design, "supply", name, NULL);
                        return;
                }
}

static const struct {
        const char *attribute, *metric;
        double factor;
} battery_values[] = {
        { "voltage_now", "battery_voltage_volts", 1e-6 },
        { "power_now", "battery_power_watts", 1e-6 },
        { "temp", "battery_temperature_celsius", 0.1 },
};

static enum result measure_battery(struct env *env, const char *name)
{
        char status[32], health[48];
        int64_t present, percent, cycles, value;
        bool discharging;
        int r;

        if (env_read_i64(env, &present, SUPPLIES "/%s/present", name) == 0) {
                env_sample(env, "power_supply_present", present != 0, "supply", name, NULL);
                if (!present)
                        return RESULT_OK; /* the rest would be yesterday's */
        }
        r = env_read(env, status, sizeof(status), SUPPLIES "/%s/status", name);
        if (r < 0)
                return env_end_errno(env, r, SUPPLIES "/%s/status", name);
        discharging = streq(status, "Discharging");
        env_sample(env, "battery_discharging", discharging, "supply", name, NULL);
        if (env_read_i64(env, &percent, SUPPLIES "/%s/capacity", name) == 0 && percent >= 0 && percent <= 100)
                env_sample(env, "battery_charge_ratio", (double)percent / 100, "supply", name, "judged", discharging ? "discharging" : "no", NULL);
        measure_wear(env, name);
        if (env_read(env, health, sizeof(health), SUPPLIES "/%s/health", name) > 0)
                env_sample(env, "battery_unhealthy", health_is_fault(health), "supply", name, "health", health, NULL);
        if (env_read_i64(env, &cycles, SUPPLIES "/%s/cycle_count", name) == 0 && cycles > 0)
                env_sample(env, "battery_cycles_total", (double)cycles, "supply", name, NULL);
        for (size_t i = 0; i < ARRAY_LEN(battery_values); i++)
                if (env_read_i64(env, &value, SUPPLIES "/%s/%s", name, battery_values[i].attribute) == 0)
                        env_sample(env, battery_values[i].metric, (double)value * battery_values[i].factor, "supply", name, NULL);
        return RESULT_OK;
}

static enum result run(struct env *env, const struct instance *instance)
{
        measure_info(env, instance->name);
        return supply_type(env, instance->name) == SUPPLY_MAINS ? measure_mains(env, instance->name)
                                                                : measure_battery(env, instance->name);
}

const struct check check_power = {
        .desc = {
                .name = "power",
                .summary = "mains supplies and batteries of this host",
                .interval_s = 30,
                .deadline_s = 10,
                .privilege = PRIVILEGE_NONE,
                .evidence = EVIDENCE_POWER,
                .metrics = metrics, .n_metrics = ARRAY_LEN(metrics),
                .rules = rules, .n_rules = ARRAY_LEN(rules),
        },
        .discover = discover,
        .run = run,
};
