#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A management controller that tells of heat, a stopped fan, a lost power supply and events in its log; and one that hangs."""

from bmc import Bmc
from faults import run

def ipmi(lab):
    bmc = Bmc()
    try:
        machine(lab, bmc)
    finally:
        bmc.close()

def machine(lab, bmc):
    prepare = lambda m: m.do("modprobe ipmi_si; modprobe ipmi_devintf; [ -c /dev/ipmi0 ]")
    with lab.machine(bmc=bmc.path, prepare=prepare, peers=("rasdaemon",)) as m:
        def put(name, value):
            return lambda: bmc.values.update({name: value})

        # The controller itself shows it: it was asked after the change, and said so.
        def told(sensor, netfn=0x04, command=0x2D):
            def seen(_):
                before = len(bmc.asked)
                m.poll("ipmi")
                m.wait_status(lambda d: any(a[1:3] == (netfn, command) for a in bmc.asked[before:]), m.now(), 60, "the controller was not asked")
                return "the controller was asked for %s and answered %s" % (sensor, bmc.values[sensor] if netfn == 4 else "with %d entries" % len(bmc.entries))
            return seen

        for sensor, value, title, expect, good in (
                ("CPU Temp", 97, "a critical temperature", ("ipmi0", "critical", "ipmi-temperature"), 40),
                ("FAN1", 3, "a fan that stopped", ("FAN1 ipmi0", "warning", "ipmi-fan"), 100),
                ("PS1 Status", 2, "a power supply that failed", ("PS1 Status ipmi0", "warning", "ipmi-power"), 1)):
            lab.fault("IPMI: " + title, put(sensor, value), told(sensor), expect, look="ipmi", repair=put(sensor, good))

        lab.fault("IPMI: a critical event in the log", lambda: bmc.log("CPU Temp", 9), told("CPU Temp", 0x0A, 0x43), ("ipmi0", "warning", "ipmi-log-critical"),
                  look="ipmi", repair=lambda: None)

        def hang():
            bmc.hangs = True

        def answer():
            bmc.hangs = False

        if not lab.long:
            return
        lab.fault("IPMI: the controller hangs", hang, lambda since: told_nothing(m, bmc), ("ipmi0", "unknown", "no-answer"), look="ipmi", repair=answer, limit=200)
        stall = m.status()["counters"]["longest_stall_s"]
        lab.say(stall < 0.1, "ipmi %s: the loop of the brain was never held up (%.3f s)" % (lab.kind, stall), stall)

def told_nothing(m, bmc):
    before = len(bmc.asked)
    m.poll("ipmi")
    m.wait_status(lambda d: len(bmc.asked) > before, m.now(), 60, "the controller was not asked")
    return "the controller was asked and gives no answer"

run("ipmi", {"pc": ipmi, "q35": ipmi}, long=["q35"])
