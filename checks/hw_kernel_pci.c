/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */

/* PCI Express: error counters (AER) and the width of links. Devices are called what a person would call them: the disk
 * or network interface they are. A port counts errors of the link below it as often as the card does (the ABI says the
 * partner may be the one that counts), so a port with one thing behind it speaks for that thing. */

#include "hw_kernel.h"

#include <ctype.h>

#define PCI "sys/bus/pci/devices"
#define DEPTH_MAX 3 /* of switches below a port */
#define LANES_MAX 32

static const struct {
        const char *file, *severity, *total;
} counters[] = {
        { "aer_dev_correctable", "correctable", "TOTAL_ERR_COR" },
        { "aer_dev_nonfatal", "nonfatal", "TOTAL_ERR_NONFATAL" },
        { "aer_dev_fatal", "fatal", "TOTAL_ERR_FATAL" },
};

static bool is_address(const char *name)
{
        unsigned domain, bus, slot, function;
        char rest;

        return sscanf(name, "%8x:%2x:%2x.%1x%c", &domain, &bus, &slot, &function, &rest) == 4;
}

/* The first entry of the directory that begins with prefix (which may be ""). */
static bool first_entry(struct env *env, const char *path, const char *prefix, char *buf, size_t size)
{
        char **names;
        bool found = false;

        if (env_list_dir(env, &names, "%s", path) < 0)
                return false;
        for (size_t i = 0; names[i] && !found; i++)
                if (str_starts(names[i], prefix) && strlen(names[i]) < size) {
                        strcpy(buf, names[i]);
                        found = true;
                }
        env_list_free(names);
        return found;
}

/* The disk or interface that the function itself is. */
static bool name_of_function(struct env *env, const char *path, char *name, size_t size, char kind[24])
{
        char below[512];

        snprintf(below, sizeof(below), "%s/net", path);
        if (first_entry(env, below, "", name, size)) {
                strcpy(kind, "net");
                return true;
        }
        snprintf(below, sizeof(below), "%s/nvme", path);
        if (first_entry(env, below, "nvme", name, size) && strlen(name) + 3 < size) {
                strcat(name, "n1"); /* the disk of a controller: others are rare, and share its fate */
                strcpy(kind, "disk");
                return true;
        }
        return false;
}

/* Counts the named things behind a bridge; the first one's name stays in name. */
static unsigned names_behind(struct env *env, const char *path, int depth, char *name, size_t size, char kind[24])
{
        unsigned n = 0;
        char **names;

        if (depth > DEPTH_MAX || env_list_dir(env, &names, "%s", path) < 0)
                return 0;
        for (size_t i = 0; names[i]; i++) {
                char below[512], found[INSTANCE_NAME_MAX], found_kind[24];

                if (!is_address(names[i]))
                        continue;
                snprintf(below, sizeof(below), "%s/%s", path, names[i]);
                unsigned more = name_of_function(env, below, found, sizeof(found), found_kind)
                                        ? 1
                                        : names_behind(env, below, depth + 1, found, sizeof(found), found_kind);

                if (more && !n && strlen(found) < size) {
                        strcpy(name, found);
                        strcpy(kind, found_kind);
                }
                n += more;
        }
        env_list_free(names);
        return n;
}

static bool is_bridge(struct env *env, const char *address)
{
        char class[16];

        return env_read(env, class, sizeof(class), PCI "/%s/class", address) > 0 && str_starts(class, "0x0604");
}

void kernel_pci_component(struct env *env, const char *address, char *component, size_t size, char kind[24])
{
        char path[256];

        snprintf(path, sizeof(path), PCI "/%s", address);
        if (name_of_function(env, path, component, size, kind))
                return;
        if (is_bridge(env, address) && names_behind(env, path, 0, component, size, kind) == 1)
                return;
        snprintf(component, size, "PCI %s", address);
        strcpy(kind, "pci");
}

int kernel_pci_discover(struct env *env, struct instance_list *list)
{
        char **names;
        int r = env_list_dir(env, &names, PCI);

        if (r < 0)
                return r == -ENOENT ? 0 : r;
        for (size_t i = 0; names[i]; i++) {
                struct instance *inst;
                char name[INSTANCE_NAME_MAX];

                if (!is_address(names[i]) || !env_exists(env, PCI "/%s/aer_dev_correctable", names[i]))
                        continue;
                snprintf(name, sizeof(name), "pci:%s", names[i]);
                inst = instance_add(list, name);
                if (inst)
                        kernel_pci_component(env, names[i], inst->component, sizeof(inst->component), inst->kind);
        }
        env_list_free(names);
        return 0;
}

/* Lines of "NAME COUNT"; the total is among them. Types that never happened are left out: there are dozens. */
static enum result run_counter(struct env *env, const char *address, size_t which)
{
        char text[4096], *save = NULL;
        bool found = false;
        int r = env_read(env, text, sizeof(text), PCI "/%s/%s", address, counters[which].file);

        if (r == -ENOENT)
                return RESULT_OK;
        if (r < 0)
                return env_end_errno(env, r, PCI "/%s/%s", address, counters[which].file);
        for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                char *space = strrchr(line, ' '), *end;
                unsigned long long n;

                if (!space)
                        continue;
                *space = '\0';
                n = strtoull(space + 1, &end, 10);
                if (end == space + 1 || *end)
                        return env_end(env, RESULT_FAILED, PCI "/%s/%s: '%s' is not a count", address, counters[which].file, space + 1);
                if (streq(line, counters[which].total)) {
                        found = true;
                        env_sample(env, "pcie_errors_total", (double)n, "device", address, "severity", counters[which].severity, NULL);
                } else if (n > 0) {
                        env_sample(env, "pcie_error_types_total", (double)n, "device", address, "severity", counters[which].severity,
                                   "type", line, NULL);
                }
        }
        if (!found)
                return env_end(env, RESULT_FAILED, PCI "/%s/%s: no line %s", address, counters[which].file, counters[which].total);
        return RESULT_OK;
}

/* Ports lose lanes when their slot is empty, and cards may sit in a narrower slot: the rule asks for "was whole once". */
static void run_width(struct env *env, const char *address)
{
        int64_t now, max;

        if (is_bridge(env, address) || env_read_i64(env, &now, PCI "/%s/current_link_width", address) < 0 ||
            env_read_i64(env, &max, PCI "/%s/max_link_width", address) < 0)
                return;
        if (now < 1 || max < 1 || now > LANES_MAX || max > LANES_MAX)
                return; /* 0, 63 and 255: not known, or asleep */
        env_sample(env, "pcie_link_width_ratio", MIN((double)now / (double)max, 1), "device", address, NULL);
}

enum result kernel_pci_run(struct env *env, const char *address)
{
        enum result result = RESULT_OK;

        for (size_t i = 0; i < ARRAY_LEN(counters) && result == RESULT_OK; i++)
                result = run_counter(env, address, i);
        if (result == RESULT_OK)
                run_width(env, address);
        return result;
}
