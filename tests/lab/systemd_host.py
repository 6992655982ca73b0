#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 240
"""veille on a host with systemd, from "make install" to "make uninstall", in a second system on this host (container.py):
units, sandboxes (the same units run a program that tries what is forbidden: sandbox_tries.py), watchdog, socket activation,
reload, a device that hangs, users and groups, upgrade in place, reboot. What systemd, the journal and veille themselves say is
judged, nothing that was only meant to be."""

import contextlib
import glob
import json
import os
import re
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
import container as lab

TREE = os.getcwd()
BUILD = os.environ.get("BUILD", "build")
SERVICES = ("veilled.service", "veille-store.service", "veille-web.service", "veille-peer.service")
PRIVILEGES = ("disk", "raid", "write", "net")
UNITDIR = "/usr/lib/systemd/system/"
KEPT = ("/etc/veille", "/var/lib/veille")


def say(good, name, detail=""):
    print(("ok" if good else "not ok") + " - " + name + ("" if good else ": " + str(detail)[:1500]), flush=True)


def wait(condition, seconds):
    """The first true value of condition, or the last false one."""
    stop = time.monotonic() + seconds
    while True:
        value = condition()
        if value or time.monotonic() > stop:
            return value
        time.sleep(0.1)


class Host(lab.Container):
    """The container with the words of these tests."""

    def out(self, *command, **kw):
        return self.run(*command, **kw).stdout.strip()

    def show(self, unit, name):
        return self.out("systemctl", "show", "-P", name, unit)

    def active(self, *units):
        return all(word == "active" for word in self.out("systemctl", "is-active", *units).split())

    def status(self):
        try:
            return json.loads(self.out("cat", "/run/veille/status.json"))
        except ValueError:
            return {"components": [], "checks": [], "health": ""}

    def component(self, name):
        return ([c for c in self.status()["components"] if c["component"] == name] or [{"level": "", "why": "not there"}])[0]

    def journal(self, *options):
        lines = self.out("journalctl", "-o", "json", "--all", "--no-pager", *options).splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def make(self, *words):
        return self.run("make", "-s", "BUILD=" + BUILD, *words, cwd=TREE, timeout=120)

    def files(self):
        """What differs from the host by now: paths of the upper layer."""
        return {directory[len(self.upper):] + "/" + name for directory, _, names in os.walk(self.upper) for name in names}


@contextlib.contextmanager
def disk(host, size="64M", partition=False):
    """A file as a block device of this host's kernel, with its nodes inside: (name, name of the partition or None)."""
    path = host.work + "/disk-%d" % len(glob.glob(host.work + "/disk-*"))
    with open(path, "w") as f:
        subprocess.run(["truncate", "-s", size, path], check=True)
    loop = subprocess.run(["losetup", "-f", "--show"] + (["-P"] if partition else []) + [path], check=True, capture_output=True,
                          text=True).stdout.strip()[len("/dev/"):]
    try:
        if partition:  # told, not found in a table: not every kernel reads one
            subprocess.run(["addpart", "/dev/" + loop, "1", "2048", "65536"], check=True)
        names = [loop] + [os.path.basename(p) for p in glob.glob("/sys/class/block/%s/%sp1" % (loop, loop))]
        for name in names:
            with open("/sys/class/block/%s/dev" % name) as f:
                major, minor = f.read().strip().split(":")
            host.run("mknod", "/dev/" + name, "b", major, minor)
        yield loop, names[1] if len(names) > 1 else None
    finally:
        if partition:
            subprocess.run(["delpart", "/dev/" + loop, "1"])
        subprocess.run(["losetup", "-d", "/dev/" + loop])


