#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 700
"""No alert is lost and none is without its resolution, whoever dies: veilled, veille-store and veille-notify are killed with SIGKILL at
random moments while parts become critical and well again and the sink is slow or refuses. What counts as an alert is what the brain has
put into RUN/alerts.json. A message that comes twice has another number of attempt, nothing is told as new twice.

SEED=N repeats the choices; KILLS=N (default 10); tests/lab/long/alert_kills.py makes 500."""

import http.server
import json
import os
import random
import signal
import socketserver
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import toggling_host  # noqa: E402
from tap import none  # noqa: E402

PARTS = ["part%d" % i for i in range(4)]
SAN = "" if os.environ.get("PLAIN") else "/san"  # check-lab builds no sanitized programs
CONFIG = """
[host]
name = mx1
[contact oncall]
sinks = hook
[sink hook]
type = webhook
url = http://127.0.0.1:%d/hook
timeout = 5s
"""


class Probe(toggling_host.Probe):
    """Values are what the test wants them to be."""

    def __init__(self, run):
        self.values = dict.fromkeys(PARTS, 0)
        super().__init__(run)

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
            lines = [{"instance": n, "component": n, "id": "", "kind": "host"} for n in PARTS]
            lines.append({"type": "end", "result": "ok", "why": ""})
        for name in request.get("instances", []):
            lines.append({"type": "sample", "instance": name, "metric": "toggle_value", "value": self.values[name], "labels": {}})
            lines.append({"type": "end", "instance": name, "result": "ok", "why": ""})
        client.sendall("".join(json.dumps(line) + "\n" for line in lines).encode())


class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body, server = json.loads(self.rfile.read(int(self.headers["Content-Length"]))), self.server
        time.sleep(server.dice.choice([0, 0, 0.1, 0.4]))  # long enough to be killed in
        status = 503 if server.refuse > time.monotonic() else 200
        # What the sink has taken counts, whether or not its answer still finds somebody.
        server.got.append({"id": self.headers["Idempotency-Key"], "attempt": int(self.headers["X-Veille-Attempt"]), "status": status,
                           "items": body["items"], "subject": body["subject"]})
        try:
            self.send_response(status)
            self.end_headers()
        except OSError:
            pass

    def log_message(self, *_):
        pass


class Web(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True

    def __init__(self, seed):
        super().__init__(("127.0.0.1", 0), Hook)
        self.got, self.refuse, self.dice = [], 0, random.Random(seed)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, *_):
        pass


class Host(toggling_host.Host):
    def __init__(self, top, seed):
        super().__init__(top)
        self.web = Web(seed)
        self.seen = set()  # (part, when it opened) that the brain has called critical
        with open(top + "/veille.conf", "w") as f:
            f.write(CONFIG % self.web.server_address[1])
        self.options = ["--run", self.run, "--state", self.state, "--config", top + "/veille.conf"]

    def start_brain(self):
        self.started = time.time()
        self.brain = subprocess.Popen([toggling_host.BUILD + SAN + "/veilled", "--probe", self.probe, "--life", self.top + "/none"] + self.options,
                                      stdin=subprocess.DEVNULL, stderr=self.log)

    def start_store(self):
        self.store = subprocess.Popen([toggling_host.BUILD + SAN + "/veille-store"] + self.options, stdin=subprocess.DEVNULL, stderr=self.store_log)

    def alerts(self):
        try:
            with open(self.run + "/alerts.json") as f:
                doc = json.load(f)
        except (OSError, ValueError):
            return {"alerts": [], "queue": []}
        for a in doc["alerts"]:
            if a["worst"] == "critical" and a["component"] in PARTS:
                self.seen.add((a["component"], round(a["opened"])))
        return doc

    def open(self):
        return {a["component"] for a in self.alerts()["alerts"] if a["level"] == "critical"}

    def kill_notify(self):
        """A veille-notify of this brain, when there is one within half a second."""
        until = time.monotonic() + 0.5
        while time.monotonic() < until:
            for name in os.listdir("/proc"):
                try:
                    with open("/proc/%s/stat" % name) as f:
                        words = f.read().rsplit(")", 1)
                    if words[0].endswith("(veille-notify") and int(words[1].split()[1]) == self.brain.pid:
                        os.kill(int(name), signal.SIGKILL)
                        return True
                except (OSError, ValueError):
                    continue
            time.sleep(0.005)
        return False


def change(host, dice, part, value):
    host.serve.values[part] = value
    if dice.random() < 0.2:
        host.web.refuse = time.monotonic() + dice.uniform(0.5, 4)
    if dice.random() < 0.6:  # until the brain knows, so that it has something to lose
        toggling_host.wait(lambda: (part in host.open()) == bool(value), 6)


