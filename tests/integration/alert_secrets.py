#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 200
"""Secrets stay where they are: passwords, keys and tokens in files, tokens in URLs. Every sink has one, every sink fails, the servers say back what
they were told; then it is looked for in logs, answers, command lines, environments, all files that veille writes, and what veillectl prints."""

import base64
import glob
import http.server
import os
import signal
import socketserver
import subprocess
import sys
import tarfile
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(__file__))
import alerts  # noqa: E402
import unpacked  # noqa: E402
from tap import none  # noqa: E402

FILES = {"password": "canary-password-5d1f7a20", "secret": "canary-hmac-key-91b3ce04", "token": "canary-bearer-token-7f3e66d1", "web-token": "canary-web-token-0c9a8b77"}
URL = {"path": "canary-url-path-3a8e1c55", "query": "canary-url-query-b27d9f13", "user": "canary-url-user-e64f0a98"}
CANARIES = list(FILES.values()) + list(URL.values())
FORMS = CANARIES + [base64.b64encode(c.encode()).decode().rstrip("=")[:-1] for c in CANARIES] + [
    base64.b64encode(b"\0veille\0" + FILES["password"].encode()).decode().rstrip("=")[:-1]]

CONFIG = """
[host]
name = mx1
[check edac]
interval = 1s
[web]
token_file = %(dir)s/web-token
[contact oncall]
sinks = echo dead wrong user mail log script
language = fr
[sink echo]
type = webhook
url = http://127.0.0.1:%(http)d/services/%(path)s?token=%(query)s
secret_file = %(dir)s/secret
token_file = %(dir)s/token
timeout = 5s
[sink dead]
type = webhook
url = http://127.0.0.1:%(dead)d/services/%(path)s?token=%(query)s
token_file = %(dir)s/token
timeout = 5s
[sink wrong]
type = webhook
url = https://127.0.0.1:%(http)d/services/%(path)s?token=%(query)s
token_file = %(dir)s/token
timeout = 5s
[sink user]
type = webhook
url = http://someone:%(user)s@127.0.0.1:%(http)d/
timeout = 5s
[sink mail]
type = mail
relay = smtp://127.0.0.1:%(smtp)d
to = ann@example.org
user = veille
password_file = %(dir)s/password
timeout = 5s
[sink am]
type = alertmanager
url = http://127.0.0.1:%(http)d/%(path)s
token_file = %(dir)s/token
timeout = 5s
[sink log]
type = journal
[sink script]
type = exec
command = %(dir)s/script
timeout = 20s
"""
SCRIPT = "#!/bin/sh\nenv\ncat /proc/$PPID/cmdline /proc/$PPID/environ 2>/dev/null\nsleep 2\nexit 1\n"


