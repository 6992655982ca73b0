/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_HW_KERNEL_H
#define VEILLE_HW_KERNEL_H

/* The parts of the check "kernel": hw_kernel.c (disks, and which instance is whose), hw_kernel_queue.c (disks and
 * arrays that finish nothing), hw_kernel_pci.c (PCI Express), hw_kernel_fs.c (file systems that count their errors in
 * sysfs), hw_kernel_rules.c (what is judged, the kernel's messages included). */

#include "check.h"

#define KERNEL_METRICS 16
#define KERNEL_RULES 50

extern const struct metric_desc kernel_metrics[KERNEL_METRICS];
extern const struct rule kernel_rules[KERNEL_RULES];

/* One kind of instance: finds them (a directory that is not there is no error) and measures one. */
int kernel_pci_discover(struct env *env, struct instance_list *list);
enum result kernel_pci_run(struct env *env, const char *address);
int kernel_ext4_discover(struct env *env, struct instance_list *list);
enum result kernel_ext4_run(struct env *env, const char *device);

/* Whether requests are in flight and none completes; looks for 5 s at most, no longer than needed. */
enum result kernel_queue_run(struct env *env, const char *device);

/* The PCI device as a person would name it: the disk or network interface it is (or, for a port with one thing
 * behind it, that thing), else "PCI 0000:00:1c.0"; and the kind of component. */
void kernel_pci_component(struct env *env, const char *address, char *component, size_t size, char kind[24]);

#endif
