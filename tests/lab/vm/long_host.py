#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host itself: its clock jumps a day, it is paused with and without its clocks. What stood still or jumped is no fault
of a part: nothing may be said of one then; what is wrong is still said, as soon as ever."""

import time

from faults import run

DAY_S = 86400
PAUSE_S = 20  # longer than any deadline of what is asked meanwhile

def prepare(m):
    m.do("modprobe ac; modprobe battery; mkdir -p /etc/veille/veille.conf.d; clock_kept")
    # Other machines of the lab have no time service; here this is what is looked at.
    m.do("printf '[rule host-clock-lost]\\nenabled = yes\\nhold = 0s\\n' >/etc/veille/veille.conf.d/host.conf")

def quiet(lab, m, what, since, allowed):
    """Since then nothing was said but what is allowed: (component, rule)."""
    said = {(c["component"], r["rule"]) for t, d in m.docs if t >= since for c in d["components"] for r in c["reasons"]}
    lab.say(said <= set(allowed), "host %s: %s: nothing else is said" % (lab.kind, what), said - set(allowed))

def jumped(lab, m, seconds, title):
    begin = m.now()
    wall = int(m.do("date +%s"))

    def jumps():
        m.do("date -s @%d" % (wall + seconds))

    def seen(_):
        moved, passed = int(m.do("date +%s")) - wall, m.now() - begin
        if not abs(moved - seconds - passed) < 5:
            raise AssertionError("the date moved by %d s while %.1f s passed" % (moved, passed))
        return "the date moved by %d s while %.1f s passed" % (moved, passed)

    def back():
        m.do("date -s @%d; clock_kept" % (wall + int(m.now() - begin)))

    lab.fault(title, jumps, seen, ("host", "warning", "host-clock-lost"), look="host", repair=back)
    quiet(lab, m, title, begin, [("host", "host-clock-lost")])

def paused(lab, m, how, title):
    """The mains fail meanwhile. What was being asked when it began has not hung."""
    took = []
    begin = m.now()

    def pause():
        m.poll("power")
        before = m.now()
        m.pause(how)
        m.power(mains=False, battery=0.9)
        time.sleep(PAUSE_S)  # the pause itself
        m.resume(how)
        took.append(m.now() - before)

    def seen(_):
        if (took[0] >= PAUSE_S) != (how == "host") or (how == "clock" and took[0] > PAUSE_S / 2):
            raise AssertionError("its clock moved by %.1f s in %d s" % (took[0], PAUSE_S))
        lab.shows("cat /sys/class/power_supply/ADP1/online", "^0$")(0)
        return "its clock moved by %.1f s in %d s; ADP1/online 0" % (took[0], PAUSE_S)

    lab.fault(title, pause, seen, ("ADP1", "warning", "power-on-battery"), look="power", repair=lambda: m.power())
    quiet(lab, m, title, begin, [("ADP1", "power-on-battery")])

def clocks(lab):
    with lab.machine(counted=False, power=True, peers=("rasdaemon",), prepare=prepare) as m:
        jumped(lab, m, DAY_S, "clock: jumps a day ahead")
        jumped(lab, m, -DAY_S, "clock: jumps a day back")
        paused(lab, m, "clock", "paused while its clocks stand, mains lost meanwhile")
        paused(lab, m, "host", "paused while its clocks run on, mains lost meanwhile")

run("host", {"pc": clocks, "q35": clocks})
