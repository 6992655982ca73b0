/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* RUN/control.sock: one JSON line in, one out. Whoever may connect may ping; acting is for root and group
 * veille-admin, asked of the kernel (SO_PEERCRED, SO_PEERGROUPS), not of the client. */

#include <grp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "brain_alert.h"
#include "utf8.h"

#define CLIENTS_MAX 8
#define REQUEST_MAX 4096
#define CLIENT_WAIT_US (5 * USEC_PER_SEC)
#define RELOAD_WAIT_US (15 * USEC_PER_SEC)
#define STORE_WAIT_US (3 * USEC_PER_SEC) /* for the store to confirm; then the answer is that it did not */
#define ADMIN_GROUP "veille-admin"

struct client {
        struct brain *b;
        int fd;
        sd_event_source *io, *timer;
        bool may_act, waiting; /* for the end of a reload */
        json_t *answer;        /* is given when the store has confirmed this number, or says why it does not */
        int64_t waits_for;
        size_t len;
        char buf[REQUEST_MAX];
        struct client *next;
};

struct brain_control {
        int fd;
        sd_event_source *io;
        struct client *clients;
        size_t n;
        gid_t admin;
        bool has_admin;
};

static void client_free(struct client *c)
{
        struct brain_control *control = c->b->control;

        for (struct client **p = &control->clients; *p; p = &(*p)->next)
                if (*p == c) {
                        *p = c->next;
                        control->n--;
                        break;
                }
        sd_event_source_disable_unref(c->io);
        sd_event_source_disable_unref(c->timer);
        close(c->fd);
        json_decref(c->answer);
        free(c);
}

json_t *control_failure(const char *fmt, ...)
{
        char text[512];
        va_list ap;

        va_start(ap, fmt);
        vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        return json_pack("{sb ss}", "ok", 0, "error", text);
}

/* Whether what was done is on disk, for the answer. */
static void add_stored(json_t *answer, bool stored, const char *why)
{
        json_object_set_new(answer, "stored", json_boolean(stored));
        if (!stored)
                json_object_set_new(answer, "why", utf8_json(why));
}

static json_t *do_accept(struct brain *b, const json_t *request)
{
        const char *component = json_string_value(json_object_get(request, "component"));
        const char *rule = json_string_value(json_object_get(request, "rule"));
        json_t *seconds = json_object_get(request, "for_s");
        int64_t for_s = json_integer_value(seconds);
        int n;

        if (seconds && (for_s < 1 || for_s > ACCEPT_MAX_S))
                return control_failure("for how long: a second to ten years");
        if (!component)
                return control_failure("say which component; veillectl status shows them");
        n = judge_accept(b->judge, component, rule, seconds ? brain_now_us() + for_s * USEC_PER_SEC : 0, brain_now_us());
        if (n == -ENOENT)
                return control_failure("there is no component '%s'; veillectl status shows them", component);
        if (n == 0)
                return control_failure("%s has nothing that can be accepted: only what grew or went away can be, not a level that still holds%s",
                               component, seconds ? "; and what is gone only for good" : "");
        brain_log(b, BRAIN_NOTICE, "%s: %d findings accepted as they are by an administrator", component, n);
        brain_publish_soon(b);
        brain_state_save(b);
        return json_pack("{sb si}", "ok", 1, "accepted", n);
}

static json_t *reloaded(int r, const struct errinfo *err)
{
        return r < 0 ? control_failure("%s; the old configuration stays in force", err->text) : json_pack("{sb}", "ok", 1);
}

/* NULL: brain_control_reloaded() answers. */
static json_t *do_reload(struct brain *b, const json_t *request UNUSED)
{
        struct errinfo err = { 0 };
        int r = brain_reload(b, &err);

        return r < 0 ? reloaded(r, &err) : NULL;
}

static json_t *do_poll(struct brain *b, const json_t *request)
{
        const char *check = json_string_value(json_object_get(request, "check"));

        if (check && !judge_check(b->judge, check))
                return control_failure("there is no check '%s'; veillectl checks lists them", check);
        brain_sched_hurry(b, check, LOOK_ALL);
        return json_pack("{sb}", "ok", 1);
}

