#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 900
"""Healthy disks as a kernel shows them: ATA behind PIIX (libatasmart reads it) and behind AHCI (libatasmart gives up, smartctl does
not), NVMe, a SCSI disk without SMART. What the probe finds and reads, and that disks test themselves when they are told to."""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "vm"))
import image
from machine import Disk, Machine


def say(good, name, detail=""):
    print(("ok" if good else "not ok") + " - " + name + ("" if good else ": " + str(detail)[:900]), flush=True)


def probe(m, *words):
    return [json.loads(line) for line in m.sh("veille-probe " + " ".join(words))[1] if line.startswith("{")]


def samples(m, check, instance, *options):
    lines = probe(m, *options, "run", check, instance)
    return {s["metric"]: s for s in lines if s.get("type") == "sample"}, lines[-1]


def found(m, names):
    ata = {i["instance"]: i["id"] for i in probe(m, "list", "smart-ata")}
    smart = {i["instance"]: (i["component"], i["id"]) for i in probe(m, "list", "smart")}
    say(set(ata) == {names["piix"], names["ahci"]} and ata[names["piix"]] == "5000c500a1b2c3d4", "both ATA disks belong to smart-ata, the id is the WWN", ata)
    say(smart.get("nvme0") == ("nvme0n1", "NVME") and set(smart) == {"nvme0", names["scsi"]}, "NVMe and SCSI to smart", smart)


def healthy(m, names):
    s, end = samples(m, "smart-ata", names["piix"])
    say(end["result"] == "ok" and s["disk_info"]["labels"]["source"] == "libatasmart" and s["disk_smart_passed"]["value"] == 1 and
        s["disk_temperature_celsius"]["value"] == 31 and "disk_read_by_fallback" not in s, "PIIX: libatasmart reads it", (s, end))
    say(s["disk_capacity_bytes"]["value"] == 16 << 20 and s["disk_info"]["labels"]["serial_number"] == "PIIX", "with its identity", s)
    s, end = samples(m, "smart-ata", names["ahci"])
    say(end["result"] == "ok" and s["disk_info"]["labels"]["source"] == "smartctl" and s["disk_read_by_fallback"]["value"] == 1 and
        s["disk_smart_passed"]["value"] == 1, "AHCI: libatasmart gives up, smartctl reads it, and that is said", (s, end))
    s, end = samples(m, "smart", "nvme0")
    say(end["result"] == "ok" and s["disk_health_failed"]["value"] == 0 and s["disk_temperature_celsius"]["value"] == 50, "NVMe: smartctl reads it", (s, end))
    say("disk_available_spare_margin_ratio" not in s, "spare 0 of 0 of a virtual drive is nothing to judge", s)
    s, end = samples(m, "smart", names["scsi"])
    say(end["result"] in ("nodata", "ok") and s.get("disk_smart_passed", {}).get("value", 1) == 1, "SCSI without SMART is no fault", (s, end))
    code, out = m.sh("smartctl -j -a /dev/nvme0 | veillectl judge -")
    say(code == 0 and json.loads(out[0])["level"] == "ok", "veillectl judge agrees", (code, out))


def testing_themselves(m, names):
    """QEMU's ATA disks test themselves in no time; its NVMe drive says that it has no such test."""
    for disk, path in ((names["piix"], "libatasmart"), (names["ahci"], "smartctl")):
        before, _ = samples(m, "smart-ata", disk)
        say("disk_selftest_start" not in before, path + ": reading starts no test", before)
        s, end = samples(m, "smart-ata", disk, "--selftest", "short")
        say(end["result"] == "ok" and s["disk_selftest_start"]["labels"]["answer"] == "begun", "a test begins through " + path, (s, end))
        s, end = samples(m, "smart-ata", disk)
        say(s["disk_selftest_running"]["value"] == 0 and s["disk_selftest_last_result"]["labels"]["result"] == "passed", path + ": it passed", s)
    lines = probe(m, "run", "--selftest", "long", "smart", "nvme0")
    start = [l for l in lines if l.get("metric") == "disk_selftest_start"]
    say(start and start[0]["labels"]["answer"] == "unsupported", "NVMe without self-tests says so", lines[-3:])
    out = m.sh("smartctl -l selftest /dev/" + names["piix"])[1]
    say(any("Short offline" in line and "Completed" in line for line in out), "the disk's own log has the test", out)


def vanishing(m, names):
    m.do("echo 1 >/sys/block/%s/device/delete" % names["ahci"])
    _, end = samples(m, "smart-ata", names["ahci"])
    say(end["result"] == "failed" and "not there" in end["why"], "a disk that was pulled is a failure with a sentence", end)
    m.unplug("nvme")
    m.until("[ ! -e /sys/class/nvme/nvme0 ]")
    _, end = samples(m, "smart", "nvme0")
    say(end["result"] == "failed" and "not there" in end["why"], "so is an NVMe that left", end)


def main():
    missing = image.missing()
    if missing:
        print("ok - disks in a virtual machine # SKIP not here: " + " ".join(missing))
        return
    disks = [Disk("piix", "ata", 16, "wwn=0x5000c500a1b2c3d4"), Disk("ahci", "ahci", 16), Disk("nvme", "nvme", 16), Disk("scsi", "scsi", 16)]
    with Machine("pc", disks) as m:
        names = {name: m.name(name) for name in m.disks}
        for part in (found, healthy, testing_themselves, vanishing):
            part(m, names)


main()
