/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* A UPS through NUT: asks upsd for the variables of each UPS that is configured ([ups] connect = name@host).
 * libupsclient brings nine libraries along, so it is loaded only here, by the process that asks. */

#include "check.h"

#include <dlfcn.h>
#include <sys/time.h>
#include <upsclient.h> /* needs stdint.h before it */

#define CONNECT_TIMEOUT_S 4
#define UPS_MAX 32
#define VARIABLES_MAX 512

static const struct metric_desc metrics[] = {
        { "ups_status", METRIC_GAUGE, "", "1 when the UPS reports this status flag (OL, OB, LB, RB ... of NUT)" },
        { "ups_info", METRIC_INFO, "", "Maker, model and serial number" },
        { "ups_battery_charge_ratio", METRIC_GAUGE, "ratio", "Charge of the battery, 1 is full" },
        { "ups_battery_runtime_seconds", METRIC_GAUGE, "seconds", "How long the battery would last now, as the UPS reckons" },
        { "ups_battery_voltage_volts", METRIC_GAUGE, "volts", "Voltage of the battery" },
        { "ups_load_ratio", METRIC_GAUGE, "ratio", "Load, 1 is all the UPS can carry" },
        { "ups_power_watts", METRIC_GAUGE, "watts", "Power drawn from the UPS" },
        { "ups_input_voltage_volts", METRIC_GAUGE, "volts", "Mains voltage" },
        { "ups_output_voltage_volts", METRIC_GAUGE, "volts", "Voltage the UPS gives" },
        { "ups_temperature_celsius", METRIC_GAUGE, "celsius", "Temperature of the UPS" },
};

#define FLAG_RULE(rule_name, as, at_warning, at_critical)                                                      \
        .name = rule_name, .metric = "ups_status", .match_label = "judged", .match_value = as,                 \
        .kind = RULE_LIMIT, .notice = RULE_NONE, .warning = at_warning, .critical = at_critical, .clear = RULE_NONE, \
        .evidence = EVIDENCE_POWER, .source = "status flag of NUT (ups.status)"

static const struct rule rules[] = {
        {
                FLAG_RULE("ups-on-battery", "OB", 1, RULE_NONE), .calm_s = 300,
                .text = "{component} runs on battery: mains power failed", .clears = "5 minutes of mains power",
        },
        {
                FLAG_RULE("ups-battery-low", "LB-on-battery", RULE_NONE, 1), .hard = true,
                .text = "{component} runs on battery and the battery is low: power ends soon", .clears = "mains power",
        },
        {
                FLAG_RULE("ups-battery-not-ready", "LB", 1, RULE_NONE), .hold_s = 60, .calm_s = 60,
                .text = "the battery of {component} is low: the next power failure is not bridged", .clears = "the battery is charged",
        },
        {
                FLAG_RULE("ups-replace-battery", "RB", 1, RULE_NONE), .hold_s = 600, .calm_s = 600,
                .text = "{component} says that its battery must be replaced", .clears = "a new battery and a good self-test",
        },
        {
                FLAG_RULE("ups-overload", "OVER", 1, RULE_NONE), .hold_s = 60, .calm_s = 300,
                .text = "{component} carries more load than it can", .clears = "5 minutes with less load",
        },
        {
                FLAG_RULE("ups-bypass", "BYPASS", 1, RULE_NONE), .hold_s = 60, .calm_s = 300,
                .text = "{component} is in bypass: nothing is protected", .clears = "5 minutes in normal operation",
        },
        {
                FLAG_RULE("ups-off", "OFF", 1, RULE_NONE), .hold_s = 60, .calm_s = 300, .after_good = true,
                .text = "{component} is switched off", .clears = "it is switched on",
        },
        {
                FLAG_RULE("ups-alarm", "ALARM", 1, RULE_NONE), .hold_s = 60, .calm_s = 300,
                .text = "{component} raises an alarm: see upsc {component} ups.alarm", .clears = "5 minutes without alarm",
        },
        {
                FLAG_RULE("ups-forced-shutdown", "FSD", RULE_NONE, 1), .hard = true,
                .text = "the NUT primary has ordered a shutdown of everything on {component}", .clears = "a restart of upsd",
        },
        {
                .name = "ups-runtime-short", .metric = "ups_battery_runtime_seconds", .match_label = "judged", .match_value = "on-battery",
                .kind = RULE_LIMIT, .direction = RULE_BELOW, .notice = RULE_NONE, .warning = 900, .critical = 300, .clear = RULE_NONE,
                .evidence = EVIDENCE_POWER, .hard = true,
                .text = "{component} runs on battery and reckons with {value} s more",
                .clears = "mains power",
                .source = "upsmon shuts down at battery low, for which makers set 2 to 5 minutes; moving the role needs a few more",
        },
};

