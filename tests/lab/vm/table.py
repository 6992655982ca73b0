#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab saw, as a page: table.py OUT, from the rows that the families of faults left in build/lab/rows, and what the control hour
(long_control.py) and the mutations (long_mutations.py) left beside them. Fails when a promise is not kept; the page says which."""

import glob
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import image
from faults import BEHIND_S

HEAD = """<!-- SPDX-FileCopyrightText: 2026 The veille authors
     SPDX-License-Identifier: GPL-3.0-or-later
     Written by make check-lab-long (tests/lab/vm/table.py); do not edit. -->
# Faults in virtual machines

Debian's stock kernel in QEMU, on the machines `pc` and `q35`; its disks, memory, power, sensors, management controller and network
fail on command (tests/lab/vm_*.py, tests/lab/vm/long_*.py). veilled runs inside as its unit starts it: no right of its own, probes behind their sockets. Beside it run
smartd, rasdaemon and, where there are arrays, `mdadm --monitor`, told to look as often as they can.

@PROMISES@
Every row was asserted: the kernel, or the device, showed the fault; veille had said nothing of it before, then named the component, the
level and the rule in its status.json; after the repair it took that back. *Seconds* are of the machine's own clock (500 million
instructions a second), from the fault to the published verdict. Where it says *look*, nothing announces the fault: the seconds count
from the moment in which veille and smartd were both told to look; by themselves veille looks at SMART data every 30 minutes and smartd
does, too. Where it says *boot* the host was down: they count from the start of veille after it. Times of rules that wait (hold, calm, windows) are shortened to a few seconds. A dash: the peer said nothing.

"""
PEERS = ["smartd", "rasdaemon", "mdadm"]
FAULTS_MIN, MUTATIONS_MIN = 35, 15
MACHINES = {"pc", "q35"}
ANNOUNCED_MEDIAN_S = 1.0


def rows(pattern="rows"):
    for path in sorted(glob.glob("%s/%s/*.jsonl" % (image.LAB, pattern))):
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
        row["seconds"], how(row), after(row), peers(row))


def how(row):
    return " boot" if row.get("rebooted") else " look" if row["looked"] else ""


def behind(row):
    """Seconds after the fastest peer; None: none said anything, or it could not be compared."""
    said = [p[0] for p in row.get("peers", {}).values() if p]
    return row["seconds"] - min(said) if said and row.get("compared", True) else None


def one_commit(all_rows):
    commits = sorted({r["commit"] for r in all_rows})
    return len(commits) == 1 and not commits[0].endswith("-dirty"), ", ".join(commits)


def promises(faults, control, mutations):
    """[(promise, what came of it, whether it was kept)]; None: it was not run."""
    good = [r for r in faults if "problem" not in r]
    kinds = {(r["fault"], r["rule"]) for r in good}
    late = [r for r in good if (behind(r) or 0) > BEHIND_S]
    announced = [r["seconds"] for r in good if not r["looked"] and not r.get("rebooted")]
    same, commits = one_commit(faults)
    out = [("at least %d faults, each judged rightly, none reported ok" % FAULTS_MIN,
            "%d of %d faults of %d kinds" % (len(good), len(faults), len(kinds)), len(kinds) >= FAULTS_MIN and len(good) == len(faults)),
           ("on both machines", ", ".join("%s: %d" % (m, sum(r["machine"] == m for r in good)) for m in sorted(MACHINES)),
            {r["machine"] for r in good} == MACHINES),
           ("never more than %.1f s behind the fastest peer" % BEHIND_S, "later in %d of %d" % (len(late), sum(behind(r) is not None for r in good)), not late),
           ("median of at most %.0f s where the kernel announces it" % ANNOUNCED_MEDIAN_S, "%.2f s of %d" % (median(announced), len(announced)),
            bool(announced) and median(announced) <= ANNOUNCED_MEDIAN_S),
           ("all of one commit", commits, same)]
    hours = {r["machine"]: r for r in control}
    if control:
        out.append(("a control hour on healthy machines: 0 warnings", "; ".join(
            "%s: %d looks, %d warnings, commit %s" % (m, r["looks"], r["warnings"], r["commit"]) for m, r in sorted(hours.items())),
            set(hours) == MACHINES and not any(r["warnings"] or r.get("problem") for r in control)))
    if mutations:
        noticed = {r["mutation"] for r in mutations if r["noticed"]}
        out.append(("at least %d mutations (one check or one rule disabled), each noticed" % MUTATIONS_MIN, "%d of %d, commit %s" % (
            len(noticed), len({r["mutation"] for r in mutations}), one_commit(mutations)[1]),
            len(noticed) >= MUTATIONS_MIN and all(r["noticed"] for r in mutations)))
    return out


def median(values):
    return sorted(values)[len(values) // 2] if values else float("nan")


def summary(all_rows, good):
    announced = [r["seconds"] for r in good if not r["looked"] and not r.get("rebooted")]
    looked = [r["seconds"] for r in good if r["looked"] and not r.get("rebooted")]
    first = [r for r in good if behind(r) is not None]
    ahead = [r for r in first if behind(r) <= 0]
    silent = [r for r in good if not any(r["peers"].values())]
    return ("%d faults were injected, %d judged as they should be. From the kernel's word to the verdict: median %.2f s, longest %.2f s (%d faults); "
            "from a look: median %.2f s, longest %.2f s (%d faults). Of %d faults a peer said something that can be compared, of %d none said anything; "
            "veille was first or as fast in %d.\n\n" %
            (len(all_rows), len(good), median(announced), max(announced, default=0), len(announced), median(looked), max(looked, default=0),
             len(looked), len(first), len(silent), len(ahead)))


def main():
    all_rows, control, mutations = list(rows()), list(rows("control")), list(rows("mutations"))
    good = [r for r in all_rows if "problem" not in r]
    kept = promises(all_rows, control, mutations)
    said = "".join("- %s: %s%s.\n" % (text, cell(came, 200), "" if good_ else " (**not kept**)") for text, came, good_ in kept)
    with open(sys.argv[1], "w") as out:
        out.write(HEAD.replace("@PROMISES@\n", "What is promised, and what came of it in this run:\n\n" + said + "\n"))
        out.write(summary(all_rows, good))
        out.write("| machine | fault | what the kernel or the device showed | what veille said | seconds | after the repair | smartd | rasdaemon | mdadm --monitor |\n")
        out.write("|---|---|---|---|---|---|---|---|---|\n")
        out.writelines(line(r) + "\n" for r in all_rows)
        if mutations:
            out.write("\n| machine | disabled | the fault that then went unseen | noticed |\n|---|---|---|---|\n")
            out.writelines("| %s | `%s` | %s | %s |\n" % (r["machine"], r["mutation"], cell(r["fault"]), "yes" if r["noticed"] else "**no**") for r in mutations)
    for text, came, good_ in kept:
        print("%s - %s: %s" % ("ok" if good_ else "not ok", text, came))
    return 0 if all(good_ for _, _, good_ in kept) else 1


sys.exit(main())
