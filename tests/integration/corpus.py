#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 400
"""Every file of the corpus is read by the sanitized programs, and none of them crashes: reports and other JSON by veillectl
judge, sysfs trees and mdstat by every check and instance that veille-probe lists, everything through all parsers of text.
What the trees say is compared with what this script reads in them by itself, and what veilled makes of them with what is
really wrong in them. A file that no line of KINDS knows is a failure: nothing of the corpus is left out unseen."""

import collections
import glob
import json
import lzma
import math
import os
import re
import subprocess
import tarfile
import tempfile
import time

from tap import say

SHARED = os.environ.get("SHARED", "../shared")
BUILD = os.path.abspath(os.environ.get("BUILD", "build"))
CORPUS = os.path.abspath(SHARED + "/corpus")
PROBE = BUILD + "/san/veille-probe"

# (part of the path, kind). The first that fits.
KINDS = [(re.compile(pattern), kind) for pattern, kind in (
    (r"^(README|PROVENANCE)\.md$|LICENSE|README\.upstream$|^index\.jsonl$|^smart/enterprise-drive/index\.jsonl$", "about the corpus"),
    (r"^smart/json/.*\.json$|^ipmi/.*\.json$|^raid/.*\.json$", "json"),
    (r"^smart/.*\.jsonl\.xz$", "json lines"),
    (r"^smart/blobs/", "blob"),
    (r"^sysfs/.*\.tar\.gz$", "sysfs tree"),
    (r"^mdstat/[^_]*__(?!mdadm__)|^mdstat/issue__mdstat", "mdstat"),
    (r"^mdstat/", "mdadm text"),
    (r"^smart/", "smartctl text"),
    (r"^kernel-log/", "kernel log"),
    (r"^history/", "drive history"),
    (r"^(raid|ipmi|sensors|power|maillog)/", "text of other tools"),
)]
# These take any text; each gets every file of the corpus, whatever it was meant for.
PARSERS = ["fuzz_" + name for name in ("config", "history", "kmsg", "mdstat", "mountinfo", "smart_blob", "smartctl_json", "zpool")]
PLAUSIBLE = {"celsius": (-45, 130), "rpm": (0, 30000), "volts": (-60, 500), "ratio": (0, 1), "watts": (-1e6, 1e6), "amperes": (-1e4, 1e4),
             "bytes": (0, 1e18), "seconds": (0, 1e11)}


def run(args, data=None, limit=100):
    out = subprocess.run(args, input=data, stdin=subprocess.DEVNULL if data is None else None, capture_output=True, timeout=limit)
    return out.returncode, out.stdout, out.stderr.decode("utf-8", "replace")


def read(path):
    with open(path) as f:
        return f.read().strip()


def read_int(path):
    try:
        return int(read(path))
    except (OSError, ValueError):
        return None


def files_by_kind():
    kinds, unknown = collections.defaultdict(list), []
    for top, _, names in sorted(os.walk(CORPUS)):
        for name in sorted(names):
            path = os.path.join(top, name)
            kind = next((k for p, k in KINDS if p.search(os.path.relpath(path, CORPUS))), None)
            if kind:
                kinds[kind].append(path)
            else:
                unknown.append(path)
    say(not unknown, "every file of the corpus has a reader", unknown[:10])
    for _, kind in KINDS:
        say(kinds[kind], "the corpus has files of the kind %s (%d)" % (kind, len(kinds[kind])))
    return kinds


def judge(kinds):
    for kind in "json", "blob":
        status, out, err = run([BUILD + "/san/veillectl", "judge"] + kinds[kind])
        lines = [json.loads(line) for line in out.splitlines()]
        seen = {line["file"] for line in lines}
        good = status in (0, 1, 2, 3) and not err and seen == set(kinds[kind]) and all(line["level"] for line in lines)
        levels = collections.Counter(line["level"] for line in lines)
        say(good, "judge reads all %d files of the kind %s: %s" % (len(seen), kind, dict(levels)), (status, err, set(kinds[kind]) - seen))
    documents = 0
    for path in kinds["json lines"]:
        data = lzma.open(path).read()
        status, out, err = run([BUILD + "/san/veillectl", "judge", "-"], data)
        n = len(out.splitlines())
        documents += n
        say(status in (0, 1, 2, 3) and not err and n == len(data.splitlines()), "judge reads the %d lines of %s" % (n, os.path.basename(path)),
            (status, err, n, len(data.splitlines())))
    print("# %d documents in files of JSON lines" % documents)