@contextlib.contextmanager
def frozen(host, mount):
    """The file system takes no write. A second process thaws it if we die: nothing on this host may stay hung."""
    read_end, write_end = os.pipe()
    thaw = "read _; exec nsenter -t %d -m fsfreeze -u %s" % (host.pid, mount)
    guard = subprocess.Popen(["setsid", "sh", "-c", thaw], stdin=read_end, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(read_end)
    try:
        if host.run("fsfreeze", "-f", mount).returncode:
            raise RuntimeError("fsfreeze " + mount)
        yield
    finally:
        os.close(write_end)
        guard.wait()


# --- before the installation -----------------------------------------------------------------------


def make_run(host):
    """"make run" on a host with systemd: shows a judged host, installs nothing, ends at once, leaves nothing."""
    before = host.files()
    out = host.run("sh", "-c", "timeout -s TERM 9 agent/run-here %s & wait $!" % BUILD, cwd=TREE, timeout=30)
    say(re.search(r"is (green|yellow|red): ..", out.stdout), "make run shows a judged host beside systemd", (out.stdout, out.stderr))
    left = [f for f in host.files() - before if "veille" in f]
    alive = host.out("pgrep", "-l", "veille")
    say(not left and not alive and not host.out("sh", "-c", "ls -d /tmp/veille-run* 2>/dev/null"), "and leaves nothing", (left, alive))


def installed_elsewhere(host):
    """PREFIX and DESTDIR, and that uninstall takes everything away again."""
    before = host.files()
    staged = host.make("install", "DESTDIR=/tmp/stage", "PREFIX=/opt/veille")
    beside = [f for f in host.files() - before if "veille" in f]
    say(staged.returncode == 0 and not beside and host.run("test", "-x", "/tmp/stage/opt/veille/sbin/veilled").returncode == 0,
        "make install DESTDIR= puts nothing beside it", (staged.stderr, beside))
    host.make("uninstall", "DESTDIR=/tmp/stage", "PREFIX=/opt/veille")
    say(not host.out("find", "/tmp/stage", "!", "-type", "d"), "and make uninstall leaves no file there")

    made = host.make("install", "PREFIX=/usr/local")
    started = host.run("systemctl", "start", *SERVICES)
    say(made.returncode == 0 and started.returncode == 0 and host.active(*SERVICES), "make install PREFIX=/usr/local, and the units start",
        (made.stderr, started.stderr))
    exe = host.out("readlink", "/proc/%s/exe" % host.show("veilled.service", "MainPID"))
    say(exe == "/usr/local/sbin/veilled" and host.run("systemctl", "reload", "veilled").returncode == 0, "from where they were put", exe)
    uninstalled(host, "PREFIX=/usr/local", before)


def uninstalled(host, prefix, before):
    gone = host.make("uninstall", prefix)
    left = [f for f in host.files() - before if "veille" in f and not f.startswith(KEPT)]
    units = host.out("systemctl", "list-units", "--all", "--plain", "--no-legend", "veille*")
    alive = host.out("pgrep", "-l", "veille")
    say(gone.returncode == 0 and not left and not units and not alive and host.run("test", "-e", "/run/veille").returncode,
        "make uninstall %s stops all and leaves nothing but /etc/veille and /var/lib/veille" % prefix, (gone.stderr, left, units, alive))


# --- the first start ---------------------------------------------------------------------------------


def read_all(checks):
    return {"fs", "latency", "host", "topology"} <= {c["check"] for c in checks} and not [c for c in checks if c["result"] == "pending"]


def next_kernel_record():
    fd = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
    after = 0
    try:
        while True:
            with contextlib.suppress(BrokenPipeError):  # the ring ran over us
                after = int(os.read(fd, 8192).split(b",")[1]) + 1
    except BlockingIOError:
        return after
    finally:
        os.close(fd)


def forget_this_kernel(host):
    """The kernel is this host's, and other labs have hurt it before: what it said until now is not about the new machine."""
    host.run("sh", "-c", "cat >/run/veille/kmsg.seq && chown veille:veille /run/veille/kmsg.seq", stdin="%d\n" % next_kernel_record())


def first_start(host):
    host.run("rm", "-rf", *KEPT)
    made = host.make("install", "PREFIX=/usr")
    say(made.returncode == 0 and not host.out("sh", "-c", "ls /etc/veille/*.conf /etc/veille/veille.conf.d/* 2>/dev/null"),
        "make install needs no configuration and writes none", made.stderr)
    forget_this_kernel(host)
    begin = time.monotonic()
    started = host.run("systemctl", "enable", "--now", "veilled", "veille-web", "veille-peer")
    say(started.returncode == 0 and host.active(*SERVICES) and time.monotonic() - begin < 10, "systemctl enable --now starts all",
        started.stderr)
    sockets = ["veille-probe-%s.socket" % p for p in PRIVILEGES]
    say(host.active(*sockets), "and the sockets of the probes", host.out("systemctl", "status", *sockets))
    wait(lambda: read_all(host.status()["checks"]) and host.component("host")["level"] != "unknown", 30)
    doc = host.status()
    bad = [c for c in doc["checks"] if c["result"] not in ("ok", "nodata")]
    say(len(doc["checks"]) >= 4 and not bad, "without configuration every check that finds something reads it", bad or doc["checks"])
    ours = [c for c in doc["components"] if c["kind"] == "agent" or (c["component"] in ("/", "host", "network") and c["level"] != "ok")]
    say(not ours, "a machine without watchdog, sensors and BMC is no fault", ours)
    status = host.out("systemctl", "status", "veilled")
    say(re.search(r"Status: \"%s is (green|yellow|red)" % host.name, status) and "(running)" in status and "Docs: man:veilled(8)" in status,
        "systemctl status says how the host is", status)
    page = host.run("python3", "-c", "import urllib.request as u; print(u.urlopen('http://127.0.0.1:9785/metrics').read().decode())")
    say("veille_" in page.stdout, "veille-web answers", page.stderr)


def quiet_journal(host, since):
    """What an administrator reads with journalctl -p warning: nothing that is not about this host's state."""
    noise = [e["MESSAGE"] for e in host.journal("-p", "warning", "--since", "@%d" % since)
             if ("veille" in e.get("_SYSTEMD_UNIT", "") + e.get("UNIT", "") or "/dev/zfs" in e["MESSAGE"]) and "VEILLE_COMPONENT" not in e
             and not e["MESSAGE"].startswith(("memory is not locked", "veille-web: memory is not locked", "veille-peer: memory is not locked"))]
    say(not noise, "no warning in the journal but for levels", noise[:5])


def journal_fields(host):
    """The burst of a first start: every change of level has its fields, however slow the journal was."""
    levels = [e for e in host.journal("-u", "veilled") if re.match(r"\S+: \w+ \(was \w+\)", e["MESSAGE"])]
    bare = [e["MESSAGE"] for e in levels if "VEILLE_LEVEL" not in e or "MESSAGE_ID" not in e]
    if levels:
        say(not bare, "all %d changes of level are in the journal with their fields" % len(levels), bare[:5])
    else:
        print("ok - changes of level have their fields # SKIP the host is so well that there was none yet")


def hardened(host):
    """What the kernel says of the running processes."""
    for unit in SERVICES:
        lines = host.out("cat", "/proc/%s/status" % host.show(unit, "MainPID"))
        fields = dict(line.split(":\t", 1) for line in lines.splitlines() if ":\t" in line)
        uid = host.out("id", "-u", "veille")
        good = fields["Uid"].split() == [uid] * 4 and fields["CapEff"] == fields["CapBnd"] == "0" * 16 and fields["Seccomp"] == "2" and \
            fields["NoNewPrivs"] == "1"
        say(good, "%s runs as veille without any capability, filtered" % unit, fields)


def may_lock(limit):
    """Whether this host's root may give a service so many bytes to lock; some virtual machines keep CAP_SYS_RESOURCE."""
    script = "import resource; resource.setrlimit(resource.RLIMIT_MEMLOCK, (%d, %d))" % (limit, limit)
    return subprocess.run([sys.executable, "-c", script], capture_output=True).returncode == 0


def memory(host):
    """What must be there when the root disk is not is locked; what grows without end is ended by the kernel before the host is."""
    controllers = host.out("cat", "/sys/fs/cgroup/cgroup.controllers").split()
    for unit, locked in (("veilled.service", True), ("veille-store.service", False), ("veille-web.service", True),
                         ("veille-peer.service", True)):
        limit, lines = host.show(unit, "MemoryMax"), host.out("cat", "/proc/%s/status" % host.show(unit, "MainPID")).splitlines()
        kib = {line.split(":")[0]: int(line.split()[1]) for line in lines if line.startswith("Vm")}
        say(limit.isdigit() and kib["VmHWM"] * 1024 < int(limit) / 4, "%s: needs less than a quarter of MemoryMax" % unit, (limit, kib))
        name = unit + ": the kernel has that limit"
        if "memory" in controllers:
            say(host.out("cat", "/sys/fs/cgroup/system.slice/%s/memory.max" % unit) == limit, name, limit)
        else:
            print("ok - %s # SKIP no memory controller in the unified hierarchy of this host" % name)
        name = unit + ": its memory is locked"
        if locked and may_lock(int(host.show(unit, "LimitMEMLOCK"))):
            say(kib["VmLck"] > kib["VmRSS"] / 2, name, kib)
        elif locked:
            print("ok - %s # SKIP root may not raise RLIMIT_MEMLOCK here" % name)


def mounts(host):
    """A file system of no block device: no uevent tells of it, only the mount table. Probes in their own namespaces do not
    change that of the host, or each would cause the next."""
    runs = lambda: sum(c["runs"] for c in host.status()["checks"] if c["check"] == "fs" and c["instance"] == "/")
    before, begin = runs(), time.monotonic()
    where = "/srv/mail"
    host.run("mkdir", "-p", where)
    for made, level in ((("mount", "-t", "tmpfs", "-o", "size=16M", "tmpfs", where), "ok"), (("umount", where), "unknown"),
                        (("mount", "-t", "tmpfs", "-o", "size=16M", "tmpfs", where), "ok")):
        begin = time.monotonic()
        host.run(*made)
        seen = wait(lambda: host.component(where).get("level") == level, 30)
        print("# %s is %s %.2f s after %s" % (where, level, time.monotonic() - begin, made[0]))
        say(seen and time.monotonic() - begin < 5, "%s: %s at once" % (made[0], level), host.component(where))
    host.run("umount", where)
    wait(lambda: host.component(where).get("level") == "unknown", 5)
    host.run("veillectl", "accept", where)
    say(wait(lambda: host.component(where)["why"] == "not there", 5), "what was unmounted on purpose is accepted", host.component(where))
    time.sleep(max(0, 10 - (time.monotonic() - begin)))
    say(runs() - before <= 6, "four mounts make the check run as often, and not for ever", runs() - before)


# --- the sandboxes -------------------------------------------------------------------------------------

# Where the units see it: the checkout may lie in /tmp or /home, which they do not.
TRIES = "/usr/local/lib/lab_sandbox_tries.py"

# What a unit may do of what sandbox_tries.py tries. Everything else must fail.
AS_ROOT = {"unix", "signal PID 1", "see others"}  # of the same user, whatever its capabilities
MAY = {
    "veilled.service": {"netlink", "unix", "write /run/veille", "write /tmp"},
    "veille-store.service": {"unix", "write /run/veille", "write /var/lib/veille", "write /tmp"},
    "veille-web.service": {"unix", "inet", "inet6", "write /tmp"},
    "veille-peer.service": {"unix", "inet", "inet6", "netlink", "write /run/veille", "write /tmp"},
    "veille-probe-disk@.service": AS_ROOT | {"read blkext", "write blkext", "write /tmp", "write own runtime"},
    "veille-probe-raid@.service": AS_ROOT | {"write /tmp"},
    "veille-probe-write@.service": AS_ROOT | {"write /tmp", "write /var/mail", "write /var/lib/veille", "write /srv", "write /root",
                                              "write /run", "write /run/veille"},
    "veille-notify.service": {"unix", "inet", "inet6", "write /tmp"},
    "veille-probe-net@.service": {"unix", "inet", "inet6", "write /tmp", "write own runtime"},
}
REPLACED = ("ExecStart", "ExecReload", "Type", "StandardInput", "StandardOutput", "StandardError", "Restart", "RestartSec",
            "RestartPreventExitStatus", "WatchdogSec", "LogLevelMax", "CollectMode", "WantedBy")


def clone(host, unit, device):
    """The unit as installed, but with another program: what that is allowed is what the real one is allowed."""
    text = "".join(line + "\n" for line in host.out("cat", UNITDIR + unit).splitlines() if line.split("=")[0] not in REPLACED)
    own = re.search(r"^RuntimeDirectory=(veille-probe-.*)$", text, re.M)
    command = "/usr/bin/python3 %s %s %s" % (TRIES, device, "/run/" + own.group(1) if own else "-")
    text += "[Service]\nType=oneshot\nExecStart=%s\nStandardOutput=file:/run/lab-tried\n" % command
    name = "lab-" + unit.replace("@", "")
    host.run("sh", "-c", "cat >/run/systemd/system/" + name, stdin=text)
    return name


def sandboxes(host):
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "sandbox_tries.py")) as f:
        host.run("sh", "-c", "cat >" + TRIES, stdin=f.read())
    with disk(host, partition=True) as (_, part):
        if not part:
            say(False, "a partition on a loop device, which the disk probe may read", part)
            return
        for unit, may in MAY.items():
            name = clone(host, unit, part)
            host.run("systemctl", "daemon-reload")
            ran = host.run("systemctl", "start", name)
            lines = host.out("cat", "/run/lab-tried").splitlines()
            tried = dict(line.split(": ", 1) for line in lines if ": " in line)
            wrong = {what: how for what, how in tried.items() if (how == "done") != (what in may)}
            say(ran.returncode == 0 and len(tried) >= 25 and may <= set(tried) and not wrong,
                "%s: can %s, and nothing else" % (unit, ", ".join(sorted(may - AS_ROOT - {"write /tmp"})) or "nothing"),
                wrong or (ran.stderr, lines))


