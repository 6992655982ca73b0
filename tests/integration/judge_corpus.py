#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""veillectl judge over every report of the corpus of real drives, under the sanitizers: no crash, one line a document,
failed drives critical (worn-out NVMe: warning), lost sectors never ok, no critical among good drives."""

import glob
import json
import lzma
import os
import subprocess

from tap import say

SHARED = os.environ.get("SHARED", "../shared")
BUILD = os.environ.get("BUILD", "build")
CORPUS = SHARED + "/corpus/smart"
LOST = {"pending", "offline_unc", "nvme_media_errors"}


def judge(args, data=None):
    run = subprocess.run([BUILD + "/san/veillectl", "judge"] + args, input=data, capture_output=True, timeout=100)
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    return run, lines


def enterprise_drives():
    facts = {}
    with open(CORPUS + "/enterprise-drive/index.jsonl") as f:
        for line in f:
            row = json.loads(line)
            facts[row["file"]] = row
    data = lzma.open(CORPUS + "/enterprise-drive/as-smartctl-json.jsonl.xz").read()
    files = [json.loads(line)["file"] for line in data.splitlines()]
    run, lines = judge(["-"], data)
    say(run.returncode == 2 and not run.stderr, "enterprise drives end with the exit of the worst, quietly", run.stderr)
    say(len(lines) == len(files), "one line a report", (len(lines), len(files)))
    wrong = {"failed": [], "lost": [], "good": []}
    for name, line in zip(files, lines):
        fact = facts[name]
        signs = set(fact.get("signs", []))
        worn = "nvme_worn" in signs and not signs & LOST
        if fact.get("smart_passed") is False and line["level"] != "critical" and not (worn and line["level"] == "warning"):
            wrong["failed"].append(name)
        if signs & LOST and line["level"] == "ok":
            wrong["lost"].append(name)
        # One SSD of Marvell shows no attribute: nothing is known of it but its word.
        mute = [r["rule"] for r in line["reasons"]] == ["no-health"]
        if fact.get("smart_passed") and not signs and (line["level"] == "critical" or line["level"] == "unknown" and not mute):
            wrong["good"].append(name)
        if line["level"] != "ok" and not all(r["text"] for r in line["reasons"]):
            wrong["failed"].append(name + " (no reason)")
    say(not wrong["failed"], "drives that failed are critical, worn-out ones warning", wrong["failed"][:5])
    say(not wrong["lost"], "lost sectors and media errors are never ok", wrong["lost"][:5])
    say(not wrong["good"], "no critical among drives that passed without a sign", wrong["good"][:5])


def indexed_files():
    with open(SHARED + "/corpus/index.jsonl") as f:
        rows = {row["file"]: row for row in map(json.loads, f)}
    wrong = []
    names = sorted(glob.glob(CORPUS + "/json/*"))
    run, lines = judge(names)
    say(not run.stderr and len({line["file"] for line in lines}) == len(names), "every JSON file gives a line", run.stderr)
    for line in lines:
        row = rows.get("smart/json/" + os.path.basename(line["file"]), {})
        if row.get("smart_passed") is False and line["level"] != "critical":
            wrong.append(line)
        if any((row.get(k) or 0) > 0 for k in ("raw_197", "raw_198", "media_errors")) and line["level"] == "ok":
            wrong.append(line)
    say(not wrong, "failed and lossy drives of the indexed files are not ok", wrong[:2])

    names = sorted(glob.glob(CORPUS + "/blobs/*.blob"))
    run, lines = judge(names)
    wrong = []
    for line in lines:
        row = rows["smart/blobs/" + os.path.basename(line["file"])]
        if row.get("skdump_status") == "BAD" and line["level"] != "critical":
            wrong.append(line)
        # Up to three reallocated sectors and nothing else are worth nothing by themselves (docs/foresight.md).
        if int(row.get("skdump_bad") or 0) > 3 and line["level"] == "ok":
            wrong.append(line)
    say(len(lines) == len(names) and not wrong and not run.stderr, "every blob agrees with skdump's verdict", wrong or run.stderr)


def strangers():
    rows = [
        ("empty", b"", "unknown", 3),
        ("NUL bytes", b"\0" * 100, "unknown", 3),
        ("text", b"smartctl: not found\n", "unknown", 3),
        ("half a document", b'{"smartctl":{"exit_status":0},"smart_status":{"pass', "unknown", 3),
        ("another program's JSON", b'{"hello":1}', "unknown", 3),
        ("open failed", b'{"smartctl":{"exit_status":2,"messages":[{"string":"open device failed","severity":"error"}]}}', "unknown", 3),
        ("text before the JSON", b'  Pending defect count:0\n{"device":{"protocol":"ATA","name":"/dev/sda"},"smart_status":{"passed":true},'
         b'"ata_smart_attributes":{"table":[{"id":197,"value":100,"worst":100,"thresh":0,"flags":{"value":50},"raw":{"value":0}}]}}', "ok", 0),
        ("an overall verdict alone", b'{"device":{"protocol":"ATA","name":"/dev/sda"},"smart_status":{"passed":true}}', "unknown", 3),
        ("an overall verdict alone that is bad", b'{"device":{"protocol":"ATA","name":"/dev/sda"},"smart_status":{"passed":false}}', "critical", 2),
        ("a health log of nothing", b'{"device":{"protocol":"NVMe"},"smart_status":{"passed":true},"nvme_smart_health_information_log":{}}', "unknown", 3),
        ("numbers of 128 bits", b'{"device":{"protocol":"NVMe"},"smart_status":{"passed":true},"nvme_smart_health_information_log":'
         b'{"critical_warning":0,"media_errors":340282366920938463463374607431768211455}}', "notice", 0),
        ("failing by its exit status", b'{"smartctl":{"exit_status":8},"device":{"protocol":"ATA","name":"/dev/sda"}}', "critical", 2),
        ("asleep", b'{"smartctl":{"exit_status":3,"messages":[{"string":"Device is in STANDBY mode, exit(3)"}]},'
         b'"device":{"protocol":"ATA","name":"/dev/sda"}}', "unknown", 3),
        ("negative and absurd numbers", b'{"device":{"protocol":"ATA"},"smart_status":{"passed":true},"ata_smart_attributes":{"table":'
         b'[{"id":5,"raw":{"value":-1}},{"id":1e300},{"id":"x"},null,7]},"temperature":{"current":1e308}}', None, None),
        ("attribute at its threshold", b'{"device":{"protocol":"ATA"},"smart_status":{"passed":true},"ata_smart_attributes":{"table":'
         b'[{"id":5,"name":"R","value":5,"worst":5,"thresh":10,"when_failed":"now","flags":{"value":51},"raw":{"value":4000}}]}}', "critical", 2),
        # Packed raw values of facts 2.B: 188 as three words, 1 and 7 as errors over operations.
        ("packed 188", b'{"device":{"protocol":"ATA"},"smart_status":{"passed":true},"ata_smart_attributes":{"table":'
         b'[{"id":188,"value":100,"worst":99,"thresh":0,"flags":{"value":50},"raw":{"value":94490722326}},'
         b'{"id":1,"value":82,"worst":64,"thresh":44,"flags":{"value":15},"raw":{"value":153285984}},'
         b'{"id":7,"value":79,"worst":60,"thresh":45,"flags":{"value":15},"raw":{"value":4383061563}}]}}', "ok", 0),
    ]
    for name, data, level, code in rows:
        run, lines = judge(["-"], data)
        good = len(lines) == 1 and not run.stderr
        if level:
            good = good and lines[0]["level"] == level and run.returncode == code and (level == "ok" or lines[0]["reasons"][0]["text"])
        say(good, "judge: " + name, (run.returncode, run.stdout[:200], run.stderr[:200]))


strangers()
if os.path.isdir(CORPUS):
    indexed_files()
    enterprise_drives()
else:
    print("ok - corpus of real drives # SKIP no corpus at " + CORPUS)
