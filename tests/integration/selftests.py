#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 240
"""Disks test themselves as the calendar says: the real veilled, veille-store and veille-probe (under the sanitizers), smartctl
played by a script that keeps the disks' self-test logs. What the checks topology, raid and latency say is put in by a script
before the probe; everything about disks is the probe's own."""

import json
import os
import subprocess
import sys
import tempfile
import time

from tap import say

BUILD = os.path.abspath(os.environ.get("BUILD", "build"))
TEST_S = {"short": 3, "long": 8}


# --- smartctl: --json ... DEVICE, --json -t KIND DEVICE -----------------------------------------------


def fake_smartctl(directory, words):
    disk = os.path.basename(words[-1])
    path = "%s/%s.log" % (directory, disk)
    log = json.load(open(path)) if os.path.exists(path) else []
    now = time.time()
    for entry in log:
        if entry["result"] == 15 and now >= entry["end"]:
            entry["result"] = json.load(open(directory + "/outcome")).get(disk, 0)
    status = 0
    doc = {"smartctl": {"exit_status": 0}, "local_time": {"time_t": int(now)}, "smart_status": {"passed": True}, "serial_number": disk,
           "device": {"name": words[-1], "type": "scsi", "protocol": "SCSI"}, "scsi_grown_defect_list": 0, "temperature": {"current": 30},
           "power_on_time": {"hours": 1000}}
    if "-t" in words:
        kind = words[words.index("-t") + 1]
        with open(directory + "/starts", "a") as f:
            f.write("%.2f %s %s\n" % (now, disk, kind))
        if disk == os.environ.get("NEVER", "sdf"):
            doc["smartctl"] = {"exit_status": 4, "messages": [{"string": "self-test failed [unsupported]", "severity": "error"}]}
            status = 4
        else:
            log.insert(0, {"kind": kind, "start": now, "end": now + TEST_S[kind], "result": 15})
    for i, entry in enumerate(log[:20]):
        words = {"short": "Background short", "long": "Background long"}[entry["kind"]]
        doc["scsi_self_test_%d" % i] = {"code": {"string": words}, "result": {"value": entry["result"], "string": "words"},
                                        "power_on_time": {"hours": 1000}}
    with open(path + ".new", "w") as f:
        json.dump(log, f)
    os.rename(path + ".new", path)
    print(json.dumps(doc))
    sys.exit(status)


SMARTCTL = '#!/bin/sh\ncase "$*" in *--scan*) exec echo "{}" ;; esac\nexec python3 %(me)s --smartctl %(dir)s "$@"\n'
PROBE = """#!/bin/sh
case "$*" in
*serve) ;;
catalog*) %(probe)s "$@" | sed 's/,"several":[0-9]*//'; exit ;; # one request at a time is asked for
*) exec %(probe)s "$@" ;;
esac
read -r line
for check in topology raid latency; do
        case "$line" in
        *'"list"'*"\\"$check\\""*) exec cat %(dir)s/$check.list ;;
        *"\\"$check\\""*) sleep 0.4; exec cat %(dir)s/$check.run ;; # so that disks are looked at while it is under way
        esac
done
printf '%%s\\n' "$line" | %(probe)s "$@"
"""


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".new", "w") as f:
        f.write(text)
    os.chmod(path + ".new", mode)
    os.rename(path + ".new", path)