# --- watchdog and death ---------------------------------------------------------------------------------


class Stopped:
    """The brain is stopped as by a debugger: the watchdog must notice while the other tests go on."""

    def __init__(self, host):
        self.host, self.begin = host, time.monotonic()
        self.pid = host.show("veilled.service", "MainPID")
        host.run("kill", "-STOP", self.pid)
        self.old = threading.Event()

    def restarted(self):
        pid = self.host.show("veilled.service", "MainPID")
        return pid not in ("0", self.pid) and self.host.active("veilled.service")

    def check(self):
        back = wait(self.restarted, 50 - (time.monotonic() - self.begin))
        seconds = time.monotonic() - self.begin
        why = [e["MESSAGE"] for e in self.host.journal("-u", "veilled") if "atchdog timeout" in e["MESSAGE"]]
        say(back and why, "a brain that hangs is started anew by the watchdog", (seconds, why, self.host.show("veilled.service", "SubState")))
        fresh = wait(lambda: self.host.component("/").get("level") == "ok", 15)
        say(fresh, "and judges again", self.host.component("/"))


def dies_often(host):
    """More deaths than systemd's default limit of five in ten seconds allows."""
    for _ in range(6):
        pid = host.show("veilled.service", "MainPID")
        host.run("systemctl", "kill", "-s", "KILL", "veilled.service")
        back = wait(lambda: host.active("veilled.service") and host.show("veilled.service", "MainPID") not in ("0", pid), 10)
        if not back:
            break
    say(back, "a brain that is killed six times in a row comes back each time", host.out("systemctl", "status", "veilled"))


