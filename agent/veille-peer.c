/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* veille-peer: this host and its peers watch each other, and deliver each other's messages. Started by systemd (Type=notify) or by
 * hand. Fatal: a configuration that is wrong, a key that cannot be read or made, an address that cannot be had. Everything else
 * is shown and tried again. It decides nothing: what silence means for people is the brain's business. */

#include <malloc.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#include "common_clock.h"
#include "common_run.h"
#include "peer.h"
#include "version.h"

#define EXIT_BAD_CONFIG 78 /* EX_CONFIG */
#define SAVE_EVERY_US (30 * USEC_PER_SEC)

static const struct program program = {
        .name = "veille-peer",
        .summary = "watches other hosts with veille, and is watched by them",
        .notes = "Sections [peers] and [peer NAME] of the configuration are read; the key of this host and what was paired lie in --state/peer,\n"
                 "peer.sock in --run; --root is not used here. SIGHUP reads the configuration anew, SIGTERM ends.\n"
                 "Whom it knows and how they are: veillectl peer list\n",
};

/* The signals that came, one a call; 0: none. */
static int take_signal(int fd)
{
        struct signalfd_siginfo si;

        return read(fd, &si, sizeof(si)) == sizeof(si) ? (int)si.ssi_signo : 0;
}

static void reload(struct peerd *d)
{
        struct errinfo err = { 0 };

        sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)clock_boot_us());
        if (peer_table_read(d, &err) < 0)
                peer_log(PEER_ERROR, "%s; the old configuration stays in force", err.text);
        else
                peer_log(PEER_NOTICE, "configuration read anew (another listen = holds after a restart)");
        sd_notify(0, "READY=1");
}

static int wait_ms(struct peerd *d, int64_t now, int64_t mail_us)
{
        int ms = 1000, server = peer_server_timeout_ms(d);

        if (server >= 0)
                ms = MIN(ms, server);
        for (size_t i = 0; i < d->n_peers; i++)
                if (*d->peers[i]->entry.pin && !d->peers[i]->calling)
                        ms = MIN(ms, (int)MIN(MAX(d->peers[i]->next_us - now, 0) / USEC_PER_MSEC + 1, 1000));
        if (mail_us < INT64_MAX)
                ms = MIN(ms, (int)MIN(MAX(mail_us - now, 0) / USEC_PER_MSEC + 1, 1000));
        return ms;
}

static void loop(struct peerd *d, int signal_fd)
{
        struct curl_waitfd fds[PEER_FDS_MAX];
        int64_t saved_us = clock_boot_us();

        for (;;) {
                int64_t now = clock_boot_us(), mail_us;
                size_t n = 0;
                int number;

                peer_heart_step(d, now);
                mail_us = peer_mail_step(d, now);
                fds[n++] = (struct curl_waitfd){ .fd = signal_fd, .events = CURL_WAIT_POLLIN };
                n += peer_server_fds(d, fds + n, PEER_FDS_MAX - n);
                n += peer_link_fds(d, fds + n, PEER_FDS_MAX - n);
                n += peer_looks_fds(d, fds + n, PEER_FDS_MAX - n);
                curl_multi_poll(d->multi, fds, (unsigned)n, d->changed ? 0 : wait_ms(d, now, mail_us), NULL);
                peer_calls_run(d);
                peer_server_run(d);
                peer_looks_run(d, clock_boot_us());
                peer_link_run(d, clock_boot_us());
                if (now - saved_us >= SAVE_EVERY_US) {
                        peer_seen_save(d);
                        saved_us = now;
                }
                number = take_signal(signal_fd);
                if (number == SIGHUP)
                        reload(d);
                else if (number)
                        return;
        }
}

static int start(struct peerd *d, struct errinfo *err)
{
        int r = peer_table_read(d, err);

        if (r < 0)
                return r == -EINVAL ? -EBADMSG : r;
        r = peer_key_open(d, err);
        if (r >= 0 && mkdir(d->options.run, 0750) < 0 && errno != EEXIST)
                r = err_set(err, neg_errno(), "%s: %s", d->options.run, strerror(errno));
        if (r >= 0)
                r = peer_seen_open(d, err);
        if (r >= 0)
                r = peer_server_start(d, err);
        if (r >= 0)
                r = peer_link_start(d, err);
        peer_looks_start(d);
        return r;
}

int main(int argc, char *argv[])
{
        static struct peerd d = { .options = COMMON_OPTIONS_DEFAULT };
        struct errinfo err = { 0 };
        sigset_t mask;
        int signal_fd, r = program_start(&program, &d.options, NULL, &argc, argv, stdout, stderr);

        if (r <= 0)
                return r == 0 ? 0 : 3;
        umask(0027);
        mallopt(M_ARENA_MAX, 1);
        signal(SIGPIPE, SIG_IGN);
        sigemptyset(&mask);
        sigaddset(&mask, SIGTERM);
        sigaddset(&mask, SIGINT);
        sigaddset(&mask, SIGHUP);
        sigprocmask(SIG_BLOCK, &mask, NULL);
        signal_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
        run_host_name(d.host, sizeof(d.host));
        if (signal_fd < 0 || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
                abort();
        d.multi = curl_multi_init();
        r = start(&d, &err);
        if (r >= 0) {
                if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) < 0)
                        peer_log(PEER_INFO, "memory is not locked (%s): a dying root disk may silence this host", strerror(errno));
                sd_notify(0, "READY=1");
                peer_log(PEER_INFO, "veille-peer %s on %s, key SHA256:%s, knows %zu peers", VEILLE_VERSION, d.host, d.pin, d.n_peers);
                loop(&d, signal_fd);
                sd_notify(0, "STOPPING=1");
                peer_seen_save(&d);
        } else {
                fprintf(stderr, "veille-peer: %s\n", err.text);
        }
        peer_mail_stop();
        peer_calls_stop(&d);
        peer_link_stop(&d);
        peer_server_stop(&d);
        peer_looks_stop(&d);
        peer_table_free(&d);
        free(d.key_pem);
        free(d.cert_pem);
        close(signal_fd);
        curl_global_cleanup();
        return r == -EBADMSG ? EXIT_BAD_CONFIG : r < 0 ? 1 : 0;
}
