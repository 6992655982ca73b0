#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 400
"""The last message: a mail host whose root is an ext4 on a loop device, in namespaces of its own. Nothing listens on its port 25, the
name server drops what it is asked, and the root goes read-only by an error or gives EIO for everything (EXT4_IOC_SHUTDOWN). The
kernel's own message makes the real brain critical; a webhook must hear of it within 30 seconds.

    tests/lab/dead_root.py [--runs N] [--whole]   --runs N: N runs of each kind, and docs/dead-root.md is written
                                                  --whole: then the root is repaired; nothing may be missing or unmarked twice"""

import fcntl
import http.server
import json
import os
import re
import shutil
import signal
import socket
import socketserver
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
import unpacked  # noqa: E402
from tap import none  # noqa: E402

PROGRAMS = ("veilled", "veille-store", "veille-probe", "veille-notify", "veille-life", "veillectl")
IN_NAMESPACES = "VEILLE_LAB_DEAD_ROOT"
NAME_SERVER, SINK = "10.99.0.53", "sink.lab.example"
EXT4_IOC_SHUTDOWN = 0x8004587D
LIMIT_S = 30

CONFIG = """
[host]
name = mx1
[contact oncall]
sinks = paper hook late
[sink paper]
type = mail
relay = smtp://127.0.0.1:25
to = root@mx1.example
tls = none
timeout = 5s
[sink hook]
type = webhook
url = http://%s:%d/hook
timeout = 10s
[sink late]
type = webhook
url = http://127.0.0.1:%d/late
timeout = 5s
"""


def until(what, seconds=60):
    end = time.monotonic() + seconds
    while not what() and time.monotonic() < end:
        time.sleep(0.05)
    return what()


class Witness(threading.Thread):
    """How late this machine itself is: the longest that a sleep of 50 ms took too long."""

    def __init__(self):
        super().__init__(daemon=True)
        self.late = 0.0
        self.start()

    def run(self):
        while True:
            begin = time.monotonic()
            time.sleep(0.05)
            self.late = max(self.late, time.monotonic() - begin - 0.05)