# --- the probes behind their sockets ---------------------------------------------------------------------

ASK = r"""
import socket, sys, time
path, request, n, hold = sys.argv[1], sys.argv[2].encode() + b"\n", int(sys.argv[3]), float(sys.argv[4])
held, refused = [], 0
for _ in range(n):
    s = socket.socket(socket.AF_UNIX)
    try:
        s.connect(path)
        held.append(s)
    except OSError as e:
        refused += 1
        print("refused", e)
time.sleep(hold)
if request.strip():
    held[0].sendall(request)
    print(held[0].makefile().read())
"""


def ask(host, privilege, request="", user="veille", n=1, hold=0.0):
    return host.run("python3", "-c", ASK, "/run/veille/probe-%s.sock" % privilege, request, str(n), str(hold), user=user)


def socket_activation(host):
    for privilege, check in (("disk", "smart"), ("raid", "smart-raid"), ("write", "topology"), ("net", "ups")):
        answer = ask(host, privilege, '{"op":"list","check":"%s"}' % check).stdout
        end = json.loads(([line for line in answer.splitlines() if '"end"' in line] or ["{}"])[-1])
        say(end.get("result") in ("ok", "nodata"), "veille-probe-%s answers user veille through its socket" % privilege, answer)
    other = ask(host, "disk", '{"op":"list","check":"latency"}').stdout
    say("denied" in other, "and serves no check of another one", other)
    closed = ask(host, "disk", '{"op":"list","check":"smart"}', user="nobody").stdout
    say("Permission denied" in closed, "nobody else can ask", closed)

    counts = lambda: int(host.show("veille-probe-write.socket", "NAccepted"))
    connects = lambda: host.status()["counters"]["connects"]
    answer = ask(host, "write", '{"op":"run","check":"latency","instances":["/"]}').stdout
    say('"end"' in answer and '"ok"' in answer, "a run through the socket measures", answer)
    before, asked = counts(), connects()
    host.run("veillectl", "poll", "latency")
    wait(lambda: counts() > before, 5)
    say(1 <= counts() - before <= 8 and connects() - asked <= 12, "one request for all instances of a check", (counts() - before))

    ask(host, "raid", n=250)
    answer = wait(lambda: '"end"' in ask(host, "raid", '{"op":"list","check":"smart-raid"}').stdout, 15)
    say(answer and host.active("veille-probe-raid.socket"), "250 connections at once close no socket for good",
        host.out("systemctl", "status", "veille-probe-raid.socket"))
    holder = threading.Thread(target=ask, args=(host, "raid"), kwargs={"n": 40, "hold": 2})
    holder.start()
    most = max(int(host.show("veille-probe-raid.socket", "NConnections") or 0) for _ in range(12) if not time.sleep(0.15))
    holder.join()
    say(0 < most <= 16, "no more than MaxConnections run at once", most)
    failed = host.out("systemctl", "list-units", "--failed", "--plain", "--no-legend", "veille*")
    say(not failed, "and none of it leaves a failed unit", failed)


