/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Temperatures, fans, voltages, power, current, humidity through libsensors, so that sensors.conf's labels,
 * formulas and "ignore" lines hold here too, and thermal zones that libsensors does not know.
 * One instance a chip: a bus that hangs takes only its own chip along. */

#include "hw_sensors.h"

static const struct metric_desc metrics[] = {
        { "sensor_temperature_celsius", METRIC_GAUGE, "celsius", "Temperature" },
        { "sensor_temperature_max_celsius", METRIC_GAUGE, "celsius", "Temperature the chip or zone calls high" },
        { "sensor_temperature_max_hysteresis_celsius", METRIC_GAUGE, "celsius", "Temperature below which the high alarm ends" },
        { "sensor_temperature_min_celsius", METRIC_GAUGE, "celsius", "Temperature the chip calls low" },
        { "sensor_temperature_critical_celsius", METRIC_GAUGE, "celsius", "Temperature the chip or zone calls critical" },
        { "sensor_temperature_critical_hysteresis_celsius", METRIC_GAUGE, "celsius", "Temperature below which the critical alarm ends" },
        { "sensor_temperature_low_critical_celsius", METRIC_GAUGE, "celsius", "Temperature the chip calls critically low" },
        { "sensor_temperature_emergency_celsius", METRIC_GAUGE, "celsius", "Temperature at which the hardware protects itself" },
        { "sensor_fan_rpm", METRIC_GAUGE, "rpm", "Revolutions per minute of a fan" },
        { "sensor_fan_min_rpm", METRIC_GAUGE, "rpm", "Least speed of the fan according to the chip" },
        { "sensor_fan_max_rpm", METRIC_GAUGE, "rpm", "Highest speed of the fan according to the chip" },
        { "sensor_fan_target_rpm", METRIC_GAUGE, "rpm", "Speed that the chip is told to keep the fan at" },
        { "sensor_pwm", METRIC_GAUGE, "", "How far a fan is driven, 0 to 255" },
        { "sensor_pwm_enable", METRIC_GAUGE, "", "Who drives it: 0 nobody (full speed), 1 by hand, 2 and more the chip" },
        { "sensor_pwm_mode", METRIC_GAUGE, "", "How it is driven: 0 by voltage, 1 by pulses" },
        { "sensor_fan_stopped", METRIC_GAUGE, "", "1 when the fan stands still although nobody told it to" },
        { "sensor_voltage_volts", METRIC_GAUGE, "volts", "Voltage" },
        { "sensor_voltage_min_volts", METRIC_GAUGE, "volts", "Voltage the chip calls low" },
        { "sensor_voltage_max_volts", METRIC_GAUGE, "volts", "Voltage the chip calls high" },
        { "sensor_voltage_low_critical_volts", METRIC_GAUGE, "volts", "Voltage the chip calls critically low" },
        { "sensor_voltage_critical_volts", METRIC_GAUGE, "volts", "Voltage the chip calls critically high" },
        { "sensor_power_watts", METRIC_GAUGE, "watts", "Power" },
        { "sensor_power_average_watts", METRIC_GAUGE, "watts", "Power, averaged by the chip" },
        { "sensor_power_cap_watts", METRIC_GAUGE, "watts", "Power at which the hardware throttles itself" },
        { "sensor_power_max_watts", METRIC_GAUGE, "watts", "Power the chip calls high" },
        { "sensor_power_critical_watts", METRIC_GAUGE, "watts", "Power the chip calls critical" },
        { "sensor_current_amperes", METRIC_GAUGE, "amperes", "Current" },
        { "sensor_current_min_amperes", METRIC_GAUGE, "amperes", "Current the chip calls low" },
        { "sensor_current_max_amperes", METRIC_GAUGE, "amperes", "Current the chip calls high" },
        { "sensor_current_critical_amperes", METRIC_GAUGE, "amperes", "Current the chip calls critical" },
        { "sensor_energy_joules_total", METRIC_COUNTER, "joules", "Energy used" },
        { "sensor_humidity_ratio", METRIC_GAUGE, "ratio", "Relative humidity" },
        { "sensor_alarm", METRIC_GAUGE, "", "Alarm bit of the chip; label alarm says for which limit" },
        { "sensor_fault", METRIC_GAUGE, "", "1 when the chip says that the input itself is broken" },
        { "sensor_beep_enabled", METRIC_GAUGE, "", "1 when the board beeps on an alarm" },
        { "sensor_chip_info", METRIC_INFO, "", "Names of the chip" },
        { "sensor_read_failures", METRIC_GAUGE, "", "Inputs of the chip that could not be read, or read nonsense, this time" },
        { "sensor_config_errors", METRIC_GAUGE, "", "Lines of sensors.conf that libsensors could not use" },
};

