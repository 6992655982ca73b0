#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 120
"""What the probe makes of a smartctl that misbehaves: never an ok for a disk that was not read just now. The real
veille-probe (under the sanitizers) on a made-up host, smartctl played by a script."""

import json
import os
import subprocess
import tempfile
import time

from tap import say

BUILD = os.environ.get("BUILD", "build")
DIR = tempfile.mkdtemp(prefix="veille-smart-faults-")
NVME_LOG = {"critical_warning": 0, "temperature": 40, "available_spare": 100, "available_spare_threshold": 10, "percentage_used": 3,
            "media_errors": 0, "num_err_log_entries": 7, "power_on_hours": 100, "power_cycles": 5}
count = 0


def report(**changes):
    doc = {"json_format_version": [1, 0], "smartctl": {"version": [7, 3], "exit_status": 0}, "local_time": {"time_t": int(time.time())},
           "device": {"name": "/dev/nvme0", "info_name": "/dev/nvme0", "type": "nvme", "protocol": "NVMe"}, "model_name": "MADE UP 1",
           "serial_number": "SERIAL-1", "smart_support": {"available": True, "enabled": True}, "smart_status": {"passed": True},
           "nvme_smart_health_information_log": dict(NVME_LOG), "temperature": {"current": 40}}
    for key, value in changes.items():
        if value is None:
            doc.pop(key)
        else:
            doc[key] = value
    return doc


def exits(doc, status):
    doc["smartctl"]["exit_status"] = status
    return doc


def message(status, text, **changes):
    doc = report(smart_status=None, nvme_smart_health_information_log=None, temperature=None, **changes)
    doc["smartctl"]["messages"] = [{"string": text, "severity": "error"}]
    return exits(doc, status)


def host(script, out=b""):
    """A root directory with one NVMe disk and this smartctl."""
    global count
    count += 1
    root = "%s/%d" % (DIR, count)
    files = {"sys/block/nvme0n1/size": "1000\n", "sys/class/nvme/nvme0/serial": "SERIAL-1            \n",
             "sys/class/nvme/nvme0/transport": "pcie\n", "usr/sbin/smartctl": "#!/bin/sh\n" + script}
    for name, text in files.items():
        os.makedirs(os.path.dirname(root + "/" + name), exist_ok=True)
        with open(root + "/" + name, "w") as f:
            f.write(text)
    with open(root + "/out", "wb") as f:
        f.write(out if isinstance(out, bytes) else json.dumps(out).encode())
    os.chmod(root + "/usr/sbin/smartctl", 0o755)
    return root


def start(root, *words, check="smart", instance="nvme0"):
    return subprocess.Popen([BUILD + "/san/veille-probe", "--root", root, "--config", root + "/none", *words, "run", check, instance],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)


def finish(process):
    out, err = process.communicate(timeout=100)
    lines = [json.loads(line) for line in out.splitlines()]
    return process.returncode, lines[:-1], lines[-1] if lines else {}, err


def expect(name, process, result, words):
    code, samples, end, err = finish(process)
    good = code == 0 and end.get("result") == result and words in end.get("why", "") and not err
    if result != "ok":
        good = good and not samples and len(end["why"]) > 20
    say(good, name + ": " + result, (code, samples[:3], end, err))
    return samples


def play(doc, status=0, before="", after=""):
    """smartctl prints doc and exits with status."""
    root = host("", doc)
    with open(root + "/usr/sbin/smartctl", "a") as f:
        f.write('%s\ncat "%s/out"\n%s\nexit %d\n' % (before, root, after, status))
    return root


hang = start(host("sleep 100\n"))

samples = expect("a good report", start(play(report())), "ok", "")
say({"disk_health_failed": 0, "disk_media_errors_total": 0}.items() <= {s["metric"]: s["value"] for s in samples}.items(),
    "the good report has its values", samples)
expect("bits 3 to 7 are about the disk", start(play(exits(report(smart_status={"passed": False}), 8), 8)), "ok", "")
expect("text before the JSON", start(play(b"  Pending defect count:0 Pending Defects\n" + json.dumps(report()).encode())), "ok", "")

