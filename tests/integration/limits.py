#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 120
"""A limit that is hit is told: a sentence about the component veille, a counter in /metrics. The real veilled (under the sanitizers)
with a fake probe that finds too much, and the real probe on a tree with too many mounts. What is below the limits is not told."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request

BUILD = os.environ.get("BUILD", "build")
SAN = BUILD + "/san"

PROBE = """#!/usr/bin/env python3
import json, sys
names = %s
if sys.argv[1] == "catalog":
    print(open(%r).read())
    sys.exit()
request = json.loads(sys.stdin.readline())
say = lambda **kw: print(json.dumps(kw))
if request["op"] == "list":
    for i in range(names[request["check"]]):
        say(instance="i%%d" %% i, component="c%%d" %% i, id="", kind="host")
    if request["check"] == "told":
        say(type="limit", limit="directory")
        say(type="limit", limit="directory")
        say(type="limit", limit="tea")
    say(type="end", result="ok", why="")
else:
    for name in request["instances"]:
        if request["check"] == "labels":
            say(type="sample", instance=name, metric="test_value", value=1, labels={"l%%d" %% i: "x" for i in range(25)})
        for i in range(4097 if request["check"] == "series" else 0):
            say(type="sample", instance=name, metric="test_value", value=1, labels={"n": str(i)})
        say(type="sample", instance=name, metric="test_value", value=1, labels={})
        say(type="end", instance=name, result="ok", why="")
"""


def say(good, name, detail=""):
    print(("ok" if good else "not ok") + " - " + name + ("" if good else ": " + str(detail)[:1200]), flush=True)


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, mode)


class Brain:
    def __init__(self, directory, config, *options):
        self.run = directory + "/run"
        os.mkdir(self.run)
        write(directory + "/conf", config)
        self.process = subprocess.Popen([SAN + "/veilled", "--run", self.run, "--config", directory + "/conf", *options],
                                        stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def doc(self):
        with contextlib.suppress(OSError, ValueError), open(self.run + "/status.json") as f:
            return json.load(f)
        return {"components": [], "checks": []}

    def told(self):
        return {r["text"]: r["level"] for c in self.doc()["components"] if c["component"] == "veille" for r in c["reasons"]
                if r["rule"] == "limit-hit"}

    def wait(self, condition, seconds=60):
        stop = time.monotonic() + seconds
        while not condition() and time.monotonic() < stop:
            time.sleep(0.1)
        return condition()

    def stop(self):
        self.process.terminate()
        return self.process.wait(20)


def fake_probe(directory):
    names = {"few": 3, "many": 1025, "told": 1, "labels": 1, "series": 1}
    checks = [{"name": n, "summary": "x", "interval_s": 600, "deadline_s": 60, "max_age_s": 3600, "evidence": "host", "privilege": "none",
               "metrics": [{"name": "test_value", "kind": "gauge", "unit": "", "help": "x"}], "rules": []} for n in names]
    write(directory + "/catalog", json.dumps({"protocol": 1, "checks": checks}))
    write(directory + "/probe", PROBE % (names, directory + "/catalog"), 0o755)
    ignored = ["x%d" % i for i in range(100)] + ["i2"]
    brain = Brain(directory, "[check few]\nignore = %s\n" % " ".join(ignored), "--probe", directory + "/probe")
    try:
        want = {"check many: more than 1024 instances: those beyond are not watched": "warning",
                "check told: more than 4096 entries in a directory of the kernel: those beyond are not watched": "warning",
                "check series: more than 4096 values of one instance: those beyond are not judged": "warning",
                "check labels: a line of a probe had more than 24 labels, which is not judged": "warning"}
        say(brain.wait(lambda: brain.told() == want), "four limits are hit, and told in words", brain.told())
        read = lambda: [c for c in brain.doc()["checks"] if c["result"] == "ok"]
        say(brain.wait(lambda: len(read()) == 1024 + 2 + 1 + 1 + 1), "what is within them is watched", len(read()))
        say(sorted(c["instance"] for c in read() if c["check"] == "few") == ["i0", "i1"], "the 101st word of ignore is heard", read()[:4])
        counted(brain)
    finally:
        say(brain.stop() == 0, "it ends well")


def counted(brain):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        address = "127.0.0.1:%d" % s.getsockname()[1]
    write(brain.run + "/web.conf", "[web]\nlisten = %s\n" % address)
    web = subprocess.Popen([SAN + "/veille-web", "--run", brain.run, "--config", brain.run + "/web.conf"], stderr=subprocess.DEVNULL)

    def hits():
        with contextlib.suppress(OSError), urllib.request.urlopen("http://%s/metrics" % address) as answer:
            return [line for line in answer.read().decode().splitlines() if line.startswith("veille_limit_hits_total{")]
        return []

    try:
        good = brain.wait(lambda: len(hits()) == 4, 40)
        say(good and any('limit="instances"' in h and 'who="check many"' in h and h.endswith(" 1") for h in hits()), "and counted in /metrics", hits())
    finally:
        web.terminate()
        web.wait(10)


def real_probe(directory):
    """A tree with more mounts than are read; the first holds mail."""
    mounts = "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n" + "".join("%d 1 0:%d / /mnt/%d rw - tmpfs tmpfs rw\n" % (i + 2, i + 10, i) for i in range(4096))
    for path in ("proc/self/mountinfo", "proc/mdstat", "etc/fstab"):
        write(directory + "/root/" + path, mounts if "mountinfo" in path else "")
    for path in ("sys/block", "sys/class", "dev", "var/mail"):
        os.makedirs(directory + "/root/" + path)
    found = subprocess.run([SAN + "/veille-probe", "--root", directory + "/root", "list", "fs"], capture_output=True, text=True)
    say('{"type":"limit","limit":"mounts"}' in found.stdout.replace(": ", ":").replace(", ", ","), "the probe tells the brain", found.stdout[-300:])
    brain = Brain(directory, "", "--root", directory + "/root", "--probe", SAN + "/veille-probe")
    try:
        want = "check fs: more than 4096 mounts: file systems beyond are not watched"
        say(brain.wait(lambda: want in brain.told(), 90), "and the brain tells people", brain.told())
        out = subprocess.run([SAN + "/veillectl", "--run", brain.run, "why", "veille"], capture_output=True, text=True).stdout
        say(want in out and "an hour in which the limit is not hit" in out, "veillectl why veille says what would clear it", out)
    finally:
        say(brain.stop() == 0, "it ends well")


def main():
    for case in (fake_probe, real_probe):
        directory = tempfile.mkdtemp(prefix="veille-limits-")
        try:
            case(directory)
        finally:
            shutil.rmtree(directory)


main()
