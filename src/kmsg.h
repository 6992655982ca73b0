/* SPDX-FileCopyrightText: 2026 The veille authors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef VEILLE_KMSG_H
#define VEILLE_KMSG_H

/* What the kernel says, read as events: which thing, what kind of trouble, how bad it looks at first sight.
 * kmsg_parse_record() takes what one read() of /dev/kmsg returns, kmsg_parse_log_line() a line of a saved log
 * (dmesg, syslog), kmsg_classify() finds the event in it. Pure, bounded, no memory between lines. */

#include "level.h"
#include "macros.h"

enum kmsg_kind {
        KMSG_NONE, /* nothing that concerns us */
        /* Disks */
        KMSG_ATA_ERROR,     /* a command failed or timed out */
        KMSG_ATA_LINK,      /* checksum errors on the cable, a link that slows down or does not come up */
        KMSG_SCSI_ERROR,    /* hardware or target error */
        KMSG_MEDIUM_ERROR,  /* the disk cannot read or write what is there */
        KMSG_IO_ERROR,      /* the block layer gave up on a request */
        KMSG_LOST_WRITE,    /* data that was accepted could not be written */
        KMSG_DISK_RESET,    /* device, bus or host reset, aborted task */
        KMSG_NVME_TIMEOUT,
        KMSG_NVME_RESET,
        KMSG_NVME_DOWN,     /* the controller does not answer any more; it is being reset */
        KMSG_DISK_OFFLINED, /* given up by the kernel */
        KMSG_HBA_FAULT,     /* the disk controller itself */
        KMSG_USB_RESET,
        KMSG_PATH_FAILED,   /* multipath */
        /* Arrays */
        KMSG_MD_DEGRADED,   /* a member was thrown out */
        KMSG_MD_FAILED,     /* too few members to go on */
        KMSG_MD_READ_ERROR, /* a sector of a member read wrongly (and usually corrected from the others) */
        /* File systems */
        KMSG_FS_ERROR,
        KMSG_REMOUNT_RO,
        KMSG_FS_SHUTDOWN,
        /* Memory, CPU, buses */
        KMSG_MCE,             /* corrected */
        KMSG_MCE_UNCORRECTED,
        KMSG_EDAC_CE,
        KMSG_EDAC_UE,
        KMSG_PAGE_OFFLINE,    /* memory taken out of use because it is bad */
        KMSG_AER_CORRECTED,
        KMSG_AER_UNCORRECTED, /* non-fatal */
        KMSG_AER_FATAL,
        KMSG_HARDWARE_CORRECTED, /* firmware's own report (APEI) */
        KMSG_HARDWARE_ERROR,
        /* Network */
        KMSG_LINK_DOWN,
        KMSG_LINK_UP,
        KMSG_NIC_HANG,
        /* The host */
        KMSG_THERMAL,          /* throttled by heat */
        KMSG_THERMAL_CRITICAL,
        KMSG_POWER,            /* under-voltage */
        KMSG_OOM,
        KMSG_OOM_CGROUP,       /* the limit of one service, not of the host */
        KMSG_HUNG_TASK,
        KMSG_CPU_STALL,
        KMSG_KERNEL_BUG,
        KMSG_MAX,
};

/* What the device of an event is, so that the caller knows how to find its component. */
enum kmsg_part {
        KMSG_PART_DISK,       /* sda, nvme0, nvme0n1, ata3, 2:0:0:0, a PCI address: see kmsg_is_on_path() */
        KMSG_PART_ARRAY,      /* md0 */
        KMSG_PART_FILESYSTEM, /* the block device it is mounted from */
        KMSG_PART_MEMORY,     /* mc0, with the module in member; or "" */
        KMSG_PART_PCI,        /* a PCI address */
        KMSG_PART_NET,        /* eth0 */
        KMSG_PART_HOST,       /* no device, or the name of a process */
        KMSG_PART_MAX,
};

struct kmsg_kind_info {
        const char *name; /* "medium-error": the value of label kind */
        enum kmsg_part part;
        enum level hint;    /* how bad one such event looks by itself; rules decide */
        const char *check;  /* the check to run now, for it counts the same thing better; NULL: none */
        const char *help;   /* what it is, for people */
};
const struct kmsg_kind_info *kmsg_kind_info(enum kmsg_kind kind);
int kmsg_kind_from_name(const char *name); /* -EINVAL */

#define KMSG_TEXT_MAX 1024
#define KMSG_RECORD_MAX 8192 /* the kernel never returns more from one read() */

struct kmsg_record {
        unsigned priority;   /* 0 emerg .. 7 debug; 8: not known (saved logs) */
        unsigned facility;   /* 0: the kernel itself; anything else was written by a program */
        uint64_t seq;
        int64_t time_us;     /* since boot; -1: not known */
        bool continued;      /* a fragment of a line ('c' in flags) */
        char subsystem[32];  /* "scsi", "pci", "nvme"; "" */
        char device[64];     /* "+scsi:2:0:0:0", "+pci:0000:01:00.0", "b8:16", "n2"; "" */
        char text[KMSG_TEXT_MAX]; /* escapes undone, cut if longer; never a control character */
};

struct kmsg_event {
        enum kmsg_kind kind;
        bool detail;      /* further lines of an event that another line stands for: do not count it */
        char device[64];  /* as the kernel names it: "sda", "ata3", "nvme0", "0000:01:00.0", "md0", "mc0", "eth0", "clamd"; "" */
        char member[64];  /* the part of it: disk of an array, label of a memory module; "" */
        int unit;         /* ataN.UNIT; -1: not said */
        unsigned count;   /* how many the line reports, 1 if it does not say */
        int64_t sector;   /* -1: not said */
        uint64_t seq;
        int64_t time_us;
        char text[256];   /* the line, cut */
};

/* 0, or -EBADMSG: not a record ("prio,seq,usec,flags;text", then lines of " KEY=value"). */
int kmsg_parse_record(const char *buf, size_t len, struct kmsg_record *ret);

/* A line of dmesg ("[  1.5] text", with -T or -x too) or of a syslog file ("Jan 29 16:41:37 host kernel: text",
 * also ISO times and journalctl's). 0; -ENOMSG: a program's line, not the kernel's; -EBADMSG: not a log line. */
int kmsg_parse_log_line(const char *line, size_t len, struct kmsg_record *ret);

/* True when the record is an event; ret is then filled. Lines that programs wrote never are. */
bool kmsg_classify(const struct kmsg_record *record, struct kmsg_event *ret);

/* Whether a block device is the one (or hangs on the one) the event names. name: "sda"; path: what the link
 * /sys/block/NAME points to ("../devices/pci0000:00/0000:00:1f.2/ata3/host2/target2:0:0/2:0:0:0/block/sda"). */
bool kmsg_is_on_path(const struct kmsg_event *event, const char *name, const char *path);

#endif
