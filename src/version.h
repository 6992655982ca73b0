/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_VERSION_H
#define VEILLE_VERSION_H

#define VEILLE_VERSION "0.1.0"

#endif
