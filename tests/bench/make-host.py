#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""make-host.py DIR: the tree of a made-up mail server for --root DIR: two processors, 16 DIMMs, 12 disks (8 ATA, 2 SAS,
2 NVMe) in two md arrays, two bonded network cards, two power supplies, and 200 sensors on 45 chips. Everything in it is
invented and the same every time, but for /proc files that only node_exporter reads: those are copies of this host's, so that
it has work to do. Other programs read the same tree: node_exporter by --path.sysfs and --path.procfs.

--move gives every sensor a reading a little off what it was made with, and ends."""

import json
import os
import random
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
BLOB = HERE + "/../fuzz/corpus/smart_blob/made.blob"
DISKS, SENSORS = 12, 200

ATA = ["sd" + c for c in "abcdefgh"]
SAS = ["sdi", "sdj"]
NVME = ["nvme0", "nvme1"]

# What node_exporter reads and veille does not.
COPIED = ["cpuinfo", "diskstats", "interrupts", "net/dev", "net/netstat", "net/snmp", "net/snmp6", "net/sockstat", "net/sockstat6",
          "net/softnet_stat", "net/arp", "schedstat", "sys/kernel/random/entropy_avail", "sys/kernel/random/poolsize",
          "sys/net/netfilter/nf_conntrack_count", "sys/net/netfilter/nf_conntrack_max", "net/udp", "net/tcp", "self/mounts"]


class Tree:
    def __init__(self, root):
        self.root = root

    def path(self, name):
        path = os.path.join(self.root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return path

    def write(self, name, text, mode=0o644):
        with open(self.path(name), "wb" if isinstance(text, bytes) else "w") as f:
            f.write(text)
        os.chmod(self.path(name), mode)

    def all(self, directory, **files):
        for name, value in files.items():
            self.write(directory + "/" + name, "%s\n" % value)

    def dir(self, name):
        os.makedirs(os.path.join(self.root, name), exist_ok=True)

    def link(self, name, target):
        """A relative link, both given from the root of the tree."""
        os.symlink(os.path.relpath(os.path.join(self.root, target), os.path.dirname(self.path(name))), self.path(name))


# --- sensors ----------------------------------------------------------------------------------------------------
class Chips:
    def __init__(self, tree):
        self.tree, self.chips, self.sensors = tree, 0, 0

    def add(self, device, bus, name, inputs, extra=None, below=None):
        """One hwmon chip on its device; inputs: [(kind, value, {attribute: value}, label)]."""
        hwmon = "hwmon%d" % self.chips
        where = "%s/hwmon/%s" % (device, hwmon) if below is None else "%s/%s" % (below, hwmon)
        count = {}
        self.chips += 1
        self.tree.all(where, name=name, **(extra or {}))
        for kind, value, attributes, label in inputs:
            nr = count[kind] = count.get(kind, -1 if kind == "in" else 0) + 1
            self.tree.all(where, **{"%s%d_input" % (kind, nr): value})
            self.tree.all(where, **{"%s%d_%s" % (kind, nr, a): v for a, v in attributes.items()})
            if label:
                self.tree.all(where, **{"%s%d_label" % (kind, nr): label})
            self.sensors += 1
        self.tree.link(where + "/device", device)
        if not os.path.lexists(self.tree.path(device + "/subsystem")):
            self.tree.link(device + "/subsystem", bus)
        self.tree.link("sys/class/hwmon/" + hwmon, where)


def temp(milli, maximum=None, critical=None, label=None, **more):
    attributes = {k: v for k, v in (("max", maximum), ("crit", critical)) if v}
    attributes.update(more)
    return ("temp", milli, attributes, label)


def make_processors(chips):
    for package in (0, 1):
        inputs = [temp(52000, 84000, 94000, "Package id %d" % package, crit_alarm=0)]
        inputs += [temp(45000 + 500 * c, 84000, 94000, "Core %d" % c, crit_alarm=0) for c in range(16)]
        chips.add("sys/devices/platform/coretemp.%d" % package, "sys/bus/platform", "coretemp", inputs)


def make_board(chips):
    inputs = [("in", 1000 + 10 * i, {"min": 800, "max": 1300, "alarm": 0, "beep": 0}, None) for i in range(15)]
    inputs += [temp(34000 + 1000 * i, 80000, None, None, max_hyst=75000, alarm=0, type=4) for i in range(8)]
    inputs += [("fan", 4200 + 100 * i, {"min": 600, "alarm": 0, "beep": 0}, None) for i in range(7)]
    chips.add("sys/devices/platform/nct6775.656", "sys/bus/platform", "nct6779", inputs,
              {"pwm%d" % i: 160 for i in range(1, 6)})
    chips.tree.all("sys/devices/platform/nct6775.656/hwmon/hwmon%d" % (chips.chips - 1), beep_enable=0)


def i2c(chips, bus, address, name, inputs):
    adapter = "sys/devices/pci0000:00/0000:00:1f.4/i2c-%d" % bus
    chips.tree.all(adapter, name="SMBus I801 adapter at efa%d" % bus)
    if not os.path.lexists(chips.tree.path("sys/class/i2c-adapter/i2c-%d" % bus)):
        chips.tree.link("sys/class/i2c-adapter/i2c-%d" % bus, adapter)
    chips.add("%s/%d-%04x" % (adapter, bus, address), "sys/bus/i2c", name, inputs)


def make_i2c(chips):
    for i in range(16):
        i2c(chips, i // 8, 0x18 + i % 8, "jc42", [temp(38000 + 250 * i, 85000, 95000, None, crit_hyst=92000, crit_alarm=0, max_alarm=0, min_alarm=0)])
    for i in range(2):
        i2c(chips, 2, 0x58 + i, "pmbus", [
            ("in", 230000, {"min": 180000, "max": 264000, "min_alarm": 0, "max_alarm": 0}, "vin"), ("in", 12100, {"crit": 13500, "crit_alarm": 0}, "vout1"),
            ("curr", 900, {"max": 8000, "max_alarm": 0}, "iin"), ("curr", 15200, {"crit": 70000, "crit_alarm": 0}, "iout1"),
            ("power", 206000000, {"max": 900000000, "alarm": 0}, "pin"), ("power", 184000000, {"max": 800000000, "max_alarm": 0}, "pout1"),
            temp(31000, 65000, 70000), temp(44000, 100000, 110000), temp(41000, 100000, 110000), ("fan", 8200, {"min": 1000, "alarm": 0, "fault": 0}, None)])
    for i in range(8):
        inputs = [("in", v, {"lcrit": v - 300, "crit": v + 300, "alarm": 0}, "v%d" % n) for n, v in enumerate((1800, 1200, 1050))]
        inputs += [("curr", 20000 + 1000 * n, {"max": 90000, "max_alarm": 0}, "i%d" % n) for n in range(3)]
        inputs += [("power", 36000000 + 1000000 * n, {}, "p%d" % n) for n in range(2)]
        inputs += [temp(55000 + 1000 * n, 110000, 125000, None, max_alarm=0, crit_alarm=0) for n in range(2)]
        i2c(chips, 3, 0x60 + i, "tps53679", inputs)


def make_disk_chips(chips):
    for n, disk in enumerate(ATA + SAS):
        chips.add("%s/%d:0:0:0" % (disk_parent(n), n), "sys/bus/scsi", "drivetemp",
                  [temp(33000 + 500 * n, 60000, 70000, None, min=0, lcrit=-40000)])
    for n, disk in enumerate(NVME):
        device = "sys/devices/pci0000:00/0000:0%d:00.0/nvme/%s" % (n + 2, disk)
        chips.add(device, "sys/class/nvme", "nvme", [temp(38850, 84850, 89850, "Composite", alarm=0, min=-273150), temp(38850, 65261850, None, "Sensor 1", min=-273150),
                                    temp(46850, 65261850, None, "Sensor 2", min=-273150)], below=device)


def make_others(chips):
    chips.add("sys/devices/virtual/thermal/thermal_zone2", "sys/class/thermal", "pch_lewisburg", [temp(45500)])
    chips.add("sys/devices/LNXSYSTM:00/ACPI000D:00", "sys/bus/acpi", "power_meter", [("power", 231000000, {}, None)])
    for n in range(2):
        chips.add("sys/devices/pci0000:00/0000:0%d:00.0" % (n + 4), "sys/bus/pci", "ixgbe", [temp(52000, None, 110000, "loc1")])


# --- disks ------------------------------------------------------------------------------------------------------
def disk_parent(n):
    return "sys/devices/pci0000:00/0000:00:17.0/ata%d/host%d/target%d:0:0" % (n + 1, n, n)


def identify_string(text, length):
    raw = text.ljust(length)[:length].encode()
    return b"".join(raw[i + 1:i + 2] + raw[i:i + 1] for i in range(0, length, 2))


# As a 3.5 inch disk has them: number, normalized value, raw value.
ATTRIBUTES = [(1, 83, 211453152), (3, 97, 0), (4, 100, 20), (5, 100, 0), (7, 90, 965325113), (9, 87, 12000), (10, 100, 0), (12, 100, 20),
              (184, 100, 0), (187, 100, 0), (188, 100, 0), (189, 100, 0), (190, 66, 34), (191, 100, 0), (192, 100, 12), (193, 100, 1200),
              (194, 34, 34), (197, 100, 0), (198, 100, 0), (199, 200, 0), (240, 100, 11900), (241, 100, 123456789), (242, 100, 987654321)]


def write_attributes(data, at, celsius):
    data[at:at + 12 * 30] = bytes(12 * 30)
    for i, (number, value, raw) in enumerate(ATTRIBUTES):
        raw = celsius if number == 194 else raw
        data[at + 12 * i:at + 12 * i + 11] = bytes([number, 0x33, 0, value, value]) + raw.to_bytes(6, "little")


def blob_of(n):
    """The hand-made blob with a name of its own and without the sectors that it has lost."""
    data = bytearray(open(BLOB, "rb").read())
    at = data.index(b"IDFY") + 8
    data[at + 20:at + 40] = identify_string("BENCH%03d" % n, 20)
    data[at + 46:at + 54] = identify_string("FW01", 8)
    data[at + 54:at + 94] = identify_string("MADE UP ST%d000NM" % (n + 1), 40)
    wwn = bytes.fromhex(wwn_of(n))
    for word in range(4):
        data[at + 2 * (108 + word):at + 2 * (109 + word)] = wwn[2 * word:2 * word + 2][::-1]
    data[at + 2 * 87:at + 2 * 88] = (0x4100).to_bytes(2, "little")
    write_attributes(data, data.index(b"SMDT") + 8 + 2, 30 + n)
    return bytes(data)


def wwn_of(n):
    return "5000c500%08x" % (0xabc0000 + n)


def make_scsi_disk(tree, n, disk, vendor):
    device = "%s/%d:0:0:0" % (disk_parent(n), n)
    block = device + "/block/" + disk
    tree.all(device, vendor=vendor, model="MADE UP", state="running", ioerr_cnt="0x1", iotmo_cnt="0x0", iorequest_cnt="0x1a2b", iodone_cnt="0x1a2b",
             wwid="naa." + wwn_of(n), queue_depth=32)
    tree.all(device + "/power", runtime_status="active")
    make_block(tree, block, disk, 8, 16 * n)
    tree.link(block + "/device", device)
    tree.all(block + "/%s1" % disk, partition=1, size=2000000)
    tree.link("sys/class/block/%s1" % disk, block + "/%s1" % disk)
    tree.all("sys/class/ata_link/link%d" % (n + 1), sata_spd_limit="6.0 Gbps", hw_sata_spd_limit="6.0 Gbps", sata_spd="6.0 Gbps")


def make_block(tree, block, disk, major, minor):
    tree.all(block, size=7814037168, removable=0, ro=0, hidden=0, dev="%d:%d" % (major, minor),
             stat="    9700     4 1117954     4712   104512    80913  6318336    71210        0    41212    75923")
    tree.all(block + "/queue", rotational=1, logical_block_size=512, physical_block_size=4096, scheduler="[mq-deadline] none")
    tree.link("sys/block/" + disk, block)
    tree.link("sys/class/block/" + disk, block)
    tree.link("sys/dev/block/%d:%d" % (major, minor), block)


def make_nvme(tree, n, controller):
    pci = "sys/devices/pci0000:00/0000:0%d:00.0" % (n + 2)
    device = pci + "/nvme/" + controller
    block = device + "/" + controller + "n1"
    tree.all(device, serial="BENCHNVME%d" % n, model="MADE UP NVMe", firmware_rev="1.0", transport="pcie", state="live", address="0000:0%d:00.0" % (n + 2))
    make_block(tree, block, controller + "n1", 259, n)
    tree.link(block + "/device", device)
    tree.link(device + "/device", pci)
    tree.link("sys/class/nvme/" + controller, device)


def smartctl_report(disk, number):
    doc = {"json_format_version": [1, 0], "smartctl": {"version": [7, 3], "exit_status": 0}, "local_time": {"time_t": "NOW"},
           "smart_support": {"available": True, "enabled": True}, "smart_status": {"passed": True}, "power_on_time": {"hours": 12000},
           "power_cycle_count": 20}
    if disk in NVME:
        doc.update({"device": {"name": "/dev/" + disk, "type": "nvme", "protocol": "NVMe"}, "model_name": "MADE UP NVMe", "serial_number": "BENCHNVME%d" % number,
                    "temperature": {"current": 39}, "nvme_smart_health_information_log": {
                        "critical_warning": 0, "temperature": 39, "available_spare": 100, "available_spare_threshold": 10, "percentage_used": 3,
                        "data_units_read": 1234567, "data_units_written": 7654321, "host_reads": 123456789, "host_writes": 987654321,
                        "power_cycles": 20, "power_on_hours": 12000, "unsafe_shutdowns": 4, "media_errors": 0, "num_err_log_entries": 0}})
    else:
        doc.update({"device": {"name": "/dev/" + disk, "type": "scsi", "protocol": "SCSI"}, "scsi_vendor": "MADE", "model_name": "MADE UP SAS",
                    "serial_number": "BENCHSAS%d" % number, "logical_unit_id": "0x" + wwn_of(number), "temperature": {"current": 34, "drive_trip": 60},
                    "scsi_grown_defect_list": 0, "scsi_error_counter_log": {k: {
                        "errors_corrected_by_eccfast": 0, "errors_corrected_by_eccdelayed": 0, "errors_corrected_by_rereads_rewrites": 0,
                        "total_errors_corrected": 0, "correction_algorithm_invocations": 0, "gigabytes_processed": "12345.6",
                        "total_uncorrected_errors": 0} for k in ("read", "write", "verify")}})
    return json.dumps(doc).replace('"NOW"', "NOW")


SMARTCTL = """#!/bin/sh
# Plays smartctl: the report of the disk that is asked for, as of now.
case $* in *--scan*) echo '{"json_format_version":[1,0],"smartctl":{"exit_status":0},"devices":[]}'; exit ;; esac
for disk; do :; done
exec sed "s/NOW/$(date +%s)/" "${0%/usr/sbin/smartctl}/usr/share/reports/${disk##*/}.json"
"""


def make_disks(tree):
    for n, disk in enumerate(ATA):
        make_scsi_disk(tree, n, disk, "ATA")
        tree.write("dev/" + disk, blob_of(n))
    for n, disk in enumerate(SAS, len(ATA)):
        make_scsi_disk(tree, n, disk, "SEAGATE")
        tree.write("usr/share/reports/%s.json" % disk, smartctl_report(disk, n))
    for n, disk in enumerate(NVME):
        make_nvme(tree, n, disk)
        tree.write("usr/share/reports/%s.json" % disk, smartctl_report(disk, n))
    tree.write("usr/sbin/smartctl", SMARTCTL, 0o755)
    for n in range(len(ATA) + len(SAS)):
        tree.all("sys/class/scsi_host/host%d" % n, proc_name="ahci" if n < len(ATA) else "mpt3sas")


def make_array(tree, name, minor, level, members, blocks):
    block = "sys/devices/virtual/block/" + name
    make_block(tree, block, name, 9, minor)
    tree.all(block + "/md", array_state="clean", level=level, raid_disks=len(members), degraded=0, sync_action="idle", mismatch_cnt=0,
             uuid="deadbeef-%04d" % minor, metadata_version="1.2", sync_completed="none", sync_speed="none", layout=258 if level == "raid10" else 0)
    for slot, member in enumerate(members):
        directory = "%s/md/dev-%s" % (block, member)
        tree.all(directory, state="in_sync", slot=slot, errors=0)
        disk = "sys/block/%s/%s" % (member.rstrip("0123456789"), member) if member.startswith("sd") else "sys/block/" + member
        tree.link(directory + "/block", disk)
        tree.link("%s/md/rd%d" % (block, slot), directory)
        tree.link("%s/slaves/%s" % (block, member), disk)
    return "%s : active %s %s\n      %d blocks super 1.2 [%d/%d] [%s]\n      \n" % (
        name, level, " ".join("%s[%d]" % (m, i) for i, m in enumerate(members)), blocks, len(members), len(members), "U" * len(members))


def make_arrays(tree):
    text = "Personalities : [raid1] [raid10]\n"
    text += make_array(tree, "md0", 0, "raid1", ["nvme0n1", "nvme1n1"], 976630464)
    text += make_array(tree, "md1", 1, "raid10", [d + "1" for d in ATA + SAS], 19534430720)
    tree.write("proc/mdstat", text + "unused devices: <none>\n")
    for n, md in enumerate(("md0", "md1")):
        tree.all("sys/fs/ext4/" + md, errors_count=0, warning_count=0, msg_count=0)
        tree.link("dev/disk/by-uuid/1111-%d" % n, "dev/" + md)
        tree.write("dev/" + md, "")


# --- the rest of the host -----------------------------------------------------------------------------------------
def make_edac(tree):
    for mc in (0, 1):
        directory = "sys/devices/system/edac/mc/mc%d" % mc
        tree.all(directory, ce_count=0, ue_count=0, ce_noinfo_count=0, ue_noinfo_count=0, mc_name="skx", size_mb=131072, seconds_since_reset=86400)
        for dimm in range(8):
            tree.all("%s/dimm%d" % (directory, dimm), dimm_ce_count=0, dimm_ue_count=0, dimm_label="CPU%d_DIMM_%s1" % (mc, "ABCDEFGH"[dimm]), size=16384)


def make_processor_tree(tree):
    tree.all("sys/devices/system/cpu", online="0-31", possible="0-31", present="0-31")
    for cpu in range(32):
        directory = "sys/devices/system/cpu/cpu%d" % cpu
        tree.all(directory + "/thermal_throttle", core_throttle_count=0, package_throttle_count=0)
        tree.all(directory + "/topology", physical_package_id=cpu // 16, core_id=cpu % 16)
        tree.all(directory + "/cpufreq", scaling_cur_freq=2400000, scaling_min_freq=1000000, scaling_max_freq=3500000, cpuinfo_min_freq=1000000,
                 cpuinfo_max_freq=3500000)
    for zone, (kind, value) in enumerate((("x86_pkg_temp", 52000), ("x86_pkg_temp", 51000), ("pch_lewisburg", 45500))):
        directory = "sys/devices/virtual/thermal/thermal_zone%d" % zone
        tree.all(directory, type=kind, temp=value, mode="enabled", policy="step_wise")
        tree.link("sys/class/thermal/thermal_zone%d" % zone, directory)


def make_pci(tree):
    zero = {"aer_dev_correctable": "RxErr 0\nBadTLP 0\nBadDLLP 0\nTOTAL_ERR_COR 0", "aer_dev_nonfatal": "Undefined 0\nTOTAL_ERR_NONFATAL 0",
            "aer_dev_fatal": "Undefined 0\nTOTAL_ERR_FATAL 0"}
    devices = {"0000:00:17.0": "0x010601", "0000:00:1f.4": "0x0c0500", "0000:02:00.0": "0x010802", "0000:03:00.0": "0x010802", "0000:04:00.0": "0x020000",
               "0000:05:00.0": "0x020000"}
    for address, kind in devices.items():
        directory = "sys/devices/pci0000:00/" + address
        tree.all(directory, vendor="0x8086", device="0x1563", **{"class": kind})
        if address[5:7] != "00":
            tree.all(directory, current_link_width=4, max_link_width=4, current_link_speed="8.0 GT/s PCIe", max_link_speed="8.0 GT/s PCIe", **zero)
        tree.link("sys/bus/pci/devices/" + address, directory)


def make_net(tree):
    statistics = {k: 0 for k in ("rx_errors", "rx_crc_errors", "rx_dropped", "rx_missed_errors", "tx_errors", "tx_dropped", "collisions")}
    statistics.update(rx_bytes=123456789, tx_bytes=987654321, rx_packets=1234567, tx_packets=7654321)
    for n, name in enumerate(("eno1", "eno2", "bond0")):
        directory = "sys/devices/pci0000:00/0000:0%d:00.0/net/%s" % (n + 4, name) if n < 2 else "sys/devices/virtual/net/bond0"
        tree.all(directory, flags="0x1003", carrier=1, operstate="up", duplex="full", speed=10000, carrier_changes=2, mtu=1500, type=1, ifindex=n + 2,
                 address="02:00:00:00:00:0%d" % min(n, 1), addr_assign_type=0, tx_queue_len=1000, iflink=n + 2, dormant=0, carrier_up_count=1,
                 carrier_down_count=1, addr_len=6, dev_id="0x0", link_mode=0, name_assign_type=4, netdev_group=0)
        tree.all(directory + "/statistics", **statistics)
        tree.link("sys/class/net/" + name, directory)
        if n < 2:
            tree.link(directory + "/device", "sys/devices/pci0000:00/0000:0%d:00.0" % (n + 4))
            tree.all(directory + "/bonding_slave", mii_status="up", link_failure_count=0, perm_hwaddr="02:00:00:00:00:0%d" % n, state="active")
            tree.link(directory + "/master", "sys/devices/virtual/net/bond0")
    tree.all("sys/devices/virtual/net/bond0/bonding", slaves="eno1 eno2", mii_status="up", mode="active-backup 1", active_slave="eno1")
    tree.all("sys/class/net", bonding_masters="bond0")
    tree.write("proc/net/route", "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
               "bond0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n")


def make_proc(tree):
    for name in COPIED:
        try:
            with open("/proc/" + name, "rb") as f:
                tree.write("proc/" + name, f.read())
        except OSError:
            pass  # this kernel has none
    cpus = "".join("cpu%d 100200 300 40500 9000000 1200 0 300 0 0 0\n" % i for i in range(32))
    tree.write("proc/stat", "cpu  3206400 9600 1296000 288000000 38400 0 9600 0 0 0\n" + cpus +
               "intr 123456789 0\nctxt 987654321\nbtime 1700000000\nprocesses 123456\nprocs_running 2\nprocs_blocked 0\n"
               "softirq 12345 1 2 3 4 5 6 7 8 9 10\n")
    tree.all("proc", loadavg="0.42 0.37 0.30 1/412 4711", uptime="8640000.12 270000000.00")
    tree.write("proc/meminfo", "".join("%-16s%8d kB\n" % (k + ":", v) for k, v in {
        "MemTotal": 263921012, "MemFree": 12345678, "MemAvailable": 200123456, "Buffers": 1234567, "Cached": 180123456, "SwapCached": 0, "Active": 90123456,
        "Inactive": 110123456, "SwapTotal": 8388604, "SwapFree": 8388604, "Dirty": 1234, "Writeback": 0, "AnonPages": 21234567, "Mapped": 1234567,
        "Shmem": 123456, "Slab": 8123456, "SReclaimable": 7123456, "SUnreclaim": 1000000, "PageTables": 123456, "HardwareCorrupted": 0}.items()))
    tree.write("proc/vmstat", "nr_free_pages 3086419\npgfault 123456789\npgmajfault 1234\npgpgin 123456\npgpgout 654321\npswpin 0\npswpout 0\noom_kill 0\n")
    for name in ("cpu", "io", "memory"):
        tree.write("proc/pressure/" + name, "some avg10=0.00 avg60=0.10 avg300=0.08 total=1234567\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=123456\n")
    tree.all("proc/sys/kernel", tainted=0, hostname="mx1", osrelease="6.1.0", ostype="Linux", version="#1 SMP")
    tree.all("proc/sys/fs", **{"file-nr": "4096\t0\t9223372036854775807"})
    tree.write("proc/swaps", "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n")
    tree.write("proc/self/mountinfo", "22 1 9:0 / / rw,relatime shared:1 - ext4 /dev/md0 rw\n30 22 9:1 / /var/mail rw,relatime shared:2 - ext4 /dev/md1 rw\n"
               "23 22 0:21 / /proc rw shared:3 - proc proc rw\n24 22 0:22 / /sys rw shared:4 - sysfs sysfs rw\n")
    tree.write("proc/1/mountinfo", open(tree.path("proc/self/mountinfo")).read())
    tree.write("proc/1/mounts", "/dev/md0 / ext4 rw,relatime 0 0\n/dev/md1 /var/mail ext4 rw,relatime 0 0\nproc /proc proc rw 0 0\nsysfs /sys sysfs rw 0 0\n")
    for name in ("var/mail", "var/spool/postfix", "var/lib/veille"):
        tree.dir(name)
    for name in ("/etc/passwd", "/etc/group"):
        tree.write("etc" + name[4:], "root:x:0:0:root:/root:/bin/sh\n" if "passwd" in name else "root:x:0:\n")


def make(root):
    tree = Tree(root)
    chips = Chips(tree)
    make_disks(tree)
    make_arrays(tree)
    make_processor_tree(tree)
    make_pci(tree)
    for part in (make_processors, make_board, make_i2c, make_disk_chips, make_others):
        part(chips)
    assert chips.sensors == SENSORS, "%d sensors on %d chips" % (chips.sensors, chips.chips)
    assert len(ATA + SAS + NVME) == DISKS
    make_edac(tree)
    make_net(tree)
    make_proc(tree)
    remember_readings(tree, chips)
    print("%d disks, %d sensors on %d chips in %s" % (DISKS, chips.sensors, chips.chips, root))


SPREAD = {"temp": 1000, "fan": 60, "in": 10, "curr": 200, "power": 2000000}


def remember_readings(tree, chips):
    """What --move wavers around."""
    base = tree.path("sys/class/hwmon/")
    readings = {}
    for number in range(chips.chips):
        for name in sorted(os.listdir("%shwmon%d" % (base, number))):
            if name.endswith("_input"):
                with open("%shwmon%d/%s" % (base, number, name)) as f:
                    readings["hwmon%d/%s" % (number, name)] = int(f.read())
    tree.write("usr/share/readings.json", json.dumps(readings))


def move(root):
    """Readings of a real host never stand still, and what moves costs more to keep; but they stay where they are."""
    with open(root + "/usr/share/readings.json") as f:
        readings = json.load(f)
    for name, value in readings.items():
        spread = SPREAD[os.path.basename(name)[:-len("_input")].rstrip("0123456789")]
        with open(root + "/sys/class/hwmon/" + name, "w") as f:
            f.write("%d\n" % (value + random.choice((-1, 0, 0, 1)) * spread))


def main():
    args = [a for a in sys.argv[1:] if not a.startswith("--")]
    if len(args) != 1:
        sys.exit("usage: make-host.py [--move] DIR")
    if "--move" in sys.argv:
        move(args[0])
        return
    if os.path.isdir(args[0]) and os.listdir(args[0]):
        sys.exit("make-host.py: %s is not empty" % args[0])
    make(args[0])


main()
