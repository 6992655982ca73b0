/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* veilled, the brain: decides what is measured when, judges it and tells. Runs without any capability, touches
 * no device; a disk that hangs hangs a probe. Started by systemd (Type=notify), or by hand: see veilled(8).
 * Fatal: a config that cannot be read at start, no probe, no RUN directory. Everything else is shown and retried. */

#include <malloc.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#include "brain.h"
#include "brain_events.h"
#include "common_life.h"
#include "version.h"

#define EXIT_BAD_CONFIG 78 /* EX_CONFIG: systemd calls it so too, and the unit does not try again */

static const struct option_row own_options[] = {
        { "probe", "FILE", "the veille-probe to run, default: beside this program", offsetof(struct brain, probe) },
        { "life", "DIR", "the copy in memory of veille-notify, default: " LIFE_DIR, offsetof(struct brain, life) },
        { 0 },
};

static const struct program program = {
        .name = "veilled",
        .summary = "watches this host and judges what it sees",
        .options = own_options,
        .notes = "--root is handed on to the probes; in --state only veille-store writes.\n"
                 "Standard input may be /dev/kmsg: then kernel messages are judged as they come.\n"
                 "SIGHUP reads the configuration anew, SIGTERM ends. What it sees: veillectl status\n",
};

/* Beside our own file: an installed veilled finds the installed probe, a built one the built one. */
static const char *default_probe(void)
{
        static char path[4096];
        ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 32);
        char *slash;

        path[MAX(n, 0)] = '\0';
        slash = strrchr(path, '/');
        strcpy(slash ? slash + 1 : path, "veille-probe");
        return path;
}

static int on_sighup(sd_event_source *s UNUSED, const struct signalfd_siginfo *si UNUSED, void *data)
{
        struct errinfo err = { 0 };

        brain_reload(data, &err);
        return 0;
}

/* Pages that must be there when the root disk is not. Data that is not written yet need not be. */
static void lock_memory(struct brain *b)
{
        if (mlockall(MCL_CURRENT) < 0 || mlockall(MCL_FUTURE | MCL_ONFAULT) < 0)
                brain_log(b, BRAIN_INFO, "memory is not locked (%s): a dying root disk may stop the brain", strerror(errno));
}

/* Locked memory cannot be given back but from the end of the heap. glibc would stop doing even that once a large block (the
 * text of the catalogue) was freed, so the limits are fixed. */
static void keep_heap_small(void)
{
        mallopt(M_MMAP_THRESHOLD, 64 * 1024);
        mallopt(M_TRIM_THRESHOLD, 64 * 1024);
        mallopt(M_TOP_PAD, 16 * 1024);
        mallopt(M_ARENA_MAX, 1);
}

static const struct {
        const char *what;
        int (*start)(struct brain *b);
        void (*stop)(struct brain *b);
} parts[] = {
        { "self-tests", brain_selftest_start, brain_selftest_stop },
        { "alerts", brain_alert_start, brain_alert_stop },
        { "hooks", brain_hook_start, brain_hook_stop },
        { "store link", brain_store_start, brain_store_stop },
        { "publishing", brain_publish_start, brain_publish_stop },
        { "control socket", brain_control_start, brain_control_stop },
        { "schedule", brain_sched_start, brain_sched_stop },
        { "kernel log", brain_kmsg_start, brain_kmsg_stop },
        { "kernel events", brain_uevent_start, brain_uevent_stop },
        { "md events", brain_md_start, brain_md_stop },
        { "peers", brain_peer_start, brain_peer_stop },
        { "dead man's switch", brain_deadman_start, brain_deadman_stop },
};

static int run(struct brain *b)
{
        size_t started = 0;
        int r = 0;

        for (; started < ARRAY_LEN(parts) && r >= 0; started++) {
                r = parts[started].start(b);
                if (r < 0)
                        fprintf(stderr, "veilled: %s in %s: %s\n", parts[started].what, b->options.run, strerror(-r));
        }
        if (r >= 0) {
                lock_memory(b);
                sd_notify(0, "READY=1");
                brain_log(b, BRAIN_INFO, "veilled %s watches %s", VEILLE_VERSION, b->host);
                r = sd_event_loop(b->event);
                sd_notify(0, "STOPPING=1");
                brain_state_save(b);
        }
        while (started-- > 0)
                parts[started].stop(b);
        return r;
}

static int setup(struct brain *b)
{
        struct errinfo err = { 0 };
        sigset_t mask;
        int r;

        umask(0027);
        signal(SIGPIPE, SIG_IGN);
        sigemptyset(&mask);
        sigaddset(&mask, SIGTERM);
        sigaddset(&mask, SIGINT);
        sigaddset(&mask, SIGHUP);
        sigaddset(&mask, SIGCHLD);
        sigprocmask(SIG_BLOCK, &mask, NULL);
        r = sd_event_default(&b->event);
        if (r >= 0)
                r = sd_event_add_signal(b->event, NULL, SIGTERM, NULL, NULL);
        if (r >= 0)
                r = sd_event_add_signal(b->event, NULL, SIGINT, NULL, NULL);
        if (r >= 0)
                r = sd_event_add_signal(b->event, NULL, SIGHUP, on_sighup, b);
        if (r >= 0)
                r = sd_event_set_watchdog(b->event, true);
        if (r < 0) {
                fprintf(stderr, "veilled: event loop: %s\n", strerror(-r));
                return r;
        }
        if (mkdir(b->options.run, 0750) < 0 && errno != EEXIST) {
                fprintf(stderr, "veilled: %s: %s\n", b->options.run, strerror(errno));
                return neg_errno();
        }
        b->events = kept_open(b->options.run);
        r = brain_reload_first(b, &err);
        if (r == -ECANCELED)
                return r;
        if (r < 0) {
                fprintf(stderr, "veilled: %s\n", err.text);
                return r;
        }
        brain_state_load(b);
        return 0;
}

int main(int argc, char *argv[])
{
        struct brain b = { .options = COMMON_OPTIONS_DEFAULT, .probe = default_probe(), .life = LIFE_DIR };
        const char *name;
        int r = program_start(&program, &b.options, &b, &argc, argv, stdout, stderr);

        if (r <= 0)
                return r == 0 ? 0 : 3;
        keep_heap_small();
        b.started_wall_us = brain_wall_us();
        gethostname(b.host, sizeof(b.host) - 1);
        r = setup(&b);
        if (r >= 0) {
                name = config_string(b.config, "host", NULL, "name");
                if (name)
                        snprintf(b.host, sizeof(b.host), "%s", name);
                r = run(&b);
        }
        brain_reload_stop(&b);
        brain_catalog_stop();
        brain_journal_stop(&b);
        judge_free(b.judge);
        kept_close(b.events);
        catalog_done(&b.catalog);
        config_free(b.config);
        sd_event_unref(b.event);
        if (r == -EINVAL && !b.judge)
                return EXIT_BAD_CONFIG;
        if (r == -ECANCELED)
                return 0;
        return r < 0 ? 1 : 0;
}
