# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Injecting a fault and holding veille to what it says: what every family of faults (../vm_*.py) is made of.

A family is a script that calls run():

    def ata(lab):
        with lab.machine([Disk("d0", "ata")]) as m:
            lab.fault("4000 reallocated sectors", inject=lambda: ..., seen=lab.shows("smartctl -A ...", "4000"),
                      expect=("sda", "critical", "attribute-prefail"), look="smart-ata", repair=lambda: ...)

    run("ata", {"pc": ata, "q35": ata})

lab.fault() fails unless, in this order: veille had not said so before; the kernel (or the device itself) shows the fault (seen);
veille's own status.json names the component, the level and the rule; it was not more than half a second later than the fastest of
smartd, mdadm --monitor and rasdaemon, which run beside it; and after the repair, where there is one, the rule is silent again.

look: the check that finds what no event announces. Then the clock starts when veille and smartd are told to look, else with the
injection. Holds, calms and windows of rules are seconds here, or nothing could be seen to become green again. Events of the kernel
still need a minute for it, so with later=True that is looked at for all of them together, by finish().

Environment: LAB_ONLY=REGEX only faults of such a name, LAB_CONFIG further lines of configuration (mutations), LAB_LIMIT=SECONDS,
LAB_LONG=1 what takes minutes, too, LAB_MACHINE=pc|q35, LAB_SEED=N (lab.random), LAB_KEEP=1 leaves the directories of machines, LAB_MUTATIONS see long_mutations.py."""

import json
import os
import random
import re
import subprocess
import sys
import time
import traceback

import image
from machine import Machine, Timeout

BEHIND_S = 0.5
LOOK_S = 4
# Rules that count over a day: here over a few seconds, so that they can become silent again.
WINDOW_S, HOLD_S, CALM_S = 6, 2, 1
EVENTS = "kernel_events_total"
MUTANT_S = 6  # so long a verdict that is disabled is waited for; the unmutated run of the same fault was faster, or it would not count


def config():
    catalog = json.loads(subprocess.run([image.BUILD + "/veille-probe", "catalog"], check=True, capture_output=True).stdout)
    out = {}
    for check in catalog["checks"]:
        for rule in check["rules"]:
            lines = out.setdefault(rule["name"], [])
            if lines:
                continue
            if rule.get("hold_s", 0) > HOLD_S:
                lines.append("hold = %ds" % HOLD_S)
            if rule.get("calm_s", 0) > CALM_S:
                lines.append("calm = %ds" % CALM_S)
            if rule.get("metric") == EVENTS and rule.get("kind") == "rate":
                lines.append("window = %ds" % WINDOW_S)
    # Disks are as small as can be, every machine was started just now, and no clock server is there.
    out["fs-space-mail"] = ["enabled = no"]
    out["host-rebooted"] = out["host-clock-unsynchronized"] = out["host-clock-lost"] = ["enabled = no"]
    return "\n".join("[rule %s]\n%s" % (name, "\n".join(lines)) for name, lines in out.items() if lines)


def commit():
    done = subprocess.run(["git", "-C", image.TOP, "describe", "--always", "--dirty"], capture_output=True, text=True)
    return done.stdout.strip() or "unknown"


class Lab:
    def __init__(self, family, kind):
        self.family, self.kind, self.m, self.rows, self.failed, self.pending = family, kind, None, [], 0, []
        self.long = bool(os.environ.get("LAB_LONG"))
        self.only = os.environ.get("LAB_ONLY")
        self.limit = float(os.environ.get("LAB_LIMIT", "60"))
        self.seed = int(os.environ.get("LAB_SEED", "1"))
        self.random = random.Random(self.seed)
        self.mutations, self.mutants = json.loads(os.environ.get("LAB_MUTATIONS", "[]")), []
        self.skipped = False  # the last fault was not asked for
        self.faultless = False  # nothing is broken here, which is no mistake
        self.peers, self.since = {}, 0

    def machine(self, disks=(), peers=("smartd", "rasdaemon"), extra="", prepare=None, **options):
        """A machine on which everything is green, veille and its peers running. prepare(m) runs before they start."""
        start = time.monotonic()
        self.m = m = Machine(self.kind, disks, **options)
        try:
            self.prepare, self.extra, self.peers = prepare, extra, peers
            self.start_all()
        except BaseException:
            m.close()
            raise
        print("# %s: machine is up after %.1f s" % (self.family, time.monotonic() - start), flush=True)
        return m

    def start_all(self):
        """After a boot."""
        if self.prepare:
            self.prepare(self.m)
        self.start_veille()
        self.m.start_peers(*self.peers)

    def start_veille(self):
        self.m.start_veille("\n".join([config(), self.extra, os.environ.get("LAB_CONFIG", "").replace("\\n", "\n")]))

    # --- what the kernel shows: functions of the time of the injection that return a text ------------

    def log(self, pattern, limit=60):
        return lambda since: self.m.kernel(pattern, since, limit).text

    def shows(self, command, pattern, limit=30):
        """A command inside whose output matches from some time on."""
        def seen(_):
            stop = time.monotonic() + limit
            while True:
                out = "\n".join(self.m.sh(command)[1])
                found = re.search(pattern, out, re.M)
                if found:
                    line = out[out.rfind("\n", 0, found.start()) + 1:].split("\n")[0]
                    return " ".join(line.split())
                if time.monotonic() > stop:
                    raise Timeout("'%s' does not show /%s/ but\n%s" % (command, pattern, out[-600:]))
                time.sleep(0.1)
        return seen

    # --- one fault --------------------------------------------------------------------------------

    @staticmethod
    def reason(doc, component, rule):
        for c in doc["components"]:
            if c["component"] == component:
                for r in c["reasons"]:
                    if r["rule"] == rule:
                        return c, r
        return None

    def says(self, doc, component, level, rule):
        found = self.reason(doc, component, rule)
        return found is not None and found[1]["level"] == level

    def fault(self, title, inject, seen, expect, look=None, peers=None, repair=None, limit=None, stays=None,
              later=False, again=None, alone=False, reboots=False):
        """expect: (component, level, rule). peers: {name: pattern} of what they are known to say. stays: why the verdict remains
        after the repair. limit: seconds for the verdict. again: the check that is to look again while a rule holds back, where an event
        begins it. alone: no comparison, the peers had begun before. reboots: the machine is another run after the injection, and the clock
        starts when veille is started there."""
        self.skipped = bool(self.only and not re.search(self.only, title))
        if self.skipped:
            return
        row = {"family": self.family, "machine": self.kind, "fault": title, "component": expect[0], "level": expect[1], "rule": expect[2],
               "looked": bool(look), "rebooted": reboots, "compared": not (alone or reboots),
               "commit": commit(), "seed": self.seed, "time": int(time.time())}
        problem = None
        try:
            self.inject_and_judge(row, inject, seen, expect, (look, again), peers or {}, limit or self.limit, reboots)
            if not alone and not reboots:
                self.compare(row)
        except Exception as e:
            problem = str(e) or traceback.format_exc()
            row["problem"] = problem.splitlines()[0][:300]
        try:
            if repair:
                self.repair(row, repair, expect, look or again, stays, later, judged=problem is None)
        except Exception as e:
            problem = (problem or "") + "repair: " + (str(e) or traceback.format_exc())
            row.setdefault("problem", problem.splitlines()[0][:300])
        self.rows.append(row)
        if problem is None:
            for what, config, pattern in self.mutations:
                if re.search(pattern, title):
                    self.mutant(what, config, row, inject, seen, expect, (look, again), repair)
        self.say(problem is None, "%s %s: %s: %s %s by %s%s" % (self.family, self.kind, title, expect[0], expect[1], expect[2],
                                                            ", %.2f s" % row["seconds"] if "seconds" in row else ""), problem)

    def mutant(self, what, config, row, inject, seen, expect, looks, repair):
        """The same fault again, with a check or a rule disabled: the lab must miss the verdict. Begins and ends with veille anew, of which
        nothing is known."""
        noticed, why = False, "veille said it all the same"
        try:
            self.start_fresh(config)
            self.inject_and_judge({}, inject, seen, expect, looks, {}, MUTANT_S, False)
        except Timeout as e:
            noticed, why = str(e).startswith("veille does not say"), str(e)
        except Exception as e:
            why = str(e) or traceback.format_exc()
        repair()
        self.start_fresh("")
        self.mutants.append({"family": self.family, "machine": self.kind, "mutation": what, "fault": row["fault"], "rule": row["rule"],
                             "noticed": noticed, "commit": commit(), "seed": self.seed, "time": int(time.time())})
        keep_rows("mutations", "%s-%s" % (self.family, self.kind), self.mutants)
        self.say(noticed, "%s %s: without %s the lab misses: %s" % (self.family, self.kind, what, row["fault"]), why)

    def start_fresh(self, config):
        self.m.stop_veille()
        self.m.do("rm -rf /var/lib/veille /run/veille/*")
        extra, self.extra = self.extra, self.extra + "\n" + config
        try:
            self.start_veille()
        finally:
            self.extra = extra

    def say(self, good, name, detail=None):
        self.failed += not good
        print(("ok" if good else "not ok") + " - " + name, flush=True)
        if not good:
            print("".join("# " + line + "\n" for line in str(detail)[-3000:].splitlines()), flush=True)

    def inject_and_judge(self, row, inject, seen, expect, looks, peers, limit, reboots):
        m, (look, again) = self.m, looks
        before = m.status()
        if before and self.says(before, *expect):
            raise AssertionError("veille says so before anything is wrong: the fault would prove nothing")
        since = self.since = m.now()
        inject()
        if reboots:
            since = self.since = m.started
        row["kernel"] = seen(since)
        if look:
            since = m.poll(look)
        doc = self.verdict(expect, look or again, since, limit)
        component, reason = self.reason(doc, expect[0], expect[2])
        row.update(seconds=round(doc["time_boot"] - since, 2), text=reason["text"], component_level=component["level"],
                   health=doc["health"], stall=doc["counters"]["longest_stall_s"])
        row["peers"] = {}
        for name in self.peers:
            line = m.peer(name, peers.get(name, SPEAKS.get(name)), since, 12 if name in peers else 2)
            row["peers"][name] = [round(line.time - since, 2), line.text] if line else None
            if name in peers and not line:
                raise AssertionError("%s was expected to say /%s/ and did not: does the fault still reach it?" % (name, peers[name]))

    @staticmethod
    def compare(row):
        fastest = min((v[0] for v in row["peers"].values() if v), default=None)
        if fastest is not None and row["seconds"] > fastest + BEHIND_S:
            raise AssertionError("veille needed %.2f s, a peer %.2f s: %s" % (row["seconds"], fastest, row["peers"]))

    def verdict(self, expect, look, since, limit):
        """The first status that says it. A rule that holds back needs a further look."""
        return self.until(lambda d: self.says(d, *expect), look, since, limit, "veille does not say %s %s %s" % expect)

    def until(self, predicate, look, since, limit, what):
        stop = since + limit
        while look and self.m.latest < stop - LOOK_S:
            try:
                return self.m.wait_status(predicate, since, LOOK_S, what)[1]
            except Timeout:
                self.m.poll(look)
        return self.m.wait_status(predicate, since, max(stop - self.m.latest, LOOK_S), what)[1]

    def also(self, title, expect):
        """Of the last fault veille said this, too, at some time since."""
        if self.skipped:
            return
        try:
            self.m.wait_status(lambda d: self.says(d, *expect), self.since, 30, "veille never said %s %s %s" % expect)
            self.say(True, "%s %s: %s" % (self.family, self.kind, title))
        except Timeout as e:
            self.say(False, "%s %s: %s" % (self.family, self.kind, title), e)

    def repair(self, row, repair, expect, look, stays, later, judged):
        m = self.m
        since = m.now()
        repair()
        if not judged:
            return
        if stays:
            row["stays"] = stays
            return
        if later:
            self.pending.append((row, expect, since, look))
            return
        if look:
            m.poll(look)
        silent = lambda d: self.reason(d, expect[0], expect[2]) is None
        doc = self.until(silent, look, since, self.limit, "after the repair veille still says %s %s %s" % expect)
        row["green"] = round(doc["time_boot"] - since, 2)

    def finish(self, limit=100):
        """Whatever was repaired with later=True is silent by now."""
        pending, self.pending = self.pending, []
        for row, expect, since, look in pending:
            silent = lambda d: self.reason(d, expect[0], expect[2]) is None
            try:
                doc = self.until(silent, look, self.m.now(), limit, "it is still said")
                row["green"] = round(doc["time_boot"] - since, 2)
                self.say(True, "%s %s: %s: green again" % (self.family, self.kind, row["fault"]))
            except Timeout as e:
                row["problem"] = "not green again"
                self.say(False, "%s %s: %s: green again" % (self.family, self.kind, row["fault"]), e)


# What a peer says when something is wrong, whatever it is.
SPEAKS = {
    "smartd": r"FAIL|failed|[Ee]rror|[Cc]ritical|increased|reached|[Ww]arning|Unable|unable|[Pp]refail|not capable|Sectors",
    "rasdaemon": r"^ *<|mc_event:|mce_record:|memory_failure_event:",
    "mdadm": r".",
}


def keep_rows(directory, name, rows):
    """For the page: one line of JSON for each."""
    os.makedirs("%s/%s" % (image.LAB, directory), exist_ok=True)
    with open("%s/%s/%s.jsonl" % (image.LAB, directory, name), "w") as f:
        f.writelines(json.dumps(row) + "\n" for row in rows)


def run(family, parts, long=()):
    """parts: {machine: function of a Lab}; machines in long only when it may take long, or when they are asked for. Prints TAP, keeps
    the rows for the table."""
    missing = image.missing()
    if missing:
        print("ok - %s faults in a virtual machine # SKIP not here: %s" % (family, " ".join(missing)))
        return
    bad = 0
    for kind, part in parts.items():
        wanted = os.environ.get("LAB_MACHINE")
        if kind != wanted if wanted else kind in long and not os.environ.get("LAB_LONG"):
            continue
        lab = Lab(family, kind)
        try:
            part(lab)
            if lab.pending:
                lab.say(False, "%s %s: finish() was forgotten" % (family, kind))
        except Exception:
            lab.say(False, "%s %s: the machine" % (family, kind), traceback.format_exc())
        if not lab.rows and not lab.failed and not lab.only and not lab.faultless:
            lab.say(False, "%s %s: not one fault was injected" % (family, kind))
        if lab.rows and not os.environ.get("LAB_CONFIG") and not lab.only:
            keep_rows("rows", "%s-%s" % (family, kind), lab.rows)
        bad += lab.failed
    sys.exit(1 if bad else 0)
