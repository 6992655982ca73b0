/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_COMMON_RUN_H
#define VEILLE_COMMON_RUN_H

/* Reading the files that the brain and the store leave in RUN. One way for veille-web and veillectl, so that both show the same
 * document at the same moment. */

#include "status_doc.h"

struct run_file {
        const char *name;
        size_t max;         /* bytes */
        const char *writer; /* the program that writes it, for messages */
};

extern const struct run_file run_file_status;

/* A descriptor of the directory (O_PATH), or negative errno. */
int run_open(const char *run);

/* The whole file; the caller frees *ret, which ends in a NUL that *ret_len does not count. run_fd: of run_open(), negative:
 * its error. Negative errno and a sentence that names the file and its writer. Never waits, whatever lies in its place. */
int run_file_read(int run_fd, const char *run, const struct run_file *file, char **ret, size_t *ret_len, struct errinfo *err);

/* RUN/status.json, checked and aged to now_boot (seconds of CLOCK_BOOTTIME). silent_after_s: NAN: what the brain says there. Never fails: of a file that is absent, damaged
 * or not ours to read it makes a document that says so (time_boot is then NAN), under the name of this host. */
void run_status_load(int run_fd, const char *run, double now_boot, double silent_after_s, struct status_doc *ret);

/* gethostname(), or "localhost" when there is none; clean enough for JSON. */
void run_host_name(char *buf, size_t size);

#endif
