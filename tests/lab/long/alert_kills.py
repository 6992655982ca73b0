#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""500 kills (KILLS=N) of veilled, veille-store and veille-notify in runs of ten, four at once (JOBS=N): ../../integration/alert_kills.py says
what must hold. Each run is a line of build/lab/alert-kills.jsonl with its seed; what has passed at this commit is not run again.

    tests/lab/long/alert_kills.py            LAB_SEED=N chooses other seeds; SEED=N tests/integration/alert_kills.py repeats one"""

import concurrent.futures
import json
import os
import subprocess
import sys

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..")
BUILD = os.environ.get("BUILD", "build")
RUNS = BUILD + "/lab/alert-kills.jsonl"
KILLS, JOBS, IN_A_RUN = int(os.environ.get("KILLS", "500")), int(os.environ.get("JOBS", "4")), 10
FIRST = 1000 * int(os.environ.get("LAB_SEED", "1"))


def commit():
    done = subprocess.run(["git", "describe", "--always", "--dirty", "--abbrev=12"], capture_output=True, text=True, cwd=TOP)
    return done.stdout.strip() or "unknown"


def before(at):
    if not os.path.exists(RUNS):
        return []
    with open(RUNS) as f:
        runs = [json.loads(line) for line in f]
    return [r for r in runs if r["commit"] == at and r["ok"] and "dirty" not in at]


def run(seed):
    env = dict(os.environ, SEED=str(seed), KILLS=str(IN_A_RUN), BUILD=BUILD, PLAIN="1")
    done = subprocess.run([sys.executable, TOP + "/tests/integration/alert_kills.py"], capture_output=True, text=True, env=env, timeout=900)
    rows = [line[2:] for line in done.stdout.splitlines() if line.startswith("# {")]
    return seed, json.loads(rows[0]) if rows else {"seed": seed, "ok": False, "kills": {}}, done.stdout + done.stderr


def main():
    at = commit()
    os.makedirs(os.path.dirname(RUNS), exist_ok=True)
    done = {r["seed"]: r for r in before(at)}
    wanted = [FIRST + i for i in range((KILLS + IN_A_RUN - 1) // IN_A_RUN)]
    rows = [done[seed] for seed in wanted if seed in done]
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        for seed, row, out in pool.map(run, [seed for seed in wanted if seed not in done]):
            rows.append(row)
            with open(RUNS, "a") as f:
                f.write(json.dumps(dict(row, commit=at)) + "\n")
            print("%s - SEED=%d %s" % ("ok" if row["ok"] else "not ok", seed, json.dumps(row)), flush=True)
            if not row["ok"]:
                print("".join("# " + line[:2000] + "\n" for line in out.splitlines()), flush=True)
    total = {}
    for row in rows:
        for name, n in row["kills"].items():
            total[name] = total.get(name, 0) + n
    bad = [r["seed"] for r in rows if not r["ok"]]
    print("# %d kills in %d runs (%s), %d alerts, %d messages; bad seeds: %s" % (
        sum(total.values()), len(rows), total, sum(r.get("alerts", 0) for r in rows), sum(r.get("messages", 0) for r in rows), bad))
    return 1 if bad else 0


sys.exit(main())
