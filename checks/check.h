/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_CHECK_H
#define VEILLE_CHECK_H

/* A check measures. It has no opinion and no memory; it sees the world only through env.
 * The process that runs it may hang or be killed at any line: nothing here may need tidying up. */

#include "catalog.h"
#include "config.h"
#include "errinfo.h"
#include "limit.h"
#include "macros.h"

enum result {
        RESULT_OK,
        RESULT_NODATA,  /* this host has no such thing: never alerts */
        RESULT_DENIED,  /* our set-up is wrong: say so once, the level is unknown */
        RESULT_FAILED,  /* the thing is sick: evidence */
        RESULT_TIMEOUT, /* no answer within the deadline: evidence */
        RESULT_MAX,
};
const char *result_name(enum result result);

#define INSTANCE_NAME_MAX 96

struct instance {
        char name[INSTANCE_NAME_MAX];       /* [A-Za-z0-9._:@+,=/-]; unique within the check: "sda", "mc0", "/var" */
        char component[INSTANCE_NAME_MAX];  /* what people replace or repair: "sda", "DIMM_A1", "md0"; shared between checks */
        char id[INSTANCE_NAME_MAX];         /* stays with the part over ports and reboots: WWN or serial; "" if it has none */
        char kind[24];                      /* disk, memory, array, filesystem, sensor, fan, psu, battery, ups, bmc, net, host */
};

struct instance_list {
        struct instance *items;
        size_t n, size;
        bool cut; /* there were more than 1024 */
};
/* Appends a zeroed instance with this name and component = name; NULL when 1024 are there, when one of
 * them has this name or the name is not printable. */
struct instance *instance_add(struct instance_list *list, const char *name);
void instance_list_done(struct instance_list *list);

struct cmd_result {
        int exit_status; /* 0..255, or 128+signal */
        int signal;      /* that ended it; 0: it ended by itself */
        bool truncated;  /* more than the cap was printed */
        char *out;       /* stdout, NUL-terminated, may contain NUL bytes */
        size_t out_len;
        char *err_text;  /* stderr, at most 4 kB */
};
void cmd_result_done(struct cmd_result *result);

/* What the kernel knows of the quality of its clock (adjtimex). */
struct env_clock {
        double offset_s, max_error_s, estimated_error_s;
        bool synchronized; /* a time service keeps it; if not, the numbers mean nothing */
};

struct env {
        const char *root;            /* "/" or the directory given by --root */
        int root_fd;                 /* open on it: "sys/class/hwmon", no leading slash */
        const struct config *config; /* never NULL */
        /* Runs argv[0], an absolute path as compiled in (prefixed by root under --root), with a clean environment
         * (LC_ALL=C) and no stdin; kills it at the deadline. 0, or negative errno (-ETIME at the deadline, -ENOENT). At most
         * max_out bytes of stdout are kept. */
        int (*run_cmd)(struct env *env, const char *const argv[], int deadline_s, size_t max_out, struct cmd_result *ret);
        /* 0, or negative errno; NULL where env is of another host than this (--root). */
        int (*read_clock)(struct env *env, struct env_clock *ret);
        /* Hands out one sample. labels: "name", "value", ..., NULL. */
        void (*emit)(struct env *env, const char *metric, double value, const char *const *labels);
        bool wake;                   /* a sleeping disk may be woken for this run */
        unsigned selftest;           /* start this self-test after the run: 1 + enum selftest_kind; 0: none */
        struct errinfo why;          /* one sentence when it ends badly */
        limit_set limits;            /* those that were hit: what is beyond is not watched, and that is told */
        char said[512];              /* when it ends well: what the thing itself said in words; rules show it as {label:output} */
        const struct check *check;   /* whose discover or run is called */
        void *data;                  /* of whoever made this env */
};

struct check {
        struct check_desc desc;
        /* Fills list; 0 or negative errno with env->why set. An empty list is fine: this host has none. */
        int (*discover)(struct env *env, struct instance_list *list);
        enum result (*run)(struct env *env, const struct instance *instance);
        /* Or NULL. Called once before several instances are run, each in a child: what is the same for all of them is found
         * here once, kept in statics and inherited. Only what asks no device; a failure is left for the children to find. */
        void (*prepare)(struct env *env);
        bool knows_instances; /* run refuses names that are not its own; discover need not be asked before */
};

extern const struct check *const checks_all[];
extern const size_t checks_all_len;
const struct check *check_by_name(const char *name);

/* env_sample(env, "temp_celsius", 40, "sensor", "temp1", NULL) */
void env_sample(struct env *env, const char *metric, double value, ...) __attribute__((sentinel));
/* Sets env->why and returns result: return env_end(env, RESULT_FAILED, "..."). */
enum result env_end(struct env *env, enum result result, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Small readers below root_fd; path may be a format. All negative errno, outputs untouched on failure.
 * Reading is one plain read() of at most 4 kB (broken sysfs drivers return EAGAIN to clever readers). */
int env_read(struct env *env, char *buf, size_t size, const char *path, ...) PRINTF_LIKE(4, 5); /* NUL-terminated, trailing white space cut; length */
/* Files that can be longer (mountinfo, mdstat, fstab): the whole text, read to its end, owned by the caller. -EFBIG beyond
 * max bytes, -EBADMSG with a NUL byte inside; the length. */
int env_read_text(struct env *env, char **ret, size_t max, const char *path, ...) PRINTF_LIKE(4, 5);
int env_read_i64(struct env *env, int64_t *ret, const char *path, ...) PRINTF_LIKE(3, 4);
/* Entries of a directory without . and .., sorted; NULL-terminated, owned by the caller (env_list_free). Sets env->why for
 * any error but -ENOENT. */
int env_list_dir(struct env *env, char ***ret, const char *path, ...) PRINTF_LIKE(3, 4);
void env_list_free(char **names);
/* The last part of the target of a link ("../../bus/pci" -> "pci"). */
int env_readlink(struct env *env, char *buf, size_t size, const char *path, ...) PRINTF_LIKE(4, 5);
bool env_exists(struct env *env, const char *path, ...) PRINTF_LIKE(2, 3);

/* -EACCES/-EPERM -> RESULT_DENIED, -ENOENT/-ENODEV -> RESULT_NODATA, else RESULT_FAILED, with why "PATH: strerror". */
enum result env_end_errno(struct env *env, int neg_errno_code, const char *path, ...) PRINTF_LIKE(3, 4);

#endif