def kill_one(host, dice, counts):
    what = dice.choice(["veilled", "veilled", "veille-store", "veille-notify", "veille-notify", "both"])
    if what == "veille-notify":
        if host.kill_notify():
            counts[what] += 1
            return
        what = "veilled"
    for name, attribute in (("veille-store", "store"), ("veilled", "brain")):
        if what in (name, "both"):
            host.kill(getattr(host, attribute))
            counts[name] += 1
    time.sleep(dice.choice([0, 0, dice.uniform(0, 1)]))
    if what in ("veille-store", "both"):
        host.start_store()
    if what in ("veilled", "both"):
        host.start_brain()


def kill_at_random(host, dice, kills, counts):
    """Two parts become critical, one of them is well again, then all are; this and that dies at each step. Not more: from the fifth
    message of the hour on they wait for each other."""
    parts = dice.sample(PARTS, 2)
    steps = [(parts[0], 1000000), (parts[1], 1000000), (parts[0], 0), (parts[1], 0)]
    for i in range(kills):
        if i * len(steps) // kills != (i - 1) * len(steps) // kills:
            change(host, dice, *steps[i * len(steps) // kills])
        last = i * len(steps) // kills == len(steps) - 1  # that it is over is told after half a minute
        time.sleep(dice.uniform(0, 12) if last else dice.choice([0, dice.uniform(0, 0.1), dice.uniform(0, 1.5)]))
        host.alerts()
        kill_one(host, dice, counts)


def all_told(host):
    doc = host.alerts()
    return host.open() == set() and not doc["queue"] and not owed(host) and not unresolved(host)


def taken(host):
    """Each message once, in the order in which it was taken."""
    seen, found = set(), []
    for m in host.web.got:
        if m["status"] == 200 and m["id"] not in seen:
            seen.add(m["id"])
            found.append(m)
    return found


def owed(host):
    """Alerts that no message calls critical (as new, worse or over before it could be told)."""
    told = {(i["component"], round(i["opened"])) for m in taken(host) for i in m["items"]}
    return [x for x in host.seen if not any(x[0] == t[0] and abs(x[1] - t[1]) <= 2 for t in told)]


def unresolved(host):
    """Parts that the contact believes to be bad."""
    known = {}
    for m in taken(host):
        for i in m["items"]:
            known[i["component"]] = "ok" if i["what"] in ("resolved", "passed") and i["level"] == "ok" else i["level"]
    return sorted(c for c, level in known.items() if c in PARTS and level != "ok")


def twice(host):
    """The same attempt twice, or news of one alert that is told as new again."""
    attempts = [(m["id"], m["attempt"]) for m in host.web.got]
    problems = [["unmarked copy", x] for x in sorted(set(attempts)) if attempts.count(x) > 1]
    new = [(i["component"], round(i["opened"])) for m in taken(host) for i in m["items"] if i["what"] == "new"]
    return problems + [["new twice", x] for x in sorted(set(new)) if new.count(x) > 1]


def one(seed, kills):
    """(problems, row)"""
    dice, counts = random.Random(seed), {"veilled": 0, "veille-store": 0, "veille-notify": 0}
    toggling_host.Probe, before = Probe, toggling_host.Probe
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="veille-alert-kills-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as top:
        host = Host(top, seed)
        toggling_host.Probe = before
        try:
            host.start_store()
            host.start_brain()
            if not toggling_host.wait(lambda: host.alerts().get("contacts"), 60):
                return [["it does not begin", host.logs()]], {}
            kill_at_random(host, dice, kills, counts)
            host.serve.values = dict.fromkeys(PARTS, 0)
            host.web.refuse = 0
            toggling_host.wait(lambda: all_told(host), 400)
            problems = [["lost", x] for x in owed(host)] + [["without its resolution", x] for x in unresolved(host)] + twice(host)
            if len(taken(host)) > 10:
                problems.append(["%d messages within the hour" % len(taken(host))])
            if "Sanitizer" in "".join(host.logs()):
                problems.append([line for line in "".join(host.logs()).splitlines() if "Sanitizer" in line])
            row = {"seed": seed, "kills": counts, "alerts": len(host.seen), "messages": len(taken(host)), "posts": len(host.web.got),
                   "ok": not problems, "seconds": round(time.monotonic() - begin, 1)}
            if problems:
                problems += [row, [(m["id"][:6], m["attempt"], m["status"], m["subject"], [(i["component"], i["what"], i["level"], round(i["opened"]))
                                    for i in m["items"]]) for m in host.web.got], sorted(host.seen), host.logs()[0][-4000:]]
            return problems, row
        finally:
            for process in (host.brain, host.store):
                if process and process.poll() is None:
                    host.kill(process)
            host.web.shutdown()
            host.web.server_close()
            host.serve.server.close()


def main():
    seed, kills = int(os.environ.get("SEED", random.randrange(1 << 30))), int(os.environ.get("KILLS", "10"))
    print("# SEED=%d KILLS=%d" % (seed, kills), flush=True)
    problems, row = one(seed, kills)
    print("# " + json.dumps(row))
    none(problems, "killed %d times: no alert is lost, none is without its resolution, no copy is without its mark" % sum(row.get("kills", {}).values()))


if __name__ == "__main__":
    main()
