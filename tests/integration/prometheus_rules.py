#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 120
"""docs/prometheus/veille-alerts.yml: promtool takes the rules and their tests; docs/grafana/veille.json: a dashboard whose every expression Prometheus
understands. What both name exists in the real /metrics. (Debian 12 has no Grafana to load the dashboard into: its form is looked at here.)"""

import json
import os
import re
import subprocess
import sys
import tempfile
import urllib.request

sys.path.insert(0, os.path.dirname(__file__))
import unpacked  # noqa: E402
from tap import none  # noqa: E402

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
RULES, DASHBOARD = TOP + "/docs/prometheus", TOP + "/docs/grafana/veille.json"
NAME = re.compile(r"\bveille_[a-z0-9_]+")
PANELS = {"stat", "table", "timeseries", "state-timeline"}


def families(directory):
    """Names of all samples of the real veille-web, of a made-up host that has every metric of the catalogue."""
    run = directory + "/run"
    subprocess.run([sys.executable, TOP + "/tests/fixtures/make_run.py", run, "--probe", unpacked.BUILD + "/veille-probe", "--age", "0"], check=True)
    with open(run + "/catalog.json") as f:
        checks = json.load(f)["checks"]
    with open(run + "/samples.json") as f:
        doc = json.load(f)
    for check in checks:
        for metric in check["metrics"]:
            doc["samples"].append({"m": metric["name"], "c": check["name"], "i": "all", "v": 1, "t": doc["time_boot"], "l": {}})
    with open(run + "/samples.json", "w") as f:
        json.dump(doc, f)
    with open(directory + "/veille.conf", "w") as f:
        f.write("[web]\nsilent_after = 10min\n")
    port = unpacked.free_port()
    web = subprocess.Popen([unpacked.BUILD + "/san/veille-web", "--config", directory + "/veille.conf", "--run", run, "--listen", "127.0.0.1:%d" % port],
                           stdin=subprocess.DEVNULL)

    def fetch():
        try:
            return urllib.request.urlopen("http://127.0.0.1:%d/metrics" % port, timeout=10).read().decode()
        except OSError:
            return None
    try:
        text = unpacked.wait_for("veille-web", 60, fetch)
    finally:
        unpacked.end([web])
    return {line.split("{")[0].split(" ")[0] for line in text.splitlines() if line and line[0] != "#"}


def promtool(root, *words):
    done = subprocess.run([root + "/usr/bin/promtool"] + list(words), cwd=RULES, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return [] if done.returncode == 0 else [done.stdout + done.stderr]


def look_at_rules(root):
    none(promtool(root, "check", "rules", "veille-alerts.yml"), "promtool takes the alert rules")
    none(promtool(root, "test", "rules", "veille-alerts-test.yml"), "and their tests pass")
    with open(RULES + "/veille-alerts.yml") as f:
        rules = f.read()
    with open(RULES + "/veille-alerts-test.yml") as f:
        tests = f.read()
    names = re.findall(r"alert: (\w+)", rules)
    # Fires in a test: with labels that are expected.
    none([n for n in names if not re.search(r"alertname: %s\s+exp_alerts:" % n, tests)] if len(names) > 8 else names, "each of the %d fires in one" % len(names))
    return rules


def look_at_dashboard(root, directory):
    with open(DASHBOARD) as f:
        text = f.read()
    doc = json.loads(text)
    problems, exprs, places = [], [], set()
    for p in doc["panels"]:
        pos = p["gridPos"]
        cells = {(x, y) for x in range(pos["x"], pos["x"] + pos["w"]) for y in range(pos["y"], pos["y"] + pos["h"])}
        if p["type"] not in PANELS or pos["x"] + pos["w"] > 24 or cells & places or not p["title"] or not p["targets"]:
            problems.append(p["title"])
        places |= cells
        exprs += [t["expr"] for t in p["targets"]]
    ids = [p["id"] for p in doc["panels"]]
    problems += [i for i in ids if ids.count(i) > 1] + [k for k in ("title", "uid", "schemaVersion", "templating", "time") if k not in doc]
    none(problems + [e for e in exprs if 'instance=~"$instance"' not in e], "the dashboard: %d panels that do not overlap, each of the chosen hosts" % len(ids))
    with open(directory + "/exprs.yml", "w") as f:
        json.dump({"groups": [{"name": "dashboard", "rules": [{"record": "expr:%d" % i, "expr": e} for i, e in enumerate(exprs)]}]}, f)
    none(promtool(root, "check", "rules", directory + "/exprs.yml"), "Prometheus understands each of its %d expressions" % len(exprs))
    return text


def main():
    try:
        root = unpacked.unpack(["prometheus"])
    except (RuntimeError, OSError) as e:
        unpacked.skip("rules and dashboard", str(e))
    with tempfile.TemporaryDirectory(prefix="veille-rules-") as directory:
        rules = look_at_rules(root)
        dashboard = look_at_dashboard(root, directory)
        known = families(directory)
        for name, text in (("the rules", re.sub(r"(?m)^\s*#.*$", "", rules)), ("the dashboard", dashboard)):
            used = set(NAME.findall(text))
            none(sorted(used - known) if len(used) > 5 else sorted(used), "%s: every one of %d metrics is in /metrics" % (name, len(used)))


main()
