#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 400
"""Hooks: a hung, a dead, a chatty (1 GB) and a forking one do not hold up the brain, their end is on record and nothing of them is left; what others
than root could change is refused; a brain that is killed in the middle neither repeats nor forgets one; the three modes. As root, with a
veille-act that the brain starts itself; under systemd: tests/lab/systemd_host.py."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(__file__))
import unpacked  # noqa: E402
from tap import none, say  # noqa: E402

PLAIN, SAN = unpacked.BUILD + "/", unpacked.BUILD + "/san/"
MC = "/root/sys/devices/system/edac/mc/mc0/"
HOOK = """[hook %s]
on = rule:memory-uncorrectable
class = repair
deadline = %s
cool_down = 0
per_day = 32
"""
CONFIG = """[host]
name = %s
[check edac]
interval = 1
[hooks]
mode = %s
"""
# How late the machine itself is: a process that only sleeps.
WITNESS = """
import signal, sys, time
worst, go = 0.0, True
def end(*_):
    global go
    go = False
signal.signal(signal.SIGTERM, end)
print("ready", flush=True)
while go:
    before = time.monotonic()
    time.sleep(0.01)
    worst = max(worst, time.monotonic() - before - 0.01)
print(worst)
"""
HOOKS = {
    "good": "#!/bin/sh\necho \"$VEILLE_HOOK|$VEILLE_ON|$VEILLE_COMPONENT|$VEILLE_RULE|$VEILLE_LEVEL|$VEILLE_HOOK_CLASS|${HOME-none}\"\ncat\n",
    "hung": "#!/bin/sh\ntrap '' TERM\necho begins\nwhile :; do sleep 1; done\n",
    "no-interpreter": "#!/nonexistent/interpreter\n",
    "killed": "#!/bin/sh\nkill -9 $$\n",
    "chatty": "#!/bin/sh\nhead -c 1000000000 /dev/zero | tr '\\0' x\nexit 7\n",
    "forking": "#!/bin/sh\nsetsid sh -c 'trap \"\" TERM; setsid sleep 1000 & while :; do sleep 1; done' &\nsetsid sleep 1000 > /dev/null 2>&1 < /dev/null &\n"
               "echo forked\n",
}
REFUSED = {"writable": "may be written by others", "linked": "symbolic link", "foreign": "does not belong to root", "plain": "not executable",
           "huge": "larger than", "absent": "there is no hook"}


def until(what, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = what()
        if value:
            return value
        time.sleep(0.1)
    return what()


class Host:
    def __init__(self, directory, programs, mode, hooks):
        self.dir, self.programs, self.run, self.brain, self.store = directory, programs, directory + "/run", None, None
        self.name = "hooks-%d-%s" % (os.getpid(), mode)
        self.hooks = directory + "/root/etc/veille/hooks.d"
        for path in (directory + MC, directory + "/root/proc/self", self.hooks, self.run, directory + "/state"):
            os.makedirs(path)
        open(directory + "/root/proc/self/mountinfo", "w").close()
        for name, value in (("mc_name", "made up"), ("ce_count", "0"), ("ue_count", "0")):
            self.edac(name, value)
        self.config(mode, hooks)
        self.options = ["--root", directory + "/root", "--config", directory + "/veille.conf", "--run", self.run, "--state", directory + "/state"]

    def config(self, mode, hooks):
        with open(self.dir + "/veille.conf", "w") as f:
            f.write(CONFIG % (self.name, mode) + "".join(HOOK % h for h in hooks))

    def hook(self, name, text):
        with open(self.hooks + "/" + name, "w") as f:
            f.write(text)
        os.chmod(self.hooks + "/" + name, 0o755)

    def edac(self, name, value):
        with open(self.dir + "/edac.new", "w") as f:
            f.write(value + "\n")
        os.rename(self.dir + "/edac.new", self.dir + MC + name)

    def start(self):
        with open(self.dir + "/veilled.log", "ab") as log:
            self.brain = subprocess.Popen([self.programs + "veilled"] + self.options, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def start_store(self):
        with open(self.dir + "/store.log", "ab") as log:
            self.store = subprocess.Popen([self.programs + "veille-store"] + self.options, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until(lambda: os.path.exists(self.run + "/store.sock"))

    def stop(self, number=signal.SIGTERM):
        self.brain.send_signal(number)
        self.brain.wait(60)

    def end(self):
        self.stop()
        self.store.terminate()
        self.store.wait(60)

    def ctl(self, *words):
        done = subprocess.run([self.programs + "veillectl"] + list(words) + self.options, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        return done.stdout + done.stderr, done.returncode

    def state(self, name):
        try:
            with open(self.run + "/hooks.json") as f:
                return [h["state"] for h in json.load(f)["hooks"] if h["name"] == name][0]
        except (OSError, IndexError):
            return {}

    def last(self, name, outcome=None):
        last = self.state(name).get("last")
        return last if last and outcome in (None, last["outcome"]) else None

    def stall(self):
        with open(self.run + "/status.json") as f:
            return json.load(f)["counters"]["longest_stall_s"]

    def level(self, wanted):
        return until(lambda: self.ctl("status")[1] == wanted)

    def left(self):
        """Processes of hooks: they have the name of this host in their environment."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open("/proc/%s/environ" % pid, "rb") as f:
                    if b"VEILLE_HOST=" + self.name.encode() in f.read():
                        found.append(pid)
            except OSError:
                pass
        return found