static json_t *do_selftest(struct brain *b, const json_t *request)
{
        const char *component = json_string_value(json_object_get(request, "component"));
        const char *test = json_string_value(json_object_get(request, "test"));
        struct errinfo err = { 0 };
        char text[256];

        if (!component || !test)
                return control_failure("say which disk, and short or long");
        if (brain_selftest_ask(b, component, test, text, sizeof(text), &err) < 0)
                return control_failure("%s", err.text);
        brain_publish_soon(b);
        return json_pack("{sb ss}", "ok", 1, "text", text);
}

static json_t *do_ping(struct brain *b, const json_t *request UNUSED)
{
        return json_pack("{sb sI}", "ok", 1, "pid", (json_int_t)getpid(), "runs", (json_int_t)b->counters.runs);
}

static const struct {
        const char *cmd;
        bool acts;
        json_t *(*fn)(struct brain *b, const json_t *request);
        bool stored; /* it changed the memory: the answer says whether that is on disk */
} commands[] = {
        { "accept", true, do_accept, .stored = true },
        { "reload", true, do_reload },
        { "poll", true, do_poll },
        { "selftest", true, do_selftest },
        { "ack", true, brain_alert_ack },
        { "silence", true, brain_alert_silence },
        { "silence-end", true, brain_alert_silence_end },
        { "maintenance", true, brain_alert_maintenance },
        { "test-alert", true, brain_alert_test },
        { "hook-run", true, brain_hook_run },
        { "hook-confirm", true, brain_hook_confirm },
        { "ping", false, do_ping },
};

/* The answer to one request line, NULL: it comes later; for the fuzzer too. ret_wait: it is to be given when the store has confirmed that
 * number; 0: at once. */
json_t *brain_control_answer(struct brain *b, const char *text, size_t len, bool may_act, int64_t *ret_wait);
json_t *brain_control_answer(struct brain *b, const char *text, size_t len, bool may_act, int64_t *ret_wait)
{
        json_t *request = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL), *answer;
        const char *cmd = json_string_value(json_object_get(request, "cmd"));
        int64_t wait = -1;
        size_t i = 0;

        while (i < ARRAY_LEN(commands) && !(cmd && streq(cmd, commands[i].cmd)))
                i++;
        if (i == ARRAY_LEN(commands))
                answer = control_failure("the request is none that veilled knows");
        else if (commands[i].acts && !may_act)
                answer = control_failure("%s is for root and members of group %s", cmd, ADMIN_GROUP);
        else
                answer = commands[i].fn(b, request);
        json_decref(request);
        if (i < ARRAY_LEN(commands) && commands[i].stored && json_is_true(json_object_get(answer, "ok")))
                wait = brain_store_sync(b);
        if (wait == 0)
                add_stored(answer, false, brain_store_trouble(b));
        *ret_wait = MAX(wait, 0);
        return answer;
}

