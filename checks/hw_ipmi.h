/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_HW_IPMI_H
#define VEILLE_HW_IPMI_H

/* The parts of the checks "ipmi" and "bmc": hw_ipmi.c (tables, discovery), hw_ipmi_read.c (FreeIPMI),
 * hw_ipmi_values.c (what readings and log entries mean; no hardware needed to test it). */

#include "check.h"

/* One management controller to ask. */
struct ipmi_target {
        const char *instance;
        const char *device;   /* in-band: "/dev/ipmi0"; NULL: over the network */
        const char *host;     /* host or host:port */
        const char *user, *password;
        bool protocol_1_5;
        int cipher_suite;
};

enum ipmi_state { IPMI_NOMINAL, IPMI_WARNING, IPMI_CRITICAL, IPMI_UNKNOWN }; /* FreeIPMI's numbers */

enum ipmi_unit { IPMI_UNIT_NONE, IPMI_UNIT_CELSIUS, IPMI_UNIT_VOLTS, IPMI_UNIT_AMPERES, IPMI_UNIT_RPM, IPMI_UNIT_WATTS, IPMI_UNIT_PERCENT };

struct ipmi_reading {
        unsigned id;
        int type; /* sensor type of the IPMI specification, table 42-3 */
        const char *name;
        enum ipmi_state state;
        enum ipmi_unit unit;
        double value;      /* NAN: it has none */
        const char *event; /* what is asserted, "Redundancy Lost"; "" for nothing */
};

/* What a run gathers; zero-initialise, then ipmi_values_begin(). */
#define IPMI_SENSOR_CLASSES 8

struct ipmi_values {
        struct env *env;
        const char *instance;
        unsigned sensors, unreadable;
        unsigned log_entries;
        unsigned log_events[IPMI_SENSOR_CLASSES][IPMI_UNKNOWN]; /* asserted entries by class and state */
        char newest_name[64], newest_event[128];
        unsigned newest_time; /* of the newest critical entry; 0: none */
};

void ipmi_values_reading(struct ipmi_values *v, const struct ipmi_reading *reading);
void ipmi_values_log_entry(struct ipmi_values *v, int type, enum ipmi_state state, const char *name, const char *event, unsigned time_s);
enum result ipmi_values_end(struct ipmi_values *v);

/* Asks a controller for everything. */
enum result ipmi_read(struct env *env, const struct ipmi_target *target);

/* A directory for FreeIPMI's list of sensors, owned by us alone: reading that list anew takes a minute. 0 or negative errno. */
int ipmi_cache_directory(char *buf, size_t size);

/* Asks the controller behind this device who it is. 0: it answered, whatever; -ETIME: it did not within this time, or the kernel
 * says so; another negative errno: it could not be asked that way (no such device, no right to it, no driver behind it). */
int ipmi_ask(const char *device, int timeout_ms);

#endif
