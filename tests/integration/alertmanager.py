#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 175
"""A real Alertmanager (Debian's) shows what is open, sees it end, and shows it again after a restart that lost all it knew."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.path.insert(0, os.path.dirname(__file__))
import alerts  # noqa: E402
import unpacked  # noqa: E402
from tap import none  # noqa: E402

CONFIG = """
[host]
name = mx1
[sink am]
type = alertmanager
url = http://127.0.0.1:%d http://127.0.0.1:%d
[check edac]
interval = 1s
"""


class Manager:
    def __init__(self, package, directory):
        self.package, self.dir, self.port, self.process = package, directory, unpacked.free_port(), None
        with open(directory + "/am.yml", "w") as f:
            f.write("route:\n  receiver: nobody\nreceivers:\n  - name: nobody\n")

    def start(self):
        log = open(self.dir + "/am.log", "ab")
        shutil.rmtree(self.dir + "/am", ignore_errors=True)
        # It insists on templates in /usr/share: a mount namespace in which they are there.
        script = 'mount -t overlay overlay -o "lowerdir=$0/usr/share:/usr/share" /usr/share && exec "$0/usr/bin/prometheus-alertmanager" "$@"'
        self.process = subprocess.Popen(["unshare", "-m", "sh", "-c", script, self.package, "--config.file=" + self.dir + "/am.yml", "--storage.path=" + self.dir + "/am",
                                         "--web.listen-address=127.0.0.1:%d" % self.port, "--cluster.listen-address="],
                                        stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def stop(self):
        self.process.kill()
        self.process.wait()

    def alerts(self):
        try:
            with urllib.request.urlopen("http://127.0.0.1:%d/api/v2/alerts" % self.port, timeout=5) as answer:
                return [a for a in json.load(answer) if a["labels"].get("component") == "mc0"]
        except OSError:
            return None

    def critical(self):
        return [a for a in self.alerts() or [] if a["labels"]["severity"] == "critical" and a["labels"]["host"] == "mx1" and a["annotations"]["summary"]]


def main():
    if os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode != 0:
        unpacked.skip("a real Alertmanager", "needs root and mount namespaces")
    try:
        package = unpacked.unpack(["prometheus-alertmanager"])
    except RuntimeError as error:
        unpacked.skip("a real Alertmanager", str(error))
    with tempfile.TemporaryDirectory(prefix="veille-am-") as directory:
        host, manager = alerts.Host(directory), Manager(package, directory)
        with open(directory + "/veille.conf", "w") as f:
            f.write(CONFIG % (unpacked.free_port(), manager.port))  # of two one is dead
        manager.start()
        host.start()
        try:
            alerts.until(lambda: manager.alerts() is not None)
            alerts.until(lambda: "nothing is open" in host.ctl("alerts")[0])
            host.edac("ue_count", "1")
            start = time.monotonic()
            none([] if alerts.until(manager.critical) else [manager.alerts(), host.ctl("notify", "queue")],
                       "it shows the alert (after %.1f s), although the other one is dead" % (time.monotonic() - start))
            manager.stop()
            manager.start()
            none([] if alerts.until(manager.critical, 90) else [manager.alerts(), host.ctl("notify", "queue")],
                       "after a restart with nothing in its memory it shows it again")
            host.edac("ue_count", "0")
            over = alerts.until(lambda: manager.alerts() == [], 60)
            none([] if over else [manager.alerts(), host.ctl("notify", "queue")], "it sees the end")
        finally:
            host.stop(signal.SIGTERM)
            manager.stop()
        with open(directory + "/veilled.log") as f:
            text = f.read()
        none([text[-1500:]] if "Sanitizer" in text else [], "no complaint of the sanitizers")


main()
