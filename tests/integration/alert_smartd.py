#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 150
"""Scripts written for "smartd -M exec" run unchanged: all examples of Debian's smartmontools, and what Debian itself runs. In a root of their own (an
overlay over this host's), with mail, sendmail, wall and the like that only write down what they were given."""

import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(__file__))
import unpacked  # noqa: E402
from tap import none  # noqa: E402

EXAMPLES = "/usr/share/doc/smartmontools/examples/"
NOTE = """#!/bin/sh
{ echo "$0"; for word; do echo "<$word>"; done; echo "--"; [ "$1" = --no-input ] || cat; } > /tmp/seen.new
mv /tmp/seen.new /tmp/seen.%s
"""
SUBJECT, TEXT, ADDRESS = "[mx1] CRITICAL: sda: replace this disk now", "sda says it is failing: its overall health check did not pass", "ann@example.org"
TWO = ADDRESS + " bob@example.org"
BODY = "sda: CRITICAL (new)\n  What happened  " + TEXT + "\n"
MESSAGE = {"version": 1, "id": "0123456789abcdef0123456789abcdef", "contact": "root", "time": 1795528800, "host": "mx1", "component": "sda", "level": "critical",
           "what": "new", "digest": False, "subject": SUBJECT, "body": BODY, "total": 1, "items": [
               {"host": "mx1", "component": "sda", "kind": "disk", "rule": "smart-failed", "level": "critical", "text": TEXT, "clears": "replace the disk",
                "check": "smart-ata", "instance": "sda", "opened": 1795528800}]}


class Root:
    """What the scripts see."""

    def __init__(self, directory, package):
        self.dir, self.path = directory, directory + "/root"
        for name in ("root", "layer"):
            os.mkdir(directory + "/" + name)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "layer", directory + "/layer"], check=True)
        os.mkdir(directory + "/layer/up")
        os.mkdir(directory + "/layer/work")
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o", "lowerdir=/,upperdir=%s/layer/up,workdir=%s/layer/work" % (directory, directory),
                        self.path], check=True)
        for name in ("proc", "dev"):
            subprocess.run(["mount", "--rbind", "/" + name, self.path + "/" + name], check=True)
        for name in ("root", "tmp"):
            subprocess.run(["mount", "-t", "tmpfs", "tmpfs", self.path + "/" + name], check=True)
        for name in (EXAMPLES, "/etc/smartmontools/run.d", "/usr/share/smartmontools"):
            os.makedirs(self.path + name, exist_ok=True)
            subprocess.run(["cp", "-a", package + name + "/.", self.path + name], check=True)
        subprocess.run(["cp", unpacked.BUILD + "/san/veille-notify", self.path + "/veille-notify"], check=True)
        for path in ("/usr/bin/mail", "/usr/sbin/sendmail", "/usr/bin/wall", "/usr/lib/powersave/powersave-notify"):
            self.program(path, NOTE % os.path.basename(path))
        self.program("/usr/sbin/smartctl", "#!/bin/sh\necho \"smartctl was asked: $*\"\n")
        self.program("/usr/local/bin/sleep", "#!/bin/sh\nexit 0\n")  # Example3 waits half a minute
        self.program("/usr/local/bin/tempfile", "#!/bin/sh\nexec mktemp\n")  # Debian 12 has it no more

    def program(self, path, text):
        os.makedirs(os.path.dirname(self.path + path), exist_ok=True)
        if os.path.lexists(self.path + path):
            os.unlink(self.path + path)
        with open(self.path + path, "w") as f:
            f.write(text)
        os.chmod(self.path + path, 0o755)

    def run(self, script, address=ADDRESS, message=MESSAGE):
        """What veille-notify answers, and what each of the programs was given."""
        for name in os.listdir(self.path + "/tmp"):
            os.unlink(self.path + "/tmp/" + name)
        sink = {"name": "script", "type": "exec", "timeout": 60, "command": [script]}
        sink.update({"address": address} if address else {})
        done = subprocess.run(["chroot", self.path, "/veille-notify"], input=json.dumps({"sink": sink, "message": message}), capture_output=True, text=True)
        seen = {}
        for name in os.listdir(self.path + "/tmp"):
            if name.startswith("seen."):
                with open(self.path + "/tmp/" + name) as f:
                    seen[name[5:]] = f.read()
        return (json.loads(done.stdout) if done.stdout else {"ok": False, "error": done.stderr}), seen

    def unmount(self):
        for name in ("/root", "/layer"):
            subprocess.run(["umount", "-R", "-l", self.dir + name], check=False)


