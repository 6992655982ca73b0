/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* What the inputs of a chip mean: one table row a subfeature.
 *
 * The label "judged" says which rule a sample is for, "no" is for metrics only. Most false alarms of sensor
 * watchers come from inputs that are not connected and from limits that nobody set, so what no hardware means is "no". */

#include "hw_sensors.h"

enum role { ROLE_VALUE, ROLE_LIMIT, ROLE_ALARM, ROLE_FAULT, ROLE_BEEP };

struct row {
        sensors_subfeature_type type;
        enum role role;
        const char *metric;
        const char *word; /* LIMIT and ALARM: which limit */
};

static const struct row rows[] = {
        { SENSORS_SUBFEATURE_TEMP_INPUT, ROLE_VALUE, "sensor_temperature_celsius", "" },
        { SENSORS_SUBFEATURE_TEMP_MAX, ROLE_LIMIT, "sensor_temperature_max_celsius", "max" },
        { SENSORS_SUBFEATURE_TEMP_MAX_HYST, ROLE_LIMIT, "sensor_temperature_max_hysteresis_celsius", "hyst" },
        { SENSORS_SUBFEATURE_TEMP_MIN, ROLE_LIMIT, "sensor_temperature_min_celsius", "min" },
        { SENSORS_SUBFEATURE_TEMP_CRIT, ROLE_LIMIT, "sensor_temperature_critical_celsius", "crit" },
        { SENSORS_SUBFEATURE_TEMP_CRIT_HYST, ROLE_LIMIT, "sensor_temperature_critical_hysteresis_celsius", "hyst" },
        { SENSORS_SUBFEATURE_TEMP_LCRIT, ROLE_LIMIT, "sensor_temperature_low_critical_celsius", "lcrit" },
        { SENSORS_SUBFEATURE_TEMP_EMERGENCY, ROLE_LIMIT, "sensor_temperature_emergency_celsius", "emergency" },
        { SENSORS_SUBFEATURE_TEMP_ALARM, ROLE_ALARM, "sensor_alarm", "" },
        { SENSORS_SUBFEATURE_TEMP_MAX_ALARM, ROLE_ALARM, "sensor_alarm", "max" },
        { SENSORS_SUBFEATURE_TEMP_MIN_ALARM, ROLE_ALARM, "sensor_alarm", "min" },
        { SENSORS_SUBFEATURE_TEMP_CRIT_ALARM, ROLE_ALARM, "sensor_alarm", "crit" },
        { SENSORS_SUBFEATURE_TEMP_LCRIT_ALARM, ROLE_ALARM, "sensor_alarm", "lcrit" },
        { SENSORS_SUBFEATURE_TEMP_EMERGENCY_ALARM, ROLE_ALARM, "sensor_alarm", "emergency" },
        { SENSORS_SUBFEATURE_TEMP_FAULT, ROLE_FAULT, "sensor_fault", "" },
        { SENSORS_SUBFEATURE_TEMP_BEEP, ROLE_BEEP, "sensor_beep_enabled", "" },

        { SENSORS_SUBFEATURE_FAN_INPUT, ROLE_VALUE, "sensor_fan_rpm", "" },
        { SENSORS_SUBFEATURE_FAN_MIN, ROLE_LIMIT, "sensor_fan_min_rpm", "min" },
        { SENSORS_SUBFEATURE_FAN_MAX, ROLE_LIMIT, "sensor_fan_max_rpm", "max" },
        { SENSORS_SUBFEATURE_FAN_ALARM, ROLE_ALARM, "sensor_alarm", "" },
        { SENSORS_SUBFEATURE_FAN_MIN_ALARM, ROLE_ALARM, "sensor_alarm", "min" },
        { SENSORS_SUBFEATURE_FAN_MAX_ALARM, ROLE_ALARM, "sensor_alarm", "max" },
        { SENSORS_SUBFEATURE_FAN_FAULT, ROLE_FAULT, "sensor_fault", "" },
        { SENSORS_SUBFEATURE_FAN_BEEP, ROLE_BEEP, "sensor_beep_enabled", "" },

        { SENSORS_SUBFEATURE_IN_INPUT, ROLE_VALUE, "sensor_voltage_volts", "" },
        { SENSORS_SUBFEATURE_IN_MIN, ROLE_LIMIT, "sensor_voltage_min_volts", "min" },
        { SENSORS_SUBFEATURE_IN_MAX, ROLE_LIMIT, "sensor_voltage_max_volts", "max" },
        { SENSORS_SUBFEATURE_IN_LCRIT, ROLE_LIMIT, "sensor_voltage_low_critical_volts", "lcrit" },
        { SENSORS_SUBFEATURE_IN_CRIT, ROLE_LIMIT, "sensor_voltage_critical_volts", "crit" },
        { SENSORS_SUBFEATURE_IN_ALARM, ROLE_ALARM, "sensor_alarm", "" },
        { SENSORS_SUBFEATURE_IN_MIN_ALARM, ROLE_ALARM, "sensor_alarm", "min" },
        { SENSORS_SUBFEATURE_IN_MAX_ALARM, ROLE_ALARM, "sensor_alarm", "max" },
        { SENSORS_SUBFEATURE_IN_LCRIT_ALARM, ROLE_ALARM, "sensor_alarm", "lcrit" },
        { SENSORS_SUBFEATURE_IN_CRIT_ALARM, ROLE_ALARM, "sensor_alarm", "crit" },
        { SENSORS_SUBFEATURE_IN_BEEP, ROLE_BEEP, "sensor_beep_enabled", "" },

        { SENSORS_SUBFEATURE_POWER_INPUT, ROLE_VALUE, "sensor_power_watts", "" },
        { SENSORS_SUBFEATURE_POWER_AVERAGE, ROLE_VALUE, "sensor_power_average_watts", "" },
        { SENSORS_SUBFEATURE_POWER_CAP, ROLE_LIMIT, "sensor_power_cap_watts", "cap" },
        { SENSORS_SUBFEATURE_POWER_MAX, ROLE_LIMIT, "sensor_power_max_watts", "max" },
        { SENSORS_SUBFEATURE_POWER_CRIT, ROLE_LIMIT, "sensor_power_critical_watts", "crit" },
        { SENSORS_SUBFEATURE_POWER_ALARM, ROLE_ALARM, "sensor_alarm", "" },
        { SENSORS_SUBFEATURE_POWER_CAP_ALARM, ROLE_ALARM, "sensor_alarm", "cap" },
        { SENSORS_SUBFEATURE_POWER_MAX_ALARM, ROLE_ALARM, "sensor_alarm", "max" },
        { SENSORS_SUBFEATURE_POWER_CRIT_ALARM, ROLE_ALARM, "sensor_alarm", "crit" },

        { SENSORS_SUBFEATURE_CURR_INPUT, ROLE_VALUE, "sensor_current_amperes", "" },
        { SENSORS_SUBFEATURE_CURR_MIN, ROLE_LIMIT, "sensor_current_min_amperes", "min" },
        { SENSORS_SUBFEATURE_CURR_MAX, ROLE_LIMIT, "sensor_current_max_amperes", "max" },
        { SENSORS_SUBFEATURE_CURR_CRIT, ROLE_LIMIT, "sensor_current_critical_amperes", "crit" },
        { SENSORS_SUBFEATURE_CURR_ALARM, ROLE_ALARM, "sensor_alarm", "" },
        { SENSORS_SUBFEATURE_CURR_MIN_ALARM, ROLE_ALARM, "sensor_alarm", "min" },
        { SENSORS_SUBFEATURE_CURR_MAX_ALARM, ROLE_ALARM, "sensor_alarm", "max" },
        { SENSORS_SUBFEATURE_CURR_CRIT_ALARM, ROLE_ALARM, "sensor_alarm", "crit" },
        { SENSORS_SUBFEATURE_CURR_BEEP, ROLE_BEEP, "sensor_beep_enabled", "" },

        { SENSORS_SUBFEATURE_ENERGY_INPUT, ROLE_VALUE, "sensor_energy_joules_total", "" },
        { SENSORS_SUBFEATURE_HUMIDITY_INPUT, ROLE_VALUE, "sensor_humidity_ratio", "" },
        { SENSORS_SUBFEATURE_INTRUSION_ALARM, ROLE_ALARM, "sensor_alarm", "intrusion" },
};

