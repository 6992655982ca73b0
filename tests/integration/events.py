#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 180
"""Events, not only polls: the real veilled (under the sanitizers) hears a mount, a link and a uevent of the kernel and has the
checks look at once. All are polled every ten minutes only, so a level that follows within seconds has come by the event: no time
is asserted but that. Also what comes twice in a second, in the middle of a run, while everything else hangs, and while a discovery
hangs. In a mount and network namespace of its own. How fast it is: tests/lab/event_latency.py, docs/events.md."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

from tap import say

BUILD = os.environ.get("BUILD", "build")
SOON = 20  # seconds; the next poll is 600 away
INSIDE = "VEILLE_TEST_NAMESPACE"
HANGING = ["hangs-%s" % c for c in "abcdefgh"]

# The value is read when the run begins; "slow" is how long it then takes to say so.
PROBE = """#!/bin/sh
cd %s
[ "$1" != catalog ] || exec cat catalog
read -r request
check=${request#*\\"check\\":\\"}
check=${check%%%%\\"*}
case $request in
*'"op":"list"'*)
        [ ! -e list-hangs.$check ] || exec sleep 100
        for i in $(cat list.$check); do printf '{"instance":"%%s","component":"%%s","id":"","kind":"host"}\\n' $i $i; done
        echo '{"type":"end","result":"ok","why":""}'
        exit ;;
esac
case $check in hangs-*) [ ! -e hang ] || exec sleep 100 ;; esac
value=$(cat value.$check)
echo "$value" >>runs.$check
[ ! -e slow.$check ] || { : >in-run.$check; sleep "$(cat slow.$check)"; }
for i in $(cat list.$check); do
        printf '{"type":"sample","instance":"%%s","metric":"test_value","value":%%s,"labels":{}}\\n' $i $value
        printf '{"type":"end","instance":"%%s","result":"ok","why":""}\\n' $i
