#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 300
"""A real Alertmanager (Debian's) shows what is open, sees it get worse and end, and shows it again after a restart that lost all it knew. Of a batch of
which it refuses a part nothing else is lost."""

import http.server
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
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

    def severities(self, rule):
        """Of the alerts of this rule: severity -> summary."""
        return {a["labels"]["severity"]: a["annotations"]["summary"] for a in self.alerts() or [] if a["labels"]["alertname"] == rule}


class Spoiler(http.server.BaseHTTPRequestHandler):
    """Hands alerts on to the real one; an alert that is called bad-one gets a label that Alertmanager does not take."""
    target, answers = "", []

    def do_POST(self):
        alerts_in = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        for alert in alerts_in:
            if alert["labels"]["alertname"] == "bad-one":
                alert["labels"]["no-name-of-a-label"] = "x"
        request = urllib.request.Request(self.target + self.path, json.dumps(alerts_in).encode(), {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                status, body = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, body = error.code, error.read()
        self.answers.append((len(alerts_in), status))
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def test_worse(host, manager):
    """The severity is a label: what was milder is over, what is worse is another alert there; values are in annotations."""
    rule = "memory-error-rate"
    host.edac("ce_count", "3")
    alerts.until(lambda: "notice" in manager.severities(rule), 90)
    first = manager.severities(rule)
    host.edac("ce_count", "30")
    alerts.until(lambda: list(manager.severities(rule)) == ["warning"], 90)
    second = manager.severities(rule)
    good = list(first) == ["notice"] and first["notice"].startswith("3 corrected") and list(second) == ["warning"] and second["warning"].startswith("30 corrected")
    host.edac("ce_count", "40")
    alerts.until(lambda: manager.severities(rule).get("warning", "").startswith("40 corrected"), 120)
    third = manager.severities(rule)
    none([] if good and third.get("warning", "").startswith("40 corrected") else [first, second, third, host.ctl("alerts")],
         "it sees it get worse, and its numbers change: one alert, not one for each number")


def test_batch(manager):
    Spoiler.target = "http://127.0.0.1:%d" % manager.port
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Spoiler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    facts = [{"rule": rule, "host": "mx1", "component": "mc0", "level": "warning", "worst": "warning", "opened": time.time() - 60, "since": time.time() - 60,
              "text": "x", "changes": 1} for rule in ("good-one", "bad-one", "other-good-one")]
    request = {"sink": {"type": "alertmanager", "timeout": 20, "url": ["http://127.0.0.1:%d" % server.server_address[1]]}, "alerts": facts}
    done = subprocess.run([alerts.SAN + "veille-notify"], input=json.dumps(request), capture_output=True, text=True)
    answer, names = json.loads(done.stdout), {a["labels"]["alertname"] for a in manager.alerts() or []}
    server.shutdown()
    good = answer["ok"] and "1 of 3 alerts were refused" in answer["text"] and {"good-one", "other-good-one"} <= names and "bad-one" not in names
    none([] if good and Spoiler.answers[0] == (3, 400) else [answer, sorted(names), Spoiler.answers, done.stderr],
         "it refuses a part of a batch (400): the rest is there, the answer says how many were refused")


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
            test_worse(host, manager)
            test_batch(manager)
        finally:
            host.stop(signal.SIGTERM)
            manager.stop()
        with open(directory + "/veilled.log") as f:
            text = f.read()
        none([text[-1500:]] if "Sanitizer" in text else [], "no complaint of the sanitizers")


main()
