/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_LIFE_H
#define VEILLE_LIFE_H

/* A copy in memory of what the last message needs (veille-life). LIFE/now is a link to the directory of the copy that holds:
 *   loader        the dynamic loader
 *   lib/          every library, by its name
 *   bin/          the programs; run as: loader --inhibit-cache --library-path lib bin/NAME
 *   root/         files under the path that they have on the disk
 *   life.json     when it was made and of what */

#include <sys/types.h>

#include "errinfo.h"

#define LIFE_BYTES_MAX (64LL * 1024 * 1024)
#define LIFE_FILES_MAX 512

enum life_kind {
        LIFE_PROGRAM, /* beside veille-life; with its loader and libraries */
        LIFE_MODULE,  /* a library that is opened by name at run time: found beside libc */
        LIFE_FILE,
};

struct life_row {
        enum life_kind kind;
        const char *name;
        bool needed; /* without it there is no copy */
        const char *why;
};

/* One row for each thing that the last message needs; .name NULL ends it. */
extern const struct life_row life_table[];

/* A copy that is being made. */
struct life_copy {
        int dir_fd;           /* LIFE/copy.new */
        char dir[4096];       /* its path */
        const char *root;     /* files are taken from below it */
        const char *programs; /* directory of the programs */
        char libc_dir[4096];  /* "": not known yet */
        int64_t bytes;
        size_t n;
        void *files; /* json_t: what was copied from where */
};

/* --- life_copy.c ------------------------------------------------------------------------------------------------- */
/* Copies the regular file at the path to the name in the copy, with all but the write and special bits of its mode and never more
 * readable than it was. A name that is there already is left. Negative errno with a sentence. */
int life_copy_file(struct life_copy *c, const char *from, const char *to, bool executable, struct errinfo *err);
/* Removes a directory below dir_fd and all that is in it; nothing there is no error. */
int life_remove(int dir_fd, const char *name);

/* --- life_libraries.c ---------------------------------------------------------------------------------------------- */
/* The interpreter that the ELF program asks for. -ENOEXEC: it asks for none, or is no ELF file of this machine. */
int life_interpreter(const char *program, char *buf, size_t size, struct errinfo *err);
/* The program, its loader and every library that the loader names for it. */
int life_copy_program(struct life_copy *c, const char *program, const char *name, struct errinfo *err);
/* Runs a program and hands each line of its standard output to fn; killed after so many seconds. 0: it ended with status 0. */
int life_run(char *const argv[], unsigned seconds, int (*fn)(void *data, char *line, struct errinfo *err), void *data, struct errinfo *err);

#endif
