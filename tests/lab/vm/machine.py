# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A virtual machine whose parts fail on command: the driver.

    with Machine("pc", disks=[Disk("d0", "ata"), Disk("d1", "scsi")]) as m:
        m.sh("cat /proc/mdstat")        -> (exit status, [lines])        a command inside
        m.do("mkdir /x")                -> "text"; a status other than 0 is an error
        m.tell("...")                   a command that ends the machine: nothing is waited for
        m.name("d0")                    -> "sda": what the kernel calls a disk now
        m.qmp("set_link", name="nic0", up=False)
        m.fail("d0", "read", sector=2048) / m.heal("d0") / m.freeze("d0") / m.thaw("d0")     see Disk
        m.unplug("d0") / m.plug("d0")
        m.start_veille(config) / m.start_peers()
        m.kill(); m.boot_again(without=["d1"])     the power is cut; it is switched on again, with what its disks hold
        m.reborn()                      waits until a machine that resets itself is up again
        m.now()                         -> seconds of the guest's CLOCK_BOOTTIME: the clock of everything below
        m.kernel(r"I/O error", since)   -> Line(time, text), waits for the kernel's log to say so
        m.peer("smartd", r"FAILED", since, limit)
        m.status()                      -> the newest status.json
        m.wait_status(predicate, since, limit) -> (time, document)
        m.poll("smart-ata")             tells veille and smartd to look now

