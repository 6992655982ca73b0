/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Sensors and event log of the management controller through FreeIPMI: "ipmi" asks the host's own one (/dev/ipmiN),
 * "bmc" those of section [bmc NAME] over the network. A controller that hangs hangs its own child. */

#include <sys/stat.h>

#include "hw_ipmi.h"

#define ANSWER_MS 10000 /* a slow one answers who it is within a second */

static const struct metric_desc metrics[] = {
        { "ipmi_temperature_celsius", METRIC_GAUGE, "celsius", "Temperature" },
        { "ipmi_voltage_volts", METRIC_GAUGE, "volts", "Voltage" },
        { "ipmi_current_amperes", METRIC_GAUGE, "amperes", "Current" },
        { "ipmi_fan_speed_rpm", METRIC_GAUGE, "rpm", "Speed of a fan" },
        { "ipmi_power_watts", METRIC_GAUGE, "watts", "Power" },
        { "ipmi_sensor_ratio", METRIC_GAUGE, "ratio", "A reading in percent, as a ratio" },
        { "ipmi_sensor_value", METRIC_GAUGE, "", "A reading without a unit FreeIPMI names" },
        { "ipmi_sensor_state", METRIC_GAUGE, "", "0 nominal, 1 warning, 2 critical, as FreeIPMI interprets it" },
        { "ipmi_event", METRIC_GAUGE, "", "State (1 warning, 2 critical) of a sensor that is not nominal; label event says why" },
        { "ipmi_sensors_unreadable", METRIC_GAUGE, "", "Sensors that gave no reading this time" },
        { "ipmi_sel_entries_total", METRIC_COUNTER, "", "Entries in the event log; starts anew when it is cleared" },
        { "ipmi_sel_events_total", METRIC_COUNTER, "", "Entries in the event log that say that something began to be bad" },
        { "ipmi_sel_newest_critical_info", METRIC_INFO, "", "The newest critical entry of the event log" },
};

#define EVENT_RULE(rule_name, as, at_warning, at_critical)                                                             \
        .name = rule_name, .metric = "ipmi_event", .match_label = "judged", .match_value = as, .kind = RULE_LIMIT,     \
        .notice = RULE_NONE, .warning = at_warning, .critical = at_critical, .clear = RULE_NONE,                       \
        .evidence = EVIDENCE_SENSOR, .text = "{label:name}: {label:event}",                                            \
        .source = "the controller's own limits and states, as FreeIPMI interprets them (freeipmi_interpret_sensor.conf)"

