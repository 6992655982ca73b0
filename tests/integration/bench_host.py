#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 180
"""The made-up host of make bench (12 disks, 200 sensors, arrays, DIMMs, cards) is read as a whole and found well: the real
veilled and veille-probe, under the sanitizers. No clock is compared with anything here."""

import json
import os
import subprocess
import sys
import tempfile

from tap import say

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE + "/../bench")
import lab

DIR = tempfile.mkdtemp(prefix="veille-bench-host-")
ROOT, RUN = DIR + "/host", DIR + "/run"


def load(name):
    try:
        with open(RUN + "/" + name) as f:
            return json.load(f)
    except FileNotFoundError:
        return {"samples": [], "components": [], "checks": []}


def all_read():
    samples = load("samples.json")["samples"]
    return lab.count_sensors(samples) == 200 and len(lab.count_disks(samples)) == 12


subprocess.run([sys.executable, HERE + "/../bench/make-host.py", ROOT], check=True)
listed = subprocess.run([lab.BUILD + "/san/veille-probe", "--root", ROOT, "list", "sensors"], capture_output=True, text=True)
if "mount namespaces are needed" in listed.stderr:
    print("ok - the bench host # SKIP " + listed.stderr.strip())
    subprocess.run(["rm", "-rf", DIR])
    sys.exit(0)


def probe(*args, **more):
    out = subprocess.run([lab.BUILD + "/san/veille-probe", "--root", ROOT] + list(args), capture_output=True, text=True, **more).stdout
    return [json.loads(line) for line in out.splitlines()]


# What is found once for all of a request must be what each finds alone.
chips = [line["instance"] for line in probe("list", "sensors")]
together = probe("serve", input=json.dumps({"op": "run", "check": "sensors", "instances": chips + ["gone-isa-0000"]}) + "\n")
for chip in (chips[0], chips[2], chips[-1]):
    alone = [dict(line, instance=chip) for line in probe("run", "sensors", chip)]
    say([line for line in together if line["instance"] == chip] == alone, "%s reads alike alone and with all" % chip, alone)
gone = [line for line in together if line["instance"] == "gone-isa-0000"]
say([line["result"] for line in gone] == ["failed"], "a chip that is not there fails", gone)
os.mkdir(RUN)
log = open(DIR + "/log", "w+")
brain = subprocess.Popen([lab.BUILD + "/san/veilled", "--root", ROOT, "--run", RUN, "--config", DIR + "/none", "--probe",
                          lab.BUILD + "/san/veille-probe"], stdin=subprocess.DEVNULL, stderr=log)
try:
    lab.try_wait(all_read, 120)
    samples = load("samples.json")["samples"]
    say(lab.count_sensors(samples) == 200, "200 sensors are read", lab.count_sensors(samples))
    say(len(lab.count_disks(samples)) == 12, "12 disks are read", sorted(lab.count_disks(samples)))
    lab.try_wait(lambda: all(c["result"] != "pending" for c in load("status.json")["checks"]), 60)
    doc = load("status.json")
    bad = {c["component"]: (c["level"], c["why"]) for c in doc["components"] if c["level"] != "ok"}
    say(not bad, "and nothing is wrong with it", bad)
    answered = {c["check"]: c["result"] for c in doc["checks"]}
    say(set(answered.values()) == {"ok"} and set(answered) >= {"edac", "fs", "host", "kernel", "net", "raid", "sensors", "smart", "smart-ata"},
        "every check answers", answered)
finally:
    brain.terminate()
    brain.wait(20)
    log.seek(0)
    for line in log.read().splitlines():
        if "ERROR" in line or "runtime error" in line:
            print("not ok - sanitizer: " + line)
    subprocess.run(["rm", "-rf", DIR])