Waiting is for events: a thread reads what the witness inside tells (guest/witness.c). Nothing sleeps for a fixed time. What does
not come in time is an error (Timeout). Machines use QEMU's software emulation, so everything works without KVM and is slow; and
their time is counted in instructions, 500 million to a second, so what is measured inside does not depend on what else this host
does (counted=False: their clocks are the host's, for what is about clocks)."""

import collections
import json
import mmap
import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time

import image
from breaking import POWER_AT, POWER_PAGE, Breaking

GUEST_S = 300  # no single answer of a machine takes longer, even on a host that does much else

Line = collections.namedtuple("Line", "time text")


class Timeout(Exception):
    pass


class Disk:
    """kind: ata (PIIX on pc, AHCI on q35), ahci, scsi, nvme, virtio. name: its serial number, and its id in QEMU. more: further
    properties of the device. Faults (m.fail) come from blkdebug, under the disk: a sector, or all of it, fails to read or write."""

    def __init__(self, name, kind, mib=32, more=""):
        self.name, self.kind, self.mib, self.more = name, kind, mib, more
        self.bus = None


class Machine(Breaking):
    def __init__(self, machine="pc", disks=(), args=(), append="", memory=512, power=False, bmc=None, counted=True):
        self.machine, self.disks, self.ports = machine, {d.name: d for d in disks}, [d.name for d in disks]
        self.absent = set()
        self.directory = tempfile.mkdtemp(prefix="veille-vm-")
        self.lines, self.docs, self.latest, self.news = [], [], 0.0, threading.Condition()
        self.answers, self.events, self.ended, self.injected = [], [], False, {}
        self.process, self.page, self.memory_path, self.looked, self.listeners, self.started = None, None, None, None, [], 0
        self.keep = os.environ.get("LAB_KEEP")
        self.how = (memory, args, append, power, bmc, counted)
        try:
            self.boot(*self.how)
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
        if self.process:
            self.process.wait()
        if self.memory_path and os.path.exists(self.memory_path):
            os.unlink(self.memory_path)
        if self.keep:
            print("# kept: " + self.directory)
        else:
            shutil.rmtree(self.directory, ignore_errors=True)

    def kill(self):
        """The power is cut."""
        self.process.kill()
        self.process.wait()
        for thread in self.listeners:
            thread.join()
        for s in (self.shell, self.witness, self.qmp_socket):
            s.close()
        if self.memory_path:
            self.page.close()
            os.unlink(self.memory_path)

    def boot_again(self, without=()):
        self.forget()
        self.injected = {}
        self.absent = set(without)
        self.boot(*self.how)

    def reborn(self):
        """It has reset itself, or does so now: waits until it is up."""
        self.until_ready()
        self.forget()
        self.now()

    def forget(self):
        """Its clock begins anew; what was told before is of another run."""
        with self.news:
            self.lines, self.docs, self.latest, self.ended, self.looked, self.events = [], [], 0.0, False, None, []

    # --- starting ---------------------------------------------------------------------------------

    def boot(self, memory, args, append, power, bmc, counted):
        kernel, initrd = image.build()
        d = self.directory
        command = ["nice", "-n", os.environ.get("LAB_NICE", "5"), "qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-m", str(memory), "-smp", "1", "-nodefaults",
                   *(["-icount", "shift=1,sleep=on"] if counted else []),
                   "-no-user-config", "-display", "none", "-kernel", kernel, "-initrd", initrd,
                   "-append", "console=ttyS0 loglevel=4 tsc=reliable " + append, "-serial", "file:%s/console" % d,
                   "-qmp", "unix:%s/qmp,server=on,wait=off" % d, "-device", "virtio-serial-pci,id=ports"]
        for port in ("shell", "witness"):
            command += ["-chardev", "socket,id=%s,path=%s/%s,server=on,wait=off" % (port, d, port),
                        "-device", "virtserialport,bus=ports.0,chardev=%s,name=lab.%s" % (port, port)]
        kind = self.machine
        if power:
            self.memory_path = "/dev/shm/veille-vm-%d-%s" % (os.getpid(), os.path.basename(d))
            command += ["-object", "memory-backend-file,id=ram,size=%dM,mem-path=%s,share=on" % (memory, self.memory_path),
                        "-acpitable", "file=" + image.acpi_table()]
            command[command.index("-append") + 1] += " memmap=4K$0x%x" % POWER_AT
            kind += ",memory-backend=ram"
        if bmc:
            command += ["-chardev", "socket,id=bmc,path=%s,reconnect=1" % bmc, "-device", "ipmi-bmc-extern,chardev=bmc,id=bmc0",
                        "-device", "isa-ipmi-kcs,bmc=bmc0"]
        command += ["-machine", kind, "-device", "virtio-scsi-pci,id=vs"]
        self.place_disks()
        for disk in [d for d in self.disks.values() if d.name not in self.absent]:
            with open("%s/%s" % (d, disk.name), "ab") as f:
                f.truncate(disk.mib << 20)
            if self.machine == "q35" and disk.kind in ("nvme", "virtio"):
                command += ["-device", "pcie-root-port,id=port-%s,chassis=%d" % (disk.name, 1 + self.ports.index(disk.name))]
            command += ["-blockdev", "driver=file,node-name=file-%s,filename=%s/%s" % (disk.name, d, disk.name),
                        "-blockdev", "driver=raw,node-name=disk-%s,file=file-%s" % (disk.name, disk.name)]
            command += ["-device", ",".join("%s=%s" % (k, v) if k != "driver" else v for k, v in self.device(disk).items())]
        if any(disk.kind == "ahci" for disk in self.disks.values()):
            at = command.index("-device")
            command[at:at] = ["-device", "ahci,id=sata"]
        with open(d + "/qemu", "w") as log:
            self.process = subprocess.Popen(command + list(args), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.shell = self.connect("shell")
        self.shell_lines = self.shell.makefile("rb")
        self.witness = self.connect("witness")
        self.qmp_socket = self.connect("qmp")
        self.qmp_lines = self.qmp_socket.makefile("rb")
        self.qmp_lines.readline()
        self.listeners = [threading.Thread(target=target, daemon=True) for target in (self.listen, self.listen_qmp)]
        for thread in self.listeners:
            thread.start()
        self.qmp("qmp_capabilities")
        if power:
            with open(self.memory_path, "r+b") as f:
                self.page = mmap.mmap(f.fileno(), POWER_AT + POWER_PAGE)
            self.power()
        self.until_ready()

    def until_ready(self):
        self.shell.settimeout(GUEST_S)
        while self.shell_line() != "READY":
            pass

    def place_disks(self):
        """Which port a disk hangs on. What was taken out leaves its port empty."""
        if any(disk.bus for disk in self.disks.values()):
            return
        ata = ahci = 0
        for number, disk in enumerate(self.disks.values()):
            if disk.kind == "ata":
                disk.bus = "bus=ide.%d,unit=%d" % ((ata // 2, ata % 2) if self.machine == "pc" else (ata, 0))
                ata += 1
            elif disk.kind == "ahci":
                disk.bus = "bus=sata.%d" % ahci
                ahci += 1
            elif disk.kind == "scsi":
                disk.bus = "bus=vs.0,scsi-id=%d" % number
            elif self.machine == "q35":
                disk.bus = "bus=port-" + disk.name

    def device(self, disk):
        """Its device's properties, as QMP's device_add and -device want them."""
        driver = {"ata": "ide-hd", "ahci": "ide-hd", "scsi": "scsi-hd", "nvme": "nvme", "virtio": "virtio-blk-pci"}[disk.kind]
        out = {"driver": driver, "id": disk.name, "drive": "disk-" + disk.name, "serial": disk.name.upper()}
        if disk.kind != "nvme":
            out.update(rerror="report", werror="report")
        for pair in filter(None, (disk.bus or "").split(",") + disk.more.split(",")):
            key, value = pair.split("=")
            out[key] = int(value) if key in ("unit", "scsi-id") else value
        return out

    def connect(self, name):
        stop = time.monotonic() + GUEST_S
        while True:
            s = socket.socket(socket.AF_UNIX)
            try:
                s.connect(self.directory + "/" + name)
                s.settimeout(GUEST_S)
                return s
            except OSError:
                s.close()
                if time.monotonic() > stop or self.process.poll() is not None:
                    with open(self.directory + "/qemu") as f:
                        raise RuntimeError("QEMU did not start: " + f.read()[-2000:])
                time.sleep(0.05)

    # --- talking ----------------------------------------------------------------------------------

    def console(self):
        with open(self.directory + "/console", errors="replace") as f:
            return f.read()

    def shell_line(self):
        try:
            line = self.shell_lines.readline()
        except socket.timeout:
            line = b""
        if not line:
            raise Timeout("the machine does not answer; its console ends in:\n" + self.console()[-1500:])
        return line.decode("utf-8", "replace").rstrip("\r\n")

    def sh(self, command, limit=GUEST_S):
        """One line of shell, run inside: (exit status, lines of output)."""
        self.shell.settimeout(limit)
        self.shell.sendall(command.replace("\n", " ").encode() + b"\n")
        out = []
        while True:
            line = self.shell_line()
            end = re.fullmatch(r"(.*)LAB-END (\d+)", line)
            if not end:
                out.append(line)
                continue
            return int(end.group(2)), out + [end.group(1)] * bool(end.group(1))  # a last line may lack its end

    def tell(self, command):
        """A command that will not be answered: it ends the machine."""
        self.shell.sendall(command.encode() + b"\n")

    def do(self, command):
        code, out = self.sh(command)
        if code != 0:
            raise RuntimeError("in the machine: %s\nexit status %d\n%s" % (command, code, "\n".join(out)[-2000:]))
        return "\n".join(out)

    def until(self, command, limit=GUEST_S):
        """Runs it until it succeeds."""
        stop = time.monotonic() + limit
        while True:
            code, out = self.sh(command)
            if code == 0:
                return "\n".join(out)
            if time.monotonic() > stop:
                raise Timeout("in the machine, for %d s in vain: %s\n%s" % (limit, command, "\n".join(out)[-1000:]))
            time.sleep(0.1)  # there is no event for what a shell may ask

    def listen_qmp(self):
        for line in self.lines_of(self.qmp_lines):
            answer = json.loads(line)
            with self.news:
                (self.events if "event" in answer else self.answers).append(answer)
                self.news.notify_all()

    def qmp(self, command, **arguments):
        with self.news:
            self.qmp_socket.sendall((json.dumps({"execute": command, "arguments": arguments}) + "\n").encode())
            if not self.news.wait_for(lambda: self.answers, GUEST_S):
                raise Timeout("QEMU does not answer " + command)
            answer = self.answers.pop(0)
        if "error" in answer:
            raise RuntimeError("QMP %s: %s" % (command, answer["error"]["desc"]))
        return answer["return"]

    def hmp(self, line):
        return self.qmp("human-monitor-command", **{"command-line": line})

    def event(self, name, limit=GUEST_S):
        """Waits for an event of QEMU's that was not asked for before."""
        with self.news:
            if not self.news.wait_for(lambda: any(e["event"] == name for e in self.events), limit):
                raise Timeout("no event %s of QEMU in %d s" % (name, limit))
            at = next(i for i, e in enumerate(self.events) if e["event"] == name)
            return self.events.pop(at)

    @staticmethod
    def lines_of(stream):
        try:
            yield from iter(stream.readline, b"")
        except (OSError, ValueError):
            return

    # --- what happens inside ----------------------------------------------------------------------

    def listen(self):
        self.witness.settimeout(None)
        for line in self.lines_of(self.witness.makefile("rb")):
            when, kind, text = (line.decode("utf-8", "replace").rstrip("\r\n").split(" ", 2) + [""])[:3]
            with self.news:
                self.latest = max(self.latest, float(when))
                if kind == "S":
                    self.docs.append((float(when), json.loads(text)))
                else:
                    self.lines.append((float(when), kind, text))
                self.news.notify_all()
        with self.news:
            self.ended = True
            self.news.notify_all()

    def wait(self, find, limit, what):
        """The first result of find() that is not None; called with the lock held, whenever something is told. The limit is seconds of
        the guest; on a loaded host it takes longer."""
        stop = time.monotonic() + 60 + 6 * limit
        with self.news:
            begin = self.latest
            ready = lambda: [x] if (x := find()) is not None else self.ended and [None]
            found = self.news.wait_for(ready, 1)
            while not found and self.latest <= begin + limit and time.monotonic() < stop:
                try:
                    self.witness.sendall(b"\n")  # a machine that has nothing to tell does not tell its time either
                except OSError:
                    pass  # it ended: the listener will say so
                found = self.news.wait_for(ready, 1)
        if not found or found[0] is None:
            raise Timeout("%s%s" % ("the machine ended; " if self.ended else "", what() if callable(what) else what))
        return found[0]

    def now(self):
        return self.ask("")

    def ask(self, line):
        """Tells the witness something; returns the guest's time at that moment."""
        with self.news:
            before = len(self.lines)
        self.witness.sendall(line.encode() + b"\n")
        return self.wait(lambda: next((t for t, kind, _ in self.lines[before:] if kind == "T"), None), GUEST_S, "the witness is silent")

    def said(self, kind, pattern, since, name=None):
        for when, k, text in self.lines:
            if k != kind or when < since:
                continue
            if name is not None:
                peer, _, text = text.partition(" ")
                if peer != name:
                    continue
            if re.search(pattern, text):
                return Line(when, text)
        return None

    def kernel(self, pattern, since=0, limit=60):
        return self.wait(lambda: self.said("K", pattern, since), limit,
                         lambda: "the kernel's log does not say /%s/ but\n%s" % (pattern, self.kernel_tail(since)))

    def kernel_tail(self, since):
        return "\n".join(text for when, kind, text in self.lines if kind == "K" and when >= since)[-1500:]

    def peer(self, name, pattern, since, limit):
        """What a peer said since then, or None when it said nothing in that time."""
        try:
            return self.wait(lambda: self.said("P", pattern, since, name), limit, "")
        except Timeout:
            return None

    def status(self):
        with self.news:
            return self.docs[-1][1] if self.docs else None

    def wait_status(self, predicate, since=0, limit=60, what=""):
        """The first status that was published after `since` and of which predicate(document) is true: (time, document)."""
        def find():
            return next(((t, d) for t, d in self.docs if d["time_boot"] >= since and predicate(d)), None)
        return self.wait(find, limit, lambda: "%s; status: %s" % (what, json.dumps(self.brief())))

    def brief(self):
        doc = self.status() or {"components": []}
        return {c["component"]: ["%s %s: %s" % (r["level"], r["rule"], r["text"]) for r in c["reasons"]] for c in doc["components"]
                if c["level"] != "ok"}

    # --- what runs inside -------------------------------------------------------------------------

    def start_veille(self, config=""):
        """The real programs as their units start them: brain and store without any right, the probes as root behind sockets.
        Starting again reads the new config and keeps the store."""
        self.stop_veille()
        self.do("mkdir -p /etc/veille /run/veille /var/lib/veille; chown veille:veille /run/veille /var/lib/veille")
        self.do("printf '%%s\\n' %s >/etc/veille/veille.conf" % " ".join("'%s'" % line.replace("'", "") for line in config.splitlines()))
        powerless = "setpriv --reuid=veille --regid=veille --groups=veille-admin --inh-caps=-all --bounding-set=-all --no-new-privs "
        since = self.started = self.now()
        self.do("ulimit -l 65536")
        self.do("veille-probe listen /run/veille veille >/run/veille-probe.log 2>&1 & echo $! >/run/probe.pid")
        self.do(powerless + "veille-store >/run/veille-store.log 2>&1 & echo $! >/run/store.pid")
        self.until("[ -S /run/veille/store.sock ]")
        self.do(powerless + "veilled >/run/veilled.log 2>&1 </dev/kmsg & echo $! >/run/brain.pid")
        # Everything was looked for and read once.
        self.wait_status(lambda d: d["checks"] and all(c["result"] != "pending" for c in d["checks"]) and d["counters"]["runs"] >= min(6, len(d["checks"])),
                         since, GUEST_S, "veille has not read everything")

    def stop_veille(self):
        for name in ("brain", "store", "probe"):
            self.sh("[ -e /run/%s.pid ] && { P=$(cat /run/%s.pid); rm /run/%s.pid; kill $P; while [ -e /proc/$P/stat ] && "
                    "! grep -q ') Z' /proc/$P/stat; do sleep 0.1; done; }" % (name, name, name))

    def start_peers(self, *names):
        """smartd, rasdaemon, mdadm: the programs people use today, told to look as often as they can."""
        commands = {
            "smartd": "mkdir -p /var/lib/smartmontools; echo DEVICESCAN -a -W 0,0,60 >/etc/smartd.conf; stdbuf -oL smartd -d -i 10 -c /etc/smartd.conf",
            # The kernel would wake it only when half of the buffer is full.
            "rasdaemon": "mkdir -p /sys/kernel/debug/tracing/instances/rasdaemon; echo 0 >/sys/kernel/debug/tracing/instances/rasdaemon/buffer_percent; "
                         "stdbuf -oL rasdaemon -f",
            "mdadm": "mdadm --monitor --scan --delay=10 --program=/usr/sbin/lab-alert",
        }
        for name in names or ("smartd", "rasdaemon"):
            log = "/run/peers/" + name + (".out" if name == "mdadm" else "")
            before, _, command = commands[name].rpartition("; ")
            self.do(": >>%s; %s; %s >>%s 2>&1 & echo $! >/run/peer-%s.pid" % (log, before or ":", command, log, name))
        for name, pattern in (("smartd", "Monitoring |no devices|No devices"), ("rasdaemon", "Listening")):
            if name in (names or ("smartd", "rasdaemon")):
                self.peer(name, pattern, 0, 60)

    def poll(self, check):
        """What no event announces is found when somebody looks: veille and smartd are told to in the same moment. Its time."""
        if self.looked is not None:  # veille lets itself be hurried once a second; that is not what is measured
            time.sleep(max(0, self.looked + 1.2 - self.now()))
        self.looked = self.ask(check)
        return self.looked

    def name(self, disk):
        """The kernel's name of a disk now; None: it is not there."""
        code, out = self.sh("grep -l -a %s /sys/block/*/device/vpd_pg80 /sys/block/*/serial /sys/block/*/device/serial 2>/dev/null" %
                            disk.upper())
        return out[0].split("/")[3] if out else None
