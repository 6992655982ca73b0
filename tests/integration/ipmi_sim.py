#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 240
"""The check "bmc" asks a simulated management controller (OpenIPMI's ipmi_sim, on loopback): all well, overheated, a power
supply lost with the redundancy, an event in the log, a wrong password, a controller that hangs."""

import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(__file__))
import unpacked  # noqa: E402

PROBE = unpacked.BUILD + "/san/veille-probe"
TEMPERATURE, FAN, POWER_SUPPLY, POWER_UNIT, SECURITY = 0x01, 0x04, 0x08, 0x09, 0x05
THRESHOLD, SENSOR_SPECIFIC, REDUNDANCY = 0x01, 0x6F, 0x0B


def record(number, kind, body, name):
    """A sensor data record of the IPMI specification, chapter 43."""
    body += bytes([0xC0 | len(name)]) + name.encode()
    return struct.pack("<HBBB", number, 0x51, kind, len(body)) + body


def analog(number, name, sensor_type, unit, entity, thresholds, factor=1):
    key = bytes([0x20, 0, number, entity, 1, 0x7F, 0x68, sensor_type, THRESHOLD])
    masks = struct.pack("<HHH", 0x0A95, 0x0FFF, 0x3F3F)
    scale = bytes([0, unit, 0, 0, factor, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0])
    return record(number, 1, key + masks + scale + bytes(thresholds) + bytes([2, 2, 0, 0, 0]), name)


def discrete(number, name, sensor_type, event_type, entity, mask):
    key = bytes([0x20, 0, number, entity, number, 0x67, 0x40, sensor_type, event_type])
    return record(number, 2, key + struct.pack("<HHH", mask, mask, mask) + bytes([0xC0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]), name)


# name: (number, type, reading code, start value, record). Thresholds: UNR UC UNC LNR LC LNC.
SENSORS = {
    "CPU Temp": (1, TEMPERATURE, THRESHOLD, 40, analog(1, "CPU Temp", TEMPERATURE, 1, 3, [100, 95, 85, 0, 0, 5])),
    "FAN1": (2, FAN, THRESHOLD, 100, analog(2, "FAN1", FAN, 18, 29, [255, 254, 253, 5, 10, 20], factor=50)),
    "PS1 Status": (3, POWER_SUPPLY, SENSOR_SPECIFIC, 1, discrete(3, "PS1 Status", POWER_SUPPLY, SENSOR_SPECIFIC, 10, 0x0F)),
    "PS Redundancy": (4, POWER_UNIT, REDUNDANCY, 1, discrete(4, "PS Redundancy", POWER_UNIT, REDUNDANCY, 10, 0x3F)),
    "Intrusion": (5, SECURITY, SENSOR_SPECIFIC, 0, discrete(5, "Intrusion", SECURITY, SENSOR_SPECIFIC, 23, 0x01)),
}


def write(path, text, mode=0o600):
    with open(path + ".new", "w") as f:
        f.write(text)
    os.chmod(path + ".new", mode)
    os.rename(path + ".new", path)


def emulation(directory):
    lines = ["mc_setbmc 0x20", "mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02", "sel_enable 0x20 200 0x0a"]
    for name, (number, sensor_type, code, value, sdr) in SENSORS.items():
        write("%s/sensor%d" % (directory, number), "%d\n" % value)
        lines.append('sensor_add 0x20 0 %d 0x%02x 0x%02x poll 300 file "%s/sensor%d"' % (number, sensor_type, code, directory, number))
        if code == THRESHOLD:
            thresholds = sdr[37:43]  # after header, key, masks and scale
            lines.append("sensor_set_threshold 0x20 0 %d settable 111111 %s" % (number, " ".join("0x%02x" % b for b in thresholds)))
        lines.append("sensor_set_event_support 0x20 0 %d enable scanning per-state %s" % (number, " ".join(["000111111111111"] * 4)))
        lines.append("main_sdr_add 0x20 " + " ".join("0x%02x" % b for b in sdr))
    return "\n".join(lines + ["mc_enable 0x20", ""])


def start(root, directory, port):
    write(directory + "/lan.conf", "\n".join([
        'name "testbmc"', "set_working_mc 0x20", "  startlan 1", "    addr 127.0.0.1 %d" % port, "    priv_limit admin",
        "    allowed_auths_admin none md2 md5 straight", "    allowed_auths_user none md2 md5 straight", "    guid a123456789abcdefa123456789abcdef", "  endlan", "  startnow false",
        '  user 1 true "" "test" user 10 none md2 md5 straight',
        '  user 2 true "watcher" "secret" user 10 none md2 md5 straight', ""]))
    write(directory + "/sim.emu", emulation(directory))
    os.mkdir(directory + "/state")
    env = dict(os.environ, LD_LIBRARY_PATH=unpacked.library_path(root))
    log = open(directory + "/log", "ab")
    return subprocess.Popen([root + "/usr/bin/ipmi_sim", "-c", directory + "/lan.conf", "-f", directory + "/sim.emu",
                             "-s", directory + "/state", "-n"], env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=directory)


