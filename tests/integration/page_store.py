#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 180
"""The status page with the real veille-store behind it: three days are told to the store, and what the real veille-web then draws
is read in real Chromium with script switched off."""

import json
import math
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(__file__))
import unpacked  # noqa: E402
from browser import BROWSER, Browser  # noqa: E402

SHOTS = unpacked.BUILD + "/screenshots"
NOW = int(time.time())
START = NOW - 3 * 86400
GAP = (NOW - 40 * 3600, NOW - 30 * 3600)  # veille did not run

# What stands on the page of each plot: of whom, which metric, and between which values.
PLOTS = """[...document.querySelectorAll('#plots ~ .plots figure')].map(f => ({of: f.querySelector('strong').textContent,
  what: f.querySelector('.what').textContent, now: (f.querySelector('.now') || {}).textContent, level: f.className,
  label: f.querySelector('svg.plot').getAttribute('aria-label'), lines: f.querySelectorAll('.plot-line').length,
  width: f.querySelector('svg.plot').getBoundingClientRect().width}))"""


def say(problems, name):
    print("not ok - %s: %s" % (name, json.dumps(problems)[:1500]) if problems else "ok - " + name)
    sys.stdout.flush()


def history():
    for t in range(START, NOW, 300):
        if GAP[0] <= t < GAP[1]:
            continue
        done = (t - START) / (NOW - START)
        yield {"t": "samples", "time": t, "rows": [
            ["fs//var/mail/fs_avail_bytes{mountpoint=/var/mail}", "/var/mail", round(4.4e11 - 1.3e11 * done)],
            ["smart-ata/sdb/disk_temperature_celsius{}", "sdb", round(38 + 4 * math.sin(t / 86400 * 2 * math.pi), 1)],
            ["smart-ata/sdb/disk_pending_sectors{medium=platters}", "sdb", 0 if done < 0.7 else 8],
            ["sensors/nct6799-isa-0290/sensor_fan_rpm{sensor=fan2}", "nct6799-isa-0290", 1180 + t // 300 % 7]]}
    for t, component, frm, to, why in ((NOW - 80000, "sdb", "ok", "warning", "8 pending sectors <b>bold</b>"),
                                       (NOW - 5400, "/var/mail", "ok", "critical", "full in about 9 hours")):
        yield {"t": "event", "time": t, "component": component, "kind": "disk", "from": frm, "to": to, "rule": "r", "why": why}


def tell(run):
    """What the brain would have said in three days; returns once it is on disk."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(60)
        s.connect(run + "/store.sock")
        for line in history():
            s.sendall(json.dumps(line).encode() + b"\n")
        s.sendall(b'{"t":"sync","seq":7}\n')
        got = b""
        while b'"ack"' not in got:
            data = s.recv(65536)
            if not data:
                raise RuntimeError("the store closed: %r" % got)
            got += data


def start(directory, processes, program, *words):
    log = open("%s/%s.log" % (directory, program), "ab")
    processes.append(subprocess.Popen([unpacked.BUILD + "/san/" + program, "--config", directory + "/none"] + list(words), stdin=subprocess.DEVNULL,
                                      stdout=log, stderr=log))


def connects(path):
    with socket.socket(socket.AF_UNIX) as s:
        return s.connect_ex(path) == 0


def complete(path):
    """The first plots may have been written before the last line was told."""
    try:
        with open(path) as f:
            doc = json.load(f)
    except OSError:
        return False
    return len({p["metric"] for p in doc["plots"]}) >= 4 and len(doc["events"]) >= 2


def main():
    if not shutil.which(BROWSER):
        unpacked.skip("the page with a real store", "no " + BROWSER)
    os.makedirs(SHOTS, exist_ok=True)
    processes, browser = [], None
    with tempfile.TemporaryDirectory(prefix="veille-pagestore-") as directory:
        run, port = directory + "/run", unpacked.free_port()
        make = [sys.executable, "tests/fixtures/make_run.py", run, "--probe", unpacked.BUILD + "/veille-probe"]
        subprocess.run(make, check=True)
        os.unlink(run + "/plots.json")
        os.mkdir(directory + "/state")
        try:
            start(directory, processes, "veille-store", "--run", run, "--state", directory + "/state")
            unpacked.wait_for("the store", 30, lambda: connects(run + "/store.sock"))
            tell(run)
            unpacked.wait_for("plots of the store", 100, lambda: complete(run + "/plots.json"))
            with open(run + "/plots.json") as f:
                plots = f.read()
            subprocess.run(make, check=True)  # the brain's word is of now again; the plots are the store's
            with open(run + "/plots.json", "w") as f:
                f.write(plots)
            start(directory, processes, "veille-web", "--run", run, "--listen", "127.0.0.1:%d" % port)
            unpacked.wait_for("veille-web", 30, lambda: subprocess.run(["curl", "-s", "-o", "/dev/null", "http://127.0.0.1:%d/" % port]).returncode == 0)
            browser = Browser()
            for kind, width, height in (("desk", 1280, 900), ("phone", 390, 844)):
                browser.look(width, height, phone=kind == "phone", script=False)
                browser.open("http://127.0.0.1:%d/" % port)
                browser.screenshot("%s/store-%s.png" % (SHOTS, kind))
                found = browser.ask(PLOTS)
                by = {(p["of"], p["what"].split(" fan2")[0]): p for p in found}
                problems = ["console: " + c for c in browser.complaints]
                if not found or found[0]["of"] != "/var/mail" or "l-critical" not in found[0]["level"]:
                    problems.append("the worst does not come first")
                for key, words in ((("/var/mail", "fs avail"), ("310\u00a0GB", "440\u00a0GB")), (("sdb", "disk temperature"), ("34", "42\u00a0\u00b0C")),
                                   (("sdb", "disk pending sectors"), ("between 0 and 8",)), (("nct6799-isa-0290", "sensor fan"), ("1186\u00a0rpm",))):
                    label = by.get(key, {}).get("label", "")
                    problems += ["%s: '%s' lacks %s" % (key, label, w) for w in words if w not in label]
                # Nothing is drawn where nobody measured.
                if by.get(("sdb", "disk temperature"), {}).get("lines", 0) < 2:
                    problems.append("the gap is drawn over")
                if by.get(("sdb", "disk pending sectors"), {}).get("now") != "8":
                    problems.append("a count is no whole number")
                if any(p["width"] < 250 for p in found):
                    problems.append("plots are too small")
                say(problems + ([] if not problems else found), "%s: the store's last days, without script" % kind)
                text = browser.ask("document.body.innerText")
                say([w for w in ("full in about 9 hours", "8 pending sectors <b>bold</b>", "from ok to") if w not in text.replace("\n", " ")],
                    "%s: the store's events" % kind)
        finally:
            if browser:
                browser.close()
            unpacked.end(processes)


main()