done
"""


def wait(condition, seconds=SOON):
    stop = time.monotonic() + seconds
    while not condition() and time.monotonic() < stop:
        time.sleep(0.02)
    return condition()


class Brain:
    def __init__(self, directory):
        self.directory, self.run = directory, directory + "/run"
        os.mkdir(self.run)
        names = ["fs", "topology", "net", "raid", "held"] + HANGING
        checks = [{"name": n, "summary": "x", "interval_s": 600, "deadline_s": 60, "max_age_s": 3600, "evidence": "host",
                   "privilege": "none", "metrics": [{"name": "test_value", "kind": "gauge", "unit": "", "help": "x"}],
                   "rules": [{"name": n + "-rule", "metric": "test_value", "warning": 5, "text": "{value}"}]} for n in names]
        checks[names.index("held")]["rules"][0]["hold_s"] = 5
        self.put("catalog", json.dumps({"protocol": 1, "checks": checks}))
        for n in names:
            self.put("value." + n, "1")
            self.put("list." + n, n)
        self.put("probe", PROBE % directory)
        os.chmod(directory + "/probe", 0o755)
        self.log = open(directory + "/log", "w")
        self.process = self.start("run", [])

    def start(self, name, options):
        """Another one, of which levels() tells from now on."""
        self.run = self.directory + "/" + name
        os.makedirs(self.run, exist_ok=True)
        return subprocess.Popen([BUILD + "/san/veilled", "--run", self.run, "--config", self.directory + "/none", "--probe",
                                 self.directory + "/probe"] + options, stdin=subprocess.DEVNULL, stderr=self.log)

    def put(self, name, text):
        with open(self.directory + "/.new", "w") as f:
            f.write(text + "\n")
        os.rename(self.directory + "/.new", self.directory + "/" + name)

    def remove(self, name):
        os.unlink(self.directory + "/" + name)

    def runs(self, check):
        with contextlib.suppress(OSError), open("%s/runs.%s" % (self.directory, check)) as f:
            return len(f.readlines())
        return 0

    def levels(self):
        with contextlib.suppress(OSError, ValueError), open(self.run + "/status.json") as f:
            return {c["component"]: c["level"] for c in json.load(f)["components"]}
        return {}

    def follows(self, component, level, seconds=SOON):
        return wait(lambda: self.levels().get(component) == level, seconds)


def mount_event(directory):
    """Two events: it comes and goes."""
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", directory + "/mnt"], check=True)
    subprocess.run(["umount", directory + "/mnt"], check=True)


def link_event():
    for state in ("up", "down"):
        subprocess.run(["ip", "link", "set", "lo", state], check=True)


def uevent():
    """False where none can be made."""
    with contextlib.suppress(OSError):
        for device in sorted(os.listdir("/sys/block")):
            with open("/sys/block/%s/uevent" % device, "w") as f:
                f.write("change")
            return True
    return False


def events(brain):
    event = lambda: mount_event(brain.directory)
    say(wait(lambda: {"fs", "net", "raid", *HANGING} <= {c for c, l in brain.levels().items() if l == "ok"}, 60), "all are ok at first",
        brain.levels())

    for check, name, make in (("fs", "a mount", event), ("topology", "a mount (what stands on what)", event), ("net", "a link", link_event)):
        brain.put("value." + check, "9")
        make()
        say(brain.follows(check, "warning"), name + " makes the check look at once", brain.levels())
    brain.put("value.raid", "9")
    if uevent():
        say(brain.follows("raid", "warning"), "so does a uevent", brain.levels())
    else:
        print("ok - so does a uevent # SKIP no block device of which root may make one")

    for value, level in (("1", "ok"), ("9", "warning"), ("1", "ok"), ("9", "warning"), ("1", "ok"), ("9", "warning")):
        brain.put("value.fs", value)
        event()
        if not brain.follows("fs", level):
            break
    say(brain.levels()["fs"] == level, "six events, each as soon as the last one is seen", (level, brain.levels()))

    brain.put("list.fs", "fs new")
    event()
    say(brain.follows("new", "warning"), "what is new is found", brain.levels())
    brain.put("list.fs", "fs")
    event()
    say(brain.follows("new", "unknown"), "and missed when it is gone", brain.levels())


def cgroup2():
    with open("/proc/self/mounts") as f:
        return next((line.split()[1] for line in f if line.split()[2] == "cgroup2" and "rw" in line.split()[3].split(",")), None)


def md_attribute(brain):
    """An attribute that the kernel notifies as it does those of md: whether a control group has processes."""
    group = "%s/veille-events-%d" % (cgroup2(), os.getpid())
    try:
        os.mkdir(group)
    except OSError as e:
        print("ok - an attribute of md is an event # SKIP no control group can be made: %s" % e)
        return
    inside = subprocess.Popen(["sh", "-c", 'echo $$ >"$0/cgroup.procs" && exec sleep 1000', group])
    try:
        os.makedirs(brain.directory + "/root/sys/block/md0/md")
        os.symlink(group + "/cgroup.events", brain.directory + "/root/sys/block/md0/md/array_state")
        brain.put("value.raid", "1")
        wait(lambda: "populated 1" in open(group + "/cgroup.events").read())
        made = brain.start("md", ["--root", brain.directory + "/root"])
        say(brain.follows("raid", "ok", 60), "an array is ok", brain.levels())
        brain.put("value.raid", "9")
        inside.kill()
        say(brain.follows("raid", "warning"), "an attribute of md is an event", brain.levels())
        made.terminate()
        made.wait(10)
    finally:
        inside.kill()
        inside.wait()
        os.rmdir(group)


def hold(brain):
    """The next poll is 600 s away; what the rule waits for is 5 s away."""
    brain.put("value.held", "9")
    subprocess.run([BUILD + "/veillectl", "--run", brain.run, "poll"], check=True, stdout=subprocess.DEVNULL)
    say(brain.follows("held", "warning", 60), "a hold that ends between two polls is seen when it ends", brain.levels())


def in_the_middle(brain):
    """The run that is under way has read the old value: its answer is not the answer to the event."""
    brain.put("slow.fs", "2")
    brain.put("value.fs", "1")
    mount_event(brain.directory)
    say(wait(lambda: os.path.exists(brain.directory + "/in-run.fs")), "a run is under way")
    brain.put("value.fs", "9")
    mount_event(brain.directory)
    brain.follows("fs", "ok")
    say(brain.follows("fs", "warning"), "an event in the middle of a run is answered after it", brain.levels())
    brain.remove("slow.fs")


def storm(brain):
    before, begin = brain.runs("fs"), time.monotonic()
    brain.put("value.fs", "1")
    while time.monotonic() - begin < 4:
        mount_event(brain.directory)
    brain.put("value.fs", "9")
    mount_event(brain.directory)
    say(brain.follows("fs", "warning"), "the last event of a storm is answered too", brain.levels())
    # Each also asks for a discovery. 4 in a burst, then one a second.
    seconds, runs = time.monotonic() - begin, brain.runs("fs") - before
    say(runs <= 6 + seconds, "a storm costs about a run a second", (runs, seconds))


def while_all_hangs(brain):
    brain.put("value.fs", "1")
    brain.put("hang", "")
    subprocess.run([BUILD + "/veillectl", "--run", brain.run, "poll"], check=True, stdout=subprocess.DEVNULL)
    say(brain.follows("fs", "ok"), "all checks are asked, and eight hang", brain.levels())
    brain.put("value.fs", "9")
    mount_event(brain.directory)
    say(brain.follows("fs", "warning"), "an event is answered while eight checks hang", brain.levels())


def while_a_discovery_hangs(brain):
    brain.put("list-hangs.fs", "")
    mount_event(brain.directory)
    time.sleep(1)
    brain.put("value.fs", "1")
    mount_event(brain.directory)
    say(brain.follows("fs", "ok"), "and while the check's own discovery hangs", brain.levels())


def main():
    if not os.environ.get(INSIDE):
        unshare = ["unshare", "-nm"] + ([] if os.geteuid() == 0 else ["-r"])
        if not shutil.which("ip") or subprocess.run(unshare + ["true"], capture_output=True).returncode:
            print("ok - events # SKIP no namespaces here, or no ip")
            return
        os.environ[INSIDE] = "1"
        os.execvp("unshare", unshare + [sys.executable] + sys.argv)
    directory = tempfile.mkdtemp(prefix="veille-events-")
    os.mkdir(directory + "/mnt")
    brain = Brain(directory)
    try:
        events(brain)
        hold(brain)
        in_the_middle(brain)
        storm(brain)
        while_all_hangs(brain)
        while_a_discovery_hangs(brain)
        brain.process.terminate()
        say(brain.process.wait(10) == 0, "it ends well", open(directory + "/log").read()[-900:])
        for name in ("list-hangs.fs", "hang"):
            brain.remove(name)
        md_attribute(brain)
    finally:
        brain.process.kill()
        brain.process.wait()
        brain.log.close()
        shutil.rmtree(directory)


main()
