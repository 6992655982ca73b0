#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Completion typed into a real interactive bash: what stands on the line after TAB."""

import os
import pty
import select
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(__file__))
import unpacked  # noqa: E402

CASES = (  # typed before TAB; what the line then ends in
    ("veillectl sta", "veillectl status "),
    ("veillectl --run RUN why btrfs:0", "why btrfs:0f1e2d3c "),
    ("veillectl --run RUN history bt", "history btrfs:0f1e2d3c "),
    ("veillectl --run=RUN accept ups@", "accept ups@localhost "),
    ("veillectl --run RUN accept ups@localhost n", "ups@localhost no-answer "),
    ("veillectl events --si", "events --since "),
    ("veille-probe list ed", "list edac "),
)


def read_until_quiet(fd, quiet=0.4, most=15):
    data, until = b"", time.monotonic() + most
    while time.monotonic() < until:
        ready, _, _ = select.select([fd], [], [], quiet if data else 3)
        if not ready:
            break
        try:
            data += os.read(fd, 65536)
        except OSError:
            break
    return data.decode(errors="replace")


def main():
    with tempfile.TemporaryDirectory(prefix="veille-tab-") as directory:
        run = directory + "/r"
        os.mkdir(run)
        with open(run + "/status.json", "w") as f:
            f.write('{"version":1,"components":[{"component":"btrfs:0f1e2d3c","kind":"raid","rule":""},'
                    '{"component":"ups@localhost","kind":"power","rule":"no-answer","reasons":[{"rule":"no-answer"}]}],"checks":[]}')
        here = os.getcwd()
        master, slave = pty.openpty()
        env = {"PATH": unpacked.BUILD + "/san:/usr/bin:/bin", "PS1": "$ ", "TERM": "dumb", "HOME": directory, "COLUMNS": "400", "LC_ALL": "C"}
        env["INPUTRC"] = "/dev/null"
        bash = subprocess.Popen(["bash", "--norc", "--noprofile", "-i"], stdin=slave, stdout=slave, stderr=slave, env=env, cwd=directory,
                                start_new_session=True)
        os.close(slave)
        try:
            os.write(master, b"stty columns 400; . %s/docs/completion/veillectl.bash; . %s/docs/completion/veille-probe.bash; echo re''ady\n"
                     % (here.encode(), here.encode()))
            seen = ""
            unpacked.wait_for("bash", 20, lambda: "ready" in read_until_quiet(master) + seen)
            for typed, wanted in CASES:
                os.write(master, typed.replace("RUN", run).encode() + b"\t")
                line = ""
                until = time.monotonic() + 20
                while not line.endswith(wanted) and time.monotonic() < until:
                    line += read_until_quiet(master, 0.2, 2).replace("\a", "")
                print("ok - %s" % typed if line.endswith(wanted) else "not ok - %s: %r" % (typed, line[-200:]))
                os.write(master, b"\x15")  # the line is emptied
                read_until_quiet(master, 0.2, 2)
        finally:
            bash.kill()
            bash.wait()
            os.close(master)


main()
