/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* The graph of what stands on what. Small (a hundred components on a large host), asked often, built anew from each
 * run of the check: so plain arrays, a hash for the names, and every question is one walk over the links. */

#include "topology.h"

#define NODES_MAX 2048
#define LINKS_MAX 8192
#define NAME_MAX_LEN 255
#define HASH_SLOTS (NODES_MAX * 2) /* a power of two */

struct node {
        char *name;
        unsigned roles;
        bool mount; /* a file system is mounted there, or it is the swap */
};

struct link {
        uint16_t parent, child;
        uint8_t kind;
        uint16_t tolerates;
};

struct topology {
        struct node nodes[NODES_MAX];
        size_t n_nodes;
        struct link *links;
        size_t n_links, size_links;
        bool cut; /* there is more */
        uint16_t slots[HASH_SLOTS]; /* index + 1, 0: empty */
};

static const char *const kind_names[TOPOLOGY_KIND_MAX] = {
        [TOPOLOGY_FILESYSTEM] = "filesystem",
        [TOPOLOGY_SWAP] = "swap",
        [TOPOLOGY_PARTITION] = "partition",
        [TOPOLOGY_DM] = "dm",
        [TOPOLOGY_LOOP] = "loop",
        [TOPOLOGY_CONTROLLER] = "controller",
        [TOPOLOGY_RAID_REDUNDANT] = "raid-redundant",
        [TOPOLOGY_RAID_SINGLE] = "raid-single",
        [TOPOLOGY_RAID_SPARE] = "raid-spare",
};

static const char *const role_names[TOPOLOGY_ROLE_MAX] = {
        [TOPOLOGY_ROLE_ROOT] = "root",
        [TOPOLOGY_ROLE_MAIL_SPOOL] = "mail-spool",
        [TOPOLOGY_ROLE_MAIL_STORE] = "mail-store",
        [TOPOLOGY_ROLE_STATE] = "state",
        [TOPOLOGY_ROLE_SWAP] = "swap",
};

static int name_index(const char *const names[], int n, const char *name)
{
        for (int i = 0; i < n; i++)
                if (streq(names[i], name))
                        return i;
        return -EINVAL;
}

const char *topology_kind_name(enum topology_kind kind)
{
        assert(kind < TOPOLOGY_KIND_MAX);
        return kind_names[kind];
}

int topology_kind_from_name(const char *name)
{
        return name_index(kind_names, TOPOLOGY_KIND_MAX, name);
}

const char *topology_role_name(enum topology_role role)
{
        assert(role < TOPOLOGY_ROLE_MAX);
        return role_names[role];
}

int topology_role_from_name(const char *name)
{
        return name_index(role_names, TOPOLOGY_ROLE_MAX, name);
}

struct topology *topology_new(void)
{
        return calloc(1, sizeof(struct topology));
}

struct topology *topology_free(struct topology *t)
{
        if (!t)
                return NULL;
        for (size_t i = 0; i < t->n_nodes; i++)
                free(t->nodes[i].name);
        free(t->links);
        free(t);
        return NULL;
}

/* FNV-1a */
static size_t hash(const char *s)
{
        uint32_t h = 2166136261U;

        for (; *s; s++)
                h = (h ^ (unsigned char)*s) * 16777619U;
        return h & (HASH_SLOTS - 1);
}

/* The slot of that name, or the empty one where it belongs; there is always an empty one. */
static size_t find_slot(const struct topology *t, const char *name)
{
        size_t slot = hash(name);

        while (t->slots[slot] && !streq(t->nodes[t->slots[slot] - 1].name, name))
                slot = (slot + 1) & (HASH_SLOTS - 1);
        return slot;
}

static int find(const struct topology *t, const char *name)
{
        return (int)t->slots[find_slot(t, name)] - 1;
}

