/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* See brain_events.h. The file has a line an event: the boot clock, a space, the line for the store. It is only appended to;
 * when all is done with it is cut to nothing, and written anew when most of it is. What is read from it is checked like anything
 * from outside: the brain may have died in the middle of a line. */

#include "brain_events.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

#include "common_file.h"
#include "event_rank.h"
#include "level.h"
#include "utf8.h"

#define FILE_NAME "events.jsonl"
#define FILE_BYTES_MAX (4 * KEPT_BYTES_MAX)
#define LINE_BYTES_MAX 16384
#define TIDY_BYTES (64 * 1024) /* a smaller file is not worth writing anew */

struct kept_event {
        struct kept_event *next;
        int64_t seq;     /* sent with it; 0: not over this connection */
        int64_t boot_us;
        bool confirmed, in_state;
        unsigned rank;
        size_t len;      /* of text */
        char *id;        /* behind text */
        char text[];
};

struct kept {
        struct kept_event *events, **end;
        size_t n, n_unconfirmed, bytes;
        char dir[200];
        int fd;
        int error;
        size_t file_bytes, dead_bytes; /* of the file; of these, lines of forgotten events */
        bool torn;                     /* the file ends within a line */
        bool missing;                  /* something is kept that the file has not */
        char source[20];
        uint64_t number;               /* of the next id */
        uint64_t lost;
        uint64_t risked;               /* dropped here, but the store has been told of them */
        int64_t risked_seq;            /* when this is confirmed, they are not lost */
};

/* --- the file ------------------------------------------------------------------------------------------------ */

static size_t line_bytes(const struct kept_event *e)
{
        char boot[32];

        return (size_t)snprintf(boot, sizeof(boot), "%lld ", (long long)e->boot_us) + e->len + 1;
}

static int file_open(struct kept *k)
{
        char path[256];

        snprintf(path, sizeof(path), "%s/" FILE_NAME, k->dir);
        k->fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
        k->error = k->fd < 0 ? neg_errno() : 0;
        k->missing = k->fd < 0;
        return k->error;
}

static int write_all(struct kept *k, struct atomic_file *a, size_t *ret_bytes)
{
        *ret_bytes = 0;
        for (const struct kept_event *e = k->events; e; e = e->next) {
                fprintf(a->f, "%lld %s\n", (long long)e->boot_us, e->text);
                *ret_bytes += line_bytes(e);
        }
        return atomic_file_commit(a, false);
}

static void file_rewrite(struct kept *k)
{
        struct atomic_file a;
        size_t bytes;
        int r = atomic_file_open(&a, k->dir, FILE_NAME, 0600);

        if (r >= 0)
                r = write_all(k, &a, &bytes);
        if (r < 0) {
                k->error = r;
                return;
        }
        if (k->fd >= 0)
                close(k->fd);
        if (file_open(k) == 0) {
                k->file_bytes = bytes;
                k->dead_bytes = 0;
                k->torn = false;
        }
}

/* What could not be written once is written with all the rest as soon as that is possible. */
static void file_append(struct kept *k, const struct kept_event *e)
{
        char line[LINE_BYTES_MAX + 64];
        ssize_t written;
        int n;

        if (k->missing) {
                file_rewrite(k);
                return;
        }
        n = snprintf(line, sizeof(line), "%s%lld %s\n", k->torn ? "\n" : "", (long long)e->boot_us, e->text);
        written = write(k->fd, line, (size_t)n);
        k->error = written == n ? 0 : written < 0 ? neg_errno() : -ENOSPC;
        k->file_bytes += (size_t)MAX(written, 0);
        k->missing = written != n;
        k->torn = written != n && (written > 0 || k->torn);
}

static void file_tidy(struct kept *k)
{
        if (k->fd < 0 || k->dead_bytes == 0)
                return;
        if (k->n == 0 && ftruncate(k->fd, 0) == 0) {
                k->file_bytes = k->dead_bytes = 0;
                k->torn = false;
        } else if (k->file_bytes > TIDY_BYTES && k->dead_bytes > k->file_bytes / 2) {
                file_rewrite(k);
        }
}

/* --- the list ------------------------------------------------------------------------------------------------ */

static void forget(struct kept *k, struct kept_event **p)
{
        struct kept_event *e = *p;

        *p = e->next;
        if (!e->next)
                k->end = p;
        k->n--;
        k->n_unconfirmed -= !e->confirmed;
        k->bytes -= e->len;
        k->dead_bytes += line_bytes(e);
        free(e);
}

/* What can go with the least harm: what is confirmed, then the lowest rank, of equal ones the oldest. */
static struct kept_event **least(struct kept *k)
{
        struct kept_event **found = NULL;

