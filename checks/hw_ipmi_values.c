/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* What the readings and the event log of a management controller mean. The state is FreeIPMI's interpretation
 * (/etc/freeipmi/freeipmi_interpret_sensor.conf changes it); which sensors wake somebody is decided here, by their type. */

#include "hw_ipmi.h"

enum class { CLASS_TEMPERATURE, CLASS_VOLTAGE, CLASS_FAN, CLASS_POWER, CLASS_MEMORY, CLASS_PROCESSOR, CLASS_HARDWARE, CLASS_OTHER };
_Static_assert(CLASS_OTHER + 1 == IPMI_SENSOR_CLASSES, "classes");

static const char *const class_names[IPMI_SENSOR_CLASSES] = {
        [CLASS_TEMPERATURE] = "temperature", [CLASS_VOLTAGE] = "voltage",     [CLASS_FAN] = "fan",           [CLASS_POWER] = "power",
        [CLASS_MEMORY] = "memory",           [CLASS_PROCESSOR] = "processor", [CLASS_HARDWARE] = "hardware", [CLASS_OTHER] = "other",
};

/* Sensor types of the IPMI specification, named as ipmi-sensors(8) does. What is not here is "other": buttons,
 * the case, sessions, boots and logs are no failing hardware. */
static const struct {
        int type;
        const char *name;
        enum class class;
} types[] = {
        { 0x01, "Temperature", CLASS_TEMPERATURE },
        { 0x02, "Voltage", CLASS_VOLTAGE },
        { 0x03, "Current", CLASS_VOLTAGE },
        { 0x04, "Fan", CLASS_FAN },
        { 0x05, "Physical Security", CLASS_OTHER },
        { 0x06, "Platform Security Violation Attempt", CLASS_OTHER },
        { 0x07, "Processor", CLASS_PROCESSOR },
        { 0x08, "Power Supply", CLASS_POWER },
        { 0x09, "Power Unit", CLASS_POWER },
        { 0x0a, "Cooling Device", CLASS_FAN },
        { 0x0b, "Other Units Based Sensor", CLASS_OTHER },
        { 0x0c, "Memory", CLASS_MEMORY },
        { 0x0d, "Drive Slot", CLASS_HARDWARE },
        { 0x0f, "System Firmware Progress", CLASS_OTHER },
        { 0x10, "Event Logging Disabled", CLASS_OTHER },
        { 0x12, "System Event", CLASS_OTHER },
        { 0x13, "Critical Interrupt", CLASS_HARDWARE },
        { 0x14, "Button/Switch", CLASS_OTHER },
        { 0x15, "Module/Board", CLASS_HARDWARE },
        { 0x16, "Microcontroller/Coprocessor", CLASS_HARDWARE },
        { 0x17, "Add In Card", CLASS_HARDWARE },
        { 0x18, "Chassis", CLASS_OTHER },
        { 0x19, "Chip Set", CLASS_HARDWARE },
        { 0x1b, "Cable/Interconnect", CLASS_HARDWARE },
        { 0x20, "OS Critical Stop", CLASS_OTHER },
        { 0x21, "Slot/Connector", CLASS_HARDWARE },
        { 0x22, "System ACPI Power State", CLASS_OTHER },
        { 0x23, "Watchdog 2", CLASS_OTHER },
        { 0x25, "Entity Presence", CLASS_OTHER },
        { 0x28, "Management Subsystem Health", CLASS_HARDWARE },
        { 0x29, "Battery", CLASS_POWER },
        { 0x2a, "Session Audit", CLASS_OTHER },
        { 0x2b, "Version Change", CLASS_OTHER },
        { 0x2c, "FRU State", CLASS_OTHER },
};

static enum class class_of(int type)
{
        for (size_t i = 0; i < ARRAY_LEN(types); i++)
                if (types[i].type == type)
                        return types[i].class;
        return CLASS_OTHER;
}

static const char *type_name(int type)
{
        for (size_t i = 0; i < ARRAY_LEN(types); i++)
                if (types[i].type == type)
                        return types[i].name;
        return "OEM";
}

static const char *const unit_metrics[] = {
        [IPMI_UNIT_NONE] = "ipmi_sensor_value",        [IPMI_UNIT_CELSIUS] = "ipmi_temperature_celsius",
        [IPMI_UNIT_VOLTS] = "ipmi_voltage_volts",      [IPMI_UNIT_AMPERES] = "ipmi_current_amperes",
        [IPMI_UNIT_RPM] = "ipmi_fan_speed_rpm",        [IPMI_UNIT_WATTS] = "ipmi_power_watts",
        [IPMI_UNIT_PERCENT] = "ipmi_sensor_ratio",
};

