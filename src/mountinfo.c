/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* Reads the mount table. Form of a line: Documentation/filesystems/proc.rst, 3.5:
 * 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue */

#include "mountinfo.h"

#define MOUNTS_MAX 4096
#define FIELDS_MAX 32
#define DEPTH_MAX 64 /* mounts on mounts on mounts; a ring of parents ends here too */

/* What is no place for data. Images (squashfs, iso9660, erofs) are full by nature; an overlay is counted with what
 * lies under it, but for one at / (a container's own root). */
static const char *const pseudo[] = {
        "autofs", "binder", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "cpuset", "cramfs", "debugfs", "devpts",
        "devtmpfs", "ecryptfs", "efivarfs", "erofs", "fuse.gvfsd-fuse", "fuse.lxcfs", "fuse.portal", "fusectl", "hugetlbfs", "iso9660",
        "mqueue", "nsfs", "overlay", "proc", "pstore", "pstorefs", "ramfs", "resctrl", "rootfs", "rpc_pipefs", "securityfs",
        "selinuxfs", "smackfs", "squashfs", "sysfs", "tracefs", "udf",
};

static const char *const network[] = {
        "9p", "afs", "ceph", "cifs", "coda", "gfs2", "glusterfs", "lustre", "ncpfs", "nfs", "nfs4", "ocfs2", "smb3", "smbfs", "virtiofs",
};

static bool listed(const char *const *list, size_t n, const char *name)
{
        for (size_t i = 0; i < n; i++)
                if (streq(list[i], name))
                        return true;
        return false;
}

enum mount_class mount_class_of(const char *fstype)
{
        if (listed(pseudo, ARRAY_LEN(pseudo), fstype))
                return MOUNT_PSEUDO;
        if (streq(fstype, "tmpfs"))
                return MOUNT_MEMORY;
        if (listed(network, ARRAY_LEN(network), fstype) || streq(fstype, "fuse") || str_starts(fstype, "fuse."))
                return MOUNT_NETWORK;
        return MOUNT_LOCAL;
}

/* \040 and the like, in place. Also for fstab. */
static void unescape(char *s)
{
        char *out = s;

        while (*s) {
                if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' && s[3] >= '0' && s[3] <= '7' &&
                    (s[1] != '0' || s[2] != '0' || s[3] != '0')) {
                        *out++ = (char)((s[1] - '0') * 64 + (s[2] - '0') * 8 + (s[3] - '0'));
                        s += 4;
                } else {
                        *out++ = *s++;
                }
        }
        *out = '\0';
}

/* Splits at blanks, in place. */
static size_t split(char *line, char *fields[], size_t max)
{
        size_t n = 0;
        char *save = NULL;

        for (char *f = strtok_r(line, " \t", &save); f && n < max; f = strtok_r(NULL, " \t", &save))
                fields[n++] = f;
        return n;
}

static void mount_done(struct mount *m)
{
        free(m->root);
        free(m->mountpoint);
        free(m->options);
        free(m->fstype);
        free(m->source);
        free(m->super_options);
}

void mount_table_done(struct mount_table *table)
{
        for (size_t i = 0; i < table->n; i++)
                mount_done(&table->items[i]);
        free(table->items);
        *table = (struct mount_table){ 0 };
}

static int copy_fields(struct mount *m, char *const from[6])
{
        char **to[] = { &m->root, &m->mountpoint, &m->options, &m->fstype, &m->source, &m->super_options };

        for (size_t i = 0; i < ARRAY_LEN(to); i++) {
                *to[i] = strdup(from[i]);
                if (!*to[i]) {
                        mount_done(m);
                        return -ENOMEM;
                }
                unescape(*to[i]);
        }
        return 0;
}

/* 1: a mount, 0: not of the form, -ENOMEM. Changes line. */
static int parse_line(char *line, struct mount *ret)
{
        char *f[FIELDS_MAX], super[] = "", *empty = super;
        struct mount m = { 0 };
        size_t n = split(line, f, FIELDS_MAX), dash = 6;
        char rest;
        int r;

        while (dash < n && !streq(f[dash], "-"))
                dash++;
        if (dash + 2 >= n || f[4][0] != '/')
                return 0;
        if (sscanf(f[0], "%d%c", &m.id, &rest) != 1 || sscanf(f[1], "%d%c", &m.parent, &rest) != 1 ||
            sscanf(f[2], "%u:%u%c", &m.major, &m.minor, &rest) != 2)
                return 0;
        r = copy_fields(&m, (char *const[]){ f[3], f[4], f[5], f[dash + 1], f[dash + 2], dash + 3 < n ? f[dash + 3] : empty });
        if (r < 0)
                return r;
        m.class = mount_class_of(m.fstype);
        if (streq(m.fstype, "overlay") && streq(m.mountpoint, "/"))
                m.class = MOUNT_LOCAL;
        *ret = m;
        return 1;
}

static int compare_ints(const void *a, const void *b)
{
        return *(const int *)a < *(const int *)b ? -1 : *(const int *)a > *(const int *)b;
}