# --- configuration ------------------------------------------------------------------------------------------


def configure(host, text):
    host.run("sh", "-c", "cat >/etc/veille/veille.conf", stdin=text)


def bad_reload(host):
    pid = host.show("veilled.service", "MainPID")
    configure(host, "[check latency]\nintervall = 2s\n[rule no-such]\n")
    answer = host.run("systemctl", "reload", "veilled")
    lines = [e["MESSAGE"] for e in host.journal("-u", "veilled", "--since", "-20s")]
    said = any(re.search(r"veille\.conf:2:1: .*intervall.*interval", line) for line in lines)
    say(answer.returncode != 0, "systemctl reload with a bad configuration fails", answer.returncode)
    say(said and any("stays in force" in line for line in lines), "the journal says where and why", lines[-8:])
    say(host.show("veilled.service", "MainPID") == pid and host.active("veilled.service"), "the old brain goes on")
    found = wait(lambda: "stays in force" in host.component("veille").get("why", ""), 5)
    say(found, "and the levels say so", host.component("veille"))
    configure(host, "[mail]\nspool = /srv/mail\n[check latency]\ninterval = 2s\n[check fs]\ninterval = 2s\n")
    answer = host.run("systemctl", "reload", "veilled")
    well = wait(lambda: not [c for c in host.status()["components"] if c["kind"] == "agent" and c["level"] != "ok"], 10)
    say(answer.returncode == 0 and well, "with a good one it is taken, and all is well", (answer.stderr, host.component("veille")))


