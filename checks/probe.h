/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_PROBE_H
#define VEILLE_PROBE_H

/* The pieces of veille-probe: see docs/man/veille-probe.8 for the protocol. */

#include "check.h"

/* Opens root and fills env with the real run_cmd; emit and data stay the caller's.
 * 0 or negative errno. */
int probe_env_init(struct env *env, const char *root, const struct config *config);

/* Runs a program for a check: the env->run_cmd of real life, see check.h. */
int probe_run_cmd(struct env *env, const char *const argv[], int deadline_s, size_t max_out, struct cmd_result *ret);

/* The clock of this very host: the env->read_clock of real life. */
int probe_read_clock(struct env *env, struct env_clock *ret);

/* In this process: measures one instance and prints its lines to out. known: instances of this check that were found shortly
 * before, or an empty list, which is filled; the caller's (instance_list_done()). with_instance adds "instance" to every line
 * (what serve needs to tell its children apart). Returns what the end line said. */
enum result probe_run_here(struct env *env, const struct check *check, const char *instance, struct instance_list *known, FILE *out,
                           bool with_instance);

/* One of checks_all, or a plugin of the configuration that has a check of that name (which may ask a program). NULL: none. */
const struct check *probe_find_check(struct env *env, const char *name);

/* In this process: prints the instances. 0, or negative errno with env->why. */
int probe_list_here(struct env *env, const struct check *check, FILE *out);

/* Prints {"type":"end",...}; instance NULL: without that member. */
void probe_print_end(FILE *out, const char *instance, enum result result, const char *why);

/* What else is wished of one run; see struct env. */
struct probe_wish {
        bool wake;
        unsigned selftest;
};

/* Runs the named instances in children, each with the check's deadline, and relays their lines to
 * out_fd. wishes: one per instance; NULL: none. Blocks until every child is reaped, or out_fd is closed at the other end. Exit status for main:
 * 0 when every instance got its end line, else 3. */
int probe_run_children(struct env *env, const struct check *check, const char *const *instances, size_t n, const struct probe_wish *wishes,
                       int out_fd, bool with_instance);

/* The same for list: the instance lines, then an end line. */
int probe_list_child(struct env *env, const struct check *check, int out_fd);

/* Writes all of it, over interrupts. 0 or negative errno. */
int probe_write_all(int fd, const char *buf, size_t len);

/* What probe_several() runs in a process of its own for each request: prints lines of the protocol to out_fd, returns the exit
 * status. */
struct probe_job {
        int (*run)(const void *data, size_t i, int out_fd);
        const void *data;
};
/* Answers n (at most CATALOG_SEVERAL_MAX) requests at once and relays their lines to out_fd, each with the name of its check.
 * Blocks until all are over or out_fd is closed at the other end. Exit status for main. */
int probe_several(const struct probe_job *job, const char *const *checks, size_t n, int out_fd);

/* Reads one request line from in_fd ({"op":"run","check":NAME,"instances":[NAME...],"wake":[NAME...],"selftest":{NAME:KIND}},
 * {"op":"list","check":NAME}, or {"op":"several","requests":[REQUEST...]} of these, each of another check) and answers it. only
 * limits which checks may be asked for; PRIVILEGE_MAX: all. */
int probe_serve(struct env *env, int in_fd, int out_fd, enum privilege only);

/* Stands in for systemd's socket activation: listens on DIR/probe-NAME.sock for each privilege and forks one
 * server per connection, until SIGTERM or SIGINT. group may connect (-1: only the owner). */
int probe_listen(struct env *env, const char *dir, int group);

#endif