/* The flags that are told, and as what they are judged. */
static const struct {
        const char *flag, *judged;
} flags[] = {
        { "OL", "no" },         { "OB", "OB" },       { "LB", "LB" },     { "RB", "RB" },     { "OVER", "OVER" },
        { "BYPASS", "BYPASS" }, { "OFF", "OFF" },     { "ALARM", "ALARM" }, { "FSD", "FSD" }, { "CHRG", "no" },
        { "DISCHRG", "no" },    { "CAL", "no" },      { "TRIM", "no" },   { "BOOST", "no" },  { "HB", "no" },
};

static const struct {
        const char *variable, *metric;
        double factor, min, max; /* what the UPS may say; all else is passed over */
} values[] = {
        { "battery.charge", "ups_battery_charge_ratio", 0.01, 0, 100 },
        { "battery.runtime", "ups_battery_runtime_seconds", 1, 0, 1e7 },
        { "battery.voltage", "ups_battery_voltage_volts", 1, 0, 2000 },
        { "ups.load", "ups_load_ratio", 0.01, 0, 1000 },
        { "ups.realpower", "ups_power_watts", 1, 0, 1e7 },
        { "input.voltage", "ups_input_voltage_volts", 1, 0, 2000 },
        { "output.voltage", "ups_output_voltage_volts", 1, 0, 2000 },
        { "ups.temperature", "ups_temperature_celsius", 1, -50, 200 },
};

#define NUT_FUNCTIONS(X)                                                                                              \
        X(upscli_tryconnect) X(upscli_disconnect) X(upscli_list_start) X(upscli_list_next) X(upscli_splitname)        \
        X(upscli_strerror) X(upscli_upserror)

struct nut {
#define MEMBER(f) __typeof__(f) *f;
        NUT_FUNCTIONS(MEMBER)
#undef MEMBER
};

static bool nut_load(struct nut *nut)
{
        void *lib = dlopen("libupsclient.so.6", RTLD_NOW);

        if (!lib)
                lib = dlopen("libupsclient.so", RTLD_NOW); /* of the build host's -dev package: the same as its header */
        if (!lib)
                return false;
#define LOAD(f)                                  \
        nut->f = (__typeof__(f) *)dlsym(lib, #f); \
        if (!nut->f)                             \
                return false;
        NUT_FUNCTIONS(LOAD)
#undef LOAD
        return true;
}

static int discover(struct env *env, struct instance_list *list)
{
        char *names[UPS_MAX + 1];
        size_t n = config_list(env->config, "ups", NULL, "connect", names, ARRAY_LEN(names));
        int r = 0;

        if (n > UPS_MAX) {
                env->limits |= LIMIT_BIT(LIMIT_UPS);
                free(names[--n]);
        }

        for (size_t i = 0; i < n; i++) {
                struct instance *inst = strchr(names[i], '@') ? instance_add(list, names[i]) : NULL;

                if (inst) {
                        strcpy(inst->kind, "ups");
                } else {
                        env_end(env, RESULT_DENIED, "[ups] connect: '%s' is not of the form name@host or name@host:port", names[i]);
                        r = -EINVAL;
                }
                free(names[i]);
        }
        return r;
}

struct ups {
        char status[128];
        char maker[64], model[64], serial[64];
        double values[ARRAY_LEN(values)];
};

static void set_text(char *buf, size_t size, const char *text)
{
        snprintf(buf, size, "%s", text);
}

static void set_variable(struct ups *u, const char *name, const char *text)
{
        char *end;
        double v;

        if (streq(name, "ups.status"))
                set_text(u->status, sizeof(u->status), text);
        else if (streq(name, "ups.mfr") || streq(name, "device.mfr"))
                set_text(u->maker, sizeof(u->maker), text);
        else if (streq(name, "ups.model") || streq(name, "device.model"))
                set_text(u->model, sizeof(u->model), text);
        else if (streq(name, "ups.serial") || streq(name, "device.serial"))
                set_text(u->serial, sizeof(u->serial), text);
        for (size_t i = 0; i < ARRAY_LEN(values); i++) {
                if (!streq(name, values[i].variable))
                        continue;
                v = strtod(text, &end);
                if (end != text && v >= values[i].min && v <= values[i].max)
                        u->values[i] = v * values[i].factor;
        }
}

/* One word of ups.status. */
static bool has_flag(const struct ups *u, const char *flag)
{
        size_t len = strlen(flag);

        for (const char *p = u->status; (p = strstr(p, flag)); p++)
                if ((p == u->status || p[-1] == ' ') && (p[len] == ' ' || !p[len]))
                        return true;
        return false;
}

static void hand_out(struct env *env, const char *name, const struct ups *u)
{
        /* A UPS that calibrates itself drains its battery on purpose. */
        bool calibrating = has_flag(u, "CAL"), on_battery = has_flag(u, "OB") && !calibrating;

        env_sample(env, "ups_info", 1, "ups", name, "manufacturer", u->maker, "model", u->model, "serial", u->serial, NULL);
        for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
                const char *judged = flags[i].judged;

                if (calibrating && (streq(judged, "OB") || streq(judged, "LB")))
                        judged = "no";
                else if (streq(judged, "LB") && on_battery)
                        judged = "LB-on-battery";
                env_sample(env, "ups_status", has_flag(u, flags[i].flag), "ups", name, "flag", flags[i].flag, "judged", judged, NULL);
        }
        for (size_t i = 0; i < ARRAY_LEN(values); i++)
                if (isfinite(u->values[i]))
                        env_sample(env, values[i].metric, u->values[i], "ups", name, "judged", on_battery ? "on-battery" : "no", NULL);
}

