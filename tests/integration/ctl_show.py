#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What veillectl shows of well, sick, large, silent, new and hostile hosts: within 80 columns, the worst first, nothing that could
do things to a terminal, one line for Nagios that says what is worst and why."""

import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(__file__))
import unpacked  # noqa: E402

CTL = unpacked.BUILD + "/san/veillectl"
ESCAPE = re.compile(r"\033\[[0-9;]*m")
PERFDATA = re.compile(r"^([a-z]+)=(\d+);;;0;(\d+)$")
MADE = os.path.abspath("tests/fixtures/make_run.py")


def say(problems, name):
    print("not ok - %s: %s" % (name, json.dumps(problems)[:1500]) if problems else "ok - " + name)
    sys.stdout.flush()


class Host:
    def __init__(self, directory, name, words):
        self.run = directory + "/" + name
        subprocess.run([sys.executable, MADE, self.run, "--probe", unpacked.BUILD + "/veille-probe"] + words, check=True)

    def ctl(self, *words, columns="80"):
        env = dict(os.environ, LC_ALL="C.UTF-8", **({"COLUMNS": columns} if columns else {}))
        if not columns:
            env.pop("COLUMNS", None)
        done = subprocess.run([CTL, "--run", self.run] + list(words), env=env, stdin=subprocess.DEVNULL, capture_output=True)
        if done.stderr:
            raise RuntimeError(done.stderr.decode())
        return done.stdout.decode(), done.returncode


def widths(text, most=80):
    """Lines that are too wide, but for a word that cannot be cut."""
    return [line for line in text.splitlines() if len(line) > most and len(line.split()) > 1 and
            max(len(w) for w in line.split()) < 30]


def controls(text):
    return [line for line in text.splitlines() if re.search(r"[\x00-\x08\x0b-\x1f\x7f\x80-\x9f]", line)]


def rows(text):
    return [line.split()[:2] for line in text.splitlines() if re.match(r"(ok|notice|WARNING|UNKNOWN|CRITICAL) +\S", line)]


def nagios(host, state, exit_status, begins, has=(), has_not=()):
    text, status = host.ctl("check", "--nagios")
    problems = [] if status == exit_status else ["exit status %d" % status]
    line, _, perfdata = text.rstrip("\n").partition(" | ")
    if "\n" in line or "|" in line or not line.startswith("VEILLE %s: %s" % (state, begins)):
        problems.append(line)
    found = [PERFDATA.match(p) for p in perfdata.split(" ")]
    if [f and f.group(1) for f in found] != ["ok", "notice", "warning", "unknown", "critical"]:
        problems.append(perfdata)
    elif sum(int(f.group(2)) for f in found) != int(found[0].group(3)):
        problems.append("the numbers of perfdata do not add up: " + perfdata)
    if len(text) > 1024:
        problems.append("%d bytes: old NRPE cuts it" % len(text))
    return problems + [h for h in has if h not in line] + [h for h in has_not if h in line] + ([] if not problems else [text])


def main():
    with tempfile.TemporaryDirectory(prefix="veille-show-") as directory:
        sick, well = Host(directory, "sick", ["--disks", "4"]), Host(directory, "well", ["--scenario", "well"])
        large = Host(directory, "large", ["--disks", "12", "--sensors", "200", "--alike", "12", "--each-sensor"])
        nasty, new = Host(directory, "nasty", ["--scenario", "nasty"]), Host(directory, "new", ["--scenario", "empty"])
        silent = Host(directory, "silent", ["--age", "200"])
        everyone = (("sick", sick), ("well", well), ("large", large), ("nasty", nasty), ("new", new), ("silent", silent))

        for name, host in everyone:
            text, _ = host.ctl("status")
            say(widths(text) + controls(text), name + " host: status in 80 columns, no control characters")
            text = host.ctl("status", "--all")[0] + host.ctl("checks")[0]
            say(widths(text) + controls(text), name + " host: status --all and checks too")
        text, status = sick.ctl("status")
        order = ["CRITICAL", "UNKNOWN", "WARNING", "notice", "ok"]
        levels = [r[0] for r in rows(text)]
        say([] if status == 2 and levels == sorted(levels, key=order.index) and rows(text)[0] == ["CRITICAL", "/var/mail"] and
            text.startswith("mx1.example.org is red: /var/mail: full in about") else [status, text], "sick host: the worst first")
        text, _ = large.ctl("status")
        say([] if "and 11 more like it: sdbx" in text and "200 sensor" in text and len(text.splitlines()) <= 24 else [text],
            "large host: many with one cause are one row, all of it on one screen")
        say([] if len(rows(large.ctl("status", "--all")[0])) == 238 else ["not all"], "large host: --all shows all")
        text, status = silent.ctl("status")
        say([] if status == 3 and "has been silent for 3 min" in text.splitlines()[0] and rows(text)[0] == ["UNKNOWN", "/var/mail"] and
            "critical: full in about" in text and "which were ok" in text and {r[0] for r in rows(text)} == {"UNKNOWN"} else [status, text],
            "silent brain: said once, then what was wrong before, and nothing is ok")
        text, _ = sick.ctl("status", columns=None)
        say([] if re.search(r"^WARNING +sdb .*probability to fail within 30 days$", text, re.M) else [text], "through a pipe: one line a component")
        text, _ = new.ctl("status")
        say([] if "nothing has been read yet" in text else [text], "new host: nothing yet")

        text, status = sick.ctl("why", "sdb")
        say(widths(text) + controls(text) + [w for w in ("clears: ", "why this limit: ", "rule pending-sectors, since", "read by:", "carries mail-store")
                                             if w not in text] + ([] if status == 1 else [status]), "why: everything, in 80 columns")
        done = subprocess.run([CTL, "--run", sick.run, "why", "sbd"], stdin=subprocess.DEVNULL, capture_output=True)
        say([] if done.returncode == 3 and b"did you mean 'sdb'?" in done.stderr else [done.stderr.decode()], "why: a mistyped component")

        say(nagios(sick, "CRITICAL", 2, "/var/mail: full in about 9 hours", ("sdb warning: 8 pending", "(mx1.example.org is red, 10 of 14 components are ok)")),
            "Nagios, sick host: the worst component and its reason")
        say(nagios(well, "OK", 0, "mx1.example.org: all ", (" components are ok",)), "Nagios, well host")
        say(nagios(large, "CRITICAL", 2, "/var/mail: full", ("sdax and 11 more unknown: ", "sdb warning: ")), "Nagios, large host: many with one cause hide nobody")
        say(nagios(nasty, "CRITICAL", 2, 'a"b\\c ', (), ("\033",)), "Nagios, hostile names")
        say(nagios(silent, "UNKNOWN", 3, "the brain (veilled) has been silent for 3 min; before that: /var/mail critical, ", ("sdb warning",)), "Nagios, silent brain")
        say(nagios(new, "UNKNOWN", 3, "nothing has been read yet"), "Nagios, new host")
        os.unlink(sick.run + "/status.json")
        text, status = sick.ctl("check", "--nagios")
        say([] if status == 3 and text.startswith("VEILLE UNKNOWN: ") and "is not there" in text and text.count("\n") == 1 else [status, text], "Nagios, no file")


main()
