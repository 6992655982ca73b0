# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the sandbox of a unit (systemd_host.py) and tries what a program that was taken over would try:
sandbox_tries.py BLOCK-DEVICE OWN-RUNTIME-DIRECTORY. One line per try: "what: done" or "what: why not"."""

import ctypes
import errno
import mmap
import os
import signal
import socket
import stat
import sys

DEVICE, OWN = sys.argv[1:]
libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWUSER, CLONE_NEWNS, PTRACE_ATTACH, MAJOR_LOOP = 0x10000000, 0x00020000, 16, 7
libc.mmap.restype = ctypes.c_void_p


def call(result):
    """Of a function of libc that answers -1 and errno."""
    if result == -1:
        raise OSError(ctypes.get_errno(), "")


def node():
    """The numbers of the device, also where its name is hidden."""
    with open("/sys/class/block/%s/dev" % DEVICE) as f:
        return os.makedev(*(int(n) for n in f.read().split(":")))


def opened(path, flags):
    os.close(os.open(path, flags))


def kernel_log():
    """The real one: what is hidden may be replaced by a file that can be opened and is nothing."""
    fd = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
    real = os.fstat(fd).st_rdev == os.makedev(1, 11)
    os.close(fd)
    if not real:
        raise OSError(errno.ENXIO, "")


def created(directory):
    path = directory + "/lab-sandbox-try"
    opened(path, os.O_CREAT | os.O_WRONLY)
    os.unlink(path)


def made(device):
    os.mknod("/tmp/lab-node", 0o600 | stat.S_IFBLK, device)
    os.unlink("/tmp/lab-node")


def loop_read():
    """Through a node of our own, if one can be made: the device filter must hold, not only the missing name."""
    opened("/dev/" + DEVICE.rsplit("p", 1)[0], os.O_RDONLY)


def writable_code():
    code = libc.mmap(None, mmap.PAGESIZE, mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, 0)
    if code == ctypes.c_void_p(-1).value:
        raise OSError(ctypes.get_errno(), "")


def other_processes():
    """Those of other users are not to be seen."""
    mine = {pid for pid in os.listdir("/proc") if pid.isdigit() and os.stat("/proc/" + pid).st_uid == os.getuid()}
    if not [pid for pid in os.listdir("/proc") if pid.isdigit() and pid not in mine]:
        raise OSError(errno.ENOENT, "")


TRIES = {
    "unix": lambda: socket.socket(socket.AF_UNIX).close(),
    "inet": lambda: socket.socket(socket.AF_INET).close(),
    "inet6": lambda: socket.socket(socket.AF_INET6).close(),
    "netlink": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0).close(),
    "packet": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close(),
    "raw inet": lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1).close(),
    "read blkext": lambda: opened("/dev/" + DEVICE, os.O_RDONLY),
    "write blkext": lambda: opened("/dev/" + DEVICE, os.O_RDWR),
    "read loop": loop_read,
    "open kmsg": kernel_log,
    "mknod": lambda: made(node()),
    "write /tmp": lambda: created("/tmp"),
    "write /etc": lambda: created("/etc"),
    "write /etc/veille": lambda: created("/etc/veille"),
    "write /usr": lambda: created("/usr/sbin"),
    "write /var/lib/veille": lambda: created("/var/lib/veille"),
    "write /var/mail": lambda: created("/var/mail"),
    "write /srv": lambda: created("/srv"),
    "write /root": lambda: created("/root"),
    "write /run": lambda: created("/run"),
    "write /run/veille": lambda: created("/run/veille"),
    "write own runtime": lambda: created(OWN if OWN != "-" else "/nowhere"),
    "write /proc/sys": lambda: opened("/proc/sys/kernel/hostname", os.O_WRONLY),
    "write /sys": lambda: opened("/sys/class/block/%s/uevent" % DEVICE, os.O_WRONLY),
    "write cgroup": lambda: os.mkdir("/sys/fs/cgroup/lab-try"),
    "mount": lambda: call(libc.mount(b"none", b"/tmp", b"tmpfs", 0, None)),
    "user namespace": lambda: call(libc.unshare(CLONE_NEWUSER)),
    "mount namespace": lambda: call(libc.unshare(CLONE_NEWNS)),
    "signal PID 1": lambda: os.kill(1, signal.SIGCONT),
    "trace PID 1": lambda: call(libc.ptrace(PTRACE_ATTACH, 1, None, None)),
    "become root": lambda: os.setresuid(0, 0, 0) if os.getuid() else os.setresuid(65534, 0, 0),
    "host name": lambda: socket.sethostname("lab-try"),
    "writable code": writable_code,
    "see others": other_processes,
    "reboot": lambda: call(libc.reboot(0)),  # not its magic number: EINVAL would mean that the filter let it through
}

for what, attempt in TRIES.items():
    try:
        attempt()
        print(what + ": done")
    except OSError as why:
        print("%s: %s" % (what, "done" if what == "reboot" and why.errno == errno.EINVAL else errno.errorcode.get(why.errno, why)))
