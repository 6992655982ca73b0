#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 400
"""Disks as a kernel shows them, in one virtual machine: ATA behind PIIX (libatasmart reads it) and behind AHCI (libatasmart
says "not supported", smartctl does not), NVMe, a SCSI disk without SMART. The probe runs inside as PID 1's only program;
from outside the disks are made to fail: NVMe by QEMU's own monitor, the SMART table of ATA by writing into QEMU's memory.
Needs qemu-system-x86, busybox-static, kmod; downloads Debian's kernel once (build/lab)."""

import glob
import json
import os
import shutil
import socket
import struct
import subprocess
import tempfile
import time

BUILD = os.path.abspath(os.environ.get("BUILD", "build"))
LAB = BUILD + "/lab"
MODULES = ["ata_piix", "ahci", "sd_mod", "nvme", "virtio_pci", "virtio_scsi"]
INIT = """#!/bin/busybox sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
/bin/busybox --install -s /bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev; mount -t tmpfs run /run
for m in %s; do insmod /modules/$m; done
exec 5<>/dev/ttyS1
stty -F /dev/ttyS1 raw -echo
echo READY >&5
while read -r line <&5; do eval "$line" >/tmp/out 2>&1; code=$?; cat /tmp/out >&5; echo "END $code" >&5; done
"""


def say(good, name, detail=""):
    print(("ok" if good else "not ok") + " - " + name + ("" if good else ": " + str(detail)[:900]), flush=True)


def run(*args, **kw):
    return subprocess.run(args, check=True, capture_output=True, text=True, **kw).stdout


# --- the image ------------------------------------------------------------------------------------


def kernel():
    """Unpacked Debian kernel: (vmlinuz, module directory)."""
    os.makedirs(LAB, exist_ok=True)
    root = LAB + "/kernel"
    if not glob.glob(root + "/lib/modules/*/modules.dep"):
        name = [l.split()[-1] for l in run("apt-cache", "depends", "linux-image-amd64").splitlines() if "Depends: linux-image" in l][0]
        run("apt-get", "-qq", "-o", "APT::Sandbox::User=", "download", name, cwd=LAB)
        deb = glob.glob(LAB + "/linux-image-*.deb")[0]
        run("dpkg-deb", "-x", deb, root)
        os.unlink(deb)
        run("depmod", "-b", root, os.path.basename(glob.glob(root + "/lib/modules/*")[0]))
    return glob.glob(root + "/boot/vmlinuz-*")[0], glob.glob(root + "/lib/modules/*")[0]


def module_order(directory):
    """Paths of MODULES and all they need, in the order to load them."""
    needs = {}
    with open(directory + "/modules.dep") as f:
        for line in f:
            path, rest = line.split(":")
            needs[path] = rest.split()
    by_name = {os.path.basename(p).split(".")[0].replace("-", "_"): p for p in needs}
    order = []
    for name in MODULES:
        if name in by_name:  # else it is built in
            order += [p for p in reversed(needs[by_name[name]]) if p not in order] + [by_name[name]]
    return order


def add(files, source, target=None):
    with open(source, "rb") as f:
        files[(target or source).lstrip("/")] = (0o100755, f.read())


def add_program(files, path, target):
    add(files, path, target)
    for line in run("ldd", path).splitlines():
        for word in line.split():
            if word.startswith("/"):
                add(files, os.path.realpath(word), word)
                break


def cpio(files):
    """The "newc" format: what the kernel unpacks."""
    out, directories = bytearray(), set()
    for path in files:
        parts = path.split("/")[:-1]
        directories.update("/".join(parts[:i + 1]) for i in range(len(parts)))
    entries = [(d, 0o040755, b"") for d in sorted(directories | {"proc", "sys", "dev", "run", "tmp", "etc"})]
    entries += [(p, mode, data) for p, (mode, data) in files.items()] + [("TRAILER!!!", 0, b"")]
    for number, (name, mode, data) in enumerate(entries):
        head = "070701" + "".join("%08x" % v for v in (number + 1, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0))
        out += head.encode() + name.encode() + b"\0"
        out += b"\0" * (-len(out) % 4) + data
        out += b"\0" * (-len(out) % 4)
    return bytes(out)


