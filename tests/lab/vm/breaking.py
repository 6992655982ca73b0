# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be broken from outside of a virtual machine, and mended again: the half of Machine (machine.py) that faults are made of."""

import signal
import struct

POWER_AT = 0x8000000  # a page of the guest's memory that guest/power.dsl reads
POWER_PAGE = 4096


class Breaking:
    def fail(self, disk, *kinds, sector=None, errno=5, once=False):
        """read, write, flush: these fail from now on, at one sector of 512 bytes or everywhere."""
        number = self.injected.get(disk, 0) + 1
        self.injected[disk] = number
        rules = [dict({"event": "none", "iotype": k, "errno": errno, "once": once}, **({} if sector is None else {"sector": sector}))
                 for k in kinds]
        node = "fault%d-%s" % (number, disk)
        self.qmp("blockdev-add", **{"driver": "blkdebug", "node-name": node, "image": "file-" + disk, "inject-error": rules})
        self.reopen(disk, node)

    def heal(self, disk):
        self.reopen(disk, "file-" + disk)

    def freeze(self, disk):
        """It answers nothing any more, without an error: a byte a second. thaw() lets what waits through."""
        if "group-" + disk not in self.injected:
            self.injected["group-" + disk] = 1
            self.qmp("object-add", **{"qom-type": "throttle-group", "id": "group-" + disk, "limits": {"bps-total": 1}})
            self.qmp("blockdev-add", **{"driver": "throttle", "node-name": "frozen-" + disk, "throttle-group": "group-" + disk, "file": "file-" + disk})
        self.reopen(disk, "frozen-" + disk)

    def thaw(self, disk):
        self.heal(disk)

    def corrupt(self, disk, at, data):
        """Changes what is on the medium; nobody is told."""
        with open("%s/%s" % (self.directory, disk), "r+b") as f:
            f.seek(at)
            f.write(data)

    def reopen(self, disk, file):
        self.qmp("blockdev-reopen", options=[{"driver": "raw", "node-name": "disk-" + disk, "file": file}])

    def unplug(self, disk):
        self.qmp("device_del", id=disk)
        self.event("DEVICE_DELETED")

    def plug(self, disk):
        self.qmp("device_add", **self.device(self.disks[disk]))

    def power(self, mains=True, battery=1.0, celsius=30):
        """What adapter, battery and thermal zone say from now on."""
        state = 0 if mains else 1  # 1: discharging
        struct.pack_into("<5I", self.page, POWER_AT, int(mains), state, 0 if mains else 20000, int(50000 * battery), int((celsius + 273.2) * 10))

    def pause(self, how):
        """clock: the guest's clocks stand still meanwhile (QMP stop). host: they run on (SIGSTOP). Ends with resume()."""
        if how == "clock":
            self.qmp("stop")
        else:
            self.process.send_signal(signal.SIGSTOP)

    def resume(self, how):
        if how == "clock":
            self.qmp("cont")
        else:
            self.process.send_signal(signal.SIGCONT)
