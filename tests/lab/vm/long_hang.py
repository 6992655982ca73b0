#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Disks that do not answer: one whose requests simply never end (nothing in the kernel's log), a mirror with such a member, one that
times out until the kernel gives it up. The loop of the brain is never held up, and it says who does not answer."""

from faults import run
from machine import Disk

MAKE = "mke2fs -q -F -t ext4 -E lazy_itable_init=0,lazy_journal_init=0,nodiscard "
EXTRA = "[check kernel]\ninterval = 5s\n[check latency]\ninterval = 5s\n[check fs]\ninterval = 10s"

def prepare(m):
    m.do("modprobe scsi_debug dev_size_mb=16 || true")
    m.do("mdadm --create /dev/md0 --run --level=1 --raid-devices=2 --metadata=1.2 --assume-clean /dev/%s /dev/%s" % (m.name("r0"), m.name("r1")))
    for device, where in (("/dev/" + m.name("d0"), "/var/mail"), ("/dev/md0", "/var/spool/postfix")):
        m.do("%s %s; mkdir -p %s; mount -t ext4 %s %s" % (MAKE, device, where, device, where))

def hang(lab):
    disks = [Disk("d0", "scsi"), Disk("r0", "scsi"), Disk("r1", "scsi")]
    with lab.machine(disks, prepare=prepare, extra=EXTRA, peers=("mdadm", "smartd", "rasdaemon")) as m:
        alone, member, debug = m.name("d0"), m.name("r1"), m.do("grep -l scsi_debug /sys/block/*/device/model").split("/")[3]
        waits = lambda name: lab.shows("cat /sys/block/%s/inflight" % name, r"[1-9]")

        def stops(disk, where):
            def inject():
                m.freeze(disk)
                m.do("{ echo x >%s/x; sync %s/x; } >/dev/null 2>&1 &" % (where, where))
            return inject

        lab.fault("a disk answers nothing any more", stops("d0", "/var/mail"), waits(alone), (alone, "warning", "disk-stalled"), repair=lambda: m.thaw("d0"), limit=120)
        lab.fault("a mirror whose member stalls instead of failing", stops("r1", "/var/spool/postfix"), waits(member), (member, "warning", "disk-stalled"),
                  repair=lambda: m.thaw("r1"), limit=120)
        stalled(lab, m)

        # Its commands time out, one after the other, until the kernel gives up.
        def times_out():
            m.do("echo 2 >/sys/block/%s/device/timeout; echo 1 >/sys/bus/pseudo/drivers/scsi_debug/every_nth; echo 4 >/sys/bus/pseudo/drivers/scsi_debug/opts; "
                 "{ dd if=/dev/%s of=/dev/null bs=4096 count=1; } >/dev/null 2>&1 &" % (debug, debug))

        if lab.long:
            lab.fault("a disk times out until the kernel gives it up", times_out, lab.log(r"Device offlined", 300), (debug, "critical", "kernel-disk-offlined"),
                      limit=300)
            stalled(lab, m)

def stalled(lab, m):
    stall = m.status()["counters"]["longest_stall_s"]
    lab.say(stall < 0.1, "hang %s: the loop of the brain was never held up (%.3f s)" % (lab.kind, stall), stall)

run("hang", {"pc": hang, "q35": hang})