        for (struct kept_event **p = &k->events; *p; p = &(*p)->next) {
                if ((*p)->confirmed)
                        return p;
                if (!found || (*p)->rank < (*found)->rank)
                        found = p;
        }
        return found;
}

static void drop(struct kept *k, struct kept_event **p)
{
        if (!(*p)->confirmed && (*p)->seq) {
                k->risked++;
                k->risked_seq = MAX(k->risked_seq, (*p)->seq);
        } else if (!(*p)->confirmed) {
                k->lost++;
        }
        forget(k, p);
}

static bool make_room(struct kept *k, size_t len, unsigned rank)
{
        while (k->n >= KEPT_MAX || k->bytes + len > KEPT_BYTES_MAX) {
                struct kept_event **p = least(k);

                if (!p || (!(*p)->confirmed && (*p)->rank > rank)) {
                        k->lost++;
                        return false;
                }
                drop(k, p);
        }
        return true;
}

static bool has(const struct kept *k, const char *id)
{
        for (const struct kept_event *e = k->events; e; e = e->next)
                if (streq(e->id, id))
                        return true;
        return false;
}

/* NULL: it has no place. */
static struct kept_event *insert(struct kept *k, const char *id, const char *text, size_t len, unsigned rank, int64_t boot_us)
{
        struct kept_event *e;

        if (len > LINE_BYTES_MAX || !make_room(k, len, rank))
                return NULL;
        e = malloc(sizeof(*e) + len + 1 + strlen(id) + 1);
        if (!e)
                abort();
        *e = (struct kept_event){ .boot_us = boot_us, .rank = rank, .len = len, .id = e->text + len + 1 };
        memcpy(e->text, text, len);
        e->text[len] = '\0';
        strcpy(e->id, id);
        *k->end = e;
        k->end = &e->next;
        k->n++;
        k->n_unconfirmed++;
        k->bytes += len;
        return e;
}

/* --- reading ------------------------------------------------------------------------------------------------- */

static const char *text_of(const json_t *o, const char *key)
{
        const char *s = json_string_value(json_object_get(o, key));

        return s ? s : "";
}

static bool is_event(const json_t *o)
{
        const char *id = text_of(o, "id");
        double time = json_number_value(json_object_get(o, "time"));

        return streq(text_of(o, "t"), "event") && *id && strlen(id) <= KEPT_ID_MAX && *text_of(o, "component") && time >= 1 && time < 1e11 &&
               level_from_name(text_of(o, "from")) >= 0 && level_from_name(text_of(o, "to")) >= 0;
}

static void read_line(struct kept *k, char *line, size_t len)
{
        char *text;
        long long boot = strtoll(line, &text, 10);
        json_t *o = text > line && *text == ' ' ? json_loadb(text + 1, len - (size_t)(text + 1 - line), JSON_REJECT_DUPLICATES, NULL) : NULL;

        if (is_event(o) && !has(k, text_of(o, "id")))
                insert(k, text_of(o, "id"), text + 1, len - (size_t)(text + 1 - line),
                       event_rank(text_of(o, "kind"), text_of(o, "from"), text_of(o, "to")), boot);
        json_decref(o);
}

static void file_read(struct kept *k)
{
        struct stat st;
        _cleanup_free_ char *data = NULL;
        char *at, *nl;
        ssize_t n;

        if (fstat(k->fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > FILE_BYTES_MAX) {
                file_rewrite(k); /* none that we wrote */
                return;
        }
        data = malloc((size_t)st.st_size + 1);
        if (!data)
                abort();
        n = pread(k->fd, data, (size_t)st.st_size, 0);
        if (n < 0)
                return;
        data[n] = '\0';
        for (at = data; (nl = memchr(at, '\n', (size_t)(data + n - at))); at = nl + 1) {
                *nl = '\0';
                read_line(k, at, (size_t)(nl - at));
        }
        k->torn = at < data + n;
        k->file_bytes = (size_t)n;
        k->dead_bytes = (size_t)n;
        for (const struct kept_event *e = k->events; e; e = e->next)
                k->dead_bytes -= MIN(line_bytes(e), k->dead_bytes);
        file_tidy(k);
}

/* Ids of this life differ from those of any other. */
static void make_source(struct kept *k)
{
        struct timespec ts;
        uint64_t random;

        if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != sizeof(random)) {
                clock_gettime(CLOCK_REALTIME, &ts);
                random = (uint64_t)ts.tv_sec << 30 ^ (uint64_t)ts.tv_nsec ^ (uint64_t)getpid() << 48;
        }
        snprintf(k->source, sizeof(k->source), "%016llx", (unsigned long long)random);
}

