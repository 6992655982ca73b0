# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one connection to a probe's socket costs where systemd starts the unit: PID 1's part, the sandbox, the loader, the probe
and the journal's part, in a second system (tests/lab/container.py) that does nothing else. Run alone it prints a table."""

import os
import subprocess
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, HERE + "/../lab"]
import container
import lab

# One request after the other, each read to its end: whoever asks is not in the system's cgroup and not counted.
ASK = r"""
import socket, sys
path, request, n = sys.argv[1], sys.argv[2].encode() + b"\n", int(sys.argv[3])
for _ in range(n):
    s = socket.socket(socket.AF_UNIX)
    s.connect(path)
    s.sendall(request)
    while s.recv(65536):
        pass
    s.close()
"""
N = 40
REQUESTS = {"write": '{"op":"list","check":"latency"}', "disk": '{"op":"list","check":"smart"}', "net": '{"op":"list","check":"ups"}'}


def ask(run, path, request, n):
    done = run("python3", "-c", ASK, path, request, str(n))
    if done.returncode:
        raise RuntimeError("%s: %s" % (path, done.stderr))


def cost(cpu_s, run, path, request):
    """CPU seconds of one connection, what runs anyway taken off."""
    ask(run, path, request, 3)
    time.sleep(2)
    before = cpu_s()
    time.sleep(3)
    idle = (cpu_s() - before) / 3
    before, begin = cpu_s(), time.monotonic()
    ask(run, path, request, N)
    time.sleep(2)  # units are buried after the last answer
    return (cpu_s() - before - idle * (time.monotonic() - begin)) / N


def tree_cpu_s(directory):
    with open(directory + "/cpu.stat") as f:
        return int(dict(line.split() for line in f)["usage_usec"]) / 1e6


def under_systemd(privileges):
    system = container.Container("veille-bench-pid1", [])
    try:
        made = subprocess.run(["make", "-s", "-C", HERE + "/../..", "BUILD=" + lab.BUILD, "install", "DESTDIR=" + system.upper, "PREFIX=/usr"],
                              capture_output=True, text=True)
        if made.returncode:
            raise RuntimeError("make install: " + made.stderr)
        system.start()
        for command in (["systemd-sysusers"], ["systemd-tmpfiles", "--create", "/usr/lib/tmpfiles.d/veille.conf"],
                        ["systemctl", "start"] + ["veille-probe-%s.socket" % p for p in privileges]):
            done = system.run(*command)
            if done.returncode:
                raise RuntimeError("%s: %s" % (" ".join(command), done.stderr))
        time.sleep(5)  # what a system does at its start
        return {p: cost(lambda: tree_cpu_s(system.cgroup), system.run, "/run/veille/probe-%s.sock" % p, REQUESTS[p]) for p in privileges}
    finally:
        system.remove()


def under_listen(privileges, directory):
    group = lab.Group("pid1")
    try:
        group.start([lab.BUILD + "/veille-probe", "listen", directory], directory + "/listen.log")
        run = lambda *command: subprocess.run(command, capture_output=True, text=True)
        lab.wait(lambda: os.path.exists(directory + "/probe-%s.sock" % privileges[-1]), 5, "probe sockets")
        return {p: cost(group.cpu_s, run, "%s/probe-%s.sock" % (directory, p), REQUESTS[p]) for p in privileges}
    finally:
        group.end()


def main():
    container.private_mounts(sys.argv)
    reason = container.not_possible()
    if reason:
        sys.exit("pid1: " + reason)
    for privilege, seconds in under_systemd(list(REQUESTS)).items():
        print("%s: %.1f ms" % (privilege, seconds * 1000), flush=True)


if __name__ == "__main__":
    main()
