#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 240
"""No event is lost between veilled and veille-store, and none is told twice: the real programs (under the sanitizers) with a
dozen components that change their level at every poll, while the brain, the store or both are killed with SIGKILL at random
moments (SEED=N repeats them) and the store's disk refuses to write for a while. Afterwards each component's events in the
database must be a chain (each begins with the level the one before ended with), and whatever the brain logged is in it."""

import os
import random
import signal
import sqlite3
import tempfile
import time

from tap import say
from toggling_host import Host, look_at, wait

ROUNDS = int(os.environ.get("ROUNDS", "40"))
SEED = int(os.environ.get("SEED", random.randrange(1 << 30)))


def kill_at_random(host, dice):
    """Rounds of: let it run, kill, leave it dead for a moment or two, start again."""
    lock = None
    for _ in range(ROUNDS):
        time.sleep(dice.uniform(0.1, 1.2))
        what = dice.choice(["store", "store", "brain", "both", "lock"])
        if what == "lock" and lock is None:
            lock = sqlite3.connect(host.state + "/veille.db", timeout=0.2, isolation_level=None)
            try:
                lock.execute("BEGIN IMMEDIATE")  # the store cannot write, as on a disk that is full
            except sqlite3.OperationalError:
                lock.close()
                lock = None
            continue
        if lock is not None:
            lock.close()
            lock = None
        if what in ("store", "both"):
            host.kill(host.store)
        if what in ("brain", "both"):
            host.kill(host.brain)
        time.sleep(dice.choice([0, 0, dice.uniform(0, 1.2)]))
        if what in ("store", "both"):
            host.start_store()
        if what in ("brain", "both"):
            host.start_brain()
    if lock is not None:
        lock.close()


def main():
    print("# SEED=%d ROUNDS=%d" % (SEED, ROUNDS), flush=True)
    dice = random.Random(SEED)
    with tempfile.TemporaryDirectory(prefix="veille-kills-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as top:
        host = Host(top)
        try:
            host.start_store()
            host.start_brain()
            say(wait(lambda: host.status()["components"], 30), "it begins", host.logs())
            kill_at_random(host, dice)
            say(host.settle(), "all is confirmed in the end", (host.status(), host.logs()))
            ended = host.stop()
            say(ended == [0, 0], "both end in order", (ended, host.logs()))
            look_at(host, "killed")
        finally:
            for process in (host.brain, host.store):
                if process and process.poll() is None:
                    process.send_signal(signal.SIGKILL)
                    process.wait()


main()
