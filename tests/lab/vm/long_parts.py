#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is around the disks: mains and battery, a thermal zone, a sensor chip with limits, network cards, a route, a bond."""

from faults import run

CHIP = "0x18"  # a jc42 on the bus of i2c-stub; its temperature is register 5, its limits are 2 to 4

def prepare(m):
    m.do("modprobe ac; modprobe battery; modprobe i2c-dev; modprobe i2c-stub chip_addr=%s; modprobe jc42" % CHIP)
    m.do("printf '#!/bin/sh\\n' >/sbin/poweroff; chmod 755 /sbin/poweroff")  # what the kernel calls when it gets too hot
    bus = m.do("grep -l 'SMBus stub' /sys/bus/i2c/devices/i2c-*/name").split("/")[5]
    for register, value in ((7, 0x0022), (6, 0xB304), (0, 0), (5, 0x9001), (4, 0x4005), (2, 0x0005), (3, 0), (1, 0)):
        m.do("i2cset -y %s %s %d 0x%04x w" % (bus[4:], CHIP, register, value))
    m.do("echo jc42 %s >/sys/bus/i2c/devices/%s/new_device" % (CHIP, bus))
    # Two cards, one with the way out, and a bond of two more.
    m.do("modprobe bonding max_bonds=1 mode=active-backup miimon=100; for i in $(ls /sys/class/net); do [ $i = lo ] || ip link set $i up; done")
    first = card(m, 0)
    m.do("ip addr add 192.0.2.2/24 dev %s; ip route add default via 192.0.2.1; ip link set bond0 up" % first)
    for n in (2, 3):
        m.do("ip link set %s down; echo +%s >/sys/class/net/bond0/bonding/slaves" % (card(m, n), card(m, n)))
    m.until("grep -q 1 /sys/class/net/bond0/carrier")
    return bus[4:]

def card(m, number):
    return m.do("grep -l 52:54:00:00:00:0%d /sys/class/net/e*/address" % number).split("/")[4]

def parts(lab):
    args = []
    for n in range(4):
        args += ["-netdev", "user,id=net%d,restrict=on,ipv6=off" % n, "-device", "virtio-net-pci,netdev=net%d,id=nic%d,mac=52:54:00:00:00:0%d" % (n, n, n)]
    bus = []
    with lab.machine(power=True, args=args, prepare=lambda m: bus.append(prepare(m)), peers=("rasdaemon",)) as m:
        powered(lab, m)
        hot(lab, m, bus[0])
        network(lab, m)

def powered(lab, m):
    supplies = "cat /sys/class/power_supply/ADP1/online /sys/class/power_supply/BAT0/capacity"
    lab.fault("power: mains lost", lambda: m.power(mains=False, battery=0.9), lab.shows(supplies, r"^0$"), ("ADP1", "warning", "power-on-battery"),
              look="power", repair=lambda: m.power())
    lab.fault("power: battery below a third", lambda: m.power(mains=False, battery=0.25), lab.shows(supplies, r"^25$"), ("BAT0", "warning", "battery-low"),
              look="power", repair=lambda: m.power())
    lab.fault("power: battery nearly empty", lambda: m.power(mains=False, battery=0.06), lab.shows(supplies, r"^6$"), ("BAT0", "critical", "battery-low"),
              look="power", repair=lambda: m.power())

def hot(lab, m, bus):
    lab.fault("heat: thermal zone above its critical point", lambda: m.power(celsius=125.6), lab.log(r"critical temperature reached"),
              ("acpitz-acpi-0", "critical", "sensor-temperature-critical"), again="sensors", repair=lambda: m.power())
    lab.also("heat: what the kernel said of it, too", ("host", "critical", "kernel-thermal-critical"))

    chip = "jc42-i2c-%s-18" % bus

    def temperature(celsius, alarm=0):
        word = alarm << 13 | celsius * 16
        return lambda: m.do("i2cset -f -y %s %s 5 0x%04x w" % (bus, CHIP, (word & 0xFF) << 8 | word >> 8))  # the chip's bytes go the other way round

    shows = lambda t: lab.shows("cat /sys/class/hwmon/hwmon*/temp1_input", r"^%d000$" % t)
    lab.fault("sensor chip: above its critical limit", temperature(95, 6), shows(95), (chip, "critical", "sensor-temperature-critical"),
              look="sensors", repair=temperature(25))

def network(lab, m):
    out, spare, member = card(m, 0), card(m, 1), card(m, 2)

    def link(number, up):
        return lambda: m.qmp("set_link", name="nic%d" % number, up=up)

    carrier = lambda name: lab.shows("cat /sys/class/net/%s/carrier" % name, r"^0$")
    lab.fault("network: a card lost its link", link(1, False), carrier(spare), (spare, "warning", "net-link-lost"), again="net", repair=link(1, True))
    lab.fault("network: no way out has link", link(0, False), carrier(out), ("network", "critical", "net-cut-off"), again="net", repair=link(0, True))
    lab.fault("network: a bond lost a member", link(2, False), carrier(member), ("bond0", "warning", "bond-degraded"), again="net", repair=link(2, True))

    def both(up):
        return lambda: (link(2, up)(), link(3, up)())

    lab.fault("network: a bond lost all members", both(False), carrier("bond0"), ("bond0", "critical", "bond-down"), again="net", repair=both(True))

run("parts", {"pc": parts, "q35": parts}, long=["q35"])
