#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""More work than places: sixteen checks are due every second, each probe takes half a second, four may run at once. Every
check must get its turn; once those late in the table were never asked while the early ones were due again."""

import json
import os
import subprocess
import tempfile
import time

BUILD = os.environ.get("BUILD", "build")
N, WANT = 16, 4

PROBE = """#!/bin/sh
[ "$1" != catalog ] || exec cat %s/catalog
read -r request
check=${request#*\\"check\\":\\"}
check=${check%%%%\\"*}
case $request in
*'"op":"list"'*) printf '{"instance":"%%s","component":"%%s","id":"","kind":"host"}\\n{"type":"end","result":"ok","why":""}\\n' "$check" "$check" ;;
*) sleep 0.5
   printf '{"type":"sample","instance":"%%s","metric":"test_value","value":1,"labels":{}}\\n' "$check"
   printf '{"type":"end","instance":"%%s","result":"ok","why":""}\\n' "$check" ;;
esac
"""


def main():
    directory = tempfile.mkdtemp(prefix="veille-turns-")
    run, probe = directory + "/run", directory + "/probe"
    os.mkdir(run)
    checks = [{"name": "check-%s" % chr(97 + i), "summary": "x", "interval_s": 1, "deadline_s": 5, "max_age_s": 60, "evidence": "host",
               "privilege": "none", "metrics": [{"name": "test_value", "kind": "gauge", "unit": "", "help": "x"}], "rules": []}
              for i in range(N)]
    with open(directory + "/catalog", "w") as f:
        json.dump({"protocol": 1, "checks": checks}, f)
    with open(probe, "w") as f:
        f.write(PROBE % directory)
    os.chmod(probe, 0o755)
    brain = subprocess.Popen([BUILD + "/veilled", "--run", run, "--config", directory + "/none", "--probe", probe],
                             stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        runs = {}
        stop = time.monotonic() + 60
        while time.monotonic() < stop and not any(n > 3 * WANT for n in runs.values()):
            time.sleep(1)
            try:
                with open(run + "/status.json") as f:
                    runs = {c["check"]: c["runs"] for c in json.load(f)["checks"]}
            except FileNotFoundError:
                pass
            if len(runs) == N and min(runs.values()) >= WANT:
                break
        fair = len(runs) == N and min(runs.values()) >= WANT
        print(("ok" if fair else "not ok") + " - every check gets its turn" + ("" if fair else ": %s" % runs))
    finally:
        brain.terminate()
        brain.wait(10)
        subprocess.run(["rm", "-rf", directory])


main()