static int find_or_add(struct topology *t, const char *name)
{
        size_t slot = find_slot(t, name);

        if (t->slots[slot])
                return t->slots[slot] - 1;
        if (!*name || strlen(name) > NAME_MAX_LEN)
                return -EINVAL;
        if (t->n_nodes == NODES_MAX) {
                t->cut = true;
                return -E2BIG;
        }
        t->nodes[t->n_nodes].name = strdup(name);
        if (!t->nodes[t->n_nodes].name)
                return -ENOMEM;
        t->slots[slot] = (uint16_t)++t->n_nodes;
        return (int)t->n_nodes - 1;
}

int topology_add_link(struct topology *t, const char *parent, const char *child, enum topology_kind kind, int tolerates)
{
        int p, c;

        assert(kind < TOPOLOGY_KIND_MAX);
        if (streq(parent, child))
                return -EINVAL;
        p = find_or_add(t, parent);
        if (p < 0)
                return p;
        c = find_or_add(t, child);
        if (c < 0)
                return c;
        for (size_t i = 0; i < t->n_links; i++)
                if (t->links[i].parent == p && t->links[i].child == c && t->links[i].kind == kind)
                        return 0;
        if (t->n_links == LINKS_MAX) {
                t->cut = true;
                return -E2BIG;
        }
        if (t->n_links == t->size_links) {
                size_t size = t->size_links ? t->size_links * 2 : 64;
                struct link *links = realloc(t->links, size * sizeof(*links));

                if (!links)
                        return -ENOMEM;
                t->links = links;
                t->size_links = size;
        }
        t->links[t->n_links++] = (struct link){
                .parent = (uint16_t)p, .child = (uint16_t)c, .kind = (uint8_t)kind,
                .tolerates = kind == TOPOLOGY_RAID_REDUNDANT ? (uint16_t)MIN(MAX(tolerates, 1), NODES_MAX) : 0,
        };
        if (kind == TOPOLOGY_FILESYSTEM || kind == TOPOLOGY_SWAP)
                t->nodes[p].mount = true;
        return 0;
}

int topology_add_role(struct topology *t, const char *component, enum topology_role role)
{
        int i = find_or_add(t, component);

        assert(role < TOPOLOGY_ROLE_MAX);
        if (i < 0)
                return i;
        t->nodes[i].roles |= TOPOLOGY_ROLE_BIT(role);
        t->nodes[i].mount = true;
        return 0;
}

static const char *label(const char *const *labels, const char *name)
{
        for (size_t i = 0; labels[i] && labels[i + 1]; i += 2)
                if (streq(labels[i], name))
                        return labels[i + 1];
        return "";
}

int topology_add_sample(struct topology *t, const char *metric, const char *const *labels)
{
        if (streq(metric, "topology_link_info")) {
                int kind = topology_kind_from_name(label(labels, "kind"));

                if (kind < 0)
                        return kind;
                return topology_add_link(t, label(labels, "parent"), label(labels, "child"), (enum topology_kind)kind,
                                         atoi(label(labels, "tolerates")));
        }
        if (streq(metric, "topology_role_info")) {
                int role = topology_role_from_name(label(labels, "role"));

                return role < 0 ? role : topology_add_role(t, label(labels, "component"), (enum topology_role)role);
        }
        return -EINVAL;
}

bool topology_take_cut(struct topology *t)
{
        bool cut = t->cut;

        t->cut = false;
        return cut;
}

bool topology_knows(const struct topology *t, const char *component)
{
        return find(t, component) >= 0;
}

/* A walk marks nodes in the order of their distance. */
struct walk {
        uint16_t order[NODES_MAX];
        size_t n;
        bool marked[NODES_MAX];
};

static void mark(struct walk *w, size_t node)
{
        if (w->marked[node])
                return;
        w->marked[node] = true;
        w->order[w->n++] = (uint16_t)node;
}

