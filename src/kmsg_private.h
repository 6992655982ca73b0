/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_KMSG_PRIVATE_H
#define VEILLE_KMSG_PRIVATE_H

/* The patterns of kmsg_table.c, as kmsg.c reads them. Only for these two. */

#include "kmsg.h"

/* A pattern matches from the start of the text; what follows it does not matter. Literal characters stand for
 * themselves, a space for one or more, and
 *   *   any run, as short as possible          $   the end of the text
 *   %a  an ATA port ("ata3", "ata3.00")         %v  an NVMe controller ("nvme0")
 *   %d  a block device or array ("sda1")        %p  a PCI address ("0000:01:00.0")
 *   %i  a network interface                     %c  any run, as short as possible (a process, a label)
 *   %m  the number of a memory controller       %e  a member of an array, or an interface of a bond
 *   %l  any run, as short as possible: the label of a memory module
 *   %w  a word, not kept                        %n  a decimal number, not kept     %h  a hex number, not kept
 *   %N  how many                                %S  a sector                       %u  the status word of a machine check
 * %a %v %d %p %i %m %c fill the event's device, %e %l its member. */
struct kmsg_row {
        const char *pattern;
        enum kmsg_kind kind;
        bool detail;
};

extern const struct kmsg_row kmsg_rows[];      /* whole lines */
extern const size_t kmsg_rows_len;
extern const struct kmsg_row kmsg_scsi_rows[]; /* after "sd 2:0:0:0: [sda] tag#5 " */
extern const size_t kmsg_scsi_rows_len;

#endif
