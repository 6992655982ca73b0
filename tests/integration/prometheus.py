#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 120
"""A real Prometheus (Debian's, unpacked) scrapes the real veille-web in both formats, and its promtool finds nothing to say about
the names. As root in a network of its own, so that no port of this host is used."""

import http.server
import json
import os
import subprocess
import sys
import tempfile
import threading
import urllib.parse
import urllib.request

from tap import none

sys.path.insert(0, os.path.dirname(__file__))
import unpacked  # noqa: E402

TEXT = "text/plain;version=0.0.4"
QUERY = 'veille_disk_temperature_celsius{component="sdb"}'


class TextOnly(http.server.BaseHTTPRequestHandler):
    """Stands for a scraper that knows the old format only: hands the request on with its Accept header."""
    target, types = "", []

    def do_GET(self):
        with urllib.request.urlopen(urllib.request.Request(self.target, headers={"Accept": TEXT})) as answer:
            body = answer.read()
            self.types.append(answer.headers["Content-Type"])
        self.send_response(200)
        self.send_header("Content-Type", self.types[-1])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def every_metric(run):
    """A sample of each metric of the catalogue: all names are looked at, not only those of one host."""
    with open(run + "/catalog.json") as f:
        checks = json.load(f)["checks"]
    with open(run + "/samples.json") as f:
        doc = json.load(f)
    seen = {s["m"] for s in doc["samples"]}
    for metric in {m["name"] for c in checks for m in c["metrics"]} - seen:
        check = next(c["name"] for c in checks if metric in [m["name"] for m in c["metrics"]])
        doc["samples"].append({"m": metric, "c": check, "i": "all", "v": 1, "t": doc["time_boot"], "l": {}})
    with open(run + "/samples.json", "w") as f:
        json.dump(doc, f)
    unknown = seen - {m["name"] for c in checks for m in c["metrics"]}
    none(sorted(unknown), "the made-up host has no metric that no check has")


def api(port, path, **query):
    url = "http://127.0.0.1:%d/api/v1/%s?%s" % (port, path, urllib.parse.urlencode(query))
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return json.load(answer)["data"]
    except OSError:
        return None


def start_prometheus(root, directory, ports, processes):
    config = directory + "/prometheus.yml"
    with open(config, "w") as f:
        f.write("global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs:\n")
        for job in ("openmetrics", "text"):
            f.write("- job_name: %s\n  static_configs: [{targets: ['127.0.0.1:%d']}]\n" % (job, ports[job]))
    log = open(directory + "/prometheus.log", "wb")
    processes.append(subprocess.Popen([root + "/usr/bin/prometheus", "--config.file=" + config, "--storage.tsdb.path=" + directory + "/data",
                                       "--web.listen-address=127.0.0.1:%d" % ports["prometheus"]], stdin=subprocess.DEVNULL, stdout=log, stderr=log))


def scraped(port):
    """Both jobs' targets, once both were scraped twice."""
    data = api(port, "query", query="count_over_time(up[1m])")
    done = data and {r["metric"]["job"]: float(r["value"][1]) for r in data["result"]}
    return done and min(done.get(j, 0) for j in ("openmetrics", "text")) >= 2


def check_jobs(port, text):
    values = {r["metric"]["job"]: r["value"][1] for r in api(port, "query", query=QUERY)["result"]}
    wanted = [line.split()[-1] for line in text.splitlines() if line.startswith("veille_disk_temperature_celsius{") and 'component="sdb"' in line]
    none([] if values == {"openmetrics": wanted[0], "text": wanted[0]} else [values, wanted], "a query returns the value, by either format")
    bad = [(t["labels"]["job"], t["lastError"]) for t in api(port, "targets")["activeTargets"] if t["health"] != "up" or t["lastError"]]
    none(bad, "Prometheus takes every line of both formats")
    counts = {r["metric"]["job"]: int(r["value"][1]) for r in api(port, "query", query="scrape_samples_scraped")["result"]}
    n = sum(1 for line in text.splitlines() if line and line[0] != "#")
    none([] if counts == {"openmetrics": n, "text": n} and n > 500 else [counts, n], "the same %d series by either" % n)
    took = {r["metric"]["job"]: float(r["value"][1]) for r in api(port, "query", query="max_over_time(scrape_duration_seconds[1m])")["result"]}
    none([] if max(took.values()) < 0.5 else took, "no scrape takes long")
    kinds = {n: m[0]["type"] for n, m in api(port, "metadata").items() if n.startswith("veille_")}
    wanted = {"veille_disk_temperature_celsius": "gauge", "veille_web_renders_total": "counter", "veille_web_renders": "counter"}
    none([(n, kinds.get(n)) for n, k in wanted.items() if kinds.get(n, k) != k or len(kinds) < 50], "types arrive")