def parse_everything(kinds):
    """Directories by hard or symbolic link: the programs replay all files of a directory."""
    paths = [path for kind in sorted(kinds) for path in kinds[kind]]
    with tempfile.TemporaryDirectory(prefix="veille-corpus-") as directory:
        for i, path in enumerate(paths):
            if path.endswith(".xz"):
                with lzma.open(path) as f, open("%s/%d" % (directory, i), "wb") as out:
                    out.write(f.read(200000))
            else:
                os.symlink(path, "%s/%d" % (directory, i))
        for name in PARSERS:
            start = time.monotonic()
            status, out, err = run([BUILD + "/san/fuzz/" + name, directory])
            say(status == 0 and not err and b"replayed %d inputs" % len(paths) in out,
                "%s reads all %d files of the corpus, %.1f s" % (name, len(paths), time.monotonic() - start), (status, out[-300:], err[:800]))


class Host:
    """A directory in place of /, and what veille-probe says of it."""

    def __init__(self, directory, catalog):
        self.root, self.catalog = directory, catalog
        self.samples, self.wrong, self.runs = [], [], 0
        for entry in "proc/self", "dev", "sys":
            os.makedirs(os.path.join(directory, entry), exist_ok=True)
        with open(directory + "/proc/self/mountinfo", "w") as f:
            f.write("22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n")

    def unpack(self, path):
        with tarfile.open(path) as tar:
            for member in tar.getmembers():
                if member.name.startswith("fixtures/"):
                    member.name = member.name[len("fixtures/"):]
                assert member.name.startswith("sys/") and ".." not in member.name.split("/"), member.name
                tar.extract(member, self.root)

    def put(self, path, where):
        with open(path, "rb") as f, open(os.path.join(self.root, where), "wb") as out:
            out.write(f.read())

    def fault(self, *what):
        self.wrong.append(what)

    def look_line(self, check, instance, line):
        row = json.loads(line)
        if row["type"] == "end":
            return row
        metric = self.catalog[check]["metrics"].get(row["metric"])
        low, high = PLAUSIBLE.get(row["unit"], (-math.inf, math.inf))
        count = metric and metric["kind"] == "counter"
        if not metric or not low <= row["value"] <= high or (count and row["value"] < 0):
            self.fault(check, instance, row)
        self.samples.append((check, instance, row["metric"], row["value"], row["labels"]))
        return None

    def look_instance(self, check, instance):
        status, out, err = run([PROBE, "--root", self.root, "--config", self.root + "/none", "run", check, instance])
        ends = [end for end in (self.look_line(check, instance, line) for line in out.splitlines()) if end]
        self.runs += 1
        if status != 0 or err or len(ends) != 1 or ends[0]["result"] not in ("ok", "nodata", "denied", "failed"):
            self.fault(check, instance, status, err, ends)
        elif ends[0]["result"] != "ok" and not ends[0]["why"]:
            self.fault(check, instance, "no reason")

    def look(self, only=None):
        for check in self.catalog:
            if only and check not in only:
                continue
            status, out, err = run([PROBE, "--root", self.root, "--config", self.root + "/none", "list", check])
            if status != 0 and (status != 3 or not err or "ERROR" in err or "runtime error" in err):
                self.fault(check, "list", status, err)
            for line in out.splitlines():
                self.look_instance(check, json.loads(line)["instance"])
        return self

    def values(self, metric, **labels):
        return [value for _, _, name, value, have in self.samples if name == metric and all(have.get(k) == v for k, v in labels.items())]


def temperatures_of(root):
    """What hwmon says, read without libsensors: one number a readable tempN_input below 127 degrees."""
    found = []
    for chip in glob.glob(root + "/sys/class/hwmon/hwmon*"):
        place = chip if os.path.exists(chip + "/name") else chip + "/device"
        if os.path.exists(place + "/name"):
            found += [read_int(path) for path in glob.glob(place + "/temp*_input")]
    return sorted(t / 1000 for t in found if t is not None)


