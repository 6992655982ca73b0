#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 900
"""ATA disks whose SMART goes bad. Behind PIIX (pc) libatasmart reads them; behind AHCI (q35) it says "not supported" and
smartctl is asked instead, which must be said and must miss nothing."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "vm"))
from ata_insides import Smart
from faults import run
from machine import Disk


def ata(lab):
    with lab.machine([Disk("d0", "ata")], prepare=lambda m: m.do("smartctl -t short /dev/sda || [ $? -lt 8 ]")) as m:
        smart = Smart(m.process.pid)
        fallback = lab.reason(m.status(), "sda", "smart-fallback")
        lab.say((fallback is not None) == (lab.kind == "q35"), "ata %s: smartctl stands in for libatasmart on q35 only, and that is said" % lab.kind, m.brief())
        lab.fault("some reallocated sectors", lambda: smart.attribute(5, raw=120), lab.shows("smartctl -A /dev/sda", r"Reallocated.* 120$"),
                  ("sda", "warning", "failure-score"), look="smart-ata", repair=lambda: smart.as_shipped(5))
        lab.fault("pre-fail attribute at its threshold", lambda: smart.attribute(5, value=20, raw=4000),
                  lab.shows("smartctl -A /dev/sda", r"Reallocated.*FAILING_NOW"), ("sda", "critical", "attribute-prefail"), look="smart-ata",
                  peers={"smartd": r"Failed SMART|Prefail"}, repair=lambda: smart.as_shipped(5))
        lab.fault("pre-fail attribute was at its threshold", lambda: smart.attribute(5, value=100, worst=20),
                  lab.shows("smartctl -A /dev/sda", r"Reallocated.*In_the_past"), ("sda", "notice", "attribute-failed-past"), look="smart-ata",
                  repair=lambda: smart.as_shipped(5))
        lab.fault("SMART status FAILED", lambda: smart.failed("D0"), lab.shows("smartctl -H /dev/sda", r"result: FAILED"),
                  ("sda", "critical", "smart-failed"), look="smart-ata", peers={"smartd": r"FAILED SMART"}, repair=lambda: smart.failed("D0", False))
        lab.fault("self-test failed", lambda: smart.selftest_result("D0", 0x73, 4660), lab.shows("smartctl -l selftest /dev/sda", r"read failure"),
                  ("sda", "warning", "self-test-failed"), look="smart-ata", peers={"smartd": r"[Ss]elf-[Tt]est"},
                  repair=lambda: smart.selftest_result("D0", 0))


run("ata", {"pc": ata, "q35": ata})
