#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Memory that errs: through the kernel's EDAC core (a module of ours plays the controller), machine checks, pages taken out of use."""

from faults import run

COUNTS = "cat /sys/devices/system/edac/mc/mc0/ce_count /sys/devices/system/edac/mc/mc0/ue_count"

def knob(m, words):
    return lambda: m.do("echo '%s' >/sys/kernel/debug/lab_edac" % words)

def edac(lab):
    prepare = lambda m: m.do("insmod /lib/modules/lab_edac.ko; echo 1 >/sys/devices/system/machinecheck/machinecheck0/check_interval")
    with lab.machine(prepare=prepare, peers=("rasdaemon",)) as m:
        stays = "counted over a day"
        lab.fault("memory: one corrected error", knob(m, "ce 1 0"), lab.log(r"EDAC MC0: 1 CE .*DIMM_A1"), ("DIMM_A1", "notice", "memory-error-single"),
                  peers={"rasdaemon": "mc_event"}, again="edac", repair=lambda: None)
        lab.fault("memory: a slow burn of corrected errors", knob(m, "ce 12 0"), lab.log(r"EDAC MC0: 12 CE .*DIMM_A1"),
                  ("DIMM_A1", "warning", "memory-error-rate"), peers={"rasdaemon": "mc_event"}, repair=lambda: None, stays=stays)
        lab.fault("memory: a storm of corrected errors", knob(m, "ce 150 1"), lab.log(r"EDAC MC0: 150 CE .*DIMM_B1"),
                  ("DIMM_B1", "warning", "memory-error-storm"), peers={"rasdaemon": "mc_event"})
        lab.fault("memory: a flood of corrected errors", knob(m, "ce 2500 1"), lab.log(r"EDAC MC0: 2500 CE .*DIMM_B1"),
                  ("DIMM_B1", "critical", "memory-error-storm"), peers={"rasdaemon": "mc_event"}, again="edac", repair=lambda: None, later=True)
        lab.fault("memory: an uncorrected error", knob(m, "ue 1 1"), lab.log(r"EDAC MC0: 1 UE .*DIMM_B1"), ("DIMM_B1", "critical", "memory-uncorrectable"),
                  peers={"rasdaemon": "mc_event"}, repair=lambda: None, stays="until the module is changed or the host restarts")
        lab.fault("processor: a corrected machine check", lambda: m.hmp("mce 0 4 0x9c00000000010092 0 0x1234000 0x40"), lab.log(r"Machine check events logged|\[Hardware Error\]"),
                  ("host", "notice", "kernel-mce"), repair=lambda: None, later=True)

        def poison():
            # The kernel refuses pages that it cannot do without, often many in a row: another one, far away, then.
            first = lab.random.randrange(100000)
            m.do("modprobe hwpoison_inject; (for i in $(seq 60); do echo $(((%d + i * 3001) %% 100000 + 20000)) >/sys/kernel/debug/hwpoison/corrupt-pfn && exit 0; done; exit 1)"
                 % first)

        lab.fault("memory: a page is taken out of use", poison, lab.shows("grep HardwareCorrupted /proc/meminfo", r" [1-9]\d* kB"),
                  ("host", "warning", "kernel-page-offline"), repair=lambda: None, later=True)
        lab.also("memory: the kernel's own count of it, too", ("host", "warning", "host-memory-corrupted"))
        lab.finish()

run("edac", {"pc": edac, "q35": edac}, long=["q35"])
