#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The veille authors
# SPDX-License-Identifier: GPL-3.0-or-later
# timeout: 240
"""The copy in memory: made whole or not at all, tried before it is used, made anew beside the old one; veille-notify sends from it, also
when it serves a socket, and sends nothing for one who has gone."""

import http.server
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import unpacked  # noqa: E402
from tap import none  # noqa: E402

PLAIN = os.path.abspath(unpacked.BUILD)  # the sanitizers do not like to be started by a loader


class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.server.got.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


def life(directory, *words, program=unpacked.BUILD + "/san/veille-life", programs=PLAIN):
    done = subprocess.run([program, "--life", directory, "--programs", programs, "--config", directory + "/../veille.conf"] + list(words),
                          capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def entries(directory):
    return sorted(os.listdir(directory))


def test_copies(top):
    directory, ca = top + "/life", top + "/own-ca.pem"
    os.mkdir(directory)
    with open(ca, "w") as f:
        f.write("own authority\n")
    with open(top + "/password", "w") as f:
        f.write("secret-of-a-sink\n")
    with open(top + "/veille.conf", "w") as f:
        f.write("[sink m]\ntype = mail\nrelay = smtp://127.0.0.1:25\nto = a@b.example\nuser = x\npassword_file = %s/password\nca_file = %s\n" % (top, ca))
    code, out = life(directory, "status")
    none([] if code == 1 and "no copy" in out else [code, out], "before there is a copy status says so")
    code, out = life(directory)
    first = os.readlink(directory + "/now") if code == 0 else ""
    text = subprocess.run(["grep", "-rl", "secret-of-a-sink", directory], capture_output=True, text=True).stdout
    problems = [] if code == 0 and entries(directory) == sorted([first, "now"]) and os.path.exists(directory + "/now/root" + ca) and not text else [
        code, out, entries(directory), text]
    none(problems, "a copy with the authority of the sink and without its password")
    ran = subprocess.run([directory + "/now/loader", "--inhibit-cache", "--library-path", directory + "/now/lib", directory + "/now/bin/veille-notify",
                          "--version"], capture_output=True, text=True)
    code, out = life(directory, "status")
    none([] if ran.returncode == 0 and "veille-notify" in ran.stdout and code == 0 else [ran.stdout, ran.stderr, out], "its program runs; status is content")
    # Refused, whatever is wrong with it: the old one stays and nothing else does.
    broken, bad = top + "/broken", []
    for what in ("missing", "no program", "too large", "does not run"):
        shutil.rmtree(broken, ignore_errors=True)
        os.mkdir(broken)
        if what == "no program":
            with open(broken + "/veille-notify", "w") as f:
                f.write("#!/bin/sh\nexit 0\n")
        elif what == "too large":
            shutil.copy(PLAIN + "/veille-notify", broken + "/veille-notify")
            with open(broken + "/veille-notify", "ab") as f:
                f.truncate(80 << 20)
        elif what == "does not run":
            shutil.copy("/bin/false", broken + "/veille-notify")
        code, out = life(directory, programs=broken)
        if code != 1 or entries(directory) != sorted([first, "now"]) or os.readlink(directory + "/now") != first:
            bad.append([what, code, out, entries(directory)])
    none(bad, "what is missing, no program, too large or does not run is refused, and the old copy stays")
    os.makedirs(directory + "/copy.new/lib")  # of one that was killed
    code, out = life(directory)
    now = os.readlink(directory + "/now")
    none([] if code == 0 and now != first and entries(directory) == sorted([now, "now"]) else [code, out, entries(directory)],
         "the next one takes its place; of one that was killed nothing is left")
    with open(ca, "a") as f:
        f.write("renewed\n")
    code, out = life(directory, "status")
    none([] if code == 1 and ca in out else [code, out], "status names what has changed on the disk")


def ask(run, request, wait=True):
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(run + "/notify.sock")
        s.sendall(json.dumps(request).encode() + b"\n")
        if not wait:
            return None
        s.shutdown(socket.SHUT_WR)
        s.settimeout(60)
        data = b""
        while not data.endswith(b"\n"):
            got = s.recv(4096)
            if not got:
                break
            data += got
        return json.loads(data) if data else None


def test_serves(top):
    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    web.got = []
    threading.Thread(target=web.serve_forever, daemon=True).start()
    run, directory = top + "/run", top + "/life"
    os.mkdir(run)
    server = subprocess.Popen([PLAIN + "/veille-notify", "--serve", "--run", run, "--life", directory], stdin=subprocess.DEVNULL)
    request = {"sink": {"name": "h", "type": "webhook", "timeout": 10, "url": ["http://127.0.0.1:%d/" % web.server_address[1]]}, "attempt": 1,
               "message": {"id": "0" * 32, "subject": "x"}}
    try:
        if not unpacked.wait_for("a socket", 60, lambda: os.path.exists(run + "/notify.sock")):
            none(["no socket"], "veille-notify --serve listens")
            return
        exe = os.readlink("/proc/%d/exe" % server.pid)
        answer = ask(run, request)
        none([] if answer and answer["ok"] and len(web.got) == 1 and exe == os.path.realpath(directory + "/now/loader") else [answer, exe, web.got],
             "veille-notify --serve runs from the copy and sends")
        # Nobody takes connections while it is stopped: who gives up then is not told again without a mark.
        os.kill(server.pid, 19)
        ask(run, request, wait=False)
        os.kill(server.pid, 18)
        answer = ask(run, dict(request, attempt=2))
        time.sleep(1)
        none([] if answer and answer["ok"] and len(web.got) == 2 else [answer, len(web.got)], "nothing is sent for one who has gone")
        life(directory, "--help")
        code, out = life(directory)
        answer = ask(run, request)
        none([] if code == 0 and answer and answer["ok"] else [out, answer], "after a new copy it goes on")
    finally:
        server.kill()
        server.wait()
        web.shutdown()


def main():
    with tempfile.TemporaryDirectory(prefix="veille-life-", dir=PLAIN) as top:
        test_copies(top)
        test_serves(top)


main()
