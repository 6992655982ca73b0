#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 120
"""veillectl report: secrets are planted in every place that it reads, and searched for in the bundle."""

import glob
import os
import stat
import subprocess
import sys
import tarfile
import tempfile

import tap
from tap import say

BUILD = os.path.abspath(os.environ.get("BUILD", "build"))
CTL = BUILD + "/san/veillectl"
HERE = os.path.dirname(os.path.abspath(__file__))


def main():
    with tempfile.TemporaryDirectory(prefix="veille-test-") as top:
        run = top + "/run"
        subprocess.run([sys.executable, HERE + "/../fixtures/make_run.py", run, "--disks", "3", "--probe", BUILD + "/veille-probe"], check=True)
        secrets = {name: "S3CR3T-" + name + "-XYZZY" for name in ("token", "key", "bmc", "inline", "url", "status", "event")}
        with open(top + "/token", "w") as f:
            f.write(secrets["token"] + "\n")
        with open(top + "/key.pem", "w") as f:
            f.write("-----BEGIN PRIVATE KEY-----\n" + secrets["key"] + "\n-----END PRIVATE KEY-----\n")
        with open(top + "/bmc", "w") as f:
            f.write(secrets["bmc"] + "  \r\n")
        conf = top + "/veille.conf"
        with open(conf, "w") as f:
            f.write("[web]\ntoken_file = %s/token\ntls_key = %s/key.pem\ntls_certificate = %s/crt\n[bmc rack]\nhost = h\npassword_file = %s/bmc\n"
                    "[host]\nname = %s\n" % (top, top, top, top, "mx." + secrets["token"] + ".example"))
        status = open(run + "/status.json").read()
        with open(run + "/status.json", "w") as f:  # a secret that came in by a message
            f.write(status.replace('"health_why":"', '"health_why":"hook https://user:%s@h.example/%s failed; bmc said %s; ' %
                                   (secrets["url"], secrets["status"], secrets["bmc"]), 1)
                    .replace('"health_why": "', '"health_why": "hook https://user:%s@h.example/%s failed; bmc said %s; ' %
                             (secrets["url"], secrets["status"], secrets["bmc"]), 1))
        say(secrets["status"] in open(run + "/status.json").read(), "the secrets are where the report reads")
        os.chdir(top)
        ctl = lambda *words, **kw: subprocess.run([CTL, "--run", run, "--config", conf, *words], capture_output=True, timeout=100, **kw)

        p = ctl("report", "--output", "r.tar")
        say(p.returncode == 0 and b"Read it before" in p.stdout, "a report", p.stdout, p.stderr)
        say(stat.S_IMODE(os.stat("r.tar").st_mode) == 0o600, "for its owner alone")
        with tarfile.open("r.tar") as tar:
            files = {m.name.split("/", 1)[1]: tar.extractfile(m).read().decode("utf-8", "replace") for m in tar.getmembers()}
            say(all(m.name.startswith("veille-report-") for m in tar.getmembers()), "in a directory of its own")
        wanted = ["README.txt", "versions.txt", "config.txt", "status.txt", "checks.txt", "status.json", "samples.json", "catalog.json", "plots.json", "events.txt",
                  "journal.txt", "rules.txt", "config-check.txt"]
        say(all(len(files.get(w, "")) > 0 for w in wanted if w != "journal.txt") and "journal.txt" in files, "all that is wanted is in it", {k: len(v) for k, v in files.items()})
        say("token_file = %s/token" % top in files["config.txt"] and "veille.conf:2" in files["config.txt"], "the configuration with its origin", files["config.txt"])
        say("disk_temperature_celsius" in files["samples.json"] and "veille-store is not running" in files["events.txt"], "values; what is missing says why")
        everything = open("r.tar", "rb").read()
        for name, secret in secrets.items():
            if name in ("inline", "event"):
                continue
            say(secret.encode() not in everything, "secret left out: " + name, *[k for k, v in files.items() if secret in v])
        say("https://<secret>@h.example/<secret>" in files["status.json"], "but the rest stays", files["status.json"][:500])
        p = ctl("report", "--output", "r.tar")
        say(p.returncode == 3 and b"exists" in p.stderr, "what is there is not replaced", p.stderr)

        with open(conf, "a") as f:  # a mistake: the config is bad, and its errors show the line
            f.write("password = %s\nwebhook_token: %s\n" % (secrets["inline"], secrets["event"]))
        p = ctl("report", "--output", "-")
        say(p.returncode == 0 and b"unknown key 'password'" in p.stdout, "a bad configuration is told", p.stderr)
        say(not any(secrets[n].encode() in p.stdout for n in ("inline", "event", "url", "status", "key")), "and its secrets are not")

        p = ctl("report", "--mask")
        made = glob.glob("veille-report-*.tar")
        say(p.returncode == 0 and len(made) == 1, "a name of its own", p.stderr, made)
        serials = [s for s in __import__("re").findall(r'"id": ?"([^"]{6,})"', status)]
        data = open(made[0], "rb").read()
        say(len(serials) >= 2 and not any(s.encode() in data for s in serials) and b"<id-" in data, "--mask: serial numbers are replaced",
              serials)
        say(any(s.encode() in everything for s in serials), "without it they are there")
        say(subprocess.run(["tar", "-tf", made[0]], capture_output=True).returncode == 0, "tar reads it")
        p = subprocess.run([CTL, "--run", run, "--config", conf, "report", "--output", "-"], stdout=open("/dev/full", "w"), stderr=subprocess.PIPE, timeout=100)
        say(p.returncode == 3 and b"cannot be written" in p.stderr, "no room: said", p.stderr)
    sys.exit(tap.failed > 0)


main()