/* A level taken from a limit that the chip itself names. */
#define CHIP_LIMIT(rule_name, value_metric, as, where, limit_of, lvl)                                              \
        .name = rule_name, .metric = value_metric, .match_label = "judged", .match_value = as, .kind = RULE_LIMIT, \
        .direction = where, .notice = RULE_NONE, .warning = RULE_NONE, .critical = RULE_NONE, .clear = RULE_NONE,  \
        .limit_metric = limit_of, .limit_level = lvl, .calm_s = 600, .evidence = EVIDENCE_SENSOR

/* A bit that must be 0 and has been. */
#define CHIP_BIT(rule_name, value_metric, as, at_notice, at_warning)                                               \
        .name = rule_name, .metric = value_metric, .match_label = "judged", .match_value = as, .kind = RULE_LIMIT, \
        .notice = at_notice, .warning = at_warning, .critical = RULE_NONE, .clear = RULE_NONE,                     \
        .hold_s = 120, .calm_s = 600, .after_good = true, .evidence = EVIDENCE_SENSOR

static const struct rule rules[] = {
        {
                CHIP_LIMIT("sensor-temperature-critical", "sensor_temperature_celsius", "temperature", RULE_ABOVE,
                           "sensor_temperature_critical_celsius", LEVEL_CRITICAL),
                .hold_s = 60, .hard = true,
                .text = "{label:label} is at {value} C, the hardware calls {limit} C critical",
                .clears = "10 minutes below the limit; look at fans, dust, room temperature",
                .source = "the chip's own critical limit (hwmon tempN_crit, thermal trip point)",
        },
        {
                CHIP_LIMIT("sensor-temperature-high", "sensor_temperature_celsius", "temperature", RULE_ABOVE,
                           "sensor_temperature_max_celsius", LEVEL_WARNING),
                .hold_s = 900,
                .text = "{label:label} has been at {value} C or so for a quarter of an hour, the hardware calls {limit} C high",
                .clears = "10 minutes below the limit; look at fans, dust, room temperature",
                .source = "the chip's own limit (hwmon tempN_max); a quarter of an hour since fans need time to answer a load",
        },
        {
                CHIP_LIMIT("sensor-board-temperature-critical", "sensor_temperature_celsius", "board-temperature", RULE_ABOVE,
                           "sensor_temperature_critical_celsius", LEVEL_CRITICAL),
                .hold_s = 120, .after_good = true,
                .text = "{label:label} is at {value} C, the board calls {limit} C critical",
                .clears = "10 minutes below the limit",
                .source = "limit in the board's monitor chip; it was below before, so input and limit are real",
        },
        {
                CHIP_LIMIT("sensor-board-temperature-high", "sensor_temperature_celsius", "board-temperature", RULE_ABOVE,
                           "sensor_temperature_max_celsius", LEVEL_WARNING),
                .hold_s = 900, .after_good = true,
                .text = "{label:label} has been at {value} C or so for a quarter of an hour, the board calls {limit} C high",
                .clears = "10 minutes below the limit, a better limit in sensors.conf, or veillectl accept",
                .source = "limit in the board's monitor chip; it was below before, so input and limit are real",
        },
        {
                CHIP_BIT("sensor-fan-stopped", "sensor_fan_stopped", "fan", RULE_NONE, 1),
                .text = "{label:label} has stopped: it used to turn and nobody told it to stand still",
                .clears = "the fan turns for 10 minutes, or veillectl accept after it was taken out",
                .source = "two readings of 0 rpm of a fan that had turned; headers without a fan never turned",
        },
        {
                CHIP_LIMIT("sensor-fan-slow", "sensor_fan_rpm", "fan", RULE_BELOW, "sensor_fan_min_rpm", LEVEL_WARNING),
                .hold_s = 300, .after_good = true,
                .text = "{label:label} turns at {value} rpm, its minimum is {limit}",
                .clears = "10 minutes above the minimum",
                .source = "the chip's own limit (hwmon fanN_min), once the fan was seen above it",
        },
        {
                CHIP_LIMIT("sensor-voltage-low", "sensor_voltage_volts", "voltage", RULE_BELOW, "sensor_voltage_min_volts", LEVEL_WARNING),
                .hold_s = 180, .after_good = true,
                .text = "{label:label} is at {value} V, its minimum is {limit} V",
                .clears = "10 minutes within the limits, better limits in sensors.conf, or veillectl accept",
                .source = "the chip's own limit (hwmon inN_min), once the voltage was seen within it",
        },
        {
                CHIP_LIMIT("sensor-voltage-high", "sensor_voltage_volts", "voltage", RULE_ABOVE, "sensor_voltage_max_volts", LEVEL_WARNING),
                .hold_s = 180, .after_good = true,
                .text = "{label:label} is at {value} V, its maximum is {limit} V",
                .clears = "10 minutes within the limits, better limits in sensors.conf, or veillectl accept",
                .source = "the chip's own limit (hwmon inN_max), once the voltage was seen within it",
        },
        {
                CHIP_LIMIT("sensor-voltage-critically-low", "sensor_voltage_volts", "voltage", RULE_BELOW,
                           "sensor_voltage_low_critical_volts", LEVEL_CRITICAL),
                .hold_s = 120, .after_good = true,
                .text = "{label:label} is at {value} V, below {limit} V is critical",
                .clears = "10 minutes within the limits",
                .source = "the chip's own limit (hwmon inN_lcrit), once the voltage was seen within it",
        },
        {
                CHIP_LIMIT("sensor-voltage-critically-high", "sensor_voltage_volts", "voltage", RULE_ABOVE,
                           "sensor_voltage_critical_volts", LEVEL_CRITICAL),
                .hold_s = 120, .after_good = true,
                .text = "{label:label} is at {value} V, above {limit} V is critical",
                .clears = "10 minutes within the limits",
                .source = "the chip's own limit (hwmon inN_crit), once the voltage was seen within it",
        },
        {
                CHIP_LIMIT("sensor-power-high", "sensor_power_watts", "power", RULE_ABOVE, "sensor_power_max_watts", LEVEL_WARNING),
                .hold_s = 300, .after_good = true,
                .text = "{label:label} draws {value} W, its maximum is {limit} W",
                .clears = "10 minutes below the limit",
                .source = "the chip's own limit (hwmon powerN_max)",
        },
        {
                CHIP_LIMIT("sensor-current-high", "sensor_current_amperes", "current", RULE_ABOVE, "sensor_current_max_amperes",
                           LEVEL_WARNING),
                .hold_s = 300, .after_good = true,
                .text = "{label:label} is at {value} A, its maximum is {limit} A",
                .clears = "10 minutes below the limit",
                .source = "the chip's own limit (hwmon currN_max)",
        },
        {
                CHIP_LIMIT("sensor-current-critical", "sensor_current_amperes", "current", RULE_ABOVE,
                           "sensor_current_critical_amperes", LEVEL_CRITICAL),
                .hold_s = 120, .after_good = true,
                .text = "{label:label} is at {value} A, above {limit} A is critical",
                .clears = "10 minutes below the limit",
                .source = "the chip's own limit (hwmon currN_crit)",
        },
        {
                CHIP_BIT("sensor-alarm", "sensor_alarm", "alarm", RULE_NONE, 1),
                .text = "the chip raises its {label:alarm} alarm for {label:label}",
                .clears = "10 minutes without the alarm, or veillectl accept",
                .source = "alarm bit of the chip (hwmon *_alarm) that used to be 0, for an input without limits to compare with",
        },
        {
                CHIP_BIT("sensor-fan-fault", "sensor_fault", "fan-fault", RULE_NONE, 1),
                .text = "the chip says that {label:label} is faulty",
                .clears = "10 minutes without the fault",
                .source = "fault bit of the chip (hwmon fanN_fault) that used to be 0",
        },
        {
                CHIP_BIT("sensor-fault", "sensor_fault", "fault", 1, RULE_NONE),
                .text = "the chip says that the sensor {label:label} itself is broken: its readings mean nothing",
                .clears = "10 minutes without the fault",
                .source = "fault bit of the chip (hwmon tempN_fault) that used to be 0: open or shorted sensor",
        },
        {
                CHIP_BIT("sensor-intrusion", "sensor_alarm", "intrusion", 1, RULE_NONE),
                .text = "the case was opened",
                .clears = "the chip's intrusion bit is cleared (echo 0 > .../intrusion0_alarm)",
                .source = "intrusion bit of the chip that used to be 0",
        },
        {
                .name = "sensor-unreadable", .metric = "sensor_read_failures", .kind = RULE_CHANGE,
                .notice = RULE_NONE, .warning = 1, .critical = RULE_NONE, .clear = RULE_NONE,
                .hold_s = 120, .evidence = EVIDENCE_SENSOR,
                .text = "{growth} {n:input|inputs} of {label:chip} that gave readings before {n:gives|give} none or nonsense now",
                .clears = "they give readings again, or veillectl accept",
                .source = "reading errors of the driver, temperatures such as -128 or 127 C; inputs that never gave any do not count",
        },
        {
                .name = "sensor-config", .metric = "sensor_config_errors", .kind = RULE_LIMIT,
                .notice = 1, .warning = RULE_NONE, .critical = RULE_NONE, .clear = RULE_NONE, .evidence = EVIDENCE_SENSOR,
                .text = "sensors.conf has {value} {n:error|errors} and is not used: labels, formulas and ignore lines are missing",
                .clears = "run sensors(1), it names the lines; correct them",
                .source = "libsensors refuses the file",
        },
};