def image(directory):
    vmlinuz, modules = kernel()
    files = {}
    order = module_order(modules)
    for path in order:
        add(files, modules + "/" + path, "modules/" + os.path.basename(path))
    add(files, "/bin/busybox", "bin/busybox")
    add_program(files, BUILD + "/veille-probe", "usr/sbin/veille-probe")
    add_program(files, BUILD + "/veillectl", "usr/bin/veillectl")
    add_program(files, "/usr/sbin/smartctl", "usr/sbin/smartctl")
    files["init"] = (0o100755, (INIT % " ".join(os.path.basename(p) for p in order)).encode())
    with open(directory + "/initrd", "wb") as f:
        f.write(cpio(files))
    return vmlinuz


# --- the machine ----------------------------------------------------------------------------------


class Machine:
    def __init__(self, directory):
        vmlinuz = image(directory)
        for name in ("ide", "ahci", "nvme", "scsi"):
            with open("%s/%s" % (directory, name), "wb") as f:
                f.truncate(16 << 20)
        drive = lambda name: ["-drive", "file=%s/%s,format=raw,if=none,id=%s" % (directory, name, name)]
        command = ["qemu-system-x86_64", "-machine", "pc,accel=tcg", "-m", "512", "-nodefaults", "-display", "none", "-no-reboot",
                   "-kernel", vmlinuz, "-initrd", directory + "/initrd", "-append", "console=ttyS0 quiet panic=-1",
                   "-serial", "file:%s/console" % directory,
                   "-chardev", "socket,id=c,path=%s/tty,server=on,wait=off" % directory, "-device", "isa-serial,chardev=c",
                   "-qmp", "unix:%s/qmp,server=on,wait=off" % directory, "-device", "ahci,id=ahci", "-device", "virtio-scsi-pci,id=vs"]
        command += drive("ide") + ["-device", "ide-hd,bus=ide.0,drive=ide,serial=IDE1,wwn=0x5000c500a1b2c3d4"]
        command += drive("ahci") + ["-device", "ide-hd,bus=ahci.0,drive=ahci,serial=AHCI1"]
        command += drive("nvme") + ["-device", "nvme,drive=nvme,serial=NVME1,id=nv0"]
        command += drive("scsi") + ["-device", "scsi-hd,bus=vs.0,drive=scsi,serial=SCSI1"]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        self.tty = self.connect(directory + "/tty")
        self.lines = self.tty.makefile("rb")
        self.qmp_socket = self.connect(directory + "/qmp")
        self.qmp_lines = self.qmp_socket.makefile("rb")
        self.qmp_lines.readline()
        self.qmp("qmp_capabilities")
        while self.lines.readline().strip() != b"READY":
            pass

    def connect(self, path):
        stop = time.monotonic() + 20
        while True:
            try:
                s = socket.socket(socket.AF_UNIX)
                s.connect(path)
                s.settimeout(120)
                return s
            except OSError:
                if time.monotonic() > stop or self.process.poll() is not None:
                    raise
                time.sleep(0.1)

    def qmp(self, name, **arguments):
        self.qmp_socket.sendall((json.dumps({"execute": name, "arguments": arguments}) + "\n").encode())
        while True:
            answer = json.loads(self.qmp_lines.readline())
            if "event" not in answer:
                return answer

    def sh(self, command):
        """Runs it inside: (exit status, output lines)."""
        self.tty.sendall(command.encode() + b"\n")
        out = []
        while True:
            line = self.lines.readline().decode("utf-8", "replace").rstrip("\r\n")
            if line.startswith("END "):
                return int(line[4:]), out
            out.append(line)

    def probe(self, *words):
        code, out = self.sh("veille-probe " + " ".join(words))
        return [json.loads(line) for line in out if line.startswith("{")]

    def samples(self, check, instance, *options):
        lines = self.probe(*options, "run", check, instance)
        return {s["metric"]: s for s in lines if s.get("type") == "sample"}, lines[-1]

    # QEMU keeps one constant table for all its ATA disks: rows of 12 ints {id, flags, flags, value, worst, raw * 6, threshold}.
    def patch_attribute(self, attribute, value, raw):
        pattern = struct.pack("<12i", 5, 3, 0, 100, 100, 0, 0, 0, 0, 0, 0, 36)
        with open("/proc/%d/maps" % self.process.pid) as f:
            ranges = [line.split() for line in f if "qemu-system" in line and " r" in line]
        with open("/proc/%d/mem" % self.process.pid, "r+b", 0) as mem:
            for fields in ranges:
                start, end = (int(x, 16) for x in fields[0].split("-"))
                mem.seek(start)
                data = mem.read(end - start)
                at = data.find(pattern)
                if at < 0:
                    continue
                first = start + at - 3 * 48
                for row in range(12):
                    mem.seek(first + row * 48)
                    numbers = list(struct.unpack("<12i", mem.read(48)))
                    if numbers[0] == attribute:
                        numbers[3] = numbers[4] = value
                        numbers[5:11] = [raw >> 8 * k & 255 for k in range(6)]
                        mem.seek(first + row * 48)
                        mem.write(struct.pack("<12i", *numbers))
                        return True
        return False


