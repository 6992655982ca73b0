#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 400
"""The disk under the database freezes (fsfreeze on a loop mount): the store hangs, the brain does not. Real veilled and
veille-store in a network and mount namespace: checks go on, the status stays fresh, the silence of the store becomes a level with
a sentence, veillectl says what hangs, SIGTERM ends the brain at once; after the thaw the store goes on."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

BUILD = os.path.abspath(os.environ.get("BUILD", "build"))
failed = 0


def check(good, name, *evidence):
    global failed
    failed += not good
    print(("ok - " if good else "not ok - ") + name)
    for line in "" if good else "\n".join(str(e) for e in evidence).splitlines()[:40]:
        print("# " + line)


def status(run):
    doc = json.load(open(run + "/status.json"))
    return doc, time.clock_gettime(time.CLOCK_BOOTTIME) - doc["time_boot"]


def lab(top):
    run, mount = top + "/run", top + "/mnt"
    os.mkdir(run)
    os.mkdir(mount)
    with open(top + "/conf", "w") as f:
        f.write("[check host]\ninterval = 5s\n")
    sh = lambda *argv: subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
    sh("truncate", "-s", "64M", top + "/img")
    sh("mkfs.ext4", "-q", top + "/img")
    sh("mount", "-o", "loop", top + "/img", mount)
    options = ["--config", top + "/conf", "--run", run, "--state", mount]
    ctl = lambda *words: subprocess.run([BUILD + "/veillectl", "--run", run, *words], capture_output=True, text=True, timeout=60)
    store = brain = None
    frozen = False
    try:
        store = subprocess.Popen([BUILD + "/veille-store", *options], stderr=open(top + "/store.log", "w"))
        brain = subprocess.Popen([BUILD + "/veilled", *options], stdin=subprocess.DEVNULL, stderr=open(top + "/brain.log", "w"))
        time.sleep(40)  # until the first values are written
        check(ctl("events").returncode == 0, "before: the store answers")
        sh("fsfreeze", "-f", mount)
        frozen = True
        oldest = host = 0
        said = None
        begin = time.monotonic()
        while not said and time.monotonic() - begin < 300:
            time.sleep(2)
            doc, age = status(run)
            oldest = max(oldest, age)
            host = max(host, max(c["age_s"] for c in doc["checks"] if c["check"] == "host"))
            said = [c for c in doc["components"] if "has not confirmed a write" in c["why"]]
        check(oldest < 15, "the status stayed fresh: written every 10 s", "oldest: %.1f s" % oldest)
        check(host < 12, "checks went on", "the check host was read %.1f s ago" % host)
        check(said and said[0]["level"] in ("notice", "warning", "unknown"), "the silence of the store is a level with a sentence", open(top + "/brain.log").read()[-1500:])
        state = [line for line in open("/proc/%d/status" % store.pid) if line.startswith("State")][0]
        check("D" in state, "the store hangs in the kernel", state)
        p = ctl("history", "host")
        check(p.returncode == 3 and "may hang" in p.stderr, "veillectl history says so and ends", p.stderr)
        begin = time.monotonic()
        brain.send_signal(signal.SIGTERM)
        end = brain.wait(20)
        took = time.monotonic() - begin
        check(end == 0 and took < 1, "SIGTERM ends the brain at once", end, took)
        check(open(top + "/brain.log").read().count("confirmed a write") <= 3, "it was logged once a minute at most")
        sh("fsfreeze", "-u", mount)
        frozen = False
        time.sleep(3)
        p = ctl("history", "--since", "1h", "host")
        check(p.returncode == 0 and "host_load1" in p.stdout, "after the thaw the store goes on", p.stderr)
        store.send_signal(signal.SIGTERM)
        check(store.wait(30) == 0, "and ends in order")
    finally:
        if frozen:
            subprocess.run(["fsfreeze", "-u", mount])
        for p in (brain, store):
            if p and p.poll() is None:
                p.kill()
                p.wait()
        subprocess.run(["umount", mount])


def main():
    if os.geteuid() != 0:
        print("ok - frozen store # SKIP needs root")
        return
    if "--inside" not in sys.argv:
        sys.exit(subprocess.call(["unshare", "-nm", sys.executable, os.path.abspath(__file__), "--inside"]))
    top = tempfile.mkdtemp(prefix="veille-freeze-")
    try:
        lab(top)
    finally:
        shutil.rmtree(top, ignore_errors=True)
    sys.exit(failed > 0)


main()
