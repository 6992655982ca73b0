/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_CATALOG_H
#define VEILLE_CATALOG_H

/* What a check says about itself: the static description that both sides of the probe protocol
 * share. checks/ fills it with const tables; the brain reads it from "veille-probe catalog". */

#include <jansson.h>

#include "errinfo.h"
#include "rule.h"

enum metric_kind {
        METRIC_GAUGE,
        METRIC_COUNTER, /* only grows, but for resets; name ends in _total */
        METRIC_INFO,    /* value 1, the labels are the news; name ends in _info */
};

struct metric_desc {
        const char *name; /* Prometheus style, without the veille_ prefix: base unit in the name, _total on counters */
        enum metric_kind kind;
        const char *unit; /* "celsius", "bytes", "seconds", "ratio", "" */
        const char *help; /* one sentence without a final dot */
};

/* Who may run it: also the socket it is reached by (RUN/probe-NAME.sock). */
enum privilege {
        PRIVILEGE_NONE,  /* spawned by the brain itself */
        PRIVILEGE_DISK,  /* probe-disk.sock: CAP_SYS_RAWIO, CAP_SYS_ADMIN, disk devices */
        PRIVILEGE_RAID,  /* probe-raid.sock: RAID controller nodes */
        PRIVILEGE_WRITE, /* probe-write.sock: may hang on a file system; own unit */
        PRIVILEGE_NET,   /* probe-net.sock: the network, no device, no capability */
        PRIVILEGE_PLUGIN, /* probe-plugin.sock: programs of the administrator: no capability, no device, the network, own unit */
        PRIVILEGE_MAX,
};

/* [a-z][a-z0-9-]*, of a metric with _ instead of -; at most 96 characters. */
bool catalog_name_ok(const char *name, bool metric);
const char *privilege_name(enum privilege privilege);
int privilege_from_name(const char *name);
const char *metric_kind_name(enum metric_kind kind);

struct check_desc {
        const char *name;    /* "smart-ata" */
        const char *summary; /* one line for veillectl checks */
        int interval_s;      /* default time between runs */
        int deadline_s;      /* a run that takes longer is killed, and that is evidence */
        int max_age_s;       /* samples older than this make the level unknown; 0: 2 * interval + deadline */
        enum privilege privilege;
        enum evidence evidence; /* class of evidence of its silence */
        const struct metric_desc *metrics;
        size_t n_metrics;
        const struct rule *rules;
        size_t n_rules;
};

/* The catalog document (protocol 1), owned by the caller (json_decref). Whoever answers several requests over one connection
 * adds "several". */
json_t *catalog_to_json(const struct check_desc *const *checks, size_t n);

/* Reads such a document; every string is copied. Bad or over-long input: -EINVAL and a sentence.
 * Limits: CATALOG_CHECKS_MAX checks, 256 metrics and 256 rules a check. */
#define CATALOG_CHECKS_MAX 256
#define CATALOG_SEVERAL_MAX 16
struct catalog {
        struct check_desc *checks;
        size_t n_checks;
        size_t several; /* how many requests one connection may carry: 1, or up to CATALOG_SEVERAL_MAX where the document says so */
        void *pool; /* owns all strings and arrays */
};
int catalog_from_json(const json_t *doc, struct catalog *ret, struct errinfo *err);
void catalog_done(struct catalog *catalog);

#endif
