#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 180
"""veillectl history and events against the real veille-store (both under the sanitizers): three days of a disk that grew warm,
asked for in every form; then a store that is absent, stopped, damaged, or without its database."""

import csv
import glob
import io
import json
import os
import signal
import socket
import subprocess
import tempfile
import time

import tap
from tap import say

BUILD = os.path.abspath(os.environ.get("BUILD", "build"))
CTL, STORE = BUILD + "/san/veillectl", BUILD + "/san/veille-store"
NOW = int(time.time())
START = NOW - 3 * 86400


class Host:
    def __init__(self, top):
        self.run, self.state = top + "/run", top + "/state"
        os.mkdir(self.run)
        os.mkdir(self.state)
        self.process = None

    def start(self):
        self.log = open(self.run + "/log", "ab")
        self.process = subprocess.Popen([STORE, "--run", self.run, "--state", self.state, "--config", self.run + "/none"], stderr=self.log)
        for _ in range(200):
            if os.path.exists(self.run + "/store.sock") and self.connect(quiet=True):
                return
            time.sleep(0.05)
        raise SystemExit("veille-store does not start: " + open(self.run + "/log").read())

    def connect(self, quiet=False):
        s = socket.socket(socket.AF_UNIX)
        try:
            s.connect(self.run + "/store.sock")
        except OSError:
            if not quiet:
                raise
            return None
        s.settimeout(30)
        return s

    def say(self, *lines):
        """Lines of the brain, and waits until they are on disk."""
        s = self.connect()
        for line in lines:
            s.sendall((json.dumps(line) + "\n").encode())
        s.sendall(b'{"t":"sync","seq":7}\n')
        got = b""
        while b'"ack"' not in got:
            data = s.recv(65536)
            if not data:
                raise SystemExit("the store closed: %r" % got)
            got += data
        s.close()

    def stop(self):
        self.process.terminate()
        status = self.process.wait(30)
        self.log.close()
        return status

    def logged(self):
        return open(self.run + "/log").read()

    def ctl(self, *words, tty=False, **env):
        e = {**os.environ, "LC_ALL": "C", "TZ": "UTC", "COLUMNS": "100", "TERM": "xterm"}
        e.pop("NO_COLOR", None)
        e.update(env)
        argv = [CTL, "--run", self.run] + list(words)
        if tty:
            argv = ["script", "-qec", " ".join("'%s'" % a for a in argv), "/dev/null"]
        p = subprocess.run(argv, env=e, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        return p.returncode, p.stdout.decode(), p.stderr.decode()


def fill(host):
    key = "smart-ata/sda/disk_temperature_celsius{component=sda}"
    lines = []
    for t in range(START, NOW, 300):
        if START + 86400 <= t < START + 86400 + 7200:
            continue  # veille did not run
        lines.append({"t": "samples", "time": t, "rows": [
            [key, "sda", 35 + 10.0 * (t - START) / (NOW - START)],
            ["smart-ata/sda/disk_pending_sectors{}", "sda", 0 if t < NOW - 3600 else 8],
            ["sensors/x/sensor_fan_rpm{sensor=front, left}", "fan1", 1200]]})
    event = lambda t, c, kind, frm, to, rule, why: {"t": "event", "time": t, "component": c, "kind": kind, "from": frm, "to": to, "rule": rule, "why": why}
    lines += [event(NOW - 7200, "sda", "kernel", "ok", "ok", "medium-error", "critical medium error, dev sda"),
              event(NOW - 7190, "sda", "kernel", "ok", "ok", "medium-error", "critical medium error, dev sda"),
              event(NOW - 3600, "sda", "disk", "ok", "warning", "pending-sectors", "8 sectors wait, \"quoted\" and | odd"),
              event(NOW - 60, "fan1", "fan", "ok", "critical", "fan-stopped", "it stands")]
    host.say(*lines)


def shapes(host):
    r, out, err = host.ctl("history", "sda")
    say(r == 0 and "disk_temperature_celsius" in out and "45 C" in out and "disk_pending_sectors" in out and not err, "a list of what there is", out, err)
    r, out, err = host.ctl("history", "sda", "disk_temperature_celsius")
    say(r == 0 and out.count("\n") > 12 and "*" in out and "between 35 C and 45 C" in out, "a plot in ASCII", out, err)
    say(all(ord(c) < 128 and c != "\033" for c in out), "without UTF-8 and terminal: neither dots nor colour", out)
    say(max(map(len, out.splitlines()[1:-2])) <= 100, "as wide as asked", out)
    say(any(line.startswith("    level") and line.rstrip().endswith("W") for line in out.splitlines()), "the change of level stands below the axis", out)
    narrow = host.ctl("history", "sda", "veille_disk_temperature_celsius", **{"COLUMNS": "40"})[1]
    say("*" in narrow and max(map(len, narrow.splitlines()[1:-2])) <= 40, "a plot for 40 columns, the metric as Prometheus names it", narrow)
    dots = host.ctl("history", "sda", "temp", **{"LC_ALL": "C.UTF-8"})[1]
    say("\u2840" < max(dots) < "\u2900" and "°C" in dots, "in braille where the locale has UTF-8; a part of the name is enough", dots)
    colour = host.ctl("history", "sda", "temp", tty=True)[1]
    say("\033[36m" in colour and "\033[33mW" in colour, "in colour on a terminal", colour)
    plain = host.ctl("history", "sda", "temp", tty=True, NO_COLOR="1")[1]
    say("*" in plain and "\033" not in plain, "but not with NO_COLOR", plain)
    gap = [line[11:] for line in host.ctl("history", "--since", "3d", "--height", "5", "sda", "temp")[1].splitlines() if line[10:11] in "|+"]
    drawn = [x for x in range(80) if any(len(row) > x and row[x] in "*:" for row in gap[:5])]
    say(drawn and len(drawn) < drawn[-1] - drawn[0] + 1, "two hours without a measurement stay open", drawn, "\n".join(gap))
    label = host.ctl("history", "fan1", "front, left")[1]
    say("sensor_fan_rpm{sensor=front, left} of fan1: 1200 rpm" in label, "found by its label", label)


def programs(host):
    r, out, err = host.ctl("history", "--json", "--since", "3d", "--points", "100", "sda", "disk_temperature_celsius")
    doc = json.loads(out)
    points = doc["series"][0]["points"]
    say(r == 0 and doc["component"] == "sda" and doc["series"][0]["labels"] == {"component": "sda"} and doc["series"][0]["unit"] == "celsius"
          and 90 < len(points) <= 100 and abs(points[-1][1] - 45) < 0.5 and all(a <= m <= b for _, m, a, b in points), "JSON", out[:2000], err)
    say(len({b[0] - a[0] for a, b in zip(points, points[1:])}) > 1, "JSON: a gap is no points", [p[0] for p in points])
    r, out, err = host.ctl("history", "--csv", "--since", "2h", "--points", "4", "fan1")
    rows = list(csv.reader(io.StringIO(out)))
    say(r == 0 and rows[0] == ["component", "metric", "labels", "time", "mean", "min", "max"] and len(rows) in (4, 5)
          and rows[1][2] == "sensor=front, left" and rows[1][4:] == ["1200"] * 3, "CSV, with commas where they hurt", out, err)
    then = time.strptime(rows[1][3], "%Y-%m-%dT%H:%M:%SZ")
    say(abs(NOW - 7200 - __import__("calendar").timegm(then)) < 60, "CSV: times in UTC", rows)
    r, out, err = host.ctl("events")
    say(r == 0 and "(2 times until" in out and "WARNING, was ok" in out and "CRITICAL, was ok" in out and out.index("medium error") < out.index("it stands"),
          "events, what repeats itself once", out, err)
    r, out, err = host.ctl("events", "--json", "sda")
    doc = json.loads(out)["events"]
    say([e["kind"] for e in doc] == ["kernel", "kernel", "disk"] and doc[2] == {"time": NOW - 3600, "component": "sda", "kind": "disk", "from": "ok",
          "to": "warning", "rule": "pending-sectors", "why": "8 sectors wait, \"quoted\" and | odd"}, "events as JSON, of one component", out, err)
    out = host.ctl("events", "--json", "--since", "30min")[1]
    say([e["component"] for e in json.loads(out)["events"]] == ["fan1"], "events --since", out)
    out = host.ctl("events", "--json", "--max", "1", "--until", "90min")[1]
    say([e["time"] for e in json.loads(out)["events"]] == [NOW - 7190], "events --until, --max: the newest of them", out)
    out = host.ctl("events", "sdb")[1]
    say("nothing happened to sdb" in out, "no events", out)


def mistakes(host):
    for words, pattern in [(["history", "sdx"], "nothing is known of 'sdx'"), (["history", "sda", "disk_temprature_celsius"], "did you mean 'disk_temperature_celsius'"),
                           (["history", "sda", "qqqq"], "lists what it has"), (["history"], "say which component"),
                           (["history", "sda", "--since", "soon"], "'soon' is no time"), (["history", "sda", "--since", "1h", "--until", "2h"], "lies after"),
                           (["history", "sda", "--points", "5000"], "--points is a number from 1 to 2000"), (["events", "a", "b"], "one component or none"),
                           (["events", "--max", "0"], "--max is a number from 1 to 10000, not"), (["events", "--sicne", "1h"], "did you mean --since?")]:
        r, out, err = host.ctl(*words)
        say(r == 3 and pattern in err and not out, "mistake: " + " ".join(words), r, out, err)


def without_the_store(host):
    os.kill(host.process.pid, signal.SIGSTOP)
    begin = time.monotonic()
    r, out, err = host.ctl("events")
    say(r == 3 and "does not answer within 10 s" in err and time.monotonic() - begin < 20, "a store that hangs: said, after 10 s", err)
    os.kill(host.process.pid, signal.SIGCONT)
    say(host.stop() == 0, "the store ends in order", host.logged())
    r, out, err = host.ctl("history", "sda")
    say(r == 3 and "systemctl status veille-store" in err, "no store: said", err)


def broken_database(host):
    path = host.state + "/veille.db"
    data = open(path, "rb").read()
    with open(path, "r+b") as f:  # torn: half of the pages are of another time
        for page in range(2, len(data) // 4096, 2):
            f.seek(page * 4096)
            f.write(os.urandom(4096))
    host.start()
    r, out, err = host.ctl("events")
    say(r == 0 and "veille" in out and "the database was damaged and is replaced" in out and "is kept beside it" in out, "a torn database: a clear event", out, err, host.logged())
    kept = glob.glob(path + ".corrupt-*")
    say(len([k for k in kept if not k.endswith("-wal")]) == 1 and os.path.getsize(kept[0]) == len(data), "the torn file is kept", kept)
    say("was damaged" in host.logged(), "and it is in the log", host.logged())
    host.say({"t": "samples", "time": NOW, "rows": [["a/b/c{}", "sda", 1]]})
    say("c" in host.ctl("history", "--since", "1h", "sda")[1], "history goes on")
    host.stop()
    say("SUMMARY" not in host.logged(), "no finding of the sanitizers", host.logged())
    for name in glob.glob(path + "*"):
        os.unlink(name)
    os.mkdir(path)  # no file can be made there
    host.start()
    s = host.connect()
    s.sendall(b'{"t":"event","time":%d,"component":"sda","kind":"disk","from":"ok","to":"warning","rule":"x","why":"in memory"}\n' % NOW)
    time.sleep(0.3)
    r, out, err = host.ctl("events")
    say(r == 0 and "in memory" in out and "cannot open" in err and "only what veille-store has in memory" in err, "no database: what is known, and why it is little", out, err)
    s.close()
    host.stop()


def main():
    with tempfile.TemporaryDirectory(prefix="veille-test-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as top:
        host = Host(top)
        try:
            host.start()
            fill(host)
            for part in (shapes, programs, mistakes, without_the_store, broken_database):
                part(host)
        finally:
            if host.process and host.process.poll() is None:
                host.process.kill()
                host.process.wait()
    raise SystemExit(tap.failed > 0)


main()