class Echo(http.server.BaseHTTPRequestHandler):
    """Refuses and says all that it was told."""
    asked = 0

    def do_POST(self):
        Echo.asked += 1
        self.rfile.read(int(self.headers["Content-Length"]))
        body = ("refused %s: %s" % (self.path, self.headers.get("Authorization"))).encode()
        self.send_response(403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class EchoMail(socketserver.StreamRequestHandler):
    """No STARTTLS, AUTH in clear; whoever uses it is told his words back."""

    def handle(self):
        self.wfile.write(b"220 test\r\n")
        for line in self.rfile:
            if line[:4].upper() == b"EHLO":
                self.wfile.write(b"250-test\r\n250 AUTH PLAIN LOGIN\r\n")
            else:
                self.wfile.write(b"535 no: " + line.strip() + b"\r\n")


class Watch(threading.Thread):
    """Looks at command lines and environments of all programs of this build, as long as it runs."""

    def __init__(self):
        super().__init__(daemon=True)
        self.found, self.seen, self.end = [], set(), False

    def run(self):
        while not self.end:
            for directory in glob.glob("/proc/[0-9]*"):
                try:
                    exe = os.readlink(directory + "/exe")
                    if not exe.startswith(alerts.SAN):
                        continue
                    for name in ("cmdline", "environ"):
                        with open(directory + "/" + name, "rb") as f:
                            self.found += [[exe, name, c] for c in leaks(f.read())]
                    self.seen.add(os.path.basename(exe))
                except OSError:
                    pass
            time.sleep(0.01)


def leaks(data):
    return [f for f in FORMS if f.encode() in data]


class Host(alerts.Host):
    def __init__(self, directory):
        super().__init__(directory)
        self.echo = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
        self.mail = alerts.MailServer(("127.0.0.1", 0), EchoMail)
        for server in (self.echo, self.mail):
            threading.Thread(target=server.serve_forever, daemon=True).start()
        self.port, self.web = unpacked.free_port(), None
        for name, text in FILES.items():
            with open(directory + "/" + name, "w") as f:
                f.write(text + "\n")
            os.chmod(directory + "/" + name, 0o600)
        with open(directory + "/script", "w") as f:
            f.write(SCRIPT)
        os.chmod(directory + "/script", 0o755)
        with open(directory + "/veille.conf", "w") as f:
            f.write(CONFIG % dict(URL, dir=directory, http=self.echo.server_address[1], smtp=self.mail.server_address[1], dead=unpacked.free_port()))
        os.chmod(directory + "/veille.conf", 0o640)

    def start_web(self):
        log = open(self.dir + "/web.log", "ab")
        self.web = subprocess.Popen([alerts.SAN + "veille-web"] + self.options[2:] + ["--listen", "127.0.0.1:%d" % self.port], stdin=subprocess.DEVNULL,
                                    stdout=log, stderr=log)

    def get(self, path):
        done = subprocess.run(["curl", "-s", "-H", "Authorization: Bearer " + FILES["web-token"], "http://127.0.0.1:%d%s" % (self.port, path)],
                              capture_output=True)
        return done.stdout


def look_at_files(host):
    """All that veille wrote, whoever may read it."""
    problems = []
    for top in (host.run, host.dir + "/state"):
        for directory, _, names in os.walk(top):
            for name in names:
                path = os.path.join(directory, name)
                if os.path.isfile(path):
                    with open(path, "rb") as f:
                        problems += [[path, c] for c in leaks(f.read())]
    none(problems, "in no file of RUN and STATE")
    problems = []
    for name in ("veilled", "store", "web"):
        with open("%s/%s.log" % (host.dir, name), "rb") as f:
            text = f.read()
        problems += [[name, c] for c in leaks(text)] + ([text[-1500:]] if b"Sanitizer" in text else [])
    none(problems, "in no log")


def look_at_words(host):
    problems = []
    for words in (["status"], ["status", "--json"], ["alerts", "--all"], ["notify", "queue"], ["config", "show"], ["config", "show", "--origin"], ["config", "check"],
                  ["why", "veille"], ["events"], ["checks"], ["config", "example"]):
        out, _ = host.ctl(*words)
        if not out:
            problems.append([words, "says nothing"])
        problems += [[words, c] for c in leaks(out.encode())]
    none(problems, "in nothing that veillectl prints")
    out, status = host.ctl("report", "--output", host.dir + "/report.tar")
    problems = [] if status == 0 else [out]
    with tarfile.open(host.dir + "/report.tar") as tar:
        members = [m for m in tar.getmembers() if m.isfile()]
        for member in members:
            problems += [[member.name, c] for c in leaks(tar.extractfile(member).read())]
    none(problems if len(members) > 3 else [m.name for m in members], "in no part of veillectl report")
    none([[path, c] for path in ("/", "/metrics", "/status.json") for c in leaks(host.get(path)) or ([] if host.get(path) else ["nothing"])],
         "in nothing that veille-web answers")


def main():
    with tempfile.TemporaryDirectory(prefix="veille-secrets-") as directory:
        host, watch = Host(directory), Watch()
        watch.start()
        host.start_store()
        host.start()
        host.start_web()
        try:
            alerts.until(lambda: "nothing is open" in host.ctl("alerts")[0])
            out, status = host.ctl("test-alert")
            problems = [[c, out] for c in leaks(out.encode())]
            if status == 0 or out.count("\n") < 7 or Echo.asked < 2:
                problems.append(["not all were tried", out, status])
            none(problems, "in no answer of test-alert, although the servers say back what they were told")
            host.edac("ue_count", "1")
            alerts.until(lambda: host.ctl("notify", "queue")[0].count("mc0") >= 5, 60)
            asked = Echo.asked
            alerts.until(lambda: Echo.asked >= asked + 4, 60)
            # What a command line of a wrong configuration says.
            with open(directory + "/bad.conf", "w") as f:
                f.write("[sink x]\ntype = webhook\nurl = ftp://someone:%s@host/%s\n" % (URL["user"], URL["path"]))
            bad = subprocess.run([alerts.SAN + "veillectl", "config", "check", "--config", directory + "/bad.conf"], capture_output=True)
            none([bad.stdout.decode() + bad.stderr.decode()] if leaks(bad.stdout + bad.stderr) or not bad.returncode else [], "in no complaint about a URL")
            look_at_words(host)
        finally:
            host.stop(signal.SIGTERM)
            unpacked.end([host.web])
            host.store.terminate()
            host.store.wait(60)
        watch.end = True
        watch.join()
        none(watch.found if {"veilled", "veille-notify", "veille-web", "veille-store", "veillectl", "veille-probe"} <= watch.seen else [sorted(watch.seen)],
             "in no command line and no environment of any of our programs")
        look_at_files(host)


main()
