#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 500
"""A storm through the real brain: 10,000 changes of level of 200 parts, as fast as it polls. At most ten messages, every part that was
critical is named in them, and in the end the contact knows of each part what is so (the same in an hour of simulated time, with every
kind of change: tests/unit/test_alert.c)."""

import os
import random
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import alert_kills  # noqa: E402
import toggling_host  # noqa: E402
from tap import none  # noqa: E402

CHANGES = 10000
SEED = int(os.environ.get("SEED", random.randrange(1 << 30)))


class Probe(alert_kills.Probe):
    """At each poll every part has another level than before, until so many changes were made; then it stays as it is."""

    def __init__(self, run):
        self.changes, self.critical, self.dice = 0, set(), random.Random(SEED)
        super().__init__(run)

    def answer(self, client):
        if self.changes < CHANGES:
            self.changes += len(alert_kills.PARTS)
            left = CHANGES - self.changes
            for part, value in self.values.items():
                # In the end half of them are critical, the others well: every one has changed each time, or was chosen so at the last.
                self.values[part] = (0 if value else 1000000) if left else self.dice.choice([0, 1000000])
            self.critical |= {part for part, value in self.values.items() if value}
        super().answer(client)


def known(host):
    state = {}
    for m in alert_kills.taken(host):
        for i in m["items"]:
            state[i["component"]] = i["level"]
    return state


def wrong(host):
    state = known(host)
    return [p for p, value in host.serve.values.items() if (state.get(p, "ok") == "critical") != bool(value)]


def named(host):
    return {i["component"] for m in alert_kills.taken(host) for i in m["items"]}


def main():
    print("# SEED=%d" % SEED, flush=True)
    alert_kills.PARTS[:] = ["part%03d" % i for i in range(200)]
    toggling_host.Probe = Probe
    with tempfile.TemporaryDirectory(prefix="veille-storm-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as top:
        host = alert_kills.Host(top, SEED)
        host.web.dice.choice = lambda _: 0  # the sink is quick
        try:
            host.start_store()
            host.start_brain()
            toggling_host.wait(lambda: host.serve.changes >= CHANGES, 150)
            storm = time.monotonic()
            toggling_host.wait(lambda: not wrong(host) and host.serve.critical <= named(host), 240)
            messages = alert_kills.taken(host)
            print("# %d changes, %d parts were critical, %d messages, right %.0f s after the storm" % (
                host.serve.changes, len(host.serve.critical), len(messages), time.monotonic() - storm))
            none([] if host.serve.changes >= CHANGES and 1 <= len(messages) <= 10 else [host.serve.changes, [m["subject"] for m in messages]],
                 "%d changes of level: at most ten messages (%d)" % (CHANGES, len(messages)))
            none(sorted(host.serve.critical - named(host))[:20], "every part that was critical is named")
            none([(p, known(host).get(p), host.serve.values[p]) for p in wrong(host)[:20]], "what the contact knows in the end is so")
            none([line for line in "".join(host.logs()).splitlines() if "Sanitizer" in line], "no finding of the sanitizers")
        finally:
            for process in (host.brain, host.store):
                if process and process.poll() is None:
                    host.kill(process)


main()