#define RULES(prefix)                                                                                                  \
        {                                                                                                              \
                EVENT_RULE(prefix "-temperature", "temperature", 1, 2), .hold_s = 60, .hard = true,                    \
                .clears = "the temperature is back within the controller's limits",                                    \
        },                                                                                                             \
        {                                                                                                              \
                EVENT_RULE(prefix "-voltage", "voltage", 1, 2), .hold_s = 60,                                          \
                .clears = "the reading is back within the controller's limits",                                        \
        },                                                                                                             \
        {                                                                                                              \
                EVENT_RULE(prefix "-fan", "fan", 1, RULE_NONE), .hold_s = 60,                                          \
                .clears = "the fan turns as it should again; temperatures say how urgent it is",                       \
        },                                                                                                             \
        {                                                                                                              \
                EVENT_RULE(prefix "-power", "power", 1, RULE_NONE),                                                    \
                .clears = "both supplies work and are redundant again",                                                \
        },                                                                                                             \
        {                                                                                                              \
                EVENT_RULE(prefix "-memory", "memory", 1, 2),                                                          \
                .clears = "the controller takes the state back, mostly at a reboot or with a new module",              \
        },                                                                                                             \
        {                                                                                                              \
                EVENT_RULE(prefix "-processor", "processor", 1, 2),                                                    \
                .clears = "the controller takes the state back",                                                       \
        },                                                                                                             \
        {                                                                                                              \
                EVENT_RULE(prefix "-hardware", "hardware", 1, 2),                                                      \
                .clears = "the controller takes the state back",                                                       \
        },                                                                                                             \
        {                                                                                                              \
                .name = prefix "-other", .metric = "ipmi_sensor_state", .match_label = "judged", .match_value = "other", \
                .kind = RULE_LIMIT, .notice = 1, .warning = RULE_NONE, .critical = RULE_NONE, .clear = RULE_NONE,      \
                .hold_s = 60, .after_good = true, .evidence = EVIDENCE_SENSOR,                                         \
                .text = "{label:name} ({label:type}) is no longer nominal",                                            \
                .clears = "it is nominal again, or veillectl accept",                                                  \
                .source = "case, buttons, watchdog, boot and log sensors tell of people more often than of hardware",  \
        },                                                                                                             \
        {                                                                                                              \
                .name = prefix "-unreadable", .metric = "ipmi_sensors_unreadable", .kind = RULE_CHANGE,                \
                .notice = 1, .warning = RULE_NONE, .critical = RULE_NONE, .clear = RULE_NONE,                          \
                .hold_s = 300, .evidence = EVIDENCE_SENSOR,                                                            \
                .text = "{growth} {n:sensor|sensors} of {label:bmc} gave readings before and {n:gives|give} none now",                      \
                .clears = "they give readings again, or veillectl accept",                                             \
                .source = "a part that was pulled or lost its power has no readings; how many never have differs by machine", \
        },                                                                                                             \
        {                                                                                                              \
                .name = prefix "-log-critical", .metric = "ipmi_sel_events_total", .match_label = "judged",            \
                .match_value = "critical", .kind = RULE_CHANGE,                                                        \
                .notice = RULE_NONE, .warning = 1, .critical = RULE_NONE, .clear = RULE_NONE,                          \
                .calm_s = 7 * 86400, .evidence = EVIDENCE_SENSOR,                                                      \
                .text = "{growth} new critical {label:class} {n:entry|entries} in the event log of {label:bmc}: see ipmi-sel(8)", \
                .clears = "a week without a new one, or veillectl accept",                                             \
                .source = "system event log; entries from before the first look do not count",                         \
        },                                                                                                             \
        {                                                                                                              \
                .name = prefix "-log-warning", .metric = "ipmi_sel_events_total", .match_label = "judged",             \
                .match_value = "warning", .kind = RULE_CHANGE,                                                         \
                .notice = 1, .warning = RULE_NONE, .critical = RULE_NONE, .clear = RULE_NONE,                          \
                .calm_s = 7 * 86400, .evidence = EVIDENCE_SENSOR,                                                      \
                .text = "{growth} new {label:class} {n:warning|warnings} in the event log of {label:bmc}: see ipmi-sel(8)",        \
                .clears = "a week without a new one, or veillectl accept",                                             \
                .source = "system event log; entries from before the first look do not count",                         \
        }

static const struct rule local_rules[] = { RULES("ipmi") };
static const struct rule remote_rules[] = { RULES("bmc") };

static int discover_local(struct env *env, struct instance_list *list)
{
        char **names;
        unsigned nr;
        int r = env_list_dir(env, &names, "dev"), n;

        if (r < 0)
                return r == -ENOENT ? 0 : r;
        for (size_t i = 0; names[i]; i++) {
                struct instance *inst;

                if (sscanf(names[i], "ipmi%u%n", &nr, &n) != 1 || names[i][n])
                        continue;
                inst = instance_add(list, names[i]);
                if (inst)
                        strcpy(inst->kind, "bmc");
        }
        env_list_free(names);
        return 0;
}

static enum result run_local(struct env *env, const struct instance *instance)
{
        char device[4096];