/* A few hundred bytes into an empty buffer: fits, or the client is not worth waiting for. Frees both. */
static void client_answer(struct client *c, json_t *answer)
{
        char *text = json_dumps(answer, JSON_COMPACT);

        json_decref(answer);
        if (text && send(c->fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
                send(c->fd, "\n", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
        free(text);
        client_free(c);
}

void brain_control_reloaded(struct brain *b, int r, const struct errinfo *err)
{
        struct client *next;

        for (struct client *c = b->control ? b->control->clients : NULL; c; c = next) {
                next = c->next;
                if (c->waiting)
                        client_answer(c, reloaded(r, err));
        }
}

static void answer_stored(struct client *c, bool stored, const char *why)
{
        add_stored(c->answer, stored, why);
        client_answer(c, take_ptr(c->answer));
}

void brain_control_stored(struct brain *b)
{
        const char *trouble = brain_store_trouble(b);

        for (struct client *c = b->control ? b->control->clients : NULL, *next; c; c = next) {
                next = c->next;
                if (!c->answer)
                        continue;
                if (brain_store_confirmed(b, c->waits_for))
                        answer_stored(c, true, "");
                else if (*trouble)
                        answer_stored(c, false, trouble);
        }
}

static int on_client(sd_event_source *source UNUSED, int fd, uint32_t revents UNUSED, void *data)
{
        struct client *c = data;
        ssize_t n = recv(fd, c->buf + c->len, sizeof(c->buf) - c->len, MSG_DONTWAIT);
        json_t *answer;
        char *nl;

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return 0;
        if (n > 0)
                c->len += (size_t)n;
        nl = memchr(c->buf, '\n', c->len);
        if (!nl && n > 0 && c->len < sizeof(c->buf))
                return 0;
        answer = nl ? brain_control_answer(c->b, c->buf, (size_t)(nl - c->buf), c->may_act, &c->waits_for) : NULL;
        if (answer && !c->waits_for) {
                client_answer(c, answer);
        } else if (nl) {
                c->answer = answer;
                c->waiting = !answer;
                c->io = sd_event_source_disable_unref(c->io);
                sd_event_source_set_time_relative(c->timer, answer ? STORE_WAIT_US : RELOAD_WAIT_US);
        } else {
                client_free(c);
        }
        return 0;
}

static int on_client_timeout(sd_event_source *source UNUSED, uint64_t usec UNUSED, void *data)
{
        struct client *c = data;

        if (c->answer)
                answer_stored(c, false, "veille-store has not confirmed it within 3 s");
        else
                client_free(c);
        return 0;
}

static bool peer_may_act(const struct brain_control *control, int fd)
{
        struct ucred cred;
        socklen_t len = sizeof(cred);
        gid_t groups[256];

        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
                return false;
        if (cred.uid == 0 || cred.uid == geteuid())
                return true;
        if (!control->has_admin)
                return false;
        if (cred.gid == control->admin)
                return true;
        len = sizeof(groups);
        if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) < 0)
                return false;
        for (size_t i = 0; i < len / sizeof(groups[0]); i++)
                if (groups[i] == control->admin)
                        return true;
        return false;
}

static int on_listen(sd_event_source *source UNUSED, int fd, uint32_t revents UNUSED, void *data)
{
        struct brain *b = data;
        struct client *c;
        int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (client < 0)
                return 0;
        if (b->control->n >= CLIENTS_MAX) {
                close(client);
                return 0;
        }
        c = calloc(1, sizeof(*c));
        if (!c)
                abort();
        *c = (struct client){ .b = b, .fd = client, .may_act = peer_may_act(b->control, client), .next = b->control->clients };
        b->control->clients = c;
        b->control->n++;
        if (sd_event_add_io(b->event, &c->io, client, EPOLLIN, on_client, c) < 0 ||
            sd_event_add_time_relative(b->event, &c->timer, CLOCK_BOOTTIME, CLIENT_WAIT_US, 0, on_client_timeout, c) < 0)
                client_free(c);
        return 0;
}

int brain_control_start(struct brain *b)
{
        struct brain_control *c = b->control = calloc(1, sizeof(*c));
        struct sockaddr_un sa = { .sun_family = AF_UNIX };
        struct group *g = getgrnam(ADMIN_GROUP); /* at start only: a name look-up may hang later */
        int n = snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/control.sock", b->options.run);

        if (!c)
                abort();
        c->fd = -1;
        if (n < 0 || (size_t)n >= sizeof(sa.sun_path))
                return -ENAMETOOLONG;
        c->has_admin = g != NULL;
        c->admin = g ? g->gr_gid : 0;
        c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (c->fd < 0)
                return neg_errno();
        unlink(sa.sun_path);
        if (bind(c->fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 || listen(c->fd, CLIENTS_MAX) < 0)
                return neg_errno();
        /* Members of veille-admin may connect without being in group veille, and nobody else can take their places. Without that
         * group (or when we are not in it: no systemd) the directory decides. Who may act is asked of the kernel each time. */
        if (c->has_admin && chown(sa.sun_path, (uid_t)-1, c->admin) == 0)
                chmod(sa.sun_path, 0660);
        else
                chmod(sa.sun_path, 0666);
        return sd_event_add_io(b->event, &c->io, c->fd, EPOLLIN, on_listen, b);
}

void brain_control_stop(struct brain *b)
{
        struct brain_control *c = b->control;
        char path[256];

        if (!c)
                return;
        while (c->clients)
                client_free(c->clients);
        sd_event_source_disable_unref(c->io);
        if (c->fd >= 0) {
                snprintf(path, sizeof(path), "%s/control.sock", b->options.run);
                unlink(path);
                close(c->fd);
        }
        free(c);
        b->control = NULL;
}
