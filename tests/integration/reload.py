#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 90
"""A reload while plugins do not answer for their catalogue: the real veilled goes on meanwhile, whoever asked gets the true answer,
a second reload takes the place of the first, and the brain ends at once in the middle of one."""

import json
import os
import socket
import subprocess
import tempfile
import threading
import time

from tap import say

BUILD = os.path.abspath(os.environ.get("BUILD", "build"))
HANGING = 4  # each takes the 2 s that a plugin has


def ask(run, **request):
    """(seconds it took, the answer)"""
    begin = time.monotonic()
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(20)
        s.connect(run + "/control.sock")
        s.sendall(json.dumps(request).encode() + b"\n")
        with s.makefile() as f:
            line = f.readline()
    return time.monotonic() - begin, json.loads(line) if line else {}


class Asked(threading.Thread):
    def __init__(self, run):
        super().__init__()
        self.run_dir, self.took, self.answer = run, None, None
        self.start()

    def run(self):
        self.took, self.answer = ask(self.run_dir, cmd="reload")


def status(run):
    with open(run + "/status.json") as f:
        return json.load(f)


def counters(run):
    return status(run)["counters"]


def wait(condition, seconds):
    stop = time.monotonic() + seconds
    while not condition() and time.monotonic() < stop:
        time.sleep(0.1)
    return condition()


def configure(d, hanging, more=""):
    checks = json.loads(subprocess.check_output([BUILD + "/veille-probe", "--config", d + "/none", "catalog"]))["checks"]
    text = "".join("[check %s]\nenabled = no\n" % c["name"] for c in checks if c["name"] != "host")
    text += "".join("[plugin slow%d]\nprogram = %s/slow\n" % (i, d) for i in range(hanging))
    with open(d + "/conf", "w") as f:
        f.write(text + more)


def reloads(d, run):
    took, answer = ask(run, cmd="reload")
    say(answer.get("ok") is True, "a reload is answered", answer)
    configure(d, HANGING)
    first = Asked(run)
    time.sleep(0.5)
    pings = [ask(run, cmd="ping")[0] for _ in range(5)]
    say(first.is_alive() and max(pings) < 0.5, "while plugins hang the brain answers others", (first.answer, pings))
    second = Asked(run)
    first.join()
    second.join()
    say(first.answer.get("ok") is True and second.answer.get("ok") is True, "both who asked for it are answered",
        (first.answer, second.answer))
    say(2 <= second.took < 6, "plugins that hang cost the time of one", second.took)
    say(wait(lambda: counters(run)["publishes"] and time.time() - os.stat(run + "/status.json").st_mtime < 3, 15), "levels are still told")
    configure(d, 0, "[rule no-such-rule]\nwarning = 1\n")
    took, answer = ask(run, cmd="reload")
    say(answer.get("ok") is False and "no-such-rule" in answer.get("error", "") and "stays in force" in answer.get("error", ""),
        "a rule that does not exist is refused, after the catalogue is there", answer)
    with open(d + "/conf", "w") as f:
        f.write("[check\n")
    took, answer = ask(run, cmd="reload")
    say(answer.get("ok") is False and "stays in force" in answer.get("error", ""), "so is a file that cannot be read", answer)
    said = lambda: [t for c in status(run)["components"] if c["component"] == "veille" for t in [c["why"]] + [r["text"] for r in c["reasons"]]]
    say(wait(lambda: "stays in force" in str(said()), 10), "which is shown as a fault of veille", said())
    configure(d, 0)
    took, answer = ask(run, cmd="reload")
    say(answer.get("ok") is True and wait(lambda: "stays in force" not in str(said()), 10), "until a good one is taken", (answer, said()))
    configure(d, HANGING)
    stall = counters(run)["longest_stall_s"]
    say(stall < 0.5, "the loop never waited for a catalogue", stall)


def main():
    if os.geteuid() != 0:
        print("ok - reload # SKIP needs root: plugins must belong to it")
        return
    with tempfile.TemporaryDirectory(prefix="veille-reload-") as d:
        os.chmod(d, 0o755)
        run = d + "/run"
        with open(d + "/slow", "w") as f:
            f.write("#!/bin/sh\nexec sleep 60\n")
        os.chmod(d + "/slow", 0o755)
        configure(d, 0)
        with open(d + "/log", "w+") as log:
            brain = subprocess.Popen([BUILD + "/san/veilled", "--run", run, "--config", d + "/conf", "--state", d, "--probe",
                                      BUILD + "/veille-probe"], stdin=subprocess.DEVNULL, stderr=log)
            try:
                say(wait(lambda: os.path.exists(run + "/status.json"), 20), "veilled runs")
                reloads(d, run)
                begin = time.monotonic()
                waiting = Asked(run)
                time.sleep(0.5)
                brain.terminate()
                status = brain.wait(20)
                say(status == 0 and time.monotonic() - begin < 2, "it ends in the middle of a reload", (status, time.monotonic() - begin))
                waiting.join()
            finally:
                brain.kill()
                brain.wait()
            log.seek(0)
            for line in log.read().splitlines():
                if "ERROR: " in line or "runtime error" in line:
                    print("not ok - sanitizer: " + line)


main()