def probe(directory, instance):
    env = dict(os.environ, RUNTIME_DIRECTORY=directory + "/cache")
    out = subprocess.run([PROBE, "--config", directory + "/veille.conf", "run", "bmc", instance], capture_output=True, text=True, env=env)
    lines = [json.loads(line) for line in out.stdout.splitlines()]
    assert lines, out
    return lines[:-1], lines[-1]


def value(samples, metric, **labels):
    """The only sample with these labels; None when there is none."""
    found = [s["value"] for s in samples if s["metric"] == metric and all(s["labels"].get(k) == v for k, v in labels.items())]
    assert len(found) <= 1, found
    return found[0] if found else None


def events(samples):
    return {s["labels"]["name"]: (s["value"], s["labels"]["event"], s["labels"]["judged"]) for s in samples if s["metric"] == "ipmi_event"}


def ok_run(directory, seconds=20):
    last = []

    def once():
        samples, end = probe(directory, "rack1")
        last[:] = [end["why"]]
        return samples if end["result"] == "ok" else None
    try:
        return unpacked.wait_for("an ok run", seconds, once)
    except RuntimeError:
        raise RuntimeError("no ok run: %s" % last[0]) from None


def test(root, directory, processes):
    port = unpacked.free_port(socket.SOCK_DGRAM)
    write(directory + "/password", "secret\n")
    write(directory + "/wrong", "guess\n")
    write(directory + "/open", "secret\n", 0o644)
    bmc = "\n[bmc %s]\nhost = 127.0.0.1:%d\nuser = watcher\npassword_file = %s/%s\n"
    write(directory + "/veille.conf", "".join([bmc % ("rack1", port, directory, "password"), bmc % ("badpass", port, directory, "wrong"),
                                               bmc % ("openfile", port, directory, "open")]))
    processes.append(start(root, directory, port))

    samples = ok_run(directory)
    assert value(samples, "ipmi_temperature_celsius", name="CPU Temp") == 40, samples
    assert value(samples, "ipmi_fan_speed_rpm", name="FAN1", component="FAN1 rack1") == 5000, samples
    assert value(samples, "ipmi_sensor_state", name="PS Redundancy") == 0, samples
    assert value(samples, "ipmi_sel_events_total", **{"class": "temperature"}, severity="critical") == 0, samples
    assert events(samples) == {}, events(samples)
    print("ok - all is well")

    write(directory + "/sensor1", "97\n")
    write(directory + "/sensor2", "3\n")
    write(directory + "/sensor3", "2\n")
    write(directory + "/sensor4", "2\n")

    def all_seen():
        seen = ok_run(directory)
        return seen if set(events(seen)) == {"CPU Temp", "FAN1", "PS1 Status", "PS Redundancy"} else None
    samples = unpacked.wait_for("all four faults", 60, all_seen)
    found = events(samples)
    print("# %s" % found)
    assert found["CPU Temp"][0] == 2 and found["CPU Temp"][2] == "temperature", found
    assert found["FAN1"][2] == "fan", found
    assert found["PS1 Status"] == (2, "Power Supply Failure detected", "power"), found
    assert found["PS Redundancy"] == (2, "Redundancy Lost", "power"), found
    assert value(samples, "ipmi_event", name="PS1 Status", component="PS1 Status rack1") == 2, samples
    assert value(samples, "ipmi_sel_events_total", **{"class": "temperature"}, severity="critical") >= 1, samples
    assert value(samples, "ipmi_sel_events_total", **{"class": "power"}, severity="critical") >= 1, samples
    assert value(samples, "ipmi_sel_entries_total") >= 3, samples
    print("ok - heat, fan, power supply and redundancy, in the readings and in the log")

    write(directory + "/sensor5", "1\n")
    unpacked.wait_for("the open case", 30, lambda: value(ok_run(directory), "ipmi_sensor_state", name="Intrusion") in (1, 2))
    assert "Intrusion" not in events(ok_run(directory))
    print("ok - an open case is a state, no fault")

    _, end = probe(directory, "badpass")
    assert end["result"] == "denied", end
    print("ok - wrong password: %s" % end["why"])
    _, end = probe(directory, "openfile")
    assert end["result"] == "denied" and "everybody can read it" in end["why"], end
    print("ok - a password file that everybody can read is refused")

    processes[0].send_signal(signal.SIGSTOP)
    _, end = probe(directory, "rack1")
    assert end["result"] == "timeout", end
    print("ok - a controller that hangs: %s" % end["why"])
    processes[0].send_signal(signal.SIGCONT)
    ok_run(directory)
    print("ok - and goes on")


def main():
    try:
        root = unpacked.unpack(["openipmi", "libopenipmi0", "libpopt0"])
    except (RuntimeError, OSError) as e:
        unpacked.skip("a simulated controller", str(e))
    processes = []
    with tempfile.TemporaryDirectory(prefix="veille-ipmi-") as directory:
        try:
            test(root, directory, processes)
        except (RuntimeError, AssertionError):
            with open(directory + "/log", errors="replace") as f:
                print("".join("# " + line for line in f.readlines()[-30:]))
            raise
        finally:
            unpacked.end(processes)


main()
