/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_TOPOLOGY_H
#define VEILLE_TOPOLOGY_H

/* What stands on what: file systems on dm on md on partitions on disks on controllers, and what lives there.
 * Built by the brain from the samples of the check topology (docs/protocols.md); answers whether losing a
 * component loses a role, which decides how urgent its faults are. Pure: no I/O, no clock. */

#include "macros.h"

enum topology_kind {
        TOPOLOGY_FILESYSTEM,     /* parent: mount point, child: block device, array or pool it is mounted from */
        TOPOLOGY_SWAP,           /* parent: "swap", child: device or the mount point that holds the file */
        TOPOLOGY_PARTITION,      /* parent: partition, child: disk */
        TOPOLOGY_DM,             /* parent: dm device, child: what it maps; all of them are needed */
        TOPOLOGY_LOOP,           /* parent: loop device, child: the mount point that holds its file */
        TOPOLOGY_CONTROLLER,     /* parent: disk, child: NVMe controller or PCI function it hangs on */
        TOPOLOGY_RAID_REDUNDANT, /* parent: array or pool that survives the loss of this member now */
        TOPOLOGY_RAID_SINGLE,    /* parent: array or pool that does not */
        TOPOLOGY_RAID_SPARE,     /* member without data that the array needs now: spare, rebuilding, failed */
        TOPOLOGY_KIND_MAX,
};

enum topology_role {
        TOPOLOGY_ROLE_ROOT,
        TOPOLOGY_ROLE_MAIL_SPOOL,
        TOPOLOGY_ROLE_MAIL_STORE,
        TOPOLOGY_ROLE_STATE, /* veille's own */
        TOPOLOGY_ROLE_SWAP,  /* swap in use: its loss kills processes */
        TOPOLOGY_ROLE_MAX,
};
#define TOPOLOGY_ROLE_BIT(role) (1U << (role))

/* The names used in labels: "filesystem", "raid-redundant", ...; "mail-spool", ... */
const char *topology_kind_name(enum topology_kind kind);
int topology_kind_from_name(const char *name);
const char *topology_role_name(enum topology_role role);
int topology_role_from_name(const char *name);

struct topology;

struct topology *topology_new(void);
struct topology *topology_free(struct topology *t); /* NULL is fine; returns NULL */

/* parent needs child. tolerates: how many members of its kind the parent can lose now (TOPOLOGY_RAID_REDUNDANT; below 1
 * it is taken as 1), ignored for other kinds. Saying the same twice is fine.
 * 0; -EINVAL for an empty or over-long name or parent = child; -E2BIG beyond 2048 components or 8192 links; -ENOMEM. */
int topology_add_link(struct topology *t, const char *parent, const char *child, enum topology_kind kind, int tolerates);
int topology_add_role(struct topology *t, const char *component, enum topology_role role);

/* The same from the labels of a sample (topology_link_info, topology_role_info): name, value, ..., NULL. Unknown kinds and
 * roles are -EINVAL: skip the sample. */
int topology_add_sample(struct topology *t, const char *metric, const char *const *labels);

/* Whether something did not fit since the last call: more than 2048 nodes or 8192 links. */
bool topology_take_cut(struct topology *topology);

/* Is the component in the graph at all? If not, nothing is known: the answers below are 0 and "not protected". */
bool topology_knows(const struct topology *t, const char *component);

/* Roles (bits) that stand on the component, redundantly or not, its own included. */
unsigned topology_roles(const struct topology *t, const char *component);

/* Roles that are lost when this component alone is lost now (a part that is mirrored loses none). */
unsigned topology_roles_lost(const struct topology *t, const char *component);

/* Working redundancy stands between the component and all that lives on it: it carries something (a role, a mounted
 * file system, swap), and its loss alone loses none of that. */
bool topology_is_protected(const struct topology *t, const char *component);

/* The other components that stand on this one (up), that are lost with it (lost), or that it stands on (down); at most max
 * names, valid until t is freed or changed; the number found in all. Nearest first. */
enum topology_direction { TOPOLOGY_UP, TOPOLOGY_LOST, TOPOLOGY_DOWN };
size_t topology_related(const struct topology *t, const char *component, enum topology_direction direction,
                        const char **ret, size_t max);

/* "/, /srv/mail": the mount points among what stands on the component, for texts. */
void topology_mounts_text(const struct topology *t, const char *component, char *buf, size_t size);

#endif
