/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Letters on their way: a queue for each sink, tried until the sink has taken them, each attempt by a veille-notify of its
 * own (RUN/notify.sock under systemd, else started by us). A sink that hangs holds up its own letters only. The queue is kept in
 * RUN/alerts.json and in the store; what was under way when we died is tried again, with its number of attempts in it. */

#include <fcntl.h>
#include <linux/sockios.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "brain_notify.h"
#include "brain_program.h"

#define MANAGER_EVERY_US (60 * USEC_PER_SEC)
#define MANAGER_OVER_US (900 * USEC_PER_SEC) /* what is over is told again for so long */
#define UNREAD_US (5 * USEC_PER_SEC)         /* so long a request may wait for somebody to read it */
#define SECRET_MAX 4096
#define TEMPLATE_MAX (64 * 1024)

/* --- sinks --------------------------------------------------------------------------------------------------- */

static struct sink *sink_find(struct brain_notify *n, const char *name)
{
        for (size_t i = 0; i < n->n_sinks; i++)
                if (streq(n->sinks[i].name, name))
                        return &n->sinks[i];
        return NULL;
}

/* A regular file of at most max bytes; the caller frees it. */
static char *read_file(const char *path, size_t max, struct errinfo *err)
{
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        struct stat st;
        char *text;
        ssize_t n;

        if (fd < 0 || fstat(fd, &st) < 0) {
                err_set(err, neg_errno(), "%s: %s", path, strerror(errno));
                return NULL;
        }
        if (!S_ISREG(st.st_mode) || (size_t)st.st_size > max) {
                err_set(err, -EINVAL, "%s: is no regular file of at most %zu bytes", path, max);
                return NULL;
        }
        text = calloc(1, max + 1);
        if (!text)
                abort();
        n = read(fd, text, max);
        if (n < 0) {
                err_set(err, neg_errno(), "%s: %s", path, strerror(errno));
                free(take_ptr(text));
        }
        return text;
}

/* Replaces key_file of a sink by the first line of the file under key. */
static void take_secret(struct sink *s, const char *file_key, const char *key)
{
        const char *path = json_string_value(json_object_get(s->doc, file_key));
        _cleanup_free_ char *text = NULL;
        struct errinfo err = { 0 };
        json_t *v;

        if (!path)
                return;
        text = read_file(path, SECRET_MAX, &err);
        if (text)
                text[strcspn(text, "\r\n")] = '\0';
        v = text && *text ? json_string(text) : NULL;
        if (!v)
                snprintf(s->broken, sizeof(s->broken), "%s", *err.text ? err.text : "the file of a secret is empty or no text");
        json_object_set_new(s->doc, key, v ? v : json_string(""));
        json_object_del(s->doc, file_key);
}

static void take_template(struct sink *s)
{
        const char *path = json_string_value(json_object_get(s->doc, "template_file"));
        _cleanup_free_ char *text = NULL;
        struct errinfo err = { 0 };
        json_error_t error;
        json_t *v;

        if (!path)
                return;
        text = read_file(path, TEMPLATE_MAX, &err);
        v = text ? json_loads(text, JSON_REJECT_DUPLICATES, &error) : NULL;
        if (!v && text)
                err_set(&err, -EINVAL, "%s:%d: %s", path, error.line, error.text);
        if (!v)
                snprintf(s->broken, sizeof(s->broken), "%s", err.text);
        else
                json_object_set_new(s->doc, "template", v);
        json_object_del(s->doc, "template_file");
}

static void sinks_free(struct sink *sinks, size_t n)
{
        for (size_t i = 0; i < n; i++)
                json_decref(sinks[i].doc);
        free(sinks);
}

static void take_sink(struct brain *b, struct sink *s, const char *name)
{
        const struct sink *before = sink_find(b->notify, name);
        struct errinfo err = { 0 };

        *s = (struct sink){ .type = SINK_TYPE_MAX };
        snprintf(s->name, sizeof(s->name), "%s", name);
        if (before) { /* what is known of it, and whether something is under way, stays */
                s->failures = before->failures;
                s->delivered = before->delivered;
                s->failed = before->failed;
                s->next_us = before->next_us;
                s->last_us = before->last_us;
                s->good_us = before->good_us;
                s->busy = before->busy;
                memcpy(s->last, before->last, sizeof(s->last));
        }
        s->doc = sink_config_json(b->config, name, &s->type, &err);
        assert(s->doc); /* was checked before the configuration came into force */
        take_secret(s, "password_file", "password");
        take_secret(s, "secret_file", "secret");
        take_secret(s, "token_file", "token");
        take_template(s);
        if (*s->broken)
                brain_self(b, "sinks", VERDICT_FAILED, "[sink %s]: %s", name, s->broken);
}

