#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 200
"""When the only way out is this host's own mail, config check, status, the page and the metrics say so, until there is another; what they tell of
alerts and messages is what happened: open, acknowledged, silenced, maintenance, delivered, failed."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import urllib.request

sys.path.insert(0, os.path.dirname(__file__))
import alerts  # noqa: E402
import unpacked  # noqa: E402
from tap import none  # noqa: E402

HEAD = """
[host]
name = mx1
[check edac]
interval = 1s
[contact oncall]
sinks = %(sinks)s
[sink own]
type = mail
relay = smtp://localhost:%(dead)d
to = ann@example.org
tls = none
timeout = 5s
[sink hook]
type = webhook
url = %(url)s
timeout = 5s
"""
ONLY = "the only way out is this host's own mail"


class Host(alerts.Host):
    def write(self, sinks, url):
        with open(self.dir + "/veille.conf", "w") as f:
            f.write(HEAD % {"sinks": sinks, "url": url, "dead": self.dead})

    def __init__(self, directory):
        super().__init__(directory)
        self.dead, self.web, self.port = unpacked.free_port(), None, unpacked.free_port()
        self.write("own", "http://127.0.0.1:%d/hook" % self.http.server_address[1])

    def start_web(self):
        self.web = subprocess.Popen([alerts.SAN + "veille-web"] + self.options[2:] + ["--listen", "127.0.0.1:%d" % self.port], stdin=subprocess.DEVNULL)

    def get(self, path):
        try:
            with urllib.request.urlopen("http://127.0.0.1:%d%s" % (self.port, path), timeout=10) as answer:
                return answer.read().decode()
        except OSError:
            return ""

    def metric(self, name):
        """Its value; with labels as they are written. None: it is not there."""
        for line in self.get("/metrics").splitlines():
            if line.startswith(name + " ") or line.startswith(name + "{"):
                if line.split(" ")[0] == name or name in line:
                    return float(line.split(" ")[1])
        return None

    def is_metric(self, name, value):
        return alerts.until(lambda: self.metric(name) == value, 60)


def test_warned(host):
    places = {
        "config check": lambda: host.ctl("config", "check")[0],
        "status": lambda: host.ctl("status")[0],
        "page": lambda: host.get("/").replace("&#39;", "'"),
        "status.json": lambda: json.loads(host.get("/status.json") or "{}").get("alerting", {}).get("warning", ""),
    }
    none([[name, get()] for name, get in places.items() if not alerts.until(lambda: ONLY in get(), 60)],
         "warned of in " + ", ".join(places))
    none([] if host.is_metric("veille_notify_way_out", 0) else [host.get("/metrics")[-3000:]], "and in the metrics")
    # A name of another host; nobody asks it for anything here.
    host.write("own hook", "http://192.0.2.7/hook")
    host.ctl("reload")
    none([[name, get()] for name, get in places.items() if not alerts.until(lambda: "only way out" not in get(), 60)], "no more when there is another")
    none([] if host.is_metric("veille_notify_way_out", 1) else [host.get("/metrics")[-3000:]], "nor in the metrics")


def test_numbers(host):
    host.write("own hook", "http://127.0.0.1:%d/hook" % host.http.server_address[1])
    host.ctl("reload")
    host.edac("ue_count", "1")
    problems = []
    for name, value in (('veille_alerts{level="critical",state="open"}', 1), ('veille_notify_delivered_total{sink="hook",type="webhook"}', 1),
                        ('veille_notify_queue{sink="own",type="mail"}', 1), ('veille_notify_queue{sink="hook",type="webhook"}', 0),
                        ("veille_alert_messages_total", 1)):
        if not host.is_metric(name, value):
            problems.append([name, value, host.metric(name)])
    if not alerts.until(lambda: (host.metric('veille_notify_failures{sink="own",type="mail"}') or 0) >= 1, 60):
        problems.append(host.get("/metrics")[-3000:])
    none(problems, "an alert: told by one sink, waiting for the other")
    host.ctl("ack", "mc0", "ordered")
    problems = [] if host.is_metric('veille_alerts{level="critical",state="acknowledged"}', 1) else [host.get("/metrics")[-3000:]]
    host.ctl("silence", "add", "mc0", "1h", "known")
    if not host.is_metric('veille_alerts{level="critical",state="silenced"}', 1) or not host.is_metric('veille_alerts{level="critical",state="open"}', 0):
        problems.append(host.get("/metrics")[-3000:])
    host.ctl("maintenance", "1h", "new", "memory")
    if not host.is_metric("veille_alerts_maintenance", 1) or not alerts.until(lambda: "maintenance until" in host.ctl("status")[0], 60):
        problems.append(host.ctl("status"))
    host.ctl("maintenance", "end")
    if not host.is_metric("veille_alerts_maintenance", 0):
        problems.append(host.ctl("status"))
    none(problems, "acknowledged, silenced, maintenance: each is counted")


def main():
    with tempfile.TemporaryDirectory(prefix="veille-ways-") as directory:
        host = Host(directory)
        host.start()
        host.start_web()
        try:
            alerts.until(lambda: "nothing is open" in host.ctl("alerts")[0])
            test_warned(host)
            test_numbers(host)
        finally:
            host.stop(signal.SIGTERM)
            unpacked.end([host.web])
        with open(host.dir + "/veilled.log") as f:
            text = f.read()
        none([text[-1500:]] if "Sanitizer" in text else [], "no complaint of the sanitizers")


main()
