#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes of level keep their journal fields when the journal is slow, late, or hangs for ever, and nobody waits for it: the real
veilled (under the sanitizers) before a socket in the journal's place, in a mount and network namespace of its own, where the queue
of that socket is as short as kernels make it (10)."""

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

BUILD = os.environ.get("BUILD", "build")
INSIDE = "VEILLE_TEST_NAMESPACE"
JOURNAL = "/run/systemd/journal"
N = 150  # changes of level at the start

PROBE = """#!/bin/sh
[ "$1" != catalog ] || exec cat %s/catalog
read -r request
for i in $(seq %d); do
        case $request in
        *'"op":"list"'*) echo '{"instance":"c'$i'","component":"c'$i'","id":"","kind":"host"}' ;;
        *) echo '{"type":"sample","instance":"c'$i'","metric":"test_value","value":9,"labels":{}}'
           echo '{"type":"end","instance":"c'$i'","result":"ok","why":""}' ;;
        esac
done
case $request in *'"op":"list"'*) echo '{"type":"end","result":"ok","why":""}' ;; esac
"""


def say(good, name, detail=""):
    print(("ok" if good else "not ok") + " - " + name + ("" if good else ": " + str(detail)[:900]), flush=True)


def wait(condition, seconds=60):
    stop = time.monotonic() + seconds
    while not condition() and time.monotonic() < stop:
        time.sleep(0.05)
    return condition()


class Brain:
    """Its standard error is a file of which it is told that it is the journal's stream."""

    def __init__(self, directory, name):
        self.run, self.path = "%s/run-%s" % (directory, name), "%s/stderr-%s" % (directory, name)
        os.mkdir(self.run)
        with open(self.path, "w") as stderr:
            st = os.fstat(stderr.fileno())
            self.process = subprocess.Popen([BUILD + "/san/veilled", "--run", self.run, "--config", directory + "/none", "--probe",
                                             directory + "/probe"], stdin=subprocess.DEVNULL, stderr=stderr,
                                            env=dict(os.environ, JOURNAL_STREAM="%d:%d" % (st.st_dev, st.st_ino)))

    def warned(self):
        with contextlib.suppress(OSError, ValueError), open(self.run + "/status.json") as f:
            return sum(c["level"] == "warning" for c in json.load(f)["components"])
        return 0

    def plain(self):
        """The components whose change of level went to standard error."""
        with open(self.path) as f:
            return set(re.findall(r"^<4>(c\d+): warning", f.read(), re.M))

    def stop(self):
        begin = time.monotonic()
        self.process.terminate()
        return self.process.wait(30), time.monotonic() - begin


def listen():
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.bind(JOURNAL + "/socket")
    s.settimeout(0.2)
    return s


def read(s, seconds=30):
    """{component: fields} of the changes of level until all have come."""
    got, stop = {}, time.monotonic() + seconds
    while len(got) < N and time.monotonic() < stop:
        with contextlib.suppress(socket.timeout):
            fields = dict(line.split("=", 1) for line in s.recv(65536).decode().splitlines())
            if fields.get("VEILLE_LEVEL") == "warning":
                got[fields["VEILLE_COMPONENT"]] = fields
    return got


def whole(fields):
    return fields["MESSAGE_ID"] == "eb093eb84e8f474491aa2a40268246ad" and fields["PRIORITY"] == "4" and fields["VEILLE_RULE"] == "rule-x" and \
        fields["MESSAGE"].startswith(fields["VEILLE_COMPONENT"] + ": warning (was ok)")


def slow(directory):
    s = listen()
    brain = Brain(directory, "slow")
    say(wait(lambda: brain.warned() == N), "levels are published although the journal reads nothing yet", brain.warned())
    got = read(s)
    say(len(got) == N and all(whole(f) for f in got.values()), "a slow journal gets all of them with their fields",
        (len(got), [f for f in got.values() if not whole(f)][:1], sorted(brain.plain())[:3]))
    say(not brain.plain(), "and none the other way", sorted(brain.plain())[:3])
    brain.stop()
    s.close()
    os.unlink(JOURNAL + "/socket")


def late(directory):
    brain = Brain(directory, "late")
    wait(lambda: brain.warned() == N)
    s = listen()
    got = read(s)
    say(len(got) == N and all(whole(f) for f in got.values()), "a journal that is not there yet gets them when it is", (len(got), brain.warned()))
    brain.stop()
    s.close()
    os.unlink(JOURNAL + "/socket")


def hanging(directory):
    s = listen()
    brain = Brain(directory, "hanging")
    say(wait(lambda: brain.warned() == N), "a journal that hangs holds up no level", brain.warned())
    code, seconds = brain.stop()
    say(code == 0 and seconds < 10, "and no end", (code, seconds))
    there = set(read(s, 1))
    say(there | brain.plain() == {"c%d" % i for i in range(1, N + 1)}, "what it did not take is on standard error then",
        (len(there), len(brain.plain())))
    s.close()


def main():
    if not os.environ.get(INSIDE):
        unshare = ["unshare", "-nm", "--propagation", "private"] + ([] if os.geteuid() == 0 else ["-r"])
        if subprocess.run(unshare + ["true"], capture_output=True).returncode:
            print("ok - journal # SKIP no namespaces here")
            return
        os.environ[INSIDE] = "1"
        os.execvp("unshare", unshare + [sys.executable] + sys.argv)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
    os.makedirs(JOURNAL)
    with contextlib.suppress(OSError), open("/proc/sys/net/unix/max_dgram_qlen", "w") as f:
        f.write("10")
    directory = tempfile.mkdtemp(prefix="veille-journal-")
    try:
        catalog = {"protocol": 1, "checks": [
            {"name": "x", "summary": "x", "interval_s": 600, "deadline_s": 60, "max_age_s": 3600, "evidence": "host", "privilege": "none",
             "metrics": [{"name": "test_value", "kind": "gauge", "unit": "", "help": "x"}],
             "rules": [{"name": "rule-x", "metric": "test_value", "warning": 5, "text": "{value}"}]}]}
        with open(directory + "/catalog", "w") as f:
            json.dump(catalog, f)
        with open(directory + "/probe", "w") as f:
            f.write(PROBE % (directory, N))
        os.chmod(directory + "/probe", 0o755)
        for case in (slow, late, hanging):
            case(directory)
    finally:
        shutil.rmtree(directory)


main()