/* Opened by prepare() for all children of one request: libsensors lists every attribute of every chip when it starts, which
 * for each of 45 chips would be most of the work. It reads names and directories only, no chip. */
static struct sensor_chips prepared;

static int chips_get(struct env *env, struct sensor_chips *ret)
{
        if (!prepared.open)
                return sensor_chips_open(env, ret);
        *ret = prepared;
        return 0;
}

static void chips_put(struct sensor_chips *chips)
{
        if (!prepared.open)
                sensor_chips_close(chips);
}

static void prepare(struct env *env)
{
        if (!prepared.open)
                (void)sensor_chips_open(env, &prepared);
}

static int discover(struct env *env, struct instance_list *list)
{
        struct sensor_chips chips;
        int r = chips_get(env, &chips);

        if (r < 0)
                return r;
        for (size_t i = 0; i < chips.n; i++) {
                struct instance *inst = instance_add(list, chips.items[i].instance);

                if (!inst)
                        continue;
                strcpy(inst->component, chips.items[i].component);
                strcpy(inst->kind, chips.items[i].kind);
        }
        r = thermal_discover(env, &chips, list);
        chips_put(&chips);
        return r;
}

/* Reading drivetemp of a disk that sleeps may wake it. */
static bool disk_sleeps(struct env *env, const struct sensor_chip *chip)
{
        char status[32];

        return chip->disk[0] && env_read(env, status, sizeof(status), "sys/class/block/%s/device/power/runtime_status", chip->disk) > 0 &&
               streq(status, "suspended");
}

