/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The output of zpool is made for people, and stable since 2005 all the same: the tree of devices is indented by two blanks a
 * level below a line that starts with NAME. */

#include "zpool.h"

#include <math.h>

#define VDEVS_MAX 1024
#define DEPTH_MAX 8

static void copy(char *to, size_t size, const char *from)
{
        snprintf(to, size, "%s", from);
}

/* Decimal digits only, at most 18. */
static int64_t number(const char *s)
{
        size_t n = strspn(s, "0123456789");

        return n > 0 && n <= 18 && s[n] == '\0' ? strtoll(s, NULL, 10) : -1;
}

/* "00:01:30 to go", "2 days 03:04:05 to go" */
static double duration(const char *to_go, const char *line)
{
        const char *p = to_go;
        long days = 0;
        int h, m, s;

        while (p > line && strchr("0123456789:", p[-1]))
                p--;
        if (sscanf(p, "%d:%d:%d", &h, &m, &s) != 3 || h < 0 || m < 0 || s < 0)
                return NAN;
        if (p > line + 6 && strncmp(p - 6, " days ", 6) == 0) {
                const char *d = p - 6;

                while (d > line && d[-1] >= '0' && d[-1] <= '9')
                        d--;
                days = strtol(d, NULL, 10);
        }
        return days >= 0 && days < 100000 ? (double)days * 86400 + h * 3600.0 + m * 60.0 + s : NAN;
}

static void scan_line(struct zpool *p, const char *line)
{
        const char *percent = strstr(line, "% done"), *to_go = strstr(line, " to go");

        if (strstr(line, "resilver in progress"))
                copy(p->scan, sizeof(p->scan), "resilver");
        else if (strstr(line, "scrub in progress"))
                copy(p->scan, sizeof(p->scan), "scrub");
        if (percent) {
                const char *s = percent;
                double v;

                while (s > line && strchr("0123456789.", s[-1]))
                        s--;
                v = strtod(s, NULL) / 100;
                if (v >= 0 && v <= 1)
                        p->ratio = v;
        }
        if (to_go)
                p->remaining_s = duration(to_go, line);
}

static enum zpool_class class_of(const char *name)
{
        if (streq(name, "logs"))
                return ZPOOL_LOG;
        if (streq(name, "cache"))
                return ZPOOL_CACHE;
        return streq(name, "spares") ? ZPOOL_SPARE : ZPOOL_DATA;
}

/* One line of the tree. *class is that of the section; parents[] the last vdev of each depth. */
static int vdev_line(struct zpool *p, char *line, enum zpool_class *class, int parents[DEPTH_MAX])
{
        char *f[6], *save = NULL;
        size_t n = 0, indent = strspn(line, " ");
        struct zpool_vdev *v;
        int depth = (int)(indent / 2);

        for (char *w = strtok_r(line, " \t", &save); w && n < ARRAY_LEN(f); w = strtok_r(NULL, " \t", &save))
                f[n++] = w;
        if (n == 0)
                return 0;
        if (depth >= DEPTH_MAX || p->n_vdevs == VDEVS_MAX) {
                p->cut = true;
                return 0;
        }
        if (depth == 0 && p->n_vdevs > 0) { /* "logs", "spares": a heading */
                *class = class_of(f[0]);
                return 0;
        }
        if (n < 2)
                return 0;
        if (!p->vdevs && !(p->vdevs = calloc(VDEVS_MAX, sizeof(*p->vdevs))))
                return -ENOMEM;
        v = &p->vdevs[p->n_vdevs];
        *v = (struct zpool_vdev){ .class = *class, .depth = depth, .parent = depth > 0 ? parents[depth - 1] : -1, .leaf = true,
                                  .read = n > 2 ? number(f[2]) : -1, .write = n > 3 ? number(f[3]) : -1, .checksum = n > 4 ? number(f[4]) : -1 };
        copy(v->name, sizeof(v->name), f[0]);
        copy(v->state, sizeof(v->state), f[1]);
        if (v->parent >= 0)
                p->vdevs[v->parent].leaf = false;
        parents[depth] = (int)p->n_vdevs++;
        for (int i = depth + 1; i < DEPTH_MAX; i++)
                parents[i] = -1;
        return 0;
}

static void errors_line(struct zpool *p, const char *text)
{
        text += strspn(text, " ");
        if (str_starts(text, "No known data errors"))
                p->data_errors = 0;
        else if (*text >= '0' && *text <= '9')
                p->data_errors = strtoll(text, NULL, 10);
}

enum section { SECTION_OTHER, SECTION_SCAN, SECTION_CONFIG, SECTION_TREE };

/* "  pool: tank": the value, NULL when the line is not of this key. */
static const char *value_of(const char *line, const char *key)
{
        size_t n = strlen(key);

        line += strspn(line, " ");
        if (strncmp(line, key, n) != 0 || line[n] != ':')
                return NULL;
        return line + n + 1 + strspn(line + n + 1, " ");
}

/* Any "key:" at the left ends the section before it; 0 when the line is no key. */
static bool key_line(struct zpool *p, const char *line, enum section *section)
{
        const char *v;

        if (*line == '\t')
                return false;
        if ((v = value_of(line, "state")))
                copy(p->state, sizeof(p->state), v);
        else if ((v = value_of(line, "errors")))
                errors_line(p, v);
        if ((v = value_of(line, "scan"))) {
                *section = SECTION_SCAN;
                scan_line(p, v);
                return true;
        }
        *section = value_of(line, "config") ? SECTION_CONFIG : SECTION_OTHER;
        return true;
}

