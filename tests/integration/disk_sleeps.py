#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 120
"""A sleeping disk is not woken, keeps its last verdict with its age, and is read once after wake_after: the real veilled and
veille-probe (under the sanitizers); smartctl is played by a script that sees from its command line whether it may wake."""

import json
import os
import subprocess
import tempfile
import time

from tap import say

BUILD = os.path.abspath(os.environ.get("BUILD", "build"))
DIR = tempfile.mkdtemp(prefix="veille-sleeps-")
ROOT, RUN = DIR + "/root", DIR + "/run"

SMARTCTL = """#!/bin/sh
echo "$*" >> %(dir)s/calls
if [ -e %(dir)s/asleep ]; then
        case "$*" in
        *standby*) cat %(dir)s/standby.json; exit 3 ;;
        esac
fi
sed "s/NOW/$(date +%%s)/" %(dir)s/awake.json
"""
AWAKE = {"smartctl": {"exit_status": 0}, "local_time": {"time_t": "NOW"}, "smart_status": {"passed": True}, "serial_number": "ZA1",
         "device": {"name": "/dev/sdc", "type": "scsi", "protocol": "SCSI"}, "scsi_grown_defect_list": 3, "temperature": {"current": 30}}
STANDBY = {"smartctl": {"exit_status": 3, "messages": [{"string": "Device is in STANDBY mode, exit(3)", "severity": "information"}]},
           "device": {"name": "/dev/sdc", "type": "scsi", "protocol": "SCSI"}}


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, mode)


def component():
    try:
        with open(RUN + "/status.json") as f:
            return {c["component"]: c for c in json.load(f)["components"]}.get("sdc", {})
    except (FileNotFoundError, ValueError):
        return {}


def calls():
    try:
        with open(DIR + "/calls") as f:
            return f.read().splitlines()
    except FileNotFoundError:
        return []


def wait(condition, seconds):
    stop = time.monotonic() + seconds
    while time.monotonic() < stop and not condition():
        time.sleep(0.1)
    return condition()


write(ROOT + "/sys/block/sdc/device/vendor", "SEAGATE\n")
write(ROOT + "/sys/block/sdc/device/wwid", "naa.5000c50012345678\n")
write(ROOT + "/usr/sbin/smartctl", SMARTCTL % {"dir": DIR}, 0o755)
write(DIR + "/awake.json", json.dumps(AWAKE).replace('"NOW"', "NOW"))
write(DIR + "/standby.json", json.dumps(STANDBY))
write(DIR + "/veille.conf", "[check smart]\ninterval = 1\nwake_after = 6\n[check kernel]\ninterval = 1\n")
write(DIR + "/asleep", "")
os.mkdir(RUN)
log = open(DIR + "/log", "w+")
brain = subprocess.Popen([BUILD + "/san/veilled", "--root", ROOT, "--run", RUN, "--config", DIR + "/veille.conf", "--probe",
                          BUILD + "/san/veille-probe"], stdin=subprocess.DEVNULL, stderr=log)
try:
    good = wait(lambda: component().get("level") == "notice", 40)
    say(good and "3 defects" in component()["why"], "asleep when veilled starts: woken once, for nothing is known of it", component())
    first = next((c for c in calls() if "--scan" not in c), "")
    say("standby" not in first and first.endswith("/dev/sdc"), "that call may wake", calls())
    good = wait(lambda: sum("-n standby,3" in c for c in calls()) >= 3, 20)
    say(good and sum("standby" not in c for c in calls()) == 1, "then it is left alone", calls())
    say(component()["level"] == "notice" and "3 defects" in component()["why"], "and keeps its last verdict", component())
    # Published every 10 s; in between it may have been woken just now.
    say(wait(lambda: component().get("age_s", 0) >= 3, 60), "with its age", component())
    good = wait(lambda: sum("standby" not in c for c in calls()) >= 2, 30)
    say(good, "after wake_after it is woken and read", calls())
    os.unlink(DIR + "/asleep")
    say(wait(lambda: component().get("age_s", 9) <= 2, 20), "awake it is fresh again", component())
finally:
    brain.terminate()
    brain.wait(10)
    log.seek(0)
    for line in log.read().splitlines():
        if "ERROR" in line or "runtime error" in line:
            print("not ok - sanitizer: " + line)
    subprocess.run(["rm", "-rf", DIR])
