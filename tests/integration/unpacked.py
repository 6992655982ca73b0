# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers for tests: Debian packages that are unpacked below build/, never installed. What a test starts it ends by pid."""

import fcntl
import glob
import os
import shutil
import socket
import struct
import subprocess
import sys
import time

BUILD = os.path.abspath(os.environ.get("BUILD", "build"))


def skip(name, reason):
    """One skipped result with its reason, and the end."""
    print("ok - %s # SKIP %s" % (name, " ".join(reason.split())[:200]))
    sys.exit(0)


def unpack(packages):
    """The directory that holds these packages' files. Raises RuntimeError with a reason where they cannot be had."""
    directory = os.path.join(BUILD, "unpacked", "+".join(packages))
    os.makedirs(os.path.dirname(directory), exist_ok=True)
    with open(directory + ".lock", "w") as lock:  # tests run beside each other and want the same
        fcntl.flock(lock, fcntl.LOCK_EX)
        return directory if os.path.isdir(directory) else fetch(packages, directory)


def fetch(packages, directory):
    debs = directory + ".debs"
    os.makedirs(debs, exist_ok=True)
    for _ in range(2):
        got = subprocess.run(["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download"] + packages, cwd=debs,
                             stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if got.returncode == 0:
            break
        time.sleep(2)
    else:
        raise RuntimeError("apt-get download %s: %s" % (" ".join(packages), got.stderr[-150:]))
    parts = directory + ".new"
    os.makedirs(parts, exist_ok=True)
    for deb in glob.glob(debs + "/*.deb"):
        subprocess.run(["dpkg-deb", "-x", deb, parts], check=True)
    os.rename(parts, directory)
    return directory


def library_path(directory):
    return ":".join(sorted({os.path.dirname(p) for p in glob.glob(directory + "/**/*.so*", recursive=True)}))


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def own_network():
    """The same program again in a network of its own, with loopback up, where we are root: true. Else nothing happens: false."""
    if os.environ.get("VEILLE_OWN_NETWORK"):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            fcntl.ioctl(s, 0x8914, struct.pack("16sh14s", b"lo", 0x1 | 0x40, b""))  # SIOCSIFFLAGS: up, running
        return True
    if os.getuid() == 0 and shutil.which("unshare"):
        os.environ["VEILLE_OWN_NETWORK"] = "1"
        os.execvp("unshare", ["unshare", "-nm", sys.executable] + sys.argv)
    return False


def end(processes):
    for process in processes:
        process.kill()
    for process in processes:
        process.wait()


def wait_for(what, seconds, function):
    """Calls function until it returns something true, which is returned."""
    until = time.monotonic() + seconds
    while True:
        found = function()
        if found:
            return found
        if time.monotonic() > until:
            raise RuntimeError("not seen within %d s: %s" % (seconds, what))
        time.sleep(0.2)