int zpool_status_parse(const char *text, struct zpool *ret)
{
        _cleanup_free_ char *all = strdup(text);
        struct zpool p = { .ratio = NAN, .remaining_s = NAN, .data_errors = -1 };
        int parents[DEPTH_MAX] = { -1, -1, -1, -1, -1, -1, -1, -1 };
        enum zpool_class class = ZPOOL_DATA;
        enum section section = SECTION_OTHER;
        char *save = NULL;

        if (!all)
                return -ENOMEM;
        for (char *line = strtok_r(all, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                const char *name = value_of(line, "pool");

                if (name && *line != '\t') {
                        if (p.name[0])
                                break; /* the next one */
                        copy(p.name, sizeof(p.name), name);
                        continue;
                }
                if (!p.name[0] || key_line(&p, line, &section))
                        continue;
                line++; /* the tab */
                if (section == SECTION_SCAN)
                        scan_line(&p, line);
                else if (section == SECTION_CONFIG && str_starts(line, "NAME"))
                        section = SECTION_TREE;
                else if (section == SECTION_TREE && vdev_line(&p, line, &class, parents) < 0) {
                        zpool_done(&p);
                        return -ENOMEM;
                }
        }
        if (!p.name[0])
                return -ENOENT;
        *ret = p;
        return 0;
}

void zpool_done(struct zpool *pool)
{
        free(pool->vdevs);
        *pool = (struct zpool){ 0 };
}

bool zpool_vdev_works(const struct zpool_vdev *v)
{
        return streq(v->state, "ONLINE") || streq(v->state, "DEGRADED");
}

static void count_children(const struct zpool *p, size_t vdev, int *ret_all, int *ret_working)
{
        *ret_all = *ret_working = 0;
        for (size_t i = 0; i < p->n_vdevs; i++)
                if (p->vdevs[i].parent == (int)vdev) {
                        ++*ret_all;
                        *ret_working += zpool_vdev_works(&p->vdevs[i]);
                }
}

int zpool_redundancy(const struct zpool *p, size_t vdev)
{
        const char *name = p->vdevs[vdev].name;
        int all, working;

        count_children(p, vdev, &all, &working);
        if (str_starts(name, "raidz") || str_starts(name, "draid")) {
                char digit = name[5];

                return digit >= '1' && digit <= '3' ? digit - '0' : 1;
        }
        return all > 0 ? all - 1 : 0; /* mirror */
}

int zpool_left(const struct zpool *p, size_t vdev)
{
        int all, working;

        count_children(p, vdev, &all, &working);
        if (all == 0)
                return zpool_vdev_works(&p->vdevs[vdev]) ? 0 : -1;
        return MAX(zpool_redundancy(p, vdev) - (all - working), -1);
}

/* Which column is which. */
struct columns {
        int name, size, alloc, free, frag, health;
};

static void read_header(char *line, struct columns *c)
{
        const struct {
                const char *word;
                int *column;
        } words[] = { { "NAME", &c->name }, { "SIZE", &c->size }, { "ALLOC", &c->alloc },
                      { "FREE", &c->free }, { "FRAG", &c->frag }, { "HEALTH", &c->health } };
        char *save = NULL;
        int i = 0;

        for (char *w = strtok_r(line, " \t", &save); w; w = strtok_r(NULL, " \t", &save), i++)
                for (size_t k = 0; k < ARRAY_LEN(words); k++)
                        if (streq(w, words[k].word))
                                *words[k].column = i;
}

static const char *field(char *const f[], int n, int column)
{
        return column >= 0 && column < n ? f[column] : "-";
}

size_t zpool_list_parse(const char *text, struct zpool_usage *ret, size_t max)
{
        _cleanup_free_ char *all = strdup(text);
        struct columns c = { -1, -1, -1, -1, -1, -1 };
        char *save = NULL;
        size_t pools = 0;

        for (char *line = all ? strtok_r(all, "\n", &save) : NULL; line; line = strtok_r(NULL, "\n", &save)) {
                char *f[32], *words = NULL;
                int n = 0;

                if (c.name < 0) {
                        read_header(line, &c);
                        continue;
                }
                if (*line == ' ' || *line == '\t')
                        continue;
                for (char *w = strtok_r(line, " \t", &words); w && n < (int)ARRAY_LEN(f); w = strtok_r(NULL, " \t", &words))
                        f[n++] = w;
                if (n < 2 || streq(field(f, n, c.health), "-")) /* a heading: "logs", "spares" */
                        continue;
                if (pools < max) {
                        struct zpool_usage *u = &ret[pools];

                        copy(u->name, sizeof(u->name), field(f, n, c.name));
                        copy(u->health, sizeof(u->health), field(f, n, c.health));
                        u->size = number(field(f, n, c.size));
                        u->alloc = number(field(f, n, c.alloc));
                        u->free = number(field(f, n, c.free));
                        u->fragmentation = number(field(f, n, c.frag));
                }
                pools++;
        }
        return pools;
}
