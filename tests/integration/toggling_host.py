# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host whose dozen components change their level at every poll: the real veilled and veille-store (under the sanitizers), to be
killed and started again by a test, and what their events must look like afterwards."""

import json
import os
import re
import socket
import sqlite3
import subprocess
import threading
import time

from tap import say

BUILD = os.environ.get("BUILD", "build")
NAMES = ["part%d" % i for i in range(12)]


def wait(condition, seconds):
    stop = time.monotonic() + seconds
    while time.monotonic() < stop:
        if condition():
            return True
        time.sleep(0.05)
    return condition()


def catalog():
    check = {"name": "toggle", "summary": "toggles", "interval_s": 1, "deadline_s": 5, "max_age_s": 60, "privilege": "disk", "evidence": "host",
             "metrics": [{"name": "toggle_value", "kind": "gauge", "unit": "", "help": "x"}],
             "rules": [{"name": "toggled", "metric": "toggle_value", "warning": 1, "critical": 1000000, "text": "number {value}",
                        "clears": "the next poll", "source": "this test"}]}
    return {"protocol": 1, "checks": [check]}


class Probe:
    """Answers as veille-probe would; the value is 0 every other time, and otherwise one that was never there before."""

    def __init__(self, run):
        self.count = dict.fromkeys(NAMES, 0)
        self.quiet = False  # nothing changes any more
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(run + "/probe-disk.sock")
        self.server.listen(16)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            client, _ = self.server.accept()
            with client:
                try:
                    self.answer(client)
                except OSError:
                    pass  # killed while it was talking to us

    def answer(self, client):
        client.settimeout(5)
        data = b""
        while not data.endswith(b"\n"):
            got = client.recv(65536)
            if not got:
                return
            data += got
        request, lines = json.loads(data), []
        if request["op"] == "list":
            lines = [{"instance": n, "component": n, "id": "", "kind": "host"} for n in NAMES]
            lines.append({"type": "end", "result": "ok", "why": ""})
        for name in request.get("instances", []):
            self.count[name] += not self.quiet
            n = self.count[name]
            value = 0 if n % 2 else n if n % 4 else 1000000 + n
            lines.append({"type": "sample", "instance": name, "metric": "toggle_value", "value": value, "labels": {}})
            lines.append({"type": "end", "instance": name, "result": "ok", "why": ""})
        client.sendall("".join(json.dumps(line) + "\n" for line in lines).encode())


class Host:
    def __init__(self, top):
        self.top, self.run, self.state = top, top + "/run", top + "/state"
        os.mkdir(self.run)
        os.mkdir(self.state)
        self.probe = top + "/veille-probe"
        with open(top + "/catalog", "w") as f:
            json.dump(catalog(), f)
        with open(self.probe, "w") as f:
            f.write("#!/bin/sh\nexec cat %s/catalog\n" % top)
        os.chmod(self.probe, 0o755)
        self.serve = Probe(self.run)
        self.log = open(top + "/brain.log", "ab")
        self.store_log = open(top + "/store.log", "ab")
        self.brain = self.store = None

    def start_brain(self):
        self.started = time.time()
        self.brain = subprocess.Popen([BUILD + "/san/veilled", "--run", self.run, "--state", self.state, "--config", self.top + "/none", "--probe", self.probe],
                                      stdin=subprocess.DEVNULL, stderr=self.log)

    def start_store(self):
        self.store = subprocess.Popen([BUILD + "/san/veille-store", "--run", self.run, "--state", self.state, "--config", self.top + "/none"],
                                      stdin=subprocess.DEVNULL, stderr=self.store_log)

    @staticmethod
    def kill(process):
        process.kill()
        process.wait()

    def status(self):
        try:
            with open(self.run + "/status.json") as f:
                return json.load(f)
        except (OSError, ValueError):
            return {"components": [], "counters": {}}

    def logs(self):
        with open(self.top + "/brain.log", errors="replace") as a, open(self.top + "/store.log", errors="replace") as b:
            return a.read(), b.read()

    def rows(self):
        db = sqlite3.connect("file:%s/veille.db?mode=ro" % self.state, uri=True)
        try:
            return db.execute("SELECT component, from_level, to_level, why FROM events ORDER BY id").fetchall()
        finally:
            db.close()

    def settle(self):
        """Until this brain has told something, and all that it told is confirmed."""
        told = wait(lambda: self.counters().get("events", 0) > 2 * len(NAMES), 40)
        self.serve.quiet = True
        time.sleep(1.5)  # for readings under way
        return told and wait(lambda: self.counters().get("waiting_events") == 0, 40)

    def goes_on(self, since):
        """Until enough has happened since then (a length of the brain's log) to judge by."""
        return wait(lambda: sum(map(len, logged(self.logs()[0][since:]).values())) > 2 * len(NAMES), 60)

    def counters(self):
        doc = self.status()
        return doc["counters"] if doc.get("started", 0) >= self.started else {}

    def stop(self):
        status = []
        for process in (self.brain, self.store):
            process.terminate()
            status.append(process.wait(20))
        return status


def chains(rows):
    """Per component the list of (from, to, why)."""
    found = {}
    for component, begin, to, why in rows:
        if begin != to:
            found.setdefault(component, []).append((begin, to, why))
    return found


def logged(text):
    found = {}
    for line in text.splitlines():
        m = re.match(r"<\d>(part\d+): (\w+) \(was (\w+)\)(?:: (.*))?$", line)
        if m:
            found.setdefault(m.group(1), []).append((m.group(3), m.group(2), m.group(4) or ""))
    return found


def missing(wanted, have):
    """What of wanted is not in have, in order."""
    at, lost = 0, []
    for event in wanted:
        try:
            at = have.index(event, at) + 1
        except ValueError:
            lost.append(event)
    return lost


def look_at(host, name, since=0):
    """since: how much of the log is of before; what happened then is not asked for."""
    rows, (text, store_text) = host.rows(), host.logs()
    found, told = chains(rows), logged(text[since:])
    broken = ["%s: %s then %s" % (c, a, b) for c, events in found.items() for a, b in zip(events, events[1:]) if a[1] != b[0]]
    lost = {c: missing(events, found.get(c, [])) for c, events in told.items()}
    lost = {c: events for c, events in lost.items() if events}
    numbers = [(c, e) for c, events in found.items() for e in events if e[2].startswith("number")]
    n = sum(map(len, told.values()))
    print("# %s: %d events logged, %d in the database" % (name, n, len(rows)))
    say(n > 20 and not lost, name + ": what the brain logged is in the database", (n, lost))
    if not since:
        say(not broken, name + ": each event begins with the level that the one before ended with", broken)
    say(numbers and len(numbers) == len(set(numbers)), name + ": none is there twice", sorted(e for e in numbers if numbers.count(e) > 1)[:5])
    say("ERROR" not in text + store_text and "runtime error" not in text + store_text, name + ": no finding of the sanitizers",
        [line for line in (text + store_text).splitlines() if "ERROR" in line or "runtime error" in line])
    say(host.status()["counters"].get("lost_events") == 0, name + ": none is counted as lost", host.status()["counters"])
