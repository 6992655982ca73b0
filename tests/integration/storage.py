#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 180
"""Real faults of real file systems: ext4 on a loop device, in a mount namespace of our own, is filled, frozen, made
to stop by an error, shut down. What veille-probe says of it is the test. Needs root and loop devices."""

import atexit
import ctypes
import fcntl
import json
import os
import select
import shutil
import struct
import subprocess
import sys
import tempfile
import time

import tap
from tap import say

PROBE = os.path.join(os.environ.get("BUILD", "build"), "veille-probe")
EXT4_IOC_SHUTDOWN = 0x8004587D
NEED = ["mkfs.ext4", "mount", "umount", "fsfreeze", "losetup"]


def skip(why):
    print("ok - storage faults # SKIP " + why)
    sys.exit(0)


def sh(*argv):
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout


class Disk:
    """An ext4 on a loop device."""

    def __init__(self, place, name, options="errors=remount-ro"):
        self.image = os.path.join(place, name + ".img")
        self.point = os.path.join(place, name)
        os.mkdir(self.point)
        with open(self.image, "wb") as f:
            f.truncate(32 << 20)
        sh("mkfs.ext4", "-q", "-F", self.image)
        self.loop = sh("losetup", "-f", "--show", self.image).strip()
        sh("mount", "-o", options, self.loop, self.point)
        self.frozen = False

    def freeze(self, on):
        sh("fsfreeze", "-f" if on else "-u", self.point)
        self.frozen = on

    def trigger_error(self):
        with open("/sys/fs/ext4/%s/trigger_fs_error" % os.path.basename(self.loop), "w") as f:
            f.write("veille test\n")

    def shut_down(self):
        fd = os.open(self.point, os.O_RDONLY)
        fcntl.ioctl(fd, EXT4_IOC_SHUTDOWN, struct.pack("I", 2))
        os.close(fd)

    def end(self):
        if self.frozen:
            subprocess.run(["fsfreeze", "-u", self.point], stderr=subprocess.DEVNULL)
        subprocess.run(["umount", "-l", self.point], stderr=subprocess.DEVNULL)
        subprocess.run(["losetup", "-d", self.loop], stderr=subprocess.DEVNULL)


class Run:
    """One run of the probe: samples by name and labels, and how it ended."""

    def __init__(self, config, check, instance):
        out = subprocess.run([PROBE, "--config", config, "run", check, instance], stdout=subprocess.PIPE, text=True, timeout=60).stdout
        self.lines = [json.loads(line) for line in out.splitlines()]
        self.text = out
        self.result = self.lines[-1].get("result")
        self.why = self.lines[-1].get("why")

    def value(self, metric, **labels):
        for line in self.lines:
            if line.get("metric") == metric and all(line["labels"].get(k) == v for k, v in labels.items()):
                return line["value"]
        return None