def disks_are_found(m):
    ata = m.probe("list", "smart-ata")
    smart = m.probe("list", "smart")
    say([(i["instance"], i["id"]) for i in ata if i["instance"] == "sda"] == [("sda", "5000c500a1b2c3d4")] and len(ata) == 2,
        "both ATA disks belong to smart-ata, the id is the WWN", ata)
    say(sorted((i["instance"], i["component"]) for i in smart) == [("nvme0", "nvme0n1"), ("sdc", "sdc")] and smart[0]["id"] == "NVME1",
        "NVMe and SCSI to smart", smart)


def healthy(m):
    s, end = m.samples("smart-ata", "sda")
    say(end["result"] == "ok" and s["disk_info"]["labels"]["source"] == "libatasmart" and s["disk_smart_passed"]["value"] == 1 and
        s["disk_temperature_celsius"]["value"] == 31 and "disk_read_by_fallback" not in s, "PIIX: libatasmart reads it", (s, end))
    say(s["disk_capacity_bytes"]["value"] == 16 << 20 and s["disk_info"]["labels"]["serial_number"] == "IDE1", "with its identity", s)
    s, end = m.samples("smart-ata", "sdb")
    say(end["result"] == "ok" and s["disk_info"]["labels"]["source"] == "smartctl" and s["disk_read_by_fallback"]["value"] == 1 and
        s["disk_smart_passed"]["value"] == 1, "AHCI: libatasmart gives up, smartctl reads it, and that is said", (s, end))
    s, end = m.samples("smart", "nvme0")
    say(end["result"] == "ok" and s["disk_health_failed"]["value"] == 0 and s["disk_temperature_celsius"]["value"] == 50,
        "NVMe: smartctl reads it", (s, end))
    say("disk_available_spare_margin_ratio" not in s, "spare 0 of 0 of a virtual drive is nothing to judge", s)
    s, end = m.samples("smart", "sdc")
    say(end["result"] in ("nodata", "ok") and s.get("disk_smart_passed", {}).get("value", 1) == 1, "SCSI without SMART is no fault", (s, end))
    code, out = m.sh("smartctl -j -a /dev/nvme0 | veillectl judge -")
    say(code == 0 and json.loads(out[0])["level"] == "ok", "veillectl judge agrees", (code, out))


