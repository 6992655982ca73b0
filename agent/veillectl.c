/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* veillectl: the command that people type. Each of its commands is a file ctl_NAME.c. */

#include "ctl.h"

int main(int argc, char *argv[])
{
        return ctl_main(argc, argv);
}