def fans_of(root):
    found = [read_int(path) for path in glob.glob(root + "/sys/class/hwmon/hwmon*/fan*_input")]
    return sorted(f for f in found if f is not None)


def compare_values(host, name):
    """Temperatures, fan speeds and memory errors as this script reads them."""
    zones = [read_int(path) for path in glob.glob(host.root + "/sys/class/thermal/thermal_zone*/temp")]
    want = sorted(temperatures_of(host.root) + [z / 1000 for z in zones if z is not None])
    have = sorted(v for check, _, metric, v, _ in host.samples if check == "sensors" and metric == "sensor_temperature_celsius")
    say(want == have, "%s: its %d temperatures are told as they are" % (name, len(want)), (want, have))
    want, have = fans_of(host.root), sorted(host.values("sensor_fan_rpm"))
    say(want == have, "%s: its %d fans are told as they are" % (name, len(want)), (want, have))
    for kind, file in ("correctable", "ce_count"), ("uncorrectable", "ue_count"):
        want = sorted(filter(lambda v: v is not None, (read_int(p) for p in glob.glob(host.root + "/sys/devices/system/edac/mc/mc*/" + file))))
        have = sorted(host.values("edac_%s_errors_total" % kind, dimm="all"))
        say(want == have, "%s: its %s memory errors are counted: %s" % (name, kind, want), have)


def trees(kinds, catalog):
    """Each tree alone, many with links into nowhere then; and all trees of one origin together, as they were made."""
    alone, hosts = [], {}
    with tempfile.TemporaryDirectory(prefix="veille-trees-") as directory:
        for path in kinds["sysfs tree"]:
            name = os.path.basename(path)[:-len(".tar.gz")]
            host = Host(os.path.join(directory, name), catalog)
            host.unpack(path)
            alone.append(host.look())
            origin = name.split("__")[0]
            if origin not in hosts:
                hosts[origin] = Host(os.path.join(directory, "all-" + origin), catalog)
            hosts[origin].unpack(path)
        wrong = [fault for host in alone for fault in host.wrong]
        say(not wrong, "%d sysfs trees: %d runs, %d samples" % (len(alone), sum(h.runs for h in alone), sum(len(h.samples) for h in alone)),
            wrong[:5])
        watches = []
        for origin, host in sorted(hosts.items()):
            mdstat = CORPUS + "/mdstat/%s__mdstat.txt" % origin
            if os.path.exists(mdstat):
                host.put(mdstat, "proc/mdstat")
            host.look()
            say(not host.wrong and host.samples, "all trees of %s together: %d runs, %d samples" % (origin, host.runs, len(host.samples)), host.wrong[:5])
            compare_values(host, origin)
            watches.append(Watch(host, origin, directory))
        for watch in watches:
            watch.judge()


