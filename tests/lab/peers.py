#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 600
"""Two hosts in network namespaces, on a bridge with a gateway: real brains and veille-peers are paired and hear each other; an alert
that no sink takes goes out by the peer; then cables are cut, the switch dies, a host dies and boots, veille dies or hangs on it, a key is
removed and one is swapped. Each time both sides say what can be known from there, and nothing that cannot; and are well again after."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "integration"))
import unpacked  # noqa: E402
from peer_hosts import Host, Notes, until  # noqa: E402
from tap import none  # noqa: E402

GATEWAY = "10.77.0.1"
CONFIG = ("[peers]\ninterval = 1s\nsilent_after = 7s\n[web]\nsilent_after = 15s\n"
          "[contact oncall]\nsinks = hook\n[sink hook]\ntype = webhook\nurl = http://" + GATEWAY + ":%d/%s\ntimeout = 3s\n")
DEAD_PORT = 9  # nobody listens there


def ip(*words, of=None):
    subprocess.run((["nsenter", "--net=/proc/%d/ns/net" % of] if of else []) + ["ip"] + list(words), check=True)


class Net:
    """The bridge is the switch, its host is the gateway and where sinks are; each host hangs on it by a cable."""

    def __init__(self):
        self.holders = {}
        ip("link", "add", "br0", "type", "bridge", "stp_state", "0", "forward_delay", "0")
        ip("addr", "add", GATEWAY + "/24", "dev", "br0")
        ip("link", "set", "br0", "up")

    def host(self, name, address):
        """The words that run a program on it."""
        holder = subprocess.Popen(["unshare", "-n", "sleep", "infinity"])
        self.holders[name] = holder
        own = os.readlink("/proc/self/ns/net")
        until(lambda: os.readlink("/proc/%d/ns/net" % holder.pid) != own)
        ip("link", "add", "port-" + name, "type", "veth", "peer", "name", "eth0", "netns", str(holder.pid))
        ip("link", "set", "port-" + name, "master", "br0", "up")
        ip("link", "set", "lo", "up", of=holder.pid)
        self.up(name, address)
        return ["nsenter", "--net=/proc/%d/ns/net" % holder.pid]

    def up(self, name, address):
        ip("addr", "replace", address + "/24", "dev", "eth0", of=self.holders[name].pid)
        ip("link", "set", "eth0", "up", of=self.holders[name].pid)
        ip("route", "replace", "default", "via", GATEWAY, of=self.holders[name].pid)

    def down(self, name):
        """As a host that has no power: its end is dead, the switch lives."""
        ip("link", "set", "eth0", "down", of=self.holders[name].pid)

    def cable(self, name, state):
        ip("link", "set", "port-" + name, state)

    def end(self):
        unpacked.end(self.holders.values())


class Lab:
    def __init__(self, directory):
        programs = os.path.abspath(unpacked.BUILD) + "/"
        self.net, self.notes = Net(), Notes(GATEWAY)
        self.hosts = {}
        for name, address, port in (("alpha", "10.77.0.2", DEAD_PORT), ("beta", "10.77.0.3", self.notes.port)):
            os.mkdir(directory + "/" + name)
            self.hosts[name] = Host(directory + "/" + name, name, programs, CONFIG % (port, name), self.net.host(name, address))
            self.hosts[name].address = address
        self.a, self.b = self.hosts["alpha"], self.hosts["beta"]

    def evidence(self):
        return [h.peer(p) for h, p in ((self.a, "beta"), (self.b, "alpha"))] + [h.log(p)[-1500:] for h in (self.a, self.b) for p in ("veille-peer", "veilled")]

    def well(self):
        return until(lambda: self.a.peer_state("beta") == "up" and self.b.peer_state("alpha") == "up", 90)

    def says(self, host, peer, state, words):
        """The state, its sentence, and the alert that the brain makes of it."""
        def seen():
            return host.peer_state(peer) == state and words in host.peer(peer).get("why", "") and "peer-" + state in host.rules("peer/" + peer)
        return until(seen, 90)

    def check(self, name, *wanted):
        """wanted: (host, peer, state, words)"""
        problems = [[w[0].name] + list(w[1:]) + [w[0].peer(w[1]), w[0].rules("peer/" + w[1])] for w in wanted if not self.says(*w)]
        none(problems + (self.evidence() if problems else []), name)

    def back(self, name):
        problems = [] if self.well() and until(lambda: not self.a.rules("peer/beta") and not self.b.rules("peer/alpha")) else self.evidence()
        none(problems, name)

    def pair(self, host, other):
        return host.ctl("peer", "pair", "--fingerprint", other.fingerprint(), other.address)[0]


def test_pair(lab):
    said = [lab.pair(lab.a, lab.b), lab.pair(lab.b, lab.a)]
    lab.back("paired on both, each hears the other")
    health = until(lambda: lab.a.peer("beta").get("health") in ("green", "yellow") and lab.a.peer("beta").get("levels"))
    none([] if health else said + lab.evidence(), "and knows how it is")


def test_hand_over(lab):
    lab.a.edac("ue_count", "1")
    got = until(lambda: [m for m in lab.notes.messages("/beta") if m.get("on_behalf") == "alpha" and m["component"] == "mc0"], 90)
    good = got and got[0]["level"] == "critical" and got[0]["subject"].startswith("on behalf of alpha: [alpha]")
    none([] if good else [got] + lab.evidence(), "an alert that no sink of alpha takes is delivered by beta, marked")
    empty = until(lambda: "mc0" not in lab.a.ctl("notify", "queue")[0])
    none([] if empty else [lab.a.ctl("notify", "queue")], "and alpha has its acknowledgement")


def test_cable(lab):
    lab.net.cable("beta", "down")
    lab.check("beta's cable is cut: here beta is down or cut off at its own end, there the network of beta is cut",
              (lab.a, "beta", "host-dead", "answers on no port, while " + GATEWAY + " does"), (lab.b, "alpha", "network-cut", "no link"))
    lab.net.cable("beta", "up")
    lab.back("the cable is back: all is well")


def test_switch(lab):
    ip("link", "set", "br0", "down")
    lab.check("the switch is dead: from neither side can be seen whether the other lives", (lab.a, "beta", "network-cut", "neither beta nor " + GATEWAY),
              (lab.b, "alpha", "network-cut", "neither alpha nor " + GATEWAY))
    ip("link", "set", "br0", "up")
    lab.back("the switch is back: all is well")


def test_agent(lab):
    lab.b.tell("veille-peer", signal.SIGSTOP)
    lab.check("veille-peer hangs on beta: the host lives, its veille does not", (lab.a, "beta", "agent-dead", "takes connections but says nothing"))
    lab.b.stop("veille-peer", signal.SIGKILL)
    lab.check("veille-peer is dead on beta", (lab.a, "beta", "agent-dead", "port 9786 refuses connections"))
    lab.b.start("veille-peer")
    lab.back("it is started again: all is well")
    lab.b.stop("veilled", signal.SIGKILL)
    lab.check("the brain is dead on beta, and veille-peer there says so", (lab.a, "beta", "agent-dead", "its brain (veilled) is silent"))
    lab.b.start("veilled")
    lab.back("the brain lives: all is well")


def test_dead_host(lab):
    lab.net.down("beta")
    lab.b.end()
    shutil.rmtree(lab.b.run)
    lab.check("beta is dead: no port of it answers, the gateway does", (lab.a, "beta", "host-dead", "answers on no port, while " + GATEWAY + " does"))
    shown = lab.a.peer("beta")
    none([] if shown["health"] == "unknown" and all(c["level"] == "unknown" for c in shown["worst"]) else [shown], "nothing that it said before is shown as true")
    # Without a gateway or another witness a dead host and a dead network look the same. The silence is remembered over a restart.
    ip("route", "del", "default", of=lab.net.holders["alpha"].pid)
    lab.a.stop("veille-peer")
    lab.a.start("veille-peer")
    lab.check("where nothing can tell a dead host from a cut network, that is said", (lab.a, "beta", "silent", "nothing else answers that could tell which"))
    lab.net.up("alpha", lab.a.address)
    os.mkdir(lab.b.run)
    lab.net.up("beta", lab.b.address)
    lab.b.start("veille-peer", "veilled")
    lab.back("it boots: all is well")


def test_removed(lab):
    lab.b.ctl("peer", "remove", "alpha")
    lab.check("alpha was removed on beta: alpha says so", (lab.a, "beta", "removed", "does not know the key of this host"))
    lab.pair(lab.b, lab.a)
    lab.back("paired anew: all is well")


def test_swapped(lab):
    before = lab.b.fingerprint()
    lab.b.stop("veille-peer")
    lab.b.forget()
    lab.b.start("veille-peer")
    lab.check("beta was installed anew, or is another host: its key is another one", (lab.a, "beta", "key-changed", "with another key"))
    said = lab.pair(lab.a, lab.b), lab.pair(lab.b, lab.a)
    none([] if lab.b.fingerprint() != before else [before], "it has another fingerprint")
    lab.back("paired anew with the new key: all is well")
    return said


def main():
    if not unpacked.own_network():
        unpacked.skip("peers", "needs root and unshare")
    directory = tempfile.mkdtemp(prefix="veille-peers-")
    os.chmod(directory, 0o755)
    lab = Lab(directory)
    try:
        for h in (lab.a, lab.b):
            h.start("veille-peer", "veilled")
        for test in (test_pair, test_hand_over, test_cable, test_switch, test_agent, test_dead_host, test_removed, test_swapped):
            start = time.monotonic()
            test(lab)
            print("# %s: %.1f s" % (test.__name__, time.monotonic() - start), flush=True)
    finally:
        lab.a.end()
        lab.b.end()
        lab.net.end()
        shutil.rmtree(directory)


main()
