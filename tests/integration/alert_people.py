#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 400
"""What people say to alerts, with the real veilled: a silence and a maintenance hold back and end by themselves, then what is wrong is told; when nobody
acknowledges, the next contact is told, and is not where somebody did."""

import os
import signal
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(__file__))
import alerts  # noqa: E402
from tap import none  # noqa: E402

CONFIG = """
[host]
name = mx1
[check edac]
interval = 1s
[alert]
escalate_after = %(after)s
[contact first]
sinks = first
[contact second]
sinks = second
step = 1
[sink first]
type = webhook
url = http://127.0.0.1:%(http)d/hook
[sink second]
type = exec
command = %(dir)s/smartd-script %(dir)s/script.out
"""


class Host(alerts.Host):
    def __init__(self, directory):
        super().__init__(directory)
        self.write("1h")

    def write(self, after):
        with open(self.dir + "/veille.conf", "w") as f:
            f.write(CONFIG % {"after": after, "http": self.http.server_address[1], "dir": self.dir})

    def told(self, what=None):
        """Messages to the first contact about the memory."""
        return [m for m in self.hook_messages_plain() if m["component"] == "mc0" and what in (None, m["what"])]

    def hook_messages_plain(self):
        return [alerts.json.loads(body) for _, body, status in self.world.hooks if status == 200]

    def escalated(self):
        return [line for line in self.script() if "|mc0|" in line]


def test_silence(host):
    out, status = host.ctl("silence", "add", "mc*", "15s", "changing", "modules")
    problems = [] if status == 0 else [out]
    host.edac("ue_count", "1")
    alerts.until(lambda: host.ctl("status")[1] == 2, 60)
    listed, _ = host.ctl("silence", "list")
    if "changing modules" not in listed or "mc*" not in listed:
        problems.append(listed)
    if host.told() and "mc*" in listed:
        problems.append(["told although silenced", host.told()])
    alerts.until(lambda: host.told("new"), 90)
    if len(host.told("new")) != 1 or "no silence" not in host.ctl("silence", "list")[0].lower() and "mc*" in host.ctl("silence", "list")[0]:
        problems.append([host.told(), host.ctl("silence", "list")])
    none(problems, "a silence holds it back, ends by itself, then it is told once")


def test_over(host):
    host.edac("ue_count", "0")
    alerts.until(lambda: host.told("resolved"), 90)
    none([] if len(host.told("resolved")) == 1 else [host.told()], "its end is told")


def test_maintenance(host):
    before = len(host.told())
    out, status = host.ctl("maintenance", "15s", "new", "memory")
    problems = [] if status == 0 else [out]
    host.edac("ue_count", "2")
    alerts.until(lambda: host.ctl("status")[1] == 2, 60)
    shown, _ = host.ctl("alerts")
    if "maintenance" in shown and len(host.told()) != before:
        problems.append(["told in maintenance", host.told()])
    alerts.until(lambda: len(host.told()) > before, 90)
    if len(host.told()) != before + 1 or "maintenance" in host.ctl("alerts")[0]:
        problems.append([len(host.told()), before, host.ctl("alerts")])
    none(problems, "maintenance ends by itself, then what is wrong is told")


def test_acknowledged(host):
    host.edac("ue_count", "1")
    alerts.until(lambda: host.told("new"), 90)
    out, status = host.ctl("ack", "mc0", "module", "ordered")
    host.write("1s")
    host.ctl("reload")
    time.sleep(5)  # five times as long as it would take
    shown, _ = host.ctl("alerts")
    none([] if status == 0 and not host.escalated() and "module ordered" in shown else [out, status, host.escalated(), shown],
         "acknowledged in time: nobody else is told")
    host.write("1h")
    host.ctl("reload")
    host.edac("ue_count", "0")
    alerts.until(lambda: host.told("resolved"), 90)


def test_escalation(host):
    host.edac("ue_count", "2")
    alerts.until(lambda: len(host.told("new")) == 2, 90)
    problems = [["told at once", host.escalated()]] if host.escalated() else []
    host.write("5s")
    host.ctl("reload")
    alerts.until(host.escalated, 90)
    if not host.escalated():
        problems.append(host.ctl("alerts"))
    none(problems, "nobody acknowledged: the second contact is told, and only then")
    host.edac("ue_count", "0")
    alerts.until(lambda: any("resolved" in line for line in host.escalated()), 90)
    none([] if any("resolved" in line for line in host.escalated()) else [host.script()], "who was told of it is told of its end")


def with_host(*tests):
    """Each with a veilled of its own: of many messages within an hour some would wait for company."""
    with tempfile.TemporaryDirectory(prefix="veille-people-") as directory:
        host = Host(directory)
        host.start()
        try:
            alerts.until(lambda: "nothing is open" in host.ctl("alerts")[0])
            for test in tests:
                test(host)
        finally:
            host.stop(signal.SIGTERM)
        with open(host.dir + "/veilled.log") as f:
            text = f.read()
        none([text[-1500:]] if "Sanitizer" in text else [], "no complaint of the sanitizers")


def test_nobody(host):
    out, status = host.ctl("test-alert", "nobody-of-this-name")
    none([] if status == 3 and "no [contact nobody-of-this-name]" in out else [out, status], "test-alert to nobody says so")


with_host(test_silence, test_over, test_maintenance, test_nobody)
with_host(test_acknowledged, test_escalation)
