/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* /proc/mdstat: an array starts with "NAME : STATE", what follows until the next one belongs to it. Words are
 * recognised by their form, not by their place: the format grew over twenty years and has no version. */

#include <math.h>

#include "mdstat.h"

#define ARRAYS_MAX 1024
#define MEMBERS_MAX 512

static const char *const sync_names[MDSTAT_SYNC_MAX] = {
        [MDSTAT_IDLE] = "idle",
        [MDSTAT_RESYNC] = "resync",
        [MDSTAT_RECOVERY] = "recovery",
        [MDSTAT_CHECK] = "check",
        [MDSTAT_RESHAPE] = "reshape",
};

const char *mdstat_sync_name(enum mdstat_sync sync)
{
        assert(sync < MDSTAT_SYNC_MAX);
        return sync_names[sync];
}

static void copy(char *to, size_t size, const char *from)
{
        snprintf(to, size, "%s", from);
}

/* A number of at most 18 digits; -1 otherwise. *end is behind it. */
static int64_t number(const char *s, const char **end)
{
        int64_t v = 0;
        size_t n = 0;

        for (; *s >= '0' && *s <= '9'; s++, n++)
                if (n < 18)
                        v = v * 10 + (*s - '0');
        *end = s;
        return n > 0 && n <= 18 ? v : -1;
}

/* "sda1[0](F)" */
static bool parse_member(const char *word, struct mdstat_member *ret)
{
        const char *open = strchr(word, '['), *end;
        int64_t v;

        if (!open || open == word || (size_t)(open - word) >= sizeof(ret->name))
                return false;
        v = number(open + 1, &end);
        if (v < 0 || v > 65535 || *end != ']')
                return false;
        *ret = (struct mdstat_member){ .number = (int)v };
        memcpy(ret->name, word, (size_t)(open - word));
        for (end++; end[0] == '(' && end[1] && end[2] == ')'; end += 3)
                switch (end[1]) {
                case 'F':
                        ret->faulty = true;
                        break;
                case 'S':
                        ret->spare = true;
                        break;
                case 'J':
                        ret->journal = true;
                        break;
                case 'R':
                        ret->replacement = true;
                        break;
                case 'W':
                        ret->write_mostly = true;
                        break;
                }
        return true;
}

static int add_member(struct mdstat_array *a, const struct mdstat_member *m)
{
        if (a->n_members == MEMBERS_MAX) {
                a->cut = true;
                return 0;
        }
        if ((a->n_members & (a->n_members - 1)) == 0) { /* at 0 and powers of two */
                size_t size = a->n_members ? a->n_members * 2 : 1;
                struct mdstat_member *members = realloc(a->members, size * sizeof(*members));

                if (!members)
                        return -ENOMEM;
                a->members = members;
        }
        a->members[a->n_members++] = *m;
        return 0;
}

/* One word of "active (auto-read-only) raid6 sdf1[0] sde1[1]". */
static int head_word(struct mdstat_array *a, const char *word)
{
        struct mdstat_member m;

        if (parse_member(word, &m))
                return add_member(a, &m);
        if (streq(word, "active"))
                a->active = true;
        else if (streq(word, "broken"))
                a->broken = true;
        else if (streq(word, "(read-only)"))
                a->readonly = true;
        else if (streq(word, "(auto-read-only)"))
                a->auto_readonly = true;
        else if (word[0] != '(' && !streq(word, "inactive") && !a->level[0])
                copy(a->level, sizeof(a->level), word);
        return 0;
}

static int head(struct mdstat_array *a, char *rest)
{
        char *save = NULL;

        for (char *w = strtok_r(rest, " \t", &save); w; w = strtok_r(NULL, " \t", &save)) {
                int r = head_word(a, w);

                if (r < 0)
                        return r;
        }
        return 0;
}

/* "[4/3]" */
static bool parse_counts(struct mdstat_array *a, const char *word)
{
        const char *p;
        int64_t disks, active;

        if (*word != '[')
                return false;
        disks = number(word + 1, &p);
        if (disks < 0 || *p != '/')
                return false;
        active = number(p + 1, &p);
        if (active < 0 || *p != ']' || disks > 65535 || active > 65535)
                return false;
        a->raid_disks = (int)disks;
        a->active_disks = (int)active;
        return true;
}

/* "[UU_U]" */
static bool parse_map(struct mdstat_array *a, const char *word)
{
        size_t n = strlen(word);

        if (n < 3 || n - 2 >= sizeof(a->map) || word[0] != '[' || word[n - 1] != ']' || strspn(word + 1, "U_") != n - 2)
                return false;
        memcpy(a->map, word + 1, n - 2);
        a->map[n - 2] = '\0';
        return true;
}

static enum mdstat_sync sync_from_word(const char *word, size_t n)
{
        for (int i = MDSTAT_RESYNC; i < MDSTAT_SYNC_MAX; i++)
                if (strlen(sync_names[i]) == n && memcmp(sync_names[i], word, n) == 0)
                        return (enum mdstat_sync)i;
        return MDSTAT_IDLE;
}

