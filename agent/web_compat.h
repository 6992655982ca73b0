/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_WEB_COMPAT_H
#define VEILLE_WEB_COMPAT_H

/* The tables of web_compat.c: which of our series becomes which of theirs. */

#include "web.h"

#define COMPAT_LABELS_MAX 16

struct compat_label {
        const char *theirs;
        /* "name": our label; "name|text": or text where it is empty; "=text": always text; "$chip": the hwmon chip's name,
         * known from sensor_chip_info; "$device", "$dimm_label": as they write them; "$number", "$zone": our label controller
         * or chip without its letters */
        const char *ours;
};

struct compat_row {
        const char *metric;             /* ours, without veille_ */
        const char *when_label, *when;  /* only where our label has this value; NULL: always */
        const char *of;                 /* only for disks of this protocol, arrays of this kind; NULL: all */
        const char *name;
        enum expo_type type;            /* where they call a value that can fall a counter, we do not */
        double scale;                   /* 0 stands for 1 */
        bool positive;                  /* they leave out a 0 */
        const char *help;
        struct compat_label labels[COMPAT_LABELS_MAX];
};

extern const struct compat_row compat_smartctl[];
extern const size_t compat_smartctl_len;
extern const struct compat_row compat_node[];
extern const size_t compat_node_len;

#endif