/* What the rules call the values of a kind of sensor; NULL: nobody judges them. */
static const char *judged_as(const struct sensor_chip *chip, sensors_feature_type type)
{
        switch (type) {
        case SENSORS_FEATURE_TEMP:
                return chip->class == CHIP_BOARD ? "board-temperature" : "temperature";
        case SENSORS_FEATURE_FAN:
                return chip->class == CHIP_ZERO_FAN || chip->class == CHIP_SLEEPER ? NULL : "fan";
        case SENSORS_FEATURE_IN:
                return "voltage";
        case SENSORS_FEATURE_POWER:
                return "power";
        case SENSORS_FEATURE_CURR:
                return "current";
        default:
                return NULL;
        }
}

bool sensor_temperature_plausible(double celsius)
{
        /* -128, -127, 127, 127.5, 128 and 255 are what open diodes and overflowing registers read. */
        return celsius > -45 && celsius < 126;
}

bool sensor_temperature_limit_plausible(double celsius)
{
        /* 0, 127 and 65261 mean "not set"; some firmware says 16.8 or 20.8 for good. */
        return celsius > 25 && celsius < 126;
}

#define SUBFEATURES_MAX 48
#define PWM_MAX 8

struct reading {
        const struct row *row;
        double value;
};

struct sensor {
        struct env *env;
        const struct sensor_chip *chip;
        const sensors_feature *feature;
        struct reading readings[SUBFEATURES_MAX];
        size_t n;
        const char *label;
        char component[INSTANCE_NAME_MAX];
        bool failed; /* no value, or one that no hardware means */
};