class Host:
    def __init__(self, short, long):
        self.dir = tempfile.mkdtemp(prefix="veille-selftests-")
        self.root, self.run, self.state = self.dir + "/root", self.dir + "/run", self.dir + "/state"
        os.mkdir(self.run)
        os.mkdir(self.state)
        for disk in ("sdc", "sdd", "sde", "sdf"):
            write("%s/sys/block/%s/device/vendor" % (self.root, disk), "SEAGATE\n")
            write("%s/sys/block/%s/device/wwid" % (self.root, disk), "naa.5000c5001234567" + disk[2] + "\n")
        values = {"me": os.path.abspath(__file__), "dir": self.dir, "probe": BUILD + "/san/veille-probe"}
        write(self.root + "/usr/sbin/smartctl", SMARTCTL % values, 0o755)
        write(self.dir + "/probe", PROBE % values, 0o755)
        write(self.dir + "/outcome", "{}")
        self.array("recover")
        self.latency(0.01)
        samples = [("topology_link_info", {"parent": "md0", "child": d, "kind": "raid-redundant"}) for d in ("sdc1", "sdd1")]
        samples += [("topology_link_info", {"parent": d + "1", "child": d, "kind": "partition"}) for d in ("sdc", "sdd")]
        self.say("topology", "host", "host", samples)
        self.config(short, long)
        self.brain = None
        self.store = subprocess.Popen([BUILD + "/san/veille-store", "--run", self.run, "--state", self.state], stdin=subprocess.DEVNULL,
                                      stderr=open(self.dir + "/log", "a"))
        self.wait(lambda: os.path.exists(self.run + "/store.sock"), 20)

    def config(self, short, long):
        write(self.dir + "/veille.conf", "[check smart]\ninterval = 1\n[check raid]\ninterval = 1\n[check latency]\ninterval = 1\n"
              "[selftest]\nshort = %s\nlong = %s\nlong_window = 1min\nat_once = 4\n" % (short, long))

    def say(self, check, instance, kind, samples):
        item = json.dumps({"instance": instance, "component": instance, "id": "", "kind": kind})
        write("%s/%s.list" % (self.dir, check), item + '\n{"type":"end","result":"ok","why":""}\n')
        lines = [{"type": "sample", "instance": instance, "metric": s[0], "value": s[2] if len(s) > 2 else 1, "labels": s[1]} for s in samples]
        lines.append({"type": "end", "instance": instance, "result": "ok", "why": ""})
        write("%s/%s.run" % (self.dir, check), "".join(json.dumps(line) + "\n" for line in lines))

    def array(self, action):
        samples = [("raid_disks_required", {"array": "md0"}, 2)]
        if action:
            samples.append(("raid_sync_ratio", {"array": "md0", "action": action}, 0.3))
        self.say("raid", "md0", "array", samples)

    def latency(self, seconds):
        self.say("latency", "/var", "filesystem", [("latency_fsync_seconds", {"mountpoint": "/var"}, seconds)])

    def start(self):
        self.brain = subprocess.Popen([BUILD + "/san/veilled", "--root", self.root, "--run", self.run, "--state", self.state, "--config",
                                       self.dir + "/veille.conf", "--probe", self.dir + "/probe"], stdin=subprocess.DEVNULL,
                                      stderr=open(self.dir + "/log", "a"), env=dict(os.environ, TZ="UTC"))

    def stop(self):
        self.brain.terminate()
        self.brain.wait(10)

    def status(self):
        try:
            with open(self.run + "/status.json") as f:
                return json.load(f)
        except (FileNotFoundError, ValueError):
            return {}

    def test(self, disk, kind):
        for t in self.status().get("selftests", []):
            if (t["component"], t["test"]) == (disk, kind):
                return t
        return {}

    def component(self, disk):
        return {c["component"]: c for c in self.status().get("components", [])}.get(disk, {})

    def starts(self):
        """[(time, disk, kind)]"""
        try:
            with open(self.dir + "/starts") as f:
                return [(float(t), d, k) for t, d, k in (line.split() for line in f)]
        except FileNotFoundError:
            return []

    def count(self, disk, kind):
        return sum((d, k) == (disk, kind) for _, d, k in self.starts())

    def ctl(self, *words):
        done = subprocess.run([BUILD + "/san/veillectl", "--run", self.run] + list(words), capture_output=True, text=True, timeout=30)
        return done.returncode, done.stdout + done.stderr

    def wait(self, condition, seconds=40):
        stop = time.monotonic() + seconds
        while time.monotonic() < stop and not condition():
            time.sleep(0.1)
        return condition()

    def end(self):
        for process in (self.brain, self.store):
            if process and process.poll() is None:
                process.terminate()
                process.wait(10)
        with open(self.dir + "/log") as f:
            for line in f.read().splitlines():
                if "ERROR:" in line or "runtime error" in line:
                    print("not ok - sanitizer: " + line)
        subprocess.run(["rm", "-rf", self.dir])


def remembered(short, long):
    """RUN/state.json of a daemon that has planned these dates for months."""
    old = int(time.time()) - 90 * 86400
    state = {"selftest-calendar": {"short": {"text": short, "since": old}, "long": {"text": long, "since": old}}}
    for disk in "cdef":
        state["selftest/5000c5001234567" + disk] = {"known": old, "seen": int(time.time()), "short": {}, "long": {}}
    return json.dumps({"state": state})