/* "finish=17.0min", "speed=259783K/sec", "resync=DELAYED", "(16775552/195310144)", "8.5%" */
static void sync_word(struct mdstat_array *a, const char *word)
{
        const char *eq = strchr(word, '='), *p;
        enum mdstat_sync sync = sync_from_word(word, eq ? (size_t)(eq - word) : strlen(word));

        if (sync != MDSTAT_IDLE) {
                a->sync = sync;
                if (eq && (streq(eq + 1, "DELAYED") || streq(eq + 1, "PENDING") || streq(eq + 1, "REMOTE")))
                        a->waiting = true;
        } else if (str_starts(word, "finish=")) {
                double v = strtod(word + 7, NULL);

                a->finish_min = v >= 0 && v < 1e9 ? v : NAN;
        } else if (str_starts(word, "speed=")) {
                a->speed_kib = number(word + 6, &p);
        } else if (word[0] == '(' && strchr(word, '/')) {
                a->done_blocks = number(word + 1, &p);
                a->total_blocks = *p == '/' ? number(p + 1, &p) : -1;
        } else if (a->sync != MDSTAT_IDLE && word[0] >= '0' && word[0] <= '9' && strchr(word, '%')) {
                double v = strtod(word, NULL) / 100;

                a->ratio = v >= 0 && v <= 1 ? v : NAN;
        }
}

/* The lines below the head. */
static void body_line(struct mdstat_array *a, char *line)
{
        char *save = NULL, *previous = NULL;

        for (char *w = strtok_r(line, " \t", &save); w; previous = w, w = strtok_r(NULL, " \t", &save)) {
                const char *p;

                if (streq(w, "bitmap:"))
                        return; /* has [0KB] and n/m of its own */
                if (streq(w, "blocks") && previous)
                        a->blocks = number(previous, &p);
                else if (previous && streq(previous, "super"))
                        copy(a->metadata, sizeof(a->metadata), w);
                else if (streq(w, "near-copies") || streq(w, "far-copies") || streq(w, "offset-copies")) {
                        int64_t n = previous ? number(previous, &p) : 0;

                        /* near times far; at most as many as there are members */
                        if (n > 0 && n <= MEMBERS_MAX && n * MAX(a->copies, 1) <= MEMBERS_MAX)
                                a->copies = (int)n * MAX(a->copies, 1);
                } else if (!parse_counts(a, w) && !parse_map(a, w))
                        sync_word(a, w);
        }
}

/* "md0 : ...": the name, or NULL when the line is no head. Changes line; *ret_rest is what follows the colon. */
static char *head_of(char *line, char **ret_rest)
{
        char *colon = strstr(line, " : ");

        if (!colon || line[0] == ' ' || line[0] == '\t' || colon == line || colon - line >= MD_NAME_MAX || str_starts(line, "Personalities"))
                return NULL;
        *colon = '\0';
        if (strpbrk(line, " \t"))
                return NULL; /* prose of a mail around it */
        *ret_rest = colon + 3;
        /* Without a state it is another kind of report ("Version : 1.2"). */
        if (!str_starts(*ret_rest, "active") && !str_starts(*ret_rest, "inactive") && !str_starts(*ret_rest, "broken"))
                return NULL;
        return line;
}

static struct mdstat_array *array_add(struct mdstat *t, const char *name)
{
        struct mdstat_array *a;

        if ((t->n & (t->n - 1)) == 0) {
                size_t size = t->n ? t->n * 2 : 1;
                struct mdstat_array *arrays = realloc(t->arrays, size * sizeof(*arrays));

                if (!arrays)
                        return NULL;
                t->arrays = arrays;
        }
        a = &t->arrays[t->n++];
        *a = (struct mdstat_array){ .raid_disks = -1, .active_disks = -1, .ratio = NAN, .finish_min = NAN, .speed_kib = -1,
                                    .done_blocks = -1, .total_blocks = -1 };
        copy(a->name, sizeof(a->name), name);
        return a;
}

int mdstat_parse(const char *text, struct mdstat *ret)
{
        _cleanup_free_ char *all = strdup(text);
        struct mdstat t = { 0 };
        struct mdstat_array *a = NULL;
        char *save = NULL;

        if (!all)
                return -ENOMEM;
        for (char *line = strtok_r(all, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                char *rest = NULL, *name = head_of(line, &rest);

                if (!name) {
                        if (str_starts(line, "unused devices"))
                                a = NULL;
                        if (a)
                                body_line(a, line);
                        continue;
                }
                if (t.n == ARRAYS_MAX) {
                        t.cut = true;
                        break;
                }
                a = array_add(&t, name);
                if (!a || head(a, rest) < 0) {
                        mdstat_done(&t);
                        return -ENOMEM;
                }
        }
        for (size_t i = 0; i < t.n; i++)
                t.cut |= t.arrays[i].cut;
        *ret = t;
        return 0;
}

void mdstat_done(struct mdstat *mdstat)
{
        for (size_t i = 0; i < mdstat->n; i++)
                free(mdstat->arrays[i].members);
        free(mdstat->arrays);
        *mdstat = (struct mdstat){ 0 };
}

const struct mdstat_array *mdstat_find(const struct mdstat *mdstat, const char *name)
{
        for (size_t i = 0; i < mdstat->n; i++)
                if (streq(mdstat->arrays[i].name, name))
                        return &mdstat->arrays[i];
        return NULL;
}
