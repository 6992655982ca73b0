#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 120
"""With compat = smartctl_exporter, node_exporter: are names and labels theirs? A made-up host (sysfs, mdstat, three disks that
a script plays smartctl for) is read by the real veille-probe and shown by the real veille-web; what comes out is compared with a
table of what those exporters document, and, of node_exporter, with what Debian's own says of the same tree, values too."""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request

from tap import none

sys.path.insert(0, os.path.dirname(__file__))
import unpacked  # noqa: E402

SERIES = re.compile(r'^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
HWMON, MC = "sys/class/hwmon/hwmon0/", "sys/devices/system/edac/mc/mc0/"

FILES = {
    HWMON + "name": "nct6775", HWMON + "temp1_input": 41500, HWMON + "temp1_max": 80000, HWMON + "temp1_max_hyst": 75000, HWMON + "temp1_crit": 95000,
    HWMON + "temp1_crit_hyst": 90000, HWMON + "temp1_label": "SYSTIN", HWMON + "temp1_alarm": 0, HWMON + "temp1_crit_alarm": 1, HWMON + "temp1_fault": 0,
    HWMON + "temp1_beep": 0, HWMON + "fan1_input": 1180, HWMON + "fan1_min": 300, HWMON + "fan1_max": 5000, HWMON + "fan1_target": 1200,
    HWMON + "fan1_alarm": 0, HWMON + "fan1_fault": 0, HWMON + "fan1_beep": 1, HWMON + "pwm1": 128, HWMON + "pwm1_enable": 5, HWMON + "pwm1_mode": 1,
    HWMON + "in0_input": 1216, HWMON + "in0_min": 1000, HWMON + "in0_max": 1744, HWMON + "in0_alarm": 0, HWMON + "in0_beep": 0,
    HWMON + "curr1_input": 2500, HWMON + "power1_input": 25000000, HWMON + "power1_average": 24000000, HWMON + "energy1_input": 4200000,
    HWMON + "humidity1_input": 45500,
    MC + "ce_count": 7, MC + "ue_count": 1, MC + "ce_noinfo_count": 2, MC + "ue_noinfo_count": 0, MC + "csrow0/ce_count": 5, MC + "csrow0/ue_count": 1,
    MC + "csrow0/ch0_ce_count": 3, MC + "csrow0/ch0_ue_count": 1, MC + "csrow0/ch0_dimm_label": "CPU_SrcID#0_channel#0", MC + "csrow0/ch1_ce_count": 2,
    MC + "dimm0/dimm_ce_count": 3, MC + "dimm0/dimm_ue_count": 1, MC + "dimm0/dimm_label": "DIMM_A1",
    "sys/class/thermal/thermal_zone0/type": "odd_zone", "sys/class/thermal/thermal_zone0/temp": 33000,
    "sys/class/thermal/thermal_zone0/policy": "step_wise",
    "proc/mdstat": "Personalities : [raid1]\nmd0 : active raid1 sdb1[1] sda1[0]\n      1000 blocks super 1.2 [2/2] [UU]\n\n"
                   "md1 : active raid1 sdd1[2] sdc1[0] sde1[1](F)\n      2000 blocks super 1.2 [2/1] [U_]\n"
                   "      [==>..................]  recovery = 12.5% (250/2000) finish=1.0min speed=100K/sec\n\nunused devices: <none>\n",
    "proc/self/mountinfo": "25 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n", "proc/1/mountinfo": "25 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n",
    "proc/1/mounts": "/dev/sda1 / ext4 rw,relatime 0 0\n", "proc/mounts": "/dev/sda1 / ext4 rw,relatime 0 0\n", "proc/self/mounts": "/dev/sda1 / ext4 rw,relatime 0 0\n",
    "sys/class/nvme/nvme0/serial": "S5GX0001", "sys/class/nvme/nvme0/transport": "pcie", "sys/block/nvme0n1/size": 1000,
}
for md, disks, degraded, action in (("md0", ("sda1", "sdb1"), 0, "idle"), ("md1", ("sdc1", "sdd1", "sde1"), 1, "recover")):
    base = "sys/block/%s/md/" % md
    FILES.update({base + "array_state": "clean", base + "level": "raid1", base + "raid_disks": 2, base + "degraded": degraded,
                  base + "sync_action": action, base + "metadata_version": "1.2", base + "uuid": "0:1:2:3", base + "chunk_size": 0})
    for i, disk in enumerate(disks):
        state = {"sdd1": "spare", "sde1": "faulty"}.get(disk, "in_sync")
        FILES.update({base + "dev-%s/state" % disk: state, base + "dev-%s/slot" % disk: {"sdd1": 1, "sde1": "none"}.get(disk, i)})

NVME = {"json_format_version": [1, 0], "smartctl": {"version": [7, 3], "svn_revision": "5338", "build_info": "(local build)", "exit_status": 0},
        "device": {"name": "/dev/nvme0", "info_name": "/dev/nvme0", "type": "nvme", "protocol": "NVMe"}, "model_name": "MADE UP", "serial_number": "S5GX0001",
        "firmware_version": "1", "nvme_total_capacity": 2000, "user_capacity": {"blocks": 4, "bytes": 2048}, "logical_block_size": 512,
        "smart_support": {"available": True, "enabled": True}, "smart_status": {"passed": True}, "power_on_time": {"hours": 10}, "power_cycle_count": 5,
        "temperature": {"current": 40}, "nvme_smart_health_information_log": {
            "critical_warning": 0, "temperature": 40, "available_spare": 100, "available_spare_threshold": 10, "percentage_used": 3, "data_units_read": 2,
            "data_units_written": 3, "host_reads": 1, "host_writes": 1, "controller_busy_time": 0, "power_cycles": 5, "power_on_hours": 10,
            "unsafe_shutdowns": 0, "media_errors": 0, "num_err_log_entries": 7}}

CHIP = 'chip="$CHIP",sensor="%s"'
# What the exporters document: name, labels. $CHIP is what node_exporter makes of the place of the chip; $ANY is not compared.
NODE = {
    "node_hwmon_chip_names": ['chip="$CHIP",chip_name="nct6775"'], "node_hwmon_sensor_label": [CHIP % "temp1" + ',label="SYSTIN"'],
    **{"node_hwmon_" + n: [CHIP % s] for s, names in {
        "temp1": "temp_celsius temp_max_celsius temp_max_hyst_celsius temp_crit_celsius temp_crit_hyst_celsius temp_crit_alarm_celsius temp_alarm temp_fault "
                 "temp_beep_enabled",
        "fan1": "fan_rpm fan_min_rpm fan_max_rpm fan_target_rpm fan_alarm fan_fault fan_beep_enabled", "pwm1": "pwm pwm_enable pwm_mode",
        "in0": "in_volts in_min_volts in_max_volts in_alarm in_beep_enabled", "curr1": "curr_amps", "power1": "power_watt power_average_watt",
        "energy1": "energy_joule_total", "humidity1": "humidity"}.items() for n in names.split()},
    **{"node_edac_%s_errors_total" % k: ['controller="0"'] for k in ("correctable", "uncorrectable")},
    **{"node_edac_csrow_%s_errors_total" % k: ['controller="0",csrow="unknown"', 'controller="0",csrow="0"'] for k in ("correctable", "uncorrectable")},
    "node_edac_channel_correctable_errors_total": ['controller="0",csrow="0",channel="0",dimm_label="CPU_SrcID0__channel0"',
                                                   'controller="0",csrow="0",channel="1",dimm_label="unknown"'],
    "node_edac_channel_uncorrectable_errors_total": ['controller="0",csrow="0",channel="0",dimm_label="CPU_SrcID0__channel0"'],
    "node_md_state": ['device="%s",state="%s"' % (d, s) for d in ("md0", "md1") for s in ("active", "inactive", "recovering", "resync", "check")],
    "node_md_disks": ['device="%s",state="%s"' % (d, s) for d in ("md0", "md1") for s in ("active", "failed", "spare", "removed")],
    **{"node_md_" + n: ['device="md0"', 'device="md1"'] for n in ("disks_required", "raid_disks", "degraded", "blocks", "blocks_synced")},
    **{"node_filesystem_" + n: ['device="/dev/sda1",mountpoint="/",fstype="ext4",device_error=""']
       for n in ("size_bytes", "free_bytes", "avail_bytes", "files", "files_free", "readonly", "device_error")},
    "node_thermal_zone_temp": ['zone="0",type="odd_zone"'],
}
INFO = ("device", "interface", "protocol", "model_family", "model_name", "serial_number", "ata_additional_product_id", "firmware_version",
        "ata_version", "sata_version", "form_factor", "scsi_vendor", "scsi_product", "scsi_revision", "scsi_version")
ATA, NVM, SCSI = 'device="sda"', 'device="nvme0"', 'device="sg1"'
SMARTCTL = {  # disks of tests/fixtures/make_run.py --disks 1: sda ATA, nvme0 NVMe, sg1 SAS
    "smartctl_version": {("json_format_version", "smartctl_version", "svn_revision", "build_info")}, "smartctl_devices": {()},
    "smartctl_device": {INFO}, "smartctl_device_attribute": {("device", "attribute_name", "attribute_flags_short", "attribute_flags_long",
                                                              "attribute_value_type", "attribute_id")},
    "smartctl_device_block_size": {("device", "blocks_type")}, "smartctl_device_interface_speed": {("device", "speed_type")},
    "smartctl_device_temperature": {("device", "temperature_type")},
    "smartctl_device_statistics": {("device", "statistic_table", "statistic_name", "statistic_flags_short", "statistic_flags_long")},
    "smartctl_device_error_log_count": {("device", "error_log_type")}, "smartctl_device_self_test_log_count": {("device", "self_test_log_type")},
    "smartctl_device_self_test_log_error_count": {("device", "self_test_log_type")}, "smartctl_device_erc_seconds": {("device", "op_type")},
    **{n: {("device",)} for n in ["smartctl_device_" + n for n in (
        "capacity_blocks capacity_bytes nvme_capacity_bytes power_on_seconds rotation_rate power_cycle_count percentage_used available_spare "
        "available_spare_threshold critical_warning media_errors num_err_log_entries bytes_read bytes_written smart_status smartctl_exit_status "
        "state").split()] + ["smartctl_scsi_grown_defect_list"] + ["smartctl_%s_%s" % (op, n) for op in ("read", "write") for n in (
            "errors_corrected_by_rereads_rewrites", "errors_corrected_by_eccfast", "errors_corrected_by_eccdelayed", "total_uncorrected_errors")]},
}
GAUGES = ("smartctl_device_percentage_used", "smartctl_device_available_spare", "smartctl_device_critical_warning")
# Space changes from one moment to the next; of humidity theirs shows a tenth (hwmon counts thousandths of a percent).
UNLIKE = ("free_bytes", "avail_bytes", "files_free", "hwmon_humidity")
COLLECTORS = ("hwmon", "edac", "mdadm", "thermal_zone", "filesystem")


def parse(text):
    """{(name, frozen labels): value}, {name: type}"""
    series, types = {}, {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            types[line.split()[2]] = line.split()[3]
        found = SERIES.match(line)
        if found:
            key = (found.group(1), frozenset(LABEL.findall(found.group(2) or "")))
            assert key not in series, line
            series[key] = float(found.group(3))
    return series, types


def get(url, accept=None):
    request = urllib.request.Request(url, headers={"Accept": accept} if accept else {})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read().decode()


def make_root(root):
    for name, value in FILES.items():
        os.makedirs(os.path.dirname(root + "/" + name), exist_ok=True)
        with open(root + "/" + name, "w") as f:
            f.write("%s\n" % value if not str(value).endswith("\n") else value)
    os.makedirs(root + "/usr/sbin")
    with open(root + "/usr/sbin/smartctl", "w") as f:
        f.write("#!/bin/sh\ncat <<E\n%s\nE\n" % json.dumps(dict(NVME, local_time={"time_t": int(time.time())})))
    os.chmod(root + "/usr/sbin/smartctl", 0o755)


def probe(root, *words):
    out = subprocess.run([unpacked.BUILD + "/san/veille-probe", "--root", root, "--config", root + "/none"] + list(words), stdout=subprocess.PIPE,
                         stdin=subprocess.DEVNULL, check=True).stdout
    return [json.loads(line) for line in out.splitlines()]


def make_run(root, run):
    """Plays the brain: what the probe says becomes the files that veille-web reads."""
    catalog = probe(root, "catalog")[0]
    boot, samples, checks = time.clock_gettime(time.CLOCK_BOOTTIME), [], []
    for check in ("sensors", "edac", "raid", "fs", "smart"):
        for instance in probe(root, "list", check):
            name = instance["instance"]
            for line in probe(root, "run", check, name):
                if line["type"] == "sample":
                    samples.append({"m": line["metric"], "c": check, "i": name, "v": line["value"], "t": boot, "l": line.get("labels", {})})
                else:
                    checks.append({"check": check, "instance": name, "component": name, "result": line["result"], "why": line.get("why", ""), "age_s": 0})
    bad = [c for c in checks if c["result"] != "ok"]
    os.makedirs(run)
    for name, doc in (("catalog", catalog), ("samples", {"version": 1, "time_boot": boot, "samples": samples}),
                      ("status", {"version": 1, "host": "mx1", "health": "green", "health_why": "", "time": time.time(), "time_boot": boot,
                                  "components": [], "checks": checks})):
        with open("%s/%s.json" % (run, name), "w") as f:
            json.dump(doc, f)
    return bad


def serve(directory, run, processes):
    config, port = directory + "/veille.conf", unpacked.free_port()
    with open(config, "w") as f:
        f.write("[web]\ncompat = smartctl_exporter, node_exporter\n")
    processes.append(subprocess.Popen([unpacked.BUILD + "/san/veille-web", "--config", config, "--run", run, "--listen", "127.0.0.1:%d" % port],
                                      stdin=subprocess.DEVNULL))
    return unpacked.wait_for("an answer of veille-web", 20, lambda: try_get("http://127.0.0.1:%d/metrics" % port))


def try_get(url):
    try:
        return get(url)
    except OSError:
        return None


def show(key):
    return "%s{%s}" % (key[0], ",".join('%s="%s"' % p for p in sorted(key[1])))


def same_as_table(series):
    ours = {k for k in series if k[0].startswith("node_")}
    chip = {dict(k[1])["chip"] for k in ours if k[0] == "node_hwmon_chip_names"}
    only = next(iter(chip)) if chip else ""
    wanted = {(name, frozenset(LABEL.findall(labels.replace("$CHIP", only)))) for name, rows in NODE.items() for labels in rows}
    # An empty label is no label.
    wanted = {(n, frozenset(p for p in labels if p[1])) for n, labels in wanted}
    ours = {(n, frozenset(p for p in labels if p[1])) for n, labels in ours}
    none(["missing " + show(k) for k in sorted(wanted - ours, key=show)] + ["not theirs " + show(k) for k in sorted(ours - wanted, key=show)],
        "node_exporter: %d series as documented" % len(wanted))


def same_as_node_exporter(series, types, root, processes):
    try:
        directory = unpacked.unpack(["prometheus-node-exporter"])
    except (RuntimeError, OSError) as e:
        print("ok - beside the real node_exporter # SKIP %s" % str(e)[:150].replace("\n", " "))
        return
    port = unpacked.free_port()
    processes.append(subprocess.Popen(
        [directory + "/usr/bin/prometheus-node-exporter", "--path.sysfs=" + root + "/sys", "--path.procfs=" + root + "/proc", "--path.rootfs=" + root,
         "--collector.disable-defaults", "--web.listen-address=127.0.0.1:%d" % port] + ["--collector." + c for c in COLLECTORS],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
    theirs, their_types = parse(unpacked.wait_for("node_exporter", 20, lambda: try_get("http://127.0.0.1:%d/metrics" % port)))
    clean = lambda d: {(n, frozenset(p for p in labels if p[1])): v for (n, labels), v in d.items()}
    ours, theirs = clean(series), clean(theirs)
    families = {n for n, _ in ours}
    shared = {k: v for k, v in theirs.items() if k[0] in NODE and k[0].startswith("node_")}
    problems = ["missing " + show(k) for k in sorted(shared, key=show) if k not in ours]
    problems += ["%s: %s, theirs %s" % (show(k), ours[k], v) for k, v in shared.items()
                 if k in ours and abs(ours[k] - v) > 1e-6 * abs(v) and not k[0].endswith(UNLIKE)]
    problems += ["type of %s: %s, theirs %s" % (n, types[n], their_types[n]) for n in sorted(families & set(their_types)) if types[n] != their_types[n]]
    none(problems, "node_exporter: %d series as Debian's own of the same tree, with their values" % len(shared))
    if len(shared) < 60:
        none(["only %d series of %d" % (len(shared), len(theirs))], "node_exporter said something")


def same_as_smartctl_exporter(series, types):
    ours = {}
    for name, labels in series:
        if name.startswith("smartctl_"):
            ours.setdefault(name, []).append({k for k, _ in labels})
    problems = ["missing " + n for n in SMARTCTL if n not in ours] + ["not theirs " + n for n in ours if n not in SMARTCTL]
    for name, wanted in SMARTCTL.items():
        allowed = {l for labels in wanted for l in labels}
        # Empty labels are left out by both.
        problems += ["%s: %s" % (name, sorted(labels - allowed)) for labels in ours.get(name, []) if labels - allowed]
        problems += ["%s lacks %s" % (name, sorted(allowed - set().union(*ours[name])))] if name in ours and allowed - set().union(*ours[name]) else []
    problems += ["%s is a %s" % (n, types[n]) for n in GAUGES if types.get(n) != "gauge"]
    none(problems, "smartctl_exporter: %d families as documented" % len(SMARTCTL))


def main():
    processes = []
    with tempfile.TemporaryDirectory(prefix="veille-compat-") as directory:
        try:
            make_root(directory + "/root")
            none(make_run(directory + "/root", directory + "/run"), "every check reads the made-up host")
            series, types = parse(serve(directory, directory + "/run", processes))
            same_as_table(series)
            same_as_node_exporter(series, types, directory + "/root", processes)
            nvme = {k: v for k, v in series.items() if k[0].startswith("smartctl_device_") and ("device", "nvme0") in k[1]}
            none([] if ("smartctl_version", frozenset({("json_format_version", "1.0"), ("smartctl_version", "7.3"), ("svn_revision", "5338"),
                                                      ("build_info", "(local build)")})) in series else ["it is not there"], "smartctl_exporter: smartctl_version")
            wanted = {"percentage_used": 3, "available_spare": 100, "available_spare_threshold": 10, "critical_warning": 0, "media_errors": 0,
                      "num_err_log_entries": 7, "bytes_read": 1024000, "bytes_written": 1536000, "power_on_seconds": 36000, "capacity_bytes": 2048}
            got = {k[0][len("smartctl_device_"):]: v for k, v in nvme.items()}
            none([(n, got.get(n)) for n, v in wanted.items() if got.get(n) != v], "smartctl_exporter: values of an NVMe disk that smartctl told")
            subprocess.run([sys.executable, "tests/fixtures/make_run.py", directory + "/run2", "--disks", "1", "--probe", unpacked.BUILD + "/veille-probe"],
                           check=True)
            same_as_smartctl_exporter(*parse(serve(directory, directory + "/run2", processes)))
        finally:
            unpacked.end(processes)


main()
