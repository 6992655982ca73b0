#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 900
"""From an event of the kernel to the level in RUN/status.json, in milliseconds, with the programs as they are built and the
default rules (but for how long a lost link must last). Real events: mounts, links, uevents of loop devices that come and go,
ext4 errors through /dev/kmsg. The readings are real where the host has them (file systems, kernel log), else those of the made-up
host of make bench (disks, md, network cards).

event_latency.py [N]: N of each (5 by default; the table in docs/events.md: 50), and prints the table. VEILLED=FILE measures
another veilled. As a test it asserts that the slowest takes less than half of what the issue allows polls: 5 s; the table says how
fast it really is."""

import contextlib
import fcntl
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(os.environ.get("BUILD", "build"))
VEILLED = os.environ.get("VEILLED", BUILD + "/veilled")
INSIDE = "VEILLE_LAB_EVENTS"
LOOP_CTL_ADD, LOOP_CTL_REMOVE = 0x4C80, 0x4C81
N = int(sys.argv[1]) if len(sys.argv) > 1 else 5
ROWS = []


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def write(path, text):
    with open(path, "w") as f:
        f.write(text)


class Brain:
    def __init__(self, directory, root, config, kmsg):
        self.run = directory + "/run"
        os.makedirs(self.run)
        write(directory + "/conf", config)
        self.log = open(directory + "/log", "w")
        self.process = subprocess.Popen([VEILLED, "--run", self.run, "--config", directory + "/conf", "--root", root, "--probe",
                                         BUILD + "/veille-probe"], stdin=open("/dev/kmsg") if kmsg else subprocess.DEVNULL,
                                        stderr=self.log)
        self.inode, self.doc = 0, {"components": []}

    def levels(self):
        with contextlib.suppress(OSError, ValueError):
            inode = os.stat(self.run + "/status.json").st_ino
            if inode != self.inode:
                with open(self.run + "/status.json") as f:
                    self.doc = json.load(f)
                self.inode = inode
        return {c["component"]: c["level"] for c in self.doc["components"]}

    def wait(self, component, good, seconds=30):
        """How long it took, or None."""
        begin = time.monotonic()
        while not good(self.levels().get(component, "none")):
            if time.monotonic() - begin > seconds:
                return None
            time.sleep(0.002)
        return time.monotonic() - begin

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.log.close()


def row(name, times):
    missed = times.count(None)
    times = sorted(t * 1000 for t in times if t is not None) or [0]
    ROWS.append((name, len(times), statistics.median(times), times[-1], missed))
    good = not missed and times[-1] < 5000
    print("%s - %s: n %d, p50 %.0f ms, max %.0f ms, missed %d" % ("ok" if good else "not ok", name, *ROWS[-1][1:]), flush=True)


def measure(brain, name, component, there, back, bad=lambda level: level in ("warning", "critical", "unknown")):
    """there makes it bad, back makes it good. Once each alone, then the second right after the first was seen."""
    good = lambda level: level == "ok"
    single, second = [], []
    for i in range(N):
        (there if i % 2 == 0 else back)()
        single.append(brain.wait(component, bad if i % 2 == 0 else good))
        time.sleep(1.5)
    if N % 2:
        back()
        brain.wait(component, good)
        time.sleep(1.5)
    row(name, single)
    for i in range(N):
        there()
        brain.wait(component, bad)
        back()
        second.append(brain.wait(component, good))
        time.sleep(2.2)
    row(name + ", a second one right after the first was seen", second)


# --- this host --------------------------------------------------------------------------------------------------


def mounts(brain, directory):
    where = directory + "/mail"
    os.mkdir(where)
    up = lambda: run("mount", "-t", "tmpfs", "-o", "size=4G", "tmpfs", where)
    up()
    if brain.wait(where, lambda level: level == "ok", 60) is None:
        return row("mount", [None])
    time.sleep(2)
    measure(brain, "mount and unmount", where, lambda: run("umount", where), up)
    run("umount", where)


def kernel_log(brain, directory):
    """Each on a disk of its own, which was well before."""
    loops, times = [], []
    try:
        for i in range(min(N, 20)):
            image, where = "%s/disk-%d" % (directory, i), "%s/ext4-%d" % (directory, i)
            run("truncate", "-s", "8M", image)
            run("mkfs.ext4", "-q", "-F", image)
            os.mkdir(where)
            loop = subprocess.run(["losetup", "-f", "--show", image], check=True, capture_output=True, text=True).stdout.strip()
            loops.append((loop, where))
            run("mount", "-o", "errors=continue", loop, where)
        time.sleep(5)
        for loop, where in loops:
            name = os.path.basename(loop)
            if brain.levels().get(name) in ("warning", "critical"):
                continue  # hurt before, by another test
            write("/sys/fs/ext4/%s/trigger_fs_error" % name, "veille lab")
            times.append(brain.wait(name, lambda level: level in ("warning", "critical")))
            time.sleep(0.5)
        row("ext4 error in the kernel log", times)
    finally:
        for loop, where in loops:
            subprocess.run(["umount", where])
            run("losetup", "-d", loop)


