# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the bench stands on: a namespace of its own, processes whose CPU, memory and writes can be told, scrapes."""

import http.client
import os
import subprocess
import sys
import time

BUILD = os.path.abspath(os.environ.get("BUILD", "build"))


def enter_namespace():
    """Own network (loopback only) and mounts: nothing that is started here can be reached, or found, by the host."""
    if os.environ.get("VEILLE_BENCH_INSIDE") != "1":
        if os.geteuid() != 0:
            sys.exit("bench: needs root (namespaces, mounts)")
        os.execvpe("unshare", ["unshare", "-nm", sys.executable] + sys.argv, dict(os.environ, VEILLE_BENCH_INSIDE="1"))
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def try_wait(condition, seconds):
    stop = time.monotonic() + seconds
    while time.monotonic() < stop:
        if condition():
            return True
        time.sleep(0.2)
    return condition()


def wait(condition, seconds, what):
    if not try_wait(condition, seconds):
        sys.exit("bench: waited %d s in vain: %s" % (seconds, what() if callable(what) else what))


def cgroup2():
    with open("/proc/self/mounts") as f:
        for line in f:
            words = line.split()
            if words[2] == "cgroup2":
                return words[1]
    return None


class Group:
    """Processes that are counted together, their children included, ended ones too."""

    def __init__(self, name):
        self.name, self.processes, self.dir = name, [], None
        base = cgroup2()
        if base:
            self.dir = "%s/veille-bench-%d-%s" % (base, os.getpid(), name)
            try:
                os.mkdir(self.dir)
                with open(self.dir + "/cpu.stat"):
                    pass
            except OSError:
                self.dir = None

    def start(self, command, log, **more):
        def join():
            if self.dir:
                with open(self.dir + "/cgroup.procs", "w") as f:
                    f.write("0")
        out = open(log, "ab")
        p = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, preexec_fn=join, **more)
        out.close()
        self.processes.append(p)
        return p

    def how(self):
        return "cgroup cpu.stat" if self.dir else "utime, stime, cutime, cstime"

    def cpu_s(self):
        if self.dir:
            with open(self.dir + "/cpu.stat") as f:
                return int(dict(line.split() for line in f)["usage_usec"]) / 1e6
        total = 0
        for p in self.processes:
            with open("/proc/%d/stat" % p.pid) as f:
                total += sum(int(v) for v in f.read().rsplit(")", 1)[1].split()[11:15])
        return total / os.sysconf("SC_CLK_TCK")

    def alive(self):
        for p in self.processes:
            if p.poll() is not None:
                sys.exit("bench: %s ended with status %s" % (p.args[0], p.returncode))

    def end(self):
        for p in self.processes:
            if p.poll() is None:
                p.terminate()
        for p in self.processes:
            try:
                p.wait(5)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
        if self.dir:
            for _ in range(20):
                try:
                    os.rmdir(self.dir)
                    break
                except OSError:
                    time.sleep(0.1)


def memory_kib(pid):
    """smaps_rollup: {"Pss": KiB, "Private_Dirty": KiB, "Rss": KiB, ...}"""
    with open("/proc/%d/smaps_rollup" % pid) as f:
        next(f)
        return {line.split(":")[0]: int(line.split()[1]) for line in f}


def written_bytes(pid):
    """What it and those of its children that have ended caused to be written to a disk."""
    with open("/proc/%d/io" % pid) as f:
        values = dict(line.split(": ") for line in f)
    return int(values["write_bytes"])


def scrape(port, path, headers=None):
    """Seconds from connect to the last byte, and the body."""
    begin = time.perf_counter()
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    c.request("GET", path, headers=headers or {})
    answer = c.getresponse()
    body = answer.read()
    c.close()
    took = time.perf_counter() - begin
    if answer.status != 200:
        sys.exit("bench: http://127.0.0.1:%d%s answered %d" % (port, path, answer.status))
    return took, body


def own_cpu_s(pid):
    """Of the process itself, without its children."""
    total = 0
    for task in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/schedstat" % (pid, task)) as f:
            total += int(f.read().split()[0])
    return total / 1e9


def quantile(values, q):
    return sorted(values)[min(len(values) - 1, int(q * len(values)))]


# --- what the made-up host must show -----------------------------------------------------------------------------
READINGS = ("sensor_temperature_celsius", "sensor_fan_rpm", "sensor_voltage_volts", "sensor_current_amperes", "sensor_power_watts")


def count_sensors(samples):
    return len({(s["i"], s["l"].get("sensor")) for s in samples if s["c"] == "sensors" and s["m"] in READINGS})


def count_disks(samples):
    return {s["i"] for s in samples if s["c"] in ("smart", "smart-ata") and s["m"] == "disk_temperature_celsius"}
