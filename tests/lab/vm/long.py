#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""make check-lab-long: long.py [PART-OF-NAME...]. Every family of faults (../vm_*.py, of which make check-lab runs the quick part, and
long_*.py) on each machine with what takes minutes, then the page.

Resumable: a job that has passed at this commit with this SEED is not run again. Every run is one line of build/lab/runs.jsonl: job,
commit, seed, ok, not_ok, seconds, time. JOBS=2 runs two machines at once (they count instructions, not seconds)."""

import concurrent.futures
import glob
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import faults
import image

RUNS = image.LAB + "/runs.jsonl"
LIMIT_S = 7200


def jobs():
    """(script, machine or None)"""
    for path in sorted(glob.glob(image.TOP + "/tests/lab/vm_*.py") + glob.glob(image.TOP + "/tests/lab/vm/long_*.py") + glob.glob(image.TOP + "/tests/lab/long/*.py")):
        with open(path) as f:
            text = f.read()
        for machine in [m for m in ("pc", "q35") if '"%s":' % m in text] or [None]:
            yield path, machine


def passed(commit, seed):
    if not os.path.exists(RUNS):
        return set()
    with open(RUNS) as f:
        runs = [json.loads(line) for line in f]
    return {r["job"] for r in runs if r["commit"] == commit and r["seed"] == seed and r["ok"] and not r["not_ok"]}


def run(job, path, machine, seed):
    env = dict(os.environ, LAB_LONG="1", LAB_SEED=str(seed), BUILD=image.BUILD, **({"LAB_MACHINE": machine} if machine else {}))
    process = subprocess.Popen([path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env)
    ok = bad = 0
    for line in process.stdout:
        ok += line.startswith("ok ")
        bad += line.startswith("not ok ")
        print("%s | %s" % (job, line), end="", flush=True)
    code = process.wait(LIMIT_S)
    return ok, bad + (code != 0 and not bad)


def one(job, path, machine, commit, seed):
    """Runs a job and notes it: (what went well, what did not)."""
    print("run  " + job, flush=True)
    start = time.monotonic()
    ok, bad = run(job, path, machine, seed)
    with open(RUNS, "a") as f:
        f.write(json.dumps({"job": job, "commit": commit, "seed": seed, "ok": ok, "not_ok": bad, "seconds": round(time.monotonic() - start, 1),
                            "time": int(time.time())}) + "\n")
    print("%s %s: %d ok, %d not ok, %.0f s" % ("FAIL" if bad else "pass", job, ok, bad, time.monotonic() - start), flush=True)
    return ok, bad


def main():
    missing = image.missing()
    if missing:
        print("SKIP: the virtual machines need %s\n0 passed, 0 failed, 1 skipped" % " ".join(missing))
        return 0
    os.makedirs(image.LAB, exist_ok=True)
    commit, seed, wanted = faults.commit(), int(os.environ.get("SEED", "1")), sys.argv[1:]
    done = passed(commit, seed) if "dirty" not in commit else set()
    chosen = [(os.path.basename(path)[:-3] + (" " + machine if machine else ""), path, machine) for path, machine in jobs()]
    chosen = [c for c in chosen if not wanted or any(w in c[0] for w in wanted)]
    with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("JOBS") or 1)) as pool:
        came = list(pool.map(lambda c: one(*c, commit, seed), [c for c in chosen if c[0] not in done]))
    failed = sum(bad > 0 for _, bad in came)
    print("%d jobs failed, %d had passed before and were not run again" % (failed, len(chosen) - len(came)))
    page = 0 if wanted else subprocess.run([image.TOP + "/tests/lab/vm/table.py", image.TOP + "/docs/hardware-lab.md"]).returncode
    print("%d passed, %d failed, 0 skipped" % (sum(ok for ok, _ in came), sum(bad for _, bad in came)))
    return 1 if failed or page else 0


sys.exit(main())