        snprintf(device, sizeof(device), "%s/dev/%s", streq(env->root, "/") ? "" : env->root, instance->name);
        /* What else may be wrong with it is FreeIPMI's to say. */
        if (ipmi_ask(device, ANSWER_MS) == -ETIME)
                return env_end(env, RESULT_TIMEOUT, "the management controller has not answered the simplest question for %d s", ANSWER_MS / 1000);
        return ipmi_read(env, &(struct ipmi_target){ .instance = instance->name, .device = device });
}

static int discover_remote(struct env *env, struct instance_list *list)
{
        const char *const *names = config_section_names(env->config, "bmc");
        int r = 0;

        for (size_t i = 0; names && names[i]; i++) {
                struct instance *inst = instance_add(list, names[i]);

                if (!inst) {
                        env_end(env, RESULT_DENIED, "[bmc %s]: this name cannot be used, or there are too many", names[i]);
                        r = -EINVAL;
                        continue;
                }
                strcpy(inst->kind, "bmc");
        }
        return r;
}

/* 0 or negative errno with env->why set. The file's first line is the password. */
static int read_password(struct env *env, const char *name, char *buf, size_t size)
{
        const char *path = config_string(env->config, "bmc", name, "password_file");
        struct stat st;
        int r;

        buf[0] = '\0';
        if (!path)
                return 0;
        if (fstatat(env->root_fd, path + 1, &st, 0) < 0) {
                r = neg_errno();
                env_end(env, RESULT_DENIED, "[bmc %s] password_file %s: %s", name, path, strerror(-r));
                return r;
        }
        if (st.st_mode & 007) {
                env_end(env, RESULT_DENIED, "[bmc %s] password_file %s: everybody can read it; chmod 640, group veille", name, path);
                return -EPERM;
        }
        r = env_read(env, buf, size, "%s", path + 1);
        if (r < 0) {
                env_end(env, RESULT_DENIED, "[bmc %s] password_file %s: %s", name, path, strerror(-r));
                return r;
        }
        buf[strcspn(buf, "\r\n")] = '\0';
        return 0;
}

static enum result run_remote(struct env *env, const struct instance *instance)
{
        const char *name = instance->name;
        char password[64];
        struct ipmi_target target = {
                .instance = name,
                .host = config_string(env->config, "bmc", name, "host"),
                .user = config_string(env->config, "bmc", name, "user"),
                .password = password,
                .protocol_1_5 = streq(config_string(env->config, "bmc", name, "protocol"), "1.5"),
                .cipher_suite = (int)config_int(env->config, "bmc", name, "cipher_suite"),
        };
        enum result result;

        if (!target.host)
                return env_end(env, RESULT_DENIED, "[bmc %s]: host is missing", name);
        if (read_password(env, name, password, sizeof(password)) < 0)
                return RESULT_DENIED;
        result = ipmi_read(env, &target);
        explicit_bzero(password, sizeof(password));
        return result;
}

/* Two minutes: a controller is a slow computer on a slow bus, and reading it costs the host's CPU time too. */
const struct check check_ipmi = {
        .desc = {
                .name = "ipmi",
                .summary = "sensors and event log of this host's management controller (FreeIPMI)",
                .interval_s = 120,
                .deadline_s = 110,
                .privilege = PRIVILEGE_DISK,
                .evidence = EVIDENCE_SENSOR,
                .metrics = metrics, .n_metrics = ARRAY_LEN(metrics),
                .rules = local_rules, .n_rules = ARRAY_LEN(local_rules),
        },
        .discover = discover_local,
        .run = run_local,
};

const struct check check_bmc = {
        .desc = {
                .name = "bmc",
                .summary = "sensors and event logs of management controllers over the network ([bmc NAME])",
                .interval_s = 120,
                .deadline_s = 110,
                .privilege = PRIVILEGE_NET,
                .evidence = EVIDENCE_SENSOR,
                .metrics = metrics, .n_metrics = ARRAY_LEN(metrics),
                .rules = remote_rules, .n_rules = ARRAY_LEN(remote_rules),
        },
        .discover = discover_remote,
        .run = run_remote,
};
