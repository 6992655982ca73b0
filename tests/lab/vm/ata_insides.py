# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""QEMU's ATA disks have SMART but no way to make it bad. Their tables lie in QEMU's own memory, which belongs to us: this writes
there, in a running, unchanged QEMU. What is not found where it is looked for is an error, so a new QEMU fails loudly.

hw/ide/core.c: one constant table for all disks of a process, rows of 12 ints {id, flags, flags, value, worst, raw * 6, threshold}.
include/hw/ide/internal.h: IDEState { ... char drive_serial_str[21]; char drive_model_str[41]; ... uint8_t smart_enabled, smart_autosave;
int smart_errors; uint8_t smart_selftest_count; uint8_t *smart_selftest_data; ... }"""

import re
import struct

ROW = struct.Struct("<12i")
SHIPPED = {1: (100, 100, 0), 3: (100, 100, 16), 5: (100, 100, 0)}  # value, worst, raw as QEMU has them


def ranges(pid, wanted):
    with open("/proc/%d/maps" % pid) as f:
        for line in f:
            fields = line.split()
            start, end = (int(x, 16) for x in fields[0].split("-"))
            if wanted(fields):
                yield start, end


def read(pid, at, size):
    with open("/proc/%d/mem" % pid, "rb", 0) as f:
        f.seek(at)
        return f.read(size)


def write(pid, at, data):
    with open("/proc/%d/mem" % pid, "r+b", 0) as f:
        f.seek(at)
        f.write(data)


class Smart:
    """The SMART of a machine's ATA disks."""

    def __init__(self, pid):
        self.pid, self.table = pid, None
        pattern = ROW.pack(5, 3, 0, 100, 100, 0, 0, 0, 0, 0, 0, 36)
        for start, end in ranges(pid, lambda f: f[1].startswith("r") and "qemu-system" in f[-1]):
            at = read(pid, start, end - start).find(pattern)
            if at >= 0:
                self.table = start + at - 3 * ROW.size
        if not self.table:
            raise RuntimeError("this QEMU keeps its SMART attributes elsewhere")

    def attribute(self, number, value=None, raw=None, worst=None):
        for i in range(12):
            at = self.table + i * ROW.size
            row = list(ROW.unpack(read(self.pid, at, ROW.size)))
            if row[0] == number:
                row[3] = row[3] if value is None else value
                row[4] = worst if worst is not None else row[4] if value is None else value
                if raw is not None:
                    row[5:11] = [raw >> 8 * k & 255 for k in range(6)]
                write(self.pid, at, ROW.pack(*row))
                return
        raise RuntimeError("QEMU's disks have no attribute %d" % number)

    def as_shipped(self, number):
        value, worst, raw = SHIPPED[number]
        self.attribute(number, value, raw, worst)

    def state(self, serial, model=b"QEMU HARDDISK"):
        """(address of smart_errors, address of the newest entry of the self-test log). The disk must have tested itself."""
        wanted = lambda f: f[1].startswith("rw") and (f[-1] == "[heap]" or len(f) < 6)
        writable = list(ranges(self.pid, wanted))
        for start, end in writable:
            if end - start > 1 << 28:
                continue
            data = read(self.pid, start, end - start)
            for found in re.finditer(re.escape(serial.encode() + b"\0"), data):
                i = found.start()
                if data[i + 21:i + 21 + len(model)] != model:
                    continue
                for k in range(i + 62, min(i + 2000, len(data) - 24)):
                    if data[k:k + 2] != b"\1\1" or (start + k) % 4:
                        continue
                    errors, count = struct.unpack_from("<iB", data, k + 4)
                    pointer_at = (start + k + 9 + 7) // 8 * 8 - start
                    pointer = struct.unpack_from("<Q", data, pointer_at)[0]
                    if errors in (0, 1) and 1 <= count <= 21 and any(a <= pointer < b for a, b in writable):
                        entry = pointer + 2 + (count - 1) * 24
                        if read(self.pid, entry, 1)[0] in (1, 2, 129, 130):
                            return start + k + 4, entry
        raise RuntimeError("this QEMU keeps the state of its ATA disks elsewhere, or the disk has not tested itself")

    def failed(self, serial, yes=True):
        """What SMART RETURN STATUS says."""
        write(self.pid, self.state(serial)[0], struct.pack("<i", int(yes)))

    def selftest_result(self, serial, status, lba=0xffffffff):
        """The newest entry of the log: 0x73 is "read failure, 30 % left"."""
        entry = self.state(serial)[1]
        write(self.pid, entry + 1, bytes([status]))
        write(self.pid, entry + 5, struct.pack("<I", lba))