class Watch:
    """veilled over a tree: what is judged bad must be bad in the tree, and the other way round."""

    def __init__(self, host, name, directory):
        self.host, self.name, self.run = host, name, os.path.join(directory, "run-" + name)
        os.mkdir(self.run)
        self.expected = {(c["name"], i) for c in host.catalog.values() for i in {s[1] for s in host.samples if s[0] == c["name"]}}
        self.log = open(self.run + "/log", "w")
        self.brain = subprocess.Popen([BUILD + "/san/veilled", "--root", host.root, "--run", self.run, "--state", self.run, "--config", self.run + "/none",
                                       "--probe", PROBE], stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT)

    def wait(self):
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                with open(self.run + "/status.json") as f:
                    doc = json.load(f)
            except OSError:
                doc = {"checks": [], "components": []}
            if self.expected <= {(c["check"], c["instance"]) for c in doc["checks"] if c["result"] == "ok"}:
                break
            time.sleep(0.2)
        self.brain.terminate()
        status = self.brain.wait(20)
        self.log.close()
        log = read(self.log.name)
        say(status == 0 and "Sanitizer" not in log and "runtime error" not in log, "%s: veilled reads and judges it, and ends well" % self.name, log)
        return doc

    def judge(self):
        doc = self.wait()
        levels = {c["component"]: (c["level"], c["why"]) for c in doc["components"]}
        critical = {c for c, (level, _) in levels.items() if level == "critical"}
        must, may = self.hard_faults()
        say(must <= critical <= must | may, "%s: critical is what is broken, and nothing else: %s" % (self.name, sorted(critical)),
            (sorted(must - critical), {c: levels[c] for c in critical - must - may}))
        sensors = {c["component"] for c in doc["components"] if c["kind"] in ("sensor", "fan", "psu", "battery", "disk")} - must - may
        bad = {c: levels[c] for c in sensors if levels[c][0] != "ok"}
        say(not bad, "%s: %d chips, fans, supplies and disks without a fault are ok" % (self.name, len(sensors)), bad)
        say(all(why for level, why in levels.values() if level != "ok"), "%s: each level has a reason" % self.name)

    def hard_faults(self):
        """Components that must be critical, and such that may be: uncorrected memory errors, members that md marks as failed;
        arrays that miss members or do not run. Where an array is in sysfs, mdstat is not asked."""
        sys = self.host.root + "/sys"
        must = {path.split("/")[-2] for path in glob.glob(sys + "/devices/system/edac/mc/mc*/ue_count") if (read_int(path) or 0) > 0}
        arrays = {path.split("/")[-3] for path in glob.glob(sys + "/block/md*/md/degraded") if (read_int(path) or 0) > 0}
        for state in glob.glob(sys + "/block/md*/md/dev-*/state"):
            if "faulty" in read(state).split(","):
                must.add(os.path.basename(os.path.dirname(state))[len("dev-"):])
        for array in mdstat_of(self.host.root):
            if not os.path.exists(sys + "/block/" + array.name):
                must |= {m for m, flag in array.members if flag == "F"}
                arrays |= {array.name} if array.there < array.wanted or not array.active else set()
        return must, arrays


Array = collections.namedtuple("Array", "name active members wanted there")


def mdstat_of(root):
    """The arrays, by other means than src/mdstat.c. Containers of external metadata are no arrays."""
    found = []
    path = root + "/proc/mdstat"
    text = read(path) if os.path.exists(path) else ""
    for block in re.split(r"\n(?=\S)", text):
        head = re.match(r"(\S+) : (.*)", block)
        if not head or head.group(1) in ("Personalities", "unused") or re.search(r" inactive .*\n.* super external:(?!/)", block):
            continue
        members = re.findall(r"(\S+)\[\d+\](?:\((\w)\))?", head.group(2))
        count = re.search(r"\[(\d+)/(\d+)\] \[", block)
        names = [(m.replace("/", "!"), flag) for m, flag in members]
        wanted, there = map(int, count.groups()) if count else (0, 0)
        found.append(Array(head.group(1), head.group(2).startswith("active"), names, wanted, there))
    return found


def mdstats(kinds, catalog):
    for path in kinds["mdstat"]:
        name = os.path.basename(path)[:-len(".txt")]
        with tempfile.TemporaryDirectory(prefix="veille-mdstat-") as directory:
            host = Host(directory, catalog)
            host.put(path, "proc/mdstat")
            host.look(("raid", "topology"))
            want = mdstat_of(directory)
            have = {labels["array"] for _, _, metric, _, labels in host.samples if metric == "raid_array_info"}
            say(not host.wrong and have == {a.name for a in want}, "%s: its %d arrays are told" % (name, len(want)), (host.wrong[:3], want, have))
            lost = {a.name: a.wanted - a.there for a in want if a.active and a.wanted}
            told = {labels["array"]: value for _, _, metric, value, labels in host.samples if metric == "raid_degraded_disks"}
            say(all(told.get(a) == n for a, n in lost.items()), "%s: missing members are counted: %s" % (name, {a: n for a, n in lost.items() if n}), (lost, told))


def main():
    if not os.path.isdir(CORPUS):
        print("ok - the whole corpus # SKIP no corpus at " + CORPUS)
        return
    status, out, _ = run([PROBE, "catalog"])
    assert status == 0
    catalog = {c["name"]: dict(c, metrics={m["name"]: m for m in c["metrics"]}) for c in json.loads(out)["checks"]}
    kinds = files_by_kind()
    judge(kinds)
    mdstats(kinds, catalog)
    trees(kinds, catalog)
    parse_everything(kinds)


main()