def test_sick(directory):
    host = Host(directory, PLAIN, "auto", [(name, "3s" if name == "hung" else "1min") for name in list(HOOKS) + list(REFUSED)])
    for name, text in HOOKS.items():
        host.hook(name, text)
    for name in ("writable", "foreign", "plain", "huge"):
        host.hook(name, "#!/bin/sh\ntouch %s/was-run\n" % directory + ("#" * 1100000 if name == "huge" else ""))
    os.chmod(host.hooks + "/writable", 0o777)
    os.chmod(host.hooks + "/plain", 0o644)
    os.chown(host.hooks + "/foreign", 65534, 65534)
    with open(directory + "/elsewhere", "w") as f:
        f.write("#!/bin/sh\ntouch %s/was-run\n" % directory)
    os.chmod(directory + "/elsewhere", 0o755)
    os.symlink(directory + "/elsewhere", host.hooks + "/linked")
    host.start_store()
    host.start()
    if not host.level(0):
        none([host.ctl("status"), open(directory + "/veilled.log").read()], "the host is well before")
    before = host.stall()
    with subprocess.Popen([sys.executable, "-c", WITNESS], stdout=subprocess.PIPE, text=True) as witness:
        witness.stdout.readline()
        host.edac("ue_count", "1")
        until(lambda: all(host.last(name) for name in list(HOOKS) + list(REFUSED)), 150)
        time.sleep(2.5)  # the counters of status.json are of a moment ago
        witness.terminate()
        late = float(witness.stdout.readline())
    after = host.stall()
    last = {name: host.last(name) or {} for name in list(HOOKS) + list(REFUSED)}
    say(after <= before or after < 0.1 + 2 * late, "no stall over 100 ms (the machine itself was up to %.0f ms late)" % (late * 1000), before, after, late)
    good = last["good"].get("output", "").split("\n")
    problems = [] if good[0] == "good|rule:memory-uncorrectable|mc0|memory-uncorrectable|critical|repair|none" else [good]
    try:
        told = json.loads(good[1])
        problems += [] if told["host"] == host.name and told["id"] == last["good"]["id"] and told["health"] == "red" and told["version"] == 1 else [told]
    except (IndexError, ValueError) as e:
        problems.append(repr(e))
    none(problems, "a hook gets its environment and JSON on standard input, and nothing else")
    wanted = {"good": ("exited", 0), "hung": ("deadline", -1), "killed": ("killed", -1), "chatty": ("exited", 7), "forking": ("exited", 0),
              "no-interpreter": ("failed", -1)}
    none([last[n] for n, w in wanted.items() if (last[n].get("outcome"), last[n].get("status")) != w and n != "hung"]
         + ([last["hung"]] if last["hung"].get("outcome") != "deadline" else []), "hung, dead, killed, chatty, forking: how each ended is on record")
    chatty = last["chatty"]
    say(chatty.get("bytes") == 1000000000 and len(chatty.get("output", "")) == 65536, "1 GB was read, 64 KiB are kept", chatty.get("bytes"))
    say(last["forking"].get("swept", 0) >= 2, "what left its process group was ended", last["forking"])
    none(until(lambda: not host.left()) and [] or host.left(), "nothing of any hook is left running")
    none([last[n] for n, text in REFUSED.items() if last[n].get("outcome") != "refused" or text not in last[n]["summary"]]
         + (["was run"] if os.path.exists(directory + "/was-run") else []), "what others than root could change, links, what is too large: refused with the reason")
    os.chmod(host.hooks, 0o777)
    out, status = host.ctl("hooks", "run", "good")
    again, dry = host.ctl("hooks", "run", "--dry-run", "good")
    os.chmod(host.hooks, 0o755)
    say(status == 1 and dry == 3 and "may be written by others" in out and "may be written by others" in again, "so is all in a directory that others may write",
        out, again)
    out, status = host.ctl("hooks", "run", "good", "mc0")
    say(status == 0 and "good|operator|mc0" in out and '"by":' in out, "veillectl hooks run runs it and shows what it said", out, status)
    out, status = host.ctl("hooks", "run", "../../elsewhere")
    say(status == 3 and not os.path.exists(directory + "/was-run"), "a path is no name", out)
    out, status = host.ctl("events", "--json")
    say("hook good ended with exit status 0" in out and "hook hung did not end within 3 s" in out, "the runs are events", out)
    host.end()


