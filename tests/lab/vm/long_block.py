#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Disks of every kind that cannot read or write a sector, that lose the block their file system begins with, and that are pulled
and pushed back. The errors come from QEMU's blkdebug, under the disk."""

from faults import run
from machine import Disk

KINDS = {"ata": "ATA", "scsi": "SCSI", "nvme": "NVMe", "virtio": "virtio"}

def read_at(m, device):
    """One block, from the disk and not from memory; that it fails is for the kernel to say."""
    return lambda block: m.sh("echo 3 >/proc/sys/vm/drop_caches; dd if=/dev/%s of=/dev/null bs=4096 skip=%d count=1" % (device, block))

def write_at(m, device):
    return lambda block: m.sh("dd if=/dev/zero of=/dev/%s bs=4096 seek=%d count=1 conv=notrunc,fsync" % (device, block))

def errors(lab, m, kind, name, device):
    block = lab.random.randrange(2048, 8000)  # of 4 KiB, beyond 8 MiB: none of its file system's own

    def broken(how, then):
        def inject():
            m.fail(name, how, sector=block * 8)
            then(block)
        return inject

    heal = lambda: m.heal(name)
    log = r"error.* dev %s\b" % device
    lab.fault("%s: a sector cannot be read" % KINDS[kind], broken("read", read_at(m, device)), lab.log(log),
              (device, "warning", READ[kind]), repair=heal, later=True)
    lab.fault("%s: a sector cannot be written" % KINDS[kind], broken("write", write_at(m, device)), lab.log(log),
              (device, "critical", "kernel-lost-write"), repair=heal, later=True)

READ = {"ata": "kernel-io-error", "scsi": "kernel-io-error", "nvme": "kernel-medium-error", "virtio": "kernel-io-error"}

def superblock(lab, m, kind, name, device):
    m.do("mke2fs -q -F -t ext4 -E lazy_itable_init=0,lazy_journal_init=0,nodiscard /dev/%s; mkdir -p /mnt/%s; mount -t ext4 -o errors=remount-ro /dev/%s /mnt/%s" % (device, name, device, name))
    m.poll("fs")
    m.poll("topology")

    def inject():
        m.fail(name, "write", sector=2)
        m.sh("echo lab >/sys/fs/ext4/%s/trigger_fs_error" % device)

    lab.fault("%s: the superblock of its file system cannot be written" % KINDS[kind], inject, lab.log(r"EXT4-fs \(%s\): I/O error while writing superblock" % device),
              (device, "critical", "kernel-remount-ro"), repair=lambda: (m.heal(name), m.do("umount /mnt/" + name)), later=True)
    lab.also("%s: so is the file system, by its own name" % KINDS[kind], ("/mnt/" + name, "critical", "fs-new-error"))

def pulled(lab, m, kind, name, device):
    def back():
        m.plug(name)
        m.until("[ -n \"$(grep -l -a %s /sys/block/*/device/vpd_pg80 /sys/block/*/serial /sys/block/*/device/serial 2>/dev/null)\" ]" % name.upper())

    lab.fault("%s: disk pulled out" % KINDS[kind], lambda: m.unplug(name), lab.shows("ls /sys/block/%s 2>&1" % device, "No such file"),
              (device, "unknown", "gone"), repair=back)

def block(lab):
    kinds = ["ata", "scsi", "nvme", "virtio"] if lab.kind == "pc" or lab.long else ["ata", "nvme"]
    with lab.machine([Disk(k + "0", k) for k in kinds]) as m:
        for kind in kinds:
            name = kind + "0"
            device = m.name(name)
            errors(lab, m, kind, name, device)
            superblock(lab, m, kind, name, device)
            if kind != "ata":  # QEMU's ATA ports cannot be opened while they run
                pulled(lab, m, kind, name, device)
        lab.finish()

run("block", {"pc": block, "q35": block}, long=["q35"])
