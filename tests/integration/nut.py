#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 120
"""The check "ups" asks a real upsd (NUT with its dummy driver, on loopback): mains, power failure, driver gone, upsd gone."""

import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(__file__))
import unpacked  # noqa: E402

PROBE = unpacked.BUILD + "/san/veille-probe"


def write(path, text, mode=0o600):
    with open(path + ".new", "w") as f:
        f.write(text)
    os.chmod(path + ".new", mode)
    os.rename(path + ".new", path)


def probe(config, instance):
    out = subprocess.run([PROBE, "--config", config, "run", "ups", instance], capture_output=True, text=True).stdout
    lines = [json.loads(line) for line in out.splitlines()]
    return lines[:-1], lines[-1]


def flag(samples, name):
    return [s["value"] for s in samples if s["metric"] == "ups_status" and s["labels"]["flag"] == name] == [1]


def start(root, directory, port):
    """upsd and its dummy driver; returns the processes."""
    env = dict(os.environ, NUT_CONFPATH=directory, NUT_STATEPATH=directory, NUT_ALTPIDPATH=directory,
               LD_LIBRARY_PATH=unpacked.library_path(root))
    write(directory + "/ups.conf", "[rack]\n driver = dummy-ups\n port = rack.dev\n mode = dummy-once\n")
    write(directory + "/upsd.conf", "LISTEN 127.0.0.1 %d\nMAXAGE 5\n" % port)
    write(directory + "/upsd.users", "")
    log = open(directory + "/log", "ab")
    driver = subprocess.Popen([root + "/lib/nut/dummy-ups", "-a", "rack", "-u", "root", "-D"], env=env, stdin=subprocess.DEVNULL,
                              stdout=log, stderr=log, cwd=directory)
    unpacked.wait_for("the driver's socket", 20, lambda: os.path.exists(directory + "/dummy-ups-rack"))
    upsd = subprocess.Popen([root + "/lib/nut/upsd", "-u", "root", "-D"], env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                            cwd=directory)
    return driver, upsd


def main():
    try:
        root = unpacked.unpack(["nut-server", "nut-client", "libwrap0"])
    except (RuntimeError, OSError) as e:
        unpacked.skip("a real upsd", str(e))
    if os.getuid() != 0:
        unpacked.skip("a real upsd", "the unpacked upsd changes its user, which needs root")
    port = unpacked.free_port()
    instance = "rack@127.0.0.1:%d" % port
    processes = []
    with tempfile.TemporaryDirectory(prefix="veille-nut-") as directory:
        config, device = directory + "/veille.conf", directory + "/rack.dev"
        write(config, "[ups]\nconnect = %s wrong@127.0.0.1:%d\n" % (instance, port))
        write(device, "ups.status: OL\nbattery.charge: 100\nbattery.runtime: 1800\nups.model: Dummy\n")
        try:
            processes = list(start(root, directory, port))

            unpacked.wait_for("an answer of upsd", 30, lambda: probe(config, instance)[1]["result"] == "ok")
            samples, _ = probe(config, instance)
            assert flag(samples, "OL") and not flag(samples, "OB"), samples
            assert [s["value"] for s in samples if s["metric"] == "ups_battery_charge_ratio"] == [1], samples
            print("ok - on mains")

            _, end = probe(config, "wrong@127.0.0.1:%d" % port)
            assert end["result"] == "denied" and "Unknown UPS" in end["why"], end
            print("ok - a name that upsd does not know is denied")

            write(device, "ups.status: OB LB\nbattery.charge: 9\nbattery.runtime: 120\nups.model: Dummy\n")
            unpacked.wait_for("OB LB", 30, lambda: flag(probe(config, instance)[0], "OB") and flag(probe(config, instance)[0], "LB"))
            print("ok - power failure and low battery")

            unpacked.end(processes[:1])
            end = unpacked.wait_for("failed after the driver died", 40,
                                    lambda: (lambda e: e if e["result"] == "failed" else None)(probe(config, instance)[1]))
            assert "stale" in end["why"] or "Driver" in end["why"], end
            print("ok - driver gone: %s" % end["why"])

            unpacked.end(processes[1:])
            _, end = probe(config, instance)
            assert end["result"] == "failed" and "cannot be reached" in end["why"], end
            print("ok - upsd gone")
        except (RuntimeError, AssertionError):
            with open(directory + "/log", errors="replace") as f:
                print("".join("# " + line for line in f.readlines()[-30:]))
            raise
        finally:
            unpacked.end(processes)


main()