def on_this_host(directory):
    where = directory + "/mail"
    brain = Brain(directory + "/here", "/", "[mail]\nstore = %s\n" % where, True)
    try:
        brain.wait("host", lambda level: level not in ("none", "unknown"), 30)
        time.sleep(3)
        mounts(brain, directory)
        kernel_log(brain, directory)
    finally:
        brain.stop()


# --- the made-up host -------------------------------------------------------------------------------------------


class Made:
    def __init__(self, directory):
        self.root = directory + "/host"
        run(sys.executable, HERE + "/../bench/make-host.py", self.root)
        self.control = os.open("/dev/loop-control", os.O_RDWR)
        self.number = 200 + os.getpid() % 1000

    def uevent(self, action):
        """A real one: a loop device comes or goes, or says that it changed."""
        if action == "change":
            return write("/sys/block/loop0/uevent", "change")
        return fcntl.ioctl(self.control, LOOP_CTL_ADD if action == "add" else LOOP_CTL_REMOVE, self.number)

    def degraded(self, yes):
        md = self.root + "/sys/block/md0/md/"
        write(md + "degraded", "%d\n" % yes)
        write(md + "dev-nvme1n1/state", "faulty\n" if yes else "in_sync\n")
        with open(self.root + "/proc/mdstat") as f:
            text = f.read()
        text = text.replace("nvme1n1[1]\n", "nvme1n1[1](F)\n").replace("[2/2] [UU]", "[2/1] [U_]") if yes else \
            text.replace("nvme1n1[1](F)", "nvme1n1[1]").replace("[2/1] [U_]", "[2/2] [UU]")
        write(self.root + "/proc/mdstat", text)
        self.uevent("change")

    def link(self, lost):
        """The kernel tells of its own loopback; what is read is the made-up card."""
        write(self.root + "/sys/class/net/eno1/carrier", "%d\n" % (not lost))
        run("ip", "link", "set", "lo", "down" if lost else "up")

    def pulled(self, yes):
        block = self.root + "/sys/block/"
        os.rename(*(block + p for p in (("sda", ".sda") if yes else (".sda", "sda"))))
        self.uevent("remove" if yes else "add")

    def hang(self):
        """Files that block whoever opens them, as those of a dead device do."""
        for name in ("proc/loadavg", "sys/devices/system/edac/mc/mc0/ce_count", "sys/class/power_supply/PSU1/online", "proc/net/route",
                     "sys/class/hwmon/hwmon0/name"):
            path = os.path.realpath(self.root + "/" + name)
            if os.path.exists(path):
                os.rename(path, path + ".was")
                os.mkfifo(path)


def on_the_made_host(directory):
    made = Made(directory)
    made.uevent("add")
    brain = Brain(directory + "/made", made.root, "[rule net-link-lost]\nhold = 0\ncalm = 0\n", False)
    try:
        for component in ("md0", "sda", "eno1"):
            brain.wait(component, lambda level: level == "ok", 60)
        time.sleep(5)
        measure(brain, "md array degraded and whole (uevent change)", "md0", lambda: made.degraded(True), lambda: made.degraded(False))
        measure(brain, "disk gone and back (uevent remove, add)", "sda", lambda: made.pulled(True), lambda: made.pulled(False))
        run("ip", "link", "set", "lo", "up")
        measure(brain, "link lost and back (rtnetlink)", "eno1", lambda: made.link(True), lambda: made.link(False))
        made.hang()
        run(BUILD + "/veillectl", "--run", brain.run, "poll")
        time.sleep(2)
        measure(brain, "md array, while other checks hang", "md0", lambda: made.degraded(True), lambda: made.degraded(False))
    finally:
        brain.stop()
        with contextlib.suppress(OSError):
            made.uevent("remove")


def main():
    if os.geteuid() or not shutil.which("ip") or not os.path.exists("/dev/loop-control") or not os.path.exists("/dev/kmsg"):
        print("ok - latency of events # SKIP needs root, ip, loop devices and /dev/kmsg")
        return
    if not os.environ.get(INSIDE):
        os.environ[INSIDE] = "1"
        os.execvp("unshare", ["unshare", "-nm", "--propagation", "private", sys.executable] + sys.argv)
    run("mount", "-t", "sysfs", "sysfs", "/sys")  # of this network namespace
    directory = tempfile.mkdtemp(prefix="veille-latency-")
    try:
        on_this_host(directory)
        on_the_made_host(directory)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    print("\n| event | n | p50 | max |\n|---|---|---|---|")
    for name, n, p50, worst, missed in ROWS:
        print("| %s | %d | %.0f ms | %.0f ms%s |" % (name, n, p50, worst, ", %d not seen in 30 s" % missed if missed else ""))
    with open("/proc/loadavg") as f:
        print("\nLoad %s, %d cores, Linux %s." % (f.read().split()[0], os.cpu_count(), os.uname().release))


main()