def lines(path):
    try:
        with open(path) as f:
            return f.read().splitlines()
    except OSError:
        return []


def test_restart(directory):
    host = Host(directory, SAN, "auto", [("slow", "1min")])
    host.hook("slow", "#!/bin/sh\necho begin >> %s/trace\nwhile [ ! -e %s/go ]; do sleep 0.1; done\necho end >> %s/trace\n" % ((directory,) * 3))
    trace, go = directory + "/trace", directory + "/go"
    host.start_store()
    host.start()
    host.level(0)
    host.edac("ue_count", "1")
    until(lambda: lines(trace) == ["begin"])
    host.stop(signal.SIGKILL)
    host.start()
    last = until(lambda: host.last("slow", "unknown"))
    open(go, "w").close()
    until(lambda: lines(trace) == ["begin", "end"])
    host.level(2)
    time.sleep(4)  # long enough for a second run to begin
    say(bool(last) and "not repeated" in last["summary"] and lines(trace) == ["begin", "end"], "killed while a hook runs: unknown outcome, not repeated", last,
        lines(trace))
    host.edac("ue_count", "0")
    host.level(0)
    until(lambda: not host.state("slow").get("seen"))
    host.stop(signal.SIGKILL)
    host.edac("ue_count", "2")
    host.start()
    last = until(lambda: host.last("slow", "exited"))
    say(bool(last) and lines(trace) == ["begin", "end"] * 2, "what happened while no brain was there is not forgotten, and runs once", last, lines(trace))
    # Power is cut: nothing is left of RUN.
    time.sleep(3)
    host.stop(signal.SIGKILL)
    host.store.kill()
    host.store.wait()
    subprocess.run(["rm", "-rf", host.run], check=True)
    os.mkdir(host.run)
    host.start_store()
    host.start()
    host.level(2)
    time.sleep(4)
    say(lines(trace) == ["begin", "end"] * 2 and host.last("slow", "exited"), "a reboot: it is known what was run", lines(trace), host.state("slow"))
    host.end()
    with open(directory + "/veilled.log") as f:
        log = f.read()
    say("Sanitizer" not in log, "no report of a sanitizer", log[-1500:])


def test_modes(directory):
    host = Host(directory, SAN, "advise", [("touch", "1min")])
    host.hook("touch", "#!/bin/sh\necho run >> %s/trace\n" % directory)
    trace = directory + "/trace"
    host.start_store()
    host.start()
    host.level(0)
    host.edac("ue_count", "1")
    last = until(lambda: host.last("touch", "advised"))
    out, _ = host.ctl("hooks", "list")
    say(bool(last) and not lines(trace) and "would be run, on rule:memory-uncorrectable" in out, "advise: it is said, and not done", out)
    out, status = host.ctl("hooks", "confirm", "touch")
    say(status == 3 and "waits for no confirmation" in out, "there is nothing to confirm then", out)
    host.edac("ue_count", "0")
    host.level(0)
    until(lambda: not host.state("touch").get("seen"))
    host.config("confirm", [("touch", "1min")])
    host.ctl("reload")
    host.ctl("maintenance", "1h", "work")
    host.edac("ue_count", "3")
    host.level(2)
    time.sleep(3)
    quiet = not host.state("touch").get("asked")
    host.ctl("maintenance", "end")
    asked = until(lambda: host.state("touch").get("asked"))
    host.stop(signal.SIGKILL)
    host.start()
    until(lambda: host.state("touch").get("asked"))
    ran = lines(trace)
    until(lambda: host.ctl("hooks", "confirm", "touch")[1] == 0, 30)
    say(bool(asked) and quiet and not ran and lines(trace) == ["run"], "confirm: it waits for the end of maintenance and, over kill -9 of the brain, for its confirmation, and runs when it is confirmed", asked, lines(trace))
    host.config("auto", [])
    host.ctl("reload")
    out, status = host.ctl("hooks", "run", "touch")
    say(status == 3 and "there is no [hook touch]" in out, "what is not in the configuration any more is not run", out)
    host.config("auto", [("no_name", "1min")])
    out, status = host.ctl("config", "check")
    say(status != 0 and "a hook is named with" in out, "a bad name is a mistake of the configuration", out)
    host.end()


def main():
    if os.geteuid() != 0:
        print("ok - hooks # SKIP needs root")
        return
    for test in (test_sick, test_restart, test_modes):
        with tempfile.TemporaryDirectory(prefix="veille-hooks-") as directory:
            test(directory)


if __name__ == "__main__":
    main()
