# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A management controller for a lab machine, spoken to through QEMU's ipmi-bmc-extern: what the kernel and FreeIPMI ask for, no more.

    bmc = Bmc(); Machine("pc", bmc=bmc.path)
    bmc.values["CPU Temp"] = 97; bmc.log(...); bmc.hangs = True; bmc.close()

Every request is remembered with its time (bmc.asked), so that a test can prove that a reading was really asked for. The framing is QEMU's
(hw/ipmi/ipmi_bmc_extern.c): sequence, netfn << 2 | lun, command, data, checksum, 0xA0; 0xA0, 0xA1 and 0xAA are escaped by 0xAA."""

import os
import socket
import struct
import tempfile
import threading
import time

END, COMMAND_END, ESCAPE = 0xA0, 0xA1, 0xAA
TEMPERATURE, FAN, POWER_SUPPLY = 0x01, 0x04, 0x08
THRESHOLD, SENSOR_SPECIFIC = 0x01, 0x6F
BAD_COMMAND, NOT_PRESENT = b"\xc1", b"\xcb"


def record(number, kind, body, name):
    """A sensor data record, IPMI 2.0 chapter 43."""
    body += bytes([0xC0 | len(name)]) + name.encode()
    return struct.pack("<HBBB", number, 0x51, kind, len(body)) + body


def analog(number, name, sensor_type, unit, entity, thresholds, factor=1):
    key = bytes([0x20, 0, number, entity, 1, 0x7F, 0x68, sensor_type, THRESHOLD])
    scale = bytes([0, unit, 0, 0, factor, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0])
    return record(number, 1, key + struct.pack("<HHH", 0x0A95, 0x0FFF, 0x3F3F) + scale + bytes(thresholds) + bytes([2, 2, 0, 0, 0]), name)


def discrete(number, name, sensor_type, entity, mask):
    key = bytes([0x20, 0, number, entity, number, 0x67, 0x40, sensor_type, SENSOR_SPECIFIC])
    return record(number, 2, key + struct.pack("<HHH", mask, mask, mask) + bytes([0xC0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]), name)


# name: (number, thresholds UNR UC UNC LNR LC LNC or None, record)
SENSORS = {
    "CPU Temp": (1, (100, 95, 85, 0, 0, 5), analog(1, "CPU Temp", TEMPERATURE, 1, 3, (100, 95, 85, 0, 0, 5))),
    "FAN1": (2, (255, 254, 253, 5, 10, 20), analog(2, "FAN1", FAN, 18, 29, (255, 254, 253, 5, 10, 20), factor=50)),
    "PS1 Status": (3, None, discrete(3, "PS1 Status", POWER_SUPPLY, 10, 0x0F)),
}


class Bmc:
    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="veille-bmc-")
        self.path = self.directory + "/bmc"
        self.values = {"CPU Temp": 40, "FAN1": 100, "PS1 Status": 1}  # a discrete sensor's value is its mask of states
        self.entries, self.asked, self.hangs = [], [], False
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(1)
        threading.Thread(target=self.serve, daemon=True).start()

    def close(self):
        self.listener.close()
        os.unlink(self.path)
        os.rmdir(self.directory)

    def log(self, sensor, offset):
        """An event of this sensor in the system event log: it came true now."""
        number, thresholds, _ = SENSORS[sensor]
        kind = {"CPU Temp": TEMPERATURE, "FAN1": FAN, "PS1 Status": POWER_SUPPLY}[sensor]
        code = THRESHOLD if thresholds else SENSOR_SPECIFIC
        self.entries.append(struct.pack("<HBIHBBBBBBB", len(self.entries) + 1, 2, int(time.time()), 0x20, 4, kind, number, code, offset, 0xFF, 0xFF))

    # --- the wire ---------------------------------------------------------------------------------

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            # What it can do, as QEMU wants to know it: version 1, attention, power off, reset.
            connection.sendall(bytes([0xFF, 1, COMMAND_END, 0x08, 0x3F, COMMAND_END]))
            try:
                self.talk(connection)
            except OSError:
                pass

    def talk(self, connection):
        message, escaped = bytearray(), False
        while True:
            data = connection.recv(4096)
            if not data:
                return
            for byte in data:
                if byte == END:
                    self.answer(connection, bytes(message))
                    message.clear()
                elif byte == COMMAND_END:
                    message.clear()  # QEMU tells of resets and interrupts; nothing is to be done
                elif byte == ESCAPE:
                    escaped = True
                else:
                    message.append(byte & ~0x10 if escaped else byte)
                    escaped = False

    def answer(self, connection, message):
        if len(message) < 4 or sum(message) & 0xFF:
            return
        sequence, netfn, command, data = message[0], message[1] >> 2, message[2], message[3:-1]
        self.asked.append((time.monotonic(), netfn, command, data))
        if self.hangs:
            return
        handler = HANDLERS.get((netfn, command))
        reply = handler(self, data) if handler else BAD_COMMAND
        out = bytes([sequence, (netfn | 1) << 2, command]) + reply
        out += bytes([-sum(out) & 0xFF])
        framed = bytearray()
        for byte in out:
            framed += bytes([ESCAPE, byte | 0x10]) if byte in (END, COMMAND_END, ESCAPE) else bytes([byte])
        connection.sendall(bytes(framed) + bytes([END]))

    # --- answers: completion code and data ------------------------------------------------------------

    def device_id(self, _):
        return bytes([0, 0x20, 0x81, 1, 0, 0x02, 0x8E]) + b"\x12\x34\x00" + b"\x01\x00" + bytes(4)

    def fine(self, _):
        return b"\0"

    def zero(self, _):
        return b"\0\0"

    def sdr_info(self, _):
        return struct.pack("<BBHHIIB", 0, 0x51, len(SENSORS), 0xFFFF, 1, 1, 0x02)

    def reserve(self, _):
        return b"\0\1\0"

    def sdr(self, data):
        _, number, offset, size = struct.unpack("<HHBB", data)
        records = [r for _, _, r in SENSORS.values()]
        at = 0 if number == 0 else number - 1
        if at >= len(records):
            return NOT_PRESENT
        following = at + 2 if at + 1 < len(records) else 0xFFFF
        return struct.pack("<BH", 0, following) + (records[at][offset:] if size == 0xFF else records[at][offset:offset + size])

    def named(self, number):
        return next(((name, t) for name, (n, t, _) in SENSORS.items() if n == number), (None, None))

    def reading(self, data):
        name, thresholds = self.named(data[0])
        if name is None:
            return NOT_PRESENT
        value = self.values[name]
        if not thresholds:
            return struct.pack("<BBBH", 0, 0, 0xC0, 0x8000 | value)
        unr, uc, unc, lnr, lc, lnc = thresholds
        state = (value <= lnc) | (value <= lc) << 1 | (value <= lnr) << 2 | (value >= unc) << 3 | (value >= uc) << 4 | (value >= unr) << 5
        return bytes([0, value, 0xC0, 0xC0 | state])

    def thresholds(self, data):
        _, t = self.named(data[0])
        return NOT_PRESENT if not t else bytes([0, 0x3F, t[5], t[4], t[3], t[2], t[1], t[0]])

    def sel_info(self, _):
        return struct.pack("<BBHHIIB", 0, 0x51, len(self.entries), 0x1000, int(time.time()), 0, 0x02)

    def sel_entry(self, data):
        _, number, offset, size = struct.unpack("<HHBB", data)
        at = 0 if number == 0 else len(self.entries) - 1 if number == 0xFFFF else number - 1
        if at < 0 or at >= len(self.entries):
            return NOT_PRESENT
        following = at + 2 if at + 1 < len(self.entries) else 0xFFFF
        entry = self.entries[at]
        return struct.pack("<BH", 0, following) + (entry[offset:] if size == 0xFF else entry[offset:offset + size])

    def sel_time(self, _):
        return struct.pack("<BI", 0, int(time.time()))


HANDLERS = {
    (0x06, 0x01): Bmc.device_id, (0x06, 0x2E): Bmc.fine, (0x06, 0x2F): Bmc.zero, (0x06, 0x30): Bmc.fine, (0x06, 0x31): Bmc.zero,
    (0x0A, 0x20): Bmc.sdr_info, (0x0A, 0x22): Bmc.reserve, (0x0A, 0x23): Bmc.sdr, (0x04, 0x2D): Bmc.reading, (0x04, 0x27): Bmc.thresholds,
    (0x0A, 0x40): Bmc.sel_info, (0x0A, 0x42): Bmc.reserve, (0x0A, 0x43): Bmc.sel_entry, (0x0A, 0x48): Bmc.sel_time,
}