static void find_tops(struct mount_table *t)
{
        int ids[MOUNTS_MAX]; /* 16 kB */

        for (size_t i = 0; i < t->n; i++)
                ids[i] = t->items[i].id;
        qsort(ids, t->n, sizeof(*ids), compare_ints);
        for (size_t i = 0; i < t->n; i++) {
                struct mount *m = &t->items[i];

                m->top = m->parent == m->id || !bsearch(&m->parent, ids, t->n, sizeof(*ids), compare_ints);
        }
}

int mountinfo_parse(const char *text, struct mount_table *ret, size_t *ret_skipped)
{
        _cleanup_free_ char *copy = strdup(text);
        struct mount_table t = { 0 };
        size_t skipped = 0, size = 0;
        char *save = NULL;

        if (!copy)
                return -ENOMEM;
        for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                int r = 0;

                if (t.n == size && size < MOUNTS_MAX) {
                        size_t grown_size = size ? size * 2 : 64;
                        struct mount *grown = realloc(t.items, grown_size * sizeof(*grown));

                        if (!grown) {
                                mount_table_done(&t);
                                return -ENOMEM;
                        }
                        t.items = grown;
                        size = grown_size;
                }
                if (t.n < size)
                        r = parse_line(line, &t.items[t.n]);
                else
                        t.cut = true;
                if (r < 0) {
                        mount_table_done(&t);
                        return r;
                }
                if (r > 0)
                        t.n++;
                else
                        skipped++;
        }
        find_tops(&t);
        *ret = t;
        if (ret_skipped)
                *ret_skipped = skipped;
        return 0;
}

/* Does the directory hold the path (or is it the path itself)? */
static bool holds(const char *dir, const char *path)
{
        size_t n = strlen(dir);

        if (streq(dir, "/"))
                return true;
        return strncmp(dir, path, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

/* The mount that one sees at the path, found as the kernel finds it: from the top, at each mount into the child that is
 * met first. So what a later mount covers is not seen. The order of lines says nothing (the root is often moved). */
const struct mount *mount_table_visible(const struct mount_table *t, const char *path)
{
        const struct mount *at = NULL;

        for (size_t depth = 0; depth < DEPTH_MAX; depth++) {
                const struct mount *next = NULL;

                for (size_t i = 0; i < t->n; i++) {
                        const struct mount *m = &t->items[i];

                        if (m == at || !holds(m->mountpoint, path) || (at ? m->parent != at->id : !m->top))
                                continue;
                        if (!next || strlen(m->mountpoint) <= strlen(next->mountpoint))
                                next = m;
                }
                if (!next)
                        return at;
                at = next;
        }
        return at;
}

static bool same_filesystem(const struct mount *a, const struct mount *b)
{
        return a->major == b->major && a->minor == b->minor && streq(a->fstype, b->fstype);
}

/* The wider view of two mounts of one file system: its own root, then the shorter path, then the earlier one. */
static bool wider(const struct mount *a, const struct mount *b)
{
        bool whole_a = streq(a->root, "/"), whole_b = streq(b->root, "/");

        if (whole_a != whole_b)
                return whole_a;
        return strlen(a->mountpoint) < strlen(b->mountpoint);
}

void mount_table_choose(struct mount_table *t)
{
        for (size_t i = 0; i < t->n; i++) {
                struct mount *m = &t->items[i];

                m->chosen = false;
                if (m->class == MOUNT_PSEUDO || mount_table_visible(t, m->mountpoint) != m)
                        continue;
                m->chosen = true;
                for (size_t j = 0; j < i; j++) {
                        struct mount *other = &t->items[j];

                        if (!other->chosen || !same_filesystem(m, other))
                                continue;
                        if (wider(m, other))
                                other->chosen = false;
                        else
                                m->chosen = false;
                        break;
                }
        }
}

const struct mount *mount_table_holding(const struct mount_table *t, const char *path)
{
        const struct mount *m = mount_table_visible(t, path);

        for (size_t i = 0; m && i < t->n; i++)
                if (t->items[i].chosen && same_filesystem(&t->items[i], m))
                        return &t->items[i];
        return NULL;
}

bool mount_has_option(const char *options, const char *name)
{
        size_t n = strlen(name);

        for (const char *p = options; p && *p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL)
                if (strncmp(p, name, n) == 0 && (p[n] == '\0' || p[n] == ',' || p[n] == '='))
                        return true;
        return false;
}

int fstab_wants_readonly(const char *fstab, const char *mountpoint)
{
        _cleanup_free_ char *copy = strdup(fstab);
        char *save = NULL;

        if (!copy)
                return -ENOMEM;
        for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                char *f[6];
                size_t n = split(line, f, ARRAY_LEN(f));

                if (n < 2 || f[0][0] == '#')
                        continue;
                unescape(f[1]);
                if (strlen(f[1]) > 1 && f[1][strlen(f[1]) - 1] == '/')
                        f[1][strlen(f[1]) - 1] = '\0';
                if (streq(f[1], mountpoint))
                        return n >= 4 && mount_has_option(f[3], "ro");
        }
        return -ENOENT;
}
