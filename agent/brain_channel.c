/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "brain_channel.h"
#include "brain_program.h"

#define LINE_MAX_LEN 16640 /* a line of a child of veille-probe, and the name of its check */
#define OUTPUT_MAX (16 * 1024 * 1024) /* of one request */
#define REQUEST_MAX 49152             /* with braces and what else is around it still below what veille-probe reads */

struct member {
        const struct check_desc *check;
        char *text; /* its request, until it is sent */
        channel_line_fn on_line;
        channel_over_fn on_over; /* NULL: it is over */
        void *asked;
};

struct channel {
        struct brain *b;
        enum privilege privilege;
        bool sent;
        pid_t pid; /* 0: reached by socket, or reaped */
        int fd;
        sd_event_source *io, *child;
        struct member members[CATALOG_SEVERAL_MAX];
        size_t n, text_len, total, len;
        struct channel *next;
        char buf[LINE_MAX_LEN];
};

static struct channel *channels;

static void channel_free(struct channel *c)
{
        struct channel **p = &channels;

        while (*p && *p != c)
                p = &(*p)->next;
        if (*p)
                *p = c->next;
        sd_event_source_disable_unref(c->io);
        sd_event_source_disable_unref(c->child);
        if (c->fd >= 0)
                close(c->fd);
        for (size_t i = 0; i < c->n; i++)
                free(c->members[i].text);
        free(c);
}

static void member_over(struct member *m, enum verdict verdict, const char *why)
{
        channel_over_fn on_over = m->on_over;

        m->on_over = NULL;
        if (on_over)
                on_over(m->asked, verdict, why);
}

void channel_over(struct channel *c, enum verdict verdict, const char *why)
{
        c->sent = true; /* nobody is added any more */
        for (size_t i = 0; i < c->n; i++)
                member_over(&c->members[i], verdict, why);
        c->io = sd_event_source_disable_unref(c->io);
        if (c->fd >= 0)
                close(c->fd);
        c->fd = -1;
        if (c->pid > 0)
                kill(c->pid, SIGKILL); /* on_child() frees */
        else
                channel_free(c);
}

static void bad_line(struct channel *c, const char *what)
{
        if (c->b->counters.bad_lines++ < 20)
                brain_log(c->b, BRAIN_WARNING, "probe %s: a line that is ignored: %s", privilege_name(c->privilege), what);
}

/* Where several asked, each line names the check it is about; without one it is about the request as a whole. */
static void route(struct channel *c, const json_t *line)
{
        const char *check = json_string_value(json_object_get(line, "check"));
        const char *type = json_string_value(json_object_get(line, "type"));
        bool known = false;

        for (size_t i = 0; i < c->n; i++) {
                struct member *m = &c->members[i];

                if (c->n > 1 && check && !streq(m->check->name, check))
                        continue;
                known = true;
                if (!m->on_over)
                        continue;
                if (c->n > 1 && check && type && streq(type, "over"))
                        member_over(m, VERDICT_FAILED, "the probe ended without a result");
                else
                        m->on_line(m->asked, line);
        }
        if (!known)
                bad_line(c, "it is about a check that was not asked for");
}

static void handle_line(struct channel *c, const char *text, size_t len)
{
        json_t *line = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);

        if (!line && c->n > 1)
                bad_line(c, "no JSON object");
        else
                route(c, line);
        json_decref(line);
}

static int on_io(sd_event_source *s UNUSED, int fd, uint32_t revents UNUSED, void *data)
{
        struct channel *c = data;
        ssize_t n = recv(fd, c->buf + c->len, sizeof(c->buf) - c->len, MSG_DONTWAIT);
        char *nl, *start = c->buf;

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return 0;
        if (n <= 0) {
                channel_over(c, VERDICT_FAILED, "the probe ended without a result");
                return 0;
        }
        c->len += (size_t)n;
        c->total += (size_t)n;
        while ((nl = memchr(start, '\n', c->len - (size_t)(start - c->buf)))) {
                handle_line(c, start, (size_t)(nl - start));
                start = nl + 1;
        }
        c->len -= (size_t)(start - c->buf);
        memmove(c->buf, start, c->len);
        if (c->len == sizeof(c->buf) || c->total > OUTPUT_MAX * c->n)
                channel_over(c, VERDICT_FAILED,
                             c->len == sizeof(c->buf) ? "the probe printed a line that is too long" : "the probe prints without end");
        return 0;
}

static int on_child(sd_event_source *s UNUSED, const siginfo_t *si UNUSED, void *data)
{
        struct channel *c = data;

        c->pid = 0;
        if (c->fd < 0)
                channel_free(c);
        return 0;
}

