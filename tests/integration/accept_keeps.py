#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 240
"""What was accepted stays accepted: the real veilled, veille-store and veille-probe (under the sanitizers) with one SAS disk whose
report is played by a script. Reboots are SIGKILL to all and a RUN that is wiped; the disk has another name and another port
afterwards. The store is away, or cannot read its database, at the wrong moments. veillectl says what is true each time."""

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time

BUILD = os.path.abspath(os.environ.get("BUILD", "build"))
DIR = tempfile.mkdtemp(prefix="veille-accept-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
ROOT, RUN, STATE = DIR + "/root", DIR + "/run", DIR + "/state"
RULE = "uncorrected-errors-grew"
processes = {}
started = 0

SMARTCTL = """#!/bin/sh
for last; do :; done
sed "s#DEVICE#$last#; s/NOW/$(date +%%s)/; s/ERRORS/$(cat %(dir)s/errors)/" %(dir)s/report.json
"""
REPORT = {"smartctl": {"exit_status": 0}, "local_time": {"time_t": "NOW"}, "smart_status": {"passed": True}, "serial_number": "ZA1",
          "device": {"name": "DEVICE", "type": "scsi", "protocol": "SCSI"}, "scsi_grown_defect_list": 0, "temperature": {"current": 30},
          "scsi_error_counter_log": {"read": {"errors_corrected_by_eccfast": 0, "total_uncorrected_errors": "ERRORS"}}}


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, mode)


def say(good, name, detail=""):
    print(("ok" if good else "not ok") + " - " + name + ("" if good else ": " + str(detail)[:1200]), flush=True)


def wait(condition, seconds=60):
    stop = time.monotonic() + seconds
    while time.monotonic() < stop and not condition():
        time.sleep(0.1)
    return condition()


def errors(n):
    write(DIR + "/errors.new", "%d" % n)
    os.rename(DIR + "/errors.new", DIR + "/errors")


def disk_at(name):
    """The one disk of this host, at this name."""
    shutil.rmtree(ROOT + "/sys/block", ignore_errors=True)
    write(ROOT + "/sys/block/%s/device/vendor" % name, "SEAGATE\n")
    write(ROOT + "/sys/block/%s/device/wwid" % name, "naa.5000c50012345678\n")


def start(what):
    global started
    os.makedirs(RUN, exist_ok=True)
    os.makedirs(STATE, exist_ok=True)
    argv = [BUILD + "/san/" + what, "--run", RUN, "--state", STATE, "--config", DIR + "/veille.conf", "--root", ROOT]
    if what == "veilled":
        started = time.time()
        argv += ["--probe", BUILD + "/san/veille-probe"]
    with open(DIR + "/" + what + ".log", "a") as log:
        processes[what] = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stderr=log)


def kill(*what):
    for name in what:
        processes[name].kill()
        processes[name].wait()


def reboot(name):
    """The power fails; RUN is empty afterwards, and the disk has another name."""
    kill("veilled", "veille-store")
    shutil.rmtree(RUN)
    disk_at(name)
    start("veille-store")
    start("veilled")


def component(name):
    """What the veilled that runs now says; the file may be of the one before."""
    try:
        with open(RUN + "/status.json") as f:
            doc = json.load(f)
    except (FileNotFoundError, ValueError):
        return {}
    return {c["component"]: c for c in doc["components"]}.get(name, {}) if doc["started"] >= started else {}


def reason(name, rule=RULE):
    return next((r["text"] for r in component(name).get("reasons", []) if r["rule"] == rule), "")


def is_read(name):
    """Its values have come: the lifetime count is a notice whatever was accepted."""
    return component(name).get("age_s", 99) is not None and reason(name, "uncorrected-errors")


def ctl(*words):
    done = subprocess.run([BUILD + "/san/veillectl", "--run", RUN, *words], capture_output=True, text=True, timeout=30)
    return done.returncode, done.stdout + done.stderr


def stored():
    """The rule's memory as it is on disk now."""
    db = sqlite3.connect("file:%s/veille.db?mode=ro" % STATE, uri=True)
    try:
        rows = db.execute("SELECT value FROM kv WHERE key LIKE 'state/smart/%'").fetchall()
    except sqlite3.OperationalError:
        return {}
    finally:
        db.close()
    for row in rows:
        for key, value in json.loads(row[0])["rules"].items():
            if key.endswith("|" + RULE) and "read" in key:
                return value
    return {}


