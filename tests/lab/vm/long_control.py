#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control: a healthy machine with everything the families break, watched for an hour's worth of looks in three minutes. Nothing may
be said of it, not for one publication, though holds, calms and windows are as short as in the other families. And the loop of the brain
may not have stood still for much longer than the machine itself held up a process that does nothing (guest/late.c): it has work to do, but
who waits for a device waits for seconds."""

import json
import subprocess
import time

import image
from bmc import Bmc
from faults import commit, keep_rows, run
from machine import Disk

HOUR_S, SPEED = 3600, 20
WATCHED_S = HOUR_S // SPEED
MAKE = "mke2fs -q -F -t ext4 -E lazy_itable_init=0,lazy_journal_init=0,nodiscard "

def intervals():
    """Every check looks as often in the time that is watched as it does in an hour; the rarest still twice."""
    catalog = json.loads(subprocess.run([image.BUILD + "/veille-probe", "catalog"], check=True, capture_output=True).stdout)
    return "\n".join("[check %s]\ninterval = %ds" % (c["name"], min(max(1, c["interval_s"] // SPEED), WATCHED_S // 2 - 10))
                     for c in catalog["checks"] if c["name"] != "selftest")

def prepare(m):
    m.do("insmod /lib/modules/lab_edac.ko; modprobe ac; modprobe battery; modprobe ipmi_si; modprobe ipmi_devintf; modprobe i6300esb; [ -c /dev/ipmi0 ]")
    m.do("mdadm --create /dev/md0 --run --level=1 --raid-devices=2 --metadata=1.2 --assume-clean /dev/%s /dev/%s" % (m.name("r0"), m.name("r1")))
    for device, where in (("/dev/" + m.name("var"), "/var"), ("/dev/md0", "/var/mail")):
        m.do("%s %s; mkdir -p %s; mount -t ext4 %s %s" % (MAKE, device, where, device, where))
    m.do("mkdir -p /var/log; ln -sfn /run /var/run; note start; note shutdown; note start; for i in $(ls /sys/class/net); do ip link set $i up; done")

def control(lab):
    bmc = Bmc()
    disks = [Disk("a0", "ata"), Disk("nv0", "nvme"), Disk("r0", "scsi", 48), Disk("r1", "scsi", 48), Disk("var", "virtio", 48)]
    args = ["-device", "i6300esb", "-netdev", "user,id=net0,restrict=on,ipv6=off", "-device", "virtio-net-pci,netdev=net0,id=nic0"]
    try:
        with lab.machine(disks, peers=("mdadm", "smartd", "rasdaemon"), prepare=prepare, extra=intervals(), power=True, bmc=bmc.path, args=args) as m:
            watch(lab, m)
    finally:
        bmc.close()

def watch(lab, m):
    lab.faultless = True
    begin = m.now()
    first = m.status()
    m.do("late %d >/run/late 2>&1 &" % WATCHED_S)
    while m.now() < begin + WATCHED_S:
        # Mail comes and goes.
        m.do("for i in 1 2 3; do echo $i >/var/mail/$i; sync /var/mail/$i; done; rm /var/mail/[123]")
        time.sleep(0.5)
    m.until("[ -s /run/late ]")
    m.wait_status(lambda d: True, m.now(), 60, "it publishes nothing any more")
    docs = [d for t, d in m.docs if t >= begin]
    said = {(c["component"], r["level"], r["rule"], r["text"]) for d in docs for c in d["components"] for r in c["reasons"]
            if r["level"] in ("warning", "critical", "unknown")}
    looks, checks = docs[-1]["counters"]["runs"] - first["counters"]["runs"], {c["check"] for c in docs[-1]["checks"]}
    stall, late = docs[-1]["counters"]["longest_stall_s"], float(m.do("cat /run/late"))
    lab.say(not said, "control %s: %d looks of %d checks, %d publications: nothing is said" % (lab.kind, looks, len(checks), len(docs)), said)
    lab.say(len(checks) >= 12 and all(c["result"] in ("ok", "nodata") for c in docs[-1]["checks"]), "control %s: everything was looked at" % lab.kind,
            [(c["check"], c["instance"], c["result"], c["why"]) for c in docs[-1]["checks"] if c["result"] not in ("ok", "nodata")] or sorted(checks))
    lab.say(stall <= 10 * max(late, 0.02), "control %s: the loop stood still for %.3f s at most, an idle process for %.3f s" % (lab.kind, stall, late))
    keep_rows("control", lab.kind, [{"machine": lab.kind, "looks": looks, "publications": len(docs), "warnings": len(said), "stall": stall, "late": late,
                                     "commit": commit(), "seed": lab.seed, "time": int(time.time())}])

run("control", {"pc": control, "q35": control})