def main():
    now = time.gmtime(time.time() - 300)
    short = "%02d:%02d" % (now.tm_hour, now.tm_min)  # five minutes ago, today or yesterday
    long = time.strftime("%a 00:00", time.gmtime(time.time() - 3 * 86400))
    h = Host(short, long)
    try:
        write(h.run + "/state.json", remembered(short, long))
        h.start()
        say(h.wait(lambda: h.count("sde", "short") == 1, 60), "a disk alone tests itself when it is due", h.starts())
        say(h.wait(lambda: "rebuilding" in h.test("sdc", "short").get("why", "")), "members of an array that rebuilds wait", h.status().get("selftests"))
        say(h.wait(lambda: "passed" in h.test("sde", "short"), 90), "it passed, and that is known", h.test("sde", "short"))
        code, text = h.ctl("selftest")
        line = next((line for line in text.splitlines() if line.startswith("sdc") and "short" in line), "")
        say(code == 0 and "never" in line and "rebuilding" in line, "veillectl selftest says what is waited for", text)
        say(h.count("sdc", "short") + h.count("sdd", "short") == 0, "none of the array has begun", h.starts())

        h.latency(2.5)
        time.sleep(3)
        h.array(None)
        say(h.wait(lambda: h.test("sdc", "short").get("why") == "writes are slow"), "the array is whole, but writes are slow", h.status().get("selftests"))
        h.latency(0.01)
        write(h.dir + "/outcome", json.dumps({"sdd": 5, "sdc": 0}))
        say(h.wait(lambda: h.count("sdc", "short") + h.count("sdd", "short") >= 1), "then one of the two begins", h.starts())
        say(h.wait(lambda: h.count("sdc", "short") and h.count("sdd", "short"), 150), "and the other after it", h.starts())
        say(h.wait(lambda: "failed" in h.test("sdd", "short"), 90), "a test that fails is known", h.status().get("selftests"))
        at = {d: t for t, d, k in h.starts() if k == "short"}
        say(abs(at["sdc"] - at["sdd"]) >= TEST_S["short"], "two members of one array never test at once", h.starts())
        say(h.wait(lambda: h.component("sdd").get("level") == "warning"), "failed is a warning", h.component("sdd"))
        say(h.wait(lambda: h.component("sde").get("rule") == "self-test-overdue"), "a long test that was missed twice is overdue", h.component("sde"))
        say("passed" in h.test("sdc", "short") and "passed" in h.test("sde", "short"), "the others passed", h.status().get("selftests"))
        say(h.count("sdf", "short") == 1, "a disk that refused is not asked again and again", h.starts())
        code, text = h.ctl("why", "sde")
        say("self-tests:" in text and "passed" in text and "self-test-overdue" in text, "veillectl why shows the tests of a disk", text)

        code, text = h.ctl("selftest", "sde", "long")
        # On a starved machine a reading may be late just now: then it says that it waits, and for what.
        say(code == 0 and ("told to begin" in text or "waits, for a day at most: " in text), "an administrator has one begin", text)
        say(h.wait(lambda: h.test("sde", "long").get("state") == "running" and h.count("sde", "long") == 1, 100), "it runs", h.test("sde", "long"))
        code, text = h.ctl("selftest", "sde", "long")
        say(code != 0 and "already" in text, "one at a time", text)
        for words in (("nosuch", "long"), ("sde", "medium"), ("../sde", "long")):
            code, text = h.ctl("selftest", *words)
            say(code != 0 and "there is no" in text, "refused: " + " ".join(words), text)
        h.stop()
        os.unlink(h.run + "/state.json")  # as a reboot does; the store has it
        before = h.starts()
        h.start()
        good = h.wait(lambda: "passed" in h.test("sde", "long"), 90)
        say(good, "after a reboot the test that was under way is followed to its end", h.status().get("selftests"))
        say(h.wait(lambda: h.component("sde").get("level") == "ok"), "and it is no longer overdue", h.component("sde"))
        say(h.starts() == before, "what was done before the reboot is not done again", h.starts()[len(before):])
        say("failed" in h.test("sdd", "short") and h.component("sdd").get("level") == "warning", "nor forgotten", h.component("sdd"))

        h.config("off", "off")
        write(h.dir + "/outcome", "{}")
        h.ctl("reload")
        say(h.wait(lambda: h.test("sdc", "short").get("state") == "none"), "switched off: nothing is planned", h.test("sdc", "short"))
        code, text = h.ctl("selftest", "sdd", "short")
        say(code == 0 and h.wait(lambda: h.count("sdd", "short") == 2, 60), "but can be asked for", text)
        say(h.wait(lambda: h.component("sdd").get("level") == "ok", 90), "a test that passes takes the failure back", h.component("sdd"))
        h.config("Sat 25:00", "off")
        code, text = h.ctl("reload")
        say(code != 0 and "'25:00'" in text, "a bad calendar is refused with its place", text)
    finally:
        h.end()


if len(sys.argv) > 2 and sys.argv[1] == "--smartctl":
    fake_smartctl(sys.argv[2], sys.argv[3:])
else:
    main()
