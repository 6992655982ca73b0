#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 300
"""veillectl replay, the sanitized program as others call it: the form of its lines, exit status, bad input, its clock;
then real histories of the corpus: no crash, nothing looked at that it must not look at."""

import csv
import glob
import io
import json
import lzma
import os
import subprocess
import tempfile

from tap import say

SHARED = os.environ.get("SHARED", "../shared")
BUILD = os.environ.get("BUILD", "build")
HISTORY = SHARED + "/corpus/history"
KEYS = ["date", "serial_number", "severity", "rule", "why", "probability_30d"]
LEVELS = ["ok", "notice", "warning", "critical"]
HEADER = "date,serial_number,model,capacity_bytes,failure,smart_5_raw,smart_9_raw,smart_187_raw,smart_197_raw\n"


def replay(args, data=None, program="/san/veillectl"):
    run = subprocess.run([BUILD + program, "replay"] + args, input=data, capture_output=True, timeout=250)
    return run.returncode, run.stdout.decode(), run.stderr.decode()


def levels(out):
    return [(o["date"], o["serial_number"], o["severity"]) for o in map(json.loads, out.splitlines())]


def life(rows, model="M"):
    """rows: (day of January or later, hours, 5, 187, 197); as CSV of one drive."""
    text = HEADER
    for n, hours, *values in rows:
        text += "2016-%02d-%02d,Z1,%s,1,0,%s,%s,%s,%s\n" % (1 + (n - 1) // 28, 1 + (n - 1) % 28, model, values[0], hours,
                                                          values[1], values[2])
    return text.encode()


