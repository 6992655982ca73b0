/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_COMMON_CLOCK_H
#define VEILLE_COMMON_CLOCK_H

#include <stdint.h>

/* CLOCK_BOOTTIME, for ages and deadlines: never jumps, runs on in suspend. */
int64_t clock_boot_us(void);

/* CLOCK_REALTIME, for people and for what is kept over a reboot: may jump either way. */
int64_t clock_wall_us(void);

#endif