static const struct row *find_row(sensors_subfeature_type type)
{
        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
                if (rows[i].type == type)
                        return &rows[i];
        return NULL;
}

static void read_all(struct sensor *s)
{
        const sensors_subfeature *sub;
        int nr = 0;

        while (s->n < SUBFEATURES_MAX && (sub = sensors_get_all_subfeatures(s->chip->name, s->feature, &nr))) {
                const struct row *row = find_row(sub->type);
                double value;
                int r;

                if (!row || !(sub->flags & SENSORS_MODE_R))
                        continue;
                r = sensors_get_value(s->chip->name, sub->number, &value);
                if (row->role == ROLE_VALUE && (r < 0 || (s->feature->type == SENSORS_FEATURE_TEMP && !sensor_temperature_plausible(value))))
                        s->failed = true;
                if (r == 0 && isfinite(value))
                        s->readings[s->n++] = (struct reading){ row, value };
        }
}

static const struct reading *find_limit(const struct sensor *s, const char *word)
{
        for (size_t i = 0; i < s->n; i++)
                if (s->readings[i].row->role == ROLE_LIMIT && streq(s->readings[i].row->word, word))
                        return &s->readings[i];
        return NULL;
}

static bool limit_plausible(const struct sensor *s, const struct reading *limit)
{
        const struct reading *min = find_limit(s, "min"), *max = find_limit(s, "max");

        if (limit->value == 0 || (min && max && min->value >= max->value))
                return false;
        switch (s->feature->type) {
        case SENSORS_FEATURE_TEMP:
                if (s->chip->class == CHIP_UNSET_MAX && streq(limit->row->word, "max"))
                        return false;
                return sensor_temperature_limit_plausible(limit->value);
        case SENSORS_FEATURE_FAN:
                return limit->value > 0 && limit->value < 50000;
        case SENSORS_FEATURE_POWER:
        case SENSORS_FEATURE_CURR:
                return limit->value > 0 && limit->value < 1e5; /* 4294967 is "not set" */
        default:
                return true;
        }
}

/* An alarm bit is judged where there is no number to judge by; where there is one that nobody set, the bit means nothing. */
static bool alarm_means_something(const struct sensor *s, const struct row *row)
{
        if (s->feature->type == SENSORS_FEATURE_INTRUSION)
                return true;
        if (row->word[0])
                return !find_limit(s, row->word);
        for (size_t i = 0; i < s->n; i++)
                if (s->readings[i].row->role == ROLE_LIMIT)
                        return false;
        return true;
}

static const char *judged(const struct sensor *s, const struct reading *r)
{
        const char *as = judged_as(s->chip, s->feature->type);

        switch (r->row->role) {
        case ROLE_VALUE:
                if (s->feature->type == SENSORS_FEATURE_TEMP && !sensor_temperature_plausible(r->value))
                        return "no";
                return as ? as : "no";
        case ROLE_LIMIT:
                return as && limit_plausible(s, r) ? as : "no";
        case ROLE_ALARM:
                if (s->feature->type == SENSORS_FEATURE_INTRUSION)
                        return "intrusion";
                return as && alarm_means_something(s, r->row) ? "alarm" : "no";
        case ROLE_FAULT:
                return s->feature->type == SENSORS_FEATURE_FAN ? "fan-fault" : "fault";
        default:
                return "no";
        }
}

static void hand_out(const struct sensor *s, const char *metric, double value, const char *judge, const char *alarm)
{
        const char *labels[16];
        size_t n = 0;

#define LABEL(k, v) (labels[n++] = (k), labels[n++] = (v))
        LABEL("chip", s->chip->instance);
        LABEL("sensor", s->feature->name);
        LABEL("label", s->label);
        LABEL("hwmon_chip", s->chip->hwmon_chip);
        LABEL("judged", judge);
        if (alarm)
                LABEL("alarm", alarm);
        if (s->component[0])
                LABEL("component", s->component);
#undef LABEL
        labels[n] = NULL;
        s->env->emit(s->env, metric, value, labels);
}

static void hand_out_reading(const struct sensor *s, const struct reading *r)
{
        double value = s->feature->type == SENSORS_FEATURE_HUMIDITY ? r->value / 100 : r->value;

        hand_out(s, r->row->metric, value, judged(s, r), r->row->role == ROLE_ALARM ? r->row->word : NULL);
}