def test_lines():
    # Pending sectors, an error, repaired; the error leaves the window after 90 days.
    rows = [(1, 0, 0, 0, 0), (2, 24, 0, 0, 8), (3, 48, 0, 1, 8), (4, 72, 0, 1, 0), (5, 95 * 24, 0, 1, 0)]
    status, out, err = replay(["-"], life(rows))
    say(status == 0 and err == "", "a good file ends with 0, quietly", (status, err))
    say(levels(out) == [("2016-01-02", "Z1", "notice"), ("2016-01-03", "Z1", "warning"), ("2016-01-04", "Z1", "notice")],
        "one line for each change of level, up and down", out)
    for line in map(json.loads, out.splitlines()):
        good = list(line) == KEYS and line["severity"] in LEVELS and line["rule"] and line["why"]
        say(good and 0 < line["probability_30d"] < 1, "the line of %s is complete" % line["date"], line)
    # The calendar says the last row is a day later: a jump of 91 days of hours is not believed.
    status, out, err = replay(["-"], life(rows[:4] + [(100, 95 * 24, 0, 1, 0)]))
    say(levels(out)[-1] == ("2016-04-16", "Z1", "ok"), "windows are powered-on hours", out)
    status, out, err = replay(["-"], life(rows[:4] + [(100, 74, 0, 1, 0)]))
    say(levels(out)[-1] == ("2016-01-04", "Z1", "notice"), "time on the shelf does not pass", out)
    text = HEADER.replace("smart_9_raw,", "") + "".join(
        "2016-%02d-%02d,Z1,M,1,0,0,%d,0\n" % (1 + n // 28, 1 + n % 28, n > 0) for n in range(93))
    status, out, err = replay(["-"], text.encode())
    say([x[2] for x in levels(out)] == ["notice", "ok"] and levels(out)[1][0] == "2016-04-08", "without attribute 9 rows count", out)


def test_no_model():
    status, out, err = replay(["-"], b"".join(
        json.dumps(o).encode() + b"\n" for o in [
            {"date": "2016-04-01", "serial_number": "N1", "nvme": {"media_errors": 0, "percentage_used": 1}},
            {"date": "2016-04-02", "serial_number": "N1", "nvme": {"media_errors": 2, "percentage_used": 1}},
            {"date": "2016-04-02", "serial_number": "A1", "smart": {"5": [100, 0]}, "passed": False},
            {"date": "2016-04-03", "serial_number": "S1", "model": "SSD 850", "smart": {"197": [100, 9]}, "passed": True},
        ]))
    lines = {o["serial_number"]: o for o in map(json.loads, out.splitlines())}
    say(lines["N1"]["severity"] == "warning" and lines["N1"]["probability_30d"] is None, "NVMe: judged, no probability", out)
    say(lines["A1"]["severity"] == "critical" and lines["A1"]["rule"] == "smart-failed", "a drive's own verdict is critical", out)
    say(lines["S1"]["probability_30d"] is None, "an SSD has no probability", out)
    say(status == 0, "JSON lines end with 0", (status, err))


def test_bad_input():
    status, out, err = replay(["-"], (HEADER + "rubbish\n2016-01-01,Z1,M,1,0,0,5,0,9\n2016-01-02,Z1,M\n").encode())
    say(status == 1 and err.splitlines()[0].startswith("-:2: ") and err.splitlines()[1].startswith("-:4: "),
        "a bad line is named by file and line, and the status is 1", (status, err))
    say(levels(out) == [("2016-01-01", "Z1", "notice")], "and what is good is replayed", out)
    status, out, err = replay(["-"], (HEADER + "2016-01-02,Z1,M,1,0,0,5,0,0\n2016-01-01,Z1,M,1,0,0,5,0,9\n").encode())
    say(status == 1 and "date order" in err and out == "", "a row out of order is refused", (status, out, err))
    status, out, err = replay(["-"], b"x" * 3000000 + b"\n" + HEADER.encode() + b"2016-01-01,Z1,M,1,0,0,5,0,9\n" + b"y" * 100000)
    say(status == 1 and err.count("longer than") == 2 and "-:1:" in err and "-:4:" in err and len(levels(out)) == 1,
        "endless lines are skipped, and told once", (status, out, err))
    status, out, err = replay(["-"], (HEADER + "2016-01-01,Z1,M,1,0,0,5,0,9").encode())
    say(status == 0 and len(levels(out)) == 1, "the last line may lack its newline", (status, out, err))
    status, out, err = replay(["/nonexistent/file"])
    say(status == 3 and "No such file" in err, "a missing file ends with 3", (status, err))
    status, out, err = replay(["-"], lzma.compress(HEADER.encode()))
    say(status == 3 and "xz -dc" in err, "a compressed file is told how to unpack", (status, err))
    status, out, err = replay([])
    say(status == 3 and "which FILE" in err, "no file ends with 3", (status, err))
    status, out, err = replay(["-"], b"")
    say(status == 0 and out == "", "nothing in, nothing out", (status, out, err))
    status, out, err = replay(["-"], HEADER.encode() + b"2016-01-01,Z1,M,1,0,,,,\n")
    say("1 of 1 drives never reported" in err, "silence is not taken for health", err)
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as a, tempfile.NamedTemporaryFile("w", suffix=".csv") as b:
        a.write(HEADER + "2016-01-01,Z1,M,1,0,0,5,0,0\n")
        b.write("serial_number,smart_197_raw,date\nZ1,1,2016-01-02\nserial_number,date,smart_197_raw\nZ1,2016-01-03,0\n")
        a.flush(), b.flush()
        status, out, err = replay([a.name, b.name])
    say(status == 0 and [x[2] for x in levels(out)] == ["notice", "ok"], "several files, a header in the middle", (status, out, err))
    full = subprocess.run(["sh", "-c", BUILD + "/san/veillectl replay - > /dev/full"], input=life([(1, 0, 0, 0, 9)]),
                          capture_output=True)
    say(full.returncode == 3, "a full disk under the result ends with 3", full.returncode)


def config(text):
    f = tempfile.NamedTemporaryFile("w", suffix=".conf")
    f.write(text)
    f.flush()
    return f


def judge(args, doc):
    run = subprocess.run([BUILD + "/san/veillectl", "judge"] + args + ["-"], input=json.dumps(doc).encode(), capture_output=True, timeout=60)
    return run.returncode, json.loads(run.stdout.splitlines()[0]) if run.stdout else None, run.stderr.decode()


def test_config():
    """[rule NAME] holds for saved data as it does for the daemon."""
    rows = life([(1, 0, 0, 0, 0), (2, 24, 0, 0, 8)])
    report = {"json_format_version": [1, 0], "smartctl": {"exit_status": 0}, "device": {"name": "/dev/sda", "type": "sat", "protocol": "ATA"},
              "serial_number": "Z1", "rotation_rate": 5400, "smart_status": {"passed": True}, "temperature": {"current": 41},
              "ata_smart_attributes": {"table": [
                  {"id": 197, "name": "Current_Pending_Sector", "value": 100, "worst": 100, "thresh": 0, "flags": {"value": 18},
                   "raw": {"value": 8, "string": "8"}},
                  {"id": 199, "name": "UDMA_CRC_Error_Count", "value": 200, "worst": 200, "thresh": 0, "flags": {"value": 62},
                   "raw": {"value": 87, "string": "87"}}]}}
    with config("[rule pending-sectors]\nenabled = no\n[rule failure-score]\nenabled = no\n") as f:
        say(levels(replay(["-"], rows)[1]) != [] and replay(["--config", f.name, "-"], rows)[:2] == (0, ""),
            "replay: a rule that is switched off is silent", replay(["--config", f.name, "-"], rows))
        before, after = judge([], report), judge(["--config", f.name], report)
        say(before[1]["level"] != "ok" and after[0] == 0 and after[1]["level"] == "ok", "judge: a rule that is switched off is silent",
            (before, after))
    with config("[rule pending-sectors]\ncritical = 5\n") as f:
        status, out, err = replay(["-", "--config", f.name], rows)
        say([x[2] for x in levels(out)] == ["critical"], "replay: another limit", (status, out, err))
        status, line, err = judge(["--config=" + f.name], report)
        say(status == 2 and line["reasons"][0]["rule"] == "pending-sectors", "judge: another limit", (status, line, err))
    with config("[rule crc-errors-grew]\nnotice = 0\nwarning = 0\ncritical = 0\n") as f:
        status, line, err = judge(["--config", f.name], report)
        say(line and line["level"] != "critical" and all(r["rule"] != "crc-errors-grew" for r in line["reasons"]),
            "judge: rules about change stay silent whatever their limit", (status, line, err))
    with config("[rule pending-sectors]\nwarning = 5\ncritical = 2\n") as f:
        for run in (lambda: replay(["--config", f.name, "-"], rows), lambda: judge(["--config", f.name], report)):
            status, out, err = run()
            say(status == 3 and not out and "pending-sectors" in err, "limits in the wrong order: nothing is judged", (status, out, err))
    with config("[rule pending-sectors]\nwarnin = 5\n") as f:
        status, out, err = replay(["--config", f.name, "-"], rows)
        say(status == 3 and not out and "did you mean" in err, "a config with errors: nothing is judged", (status, out, err))
    say(replay(["--config", "/nonexistent", "-"], rows)[0] == 0, "no config file: the own limits of the rules")


def rows_of(path):
    data = lzma.open(path).read() if path.endswith(".xz") else open(path, "rb").read()
    return data


def blank(data):
    """The same rows with the label column emptied."""
    rows = list(csv.reader(io.StringIO(data.decode())))
    column = rows[0].index("failure")
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for i, row in enumerate(rows):
        if row[column] != "failure":
            row[column] = "" if i % 2 else "1"
        writer.writerow(row)
    return out.getvalue().encode()


def test_corpus():
    if not os.path.isdir(HISTORY):
        print("ok - real drive histories # SKIP no corpus at ../shared/corpus")
        return
    daily = b"".join(rows_of(p) for p in sorted(glob.glob(HISTORY + "/backblaze-2016-st4000dm000/2016-*.csv")))
    status, out, err = replay(["-"], daily)
    say(status == 0 and len(out.splitlines()) > 20, "36 days as Backblaze ships them", (status, err, len(out)))
    say(replay(["-"], blank(daily.replace(b"\r", b"")))[1] == out, "the label column changes nothing")
    dates = [x[0] for x in levels(out)]
    say(dates == sorted(dates), "the result is in date order")
    lines = daily.splitlines(True)
    cut = b"".join(line for line in lines if line.startswith(b"date") or line[:10] <= b"2016-04-15")
    early = "".join(line + "\n" for line in out.splitlines() if json.loads(line)["date"] <= "2016-04-15")
    say(replay(["-"], cut)[1] == early and early, "without the later rows the earlier result is the same")
    for path in sorted(glob.glob(HISTORY + "/*/daily*.csv.xz") + glob.glob(HISTORY + "/*/*tag.csv.xz")):
        name = "/".join(path.split("/")[-2:])
        data = rows_of(path)
        # The largest sets in part: the whole of them is what make foresight replays.
        status, out, err = replay(["-"], data[:12000000])
        say(status in (0, 1) and "Sanitizer" not in err and "runtime error" not in err and
            all(list(json.loads(line)) == KEYS for line in out.splitlines()), name + " is read without a crash", err[:400])


test_lines()
test_no_model()
test_bad_input()
test_config()
test_corpus()
