#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Would the lab notice if veille were blind? Each mutation disables one check or one rule; the fault that it is for is injected twice in
the same machine, at first without the mutation, where it must be judged rightly, then with it, where the lab must miss the verdict.
A family boots once for all of its mutations (faults.Lab.mutant)."""

import json
import os
import re
import subprocess
import sys

import image

HERE = os.path.dirname(os.path.abspath(__file__))


def rule(name):
    return "rule " + name, "[rule %s]\nenabled = no" % name


def check(name):
    return "check " + name, "[check %s]\nenabled = no" % name


# family, fault, mutations
TABLE = [
    ("../vm_ata.py", "some reallocated sectors", [rule("failure-score")]),
    ("../vm_ata.py", "pre-fail attribute at its threshold", [rule("attribute-prefail"), check("smart-ata")]),
    ("../vm_ata.py", "pre-fail attribute was at its threshold", [rule("attribute-failed-past")]),
    ("../vm_ata.py", "SMART status FAILED", [rule("smart-failed")]),
    ("../vm_ata.py", "self-test failed", [rule("self-test-failed")]),
    ("long_nvme.py", "NVMe: spare is used up", [rule("nvme-spare"), check("smart")]),
    ("long_nvme.py", "NVMe: temperature warning", [rule("nvme-temperature")]),
    ("long_nvme.py", "NVMe: media is read-only", [rule("nvme-read-only")]),
    ("long_nvme.py", "NVMe: backup of the cache failed", [rule("nvme-backup")]),
    ("long_parts.py", "power: mains lost", [rule("power-on-battery"), check("power")]),
    ("long_parts.py", "power: battery nearly empty", [rule("battery-low")]),
    ("long_parts.py", "sensor chip: above its critical limit", [rule("sensor-temperature-critical"), check("sensors")]),
    ("long_parts.py", "network: a card lost its link", [rule("net-link-lost"), check("net")]),
    ("long_parts.py", "network: no way out has link", [rule("net-cut-off")]),
    ("long_parts.py", "network: a bond lost a member", [rule("bond-degraded")]),
    ("long_ext4.py", "ext4: the mail store is full", [rule("fs-space"), check("fs")]),
    ("long_ext4.py", "ext4: the device under it gives nothing but errors", [rule("write-failed"), check("latency")]),
    ("../vm_md.py", "mirror: a member is set faulty by hand", [rule("raid-unprotected"), check("raid")]),
    ("../vm_md.py", "mirror: its halves differ", [rule("raid-mismatch-mirror")]),
    ("long_ipmi.py", "IPMI: a critical temperature", [rule("ipmi-temperature")]),
    ("long_ipmi.py", "IPMI: a fan that stopped", [rule("ipmi-fan")]),
    ("long_ipmi.py", "IPMI: a power supply that failed", [rule("ipmi-power")]),
]


def main():
    missing = image.missing()
    if missing:
        print("ok - mutations in virtual machines # SKIP not here: " + " ".join(missing))
        return 0
    wanted, bad = sys.argv[1:], 0
    for script in dict.fromkeys(s for s, _, _ in TABLE):
        if wanted and not any(w in script for w in wanted):
            continue
        mutations = [(what, config, "^%s$" % re.escape(fault)) for s, fault, changes in TABLE if s == script for what, config in changes]
        only = "|".join(dict.fromkeys(pattern for _, _, pattern in mutations))
        env = dict(os.environ, LAB_MUTATIONS=json.dumps(mutations), LAB_ONLY=only, LAB_MACHINE="pc", BUILD=image.BUILD)
        env.pop("LAB_LONG", None)
        bad += subprocess.run([os.path.join(HERE, script)], stdin=subprocess.DEVNULL, env=env).returncode != 0
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
