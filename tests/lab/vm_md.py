#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 900
"""A mirror under the mail: members that fail, are pulled, differ; the rebuild; and one that was degraded before anybody looked."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "vm"))
from faults import run
from machine import Disk

MIB = 1 << 20


def make(m):
    names = [m.name("r0"), m.name("r1")]
    m.do("mdadm --create /dev/md0 --run --level=1 --raid-devices=2 --metadata=1.2 --assume-clean /dev/%s /dev/%s" % tuple(names))
    m.do("mke2fs -q -F -t ext4 -E lazy_itable_init=0,lazy_journal_init=0,nodiscard /dev/md0; mkdir -p /var/mail; mount -t ext4 /dev/md0 /var/mail; sync")


def again(m, member):
    """The member is taken out and put back; when this ends the mirror is whole."""
    m.do("cat /sys/block/md0/md/dev-%s/state 2>/dev/null | grep -q faulty && mdadm /dev/md0 --remove /dev/%s; mdadm /dev/md0 --re-add /dev/%s || "
         "mdadm /dev/md0 --add /dev/%s" % (member, member, member, member))
    whole(m)


def whole(m):
    m.do("echo 200000 >/proc/sys/dev/raid/speed_limit_max")
    m.until("[ $(cat /sys/block/md0/md/degraded) = 0 ] && [ $(cat /sys/block/md0/md/sync_action) = idle ]")


def md(lab):
    kind = "scsi" if lab.kind == "pc" else "nvme"
    with lab.machine([Disk("r0", kind, 48), Disk("r1", kind, 48)], peers=("mdadm", "smartd", "rasdaemon"), prepare=make) as m:
        second = m.name("r1")

        def fails():
            m.fail("r1", "write", sector=8)  # where md keeps what it knows of the member
            m.sh("echo x >/var/mail/x; sync")

        def leave():
            m.heal("r1")
            again(m, second)

        lab.fault("mirror: a member fails", fails, lab.log(r"Disk failure on %s, disabling device" % second), ("md0", "critical", "raid-unprotected"),
                  peers={"mdadm": r"Fail "}, repair=None)
        lab.also("mirror: the member is named, too", (second, "critical", "raid-member-failed"))

        def rebuild():
            m.heal("r1")
            m.do("mdadm /dev/md0 --fail /dev/%s; mdadm /dev/md0 --remove /dev/%s; mdadm --zero-superblock /dev/%s; echo 100 >/proc/sys/dev/raid/speed_limit_min; "
                 "echo 2000 >/proc/sys/dev/raid/speed_limit_max; mdadm /dev/md0 --add /dev/%s" % (second, second, second, second))

        lab.fault("mirror: it is being rebuilt", rebuild, lab.shows("cat /sys/block/md0/md/sync_action", "recover"), ("md0", "notice", "raid-rebuilding"),
                  peers={"mdadm": r"RebuildStarted"}, repair=lambda: whole(m))

        lab.fault("mirror: a member is set faulty by hand", lambda: m.do("mdadm /dev/md0 --fail /dev/" + second), lab.shows("cat /proc/mdstat", r"\(F\)"),
                  ("md0", "critical", "raid-unprotected"), peers={"mdadm": r"Fail "}, repair=leave)

        def differ():
            for at in range(8, 40, 2):
                m.corrupt("r1", at * MIB, os.urandom(MIB))
            m.do("echo 3 >/proc/sys/vm/drop_caches; echo check >/sys/block/md0/md/sync_action")
            m.until("[ $(cat /sys/block/md0/md/sync_action) = idle ]")

        def same():
            m.do("echo repair >/sys/block/md0/md/sync_action")
            m.until("[ $(cat /sys/block/md0/md/sync_action) = idle ]")
            m.do("echo check >/sys/block/md0/md/sync_action")
            m.until("[ $(cat /sys/block/md0/md/sync_action) = idle ]")

        lab.fault("mirror: its halves differ", differ, lab.shows("cat /sys/block/md0/md/mismatch_cnt", r"^[1-9]\d\d\d"), ("md0", "notice", "raid-mismatch-mirror"),
                  peers={"mdadm": r"mismatches"}, repair=same)

        def pull():
            m.unplug("r1")
            m.sh("echo y >/var/mail/y; sync")

        def push():
            m.plug("r1")
            m.until("grep -q -a R1 /sys/block/*/device/vpd_pg80 /sys/block/*/device/serial 2>/dev/null")
            again(m, m.name("r1"))

        lab.fault("mirror: a member is pulled out", pull, lab.shows("cat /sys/block/md0/md/degraded", "1"), ("md0", "critical", "raid-unprotected"),
                  peers={"mdadm": r"Fail|Degraded"}, repair=push)
        degraded_before(lab, m)


def degraded_before(lab, m):
    """The brain that starts on a mirror which lacks a member, with no memory of better days."""
    second = m.name("r1")
    m.stop_veille()

    def start():
        m.do("mdadm /dev/md0 --fail /dev/%s; mdadm /dev/md0 --remove /dev/%s; rm -rf /var/lib/veille /run/veille/*" % (second, second))
        lab.start_veille()

    lab.fault("mirror: degraded before veille starts", start, lab.shows("cat /sys/block/md0/md/degraded", "1"), ("md0", "critical", "raid-unprotected"),
              repair=lambda: again(m, m.name("r1")), alone=True)


run("md", {"pc": md, "q35": md}, long=["q35"])
