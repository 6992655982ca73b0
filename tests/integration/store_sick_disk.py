#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 240
"""The disk under the store is full, turns read-only, the database is torn or deleted, and brain and store are killed meanwhile (SEED=N
repeats when): what happened in that time is in the database once the disk is well again. The disk is a tmpfs in a mount namespace
of our own, so this needs root."""

import ctypes
import glob
import os
import random
import signal
import subprocess
import tempfile
import time

from tap import say
from toggling_host import Host, look_at, wait

CLONE_NEWNS = 0x20000
SEED = int(os.environ.get("SEED", random.randrange(1 << 30)))


def own_mounts():
    """Mounts that nobody else sees; false where we may not."""
    libc = ctypes.CDLL(None, use_errno=True)
    return libc.unshare(CLONE_NEWNS) == 0 and subprocess.run(["mount", "--make-rprivate", "/"], stderr=subprocess.DEVNULL).returncode == 0


def mount(*words):
    subprocess.run(["mount", *words], check=True)


def store_says(host, text):
    """A reason of the component veille, of the brain that runs now."""
    doc = host.status()
    if doc.get("started", 0) < host.started:
        return False
    reasons = [r["text"] for c in doc["components"] if c["component"] == "veille" for r in c["reasons"]]
    return any(text in r for r in reasons)


def kill_some(host, dice):
    """While it is sick: one of them or both die, and something happens before and after."""
    time.sleep(dice.uniform(1, 3))
    what = dice.choice(["store", "brain", "both"])
    if what != "brain":
        host.kill(host.store)
    if what != "store":
        host.kill(host.brain)
        host.start_brain()
    time.sleep(dice.uniform(0, 2))
    if what != "brain":
        host.start_store()
    time.sleep(dice.uniform(1, 3))


def full(host, dice):
    fd = os.open(host.state + "/filler", os.O_WRONLY | os.O_CREAT)
    try:
        while True:
            os.write(fd, b"x" * 4096)
    except OSError:
        os.close(fd)
    kill_some(host, dice)
    say(wait(lambda: store_says(host, "no space left"), 40), "a full disk: it is shown", host.status(), *host.logs())
    os.unlink(host.state + "/filler")


def read_only(host, dice):
    host.kill(host.store)
    mount("-o", "remount,ro", host.state)
    host.start_store()
    kill_some(host, dice)
    say(wait(lambda: store_says(host, "read-only"), 40), "a read-only disk: it is shown", host.status(), *host.logs())
    host.kill(host.store)  # nobody has files open for writing when it comes back
    mount("-o", "remount,rw", host.state)
    host.start_store()


def torn(host, dice):
    host.kill(host.store)
    with open(host.state + "/veille.db", "r+b") as f:
        for page in range(2, os.path.getsize(host.state + "/veille.db") // 4096, 2):
            f.seek(page * 4096)
            f.write(dice.randbytes(4096))
    time.sleep(dice.uniform(1, 3))
    host.start_store()


def deleted(host, dice):
    """While the store has it open."""
    for name in glob.glob(host.state + "/veille.db*"):
        os.unlink(name)
    time.sleep(dice.uniform(1, 3))


def main():
    print("# SEED=%d" % SEED, flush=True)
    if not own_mounts():
        print("ok - a sick disk # SKIP no mount namespace without root")
        return
    dice = random.Random(SEED)
    with tempfile.TemporaryDirectory(prefix="veille-sick-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as top:
        host = Host(top)
        mount("-t", "tmpfs", "-o", "size=8m", "tmpfs", host.state)
        try:
            host.start_store()
            host.start_brain()
            say(wait(lambda: host.status()["components"], 30), "it begins", *host.logs())
            for sickness in (full, read_only):
                since = len(host.logs()[0])
                sickness(host, dice)
                say(host.goes_on(since) and host.settle(), sickness.__name__ + ": all is confirmed in the end", host.status(), *host.logs())
                look_at(host, sickness.__name__)
                host.serve.quiet = False
            for sickness in (torn, deleted):
                since = len(host.logs()[0])  # what was confirmed before went with the file
                sickness(host, dice)
                say(host.goes_on(since) and host.settle(), sickness.__name__ + ": all is confirmed in the end", host.status(), *host.logs())
                look_at(host, sickness.__name__, since)
                host.serve.quiet = False
            ended = host.stop()
            say(ended == [0, 0], "both end in order", ended, *host.logs())
        finally:
            for process in (host.brain, host.store):
                if process and process.poll() is None:
                    process.send_signal(signal.SIGKILL)
                    process.wait()
            subprocess.run(["umount", host.state], check=False)


main()