/* NUT's errors by what they mean to us. */
static enum result end_nut(struct env *env, const struct nut *nut, UPSCONN_t *conn, const char *what)
{
        const char *text = nut->upscli_strerror(conn);
        enum result result = RESULT_FAILED;

        switch (nut->upscli_upserror(conn)) {
        case UPSCLI_ERR_UNKNOWNUPS:
        case UPSCLI_ERR_ACCESSDENIED:
        case UPSCLI_ERR_NOSUCHHOST:
        case UPSCLI_ERR_USERREQUIRED:
        case UPSCLI_ERR_PWDREQUIRED:
                result = RESULT_DENIED;
                break;
        default:
                break;
        }
        return env_end(env, result, "%s: %s", what, text && *text ? text : "no reason given by libupsclient");
}

static enum result read_ups(struct env *env, const struct nut *nut, UPSCONN_t *conn, const char *ups_name, struct ups *u)
{
        static const char *const where[] = { "OL", "OB", "OFF", "BYPASS", "FSD" };
        const char *query[] = { "VAR", ups_name };
        unsigned n = 0;
        char **answer;
        size_t n_answer;
        int r;

        if (nut->upscli_list_start(conn, 2, query) < 0)
                return end_nut(env, nut, conn, "upsd does not tell the variables");
        while ((r = nut->upscli_list_next(conn, 2, query, &n_answer, &answer)) == 1) {
                if (n_answer >= 4)
                        set_variable(u, answer[2], answer[3]);
                if (++n > VARIABLES_MAX)
                        return env_end(env, RESULT_FAILED, "upsd tells more than %d variables", VARIABLES_MAX);
        }
        if (r < 0)
                return end_nut(env, nut, conn, "upsd stops in the middle of its answer");
        if (!u->status[0])
                return env_end(env, RESULT_FAILED, "upsd tells no ups.status: the driver has nothing from the UPS");
        /* "WAIT" after a start, or a flag of a driver that nobody knows: neither on mains nor on battery is no answer. */
        for (size_t i = 0; i < ARRAY_LEN(where); i++)
                if (has_flag(u, where[i]))
                        return RESULT_OK;
        return env_end(env, RESULT_FAILED, "upsd tells the status '%s': neither on mains nor on battery", u->status);
}

static enum result run(struct env *env, const struct instance *instance)
{
        struct timeval timeout = { .tv_sec = CONNECT_TIMEOUT_S };
        struct ups u = { 0 };
        struct nut nut;
        UPSCONN_t conn = { 0 };
        char *ups_name = NULL, *host = NULL;
        enum result result;
        uint16_t port;

        for (size_t i = 0; i < ARRAY_LEN(values); i++)
                u.values[i] = NAN;
        if (!nut_load(&nut))
                return env_end(env, RESULT_DENIED, "libupsclient cannot be loaded: install libupsclient6 (%s)", dlerror());
        if (nut.upscli_splitname(instance->name, &ups_name, &host, &port) != 0)
                return env_end(env, RESULT_DENIED, "[ups] connect: '%s' is not of the form name@host or name@host:port", instance->name);
        if (nut.upscli_tryconnect(&conn, host, port, 0, &timeout) < 0) {
                char what[160];

                snprintf(what, sizeof(what), "upsd on %.100s port %u cannot be reached", host, port);
                result = end_nut(env, &nut, &conn, what);
        } else {
                result = read_ups(env, &nut, &conn, ups_name, &u);
                nut.upscli_disconnect(&conn);
        }
        if (result == RESULT_OK)
                hand_out(env, instance->name, &u);
        free(ups_name);
        free(host);
        return result;
}

const struct check check_ups = {
        .desc = {
                .name = "ups",
                .summary = "UPSes behind NUT ([ups] connect)",
                .interval_s = 30,
                .deadline_s = 15,
                .privilege = PRIVILEGE_NET,
                .evidence = EVIDENCE_POWER,
                .metrics = metrics, .n_metrics = ARRAY_LEN(metrics),
                .rules = rules, .n_rules = ARRAY_LEN(rules),
        },
        .discover = discover,
        .run = run,
};
