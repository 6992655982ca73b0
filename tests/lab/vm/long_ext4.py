#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""File systems of mail that stop: ext4 that went read-only by error while its mount options still say rw, a device that turns into
errors under it, one that the kernel shut down, one that is full."""

from faults import run
from machine import Disk

MAKE = "mke2fs -q -F -t ext4 -E lazy_itable_init=0,lazy_journal_init=0,nodiscard "

def fresh(m, where):
    """A whole file system on a mapped device over d0, mounted there."""
    m.sh("umount /var/mail /var/spool/postfix 2>/dev/null; dmsetup remove --retry mail 2>/dev/null")
    device = "/dev/" + m.name("d0")
    m.do("echo 0 65536 linear %s 0 | dmsetup create mail; dmsetup mknodes; %s /dev/mapper/mail; mkdir -p /var/mail /var/spool/postfix; "
         "mount -t ext4 -o errors=remount-ro /dev/mapper/mail %s" % (device, MAKE, where))

def ext4(lab):
    with lab.machine([Disk("d0", "virtio")], prepare=lambda m: fresh(m, "/var/mail"), peers=("smartd", "rasdaemon")) as m:
        node = m.do("basename $(readlink -f /sys/block/dm-0)").strip()
        repair = lambda: fresh(m, "/var/mail")

        def error():
            m.do("echo lab >/sys/fs/ext4/%s/trigger_fs_error" % node)

        lab.fault("ext4: read-only by error, and the options still say rw", error, lab.log(r"EXT4-fs \(%s\): Remounting filesystem read-only" % node),
                  ("/var/mail", "critical", "fs-refuses-writes"), repair=repair)
        lab.also("ext4: options say rw, the errors are counted", ("/var/mail", "critical", "fs-new-error"))

        def dead():
            m.do("echo 0 65536 error | dmsetup load mail; dmsetup suspend --noflush --nolockfs mail; dmsetup resume mail")
            m.sh("echo x >/var/mail/x; sync")

        lab.fault("ext4: the device under it gives nothing but errors", dead, lab.log(r"EXT4-fs.*error|I/O error.*%s" % node),
                  ("/var/mail", "critical", "write-failed"), look="latency", repair=repair)

        def full():
            m.sh("dd if=/dev/zero of=/var/mail/big bs=65536 2>/dev/null; sync")

        lab.fault("ext4: the mail store is full", full, lab.shows("df /var/mail", r"100%"), ("/var/mail", "critical", "fs-space"), look="fs",
                  repair=lambda: m.do("rm /var/mail/big; sync"))

run("ext4", {"pc": ext4, "q35": ext4}, long=["q35"])
