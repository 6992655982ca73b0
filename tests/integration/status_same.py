#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 150
"""veillectl status --json and veille-web's /status.json are the same bytes at the same moment: with the real brain at work, silent,
gone, and with a file that is damaged or not there."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import urllib.request

from tap import none

sys.path.insert(0, os.path.dirname(__file__))
import unpacked  # noqa: E402

SAN = unpacked.BUILD + "/san/"
SILENT_AFTER = 15


class Host:
    def __init__(self, directory):
        self.directory, self.run, self.processes = directory, directory + "/run", []
        self.config = directory + "/veille.conf"
        self.port = unpacked.free_port()
        os.makedirs(directory + "/root/sys/devices/system/edac/mc/mc0")
        os.makedirs(directory + "/root/proc")
        os.makedirs(directory + "/state")
        os.mkdir(self.run)
        for name, text in (("ce_count", "7"), ("ue_count", "1"), ("mc_name", "made up")):
            with open(directory + "/root/sys/devices/system/edac/mc/mc0/" + name, "w") as f:
                f.write(text + "\n")
        with open(self.config, "w") as f:
            f.write("[host]\nname = mx1\n[web]\nsilent_after = %ds\n" % SILENT_AFTER)
        self.options = ["--root", directory + "/root", "--config", self.config, "--run", self.run, "--state", directory + "/state"]

    def start(self, program, *more):
        log = open("%s/%s.log" % (self.directory, program), "ab")
        process = subprocess.Popen([SAN + program] + self.options + list(more), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def ctl(self):
        done = subprocess.run([SAN + "veillectl", "status", "--json", "--run", self.run, "--config", "/nonexistent"], stdin=subprocess.DEVNULL,
                              capture_output=True)
        if done.stderr:
            raise RuntimeError("veillectl: " + done.stderr.decode())
        return done.stdout, done.returncode

    def web(self):
        try:
            with urllib.request.urlopen("http://127.0.0.1:%d/status.json" % self.port, timeout=10) as answer:
                return answer.read()
        except OSError:
            return b""

    def same(self):
        """Both at one moment: what veillectl says has not changed between before and after the web server was asked."""
        for _ in range(20):
            before, status = self.ctl()
            web = self.web()
            after, _ = self.ctl()
            if before == after:
                break
        else:
            raise RuntimeError("the document changes all the time")
        return before, web, status


def compare(host, name, exits, check):
    ctl, web, status = host.same()
    problems = []
    if ctl != web:
        at = next((i for i, (a, b) in enumerate(zip(ctl, web)) if a != b), min(len(ctl), len(web)))
        problems.append([len(ctl), len(web), ctl[at - 60:at + 60].decode(), web[at - 60:at + 60].decode()])
    doc = json.loads(ctl)
    missing = {"host", "health", "time", "components"} - set(doc)
    missing |= {k for c in doc["components"] for k in ("component", "kind", "level", "why", "since", "age_s", "rule") if k not in c}
    problems += sorted(missing) + ([] if status in exits else ["exit status %d" % status]) + check(doc)
    none(problems, name)
    return doc


def all_unknown(doc, word):
    bad = [c for c in doc["components"] if c["level"] != "unknown"]
    return bad[:2] + ([] if doc["components"] and doc["health"] == "yellow" and word in doc["health_why"] else [doc["health"], doc["health_why"]])


def main():
    with tempfile.TemporaryDirectory(prefix="veille-same-") as directory:
        host = Host(directory)
        try:
            brain = host.start("veilled", "--probe", SAN + "veille-probe")
            host.start("veille-web", "--listen", "127.0.0.1:%d" % host.port)
            unpacked.wait_for("an answer of veille-web", 30, host.web)
            unpacked.wait_for("a level of the memory", 40, lambda: b'"mc0"' in host.web() and b'"result": "ok"' in host.web())
            fresh = compare(host, "the brain at work", (0, 1, 2, 3), lambda doc: [] if doc["host"] == "mx1" and not doc["silent"] else [doc["host"]])
            none([] if fresh.get("silent_after_s") == SILENT_AFTER else [fresh.get("silent_after_s")], "the brain says when it counts as silent")

            brain.send_signal(signal.SIGSTOP)
            unpacked.wait_for("silence", SILENT_AFTER + 20, lambda: json.loads(host.ctl()[0])["silent"])
            silent = compare(host, "the brain hangs", (3,), lambda doc: all_unknown(doc, "has been silent"))
            none([] if {c["component"] for c in silent["components"]} >= {c["component"] for c in fresh["components"]} else [silent["components"]],
                "a silent brain: every component is still shown")
            brain.send_signal(signal.SIGCONT)
            unpacked.wait_for("a word of the brain", 20, lambda: not json.loads(host.ctl()[0])["silent"])
            compare(host, "the brain is back", (0, 1, 2, 3), lambda doc: [] if not doc["silent"] else ["silent"])

            brain.kill()
            brain.wait()
            with open(host.run + "/status.json", "rb") as f:
                whole = f.read()
            with open(host.run + "/status.json", "wb") as f:
                f.write(whole[:len(whole) // 2])
            compare(host, "a file cut in the middle", (3,), lambda doc: all_unknown(doc, "is damaged"))
            os.unlink(host.run + "/status.json")
            compare(host, "no file", (3,), lambda doc: all_unknown(doc, "is not there"))
            os.mkfifo(host.run + "/status.json")
            compare(host, "a pipe in its place", (3,), lambda doc: all_unknown(doc, "is no regular file"))
        finally:
            unpacked.end(host.processes)


main()
