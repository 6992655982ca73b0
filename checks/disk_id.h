/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_DISK_ID_H
#define VEILLE_DISK_ID_H

/* What identifies a disk over ports and reboots, and which block devices are disks at all: one answer for all
 * checks, so that the same disk is the same component with the same id everywhere. */

#include "check.h"

/* Of the disk with this kernel name ("sda", "nvme0n1"): its WWN as lower case hex ("5000c500a1b2c3d4", as libatasmart
 * and smartctl make it), else the NVMe EUI/NGUID or uuid, else its serial number. Length; -ENOENT: it has none
 * (buf is then ""). */
int disk_id(struct env *env, const char *name, char *buf, size_t size);

/* The serial number of a SCSI disk: page 0x80 of its vital product data (SPC-4, 7.8.10), four bytes of header and the number.
 * Its length; -ENOENT: it has none, or a longer one than buf holds, and buf is untouched. */
int disk_vpd_serial(struct env *env, const char *name, char *buf, size_t size);

/* Whether the name is a whole disk of hardware (or of a hypervisor): no partition, loop, ram, dm, md, zram, floppy,
 * optical drive, and not empty (a card reader without a card). */
bool disk_is_real(struct env *env, const char *name);

/* The disks of /sys/block; NULL-terminated, sorted, owned by the caller (env_list_free). Without /sys/block: -ENOENT. */
int disk_list(struct env *env, char ***ret);

#endif