class Serve:
    """veille-probe serve as the brain would ask it; lines with the time at which they came."""

    def __init__(self, config, check, instances):
        self.start = time.monotonic()
        self.process = subprocess.Popen([PROBE, "--config", config, "serve", "write"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.process.stdin.write(json.dumps({"op": "run", "check": check, "instances": instances}).encode() + b"\n")
        self.process.stdin.flush()
        self.lines = []
        self.rest = b""

    def wait_for(self, seconds, found):
        end = time.monotonic() + seconds
        while True:
            for at, line in self.lines:
                if found(line):
                    return at
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                return None
            data = os.read(self.process.stdout.fileno(), 65536)
            if not data:
                return None
            *whole, self.rest = (self.rest + data).split(b"\n")
            for line in whole:
                self.lines.append((time.monotonic() - self.start, json.loads(line)))

    def wait_end(self, seconds, instance, result):
        return self.wait_for(seconds, lambda l: l["type"] == "end" and l["instance"] == instance and l["result"] == result)

    def wait_type(self, seconds, instance, kind):
        return self.wait_for(seconds, lambda l: l["type"] == kind and l.get("instance") == instance)


def healthy_and_full(config, disk):
    run = Run(config, "fs", disk.point)
    say(run.result == "ok" and run.value("fs_stopped", cause="write") == 0 and run.value("fs_readonly") == 0 and
       run.value("fs_size_bytes", holds="mail") > 0, "a healthy file system with mail is written to and told", run.text)
    run = Run(config, "latency", disk.point)
    say(run.result == "ok" and 0 < run.value("latency_fsync_seconds") < 20, "its write latency is measured", run.text)
    say(os.listdir(disk.point) == ["lost+found"], "nothing is left behind", os.listdir(disk.point))
    try:
        with open(disk.point + "/fill", "wb", 0) as f:
            while True:
                f.write(bytes(1 << 20))
    except OSError:
        pass
    run = Run(config, "fs", disk.point)
    say(run.result == "ok" and run.value("fs_avail_ratio") < 0.01 and run.value("fs_stopped", cause="write") == 0 and
       run.value("fs_readonly") == 0, "a full file system is full, not broken", run.text)
    os.unlink(disk.point + "/fill")


def stopped(config, disk, name, hurt, sign):
    """Newer kernels show that they stopped (emergency_ro, shutdown), Linux 6.1 does not: a refused write tells it anyway."""
    hurt()
    run = Run(config, "fs", disk.point)
    with open("/proc/self/mountinfo") as f:
        shown = any(disk.point in line and sign in line for line in f)
    cause = {"emergency_ro": "error", ",shutdown": "shutdown"}[sign]
    say(run.value("fs_stopped", cause=cause) == (1 if shown else 0), "%s: what the kernel shows is told (%s)" % (name, shown), run.text)
    say(run.value("fs_stopped", cause="write") == 1, "%s: a write is refused" % name, run.text)
    slow = Run(config, "latency", disk.point)
    say(slow.result == "failed" and slow.value("latency_write_failed") == 1, "%s: the latency check says failed: %s" % (name, slow.why), slow.text)
    return run


def frozen(config, disk):
    disk.freeze(True)
    latency = Serve(config, "latency", [disk.point, "/"])
    fs = Serve(config, "fs", [disk.point, "/"])
    topology = Serve(config, "topology", ["host"])
    for serve, check, instance in (latency, "latency", "/"), (fs, "fs", "/"), (topology, "topology", "host"):
        at = serve.wait_end(10, instance, "ok")
        say(at is not None and at < 10, "frozen: %s of %s is not held up" % (check, instance), serve.lines)
    for serve, check in (latency, "latency"), (fs, "fs"):
        at = serve.wait_end(30, disk.point, "timeout")
        say(at is not None and 19 <= at <= 25, "frozen: %s ends in timeout at its deadline" % check, serve.lines)
        at = serve.wait_type(5, disk.point, "stuck")
        say(at is not None, "frozen: %s is reported as stuck" % check, serve.lines)
        say(serve.process.poll() is None, "frozen: %s still waits for its child" % check)
    disk.freeze(False)
    for serve, check in (latency, "latency"), (fs, "fs"):
        at = serve.wait_type(10, disk.point, "reaped")
        say(at is not None, "thawed: %s is reported as reaped" % check, serve.lines)
        try:
            serve.process.wait(5)
        except subprocess.TimeoutExpired:
            serve.process.kill()
        say(serve.process.returncode == 0, "thawed: %s ends" % check, serve.process.returncode)
    say(Run(config, "latency", disk.point).result == "ok", "thawed: the next run is ok")


def main():
    if os.geteuid() != 0:
        skip("needs root")
    missing = [tool for tool in NEED if not shutil.which(tool, path=os.environ["PATH"] + ":/usr/sbin:/sbin")]
    if missing:
        skip("not installed: " + ", ".join(missing))
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    if ctypes.CDLL(None, use_errno=True).unshare(0x00020000) != 0:
        skip("no mount namespace: " + os.strerror(ctypes.get_errno()))
    sh("mount", "--make-rprivate", "/")
    place = tempfile.mkdtemp(prefix="veille-storage.")
    atexit.register(shutil.rmtree, place, True)
    disks = []
    atexit.register(lambda: [disk.end() for disk in disks])
    try:
        for name in "frozen", "error", "shutdown":
            disks.append(Disk(place, name))
    except (OSError, subprocess.CalledProcessError) as e:
        skip("no loop device or ext4: %s" % getattr(e, "output", e))
    config = os.path.join(place, "veille.conf")
    with open(config, "w") as f:
        f.write("[mail]\nspool = %s\nstore = /\n" % " ".join(disk.point for disk in disks))

    listed = [json.loads(line)["instance"] for line in sh(PROBE, "--config", config, "list", "fs").splitlines()]
    say(set(listed[:4]) == set(["/"] + [disk.point for disk in disks]), "file systems with mail are listed first", listed)
    links = Run(config, "topology", "host")
    say(links.value("topology_link_info", parent=disks[0].point, child=os.path.basename(disks[0].loop), kind="filesystem") == 1 and
       links.value("topology_role_info", component=disks[0].point, role="mail-spool") == 1, "the topology knows them", links.text)
    healthy_and_full(config, disks[0])
    run = stopped(config, disks[1], "an ext4 error", disks[1].trigger_error, "emergency_ro")
    say(run.value("fs_errors_total") >= 1 and run.value("fs_last_error_timestamp_seconds") > 1.6e9, "an ext4 error: it is counted", run.text)
    stopped(config, disks[2], "a shutdown", disks[2].shut_down, ",shutdown")
    frozen(config, disks[0])
    disks[0].end()
    run = Run(config, "fs", disks[0].point)
    say(run.result == "failed" and "not there" in run.why, "what is no longer mounted is failed, not ok", run.text)
    sys.exit(1 if tap.failed else 0)


main()
