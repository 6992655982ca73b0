#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host goes down and comes back: its power is cut, its kernel panics, a machine check ends it, it hangs until its watchdog starts it
anew, it comes back without two of its disks. Its /var is on a disk and lives through all of it."""

from faults import run
from machine import Disk

# A crash is news for a day; here for as long as it takes to see that it ends.
NEWS_S = 40
EXTRA = "[rule boot-crashed]\nwarning = %d\n[rule boot-by-watchdog]\nwarning = %d\n[check boot]\ninterval = 10s" % (NEWS_S, NEWS_S)

def prepare(m):
    device = "/dev/" + m.name("var")
    m.do("mount -t ext4 %s /var 2>/dev/null || { mke2fs -q -F -t ext4 -E lazy_itable_init=0,lazy_journal_init=0,nodiscard %s && mount -t ext4 %s /var; }"
         % (device, device, device))
    m.do("mkdir -p /var/log; ln -sfn /run /var/run; note start; modprobe i6300esb heartbeat=5; [ -e /sys/class/watchdog/watchdog0/bootstatus ]; sync")

def crash(lab):
    disks = [Disk("var", "virtio", 48), Disk("nv0", "nvme", 16), Disk("sc0", "scsi", 16)]
    with lab.machine(disks, prepare=prepare, extra=EXTRA, append="panic=1", args=["-device", "i6300esb"]) as m:
        clean = lab.reason(m.status(), "host", "boot-crashed") or lab.reason(m.status(), "host", "boot-by-watchdog")
        lab.say(clean is None, "crash %s: nothing is said of a first start" % lab.kind, m.brief())
        recovered = lab.shows("dmesg", r"EXT4-fs \(%s\): recovery complete" % m.name("var"))

        def cut():
            m.kill()
            m.boot_again()
            lab.start_all()

        def restarts(command):
            def inject():
                command()
                m.reborn()
                lab.start_all()
            return inject

        def of_console(text):
            def seen(_):
                lines = [line for line in m.console().splitlines() if text in line]
                if not lines:
                    raise AssertionError("the console does not say '%s': %s" % (text, m.console()[-600:]))
                recovered(_)
                return lines[-1]
            return seen

        told = ("host", "warning", "boot-crashed")
        ends = {"look": "boot", "repair": lambda: None, "reboots": True}
        lab.fault("host: its power is cut", cut, recovered, told, **ends)
        lab.fault("host: its kernel panics", restarts(lambda: m.tell("echo c >/proc/sysrq-trigger")), of_console("Kernel panic"), told, **ends)
        lab.fault("host: an uncorrected machine check ends it", restarts(lambda: m.hmp("mce 0 1 0xbd000000000000cf 5 0x1234000 0x8c")),
                  of_console("machine check"), told, **ends)

        def hang():
            # A loop that nothing else gets past: the watchdog is not fed any more.
            m.do("busybox watchdog -T 5 -t 1 /dev/watchdog")
            m.tell("echo -1 >/proc/sys/kernel/sched_rt_runtime_us; exec chrt -f 99 sh -c 'while :; do :; done'")
            m.event("WATCHDOG")

        lab.fault("host: it hangs, the watchdog starts it anew", restarts(hang), lab.shows("cat /sys/class/watchdog/watchdog0/bootstatus", r"^32$"),
                  ("host", "warning", "boot-by-watchdog"), **ends)
        lab.also("host: that no shutdown came before is said, too", told)
        missing(lab, m)
        shut_down(lab, m)

def missing(lab, m):
    """What is gone over the reboot is missed after it: each part once, by the name that people know."""
    nvme, scsi = m.name("nv0"), m.name("sc0")

    def lost():
        m.kill()
        m.boot_again(without=["nv0", "sc0"])
        lab.start_all()

    def back():
        m.kill()
        m.boot_again()
        lab.start_all()

    lab.fault("host: it comes back without its NVMe disk", lost, lab.shows("ls /sys/block/%s 2>&1" % nvme, "No such file"), (nvme, "unknown", "gone"),
              reboots=True, limit=150)
    lab.also("host: and without its SCSI disk, which has no SMART", (scsi, "unknown", "gone"))
    said = {c["component"] for c in m.status()["components"] for r in c["reasons"] if r["rule"] == "gone"}
    lab.say(said == {nvme, scsi}, "crash %s: each missing disk is one component" % lab.kind, m.brief())
    back()
    m.wait_status(lambda d: not [r for c in d["components"] for r in c["reasons"] if r["rule"] == "gone"], m.started, 150, "they are still missed")
    lab.say(True, "crash %s: they are back, and nothing is missed" % lab.kind)

def shut_down(lab, m):
    """A shutdown that somebody asked for is no crash."""
    m.stop_veille()
    m.do("note shutdown; sync; umount -l /var; sync")
    m.kill()
    m.boot_again()
    lab.start_all()
    out = m.do("veille-probe run boot host")
    lab.say('"metric":"boot_clean","value":1' in out.replace(" ", ""), "crash %s: a start after a shutdown is a clean one" % lab.kind, out)
    m.wait_status(lambda d: lab.reason(d, "host", "boot-crashed") is None, m.now() + NEWS_S, 120, "a crash of before is still told of")
    lab.say(True, "crash %s: and nothing is said of it" % lab.kind)

run("crash", {"pc": crash, "q35": crash})