static int connect_probe(struct brain *b, enum privilege privilege)
{
        char name[64];
        int fd;

        snprintf(name, sizeof(name), "probe-%s", privilege_name(privilege));
        fd = program_connect(b->options.run, name);
        b->counters.connects += fd >= 0;
        return fd;
}

static int spawn_probe(struct brain *b, pid_t *ret_pid)
{
        char *argv[] = { (char *)b->probe, (char *)"--root",  (char *)b->options.root, (char *)"--config",
                         (char *)b->options.config, (char *)"serve", NULL };
        int fd = program_spawn(b->probe, argv, ret_pid);

        b->counters.spawns += fd >= 0;
        return fd;
}

static int channel_open(struct brain *b, enum privilege privilege, struct channel **ret)
{
        struct channel *c = calloc(1, sizeof(*c));
        int r;

        if (!c)
                abort();
        *c = (struct channel){ .b = b, .privilege = privilege, .fd = -ENOENT };
        /* Without the socket (no systemd, a test) the probe is started as what we are, and says "denied" where that is too little. */
        if (privilege != PRIVILEGE_NONE)
                c->fd = connect_probe(b, privilege);
        if (c->fd == -ENOENT || c->fd == -ECONNREFUSED)
                c->fd = spawn_probe(b, &c->pid);
        r = c->fd < 0 ? c->fd : sd_event_add_io(b->event, &c->io, c->fd, EPOLLIN, on_io, c);
        if (r >= 0 && c->pid > 0)
                r = sd_event_add_child(b->event, &c->child, c->pid, WEXITED, on_child, c);
        if (r < 0) {
                if (c->pid > 0) {
                        kill(c->pid, SIGKILL);
                        waitpid(c->pid, NULL, WNOHANG);
                }
                channel_free(c);
                return r;
        }
        c->next = channels;
        channels = c;
        *ret = c;
        return 0;
}

/* Plugins are strangers' programs, and each is asked anew what it can do: theirs are never shared. */
static struct channel *one_to_add_to(const struct brain *b, enum privilege privilege, size_t text_len)
{
        for (struct channel *c = channels; c && privilege != PRIVILEGE_PLUGIN; c = c->next)
                if (!c->sent && c->privilege == privilege && c->n < b->catalog.several && c->text_len + text_len <= REQUEST_MAX)
                        return c;
        return NULL;
}

bool channel_waits(const struct brain *b, enum privilege privilege)
{
        return one_to_add_to(b, privilege, 0) != NULL;
}

int channel_add(struct brain *b, const struct check_desc *check, json_t *request, channel_line_fn on_line, channel_over_fn on_over,
                void *asked, struct channel **ret)
{
        char *text = json_dumps(request, JSON_COMPACT);
        struct channel *c;
        int r = 0;

        json_decref(request);
        if (!text)
                abort();
        c = one_to_add_to(b, check->privilege, strlen(text));
        if (!c)
                r = channel_open(b, check->privilege, &c);
        if (r < 0) {
                free(text);
                return r;
        }
        c->text_len += strlen(text) + 1;
        c->members[c->n++] = (struct member){ .check = check, .text = text, .on_line = on_line, .on_over = on_over, .asked = asked };
        *ret = c;
        return 0;
}

/* One request as it is; several as {"op":"several","requests":[...]}. */
static int channel_send(struct channel *c)
{
        _cleanup_free_ char *text = NULL;
        size_t len = 0;
        _cleanup_fclose_ FILE *f = open_memstream(&text, &len);

        if (!f)
                abort();
        fputs(c->n > 1 ? "{\"op\":\"several\",\"requests\":[" : "", f);
        for (size_t i = 0; i < c->n; i++) {
                fprintf(f, "%s%s", i ? "," : "", c->members[i].text);
                free(c->members[i].text);
                c->members[i].text = NULL;
        }
        fputs(c->n > 1 ? "]}\n" : "\n", f);
        if (fflush(f) != 0)
                abort();
        return send(c->fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)len ? 0 : -EIO;
}

void channels_send(void)
{
        struct channel *c = channels;

        while (c) {
                struct channel *next = c->next;

                if (c->sent) {
                        c = next;
                        continue;
                }
                c->sent = true;
                if (channel_send(c) < 0)
                        channel_over(c, VERDICT_FAILED, "no probe could be started: it took no request");
                c = channels; /* whoever was told may have opened others */
        }
}

void channels_drop(void)
{
        while (channels) {
                if (channels->pid > 0)
                        kill(channels->pid, SIGKILL);
                channel_free(channels);
        }
}