/* Has the parent of this link lost more members than it can? Two members may stand on the same disk. */
static bool array_lost(const struct topology *t, const struct walk *w, const struct link *l)
{
        size_t lost = 0;

        for (size_t i = 0; i < t->n_links; i++)
                if (t->links[i].parent == l->parent && w->marked[t->links[i].child] &&
                    (t->links[i].kind == TOPOLOGY_RAID_REDUNDANT || t->links[i].kind == TOPOLOGY_RAID_SINGLE))
                        lost++;
        return lost > l->tolerates;
}

static bool link_counts(const struct topology *t, const struct walk *w, const struct link *l, enum topology_direction direction)
{
        if (direction != TOPOLOGY_LOST)
                return true;
        if (l->kind == TOPOLOGY_RAID_SPARE)
                return false;
        return l->kind == TOPOLOGY_RAID_REDUNDANT ? array_lost(t, w, l) : true;
}

/* Every node that is reached; the graph may have rings (nonsense from outside), each node is visited once. */
static void walk(const struct topology *t, struct walk *w, size_t start, enum topology_direction direction)
{
        w->n = 0;
        memset(w->marked, 0, sizeof(w->marked));
        mark(w, start);
        for (size_t i = 0; i < w->n; i++)
                for (size_t j = 0; j < t->n_links; j++) {
                        const struct link *l = &t->links[j];

                        if (direction == TOPOLOGY_DOWN) {
                                if (l->parent == w->order[i])
                                        mark(w, l->child);
                        } else if (l->child == w->order[i] && link_counts(t, w, l, direction)) {
                                mark(w, l->parent);
                        }
                }
}

static unsigned roles_reached(const struct topology *t, const char *component, enum topology_direction direction)
{
        int start = find(t, component);
        unsigned roles = 0;
        struct walk w;

        if (start < 0)
                return 0;
        walk(t, &w, (size_t)start, direction);
        for (size_t i = 0; i < w.n; i++)
                roles |= t->nodes[w.order[i]].roles;
        return roles;
}

unsigned topology_roles(const struct topology *t, const char *component)
{
        return roles_reached(t, component, TOPOLOGY_UP);
}

unsigned topology_roles_lost(const struct topology *t, const char *component)
{
        return roles_reached(t, component, TOPOLOGY_LOST);
}

static size_t mounts_reached(const struct topology *t, size_t start, enum topology_direction direction)
{
        size_t n = 0;
        struct walk w;

        walk(t, &w, start, direction);
        for (size_t i = 0; i < w.n; i++)
                if (t->nodes[w.order[i]].mount)
                        n++;
        return n;
}

bool topology_is_protected(const struct topology *t, const char *component)
{
        int start = find(t, component);

        return start >= 0 && mounts_reached(t, (size_t)start, TOPOLOGY_UP) > 0 &&
               mounts_reached(t, (size_t)start, TOPOLOGY_LOST) == 0;
}

size_t topology_related(const struct topology *t, const char *component, enum topology_direction direction,
                        const char **ret, size_t max)
{
        int start = find(t, component);
        struct walk w;

        if (start < 0)
                return 0;
        walk(t, &w, (size_t)start, direction);
        for (size_t i = 1; i < w.n && i <= max; i++)
                ret[i - 1] = t->nodes[w.order[i]].name;
        return w.n - 1;
}

void topology_mounts_text(const struct topology *t, const char *component, char *buf, size_t size)
{
        int start = find(t, component);
        size_t len = 0;
        struct walk w;

        assert(size > 0);
        buf[0] = '\0';
        if (start < 0)
                return;
        walk(t, &w, (size_t)start, TOPOLOGY_UP);
        for (size_t i = 0; i < w.n; i++) {
                const struct node *n = &t->nodes[w.order[i]];
                size_t need = strlen(n->name) + (len ? 2 : 0);

                if (!n->mount || len + need >= size)
                        continue;
                len += (size_t)snprintf(buf + len, size - len, "%s%s", len ? ", " : "", n->name);
        }
}
