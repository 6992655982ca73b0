#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 180
"""Plugins under the real veilled: Debian's own Nagios plugins, and scripts that misbehave. None of those is ever shown ok, and
none of them keeps the others from their turn."""

import json
import os
import subprocess
import tempfile
import time

from tap import say

BUILD = os.path.abspath(os.environ.get("BUILD", "build"))

BAD = {  # name: (script, part of the sentence)
    "hangs": ("sleep 100", "has not"),
    "hangs-in-background": ("(sleep 100) & sleep 100", "has not"),
    "nothing": ("exit 0", "printed nothing"),
    "garbage": ("head -c 200 /dev/urandom; printf '\\000'", "no text"),
    "lost-status": ("echo 'RAID CRITICAL - degraded' | cat", "it says: RAID CRITICAL"),
    "status-3": ("echo 'X UNKNOWN - no idea'; exit 3", "no idea"),
    "status-9": ("echo 'X OK'; exit 9", "exit status 9"),
    "gigabyte": ("exec head -c 1000000000 /dev/zero", "more than"),
    "killed": ("kill -9 $$", "signal 9"),
    "writable": ("echo OK", "everybody may write it"),
}


def components(run):
    try:
        with open(run + "/status.json") as f:
            return {c["component"]: c for c in json.load(f)["components"]}
    except FileNotFoundError:
        return {}


def main():
    if os.geteuid() != 0:
        print("ok - plugins # SKIP needs root: plugins must belong to it")
        return
    fetched = subprocess.run(["tests/fetch-package", "monitoring-plugins-basic"], capture_output=True, text=True, env=dict(os.environ, BUILD=BUILD))
    if fetched.returncode:
        print("ok - plugins # SKIP no monitoring-plugins-basic to be had: " + fetched.stderr.strip()[:200])
        return
    plugins = fetched.stdout.strip() + "/usr/lib/nagios/plugins"
    with tempfile.TemporaryDirectory(prefix="veille-plugins-") as d:
        os.chmod(d, 0o755)
        run = d + "/run"
        config = "".join("[check %s]\nenabled = no\n" % c["name"] for c in
                         json.loads(subprocess.check_output([BUILD + "/veille-probe", "catalog"]))["checks"])
        good = {
            "dummy-ok": "check_dummy 0 'all is well'", "dummy-warning": "check_dummy 1 'soon'", "dummy-critical": "check_dummy 2 'now'",
            "dummy-notice": "check_dummy 1 'just so'", "load": "check_load -w 1000,1000,1000 -c 2000,2000,2000",
            "users": "check_users -w 1000 -c 2000", "disk": "check_disk -w 1 -c 0 -p /", "procs": "check_procs -w 1:100000 -c 1:200000",
        }
        for name, line in good.items():
            config += "[plugin %s]\nnagios = %s/%s\ninterval = 5s\ntimeout = 20s\n" % (name, plugins, line)
        config += "[rule dummy-notice-status]\nnotice = 1\nwarning = none\n"
        for name, (body, _) in BAD.items():
            path = "%s/%s" % (d, name)
            with open(path, "w") as f:
                f.write("#!/bin/sh\n" + body + "\n")
            os.chmod(path, 0o777 if name == "writable" else 0o755)
            config += "[plugin %s]\nnagios = %s\ninterval = 5s\ntimeout = 2s\n" % (name, path)
        # Our own probe is such a program, too; and one that is none.
        with open(d + "/pump", "w") as f:
            f.write("#!/bin/sh\ncase $1 in\ncatalog) cat %s/pump.json ;;\nlist) echo '{\"instance\":\"p1\",\"component\":\"pump1\",\"kind\":\"pump\"}' ;;\n"
                    "run) echo '{\"type\":\"sample\",\"metric\":\"pump_volts\",\"value\":9}'; echo '{\"type\":\"end\",\"result\":\"ok\"}' ;;\nesac\n" % d)
        with open(d + "/pump.json", "w") as f:
            json.dump({"protocol": 1, "checks": [{"name": "pump", "summary": "", "interval_s": 5, "deadline_s": 5, "metrics": [
                {"name": "pump_volts", "kind": "gauge", "unit": "volts", "help": "h"}], "rules": [
                    {"name": "pump-low", "metric": "pump_volts", "direction": "below", "warning": 10, "text": "only {value} V"}]}]}, f)
        os.chmod(d + "/pump", 0o755)
        config += "[plugin pump]\nprogram = %s/pump\n[plugin no-catalog]\nprogram = /bin/true\n" % d
        with open(d + "/conf", "w") as f:
            f.write(config)
        checked = subprocess.run([BUILD + "/san/veillectl", "--config", d + "/conf", "config", "check"], capture_output=True, text=True)
        say(checked.returncode == 0, "config check finds no error", checked.stderr)
        log = open(d + "/log", "w+")
        brain = subprocess.Popen([BUILD + "/san/veilled", "--run", run, "--config", d + "/conf", "--state", d], stdin=subprocess.DEVNULL, stderr=log)
        seen_ok = set()
        try:
            end = time.monotonic() + 60
            while time.monotonic() < end:
                now = components(run)
                seen_ok |= {n for n in BAD if now.get(n, {}).get("level") == "ok"}
                ready = all(n in now and now[n]["rule"] != "not-read-yet" for n in list(BAD) + list(good) + ["pump1", "no-catalog"])
                if ready:
                    break
                time.sleep(0.3)
            now = components(run)
            for name, (_, words) in BAD.items():
                c = now.get(name, {})
                say(c.get("level") in ("unknown", "critical") and words in c.get("why", ""), name + " is unknown, with the reason", c)
            say(not seen_ok, "none of them was ever shown ok", seen_ok)
            want = {"dummy-ok": "ok", "dummy-warning": "warning", "dummy-critical": "critical", "dummy-notice": "notice", "load": "ok",
                    "disk": "ok", "procs": "ok", "users": "ok"}
            for name, level in want.items():
                say(now.get(name, {}).get("level") == level, "Debian's plugin %s is %s" % (name, level), now.get(name))
            say("now" in now["dummy-critical"]["why"], "the plugin's text is the reason", now["dummy-critical"])
            say(now["pump1"]["level"] == "warning" and now["pump1"]["why"] == "only 9 V", "a program of protocol 1 is judged by its own rules", now["pump1"])
            say(now["no-catalog"]["level"] == "unknown" and "JSON" in now["no-catalog"]["why"], "a program without a catalogue is shown", now["no-catalog"])
            samples, wanted = {}, {("load", "plugin_value", "load1"), ("disk", "plugin_bytes", "/")}
            for _ in range(80):
                if os.path.exists(run + "/samples.json"):
                    samples = {(s["c"], s["m"], s["l"].get("label")): s["v"] for s in json.load(open(run + "/samples.json"))["samples"]}
                if wanted <= set(samples):
                    break
                time.sleep(0.5)
            say(wanted <= set(samples), "performance data are samples", list(samples)[:20])
            doc = json.load(open(run + "/status.json"))
            say(any(c["check"] == "load" and "load average" in c["why"] for c in doc["checks"]), "what a plugin says while it is ok is there", "")
            say(doc["counters"]["longest_stall_s"] < 0.5, "the loop never stalled", doc["counters"])
        finally:
            brain.terminate()
            brain.wait(20)
            log.seek(0)
            for line in log.read().splitlines():
                if "ERROR: " in line or "runtime error" in line:
                    print("not ok - sanitizer: " + line)


main()