def bad_start(host):
    """A configuration that cannot be read is no reason to try for ever."""
    keep = host.out("cat", "/etc/veille/veille.conf")
    configure(host, "[check\n")
    host.run("systemctl", "restart", "veilled")
    over = wait(lambda: host.show("veilled.service", "ActiveState") == "failed", 10)
    status = host.out("systemctl", "status", "veilled", "-n", "20")
    say(over and "status=78/CONFIG" in status and "veille.conf:1:7" in status, "a start with a bad configuration fails and says where", status)
    configure(host, keep + "\n")
    say(host.run("systemctl", "start", "veilled").returncode == 0, "and works again with a good one")


# --- a device that hangs --------------------------------------------------------------------------------------


def hanging(host):
    """Processes of ours in uninterruptible sleep."""
    return [line for line in host.out("ps", "-eo", "stat=,comm=,pid=").splitlines() if line.startswith("D") and "veille" in line]


def timed(host, *command):
    begin = time.monotonic()
    done = host.run(*command)
    return time.monotonic() - begin, done.returncode


def hung_device(host, mount):
    unanswered = lambda: host.component(mount).get("level") in ("unknown", "critical")
    with frozen(host, mount):
        say(wait(lambda: hanging(host), 15), "the kernel really holds a writer of a probe", host.out("ps", "axf"))
        say(wait(lambda: "not answered" in host.component(mount).get("why", ""), 40) and unanswered(),
            "the level says that the file system does not answer", host.component(mount))
        seconds, code = timed(host, "systemctl", "restart", "veilled")
        say(code == 0 and seconds < 2, "systemctl restart acts at once while a device hangs", (seconds, code))
        say(wait(unanswered, 10), "the level is still there after it", host.component(mount))
        seconds, code = timed(host, "systemctl", "stop", "veilled")
        result = host.show("veilled.service", "Result")
        say(code == 0 and seconds < 2 and result == "success", "so does systemctl stop", (seconds, code, result))
        seconds, code = timed(host, "systemctl", "start", "veilled")
        say(code == 0 and wait(unanswered, 10), "and start", (seconds, code))
    healed = wait(lambda: host.component(mount).get("level") == "ok", 60)
    say(healed and not hanging(host), "after the thaw it is ok again and nothing hangs", (host.component(mount), hanging(host)))
    units = lambda: host.out("systemctl", "list-units", "--all", "--plain", "--no-legend", "veille-probe-write@*")
    say(wait(lambda: not units(), 15), "no unit of a probe is left over", units())


# --- the kernel log, accepted baselines, upgrade ----------------------------------------------------------------


def kernel_log(host, loop):
    """A real error of a real file system, told by the kernel: from /dev/kmsg to a level and a line with fields."""
    kernel = lambda: [e for e in host.journal("VEILLE_COMPONENT=" + loop) if e.get("VEILLE_EVENT") == "remount-ro"]
    before, begin = len(kernel()), time.monotonic()
    with open("/sys/fs/ext4/%s/trigger_fs_error" % loop, "w") as f:
        f.write("veille lab")
    told = wait(lambda: host.component(loop).get("level") == "critical", 5)
    say(told and time.monotonic() - begin < 2, "the kernel's log reaches the brain: critical within 2 s", host.component(loop))
    say(wait(lambda: len(kernel()) > before, 3), "the journal has the kernel's word with its fields", host.journal("VEILLE_COMPONENT=" + loop))
    levels = host.journal("MESSAGE_ID=eb093eb84e8f474491aa2a40268246ad", "VEILLE_COMPONENT=" + loop, "VEILLE_LEVEL=critical")
    say(levels and levels[-1]["PRIORITY"] == "3" and levels[-1]["VEILLE_RULE"] and levels[-1]["_SYSTEMD_UNIT"] == "veilled.service",
        "and the change of level, as an error of veilled.service", levels)
    plain = host.out("journalctl", "-u", "veilled", "--no-pager", "-n", "20")
    say(re.search(r"veilled\[\d+\]: %s: critical \(was \w+\): " % loop, plain), "journalctl -u veilled reads as sentences", plain)


