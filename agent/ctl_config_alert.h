/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_CTL_CONFIG_ALERT_H
#define VEILLE_CTL_CONFIG_ALERT_H

/* What veillectl config check says of [alert], [contact NAME], [sink NAME], [peers], [peer NAME] and [deadman]. */

#include "config.h"

/* Prints mistakes to standard error; how many. */
unsigned ctl_config_alert_check(const struct config *c);
/* Prints what works but will not help, and files of secrets that are not there or that others may read. */
void ctl_config_alert_advise(const struct config *c);

#endif