class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.got.append((time.monotonic(), self.headers["Idempotency-Key"], int(self.headers["X-Veille-Attempt"]), body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


class Web(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = allow_reuse_address = True

    def __init__(self, port=0):
        super().__init__(("127.0.0.1", port), Hook)
        self.got = []
        threading.Thread(target=self.serve_forever, daemon=True).start()


class NameServer(threading.Thread):
    """Knows one name; when it drops, packets vanish without an answer."""

    def __init__(self):
        super().__init__(daemon=True)
        self.socket, self.drops, self.dropped = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), False, 0
        self.socket.bind((NAME_SERVER, 53))
        self.start()

    def run(self):
        while True:
            data, sender = self.socket.recvfrom(2048)
            if self.drops:
                self.dropped += 1
                continue
            end = data.index(b"\0", 12) + 1
            kind = struct.unpack(">H", data[end:end + 2])[0]
            known = kind == 1 and data[12:end] == b"".join(bytes([len(p)]) + p for p in SINK.encode().split(b".")) + b"\0"
            answer = data[:2] + b"\x81\x80\0\1" + struct.pack(">HHH", int(known), 0, 0) + data[12:end + 4]
            if known:
                answer += b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x7f\0\0\1"
            self.socket.sendto(answer, sender)


def last_kernel_record():
    """The sequence number of the newest record: older ones are about other file systems on the same loop device."""
    fd, seq = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK), 0
    try:
        while True:
            try:
                seq = int(os.read(fd, 8192).split(b",")[1])
            except BrokenPipeError:
                continue
            except BlockingIOError:
                return seq
    finally:
        os.close(fd)


class Host:
    def __init__(self, directory, web, late_port):
        self.dir, self.root, self.processes = directory, directory + "/root", []
        self.image = directory + "/root.img"
        with open(self.image, "wb") as f:
            f.truncate(160 << 20)
        subprocess.run(["mkfs.ext4", "-q", "-F", self.image], check=True)
        self.loop = subprocess.run(["losetup", "-f", "--show", self.image], check=True, capture_output=True, text=True).stdout.strip()
        self.device = os.path.basename(self.loop)
        os.mkdir(self.root)
        self.mount()
        self.fill(web.server_address[1], late_port)
        for where, options in (("run", "mode=755,noexec,nosuid,nodev"), ("run/veille.life", "mode=755,size=136M,exec"), ("tmp", "mode=1777")):
            os.makedirs(self.root + "/" + where, exist_ok=True)
            subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", self.root + "/" + where], check=True)
        for kind in ("proc", "sysfs"):
            os.makedirs(self.root + "/" + kind[:4].replace("sysf", "sys"), exist_ok=True)
            subprocess.run(["mount", "-t", kind, kind, self.root + "/" + kind[:4].replace("sysf", "sys")], check=True)
        os.mkdir(self.root + "/run/veille")

    def mount(self):
        subprocess.run(["mount", "-o", "errors=remount-ro", self.loop, self.root], check=True)

    def fill(self, port, late_port):
        for where in ("etc/veille", "etc/ssl/certs", "usr/sbin", "var/lib/veille", "dev", "run", "lib64"):
            os.makedirs(self.root + "/" + where)
        files = {}
        for program in PROGRAMS:
            own = unpacked.BUILD + "/" + program
            shutil.copy(own, self.root + "/usr/sbin/" + program)
            for path in re.findall(r"(/\S+) \(0x", subprocess.run(["ldd", own], capture_output=True, text=True, check=True).stdout):
                files[path] = path
        for path in list(files) + ["/etc/ssl/certs/ca-certificates.crt"]:
            if os.path.exists(path):
                os.makedirs(self.root + os.path.dirname(path), exist_ok=True)
                shutil.copy(os.path.realpath(path), self.root + path)
        for name, text in (("veille/veille.conf", CONFIG % (SINK, port, late_port)), ("resolv.conf", "nameserver %s\n" % NAME_SERVER),
                           ("hosts", "127.0.0.1 localhost\n"), ("nsswitch.conf", "hosts: files dns\n"), ("passwd", "root:x:0:0::/:/bin/sh\n")):
            with open(self.root + "/etc/" + name, "w") as f:
                f.write(text)
        os.mknod(self.root + "/dev/null", 0o666 | 0o020000, os.makedev(1, 3))

    def start(self, program, *words, stdin="/dev/null", wait=False):
        log = open(self.dir + "/" + program + ".log", "ab")
        with open(stdin, "rb", 0) as f:
            process = subprocess.Popen(["/usr/sbin/" + program] + list(words), stdin=f, stdout=log, stderr=log,
                                       preexec_fn=lambda: (os.chroot(self.root), os.chdir("/")))
        if wait:
            return process.wait(120)
        self.processes.append(process)
        return process

    def start_all(self):
        with open(self.root + "/run/veille/kmsg.seq", "w") as f:
            f.write("%d\n" % (last_kernel_record() + 1))
        problems = [] if self.start("veille-life", wait=True) == 0 else [self.log("veille-life")]
        for program, words in (("veille-notify", ("--serve",)), ("veille-store", ())):
            self.start(program, *words)
        if not until(lambda: all(os.path.exists(self.root + "/run/veille/%s.sock" % s) for s in ("notify", "store"))):
            problems.append("no sockets")
        self.start("veilled", stdin="/dev/kmsg")
        if not until(lambda: self.known_names() and self.status()):
            problems.append(["not ready", self.log("veilled"), self.alerts()])
        return problems

    def known_names(self):
        return SINK in json.dumps(self.alerts().get("state", {}).get("alert-addresses", {}))

    def read(self, name):
        try:
            with open(self.root + "/run/veille/" + name) as f:
                return json.load(f)
        except (OSError, ValueError):
            return {}

    def alerts(self):
        return self.read("alerts.json")

    def status(self):
        return len(self.read("status.json").get("components", [])) > 0

    def log(self, program):
        with open(self.dir + "/" + program + ".log", errors="replace") as f:
            return f.read()[-2500:]

    def forget_pages(self):
        """What the page cache has of the root is not to help: only what is mapped or locked stays."""
        os.sync()
        for top, _, names in os.walk(self.root):
            if any(top.startswith(self.root + "/" + d) for d in ("run", "tmp", "proc", "sys", "dev")):
                continue
            for name in names:
                path = os.path.join(top, name)
                if os.path.isfile(path):
                    fd = os.open(path, os.O_RDONLY)
                    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
                    os.close(fd)

    def die(self, how):
        if how == "EIO":
            fd = os.open(self.root, os.O_RDONLY)
            fcntl.ioctl(fd, EXT4_IOC_SHUTDOWN, struct.pack("I", 2))
            os.close(fd)
        else:
            with open("/sys/fs/ext4/%s/trigger_fs_error" % self.device, "w") as f:
                f.write("the lab wants it so")

    def is_dead(self, how):
        try:
            with open(self.root + "/var/lib/veille/try", "w") as f:
                f.write("x")
            return False
        except OSError as e:
            if how != "EIO":
                return e.strerror == "Read-only file system"
        try:
            subprocess.run(["/usr/sbin/veille-notify", "--version"], preexec_fn=lambda: os.chroot(self.root), capture_output=True)
            return False
        except (OSError, subprocess.SubprocessError):
            return True

    def stop(self):
        for process in self.processes:
            process.kill()
        for process in self.processes:
            process.wait()
        self.processes = []

    def umount_root(self):
        until(lambda: subprocess.run(["umount", "-R", self.root], capture_output=True).returncode == 0, 20)

    def repair(self):
        """As an administrator would: everything is ended, the file system is checked and mounted again, RUN is still there."""
        kept = self.dir + "/kept"
        self.stop()
        shutil.copytree(self.root + "/run/veille", kept, ignore=lambda d, names: [n for n in names if n.endswith(".sock")])
        self.umount_root()
        subprocess.run(["e2fsck", "-fy", self.loop], capture_output=True)
        self.mount()
        for where, options in (("run", "mode=755,noexec"), ("run/veille.life", "mode=755,size=136M,exec"), ("tmp", "mode=1777")):
            os.makedirs(self.root + "/" + where, exist_ok=True)
            subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", self.root + "/" + where], check=True)
        for kind, where in (("proc", "proc"), ("sysfs", "sys")):
            subprocess.run(["mount", "-t", kind, kind, self.root + "/" + where], check=True)
        shutil.copytree(kept, self.root + "/run/veille")

    def end(self):
        self.stop()
        self.umount_root()
        subprocess.run(["losetup", "-d", self.loop], capture_output=True)


def names_device(message, device):
    return any(device in str(value) for value in (message.get("component"), message.get("subject"), message.get("body")))


def unmarked(got):
    """Messages that came twice with the same number of attempt."""
    seen = [(key, attempt) for _, key, attempt, _ in got]
    return [x for x in set(seen) if seen.count(x) > 1]


def one(how, name_server, witness, whole=False):
    """(problems, row of the table)"""
    directory = tempfile.mkdtemp(prefix="veille-dead-root-")
    name_server.drops, name_server.dropped = False, 0
    web, late_port = Web(), unpacked.free_port()
    host, problems, row = None, [], {"kind": how}
    try:
        host = Host(directory, web, late_port)
        problems += host.start_all()
        if problems:
            return problems, row
        host.forget_pages()
        name_server.drops, witness.late, before = True, 0.0, len(web.got)
        died = time.monotonic()
        host.die(how)
        until(lambda: [m for m in web.got[before:] if names_device(m[3], host.device) and m[3]["level"] == "critical"], 90)
        told = [m for m in web.got[before:] if names_device(m[3], host.device) and m[3]["level"] == "critical"]
        row.update(seconds=round(told[0][0] - died, 2) if told else None, late=round(witness.late, 2), dead=host.is_dead(how),
                   alive=all(p.poll() is None for p in host.processes if "veille-store" not in p.args[0]))
        if not told or row["seconds"] > LIMIT_S + witness.late or not row["dead"] or not row["alive"]:
            problems += [row, [m[3].get("subject") for m in web.got], host.alerts().get("sinks"), host.log("veilled"), host.log("veille-notify")]
        if whole and told:
            problems += after_repair(host, web, late_port, name_server, row)
        problems += [["sent twice without a mark", x] for x in unmarked(web.got)]
        return problems, row
    finally:
        if host:
            host.end()
        web.shutdown()
        web.server_close()
        shutil.rmtree(directory, ignore_errors=True)


def after_repair(host, web, late_port, name_server, row):
    """What no sink but one could take comes to the others, too; each copy says that it is one."""
    wanted = {key for _, key, _, _ in web.got}
    host.repair()
    late = Web(late_port)
    name_server.drops = False
    try:
        problems = host.start_all()
        until(lambda: wanted <= {key for _, key, _, _ in late.got}, 120)
        missing = wanted - {key for _, key, _, _ in late.got}
        problems += [["missing after the repair", sorted(missing)]] if missing else []
        problems += [["sent twice without a mark", x] for x in unmarked(late.got)]
        row["after repair"] = "%d of %d" % (len(wanted) - len(missing), len(wanted))
        return problems
    finally:
        late.shutdown()
        late.server_close()


def write_table(rows, whole):
    seconds = sorted(r["seconds"] for r in rows if r.get("seconds") is not None)
    good = [r for r in rows if r.get("good")]
    with open("docs/dead-root.md", "w") as f:
        f.write("<!-- SPDX-FileCopyrightText: 2026 The veille authors\n     SPDX-License-Identifier: GPL-3.0-or-later -->\n"
                "# The last message from a host whose root is dead\n\n"
                "Written by `tests/lab/dead_root.py --runs %d%s` (root). Each run is a host of its own: root on an ext4 on a loop device, nothing on\n"
                "port 25, a name server that drops, the pages of all files dropped from the cache; then the root fails. Seconds: from then to the\n"
                "webhook that has the critical alert (limit %d).\n\n%d of %d runs good; median %.2f s, worst %.2f s.\n\n"
                "| run | root | seconds | the machine itself was late by | after the repair |\n| --- | --- | --- | --- | --- |\n"
                % (len(rows) // 2, " --whole" if whole else "", LIMIT_S, len(good), len(rows), seconds[len(seconds) // 2] if seconds else -1,
                   seconds[-1] if seconds else -1))
        for i, r in enumerate(rows):
            f.write("| %d | %s | %s | %s s | %s |\n" % (i + 1, r["kind"], r.get("seconds"), r.get("late"), r.get("after repair", "-")))


def main():
    if os.geteuid() != 0 or not os.path.exists("/dev/loop-control"):
        unpacked.skip("the last message from a host whose root is dead", "needs root and loop devices")
    if IN_NAMESPACES not in os.environ:
        os.environ[IN_NAMESPACES] = "1"
        os.execvp("unshare", ["unshare", "-mpn", "--fork", "--kill-child", "--propagation", "private", sys.executable] + sys.argv)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    subprocess.run(["mount", "-t", "proc", "proc", "/proc"], check=True)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["ip", "address", "add", NAME_SERVER + "/32", "dev", "lo"], check=True)
    runs = int(sys.argv[sys.argv.index("--runs") + 1]) if "--runs" in sys.argv else 1
    whole, rows = "--whole" in sys.argv, []
    name_server, witness = NameServer(), Witness()
    for i in range(runs):
        for how in ("read-only", "EIO"):
            problems, row = one(how, name_server, witness, whole)
            row["good"] = not problems
            rows.append(row)
            print("# run %d: %s" % (i + 1, row))
            none(problems, "root %s: a critical alert reaches a sink within %d s (%s s)" % (how, LIMIT_S, row.get("seconds")))
    if "--runs" in sys.argv:
        write_table(rows, whole)


main()