def users(host, loop):
    for name, group in (("lab-plain", None), ("lab-reader", "veille"), ("lab-admin", "veille-admin")):
        host.run("useradd", "--no-create-home", *(["-G", group] if group else []), name)
    rows = (  # user, command, success, what it says
        ("lab-plain", "status", False, "reading needs root or group veille"),
        ("lab-plain", "why /", False, "reading needs root or group veille"),
        ("lab-plain", "reload", False, "acting needs root or group veille-admin"),
        ("lab-plain", "config check", True, ""),
        ("lab-plain", "--help", True, "status"),
        ("lab-reader", "status", True, "level"),
        ("lab-reader", "why /", True, "/"),
        ("lab-reader", "reload", False, "acting needs root or group veille-admin"),
        ("lab-reader", "accept %s" % loop, False, "acting needs root or group veille-admin"),
        ("lab-admin", "reload", True, "read anew"),
        ("lab-admin", "poll", True, "asked"),
    )
    for user, command, success, words in rows:
        answer = host.run("veillectl", *command.split(), user=user)
        text = answer.stdout + answer.stderr
        # status ends with the level of the host: what it prints is what counts
        good = words in text and ((answer.returncode == 0) == success or (success and command == "status"))
        say(good, "%s, veillectl %s: %s" % (user, command, words or "works"), (answer.returncode, text))
    seen = host.out("systemctl", "status", "veilled", user="lab-plain")
    say("(running)" in seen, "a plain user may see that it runs", seen)


def events(host):
    script = ("import socket; s = socket.socket(socket.AF_UNIX); s.connect('/run/veille/store.sock'); "
              "s.sendall(b'{\"t\":\"events\",\"from\":0,\"to\":4e9,\"component\":null,\"max\":100000}\\n'); f = s.makefile()\n"
              "for line in f:\n"
              "    print(line, end='')\n"
              "    if '\"end\"' in line or '\"error\"' in line: break\n")
    return [line for line in host.out("python3", "-c", script).splitlines() if '"event"' in line]


def inode(host, path):
    return host.out("stat", "-c", "%i", path)


def upgrade(host, loop):
    """What was accepted, and a fault that stands: both as before after it."""
    accepted = host.run("veillectl", "accept", loop, user="lab-admin")
    again = host.run("veillectl", "accept", loop, user="lab-admin")
    say(accepted.returncode == 0 and again.returncode != 0, "an administrator accepts what has grown, once", (accepted.stderr, again.stdout))
    count, old = len(events(host)), inode(host, "/usr/sbin/veilled")
    made = host.make("install", "PREFIX=/usr")
    say(made.returncode == 0 and inode(host, "/usr/sbin/veilled") != old and host.active(*SERVICES),
        "make install over running programs replaces the files", made.stderr)
    restarted = host.run("systemctl", "restart", *SERVICES)
    exe = host.out("stat", "-L", "-c", "%i", "/proc/%s/exe" % host.show("veilled.service", "MainPID"))
    say(restarted.returncode == 0 and exe == inode(host, "/usr/sbin/veilled"), "a restart runs the new ones", (restarted.stderr, exe))
    wait(lambda: host.component("/").get("level") == "ok", 15)
    again = host.run("veillectl", "accept", loop, user="lab-admin")
    say("nothing that can be accepted" in again.stderr, "what was accepted stays accepted", (again.stdout, again.stderr))
    say(host.component(loop)["level"] == "critical", "what the kernel told before stays critical", host.component(loop))
    say(count > 0 and wait(lambda: len(events(host)) >= count, 10), "the events stay", (count, len(events(host))))
    return count


def reboot(host, count):
    seconds = host.shutdown()
    say(seconds < 15, "the host shuts down without waiting for anything of ours", seconds)
    host.start()
    say(wait(lambda: host.active(*SERVICES), 15), "after a reboot all is started", host.out("systemctl", "status", *SERVICES))
    say(wait(lambda: len(events(host)) >= count, 10), "and the events are there", (count, len(events(host))))
    last = host.journal("-b", "-1", "-p", "warning")
    slow = [e["MESSAGE"] for e in last if "veille" in e.get("UNIT", "") and re.search("timed out|Killing|Failed with", e["MESSAGE"])
            and "atchdog" not in e["MESSAGE"] and "status=78" not in e["MESSAGE"] and "exit-code" not in e["MESSAGE"]
            and "signal'" not in e["MESSAGE"] and "watchdog'" not in e["MESSAGE"]]
    say(not slow, "nothing of ours had to be killed to stop it", slow)


# --- hooks ----------------------------------------------------------------------------------------------

# Fails once, then runs: a mail service by its name only.
SERVICE = """[Service]
ExecStart=/bin/sh -c '[ -e /run/lab-tried-once ] && exec sleep infinity; touch /run/lab-tried-once; exit 1'
"""
HOOKS = """[check mail-unit]
interval = 1
[hooks]
mode = auto
[hook restart-mail-service]
on = rule:mail-filter-failed
class = repair
"""