static enum result run(struct env *env, const struct instance *instance)
{
        enum result result = RESULT_FAILED;
        struct sensor_chips chips;
        int r;

        if (str_starts(instance->name, "thermal_zone") && !strchr(instance->name, '-'))
                return thermal_measure(env, instance->name);
        r = chips_get(env, &chips);
        if (r < 0)
                return r == -EPERM ? RESULT_DENIED : RESULT_FAILED;
        env_end(env, result, "%s is gone", instance->name);
        for (size_t i = 0; i < chips.n; i++) {
                if (!streq(chips.items[i].instance, instance->name))
                        continue;
                result = sensor_chip_measure(env, &chips, &chips.items[i], disk_sleeps(env, &chips.items[i]));
        }
        chips_put(&chips);
        return result;
}

const struct check check_sensors = {
        .desc = {
                .name = "sensors",
                .summary = "temperatures, fans, voltages, power (libsensors, thermal zones)",
                .interval_s = 60,
                .deadline_s = 30, /* a chip on a slow i2c bus takes seconds */
                .privilege = PRIVILEGE_NONE,
                .evidence = EVIDENCE_SENSOR,
                .metrics = metrics, .n_metrics = ARRAY_LEN(metrics),
                .rules = rules, .n_rules = ARRAY_LEN(rules),
        },
        .discover = discover,
        .run = run,
        .prepare = prepare,
};