ASLEEP = "Device is in STANDBY mode, exit(3)"
samples = expect("asleep", start(play(message(3, ASLEEP), 3)), "ok", "")
say([(s["metric"], s["value"]) for s in samples] == [("disk_standby", 1)], "asleep: one sample says so", samples)
expect("asleep although it may be woken", start(play(message(3, ASLEEP), 3), "--wake"), "failed", "asleep")
expect("exit 3 while awake", start(play(exits(report(), 3), 3)), "failed", "status 3")
expect("exit 3 and silence", start(host("exit 3\n")), "failed", "printed nothing (exit status 3)")

expect("dies", start(host("kill -9 $$\n")), "failed", "printed nothing")
expect("dies after its report", start(play(report(), 0, after="kill -11 $$")), "failed", "not believed")
expect("exit 1", start(play(message(1, "unrecognized option"), 1)), "failed", "unrecognized option")
expect("exit 1 without a word", start(play(exits(report(smart_status=None), 1), 1)), "failed", "command line")
expect("exit 2", start(play(message(2, "Smartctl open device: /dev/nvme0 failed: No such device"), 2)), "failed", "No such device")
expect("exit 2, permission", start(play(message(2, "Smartctl open device: /dev/nvme0 failed: Permission denied"), 2)), "denied", "CAP_SYS")
expect("exit 2, unknown bridge", start(play(message(1, "/dev/sdb: Unknown USB bridge [0x1]"), 1)), "denied", "[device NAME]")
expect("exit 4 with the table missing", start(play(exits(report(nvme_smart_health_information_log=None), 4), 4)), "failed", "lacks the health log")
expect("exit 4 with all that is needed", start(play(exits(report(), 4), 4)), "ok", "")
expect("exit status of another run", start(play(exits(report(), 4), 0)), "failed", "not believed")
expect("prints nothing", start(host("exit 0\n")), "failed", "printed nothing")
expect("half a JSON", start(play(json.dumps(report()).encode()[:300])), "failed", "damaged")
expect("rubbish behind the JSON", start(play(json.dumps(report()).encode() + b"{}")), "failed", "damaged")
expect("NUL bytes", start(play(b"\0" * 1000)), "failed", "NUL")
expect("NUL bytes behind the JSON", start(play(json.dumps(report()).encode() + b"\0")), "failed", "NUL")
expect("no JSON", start(play(b"smartctl 6.6\nusage\n", 0)), "failed", "no JSON")
expect("JSON of another program", start(play({"hello": 1})), "failed", "not believed")
expect("an array", start(play(b"[]")), "failed", "no JSON")
expect("last week's report", start(play(report(local_time={"time_t": int(time.time()) - 7 * 86400}))), "failed", "old report")
expect("tomorrow's report", start(play(report(local_time={"time_t": int(time.time()) + 86400}))), "failed", "in the future")
expect("a report without a time", start(play(report(local_time=None))), "failed", "when it was made")
expect("another device", start(play(report(device={"name": "/dev/nvme1", "type": "nvme", "protocol": "NVMe"}))), "failed", "answered about nvme1")
expect("another disk in its place", start(play(report(serial_number="SERIAL-2"))), "failed", "another disk")
expect("five megabytes", start(play(b"{" + b" " * (5 << 20) + b"}")), "failed", "more than")
expect("no SMART on this disk", start(play(report(smart_support={"available": False}, smart_status=None, temperature=None,
                                                  nvme_smart_health_information_log=None))), "nodata", "no SMART")
expect("SMART switched off", start(play(report(smart_support={"available": True, "enabled": False}, smart_status=None))), "denied", "switched off")
root = play(report())
os.unlink(root + "/usr/sbin/smartctl")
expect("smartctl is not installed", start(root), "denied", "not installed")
root = play(report())
os.chmod(root + "/usr/sbin/smartctl", 0o644)
expect("smartctl may not be run", start(root), "denied", "Permission denied")
root = play(report())
os.unlink(root + "/sys/block/nvme0n1/size")
os.rmdir(root + "/sys/block/nvme0n1")
expect("the disk vanishes", start(root), "failed", "not there")
expect("types and values gone mad", start(play(report(
    nvme_smart_health_information_log={"critical_warning": "x", "available_spare": [], "media_errors": -1e300}, temperature=7,
    serial_number=None, smart_status={"passed": "yes"}))), "failed", "lacks the health log")

expect("hangs", hang, "timeout", "no answer")
subprocess.run(["rm", "-rf", DIR])