def check_silence(port, run):
    """The brain falls silent: levels that Prometheus has turn unknown, and nothing is ok."""
    with open(run + "/status.json") as f:
        doc = json.load(f)
    doc["time_boot"] -= 1000
    doc["time"] -= 1000
    with open(run + "/status.json.tmp", "w") as f:
        json.dump(doc, f)
    os.rename(run + "/status.json.tmp", run + "/status.json")
    count = lambda level: sum(float(r["value"][1]) for r in api(port, "query", query='sum(veille_component_level{level="%s"})' % level)["result"])
    unpacked.wait_for("unknown levels", 20, lambda: count("unknown") >= 2 * len(doc["components"]) and count("ok") == 0)
    none([], "the brain is silent: Prometheus sees unknown and no ok")


def main():
    try:
        root = unpacked.unpack(["prometheus"])
    except (RuntimeError, OSError) as e:
        unpacked.skip("Prometheus", str(e))
    unpacked.own_network()
    processes = []
    with tempfile.TemporaryDirectory(prefix="veille-prometheus-") as directory:
        run = directory + "/run"
        subprocess.run([sys.executable, "tests/fixtures/make_run.py", run, "--probe", unpacked.BUILD + "/veille-probe", "--age", "0"], check=True)
        ports = {name: unpacked.free_port() for name in ("openmetrics", "text", "prometheus")}
        # Time does not count until it shall; what the files say is old enough in the end.
        with open(directory + "/veille.conf", "w") as f:
            f.write("[web]\nsilent_after = 10min\n")
        every_metric(run)
        url = "http://127.0.0.1:%d/metrics" % ports["openmetrics"]
        try:
            processes.append(subprocess.Popen([unpacked.BUILD + "/san/veille-web", "--config", directory + "/veille.conf", "--run", run, "--listen",
                                               "127.0.0.1:%d" % ports["openmetrics"]], stdin=subprocess.DEVNULL))
            fetch = lambda: subprocess.run(["curl", "-s", "-H", "Accept: " + TEXT, url], stdout=subprocess.PIPE).stdout
            text = unpacked.wait_for("veille-web", 20, fetch)
            lint = subprocess.run([root + "/usr/bin/promtool", "check", "metrics"], input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            none(lint.stdout.decode().splitlines() + ([] if lint.returncode == 0 else [lint.returncode]), "promtool check metrics has nothing to say")
            TextOnly.target = url
            proxy = http.server.ThreadingHTTPServer(("127.0.0.1", ports["text"]), TextOnly)
            threading.Thread(target=proxy.serve_forever, daemon=True).start()
            start_prometheus(root, directory, ports, processes)
            unpacked.wait_for("two scrapes of each", 40, lambda: scraped(ports["prometheus"]))
            check_jobs(ports["prometheus"], text.decode())
            none([t for t in TextOnly.types if "0.0.4" not in t], "the old format was the old format")
            with urllib.request.urlopen(urllib.request.Request(url, headers={"Accept": "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"})) as a:
                none([] if "openmetrics-text" in a.headers["Content-Type"] else [a.headers["Content-Type"]], "who asks for OpenMetrics gets it")
            check_silence(ports["prometheus"], run)
        except RuntimeError:
            with open(directory + "/prometheus.log", errors="replace") as f:
                print("".join("# " + line for line in f.readlines()[-20:]))
            raise
        finally:
            unpacked.end(processes)


main()