struct kept *kept_open(const char *dir)
{
        struct kept *k = calloc(1, sizeof(*k));

        if (!k)
                abort();
        k->end = &k->events;
        snprintf(k->dir, sizeof(k->dir), "%s", dir);
        make_source(k);
        if (file_open(k) == 0)
                file_read(k);
        return k;
}

struct kept *kept_close(struct kept *k)
{
        if (!k)
                return NULL;
        while (k->events) {
                struct kept_event *e = k->events;

                k->events = e->next;
                free(e);
        }
        if (k->fd >= 0)
                close(k->fd);
        free(k);
        return NULL;
}

/* --- use ------------------------------------------------------------------------------------------------------ */

bool kept_add(struct kept *k, const struct kept_event_desc *d)
{
        _cleanup_free_ char *text = NULL;
        char id[KEPT_ID_MAX + 1];
        struct kept_event *e;
        json_t *o;

        if (d->id)
                snprintf(id, sizeof(id), "%s", d->id);
        else
                snprintf(id, sizeof(id), "%s-%llu", k->source, (unsigned long long)k->number++);
        if (d->id && has(k, id))
                return false;
        o = json_pack("{ss ss sf so so ss ss so so}", "t", "event", "id", id, "time", (double)d->wall_us / USEC_PER_SEC, "component",
                      utf8_json(d->component), "kind", utf8_json(d->kind), "from", d->from, "to", d->to, "rule", utf8_json(d->rule), "why",
                      utf8_json(d->why));
        text = o ? json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
        json_decref(o);
        if (!text)
                abort(); /* every part of it is text that JSON takes: no memory */
        e = insert(k, id, text, strlen(text), event_rank(d->kind, d->from, d->to), d->boot_us);
        if (e)
                file_append(k, e);
        file_tidy(k);
        return e != NULL;
}

static struct kept_event *first_unsent(const struct kept *k)
{
        struct kept_event *e = k->events;

        while (e && (e->seq || e->confirmed))
                e = e->next;
        return e;
}

const char *kept_unsent(const struct kept *k, size_t *ret_len)
{
        const struct kept_event *e = first_unsent(k);

        if (!e)
                return NULL;
        *ret_len = e->len;
        return e->text;
}

void kept_sent(struct kept *k, int64_t seq)
{
        struct kept_event *e = first_unsent(k);

        if (e)
                e->seq = seq;
}

static void forget_done(struct kept *k)
{
        for (struct kept_event **p = &k->events; *p;)
                if ((*p)->confirmed && (*p)->in_state)
                        forget(k, p);
                else
                        p = &(*p)->next;
        file_tidy(k);
}

void kept_confirmed(struct kept *k, int64_t seq)
{
        for (struct kept_event *e = k->events; e; e = e->next)
                if (e->seq && e->seq <= seq && !e->confirmed) {
                        e->confirmed = true;
                        k->n_unconfirmed--;
                }
        if (k->risked_seq <= seq)
                k->risked = 0;
        forget_done(k);
}

void kept_link_down(struct kept *k)
{
        for (struct kept_event *e = k->events; e; e = e->next)
                e->seq = 0;
        k->lost += k->risked;
        k->risked = 0;
        k->risked_seq = 0;
}

void kept_state_saved(struct kept *k)
{
        for (struct kept_event *e = k->events; e; e = e->next)
                e->in_state = true;
        forget_done(k);
}

void kept_levels_since(const struct kept *k, int64_t boot_us, void (*fn)(void *data, const json_t *event), void *data)
{
        for (const struct kept_event *e = k->events; e; e = e->next) {
                json_t *o = e->boot_us > boot_us ? json_loads(e->text, 0, NULL) : NULL;

                if (o && !streq(text_of(o, "from"), text_of(o, "to")))
                        fn(data, o);
                json_decref(o);
        }
}

bool kept_has_level(const struct kept *k, const char *component)
{
        bool found = false;

        for (const struct kept_event *e = k->events; e && !found; e = e->next) {
                json_t *o = strstr(e->text, component) ? json_loads(e->text, 0, NULL) : NULL;

                found = streq(text_of(o, "component"), component) && !streq(text_of(o, "from"), text_of(o, "to"));
                json_decref(o);
        }
        return found;
}

size_t kept_waiting(const struct kept *k)
{
        return k->n_unconfirmed;
}

uint64_t kept_lost(const struct kept *k)
{
        return k->lost;
}

int kept_error(const struct kept *k)
{
        return k->error;
}
