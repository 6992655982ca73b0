/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_HW_SENSORS_H
#define VEILLE_HW_SENSORS_H

/* The parts of the check "sensors": hw_sensors.c (discovery, run, rules), hw_sensors_chips.c (libsensors,
 * names of chips), hw_sensors_values.c (what a chip's values mean), hw_sensors_thermal.c (thermal zones). */

#include <sensors/sensors.h>

#include "check.h"

/* What kind of chip it is decides what may be believed of it. */
enum chip_class {
        CHIP_PLAIN,     /* its limits and readings are its maker's */
        CHIP_BOARD,     /* a Super-I/O or the like: inputs may be open, limits are whatever the firmware left there */
        CHIP_UNSET_MAX, /* its "max" is a power-on default far below what is normal (memory modules) */
        CHIP_ZERO_FAN,  /* its fans stop when it is cool, on purpose */
        CHIP_SLEEPER,   /* it cannot be read while its device is down or asleep (WLAN cards, graphics) */
};

struct sensor_chip {
        const sensors_chip_name *name;
        enum chip_class class;
        char hwmon[32];                     /* "hwmon3" */
        char instance[INSTANCE_NAME_MAX];   /* "nct6775-isa-0290" */
        char component[INSTANCE_NAME_MAX];  /* the same, or the disk the chip belongs to */
        char kind[24];                      /* psu, sensor; "" for a disk's chip */
        char hwmon_chip[INSTANCE_NAME_MAX]; /* as node_exporter calls it: "platform_nct6775_656" */
        char chip_name[64];                 /* "nct6775" */
        char disk[32];                      /* "sda", "nvme0n1"; "" if it is no disk's */
};

struct sensor_chips {
        struct sensor_chip *items;
        size_t n;
        unsigned config_errors; /* lines of sensors.conf that libsensors could not use */
        bool open;
};

/* Starts libsensors below env->root and names all chips. 0 or negative errno with env->why set. */
int sensor_chips_open(struct env *env, struct sensor_chips *ret);
void sensor_chips_close(struct sensor_chips *chips);

/* Hands out the samples of one chip; asleep: only what needs no reading. */
enum result sensor_chip_measure(struct env *env, const struct sensor_chips *chips, const struct sensor_chip *chip, bool asleep);

/* Thermal zones that no hwmon chip shows. */
int thermal_discover(struct env *env, const struct sensor_chips *chips, struct instance_list *list);
enum result thermal_measure(struct env *env, const char *zone);

/* Readings and limits that no hardware means: an open input reads -128 or 127, an unset limit is 0. */
bool sensor_temperature_plausible(double celsius);
bool sensor_temperature_limit_plausible(double celsius);

#endif
