/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_WEB_H
#define VEILLE_WEB_H

/* The parts of veille-web. One thread; every answer comes out of files in RUN (a tmpfs) and memory. Nothing here
 * touches a device, asks the brain or waits for anybody. */

#include <netinet/in.h>
#include <sys/stat.h>

#include "config.h"
#include "exposition.h"
#include "status_doc.h"

#define WEB_LISTEN_MAX 16
#define WEB_HOSTS_MAX 32

enum { WEB_COMPAT_SMARTCTL = 1 << 0, WEB_COMPAT_NODE = 1 << 1 };

struct web_listen {
        struct sockaddr_storage address;
        char text[96]; /* as configured */
};

/* [web] of the configuration, read and checked. */
struct web_settings {
        struct web_listen listen[WEB_LISTEN_MAX];
        size_t n_listen;
        char *certificate, *key; /* PEM texts; NULL: plain HTTP */
        char token[257];         /* "": none wanted */
        char *hosts[WEB_HOSTS_MAX];
        size_t n_hosts;
        unsigned compat;
        char *textfile;
        int silent_after_s;
        unsigned connections;
};

/* The files in RUN that answers are made of. */
enum web_file { WEB_STATUS, WEB_SAMPLES, WEB_CATALOG, WEB_PLOTS, WEB_FILE_MAX };

/* What tells one version of a file from the next; all zero: absent. */
struct web_stamp {
        dev_t dev;
        ino_t ino;
        off_t size;
        struct timespec mtime, ctime;
        int error;
};

/* Bytes that several answers under way may share. */
struct web_blob {
        unsigned refs;
        struct textbuf text;
};

struct web_counters {
        uint64_t requests[6]; /* by first digit of the status */
        uint64_t refused;     /* connections over a limit */
        uint64_t cut;         /* connections that took too long */
        uint64_t renders;     /* of the metrics */
        uint64_t textfile_errors;
};

/* The last scrapes, to tell when the next one comes; all zero: none yet. */
struct web_expect {
        double last, gaps[4]; /* seconds; gaps: a ring */
        size_t scrapes;
};

struct web_metrics;
struct web_server;

struct web {
        const char *config, *run;
        struct web_settings settings;
        int run_fd; /* of the directory RUN, opened anew when it is replaced; negative: not there */
        char host[128]; /* as the kernel calls it: a name to be asked by */
        double started_wall;
        struct web_counters counters;
        struct web_metrics *metrics;
        struct web_blob *page; /* the last page, for those who come within the same second */
        struct web_stamp page_stamps[WEB_FILE_MAX];
        double page_boot;
        int page_refresh_s;
};

double web_boot(void); /* CLOCK_BOOTTIME, seconds */
double web_wall(void); /* CLOCK_REALTIME, seconds */

/* One line to standard error; dropped when nobody takes it. */
void web_log(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* --- web_settings.c ------------------------------------------------------------------------------ */
/* Refuses what would be unsafe, in one sentence. The strings are owned by ret until web_settings_done(). */
int web_settings_read(const struct config *config, struct web_settings *ret, struct errinfo *err);
int web_settings_check(const struct web_settings *s, struct errinfo *err);
void web_settings_done(struct web_settings *s);
/* "127.0.0.1:9785", "[::1]:9785". */
int web_listen_parse(const char *text, struct web_listen *ret, struct errinfo *err);
bool web_address_is_loopback(const struct sockaddr_storage *address);

/* --- web_file.c ------------------------------------------------------------------------------------- */
void web_file_stamp(struct web *w, enum web_file file, struct web_stamp *ret);
bool web_stamp_equal(const struct web_stamp *a, const struct web_stamp *b);
/* The whole file; caller frees. Negative errno and a sentence that names the file. */
int web_file_read(struct web *w, enum web_file file, char **ret, size_t *ret_len, struct errinfo *err);
/* Never fails: a file that is absent or damaged is a document that says so. */
void web_status_load(struct web *w, double now_boot, struct status_doc *ret);
struct web_blob *web_blob_new(void);
struct web_blob *web_blob_ref(struct web_blob *b);
struct web_blob *web_blob_unref(struct web_blob *b);

/* --- web_metrics.c ------------------------------------------------------------------------------------ */
/* The body of /metrics in two pieces: what stays until a file changes, and the ages of this moment (appended to tail). */
struct web_blob *web_metrics_get(struct web *w, enum expo_format format, double now_boot, struct textbuf *tail);
/* Renders ahead of the next scrape, where one is expected about now. Called when a file has changed, and at web_metrics_next(). */
void web_metrics_refresh(struct web *w, double now_boot);
/* When the next scrape is to be prepared for; INFINITY: that time has come already, or none is expected. */
double web_metrics_next(const struct web *w, double now_boot);
void web_metrics_free(struct web *w);

/* --- web_expect.c: when the next scrape comes --------------------------------------------------------------- */
void web_expect_note(struct web_expect *e, double now); /* one came */
/* From when on the next one is expected, seconds on the same clock; INFINITY before there were two. */
double web_expect_from(const struct web_expect *e);
bool web_expect_now(const struct web_expect *e, double now);

/* --- web_families.c: what veille says about itself -------------------------------------------------------- */
void web_families_status(struct expo *e, const struct status_doc *status);
/* A name that no check may take: veille says it about itself. */
bool web_families_reserved(const char *name);
/* HELP of one of our own families that are printed by hand at each scrape. */
void web_families_head(struct textbuf *out, enum expo_format format, const char *name);

/* --- web_compat.c ----------------------------------------------------------------------------------------- */
struct web_sample {
        const char *metric, *check, *instance, *component;
        double value;
        const json_t *labels; /* object of strings */
};
struct web_compat;
struct web_compat *web_compat_new(unsigned compat, struct expo *e);
void web_compat_sample(struct web_compat *c, const struct web_sample *s);
/* What is known only at the end (counts); frees. */
struct web_compat *web_compat_end(struct web_compat *c);
/* 0 for a name that is none. */
unsigned web_compat_from_name(const char *name);

/* --- web_page.c ------------------------------------------------------------------------------------------------ */
/* refresh_s: 0, or the page asks to be loaded again. Its parts: web_page.h. */
struct web_blob *web_page_get(struct web *w, double now_boot, int refresh_s);

/* --- web_answer.c: from request to reply; no socket --------------------------------------------------------- */
struct web_request {
        const char *method, *path;
        const char *accept, *authorization, *host; /* NULL: no such header */
        const char *refresh;                       /* of the query; NULL */
        bool has_body;
};

struct web_reply {
        unsigned status;
        const char *content_type;
        const char *allow, *authenticate; /* further headers; NULL */
        struct web_blob *body;            /* may be NULL */
        struct textbuf tail;              /* after body */
        bool close;
};
void web_answer(struct web *w, const struct web_request *request, struct web_reply *ret);
void web_reply_done(struct web_reply *r);

/* --- web_server.c ------------------------------------------------------------------------------------------------ */
int web_server_start(struct web *w, int epoll_fd, struct web_server **ret, struct errinfo *err);
/* Serves what is ready. */
void web_server_run(struct web_server *s);
/* Milliseconds until it must run again; -1: only when something comes in. */
int web_server_timeout(struct web_server *s);
void web_server_stop(struct web_server *s);

/* --- web_textfile.c ----------------------------------------------------------------------------------------- */
/* Writes it; logs a failure once until it works again. */
void web_textfile_write(struct web *w, double now_boot);
/* At an orderly end: levels of a web server that is gone must not live on in somebody else's metrics. */
void web_textfile_remove(struct web *w);

#endif
