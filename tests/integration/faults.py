#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 120
"""Never silently healthy: the real veilled (under the sanitizers) with a probe that misbehaves in every way we could
think of, one check a fault. All are well at first; then each fault strikes. Within two poll periods (and the grace that a
silent probe gets) the component must be unknown or worse, say why, and the change must be in the log. The controls stay ok."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

from tap import say

BUILD = os.environ.get("BUILD", "build")
INTERVAL, DEADLINE, GRACE = 1, 1, 5

# name: (privilege, part of the sentence that must be shown)
FAULTS = {
    "hangs": ("none", "does not answer|has not answered"),
    "dies": ("none", "without a result"),
    "killed": ("none", "without a result"),
    "prints-nothing": ("none", "without a result"),
    "half-a-line": ("none", "without a result"),
    "nul-bytes": ("none", "without a result"),
    "no-json": ("none", "without a result"),
    "unknown-result": ("none", "without a result"),
    "end-of-another": ("none", "without a result"),
    "no-end-line": ("none", "without a result"),
    "denied": ("none", "not allowed"),
    "failed-without-reason": ("none", "no reason given"),
    "nodata-after-data": ("none", "gave data before"),
    "timeout": ("none", "has not answered"),
    "timeout-and-stuck": ("none", "hangs in the kernel"),
    "line-too-long": ("none", "too long"),
    "endless-output": ("none", "without end|without a result|does not answer|has not answered"),
    "value-is-text": ("none", "gave no value"),
    "value-is-infinite": ("none", "gave no value"),
    "unknown-metric": ("none", "gave no value"),
    "ok-without-values": ("none", "gave no value"),
    "labels-are-numbers": ("none", "gave no value"),
    "nested-json": ("none", "without a result"),
    "instance-vanishes": ("none", "is gone"),
    "refused": ("none", "not served"),
    "socket-never-answers": ("disk", "does not answer|has not answered"),
    "socket-resets": ("write", "without a result"),
}
CONTROLS = {"control-plain": "none", "control-duplicate-end": "none", "control-noise-between": "none"}


def catalog():
    checks = []
    for name, privilege in [(n, p) for n, (p, _) in FAULTS.items()] + list(CONTROLS.items()):
        checks.append({"name": name, "summary": name, "interval_s": INTERVAL, "deadline_s": DEADLINE, "max_age_s": 20, "privilege": privilege,
                       "evidence": "host", "metrics": [{"name": "test_value", "kind": "gauge", "unit": "", "help": "x"}],
                       "rules": [{"name": name + "-rule", "metric": "test_value", "warning": 5, "text": "{value}"}]})
    return {"protocol": 1, "checks": checks}


def line(**kw):
    sys.stdout.write(json.dumps(kw) + "\n")
    sys.stdout.flush()


def sample(name, value=1, metric="test_value", labels=None):
    line(type="sample", instance=name, metric=metric, value=value, unit="", labels=labels or {})


def end(name, result="ok", why=""):
    line(type="end", instance=name, result=result, why=why)


def probe_run(name, struck):
    """What the fake probe prints for one check."""
    write = lambda data: (sys.stdout.flush(), os.write(1, data))
    if name.startswith("control") or not struck:
        if struck and name == "control-noise-between":
            write(b"noise\n\0\n{}\n[]\n")
        sample(name)
        end(name)
        if struck and name == "control-duplicate-end":
            end(name)
        return
    if name == "hangs":
        time.sleep(60)
    elif name == "dies":
        sys.exit(1)
    elif name == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    elif name == "half-a-line":
        write(b'{"type":"sample","instance":"half-a-line","metr')
    elif name == "nul-bytes":
        write(b"\0" * 500 + b"\n")
    elif name == "no-json":
        write(b"all is well, trust me\n")
    elif name == "unknown-result":
        sample(name)
        end(name, "splendid")
    elif name == "end-of-another":
        sample(name)
        end("control-plain")
    elif name == "no-end-line":
        sample(name)
    elif name == "denied":
        end(name, "denied", "not allowed")
    elif name == "failed-without-reason":
        line(type="end", instance=name, result="failed")
    elif name == "nodata-after-data":
        end(name, "nodata", "nothing here")
    elif name == "timeout":
        end(name, "timeout", "late")
    elif name == "timeout-and-stuck":
        end(name, "timeout", "late")
        line(type="stuck", instance=name)
        time.sleep(60)
    elif name == "line-too-long":
        write(b'{"type":"sample","x":"' + b"x" * 40000)
    elif name == "endless-output":
        while True:
            write(b'{"type":"sample"}\n' * 1000)
    elif name == "value-is-text":
        sample(name, "1")
        end(name)
    elif name == "value-is-infinite":
        write(b'{"type":"sample","instance":"value-is-infinite","metric":"test_value","value":1e999,"labels":{}}\n')
        end(name)
    elif name == "unknown-metric":
        sample(name, 1, "other_value")
        end(name)
    elif name == "ok-without-values":
        end(name)
    elif name == "labels-are-numbers":
        sample(name, 1, labels={"a": 1})
        end(name)
    elif name == "nested-json":
        write(b"[" * 10000 + b"\n")
    elif name == "refused":
        line(type="end", result="denied", why="the request names no check that is served here: not served")


def fake_probe(directory):
    struck = os.path.exists(directory + "/struck")
    request = json.loads(sys.stdin.readline())
    name = request["check"]
    if request["op"] == "list":
        if not (struck and name == "instance-vanishes"):
            line(instance=name, component=name, id="", kind="host")
        line(type="end", result="ok", why="")
    else:
        probe_run(name, struck)


def sick_socket(path, directory, behaviour):
    """A socket like systemd's; well until the fault strikes."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    server.listen(16)

    def serve():
        kept = []
        while True:
            client, _ = server.accept()
            client.settimeout(5)
            struck = os.path.exists(directory + "/struck")
            data = b""
            while not data.endswith(b"\n"):
                data += client.recv(4096)
            request = json.loads(data)
            name = request["check"]
            if request["op"] == "list":
                client.sendall((json.dumps({"instance": name, "component": name, "id": "", "kind": "host"}) +
                                '\n{"type":"end","result":"ok","why":""}\n').encode())
            elif not struck:
                client.sendall((json.dumps({"type": "sample", "instance": name, "metric": "test_value", "value": 1, "labels": {}}) + "\n" +
                                json.dumps({"type": "end", "instance": name, "result": "ok", "why": ""}) + "\n").encode())
            elif behaviour == "never-answers":
                kept.append(client)
                continue
            client.close()

    threading.Thread(target=serve, daemon=True).start()