/* The driver was told to stop this fan: it may stand still. */
static bool stopped_on_purpose(const struct sensor *s)
{
        int64_t pwm, enable;
        unsigned nr;

        if (sscanf(s->feature->name, "fan%u", &nr) != 1 ||
            env_read_i64(s->env, &pwm, "sys/class/hwmon/%s/pwm%u", s->chip->hwmon, nr) < 0)
                return false;
        /* pwmN_enable 0 is full speed whatever pwmN says. */
        return pwm == 0 && (env_read_i64(s->env, &enable, "sys/class/hwmon/%s/pwm%u_enable", s->chip->hwmon, nr) < 0 || enable != 0);
}

/* libsensors knows neither of the two. */
static void measure_fan_target(const struct sensor *s)
{
        int64_t target;
        unsigned nr;

        if (sscanf(s->feature->name, "fan%u", &nr) == 1 && env_read_i64(s->env, &target, "sys/class/hwmon/%s/fan%u_target", s->chip->hwmon, nr) == 0)
                hand_out(s, "sensor_fan_target_rpm", (double)target, "no", NULL);
}

static void measure_pwms(struct env *env, const struct sensor_chip *chip)
{
        static const struct {
                const char *file, *metric;
        } settings[] = { { "", "sensor_pwm" }, { "_enable", "sensor_pwm_enable" }, { "_mode", "sensor_pwm_mode" } };

        for (unsigned nr = 1; nr <= PWM_MAX; nr++)
                for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
                        char name[16];
                        int64_t v;

                        snprintf(name, sizeof(name), "pwm%u", nr);
                        if (env_read_i64(env, &v, "sys/class/hwmon/%s/%s%s", chip->hwmon, name, settings[i].file) == 0)
                                env_sample(env, settings[i].metric, (double)v, "chip", chip->instance, "sensor", name, "hwmon_chip",
                                           chip->hwmon_chip, "judged", "no", NULL);
                }
}

static void measure_fan(const struct sensor *s)
{
        measure_fan_target(s);
        for (size_t i = 0; i < s->n; i++)
                if (s->readings[i].row->type == SENSORS_SUBFEATURE_FAN_INPUT && judged_as(s->chip, SENSORS_FEATURE_FAN))
                        hand_out(s, "sensor_fan_stopped", s->readings[i].value <= 0 && !stopped_on_purpose(s), "fan", NULL);
}

/* Limits first: who judges the value has them already. Returns whether there was a value that means something. */
static bool measure_sensor(struct env *env, const struct sensor_chip *chip, const sensors_feature *feature)
{
        static const enum role order[] = { ROLE_LIMIT, ROLE_VALUE, ROLE_ALARM, ROLE_FAULT, ROLE_BEEP };
        struct sensor s = { .env = env, .chip = chip, .feature = feature };
        _cleanup_free_ char *label = sensors_get_label(chip->name, feature);

        s.label = label ? label : feature->name;
        /* A fan is a part of its own, unless it sits in a power supply. */
        if (feature->type == SENSORS_FEATURE_FAN && streq(chip->kind, "sensor"))
                snprintf(s.component, sizeof(s.component), "%.20s %.70s", feature->name, chip->instance);
        read_all(&s);
        for (size_t o = 0; o < ARRAY_LEN(order); o++)
                for (size_t i = 0; i < s.n; i++)
                        if (s.readings[i].row->role == order[o])
                                hand_out_reading(&s, &s.readings[i]);
        if (feature->type == SENSORS_FEATURE_FAN)
                measure_fan(&s);
        return !s.failed;
}

enum result sensor_chip_measure(struct env *env, const struct sensor_chips *chips, const struct sensor_chip *chip, bool asleep)
{
        const sensors_feature *feature;
        unsigned n = 0, failed = 0;
        int nr = 0;

        env_sample(env, "sensor_chip_info", 1, "chip", chip->instance, "chip_name", chip->chip_name,
                   "hwmon_chip", chip->hwmon_chip, "disk", chip->disk, NULL);
        env_sample(env, "sensor_config_errors", chips->config_errors, "chip", chip->instance, "component", "sensors.conf", NULL);
        if (asleep)
                return RESULT_OK;
        while ((feature = sensors_get_features(chip->name, &nr))) {
                n++;
                if (!measure_sensor(env, chip, feature))
                        failed++;
        }
        measure_pwms(env, chip);
        if (n == 0)
                return env_end(env, RESULT_NODATA, "every input of %s is ignored by sensors.conf", chip->instance);
        /* Which inputs of a chip are wired differs from board to board: the first count is how it is, more is news. */
        if (chip->class != CHIP_SLEEPER)
                env_sample(env, "sensor_read_failures", failed, "chip", chip->instance, NULL);
        return RESULT_OK;
}
