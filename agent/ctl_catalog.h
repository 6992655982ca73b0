/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_CTL_CATALOG_H
#define VEILLE_CTL_CATALOG_H

/* What can be measured and how it is judged, for commands that work without the brain. */

#include "catalog.h"
#include "ctl.h"

/* From "veille-probe catalog" beside this program, else from RUN/catalog.json. 0, or negative errno with a
 * sentence. Limits are the rules' own when it came from the probe. */
int ctl_catalog_load(const struct common_options *options, struct catalog *ret, struct errinfo *err);

#endif