def accepted_and_stored():
    say(wait(lambda: is_read("sdc")), "the disk is read", component("sdc"))
    if not is_read("sdc"):
        raise SystemExit(1)
    errors(87)
    say(wait(lambda: "7 more read" in reason("sdc")), "growth is news", component("sdc"))
    code, text = ctl("accept", "sdc")
    say(code == 0 and "stored: it survives a reboot" in text, "accept says that it is stored", (code, text))
    say(stored().get("baseline") == 87 and stored().get("accepted"), "and then it is", stored())
    reboot("sdq")
    say(wait(lambda: is_read("sdq")), "after a reboot, as sdq", component("sdq"))
    say(not reason("sdq") and component("sdq")["level"] == "notice", "what was accepted is history", component("sdq"))
    code, text = ctl("why", "sdq")
    say(re.search(r"accepted:\n  rule %s at 87, since .*, for good" % RULE, text), "veillectl why shows it", text)
    errors(88)
    say(wait(lambda: "1 more read error since 87" in reason("sdq")), "further growth is news", component("sdq"))


def accepted_without_a_store():
    kill("veille-store")
    code, text = ctl("accept", "--for", "30d", "sdq", RULE)
    say(code == 0 and "NOT STORED YET" in text and RUN in text and "veille-store does not answer" in text, "without a store accept says so", (code, text))
    say(stored().get("baseline") == 87, "it is not on disk", stored())
    kill("veilled")
    start("veilled")
    say(wait(lambda: is_read("sdq")) and not reason("sdq"), "a restart of veilled knows it by RUN", component("sdq"))
    kill("veilled")
    start("veille-store")
    start("veilled")
    say(wait(lambda: is_read("sdq")) and not reason("sdq"), "what the store remembers of before does not undo it", component("sdq"))
    say(wait(lambda: stored().get("baseline") == 88, 90), "it goes to the store when that is back", stored())
    reboot("sdb")
    say(wait(lambda: is_read("sdb")) and not reason("sdb"), "and survives a reboot", component("sdb"))
    day = time.strftime("%Y-%m-%d", time.localtime(time.time() + 30 * 86400))
    code, text = ctl("why", "sdb")
    say("at 88" in text and "until " + day in text, "veillectl why shows until when", text)
    code, text = ctl("accept", "--for", "soon", "sdb")
    say(code == 3 and "'soon' is no duration" in text, "a mistake in --for is told", (code, text))


def a_database_that_cannot_be_read_at_first():
    kill("veilled", "veille-store")
    shutil.rmtree(RUN)
    for name in os.listdir(STATE):
        os.rename(STATE + "/" + name, DIR + "/" + name)
    os.mkdir(STATE + "/veille.db")
    errors(95)
    start("veille-store")
    start("veilled")
    say(wait(lambda: is_read("sdb")), "its database cannot be read when veilled starts", component("sdb"))
    say(wait(lambda: any("cannot open" in r["text"] for r in component("veille").get("reasons", [])), 90), "which is shown", component("veille"))
    os.rmdir(STATE + "/veille.db")
    for name in [n for n in os.listdir(DIR) if n.startswith("veille.db")]:
        os.rename(DIR + "/" + name, STATE + "/" + name)
    say(wait(lambda: "7 more read errors since 88" in reason("sdb"), 90), "then the growth since the accepted baseline is told", component("sdb"))
    say(stored().get("baseline") == 88, "and that baseline was not written over", stored())


def a_database_that_is_deleted():
    for name in os.listdir(STATE):
        os.unlink(STATE + "/" + name)
    kill("veille-store")
    start("veille-store")
    say(wait(lambda: os.path.exists(STATE + "/veille.db") and stored().get("baseline") == 88, 120), "a new database is told all of the memory", stored())


def main():
    write(ROOT + "/usr/sbin/smartctl", SMARTCTL % {"dir": DIR}, 0o755)
    write(DIR + "/report.json", json.dumps(REPORT).replace('"NOW"', "NOW").replace('"ERRORS"', "ERRORS"))
    write(DIR + "/veille.conf", "[check smart]\ninterval = 1\n")
    errors(80)
    disk_at("sdc")
    try:
        start("veille-store")
        start("veilled")
        accepted_and_stored()
        accepted_without_a_store()
        a_database_that_cannot_be_read_at_first()
        a_database_that_is_deleted()
        for name, process in processes.items():
            process.send_signal(signal.SIGTERM)
            say(process.wait(20) == 0, name + " ends in order")
    finally:
        for name, process in processes.items():
            if process.poll() is None:
                process.kill()
                process.wait()
            with open(DIR + "/" + name + ".log") as f:
                for line in f:
                    if "ERROR" in line or "runtime error" in line:
                        print("not ok - sanitizer: " + line)
        shutil.rmtree(DIR)


main()
