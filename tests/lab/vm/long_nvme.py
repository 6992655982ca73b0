#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""NVMe drives: each bit of the critical warning, over temperature, the drive pulled and pushed back."""

from faults import run
from machine import Disk

BITS = [  # bit, its name in smartctl's words, rule, title
    (1, "available spare", "nvme-spare", "spare is used up"),
    (2, "temperature", "nvme-temperature", "temperature warning"),
    (4, "reliability", "smart-failed", "reliability is degraded"),
    (8, "read only", "nvme-read-only", "media is read-only"),
    (16, "volatile memory backup", "nvme-backup", "backup of the cache failed"),
]


def nvme(lab):
    with lab.machine([Disk("nv0", "nvme")]) as m:
        def warn(bits):
            return lambda: m.qmp("qom-set", path="/machine/peripheral/nv0", property="smart_critical_warning", value=bits)

        for bit, _, rule, title in lab.random.sample(BITS, len(BITS)):
            lab.fault("NVMe: " + title, warn(bit), lab.shows("smartctl -A /dev/nvme0", r"Critical Warning: +0x%02x" % bit),
                      ("nvme0n1", "critical", rule), look="smart", peers={"smartd": r"Critical Warning"}, repair=warn(0))
        lab.fault("NVMe: hotter than its own limit", lambda: m.do("nvme set-feature /dev/nvme0 -f 4 -v 0x12c"),  # 300 K; it says 323
                  lab.shows("smartctl -A /dev/nvme0", r"Critical Warning: +0x02"), ("nvme0n1", "critical", "nvme-temperature"), look="smart",
                  peers={"smartd": r"Critical Warning"}, repair=lambda: m.do("nvme set-feature /dev/nvme0 -f 4 -v 0x157"))


run("nvme", {"pc": nvme, "q35": nvme})