void brain_notify_reload(struct brain *b)
{
        const char *const *names = config_section_names(b->config, "sink");
        struct sink *sinks = calloc(ALERT_SINKS_MAX, sizeof(*sinks));
        size_t n = 0;
        bool broken = false;

        if (!sinks)
                abort();
        for (size_t i = 0; names[i] && n < ALERT_SINKS_MAX; i++)
                if (!sink_config_is_off(b->config, names[i]))
                        take_sink(b, &sinks[n++], names[i]);
        sinks_free(b->notify->sinks, b->notify->n_sinks);
        b->notify->sinks = sinks;
        b->notify->n_sinks = n;
        for (size_t i = 0; i < n; i++)
                broken |= *sinks[i].broken != '\0';
        if (!broken)
                brain_self(b, "sinks", VERDICT_OK, "%s", "");
        letters_drop_lost(b);
        names_fix(b, config_string(b->config, "deadman", NULL, "url"));
        names_take(b);
        brain_notify_managers_soon(b);
}

/* --- one delivery ----------------------------------------------------------------------------------------------- */

static void delivery_free(struct delivery *d)
{
        struct brain_notify *n = d->b->notify;

        for (struct delivery **p = &n->deliveries; *p; p = &(*p)->next)
                if (*p == d) {
                        *p = d->next;
                        break;
                }
        sd_event_source_disable_unref(d->io);
        sd_event_source_disable_unref(d->timer);
        sd_event_source_disable_unref(d->unread);
        sd_event_source_disable_unref(d->child);
        if (d->fd >= 0)
                close(d->fd);
        free(d->request);
        free(d);
}

/* The answer, or its absence: what becomes of the letter and what is known of the sink. */
static void delivery_end(struct delivery *d, const json_t *answer, const char *why)
{
        struct brain *b = d->b;
        struct sink *s = sink_find(b->notify, d->sink);
        const char *text = json_string_value(json_object_get(answer, "text")), *error = json_string_value(json_object_get(answer, "error"));
        bool good = json_is_true(json_object_get(answer, "ok"));
        int64_t now = brain_now_us();

        if (d->ended)
                return;
        d->ended = true;
        if (!good)
                why = error ? error : why;
        if (d->ping) {
                deadman_end(b, answer, why);
                return;
        }
        if (*d->host) {
                names_end(b, d->host, answer, why);
                return;
        }
        if (s) {
                s->busy = false;
                s->last_us = now;
                if (good)
                        s->good_us = now;
                s->failures = good ? 0 : s->failures + 1;
                s->delivered += good;
                s->failed += !good;
                snprintf(s->last, sizeof(s->last), "%s", good ? text ? text : "taken" : why);
                if (s->type == SINK_ALERTMANAGER && !good)
                        s->next_us = now + letter_backoff_us(s->failures);
        }
        if (!*d->letter) { /* of an Alertmanager: there is always a next one */
        } else {
                letter_end(b, d->letter, d->sink, good, good ? (text ? text : "") : why, json_is_true(json_object_get(answer, "permanent")));
        }
        if (s && s->failures >= 3)
                brain_self(b, "delivery", VERDICT_FAILED, "[sink %s] takes no messages: %s; they are kept and tried again", d->sink, why);
        else if (good && !sinks_failing(b))
                brain_self(b, "delivery", VERDICT_OK, "%s", "");
        brain_alert_wake(b);
}

