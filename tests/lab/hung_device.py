#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 240
"""A device that hangs in the kernel, for real: a file system on a loop device is frozen (fsfreeze) under the check that
writes to it. The brain's loop must not stall, at most one process may be left hanging, the level must say that the file
system does not answer, and ending or restarting the brain must act at once. After the thaw all is well again."""

import json
import os
import subprocess
import tempfile
import time

BUILD = os.environ.get("BUILD", "build")


def say(good, name, detail=""):
    print(("ok" if good else "not ok") + " - " + name + ("" if good else ": " + str(detail)[:800]), flush=True)


def sh(*args):
    subprocess.run(args, check=True, capture_output=True)


def component(run, name):
    try:
        with open(run + "/status.json") as f:
            doc = json.load(f)
    except FileNotFoundError:
        return {}, {}
    found = [c for c in doc["components"] if c["component"] == name]
    return (found[0] if found else {}), doc["counters"]


def wait(condition, seconds):
    stop = time.monotonic() + seconds
    while time.monotonic() < stop and not condition():
        time.sleep(0.2)
    return condition()


def hanging(pids_before):
    """Our probe processes in uninterruptible sleep."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % pid) as f:
                name, rest = f.read().rsplit(")", 1)
        except OSError:
            continue
        if "veille-probe" in name and rest.split()[0] == "D" and int(pid) not in pids_before:
            found.append(int(pid))
    return found


def start(run, config, log):
    listen = subprocess.Popen([BUILD + "/veille-probe", "--config", config, "listen", run], stderr=log)
    wait(lambda: os.path.exists(run + "/probe-write.sock"), 5)
    return listen, brain(run, config, log)


def brain(run, config, log):
    return subprocess.Popen([BUILD + "/veilled", "--run", run, "--config", config], stdin=subprocess.DEVNULL, stderr=log)


def lab(directory):
    run, mount, config = directory + "/run", directory + "/mail", directory + "/veille.conf"
    os.mkdir(run)
    os.mkdir(mount)
    sh("truncate", "-s", "64M", directory + "/disk")
    sh("mkfs.ext4", "-q", directory + "/disk")
    sh("mount", "-o", "loop", directory + "/disk", mount)
    with open(config, "w") as f:
        f.write("[mail]\nspool = %s\n[check latency]\ninterval = 2s\n[check fs]\ninterval = 2s\n" % mount)
    log = open(directory + "/log", "w")
    listen, process = start(run, config, log)
    frozen = False
    try:
        well = wait(lambda: component(run, mount)[0].get("level") == "ok", 20)
        say(well, "the file system of the spool is ok before", component(run, mount))
        sh("fsfreeze", "-f", mount)
        frozen = True
        say(wait(lambda: hanging(()), 10), "the kernel really holds a writer", "no process in state D")
        told = wait(lambda: "not answered" in component(run, mount)[0].get("why", ""), 60)
        found, counters = component(run, mount)
        say(told and found["level"] in ("unknown", "critical"), "the level says that it does not answer", found)
        time.sleep(6)
        stuck = hanging(())
        say(1 <= len(stuck) <= 2, "one process hangs for each of the two checks that touch it, no second run was begun", stuck)
        say(component(run, mount)[1]["longest_stall_s"] < 0.1, "the loop never stalled for 100 ms", counters)
        begin = time.monotonic()
        process.terminate()
        process.wait(10)
        ended = time.monotonic() - begin
        process = brain(run, config, log)
        again = wait(lambda: component(run, mount)[0].get("level") in ("unknown", "critical"), 10)
        say(ended < 1 and again, "SIGTERM and a restart act at once, the level is still there", (ended, component(run, mount)))
        sh("fsfreeze", "-u", mount)
        frozen = False
        healed = wait(lambda: component(run, mount)[0].get("level") == "ok", 90)
        say(healed, "after the thaw it is ok again", component(run, mount))
        say(not hanging(()), "nothing hangs any more", hanging(()))
    finally:
        if frozen:
            subprocess.run(["fsfreeze", "-u", mount])
        for p in (process, listen):
            p.terminate()
            p.wait(10)
        log.close()
        subprocess.run(["umount", mount])


def main():
    if os.geteuid() != 0:
        print("ok - hung device # SKIP needs root")
        return
    directory = tempfile.mkdtemp(prefix="veille-hung-")
    try:
        lab(directory)
    finally:
        subprocess.run(["rm", "-rf", directory])


main()