/* A fan and a power supply are parts that people replace; the rest belongs to the machine. */
static void find_component(const struct ipmi_values *v, const struct ipmi_reading *r, char *buf, size_t size)
{
        if (r->type == 0x04 || r->type == 0x08)
                snprintf(buf, size, "%.60s %.30s", r->name, v->instance);
        else
                snprintf(buf, size, "%s", v->instance);
}

/* Names and events come out of the controller's memory. */
static void clean(char *buf, size_t size, const char *text)
{
        size_t n = 0;

        for (; *text && n + 1 < size; text++)
                buf[n++] = *text >= ' ' && *text < 127 ? *text : '?';
        while (n > 0 && buf[n - 1] == ' ')
                n--;
        buf[n] = '\0';
}

void ipmi_values_reading(struct ipmi_values *v, const struct ipmi_reading *reading)
{
        char id[16], name[64], event[160], component[INSTANCE_NAME_MAX];
        enum class class = class_of(reading->type);
        struct ipmi_reading r = *reading;
        double value;

        clean(name, sizeof(name), reading->name);
        clean(event, sizeof(event), reading->event);
        r.name = name;
        snprintf(id, sizeof(id), "%u", r.id);
        find_component(v, &r, component, sizeof(component));
        v->sensors++;
        if (r.state == IPMI_UNKNOWN && !isfinite(r.value)) {
                v->unreadable++;
                return;
        }
        if (isfinite(r.value)) {
                value = r.unit == IPMI_UNIT_PERCENT ? r.value / 100 : r.value;
                env_sample(v->env, unit_metrics[r.unit], value, "bmc", v->instance, "id", id, "name", name,
                           "type", type_name(r.type), "component", component, NULL);
        }
        if (r.state == IPMI_UNKNOWN)
                return;
        env_sample(v->env, "ipmi_sensor_state", r.state, "bmc", v->instance, "id", id, "name", name, "type", type_name(r.type),
                   "judged", class == CLASS_OTHER ? "other" : "no", "component", component, NULL);
        /* A series of its own for each thing that is wrong, so that the sentence can name it. */
        if (r.state != IPMI_NOMINAL && class != CLASS_OTHER)
                env_sample(v->env, "ipmi_event", r.state, "bmc", v->instance, "id", id, "name", name,
                           "event", event[0] ? event : "state not nominal", "judged", class_names[class], "component", component, NULL);
}

void ipmi_values_log_entry(struct ipmi_values *v, int type, enum ipmi_state state, const char *name, const char *event, unsigned time_s)
{
        v->log_entries++;
        if (state != IPMI_WARNING && state != IPMI_CRITICAL)
                return;
        v->log_events[class_of(type)][state]++;
        if (state == IPMI_CRITICAL && time_s >= v->newest_time) {
                v->newest_time = time_s;
                clean(v->newest_name, sizeof(v->newest_name), name);
                clean(v->newest_event, sizeof(v->newest_event), event);
        }
}

enum result ipmi_values_end(struct ipmi_values *v)
{
        static const struct {
                enum ipmi_state state;
                const char *severity;
        } severities[] = { { IPMI_WARNING, "warning" }, { IPMI_CRITICAL, "critical" } };
        char time_text[16];

        if (v->sensors > 0 && v->unreadable == v->sensors)
                return env_end(v->env, RESULT_FAILED, "%s has %u sensors and none of them gives a reading", v->instance, v->sensors);
        env_sample(v->env, "ipmi_sensors_unreadable", v->unreadable, "bmc", v->instance, NULL);
        env_sample(v->env, "ipmi_sel_entries_total", v->log_entries, "bmc", v->instance, NULL);
        /* All classes always, also with 0: the first entry of a class must be growth, not a first sight. */
        for (size_t c = 0; c < IPMI_SENSOR_CLASSES; c++)
                for (size_t s = 0; s < ARRAY_LEN(severities); s++)
                        env_sample(v->env, "ipmi_sel_events_total", v->log_events[c][severities[s].state], "bmc", v->instance,
                                   "class", class_names[c], "severity", severities[s].severity,
                                   "judged", c == CLASS_OTHER ? "no" : severities[s].severity, NULL);
        if (v->newest_time) {
                snprintf(time_text, sizeof(time_text), "%u", v->newest_time);
                env_sample(v->env, "ipmi_sel_newest_critical_info", 1, "bmc", v->instance, "name", v->newest_name,
                           "event", v->newest_event, "time", time_text, NULL);
        }
        return RESULT_OK;
}