def status(run):
    try:
        with open(run + "/status.json") as f:
            return json.load(f)
    except FileNotFoundError:
        return {"components": []}


def components(run):
    return {c["component"]: c for c in status(run)["components"]}


def told(component, words):
    return bad(component.get("level")) and any(w in component.get("why", "") for w in words.split("|"))


class Bound:
    """Two poll periods, counted in polls and not in seconds: a loaded machine polls late, but once the third poll
    after the strike has begun, two have ended, and whoever is still shown ok then is shown ok for too long. The run that
    was under way at the strike may have been well; counting begins with the first status written after it. On a starved
    machine a level may age before the run that tells why has ended: look() is true when each has its own sentence."""

    def __init__(self, run):
        self.run, self.since, self.struck, self.late = run, time.clock_gettime(time.CLOCK_BOOTTIME), None, {}

    def look(self):
        doc = status(self.run)
        now = {c["check"]: c["runs"] for c in doc.get("checks", [])}
        if self.struck is None:
            if doc.get("time_boot", 0) >= self.since:
                self.struck = now
            return False
        for c in doc["components"]:
            name = c["component"]
            if name in FAULTS and not bad(c["level"]) and now.get(name, 0) - self.struck.get(name, 0) >= 3:
                self.late[name] = (c["level"], now[name] - self.struck[name])
        now = {c["component"]: c for c in doc["components"]}
        return all(told(now.get(name, {}), words) for name, (_, words) in FAULTS.items())


def wait(condition, seconds):
    stop = time.monotonic() + seconds
    while time.monotonic() < stop:
        if condition():
            return True
        time.sleep(0.1)
    return condition()


def ctl(run, *args):
    done = subprocess.run([BUILD + "/san/veillectl", "--run", run] + list(args), capture_output=True, text=True, timeout=20)
    return done.returncode, done.stdout + done.stderr


def bad(level):
    return level in ("unknown", "critical")


