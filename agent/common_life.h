/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_COMMON_LIFE_H
#define VEILLE_COMMON_LIFE_H

/* Using the copy in memory that veille-life makes. All of it lies on a tmpfs: nothing here waits for a disk. */

#include "macros.h"

#define LIFE_DIR "/run/veille.life"

struct life_command {
        char loader[4200], lib[4200], program[4300];
        char *argv[16]; /* argv[0] is what is to be started; NULL ends it */
};

/* How the program of that name is started from the copy, with "--life DIR" and then the given words (NULL ends them; at most 8).
 * Points into *ret and to the words. False: it is not in the copy, or there is none. */
bool life_command(const char *life, const char *name, char *const words[], struct life_command *ret);

/* The path under which the copy has this file of the disk; the path itself when it has none. */
const char *life_file(const char *life, const char *path, char *buf, size_t size);

#endif