def last_hook(host):
    lines = host.out("veillectl", "hooks", "list", "--json").splitlines()
    return (json.loads(lines[0])["state"].get("last") if lines else None) or {}


def hooks(host):
    """The hook that ships starts a failed service again, through the real unit of veille-act."""
    host.run("sh", "-c", "cat >/etc/systemd/system/rspamd.service", stdin=SERVICE)
    host.run("sh", "-c", "cat >/etc/veille/veille.conf.d/hooks.conf", stdin=HOOKS)
    host.run("systemctl", "daemon-reload")
    host.run("systemctl", "start", "rspamd")
    failed = wait(lambda: host.show("rspamd.service", "ActiveState") == "failed", 30)
    reloaded = host.run("systemctl", "reload", "veilled")
    ended = wait(lambda: last_hook(host).get("outcome") == "exited", 90)
    last = last_hook(host)
    say(failed and ended and last.get("status") == 0 and last.get("component") == "rspamd" and host.active("rspamd.service"),
        "a failed mail service is started again by restart-mail-service", (reloaded.stderr, last, host.out("systemctl", "status", "rspamd")))
    said = [e for e in host.journal("-u", "veille-act@*") if "hook restart-mail-service" in e["MESSAGE"]]
    left = lambda: host.out("systemctl", "list-units", "--plain", "--no-legend", "veille-act@*")
    say(said and wait(lambda: not left(), 30), "it ran in a unit of veille-act of its own, which is gone", (said, left()))
    reader = ("setpriv", "--reuid=65534", "--regid=veille", "--clear-groups", "python3", "-c", ASK)
    heard = {name: host.run(*reader, "/run/veille/%s.sock" % name, "", "1", "0").stdout
             for name in ("act", "notify", "probe-disk", "probe-raid", "probe-write", "probe-net", "probe-plugin", "store")}
    say([name for name, said in heard.items() if "Permission denied" not in said] == ["store"],
        "who may only read, as member of group veille, reaches the store and nothing that acts", heard)
    # Where the unit has no rights the administrator's program has none either.
    host.run("sh", "-c", "umask 022; printf '#!/bin/sh\\nsetsid sleep 1000 & echo x >/proc/sys/kernel/printk\\n' >/etc/veille/hooks.d/lab; "
                         "chmod 755 /etc/veille/hooks.d/lab; printf '[hook lab]\\nclass = repair\\n' >>/etc/veille/veille.conf.d/hooks.conf")
    host.run("systemctl", "reload", "veilled")
    ran = host.run("veillectl", "hooks", "run", "lab")
    say(ran.returncode == 1 and "exit status" in ran.stdout and not host.out("pgrep", "-f", "^sleep 1000$"),
        "one of the administrator is held in its sandbox", (ran.stdout, ran.stderr))
    host.run("rm", "/etc/veille/veille.conf.d/hooks.conf", "/etc/veille/hooks.d/lab", "/etc/systemd/system/rspamd.service")
    host.run("systemctl", "stop", "rspamd")


def whole_life(host):
    clean = host.files()
    make_run(host)
    installed_elsewhere(host)
    begin = time.time()
    first_start(host)
    hardened(host)
    memory(host)
    mounts(host)
    journal_fields(host)
    quiet_journal(host, begin)
    stopped = Stopped(host)
    sandboxes(host)
    stopped.check()
    socket_activation(host)
    dies_often(host)
    with disk(host) as (loop, _):
        subprocess.run(["mkfs.ext4", "-q", "-F", "/dev/" + loop], check=True)
        host.run("mkdir", "-p", "/srv/mail")
        host.run("mount", "-o", "errors=remount-ro", "/dev/" + loop, "/srv/mail")
        bad_reload(host)
        bad_start(host)
        say(wait(lambda: host.component("/srv/mail").get("level") == "ok", 20), "the spool on a disk of its own is ok",
            host.component("/srv/mail"))
        hung_device(host, "/srv/mail")
        kernel_log(host, loop)
        users(host, loop)
        count = upgrade(host, loop)
        host.run("umount", "/srv/mail")
        reboot(host, count)
    hooks(host)
    uninstalled(host, "PREFIX=/usr", clean)


def main():
    reason = lab.not_possible()
    if reason:
        print("ok - systemd host # SKIP " + reason)
        return
    lab.private_mounts(sys.argv)
    build = os.path.realpath(BUILD)
    host = Host("mx-lab", [TREE] + ([] if (build + "/").startswith(TREE + "/") else [build]))
    try:
        begin = time.monotonic()
        host.start()
        say(True, "systemd is PID 1 of a second system")
        print("# started in %.1f s" % (time.monotonic() - begin))
        whole_life(host)
    finally:
        host.remove()


main()
