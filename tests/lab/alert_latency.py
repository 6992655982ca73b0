#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 600
"""From the moment that the brain has judged a sample to the moment that a sink has the news: 200 changes of level, p99 under a second.
The sink is an Alertmanager's API, which hears of every change; contacts hear of at most ten an hour."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "integration"))
import alerts  # noqa: E402
import unpacked  # noqa: E402
from tap import none  # noqa: E402

EVENTS = 200
CONFIG = """
[host]
name = mx1
[sink am]
type = alertmanager
url = http://127.0.0.1:%d
[check edac]
interval = 1s
"""


class Host(alerts.Host):
    def start(self):
        self.brain = subprocess.Popen([unpacked.BUILD + "/veilled"] + self.options, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                      stderr=subprocess.PIPE, text=True)
        self.judged = []
        threading.Thread(target=self.listen, daemon=True).start()

    def ctl(self, *words):  # check-lab builds no sanitized programs
        return super().ctl(*words, program=unpacked.BUILD + "/veillectl")

    def listen(self):
        for line in self.brain.stderr:
            if "mc0: critical" in line or "mc0: ok" in line:
                self.judged.append((time.monotonic(), "critical" if "mc0: critical" in line else "ok"))


class Got(dict):
    """The alerts of the stand-in, with the time of each change."""

    def __init__(self):
        super().__init__()
        self.changes, self.state = [], "ok"

    def __setitem__(self, labels, alert):
        super().__setitem__(labels, alert)
        if json.loads(labels).get("component") != "mc0" or json.loads(labels)["severity"] != "critical":
            return
        state = "critical" if alert["endsAt"] > time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()) else "ok"
        if state != self.state:
            self.state = state
            self.changes.append((time.monotonic(), state))


def main():
    with tempfile.TemporaryDirectory(prefix="veille-latency-") as directory:
        host = Host(directory)
        host.world.alerts = Got()
        with open(directory + "/veille.conf", "w") as f:
            f.write(CONFIG % host.http.server_address[1])
        host.start()
        try:
            alerts.until(lambda: "nothing is open" in host.ctl("alerts")[0])
            for i in range(EVENTS):
                host.edac("ue_count", str((i + 1) % 2))
                want = i + 1
                if not alerts.until(lambda: len(host.judged) >= want and len(host.world.alerts.changes) >= want, 30):
                    none([i, len(host.judged), len(host.world.alerts.changes)], "every change arrives")
                    return
        finally:
            host.stop(signal.SIGTERM)
    took = sorted(1000 * (got[0] - judged[0]) for judged, got in zip(host.judged, host.world.alerts.changes))
    p99 = took[len(took) * 99 // 100]
    print("# %d changes: median %.0f ms, p99 %.0f ms, worst %.0f ms" % (len(took), took[len(took) // 2], p99, took[-1]))
    none([] if p99 < 1000 else took[-5:], "p99 of %d changes is under a second (%.0f ms)" % (len(took), p99))


main()