# Script, the program it ends in, its arguments, what must be in what it is given.
ROWS = [
    (EXAMPLES + "Example1", "mail", r"<-s>\n<SMART errors detected on host: .*>\n<ann@example\.org>",
     [BODY, "Command line argument 1:\n-s", "argument 2:\n" + SUBJECT, "argument 3:\n" + ADDRESS, "/dev/sda\n/dev/sda\nauto\n" + TEXT + "\n" + BODY,
      ADDRESS + "\n" + SUBJECT, "2026\n1795528800\n", "smartctl was asked: -a -d auto /dev/sda"]),
    (EXAMPLES + "Example2", "mail", "<-s>\n<%s>\n<%s>" % (re.escape(SUBJECT), re.escape(ADDRESS)), [BODY, "smartctl was asked: -a -d auto /dev/sda"]),
    (EXAMPLES + "Example3", "wall", "", ["Problem detected with disk: /dev/sda\nWarning message from smartd is: " + TEXT]),
    (EXAMPLES + "Example4", "powersave-notify", r"<<b>Your hard disk drive is failing!</b>\nS\.M\.A\.R\.T\. message:\n%s>" % re.escape(TEXT), []),
    (EXAMPLES + "Example5", "mail", "<-s>\n<%s>\n<%s>" % (re.escape(SUBJECT), re.escape(ADDRESS)), [BODY]),
    (EXAMPLES + "Example6", "mail", "<-s>\n<%s>\n<%s>" % (re.escape(SUBJECT), re.escape(ADDRESS)), [BODY]),
    (EXAMPLES + "Example7", "sendmail", "<ann@example.org>\n<bob@example.org>",
     ["Subject: %s\nTo: %s\n\n%s" % (SUBJECT, TWO.replace(" ", ", "), BODY)]),
    (EXAMPLES + "Example8", "mail", "<-s>\n<%s>\n<%s>" % (re.escape(SUBJECT), re.escape(ADDRESS)), [BODY]),
    ("/usr/share/smartmontools/smartd-runner", "mail", "<-s>\n<%s>\n<%s>" % (re.escape(SUBJECT), re.escape(ADDRESS)), [BODY]),
]


def look(root, script, program, words, parts):
    # Example7 as it stands takes two addresses or more.
    answer, seen = root.run(script, TWO if script.endswith("Example7") else ADDRESS)
    text = seen.get(program, "")
    arguments, _, given = text.partition("--\n")
    problems = [] if answer["ok"] else [answer]
    if not re.fullmatch(".*/%s\n%s\n?" % (program, words), arguments):
        problems.append([script, "arguments", text, answer])
    problems += ["no %r in %r" % (p, given) for p in parts if p not in given]
    none(problems, "%s of smartmontools ends in %s with all that smartd would give" % (os.path.basename(script), program))


def main():
    if os.geteuid() != 0:
        unpacked.skip("scripts for smartd", "needs root")
    try:
        package = unpacked.unpack(["smartmontools"])
    except (RuntimeError, OSError) as error:
        unpacked.skip("scripts for smartd", str(error))
    if not unpacked.own_network():
        unpacked.skip("scripts for smartd", "needs namespaces")
    with tempfile.TemporaryDirectory(prefix="veille-smartd-") as directory:
        try:
            root = Root(directory, package)
        except (OSError, subprocess.CalledProcessError) as error:
            unpacked.skip("scripts for smartd", "no overlay over the root of this host: %s" % error)
        try:
            with open(root.path + EXAMPLES + "Example1") as f, open(package + EXAMPLES + "Example1") as g:
                none([] if f.read() == g.read() else ["changed"], "they are Debian's")
            for row in ROWS:
                look(root, *row)
            # <nomailer>: no arguments, as Example7 wants them.
            answer, seen = root.run(EXAMPLES + "Example7", address=None)
            none([] if not answer["ok"] and "Usage:" in answer["error"] and not seen else [answer, seen],
                 "without an address a script gets no arguments, and its complaint is the answer")
            message = dict(MESSAGE, subject="$(touch /tmp/seen.evil) `touch /tmp/seen.evil`; \"'", items=[dict(MESSAGE["items"][0], text="$(touch /tmp/seen.evil)")])
            bad = [row[0] for row in ROWS if "evil" in root.run(row[0], message=message)[1]]
            none(bad, "what a device says is no command to any of them")
        finally:
            root.unmount()


main()