def after_the_brain(run, brain):
    """What readers show when the brain itself is the fault."""
    brain.send_signal(signal.SIGSTOP)
    doc = json.load(open(run + "/status.json"))
    doc["time_boot"] -= 60  # as it will be in a minute
    with open(run + "/status.json", "w") as f:
        json.dump(doc, f)
    code, text = ctl(run, "status", "--json")
    levels = {c["level"] for c in json.loads(text)["components"]}
    say(code in (2, 3) and levels == {"unknown"}, "a stopped brain: every level is unknown", (code, levels))
    code, text = ctl(run, "check", "--nagios")
    say(code == 3 and "silent" in text, "a stopped brain: Nagios sees UNKNOWN", (code, text))
    for name, content in [("half a file", '{"version":1,"components":['), ("an empty file", ""), ("NUL bytes", "\0" * 50),
                          ("another document", '{"a":1}')]:
        with open(run + "/status.json", "w") as f:
            f.write(content)
        code, text = ctl(run, "status")
        say(code == 3 and "status.json" in text, "status.json is " + name + ": veillectl says so", (code, text))
    os.unlink(run + "/status.json")
    code, text = ctl(run, "status")
    say(code == 3 and "not running" in text, "no status.json: veillectl says that veilled is not running", (code, text))
    brain.send_signal(signal.SIGCONT)


def main():
    directory = tempfile.mkdtemp(prefix="veille-faults-")
    run = directory + "/run"
    os.mkdir(run)
    probe = directory + "/veille-probe"
    with open(directory + "/catalog", "w") as f:
        json.dump(catalog(), f)
    with open(probe, "w") as f:
        f.write('#!/bin/sh\n[ "$1" != catalog ] || exec cat %s/catalog\nexec python3 %s --probe %s\n'
                % (directory, os.path.abspath(__file__), directory))
    os.chmod(probe, 0o755)
    sick_socket(run + "/probe-disk.sock", directory, "never-answers")
    sick_socket(run + "/probe-write.sock", directory, "resets")
    log = open(directory + "/log", "w+")
    brain = subprocess.Popen([BUILD + "/san/veilled", "--run", run, "--config", directory + "/none", "--probe", probe],
                             stdin=subprocess.DEVNULL, stderr=log)
    everything = set(FAULTS) | set(CONTROLS)
    try:
        ready = wait(lambda: {n for n, c in components(run).items() if c["level"] == "ok"} >= everything, 40)
        say(ready, "all are ok before", {n: c["level"] for n, c in components(run).items() if c["level"] != "ok"})
        open(directory + "/struck", "w").close()
        bound = Bound(run)
        ctl(run, "poll")  # what a uevent does: look for what is there
        wait(bound.look, 2 * INTERVAL + DEADLINE + GRACE + 30)
        say(not bound.late, "none is shown ok once two polls have ended after the strike", bound.late)
        seen = components(run)
        log.flush()
        text = open(directory + "/log").read()
        for name, (_, words) in FAULTS.items():
            c = seen.get(name, {})
            say(told(c, words) and ("%s: %s" % (name, c["level"])) in text, name + " is " + str(c.get("level")), c)
        for name in CONTROLS:
            say(seen[name]["level"] == "ok", name + " stays ok", seen[name])
        counters = status(run)["counters"]
        say(counters["longest_stall_s"] < 0.5, "the loop never stalled (sanitized build, loaded machine)", counters)
        os.rename(probe, probe + ".gone")
        gone = wait(lambda: all(bad(c["level"]) for c in components(run).values() if c["kind"] == "host"), 40)
        say(gone, "the probe program vanishes: nothing stays ok", {n: c["level"] for n, c in components(run).items()})
        after_the_brain(run, brain)
        brain.send_signal(signal.SIGTERM)
        start = time.monotonic()
        # The socket goes when it ends; after that the sanitizers look for leaks, which takes seconds on a loaded machine.
        gone = wait(lambda: not os.path.exists(run + "/control.sock"), 2)
        say(gone and brain.wait(30) == 0, "SIGTERM acts at once", (gone, brain.poll(), time.monotonic() - start))
    finally:
        if brain.poll() is None:
            brain.kill()
        log.seek(0)
        for entry in log.read().splitlines():
            if "ERROR" in entry or "runtime error" in entry:
                print("not ok - sanitizer: " + entry)
        subprocess.run(["rm", "-rf", directory])


if len(sys.argv) > 2 and sys.argv[1] == "--probe":
    fake_probe(sys.argv[2])
else:
    main()