def failing(m):
    for bits, name in ((1, "spare"), (2, "temperature"), (4, "reliability"), (8, "read-only"), (16, "backup")):
        m.qmp("qom-set", path="/machine/peripheral/nv0", property="smart_critical_warning", value=bits)
        lines = m.probe("run", "smart", "nvme0")
        on = [s["labels"]["bit"] for s in lines if s.get("metric") == "disk_nvme_critical_warning" and s["value"] == 1]
        passed = [s["value"] for s in lines if s.get("metric") == "disk_smart_passed"]
        say(on == [name] and passed == [0], "NVMe critical warning %d is %s" % (bits, name), lines[-1])
    code, out = m.sh("smartctl -j -a /dev/nvme0 | veillectl judge -")
    say(code == 2 and json.loads(out[0])["level"] == "critical", "veillectl judge: critical", (code, out))

    say(m.patch_attribute(5, 20, 4000), "the SMART table of this QEMU was found")
    for disk in ("sda", "sdb"):
        lines = m.probe("run", "smart-ata", disk)
        failed = [s["labels"] for s in lines if s.get("metric") == "disk_attribute_failed_now" and s["value"] == 1]
        sectors = [s["value"] for s in lines if s.get("metric") == "disk_reallocated_sectors"]
        say([f["attribute_id"] for f in failed] == ["5"] and failed[0]["prefailure"] == "yes" and sectors == [4000],
            "%s: 4000 reallocated sectors, at the threshold" % disk, (failed, sectors, lines[-1]))


def vanishing(m):
    m.sh("echo 1 > /sys/block/sdb/device/delete")
    _, end = m.samples("smart-ata", "sdb")
    say(end["result"] == "failed" and "not there" in end["why"], "a disk that was pulled is a failure with a sentence", end)
    m.qmp("device_del", id="nv0")
    stop = time.monotonic() + 20
    while time.monotonic() < stop and m.probe("list", "smart")[0]["instance"] == "nvme0":
        time.sleep(0.2)
    _, end = m.samples("smart", "nvme0")
    say(end["result"] == "failed" and "not there" in end["why"], "so is an NVMe that left", end)


def testing_themselves(m):
    """QEMU's ATA disks test themselves in no time; its NVMe drive says that it has no such test."""
    for disk, path in (("sda", "libatasmart"), ("sdb", "smartctl")):
        before, end = m.samples("smart-ata", disk)
        say("disk_selftest_start" not in before, disk + ": reading starts no test", before)
        s, end = m.samples("smart-ata", disk, "--selftest", "short")
        say(end["result"] == "ok" and s["disk_selftest_start"]["labels"]["answer"] == "begun", disk + ": a test begins through " + path, (s, end))
        s, end = m.samples("smart-ata", disk)
        say(s["disk_selftest_running"]["value"] == 0 and s["disk_selftest_last_result"]["labels"]["result"] == "passed", disk + ": it passed", s)
    lines = m.probe("run", "--selftest", "long", "smart", "nvme0")
    start = [l for l in lines if l.get("metric") == "disk_selftest_start"]
    say(start and start[0]["labels"]["answer"] == "unsupported", "NVMe without self-tests says so", lines[-3:])
    code, out = m.sh("smartctl -l selftest /dev/sda")
    say(any("Short offline" in line and "Completed" in line for line in out), "the disk's own log has the test", out)


def main():
    missing = [p for p in ("qemu-system-x86_64", "depmod", "apt-get") if not shutil.which(p)]
    if missing or not os.path.exists("/bin/busybox"):
        print("ok - disks in a virtual machine # SKIP not here: " + " ".join(missing or ["/bin/busybox"]))
        return
    directory = tempfile.mkdtemp(prefix="veille-disks-vm-")
    machine = None
    try:
        machine = Machine(directory)
        disks_are_found(machine)
        healthy(machine)
        testing_themselves(machine)
        failing(machine)
        vanishing(machine)
    finally:
        if machine:
            machine.process.kill()
            machine.process.wait()
        shutil.rmtree(directory)


main()
