#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab saw, as a page: table.py OUT, from the rows that the families of faults left in build/lab/rows."""

import glob
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import image

HEAD = """<!-- SPDX-FileCopyrightText: 2026 The veille authors
     SPDX-License-Identifier: GPL-3.0-or-later
     Written by make check-lab-long (tests/lab/vm/table.py); do not edit. -->
# Faults in virtual machines

Debian's stock kernel in QEMU, on the machines `pc` and `q35`; its disks, memory, power, sensors, management controller and network
fail on command (tests/lab/vm_*.py). veilled runs inside as its unit starts it: no right of its own, probes behind their sockets. Beside it run
smartd, rasdaemon and, where there are arrays, `mdadm --monitor`, told to look as often as they can.

Every row was asserted: the kernel, or the device, showed the fault; veille had said nothing of it before, then named the component, the
level and the rule in its status.json; after the repair it took that back. *Seconds* are of the machine's own clock (500 million
instructions a second), from the fault to the published verdict. Where it says *look*, nothing announces the fault: the seconds count
from the moment in which veille and smartd were both told to look; by themselves veille looks at SMART data every 30 minutes and smartd
does, too. Times of rules that wait (hold, calm, windows) are shortened to a few seconds. A dash: the peer said nothing.

"""
PEERS = ["smartd", "rasdaemon", "mdadm"]


def rows():
    for path in sorted(glob.glob(image.LAB + "/rows/*.jsonl")):
        with open(path) as f:
            yield from (json.loads(line) for line in f)


def cell(text, most=90):
    text = "".join(c for c in text if c.isprintable())
    text = text if len(text) <= most else text[:most - 1] + "…"
    for c in "\\|<>*_`[]":
        text = text.replace(c, "\\" + c)
    return text


def peers(row):
    said = row.get("peers", {})
    return " | ".join("not run" if p not in said else "-" if not said[p] else "%.2f s: %s" % (said[p][0], cell(said[p][1], 60)) for p in PEERS)


def after(row):
    if "green" in row:
        return "green"
    return cell(row.get("stays", "no repair"), 60)


def line(row):
    if "problem" in row:
        return "| %s | %s | **FAILED**: %s | | | | | | |" % (row["machine"], cell(row["fault"]), cell(row["problem"], 150))
    return "| %s | %s | %s | **%s** %s (`%s`): %s | %.2f%s | %s | %s |" % (
        row["machine"], cell(row["fault"]), cell(row["kernel"]), row["level"], cell(row["component"]), row["rule"], cell(row["text"]),
        row["seconds"], " look" if row["looked"] else "", after(row), peers(row))


def median(values):
    return sorted(values)[len(values) // 2] if values else float("nan")


def main():
    all_rows = list(rows())
    good = [r for r in all_rows if "problem" not in r]
    kinds = {(r["fault"], r["rule"]) for r in good}
    announced = [r["seconds"] for r in good if not r["looked"]]
    looked = [r["seconds"] for r in good if r["looked"]]
    first = [r for r in good if any(r["peers"].values())]
    ahead = [r for r in first if r["seconds"] <= min(p[0] for p in r["peers"].values() if p)]
    silent = [r for r in good if not any(r["peers"].values())]
    with open(sys.argv[1], "w") as out:
        out.write(HEAD)
        out.write("%d faults of %d kinds were injected, %d judged as they should be. From the kernel's word to the verdict: median %.2f s, longest %.2f s (%d faults); "
                  "from a look: median %.2f s, longest %.2f s (%d faults). Of %d faults a peer said something, of %d none did; veille was first or as fast in %d. Commit %s.\n\n" %
                  (len(all_rows), len(kinds), len(good), median(announced), max(announced, default=0), len(announced), median(looked), max(looked, default=0), len(looked),
                   len(first), len(silent), len(ahead), ", ".join(sorted({r["commit"] for r in all_rows}))))
        out.write("| machine | fault | what the kernel or the device showed | what veille said | seconds | after the repair | smartd | rasdaemon | mdadm --monitor |\n")
        out.write("|---|---|---|---|---|---|---|---|---|\n")
        out.writelines(line(r) + "\n" for r in all_rows)
    print("%s: %d faults of %d kinds, %d judged rightly" % (sys.argv[1], len(all_rows), len(kinds), len(good)))
    return 0 if all_rows and len(good) == len(all_rows) else 1


sys.exit(main())