static void flush_request(struct delivery *d)
{
        while (d->sent < d->len) {
                ssize_t w = send(d->fd, d->request + d->sent, d->len - d->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

                if (w < 0 && errno == EINTR)
                        continue;
                if (w < 0)
                        break; /* full: again when there is room; broken: reading will tell */
                d->sent += (size_t)w;
        }
        if (d->sent == d->len)
                shutdown(d->fd, SHUT_WR);
        if (d->io)
                sd_event_source_set_io_events(d->io, EPOLLIN | (d->sent < d->len ? EPOLLOUT : 0));
}

static void close_delivery(struct delivery *d)
{
        d->io = sd_event_source_disable_unref(d->io);
        d->timer = sd_event_source_disable_unref(d->timer);
        d->unread = sd_event_source_disable_unref(d->unread);
        close(take_fd(&d->fd));
        if (d->pid <= 0)
                delivery_free(d); /* else when the child is reaped */
}

static int on_io(sd_event_source *source UNUSED, int fd, uint32_t revents, void *data)
{
        struct delivery *d = data;
        ssize_t r;
        json_t *answer;

        if (revents & EPOLLOUT)
                flush_request(d);
        if (!(revents & (EPOLLIN | EPOLLHUP | EPOLLERR)))
                return 0;
        r = recv(fd, d->answer + d->answer_len, sizeof(d->answer) - d->answer_len, MSG_DONTWAIT);
        if (r < 0 && (errno == EAGAIN || errno == EINTR))
                return 0;
        if (r > 0)
                d->answer_len += (size_t)r;
        if (r > 0 && !memchr(d->answer, '\n', d->answer_len) && d->answer_len < sizeof(d->answer))
                return 0;
        answer = json_loadb(d->answer, d->answer_len, JSON_REJECT_DUPLICATES, NULL);
        delivery_end(d, answer, "veille-notify ended without an answer");
        json_decref(answer);
        close_delivery(d);
        return 0;
}

static int on_timeout(sd_event_source *source UNUSED, uint64_t usec UNUSED, void *data)
{
        struct delivery *d = data;

        if (d->pid > 0)
                kill(d->pid, SIGKILL);
        delivery_end(d, NULL, "no answer in time");
        close_delivery(d);
        return 0;
}

static int on_child(sd_event_source *source UNUSED, const siginfo_t *si UNUSED, void *data)
{
        struct delivery *d = data;

        d->pid = 0;
        if (d->fd < 0)
                delivery_free(d);
        return 0;
}

/* The request as text; NULL when it cannot be written. */
static char *make_request(const struct brain *b, const struct sink *s, const struct letter *l, json_t *facts)
{
        json_t *doc = json_pack("{sO si so}", "sink", s->doc, "attempt", l ? (int)l->attempts : 1, "addresses", names_of(b, s));
        char *text, *line = NULL;

        if (l)
                json_object_set(doc, "message", l->message);
        else
                json_object_set(doc, "alerts", facts);
        text = json_dumps(doc, JSON_COMPACT | JSON_REAL_PRECISION(15));
        json_decref(doc);
        if (text && asprintf(&line, "%s\n", text) < 0)
                abort();
        free(text);
        return line;
}

static int watch(struct delivery *d)
{
        int r = sd_event_add_io(d->b->event, &d->io, d->fd, EPOLLIN, on_io, d);

        if (r >= 0 && d->pid > 0)
                r = sd_event_add_child(d->b->event, &d->child, d->pid, WEXITED, on_child, d);
        return r;
}

/* The connection waits in a queue, and whoever should take it does not: PID 1 hangs in a write to the dead disk, say. Then it is
 * taken back (veille-notify sends nothing for one who has gone) and we start one ourselves. */
static int on_unread(sd_event_source *source UNUSED, uint64_t usec UNUSED, void *data)
{
        struct delivery *d = data;
        int left = 0, fd;

        if (d->ended || d->fd < 0 || ioctl(d->fd, SIOCOUTQ, &left) < 0 || left == 0)
                return 0;
        fd = life_spawn_notify(d->b, &d->pid);
        if (fd < 0)
                return 0;
        brain_log(d->b, BRAIN_WARNING, "nobody takes what is sent to %s/notify.sock: veille-notify is started without it", d->b->options.run);
        d->io = sd_event_source_disable_unref(d->io);
        close(d->fd);
        d->fd = fd;
        d->sent = 0;
        if (watch(d) < 0) {
                on_timeout(NULL, 0, d);
                return 0;
        }
        flush_request(d);
        return 0;
}

/* What can fail in starting. */
static int delivery_begin(struct delivery *d, int64_t timeout_s)
{
        int r;

        if (!d->request)
                return -EPROTO;
        d->fd = program_connect(d->b->options.run, "notify");
        if (d->fd == -ENOENT || d->fd == -ECONNREFUSED)
                d->fd = life_spawn_notify(d->b, &d->pid);
        if (d->fd < 0)
                return d->fd;
        r = watch(d);
        if (r >= 0)
                r = sd_event_add_time_relative(d->b->event, &d->timer, CLOCK_BOOTTIME, (uint64_t)(timeout_s + 8) * USEC_PER_SEC, 0, on_timeout, d);
        if (r >= 0 && d->pid <= 0)
                r = sd_event_add_time_relative(d->b->event, &d->unread, CLOCK_BOOTTIME, UNREAD_US, 0, on_unread, d);
        if (r >= 0)
                flush_request(d);
        return r;
}

static void delivery_any(struct brain *b, struct sink *s, const char *letter, const char *host, bool ping, char *request, int64_t timeout_s)
{
        struct delivery *d = calloc(1, sizeof(*d));
        int r;

        if (!d)
                abort();
        d->b = b;
        d->fd = -1;
        d->ping = ping;
        d->request = request;
        d->len = request ? strlen(request) : 0;
        snprintf(d->sink, sizeof(d->sink), "%s", s ? s->name : "");
        snprintf(d->letter, sizeof(d->letter), "%s", letter);
        snprintf(d->host, sizeof(d->host), "%s", host);
        d->next = b->notify->deliveries;
        b->notify->deliveries = d;
        if (s)
                s->busy = true;
        r = delivery_begin(d, timeout_s);
        if (r >= 0)
                return;
        d->fd = MAX(d->fd, -1);
        if (d->pid > 0) {
                kill(d->pid, SIGKILL);
                if (!d->child)
                        waitpid(d->pid, NULL, 0);
        }
        delivery_end(d, NULL, strerror(-r));
        delivery_free(d);
}

void delivery_run(struct brain *b, struct sink *s, const char *letter, const char *host, char *request, int64_t timeout_s)
{
        delivery_any(b, s, letter, host, false, request, timeout_s);
}

void delivery_ping(struct brain *b, char *request, int64_t timeout_s)
{
        delivery_any(b, NULL, "", "", true, request, timeout_s);
}

void delivery_start(struct brain *b, struct sink *s, struct letter *l, json_t *facts)
{
        int64_t timeout = json_integer_value(json_object_get(s->doc, "timeout"));

        delivery_run(b, s, l ? l->id : "", "", make_request(b, s, l, facts), MAX(timeout, 1));
}

/* --- Alertmanagers ------------------------------------------------------------------------------------------------- */

void brain_notify_managers_soon(struct brain *b)
{
        if (!b->notify)
                return;
        for (size_t i = 0; i < b->notify->n_sinks; i++)
                if (b->notify->sinks[i].type == SINK_ALERTMANAGER && b->notify->sinks[i].failures == 0)
                        b->notify->sinks[i].next_us = 0;
}

static void feed_managers(struct brain *b, int64_t now_us)
{
        for (size_t i = 0; i < b->notify->n_sinks; i++) {
                struct sink *s = &b->notify->sinks[i];
                json_t *facts;

                if (s->type != SINK_ALERTMANAGER || s->busy || *s->broken || s->next_us > now_us)
                        continue;
                s->next_us = now_us + MANAGER_EVERY_US;
                /* What ended while it did not listen, too. */
                facts = brain_alert_facts(b, s->good_us ? s->good_us - MANAGER_OVER_US : 0);
                if (json_array_size(facts) > 0)
                        delivery_start(b, s, NULL, facts);
                json_decref(facts);
        }
}

/* --- all ------------------------------------------------------------------------------------------------------------- */

/* The letter that the sink is to get now; NULL. What cannot be sent at all is put off here. */
static struct letter *next_letter(struct brain *b, const struct sink *s, int64_t now_us)
{
        struct letter *l = s->busy || s->type == SINK_ALERTMANAGER ? NULL : letter_due(b, s->name, now_us);

        if (l && *s->broken) { /* waits until somebody mends it and reloads; who tests it is told */
                letter_end(b, l->id, s->name, false, s->broken, true);
                return NULL;
        }
        if (l)
                l->attempts++;
        return l;
}

void brain_notify_step(struct brain *b, int64_t now_us)
{
        struct letter *due[ALERT_SINKS_MAX] = { NULL };
        bool any = false;

        for (size_t i = 0; i < b->notify->n_sinks; i++) {
                due[i] = next_letter(b, &b->notify->sinks[i], now_us);
                any |= due[i] != NULL;
        }
        /* First the attempt is on record, then it is made: when we die in between, the next one has another number. */
        if (any)
                brain_alert_write(b);
        for (size_t i = 0; i < b->notify->n_sinks; i++)
                if (due[i])
                        delivery_start(b, &b->notify->sinks[i], due[i], NULL);
        feed_managers(b, now_us);
        names_step(b, now_us);
        life_look(b, now_us);
}

int brain_notify_start(struct brain *b)
{
        b->notify = calloc(1, sizeof(*b->notify));
        if (!b->notify)
                abort();
        brain_notify_reload(b);
        return 0;
}

void brain_notify_stop(struct brain *b)
{
        struct brain_notify *n = b->notify;

        if (!n)
                return;
        while (n->deliveries) {
                if (n->deliveries->pid > 0)
                        kill(n->deliveries->pid, SIGKILL);
                delivery_free(n->deliveries);
        }
        letters_free(b);
        names_free(b);
        sinks_free(n->sinks, n->n_sinks);
        json_decref(n->life);
        free(n);
        b->notify = NULL;
}
